"""A program on a terminal, as a person sits before it."""

import codecs
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
ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)"
                     r"|[()][A-Z0-9]|[=>78cDEHM])")


class Terminal:
    """with Terminal(argv, folder, environment) as terminal: terminal.until("INBOX"); terminal.type("q")

    ELSEWHERE: what of the program's `stdin`, `stdout` and `stderr` is not the terminal."""

    def __init__(self, argv, folder, environment, columns=100, lines=30, **elsewhere):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        streams = {**dict.fromkeys(("stdin", "stdout", "stderr"), slave), **elsewhere}
        self.process = subprocess.Popen(
            argv, cwd=folder, env=environment, start_new_session=True, **streams,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.shown, self.heard = "", threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:                  # nobody holds the other end any more
                return
            if not data:
                return
            with self.heard:
                self.shown += decoder.decode(data)
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
                is_well = time.monotonic() < end and self.process.poll() is None
                assert is_well, f"in vain: {what}\n{text}"
                self.heard.wait(0.05)

    def until(self, text):
        """Until it is shown; escape sequences left out."""
        self.wait(lambda: text in ESCAPES.sub("", self.shown), f"it shows {text!r}")

    def ended(self):
        """Its status, when all that it shows has been read."""
        status = self.process.wait(SECONDS)
        self.reader.join(SECONDS)
        return status


class Screen:
    """What a terminal shows after it was sent some bytes: what mailsync's progress needs of one."""

    CODES = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")

    def __init__(self):
        self.lines, self.row, self.column = [""], 0, 0

    def feed(self, text):
        for argument, code, control, plain in self.CODES.findall(text):
            if plain:
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[:self.column] + plain + line[self.column + len(plain):]
                self.column += len(plain)
            elif control == "\r":
                self.column = 0
            elif control == "\n":
                self.row += 1
                if self.row == len(self.lines):
                    self.lines.append("")
            elif code == "A":
                self.row = max(0, self.row - int(argument or 1))
            elif code == "K":
                self.lines[self.row] = self.lines[self.row][:self.column]
            elif code == "J":
                self.lines[self.row:] = [self.lines[self.row][:self.column]]


def what_stays(shown):
    """The text that is seen in the end: without what was drawn of a progress and erased again."""
    screen = Screen()
    screen.feed(shown)
    return "\n".join(screen.lines)
