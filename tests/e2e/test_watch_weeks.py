"""`mailsync watch` for two weeks, in fast forward: it grows by nothing. $MAILSYNC_WEEKS_DAYS says how
many days."""

import os
import pathlib
import signal
import time

from conftest import shim
from rig import mail
from rig.watching import Watch
from stories import agree, append, count


weeks_shim = shim("weeks_shim", "Time that is only waited for is over at once (rig/weeks_shim.c).")

DAYS = float(os.environ.get("MAILSYNC_WEEKS_DAYS", "14"))
STEP_MS = 6 * 3600 * 1000
GROWTH_KB = 1024                     # what an allocator may take its time to find


class Weeks:
    def __init__(self, folder):
        self.files = {name: pathlib.Path(folder) / name for name in ("until", "at", "slept")}
        for path in self.files.values():
            path.write_text("0\n")
        self.env = {f"WEEKS_{name.upper()}": str(path) for name, path in self.files.items()}

    def get(self, name):
        return int(self.files[name].read_text() or "0")

    def until(self, watch, ms):
        self.files["until"].write_text(f"{ms}\n")
        watch.wait(lambda: self.get("at") >= ms, f"{ms / 3_600_000:.0f} hours have gone by", timeout=600)

    def sleep(self, seconds):
        self.files["slept"].write_text(f"{self.get('slept') + seconds}\n")


def size_of(pid):
    """(kB in memory, descriptors, threads)"""
    status = dict(line.split(":", 1) for line in
                  pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(status["VmRSS"].split()[0]), len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"])


def test_two_weeks_leave_nothing_behind(account, make_account, tmp_path, weeks_shim):
    weeks = Weeks(tmp_path)
    account.change(watch_interval="15m")
    second = make_account(account.server, disable_extensions="NOTIFY", watch_interval="15m")
    section = dict(second.keys)
    account.others["account second"] = section
    with account.remote() as session:
        append(session, 5)
    sizes = []
    with Watch(account, preload=weeks_shim, env=weeks.env) as watch:
        for name, how in (("home", "notify"), ("second", "idle")):
            watch.until("watching", account=name, how=how)
        began, steps = time.monotonic(), int(DAYS * 4)
        for step in range(1, steps + 1):
            expected = count(account) + 1
            act(step, watch, account, second, weeks, section)
            watch.wait(lambda e=expected: count(account) == e, f"the letter of step {step}", timeout=180)
            weeks.until(watch, step * STEP_MS)
            if step % 4 == 0:
                sizes.append((*size_of(watch.process.pid), os.stat(account.database).st_size))
                print(f"day {step // 4}: {sizes[-1]}, {len(watch.of('account'))} syncs, "
                      f"{time.monotonic() - began:.0f} s", flush=True)
    with account.remote() as session:
        agree(account, session)
    # While the server is started again a time-out of fast time may be over before it is there.
    assert all("Connection refused" in line for line in watch.lines), watch.lines
    if len(sizes) > 4:                   # by then each thing has happened twice
        assert sizes[-1][0] <= sizes[3][0] + GROWTH_KB, sizes
        # Whether the connection of the last sync is still kept differs.
        assert max(size[1] for size in sizes[-3:]) <= max(size[1] for size in sizes[:3]), sizes
        assert sizes[-1][3] <= sizes[1][3] + 65536, sizes


def act(step, watch, account, second, weeks, section):
    """What happens in six hours: always a letter; and by turns what else may."""
    letter = mail.one(step, seed="weeks", size=2000)
    what = step % 8
    if what == 1:
        account.server.end_process()
        account.server.start()
    with account.remote() as session:
        session.append("INBOX", letter, (), 1_600_000_000)
        if what == 2:
            session.store("INBOX", session.uids("INBOX")[0], "+FLAGS" if step % 16 == 2 else "-FLAGS", "\\Flagged")
    if what == 3:
        second.local.create("INBOX")
        second.local.deliver("INBOX", letter)
    elif what == 4:
        watch.send(signal.SIGHUP)
    elif what == 5:
        section["watch_renew"] = f"{5 + step % 4}m"
        account.write_config()
        watch.send(signal.SIGHUP)
    elif what == 6:
        weeks.sleep(8 * 3600)
    elif what == 7:
        watch.send(signal.SIGUSR1)
