"""An honest IMAP server in memory, made for speed, and the place where its answers can be spoiled.

    mail = Mailstore(prefix="INBOX.", separator=".")
    server = ImapServer(mail, RICH)
    ... mail changes as other clients change it (Hand), server.liar says what of the truth goes out ...

What a command yields is a list of `Say`: each knows what datum it carries, so that whoever spoils it
(imap_lies.py) knows what he touches. Many connections at once; mailboxes under one lock.
"""

import calendar
import imaplib
import itertools
import re
import socket
import threading
import traceback

from rig import tree
from rig.fake import in_set
from rig.imap import date_text, from_utf7, to_utf7

PERMANENT = "\\Answered \\Flagged \\Deleted \\Seen \\Draft"
RICH = ("IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT ENABLE CONDSTORE QRESYNC ESEARCH MOVE "
        "LIST-EXTENDED LIST-STATUS SPECIAL-USE MULTIAPPEND OBJECTID")
VERB = re.compile(rb"(?:UID )?[A-Za-z]+")
TLS_HELLO = b"\x16\x03"
LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r?\n\Z")
STRING = re.compile(r'"((?:\\.|[^"\\])*)"|([^\s()"]+)')


def quoted(name):
    return '"' + re.sub(r'([\\"])', r"\\\1", name) + '"'


def strings(text):
    """The quoted strings and atoms of TEXT outside of parentheses."""
    text = re.sub(r"\([^()]*(?:\([^()]*\)[^()]*)*\)", "", text)
    return [re.sub(r"\\(.)", r"\1", one) if one or not atom else atom
            for one, atom in STRING.findall(text)]


def uid_text(uids):
    """A sequence set."""
    parts, uids = [], sorted(uids)
    for uid in uids:
        if parts and parts[-1][1] == uid - 1:
            parts[-1][1] = uid
        else:
            parts.append([uid, uid])
    return ",".join(f"{a}" if a == b else f"{a}:{b}" for a, b in parts)


class Say:
    """One line: KIND tells what it carries. `items` are the parts that it can lack one by one."""
    __slots__ = ("kind", "text", "items", "number", "mailbox", "role", "status", "code", "uid")

    def __init__(self, kind, text="", **more):
        self.kind, self.text = kind, text
        self.items = self.number = self.mailbox = self.role = self.code = self.uid = None
        self.status = "OK"
        for name, value in more.items():
            setattr(self, name, value)

    def wire(self, tag=None):
        if self.kind == "FETCH":
            return b"* %d FETCH (%s)\r\n" % (self.number,
                                             b" ".join(n + b" " + v for n, v in self.items))
        if self.kind == "STATUS":
            items = " ".join(f"{n} {v}" for n, v in self.items)
            return f"* STATUS {quoted(self.mailbox)} ({items})\r\n".encode()
        if self.kind == "tagged":
            code = f"[{self.code}] " if self.code else ""
            return f"{tag} {self.status} {code}{self.text or 'done'}\r\n".encode()
        return self.text.encode() + b"\r\n"


class Letter:
    __slots__ = ("uid", "wire", "flags", "when", "emailid", "modseq", "digest")

    def __init__(self, uid, wire, flags, when, emailid, modseq):
        self.uid, self.wire, self.flags, self.when = uid, wire, set(flags), when
        self.emailid, self.modseq = emailid, modseq
        self.digest = tree.digest(wire)

    @property
    def header(self):
        return self.wire[:self.wire.index(b"\r\n\r\n") + 4]


class Mailbox:
    def __init__(self, name, uidvalidity, mailboxid):
        self.name, self.uidvalidity, self.mailboxid = name, uidvalidity, mailboxid
        self.letters = {}          # by UID, ascending
        self.uidnext = self.modseq = 1
        self.gone = []             # (UID, MODSEQ)
        self.subscribed = True

    def bump(self):
        self.modseq += 1
        return self.modseq

    def add(self, wire, flags, when, emailid):
        uid = self.uidnext
        self.uidnext += 1
        flags = {f for f in flags if f.lower() != "\\recent"}
        self.letters[uid] = Letter(uid, wire, flags, when, emailid, self.bump())
        return uid

    def remove(self, uid):
        self.gone.append((uid, self.bump()))
        return self.letters.pop(uid)

    def store(self, uid, words, is_add):
        letter = self.letters[uid]
        lower = {w.lower() for w in words}
        kept = {f for f in letter.flags if f.lower() not in lower}
        flags = kept | set(words) if is_add else kept
        if flags != letter.flags:
            letter.flags, letter.modseq = flags, self.bump()


class Mailstore:
    """What the account holds. Names are those of the wire."""

    def __init__(self, prefix="", separator="/"):
        self.prefix, self.separator = prefix, separator
        self.lock = threading.RLock()
        self.serial = itertools.count(1)
        self.mailboxes = {}
        self.create("INBOX")

    def create(self, wire):
        number = 1000 + next(self.serial)
        self.mailboxes[wire] = Mailbox(wire, number, f"F{number}")
        return self.mailboxes[wire]

    def rename(self, old, new):
        for name in list(self.mailboxes):
            if name == old or name.startswith(old + self.separator):
                box = self.mailboxes.pop(name)
                box.name = new + name[len(old):]
                self.mailboxes[box.name] = box

    def emailid(self):
        return f"M{next(self.serial)}"

    def wire(self, mailbox):
        """The wire's name of MAILBOX (UTF-8 with `/`)."""
        text = self.separator.join(to_utf7(part) for part in mailbox.split("/"))
        return text if mailbox == "INBOX" else self.prefix + text

    def canonical(self, wire):
        if wire.upper() == "INBOX":
            return "INBOX"
        wire = wire[len(self.prefix):] if wire.startswith(self.prefix) else wire
        return "/".join(from_utf7(part) for part in wire.split(self.separator))

    def find(self, wire):
        return self.mailboxes.get("INBOX" if wire.upper() == "INBOX" else wire)

    def read(self):
        result = {}
        for box in self.mailboxes.values():
            found = result.setdefault(self.canonical(box.name), {})
            for letter in box.letters.values():
                found.setdefault(letter.digest, []).append(
                    tree.Message(tree.flags_of(letter.flags), letter.when))
        return result


class Hand:
    """Another client of the account, as rig.oracle.RemoteHand wants it."""

    def __init__(self, store):
        self.store_ = store

    def box(self, mailbox):
        return self.store_.find(self.store_.wire(mailbox))

    def mailboxes(self):
        return sorted(self.store_.read())

    def messages(self, mailbox):
        for uid, letter in self.box(mailbox).letters.items():
            yield uid, letter.wire, letter

    def create(self, mailbox):
        self.store_.create(self.store_.wire(mailbox))

    def append(self, mailbox, wire, flags=(), when=0):
        return self.box(mailbox).add(wire, flags, when, self.store_.emailid())

    def expunge(self, mailbox, uid):
        self.box(mailbox).remove(uid)

    def store(self, mailbox, uid, change, flags):
        self.box(mailbox).store(uid, flags.split(), change[0] == "+")

    def move(self, mailbox, uid, target):
        letter = self.box(mailbox).remove(uid)
        self.box(target).add(letter.wire, letter.flags, letter.when, letter.emailid)


class Honest:
    """Says all as it is. `before` may refuse a command: a tagged Say; `spoil` gives the bytes that go
    out, and raises Cut with the last of them to hang up."""

    def connected(self):
        pass

    def before(self, verb, command, conn):
        return None

    def spoil(self, verb, says, tag, conn):
        return b"".join(say.wire(tag) for say in says)


class Cut(Exception):
    """Hang up after these bytes."""

    def __init__(self, data=b""):
        super().__init__()
        self.data = data


class Connection(threading.Thread):
    def __init__(self, server, sock):
        super().__init__(daemon=True)
        self.server, self.sock, self.mail = server, sock, server.mail
        self.box = None
        self.view = []             # the UIDs whose numbers this session knows
        self.qresync = self.condstore = False
        self.inbound, self.out = bytearray(), []

    # The wire

    def run(self):
        liar = self.server.liar
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.mail.lock:
                liar.connected()
                greeting = [Say("CAPABILITY", "* OK [CAPABILITY %s] ready" %
                                self.server.capabilities)]
                self.out.append(liar.spoil("GREETING", greeting, None, self))
            self.flush()
            while self.one_command():
                pass
        except Cut as cut:
            self.out.append(cut.data)
            try:
                self.flush()
            except OSError:
                pass
        except (EOFError, OSError):
            pass
        except Exception:  # our own fault
            self.server.problems.append(traceback.format_exc())
        finally:
            self.sock.close()
            self.server.ended()

    def flush(self):
        if self.out:
            self.sock.sendall(b"".join(self.out))
            self.out.clear()

    def fill(self):
        self.flush()
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.inbound += data

    def line(self):
        while (end := self.inbound.find(b"\n")) < 0:
            self.fill()
        line = bytes(self.inbound[:end + 1])
        del self.inbound[:end + 1]
        return line

    def one_command(self):
        parts = [self.line()]
        if parts[0].startswith(TLS_HELLO):      # a stranger's, of who had this port before
            raise EOFError
        tag, _, rest = parts[0].partition(b" ")
        tag = tag.decode()
        while found := LITERAL.search(parts[-1]):
            verb = VERB.match(rest)[0].decode().upper()
            if not found[2]:
                with self.mail.lock:
                    refusal = self.server.liar.before(verb, rest.decode("latin-1"), self)
                if refusal is not None:
                    self.out.append(refusal.wire(tag))
                    return True
                self.out.append(b"+ go on\r\n")
            size = int(found[1])
            while len(self.inbound) < size:
                self.fill()
            parts.append(bytes(self.inbound[:size]))
            del self.inbound[:size]
            parts.append(self.line())
        return self.carry_out(tag, rest, parts)

    def carry_out(self, tag, rest, parts):
        verb = VERB.match(rest)[0].decode().upper()
        with self.mail.lock:
            texts = [rest.decode("latin-1"), *(p.decode("latin-1") if n % 2 else p
                                               for n, p in enumerate(parts[1:]))]
            texts = [t if isinstance(t, bytes) else t.rstrip("\r\n") for t in texts]
            self.server.received.append(texts[0])
            liar = self.server.liar
            refusal = liar.before(verb, texts[0], self)
            if refusal is not None:
                says = [refusal]
                if verb in ("SELECT", "EXAMINE"):
                    self.box = None
            else:
                says = self.answer(verb, texts)
            self.out.append(liar.spoil(verb, says, tag, self))
        return verb != "LOGOUT"

    # Commands

    def answer(self, verb, texts):
        method = getattr(self, "do_" + verb.replace("UID ", "uid_").lower(), None)
        if method is None:
            return [self.bad("unknown command")]
        if verb.startswith("UID") or verb == "EXPUNGE":
            if self.box is None:
                return [self.bad("no mailbox selected")]
        says = method(texts if verb == "APPEND" else texts[0])
        if self.box is not None and verb not in ("UID FETCH", "UID SEARCH", "UID STORE"):
            says[-1:-1] = self.news()
        return says

    @staticmethod
    def no(code, text="no"):
        return Say("tagged", text, status="NO", code=code)

    @staticmethod
    def bad(text):
        return Say("tagged", text, status="BAD")

    @staticmethod
    def ok(code=None):
        return Say("tagged", code=code)

    def news(self):
        """What others did to the selected mailbox."""
        now = list(self.box.letters)
        if now == self.view:
            return []
        says = self.expunged([uid for uid in self.view if uid not in self.box.letters])
        if now != self.view:
            self.view = now
            says.append(Say("EXISTS", f"* {len(now)} EXISTS"))
        return says

    def expunged(self, uids):
        says = []
        if self.qresync and uids:
            says.append(Say("VANISHED", f"* VANISHED {uid_text(uids)}"))
            self.view = [uid for uid in self.view if uid not in uids]
            return says
        for uid in uids:
            says.append(Say("EXPUNGE", f"* {self.view.index(uid) + 1} EXPUNGE"))
            self.view.remove(uid)
        return says

    def do_capability(self, _):
        return [Say("CAPABILITY", f"* CAPABILITY {self.server.capabilities}"), self.ok()]

    def do_login(self, _):
        return [self.ok(f"CAPABILITY {self.server.capabilities}")]

    do_authenticate = do_login

    def do_noop(self, _):
        return [self.ok()]

    def do_logout(self, _):
        return [Say("BYE", "* BYE see you"), self.ok()]

    def do_enable(self, command):
        self.condstore = True
        self.qresync = self.qresync or "QRESYNC" in command.upper()
        return [Say("ENABLED", "* ENABLED " + command.split(" ", 1)[1]), self.ok()]

    def do_namespace(self, _):
        return [Say("NAMESPACE", f'* NAMESPACE (({quoted(self.mail.prefix)} '
                                 f'"{self.mail.separator}")) NIL NIL'), self.ok()]

    def do_list(self, command):
        says, extended = [], "RETURN" in command
        for box in sorted(self.mail.mailboxes.values(), key=lambda box: box.name):
            marks = "\\Subscribed" if extended and box.subscribed else "\\Marked"
            says.append(Say("LIST", f'* LIST ({marks}) "{self.mail.separator}" {quoted(box.name)}',
                            mailbox=box.name))
            if "STATUS (" in command:
                says.append(self.status(box, command))
        return [*says, self.ok()]

    def do_lsub(self, _):
        return [*(Say("LSUB", f'* LSUB () "{self.mail.separator}" {quoted(box.name)}',
                      mailbox=box.name)
                  for box in self.mail.mailboxes.values() if box.subscribed), self.ok()]

    @staticmethod
    def status(box, command):
        items = [("MESSAGES", len(box.letters)), ("UIDNEXT", box.uidnext),
                 ("UIDVALIDITY", box.uidvalidity), ("HIGHESTMODSEQ", box.modseq),
                 ("MAILBOXID", f"({box.mailboxid})")]
        return Say("STATUS", mailbox=box.name,
                   items=[(name, value) for name, value in items if name in command])

    def do_status(self, command):
        box = self.mail.find(strings(command)[1])
        if box is None:
            return [self.no("NONEXISTENT", "no such mailbox")]
        return [self.status(box, command), self.ok()]

    def do_select(self, command):
        says, box = [], self.mail.find(strings(command)[1])
        if self.box is not None and self.qresync:
            says.append(Say("CLOSED", "* OK [CLOSED] the one before"))
        self.box = box
        if box is None:
            return [*says, self.no("NONEXISTENT", "no such mailbox")]
        self.condstore = self.condstore or "CONDSTORE" in command
        self.view = list(box.letters)
        says += [Say("FLAGS", f"* FLAGS ({PERMANENT})"), Say("EXISTS", f"* {len(self.view)} EXISTS"),
                 Say("UIDVALIDITY", f"* OK [UIDVALIDITY {box.uidvalidity}] ok"),
                 Say("UIDNEXT", f"* OK [UIDNEXT {box.uidnext}] ok"),
                 Say("PERMANENTFLAGS", f"* OK [PERMANENTFLAGS ({PERMANENT} \\*)] ok")]
        if "CONDSTORE" in self.server.capabilities:
            says.append(Say("HIGHESTMODSEQ", f"* OK [HIGHESTMODSEQ {box.modseq}] ok"))
        if "OBJECTID" in self.server.capabilities:
            says.append(Say("MAILBOXID", f"* OK [MAILBOXID ({box.mailboxid})] ok"))
        found = re.search(r"QRESYNC \((\d+) (\d+)", command)
        if found and self.qresync and int(found[1]) == box.uidvalidity:
            says += self.changes_since(int(found[2]))
        access = "READ-ONLY" if command.upper().startswith("EXAMINE") else "READ-WRITE"
        return [*says, self.ok(access)]

    do_examine = do_select

    def changes_since(self, modseq):
        gone = [uid for uid, when in self.box.gone if when > modseq]
        says = [Say("VANISHED", f"* VANISHED (EARLIER) {uid_text(gone)}")] if gone else []
        for uid, letter in self.box.letters.items():
            if letter.modseq > modseq:
                says.append(self.fetched(uid, "FLAGS MODSEQ", "delta"))
        return says

    def do_unselect(self, _):
        self.box = None
        return [self.ok()]

    def fetched(self, uid, wanted, role):
        letter = self.box.letters[uid]
        items = [(b"UID", b"%d" % uid)]
        if "FLAGS" in wanted:
            items.append((b"FLAGS", f"({' '.join(sorted(letter.flags))})".encode()))
        if "INTERNALDATE" in wanted:
            items.append((b"INTERNALDATE", date_text(letter.when).encode()))
        if "RFC822.SIZE" in wanted:
            items.append((b"RFC822.SIZE", b"%d" % len(letter.wire)))
        if "EMAILID" in wanted:
            items.append((b"EMAILID", f"({letter.emailid})".encode()))
        if "MODSEQ" in wanted:
            items.append((b"MODSEQ", b"(%d)" % letter.modseq))
        if "HEADER]" in wanted:
            items.append((b"BODY[HEADER]", b"{%d}\r\n%s" % (len(letter.header), letter.header)))
        elif "BODY.PEEK[]" in wanted:
            items.append((b"BODY[]", b"{%d}\r\n%s" % (len(letter.wire), letter.wire)))
        return Say("FETCH", items=items, number=self.view.index(uid) + 1, role=role, uid=uid)

    def do_uid_fetch(self, command):
        _, _, uids, wanted = command.split(" ", 3)
        uids = [uid for uid in in_set(uids, self.view) if uid in self.box.letters]
        role = "body" if "BODY" in wanted else "list"
        if found := re.search(r"CHANGEDSINCE (\d+)", wanted):
            uids = [uid for uid in uids if self.box.letters[uid].modseq > int(found[1])]
            wanted, role = wanted + " MODSEQ", "delta"
        says = [self.fetched(uid, wanted, role) for uid in uids]
        if found and "VANISHED" in wanted:
            gone = [uid for uid, when in self.box.gone if when > int(found[1])]
            says[:0] = [Say("VANISHED", f"* VANISHED (EARLIER) {uid_text(gone)}")] if gone else []
        return [*says, self.ok()]

    def do_uid_search(self, command):
        uids = [uid for uid in self.view if uid in self.box.letters and
                ("DELETED" not in command or "\\Deleted" in self.box.letters[uid].flags)]
        role = "marked" if "DELETED" in command else "all"
        if "RETURN" in command:
            text = f" ALL {uid_text(uids)}" if uids else ""
            return [Say("ESEARCH", f'* ESEARCH (TAG "@") UID{text}', role=role), self.ok()]
        return [Say("SEARCH", " ".join(["* SEARCH", *map(str, uids)]), role=role), self.ok()]

    def do_uid_store(self, command):
        found = re.match(r"UID STORE (\S+) ([+-])FLAGS\S* \((.*)\)", command, re.I)
        says = []
        for uid in in_set(found[1], self.view):
            if uid in self.box.letters:
                self.box.store(uid, found[3].split(), found[2] == "+")
                if self.condstore:
                    says.append(self.fetched(uid, "MODSEQ", "stored"))
        return [*says, self.ok()]

    def do_uid_expunge(self, command):
        words = command.split()
        uids = in_set(words[2], self.view) if len(words) > 2 else list(self.view)
        gone = [uid for uid in uids if uid in self.box.letters and
                "\\Deleted" in self.box.letters[uid].flags]
        for uid in gone:
            self.box.remove(uid)
        code = f"HIGHESTMODSEQ {self.box.modseq}" if self.condstore else None
        return [*self.expunged(gone), self.ok(code)]

    def do_expunge(self, _):
        return self.do_uid_expunge("UID EXPUNGE")

    def copied(self, command, part=None):
        """(UIDs, their copies' UIDs, the target)"""
        target = self.mail.find(strings(command)[3])
        if target is None:
            return None, None, None
        uids = [uid for uid in in_set(command.split()[2], self.view) if uid in self.box.letters]
        uids = uids[:part]
        made = []
        for uid in uids:
            letter = self.box.letters[uid]
            made.append(target.add(letter.wire, letter.flags, letter.when, letter.emailid))
        return uids, made, target

    def copyuid(self, uids, made, target):
        if not uids or "UIDPLUS" not in self.server.capabilities:
            return None
        return f"COPYUID {target.uidvalidity} {uid_text(uids)} {uid_text(made)}"

    def do_uid_copy(self, command):
        uids, made, target = self.copied(command)
        if target is None:
            return [self.no("TRYCREATE", "no such mailbox")]
        return [self.ok(self.copyuid(uids, made, target))]

    def do_uid_move(self, command, part=None):
        uids, made, target = self.copied(command, part)
        if target is None:
            return [self.no("TRYCREATE", "no such mailbox")]
        says, code = [], self.copyuid(uids, made, target)
        if code:
            says.append(Say("COPYUID", f"* OK [{code}] moved"))
        for uid in uids:
            self.box.remove(uid)
        return [*says, *self.expunged(uids), self.ok()]

    def do_append(self, texts):
        box = self.mail.find(strings(texts[0])[1])
        if box is None:
            return [self.no("TRYCREATE", "no such mailbox")]
        made = []
        for head, wire in zip(texts[::2], texts[1::2]):
            flags = re.search(r"\(([^()]*)\)", head[head.rindex(" ("):])[1].split()
            made.append(box.add(wire, flags, self.date(head), self.mail.emailid()))
        if "UIDPLUS" not in self.server.capabilities:
            return [self.ok()]
        return [self.ok(f"APPENDUID {box.uidvalidity} {uid_text(made)}")]

    @staticmethod
    def date(head):
        found = re.search(r'"([ \d]\d-\w{3}-\d{4} \d\d:\d\d:\d\d \+0000)"', head)
        parts = re.match(r" ?(\d+)-(\w+)-(\d+) (\d+):(\d+):(\d+)", found[1])
        month = imaplib.Mon2num[parts[2].capitalize().encode()]
        return calendar.timegm((int(parts[3]), month, int(parts[1]), *map(int, parts.group(4, 5, 6)),
                                0, 0, 0))

    def do_create(self, command):
        name = strings(command)[1]
        if self.mail.find(name) is not None:
            return [self.no("ALREADYEXISTS", "it is there")]
        self.mail.create(name)
        return [self.ok()]

    def do_delete(self, command):
        name = strings(command)[1]
        if self.mail.mailboxes.pop(name, None) is None:
            return [self.no("NONEXISTENT", "no such mailbox")]
        return [self.ok()]

    def do_rename(self, command):
        old, new = strings(command)[1:3]
        if self.mail.find(old) is None or self.mail.find(new) is not None:
            return [self.no("NONEXISTENT" if self.mail.find(old) is None else "ALREADYEXISTS")]
        self.mail.rename(old, new)
        return [self.ok()]

    def do_subscribe(self, command):
        box = self.mail.find(strings(command)[1])
        if box is not None:
            box.subscribed = not command.upper().startswith("UN")
        return [self.ok()]

    do_unsubscribe = do_subscribe


class ImapServer:
    """Serves `mail` on `port` until stop(); `liar` may be set between runs."""

    def __init__(self, mail, capabilities=RICH):
        self.mail, self.capabilities = mail, capabilities
        self.liar = Honest()
        self.received, self.problems = [], []
        self.open, self.quiet = 0, threading.Condition()
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            with self.quiet:
                self.open += 1
            Connection(self, sock).start()

    def ended(self):
        with self.quiet:
            self.open -= 1
            self.quiet.notify_all()

    def wait(self):
        """Until all that was sent has been worked off."""
        with self.quiet:
            assert self.quiet.wait_for(lambda: self.open == 0, 20), "a session does not end"
        assert not self.problems, self.problems

    def stop(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
