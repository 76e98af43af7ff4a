"""verify on other servers, over POP3, and of Maildirs that other programs filled."""

import os
import re

import pytest

from filled import Mbsync
from rig import mail
from rig.courier import Courier
from rig.cyrus import Cyrus
from stories import append
from test_verify import ARCHIVE, edit, flip, named, proven, verify


@pytest.fixture(scope="module", params=[Courier, Cyrus])
def other(request):
    if request.param is Courier and os.getuid() != 0:
        pytest.skip("Courier needs root")
    try:
        server = request.param()
        server.start()
    except (RuntimeError, OSError) as error:
        pytest.skip(f"{request.param.__name__}: {error}")
    yield server
    server.stop()


def test_damage_is_found_and_repaired_on_other_servers(make_account, other):
    account = make_account(other, **ARCHIVE)
    with account.remote() as remote:
        letters = append(remote, 6, flags=("\\Seen",))
        account.sync()
        numbers = remote.numbers()
        for level in ("files", "server", "bytes"):
            assert proven(account, level)["messages"] == 6
        files = [account.local.find("INBOX", wire) for _, wire in letters]
        uids = [uid for uid, _ in letters]
        files[0].unlink()
        flip(files[1])
        os.utime(files[2], (1_500_000_000, 1_500_000_000))
        edit(account, "UPDATE row SET content = zeroblob(32) WHERE uid = ?", uids[3])
        account.local.deliver("INBOX", mail.one(70, size=300))
        problems, total = verify(account, "--level=bytes", "--repair", status=1)
        assert named(problems) == [("date", uids[2]), ("differs_here", uids[1]),
                                   ("differs_here", uids[3]), ("differs_there", uids[3]),
                                   ("missing_here", uids[0]), ("unknown_here", None)]
        assert total["repaired"] == 2
        assert files[0].exists() and remote.numbers() == numbers


def test_a_maildir_that_mbsync_filled_has_no_problem(account, remote):
    if not Mbsync.is_there():
        pytest.skip("no mbsync")
    append(remote, 5, flags=("\\Seen",))
    remote.create("Archive/Old")
    append(remote, 3, "Archive/Old")
    Mbsync.fill(account)
    account.sync()
    for _ in range(2):
        for level in ("bytes", "files", "server"):
            total = proven(account, level)
            assert (total["messages"], total["taken"]) == (8, 0)
    # And what is damaged there is named as it is anywhere, but for a time that was never the message's.
    files = sorted(account.local.files("INBOX"))
    files[0].unlink()
    flip(files[1], -10)
    os.utime(files[2], (1_500_000_000, 1_500_000_000))
    edit(account, "UPDATE row SET flags = 0 WHERE uniq = ?", re.split("[,:]", files[3].name)[0])
    remote.append("INBOX", mail.one(77), (), 1_600_000_000)
    problems, total = verify(account, "--level=bytes", status=1)
    kinds = sorted(problem["problem"] for problem in problems)
    assert kinds == ["differs_here", "flags"] and total["pending"] == 3, problems


def test_a_pop3_account_misses_what_is_lost(make_account, dovecots):
    server = dovecots()
    account = make_account(server)
    with account.remote() as remote:
        letters = append(remote, 4)
    account.change(protocol="pop3", port=server.port + 2)
    account.sync()
    assert proven(account, "files")["messages"] == 4
    assert proven(account, "bytes")["messages"] == 4
    files = [account.local.find("INBOX", wire) for _, wire in letters]
    account.local.create("Kept")
    account.local.move(files[0], "Kept")
    files[1].unlink()
    flip(files[2])
    problems, total = verify(account, status=1)
    assert [problem["problem"] for problem in problems] == ["missing_here", "differs_here"] or \
           [problem["problem"] for problem in problems] == ["differs_here", "missing_here"]
    assert total["pending"] == 1
