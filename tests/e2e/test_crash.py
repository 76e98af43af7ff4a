"""A small share of the crash proof and of the random histories (tests/crash): the whole is
`make crash` and `make soak`."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from rig import mail, program
from stories import agree, append, idle

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = max(300, program.TIMEOUT)

pytestmark = pytest.mark.usefixtures("steps")


def prove(*argv):
    env = {key: value for key, value in os.environ.items() if key != "TIME"}
    done = subprocess.run([sys.executable, str(ROOT / "tests" / "crash" / argv[0]), *argv[1:]],
                          capture_output=True, text=True, timeout=TIMEOUT, check=False, env=env)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.parametrize("mode", ["all", "none"])
def test_a_run_stopped_at_a_step_is_finished_by_the_next(mode):
    prove("run", "--scene", "changes", "--proof", "stop", "--mode", mode, "--every", "43")


def test_a_run_stopped_while_it_repairs_is_finished_by_the_next():
    prove("run", "--scene", "changes", "--proof", "twice", "--mode", "all", "--every", "43")


def test_a_first_sync_stopped_at_a_step_doubles_nothing():
    prove("run", "--scene", "filled", "--proof", "stop", "--mode", "all", "--every", "23")


@pytest.mark.parametrize("mode", ["no-move", "none"])
def test_a_run_stopped_at_a_step_copies_nothing_to_the_trash_twice(mode):
    prove("run", "--scene", "trash", "--proof", "stop", "--mode", mode, "--every", "9")


@pytest.mark.parametrize("mode", ["all", "none"])
def test_bringing_back_that_is_stopped_at_a_step_is_finished_by_the_next(mode):
    prove("run", "--scene", "held", "--proof", "stop", "--mode", mode, "--every", "11")


def test_what_a_power_cut_takes_is_fetched_again():
    prove("run", "--scene", "changes", "--proof", "power", "--mode", "all", "--every", "73")


@pytest.mark.parametrize("new", [False, True])
def test_letters_do_not_outlast_their_table(account, remote, new):
    """A power cut leaves what was synced before it: names with letters that mean nothing, if that
    was not the table first."""
    (uid, _), = append(remote, 1)
    account.sync()
    if new:
        append(remote, 1, seed="new", flags=("work",))
    else:
        remote.store("INBOX", uid, "+FLAGS", "work")
    log = account.folder / "steps"
    account.sync(env={"MAILSYNC_STEP_LOG": str(log)})
    folder = account.local.folder("INBOX")
    synced = [line.split("\t")[1] for line in log.read_text().splitlines()
              if line.partition(" ")[2].startswith("fsync directory\t")]
    assert synced.index(str(folder)) < synced.index(str(folder / "cur"))


def test_with_durability_none_a_power_cut_deletes_nothing():
    prove("run", "--scene", "changes", "--proof", "power", "--mode", "nosync", "--every", "91")


def test_a_cut_connection_is_status_75_and_the_next_run_goes_on():
    prove("run", "--scene", "changes", "--proof", "cut", "--mode", "all", "--points", "4")


def test_a_step_that_fails_is_told_and_the_next_run_goes_on():
    prove("run", "--scene", "changes", "--proof", "fail", "--mode", "all", "--every", "43")


def test_an_allocation_that_fails_is_told_and_the_next_run_goes_on():
    prove("run", "--scene", "changes", "--proof", "memory", "--mode", "all", "--points", "8")


def test_batches_on_their_way_survive_kills(account, remote):
    """Batches are delivered by a thread of their own: a kill meets it and the one that writes."""
    mail.pour(remote, "INBOX", [mail.Letter("INBOX", mail.one(number, size=900), (),
                                            1_500_000_000 + number) for number in range(3000)])
    for stop in (5000, 4100, 2300, 1700):
        killed = account.run("sync", env={"MAILSYNC_STEP_STOP": str(stop)})
        assert killed.status == -signal.SIGKILL, killed
        bodies = [path.read_bytes() for path in account.local.files("INBOX")]
        assert len(bodies) == len(set(bodies))
    assert 500 < len(bodies) < 3000
    account.sync()
    agree(account, remote)
    idle(account, remote)


@pytest.mark.parametrize("mode", ["all", "none"])
def test_a_mua_at_work_at_a_step_loses_doubles_and_deletes_nothing(mode):
    prove("run", "--scene", "changes", "--proof", "race", "--mode", mode, "--every", "83")


def test_a_mua_at_work_while_messages_go_to_the_trash():
    prove("run", "--scene", "trash", "--proof", "race", "--mode", "no-move", "--every", "59")


def test_a_disturbed_pop3_run_neither_loses_nor_doubles():
    prove("run", "--scene", "pop3", "--mode", "leave-no", "--every", "19", "--points", "76",
          "--proof", "stop", "--proof", "power", "--proof", "cut", "--proof", "fail")


@pytest.mark.parametrize("scene", ["poisoned", "poisoned-acts", "pop3-poisoned"])
def test_a_run_amid_poison_and_refusals_stopped_at_a_step_is_finished_by_the_next(scene):
    prove("run", "--scene", scene, "--proof", "stop", "--mode", "all" if scene != "pop3-poisoned" else "leave-no",
          "--every", "70")


def test_a_pop3_run_over_a_filled_inbox_stopped_at_a_step_doubles_nothing():
    prove("run", "--scene", "pop3-filled", "--proof", "stop", "--every", "19")


# Histories that once went wrong, each by its own fault: a half-made folder, a COPY made twice,
# downloads noted and not paired, a run killed at work and the next in its claim, a message sent by a
# run that died and deleted there, a move whose target could not be used for once.
@pytest.mark.parametrize("seed", [251, 369, 10196, 2000740, 5000039, 5000084])
def test_histories_that_once_went_wrong(seed):
    prove("soak", "--seed", str(seed), "--count", "1", "--jobs", "1")


def test_random_histories_come_to_rest():
    prove("soak", "--count", "4")
