"""An IMAP account on whose both sides something is to be done, and what must come of it whatever is told.

INBOX, Work and Quiet are in sync; then another client and the user add, flag, delete and move. A lie is
about Work (or all), so that INBOX shows what else is held up, and Quiet what is left alone.
"""

import collections
import shutil

from rig import mail, program, tree
from rig.oracle import LocalHand, RemoteHand

from imap_server import RICH, Hand, ImapServer, Mailstore

QRESYNC = "IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT ENABLE CONDSTORE QRESYNC ESEARCH MOVE"
# kind: capabilities, the namespace's prefix and separator, keys
KINDS = {
    "rich": (RICH, "", "/", {}),
    "qresync": (QRESYNC, "", "/", {}),
    "condstore": ("IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE CONDSTORE ESEARCH MOVE", "", "/", {}),
    "plain": ("IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE", "", "/", {}),
    "bare": ("IMAP4rev1", "", "/", {}),
    "prefix": (QRESYNC, "INBOX.", ".", {}),
    "subscribed": ("IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE", "", "/", {"subscribed_only": "yes"}),
}
WHEN = 1_500_000_000


class Wrong(AssertionError):
    pass


class Fate:
    """A message's place and flags before and after; None: nowhere."""

    def __init__(self, name, wire, before, after, when):
        self.name, self.wire, self.before, self.after, self.when = name, wire, before, after, when

    @property
    def mailboxes(self):
        return {place[0] for place in (self.before, self.after) if place}

    def allows(self, mailbox, flags):
        """In the midst of it."""
        places = [place for place in (self.before, self.after) if place]
        low = frozenset.intersection(*(place[1] for place in places))
        high = frozenset.union(*(place[1] for place in places))
        return mailbox in self.mailboxes and low <= flags <= high


class Story:
    """On a server of KIND, below FOLDER. EXTRA: what else is done: "lost" (state), "make", "remove" or
    "rename" (mailboxes, here)."""

    def __init__(self, kind, folder, extra=None, keys=None):
        capabilities, prefix, separator, more = KINDS[kind]
        self.store = Mailstore(prefix, separator)
        self.server = ImapServer(self.store, capabilities)
        self.account = program.Account(folder, self.server, "u", **{
            "timeout": "2", "connections": "1", "max_delete": "100%", "remove_mailboxes": "both",
            **more, **(keys or {})})
        self.local = self.account.local
        self.extra = extra
        self.fates = {}
        self.times = True          # dates count
        self.renamed = {}

    def sync(self):
        result = self.account.sync(status=None)
        self.server.wait()
        return result

    # What is done

    def message(self, mailbox, name, flags=()):
        number = len(self.fates)
        wire = mail.one(number, seed=f"untold/{name}", size=300)
        place = (mailbox, tree.flags_of(flags))
        fate = Fate(name, wire, place, place, WHEN + number)
        self.fates[tree.digest(wire)] = fate
        return tree.digest(wire), fate

    def begin(self):
        hand = Hand(self.store)
        for mailbox in ("Work", "Quiet", *(["Old"] if self.extra == "remove" else [])):
            hand.create(mailbox)
        keys = collections.defaultdict(list)
        for mailbox, count in (("INBOX", 5), ("Work", 10), ("Quiet", 3), ("Old", 2)):
            for number in range(count if mailbox in hand.mailboxes() else 0):
                flags = ["\\Seen", "$label1"] if number % 2 else ["\\Flagged"]
                key, fate = self.message(mailbox, f"{mailbox} {number}", flags)
                hand.append(mailbox, fate.wire, flags, fate.when)
                keys[mailbox].append(key)
        result = self.sync()
        if result.status != 0:
            raise Wrong(f"the first run: {result}")
        if self.extra == "lost":
            shutil.rmtree(self.account.defaults["state_dir"])
        self.change(keys["INBOX"], keys["Work"], RemoteHand(hand), LocalHand(self.local))
        if self.extra in ("make", "remove", "rename"):
            getattr(self, self.extra)(keys)

    def change(self, inbox, work, there, here):
        for side in (there, here):
            name = "there" if side is there else "here"
            for mailbox in ("INBOX", "Work"):
                key, fate = self.message(mailbox, f"new {name} in {mailbox}", ["\\Answered"])
                side.add(mailbox, fate.wire, ["R"], fate.when)
                fate.before = None
        for key, side in ((inbox[1], there), (work[1], there), (inbox[2], here), (work[2], here)):
            side.flag(key, "R", True)
            fate = self.fates[key]
            fate.after = (fate.after[0], fate.after[1] | {"R"})
        if self.extra == "lost":        # who has no base knows of no deletion
            return
        for key, side in ((inbox[3], there), (work[3], there), (inbox[4], here), (work[4], here)):
            side.delete(key)
            self.fates[key].after = None
        for key, side in ((work[5], there), (work[6], here)):
            side.move(key, "INBOX")
            self.fates[key].after = ("INBOX", self.fates[key].after[1])

    def make(self, _):
        key, fate = self.message("Neu", "new here in Neu")
        self.local.create("Neu")
        self.local.deliver("Neu", fate.wire.replace(b"\r\n", b"\n"), when=fate.when)
        fate.before = None

    def remove(self, keys):
        self.local.remove("Old")
        for key in keys["Old"]:
            self.fates[key].after = None

    def rename(self, _):
        self.local.folder("Quiet").rename(self.local.folder("Leise"))
        for fate in self.fates.values():
            if fate.after and fate.after[0] == "Quiet":
                fate.after = ("Leise", fate.after[1])

    # What must be

    def sides(self):
        """{"here": {digest: [(mailbox, flags, time)]}, "there": ...}"""
        found = {}
        for name, box in (("here", self.local.read()), ("there", self.store.read())):
            found[name] = collections.defaultdict(list)
            for mailbox, messages in box.items():
                for key, copies in messages.items():
                    found[name][key] += [(mailbox, copy.flags, copy.time) for copy in copies]
        return found

    def check_between(self, before, after):
        """Nothing lost, nothing doubled, no flag taken that nobody took."""
        for side in ("here", "there"):
            for key, copies in after[side].items():
                self.check_copies(side, key, copies)
            for key in before[side]:
                if not after[side].get(key) and self.fates[key].after is not None:
                    raise Wrong(f"{self.fates[key].name} is lost {side}")

    def check_copies(self, side, key, copies):
        fate = self.fates.get(key)
        if fate is None:
            raise Wrong(f"nobody wrote what is {side} in {copies}")
        mailboxes = [mailbox for mailbox, _, _ in copies]
        if len(set(mailboxes)) != len(mailboxes):
            raise Wrong(f"{fate.name} is doubled {side}: {copies}")
        for mailbox, flags, _ in copies:
            # On its way out a message is marked.
            bare = flags - {"T"} if side == "there" else flags
            if not fate.allows(mailbox, bare):
                raise Wrong(f"{fate.name} is {side} in {mailbox} with {sorted(flags)}, "
                            f"was {fate.before}, shall be {fate.after}")

    def done(self, fate, key, now):
        """Both sides have it as it shall be."""
        want = [] if fate.after is None else [fate.after]
        return all([(mailbox, flags) for mailbox, flags, _ in now[side].get(key, [])] == want
                   for side in ("here", "there"))

    def extent(self, before, now):
        """How much of what was to be done is done."""
        waiting = [fate for key, fate in self.fates.items() if not self.done(fate, key, now)]
        if not waiting:
            return "all"
        if before == now:
            return "none"
        if all("Work" in fate.mailboxes for fate in waiting):
            return "rest"
        return "some"

    def settled(self):
        """One run without lies does all, and a further one nothing."""
        result = self.sync()
        now = self.sides()
        for key, fate in self.fates.items():
            if not self.done(fate, key, now):
                raise Wrong(f"{fate.name} should be {fate.after}, is here {now['here'].get(key)}, "
                            f"there {now['there'].get(key)}: {result}")
            if self.times and fate.after and {copy[2] for side in now.values()
                                              for copy in side[key]} != {fate.when}:
                raise Wrong(f"{fate.name} has another date")
        if result.status != 0:
            raise Wrong(f"does not come to rest: {result}")
        again = self.sync()
        if again.status != 0 or again.did:
            raise Wrong(f"not at rest: {again}")
