"""What a power cut leaves of a Maildir: the changes that were not made durable are taken back.

Reads the log that MAILSYNC_STEP_LOG wrote up to the stop, finds for each change whether a later
sync covers it, and undoes the others, last first, in the tree as it lies:

    entry made, renamed, removed    durable after fsync of a directory it is in, or syncfs
    bytes of a file                 durable after fdatasync of the file, or syncfs

Two outcomes, and the truth lies between: `everything` takes back all that is not durable;
`data` keeps the entries (a journal may have carried them) and loses the bytes, which is what
renaming before syncing leads to. The database is left as it is: SQLite syncs its own files, and
its commit is one of the steps.
"""

import os
import shutil
from typing import NamedTuple, Tuple


class Step(NamedTuple):
    number: int
    what: str
    paths: Tuple[str, ...]


def read_log(path, last=None):
    steps = []
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            head, *paths = line.rstrip("\n").split("\t")
            number, what = head.split(" ", 1)
            if what != "look" and (last is None or int(number) <= last):
                steps.append(Step(int(number), what, tuple(paths)))
    return steps


ENTRY = ("mkdir", "create", "unlink", "rmdir", "rename", "replace", "link")


def parents(step):
    return {os.path.dirname(path) for path in step.paths}


class Loss:
    """What STEPS did below ROOT and no sync made durable; KEPT holds what was removed."""

    def __init__(self, steps, root, kept):
        self.steps = [s for s in steps if self.concerns(s, root)]
        self.root, self.kept = str(root), kept

    @staticmethod
    def concerns(step, root):
        return bool(step.paths) and all(f"{p}/".startswith(f"{root}/") for p in step.paths)

    def is_durable(self, step):
        for later in self.steps:
            if later.number <= step.number:
                continue
            if later.what == "syncfs":
                return True
            if later.what == "fsync directory" and later.paths[0] in parents(step):
                return True
        return False

    def files_without_data(self):
        """The present names of files whose last bytes no sync covers, with their objects."""
        unsynced = {}
        for step in self.steps:
            if step.what in ("create", "write"):
                unsynced[step.paths[0]] = True
            elif step.what == "fdatasync":
                unsynced.pop(step.paths[0], None)
            elif step.what == "syncfs":
                unsynced.clear()
            elif step.what in ("rename", "replace") and step.paths[0] in unsynced:
                unsynced[step.paths[1]] = unsynced.pop(step.paths[0])
            elif step.what == "unlink":
                unsynced.pop(step.paths[0], None)
        return list(unsynced)

    def lose_data(self):
        """Cut the files to nothing, their entries staying."""
        lost = 0
        for path in self.files_without_data():
            if os.path.isfile(path) and os.path.getsize(path) > 0:
                when = os.stat(path).st_mtime_ns
                os.truncate(path, 0)
                os.utime(path, ns=(when, when))
                lost += 1
        return lost

    def lose_everything(self):
        lost = self.lose_data()
        for step in reversed(self.steps):
            if step.what in ENTRY and not self.is_durable(step):
                lost += self.undo(step)
        return lost

    def undo(self, step):
        one, two = (*step.paths, "")[:2]
        kept = os.path.join(self.kept, str(step.number))
        # What lay in a directory whose removal is durable does not come back.
        if not os.path.isdir(os.path.dirname(one)):
            return 0
        if step.what == "mkdir":
            # One that was there before is told by what else lies in it: it was not made here.
            return self.remove_made(one)
        if step.what == "create" and os.path.lexists(one):
            os.unlink(one)
        elif step.what == "link" and os.path.lexists(two):
            os.unlink(two)
        elif step.what == "unlink" and os.path.exists(kept) and not os.path.lexists(one):
            os.link(kept, one)
        elif step.what == "rmdir" and not os.path.lexists(one):
            os.mkdir(one, 0o700)
        elif step.what in ("rename", "replace") and os.path.lexists(two):
            os.rename(two, one)
            if os.path.exists(kept):
                os.link(kept, two)
        else:
            return 0
        return 1

    def remove_made(self, path):
        if path in self.before or not os.path.isdir(path):
            return 0
        shutil.rmtree(path)
        return 1

    before = frozenset()


def directories(root):
    return frozenset([str(root), *(os.path.join(path, name)
                                   for path, folders, _ in os.walk(root) for name in folders)])
