"""Mail out of the Maildir into files, and in from files."""

import collections
import fcntl
import mailbox
import pathlib
import signal
import stat
import subprocess

import pytest

from rig import mail, program
from rig.terminal import Terminal

WHEN = 1_500_000_000
DATE = b"Date: Fri, 14 Jul 2017 02:40:00 +0000\n"

TRICKS = [
    b"", b"\n", b"body\n", b"body", b"\n\nbody\n\n\n", b"From me\n", b"From me", b">From me\n>>From me\n",
    b"x\n\nFrom joe@example.org Sat Jan  3 01:05:34 1996\nSubject: inside\n\nFrom \n",
    b"x\nFrom mailsync Thu Jan  1 00:00:00 1970\n\n", b">>>>From \n>", b"From", b">>>Fro", b"From:\n",
    b"\x80\xff\x01 no UTF-8\n", b"a very long line " * 20_000 + b"\nFrom it\n", b"\rFrom \r\r",
    b"Content-Length: 3\n\n\n\n\n",
]


def tricks():
    """Messages that a writer or reader of mbox may get wrong."""
    made = [b"Subject: %d\nMessage-ID: <%d@x>\n\n%s" % (number, number, body)
            for number, body in enumerate(TRICKS)]
    return made + [
        b"From me Thu Jan  1 00:00:00 1970\nSubject: quoted\n\nx\n", b">From me\nSubject: q\n\nx\n",
        b"Subject: no body\n", b"Subject: no end", b"\nno header\n", b"Subject: y\n \n\nx\n",
        b"Content-Length: 7\nSubject: short\n\nlonger than seven\n\nFrom x\n",
        b"Content-Length: 99999\nStatus: RO\nSubject: long\n\nx\n",
    ]


def fill(account, messages, name="INBOX"):
    account.local.create(name)
    for number, message in enumerate(messages):
        account.local.deliver(name, message, when=WHEN + number // 3)


def contents(account, name="INBOX"):
    return collections.Counter(path.read_bytes() for path in account.local.files(name))


def export(account, *args, status=0):
    """The mbox on standard output."""
    done = subprocess.run(account.argv("export", *args), capture_output=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout


@pytest.fixture
def target(make_account):
    return make_account()


def take(account, *paths, status=0, name="INBOX"):
    """The event of an import."""
    result = account.run("--json", "import", f"home/{name}", *map(str, paths))
    assert result.status == status, result
    return result.of("imported")[0], result.err


def test_out_and_in_again_byte_for_byte(account, target, tmp_path):
    fill(account, tricks())
    file = tmp_path / "all.mbox"
    assert account.run("export", "-o", str(file), "home/INBOX") == (0, "", "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == export(account)
    assert take(target, file)[0]["imported"] == len(tricks())
    # A message in whose header a NUL or CR LF stands is not one of these: what is stored has LF.
    assert contents(target) == contents(account)
    assert {int(p.stat().st_mtime) for p in target.local.files("INBOX")} == \
        {int(p.stat().st_mtime) for p in account.local.files("INBOX")}
    assert export(target) == export(account)        # other names, the same file
    event, told = take(target, file)
    assert (event["imported"], event["held"], told) == (0, len(tricks()), "")


def test_real_mail_out_and_in_again(account, target, tmp_path):
    letters = mail.real()
    if not letters:
        pytest.skip("no mail folder in MAILSYNC_TEST_DATA")
    fill(account, [letter.wire.replace(b"\r\n", b"\n") for letter in letters])
    (tmp_path / "all.mbox").write_bytes(export(account))
    event, _ = take(target, tmp_path / "all.mbox")
    here, there = contents(account), contents(target)
    assert event["imported"] == sum(there.values()) and not there - here
    assert event["imported"] + event["held"] == sum(here.values())
    bodies = {message.partition(b"\n\n")[2] for message in there}
    for message in here - there:                    # the mailbox had them already
        assert message in there or message.partition(b"\n\n")[2] in bodies
    assert contents(target) == collections.Counter(set(there))
    second, _ = take(target, tmp_path / "all.mbox")
    assert second["imported"] == 0


def test_an_mbox_is_ordered_and_quoted(account):
    fill(account, [b"Subject: a\n\nFrom me\n>From\n>From you\n"])
    account.local.deliver("INBOX", b"Subject: old\n\nx", when=5)
    account.local.create("Archive")
    account.local.deliver("Archive", b"Subject: older\n\nx\n", when=4)
    assert export(account) == (
        b"From mailsync Thu Jan  1 00:00:04 1970\nSubject: older\n\nx\n\n"
        b"From mailsync Thu Jan  1 00:00:05 1970\nSubject: old\n\nx\n"
        b"From mailsync Fri Jul 14 02:40:00 2017\nSubject: a\n\n>From me\n>From\n>>From you\n\n")
    assert export(account, "home/Archive").count(b"From mailsync") == 1
    result = account.run("export", "home/Nowhere")
    assert result.status == 1 and "no such mailbox" in result.err and result.out == ""
    account.change(mailboxes="* !Archive")
    assert b"older" not in export(account)


def test_a_mailbox_that_is_chosen_by_its_special_use_goes_out_and_in(make_account, dovecots, tmp_path):
    account = make_account(dovecots(special_use=True), mailboxes="\\Sent")
    (tmp_path / "m.eml").write_bytes(b"Subject: more\n\nx\n")
    with account.remote() as remote:
        remote.append("Sent", b"Subject: sent\r\n\r\nx\r\n")
        assert account.sync().did == {"downloaded": 1}
        assert export(account).count(b"From mailsync") == 1
        assert take(account, tmp_path / "m.eml", name="Sent")[0]["imported"] == 1
        result = account.run("import", "home/INBOX", str(tmp_path / "m.eml"))
        assert result.status == 64 and "the key `mailboxes` leaves INBOX out" in result.err
        assert account.sync().did == {"uploaded": 1}
        assert len(remote.uids("Sent")) == 2


def test_an_export_goes_on_without_special_uses_where_the_database_cannot_be_read(make_account, dovecots):
    account = make_account(dovecots(special_use=True), mailboxes="INBOX \\Sent")
    with account.remote() as remote:
        remote.append("INBOX", b"Subject: mine\r\n\r\nx\r\n")
        remote.append("Sent", b"Subject: sent\r\n\r\nx\r\n")
    account.sync()
    account.database.write_bytes(b"no database" * 1000)
    result = account.run("export", "home")
    assert result.status == 0, result
    assert result.out.count("From mailsync") == 1 and "Subject: mine" in result.out
    assert "which mailboxes have a special use is not known" in result.err


def test_others_read_what_is_exported(account, tmp_path):
    fill(account, tricks()[2:8])
    (tmp_path / "all.mbox").write_bytes(export(account))
    assert len(mailbox.mbox(tmp_path / "all.mbox")) == 6


def test_files_of_messages(account, target, tmp_path):
    fill(account, tricks()[:12])
    account.local.create("Work/Ünder")
    account.local.deliver("Work/Ünder", b"Subject: w\n\nx\n", when=WHEN)
    folder = tmp_path / "out"
    for _ in range(2):                              # what is there is the same
        assert account.run("export", "--format=eml", "-o", str(folder)) == (0, "", "")
        files = sorted(folder.glob("INBOX/*.eml"))
        assert len(files) == 12 and not list(folder.rglob("*.tmp"))
    assert collections.Counter(f.read_bytes() for f in files) == contents(account)
    assert files[0].name.startswith("2017-07-14T024000Z-")
    assert int(files[0].stat().st_mtime) == WHEN
    assert [f.read_bytes() for f in folder.glob("Work/Ünder/*.eml")] == [b"Subject: w\n\nx\n"]
    assert take(target, *files[:3])[0]["imported"] == 3
    (tmp_path / "bare.eml").write_bytes(b"\nno header\0\n")
    assert take(target, tmp_path / "bare.eml", name="Bare")[0]["imported"] == 1
    assert contents(target, "Bare") == {b"\nno header\0\n": 1}
    assert take(target, folder / "INBOX")[0] ["held"] == 3
    assert contents(target) == contents(account)


@pytest.mark.parametrize("args, words", [
    (["--format=eml"], "needs -o"), (["--format=pst"], "mbox or eml"), (["--json"], "--json needs -o"),
    (["-o"], "needs a value")])
def test_what_export_refuses(account, args, words):
    result = account.run("export", *args)
    assert result.status == 64 and words in result.err and result.out == ""


def test_no_mbox_on_a_terminal(account):
    with Terminal(account.argv("export"), None, account.environment()) as terminal:
        assert terminal.ended() == 64 and "terminal" in terminal.shown


def test_a_reader_that_goes_away_is_no_failure(account):
    fill(account, [b"Subject: %d\n\n" % n + b"x" * 100_000 for n in range(30)])
    with subprocess.Popen(account.argv("export"), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdout.read(10)
        process.stdout.close()
        assert (process.wait(timeout=30), process.stderr.read()) == (0, b"")


def test_an_export_that_fails_leaves_what_was_there(account, tmp_path):
    file = tmp_path / "all.mbox"
    file.write_bytes(b"the one of yesterday")
    account.change(maildir=str(tmp_path / "nowhere"))
    assert account.run("export", "-o", str(file)).status == 74
    assert file.read_bytes() == b"the one of yesterday"
    assert [p.name for p in tmp_path.glob("all*")] == ["all.mbox"]


# --- in ---


@pytest.mark.parametrize("command, words", [
    (["home", "x"], "ACCOUNT/MAILBOX FILE"), (["home/INBOX"], "ACCOUNT/MAILBOX FILE"),
    (["home/", "x"], "ACCOUNT/MAILBOX FILE"), (["home/Spam", "x"], "leaves Spam out"),
    (["pop/Work", "x"], "POP3 has no mailbox but INBOX")])
def test_what_import_refuses_it_does_before_anything_is_made(account, command, words):
    account.change(mailboxes="* !Spam")
    account.others["account pop"] = {**account.keys, "protocol": "pop3", "mailboxes": None,
                                     "maildir": str(account.folder / "pop")}
    result = account.run("import", *command)
    assert result.status == 64 and words in result.err
    assert [path.name for path in account.folder.iterdir()] == ["mailsync.conf"]


def test_a_file_that_is_not_there_makes_no_mailbox(account, tmp_path):
    """Which the next sync would make on the server."""
    (tmp_path / "there.eml").write_bytes(b"Subject: a\n\nx\n")
    result = account.run("import", "home/New", str(tmp_path / "there.eml"), str(tmp_path / "missing"))
    assert result.status == 74 and "cannot open" in result.err and "missing" in result.err
    assert [path.name for path in account.folder.iterdir()] == ["mailsync.conf"]


def test_what_is_imported_is_uploaded(account, tmp_path):
    message = b"Subject: a\n" + DATE + b"\nx\n"
    (tmp_path / "one.eml").write_bytes(message)
    assert account.sync().did == {}
    result = account.run("import", "home/New", str(tmp_path / "one.eml"))
    assert result.status == 0 and result.out == "home/New: 1 imported, 0 held already\n"
    path, = account.local.files("New")
    assert path.parent.name == "new" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert int(path.stat().st_mtime) == WHEN
    assert account.sync().did == {"uploaded": 1}
    assert account.sync().did == {}
    assert take(account, tmp_path / "one.eml", name="New")[0]["held"] == 1


def test_what_the_mailbox_holds_is_left_out(account, tmp_path):
    header = b"Subject: a\nMessage-ID: <a@x>\n" + DATE
    fill(account, [header + b"\nbody\n", b"X-TUID: 1\nSubject: b\n\nbody\n"])
    (tmp_path / "takeout.mbox").write_bytes(
        b"From 123@xxx Fri Jul 14 02:40:00 +0000 2017\r\n"
        b"X-GM-THRID: 1\r\nX-Gmail-Labels: Inbox,Unread\r\nStatus: RO\r\nX-Status: A\r\n"
        b"X-Keywords: a\r\nContent-Length: 4\r\n" + header.replace(b"\n", b"\r\n") +
        b"\r\nbody\r\n\r\n"
        b"From 124@xxx Fri Jul 14 02:40:00 +0000 2017\r\n" + header.replace(b"\n", b"\r\n") +
        b"\r\nanother body\r\n\r\n"
        b"From 124@xxx Fri Jul 14 02:40:00 +0000 2017\r\n" + header.replace(b"\n", b"\r\n") +
        b"\r\nanother body\r\n\r\n"
        b"From 124@xxx Fri Jul 14 02:40:00 +0000 2017\r\n" + header.replace(b"\n", b"\r\n") +
        b"\r\na third\r\n\r\n"
        b"From 124@xxx Fri Jul 14 02:40:00 +0000 2017\r\n" + header.replace(b"\n", b"\r\n") +
        b"\r\na third\r\n\r\n"
        b"From 125@xxx Fri Jul 14 02:40:00 +0000 2017\r\nSubject: b\r\n\r\nbody\r\n\r\n"
        b"From 126@xxx Fri Jul 14 02:40:00 +0000 2017\r\nX-Gmail-Labels: c\r\nSubject: c\r\n"
        b"Status: RO\r\nX-Status: F\r\n\r\nbody\r\n\r\n")
    event, told = take(account, tmp_path / "takeout.mbox")
    assert (event["imported"], event["held"], event["unlike"]) == (3, 4, 2)
    assert "message 2 has the header of one" in told
    assert header + b"\nanother body\n" in contents(account)
    wire = b"X-Gmail-Labels: c\nSubject: c\nStatus: RO\nX-Status: F\n\nbody\n"
    path = account.local.find("INBOX", wire)
    assert path.read_bytes() == wire and account.local.flags(path) == {"S", "F"}
    assert int(path.stat().st_mtime) == WHEN       # it has no date of its own
    event, told = take(account, tmp_path / "takeout.mbox")
    assert (event["imported"], event["held"], told) == (0, 7, "")


def test_the_same_message_twice_in_a_file_comes_once(account, tmp_path):
    one = b"From joe Fri Jul 14 02:40:00 2017\nSubject: a\n\nx\n\n"
    (tmp_path / "m").write_bytes(one * 3)
    event, _ = take(account, tmp_path / "m", tmp_path / "m")
    assert (event["imported"], event["held"]) == (1, 5)


@pytest.mark.parametrize("end, cut", [(0, 0), (-1, 0), (-2, 1), (-8, 1), (-22, 1)])
def test_a_message_that_is_cut_off_is_told(account, tmp_path, end, cut):
    whole = (b"From joe Fri Jul 14 02:40:00 2017\nSubject: a\n\nx\n\n"
             b"From joe Fri Jul 14 02:40:00 2017\nSubject: b\n\nbody\n\n")
    (tmp_path / "m").write_bytes(whole[:len(whole) + end])
    event, told = take(account, tmp_path / "m", status=cut)
    assert event["cut"] == cut and event["imported"] == (1 if end == -22 else 2)
    assert ("message 2 is cut off" in told) == bool(cut)
    assert contents(account)[b"Subject: a\n\nx\n"] == 1


def test_files_that_are_no_mail_are_told_and_hold_up_no_other(account, tmp_path):
    (tmp_path / "picture").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "good.eml").write_bytes(b"Subject: a\r\n\r\nx\r\n")
    event, told = take(account, *[tmp_path / name for name in ("picture", "empty", "folder",
                                                               "good.eml")], status=1)
    assert event["imported"] == 1 and event["errors"] == 2
    assert "picture is neither" in told and "folder is no Maildir" in told
    assert contents(account) == {b"Subject: a\n\nx\n": 1}
    result = account.run("import", "home/INBOX", str(tmp_path / "missing"))
    assert result.status == 74 and "missing" in result.err


def test_a_maildir_comes_in_with_its_flags(account, target):
    fill(account, [b"Subject: %d\n" % n + DATE + b"\nx\n" for n in range(3)])
    account.local.deliver("INBOX", b"Subject: read\n" + DATE + b"\nx\n", "RS", when=7)
    letter = account.local.keyword_letter("INBOX", "work")
    account.local.deliver("INBOX", b"Subject: kept\n\nx\n", letter, when=WHEN)
    assert take(target, account.local.folder("INBOX"))[0]["imported"] == 5
    path = target.local.find("INBOX", b"Subject: read\n" + DATE + b"\nx\n")
    assert target.local.flags(path) == {"R", "S"} and int(path.stat().st_mtime) == WHEN
    path = target.local.find("INBOX", b"Subject: kept\n\nx\n")
    assert target.local.flags(path, target.local.keyword_table("INBOX")) == {"work"}


def test_what_of_a_maildir_is_passed_over_is_told(account, target, tmp_path):
    fill(account, [b"Subject: a\n\nx\n"])
    folder = account.local.folder("INBOX")
    (folder / "new" / "link").symlink_to(tmp_path)
    assert take(target, folder)[0]["imported"] == 1
    for part in ("cur", "new", "tmp"):
        (folder / ".Sent" / part).mkdir(parents=True)
    event, told = take(target, folder)
    assert event["held"] == 1
    assert "1 entries that are no regular files, 1 folders below it" in told


@pytest.mark.parametrize("kind", ["mbox", "mboxcl", "mboxcl2"])
def test_mailboxes_as_others_write_them(account, tmp_path, kind):
    bodies = [b"plain\n", b"x\n\nFrom me to you\n", b"x\n\n>From me\n",
              b"x\n\nFrom joe Fri Jul 14 02:40:00 2017\nSubject: z\n\ny\n"]
    messages = [b"Message-ID: <%d@x>\n\n%s" % (n, body) for n, body in enumerate(bodies)]
    path = tmp_path / "m"
    if kind == "mbox":
        box = mailbox.mbox(path)
        for message in messages:
            box.add(message)
        box.close()
        messages[2] = messages[2].replace(b">From", b"From")     # it cannot be told
    else:
        text = b""
        for message in messages:
            header, _, body = message.partition(b"\n\n")
            if kind == "mboxcl":
                body = body.replace(b"\nFrom ", b"\n>From ")
            text += (b"From joe Fri Jul 14 02:40:00 2017\n%s\nContent-Length: %d\n\n%s\n" %
                     (header, len(body), body))
        path.write_bytes(text)
        if kind == "mboxcl":
            messages[2] = messages[2].replace(b">From", b"From")
        messages = [m.replace(b"\n\n", b"\nContent-Length: %d\n\n" % len(
            m.partition(b"\n\n")[2] if kind == "mboxcl2" else
            m.partition(b"\n\n")[2].replace(b"\nFrom ", b"\n>From ")), 1) for m in messages]
    take(account, path)
    assert contents(account) == collections.Counter(messages)


def test_a_length_that_swallows_others_is_not_believed(account, tmp_path):
    rest = b"From joe Fri Jul 14 02:40:00 2017\nSubject: b\n\nx\n\n"
    (tmp_path / "m").write_bytes(b"From joe Fri Jul 14 02:40:00 2017\nSubject: a\nContent-Length: %d\n"
                                 b"\ny\n\n%s" % (len(rest) + 2, rest + rest.replace(b"b", b"c")))
    assert take(account, tmp_path / "m")[0]["imported"] == 3


def test_standard_input(account):
    one = b"From joe Fri Jul 14 02:40:00 2017\nSubject: a\n\nx\n\n"
    done = subprocess.run(account.argv("import", "home/INBOX", "-"), input=one * 2 + one[:-5],
                          capture_output=True, check=False)
    assert done.returncode == 1 and b"1 imported, 1 held" not in done.stdout
    assert b"message 3 is cut off" in done.stderr


def delivery_of(make_account, paths):
    """The number of the first step of an import of PATHS at which a message gets its name."""
    account, log = make_account(), paths[0].parent / "steps"
    account.run("import", "home/INBOX", *map(str, paths), env={"MAILSYNC_STEP_LOG": str(log)})
    return next(line.split()[0] for line in log.read_text().splitlines() if " rename\t" in line and "/tmp/" in line)


def without_its_draft(account, process):
    """PROCESS has stopped where it was to deliver the first message, whose file another program removes."""
    assert program.is_stopped(process)
    min(account.local.folder("INBOX").glob("tmp/*"), key=lambda path: path.name).unlink()
    process.send_signal(signal.SIGCONT)


def test_a_message_whose_file_is_gone_is_not_taken_for_imported(make_account, steps, tmp_path):
    (tmp_path / "m.eml").write_bytes(b"Subject: a\n\nx\n")
    step = delivery_of(make_account, [tmp_path / "m.eml"])
    account = make_account()
    process = account.start("import", "home/INBOX", str(tmp_path / "m.eml"), env={"MAILSYNC_STEP_PAUSE": step})
    without_its_draft(account, process)
    result = program.finish(process)
    assert result.status == 1 and result.out == "home/INBOX: 0 imported, 0 held already\n", result
    assert "is not renamed" in result.err
    assert take(account, tmp_path / "m.eml")[0]["imported"] == 1


def test_a_terminal_is_asked_once_whatever_fails(make_account, steps, tmp_path):
    """Of a message that comes twice the first copy is not delivered: the files are looked at once more,
    but for what was typed."""
    one = b"From joe Fri Jul 14 02:40:00 2017\nSubject: a\n\nx\n\n"
    (tmp_path / "m").write_bytes(one * 2)
    step = delivery_of(make_account, [tmp_path / "m"])
    account = make_account()
    argv = account.argv("import", "home/INBOX", "-")
    with Terminal(argv, tmp_path, account.environment(MAILSYNC_STEP_PAUSE=step)) as terminal:
        terminal.type(one.decode() * 2 + "\x04")
        without_its_draft(account, terminal.process)
        assert terminal.ended() == 1
    assert "home/INBOX: 0 imported, 1 held already" in terminal.shown


def test_import_takes_the_accounts_lock(account, tmp_path):
    (tmp_path / "m.eml").write_bytes(b"Subject: a\n\nx\n")
    assert account.sync().did == {}
    with open(account.database.with_suffix(".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = account.run("import", "home/INBOX", str(tmp_path / "m.eml"))
        assert result.status == 75 and result.out == ""
    assert account.run("-q", "import", "home/INBOX", str(tmp_path / "m.eml")) == (0, "", "")
    assert len(contents(account)) == 1


def test_a_root_that_went_away_is_not_made_anew(account, tmp_path):
    with account.remote() as remote:
        remote.append("INBOX", b"Subject: there\r\n\r\nx\r\n")
    account.sync()
    pathlib.Path(account.keys["maildir"]).rename(tmp_path / "unmounted")
    (tmp_path / "m.eml").write_bytes(b"Subject: a\n\nx\n")
    result = account.run("import", "home/INBOX", str(tmp_path / "m.eml"))
    assert result.status == 79 and "not mounted" in result.err
    assert not pathlib.Path(account.keys["maildir"]).exists()


def test_killed_after_each_step_all_come_once(make_account, steps, tmp_path):
    messages = [b"Subject: %d\nMessage-ID: <%d@x>\n\nx\n" % (n, n) for n in range(4)]
    path = tmp_path / "m"
    path.write_bytes(b"".join(b"From joe Fri Jul 14 02:40:00 2017\n%s\n" % m for m in messages))
    log = tmp_path / "steps"
    first = make_account()
    first.run("import", "home/INBOX", str(path), env={"MAILSYNC_STEP_LOG": str(log)})
    count = len(log.read_text().splitlines())
    assert count > 10
    account = make_account()
    for step in range(0, count, 3):
        result = account.run("import", "home/INBOX", str(path),
                             env={"MAILSYNC_STEP_STOP": str(step)})
        assert result.status in (0, -signal.SIGKILL)
        assert not contents(account) - collections.Counter(messages)
    take(account, path)
    assert contents(account) == collections.Counter(messages)
    assert account.sync().did == {"uploaded": 4}
