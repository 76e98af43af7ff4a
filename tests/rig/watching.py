"""`mailsync watch` as a user leaves it running: started, listened to, ended."""

import json
import signal
import subprocess
import threading
import time

from .program import TIMEOUT, Result, heed_signals


class Watch:
    """A running `watch` of an account's configuration; ends when left.

    with Watch(account) as watch:
        watch.until("watching")
    """

    def __init__(self, account, *args, env=None, preload=None):
        extra = dict(env or {})
        if preload:
            extra["LD_PRELOAD"] = preload
        self.account = account
        self.process = subprocess.Popen(
            account.argv("--json", "watch", *args), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, env=account.environment(**extra), text=True,
            preexec_fn=heed_signals)
        self.events, self.lines = [], []
        self.heard = threading.Condition()
        self.readers = [threading.Thread(target=self._read, args=(stream, lines), daemon=True)
                        for stream, lines in ((self.process.stdout, self.events),
                                              (self.process.stderr, self.lines))]
        for reader in self.readers:
            reader.start()
        self.result = None

    def _read(self, stream, lines):
        for line in stream:
            with self.heard:
                lines.append(json.loads(line) if lines is self.events else line)
                self.heard.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self.result is None:
            self.end()
        if not failure[0]:
            assert self.result.status == 0, self.result

    def wait(self, holds, what, timeout=TIMEOUT):
        """Until HOLDS() is true, which is asked whenever something is said, and now and then."""
        end = time.monotonic() + timeout
        with self.heard:
            while not (found := holds()):
                left = end - time.monotonic()
                assert left > 0 and self.process.poll() is None, \
                    f"in vain: {what}\n{self.events[-12:]}\n{''.join(self.lines[-12:])}"
                self.heard.wait(min(left, 0.02))
        return found

    def mark(self):
        """A place in what was said, for `since`."""
        return len(self.events)

    def of(self, kind, since=0):
        return [event for event in self.events[since:] if event["event"] == kind]

    def until(self, state, since=0, account=None, timeout=TIMEOUT, **others):
        """The first watch event from SINCE on with that state, and with what else is given."""
        def holds():
            for event in self.of("watch", since):
                if event["state"] == state and (account is None or event["account"] == account) \
                        and all(event[key] == value for key, value in others.items()):
                    return event
            return None

        return self.wait(holds, f"{state} {others}", timeout)

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM, timeout=TIMEOUT):
        """Asks for the end; what it came to."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.ended(timeout)

    def ended(self, timeout=TIMEOUT):
        """Waits for an end that comes by itself."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        for reader in self.readers:
            reader.join()
        self.result = Result(self.process.returncode,
                             "".join(json.dumps(event) + "\n" for event in self.events),
                             "".join(self.lines))
        return self.result
