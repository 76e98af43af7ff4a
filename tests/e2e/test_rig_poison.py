"""The poisoned server of the rig: an honest account passes, and each of its ends is met."""

import pytest

from rig import mail
from rig.poison import Fault, Flaky, Poison

MARK = b"X-Poison: seven"


def letter(number, mark=MARK):
    wire = mail.one(number, seed="poison", size=600)
    return mark + b"\r\n" + wire if mark else wire


def filled(account, count=3):
    with account.remote() as remote:
        for number in range(count):
            remote.append("INBOX", letter(number, MARK if number == 1 else None))


def through(account, poison, **keys):
    account.change(port=poison.port, timeout=2, **keys)
    return account


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_well_one_changes_nothing(account, protocol):
    filled(account)
    port = account.server.port + (2 if protocol == "pop3" else 0)
    with Poison(port, protocol=protocol) as poison:
        result = through(account, poison, protocol=protocol).sync()
        assert result.did == {"downloaded": 3}
        assert account.sync().did == {}
        assert poison.connections == 2 and poison.hits == []


def local_letter(account):
    account.local.create("INBOX")
    wire = letter(9)
    account.local.deliver("INBOX", wire.replace(b"\r\n", b"\n"), "S")
    return len(wire)


ENDS = ["reset", "bye", "silence"]
IMAP = ["SELECT", "STATUS", "LIST-STATUS", "FETCH", "FETCH-BODY", "APPEND", "APPEND-LITERAL",
        "APPEND-END", "APPEND-TAKEN", "STORE", "EXPUNGE", "STORE-TAKEN"]
POP3 = ["RETR", "RETR-BODY", "TOP", "DELE", "DELE-TAKEN"]


@pytest.mark.parametrize("at,end", [*((at, "close") for at in IMAP), *(("FETCH", end) for end in ENDS)])
def test_imap_ends_where_it_is_told_to(account, at, end):
    filled(account)
    if at.startswith(("STORE", "EXPUNGE")):
        account.sync()
        path = list(account.local.files("INBOX"))[1]
        if at == "EXPUNGE":
            path.unlink()
        else:
            account.local.set_flags(path, "F")
    size = local_letter(account)
    fault = Fault(at, end=end, size=size if at == "APPEND" else None,
                  marker=MARK if at.startswith(("APPEND", "FETCH")) else None,
                  mailbox="INBOX" if at in ("SELECT", "STATUS", "LIST-STATUS") else None)
    with Poison(account.server.port, fault) as poison:
        through(account, poison, disable_extensions="LIST-STATUS" if at == "STATUS" else None)
        # The listing is done without its numbers.
        assert (account.sync(status=None).status == 0) == (at == "LIST-STATUS")
        assert poison.hits and set(poison.hits) == {fault}
        poison.faults = []
        account.sync(status=None)
        account.sync()


@pytest.mark.parametrize("at,end", [*((at, "close") for at in POP3), *(("RETR", end) for end in ENDS)])
def test_pop3_ends_where_it_is_told_to(account, at, end):
    filled(account)
    if at == "TOP":
        local_letter(account)
    fault = Fault(at, marker=MARK, end=end)
    with Poison(account.server.port + 2, fault, protocol="pop3") as poison:
        through(account, poison, protocol="pop3", leave_on_server="no")
        assert account.sync(status=None).status != 0
        assert poison.hits and set(poison.hits) == {fault}
        poison.faults = []
        account.sync(status=None)
        account.sync()


def test_a_server_that_lets_nobody_in_and_one_that_asks_for_a_delay(account):
    filled(account)
    with Poison(account.server.port + 2, protocol="pop3") as poison:
        through(account, poison, protocol="pop3")
        for poison.refuses in ("close", "bye"):
            assert account.sync(status=None).status != 0
        poison.refuses, poison.logins_left = None, 0
        assert account.sync(status=75).err.count("LOGIN-DELAY") == 1
        poison.logins_left = 1
        assert account.sync().did == {"downloaded": 3}


def test_a_flaky_line_cuts_some(account):
    filled(account)
    with Flaky(account.server.port, seed=4) as line:
        through(account, line)
        for _ in range(12):
            assert account.sync(status=None).status in (0, 75)
        assert line.cuts > 0
    account.change(port=account.server.port)
    account.sync()
    assert len(list(account.local.files("INBOX"))) == 3
