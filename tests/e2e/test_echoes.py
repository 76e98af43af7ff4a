"""A server that repeats what it was sent, in any form and anywhere, gets no secret out of the program:
not on standard error, not in JSON or the log, not in the database or to a hook."""

import base64
import html
import re
import sys
import urllib.parse

import pytest

from maildrop import Maildrop
from rig import program
from rig.scripted import Scripted, always, close, expect, message

USER = "bob.a@example.org"
SECRET = 'Sw0rd"fi\\sh & %7+ok'
TOKEN = "ya29.A0ARrdaM-k9Vq7GzY2pL4mQf8sT1bN6xUcJhWZoP-Z0mBq"
WIRE = b"Subject: one\r\nMessage-ID: <1@echo>\r\n\r\nhello\r\n"


def b64(*parts):
    return base64.b64encode(b"".join(p.encode() for p in parts)).decode()


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def forms(secret):
    """What a server may make of it."""
    plain = b64("\0", USER, "\0", secret)
    bearer = b64("user=", USER, "\1auth=Bearer ", secret, "\1\1")
    return [secret, quoted(secret), quoted(quoted(secret)), secret.upper(), secret.lower(),
            urllib.parse.quote(secret), urllib.parse.quote_plus(secret), html.escape(secret),
            secret.encode().hex(), secret.encode().hex().upper(), b64(secret), plain,
            plain.upper(), bearer, plain[:len(plain) - 6], b64("x", secret), b64("xy", secret, "z"),
            plain.replace("+", "-").replace("/", "_"),
            "".join(f"\\x{byte:02x}" for byte in secret.encode()),
            "".join(f"&#{byte};" for byte in secret.encode())]


def echo(secret):
    return " | ".join(forms(secret))


def gives_away(data, secret):
    """Forms of SECRET, or long parts of them, that DATA shows in any case of letters."""
    data = data.lower()
    found = []
    for form in forms(secret):
        form = form.encode().lower()
        if secret.encode().lower() in form or len(form) < 16:
            parts = [form]
        else:
            tail = form[-len(base64.b64encode(secret.encode())) + 4:]
            parts = [form, tail[:len(tail) - 6]]
        found += [part for part in parts if part in data]
    return found


@pytest.fixture
def echoing(tmp_path):
    """echoing(server, status, secret, **keys): runs of an account of SERVER, whose words say nothing
    of the secret anywhere; what they said."""
    def check(server, statuses, secret=SECRET, seen=r"\*\*\*", **keys):
        hook = tmp_path / "hook"
        keys = {"port": server.port if server else None, "password": None,
                "password_file": str(tmp_path / "secret"),
                "post_sync": f"env | grep MAILSYNC >>{hook}", **keys}
        (tmp_path / "secret").write_text(secret + "\n")
        (tmp_path / "secret").chmod(0o600)
        account = program.Account(tmp_path / "a", server, USER, **keys)
        said = ""
        for args in (("-vv", "sync"), ("--json", "sync"), ("status",)):
            result = account.run(*args)
            if args != ("status",):
                assert result.status in statuses, result
            said += result.err + result.out
        assert gives_away(said.encode(), secret) == [], said
        assert re.search(seen, said), said
        for path in [*(tmp_path / "a").rglob("*"), hook]:
            if path.is_file():
                assert gives_away(path.read_bytes(), secret) == [], path
        return said
    return check


LOGIN = r"^(LOGIN|AUTHENTICATE)"


@pytest.mark.parametrize("answers", [
    ["NO {}"], ["BAD {}"], ["NO [AUTHENTICATIONFAILED] {}"], ["* NO {}", "NO no"],
    ["* BYE {}", close()], ["* OK [ALERT] {}", "NO no"], ["NO [{}] no"],
    ["* BAD {}", "* PREAUTH {}", "* OK {}", "NO {}"],
], ids=["no", "bad", "code", "untagged", "bye", "alert", "in-a-code", "all"])
def test_a_refused_login_that_is_repeated(echoing, answers):
    told = [a.replace("{}", echo(SECRET)) if isinstance(a, str) else a for a in answers]
    with Scripted([always(LOGIN, *told)]) as server:
        echoing(server, {75, 77})


def test_the_command_as_it_came(echoing):
    with Scripted([always(LOGIN, lambda command: [f"NO bad command: {command}"])]) as server:
        echoing(server, {77}, seen="LOGIN")


def test_a_secret_over_two_lines(echoing):
    """Each part is hidden that is a third of it or more."""
    secret = "correct-horse-battery"
    with Scripted([always(LOGIN, f"* NO bad password {secret[:11]}",
                          f"* NO {secret[11:]} is not it", "NO no")]) as server:
        said = echoing(server, {77}, secret=secret)
    assert "horse" not in said and "battery" not in said


@pytest.mark.parametrize("greeting", ["* BYE {}", "* OK {}", "220 {} ESMTP"])
def test_a_greeting_that_knows_it(echoing, greeting):
    """Of an earlier connection, say."""
    with Scripted([always(LOGIN, "NO no")], greeting=greeting.replace("{}", echo(SECRET))) as server:
        echoing(server, {69, 77})


def test_a_literal_that_holds_it(echoing):
    """That is no part of an answer; what it makes of what follows is told."""
    with Scripted([always(LOGIN, f"NO LOGIN {{{len(SECRET)}}}", f"{SECRET} is wrong")]) as server:
        echoing(server, {75, 76, 77}, seen="LOGIN")


@pytest.mark.parametrize("auth", ["plain", "login", "xoauth2", "oauthbearer"])
def test_sasl_responses_that_are_repeated(echoing, auth):
    def repeat(command):
        got.append(command)
        return [f"NO {command} | {echo(TOKEN)}"]

    got = []
    error = b64('{"status":"401","scope":"' + TOKEN + " " + USER + '"}')
    # A challenge for LOGIN; for the OAuth ones an error, which is answered before NO.
    steps = [expect("^AUTHENTICATE LOGIN", "+ VXNlcm5hbWU6"), expect("^AUTH.*(XOAUTH2|BEARER)",
                                                                    f"+ {error}")]
    capabilities = f"IMAP4rev1 SASL-IR AUTH={auth.upper()}"
    with Raw(steps, repeat, capabilities=capabilities) as server:
        echoing(server, {77, 76}, secret=TOKEN, auth=auth)


class Raw(Scripted):
    """Lines within an exchange are no commands: what ends it is given all of them."""

    def __init__(self, script, end, **options):
        super().__init__(script, **options)
        self.end = end

    def fallbacks(self):
        return [always("^AUTHENTICATE", self.end)]

    def answer(self, conn, tag, answers, command=""):
        super().answer(conn, tag, answers, command)
        if answers and isinstance(answers[0], str) and answers[0].startswith("+"):
            lines = []
            for challenge in ("+ UGFzc3dvcmQ6", None):
                data = b""
                while not data.endswith(b"\n"):
                    more = conn.recv(1)
                    if not more:
                        raise EOFError
                    data += more
                lines.append(data.decode().strip())
                if challenge is None or "LOGIN" not in command:
                    break
                conn.sendall(challenge.encode() + b"\r\n")
            super().answer(conn, tag, self.end(f"{command} {' '.join(lines)}"), command)


@pytest.mark.parametrize("auth", ["cram-md5", "scram-sha-1", "scram-sha-256"])
def test_proofs_that_are_repeated(tmp_path, auth):
    """With the challenge, which the server may repeat as well, they are as good as a hash of it."""
    shown = []

    def repeat(command):
        line = command.split(" ")[-1]
        shown.append(base64.b64decode(line).decode())
        return [f"NO {line} | {shown[-1]} | {base64.b64decode(line).hex()}"]

    def challenge(command):
        if auth == "cram-md5":
            return ["+ " + b64("<1896.697170952@example.org>")]
        first = base64.b64decode(command.split(" ")[-1]).decode()
        nonce = re.search("r=([^,]*)", first)[1]
        return ["+ " + b64(f"r={nonce}server,s=QSXCR+Q6sek8bf92,i=4096")]

    class Exchange(Raw):
        def answer(self, conn, tag, answers, command=""):
            if answers and callable(answers[0]) and answers[0] is challenge:
                answers = challenge(command)
            super().answer(conn, tag, answers, command)

    capabilities = f"IMAP4rev1 SASL-IR AUTH={auth.upper()}"
    with Exchange([expect("^AUTHENTICATE", challenge)], repeat, capabilities=capabilities) as server:
        account = program.Account(tmp_path / "a", server, USER, password="hunter2", auth=auth)
        result = account.run("-vv", "sync")
    assert result.status == 77 and shown, result
    proof = re.split(" |,p=", shown[0])[-1]
    for form in (proof, proof.encode().hex(), b64(shown[0])[-24:-4]):
        assert form.lower() not in result.err.lower(), result
    assert "***" in result.err


@pytest.mark.parametrize("step", [
    always(r"^LIST", "NO {}"),
    always(r"^SELECT|^EXAMINE", "NO {}"),
    always(r"^SELECT|^EXAMINE", "* OK [ALERT] {}", "BAD {}"),
    always(r"^UID FETCH", "* NO {}", "NO {}"),
    always(r"^APPEND", "NO [{}] {}"),
    always(r"^LIST", "* BYE {}", close()),
], ids=["list", "select", "alert", "fetch", "append", "bye"])
def test_a_server_that_repeats_it_later(echoing, tmp_path, step):
    """Errors of mailboxes are kept in the database, for `status`."""
    told = [a.replace("{}", echo(SECRET)) if isinstance(a, str) else a for a in step.answers]
    folder = tmp_path / "a" / "mail" / "INBOX"
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "new" / "1.x").write_bytes(b"Subject: two\n\nsecond\n")
    script = [step._replace(answers=tuple(told)),
              always("^STATUS", "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 1)", "OK done"),
              always("^SELECT|^EXAMINE", "* 1 EXISTS", "* OK [UIDVALIDITY 1] ok",
                     "* OK [UIDNEXT 2] ok", "OK [READ-WRITE] done"),
              always("^UID FETCH.*BODY", message(1, WIRE), "OK done"),
              always("^UID FETCH", "* 1 FETCH (UID 1 FLAGS ())", "OK done")]
    with Scripted(script) as server:
        echoing(server, {0, 1, 75, 76})


@pytest.mark.parametrize("at", [
    {"PASS": "-ERR {}"}, {"USER": "-ERR [AUTH] {}"}, {"PASS": "what? {}"},
    {"UIDL": "-ERR {}"}, {"LIST": "-ERR {}"}, {"RETR": "-ERR {}"}, {"DELE": "-ERR {}"},
    {"QUIT": "-ERR {}"}, {"RETR": "{}"}, {"UIDL": "+OK\r\n1 id1\r\nx {}\r\n."},
    {"PASS": "+OK {}", "RETR": "-ERR {}"},
], ids=lambda at: "-".join(at) + at[next(iter(at))][:4].strip())
def test_a_pop3_server_that_repeats_it(echoing, at):
    told = {verb: words.replace("{}", echo(SECRET)) for verb, words in at.items()}
    drop = Maildrop([WIRE], at=told, quit="forget")
    with drop:
        echoing(drop, {0, 1, 69, 75, 76, 77}, protocol="pop3", leave_on_server="no",
                seen="" if "LIST" in at else r"\*\*\*")


@pytest.mark.parametrize("greeting", ["-ERR {}", "-ERR [IN-USE] {}", "+OK {}", "what? {}"])
def test_a_pop3_greeting_that_knows_it(echoing, greeting):
    drop = Maildrop([WIRE], greeting=greeting.replace("{}", echo(SECRET)), at={"PASS": "-ERR no"})
    with drop:
        echoing(drop, {69, 75, 77}, protocol="pop3")


RELAY = """
import os, socket, sys, threading
far = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def up():
    while data := os.read(0, 65536):
        os.write(2, b"debug: " + data)
        far.sendall(data)
    far.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while data := far.recv(65536):
    os.write(1, data)
os.write(2, b"relay: the far end is gone, " + sys.argv[2].encode())
"""


def test_a_tunnel_that_tells_on_standard_error_what_passes(echoing, tmp_path):
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY)
    with Scripted([always(LOGIN, "* BYE no", close())]) as server:
        (tmp_path / "plain").write_text(SECRET)
        said = echoing(server, {75, 77}, host=None, port=None, tls=None, seen="debug: .*LOGIN",
                         tunnel=f"{sys.executable} {relay} {server.port} \"$(cat {tmp_path}/plain)\"")
    assert "the far end is gone, ***" in said, said


def test_a_tunnel_that_never_stops_talking_holds_up_nothing(tmp_path):
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY)
    with Scripted() as server:
        account = program.Account(tmp_path / "a", server, USER, host=None, port=None, tls=None,
                                  tunnel=f"yes noise >&2 & exec {sys.executable} {relay} "
                                         f"{server.port} end")
        result = account.run("sync", timeout=30)
    assert result.status == 0 and "mailsync: home#1: tunnel: noise\n" in result.err, result.err[:500]


def test_a_short_password_is_hidden_where_it_is_a_word(tmp_path):
    with Scripted([always(LOGIN, lambda command: [f"NO a bad command was {command} here"])]) as server:
        account = program.Account(tmp_path / "a", server, USER, password="pw1")
        result = account.run("-vv", "sync")
    assert result.status == 77 and "pw1" not in result.err, result
    assert "a bad command was LOGIN" in result.err and USER in result.err, result
