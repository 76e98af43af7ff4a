"""The disk that fails calls at random: rig/disk_shim.c, and what it told."""

import pathlib
import random

from rig.host import compile_c

CALLS = ("open", "stat", "readdir", "read", "write", "sync", "rename", "link", "unlink", "mkdir",
         "utimens", "flock")


def build(folder):
    """The library, built into FOLDER; "" under AddressSanitizer, which wants to be the first."""
    source = pathlib.Path(__file__).parents[1] / "rig" / "disk_shim.c"
    library = pathlib.Path(folder) / "disk_shim.so"
    compile_c(source, library, "-shared", "-fPIC", "-ldl")
    return str(library)


class Disk:
    """The disk of ACCOUNT."""

    def __init__(self, shim, account, told):
        self.shim, self.account, self.told = shim, account, told
        self.log = account.folder / "disk.log"
        self.how = ""

    def environment(self, seed, only=None):
        """That of a run in which it fails, by SEED; ONLY: the failures that happen, as negative
        numbers."""
        rng = random.Random(f"disk/{seed}")
        self.log.unlink(missing_ok=True)
        mask = (1 << len(CALLS)) - 1
        rate = rng.choice((20, 60, 200))
        if rng.random() < 0.6:
            mask = sum(1 << number for number in rng.sample(range(len(CALLS)), rng.choice((1, 2))))
            rate = rng.choice((2, 5, 20))
        roots = [str(self.account.keys["maildir"])]
        roots.append(str(self.account.defaults["state_dir"]) if rng.random() < 0.4 else roots[0])
        self.how = f"{rng.randrange(2**63)}:{rate}:{mask}"
        return {"LD_PRELOAD": self.shim, "LIAR_DISK": self.how, "LIAR_DISK_ROOTS": ":".join(roots),
                "LIAR_DISK_LOG": str(self.log),
                **({"LIAR_DISK_ONLY": ",".join(["", *(str(-n) for n in only if n < 0), ""])}
                   if only is not None else {})}

    def lines(self):
        if not self.log.exists():
            return []
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()

    def failed(self):
        """The numbers of what failed in the last run."""
        return [int(line.split(" ", 1)[0]) for line in self.lines()]

    def told_now(self):
        """What failed in the last run, as text; counted."""
        lines = self.lines()
        root = str(self.account.folder)
        for line in lines:
            _, call, errno, _ = line.split(" ", 3)
            self.told["disk " + call, errno] += 1
        return "disk " + self.how + ": " + "; ".join(line.replace(root, "") for line in lines[:25])
