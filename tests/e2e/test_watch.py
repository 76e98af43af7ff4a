"""`mailsync watch`: what it hears, what it survives, how it ends."""

import signal
import subprocess
import time

import pytest

from conftest import shim
from maildrop import Maildrop
from rig import mail, program, tree
from rig.fake import Box
from rig.heard import HeardServer
from rig.scripted import always
from rig.watching import Watch
from stories import agree, append, count


sleep_shim = shim("sleep_shim", "The machine slept, by the clock (rig/sleep_shim.c).")
late_shim = shim("late_shim", "Whatever is sent is answered at once (rig/late_shim.c).")


def polled(account, **keys):
    """Looked at each second, and not heard."""
    return account.change(**{"watch": "poll", "watch_interval": "1s", **keys})


def test_both_sides_follow_each_other_by_polling_alone(account, remote):
    append(remote, 2)
    with Watch(polled(account)) as watch:
        watch.until("watching", how="poll")
        assert count(account) == 2
        append(remote, 1, seed="later")
        watch.wait(lambda: count(account) == 3, "new mail is here")
        account.local.deliver("INBOX", mail.one(9, seed="mine"))
        watch.wait(lambda: len(remote.uids("INBOX")) == 4, "my mail is there")
    assert watch.result.err == ""
    agree(account, remote)


def test_a_second_watch_of_an_account_is_told_so_and_a_sync_goes_in_between(account, remote):
    with Watch(polled(account, watch_interval="1h")) as watch:
        watch.until("watching")
        second = Watch(account).ended()
        assert second.status == 75 and "another mailsync watches it" in second.errors[0]["message"]
        append(remote, 1)
        # Its own writes may still cost the watch a look, for which it has the lock.
        account.sync("--wait", status=0)
        assert count(account) == 1
        assert watch.process.poll() is None, "and it watches on"


def test_a_user_signal_syncs_now(account, remote):
    with Watch(polled(account, watch_interval="1h")) as watch:
        watch.until("watching")
        append(remote, 1)
        watch.send(signal.SIGUSR1)
        watch.wait(lambda: count(account) == 1, "new mail is here")


def test_the_configuration_is_read_again_and_a_bad_one_is_not_taken(account, remote):
    append(remote, 1, mailbox="INBOX")
    remote.create("Work")
    append(remote, 1, mailbox="Work")
    with Watch(polled(account, watch_interval="1h", mailboxes="INBOX")) as watch:
        watch.until("watching")
        account.change(mailboxes="*", watch="push").write_config()
        watch.send(signal.SIGHUP)
        watch.wait(lambda: any("stays as it was" in line for line in watch.lines), "it is refused")
        assert count(account, "Work") == 0
        account.change(watch="poll").write_config()
        watch.send(signal.SIGHUP)
        watch.wait(lambda: count(account, "Work") == 1, "the new mailbox is here")


def test_it_ends_with_0_in_the_middle_of_a_sync(account, remote):
    append(remote, 3)
    began = account.folder / "began"
    polled(account, pre_sync=f"echo $$ >{began}; exec sleep 60")
    for number in (signal.SIGTERM, signal.SIGINT):
        began.unlink(missing_ok=True)
        with Watch(account) as watch:
            watch.wait(began.exists, "the hook runs")
            assert watch.end(number, timeout=20).status == 0
        assert watch.result.err == "", "an end that was asked for is no error"


def test_a_server_that_is_away_is_come_back_to(account, remote, tmp_path):
    polled(account)
    port, account.keys["port"] = account.keys["port"], 1
    with Watch(account) as watch:
        watch.until("waiting")
        account.keys["port"] = port
        account.write_config()
        watch.send(signal.SIGHUP)
        watch.until("watching")


def test_what_can_only_be_mended_by_its_user_ends_it(account):
    assert account.run("watch", "nobody").status == 64
    assert account.run("watch", "home/INBOX").status == 64
    account.change(watch="push")
    assert account.run("watch").status == 78


def soon(watch, holds, what):
    watch.wait(holds, what, timeout=10)


def follows_both_sides(account, remote, watch):
    """New mail, a flag and a removal, each way, with nothing but what is heard."""
    append(remote, 2, seed="there")
    soon(watch, lambda: count(account) == 2, "new mail is here")
    first = remote.uids("INBOX")[0]
    remote.store("INBOX", first, "+FLAGS", "\\Flagged")
    soon(watch, lambda: any("F" in account.local.flags(path) for path in account.local.files("INBOX")),
         "the flag is here")
    mine = account.local.deliver("INBOX", mail.one(9, seed="mine"))
    soon(watch, lambda: len(remote.uids("INBOX")) == 3, "my mail is there")
    path = account.local.find("INBOX", mail.one(9, seed="mine"))
    account.local.set_flags(path, add="S")
    soon(watch, lambda: "S" in remote.flags("INBOX", remote.uids("INBOX")[-1]), "read there")
    account.local.find("INBOX", mail.one(9, seed="mine")).unlink()
    soon(watch, lambda: len(remote.uids("INBOX")) == 2, "it is gone there")
    remote.expunge("INBOX", first)
    soon(watch, lambda: count(account) == 1, "it is gone here")
    return mine


def test_notify_and_inotify_tell_of_all_mailboxes(account, remote):
    remote.create("Work")
    with Watch(account.change(watch_interval="1h")) as watch:
        watch.until("watching", how="notify")
        follows_both_sides(account, remote, watch)
        append(remote, 1, mailbox="Work")
        soon(watch, lambda: count(account, "Work") == 1, "new mail of another mailbox")
        remote.create("Later")
        soon(watch, lambda: "Later" in account.local.mailboxes(), "a new mailbox")
        account.local.create("Mine")
        soon(watch, lambda: "Mine" in remote.mailboxes(), "a new folder")
    assert watch.result.err == ""
    agree(account, remote)


def test_a_mailbox_that_is_chosen_by_its_special_use_is_heard(make_account, dovecots):
    account = make_account(dovecots(special_use=True), mailboxes="\\Junk", watch_interval="1h")
    with account.remote() as remote, Watch(account) as watch:
        watch.until("watching", how="notify")
        append(remote, 1, mailbox="Junk")
        soon(watch, lambda: count(account, "Junk") == 1, "new mail")
    assert watch.result.err == ""


def test_it_is_heard_where_special_uses_are_not_told_any_more(make_account, dovecots):
    account = make_account(dovecots(special_use=True), mailboxes="\\Junk", watch_interval="1h")
    with account.remote() as remote:
        append(remote, 1, mailbox="Junk")
        account.sync()
        account.change(disable_extensions="SPECIAL-USE")
        with Watch(account) as watch:
            watch.until("watching", how="notify")
            append(remote, 1, mailbox="Junk", seed="later")
            soon(watch, lambda: count(account, "Junk") == 2, "new mail")


def test_idle_tells_of_its_mailboxes(account, remote):
    remote.create("Work")
    account.change(watch_interval="1h", disable_extensions="NOTIFY", watch_mailboxes="INBOX Work")
    with Watch(account) as watch:
        watch.until("watching", how="idle")
        follows_both_sides(account, remote, watch)
        append(remote, 1, mailbox="Work")
        soon(watch, lambda: count(account, "Work") == 1, "new mail of another mailbox")
    assert watch.result.err == ""
    agree(account, remote)


def test_a_burst_is_a_few_syncs(account, remote):
    with Watch(account.change(watch_interval="1h")) as watch:
        watch.until("watching")
        mark = watch.mark()
        mail.pour(remote, "INBOX", [mail.Letter("INBOX", letter(number), (), 1_600_000_000 + number)
                                    for number in range(1000)])
        watch.wait(lambda: count(account) == 1000, "all are here")
        for number in range(1000, 2000):
            account.local.deliver("INBOX", letter(number))
        watch.wait(lambda: remote.status("INBOX")["MESSAGES"] == 2000, "all are there")
        assert len(watch.of("account", mark)) < 20
    agree(account, remote)


def test_one_connection_is_enough(account, remote):
    account.change(watch_interval="1h", connections=1)
    with Watch(account) as watch:
        watch.until("watching", how="notify")
        follows_both_sides(account, remote, watch)
        assert len(watch.of("watch")) < 60        # it does not run in circles
    agree(account, remote)


# On a server that misbehaves


@pytest.fixture
def heard(make_account):
    """heard(boxes=, ..., keys=) -> (server, account) of a server that tells, or does not."""
    servers = []

    def make(boxes=None, keys=None, **options):
        server = HeardServer(boxes or [Box(1)], **options)
        servers.append(server)
        return server, make_account(server, **{"watch_interval": "1h", "timeout": 5, **(keys or {})})

    yield make
    for server in servers:
        server.stop()


NOTIFY = "IMAP4rev1 IDLE NOTIFY UNSELECT UIDPLUS LITERAL+"


def letter(number):
    return mail.one(number, seed="heard", size=300)


def test_a_server_that_tells_too_much_is_asked_to_tell_again(heard):
    server, account = heard(capabilities=NOTIFY)
    with Watch(account) as watch:
        watch.until("watching", how="notify")
        server.boxes["INBOX"].add(letter(2))      # of which it does not tell
        assert server.say("* OK [NOTIFICATIONOVERFLOW] too much happens") == 1
        soon(watch, lambda: count(account) == 2, "all was looked at")
        soon(watch, lambda: len(server.asked("^NOTIFY SET")) == 2, "it is told again")
        watch.until("watching", since=watch.mark() - 1, how="notify")
        server.boxes["INBOX"].add(letter(3))
        server.say("* NO NOTIFY error, some events may have got lost")
        soon(watch, lambda: count(account) == 3, "all was looked at")
        server.deliver(letter(4))
        soon(watch, lambda: count(account) == 4, "it is heard")


def test_a_server_without_notify_after_all_is_idled_on_and_without_idle_polled(heard):
    server, account = heard(
        capabilities=NOTIFY, script=[always("^NOTIFY", "NO [NOTIFICATIONOVERFLOW] not for you")])
    with Watch(account) as watch:
        watch.until("watching", how="idle")
        server.deliver(letter(2))
        soon(watch, lambda: count(account) == 2, "it is heard")
    server.idle_answer = "BAD what is IDLE?"
    with Watch(account.change(watch_interval="1s")) as watch:
        watch.until("watching", how="poll")
        server.deliver(letter(3))
        soon(watch, lambda: count(account) == 3, "it is looked for")


def test_idle_is_begun_anew_and_one_that_does_not_end_is_given_up(heard):
    server, account = heard(keys={"watch_renew": "1s"})
    server.exists_first = True
    with Watch(account) as watch:
        watch.until("watching", how="idle")
        soon(watch, lambda: len(server.asked("^IDLE")) > 2, "it is renewed")
        server.deliver(letter(2))
        soon(watch, lambda: count(account) == 2, "it is heard")
        syncs = len(watch.of("account"))
        assert syncs <= 3
        server.answers_done = False
        mark = watch.mark()
        watch.until("waiting", since=mark, timeout=30)
        server.answers_done = True
        watch.until("watching", since=mark, how="idle", timeout=30)
        server.deliver(letter(3))
        soon(watch, lambda: count(account) == 3, "it is heard again")


def test_an_answer_that_came_at_once_is_waited_for_no_more(heard, late_shim):
    server, account = heard(keys={"watch_renew": "1s"})
    with Watch(account, preload=late_shim) as watch:
        watch.until("watching", how="idle")
        soon(watch, lambda: len(server.asked("^IDLE")) > 3, "it is renewed each second")


def test_a_deaf_watch_is_no_more_believed(heard):
    server, account = heard(keys={"watch_interval": "1s"})
    with Watch(account) as watch:
        watch.until("watching", how="idle")
        server.tells = False
        for number in (2, 3):                 # the first may be found by the look after the login
            server.deliver(letter(number))
            soon(watch, lambda: count(account) == number, "the look finds it")
        event = watch.until("watching", how="poll", timeout=20)
        assert "did not tell" in "".join(e["message"] for e in watch.of("watch")), event
        server.deliver(letter(4))
        soon(watch, lambda: count(account) == 4, "it is looked for")


def test_connections_that_are_cut_come_back_and_nothing_is_missed(heard):
    server, account = heard()
    with Watch(account) as watch:
        watch.until("watching", how="idle")
        for number in (2, 3):
            mark = watch.mark()
            server.cut()
            server.boxes["INBOX"].add(letter(number))
            soon(watch, lambda: count(account) == number, "what came meanwhile is here")
            watch.until("watching", since=mark, how="idle")
        assert watch.lines == []
    assert len(server.logins) < 12


def test_a_silent_path_is_noticed_after_a_sleep(heard, tmp_path, sleep_shim):
    server, account = heard()
    slept = tmp_path / "slept"
    slept.write_text("0")
    with Watch(account, preload=sleep_shim, env={"SLEPT_FILE": str(slept)}) as watch:
        watch.until("watching", how="idle")
        mark = watch.mark()
        server.boxes["INBOX"].add(letter(2))
        slept.write_text("3600")
        watch.send(signal.SIGUSR1)            # any event: the test's machine does not really sleep
        soon(watch, lambda: server.asked("^$|^NOOP"), "the connections are asked for a sign")
        soon(watch, lambda: count(account) == 2, "what came meanwhile is here")
        watch.until("watching", since=mark)


@pytest.mark.parametrize("words, least, most", [
    ("NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded", 14, 30),
    ("NO User is throttled. Suggested Backoff Time: 299961 milliseconds", 299, 300),
])
def test_a_server_that_wants_to_be_left_alone_is(heard, words, least, most):
    server, account = heard(script=[always("^LOGIN|^AUTHENTICATE", words)])
    with Watch(account) as watch:
        event = watch.until("waiting")
        seconds = int(event["message"].rpartition(" is in ")[2].split()[0])
        assert least <= seconds <= most, event
        server.script.clear()
        watch.send(signal.SIGUSR1)             # its user may know better
        watch.until("watching", how="idle")


def test_a_refused_login_is_told_once_and_tried_again_when_the_password_is_another(heard, tmp_path):
    server, account = heard(script=[always("^LOGIN|^AUTHENTICATE", "NO [AUTHENTICATIONFAILED] no")],
                            keys={"watch_interval": "1s", "password": None,
                                  "password_file": str(tmp_path / "secret")})
    (tmp_path / "secret").write_text("first\n")
    (tmp_path / "secret").chmod(0o600)
    with Watch(account) as watch:
        watch.until("waiting")
        soon(watch, lambda: len(watch.of("account")) >= 3, "it is looked at again")
        assert len(server.asked("^LOGIN|^AUTHENTICATE")) == 1
        assert len(watch.of("error")) == 1 and watch.of("account")[-1]["status"] == 77
        server.script.clear()
        (tmp_path / "secret").write_text("second\n")
        watch.until("watching", how="idle")


@pytest.mark.parametrize("first", range(1, 9))
def test_killed_at_a_step_the_next_start_goes_on(account, remote, steps, first):
    """Both sides change under a watch that is killed right after its N-th step."""
    account.change(watch_interval="1h", max_delete="100%")
    number = 0
    expected = set()
    with Watch(account) as watch:
        watch.until("watching")
    for stop in range(first, 120, 8):
        watch = Watch(account, env={"MAILSYNC_STEP_STOP": str(stop)})
        added = [letter(number + n) for n in range(4)]
        number += 4
        for wire in added[:2]:
            remote.append("INBOX", wire, (), 1_600_000_000)
        for wire in added[2:]:
            account.local.create("INBOX")
            account.local.deliver("INBOX", wire, when=1_600_000_000)
        gone = sorted(expected)[:2]
        if gone:
            account.local.find("INBOX", gone[0]).unlink()
            remote.expunge("INBOX", remote.find("INBOX", gone[1]))
        expected = expected - set(gone) | set(added)
        try:
            watch.process.wait(1.5)
        except subprocess.TimeoutExpired:
            watch.end()
        with Watch(account) as after:
            after.until("watching")
            after.wait(lambda: contents(account) == contents_there(remote) == sorted(expected),
                       f"both sides are right after step {stop}", timeout=30)
    assert account.sync().did == {}


def contents(account):
    try:
        return sorted(tree.crlf(path.read_bytes()) for path in account.local.files("INBOX"))
    except FileNotFoundError:
        return None


def contents_there(remote):
    return sorted(wire for _, wire, _ in remote.messages("INBOX"))


def test_a_maildrop_is_polled_and_not_sooner_than_it_wants(tmp_path):
    sessions = []
    with Maildrop([letter(1)], more=lambda: sessions.append(time.monotonic())) as drop:
        drop.capabilities.append("LOGIN-DELAY 2")
        account = program.Account(tmp_path / "drop", None, "joe", protocol="pop3", password="secret",
                                  port=drop.port, watch_interval="1s")
        with Watch(account) as watch:
            watch.until("watching", how="poll")
            drop.letters.append(["id2", letter(2)])
            watch.wait(lambda: count(account) == 2, "it is looked for")
            watch.wait(lambda: len(sessions) == 3, "and again")
    assert sessions[2] - sessions[0] > 3.8
