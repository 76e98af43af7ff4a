"""What a server or a disk does not tell is no answer: nothing is removed for it."""

import pytest

from lies import keeps_everything, local, recovers, sync, synced
from rig.fake import Box
from rig.scripted import always

# How many messages there are

UNTOLD = [None, "* 99999999999999999999 EXISTS", "* -1 EXISTS"]


def without_exists(box, told):
    """The opening of BOX, with TOLD (or nothing) in the place of EXISTS."""
    lines = [told if line.endswith("EXISTS") else line for line in box.opening()]
    return [*filter(None, lines), "OK [READ-WRITE] done"]


@pytest.mark.parametrize("listing", ["BAD what?", "NO not now", "OK done"])
@pytest.mark.parametrize("told", UNTOLD)
def test_a_count_that_is_not_told_is_not_zero(bad, told, listing):
    server, account = synced(bad, 5)
    box = server.boxes["INBOX"]
    server.script = [always(r"^(SELECT|EXAMINE) ", lambda command: without_exists(box, told)),
                     always(r"^UID FETCH ", listing)]
    result = keeps_everything(account, server.wires(), 1)
    assert "EXISTS" in result.errors[0]["message"]
    recovers(server, account)


@pytest.mark.parametrize("told", UNTOLD)
def test_the_count_of_the_mailbox_before_does_not_stand_in(bad, told):
    """Archive holds two messages, and of Work's five two are listed."""
    work = Box(5, "Work")
    server, account = bad([Box(2, "Archive"), work])
    sync(account, 0)

    def opening(command):
        if server.name(command) == "Work":
            return without_exists(work, told)
        return server.select(command)

    def listing(command):
        answers = server.selected.fetch(command)
        return [*answers[:2], "OK done"] if server.selected is work else answers

    server.script = [always(r"^(SELECT|EXAMINE) ", opening), always(r"^UID FETCH ", listing)]
    for _ in range(2):
        assert {error["mailbox"] for error in sync(account, 1).errors} == {"Work"}
        assert local(account, "Work") == server.wires("Work")
        assert local(account, "Archive") == server.wires("Archive")
    server.script = []
    assert sync(account, 0).did == {}


def test_the_count_of_the_mailbox_that_is_being_closed_does_not_stand_in(bad):
    """QRESYNC: what comes before [CLOSED] is of the mailbox selected before."""
    work = Box(5, "Work")
    server, account = bad([Box(2, "Archive"), work])
    sync(account, 0)

    def opening(command):
        if server.name(command) == "Work":
            return ["* 2 EXISTS", "* OK [CLOSED] before", *without_exists(work, None)]
        return server.select(command)

    def listing(command):
        answers = server.selected.fetch(command)
        return [*answers[:2], "OK done"] if server.selected is work else answers

    server.script = [always(r"^(SELECT|EXAMINE) ", opening), always(r"^UID FETCH ", listing)]
    sync(account, 1)
    assert local(account, "Work") == server.wires("Work")
