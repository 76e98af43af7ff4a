"""A scripted IMAP server: says what no real server would.

A scenario is a list of steps, each a pair (what the client must send, what to answer):

    script = [
        expect(r"LOGIN", "OK [CAPABILITY IMAP4rev1] in"),
        expect(r"LIST", '* LIST () "/" INBOX', "OK done"),
        expect(r"SELECT|EXAMINE", "* 1 EXISTS", raw(b"* 1 FETCH ("), close()),
    ]
    with Scripted(script) as server: ... server.port ... server.received

An answer whose text begins with OK, NO or BAD is given the command's tag. `*` and `+` lines go out
as they are. Commands that no step expects are answered by the defaults below, so that a scenario
states only what it is about; expect(...) steps are tried in order, each once, unless always().
An answer may be a function: it is given the command and returns a list of answers.
"""

import itertools
import re
import socket
import ssl
import time
from typing import NamedTuple

from .door import Door


class Step(NamedTuple):
    pattern: "re.Pattern"
    answers: tuple
    repeat: bool


class raw(NamedTuple):
    """Bytes that go out as they are, no line end added."""
    data: bytes


class pause(NamedTuple):
    seconds: float


class flood(NamedTuple):
    """DATA again and again until so many bytes went out or the client hangs up. DATA may be a
    function of a number that counts up from 1."""
    data: object
    total: int


class drip(NamedTuple):
    """DATA, of which a piece of SIZE bytes goes out each SECONDS, until the client hangs up."""
    data: bytes
    size: int = 1
    seconds: float = 0.01


class close(NamedTuple):
    """End the connection; by RST if asked."""
    reset: bool = False


class tls(NamedTuple):
    """Go on under TLS. What was answered just before goes out in the clear."""
    certificate: str
    key: str


class Upgrade(Exception):
    pass


def expect(pattern, *answers):
    return Step(re.compile(pattern, re.I | re.S), answers, False)


def always(pattern, *answers):
    return Step(re.compile(pattern, re.I | re.S), answers, True)


CAPABILITIES = "IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT"

DEFAULTS = [
    always(r"^CAPABILITY$", "* CAPABILITY {capabilities}", "OK done"),
    always(r"^LOGIN |^AUTHENTICATE PLAIN ", "OK [CAPABILITY {capabilities}] in"),
    always(r"^NAMESPACE$", '* NAMESPACE (("" "/")) NIL NIL', "OK done"),
    always(r"^ENABLE ", "* ENABLED", "OK done"),
    always(r"^LIST ", '* LIST (\\HasNoChildren) "/" INBOX', "OK done"),
    always(r"^LSUB ", '* LSUB () "/" INBOX', "OK done"),
    always(r"^STATUS ", "* STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)", "OK done"),
    always(r"^(SELECT|EXAMINE) ", "* FLAGS (\\Seen)", "* 0 EXISTS",
           "* OK [UIDVALIDITY 1] ok", "* OK [UIDNEXT 1] ok",
           "* OK [PERMANENTFLAGS (\\Seen \\*)] ok", "OK [READ-WRITE] done"),
    always(r"^LOGOUT$", "* BYE", "OK done", close()),
    always(r"", "OK done"),
]


class Scripted(Door):
    """Serves the scenario on `port` to every connection anew, until stop()."""

    def __init__(self, script=(), greeting="* OK [CAPABILITY {capabilities}] scripted",
                 capabilities=CAPABILITIES):
        self.script = list(script)
        self.greeting = greeting
        self.capabilities = capabilities
        self.received = []           # the commands of all connections, tags cut off
        self.tag = ""                # of the last one
        self.problems = []
        super().__init__()

    def fallbacks(self):
        """Steps for what the scenario leaves open, before DEFAULTS."""
        return []

    def serve(self, conn):
        steps = list(self.script)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.answer(conn, "*", (self.greeting,) if isinstance(self.greeting, str)
                        else self.greeting)
            while True:
                try:
                    self.converse(conn, steps)
                except Upgrade as upgrade:
                    conn = self.under_tls(conn, *upgrade.args)
        except (EOFError, OSError) as end:
            if not isinstance(end, EOFError):
                self.problems.append(str(end))
        conn.close()

    def converse(self, conn, steps):
        with conn.makefile("rb") as lines:
            while True:
                tag, command = self.command(conn, lines)
                self.tag = tag
                self.received.append(command)
                steps_now = steps + self.fallbacks() + DEFAULTS
                step = next(s for s in steps_now if s.pattern.search(command))
                if not step.repeat:
                    steps.remove(step)
                self.answer(conn, tag, step.answers, command)

    @staticmethod
    def under_tls(conn, how):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(how.certificate, how.key)
        return context.wrap_socket(conn, server_side=True)

    def command(self, conn, lines):
        """The next command with its literals, as text (Latin-1)."""
        text = ""
        while True:
            line = lines.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            text += line.decode("latin-1")
            found = re.search(r"\{(\d+)(\+?)\}\r\n\Z", text)
            if not found:
                break
            if not found[2]:
                conn.sendall(b"+ go on\r\n")
            text += lines.read(int(found[1])).decode("latin-1")
        tag, _, command = re.sub(r"\r?\n\Z", "", text).partition(" ")
        return tag, command

    def answer(self, conn, tag, answers, command=""):
        for answer in answers:
            if callable(answer):
                self.answer(conn, tag, answer(command), command)
            elif isinstance(answer, raw):
                conn.sendall(answer.data)
            elif isinstance(answer, flood):
                self.flood(conn, answer)
            elif isinstance(answer, drip):
                for at in itertools.cycle(range(0, len(answer.data), answer.size)):
                    conn.sendall(answer.data[at:at + answer.size])
                    time.sleep(answer.seconds)
            elif isinstance(answer, tls):
                raise Upgrade(answer)
            elif isinstance(answer, pause):
                time.sleep(answer.seconds)
            elif isinstance(answer, close):
                if answer.reset:
                    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                raise EOFError
            else:
                line = answer.replace("{capabilities}", self.capabilities)
                if re.match(r"OK|NO|BAD", line):
                    line = f"{tag} {line}"
                conn.sendall(line.encode() + b"\r\n")

    @staticmethod
    def flood(conn, what):
        sent = number = 0
        block = b"" if callable(what.data) else what.data * max(1, 65536 // len(what.data))
        while sent < what.total:
            if callable(what.data):
                block = b"".join(what.data(number + n) for n in range(1, 1001))
                number += 1000
            conn.sendall(block)
            sent += len(block)


def message(uid, wire, number=1, flags="\\Seen", date="01-Jan-2020 00:00:00 +0000"):
    """The FETCH response of one message."""
    head = f'* {number} FETCH (UID {uid} FLAGS ({flags}) INTERNALDATE "{date}" BODY[] '
    return raw(head.encode() + b"{%d}\r\n" % len(wire) + wire + b")\r\n")
