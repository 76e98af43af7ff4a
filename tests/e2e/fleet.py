"""Many accounts on engines that share work out: Slurm, GNU parallel, over ssh or not. A tier of its own
(`tests/run --out build fleet`): it needs those programs (`tests/rig/setup fleet`).

Forty accounts of one server, four shares; one share is killed in the middle and given out again. Then both
sides hold the same, each message once, and a further run has nothing to do.
"""

import collections
import os
import pathlib
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import sys

import pytest

from rig import mail, program
from rig.host import PASSWORD, end_with_parent, free_ports, quiet, wait_for_port
from rig.imap import Imap
from rig.slurm import Slurm

EXAMPLES = pathlib.Path(program.ROOT) / "examples" / "fleet"
ACCOUNTS, SHARES, LETTERS = 40, 4, 6
KILLED = 3                                    # the share that a node takes along
MINUTES = 240


class Fleet:
    """The accounts, their server, and a job of ours for each share."""

    def __init__(self, account):
        self.first = account
        self.names = [account.name] + [f"a{number}" for number in range(1, ACCOUNTS)]
        for name in self.names[1:]:
            account.others[f"account {name}"] = dict(
                account.keys, user=account.user + name, password=PASSWORD,
                maildir=str(account.folder / f"mail-{name}"))
        self.top = account.folder
        account.write_config()
        for name in self.names:
            with Imap(account.server.port, self.user(name)) as session:
                for number in range(LETTERS):
                    session.append("INBOX", self.letter(name, number), (), 1_600_000_000 + number)

    def user(self, name):
        return self.first.user if name == self.first.name else self.first.user + name

    def maildir(self, name):
        keys = self.first.keys if name == self.first.name else self.first.others[f"account {name}"]
        return pathlib.Path(keys["maildir"])

    @staticmethod
    def letter(name, number):
        return mail.one(number, seed=name, size=2000)

    def files(self, name):
        return [path for folder in ("cur", "new") for path in self.maildir(name).glob(f"INBOX/{folder}/*")]

    def program(self, hold):
        """A `mailsync` for the PATH of a node, which notes each run of a share, and is told where it has to wait.

        HOLD: the share that does, the first time."""
        folder = self.top / "bin"
        folder.mkdir()
        path = folder / "mailsync"
        path.write_text(
            "#!/bin/sh\n"
            'for word; do case $word in [0-9]*/[0-9]*) share=${word%/*} ;; esac; done\n'
            f'runs={self.top}/runs.$share\necho $$ >>"$runs"\n'
            f'[ "$share" != {hold} ] || [ $(wc -l <"$runs") != 1 ] || export HOLD={self.top}/held\n'
            f'exec {shlex.quote(str(program.binary()))} "$@"\n')
        path.chmod(0o755)
        return folder

    def environment(self, path):
        return self.first.environment(PATH=f"{self.program(KILLED)}:{path}", METRICS=str(self.top), JOBS="2",
                                      MAILSYNC_CONFIG=str(self.first.config), SHARES=str(SHARES))

    def hold_in_the_middle(self):
        """With $HOLD set, every account's run waits behind its sync once five have been there."""
        script = ('[ -z "$HOLD" ] || { echo >>"$HOLD"; '
                  'while [ -e "$HOLD" ] && [ $(wc -l <"$HOLD") -ge 5 ]; do sleep 0.1; done; }')
        for keys in (self.first.keys, *self.first.others.values()):
            keys["post_sync"] = script
        self.first.write_config()

    def is_held(self):
        held = self.top / "held"
        return held.exists() and len(held.read_text().splitlines()) >= 5

    def kill_share(self, share):
        pid = int((self.top / f"runs.{share}").read_text().split()[0])
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        assert f"{share}/{SHARES}".encode() in words, words
        os.kill(pid, signal.SIGKILL)
        (self.top / "held").unlink()          # its hooks end

    def runs(self, share):
        return len((self.top / f"runs.{share}").read_text().split())

    def prove(self):
        """All in sync, nothing doubled, nothing sent; each account was one share's alone; and that share
        ran twice which was killed."""
        assert [self.runs(share) for share in range(1, SHARES + 1)] == [1 + (share == KILLED)
                                                                        for share in range(1, SHARES + 1)]
        for name in self.names:
            wanted = collections.Counter(self.letter(name, number).replace(b"\r\n", b"\n")
                                         for number in range(LETTERS))
            assert collections.Counter(path.read_bytes() for path in self.files(name)) == wanted, name
            with Imap(self.first.server.port, self.user(name)) as session:
                assert list(map(int, session.uids("INBOX"))) == list(range(1, LETTERS + 1)), name
        for keys in (self.first.keys, *self.first.others.values()):
            del keys["post_sync"]
        result = self.first.sync()
        assert all(not program.nonzero(event) for event in result.of("account")), result
        assert len(result.of("account")) == ACCOUNTS
        told = collections.Counter()
        for share in range(1, SHARES + 1):
            text = (self.top / f"mailsync-{share}.prom").read_text()
            told.update(name for name in self.names if f'mailsync_status{{account="{name}"}} 0\n' in text)
        assert told == collections.Counter(self.names)


@pytest.fixture
def fleet(make_account):
    made = Fleet(make_account())
    made.hold_in_the_middle()
    return made


def test_a_slurm_array_whose_share_is_killed_and_requeued(fleet, tmp_path):
    if not Slurm.is_there():
        pytest.skip("Slurm is not installed")
    with Slurm() as slurm:
        environment = fleet.environment(slurm.environment["PATH"])
        job = slurm.sbatch(f"--array=1-{SHARES}", f"--output={tmp_path}/share-%a.log", EXAMPLES / "mailsync.sbatch",
                           env=dict(environment, SLURM_CONF=slurm.environment["SLURM_CONF"]))
        slurm.wait(fleet.is_held, MINUTES)
        fleet.kill_share(KILLED)
        slurm.wait(lambda: slurm.states(job)[str(KILLED)] == "FAILED", MINUTES)
        slurm.run("scontrol", "requeue", f"{job}_{KILLED}")
        ends = slurm.wait_for(job, MINUTES)
    assert ends == {str(share): "COMPLETED" for share in range(1, SHARES + 1)}, \
        [path.read_text() for path in tmp_path.glob("share-*.log")]
    fleet.prove()


class Sshd:
    """Two names of this machine, as machines that one may log in to by key."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_ports(1)
        folder.mkdir()
        for name in ("host", "user"):
            quiet(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)])
        (folder / "sshd.conf").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {folder}/user.pub\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "PermitRootLogin prohibit-password\nMaxStartups 100\nAcceptEnv *\n")
        (folder / "ssh.conf").write_text(
            f"Host one two\nHostName 127.0.0.1\nPort {self.port}\nUser {pwd.getpwuid(os.getuid()).pw_name}\n"
            f"IdentityFile {folder}/user\nIdentitiesOnly yes\nStrictHostKeyChecking no\n"
            f"UserKnownHostsFile {folder}/known\nLogLevel ERROR\n")

    def __enter__(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/sshd", "-D", "-e", "-f", str(self.folder / "sshd.conf")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_parent)
        wait_for_port(self.port, self.process)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    @property
    def ssh(self):
        return f"ssh -F {self.folder}/ssh.conf"

    def lets_in(self):
        done = subprocess.run([*self.ssh.split(), "one", "true"], capture_output=True, check=False)
        return done.returncode == 0


def run_parallel(fleet, tmp_path, *argv):
    """One share is killed in the middle; parallel gives it out again."""
    environment = fleet.environment(os.environ["PATH"])
    # What a login on another machine would have.
    told = shlex.join(["env", *(f"{name}={environment[name]}" for name in ("PATH", "HOME", "MAILSYNC_CONFIG"))])
    with open(tmp_path / "parallel.log", "wb") as log:
        process = subprocess.Popen(
            ["parallel", "--will-cite", "--retries", "3", *argv,
             f"{told} mailsync --shard {{}}/{SHARES} --jobs 2 --wait --metrics {fleet.top}/mailsync-{{}}.prom",
             ":::", *map(str, range(1, SHARES + 1))],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        program.wait_until(lambda: fleet.is_held() or process.poll() is not None, MINUTES)
        assert process.poll() is None, (tmp_path / "parallel.log").read_text()
        fleet.kill_share(KILLED)
        assert process.wait(MINUTES) == 0, (tmp_path / "parallel.log").read_text()
    fleet.prove()


def test_gnu_parallel_gives_a_killed_share_out_again(fleet, tmp_path):
    if not shutil.which("parallel"):
        pytest.skip("GNU parallel is not installed")
    run_parallel(fleet, tmp_path, "--jobs", str(SHARES))


def test_gnu_parallel_over_ssh_gives_it_to_the_other_machine(fleet, tmp_path):
    if not shutil.which("parallel") or not os.path.exists("/usr/sbin/sshd"):
        pytest.skip("GNU parallel or sshd is not installed")
    if os.getuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    with Sshd(tmp_path / "ssh") as sshd:
        if not sshd.lets_in():
            pytest.skip("a private sshd does not let this user in")
        run_parallel(fleet, tmp_path, "--jobs", "2", "--ssh", sshd.ssh, "-S", "one,two")


# What an administrator copies.


def test_the_alert_rules_tell_what_they_should(tmp_path):
    if not shutil.which("promtool"):
        pytest.skip("promtool (Debian's package prometheus) is not installed")
    shutil.copy(EXAMPLES / "alerts.yml", tmp_path)
    shutil.copy(pathlib.Path(__file__).parent / "alerts_test.yml", tmp_path)
    quiet(["promtool", "check", "rules", "alerts.yml"], cwd=tmp_path)
    quiet(["promtool", "test", "rules", "alerts_test.yml"], cwd=tmp_path)
    # Of what the program writes, and of nothing else.
    written = set(re.findall(r'"(mailsync_\w+)"', (pathlib.Path(program.ROOT) / "src/cli/cli_metrics.c").read_text()))
    assert set(re.findall(r"\bmailsync_\w+", (EXAMPLES / "alerts.yml").read_text())) <= written


def test_the_manifest_is_an_indexed_cron_job(account):
    """No cluster is asked: that it is YAML, that each field has its place (batch/v1, as the API's reference
    of Kubernetes 1.31 has it), and that shell, shares, volumes and configuration fit together."""
    yaml = pytest.importorskip("yaml")
    config, claim, cron = yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text())
    assert [(one["apiVersion"], one["kind"]) for one in (config, claim, cron)] == [
        ("v1", "ConfigMap"), ("v1", "PersistentVolumeClaim"), ("batch/v1", "CronJob")]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert set(cron["spec"]) <= {"schedule", "concurrencyPolicy", "startingDeadlineSeconds", "jobTemplate",
                                 "successfulJobsHistoryLimit", "failedJobsHistoryLimit", "timeZone", "suspend"}
    assert cron["spec"]["concurrencyPolicy"] == "Forbid" and len(cron["spec"]["schedule"].split()) == 5
    job = cron["spec"]["jobTemplate"]["spec"]
    assert set(job) <= {"completionMode", "completions", "parallelism", "backoffLimit", "podReplacementPolicy",
                        "activeDeadlineSeconds", "template", "ttlSecondsAfterFinished", "podFailurePolicy"}
    assert job["completionMode"] == "Indexed" and job["parallelism"] <= job["completions"]
    pod = job["template"]["spec"]
    assert set(pod) <= {"restartPolicy", "terminationGracePeriodSeconds", "automountServiceAccountToken",
                        "securityContext", "containers", "volumes"}
    assert pod["restartPolicy"] == "Never"
    container, = pod["containers"]
    assert set(container) <= {"name", "image", "env", "command", "resources", "securityContext", "volumeMounts"}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    environment = {one["name"]: one["value"] for one in container["env"]}
    assert all(isinstance(value, str) for value in environment.values())
    assert environment["SHARES"] == str(job["completions"])
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert environment["METRICS"].startswith(mounts["mail"] + "/")

    # Its configuration is one.
    path = account.folder / "k8s.conf"
    path.write_text(config["data"]["mailsync.conf"].replace("/mail/", f"{account.folder}/"))
    done = subprocess.run([str(program.binary()), "--config", str(path), "status"], capture_output=True, text=True,
                          check=False, env=account.environment())
    assert done.returncode == 0 and "anna" in done.stdout + done.stderr, done


class Pod:
    """The shell of the manifest's container, with a mailsync of ours on its PATH."""

    def __init__(self, folder, program_text):
        yaml = pytest.importorskip("yaml")
        *_, cron = yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text())
        container, = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
        (folder / "bin").mkdir()
        path = folder / "bin" / "mailsync"
        path.write_text(program_text)
        path.chmod(0o755)
        self.command = container["command"]
        self.environment = {**{one["name"]: one["value"] for one in container["env"]}, "FOLDER": str(folder),
                            "METRICS": str(folder / "volume" / "metrics"), "JOB_COMPLETION_INDEX": "2",
                            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}

    def start(self, **env):
        return subprocess.Popen(self.command, env={**self.environment, **env}, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=end_with_parent)


@pytest.mark.parametrize("status, ends", [(0, 0), (75, 0), (79, 79)])
def test_a_pod_syncs_its_share(tmp_path, status, ends):
    """The index counts from 0; the folder of figures is made; what passes by itself is no failure."""
    pod = Pod(tmp_path, '#!/bin/sh\necho "$1 $2 $3 $4"\necho figures >"$6"\nexit "$STATUS"\n')
    process = pod.start(STATUS=str(status))
    said, _ = process.communicate(timeout=MINUTES)
    assert (process.returncode, said) == (ends, "--config /config/mailsync.conf --shard 3/8\n")
    assert (tmp_path / "volume" / "metrics" / "mailsync-3.prom").read_text() == "figures\n"


def test_a_pod_that_is_told_to_go_ends_its_run_in_order(tmp_path):
    """SIGTERM comes to the shell alone: it is passed on, and the end is waited for."""
    pod = Pod(tmp_path, f"#!{sys.executable}\n" + """
import os, pathlib, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
for event in ("begun", "told", "told again"):
    pathlib.Path(os.environ["FOLDER"], event).touch()
    if event != "told again" and not signal.sigtimedwait({signal.SIGTERM}, 60):
        raise SystemExit("nothing was told")
raise SystemExit(79)
""")
    process = pod.start()
    for event in ("begun", "told"):
        program.wait_until((tmp_path / event).exists)
        process.send_signal(signal.SIGTERM)
    assert process.wait(program.TIMEOUT) == 79 and (tmp_path / "told again").exists()


def test_the_units_of_a_share_are_in_order(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    folder = tmp_path / "units"
    folder.mkdir()
    for kind in ("service", "timer"):
        text = (EXAMPLES / f"mailsync-shard@.{kind}").read_text()
        (folder / f"mailsync-shard@.{kind}").write_text(
            text.replace("ExecStart=mailsync", f"ExecStart={program.binary()}"))
    names = ["mailsync-shard@3-8.service", "mailsync-shard@3-8.timer"]
    done = subprocess.run(["systemd-analyze", "--user", "verify", "--man=no", *names], capture_output=True,
                          text=True, check=False,
                          env=dict(os.environ, SYSTEMD_UNIT_PATH=f"{folder}:/usr/lib/systemd/user"))
    assert "mailsync-shard" not in done.stderr, done.stderr
    path = quiet(["systemd-escape", "--unescape", "3-8"]).strip()
    assert path == "3/8"
    # The folder that its figures go to is made.
    unit = (EXAMPLES / "mailsync-shard@.service").read_text()
    made = re.search(r"^StateDirectory=(.*)$", unit, re.M)[1]
    assert f"--metrics %S/{made}/%i.prom\n" in unit and made != "mailsync" and "\nStateDirectoryMode=0700\n" in unit
