"""The ground that private servers stand on: a base directory, free loopback ports, certificates of
a CA of our own, and processes that end when we do.

A server listens on loopback only, keeps all it makes below its base directory and touches no
service of the system. As root its mail belongs to user `mail`, else to whoever runs the tests.
"""

import atexit
import ctypes
import os
import pathlib
import pwd
import random
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PASSWORD = 's3cret"pa\\ss'
PDEATHSIG = 1


def mail_owner():
    """The passwd entry of the user that stores mail."""
    return pwd.getpwnam("mail") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


def data_dir():
    """Where optional extra test data lies (folders mail and wire), or None."""
    repository = pathlib.Path(__file__).resolve().parents[2]
    path = pathlib.Path(os.environ.get("MAILSYNC_TEST_DATA", repository.parent / "shared"))
    return path if path.is_dir() else None


def compile_c(source, out, *args):
    """Compiles SOURCE to OUT with $CC, which may be several words; fails without a compiler."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    quiet([*compiler, "-O2", "-o", str(out), str(source), *args])


SCRATCH_BYTES = 4 << 30


def scratch_dir():
    """Where short-lived trees lie: in memory where there is enough of it, since hardly anything here is
    about how fast a disk is; $MAILSYNC_RIG_DIR says otherwise."""
    own = os.environ.get("MAILSYNC_RIG_DIR")
    if own:
        return own
    try:
        memory = os.statvfs("/dev/shm")
        if os.access("/dev/shm", os.W_OK) and memory.f_bavail * memory.f_frsize >= SCRATCH_BYTES:
            return "/dev/shm"
    except OSError:
        pass
    return tempfile.gettempdir()


def port_is_free(port):
    for address in ("127.0.0.1", "127.0.0.2"):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((address, port))
            except OSError:
                return False
    return True


def free_ports(count):
    """COUNT neighbouring ports that nobody listens on, below those the kernel hands out itself;
    from $MAILSYNC_TEST_PORTS (first-last) where it is set."""
    first, last = map(int, os.environ.get("MAILSYNC_TEST_PORTS", "20000-29999").split("-"))
    for _ in range(500):
        port = random.SystemRandom().randrange(first, last - count + 2)
        if all(port_is_free(port + n) for n in range(count)):
            return port
    raise RuntimeError("no free ports")


def wait_for_port(port, process=None, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


def end_with_parent():
    """In a child, before exec: SIGTERM it when the parent dies, however that happens (Linux)."""
    try:
        ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    except (OSError, AttributeError):
        pass


def quiet(argv, **options):
    """Run to the end; what it said is in the exception when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
CA_CONFIG = """
[ca]
default_ca = rig
[rig]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
default_days = 3650
policy = any
unique_subject = no
[any]
commonName = supplied
[server]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = %s
[client]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
"""


class Authority:
    """A certificate authority in FOLDER, made where it is not there yet."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca = self.folder / "ca.pem"
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.ca.exists():
            self.self_signed("ca", "mailsync test CA", [
                "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign"])

    def self_signed(self, name, subject, options=()):
        quiet(["openssl", "req", "-x509", *EC, "-days", "3650", "-subj", f"/CN={subject}",
               "-keyout", f"{name}.key", "-out", f"{name}.pem", *options], cwd=self.folder)

    def issue(self, name, kind, hosts=()):
        """(certificate, key) of a server (good, wrong-host, expired, self-signed) or a client;
        for HOSTS, else for this machine."""
        pem, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        if pem.exists():
            return pem, key
        good = ",".join(f"DNS:{host}" for host in hosts) or "DNS:localhost,IP:127.0.0.1,IP:127.0.0.2"
        if kind == "self-signed":
            self.self_signed(name, "localhost", ["-addext", f"subjectAltName={good}"])
            return pem, key
        names = "DNS:other.example" if kind == "wrong-host" else good
        (self.folder / "ca.cnf").write_text(CA_CONFIG % names)
        (self.folder / "index.txt").write_text("")
        subject = name if kind == "client" else "localhost"
        quiet(["openssl", "req", *EC, "-keyout", f"{name}.key", "-out", f"{name}.csr",
               "-subj", f"/CN={subject}"], cwd=self.folder)
        past = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]
        quiet(["openssl", "ca", "-batch", "-notext", "-config", "ca.cnf",
               "-extensions", "client" if kind == "client" else "server",
               "-cert", "ca.pem", "-keyfile", "ca.key", "-in", f"{name}.csr",
               "-out", f"{name}.pem", *(past if kind == "expired" else [])], cwd=self.folder)
        return pem, key


class Server:
    """A private server. Subclasses write the configuration and name the command.

    server = Dovecot(separator="."); server.start(); ...; server.stop()

    `port` is IMAP; port + 1 IMAPS, + 2 POP3, + 3 POP3S. stop() also runs when the interpreter ends.
    """

    name = "server"

    def __init__(self, base=None):
        self.owner = mail_owner()
        self.is_temporary = base is None
        if base is None:
            base = tempfile.mkdtemp(prefix="ms-", dir=scratch_dir())
        self.base = pathlib.Path(base)
        # Sockets lie some 40 bytes below, and the name of one holds 107 bytes.
        if len(str(self.base)) > 64:
            raise RuntimeError(f"{self.base} is too long a name for Unix sockets")
        self.base.mkdir(parents=True, exist_ok=True)
        self.base.chmod(0o755)
        self.mail = self.base / "mail"
        self.authority = Authority(self.base / "tls")
        self.port = free_ports(4)
        self.process = None
        atexit.register(self.stop)

    @property
    def ca(self):
        return self.authority.ca

    def own(self, *paths):
        """Make directories, and give them to the user that stores mail."""
        for path in paths:
            path.mkdir(parents=True, exist_ok=True)
            if os.getuid() == 0:
                os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def launch(self, argv, **options):
        log = open(self.base / "server.log", "ab")
        with log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=end_with_parent, **options)
        try:
            wait_for_port(self.port, self.process)
        except RuntimeError as error:
            self.end_process()
            raise RuntimeError(f"{self.name}: {error}; it said:\n{self.log_text()}") from None

    def log_text(self):
        texts = [p.read_text(errors="replace") for p in sorted(self.base.glob("*.log"))]
        return "".join(texts)[-4000:]

    def end_process(self):
        """End the whole session that the server made; nothing of another process."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(0.3)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        process.wait(10)

    def stop(self):
        atexit.unregister(self.stop)
        self.end_process()
        if self.is_temporary and not os.environ.get("MAILSYNC_RIG_KEEP"):
            shutil.rmtree(self.base, ignore_errors=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
