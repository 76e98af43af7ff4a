"""A mailbox renamed on one side is renamed on the other: nothing is copied again."""

import shutil

import pytest

from rig import mail
from stories import agree, append, count, idle, letters, uids

WITHOUT = ["", "QRESYNC", "QRESYNC CONDSTORE", "QRESYNC CONDSTORE LIST-STATUS UIDPLUS OBJECTID"]


def filled(account, remote, *names, number=3):
    """These mailboxes, with messages that both sides hold; {name: [(uid, wire)]}."""
    held = {}
    for name in names:
        remote.create(name)
        held[name] = append(remote, number, name)
    append(remote, 1)
    account.sync()
    return held


def rename_here(account, old, new):
    folder = account.local.folder(new)
    folder.parent.mkdir(parents=True, exist_ok=True)
    account.local.folder(old).rename(folder)


def names(account, remote):
    """The mailboxes of both sides, which must be the same."""
    assert account.local.mailboxes() == remote.mailboxes()
    return [name for name in remote.mailboxes() if name != "INBOX"]


@pytest.mark.parametrize("without", WITHOUT)
@pytest.mark.parametrize("side", ["local", "remote"])
def test_a_renamed_mailbox_is_renamed_on_the_other_side(make_account, side, without):
    account = make_account(disable_extensions=without or None)
    with account.remote() as remote:
        held = filled(account, remote, "Größe", "other")
        before = uids(remote, "Größe")
        if side == "local":
            rename_here(account, "Größe", "Längen/Ä")
        else:
            remote.rename("Größe", "Längen/Ä")
        assert account.sync().did == {}
        assert names(account, remote) == ["Längen/Ä", "other"]
        assert uids(remote, "Längen/Ä") == before
        agree(account, remote)
        idle(account, remote)
        # What base knows went along: a deletion is one, not a new message.
        account.local.find("Längen/Ä", held["Größe"][0][1]).unlink()
        assert account.sync().did == {"deleted_remote": 1}


@pytest.mark.parametrize("side", ["local", "remote"])
def test_changes_made_together_with_the_rename_are_carried_out(account, remote, side):
    held = filled(account, remote, "old")["old"]
    if side == "local":
        rename_here(account, "old", "neu")
    else:
        remote.rename("old", "neu")
    here, there = ("neu", "old") if side == "local" else ("old", "neu")
    account.local.find(here, held[0][1]).unlink()
    account.local.set_flags(account.local.find(here, held[1][1]), add="F")
    account.local.deliver(here, mail.one(7))
    remote.expunge(there, held[2][0])
    append(remote, 1, there, seed="late")
    assert account.sync().did == {"deleted_remote": 1, "deleted_local": 1, "flags_remote": 1,
                                  "uploaded": 1, "downloaded": 1}
    assert names(account, remote) == ["neu"]
    assert letters(account, held[1][1], "neu") == "F"
    agree(account, remote)
    idle(account, remote)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_children_go_along(account, remote, side):
    filled(account, remote, "a", "a/b", "a/b/c", "apart")
    if side == "local":
        rename_here(account, "a", "z")
    else:
        remote.rename("a", "z")
    assert account.sync().did == {}
    assert names(account, remote) == ["apart", "z", "z/b", "z/b/c"]
    agree(account, remote)
    idle(account, remote)


def test_children_that_were_not_renamed_stay(make_account):
    """Under Maildir++ a folder's children are folders beside it; RENAME takes them along."""
    account = make_account(layout="maildir++")
    with account.remote() as remote:
        filled(account, remote, "a", "a/b", "a/b/c")
        rename_here(account, "a", "z")
        assert account.sync().did == {}
        assert names(account, remote) == ["a/b", "a/b/c", "z"]
        agree(account, remote)
        idle(account, remote)


def test_children_left_out_stay_on_the_server(make_account):
    account = make_account(mailboxes="* !*/private")
    with account.remote() as remote:
        filled(account, remote, "a", "a/private")
        rename_here(account, "a", "z")
        assert account.sync().did == {}
        assert "a/private" in remote.mailboxes() and "z" in remote.mailboxes()


@pytest.mark.parametrize("layout", ["fs", "maildir++"])
@pytest.mark.parametrize("side", ["local", "remote"])
def test_renaming_works_in_either_layout(make_account, layout, side):
    account = make_account(layout=layout)
    with account.remote() as remote:
        filled(account, remote, "a/b")
        if side == "local":
            rename_here(account, "a/b", "c/d")
        else:
            remote.rename("a/b", "c/d")
        assert account.sync().did == {}
        assert "c/d" in account.local.mailboxes() and "c/d" in remote.mailboxes()
        assert "a/b" not in account.local.mailboxes() + remote.mailboxes()
        idle(account, remote)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_an_empty_mailbox_is_renamed_too(account, remote, side):
    filled(account, remote, "empty", number=0)
    if side == "local":
        rename_here(account, "empty", "void")
    else:
        remote.rename("empty", "void")
    account.sync()
    assert names(account, remote) == ["void"]


def test_several_renames_do_not_get_mixed_up(account, remote):
    held = filled(account, remote, "one", "two", "three")
    rename_here(account, "one", "eins")
    rename_here(account, "two", "zwei")
    remote.rename("three", "drei")
    assert account.sync().did == {}
    assert names(account, remote) == ["drei", "eins", "zwei"]
    for old, new in (("one", "eins"), ("two", "zwei"), ("three", "drei")):
        assert [uid for uid, _ in held[old]] == uids(remote, new)
    agree(account, remote)
    idle(account, remote)


def test_a_folder_that_was_copied_over_and_removed_is_renamed(account, remote):
    filled(account, remote, "old")
    shutil.copytree(account.local.folder("old"), account.local.folder("neu"))
    shutil.rmtree(account.local.folder("old"))
    assert account.sync().did == {}
    assert names(account, remote) == ["neu"]


@pytest.mark.parametrize("side", ["local", "remote"])
def test_another_mailbox_in_the_place_of_one_is_no_rename(account, remote, side):
    filled(account, remote, "old")
    if side == "local":
        account.local.remove("old")
        account.local.create("neu")
        account.local.deliver("neu", mail.one(9))
    else:
        remote.delete_mailbox("old")
        remote.create("neu")
        append(remote, 3, "neu", seed="different")
    account.sync()
    account.sync()
    assert names(account, remote) == ["neu", "old"]
    assert count(account, "old") == 3 and len(uids(remote, "old")) == 3
    agree(account, remote)


@pytest.mark.parametrize("direction", ["both", "pull", "push"])
def test_of_two_new_names_the_servers_wins(account, remote, direction):
    filled(account, remote, "old", "old/below")
    rename_here(account, "old", "here")
    remote.rename("old", "there")
    append(remote, 1, "there", seed="new")
    account.change(direction=direction)
    assert account.sync().did == ({} if direction == "push" else {"downloaded": 1})
    name = "here" if direction == "push" else "there"
    assert names(account, remote) == [name, f"{name}/below"]
    assert count(account, name) == (3 if direction == "push" else 4)
    assert len(uids(remote, name)) == 4
    idle(account, remote)
    account.change(direction="both")
    account.sync()
    agree(account, remote)


def test_both_sides_renamed_alike_copies_nothing(account, remote):
    filled(account, remote, "old")
    rename_here(account, "old", "neu")
    remote.rename("old", "neu")
    assert account.sync().did == {}
    assert names(account, remote) == ["neu"]
    agree(account, remote)


def test_the_plan_tells_of_a_rename_and_does_nothing(account, remote):
    filled(account, remote, "a", "b")
    rename_here(account, "a", "x")
    remote.rename("b", "y")
    numbers, files = remote.numbers(), account.local.snapshot()
    plan = account.sync("--dry-run").plan
    assert sorted((op["op"], op["mailbox"]) for op in plan) == [("rename_local", "y"),
                                                                ("rename_remote", "x")]
    assert (remote.numbers(), account.local.snapshot()) == (numbers, files)
    assert account.sync().did == {}
    assert names(account, remote) == ["x", "y"]


@pytest.mark.parametrize("side, option", [("local", "--pull"), ("remote", "--push")])
def test_a_run_that_may_not_rename_leaves_it_to_one_that_may(account, remote, side, option):
    filled(account, remote, "old")
    if side == "local":
        rename_here(account, "old", "neu")
    else:
        remote.rename("old", "neu")
    assert account.sync(option).did == {}
    assert account.sync(option).did == {}
    assert account.local.mailboxes() != remote.mailboxes()
    assert account.sync().did == {}
    assert names(account, remote) == ["neu"]
    agree(account, remote)
    idle(account, remote)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_a_run_over_one_of_the_names_leaves_it_to_one_over_both(account, remote, side):
    filled(account, remote, "old")
    if side == "local":
        rename_here(account, "old", "neu")
    else:
        remote.rename("old", "neu")
    for name in ("old", "neu"):
        assert account.run("--json", "sync", f"home/{name}").did == {}
    assert account.sync().did == {}
    assert names(account, remote) == ["neu"]
    agree(account, remote)


@pytest.mark.parametrize("create", ["none", "local"])
def test_where_nothing_may_be_created_nothing_is_renamed(account, remote, create):
    filled(account, remote, "old")
    account.change(create=create)
    rename_here(account, "old", "neu")
    account.sync()
    assert remote.mailboxes() == ["INBOX", "old"]
    assert count(account, "neu") == 3
    assert ("old" in account.local.mailboxes()) == (create == "local")


def test_a_new_name_outside_the_patterns_is_a_disappearance(account, remote):
    account.change(mailboxes="* !hidden")
    filled(account, remote, "old")
    rename_here(account, "old", "hidden")
    account.sync()
    assert count(account, "old") == 3
    assert remote.mailboxes() == ["INBOX", "old"]


def test_the_inbox_is_never_renamed(account, remote):
    append(remote, 3)
    account.sync()
    rename_here(account, "INBOX", "Archive")
    account.sync()
    assert len(uids(remote)) == 3 and count(account) == 3
    assert count(account, "Archive") == 3


def test_messages_that_the_server_moved_out_of_the_inbox_are_not_a_rename(account, remote):
    filled(account, remote, "other")
    append(remote, 3, seed="more")
    account.sync()
    remote.rename("INBOX", "Archive")       # moves its messages, and leaves it there
    account.sync()
    assert count(account, "Archive") == 4
    agree(account, remote)


def test_a_name_that_the_server_already_has_is_no_rename(account, remote):
    filled(account, remote, "old")
    rename_here(account, "old", "neu")
    remote.create("neu")
    append(remote, 1, "neu", seed="theirs")
    account.sync()
    account.sync()
    assert count(account, "neu") == 4 and count(account, "old") == 3
    agree(account, remote)


def test_a_refused_rename_is_told_and_tried_again(account, remote):
    filled(account, remote, "old")
    bad = "dbox-Mails"                      # Dovecot's own
    rename_here(account, "old", bad)
    result = account.sync(status=1)
    assert [error["mailbox"] for error in result.errors] == [bad]
    assert "renamed" in result.errors[0]["message"]
    assert len(uids(remote, "old")) == 3 and count(account, bad) == 3
    rename_here(account, bad, "neu")
    assert account.sync().did == {}
    assert names(account, remote) == ["neu"]


def test_subscriptions_follow(account, remote):
    filled(account, remote, "old")
    remote.subscribe("old")
    rename_here(account, "old", "neu")
    account.sync()
    subscribed = [name for name, _ in remote.listing("LSUB")]
    assert "neu" in subscribed and "old" not in subscribed


SHIFTS = {"swapped": {"a": "b", "b": "a"}, "shifted": {"a": "b", "b": "c"},
          "circle": {"a": "b", "b": "c", "c": "a"}}


def holds(account, name, wires):
    assert len(list(account.local.files(name))) == len(wires)
    for wire in wires:
        assert account.local.find(name, wire)


def shift(account, remote, side, shifts):
    """Renames all at once: first out of the way, then to their new names."""
    move = remote.rename if side == "remote" else lambda *names: rename_here(account, *names)
    for old in shifts:
        move(old, f"aside-{old}")
    for old, new in shifts.items():
        move(f"aside-{old}", new)


@pytest.mark.parametrize("layout,without", [*(("fs", names) for names in WITHOUT),
                                            ("maildir++", "")])
@pytest.mark.parametrize("how", SHIFTS)
def test_mailboxes_that_changed_names_there_do_so_here(make_account, how, layout, without):
    account = make_account(layout=layout, disable_extensions=without or None)
    shifts = SHIFTS[how]
    with account.remote() as remote:
        held = filled(account, remote, *shifts, "a/one", "other")
        shift(account, remote, "remote", shifts)
        late = append(remote, 1, "b", seed="late")
        account.local.find("a", held["a"][0][1]).unlink()
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 1}
        assert names(account, remote) == sorted([*shifts.values(), f"{shifts['a']}/one", "other"])
        agree(account, remote)
        holds(account, "b", [*(wire for _, wire in held["a"][1:]), late[0][1]])
        idle(account, remote)


@pytest.mark.parametrize("how", SHIFTS)
def test_folders_that_changed_names_here_do_so_there(account, remote, how):
    """By moving their messages, where both names are there still."""
    held = filled(account, remote, *SHIFTS[how], "other")
    shift(account, remote, "local", SHIFTS[how])
    did = account.sync().did
    assert not {"downloaded", "uploaded", "deleted_local", "deleted_remote"} & set(did)
    agree(account, remote)
    for old, new in SHIFTS[how].items():
        holds(account, new, [wire for _, wire in held[old]])
    idle(account, remote)


@pytest.mark.parametrize("without", WITHOUT)
@pytest.mark.parametrize("side", ["local", "remote"])
def test_one_that_was_renamed_and_made_anew_is_two(make_account, side, without):
    account = make_account(disable_extensions=without or None)
    with account.remote() as remote:
        held = filled(account, remote, "a", "other")
        if side == "remote":
            remote.rename("a", "b")
            remote.create("a")
            fresh = [wire for _, wire in append(remote, 1, "a", seed="new")]
        else:
            rename_here(account, "a", "b")
            account.local.create("a")
            account.local.deliver("a", mail.one(1, seed="new"))
        account.sync()
        assert names(account, remote) == ["a", "b", "other"]
        agree(account, remote)
        holds(account, "b", [wire for _, wire in held["a"]])
        holds(account, "a", [mail.one(1, seed="new")] if side == "local" else fresh)
        idle(account, remote)
