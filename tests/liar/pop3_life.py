"""A random history of a POP3 account, on a server that lies and a disk that fails.

What must be, at every moment: a message that nobody deleted is on the server or here, whole. Once the
server speaks the truth: it is here once (where the user put it); what the user deleted here stays away;
the server holds all that was not deleted there (leave_on_server = yes), or nothing (no).

A message whose body was told cut short, with a proper end, may be here so, besides or (where it stays on
the server) instead of the whole.
"""

import itertools
import random

from rig import mail, tree
from rig.past import Wrong

from life import Life
from pop3_lies import Liar
from pop3_server import CAPABILITIES, Honest, Pop3Server

KINDS = {
    "leave": (CAPABILITIES, "yes"),
    "take": (CAPABILITIES, "no"),
    "take-slow": (tuple(x for x in CAPABILITIES if x != "PIPELINING"), "no"),
    "take-no-top": (tuple(x for x in CAPABILITIES if x != "TOP"), "no"),
    "leave-no-uidl": (tuple(x for x in CAPABILITIES if x != "UIDL"), "yes"),
}
FOLDERS = ("INBOX", "Work")


class Letter:
    def __init__(self, wire):
        self.wire = wire
        self.is_gone_here = self.is_gone_there = False
        self.folder = "INBOX"
        self.is_noted = False       # a run ended well enough to write down that it is here
        self.may_return = False
        self.lines = []


class Pop3Life(Life):
    honest, liar = Honest, Liar

    def __init__(self, seed, folder, tally, shim, only=None):
        chance = self.begin(seed, folder, tally, shim, only)
        self.kind = chance.choice(sorted(KINDS))
        capabilities, self.leaves = KINDS[self.kind]
        self.serve(chance, Pop3Server(capabilities), protocol="pop3", leave_on_server=self.leaves)
        self.rng = random.Random(seed)
        self.letters = {}           # digest: Letter
        self.serial = itertools.count(1)
        self.halves = []            # what was told cut short
        self.local = self.account.local

    def here(self):
        """digest: [(folder, path)]"""
        found = {}
        for box in self.local.mailboxes():
            for path in self.local.files(box):
                found.setdefault(tree.digest(tree.crlf(path.read_bytes())), []).append((box, path))
        return found

    def wires_here(self):
        return [tree.crlf(path.read_bytes()) for copies in self.here().values() for _, path in copies]

    # Users

    def change(self, count):
        self.phase += 1
        here = self.here()
        for _ in range(count):
            kind = self.rng.choice(("add", "add", "add", "delete", "move", "flag", "withdraw"))
            known = sorted(key for key in here if key in self.letters)
            if kind == "add" or not known:
                self.add()
            elif kind == "withdraw":
                self.withdraw()
            else:
                self.touch(kind, here, self.rng.choice(known))

    def add(self):
        number = next(self.serial)
        wire = mail.one(number, seed=f"pop3/{self.seed}", size=self.rng.choice((200, 500, 5000)))
        if self.rng.random() < 0.2:
            wire += b".\r\n..\r\nFrom here\r\n"
        self.server.letters.append([f"id{number}", wire])
        self.letters[tree.digest(wire)] = Letter(wire)
        self.letters[tree.digest(wire)].lines.append(f"{self.phase} id{number} arrives")

    def withdraw(self):
        if self.server.letters:
            letter = self.rng.choice(self.server.letters)
            self.server.letters.remove(letter)
            known = self.letters[tree.digest(letter[1])]
            known.is_gone_there = True
            known.lines.append(f"{self.phase} deleted on the server")

    def touch(self, kind, here, key):
        box, path = here.pop(key)[0]
        letter = self.letters[key]
        letter.lines.append(f"{self.phase} {kind} in {box}")
        if kind == "delete":
            path.unlink()
            letter.is_gone_here = True
            letter.may_return = not letter.is_noted
        elif kind == "flag":
            self.local.set_flags(path, "S")
        else:
            letter.folder = "Work" if box == "INBOX" else "INBOX"
            self.local.move(path, letter.folder)

    def sync(self, env=None):
        """What was delivered when the database could not be written is adopted by the next run: whoever
        deletes it before that gets it again."""
        result = super().sync(env)
        if result.status in (0, 1):
            for key in self.here():
                if key in self.letters:
                    self.letters[key].is_noted = True
        return result

    # Judging

    def wrong(self, letter, what):
        return Wrong("\n    ".join([what, *letter.lines, *self.lines]))

    def note_lies(self, liar, env, result):
        super().note_lies(liar, env, result)
        self.halves += getattr(liar, "halves", [])

    def check_nothing_lost(self):
        here, there = self.here(), {tree.digest(wire) for _, wire in self.server.letters}
        for key, letter in self.letters.items():
            copies = here.get(key, [])
            if len(copies) > 1:
                raise self.wrong(letter, f"is doubled: {[box for box, _ in copies]}")
            if not copies and key not in there and not (letter.is_gone_here or letter.is_gone_there):
                raise self.wrong(letter, "is lost")
        for wire in self.wires_here():
            if tree.digest(wire) not in self.letters and not self.is_half(wire):
                raise Wrong("\n    ".join([f"a message that nobody wrote: {wire[:300]}", *self.lines]))

    def is_half(self, wire):
        return len(wire) > 0 and any(whole.startswith(wire.rstrip(b"\r\n")) for whole in self.halves)

    def settle(self):
        """Without lies: all comes to rest. What was told cut short is told once more before it is
        believed, and deleted after that."""
        result = None
        for _ in range(3 if self.halves else 1):
            self.runs += 1
            result = self.sync()
        if result.status != 0:
            raise Wrong("\n    ".join([f"does not come to rest: {result}", *self.lines]))
        self.lines.append(f"{self.phase}: run {result.did}")
        self.check_nothing_lost()
        here, there = self.here(), {tree.digest(wire) for _, wire in self.server.letters}
        for key, letter in self.letters.items():
            self.judge(letter, [box for box, _ in here.get(key, [])], key in there)
        again = self.sync()
        if again.status != 0 or again.did:
            raise Wrong("\n    ".join([f"not at rest: {again}", *self.lines]))

    def judge(self, letter, here, is_there):
        was_half = any(letter.wire is half for half in self.halves)
        if letter.is_gone_here and here and letter.may_return:
            letter.is_gone_here = letter.may_return = False
        if letter.is_gone_here and here:
            raise self.wrong(letter, f"was deleted here, and is in {here}")
        if not letter.is_gone_here and not letter.is_gone_there and here != [letter.folder]:
            if not was_half or self.leaves == "no":
                raise self.wrong(letter, f"should be in {letter.folder}, is in {here}")
        if self.leaves == "yes" and not letter.is_gone_there and not is_there:
            raise self.wrong(letter, "is gone from the server")
        if self.leaves == "no" and is_there:
            raise self.wrong(letter, "is still on the server")

    def run(self):
        try:
            if self.rng.random() < 0.7:
                self.change(self.rng.randrange(4, 10))
                self.settle()
                self.lines = []
            for _ in range(self.rng.choice((1, 1, 2))):
                for _ in range(self.rng.randrange(1, 4)):
                    self.change(self.rng.randrange(1, 7))
                    for _ in range(self.rng.choice((1, 1, 2))):
                        self.disturb()
                self.settle()
        finally:
            self.finish()
