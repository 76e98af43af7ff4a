"""A server, IMAP or POP3, that ends the connection at one thing, each time; and a line that is bad.

    with Poison(dovecot.port, Fault("FETCH", mailbox="INBOX", uid=7)) as poison:
        ... connect to 127.0.0.1:poison.port ...
        poison.connections          # how many there were so far
        poison.hits                 # the faults met, in order
        poison.faults = []          # from now on it is well

It stands before a real server, in plain text, and hands on one command after the other however many
the client sends at once: what stands before the fatal one is answered, as by a server that dies of
it. `at` says where:

    SELECT STATUS STORE MOVE COPY EXPUNGE    when the command names the mailbox, or the UID
    STATUS                                   also its line in LIST's answer (LIST-STATUS: only that)
    FETCH, FETCH-BODY                        before, or in the middle of, the answer with its text
    APPEND                                   before the literal of `size`, or the continuation
    APPEND-LITERAL, APPEND-END               in the middle of the text with `marker`, or behind it
    APPEND-TAKEN, MOVE-TAKEN, ...            done, but for the answer
    SELECT-AFTER                             behind the whole answer
    APPEND-NO, RETR-NO                       no end: the message with `marker` is refused, in `words`
    FETCH-ANYWHERE, RETR-ANYWHERE            `varies`: somewhere in the answer
    RETR, RETR-BODY, TOP, DELE, DELE-TAKEN   of the message whose header has `marker`
    QUIT, LOGIN, ...                         any other command, whatever it is about

The end: "close", "reset" (RST), "bye" (a last word) or "silence" (until the client hangs up).

    with Flaky(dovecot.port, seed=3) as line:       # one connection in three is cut somewhere
"""

import random
import re
import socket
import struct
import threading
from typing import NamedTuple, Optional

from .door import Door

LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")
MULTILINE = {"RETR", "TOP", "CAPA"}
ALWAYS = {"CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS", "LOGOUT"}


class Fault(NamedTuple):
    at: str
    mailbox: Optional[str] = None
    uid: Optional[int] = None
    marker: Optional[bytes] = None
    size: Optional[int] = None
    end: str = "close"
    words: str = ""
    varies: bool = False       # anywhere in what would still go out


class Ended(Exception):
    """This connection is over."""


class Stream:
    def __init__(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock, self.file = sock, sock.makefile("rb")

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise Ended
        return line

    def read(self, size):
        data = self.file.read(size)
        if len(data) < size:
            raise Ended
        return data

    def send(self, data):
        self.sock.sendall(data)

    def close(self, reset=False):
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.file.close()
        self.sock.close()

    def drain(self, seconds=None):
        """Until the other side hangs up: a socket closed with something unread sends RST."""
        self.sock.settimeout(seconds)
        while self.sock.recv(65536):
            pass


def is_in_set(text, uid):
    """Whether the sequence set TEXT names UID; `*` is beyond all."""
    for part in text.split(","):
        ends = [1 << 32 if x == "*" else int(x) for x in part.split(":")]
        if min(ends) <= uid <= max(ends):
            return True
    return False


def name_in(text):
    """The mailbox name that TEXT begins with."""
    found = re.match(r'"((?:\\.|[^"\\])*)"|([^\s()]+)', text)
    return (found[1] if found[1] is not None else found[2]) if found else ""


class Session:
    """One connection of a client, and that to the server behind."""

    bye = b""

    def __init__(self, poison, client):
        self.poison, self.client = poison, Stream(client)
        self.server = Stream(socket.create_connection(("127.0.0.1", poison.target)))

    def run(self):
        try:
            self.converse()
        except (Ended, OSError, ValueError):
            pass
        finally:
            self.client.close()
            self.server.close()

    def fault(self, at, is_it):
        """The fault of that kind that IS_IT says is met."""
        for fault in self.poison.faults:
            if fault.at == at and is_it(fault):
                return fault
        return None

    def end_at(self, fault, part=b""):
        """PART still goes out, and then nothing."""
        self.poison.hits.append(fault)
        self.client.send(part[:self.poison.dice.randrange(len(part))] if fault.varies and part else part)
        if fault.end == "bye":
            self.client.send(self.bye)
        if fault.end == "silence":
            self.client.drain()
        elif fault.end != "reset":
            self.client.sock.shutdown(socket.SHUT_WR)
            self.client.drain(seconds=2)
        self.client.close(reset=fault.end == "reset")
        raise Ended

    def end_if(self, at, is_it, part=b""):
        fault = self.fault(at, is_it)
        if fault is not None:
            self.end_at(fault, part)


class ImapSession(Session):
    bye = b"* BYE internal error\r\n"

    def converse(self):
        self.selected = None
        self.client.send(self.clean(self.server.line()))
        while True:
            self.take_command(self.client.line())

    @staticmethod
    def clean(line):
        # Behind this nobody could look into what goes over the line.
        return line.replace(b" COMPRESS=DEFLATE", b"")

    def take_command(self, line):
        words = line.decode("latin-1").rstrip().split(" ")
        tag, verb, rest = words[0], words[1].upper(), words[2:]
        if verb == "UID":
            verb, rest = rest[0].upper(), rest[1:]
        verb = "SELECT" if verb == "EXAMINE" else verb
        self.command, self.argument = verb, " ".join(rest)
        if self.poison.says_no is not None and verb not in ALWAYS:
            self.refuse(tag.encode(), line)
            return
        if verb not in ("APPEND", "FETCH"):
            self.end_if(verb, self.concerns)
        self.sent = b""
        if verb == "APPEND" and any(fault.at == "APPEND-NO" for fault in self.poison.faults):
            self.take_append(tag.encode(), line)
            return
        self.server.send(line[:-2] if LITERAL.search(line) is None else b"")
        self.take_literals(line)
        self.relay_answers(tag.encode())

    def refuse(self, tag, line):
        """Whatever it is about, once those literals came that need no go-ahead."""
        while (found := LITERAL.search(line)) and found[2]:
            self.client.read(int(found[1]))
            line = self.client.line()
        self.client.send(tag + b" " + self.poison.says_no.encode() + b"\r\n")

    def take_append(self, tag, line):
        """One message, which the server behind only sees if nobody minds it."""
        size, goes_on = LITERAL.search(line).groups()
        if not goes_on:
            self.client.send(b"+ go on\r\n")
        text = self.client.read(int(size))
        rest = self.client.line()
        fault = self.fault("APPEND-NO", lambda fault: fault.marker in text)
        if fault is not None:
            self.poison.hits.append(fault)
            self.client.send(tag + b" " + fault.words.encode() + b"\r\n")
            return
        self.server.send(line)
        if not goes_on and not self.server.line().startswith(b"+"):
            raise Ended
        self.server.send(text + rest)
        self.relay_answers(tag)

    def concerns(self, fault):
        """Whether the command under way is about what FAULT is about."""
        if fault.uid is not None:
            is_there = fault.mailbox in (None, self.selected)
            return is_there and is_in_set(self.argument.split(" ")[0], fault.uid)
        return fault.mailbox is None or name_in(self.argument) == fault.mailbox

    def take_literals(self, line):
        """The rest of the command, its literals and the lines behind them."""
        while found := LITERAL.search(line):
            size = int(found[1])
            if self.command == "APPEND":
                self.end_if("APPEND", lambda fault: fault.size == size)
            self.server.send(line)
            if not found[2]:
                answer = self.server.line()
                self.client.send(answer)
                if not answer.startswith(b"+"):
                    raise Ended
            text = self.client.read(size)
            marked = self.fault("APPEND-LITERAL", lambda fault: fault.marker in text)
            self.server.send(text[:size // 2] if marked else text)
            if marked:
                self.end_at(marked)
            line = self.client.line()
            self.end_if("APPEND-END", lambda fault: fault.marker in text)
            self.sent += text
            self.server.send(line[:-2] if LITERAL.search(line) is None else b"")
        self.server.send(b"\r\n")

    def response(self):
        """(bytes up to the first literal, the literals' text, all bytes) of one."""
        line = self.clean(self.server.line())
        head, text, whole = line, b"", line
        while found := LITERAL.search(line):
            data = self.server.read(int(found[1]))
            line = self.server.line()
            text, whole = text + data, whole + data + line
        return head, text, whole

    def relay_answers(self, tag):
        while True:
            head, text, whole = self.response()
            if head.startswith(b"+"):
                self.client.send(whole)
                self.server.send(self.client.line())
            elif head.startswith(tag + b" "):
                self.finish(whole)
                return
            else:
                self.look(head, text, whole)
                self.client.send(whole)

    def finish(self, whole):
        if self.command == "APPEND":
            self.end_if("APPEND-TAKEN", lambda fault: fault.marker in self.sent)
        else:
            self.end_if(self.command + "-TAKEN", self.concerns)
        if self.command == "SELECT":
            self.end_if("SELECT-AFTER", self.concerns, whole)
            self.selected = name_in(self.argument) if b" OK " in whole else None
        self.client.send(whole)

    def look(self, head, text, whole):
        words = head.decode("latin-1").split(" ")
        if words[1] == "STATUS" and self.command == "LIST":
            name = name_in(" ".join(words[2:]))
            self.end_if("STATUS", lambda fault: fault.mailbox == name)
            self.end_if("LIST-STATUS", lambda fault: fault.mailbox == name)
        found = re.search(rb"UID (\d+)", head)
        if words[2:3] == ["FETCH"] and found and b"BODY[]" in head:
            uid = int(found[1])

            def is_it(fault):
                return (fault.mailbox in (None, self.selected) and fault.uid in (None, uid)
                        and (fault.marker is None or fault.marker in text))
            self.end_if("FETCH", is_it)
            self.end_if("FETCH-BODY", is_it, whole[:len(head) + len(text) // 2])
            self.end_if("FETCH-ANYWHERE", is_it, whole)


class Pop3Session(Session):
    bye = b"-ERR internal error\r\n"

    def converse(self):
        self.headers = {}
        self.client.send(self.server.line())
        while True:
            line = self.client.line()
            verb, _, argument = line.decode("latin-1").strip().partition(" ")
            self.take_command(line, verb.upper(), argument)

    def take_command(self, line, verb, argument):
        def is_it(fault):
            return fault.marker is None or fault.marker in self.header(argument.split(" ")[0])

        if verb in self.poison.hides:
            self.client.send(b"-ERR unknown command\r\n")
            return
        if verb in ("AUTH", "APOP", "PASS") and self.poison.logins_left is not None:
            if self.poison.logins_left == 0:
                self.client.send(b"-ERR [LOGIN-DELAY] wait a while\r\n")
                return
            self.poison.logins_left -= 1
        self.end_if(verb, is_it)
        refusal = self.fault(verb + "-NO", is_it)
        if refusal is not None:
            self.poison.hits.append(refusal)
            self.client.send(refusal.words.encode() + b"\r\n")
            return
        later = (self.fault(verb + "-BODY", is_it) or self.fault(verb + "-TAKEN", is_it)
                 or self.fault(verb + "-ANYWHERE", is_it))
        self.server.send(line)
        answer = self.answer(verb, argument)
        if later is not None:
            parts = {"BODY": answer[:len(answer) // 2], "TAKEN": b"", "ANYWHERE": answer}
            self.end_at(later, parts[later.at.split("-")[1]])
        self.client.send(answer)

    def answer(self, verb, argument):
        answer = self.server.line()
        while answer.startswith(b"+ "):
            self.client.send(answer)
            self.server.send(self.client.line())
            answer = self.server.line()
        has_more = verb in MULTILINE or (verb in ("LIST", "UIDL") and not argument)
        line = b"" if has_more and answer.startswith(b"+OK") else b".\r\n"
        while line != b".\r\n":
            line = self.server.line()
            if verb != "CAPA" or line.strip().decode() not in self.poison.hides:
                answer += line
        return answer

    def header(self, number):
        if number not in self.headers:
            self.server.send(f"TOP {number} 0\r\n".encode())
            self.headers[number] = self.answer("TOP", number)
        return self.headers[number]


class Poison(Door):
    """`hides`: words that a POP3 server does not know. `refuses`: None, or how it treats whoever connects:
    "close", "bye" (a last word instead of a greeting). `says_no` (IMAP): None, or its answer to whatever is
    asked of it after login. `logins_left` (POP3): so many before LOGIN-DELAY is the answer; None: any."""

    def __init__(self, target, *faults, protocol="imap"):
        self.faults, self.hits = list(faults), []
        self.dice = random.Random(1)
        self.refuses = self.logins_left = self.says_no = None
        self.hides = ()
        self.session = {"imap": ImapSession, "pop3": Pop3Session}[protocol]
        self.target = target
        super().__init__()

    def serve(self, client):
        if self.refuses is None:
            self.session(self, client).run()
            return
        stream = Stream(client)
        if self.refuses == "bye":
            stream.send(self.session.bye)
        stream.close()


class Flaky(Door):
    """A line on which one connection in SHARE is cut after some number of bytes, either way, by FIN or
    RST; the further (REACH at most), the rarer."""

    def __init__(self, target, seed, share=3, reach=20000):
        self.seed, self.share, self.reach = seed, share, reach
        self.cuts = 0
        self.target = target
        super().__init__()

    def meet(self, client, number):
        dice = random.Random(f"{self.seed}/{number}")
        ends = [Stream(client), Stream(socket.create_connection(("127.0.0.1", self.target)))]
        left = [None, None]
        if dice.randrange(self.share) == 0:
            self.cuts += 1
            left[dice.randrange(2)] = 1 + int(self.reach * dice.random() ** 2)
        reset = dice.random() < 0.5
        pumps = [threading.Thread(target=self.pump, args=(ends[i], ends[1 - i], left[i], reset, ends),
                                  daemon=True) for i in (0, 1)]
        for pump in pumps:
            pump.start()

    @staticmethod
    def pump(source, sink, left, reset, ends):
        try:
            while data := source.sock.recv(65536 if left is None else min(left, 65536)):
                sink.send(data)
                left = None if left is None else left - len(data)
                if left == 0:
                    break
        except OSError:
            pass
        for end in ends:
            try:
                end.close(reset and left == 0)
            except OSError:
                pass
