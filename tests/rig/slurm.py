"""A private Slurm of one node: munge, controller and node as processes of our own, with directories,
ports and keys of their own; no service of the system is touched.

with Slurm() as slurm:
    job = slurm.sbatch("--array=1-4", script)
"""

import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .host import end_with_parent, free_ports, quiet, scratch_dir, wait_for_port

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
START_SECONDS = 60

CONF = """
ClusterName=mailsync
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={base}/munge.socket
CredType=cred/munge
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool
SlurmctldPidFile={base}/slurmctld.pid
SlurmdPidFile={base}/slurmd.pid
SlurmctldLogFile={base}/slurmctld.log
SlurmdLogFile={base}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
KillWait=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1,defer
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=mail Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    @staticmethod
    def is_there():
        return all(shutil.which(name, path=PATH) for name in PROGRAMS)

    def __init__(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="ms-slurm-", dir=scratch_dir()))
        self.base.chmod(0o755)
        self.processes = []
        self.environment = dict(os.environ, PATH=PATH, SLURM_CONF=str(self.base / "slurm.conf"))

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        port = free_ports(2)
        host = socket.gethostname().split(".")[0]
        for name in ("state", "spool"):
            (self.base / name).mkdir(mode=0o755)
        key = self.base / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        (self.base / "slurm.conf").write_text(CONF.format(
            base=self.base, host=host, user=pwd.getpwuid(os.getuid()).pw_name,
            controller=port, node=port + 1))
        (self.base / "cgroup.conf").write_text("CgroupAutomount=no\nIgnoreSystemd=yes\n")
        self.launch("munged", "--foreground", "--force", f"--socket={self.base}/munge.socket",
                    f"--key-file={key}", f"--pid-file={self.base}/munged.pid",
                    f"--log-file={self.base}/munged.log", f"--seed-file={self.base}/munged.seed")
        self.wait((self.base / "munge.socket").exists)
        self.launch("slurmctld", "-D", "-c", "-f", self.base / "slurm.conf")
        wait_for_port(port, self.processes[-1], START_SECONDS)
        self.launch("slurmd", "-D", "-f", self.base / "slurm.conf", "-N", host)
        wait_for_port(port + 1, self.processes[-1], START_SECONDS)
        self.wait(lambda: "idle" in self.run("sinfo", "--noheader", "-o", "%t"))

    def launch(self, name, *argv):
        with open(self.base / f"{name}.out", "ab") as log:
            self.processes.append(subprocess.Popen(
                [shutil.which(name, path=PATH), *map(str, argv)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self.environment, preexec_fn=end_with_parent))

    def wait(self, holds, seconds=START_SECONDS):
        end = time.monotonic() + seconds
        while not holds():
            for process in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"Slurm does not start: {self.said()}")
            if time.monotonic() > end:
                raise RuntimeError(f"not within {seconds} s: {self.said()}")
            time.sleep(0.05)

    def said(self):
        return "".join(f"\n--- {path.name}\n{path.read_text(errors='replace')[-1500:]}"
                       for path in sorted([*self.base.glob("*.log"), *self.base.glob("*.out")]))

    def run(self, *argv):
        return quiet(list(map(str, argv)), env=self.environment)

    def sbatch(self, *argv, env=None):
        """The number of the job."""
        environment = dict(self.environment, **(env or {}))
        return int(quiet(["sbatch", "--parsable", *map(str, argv)], env=environment).split(";")[0])

    def states(self, job):
        """{task: state} of an array job."""
        lines = self.run("scontrol", "--oneliner", "show", "job", job).splitlines()
        fields = [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]
        return {one.get("ArrayTaskId", "0"): one["JobState"] for one in fields}

    def wait_for(self, job, seconds=300):
        """Until no task of JOB waits or runs; {task: state}."""
        def ended():
            return not set(self.states(job).values()) & {"PENDING", "CONFIGURING", "RUNNING", "COMPLETING",
                                                         "REQUEUED", "SUSPENDED"}
        self.wait(ended, seconds)
        return self.states(job)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait(10)
        self.processes = []
        shutil.rmtree(self.base, ignore_errors=True)
