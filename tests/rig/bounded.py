"""Runs mailsync under a watch: how much memory and time it took, and what it touched."""

import os
import pathlib
import re
import subprocess
import tempfile
import time
from typing import NamedTuple

from . import program

MEMORY_KB = 64 * 1024     # a run over a handful of messages takes some 15 MB


class Bounded(NamedTuple):
    result: program.Result
    rss_kb: int
    seconds: float


def is_under_valgrind():
    """The program's place is taken by a script of tests/memcheck."""
    return b"exec valgrind" in program.binary().read_bytes()[:200]


def is_sanitized():
    """AddressSanitizer's shadow memory, and valgrind's, make sizes meaningless."""
    return is_under_valgrind() or program.has_asan()


def peak_kb(pid, known):
    """VmHWM so far. (wait4's ru_maxrss has in it what this process was when it forked.)"""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            found = re.search(r"VmHWM:\s*(\d+)", file.read())
    except OSError:
        found = None
    return max(known, int(found[1])) if found else known


def run(account, *args, seconds=60):
    """mailsync ARGS under a watch; killed and reported when it takes longer than SECONDS."""
    seconds *= 50 if is_under_valgrind() else 1
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(account.argv(*args), stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=err, env=account.environment())
        rss_kb = 0
        while process.poll() is None:
            rss_kb = peak_kb(process.pid, rss_kb)
            if time.monotonic() - began > seconds:
                process.kill()
            time.sleep(0.002)
        out.seek(0)
        err.seek(0)
        result = program.Result(process.returncode, out.read().decode(), err.read().decode())
    took = time.monotonic() - began
    assert process.returncode != -9, f"did not end within {seconds} s: {result}"
    return Bounded(result, rss_kb, took)


def outside(account, top):
    """All paths under TOP but the account's own Maildir, state and config."""
    own = {pathlib.Path(account.keys["maildir"]), pathlib.Path(account.defaults["state_dir"]),
           account.config}
    found = set()
    for path, folders, files in os.walk(top):
        here = pathlib.Path(path)
        folders[:] = [name for name in folders if here / name not in own]
        found.update(str(here / name) for name in folders + files if here / name not in own)
    return found
