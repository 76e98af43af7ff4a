"""Every cell of the tables of docs/RELIABILITY.md that say what comes of what a server does not tell."""

import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "untold"))

import cells        # noqa: E402
import table        # noqa: E402
from rig.host import scratch_dir  # noqa: E402

ROWS = table.rows()
CELLS = [pytest.param(row, kind, how, id=f"{row.protocol} {row.datum}/{kind}/{how}")
         for row in ROWS for kind in row.kinds for how in row.cells]


@pytest.fixture
def scratch():
    """Disks are slow, and nothing here is about them."""
    with tempfile.TemporaryDirectory(dir=scratch_dir()) as path:
        yield pathlib.Path(path)


@pytest.mark.parametrize("row, kind, how", CELLS)
def test_cell(scratch, row, kind, how):
    ways = cells.ways(row.protocol, row.datum, how)
    assert ways, "nothing tells it so"
    stated = row.cells[how]
    found = {way: cells.outcome(row.protocol, row.datum, kind, how, way, scratch / f"way{number}")
             for number, way in enumerate(ways)}
    assert found == {way: stated.get(way, stated[None]) for way in ways}
    assert set(stated) <= {None, *ways}


def test_table_has_all_that_can_be_told_otherwise():
    """No row and no cell without a scenario, and no scenario without its cell."""
    stated = {(row.protocol, row.datum, how) for row in ROWS for how in row.cells}
    assert stated == set(cells.scenarios())
    assert len(CELLS) == len({cell.id for cell in CELLS})


def test_table_that_says_nonsense_is_none():
    head = "| IMAP | server | absent | unreadable | NIL or empty | refused | OK without it |\n|--|\n"
    assert table.rows(head + "| X | a, b | 0 all; NO: 75 none | - | - | - | - |")[0].cells == {
        "absent": {None: "0 all", "NO": "75 none"}}
    for row in ("| X | a | 0 | - | - | - | - |", "| X | a | | - | - | - | - |", "| X | a | - | - |"):
        with pytest.raises(ValueError):
            table.rows(head + row)
