"""A Maildir that is copied, restored or put elsewhere: other inodes, times, modes and file systems
are no change of the mail. Nothing is sent again, nothing is held, and deletions go through."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from rig import program, tree
from stories import agree, append, count, idle

NUMBER = 20


def copy_to_new_root(account, shelf):
    """rsync -a, or what does the same."""
    old, new = account.local.root, account.folder / "copied"
    tool = ["rsync", "-a", f"{old}/", f"{new}/"] if shutil.which("rsync") else \
        ["cp", "-a", str(old), str(new)]
    subprocess.run(tool, check=True)
    shutil.rmtree(old)
    account.change(maildir=str(new))


def copy_without_times(account, shelf):
    """cp -r: the times, too, are new."""
    old, new = account.local.root, account.folder / "copied"
    subprocess.run(["cp", "-r", str(old), str(new)], check=True)
    shutil.rmtree(old)
    account.change(maildir=str(new))


def restore_in_place(account, shelf):
    """From a backup of now, file by file, over what is there."""
    backup = shelf / "backup"
    subprocess.run(["cp", "-a", str(account.local.root), str(backup)], check=True)
    for path in account.local.root.rglob("*"):
        if path.is_file() and path.parent.name in ("cur", "new"):
            path.unlink()
            shutil.copy2(backup / path.relative_to(account.local.root), path)


def change_modes(account, shelf):
    subprocess.run(["chmod", "-R", "u+x,g+r", str(account.local.root)], check=True)


def touch_all(account, shelf):
    for path in account.local.root.rglob("*"):
        os.utime(path)


def move_root(account, shelf):
    new = account.folder / "moved"
    account.local.root.rename(new)
    account.change(maildir=str(new))


def move_elsewhere(account, shelf):
    new = shelf / "mail"
    shutil.move(str(account.local.root), str(new))
    account.change(maildir=str(new))


@pytest.fixture
def shelf(tmp_path):
    """A place on another file system."""
    for place in ("/dev/shm", "/var/tmp", program.ROOT):
        if os.access(place, os.W_OK) and os.stat(place).st_dev != os.stat(tmp_path).st_dev:
            with tempfile.TemporaryDirectory(dir=place, prefix="mailsync-") as path:
                yield pathlib.Path(path)
            return
    pytest.skip("one file system only")


WAYS = [copy_to_new_root, copy_without_times, restore_in_place, change_modes, touch_all, move_root,
        move_elsewhere]
LOSE_TIMES = (copy_without_times, touch_all)


def agree_after(account, remote, way):
    differing = tree.differences(account.local.read(), remote.read(), way not in LOSE_TIMES)
    assert not differing, "\n".join(differing[:20])


def filled(account, remote):
    letters = append(remote, NUMBER)
    remote.create("Work")
    letters += append(remote, 5, mailbox="Work")
    account.sync()
    return letters


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_happens_and_deletions_go_through(account, remote, shelf, way):
    letters = filled(account, remote)
    way(account, shelf)
    assert account.sync().did == {}
    assert count(account) == NUMBER
    for uid, _ in letters[:3]:
        remote.expunge("INBOX", uid)
    account.local.find("INBOX", letters[4][1]).unlink()
    result = account.sync()
    assert result.did == {"deleted_local": 3, "deleted_remote": 1}
    agree_after(account, remote, way)
    idle(account, remote)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_message_moved_there_moves_its_file(account, remote, shelf, way):
    letters = filled(account, remote)
    way(account, shelf)
    remote.move("INBOX", letters[0][0], "Work")
    result = account.sync()
    assert result.did == {"moved": 1}
    agree_after(account, remote, way)
    idle(account, remote)


def test_an_older_backup_brings_nothing_back_that_is_there(account, remote, shelf):
    """Older copies beside the newer names: the same messages, with the flags of then."""
    letters = filled(account, remote)
    backup = shelf / "backup"
    shutil.copytree(account.local.root, backup)
    for uid, _ in letters[:5]:
        remote.store("INBOX", uid, "+FLAGS", "\\Seen \\Flagged")
    account.sync()
    for path in (backup / "INBOX").rglob("*"):
        if path.is_file() and path.parent.name in ("cur", "new"):
            shutil.copy2(path, account.local.root / path.relative_to(backup))
    result = account.sync()
    assert "uploaded" not in result.did and "downloaded" not in result.did, result
    assert account.sync().did == {}
    for uid, _ in letters[:3]:
        remote.expunge("INBOX", uid)
    assert account.sync().did == {"deleted_local": 3}
    assert account.sync().did == {}


@pytest.mark.parametrize("tool", [["cp", "-a"], ["rsync", "-a"]], ids=lambda tool: tool[0])
def test_an_older_backup_that_is_laid_over_takes_no_flag_off(account, remote, shelf, tool):
    """The names of then beside those of now, whichever comes first."""
    if not shutil.which(tool[0]):
        pytest.skip(f"no {tool[0]}")
    letters = filled(account, remote)
    for uid, _ in letters[:12]:
        remote.store("INBOX", uid, "+FLAGS", "\\Seen")
    account.sync()
    backup = shelf / "backup"
    subprocess.run(["cp", "-a", str(account.local.root), str(backup)], check=True)
    for (uid, _), flags in zip(letters[:12], ["todo", "\\Flagged", "\\Deleted", "\\Answered"] * 3):
        remote.store("INBOX", uid, "+FLAGS", flags)
    remote.store("INBOX", letters[11][0], "-FLAGS", "\\Seen")
    account.sync()
    before = remote.read()
    subprocess.run([*tool, f"{backup}/INBOX", str(account.local.root)], check=True)
    assert count(account) > NUMBER
    idle(account, remote)
    assert remote.read() == before
    # Another name may say already what is to be said.
    remote.store("INBOX", letters[1][0], "-FLAGS", "\\Flagged")
    assert account.sync().did == {"flags_local": 1}
    idle(account, remote)
    for uid, _ in letters[:3]:
        remote.expunge("INBOX", uid)
    assert account.sync().did == {"deleted_local": 3}
    idle(account, remote)
    for uid, _ in letters[4:8]:
        remote.move("INBOX", uid, "Work")
    assert account.sync().did == {"moved": 4}
    idle(account, remote)
    differing = tree.differences({"Work": account.local.read()["Work"]}, {"Work": remote.read()["Work"]})
    assert not differing, "\n".join(differing)


@pytest.mark.parametrize("number", [4, 30])
def test_other_names_for_all_files_change_nothing(account, remote, number):
    """As programs give them that renumber a folder, or a copy to where names may hold less."""
    letters = append(remote, number, flags=("\\Seen", "todo"))
    account.sync()
    for serial, path in enumerate(sorted(account.local.files("INBOX"))):
        path.rename(path.with_name(f"{serial}.other{path.name[path.name.index(':'):]}"))
    assert account.sync("--dry-run").plan == []
    assert account.sync().did == {}
    idle(account, remote)
    remote.expunge("INBOX", letters[0][0])
    assert account.sync().did == {"deleted_local": 1}
    agree(account, remote)


def test_another_info_delimiter_takes_no_flag_off(account, remote):
    account.change(info_delimiter="!")
    letters = append(remote, NUMBER, flags=("\\Seen", "todo"))
    account.sync()
    account.change(info_delimiter=":")
    assert account.sync("--dry-run").plan == []
    assert account.sync().did == {}
    idle(account, remote)
    remote.expunge("INBOX", letters[0][0])
    assert account.sync().did == {"deleted_local": 1}
    idle(account, remote)


def test_a_whole_tree_from_an_older_backup_is_paired(account, remote, shelf):
    """With its older mailsync-id: nothing is deleted, nothing sent that the server has."""
    letters = filled(account, remote)
    backup = shelf / "backup"
    shutil.copytree(account.local.root, backup)
    append(remote, 2, seed="later")
    account.sync()
    shutil.rmtree(account.local.root)
    shutil.copytree(backup, account.local.root)
    result = account.sync()
    assert result.did == {"downloaded": 2}
    agree(account, remote)
    remote.expunge("INBOX", letters[0][0])
    assert account.sync().did == {"deleted_local": 1}
    idle(account, remote)


def test_an_edited_draft_outlives_the_removal_of_its_old_text(account, remote):
    """An editor renames over the file; then the old text is deleted on the server."""
    append(remote, 2)
    account.sync()
    old = b"Subject: draft\nMessage-ID: <d@x>\n\nold\n"
    new = b"Subject: draft\nMessage-ID: <d@x>\n\nnew, and longer\n"
    path = account.local.folder("INBOX") / "cur" / "17.draft.host:2,D"
    path.write_bytes(old)
    assert account.sync().did == {"uploaded": 1}
    draft = account.local.folder("INBOX") / "tmp" / "draft"
    draft.write_bytes(new)
    draft.rename(path)
    assert account.sync().did == {}
    remote.expunge("INBOX", max(remote.uids("INBOX")))
    assert account.sync().did == {"uploaded": 1}
    assert path.read_bytes() == new
    agree(account, remote)
    idle(account, remote)


def test_names_that_people_gave_are_messages_of_their_own(account, remote):
    """What follows the first comma or colon tells them apart."""
    account.sync()
    cur = account.local.folder("INBOX") / "cur"
    for number, name in enumerate(["Invoice, 2019.eml", "Invoice, 2020.eml", "Re: one:2,S",
                                   "Re: two:2,S"]):
        (cur / name).write_bytes(b"Subject: %d\nMessage-ID: <%d@x>\n\ntext\n" % (number, number))
    (cur / "17.a.host:2,S").write_bytes(b"Subject: a\n\nin cur\n")
    (cur.parent / "new" / "17.a.host").write_bytes(b"Subject: b\n\nin new\n")
    assert account.sync().did == {"uploaded": 6}
    agree(account, remote)
    idle(account, remote)
    remote.expunge("INBOX", min(remote.uids("INBOX")))
    assert account.sync().did == {"deleted_local": 1}
    assert count(account) == 5
    agree(account, remote)
    idle(account, remote)
