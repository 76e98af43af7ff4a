#!/usr/bin/python3
"""`import` and `export`: how fast, against Python's mailbox module, and in how much memory.

tests/bench/transfer.py [--messages N] [--gigabytes N] [--folder DIR]

Needs a build in $MAILSYNC. DIR should lie on a real disk: what is measured is durable.
"""

import argparse
import mailbox
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

FROM = b"From joe Fri Jul 14 02:40:00 2017\n"
HEAD = (b"From: a@example.org\nTo: b@example.org\nDate: Fri, 14 Jul 2017 02:40:00 +0000\n"
        b"Message-ID: <%d@x>\nSubject: message %d\n\n")


def peak_kb(process):
    """Its peak memory, once it has ended."""
    peak = 0
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            peak = max(peak, int(status.split("VmHWM:")[1].split()[0]))
        except (OSError, IndexError):
            pass
        time.sleep(0.02)
    return peak


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "mailsync.conf"
        self.config.touch(0o600)
        self.config.write_text(
            f"[defaults]\nstate_dir = {folder}/state\n[account a]\nhost = 127.0.0.1\nuser = x\n"
            f"password = y\nmaildir = {folder}/mail\n")

    def run(self, what, *args):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        process = subprocess.Popen([os.environ["MAILSYNC"], "-q", "-c", self.config, *args])
        peak = peak_kb(process)
        seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{what}: {seconds:.2f} s, {cpu:.2f} s of CPU, {peak / 1024:.1f} MB", flush=True)
        assert process.returncode == 0
        return seconds

    def write(self, count, body):
        path = self.folder / "mail.mbox"
        with open(path, "wb") as file:
            for number in range(count):
                file.write(FROM + HEAD % (number, number) + body(number) + b"\n")
        print(f"{count} messages, {path.stat().st_size >> 20} MB")
        return path

    def forget(self):
        for name in ("state", "mail", "python"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


def many(bench, count):
    rng = random.Random(1)
    path = bench.write(count, lambda _: b"".join(
        b"%x\n" % rng.getrandbits(256) for _ in range(rng.randrange(5, 80))))
    ours = bench.run("import", "import", "a/INBOX", path)
    bench.run("import again", "import", "a/INBOX", path)
    bench.run("export", "export", "-o", bench.folder / "out.mbox", "a")
    began, used = time.monotonic(), time.process_time()
    target = mailbox.Maildir(bench.folder / "python", create=True)
    for message in mailbox.mbox(path):
        target.add(message)
    seconds, used = time.monotonic() - began, time.process_time() - used
    print(f"Python's mailbox: {seconds:.2f} s, {used:.2f} s of CPU; {seconds / ours:.1f} times")
    bench.forget()


def large(bench, gigabytes):
    line = b"x" * 76 + b"\n"
    path = bench.write(gigabytes * 20_000, lambda n: line * (570 if n else 5_000_000))
    bench.run("import", "import", "a/INBOX", path)
    bench.run("import again", "import", "a/INBOX", path)
    bench.run("export", "export", "-o", bench.folder / "out.mbox", "a")
    bench.forget()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--gigabytes", type=int, default=2)
    parser.add_argument("--folder", default="/var/tmp")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        bench = Bench(pathlib.Path(folder))
        many(bench, given.messages)
        if given.gigabytes:
            large(bench, given.gigabytes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
