"""Real mail programs at work on a synced Maildir (rig/muas.py). What the user did comes to the
server; no keyword is lost, nothing doubled, and the second run is empty.

A tier of its own, `make check-all`: it needs these programs.
"""

import pytest

from rig import muas
from stories import idle

COUNT = 3


def text_of(number):
    return (f"From: a@example.org\r\nTo: b@example.org\r\nSubject: story {number}\r\n"
            f"Message-ID: <m{number}@example.org>\r\n"
            f"Date: Mon, 01 Jan 2024 10:00:0{number} +0000\r\n\r\nbody {number}\r\n").encode()


def ids(number):
    return f"m{number}@example.org"


@pytest.fixture(params=muas.ALL, ids=lambda mua: mua.name)
def world(request, account, remote):
    """(account, session, program, uids): three messages with keywords in INBOX, of which the first
    is unread, and a mailbox Work; in sync."""
    if not request.param.is_there():
        pytest.skip(f"{request.param.name} is not installed")
    remote.create("Work")
    uids = [remote.append("INBOX", text_of(number), ("\\Seen",) * (number > 1) + ("todo", "work"),
                          1_600_000_000 + number) for number in range(1, COUNT + 1)]
    account.sync()
    return account, remote, request.param(account), uids


def settle(account, remote):
    """Two runs: the second has nothing to do, and touches nothing."""
    did = account.sync().did
    idle(account, remote)
    return did


def expect(remote, uids, *flags):
    for uid, wanted in zip(uids, flags):
        assert remote.flags("INBOX", uid) == {"todo", "work", *wanted}


def test_a_message_is_read(world):
    account, remote, mua, uids = world
    mua.read(ids(1))
    assert settle(account, remote) == {"flags_remote": 1}
    expect(remote, uids, "S", "S", "S")


def test_a_message_is_marked_unread(world):
    account, remote, mua, uids = world
    mua.unread(ids(2))
    assert settle(account, remote) == {"flags_remote": 1}
    expect(remote, uids, "", "", "S")


def test_a_message_is_flagged_and_answered(world):
    account, remote, mua, uids = world
    mua.flag(ids(1))
    mua.answer(ids(2))
    assert settle(account, remote) == {"flags_remote": 2}
    expect(remote, uids, "F", "RS", "S")


def test_a_message_is_deleted(world):
    account, remote, mua, uids = world
    mua.delete(ids(2))
    assert settle(account, remote) == {"deleted_remote": 1}
    assert remote.uids("INBOX") == [uids[0], uids[2]]
    expect(remote, [uids[0], uids[2]], "", "S")


def test_a_message_is_moved(world):
    """mutt and neomutt write a new message, with a Content-Length, and remove the old one: the
    keywords do not go along with that. Nobody doubles it."""
    account, remote, mua, uids = world
    mua.move(ids(2), "Work")
    did = settle(account, remote)
    assert remote.uids("INBOX") == [uids[0], uids[2]]
    uid, = remote.uids("Work")
    flags = remote.flags("Work", uid)
    if isinstance(mua, muas.Neomutt):
        assert did == {"uploaded": 1, "deleted_remote": 1} and flags - {"O"} == {"S"}
    else:
        assert did == {"moved": 1} and flags == {"S", "todo", "work"}
    expect(remote, [uids[0], uids[2]], "", "S")


def test_both_sides_change_the_same_message(world):
    """And letters that the program dropped are there again after the next change from the server."""
    account, remote, mua, uids = world
    mua.answer(ids(2))
    remote.store("INBOX", uids[1], "+FLAGS", "later \\Flagged")
    assert settle(account, remote)["flags_remote"] == 1
    assert remote.flags("INBOX", uids[1]) == {"R", "S", "F", "todo", "work", "later"}
    path = account.local.find("INBOX", text_of(2))
    assert account.local.flags(path, account.local.keyword_table("INBOX")) == \
        {"R", "S", "F", "todo", "work", "later"}


def test_mail_comes_in_while_the_program_goes_on(world):
    account, remote, mua, uids = world
    mua.read(ids(1))
    account.sync()
    new = remote.append("INBOX", text_of(4), ("todo",), 1_600_000_004)
    account.sync()
    mua.read(ids(4))
    mua.flag(ids(1))
    assert settle(account, remote) == {"flags_remote": 2}
    expect(remote, uids, "FS", "S", "S")
    assert remote.flags("INBOX", new) == {"S", "todo"}
    assert len(list(account.local.files("INBOX"))) == COUNT + 1
