"""Servers that lie, break off and flood. Whatever they say: memory and time stay bounded, nothing is
written outside the Maildir, nothing local is deleted on a lie, a bad message holds up no other, and
the exit status is a documented one."""

import os
import random
import re
import sqlite3

import pytest

from lies import (CONDSTORE, DAY, ENABLED, QRESYNC, STATUSES, clock_of, keeps_everything, local, recovers, sync,
                  synced)
from rig import mail, tree
from rig.fake import Box, in_set
from rig.scripted import always, close, drip, expect, flood, message, raw, tls

# How much a server floods with; more shows worse than linear work, and takes longer.
FLOOD = int(os.environ.get("MAILSYNC_FLOOD_MB", "6")) << 20


# FETCH

def test_fetch_ok_without_data(bad):
    server, account = bad([Box(3)], [always(r"^UID FETCH .*BODY", "OK done")])
    result = sync(account, 1)
    assert {error["uid"] for error in result.errors} == {1, 2, 3}
    assert local(account) == []
    recovers(server, account)


def test_fetch_ok_without_data_of_messages_that_are_known(bad):
    """An empty listing is no deletion."""
    server, account = synced(bad)
    server.script = [always(r"^UID FETCH ", "OK done")]
    keeps_everything(account, server.wires())
    recovers(server, account)


def test_fetch_that_omits_one_message_then_no(bad):
    box = Box(5)

    def some(command):
        answers = [a for a in box.fetch(command)[:-1] if b"(UID 3 " not in a.data]
        return [*answers, "NO some messages could not be fetched"]

    server, account = bad([box], [always(r"^UID FETCH .*BODY", some)])
    result = sync(account, 1)
    assert [error["uid"] for error in result.errors] == [3]
    assert local(account) == sorted(wire for uid, wire in box.letters.items() if uid != 3)
    recovers(server, account)


@pytest.mark.parametrize("given", ["NIL", '""', "{0}\r\n", None])
def test_fetch_with_an_empty_body(bad, given):
    """Yandex and Exchange say so of a message that they cannot find."""
    box = Box(3)

    def answers(command):
        out = box.fetch(command)
        for index, answer in enumerate(out):
            if isinstance(answer, raw) and b"(UID 2 " in answer.data:
                body = b"" if given is None else b"BODY[] " + given.encode()
                out[index] = raw(b"* 2 FETCH (UID 2 FLAGS () " + body + b")\r\n")
        return out

    server, account = bad([box], [always(r"^UID FETCH .*BODY", answers)])
    result = sync(account, 1)
    assert [error["uid"] for error in result.errors] == [2]
    assert local(account) == sorted([box.letters[1], box.letters[3]])
    recovers(server, account)


@pytest.mark.parametrize("given", ["NIL", '""', "{0}\r\n"])
def test_fetch_with_an_empty_body_of_a_size_that_is_not_told(bad, given):
    """It was stored, and sent back to the server as a message of nothing."""
    box = Box(3)

    def listing(command):
        return [re.sub(r" RFC822.SIZE \d+", "", answer) for answer in box.fetch(command)]

    def answers(command):
        return [raw(b"* 2 FETCH (UID 2 BODY[] " + given.encode() + b")\r\n")
                if isinstance(answer, raw) and b"(UID 2 " in answer.data else answer
                for answer in box.fetch(command)]

    server, account = bad([box], [always(r"^UID FETCH .*BODY", answers),
                                  always(r"^UID FETCH .*SIZE\)", listing)])
    for _ in range(2):
        sync(account, 1)
        assert local(account) == sorted([box.letters[1], box.letters[3]])
    recovers(server, account)


def test_an_empty_message_is_one_where_the_server_says_so(bad):
    box = Box(2)
    box.letters[2] = b""
    server, account = bad([box])
    sync(account, 0)
    assert local(account) == server.wires()


def test_fetch_of_messages_that_nobody_asked_for(bad):
    box = Box(3)

    def more(command):
        return [message(77, b"Subject: unasked\r\n\r\nx\r\n"), *box.fetch(command)]

    server, account = bad([box], [always(r"^UID FETCH .*BODY", more)])
    sync(account, 0)
    assert local(account) == server.wires()


def test_fetch_of_the_same_message_many_times(bad):
    box = Box(2)
    server, account = bad([box], [always(
        r"^UID FETCH .*BODY", lambda command: [box.body(1)] * 50 + box.fetch(command))])
    sync(account, 0)
    assert local(account) == server.wires()


@pytest.mark.parametrize("size", ["0", "1", "4294967295", "18446744073709551615", "-1",
                                  "99999999999999999999999"])
def test_wrong_rfc822_size(bad, size):
    box = Box(3)

    def listing(command):
        return [re.sub(r"RFC822.SIZE \d+", f"RFC822.SIZE {size}", x) for x in box.fetch(command)]

    server, account = bad([box], [always(r"^UID FETCH .*SIZE", listing)])
    sync(account, 0)
    assert local(account) == server.wires()
    assert sync(account, 0).did == {}


def test_uid_zero(bad):
    box = Box(2)

    def listing(command):
        return ["* 1 FETCH (UID 0 FLAGS () RFC822.SIZE 10)", *box.fetch(command)]

    server, account = bad([box], [always(r"^UID FETCH .*SIZE", listing)])
    sync(account, {0, 1})
    assert local(account) == server.wires()
    recovers(server, account)


def test_uids_not_ascending(bad):
    box = Box(40)

    def shuffled(command):
        *lines, end = box.fetch(command)
        return [*lines[1::2], *lines[::-2], *lines[0::2], end]

    server, account = bad([box], [always(r"^UID FETCH ", shuffled)])
    sync(account, 0)
    assert local(account) == server.wires()
    assert sync(account, 0).did == {}


def test_items_in_another_order(bad):
    """Exchange puts UID last."""
    box = Box(3)

    def answers(command):
        out = []
        for uid in sorted(box.letters):
            wire = box.letters[uid]
            out.append(raw(b"* %d FETCH (BODY[] {%d}\r\n" % (uid, len(wire)) + wire
                           + b" FLAGS () UID %d)\r\n" % uid))
        return [*out, "OK done"]

    server, account = bad([box], [always(r"^UID FETCH .*BODY", answers)])
    sync(account, 0)
    assert local(account) == server.wires()


def test_expunge_during_fetch(bad):
    """What is expunged while it is read is no error, and the rest arrives."""
    box = Box(4)

    def answers(command):
        out = [box.body(1)]
        if 2 in box.letters:
            box.remove(2)
            out.append("* 2 EXPUNGE")
        return [*out, box.body(3), box.body(4), "OK [EXPUNGEISSUED] some are gone"]

    server, account = bad([box], [always(r"^UID FETCH .*BODY", answers)])
    sync(account, 0)
    assert local(account) == server.wires() and len(local(account)) == 3
    assert sync(account, 0).did == {}


@pytest.mark.parametrize("capabilities", [QRESYNC, CONDSTORE, "IMAP4rev1 LITERAL+ UIDPLUS"])
def test_new_mail_that_comes_while_another_goes(bad, capabilities):
    """Seen where the message that did not come is looked for; it must not be forgotten again."""
    box = Box(4)
    box.modseq = 5 if "CONDSTORE" in capabilities else 0
    wire = mail.one(50, seed="meanwhile", size=300)

    def answers(command):
        if 2 in box.letters:
            box.remove(2)
            box.add(wire)
            box.modseq += box.modseq > 0
            return [*[a for a in box.fetch(command)[:-1] if b"(UID 5 " not in a.data],
                    "* 2 EXPUNGE", "* 4 EXISTS", "OK done"]
        return box.fetch(command)

    server, account = bad([box], [ENABLED, always(r"^UID FETCH .*BODY", answers)],
                          capabilities=capabilities)
    sync(account, 0)
    sync(account, 0)
    assert wire in local(account) and local(account) == server.wires()
    assert sync(account, 0).did == {}


@pytest.mark.parametrize("capabilities", [QRESYNC, CONDSTORE])
def test_a_listing_that_hid_a_message_while_its_number_advanced(bad, capabilities):
    """Two lies in one run made base pass over it. That the counts do not fit shows it."""
    box = Box(4)
    box.modseq = 5

    def fetch(command):
        return [line for line in box.fetch(command)
                if not (isinstance(line, str) and "(UID 3 " in line)]

    def opening(command):
        return [line.replace("4 EXISTS", "3 EXISTS") for line in server.select(command)]

    server, account = bad([box], [ENABLED, always("^UID FETCH .*FLAGS", fetch),
                                  always("^(SELECT|EXAMINE)", opening)], capabilities=capabilities)
    sync(account, 0)
    assert len(local(account)) == 3
    box.modseq += 1
    recovers(server, account, [ENABLED])


def test_expunge_of_everything_during_a_listing(bad):
    """More EXPUNGE than there are messages, while all of them are listed."""
    server, account = synced(bad)
    box = server.boxes["INBOX"]
    server.script = [always(r"^UID FETCH ", lambda c: ["* 1 EXPUNGE"] * 9 + box.fetch(c))]
    keeps_everything(account, server.wires())
    recovers(server, account)


def test_exchange_stub_is_not_stored_as_the_message(bad):
    """Exchange gives a stub where it cannot render a message; a later run gets the message."""
    box = Box(3)
    stub = (b"From: \"Microsoft Exchange Server\" <>\r\nTo: someone\r\n"
            b"Subject: Retrieval using the IMAP4 protocol failed for the following message: 2\r\n"
            b"\r\nThe server couldn't retrieve the following message:\r\n\r\nSubject: lunch\r\n")

    def answers(command):
        return [message(2, stub, 2) if isinstance(x, raw) and b"(UID 2 " in x.data else x
                for x in box.fetch(command)]

    server, account = bad([box], [always(r"^UID FETCH .*BODY", answers)])
    result = sync(account, 1)
    assert [error["uid"] for error in result.errors] == [2]
    assert local(account) == sorted([box.letters[1], box.letters[3]])
    recovers(server, account)


def test_yahoo_window_shorter_than_exists(bad):
    """Only the newest are shown, while EXISTS counts all: the others are out of view, not gone."""
    box = Box(6)
    server, account = bad([box])
    sync(account, 0)

    def window(command):
        *lines, end = box.fetch(command)
        return [line for line in lines if int(re.search(r"UID (\d+)", line)[1]) > 3] + [end]

    server.script = [always(r"^UID FETCH .*FLAGS", window),
                     always(r"^UID SEARCH", "* SEARCH 4 5 6", "OK done")]
    keeps_everything(account, server.wires())
    recovers(server, account)


# SELECT and its numbers

@pytest.mark.parametrize("value", ["0", "-1", "99999999999", "x", ""])
def test_uidvalidity_zero_or_nonsense(bad, value):
    server, account = synced(bad)
    box = server.boxes["INBOX"]

    def opening(command):
        return ([f"* OK [UIDVALIDITY {value}] ok" if "UIDVALIDITY" in x else x
                 for x in box.opening()] + ["OK done"])

    server.script = [always(r"^(SELECT|EXAMINE)", opening)]
    keeps_everything(account, server.wires(), 1)
    recovers(server, account)


def test_uidvalidity_changes_at_every_select(bad):
    server, account = synced(bad)
    box = server.boxes["INBOX"]

    def opening(command):
        box.uidvalidity += 1
        return [*box.opening(), "OK done"]

    server.script = [always(r"^(SELECT|EXAMINE)", opening)]
    for _ in range(3):
        sync(account, STATUSES)
        assert local(account) == server.wires()
    recovers(server, account)


def test_four_exists_in_a_select(bad):
    box = Box(3)

    def opening(command):
        return ["* 900 EXISTS", "* 0 EXISTS", "* 4294967295 EXISTS", *box.opening(), "OK done"]

    server, account = bad([box], [always(r"^(SELECT|EXAMINE)", opening)])
    sync(account, 0)
    assert local(account) == server.wires()
    keeps_everything(account, server.wires(), 0)


@pytest.mark.parametrize("exists", ["0", "1", "2", "4", "4294967295", "99999999999999999999"])
def test_exists_that_is_wrong(bad, exists):
    server, account = synced(bad)
    box = server.boxes["INBOX"]
    letters = server.wires()

    def opening(command):
        return [f"* {exists} EXISTS" if x.endswith("EXISTS") else x
                for x in box.opening()] + ["OK done"]

    server.script = [always(r"^(SELECT|EXAMINE)", opening)]
    keeps_everything(account, letters)
    recovers(server, account)


def test_a_mailbox_emptied_at_once_meets_the_brake(bad):
    server, account = synced(bad, 20)
    letters = server.wires()
    server.boxes["INBOX"].remove(*range(1, 21))
    keeps_everything(account, letters, 79)


def test_highestmodseq_zero(bad):
    box = Box(3)
    box.modseq = 0

    def opening(command):
        return [*box.opening(), "* OK [HIGHESTMODSEQ 0] ok", "OK done"]

    server, account = bad([box], [ENABLED, always(r"^(SELECT|EXAMINE)", opening)],
                          capabilities=QRESYNC)
    sync(account, 0)
    box.add(mail.one(60, size=200))
    box.remove(1)
    box.flags[2] = set()
    sync(account, 0)
    assert local(account) == server.wires()
    assert account.local.flags(account.local.find("INBOX", box.letters[2])) == frozenset()


def test_highestmodseq_going_back(bad):
    """A restored server: what changed below the number that we know is found all the same, or at
    least nothing is taken for deleted."""
    box = Box(3)
    box.modseq = 900
    server, account = bad([box], [ENABLED], capabilities=QRESYNC)
    sync(account, 0)
    box.modseq = 5
    box.flags[1] = {"\\Flagged"}
    keeps = server.wires()
    sync(account, 0)
    assert local(account) == keeps
    box.modseq = 6
    box.add(mail.one(61, size=200))
    sync(account, 0)
    assert local(account) == server.wires()


@pytest.mark.parametrize("vanished", ["1:*", "1:4294967295", "1:3", "2", "0", "1:18446744073709551615",
                                      "3,2,1", "", "x"])
def test_vanished_for_everything(bad, vanished):
    """VANISHED of messages that the count says are there."""
    box = Box(3)
    box.modseq = 10
    server, account = bad([box], [ENABLED], capabilities=QRESYNC)
    sync(account, 0)
    box.modseq = 11

    def opening(command):
        return [*box.opening(), f"* VANISHED (EARLIER) {vanished}", "OK done"]

    server.script = [ENABLED, always(r"^(SELECT|EXAMINE)", opening)]
    keeps_everything(account, server.wires())
    recovers(server, account, [ENABLED])


def test_vanished_that_does_not_fit_the_count(bad):
    """One of the two that VANISHED names is still listed: only the other one is gone."""
    box = Box(4)
    box.modseq = 10
    server, account = bad([box], [ENABLED], capabilities=QRESYNC)
    sync(account, 0)
    box.modseq = 11
    box.remove(2)

    def opening(command):
        return [*box.opening(), "* VANISHED (EARLIER) 2:3", "OK done"]

    server.script = [ENABLED, expect(r"^(SELECT|EXAMINE)", opening)]
    sync(account, 0)
    assert local(account) == server.wires()


def test_vanished_with_another_to_make_up_the_count(bad):
    """A line about a message that is not there, and one that is said to be gone: EXISTS fits both."""
    box = Box(4)
    box.modseq = 10
    server, account = bad([box], [ENABLED], capabilities=QRESYNC)
    sync(account, 0)
    box.modseq = 11

    def opening(command):
        return ["* 4 FETCH (UID 9 FLAGS (\\Seen) MODSEQ (11))", *box.opening(),
                "* VANISHED (EARLIER) 2", "OK done"]

    server.script = [ENABLED, always(r"^(SELECT|EXAMINE)", opening)]
    keeps_everything(account, server.wires())
    recovers(server, account, [ENABLED])


@pytest.mark.parametrize("is_late", [False, True])
def test_one_that_went_untold_and_one_that_came_with_its_flags_alone(bad, is_late):
    """EXISTS fits what is known, since each makes up for the other. A line about the one that came
    shows that it does not, in the run in which both were left out, or later."""
    box = Box(4)
    box.modseq = 10
    server, account = bad([box], [ENABLED], capabilities=QRESYNC)
    sync(account, 0)
    box.modseq = 11
    box.remove(2)
    came = box.add(mail.one(62, size=200))

    def opening(command):
        line = f"* 4 FETCH (UID {came} FLAGS (\\Flagged) MODSEQ ({box.modseq}))"
        return [*box.opening(), line, "OK done"]

    server.script = [ENABLED, expect(r"^(SELECT|EXAMINE)", opening)]
    if is_late:
        with sqlite3.connect(account.database) as base:
            base.execute("UPDATE mailbox SET uidnext = ?, modseq = ?", (came + 1, box.modseq))
        box.modseq = 12
        server.script.append(expect(r"^(SELECT|EXAMINE)", opening))
    else:
        server.script.append(expect(r"^UID FETCH", "OK done"))
    sync(account, 0)
    assert local(account) == server.wires()


def test_no_enabled_reply(bad):
    """iCloud: QRESYNC is claimed and not confirmed, so it is not used."""
    box = Box(3)
    box.modseq = 10
    server, account = bad([box], [always(r"^ENABLE", "OK done")], capabilities=QRESYNC)
    sync(account, 0)
    box.modseq = 11
    box.remove(2)
    sync(account, 0)
    assert local(account) == server.wires()
    assert not any("(QRESYNC" in command for command in server.received)


def test_a_mailbox_list_that_is_empty(bad):
    server, account = synced(bad)
    server.script = [always(r"^LIST", "OK done")]
    keeps_everything(account, server.wires())


# APPEND

APPENDUIDS = ["OK done", "OK [APPENDUID] done", "OK [APPENDUID 7] done", "OK [APPENDUID 7 0] done",
              "OK [APPENDUID 0 1] done", "OK [APPENDUID 7 *] done", "OK [APPENDUID 7 1:9] done",
              "OK [APPENDUID 99 1] done", "OK [APPENDUID x y] done",
              "OK [APPENDUID 7 99999999999] done", "OK [APPENDUID 7 1,3] done"]


@pytest.mark.parametrize("answer", APPENDUIDS)
def test_appenduid_missing_or_malformed(bad, answer):
    """UIDPLUS is claimed; the message is found by looking, and not sent again."""
    box = Box(0)

    def append(command):
        box.append(command)
        return [answer]

    server, account = bad([box], [always(r"^APPEND", append)])
    account.local.create("INBOX")
    wire = mail.one(5, seed="up", size=300)
    account.local.deliver("INBOX", wire, flags="S")
    sync(account, {0, 1})
    sync(account, {0, 1})
    assert server.wires() == [wire]
    assert local(account) == [wire]
    assert sync(account, 0).did == {}


def test_appenduid_of_a_message_that_is_another(bad):
    """The UID that the server names is one that base has."""
    server, account = synced(bad)
    box = server.boxes["INBOX"]

    def append(command):
        box.append(command)
        return ["OK [APPENDUID 7 2] done"]

    server.script = [always(r"^APPEND", append)]
    wire = mail.one(6, seed="up", size=300)
    account.local.deliver("INBOX", wire)
    sync(account, STATUSES)
    server.script = []
    for _ in range(2):
        sync(account, STATUSES)
    assert set(local(account)) == set(server.wires())
    assert server.wires().count(wire) == 1


REWRITES = {
    "adds fields": lambda wire: b"X-Spam: no\r\nReceived: by x\r\n" + wire,
    "makes X of 8-bit characters": lambda wire: re.sub(rb"[\x80-\xff]", b"X", wire),
    "adds a line end": lambda wire: wire + b"\r\n",
    "changes the case of names": lambda wire: wire.replace(b"Subject:", b"SUBJECT:"),
    "drops the Message-ID": lambda wire: re.sub(rb"(?im)^Message-ID:.*\r\n", b"", wire)}


class Rewriting(Box):
    """Changes what is appended, tells no UIDs, and keeps the dates that came along, if asked."""

    def __init__(self, count, change, keeps_dates=True):
        super().__init__(count)
        self.change, self.keeps_dates, self.dates = change, keeps_dates, {}

    def append(self, command):
        super().append(command)
        uid = self.uidnext - 1
        self.letters[uid] = self.change(self.letters[uid])
        if self.keeps_dates:
            self.dates[uid] = re.search(r'"([^"]*)" \{', command)[1]
        return ["OK done"]

    def line(self, uid):
        return super().line(uid).replace("01-Jan-2020 00:00:00 +0000",
                                         self.dates.get(uid, "02-Jan-2020 00:00:00 +0000"))


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", CONDSTORE.replace(" UIDPLUS", "")])
@pytest.mark.parametrize("change", REWRITES)
def test_a_server_that_rewrites_what_it_takes(bad, change, capabilities):
    """Without APPENDUID it is found all the same, and not sent again."""
    box = Rewriting(2, REWRITES[change])
    box.modseq = 3 if "CONDSTORE" in capabilities else 0
    server, account = bad([box], [ENABLED], capabilities=capabilities)
    sync(account, 0)
    for number in range(3):
        account.local.deliver("INBOX", mail.one(number, seed="rewritten", size=300))
    box.modseq += box.modseq > 0
    assert sync(account, 0).did == {"uploaded": 3}
    box.modseq += box.modseq > 0
    for _ in range(2):
        assert sync(account, 0).did == {}
    assert (len(server.wires()), len(local(account))) == (5, 5)


def test_a_server_that_rewrites_beyond_recognition(bad):
    """It was sent once and taken: told, not sent again. What the server made of it comes down."""
    box = Rewriting(2, lambda wire: b"Subject: converted\r\n\r\n" + wire[-50:], keeps_dates=False)
    server, account = bad([box], capabilities="IMAP4rev1")
    sync(account, 0)
    for number in range(3):
        account.local.deliver("INBOX", mail.one(number, seed="rewritten", size=300))
    result = sync(account, 1)
    assert (result.did["uploaded"], result.did["downloaded"]) == (3, 3)
    for _ in range(2):
        assert sync(account, 0).did == {}
    assert len([c for c in server.received if c.startswith("APPEND")]) == 3
    assert (len(server.wires()), len(local(account))) == (5, 8)


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev1 LITERAL+ UIDPLUS"])
def test_an_append_that_was_not_kept(bad, capabilities):
    """OK, and nothing is there: it is sent again."""
    server, account = synced(bad, capabilities=capabilities)
    wire = mail.one(7, seed="kept", size=300)
    account.local.deliver("INBOX", wire)
    server.script = [expect("^APPEND", "OK done")]
    sync(account, {0, 1})
    recovers(server, account)
    assert server.wires().count(wire) == 1


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev1 LITERAL+ UIDPLUS"])
def test_identical_messages_are_as_many_on_both_sides(bad, capabilities):
    """Also where no answer tells one from the other, and when base is lost."""
    wire = b"Subject: same\r\n\r\nx\r\n"
    box = Box(1) if "UIDPLUS" in capabilities else Rewriting(1, lambda wire: wire)
    box.add(wire)
    server, account = bad([box], capabilities=capabilities)
    sync(account, 0)
    for _ in range(3):
        account.local.deliver("INBOX", wire)
    assert sync(account, 0).did == {"uploaded": 3}
    for _ in range(2):
        assert sync(account, 0).did == {}
        account.database.unlink()
    assert server.wires().count(wire) == local(account).count(wire) == 4


def test_overquota_at_append(bad):
    """Nothing more is sent there, all else goes on, and it is tried again."""
    server, account = synced(bad)
    box = server.boxes["INBOX"]
    server.script = [always(r"^APPEND", "NO [OVERQUOTA] quota exceeded")]
    for number in range(3):
        account.local.deliver("INBOX", mail.one(number, seed="quota", size=300))
    wire = mail.one(70, seed="x", size=300)
    box.add(wire)
    result = sync(account, 1)
    assert "quota" in result.errors[0]["message"]
    assert len(local(account)) == 7 and wire in local(account)
    assert len(server.wires()) == 4
    recovers(server, account)


def test_append_refused_for_one_message(bad, clock_shim):
    """Without a reason, beside others that are taken: it is left out, for a day."""
    server, account = synced(bad)
    box = server.boxes["INBOX"]

    def append(command):
        return ["NO I do not like it"] if "unlikeable" in command else box.append(command)

    server.script = [always(r"^APPEND", append)]
    wires = [mail.one(number, seed="one", size=300) for number in range(3)]
    wires[1] = b"Subject: unlikeable\r\nMessage-ID: <u@x>\r\n\r\nhello\r\n"
    for wire in wires:
        account.local.deliver("INBOX", wire)
    sync(account, 1)
    assert wires[0] in server.wires() and wires[2] in server.wires()
    assert len(local(account)) == 6
    server.script = []
    assert sync(account, 0).did == {"skipped": 1} and wires[1] not in server.wires()
    clock_of(account, clock_shim)(DAY)
    recovers(server, account)


# Names

EVIL = ["../../x", "/etc/x", "cur", "new", "tmp", "INBOX/cur", "INBOX/cur/x", "..", ".", "../mail/../up",
        "a/../../b", "a//b", "/", "", "x" * 300, "&AC8-etc", "&AC4ALg-/x", "a/&AAA-", "a\tb",
        "mailsync-id", "INBOX/dovecot-keywords", "./x", "a/./b", "~root/x", "-rf", "$HOME"]


@pytest.mark.parametrize("layout", ["fs", "maildir++"])
def test_names_that_lead_elsewhere(bad, tmp_path, layout):
    boxes = [Box(2)] + [Box(1, name=name.replace("\\", "")) for name in EVIL]
    boxes += [Box(1, name=str(tmp_path / "absolute")), Box(1, name=str(tmp_path)[1:] + "/rel")]
    server, account = bad(boxes, keys={"layout": layout})
    sync(account, {0, 1})
    root = account.local.root
    assert set(server.boxes["INBOX"].letters.values()) <= set(
        tree.crlf(p.read_bytes()) for p in account.local.files("INBOX"))
    for path in root.rglob("*"):
        assert path.resolve().is_relative_to(root.resolve())
    inbox = account.local.folder("INBOX")
    for part in ("cur", "new", "tmp"):
        assert all(p.is_file() for p in (inbox / part).iterdir())
    result = sync(account, {0, 1})
    assert result.account["downloaded"] == 0 and result.account["uploaded"] == 0


@pytest.mark.parametrize("names", [("Inbox", "INBOX"), ("Work", "Work"), ("a/b", "a.b"),
                                   ("&AOk-", "&AOk-")])
@pytest.mark.parametrize("layout", ["fs", "maildir++"])
def test_two_names_that_are_one_directory(bad, names, layout):
    boxes = [Box(2), *[Box(1, name=name) for name in {*names} - {"INBOX"}]]
    server, account = bad(boxes, keys={"layout": layout})
    twice = "".join(f'* LIST () "/" "{n}"\r\n' for n in (*names, names[0])).encode()
    server.script = [always(r"^LIST", raw(twice), '* LIST () "/" INBOX', "OK done")]
    sync(account, {0, 1})
    before = local(account)
    result = sync(account, {0, 1})
    assert (result.account["downloaded"], result.account["uploaded"]) == (0, 0)
    assert local(account) == before


@pytest.mark.parametrize("separator", ['"."', "NIL", '"\\\\"', '"\\""', '"ab"', '""', "x", '"\0"', '"*"'])
def test_odd_separators(bad, separator):
    lines = [f"* LIST () {separator} INBOX", f"* LIST () {separator} Work"]
    server, account = bad([Box(2), Box(1, name="Work")], [always(r"^LIST", *lines, "OK done")])
    sync(account, {0, 1, 76})
    recovers(server, account)


# Broken syntax

FLOODS = {
    "a line without end": b"* OK " + b"x" * 1000,
    "a capability line without end": b"* CAPABILITY " + b"X" * 1000,
    "a tag without end": b"z" * 1000,
    "a fetch without end": b"* 1 FETCH (FLAGS (" + b"x " * 1000,
    "deep nesting": b"* 1 FETCH (BODYSTRUCTURE " + b"(" * 5000,
    "deep nesting in a list": b"* LIST " + b"(" * 5000,
    "NULs": b"\0" * 1000,
    "bytes that are none": bytes(range(128, 256)),
    "empty lines": b"\r\n" * 500,
    "line feeds": b"\n" * 500,
    "untagged OK": b"* OK still here\r\n",
    "untagged nonsense": b"* 17 XFNORD (a b c)\r\n",
    "broken fetches": b"* 1 FETCH (UID 7 FLAGS (\r\n",
    "answers to nobody": b"m999999 OK done\r\n",
    "continuations": b"+ go on\r\n",
    "quoted string without end": b'* LIST () "/" "' + b"x" * 1000,
    "small literals": b"* LIST () \"/\" {5}\r\nabcde\r\n",
    "many mailboxes": b"* LIST () \"/\" a\r\n",
    "alerts": b"* NO [ALERT] look\r\n",
}


@pytest.mark.parametrize("where", ["LIST", "SELECT|EXAMINE", "UID FETCH"])
@pytest.mark.parametrize("kind", FLOODS)
def test_flood(bad, kind, where):
    """Much of the same, then silence: the line ends, or the run does; nothing is lost."""
    server, account = synced(bad)
    box = server.boxes["INBOX"]
    box.add(mail.one(80, size=300))
    head, block = FLOODS[kind], FLOODS[kind]
    if kind.startswith(("deep", "a line", "a fetch", "a capability", "quoted")):
        block = head[-500:] if head[-1:] != b" " else b"x " * 250
    known = local(account)
    size = FLOOD // 4 if kind == "alerts" else FLOOD    # of which each is looked at
    server.script = [always(rf"^({where})", raw(head), flood(block, size), close())]
    # A suspect may take eight connections, and each is flooded.
    sync(account, {0, 1, 75, 76}, seconds=60 if kind == "alerts" else 20)
    assert local(account) == known
    recovers(server, account)


# A clock that is fifty times as fast: seconds of a time-out are hundredths.
FAST = {"CLOCK_TIMES": "50"}
DRIPS = {
    "bytes": [drip(b"x")],
    "bytes of a body": [raw(b"* 4 FETCH (UID 80 FLAGS () BODY[] {999999}\r\n"), drip(b"x")],
    "untagged OK": [drip(b"* OK still here\r\n", 64)],
    "answers to nobody": [drip(b"m999999 OK done\r\n", 64)],
    "counts": [drip(b"* 3 EXISTS\r\n", 64)],
}


@pytest.mark.parametrize("where", ["LOGIN", "LIST", "SELECT|EXAMINE", "UID FETCH", "APPEND"])
@pytest.mark.parametrize("kind", DRIPS)
def test_a_server_that_goes_on_and_on_does_not_hold_the_run(bad, clock_shim, kind, where):
    server, account = synced(bad)
    server.boxes["INBOX"].add(mail.one(80, size=300))
    account.local.deliver("INBOX", mail.one(81))
    known = local(account)
    account.change(timeout="5")
    server.script = [always(rf"^({where})", *DRIPS[kind])]
    environment = account.environment
    account.environment = lambda: environment(LD_PRELOAD=clock_shim, **FAST)
    sync(account, {1, 75, 76}, seconds=20)
    account.environment = environment
    assert set(known) <= set(local(account))
    recovers(server, account)


TOP = 4_294_967_290
COUNTED = {
    "more and more mailboxes": lambda n: b'* LIST () "/" "box%d"\r\n' % n,
    "more and more messages": lambda n: b"* %d FETCH (UID %d FLAGS ())\r\n" % (n, n),
    "fewer and fewer messages": lambda n: b"* 1 FETCH (UID %d FLAGS ())\r\n" % (TOP - n),
    "the same messages": lambda n: b"* 1 FETCH (UID %d FLAGS ())\r\n" % (n % 3 + 1),
    "every other vanished": lambda n: b"* VANISHED %d\r\n" % (2 * n),
    "every other vanished, downwards": lambda n: b"* VANISHED %d\r\n" % (TOP - 2 * n),
    "found upwards": lambda n: b"* SEARCH %d\r\n" % (2 * n),
    "found downwards": lambda n: b"* SEARCH %d\r\n" % (TOP - 2 * n),
    "keywords": lambda n: b"* 1 FETCH (UID 1 FLAGS (k%d))\r\n" % n,
    "flags": lambda n: b"* FLAGS (k%d)\r\n" % n,
    "email ids": lambda n: b"* 1 FETCH (UID %d EMAILID (M%d))\r\n" % (n, n),
    "bodies": lambda n: b"* 1 FETCH (UID %d BODY[] {3}\r\nabc)\r\n" % (n + 100),
}


@pytest.mark.parametrize("where", ["LIST", "SELECT|EXAMINE", "UID FETCH", "UID SEARCH"])
@pytest.mark.parametrize("kind", COUNTED)
def test_flood_of_things_that_differ(bad, kind, where):
    """Much of what has to be remembered, were it true."""
    server, account = synced(bad)
    box = server.boxes["INBOX"]
    box.add(mail.one(80, size=300))
    known = local(account)
    server.script = [always(rf"^({where})", flood(COUNTED[kind], FLOOD), close()),
                     # A listing is asked for.
                     always(r"^(SELECT|EXAMINE)", lambda c: [
                         "* 9 EXISTS" if "EXISTS" in x else x for x in box.opening()] + ["OK done"])]
    sync(account, {0, 1, 75, 76}, seconds=20)
    assert local(account) == known
    recovers(server, account)


@pytest.mark.parametrize("line", [
    b"* LIST () \"/\" {4294967296}\r\nabc", b"* LIST () \"/\" {99999999999999999999}\r\nabc",
    b"* OK [ALERT {4294967296}\r\n", b"* 1 FETCH (UID 4 FLAGS {4294967296}\r\nabc",
    b"* 1 FETCH (UID 4 BODY[] {-1}\r\n", b"* 1 FETCH (UID 4 BODY[] {99999999999999999999}\r\n",
    b"* STATUS {4294967296}\r\nabc"])
def test_literals_of_4_gib(bad, line):
    server, account = synced(bad)
    server.boxes["INBOX"].add(mail.one(80, size=300))
    known = local(account)
    server.script = [always(r"^(LIST|UID FETCH)", raw(line), flood(b"y" * 1000, 8 << 20), close())]
    sync(account, {1, 75, 76})
    assert local(account) == known
    recovers(server, account)


def test_a_body_literal_of_4_gib_holds_up_no_other(bad):
    """It never comes whole; the others do, at the latest in the next run."""
    box = Box(5)
    huge = raw(b"* 2 FETCH (UID 2 FLAGS () BODY[] {4294967296}\r\n")

    def answers(command):
        *out, end = box.fetch(command)
        for index, answer in enumerate(out):
            if b"(UID 2 " in answer.data:
                return [*out[:index], huge, flood(b"y" * 1000, 4 << 20), close()]
        return [*out, end]

    server, account = bad([box], [always(r"^UID FETCH .*BODY", answers)])
    sync(account, {1, 75})
    sync(account, {1, 75})
    assert local(account) == sorted(wire for uid, wire in box.letters.items() if uid != 2)
    recovers(server, account)


def test_nuls_in_a_message(bad):
    """They are stored as they came."""
    wire = b"Subject: nul\0\r\nMessage-ID: <nul@x>\r\n\r\na\0b\r\n\0\0\r\n"
    box = Box(1)
    box.add(wire)
    server, account = bad([box])
    sync(account, 0)
    assert local(account) == server.wires()
    assert sync(account, 0).did == {}


@pytest.mark.parametrize("line", [
    "* 1 FETCH", "* FETCH (UID 1)", "* 1 FETCH UID 1", "* 1 FETCH (UID)", "* 1 FETCH (UID 1",
    "* 99999999999 FETCH (UID 1)", "* 1 FETCH (UID -5 FLAGS ())", "* 1 FETCH (UID 1 FLAGS \\Seen)",
    "* 1 FETCH (UID 1 INTERNALDATE \"yesterday\")", "* EXISTS", "* -1 EXISTS", "* 5 EXPUNGE 6",
    "* 0 EXPUNGE", "* SEARCH 0 x -4", "* VANISHED", "* OK [", "* OK [UIDNEXT", "* OK ]", "*", "* ",
    "** OK", "+", "\0\0\0", "* LIST", "* LIST (", "* LIST () NIL NIL", "* STATUS INBOX",
    "* STATUS INBOX (MESSAGES", "* NAMESPACE", "* NAMESPACE ((((", "* ENABLED \0", "* FLAGS (((((",
    "* BYEBYE", "* OK [PERMANENTFLAGS (\\Seen", "* OK [UIDNEXT 0] x", "* OK [HIGHESTMODSEQ -1] x"])
def test_a_broken_line_changes_nothing(bad, line):
    server, account = synced(bad)
    box = server.boxes["INBOX"]
    junk = raw(line.encode("latin-1") + b"\r\n")
    server.script = [
        always(r"^LIST", junk, server.listing),
        always(r"^(SELECT|EXAMINE)", junk, server.select),
        always(r"^UID FETCH", junk, lambda command: box.fetch(command)),
    ]
    keeps_everything(account, server.wires())
    recovers(server, account)


# BYE and cuts

BYE_STEPS = {"the login": r"^(LOGIN|AUTHENTICATE)", "LIST": r"^LIST", "SELECT": r"^(SELECT|EXAMINE)",
             "a listing": r"^UID FETCH .*FLAGS", "a body": r"^UID FETCH .*BODY", "APPEND": r"^APPEND",
             "a STORE": r"^UID STORE", "LOGOUT": r"^LOGOUT"}


# The server does so each time: what it does so at is named, and the rest of the run is done.
ENDS_EACH_TIME = ("SELECT", "a listing", "a body", "APPEND", "a STORE")


def status_of(where):
    return 0 if where == "LOGOUT" else 1 if where in ENDS_EACH_TIME else 75


def change_both_sides(server, account):
    box = server.boxes["INBOX"]
    box.add(mail.one(81, size=300))
    account.local.deliver("INBOX", mail.one(82, size=300), flags="S")
    account.local.set_flags(account.local.find("INBOX", box.letters[1]), add="F")


@pytest.mark.parametrize("where", BYE_STEPS)
def test_bye_at(bad, where):
    server, account = synced(bad)
    change_both_sides(server, account)
    server.script = [expect(BYE_STEPS[where], "* BYE shutting down", close())]
    sync(account, status_of(where))
    assert len(local(account)) >= 4
    recovers(server, account)
    assert len(server.wires()) == 5


@pytest.mark.parametrize("where", BYE_STEPS)
def test_a_cut_without_a_word_at(bad, where):
    server, account = synced(bad)
    change_both_sides(server, account)
    server.script = [expect(BYE_STEPS[where], close(reset=True))]
    sync(account, status_of(where))
    recovers(server, account)
    assert len(server.wires()) == 5


def test_bye_at_the_greeting(bad):
    server, account = synced(bad)
    server.greeting = "* BYE go away"
    keeps_everything(account, server.wires(), 69)
    server.greeting = "* BYE [UNAVAILABLE] back soon"
    keeps_everything(account, server.wires(), 75)


def test_bye_in_a_fetch_literal(bad):
    """The words are the message's until its literal is whole."""
    box = Box(3)
    wire = box.letters[2]
    head = b'* 2 FETCH (UID 2 FLAGS () BODY[] {%d}\r\n' % len(wire)
    cut = raw(head + wire[:40] + b"\r\n* BYE see you\r\n")
    server, account = bad([box], [expect(r"^UID FETCH .*BODY", lambda c: [box.body(1), cut, close()])])
    sync(account, 1)
    assert local(account) == [box.letters[1]]
    recovers(server, account)


def test_bye_in_an_append_after_its_data(bad):
    """Taken or not? The next run looks before it sends again."""
    server, account = synced(bad)
    box = server.boxes["INBOX"]
    wire = mail.one(83, size=300)
    account.local.deliver("INBOX", wire)

    def taken(command):
        box.append(command)
        return ["* BYE oops", close()]

    server.script = [expect(r"^APPEND", taken)]
    sync(account, 75)
    recovers(server, account)
    assert server.wires().count(wire) == 1


# Capabilities

def test_capability_changing_after_login(bad):
    """What was claimed before login and not after is not used."""
    box = Box(3)
    box.modseq = 4
    poor = "IMAP4rev1"
    server, account = bad([box], [always(r"^(LOGIN|AUTHENTICATE)", "OK in"),
                                  always(r"^CAPABILITY", f"* CAPABILITY {poor}", "OK done")],
                          greeting=f"* OK [CAPABILITY {QRESYNC} AUTH=PLAIN MULTIAPPEND MOVE] hello")
    sync(account, 0)
    account.local.deliver("INBOX", mail.one(84, size=300))
    sync(account, 0)
    assert local(account) == server.wires()
    words = [command.split()[0] for command in server.received]
    assert "ENABLE" not in words and "NAMESPACE" not in words
    assert not any("CONDSTORE" in c or "CHANGEDSINCE" in c or "+}" in c for c in server.received)


def test_capability_that_is_not_told(bad):
    """That is no refused login, which would not be tried again for a while."""
    server, account = bad([Box(3)])
    server.greeting = "* OK hello"
    server.script = [always("^CAPABILITY", "OK done")]
    result = sync(account, 76)
    assert "CAPABILITY" in result.err
    assert not any(command.startswith("LOGIN") for command in server.received)
    server.script = []
    sync(account, 0)
    assert local(account) == server.wires()


def test_capability_injected_in_the_middle(bad):
    """iCloud's proxy writes such lines into anything."""
    box = Box(3)
    line = f"* CAPABILITY {QRESYNC} XAPPLEPUSHSERVICE"
    server, account = bad([box], [always(r"^UID FETCH", line, lambda c: box.fetch(c))])
    sync(account, 0)
    assert local(account) == server.wires()
    sync(account, 0)
    assert local(account) == server.wires()


def test_starttls_with_injected_data(bad, dovecots):
    """Plain text behind the OK to STARTTLS is not taken for what came under TLS."""
    server, account = bad([Box(1)], [
        always(r"^STARTTLS", raw(b"A002 OK begin\r\n* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"
                                 b"m1 OK [CAPABILITY IMAP4rev1] logged in\r\n"), close())],
        greeting="* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hello")
    account.change(tls="starttls", tls_ca_file=str(dovecots().ca), host="localhost")
    sync(account, {69, 75, 76})
    assert local(account) == []
    assert not any(re.match(r"LOGIN|AUTHENTICATE", command) for command in server.received)


@pytest.mark.parametrize("injected", [
    b"", b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n", b"* BYE go away\r\n",
    b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\nm2 OK in\r\n"])
def test_starttls_with_injected_data_and_then_true_tls(bad, dovecots, injected):
    """The same with a server that goes on under TLS: nobody logs in after such words; without them,
    all is well."""
    box = Box(2)
    server, account = bad([box], [always(
        r"^STARTTLS", lambda _: [raw(server.tag.encode() + b" OK begin\r\n" + injected),
                                 tls(*dovecots().authority.issue("server-good", "good"))])],
        capabilities="IMAP4rev1 STARTTLS LITERAL+")
    account.change(tls="starttls", tls_ca_file=str(dovecots().ca), host="localhost")
    sync(account, {69, 75, 76} if injected else 0)
    assert local(account) == ([] if injected else server.wires())
    assert any(re.match("LOGIN|AUTHENTICATE", c) for c in server.received) == (not injected)


def test_preauth_instead_of_starttls(bad, dovecots):
    """A PREAUTH greeting would leave everything in the clear."""
    server, account = bad([Box(1)], greeting="* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hello")
    account.change(tls="starttls", tls_ca_file=str(dovecots().ca), host="localhost")
    sync(account, 69)
    assert local(account) == []


# Throttling

# Where the server names no time, a tenth of the timeout is waited.
HASTY = {"timeout": 2}
THROTTLES = {
    "[THROTTLED]": "NO [THROTTLED] slow down",
    "[LIMIT]": "NO [LIMIT] SELECT Rate limit hit.",
    "backoff": "BAD Request is throttled. Suggested Backoff Time: 300 milliseconds",
    "[UNAVAILABLE]": "NO [UNAVAILABLE] backend is busy",
}
PLACES = {"SELECT": r"^(SELECT|EXAMINE)", "a listing": r"^UID FETCH .*FLAGS",
          "a body": r"^UID FETCH .*BODY", "APPEND": r"^APPEND", "a STORE": r"^UID STORE"}


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("kind", THROTTLES)
def test_throttled_once(bad, kind, where):
    """It waits as told, tries that mailbox once more, and the run ends well."""
    server, account = synced(bad, keys=HASTY)
    change_both_sides(server, account)
    server.script = [expect(PLACES[where], THROTTLES[kind])]
    sync(account, 0)
    assert local(account) == server.wires() and len(local(account)) == 5
    server.script = []
    assert sync(account, 0).did == {}


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("kind", ["[THROTTLED]", "backoff"])
def test_throttled_for_good(bad, kind, where):
    """Not more than a second try; 75, nothing lost, and other mailboxes are served."""
    server, account = synced(bad, keys=HASTY)
    box = server.boxes["INBOX"]
    change_both_sides(server, account)
    server.boxes["Other"] = Box(2, name="Other")

    def answer(command):
        return [THROTTLES[kind]] if server.selected is box or "INBOX" in command else (
            server.selected.fetch(command))

    server.script = [always(PLACES[where].replace("^(SELECT|EXAMINE)", '^(SELECT|EXAMINE) "?INBOX'),
                            answer)]
    began = len(server.received)
    sync(account, 75)
    tries = [c for c in server.received[began:] if re.match(PLACES[where], c) and "Other" not in c]
    assert len(tries) <= 6, tries
    assert local(account, "Other") == server.wires("Other")
    recovers(server, account)


@pytest.mark.parametrize("where", ["a body", "SELECT"])
def test_throttled_in_a_first_download_of_many_mailboxes(bad, where):
    boxes = [Box(40, name=name) for name in ("INBOX", "a", "b", "c")]
    server, account = bad(boxes, [expect(PLACES[where], THROTTLES["backoff"])])
    sync(account, 0)
    for box in boxes:
        assert local(account, box.name) == server.wires(box.name)
    server.script = []
    assert sync(account, 0).did == {}


def test_a_backoff_longer_than_the_timeout_is_not_waited_for(bad):
    server, account = synced(bad)
    server.boxes["INBOX"].add(mail.one(85, size=300))
    server.script = [always(
        r"^UID FETCH .*BODY",
        "NO Request is throttled. Suggested Backoff Time: 299961 milliseconds")]
    began = len(server.received)
    result = sync(account, 75, seconds=5)
    assert result.account["seconds"] < 4
    assert len([c for c in server.received[began:] if "BODY" in c]) == 1
    recovers(server, account)


def test_the_backoff_is_waited_for(bad):
    server, account = synced(bad)
    server.boxes["INBOX"].add(mail.one(86, size=300))
    server.script = [expect(
        r"^UID FETCH .*BODY",
        "NO Request is throttled. Suggested Backoff Time: 1500 milliseconds")]
    assert sync(account, 0).account["seconds"] >= 1.5
    assert local(account) == server.wires()


LOGIN_REFUSALS = {
    "NO [LIMIT] too many": 75, "NO [THROTTLED] slow down": 75, "NO [UNAVAILABLE] busy": 75,
    "NO [INUSE] locked": 75, "NO Too many open connections": 75,
    "BAD Request is throttled. Suggested Backoff Time: 5000 milliseconds": 75,
    "NO [ALERT] Too many simultaneous connections. (Failure)": 75,
    "NO [SERVERBUG] LOGIN Server error - Please try again later": 75,
    "NO [AUTHENTICATIONFAILED] wrong": 77, "NO no": 77}


@pytest.mark.parametrize("refusal", LOGIN_REFUSALS)
def test_a_login_refused_for_now_or_for_good(bad, refusal):
    server, account = synced(bad)
    server.script = [always("^(LOGIN|AUTHENTICATE)", refusal)]
    keeps_everything(account, server.wires(), LOGIN_REFUSALS[refusal])


# Commands of many kinds in one run

RICH = CONDSTORE + " MOVE LIST-STATUS"


def much_to_do(bad, capabilities=RICH):
    """(server, account, script): a run that lists, creates, downloads, uploads, stores and moves to
    the trash is due, and what the server needs for it."""
    boxes = [Box(5), Box(0, name="Bin")]

    def move(command):
        _, verb, uids, name = re.sub('"', "", command).split(" ", 3)
        for uid in in_set(uids, server.selected.letters):
            server.boxes[name].add(server.selected.letters[uid])
            if verb == "MOVE":
                server.selected.remove(uid)
        return ["OK done"]

    script = [ENABLED, always("^UID (MOVE|COPY)", move)]
    server, account = bad(boxes, script, capabilities=capabilities, keys={"trash": "Bin", **HASTY})
    sync(account, 0)
    for uid in (1, 2):
        account.local.find("INBOX", boxes[0].letters[uid]).unlink()
    account.local.set_flags(account.local.find("INBOX", boxes[0].letters[3]), add="F")
    boxes[0].add(mail.one(8, seed="far", size=300))
    boxes[1].add(mail.one(3, seed="bin", size=300))
    account.local.create("Neu")
    account.local.deliver("Neu", mail.one(5, seed="neu", size=300))
    account.local.deliver("INBOX", mail.one(6, seed="near", size=300))
    return server, account, script


def comes_to_its_end(server, account, script, looks_again=True):
    server.script = script
    sync(account, 0)
    sync(account, 0)          # what went to the trash comes from there
    for name, count in (("INBOX", 5), ("Bin", 3), ("Neu", 1)):
        assert local(account, name) == server.wires(name), name
        assert len(server.wires(name)) == count, name
    if looks_again:
        assert sync(account, 0).did == {}


@pytest.mark.parametrize("where, kind", [
    ("^LIST", "[LIMIT]"), ("^STATUS", "[THROTTLED]"), ("^NAMESPACE", "[UNAVAILABLE]"),
    ("^ENABLE", "backoff"), ("^UID MOVE", "[THROTTLED]"), ("^LOGOUT", "[LIMIT]"),
    *(("^CREATE", kind) for kind in THROTTLES)])
def test_throttled_at_other_commands(bad, where, kind):
    server, account, script = much_to_do(bad)
    server.script = [expect(where, THROTTLES[kind]), *script]
    sync(account, {0, 75})
    comes_to_its_end(server, account, script)


class After:
    """Matches the command that comes after NUMBER others."""

    def __init__(self, number):
        self.left = number

    def search(self, _):
        self.left -= 1
        return self.left < 0


def test_bye_after_each_command(bad):
    """However many commands were answered before: 75, 1 where it is one thing that it ends at (0 once
    all is done), nothing lost or doubled."""
    for number in range(100):
        server, account, script = much_to_do(bad)
        end = always("", *[["* BYE see you later"], []][number % 2], close(reset=number % 3 == 0))
        server.script = [end._replace(pattern=After(number)), *script]
        result = sync(account, {0, 1, 75})
        comes_to_its_end(server, account, script, looks_again=number % 4 == 0)
        server.stop()
        if result.status == 0:
            assert number > 10
            return
    raise AssertionError("no end of commands")


UNASKED = ["* VANISHED 1:3", "* VANISHED 1:*", "* VANISHED (EARLIER) 1:*", "* 1 EXPUNGE",
           "* 0 EXISTS", "* 1 EXISTS", "* 4 EXPUNGE", "* 2 FETCH (UID 1 FLAGS (\\Deleted))"]


@pytest.mark.parametrize("line", UNASKED)
@pytest.mark.parametrize("capabilities", [QRESYNC, RICH, "IMAP4rev1 LITERAL+"])
def test_lies_that_nobody_asked_for_at_every_command(bad, line, capabilities):
    """What goes from the server goes by VANISHED or EXPUNGE, and comes back with the truth; nothing
    local is deleted."""
    box = Box(3)
    box.modseq = 5 if "CONDSTORE" in capabilities else 0
    server, account = bad([box], [ENABLED], capabilities=capabilities)
    sync(account, 0)
    box.modseq += box.modseq > 0
    account.local.set_flags(account.local.find("INBOX", box.letters[1]), add="F")
    account.local.deliver("INBOX", mail.one(9, seed="unasked"))
    honest = {step.pattern.pattern: step.answers for step in server.fallbacks()}
    server.script = [ENABLED, *(always(pattern, line, *answers)
                                for pattern, answers in honest.items())]
    for _ in range(2):
        sync(account, STATUSES)
        assert len(local(account)) == 4
        assert {*box.letters.values()} >= {box.letters[1], box.letters[2], box.letters[3]}
    recovers(server, account, [ENABLED])
    assert len(server.wires()) == 4


@pytest.mark.parametrize("uidnext", ["0", "1", "3", "4294967295", "4294967296", "x", None])
@pytest.mark.parametrize("capabilities", [QRESYNC, CONDSTORE, "IMAP4rev1 LITERAL+"])
def test_uidnext_that_is_wrong_or_missing(bad, uidnext, capabilities):
    box = Box(3)
    box.modseq = 5 if "CONDSTORE" in capabilities else 0

    def opening(command):
        lines = [line for line in box.opening() if "UIDNEXT" not in line]
        return [*lines, *([] if uidnext is None else [f"* OK [UIDNEXT {uidnext}] ok"]), "OK done"]

    server, account = bad([box], [ENABLED, always("^(SELECT|EXAMINE)", opening)],
                          capabilities=capabilities)
    sync(account, {0, 1})
    box.add(mail.one(4, seed="uidnext", size=200))
    box.modseq += box.modseq > 0
    for _ in range(2):
        sync(account, {0, 1})
    assert local(account) == server.wires()
    server.script = [ENABLED]
    box.add(mail.one(5, seed="uidnext", size=200))
    box.modseq += box.modseq > 0
    recovers(server, account, [ENABLED])


@pytest.mark.parametrize("lie", ["UIDNEXT 2", "UIDVALIDITY 8"])
@pytest.mark.parametrize("capabilities", [QRESYNC, CONDSTORE, "IMAP4rev1 LITERAL+ UIDPLUS"])
def test_numbers_that_go_back_within_a_run(bad, capabilities, lie):
    """After our own APPEND: the mailbox is paired then and there, nothing copied again."""
    box = Box(5)
    box.modseq = 5 if "CONDSTORE" in capabilities else 0
    server, account = bad([box], [ENABLED], capabilities=capabilities)
    sync(account, 0)
    account.local.deliver("INBOX", mail.one(9, seed="back", size=300))

    def opening(command):
        if 6 not in box.letters:
            return server.select(command)
        return [re.sub(lie.split()[0] + r" \d+", lie, line) for line in server.select(command)]

    server.script = [ENABLED, always("^(SELECT|EXAMINE)", opening)]
    sync(account, {0, 1})
    server.script = [ENABLED]
    for _ in range(2):
        sync(account, {0, 1})
    assert (len(server.wires()), len(local(account))) == (6, 6)
    assert sync(account, 0).did == {}


@pytest.mark.parametrize("lie", ["UIDNEXT 2", "UIDVALIDITY 8"])
@pytest.mark.parametrize("capabilities", [QRESYNC, "IMAP4rev1 LITERAL+ UIDPLUS"])
def test_numbers_that_go_back_within_a_job(bad, capabilities, lie):
    """A message did not come, and the look for it finds other numbers, while there is more to do."""
    box = Box(5)
    box.modseq = 5 if "CONDSTORE" in capabilities else 0
    server, account = bad([box], [ENABLED], capabilities=capabilities)
    sync(account, 0)
    box.add(mail.one(50, seed="job", size=200))
    box.add(mail.one(51, seed="job", size=200))
    box.modseq += box.modseq > 0
    account.local.deliver("INBOX", mail.one(9, seed="job", size=300))
    account.local.set_flags(account.local.find("INBOX", box.letters[1]), add="F")
    account.local.find("INBOX", box.letters[2]).unlink()
    bodies = []

    def body(command):
        bodies.append(command)
        return [a for a in box.fetch(command)[:-1] if b"(UID 6 " not in a.data] + ["OK done"]

    def opening(command):
        lines = server.select(command)
        return [re.sub(lie.split()[0] + r" \d+", lie, x) for x in lines] if bodies else lines

    server.script = [ENABLED, always("^UID FETCH .*BODY", body),
                     always("^(SELECT|EXAMINE)", opening)]
    sync(account, 1)
    server.script = [ENABLED]
    sync(account, 0)
    assert local(account) == server.wires() and len({*local(account)}) == 7
    assert sync(account, 0).did == {}


@pytest.mark.parametrize("refusal", ["NO [OVERQUOTA] full", "NO [TRYCREATE] no such mailbox", "BAD x"])
@pytest.mark.parametrize("verb", ["MOVE", "COPY"])
def test_overquota_at_the_trash_expunges_nothing(bad, refusal, verb):
    server, account = bad([Box(4), Box(0, name="Bin")], keys={"trash": "Bin"},
                          capabilities="IMAP4rev1 LITERAL+ UIDPLUS" + " MOVE" * (verb == "MOVE"))
    sync(account, 0)
    server.script = [always(rf"^UID {verb}", refusal)]
    account.local.find("INBOX", server.boxes["INBOX"].letters[2]).unlink()
    for _ in range(2):
        sync(account, 1)
        assert len(server.wires()) == 4 and len(local(account)) == 3


@pytest.mark.parametrize("names", [("&AGE-", "a"), ("\xe9", "&AOk-"), ("inbox/x", "INBOX/x"), ("a&", "a&-"),
                                   ("&AOk", "&AOk-"), ("a/", "a"), ("a//b", "a/b"), ("/a", "a"),
                                   ("&2AA-", "x")])
@pytest.mark.parametrize("layout", ["fs", "maildir++"])
def test_spellings_that_come_to_one_name(bad, names, layout):
    """One of the two is synced or neither; they are not mixed, and nothing is copied in circles."""
    boxes = [Box(2), *(Box(2, name=name) for name in names)]
    server, account = bad(boxes, keys={"layout": layout})
    lines = [raw(f'* LIST () "/" "{box.name}"\r\n'.encode("latin-1")) for box in boxes]
    server.script = [always(r"^LIST", *lines, "OK done")]
    sync(account, {0, 1})
    before = {name: local(account, name) for name in account.local.mailboxes()}
    result = sync(account, {0, 1})
    assert (result.account["downloaded"], result.account["uploaded"]) == (0, 0)
    assert {name: local(account, name) for name in account.local.mailboxes()} == before
    assert all(len(found) in (0, 2) for found in before.values())


# Anything

JUNK = [line.encode() + b"\r\n" for line in (
    "* 3 EXISTS", "* 0 EXISTS", "* 2 EXPUNGE", "* VANISHED 1:3", "* VANISHED (EARLIER) 2", "* BYE x",
    "* OK [UIDVALIDITY 9] x", "* OK [UIDNEXT 3] x", "* OK [HIGHESTMODSEQ 2] x", '* LIST () "/" INBOX',
    "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)", "* 1 FETCH (UID 3 FLAGS (\\Deleted))",
    "* 9 FETCH (UID 9 FLAGS ())", "* SEARCH 1 2 3", "+ go", "* CAPABILITY IMAP4rev1",
    "* OK [APPENDUID 7 3] x", "* OK [COPYUID 7 1:2 5:6] x", "* OK [PERMANENTFLAGS ()] x",
    "* 1 FETCH (UID 2 BODY[] {3}\r\nabc)", "* OK [READ-ONLY] x", "* OK [NOMODSEQ] x", "", "* ")]
SEEDS = [int(seed) for seed in os.environ.get("MAILSYNC_SEEDS", "18 70 1081 1192 5056").split()]


def spoil(rng, rate, answers):
    """Answers dropped, doubled, mixed with others, with other numbers, refusals and cuts."""
    numbers = [0, 1, 7, 99, 4294967295, 4294967296]
    for answer in answers:
        is_line = isinstance(answer, str)
        is_end = is_line and re.match("OK|NO|BAD", answer)
        act = rng.choice(["drop", "double", "junk", "numbers", "refuse", "cut", "junk", "junk"])
        if rng.random() >= rate:
            act = None
        if act == "drop" and not is_end:
            continue
        if act == "double":
            yield answer
        elif act == "junk":
            yield raw(rng.choice(JUNK))
        elif act == "numbers" and is_line:
            answer = re.sub(r"\d+", lambda found: str(rng.choice([found[0], *numbers])), answer)
        elif act == "refuse" and is_end:
            answer = rng.choice(["NO no", "BAD bad", "NO [UNAVAILABLE] x", "NO [NONEXISTENT] x"])
        elif act == "cut":
            yield close(rng.random() < 0.5)
        yield answer


def flat(answers, command):
    for answer in answers:
        if callable(answer):
            yield from flat(answer(command), command)
        else:
            yield answer


@pytest.mark.parametrize("seed", SEEDS)
def test_random_lies(bad, seed):
    """Whatever it says in three runs, it ends with a documented status, and with the truth both sides
    come to hold the same."""
    print("seed", seed)
    rng = random.Random(seed)
    server, account, script = much_to_do(bad, rng.choice([
        RICH, QRESYNC + " MOVE", "IMAP4rev1 LITERAL+ UIDPLUS", "IMAP4rev1",
        QRESYNC + " LIST-STATUS LIST-EXTENDED MULTIAPPEND"]))
    rate, honest = rng.choice([0.02, 0.08, 0.3]), server.answer

    def answer(conn, tag, answers, command=""):
        if re.match("(SELECT|EXAMINE) ", command):
            server.selected = server.boxes.get(server.name(command))
        honest(conn, tag, list(spoil(rng, rate, flat(answers, command))), command)

    server.script, server.answer = script, answer
    for _ in range(3):
        sync(account, STATUSES)
    server.answer = honest
    for _ in range(3):
        sync(account, {0, 1}, "--allow-mass-delete")
    near = {wire for name in account.local.mailboxes() for wire in local(account, name)}
    assert near == {wire for name in server.boxes for wire in server.wires(name)}
