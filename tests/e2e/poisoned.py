"""Stories of one thing at which the connection ends, each time: tables, and what must come of each row.

The same run does everything else, names the thing and ends with 1; the next ten cost one connection
more each; once the server is well, all is right, once.
"""

from typing import NamedTuple

from rig import mail, tree
from rig.poison import Fault

MARK = b"X-Poison: seven"
ENDS = ("close", "reset", "bye", "silence")
SECONDS = 2        # until a server that is silent is given up


def letter(number, mark=False, size=600):
    wire = mail.one(number, seed="poison", size=size)
    return MARK + b"\r\n" + wire if mark else wire


def named(result):
    return [error for error in result.errors if "connection ends each time" in error["message"]]


def go_on(account, poison, runs, did):
    """The runs after the first one: each names it, and costs one connection more."""
    before = poison.connections
    for _ in range(runs):
        result = account.sync(status=1)
        assert result.did == did and len(named(result)) == 1, result
    assert poison.connections - before <= 2 * runs


# --- IMAP ---

class Row(NamedTuple):
    at: str
    without: str = ""              # extensions
    mailbox: str = None            # the thing is this mailbox, else a message of Work
    is_done: bool = False          # the act is carried out, which the next look shows


ACTS = {
    "SELECT": Row("SELECT", mailbox="Work"),
    "STATUS": Row("STATUS", "LIST-STATUS", mailbox="Work"),
    "FETCH": Row("FETCH"),
    "FETCH-BODY": Row("FETCH-BODY"),
    "APPEND": Row("APPEND"),
    "APPEND, singly": Row("APPEND", "MULTIAPPEND"),
    "APPEND before the continuation": Row("APPEND", "LITERAL+ LITERAL-"),
    "APPEND in the literal": Row("APPEND-LITERAL"),
    "APPEND in the literal, asked for": Row("APPEND-LITERAL", "LITERAL+ LITERAL-"),
    "APPEND behind the literal": Row("APPEND-END"),
    "APPEND behind the literal, asked for": Row("APPEND-END", "LITERAL+ LITERAL-"),
    "APPEND, taken": Row("APPEND-TAKEN", is_done=True),
    "STORE": Row("STORE"),
    "STORE, taken": Row("STORE-TAKEN", is_done=True),
    "MOVE": Row("MOVE"),
    "MOVE, taken": Row("MOVE-TAKEN", is_done=True),
    "COPY": Row("COPY", "MOVE"),
    "COPY, taken": Row("COPY-TAKEN", "MOVE", is_done=True),
    "EXPUNGE": Row("EXPUNGE"),
    "EXPUNGE, taken": Row("EXPUNGE-TAKEN", is_done=True),
}
BOXES = ("INBOX", "Work", "Zoo")
POISONED = 11      # the number of a letter; of three in each mailbox of ten


class Scene:
    """An account of three mailboxes; the second letter of Work is the one. What is done on both sides
    after it was synced goes by the act."""

    def __init__(self, account, row):
        self.account, self.row = account, row
        self.wire = letter(POISONED, mark=True)
        self.uid = None

    def begin(self):
        row, account = self.row, self.account
        self.fill()
        if row.at.split("-")[0] not in ("SELECT", "STATUS", "FETCH"):
            account.sync()
        self.change()
        account.change(timeout=SECONDS, disable_extensions=row.without or None)

    def fill(self):
        is_local = self.row.at.startswith("APPEND")
        with self.account.remote() as remote:
            for at, box in enumerate(BOXES):
                if box != "INBOX":
                    remote.create(box)
                for number in range(10 * at, 10 * at + 3):
                    if number == POISONED and is_local:
                        continue
                    uid = remote.append(box, letter(number, number == POISONED))
                    self.uid = uid if number == POISONED else self.uid

    def change(self):
        """Beside the act itself there is something to do everywhere, both ways."""
        local = self.account.local
        verb = self.row.at.split("-")[0]
        with self.account.remote() as remote:
            for at, box in enumerate(BOXES):
                remote.append(box, letter(10 * at + 5))
        for at, box in enumerate(BOXES):
            local.create(box)
            local.deliver(box, letter(10 * at + 6).replace(b"\r\n", b"\n"), "S")
        if verb == "APPEND":
            local.deliver("Work", self.wire.replace(b"\r\n", b"\n"), "S")
        files = [path for path in local.files("Work")
                 if tree.crlf(path.read_bytes()) in (self.wire, letter(10), letter(12))]
        for path in files:
            if verb == "STORE":
                local.set_flags(path, "F")
            elif verb in ("MOVE", "COPY"):
                local.move(path, "Zoo")
            elif verb == "EXPUNGE":
                path.unlink()

    def fault(self, end):
        row = self.row
        verb = row.at.split("-")[0]
        return Fault(row.at, mailbox=row.mailbox or (None if verb == "APPEND" else "Work"), end=end,
                     uid=self.uid if verb in ("STORE", "MOVE", "COPY", "EXPUNGE", "FETCH") else None,
                     size=len(self.wire) if row.at == "APPEND" else None,
                     marker=MARK if row.at.startswith("APPEND-") else None)

    def differences(self, but_it=False):
        """Between the two sides; BUT_IT: apart from the thing."""
        with self.account.remote() as remote:
            sides = [self.account.local.read(), remote.read()]
        if but_it and self.row.mailbox:
            for side in sides:
                side.pop(self.row.mailbox, None)
        elif but_it:
            for side in sides:
                for box in side.values():
                    box.pop(tree.digest(self.wire), None)
        return tree.differences(*sides)

    def count(self):
        gone = 3 if self.row.at.startswith("EXPUNGE") else 0
        return 9 + 6 - gone


def imap_story(account, poison, row, end, runs):
    scene = Scene(account, row)
    scene.begin()
    poison.faults = [scene.fault(end)]
    account.change(port=poison.port)
    result = account.sync(status=None if row.is_done else 1)
    assert poison.hits, "nothing was met"
    assert scene.differences(but_it=True) == [], result
    if row.is_done:
        assert result.status in (0, 1, 75), result
        assert scene.differences() == [], result
    else:
        assert len(named(result)) == 1, result
        go_on(account, poison, runs, {"errors": 1})
    poison.faults = []
    account.sync()
    assert scene.differences() == []
    assert tree.count(account.local.read()) == scene.count()
    assert account.sync().did == {}


# --- POP3 ---

class Drop(NamedTuple):
    at: str
    leave: str
    did: dict
    hides: tuple = ()


REST = {"downloaded": 5, "deleted_remote": 5}
DROPS = {
    "RETR": Drop("RETR", "no", REST),
    "RETR, kept": Drop("RETR", "yes", {"downloaded": 5}),
    "RETR in the body": Drop("RETR-BODY", "no", REST),
    "DELE": Drop("DELE", "no", {"downloaded": 6, "deleted_remote": 5}),
    "DELE, taken": Drop("DELE-TAKEN", "no", {"downloaded": 6, "deleted_remote": 5}),
    "TOP": Drop("TOP", "no", REST, ("UIDL",)),
    "TOP, kept": Drop("TOP", "yes", {"downloaded": 5}, ("UIDL",)),
}


def fill_drop(account, count=6):
    wires = [letter(number, number == 2) for number in range(count)]
    with account.remote() as remote:
        for wire in wires:
            remote.append("INBOX", wire)
    return wires


def held(account):
    return sorted(tree.crlf(path.read_bytes()) for path in account.local.files("INBOX"))


def open_drop(account, poison, row, end):
    poison.hides = row.hides
    poison.faults = [Fault(row.at, marker=MARK, end=end)]
    account.change(port=poison.port, protocol="pop3", timeout=SECONDS, leave_on_server=row.leave)


def pop3_story(account, poison, row, end, runs):
    wires = fill_drop(account)
    open_drop(account, poison, row, end)
    result = account.sync(status=1)
    assert result.did == {**row.did, "errors": 1}
    assert len(named(result)) == 1
    go_on(account, poison, runs, {"errors": 1})
    poison.faults = []
    account.sync()
    assert held(account) == sorted(wires)
    assert account.sync().did == {}
    with account.remote() as remote:
        assert len(remote.uids("INBOX")) == (0 if row.leave == "no" else 6)


# --- A day ---

HOUR = 3600


def day_story(account, poison, clock, step, rest):
    """What ended the connection in three runs over an hour is tried once in REST seconds from then on. A
    run each STEP seconds; CLOCK: environment that sets the program's clock ahead."""
    def run(at, status):
        before = poison.connections, len(poison.hits)
        result = account.sync(status=status, env=clock(at))
        return result, poison.connections - before[0], len(poison.hits) - before[1]

    for at in (60, 1900, HOUR + 120):
        result, _, hits = run(at, 1)
        assert len(named(result)) == 1 and hits > 0
    last, end = at, at + 26 * HOUR
    at, tried = at + step, 0
    while at < end:
        is_due = at >= last + rest
        result, connections, hits = run(at, 1 if is_due else 0)
        assert (hits > 0) == is_due, (at, result)
        if is_due:
            assert len(named(result)) == 1 and connections <= 2
            last, tried = at, tried + 1
        else:
            assert result.did.keys() <= {"skipped"} and connections == 1, result
        at += step
    assert tried == 1 if rest == 24 * HOUR else tried > 20
    poison.faults = []
    result, _, _ = run(at + rest, 0)
    return result


def clock_ahead(shim):
    return lambda seconds: {"LD_PRELOAD": shim, "CLOCK_BY": str(seconds), "CLOCK_AFTER": "0"}
