"""Servers that never count right, or show only some of what they hold: all else of the mailbox is
synced, deleted and paired as ever, and nothing is taken for gone, or doubled, for it."""

import re

import pytest

from lies import CONDSTORE, ENABLED, QRESYNC, clock_of, keeps_everything, local, recovers, sync, synced
from rig import mail
from rig.fake import Box
from rig.scripted import always

PLAIN = "IMAP4rev1 LITERAL+ UIDPLUS"


def without(box, *uids):
    """FETCH of BOX that leaves these out, whatever is asked for."""
    def fetch(command):
        return [line for line in box.fetch(command)
                if not any(f"(UID {uid} " in str(getattr(line, "data", line)) for uid in uids)]
    return always(r"^UID FETCH ", fetch)


def wires(box, *left_out):
    return sorted(wire for uid, wire in box.letters.items() if uid not in left_out)


def skipped(result):
    return result.account["skipped"]


def done(result):
    """What was done; what is left out, or fails, is counted in every run."""
    return {name: count for name, count in result.did.items() if name not in ("skipped", "errors")}


# A message that cannot be had

@pytest.mark.parametrize("capabilities", [PLAIN, CONDSTORE])
def test_a_phantom_uid_holds_up_nothing_else(bad, capabilities):
    """SEARCH and EXISTS know of UID 3, no FETCH does."""
    box = Box(5)
    box.modseq = 5 if "CONDSTORE" in capabilities else 0
    server, account = bad([box], [ENABLED, without(box, 3)], capabilities=capabilities)
    result = sync(account, 0)
    assert skipped(result) == 1
    assert local(account) == wires(box, 3)
    # new mail, a deletion on each side, flags
    box.modseq += box.modseq > 0
    box.add(mail.one(50, seed="new", size=300))
    gone = box.letters[2]
    box.remove(2)
    account.local.find("INBOX", box.letters[4]).unlink()
    account.local.deliver("INBOX", mail.one(51, seed="here", size=300))
    result = sync(account, 0)
    assert gone not in local(account) and 4 not in box.letters and 3 in box.letters
    assert local(account) == wires(box, 3) and len(box.letters) == 5
    assert skipped(result) == 1
    assert done(sync(account, 0)) == {}
    # and pairing
    account.database.unlink()
    assert done(sync(account, 0)) == {}
    assert local(account) == wires(box, 3) and len(box.letters) == 5
    box.modseq += box.modseq > 0
    recovers(server, account, [ENABLED])
    assert len(local(account)) == 5


def test_a_message_that_was_had_and_cannot_be_had_any_more_stays(bad):
    server, account = synced(bad, 5)
    box = server.boxes["INBOX"]
    server.script = [without(box, 3)]
    keeps_everything(account, server.wires(), 0)
    box.remove(5)
    sync(account, 0)
    assert local(account) == server.wires() and len(local(account)) == 4
    box.remove(3)
    server.script = []
    sync(account, 0)
    assert local(account) == server.wires() and len(local(account)) == 3


def test_a_phantom_that_is_removed_is_forgotten(bad):
    box = Box(5)
    server, account = bad([box], [without(box, 3)])
    sync(account, 0)
    box.remove(3)
    server.script = []
    assert skipped(sync(account, 0)) == 0
    assert local(account) == server.wires()


def test_the_file_of_a_phantom_is_not_sent_again(bad):
    """Without base: its name carries the UID, and the message cannot be asked who it is."""
    server, account = synced(bad, 5)
    box = server.boxes["INBOX"]
    account.database.unlink()
    server.script = [without(box, 3)]
    for _ in range(2):
        result = sync(account, 0)
        assert len(box.letters) == 5 and local(account) == server.wires()
        assert skipped(result) == 1
    recovers(server, account)
    assert len(box.letters) == 5


@pytest.mark.parametrize("is_phantom", [False, True])
def test_without_base_a_file_waits_an_hour_for_what_is_not_shown(bad, clock_shim, is_phantom):
    """It may be that message, whose line was left out but once; after an hour it is new mail."""
    box = Box(5)
    server, account = bad([box], [without(box, 3)])
    account.local.create("INBOX")
    for letter in [*box.letters.values()]:
        account.local.deliver("INBOX", letter.replace(b"\r\n", b"\n"), flags="S")
    for _ in range(2):
        sync(account, 0)
        assert len(box.letters) == 5 and len(local(account)) == 5
    if is_phantom:
        clock_of(account, clock_shim)(3700)
        assert done(sync(account, 0)) == {"uploaded": 1}
        assert done(sync(account, 0)) == {}
    else:
        recovers(server, account)
        assert len(box.letters) == 5


# EXISTS that is always off

def opening(server, surplus):
    def answer(command):
        count = len(server.selected.letters)
        return [line.replace(f"* {count} EXISTS", f"* {count + surplus} EXISTS")
                for line in server.select(command)]
    return always(r"^(SELECT|EXAMINE) ", answer)


@pytest.mark.parametrize("surplus", [1, 3, -1])
@pytest.mark.parametrize("capabilities", [PLAIN, CONDSTORE])
def test_a_surplus_in_exists_is_learnt_in_an_hour(bad, clock_shim, surplus, capabilities):
    box = Box(5)
    box.modseq = 5 if "CONDSTORE" in capabilities else 0
    server, account = bad([box], [ENABLED], capabilities=capabilities)
    server.script = [ENABLED, opening(server, surplus)]
    result = sync(account, 1)
    assert "INBOX" in result.errors[0]["message"]
    assert local(account) == server.wires()          # mail comes at once
    box.modseq += box.modseq > 0
    gone = box.letters[2]
    box.remove(2)
    sync(account, 1)
    assert gone in local(account)                     # but nothing is taken for gone

    later = clock_of(account, clock_shim)

    later(3500)
    sync(account, 1)
    assert gone in local(account)
    later(3700)
    sync(account, 0)
    assert local(account) == server.wires() and len(local(account)) == 4
    box.modseq += box.modseq > 0
    box.remove(1)
    box.add(mail.one(52, seed="new", size=300))
    sync(account, 0)
    assert local(account) == server.wires()
    assert done(sync(account, 0)) == {}
    account.database.unlink()                         # learnt anew
    assert done(sync(account, 1)) == {}
    assert len(box.letters) == 4


# A window

def windowed(box, size):
    """Only the newest SIZE messages of BOX are shown and counted."""
    shown = Box(0, box.name)

    def refresh():
        newest = sorted(box.letters)[-size:]
        shown.letters = {uid: box.letters[uid] for uid in newest}
        shown.flags = {uid: box.flags[uid] for uid in newest}
        shown.uidnext, shown.uidvalidity = box.uidnext, box.uidvalidity
        return shown
    return refresh


def test_a_window_of_10000_shows_the_newest_and_the_rest_is_out_of_view(bad):
    """Any server that shows exactly 10,000: what slides out below is not deleted."""
    box = Box(0)
    for number in range(10_000):
        box.add(b"Subject: %d\r\nMessage-ID: <%d@x>\r\n\r\n%d\r\n" % (number, number, number),
                ["\\Seen"])
    server, account = bad([box], keys={"timeout": 60})
    sync(account, 0, seconds=200, memory_kb=200_000)
    refresh = windowed(box, 10_000)
    box.remove(5000)
    for number in range(3):
        box.add(b"Subject: new %d\r\nMessage-ID: <n%d@x>\r\n\r\nn\r\n" % (number, number))
    shown = refresh()
    server.boxes["INBOX"] = shown
    assert len(shown.letters) == 10_000 and 2 not in shown.letters
    result = sync(account, 0, seconds=200, memory_kb=200_000)
    assert done(result) == {"downloaded": 3, "deleted_local": 1}
    assert len(local(account)) == 10_002


def test_without_base_what_may_lie_below_a_window_is_not_sent(bad):
    box = Box(0)
    for number in range(10_004):
        box.add(b"Subject: %d\r\nMessage-ID: <%d@x>\r\n\r\n%d\r\n" % (number, number, number),
                ["\\Seen"])
    server, account = bad([box], keys={"timeout": 60})
    sync(account, 0, seconds=200, memory_kb=200_000)
    refresh = windowed(box, 10_000)
    server.boxes["INBOX"] = shown = refresh()
    account.database.unlink()
    for _ in range(2):
        assert done(sync(account, 0, seconds=200, memory_kb=200_000)) == {}
        assert len(shown.letters) == 10_000 and len(local(account)) == 10_004
    # what is new here since is sent, and with the whole mailbox in view all is paired
    account.local.deliver("INBOX", b"Subject: here\n\nhere\n", flags="S")
    assert done(sync(account, 0, seconds=200, memory_kb=200_000)) == {"uploaded": 1}
    uid = max(shown.letters)
    box.letters[uid], box.flags[uid] = shown.letters[uid], shown.flags[uid]
    box.uidnext = shown.uidnext
    server.boxes["INBOX"] = box
    sync(account, 0, seconds=200, memory_kb=200_000)
    assert len(box.letters) == 10_005 and len(local(account)) == 10_005


def limited(box, limit):
    """RFC 9738: no command tells of more than so many messages."""
    def fetch(command):
        *lines, end = box.fetch(command)
        lines = lines[-limit:]
        lowest = re.search(r"UID (\d+)", str(lines[0]))[1] if lines else 0
        if len(lines) < limit:
            return [*lines, end]
        return [*lines, f"OK [MESSAGELIMIT {limit} {lowest}] some"]

    def search(command):
        return [" ".join(["* SEARCH", *map(str, sorted(box.letters)[-limit:])]),
                f"OK [MESSAGELIMIT {limit} 1] some"]
    return [always(r"^UID FETCH .*FLAGS INTERNALDATE|^UID FETCH .*UID FLAGS", fetch),
            always(r"^UID SEARCH", search)]


def test_what_a_messagelimit_hides_is_not_gone(bad):
    box = Box(8)
    server, account = bad([box], capabilities=PLAIN + " MESSAGELIMIT=5")
    sync(account, 0)
    server.script = limited(box, 5)
    keeps_everything(account, server.wires(), 0)
    gone = box.letters[6]
    box.remove(6)
    sync(account, 0)
    assert gone not in local(account)
    assert local(account) == server.wires()


# Sizes, and refusals without a reason

def test_sizes_of_a_third_of_the_body_hold_up_nothing(bad):
    box = Box(5)

    def listing(command):
        return [re.sub(r"RFC822.SIZE (\d+)", lambda m: f"RFC822.SIZE {int(m[1]) // 3}", x)
                if isinstance(x, str) else x for x in box.fetch(command)]

    server, account = bad([box], [always(r"^UID FETCH ", listing)])
    sync(account, 0)
    assert local(account) == server.wires()
    box.remove(2)
    box.add(mail.one(53, seed="new", size=3000))
    sync(account, 0)
    assert local(account) == server.wires()
    account.database.unlink()
    assert done(sync(account, 0)) == {}
    assert len(box.letters) == 5


def test_a_bare_no_for_everything_holds_up_nothing_else(bad):
    """Work cannot be opened or counted, message 3 not be had, files not be taken, Drafts not made:
    each is refused by NO and nothing else."""
    box, work = Box(5), Box(2, "Work")
    server, account = bad([box, work], keys={"create": "both"})

    def bodies(command):
        answers = box.fetch(command)
        if not any(b"(UID 3 " in getattr(a, "data", b"") for a in answers):
            return answers
        return [*[a for a in answers[:-1] if b"(UID 3 " not in a.data], "NO"]

    refusing = [always(r'^(SELECT|EXAMINE|STATUS) "?Work', "NO"),
                always(r"^UID FETCH .*BODY", bodies), always(r"^(CREATE|SUBSCRIBE) ", "NO"),
                always(r'^APPEND "?Work', "NO")]
    server.script = refusing
    account.local.create("Drafts")
    account.local.deliver("Drafts", mail.one(60, seed="draft", size=300))
    sync(account, 1)
    assert local(account) == wires(box, 3)
    box.remove(2)
    box.add(mail.one(61, seed="new", size=300))
    account.local.find("INBOX", box.letters[4]).unlink()
    account.local.deliver("INBOX", mail.one(62, seed="here", size=300))
    sync(account, 1)
    assert local(account) == wires(box, 3) and len(box.letters) == 5 and 4 not in box.letters
    assert len(local(account, "Drafts")) == 1
    account.database.unlink()
    sync(account, 1)
    assert local(account) == wires(box, 3) and len(box.letters) == 5
    recovers(server, account)
    assert local(account, "Work") == server.wires("Work")
