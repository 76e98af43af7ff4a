"""A POP3 server that can be told to misbehave, and a maildrop that outlives its sessions.

    with Maildrop([b"Subject: x\r\n\r\nhi\r\n"], uidl=None) as drop:
        ... drop.port ... drop.commands ... drop.letters

A letter is [unique-id, bytes]. DELE takes effect at QUIT, as RFC 1939 says.
"""

import socket
import threading
import time


class Cut(Exception):
    """The server hangs up."""


class Maildrop:
    def __init__(self, letters=(), **knobs):
        self.letters = [[f"id{n}", wire] for n, wire in enumerate(letters, 1)]
        self.capabilities = ["TOP", "UIDL", "PIPELINING", "RESP-CODES", "USER"]
        self.uidl = True           # False: -ERR
        self.top = True
        self.stuffs = True         # False: no dot-stuffing
        self.size = len            # what LIST says of a message's bytes
        self.window = None         # list only so many messages that were not fetched (Gmail)
        self.greeting = "+OK ready"
        self.at = {}               # command -> answer line, or "cut"; e.g. {"PASS": "-ERR [IN-USE] x"}, "drip"
        self.quit = "ok"           # or "cut-before", "cut-after", "refuse", "forget" (and say +OK)
        self.end = b"\r\n"
        self.utf8_only = ()        # unique-ids of messages that RETR refuses before UTF8
        self.more = lambda: None   # called before each session
        vars(self).update(knobs)
        self.commands = []
        self.sessions = 0
        self.fetched = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def verbs(self):
        return [command.split()[0].upper() for command in self.commands]

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            self.sessions += 1
            self.more()
            try:
                # Closing flushes, and fails where the client is gone.
                with conn, conn.makefile("rwb") as stream:
                    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.serve(stream)
            except (Cut, OSError):
                pass

    def serve(self, stream):
        def say(*lines):
            for line in lines:
                stream.write((line.encode("latin1") if isinstance(line, str) else line) + self.end)
            stream.flush()

        shown = list(self.letters)
        if self.window is not None:
            shown = [x for x in shown if x[0] not in self.fetched][:self.window]
        deleted, has_utf8 = set(), False
        say(self.greeting)
        while True:
            line = stream.readline()
            if not line:
                return
            command = line.decode("latin1").strip()
            verb, _, argument = command.partition(" ")
            verb = verb.upper()
            self.commands.append(command)
            answer = self.at.get(command) or self.at.get(verb)
            if answer == "cut":
                raise Cut
            if answer == "drip":
                self.drip(stream)
            if verb in ("RETR", "TOP", "DELE") and int(argument.split()[0]) > len(shown):
                answer = "-ERR no such message"
            if answer is not None:
                say(answer)
            elif verb == "CAPA":
                say("+OK", *self.capabilities, ".")
            elif verb in ("USER", "PASS", "NOOP"):
                say("+OK")
            elif verb == "UTF8":
                has_utf8 = True
                say("+OK")
            elif verb == "STAT":
                say(f"+OK {len(shown)} {sum(len(x[1]) for x in shown)}")
            elif verb == "UIDL":
                if not self.uidl:
                    say("-ERR unknown command")
                    continue
                say("+OK", *[f"{n} {x[0]}" for n, x in enumerate(shown, 1)], ".")
            elif verb == "LIST":
                say("+OK", *[f"{n} {self.size(x[1])}" for n, x in enumerate(shown, 1)], ".")
            elif verb in ("RETR", "TOP"):
                letter = shown[int(argument.split()[0]) - 1]
                wire = letter[1]
                if letter[0] in self.utf8_only and not has_utf8:
                    say("-ERR [UTF8] an international message")
                    continue
                if verb == "TOP":
                    if not self.top:
                        say("-ERR unknown command")
                        continue
                    wire = wire.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
                else:
                    self.fetched.add(letter[0])
                say("+OK")
                stream.write(self.stuffed(wire) + b"." + self.end)
                stream.flush()
            elif verb == "DELE":
                deleted.add(int(argument))
                say("+OK")
            elif verb == "QUIT":
                self.end_session(say, [shown[n - 1] for n in deleted])
                return
            else:
                say("-ERR unknown command")

    @staticmethod
    def drip(stream):
        """A byte now and then, until the client hangs up."""
        while True:
            stream.write(b"+")
            stream.flush()
            time.sleep(0.01)

    def stuffed(self, wire):
        if self.stuffs:
            wire = (b"\r\n" + wire).replace(b"\r\n.", b"\r\n..")[2:]
        return wire if self.end == b"\r\n" else wire.replace(b"\r\n", self.end)

    def end_session(self, say, gone):
        if self.quit == "cut-before":
            raise Cut
        if self.quit not in ("refuse", "forget"):
            self.letters = [x for x in self.letters if not any(x is y for y in gone)]
        if self.quit == "cut-after":
            raise Cut
        say("-ERR some deleted messages not removed" if self.quit == "refuse" else "+OK bye")
