"""Random changes on both sides of an account at once, and what a three-way merge makes of them.

The merge is worked out here from what was done, without looking at either side afterwards, and
shares no thought with the program. A message is known by its content; only contents that are
unique in the account are changed.

What the manual leaves open is open here too: a message moved on one side and deleted or moved on the
other may stay or go, but not be doubled. One that another client moved on the server carries no
mark that says so (a server without OBJECTID), so the program may download it anew with the flags it
has there.
"""

import random
from typing import Dict, FrozenSet, NamedTuple, Optional

from . import mail, tree

LETTERS = "DFRST"
KEYWORDS = ("work", "$label1")


class Place(NamedTuple):
    mailbox: str
    flags: FrozenSet[str]


class Change(NamedTuple):
    side: str
    kind: str
    key: str
    detail: str

    def __str__(self):
        return f"{self.side}: {self.kind} {self.key[:12]} {self.detail}"


class Side:
    """One side's view while it is being changed: digest -> Place."""

    def __init__(self, base):
        self.places: Dict[str, Optional[Place]] = dict(base)
        self.moved = set()
        self.added = {}


class LocalHand:
    """Carries changes out in the Maildir."""

    def __init__(self, maildir):
        self.maildir = maildir
        self.paths = {}
        for mailbox in maildir.mailboxes():
            for path in maildir.files(mailbox):
                self.paths[tree.digest(tree.crlf(path.read_bytes()))] = (mailbox, path)

    def add(self, mailbox, wire, flags, when):
        self.maildir.create(mailbox)
        letters = "".join(x if len(x) == 1 else self.maildir.keyword_letter(mailbox, x)
                          for x in flags)
        path = self.maildir.deliver(mailbox, wire.replace(b"\r\n", b"\n"), letters, when)
        self.paths[tree.digest(wire)] = (mailbox, path)

    def delete(self, key):
        self.paths.pop(key)[1].unlink()

    def flag(self, key, flag, on):
        mailbox, path = self.paths[key]
        letter = flag if len(flag) == 1 else self.maildir.keyword_letter(mailbox, flag)
        path = self.maildir.set_flags(path, letter if on else "", "" if on else letter)
        self.paths[key] = (mailbox, path)

    def move(self, key, mailbox):
        # As MUAs do: by a rename, whatever the letters of keywords mean in the other folder.
        path = self.maildir.move(self.paths[key][1], mailbox)
        self.paths[key] = (mailbox, path)


class RemoteHand:
    """Carries changes out on the server, as another client."""

    NAMES = dict(mail.SYSTEM)

    def __init__(self, server):
        self.server = server
        self.uids = {}
        for mailbox in server.mailboxes():
            for uid, wire, _ in server.messages(mailbox):
                self.uids[tree.digest(wire)] = (mailbox, uid)
        self.boxes = set(server.mailboxes())

    def need(self, mailbox):
        if mailbox not in self.boxes:
            self.server.create(mailbox)
            self.boxes.add(mailbox)

    def add(self, mailbox, wire, flags, when):
        self.need(mailbox)
        names = [self.NAMES.get(x, x) for x in flags]
        uid = self.server.append(mailbox, wire, names, when)
        self.uids[tree.digest(wire)] = (mailbox, uid)

    def delete(self, key):
        mailbox, uid = self.uids.pop(key)
        self.server.expunge(mailbox, uid)

    def flag(self, key, flag, on):
        mailbox, uid = self.uids[key]
        self.server.store(mailbox, uid, "+FLAGS" if on else "-FLAGS", self.NAMES.get(flag, flag))

    def move(self, key, mailbox):
        self.need(mailbox)
        self.server.move(*self.uids.pop(key), mailbox)


class Storm:
    """COUNT changes of each side on a state that both sides share.

        storm = Storm(seed, base_tree, maildir, imap_session, letters="DFRS")
        storm.rage(100)
        ... sync ...
        assert storm.complaints(local_tree, remote_tree) == []

    LETTERS are the flags that change. Where the program must do without UIDPLUS, leave out T: it may
    not expunge where others have marked messages, and its own deletions wait.
    """

    def __init__(self, seed, base, maildir, server, letters=LETTERS):
        self.rng = random.Random(seed)
        self.letters = letters
        self.base = unique_places(base)
        self.fixed = rest_of(base, self.base)
        self.hands = {"local": LocalHand(maildir), "remote": RemoteHand(server)}
        self.sides = {name: Side(self.base) for name in self.hands}
        self.times = {key: copies[0].time for box in base.values()
                      for key, copies in box.items()}
        self.changes = []
        self.targets = sorted(base) + ["Neu/Größe"]

    def rage(self, count):
        touched = []
        for number in range(2 * count):
            name = "local" if number % 2 else "remote"
            kinds = ["add", "delete", "flag", "flag", "flag", "keyword", "move"]
            kind = self.rng.choice(kinds)
            if kind == "add":
                self.add(name, number)
                continue
            # Every fifth change goes to a message that the other side has changed too.
            pool = touched if touched and self.rng.random() < 0.2 else None
            key = self.pick(name, pool)
            if key is not None:
                self.change(name, kind, key)
                touched.append(key)

    def pick(self, name, pool):
        places = self.sides[name].places
        keys = [k for k in (pool or sorted(places)) if places.get(k) is not None]
        return self.rng.choice(keys) if keys else None

    def add(self, name, number):
        wire = mail.one(number, seed=f"storm/{self.rng.random()}")
        when = self.rng.randrange(10**9, 1_700_000_000)
        flags = frozenset(x for x in "DFRS" if self.rng.random() < 0.3)
        mailbox = self.rng.choice(self.targets)
        self.hands[name].add(mailbox, wire, flags, when)
        key = tree.digest(wire)
        self.sides[name].added[key] = Place(mailbox, flags)
        self.times[key] = when
        self.note(name, "add", key, mailbox)

    def change(self, name, kind, key):
        side, hand = self.sides[name], self.hands[name]
        place = side.places[key]
        if kind == "delete":
            hand.delete(key)
            side.places[key] = None
        elif kind == "move":
            if key in side.moved:
                return
            target = self.rng.choice([t for t in self.targets if t != place.mailbox])
            hand.move(key, target)
            side.moved.add(key)
            side.places[key] = place._replace(mailbox=target)
            if name == "remote":
                # Its new UID is unknown: leave it alone from here on.
                self.note(name, kind, key, f"{place.mailbox} -> {target}")
                side.moved_away = getattr(side, "moved_away", {})
                side.moved_away[key] = side.places.pop(key)
                return
        else:
            # The letters of a file just moved still have their old folder's meaning.
            plain = kind == "flag" or key in side.moved
            flag = self.rng.choice(self.letters if plain else KEYWORDS)
            on = flag not in place.flags
            hand.flag(key, flag, on)
            side.places[key] = place._replace(flags=place.flags ^ {flag})
        after = side.places[key]
        self.note(name, kind, key, f"{place.mailbox} {sorted(place.flags)} -> "
                  f"{(after.mailbox, sorted(after.flags)) if after else 'gone'}")

    def note(self, *change):
        self.changes.append(Change(*change))

    def final(self, name, key):
        side = self.sides[name]
        return getattr(side, "moved_away", {}).get(key, side.places.get(key))

    def outcome(self, key):
        """(mailbox, allowed flag sets) that must result, None for gone, or "open"."""
        base = self.base[key]
        local, remote = self.final("local", key), self.final("remote", key)
        moved = {name for name in self.sides if key in self.sides[name].moved}
        if local is None and remote is None:
            return "open" if moved else None
        if local is None or remote is None:
            return "open" if moved else None
        if len(moved) == 2:
            return "open"
        flags = base.flags ^ ((base.flags ^ local.flags) | (base.flags ^ remote.flags))
        if not moved:
            return base.mailbox, [flags]
        if moved == {"local"}:
            return local.mailbox, [flags]
        return remote.mailbox, [flags, remote.flags]

    def complaints(self, local, remote):
        """What is not as it must be, one line each; with the changes of the message concerned."""
        lines = tree.differences(local, remote)
        found = {}
        for mailbox, messages in local.items():
            for key, copies in messages.items():
                found.setdefault(key, []).extend((mailbox, copy) for copy in copies)
        for key in self.base:
            lines += self.judge(key, self.outcome(key), found.pop(key, []))
        for side in self.sides.values():
            for key, place in side.added.items():
                lines += self.judge(key, (place.mailbox, [place.flags]), found.pop(key, []))
        for key, copies in found.items():
            want = sorted((box, *tree.strip(m, True)) for box, m in self.fixed.get(key, []))
            if sorted((box, *tree.strip(m, True)) for box, m in copies) != want:
                lines.append(f"{key[:12]}: nobody touched it, yet {copies} is not {want}")
        return lines

    def judge(self, key, want, copies):
        story = "; ".join(str(c) for c in self.changes if c.key == key)
        if want == "open":
            return [f"doubled: {copies} ({story})"] if len(copies) > 2 else []
        if want is None:
            return [f"should be gone, is {copies} ({story})"] if copies else []
        mailbox, allowed = want
        if len(copies) != 1:
            return [f"{len(copies)} copies, should be one in {mailbox} ({story})"]
        box, message = copies[0]
        if box != mailbox or message.flags not in allowed or message.time != self.times[key]:
            return [f"is {box} {message}, should be {mailbox} "
                    f"{[sorted(f) for f in allowed]} at {self.times[key]} ({story})"]
        return []


def unique_places(base):
    """digest -> Place of the messages that are there once in all mailboxes."""
    seen = {}
    for mailbox, messages in base.items():
        for key, copies in messages.items():
            seen.setdefault(key, []).extend(Place(mailbox, m.flags) for m in copies)
    return {key: places[0] for key, places in seen.items() if len(places) == 1}


def rest_of(base, unique):
    rest = {}
    for mailbox, messages in base.items():
        for key, copies in messages.items():
            if key not in unique:
                rest.setdefault(key, []).extend((mailbox, m) for m in copies)
    return rest
