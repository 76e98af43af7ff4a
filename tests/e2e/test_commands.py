"""Commands and options: dry run, list, check, status, the lock, signals, several accounts."""

import os
import re
import shlex
import signal
import socket
import subprocess
import time

import pytest

from rig import mail, program
from rig.host import PASSWORD
from rig.line import Line
from rig.scripted import Scripted, expect, pause
from rig.terminal import Terminal, what_stays
from stories import agree, append, count, idle, paired, uids


def test_with_nothing_to_say_nothing_is_said(account, remote):
    paired(account, remote, 2)
    result = account.run("sync")
    assert (result.status, result.out, result.err) == (0, "", "")
    assert account.run().status == 0


def test_the_json_lines_have_their_fields(account, remote):
    append(remote, 2)
    result = account.sync()
    event, = result.of("mailbox")
    assert event["account"] == "home" and event["mailbox"] == "INBOX"
    assert all(event[name] == (2 if name == "downloaded" else 0) for name in program.COUNTS)
    event = result.account
    assert event["status"] == 0 and event["mailboxes"] == 1 and event["mailboxes_changed"] == 1
    for name in ("connections", "commands", "round_trips", "bytes_in", "bytes_out", "seconds"):
        assert event[name] > 0, name
    assert result.err == ""


def test_a_dry_run_says_what_a_run_does_and_changes_nothing(account, remote):
    (uid_one, one), (uid_two, two), (uid_three, _), (_, four) = paired(account, remote, 4)
    local = account.local
    local.deliver("INBOX", mail.one(50, size=300))
    local.set_flags(local.find("INBOX", one), add="F")
    local.find("INBOX", four).unlink()
    append(remote, 1, seed="new")
    remote.store("INBOX", uid_two, "+FLAGS", "\\Answered")
    remote.expunge("INBOX", uid_three)
    remote.create("far")
    local.create("near")

    files, numbers, rows = local.snapshot(), remote.numbers(), account.database.read_bytes()
    plan = account.sync("--dry-run").plan
    assert local.snapshot() == files
    assert remote.numbers() == numbers
    assert account.database.read_bytes() == rows
    assert sorted(op["op"] for op in plan) == sorted([
        "create_local", "create_remote", "delete_local", "delete_remote", "download",
        "flags_local", "flags_remote", "upload"])
    assert all(op["why"] for op in plan)

    did = account.sync().did
    assert did == {"downloaded": 1, "uploaded": 1, "flags_local": 1, "flags_remote": 1,
                   "deleted_local": 1, "deleted_remote": 1}
    idle(account, remote)


def test_a_dry_run_tells_the_flags_of_what_moves(account, remote):
    remote.create("Archive")
    (uid, wire), (uid_two, wire_two) = append(remote, 2)
    account.sync()
    local = account.local
    remote.store("INBOX", uid, "+FLAGS", "\\Answered")
    local.move(local.set_flags(local.find("INBOX", wire), add="SF"), "Archive")
    local.move(local.find("INBOX", wire_two), "Archive")
    plan = account.sync("--dry-run").plan
    assert sorted(op["op"] for op in plan) == ["flags_local", "flags_remote", "move", "move"]
    moves = {op["why"]: op["file"] for op in plan if op["op"] == "move"}
    assert set(moves) == {f"moved locally from INBOX, there UID {n}" for n in (uid, uid_two)}
    assert all((local.folder("Archive") / file).exists() for file in moves.values())
    assert account.sync().did == {"moved": 2, "flags_local": 1, "flags_remote": 1}
    agree(account, remote)


def test_a_first_dry_run_creates_nothing(account, remote):
    append(remote, 2)
    plan = account.sync("-n").plan
    assert [op["op"] for op in plan].count("download") == 2
    assert not account.local.root.exists()
    assert not account.database.exists()
    assert account.sync().did == {"downloaded": 2}


def test_a_dry_run_speaks_to_people_too(account, remote):
    append(remote, 1)
    result = account.run("-n", "sync")
    assert result.status == 0
    assert "INBOX" in result.out


def test_no_name_turns_the_text_of_a_line_around(account, remote):
    """U+202E lets "exe.txt" read as "txt.exe", and U+2028 may end the line."""
    name = "Bills \u202egpj\u2028x"
    remote.create(name)
    append(remote, 1, mailbox=name)
    said = [account.run(*args) for args in (["--dry-run", "sync"], ["-v", "sync"])]
    account.local.deliver(name, mail.one(1, seed="mine"))
    for path in account.local.files(name):
        path.unlink()
    said += [account.run(*args) for args in (
        ["-v", "--dry-run", "sync"], ["status"], ["list"], ["check"], ["verify", "--level=server"],
        ["restore", "--all"], ["-v", "sync"])]
    shown = [result.out + result.err for result in said]
    assert [text for text in shown if "\u202e" in text or "\u2028" in text] == []
    assert sum("Bills ?gpj?x" in text for text in shown) >= 6, shown


def test_list_shows_the_remote_mailboxes(make_account, dovecots):
    account = make_account(dovecots(special_use=True), mailboxes="* !Junk")
    with account.remote() as remote:
        append(remote, 3)
        remote.create("Größe")
        result = account.run("list")
        assert result.status == 0, result
        lines = {name: line for line in result.out.splitlines()
                 for name in ("INBOX", "Größe", "Trash", "Junk") if name in line.split()}
        assert set(lines) == {"INBOX", "Größe", "Trash", "Junk"}
        assert "3" in lines["INBOX"] and "\\Trash" in lines["Trash"]
        assert not account.local.root.exists()


def test_mailboxes_are_chosen_by_special_use_whatever_their_names(make_account, dovecots):
    """`!\\Junk`, from the first run on, and where it has been synced before: left alone on both sides."""
    account = make_account(dovecots(special_use=True), mailboxes="* !\\JUNK !\\Sent")
    with account.remote() as remote:
        remote.append("Junk", mail.one(1))
        assert account.run("sync").status == 0
        assert not (account.local.root / "Junk").exists()
        assert (account.local.root / "Trash" / "cur").is_dir()
        listed = {event["mailbox"]: event["selected"] for event in account.run("list", "--json").events}
        assert listed == {"INBOX": True, "Archive": True, "Drafts": True, "Junk": False,
                          "Sent": False, "Trash": True}
        result = account.run("sync", "home/Junk")
        assert "`mailboxes` of the configuration leaves this mailbox out" in result.err
        account.change(mailboxes="\\Junk")
        assert account.run("sync").status == 0
        assert not (account.local.root / "Sent").exists()
        assert count(account, "Junk") == 1
        # Synced until now; no longer.
        account.change(mailboxes="!\\Junk")
        for path in account.local.files("Junk"):
            path.unlink()
        assert account.run("sync").status == 0
        assert len(remote.uids("Junk")) == 1
    account.change(mailboxes="* !\\Junks")
    result = account.run("sync")
    assert result.status == 78
    assert "\\Junks is no special use; there are \\All, \\Archive" in result.err
    account.change(mailboxes="*", watch_mailboxes="\\Junk")
    assert "special uses are for the key mailboxes" in account.run("sync").err


def test_check_logs_in_and_says_what_will_be_used(account):
    result = account.run("check")
    assert result.status == 0, result
    assert result.out.strip()
    assert not account.local.root.exists()


def test_check_finds_a_wrong_password(account):
    account.change(password="wrong")
    assert account.run("check").status == 77


def test_status_needs_no_network(account, remote):
    paired(account, remote, 3)
    account.change(port=1)
    result = account.run("status")
    assert result.status == 0, result
    assert any("INBOX" in line and "3" in line for line in result.out.splitlines())


def test_status_says_what_failed_and_forgets_it_when_it_is_mended(account, remote):
    paired(account, remote, 2)
    remote.create("Work")
    account.sync()
    empty = account.local.folder("INBOX") / "cur" / "empty:2,S"
    empty.write_bytes(b"")
    assert "the file empty was not" in account.sync(status=1).errors[0]["message"]

    def trouble():
        return {event["mailbox"]: event["trouble"] for event in
                account.run("--json", "status").of("status")}

    assert "zero byte" in trouble()["INBOX"] and trouble()["Work"] is None
    empty.unlink()
    account.sync()
    assert trouble() == {"INBOX": None, "Work": None}
    assert account.change(password="wrong").run().status == 77
    assert all("refused the login" in text for text in trouble().values())
    account.change(password=PASSWORD).sync()
    assert trouble() == {"INBOX": None, "Work": None}


def test_status_names_an_account_that_never_came_to_a_mailbox(account):
    account.change(password="wrong")
    assert account.run("sync").status == 77
    assert account.run("status").out == "home: never synced\n"


def on_a_terminal(account, *args, size=(24, 80), status=0, all_of_it=False, **env):
    """What a run writes to standard error (ALL_OF_IT: and to standard output) when that is a terminal of
    SIZE (rows, columns)."""
    rows, columns = size
    environment = account.environment(**{"TERM": "xterm", "NO_COLOR": "", **env})
    elsewhere = {} if all_of_it else {"stdout": subprocess.PIPE}
    with Terminal(account.argv(*args), None, environment, columns, rows, stdin=subprocess.DEVNULL,
                  **elsewhere) as terminal:
        assert terminal.ended() == status
        if not all_of_it:
            with terminal.process.stdout as out:
                assert out.read() == b""
        return terminal.shown


def test_accounts_ask_for_their_passwords_one_after_another(make_account):
    """Where somebody may be asked: two questions at once would be answered by the wrong password."""
    account, other = make_account(password=None), make_account(password=None)
    asking = account.folder / "asking"
    for one in (account, other):
        one.change(password_command=f"mkdir {asking} || exit 1; sleep 0.3; rmdir {asking}; "
                                    f"printf %s {shlex.quote(PASSWORD)}")
    account.others["account other"] = other.keys
    on_a_terminal(account, "sync")



@pytest.mark.parametrize("outer_first", [True, False])
def test_a_maildir_in_anothers_is_sent_to_no_server_but_its_own(make_account, outer_first):
    """Below the outer one it would be folders of that: neither is touched where the outer one comes first."""
    outer, inner = make_account(), make_account()
    outer.change(maildir=str(outer.folder / "mail"))
    inner.change(maildir=str(outer.folder / "mail" / "b"))
    inner.local.create("INBOX")
    inner.local.deliver("INBOX", mail.one(1, size=300), "S")
    keys = [outer.keys, inner.keys] if outer_first else [inner.keys, outer.keys]
    outer.keys, outer.others = keys[0], {"account other": keys[1]}
    result = outer.run("--json", "sync")
    assert result.status == 78, result
    told = {event["account"]: event["status"] for event in result.of("account")}
    assert told == {"home": 78 if outer_first else 0, "other": 78}, result
    with outer.remote() as remote:
        assert remote.mailboxes() == ["INBOX"] and remote.uids("INBOX") == []


def test_progress_shows_on_a_terminal_and_leaves_no_trace(account, remote):
    append(remote, 40)
    with Line(account.server.port, rtt_ms=80) as line:
        account.change(port=line.port)
        shown = on_a_terminal(account, "-v", "sync")
        quiet = on_a_terminal(account, "-q", "sync")
    assert re.search(r"home: (looking|\d+ of 40 messages)", shown) and quiet == ""
    # What is said later stands in a line of its own, and nothing of the progress is left.
    screen = what_stays(shown).split("\n")
    assert screen[-1] == "" and all(text.startswith("mailsync: ") for text in screen[:-1])


def frames(shown):
    """The displays, of one line or more each, that stood on the terminal one after another; without what
    was said there, to stay."""
    return [frame.replace("\r", "").split("\n")
            for frame in re.split(r"\r\x1b\[K(?:\x1b\[A\x1b\[K)*", shown)
            if frame and not frame.startswith("mailsync: ")]


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_progress_follows_the_size_of_the_terminal(make_account, columns):
    """A line an account, as far as the terminal is high, and one of their sum."""
    accounts = [make_account() for _ in range(5)]
    for one in accounts:
        append(one.remote(), 60)
    with Line(accounts[0].server.port, rtt_ms=100) as line:
        for number, one in enumerate(accounts):
            one.change(port=line.port)
            accounts[0].others[f"account no{number}"] = one.keys
        del accounts[0].others["account no0"]
        shown = frames(on_a_terminal(accounts[0], "sync", size=(5, columns)))
    assert all(len(text) < columns for frame in shown for text in frame)
    assert max(len(frame) for frame in shown) == 4       # three accounts and the sum, of five rows
    assert any(re.match(r"[0-5] of 5 accounts( done)?, \d+ ", frame[-1]) for frame in shown)


def test_trouble_alone_has_a_colour(make_account):
    account = make_account(password="wrong")
    red = "\x1b[31m"
    shown = on_a_terminal(account, "check", status=77)
    assert shown.startswith(f"{red}mailsync: home: \x1b[0mthe server refused the login"), shown
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_a_terminal(account, "check", status=77, **env)
    assert "\x1b" not in account.run("check").err
    account.change(password=PASSWORD)
    assert red not in on_a_terminal(account, "-v", "sync")


def test_a_large_plan_is_short_on_a_terminal(account, remote):
    """Elsewhere each operation has its line; both end with what they come to."""
    account.sync()
    append(remote, 12)
    account.local.deliver("INBOX", mail.one(9, seed="up", size=300))
    size = r"\d\.\d kB"
    shown = what_stays(on_a_terminal(account, "--dry-run", all_of_it=True))
    assert re.fullmatch(rf"""home/INBOX: upload new/\S+ \(new in the Maildir\)
home/INBOX: download 12 messages, {size} \(new on the server\)
mailsync: home: would download 12 messages, {size}; upload 1 message, \d+ bytes
""", shown), shown
    lines = on_a_terminal(account, "--dry-run", "-v", all_of_it=True).splitlines()
    assert sum("home/INBOX: download UID" in line for line in lines) == 12
    piped = account.run("--dry-run")
    assert len(piped.out.splitlines()) == 13
    assert re.fullmatch(rf"mailsync: home: would download 12 messages, {size}; upload 1 message, \d+ bytes\n",
                        piped.err), piped
    account.sync()
    idle_run = account.run("--dry-run")
    assert (idle_run.out, idle_run.err) == ("", "")
    assert what_stays(on_a_terminal(account, "--dry-run")) == "mailsync: home: nothing to do\n"


STOPPED = "mailsync: stopped by a signal; the next run does the rest\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("command", ["sync", "check", "list", "verify --level=bytes", "restore --all home"])
def test_a_signal_has_one_text(account, remote, command, number):
    paired(account, remote, 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        account.change(port=silent.getsockname()[1], tls="none")
        if not command.startswith(("verify", "restore")):        # which a new one has nothing for
            account.others["account other"] = {**account.keys, "maildir": str(account.folder / "other")}
        process = account.start("--wait", *command.split())
        connection, _ = silent.accept()
        process.send_signal(number)
        result = program.finish(process)
        connection.close()
    assert result.status == 75, result
    assert result.err == STOPPED, result


def test_a_stop_counts_as_no_failure_before_a_person(account, remote):
    for number in range(60):
        remote.append("INBOX", mail.one(number, size=20_000))
    with Line(account.server.port, rtt_ms=60, kbit_s=400) as line:
        account.change(port=line.port)
        environment = account.environment(TERM="xterm", NO_COLOR="")
        with Terminal(account.argv("sync"), None, environment) as terminal:
            terminal.wait(lambda: re.search(r" [1-9]\d* of 60", terminal.shown), "something came")
            time.sleep(1)
            terminal.type("\x03")
            assert terminal.ended() == 75
            stays = what_stays(terminal.shown).replace("^C", "")
    assert "failed" not in stays and stays.endswith(STOPPED), stays


@pytest.mark.parametrize("command", ["status", "status --json", "help", "version", "--print-example",
                                     "init --list", "init --list --json"])
def test_an_output_that_cannot_be_written_is_told_once(account, command):
    for number in range(20):
        account.others[f"account a{number}"] = {**account.keys, "maildir": str(account.folder / f"m{number}")}
    with open("/dev/full", "wb") as full:
        done = subprocess.run(account.argv(*command.split()), stdout=full, stderr=subprocess.PIPE, text=True,
                              env=account.environment(), check=False)
    assert done.returncode == 74
    assert done.stderr.count("\n") == 1 and "could not be written: No space left on device" in done.stderr


def test_progress_elsewhere_only_if_asked_for(account, remote):
    paired(account, remote, 1)
    append(remote, 4, seed="new")
    account.local.deliver("INBOX", mail.one(9, seed="up", size=300))
    result = account.run("--progress=always", "--json")
    assert re.fullmatch(r"mailsync: home: 5 of 5 messages, [\d.]+( of [\d.]+)? kB\n", result.err), result
    for options in ((), ("--progress=auto",), ("--progress=never",)):
        assert account.run(*options).err == ""


def test_no_file_takes_the_place_of_a_closed_stream(account, remote):
    append(remote, 1)
    for closed, status in (("2>&-", 0), (">&-", 74), ("<&- >&- 2>&-", 74)):
        shell = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh"]
        for args, expected in ((("-vv", "sync"), 0), (("list",), status)):
            done = subprocess.run([*shell, *account.argv(*args)], env=account.environment(),
                                  capture_output=True, check=False)
            assert done.returncode == expected, (closed, args)
    for path in account.folder.rglob("*"):
        assert not path.is_file() or b"mailsync: " not in path.read_bytes(), path


def test_usage_errors(account):
    assert account.run("--no-such-option").status == 64
    assert account.run("no-such-command").status in (64, 78)
    assert account.run("sync", "no-such-account").status in (64, 78)


def test_help_and_version(account):
    for option in ("--help", "-h", "--version"):
        result = account.run(option)
        assert result.status == 0 and "mailsync" in result.out.lower(), result


def test_options_may_stand_after_the_command(account, remote):
    append(remote, 1)
    result = account.run("sync", "--json", "home")
    assert result.status == 0 and result.did == {"downloaded": 1}, result


def test_the_config_may_come_from_the_environment(account, remote):
    append(remote, 1)
    account.write_config()
    import subprocess
    env = account.environment(MAILSYNC_CONFIG=str(account.config))
    assert subprocess.run([program.binary()], env=env, check=False).returncode == 0
    assert count(account) == 1


# The lock

def hold(account, server):
    """A run that sits in LIST for a while."""
    account.change(port=server.port)
    process = account.start("sync")
    end = time.monotonic() + 10
    while not any(c.startswith("LIST") for c in server.received):
        assert time.monotonic() < end and process.poll() is None, program.finish(process)
        time.sleep(0.01)
    return process


def test_a_second_run_ends_with_75(account):
    with Scripted([expect("^LIST", pause(2), '* LIST () "/" INBOX', "OK done")]) as server:
        process = hold(account, server)
        result = account.run("sync")
        assert (result.status, result.err) == (75, "")   # cron has nothing to mail
        result = account.run("sync", "-v")
        assert result.status == 75 and "another run holds the lock" in result.err
        assert program.finish(process).status == 0


def test_wait_waits_for_the_other_run(account, remote):
    append(remote, 1)
    port = account.keys["port"]
    with Scripted([expect("^LIST", pause(1), '* LIST () "/" INBOX', "OK done")]) as server:
        process = hold(account, server)
        account.change(port=port)
        began = time.monotonic()
        result = account.run("--wait", "sync")
        assert result.status in (0, 1), result
        assert time.monotonic() - began > 0.5
        process.wait(10)


# Signals

def test_terminated_in_mid_run_the_next_run_converges(account, remote):
    letters = mail.varied(150, seed=3, mailboxes=["INBOX", "Work"])
    mail.fill(remote, letters)
    port = account.keys["port"]
    with Line(port, kbit_s=8000) as line:
        account.change(port=line.port)
        process = account.start("sync")
        seen = program.stop_when(
            process, lambda: sum(p.is_file() for p in account.local.root.rglob("*")) > 5)
        result = program.finish(process)
    assert seen, "it was over too soon"
    assert result.status == 75, result
    account.change(port=port)
    account.sync()
    agree(account, remote)
    idle(account, remote)


@pytest.mark.parametrize("delay", [0.02, 0.06, 0.15, 0.4])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["TERM", "KILL"])
def test_stopped_at_any_time_the_next_run_converges(account, remote, delay, number):
    mail.fill(remote, mail.varied(60, seed=4, mailboxes=["INBOX", "Work"]))
    local = account.local
    local.create("INBOX")
    local.create("Out")
    uploads = mail.varied(40, seed=5, mailboxes=["Out"])
    for letter in uploads:
        local.deliver("Out", letter.wire.replace(b"\r\n", b"\n"), "S", letter.when)
    port = account.keys["port"]
    with Line(port, rtt_ms=4, kbit_s=20000) as line:
        account.change(port=line.port)
        process = account.start("sync")
        time.sleep(delay)
        process.send_signal(number)
        program.finish(process)
    account.change(port=port)
    account.sync()
    agree(account, remote)
    assert len(uids(remote, "Out")) == len(uploads)
    idle(account, remote)


def test_a_connection_cut_anywhere_loses_and_doubles_nothing(account, remote):
    letters = mail.varied(40, seed=6, mailboxes=["INBOX", "Work"])
    mail.fill(remote, letters)
    account.local.create("Out")
    for number in range(10):
        account.local.deliver("Out", mail.one(number, seed="out", size=3000))
    port = account.keys["port"]
    for cut in (150, 700, 2500, 9000, 60_000, 200_000):
        for side in ("server", "client"):
            with Line(port, cut_after=cut, side=side) as line:
                account.change(port=line.port)
                assert account.sync(status=None).status in (0, 1, 75, 76)
    account.change(port=port)
    account.sync()
    agree(account, remote)
    assert len(uids(remote, "Out")) == 10
    idle(account, remote)


# Several accounts, several roots

def test_accounts_run_whatever_happens_to_the_others(account, remote, make_account):
    append(remote, 1)
    broken = make_account(password="wrong")
    account.others["account broken"] = broken.keys
    result = account.run("--json", "sync")
    assert result.status == 77
    assert count(account) == 1
    statuses = {event["account"]: event["status"] for event in result.of("account")}
    assert statuses == {"home": 0, "broken": 77}
    assert account.run("sync", "home").status == 0


@pytest.mark.parametrize("below", ["", "/INBOX"])
def test_accounts_may_not_share_a_root(account, remote, make_account, below):
    append(remote, 1)
    other = make_account()
    other.keys["maildir"] = account.keys["maildir"] + below
    account.others["account other"] = other.keys
    assert account.run("sync").status == 78


def test_a_root_of_another_account_is_refused(account, remote, make_account):
    paired(account, remote, 2)
    other = make_account(maildir=account.keys["maildir"])
    other.name = "other"
    before = account.local.read()
    assert other.sync(status=None).status == 78
    with other.remote() as session:
        assert session.uids("INBOX") == []
    assert account.local.read() == before


def test_an_unwritable_maildir_is_a_local_error(account, remote):
    if os.getuid() == 0:
        account.local.root.parent.mkdir(exist_ok=True)
        account.local.root.write_text("a file, not a directory")
    else:
        account.local.root.mkdir(parents=True)
        account.local.root.chmod(0o500)
    append(remote, 1)
    assert account.sync(status=None).status in (74, 78)
    assert len(uids(remote)) == 1
