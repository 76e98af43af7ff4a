"""From other programs to mailsync: what the real ones left, `init --from` their file, and the first
run. Nothing is downloaded twice, nothing uploaded, no flag changes; what could not be carried over
is said.

A tier of its own, `make check-all`: it needs these programs.
"""

import pathlib
import re
import shutil

import pytest

from rig import mail, migrate
from rig.maildir import Maildir

KEYWORDS = ("todo", "$Label1")
FLAGS = [(), ("\\Seen",), ("\\Seen", "\\Answered"), ("\\Flagged",), ("\\Seen", "\\Draft"),
         ("\\Seen", *KEYWORDS)]


def fill(remote, *mailboxes):
    """Messages of all flags in each mailbox; what the server then shows."""
    for mailbox in mailboxes:
        if mailbox != "INBOX":
            remote.create(mailbox)
        for number, flags in enumerate(FLAGS):
            remote.append(mailbox, mail.one(number, seed=f"m/{mailbox}", size=300), flags,
                          1_600_000_000 + number)
    return shown(remote)


def shown(remote):
    return {mailbox: {uid: remote.flags(mailbox, uid) for uid in remote.uids(mailbox)}
            for mailbox in remote.mailboxes()}


def messages(root):
    """All files of messages below ROOT: {what names it: flags that all programs know}."""
    return {str(path.parent.parent / path.name.partition(":2,")[0]):
            "".join(c for c in path.name.partition(":2,")[2] if c.isupper())
            for part in ("cur", "new") for path in pathlib.Path(root).rglob(f"{part}/*")}


def first_run(peer, remote, root, says=()):
    """From what PEER left below ROOT on: mailsync has nothing to fetch and nothing to send."""
    server, files = shown(remote), messages(root)
    assert files
    result = peer.migrate()
    for words in says:
        assert words in result.out, result
    for did in peer.sync().values():
        assert set(did) <= {"flags_local"}, did     # keywords that the program did not bring
    assert shown(remote) == server
    assert messages(root) == files
    assert peer.sync() == {}
    return result


def goes_on(peer, remote, root, mailbox="INBOX"):
    """New mail comes, once."""
    before = len(messages(root))
    remote.append(mailbox, mail.one(90, seed="new", size=300), (), 1_700_000_000)
    assert [did["downloaded"] for did in peer.sync().values()] == [1]
    assert len(messages(root)) == before + 1
    assert peer.sync() == {}


def goes_back(peer, remote, root):
    """By the copy that docs/MIGRATING.md advises: PEER comes upon what mailsync did meanwhile."""
    copy = peer.home / "before"
    shutil.copytree(root, copy, copy_function=shutil.copy2)
    first_run(peer, remote, root)
    goes_on(peer, remote, root)
    path = next(path for path in root.rglob("cur/*:2,S"))
    path.rename(path.with_name(path.name.removesuffix("S") + "FS"))
    assert [did["flags_remote"] for did in peer.sync().values()] == [1]
    server, number = shown(remote), len(messages(root))
    shutil.rmtree(root)
    copy.rename(root)
    peer.run()
    assert len(messages(root)) == number
    assert shown(remote) == server


@pytest.fixture
def peer(request, account):
    """The program that the story's module-level class names, at the account's home."""
    kind = request.param
    if not kind.is_there():
        pytest.skip(f"{kind.command} is not installed")
    return kind(account)


def by(kind):
    return pytest.mark.parametrize("peer", [kind], indirect=True, ids=[kind.name])


MBSYNC_LOGIN = """\
IMAPAccount work
Host {host}
Port {port}
User {user}
{secret_line}
SSLType None
AuthMechs LOGIN
PipelineDepth 50

IMAPStore work-far
Account work

"""
PASS_CMD = 'PassCmd "cat {secret}"'
PASS = 'Pass "{password}"'


@by(migrate.Mbsync)
def test_mbsync_with_patterns_and_inbox_below_path(peer, remote):
    fill(remote, "INBOX", "Lists/a & b", "Été/x y", "Spam")
    (peer.home / "Mail/work").mkdir(parents=True)
    peer.write(MBSYNC_LOGIN + """\
MaildirStore work-near
Path ~/Mail/work/
Inbox ~/Mail/work/Inbox
SubFolders Verbatim

Channel work
Far :work-far:
Near :work-near:
Patterns * !Spam
Create Both
Expunge Both
SyncState *
CopyArrivalDate yes
""", secret_line=PASS_CMD)
    peer.run()
    first_run(peer, remote, peer.home / "Mail/work", says=[
        "inbox = Inbox\n", "mailboxes = * !Spam\n", "expunge = both\n",
        f"password_command = cat {peer.secret}\n", "syncstate: mailsync keeps its own state"])
    assert not (peer.home / "Mail/work/Spam").exists()
    goes_on(peer, remote, peer.home / "Mail/work", "Lists/a & b")


@by(migrate.Mbsync)
def test_mbsync_with_maildirpp_and_a_password_in_clear(peer, remote):
    fill(remote, "INBOX", "Lists/a", "Sent")
    (peer.home / "Maildir").mkdir()
    peer.write("Create \"Both\"   # wherever\n\n" + MBSYNC_LOGIN + """\
MaildirStore "work near"    # comments may stand anywhere
Inbox ~/Maildir   # as a whole
SubFolders Maildir++  # as Dovecot has it

Channel work
Far :work-far:
Near ":work near:"
Patterns *  # all
Sync Pull   # what is here stays here
""", secret_line=PASS)
    peer.run()
    result = first_run(peer, remote, peer.home / "Maildir", says=[
        "layout = maildir++\n", "copy = local\n", "The password stands in clear in ",
        "expunge: without it mbsync only marks"])
    secret = peer.home / ".config/mailsync/work.password"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert str(secret) not in result.err           # nothing is left to be typed
    goes_on(peer, remote, peer.home / "Maildir", "Lists/a")


@by(migrate.Mbsync)
def test_mbsync_with_inbox_elsewhere_channels_and_a_group(peer, remote):
    """INBOX becomes an account of its own; a mailbox of another name here is left out, and told."""
    fill(remote, "INBOX", "Archive", "Lists/a", "Sent Mail")
    (peer.home / "Mail").mkdir()
    peer.write(MBSYNC_LOGIN + """\
MaildirStore work-near
Path ~/Mail/
Inbox ~/Maildir
SubFolders Verbatim

Channel inbox
Far :work-far:
Near :work-near:
Create Near
Expunge Both

Channel some
Far :work-far:
Near :work-near:
Patterns Archive Lists/%
Create Near
Expunge Both

Channel sent
Far ":work-far:Sent Mail"
Near :work-near:sent
Create Near
Expunge Both

Group work
Channel inbox
Channel some
Channel sent
""", secret_line=PASS_CMD)
    peer.run()
    first_run(peer, remote, peer.home, says=[
        "mailboxes = INBOX Archive Lists/% !INBOX !INBOX/*\n", "[account work-inbox]\n",
        "the server's Sent Mail is sent here", "there are no groups", "create = local\n"])
    # As the remark says.
    (peer.home / "Mail/sent").rename(peer.home / "Mail/Sent Mail")
    conf = peer.home / ".config/mailsync/mailsync.conf"
    conf.write_text(conf.read_text().replace("!INBOX !INBOX/*", '!INBOX !INBOX/* "Sent Mail"'))
    files = messages(peer.home)
    for did in peer.sync().values():
        assert set(did) <= {"flags_local"}
    assert messages(peer.home) == files
    goes_on(peer, remote, peer.home / "Maildir")


MBSYNC_PATTERNS = """\
MaildirStore work-near
Path ~/Mail/
SubFolders Verbatim

Channel work
Far :work-far:
Near :work-near:
Create Both
Expunge Both
Patterns {patterns}
"""


@by(migrate.Mbsync)
@pytest.mark.parametrize("patterns, folders, mailboxes", [
    ("* !INBOX", ["Lists/a", "Spam"], "* !INBOX !INBOX/*"),
    ("Lists/%", ["Lists/a"], "Lists/% !INBOX/*"),
    ("!Spam Lists/*", ["Lists/a"], "Lists/* !INBOX/*")])
def test_mbsync_whose_patterns_leave_inbox_out(peer, remote, patterns, folders, mailboxes):
    """Where it would have been lies mail that mbsync never saw: it goes nowhere."""
    fill(remote, "INBOX", "Lists/a", "Spam")
    (peer.home / "Mail").mkdir()
    other = maildir(peer.home / "Maildir") / "new/1.other"
    other.write_bytes(mail.one(1, seed="other", size=300))
    peer.write(MBSYNC_LOGIN + MBSYNC_PATTERNS, secret_line=PASS_CMD, patterns=patterns)
    peer.run()
    root = peer.home / "Mail"
    assert sorted(str(cur.parent.relative_to(root)) for cur in root.rglob("cur")) == folders
    result = first_run(peer, remote, peer.home, says=[f"mailboxes = {mailboxes}\n"])
    assert "[account work-inbox]" not in result.out
    assert other.exists()
    goes_on(peer, remote, root, "Lists/a")


@by(migrate.Mbsync)
def test_mbsync_below_a_path_of_the_server(peer, remote):
    """The folder a is the server's Lists/a, not its a: neither is mixed, doubled or sent."""
    fill(remote, "INBOX", "Lists/a", "Lists/b", "a")
    (peer.home / "Mail").mkdir()
    peer.write(MBSYNC_LOGIN.replace("Account work\n\n", "Account work\nPath Lists/\n\n") +
               MBSYNC_PATTERNS, secret_line=PASS_CMD, patterns="*")
    peer.run()
    root = peer.home / "Mail"
    first_run(peer, remote, root, says=["mailboxes = !*\n",
                                        "what is Lists/... on the server is ... here"])
    # As the remark says.
    (root / "Lists").mkdir()
    for folder in "ab":
        (root / folder).rename(root / "Lists" / folder)
    conf = peer.home / ".config/mailsync/mailsync.conf"
    conf.write_text(conf.read_text().replace("mailboxes = !*\n", "mailboxes = Lists/*\n"))
    files = messages(root)
    for did in peer.sync().values():
        assert set(did) <= {"flags_local"}
    assert messages(root) == files
    goes_on(peer, remote, root, "Lists/a")


@by(migrate.Mbsync)
def test_mbsync_with_mailboxes_of_gmail_by_other_names(peer, remote):
    """INBOX alone is left; the others come to it when they are renamed as the remarks say."""
    fill(remote, "INBOX", "[Gmail]/Sent Mail", "[Gmail]/Bin")
    root = peer.home / "Mail/gmail"
    root.mkdir(parents=True)
    peer.write("Create Near\n\n" + MBSYNC_LOGIN + """\
MaildirStore work-near
Path ~/Mail/gmail/
Inbox ~/Mail/gmail/Inbox
SubFolders Verbatim

Channel in
Far :work-far:
Near :work-near:
Patterns INBOX

Channel sent
Far ":work-far:[Gmail]/Sent Mail"
Near ":work-near:sent"

Channel bin
Far ":work-far:[Gmail]/Bin"
Near ":work-near:bin"
""", secret_line=PASS_CMD)
    peer.run()
    first_run(peer, remote, root, says=[
        "inbox = Inbox\n", "mailboxes = INBOX\n", "Rename the folder sent to [Gmail]/Sent Mail"])
    (root / "[Gmail]").mkdir()
    (root / "sent").rename(root / "[Gmail]/Sent Mail")
    conf = peer.home / ".config/mailsync/mailsync.conf"
    conf.write_text(conf.read_text().replace("mailboxes = INBOX", 'mailboxes = INBOX "[Gmail]/Sent Mail"'))
    files = messages(root)
    for did in peer.sync().values():
        assert set(did) <= {"flags_local"}
    assert messages(root) == files
    goes_on(peer, remote, root, "[Gmail]/Sent Mail")


@by(migrate.Mbsync)
def test_the_way_back_to_mbsync(peer, remote):
    fill(remote, "INBOX", "Work")
    (peer.home / "Mail/work").mkdir(parents=True)
    peer.write(MBSYNC_LOGIN + """\
MaildirStore work-near
Path ~/Mail/work/
Inbox ~/Mail/work/INBOX
SubFolders Verbatim

Channel work
Far :work-far:
Near :work-near:
Patterns *
Create Both
Expunge Both
SyncState *
""", secret_line=PASS_CMD)
    peer.run()
    goes_back(peer, remote, peer.home / "Mail/work")


# --- offlineimap ---

OFFLINEIMAP = """\
[general]
accounts = work
metadata = ~/.offlineimap

[Account work]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = ~/Mail/work
{near}

[Repository far]
type = IMAP
remotehost = {host}
remoteport = {port}
remoteuser = {user}
ssl = no
starttls = no
auth_mechanisms = LOGIN
{far}
"""
PASS_FILE = "remotepassfile = {secret}"


@by(migrate.Offlineimap)
def test_offlineimap_as_it_comes_with_flags_of_ones_own(peer, remote):
    """Folders a.b for a/b; letters whose names stand in the configuration alone."""
    fill(remote, "INBOX", "Lists/a & b", "Été/x y")
    peer.write(OFFLINEIMAP, near="customflag_a = todo\ncustomflag_b = $Label1", far=PASS_FILE)
    peer.run()
    root = peer.home / "Mail/work"
    assert (root / "Lists.a &- b").is_dir()
    for folder in (path.parent for path in root.glob("*/cur")):     # as the remark says
        (folder / "dovecot-keywords").write_text("0 todo\n1 $Label1\n")
    letters = {path.name for path in root.rglob("cur/*")}
    first_run(peer, remote, root, says=[
        f"password_file = {peer.secret}\n", "a line `1 KEYWORD` in the file dovecot-keywords",
        "sep: folders a.b that are there stay a/b's"])
    assert {path.name for path in root.rglob("cur/*")} == letters
    assert any(name.endswith(":2,Sab") for name in letters)
    goes_on(peer, remote, root, "Lists/a & b")


@by(migrate.Offlineimap)
def test_offlineimap_with_a_filter_and_a_password_in_clear(peer, remote):
    fill(remote, "INBOX", "Archive/2023", "Trash")
    indented = re.sub(r"^(?=[\w{])", "    ", OFFLINEIMAP, flags=re.M)
    peer.write(indented, near="sep = /\n    sync_deletes = no",
               far="remotepass = {password}\n    folderfilter = lambda f: f not in [\n"
                   "        'Trash']\n    maxconnections = 2\n    expunge = no")
    peer.run()
    root = peer.home / "Mail/work"
    first_run(peer, remote, root, says=[
        "mailboxes = * !Trash\n", "connections = 2\n", "delete = local\n",
        "The password stands in clear in "])
    assert not (root / "Trash").exists()
    goes_on(peer, remote, root, "Archive/2023")


@by(migrate.Offlineimap)
def test_offlineimap_with_names_that_python_makes(peer, remote):
    """What is named otherwise here is neither fetched anew nor sent, until it is renamed."""
    fill(remote, "INBOX", "Lists/a", "Sent Mail")
    peer.write(OFFLINEIMAP, near="sep = /\nnametrans = lambda f: f.replace('sent', 'Sent Mail')",
               far=PASS_FILE + "\nnametrans = lambda f: f.replace('Sent Mail', 'sent')\n"
                               "readonly = True")
    peer.run()
    root = peer.home / "Mail/work"
    assert (root / "sent").is_dir()
    first_run(peer, remote, root, says=["create = none\n", "direction = pull\n",
                                        "nametrans: it is Python, which is not run here"])
    assert not (root / "Sent Mail").exists()
    (root / "sent").rename(root / "Sent Mail")
    files = len(messages(root))
    for did in peer.sync().values():
        assert set(did) <= {"flags_local"}
    assert len(messages(root)) == files
    goes_on(peer, remote, root, "Sent Mail")


@by(migrate.Offlineimap)
def test_offlineimap_with_a_maildir_in_anothers(peer, remote, make_account):
    """The one's mail is not sent to the other's server; moved as the remark says, it is not fetched anew."""
    other = make_account()
    peer.write(OFFLINEIMAP.replace("accounts = work", "accounts = work, b").replace("~/Mail/work", "~/Mail") + """
[Account b]
localrepository = b-near
remoterepository = b-far
[Repository b-near]
type = Maildir
localfolders = ~/Mail/b
[Repository b-far]
type = IMAP
remotehost = {host}
remoteport = {port}
remoteuser = {other}
remotepassfile = {secret}
ssl = no
starttls = no
auth_mechanisms = LOGIN
""", near="", far=PASS_FILE, other=other.user)
    with other.remote() as far:
        fill(remote, "INBOX", "Lists/a")
        fill(far, "INBOX", "Sent")
        peer.run()
        peer.run()      # it makes folders as it goes
        root, there = peer.home / "Mail", shown(far)
        mine = {name: flags for name, flags in messages(root).items() if "/Mail/b/" not in name}
        theirs = sorted(path.read_bytes() for path in (root / "b").rglob("cur/*"))
        assert mine and theirs
        result = peer.migrate()
        for words in ("mailboxes = * !b !b/*\n", "maildir = ~/Mail-b\n"):
            assert words in result.out, result
        (root / "b").rename(peer.home / "Mail-b")       # as the remark says
        server, files = shown(remote), messages(peer.home)
        for did in peer.sync().values():
            assert set(did) <= {"flags_local"}
        assert (shown(remote), shown(far)) == (server, there)
        assert messages(peer.home) == files
        assert peer.sync() == {}


@by(migrate.Offlineimap)
def test_the_way_back_to_offlineimap(peer, remote):
    fill(remote, "INBOX", "Work")
    peer.write(OFFLINEIMAP, near="sep = /", far=PASS_FILE)
    peer.run()
    goes_back(peer, remote, peer.home / "Mail/work")


# --- POP3, and getmail by IMAP ---

def kept(peer, remote, root):
    """Mail that PEER fetched, of which some was deleted here since and some read."""
    peer.run()
    found = sorted(path for part in ("new", "cur") for path in root.glob(f"{part}/*"))
    assert len(found) == len(FLAGS)
    found[0].unlink()
    found[1].rename(root / "cur" / f"{found[1].name.partition(':2,')[0]}:2,S")


GETMAIL = """\
[retriever]
type = {type}
server = {host}
port = {retriever_port}
username = {user}
{retriever}

[destination]
type = Maildir
path = ~/Mail/inbox/

[options]
read_all = false
{options}
"""
COMMAND = 'password_command = ("cat", "{secret}")'


def maildir(path):
    for part in ("cur", "new", "tmp"):
        (path / part).mkdir(parents=True)
    return path


@by(migrate.Getmail)
def test_getmail_by_pop3(peer, remote):
    fill(remote, "INBOX")
    root = maildir(peer.home / "Mail/inbox")
    peer.write(GETMAIL, type="SimplePOP3Retriever", retriever_port="{pop3}", retriever=COMMAND,
               options="delete = false\nmessage_log = ~/log\nverbose = 0")
    kept(peer, remote, root)
    first_run(peer, remote, root, says=[
        "protocol = pop3\n", "leave_on_server = yes\n", f"password_command = cat {peer.secret}\n",
        "maildir = ~/Mail/inbox\ninbox = .\n", "message_log: see the options"])
    goes_on(peer, remote, root)


@by(migrate.Getmail)
def test_getmail_by_pop3_with_an_age_and_a_password_in_clear(peer, remote):
    fill(remote, "INBOX")
    root = maildir(peer.home / "Mail/inbox")
    peer.write(GETMAIL, type="BrokenUIDLPOP3Retriever", retriever_port="{pop3}",
               retriever="password = {password}", options="delete_after = 30\nreceived = false")
    peer.run()
    first_run(peer, remote, root, says=["leave_on_server = 30d\n",
                                        "The password stands in clear in "])
    goes_on(peer, remote, root)


@by(migrate.Getmail)
def test_getmail_by_imap(peer, remote):
    fill(remote, "INBOX", "Sent")
    root = maildir(peer.home / "Mail/inbox")
    peer.write(GETMAIL, type="SimpleIMAPRetriever", retriever_port="{port}", retriever=COMMAND,
               options="delete = false")
    peer.run()
    server = shown(remote)
    files = set(messages(root))
    result = peer.migrate()
    for words in ("mailboxes = INBOX\n", "direction = pull\n", "delete = none\n"):
        assert words in result.out
    for did in peer.sync().values():     # getmail brought no flags: these come
        assert set(did) <= {"flags_local"}
    assert shown(remote) == server and set(messages(root)) == files
    goes_on(peer, remote, root)


MPOP = """\
defaults
tls off
auth user

account work
host {host}
port {pop3}
user {user}
delivery maildir ~/Mail/inbox
{more}
"""


@by(migrate.Mpop)
def test_mpop_that_keeps(peer, remote):
    fill(remote, "INBOX")
    root = maildir(peer.home / "Mail/inbox")
    peer.write(MPOP, more='keep on\npasswordeval "cat {secret}"\naccount default : work')
    kept(peer, remote, root)
    first_run(peer, remote, root, says=[
        "[account work]\n", "leave_on_server = yes\n", f"password_command = cat {peer.secret}\n",
        "auth = login\n", "inbox = .\n"])
    goes_on(peer, remote, root)


@by(migrate.Mpop)
def test_mpop_that_deletes(peer, remote):
    fill(remote, "INBOX")
    root = maildir(peer.home / "Mail/inbox")
    peer.write(MPOP, more="password {password}\nreceived_header off\nskipsize 10m")
    peer.run()
    assert shown(remote) == {"INBOX": {}}
    first_run(peer, remote, root, says=[
        "leave_on_server = no\n", "max_message_size = 10m\n", "The password stands in clear in "])
    goes_on(peer, remote, root)
    assert shown(remote) == {"INBOX": {}}


@by(migrate.Mpop)
def test_mpop_with_a_list_of_its_own_place(peer, remote):
    fill(remote, "INBOX")
    root = maildir(peer.home / "Mail/inbox")
    peer.write(MPOP, more='keep on\npasswordeval "cat {secret}"\nuidls_file ~/.uidls')
    kept(peer, remote, root)
    (peer.home / ".mpop_uidls").mkdir()
    place = peer.home / f".mpop_uidls/{peer.account.user}_at_127.0.0.1"
    (peer.home / ".uidls").rename(place)            # as the remark says
    first_run(peer, remote, root, says=[
        f"copy it to ~/.mpop_uidls/{peer.account.user}_at_127.0.0.1 before"])
    goes_on(peer, remote, root)


FETCHMAIL = """\
set daemon 300
{globals}
poll {host} port {pop3} with proto pop3 and options uidl
    user "{user}" there with password "{password}" is root here
    options sslproto '' {options} mda "{home}/store"
"""


FETCHMAIL_DEFAULTS = """\
defaults proto pop3 port {pop3} uidl
    user "{user}" sslproto '' keep mda "{home}/store"
poll {host} password "{password}"
"""


class World:
    """What fetchmail gave its mail to."""

    def __init__(self, peer, text=FETCHMAIL, **names):
        self.peer = peer
        self.root = maildir(peer.home / "Mail/inbox")
        store = peer.home / "store"
        store.write_text(f"#!/bin/sh\nexec cat >{self.root}/new/$$.store\n")
        store.chmod(0o755)
        peer.write(text, **names)

    def first_run(self, remote, says):
        """With the Maildir named, as the remark says."""
        migrated = self.peer.migrate

        def migrate_and_name():
            result = migrated()
            assert "mda: where mail went is not known here: name in `maildir`" in result.out
            conf = self.peer.home / ".config/mailsync/mailsync.conf"
            conf.write_text(conf.read_text().replace(
                "maildir = ~/Mail/127.0.0.1\n", "maildir = ~/Mail/inbox\ninbox = .\n"))
            return result

        self.peer.migrate = migrate_and_name
        first_run(self.peer, remote, self.root, says)
        goes_on(self.peer, remote, self.root)


@by(migrate.Fetchmail)
def test_fetchmail_that_keeps(peer, remote):
    fill(remote, "INBOX")
    world = World(peer, globals="", options="keep")
    kept(peer, remote, world.root)
    world.first_run(remote, ["leave_on_server = yes\n", "set daemon: `mailsync watch` stays"])


@by(migrate.Fetchmail)
def test_fetchmail_that_deletes(peer, remote):
    fill(remote, "INBOX")
    world = World(peer, globals="", options="nokeep fetchall limit 5000000")
    peer.run()
    assert shown(remote) == {"INBOX": {}}
    world.first_run(remote, ["leave_on_server = no\n", "max_message_size = 5000000\n"])
    assert shown(remote) == {"INBOX": {}}


@by(migrate.Fetchmail)
def test_fetchmail_with_a_user_by_default(peer, remote):
    fill(remote, "INBOX")
    world = World(peer, FETCHMAIL_DEFAULTS)
    kept(peer, remote, world.root)
    world.first_run(remote, [f"user = {peer.account.user}\n", "leave_on_server = yes\n"])


@by(migrate.Fetchmail)
def test_fetchmail_with_a_list_of_its_own_place(peer, remote):
    fill(remote, "INBOX")
    world = World(peer, globals="set idfile {home}/ids", options="keep")
    kept(peer, remote, world.root)
    (peer.home / "ids").rename(peer.home / ".fetchids")          # as the remark says
    world.first_run(remote, ["copy it to ~/.fetchids before the first run"])
