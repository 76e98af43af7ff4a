"""`mailsync watch` under a service manager: what it tells, and its watchdog. Its unit is looked at by
test_install.py."""

import pathlib
import signal
import socket

import pytest

from rig import program
from rig.watching import Watch

DEMANDED_S = 0.4                             # between two signs of life


class Manager:
    """The end of $NOTIFY_SOCKET."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.env = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(DEMANDED_S * 1_000_000))}

    def next(self, timeout=program.TIMEOUT):
        self.socket.settimeout(timeout)
        return self.socket.recv(4096).decode()

    def until(self, begin):
        """Takes all up to what begins so; what came before, and it."""
        heard = []
        while not heard or not heard[-1].startswith(begin):
            heard.append(self.next())
        return heard

    def drain(self):
        try:
            while True:
                self.next(timeout=0.001)
        except TimeoutError:
            pass

    def close(self):
        self.socket.close()


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


def test_the_manager_is_told_and_the_watchdog_fed_while_a_hook_takes_its_time(account, manager):
    began, go = account.folder / "began", account.folder / "go"
    note = account.folder / "environment"
    account.change(watch="poll", watch_interval="1h",
                   post_sync=f"env >{note}; echo >{began}; while ! test -e {go}; do sleep .02; done")
    with Watch(account, env=manager.env) as watch:
        assert manager.until("READY=1")[0] == "READY=1", "before the first sync"
        program.wait_until(began.exists)
        manager.drain()
        for _ in range(3):                   # each within the time demanded
            assert manager.next(DEMANDED_S * 5).startswith(("WATCHDOG=1", "STATUS="))
        assert "NOTIFY_SOCKET" not in note.read_text() and "WATCHDOG" not in note.read_text()
        go.touch()
        watch.until("watching")
        assert manager.until("STATUS=1 account: 1 watched, 0 syncing")
        # Held, it gives no sign of life, and the manager would start it anew.
        watch.send(signal.SIGSTOP)
        program.wait_until(lambda: is_held(watch.process.pid))
        manager.drain()
        with pytest.raises(TimeoutError):
            manager.next(DEMANDED_S * 2)
        watch.send(signal.SIGCONT)
        manager.until("WATCHDOG=1")
        account.write_config()
        watch.send(signal.SIGHUP)
        reloading = manager.until("RELOADING=1")[-1]
        assert reloading.splitlines()[1].startswith("MONOTONIC_USEC=")
        manager.until("READY=1")
        watch.send(signal.SIGTERM)
        manager.until("STOPPING=1")
        assert watch.ended().status == 0


def test_a_hook_that_is_waited_for_at_the_end_feeds_the_watchdog_too(account, manager):
    began, go = account.folder / "began", account.folder / "go"
    account.change(watch="poll", post_sync=f"echo >{began}; while ! test -e {go}; do sleep .02; done")
    with Watch(account, env=manager.env) as watch:
        program.wait_until(began.exists)
        account.change(watch_interval="1h").write_config()
        watch.send(signal.SIGHUP)
        manager.until("RELOADING=1")
        for _ in range(3):
            assert manager.next(DEMANDED_S * 5) == "WATCHDOG=1"
        go.touch()
        assert "READY=1" in manager.until("READY=1")


def is_held(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
