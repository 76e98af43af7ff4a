"""A MUA at work in the Maildir while the program is stopped before a step or a look, and what must
have become of it.

    mua = Mua(trial.account, expected, random.Random(seed))
    want = mua.act("move", paths)       # PATHS: what the program is about to touch
    ... the run goes on, and further ones until nothing is left to do ...
    want.complaints(local tree, remote tree)

EXPECTED is what the undisturbed run comes to; all of its messages are different. What must result is
worked out from that and from the act alone: every other message is where it would have been, and
the one that was touched is as the user left it, on both sides. What is open in RELIABILITY, since
another client has moved or deleted the same message on the server, is open here. Both sides must be
known to each other: without base all is new.
"""

import pathlib
from typing import FrozenSet, NamedTuple, Tuple

from rig import mail, tree

ACTS = ("seen", "flag", "move", "deliver", "delete", "occupy")
FOLDERS = ("INBOX", "Work", "Archive")
LETTER = "P"                 # changed by nobody else


class Place(NamedTuple):
    mailbox: str
    flags: FrozenSet[str]


def places(state):
    """{digest: [Place, ...]}, sorted."""
    found = {}
    for mailbox, messages in state.items():
        for key, copies in messages.items():
            found.setdefault(key, []).extend(Place(mailbox, copy.flags) for copy in copies)
    return {key: sorted(copies, key=str) for key, copies in found.items()}


def is_nameless(flag):
    """A letter that the folder has no name for."""
    return len(flag) == 1 and flag.islower()


def without_keywords(copies):
    return [Place(box, frozenset(x for x in flags if len(x) == 1 and not is_nameless(x)))
            for box, flags in copies]


def without_nameless(state, key):
    """STATE without the nameless letters of the message KEY."""
    def bare(copy):
        return copy._replace(flags=frozenset(x for x in copy.flags if not is_nameless(x)))
    return {box: {k: [bare(copy) for copy in copies] if k == key else copies
                  for k, copies in messages.items()}
            for box, messages in state.items()}


class Want(NamedTuple):
    """What may become of one message; all others are where EXPECTED has them."""
    expected: dict                   # places
    story: str
    key: str
    outcomes: Tuple[list, ...]       # any of these lists of places
    in_the_way: bool = False         # it stays where it is, and nothing else is lost
    may_be_told: bool = False        # as an error, of this run
    keywords_open: bool = False      # RELIABILITY: letters are a folder's own

    def may_be_gone(self):
        return [] in self.outcomes

    def lost(self, trees):
        """What is nowhere, in the middle of everything."""
        found = places(trees[0]).keys() | places(trees[1]).keys()
        wanted = set(self.expected) - {self.key}
        if not self.may_be_gone():
            wanted.add(self.key)
        return [f"lost: {key[:12]} ({self.story})" for key in sorted(wanted - found)]

    def judge(self, copies):
        plain = without_keywords if self.keywords_open else list
        return any(plain(copies) == plain(outcome) for outcome in self.outcomes)

    def complaints(self, local, remote):
        lines = []
        for side, state in (("local", places(local)), ("remote", places(remote))):
            if not self.judge(state.get(self.key, [])) and (side == "local" or not self.in_the_way):
                lines.append(f"{side}: {self.key[:12]} is {state.get(self.key, [])}, "
                             f"should be any of {self.outcomes}")
            for key in sorted((self.expected.keys() | state.keys()) - {self.key}):
                if state.get(key, []) != self.expected.get(key, []) and not self.in_the_way:
                    lines.append(f"{side}: {key[:12]} is {state.get(key, [])}, "
                                 f"should be {self.expected.get(key, [])}")
        if self.keywords_open:           # RELIABILITY: such letters are kept, and nobody's keyword
            local = without_nameless(local, self.key)
        lines += self.lost((local, remote)) if self.in_the_way else tree.differences(local, remote)
        return [f"{self.story}: {line}" for line in lines]


class Mua:
    def __init__(self, account, expected, rng):
        self.local, self.rng = account.local, rng
        self.trash = account.keys.get("trash")
        self.expected = places(expected)
        self.boxes = set(expected)

    def act(self, kind, paths):
        """Carries out KIND on what the program is about to touch, else on anything. None where
        there is nothing that it could be done to."""
        self.near = [pathlib.Path(path) for path in paths]
        return getattr(self, kind)()

    # Choosing

    def mailbox_of(self, path):
        name = str(path.parent.parent.relative_to(self.local.root))
        return "INBOX" if name == self.local.inbox else name

    def files(self):
        return [path for box in self.local.mailboxes() for path in sorted(self.local.files(box))]

    def pick(self, files):
        """The very file, else one of its folder, else any."""
        folders = {folder for path in self.near for folder in (path.parent, path.parent.parent)}
        for some in ([f for f in files if f in self.near],
                     [f for f in files if f.parent.parent in folders], files):
            if some:
                return self.rng.choice(some)
        return None

    def facts(self, path):
        """(digest, its mailbox, where it will be without the act)."""
        key = tree.digest(tree.crlf(path.read_bytes()))
        return key, self.mailbox_of(path), self.expected.get(key, [])

    def want(self, story, path, **fields):
        name = path.relative_to(self.local.root)
        # A folder that changes while it is being removed is reported.
        told = self.mailbox_of(path) not in self.boxes or fields.get("in_the_way", False)
        return Want(self.expected, f"{story} {name}", may_be_told=told, **fields)

    def flags(self, path):
        return self.local.flags(path, self.local.keyword_table(self.mailbox_of(path)))

    # Acts

    def change_flags(self, path, letter):
        key, mailbox, final = self.facts(path)
        on = letter not in self.local.flags(path)
        self.local.set_flags(path, *((letter, "") if on else ("", letter)))
        changed = [Place(box, flags | {letter} if on else flags - {letter})
                   for box, flags in final]
        # The flags of one that moved on the server may not have gone along.
        stays = not final or final[0].mailbox == mailbox
        return self.want(f"{'+' if on else '-'}{letter}", path, key=key,
                         outcomes=(changed,) if stays else (changed, final))

    def seen(self):
        """As a MUA does with what is in new."""
        path = self.pick([f for f in self.files() if f.parent.name == "new"])
        return path and self.change_flags(path, "S")

    def flag(self):
        return self.change_flags(self.pick(self.files()), LETTER)

    def move(self):
        path = self.pick(self.files())
        key, mailbox, final = self.facts(path)
        target = self.rng.choice([box for box in FOLDERS if box != mailbox])
        flags = self.local.flags(path)
        self.local.move(path, target)
        if final and final[0].mailbox == mailbox:
            outcomes = ([Place(target, final[0].flags)],)
        else:
            # Deleted or moved on the server, too.
            flags = {frozenset(x for x in flags if not x.islower()),
                     *(place.flags for place in final)}
            here = [[Place(target, x)] for x in flags]
            outcomes = ([], final, *here, *(sorted(one + final, key=str) for one in here))
        return self.want(f"moved to {target}", path, key=key, outcomes=outcomes,
                         keywords_open=True)

    def deliver(self):
        folders = [self.mailbox_of(p) for p in self.near if p.parent.name in ("cur", "new")]
        folders += [str(p.parent.relative_to(self.local.root)) for p in self.near
                    if p.name in ("cur", "new")]
        mailbox = folders[0] if folders else self.rng.choice(FOLDERS)
        if not all((self.local.folder(mailbox) / part).is_dir() for part in ("tmp", "new", "cur")):
            return None                  # half made, or half removed
        wire = mail.one(0, seed=f"race/{self.rng.random()}", size=400)
        flags = self.rng.choice(("", "F"))
        path = self.local.deliver(mailbox, wire.replace(b"\r\n", b"\n"), flags, 1_600_009_000)
        # A folder that is about to be removed is kept.
        return self.want("delivered", path, key=tree.digest(wire),
                         in_the_way=mailbox not in self.boxes, outcomes=([Place(mailbox, frozenset(flags))],))

    def delete(self):
        path = self.pick(self.files())
        key, mailbox, final = self.facts(path)
        path.unlink()
        outcomes = ([],)
        if final and final[0].mailbox != mailbox:
            outcomes = ([], final)
        elif final and self.trash not in (None, mailbox):
            outcomes = ([Place(self.trash, final[0].flags)],)
        return self.want("deleted", path, key=key, outcomes=outcomes)

    def occupy(self):
        """Another file has the very name that the program is going to give to one."""
        if len(self.near) < 2 or self.near[1].parent.name not in ("cur", "new"):
            return None
        path = self.near[1]
        if path.exists() or not path.parent.is_dir():
            return None
        wire = mail.one(0, seed=f"race/{self.rng.random()}", size=400)
        path.write_bytes(wire.replace(b"\r\n", b"\n"))
        return self.want("occupied", path, key=tree.digest(wire), in_the_way=True,
                         outcomes=([Place(self.mailbox_of(path), self.flags(path))],))
