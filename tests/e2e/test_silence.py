"""What a server or a disk does not tell is no answer: nothing is removed for it."""

import re
import sqlite3

import pytest

from lies import CONDSTORE, ENABLED, QRESYNC, keeps_everything, local, recovers, sync, synced
from rig import mail
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


# What changed

def unreadable(line, how):
    """A FETCH line as it should not be."""
    return {"broken": line[:-1], "no flags": re.sub(r"FLAGS \([^)]*\) ?", "", line),
            "nil": re.sub(r"FLAGS \([^)]*\)", "FLAGS NIL", line),
            "no uid": re.sub(r"UID \d+ ", "", line), "omitted": None}[how]


HOW = ["broken", "no flags", "nil", "no uid", "omitted"]


@pytest.mark.parametrize("how", [None, *HOW])
@pytest.mark.parametrize("capabilities", [CONDSTORE, QRESYNC])
def test_one_comes_and_one_goes_between_list_and_select(bad, capabilities, how):
    """EXISTS is as before, and the new one's line may be unreadable besides."""
    box = Box(5)
    box.modseq = 5
    server, account = bad([box], [ENABLED], capabilities=capabilities + " LIST-EXTENDED LIST-STATUS")
    sync(account, 0)
    box.modseq = 6                     # flags changed, which opens it

    def listing(command):
        answers = server.listing(command)
        if 2 in box.letters:
            box.remove(2)
            box.add(mail.one(70, seed="meanwhile", size=300))
            box.modseq = 7
        return answers

    def fetch(command):
        lines = [unreadable(line, how) if how and isinstance(line, str) and "(UID 6 " in line
                 else line for line in box.fetch(command)]
        return [line for line in lines if line is not None]

    server.script = [ENABLED, always(r"^LIST ", listing), always(r"^UID FETCH ", fetch)]
    sync(account, {0, 1})
    server.script = [ENABLED]
    sync(account, 0)
    assert local(account) == server.wires() and len(local(account)) == 5
    assert sync(account, 0).did == {}


@pytest.mark.parametrize("how", HOW[:-1])
@pytest.mark.parametrize("capabilities", [CONDSTORE, QRESYNC])
def test_a_change_whose_line_cannot_be_read_is_looked_for_again(bad, capabilities, how):
    box = Box(4)
    box.modseq = 5
    server, account = bad([box], [ENABLED], capabilities=capabilities)
    sync(account, 0)
    box.flags[2] = {"\\Seen", "\\Flagged"}
    box.modseq = 6

    def changed(command):
        return [unreadable(line, how) if "(UID 2 " in line else line
                for line in [box.line(2), *(line for line in box.fetch(command))]]

    def opening(command):
        return [*box.opening(), unreadable(box.line(2), how), "OK done"]

    server.script = [ENABLED, always(r"^UID FETCH .*FLAGS", changed),
                     always(r"^(SELECT|EXAMINE) ", opening)]
    result = sync(account, 1)
    assert "INBOX" in result.errors[0]["message"]
    assert local(account) == server.wires()
    recovers(server, account, [ENABLED])
    file = account.local.find("INBOX", box.letters[2])
    assert account.local.flags(file) == frozenset("FS")


def test_a_flag_set_while_a_message_is_not_given_is_not_forgotten(bad):
    """It is heard by the look after UID 4, and UID 5, which it is of, is too large this time."""
    box = Box(3)
    box.modseq = 5
    server, account = bad([box], [ENABLED], capabilities=CONDSTORE, keys={"max_message_size": "10k"})
    sync(account, 0)
    box.add(mail.one(4, seed="given", size=300))
    box.add(mail.one(5, seed="given", size=30_000))
    box.modseq = 6

    def no_text(command):
        box.flags[5], box.modseq = {"\\Flagged"}, 7
        return ["* 4 FETCH (UID 4 BODY[] NIL)", "OK done"]

    def changes(command):
        since = int(re.search(r"CHANGEDSINCE (\d+)", command)[1])
        return [*([box.line(5)] if since < box.modseq else []), "OK done"]

    told = always(r"^UID FETCH .*CHANGEDSINCE", changes)
    server.script = [ENABLED, told, always(r"^UID FETCH .*BODY", no_text)]
    assert [error["uid"] for error in sync(account, 1).errors] == [4]
    account.change(max_message_size=None)
    recovers(server, account, [ENABLED, told])
    assert account.local.flags(account.local.find("INBOX", box.letters[5])) == frozenset("F")


def test_a_message_that_goes_while_another_is_not_given_is_forgotten(bad):
    """The same of UID 5 that is removed meanwhile: what is noted of it does not bring it back."""
    box = Box(3)
    box.modseq = 5
    server, account = bad([box], [ENABLED], capabilities=CONDSTORE, keys={"max_message_size": "10k"})
    sync(account, 0)
    box.add(mail.one(4, seed="given", size=300))
    box.add(mail.one(5, seed="given", size=30_000))
    box.modseq = 6

    def no_text(command):
        if 5 in box.letters:
            box.remove(5)
            box.modseq = 7
        return ["* 4 FETCH (UID 4 BODY[] NIL)", "OK done"]

    server.script = [ENABLED, always(r"^UID FETCH .*BODY", no_text)]
    result = sync(account, 1)
    assert [error["uid"] for error in result.errors] == [4]
    with sqlite3.connect(account.database) as base:
        assert base.execute("SELECT uid FROM row ORDER BY uid").fetchall() == [(1,), (2,), (3,), (4,)]


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


# What was sent

def test_what_was_sent_is_not_sent_again_while_what_came_since_is_not_shown(bad):
    """W21: without UIDPLUS it is looked for, and SEARCH tells a UID that no listing shows."""
    box = Box(3)
    server, account = bad([box], capabilities="IMAP4rev1")
    sync(account, 0)

    def append(command):
        box.append(command)
        return ["OK done"]

    def listing(command):
        return [line for line in box.fetch(command) if "(UID 4 " not in str(line)]

    server.script = [always(r"^APPEND ", append), always(r"^UID FETCH .*FLAGS", listing)]
    account.local.deliver("INBOX", mail.one(90, seed="sent", size=300).replace(b"\r\n", b"\n"))
    for _ in range(3):
        sync(account, {0, 1})
        assert len(server.wires()) == 4 and local(account) == server.wires()
    recovers(server, account)
    assert len(server.wires()) == 4


@pytest.mark.parametrize("told", ["(\\Seen", "x(", "NIL", ""])
def test_flags_that_are_not_told_to_be_permanent_are_not_forbidden(bad, told):
    server, account = synced(bad)
    box = server.boxes["INBOX"]
    lines = [f"* OK [PERMANENTFLAGS {told}] ok" if "PERMANENTFLAGS" in line else line
             for line in box.opening()]
    server.script = [always(r"^(SELECT|EXAMINE) ", *lines, "OK [READ-WRITE] done")]
    account.local.set_flags(account.local.find("INBOX", box.letters[2]), "R")
    assert sync(account, 0).did == {"flags_remote": 1}
    assert "\\Answered" in box.flags[2]
