"""Removed messages go to the trash once, also where MOVE is missing and COPY or the removal fails,
or the run dies between."""

import pytest

from rig import tree
from rig.fake import Box, FakeServer
from rig.scripted import always, close, expect
from stories import agree, idle, paired, uids

CAPABILITIES = ["IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT", "IMAP4rev1 LITERAL+"]
IDS = ["uidplus", "plain"]
WITHOUT = ["", "QRESYNC", "QRESYNC CONDSTORE"]


class Bin(Box):
    """The trash; its letters are others than INBOX's."""

    def __init__(self, count=1):
        super().__init__(count, "Bin", uidvalidity=9)


@pytest.fixture
def fakes(make_account):
    """fakes(count, ...) -> (server, account) that agree on COUNT messages, the first of which is
    then deleted locally."""
    servers = []

    def make(count=3, gone=1, inbox=None, **options):
        server = FakeServer([inbox or Box(count), Bin()], **options)
        servers.append(server)
        account = make_account(server, timeout=5, trash="Bin")
        account.sync()
        for uid in range(1, gone + 1):
            account.local.find("INBOX", server.boxes["INBOX"].letters[uid]).unlink()
        server.received.clear()
        return server, account

    yield make
    for server in servers:
        server.stop()


def copies(server):
    return [command for command in server.received if command.startswith("UID COPY ")]


def in_bin(server, wire):
    return server.wires("Bin").count(wire)


def finished(server, account, *wires):
    """The next runs remove the originals, and each of WIRES is in the trash once."""
    server.script = []
    account.sync()
    account.sync()
    assert not set(wires) & set(server.wires())
    assert [in_bin(server, wire) for wire in wires] == [1] * len(wires)
    for box in ("INBOX", "Bin"):
        here = sorted(tree.crlf(path.read_bytes()) for path in account.local.files(box))
        assert here == server.wires(box)
    assert account.sync().did == {}


@pytest.mark.parametrize("capabilities", CAPABILITIES, ids=IDS)
@pytest.mark.parametrize("refused", ["STORE", "EXPUNGE"])
def test_a_removal_that_is_refused_copies_nothing_again(fakes, capabilities, refused):
    server, account = fakes(capabilities=capabilities)
    wire = server.boxes["INBOX"].letters[1]
    server.script = [always(rf"^(UID )?{refused}", "NO not today")]
    for _ in range(3):
        result = account.sync(status=1)
        assert "in the trash" in result.err and "not today" in result.err
        assert in_bin(server, wire) == 1
    assert len(copies(server)) == 1
    finished(server, account, wire)
    assert len(copies(server)) == 1


@pytest.mark.parametrize("capabilities", CAPABILITIES, ids=IDS)
def test_a_copy_cut_off_after_it_was_made_is_found(fakes, capabilities):
    server, account = fakes(gone=2, capabilities=capabilities)
    wires = [server.boxes["INBOX"].letters[uid] for uid in (1, 2)]

    def copied(command):
        server.copy(command)
        return [close()]

    server.script = [always(r"^UID COPY ", copied)]
    account.sync(status=75)
    finished(server, account, *wires)
    assert len(copies(server)) == 1


def test_a_copy_cut_off_before_it_was_made_is_made(fakes):
    server, account = fakes(gone=2)
    wires = [server.boxes["INBOX"].letters[uid] for uid in (1, 2)]
    server.script = [always(r"^UID COPY ", close())]
    account.sync(status=75)
    assert not any(in_bin(server, wire) for wire in wires)
    server.received.clear()
    finished(server, account, *wires)
    assert copies(server) == ['UID COPY 1 "Bin"', 'UID COPY 2 "Bin"']


def test_what_was_in_the_trash_before_is_no_copy(fakes):
    """Nor is what another client throws away later, whatever their Message-IDs."""
    server, account = fakes()
    wire = server.boxes["INBOX"].letters[1]
    server.boxes["Bin"].add(wire)
    account.sync("--pull")
    server.script = [always(r"^UID COPY ", close())]
    account.sync(status=1)
    server.boxes["Bin"].add(b"Received: by another way\r\n" + wire)
    server.script = []
    account.sync()
    assert 1 not in server.boxes["INBOX"].letters
    assert in_bin(server, wire) == 2


def test_of_twins_each_has_its_own_copy(fakes):
    """Two messages of the same bytes, one of which was copied before the connection broke."""
    inbox = Box(3)
    wire = inbox.letters[2] = inbox.letters[1]
    server, account = fakes(inbox=inbox)
    account.local.find("INBOX", wire).unlink()

    def half(_):
        server.boxes["Bin"].add(wire)
        return [close()]

    server.script = [expect(r"^UID COPY ", half)]
    account.sync(status=75)
    server.script = []
    account.sync()
    assert sorted(server.boxes["INBOX"].letters) == [3]
    assert in_bin(server, wire) == 2


def test_messages_without_message_id_and_date_are_told_by_all_of_them(fakes):
    inbox = Box(2)
    head = b"Subject: none\r\n\r\n"
    inbox.letters[1] = head + b"one\r\n"
    server, account = fakes(inbox=inbox)
    server.script = [always(r"^UID COPY ", close())]
    account.sync(status=1)
    server.boxes["Bin"].add(head + b"another\r\n")
    finished(server, account, head + b"one\r\n")


def test_a_copy_refused_in_part_holds_up_only_the_rest(fakes):
    """As over quota: NO, although the first message was copied."""
    server, account = fakes(gone=2)
    wires = [server.boxes["INBOX"].letters[uid] for uid in (1, 2)]

    def partly(_):
        server.boxes["Bin"].add(wires[0])
        return ["NO [OVERQUOTA] full"]

    server.script = [expect(r"^UID COPY ", partly)]
    result = account.sync(status=1)
    assert "full" in result.err
    assert result.did["deleted_remote"] == 1
    assert sorted(server.boxes["INBOX"].letters) == [2, 3]
    finished(server, account, *wires)


def test_while_the_trash_cannot_be_seen_nothing_is_removed_or_copied(fakes):
    server, account = fakes()
    wire = server.boxes["INBOX"].letters[1]

    def copied(command):
        server.copy(command)
        return [close()]

    unseen = always(r"^UID FETCH .*HEADER", "NO not now")
    server.script = [always(r"^UID COPY ", copied), unseen]
    account.sync(status=75)
    assert 1 in server.boxes["INBOX"].letters
    server.script = [unseen]
    for _ in range(2):
        assert account.sync(status=1).did.get("deleted_remote", 0) == 0
        assert 1 in server.boxes["INBOX"].letters
    finished(server, account, wire)
    assert len(copies(server)) == 1


def test_a_trash_that_was_made_anew_gets_its_copy(fakes):
    server, account = fakes()
    wire = server.boxes["INBOX"].letters[1]

    def copied(command):
        server.copy(command)
        return [close()]

    server.script = [always(r"^UID COPY ", copied)]
    account.sync(status=75)
    server.boxes["Bin"] = Bin()
    server.boxes["Bin"].uidvalidity += 1
    finished(server, account, wire)


def test_a_deletion_taken_back_is_copied_when_it_comes_again(fakes, tmp_path):
    server, account = fakes(gone=0)
    wire = server.boxes["INBOX"].letters[1]
    path = account.local.find("INBOX", wire)
    path.rename(tmp_path / "aside")
    server.script = [always(r"^UID STORE", "NO not today")]
    account.sync(status=1)
    assert in_bin(server, wire) == 1
    (tmp_path / "aside").rename(path)
    server.script = []
    account.sync()
    assert 1 in server.boxes["INBOX"].letters
    server.boxes["Bin"].remove(*server.boxes["Bin"].letters)
    account.sync()
    path.unlink()
    finished(server, account, wire)


# Against a real server

@pytest.mark.parametrize("without", WITHOUT, ids=["qresync", "condstore", "neither"])
def test_a_removal_that_waits_for_others_marks_is_in_the_trash_once(make_account, without):
    account = make_account(disable_extensions=f"MOVE UIDPLUS {without}", trash="Bin")
    with account.remote() as remote:
        remote.create("Bin")
        (_, wire), (marked, _), _ = paired(account, remote, 3)
        remote.store("INBOX", marked, "+FLAGS", "\\Deleted")
        account.sync()
        account.local.find("INBOX", wire).unlink()
        for _ in range(3):
            assert account.sync().did.get("deleted_remote", 0) == 0
            assert len(uids(remote)) == 3 and len(uids(remote, "Bin")) == 1
        remote.store("INBOX", marked, "-FLAGS", "\\Deleted")
        assert account.sync().did["deleted_remote"] == 1
        account.sync()
        assert len(uids(remote)) == 2
        assert [w for _, w, _ in remote.messages("Bin")] == [wire]
        agree(account, remote)
        idle(account, remote)


@pytest.mark.parametrize("missing", ["MOVE", "MOVE UIDPLUS"])
def test_a_message_that_is_moved_by_copy_does_not_go_to_the_trash_too(make_account, missing):
    account = make_account(disable_extensions=missing, trash="Bin")
    with account.remote() as remote:
        for name in ("Bin", "Work"):
            remote.create(name)
        (_, wire), _ = paired(account, remote, 2)
        account.local.move(account.local.find("INBOX", wire), "Work")
        account.sync()
        assert [len(uids(remote, box)) for box in ("INBOX", "Work", "Bin")] == [1, 1, 0]
        account.sync()
        agree(account, remote)
        idle(account, remote)


@pytest.mark.parametrize("without", WITHOUT, ids=["qresync", "condstore", "neither"])
def test_without_move_many_go_to_the_trash_by_copy(make_account, without):
    account = make_account(disable_extensions=f"MOVE {without}", trash="Bin", max_delete="100%")
    with account.remote() as remote:
        remote.create("Bin")
        letters = paired(account, remote, 60)
        gone = [wire for number, (_, wire) in enumerate(letters) if number % 2]
        for wire in gone:
            account.local.find("INBOX", wire).unlink()
        assert account.sync().did["deleted_remote"] == len(gone)
        assert sorted(w for _, w, _ in remote.messages("Bin")) == sorted(gone)
        account.sync()
        agree(account, remote)
        idle(account, remote)
