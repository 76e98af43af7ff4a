"""Mailboxes of a scripted server that tells of what happens in them, by IDLE or NOTIFY, or does not.

    with HeardServer([Box(1)]) as server:
        server.deliver(b"...")                   # and it tells
        server.tells = False                     # deaf from now on
        server.say("* OK [NOTIFICATIONOVERFLOW] too much")
        server.cut()                             # every connection

Several connections, each with a mailbox of its own that is open. What they did stands in
`server.logins` (times of day) and `server.received`.
"""

import re
import threading
import time

from .fake import FakeServer
from .scripted import always

HEARD = "IMAP4rev1 IDLE UNSELECT UIDPLUS LITERAL+"


class HeardServer(FakeServer):
    def __init__(self, boxes=(), script=(), capabilities=HEARD, **options):
        self.here = threading.local()
        self.lock = threading.Lock()
        self.ears = {}                 # conn: (tag of IDLE, or None for NOTIFY; box)
        self.conns = set()
        self.tells = True
        self.answers_done = True
        self.exists_first = False
        self.is_silent = False         # nothing is answered any more, on any connection
        self.idle_answer = None        # instead of "+"
        self.logins = []
        super().__init__(boxes, script, capabilities=capabilities, **options)

    @property
    def selected(self):
        return getattr(self.here, "selected", None)

    @selected.setter
    def selected(self, box):
        self.here.selected = box

    def serve(self, conn):
        with self.lock:
            self.conns.add(conn)
        self.here.conn = conn
        try:
            super().serve(conn)
        finally:
            with self.lock:
                self.conns.discard(conn)
                self.ears.pop(conn, None)

    def fallbacks(self):
        return [
            always(r"^(LOGIN|AUTHENTICATE)", self.login),
            always(r"^IDLE$", self.idle),
            always(r"^NOTIFY SET ", self.notify),
            always(r"^$", self.done),
            *super().fallbacks(),
        ]

    def answer(self, conn, tag, answers, command=""):
        self.here.tag = tag
        if not self.is_silent:
            super().answer(conn, tag, answers, command)

    def login(self, _command):
        self.logins.append(time.monotonic())
        return ["OK [CAPABILITY {capabilities}] welcome"]

    def idle(self, _command):
        if self.idle_answer:
            return [self.idle_answer]
        with self.lock:
            self.ears[self.here.conn] = (self.here.tag, self.selected)
        first = [f"* {len(self.selected.letters)} EXISTS"] if self.exists_first else []
        return [*first, "+ idling"]

    def done(self, _command):
        """DONE stands where a tag would."""
        if self.here.tag != "DONE" or not self.answers_done:
            return []
        with self.lock:
            tag, _ = self.ears.pop(self.here.conn, ("*", None))
        return [f"{tag} OK done with it"]

    def notify(self, _command):
        with self.lock:
            self.ears[self.here.conn] = (None, None)
        return [*(self.numbers_of(box) for box in self.boxes.values()), "OK listening"]

    @staticmethod
    def numbers_of(box):
        return f'* STATUS "{box.name}" ({box.status()})'

    # What a test does

    def deliver(self, wire, mailbox="INBOX"):
        """A new message, of which is told."""
        box = self.boxes[mailbox]
        uid = box.add(wire)
        self.tell(box)
        return uid

    def tell(self, box):
        with self.lock:
            ears = dict(self.ears) if self.tells else {}
        for conn, (tag, open_box) in ears.items():
            if tag is None:
                self.write(conn, self.numbers_of(box))
            elif open_box is box:
                self.write(conn, f"* {len(box.letters)} EXISTS")

    def say(self, line):
        """To all that listen."""
        with self.lock:
            ears = list(self.ears)
        for conn in ears:
            self.write(conn, line)
        return len(ears)

    @staticmethod
    def write(conn, line):
        try:
            conn.sendall(line.encode() + b"\r\n")
        except OSError:
            pass

    def cut(self):
        """Every connection, without a word."""
        with self.lock:
            conns = list(self.conns)
        for conn in conns:
            try:
                conn.shutdown(2)
            except OSError:
                pass

    def listeners(self):
        with self.lock:
            return len(self.ears)

    def asked(self, pattern):
        return [command for command in self.received if re.search(pattern, command)]
