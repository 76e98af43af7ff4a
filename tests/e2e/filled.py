"""Runs other sync programs, which fill a Maildir before mailsync sees it."""

import shutil
import subprocess
import textwrap

from rig.host import PASSWORD


def run(argv, folder):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=folder,
                          stdin=subprocess.DEVNULL, env={"HOME": str(folder),
                                                         "PATH": "/usr/bin:/bin"}, timeout=90)
    assert done.returncode == 0, f"{argv[0]}: {done.stdout}{done.stderr}"


def password_file(folder):
    path = folder / "password"
    path.write_text(PASSWORD)
    return path


class Mbsync:
    """isync's mbsync, 1.4: folders in modified UTF-7, `,U=` names, X-TUID in uploads."""

    name = "mbsync"

    @staticmethod
    def is_there():
        return shutil.which("mbsync") is not None

    @staticmethod
    def fill(account):
        folder, root = account.folder, account.keys["maildir"]
        account.local.root.mkdir(exist_ok=True)
        config = folder / "mbsyncrc"
        config.write_text(textwrap.dedent(f"""\
            IMAPStore far
            Host 127.0.0.1
            Port {account.server.port}
            User {account.user}
            PassCmd "cat {password_file(folder)}"
            SSLType None
            AuthMechs LOGIN

            MaildirStore near
            Path {root}/
            Inbox {root}/INBOX
            SubFolders Verbatim

            Channel all
            Far :far:
            Near :near:
            Patterns *
            Create Both
            Expunge None
            SyncState {folder}/mbsync-state/
            """))
        (folder / "mbsync-state").mkdir(exist_ok=True)
        run(["mbsync", "-q", "-c", str(config), "all"], folder)


class Offlineimap:
    """offlineimap3: folders in modified UTF-7, `,U=…,FMD5=` names, X-OfflineIMAP in uploads."""

    name = "offlineimap"
    separator = "/"

    @staticmethod
    def is_there():
        return shutil.which("offlineimap") is not None

    @classmethod
    def fill(cls, account):
        folder = account.folder
        config = folder / "offlineimaprc"
        config.write_text(textwrap.dedent(f"""\
            [general]
            accounts = a
            metadata = {folder}/offlineimap
            [Account a]
            localrepository = near
            remoterepository = far
            [Repository near]
            type = Maildir
            localfolders = {account.keys["maildir"]}
            sep = {cls.separator}
            [Repository far]
            type = IMAP
            remotehost = 127.0.0.1
            remoteport = {account.server.port}
            remoteuser = {account.user}
            remotepassfile = {password_file(folder)}
            ssl = no
            starttls = no
            auth_mechanisms = LOGIN
            """))
        run(["offlineimap", "-o", "-u", "quiet", "-c", str(config)], folder)


class OfflineimapFlat(Offlineimap):
    """With the separator that it has by default: mailbox a/b is directory a.b."""

    name = "offlineimap-flat"
    separator = "."


PROGRAMS = [Mbsync, Offlineimap]
