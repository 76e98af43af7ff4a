#!/usr/bin/python3
"""`verify`: its pace against that of `openssl dgst` over the same files, and of a first pull.

tests/bench/verifying.py [--messages N] [--size BYTES] [--runs N] [--folder DIR]

Needs a build in $MAILSYNC. The runs alternate, and the ratios are of one run each: on a machine that
others use, too, these compare. Medians.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import cases                         # noqa: E402
from rig import program              # noqa: E402
from rig.dovecot import Dovecot      # noqa: E402
from transfer import peak_kb         # noqa: E402


def measured(command, **options):
    """(wall seconds, CPU seconds, peak MB) of COMMAND."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(command, **options)
    peak = peak_kb(process)
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process.returncode == 0, command
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, peak / 1024


class Bench:
    def __init__(self, folder, count, size):
        self.folder, self.count = pathlib.Path(folder), count
        self.server = Dovecot()
        self.server.start()
        self.serial = 0
        cases.pour(self.server, "joe", [("INBOX", count, size)])

    def anew(self):
        self.serial += 1
        self.account = program.Account(self.folder / f"a{self.serial}", self.server, "joe",
                                       tls="implicit", timeout=600)

    def ours(self, *args):
        self.account.write_config()
        return measured(self.account.argv(*args), env=self.account.environment())

    def openssl(self):
        command = ("find cur new -type f -print0 | xargs -0 openssl dgst -sha256 >/dev/null")
        return measured(["sh", "-c", command], cwd=self.account.local.folder("INBOX"))

    def round(self):
        self.anew()
        found = {"first pull": self.ours("sync"), "bytes": self.ours("verify", "--level=bytes")}
        for what, run in (("openssl dgst", self.openssl),
                          ("files", lambda: self.ours("verify", "--level=files"))):
            run()                        # both meet the same caches
            found[what] = run()
        found["server"] = self.ours("verify", "--level=server")
        return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--size", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", default="/var/tmp")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        bench = Bench(folder, given.messages, given.size)
        try:
            rounds = []
            for _ in range(given.runs):
                rounds.append(bench.round())
                for what, (wall, cpu, peak) in rounds[-1].items():
                    print(f"{what}: {wall:.2f} s, {cpu:.2f} s of CPU, {peak:.1f} MB", flush=True)
        finally:
            bench.server.stop()
        print(f"load {os.getloadavg()[0]:.0f}; medians of {given.runs}, {given.messages} messages")
        for what in rounds[0]:
            wall, cpu, peak = (statistics.median(found[what][n] for found in rounds)
                               for n in range(3))
            print(f"| {what} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |")
        for what, of in (("files", "openssl dgst"), ("bytes", "first pull")):
            for n, name in ((0, "wall"), (1, "CPU")):
                pace = statistics.median(found[of][n] / found[what][n] for found in rounds)
                print(f"pace of {what} to that of {of}, {name}: {pace:.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
