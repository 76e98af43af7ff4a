"""Others at work on the same mail while mailsync runs: MUAs, a Dovecot that serves the same Maildir,
other runs of mailsync, signals. Nothing is lost, doubled or put back."""

import collections
import os
import pathlib
import random
import shutil
import signal
import subprocess
import threading
import time

import pytest

from rig import mail, program, tree
from rig.imap import Imap
from rig.line import Line
from stories import agree, append, idle

SEEDS = [int(x) for x in os.environ.get("MAILSYNC_SEEDS", "1 2").split()]
FOLDERS = ["INBOX", "Work", "Work/Old"]


class Reader(threading.Thread):
    """A MUA that renames, moves, deletes and delivers at random, as fast as it can, until stop() or
    it has done enough.

    It knows what it removed for good and what it wrote; `gone` and `written` are digests."""

    def __init__(self, local, seed):
        super().__init__(daemon=True)
        self.local, self.rng = local, random.Random(seed)
        self.ended = threading.Event()
        self.gone, self.written = collections.Counter(), collections.Counter()
        self.acts = collections.Counter()
        self.problem = None

    def run(self):
        try:
            for number in range(1200):
                if self.ended.is_set():
                    break
                act = self.rng.choice(["flag", "flag", "seen", "move", "delete", "deliver"])
                try:
                    getattr(self, act)(number)
                    self.acts[act] += 1
                except FileNotFoundError:
                    pass                  # mailsync renamed it first; a MUA looks again
        except Exception as problem:      # pylint: disable=broad-except
            self.problem = problem

    def stop(self):
        self.ended.set()
        self.join()
        if self.problem:
            raise self.problem

    def some_file(self):
        mailbox = self.rng.choice(FOLDERS)
        paths = sorted(self.local.files(mailbox))
        if not paths:
            raise FileNotFoundError
        return mailbox, self.rng.choice(paths)

    def flag(self, _):
        _, path = self.some_file()
        letter = self.rng.choice("FRPD")
        has = letter in self.local.flags(path)
        self.local.set_flags(path, **{"remove" if has else "add": letter})

    def seen(self, _):
        _, path = self.some_file()
        self.local.set_flags(path, add="S")

    def move(self, _):
        mailbox, path = self.some_file()
        target = self.rng.choice([name for name in FOLDERS if name != mailbox])
        self.local.move(path, target)

    def delete(self, _):
        _, path = self.some_file()
        digest = tree.digest(tree.crlf(path.read_bytes()))
        path.unlink()
        self.gone[digest] += 1

    def deliver(self, number):
        wire = mail.one(number, seed=self.rng.random(), size=400)
        self.local.deliver(self.rng.choice(FOLDERS), wire.replace(b"\r\n", b"\n"))
        self.written[tree.digest(wire)] += 1


def census(side):
    """How often each message is there, whatever its mailbox."""
    out = collections.Counter()
    for box in side.values():
        for key, copies in box.items():
            out[key] += len(copies)
    return out


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("server", ["all extensions", "plain"])
def test_a_mua_at_work_during_runs(make_account, dovecots, seed, server):
    print("seed", seed)
    hide = ("" if server == "all extensions" else
            "QRESYNC CONDSTORE LIST-STATUS MOVE MULTIAPPEND ESEARCH ENABLE")
    account = make_account(dovecots(hide=hide), max_delete="100%")
    with account.remote() as remote:
        for mailbox in FOLDERS[1:]:
            remote.create(mailbox)
        for mailbox in FOLDERS:
            append(remote, 25, mailbox, seed=f"mua{seed}")
        account.sync()
        before = census(account.local.read())
        reader = Reader(account.local, seed)
        remote_rng = random.Random(seed + 1000)
        reader.start()
        for number in range(5):
            mailbox = remote_rng.choice(FOLDERS)
            wire = mail.one(number, seed=f"far{seed}", size=400)
            remote.append(mailbox, wire)
            before[tree.digest(wire)] += 1
            result = account.sync(status=None)
            assert result.status in (0, 1), result
        reader.stop()
        print(reader.acts)
        assert sum(reader.acts.values()) > 100
        expected = before + reader.written
        expected.subtract(reader.gone)
        for _ in range(3):
            result = account.sync(status=None)
            assert result.status in (0, 1), result
            if not result.did:
                break
        agree(account, remote)
        there = census(account.local.read())
        lost = expected - there
        doubled = there - (+expected)
        assert not lost and not doubled, f"lost {len(lost)}, too many {len(doubled)}"
        idle(account, remote)


# Dovecot on the same Maildir

class Shared(program.Account):
    """An account whose Maildir a second Dovecot serves; runs as the owner of that mail."""

    def __init__(self, serving, *args, **keys):
        self.serving = serving
        super().__init__(*args, **keys)

    def argv(self, *args):
        out = super().argv(*args)
        self.own(self.config)
        if os.getuid() == 0:         # the owner of the mail may not get to where it was built
            out[0] = str(self.folder / "mailsync-program")
            if not os.path.exists(out[0]):
                shutil.copy(program.binary(), out[0])
        return out

    def own(self, path):
        if os.getuid() == 0:
            shutil.chown(path, self.serving.owner.pw_uid, self.serving.owner.pw_gid)

    def run(self, *args, **options):
        if os.getuid() == 0:
            options.update(user=self.serving.owner.pw_uid, group=self.serving.owner.pw_gid,
                           extra_groups=[])
        return super().run(*args, **options)


@pytest.fixture
def shared(dovecots):
    """(account, session of its server, session of the Dovecot that serves its Maildir)."""
    serving = dovecots(format="maildir")
    server = dovecots()
    user = f"shared{random.randrange(10**9)}"
    maildir = serving.maildir(user)
    account = Shared(serving, maildir.parent, server, user, maildir=str(maildir),
                     layout="maildir++", max_delete="100%")
    account.own(account.folder)
    with account.remote() as far, Imap(serving.port, user) as near:
        yield account, far, near


def both_agree(account, far, near):
    differing = tree.differences(near.read(), far.read())
    assert not differing, "\n".join(differing[:20])
    agree(account, far)


def test_dovecot_sees_what_mailsync_delivers(shared):
    account, far, near = shared
    far.create("Work")
    append(far, 5, flags=("\\Seen", "$label1", "todo"))
    append(far, 5, "Work")
    account.sync()
    both_agree(account, far, near)
    idle(account, far)
    assert account.sync().did == {}


def test_what_a_client_of_dovecot_does_reaches_the_server(shared):
    account, far, near = shared
    letters = append(far, 6)
    account.sync()
    near.create("Sub/Box")
    wires = [mail.one(number, seed="near", size=500) for number in range(4)]
    for wire in wires[:2]:
        near.append("INBOX", wire, ("\\Flagged", "todo"), 1_500_000_000)
    near.append("Sub/Box", wires[2], ("$label1",), 1_500_000_000)
    near.store("INBOX", near.find("INBOX", letters[0][1]), "+FLAGS", "\\Answered work")
    near.expunge("INBOX", near.find("INBOX", letters[1][1]))
    near.move("INBOX", near.find("INBOX", letters[2][1]), "Sub/Box")
    near.copy("INBOX", near.find("INBOX", letters[3][1]), "Sub/Box")
    account.sync()
    both_agree(account, far, near)
    assert sorted(far.mailboxes()) == ["INBOX", "Sub/Box"]
    assert len(far.uids("INBOX")) == 6 and len(far.uids("Sub/Box")) == 3
    idle(account, far)


def test_dovecots_own_files_are_no_mail(shared):
    """Its indexes, uidlist, subscriptions and keywords are neither synced nor in the way."""
    account, far, near = shared
    append(far, 3, flags=("todo",))
    account.sync()
    near.subscribe("INBOX")
    near.create("Work")
    near.store("INBOX", near.uids("INBOX")[0], "+FLAGS", "first second third")
    account.sync()
    both_agree(account, far, near)
    names = {path.name for path in account.local.root.iterdir()}
    assert {"dovecot-uidlist", "dovecot-keywords", "subscriptions"} <= names
    assert far.mailboxes() == ["INBOX", "Work"]
    idle(account, far)


def test_keywords_given_on_both_sides_do_not_mix(shared):
    """Both programs add letters to one dovecot-keywords file."""
    account, far, near = shared
    letters = append(far, 4)
    account.sync()
    for number, (_, wire) in enumerate(letters):
        near.store("INBOX", near.find("INBOX", wire), "+FLAGS", f"near{number}")
        far.store("INBOX", far.find("INBOX", wire), "+FLAGS", f"far{number}")
    account.sync()
    both_agree(account, far, near)
    for number, (_, wire) in enumerate(letters):
        wanted = {f"near{number}", f"far{number}"}
        assert wanted <= set(near.flags("INBOX", near.find("INBOX", wire)))
    idle(account, far)


@pytest.mark.parametrize("seed", SEEDS)
def test_dovecot_at_work_during_runs(shared, seed):
    print("seed", seed)
    account, far, near = shared
    for mailbox in FOLDERS[1:]:
        far.create(mailbox)
    for mailbox in FOLDERS:
        append(far, 12, mailbox, seed=f"d{seed}")
    account.sync()
    expected = census(far.read())
    gone, written, done = collections.Counter(), collections.Counter(), threading.Event()
    problems = []

    def work():
        rng = random.Random(seed)
        try:
            for number in range(60):
                mailbox = rng.choice(FOLDERS)
                uids = near.uids(mailbox)
                act = rng.choice(["append", "flag", "move", "expunge"])
                if act == "append" or not uids:
                    wire = mail.one(number, seed=f"w{seed}", size=400)
                    near.append(mailbox, wire)
                    written[tree.digest(wire)] += 1
                    continue
                uid = rng.choice(uids)
                if act == "flag":
                    near.store(mailbox, uid, rng.choice(["+FLAGS", "-FLAGS"]),
                               rng.choice(["\\Flagged", "\\Seen", "todo"]))
                elif act == "move":
                    near.move(mailbox, uid, rng.choice([x for x in FOLDERS if x != mailbox]))
                else:
                    wire = next((w for u, w, _ in near.messages(mailbox) if u == uid), None)
                    if wire is not None:
                        near.expunge(mailbox, uid)
                        gone[tree.digest(wire)] += 1
        except Exception as problem:      # pylint: disable=broad-except
            problems.append(problem)
        done.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while not done.is_set():
        result = account.sync(status=None)
        assert result.status in (0, 1), result
    thread.join()
    if problems:
        raise problems[0]
    for _ in range(3):
        if not account.sync().did:
            break
    both_agree(account, far, near)
    expected += written
    expected.subtract(gone)
    there = census(far.read())
    assert not (expected - there), "lost"
    assert not (there - (+expected)), "too many"
    idle(account, far)


# Other runs, and signals

def at_once(account, number, *args):
    argv = account.argv(*args)
    runs = [subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=account.environment())
            for _ in range(number)]
    return [program.finish(run) for run in runs]


def test_runs_at_once_do_the_work_once(account, remote):
    """Of several started together one works, the others end with 75 at once, or wait."""
    append(remote, 30)
    results = at_once(account, 4, "--json", "sync")
    assert sorted({result.status for result in results}) in ([0], [0, 75])
    assert sum(r.account["downloaded"] for r in results if r.status == 0) == 30
    results = at_once(account, 4, "--json", "--wait", "sync")
    assert [result.status for result in results] == [0] * 4
    assert all(result.did == {} for result in results)
    agree(account, remote)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_soon_and_keeps_what_it_did(account, remote, number):
    append(remote, 300)
    port = account.keys["port"]
    account.local.create("Out")
    for index in range(20):
        account.local.deliver("Out", mail.one(index, seed="sig", size=3000))
    with Line(port, kbit_s=400) as line:
        account.change(port=line.port)
        process = account.start("--json", "sync")
        ran = program.stop_when(
            process, lambda: any(p.is_file() for p in account.local.root.glob("INBOX/*/*")),
            number)
        began = time.monotonic()
        result = program.finish(process)
        took = time.monotonic() - began
    assert ran and result.status == 75, result
    assert took < 3
    assert len(result.err.strip().splitlines()) <= 1, result
    account.change(port=port)
    account.sync()
    agree(account, remote)
    idle(account, remote)


def test_a_stopped_run_goes_on_later(account, remote):
    """SIGSTOP and SIGCONT, as a suspend: the run ends well or with 75, the next one converges."""
    append(remote, 200)
    port = account.keys["port"]
    with Line(port, kbit_s=4000) as line:
        account.change(port=line.port)
        process = account.start("sync")
        assert program.stop_when(
            process, lambda: any(p.is_file() for p in account.local.root.glob("INBOX/*/*")),
            signal.SIGSTOP)
        assert account.run("sync").status == 75
        append(remote, 3, seed="meanwhile")
        process.send_signal(signal.SIGCONT)
        result = program.finish(process)
    assert result.status in (0, 75), result
    account.change(port=port)
    account.sync()
    agree(account, remote)
    idle(account, remote)


def test_a_signal_ends_a_run_that_waits_for_its_password(account):
    """The command is ended, too, and not waited for."""
    account.change(password=None, password_command=f"touch {account.folder}/asked; exec sleep 20")
    process = account.start("sync")
    assert program.stop_when(process, (account.folder / "asked").exists)
    began = time.monotonic()
    result = program.finish(process)
    assert result.status == 75 and result.err, result
    assert time.monotonic() - began < 3


# Clocks

@pytest.mark.parametrize("after", [0, 20])
@pytest.mark.parametrize("by", [-86_400, 86_400, 3_000_000_000])
def test_a_clock_that_jumps(account, remote, clock_shim, by, after):
    """Between runs and during one, to and fro: changes are found and carried out once, and nothing
    waits for a time that does not come."""
    letters = append(remote, 12)
    wrong = {"LD_PRELOAD": clock_shim, "CLOCK_BY": str(by), "CLOCK_AFTER": str(after)}
    account.sync(env=wrong)
    agree(account, remote)
    for turn, env in enumerate((None, wrong, wrong, None)):
        remote.expunge("INBOX", letters[turn][0])
        account.local.find("INBOX", letters[turn + 5][1]).unlink()
        append(remote, 1, seed=f"far{turn}")
        account.local.deliver("INBOX", mail.one(turn, seed="near"))
        change = {"add": "F"} if turn % 2 == 0 else {"remove": "F"}
        account.local.set_flags(account.local.find("INBOX", letters[10][1]), **change)
        result = account.sync(env=env)
        assert result.did == {"downloaded": 1, "uploaded": 1, "deleted_local": 1, "deleted_remote": 1,
                              "flags_remote": 1}
        assert 0 <= result.account["seconds"] < 5
        agree(account, remote)
        assert account.sync(env=env).did == {}
