"""A program on a terminal, as a person sits before it."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time

SECONDS = 60
ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>78cDEHM])")


class Terminal:
    """with Terminal(argv, home) as terminal: terminal.until("INBOX"); terminal.type("q")"""

    def __init__(self, argv, home, columns=100, lines=30):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, cwd=home.path,
                                        env=home.environment(), start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.shown, self.heard = "", threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            with self.heard:
                self.shown += data.decode(errors="replace")
                self.heard.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.reader.join(SECONDS)
        os.close(self.master)

    def type(self, keys):
        """What is awaited from now on is what comes after these."""
        with self.heard:
            self.shown = ""
        os.write(self.master, keys.encode())

    def wait(self, holds, what):
        end = time.monotonic() + SECONDS
        with self.heard:
            while not holds():
                text = ESCAPES.sub("", self.shown)
                assert time.monotonic() < end and self.process.poll() is None, f"in vain: {what}\n{text}"
                self.heard.wait(0.05)

    def until(self, text):
        """Until it is shown; escape sequences left out."""
        self.wait(lambda: text in ESCAPES.sub("", self.shown), f"it shows {text!r}")

    def ended(self):
        self.process.wait(SECONDS)
