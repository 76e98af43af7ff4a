"""verify of an archive: what it lost is told until its user says that it is well, whatever the server
does meanwhile."""

import os

import pytest

from rig import mail
from stories import append, paired
from test_disk import bound
from test_verify import ARCHIVE, flip, named, verify


def missing(account, *args):
    """The files that are missed, and the status that it is told with."""
    result = account.run("--json", "verify", *args)
    found = [problem for problem in result.of("verify") if problem["problem"] == "missing_here"]
    assert result.status == (1 if result.of("verify") else 0), result
    return len(found)


def test_a_loss_that_the_server_followed_is_told_until_it_is_accepted(account, remote):
    (one, wire), (two, other), _ = paired(account, remote, 3, **ARCHIVE)
    account.local.find("INBOX", wire).unlink()
    account.sync()
    remote.expunge("INBOX", one)
    account.local.find("INBOX", other).unlink()       # and this one in the same moment
    remote.expunge("INBOX", two)
    for _ in range(2):
        account.sync()
        for level in ("files", "server"):
            assert missing(account, f"--level={level}") == 2
    assert missing(account, "--accept-missing") == 0
    account.sync()
    assert missing(account, "--level=server") == 0


def test_a_loss_that_is_accepted_while_the_server_has_the_message_stays_accepted(account, remote):
    (one, wire), _ = paired(account, remote, 2, **ARCHIVE)
    account.local.find("INBOX", wire).unlink()
    assert missing(account) == 1
    assert missing(account, "--accept-missing") == 0
    account.sync()
    remote.expunge("INBOX", one)
    account.sync()
    assert missing(account) == 0


@pytest.mark.parametrize("has_server", [True, False])
def test_a_file_that_came_back_and_is_lost_again_is_told(account, remote, has_server):
    (one, wire), _ = paired(account, remote, 2, **ARCHIVE)
    path = account.local.find("INBOX", wire)
    content, times = path.read_bytes(), path.stat()
    path.unlink()
    account.sync()
    if not has_server:
        remote.expunge("INBOX", one)
        account.sync()
    assert missing(account, "--accept-missing") == 0
    account.sync()
    assert missing(account) == 0
    path.write_bytes(content)
    os.utime(path, (times.st_atime, times.st_mtime))
    account.sync()
    assert missing(account) == 0
    path.unlink()
    account.sync()
    assert missing(account) == 1
    assert missing(account, "--accept-missing") == 0 and missing(account) == 0


def test_many_losses_are_accepted_at_once(account, remote, steps, tmp_path):
    def commits(*args):
        log = tmp_path / "steps"
        log.unlink(missing_ok=True)
        account.run("verify", *args, env={"MAILSYNC_STEP_LOG": str(log)})
        return sum("commit" in line for line in log.read_text().splitlines())
    for _, wire in paired(account, remote, 20, **ARCHIVE)[:12]:
        account.local.find("INBOX", wire).unlink()
    assert commits("--accept-missing") == commits() + 1
    assert missing(account) == 0


def test_a_mailbox_that_the_server_lost_is_proven_still(account, remote):
    remote.create("Projects")
    letters = append(remote, 5, "Projects")
    account.change(**ARCHIVE)
    account.sync()
    remote.delete_mailbox("Projects")
    account.sync()
    account.sync()
    assert verify(account)[0] == []
    files = [account.local.find("Projects", wire) for _, wire in letters]
    files[0].unlink()
    flip(files[1])
    account.sync()
    problems, _ = verify(account, status=1)
    assert sorted(problem["problem"] for problem in problems) == ["differs_here", "missing_here"]
    assert all(problem["mailbox"] == "Projects" for problem in problems)
    # It comes back, with all that the archive had.
    result = account.run("restore", "--all", "home")
    assert result.status == 0, result
    assert len(remote.uids("Projects")) == 4


def test_a_kept_file_that_cannot_be_read_ends_no_proof_of_the_others(account, remote):
    remote.create("Projects")
    letters = append(remote, 2, "Projects")
    account.change(**ARCHIVE)
    account.sync()
    remote.delete_mailbox("Projects")
    account.sync()
    files = sorted(account.local.find("Projects", wire) for _, wire in letters)
    files[0].chmod(0)
    flip(files[1])
    result = bound(account, command="verify")
    assert [problem["problem"] for problem in result.of("verify")] == ["differs_here"] * 2
    assert result.errors == []


def test_a_mailbox_that_takes_part_no_more_is_not_proven(account, remote):
    remote.create("Projects")
    append(remote, 1, "Projects")
    account.change(**ARCHIVE)
    account.sync()
    remote.delete_mailbox("Projects")
    for path in account.local.files("Projects"):
        path.unlink()
    account.sync()
    assert missing(account) == 1
    account.change(mailboxes="* !Projects")
    assert missing(account) == 0


@pytest.mark.parametrize("keys, run", [({"delete": "remote"}, ["--pull", "sync", "home"]),
                                       ({}, ["restore", "--all", "home"])], ids=["pull", "restore"])
def test_one_run_makes_no_archive_of_an_account(account, remote, keys, run):
    (one, wire), _ = paired(account, remote, 2, **keys)
    account.local.find("INBOX", wire).unlink()
    remote.expunge("INBOX", one)
    assert account.run(*run).status == 0
    account.sync()
    assert missing(account) == 0


def test_a_folder_that_went_with_what_the_server_had_no_more_is_missed(account, remote):
    remote.create("Projects")
    letters = append(remote, 4, "Projects")
    account.change(**ARCHIVE)
    account.sync()
    for uid, _ in letters[:3]:
        remote.expunge("Projects", uid)
    account.sync()
    account.local.remove("Projects")
    account.sync("--allow-mass-delete")
    account.sync()
    assert account.local.find("Projects", letters[3][1]) is not None
    assert missing(account) == 3


def test_a_mailbox_that_was_numbered_anew_is_proven_still(account, remote):
    letters = append(remote, 4)
    remote.create("Box")
    boxed = append(remote, 4, "Box")
    account.change(**ARCHIVE)
    account.sync()
    remote.expunge("Box", boxed[0][0])
    account.sync()
    account.local.find("Box", boxed[1][1]).unlink()
    remote.select("INBOX")
    remote.delete_mailbox("Box")
    remote.create("Box")
    for _, wire in boxed[2:]:
        remote.append("Box", wire, (), 1_600_000_000)
    account.sync()
    account.sync()
    assert len(letters) == 4
    # The one that it lost is missed; the one that only the archive has is proven.
    problems, _ = verify(account, status=1)
    assert [problem["problem"] for problem in problems] == ["missing_here"]
    flip(account.local.find("Box", boxed[0][1]))
    problems, _ = verify(account, status=1)
    assert sorted(problem["problem"] for problem in problems) == ["differs_here", "missing_here"]


def test_check_says_what_waits_and_the_way_on(account, remote):
    letters = append(remote, 4)
    remote.append("INBOX", mail.one(90, size=9000), (), 1_600_000_000)
    account.change(max_message_size="5k", **ARCHIVE)
    account.sync()
    remote.expunge("INBOX", letters[0][0])
    account.local.find("INBOX", letters[1][1]).unlink()
    account.sync()
    said = account.run("check").out
    assert "max_message_size" in said and "mailsync restore" in said and "--repair" in said
    assert "MB free" in said and "never verified" in said
    told, = account.run("--json", "status").of("status")
    assert told["free_bytes"] > 0 and told["unproven"] == 4 and told["oldest_proof"] is None
    assert missing(account, "--accept-missing") == 0
    said = account.run("check").out
    assert "mailsync restore" in said and "--repair" not in said
