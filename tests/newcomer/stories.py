"""Anna has a clean Debian, mailsync, and an address. She types what the program tells her to, and
nothing else: `init`, then the commands that it prints, and where she is refused she opens the page that the
refusal names. Around her is an internet of our own in a network namespace: names, ports and certificates
are those of the real one, which is why nothing of the program has to be led astray.

stories.py ROOT [-v]: in namespaces of its own (run). ROOT is her system.
"""

import base64
import contextlib
import fcntl
import hashlib
import json
import pathlib
import re
import shutil
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig.authority import Authority                     # noqa: E402
from rig.dovecot import Dovecot                         # noqa: E402
from rig.host import PASSWORD                           # noqa: E402
from rig.imap import Imap                               # noqa: E402
from rig.internet import Internet, Names, Tcp, Web      # noqa: E402
from rig.scripted import Scripted, always               # noqa: E402
from rig.terminal import Terminal                       # noqa: E402

HOME = "/home/anna"
TYPED = re.compile(r"^  (\S.*?)(    and type .*)?$")
MAIL = {"INBOX": [b"Subject: %d\r\n\r\nHello Anna.\r\n" % n for n in range(3)],
        "Sent": [b"Subject: Re: 1\r\n\r\nHello.\r\n"]}


class Door(socketserver.BaseRequestHandler):
    """TLS outside; inside it is what listens at `server.leads_to`."""

    def handle(self):
        try:
            with self.server.context.wrap_socket(self.request, server_side=True) as outside, \
                    socket.create_connection(("127.0.0.1", self.server.leads_to)) as inside:
                threading.Thread(target=self.carry, args=(outside, inside), daemon=True).start()
                self.carry(inside, outside)
        except OSError:
            pass

    @staticmethod
    def carry(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


class World:
    """The internet, with Anna's system as its only client."""

    def __init__(self, root, folder):
        self.root = root
        self.internet = Internet(folder / "internet", None)
        self.certificates = self.internet.certificates
        self.hosts = ["127.0.0.1 localhost"]
        names = socketserver.ThreadingUDPServer(("127.0.0.1", 53), Names)
        names.daemon_threads = True
        self.internet.begin(names)
        self.settle()

    def settle(self):
        """Makes ROOT a system of this internet."""
        mount("-t", "proc", "proc", str(self.root / "proc"))
        mount("--bind", "/dev", str(self.root / "dev"))
        (self.root / "etc" / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        trusted = self.root / "usr" / "local" / "share" / "ca-certificates" / "world.crt"
        shutil.copy(self.certificates.ca, trusted)
        subprocess.run(["chroot", str(self.root), "update-ca-certificates", "--fresh"], check=True,
                       capture_output=True)
        self.tell_names()
        mount("--bind", str(self.root / "etc" / "hosts"), "/etc/hosts")

    def tell_names(self):
        (self.root / "etc" / "hosts").write_text("".join(line + "\n" for line in self.hosts))

    def serve(self, name, port, handler, **facts):
        """A server at NAME, by its own address."""
        address = f"127.1.0.{len(self.hosts) + 1}"
        self.hosts.append(f"{address} {name}")
        self.tell_names()
        Tcp.allow_reuse_address = True
        server = Tcp((address, port), handler)
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(*self.certificates.issue(name, "good", [name]))
        server.is_tls = True
        vars(server).update(facts)
        self.internet.begin(server)
        return server


class Anna:
    def __init__(self, root, is_loud):
        self.root, self.is_loud = root, is_loud
        shutil.rmtree(root / HOME[1:], ignore_errors=True)
        shutil.copytree(root / "etc" / "skel", root / HOME[1:])
        subprocess.run(["chroot", str(root), "chown", "-R", "anna:", HOME], check=True)

    def say(self, text):
        if self.is_loud:
            print(text, end="" if text.endswith("\n") else "\n", flush=True)

    def argv(self, command):
        return ["chroot", "--userspec=anna", str(self.root), "env", "-i", f"HOME={HOME}", "LANG=C.UTF-8",
                "PATH=/usr/local/bin:/usr/bin:/bin", "sh", "-c", f"cd; {command}"]

    def types(self, command, status=0, then=""):
        """At a terminal. What is shown there."""
        self.say(f"anna$ {command}")
        with Terminal(self.argv(command), None, None, stdin=subprocess.PIPE) as terminal:
            with terminal.process.stdin as stdin:
                stdin.write(then.encode())
            ended = terminal.ended()
            text = terminal.shown.replace("\r\n", "\n")
        self.say(text)
        assert ended == status, f"{command} ends with {ended}:\n{text}"
        return text

    def mail(self, account):
        """What lies in her Maildir, by folder."""
        top = self.root / HOME[1:] / "Mail" / account
        return {folder: sorted(path.read_bytes() for kind in ("new", "cur")
                               for path in (top / folder / kind).iterdir()) for folder in MAIL}


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def loopback_up():
    with socket.socket() as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack("16sh", b"lo", 1 | 64))    # SIOCSIFFLAGS: UP, RUNNING


def commands_of(text):
    """The commands that init tells to type, and what one of them asks to be typed."""
    return [(found[1], found[2]) for found in map(TYPED.match, text.splitlines()) if found]


def wanted():
    return {folder: sorted(wire.replace(b"\r\n", b"\n") for wire in wires)
            for folder, wires in MAIL.items()}


def has_nothing_to_do(anna, account):
    """Which is said where it took over a second."""
    said = anna.types("mailsync")
    assert re.fullmatch(rf"(mailsync: {account}: nothing to do \(\d+\.\d s\)\n)?", said), said


def fill(server, user):
    with Imap(server.port, user) as remote:
        for folder, wires in MAIL.items():
            for wire in wires:
                remote.append(folder, wire)


def by_password(world, anna):
    """A provider of the table that is IMAP off by default."""
    with Dovecot(special_use=True) as dovecot, Scripted([always("^(LOGIN|AUTHENTICATE) ",
                                               "NO [AUTHENTICATIONFAILED] Login failed")],
                                        capabilities="IMAP4rev1 AUTH=PLAIN") as off:
        fill(dovecot, "anna@gmx.net")
        door = world.serve("imap.gmx.net", 993, Door, leads_to=off.port)
        anna.types("mailsync", status=78)
        told = anna.types("mailsync init --write anna@gmx.net")
        refusals = 0
        for command, ask in commands_of(told):
            while True:
                is_refused = "check" in command and refusals == 0
                said = anna.types(command, 77 if is_refused else 0, PASSWORD + "\n" if ask else "")
                if not is_refused:
                    break
                refusals += 1
                page = re.search(r"https://hilfe\.gmx\.net/pop-imap/\S+", said)[0]
                anna.say(f"(Anna opens {page} and allows IMAP there.)")
                door.leads_to = dovecot.port
        assert refusals == 1
        assert anna.mail("gmx") == wanted()
        has_nothing_to_do(anna, "gmx")


def pacc(world, domain, document):
    body = json.dumps(document).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    world.internet.txt(f"_ua-auto-config.{domain}", f"v=UAAC1; a=sha256; d={digest}")
    world.serve(f"ua-auto-config.{domain}", 443, Web, talk=(200, body), is_pop3=False)


def sign_in(anna, command, authority):
    """`login`, with Anna's browser."""
    anna.say(f"anna$ {command}")
    process = subprocess.Popen(anna.argv(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    for line in process.stderr:
        anna.say(line.decode())
        if line.strip().startswith(b"https://"):
            anna.say("(Anna opens that address in a browser, and consents.)")
            status, _ = authority.consent(line.decode().strip())
            assert status == 200
    assert process.wait() == 0


def by_oauth(world, anna):
    """A domain of its own that tells by PACC where its mail is, and that one signs in."""
    with Dovecot(special_use=True) as dovecot, Authority(dovecot) as authority:
        fill(dovecot, "anna@example.org")
        world.serve("imap.example.org", 993, Door, leads_to=dovecot.port)
        world.serve("auth.example.org", 443, Door, leads_to=authority.port)
        authority.issuer, authority.ca = "https://auth.example.org", str(world.certificates.ca)
        pacc(world, "example.org", {
            "protocols": {"imap": {"host": "imap.example.org"}},
            "authentication": {"oauth-public": {"issuer": authority.issuer}, "password": False}})
        told = anna.types("mailsync init --write anna@example.org")
        for command, _ in commands_of(told):
            if "login" in command:
                sign_in(anna, command, authority)
            else:
                anna.types(command)
        assert len(authority.clients) == 1, "it did not register itself"
        assert anna.mail("example") == wanted()
        has_nothing_to_do(anna, "example")


def main():
    root, is_loud = pathlib.Path(sys.argv[1]), "-v" in sys.argv[2:]
    failed = 0
    loopback_up()
    stories = (by_password, by_oauth)
    with tempfile.TemporaryDirectory(prefix="ms-new-") as folder:
        world = World(root, pathlib.Path(folder))
        for story in stories:
            try:
                if is_loud:
                    print(f"--- {story.__name__}: {story.__doc__.splitlines()[0]}", flush=True)
                story(world, Anna(root, is_loud))
            except Exception:                              # each story is told whatever another did
                traceback.print_exc()
                failed += 1
        with world.internet:
            pass
    print(f"newcomer: {len(stories) - failed} passed, {failed} failed\n"
          f"{len(stories) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
