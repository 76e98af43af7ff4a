"""TLS sessions that the accounts of one run take up again: only by whom all that TLS goes by is the
same, and with every check that a resumed handshake leaves."""

import base64
import contextlib
import re
import socket
import ssl

import pytest

from rig.cyrus import Cyrus
from rig.host import Authority
from rig.scram import ScramServer, end_point, unique
from test_login import pin_of

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = pytest.mark.parametrize("version", [TLS12, TLS13])


class Resuming(ScramServer):
    """It knows the sessions that it gave: one server, until restart()."""

    def __init__(self, certificate, key, takes, version=TLS13):
        self.version = version
        self.ended = []
        self.restart(certificate, key)
        super().__init__(certificate, key, takes, version=version)

    def restart(self, certificate, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.maximum_version = self.version
        self.context = context

    def under_tls(self, conn, how):
        conn = self.context.wrap_socket(conn, server_side=True)
        # OpenSSL forgets a session of TLS 1.2 whose connection is freed without a good-bye.
        self.ended.append(conn._sslobj)
        self.shook_hands()
        return conn

    def serve(self, conn):
        with contextlib.suppress(OSError):     # it was refused
            super().serve(conn)

    def shook_hands(self):
        """A handshake is over."""


@pytest.fixture
def good(dovecots):
    return dovecots().authority.issue("server-good", "good")


@pytest.fixture
def serve(account, good):
    """serve(...) -> the server; `account` is on it."""
    servers = []

    def make(kind=Resuming, takes=None, **options):
        takes = takes or {"tls-server-end-point": end_point}
        servers.append(kind(*good, takes, **options))
        account.change(host="localhost", port=servers[-1].port, tls="implicit", timeout=5)
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


def beside(account, number=1, **keys):
    """A further account of the same server."""
    account.others[f"account b{number}"] = dict(
        account.keys, maildir=f"{account.keys['maildir']}-{number}", **keys)


def one_by_one(account, *options):
    """The result, and which accounts took up a session."""
    result = account.run("-v", *options, "--jobs=1", "sync")
    said = re.findall("mailsync: (\\w+)#\\d+: connected to .*, TLS( session resumed)?\n", result.err)
    return result, {name: bool(resumed) for name, resumed in said}


@VERSIONS
def test_an_account_takes_up_the_session_of_the_one_before(account, serve, version):
    serve(version=version)
    beside(account, 1)
    beside(account, 2)
    result, resumed = one_by_one(account)
    assert result.status == 0, result
    assert resumed == {"home": False, "b1": True, "b2": True}


def test_on_a_real_server(make_account):
    account = make_account(tls="implicit")
    beside(account, user=account.user + "-2")
    result, resumed = one_by_one(account)
    assert result.status == 0, result
    assert resumed == {"home": False, "b1": True}


@pytest.mark.parametrize("version, kind, data", [
    (TLS12, "tls-server-end-point", end_point), (TLS12, "tls-unique", unique),
    (TLS13, "tls-server-end-point", end_point)])
def test_a_login_is_bound_to_a_resumed_session_too(account, serve, version, kind, data):
    server = serve(version=version, takes={kind: data})
    beside(account)
    result, resumed = one_by_one(account)
    assert result.status == 0, result
    assert resumed == {"home": False, "b1": True}
    assert server.headers.count(f"p={kind},,") == 2 and "n,," not in server.headers


def test_what_cyrus_verifies_fits_a_resumed_session(make_account):
    with Cyrus(tls="tls1_3") as cyrus:
        account = make_account(cyrus, tls="implicit", auth="scram-sha-256")
        beside(account)
        result, resumed = one_by_one(account, "-v")
        assert result.status == 0, result
        assert resumed == {"home": False, "b1": True}
        assert result.err.count("AUTHENTICATE SCRAM-SHA-256-PLUS") == 2


@VERSIONS
def test_other_authorities_do_not_profit(account, serve, tmp_path, version):
    """Those of the second account never signed for this server."""
    serve(version=version)
    beside(account, tls_ca_file=str(Authority(tmp_path / "another").ca))
    result, resumed = one_by_one(account)
    assert "b1" not in resumed and resumed["home"] is False
    assert re.search("mailsync: b1: .*certificate is not trusted", result.err), result


@VERSIONS
@pytest.mark.parametrize("pinned", ["home", "b1"])
def test_another_pin_does_not_profit(account, serve, version, pinned):
    serve(version=version)
    wrong = base64.b64encode(b"x" * 32).decode()
    beside(account)
    (account.keys if pinned == "home" else account.others["account b1"])["tls_pin_sha256"] = wrong
    result, resumed = one_by_one(account)
    assert resumed == {"b1" if pinned == "home" else "home": False}
    assert re.search(f"mailsync: {pinned}: .*key is not the one in `tls_pin_sha256`.*"
                     "`tls_pin_sha256 = [^x]", result.err), result


@VERSIONS
def test_a_name_that_the_certificate_lacks_is_refused_each_time(account, serve, version):
    """TLS 1.2 has given a session when the name is looked at."""
    serve(version=version)
    account.change(host="127.0.0.3")
    beside(account)
    result, resumed = one_by_one(account)
    assert resumed == {} and len(re.findall("mailsync: \\w+: .*127.0.0.3", result.err)) == 2, result


class Replaced(Resuming):
    """After the first handshake it is another server at the same address."""
    other = None

    def shook_hands(self):
        if self.other:
            self.restart(*self.other)


@VERSIONS
@pytest.mark.parametrize("kind", ["self-signed", "wrong-host", "expired"])
def test_another_server_at_the_address_is_refused(account, serve, dovecots, version, kind):
    server = serve(Replaced, version=version)
    server.other = dovecots().authority.issue(f"server-{kind}", kind)
    beside(account)
    result, resumed = one_by_one(account)
    assert resumed == {"home": False}
    assert re.search("mailsync: b1: .*certificate", result.err), result


@VERSIONS
def test_the_key_that_is_pinned_is_looked_at_again(account, serve, dovecots, version):
    """Both accounts pin the first server's."""
    server = serve(Replaced, version=version)
    account.change(tls_pin_sha256=pin_of(dovecots().authority.issue("server-good", "good")[0]))
    server.other = dovecots().authority.issue("server-second", "good")
    beside(account)
    result, resumed = one_by_one(account)
    assert resumed == {"home": False}
    assert re.search("mailsync: b1: .*key is not the one in `tls_pin_sha256`", result.err), result


def offers_a_session(hello):
    """Whether the ClientHello has pre_shared_key (RFC 8446 4.2.11)."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]                                       # session id
    at += 2 + int.from_bytes(hello[at:at + 2], "big")         # cipher suites
    at += 1 + hello[at] + 2                                   # compression
    kinds = set()
    while at + 4 <= len(hello):
        kinds.add(int.from_bytes(hello[at:at + 2], "big"))
        at += 4 + int.from_bytes(hello[at + 2:at + 4], "big")
    return 41 in kinds


class Tripping(Resuming):
    """It hangs up on who takes a session up."""
    tripped = 0

    def under_tls(self, conn, how):
        if offers_a_session(conn.recv(4096, socket.MSG_PEEK)):
            self.tripped += 1
            conn.close()
            raise OSError("it tripped")
        return super().under_tls(conn, how)


def test_a_server_that_trips_over_its_session_is_begun_with_anew(account, serve):
    server = serve(Tripping)
    beside(account)
    result, resumed = one_by_one(account)
    assert result.status == 0, result
    assert resumed == {"home": False, "b1": False} and server.tripped == 1
