"""Honest mailboxes for a scripted server, so that a scenario need only tell its lies.

    box = Box(3)                                   # three messages, UIDs 1 to 3
    with FakeServer([box], [expect(r"^UID FETCH 2 ", "NO not today")]) as server: ...

A scenario's steps come first; what they do not match is answered from the boxes. `server.script`
may be set between runs. One connection at a time.
"""

import re

from . import mail
from .scripted import CAPABILITIES, Scripted, always, message

FLAGS = "\\Answered \\Flagged \\Deleted \\Seen \\Draft"


def in_set(text, uids):
    """The members of UIDS in the set TEXT; `*` is the highest."""
    top = max(uids, default=1)
    found = set()
    for part in text.split(","):
        ends = [top if x == "*" else int(x) for x in part.split(":")]
        low, high = min(ends), max(ends)
        found.update(uid for uid in uids if low <= uid <= high)
    return sorted(found)


class Box:
    def __init__(self, count=0, name="INBOX", uidvalidity=7, seed="fake", first=1):
        self.name, self.uidvalidity = name, uidvalidity
        self.letters = {uid: mail.one(uid, seed=f"{seed}/{name}", size=300)
                        for uid in range(first, first + count)}
        self.flags = {uid: {"\\Seen"} for uid in self.letters}
        self.uidnext = first + count
        self.modseq = 0                # 0: has none

    def add(self, wire, flags=()):
        uid = self.uidnext
        self.letters[uid], self.flags[uid] = wire, set(flags)
        self.uidnext += 1
        return uid

    def remove(self, *uids):
        for uid in uids:
            del self.letters[uid], self.flags[uid]

    # Answers

    def opening(self):
        lines = [f"* FLAGS ({FLAGS})", f"* {len(self.letters)} EXISTS",
                 f"* OK [UIDVALIDITY {self.uidvalidity}] ok", f"* OK [UIDNEXT {self.uidnext}] ok",
                 f"* OK [PERMANENTFLAGS ({FLAGS} \\*)] ok"]
        if self.modseq:
            lines.append(f"* OK [HIGHESTMODSEQ {self.modseq}] ok")
        return lines

    def line(self, uid):
        """The FETCH line of a listing."""
        number = sorted(self.letters).index(uid) + 1
        return (f"* {number} FETCH (UID {uid} FLAGS ({' '.join(sorted(self.flags[uid]))}) "
                f'INTERNALDATE "01-Jan-2020 00:00:00 +0000" RFC822.SIZE {len(self.letters[uid])})')

    def body(self, uid):
        number = sorted(self.letters).index(uid) + 1
        return message(uid, self.letters[uid], number, " ".join(sorted(self.flags[uid])))

    def fetch(self, command):
        _, _, uids, rest = command.split(" ", 3)
        wanted = in_set(uids, self.letters)
        if "CHANGEDSINCE" in rest:
            wanted = []
        one = self.body if "BODY" in rest else self.line
        return [one(uid) for uid in wanted] + ["OK done"]

    def search(self, command):
        wanted = [uid for uid in sorted(self.letters)
                  if "DELETED" not in command or "\\Deleted" in self.flags[uid]]
        return [" ".join(["* SEARCH", *map(str, wanted)]), "OK done"]

    def store(self, command):
        found = re.match(r"UID STORE (\S+) ([+-])FLAGS\S* \((.*)\)", command, re.I)
        for uid in in_set(found[1], self.letters):
            words = set(found[3].split())
            self.flags[uid] = (self.flags[uid] | words if found[2] == "+"
                               else self.flags[uid] - words)
        return ["OK done"]

    def expunge(self, command):
        words = command.split()
        uids = in_set(words[2], self.letters) if len(words) > 2 else list(self.letters)
        lines = []
        for uid in [u for u in uids if "\\Deleted" in self.flags[u]]:
            lines.append(f"* {sorted(self.letters).index(uid) + 1} EXPUNGE")
            self.remove(uid)
        return [*lines, "OK done"]

    def append(self, command):
        """APPEND "name" (flags) "date" {n+} message."""
        head, _, body = command.partition("\r\n")
        flags = re.search(r" \(([^)]*)\) ", head)[1].split()
        size = int(re.search(r"\{(\d+)\+?\}\Z", head)[1])
        uid = self.add(body[:size].encode("latin-1"), flags)
        return [f"OK [APPENDUID {self.uidvalidity} {uid}] done"]

    def status(self):
        text = (f"MESSAGES {len(self.letters)} UIDNEXT {self.uidnext} "
                f"UIDVALIDITY {self.uidvalidity}")
        return text + (f" HIGHESTMODSEQ {self.modseq}" if self.modseq else "")


class FakeServer(Scripted):
    def __init__(self, boxes=(), script=(), capabilities=CAPABILITIES, **options):
        self.boxes = {box.name: box for box in boxes}
        self.selected = None
        super().__init__(script, capabilities=capabilities, **options)

    def fallbacks(self):
        return [
            always(r"^LIST ", self.listing),
            always(r"^(SELECT|EXAMINE) ", self.select),
            always(r"^UID FETCH ", lambda command: self.selected.fetch(command)),
            always(r"^UID SEARCH ", lambda command: self.selected.search(command)),
            always(r"^UID STORE ", lambda command: self.selected.store(command)),
            always(r"^(UID )?EXPUNGE", lambda command: self.selected.expunge(command)),
            always(r"^UID COPY ", self.copy),
            always(r"^APPEND ", lambda command: self.named(command).append(command)),
            always(r"^STATUS ", self.counts),
            always(r"^CREATE ", self.create),
        ]

    def answer(self, conn, tag, answers, command=""):
        if re.match(r"(SELECT|EXAMINE) ", command, re.I):
            self.selected = self.boxes.get(self.name(command))
        super().answer(conn, tag, answers, command)

    @staticmethod
    def name(command):
        found = re.match(r'\S+ (?:"((?:\\.|[^"\\])*)"|(\S+))', command)
        return re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]

    def named(self, command):
        return self.boxes[self.name(command)]

    def listing(self, command):
        lines = []
        for box in self.boxes.values():
            lines.append(f'* LIST () "/" "{box.name}"')
            if "STATUS" in command:
                lines.append(f'* STATUS "{box.name}" ({box.status()})')
        return [*lines, "OK done"]

    def counts(self, command):
        box = self.boxes.get(self.name(command))
        if box is None:
            return ["NO [NONEXISTENT] no such mailbox"]
        return [f'* STATUS "{box.name}" ({box.status()})', "OK done"]

    def select(self, command):
        if self.selected is None:
            return ["NO [NONEXISTENT] no such mailbox"]
        writable = "READ-ONLY" if command.upper().startswith("EXAMINE") else "READ-WRITE"
        return [*self.selected.opening(), f"OK [{writable}] done"]

    def copy(self, command):
        _, _, uids, name = command.split(" ", 3)
        target = self.boxes.get(name.strip('"'))
        if target is None:
            return ["NO [TRYCREATE] no such mailbox"]
        wanted = in_set(uids, self.selected.letters)
        made = [target.add(self.selected.letters[uid], self.selected.flags[uid]) for uid in wanted]
        if not made:
            return ["OK nothing done"]
        pairs = [",".join(map(str, numbers)) for numbers in (wanted, made)]
        return [f"OK [COPYUID {target.uidvalidity} {' '.join(pairs)}] done"]

    def create(self, command):
        self.boxes[self.name(command)] = Box(0, self.name(command))
        return ["OK done"]

    def wires(self, mailbox="INBOX"):
        return sorted(self.boxes[mailbox].letters.values())
