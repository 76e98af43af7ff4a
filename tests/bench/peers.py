"""The programs that are compared. Each has a work folder, writes its own configuration there, and
names the command of one run. Their state and mail lie below the folder."""

import os
import pathlib
import shlex
import shutil
import subprocess

from rig import program
from rig.host import PASSWORD, compile_c


class Peer:
    name = "?"

    def __init__(self, place, server, user, port, tls, **keys):
        self.place = pathlib.Path(place)
        self.server, self.user, self.port, self.tls = server, user, port, tls
        self.keys = keys
        self.serial = 0
        self.start_anew()

    def start_anew(self, user=None):
        """A work folder without mail or state. Older ones stay: what creates files soon after many
        were removed waits on ext4, which passes over each inode that was freed a moment ago."""
        self.user = user or self.user
        self.serial += 1
        self.folder = self.place.with_name(f"{self.place.name}-{self.serial}")
        self.folder.mkdir(parents=True)
        self.mail = self.folder / "mail"
        self.secret = self.folder / "secret"
        self.secret.write_text(PASSWORD + "\n")
        self.secret.chmod(0o600)
        self.configure()

    def forget_state(self):
        """What it knows of before is lost; False: it would double all mail then."""
        return False

    @classmethod
    def is_there(cls):
        return shutil.which(cls.command) is not None

    @property
    def host(self):
        return "localhost" if self.tls else "127.0.0.1"

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "MAILSYNC"))}
        return dict(env, HOME=str(self.folder))

    def again(self, port):
        """The same work folder through another port."""
        self.port = port
        self.configure()


class Mailsync(Peer):
    name = "mailsync"
    more = {}            # keys of the config

    @classmethod
    def is_there(cls):
        return program.binary().exists()

    def configure(self):
        keys = dict(host=self.host, port=self.port, tls="implicit" if self.tls else "none",
                    user=self.user, password_file=self.secret, maildir=self.mail,
                    tls_ca_file=self.server.ca if self.tls else None, **self.keys)
        (self.folder / "conf").write_text(program.config_text(
            {"defaults": {"state_dir": self.folder / "state"}, "account a": keys}))
        (self.folder / "conf").chmod(0o600)

    def argv(self):
        return [str(program.binary()), "--config", str(self.folder / "conf"), "--json", "sync"]


    def forget_state(self):
        shutil.rmtree(self.folder / "state")
        return True


class CompressedMailsync(Mailsync):
    name = "mailsync, compress = auto"
    more = {"compress": "auto"}


class Mbsync(Peer):
    name, command = "mbsync", "mbsync"
    more = ""

    def configure(self):
        self.mail.mkdir(exist_ok=True)
        tls = f"SSLType IMAPS\nSystemCertificates no\nCertificateFile {self.server.ca}"
        (self.folder / "rc").write_text(
            f"{self.global_keys()}IMAPAccount a\nHost {self.host}\nPort {self.port}\n"
            f"User {self.user}\nPassCmd \"cat {self.secret}\"\n"
            f"{tls if self.tls else 'SSLType None'}\n{self.more}\n"
            f"IMAPStore far\nAccount a\n\n"
            f"MaildirStore near\nPath {self.mail}/\nInbox {self.mail}/INBOX\nSubFolders Verbatim\n\n"
            f"Channel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\n"
            f"SyncState *\nCopyArrivalDate yes\n")

    def global_keys(self):
        return ""

    def argv(self):
        return ["mbsync", "-q", "-c", str(self.folder / "rc"), "c"]


class LeanMbsync(Mbsync):
    name = "mbsync, no FSync, no COMPRESS"
    more = "DisableExtension COMPRESS=DEFLATE\n"

    def global_keys(self):
        return "FSync no\n\n"


class Offlineimap(Peer):
    name, command = "offlineimap3", "offlineimap"

    def configure(self):
        tls = (f"ssl = yes\nsslcacertfile = {self.server.ca}" if self.tls
               else "ssl = no\nstarttls = no\nauth_mechanisms = PLAIN")
        (self.folder / "rc").write_text(
            f"[general]\naccounts = a\nmetadata = {self.folder}/meta\nui = quiet\n"
            f"[Account a]\nlocalrepository = near\nremoterepository = far\n"
            f"[Repository near]\ntype = Maildir\nlocalfolders = {self.mail}\nutime_from_header = no\n"
            f"[Repository far]\ntype = IMAP\nremotehost = {self.host}\nremoteport = {self.port}\n"
            f"remoteuser = {self.user}\nremotepassfile = {self.secret}\n{tls}\n")

    def argv(self):
        return ["offlineimap", "-c", str(self.folder / "rc"), "-o", "-u", "quiet"]


class Interimap(Peer):
    """Syncs two IMAP servers: its local side is a Dovecot process over the account's own store."""

    name, command = "interimap", "interimap"

    def local_user(self):
        return f"{self.user}-local{self.serial}"

    def configure(self):
        local = self.server.tunnel_command(self.local_user())
        script = self.folder / "local"
        script.write_text(f"#!/bin/sh\n{local}\n")
        script.chmod(0o755)
        tls = (f"type = imaps\nSSL_verify = YES\nSSL_CAfile = {self.server.ca}" if self.tls
               else "type = imap\nSTARTTLS = NO")
        password = PASSWORD
        (self.folder / "rc").write_text(
            f"database = a.db\n\n[local]\ntype = tunnel\ncommand = {shlex.quote(str(script))}\n"
            f"null-stderr = YES\n\n[remote]\n{tls}\nhost = {self.host}\nport = {self.port}\n"
            f"username = {self.user}\npassword = {password}\nauth = PLAIN LOGIN\ncompress = NO\n")
        (self.folder / "rc").chmod(0o600)

    def environment(self):
        env = super().environment()
        data = self.folder / "data"
        (data / "interimap").mkdir(parents=True, exist_ok=True)
        (data / "interimap").chmod(0o700)
        return dict(env, XDG_DATA_HOME=str(data))

    def argv(self):
        return ["interimap", "--quiet", f"--config={self.folder / 'rc'}"]


class Bare(Peer):
    """No sync program: what reading (and writing, or sending) the same bytes takes at least."""

    name, work = "bare client", "pull"
    program = None

    @classmethod
    def build(cls, folder):
        source = pathlib.Path(__file__).with_name("bare.c")
        cls.program = pathlib.Path(folder) / "bare"
        try:
            compile_c(source, cls.program, "-lssl", "-lcrypto")
        except (OSError, RuntimeError):
            Bare.program = None

    @classmethod
    def is_there(cls):
        return cls.program is not None

    def configure(self):
        self.mail.mkdir(exist_ok=True)

    def argv(self):
        return [str(self.program), self.work, "tls" if self.tls else "plain", str(self.port),
                self.user, PASSWORD, str(self.mail), *self.keys["boxes"]]


class BareDrop(Bare):
    name, work = "bare client that drops all", "drop"


class BarePush(Bare):
    work = "push"
