"""Logins that are bound to their TLS connection: SCRAM-...-PLUS."""

import re
import ssl

import pytest

from rig.cyrus import Cyrus
from rig.host import PASSWORD
from rig.scram import ScramServer, another, end_point, unique

TLS13 = ssl.TLSVersion.TLSv1_3


@pytest.fixture
def scram(account, dovecots):
    """scram(takes, ...) -> the server; `account` is on it."""
    certificate, key = dovecots().authority.issue("server-good", "good")
    servers = []

    def make(takes, **options):
        servers.append(ScramServer(certificate, key, takes, **options))
        account.change(host="localhost", port=servers[-1].port, tls="implicit", timeout=5)
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


def tries(account, status=0):
    """The mechanisms that were tried, in order."""
    result = account.run("-vv", "sync")
    assert result.status == status, result
    assert PASSWORD not in result.err
    return re.findall("AUTHENTICATE (\\S+)", result.err), result.err


@pytest.mark.parametrize("versions", ["tls1_2", "tls1_3"])
@pytest.mark.parametrize("digest", ["1", "256"])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_cyrus_verifies_what_we_are_bound_to(make_account, cyrus_of, versions, digest, protocol):
    server = cyrus_of(versions)
    account = make_account(server, tls="implicit", auth=f"scram-sha-{digest}")
    assert tries(account)[0] == [f"SCRAM-SHA-{digest}-PLUS"]
    if protocol == "pop3":
        account.change(protocol="pop3", port=server.port + 3)
    assert f"SCRAM-SHA-{digest}-PLUS" in account.run("check").out
    account.change(password="not-the-one")
    assert account.run("check").status == 77


@pytest.fixture(scope="module")
def cyrus_of():
    running = {}

    def get(versions):
        if versions not in running:
            running[versions] = Cyrus(tls=versions)
            running[versions].start()
        return running[versions]

    yield get
    for server in running.values():
        server.stop()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, TLS13])
def test_bound_to_the_certificate(account, scram, version):
    server = scram({"tls-server-end-point": end_point}, version=version)
    mechanisms, _ = tries(account)
    first = ["p=tls-exporter,,"] if version == TLS13 else []
    assert server.headers == [*first, "p=tls-server-end-point,,"]
    assert set(mechanisms) == {"SCRAM-SHA-256-PLUS"}


def test_a_kind_that_the_server_does_not_have_gives_way_to_the_next(account, scram):
    server = scram({"tls-unique": unique})
    tries(account)
    assert server.headers == ["p=tls-server-end-point,,", "p=tls-unique,,"]


def test_a_server_that_has_no_kind_of_ours_is_told_that_we_do_not_bind(account, scram):
    server = scram({"tls-of-tomorrow": another})
    mechanisms, _ = tries(account)
    assert server.headers[-1] == "n,," and mechanisms[-1] == "SCRAM-SHA-256"


def test_another_connection_than_ours_is_refused_for_good(account, scram):
    server = scram({"tls-server-end-point": another})
    mechanisms, said = tries(account, status=69)
    assert mechanisms == ["SCRAM-SHA-256-PLUS"] and len(server.headers) == 1
    assert "bindings do not match" in said


def test_an_offer_that_somebody_took_out_is_noticed(account, scram):
    server = scram({"tls-server-end-point": end_point}, mechanisms="SCRAM-SHA-256")
    _, said = tries(account, status=69)
    assert server.headers == ["y,,"] and "something between us took it out" in said


def test_a_server_that_cannot_bind_takes_the_plain_form(account, scram):
    server = scram({}, mechanisms="SCRAM-SHA-256")
    assert tries(account)[0] == ["SCRAM-SHA-256"] and server.headers == ["y,,"]


def test_a_wrong_password_is_tried_once(account, scram):
    server = scram({"tls-server-end-point": end_point}, password="another")
    assert tries(account, status=77)[0] == ["SCRAM-SHA-256-PLUS"] and len(server.headers) == 1
