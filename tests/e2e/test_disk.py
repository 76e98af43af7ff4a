"""Disks that are full, read-only or closed to us, folders that are not what they were: a documented
status and a sentence, nothing lost, nothing read as a deletion; afterwards both sides agree."""

import contextlib
import errno
import os
import pathlib
import shlex
import shutil
import subprocess

import pytest

from maildrop import Maildrop
from rig import mail, program, tree
from rig.host import PASSWORD
from stories import agree, append, count, idle, paired, uids


@contextlib.contextmanager
def small_disk(path, size):
    """A tmpfs of SIZE at PATH."""
    path.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("cannot mount here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def remount(path, options):
    subprocess.run(["mount", "-o", f"remount,{options}", path], check=True)


def fill_up(path):
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with contextlib.suppress(OSError):
        while True:
            os.write(handle, b"x" * 4096)
    os.close(handle)


@pytest.mark.parametrize("where", ["mail", "state"])
def test_a_full_disk(account, remote, where):
    disk = account.folder / where
    append(remote, 2)
    with small_disk(disk, "400k"):
        account.sync()
        for number in range(20):
            remote.append("INBOX", mail.one(number, seed="big", size=40_000), (), 1_600_000_000)
        account.local.deliver("INBOX", mail.one(77))
        if where == "state":
            fill_up(disk / "filler")
        for _ in range(2):
            result = account.sync(status=74)
            assert "No space" in result.errors[0]["message"] or "full" in result.errors[0]["message"]
        assert len(uids(remote)) in (22, 23)
        (disk / "filler").unlink(missing_ok=True)
        remount(disk, "size=20m")
        account.sync()
        assert (len(uids(remote)), count(account)) == (23, 23)
        agree(account, remote)
        idle(account, remote)


@pytest.mark.parametrize("where", ["mail", "state"])
def test_a_read_only_disk(account, remote, where):
    disk = account.folder / where
    append(remote, 2)
    with small_disk(disk, "20m"):
        account.sync()
        append(remote, 2, seed="new")
        account.local.set_flags(next(account.local.files("INBOX")), add="F")
        remount(disk, "ro")
        for _ in range(2):
            account.sync(status=74)
        remount(disk, "rw")
        account.sync()
        agree(account, remote)
        idle(account, remote)


BOUND = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def bound(account, *args, command="sync"):
    """A run that permissions bind, of whoever runs this."""
    done = subprocess.run([*(BOUND if os.getuid() == 0 else []), *account.argv("--json", command, *args)],
                          capture_output=True, env=account.environment(), stdin=subprocess.DEVNULL,
                          timeout=60, check=False)
    return program.Result(done.returncode, done.stdout.decode(), done.stderr.decode())


CLOSED = {"root": ("mail", 0), "folder": ("mail/INBOX", 0), "cur": ("mail/INBOX/cur", 0),
          "new": ("mail/INBOX/new", 0), "cur, read-only": ("mail/INBOX/cur", 0o500),
          "folder, read-only": ("mail/INBOX", 0o500), "state": ("state", 0),
          "state, read-only": ("state", 0o500), "database": ("state/home.db", 0),
          "new file": ("mail/INBOX/cur/17.new:2,S", 0)}


@pytest.mark.parametrize("what", CLOSED)
def test_what_may_not_be_read_or_written(account, remote, what):
    append(remote, 15, flags=("\\Seen",))
    append(remote, 2, seed="new")
    assert bound(account).status == 0
    append(remote, 1, seed="later")
    remote.store("INBOX", uids(remote)[0], "+FLAGS", "\\Flagged")
    path, mode = account.folder / CLOSED[what][0], CLOSED[what][1]
    if what == "new file":
        path.write_bytes(b"Subject: mine\n\nmine\n")
    before = path.stat().st_mode & 0o777
    path.chmod(mode)
    for _ in range(2):
        result = bound(account)
        assert result.status in (0, 1, 74, 79), result
        assert result.status == 0 or result.errors
        assert what != "new file" or result.status in (1, 74)
    path.chmod(before)
    assert len(uids(remote)) == 18
    assert bound(account).status == 0
    agree(account, remote)
    assert bound(account).did == {}


@pytest.mark.parametrize("error", ["EACCES", "EIO", "ESTALE"])
@pytest.mark.parametrize("layout", ["maildir++", "fs"])
@pytest.mark.parametrize("remove", ["none", "remote"])
def test_a_folder_that_cannot_be_looked_at_is_not_removed(make_account, stat_shim, layout, error,
                                                          remove):
    """Under fs, of a file system that does not tell what the entries of a directory are."""
    account = make_account(layout=layout, remove_mailboxes=remove)
    failing = {"STAT_FAIL_PATH": ".Work/cur"} if layout == "maildir++" else {
        "STAT_FAIL_PATH": "Work", "STAT_NO_TYPES": "1"}
    with account.remote() as remote:
        append(remote, 2)
        remote.create("Work")
        append(remote, 3, "Work")
        account.sync()
        env = {"LD_PRELOAD": stat_shim, "STAT_FAIL_ERRNO": str(getattr(errno, error)), **failing}
        for _ in range(2):
            result = account.sync(status=74, env=env)
            assert "Work" in result.errors[0]["message"]
            assert "removed" not in result.err
        assert len(uids(remote, "Work")) == 3
        assert account.sync().did == {}
        agree(account, remote)


@pytest.mark.parametrize("error", ["EACCES", "EIO", "ESTALE"])
def test_a_keyword_table_that_cannot_be_looked_at_takes_nothing_off(account, remote, stat_shim,
                                                                    error):
    """The names that base remembers serve; the file is left as it is."""
    (uid, wire), = append(remote, 1, flags=("todo", "work"))
    account.sync()
    env = {"LD_PRELOAD": stat_shim, "STAT_FAIL_ERRNO": str(getattr(errno, error)),
           "STAT_FAIL_PATH": "dovecot-keywords"}
    path = account.local.find("INBOX", wire)
    path = path.rename(path.with_name(path.name.replace(":2,ab", ":2,Fa")))
    result = account.sync(env=env)
    assert result.did == {"flags_remote": 1} and "dovecot-keywords cannot be read" in result.err
    assert remote.flags("INBOX", uid) == {"F", "todo"}
    remote.store("INBOX", uid, "+FLAGS", "work later")
    account.sync(env=env, status=None)
    assert account.local.keyword_table("INBOX") == {"a": "todo", "b": "work"}
    assert remote.flags("INBOX", uid) == {"F", "todo", "work", "later"}
    account.sync()
    agree(account, remote)
    assert account.sync().did == {}


def test_letters_that_a_move_could_not_write_come_in_the_next_run(account, remote, stat_shim):
    """Of a keyword that the server has, and of one that the user has just set; moved here, and there."""
    remote.create("Work")
    sent = append(remote, 3, flags=("todo",))
    (bare_uid, bare), = append(remote, 1, seed="bare")
    account.sync()
    env = {"LD_PRELOAD": stat_shim, "STAT_FAIL_ERRNO": str(errno.EIO),
           "STAT_FAIL_PATH": "dovecot-keywords"}
    path = account.local.find("INBOX", bare)
    account.local.set_flags(path, add="a")
    for wire in (sent[0][1], bare):
        account.local.move(account.local.find("INBOX", wire), "Work")
    remote.move("INBOX", sent[1][0], "Work")
    account.sync(env=env, status=None)
    account.sync()
    agree(account, remote)
    for wire in (sent[0][1], sent[1][1], bare):
        assert account.local.find("Work", wire).name.endswith(":2,a"), wire
        assert "todo" in remote.flags("Work", remote.find("Work", wire))
    assert account.sync().did == {}


@pytest.mark.parametrize("only", [f",{number}," for number in range(1, 7)])
def test_a_database_that_cannot_be_read_is_not_taken_for_damaged(account, remote, disk_shim, only,
                                                                 tmp_path):
    """SQLite says the same of both. Set aside, what was cleared or deleted here would come back."""
    (_, wire), _, _ = paired(account, remote, 3)
    account.local.find("INBOX", wire).unlink()
    state = account.database.parent
    env = {"LD_PRELOAD": disk_shim, "LIAR_DISK": "1:1:8", "LIAR_DISK_ROOTS": f"{state}:{state}",
           "LIAR_DISK_LOG": str(tmp_path / "failed"), "LIAR_DISK_ERRNO": str(errno.EIO),
           "LIAR_DISK_ONLY": only}
    result = account.sync(status=None, env=env)
    assert (tmp_path / "failed").exists() == (result.status == 74), result
    assert not list(state.glob("*corrupt*"))
    if result.status == 74:
        assert "damaged" not in result.err
        assert account.sync().did == {"deleted_remote": 1}
    assert account.sync().did == {}
    agree(account, remote)


@pytest.mark.parametrize("only", [f",{number}," for number in range(1, 5)])
def test_a_root_that_cannot_be_opened_is_told_with_pop3(tmp_path, disk_shim, only):
    with Maildrop([mail.one(number) for number in range(2)]) as drop:
        account = program.Account(tmp_path / "drop", None, "joe", protocol="pop3", port=drop.port)
        root = account.local.root
        env = {"LD_PRELOAD": disk_shim, "LIAR_DISK": "1:1:1", "LIAR_DISK_ROOTS": f"{root}:{root}",
               "LIAR_DISK_LOG": str(tmp_path / "failed"), "LIAR_DISK_ONLY": only,
               "LIAR_DISK_ERRNO": str(errno.EMFILE)}
        result = account.sync(status=None, env=env)
        assert (tmp_path / "failed").exists() and result.status == 74 and result.errors, result
        account.sync()
        assert len(list(account.local.files("INBOX"))) == 2
        assert account.sync().did == {}


@pytest.mark.parametrize("call", ["open", "read"])
def test_a_file_that_cannot_be_read_while_all_is_paired_waits(account, remote, disk_shim, tmp_path,
                                                              call):
    """Taken for a file that no message is, it would be sent again and its message come down again (W23)."""
    (_, wire), _, _ = paired(account, remote, 3)
    path = account.local.find("INBOX", wire)
    shutil.rmtree(account.database.parent)
    env = {"LD_PRELOAD": disk_shim, "LIAR_DISK": f"1:1:{1 if call == 'open' else 8}",
           "LIAR_DISK_ROOTS": f"{path}:{path}", "LIAR_DISK_LOG": str(tmp_path / "failed"),
           "LIAR_DISK_ERRNO": str(errno.EIO)}
    for _ in range(2):
        result = account.sync(status=1, env=env)
        assert (tmp_path / "failed").exists()
        assert not {"downloaded", "uploaded"} & set(result.did), result
        assert len(uids(remote)) == 3
    account.sync()
    agree(account, remote)
    assert len(uids(remote)) == 3
    assert account.sync().did == {}


# File systems that do not have some calls: CIFS, NFS, exFAT, FUSE, for their owner or another

CALLS = ["futimens", "linkat", "renameat2", "fsync", "fdatasync", "syncfs",
         "futimens,linkat,renameat2,fsync,fdatasync,syncfs"]


@pytest.mark.parametrize("error", ["EPERM", "EACCES", "ENOTSUP", "EINVAL"])
@pytest.mark.parametrize("calls", CALLS)
def test_a_file_system_without_a_call_is_used_in_the_next_best_way(account, remote, refuse_shim,
                                                                   calls, error):
    account.change(durability="file" if "fdatasync" in calls else "batch")
    env = {"LD_PRELOAD": refuse_shim, "REFUSE_CALLS": f",{calls},",
           "REFUSE_ROOT": str(account.local.root), "REFUSE_ERRNO": str(getattr(errno, error))}
    remote.create("Work")
    append(remote, 3, flags=("\\Seen", "$Forwarded", "Later"))
    assert ("no file's time" in account.sync(env=env).err) == ("futimens" in calls)
    append(remote, 1, seed="more")
    account.local.deliver("INBOX", b"Subject: from here\n\nx\n")
    moved = next(path for path in account.local.files("INBOX") if path.parent.name == "cur")
    moved.rename(account.local.folder("Work") / "cur" / moved.name)
    second = account.sync(env=env)
    assert "no file's time" not in second.err            # told once
    assert second.did == {"downloaded": 1, "uploaded": 1, "moved": 1}
    assert account.sync(env=env).did == {}
    times = "futimens" not in calls
    assert not tree.differences(account.local.read(), remote.read(), times=times)


@pytest.mark.parametrize("error", ["ENOLCK", "ENOTSUP", "EINVAL"])
def test_a_file_system_without_flock_is_locked_all_the_same(account, remote, refuse_shim, error):
    folder = account.folder
    env = {"LD_PRELOAD": refuse_shim, "REFUSE_CALLS": ",flock,", "REFUSE_ROOT": str(folder),
           "REFUSE_ERRNO": str(getattr(errno, error))}
    append(remote, 2)
    account.change(password=None, password_command=f"touch {folder}/begun; while test ! -e "
                   f"{folder}/go; do sleep 0.05; done; echo {shlex.quote(PASSWORD)}")
    process = account.start("sync", env=env)
    program.wait_until((folder / "begun").exists)
    account.sync(status=75, env=env)
    (folder / "go").touch()
    assert program.finish(process).status == 0
    assert account.sync(env=env).did == {}
    agree(account, remote)


# Folders and files that are not what they were

def test_an_empty_directory_may_be_a_mount_point(account, remote, tmp_path):
    """Of few messages, too, which the brake would let pass."""
    account.change(remove_mailboxes="both")
    append(remote, 1)
    remote.create("Disk")
    append(remote, 3, "Disk")
    account.sync()
    account.local.folder("Disk").rename(tmp_path / "disk")
    account.local.folder("Disk").mkdir()
    for _ in range(2):
        result = account.sync(status=79)
        assert result.errors[0]["mailbox"] == "Disk"
        assert "--allow-mass-delete" in result.errors[0]["message"]
        assert not any(account.local.folder("Disk").iterdir())
        assert len(uids(remote, "Disk")) == 3
    account.local.folder("Disk").rmdir()
    (tmp_path / "disk").rename(account.local.folder("Disk"))
    assert account.sync().did == {}
    agree(account, remote)


@pytest.mark.parametrize("part", ["cur", "new"])
@pytest.mark.parametrize("becomes", ["missing", "empty"])
def test_a_part_of_a_folder_that_is_not_there_takes_no_message_along(account, remote, tmp_path,
                                                                     part, becomes):
    """The other part still has some, so not all are gone."""
    append(remote, 3, seed="read", flags=("\\Seen",))
    append(remote, 3, seed="unread")
    account.sync()
    place = account.local.folder("INBOX") / part
    place.rename(tmp_path / part)
    if becomes == "empty":
        place.mkdir()
        if part == "new":                    # as mail programs leave it when all is read
            assert account.sync().did == {"deleted_remote": 3}
            return
    for _ in range(2):
        result = account.sync(status=79)
        assert result.errors[0]["mailbox"] == "INBOX"
        assert len(uids(remote)) == 6
    if place.exists():
        place.rmdir()
    (tmp_path / part).rename(place)
    assert account.sync().did == {}
    agree(account, remote)
    idle(account, remote)


@pytest.mark.parametrize("kind", ["link", "dangling link", "directory", "pipe"])
def test_a_message_that_is_no_file_any_more_is_not_deleted(account, remote, tmp_path, kind):
    (_, wire), _, _ = paired(account, remote, 3)
    path = account.local.find("INBOX", wire)
    kept = tmp_path / "kept"
    path.rename(kept)
    if "link" in kind:
        path.symlink_to(kept if kind == "link" else tmp_path / "nothing")
    elif kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)
    for _ in range(2):
        assert account.sync().did == {}
        assert len(uids(remote)) == 3
    if kind == "directory":
        path.rmdir()
    else:
        path.unlink()
    kept.rename(path)
    assert account.sync().did == {}
    agree(account, remote)
    path.unlink()
    assert account.sync().did == {"deleted_remote": 1}


def test_what_is_no_message_among_messages(account, remote):
    """Pipes, sockets, directories, links and hidden files are neither sent nor waited for."""
    paired(account, remote, 1)
    inbox = pathlib.Path(account.local.folder("INBOX"))
    os.mkfifo(inbox / "new" / "1.pipe.x")
    (inbox / "cur" / "2.directory.x:2,S").mkdir()
    (inbox / "cur" / "3.link.x:2,S").symlink_to("/etc/passwd")
    (inbox / "cur" / ".hidden").write_text("x")
    account.local.deliver("INBOX", mail.one(5))
    assert account.sync(timeout=20).did == {"uploaded": 1}
    assert account.sync().did == {}
