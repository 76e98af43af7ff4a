"""expunge, trash, the brake: how messages go, and what keeps them from going."""

import signal

import pytest

import lies
from rig import mail
from rig.scripted import always, close
from rig.watching import Watch
from stories import agree, append, count, idle, letters, paired, uids


def test_deleted_is_a_flag_like_others_without_expunge(account, remote):
    (uid, wire), _ = paired(account, remote, 2)
    remote.store("INBOX", uid, "+FLAGS", "\\Deleted")
    assert account.sync().did == {"flags_local": 1}
    assert letters(account, wire) == "T"
    agree(account, remote)


@pytest.mark.parametrize("side", ["local", "remote"])
def test_expunge_removes_what_is_marked_on_both_sides(account, remote, side):
    (uid, wire), _ = paired(account, remote, 2, expunge="both")
    if side == "remote":
        remote.store("INBOX", uid, "+FLAGS", "\\Deleted")
    else:
        account.local.set_flags(account.local.find("INBOX", wire), add="T")
    assert account.sync().did == {"deleted_local": 1, "deleted_remote": 1}
    assert (count(account), len(uids(remote))) == (1, 1)
    idle(account, remote)


def test_expunge_on_one_side_takes_the_other_where_delete_covers_it(account, remote):
    (uid, _), _ = paired(account, remote, 2, expunge="remote")
    remote.store("INBOX", uid, "+FLAGS", "\\Deleted")
    account.sync()
    assert (count(account), len(uids(remote))) == (1, 1)


def test_expunge_on_one_side_leaves_the_other_where_delete_does_not(account, remote):
    (uid, _), _ = paired(account, remote, 2, expunge="remote", delete="none")
    remote.store("INBOX", uid, "+FLAGS", "\\Deleted")
    account.sync()
    assert (count(account), len(uids(remote))) == (2, 1)
    assert account.sync().did == {}


def test_a_new_message_marked_deleted_is_not_copied_with_expunge(account, remote):
    paired(account, remote, 1, expunge="local")
    append(remote, 1, seed="marked", flags=("\\Deleted",))
    assert account.sync().did == {}
    assert (count(account), len(uids(remote))) == (1, 2)


def test_only_our_own_deletions_are_expunged(account, remote):
    """What another client marked \\Deleted stays when we expunge."""
    (_, one), (uid_two, two), _ = paired(account, remote, 3)
    remote.store("INBOX", uid_two, "+FLAGS", "\\Deleted")
    account.local.find("INBOX", one).unlink()
    account.sync()
    assert uid_two in uids(remote)
    assert len(uids(remote)) == 2


def test_without_uidplus_others_deletions_are_not_expunged(make_account):
    account = make_account(disable_extensions="UIDPLUS")
    with account.remote() as remote:
        (uid_one, one), (uid_two, _), _ = paired(account, remote, 3)
        remote.store("INBOX", uid_two, "+FLAGS", "\\Deleted")
        account.sync()
        account.local.find("INBOX", one).unlink()
        account.sync()
        assert uid_two in uids(remote)


# trash

@pytest.mark.parametrize("trash", ["Trash", "\\Trash"])
def test_remote_deletions_go_to_the_trash(make_account, dovecots, trash):
    account = make_account(dovecots(special_use=True), trash=trash)
    with account.remote() as remote:
        (_, wire), _ = paired(account, remote, 2)
        account.local.find("INBOX", wire).unlink()
        result = account.sync()
        assert result.did.get("deleted_remote") == 1
        assert len(uids(remote)) == 1
        assert [w for _, w, _ in remote.messages("Trash")] == [wire]
        account.sync()
        agree(account, remote)
        idle(account, remote)


def test_in_the_trash_a_deletion_is_one(make_account, dovecots):
    account = make_account(dovecots(special_use=True), trash="Trash")
    with account.remote() as remote:
        (_, wire), = append(remote, 1, "Trash")
        account.sync()
        account.local.find("Trash", wire).unlink()
        account.sync()
        assert uids(remote, "Trash") == []


def test_without_the_trash_nothing_is_expunged(account, remote):
    (_, wire), _ = paired(account, remote, 2, trash="No such box")
    account.local.find("INBOX", wire).unlink()
    result = account.sync(status=None)
    assert result.status != 0 and result.errors
    assert len(uids(remote)) == 2


# The brake

def delete_locally(account, held):
    for _, wire in held:
        account.local.find("INBOX", wire).unlink()


def test_the_brake_holds_a_mass_deletion_and_lets_all_else_through(account, remote):
    held = paired(account, remote, 20)
    delete_locally(account, held[:15])
    account.local.set_flags(account.local.find("INBOX", held[16][1]), add="F")
    append(remote, 1, seed="new")

    result = account.sync(status=79)
    assert result.did.get("deleted_remote", 0) == 0
    assert result.did["flags_remote"] == 1 and result.did["downloaded"] == 1
    assert len(uids(remote)) == 21
    # It stays pending, and is told again.
    assert account.sync(status=79).did.get("deleted_remote", 0) == 0

    assert account.sync("--allow-mass-delete").did == {"deleted_remote": 15}
    agree(account, remote)
    idle(account, remote)


def test_the_brake_holds_local_deletions_too(account, remote):
    held = paired(account, remote, 20)
    for uid, _ in held[:15]:
        remote.expunge("INBOX", uid)
    account.sync(status=79)
    assert count(account) == 20
    assert account.sync("--allow-mass-delete").did == {"deleted_local": 15}


def test_up_to_ten_deletions_never_brake(account, remote):
    held = paired(account, remote, 10)
    delete_locally(account, held)
    assert account.sync().did == {"deleted_remote": 10}


def test_half_of_them_do_not_brake(account, remote):
    held = paired(account, remote, 40)
    delete_locally(account, held[:20])
    assert account.sync().did == {"deleted_remote": 20}


def lose(account, remote, side, wires):
    for wire in wires:
        if side == "local":
            account.local.find("INBOX", wire).unlink()
        else:
            remote.expunge("INBOX", remote.find("INBOX", wire))


@pytest.mark.parametrize("side", ["local", "remote"])
def test_what_goes_in_steps_within_a_minute_is_held_as_if_at_once(account, remote, clock_shim,
                                                                  side):
    """`rm -r` of 100 of 120 files, seen by ten runs in 45 seconds."""
    wires = [wire for _, wire in paired(account, remote, 120)]
    later = lies.clock_of(account, clock_shim)
    did = "deleted_remote" if side == "local" else "deleted_local"
    left = (lambda: len(uids(remote))) if side == "local" else (lambda: count(account))
    for step in range(10):
        lose(account, remote, side, wires[10 * step:10 * (step + 1)])
        later(5 * step)
        result = account.sync(status=0 if step < 6 else 79)
        assert result.did.get(did, 0) == (10 if step < 6 else 0)
    assert left() == 60
    later(500)                       # a minute lets nothing go, and what comes then is judged by itself
    lose(account, remote, side, wires[100:101])
    assert account.sync(status=79).did == {did: 1}
    assert left() == 59
    later(600)
    assert account.sync("--allow-mass-delete").did == {did: 40}
    agree(account, remote)
    idle(account, remote)


@pytest.mark.parametrize("pause, left", [(5, 60), (61, 20)])
def test_what_goes_in_steps_is_judged_over_all_passes_of_a_watch(account, remote, clock_shim, pause, left):
    """`rm -r` of 100 of 120 files, seen by ten passes of one process in 45 seconds, or in ten minutes."""
    wires = [wire for _, wire in paired(account, remote, 120, watch="poll", watch_interval="1h")]
    clock = account.folder / "clock"
    clock.write_text("0")
    with Watch(account, env={"CLOCK_FILE": str(clock)}, preload=clock_shim) as watch:
        watch.until("watching")
        for step in range(10):
            clock.write_text(str(pause * step))
            since = watch.mark()
            lose(account, remote, "local", wires[10 * step:10 * (step + 1)])
            watch.send(signal.SIGUSR1)
            watch.until("watching", since=since)
            watch.wait(lambda since=since: len(watch.of("account", since)), "a pass")
            # A pass may have begun amid the deletions: the next one sees the rest.
            there = max(120 - 10 * (step + 1), left)
            watch.wait(lambda there=there: len(uids(remote)) == there, f"{there} messages there")
    assert len(uids(remote)) == left
    assert account.sync(status=79 if left == 60 else 0).did == {}


def test_what_goes_in_steps_over_minutes_is_not_held(account, remote, clock_shim):
    wires = [wire for _, wire in paired(account, remote, 120)]
    later = lies.clock_of(account, clock_shim)
    for step in range(10):
        lose(account, remote, "local", wires[10 * step:10 * (step + 1)])
        later(61 * step)
        assert account.sync().did == {"deleted_remote": 10}
    agree(account, remote)


def test_the_brake_can_be_set_and_switched_off(account, remote):
    held = paired(account, remote, 40, max_delete="25%")
    delete_locally(account, held[:11])
    account.sync(status=79)
    account.change(max_delete="100%")
    delete_locally(account, held[11:])
    assert account.sync().did == {"deleted_remote": 40}


def test_the_brake_counts_over_the_whole_account(account, remote):
    boxes = ["INBOX", "one", "two"]
    for box in boxes[1:]:
        remote.create(box)
    held = {box: append(remote, 9, box) for box in boxes}
    account.sync()
    for box in boxes:
        for _, wire in held[box]:
            account.local.find(box, wire).unlink()
    result = account.sync(status=79)
    assert result.did.get("deleted_remote", 0) == 0
    assert [len(uids(remote, box)) for box in boxes] == [9, 9, 9]


def test_the_brake_is_in_the_plan(account, remote):
    held = paired(account, remote, 20)
    delete_locally(account, held[:15])
    result = account.sync("--dry-run", status=None)
    assert [op for op in result.plan if op["op"] == "delete_remote"] == []


def empty(account, remote, side, letters):
    """LETTERS go from SIDE."""
    if side == "local":
        delete_locally(account, letters)
    else:
        for uid, _ in letters:
            remote.store("INBOX", uid, "+FLAGS.SILENT", "\\Deleted")
        remote.run(remote.conn.expunge())


def survivors(account, remote, side):
    """How many messages the other side holds."""
    return len(uids(remote)) if side == "local" else count(account)


SIDES = pytest.mark.parametrize("side, lost", [("local", "deleted_remote"),
                                               ("remote", "deleted_local")])


def still_held(account, *args):
    result = account.sync(*args, status=79)
    assert result.did.get("deleted_remote", 0) == result.did.get("deleted_local", 0) == 0
    assert any("--allow-mass-delete" in error["message"] for error in result.errors), result
    return result


@SIDES
def test_what_the_brake_held_stays_held_however_the_mailbox_grows(account, remote, side, lost):
    held = paired(account, remote, 30)
    empty(account, remote, side, held)
    still_held(account)
    for day in range(4):
        append(remote, 20, seed=f"day {day}")
        assert still_held(account).did == {"downloaded": 20}
        assert {error["code"] for error in still_held(account).errors} == {"brake"}
    assert survivors(account, remote, side) == 30 + 80
    assert account.sync("--allow-mass-delete").did == {lost: 30}
    agree(account, remote)
    idle(account, remote)


@SIDES
def test_what_was_held_stays_held_when_its_flags_change(account, remote, side, lost):
    held = paired(account, remote, 15)
    empty(account, remote, side, held)
    still_held(account)
    append(remote, 40, seed="new")
    still_held(account)
    for uid, wire in held:
        if side == "local":
            remote.store("INBOX", uid, "+FLAGS.SILENT", "\\Flagged")
        else:
            account.local.set_flags(account.local.find("INBOX", wire), add="F")
    still_held(account)
    still_held(account)
    assert survivors(account, remote, side) == 55
    assert account.sync("--allow-mass-delete").did == {lost: 15}
    agree(account, remote)


@SIDES
@pytest.mark.parametrize("option", ["--pull", "--push"])
def test_what_was_held_stays_held_over_a_run_that_may_not_act(account, remote, side, lost, option):
    held = paired(account, remote, 15)
    empty(account, remote, side, held)
    still_held(account)
    append(remote, 40, seed="new")
    account.sync("--pull", status=None)
    account.sync(option, status=None)
    still_held(account)
    assert survivors(account, remote, side) == 55
    assert account.sync("--allow-mass-delete").did == {lost: 15}


@SIDES
def test_later_deletions_are_judged_by_themselves(account, remote, side, lost):
    """The held ones count neither as deletions nor as what there is."""
    held = paired(account, remote, 14)
    empty(account, remote, side, held)
    still_held(account)
    more = append(remote, 30, seed="new")
    still_held(account)
    empty(account, remote, side, more[:3])
    result = account.sync(status=79)
    assert result.did == {lost: 3}
    # 15 of the 27 that are not held: over half of these, not of all.
    empty(account, remote, side, more[3:18])
    still_held(account)
    assert survivors(account, remote, side) == 14 + 27
    assert account.sync("--allow-mass-delete").did == {lost: 14 + 15}
    agree(account, remote)


def test_what_is_back_is_not_held_any_more(account, remote, tmp_path):
    held = paired(account, remote, 15)
    files = list(account.local.files("INBOX"))
    for path in files:
        path.rename(tmp_path / path.name)
    still_held(account)
    for path in files:
        (tmp_path / path.name).rename(path)
    assert account.sync().did == {}
    agree(account, remote)
    # And a later deletion of one of them is one of one.
    delete_locally(account, held[:1])
    assert account.sync().did == {"deleted_remote": 1}


def test_expunging_that_was_held_stays_held(account, remote):
    held = paired(account, remote, 15)
    for uid, _ in held[:14]:
        remote.store("INBOX", uid, "+FLAGS.SILENT", "\\Deleted")
    account.sync()
    account.change(expunge="both")
    still_held(account)
    append(remote, 40, seed="new")
    still_held(account)
    still_held(account)
    assert len(uids(remote)) == count(account) == 55
    # The user takes one back.
    remote.store("INBOX", held[0][0], "-FLAGS.SILENT", "\\Deleted")
    still_held(account)
    assert account.sync("--allow-mass-delete").did == {"deleted_local": 13, "deleted_remote": 13}
    agree(account, remote)


def test_what_is_held_is_noted_before_the_line_breaks(bad):
    """Downloads that succeed before it does must not make the mailbox seem grown."""
    server, account = lies.synced(bad, 30)
    box = server.boxes["INBOX"]
    before = lies.local(account)
    box.remove(*range(1, 31))
    for number in range(45):
        box.add(mail.one(number, seed="new", size=200))

    def cut(command):
        *most, _, _ = box.fetch(command)
        return [*most, close()]

    server.script = [always(r"^UID FETCH .*BODY", cut)]
    lies.sync(account, 1)           # it always ends at the same message
    assert count(account) > 60
    server.script = []
    for _ in range(2):
        assert lies.sync(account, 79).did.get("deleted_local", 0) == 0
    assert lies.local(account) == sorted(before + server.wires())


def test_what_the_accounts_brake_held_stays_held(account, remote):
    boxes = ["INBOX", "one", "two"]
    for box in boxes[1:]:
        remote.create(box)
    held = {box: append(remote, 9, box) for box in boxes}
    account.sync()
    for box in boxes:
        for _, wire in held[box]:
            account.local.find(box, wire).unlink()
    still_held(account)
    append(remote, 60, seed="new")
    still_held(account)
    result = still_held(account)
    assert {error["mailbox"] for error in result.errors} == set(boxes)
    assert [len(uids(remote, box)) for box in boxes] == [69, 9, 9]
    assert account.sync("--allow-mass-delete").did == {"deleted_remote": 27}


# Disks that are not there

def test_a_missing_root_deletes_nothing(account, remote, tmp_path):
    paired(account, remote, 3)
    root = account.local.root
    root.rename(tmp_path / "unmounted")
    result = account.sync(status=79)
    assert len(uids(remote)) == 3
    (tmp_path / "unmounted").rename(root)
    assert account.sync().did == {}
    assert result.errors


def test_an_empty_root_deletes_nothing(account, remote, tmp_path):
    paired(account, remote, 3)
    account.local.root.rename(tmp_path / "unmounted")
    account.local.root.mkdir()
    account.sync(status=79)
    assert len(uids(remote)) == 3
    # Not even with leave to delete much.
    account.sync("--allow-mass-delete", status=None)
    assert len(uids(remote)) == 3
