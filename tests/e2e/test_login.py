"""Logging in: every mechanism and source of secrets, and each way it fails, with its own status and
one sentence that does not hold the secret."""

import base64
import contextlib
import hashlib
import select
import shlex
import socket
import ssl
import subprocess
import threading
import time

import pytest

from rig import program
from rig.host import PASSWORD
from rig.scripted import Scripted, always, expect, pause
from stories import append, count


def works(account, number=1):
    with account.remote() as remote:
        append(remote, number)
    assert account.sync().did == {"downloaded": number}


def fails(account, status, *words, secret=PASSWORD):
    """One sentence on stderr, no secret even with -vv."""
    result = account.run("sync")
    assert result.status == status, result
    lines = result.err.strip().splitlines()
    assert len(lines) == 1 and result.out == "", result
    assert all(word.lower() in lines[0].lower() for word in words), result
    loud = account.run("-vv", "sync")
    assert loud.status == status
    encoded = base64.b64encode(secret.encode()).decode()
    for text in (result.err, loud.err, loud.out):
        assert secret not in text and encoded not in text
    return lines[0]


# Mechanisms

MECHANISMS = ["plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256"]


@pytest.mark.parametrize("auth", ["auto", *MECHANISMS])
def test_mechanism(make_account, auth):
    works(make_account(auth=auth))


@pytest.mark.parametrize("auth", ["plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256"])
def test_mechanism_with_a_wrong_password(make_account, auth):
    fails(make_account(auth=auth, password="not-the-one"), 77, secret="not-the-one")


@pytest.mark.parametrize("offered", ["plain", "login", "cram-md5", "scram-sha-1"])
def test_auto_takes_what_is_offered(make_account, dovecots, offered):
    # (imaplib could not put mail there: the LOGIN command needs PLAIN.)
    assert make_account(dovecots(mechanisms=offered)).sync().did == {}


def test_a_mechanism_that_is_not_offered(make_account, dovecots):
    account = make_account(dovecots(mechanisms="plain"), auth="scram-sha-256")
    assert account.run("sync").status in (69, 77)


@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
def test_oauth_token(make_account, auth):
    account = make_account(auth=auth, tls="implicit")
    account.change(password=account.server.mint_token(account.user))
    works(account)


@pytest.mark.parametrize("auth", ["xoauth2", "oauthbearer"])
@pytest.mark.parametrize("bad", ["run out", "forged"])
def test_bad_oauth_token(make_account, auth, bad):
    account = make_account(auth=auth, tls="implicit")
    token = account.server.mint_token(account.user, *((-60,) if bad == "run out" else ()),
                                      **({"secret": "x"} if bad == "forged" else {}))
    account.change(password=token)
    fails(account, 77, secret=token)


def test_external_with_a_client_certificate(make_account, dovecots):
    server = dovecots(client_certificates=True, mechanisms="plain external")
    account = make_account(server, tls="implicit", auth="external", password=None)
    pem, key = server.authority.issue(account.user, "client")
    account.change(tls_cert_file=pem, tls_key_file=key, user=None)
    works(account)


def test_a_tunnel_is_preauthenticated(make_account):
    account = make_account()
    command = account.server.tunnel_command(account.user)
    account.change(tunnel=command, host=None, port=None, user=None, password=None, tls=None)
    works(account)


def test_a_tunnel_that_fails(make_account):
    account = make_account()
    account.change(tunnel="exit 3", host=None, port=None, user=None, password=None, tls=None)
    assert account.run("sync").status == 75


# Secrets

def test_password_command(make_account):
    # A `;` in it is no comment; only its first line counts.
    command = f"true ; printf '%s\\nmore\\n' {shlex.quote(PASSWORD)}"
    works(make_account(password=None, password_command=command))


def test_password_command_that_fails(make_account):
    account = make_account(password=None, password_command="echo oops >&2; exit 1")
    result = account.run("sync")
    assert result.status == 77
    assert "oops\n" in result.err and "status 1" in result.err


def test_a_password_command_that_fails_ends_its_account_alone(make_account):
    """As a refused login does: an event of its own, and the others run."""
    account = make_account()
    broken = make_account(password=None, password_command="exit 1")
    account.others["account broken"] = broken.keys
    result = account.sync(status=77)
    statuses = {event["account"]: event["status"] for event in result.of("account")}
    assert statuses == {"home": 0, "broken": 77}
    assert [event["account"] for event in result.of("error")] == ["broken"]


def test_a_run_that_finds_the_lock_taken_asks_for_no_password(make_account):
    account = make_account(password=None)
    folder = account.folder
    account.change(password_command=f"echo x >>{folder}/asked; while test ! -e {folder}/go; do "
                                    f"sleep 0.05; done; printf %s {shlex.quote(PASSWORD)}")
    process = account.start("sync")
    program.wait_until((folder / "asked").exists)
    assert account.run("sync").status == 75
    (folder / "go").touch()
    assert program.finish(process).status == 0
    assert (folder / "asked").read_text() == "x\n"


def test_a_password_command_that_hangs_holds_up_no_other_account(make_account):
    account = make_account()
    hung = make_account(password=None, timeout=2,
                        password_command="exec sleep 60")
    account.others["account hung"] = hung.keys
    began = time.monotonic()
    result = account.sync(status=75)
    statuses = {event["account"]: event["status"] for event in result.of("account")}
    assert statuses == {"home": 0, "hung": 75}
    assert "gave no line within 2 s" in result.of("error")[0]["message"]
    assert time.monotonic() - began < 20


def test_a_password_command_may_leave_an_agent_running(make_account):
    """Which keeps the pipe open."""
    account = make_account(password=None,
                           password_command=f"(sleep 20 &) ; echo {shlex.quote(PASSWORD)}")
    began = time.monotonic()
    works(account)
    assert time.monotonic() - began < 10


def test_password_file(make_account, tmp_path):
    path = tmp_path / "secret"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o600)
    works(make_account(password=None, password_file=path))


def test_a_password_that_others_can_read_is_refused(account):
    account.write_config()
    account.config.chmod(0o644)
    done = subprocess.run([program.binary(), "-c", account.config, "sync"], capture_output=True,
                          env=account.environment(), check=False)
    assert done.returncode == 78
    assert PASSWORD.encode() not in done.stderr


# Proxies

class Proxy:
    """The least of a SOCKS5 or an HTTP CONNECT proxy; `asked` holds what was asked for."""

    def __init__(self, kind, port):
        self.kind, self.target, self.asked = kind, port, []
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        conn, _ = self.sock.accept()
        getattr(self, self.kind)(conn)
        far = socket.create_connection(("127.0.0.1", self.target))
        threading.Thread(target=self.pump, args=(conn, far), daemon=True).start()
        self.pump(far, conn)

    def pump(self, source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def socks5h(self, conn):
        conn.recv(2 + 255)
        conn.sendall(b"\5\0")
        request = conn.recv(1024)
        if request[3] == 3:
            self.asked.append(request[5:5 + request[4]].decode())
        conn.sendall(b"\5\0\0\1\0\0\0\0\0\0")

    def http(self, conn):
        request = conn.recv(4096).decode()
        self.asked.append(request.split()[1].rpartition(":")[0])
        conn.sendall(b"HTTP/1.1 200 go\r\n\r\n")


class TlsProxy(Proxy):
    """Of any number of connections, each inside TLS as far as the proxy."""

    def __init__(self, port, certificate):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        super().__init__("http", port)

    def serve(self):
        while True:
            conn, _ = self.sock.accept()
            try:
                conn = self.context.wrap_socket(conn, server_side=True)
                self.http(conn)
            except (OSError, IndexError):           # it went, be it without a word
                conn.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.relay, args=(conn, far), daemon=True).start()

    def relay(self, near, far):
        """In one thread: a connection inside TLS stands no two."""
        others = {near: far, far: near}
        with near, far, contextlib.suppress(OSError):
            while True:
                ready = [near] if near.pending() else select.select(list(others), [], [])[0]
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    others[source].sendall(data)


@pytest.mark.parametrize("kind", ["socks5h", "http"])
def test_a_proxy_resolves_the_name(make_account, kind):
    account = make_account(tls="implicit")
    proxy = Proxy(kind, account.keys["port"])
    account.change(proxy=f"{kind}://127.0.0.1:{proxy.port}")
    works(account)
    assert proxy.asked == ["localhost"]


@pytest.mark.parametrize("kind", ["self-signed", "wrong-host", "expired"])
def test_a_proxy_whose_certificate_is_not_trusted_is_not_taken_for_the_server(make_account, kind):
    """Its key is no pin for the server's."""
    account = make_account(tls="implicit")
    proxy = TlsProxy(account.keys["port"], account.server.authority.issue(f"proxy-{kind}", kind))
    account.change(proxy=f"https://localhost:{proxy.port}")
    said = fails(account, 69, "the certificate of the proxy is not trusted", "check `proxy`")
    assert "tls_" not in said


def test_a_proxy_with_tls(make_account):
    account = make_account(tls="implicit")
    proxy = TlsProxy(account.keys["port"], account.server.authority.issue("proxy-good", "good"))
    account.change(proxy=f"https://localhost:{proxy.port}")
    works(account)
    assert set(proxy.asked) == {"localhost"}


def test_what_is_no_proxy_with_tls_is_said_of_the_proxy(make_account):
    account = make_account(tls="implicit")
    account.change(proxy=f"https://localhost:{account.server.port}")
    fails(account, 75, "no connection through the proxy", "check `proxy`")


def test_the_environment_names_no_proxy(account):
    account.write_config()
    result = account.run("sync", env={"ALL_PROXY": "socks5h://127.0.0.1:1",
                                      "all_proxy": "socks5h://127.0.0.1:1"})
    assert result.status == 0, result


# Failures

def test_wrong_password(make_account):
    fails(make_account(password="not-the-one"), 77, secret="not-the-one")


@pytest.mark.parametrize("kind", ["wrong-host", "expired", "self-signed"])
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_bad_certificate(make_account, dovecots, kind, tls):
    fails(make_account(dovecots(certificate=kind), tls=tls), 69)


def test_untrusted_certificate(make_account):
    account = make_account(tls="implicit")
    account.change(tls_ca_file=None)
    fails(account, 69)


def pin_of(pem):
    public = subprocess.run(["openssl", "x509", "-in", pem, "-pubkey", "-noout"], check=True,
                            capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], check=True,
                         input=public, capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def test_pinned_key(make_account):
    account = make_account(tls="implicit")
    pem, _ = account.server.authority.issue("server-good", "good")
    account.change(tls_pin_sha256=pin_of(pem))
    works(account)
    account.change(tls_pin_sha256=base64.b64encode(b"x" * 32).decode())
    fails(account, 69)


def test_minimum_tls_version(make_account):
    works(make_account(tls="implicit", tls_min_version="1.3"))


def test_starttls_missing(make_account, dovecots):
    account = make_account(dovecots(tls=False), tls="starttls")
    fails(account, 69, "STARTTLS")


def test_connection_refused(account):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    account.change(port=port)
    fails(account, 75)


def test_name_not_found(account):
    account.change(host="no-such-host.invalid", tls="implicit", port=993)
    fails(account, 75, "no-such-host.invalid")


def test_silent_server(account):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        account.change(port=sock.getsockname()[1], timeout=1)
        fails(account, 75)


def test_server_that_goes_silent_later(account):
    from rig.scripted import pause
    with Scripted([expect("^(SELECT|EXAMINE|LIST)", pause(5))]) as server:
        account.change(port=server.port, timeout=1)
        assert account.run("sync").status == 75


def test_bye_at_the_greeting(account):
    with Scripted(greeting="* BYE you are not wanted here") as server:
        account.change(port=server.port)
        sentence = fails(account, 69)
        assert "not wanted here" in sentence


def test_busy_at_the_greeting(account):
    with Scripted(greeting="* BYE [UNAVAILABLE] try again later") as server:
        account.change(port=server.port)
        fails(account, 75)


def test_temporary_login_failure(account):
    busy = [expect("^(LOGIN|AUTHENTICATE)", "NO [UNAVAILABLE] the password server sleeps")]
    with Scripted(busy) as server:
        account.change(port=server.port)
        assert account.run("sync").status == 75


def test_no_password_leaves_in_the_clear(account):
    account.change(host="mail.example.org", port=143, tls="none")
    assert account.run("sync").status == 78


def test_login_disabled_without_tls(make_account, dovecots):
    server = dovecots(plaintext=False, mechanisms="plain login")
    account = make_account(server, host="127.0.0.2")
    assert account.run("sync").status in (69, 77)


# Configuration

def test_all_errors_of_a_config_are_told_at_once(account):
    account.change(passwort="x", max_delete="no", maildir=None, tls="maybe")
    result = account.run("sync")
    assert result.status == 78
    assert "password" in result.err                       # the nearest known key
    for word in ("passwort", "max_delete", "maildir", "tls"):
        assert word in result.err, result
    assert f"{account.config}:" in result.err             # file and line


def test_a_missing_config_file(account):
    result = account.run("--config", "/nonexistent/mailsync.conf", "sync")
    assert result.status == 78 and "/nonexistent/mailsync.conf" in result.err


def test_long_lines_and_semicolons(account):
    command = "true " + "x" * 3900 + f"; printf %s {shlex.quote(PASSWORD)}"
    account.change(password=None, password_command=command)
    works(account)
    assert count(account) == 1


# Refused again and again

@pytest.fixture
def refusing(make_account):
    """A server that refuses every login, an account there, and how often it tried."""
    with Scripted([always(r"^(LOGIN|AUTHENTICATE) ", "NO [AUTHENTICATIONFAILED] wrong")]) as server:
        account = make_account(tls="none", port=server.port, password="wrong")

        def tries():
            count = sum(command.startswith(("LOGIN", "AUTHENTICATE")) for command in server.received)
            server.received.clear()
            return count

        yield server, account, tries


def test_a_refused_login_is_not_repeated_by_cron(refusing, clock_shim):
    _, account, tries = refusing
    assert account.sync(status=77).status == 77 and tries() == 1
    for by, tried in ((60, 0), (890, 0), (910, 1), (910 + 1790, 0), (910 + 1810, 1)):
        result = account.sync(status=77, env={"LD_PRELOAD": clock_shim, "CLOCK_BY": str(by),
                                              "CLOCK_AFTER": "0"})
        assert tries() == tried, by
        assert ("refused the login on" in result.err) == (tried == 0)
        assert "the next try is at " in result.err


def test_another_password_is_tried_at_once_and_so_does_check(refusing):
    server, account, tries = refusing
    account.sync(status=77)
    account.sync(status=77)
    assert tries() == 1
    account.change(password="another").sync(status=77)
    assert tries() == 1
    assert account.run("check").status == 77 and tries() == 1
    server.script = []
    account.sync(status=77)
    assert tries() == 0
    account.change(password="right").sync()
    server.script = [always(r"^(LOGIN|AUTHENTICATE) ", "NO [AUTHENTICATIONFAILED] wrong")]
    assert account.sync(status=77).status == 77 and tries() == 2      # the note went with success


def test_a_check_that_gets_in_ends_the_waiting(refusing):
    server, account, tries = refusing
    account.sync(status=77)
    server.script = []
    account.sync(status=77)
    assert tries() == 1
    assert account.run("check").status == 0
    account.sync()


def test_a_password_command_that_fails_is_no_refusal(make_account):
    account = make_account(password=None, password_command="exit 1")
    account.sync(status=77)
    account.change(password_command=f"echo {shlex.quote(PASSWORD)}")
    account.sync()


# Ports and time

@pytest.mark.parametrize("tls", ["starttls", "none"])
def test_a_port_that_waits_for_tls_is_told_within_seconds(make_account, tls):
    """Such a server says nothing to who does not begin with it."""
    account = make_account()
    port = account.server.port + 1                        # imaps
    began = time.monotonic()
    result = account.change(tls=tls, port=port, timeout=60).run("sync")
    assert result.status == 69
    assert "waits for TLS" in result.err and "tls = implicit" in result.err
    assert time.monotonic() - began < 5


def test_a_server_that_greets_late_is_waited_for(make_account):
    with Scripted(greeting=(pause(2.5), "* OK [CAPABILITY IMAP4rev1] at last")) as server:
        account = make_account(tls="none", port=server.port, timeout=20)
        account.sync()


def test_a_logout_that_is_not_answered_holds_no_run_up(make_account):
    with Scripted([expect(r"^LOGOUT", pause(30))]) as server:
        account = make_account(tls="none", port=server.port, timeout=60)
        began = time.monotonic()
        account.sync()
        assert time.monotonic() - began < 10
