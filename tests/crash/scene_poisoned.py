"""Accounts of which the server ends the connection on some messages each time, and refuses others.

The disturbed run is followed by one on which the same is inflicted: it does everything else and names
what it cannot. Then the server is well, and all must come right, once.
"""

import sqlite3

from rig import tree
from rig.line import Line
from rig.poison import Fault, Poison
from scene import MODES, Plan, Scene, Trial, letter
from scene_pop3 import MODES as POP3_MODES

DAYS = 2 * 86400
BODY = b"X-Poison: body"
MOVED = b"X-Poison: moved"
SENT = b"X-Poison: sent"
REFUSED = b"X-Poison: refused"


def marked(mark, name):
    return mark + b"\r\n" + letter(name)


def here(wire):
    return wire.replace(b"\r\n", b"\n")


class PoisonedTrial(Trial):
    def __init__(self, scene, user):
        super().__init__(scene, user)
        self.poison = Poison(scene.port, *scene.faults, protocol=scene.protocol)

    @property
    def port(self):
        return self.poison.port

    def line(self, **options):
        return Line(self.poison.port, **options)

    def get_well(self):
        """And so much later that what was refused for good is tried again."""
        self.poison.faults = []
        with sqlite3.connect(self.account.database) as database:
            database.execute("UPDATE refused SET last = last - ?", (DAYS,))

    def __exit__(self, *how):
        self.poison.stop()
        super().__exit__(*how)


def without_marked(trees):
    """Both sides, but for what the connection ends on and what is refused."""
    poisoned = {tree.digest(wire) for wire in ALL}
    return [{box: {key: copies for key, copies in messages.items() if key not in poisoned}
             for box, messages in side.items()} for side in trees]


class PoisonedScene(Scene):
    trial = PoisonedTrial
    status = 1
    protocol = "imap"
    modes = {"all": ({"disable_extensions": "MULTIAPPEND"}, None), "none": MODES["none"]}
    faults = (Fault("FETCH", marker=BODY), Fault("APPEND-NO", marker=REFUSED, words="NO [TOOBIG] no"))

    def come_through(self, trial):
        result = trial.sync(status=None)
        trial.wait_for_server()
        lines = [] if result.status == 1 else [f"the poisoned run ended with {result}"]
        lines += [f"beside it: {line}" for line in self.besides(trial.trees())]
        trial.get_well()
        return lines

    @staticmethod
    def besides(trees):
        return tree.differences(*without_marked(trees))


class PoisonedActs(PoisonedScene):
    """A last word: what is only cut off is waited for, a second each time."""
    faults = (Fault("MOVE", mailbox="INBOX", uid=1, end="bye"),
              Fault("COPY", mailbox="INBOX", uid=1, end="bye"),
              Fault("APPEND-END", marker=SENT, end="bye"))


class PoisonedPop3(PoisonedScene):
    modes = POP3_MODES
    protocol = "pop3"
    service = 2
    fixed = {"protocol": "pop3"}
    faults = (Fault("RETR", marker=BODY), Fault("RETR-NO", marker=REFUSED, words="-ERR no"))

    def expect(self, trees):
        self.expected = trees
        return [] if len(trees[0]["INBOX"]) == 12 and not any(trees[1].values()) else [str(trees)]

    def differences(self, side, one, other):
        return tree.differences(one, other, times=side == "remote")

    @staticmethod
    def besides(trees):
        local, _ = without_marked(trees)
        return [] if len(local["INBOX"]) == 10 else [f"{len(local['INBOX'])} messages"]


def fill(_, remote):
    for box in ("INBOX", "Work"):
        if box != "INBOX":
            remote.create(box)
        remote.append(box, marked(MOVED, box), (), 1_500_000_000)
        for number in range(3):
            remote.append(box, letter(f"{box}/{number}"), (), 1_500_000_001 + number)


def change(local, remote):
    remote.append("INBOX", letter("down/1"), (), 1_600_000_000)
    remote.append("INBOX", marked(BODY, "down"), (), 1_600_000_001)
    remote.append("INBOX", letter("down/2"), ("\\Seen",), 1_600_000_002)
    remote.append("Work", letter("down/3"), (), 1_600_000_003)
    for name in ("up/1", "up/2"):
        local.deliver("INBOX", here(letter(name)), "S", 1_600_001_000)
    local.deliver("INBOX", here(marked(REFUSED, "up")), "S", 1_600_001_001)
    local.deliver("Work", here(letter("up/3")), "", 1_600_001_002)
    local.set_flags(local.find("INBOX", letter("INBOX/0")), "F")
    local.move(local.find("INBOX", letter("INBOX/1")), "Work")
    local.find("Work", letter("Work/0")).unlink()


def change_acts(local, remote):
    remote.append("Work", letter("down/3"), (), 1_600_000_003)
    local.deliver("Work", here(letter("up/1")), "S", 1_600_001_000)
    local.deliver("Work", here(marked(SENT, "up")), "S", 1_600_001_001)
    local.deliver("INBOX", here(letter("up/3")), "", 1_600_001_002)
    local.move(local.find("INBOX", marked(MOVED, "INBOX")), "Work")
    local.move(local.find("INBOX", letter("INBOX/1")), "Work")
    local.find("Work", letter("Work/0")).unlink()


def fill_pop3(_, remote):
    for number in range(4):
        remote.append("INBOX", letter(f"old/{number}"), (), 1_500_000_000)


def change_pop3(_, remote):
    for number in range(3):
        remote.append("INBOX", letter(f"new/{number}"), (), 1_600_000_000)
    remote.append("INBOX", marked(BODY, "down"), (), 1_600_000_000)
    remote.append("INBOX", marked(REFUSED, "down"), (), 1_600_000_000)
    for number in range(3, 6):
        remote.append("INBOX", letter(f"new/{number}"), (), 1_600_000_000)


ALL = [marked(BODY, "down"), marked(REFUSED, "up"), marked(REFUSED, "down"), marked(SENT, "up"),
       marked(MOVED, "INBOX")]
SCENES = {"poisoned": Plan(PoisonedScene, ("all", "none"), fill, change),
          "poisoned-acts": Plan(PoisonedActs, ("all", "none"), fill, change_acts),
          "pop3-poisoned": Plan(PoisonedPop3, ("leave-no",), fill_pop3, change_pop3)}
