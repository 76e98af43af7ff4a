"""`mailsync watch`: where it looks. What nothing tells of the interval finds; what is told of is looked
for there, and nowhere else; and a configuration that is read again disturbs nobody whom it does not
concern."""

import signal
import time

import pytest

from conftest import shim
from rig import mail
from rig.fake import Box
from rig.heard import HeardServer
from rig.host import PASSWORD
from rig.watching import Watch
from stories import append, count


notify_shim = shim("notify_shim", "Directories that cannot be watched (rig/notify_shim.c).")


def letter(number):
    return mail.one(number, seed="where", size=300)


@pytest.fixture
def heard(make_account):
    """heard(boxes, keys=) -> (server, account) of a server that tells."""
    servers = []

    def make(boxes, keys=None, **options):
        servers.append(HeardServer(boxes, **options))
        return servers[-1], make_account(servers[-1], **{"watch_interval": "1h", "timeout": 5, **(keys or {})})

    yield make
    for server in servers:
        server.stop()


# Here


def test_where_no_directory_can_be_watched_any_more_the_interval_looks(account, remote, notify_shim):
    remote.create("Work")
    append(remote, 1, mailbox="Work")
    env = {"NOTIFY_MOST": "3"}                # the root, and INBOX
    with Watch(account.change(watch_interval="1s"), preload=notify_shim, env=env) as watch:
        watch.until("watching", how="notify")
        watch.wait(lambda: any("fs.inotify.max_user_watches" in line for line in watch.lines), "it is said")
        account.local.deliver("Work", letter(1))
        watch.wait(lambda: len(remote.uids("Work")) == 2, "the interval finds it")
        account.local.create("Late")
        account.local.deliver("Late", letter(2))
        watch.wait(lambda: "Late" in remote.mailboxes(), "and a folder that is new")
    assert sum("max_user_watches" in line for line in watch.lines) == 1, "once"


def test_directories_that_can_be_watched_again_are(account, remote, notify_shim, tmp_path):
    most = tmp_path / "most"
    most.write_text("0")
    env = {"NOTIFY_FILE": str(most)}
    append(remote, 1)
    with Watch(account.change(watch_interval="1h"), preload=notify_shim, env=env) as watch:
        watch.until("watching", how="notify")
        most.write_text("1000000")
        append(remote, 1, seed="another")      # any sync
        watch.wait(lambda: count(account) == 2, "a sync was")
        watch.wait(lambda: len(watch.of("account")) >= 2, "and is over")
        account.local.deliver("INBOX", letter(1))
        watch.wait(lambda: len(remote.uids("INBOX")) == 3, "it is heard")


def test_what_other_machines_change_on_a_network_file_system_the_interval_finds(account, remote, notify_shim):
    append(remote, 1)
    with Watch(account.change(watch_interval="1s"), preload=notify_shim, env={"NOTIFY_REMOTE": "1"}) as watch:
        watch.until("watching", how="notify")
        watch.wait(lambda: any("what other machines change" in line for line in watch.lines), "it is said")
        account.local.deliver("INBOX", letter(1))
        watch.wait(lambda: len(remote.uids("INBOX")) == 2, "the interval finds it")
    assert sum("other machines" in line for line in watch.lines) == 1, "once"


# There


def boxes():
    return [Box(1), *(Box(2, f"Box{n}") for n in range(4))]


def opened(server, since):
    return [command.split()[1].strip('"') for command in server.received[since:]
            if command.startswith(("SELECT", "EXAMINE"))]


@pytest.mark.parametrize("extra", ["", " LIST-STATUS"])
def test_a_word_of_one_mailbox_opens_no_other_though_no_number_tells_of_flags(heard, extra):
    server, account = heard(boxes(), capabilities="IMAP4rev1 IDLE UNSELECT UIDPLUS LITERAL+ LIST-EXTENDED" + extra)
    with Watch(account) as watch:
        watch.until("watching", how="idle")
        since = len(server.received)
        server.deliver(letter(1))
        watch.wait(lambda: count(account) == 2, "it is heard")
        account.local.deliver("Box1", letter(2))
        watch.wait(lambda: len(server.boxes["Box1"].letters) == 3, "and what came here")
        assert set(opened(server, since)) == {"INBOX", "Box1"}
        assert "changed here: Box1" in "".join(event["message"] for event in watch.of("watch"))
        # What numbers tell is found in any mailbox, with the next word about another.
        server.boxes["Box2"].add(letter(3))
        server.boxes["Box3"].flags[1] = {"\\Flagged"}
        server.deliver(letter(4))
        watch.wait(lambda: count(account, "Box2") == 3 and count(account) == 3, "both are here")
        assert "Box3" not in opened(server, since)
        since = len(server.received)
        watch.send(signal.SIGUSR1)
        watch.wait(lambda: set(opened(server, since)) >= {"INBOX", "Box0", "Box1", "Box2", "Box3"}, "all are looked at")
        watch.wait(lambda: any("F" in account.local.flags(path) for path in account.local.files("Box3")), "the flag is here")


def test_words_about_one_mailbox_do_not_put_off_the_look_at_the_others(heard):
    server, account = heard(boxes(), keys={"watch_interval": "2s"})
    with Watch(account) as watch:
        watch.until("watching", how="idle")
        server.boxes["Box3"].flags[1] = {"\\Flagged"}
        end, number = time.monotonic() + 30, 0
        while not any("F" in account.local.flags(path) for path in account.local.files("Box3")):
            assert time.monotonic() < end, "it was put off"
            number += 1
            server.deliver(letter(number))
            watch.wait(lambda n=number: count(account) == n + 1, "it is heard")


# The configuration


def test_who_is_not_concerned_by_what_changed_in_the_file_goes_on(heard, make_account, remote):
    server, account = heard([Box(1)])
    other, second = heard([Box(1)])
    section = dict(second.keys)
    account.others["account second"] = section
    account.sync()                          # what a watch writes itself it may look at once more
    with Watch(account) as watch:
        watch.until("watching", account="home", how="idle")
        watch.until("watching", account="second", how="idle")
        before, others_before = len(server.logins), len(other.logins)
        mark = watch.mark()
        section["watch_renew"] = "7m"
        account.write_config()
        watch.send(signal.SIGHUP)
        watch.until("watching", since=mark, account="second", how="idle")
        assert len(other.logins) > others_before
        assert len(server.logins) == before and not [
            event for event in watch.of("watch", mark)
            if event["account"] == "home" and event["state"] != "watching"]
        server.deliver(letter(1))
        watch.wait(lambda: count(account) == 2, "it is heard as before")
        other.deliver(letter(2))
        watch.wait(lambda: count(second) == 2, "and so is the other")
        # One goes, and comes again; then nothing changes at all.
        del account.others["account second"]
        account.write_config()
        watch.send(signal.SIGHUP)
        watch.wait(lambda: not other.listeners(), "nobody listens any more")
        account.others["account second"] = section
        account.write_config()
        mark = watch.mark()
        watch.send(signal.SIGHUP)
        watch.until("watching", since=mark, account="second", how="idle")
        mark, others_before = watch.mark(), len(other.logins)
        watch.send(signal.SIGHUP)
        server.deliver(letter(3))
        watch.wait(lambda: count(account) == 3, "it is heard as before")
        assert (len(server.logins), len(other.logins)) == (before, others_before)
        assert {event["account"] for event in watch.of("watch", mark)} <= {"home"}


def test_what_failed_is_tried_again_when_the_file_is_read_again(heard):
    server, account = heard([Box(1)])
    server.is_silent = True
    with Watch(account.change(timeout=1)) as watch:
        for _ in range(4):                    # by then it is left alone for seconds
            watch.until("waiting", since=watch.mark(), timeout=30)
        server.is_silent = False
        mark = watch.mark()
        watch.send(signal.SIGHUP)
        watch.until("syncing", since=mark, timeout=1)


# The lock


def test_a_sync_waits_a_moment_for_a_watch_that_is_at_work(account, remote):
    append(remote, 1)
    began, secret = account.folder / "began", account.folder / "secret"
    secret.write_text(PASSWORD)
    account.change(watch="poll", watch_interval="1h", password=None,
                   password_command=f"echo >>{began}; sleep 0.6; cat {secret}")
    with Watch(account) as watch:
        watch.wait(began.exists, "it logs in, and has the lock")
        assert account.sync().status == 0


def test_what_holds_up_one_account_holds_up_no_other(heard, tmp_path):
    """One that can never be synced, whose user is told by a slow hook."""
    server, account = heard([Box(1)])
    go = tmp_path / "go"
    account.others["account broken"] = {
        "host": "127.0.0.1", "user": "x", "password": "x", "tls": "none",
        "maildir": account.keys["maildir"],
        "on_error": f"while ! test -e {go}; do sleep .02; done"}
    with Watch(account) as watch:
        watch.until("watching", account="home", how="idle")
        server.deliver(letter(1))
        watch.wait(lambda: count(account) == 2, "it is heard")
        go.touch()
        watch.wait(lambda: [e for e in watch.of("account") if e["account"] == "broken"], "it is said")
