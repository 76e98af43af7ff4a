"""POP3 accounts for the crash proof: messages that are known, changed or due, and new ones.

What must come of them is written down here (`ends`), not taken from the program.
"""

import sqlite3

from rig import tree
from scene import Plan, Scene, letter

# name: (config keys, Line's options or None)
MODES = {
    "leave-no": ({"leave_on_server": "no"}, None),
    "leave-age": ({"leave_on_server": "2d"}, None),
    "leave-yes": ({"leave_on_server": "yes"}, None),
    # One command at a time.
    "leave-no-bare": ({"leave_on_server": "no"}, {"hide": r"^PIPELINING\r\n"}),
    "leave-no-nosync": ({"leave_on_server": "no", "durability": "none"}, None),
}
DAY = 86400
OLD = [f"old/{number}" for number in range(8)]
DUE = OLD[:4]                # in mode leave-age
NEW = [*(f"new/{number}" for number in range(6)), "new/dots", "new/big"]


def wire_of(name):
    if name == "new/dots":
        return letter(name) + b".\r\n..\r\n.dot\r\nFrom here\r\n"
    return letter(name, 300_000 if name == "new/big" else 500)


def keys_of(names):
    return {tree.digest(wire_of(name)) for name in names}


def append(remote, names):
    for name in names:
        remote.append("INBOX", wire_of(name), (), 1_600_000_000)


class Pop3Scene(Scene):
    modes = MODES
    fixed = {"protocol": "pop3"}
    service = 2

    @staticmethod
    def sync_first(trial):
        trial.account.change(leave_on_server="yes")
        trial.sync()

    def ends(self):
        """({mailbox: names} in the Maildir, names on the server)"""
        raise NotImplementedError

    def expect(self, trees):
        self.expected = trees
        local, remote = self.ends()
        here = {box: set(messages) for box, messages in trees[0].items()}
        wanted = {box: keys_of(names) for box, names in local.items()}
        lines = [] if here == wanted else [f"local: wanted {wanted}, is {here}"]
        there = set(trees[1]["INBOX"])
        if there != keys_of(remote):
            lines.append(f"on the server: wanted {keys_of(remote)}, is {there}")
        return lines

    def differences(self, side, one, other):
        # The date of a local file is the time of its download.
        return tree.differences(one, other, times=side == "remote")


class Known(Pop3Scene):
    """Messages downloaded before, some deleted, moved or flagged since, and new ones."""

    def prepare(self, *how, **keys):
        super().prepare(*how, **keys)
        with sqlite3.connect(self.folder / "state" / "home.db") as db:
            db.execute("UPDATE pop3 SET first_seen = first_seen - ? WHERE id IN "
                       "(SELECT id FROM pop3 ORDER BY id LIMIT ?)", (3 * DAY, len(DUE)))

    def ends(self):
        gone_here, gone_there = {OLD[0], OLD[5]}, {OLD[4]}
        local = {"INBOX": set(OLD + NEW) - gone_here - {OLD[3]}, "Work": {OLD[3]}}
        kept = {"leave-yes": OLD + NEW, "leave-age": OLD[len(DUE):] + NEW}.get(self.mode, [])
        return local, set(kept) - gone_there


def fill(_, remote):
    append(remote, OLD)


def change(local, remote):
    def find(number):
        return local.find("INBOX", wire_of(OLD[number]))

    remote.expunge("INBOX", remote.uids("INBOX")[4])
    append(remote, NEW)
    find(0).unlink()
    find(5).unlink()
    local.set_flags(find(2), "S")
    local.move(find(3), "Work")


class Filled(Pop3Scene):
    """An INBOX that another tool filled, and no base: what is paired is never deleted."""

    def ends(self):
        fetched = [] if self.mode.startswith("leave-no") else OLD[5:]
        return {"INBOX": set(OLD) | {"own/0", "own/1"}}, set(OLD[:5] + fetched)


def change_filled(local, _):
    local.create("INBOX")
    for name in [*OLD[:5], "own/0", "own/1"]:
        local.deliver("INBOX", wire_of(name).replace(b"\r\n", b"\n"), "S")


SCENES = {"pop3": Plan(Known, ("leave-no", "leave-age", "leave-yes", "leave-no-bare"), fill, change),
          "pop3-filled": Plan(Filled, ("leave-no",), fill, change_filled, False)}
