"""verify: what is damaged is found and named rightly; what the next sync settles is no problem."""

import errno
import fcntl
import os
import sqlite3

import pytest

from rig import mail
from stories import append, paired
from test_disk import bound

ARCHIVE = {"direction": "pull", "delete": "none"}


def verify(account, *args, status=0):
    """`mailsync --json verify ARGS`: (its problems, what it comes to)."""
    result = account.run("--json", "verify", *args)
    assert result.status == status, result
    total, = result.of("verified")
    problems = result.of("verify")
    assert total["problems"] == len(problems)
    return problems, total


def named(problems):
    return sorted(((problem["problem"], problem["uid"]) for problem in problems),
                  key=lambda pair: (pair[0], pair[1] or 0))


def flip(path, at=100):
    """One bit of it, as a disk does: its time is the same."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_is_damaged_here_is_named(account, remote):
    letters = append(remote, 8)
    account.change(**ARCHIVE)
    account.sync()
    assert verify(account)[0] == []
    files = [account.local.find("INBOX", wire) for _, wire in letters]
    files[1].unlink()
    files[2].write_bytes(files[2].read_bytes()[:-40])
    flip(files[3])
    files[4].write_bytes(mail.one(99).replace(b"\r\n", b"\n"))
    files[5].write_bytes(b"")
    uids = [uid for uid, _ in letters]
    problems, total = verify(account, status=1)
    assert named(problems) == sorted([("missing_here", uids[1])] +
                                     [("differs_here", uids[n]) for n in (2, 3, 4, 5)])
    assert total["messages"] == 8 and total["pending"] == 0 and total["repaired"] == 0
    # A sync in between, which has nothing to do, hides none of it.
    account.sync()
    assert named(verify(account, status=1)[0]) == named(problems)


def test_what_the_next_sync_settles_is_pending(account, remote):
    letters = paired(account, remote, 4)
    local = account.local
    remote.create("Archive")
    account.sync()
    local.find("INBOX", letters[0][1]).unlink()
    local.set_flags(local.find("INBOX", letters[1][1]), add="S")
    local.move(local.find("INBOX", letters[2][1]), "Archive")
    local.deliver("INBOX", mail.one(50, size=300))
    problems, total = verify(account)
    assert problems == [] and total["pending"] == 4
    account.sync()
    assert verify(account)[1]["pending"] == 0


def test_an_account_that_was_never_synced_proves_nothing(account):
    result = account.run("verify")
    assert result.status == 1 and "never synced" in result.err
    assert not account.database.exists()


def test_a_mailbox_that_is_not_there_is_an_error(account, remote):
    paired(account, remote, 1)
    assert account.run("verify", "home/INBOX").status == 0
    result = account.run("verify", "home/Nowhere")
    assert result.status == 1 and "no such mailbox" in result.err


def test_a_run_that_holds_the_lock_keeps_verify_out(account, remote):
    paired(account, remote, 1)
    with open(account.database.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert account.run("verify").status == 75


def test_thirty_runs_of_a_thirtieth_prove_each_message_once(account, remote):
    paired(account, remote, 65)
    proven_ids = []
    for _ in range(30):
        with sqlite3.connect(account.database) as base:
            base.execute("DELETE FROM proof")
        assert verify(account, "--sample=1/30")[1]["messages"] in (2, 3)
        with sqlite3.connect(account.database) as base:
            proven_ids += [row for row, in base.execute("SELECT row FROM proof")]
    assert len(proven_ids) == len(set(proven_ids)) == 65
    assert verify(account, "--sample=20%")[1]["messages"] == 13


def test_the_oldest_proof_is_told_once_all_have_one(account, remote):
    paired(account, remote, 12)
    sums = [verify(account, "--sample=1/3")[1] for _ in range(3)]
    assert [total["oldest_proof"] is None for total in sums] == [True, True, False]


def test_a_random_share_fetches_its_bodies_alone(account, remote):
    letters = [(remote.append("INBOX", mail.one(n, size=20_000), (), 1_600_000_000 + n), n)
               for n in range(20)]
    account.sync()
    total = verify(account, "--level=bytes", "--sample=10%")[1]
    assert total["messages"] == 2 and len(letters) == 20
    assert 2 * 2 * 19_000 < total["bytes"] < 2 * 2 * 22_000


@pytest.mark.parametrize("wrong", ["--level=all", "--sample=0/3", "--sample=4/3", "--sample=0%",
                                   "--sample=101%", "--sample=x"])
def test_what_verify_does_not_know_is_usage(account, wrong):
    assert account.run("verify", wrong).status == 64


def test_rows_of_an_older_version_learn_what_their_files_are(account, remote):
    letters = paired(account, remote, 3, **ARCHIVE)
    with sqlite3.connect(account.database) as base:
        base.execute("UPDATE row SET content = NULL, mark_inode = 0")
    assert verify(account)[1]["messages"] == 3
    flip(account.local.find("INBOX", letters[0][1]), -10)
    assert named(verify(account, status=1)[0]) == [("differs_here", letters[0][0])]


def test_what_base_cannot_tell_is_compared_with_the_server_first(account, remote):
    letters = paired(account, remote, 4, **ARCHIVE)
    files = [account.local.find("INBOX", wire) for _, wire in letters]
    right = files[1].read_bytes()
    edit(account, "UPDATE row SET content = NULL, mark_inode = 0")
    flip(files[1], -10)
    problems, total = verify(account, "--level=bytes", status=1)
    assert named(problems) == [("differs_here", letters[1][0])]
    assert total["taken"] == 0
    # What is as the server has it is known from now on, and nothing else is.
    flip(files[0], -10)
    problems, total = verify(account, "--level=bytes", "--repair")
    assert named(problems) == [("differs_here", letters[0][0]), ("differs_here", letters[1][0])]
    assert total["repaired"] == 2 and files[1].read_bytes() == right
    edit(account, "UPDATE row SET content = NULL, mark_inode = 0")
    assert verify(account)[1]["taken"] == 4
    assert verify(account)[1]["taken"] == 0


@pytest.mark.parametrize("level", ["files", "bytes"])
def test_a_file_that_cannot_be_read_is_named_and_ends_no_proof_of_the_others(account, remote, level):
    letters = paired(account, remote, 4, **ARCHIVE)
    uids = [uid for uid, _ in letters]
    edit(account, "UPDATE row SET content = NULL WHERE uid = ?", uids[0])
    edit(account, "UPDATE row SET content = zeroblob(32) WHERE uid = ?", uids[2])
    for _, wire in letters[:2]:
        account.local.find("INBOX", wire).chmod(0)
    result = bound(account, f"--level={level}", command="verify")
    there = [("differs_there", uids[2])] if level == "bytes" else []
    assert named(result.of("verify")) == [("differs_here", uid) for uid in uids[:3]] + there
    assert result.status == 1 and result.errors == [] and result.of("verified")[0]["messages"] == 4


def test_where_nothing_can_be_opened_any_more_no_file_is_blamed(account, remote, refuse_shim):
    """No descriptors are left: that says nothing of the files."""
    paired(account, remote, 3)
    env = {"LD_PRELOAD": refuse_shim, "REFUSE_CALLS": ",openat,", "REFUSE_ERRNO": str(errno.EMFILE),
           "REFUSE_ROOT": str(account.local.folder("INBOX") / "cur")}
    for path in account.local.files("INBOX"):
        path.rename(account.local.folder("INBOX") / "cur" / f"{path.name.partition(':')[0]}:2,S")
    account.sync()
    result = account.run("--json", "verify", env=env)
    assert result.status == 74 and result.of("verify") == []
    [error] = result.errors
    assert "Too many open files" in error["message"]
    assert verify(account)[0] == []


def test_what_was_refiled_under_new_names_is_pending(account, remote):
    """As programs do that write messages anew (V19)."""
    remote.create("Archive")
    letters = paired(account, remote, 6)
    files = [account.local.find("INBOX", wire) for _, wire in letters]
    folder = account.local.folder("Archive")
    for number, path in enumerate(files):
        (folder / "new" / f"1700000000.M{number}.host").write_bytes(path.read_bytes())
        path.unlink()
    for level in ("files", "server"):
        problems, total = verify(account, f"--level={level}")
        assert problems == [] and total["pending"] == 6, level
    account.sync()
    assert verify(account)[1]["pending"] == 0


def test_what_is_not_looked_at_on_the_server_is_told(account, remote):
    remote.create("Archive")
    append(remote, 3, "Archive")
    append(remote, 2)
    remote.subscribe("INBOX")
    remote.subscribe("Archive")
    account.change(subscribed_only="yes")
    account.sync()
    assert proven(account, "bytes")["not_compared"] == 0
    remote.run(remote.conn.unsubscribe(remote.wire("Archive")))
    assert proven(account, "files")["messages"] == 5
    for level in ("server", "bytes"):
        result = account.run("--json", "verify", f"--level={level}")
        total, = result.of("verified")
        assert (result.status, total["problems"], total["not_compared"]) == (1, 0, 3)
        assert "subscribed_only" in result.err


def test_a_mailbox_that_is_never_made_there_is_told(account, remote):
    paired(account, remote, 2, create="local")
    account.local.create("Here")
    account.local.deliver("Here", mail.one(9, size=300))
    account.sync()
    assert proven(account, "files")["messages"] == 2
    result = account.run("--json", "verify", "--level=server")
    assert result.status == 1 and "`create`" in result.err
    assert result.of("verified")[0]["not_compared"] == 1


def test_keywords_that_no_sync_would_see_are_named(account, remote):
    letters = append(remote, 3, flags=("\\Seen", "todo", "later"))
    account.sync()
    uids = [uid for uid, _ in letters]
    edit(account, "UPDATE row SET flags = flags & 63 WHERE uid = ?", uids[1])
    problems, _ = verify(account, "--level=server", status=1)
    assert named(problems) == [("keywords", uids[1])]


def proven(account, level):
    problems, total = verify(account, f"--level={level}")
    assert problems == []
    return total


def edit(account, sql, *values):
    with sqlite3.connect(account.database) as base:
        base.execute(sql, values)


@pytest.mark.parametrize("keys", [{}, ARCHIVE], ids=["both", "archive"])
def test_a_clean_account_has_no_problem_at_any_level(account, remote, keys):
    letters = append(remote, 5, flags=("\\Seen", "todo"))
    remote.create("Archive")
    append(remote, 3, "Archive")
    account.change(**keys)
    account.sync()
    before = remote.numbers()
    for level in ("files", "server", "bytes"):
        total = proven(account, level)
        assert total["messages"] == 8 and total["pending"] == 0 and total["level"] == level
    assert total["bytes"] > 2 * sum(len(wire) for _, wire in letters)
    assert remote.numbers() == before


def test_what_no_sync_would_see_is_named(account, remote):
    letters = paired(account, remote, 8)
    uids = [uid for uid, _ in letters]
    files = [account.local.find("INBOX", wire) for _, wire in letters]
    # Base is told wrong things, so that neither side looks changed.
    edit(account, "UPDATE row SET flags = 16 WHERE uid = ?", uids[0])
    edit(account, "DELETE FROM row WHERE uid = ?", uids[1])
    files[1].unlink()
    edit(account, "UPDATE row SET content = zeroblob(32) WHERE uid = ?", uids[3])
    os.utime(files[2], (1_500_000_000, 1_500_000_000))
    problems, _ = verify(account, "--level=bytes", status=1)
    assert named(problems) == sorted([
        ("flags", uids[0]), ("unknown_there", uids[1]), ("date", uids[2]),
        ("differs_here", uids[3]), ("differs_there", uids[3])], key=lambda x: (x[0], x[1] or 0))


def test_changes_on_the_server_are_pending(account, remote):
    (one, _), (two, _), _, _ = paired(account, remote, 4)
    remote.store("INBOX", one, "+FLAGS", "\\Flagged")
    remote.expunge("INBOX", two)
    append(remote, 1, seed="new")
    assert proven(account, "bytes")["pending"] == 3
    account.sync()
    assert proven(account, "bytes")["pending"] == 0


def test_an_archive_of_what_the_server_deleted_is_whole(account, remote):
    (one, _), (two, wire) = paired(account, remote, 2, **ARCHIVE)
    remote.expunge("INBOX", one)
    proven(account, "bytes")
    account.sync()
    proven(account, "bytes")
    account.local.deliver("INBOX", mail.one(7, size=300))
    account.local.set_flags(account.local.find("INBOX", wire), add="F")
    problems, _ = verify(account, "--level=server", status=1)
    assert sorted(problem["problem"] for problem in problems) == ["flags", "unknown_here"]


def test_an_archive_that_lost_the_only_copy_says_so_after_the_sync_too(account, remote):
    (one, wire), (two, moved), _ = paired(account, remote, 3, **ARCHIVE)
    remote.expunge("INBOX", one)
    remote.expunge("INBOX", two)
    account.sync()
    account.local.find("INBOX", wire).unlink()
    account.local.create("Kept")
    account.local.move(account.local.find("INBOX", moved), "Kept")
    account.sync()
    problems, _ = verify(account, status=1)
    assert [problem["problem"] for problem in problems] == ["missing_here"]


def test_a_server_that_lost_what_is_pushed_to_it_misses_it(account, remote):
    (one, _), _ = paired(account, remote, 2, direction="push")
    remote.expunge("INBOX", one)
    for _ in range(2):
        assert named(verify(account, "--level=server", status=1)[0]) == [("missing_there", one)]
        account.sync()


def test_what_is_missing_or_damaged_is_repaired(account, remote):
    letters = append(remote, 6, flags=("\\Seen", "todo"))
    account.change(**ARCHIVE)
    account.sync()
    local = account.local
    files = [local.find("INBOX", wire) for _, wire in letters]
    before = local.snapshot()
    files[0].unlink()
    flip(files[1])
    files[2].write_bytes(b"")
    numbers = remote.numbers()
    problems, total = verify(account, "--repair")
    assert named(problems) == [("differs_here", 2), ("differs_here", 3), ("missing_here", 1)]
    assert all(problem["repaired"] for problem in problems) and total["repaired"] == 3
    assert {name: state for name, state in local.snapshot().items()}.keys() == before.keys()
    for (_, wire), path in zip(letters, files):
        assert path.read_bytes() == wire.replace(b"\r\n", b"\n")
    kept = account.database.with_suffix(".damaged")
    assert sorted(path.stat().st_size for path in kept.iterdir()) == [0, files[1].stat().st_size]
    assert remote.numbers() == numbers
    proven(account, "bytes")
    assert account.sync().did == {}


def test_what_the_server_has_otherwise_is_not_repaired(account, remote):
    letters = paired(account, remote, 2, **ARCHIVE)
    path = account.local.find("INBOX", letters[0][1])
    flip(path)
    edit(account, "UPDATE row SET content = zeroblob(32)")
    damaged = path.read_bytes()
    problems, total = verify(account, "--repair", status=1)
    assert total["repaired"] == 0 and len(problems) == 2
    assert path.read_bytes() == damaged


def test_a_deletion_just_made_is_not_repaired(account, remote):
    letters = paired(account, remote, 3)
    account.local.find("INBOX", letters[0][1]).unlink()
    assert verify(account, "--repair")[1]["pending"] == 1
    account.sync()
    assert remote.uids("INBOX") == [uid for uid, _ in letters[1:]]


# Each step, and in `make check` some.
at_steps = pytest.mark.parametrize("every", [1, 13])


def until_it_ends(account, *args, every):
    """Runs ARGS, stopped at one step after the other: yields after each, until a run gets to its end."""
    for step in range(1, 2000, every):
        stopped = account.run(*args, env={"MAILSYNC_STEP_STOP": str(step)})
        yield step, stopped
        if stopped.status >= 0:
            return
    raise AssertionError("it never ends")


@at_steps
def test_a_repair_that_is_stopped_at_any_step_loses_nothing(account, remote, steps, every):
    letters = append(remote, 3, flags=("\\Flagged",))
    account.change(**ARCHIVE)
    account.sync()
    local = account.local
    files = [local.find("INBOX", wire) for _, wire in letters]
    right = [path.read_bytes() for path in files]
    numbers, damaged = remote.numbers(), right[1][:-7]
    files[0].unlink()
    files[1].write_bytes(damaged)
    for step, _ in until_it_ends(account, "verify", "--repair", every=every):
        kept = list(account.database.with_suffix(".damaged").glob("*"))
        now = files[1].read_bytes()
        assert now == right[1] or now == damaged, step
        assert now == damaged or any(path.read_bytes() == damaged for path in kept), step
        account.sync(status=None)
        assert remote.numbers() == numbers
        verify(account, "--repair")
        assert [path.read_bytes() for path in files] == right, step
        files[0].unlink()
        files[1].write_bytes(damaged)
