"""An honest POP3 server in memory, and the place where its answers can be spoiled (pop3_lies.py).

A letter is [unique-id, bytes]. DELE takes effect at QUIT.
"""

import socket
import threading
import traceback

CAPABILITIES = ("TOP", "UIDL", "PIPELINING", "RESP-CODES", "USER")


class Cut(Exception):
    """Hang up after these bytes."""

    def __init__(self, data=b""):
        super().__init__()
        self.data = data


class Honest:
    """Says all as it is. An answer is a list of lines; the first is the status."""

    def greeting(self):
        return [b"+OK ready"]

    def answer(self, verb, argument, session):
        return session.answer(verb, argument)

    def at_quit(self, session):
        session.remove_marked()
        return [b"+OK bye"]


class Session:
    def __init__(self, drop, stream):
        self.drop, self.stream = drop, stream
        self.shown, self.marked = list(drop.letters), set()

    def serve(self):
        self.say(self.drop.liar.greeting())
        while line := self.stream.readline():
            verb, _, argument = line.decode("latin-1").strip().partition(" ")
            verb = verb.upper()
            self.drop.received.append(verb)
            liar = self.drop.liar
            if verb == "QUIT":
                self.say(liar.at_quit(self))
                return
            self.say(liar.answer(verb, argument, self))
        # Hung up without QUIT: nothing is removed.

    def say(self, lines):
        self.stream.write(b"".join(line + b"\r\n" for line in lines))
        self.stream.flush()

    def remove_marked(self):
        gone = [self.shown[number - 1] for number in self.marked]
        self.drop.letters = [x for x in self.drop.letters if not any(x is y for y in gone)]

    def numbered(self, tell):
        return [b"%d " % number + tell(letter) for number, letter in enumerate(self.shown, 1)
                if number not in self.marked]

    @staticmethod
    def stuffed(wire):
        lines = wire.split(b"\r\n")
        return [b"." + line if line.startswith(b".") else line
                for line in (lines[:-1] if lines[-1] == b"" else lines)]

    def wire(self, argument):
        return self.shown[int(argument.split()[0]) - 1][1]

    def answer(self, verb, argument):
        has = self.drop.capabilities
        if verb == "CAPA":
            return [b"+OK", *(name.encode() for name in has), b"."]
        if verb in ("USER", "PASS", "NOOP", "RSET"):
            return [b"+OK"]
        if verb == "STAT":
            return [b"+OK %d %d" % (len(self.shown), sum(len(x[1]) for x in self.shown))]
        if verb == "UIDL" and "UIDL" in has:
            return [b"+OK", *self.numbered(lambda letter: letter[0].encode()), b"."]
        if verb == "LIST":
            return [b"+OK", *self.numbered(lambda letter: b"%d" % len(letter[1])), b"."]
        if verb == "RETR":
            return [b"+OK", *self.stuffed(self.wire(argument)), b"."]
        if verb == "TOP" and "TOP" in has:
            head = self.wire(argument).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            return [b"+OK", *self.stuffed(head), b"."]
        if verb == "DELE":
            self.marked.add(int(argument))
            return [b"+OK"]
        return [b"-ERR unknown command"]


class Pop3Server:
    """One session at a time. `letters` outlive sessions; `liar` may be set between runs."""

    def __init__(self, capabilities=CAPABILITIES):
        self.letters, self.capabilities = [], capabilities
        self.liar = Honest()
        self.received, self.problems = [], []
        self.busy = threading.Lock()
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            with self.busy:
                self.converse(sock)

    def converse(self, sock):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with sock, sock.makefile("rwb") as stream:
                try:
                    Session(self, stream).serve()
                except Cut as cut:
                    stream.write(cut.data)
        except OSError:
            pass
        except Exception:  # our own fault
            self.problems.append(traceback.format_exc())

    def wait(self):
        """Until the last session is over."""
        with self.busy:
            assert not self.problems, self.problems

    def stop(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
