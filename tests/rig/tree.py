"""The common form in which both sides are read, and their comparison.

A tree is {mailbox name: {digest: [Message, ...]}}: the digest is the SHA-256 of the message with
CRLF line ends, the list holds one entry for each copy. Nothing here knows of mailsync.
"""

import hashlib
import re
from typing import FrozenSet, NamedTuple

LETTERS = {"\\draft": "D", "\\flagged": "F", "$forwarded": "P", "\\answered": "R",
           "\\seen": "S", "\\deleted": "T"}


class Message(NamedTuple):
    flags: FrozenSet[str]      # letters DFPRST, and keywords in lower case
    time: int                  # INTERNALDATE or mtime, seconds since 1970

    def __str__(self):
        return f"[{' '.join(sorted(self.flags))}] at {self.time}"


def crlf(data):
    """LF made CRLF, unless it is one already."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", data)


def digest(wire):
    return hashlib.sha256(wire).hexdigest()


def flags_of(names):
    """Maildir letters and lower-case keywords of IMAP flags."""
    names = {name.lower() for name in names} - {"\\recent"}
    return frozenset(LETTERS.get(name, name) for name in names)


def add(tree, mailbox, key, message):
    tree.setdefault(mailbox, {}).setdefault(key, []).append(message)


def differences(local, remote, times=True):
    """One readable line for each difference between two trees; empty when they are equal."""
    lines = []
    for mailbox in sorted(set(local) | set(remote)):
        if mailbox not in remote:
            lines.append(f"{mailbox}: only local, {len(local[mailbox])} messages")
            continue
        if mailbox not in local:
            lines.append(f"{mailbox}: only remote, {len(remote[mailbox])} messages")
            continue
        here, there = local[mailbox], remote[mailbox]
        for key in sorted(set(here) | set(there)):
            ours = sorted(strip(m, times) for m in here.get(key, []))
            theirs = sorted(strip(m, times) for m in there.get(key, []))
            if ours != theirs:
                lines.append(f"{mailbox}: {key[:12]}: local {said(ours)}, remote {said(theirs)}")
    return lines


def strip(message, times):
    return (sorted(message.flags), message.time if times else 0)


def said(copies):
    return ", ".join(f"[{' '.join(flags)}]@{when}" for flags, when in copies) or "none"


def count(tree):
    return sum(len(copies) for box in tree.values() for copies in box.values())
