"""POP3 over mail that is there already: fetched by other programs, or by IMAP."""

import os
import shutil
import subprocess

import pytest

from maildrop import Maildrop
from rig import getmail, mail
from rig.host import PASSWORD
from stories import append, count, uids
from test_pop3 import drop_account, letters, local, pop3  # noqa: F401 (fixtures)


class Tool:
    """A program that fetches mail by POP3 into the INBOX of an Account, and keeps it there."""

    def __init__(self, account):
        self.account, self.home = account, account.folder
        account.local.create("INBOX")
        self.inbox = account.local.folder("INBOX")
        self.server = account.keys["host"], account.keys["port"], account.user
        self.store = self.home / "store"
        self.store.write_text(f"#!/bin/sh\nexec cat >{self.inbox}/new/$$.store\n")
        self.store.chmod(0o755)

    def write(self, name, text):
        path = self.home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)

    def run(self):
        subprocess.run(self.argv, env=self.environment(), timeout=60, check=True,
                       capture_output=True)

    def environment(self):
        return dict(os.environ, HOME=str(self.home))


class Mpop(Tool):
    argv = ["mpop", "-q", "a"]

    def configure(self):
        host, port, user = self.server
        self.write("secret", PASSWORD + "\n")
        self.write(".mpoprc", f"account a\nhost {host}\nport {port}\nuser {user}\ntls off\n"
                              f"auth user\nkeep on\npasswordeval cat {self.home}/secret\n"
                              f"delivery maildir {self.inbox}\n")


class Getmail(Tool):
    argv = ["getmail"]

    def environment(self):
        return dict(super().environment(), **getmail.environment(self.home / "mended"))

    def configure(self):
        host, port, user = self.server
        self.write(".getmail/getmailrc",
                   f"[retriever]\ntype = SimplePOP3Retriever\nserver = {host}\nport = {port}\n"
                   f"username = {user}\npassword = {PASSWORD}\n"
                   f"[destination]\ntype = MDA_external\npath = {self.store}\n"
                   f"allow_root_commands = true\n[options]\nread_all = false\n")


class Fetchmail(Tool):
    # Status 1 is "no new mail".
    argv = ["fetchmail", "--silent", "--nosyslog"]

    def configure(self):
        host, port, user = self.server
        quoted = "".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in PASSWORD)
        self.write(".fetchmailrc",
                   f"poll {host} port {port} proto pop3 uidl user \"{user}\" password \"{quoted}\" "
                   f"sslproto '' keep mda \"{self.store}\"\n")


@pytest.mark.parametrize("kind", [Mpop, Getmail, Fetchmail])
@pytest.mark.parametrize("has_files", [True, False], ids=["uidl-files", "headers"])
def test_what_another_program_fetched_is_not_fetched_again(pop3, kind, has_files):
    if not shutil.which(kind.argv[0]):
        pytest.skip(f"{kind.argv[0]} is not installed")
    account = pop3()
    account.user = account.keys["user"] = account.user + "@example.org"
    with account.remote() as remote:
        append(remote, 6)
        tool = kind(account)
        tool.configure()
        tool.run()
        assert count(account) == 6
        if has_files:
            # What was deleted here since only the program's own file knows of.
            for path in list(account.local.files("INBOX"))[:3]:
                path.unlink()
        else:
            for name in (".mpop_uidls", ".getmail", ".config"):
                shutil.rmtree(tool.home / name, ignore_errors=True)
            (tool.home / ".fetchids").unlink(missing_ok=True)
        assert account.sync().did == {}
        append(remote, 2, seed="news")
        assert account.sync().did == {"downloaded": 2}
        # Only what this state has downloaded is deleted there.
        account.change(leave_on_server="no")
        assert account.sync().did == {"deleted_remote": 2}
        assert len(uids(remote)) == 6


@pytest.mark.parametrize("first, then", [("imap", "pop3"), ("pop3", "imap")])
def test_another_protocol_fetches_and_sends_nothing_again(make_account, dovecots, first, then):
    ports = {"imap": dovecots().port, "pop3": dovecots().port + 2}
    account = make_account(protocol=first, port=ports[first])
    with account.remote() as remote:
        append(remote, 5)
        account.sync()
        account.change(protocol=then, port=ports[then])
        append(remote, 1, seed="news")
        did = account.sync().did
        assert (did["downloaded"], did.get("uploaded")) == (1, None)
        assert account.sync().did == {}
        assert (count(account), len(uids(remote))) == (6, 6)
        account.change(protocol=first, port=ports[first])
        account.sync()
        assert account.sync().did == {}
        assert (count(account), len(uids(remote))) == (6, 6)


def test_a_lost_database_and_other_unique_ids_fetch_nothing_again(drop_account):
    with Maildrop(letters(6)) as drop:
        account = drop_account(drop)
        account.sync()
        account.database.unlink()
        for letter in drop.letters[:4]:
            letter[0] = "new-" + letter[0]
        drop.letters.append(["new-id7", mail.one(77, size=500)])
        assert account.sync().did == {"downloaded": 1}
        assert account.sync().did == {}
        assert count(account) == 7


@pytest.mark.usefixtures("steps")
def test_a_first_run_over_filled_folders_stopped_after_any_step_doubles_nothing(drop_account):
    sent = letters(5)
    for step in range(1, 500):
        with Maildrop(sent) as drop:
            account = drop_account(drop)
            account.change(port=drop.port)
            account.local.create("INBOX")
            for wire in sent[:3]:
                account.local.deliver("INBOX", wire.replace(b"\r\n", b"\n"), "S")
            stopped = account.run("sync", env={"MAILSYNC_STEP_STOP": str(step)})
            account.sync()
            assert local(account) == sorted(sent), step
            assert account.sync().did == {}, step
        for path in (account.folder / "mail", account.folder / "state"):
            shutil.rmtree(path)
        if stopped.status == 0:
            break
    assert step > 10
