"""on_change and its list: replayed, it tells an indexer what the Maildir holds, whatever dies when; and
on_error."""

import os
import pathlib
import select

import pytest

from rig import program
from stories import append, uids

CUR = ("cur", "new")


class Index:
    """What an indexer knows that goes by the lists alone."""

    def __init__(self, account):
        self.account = account
        self.seen = account.folder / "lists"
        account.change(on_change=f"cat \"$MAILSYNC_CHANGES\" >>{self.seen}")
        self.known, self.records = set(), []

    def take(self):
        """Goes by what was listed since the last call; the records, without the root."""
        raw = self.seen.read_bytes() if self.seen.exists() else b""
        assert raw == b"" or raw.endswith(b"\0")
        self.seen.unlink(missing_ok=True)
        root = os.path.realpath(self.account.keys["maildir"]) + "/"
        records = [record.decode() for record in raw.split(b"\0")[:-1]]
        for record in records:
            assert record[0] in "+-=>" and record[1:].startswith(root), record
            if record[0] in "+>":
                self.known.add(record[1:])
            else:
                self.known.discard(record[1:])
        return [record[0] + record[1 + len(root):] for record in records]

    def agrees(self):
        """The tree, but for what the user put there."""
        assert self.known == files(self.account)


def files(account):
    root = pathlib.Path(os.path.realpath(account.keys["maildir"]))
    return {str(path) for path in root.rglob("*") if path.is_file() and path.parent.name in CUR}


def state_files(account):
    return sorted(path.name for path in account.database.parent.iterdir())


@pytest.fixture
def index(account):
    return Index(account)


def test_on_change_runs_only_when_a_file_was_changed(account, remote, index):
    account.sync()
    assert not index.seen.exists()
    (uid, wire), *_ = append(remote, 2)
    account.sync()
    assert [record[:11] for record in index.take()] == ["+INBOX/new/"] * 2
    index.agrees()
    account.sync()
    account.sync("--dry-run")
    assert not index.seen.exists()
    # What changes on the server alone.
    path = account.local.find("INBOX", wire)
    path.rename(path.parent.parent / "cur" / f"{path.name}:2,S")
    account.sync()
    assert not index.seen.exists() and "S" in remote.flags("INBOX", uid)
    assert not [name for name in state_files(account) if "changes" in name and "lock" not in name]


def test_everything_that_changes_a_file_is_listed(account, remote, index):
    kept = append(remote, 6)
    remote.create("Work")
    account.sync()
    index.take()
    index.agrees()
    (first, _), (second, _), (third, _), (fourth, wire), *_ = kept
    remote.store("INBOX", first, "+FLAGS", "\\Seen")
    remote.store("INBOX", second, "+FLAGS", "todo")
    remote.expunge("INBOX", third)
    remote.move("INBOX", fourth, "Work")
    account.sync()
    signs = sorted(record[0] for record in index.take())
    assert signs == sorted("=>" * 3 + "-"), signs
    index.agrees()
    assert account.local.find("Work", wire)
    remote.rename("Work", "Play")
    account.sync()
    old, new = index.take()
    assert old.startswith("=Work/") and new == ">Play/" + old[6:]
    index.agrees()


def test_a_list_whose_hook_failed_begins_the_next(account, remote, index):
    append(remote, 1, seed="one")
    command = account.keys["on_change"]
    account.change(on_change="exit 3")
    assert account.sync(status=1).errors[0]["message"].startswith("on_change ended with status 3")
    append(remote, 1, seed="two")
    account.change(on_change=None)
    account.change(on_change=f"test -f $MAILSYNC_CHANGES && {command}")
    account.sync()
    assert [record[0] for record in index.take()] == ["+", "+"]
    index.agrees()
    account.sync()
    assert not index.seen.exists()


def test_a_hook_sees_the_list_and_then_it_is_gone(account, remote):
    note = account.folder / "note"
    account.change(pre_sync=f"echo \"pre=$MAILSYNC_CHANGES.\" >>{note}",
                   post_sync=f"wc -c <$MAILSYNC_CHANGES >>{note}; echo $MAILSYNC_CHANGES >>{note}")
    account.sync()
    pre, size, path = note.read_text().split()
    assert (pre, size) == ("pre=.", "0") and os.path.isabs(path) and not os.path.exists(path)


@pytest.mark.parametrize("stop", range(2, 60, 6))
def test_a_run_that_dies_forgets_no_change(account, remote, index, steps, stop):
    account.sync()
    for uid, _ in append(remote, 3):
        remote.store("INBOX", uid, "+FLAGS", "\\Flagged")
    account.sync()
    index.take()
    first, second, _ = uids(remote)
    remote.expunge("INBOX", first)
    remote.store("INBOX", second, "+FLAGS", "\\Seen")
    append(remote, 2, seed="more")
    account.run("sync", env={"MAILSYNC_STEP_STOP": str(stop)})
    for _ in range(2):
        account.sync()
    index.take()
    ghosts = index.known - files(account)
    assert files(account) <= index.known and len(ghosts) <= 1, ghosts


def test_hooks_of_two_runs_never_run_at_once(account, remote):
    log = account.folder / "log"
    began = account.folder / "began"
    account.change(post_sync=f"echo in >>{log}; echo >{began}; while test ! -e {log}.go; do sleep .02; "
                             f"done; echo out >>{log}")
    first = account.start("sync")
    program.wait_until(began.exists)
    second = account.start("--json", "sync")
    # The second has synced, and waits: nothing of it comes yet.
    assert select.select([second.stdout], [], [], 0.3)[0] == [] and log.read_text() == "in\n"
    pathlib.Path(f"{log}.go").touch()
    assert program.finish(first).status == program.finish(second).status == 0
    assert log.read_text() == "in\nout\n" * 2


def test_a_hook_may_call_mailsync(account):
    count = account.folder / "count"
    argv = " ".join(account.argv("sync"))
    account.change(post_sync=f"echo >>{count}; {argv}")
    assert account.sync().status == 0
    assert count.read_text() == "\n"


def test_on_error_runs_when_it_is_worth_a_word(account, remote, clock_shim):
    note = account.folder / "note"
    account.change(on_error=f"echo $MAILSYNC_ACCOUNT $MAILSYNC_STATUS >>{note}")

    def told(status, at=0, **keys):
        account.change(**keys).sync(status=status, env={"LD_PRELOAD": clock_shim, "CLOCK_BY": str(at),
                                         "CLOCK_AFTER": "0"})
        text = note.read_text() if note.exists() else ""
        note.unlink(missing_ok=True)
        return text

    port = account.keys["port"]
    assert told(0) == ""
    assert told(75, 0, port=1) == told(75, 1800) == ""
    assert told(75, 3601) == "home 75\n"
    assert told(1, 3700, port=port, post_sync="exit 1") == "home 1\n"
    assert told(77, 3800, password="wrong", post_sync="true") == "home 77\n"
    account.others = {"account other": dict(account.keys)}
    assert sorted(told(None, 3900).splitlines()) == ["home 77", "other 78"]


def test_pop3_lists_what_it_delivers(make_account, dovecots):
    server = dovecots()
    account = make_account(server, protocol="pop3", port=server.port + 2)
    with account.remote() as remote:
        append(remote, 2)
    index = Index(account)
    account.sync()
    assert [record[0] for record in index.take()] == ["+", "+"]
    index.agrees()
