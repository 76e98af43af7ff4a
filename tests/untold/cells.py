"""Runs the cells of the table: each way of not telling a datum, in an account of its own.

A run in which the lie is told ends as the cell says and harms nothing; one more, without it, does all; a
further one has nothing to do.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "liar")]

import imap_cells                              # noqa: E402
import imap_server                             # noqa: E402
import pop3_cells                              # noqa: E402
import pop3_server                             # noqa: E402
from imap_story import Story, Wrong            # noqa: E402
from pop3_story import Pop3Story               # noqa: E402


ROWS = {"IMAP": imap_cells.ROWS, "POP3": pop3_cells.ROWS}


def ways(protocol, datum, how):
    """{name: Lie}; {}: it cannot be so."""
    return ROWS[protocol][datum][-1].get(how, {})


def scenarios():
    """(protocol, datum, how) of all."""
    for protocol, rows in ROWS.items():
        for datum, row in rows.items():
            yield from ((protocol, datum, how) for how, lies in row[-1].items() if lies)


def story_of(protocol, datum, kind, folder):
    if protocol == "POP3":
        return Pop3Story(kind, folder, pop3_cells.ROWS[datum][0])
    extra, options, _ = imap_cells.ROWS[datum]
    story = Story(kind, folder, extra)
    story.times = options.get("dates", True)
    return story


def outcome(protocol, datum, kind, how, way, folder):
    """What came of it, in the words of the table; Wrong where harm was done."""
    story = story_of(protocol, datum, kind, folder)
    honest = imap_server.Honest() if protocol == "IMAP" else pop3_server.Honest()
    try:
        story.begin()
        before = story.sides()
        lie = story.server.liar = ways(protocol, datum, how)[way]()
        result = story.sync()
        story.server.liar = honest
        now = story.sides()
        if not lie.told:
            raise Wrong(f"the lie was not told: {result}")
        if result.status != 0 and not result.errors:
            raise Wrong(f"fails without a word: {result}")
        found = f"{result.status} {story.extent(before, now)}"
        if protocol == "IMAP" and any(error.get("mailbox") for error in result.errors):
            found += " named"
        try:
            story.check_between(before, now)
            story.settled()
        except Wrong as wrong:
            raise Wrong(f"{found}, then {wrong}; the lie's run: {result}") from None
        return found
    finally:
        story.server.stop()
