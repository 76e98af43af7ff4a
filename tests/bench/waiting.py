#!/usr/bin/env python3
"""What it costs to wait: many accounts in one `mailsync watch`, over TLS, on a private Dovecot.

    tests/bench/waiting.py [--accounts N] [--seconds S] [--tls none|implicit] [--bundle]
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from rig import program                   # noqa: E402
from rig.dovecot import Dovecot           # noqa: E402
from rig.host import PASSWORD             # noqa: E402
from rig.watching import Watch            # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


def proc(pid):
    """(RSS in kB, threads, CPU seconds, voluntary switches, descriptors)"""
    status = dict(line.split(":", 1) for line in
                  pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(status["VmRSS"].split()[0]), int(status["Threads"]),
            (int(fields[11]) + int(fields[12])) / TICK, int(status["voluntary_ctxt_switches"]),
            len(os.listdir(f"/proc/{pid}/fd")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--tls", default="implicit")
    parser.add_argument("--how", default="auto")
    parser.add_argument("--bundle", action="store_true", help="the system's CA file, not a small one")
    options = parser.parse_args()
    server = Dovecot()
    server.start()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        try:
            account = program.Account(place, server, "waiting0", tls=options.tls)
            keys = dict(account.keys, watch_interval="1h", watch=options.how)
            if options.bundle:
                bundle = pathlib.Path(place) / "bundle.pem"
                bundle.write_text(pathlib.Path("/etc/ssl/certs/ca-certificates.crt").read_text()
                                  + pathlib.Path(server.ca).read_text())
                keys["tls_ca_file"] = str(bundle)
            account.keys.update(keys)
            for number in range(1, options.accounts):
                account.others[f"account a{number}"] = dict(
                    keys, user=f"waiting{number}", password=PASSWORD,
                    maildir=str(pathlib.Path(place) / f"mail{number}"))
            with Watch(account) as watch:
                began = time.monotonic()
                watch.wait(lambda: len({event["account"] for event in watch.of("watch")
                                        if event["state"] == "watching"}) == options.accounts,
                           "all are watched", timeout=600)
                took = time.monotonic() - began
                time.sleep(5)
                before = proc(watch.process.pid)
                time.sleep(options.seconds)
                after = proc(watch.process.pid)
                hows = {event["how"] for event in watch.of("watch") if event["state"] == "watching"}
                print(f"{options.accounts} accounts ({', '.join(sorted(hows))}) watched after {took:.1f} s: "
                      f"RSS {after[0] / 1024:.0f} MB = {after[0] / options.accounts:.0f} kB each, "
                      f"{after[1]} threads, {after[4]} descriptors; in {options.seconds} s "
                      f"{after[2] - before[2]:.2f} s CPU, {after[3] - before[3]} wake-ups")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
