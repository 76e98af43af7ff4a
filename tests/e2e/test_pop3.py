"""POP3: download, keep or delete, never twice."""

import os
import pathlib
import poplib
import shutil
import signal
import sqlite3
import sys
import time

import pytest

from maildrop import Maildrop
from rig import bounded, mail, program
from rig.host import PASSWORD
from rig.line import Line
from rig.poison import Fault, Poison
from stories import DAMAGES, append, uids


@pytest.fixture
def pop3(make_account, dovecots):
    """pop3(server=None, **keys): an account of a fresh user that reads its INBOX by POP3."""
    def make(server=None, **keys):
        server = server or dovecots()
        return make_account(server, protocol="pop3", port=server.port + 2, **keys)
    return make


@pytest.fixture
def drop_account(tmp_path):
    """drop_account(maildrop, **keys): an account of a Maildrop."""
    def make(drop, **keys):
        keys = {"password": "secret", "port": drop.port, **keys}
        return program.Account(tmp_path / "drop", None, "joe", protocol="pop3", **keys)
    return make


RELAY = """import os, socket, sys, threading

far = socket.create_connection(("127.0.0.1", int(sys.argv[1])))

def send():
    while data := os.read(0, 65536):
        far.sendall(data)
    far.shutdown(socket.SHUT_WR)

threading.Thread(target=send, daemon=True).start()
while data := far.recv(65536):
    os.write(1, data)
"""


def letters(count, size=400):
    return [mail.one(n, seed="pop3", size=size) for n in range(count)]


def twins(count):
    """Messages of one size."""
    made = [f"Subject: {n:04}\r\nMessage-ID: <{n:04}@twins>\r\n\r\nx\r\n".encode()
            for n in range(count)]
    assert len({len(wire) for wire in made}) == 1
    return made


def local(account):
    """The local messages as they were on the wire, sorted."""
    if not account.local.folder("INBOX").is_dir():
        return []
    return sorted(path.read_bytes().replace(b"\n", b"\r\n")
                  for path in account.local.files("INBOX"))


def as_pop3(remote):
    """What INBOX holds as POP3 has to send it: its last line has an end."""
    wires = [wire for _, wire, _ in remote.messages("INBOX")]
    return sorted(wire if wire.endswith(b"\r\n") else wire + b"\r\n" for wire in wires)


def rows(account):
    with sqlite3.connect(account.database) as db:
        return db.execute("SELECT uidl, occurrence, uniq, deleted, gone FROM pop3").fetchall()


# Dovecot

def test_messages_come_byte_for_byte_and_only_once(pop3):
    account = pop3()
    with account.remote() as remote:
        sent = sorted(wire for _, wire in append(remote, 30))
    assert account.sync().did == {"downloaded": 30}
    assert local(account) == sent
    before = account.local.snapshot()
    assert account.sync().did == {}
    assert account.sync("--dry-run").plan == []
    assert account.local.snapshot() == before
    assert {path.parent.name for path in account.local.files("INBOX")} == {"new"}


def test_odd_mail_comes_byte_for_byte(pop3):
    account = pop3()
    with account.remote() as remote:
        odd = [letter for letter in mail.varied(60, mailboxes=["INBOX"])]
        mail.fill(remote, odd)
        served = as_pop3(remote)
    account.sync()
    assert local(account) == served


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_tls(pop3, dovecots, tls):
    server = dovecots()
    account = pop3(server)
    account.change(tls=tls, port=server.port + (3 if tls == "implicit" else 2))
    with account.remote() as remote:
        append(remote, 2)
    assert account.sync().did == {"downloaded": 2}


def test_a_tunnel(pop3, dovecots, tmp_path):
    relay = tmp_path / "relay"
    relay.write_text(RELAY)
    account = pop3(leave_on_server="no")
    with account.remote() as remote:
        append(remote, 30)
    command = f"SSHPASS=Tunn3l-S3cret; exec {sys.executable} {relay} {dovecots().port + 2}"
    account.change(tunnel=command, host=None, port=None, tls=None)
    assert account.sync().did == {"downloaded": 30, "deleted_remote": 30}
    assert account.sync().did == {}
    assert b"Tunn3l-S3cret" not in account.database.read_bytes()


@pytest.mark.parametrize("auth", ["auto", "plain", "login", "cram-md5", "scram-sha-1",
                                  "scram-sha-256", "apop"])
def test_logins(pop3, auth):
    account = pop3(auth=auth)
    account.sync()
    account.change(password="wrong")
    assert account.sync(status=77).errors[0]["code"] == "login"


def test_oauth(pop3, dovecots):
    account = pop3(auth="xoauth2", password=dovecots().mint_token("x"))
    account.change(password=dovecots().mint_token(account.user))
    account.sync()
    account.change(auth="oauthbearer")
    account.sync()
    account.change(password=dovecots().mint_token(account.user, secret="forged"))
    account.sync(status=77)


def test_a_run_without_news_takes_two_turns_after_the_login(pop3, dovecots):
    with Line(dovecots().port + 2) as line:
        account = pop3(auth="plain")
        with account.remote() as remote:
            append(remote, 5)
        account.change(port=line.port)
        account.sync()
        account.sync()
        # greeting and CAPA, AUTH, UIDL with LIST, QUIT
        assert line.connections[-1].turns <= 4


def test_list_and_check_tell_of_one_mailbox(pop3):
    account = pop3()
    with account.remote() as remote:
        append(remote, 3)
    listed = account.run("list")
    assert listed.status == 0 and "INBOX" in listed.out and "3" in listed.out
    assert "UIDL" in account.run("check").out


def test_leave_on_server_no_deletes_what_was_downloaded(pop3):
    account = pop3(leave_on_server="no")
    with account.remote() as remote:
        append(remote, 12)
        assert account.sync().did == {"downloaded": 12, "deleted_remote": 12}
        assert uids(remote) == []
    files = account.local.snapshot()
    assert account.sync().did == {}
    assert account.local.snapshot() == files
    assert len(local(account)) == 12


def test_status_counts_what_the_server_still_has(pop3):
    account = pop3(leave_on_server="no", delete="none")
    with account.remote() as remote:
        append(remote, 3)
    account.sync()
    assert account.run("status").out.split()[1:3] == ["INBOX", "3"]
    account.change(delete=None)
    account.sync()
    assert account.run("status").out.split()[1:3] == ["INBOX", "0"]


def test_leave_on_server_yes_keeps_what_is_deleted_locally(pop3):
    account = pop3()
    with account.remote() as remote:
        append(remote, 3)
        account.sync()
        for path in list(account.local.files("INBOX"))[:2]:
            path.unlink()
        assert account.sync().did == {}
        assert len(uids(remote)) == 3
    assert len(local(account)) == 1


def test_leave_on_server_age_counts_from_the_download(pop3):
    account = pop3(leave_on_server="2d")
    with account.remote() as remote:
        append(remote, 2)
        account.sync()
        assert account.sync().did == {}
        with sqlite3.connect(account.database) as db:
            db.execute("UPDATE pop3 SET first_seen = first_seen - 3 * 86400 WHERE id = 1")
        assert account.sync().did == {"deleted_remote": 1}
        assert len(uids(remote)) == 1
    assert len(local(account)) == 2


@pytest.mark.parametrize("how", ["--pull", "none", "local"])
def test_what_may_not_delete_on_the_server_does_not(pop3, how):
    account = pop3(leave_on_server="no")
    if how != "--pull":
        account.change(delete=how)
    with account.remote() as remote:
        append(remote, 2)
        assert account.sync(*([how] if how == "--pull" else [])).did == {"downloaded": 2}
        assert len(uids(remote)) == 2
        account.change(delete=None)
        assert account.sync().did == {"deleted_remote": 2}


def test_direction_pull_with_leave_on_server_no_is_a_config_error(pop3):
    account = pop3(leave_on_server="no", direction="pull")
    assert account.run("sync").status == 78


def test_direction_pull_never_deletes_on_the_server(pop3):
    account = pop3(leave_on_server="2d", direction="pull")
    with account.remote() as remote:
        append(remote, 2)
        account.sync()
        with sqlite3.connect(account.database) as db:
            db.execute("UPDATE pop3 SET first_seen = first_seen - 3 * 86400")
        assert account.sync().did == {}
        assert len(uids(remote)) == 2
        account.change(direction="both")
        assert account.sync().did == {"deleted_remote": 2}


def test_a_dry_run_tells_and_changes_nothing(pop3):
    account = pop3(leave_on_server="no")
    with account.remote() as remote:
        append(remote, 2)
        plan = account.sync("--dry-run").plan
        assert sorted(x["op"] for x in plan) == ["delete_remote"] * 2 + ["download"] * 2
        assert len(uids(remote)) == 2
    assert not account.local.folder("INBOX").exists()
    assert account.sync().did == {"downloaded": 2, "deleted_remote": 2}


def test_large_messages_stay_and_are_counted_each_run(pop3):
    account = pop3(max_message_size="10k", leave_on_server="no")
    with account.remote() as remote:
        append(remote, 1)
        remote.append("INBOX", mail.one(9, size=30_000))
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 1, "skipped": 1}
        assert account.sync().did == {"skipped": 1}
        account.change(max_message_size=None)
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 1}


def test_max_age_goes_by_the_date_of_the_header(pop3):
    account = pop3(max_age="30d")
    now = time.time()
    with account.remote() as remote:
        for days in (1, 40):
            date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(now - days * 86400))
            remote.append("INBOX", f"Subject: {days}\r\nDate: {date}\r\n\r\nx\r\n".encode())
        assert account.sync().did == {"downloaded": 1}
        assert account.sync().did == {}
        account.change(max_age="90d")
        assert account.sync().did == {"downloaded": 1}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_lost_database_downloads_and_deletes_nothing_twice(pop3, damage):
    account = pop3()
    with account.remote() as remote:
        append(remote, 8)
        account.sync()
        files = list(account.local.files("INBOX"))
        account.local.set_flags(files[0], add="S")
        damage(account)
        assert account.sync().did == {}
        assert len(local(account)) == 8
        assert account.sync().did == {}


def test_an_unmounted_maildir_stops_the_account(pop3):
    account = pop3()
    with account.remote() as remote:
        append(remote, 1)
    account.sync()
    pathlib.Path(account.keys["maildir"]).rename(account.folder / "elsewhere")
    account.sync(status=79)


def test_messages_that_another_tool_fetched_are_paired(pop3):
    account = pop3()
    with account.remote() as remote:
        sent = append(remote, 5)
    for _, wire in sent[:3]:
        account.local.create("INBOX") if not account.local.folder("INBOX").exists() else None
        account.local.deliver("INBOX", b"Received: by another tool\r\n" + wire, "S")
    assert account.sync().did == {"downloaded": 2}
    assert account.sync().did == {}
    account.change(leave_on_server="no")
    assert account.sync().did == {"deleted_remote": 2}


@pytest.mark.parametrize("user", ["joe", "recent:joe@example.org"])
@pytest.mark.parametrize("tool", ["mpop", "getmail", "fetchmail"])
def test_the_uidl_files_of_other_tools_are_read(drop_account, tool, user):
    with Maildrop(letters(4)) as drop:
        account = drop_account(drop)
        account.change(user=user)
        account.local.create("INBOX")
        account.local.deliver("INBOX", b"Subject: of that tool\r\n\r\nx\r\n")
        home, host = account.folder, account.keys["host"]
        path, text = {
            "mpop": (home / ".mpop_uidls" / f"{user}_at_{host}",
                     f"# mpop\n 2 {host} {user}\nid1\nid2\n 1 {host} ann\nid3\n"),
            "getmail": (home / ".getmail" / f"oldmail-{host}-{drop.port}-{user.replace(':', '-')}",
                        "id1\0001700000000\nid2\0001700000000\n"),
            "fetchmail": (home / ".fetchids",
                          f"{user}@{host} id1\n{user}@{host} id2\nann@{host} id3\n"),
        }[tool]
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        assert account.sync().did == {"downloaded": 2}
        assert account.sync().did == {}


# Servers that are as they are

@pytest.mark.parametrize("knobs", [
    {}, {"uidl": False}, {"capabilities": ["TOP", "UIDL"]}, {"uidl": False, "top": False},
    {"top": False, "capabilities": ["UIDL"]}, {"end": b"\n"}, {"size": lambda wire: 1},
    {"size": lambda wire: len(wire) + 7},
    {"size": lambda wire: 1 << 62}, {"size": lambda wire: 0}, {"size": lambda wire: (1 << 64) - 1},
], ids=["plain", "no-uidl", "no-pipelining", "no-uidl-no-top", "no-top", "bare-lf", "small-sizes",
        "large-sizes", "huge-sizes", "no-sizes", "vast-sizes"])
def test_no_message_is_lost_or_doubled(drop_account, knobs):
    sent = letters(7)
    with Maildrop(sent, **knobs) as drop:
        account = drop_account(drop)
        assert account.sync().did == {"downloaded": 7}
        assert local(account) == sorted(sent)
        assert account.sync().did == {}
        account.change(leave_on_server="no")
        assert account.sync().did == {"deleted_remote": 7}
        assert drop.letters == []
        assert account.sync().did == {}


def test_a_unique_id_that_occurs_twice_is_two_messages(drop_account):
    sent = letters(3)
    with Maildrop(sent) as drop:
        drop.letters[1][0] = "id1"
        account = drop_account(drop)
        assert account.sync().did == {"downloaded": 3}
        assert account.sync().did == {}
        drop.letters.pop(0)
        assert account.sync().did == {}
        account.change(leave_on_server="no")
        assert account.sync().did == {"deleted_remote": 2}
        assert local(account) == sorted(sent)


def test_of_messages_with_one_unique_id_and_size_one_goes_and_another_comes(drop_account):
    sent = twins(5)
    with Maildrop(sent[:3]) as drop:
        for letter in drop.letters:
            letter[0] = "same"
        account = drop_account(drop, leave_on_server="2d")
        assert account.sync().did == {"downloaded": 3}
        drop.letters = drop.letters[1:] + [["same", wire] for wire in sent[3:]]
        assert account.sync().did == {"downloaded": 2}
        assert account.sync().did == {}
        assert local(account) == sorted(sent)
        account.change(leave_on_server="no")
        assert account.sync().did == {"deleted_remote": 4}
        assert drop.letters == []


def test_a_unique_id_that_is_given_to_another_message_hides_nothing(drop_account):
    first, second = letters(2, size=400)
    second += b"x" * (len(first) - len(second)) + b"\r\n" if len(second) < len(first) else b""
    with Maildrop([first]) as drop:
        account = drop_account(drop, leave_on_server="no")
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 1}
        drop.letters = [["id1", second]]
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 1}
        # And the very same message, not deleted after all, is not fetched again.
        drop.letters = [["id1", second]]
        assert account.sync().did == {"deleted_remote": 1}


def reports(count):
    """Messages of one header, which has no Message-ID, and of one size."""
    return [f"From: cron\r\nSubject: report\r\n\r\ndisk {n} is full\r\n".encode() for n in range(count)]


@pytest.mark.parametrize("uidl", [True, False])
@pytest.mark.parametrize("number", ["its own", "the first one's"])
@pytest.mark.parametrize("at_quit", ["ok", "cut-after"])
def test_what_is_alike_but_for_its_body_is_not_taken_for_what_was_deleted(drop_account, uidl, number, at_quit):
    first, second, third = reports(3)
    with Maildrop([first], uidl=uidl) as drop:
        account = drop_account(drop, leave_on_server="no")
        drop.quit = at_quit
        account.sync(status=None)
        assert drop.letters == []
        drop.quit = "ok"
        drop.letters = [["id1" if number != "its own" else "id2", second]]
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 1}
        # One that was deleted, and is there all the same, is not fetched into a second file.
        drop.letters = [["id3", second], ["id4", third]]
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 2}
        assert drop.letters == []
        assert local(account) == [first, second, third]
        assert account.sync().did == {}


def test_what_is_alike_but_for_its_body_comes_though_the_other_one_went(drop_account):
    first, second = reports(2)
    with Maildrop([first]) as drop:
        account = drop_account(drop)
        account.sync()
        drop.letters = [["id2", second]]
        assert account.sync().did == {"downloaded": 1}
        # All ids are others: it is fetched, and known by its content.
        drop.letters = [["new-id2", second]]
        assert account.sync().did == {}
        assert drop.commands.count("RETR 1") == 3
        assert account.sync().did == {}
        assert drop.commands.count("RETR 1") == 3
        assert local(account) == [first, second]


def test_what_is_alike_but_for_its_body_is_known_by_its_file_after_a_lost_database(drop_account):
    """The rows are made from the files' names again, and the content stands in no row."""
    with Maildrop(reports(3), uidl=False) as drop:
        account = drop_account(drop)
        account.sync()
        account.database.unlink()
        assert account.sync().did == {}
        kept, drop.letters = drop.letters, []
        account.sync()
        drop.letters = kept
        assert account.sync().did == {}
        fetched = drop.commands.count("RETR 1")
        assert account.sync().did == {}
        assert local(account) == reports(3) and drop.commands.count("RETR 1") == fetched


def test_unique_ids_of_another_form_fetch_nothing_again(drop_account):
    with Maildrop(letters(6)) as drop:
        account = drop_account(drop)
        account.sync()
        for letter in drop.letters:
            letter[0] = "new-" + letter[0]
        drop.letters.append(["new-id7", mail.one(77, size=500)])
        assert account.sync().did == {"downloaded": 1}
        assert account.sync().did == {}
        assert sorted(row[0] for row in rows(account)) == [f"new-id{n}" for n in range(1, 8)]


def test_other_unique_ids_and_sizes_fetch_nothing_again(drop_account):
    with Maildrop(letters(6)) as drop:
        account = drop_account(drop)
        account.sync()
        for letter in drop.letters:
            letter[0] = "new-" + letter[0]
        drop.size = lambda wire: len(wire.replace(b"\r\n", b"\n"))
        assert account.sync().did == {}
        assert account.sync().did == {}


def test_unique_ids_that_go_and_return_fetch_nothing_again(drop_account):
    with Maildrop(letters(6)) as drop:
        account = drop_account(drop)
        account.sync()
        for has_uidl in (False, True):
            drop.uidl = has_uidl
            assert account.sync().did == {}


def test_the_ids_of_another_user_hide_nothing(drop_account):
    ours, theirs = twins(2)
    with Maildrop([ours]) as drop, Maildrop([theirs]) as other:
        account = drop_account(drop)
        assert account.sync().did == {"downloaded": 1}
        account.change(port=other.port, user="ann")
        assert account.sync().did == {"downloaded": 1}
        account.change(leave_on_server="no")
        assert account.sync().did == {"deleted_remote": 1}
        account.change(port=drop.port, user="joe")
        assert account.sync().did == {"deleted_remote": 1}
        assert local(account) == sorted([ours, theirs])


def test_a_listing_that_is_empty_for_once_fetches_nothing_again(drop_account):
    with Maildrop(letters(4)) as drop:
        account = drop_account(drop)
        account.sync()
        kept, drop.letters = drop.letters, []
        assert account.sync().did == {}
        drop.letters = kept
        assert account.sync().did == {}


def test_odd_unique_ids(drop_account):
    with Maildrop(letters(4)) as drop:
        for letter, uidl in zip(drop.letters, ["x" * 600, "\xfc-id", "with a blank", ""]):
            letter[0] = uidl
        account = drop_account(drop)
        assert account.sync().did == {"downloaded": 4}
        assert account.sync().did == {}


LONE_DOT = b"Subject: broken\r\n\r\nseen\r\n.\r\nnever seen\r\n"


@pytest.mark.parametrize("wire", [LONE_DOT, b".\r\n", b"bare\n.\nlf\r\n", b"x\r\n.\r\n"])
def test_a_lone_dot_that_a_server_failed_to_stuff_is_told_by_what_follows(drop_account, wire):
    for sent in (letters(3) + [wire] + letters(6)[3:], [wire], [wire, wire]):
        with Maildrop(sent, stuffs=False) as drop:
            account = drop_account(drop, leave_on_server="no")
            account.change(port=drop.port)
            assert account.sync().did == {"downloaded": len(sent), "deleted_remote": len(sent)}
            assert local(account) == sorted(wire.replace(b"\n", b"\r\n").replace(b"\r\r", b"\r")
                                            for wire in sent)
        for path in (account.folder / "mail", account.folder / "state"):
            shutil.rmtree(path)


@pytest.mark.parametrize("proves,knobs", [(False, {"size": lambda wire: len(wire) + 7}),
                                          (True, {"capabilities": ["TOP", "UIDL"]})],
                         ids=["other-sizes", "no-pipelining"])
def test_a_lone_dot_that_is_not_told_holds_up_nothing_else(drop_account, proves, knobs):
    """Where sizes prove nothing, the others go in the next run, after they came once more (A17)."""
    sent = letters(6)
    broken = LONE_DOT
    with Maildrop(sent[:3] + [broken] + sent[3:], stuffs=False, **knobs) as drop:
        account = drop_account(drop, leave_on_server="no")
        result = account.sync(status=1)
        gone = {"deleted_remote": 6} if proves else {}
        assert result.did == {"downloaded": 6, "errors": 1, **gone}
        assert "single dot" in result.errors[0]["message"]
        assert local(account) == sorted(sent)
        if not proves:
            assert len(drop.letters) == 7
            assert account.sync(status=1).did == {"deleted_remote": 6, "errors": 1}
        assert [x[1] for x in drop.letters] == [broken]
        # Alone, it has nothing behind it but the answer to NOOP.
        assert account.sync(status=1).did == {"errors": 1}
        drop.size, drop.stuffs = len, True
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 1}
        assert local(account) == sorted([*sent, broken])


@pytest.mark.parametrize("leave", ["no", "yes"])
@pytest.mark.parametrize("answer", ["what", "OK", "*ERR no", "?"])
def test_an_unreadable_answer_puts_no_body_in_anothers_place(drop_account, answer, leave):
    """It may pass for a line of the body before: the answers behind it are out of step."""
    sent = letters(6)
    with Maildrop(sent, at={"RETR 3": answer}) as drop:
        account = drop_account(drop, leave_on_server=leave, timeout=5)
        result = account.sync(status=None)
        assert result.status in (1, 76) and result.did["downloaded"] >= 4
        drop.at = {}
        account.sync()
        assert local(account) == sorted(sent)
        assert len(drop.letters) == (0 if leave == "no" else 6)


def test_an_unreadable_answer_puts_no_header_in_anothers_place(drop_account):
    sent = letters(6)
    with Maildrop(sent, uidl=False, at={"TOP 3 0": "what"}) as drop:
        account = drop_account(drop, timeout=5)
        account.sync()
        assert local(account) == sorted(sent)
        drop.at = {}
        assert account.sync().did == {}


def test_lines_that_a_server_failed_to_stuff_stay_as_they_are(drop_account):
    wire = b"Subject: x\r\n\r\n.hidden\r\nend\r\n"
    with Maildrop([wire], stuffs=False) as drop:
        account = drop_account(drop)
        account.sync()
        assert local(account) == [wire]


def test_a_message_that_is_refused_is_tried_again(drop_account):
    with Maildrop(letters(3), at={"RETR 2": "-ERR Message 2 expunged."}) as drop:
        account = drop_account(drop, leave_on_server="no")
        assert account.sync(status=1).did == {"downloaded": 2, "deleted_remote": 2, "errors": 1}
        drop.at = {"RETR 1": "-ERR Message 1 expunged."}
        for _ in range(3):
            files = account.local.snapshot()
            assert account.sync(status=1).did == {"errors": 1}
            assert account.local.snapshot() == files
        drop.at = {}
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 1}


def test_a_deletion_that_is_refused_rewrites_nothing(drop_account):
    with Maildrop(letters(3), at={"DELE 2": "-ERR no"}) as drop:
        account = drop_account(drop, leave_on_server="no")
        assert account.sync(status=1).did == {"downloaded": 3, "deleted_remote": 2, "errors": 1}
        drop.at = {"DELE 1": "-ERR no"}
        for _ in range(3):
            files = account.local.snapshot()
            assert account.sync(status=1).did == {"errors": 1}
            assert account.local.snapshot() == files
        drop.at = {}
        assert account.sync().did == {"deleted_remote": 1}


@pytest.mark.parametrize("is_piped", [True, False])
def test_a_message_that_comes_empty_is_not_stored_and_not_deleted(drop_account, is_piped):
    sent = letters(3)
    with Maildrop(sent, at={"RETR 2": "+OK\r\n."}) as drop:
        if not is_piped:
            drop.capabilities.remove("PIPELINING")
        account = drop_account(drop, leave_on_server="no")
        assert account.sync(status=1).did == {"downloaded": 2, "deleted_remote": 2, "errors": 1}
        assert local(account) == sorted([sent[0], sent[2]])
        assert "DELE 2" not in drop.commands
        drop.at = {"RETR 1": "+OK\r\n."}
        assert account.sync(status=1).did == {"errors": 1}
        drop.at = {}
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 1}
        assert local(account) == sorted(sent)


def test_an_empty_body_without_a_size_is_not_stored(drop_account):
    sent = letters(2)
    with Maildrop(sent, at={"LIST": "+OK\r\n.", "RETR 1": "+OK\r\n."}) as drop:
        account = drop_account(drop)
        assert account.sync(status=1).did == {"downloaded": 1, "errors": 1}
        drop.at = {}
        assert account.sync().did == {"downloaded": 1}
        assert local(account) == sorted(sent)


def test_a_message_that_needs_utf8_comes_in_a_session_with_utf8(drop_account):
    sent = letters(4)
    with Maildrop(sent, utf8_only={"id2"}) as drop:
        account = drop_account(drop, leave_on_server="no")
        # Not on offer: it is refused, and stays.
        assert account.sync(status=1).did == {"downloaded": 3, "deleted_remote": 3, "errors": 1}
        assert "UTF8" not in drop.commands
        drop.capabilities.append("UTF8 USER")
        drop.commands.clear()
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 1}
        assert drop.commands.count("UTF8") == 1
        assert drop.commands.index("UTF8") < drop.commands.index("USER joe", 2)
        assert local(account) == sorted(sent)


@pytest.mark.parametrize("answer, status", [
    ("-ERR [IN-USE] locked by another", 75), ("-ERR [LOGIN-DELAY] wait", 75),
    ("-ERR [SYS/TEMP] later", 75), ("-ERR maildrop already locked", 75),
    ("-ERR [AUTH] who?", 77), ("-ERR no", 77), ("-ERR [SYS/PERM] never", 69),
])
def test_refused_logins_have_their_exit_status(drop_account, answer, status):
    with Maildrop(at={"PASS": answer}) as drop:
        result = drop_account(drop).sync(status=status)
        assert answer[5:] in result.errors[0]["message"]


def test_what_a_server_forgets_to_delete_is_deleted_by_the_next_run(drop_account):
    sent = letters(5)
    with Maildrop(sent, quit="forget") as drop:
        account = drop_account(drop, leave_on_server="no")
        account.sync()
        drop.quit = "ok"
        assert account.sync().did == {"deleted_remote": 5}
        assert drop.letters == []
        assert local(account) == sorted(sent)


@pytest.mark.parametrize("verb", ["UIDL", "LIST", "RETR 3"])
@pytest.mark.parametrize("code", ["IN-USE", "LOGIN-DELAY", "SYS/TEMP"])
def test_a_server_that_is_busy_later_on_is_tried_again(drop_account, verb, code):
    sent = letters(4)
    with Maildrop(sent, at={verb: f"-ERR [{code}] in a while"}) as drop:
        account = drop_account(drop)
        result = account.sync(status=75)
        assert "in a while" in result.errors[0]["message"]
        if verb == "RETR 3":
            assert result.did == {"downloaded": 3, "errors": 1}
        drop.at = {}
        account.sync()
        assert local(account) == sorted(sent)


def test_a_server_that_is_busy_with_each_message_is_let_be(drop_account):
    with Maildrop(letters(30), at={"RETR": "-ERR [SYS/TEMP] in a while"}) as drop:
        account = drop_account(drop)
        assert account.sync(status=75).did == {"errors": 3}
        drop.at = {}
        assert account.sync().did == {"downloaded": 30}


def test_gmail_is_asked_until_nothing_new_comes(drop_account):
    sent = [mail.one(n, size=400 + 100 * n) for n in range(11)]
    with Maildrop(sent, window=4, greeting="+OK Gpop ready for requests") as drop:
        account = drop_account(drop)
        assert account.sync().did == {"downloaded": 11}
        assert drop.sessions == 4
        assert "TOP" not in drop.verbs()
        assert account.sync().did == {}
        # What is not listed is not gone: shown again after any time, it is known.
        assert [row[4] for row in rows(account)] == [0] * 11
        drop.window = None
        assert account.sync().did == {}


def test_gmail_s_recent_user_is_asked_until_nothing_new_comes(drop_account):
    with Maildrop(letters(11), window=4) as drop:
        account = drop_account(drop)
        account.change(user="recent:joe@gmail.com", leave_on_server="no")
        assert account.sync().did == {"downloaded": 11, "deleted_remote": 11}
        assert drop.letters == []


def test_sessions_with_a_server_that_always_has_news_end(drop_account):
    with Maildrop(greeting="+OK Gpop ready") as drop:
        drop.more = lambda: drop.letters.append([f"more{drop.sessions}", mail.one(drop.sessions)])
        account = drop_account(drop)
        assert 1 < account.sync().did["downloaded"] == drop.sessions <= 200


@pytest.mark.parametrize("answer, status", [
    ("-ERR [IN-USE] one at a time", 75), ("-ERR [SYS/TEMP] later", 75),
    ("-ERR [LOGIN-DELAY] wait", 75), ("-ERR too many connections", 75),
    ("-ERR [SYS/PERM] never", 69), ("-ERR go away", 69),
])
def test_refused_connections_have_their_exit_status(drop_account, answer, status):
    with Maildrop(greeting=answer) as drop:
        result = drop_account(drop).sync(status=status)
        assert answer in result.errors[0]["message"]


def test_a_maildrop_in_use_is_tried_again(pop3, dovecots):
    server = dovecots(extra="protocol pop3 {\n  pop3_lock_session = yes\n}\n")
    account = pop3(server)
    with account.remote() as remote:
        append(remote, 3)
    other = poplib.POP3("127.0.0.1", server.port + 2)
    other.user(account.user)
    other.pass_(PASSWORD)
    assert "[IN-USE]" in account.sync(status=75).errors[0]["message"]
    other.quit()
    assert account.sync().did == {"downloaded": 3}


@pytest.mark.parametrize("is_piped", [True, False], ids=["pipelined", "one-at-a-time"])
def test_a_run_without_news_asks_for_no_message(drop_account, is_piped):
    with Maildrop(letters(300)) as drop:
        account = drop_account(drop)
        account.sync()
        drop.capabilities = ["TOP", "UIDL", "USER"] + ["PIPELINING"] * is_piped
        drop.commands.clear()
        turns = account.sync().account["round_trips"]
        behind = drop.commands.index("PASS secret") + 1
        assert drop.commands[behind:] == ["UIDL", "LIST", "QUIT"]
        assert turns - behind <= 3


def test_50_000_messages_take_bounded_memory(drop_account):
    wire = b"Subject: x\r\n\r\nx\r\n"
    with Maildrop([wire] * 50_000) as drop:
        account = drop_account(drop)
        for did in ({"downloaded": 50_000}, {}):
            done = bounded.run(account, "--json", "sync", seconds=program.TIMEOUT)
            assert done.result.did == did
            if not bounded.is_sanitized():
                assert done.rss_kb < bounded.MEMORY_KB, f"{done.rss_kb} kB"


# Interrupted

@pytest.mark.parametrize("mode", ["cut-before", "cut-after", "refuse"])
def test_a_cut_at_quit_neither_loses_nor_doubles(drop_account, mode):
    sent = letters(5)
    with Maildrop(sent, quit=mode) as drop:
        account = drop_account(drop, leave_on_server="no")
        result = account.sync(status=1 if mode == "refuse" else 75)
        assert local(account) == sorted(sent)
        assert result.did.get("deleted_remote", 0) == (5 if mode == "cut-after" else 0)
        drop.quit = "ok"
        drop.letters.append(["id9", mail.one(99)])
        expected = {"downloaded": 1, "deleted_remote": 1 if mode == "cut-after" else 6}
        assert account.sync().did == expected
        assert drop.letters == []
        assert account.sync().did == {}
        assert len(local(account)) == 6


@pytest.mark.parametrize("verb", ["UIDL", "LIST", "RETR 3", "DELE 3", "QUIT"])
def test_a_cut_at_a_command_is_made_good_by_the_next_run(drop_account, verb):
    sent = letters(5)
    with Maildrop(sent, at={verb: "cut"}) as drop:
        account = drop_account(drop, leave_on_server="no")
        account.sync(status=75)
        drop.at = {}
        account.sync()
        assert local(account) == sorted(sent)
        assert drop.letters == []


@pytest.mark.parametrize("kilobytes", [1, 3, 20, 60, 150])
def test_a_cut_line_is_made_good_by_the_next_run(pop3, dovecots, kilobytes):
    account = pop3(leave_on_server="no", auth="plain")
    with account.remote() as remote:
        sent = sorted(wire for _, wire in append(remote, 40))
        big = mail.one(1, size=200_000)
        remote.append("INBOX", big)
    with Line(dovecots().port + 2, cut_after=kilobytes * 1000) as line:
        account.change(port=line.port)
        result = account.sync(status=None)
        # What does not fit in ends each connection.
        assert result.status in (0, 1, 75), result
        assert result.status != 1 or "ends each time" in result.err
    account.change(port=dovecots().port + 2)
    account.sync()
    assert local(account) == sorted(sent + [big])
    with account.remote() as remote:
        assert uids(remote) == []


def test_killed_runs_neither_lose_nor_double(drop_account):
    sent = letters(60, size=3000)
    with Maildrop(sent) as drop:
        account = drop_account(drop, leave_on_server="no")
        for delay in (0.01, 0.02, 0.03, 0.04, 0.06, 0.08):
            process = account.start("sync")
            time.sleep(delay)
            process.kill()
            process.communicate()
        account.sync()
        assert local(account) == sorted(sent)
        assert drop.letters == []


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("what", ["uidl", "size"])
def test_stopped_after_any_step_and_told_otherwise_the_next_run_doubles_nothing(drop_account, what):
    """A file that was delivered and not noted bears a name made of unique-id and size."""
    sent = letters(2)
    first = {"uidl": False} if what == "uidl" else {"size": lambda wire: len(wire) + 1}
    for step in range(1, 200, 3):
        with Maildrop(sent, **first) as drop:
            account = drop_account(drop)
            account.change(port=drop.port)
            stopped = account.run("sync", env={"MAILSYNC_STEP_STOP": str(step)})
            drop.uidl, drop.size = True, len
            account.sync()
            assert local(account) == sorted(sent), step
        for path in (account.folder / "mail", account.folder / "state"):
            shutil.rmtree(path)
        if stopped.status == 0:
            break


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("leave", ["yes", "no"])
def test_stopped_after_any_step_the_next_run_converges(drop_account, leave):
    sent = letters(3)
    step = 0
    while True:
        step += 1
        assert step < 500
        with Maildrop(sent) as drop:
            account = drop_account(drop, leave_on_server=leave)
            account.change(port=drop.port)
            stopped = account.run("sync", env={"MAILSYNC_STEP_STOP": str(step)})
            account.sync()
            assert local(account) == sorted(sent), step
            assert len(drop.letters) == (0 if leave == "no" else 3), step
            assert account.sync().did == {}, step
        for path in (account.folder / "mail", account.folder / "state"):
            shutil.rmtree(path)
        if stopped.status == 0:
            break
    assert step > 10


@pytest.mark.usefixtures("steps")
def test_a_message_whose_file_is_gone_before_its_delivery_stays_on_the_server(drop_account):
    """Another program cleans tmp/ in the moment between the last byte and the name."""
    def stop_at(number):
        process = account.start("--json", "sync", env={"MAILSYNC_STEP_PAUSE": number})
        assert program.is_stopped(process)
        for path in account.local.folder("INBOX").glob("tmp/*"):
            path.unlink()
        process.send_signal(signal.SIGCONT)
        return program.finish(process)

    sent = letters(1)
    with Maildrop(sent) as drop:
        account = drop_account(drop)
        log = account.folder / "steps"
        account.run("sync", env={"MAILSYNC_STEP_LOG": str(log)})
        step = next(line.split()[0] for line in log.read_text().splitlines()
                    if " rename\t" in line and "/INBOX/tmp/" in line)
    for path in (account.folder / "mail", account.folder / "state"):
        shutil.rmtree(path)
    with Maildrop(sent) as drop:
        account = drop_account(drop, leave_on_server="no")
        result = stop_at(step)
        assert result.status == 1 and "is not renamed" in result.errors[0]["message"], result
        assert len(drop.letters) == 1 and local(account) == []
        account.sync()
        assert local(account) == sent


@pytest.mark.usefixtures("steps")
def test_a_full_disk_at_any_step_is_made_good_by_the_next_run(drop_account):
    sent = letters(3)
    for step in range(1, 500):
        with Maildrop(sent) as drop:
            account = drop_account(drop, leave_on_server="no")
            log = account.folder / "steps"
            failed = account.run("sync", env={"MAILSYNC_STEP_FAIL": f"{step}:28",
                                              "MAILSYNC_STEP_LOG": str(log)})
            reached = len(log.read_text().splitlines())
            account.sync()
            assert local(account) == sorted(sent), step
            assert drop.letters == [], step
        for path in (account.folder / "mail", account.folder / "state", log):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if reached < step:
            break
        assert failed.status in (0, 1, 74, 75), (step, failed)
    assert step > 10


# Real mail

def test_real_mail_comes_byte_for_byte(pop3):
    found = mail.real()
    if not found:
        pytest.skip("no MAILSYNC_TEST_DATA")
    account = pop3()
    with account.remote() as remote:
        for wire in {letter.wire for letter in found[:1500]}:
            try:
                remote.append("INBOX", wire)
            except Exception:  # what the server does not take is no matter here
                continue
        served = as_pop3(remote)
    account.sync(timeout=300)
    # Dovecot shows NUL as 0x80 in IMAP, and as it is in POP3.
    assert sorted(wire.replace(b"\0", b"\x80") for wire in local(account)) == served
    assert account.sync().did == {}


# Courier

@pytest.fixture(scope="module")
def courier():
    rig = pytest.importorskip("rig.courier")
    try:
        server = rig.Courier()
        server.start()
    except RuntimeError as error:
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.mark.parametrize("keys", [{}, {"tls": "starttls"}, {"tls": "implicit"}],
                         ids=["clear", "starttls", "implicit"])
@pytest.mark.parametrize("leave", ["yes", "no"])
def test_courier(pop3, courier, keys, leave):
    account = pop3(courier, leave_on_server=leave, **keys)
    account.change(port=courier.port + (3 if keys.get("tls") == "implicit" else 2))
    with account.remote() as remote:
        sent = sorted(wire for _, wire in append(remote, 30))
    gone = {"deleted_remote": 30} if leave == "no" else {}
    assert account.sync().did == {"downloaded": 30, **gone}
    if gone:
        # It answers QUIT before it has removed what was marked.
        maildir = courier.mail / account.user / "Maildir"
        program.wait_until(lambda: not [*maildir.glob("cur/*"), *maildir.glob("new/*")])
    assert local(account) == sorted(sent)
    assert account.sync().did == {}


def test_dots_that_courier_does_not_escape(pop3, courier):
    """It escapes them in all lines but the first."""
    account = pop3(courier, leave_on_server="no")
    account.change(port=courier.port + 2)
    odd = [b".\n", b".first\n\nx\n", b"Subject: a\n\n.\n..\n.b\n", b"a\rb\r\n\n\xff\n"]
    for number, data in enumerate(odd):
        path = courier.mail / account.user / "Maildir" / "new" / f"{1_600_000_000 + number}.x"
        path.write_bytes(data)
        os.chown(path, courier.owner.pw_uid, courier.owner.pw_gid)
    assert account.sync().did == {"downloaded": 4, "deleted_remote": 4}
    assert sorted(path.read_bytes() for path in account.local.files("INBOX")) == sorted(odd)


def test_a_quit_that_is_not_answered_holds_up_a_run_without_deletions_for_two_seconds(account):
    with Poison(account.server.port + 2, Fault("QUIT", end="silence"), protocol="pop3") as poison:
        account.change(port=poison.port, protocol="pop3", timeout=30)
        begun = time.monotonic()
        account.sync()
        assert time.monotonic() - begun < 10 and len(poison.hits) == 1
