"""Reads the tables of docs/RELIABILITY.md that say what becomes of what a server does not tell.

A row: what is told (`datum`), by which server (`kind`, several by commas), and a cell for each of HOWS. A
cell is `-` where nothing can be so, else `STATUS EXTENT`, and for single ways of telling it `; WAY: STATUS
EXTENT`.
"""

import pathlib
import re
from typing import NamedTuple

HOWS = ("absent", "unreadable", "nil", "refused", "OK without it")
HEADINGS = ["datum", "server", "absent", "unreadable", "NIL or empty", "refused", "OK without it"]
EXTENTS = ("all", "rest", "some", "none")
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "RELIABILITY.md"
OUTCOME = re.compile(r"(\d+) (%s)( named)?" % "|".join(EXTENTS))


class Row(NamedTuple):
    protocol: str
    datum: str
    kinds: tuple
    cells: dict         # how: {way or None: outcome}; of `-` nothing


def outcomes(text):
    """{None: the outcome, way: another one}"""
    found = {}
    for part in text.split(";"):
        way, colon, outcome = part.strip().rpartition(": ")
        if not OUTCOME.fullmatch(outcome):
            raise ValueError(f"{outcome!r} is no outcome")
        found[way if colon else None] = outcome
    return found


def rows(text=None):
    """All rows of all tables; ValueError where one is not as it should be."""
    text = PAGE.read_text(encoding="utf-8") if text is None else text
    found, protocol = [], None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[1:] == HEADINGS[1:]:
            protocol = cells[0].split()[0]
        elif not line.startswith("|"):
            protocol = None
        elif protocol is not None and not line.startswith("|--"):
            datum, kinds, *texts = cells
            if len(texts) != len(HOWS):
                raise ValueError(f"{datum}: {len(texts)} cells")
            found.append(Row(protocol, datum, tuple(kinds.split(", ")),
                             {how: outcomes(cell) for how, cell in zip(HOWS, texts) if cell != "-"}))
    return found
