"""Reads, and changes as a MUA would, a tree of Maildirs, by plain directory walks."""

import itertools
import os
import pathlib
import shutil
import socket
import time

from . import tree

_serial = itertools.count(1)


class Maildir:
    """A Maildir tree at ROOT; layout "fs" or "maildir++"."""

    def __init__(self, root, layout="fs", inbox="INBOX", delimiter=":"):
        self.root = pathlib.Path(root)
        self.layout = layout
        self.inbox = inbox
        self.delimiter = delimiter

    # Names

    def folder(self, mailbox):
        if self.layout == "fs":
            return self.root / (self.inbox if mailbox == "INBOX" else mailbox)
        return self.root if mailbox == "INBOX" else self.root / ("." + mailbox.replace("/", "."))

    def mailboxes(self):
        if not self.root.is_dir():
            return []
        if self.layout == "fs":
            found = []
            for path, folders, _ in os.walk(self.root):
                if "cur" in folders:
                    name = os.path.relpath(path, self.root)
                    found.append("INBOX" if name == self.inbox else name)
                folders[:] = [f for f in folders if f not in ("cur", "new", "tmp")]
            return sorted(found)
        names = ["INBOX"] if (self.root / "cur").is_dir() else []
        for path in self.root.iterdir():
            if path.name.startswith(".") and (path / "cur").is_dir():
                names.append(path.name[1:].replace(".", "/"))
        return sorted(names)

    # Reading

    def keyword_table(self, mailbox):
        try:
            text = (self.folder(mailbox) / "dovecot-keywords").read_text()
        except FileNotFoundError:
            return {}
        rows = (line.split(" ", 1) for line in text.splitlines())
        return {chr(ord("a") + int(number)): name for number, name in rows}

    def files(self, mailbox):
        """Paths of the messages, in no special order."""
        for part in ("new", "cur"):
            folder = self.folder(mailbox) / part
            if folder.is_dir():
                yield from (p for p in folder.iterdir() if not p.name.startswith("."))

    def flags(self, path, table=None):
        letters = path.name.rpartition(self.delimiter + "2,")[2]
        if letters == path.name:
            letters = ""
        table = table or {}
        return frozenset(table.get(x, x).lower() if x.islower() else x for x in letters)

    def read(self):
        result = {}
        for mailbox in self.mailboxes():
            result[mailbox] = {}
            table = self.keyword_table(mailbox)
            for path in self.files(mailbox):
                wire = tree.crlf(path.read_bytes())
                when = int(path.stat().st_mtime)
                tree.add(result, mailbox, tree.digest(wire),
                         tree.Message(self.flags(path, table), when))
        return result

    def snapshot(self):
        """Everything that a run without work must leave as it was: names, inodes, times."""
        out = {}
        for path, folders, files in os.walk(self.root):
            for name in [".", *files]:
                full = os.path.normpath(os.path.join(path, name))
                stat = os.stat(full)
                out[full] = (stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns)
        return out

    def find(self, mailbox, data):
        """The file whose content, with CRLF line ends, is DATA's."""
        wanted = tree.crlf(data)
        for path in self.files(mailbox):
            if tree.crlf(path.read_bytes()) == wanted:
                return path
        raise LookupError(f"no such message in {mailbox}")

    # Changing

    def create(self, mailbox):
        for part in ("cur", "new", "tmp"):
            (self.folder(mailbox) / part).mkdir(parents=True, exist_ok=True)
        if self.layout != "fs" and mailbox != "INBOX":
            (self.folder(mailbox) / "maildirfolder").touch()

    def remove(self, mailbox):
        for part in ("cur", "new", "tmp"):
            shutil.rmtree(self.folder(mailbox) / part)
        for path in self.folder(mailbox).iterdir():
            if path.is_file():
                path.unlink()
        if not any(self.folder(mailbox).iterdir()):
            self.folder(mailbox).rmdir()

    def deliver(self, mailbox, data, flags="", when=None):
        """Put a message there as an MDA or MUA does; DATA with any line ends."""
        unique = f"{int(time.time())}.M{next(_serial)}P{os.getpid()}.{socket.gethostname()}"
        temporary = self.folder(mailbox) / "tmp" / unique
        temporary.write_bytes(data)
        if when is not None:
            os.utime(temporary, (when, when))
        info = self.delimiter + "2," + "".join(sorted(flags))
        target = "cur/" + unique + info if flags else "new/" + unique
        path = self.folder(mailbox) / target
        temporary.rename(path)
        return path

    def set_flags(self, path, add="", remove=""):
        """Rename PATH as a MUA would. Letters only; keywords by set_keyword."""
        base, mark, letters = path.name.rpartition(self.delimiter + "2,")
        if not mark:
            base, letters = path.name, ""
        letters = "".join(sorted((set(letters) | set(add)) - set(remove)))
        new = path.parent.parent / "cur" / f"{base}{self.delimiter}2,{letters}"
        path.rename(new)
        return new

    def keyword_letter(self, mailbox, keyword):
        """The letter of KEYWORD in the table of that folder, allotted where it has none."""
        table = self.keyword_table(mailbox)
        for letter, name in table.items():
            if name.lower() == keyword.lower():
                return letter
        number = max((ord(x) - ord("a") + 1 for x in table), default=0)
        table[chr(ord("a") + number)] = keyword
        path = self.folder(mailbox) / "dovecot-keywords"
        temporary = path.with_name("dovecot-keywords.new")
        temporary.write_text("".join(f"{ord(x) - ord('a')} {name}\n"
                                     for x, name in sorted(table.items())))
        temporary.rename(path)
        return chr(ord("a") + number)

    def move(self, path, mailbox):
        """Into another mailbox, keeping the name, as mutt and mv do."""
        self.create(mailbox)
        target = self.folder(mailbox) / path.parent.name / path.name
        path.rename(target)
        return target
