"""direction, --pull and --push, copy, flags and delete: what is carried out where, and that what
may not be stays pending until a run that may."""

import pytest

from rig import mail
from stories import agree, append, count, idle, letters, paired, uids


def changes_on_both_sides(account, remote, held):
    """A new message, a flag and a deletion on each side of three messages and more."""
    local = account.local
    (_, one), (uid_two, two), (uid_three, _), (_, four) = held
    local.deliver("INBOX", mail.one(90, size=300))
    local.set_flags(local.find("INBOX", one), add="F")
    local.find("INBOX", four).unlink()
    append(remote, 1, seed="later")
    remote.store("INBOX", uid_two, "+FLAGS", "\\Answered")
    remote.expunge("INBOX", uid_three)
    return one, two


PULL = {"downloaded": 1, "flags_local": 1, "deleted_local": 1}
PUSH = {"uploaded": 1, "flags_remote": 1, "deleted_remote": 1}


@pytest.mark.parametrize("how", ["key", "option"])
def test_a_pull_changes_nothing_on_the_server_and_forgets_nothing(account, remote, how):
    held = paired(account, remote, 4)
    changes_on_both_sides(account, remote, held)
    before = remote.read()
    if how == "key":
        account.change(direction="pull")
    pulled = account.sync(*(["--pull"] if how == "option" else []))
    assert pulled.did == PULL
    assert remote.read() == before

    account.change(direction="both")
    assert account.sync().did == PUSH
    agree(account, remote)
    idle(account, remote)


@pytest.mark.parametrize("how", ["key", "option"])
def test_a_push_changes_nothing_locally_and_forgets_nothing(account, remote, how):
    held = paired(account, remote, 4)
    changes_on_both_sides(account, remote, held)
    before = account.local.read()
    if how == "key":
        account.change(direction="push")
    pushed = account.sync(*(["--push"] if how == "option" else []))
    assert pushed.did == PUSH
    assert account.local.read() == before

    account.change(direction="both")
    assert account.sync().did == PULL
    agree(account, remote)
    idle(account, remote)


def test_a_second_pull_has_nothing_to_do(account, remote):
    held = paired(account, remote, 4, direction="pull")
    changes_on_both_sides(account, remote, held)
    account.sync()
    assert account.sync("--dry-run").plan == []
    assert account.sync().did == {}


@pytest.mark.parametrize("copy, down, up", [("both", 1, 1), ("local", 1, 0), ("remote", 0, 1),
                                            ("none", 0, 0)])
def test_copy_says_where_new_messages_go(account, remote, copy, down, up):
    paired(account, remote, 2, copy=copy)
    append(remote, 1, seed="new")
    account.local.deliver("INBOX", mail.one(91, size=300))
    did = account.sync().did
    assert (did.get("downloaded", 0), did.get("uploaded", 0)) == (down, up)
    assert (count(account), len(uids(remote))) == (3 + down, 3 + up)

    account.change(copy="both")
    did = account.sync().did
    assert (did.get("downloaded", 0), did.get("uploaded", 0)) == (1 - down, 1 - up)
    agree(account, remote)


@pytest.mark.parametrize("flags, down, up", [("both", 1, 1), ("local", 1, 0), ("remote", 0, 1),
                                             ("none", 0, 0)])
def test_flags_says_where_flag_changes_go(account, remote, flags, down, up):
    (uid_one, one), (uid_two, two) = paired(account, remote, 2, flags=flags)
    local = account.local
    local.set_flags(local.find("INBOX", one), add="F")
    remote.store("INBOX", uid_two, "+FLAGS", "\\Seen")
    did = account.sync().did
    assert (did.get("flags_local", 0), did.get("flags_remote", 0)) == (down, up)
    assert ("F" in remote.flags("INBOX", uid_one)) == bool(up)
    assert ("S" in letters(account, two)) == bool(down)

    account.change(flags="both")
    did = account.sync().did
    assert (did.get("flags_local", 0), did.get("flags_remote", 0)) == (1 - down, 1 - up)
    agree(account, remote)


@pytest.mark.parametrize("delete, down, up", [("both", 1, 1), ("local", 1, 0), ("remote", 0, 1),
                                              ("none", 0, 0)])
def test_delete_says_where_deletions_go(account, remote, delete, down, up):
    (uid_one, one), (uid_two, two), _ = paired(account, remote, 3, delete=delete)
    account.local.find("INBOX", one).unlink()
    remote.expunge("INBOX", uid_two)
    did = account.sync().did
    assert (did.get("deleted_local", 0), did.get("deleted_remote", 0)) == (down, up)
    assert (count(account), len(uids(remote))) == (2 - down, 2 - up)
    # What is lost does not come back.
    assert account.sync().did == {}

    account.change(delete="both")
    did = account.sync().did
    assert (did.get("deleted_local", 0), did.get("deleted_remote", 0)) == (1 - down, 1 - up)
    agree(account, remote)


def test_an_archive_never_loses_anything(account, remote):
    held = paired(account, remote, 3, direction="pull", delete="none")
    remote.expunge("INBOX", held[0][0])
    append(remote, 1, seed="new")
    assert account.sync().did == {"downloaded": 1}
    assert count(account) == 4


def test_flags_merge_one_by_one(account, remote):
    (uid, wire), = paired(account, remote, 1)
    local = account.local
    remote.store("INBOX", uid, "+FLAGS", "\\Seen \\Answered")
    local.set_flags(local.find("INBOX", wire), add="FD")
    account.sync()
    assert letters(account, wire) == "DFRS"
    assert remote.flags("INBOX", uid) == set("DFRS")

    # The same change on both sides is none; opposite ones of different flags both count.
    remote.store("INBOX", uid, "-FLAGS", "\\Seen \\Draft")
    local.set_flags(local.find("INBOX", wire), add="P", remove="SF")
    account.sync()
    assert letters(account, wire) == "PR"
    agree(account, remote)
    idle(account, remote)


def test_a_deletion_beats_a_flag_change(account, remote):
    (uid_one, one), (uid_two, two), _ = paired(account, remote, 3)
    local = account.local
    local.find("INBOX", one).unlink()
    remote.store("INBOX", uid_one, "+FLAGS", "\\Flagged")
    local.set_flags(local.find("INBOX", two), add="F")
    remote.expunge("INBOX", uid_two)
    assert account.sync().did == {"deleted_local": 1, "deleted_remote": 1}
    agree(account, remote)


def test_gone_on_both_sides_is_no_work(account, remote):
    (uid, wire), _ = paired(account, remote, 2)
    account.local.find("INBOX", wire).unlink()
    remote.expunge("INBOX", uid)
    assert account.sync().did == {}
    idle(account, remote)
