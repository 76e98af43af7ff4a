"""Runs mailsync as a user does: writes a config, starts the binary, reads what it prints."""

import json
import os
import pathlib
import signal
import subprocess
import time
from typing import NamedTuple

from .host import PASSWORD
from .imap import Imap
from .maildir import Maildir

ROOT = pathlib.Path(__file__).resolve().parents[2]
COUNTS = ("downloaded", "uploaded", "moved", "flags_local", "flags_remote", "deleted_local",
          "deleted_remote", "skipped", "errors")
# Above a test's patience for anything that is not about time.
TIMEOUT = float(os.environ.get("MAILSYNC_TEST_TIMEOUT", "90"))


def binary():
    path = pathlib.Path(os.environ.get("MAILSYNC", ROOT / "build" / "mailsync"))
    return path if path.is_absolute() else ROOT / path


def with_steps():
    """The same program with fail points, where it was built."""
    return binary().parent / "steps" / "mailsync"


def has_asan():
    """Whether it is built with AddressSanitizer."""
    return b"__asan_init" in binary().read_bytes()


def nonzero(event):
    return {name: event[name] for name in COUNTS if event.get(name)}


class Result(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    def of(self, kind):
        return [event for event in self.events if event["event"] == kind]

    @property
    def account(self):
        return self.of("account")[-1]

    @property
    def did(self):
        """The counts of the account that are not zero: {} after a run without work."""
        return nonzero(self.account)

    def did_in(self, mailbox):
        for event in self.of("mailbox"):
            if event["mailbox"] == mailbox:
                return nonzero(event)
        return {}

    @property
    def plan(self):
        return self.of("plan")

    @property
    def errors(self):
        return self.of("error")

    def __str__(self):
        return f"status {self.status}\n--- stdout\n{self.out}--- stderr\n{self.err}"


def config_text(sections):
    lines = []
    for name, keys in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {value}" for key, value in keys.items() if value is not None]
        lines.append("")
    return "\n".join(lines)


class Account:
    """An account of a private server, its Maildir and its config, all below FOLDER.

    Keys of the config come as keywords; a key set to None is left out. change() alters them.
    """

    def __init__(self, folder, server, user, name="home", **keys):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.server, self.user, self.name = server, user, name
        self.keys = {"host": "127.0.0.1", "tls": "none", "user": user, "password": PASSWORD,
                     "maildir": str(self.folder / "mail")}
        if server is not None:
            self.keys["port"] = server.port
        self.defaults = {"state_dir": str(self.folder / "state")}
        self.others = {}             # further sections
        self.config = self.folder / "mailsync.conf"
        self.change(**keys)

    def change(self, **keys):
        self.keys.update(keys)
        if self.keys.get("tls") in ("implicit", "starttls") and "tls_ca_file" not in self.keys:
            self.keys["tls_ca_file"] = str(self.server.ca)
            self.keys["host"] = "localhost" if "host" not in keys else keys["host"]
            if self.keys["tls"] == "implicit" and "port" not in keys:
                self.keys["port"] = self.server.port + 1
        return self

    def write_config(self):
        text = config_text({"defaults": self.defaults, f"account {self.name}": self.keys,
                            **self.others})
        # At once: a run that was begun before may be reading it.
        draft = self.config.with_name(self.config.name + ".draft")
        draft.write_text(text)
        draft.chmod(0o600)
        draft.replace(self.config)

    # The two sides, as others see them.

    @property
    def local(self):
        return Maildir(self.keys["maildir"], self.keys.get("layout", "fs"),
                       self.keys.get("inbox", "INBOX"), self.keys.get("info_delimiter", ":"))

    def remote(self):
        """A new session of another client of the account."""
        return Imap(self.server.port, self.user)

    @property
    def database(self):
        return pathlib.Path(self.defaults["state_dir"]) / f"{self.name}.db"

    # Runs.

    def environment(self, **extra):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("MAILSYNC_", "XDG_"))
               and k.lower() not in ("all_proxy", "no_proxy")}
        # The time zone must not matter; this one is off by half an hour, too.
        env.update(HOME=str(self.folder), TZ="Asia/Kolkata", **extra)
        return env

    def argv(self, *args):
        self.write_config()
        return [str(binary()), "--config", str(self.config), *args]

    def run(self, *args, timeout=TIMEOUT, env=None, **options):
        """mailsync --config ... ARGS, to its end."""
        done = subprocess.run(self.argv(*args), capture_output=True, timeout=timeout, check=False,
                              stdin=subprocess.DEVNULL, env=self.environment(**(env or {})),
                              **options)
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def sync(self, *args, status=0, **options):
        """`mailsync --json sync ARGS`; fails unless it ends with STATUS (None: any)."""
        result = self.run("--json", *args, "sync", **options)
        if status is not None:
            assert result.status == status, f"expected status {status}, got {result}"
        return result

    def start(self, *args, env=None, **options):
        """In the background; a Popen with pipes."""
        # A shell's background job ignores SIGINT, and so would the program (as it should).
        options.setdefault("preexec_fn", heed_signals)
        return subprocess.Popen(self.argv(*args), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=self.environment(**(env or {})), **options)


def heed_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def finish(process, timeout=TIMEOUT):
    out, err = process.communicate(timeout=timeout)
    return Result(process.returncode, out.decode(), err.decode())


def wait_until(condition, seconds=TIMEOUT):
    """Waits for CONDITION() to hold; fails when it does not come to that."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} seconds"
        time.sleep(0.01)


def is_stopped(process):
    """Waits until it stops itself (True) or ends."""
    change = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    return change.si_code == os.CLD_STOPPED


def stop_when(process, condition, number=signal.SIGTERM, seconds=20):
    """Send a signal as soon as CONDITION holds; True when the process still ran then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if condition():
            process.send_signal(number)
            return True
        time.sleep(0.001)
    return False
