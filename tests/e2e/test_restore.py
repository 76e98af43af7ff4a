"""restore: what the server lacks goes back to it, once, with date, flags and keywords."""

import shutil
import sqlite3

import pytest

from lies import sync
from rig import mail
from rig.fake import Box
from stories import agree, append
from test_miscounting import windowed
from test_recovery import renumber
from test_verify import at_steps, until_it_ends

ARCHIVE = {"direction": "pull", "delete": "none"}


def restore(account, *args, status=0):
    result = account.run("--json", "restore", *args, account.name)
    assert result.status == status, result
    return result


def archive(account, remote, number=6):
    """An archive of NUMBER messages in INBOX and two in Archive."""
    letters = append(remote, number, flags=("\\Seen", "\\Flagged", "todo"))
    remote.create("Archive")
    append(remote, 2, "Archive")
    account.change(**ARCHIVE)
    account.sync()
    return letters


def same(account, remote):
    """The server has all again, and a sync has nothing to do."""
    agree(account, remote)
    assert account.sync("--dry-run").plan == []
    assert account.sync().did == {}


def missed_at(account, seconds, *uids):
    """The rows of these UIDs were first missed then."""
    with sqlite3.connect(account.database) as base:
        for uid in uids:
            base.execute("UPDATE missed SET at = ? WHERE row ="
                         " (SELECT id FROM row WHERE uid = ? AND mailbox ="
                         "  (SELECT id FROM mailbox WHERE name = 'INBOX'))", (seconds, uid))


def test_what_the_server_lost_lately_goes_back(account, remote):
    letters = archive(account, remote)
    uids = [uid for uid, _ in letters]
    for uid in uids[:4]:
        remote.expunge("INBOX", uid)
    account.sync()
    missed_at(account, 1_600_000_000, uids[0], uids[1])
    table = restore(account, status=64)
    days = {event["day"]: event["messages"] for event in table.of("missed")}
    assert days.pop("2020-09-13") == 2 and list(days.values()) == [2]
    result = restore(account, "--lost-since=7d")
    assert result.account["uploaded"] == 2
    assert "2 messages of" in result.err
    assert len(remote.uids("INBOX")) == 4
    assert restore(account, "--lost-since=7d").account["uploaded"] == 0
    assert restore(account, "--all").account["uploaded"] == 2
    same(account, remote)


def test_of_an_archive_of_40000_the_200_that_the_server_lost_last_week_go_back(account, remote):
    mail.pour(remote, "INBOX", (mail.Letter("INBOX", mail.one(number, size=500), (), 1_500_000_000 + number)
                                for number in range(40_000)))
    account.change(**ARCHIVE)
    account.sync()
    uids = remote.uids("INBOX")
    remote.expunge("INBOX", f"{uids[0]}:{uids[29_999]}")        # long ago, on purpose
    account.sync()
    with sqlite3.connect(account.database) as base:
        base.execute("UPDATE missed SET at = 1600000000")
    remote.expunge("INBOX", f"{uids[30_000]}:{uids[30_199]}")
    account.sync()
    days = {event["day"]: event["messages"] for event in restore(account, status=64).of("missed")}
    assert days.pop("2020-09-13") == 30_000 and list(days.values()) == [200]
    assert restore(account, "--lost-since=7d").account["uploaded"] == 200
    assert len(remote.uids("INBOX")) == 10_000
    assert account.sync().did == {}
    assert restore(account, "--lost-since=7d").account["uploaded"] == 0


@pytest.mark.parametrize("mailboxes", ["emptied", "gone"])
def test_an_emptied_server_is_filled(account, remote, mailboxes):
    letters = archive(account, remote)
    for uid, _ in letters:
        remote.expunge("INBOX", uid)
    if mailboxes == "gone":
        remote.delete_mailbox("Archive")
    else:
        for uid in remote.uids("Archive"):
            remote.expunge("Archive", uid)
    assert restore(account, "--dry-run", "--all").status == 0
    assert remote.uids("INBOX") == []
    assert restore(account, "--all").account["uploaded"] == 8
    same(account, remote)


def test_a_restore_after_the_sync_that_saw_a_mailbox_go(account, remote):
    archive(account, remote)
    remote.delete_mailbox("Archive")
    account.sync()
    assert restore(account, "--all").account["uploaded"] == 2
    same(account, remote)


def test_what_came_back_by_itself_is_not_sent(account, remote):
    letters = archive(account, remote)
    for uid, _ in letters:
        remote.expunge("INBOX", uid)
    for number, (_, wire) in enumerate(letters[:3]):
        remote.append("INBOX", wire, ("\\Seen", "\\Flagged", "todo"), 1_600_000_000 + number)
    assert restore(account, "--all").account["uploaded"] == 3
    same(account, remote)


def test_what_came_back_and_was_fetched_anew_is_not_sent(account, remote):
    letters = archive(account, remote)
    for uid, _ in letters:
        remote.expunge("INBOX", uid)
    account.sync()
    for number, (_, wire) in enumerate(letters[:3]):
        remote.append("INBOX", wire, ("\\Seen",), 1_600_000_000 + number)
    account.sync()
    assert restore(account, "--all").account["uploaded"] == 3
    assert len(remote.uids("INBOX")) == 6


def test_a_copy_that_was_there_before_does_not_stand_for_a_lost_one(account, remote):
    (first, wire), = append(remote, 1)
    remote.append("INBOX", wire, (), 1_600_000_000)
    account.change(**ARCHIVE)
    account.sync()
    missing = remote.uids("INBOX")
    remote.expunge("INBOX", first)
    account.sync()
    with sqlite3.connect(account.database) as base:
        base.execute("UPDATE missed SET at = at + 5")
    assert restore(account, "--all").account["uploaded"] == 1
    assert len(remote.uids("INBOX")) == len(missing)


def test_another_tree_is_sent(account, remote, tmp_path):
    letters = archive(account, remote)
    kept = tmp_path / "kept"
    shutil.copytree(account.local.root, kept, symlinks=True)
    before = sorted(path.name for path in kept.rglob("*"))
    for uid, _ in letters[:4]:
        remote.expunge("INBOX", uid)
    shutil.rmtree(account.local.root)
    for _ in range(2):
        restore(account, "--all", f"--from={kept}")
        assert len(remote.uids("INBOX")) == 6
    assert sorted(path.name for path in kept.rglob("*")) == before


@pytest.mark.parametrize("numbers", ["other", "same"])
def test_another_server_gets_all_once(make_account, numbers):
    """The old one is lost; what its user has taken to the new one already is not sent again."""
    account, theirs = make_account(), make_account()
    with account.remote() as remote, theirs.remote() as new:
        letters = archive(account, remote)
        for number, (_, wire) in enumerate(letters[:2]):
            new.append("INBOX", wire, ("\\Seen", "\\Flagged", "todo"), 1_600_000_000 + number)
        renumber(theirs, number=99 if numbers == "other" else remote.status("INBOX")["UIDVALIDITY"])
        account.change(user=theirs.user)
        for _ in range(2):
            restore(account, "--all")
            assert len(new.uids("INBOX")) == 6 and len(new.uids("Archive")) == 2
        assert new.mailboxes() == ["Archive", "INBOX"]
        same(account, new)


@pytest.mark.parametrize("args", [["--lost-since=x", "home"], ["--all", "--lost-since=7d", "home"],
                                  ["--all"]])
def test_what_restore_does_not_know_is_usage(account, args):
    assert account.run("restore", *args).status == 64



def test_nothing_is_sent_to_a_mailbox_of_which_the_server_shows_a_part(bad):
    box = Box(0)
    for number in range(10_004):
        box.add(b"Subject: %d\r\nMessage-ID: <%d@x>\r\n\r\n%d\r\n" % (number, number, number),
                ["\\Seen"])
    server, account = bad([box], keys={"timeout": 60, **ARCHIVE})
    sync(account, 0, seconds=200, memory_kb=200_000)
    server.boxes["INBOX"] = shown = windowed(box, 10_000)()
    for _ in range(2):
        result = account.run("--json", "restore", "--all", "home", timeout=200)
        assert result.account["uploaded"] == 0 and len(shown.letters) == 10_000, result
    # What it does not show is not proven.
    result = account.run("--json", "verify", "--level=server", timeout=200)
    assert (result.status, result.of("verified")[0]["not_compared"]) == (1, 4), result
    assert result.of("verify") == []


def lose_all(remote):
    for uid in remote.uids("INBOX"):
        remote.expunge("INBOX", uid)
    remote.delete_mailbox("Archive")


def counts(remote):
    return len(remote.uids("INBOX")), len(remote.uids("Archive"))


@at_steps
def test_a_restore_that_is_stopped_at_any_step_doubles_nothing(account, remote, steps, every):
    archive(account, remote, 3)
    lose_all(remote)
    for step, _ in until_it_ends(account, "restore", "--all", "home", every=every):
        if step % 2:
            account.sync(status=None)
        restore(account, "--all")
        assert counts(remote) == (3, 2), step
        agree(account, remote)
        lose_all(remote)
    restore(account, "--all")
    same(account, remote)


@at_steps
def test_a_restore_of_another_tree_that_is_stopped_at_any_step_doubles_nothing(
        account, remote, steps, every, tmp_path):
    archive(account, remote, 3)
    kept = tmp_path / "kept"
    shutil.copytree(account.local.root, kept, symlinks=True)
    lose_all(remote)
    for step, _ in until_it_ends(account, "restore", "--all", f"--from={kept}", "home", every=every):
        restore(account, "--all", f"--from={kept}")
        assert counts(remote) == (3, 2), step
        lose_all(remote)


def test_a_restore_over_quota_says_so_and_goes_on_when_there_is_room(make_account, dovecots):
    account = make_account(dovecots(quota="1M"), **ARCHIVE)
    with account.remote() as remote:
        letters = [(remote.append("INBOX", mail.one(n, size=80_000), (), 1_600_000_000 + n), n)
                   for n in range(8)]
        account.sync()
        for uid, _ in letters:
            remote.expunge("INBOX", uid)
        account.sync()
        remote.create("Filler")
        for n in range(6):
            remote.append("Filler", mail.one(50 + n, size=100_000), (), 1_600_000_000)
        assert "MB used on the server" in account.run("check").out
        assert "quota: 0.6 of 1.0 MB" in account.run("status").out
        result = account.run("--json", "restore", "--all", "home/INBOX")
        assert result.status == 1 and "not enough" in result.err, result
        remote.delete_mailbox("Filler")
        assert restore(account, "--all").status == 0
        assert len(remote.uids("INBOX")) == 8
        assert restore(account, "--all").account["uploaded"] == 0
