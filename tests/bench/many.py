#!/usr/bin/env python3
"""Many accounts with nothing to do in one run, over TLS, on a private Dovecot: some builds in turn.

    tests/bench/many.py [--accounts N] [--runs N] [--tls none|implicit] [--bundle] [--ready] [--dir DIR]
                        [PROGRAM [ARG]...]...

Dovecot as it comes begins a process for each session, which is most of its time; --ready has it keep them, and keep
the keys of SCRAM rather than the password. Programs stand apart by `--`: `many.py build/mailsync -- old/mailsync -- build/mailsync --jobs 4`.
Medians: seconds on the clock, and of CPU in the program and in the server.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from rig import program                   # noqa: E402
from rig.dovecot import Dovecot           # noqa: E402
from rig.host import PASSWORD, quiet      # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
READY = """
service imap {
  service_count = 10000
  client_limit = 1
  process_min_avail = 16
}
"""


class Ready(Dovecot):
    """Its sessions find a process, and their passwords a key."""

    def __init__(self):
        super().__init__(extra=READY)

    def write_conf(self, capabilities):
        super().write_conf(capabilities)
        key = quiet(["doveadm", "pw", "-s", "SCRAM-SHA-256", "-p", PASSWORD]).strip()
        text = self.conf.read_text()
        self.conf.write_text(text.replace(f"args = password={PASSWORD}", f"args = password={key}"))


def cpu_of_session(session):
    """CPU seconds of the processes of SESSION, and of those that they have waited for."""
    total = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session:
                total += sum(map(int, fields[11:15]))
    return total / TICK


def write_config(place, server, options):
    """PLACE gets state and Maildirs of its own: an older build cannot read what a newer one has written."""
    first = program.Account(place, server, "many0", tls=options.tls, password=PASSWORD)
    if options.tls != "none" and options.bundle:
        bundle = pathlib.Path(place) / "bundle.pem"
        bundle.write_text(pathlib.Path("/etc/ssl/certs/ca-certificates.crt").read_text()
                          + pathlib.Path(server.ca).read_text())
        first.keys["tls_ca_file"] = str(bundle)
    for number in range(1, options.accounts):
        first.others[f"account a{number}"] = dict(
            first.keys, user=f"many{number}", maildir=str(pathlib.Path(place) / f"mail{number}"))
    first.write_config()
    return first


def one_run(argv, account, server):
    """(seconds, of CPU here, of CPU in the server)"""
    before, served = os.times(), cpu_of_session(server.process.pid)
    began = time.monotonic()
    done = subprocess.run([*argv, "--config", str(account.config)], env=account.environment(),
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    took, after = time.monotonic() - began, os.times()
    if done.returncode != 0:
        sys.exit(f"{argv[0]}: status {done.returncode}: {done.stderr.decode()[-500:]}")
    time.sleep(0.3)                       # the server's processes end
    return (took, after.children_user + after.children_system
            - before.children_user - before.children_system,
            cpu_of_session(server.process.pid) - served)


def split(words):
    programs = [[]]
    for word in words:
        if word == "--":
            programs.append([])
        else:
            programs[-1].append(word)
    return [argv for argv in programs if argv] or [[str(program.binary())]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=300)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--tls", default="implicit")
    parser.add_argument("--bundle", action="store_true", help="the system's CA file, not a small one")
    parser.add_argument("--ready", action="store_true", help="a server whose processes and keys are there")
    parser.add_argument("--dir", default="/var/tmp", help="where state and Maildirs lie")
    parser.add_argument("programs", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    programs = split(options.programs)
    with (Ready() if options.ready else Dovecot()) as server, tempfile.TemporaryDirectory(dir=options.dir) as place:
        accounts = [write_config(pathlib.Path(place) / str(number), server, options)
                    for number in range(len(programs))]
        for _ in range(3):                # what is not two seconds old yet is looked at, and noted, again
            for argv, account in zip(programs, accounts):
                one_run(argv, account, server)
        figures = [[] for _ in programs]
        for _ in range(options.runs):
            for argv, account, mine in zip(programs, accounts, figures):
                mine.append(one_run(argv, account, server))
        print(f"{options.accounts} accounts, tls = {options.tls}{' (bundle)' if options.bundle else ''}"
              f"{', a ready server' if options.ready else ''}, "
              f"{options.runs} runs each in turn, load {os.getloadavg()[0]:.0f}")
        for argv, mine in zip(programs, figures):
            wall, here, there = (statistics.median(column) for column in zip(*mine))
            print(f"{wall:7.2f} s (best {min(mine)[0]:.2f}), {here:.2f} s of CPU, the server's {there:.2f}: "
                  f"{' '.join(argv)}", flush=True)


if __name__ == "__main__":
    main()
