"""The run after one that changed a large folder itself reads no folder; and reads it where anybody else changed
it, too."""

import os
import signal

import pytest

from rig import mail, program
from stories import agree, uids

LARGE = 10_000                               # MESSAGES_MIN of src/sync/run/alone.c


def reads_no_folder(account):
    """A run that stands still before it reads one would be stopped."""
    process = account.start("--json", "sync", env={"MAILSYNC_STEP_LOOK": "1"})
    if program.is_stopped(process):
        os.kill(process.pid, signal.SIGKILL)
        program.finish(process)
        return False
    result = program.finish(process)
    assert result.status == 0 and result.did == {}, result
    return True


@pytest.fixture
def large(make_account, steps):
    """An account of a large mailbox, just pulled; and the server's side."""
    account = make_account()
    with account.remote() as remote:
        mail.pour(remote, "INBOX", (mail.Letter("INBOX", mail.one(n, "large", size=200), ("\\Seen",),
                                                1_500_000_000 + n) for n in range(LARGE)))
        assert account.sync().did == {"downloaded": LARGE}
        yield account, remote


def change(account, remote, what):
    first = uids(remote)[0]
    if what == "a flag there":
        remote.store("INBOX", first, "+FLAGS", "\\Flagged")
    elif what == "new there":
        remote.append("INBOX", mail.one(1, "new"))
    elif what == "gone there":
        remote.expunge("INBOX", first)
    elif what == "new here":
        account.local.deliver("INBOX", mail.one(2, "new"), "S")
    elif what == "gone here":
        next(iter(account.local.files("INBOX"))).unlink()


def test_what_only_we_changed_is_not_read_again(large):
    account, remote = large
    assert reads_no_folder(account), "after the pull"
    for what in ("a flag there", "new there", "gone there", "new here", "gone here"):
        change(account, remote, what)
        assert account.sync().did
        assert reads_no_folder(account), what
    agree(account, remote)


def test_what_another_program_changes_meanwhile_is_seen_by_the_next_run(large):
    account, remote = large
    first, second = uids(remote)[:2]
    steps = account.folder / "steps"
    remote.store("INBOX", first, "+FLAGS", "\\Flagged")
    account.sync(env={"MAILSYNC_STEP_LOG": str(steps)})
    renames = [line for line in steps.read_text().splitlines() if "rename" in line and "2,F" in line]
    number = renames[0].split()[0] if renames else "1"
    remote.store("INBOX", second, "+FLAGS", "\\Flagged")
    process = account.start("--json", "sync", env={"MAILSYNC_STEP_PAUSE": number})
    assert program.is_stopped(process)
    other = sorted(account.local.files("INBOX"))[LARGE // 2]
    other.rename(other.parent.parent / "cur" / f"{other.name.split(':')[0]}:2,R")
    os.kill(process.pid, signal.SIGCONT)
    assert program.finish(process).status == 0
    assert not reads_no_folder(account)
    account.sync()
    agree(account, remote)
    uid = int(other.name.split(".")[1].split("_")[-1])
    assert "R" in remote.flags("INBOX", uid)
