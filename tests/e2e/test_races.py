"""A MUA acts in the very moment between the program's look and its act: the program stops itself
there (MAILSYNC_STEP_PAUSE, MAILSYNC_STEP_LOOK), so that nothing is left to chance. Every such
moment of a large run is tests/crash/run --proof race."""

import functools
import signal

import pytest

from rig import mail, program, tree
from rig.line import Line
from stories import agree, append, idle, paired

pytestmark = pytest.mark.usefixtures("steps")


TRIES = 20


def moments(make_account, prepare, what, **keys):
    """For each step and look whose name and path WHAT says yes to: an account as PREPARE(account,
    session) makes it, what that returned, and a function that carries out an act in that moment, in
    which the program waits, and lets it run to its end. A run of one more account tells which they
    are. How often a folder is looked at depends on how long ago it changed, so that a run may end
    without having come to the moment: it is tried again then."""
    def made():
        account = make_account(max_delete="100%", remove_mailboxes="both", **keys)
        with account.remote() as remote:
            return account, prepare(account, remote)

    def reached(variable, number):
        for _ in range(TRIES):
            account, prepared = made()
            process = account.start("--json", "sync",
                                    env={f"MAILSYNC_STEP_{variable}": str(number)})
            if program.is_stopped(process):
                return account, prepared, process
            result = program.finish(process)
            assert result.status == 0, result
        raise AssertionError(f"no run came to {variable} {number}")

    def go_on(process, act):
        act()
        process.send_signal(signal.SIGCONT)
        return program.finish(process)

    account, _ = made()
    log = account.folder / "steps"
    account.sync(env={"MAILSYNC_STEP_LOG": str(log)})
    found, looks = [], 0
    for line in log.read_text().splitlines():
        head, _, path = line.partition("\t")
        number, name = head.split(" ", 1)
        looks += name == "look"
        if what(name, path):
            found.append(("LOOK", looks) if name == "look" else ("PAUSE", int(number)))
    assert found
    for moment in found:
        account, prepared, process = reached(*moment)
        try:
            yield account, prepared, functools.partial(go_on, process)
        finally:
            process.kill()


def rest(account):
    """Runs until one has nothing to do."""
    for _ in range(4):
        if not account.sync().did:
            break
    with account.remote() as remote:
        agree(account, remote)
        idle(account, remote)
        return places(remote.read())


def places(state):
    return {(box, key): copy.flags for box, messages in state.items()
            for key, copies in messages.items() for copy in copies}


def test_a_file_that_is_flagged_while_it_is_removed_does_not_come_back(make_account):
    def prepare(account, remote):
        (uid, wire), _ = paired(account, remote, 2)
        remote.expunge("INBOX", uid)
        return account.local.find("INBOX", wire)

    def what(name, path):
        return name == "unlink" and "/INBOX/new/" in path

    for account, path, run in moments(make_account, prepare, what):
        assert run(lambda path=path, local=account.local: local.set_flags(path, "S")).status == 0
        assert len(rest(account)) == 1


def test_what_is_delivered_to_a_folder_that_is_being_removed_stays(make_account):
    wire = mail.one(1, seed="late")

    def prepare(account, remote):
        remote.create("Old")
        append(remote, 2, "Old")
        account.sync()
        remote.delete_mailbox("Old")

    def what(name, path):
        return "/Old/" in path and name in ("look", "unlink")

    for account, _, run in moments(make_account, prepare, what):
        run(functools.partial(account.local.deliver, "Old", wire))
        account.sync(status=None)
        assert account.local.find("Old", wire)


def test_a_file_that_goes_from_new_to_cur_while_they_are_read_is_not_deleted(make_account):
    def prepare(account, remote):
        wires = [wire for _, wire in paired(account, remote, 2)]
        append(remote, 1, seed="more")
        account.local.deliver("INBOX", mail.one(7))
        return account.local.find("INBOX", wires[0])

    def what(name, path):
        return name == "look" and "/INBOX/" in path

    for account, path, run in moments(make_account, prepare, what):
        key = "INBOX", tree.digest(tree.crlf(path.read_bytes()))
        run(lambda path=path, local=account.local: local.set_flags(path, "S"))
        found = rest(account)
        assert len(found) == 4 and found[key] == {"S"}


@pytest.mark.parametrize("target", ["Archive", "Fresh"])
def test_a_file_that_is_moved_while_folders_are_read_is_not_deleted(make_account, target):
    """From a folder not yet read to one that is read already, or that nobody knew of. With a trash it
    shows when it was taken for a deletion."""
    def prepare(account, remote):
        for name in ("Archive", "Bin"):
            remote.create(name)
        wires = [wire for _, wire in paired(account, remote, 2)]
        account.local.deliver("Archive", mail.one(7))
        account.local.deliver("INBOX", mail.one(8))
        return account.local.find("INBOX", wires[0])

    for account, path, run in moments(make_account, prepare, lambda name, _: name == "look",
                                      trash="Bin"):
        key = tree.digest(tree.crlf(path.read_bytes()))
        run(functools.partial(account.local.move, path, target))
        found = rest(account)
        assert len(found) == 4
        assert [box for box, digest in found if digest == key] == [target]


@pytest.fixture
def without_uids(dovecots):
    """Keys for an account of a server that does not tell the UIDs of what it takes."""
    with Line(dovecots().port, hide=r"\[(?:APPENDUID|COPYUID) [^]]*\] ?") as line:
        yield {"port": line.port, "disable_extensions": "MOVE UIDPLUS MULTIAPPEND"}


@pytest.mark.parametrize("sent, target", [("moved", "Archive"), ("new", None)])
def test_a_file_that_goes_before_its_uid_is_known_is_deleted_or_moved(make_account, without_uids,
                                                                      sent, target):
    """The server has it already, and the program has yet to find out under which UID."""
    def prepare(account, remote):
        for name in ("Archive", "Work"):
            remote.create(name)
        (_, wire), _ = paired(account, remote, 2)
        if sent == "moved":
            return account.local.move(account.local.find("INBOX", wire), "Work")
        return account.local.deliver("Work", mail.one(7))

    def what(name, path):
        return name == "commit"

    for account, path, run in moments(make_account, prepare, what, **without_uids):
        key = tree.digest(tree.crlf(path.read_bytes()))
        run(functools.partial(account.local.move, path, target) if target else path.unlink)
        found = rest(account)
        assert [box for box, digest in found if digest == key] == ([target] if target else [])
        assert len(found) == (1 if sent == "moved" else 2) + bool(target)


def test_a_file_under_the_name_that_a_flag_is_about_to_make_is_not_overwritten(make_account):
    def prepare(account, remote):
        (uid, wire), _ = paired(account, remote, 2)
        remote.store("INBOX", uid, "+FLAGS", "\\Flagged")
        return account.local.find("INBOX", wire)

    def what(name, path):
        return name == "rename" and path.endswith(":2,F")

    for account, path, run in moments(make_account, prepare, what):
        target = path.parent.parent / "cur" / f"{path.name}:2,F"
        before = path.read_bytes()
        run(lambda target=target: target.write_bytes(b"Subject: another\n\nmail\n"))
        account.sync(status=None)
        texts = [path.read_bytes() for path in account.local.files("INBOX")]
        assert before in texts and target.read_bytes() in texts and len(texts) == 3
