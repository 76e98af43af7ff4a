"""A private Dovecot 2.3 (or later 2.x of that configuration language), IMAP and POP3.

Any user name is an account, with the one PASSWORD: a test takes a fresh name and has an empty
account. XOAUTH2 and OAUTHBEARER take tokens that mint_token signs.
"""

import base64
import grp
import hashlib
import hmac
import json
import os
import re
import secrets
import shlex
import shutil
import time
from dataclasses import dataclass

from .host import PASSWORD, Server, quiet

MECHANISMS = "plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 apop xoauth2 oauthbearer"


@dataclass(frozen=True)
class Options:
    format: str = "sdbox"          # sdbox, mdbox or maildir
    separator: str = "/"
    prefix: str = ""
    hide: str = ""                 # capabilities not to show; Dovecot carries them out all the same
    claim: str = ""                # capabilities to show besides
    mechanisms: str = MECHANISMS
    tls: bool = True
    certificate: str = "good"      # good, wrong-host, expired, self-signed
    tls_min: str = "TLSv1.2"
    client_certificates: bool = False
    plaintext: bool = True         # False: LOGINDISABLED without TLS, seen through 127.0.0.2
    max_connections: int = 0       # of one user; 0: no limit
    quota: str = ""                # as "10M"
    special_use: bool = False
    literal_minus: bool = False
    fsync: str = "never"           # never, optimized, always
    rawlog: bool = False           # protocol of each session below rawlog/USER
    auth_delay: int = 0
    extra: str = ""                # further settings


CONF = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
protocols = imap pop3
listen = 127.0.0.1, 127.0.0.2
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
first_valid_uid = 1
mail_uid = {uid}
mail_gid = {gid}

auth_mechanisms = {o.mechanisms}
auth_failure_delay = {o.auth_delay} secs
auth_ssl_username_from_cert = {client_cert}
auth_ssl_require_client_cert = no
disable_plaintext_auth = {no_plaintext}
{external}
passdb {{
  driver = static
  args = {password_args}
  mechanisms = none plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 apop
}}
passdb {{
  driver = oauth2
  args = {base}/oauth2.conf
  mechanisms = xoauth2 oauthbearer
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}/mail/%n allow_all_users=yes
}}

ssl = {ssl}
ssl_cert = <{cert}
ssl_key = <{key}
ssl_min_protocol = {o.tls_min}
{client_ca}

mail_location = {location}
mail_fsync = {o.fsync}
mail_plugins = {plugins}
mailbox_list_index = yes
namespace inbox {{
  inbox = yes
  separator = {o.separator}
  prefix = {o.prefix}
{special}
}}
mail_max_userip_connections = {o.max_connections}
{rawlog}
protocol imap {{
  mail_plugins = $mail_plugins {imap_plugins}
  imap_literal_minus = {literal_minus}
  imap_capability = {capabilities}
}}
protocol pop3 {{
  pop3_uidl_format = %08Xu%08Xv
}}
plugin {{
  zlib_save =
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage={quota}
}}

default_process_limit = 1000
default_client_limit = 4000
default_vsz_limit = 0
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  process_limit = 2
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  chroot =
  service_count = 0
  process_limit = 2
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
service anvil {{
  chroot =
  # Without this socket there is no penalty that grows with each failed login.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
{o.extra}
"""


def yes_no(value):
    return "yes" if value else "no"


class Dovecot(Server):
    name = "dovecot"

    def __init__(self, options=None, base=None, **kwargs):
        super().__init__(base)
        self.options = options or Options(**kwargs)
        self.secret = secrets.token_hex(32)

    @staticmethod
    def is_there():
        return shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin") is not None

    @property
    def conf(self):
        return self.base / "dovecot.conf"

    def start(self):
        self.own(self.mail, self.base / "rawlog")
        for name in ("run", "state"):
            (self.base / name).mkdir(exist_ok=True)
        self.write_oauth()
        self.write_conf("")
        if self.options.hide or self.options.claim:
            self.write_conf(self.capabilities())
        path = os.environ.get("PATH", "") + ":/usr/sbin"
        self.launch([shutil.which("dovecot", path=path), "-F", "-c", str(self.conf)])

    def write_conf(self, capabilities):
        o = self.options
        cert, key = self.authority.issue(f"server-{o.certificate}", o.certificate)
        plugins, imap_plugins = ["zlib"], ["imap_zlib"]
        if o.quota:
            plugins.append("quota")
            imap_plugins.append("imap_quota")
        root = os.getuid() == 0
        special = [f"  mailbox {use} {{\n    auto = create\n    special_use = \\{use}\n  }}\n"
                   for use in ("Archive", "Drafts", "Junk", "Sent", "Trash")]
        folder = "Maildir" if o.format == "maildir" else o.format
        password = PASSWORD.replace("%", "%%")
        self.conf.write_text(CONF.format(
            o=o, base=self.base, port=self.port, pop3=self.port + 2,
            imaps=self.port + 1 if o.tls else 0, pop3s=self.port + 3 if o.tls else 0,
            internal="dovecot" if root else self.owner.pw_name,
            internal_group="dovecot" if root else grp.getgrgid(os.getgid()).gr_name,
            login="dovenull" if root else self.owner.pw_name,
            no_plaintext=yes_no(not o.plaintext), ssl=yes_no(o.tls), cert=cert, key=key,
            client_cert=yes_no(o.client_certificates),
            client_ca=self.client_ca() if o.client_certificates else "",
            external=EXTERNAL if o.client_certificates else "",
            password_args=f"password={password}",
            uid=self.owner.pw_uid, gid=self.owner.pw_gid, location=f"{o.format}:~/{folder}",
            plugins=" ".join(plugins), imap_plugins=" ".join(imap_plugins),
            special="".join(special) if o.special_use else "",
            rawlog=f"rawlog_dir = {self.base}/rawlog/%u" if o.rawlog else "",
            literal_minus=yes_no(o.literal_minus), capabilities=capabilities,
            quota=o.quota or "0"))

    def client_ca(self):
        return f"ssl_ca = <{self.ca}\nssl_verify_client_cert = yes\nssl_require_crl = no"

    def capabilities(self):
        """The list after login, less `hide`, plus `claim`. Dovecot can only replace the list as a
        whole, so it is asked for it: an imap process without a server greets with it."""
        probe = self.base / "probe"
        self.own(probe)
        greeting = quiet(["sh", "-c", self.tunnel_command("probe", probe)], input="a LOGOUT\r\n")
        shutil.rmtree(probe)
        found = re.search(r"\* PREAUTH \[CAPABILITY ([^]]*)\]", greeting)
        gone = set(self.options.hide.upper().split())
        kept = [c for c in found[1].split() if c.upper() not in gone]
        return " ".join(kept + self.options.claim.split())

    def tunnel_command(self, user, home=None):
        """A shell command whose standard input and output are a session of USER, PREAUTH."""
        home = home or self.mail / user
        self.own(home)
        libexec = quiet(["doveconf", "-c", str(self.conf), "-h", "libexec_dir"]).strip()
        argv = [f"{libexec}/imap", "-c", str(self.conf)]
        if os.getuid() == 0:
            argv = ["setpriv", "--reuid", str(self.owner.pw_uid), "--regid",
                    str(self.owner.pw_gid), "--clear-groups", *argv]
        return f"HOME={shlex.quote(str(home))} USER={user} exec {shlex.join(argv)}"

    def doveadm(self, *argv):
        return quiet(["doveadm", "-c", str(self.conf), *argv])

    def rawlogs(self, user):
        """What was sent by clients in all sessions of USER so far, one bytes object each."""
        folder = self.base / "rawlog" / user
        return [p.read_bytes() for p in sorted(folder.glob("*.in"))]

    def prepare_rawlog(self, user):
        """Dovecot logs only into folders that are there."""
        self.own(self.base / "rawlog" / user)

    def maildir(self, user):
        """Where the mail of USER lies, with format = maildir."""
        home = self.mail / user
        self.own(home)
        return home / "Maildir"

    # OAuth 2.0

    def write_oauth(self):
        """The key as Dovecot's "fs:posix" dictionary wants it: <azp>/<alg>/<kid>, "default" for
        what a token lacks; an HS256 key is stored in base64."""
        folder = self.base / "oauth" / "default" / "HS256"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "default").write_text(base64.b64encode(self.secret.encode()).decode())
        (self.base / "oauth2.conf").write_text(
            f"introspection_mode = local\n"
            f"local_validation_key_dict = fs:posix:prefix={self.base}/oauth/\n"
            f"issuers = https://rig.test/\nusername_attribute = sub\ntokeninfo_url =\n")

    def mint_token(self, user, seconds=3600, secret=None):
        """An access token; one that has run out with negative SECONDS, a forged one with another
        SECRET."""
        now = int(time.time())
        start = min(now, now + seconds - 3600)
        claims = {"iss": "https://rig.test/", "sub": user, "scope": "mail", "iat": start,
                  "nbf": start, "exp": now + seconds}
        signed = b".".join(base64url(json.dumps(part).encode())
                           for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        key = (secret or self.secret).encode()
        mark = hmac.new(key, signed, hashlib.sha256).digest()
        return (signed + b"." + base64url(mark)).decode()


EXTERNAL = """
passdb {
  driver = static
  args = nopassword
  mechanisms = external
}
"""


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")
