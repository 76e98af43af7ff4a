"""A private Courier-IMAP 5: a server of the plain kind, without CONDSTORE, QRESYNC, LITERAL+,
MULTIAPPEND, MOVE, UNSELECT, SPECIAL-USE. All mailboxes are below "INBOX.".

Courier has its paths compiled in, so it runs in a mount and process namespace of its own, where
overlays show it the unpacked files in /usr and its configuration in /etc/courier. That needs root
and a kernel with overlayfs; nothing of it is seen outside. When the namespace's first process ends,
the kernel ends all others. A user's mail is the Maildir mail/USER/Maildir.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass

from . import unpack
from .host import PASSWORD, Server, quiet

PACKAGES = ["courier-base", "courier-imap", "courier-pop", "courier-authlib",
            "courier-authlib-userdb", "courier-authdaemon"]


@dataclass(frozen=True)
class Options:
    capabilities: str = ("IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT "
                         "THREAD=REFERENCES SORT QUOTA IDLE")
    certificate: str = "good"
    max_connections: int = 500     # of one address; what is beyond is closed without a word


INIT = """#!/bin/sh
set -e
mount --make-rprivate /
mount -t overlay overlay -o lowerdir={root}/usr:/usr /usr
mount -t overlay overlay -o lowerdir={base}/etc:/etc /etc
mount -t tmpfs tmpfs /run
mount -t proc proc /proc
mkdir -p /run/courier/authdaemon
chmod 755 /run/courier /run/courier/authdaemon
set -a
. /etc/courier/authdaemonrc
. /etc/courier/rig
set +a
/usr/lib/courier/courier-authlib/authdaemond &
until [ -S /run/courier/authdaemon/socket ]; do sleep 0.02; done
serve() {{
    port=$1
    shift
    /usr/sbin/couriertcpd -address=127.0.0.1 -maxprocs=1000 -maxperip={o.max_connections} \\
        -nodnslookup -noidentlookup "$port" "$@" &
}}
lib=/usr/lib/courier/courier
tls="/usr/bin/couriertls -server -tcpd -user=courier"
serve {port} $lib/imaplogin /usr/bin/imapd Maildir
serve {pop3} $lib/courierpop3login $lib/courierpop3d Maildir
export IMAP_TLS=1 POP3_TLS=1
serve {imaps} $tls $lib/imaplogin /usr/bin/imapd Maildir
serve {pop3s} $tls $lib/courierpop3login $lib/courierpop3d Maildir
wait
"""

AUTHDAEMON = """authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=3
authdaemonvar=/run/courier/authdaemon
DEBUG_LOGIN=0
DEFAULTOPTIONS=""
"""

RIG = """IMAP_CAPABILITY="{o.capabilities} AUTH=PLAIN AUTH=CRAM-MD5"
IMAP_CAPABILITY_TLS="{o.capabilities} AUTH=PLAIN AUTH=CRAM-MD5"
IMAP_KEYWORDS=1
IMAP_ACL=0
IMAP_STARTTLS=YES
IMAP_TLS_REQUIRED=0
IMAP_IDLE_TIMEOUT=2
IMAP_MAILBOX_SANITY_CHECK=1
IMAP_CHECK_ALL_FOLDERS=0
IMAP_ENHANCEDIDLE=0
IMAP_USELOCKS=1
IMAP_TRASHFOLDERNAME=Trash
IMAP_EMPTYTRASH=""
IMAP_MOVE_EXPUNGE_TO_TRASH=0
POP3AUTH="PLAIN CRAM-MD5"
POP3AUTH_TLS="PLAIN CRAM-MD5"
POP3_STARTTLS=YES
POP3_TLS_REQUIRED=0
COURIERTLS=/usr/bin/couriertls
TLS_CERTFILE={both}
TLS_VERIFYPEER=NONE
MAILDIRPATH=Maildir
"""


class Courier(Server):
    name = "courier"

    def __init__(self, options=None, base=None, **kwargs):
        if os.getuid() != 0:
            raise RuntimeError("Courier needs root, for a namespace of its own")
        super().__init__(base)
        self.options = options or Options(**kwargs)
        self.root = unpack.unpack("courier", PACKAGES)
        self.users = []
        self.hashes = None

    def start(self):
        o = self.options
        cert, key = self.authority.issue(f"server-{o.certificate}", o.certificate)
        etc = self.base / "etc" / "courier"
        etc.mkdir(parents=True, exist_ok=True)
        # couriertls wants the key in front of the certificate, in one file.
        both = self.base / "tls" / "both.pem"
        both.write_bytes(key.read_bytes() + cert.read_bytes())
        both.chmod(0o640)
        os.chown(both, 0, self.owner.pw_gid)
        (etc / "authdaemonrc").write_text(AUTHDAEMON)
        (etc / "rig").write_text(RIG.format(o=o, both=both))
        # Courier looks for its own account.
        with open("/etc/passwd", encoding="utf-8") as file:
            (self.base / "etc" / "passwd").write_text(
                file.read() + f"courier:x:{self.owner.pw_uid}:{self.owner.pw_gid}::/:"
                "/usr/sbin/nologin\n")
        # Below an overlay files must not change: links lead out of it.
        for name in ("userdb.dat", "userdbshadow.dat"):
            link = etc / name
            if not link.is_symlink():
                link.symlink_to(self.base / name)
        self.own(self.mail)
        self.add_user("nobody")
        log = self.base / "syslog.log"
        log.touch()
        os.chown(log, self.owner.pw_uid, self.owner.pw_gid)
        init = self.base / "init"
        init.write_text(INIT.format(root=self.root, base=self.base, o=o, port=self.port,
                                    imaps=self.port + 1, pop3=self.port + 2,
                                    pop3s=self.port + 3))
        self.launch(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", str(init)],
                    env=dict(os.environ, **unpack.shim_environment(log)))

    def end_process(self):
        # unshare ignores SIGTERM while its child runs; with SIGKILL the namespace ends too.
        if self.process is not None:
            self.process.kill()
        super().end_process()

    def password_hashes(self):
        crypt = quiet(["openssl", "passwd", "-1", PASSWORD]).strip()
        library = self.root / "usr/lib"
        env = dict(os.environ, LD_LIBRARY_PATH=f"{library}:{library}/courier-authlib")
        done = subprocess.run([str(self.root / "usr/sbin/userdbpw"), "-hmac-md5"], env=env,
                              input=PASSWORD + "\n", capture_output=True, text=True, check=True)
        return f"systempw={crypt}|hmac-md5pw={done.stdout.strip()}"

    def add_user(self, user):
        """An account with an empty Maildir: the databases are written anew and swapped in."""
        home = self.mail / user
        maildir = home / "Maildir"
        self.own(home, maildir, maildir / "cur", maildir / "new", maildir / "tmp")
        self.hashes = self.hashes or self.password_hashes()
        self.users.append(user)
        rows = {"userdb": "uid={uid}|gid={gid}|home={home}|mail={home}/Maildir",
                "userdbshadow": self.hashes.replace("{", "{{").replace("}", "}}")}
        library = self.root / "usr/lib"
        env = dict(os.environ, LD_LIBRARY_PATH=f"{library}:{library}/courier-authlib")
        tool = library / "courier/courier-authlib/makedatprog"
        for name, row in rows.items():
            text = "".join(f"{u}\t" + row.format(uid=self.owner.pw_uid, gid=self.owner.pw_gid,
                                                 home=self.mail / u) + "\n" for u in self.users)
            subprocess.run([str(tool), "-", str(self.base / f"{name}.tmp"),
                            str(self.base / f"{name}.dat")], input=text + ".\n", text=True,
                           env=env, check=True)
            (self.base / f"{name}.dat").chmod(0o600)

    def wipe(self, user):
        shutil.rmtree(self.mail / user / "Maildir", ignore_errors=True)
