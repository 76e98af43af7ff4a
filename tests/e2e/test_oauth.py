"""Signing in by OAuth2: every flow, against a server of our own, with a real Dovecot behind it."""

import base64
import json
import os
import resource
import signal
import socket
import stat
import subprocess
import threading
import time
import urllib.parse

import pytest

from maildrop import Maildrop
from rig import mail, program
from rig.authority import Authority, Fault, wait_for_address
from rig.host import free_ports
from rig.line import Line
from rig.scripted import Scripted, always

MESSAGE = b"Subject: one\r\n\r\nbody\r\n"


@pytest.fixture
def authority(dovecots):
    with Authority(dovecots()) as server:
        yield server


@pytest.fixture
def make_signing(make_account, authority):
    """make_signing(**keys): an account that signs in at `authority`."""
    def make(**keys):
        return make_account(**authority.keys(**keys))
    return make


@pytest.fixture
def signed_in(make_signing, authority):
    account = make_signing()
    sign_in(account, authority)
    return account


def file_of(account):
    return account.database.parent / f"{account.name}.token"


def token_of(account):
    return json.loads(file_of(account).read_text())


def age(account, seconds):
    """The access token came so much earlier, in another boot."""
    token = token_of(account)
    token["received_at"] -= seconds
    token["received_boot"] = "another"
    file_of(account).write_text(json.dumps(token))


def begin(account, *options):
    return account.start("login", account.name, "--no-browser", *options)


def sign_in(account, authority, *options, status=0):
    """The whole of `login`, a script in the browser's place."""
    process = begin(account, *options)
    code, page = authority.consent(wait_for_address(process))
    assert code == 200 and b"Close this window" in page
    result = program.finish(process)
    assert result.status == status, result
    return result


def fresh(account, status=0):
    """What `token` prints."""
    result = account.run("token", account.name)
    assert result.status == status, result
    return result.out.strip() if status == 0 else result.err


# --- flows ---


def test_sign_in_then_sync(make_signing, authority):
    account = make_signing()
    assert "signed in" in sign_in(account, authority).err
    with account.remote() as remote:
        remote.append("INBOX", MESSAGE)
    assert account.sync().did == {"downloaded": 1}
    assert account.sync().did == {}
    assert stat.S_IMODE(file_of(account).stat().st_mode) == 0o600
    assert len(authority.asked("/token")) == 1
    asked = authority.asked("/authorize")[0]
    assert asked["login_hint"] == account.user
    assert urllib.parse.urlsplit(asked["redirect_uri"]).hostname == "127.0.0.1"


@pytest.mark.parametrize("auth", ["auto", "xoauth2", "oauthbearer"])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_each_protocol_and_mechanism(make_signing, authority, protocol, auth):
    account = make_signing(auth=auth)
    if protocol == "pop3":
        account.change(protocol="pop3", port=account.server.port + 2)
    sign_in(account, authority)
    result = account.run("-v", "check")
    wanted = "OAUTHBEARER" if auth == "auto" else auth.upper()
    assert result.status == 0 and wanted in result.out, result
    assert "signed in by" in result.out and "access token" in result.out


def test_the_address_can_be_pasted(make_signing, authority):
    account = make_signing()
    process = subprocess.Popen(account.argv("login", "home", "--paste"), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=account.environment())
    url = wait_for_address(process)
    _, location, _ = authority.get(url)
    with pytest.raises(ConnectionRefusedError):   # nothing listens there
        authority.get(location)
    process.stdin.write(b"http://127.0.0.1/?code=x&state=y\n <" + location.encode() + b"> \n")
    process.stdin.flush()
    result = program.finish(process)
    assert result.status == 0, result
    assert "This is not the address" in result.err


def test_paste_ends_with_standard_input(make_signing):
    result = make_signing().run("login", "home", "--paste")
    assert result.status == 77 and "standard input ended" in result.err


def test_wrong_requests_do_not_end_the_wait(make_signing, authority):
    account = make_signing()
    process = begin(account)
    _, location, _ = authority.get(wait_for_address(process))
    parts = urllib.parse.urlsplit(location)
    home = f"http://127.0.0.1:{parts.port}"
    for path, status in [("/favicon.ico", 404), ("/", 404), ("/?code=x&state=secret-echo", 400),
                         ("/?" + "x" * 9000, 431), ("/x?" + parts.query, 404)]:
        code, _, page = authority.get(home + path)
        assert code == status
        assert b"secret-echo" not in page and b"x" * 50 not in page
    code, _, page = authority.get(location.replace("127.0.0.1", "[::1]", 1))
    assert code == 200 and parts.query.encode() not in page
    assert program.finish(process).status == 0


def test_visitors_that_say_nothing_hold_nobody_up(make_signing, authority):
    account = make_signing()
    process = begin(account)
    _, location, _ = authority.get(wait_for_address(process))
    parts = urllib.parse.urlsplit(location)
    idle = [socket.create_connection(("127.0.0.1", parts.port)) for _ in range(20)]
    with socket.create_connection(("127.0.0.1", parts.port)) as slow:
        for piece in (b"GET ", parts.path.encode(), b"?" + parts.query.encode(), b" HTTP/1.1\r\n",
                      b"Host: localhost\r\n", b"\r\n"):
            slow.sendall(piece)
            time.sleep(0.05)
        assert slow.recv(100).startswith(b"HTTP/1.1 200 ")
    for visitor in idle:
        visitor.close()
    assert program.finish(process).status == 0


def test_a_redirect_with_a_path_and_a_port(make_signing, authority):
    port = free_ports(1)
    account = make_signing(oauth_redirect=f"http://localhost:{port}/sign/in")
    sign_in(account, authority)
    assert authority.asked("/authorize")[0]["redirect_uri"] == f"http://localhost:{port}/sign/in"
    with socket.create_server(("127.0.0.1", port)):
        result = account.run("login", "home")
    assert result.status == 74 and "listened on" in result.err


def test_a_sign_in_that_is_interrupted(make_signing):
    process = begin(make_signing())
    wait_for_address(process)
    process.send_signal(signal.SIGINT)
    assert program.finish(process).status == 75


def test_a_refused_consent(make_signing, authority):
    authority.refuses_with = {"error": "access_denied", "error_description": "not now"}
    process = begin(make_signing())
    authority.consent(wait_for_address(process))
    result = program.finish(process)
    assert result.status == 77
    assert "the consent was refused" in result.err and "not now" in result.err


def test_device_flow(make_signing, authority):
    account = make_signing()
    authority.device_answers = ["authorization_pending", "slow_down"]
    authority.interval = 0
    authority.consents_as = account.user     # whoever enters the code
    began = time.monotonic()
    process = begin(account, "--device")
    assert wait_for_address(process) == authority.url("/enter")
    result = program.finish(process)
    assert result.status == 0, result
    assert time.monotonic() - began > 7      # twice a second, then 5 s more
    assert len(authority.asked("/token")) == 3


@pytest.mark.parametrize("answer, status, words", [
    ("access_denied", 77, "consent was refused"), ("expired_token", 77, "ran out"),
    ("invalid_client", 78, "oauth_client_id")])
def test_device_flow_that_fails(make_signing, authority, answer, status, words):
    authority.device_answers = [answer]
    authority.interval = 0
    result = make_signing().run("login", "home", "--device")
    assert result.status == status and words in result.err


def test_a_token_of_the_device_flow_serves_pop3(make_signing, authority):
    account = make_signing(auth="xoauth2")
    account.change(protocol="pop3", port=account.server.port + 2)
    authority.interval, authority.consents_as = 0, account.user
    result = account.run("--json", "login", "home", "--device")
    assert result.status == 0 and result.out == "", result
    assert "WDJB-MJHT" in result.err and "signed in; the mail server lets" in result.err
    assert account.sync().did == {}
    authority.forget()
    age(account, 3600)
    assert account.run("--json", "token", "home").of("error")[0]["code"]


def test_google_gives_no_mail_to_devices(make_signing):
    result = make_signing(oauth="google").run("login", "home", "--device")
    assert result.status == 64 and "device flow" in result.err


@pytest.fixture
def browser(tmp_path, authority):
    """A program that does what a browser would; its own log tells that it ran."""
    log, script = tmp_path / "opened", tmp_path / "browser"
    script.write_text(f"""#!/usr/bin/python3
import sys, urllib.request
open({str(log)!r}, "w").write(sys.argv[1])
urllib.request.urlopen(sys.argv[1]).read()
""")
    script.chmod(0o755)
    return str(script), log


def test_a_browser_is_opened(make_signing, browser):
    script, log = browser
    account = make_signing()
    result = account.run("login", "home", env={"BROWSER": script, "DISPLAY": ":9"})
    assert result.status == 0, result
    assert log.read_text().startswith("http")


@pytest.mark.parametrize("env, options, words", [
    ({"SSH_CONNECTION": "1.2.3.4 1 5.6.7.8 22", "DISPLAY": ":9"}, [], "ssh -L "),
    ({"DISPLAY": ":9"}, ["--no-browser"], ""), ({"DISPLAY": ""}, [], "")])
def test_no_browser_is_opened(make_signing, authority, browser, env, options, words):
    script, log = browser
    account = make_signing()
    process = account.start("login", "home", *options, env={"BROWSER": script, **env})
    url = wait_for_address(process)
    authority.consent(url)
    result = program.finish(process)
    assert result.status == 0 and words in result.err
    if words:
        port = urllib.parse.urlsplit(authority.asked("/authorize")[0]["redirect_uri"]).port
        assert f"ssh -L {port}:localhost:{port}" in result.err
    assert not log.exists()


# --- issuers ---


@pytest.fixture
def issuer(dovecots):
    with Authority(dovecots(), tls=True) as server:
        yield server


def of_issuer(issuer, **more):
    return {"password": None, "oauth": issuer.issuer, "oauth_ca_file": issuer.ca, **more}


@pytest.mark.parametrize("path", ["oauth-authorization-server", "openid-configuration"])
def test_an_issuer_registers_us(make_account, issuer, path):
    issuer.metadata_path = "/.well-known/" + path
    issuer.registers_as = lambda redirect: "http://localhost/callback"
    account = make_account(**of_issuer(issuer))
    sign_in(account, issuer)
    asked = issuer.asked("/authorize")[0]
    assert urllib.parse.urlsplit(asked["redirect_uri"]).hostname == "localhost"
    assert asked["redirect_uri"].endswith("/callback")
    assert asked["scope"] == "mail offline_access"
    age(account, 4000)
    assert account.sync().did == {}
    assert issuer.refreshes == 1
    assert [form for path, form in issuer.requests if "well-known" in path][1:] == [] or \
        path == "openid-configuration"


def test_another_issuers_metadata_are_refused(make_account, issuer):
    issuer.issuer_told = "https://evil.example.org"
    result = make_account(**of_issuer(issuer)).run("login", "home")
    assert result.status == 69 and "another issuer" in result.err
    assert not issuer.asked("/authorize") and not issuer.clients


def test_another_issuers_answer_is_refused(make_account, issuer):
    issuer.iss = "https://evil.example.org"
    process = begin(make_account(**of_issuer(issuer)))
    issuer.consent(wait_for_address(process))
    result = program.finish(process)
    assert result.status == 69 and "another issuer" in result.err
    assert not issuer.asked("/token")


def test_a_registered_redirect_elsewhere_is_refused(make_account, issuer):
    issuer.registers_as = lambda redirect: "https://evil.example.org/"
    result = make_account(**of_issuer(issuer)).run("login", "home")
    assert result.status == 69 and "redirect" in result.err


def test_an_untrusted_issuer(make_account, issuer):
    result = make_account(**of_issuer(issuer, oauth_ca_file=None)).run("login", "home")
    assert result.status == 69, result


# --- tokens ---


def test_a_token_that_is_over_is_refreshed(signed_in, authority):
    first = token_of(signed_in)
    age(signed_in, 3301)                    # 5 minutes ahead
    assert signed_in.sync().did == {}
    second = token_of(signed_in)
    assert authority.refreshes == 1
    assert second["refresh_token"] != first["refresh_token"]
    assert second["refresh_token_before"] == first["refresh_token"]
    age(signed_in, 3290)
    assert fresh(signed_in) == token_of(signed_in)["access_token"]
    assert authority.refreshes == 1


def test_token_prints_one_line(signed_in, authority):
    result = signed_in.run("token", "home")
    assert result == (0, token_of(signed_in)["access_token"] + "\n", "")
    event = signed_in.run("--json", "token", "home").of("token")[0]
    assert event["access_token"] == token_of(signed_in)["access_token"]
    assert abs(event["expires_at"] - time.time() - authority.lifetime) < 60


@pytest.mark.parametrize("kind", ["text", "missing"])
def test_lifetimes_as_odd_servers_tell_them(make_signing, authority, kind):
    authority.expires_in = kind
    account = make_signing()
    sign_in(account, authority)
    assert fresh(account)
    event = account.run("--json", "token", "home").of("token")[0]
    assert (event["expires_at"] is None) == (kind == "missing")
    age(account, 3400)
    fresh(account)
    assert authority.refreshes == 1


@pytest.mark.parametrize("spoils", [
    lambda data: data.replace(b'"expires_in": 3600', b'"expires_in": 99999999999999999999'),
    lambda data: data.replace(b'"expires_in": 3600', b'"expires_in": -1e999'),
    lambda data: data.replace(b'"expires_in": 3600', b'"expires_in": 0'),
    lambda data: data.replace(b'"expires_in": 3600', b'"scope": null, "expires_in": null'),
    lambda data: data[:-1] + b', "name": "J\xfcrgen\r\n", "scope": "mail"}',
    lambda data: data[:-1] + b', "x": ' + b"[" * 500 + b"]" * 500 + b"}",
    lambda data: data[:-1] + b', "x": "' + b"x" * 100_000 + b'"}',
])
def test_no_refresh_token_is_lost_for_what_else_a_reply_says(signed_in, authority, spoils):
    authority.spoils = spoils
    for count in (1, 2):                    # the next one is kept, and used
        age(signed_in, 3600)
        assert fresh(signed_in) == token_of(signed_in)["access_token"]
        assert token_of(signed_in)["refresh_token"] == authority.grants[0].refresh[-1]
        assert authority.refreshes == count


@pytest.mark.parametrize("spoils, words", [
    (lambda data: data.replace(b"Bearer", b"mac"), "Bearer"),
    (lambda data: data.replace(b"access_token", b"token"), "no access token")])
def test_no_refresh_token_is_lost_with_an_access_token_of_no_use(signed_in, authority, spoils,
                                                                 words):
    age(signed_in, 3600)
    authority.spoils = spoils
    assert words in fresh(signed_in, 76)
    assert token_of(signed_in)["refresh_token"] == authority.grants[0].refresh[-1]
    authority.spoils = None
    assert fresh(signed_in) and not authority.grants[0].is_dead


def test_a_reply_that_breaks_off_behind_the_tokens_counts(signed_in, authority):
    authority.owes = 100
    age(signed_in, 3600)
    assert fresh(signed_in) == token_of(signed_in)["access_token"]
    assert token_of(signed_in)["refresh_token"] == authority.grants[0].refresh[-1]


def test_tokens_that_are_large_together(make_signing, authority):
    authority.refresh_bytes = 45_000        # 60 kB in base64
    account = make_signing()
    sign_in(account, authority)
    for count in (1, 2):
        age(account, 3600)
        assert fresh(account) and authority.refreshes == count
    assert account.sync().did == {}


@pytest.mark.parametrize("granted", [-1, 0, 10**13, "x", 1e300])
def test_a_date_that_makes_no_sense_is_not_told(signed_in, granted):
    token = token_of(signed_in)
    file_of(signed_in).write_text(json.dumps({**token, "granted_at": granted}))
    result = signed_in.run("check")
    assert result.status == 0, result
    assert "days ago" not in result.out and "access token of now ends at" in result.out


@pytest.mark.parametrize("shift", [-100000, 100000])
def test_clocks_that_jump(signed_in, authority, clock_shim, shift):
    env = {"LD_PRELOAD": clock_shim, "CLOCK_BY": str(shift), "CLOCK_AFTER": "0"}
    assert signed_in.sync(env=env).did == {}
    assert authority.refreshes == 1


def test_a_refused_token_is_refreshed_once(make_signing, authority):
    authority.lives = -10                    # told to last an hour
    account = make_signing()
    sign_in(account, authority, status=77)
    assert authority.refreshes == 1
    result = account.run("check")
    assert result.status == 77 and "signed in by" in result.out     # told all the same
    authority.lives = None
    result = account.run("check")
    assert result.status == 0, result
    assert authority.refreshes == 3


def test_a_refused_token_is_not_tried_again_by_cron(make_signing, authority):
    authority.lives = -10
    account = make_signing()
    sign_in(account, authority, status=77)
    account.sync(status=77)
    count = len(authority.requests)
    result = account.sync(status=77)
    assert "the next try is at" in result.err and "mailsync login home" in result.err
    assert len(authority.requests) == count
    authority.lives = None
    sign_in(account, authority)
    assert account.sync().did == {}


def test_a_token_of_another_account(make_signing, authority):
    authority.consents_as = "somebody-else"
    account = make_signing()
    result = sign_in(account, authority, status=77)
    assert "mailsync login home" in result.err and "another account" in result.err


def test_narrower_scopes_are_told(make_signing, authority):
    authority.grants_scope = "mail"
    result = sign_in(make_signing(oauth_scope="mail send offline_access"), authority)
    assert "missing: send" in result.err


def test_without_a_refresh_token(make_signing, authority):
    authority.gives_refresh = False
    account = make_signing()
    result = sign_in(account, authority)
    assert "no token to refresh" in result.err
    assert account.sync().did == {}
    age(account, 3600)
    result = account.sync(status=77)
    assert "mailsync login home" in result.err


def test_never_signed_in(make_signing, authority):
    account = make_signing()
    for command in ("sync", "check", "token"):
        result = account.run(command, "home")
        assert result.status == 77 and "run `mailsync login home`" in result.err
    assert not authority.requests


def test_a_dead_grant(signed_in, authority):
    authority.forget()
    age(signed_in, 3600)
    for _ in range(2):
        result = signed_in.sync(status=77)
        assert "run `mailsync login home`" in result.err
    assert file_of(signed_in).exists()
    sign_in(signed_in, authority)
    assert signed_in.sync().did == {}


def test_a_grant_of_a_project_in_testing(make_signing, authority):
    """Google ends it after 7 days: the last refresh was before, and the next is not taken."""
    account = make_signing(oauth="google")
    sign_in(account, authority)
    asked = authority.asked("/authorize")[0]
    assert asked["access_type"] == "offline" and asked["prompt"] == "consent"
    week = 7 * 24 * 3600
    token = token_of(account)
    token["granted_at"] -= week + 600
    file_of(account).write_text(json.dumps(token))
    age(account, 3600)
    authority.forget()
    told = fresh(account, 77)
    assert "ended 7 days after `login`" in told and "In production" in told
    assert "mailsync login home" in told
    token["granted_at"] += 1200              # a day too early: for another reason
    file_of(account).write_text(json.dumps(token))
    age(account, 3600)
    assert "holds no longer" in fresh(account, 77)


def test_the_refresh_token_before_is_tried(signed_in, authority):
    age(signed_in, 3600)
    fresh(signed_in)
    token = token_of(signed_in)
    grant = authority.grants[0]
    grant.refresh = [token["refresh_token_before"]]     # the server forgot the newest
    age(signed_in, 3600)
    assert fresh(signed_in)
    assert token_of(signed_in)["refresh_token"] == grant.refresh[-1]


def test_invalid_grant_is_believed_after_another_look(signed_in, authority):
    """Another machine's mailsync used the token a moment ago, and wrote the next one down."""
    age(signed_in, 3600)
    other = token_of(signed_in)
    old_reply = authority.reply

    def reply(path, form, body):
        if path == "/token" and form["refresh_token"] == other["refresh_token"]:
            new = dict(other, access_token="other's", refresh_token="other's",
                       received_at=int(time.time()))
            file_of(signed_in).write_text(json.dumps(new))
            return 400, {"error": "invalid_grant"}, {}
        return old_reply(path, form, body)

    authority.reply = reply
    assert fresh(signed_in) == "other's"


@pytest.mark.parametrize("fault, status, words", [
    (Fault("/token", 503), 75, "503"),
    (Fault("/token", 500, b'{"error":"invalid_grant"}'), 75, "500"),
    (Fault("/token", 408), 75, "408"),
    (Fault("/token", 425), 75, "425"),
    (Fault("/token", 400, '{"error":"invalid_grant","error_description":"AADSTS70008: a\u202eb'
                          '\u2028c\u0085d\\r\\n\\u001b[2Je"}'.encode()), 77,
     "90 days (invalid_grant: AADSTS70008: a?b?c?d   [2Je)"),
    (Fault("/token", 429, headers={"Retry-After": "30"}), 75, "30 s"),
    (Fault("/token", 400, b'{"error":"temporarily_unavailable"}'), 75, "no time"),
    (Fault("/token", 401, b'{"error":"invalid_client"}'), 78, "oauth_client_id"),
    (Fault("/token", 400, b'{"error":"unauthorized_client"}'), 78, "registration"),
    (Fault("/token", 302, b"", {"Location": "http://127.0.0.1:1/"}), 69, "elsewhere"),
    (Fault("/token", 200, b"<html>"), 76, "no sense"),
    (Fault("/token", 200, b"{" * 100000), 76, "65536"),
    (Fault("/token", 200, b"[" * 5000), 76, "deeply"),
    (Fault("/token", 200, b'{"access_token":"a","access_token":"b"}'), 76, "no sense"),
    (Fault("/token", 200, b'{"access_token":"a\\u0000b"}'), 76, "no sense"),
    (Fault("/token", 200, b'{"access_token":"a\\r\\nb"}'), 76, "no access token"),
    (Fault("/token", 200, b'{"access_token":"a","token_type":"mac"}'), 76, "Bearer"),
    (Fault("/token", 400, b'{"error":"' + b"x" * 60000 + b'"}'), 69, "refuses (xxx"),
])
def test_endpoints_that_misbehave(signed_in, authority, fault, status, words):
    age(signed_in, 3600)
    before = token_of(signed_in)
    authority.faults = [fault]
    assert words in fresh(signed_in, status)
    assert token_of(signed_in) == before
    assert fresh(signed_in)


def test_a_busy_endpoint_while_the_token_still_serves(signed_in, authority):
    age(signed_in, 3400)
    authority.faults = [Fault("/token", 503)]
    assert signed_in.sync().did == {}
    assert authority.refreshes == 0


def test_no_network(signed_in):
    age(signed_in, 3600)
    signed_in.change(oauth_token_url="http://127.0.0.1:1/token")
    assert "cannot be asked" in fresh(signed_in, 75)


def test_an_endpoint_that_speaks_no_http(signed_in):
    with socket.create_server(("127.0.0.1", 0)) as server:
        def greet():
            conn, _ = server.accept()
            conn.sendall(b"220 mail.example.org ESMTP\r\n")
            conn.recv(65536)
            conn.close()
        threading.Thread(target=greet, daemon=True).start()
        age(signed_in, 3600)
        signed_in.change(oauth_token_url=f"http://127.0.0.1:{server.getsockname()[1]}/token")
        assert "cannot be asked" in fresh(signed_in, 76)


def test_a_signal_amid_a_refresh_waits_for_the_answer(signed_in, authority):
    right = authority.right_reply

    def late(*asked):
        answer = right(*asked)
        process.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        return answer
    age(signed_in, 3600)
    before = token_of(signed_in)["refresh_token"]
    authority.right_reply = late
    process = signed_in.start("token", "home")
    program.finish(process)
    authority.right_reply = right
    assert token_of(signed_in)["refresh_token"] != before
    assert fresh(signed_in) and authority.refreshes == 1


def test_a_token_file_that_is_a_pipe(signed_in):
    file_of(signed_in).unlink()
    os.mkfifo(file_of(signed_in), 0o600)
    assert "no regular file" in signed_in.sync(status=78).err


def test_a_token_file_that_others_can_read(signed_in):
    file_of(signed_in).chmod(0o640)
    result = signed_in.sync(status=78)
    assert "chmod 600" in result.err


def test_a_token_file_that_is_a_link(signed_in, tmp_path):
    file_of(signed_in).rename(tmp_path / "elsewhere")
    file_of(signed_in).symlink_to(tmp_path / "elsewhere")
    signed_in.sync(status=74)


def test_a_state_directory_that_takes_nothing(make_signing, authority, tmp_path):
    account = make_signing()
    (tmp_path / "file").write_text("")
    account.defaults["state_dir"] = str(tmp_path / "file" / "state")
    process = begin(account)
    authority.consent(wait_for_address(process))
    assert program.finish(process).status == 74


def test_a_damaged_token_file(signed_in):
    file_of(signed_in).write_text('{"access_token":')
    assert "mailsync login home" in signed_in.sync(status=77).err


def test_another_client_than_the_one_that_signed_in(signed_in):
    age(signed_in, 3600)
    signed_in.change(oauth_client_id="other")
    assert "another `oauth` or `oauth_client_id`" in fresh(signed_in, 77)


def test_a_clients_secret(make_signing, authority):
    authority.client_secret = "se+cret/%"
    account = make_signing()
    process = begin(account)
    authority.consent(wait_for_address(process))
    assert program.finish(process).status == 78
    account.change(oauth_client_secret="se+cret/%")
    sign_in(account, authority)
    age(account, 3600)
    account.change(oauth_client_secret=None,
                   oauth_client_secret_command="printf '%s\\n' 'se+cret/%'")
    assert fresh(account)


def test_logout(signed_in, authority):
    refresh = token_of(signed_in)["refresh_token"]
    keys = {"oauth_token_url": authority.url("/token")}
    signed_in.change(**keys)
    result = signed_in.run("logout", "home")
    assert result.status == 0 and "signed out" in result.err
    assert not file_of(signed_in).exists()
    assert signed_in.run("logout", "home").status == 0
    assert authority.asked("/revoke") == []              # where: not known of `custom`
    assert refresh in authority.grants[0].refresh


def test_logout_revokes(make_account, issuer):
    account = make_account(**of_issuer(issuer))
    sign_in(account, issuer)
    assert account.run("logout", "home").status == 0
    assert issuer.grants[0].is_dead
    assert account.run("sync").status == 77


def test_logout_without_the_provider(make_account, issuer):
    account = make_account(**of_issuer(issuer))
    sign_in(account, issuer)
    issuer.faults = [Fault("/revoke", 503)]
    result = account.run("logout", "home")
    assert result.status == 1 and "web site" in result.err
    assert not file_of(account).exists()


def test_the_token_of_another_account(signed_in, authority, tmp_path):
    signed_in.others["account second"] = {
        **signed_in.keys, "oauth": None, "oauth_account": "home", "oauth_client_id": None,
        "oauth_scope": None, "oauth_auth_url": None, "oauth_token_url": None,
        "oauth_device_url": None, "maildir": str(tmp_path / "second")}
    assert signed_in.run("sync", "second").status == 0
    assert signed_in.run("token", "second").out.strip() == token_of(signed_in)["access_token"]
    result = signed_in.run("login", "second")
    assert result.status == 78 and "account home" in result.err


def test_the_token_of_an_account_of_the_other_protocol(make_signing, authority, tmp_path):
    """Microsoft has a scope for each: one consent asks for both, and a lacking one is told."""
    account = make_signing(oauth="microsoft", oauth_scope=None)
    account.others["account second"] = {
        **account.keys, "protocol": "pop3", "port": account.server.port + 2, "oauth": None,
        "oauth_account": "home", "oauth_client_id": None, "oauth_auth_url": None,
        "oauth_token_url": None, "oauth_device_url": None, "maildir": str(tmp_path / "second")}
    authority.grants_scope = "https://outlook.office.com/IMAP.AccessAsUser.All"
    result = sign_in(account, authority)
    asked = authority.asked("/authorize")[0]["scope"].split()
    assert "https://outlook.office.com/IMAP.AccessAsUser.All" in asked
    assert "https://outlook.office.com/POP.AccessAsUser.All" in asked
    assert "missing: " in result.err
    assert "not granted" not in account.run("check", "home").out
    told = account.run("check", "second").out
    assert "POP.AccessAsUser.All was not granted" in told and "mailsync login home" in told
    authority.grants_scope = None
    sign_in(account, authority)
    assert "not granted" not in account.run("check", "second").out


def test_the_command_to_run_names_the_account_that_signs_in(signed_in, authority, tmp_path):
    signed_in.others["account second"] = {
        **{key: value for key, value in signed_in.keys.items() if not key.startswith("oauth_")},
        "oauth": None, "oauth_account": "home", "user": "somebody-else",
        "maildir": str(tmp_path / "second")}
    for _ in range(2):                       # refused, and not tried again
        result = signed_in.run("sync", "second")
        assert result.status == 77 and "mailsync login home" in result.err
        assert "mailsync login second" not in result.err


def test_a_password_command_is_run_again_after_a_refusal(make_account, dovecots, tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    account = make_account(auth="xoauth2", password=None, password_command=(
        f"if test -e {bad}; then cat {bad}; rm {bad}; else cat {good}; fi"))
    bad.write_text(dovecots().mint_token(account.user, seconds=-60) + "\n")
    good.write_text(dovecots().mint_token(account.user) + "\n")
    assert account.sync().did == {}
    assert not bad.exists()


# --- secrets ---


def test_no_secret_is_shown(make_signing, authority):
    authority.client_secret = "client-secret-0123456789"
    account = make_signing(oauth_client_secret="client-secret-0123456789")
    process = begin(account, "-vv")
    url = wait_for_address(process)
    shown = subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True).stdout
    authority.consent(url)
    result = program.finish(process)
    assert result.status == 0, result
    first = token_of(account)
    age(account, 3600)
    told = result.out + result.err + str(account.run("-vv", "sync"))
    authority.forget()
    age(account, 3600)
    told += str(account.run("-vv", "check"))
    second = token_of(account)
    codes = [form["code"] for form in authority.asked("/token") if "code" in form]
    verifiers = [form["code_verifier"] for form in authority.asked("/token")
                 if "code_verifier" in form]
    database = account.database.read_bytes().decode("latin-1") if account.database.exists() else ""
    for secret in [first["access_token"], first["refresh_token"], second["access_token"],
                   second["refresh_token"], authority.client_secret, *codes, *verifiers]:
        for place in (told, shown, database):
            assert secret not in place


def any_core():
    """As a child begins: nothing keeps it from leaving a core."""
    program.heed_signals()
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def test_a_crash_leaves_no_core(make_signing, authority, tmp_path):
    """With a client's secret and a verifier in memory."""
    where = tmp_path / "cores"
    where.mkdir()
    subprocess.run(["sh", "-c", "kill -ABRT $$"], cwd=where, preexec_fn=any_core, check=False)
    if not list(where.iterdir()):
        pytest.skip("this system leaves no cores in the working directory")
    for core in where.iterdir():
        core.unlink()
    authority.client_secret = "client-secret-0123456789"
    account = make_signing(oauth_client_secret=authority.client_secret)
    process = account.start("login", account.name, "--no-browser", cwd=where, preexec_fn=any_core)
    wait_for_address(process)
    process.send_signal(signal.SIGABRT)
    assert program.finish(process).status == -signal.SIGABRT
    assert list(where.iterdir()) == []


# --- races and deaths ---


def many_tokens(account, count):
    """So many `token` at once."""
    argv = account.argv("token", account.name)
    return [subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=account.environment())
            for _ in range(count)]


def test_eight_at_once_refresh_once(signed_in, authority):
    for round_ in range(3):
        age(signed_in, 3600)
        running = many_tokens(signed_in, 8)
        results = [program.finish(process) for process in running]
        assert {result.status for result in results} == {0}
        assert len({result.out for result in results}) == 1
        assert authority.refreshes == round_ + 1
    assert not authority.grants[0].is_dead


def test_killed_after_each_step_the_grant_lives(signed_in, authority, steps, tmp_path):
    authority.takes_the_one_before = True
    log = tmp_path / "steps"
    age(signed_in, 3600)
    assert signed_in.run("token", "home", env={"MAILSYNC_STEP_LOG": str(log)}).status == 0
    count = len(log.read_text().splitlines())
    assert count >= 6 and "http request" in log.read_text()
    for step in range(count):
        age(signed_in, 3600)
        result = signed_in.run("token", "home", env={"MAILSYNC_STEP_STOP": str(step)})
        assert result.status in (0, -signal.SIGKILL)
        assert fresh(signed_in), f"after step {step}"
        assert not authority.grants[0].is_dead
        assert stat.S_IMODE(file_of(signed_in).stat().st_mode) == 0o600
        leftovers = {p.name for p in file_of(signed_in).parent.glob("home.token*")}
        assert leftovers <= {"home.token", "home.token.lock", "home.token.tmp"}


def test_a_full_disk_costs_no_refresh_token(signed_in, authority, steps, tmp_path):
    """The server would not take the one before again, so it is not asked."""
    log = tmp_path / "steps"
    age(signed_in, 3600)
    signed_in.run("token", "home", env={"MAILSYNC_STEP_LOG": str(log)})
    names = [line.split(" ", 1)[1].split("\t")[0] for line in log.read_text().splitlines()]
    asked = names.index("http request")
    assert names[:asked].count("write") == names[asked:].count("write") == 1
    age(signed_in, 3600)
    number = names.index("write") + 1
    result = signed_in.run("token", "home", env={"MAILSYNC_STEP_FAIL": f"{number}:28"})
    assert result.status == 74 and authority.refreshes == 1
    assert fresh(signed_in) and authority.refreshes == 2


def test_no_step_that_fails_uses_a_token_that_is_not_kept(signed_in, authority, steps, tmp_path):
    authority.takes_the_one_before = True
    log = tmp_path / "steps"
    age(signed_in, 3600)
    signed_in.run("token", "home", env={"MAILSYNC_STEP_LOG": str(log)})
    names = [line.split(" ", 1)[1].split("\t")[0] for line in log.read_text().splitlines()]
    for number, name in enumerate(names, 1):
        age(signed_in, 3600)
        result = signed_in.run("token", "home", env={"MAILSYNC_STEP_FAIL": f"{number}:28"})
        if name in ("create", "write", "fdatasync", "replace"):
            assert result.status == 74 and result.out == "", (name, result)
        assert fresh(signed_in)


def test_a_run_outlives_its_token(make_signing, authority):
    """Connections that are opened later log in with a token of then."""
    authority.lifetime = 3
    account = make_signing(connections=4)
    sign_in(account, authority)
    with account.remote() as remote:
        for number in range(40):
            remote.append("INBOX", b"Subject: %d\r\n\r\n%s\r\n" % (number, b"x" * 1000))
    time.sleep(3)
    assert account.sync().did == {"downloaded": 40}
    assert authority.refreshes >= 1


# --- mail servers ---


def test_authenticated_but_not_connected(bad, authority):
    """Microsoft's words for a token that is good, of an account without a mailbox."""
    words = "BAD User is authenticated but not connected."
    server, account = bad(capabilities="IMAP4rev1 SASL-IR AUTH=XOAUTH2 UIDPLUS",
                          script=[always(r"^AUTHENTICATE XOAUTH2", "OK AUTHENTICATE completed."),
                                  always(r"^(LIST|NAMESPACE|SELECT|EXAMINE|CAPABILITY)", words)],
                          keys=authority.keys())
    sign_in(account, authority, status=77)
    result = account.run("sync")
    assert result.status == 77 and "`user` is not the account that signed in" in result.err
    assert len(authority.asked("/token")) == 1     # the token is good


@pytest.mark.parametrize("at", [
    {"dXNl": "-ERR User is authenticated but not connected"},
    {"STAT": "-ERR User is authenticated but not connected", "UIDL": "-ERR User is authenticated "
     "but not connected"}])
def test_authenticated_but_not_connected_over_pop3(make_account, authority, at):
    class Outlook(Maildrop):
        capabilities = ["TOP", "UIDL", "SASL XOAUTH2"]

        def serve(self, stream):
            stream.write(b"+OK ready\r\n")
            stream.flush()
            while line := stream.readline().decode().strip():
                verb = "dXNl" if line.startswith("dXNl") else line
                self.commands.append(verb)
                answer = at.get(verb) or {
                    "CAPA": "+OK\r\nSASL XOAUTH2\r\nUIDL\r\n.",
                    "AUTH XOAUTH2": "+ "}.get(verb, "+OK")
                stream.write(answer.encode() + b"\r\n")
                stream.flush()

    with Outlook() as drop:
        account = make_account(**authority.keys(protocol="pop3", port=drop.port, tls="none"))
        sign_in(account, authority, status=77)
        result = account.sync(status=77)
    assert "`user` is not the account that signed in" in result.err
    assert "POP is switched off" in result.err and "mailsync login home" in result.err
    assert drop.commands.count("AUTH XOAUTH2") == drop.commands.count("dXNl") == 2
    assert len(authority.asked("/token")) == 1


class Refusing(Scripted):
    """Answers the token with CHALLENGE, and what is answered to that with NO."""

    def __init__(self, challenge):
        self.challenge = base64.b64encode(challenge).decode()
        super().__init__(capabilities="IMAP4rev1 SASL-IR AUTH=XOAUTH2")

    def fallbacks(self):
        return [always("^AUTHENTICATE", f"+ {self.challenge}")]

    def answer(self, conn, tag, answers, command=""):
        super().answer(conn, tag, answers, command)
        if command.startswith("AUTHENTICATE"):
            assert conn.recv(2) == b"\r\n"
            super().answer(conn, tag, ["NO refused"], command)


@pytest.mark.parametrize("challenge, words", [
    (b'{"status":"403","scope":"imap.all"}', 'scope "imap.all" was not granted'),
    (b'{"status":"400","schemes":"Bearer","scope":"mail"}', "calls a fresh token invalid"),
    (b"nonsense", "another account")])
def test_a_refused_token_is_explained(make_account, authority, challenge, words):
    with Refusing(challenge) as server:
        account = make_account(server, timeout=5, **authority.keys())
        result = sign_in(account, authority, status=77)
    assert words in result.err and "mailsync login home" in result.err


def test_the_environment_names_no_proxy(signed_in):
    age(signed_in, 3600)
    env = {name: "http://127.0.0.1:1" for name in ("http_proxy", "https_proxy", "all_proxy")}
    assert signed_in.run("token", "home", env=env).status == 0


def test_a_token_that_dies_in_the_middle_of_a_run(make_signing, authority, steps, tmp_path):
    """Its server does not take it any more when three further connections log in with it, though it
    was told to last: it is refreshed once, for all of them."""
    account = make_signing(connections=4)
    sign_in(account, authority)
    account.sync()
    log = tmp_path / "steps"
    with account.remote() as remote:
        remote.append("INBOX", MESSAGE)
        account.sync(env={"MAILSYNC_STEP_LOG": str(log)})
        sends = [line.split()[0] for line in log.read_text().splitlines() if " send" in line]
        mail.pour(remote, "INBOX", [
            mail.Letter("INBOX", mail.one(number, size=150_000), (), 1_500_000_000 + number)
            for number in range(200)])
    age(account, 4000)
    authority.lives = 10
    fresh(account)
    authority.lives, dies = None, time.monotonic() + 10
    with Line(account.keys["port"], rtt_ms=8) as line:
        account.change(port=line.port)
        process = account.start("--json", "sync", env={"MAILSYNC_STEP_PAUSE": sends[2]})
        assert program.is_stopped(process)      # logged in
        time.sleep(max(0, dies - time.monotonic()) + 1)
        process.send_signal(signal.SIGCONT)
        result = program.finish(process)
    assert result.status == 0, result
    assert result.account["connections"] > 1 and result.account["downloaded"] == 200
    assert authority.refreshes == 2             # by `fresh`, and by the run
