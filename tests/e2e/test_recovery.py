"""Without base, or with one that is not to be believed: both sides are paired, nothing is lost."""

import shutil
import sqlite3
import time

import pytest

import filled
import lies
from rig import mail, tree
from rig.fake import Box
from rig.program import Account
from stories import DAMAGES, agree, append, corrupt, count, idle, lose, paired, uids

WITHOUT = ["", "QRESYNC", "QRESYNC CONDSTORE"]
NAMES = ["INBOX", "Été", "Lists/a & b"]


@pytest.fixture(params=WITHOUT, ids=["qresync", "condstore", "neither"])
def either(request, make_account):
    """An account over each way to learn what changed."""
    return make_account(disable_extensions=request.param or None)


def fill(account, remote, number=4):
    """Mailboxes of odd names that both sides hold; [(mailbox, uid, wire)]."""
    letters_of = []
    for name in NAMES:
        if name != "INBOX":
            remote.create(name)
        letters_of += [(name, uid, wire) for uid, wire in append(remote, number, name)]
    account.sync()
    return letters_of


def forget_nothing(account, remote, before):
    """The messages of BEFORE are there, once, on both sides, and no others."""
    agree(account, remote)
    assert {name: sorted(box) for name, box in remote.read().items()} == before


def held(remote):
    return {name: sorted(box) for name, box in remote.read().items()}


# The state database

@pytest.mark.parametrize("damage", DAMAGES)
def test_a_lost_database_is_made_anew_and_nothing_copied(either, damage):
    with either.remote() as remote:
        fill(either, remote)
        before = held(remote)
        damage(either)
        assert either.sync().did == {}
        forget_nothing(either, remote, before)
        idle(either, remote)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_plan_without_the_database_changes_nothing(account, remote, damage):
    fill(account, remote)
    damage(account)
    states = {p: p.read_bytes() for p in account.database.parent.iterdir()}
    assert account.sync("--dry-run").plan == []
    assert {p: p.read_bytes() for p in account.database.parent.iterdir()} == states


@pytest.mark.parametrize("damage", DAMAGES)
def test_flags_are_joined_when_the_database_is_lost(account, remote, damage):
    (_, uid, wire), *_ = fill(account, remote)
    account.local.set_flags(account.local.find("INBOX", wire), add="F")
    account.sync()
    damage(account)
    account.local.set_flags(account.local.find("INBOX", wire), add="S")
    remote.store("INBOX", uid, "+FLAGS", "\\Answered Keyword")
    assert account.sync().did == {"flags_local": 1, "flags_remote": 1}
    assert remote.flags("INBOX", uid) == {"F", "S", "R", "keyword"}
    agree(account, remote)
    idle(account, remote)


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_only_one_side_has_is_copied_when_the_database_is_lost(either, damage):
    with either.remote() as remote:
        all_of = fill(either, remote)
        name, uid, _ = all_of[0]
        damage(either)
        either.local.find(*(all_of[-1][0], all_of[-1][2])).unlink()
        remote.expunge(name, uid)
        append(remote, 1, "Été", seed="new")
        either.local.deliver("INBOX", mail.one(77))
        # What base would have called deletions is copied: nothing is deleted.
        assert either.sync().did == {"downloaded": 2, "uploaded": 2}
        agree(either, remote)
        idle(either, remote)


def test_a_corrupt_database_is_kept_beside(account, remote):
    fill(account, remote)
    corrupt(account)
    assert "home.db was damaged" in account.sync().err
    assert list(account.database.parent.glob("home.db.corrupt-*"))
    assert account.sync().err == ""


def test_a_database_from_the_future_is_refused(account, remote):
    fill(account, remote)
    with sqlite3.connect(account.database) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    before, files = account.database.read_bytes(), account.local.snapshot()
    append(remote, 1, seed="new")
    result = account.sync(status=78)
    assert "newer" in result.errors[0]["message"]
    assert account.database.read_bytes() == before
    assert account.local.snapshot() == files


def test_an_older_database_deletes_nothing(either, tmp_path):
    with either.remote() as remote:
        all_of = fill(either, remote)
        shutil.copy(either.database, tmp_path / "old.db")
        append(remote, 2, "INBOX", seed="later")
        either.local.find("INBOX", all_of[0][2]).unlink()
        remote.expunge("Été", all_of[4][1])
        either.sync()
        before = held(remote)
        shutil.copy(tmp_path / "old.db", either.database)
        assert either.sync().did == {}
        forget_nothing(either, remote, before)
        idle(either, remote)


def test_with_an_older_database_what_one_side_lacks_comes_back(either, tmp_path):
    with either.remote() as remote:
        all_of = fill(either, remote)
        shutil.copy(either.database, tmp_path / "old.db")
        append(remote, 1, "INBOX", seed="later")
        either.sync()
        shutil.copy(tmp_path / "old.db", either.database)
        either.local.find("INBOX", all_of[0][2]).unlink()
        remote.expunge("Été", all_of[4][1])
        assert either.sync().did == {"downloaded": 1, "uploaded": 1}
        agree(either, remote)


def test_an_older_maildir_deletes_nothing(either, tmp_path):
    """A backup of the Maildir, with its mailsync-id, under a database that knows more."""
    with either.remote() as remote:
        fill(either, remote)
        shutil.copytree(either.local.root, tmp_path / "backup")
        append(remote, 2, "INBOX", seed="later")
        either.sync()
        before = held(remote)
        shutil.rmtree(either.local.root)
        shutil.copytree(tmp_path / "backup", either.local.root)
        assert either.sync().did == {"downloaded": 2}
        forget_nothing(either, remote, before)
        idle(either, remote)


def test_another_tree_in_the_place_of_the_maildir_is_paired(account, remote):
    """No mailsync-id, but mailboxes: base is of another tree."""
    fill(account, remote)
    (account.local.root / "mailsync-id").unlink()
    account.local.find("INBOX", next(iter(remote.messages("INBOX")))[1]).unlink()
    before = held(remote)
    assert account.sync().did == {"downloaded": 1}
    forget_nothing(account, remote, before)


# UIDVALIDITY

def renumber(account, mailbox="INBOX", number=77):
    account.server.doveadm("mailbox", "update", "-u", account.user, "--uid-validity",
                           str(number), mailbox)


def test_a_renumbered_mailbox_is_paired(either):
    with either.remote() as remote:
        fill(either, remote)
        before = held(remote)
        renumber(either)
        assert either.sync().did == {}
        assert remote.status("INBOX")["UIDVALIDITY"] == 77
        forget_nothing(either, remote, before)
        idle(either, remote)


def test_changes_of_a_renumbered_mailbox_are_copied_or_joined(either):
    with either.remote() as remote:
        all_of = fill(either, remote)
        either.local.set_flags(either.local.find("INBOX", all_of[1][2]), add="F")
        either.local.find("INBOX", all_of[0][2]).unlink()
        renumber(either)
        remote.expunge("INBOX", all_of[2][1])
        append(remote, 1, seed="new")
        assert either.sync().did == {"downloaded": 2, "uploaded": 1, "flags_remote": 1}
        agree(either, remote)
        idle(either, remote)


def test_every_mailbox_renumbered_is_paired(either):
    with either.remote() as remote:
        fill(either, remote)
        before = held(remote)
        for number, name in enumerate(NAMES):
            renumber(either, remote.wire(name).strip('"') if name == "INBOX" else name,
                     80 + number)
        assert either.sync().did == {}
        forget_nothing(either, remote, before)
        idle(either, remote)


@pytest.mark.parametrize("with_mail", [True, False])
def test_a_mailbox_deleted_and_made_anew_loses_nothing(either, with_mail):
    with either.remote() as remote:
        fill(either, remote)
        wires = [wire for _, wire, _ in remote.messages("Été")]
        remote.select("INBOX")
        remote.delete_mailbox("Été")
        remote.create("Été")
        renumber(either, "Été", 4_000_000_000)
        for wire in wires[:2] if with_mail else []:
            remote.append("Été", wire, when=1_600_000_000)
        either.sync()
        assert sorted(w for _, w, _ in remote.messages("Été")) == sorted(wires)
        assert count(either, "Été") == 4
        agree(either, remote) if not with_mail else None
        assert either.sync().did == {}


# A Maildir that is there before mailsync

@pytest.fixture(params=filled.PROGRAMS, ids=lambda program: program.name)
def other(request):
    if not request.param.is_there():
        pytest.skip(f"{request.param.name} is not installed")
    return request.param


def copy_of(account, wire):
    """The file that is WIRE but for what another program put into the header."""
    for path in account.local.files("INBOX"):
        lines = path.read_bytes().splitlines(keepends=True)
        if tree.crlf(b"".join(x for x in lines if not x.startswith(b"X-TUID: "))) == wire:
            return path
    raise LookupError("no copy of it")


def test_a_maildir_that_another_program_filled_is_paired(either, other):
    with either.remote() as remote:
        for name in NAMES[1:]:
            remote.create(name)
        for name in NAMES:
            append(remote, 5, name)
        remote.append("INBOX", b"Subject: neither Message-ID nor Date\r\n\r\none\r\n")
        remote.append("INBOX", b"Subject: neither Message-ID nor Date\r\n\r\nanother\r\n")
        remote.append("INBOX", b"\r\nno header at all\r\n")
        wire = mail.one(50)
        remote.append("INBOX", wire)
        remote.append("INBOX", wire)
        other.fill(either)
        assert (either.local.root / "&AMk-t&AOk-" / "cur").is_dir()
        numbers, files = remote.numbers(), sorted(either.local.files("INBOX"))

        assert either.sync().did == {}
        assert remote.numbers() == numbers
        assert sorted(either.local.files("INBOX")) == files
        assert not (either.local.root / "Été").exists()
        assert either.sync().did == {}


def test_the_flat_folders_of_offlineimap_are_kept(account, remote):
    """By default it has mailbox a/b in directory a.b. So has mailsync, then and later."""
    flat = filled.OfflineimapFlat
    if not flat.is_there():
        pytest.skip("offlineimap is not installed")
    names = ["INBOX", "Lists/a & b", "Lists/c", "Lists/c/d", "Été/x y"]
    for name in names[1:]:
        remote.create(name)
    letters = {name: append(remote, 2, name) for name in names}
    flat.fill(account)
    folders = {path.name for path in account.local.root.iterdir()}
    assert {"Lists.a &- b", "Lists.c", "Lists.c.d", "&AMk-t&AOk-.x y"} <= folders
    assert account.sync().did == {}
    append(remote, 1, "Lists/c/d", seed="new")
    remote.expunge("Lists/c", letters["Lists/c"][0][0])
    account.local.deliver("&AMk-t&AOk-.x y", mail.one(60))
    assert account.sync().did == {"downloaded": 1, "uploaded": 1, "deleted_local": 1}
    assert {path.name for path in account.local.root.iterdir()} == folders | {"mailsync-id"}
    assert remote.mailboxes() == sorted(names)
    assert [count(account, name) for name in ("Lists.c", "Lists.c.d")] == [1, 3]
    assert account.sync().did == {}
    lose(account)
    assert account.sync().did == {}
    remote.create("Lists/new")
    append(remote, 1, "Lists/new")
    assert account.sync().did == {"downloaded": 1}
    assert account.sync().did == {}
    assert remote.mailboxes() == sorted([*names, "Lists/new"])


def test_what_another_program_uploaded_is_paired(account, remote, other):
    """It put a header field of its own into the server's copy."""
    account.local.create("INBOX")
    for number in range(4):
        account.local.deliver("INBOX", mail.one(number), flags="S" * (number % 2))
    other.fill(account)
    assert len(uids(remote)) == 4
    assert account.sync().did == {}
    assert (count(account), len(uids(remote))) == (4, 4)
    assert account.sync().did == {}


def test_flags_of_a_filled_maildir_are_joined(either, other):
    with either.remote() as remote:
        (one, first), (two, second), _ = append(remote, 3)
        other.fill(either)
        either.local.set_flags(copy_of(either, first), add="FS")
        remote.store("INBOX", one, "+FLAGS", "\\Answered")
        remote.store("INBOX", two, "+FLAGS", "\\Flagged Keyword")
        assert either.sync().did == {"flags_local": 2, "flags_remote": 1}
        assert either.local.flags(copy_of(either, first)) == {"F", "R", "S"}
        assert "F" in either.local.flags(copy_of(either, second))
        assert remote.flags("INBOX", one) == {"F", "S", "R"}
        assert either.sync().did == {}


def test_new_mail_beside_a_filled_maildir_is_copied(either, other):
    with either.remote() as remote:
        append(remote, 3)
        remote.create("Été")
        append(remote, 2, "Été")
        other.fill(either)
        append(remote, 1, "Été", seed="new")
        either.local.deliver("INBOX", mail.one(60))
        assert either.sync().did == {"downloaded": 1, "uploaded": 1}
        assert not (either.local.root / "Été").exists()
        assert (count(either), len(uids(remote))) == (4, 4)
        assert (count(either, "&AMk-t&AOk-"), len(uids(remote, "Été"))) == (3, 3)


def test_a_maildir_filled_by_hand_is_paired(either):
    """Names that say nothing, dates of the copy; some only here, some only there."""
    with either.remote() as remote:
        both = append(remote, 6)
        either.local.create("INBOX")
        for _, wire in both[1:]:
            either.local.deliver("INBOX", wire.replace(b"\r\n", b"\n"))
        either.local.deliver("INBOX", mail.one(70))
        assert either.sync().did == {"downloaded": 1, "uploaded": 1}
        assert (count(either), len(uids(remote))) == (7, 7)
        assert either.sync().did == {}


@pytest.mark.parametrize("keys", [{"max_message_size": "1k"}, {"max_age": "1d"},
                                  {"direction": "pull"}, {"direction": "push"},
                                  {"copy": "none"}])
def test_all_messages_take_part_in_pairing(account, remote, keys):
    old = mail.one(1, size=5000)
    remote.append("INBOX", old, when=1_000_000_000)
    account.local.create("INBOX")
    account.local.deliver("INBOX", old)
    account.change(**keys)
    assert account.sync().did == {}
    account.change(max_message_size=None, max_age=None, direction=None, copy=None)
    assert account.sync().did == {}
    assert (count(account), len(uids(remote))) == (1, 1)


def test_the_plan_for_a_filled_maildir_is_empty(account, remote):
    both = append(remote, 3)
    account.local.create("INBOX")
    for _, wire in both:
        account.local.deliver("INBOX", wire)
    assert account.sync("--dry-run").plan == []
    assert not (account.local.root / "mailsync-id").exists()


# Whose Maildir it is

@pytest.mark.parametrize("place", [".", "inside", "..", "link"])
def test_roots_that_touch_are_refused_before_anything_is_done(make_account, place):
    account = make_account()
    with account.remote() as remote:
        append(remote, 2)
        root = account.folder / "deep" / "mail"
        root.mkdir(parents=True)
        account.change(maildir=str(root))
        other = root / place
        if place == "link":
            other = account.folder / "link"
            other.symlink_to(root)
        theirs = make_account()
        account.others = {"account second": {**theirs.keys, "maildir": str(other)}}
        with theirs.remote() as second:
            append(second, 2, seed="theirs")
            numbers = second.numbers()
            result = account.sync(status=78)
            assert second.numbers() == numbers
        refused = [e for e in result.of("account") if e["account"] == "second"]
        assert refused and refused[0]["status"] == 78
        assert not theirs.database.exists()
        # The first one's tree holds its own mail alone.
        assert count(account) in (0, 2)
        alone = account.run("--json", "sync", "second")
        assert alone.status == 78


def test_a_maildir_of_another_account_is_refused(account, remote, tmp_path):
    paired(account, remote, 2)
    files, numbers = account.local.snapshot(), remote.numbers()
    thief = Account(tmp_path / "thief", account.server, account.user, name="thief",
                    maildir=account.keys["maildir"])
    result = thief.sync(status=78)
    assert "home" in result.errors[0]["message"]
    assert (account.local.snapshot(), remote.numbers()) == (files, numbers)
    assert account.sync().did == {}


# The brake

def stopped(account, remote):
    """A run that stops with 79, a sentence that tells how to go on, and nothing deleted."""
    files, before = sorted(account.local.files("INBOX")), held(remote)
    result = account.sync(status=79)
    assert result.errors and "--allow-mass-delete" in result.errors[0]["message"], result
    assert sorted(account.local.files("INBOX")) == files
    assert held(remote) == before
    return result


def test_a_missing_root_stops_the_account(either, tmp_path):
    with either.remote() as remote:
        before = fill(either, remote) and held(remote)
        either.local.root.rename(tmp_path / "away")
        stopped(either, remote)
        assert not either.local.root.exists()
        (tmp_path / "away").rename(either.local.root)
        assert either.sync().did == {}
        forget_nothing(either, remote, before)


@pytest.mark.parametrize("mount_point", ["missing", "empty"])
def test_a_missing_root_is_filled_anew_with_leave(either, tmp_path, mount_point):
    with either.remote() as remote:
        before = fill(either, remote) and held(remote)
        either.local.root.rename(tmp_path / "away")
        if mount_point == "empty":
            either.local.root.mkdir()
        stopped(either, remote)
        assert either.sync("--allow-mass-delete").did == {"downloaded": 12}
        forget_nothing(either, remote, before)
        idle(either, remote)


def test_an_emptied_server_mailbox_stops_its_deletions(either):
    with either.remote() as remote:
        letters_of = append(remote, 20)
        append(remote, 1, seed="other")
        either.sync()
        for uid, _ in letters_of:
            remote.store("INBOX", uid, "+FLAGS.SILENT", "\\Deleted")
        remote.run(remote.conn.expunge())
        stopped(either, remote)
        stopped(either, remote)
        assert either.sync("--allow-mass-delete").did == {"deleted_local": 20}
        agree(either, remote)
        idle(either, remote)


def test_an_emptied_folder_stops_its_deletions(either):
    with either.remote() as remote:
        append(remote, 20)
        either.sync()
        for path in list(either.local.files("INBOX")):
            path.unlink()
        stopped(either, remote)
        assert either.sync("--allow-mass-delete").did == {"deleted_remote": 20}
        agree(either, remote)


def test_a_list_that_is_suddenly_empty_stops_the_account(make_account):
    account = make_account(mailboxes="!INBOX", remove_mailboxes="both")
    with account.remote() as remote:
        remote.create("box")
        held_in_it = append(remote, 3, "box")
        account.sync()
        remote.delete_mailbox("box")
        result = account.sync(status=79)
        assert "--allow-mass-delete" in result.errors[0]["message"]
        assert count(account, "box") == 3
        account.change(remove_mailboxes=None)
        assert account.sync("--allow-mass-delete").did == {"uploaded": len(held_in_it)}
        assert len(uids(remote, "box")) == 3


@pytest.mark.parametrize("mailbox", ["empty", "full"])
@pytest.mark.parametrize("number", [3, 20])
def test_another_server_behind_the_account_stops_it(either, make_account, number, mailbox):
    theirs = make_account()
    with either.remote() as remote, theirs.remote() as foreign:
        append(remote, number)
        remote.create("Work")
        append(remote, 2, "Work")
        either.sync()
        if mailbox == "full":
            append(foreign, 4, seed="foreign")
        foreign.select("INBOX")
        renumber(theirs, number=99)
        own = either.keys["user"]
        either.change(user=theirs.user, remove_mailboxes="local")
        stopped(either, foreign)
        stopped(either, foreign)
        assert foreign.mailboxes() == ["INBOX"]
        assert count(either, "Work") == 2
        either.change(user=own)
        assert either.sync().did == {}
        agree(either, remote)


@pytest.mark.parametrize("mailbox", ["empty", "fewer", "more"])
@pytest.mark.parametrize("without", ["", "QRESYNC CONDSTORE"])
def test_another_server_with_the_same_numbers_stops_it(make_account, without, mailbox):
    """UIDVALIDITY is a second and UIDs start at 1: equal ones prove nothing where the address is new."""
    account, theirs = make_account(disable_extensions=without or None), make_account()
    with account.remote() as remote, theirs.remote() as foreign:
        append(remote, 5)
        account.sync()
        foreign.select("INBOX")
        append(foreign, {"empty": 0, "fewer": 3, "more": 9}[mailbox], seed="foreign")
        renumber(theirs, number=remote.status("INBOX")["UIDVALIDITY"])
        own = account.keys["user"]
        account.change(user=theirs.user, remove_mailboxes="both")
        stopped(account, foreign)
        stopped(account, foreign)
        account.change(user=own)
        assert account.sync().did == {}
        agree(account, remote)


def test_a_server_that_moved_is_known_by_its_messages(account, remote):
    letters = append(remote, 3)
    account.sync()
    account.change(host="localhost")
    remote.expunge("INBOX", letters[0][0])
    assert account.sync().did == {"deleted_local": 1}
    agree(account, remote)
    idle(account, remote)


@pytest.mark.parametrize("numbers", ["other", "same"])
def test_another_server_is_taken_over_with_leave(make_account, numbers):
    account, theirs = make_account(), make_account()
    with account.remote() as remote, theirs.remote() as foreign:
        append(remote, 3)
        account.sync()
        append(foreign, 2, seed="foreign")
        renumber(theirs, number=99 if numbers == "other" else remote.status("INBOX")["UIDVALIDITY"])
        account.change(user=theirs.user)
        stopped(account, foreign)
        # A name that mailsync gives tells the second of the download, besides those numbers.
        second = int(time.time())
        while int(time.time()) == second:
            time.sleep(0.02)
        assert account.sync("--allow-mass-delete").did == {"downloaded": 2, "uploaded": 3}
        agree(account, foreign)
        idle(account, foreign)


# A server that was restored from a backup

@pytest.mark.parametrize("capabilities, new", [
    *((capabilities, new) for capabilities in (lies.QRESYNC, lies.CONDSTORE) for new in (0, 1, 3)),
    ("IMAP4rev1 LITERAL+ UIDPLUS", 0), ("IMAP4rev1 LITERAL+ UIDPLUS", 1)])
def test_a_server_restored_from_a_backup(bad, capabilities, new):
    """UIDNEXT or HIGHESTMODSEQ go back, and UIDs that base knows are other messages': both sides are
    paired, new mail arrives, and what the server lost is sent to it."""
    box = Box(12)
    box.modseq = 30 if "CONDSTORE" in capabilities else 0
    server, account = bad([box], [lies.ENABLED], capabilities=capabilities)
    lies.sync(account, 0)
    before = server.wires()
    box.remove(11, 12)
    box.uidnext = 11
    for number in range(new):
        box.add(mail.one(number, seed="fresh", size=300))
    box.modseq = 20 + new if box.modseq else 0
    expected = sorted({*before, *server.wires()})
    did = lies.sync(account, 0).did
    assert did == {"uploaded": 2, **({"downloaded": new} if new else {})}
    assert lies.local(account) == server.wires() == expected
    assert lies.sync(account, 0).did == {}
