"""Reads, and changes as another client would, an account over IMAP, by Python's imaplib."""

import base64
import imaplib
import re
import ssl
import time

from . import tree
from .host import PASSWORD

imaplib._MAXLINE = 50_000_000
DATE = '%d-%b-%Y %H:%M:%S'


def to_utf7(text):
    def shift(match):
        raw = match[0].encode("utf-16-be")
        return "&" + base64.b64encode(raw).decode().rstrip("=").replace("/", ",") + "-"

    return re.sub(r"[^\x20-\x7e]+", shift, text.replace("&", "&-"))


def from_utf7(text):
    def shift(match):
        if not match[1]:
            return "&"
        raw = match[1].replace(",", "/")
        return base64.b64decode(raw + "=" * (-len(raw) % 4)).decode("utf-16-be")

    return re.sub("&([^-]*)-", shift, text)


def date_text(when):
    return f'"{time.strftime(DATE, time.gmtime(when))} +0000"'


class Failed(Exception):
    """The server said NO or BAD."""


class Imap:
    """A session. Mailbox names are UTF-8 with `/`, without the namespace's prefix."""

    def __init__(self, port, user, password=PASSWORD, ca=None, host="localhost"):
        if ca is None:
            self.conn = imaplib.IMAP4("127.0.0.1", port)
        else:
            context = ssl.create_default_context(cafile=str(ca))
            self.conn = imaplib.IMAP4_SSL(host, port, ssl_context=context)
        self.conn.login(user, password)
        self.capabilities = self.conn.capability()[1][0].decode().upper().split()
        reply = self.conn.namespace()[1][0].decode()
        found = re.match(r'\(\("([^"]*)" "(.)"', reply)
        self.prefix, self.separator = (found[1], found[2]) if found else ("", "/")
        self.selected = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.conn.logout()
        except (OSError, imaplib.IMAP4.error):
            pass

    def run(self, answer):
        if answer[0] != "OK":
            raise Failed(answer[1])
        return answer[1]

    # Names

    def wire(self, mailbox):
        text = self.separator.join(to_utf7(part) for part in mailbox.split("/"))
        if mailbox.split("/")[0] != "INBOX":
            text = self.prefix + text
        elif mailbox != "INBOX" and self.prefix:
            text = self.prefix + text
        return '"' + re.sub(r'([\\"])', r"\\\1", text) + '"'

    def canonical(self, wire):
        if wire.upper() == "INBOX":
            return "INBOX"
        if self.prefix and wire.startswith(self.prefix):
            wire = wire[len(self.prefix):]
        return "/".join(from_utf7(part) for part in wire.split(self.separator))

    def listing(self, command="LIST"):
        """[(name, attributes)] of all mailboxes; \\Noselect ones too."""
        found = []
        kind, data = (self.conn.list if command == "LIST" else self.conn.lsub)('""', '"*"')
        for item in self.run((kind, data)):
            if item is None:
                continue
            if isinstance(item, tuple):
                head, name = item[0].decode(), item[1].decode()
                attributes = re.match(r"\(([^)]*)\)", head)[1]
            elif not item:
                continue
            else:
                parts = re.match(r'\(([^)]*)\) (?:"(?:\\.|[^"])*"|NIL) (.*)', item.decode())
                attributes, name = parts[1], parts[2]
                if name.startswith('"'):
                    name = re.sub(r"\\(.)", r"\1", name[1:-1])
            found.append((self.canonical(name), attributes.lower().split()))
        return found

    def mailboxes(self):
        return sorted(name for name, attributes in self.listing()
                      if "\\noselect" not in attributes and "\\nonexistent" not in attributes)

    # Reading

    def select(self, mailbox, readonly=False):
        reply = self.run(self.conn.select(self.wire(mailbox), readonly))
        self.selected = mailbox
        return int(reply[0])

    def uids(self, mailbox):
        self.select(mailbox)
        return [int(uid) for uid in self.run(self.conn.uid("SEARCH", "ALL"))[0].split()]

    def messages(self, mailbox):
        """Yield (uid, wire bytes, Message). What the server cannot serve is left out."""
        if self.select(mailbox, readonly=True) == 0:
            return
        answer = self.conn.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")
        parts = answer[1]
        for number, part in enumerate(parts):
            if not isinstance(part, tuple):
                continue
            after = parts[number + 1] if number + 1 < len(parts) else b""
            head = part[0] + (after if isinstance(after, bytes) else b"")
            flags = re.search(rb"FLAGS \(([^)]*)\)", head)[1].decode().split()
            when = imaplib.Internaldate2tuple(re.search(rb'INTERNALDATE "[^"]*"', head)[0])
            uid = int(re.search(rb"UID (\d+)", head)[1])
            yield uid, part[1], tree.Message(tree.flags_of(flags), int(time.mktime(when)))

    def read(self, mailboxes=None):
        result = {}
        for mailbox in mailboxes if mailboxes is not None else self.mailboxes():
            result[mailbox] = {}
            for _, wire, message in self.messages(mailbox):
                tree.add(result, mailbox, tree.digest(wire), message)
        return result

    def status(self, mailbox, items="UIDNEXT UIDVALIDITY MESSAGES HIGHESTMODSEQ"):
        reply = self.run(self.conn.status(self.wire(mailbox), f"({items})"))
        text = b"".join(p if isinstance(p, bytes) else b"".join(p) for p in reply).decode()
        return {k: int(v) for k, v in re.findall(r"([A-Z]+) (\d+)", text.rpartition("(")[2])}

    def numbers(self):
        """STATUS of every mailbox: unchanged numbers mean that nobody touched anything."""
        return {name: self.status(name) for name in self.mailboxes()}

    # Changing

    def create(self, mailbox):
        self.run(self.conn.create(self.wire(mailbox)))

    def delete_mailbox(self, mailbox):
        self.run(self.conn.delete(self.wire(mailbox)))

    def rename(self, old, new):
        self.run(self.conn.rename(self.wire(old), self.wire(new)))

    def subscribe(self, mailbox):
        self.run(self.conn.subscribe(self.wire(mailbox)))

    def append(self, mailbox, data, flags=(), when=None):
        """DATA with CRLF line ends. Its UID, where the server says so."""
        marks = "(" + " ".join(flags) + ")" if flags else None
        date = date_text(when) if when is not None else None
        tag = self.conn._new_tag()
        size = len(data)
        plus = "+" if "LITERAL+" in self.capabilities else ""
        words = [w for w in (marks, date) if w]
        line = " ".join(["APPEND", self.wire(mailbox), *words, "{%d%s}" % (size, plus)])
        self.conn.send(tag + b" " + line.encode() + b"\r\n")
        if not plus:
            while self.conn._get_response():
                if self.conn.tagged_commands.get(tag):
                    raise Failed(self.conn.tagged_commands.pop(tag))
        self.conn.send(data + b"\r\n")
        kind, reply = self.conn._command_complete("APPEND", tag)
        found = re.search(rb"APPENDUID \d+ (\d+)", self.run((kind, reply))[0])
        return int(found[1]) if found else None

    def store(self, mailbox, uid, change, flags):
        """CHANGE is "+FLAGS", "-FLAGS" or "FLAGS"."""
        if self.selected != mailbox or self.conn.state != "SELECTED" or self.conn.is_readonly:
            self.select(mailbox)
        self.run(self.conn.uid("STORE", str(uid), change, f"({flags})"))

    def expunge(self, mailbox, uid):
        self.store(mailbox, uid, "+FLAGS.SILENT", "\\Deleted")
        self.run(self.conn.uid("EXPUNGE", str(uid)))

    def move(self, mailbox, uid, target):
        if "MOVE" not in self.capabilities:
            self.copy(mailbox, uid, target)
            self.expunge(mailbox, uid)
            return
        self.select(mailbox)
        self.run(self.conn.uid("MOVE", str(uid), self.wire(target)))

    def copy(self, mailbox, uid, target):
        self.select(mailbox)
        self.run(self.conn.uid("COPY", str(uid), self.wire(target)))

    def find(self, mailbox, data):
        """The UID of the message that is DATA."""
        for uid, wire, _ in self.messages(mailbox):
            if wire == data:
                return uid
        raise LookupError(f"no such message in {mailbox}")

    def flags(self, mailbox, uid):
        for found, _, message in self.messages(mailbox):
            if found == uid:
                return message.flags
        raise LookupError(f"no UID {uid} in {mailbox}")
