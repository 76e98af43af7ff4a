"""When nothing is said: what passes by itself, and what was said already, where nobody looks on."""

import fcntl
import os
import socket
import subprocess

import pytest

from rig.terminal import Terminal
from stories import append, paired


@pytest.fixture
def cron(clock_shim):
    """cron(account, at, *args): a run of account as cron does it, AT seconds from now."""

    def run(account, at, *args, env=None):
        shift = {"LD_PRELOAD": clock_shim, "CLOCK_BY": str(at), "CLOCK_AFTER": "0"}
        return account.run("sync", *args, env={**shift, **(env or {})})

    return run


@pytest.fixture
def offline(account, remote):
    """A synced account of a server that is not there any more."""
    append(remote, 1)
    account.sync()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield account.change(port=free.getsockname()[1])


def test_a_server_that_is_away_is_worth_a_word_after_patience(offline, cron, account):
    told = [(at, bool(cron(offline, at).err)) for at in (0, 300, 3590, 3605, 3900)]
    assert told == [(0, False), (300, False), (3590, False), (3605, True), (3900, True)]
    # A success ends the count.
    away = account.keys["port"]
    account.change(port=account.server.port)
    assert cron(account, 4000) == (0, "", "")
    account.change(port=away)
    assert cron(account, 4300) == (75, "", "")
    assert cron(account, 4300 + 1800) == (75, "", "")
    assert cron(account, 4300 + 3605).err != ""


def test_a_machine_that_slept_begins_to_count_anew_once(offline, cron):
    hour = 3600
    told = [bool(cron(offline, at * hour).err) for at in (0, 8, 8.9, 9.1, 20, 30)]
    assert told == [False, False, False, True, True, True]


@pytest.mark.parametrize("patience, at, is_told", [("0", 300, True), ("10min", 590, False),
                                                   ("10min", 601, True)])
def test_patience_is_a_key(offline, cron, patience, at, is_told):
    offline.change(patience=patience)
    for earlier in (0, 300):
        first = cron(offline, earlier)
        assert first.status == 75 and bool(first.err) == (patience == "0")
    assert bool(cron(offline, at).err) == is_told


def test_an_account_that_was_never_synced_says_it_at_once(account, cron):
    account.change(port=1)
    for at in (0, 300):
        result = cron(account, at)
        assert result.status == 75 and result.err.startswith("mailsync: home: ")


def test_who_looks_on_is_told_at_once(offline, cron):
    assert cron(offline, 0, "-v").err
    assert cron(offline, 0, "--json").events[0]["event"] == "error"
    assert cron(offline, 0) == (75, "", "")
    # The journal.
    read, write = os.pipe()
    inode = os.fstat(write)
    env = offline.environment(JOURNAL_STREAM=f"{inode.st_dev}:{inode.st_ino}")
    subprocess.run(offline.argv("sync"), stderr=write, env=env, check=False)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert "home" in pipe.read()
    env["JOURNAL_STREAM"] = "1:2"
    assert subprocess.run(offline.argv("sync"), capture_output=True, env=env, check=False).stderr == b""


def test_a_pre_sync_that_finds_nothing_ready_is_borne_too(account, remote, cron):
    paired(account, remote, 1, pre_sync="exit 1")
    assert cron(account, 0) == (75, "", "")
    assert cron(account, 1800) == (75, "", "")
    assert "pre_sync ended with status 1" in cron(account, 3601).err


def test_a_lock_that_is_held_is_not_worth_a_word(account, remote):
    paired(account, remote, 1)
    with open(account.database.with_suffix(".lock"), "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert account.run("sync") == (75, "", "")
        assert "lock" in account.run("sync", "-v").err
        assert account.sync(status=75).errors[0]["code"] == "locked"


def test_nor_is_it_in_other_commands(account, remote, tmp_path):
    paired(account, remote, 1)
    (tmp_path / "m.eml").write_bytes(b"Subject: a\n\nx\n")
    with open(account.database.with_suffix(".lock"), "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (("verify",), ("verify", "--level=server"), ("restore", "--all", "home"),
                        ("import", "home/INBOX", str(tmp_path / "m.eml"))):
            assert account.run(*command) == (75, "", ""), command
            assert "another run holds the lock" in account.run("-v", *command).err, command
            assert account.run("--json", *command).errors[0]["code"] == "locked", command


def test_what_the_brake_holds_is_said_when_it_changes_and_once_a_day(account, remote, cron):
    paired(account, remote, 30)
    files = sorted(account.local.files("INBOX"))
    for path in files[:20]:
        path.unlink()
    day = 24 * 3600
    told = []
    for at, is_told in ((0, True), (300, False), (day - 60, False), (day + 60, True),
                        (day + 120, False)):
        result = cron(account, at)
        told.append((result.status, bool(result.err) == is_told, at))
    files[25].unlink()
    assert cron(account, day + 180) == (79, "", ""), "one more is deleted, and not held"
    assert all(status == 79 and is_right for status, is_right, _ in told), told
    assert "--bring-back" in cron(account, day + 240, "-v").err
    assert len(account.sync(status=79).errors) == 1


def test_a_reader_that_has_enough_ends_the_output_without_a_word(account, remote):
    append(remote, 2)
    account.sync()
    for args in (("--json", "sync"), ("status",), ("--help",), ("list",)):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(account.argv(*args), stdout=write, stderr=subprocess.PIPE,
                              env=account.environment(), check=False)
        os.close(write)
        assert (done.returncode, done.stderr) == (0, b""), args


def at_a_terminal(account, *args):
    """A run's status, and what it says on a terminal."""
    with Terminal(account.argv(*args), None, account.environment(TERM="dumb"),
                  stdin=subprocess.DEVNULL) as terminal:
        return terminal.ended(), terminal.shown.replace("\r\n", "\n")


def test_at_a_terminal_a_long_sync_ends_with_what_it_did(make_account, tmp_path):
    account = make_account()
    with account.remote() as remote:
        append(remote, 3)
    other = make_account()
    account.others = {"account other": {**other.keys, "pre_sync": "sleep 1.1"}}
    status, text = at_a_terminal(account)
    lines = [line.rsplit(" (", 1)[0] for line in text.splitlines()]
    assert (status, lines) == (0, ["mailsync: home: 3 downloaded", "mailsync: other: nothing to do",
                                   "mailsync: 2 accounts: 3 downloaded"])
    assert at_a_terminal(account, "sync", "home") == (0, "")
    assert at_a_terminal(account, "-q", "sync") == (0, "")


def test_at_a_terminal_a_server_that_is_away_is_said(offline):
    status, text = at_a_terminal(offline)
    assert status == 75 and text.startswith("mailsync: home: ")
