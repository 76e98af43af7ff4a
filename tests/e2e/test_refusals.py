"""What a server refuses: the table of docs/RELIABILITY.md, row by row, and what it stands on."""

import os
import pathlib

import pytest

from lies import DAY, clock_of, local, sync
from rig import mail
from rig.cyrus import Cyrus
from rig.fake import Box, FakeServer, in_set
from rig.scripted import always

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "RELIABILITY.md"
PLAIN = "IMAP4rev1 LITERAL+ UIDPLUS"
CAPABILITIES = {"APPENDLIMIT=N": PLAIN + " APPENDLIMIT=2000", "APPENDLIMIT, by STATUS": PLAIN + " APPENDLIMIT"}
MINUTES = 300
STRIDE = int(os.environ.get("MAILSYNC_STRIDE", "5"))      # of the steps at which a run is killed
LARGE = mail.one(99, seed="refused", size=3000)
OTHER = mail.one(98, seed="taken", size=300)


def rows():
    text = PAGE.read_text(encoding="utf-8").split("## What a server refuses")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ") and "first run" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def refuses(box, answer):
    """APPEND, which takes all but the large one."""
    words = 'NO it is a bad time, try again later' if "try again" in answer else f"{answer} I do not like it"

    def append(command):
        return [words] if len(command) > 2000 else box.append(command)
    return always("^APPEND", append)


def limits(box):
    """STATUS, which tells how large a message may be."""
    def status(command):
        limit = " APPENDLIMIT 2000" if "APPENDLIMIT" in command else ""
        return [f'* STATUS "{box.name}" ({box.status()}{limit})', "OK done"]
    return always("^STATUS", status)


@pytest.fixture
def refusing(bad, clock_shim):
    """(server, account, later): an answer's, with three messages in sync."""
    def make(answer, **options):
        box = Box(3)
        server, account = bad([box], capabilities=CAPABILITIES.get(answer, PLAIN),
                              keys={"timeout": 2}, **options)
        server.script = [refuses(box, answer), limits(box)]
        sync(account, 0)
        return server, account, clock_of(account, clock_shim)
    return make


def outcome(server, account):
    """STATUS WORD, as a cell has it."""
    began, result = len(server.received), account.sync(status=None)
    tried = any(c.startswith("APPEND") and len(c) > 2000 for c in server.received[began:])
    told = [error["message"] for error in result.errors if "not uploaded" in error["message"]]
    skipped = result.account["skipped"]
    if told:
        assert len(told) == 1 and skipped == 0, result
        word = "out" if "left out from now on" in told[0] else "now"
        assert tried or "APPENDLIMIT" in told[0]
    else:
        assert skipped == 1 and result.errors == [], result
        word = "again" if tried else "left"
    return f"{result.status} {word}"


@pytest.mark.parametrize("answer, beside, first, second, third, fourth", rows(),
                         ids=[f"{row[0]}/{row[1]}" for row in rows()])
def test_row(refusing, answer, beside, first, second, third, fourth):
    server, account, later = refusing(answer)
    account.local.deliver("INBOX", LARGE)
    if beside == "another":
        account.local.deliver("INBOX", OTHER)
    found = []
    for when in (0, MINUTES, DAY, DAY + MINUTES):
        later(when)
        files = account.local.snapshot()
        found.append(outcome(server, account))
        assert when == 0 or account.local.snapshot() == files
    assert found == [first, second, third, fourth]
    assert (OTHER in server.wires()) == (beside == "another")
    # The server learns better.
    server.script = [limits(server.boxes["INBOX"])] if "0 left" in found else []
    server.capabilities = PLAIN
    later(3 * DAY)
    sync(account, 0)
    assert LARGE in server.wires() and local(account) == server.wires()
    assert sync(account, 0).did == {}


def test_table_has_every_answer_alone_and_beside_another():
    found = rows()
    assert len(found) == len({(row[0], row[1]) for row in found}) and len(found) % 2 == 0
    assert {row[1] for row in found} == {"none", "another"}
    named = " ".join(row[0] for row in found)
    for code in "TOOBIG CANNOT OVERQUOTA LIMIT NOPERM UNAVAILABLE INUSE SERVERBUG CONTACTADMIN".split():
        assert f"[{code}]" in named
    assert {"NO", "BAD"} <= {row[0] for row in found}


def test_status_shows_it_and_a_changed_file_is_tried(refusing):
    server, account, _ = refusing("NO [TOOBIG]")
    account.local.deliver("INBOX", LARGE)
    sync(account, 1)
    for _ in range(2):
        shown = account.run("status").out
        assert "1 skipped" in shown and shown.count("I do not like it") == 1
        assert account.run("--json", "status").of("status")[0]["refused"] == 1
        sync(account, 0)
    path = account.local.find("INBOX", LARGE)
    path.write_bytes(LARGE.replace(b"\r\n", b"\n")[:1000] + b"\n")
    assert sync(account, 0).did == {"uploaded": 1}
    assert "I do not like it" not in account.run("status").out
    assert local(account) == server.wires()
    assert sync(account, 0).did == {}


def test_a_larger_limit_is_made_use_of_at_once(refusing):
    server, account, _ = refusing("APPENDLIMIT=N")
    account.local.deliver("INBOX", LARGE)
    result = sync(account, 1)
    assert result.account["bytes_out"] < 1000
    server.capabilities = PLAIN + " APPENDLIMIT=5000"
    server.script = []
    assert sync(account, 0).did == {"uploaded": 1}
    assert local(account) == server.wires()


@pytest.mark.parametrize("answer, words", [("APPENDLIMIT=N", "more than 2000 bytes"),
                                           ("APPENDLIMIT, by STATUS", "each mailbox tells")])
def test_check_tells_of_the_limit(refusing, answer, words):
    _, account, _ = refusing(answer)
    assert words in account.run("check").out
    assert "APPENDLIMIT" not in refusing("NO")[1].run("check").out


def test_a_full_mailbox_gets_nothing_big_but_what_fits(refusing):
    """The smallest is tried first, and none that is as large as one that was refused."""
    server, account, _ = refusing("NO [OVERQUOTA]")
    for number in range(5):
        account.local.deliver("INBOX", mail.one(number, seed="full", size=20_000 + 5_000 * number))
    sync(account, 1)
    began = len(server.received)
    sync(account, 1)
    sent = [len(c) for c in server.received[began:] if c.startswith("APPEND")]
    assert len(sent) == 1 and sent[0] < 22_000
    account.local.deliver("INBOX", OTHER)
    sync(account, 1)
    assert OTHER in server.wires()


# Other commands

def dislikes(box, number, verb, method):
    """VERB, which is refused for a set that has NUMBER."""
    def answer(command):
        if number in in_set(command.split()[2], box.letters):
            return ["NO I do not like it"]
        return getattr(box, method)(command)
    return always(rf"^UID {verb} ", answer)


def mark(account, box, *numbers):
    for number in numbers:
        account.local.set_flags(account.local.find("INBOX", box.letters[number]), add="F")


def drop(account, box, *numbers):
    for number in numbers:
        account.local.find("INBOX", box.letters[number]).unlink()


@pytest.mark.parametrize("verb, method, change, did", [
    ("STORE", "store", mark, "flags_remote"),
    ("EXPUNGE", "expunge", drop, "deleted_remote"),
    ("STORE", "store", drop, "deleted_remote")])
def test_one_that_is_refused_holds_up_no_other(bad, verb, method, change, did):
    box = Box(30)
    server, account = bad([box], capabilities=PLAIN)
    sync(account, 0)
    server.script = [dislikes(box, 4, verb, method)]
    change(account, box, *range(1, 8))
    result = sync(account, 1)
    assert result.did[did] == 6 and set(result.did) == {did, "errors"}
    assert "I do not like it" in result.errors[0]["message"]
    for _ in range(2):
        files, began = account.local.snapshot(), len(server.received)
        result = sync(account, 1)
        assert result.did == {"errors": 1} and len(server.received) - began < 16
        assert account.local.snapshot() == files
    server.script = []
    assert sync(account, 0).did == {did: 1}
    assert sync(account, 0).did == {}


@pytest.mark.parametrize("answer", ["NO no", "BAD no", "NO [CANNOT] no", "NO [NOPERM] no", "NO [SERVERBUG] no"])
def test_a_body_that_is_refused_rewrites_nothing(bad, answer):
    box = Box(8)

    def fetch(command):
        return [answer] if "BODY" in command and 3 in in_set(command.split()[2], box.letters) else box.fetch(command)

    server, account = bad([box], [always("^UID FETCH", fetch)], capabilities=PLAIN)
    result = sync(account, 1)
    assert result.did == {"downloaded": 7, "errors": 1} and result.errors[0]["uid"] == 3
    for _ in range(2):
        files = account.local.snapshot()
        assert sync(account, 1).did == {"errors": 1}
        assert account.local.snapshot() == files
    server.script = []
    assert sync(account, 0).did == {"downloaded": 1}


@pytest.mark.parametrize("answer", ["NO no", "NO [CANNOT] no", "NO [NOPERM] no", "NO [LIMIT] no"])
def test_a_mailbox_that_is_not_made_rewrites_nothing(bad, answer):
    box = Box(3)
    server, account = bad([box], [always("^CREATE", answer)], capabilities=PLAIN, keys={"timeout": 2})
    sync(account, 0)
    account.local.create("new one")
    account.local.deliver("new one", OTHER)
    status = 75 if "LIMIT" in answer else 1
    sync(account, status)
    box.add(mail.one(50, size=300))
    assert sync(account, status).did["downloaded"] == 1
    for _ in range(2):
        files = account.local.snapshot()
        assert sync(account, status).did == {"errors": 1}
        assert account.local.snapshot() == files
    server.script = []
    assert sync(account, 0).did["uploaded"] == 1
    assert sync(account, 0).did == {}


def refuses_to_move(server, box, number, verb):
    """VERB of a set that has NUMBER; others are copied and, for MOVE, removed."""
    def answer(command):
        uids = in_set(command.split()[2], box.letters)
        if number in uids:
            return ["NO I do not like it"]
        answers = server.copy(command)
        if verb == "MOVE":
            gone = [f"* {sorted(box.letters).index(uid) + 1} EXPUNGE" for uid in sorted(uids, reverse=True)]
            box.remove(*uids)
            answers = ["* " + answers[0], *gone, "OK done"]
        return answers
    return always(rf"^UID {verb} ", answer)


@pytest.mark.parametrize("verb, count", [("MOVE", 5), ("MOVE", 1), ("COPY", 5), ("COPY", 1)])
def test_a_move_that_is_refused_holds_up_no_other_and_rewrites_nothing(bad, verb, count):
    box, other = Box(8), Box(0, "other")
    server, account = bad([box, other], capabilities=PLAIN + (" MOVE" if verb == "MOVE" else ""))
    sync(account, 0)
    server.script = [refuses_to_move(server, box, 3, verb)]
    for number in range(3, 3 + count):
        account.local.move(account.local.find("INBOX", box.letters[number]), "other")
    result = sync(account, 1)
    assert "I do not like it" in result.errors[0]["message"]
    sync(account, 1)
    assert len(other.letters) == count - 1 and len(box.letters) == 9 - count
    for _ in range(2):
        files = account.local.snapshot()
        assert sync(account, 1).did == {"errors": 1}
        assert account.local.snapshot() == files
    server.script, server.capabilities = [], PLAIN
    assert sync(account, 0).did == {"moved": 1}
    assert sync(account, 0).did == {}
    assert len(other.letters) == count and len(box.letters) == 8 - count


def test_a_rename_that_is_refused_rewrites_nothing(bad):
    box, other = Box(3), Box(3, "old")
    server, account = bad([box, other], [always("^RENAME", "NO no")], capabilities=PLAIN)
    sync(account, 0)
    (account.local.root / "old").rename(account.local.root / "fresh")
    sync(account, 1)
    for _ in range(2):
        files = account.local.snapshot()
        assert sync(account, 1).did == {"errors": 1}
        assert account.local.snapshot() == files


def test_where_all_are_refused_not_each_is_tried(bad):
    box = Box(300)
    server, account = bad([box], [always("^UID STORE", "NO I do not like it")], capabilities=PLAIN)
    sync(account, 0)
    mark(account, box, *box.letters)
    began = len(server.received)
    result = sync(account, 1)
    assert result.did == {"errors": 1} and len(server.received) - began < 50
    server.script = []
    assert sync(account, 0).did == {"flags_remote": 300}


# Killed

ODD = b"Subject: odd\r\nMessage-ID: <odd@x>\r\n\r\nodd\r\n"
DENIED = b"Subject: denied\r\nMessage-ID: <denied@x>\r\n\r\ndenied\r\n"
REFUSED = {LARGE: "NO [TOOBIG] no", ODD: "NO no", DENIED: "NO [NOPERM] no"}


def refuses_three(box):
    def append(command):
        for wire, answer in REFUSED.items():
            if wire.decode("latin-1") in command:
                return [answer]
        return box.append(command)
    return always("^APPEND", append)


@pytest.mark.parametrize("capabilities", [PLAIN, "IMAP4rev1 UIDPLUS", "IMAP4rev1 LITERAL+"],
                         ids=["literals", "waiting", "no-uids"])
def test_a_run_that_is_killed_at_any_step_is_made_good(steps, make_account, clock_shim, capabilities):
    """For good is told by a run that came to its end, and nothing is sent twice."""
    step, killed = 0, True
    while killed:
        box = Box(2)
        with FakeServer([box], capabilities=capabilities) as server:
            account = make_account(server, timeout=5)
            account.sync()
            server.script = [refuses_three(box)]
            good = [OTHER, mail.one(97, seed="taken", size=300)]
            for name, wire in (("too", LARGE), ("odd", ODD), ("denied", DENIED), ("1", good[0]), ("2", good[1])):
                path = account.local.root / "INBOX" / "cur" / f"{name}.x:2,S"
                path.write_bytes(wire.replace(b"\r\n", b"\n"))
            first = account.run("--json", "sync", env={"MAILSYNC_STEP_STOP": str(step)})
            killed = first.status < 0
            for thread in server.threads:
                thread.join()
            told = set() if killed else {e["message"].split()[2] for e in first.errors}
            second = account.sync(status=1)
            assert {"denied.x"} <= (told := told | {e["message"].split()[2] for e in second.errors})
            # Where the good ones went with the killed run there is no company any more.
            if "odd.x" in told and any("odd.x" in e["message"] and "left out" in e["message"]
                                       for e in second.errors + first.errors):
                assert account.sync(status=1).account["skipped"] == 2
            assert told == {"too.x", "odd.x", "denied.x"}, (step, first, second)
            assert all(server.wires().count(wire) == 1 for wire in good)
            server.script = []
            clock_of(account, clock_shim)(2 * DAY)
            account.sync()
            assert server.wires() == local(account) and len(set(server.wires())) == 7
            files = account.local.snapshot()
            assert account.sync().did == {} and account.local.snapshot() == files
        step += STRIDE
    assert step > 20


@pytest.mark.parametrize("capabilities", [PLAIN, "IMAP4rev1 LITERAL+"], ids=["uids", "no-uids"])
def test_a_second_try_that_is_killed_doubles_nothing(steps, make_account, capabilities):
    """It has not claimed the Maildir when its messages are taken."""
    step, killed = 0, True
    while killed:
        box = Box(2)
        with FakeServer([box], capabilities=capabilities) as server:
            account = make_account(server, timeout=5)
            account.sync()
            server.script = [always("^(APPEND|UID STORE)", "NO [NOPERM] no")]
            for number in range(3):
                account.local.deliver("INBOX", mail.one(number, seed="second", size=300))
            mark(account, box, 1)
            account.sync(status=1)
            server.script = []
            killed = account.run("sync", env={"MAILSYNC_STEP_STOP": str(step)}).status < 0
            for thread in server.threads:
                thread.join()
            account.sync()
            assert server.wires() == local(account) and len(server.wires()) == 5
            assert "\\Flagged" in box.flags[1]
            assert account.sync().did == {}
        step += STRIDE
    assert step > 10


# Real servers

HEADERLESS = b"this is no header\r\nat all, and the server knows it\r\n"


@pytest.fixture(scope="session")
def cyrus():
    try:
        server = Cyrus()
        server.start()
    except (RuntimeError, OSError) as error:
        pytest.skip(f"cyrus: {error}")
    yield server
    server.stop()


@pytest.mark.parametrize("beside", [True, False], ids=["beside", "alone"])
def test_cyrus_takes_no_message_without_a_header(make_account, cyrus, clock_shim, beside):
    account = make_account(cyrus)
    later = clock_of(account, clock_shim)
    account.sync()
    account.local.deliver("INBOX", HEADERLESS)
    if beside:
        account.local.deliver("INBOX", OTHER)
    for when in () if beside else (0, 1800):
        later(when)
        account.sync(status=1)
    later(0 if beside else 3700)
    result = account.sync(status=1)
    assert "left out from now on" in result.errors[0]["message"]
    files = account.local.snapshot()
    idle = account.sync()
    assert idle.did == {"skipped": 1}
    assert account.local.snapshot() == files
    assert idle.account["bytes_out"] < 500


def test_dovecot_s_quota_holds_up_nothing_that_has_room(make_account, dovecots):
    account = make_account(dovecots(quota="1M"))
    with account.remote() as remote:
        remote.append("INBOX", mail.one(1, size=700_000))
        account.sync()
        for number in range(2, 5):
            account.local.deliver("INBOX", mail.one(number, size=400_000))
        small = [mail.one(number, size=3_000) for number in range(5, 8)]
        for wire in small[:2]:
            account.local.deliver("INBOX", wire)
        result = account.sync(status=1)
        assert result.did["uploaded"] == 2
        account.local.deliver("INBOX", small[2])
        result = account.sync(status=1)
        assert result.did["uploaded"] == 1
        for _ in range(2):
            result = account.sync(status=1)
            assert "uploaded" not in result.did and result.account["bytes_out"] < 2_000
        assert "uota" in result.errors[0]["message"]
