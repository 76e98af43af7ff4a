"""What particular providers do, each by its name. Where another file has it: Exchange's stubs, items
in another order and backoff times, Yahoo's EXISTS beyond its window, iCloud's missing ENABLED, Yandex's
empty bodies, HIGHESTMODSEQ 0 are in test_bad_servers.py; Courier and Cyrus in test_other_servers.py."""

import re

import pytest

from lies import CONDSTORE, DAY, ENABLED, QRESYNC, clock_of, local, recovers, sync, synced
from rig import mail
from rig.fake import Box
from rig.scripted import always, raw

YAHOO = "IMAP4rev1 ID MOVE NAMESPACE XYMHIGHESTMODSEQ UIDPLUS LITERAL+ CHILDREN X-MSG-EXT OBJECTID"


class Window(Box):
    """Shows and counts the newest 10,000 of its messages. All but FEW claim to be large."""

    def __init__(self, few):
        wire = mail.one(1, size=300)
        self.every = {uid: wire for uid in range(1, 10_001)}
        super().__init__(0)
        self.every.update({uid: mail.one(uid, seed="few", size=300) for uid in few})
        self.flags = {uid: {"\\Seen"} for uid in self.every}
        self.uidnext = 10_001
        self.few = set(few)

    @property
    def letters(self):
        return dict(list(self.every.items())[-10_000:])

    @letters.setter
    def letters(self, _):
        pass

    def add(self, wire, flags=()):
        uid = self.uidnext
        self.every[uid], self.flags[uid] = wire, set(flags)
        self.few.add(uid)
        self.uidnext += 1
        return uid

    def take(self, uid):
        del self.every[uid], self.flags[uid]

    def line(self, uid):
        size = len(self.every[uid]) if uid in self.few else 50_000_000
        return (f"* {uid} FETCH (UID {uid} FLAGS ({' '.join(self.flags[uid])}) "
                f'INTERNALDATE "01-Jan-2020 00:00:00 +0000" RFC822.SIZE {size})')


def test_yahoo_window_of_10000(bad):
    """What new mail pushes out of view is not gone; what goes from view within it is."""
    box = Window([1, 2, 3, 5000])
    server, account = bad([box], keys={"max_message_size": "1M"}, capabilities=YAHOO)
    sync(account, 0)
    assert len(local(account)) == 4
    for number in range(4):
        box.add(mail.one(number, seed="new", size=200))
    assert sync(account, 0).did["downloaded"] == 4
    assert len(local(account)) == 8
    began = len(server.received)
    assert "deleted_local" not in sync(account, 0).did
    assert not any("SEARCH" in command for command in server.received[began:])
    box.take(5000)
    box.add(mail.one(9, seed="new", size=200))
    did = sync(account, 0).did
    assert (did["downloaded"], did["deleted_local"]) == (1, 1)
    assert len(local(account)) == 8


@pytest.mark.parametrize("claim", ["greeting", "capability"])
def test_netease_wants_to_know_who_it_is(bad, claim):
    """163 and 126: "Unsafe Login" until ID was sent; on each connection."""
    box = Box(3)

    def select(command):
        if not any(c.startswith("ID ") for c in server.received):
            return ["NO SELECT Unsafe Login. Please contact kefu@188.com for help"]
        return server.select(command)

    said = {"greeting": "* OK Coremail System IMap Server Ready(163com[10774b260cc7a37d26d71b52])"}
    server, account = bad(
        [box], [always(r"^(SELECT|EXAMINE)", select), always("^ID ", "* ID NIL", "OK done")],
        greeting=said.get(claim, "* OK ready"),
        capabilities="IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ UIDPLUS"
                     + ("" if claim == "greeting" else " X-CM-EXT-1"))
    sync(account, 0)
    assert local(account) == server.wires()


def test_netease_claims_a_way_to_log_in_that_it_refuses(bad):
    """163: SASL-IR is claimed, and an initial response is refused; `provider = 163` leaves it alone."""
    server, account = bad([Box(2)], [always("^AUTHENTICATE", "BAD Parse command error")],
                          keys={"provider": "163"}, capabilities="IMAP4rev1 SASL-IR AUTH=PLAIN ID")
    sync(account, 0)
    assert local(account) == server.wires()
    assert "AUTHENTICATE PLAIN" in server.received
    account.change(provider=None)
    sync(account, 0)
    assert any(command.startswith("AUTHENTICATE PLAIN ") for command in server.received)


def test_proton_bridge_refuses_list_return(bad):
    """LIST with RETURN is claimed and answered BAD: it is asked in the plain way."""
    server, account = bad([Box(3), Box(2, name="Sent")],
                          [always(r"^LIST .*RETURN", "BAD [Error offset=8]: expected end of line")],
                          capabilities=QRESYNC + " LIST-EXTENDED LIST-STATUS SPECIAL-USE")
    sync(account, 0)
    assert local(account) == server.wires()
    assert local(account, "Sent") == server.wires("Sent")
    assert sync(account, 0).did == {}


@pytest.mark.parametrize("modseq", ["-1", "0", "99999999999999999999999", "x"])
def test_zoho_modseq_that_is_none(bad, modseq):
    box = Box(3)
    box.modseq = 5

    def fetch(command):
        return [re.sub(r"FLAGS", f"MODSEQ ({modseq}) FLAGS", line) if isinstance(line, str) else line
                for line in box.fetch(command)]

    def opening(command):
        return [line.replace("HIGHESTMODSEQ 5", f"HIGHESTMODSEQ {modseq}")
                for line in box.opening()] + ["OK done"]

    server, account = bad([box], [ENABLED, always("^UID FETCH", fetch),
                                  always("^(SELECT|EXAMINE)", opening)], capabilities=CONDSTORE)
    sync(account, 0)
    box.remove(1)
    box.add(mail.one(9, seed="later", size=100))
    sync(account, 0)
    assert local(account) == server.wires()
    assert sync(account, 0).did == {}


def test_gmail_alias(bad):
    """APPEND of what is there already names its UID and adds nothing: both files stay, nothing is
    sent again."""
    server, account = synced(bad)
    box = server.boxes["INBOX"]
    server.script = [always(r"^APPEND", "OK [APPENDUID 7 2] done")]
    account.local.deliver("INBOX", box.letters[2])
    began = len(server.received)
    for _ in range(3):
        sync(account, {0, 1})
    assert len([c for c in server.received[began:] if c.startswith("APPEND")]) == 1
    assert len(local(account)) == 4 and len(server.wires()) == 3


@pytest.mark.parametrize("refusal", [
    "BAD Command Argument Error. 11", "NO Maximum size of appendable message has been exceeded.",
    "NO [TOOBIG] too big", "NO [LIMIT] message too large"])
def test_exchange_refuses_one_message(bad, refusal, clock_shim):
    """With words of its own for one that is too large or has too long lines; others go. It is tried
    again a day later."""
    server, account = synced(bad)
    box = server.boxes["INBOX"]

    def append(command):
        return [refusal] if "unlikeable" in command else box.append(command)

    server.script = [always(r"^APPEND", append)]
    wires = [mail.one(number, seed="exchange", size=300) for number in range(3)]
    wires[1] = b"Subject: unlikeable\r\nMessage-ID: <u@x>\r\n\r\nhello\r\n"
    for wire in wires:
        account.local.deliver("INBOX", wire)
    sync(account, {1, 75})
    assert wires[0] in server.wires() and wires[2] in server.wires()
    assert len(local(account)) == 6
    clock_of(account, clock_shim)(DAY)
    recovers(server, account)


@pytest.mark.parametrize("answers_before", [True, False])
@pytest.mark.parametrize("refusal", [
    "NO [SERVERBUG] UID FETCH Server error - Please try again later", "NO [UNAVAILABLE] UID FETCH",
    "BAD Command Error. 10"])
def test_yahoo_one_message_can_never_be_fetched(bad, refusal, answers_before):
    """The command ends at it, with or without the messages before; all others arrive."""
    box = Box(6)

    def fetch(command):
        out = []
        for answer in box.fetch(command)[:-1]:
            if b"(UID 3 " in answer.data:
                return [*(out if answers_before else []), refusal]
            out.append(answer)
        return [*out, "OK done"]

    server, account = bad([box], [always(r"^UID FETCH .*BODY", fetch)])
    for _ in range(2):
        sync(account, {1, 75})
    assert local(account) == sorted(wire for uid, wire in box.letters.items() if uid != 3)
    recovers(server, account)


def test_command_lines_are_short_and_sets_ascend(bad):
    """Yahoo takes 1,000 bytes a line, Exchange 4,096; QQ refuses sets that go down."""
    box = Box(900, first=1_000_000)
    for uid in list(box.letters)[::3]:
        box.remove(uid)
    server, account = bad([box])
    sync(account, 0)
    box.flags = {uid: set() for uid in box.flags}
    for path in list(account.local.files("INBOX"))[::2]:
        account.local.set_flags(path, add="F")
    for path in list(account.local.files("INBOX"))[1::7]:
        path.unlink()
    sync(account, 0)
    assert len(box.letters) == len(local(account))
    for command in server.received:
        if command.startswith("APPEND"):
            continue
        assert len(command) < 990, command
        found = re.match(r"UID \w+ ([\d:,]+) ", command)
        if found:
            numbers = [int(x) for x in re.split("[:,]", found[1])]
            assert numbers == sorted(numbers), command
    assert any("UID STORE" in command for command in server.received)


def test_gmail_hides_a_mailbox(bad):
    """"Show in IMAP" switched off, or a listing that forgets: what STATUS still finds is not removed."""
    server, account = bad([Box(3), Box(2, name="Label")], keys={"remove_mailboxes": "both"})
    sync(account, 0)
    server.script = [always("^LIST", '* LIST () "/" INBOX', "OK done")]
    for _ in range(2):
        result = sync(account, 1)
        assert [error["mailbox"] for error in result.errors] == ["Label"]
        assert len(local(account, "Label")) == 2
    server.script = []
    assert sync(account, 0).did == {}
    del server.boxes["Label"]
    server.script = [always("^STATUS", "NO [NONEXISTENT] no such mailbox")]
    sync(account, 0)
    assert account.local.mailboxes() == ["INBOX"]


def test_163_status_without_numbers(bad):
    """`STATUS ()` tells nothing: the mailbox is opened."""
    box = Box(3)
    box.modseq = 5
    server, account = bad([box], [ENABLED, always("^STATUS", "* STATUS INBOX ()", "OK done")],
                          capabilities=CONDSTORE)
    sync(account, 0)
    box.add(mail.one(9, seed="later", size=100))
    box.modseq = 6
    sync(account, 0)
    assert local(account) == server.wires()


def test_qq_and_xeams_write_spaces_and_more_after_a_fetch(bad):
    box = Box(2)

    def fetch(command):
        out = []
        for uid in box.letters:
            wire = box.letters[uid]
            out.append(raw(b"* %d FETCH ( UID %d BODY[] {%d}\r\n" % (uid, uid, len(wire)) + wire
                           + b" FLAGS ( \\Seen ) )trailer\r\n"))
        return [*out, "OK done"]

    server, account = bad([box], [always(r"^UID FETCH .*BODY", fetch)])
    sync(account, {0, 1})
    recovers(server, account)


def test_courier_uidvalidity_of_status_is_another(bad):
    """STATUS before a mailbox was first opened may tell other numbers than SELECT, which counts."""
    box = Box(3)
    box.modseq = 3
    server, account = bad([box], [ENABLED], capabilities=QRESYNC + " LIST-STATUS LIST-EXTENDED")
    sync(account, 0)
    box.status = lambda: (f"MESSAGES {len(box.letters)} UIDNEXT {box.uidnext} UIDVALIDITY 5 "
                          "HIGHESTMODSEQ 3")
    assert sync(account, 0).did == {}
    box.add(mail.one(4, seed="later"))
    sync(account, 0)
    assert local(account) == server.wires()
