"""Many accounts: how many at once (--jobs), a share of them (--shard), what it came to (--metrics)."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from rig import program
from rig.host import PASSWORD
from rig.watching import Watch
from stories import append, count

SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$', re.MULTILINE)


def others(account, count):
    """COUNT accounts of one server in the configuration of ACCOUNT, itself among them; their names."""
    names = [account.name] + [f"a{number}" for number in range(1, count)]
    for name in names[1:]:
        account.others[f"account {name}"] = dict(
            account.keys, user=f"{account.user}{name}", password=PASSWORD,
            maildir=str(account.folder / f"mail-{name}"))
    return names


def share_of(name, count):
    return int(hashlib.sha256(name.encode()).hexdigest()[:16], 16) % count + 1


def metrics(path):
    """{(name, labels): number}, and that it is in order."""
    text = pathlib.Path(path).read_text()
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                              text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    plain = [line for line in text.splitlines() if not line.startswith("#")]
    found = SAMPLE.findall(text)
    assert len(found) == len(plain) and len(set(found)) == len(found)
    return {(name, labels): float(number) for name, labels, number in found}


def of(figures, name, account, *labels):
    return figures.get((name, ",".join([f'account="{account}"', *labels])))


def test_each_account_falls_to_one_share_by_its_name_alone(account):
    names = others(account, 12)
    seen = []
    for index in (1, 2, 3):
        ran = [event["account"] for event in account.sync(f"--shard={index}/3").of("account")]
        assert ran == [name for name in names if share_of(name, 3) == index]
        seen += ran
    assert sorted(seen) == sorted(names)
    # Named ones, too; a share that holds none of them is in sync.
    mine = next(name for name in names if share_of(name, 3) == 2)
    result = account.run("--json", "sync", mine, "--shard=2/3")
    assert [event["account"] for event in result.of("account")] == [mine]
    result = account.run("sync", mine, "--shard=1/3")
    assert (result.status, result.out, result.err) == (0, "", "")


def test_a_shell_reckons_shares_as_the_documents_say():
    text = (pathlib.Path(program.ROOT) / "docs" / "FLEET.md").read_text()
    function, = re.findall(r"^ +(share\(\) .*)$", text, re.MULTILINE)
    names = ["work", "a", "x.y_z-1", "0"]
    script = f"{function}\n" + "".join(f"share {name} {count}\n" for name in names for count in (1, 4, 7, 1000))
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert list(map(int, done.stdout.split())) == [share_of(name, count) for name in names
                                                   for count in (1, 4, 7, 1000)]


def test_so_many_accounts_run_at_once_and_no_more(make_account, tmp_path):
    """Each session waits until as many are there as may be; one more would come, too."""
    account = make_account()
    names = others(account, 6)
    gate = tmp_path / "gate"
    gate.mkdir()
    # Notes itself, waits for the others, notes how many are there, and leaves.
    script = (f'cd {gate}; touch in.$MAILSYNC_ACCOUNT; '
              'until [ $(ls in.* out.* 2>/dev/null | wc -l) -ge $WANTED ]; do sleep 0.02; done; '
              'ls in.* | wc -l >>most; mv in.$MAILSYNC_ACCOUNT out.$MAILSYNC_ACCOUNT')
    for keys in (account.keys, *account.others.values()):
        keys["pre_sync"] = script
    account.sync("--jobs=3", env={"WANTED": "3"})
    most = [int(line) for line in (gate / "most").read_text().split()]
    assert len(most) == len(names) and max(most) == 3
    for path in gate.iterdir():
        path.unlink()
    account.sync("--jobs", "1", env={"WANTED": "1"})
    assert set((gate / "most").read_text().split()) == {"1"}
    for path in gate.iterdir():
        path.unlink()
    account.sync("--jobs", "500", env={"WANTED": str(len(names))})
    assert str(len(names)) in (gate / "most").read_text().split()


def test_the_metrics_tell_of_each_account_how_it_went(account, remote, tmp_path):
    names = others(account, 3)
    account.others["account a2"]["password"] = "wrong"
    append(remote, 3)
    path = tmp_path / "share.prom"
    began = int(time.time())
    assert account.sync("--metrics", str(path), status=None).status == 77
    now = metrics(path)
    assert now["mailsync_accounts", 'file="share.prom"'] == len(names)
    assert of(now, "mailsync_status", "home") == 0 and of(now, "mailsync_status", "a2") == 77
    assert of(now, "mailsync_last_run_messages", "home", 'kind="downloaded"') == 3
    assert of(now, "mailsync_messages", "home") == 3 and of(now, "mailsync_messages", "a1") == 0
    assert of(now, "mailsync_pending_messages", "home") == 0
    assert of(now, "mailsync_unproven_messages", "home") == 3
    assert of(now, "mailsync_last_run_bytes", "home", 'direction="in"') > 1000
    assert of(now, "mailsync_last_run_duration_seconds", "home") > 0
    assert began <= of(now, "mailsync_last_success_timestamp_seconds", "home") <= time.time()
    assert of(now, "mailsync_last_success_timestamp_seconds", "a2") is None
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path))[-1] == "share.prom"

    # Another group may read it, and so it stays; it is another file each time; a failure keeps when
    # it went well, and a proof is told.
    path.chmod(0o640)
    before = path.stat()
    assert account.run("verify", account.name).status == 0
    account.keys["password"] = "wrong"
    assert account.sync("--metrics", str(path), status=None).status == 77
    then = metrics(path)
    assert path.stat().st_mode & 0o777 == 0o640 and path.stat().st_ino != before.st_ino
    assert of(then, "mailsync_status", "home") == 77
    key = "mailsync_last_success_timestamp_seconds"
    assert of(then, key, "home") == of(now, key, "home")
    assert of(then, "mailsync_unproven_messages", "home") == 0
    assert of(then, "mailsync_oldest_proof_timestamp_seconds", "home") >= began


def test_what_the_brake_holds_is_in_the_metrics(account, remote, tmp_path):
    append(remote, 30)
    account.sync()
    for uid in range(1, 26):
        remote.expunge("INBOX", uid)
    path = tmp_path / "m.prom"
    account.sync("--metrics", str(path), status=79)
    now = metrics(path)
    assert of(now, "mailsync_status", "home") == 79
    assert of(now, "mailsync_held_messages", "home") == 25
    assert of(now, "mailsync_messages", "home") == 30


def test_metrics_that_cannot_be_written_are_an_error_and_the_mail_is_there(account, remote, tmp_path):
    append(remote, 1)
    result = account.run("sync", "--metrics", str(tmp_path / "nowhere" / "m.prom"))
    assert result.status == 74 and "nowhere/m.prom" in result.err
    assert count(account) == 1


def test_a_share_without_accounts_has_metrics_of_none(account, tmp_path):
    index = share_of(account.name, 2)
    path = tmp_path / "m.prom"
    result = account.run("sync", f"--shard={3 - index}/2", "--metrics", str(path))
    assert (result.status, result.out, result.err) == (0, "", "")
    assert metrics(path)["mailsync_accounts", 'file="m.prom"'] == 0


def test_a_share_without_accounts_is_watched_until_it_has_some(account, tmp_path):
    path = tmp_path / "m.prom"
    index = 3 - share_of(account.name, 2)
    other = next(name for name in map("a{}".format, range(100)) if share_of(name, 2) == index)

    def about(number):
        return path.exists() and metrics(path)["mailsync_accounts", 'file="m.prom"'] == number

    with Watch(account, f"--shard={index}/2", "--metrics", str(path)) as watch:
        watch.wait(lambda: about(0), "it is written that there is none")
        account.others[f"account {other}"] = dict(account.keys, maildir=str(account.folder / "other"))
        account.write_config()
        watch.send(signal.SIGHUP)
        watch.until("watching", account=other)
        watch.wait(lambda: about(1) and of(metrics(path), "mailsync_status", other) == 0, "one came")
        del account.others[f"account {other}"]
        account.write_config()
        watch.send(signal.SIGHUP)
        watch.wait(lambda: about(0), "it went")


def test_where_few_are_synced_at_once_each_has_its_turn(account, remote, tmp_path):
    *busy, last = others(account, 3)
    account.sync()
    # There is always something new in all others by the time that one of them is done.
    for name, keys in zip(busy, [account.keys, account.others["account a1"]]):
        keys["pre_sync"] = f"echo Subject: $$ >{keys['maildir']}/INBOX/cur/{name}-$$:2,; sleep 0.5"
    began = tmp_path / "began"
    account.others[f"account {last}"]["pre_sync"] = f"echo >>{began}"
    with Watch(account, "--jobs", "1") as watch:
        for times in (1, 2):
            watch.wait(lambda: began.exists() and began.read_text().count("\n") >= times,
                       f"its turn came {times} times", timeout=30)
            watch.send(signal.SIGUSR1)


@contextlib.contextmanager
def locked(path):
    """As by another run, which writes there."""
    with open(f"{path}.tmp", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_a_wait_for_another_that_writes_the_metrics_ends_by_a_signal(account, remote, tmp_path):
    append(remote, 1)
    path = tmp_path / "m.prom"
    with locked(path):
        run = account.start("sync", "--metrics", str(path))
        program.wait_until(lambda: count(account) == 1)
        run.send_signal(signal.SIGTERM)
        result = program.finish(run)
        assert (result.status, result.err.count("stopped by a signal")) == (75, 1)
        with Watch(account, "--metrics", str(path)) as watch:
            watch.wait(lambda: watch.of("account"), "it has synced")
            assert watch.end().status == 0
        assert watch.result.err == ""
    assert not path.exists()


def test_runs_that_write_one_file_of_metrics_leave_it_whole(account, tmp_path):
    account.sync()
    path = tmp_path / "m.prom"
    (tmp_path / "m.prom.tmp").write_text("half a fi")       # of a run that died
    runs = [account.start("sync", "--wait", "--metrics", str(path)) for _ in range(4)]
    for run in runs:
        assert program.finish(run).status == 0
    assert metrics(path)["mailsync_accounts", 'file="m.prom"'] == 1
    assert not (tmp_path / "m.prom.tmp").exists()


def test_a_watch_writes_its_metrics_after_each_sync(account, remote, tmp_path):
    path = tmp_path / "m.prom"
    with Watch(account, "--metrics", str(path)) as watch:
        watch.until("watching")
        program.wait_until(path.exists)
        assert of(metrics(path), "mailsync_messages", "home") == 0
        append(remote, 2)
        program.wait_until(lambda: of(metrics(path), "mailsync_messages", "home") == 2)
    assert of(metrics(path), "mailsync_status", "home") == 0


def test_that_a_watch_cannot_write_its_metrics_is_said_once(account, remote, tmp_path):
    path = tmp_path / "nowhere" / "m.prom"
    with Watch(account, "--metrics", str(path)) as watch:
        def said():
            return sum("nowhere/m.prom" in line for line in watch.lines)

        def brought(number):
            append(remote, 1, seed=str(number))
            watch.wait(lambda: count(account) == number, "new mail is here")
            watch.send(signal.SIGUSR1)          # once more, and by then that is written, or said
            watch.until("watching", since=watch.mark())

        watch.until("watching")
        for number in (1, 2, 3):
            brought(number)
        assert said() == 1
        path.parent.mkdir()
        brought(4)
        watch.wait(path.exists, "they are written")
        path.parent.rename(tmp_path / "away")
        brought(5)
        watch.wait(lambda: said() == 2, "it is said again")


def test_what_a_sync_comes_to_that_is_under_way_at_the_end_is_measured(account, remote, tmp_path):
    path, began, gate = tmp_path / "m.prom", tmp_path / "began", tmp_path / "gate"
    append(remote, 2)
    account.change(post_sync=f"echo >{began}; until [ -e {gate} ]; do sleep 0.05; done")
    with Watch(account, "--metrics", str(path)) as watch:
        watch.wait(began.exists, "the hook runs")
        watch.send(signal.SIGTERM)
        gate.touch()
        watch.ended()
    assert watch.result.err == ""
    now = metrics(path)
    assert of(now, "mailsync_status", "home") == 0
    assert of(now, "mailsync_last_run_messages", "home", 'kind="downloaded"') == 2
