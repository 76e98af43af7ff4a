"""What a POP3 server leaves out, garbles, refuses or cuts off, at random."""

import random

from pop3_server import Cut, Honest

BIG = b"99999999999999999999"
VERBS = ("CAPA", "PASS", "UIDL", "LIST", "TOP", "RETR", "DELE", "QUIT")
PASSING = (b"-ERR [SYS/TEMP] not now", b"-ERR [IN-USE] locked")
# A login that is refused for good is not tried again.
REFUSALS = {"PASS": PASSING, "CAPA": (b"-ERR no", b"-ERR")}


class Liar(Honest):
    """As imap_lies.Liar. `halves` and `hollow`: messages whose body was told cut short, or as nothing."""

    def __init__(self, seed, told, only=None):
        self.seed, self.told, self.only = seed, told, only
        self.dice = random.Random(seed)
        self.rate = self.dice.choice((0.02, 0.1))
        self.focus = None
        if self.dice.random() < 0.8:
            self.focus = set(self.dice.sample(VERBS, self.dice.choice((1, 1, 2, 3))))
            self.rate = self.dice.choice((0.2, 0.5, 0.9))
        self.lies, self.trace, self.halves = 0, [], []

    def __str__(self):
        about = ", ".join(sorted(self.focus)) if self.focus else "all"
        return f"lies about {about} at {self.rate}: " + "; ".join(self.trace)

    def roll(self, verb):
        if self.focus is not None and verb not in self.focus or self.dice.random() >= self.rate:
            return False
        self.lies += 1
        self.rng = random.Random(f"{self.seed}/{self.lies}")
        return self.only is None or self.lies in self.only

    def note(self, what, how, detail=""):
        self.told["POP3 " + what, how] += 1
        self.trace.append(f"{self.lies}: {what} {how} {detail}".rstrip())

    def answer(self, verb, argument, session):
        if verb not in VERBS or not self.roll(verb):
            return session.answer(verb, argument)
        ways = ["refused", "refused", "cut", "unreadable"]
        if verb in ("UIDL", "LIST"):
            ways += ["line absent", "line unreadable", "line empty", "OK without it"] * 2
        elif verb in ("RETR", "TOP"):
            ways += ["OK without it", "short", "cut inside"] * 2
        elif verb == "CAPA":
            ways += ["OK without it", "short", "line unreadable"]
        how = self.rng.choice(ways)
        self.note(verb, how, argument)
        if how == "cut":
            raise Cut
        if how == "refused":
            return [self.rng.choice(REFUSALS.get(verb, (b"-ERR no", *PASSING)))]
        if how == "unreadable":
            if verb in ("PASS", "DELE"):
                raise Cut(b"+O")
            return [self.rng.choice((b"*ERR what", b"OK", b"?"))]
        return self.spoilt(verb, how, session.answer(verb, argument), session, argument)

    def spoilt(self, verb, how, lines, session, argument):
        if how == "OK without it" or len(lines) < 3:
            return [lines[0], b"."] if len(lines) > 1 else lines
        at = self.rng.randrange(1, len(lines) - 1)
        if how == "cut inside":
            raise Cut(b"\r\n".join(lines[:at]) + b"\r\nhalf a li")
        if how == "short":
            if verb == "RETR":
                self.halves.append(session.wire(argument))
            return [*lines[:at], b"."]
        if how == "line absent":
            return lines[:at] + lines[at + 1:]
        number = lines[at].split(b" ")[0]
        bad = {"line empty": [b"", number, number + b" "],
               "line unreadable": [b"x y", number + b" \x01\x80", BIG + b" 5", number + b" -5",
                                   number + b" " + BIG] if verb == "LIST" else
               [b"x y", BIG + b" id", b"0 id", b"-1 id"]}[how]
        return [*lines[:at], self.rng.choice(bad), *lines[at + 1:]]

    def at_quit(self, session):
        if not self.roll("QUIT"):
            return super().at_quit(session)
        how = self.rng.choice(("refused", "cut before", "cut behind", "forgets", "unreadable"))
        self.note("QUIT", how)
        if how == "refused":
            return [b"-ERR some deleted messages not removed"]
        if how == "forgets":
            return [b"+OK bye"]
        if how == "cut before":
            raise Cut
        session.remove_marked()
        if how == "cut behind":
            raise Cut
        return [b"?"]
