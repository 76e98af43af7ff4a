"""The main job: varied mail goes both ways, byte for byte, and a further run has nothing to do."""

import pytest

from rig import mail, tree
from rig.oracle import Storm
from stories import agree, idle


def wanted(letters):
    want = {}
    for letter in letters:
        tree.add(want, letter.mailbox, tree.digest(letter.wire), letter.message)
    return want


def test_first_pull_brings_everything_byte_for_byte(account, remote):
    letters = mail.varied(120)
    assert mail.fill(remote, letters) == []

    result = account.sync()

    assert result.did == {"downloaded": len(letters)}
    differing = tree.differences(account.local.read(), wanted(letters))
    assert not differing, "\n".join(differing)
    agree(account, remote)
    idle(account, remote)


def test_first_push_sends_everything_byte_for_byte(account, remote):
    local = account.local
    letters = mail.varied(80)
    for letter in letters:
        local.create(letter.mailbox)
        marks = sorted(letter.message.flags)
        flags = "".join(x if len(x) == 1 else local.keyword_letter(letter.mailbox, x)
                        for x in marks)
        local.deliver(letter.mailbox, letter.wire.replace(b"\r\n", b"\n"), flags, letter.when)

    result = account.sync()

    assert result.did == {"uploaded": len(letters)}
    differing = tree.differences(wanted(letters), remote.read())
    assert not differing, "\n".join(differing)
    agree(account, remote)
    idle(account, remote)


def test_files_and_folders_are_private(account, remote):
    mail.fill(remote, mail.varied(30))
    account.sync()
    for path in account.local.root.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    assert account.database.stat().st_mode & 0o777 == 0o600


def test_messages_without_flags_are_new_and_others_are_not(account, remote):
    remote.append("INBOX", mail.one(1), ())
    remote.append("INBOX", mail.one(2), ("\\Seen",))
    account.sync()
    inbox = account.local.folder("INBOX")
    assert [len(list((inbox / part).iterdir())) for part in ("new", "cur", "tmp")] == [1, 1, 0]


def storm(account, remote, letters, changes, seed, flags="DFRST"):
    """Fill, sync, change both sides, sync, and compare with the oracle."""
    refused = mail.fill(remote, letters)
    first = account.sync()
    assert first.did == {"downloaded": len(letters) - len(refused)}
    agree(account, remote)

    rage = Storm(seed, remote.read(), account.local, remote, flags)
    rage.rage(changes)
    result = account.sync()
    complaints = rage.complaints(account.local.read(), remote.read())
    assert not complaints, f"seed {seed}:\n" + "\n".join(complaints[:20]) + f"\n{result.did}"
    idle(account, remote)


ALL = "QRESYNC CONDSTORE UIDPLUS MOVE LITERAL+ LIST-STATUS MULTIAPPEND ESEARCH"


@pytest.mark.parametrize("keys, server", [
    ({"tls": "implicit"}, {}),
    ({"tls": "starttls"}, {}),
    ({"tls": "implicit"}, {"separator": ".", "prefix": "INBOX."}),
    ({"tls": "implicit", "layout": "maildir++"}, {}),
], ids=["implicit", "starttls", "dots", "maildir++"])
def test_real_mail_and_changes_on_both_sides_merge(make_account, dovecots, keys, server):
    letters = mail.real()
    if letters is None:
        pytest.skip("no mail folder in MAILSYNC_TEST_DATA")
    account = make_account(dovecots(**server), **keys)
    with account.remote() as remote:
        storm(account, remote, letters, changes=100, seed=2026)


@pytest.mark.parametrize("keys, server", [
    ({"tls": "implicit"}, {}),
    ({"tls": "starttls"}, {}),
    ({"tls": "implicit"}, {"separator": ".", "prefix": "INBOX."}),
    ({"layout": "maildir++"}, {}),
    ({"layout": "maildir++"}, {"separator": ".", "prefix": "INBOX."}),
    ({"disable_extensions": "QRESYNC"}, {}),
    ({"disable_extensions": "QRESYNC CONDSTORE"}, {}),
    ({"disable_extensions": ALL}, {}),
    ({}, {"hide": ALL}),
    ({}, {"format": "maildir"}),
    ({"durability": "file"}, {}),
    ({"durability": "none"}, {}),
], ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()).replace(ALL, "all") or "-")
@pytest.mark.parametrize("seed", [1])
def test_changes_on_both_sides_merge(make_account, dovecots, keys, server, seed):
    account = make_account(dovecots(**server), **keys)
    letters = [letter for letter in mail.varied(160, seed)
               if "." not in letter.mailbox and "\\" not in letter.mailbox]
    with account.remote() as remote:
        gone = keys.get("disable_extensions", "") + server.get("hide", "")
        storm(account, remote, letters, 60, seed, "DFRS" if "UIDPLUS" in gone else "DFRST")


@pytest.mark.parametrize("gone", ["QRESYNC", "CONDSTORE", "UIDPLUS", "LITERAL+", "LIST-STATUS",
                                  "MOVE", "COMPRESS=DEFLATE"])
def test_each_extension_alone_may_be_missing(make_account, gone):
    account = make_account(disable_extensions=gone)
    with account.remote() as remote:
        letters = mail.varied(40, mailboxes=["INBOX", "Work", "Été"])
        storm(account, remote, letters, 20, 7, "DFRS" if gone == "UIDPLUS" else "DFRST")
