"""Mail programs at work on a Maildir, as their users drive them: mu (by the server that mu4e talks
to), notmuch with maildir.synchronize_flags, neomutt and mutt (keys pushed to them on a terminal).

Each has read, unread, flag, answer, delete and move; a message is named by its Message-ID. What one
is not able to it lacks. They end by themselves, and are waited for.
"""

import os
import re
import shutil
import subprocess

SECONDS = 60


class Mua:
    def __init__(self, account):
        self.root = account.local.root
        self.home = account.folder / f"home-{self.name}"
        self.home.mkdir(exist_ok=True)
        self.prepare()

    @classmethod
    def is_there(cls):
        return shutil.which(cls.name) is not None

    def prepare(self):
        pass

    def run(self, *argv, text=None):
        environment = dict(os.environ, HOME=str(self.home), TERM="xterm", LC_ALL="C.UTF-8",
                           NOTMUCH_CONFIG=str(self.home / "notmuch"))
        done = subprocess.run(argv, capture_output=True, timeout=SECONDS, check=False,
                              env=environment, cwd=self.home,
                              **({"input": text.encode()} if text else
                                 {"stdin": subprocess.DEVNULL}))
        out = done.stdout.decode(errors="replace")
        assert done.returncode == 0, f"{argv}: {out}{done.stderr.decode(errors='replace')}"
        return out


class Mu(Mua):
    name = "mu"

    def prepare(self):
        self.run("mu", "init", f"--maildir={self.root}")

    def serve(self, *commands):
        self.run("mu", "index")
        return self.run("mu", "server", text="\n".join([*commands, "(quit)"]) + "\n")

    def flags(self, message, change):
        self.serve(f'(move :msgid "{message}" :flags "{change}")')

    def read(self, message):
        self.flags(message, "+S-u-N")

    def unread(self, message):
        self.flags(message, "-S+u-N")

    def flag(self, message):
        self.flags(message, "+F")

    def answer(self, message):
        self.flags(message, "+R")

    def move(self, message, mailbox):
        self.serve(f'(move :msgid "{message}" :maildir "/{mailbox}" :flags "-N")')

    def delete(self, message):
        found = re.search(r":docid (\d+)", self.serve(f'(view :msgid "{message}")'))
        self.serve(f"(remove :docid {found.group(1)})")


class Notmuch(Mua):
    name = "notmuch"

    def prepare(self):
        (self.home / "notmuch").write_text(
            f"[database]\npath={self.root}\n[user]\nname=a\nprimary_email=a@example.org\n"
            "[new]\ntags=unread;inbox\nignore=dovecot-keywords;mailsync-id\n"
            "[maildir]\nsynchronize_flags=true\n")

    def tag(self, message, *tags):
        self.run("notmuch", "new")
        self.run("notmuch", "tag", *tags, "--", f"id:{message}")

    def read(self, message):
        self.tag(message, "-unread")

    def unread(self, message):
        self.tag(message, "+unread")

    def flag(self, message):
        self.tag(message, "+flagged")

    def answer(self, message):
        self.tag(message, "+replied")

    def paths(self, message):
        self.run("notmuch", "new")
        out = self.run("notmuch", "search", "--output=files", f"id:{message}")
        return [self.root / line for line in out.splitlines()]

    def move(self, message, mailbox):
        """As afew does, and scripts."""
        for path in self.paths(message):
            path.rename(self.root / mailbox / "cur" / path.name)

    def delete(self, message):
        for path in self.paths(message):
            path.unlink()


class Neomutt(Mua):
    name = "neomutt"

    def prepare(self):
        (self.home / "muttrc").write_text(
            f"set folder={self.root}\nset mbox_type=Maildir\nset spoolfile={self.root}/INBOX\n"
            "set realname=a\nset from=a@example.org\nset move=no\nset confirmappend=no\n"
            "set delete=yes\nset quit=yes\nset wait_key=no\nset sleep_time=0\n")

    def keys(self, message, keys):
        """KEYS on that message alone, and out."""
        push = f'push "<limit>~i {message}<enter>{keys}<quit>"'
        self.run("script", "-qec", f"{self.name} -n -F muttrc -e '{push}'", "/dev/null")

    def read(self, message):
        self.keys(message, "<clear-flag>N")

    def unread(self, message):
        self.keys(message, "<clear-flag>O<set-flag>N")

    def flag(self, message):
        self.keys(message, "<set-flag>!")

    def answer(self, message):
        self.keys(message, "<set-flag>r")

    def delete(self, message):
        self.keys(message, "<delete-message>")

    def move(self, message, mailbox):
        self.keys(message, f"<save-message>={mailbox}<enter>")


class Mutt(Neomutt):
    name = "mutt"


ALL = [Mu, Notmuch, Neomutt, Mutt]
