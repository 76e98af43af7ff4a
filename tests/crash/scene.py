"""A prepared account, copied anew for each try: both sides in sync, then changed on both.

    scene = Scene("all"); scene.prepare(changes)
    with scene.copy() as trial:
        trial.sync(env={"MAILSYNC_STEP_STOP": "7"}, status=None)
        trial.wait_for_server()
        ... trial.trees() ...

The server's user directory, the Maildir and the state directory are copied as they lie, so that a
try costs some milliseconds. A Scene is made before the workers are forked and shared by them.
"""

import itertools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Callable, NamedTuple, Tuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import mail, program, tree  # noqa: E402
from rig.dovecot import Dovecot  # noqa: E402
from rig.host import scratch_dir  # noqa: E402
from rig.line import Line  # noqa: E402

EXTENSIONS = ("QRESYNC CONDSTORE UIDPLUS MOVE LITERAL+ LIST-STATUS LIST-EXTENDED MULTIAPPEND "
              "ESEARCH SPECIAL-USE ENABLE UNSELECT SASL-IR COMPRESS=DEFLATE")
# The codes that tell UIDs, which Dovecot sends whatever its CAPABILITY says.
UID_CODES = r"\[(?:APPENDUID|COPYUID) [^]]*\] ?"

# name: (config keys, Line's options or None)
MODES = {
    "all": ({}, None),
    "no-qresync": ({"disable_extensions": "QRESYNC"}, None),
    "no-condstore": ({"disable_extensions": "QRESYNC CONDSTORE"}, None),
    "no-move": ({"disable_extensions": "MOVE"}, None),
    "no-uidplus": ({"disable_extensions": "UIDPLUS MULTIAPPEND"}, {"hide": UID_CODES}),
    "none": ({"disable_extensions": EXTENSIONS}, {"hide": UID_CODES}),
    "file": ({"durability": "file"}, None),
    "nosync": ({"durability": "none"}, None),
    "maildir++": ({"layout": "maildir++"}, None),
}

_serial = itertools.count(1)


def copy_tree(source, target):
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


class Session:
    """Waits for sessions of a user to end: the server may still work off what a killed client sent,
    and what it does after the next run looked is no fault of either."""

    def __init__(self, user):
        self.mark = f"[{user} ".encode()

    def is_open(self):
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    title = file.read(200)
            except OSError:
                continue
            if title.startswith((b"imap:", b"pop3:")) and self.mark in title:
                return True
        return False

    def wait(self, seconds=20):
        end = time.monotonic() + seconds
        while self.is_open():
            if time.monotonic() > end:
                raise RuntimeError("the server's session does not end")
            time.sleep(0.002)


class Trial:
    """One copy of the scene."""

    def __init__(self, scene, user):
        self.scene, self.user = scene, user
        self.environment = {}       # of all runs from here on
        self.account = program.Account(scene.folder / user, scene.server, user, **scene.keys)

    def sync(self, *args, env=None, status=0, port=None):
        self.account.change(port=port or self.port)
        return self.account.sync(*self.scene.arguments, *args, status=status,
                                 env={**self.environment, **(env or {})})

    def start(self, env):
        self.account.change(port=self.port)
        return self.account.start("--json", *self.scene.arguments, "sync", env={**self.environment, **env})

    @property
    def port(self):
        return self.scene.port

    def line(self, **options):
        """A line before what the program talks to."""
        return Line(self.scene.service_port, **self.scene.line_options, **options)

    def wait_for_server(self):
        Session(self.user).wait()

    def trees(self):
        with self.account.remote() as remote:
            there = remote.read()
        return self.account.local.read(), there

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None and os.environ.get("MAILSYNC_RIG_KEEP"):
            return
        self.wait_for_server()
        shutil.rmtree(self.account.folder, ignore_errors=True)
        shutil.rmtree(self.scene.server.mail / self.user, ignore_errors=True)


class Scene:
    """An account in MODE on a server of its own, or on SERVER.

    `expected` is how the two sides must look in the end: (local, remote), trees of messages."""

    modes = MODES
    trial = Trial
    status = 0                  # of a run that nothing disturbs
    fixed = {"max_delete": "100%", "remove_mailboxes": "both"}     # keys in all modes
    service = 0                 # its port, counted from the server's
    arguments = ()              # of all its runs

    def __init__(self, mode, server=None):
        self.mode = mode
        keys, line = self.modes[mode]
        self.keys = {**keys, **self.fixed}
        self.line_options = line or {}
        self.owns_server = server is None
        if server is None:
            server = make_server()
        self.server = server
        self.service_port = server.port + self.service
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ms-scene-", dir=scratch_dir()))
        self.line = Line(self.service_port, **line) if line else None
        self.port = self.line.port if self.line else self.service_port
        self.template = f"template{next(_serial)}"
        self.expected = None
        self.copies = itertools.count(1)

    def prepare(self, fill, change, is_synced=True, **keys):
        """FILL the server, sync, and CHANGE both sides: functions of (Maildir, Imap session).
        KEYS are further ones of the config."""
        self.keys.update(keys)
        self.has_races = is_synced and self.service == 0
        trial = Trial(self, self.template)
        self.account = trial.account
        with self.account.remote() as remote:
            fill(self.account.local, remote)
        if is_synced:
            self.sync_first(trial)
        else:
            (self.account.folder / "state").mkdir()
        with self.account.remote() as remote:
            change(self.account.local, remote)
        trial.wait_for_server()
        copy_tree(self.server.mail / self.template, self.folder / "server")
        for name in ("mail", "state"):
            copy_tree(self.account.folder / name, self.folder / name)

    @staticmethod
    def sync_first(trial):
        trial.sync()

    def expect(self, trees):
        """Takes the end state of an undisturbed run for the expected one; what is wrong with it."""
        self.expected = (trees[1], trees[1])
        return tree.differences(*trees)

    def compare(self, trees):
        """What differs from the expected end state, on either side."""
        local, remote = self.expected
        lines = [f"local against expected: {line}"
                 for line in self.differences("local", trees[0], local)]
        return lines + [f"expected against remote: {line}"
                        for line in self.differences("remote", remote, trees[1])]

    @staticmethod
    def differences(_side, one, other):
        return tree.differences(one, other)

    def come_through(self, trial):
        """After the disturbed run of TRIAL, and before the ones that must mend all; complaints."""
        return []

    def copy(self):
        user = f"t{os.getpid()}x{next(self.copies)}"
        trial = self.trial(self, user)
        copy_tree(self.folder / "server", self.server.mail / user)
        for name in ("mail", "state"):
            copy_tree(self.folder / name, trial.account.folder / name)
        return trial

    def close(self):
        if self.line:
            self.line.stop()
        if self.owns_server:
            self.server.stop()
        if not os.environ.get("MAILSYNC_RIG_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def make_server(**options):
    os.environ.setdefault("MAILSYNC_RIG_DIR", scratch_dir())
    server = Dovecot(extra="verbose_proctitle = yes\n", **options)
    server.start()
    return server


# The crash proof's account.

BOXES = {"INBOX": 8, "Work": 6, "Archive": 4, "Été/Sub": 4, "OldLocal": 2, "OldRemote": 2}


def letter(name, size=500):
    return mail.one(0, seed=name, size=size)


def fill(_, remote):
    for box, count in BOXES.items():
        if box != "INBOX":
            remote.create(box)
        for number in range(count):
            flags = ("\\Seen",) if number % 2 else ()
            flags += ("note",) if box == "Été/Sub" else ()
            remote.append(box, letter(f"{box}/{number}"), flags, 1_500_000_000 + number)


def change(local, remote):
    """A bit of everything, on both sides."""
    change_remote(remote)
    change_local(local)


def change_remote(remote):
    uids = {box: remote.uids(box) for box in BOXES}
    for number in range(11):
        remote.append(("INBOX", "Work", "Archive")[number % 3], letter(f"down/{number}"),
                      ("\\Flagged",) if number % 4 == 0 else (), 1_600_000_000 + number)
    remote.append("Work", letter("down/big", 300_000), (), 1_600_000_100)
    remote.move("Work", uids["Work"][0], "Archive")
    remote.move("Été/Sub", uids["Été/Sub"][0], "INBOX")
    remote.store("INBOX", uids["INBOX"][0], "+FLAGS", "\\Flagged")
    remote.store("INBOX", uids["INBOX"][1], "-FLAGS", "\\Seen")
    remote.store("INBOX", uids["INBOX"][2], "+FLAGS", "work \\Answered")
    remote.expunge("INBOX", uids["INBOX"][3])
    remote.expunge("Été/Sub", uids["Été/Sub"][1])
    remote.create("New/Remote")
    remote.append("New/Remote", letter("new/remote"), ("\\Seen",), 1_600_000_200)
    remote.delete_mailbox("OldRemote")


def change_local(local):
    def find(box, number):
        return local.find(box, letter(f"{box}/{number}"))

    for number in range(5):
        box = ("INBOX", "Archive")[number % 2]
        local.deliver(box, letter(f"up/{number}").replace(b"\r\n", b"\n"),
                      "F" if number == 1 else "", 1_600_001_000 + number)
    local.deliver("Work", letter("up/big", 1_100_000).replace(b"\r\n", b"\n"), "S", 1_600_001_100)
    local.move(find("INBOX", 4), "Work")
    local.move(find("INBOX", 5), "Archive")
    local.move(find("Archive", 1), "INBOX")
    local.create("New/Local")
    local.move(find("Work", 1), "New/Local")
    local.deliver("New/Local", letter("new/local").replace(b"\r\n", b"\n"), "", 1_600_001_200)
    local.set_flags(find("INBOX", 0), "R")
    local.set_flags(find("Work", 2), "F")
    local.set_flags(find("Work", 3), "", "S")
    local.set_flags(find("Archive", 2), local.keyword_letter("Archive", "todo"))
    (local.folder("Été/Sub") / "dovecot-keywords").unlink()
    find("INBOX", 6).unlink()
    find("Work", 4).unlink()
    local.remove("OldLocal")


# Both sides filled by someone else, and no base.

def fill_both(_, remote):
    for box, count in {"INBOX": 8, "Work": 6, "Été/Sub": 3}.items():
        if box != "INBOX":
            remote.create(box)
        for number in range(count):
            flags = ("\\Seen",) if number % 2 else ("\\Flagged",)
            remote.append(box, letter(f"{box}/{number}"), flags, 1_500_000_000 + number)


def change_filled(local, _):
    for box, count in {"INBOX": 8, "Work": 6, "Local": 2}.items():
        local.create(box)
        for number in range(1, count):
            flags = "S" if number % 3 else ""
            local.deliver(box, letter(f"{box}/{number}").replace(b"\r\n", b"\n"), flags,
                          1_500_000_000 + number)
        local.deliver(box, letter(f"{box}/own").replace(b"\r\n", b"\n"), "", 1_500_001_000)


# Mailboxes renamed on either side, with children and with changes in them.

def fill_renamed(_, remote):
    for box in ("INBOX", "here", "here/b", "here/b/c", "there", "there/s", "empty"):
        if box != "INBOX":
            remote.create(box)
        for number in range(0 if box == "empty" else 3):
            remote.append(box, letter(f"{box}/{number}"), (), 1_500_000_000 + number)


def change_renamed(local, remote):
    remote.append("here/b", letter("here/late"), (), 1_600_000_000)
    remote.expunge("here", remote.uids("here")[0])
    remote.select("INBOX")
    remote.rename("there", "elsewhere/t")
    remote.rename("empty", "void")
    local.find("there", letter("there/1")).unlink()
    local.deliver("there/s", letter("there/up").replace(b"\r\n", b"\n"), "", 1_600_000_001)
    local.set_flags(local.find("here/b", letter("here/b/1")), "F")
    local.folder("here").rename(local.folder("gone"))


# Mailboxes whose names were swapped and shifted on the server, with a child and with changes.

def fill_swapped(_, remote):
    for box in ("INBOX", "a", "a/x", "b", "c"):
        if box != "INBOX":
            remote.create(box)
        for number in range(3):
            remote.append(box, letter(f"{box}/{number}"), (), 1_500_000_000 + number)


def change_swapped(local, remote):
    remote.append("b", letter("b/late"), (), 1_600_000_000)
    remote.expunge("a", remote.uids("a")[0])
    remote.select("INBOX")
    for old, new in (("a", "t"), ("c", "d"), ("b", "a"), ("t", "b")):
        remote.rename(old, new)
    local.find("b", letter("b/1")).unlink()
    local.deliver("a", letter("a/up").replace(b"\r\n", b"\n"), "", 1_600_000_001)
    local.set_flags(local.find("a/x", letter("a/x/1")), "F")


# Removed messages go to the trash, one by one and many at once.

NAMELESS = b"Subject: none\r\n\r\n"      # a header that says nothing of the message


def fill_binned(_, remote):
    for box, count in {"INBOX": 9, "Work": 4, "Bin": 2}.items():
        if box != "INBOX":
            remote.create(box)
        for number in range(count):
            remote.append(box, letter(f"{box}/{number}"), (), 1_500_000_000 + number)
    for number in range(4):
        remote.append("Work", NAMELESS + b"%d\r\n" % number, (), 1_500_000_100)


def change_binned(local, remote):
    for number in (0, 1, 3, 4, 7):
        local.find("INBOX", letter(f"INBOX/{number}")).unlink()
    local.find("Work", letter("Work/2")).unlink()
    for number in (1, 3):
        local.find("Work", NAMELESS + b"%d\r\n" % number).unlink()
    local.find("Bin", letter("Bin/1")).unlink()
    # Another client throws away what looks like one of them.
    remote.move("Work", remote.find("Work", NAMELESS + b"2\r\n"), "Bin")
    remote.store("INBOX", remote.find("INBOX", letter("INBOX/4")), "+FLAGS", "\\Flagged")


class HeldScene(Scene):
    """What the brake holds is brought back."""

    arguments = ("--bring-back",)


def fill_held(_, remote):
    for box in ("INBOX", "Work"):
        if box != "INBOX":
            remote.create(box)
        for number in range(12):
            remote.append(box, letter(f"{box}/{number}"), ("\\Seen",) if number % 3 else (),
                          1_500_000_000 + number)


def change_held(local, remote):
    """Here INBOX is emptied, there Work."""
    for path in list(local.files("INBOX")):
        path.unlink()
    for number in range(12):
        remote.expunge("Work", remote.find("Work", letter(f"Work/{number}")))
    remote.append("INBOX", letter("INBOX/new"), (), 1_500_000_200)


class Plan(NamedTuple):
    """What a scene is made of; `modes` are proved where none is asked for."""
    kind: type
    modes: Tuple[str, ...]
    fill: Callable
    change: Callable
    is_synced: bool = True
    keys: dict = {}


SCENES = {"changes": Plan(Scene, ("all", "none"), fill, change),
          "filled": Plan(Scene, ("all", "none"), fill_both, change_filled, False),
          "renames": Plan(Scene, ("all", "none"), fill_renamed, change_renamed),
          "swapped": Plan(Scene, ("all", "none"), fill_swapped, change_swapped),
          "trash": Plan(Scene, ("all", "none"), fill_binned, change_binned, keys={"trash": "Bin"}),
          "held": Plan(HeldScene, ("all", "none"), fill_held, change_held,
                       keys={"max_delete": "50%"})}


EMPTY = tree.digest(b"")      # a file whose bytes the power cut took


def keys_of(state):
    """The digests of a tree of messages."""
    return {key for box in state.values() for key in box}


def doubled(state):
    """Messages that a mailbox holds more than once; those of the scene are all different."""
    return [f"{box}: {key[:12]} {len(copies)} times" for box, messages in state.items()
            for key, copies in messages.items() if len(copies) > 1 and key != EMPTY]
