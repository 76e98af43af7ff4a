"""Documents name only what is there: files, folders, functions and fields, settings. Comments name
only files that are there."""

import fnmatch
import glob
import os
import re
import subprocess

import house

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/*.md")
# These name settings of other programs as well, which tests that run those programs hold true.
OF_OTHERS = ("docs/NEIGHBOURS.md", "docs/MIGRATING.md")
SOURCES = ("src/*", "include/*", "tests/*", "Makefile")

# What is checked: `quoted` pieces, and all of an indented line, which is a picture or an example.
QUOTED = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)#:]+)\)")
# A file by its ending, or a path that begins in a folder of the project.
FILE = re.compile(r"[\w*][\w*/.-]*\.(?:c|h|py|case)")
INSIDE = re.compile(r"(?:src|include|tests|docs|examples)/[\w*/.-]*")
# state_begin, leave_on_server.
NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
# The system's headers that comments name.
SYSTEM = {"sysexits.h", "linux/fs.h"}
# NAME in src/proto/sasl_NAME.c stands for any.
ANY = re.compile(r"[A-Z]{3,}")


def committed():
    """The files of the project that are there, and their folders."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=house.ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    paths = set()
    for path in listed.stdout.decode().split("\0"):
        if path and os.path.isfile(os.path.join(house.ROOT, path)):
            while path:
                paths.add(path)
                path = os.path.dirname(path)
    return paths


def read(path):
    with open(os.path.join(house.ROOT, path), encoding="utf-8") as stream:
        return stream.read()


def is_there(word, paths):
    """Whether WORD is a path, or the end of one (conf_rules.c, store/remote.h)."""
    word = word.rstrip("/")
    if word in paths:
        return True
    pattern = ANY.sub("*", word)
    if INSIDE.match(word):
        return any(fnmatch.fnmatchcase(path, pattern) for path in paths)
    return any(fnmatch.fnmatchcase("/" + path, "*/" + pattern) for path in paths)


def words_of(paths):
    """All words of the sources."""
    words = set()
    for path in paths:
        if any(fnmatch.fnmatchcase(path, pattern) for pattern in SOURCES):
            if os.path.isfile(os.path.join(house.ROOT, path)):
                with open(os.path.join(house.ROOT, path), "rb") as stream:
                    words.update(re.findall(r"\w+", stream.read().decode("utf-8", "replace")))
    return words


def check_words(piece, paths, words):
    """What PIECE names that is not there; settings are left out where WORDS is None."""
    for word in re.findall(r"[^\s,;:()|=<>\"]+", piece):
        word = word.rstrip(".")
        if FILE.fullmatch(word) or INSIDE.fullmatch(word):
            if not is_there(word, paths):
                yield f"there is no {word}"
        elif words is not None and NAME.fullmatch(word) and word not in words:
            yield f"nothing is called {word}"


def check_document(path, paths, words, found):
    """One document."""
    text = read(path)
    pieces = [*re.finditer(r"^ {4}(.*)$", text, re.MULTILINE), *QUOTED.finditer(text)]
    if path in OF_OTHERS:
        words = None
    for piece in pieces:
        for what in check_words(piece.group(1), paths, words):
            found.add(path, text.count("\n", 0, piece.start()) + 1, what)
    for link in LINK.finditer(text):
        target = os.path.normpath(os.path.join(os.path.dirname(path), link.group(1)))
        if target not in paths:
            found.add(path, text.count("\n", 0, link.start()) + 1, f"there is no {target}")


def check_comments(path, paths, found):
    """The comments of one C file."""
    text = read(path)
    for comment in re.finditer(r"/\*.*?\*/", text, re.DOTALL):
        for word in re.finditer(FILE.pattern + r"\b", comment.group(0)):
            if word.group(0) not in SYSTEM and not is_there(word.group(0), paths):
                line = text.count("\n", 0, comment.start() + word.start()) + 1
                found.add(path, line, f"there is no {word.group(0)}")


def messages(paths):
    """What the program can say: all texts of the sources, those of several lines put together."""
    texts = []
    for path in paths:
        if re.fullmatch(r"src/.*\.[ch]", path):
            texts.append(re.sub(r'"\s*\n\s*"', "", read(path)).replace('\\"', '"'))
    return "\n".join(texts)


def check_messages(path, paths, found):
    """What a document says that the program says: in the first column of a table whose head is "it
    says", and behind "says". "..." stands for what is put in there. AADSTS numbers likewise."""
    lines = read(path).split("\n")
    said = messages(paths)
    is_table = False
    for number, line in enumerate(lines, 1):
        is_table = line.startswith("| it says |") or (is_table and line.startswith("|"))
        cell = line.split("|")[1] if is_table else ""
        for code in re.findall(r"\b\d{5,}\b", cell.replace("AADSTS", " ")):
            if f'"{code}"' not in said:
                found.add(path, number, f"no message is for AADSTS{code}")
        for quoted in re.findall(r'"([^"]+)"', cell) + re.findall(r'\bsays "([^"]+)"', line):
            for words in filter(None, map(str.strip, quoted.split("…"))):
                if words not in said:
                    found.add(path, number, f'no message says "{words}"')


def check_events(paths, found):
    """Each event of --json stands in one page of the manual, and in the table of docs/USAGE.md."""
    usage = read("docs/USAGE.md")
    pages = [read(path) for path in paths if fnmatch.fnmatchcase(path, "docs/*.1")]
    sources = "".join(read(path) for path in paths if fnmatch.fnmatchcase(path, "src/cli/*.c"))
    for event in sorted(set(re.findall(r'\bevent_begin\([^,]*, "(\w+)"\)', sources))):
        entry = re.compile(rf"^\.SH JSON\n(?:(?!\.SH).*\n)*?\.TP\n\.B {event}\n", re.MULTILINE)
        count = sum(entry.search(page) is not None for page in pages)
        if count != 1:
            found.add("docs/mailsync.1", 1, f"{count} pages of the manual tell of the event {event}")
        if f"\n| `{event}` |" not in usage:
            found.add("docs/USAGE.md", 1, f"the event {event} is not told")


def check(found):
    """All documents, and the comments of all C files."""
    paths = committed()
    check_messages("docs/SIGNING-IN.md", paths, found)
    check_events(paths, found)
    words = words_of(paths)
    for pattern in DOCUMENTS:
        for path in sorted(glob.glob(os.path.join(house.ROOT, pattern))):
            check_document(os.path.relpath(path, house.ROOT), paths, words, found)
    for path in sorted(paths):
        if re.fullmatch(r"(?:src|include|tests)/.*\.[ch]", path):
            check_comments(path, paths, found)
