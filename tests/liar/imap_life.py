"""A random history (rig/past.py) on an IMAP server that lies and a disk that fails."""

import contextlib
import shutil

from rig import past
from rig.oracle import RemoteHand

from imap_lies import Liar
from imap_server import RICH, Hand, Honest, ImapServer, Mailstore
from life import Life

QRESYNC = ("IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT ENABLE CONDSTORE QRESYNC ESEARCH MOVE "
           "LIST-EXTENDED")
# What the server can do, the namespace's prefix and separator, keys.
KINDS = {
    "rich": (RICH, "", "/", {}),
    "qresync": (QRESYNC, "", "/", {}),
    "condstore": ("IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT CONDSTORE ESEARCH MOVE LIST-EXTENDED "
                  "LIST-STATUS", "", "/", {}),
    "plain": ("IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE", "", "/", {}),
    "bare": ("IMAP4rev1", "", "/", {}),
    "prefix": (QRESYNC + " LIST-STATUS MULTIAPPEND", "INBOX.", ".", {}),
    "subscribed": ("IMAP4rev1 LITERAL- UIDPLUS NAMESPACE CONDSTORE ENABLE", "", "/",
                   {"subscribed_only": "yes"}),
    "maildir++": (RICH, "", "/", {"layout": "maildir++"}),
    "removing": (RICH, "", "/", {"remove_mailboxes": "both"}),
    "removing-plain": ("IMAP4rev1 LITERAL+ UIDPLUS", "", "/", {"remove_mailboxes": "both"}),
    "braked": (RICH, "", "/", {"max_delete": "50%"}),
    "crowd": (QRESYNC + " LIST-STATUS", "", "/", {"connections": "3"}),
}


class ImapLife(Life, past.Past):
    """One history of SEED; run() raises Wrong."""

    honest, liar = Honest, Liar
    tries = 1
    has_times = False       # a date that was not told once is not made up for

    def __init__(self, seed, folder, tally, shim, only=None):
        chance = self.begin(seed, folder, tally, shim, only)
        self.kind = chance.choice(sorted(KINDS))
        capabilities, prefix, separator, keys = KINDS[self.kind]
        self.store = Mailstore(prefix, separator)
        self.serve(chance, ImapServer(self.store, capabilities),
                   **{"connections": "1", "max_delete": "100%", **keys})
        past.Past.__init__(self, seed, self.account.local)

    # What rig/past.py wants to know

    @contextlib.contextmanager
    def there(self):
        yield RemoteHand(Hand(self.store)), self.store.read()

    def trees(self):
        return self.local.read(), self.store.read()

    def without_keywords(self, state):
        """A file that was moved while the server did not tell of its message may have kept letters
        that the new folder's table has no name for: they mean nothing."""
        for messages in super().without_keywords(state).values():
            for key, copies in messages.items():
                if key in self.stories and self.stories[key].moves:
                    messages[key] = [copy._replace(flags=frozenset(
                        f for f in copy.flags if len(f) > 1 or f.isupper())) for copy in copies]
        return state

    # What happens

    def lose_state(self):
        """Both sides are paired anew."""
        shutil.rmtree(self.folder / "state", ignore_errors=True)
        self.lines.append(f"{self.phase}: the state is lost")

    def renumber(self):
        """Other UIDs and another UIDVALIDITY for all."""
        for box in self.store.mailboxes.values():
            box.uidvalidity += 1000
            letters, box.letters, box.gone = list(box.letters.values()), {}, []
            for letter in letters:
                box.add(letter.wire, letter.flags, letter.when, letter.emailid)
        self.lines.append(f"{self.phase}: all UIDs are others")

    def some_mailbox(self):
        """One with messages that both sides have, and how many."""
        here, there = self.trees()
        names = sorted(name for name in here if here[name] and there.get(name) and name != "INBOX")
        return self.rng.choice(names) if names else None

    def rename_mailbox(self):
        box, new, side = self.some_mailbox(), f"Werk{self.phase}", self.rng.choice(("local", "remote"))
        if box is None:
            return
        if side == "local":
            self.local.folder(box).rename(self.local.folder(new))
        else:
            self.store.rename(self.store.wire(box), self.store.wire(new))
        self.lines.append(f"{self.phase}: {box} is renamed to {new}, {side}")
        for story in self.stories.values():
            if story.base.mailbox == box:
                story.base = story.base._replace(mailbox=new)

    def remove_mailbox(self):
        """Where removals are not carried out, it comes back with all it held."""
        box, side = self.some_mailbox(), self.rng.choice(("local", "remote"))
        if box is None:
            return
        if side == "local":
            self.local.remove(box)
        else:
            del self.store.mailboxes[self.store.wire(box)]
        self.lines.append(f"{self.phase}: {box} is removed, {side}")
        for story in self.stories.values():
            if story.base.mailbox == box and self.kind.startswith("removing"):
                story.deletes += 1

    def epoch(self):
        if self.rng.random() < 0.2:
            self.phase += 1
            self.rng.choice((self.lose_state, self.renumber, self.rename_mailbox,
                             self.remove_mailbox))()
            for _ in range(self.rng.randrange(1, 3)):
                self.disturb()
            return
        for _ in range(self.rng.randrange(1, 4)):
            self.change(self.rng.randrange(2, 9))
            for _ in range(self.rng.choice((1, 1, 2))):
                self.disturb()

    def run(self):
        try:
            if self.rng.random() < 0.85:
                self.change(self.rng.randrange(8, 20))
                self.settle()
                self.lines = []
            for _ in range(self.rng.choice((1, 1, 2))):
                self.epoch()
                self.settle()
        finally:
            self.finish()
