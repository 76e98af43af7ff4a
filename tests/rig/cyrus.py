"""A private Cyrus IMAP 3.x: OBJECTID, another reading of QRESYNC and of much else."""

import os
import subprocess
from dataclasses import dataclass

from . import unpack
from .host import PASSWORD, Server

PACKAGES = ["cyrus-common", "cyrus-imapd", "cyrus-pop3d", "sasl2-bin"]


@dataclass(frozen=True)
class Options:
    separator: str = "/"           # or "."
    alternative: bool = True       # False: personal mailboxes are children of INBOX
    hide: str = ""
    mechanisms: str = "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256"
    certificate: str = "good"
    objectid: bool = True          # THREADID besides EMAILID and MAILBOXID
    expunge: str = "delayed"       # "immediate": QRESYNC has to do without expunged UIDs
    max_connections: int = 0
    tls: str = "tls1_2 tls1_3"
    extra: str = ""


IMAPD = """
configdirectory: {base}/var
defaultpartition: default
partition-default: {base}/spool
sievedir: {base}/sieve
temp_path: {base}/tmp
cyrus_user: {owner}
cyrus_group: {group}
admins: admin
servername: localhost
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {base}/sasldb2
sasl_mech_list: {o.mechanisms}
failedloginpause: 0s
maxlogins_per_user: {o.max_connections}
popminpoll: 0
tls_server_cert: {cert}
tls_server_key: {key}
tls_versions: {o.tls}
tls_session_timeout: 0
unixhierarchysep: {unix}
altnamespace: {alternative}
autocreate_quota: 0
autocreate_post: no
conversations: {objectid}
expunge_mode: {o.expunge}
delete_mode: immediate
munge8bit: no
annotation_allow_undefined: yes
statuscache: yes
imapidlepoll: 1s
idlesocket: {base}/var/socket/idle
{hide}
{o.extra}
"""

MASTER = """
START {{
  recover cmd="{bin}/ctl_cyrusdb -C {conf} -r"
}}
SERVICES {{
  imap  cmd="{bin}/imapd -C {conf}" listen="127.0.0.1:{port}" prefork=1
  imaps cmd="{bin}/imapd -C {conf} -s" listen="127.0.0.1:{imaps}"
  pop3  cmd="{bin}/pop3d -C {conf}" listen="127.0.0.1:{pop3}"
  pop3s cmd="{bin}/pop3d -C {conf} -s" listen="127.0.0.1:{pop3s}"
}}
EVENTS {{
  checkpoint cmd="{bin}/ctl_cyrusdb -C {conf} -c" period=30
}}
DAEMON {{
  idled cmd="{bin}/idled -C {conf}"
}}
"""


def yes_no(value):
    return "yes" if value else "no"


class Cyrus(Server):
    name = "cyrus"

    def __init__(self, options=None, base=None, **kwargs):
        super().__init__(base)
        self.options = options or Options(**kwargs)
        self.root = unpack.unpack("cyrus", PACKAGES)

    def as_owner(self, argv):
        if os.getuid() != 0:
            return argv
        return ["setpriv", "--reuid", str(self.owner.pw_uid), "--regid", str(self.owner.pw_gid),
                "--clear-groups", *argv]

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith("LD_")}
        env["LD_LIBRARY_PATH"] = unpack.library_path(self.root)
        return dict(env, **unpack.shim_environment(self.base / "tmp" / "syslog.log"))

    def start(self):
        import grp

        o = self.options
        cert, key = self.authority.issue(f"server-{o.certificate}", o.certificate)
        folders = [self.base / "var", self.base / "spool", self.base / "spool" / "stage.",
                   self.base / "sieve", self.base / "tmp"]
        folders += [self.base / "var" / n
                    for n in "db lock log msg proc quota socket user".split()]
        self.own(*folders)
        if os.getuid() == 0:
            os.chown(key, self.owner.pw_uid, self.owner.pw_gid)
        hide = f"suppress_capabilities: {o.hide}" if o.hide else ""
        conf = self.base / "imapd.conf"
        conf.write_text(IMAPD.format(
            base=self.base, owner=self.owner.pw_name, cert=cert, key=key, o=o,
            group=grp.getgrgid(self.owner.pw_gid).gr_name, unix=yes_no(o.separator == "/"),
            alternative=yes_no(o.alternative), objectid=yes_no(o.objectid), hide=hide))
        binaries = self.root / "usr/lib/cyrus/bin"
        (self.base / "cyrus.conf").write_text(MASTER.format(
            bin=binaries, conf=conf, port=self.port, imaps=self.port + 1, pop3=self.port + 2,
            pop3s=self.port + 3))
        self.add_user("admin")
        self.launch(self.as_owner([str(binaries / "master"), "-C", str(conf),
                                   "-M", str(self.base / "cyrus.conf"),
                                   "-p", str(self.base / "var" / "master.pid")]),
                    env=self.environment())

    def add_user(self, user):
        """An account; its INBOX comes with the first login."""
        database = self.base / "sasldb2"
        tool = self.root / "usr/sbin/saslpasswd2"
        subprocess.run([str(tool), "-p", "-c", "-u", "localhost", "-f", str(database), user],
                       input=PASSWORD.encode(), check=True, env=self.environment(),
                       stderr=subprocess.DEVNULL)
        if os.getuid() == 0:
            os.chown(database, self.owner.pw_uid, self.owner.pw_gid)
