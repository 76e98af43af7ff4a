"""POP3: mailsync and the programs that fetch mail by it, from the same Dovecot account."""

import random

from rig import getmail, mail
from rig.host import PASSWORD
from rig.imap import Imap

from cases import Case, Pull
from peers import Mailsync, Peer


class Pop3Peer(Peer):
    def __init__(self, folder, server, user, port, tls, **keys):
        super().__init__(folder, server, user, port + 2, tls, **keys)

    def inbox(self):
        """A Maildir for those that do not make their own."""
        for name in ("new", "cur", "tmp"):
            (self.mail / "INBOX" / name).mkdir(parents=True, exist_ok=True)
        return self.mail / "INBOX"


class Pop3Mailsync(Pop3Peer, Mailsync):
    name = "mailsync"

    def configure(self):
        self.keys["protocol"] = "pop3"
        super().configure()


class Mpop(Pop3Peer):
    name, command = "mpop", "mpop"

    def configure(self):
        tls = (f"tls on\ntls_starttls off\ntls_trust_file {self.server.ca}" if self.tls
               else "tls off\nauth user")
        rc = self.folder / ".mpoprc"
        rc.write_text(f"account a\nhost {self.host}\nport {self.port}\nuser {self.user}\n"
                      f"passwordeval cat {self.secret}\n{tls}\nkeep on\n"
                      f"delivery maildir {self.inbox()}\n")
        rc.chmod(0o600)

    def argv(self):
        return ["mpop", "-q", "a"]


class Storing(Pop3Peer):
    """Hands each message to a command, here the cheapest that stores it."""

    def store(self):
        path = self.folder / "store"
        path.write_text(f"#!/bin/sh\nexec cat >{self.inbox()}/new/$$.{self.command}\n")
        path.chmod(0o755)
        return path


class Getmail(Storing):
    """Its own Maildir delivery refuses to run as root, and forks for each message, too."""

    name, command = "getmail6", "getmail"

    def environment(self):
        return dict(super().environment(), **getmail.environment(self.folder / "mended"))

    def configure(self):
        kind = "SimplePOP3SSLRetriever" if self.tls else "SimplePOP3Retriever"
        tls = f"ca_certs = {self.server.ca}\n" if self.tls else ""
        (self.folder / ".getmail").mkdir(exist_ok=True)
        # What it has seen it knows by the port, too, which is another one over a line.
        for seen in (self.folder / ".getmail").glob("oldmail-*"):
            seen.rename(seen.with_name(f"oldmail-{self.host}-{self.port}-{self.user}"))
        (self.folder / ".getmail" / "getmailrc").write_text(
            f"[retriever]\ntype = {kind}\nserver = {self.host}\nport = {self.port}\n"
            f"username = {self.user}\npassword = {PASSWORD}\n{tls}"
            f"[destination]\ntype = MDA_external\npath = {self.store()}\n"
            f"allow_root_commands = true\n"
            f"[options]\nread_all = false\nverbose = 0\n")

    def argv(self):
        return ["getmail", "--getmaildir", str(self.folder / ".getmail")]


class Fetchmail(Storing):
    name, command = "fetchmail", "fetchmail"

    def configure(self):
        quoted = "".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in PASSWORD)
        tls = (f"ssl sslcertck sslcertfile {self.server.ca}" if self.tls else "sslproto ''")
        rc = self.folder / ".fetchmailrc"
        rc.write_text(f"poll {self.host} port {self.port} proto pop3 uidl user \"{self.user}\" "
                      f"password \"{quoted}\" {tls} keep mda \"{self.store()}\"\n")
        rc.chmod(0o600)

    def argv(self):
        # Status 1 is "no new mail".
        return ["sh", "-c", "fetchmail --silent --nosyslog; test $? -le 1"]


class Pop3Mixed(Pull):
    """Sizes from 1 to 300 KB, small ones more often."""

    batch = None

    def fill(self, server, user):
        rng = random.Random(5)
        batch = self.batch or []
        while len(batch) < self.boxes[0][1]:
            number, size = len(batch), int(1000 * 300 ** rng.random())
            wire = mail.joined(*mail.plain(number, rng, max(1, size - 450)))
            batch.append(mail.Letter("INBOX", wire, (), 1_500_000_000 + number))
        self.batch = batch
        with Imap(server.port, user) as session:
            mail.pour(session, "INBOX", batch)


PEERS = (Pop3Mailsync, Mpop, Getmail, Fetchmail)


def cases():
    mixed, small = [("INBOX", 1000, 300_000)], [("INBOX", 5000, 8000)]
    return [
        Pop3Mixed("pop3-1000", "POP3: first download of 1,000 messages up to 300 KB, TLS loopback",
                  mixed, peers=PEERS),
        Pop3Mixed("pop3-1000-rtt", "POP3: first download of 1,000 messages up to 300 KB, 50 ms",
                  mixed, peers=PEERS, rtt_ms=50),
        Pull("pop3-5000", "POP3: first download of 5,000 x 8 KB, TLS loopback", small,
                 peers=PEERS),
        Pull("pop3-5000-rtt", "POP3: first download of 5,000 x 8 KB, 50 ms", small,
                 peers=(Pop3Mailsync, Mpop), rtt_ms=50),
        Case("pop3-idle", "POP3: nothing new, 5,000 left on the server, 50 ms", small,
             peers=PEERS, rtt_ms=50),
    ]
