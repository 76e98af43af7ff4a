"""How each datum of the table for IMAP is not told: for each row a scenario, for each cell ways to tell it.

A way is a Lie: what becomes of the lines, of the answers, or of the commands that it is about. Of what
belongs to a mailbox it is told of Work alone.
"""

import re

from imap_server import Cut, Honest, Say, strings

BIG = "99999999999999999999"
NAMING = ("SELECT", "EXAMINE", "STATUS", "APPEND", "CREATE", "DELETE", "RENAME", "SUBSCRIBE",
          "UNSUBSCRIBE")
ABOUT = ("Work", "Neu", "Old", "Quiet", "Leise")


class Lie(Honest):
    """`line(say)` gives the bytes in the place of a line, None for as it is; `whole(data)` what goes out
    in the place of a whole answer; `refusal` a tagged Say in the place of carrying out. `verbs` limits the
    commands that the lie is about."""

    def __init__(self, line=None, whole=None, refusal=None, verbs=None, command=None):
        self.line_, self.whole, self.refusal = line, whole, refusal
        self.verbs, self.pattern = verbs, command
        self.told = 0
        self.concerned = False

    def before(self, verb, command, conn):
        self.concerned = self.concerns(verb, command, conn)
        if self.concerned and self.refusal is not None:
            self.told += 1
            return self.refusal
        return None

    def concerns(self, verb, command, conn):
        if self.verbs is not None and verb not in self.verbs:
            return False
        if self.pattern is not None and not re.search(self.pattern, command):
            return False
        if verb in NAMING:
            return any(name.rpartition(".")[2] in ABOUT for name in strings(command)[1:])
        if verb.startswith("UID") or verb == "EXPUNGE":
            return conn.box is not None and conn.box.name.rpartition(".")[2] == "Work"
        return True

    def spoil(self, verb, says, tag, conn):
        if verb == "GREETING":
            self.concerned = self.verbs is None or verb in self.verbs
        if self.verbs == ("CAPABILITY",):       # is asked where nothing else tells
            says = [Say("OK", "* OK ready") if say.kind == "CAPABILITY" and verb == "GREETING" else
                    Say("tagged") if (say.code or "").startswith("CAPABILITY") else say for say in says]
        if not self.concerned:
            return super().spoil(verb, says, tag, conn)
        if self.line_ is not None:
            return b"".join(self.spoilt(say, tag) for say in says)
        if self.whole is not None and says[-1].status == "OK":
            self.told += 1
            return self.whole([say.wire(tag) for say in says], tag)
        return super().spoil(verb, says, tag, conn)

    def spoilt(self, say, tag):
        if say.mailbox is not None and say.mailbox.rpartition(".")[2] != "Work":
            return say.wire(tag)
        data = self.line_(say, tag)
        if data is None:
            return say.wire(tag)
        self.told += 1
        return data


# Lines of a kind

def text_line(kind, replacement, **limits):
    """REPLACEMENT is sent for each line of KIND: text, or a function of the line's; None: nothing."""
    def line(say, _):
        if say.kind != kind:
            return None
        text = replacement(say.text) if callable(replacement) else replacement
        return b"" if text is None else text.encode() + b"\r\n"
    return lambda: Lie(line=line, **limits)


def ways(make, texts):
    return {name: make(text) for name, text in texts.items()}


def of_line(kind, garbled, empty, **limits):
    """{how: {way: Lie}} of a line that carries one datum."""
    return {"absent": {"": text_line(kind, None, **limits)},
            "unreadable": ways(lambda text: text_line(kind, text, **limits), garbled),
            "nil": ways(lambda text: text_line(kind, text, **limits), empty)}


def number(kind, form):
    """Of a number that SELECT tells."""
    return of_line(kind, {"garbage": form % "x", "overflow": form % BIG, "negative": form % "-1"},
                   {"NIL": form % "NIL", "nothing": form % ""}, verbs=("SELECT", "EXAMINE"))


# Items of STATUS and FETCH

def item_line(kind, name, value, role=None, only=None):
    """The item NAME of lines of KIND (and ROLE) has VALUE; None: is left out."""
    key = name.encode() if kind == "FETCH" else name

    def line(say, tag):
        if say.kind != kind or role is not None and say.role != role:
            return None
        if key not in [item for item, _ in say.items]:
            return None
        if only is not None and not only(say):
            return None
        items = [(item, value if item == key else old) for item, old in say.items
                 if item != key or value is not None]
        return Say(kind, items=items, number=say.number, mailbox=say.mailbox).wire(tag)
    return lambda: Lie(line=line)


def of_item(kind, name, garbled, empty, role=None):
    def make(value):
        return item_line(kind, name, value.encode() if kind == "FETCH" else value, role)
    return {"absent": {"": item_line(kind, name, None, role)},
            "unreadable": ways(make, garbled), "nil": ways(make, empty)}


NUMBERS = {"garbage": "x", "overflow": BIG, "negative": "-1"}


def status_number(name):
    return of_item("STATUS", name, NUMBERS, {"NIL": "NIL", "nothing": ""})


def fetch_line(role, has=b"UID"):
    """Whole FETCH lines of ROLE that carry HAS: none, or only the first words of them."""
    def lie(data):
        def line(say, _):
            if say.kind != "FETCH" or say.role != role or has not in dict(say.items):
                return None
            return data and data.replace(b"N", b"%d" % say.number).replace(b"U", b"%d" % say.uid)
        return lambda: Lie(line=line)
    return {"absent": {"": lie(b"")},
            "unreadable": {"cut short": lie(b"* N FETCH (\r\n"), "half": lie(b"* N FETCH (FLAGS (\r\n")},
            "nil": {"()": lie(b"* N FETCH ()\r\n"), "NIL": lie(b"* N FETCH NIL\r\n")}}


# Codes in a tagged answer, or in an untagged OK

def code_line(name, value, verbs=None):
    def line(say, tag):
        code = say.code or ""
        if say.kind == name:
            return b"" if value is None else f"* OK [{value}] x\r\n".encode()
        if say.kind == "tagged" and code.split(" ")[0] == name:
            return Say("tagged", code=value).wire(tag)
        return None
    return lambda: Lie(line=line, verbs=verbs)


def of_code(name, garbled, empty, verbs=None):
    def make(value):
        return code_line(name, value, verbs)
    return {"absent": {"": make(None)}, "unreadable": ways(make, garbled), "nil": ways(make, empty)}


def of_uids(name):
    """APPENDUID, COPYUID."""
    return of_code(name, {"garbage": f"{name} x", "overflow": f"{name} 1 {BIG} {BIG}",
                          "negative": f"{name} 1 -1 -1", "too much": f"{name} 1 2 3 4 5"},
                   {"NIL": f"{name} NIL", "nothing": name})


# Whole answers

REFUSALS = {"NO": ("NO", None), "UNAVAILABLE": ("NO", "UNAVAILABLE"), "BAD": ("BAD", None)}


def cut(lines, _):
    raise Cut(b"".join(lines[:-1]))


def of_answer(*verbs, command=None, refusals=REFUSALS, has_lines=True):
    """A command's whole answer."""
    limits = {"verbs": verbs, "command": command}
    found = {
        "absent": {"": lambda: Lie(whole=cut, **limits)},
        "unreadable": {"garbage": lambda: Lie(
            whole=lambda lines, tag: b"".join(lines[:-1]) + f"{tag} PERHAPS\r\n".encode(), **limits)},
        "refused": {name: lambda status=status, code=code: Lie(
            refusal=Say("tagged", "no", status=status, code=code), **limits)
            for name, (status, code) in refusals.items()},
    }
    if has_lines:
        found["OK without it"] = {"": lambda: Lie(whole=lambda lines, tag: f"{tag} OK done\r\n".encode(),
                                                  **limits)}
    return found


def greeting(text):
    def whole(_lines, _tag):
        if text is None or text.startswith("* BYE"):
            raise Cut((text or "").encode() + (b"\r\n" if text else b""))
        return text.encode() + b"\r\n"
    return lambda: Lie(whole=whole, verbs=("GREETING",))


GREETING = {
    "absent": {"": greeting(None)},
    "unreadable": {"garbage": greeting("SSH-2.0-OpenSSH"), "half": greeting("* O")},
    "nil": {"nothing": greeting("")},
    "refused": {"BYE": greeting("* BYE no"), "UNAVAILABLE": greeting("* BYE [UNAVAILABLE] not now")},
    "OK without it": {"": greeting("* OK ready")},
}


def capability(value, verbs):
    """What the server offers, in the greeting, in the answer to the login and when it is asked."""
    def line(say, tag):
        if say.kind == "CAPABILITY" and say.text.startswith("* OK"):
            return f"* OK [{value}] x\r\n".encode() if value else b"* OK x\r\n"
        if say.kind == "CAPABILITY":
            return f"* {value}\r\n".encode() if value else b""
        if say.kind == "tagged" and (say.code or "").startswith("CAPABILITY"):
            return Say("tagged", code=value).wire(tag)
        return None
    return lambda: Lie(line=line, verbs=verbs)


def of_capability(*verbs):
    return {"absent": {"": capability(None, verbs)},
            "unreadable": {"(": capability("CAPABILITY (", verbs)},
            "nil": {"nothing": capability("CAPABILITY", verbs), "NIL": capability("CAPABILITY NIL", verbs)}}


def flags_line(kind):
    form = f"* OK [{kind} %s] ok" if kind == "PERMANENTFLAGS" else f"* {kind} %s"
    return of_line(kind, {"unclosed": form % "(\\Seen", "garbage": form % "x("},
                   {"NIL": form % "NIL", "nothing": form % ""}, verbs=("SELECT", "EXAMINE"))


MAILBOX_LINE = {"cut short": lambda text: text[:-3], "unclosed": lambda text: text.replace("(", "((", 1)}


def name_line(kind):
    return of_line(kind, {**MAILBOX_LINE, "no name": f'* {kind} () "/"'},
                   {"NIL": f'* {kind} () "/" NIL', "no separator": f'* {kind} () NIL ""',
                    "nothing": f"* {kind}"})


ID = {"bare": "-1", "unclosed": "(a", "two": "(a b)",
      "bytes": "(\x7f\x01?)", "long": f"({'x' * 256})"}
NO_ID = {"NIL": "NIL", "()": "()", "empty": '""', "empty in parentheses": '("")'}
FLAGS = {"an atom": "\\Seen", "unclosed": "(\\Seen"}
DATE = {"no date": '"32-Foo-2020 00:00:00 +0000"', "garbage": "x"}
HEADER = "BODY[HEADER]"


def body(name, role="body"):
    """A literal that is left out, or NIL, or empty."""
    return {"absent": {"": item_line("FETCH", name, None, role)},
            "nil": {"NIL": item_line("FETCH", name, b"NIL", role),
                    "empty string": item_line("FETCH", name, b'""', role),
                    "empty literal": item_line("FETCH", name, b"{0}\r\n", role)}}


# datum: (what else is done, keys, {how: {way: Lie}})
ROWS = {
    "greeting": (None, {}, GREETING),
    "CAPABILITY before login": (None, {}, of_capability("GREETING", "CAPABILITY")),
    "CAPABILITY after login": (None, {}, of_capability("LOGIN", "AUTHENTICATE", "CAPABILITY")),
    "CAPABILITY throughout": (None, {}, of_capability("GREETING", "LOGIN", "AUTHENTICATE", "CAPABILITY")),
    "CAPABILITY": (None, {}, of_answer("CAPABILITY")),
    "LOGIN": (None, {}, of_answer("LOGIN", "AUTHENTICATE", has_lines=False,
                                  refusals={"UNAVAILABLE": ("NO", "UNAVAILABLE")})),
    "ENABLED": (None, {}, {**of_line("ENABLED", {"garbage": "* ENABLED ("}, {"nothing": "* ENABLED"}),
                           "refused": of_answer("ENABLE")["refused"]}),
    "NAMESPACE": (None, {}, {**of_line(
        "NAMESPACE", {"unclosed": '* NAMESPACE (("INBOX.', "garbage": "* NAMESPACE x"},
        {"NIL": "* NAMESPACE NIL NIL NIL", "nothing": "* NAMESPACE"}),
        **{how: lies for how, lies in of_answer("NAMESPACE").items()
           if how in ("refused", "OK without it")}}),
    "LIST line": (None, {}, name_line("LIST")),
    "LIST": (None, {}, of_answer("LIST")),
    "LSUB line": (None, {}, name_line("LSUB")),
    "LSUB": (None, {}, of_answer("LSUB")),
    "STATUS line": (None, {}, of_line("STATUS", {"cut short": '* STATUS "Work" (MESS'},
                                      {"()": '* STATUS "Work" ()', "NIL": '* STATUS "Work" NIL'})),
    "STATUS": (None, {}, of_answer("STATUS")),
    **{f"STATUS {name}": (None, {}, status_number(name))
       for name in ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ")},
    "STATUS MAILBOXID": (None, {}, of_item("STATUS", "MAILBOXID", ID, NO_ID)),
    "SELECT": (None, {}, of_answer("SELECT", "EXAMINE")),
    "EXISTS": (None, {}, number("EXISTS", "* %s EXISTS")),
    **{name: (None, {}, number(name, f"* OK [{name} %s] ok"))
       for name in ("UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ")},
    "PERMANENTFLAGS": (None, {}, flags_line("PERMANENTFLAGS")),
    "FLAGS": (None, {}, flags_line("FLAGS")),
    "READ-WRITE": (None, {}, of_code("READ-WRITE", {"garbage": "READ"}, {})),
    "MAILBOXID": (None, {}, of_code("MAILBOXID", {k: f"MAILBOXID {v}" for k, v in ID.items()},
                                    {k: f"MAILBOXID {v}" for k, v in NO_ID.items()})),
    "CLOSED": (None, {}, of_code("CLOSED", {"garbage": "CLOSE"}, {})),
    "FETCH": (None, {}, of_answer("UID FETCH", command="FLAGS")),
    "FETCH line": (None, {}, fetch_line("list")),
    "FETCH UID": (None, {}, of_item("FETCH", "UID", NUMBERS, {"NIL": "NIL", "0": "0"}, "list")),
    "FETCH FLAGS": (None, {}, of_item("FETCH", "FLAGS", FLAGS, {"NIL": "NIL"}, "list")),
    "FETCH RFC822.SIZE": (None, {}, of_item("FETCH", "RFC822.SIZE", NUMBERS, {"NIL": "NIL"}, "list")),
    "FETCH INTERNALDATE": (None, {"dates": False}, of_item("FETCH", "INTERNALDATE", DATE,
                                                           {"NIL": "NIL", "empty": '""'}, "list")),
    "FETCH EMAILID": (None, {}, of_item("FETCH", "EMAILID", {"unclosed": "(a", "two": "a b"}, NO_ID)),
    # One that is left out cannot be told from none.
    "change's line": (None, {}, {how: lies for how, lies in fetch_line("delta").items()
                                 if how != "absent"}),
    "change's UID": (None, {}, of_item("FETCH", "UID", NUMBERS, {"NIL": "NIL", "0": "0"}, "delta")),
    "change's FLAGS": (None, {}, of_item("FETCH", "FLAGS", FLAGS, {"NIL": "NIL"}, "delta")),
    "change's MODSEQ": (None, {}, of_item("FETCH", "MODSEQ", {"garbage": "(x)", "overflow": f"({BIG})",
                                                              "no list": "7"},
                                          {"NIL": "NIL", "()": "()"}, "delta")),
    "VANISHED": (None, {}, of_line(
        "VANISHED", {"garbage": "* VANISHED x", "half": "* VANISHED (EARLIER) 1:",
                     "overflow": f"* VANISHED {BIG}", "unclosed": "* VANISHED ("},
        {"NIL": "* VANISHED NIL", "nothing": "* VANISHED", "EARLIER alone": "* VANISHED (EARLIER)"})),
    "EXPUNGE line": (None, {}, of_line(
        "EXPUNGE", {"garbage": "* x EXPUNGE", "negative": "* -1 EXPUNGE", "overflow": f"* {BIG} EXPUNGE"},
        {"NIL": "* NIL EXPUNGE", "0": "* 0 EXPUNGE"})),
    "SEARCH": (None, {}, {**of_line("SEARCH", {"garbage": "* SEARCH x", "overflow": f"* SEARCH {BIG}",
                                               "unclosed": "* SEARCH ("},
                                    {"NIL": "* SEARCH NIL", "nothing": "* SEARCH"}),
                          **{how: lies for how, lies in of_answer("UID SEARCH").items()
                             if how in ("refused", "OK without it")}}),
    "ESEARCH": (None, {}, {**of_line(
        "ESEARCH", {"garbage": "* ESEARCH UID ALL x", "overflow": f"* ESEARCH UID ALL {BIG}",
                    "unclosed": "* ESEARCH ("},
        {"NIL": "* ESEARCH NIL", "nothing": "* ESEARCH", "no set": "* ESEARCH UID ALL"}),
        **{how: lies for how, lies in of_answer("UID SEARCH").items()
           if how in ("refused", "OK without it")}}),
    "header": ("lost", {}, of_answer("UID FETCH", command="HEADER")),
    "header's line": ("lost", {}, fetch_line("body", b"BODY[HEADER]")),
    "header's UID": ("lost", {}, of_item("FETCH", "UID", NUMBERS, {"NIL": "NIL"}, "body")),
    "header's text": ("lost", {}, body(HEADER)),
    "body": (None, {}, of_answer("UID FETCH", command=r"BODY.PEEK\[\]")),
    "body's line": (None, {}, fetch_line("body")),
    "body's UID": (None, {}, of_item("FETCH", "UID", NUMBERS, {"NIL": "NIL", "0": "0"}, "body")),
    "body's INTERNALDATE": (None, {"dates": False}, of_item("FETCH", "INTERNALDATE", DATE, {
        "NIL": "NIL", "empty": '""'}, "body")),
    "body's literal": (None, {}, body("BODY[]")),
    "STORE": (None, {}, of_answer("UID STORE", has_lines=False)),
    "COPY": (None, {}, of_answer("UID COPY", has_lines=False)),
    "MOVE": (None, {}, of_answer("UID MOVE", has_lines=False)),
    "COPYUID": (None, {}, of_uids("COPYUID")),
    "UID EXPUNGE": (None, {}, of_answer("UID EXPUNGE")),
    "EXPUNGE": (None, {}, of_answer("EXPUNGE")),
    "APPEND": (None, {}, of_answer("APPEND", has_lines=False)),
    "APPENDUID": (None, {}, of_uids("APPENDUID")),
    "CREATE": ("make", {}, of_answer("CREATE", has_lines=False)),
    "DELETE": ("remove", {}, of_answer("DELETE", has_lines=False)),
    "RENAME": ("rename", {}, of_answer("RENAME", has_lines=False)),
    "SUBSCRIBE": ("make", {}, of_answer("SUBSCRIBE", has_lines=False)),
}
