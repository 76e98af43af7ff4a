"""What was seen once and could not be carried out is carried out later, when the brake is passed,
the direction allows it, a key changes or the obstacle goes, though the server tells it only once
and the mailbox would be skipped."""

import contextlib
import re

import pytest

import lies
from lies import CONDSTORE, ENABLED, QRESYNC
from rig import mail
from rig.fake import Box
from rig.line import Line
from rig.scripted import always
from stories import agree, append, count, idle, letters, paired, uids

WITHOUT = ["", "QRESYNC", "QRESYNC CONDSTORE"]
IDS = ["qresync", "condstore", "neither"]


@pytest.fixture(params=WITHOUT, ids=IDS)
def either(request, make_account):
    """An account over each way to learn what changed."""
    return make_account(disable_extensions=request.param or None)


@pytest.fixture
def there(either):
    """Another client's session of `either`."""
    with either.remote() as session:
        yield session


def held_back(account, *args, status=0, skipped=0):
    """Two runs that must not do it: the second one no longer hears of it."""
    for _ in range(2):
        did = account.sync(*args, status=status).did
        assert did.pop("skipped", 0) == skipped
        assert did == {}


# What can change, and what a later run then does

def remote_new(account, remote, _):
    append(remote, 1, seed="new")
    return {"downloaded": 1}


def remote_flag(account, remote, letters_of):
    remote.store("INBOX", letters_of[0][0], "+FLAGS", "\\Flagged")
    return {"flags_local": 1}


def remote_keyword(account, remote, letters_of):
    remote.store("INBOX", letters_of[0][0], "+FLAGS", "Keyword")
    return {"flags_local": 1}


def remote_unflag(account, remote, letters_of):
    remote.store("INBOX", letters_of[-1][0], "-FLAGS", "\\Seen")
    return {"flags_local": 1}


def remote_gone(account, remote, letters_of):
    remote.expunge("INBOX", letters_of[0][0])
    return {"deleted_local": 1}


def remote_moved(account, remote, letters_of):
    remote.move("INBOX", letters_of[0][0], "other")
    return None


def local_new(account, remote, _):
    account.local.deliver("INBOX", mail.one(77))
    return {"uploaded": 1}


def local_flag(account, remote, letters_of):
    account.local.set_flags(account.local.find("INBOX", letters_of[0][1]), add="F")
    return {"flags_remote": 1}


def local_keyword(account, remote, letters_of):
    letter = account.local.keyword_letter("INBOX", "Keyword")
    account.local.set_flags(account.local.find("INBOX", letters_of[0][1]), add=letter)
    return {"flags_remote": 1}


def local_unflag(account, remote, letters_of):
    account.local.set_flags(account.local.find("INBOX", letters_of[-1][1]), remove="S")
    return {"flags_remote": 1}


def local_gone(account, remote, letters_of):
    account.local.find("INBOX", letters_of[0][1]).unlink()
    return {"deleted_remote": 1}


def local_moved(account, remote, letters_of):
    account.local.move(account.local.find("INBOX", letters_of[0][1]), "other")
    return {"moved": 1}


ON_SERVER = [remote_new, remote_flag, remote_keyword, remote_unflag, remote_gone, remote_moved]
IN_MAILDIR = [local_new, local_flag, local_keyword, local_unflag, local_gone, local_moved]


def prepared(account, remote):
    """Messages that both sides hold, the last one seen, and a second mailbox; [(uid, wire)]."""
    remote.create("other")
    letters_of = append(remote, 3) + append(remote, 1, seed="seen", flags=("\\Seen",))
    account.sync()
    return letters_of


def released(account, remote, expected, *args):
    did = account.sync(*args).did
    if expected is not None:
        assert did == expected
    else:
        assert did != {}
    agree(account, remote)
    idle(account, remote)


@pytest.mark.parametrize("change", ON_SERVER)
def test_a_push_leaves_what_the_server_changed_to_a_later_run(either, there, change):
    expected = change(either, there, prepared(either, there))
    held_back(either, "--push")
    released(either, there, expected)


@pytest.mark.parametrize("change", IN_MAILDIR)
def test_a_pull_leaves_what_was_changed_locally_to_a_later_run(either, there, change):
    expected = change(either, there, prepared(either, there))
    held_back(either, "--pull")
    released(either, there, expected)


@pytest.mark.parametrize("change", ON_SERVER)
def test_with_direction_push_the_servers_changes_wait(account, remote, change):
    letters_of = prepared(account, remote)
    account.change(direction="push")
    expected = change(account, remote, letters_of)
    held_back(account)
    account.change(direction=None)
    released(account, remote, expected)


@pytest.mark.parametrize("change", IN_MAILDIR)
def test_with_direction_pull_local_changes_wait(account, remote, change):
    letters_of = prepared(account, remote)
    account.change(direction="pull")
    expected = change(account, remote, letters_of)
    held_back(account)
    account.change(direction=None)
    released(account, remote, expected)


KEYS = [(remote_new, "copy"), (remote_flag, "flags"), (remote_keyword, "flags"),
        (remote_unflag, "flags"), (remote_gone, "delete"), (local_new, "copy"),
        (local_flag, "flags"), (local_keyword, "flags"), (local_unflag, "flags"),
        (local_gone, "delete"), (local_moved, "delete"), (local_moved, "copy")]


@pytest.mark.parametrize("change, key", KEYS, ids=lambda x: getattr(x, "__name__", x))
def test_a_change_that_no_key_covers_waits_for_one(either, there, change, key):
    letters_of = prepared(either, there)
    either.change(**{key: "none"})
    expected = change(either, there, letters_of)
    held_back(either)
    either.change(**{key: None})
    released(either, there, expected)


@pytest.mark.parametrize("change", ON_SERVER + IN_MAILDIR)
def test_two_changes_of_one_message_wait_together(account, remote, change):
    """A flag set on the other side, in the same run, does not hide what waits."""
    letters_of = prepared(account, remote)
    option = "--push" if change in ON_SERVER else "--pull"
    expected = change(account, remote, letters_of)
    held_back(account, option)
    append(remote, 1, seed="allowed")
    account.local.deliver("INBOX", mail.one(78))
    did = account.sync(option).did
    assert did == {"uploaded": 1} if option == "--push" else {"downloaded": 1}
    last = account.sync().did
    if expected is not None:
        for name, number in expected.items():
            assert last.get(name, 0) >= number
    agree(account, remote)
    idle(account, remote)


# Keys that bound what is copied

def test_a_message_too_large_waits_for_the_bound_to_rise(either, there):
    paired(either, there, 1, max_message_size="1k")
    there.append("INBOX", mail.one(5, size=20_000), when=1_600_000_000)
    either.local.deliver("INBOX", mail.one(6, size=20_000), when=1_600_000_000)
    held_back(either, skipped=2)
    either.change(max_message_size=None)
    released(either, there, {"downloaded": 1, "uploaded": 1})


def test_a_message_too_old_waits_for_the_bound_to_rise(either, there):
    paired(either, there, 1, max_age="30d")
    append(there, 2, seed="old")
    held_back(either)
    either.change(max_age="100y")
    released(either, there, {"downloaded": 2})


@pytest.mark.parametrize("side", ["local", "remote"])
def test_marks_of_deletion_wait_for_expunge(either, there, side):
    (uid, wire), _ = paired(either, there, 2)
    if side == "local":
        either.local.set_flags(either.local.find("INBOX", wire), add="T")
    else:
        there.store("INBOX", uid, "+FLAGS", "\\Deleted")
    either.sync()
    held_back(either)
    either.change(expunge="both")
    released(either, there, {"deleted_local": 1, "deleted_remote": 1})


def test_a_message_marked_deleted_waits_for_expunge_to_end(either, there):
    paired(either, there, 1, expunge="local")
    append(there, 1, seed="marked", flags=("\\Deleted",))
    held_back(either)
    either.change(expunge=None)
    released(either, there, {"downloaded": 1})


def test_keywords_wait_for_their_key(either, there):
    (uid, wire), _ = paired(either, there, 2, keywords="no")
    there.store("INBOX", uid, "+FLAGS", "Keyword")
    held_back(either)
    either.change(keywords=None)
    released(either, there, {"flags_local": 1})
    assert len(letters(either, wire)) == 1


# The brake

def test_deletions_wait_for_leave_to_pass_the_brake(either, there):
    letters_of = paired(either, there, 24)
    for uid, _ in letters_of[:14]:
        there.store("INBOX", uid, "+FLAGS.SILENT", "\\Deleted")
    there.run(there.conn.expunge())
    held_back(either, status=79)
    released(either, there, {"deleted_local": 14}, "--allow-mass-delete")


def test_local_deletions_wait_for_leave_to_pass_the_brake(either, there):
    letters_of = paired(either, there, 24)
    for _, wire in letters_of[:14]:
        either.local.find("INBOX", wire).unlink()
    held_back(either, status=79)
    released(either, there, {"deleted_remote": 14}, "--allow-mass-delete")


def test_deletions_wait_for_leave_however_high_the_brake_is_set_since(either, there):
    letters_of = paired(either, there, 24)
    for uid, _ in letters_of[:14]:
        there.expunge("INBOX", uid)
    held_back(either, status=79)
    either.change(max_delete="60%")
    held_back(either, status=79)
    released(either, there, {"deleted_local": 14}, "--allow-mass-delete")


def test_expunging_waits_for_leave_to_pass_the_brake(either, there):
    letters_of = paired(either, there, 24)
    for uid, _ in letters_of[:14]:
        there.store("INBOX", uid, "+FLAGS.SILENT", "\\Deleted")
    either.sync()
    either.change(expunge="both")
    held_back(either, status=79)
    released(either, there, {"deleted_local": 14, "deleted_remote": 14}, "--allow-mass-delete")


def test_a_mailbox_waits_for_leave_to_be_removed(either, there):
    there.create("box")
    append(there, 14, "box")
    append(there, 1)
    either.change(remove_mailboxes="local")
    either.sync()
    there.delete_mailbox("box")
    held_back(either, status=79)
    assert count(either, "box") == 14
    assert either.sync("--allow-mass-delete").status == 0
    assert "box" not in either.local.mailboxes()
    agree(either, there)


def test_a_mailbox_gone_waits_for_a_run_that_may_act(either, there):
    """--push may not remove it locally; that it went is not forgotten."""
    there.create("box")
    append(there, 2, "box")
    append(there, 1)
    either.change(remove_mailboxes="local")
    either.sync()
    there.delete_mailbox("box")
    either.sync("--push")
    either.sync("--push")
    assert "box" not in there.mailboxes()
    either.sync()
    assert either.local.mailboxes() == ["INBOX"]
    agree(either, there)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_a_new_mailbox_waits_for_a_run_that_may_make_it(either, there, side):
    append(there, 1)
    either.sync()
    if side == "local":
        either.local.create("box")
        either.local.deliver("box", mail.one(3))
    else:
        there.create("box")
        append(there, 1, "box")
    held_back(either, "--pull" if side == "local" else "--push")
    either.change(create="none")
    held_back(either)
    either.change(create=None)
    released(either, there, {"uploaded" if side == "local" else "downloaded": 1})


# Obstacles

def test_a_deletion_waits_for_its_trash(either, there):
    (_, wire), _ = paired(either, there, 2, trash="Bin")
    either.local.find("INBOX", wire).unlink()
    for _ in range(2):
        assert either.sync(status=None).did.get("deleted_remote", 0) == 0
        assert len(uids(there)) == 2
    there.create("Bin")
    either.sync()
    assert len(uids(there)) == 1 and len(uids(there, "Bin")) == 1
    either.sync()
    agree(either, there)


def test_without_uidplus_a_moved_original_goes_though_mail_arrived_beside_it(make_account,
                                                                            dovecots):
    """Where COPY does not tell UIDs, the original waits for its copy to be found."""
    with Line(dovecots().port, hide=r"\[COPYUID [^]]*\] ?") as line:
        account = make_account(disable_extensions="UIDPLUS MOVE", port=line.port)
        with account.remote() as remote:
            for name in ("from", "to", "third"):
                remote.create(name)
            letters_of = append(remote, 2, "from")
            account.sync()
            account.local.move(account.local.find("from", letters_of[0][1]), "to")
            append(remote, 1, "from", seed="new")
            append(remote, 1, "third", seed="new")
            account.sync()
            agree(account, remote)


@pytest.mark.parametrize("without", WITHOUT, ids=IDS)
def test_without_uidplus_a_deletion_waits_for_others_marks_to_go(make_account, without):
    account = make_account(disable_extensions=f"UIDPLUS {without}")
    with account.remote() as remote:
        (_, wire), (marked, _), _ = paired(account, remote, 3)
        remote.store("INBOX", marked, "+FLAGS", "\\Deleted")
        account.sync()
        account.local.find("INBOX", wire).unlink()
        held_back(account, skipped=1)
        assert len(uids(remote)) == 3
        remote.store("INBOX", marked, "-FLAGS", "\\Deleted")
        account.sync()
        assert len(uids(remote)) == 2 and marked in uids(remote)
        account.sync()
        agree(account, remote)


@pytest.mark.parametrize("without", WITHOUT, ids=IDS)
def test_an_upload_waits_for_room_on_the_server(make_account, dovecots, without):
    account = make_account(dovecots(quota="1M"), disable_extensions=without or None)
    with account.remote() as remote:
        first = mail.one(1, size=700_000)
        remote.append("INBOX", first)
        account.sync()
        account.local.deliver("INBOX", mail.one(2, size=600_000), when=1_600_000_000)
        for _ in range(2):
            result = account.sync(status=None)
            assert result.did.get("uploaded", 0) == 0
        remote.expunge("INBOX", remote.find("INBOX", first))
        assert account.sync().did == {"uploaded": 1, "deleted_local": 1}
        agree(account, remote)


@contextlib.contextmanager
def in_the_way(path):
    """A directory where a file is to come."""
    path.mkdir()
    yield
    path.rmdir()


def test_a_download_waits_for_the_folder_to_be_usable(either, there):
    """`tmp` is missing: nothing can be delivered."""
    paired(either, there, 1)
    tmp = either.local.folder("INBOX") / "tmp"
    tmp.rmdir()
    tmp.write_text("not a folder")
    append(there, 2, seed="new")
    for _ in range(2):
        assert either.sync(status=None).did.get("downloaded", 0) == 0
    tmp.unlink()
    tmp.mkdir()
    assert either.sync().did == {"downloaded": 2}
    agree(either, there)
    idle(either, there)


@contextlib.contextmanager
def unreadable(folder):
    new, aside = folder / "new", folder / "aside"
    new.rename(aside)
    new.write_text("not a folder")
    yield
    new.unlink()
    aside.rename(new)


def test_a_message_moved_out_of_a_folder_that_cannot_be_read_waits_for_it(either, there):
    """As new mail it would lose its keyword: the letter is the other folder's."""
    there.create("other")
    uid, wire = append(there, 1)[0]
    there.store("INBOX", uid, "+FLAGS", "Keyword")
    either.sync()
    either.local.move(either.local.find("INBOX", wire), "other")
    with unreadable(either.local.folder("INBOX")):
        for _ in range(2):
            assert either.sync(status=74).did == {"errors": 1}
    released(either, there, {"moved": 1})
    assert there.flags("other", there.uids("other")[0]) == {"keyword"}


def test_a_message_moved_into_a_folder_that_cannot_be_read_waits_for_it(either, there):
    """Gone here and not seen there: no deletion."""
    there.create("other")
    uid, wire = append(there, 1)[0]
    there.store("INBOX", uid, "+FLAGS", "Keyword")
    either.sync()
    either.local.move(either.local.find("INBOX", wire), "other")
    with unreadable(either.local.folder("other")):
        for _ in range(2):
            assert either.sync(status=74).did == {"errors": 1, "skipped": 1}
    released(either, there, {"moved": 1})
    assert there.flags("other", there.uids("other")[0]) == {"keyword"}


def test_a_change_in_a_mailbox_left_out_is_found_when_it_is_taken_in(either, there):
    there.create("box")
    letters_of = append(there, 3, "box")
    append(there, 1)
    either.sync()
    either.change(mailboxes="!box")
    there.expunge("box", letters_of[0][0])
    there.store("box", letters_of[1][0], "+FLAGS", "\\Flagged")
    append(there, 1, "box", seed="new")
    held_back(either)
    either.change(mailboxes=None)
    released(either, there, {"deleted_local": 1, "flags_local": 1, "downloaded": 1})


def test_a_change_in_a_mailbox_not_named_is_found_when_it_is(either, there):
    there.create("box")
    letters_of = append(there, 3, "box")
    append(there, 1)
    either.sync()
    there.expunge("box", letters_of[0][0])
    there.store("box", letters_of[1][0], "+FLAGS", "\\Flagged")
    either.local.find("box", letters_of[2][1]).unlink()
    for _ in range(2):
        assert either.run("--json", "sync", "home/INBOX").did == {}
    released(either, there, {"deleted_local": 1, "flags_local": 1, "deleted_remote": 1})


def test_keywords_that_are_not_synced_any_more_stay_as_they_are(either, there):
    (uid_one, one), (uid_two, two), (uid_three, three) = append(
        there, 3, flags=("Keyword", "Other"))
    either.sync()
    either.change(keywords="no")
    either.local.set_flags(either.local.find("INBOX", one), add="F")
    there.store("INBOX", uid_two, "+FLAGS", "\\Answered Third")
    there.store("INBOX", uid_three, "-FLAGS", "Other")
    assert either.sync().did == {"flags_local": 1, "flags_remote": 1}
    assert there.flags("INBOX", uid_one) == {"F", "keyword", "other"}
    assert either.local.flags(either.local.find("INBOX", two)) == {"R", "a", "b"}
    assert either.sync().did == {}
    either.change(keywords=None)
    released(either, there, {"flags_local": 2})
    assert either.local.flags(either.local.find("INBOX", three)) == {"a"}


# Obstacles that a scripted server puts up. Its HIGHESTMODSEQ stays, so the mailbox would be skipped.

@pytest.fixture(params=[QRESYNC + " LIST-STATUS LIST-EXTENDED", CONDSTORE, "IMAP4rev1 LITERAL+ UIDPLUS"],
                ids=IDS)
def fake(request, bad):
    """(server, account): five messages that both sides hold, over each way to learn what changed."""
    box = Box(5)
    box.modseq = 7 if "CONDSTORE" in request.param else 0
    server, account = bad([box], [ENABLED], capabilities=request.param)
    lies.sync(account, 0)
    return server, account


def with_obstacle(server, account, step, statuses, **did):
    """Two runs against it do DID at most once, the one without it does the rest."""
    server.script = [ENABLED, step]
    for expected in (did, {}):
        counts = lies.sync(account, statuses).did
        counts.pop("errors", 0)
        counts.pop("skipped", 0)
        assert counts == expected
    server.script = [ENABLED]
    return lies.sync(account, 0).did


def test_a_download_waits_for_the_server_to_give_the_message(fake):
    server, account = fake
    box = server.boxes["INBOX"]
    uid = box.add(mail.one(50, size=300))
    box.modseq += box.modseq > 0
    refuse = always(rf"^UID FETCH .*\b{uid}\b.*BODY", "NO not today")
    assert with_obstacle(server, account, refuse, 1) == {"downloaded": 1}
    assert lies.local(account) == server.wires()
    assert lies.sync(account, 0).did == {}


def test_an_upload_waits_for_the_server_to_take_the_message(fake):
    server, account = fake
    account.local.deliver("INBOX", mail.one(51, size=300))
    assert with_obstacle(server, account, always("^APPEND", "NO not today"), 1) == {"uploaded": 1}
    assert lies.local(account) == server.wires()


def test_a_flag_waits_for_the_server_to_take_it(fake):
    server, account = fake
    box = server.boxes["INBOX"]
    account.local.set_flags(account.local.find("INBOX", box.letters[2]), add="F")
    done = with_obstacle(server, account, always("^UID STORE", "NO not today"), 1)
    assert done == {"flags_remote": 1} and "\\Flagged" in box.flags[2]
    assert lies.sync(account, 0).did == {}


def test_a_flag_waits_for_permanentflags_to_allow_it(fake):
    """Which are learnt where the mailbox is opened for writing; until then it is left alone."""
    server, account = fake
    box = server.boxes["INBOX"]

    def opening(_):
        return [re.sub(r"PERMANENTFLAGS \(.*?\)", r"PERMANENTFLAGS (\\Seen)", line)
                for line in box.opening()] + ["OK [READ-WRITE] done"]

    server.script = [ENABLED, always("^SELECT", opening)]
    box.add(mail.one(53, size=300), {"\\Seen"})
    box.modseq += box.modseq > 0
    account.local.set_flags(account.local.find("INBOX", box.letters[2]), remove="S")
    lies.sync(account, 0)
    account.local.set_flags(account.local.find("INBOX", box.letters[2]), add="F")
    for _ in range(2):
        assert "flags_remote" not in lies.sync(account, 0).did
    server.script = [ENABLED]
    box.add(mail.one(54, size=300))
    box.modseq += box.modseq > 0
    assert lies.sync(account, 0).did == {"downloaded": 1, "flags_remote": 1}
    assert "\\Flagged" in box.flags[2]
    assert lies.sync(account, 0).did == {}


@pytest.mark.parametrize("told,sent", [
    ("(\\Seen known)", {"known"}), ("()", set()), ("(\\Seen \\Flagged \\*)", {"F", "known", "new"}),
    (None, {"F", "known", "new"})], ids=["some", "none", "any", "untold"])
def test_only_flags_that_permanentflags_allows_are_sent(fake, told, sent):
    """None told is as if all were (RFC 3501, 7.1); an empty list allows none."""
    server, account = fake
    box = server.boxes["INBOX"]
    known = account.local.keyword_letter("INBOX", "known")
    new = account.local.keyword_letter("INBOX", "new")

    def opening(_):
        lines = [line if "PERMANENTFLAGS" not in line else
                 told and f"* OK [PERMANENTFLAGS {told}] ok" for line in box.opening()]
        return [line for line in lines if line] + ["OK [READ-WRITE] done"]

    server.script = [ENABLED, always("^(SELECT|EXAMINE)", opening)]
    if told is None:
        account.database.unlink()      # or what it was told before stands
        lies.sync(account, 0)
    box.add(mail.one(55, size=300), {"\\Seen"})    # a reason to look, and to learn them
    box.modseq += box.modseq > 0
    path = account.local.find("INBOX", box.letters[2])
    account.local.set_flags(path, add="F" + known + new)
    account.local.deliver("INBOX", mail.one(53, size=300), "F" + known + new)
    wanted = {{"F": "\\Flagged"}.get(flag, flag) for flag in sent}
    for _ in range(2):
        lies.sync(account, 0)
        assert box.flags[2] - {"\\Seen"} == wanted
        assert box.flags[max(box.flags)] == wanted
    assert lies.sync(account, 0).did == {}
    server.script = [ENABLED]          # it allows all again, and says so to who opens it
    lies.sync(account, 0)
    assert box.flags[2] - {"\\Seen"} == box.flags[max(box.flags)] == {"\\Flagged", "known", "new"}
    assert lies.sync(account, 0).did == {}


@pytest.mark.parametrize("text", ["NIL", "(\\Seen", "\\Seen x(", "x"])
def test_permanentflags_that_cannot_be_read_allow_what_they_did_before(fake, text):
    server, account = fake
    box = server.boxes["INBOX"]

    def opening(_):
        return [re.sub(r"PERMANENTFLAGS .*?\] ok", lambda _: f"PERMANENTFLAGS {text}] ok", line)
                for line in box.opening()] + ["OK [READ-WRITE] done"]

    server.script = [ENABLED, always("^(SELECT|EXAMINE)", opening)]
    box.add(mail.one(53, size=300), {"\\Seen"})
    box.modseq += box.modseq > 0
    account.local.set_flags(account.local.find("INBOX", box.letters[2]), add="F")
    assert lies.sync(account, 0).did == {"downloaded": 1, "flags_remote": 1}
    assert "\\Flagged" in box.flags[2]


CHANGES = {
    "flag": (lambda account, box: account.local.set_flags(
        account.local.find("INBOX", box.letters[2]), add="F"), {"flags_remote": 1}),
    "deletion": (lambda account, box: account.local.find("INBOX", box.letters[2]).unlink(),
                 {"deleted_remote": 1}),
    "new message": (lambda account, box: account.local.deliver("INBOX", mail.one(52, size=300)),
                    {"uploaded": 1})}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_waits_for_a_mailbox_that_may_be_written(fake, change):
    server, account = fake
    box = server.boxes["INBOX"]
    make, done = CHANGES[change]
    make(account, box)
    step = always("^(SELECT|EXAMINE)", lambda _: [*box.opening(), "OK [READ-ONLY] done"])
    server.script = [ENABLED, step, always("^(APPEND|UID STORE|UID EXPUNGE)", "NO read-only")]
    for _ in range(2):
        counts = lies.sync(account, {0, 1}).did
        assert not {"uploaded", "flags_remote", "deleted_remote"} & set(counts)
    assert len(box.letters) == 5
    server.script = [ENABLED]
    assert lies.sync(account, 0).did == done
    assert lies.sync(account, 0).did == {}


def test_a_deletion_waits_for_the_server_to_expunge(fake):
    server, account = fake
    box = server.boxes["INBOX"]
    account.local.find("INBOX", box.letters[2]).unlink()
    refuse = always("^UID EXPUNGE", "NO not today")
    assert with_obstacle(server, account, refuse, {0, 1}) == {"deleted_remote": 1}
    assert sorted(box.letters) == [1, 3, 4, 5]
    assert lies.sync(account, 0).did == {}


# Mailboxes

def test_a_local_mailbox_gone_waits_for_a_run_that_may_act(either, there):
    """--pull may not remove it on the server; that it went is not forgotten."""
    there.create("box")
    append(there, 2, "box")
    append(there, 1)
    either.change(remove_mailboxes="remote")
    either.sync()
    either.local.remove("box")
    held_back(either, "--pull")
    assert "box" in there.mailboxes() and "box" not in either.local.mailboxes()
    either.sync()
    assert "box" not in there.mailboxes()
    agree(either, there)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_a_rename_waits_for_a_run_that_may_act(either, there, side):
    there.create("old")
    append(there, 2, "old")
    append(there, 1)
    either.sync()
    if side == "local":
        either.local.folder("old").rename(either.local.folder("neu"))
    else:
        there.rename("old", "neu")
    held_back(either, "--pull" if side == "local" else "--push")
    released(either, there, {})
    assert either.local.mailboxes() == there.mailboxes() == ["INBOX", "neu"]


def test_deletions_into_the_trash_wait_for_leave_to_pass_the_brake(either, there):
    there.create("Bin")
    letters_of = paired(either, there, 24, trash="Bin")
    for _, wire in letters_of[:14]:
        either.local.find("INBOX", wire).unlink()
    held_back(either, status=79)
    assert either.sync("--allow-mass-delete").did["deleted_remote"] == 14
    assert (len(uids(there)), len(uids(there, "Bin"))) == (10, 14)
    either.sync()
    agree(either, there)


def test_a_move_waits_for_its_target(either, there):
    """Dovecot refuses a name that begins with ~."""
    (_, wire), _ = paired(either, there, 2)
    either.local.move(either.local.find("INBOX", wire), "~odd")
    for _ in range(2):
        assert "moved" not in either.sync(status=1).did
        assert len(uids(there)) == 2
    either.local.folder("~odd").rename(either.local.folder("good"))
    assert either.sync().did == {"moved": 1}
    agree(either, there)
    idle(either, there)
