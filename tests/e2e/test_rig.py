"""The tests' own eyes: the readers agree with what was put there, the oracle sees each fault."""

import os

import pytest

from rig import mail, tree
from rig.imap import Imap, from_utf7, to_utf7
from rig.line import Line
from rig.maildir import Maildir
from rig.oracle import Storm


@pytest.fixture
def both(account, remote):
    """A Maildir and an account of the same mail, made by hand."""
    letters = mail.varied(40, mailboxes=["INBOX", "Work", "Été/neu"])
    assert mail.fill(remote, letters) == []
    local = Maildir(account.folder / "hand")
    for letter in letters:
        local.create(letter.mailbox)
        flags = "".join(x if len(x) == 1 else local.keyword_letter(letter.mailbox, x)
                        for x in sorted(letter.message.flags))
        local.deliver(letter.mailbox, letter.wire.replace(b"\r\n", b"\n"), flags, letter.when)
    return local, remote


def test_the_readers_agree(both):
    local, remote = both
    assert tree.differences(local.read(), remote.read()) == []
    assert tree.count(local.read()) == 40


def sabotage(local, kind):
    path = sorted(local.files("Work"))[3]
    if kind == "removed":
        path.unlink()
    elif kind == "flag":
        local.set_flags(path, add="T")
    elif kind == "moved":
        local.move(path, "INBOX")
    elif kind == "doubled":
        (path.parent / ("copy-of-" + path.name)).write_bytes(path.read_bytes())
    elif kind == "date":
        os.utime(path, (1, 1))
    elif kind == "byte":
        when = path.stat().st_mtime
        path.write_bytes(path.read_bytes() + b" ")
        os.utime(path, (when, when))


@pytest.mark.parametrize("kind", ["removed", "flag", "moved", "doubled", "date", "byte"])
def test_the_oracle_sees(both, kind):
    local, remote = both
    storm = Storm(1, remote.read(), local, remote)
    assert storm.complaints(local.read(), remote.read()) == []
    sabotage(local, kind)
    assert tree.differences(local.read(), remote.read())
    # Even where both sides agree on what is wrong.
    assert storm.complaints(local.read(), local.read())


def test_changes_that_nobody_carries_over_are_seen(both):
    local, remote = both
    storm = Storm(2, remote.read(), local, remote)
    storm.rage(20)
    assert len(storm.complaints(local.read(), remote.read())) > 10


def test_names_survive_modified_utf7():
    for name in mail.MAILBOXES + ["&", "&-", "~peter/mail/台北/日本語"]:
        assert from_utf7(to_utf7(name)) == name


def test_the_line_counts_turns_and_cuts(account, remote):
    remote.append("INBOX", mail.one(1, size=5000))
    with Line(account.server.port, rtt_ms=5) as line:
        Imap(line.port, account.user).conn.logout()
    # CAPABILITY, LOGIN, CAPABILITY, NAMESPACE, LOGOUT
    assert [c.turns for c in line.connections] == [5]
    with Line(account.server.port, cut_after=100) as line:
        with pytest.raises(Exception):
            Imap(line.port, account.user)
    assert line.connections[0].fault == "cut"
    with Line(account.server.port, hide="UIDPLUS ") as line:
        with Imap(line.port, account.user) as session:
            assert b"UIDPLUS" not in session.conn.capability()[1][0]
