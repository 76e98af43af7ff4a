"""What the histories on IMAP and POP3 share: an account, runs of the program, lies told meanwhile."""

import os
import pathlib
import random
import shutil

from rig import program
from rig.past import Wrong

from disk import Disk

STATUSES = (0, 1, 69, 75, 76, 79)
FAULTY = (70, 74)           # where the disk fails, too


class Life:
    """Of an account on SERVER, below FOLDER. `tally` counts lies, SHIM is the disk's library; ONLY: the
    (run, lie) that are told, None for all."""

    honest = liar = None        # classes: what the server says

    def begin(self, seed, folder, tally, shim, only):
        self.seed, self.folder = seed, pathlib.Path(folder)
        self.tally, self.only, self.lies = tally, only, []
        self.runs = self.disturbed = self.phase = 0
        self.lines = []
        self.shim = shim
        return random.Random(f"kind/{seed}")

    def serve(self, chance, server, **keys):
        self.server = server
        self.account = program.Account(self.folder, server, "u", **{
            "durability": chance.choice(("batch", "none")), "timeout": "5", **keys})
        self.disk = Disk(self.shim, self.account, self.tally)
        self.wants_lies, self.wants_faults = chance.choice(((1, 0), (1, 0), (1, 0), (0, 1), (1, 1)))

    def sync(self, env=None):
        told = ("-vv",) if os.environ.get("MAILSYNC_RIG_KEEP") else ()
        result = self.account.sync(*told, status=None, env=env)
        self.server.wait()
        if told:
            with open(self.folder / "log", "a", encoding="utf-8") as log:
                log.write(f"=== run {self.runs}: {result}\n")
        return result

    def disturb(self):
        """A run in which the server lies, or the disk fails."""
        self.disturbed += 1
        self.runs += 1
        name = f"lies/{self.seed}/{self.runs}"
        only = None if self.only is None else {lie for run, lie in self.only if run == self.runs}
        liar = self.liar(name, self.tally, only) if self.wants_lies else self.honest()
        env = self.disk.environment(name, only) if self.wants_faults else {}
        self.server.liar = liar
        result = self.sync(env=env)
        self.server.liar = self.honest()
        self.note_lies(liar, env, result)
        if result.status not in STATUSES + (FAULTY if env else ()):
            raise Wrong("\n    ".join([f"status {result.status}: {result}", *self.lines]))
        if result.status != 0 and not result.errors and not result.err:
            raise Wrong("\n    ".join(["fails without a word", *self.lines]))
        self.check_nothing_lost()

    def note_lies(self, liar, env, result):
        line = f"{self.phase}: run {self.runs}, status {result.status}"
        line += f" {result.did}" if result.of("account") else ""
        if self.wants_lies:
            self.lies += [(self.runs, lie) for lie in range(1, liar.lies + 1)]
            line += f", {liar}"
        if env:
            self.lies += [(self.runs, -lie) for lie in self.disk.failed()]
            line += f", {self.disk.told_now()}"
        self.lines.append(line)

    def finish(self):
        self.server.stop()
        if not os.environ.get("MAILSYNC_RIG_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
