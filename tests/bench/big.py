"""One mailbox with many messages of 1 KB: the first pull, and then one change at a time. What a run
costs is to follow the change, and its memory not even that."""

import time

from rig import mail
from rig.imap import Imap
from rig.maildir import Maildir

import cases
from peers import Mailsync, Mbsync

SIZE = 1000
AGE = 2.1          # seconds, until stamps of what was written just now prove something


def nothing(peer):
    pass


def flag_there(peer):
    with Imap(peer.server.port, peer.user) as session:
        session.select("INBOX")
        session.store("INBOX", 1, "+FLAGS", "\\Flagged")


def new_there(peer):
    with Imap(peer.server.port, peer.user) as session:
        session.append("INBOX", mail.one(1, peer.user, SIZE))


def gone_there(peer):
    with Imap(peer.server.port, peer.user) as session:
        session.expunge("INBOX", 2)


def new_here(peer):
    Maildir(peer.mail).deliver("INBOX", mail.one(2, peer.user, SIZE), "S")


def gone_here(peer):
    next(Maildir(peer.mail).files("INBOX")).unlink()


class Big:
    """STEPS: what is measured in turn, on one account; each after a run that settles the one
    before."""

    steps = (("first pull", None), ("idle", nothing), ("one flag there", flag_there),
             ("one new there", new_there), ("one gone there", gone_there),
             ("one new here", new_here), ("one gone here", gone_here))
    tls = True

    def __init__(self, count, peers):
        self.name = f"big-{count}"
        self.title = f"one mailbox of {count:,} messages of 1 KB, TLS loopback"
        self.count, self.peers = count, peers

    def scaled(self, scale):
        self.count = max(100, int(self.count * scale))
        return self

    def fill(self, server, user):
        cases.pour(server, user, [("INBOX", self.count, SIZE)])

    def measure(self, peer, timed):
        """Yields (step, wall seconds, CPU seconds, peak MB)."""
        for step, change in self.steps:
            if change is not None:
                timed(peer)                  # what the step before left to be looked at
                time.sleep(AGE)
                timed(peer)
                change(peer)
            yield (step, *timed(peer))
        timed(peer)
        if peer.forget_state():
            yield ("pairing after lost state", *timed(peer))

    def table(self, rows):
        """ROWS: (program, step, wall, cpu, peak) -> lines of a Markdown table."""
        lines = [f"### {self.title}", "",
                 "| program | work | wall s | CPU s | us a message | peak MB |",
                 "|---|---|---|---|---|---|"]
        for name, step, wall, cpu, peak in rows:
            each = f"{wall / self.count * 1e6:.0f}" if step == "first pull" else ""
            lines.append(f"| {name} | {step} | {wall:.2f} | {cpu:.2f} | {each} | {peak:.0f} |")
        return lines + [""]


def big_cases():
    return [Big(50_000, (Mailsync,)), Big(200_000, (Mailsync, Mbsync)), Big(400_000, (Mailsync,))]
