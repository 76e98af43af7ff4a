#!/usr/bin/env python3
"""How long a message takes to the other side while something watches: `mailsync watch`, and mbsync
started by a client that idles.

    tests/bench/watching.py [--events N] [--only WORD]... [--gap SECONDS]

From the server's OK to the file, and from the file to the server's answer that it is there; single
events, some time apart, on private servers over TLS.
"""

import argparse
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from peers import Mbsync                  # noqa: E402
from rig import mail, program             # noqa: E402
from rig.cyrus import Cyrus               # noqa: E402
from rig.dovecot import Dovecot           # noqa: E402
from rig.imap import Imap                 # noqa: E402
from rig.maildir import Maildir           # noqa: E402
from rig.watching import Watch            # noqa: E402

PATIENCE = 60


def wire(number, seed):
    return mail.one(number, seed=seed, size=2000)


def names(folder):
    return set(os.listdir(folder / "new")) | set(os.listdir(folder / "cur"))


def until(holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            return None
        time.sleep(0.002)
    return time.monotonic()


class OwnWatch:
    name = "mailsync watch"
    pushes = True

    def __init__(self, place, server, user, **keys):
        self.account = program.Account(place, server, user, tls="implicit", watch_interval="1h",
                                       **keys)
        self.mail = pathlib.Path(self.account.keys["maildir"])
        self.watch = Watch(self.account)
        self.how = self.watch.until("watching")["how"]

    def end(self):
        self.watch.end()


class IdlingMbsync:
    """What people put together: a client that idles and runs mbsync for INBOX."""

    name, how = "mbsync, by a client that idles", "idle"
    pushes = False

    def __init__(self, place, server, user):
        self.peer = Mbsync(place, server, user, server.port + 1, True)
        self.mail = self.peer.mail
        self.run()
        self.is_over = False
        self.session = Imap(server.port, user)
        self.session.select("INBOX")
        self.thread = threading.Thread(target=self.idle)
        self.thread.start()
        time.sleep(0.5)

    def run(self):
        subprocess.run(self.peer.argv(), env=self.peer.environment(), check=False)

    def idle(self):
        conn = self.session.conn
        conn.sock.settimeout(0.5)
        conn.send(b"x1 IDLE\r\n")
        while not self.is_over:
            try:
                data = conn.sock.recv(4096)
            except TimeoutError:
                continue
            if b"EXISTS" in data:
                self.run()

    def end(self):
        self.is_over = True
        self.thread.join()


def to_file(runner, session, count, gap, rng):
    """Seconds from the server's OK to the file."""
    took = []
    folder = runner.mail / "INBOX"
    for number in range(count):
        before = names(folder)
        session.append("INBOX", wire(number, "there"), (), 1_600_000_000 + number)
        began = time.monotonic()
        ended = until(lambda: names(folder) - before)
        took.append(PATIENCE if ended is None else ended - began)
        time.sleep(rng.uniform(gap, 2 * gap))
    return took


def to_server(runner, session, count, gap, rng):
    """Seconds from the file to the server's count of it."""
    took = []
    maildir = Maildir(runner.mail)
    for number in range(count):
        want = session.status("INBOX", "MESSAGES")["MESSAGES"] + 1
        maildir.deliver("INBOX", wire(number, "here"))
        began = time.monotonic()
        ended = until(lambda: session.status("INBOX", "MESSAGES")["MESSAGES"] >= want)
        took.append(PATIENCE if ended is None else ended - began)
        time.sleep(rng.uniform(gap, 2 * gap))
    return took


def told(took):
    took = sorted(took)
    at = min(len(took) - 1, round(0.95 * len(took)) - 1)
    return f"{statistics.median(took):.2f} / {took[max(at, 0)]:.2f}"


def row(place, number, server, title, make, options):
    user = f"bench{number}"
    if hasattr(server, "add_user"):
        server.add_user(user)
    rng = random.Random(number)
    with Imap(server.port, user) as session:
        session.append("INBOX", wire(1, "first"), (), 1_600_000_000)
        runner = make(place / user, server, user)
        try:
            there = told(to_file(runner, session, options.events, options.gap, rng))
            here = told(to_server(runner, session, options.events, options.gap, rng)) \
                if runner.pushes else "-"
        finally:
            runner.end()
    print(f"| {title} | {runner.name} ({runner.how}) | {there} | {here} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--gap", type=float, default=0.4)
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    dovecot, cyrus = Dovecot(), Cyrus()
    rows = [
        (dovecot, "Dovecot, NOTIFY", OwnWatch),
        (dovecot, "Dovecot, IDLE", lambda *at: OwnWatch(*at, watch="idle")),
        (cyrus, "Cyrus, IDLE", OwnWatch),
        (dovecot, "Dovecot, IDLE", IdlingMbsync),
        (cyrus, "Cyrus, IDLE", IdlingMbsync),
    ]
    print("| server | watched by | to the file: p50 / p95 | to the server: p50 / p95 |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=os.environ.get("MAILSYNC_BENCH_DIR", "/var/tmp")) as place:
        for server in (dovecot, cyrus):
            server.start()
        try:
            for number, (server, title, make) in enumerate(rows):
                if all(word in f"{title} {getattr(make, 'name', 'mailsync')}" for word in options.only):
                    row(pathlib.Path(place), number, server, title, make, options)
        finally:
            for server in (dovecot, cyrus):
                server.stop()


if __name__ == "__main__":
    main()
