"""The password is nowhere but in the config: not in what is printed, kept, shown by /proc or given
to children, in no form."""

import base64
import os
import pathlib
import re
import stat
import subprocess
import sys
import time

import pytest

from rig import program
from rig.host import PASSWORD
from rig.scripted import Scripted, expect, pause
from stories import append

MECHANISMS = ["auto", "plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256", "xoauth2",
              "oauthbearer"]


def forms(secret, user="user"):
    """What would give the secret away: itself, and what base64 makes of it wherever it stands in
    what is encoded."""
    raw = secret.encode()
    out = {raw, raw.hex().encode(), base64.b64encode(b"\0" + user.encode() + b"\0" + raw)}
    for shift in range(3):
        text = base64.b64encode(b"x" * shift + raw + b"xx")
        # Only the characters that hang on nothing but the secret.
        first = -(-shift * 8 // 6)
        out.add(text[first:(shift + len(raw)) * 8 // 6])
    return out


def find_in(data, secret, user):
    return [form for form in forms(secret, user) if form in data]


def files_below(*folders):
    for folder in folders:
        for path in pathlib.Path(folder).rglob("*"):
            if path.is_file():
                yield path


@pytest.fixture
def loose_umask():
    old = os.umask(0)
    yield
    os.umask(old)


LOOK = """#!/bin/sh
# Notes all that a child can see: its own and its parent's environment, arguments, descriptors.
for pid in $$ $PPID; do
	tr '\\0' '\\n' </proc/$pid/environ
	tr '\\0' '\\n' </proc/$pid/cmdline
	ls -l /proc/$pid/fd
done >>"$1" 2>&1
env >>"$1"
"$2" -c "
import os
for fd in os.listdir('/proc/self/fd'):
    try:
        print(fd, os.readlink(f'/proc/self/fd/{fd}'))
    except FileNotFoundError:
        pass
" >"$1.fd"
"""

RELAY = """
import os, socket, sys, threading
far = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def up():
    while data := os.read(0, 65536):
        far.sendall(data)
    far.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while data := far.recv(65536):
    os.write(1, data)
"""


def with_children(account, folder, secret):
    """A password command and a tunnel, which note what they can see; the notes' paths."""
    look, relay, kept = folder / "look.sh", folder / "relay.py", folder / "kept-secret"
    look.write_text(LOOK)
    look.chmod(0o755)
    relay.write_text(RELAY)
    kept.write_text(secret + "\n")
    notes = [folder / "seen-by-command", folder / "seen-by-tunnel"]
    port = account.server.port
    account.change(password=None, host=None, port=None, tls=None,
                   password_command=f"{look} {notes[0]} {sys.executable}; cat {kept}",
                   tls_ca_file=None,
                   tunnel=f"{look} {notes[1]} {sys.executable}; "
                          f"exec {sys.executable} {relay} {port}")
    return notes


@pytest.mark.parametrize("auth", MECHANISMS)
def test_nothing_that_is_said_or_kept_holds_the_secret(make_account, tmp_path, auth):
    account = make_account(auth=auth)
    is_token = auth in ("xoauth2", "oauthbearer")
    secret = account.server.mint_token(account.user) if is_token else PASSWORD
    seen = with_children(account, tmp_path, secret)
    with account.remote() as remote:
        append(remote, 2)
    for args in (("-vv", "sync"), ("-vv", "--json", "sync"), ("-vv", "list"), ("-vv", "check"),
                 ("-vv", "status"), ("-vv", "-n", "sync")):
        result = account.run(*args)
        assert result.status == 0, result
        assert not find_in((result.out + result.err).encode(), secret, account.user), args
    assert "AUTHENTICATE" in result.err or "LOGIN" in result.err
    assert all(path.stat().st_size > 0 for path in seen)
    for path in files_below(tmp_path):
        if path.name != "kept-secret":
            assert not find_in(path.read_bytes(), secret, account.user), path


@pytest.mark.parametrize("auth", ["scram-sha-1", "scram-sha-256", "cram-md5"])
def test_the_wire_log_gives_nothing_to_try_passwords_against(make_account, auth):
    """Salt, nonces and the server's signature together are a hash of the password."""
    result = make_account(auth=auth).run("-vv", "check")
    assert result.status == 0 and "AUTHENTICATE" in result.err, result
    challenges = re.findall(r" < \+(.*)", result.err)
    assert challenges and set(challenges) <= {"", " ", " ..."}


def test_a_password_in_a_tunnel_command_or_a_proxy_is_not_kept_or_told(account, tmp_path):
    """Neither is a secret by its key, and both may hold one."""
    secret = "Pr0xy-S3cret-99"
    with_children(account, tmp_path, PASSWORD)
    account.change(tunnel=f"SSHPASS={secret}; {account.keys['tunnel']}")
    with account.remote() as remote:
        append(remote, 2)
    ran = [account.run("-vv", "sync")]
    assert ran[0].status == 0, ran[0]
    account.change(tunnel=None, host="127.0.0.1", tls="none",
                   proxy=f"socks5h://someone:{secret}@127.0.0.1:9")
    ran += [account.run(*args) for args in (("-vv", "sync"), ("--json", "sync"), ("-vv", "check"))]
    assert [result.status for result in ran[1:]] == [75] * 3
    for result in ran:
        assert not find_in((result.out + result.err).encode(), secret, "someone"), result
    for path in files_below(account.folder):
        if path != account.config:
            assert not find_in(path.read_bytes(), secret, "someone"), path


@pytest.mark.parametrize("auth", ["plain", "scram-sha-256", "xoauth2"])
def test_a_refused_secret_is_not_told(make_account, tmp_path, auth):
    secret = "S3cret-that-is-wrong, \"quoted\" \\ and odd"
    account = make_account(auth=auth, tls="implicit", password=secret)
    for args in (("-vv", "sync"), ("--json", "sync"), ("check",)):
        result = account.run(*args)
        assert result.status == 77, result
        assert not find_in((result.out + result.err).encode(), secret, account.user)


def test_a_server_that_echoes_the_password_gets_it_out_nowhere(account):
    """What a server says is quoted, with the secret taken out."""
    def echo(command):
        return [f"NO no such user and password: {command}"]

    with Scripted([expect("^(LOGIN|AUTHENTICATE)", echo)]) as server:
        account.change(port=server.port)
        for args in (("-vv", "sync"), ("--json", "sync")):
            result = account.run(*args)
            assert result.status == 77, result
            assert not find_in((result.out + result.err).encode(), PASSWORD, account.user), result


def test_a_bad_config_line_is_not_quoted_with_its_secret(account):
    for key in ("pasword", "password_comand", "passwd"):
        account.change(**{key: "Geheim-1234567"})
    result = account.run("-vv", "sync")
    assert result.status == 78
    assert "Geheim" not in result.err + result.out


def test_children_inherit_no_descriptors(account, tmp_path):
    """Neither the lock, nor the database, nor another's connection."""
    seen = with_children(account, tmp_path, PASSWORD)
    assert account.run("sync").status == 0
    for path in seen:
        rows = path.with_name(path.name + ".fd").read_text().splitlines()
        assert rows
        assert [row for row in rows if int(row.split()[0]) > 2] == []


def in_the_middle(account, look):
    """LOOK(pid) while a run, logged in, waits for an answer."""
    with Scripted([expect("^LIST", pause(2), '* LIST () "/" INBOX', "OK done")]) as server:
        account.change(port=server.port)
        process = account.start("-vv", "sync")
        end = time.monotonic() + 10
        while not any(c.startswith("LIST") for c in server.received):
            assert time.monotonic() < end and process.poll() is None, program.finish(process)
            time.sleep(0.005)
        try:
            return look(process.pid)
        finally:
            program.finish(process)


def test_proc_shows_no_secret(account):
    def look(pid):
        proc = pathlib.Path(f"/proc/{pid}")
        return b"".join((proc / name).read_bytes() for name in ("cmdline", "environ", "comm"))

    assert not find_in(in_the_middle(account, look), PASSWORD, account.user)


def test_memory_that_a_core_dump_shows_holds_no_secret(account):
    """In a run that is logged in, the password lies in memory that is left out of dumps, and nowhere
    else: what was read from the config or sent has been wiped."""
    def look(pid):
        flags, spans = {}, []
        for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) .*", line)
            if found:
                spans.append((int(found[1], 16), int(found[2], 16), found[3], line))
            elif line.startswith("VmFlags:"):
                flags[spans[-1][0]] = line.split()[1:]
        hits = []
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for start, end, mode, line in spans:
                if "r" not in mode or "[v" in line:
                    continue
                memory.seek(start)
                data = memory.read(end - start)
                if find_in(data, PASSWORD, account.user) and "dd" not in flags[start]:
                    hits.append(line)
        return hits

    try:
        hits = in_the_middle(account, look)
    except PermissionError:
        pytest.skip("/proc/PID/mem cannot be read here")
    assert hits == []


def test_core_dumps_are_off(account):
    def look(pid):
        text = pathlib.Path(f"/proc/{pid}/limits").read_text()
        return re.search(r"Max core file size\s+(\S+)", text)[1]

    assert in_the_middle(account, look) in ("0", "1")


def test_modes(account, remote, loose_umask):
    """Mail and state are the user's own, whatever the umask."""
    append(remote, 2, flags=("todo",))
    remote.create("Sub/Box")
    account.sync()
    account.local.deliver("INBOX", b"Subject: x\n\nx\n")
    account.sync()
    # What is mailsync's: the state, the Maildir's folders, messages that it delivered, its own files.
    state = pathlib.Path(account.defaults["state_dir"])
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    wrong = []
    for root in (state, account.local.root):
        for path in [root, *root.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            if "M1P" not in path.name and f"P{os.getpid()}" not in path.name:
                if mode != (0o700 if path.is_dir() else 0o600):
                    wrong.append((str(path), oct(mode)))
    assert wrong == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_config_with_a_password_that_others_can_read(account, mode):
    account.write_config()
    account.config.chmod(mode)
    done = subprocess.run([program.binary(), "-c", account.config, "sync"], capture_output=True,
                          env=account.environment(), check=False)
    assert done.returncode == 78
    assert PASSWORD.encode() not in done.stderr


def test_a_state_that_others_can_read_is_closed(account, remote, loose_umask):
    """Opened up by somebody, or restored from a backup without modes."""
    append(remote, 1)
    account.sync()
    account.database.chmod(0o666)
    append(remote, 1, seed="more")
    account.sync()
    assert stat.S_IMODE(account.database.stat().st_mode) == 0o600
