"""How each datum of the table for POP3 is not told. A way is a Lie: a command's answer is another one."""

from pop3_server import Cut, Honest

BIG = b"99999999999999999999"


class Lie(Honest):
    """`change(lines)` of the answers to VERB gives the lines in their place."""

    def __init__(self, verb, change):
        self.verb, self.change, self.told = verb, change, 0

    def greeting(self):
        return self.spoilt("GREETING", super().greeting)

    def answer(self, verb, argument, session):
        return self.spoilt(verb, lambda: session.answer(verb, argument))

    def at_quit(self, session):
        if self.verb == "QUIT":
            self.told += 1
            return self.change([b"+OK bye"])
        return super().at_quit(session)

    def spoilt(self, verb, honest):
        if verb != self.verb:
            return honest()
        self.told += 1
        return self.change(honest())


def lie(verb, change):
    return lambda: Lie(verb, change)


def instead(verb, *lines):
    return lie(verb, lambda _: list(lines))


def cut(verb):
    def change(_):
        raise Cut
    return lie(verb, change)


def line(verb, change):
    """The last line of a listing: CHANGE of its words, None: is left out."""
    def changed(lines):
        if len(lines) < 3:
            return lines
        made = change(lines[-2].split())
        return [*lines[:-2], *([] if made is None else [made]), b"."]
    return lie(verb, changed)


def of_answer(verb, refusals=(b"-ERR no", b"-ERR [SYS/TEMP] not now"), ok=(b"+OK", b".")):
    found = {"absent": {"": cut(verb)}, "unreadable": {"garbage": instead(verb, b"?")},
             "nil": {"nothing": instead(verb, b"")},
             "refused": {text.decode()[5:]: instead(verb, text) for text in refusals}}
    if ok:
        found["OK without it"] = {"": instead(verb, *ok)}
    return found


def of_line(verb):
    return {
        "absent": {"": line(verb, lambda words: None)},
        "unreadable": {"garbage": line(verb, lambda words: b"x " + words[1]),
                       "overflow": line(verb, lambda words: BIG + b" " + words[1]),
                       "negative": line(verb, lambda words: b"-1 " + words[1])},
        "nil": {"no value": line(verb, lambda words: words[0]), "nothing": line(verb, lambda words: b"")},
    }


ROWS = {
    "greeting": (None, of_answer("GREETING", (b"-ERR no", b"-ERR [SYS/TEMP] not now"), None)),
    "CAPA": (None, of_answer("CAPA")),
    "PASS": (None, {how: lies for how, lies in of_answer(
        "PASS", (b"-ERR [SYS/TEMP] not now", b"-ERR [IN-USE] locked"), None).items()
        if how in ("absent", "refused")}),
    "LIST": (None, of_answer("LIST")),
    "LIST line": (None, {**of_line("LIST"), "unreadable": {
        **of_line("LIST")["unreadable"], "size": line("LIST", lambda words: words[0] + b" x"),
        "size's overflow": line("LIST", lambda words: words[0] + b" " + BIG)}}),
    "UIDL": (None, of_answer("UIDL")),
    "UIDL line": (None, of_line("UIDL")),
    "TOP": ("lost", of_answer("TOP")),
    "RETR": (None, of_answer("RETR")),
    "DELE": (None, of_answer("DELE", ok=None)),
    "QUIT": (None, {**of_answer("QUIT", (b"-ERR some deleted messages not removed",), (b"+OK bye",))}),
}
