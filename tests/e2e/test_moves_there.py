"""Messages that another client moves on a server without EMAILID (Dovecot): moved here, too, and not
downloaded again. They are told by INTERNALDATE and header."""

import pytest

from rig import mail
from stories import agree, append, count, idle, paired, uids

WITHOUT = ["", "QRESYNC", "QRESYNC CONDSTORE"]


@pytest.fixture(params=WITHOUT, ids=["qresync", "condstore", "plain"])
def either(make_account, request):
    return make_account(disable_extensions=request.param or None)


@pytest.fixture
def there(either):
    with either.remote() as session:
        session.create("Archive")
        yield session


def test_many_messages_moved_there_are_moved_here(either, there):
    """More than the brake would let go, were they deletions."""
    paired(either, there, 20)
    inodes = {path.stat().st_ino for path in either.local.files("INBOX")}
    for uid in uids(there)[:16]:
        there.move("INBOX", uid, "Archive")
    append(there, 1, "Archive", seed="new")
    result = either.sync()
    assert result.did == {"moved": 16, "downloaded": 1}
    assert result.did_in("Archive") == {"moved": 16, "downloaded": 1}
    moved = {path.stat().st_ino for path in either.local.files("Archive")}
    assert len(moved & inodes) == 16
    agree(either, there)
    idle(either, there)


@pytest.mark.parametrize("number", [1, 14])
def test_moved_to_the_same_place_on_both_sides(either, there, number):
    """By the phone and by hand: one message, not two."""
    sent = paired(either, there, 20)[:number]
    either.local.create("Archive")
    either.sync()
    for uid, wire in sent:
        path = either.local.find("INBOX", wire)
        path.rename(either.local.folder("Archive") / "cur" / f"{path.name}:2,F")
        there.store("INBOX", uid, "+FLAGS", "\\Seen")
        there.move("INBOX", uid, "Archive")
    assert either.sync().did == {"flags_local": number, "flags_remote": number}
    assert len(uids(there, "Archive")) == count(either, "Archive") == number
    agree(either, there)
    idle(either, there)


@pytest.mark.parametrize("number", [1, 14])
@pytest.mark.parametrize("back", [False, True])
def test_moved_to_different_places_it_is_where_the_server_has_it(either, there, number, back):
    sent = paired(either, there, 20)[:number]
    either.local.create("Mine")
    either.sync()
    for uid, wire in sent:
        path = either.local.find("INBOX", wire)
        path.rename(either.local.folder("Mine") / "cur" / f"{path.name}:2,F")
        there.store("INBOX", uid, "+FLAGS", "\\Seen")
        there.move("INBOX", uid, "Archive")
    for uid in uids(there, "Archive") if back else ():
        there.move("Archive", uid, "INBOX")
    did = either.sync().did
    assert did.pop("moved") == number and set(did) <= {"flags_local", "flags_remote"}
    assert count(either, "Mine") == 0 and count(either, "Archive") == (0 if back else number)
    agree(either, there)
    idle(either, there)


def test_flags_set_after_the_move_come_along(either, there):
    paired(either, there, 3)
    there.store("INBOX", 2, "+FLAGS", "\\Flagged work")
    there.move("INBOX", 2, "Archive")
    there.store("Archive", 1, "+FLAGS", "\\Seen")
    assert either.sync().did["moved"] == 1
    agree(either, there)
    idle(either, there)


def test_a_copy_there_is_a_new_message_here(either, there):
    paired(either, there, 3)
    there.copy("INBOX", 2, "Archive")
    assert either.sync().did == {"downloaded": 1}
    agree(either, there)


def test_one_date_does_not_make_two_messages_one(either, there):
    when = 1_600_000_000
    uid = there.append("INBOX", mail.one(1, size=300), (), when)
    either.sync()
    there.store("INBOX", uid, "+FLAGS", "\\Deleted")
    there.expunge("INBOX", uid)
    there.append("Archive", mail.one(2, size=300), (), when)
    assert either.sync().did == {"downloaded": 1, "deleted_local": 1}
    agree(either, there)


def test_a_header_without_message_id_is_no_proof(either, there):
    text = b"Subject: t\r\n\r\n"
    when = 1_600_000_000
    uid = there.append("INBOX", text + b"one\r\n", (), when)
    either.sync()
    there.store("INBOX", uid, "+FLAGS", "\\Deleted")
    there.expunge("INBOX", uid)
    there.append("Archive", text + b"two\r\n", (), when)
    either.sync()
    agree(either, there)


def test_where_deletions_do_not_go_a_moved_message_stays_at_both(either, there):
    paired(either, there, 3, delete="remote")
    there.move("INBOX", 2, "Archive")
    assert either.sync().did == {"downloaded": 1}
    assert (count(either), count(either, "Archive")) == (3, 1)
    assert either.sync().did == {}


def test_a_dry_run_tells_of_the_move(either, there):
    paired(either, there, 3)
    there.move("INBOX", 2, "Archive")
    plan = either.sync("--dry-run").plan
    assert [event["op"] for event in plan] == ["move"]
    assert either.sync().did == {"moved": 1}
