"""verify: what is damaged is found and named rightly; what the next sync settles is no problem."""

import sqlite3

import pytest

from rig import mail
from stories import append, paired

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
    return sorted((problem["problem"], problem["uid"]) for problem in problems)


def flip(path, at=100):
    """One bit of it."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


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


def test_a_run_that_holds_the_lock_keeps_verify_out(account, remote):
    paired(account, remote, 1)
    import fcntl
    with open(account.database.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert account.run("verify").status == 75


def test_thirty_runs_of_a_thirtieth_prove_each_message_once(account, remote):
    paired(account, remote, 65)
    sums = [verify(account, "--sample=1/10")[1] for _ in range(10)]
    assert sum(total["messages"] for total in sums) == 65
    assert all(total["oldest_proof"] is None for total in sums[:9])
    assert sums[9]["oldest_proof"] is not None
    assert verify(account, "--sample=20%")[1]["messages"] == 13


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
