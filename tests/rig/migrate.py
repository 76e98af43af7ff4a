"""Programs that synced a Maildir before mailsync came, with the files that their users have, and what
`init --from` makes of these."""

import shutil
import subprocess

from . import getmail, program
from .host import PASSWORD


class Peer:
    """One of them at the home of an Account; CONFIG is its file there."""

    name = command = config = None

    def __init__(self, account):
        self.account, self.home = account, account.folder
        self.secret = self.home / "secret"
        self.secret.write_text(PASSWORD + "\n")
        self.secret.chmod(0o600)

    @classmethod
    def is_there(cls):
        return shutil.which(cls.command) is not None

    def environment(self):
        return self.account.environment()

    def argv(self):
        return [self.command]

    statuses = (0,)

    @staticmethod
    def quoted(password):
        """As its file writes it."""
        return password

    def write(self, text, **names):
        """Its file: TEXT with {names} filled in, besides those that all have."""
        own = dict(host="127.0.0.1", port=self.account.server.port, user=self.account.user,
                   pop3=self.account.server.port + 2, home=self.home, secret=self.secret,
                   password=self.quoted(PASSWORD))
        path = self.home / self.config
        path.parent.mkdir(parents=True, exist_ok=True)
        for name, value in {**names, **own}.items():       # theirs may name ours
            text = text.replace("{" + name + "}", str(value))
        path.write_text(text)
        path.chmod(0o600)

    def run(self):
        done = subprocess.run(self.argv(), env=self.environment(), timeout=program.TIMEOUT,
                              cwd=self.home, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        assert done.returncode in self.statuses, f"{self.argv()}: {done.stdout}{done.stderr}"

    def mailsync(self, *args):
        done = subprocess.run([str(program.binary()), *args], env=self.account.environment(),
                              timeout=program.TIMEOUT, cwd=self.home, capture_output=True,
                              check=False, stdin=subprocess.DEVNULL)
        return program.Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def migrate(self):
        """init --from --write; what it printed."""
        result = self.mailsync("init", "--from", str(self.home / self.config), "--write")
        assert result.status == 0, result
        assert PASSWORD not in result.out + result.err
        conf = self.home / ".config" / "mailsync" / "mailsync.conf"
        assert PASSWORD not in conf.read_text()
        return result

    def sync(self):
        """The next run of mailsync; the counts of each account that did something."""
        result = self.mailsync("--json", "sync")
        assert result.status == 0, result
        return {event["account"]: did for event in result.of("account")
                if (did := program.nonzero(event))}


class Mbsync(Peer):
    name = command = "mbsync"
    config = ".mbsyncrc"

    def argv(self):
        return ["mbsync", "-q", "-a"]

    @staticmethod
    def quoted(password):
        return password.replace("\\", "\\\\").replace('"', '\\"')


class Offlineimap(Peer):
    name, command, config = "offlineimap", "offlineimap", ".offlineimaprc"

    def argv(self):
        return ["offlineimap", "-o", "-u", "quiet"]


class Mpop(Peer):
    name = command = "mpop"
    config = ".mpoprc"

    def argv(self):
        return ["mpop", "-q", "-a"]


class Getmail(Peer):
    name = command = "getmail"
    config = ".config/getmail/getmailrc"

    def environment(self):
        return dict(super().environment(), **getmail.environment(self.home / "mended"))


class Fetchmail(Peer):
    name = command = "fetchmail"
    config = ".fetchmailrc"
    statuses = (0, 1)     # 1 is "no new mail"

    def argv(self):
        # Once, and not the machine's.
        return ["fetchmail", "--silent", "--nosyslog", "--daemon", "0",
                "--pidfile", str(self.home / "fetchmail.pid")]

    @staticmethod
    def quoted(password):
        return "".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in password)
