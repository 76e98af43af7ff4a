"""The pieces of work. A case fills an account once; each measured run then starts from a state that
`before` has set up, for each program alike."""

import random

from rig import mail
from rig.imap import Imap
from rig.maildir import Maildir

from peers import (Bare, BareDrop, BarePush, CompressedMailsync, Interimap, LeanMbsync, Mailsync,
                   Mbsync, Offlineimap)


def letters(count, size, seed=1):
    """Messages of about SIZE bytes."""
    rng = random.Random(seed)
    for number in range(count):
        body = int(size * rng.uniform(0.7, 1.3)) - 450
        wire = mail.joined(*mail.plain(number, rng, body))
        yield mail.Letter("INBOX", wire, ("\\Seen",) if number % 4 else (), 1_500_000_000 + number)


def pour(server, user, boxes):
    """boxes: [(mailbox, count, size)]"""
    with Imap(server.port, user) as session:
        for number, (mailbox, count, size) in enumerate(boxes):
            if mailbox != "INBOX":
                session.create(mailbox)
            mail.pour(session, mailbox, letters(count, size, seed=number))


class Case:
    """`scale` (0 to 1) makes it smaller; rtt_ms and kbit_s (0: no limit) are those of the line."""

    peers = (Mailsync, Mbsync)
    rtt_ms = 0
    kbit_s = 0
    tls = True
    first_sync = True          # measured runs come after a first one

    def __init__(self, name, title, boxes, **settings):
        self.name, self.title, self.boxes = name, title, boxes
        self.__dict__.update(settings)

    def scaled(self, scale):
        if scale < 1:
            self.boxes = [(name, max(1, int(count * scale) if count > 10 else count), size)
                          for name, count, size in self.boxes]
        return self

    def fill(self, server, user):
        pour(server, user, self.boxes)

    def fill_local(self, peer):
        """For pushes: put mail into the peer's Maildir."""

    def before(self, peer, number):
        """Before each measured run."""

    def is_right(self, peer):
        """What must hold after a run, so that nobody wins by doing nothing."""
        want = sum(count for _, count, _ in self.boxes)
        if isinstance(peer, BareDrop):
            return True
        if isinstance(peer, Interimap):
            with Imap(peer.server.port, peer.local_user()) as session:
                return session.select("INBOX") >= self.boxes[0][1]
        if isinstance(peer, Bare):
            return len(list(peer.mail.iterdir())) == want
        have = sum(len(list(Maildir(peer.mail).files(box)))
                   for box in Maildir(peer.mail).mailboxes())
        return have >= want


class Pull(Case):
    first_sync = False

    def before(self, peer, number):
        peer.start_anew()


class Push(Case):
    """The Maildir is full, the account is empty."""

    first_sync = False

    def fill(self, server, user):
        self.all = {box: list(letters(count, size)) for box, count, size in self.boxes}

    def before(self, peer, number):
        peer.start_anew(f"{peer.user.partition('r')[0]}r{number}")
        local = Maildir(peer.mail)
        for box, batch in self.all.items():
            local.create(box)
            for letter in batch:
                local.deliver(box, letter.wire.replace(b"\r\n", b"\n"), "S", letter.when)

    def is_right(self, peer):
        with Imap(peer.server.port, peer.user) as session:
            return session.select("INBOX") == sum(count for _, count, _ in self.boxes)


class FlagThere(Case):
    def before(self, peer, number):
        with Imap(peer.server.port, peer.user) as session:
            uid = session.uids("INBOX")[number]
            session.store("INBOX", uid, "+FLAGS" if number % 2 else "-FLAGS", "\\Seen \\Flagged")


class FlagHere(Case):
    def before(self, peer, number):
        local = Maildir(peer.mail)
        path = next(local.files("INBOX"))
        local.set_flags(path, *(("", "F") if "F" in local.flags(path) else ("F", "")))


def huge():
    head, body = mail.plain(1, random.Random(1), 1)
    return mail.Letter("INBOX", b"\r\n".join(head) + b"\r\n\r\n" + (b"x" * 70 + b"\r\n") * 2_900_000,
                       (), 1_500_000_000)


class HugePull(Pull):
    def fill(self, server, user):
        with Imap(server.port, user) as session:
            mail.pour(session, "INBOX", [huge()])


class HugePush(Push):
    def fill(self, server, user):
        self.all = {"INBOX": [huge()]}


ALL = (Mailsync, Mbsync, Offlineimap, Interimap)
PULLERS = (Mailsync, Mbsync, LeanMbsync, Bare, BareDrop)
PUSHERS = (Mailsync, Mbsync, BarePush)
SMALL = 2000
BOXES = [(f"box{n:03}", 5, SMALL) for n in range(199)]
BOXES25 = [(f"box{n:03}", 25, SMALL) for n in range(199)]


def cases():
    return [
        Pull("pull-20000", "first pull, 20,000 x 8 KB, TLS loopback",
             [("INBOX", 20_000, 8000)], peers=PULLERS),
        Case("idle-500", "idle, 500 messages, TLS loopback", [("INBOX", 500, SMALL)], peers=ALL),
        Case("idle-5000", "idle, 5,000 messages, TLS loopback", [("INBOX", 5000, SMALL)],
             peers=ALL),
        Case("idle-50000", "idle, 50,000 messages, TLS loopback", [("INBOX", 50_000, SMALL)]),
        Case("idle-500-rtt", "idle, 500 messages, 50 ms, no TLS", [("INBOX", 500, SMALL)],
             peers=ALL, rtt_ms=50, tls=False),
        Case("idle-200-boxes", "idle, 200 mailboxes x 5, 50 ms, no TLS",
             [("INBOX", 5, SMALL), *BOXES], rtt_ms=50, tls=False),
        FlagThere("flag-there", "one flag changed on the server of 50,000, 50 ms, no TLS",
                  [("INBOX", 50_000, SMALL)], rtt_ms=50, tls=False),
        FlagHere("flag-here", "one flag changed locally of 50,000, 50 ms, no TLS",
                 [("INBOX", 50_000, SMALL)], rtt_ms=50, tls=False),
        Pull("pull-35M", "first pull, 1,500 messages of 35 MB, TLS loopback",
             [("INBOX", 1500, 23_300)], peers=PULLERS + (Offlineimap, Interimap)),
        Pull("pull-35M-rtt", "first pull, 1,500 messages of 35 MB, 50 ms",
             [("INBOX", 1500, 23_300)], peers=PULLERS, rtt_ms=50),
        Pull("pull-7M-slow", "first pull, 300 messages of 7 MB, 50 ms, 16 Mbit/s",
             [("INBOX", 300, 23_300)], peers=(Mailsync, CompressedMailsync, Mbsync, LeanMbsync),
             rtt_ms=50, kbit_s=16_000),
        Push("push-35M", "first push, 1,500 messages of 35 MB, TLS loopback",
             [("INBOX", 1500, 23_300)], peers=PUSHERS + (Offlineimap,)),
        Push("push-35M-rtt", "first push, 1,500 messages of 35 MB, 50 ms",
             [("INBOX", 1500, 23_300)], peers=PUSHERS, rtt_ms=50),
        Pull("pull-200-boxes", "first pull, 200 mailboxes x 25, 50 ms",
             [("INBOX", 25, SMALL), *BOXES25], rtt_ms=50),
        Pull("pull-50000", "first pull, 50,000 x 2 KB, TLS loopback", [("INBOX", 50_000, SMALL)]),
        HugePull("pull-huge", "first pull of one message of 200 MB", [("INBOX", 1, 1)]),
        HugePush("push-huge", "first push of one message of 200 MB", [("INBOX", 1, 1)]),
    ]
