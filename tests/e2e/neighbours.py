"""docs/NEIGHBOURS.md, carried out: its blocks are set up as they stand, in a home of their own, and
the real programs run. What mail programs do to messages is muas.py's.

A tier of its own, `make check-all`: it needs these programs.
"""

import fcntl
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from rig import program
from rig.authority import Authority, wait_for_address
from rig.host import PASSWORD, free_ports
from rig.host import Authority as CertificateAuthority
from rig.smtp import Smtp
from rig.terminal import Terminal
from stories import idle
from test_neighbours import both_agree, shared    # noqa: F401 (a fixture)

SECONDS = 60
PAGE = (pathlib.Path(program.ROOT) / "docs" / "NEIGHBOURS.md").read_text()
MESSAGE = (b"From: a@example.org\r\nTo: me@example.org\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\n"
           b"Date: Mon, 01 Jan 2024 10:00:00 +0000\r\n\r\nbody of %s\r\n")


def blocks(section):
    """The indented paragraphs of a section of the page, unindented."""
    text = re.split(r"^## ", PAGE.split(f"\n## {section}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    found = re.findall(r"(?:^ {4}.*\n)+", text, re.M)
    return [re.sub(r"^ {4}", "", block, flags=re.M) for block in found]


def needs(*names):
    for name in names:
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed")


class Home:
    """The home of who has the account `home`: mailsync on its PATH, its configuration in its place."""

    def __init__(self, account):
        self.account, self.path = account, account.folder
        account.config = self.path / ".config" / "mailsync" / "mailsync.conf"
        account.config.parent.mkdir(parents=True)
        account.change(maildir="~/Mail/home", password=None, password_file="~/.config/mailsync/home.password")
        (account.config.parent / "home.password").touch(0o600)
        (account.config.parent / "home.password").write_text(PASSWORD + "\n")
        (self.path / "bin").mkdir()
        (self.path / "bin" / "mailsync").symlink_to(program.binary())
        account.write_config()

    def environment(self):
        env = self.account.environment(LC_ALL="C.UTF-8", TERM="xterm")
        env["PATH"] = f"{self.path}/bin:{env['PATH']}"
        return {key: value for key, value in env.items() if not key.startswith(("DBUS_", "NOTMUCH_"))}

    def set_up(self, section, **others):
        """Writes the files of a section and takes its keys into the account; its commands. OTHERS
        stand in the place of what the page calls otherwise (`smtp.example.org`)."""
        commands = []
        for block in blocks(section):
            name = re.match(r"# ~/(\S+)\n", block)
            keys = re.fullmatch(r"(\w+) = (.*)\n", block)
            if name:
                for old, new in others.items():
                    block = block.replace(old, new)
                path = self.path / name.group(1)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.split("\n", 1)[1])
                path.chmod(0o600)
            elif keys:
                self.account.change(**{keys.group(1): keys.group(2)})
            else:
                commands.append(block)
        self.account.write_config()
        return commands

    def run(self, command, text="", **extra):
        return subprocess.run(["sh", "-c", command], input=text.encode(), capture_output=True,
                              timeout=SECONDS, check=False, cwd=self.path,
                              env={**self.environment(), **extra})

    def sh(self, command, text="", **extra):
        done = self.run(command, text, **extra)
        assert done.returncode == 0, f"{command}: {done.stdout.decode()}{done.stderr.decode()}"
        return done.stdout.decode()

    def terminal(self, *argv):
        return Terminal(argv, self.path, self.environment())

    def sync(self):
        assert self.sh("mailsync") == ""

    def files(self, mailbox="INBOX"):
        folder = self.path / "Mail" / "home" / mailbox
        return [path for half in ("new", "cur") for path in (folder / half).iterdir()]


@pytest.fixture
def home(account):
    return Home(account)


def send(remote, name, flags=()):
    return remote.append("INBOX", MESSAGE % ((name.encode(),) * 3), flags, 1_600_000_000)


def test_notmuch(home, remote):
    needs("notmuch")
    home.set_up("notmuch")
    uids = [send(remote, "one"), send(remote, "two", ("\\Flagged",))]
    home.sync()
    assert home.sh("notmuch count tag:unread").strip() == "2"
    assert home.sh("notmuch count tag:flagged").strip() == "1"
    # What is done there comes into the index, as on_change calls it.
    remote.store("INBOX", uids[1], "+FLAGS", "\\Seen")
    home.sync()
    assert home.sh("notmuch search --output=messages tag:unread").split() == ["id:one@example.org"]
    # And the other way.
    home.sh("notmuch tag +replied -unread -- id:one@example.org")
    home.sync()
    assert {"R", "S"} <= remote.flags("INBOX", uids[0])
    remote.expunge("INBOX", uids[1])
    home.sync()
    assert home.sh("notmuch count '*'").strip() == "1"


def test_mu(home, remote):
    needs("mu")
    for command in home.set_up("mu and mu4e"):
        if not command.startswith("("):
            (home.path / "Mail" / "home").mkdir(parents=True, exist_ok=True)
            home.sh(command)
    uids = [send(remote, "one"), send(remote, "two")]
    home.sync()
    assert home.sh("mu find --fields i body | sort").split() == ["one@example.org", "two@example.org"]
    remote.store("INBOX", uids[0], "+FLAGS", "\\Flagged")
    home.sync()
    assert home.sh("mu find --fields i flag:flagged").split() == ["one@example.org"]
    remote.expunge("INBOX", uids[0])
    home.sync()
    assert home.sh("mu find --fields i body").split() == ["two@example.org"]


MU4E = """
(require 'mu4e)
(fset 'yes-or-no-p (lambda (&rest _) t))
(setq mu4e-confirm-quit nil)
(defvar index-is-updated nil)
(defvar are-found nil)
(defun await (what holds)
  (let ((end (+ (float-time) 60)))
    (while (not (funcall holds))
      (when (> (float-time) end) (error "In vain: %s" what))
      (accept-process-output nil 0.05))))
(add-hook 'mu4e-index-updated-hook (lambda () (setq index-is-updated t)))
(add-hook 'mu4e-headers-found-hook (lambda () (setq are-found t)))
(mu4e t)
(mu4e-update-mail-and-index t)
(await "the mail came" (lambda () index-is-updated))
(mu4e-search "msgid:one@example.org")
(await "it is found" (lambda () are-found))
(with-current-buffer (mu4e-get-headers-buffer)
  (goto-char (point-min))
  (mu4e-headers-mark-for-read)
  (mu4e-mark-execute-all t))
(await "it is read" (lambda () (directory-files "~/Mail/home/INBOX/cur" nil ":2,S$")))
(mu4e-quit)
"""


def test_mu4e(home, remote):
    """Its command brings new mail; what is read there is read on the server."""
    needs("emacs", "mu")
    if home.run("emacs --batch --eval \"(require 'mu4e)\"").returncode != 0:
        pytest.skip("mu4e is not installed")
    *commands, settings = home.set_up("mu and mu4e")
    home.account.change(on_change=None)
    home.account.write_config()
    (home.path / "Mail" / "home").mkdir(parents=True)
    for command in commands:
        home.sh(command)
    uid = send(remote, "one")
    (home.path / "mu4e.el").write_text(settings + MU4E)
    home.sh("emacs --batch --load mu4e.el 2>&1")
    home.sync()
    assert "S" in remote.flags("INBOX", uid)


@pytest.mark.parametrize("mutt", ["neomutt", "mutt"])
def test_mutt(home, remote, mutt):
    """Its key brings new mail; what is read there is read on the server."""
    needs(mutt)
    home.set_up("neomutt and mutt")
    home.sync()
    uid = send(remote, "one")
    for half in ("new", "cur"):     # neomutt does not notice what comes in the second of an earlier change
        os.utime(home.path / "Mail" / "home" / "INBOX" / half, (1_600_000_000, 1_600_000_000))
    with home.terminal(mutt, "-n", "-F", ".muttrc") as terminal:
        terminal.until("[Msgs:0]")
        terminal.type("O")
        terminal.wait(lambda: len(home.files()) == 1, "the mail came")
        terminal.until("one")
        terminal.type("\r")
        terminal.until("body of one")
        terminal.type("q$")
        terminal.wait(lambda: any(":2," in path.name and "S" in path.name.split(":2,")[1]
                                  for path in home.files()), "it is read")
        terminal.type("q")
        terminal.ended()
    home.sync()
    assert "S" in remote.flags("INBOX", uid)


def test_aerc(home, remote):
    needs("aerc")
    home.set_up("aerc")
    home.sync()
    uid = send(remote, "one")
    with home.terminal("aerc") as terminal:
        terminal.until("INBOX")
        terminal.type(":check-mail\r")
        terminal.wait(lambda: len(home.files()) == 1, "the mail came")
        terminal.until("one")
        terminal.type(":read\r")
        terminal.wait(lambda: any(path.name.endswith("S") for path in home.files()), "it is read")
        terminal.type(":quit\r")
        terminal.ended()
    home.sync()
    assert "S" in remote.flags("INBOX", uid)


def test_dovecot(shared):                          # noqa: F811
    account, far, near = shared
    block = blocks("Dovecot on the same Maildir")[0]
    assert "mail_location = maildir:~/Mail/home\n" in block
    uid = far.append("INBOX", MESSAGE % ((b"one",) * 3), ("todo",), 1_600_000_000)
    account.sync()
    both_agree(account, far, near)
    near.store("INBOX", near.uids("INBOX")[0], "+FLAGS", "\\Seen later")
    account.sync()
    assert far.flags("INBOX", uid) == {"S", "todo", "later"}
    idle(account, far)


def test_msmtp(home, dovecots):
    needs("msmtp")
    with Authority(dovecots()) as authority:
        home.account.change(password_file=None, **authority.keys())
        process = home.account.start("login", "home", "--no-browser")
        authority.consent(wait_for_address(process))
        assert program.finish(process).status == 0
        issuer = CertificateAuthority(home.path / "ca")
        with Smtp(*issuer.issue("smtp", "good"), "OAUTHBEARER") as server:
            home.set_up("msmtp", **{
                "host smtp.example.org": "host localhost", "port 587": f"port {server.port}",
                "tls on": f"tls on\ntls_trust_file {issuer.ca}"})
            home.sh("msmtp -a home you@example.org", text="Subject: out\n\nbody\n")
            server.wait()
        token = home.sh("mailsync token home").strip()
    assert f"auth=Bearer {token}\x01".encode() in server.initial
    assert b"body\r\n" in server.message


def with_password(home, remote, number, run="mailsync", **extra):
    """The command of that block of the page gives the password for RUN."""
    (home.account.config.parent / "home.password").unlink()
    command = re.fullmatch(r"password_command = (.*)\n", blocks("Secrets")[number]).group(1)
    home.account.change(password_file=None, password_command=command)
    home.account.write_config()
    send(remote, "one")
    home.sh(run, **extra)
    assert len(home.files()) == 1


def test_secret_tool(home, remote):
    needs("secret-tool", "gnome-keyring-daemon", "dbus-run-session")
    (home.path / "session").write_text(
        "set -e\nprintf login | gnome-keyring-daemon --unlock --components=secrets >/dev/null\n"
        f"printf '%s' \"$SECRET\" | {blocks('Secrets')[0].strip()}\nmailsync\n")
    (home.path / "run").mkdir(mode=0o700)
    with_password(home, remote, 1, "dbus-run-session -- sh session", SECRET=PASSWORD,
                  XDG_RUNTIME_DIR=str(home.path / "run"))


@pytest.fixture
def key(home):
    """A gpg key without a passphrase; its agent is ended."""
    needs("gpg")
    (home.path / ".gnupg").mkdir(mode=0o700)
    home.sh("gpg --batch --quiet --passphrase '' --quick-generate-key me@example.org default default never")
    yield "me@example.org"
    home.sh("gpgconf --kill all")


def test_pass(home, remote, key):
    needs("pass")
    home.sh(f"pass init {key}")
    home.sh("pass insert --multiline mail/home", text=PASSWORD + "\nanother line\n")
    with_password(home, remote, 2)


def test_gpg(home, remote, key):
    made = re.search(r"`(gpg --encrypt .*?)`", PAGE).group(1)
    assert key in made
    home.sh(f"{made} --batch --trust-model always", text=PASSWORD + "\n")
    with_password(home, remote, 3)


def test_systemd_credentials(home, remote):
    needs("systemd-creds")
    encrypt, unit = blocks("Secrets")[4:6]
    assert "LoadCredentialEncrypted=home:%h/.config/mailsync/home.cred\n" in unit
    if os.getuid() != 0:
        pytest.skip("the key of the machine is root's")
    (home.path / "home.password").write_text(PASSWORD)
    home.sh(encrypt)
    # What systemd does for the unit.
    (home.path / "credentials").mkdir(mode=0o700)
    home.sh("systemd-creds decrypt --name=home .config/mailsync/home.cred credentials/home")
    with_password(home, remote, 6, CREDENTIALS_DIRECTORY=str(home.path / "credentials"))


# The scripts of examples that copy an archive

class Restic:
    environment = {"RESTIC_REPOSITORY": "repository", "RESTIC_PASSWORD": "secret"}
    begin = "restic init"
    of_a_day = 1
    copies = "restic snapshots --tag mailsync-{} --json | tr , '\n' | grep -c '\"short_id\"' || :"
    back = "mkdir back && restic --quiet restore latest --tag mailsync-home --target back"


class Borg:
    environment = {"BORG_REPO": "repository", "BORG_PASSPHRASE": "secret"}
    begin = "borg init --encryption=repokey"
    of_a_day = 2                # the newest, and the oldest of all
    copies = "borg list --short | grep -c ^{}@ || :"
    back = ("export BORG_REPO=$PWD/$BORG_REPO && mkdir back && cd back && "
            "borg extract \"::$(borg list --short --glob-archives 'home@*' | tail -n 1)\"")


class Archive:
    """Two accounts of which copies are made; the name of one begins like that of the other."""

    def __init__(self, home, tool):
        self.home, self.tool = home, tool
        home.account.defaults["state_dir"] = "~/states/mailsync"
        home.account.change(direction="pull", delete="none")
        home.account.others["account home-2"] = dict(home.account.keys, maildir="~/Mail/home-2")
        home.account.write_config()
        home.sh(tool.begin, **tool.environment)

    def back_up(self, name="home", states="states"):
        script = f"{program.ROOT}/examples/backup-{self.tool.__name__.lower()}"
        return self.home.run(f"XDG_STATE_HOME=$PWD/{states} {script} {name} Mail/{name}", **self.tool.environment)

    def copies(self, name="home"):
        return int(self.home.sh(self.tool.copies.format(name), **self.tool.environment))

    def back(self):
        """A folder with the newest copy of `home`."""
        self.home.sh(self.tool.back, **self.tool.environment)
        return self.home.path / "back"


@pytest.fixture(params=[Restic, Borg])
def archive(home, request):
    needs(request.param.__name__.lower(), "sqlite3")
    return Archive(home, request.param)


def in_silence(done):
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done


def test_old_copies_are_thinned_out_by_account(archive, remote):
    send(remote, "one")
    for name in ("home", "home-2", "home", "home"):
        in_silence(archive.back_up(name))
    assert (archive.copies("home"), archive.copies("home-2")) == (archive.tool.of_a_day, 1)


def test_the_copy_of_the_state_has_one_place_and_is_private(archive, home, remote):
    """By which restic knows the snapshot before, and reads what is new alone."""
    send(remote, "one")
    in_silence(archive.back_up())
    send(remote, "two")
    in_silence(archive.back_up())
    [copied] = archive.back().rglob("home.db")
    assert copied.stat().st_mode & 0o777 == 0o600
    cache = home.path / ".cache/mailsync"
    assert str(copied).endswith(str(cache / "home.db").lstrip("/"))
    assert [path.name for path in cache.iterdir()] == ["home.lock"] and cache.stat().st_mode & 0o777 == 0o700
    if archive.tool is Restic:
        assert '"parent"' in home.sh("restic snapshots latest --json", **Restic.environment)


def test_a_second_run_at_once_leaves_it_to_the_first(archive, home, remote):
    send(remote, "one")
    in_silence(archive.back_up())
    before = archive.copies("home")
    with (home.path / ".cache/mailsync/home.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = archive.back_up()
    assert (done.returncode, done.stdout, done.stderr) == (75, b"", b""), done
    assert archive.copies("home") == before and home.files("INBOX")
    in_silence(archive.back_up())


def test_a_sync_at_work_is_no_trouble(archive, home, remote):
    send(remote, "one")
    in_silence(archive.back_up())
    with (home.path / "states/mailsync/home.lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        in_silence(archive.back_up())
    assert archive.copies() == archive.tool.of_a_day


def test_a_damaged_file_is_copied_and_no_copy_of_before_is_given_up(archive, home, remote):
    for number in range(40):
        send(remote, f"m{number}")
    in_silence(archive.back_up())
    for path in home.files():
        path.write_bytes(path.read_bytes()[:-3] + b"XX\n")
    done = archive.back_up()
    assert done.returncode == 1 and b"differs_here" in done.stderr, done
    assert archive.copies() == 2
    restored = archive.back()
    assert len(list(restored.rglob("Mail/home/INBOX/*/*"))) == 40 and len(list(restored.rglob("home.db"))) == 1


def test_what_is_here_is_copied_whatever_a_sync_comes_to(archive, home, remote):
    send(remote, "one")
    in_silence(archive.back_up())
    password = home.account.config.parent / "home.password"
    password.write_text("wrong\n")
    done = archive.back_up()
    assert done.returncode == 77 and b"refused the login" in done.stderr, done
    assert archive.copies() == 2
    # What passes by itself is no trouble, and old copies are thinned out again.
    home.account.change(port=free_ports(1))
    home.account.write_config()
    in_silence(archive.back_up())
    assert archive.copies() == archive.tool.of_a_day


def test_without_a_state_there_is_nothing_to_copy(archive, home, remote):
    send(remote, "one")
    done = archive.back_up(states="elsewhere")
    assert done.returncode == 66 and b"there is no " in done.stderr, done
    assert archive.copies() == 0 and not (home.path / "elsewhere").exists()
