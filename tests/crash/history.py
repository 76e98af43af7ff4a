"""A random history (rig/past.py) on Dovecot: between what users do, the program runs and is killed, cut
off or refused by the disk at random.
"""

import contextlib
import errno
import os

import scene as scenes     # finds rig, too

from rig import past
from rig.line import Line
from rig.oracle import RemoteHand

ERRNOS = (errno.EIO, errno.EACCES, errno.ENOSPC)
Wrong = past.Wrong


class History(past.Past):
    """One history of SEED on SERVER; run() raises Wrong."""

    def __init__(self, seed, scene):
        self.scene = scene
        self.trial = scenes.Trial(scene, f"h{seed}")
        super().__init__(seed, self.trial.account.local)
        self.disturbed = 0

    @contextlib.contextmanager
    def there(self):
        with self.trial.account.remote() as session:
            yield RemoteHand(session), session.read()

    def trees(self):
        return self.trial.trees()

    def sync(self):
        result = self.trial.sync(status=None)
        self.trial.wait_for_server()
        return result

    # The program

    def disturb(self):
        """A run that may not come to its end."""
        self.disturbed += 1
        kind = self.rng.choice(("kill", "kill", "kill", "cut", "fail"))
        point = self.rng.randrange(0, 160)
        port, env, line = None, {}, None
        if kind == "kill":
            env["MAILSYNC_STEP_STOP"] = str(point)
        elif kind == "fail":
            number = self.rng.choice(ERRNOS)
            env["MAILSYNC_STEP_FAIL"] = f"{point}:{number}"
            # Of some file systems it says that they let no file's time be set.
            self.has_times &= number != errno.EACCES
        else:
            point = int(10 ** self.rng.uniform(1, 4.7))
            line = Line(self.scene.server.port, cut_after=point,
                        side=self.rng.choice(("client", "server")), **self.scene.line_options)
            port = line.port
        told = ("-vv",) if os.environ.get("MAILSYNC_RIG_KEEP") else ()
        try:
            result = self.trial.sync(*told, status=None, env=env, port=port)
        finally:
            if line:
                line.stop()
        self.runs += 1
        self.lines.append(f"{self.phase}: {kind} at {point}, status {result.status}"
                          + (result.err if told else ""))
        if result.status not in (-9, 0, 1, 69, 70, 74, 75, 76):
            raise Wrong(f"status {result.status}: {result}")
        self.trial.wait_for_server()
        self.check_nothing_lost()

    def run(self):
        with self.trial:
            for _ in range(self.rng.randrange(2, 4)):
                for _ in range(self.rng.randrange(1, 4)):
                    self.change(self.rng.randrange(2, 14))
                    if self.rng.random() < 0.8:
                        self.disturb()
                self.settle()
