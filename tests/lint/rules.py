"""Every rule has a number: it stands in its header, in docs/RULES.md, and in a test."""

import glob
import os
import re

import house

HEADERS = "src/sync/rules/*.h"
DOCUMENT = "docs/RULES.md"
TESTS = ("tests/plan/*", "tests/unit/*", "tests/scripted/*")

# Families that lack lines or tests yet. One that has them all is struck from here.
OWED = ()

# In a header a rule begins a line of the comment: " *   R1  carries ..."; "R1 to R5", "R3, R4".
RULE = re.compile(r"^ \*\s+([A-Z]\d+(?:(?: to |, )[A-Z]\d+)*)(?=\s)")
# Tests cite them in words and in names of functions: D4_a_file_without_a_row_is_new.
NUMBERS = re.compile(r"(?<![A-Za-z0-9])([A-Z])(\d+)(?: to \1(\d+))?(?![A-Za-z0-9])")


def numbers_in(text):
    """All numbers of TEXT, ranges filled up."""
    found = set()
    for letter, first, last in NUMBERS.findall(text):
        for number in range(int(first), int(last or first) + 1):
            found.add(f"{letter}{number}")
    return found


def read(path):
    """The text of a file of the project."""
    with open(os.path.join(house.ROOT, path), encoding="utf-8", errors="replace") as stream:
        return stream.read()


def rules_of(path):
    """The numbers that a header lists, each with its line."""
    rules = {}
    for line, text in enumerate(read(path).split("\n"), 1):
        match = RULE.match(text)
        for number in sorted(numbers_in(match.group(1))) if match else []:
            rules.setdefault(number, line)
    return rules


def documented():
    """The numbers in the first column of the tables."""
    rows = [line.split("|")[1] for line in read(DOCUMENT).split("\n") if line.startswith("| ")]
    return numbers_in("\n".join(rows))


def tested():
    """The numbers that tests and their cases cite."""
    paths = [path for pattern in TESTS for path in glob.glob(os.path.join(house.ROOT, pattern))]
    return numbers_in("\n".join(read(path) for path in paths if os.path.isfile(path)))


def check(found):
    """No rule without a line that says what it guards against, none without a test, and no line
    about a rule that there is not."""
    told, cited = documented(), tested()
    known = set()
    for path in sorted(glob.glob(os.path.join(house.ROOT, HEADERS))):
        path = os.path.relpath(path, house.ROOT)
        for number, line in rules_of(path).items():
            known.add(number)
            if number[0] in OWED:
                continue
            if number not in told:
                found.add(path, line, f"{number} has no line in {DOCUMENT}")
            if number not in cited:
                found.add(path, line, f"no test cites {number}")
    for number in sorted(told - known):
        found.add(DOCUMENT, 1, f"{number} is no rule of {HEADERS}")
