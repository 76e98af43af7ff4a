"""What is said of the commonest mistakes, word for word: where it is, what it is, what to do. A new
user has these lines and nothing else to go by."""

import base64
import contextlib
import fcntl
import hashlib
import socket
import sqlite3
import subprocess

import pytest

from rig import mail
from rig.host import PASSWORD
from stories import append, paired
from test_disk import bound, fill_up, remount, small_disk


def pin_of(server, certificate="good"):
    """What tls_pin_sha256 is for the key of SERVER."""
    pem, _ = server.authority.issue(f"server-{certificate}", certificate)
    public = subprocess.run(["openssl", "x509", "-in", pem, "-pubkey", "-noout"], check=True,
                            capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], check=True, input=public,
                         capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def says(account, status, *lines, args=("sync",)):
    """A run of ACCOUNT ends with STATUS and says LINES, and nothing else."""
    result = account.run(*args)
    said = result.err.splitlines()
    assert said == [f"mailsync: {line}" for line in lines], result
    assert result.status == status, result


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# The server is not there, or another one

def test_unknown_host(make_account):
    says(make_account(host="imap.nowhere.invalid", port=None, tls=None), 75,
         'home: imap.nowhere.invalid:993: the name "imap.nowhere.invalid" is not found: check `host` and '
         "the network")


def test_refused_connection(make_account):
    port = closed_port()
    says(make_account(port=port), 75,
         f"home: 127.0.0.1:{port}: no connection: Connection refused; check `host` and `port`")


def test_a_server_that_does_not_answer(make_account):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        says(make_account(port=port, tls="implicit", tls_ca_file=None, host="127.0.0.1", timeout=1), 75,
             f"home: 127.0.0.1:{port}: no answer in 1 seconds: check the network, `port` and `tls`")


def test_no_tls_where_it_is_expected(make_account, dovecots):
    account = make_account(tls="implicit", port=dovecots().port)
    result = account.run("sync")
    assert result.status == 69
    assert result.err.startswith(f"mailsync: home: localhost:{dovecots().port}: the server does not speak TLS "
                                 "here (")
    assert result.err.endswith("): check `port`, or use `tls = starttls`\n")


def test_tls_where_none_is_expected(make_account, dovecots):
    port = dovecots().port + 1
    says(make_account(port=port), 69,
         f"home: 127.0.0.1:{port}: the server waits for TLS to begin: use `tls = implicit` for this port, or "
         "port 143 with `tls = starttls`")


# Its certificate

BAD = {
    "self-signed": "the server's certificate is not trusted (self-signed certificate): give its authority in "
                   "`tls_ca_file` or, if you know that its key is right, that: `tls_pin_sha256 = {pin}`",
    "expired": "the server's certificate has expired: who runs it has to renew it (or is the clock here "
               "wrong?); until then, if you know that its key is right, give that: `tls_pin_sha256 = {pin}`",
    "wrong-host": "the server's certificate is for another host than \"localhost\": check `host`, or, if you "
                  "know that its key is right, give that: `tls_pin_sha256 = {pin}`",
}


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_certificate_and_what_its_pin_mends(make_account, dovecots, kind, tls):
    server = dovecots(certificate=kind)
    account = make_account(server, tls=tls)
    pin = pin_of(server, kind)
    says(account, 69, f"home: localhost:{account.keys['port']}: " + BAD[kind].format(pin=pin))
    account.change(tls_ca_file=None, tls_pin_sha256=pin)
    says(account, 0)


def test_another_key_than_the_pinned_one(make_account, dovecots):
    account = make_account(tls="implicit")
    account.change(tls_pin_sha256="A" * 43 + "=")
    says(account, 69, f"home: localhost:{account.keys['port']}: the server's key is not the one in "
                      "`tls_pin_sha256`: somebody may be in the way; if it has a new one, as who runs it can "
                      f"tell, give that: `tls_pin_sha256 = {pin_of(dovecots())}`")


# The login

def said_of(account, status):
    """What a run says of its account, without when it will try again."""
    result = account.run("check")
    assert result.status == status and result.err.startswith("mailsync: home: "), result
    return result.err[len("mailsync: home: "):].rstrip("\n")


def test_login_refused(make_account):
    account = make_account(password="wrong")
    assert said_of(account, 77) == (
        f"the server refused the login of user {account.user} (SCRAM-SHA-256), saying \"Authentication "
        "failed.\"; check user and password, or try `auth = plain`: some servers offer SCRAM-SHA-256 and "
        "cannot do it")


def test_a_mechanism_that_the_server_does_not_have(make_account, dovecots):
    account = make_account(dovecots(mechanisms="plain login"), auth="scram-sha-256")
    assert said_of(account, 77) == (
        "the server does not offer SCRAM-SHA-256, which `auth = scram-sha-256` asks for; it offers PLAIN, "
        "LOGIN, the login command; without `auth` the best of what is on offer is taken")


PASSWORDS = {
    "fails": ({"password_command": "exit 2"}, 77,
              "password_command ended with status 2; run it by hand to see why"),
    "says nothing": ({"password_command": "true"}, 77, "the first line that password_command gives is empty"),
    "is slow": ({"password_command": "sleep 9", "timeout": 1}, 75,
                "password_command gave no line within 1 s (timeout)"),
    "no file": ({"password_file": "/nowhere/password"}, 78,
                "password_file /nowhere/password cannot be read: No such file or directory"),
}


@pytest.mark.parametrize("what", PASSWORDS)
def test_a_password_that_cannot_be_had(make_account, what):
    keys, status, words = PASSWORDS[what]
    says(make_account(password=None, **keys), status, f"home: {words}")


def test_a_password_file_that_others_can_read(make_account, tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD)
    path.chmod(0o644)
    says(make_account(password=None, password_file=path), 0, f"home: others can read {path}; chmod 600 it")


# The configuration

LINES = {
    "tls = ssl": "tls = ssl: it can be implicit, starttls or none",
    "timeout = fast": "timeout = fast: it can be a duration such as 90s, 5m, 1h or 2d, of 1 to 86400 seconds",
    "port = 99999": "port = 99999: it can be a number from 1 to 65535",
    "max_delete = lots": "max_delete = lots: it can be a percentage such as 50%",
    "nonsense": "not a 'key = value'",
    "passwordcmd = x": "unknown key 'passwordcmd' in [account home]; did you mean 'password_command'?",
    "mailbox = INBOX": "unknown key 'mailbox' in [account home]; did you mean 'mailboxes'?",
    "colour = red": "unknown key 'colour' in [account home]",
    "user = me": "key 'user' is given twice in [account home], first in line 4",
    "[account home]": "section [account home] is there already, in line 1; put the keys of both into one",
    "[acount two]": "unknown section [acount two]; did you mean [account NAME]?",
    'trash = "My Trash"': "trash = \"My Trash\": quotes would be part of the value: leave them out",
}


def with_line(account, line):
    """The configuration of ACCOUNT, one line a key, and LINE below it."""
    text = ("[account home]\n# a comment\nhost = 127.0.0.1\nuser = me\npassword = x\n"
            f"maildir = {account.folder}/mail\n{line}\n")
    account.config.write_text(text)
    account.config.chmod(0o600)
    account.write_config = lambda: None
    return account


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_configuration(make_account, line):
    account = with_line(make_account(), line)
    says(account, 78, f"{account.config}:7: {LINES[line]}")


def test_no_configuration(make_account):
    account = make_account()
    account.write_config = lambda: None
    says(account, 78, f"{account.config}: cannot be opened: No such file or directory; `mailsync init EMAIL "
                      "--write` makes one, `mailsync --print-example` prints one to begin with")


def test_what_a_section_needs(make_account):
    account = make_account(maildir=None, password=None).change(user=None)
    says(account, 78, *(f"{account.config}:4: [account home] needs {what}" for what in (
        "'maildir'", "'user'", "one of 'password', 'password_command', 'password_file' and 'oauth'")))


def test_a_configuration_with_a_password_that_others_can_read(make_account):
    account = with_line(make_account(), "")
    account.config.chmod(0o644)
    says(account, 78, f"{account.config}:5: the file holds a password, but others can read it (mode 0644); "
                      "chmod 600 it, or use password_command")


# The command line

ARGUMENTS = {
    ("--dryrun",): "there is no option --dryrun; did you mean '--dry-run'?",
    ("--pu",): "--pu may be any of --pull, --push; try mailsync --help",
    ("--frobnicate",): "there is no option --frobnicate; try mailsync --help",
    ("sync", "hoem"): "there is no account 'hoem' in {config}; did you mean 'home'?",
    ("sync", "work"): "there is no account 'work' in {config}",
    ("statsu",): "there is no command or account 'statsu' in {config}; did you mean 'status'?",
    ("pull",): "there is no command or account 'pull' in {config}; did you mean '--pull'?",
    ("help", "statsu"): "there is no command 'statsu'; did you mean 'status'?",
}


@pytest.mark.parametrize("args", ARGUMENTS, ids=" ".join)
def test_what_was_typed(make_account, args):
    account = make_account()
    says(account, 64, ARGUMENTS[args].format(config=account.config), args=args)


def test_a_mailbox_that_is_not_there(account, remote):
    paired(account, remote, 1)
    says(account, 1, "home/Wrok: there is no such mailbox, neither here nor on the server; `mailsync list home` "
                     "tells which there are", args=("sync", "home/Wrok"))


# The disk

@pytest.mark.parametrize("folder", ["tmp", "new"])
def test_a_maildir_that_cannot_be_written(account, remote, folder):
    paired(account, remote, 1)
    append(remote, 1, seed="more")
    closed = account.local.root / "INBOX" / folder
    closed.chmod(0o500)
    result = bound(account)
    assert result.status == 74
    message = result.errors[0]["message"]
    assert f"{closed}/" in message and message.endswith(": Permission denied"), message


def test_a_state_that_cannot_be_read(account, remote):
    paired(account, remote, 1)
    state = account.database.parent
    state.chmod(0)
    result = bound(account, command="status")
    assert result.errors[0]["message"] == f"cannot look at {account.database}: Permission denied"
    assert result.status == 74


def test_a_full_disk_names_the_file(account, remote):
    disk = account.folder / "mail"
    with small_disk(disk, "400k"):
        append(remote, 1)
        account.sync()
        for number in range(20):
            remote.append("INBOX", mail.one(number, size=40_000), (), 1_600_000_000)
        result = account.run("sync")
    assert result.status == 74
    assert result.err.startswith("mailsync: home: cannot ") and f" {disk}/INBOX/" in result.err, result
    assert result.err.rstrip().endswith(": No space left on device"), result


def test_a_read_only_disk_names_the_file(account, remote):
    disk = account.folder / "mail"
    with small_disk(disk, "20m"):
        paired(account, remote, 1)
        append(remote, 1, seed="more")
        remount(disk, "ro")
        result = account.run("sync")
    assert result.status == 74
    assert f" {disk}/" in result.err and result.err.rstrip().endswith(": Read-only file system"), result


# What stands in the way

def test_another_run_holds_the_lock(account, remote):
    paired(account, remote, 1)
    lock = account.database.with_suffix(".lock")
    with open(lock, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = account.run("-v", "sync")
    assert result.status == 75
    assert result.err.splitlines()[0] == (f"mailsync: home: another run holds the lock {lock}; --wait waits "
                                          "for it"), result


def test_the_brake(account, remote):
    paired(account, remote, 12)
    for path in account.local.files("INBOX"):
        path.unlink()
    says(account, 79, "home/INBOX: 12 of 12 messages would be deleted on the server; that is over max_delete "
                      "(50%), so none of them was. If it is right: mailsync --allow-mass-delete home/INBOX; if "
                      "it is not: mailsync --bring-back home/INBOX")


def test_a_state_of_a_newer_version(account, remote):
    paired(account, remote, 1)
    with contextlib.closing(sqlite3.connect(account.database)) as database:
        known = database.execute("pragma user_version").fetchone()[0]
        database.execute("pragma user_version = 99")
    says(account, 78, f"home: {account.database} was written by a newer mailsync (schema 99, this one knows "
                      f"{known}): use that version, or another state_dir")


def test_a_maildir_that_is_gone(account, remote):
    paired(account, remote, 2)
    account.local.root.rename(account.folder / "elsewhere")
    says(account, 79, f"home: the Maildir {account.local.root} does not exist, though 2 messages were synced "
                      "there: is a disk not mounted? Nothing was done. To fetch everything anew, run once with "
                      "--allow-mass-delete")


def test_over_quota(make_account, dovecots):
    account = make_account(dovecots(quota="1M"))
    account.sync()
    account.local.deliver("INBOX", mail.one(1, size=1_500_000))
    result = account.run("sync")
    assert result.status == 1
    assert "over quota" in result.err.lower() or "quota exceeded" in result.err.lower(), result
