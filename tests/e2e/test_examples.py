"""examples/: each configuration is loaded as it stands, and syncs with a server of ours in the place
of the one it names."""

import configparser
import os
import pathlib
import stat
import subprocess

import pytest

from rig import program
from rig.authority import Authority, wait_for_address
from rig.host import PASSWORD
from rig.program import config_text

EXAMPLES = pathlib.Path(program.ROOT) / "examples"
CONFIGURATIONS = sorted(EXAMPLES.glob("*.conf"))
MESSAGE = b"Subject: one\r\nDate: Mon, 01 Jan 2024 10:00:00 +0000\r\n\r\nbody\r\n"


def read(path):
    parser = configparser.RawConfigParser(delimiters="=", strict=True, interpolation=None)
    parser.read_string(path.read_text())
    return {name: dict(parser[name]) for name in parser.sections()}


def accounts_of(sections):
    return {name.split()[1]: keys for name, keys in sections.items() if name.startswith("account ")}


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_a_configuration_is_loaded_as_it_stands(account, tmp_path, path):
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    copy.chmod(0o600)
    account.config = copy
    account.write_config = lambda: None
    result = account.run("--json", "status")
    assert result.status == 0 and result.err == "", result
    assert {event["account"] for event in result.events} == set(accounts_of(read(path)))


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_a_configuration_syncs(make_account, dovecots, path):
    """Host, user and secret are another; all other keys are the example's."""
    sections = read(path)
    accounts = accounts_of(sections)
    base = make_account()
    with Authority(dovecots()) as authority:
        signing_in = []
        for name, keys in accounts.items():
            own = make_account()
            with own.remote() as session:
                session.append("INBOX", MESSAGE)
            pop3 = keys.get("protocol") == "pop3"
            by_oauth = any(key.startswith("oauth") for key in keys)
            for key in [key for key in keys if key.startswith(("oauth", "password"))]:
                del keys[key]
            keys.update(host="127.0.0.1", tls="none", user=own.user,
                        port=own.server.port + 2 * pop3,
                        maildir=str(own.folder / "mail"))
            if by_oauth:
                keys.update((key, value) for key, value in authority.keys().items() if value is not None)
                signing_in.append(name)
            else:
                keys["password"] = PASSWORD
        sections.setdefault("defaults", {})["state_dir"] = str(base.folder / "state")
        base.write_config = lambda: None
        base.config.write_text(config_text(sections))
        base.config.chmod(0o600)
        # What hooks call.
        commands = base.folder / "bin"
        commands.mkdir()
        for name in ("notify-send", "notmuch"):
            (commands / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>"{base.folder}/{name}"\n')
            (commands / name).chmod(stat.S_IRWXU)
        for name in signing_in:
            process = base.start("login", name, "--no-browser")
            authority.consent(wait_for_address(process))
            assert program.finish(process).status == 0
        result = base.run("--json", "sync", env={"PATH": f"{commands}:/usr/bin:/bin"})
    assert result.status == 0, result
    assert {event["account"]: event["downloaded"] for event in result.of("account")} == \
        dict.fromkeys(accounts, 1)
    if path.stem == "hooks":
        assert (base.folder / "notify-send").read_text() == "1 new messages in home\n"
        assert (base.folder / "notmuch").read_text() == "new --quiet\n"


def test_the_demo_ends_with_both_sides_alike(tmp_path):
    """It reads both sides with other programs, and fails where they differ."""
    folder = tmp_path / "demo"
    env = dict(os.environ, MAILSYNC=str(program.binary()), DEMO_DIR=str(folder))
    done = subprocess.run([EXAMPLES / "demo"], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=program.TIMEOUT, check=False)
    assert done.returncode == 0 and "\n== Done." in done.stdout, done
    assert list((folder / "mail").rglob("cur/*"))
