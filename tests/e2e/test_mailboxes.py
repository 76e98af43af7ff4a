"""Which mailboxes take part, how they come and go, and messages that move between them."""

import os
import shutil
import subprocess

import pytest

from rig import mail, tree
from stories import agree, append, count, idle, paired, uids


def boxes(remote, *names):
    for name in names:
        remote.create(name)
        append(remote, 1, name)


def test_new_mailboxes_appear_on_the_other_side(account, remote):
    boxes(remote, "Liste/日本語")
    account.local.create("Entwürfe/neue")
    account.local.deliver("Entwürfe/neue", mail.one(1))
    assert account.sync().did == {"downloaded": 1, "uploaded": 1}
    assert "Entwürfe/neue" in remote.mailboxes()
    agree(account, remote)
    idle(account, remote)


def test_empty_mailboxes_appear_too(account, remote):
    remote.create("empty there")
    account.local.create("empty here")
    account.sync()
    assert "empty there" in account.local.mailboxes()
    assert "empty here" in remote.mailboxes()


@pytest.mark.parametrize("create, here, there", [("both", True, True), ("local", True, False),
                                                 ("remote", False, True), ("none", False, False)])
def test_create_says_where_missing_mailboxes_are_made(account, remote, create, here, there):
    account.change(create=create)
    append(remote, 1)
    account.local.create("INBOX")
    boxes(remote, "far")
    account.local.create("near")
    account.local.deliver("near", mail.one(1))
    account.sync(status=None)
    assert ("far" in account.local.mailboxes()) == here
    assert ("near" in remote.mailboxes()) == there


def selected(account):
    return set(account.local.mailboxes())


@pytest.mark.parametrize("patterns, chosen", [
    ("*", {"INBOX", "Archive", "Archive/2024", "Lists/a", "My Box"}),
    ("INBOX Archive", {"INBOX", "Archive"}),
    ("%", {"INBOX", "Archive", "My Box"}),
    ("* !Archive*", {"INBOX", "Lists/a", "My Box"}),
    ("!Archive", {"INBOX", "Archive/2024", "Lists/a", "My Box"}),
    ("* !Archive* Archive/2024", {"INBOX", "Archive/2024", "Lists/a", "My Box"}),
    ('"My Box" Lists/%', {"My Box", "Lists/a"}),
])
def test_patterns_choose_mailboxes(account, remote, patterns, chosen):
    append(remote, 1)
    boxes(remote, "Archive", "Archive/2024", "Lists/a", "My Box")
    account.change(mailboxes=patterns)
    account.sync()
    assert selected(account) == chosen


def test_a_mailbox_left_out_is_as_if_it_were_not_there(account, remote):
    append(remote, 1)
    boxes(remote, "out")
    account.sync()
    account.change(mailboxes="* !out")
    append(remote, 1, "out", seed="new")
    account.local.deliver("out", mail.one(5))
    assert account.sync().did == {}
    account.change(mailboxes="*")
    assert account.sync().did == {"downloaded": 1, "uploaded": 1}
    agree(account, remote)


def test_a_mailbox_on_the_command_line_is_the_only_one_synced(account, remote):
    append(remote, 1)
    boxes(remote, "other")
    result = account.run("--json", "sync", "home/INBOX")
    assert result.status == 0, result
    assert result.did == {"downloaded": 1} and result.account["mailboxes"] == 1
    assert "other" not in account.local.mailboxes() or count(account, "other") == 0


def test_a_mailbox_on_the_command_line_that_is_not_there_is_told(account, remote):
    append(remote, 1)
    boxes(remote, "Work")
    account.change(mailboxes="* !Work")
    result = account.run("--json", "sync", "home/INBOX", "home/Wrok", "home/Work")
    assert result.status == 1 and result.did == {"downloaded": 1, "errors": 2}
    told = {error["mailbox"]: error["message"] for error in result.errors}
    assert "no such mailbox" in told["Wrok"] and "`mailboxes`" in told["Work"]
    assert "mailsync: home/Wrok: " in result.err
    for command, words in (("list", "no such mailbox"), ("status", "never synced")):
        result = account.run(command, "home/INBOX", "home/Wrok")
        assert result.status == 1 and words in result.err and "INBOX" in result.out, result


def test_a_pop3_account_has_inbox_alone(make_account, dovecots):
    account = make_account(protocol="pop3", port=dovecots().port + 2)
    result = account.run("--json", "sync", "home/INBOX", "home/Work")
    assert result.status == 1 and [error["mailbox"] for error in result.errors] == ["Work"]


def test_patterns_that_choose_nothing_are_warned_of(account, remote):
    append(remote, 1)
    account.change(mailboxes="INBXO")
    result = account.run()
    assert result.status == 0 and "no mailbox takes part" in result.err
    assert account.run("-q").err == ""


def test_subscribed_only(account, remote):
    append(remote, 1)
    boxes(remote, "wanted", "unwanted")
    remote.subscribe("wanted")
    remote.subscribe("INBOX")
    account.change(subscribed_only="yes")
    account.local.create("made here")
    account.local.deliver("made here", mail.one(2))
    account.sync()
    assert "unwanted" not in account.local.mailboxes()
    assert "wanted" in account.local.mailboxes()
    assert "made here" in [name for name, _ in remote.listing("LSUB")]
    account.sync()
    assert count(account, "made here") == 1


def test_the_inbox_may_have_another_folder(make_account):
    account = make_account(inbox="Posteingang")
    with account.remote() as remote:
        append(remote, 2)
        account.sync()
        assert (account.local.root / "Posteingang" / "new").is_dir()
        assert not (account.local.root / "INBOX").exists()
        agree(account, remote)


@pytest.mark.parametrize("layout", ["fs", "maildir++"])
def test_layouts(make_account, layout):
    account = make_account(layout=layout)
    with account.remote() as remote:
        append(remote, 1)
        boxes(remote, "a/b", "Größe")
        account.sync()
        root = account.local.root
        paths = {"fs": ("INBOX", "a/b", "Größe"), "maildir++": (".", ".a.b", ".Größe")}[layout]
        for path in paths:
            assert len(list((root / path / "new").iterdir())) == 1, path
        agree(account, remote)
        idle(account, remote)


def test_the_namespace_prefix_is_no_part_of_a_name(make_account, dovecots):
    account = make_account(dovecots(separator=".", prefix="INBOX."))
    with account.remote() as remote:
        append(remote, 1)
        boxes(remote, "Work/Q1", "INBOX/Child")
        account.sync()
        assert set(account.local.mailboxes()) == {"INBOX", "Work/Q1", "INBOX/Child"} | (
            {"Work"} & set(account.local.mailboxes()))
        account.local.create("Neu/Kind")
        account.local.deliver("Neu/Kind", mail.one(1))
        account.sync()
        assert any(name.endswith("Neu.Kind\"") or "Neu.Kind" in name
                   for name in map(str, remote.conn.list()[1]))
        agree(account, remote)


# Mailboxes that go

def test_a_mailbox_gone_from_the_server_takes_no_mail_with_it(account, remote):
    append(remote, 1)
    boxes(remote, "gone")
    account.sync()
    remote.delete_mailbox("gone")
    account.sync(status=None)
    account.sync(status=None)
    assert count(account, "gone") == 1
    assert len(uids(remote, "gone")) == 1


def test_a_mailbox_gone_from_the_maildir_takes_no_mail_with_it(account, remote):
    append(remote, 1)
    boxes(remote, "gone")
    account.sync()
    account.local.remove("gone")
    account.sync(status=None)
    account.sync(status=None)
    assert len(uids(remote, "gone")) == 1
    assert count(account, "gone") == 1


def test_remove_mailboxes_takes_it_away_locally(account, remote):
    append(remote, 1)
    boxes(remote, "gone")
    account.change(remove_mailboxes="local")
    account.sync()
    remote.delete_mailbox("gone")
    account.sync()
    assert "gone" not in account.local.mailboxes()
    assert "gone" not in remote.mailboxes()
    idle(account, remote)


def test_remove_mailboxes_takes_it_away_on_the_server(account, remote):
    append(remote, 1)
    boxes(remote, "gone")
    account.change(remove_mailboxes="remote")
    account.sync()
    account.local.remove("gone")
    account.sync()
    assert "gone" not in remote.mailboxes()
    assert "gone" not in account.local.mailboxes()
    idle(account, remote)


@pytest.mark.parametrize("limit", [{"max_message_size": "10k"}, {"max_age": "1d"}])
def test_a_mailbox_removed_here_stays_while_it_holds_what_was_never_here(account, remote, limit):
    """Also when one of those that were here is gone there, so that the count is the same."""
    remote.create("Work")
    kept = mail.one(99, size=30_000)
    first, *_ = [remote.append("Work", mail.one(n, size=300)) for n in range(3)]
    remote.append("Work", kept, (), 1_600_000_000)
    append(remote, 1)
    account.change(remove_mailboxes="remote", **limit)
    account.sync()
    assert count(account, "Work") == 3
    remote.expunge("Work", first)
    account.local.remove("Work")
    for _ in range(2):
        result = account.sync(status=1)
        assert [error["mailbox"] for error in result.errors] == ["Work"]
        assert len(uids(remote, "Work")) == 3
    # Looked at once without the limit, it is here and may go.
    account.change(remove_mailboxes="none", **dict.fromkeys(limit))
    account.sync()
    assert kept in [tree.crlf(path.read_bytes()) for path in account.local.files("Work")]
    account.change(remove_mailboxes="remote")
    account.local.remove("Work")
    account.sync()
    assert "Work" not in remote.mailboxes()


# Moves

def test_a_local_move_is_a_move_on_the_server(account, remote):
    boxes(remote, "Archive")
    (uid, wire), _ = append(remote, 2)
    account.sync()
    local = account.local
    local.move(local.find("INBOX", wire), "Archive")
    result = account.sync()
    assert result.did == {"moved": 1}
    assert result.did_in("Archive") == {"moved": 1}
    agree(account, remote)
    idle(account, remote)


def test_a_local_move_into_a_new_mailbox_creates_it(account, remote):
    (uid, wire), _ = paired(account, remote, 2)
    local = account.local
    local.move(local.find("INBOX", wire), "Neu/Größe")
    assert account.sync().did == {"moved": 1}
    agree(account, remote)


def test_a_local_move_with_new_flags_carries_both(account, remote):
    boxes(remote, "Archive")
    (uid, wire), _ = append(remote, 2)
    account.sync()
    local = account.local
    remote.store("INBOX", uid, "+FLAGS", "\\Answered")
    path = local.set_flags(local.find("INBOX", wire), add="SF")
    local.move(path, "Archive")
    account.sync()
    agree(account, remote)
    flags = [m.flags for _, w, m in remote.messages("Archive") if w == wire]
    assert flags == [frozenset("FRS")]
    idle(account, remote)


def test_without_move_and_uidplus_a_local_move_still_arrives(make_account):
    account = make_account(disable_extensions="MOVE UIDPLUS")
    with account.remote() as remote:
        boxes(remote, "Archive")
        (uid, wire), _ = append(remote, 2)
        account.sync()
        account.local.move(account.local.find("INBOX", wire), "Archive")
        account.sync()
        agree(account, remote)
        idle(account, remote)


def test_a_remote_move_moves_the_message_locally(account, remote):
    boxes(remote, "Archive")
    (uid, wire), _ = append(remote, 2)
    account.sync()
    remote.move("INBOX", uid, "Archive")
    account.sync()
    assert count(account) == 1
    agree(account, remote)
    idle(account, remote)


def test_a_copy_is_a_new_message_on_either_side(account, remote):
    boxes(remote, "Archive", "Work")
    (uid, wire), _ = append(remote, 2)
    account.sync()
    remote.copy("INBOX", uid, "Archive")
    path = account.local.find("INBOX", wire)
    (account.local.folder("Work") / "cur" / (path.name.partition(":")[0] + ":2,")).hardlink_to(path)
    account.sync()
    agree(account, remote)
    assert [len(uids(remote, box)) for box in ("INBOX", "Archive", "Work")] == [2, 2, 2]
    idle(account, remote)


@pytest.mark.parametrize("copy", ["local", "none"])
def test_a_move_needs_leave_to_copy(account, remote, copy):
    boxes(remote, "Archive")
    (uid, wire), _ = append(remote, 2)
    account.sync()
    account.change(copy=copy)
    account.local.move(account.local.find("INBOX", wire), "Archive")
    assert "moved" not in account.sync().did
    assert len(uids(remote, "Archive")) == 1


# What is left out, and yet not gone

@pytest.mark.parametrize("mailbox", ["INBOX", "Work", "Work/Old"])
@pytest.mark.parametrize("layout", ["fs", "maildir++"])
def test_a_folder_that_was_put_elsewhere_and_linked_to_is_not_gone(make_account, tmp_path, layout,
                                                                   mailbox):
    """mailsync follows no links; nor does it take one for a removal or make something in its place."""
    account = make_account(layout=layout, remove_mailboxes="both")
    if layout == "maildir++" and mailbox == "INBOX":
        account.change(maildir=str(tmp_path / "link-to-root"))     # the root itself may be one
        (tmp_path / "root").mkdir()
        (tmp_path / "link-to-root").symlink_to(tmp_path / "root")
    with account.remote() as remote:
        append(remote, 2)
        boxes(remote, "Work", "Work/Old")
        account.sync()
        folder = account.local.folder(mailbox)
        if folder.is_symlink():
            assert account.sync().did == {}
            agree(account, remote)
            return
        folder.rename(tmp_path / "elsewhere")
        folder.symlink_to(tmp_path / "elsewhere")
        append(remote, 1, "Work", seed="new")
        append(remote, 1, seed="new")
        left_out = {mailbox} | ({"Work/Old"} if layout == "fs" and mailbox == "Work" else set())
        for _ in range(2):
            result = account.sync(status=1)
            assert {error["mailbox"] for error in result.errors} == left_out
            assert result.account["deleted_remote"] == result.account["deleted_local"] == 0
        assert [len(uids(remote, box)) for box in ("INBOX", "Work", "Work/Old")] == [3, 2, 1]
        folder.unlink()
        (tmp_path / "elsewhere").rename(folder)
        account.sync()
        agree(account, remote)
        idle(account, remote)


@pytest.mark.parametrize("remove", ["none", "both"])
def test_an_unsubscribed_mailbox_stays_as_it_is(make_account, remove):
    account = make_account(subscribed_only="yes", remove_mailboxes=remove)
    with account.remote() as remote:
        append(remote, 1)
        boxes(remote, "wanted")
        remote.subscribe("INBOX")
        remote.subscribe("wanted")
        account.sync()
        remote.run(remote.conn.unsubscribe(remote.wire("wanted")))
        append(remote, 1, "wanted", seed="later")
        for _ in range(2):
            assert account.sync().did == {}
        assert (count(account, "wanted"), len(uids(remote, "wanted"))) == (1, 2)
        assert [name for name, _ in remote.listing("LSUB")] == ["INBOX"]
        remote.subscribe("wanted")
        assert account.sync().did == {"downloaded": 1}
        agree(account, remote)


def test_a_folder_meets_a_mailbox_that_was_not_subscribed(make_account):
    account = make_account(subscribed_only="yes")
    with account.remote() as remote:
        append(remote, 1)
        boxes(remote, "wanted")
        remote.subscribe("INBOX")
        account.sync()
        account.local.create("wanted")
        account.local.deliver("wanted", mail.one(5))
        assert account.sync().did == {"downloaded": 1, "uploaded": 1}
        assert "wanted" in [name for name, _ in remote.listing("LSUB")]
        agree(account, remote)


# What can be no mailbox, or no message

def folder_of(account, name):
    """A folder called NAME, in bytes, that holds a message."""
    folder = os.path.join(os.fsencode(account.local.root), name)
    for part in (b"cur", b"new", b"tmp"):
        os.makedirs(os.path.join(folder, part))
    with open(os.path.join(folder, b"cur", b"17.x:2,S"), "wb") as handle:
        handle.write(b"Subject: x\n\nx\n")
    return folder


@pytest.mark.parametrize("layout", ["fs", "maildir++"])
def test_a_folder_that_can_be_no_mailbox_is_told_in_each_run(make_account, layout):
    account = make_account(layout=layout)
    dot = b"" if layout == "fs" else b"."
    odd = [dot + name for name in (b"a\xff", b"a\nb", b"a\x7f", b"a%2fb", b"Inbox")]
    with account.remote() as remote:
        append(remote, 1)
        account.sync()
        made = [folder_of(account, name) for name in odd]
        folder_of(account, dot + "Gr\u00fcn".encode())
        made.append(folder_of(account, dot + b"Gr&APw-n"))
        for run in range(2):
            result = account.sync(status=1)
            assert len([e for e in result.errors if "is left out" in e["message"]]) == len(made), result
            assert result.did.get("uploaded", 0) == (1 if run == 0 else 0)
        for path in made:
            shutil.rmtree(path)
        account.sync()
        agree(account, remote)
        idle(account, remote)


OTHER_INBOX = [
    ("fs", "Inbox", {"inbox": "Inbox"}), ("fs", "inbox", {"inbox": "inbox"}), ("fs", ".", {"inbox": "."}),
    ("fs", ". and .Sent", {"layout": "maildir++"}), ("maildir++", "INBOX", {"layout": "fs"}),
]


@pytest.mark.parametrize("layout,where,answer", OTHER_INBOX, ids=lambda value: value if isinstance(value, str) else "")
def test_where_inbox_may_have_another_folder_nothing_is_doubled(make_account, layout, where, answer):
    """A Maildir that another program filled. What to set is said; until then INBOX waits, and all else goes on."""
    account = make_account(layout=layout, create="local")
    root = account.folder / "mail"
    with account.remote() as remote:
        messages = [mail.one(number) for number in range(3)]
        for message in messages:
            remote.append("INBOX", message)
        remote.create("Work")
        remote.append("Work", mail.one(9))
        for folder in where.split(" and "):
            for part in ("cur", "new", "tmp"):
                (root / folder / part).mkdir(parents=True, exist_ok=True)
        for number, message in enumerate(messages):
            (root / where.split()[0] / "cur" / f"{number}.x:2,").write_bytes(message.replace(b"\r\n", b"\n"))
        [(key, value)] = answer.items()
        for _ in range(2):
            result = account.sync(status=1)
            assert [e["mailbox"] for e in result.errors] == ["INBOX"], result
            assert f"if so, set `{key} = {value}`" in result.errors[0]["message"], result
            assert result.did.get("downloaded", 0) <= 1, result
            assert sum(path.is_file() for path in root.rglob("*.x:2,")) == 3 and len(uids(remote)) == 3
        account.change(**answer)
        assert account.sync(status=None).did_in("INBOX").get("downloaded", 0) == 0
        assert len(uids(remote)) == 3


@pytest.mark.parametrize("where", ["Inbox", "."])
def test_a_folder_that_is_not_inbox_after_all(make_account, where):
    account = make_account()
    root = account.folder / "mail"
    with account.remote() as remote:
        append(remote, 3)
        for part in ("cur", "new", "tmp"):
            (root / where / part).mkdir(parents=True, exist_ok=True)
        (root / where / "new" / "1.x").write_bytes(b"Subject: x\n\nx\n")
        told = account.sync(status=1).errors[0]["message"]
        if where == ".":
            subprocess.run(["sh", "-c", told.partition("make a folder for it: ")[2]], check=True)
        else:
            (root / where).rename(root / "Other")
        assert account.sync().did_in("INBOX") == {"downloaded": 3}
        assert account.sync().did == {}


def test_another_inbox_holds_nothing_up_where_inbox_is_left_out(account, remote):
    """A program of this machine delivers into the root, and the other folders are synced."""
    boxes(remote, "gone", "kept")
    account.change(mailboxes="!INBOX", remove_mailboxes="remote")
    account.sync()
    for part in ("cur", "new", "tmp"):
        (account.local.root / part).mkdir()
    (account.local.root / "cur" / "1.x:2,S").write_bytes(b"Subject: x\n\nx\n")
    account.local.remove("gone")
    account.sync()
    assert "gone" not in remote.mailboxes()
    idle(account, remote)


def test_over_pop3_inbox_may_have_another_folder_too(make_account):
    account = make_account(protocol="pop3")
    account.change(port=account.server.port + 2)
    root = account.folder / "mail"
    with account.remote() as remote:
        append(remote, 3)
    for part in ("cur", "new", "tmp"):
        (root / part).mkdir(parents=True, exist_ok=True)
    (root / "cur" / "1.x:2,S").write_bytes(b"Subject: x\n\nx\n")
    for option in ((), ("--dry-run",), ("--allow-mass-delete",)):
        result = account.sync(*option, status=1)
        assert "if so, set `inbox = .`" in result.errors[0]["message"] and not (root / "INBOX").exists(), result
    account.change(inbox=".")
    assert account.sync().did == {"downloaded": 3}


def test_what_can_be_no_message_is_told_in_each_run(make_account, tmp_path):
    """A file that nothing identifies; what is no regular file is nobody's mail, and ignored."""
    account = make_account()
    with account.remote() as remote:
        append(remote, 2)
        account.sync()
        cur = account.local.folder("INBOX") / "cur"
        os.mkfifo(cur / "18.fifo:2,S")
        (cur / "18.directory:2,S").mkdir()
        (cur / "18.dangling:2,S").symlink_to("/nowhere")
        (tmp_path / "elsewhere").write_bytes(b"Subject: x\n\nx\n")
        (cur / "18.link:2,S").symlink_to(tmp_path / "elsewhere")
        for name in (":2,S", ",comma:2,S"):
            (cur / name).write_bytes(b"Subject: x\n\nx\n")
        account.local.deliver("INBOX", mail.one(5))
        for _ in range(2):
            result = account.sync(status=1)
            [error] = result.errors
            assert error["mailbox"] == "INBOX" and ", as 1 more, can be no message" in error["message"]
        assert len(uids(remote)) == 3
        for path in cur.iterdir():
            if path.name.startswith(("18.", ":", ",")):
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        account.sync()
        agree(account, remote)
        idle(account, remote)
