"""What an IMAP server leaves out, garbles, refuses or cuts off, at random.

It never says what is well-formed and false (`* 0 EXISTS` of a full mailbox, FLAGS () of a message that has
some): nobody could tell that from the truth. What it says nothing of, or nonsense, or what does not
fit together with the rest, must change nothing. For the same reason it leaves no line out of an answer
that only tells what changed, unless the number of messages shows it, and names nothing nonexistent
that is there.
"""

import random
import re

from imap_server import Cut, Honest, Say

BIG = "99999999999999999999"
# What stands in the place of a number.
NUMBERS = {"unreadable": ("x", "-1", BIG, "1x"), "nil": ("NIL", "")}
# Code: what the refusal may bear. LOGIN: 77 would keep the program from trying again; APPEND: a message
# that is refused for good is left alone for a day.
CODES = (None, "UNAVAILABLE", "SERVERBUG", "LIMIT", "INUSE", "NOPERM", "CONTACTADMIN", "X-NEW")
PASSING = ("UNAVAILABLE", "SERVERBUG", "INUSE")
VERB_CODES = {"LOGIN": PASSING[:1], "AUTHENTICATE": PASSING[:1], "APPEND": PASSING + ("OVERQUOTA", "LIMIT"),
              "UID COPY": CODES + ("OVERQUOTA",), "UID MOVE": CODES + ("OVERQUOTA",)}
CHANGES = ("APPEND", "UID STORE", "UID COPY", "UID MOVE", "UID EXPUNGE", "EXPUNGE", "CREATE", "DELETE",
           "RENAME", "SUBSCRIBE", "UNSUBSCRIBE")
LINES = ("EXISTS", "UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ", "PERMANENTFLAGS", "MAILBOXID", "FLAGS",
         "LIST", "LSUB", "NAMESPACE", "STATUS", "SEARCH", "ESEARCH", "VANISHED", "EXPUNGE",
         "CAPABILITY", "ENABLED", "COPYUID", "APPENDUID", "CLOSED", "READ-WRITE",
         "STATUS MESSAGES", "STATUS UIDNEXT", "STATUS UIDVALIDITY", "STATUS HIGHESTMODSEQ",
         "STATUS MAILBOXID", "FETCH", "FETCH UID", "FETCH FLAGS", "FETCH INTERNALDATE",
         "FETCH RFC822.SIZE", "FETCH EMAILID", "FETCH MODSEQ", "FETCH BODY[]", "FETCH BODY[HEADER]")
ANSWERS = ("LOGIN", "CAPABILITY", "ENABLE", "NAMESPACE", "LIST", "LSUB", "STATUS", "SELECT", "EXAMINE",
           "UID FETCH", "UID SEARCH", *CHANGES)
TOPICS = [*((None, line) for line in LINES), *((verb, None) for verb in ANSWERS)]


class Liar(Honest):
    """Lies of SEED's choosing. `focus`: the lines and commands lied about, None for all, with `rate`;
    `told` counts (what, how). ONLY: the numbers of the lies that are told, None for all."""

    def __init__(self, seed, told, only=None):
        self.seed, self.told, self.only = seed, told, only
        self.dice = random.Random(seed)
        self.rate = self.dice.choice((0.01, 0.03, 0.1))
        self.focus = None
        if self.dice.random() < 0.8:
            self.focus = {name for pair in self.dice.sample(TOPICS, self.dice.choice((1, 2, 3, 5)))
                          for name in pair if name}
            self.rate = self.dice.choice((0.2, 0.5, 1.0))
        self.hidden = set()        # mailboxes that a listing of this run did not tell of
        self.lies = 0
        self.trace = []

    def __str__(self):
        about = ", ".join(sorted(self.focus)) if self.focus else "all"
        return f"lies about {about} at {self.rate}: " + "; ".join(self.trace)

    def roll(self, what, rate=None):
        if self.focus is not None and what not in self.focus:
            return False
        if self.dice.random() >= (rate or self.rate):
            return False
        self.lies += 1
        # The details are a lie's own, so that one left out leaves the others as they are.
        self.rng = random.Random(f"{self.seed}/{self.lies}")
        return self.only is None or self.lies in self.only

    def note(self, what, how, detail=""):
        self.told[what, how] += 1
        if len(self.trace) < 60:
            self.trace.append(f"{self.lies}: {what} {how} {detail}".rstrip())

    # Commands

    def before(self, verb, command, conn):
        # Where one command is all that is lied about, some of it goes through.
        if not self.roll(verb, min(self.rate, 0.5)):
            return None
        how = self.rng.choice(("NO", "NO", "BAD", "cut", "later", "later"))
        detail = f"{command[:40]} ({conn.box.name if conn.box else None})"
        if how == "cut":
            self.note(verb, "cut before", detail)
            raise Cut(self.rng.choice((b"", b"* BYE not now\r\n")))
        if how == "BAD" and verb not in ("LOGIN", "AUTHENTICATE", "APPEND"):
            self.note(verb, "BAD", detail)
            return Say("tagged", "bad", status="BAD")
        if how in ("NO", "BAD"):
            return self.refuse(verb, command, conn, detail)
        return None

    def refuse(self, verb, command, conn, detail):
        code = self.rng.choice(VERB_CODES.get(verb, CODES))
        if verb == "STATUS" and code is None and self.hidden:
            code = "UNAVAILABLE"     # an uncoded NO is how some servers say that it is not there
        self.note(verb, f"NO {code or ''}".rstrip(), detail)
        if verb == "UID MOVE" and conn.box is not None and self.rng.random() < 0.5:
            self.note(verb, "half done, NO")
            says = conn.do_uid_move(command, part=1)
            if says[-1].status == "OK":
                data = b"".join(say.wire("*") for say in says[:-1])
                conn.out.append(data)
        return Say("tagged", "no", status="NO", code=code)

    # Answers

    def spoil(self, verb, says, tag, conn):
        if verb == "GREETING":
            return self.greeting(says[0])
        if says[-1].status != "OK":
            return b"".join(say.wire(tag) for say in says)
        lines = []
        try:
            for say in says:
                lines.append(self.line(say, tag))
        except Cut as cut:
            raise Cut(b"".join(lines) + cut.data) from None
        if self.roll(verb, min(self.rate, 0.5)):
            lines = self.whole(verb, says, lines, tag, conn)
        data = b"".join(lines)
        return data.replace(b'"@"', f'"{tag}"'.encode()) if verb == "UID SEARCH" else data

    def whole(self, verb, says, lines, tag, conn):
        """What becomes of a whole answer."""
        ways = ["cut", "cut", "cut behind"]
        if len(says) > 1 and not any(say.role == "delta" for say in says):
            ways.append("OK without it")
        if verb not in CHANGES and verb not in ("LOGIN", "AUTHENTICATE"):
            ways.append("NO behind it")          # of what was done it would be untrue
        how = self.rng.choice(ways)
        self.note(verb, how)
        if how == "OK without it":
            return [Say("tagged").wire(tag)]
        if how == "NO behind it":
            if verb in ("SELECT", "EXAMINE"):
                conn.box = None
            refusal = Say("tagged", "no", status="NO", code=self.rng.choice(CODES[1:]))
            return [*lines[:self.rng.randrange(len(lines))], refusal.wire(tag)]
        data = b"".join(lines)
        if how == "cut":
            raise Cut(data[:self.rng.randrange(len(data) + 1)])
        raise Cut(b"")

    def greeting(self, say):
        if not self.roll("CAPABILITY"):
            return say.wire()
        how = self.rng.choice(("absent", "unreadable", "short"))
        self.note("CAPABILITY", how, "in the greeting")
        return {"absent": b"* OK ready\r\n", "unreadable": b"* OK [CAPABILITY ready\r\n",
                "short": b"* OK [CAPABILITY IMAP4rev1] ready\r\n"}[how]

    def line(self, say, tag):
        if say.kind == "tagged":
            return self.tagged(say, tag)
        if say.kind == "FETCH":
            return self.fetch(say)
        if say.kind == "STATUS":
            return self.status(say)
        if not self.roll(say.kind):
            return say.wire()
        hows = self.ways(say)
        how = self.rng.choice(sorted(hows))
        self.note(say.kind, how, say.mailbox or "")
        if say.kind == "LIST":
            self.hidden.add(say.mailbox)
        choices = hows[how]
        text = self.rng.choice(choices) if choices else None
        return b"" if text is None else text.encode() + b"\r\n"

    def ways(self, say):
        """How a line of SAY's kind can be spoilt: {how: lines in its place}."""
        kind, text = say.kind, say.text
        if kind in ("UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ"):
            return {"absent": (), **{how: [f"* OK [{kind} {x}] ok" for x in values]
                                     for how, values in NUMBERS.items()}}
        if kind == "EXISTS":
            return {"absent": (), **{how: [f"* {x} EXISTS" for x in values]
                                     for how, values in NUMBERS.items()}}
        if kind == "EXPUNGE":
            return {"absent": (), "unreadable": ["* x EXPUNGE", "* -1 EXPUNGE"], "nil": ["* NIL EXPUNGE"]}
        if kind == "VANISHED":
            return {"absent": (), "unreadable": ["* VANISHED x", "* VANISHED (EARLIER) 1:", "* VANISHED (",
                                                 f"* VANISHED {BIG}"],
                    "nil": ["* VANISHED", "* VANISHED NIL", "* VANISHED (EARLIER)"]}
        if kind in ("PERMANENTFLAGS", "FLAGS"):
            rest = f"* OK [{kind} %s] ok" if kind == "PERMANENTFLAGS" else f"* {kind} %s"
            # () would be told: that nothing can be kept.
            return {"absent": (), "unreadable": [rest % "(\\Seen", rest % "\\Seen)"],
                    "nil": [rest % "NIL", rest % ""]}
        if kind == "MAILBOXID":
            return {"absent": (), "unreadable": ["* OK [MAILBOXID (a] ok", "* OK [MAILBOXID a b] ok"],
                    "nil": [f"* OK [MAILBOXID {x}] ok" for x in ("NIL", "()", '""', '("")')]}
        if kind in ("LIST", "LSUB"):
            return {"absent": (), "unreadable": [text[:-3], text.replace("(", "((", 1), f"* {kind}",
                                                 f'* {kind} () "/"'],
                    "nil": [f'* {kind} () "/" NIL', f'* {kind} () NIL ""']}
        if kind == "NAMESPACE":
            return {"absent": (), "unreadable": ["* NAMESPACE ((", '* NAMESPACE (("x"', "* NAMESPACE x"],
                    "nil": ["* NAMESPACE NIL NIL NIL", "* NAMESPACE"]}
        if kind == "SEARCH":
            ways = {"absent": (), "unreadable": [text + " x", "* SEARCH (", f"* SEARCH {BIG}"],
                    "nil": ["* SEARCH NIL"]}
            if say.role == "all":
                ways["short"] = [" ".join(text.split()[:-1])]
                ways["nil"].append("* SEARCH")
            return ways
        if kind == "ESEARCH":
            ways = {"absent": (), "unreadable": ['* ESEARCH (TAG "@") UID ALL x', "* ESEARCH (",
                                                 f"* ESEARCH UID ALL {BIG}"],
                    "nil": ['* ESEARCH (TAG "@") UID ALL NIL', '* ESEARCH (TAG "@") UID ALL',
                            '* ESEARCH (TAG "@") UID', '* ESEARCH NIL']}
            if say.role == "all":
                ways["short"] = [re.sub(r"[,:]?\d+$", "", text)]
            return ways
        if kind in ("CAPABILITY", "ENABLED"):
            some = [word for word in text.split()[2:] if self.rng.random() < 0.6]
            return {"absent": (), "unreadable": [f"* {kind} (", f"* {kind}"],
                    "short": [" ".join(["*", kind, *some])]}
        return {"absent": (), "unreadable": [text[:len(text) // 2]]}

    def tagged(self, say, tag):
        name = (say.code or "").split(" ")[0]
        if not name or not self.roll(name):
            return say.wire(tag)
        words = say.code.split(" ")
        ways = {"absent": [None], "unreadable": [f"{name} x", f"{name} {' '.join(words[1:-1])} {BIG}",
                                                 f"{name} 1 2 3 4 5"],
                "nil": [name, f"{name} NIL"]}
        if name in ("READ-WRITE", "READ-ONLY"):
            ways = {"absent": [None], "unreadable": ["READ"]}
        how = self.rng.choice(sorted(ways))
        self.note(name, how)
        return Say("tagged", code=self.rng.choice(ways[how])).wire(tag)

    def status(self, say):
        if self.roll("STATUS"):
            how = self.rng.choice(("absent", "unreadable", "nil"))
            self.note("STATUS", how, say.mailbox)
            return {"absent": b"", "nil": f'* STATUS "{say.mailbox}" ()\r\n'.encode(),
                    "unreadable": say.wire()[:-5] + b"\r\n"}[how]
        items = []
        for name, value in say.items:
            if not self.roll("STATUS " + name):
                items.append((name, value))
                continue
            how = self.rng.choice(("absent", "unreadable", "nil"))
            self.note("STATUS " + name, how, say.mailbox)
            if how != "absent":
                items.append((name, self.rng.choice(NUMBERS[how])))
        return Say("STATUS", mailbox=say.mailbox, items=items).wire()

    def fetch(self, say):
        if self.roll("FETCH"):
            # Of a change nothing else tells: it may be unreadable, but not left out.
            how = self.rng.choice(("absent", "unreadable") if say.role in ("list", "body")
                                  else ("unreadable",))
            self.note("FETCH", how, f"{say.role} {say.uid}")
            return b"" if how == "absent" else self.rng.choice((
                b"* %d FETCH (UID %d FLAGS (\r\n" % (say.number, say.uid),
                b"* %d FETCH\r\n" % say.number, b"* %d FETCH (UID\r\n" % say.number))
        items = []
        for name, value in say.items:
            what = "FETCH " + name.decode()
            items += self.item(what, name, value, say) if self.roll(what) else [(name, value)]
        return Say("FETCH", items=items, number=say.number).wire()

    def item(self, what, name, value, say):
        hows = ["absent", "unreadable", "nil"]
        if name.startswith(b"BODY"):
            hows = ["absent", "nil", "truncated"]
        how = self.rng.choice(hows)
        self.note(what, how, f"{say.role} {say.uid}")
        if how == "absent":
            return []
        if how == "truncated":
            raise Cut(b"* %d FETCH (UID %d %s " % (say.number, say.uid, name)
                      + value[:self.rng.randrange(1, len(value))])
        if how == "nil":
            return [(name, self.rng.choice({b"UID": (b"NIL", b"0"), b"FLAGS": (b"NIL",),
                                            b"INTERNALDATE": (b"NIL", b'""'),
                                            b"RFC822.SIZE": (b"NIL",),
                                            b"EMAILID": (b"NIL", b"()", b'("")', b'""'),
                                            b"MODSEQ": (b"NIL", b"()")}.get(
                                                name, (b"NIL", b'""', b"{0}\r\n"))))]
        return [(name, self.rng.choice({b"UID": (b"x", BIG.encode(), b"-1"),
                                        b"FLAGS": (b"\\Seen", b"(\\Seen", b"(\\Seen {"),
                                        b"INTERNALDATE": (b'"32-Foo-2020 00:00:00 +0000"', b"x"),
                                        b"RFC822.SIZE": (b"x", b"-1", BIG.encode()),
                                        b"EMAILID": (b"(a", b"a b"),
                                        b"MODSEQ": (b"(x)", b"x")}[name]))]
