"""What users of both sides did to an account, and what must have come of it.

What must result is worked out from what the users did, message by message, and from nothing else: no
thought is shared with the program. Whoever lives a history derives from Past: he says how the program
runs, and disturbs it.

An epoch begins when both sides agree and ends when they do again. In it, per message:

    nobody deleted or moved it      one copy where it was, each flag as the only side that changed
                                    it left it
    deleted once, on one side       gone on both (if both had it when the epoch began)
    moved once, on one side         one copy, in the new place
    deleted or moved more often     open, but not lost unless a user deleted it, and no more
                                    copies than places it was put in
    added                           one copy where it was added

and at every moment, also right after a disturbed run: whatever no user deleted is on one side at least.

A flag that was changed on both sides, or again after a run was disturbed, or of a message that was
moved or added, may be either way: a change that was carried out and not recorded when the run died
looks like the other side's.
"""

import contextlib
import itertools
import random
from typing import NamedTuple

from . import mail, tree
from .oracle import LocalHand

FLAGS = ("F", "R", "S", "D", "work", "$label1")


class Wrong(Exception):
    """What must not be, with the story of the message."""


class Fact(NamedTuple):
    mailbox: str
    flags: frozenset


class Look(NamedTuple):
    mailbox: str
    flags: frozenset
    has_uidlist: bool           # Dovecot, which knows letters, is at work on the folder

    def lost_letters_in(self, later):
        if later.has_uidlist or any(len(x) > 1 or x.islower() for x in later.flags):
            return False
        keywords = {x for x in self.flags if len(x) > 1}
        was_moved = later.mailbox != self.mailbox
        if was_moved and self.has_uidlist:
            return False
        return bool(keywords) and (was_moved or later.flags != self.flags - keywords)


class Story:
    """What users did to one message in this epoch."""

    def __init__(self, base=None, added=None):
        self.base, self.added = base, added
        self.deletes, self.moves = 0, []
        self.looks = []             # at its file, before and after each phase
        self.touched = {}           # flag: {(side, phase): value}
        self.lines = []

    @property
    def acts(self):
        return self.deletes + len(self.moves)

    @property
    def has_open_letters(self):
        """All letters went, with a move or with another flag, where nothing says that it was done by
        a program that knows them: the keywords stay on the server, unlettered here (D17). Any two
        looks may be those of two runs."""
        return any(earlier.lost_letters_in(later)
                   for earlier, later in itertools.combinations(self.looks, 2))

    def note(self, *words):
        self.lines.append(" ".join(str(w) for w in words))

    def touch(self, side, phase, flag, value):
        self.touched.setdefault(flag, {})[side, phase] = value

    def flag_is_right(self, flag, value):
        before = (self.base or self.added).flags
        if len(flag) > 1 and self.moves and any(len(touched) > 1 for touched in self.touched):
            return True             # letters of two folders' tables in one name
        if len(flag) > 1 and self.has_open_letters:
            return True             # without_keywords leaves them out of what is judged
        touches = self.touched.get(flag)
        if not touches:
            return (flag in before) == value
        if self.acts or self.added or len(touches) > 1:
            return True
        return value in touches.values()

    def complaints(self, copies):
        """COPIES: [(mailbox, flags)] on a side, at the end of the epoch."""
        count = len(copies)
        if self.acts == 0 or (self.acts == 1 and self.moves and self.base):
            place = self.moves[0] if self.moves else (self.base or self.added).mailbox
            if [box for box, _ in copies] != [place]:
                return [f"should be once in {place}, is {copies}"]
            wrong = [f for f in FLAGS if not self.flag_is_right(f, f in copies[0][1])]
            return [f"flags {wrong} of {copies} are wrong"] if wrong else []
        if self.acts == 1 and self.base:
            return [f"was deleted, is {copies}"] if copies else []
        if not self.deletes and count == 0:
            return ["is lost"]
        if count > len(self.moves) + 1:
            return [f"is doubled: {copies}"]
        return []


def places(state):
    """digest: [(mailbox, flags)]"""
    found = {}
    for box, messages in state.items():
        for key, copies in messages.items():
            found.setdefault(key, []).extend((box, copy.flags) for copy in copies)
    return found


class Past:
    """A history of SEED; LOCAL is the Maildir."""

    tries = 2           # runs in which it has to come to rest
    has_times = True    # the sides' dates must agree

    def __init__(self, seed, local):
        self.seed, self.local = seed, local
        self.rng = random.Random(seed)
        self.stories = {}
        self.phase = self.serial = 0
        self.runs = 0
        self.lines = []
        self.boxes = ["INBOX", "Work", "Été/Sub"]

    # What who lives it says

    @contextlib.contextmanager
    def there(self):
        """(the hand of a user there, the tree there)"""
        raise NotImplementedError

    def trees(self):
        """Both sides' trees: local, remote."""
        raise NotImplementedError

    def sync(self):
        """A run that nothing disturbs; its Result."""
        raise NotImplementedError

    # Users

    def letter(self):
        self.serial += 1
        size = self.rng.choice((200, 200, 400, 3000, 60_000))
        return mail.one(self.serial, seed=f"history/{self.seed}", size=size)

    def target(self, other_than=None):
        names = [*self.boxes, *(["Neu/Größe", "Zz"] if self.rng.random() < 0.2 else [])]
        return self.rng.choice([name for name in names if name != other_than])

    def change(self, count):
        self.phase += 1
        # All that happens here is done by programs that know the letters of keywords.
        for mailbox in self.local.mailboxes():
            (self.local.folder(mailbox) / "dovecot-uidlist").touch()
        with self.there() as (hand, remote):
            hands = {"local": LocalHand(self.local), "remote": hand}
            there = {"local": self.look(), "remote": places(remote)}
            for _ in range(count):
                side = self.rng.choice(("local", "remote"))
                self.one_change(side, hands[side], there[side])
        self.look()

    def look(self):
        """The places here, noted in the stories."""
        found = places(self.local.read())
        for key, copies in found.items():
            if key in self.stories and len(copies) == 1:
                box, flags = copies[0]
                has_uidlist = (self.local.folder(box) / "dovecot-uidlist").exists()
                self.stories[key].looks.append(Look(box, flags, has_uidlist))
        return found

    def one_change(self, side, hand, there):
        # A message with two copies, or that was dealt with in this phase, is left alone.
        known = sorted(key for key, copies in there.items() if len(copies) == 1)
        kind = self.rng.choice(("add", "add", "delete", "move", "flag", "flag", "flag"))
        if kind == "add" or not known:
            self.add(side, hand)
            return
        key = self.rng.choice(known)
        box, flags = there[key][0]
        story = self.stories[key]
        if kind == "flag":
            flag = self.rng.choice(FLAGS)
            value = flag not in flags
            hand.flag(key, flag, value)
            story.touch(side, self.phase, flag, value)
            story.note(self.phase, side, "sets" if value else "clears", flag)
            there[key] = [(box, flags ^ {flag})]
            return
        del there[key]
        if kind == "delete":
            hand.delete(key)
            story.deletes += 1
            story.note(self.phase, side, "deletes it from", box)
        else:
            target = self.target(box)
            if side == "local" and (story.acts or story.added):
                # Nothing tells the program any more what the letters meant in the old folder.
                self.drop_keywords(hand, key)
            hand.move(key, target)
            story.moves.append(target)
            story.note(self.phase, side, "moves it from", box, "to", target)

    @staticmethod
    def drop_keywords(hand, key):
        mailbox, path = hand.paths[key]
        letters = [x for x in path.name.rpartition(":2,")[2] if x.islower()]
        if letters:
            hand.paths[key] = (mailbox, hand.maildir.set_flags(path, remove="".join(letters)))

    def add(self, side, hand):
        wire, box = self.letter(), self.target()
        flags = frozenset(f for f in FLAGS if self.rng.random() < 0.15)
        hand.add(box, wire, sorted(flags), 1_500_000_000 + self.serial)
        story = Story(added=Fact(box, flags))
        story.note(self.phase, side, "adds it to", box, sorted(flags))
        self.stories[tree.digest(wire)] = story

    # Judging

    def run_to_end(self):
        self.runs += 1
        return self.sync()

    def check_nothing_lost(self):
        found = [places(state) for state in self.trees()]
        for key, story in self.stories.items():
            if not story.deletes and key not in found[0] and key not in found[1]:
                raise Wrong(self.told(key, "is lost on both sides"))
            for side in found:
                boxes = [box for box, _ in side.get(key, [])]
                if story.acts <= 1 and len(boxes) != len(set(boxes)):
                    raise Wrong(self.told(key, f"is doubled: {boxes}"))

    def told(self, key, what):
        story = self.stories[key]
        return "\n    ".join([f"message {key[:12]} {what}", f"base {story.base}",
                              *story.lines, *self.lines])

    def settle(self):
        """Undisturbed, until in sync; then everything is as it must be."""
        self.drop_open_keywords()
        result = None
        for _ in range(self.tries):
            result = self.run_to_end()
            if result.status == 0:
                break
        if result.status != 0:
            raise Wrong(f"does not come to rest: {result}\n    " + "\n    ".join(self.lines))
        self.lines.append(f"{self.phase}: run {result.did}")
        trees = [self.without_keywords(state) for state in self.trees()]
        differing = tree.differences(*trees, times=self.has_times)
        if differing:
            raise Wrong("\n    ".join(["the sides differ:", *differing, *self.lines,
                                       *self.told_by(differing)]))
        found = places(trees[0])
        for key, story in self.stories.items():
            for line in story.complaints(found.get(key, [])):
                raise Wrong(self.told(key, line))
        strangers = set(found) - set(self.stories)
        if strangers:
            raise Wrong(f"messages that nobody wrote: {[found[key] for key in strangers]}")
        again = self.sync()
        if again.status != 0 or again.did:
            raise Wrong(f"not at rest: {again}\n    " + "\n    ".join(self.lines))
        uncertain = [key for key, copies in found.items() if len(copies) > 1
                     or self.stories[key].acts > 1 or self.stories[key].has_open_letters]
        self.stories = {key: Story(base=Fact(*copies[0])) for key, copies in found.items()
                        if key not in uncertain}
        self.drop(uncertain)

    def drop_open_keywords(self):
        """Letters without a name in a folder get one when the next keyword comes: where the outcome
        is open nobody moves them with the message."""
        hand = LocalHand(self.local)
        for key in hand.paths:
            if key in self.stories and self.stories[key].acts > 1:
                self.drop_keywords(hand, key)

    def without_keywords(self, state):
        """Where the outcome is open, so is what letters mean that came from another folder."""
        for messages in state.values():
            for key, copies in messages.items():
                story = self.stories.get(key)
                if story and (story.acts > 1 or story.has_open_letters):
                    messages[key] = [copy._replace(flags=frozenset(
                        f for f in copy.flags if len(f) == 1 and f.isupper())) for copy in copies]
        return state

    def told_by(self, differing):
        return [line for key in self.stories for text in differing if key[:12] in text
                for line in self.stories[key].lines]

    def drop(self, keys):
        """Messages whose outcome was open leave the history."""
        if not keys:
            return
        for mailbox in self.local.mailboxes():
            for path in list(self.local.files(mailbox)):
                if tree.digest(tree.crlf(path.read_bytes())) in keys:
                    path.unlink()
        self.run_to_end()
