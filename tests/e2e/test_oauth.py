"""Signing in by OAuth2: every flow, against a server of our own, with a real Dovecot behind it."""

import json
import stat
import urllib.parse

import pytest

from rig import program
from rig.authority import Authority, Fault, wait_for_address


@pytest.fixture
def authority(dovecots):
    with Authority(dovecots()) as server:
        yield server


@pytest.fixture
def make_signing(make_account, authority):
    """make_signing(**keys): an account that signs in at `authority`."""
    def make(**keys):
        return make_account(auth=None, **authority.keys(**keys))
    return make


def token_of(account):
    path = account.database.parent / f"{account.name}.token"
    return json.loads(path.read_text())


def begin(account, *options, **more):
    return account.start("login", account.name, "--no-browser", *options, **more)


def sign_in(account, authority, *options):
    """The whole of `login`, a script in the browser's place."""
    process = begin(account, *options)
    status, page = authority.consent(wait_for_address(process))
    assert status == 200 and b"Close this window" in page
    result = program.finish(process)
    assert result.status == 0, result
    assert "signed in" in result.err
    return result


def test_sign_in_then_sync(make_signing, authority):
    account = make_signing()
    sign_in(account, authority)
    with account.remote() as remote:
        remote.append("INBOX", b"Subject: one\r\n\r\nbody\r\n")
    assert account.sync().did == {"downloaded": 1}
    assert account.sync().did == {}
    path = account.database.parent / "home.token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(authority.asked("/token")) == 1
    asked = authority.asked("/authorize")[0]
    assert asked["login_hint"] == account.user
    assert urllib.parse.urlsplit(asked["redirect_uri"]).hostname == "127.0.0.1"
