"""Mail made up from a seed, odd messages among it, and real mail where it is at hand.

The same seed gives the same messages. All are bytes with CRLF line ends, none holds a NUL.
"""

import base64
import hashlib
import os
import random
import re
import time
from typing import NamedTuple, Tuple

from . import tree
from .host import data_dir

# Names that a sync tool has to get right: nested, beyond ASCII, beyond the Basic Multilingual
# Plane, with characters that IMAP quotes or escapes, or that patterns and shells take for theirs.
MAILBOXES = ["INBOX", "Archive", "Work/Projects/2024 Q1", "Work", "Entwürfe", "Été/Été dernier",
             "日本語", "Reisen & Urlaub", "Письма/От друзей", "mail 📧", "a (b) [c]", "it's",
             "INBOX/Child", "back\\slash \"quoted\""]

SYSTEM = {"D": "\\Draft", "F": "\\Flagged", "P": "$Forwarded", "R": "\\Answered", "S": "\\Seen",
          "T": "\\Deleted"}
KEYWORDS = ["$Junk", "NonJunk", "work", "$label1", "todo"]


class Letter(NamedTuple):
    mailbox: str
    wire: bytes
    flags: Tuple[str, ...]     # IMAP flags and keywords
    when: int                  # INTERNALDATE

    @property
    def message(self):
        return tree.Message(tree.flags_of(self.flags), self.when)


def plain(number, rng, size=None):
    """An ordinary message: (header lines, body lines)."""
    ident = f"{number}.{rng.getrandbits(64):x}@example.org"
    when = rng.randrange(946_684_800, 1_735_689_600)
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(when))
    head = [
        f"Return-Path: <bounce-{number}@lists.example>".encode(),
        f"Received: from mx.example ([192.0.2.{number % 250}])\r\n\tby mail.example;"
        f"\r\n\t{date}".encode(),
        b"From: A. N. Other <other@example.org>", b"To: user@example.com",
        f"Subject: message {number} of {rng.randrange(10**6)}".encode(),
        f"Date: {date}".encode(), f"Message-ID: <{ident}>".encode(),
    ]
    if size is None:
        size = min(int(2000 * rng.lognormvariate(0, 1.2)), 200_000)
    return head, text(rng, size)


_TEXT = []


def text(rng, size):
    """Lines of text of about SIZE bytes, cut from a pool that is made once."""
    if not _TEXT:
        pool = random.Random(0)
        letters = "abcdefghijklmnopqrstuvwxyz" * 4 + "äöüßéèñø日本"
        words = ["".join(pool.choices(letters, k=pool.randrange(2, 10))) for _ in range(2000)]
        _TEXT.extend(" ".join(pool.choices(words, k=10)).encode() for _ in range(20_000))
    lines, total = [], 0
    at = rng.randrange(len(_TEXT))
    while total < size:
        lines.append(_TEXT[at % len(_TEXT)])
        total += len(lines[-1]) + 2
        at += 1
    return lines


# Odd messages: each takes and gives back (header lines, body lines).

def no_message_id(rng, head, body):
    return [h for h in head if not h.startswith(b"Message-ID")], body


def same_message_id(rng, head, body):
    head = [h for h in head if not h.startswith(b"Message-ID")]
    return head + [b"Message-ID: <always-the-same@example.org>"], body


def identical(rng, head, body):
    return [b"Subject: identical copies", b"Message-ID: <identical@example.org>"], [b"the same"]


def long_line(rng, head, body):
    return head, body + [b"x" * 70_000]


def long_header(rng, head, body):
    return head + [b"X-Long: " + b"y" * 20_000], body


def raw_header(rng, head, body):
    return [b"Subject: Gr\xfc\xdfe \xd0\x9f"] + [h for h in head if h[:8] != b"Subject:"], body


def folded(rng, head, body):
    return head + [b"X-Folded: one\r\n two\r\n\tthree", b"X-Empty:", b"X-Literal: {42}",
                   b'X-Quote: "a \\"b\\" \\\\"', b"x-tight:no space"], body


def dots_and_froms(rng, head, body):
    return head, [b".", b"..", b".dot", b"From here on", b">From there", b")"] + body


def no_body(rng, head, body):
    return head, []


def bare_cr(rng, head, body):
    return head, [b"a bare \r in a line", b"\r two \r\r of them"] + body


def trailing_space(rng, head, body):
    return head, body + [b"spaces  ", b"\t", b""]


def binary_body(rng, head, body):
    data = base64.encodebytes(rng.randbytes(150_000)).replace(b"\n", b"\r\n")
    return head + [b"Content-Transfer-Encoding: base64"], [data]


def no_date(rng, head, body):
    return [h for h in head if h[:5] not in (b"Date:", b"From:")], body


def eight_bit(rng, head, body):
    return head, [bytes(range(1, 10)) + bytes(range(14, 256))]


def tiny(rng, head, body):
    return [b"Subject: t"], []


def nested(rng, head, body):
    inner = [*head, b"", *body]
    return head + [b"MIME-Version: 1.0", b"Content-Type: message/rfc822"], inner


ODD = [no_message_id, same_message_id, same_message_id, identical, identical, long_line,
       long_header, raw_header, folded, dots_and_froms, no_body, bare_cr, trailing_space,
       binary_body, no_date, eight_bit, tiny, nested]


def joined(head, body):
    return b"\r\n".join([*head, b"", *body]) + b"\r\n"


def one(number=0, seed=0, size=None):
    """One ordinary message as bytes."""
    return joined(*plain(number, random.Random(f"{seed}/{number}"), size))


def no_last_newline(seed=0):
    return one(7, seed).rstrip(b"\r\n") + b" end"


def random_flags(rng):
    flags = [SYSTEM[x] for x, share in
             (("D", .05), ("F", .1), ("R", .2), ("S", .6), ("P", .05)) if rng.random() < share]
    return tuple(flags + [k for k in KEYWORDS if rng.random() < 0.06])


def varied(count, seed=1, mailboxes=None, size=None):
    """COUNT letters over MAILBOXES, every odd kind among the first."""
    rng = random.Random(seed)
    names = mailboxes or MAILBOXES
    letters = []
    for number in range(count):
        parts = plain(number, rng, size)
        wire = joined(*parts)
        if number < len(ODD):
            wire = joined(*ODD[number](rng, *parts))
        elif number == len(ODD):
            wire = no_last_newline(seed)
        when = rng.randrange(946_684_800, 1_735_689_600)
        name = names[number % len(names)] if number < 2 * len(names) else rng.choice(names)
        letters.append(Letter(name, wire, random_flags(rng), when))
    return letters


def real():
    """All real mail below the test data folder as letters in nested mailboxes, or None where
    there is none."""
    data = data_dir()
    if data is None or not (data / "mail").is_dir():
        return None
    names = ["INBOX", "Projekte/Öffentlich", "Projekte/Übrige", "Listen/日本語", "Archive/2024",
             "Письма"]
    letters = []
    for path, folders, files in os.walk(data / "mail"):
        folders.sort()
        for name in sorted(files):
            if name == "MANIFEST.tsv":
                continue
            full = os.path.join(path, name)
            rng = random.Random(full[len(str(data)):])
            with open(full, "rb") as file:
                wire = tree.crlf(file.read())
            folder = os.path.basename(path)
            first = names[int(hashlib.sha256(folder.encode()).hexdigest(), 16) % len(names)]
            if first != "INBOX":
                first += "/" + re.sub("[^A-Za-z0-9]", "-", folder)
            when = rng.randrange(946_684_800, 1_735_689_600)
            letters.append(Letter(first, wire, random_flags(rng), when))
    return letters


def fill(server, letters):
    """Append LETTERS through an Imap session; [(letter, reason)] of those that it refuses."""
    from .imap import Failed

    refused = []
    there = set(server.mailboxes())
    for letter in letters:
        if letter.mailbox not in there:
            try:
                server.create(letter.mailbox)
            except Failed:
                pass             # some servers make parents, so it may be there by now
            there.add(letter.mailbox)
        try:
            server.append(letter.mailbox, letter.wire, letter.flags, letter.when)
        except Failed as error:
            refused.append((letter, str(error)))
    return refused


def pour(server, mailbox, letters, batch=200):
    """Append many letters to one mailbox fast (MULTIAPPEND and LITERAL+) through an Imap session."""
    from .imap import date_text

    sock, file = server.conn.sock, server.conn.file
    out, number = [], 0

    def flush():
        sock.sendall(b"".join(out) + b"\r\n")
        out.clear()
        while True:
            line = file.readline()
            if line.startswith(b"pour "):
                if not line.startswith(b"pour OK"):
                    raise RuntimeError(line.decode(errors="replace"))
                return
            if not line:
                raise RuntimeError("the server closed the connection")

    for letter in letters:
        if number % batch == 0:
            if out:
                flush()
            out.append(b"pour APPEND " + server.wire(mailbox).encode())
        head = f" ({' '.join(letter.flags)}) {date_text(letter.when)} {{{len(letter.wire)}+}}\r\n"
        out.append(head.encode() + letter.wire)
        number += 1
    if out:
        flush()


def write_maildir(root, counts, seed=1, size=8000, owner=None):
    """Fill a Maildir++ tree for a Dovecot with format=maildir fast: {mailbox: number of messages}.
    Mailbox names are ASCII."""
    from . import imap

    for mailbox, count in counts.items():
        folder = root if mailbox == "INBOX" else root / ("." + ".".join(
            imap.to_utf7(part) for part in mailbox.split("/")))
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        rng = random.Random(f"{seed}/{mailbox}")
        for number in range(count):
            wire = joined(*plain(number, rng, size if size is None else int(
                size * rng.uniform(0.7, 1.3)))).replace(b"\r\n", b"\n")
            when = 1_500_000_000 + number
            letters = "S" if number % 4 else ""
            name = f"{when}.{seed}_{number}.rig,S={len(wire)}:2,{letters}"
            path = folder / "cur" / name
            with open(path, "wb") as file:
                file.write(wire)
            os.utime(path, (when, when))
    if owner is not None and os.getuid() == 0:
        for path, _, files in os.walk(root):
            os.chown(path, owner.pw_uid, owner.pw_gid)
            for name in files:
                os.chown(os.path.join(path, name), owner.pw_uid, owner.pw_gid)
