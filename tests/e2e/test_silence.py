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


# Whether a mailbox is there

def status_of_work(*answers):
    return always(r'^STATUS "?Work', *answers)


def without_work(bad):
    """INBOX and Work are in sync, and Work is not on the server's list any more."""
    server, account = bad([Box(2), Box(3, "Work")], keys={"remove_mailboxes": "local"})
    sync(account, 0)
    work = server.boxes.pop("Work")
    return server, account, work


@pytest.mark.parametrize("answers", [
    ["OK done"],
    ["* STATUS Work (MESSAGES three)", "OK done"],
    ['* STATUS "Wor', "OK done"],
    ["* STATUS Elsewhere (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 7)", "OK done"],
    ["NO [UNAVAILABLE] later"],
    ["NO [NOPERM] not yours"],
    ["NO [X-ODD] who knows"],
    ["NO temporary failure, try again later"],
    ["BAD what?"],
    ["* STATUS Work (MESSAGES 3)", "NO [NONEXISTENT] or so"],
])
def test_a_mailbox_of_which_nothing_is_told_is_not_gone(bad, answers):
    server, account, work = without_work(bad)
    server.script = [status_of_work(*answers)]
    for _ in range(2):
        assert [error["mailbox"] for error in sync(account, 1).errors] == ["Work"]
        assert local(account, "Work") == sorted(work.letters.values())
    server.boxes["Work"] = work
    server.script = []
    assert sync(account, 0).did == {}


@pytest.mark.parametrize("inbox", ["OK done", "NO [UNAVAILABLE] later", "NO no", "BAD what?"])
def test_a_plain_no_of_a_server_that_says_so_of_inbox_too_is_no_proof(bad, inbox):
    server, account, work = without_work(bad)
    server.script = [status_of_work("NO no"), always(r'^STATUS "?INBOX', inbox)]
    sync(account, 1)
    assert local(account, "Work") == sorted(work.letters.values())


@pytest.mark.parametrize("refusal", ["NO [NONEXISTENT] no such mailbox", "NO no such mailbox"])
def test_a_mailbox_of_which_the_server_says_no_is_gone(bad, refusal):
    server, account, _ = without_work(bad)
    server.script = [status_of_work(refusal)]
    sync(account, 0)
    assert account.local.mailboxes() == ["INBOX"]
    assert sync(account, 0).did == {}
