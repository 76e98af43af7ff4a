"""The steps of examples/demo that take more than a line of shell.

    demo.py serve DIR             a private Dovecot until SIGTERM; DIR/server names it when it is up
    demo.py fill DIR              put mail into it
    demo.py config DIR            write DIR/mailsync.conf
    demo.py show DIR              the Maildir, shortly
    demo.py change DIR            another client and a MUA at work at once
    demo.py compare DIR           read both sides and compare
"""

import json
import pathlib
import signal
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import mail, tree            # noqa: E402
from rig.dovecot import Dovecot       # noqa: E402
from rig.host import PASSWORD         # noqa: E402
from rig.imap import Imap             # noqa: E402
from rig.maildir import Maildir       # noqa: E402

USER = "ada"
BOXES = ["INBOX", "Work/Projects", "Entwürfe", "日本語", "Reisen & Urlaub"]


def serve(folder):
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    with Dovecot() as server:
        ca = folder / "ca.pem"
        ca.write_bytes(server.ca.read_bytes())
        ready = folder / "server.new"
        ready.write_text(json.dumps({"port": server.port}))
        ready.rename(folder / "server")
        stop.wait()


def session(folder):
    return Imap(json.loads((folder / "server").read_text())["port"], USER)


def fill(folder):
    with session(folder) as server:
        letters = mail.varied(48, seed=7, mailboxes=BOXES)
        mail.fill(server, letters)
    size = sum(len(letter.wire) for letter in letters)
    print(f"  {len(letters)} messages, {size // 1024} KiB, in {len(BOXES)} mailboxes")


def config(folder):
    port = json.loads((folder / "server").read_text())["port"] + 1
    password = folder / "password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    text = (f"[defaults]\nstate_dir = {folder}/state\n\n[account demo]\nhost = localhost\n"
            f"port = {port}\ntls_ca_file = {folder}/ca.pem\nuser = {USER}\n"
            f"password_file = {password}\nmaildir = {folder}/mail\n")
    (folder / "mailsync.conf").write_text(text)
    print("".join(f"  {line}\n" for line in text.splitlines()), end="")


def show(folder):
    local = Maildir(folder / "mail")
    for name, messages in local.read().items():
        copies = [m for box in messages.values() for m in box]
        flagged = sum("F" in m.flags for m in copies)
        unread = sum("S" not in m.flags for m in copies)
        print(f"  {len(copies):4} messages, {unread:2} unread, {flagged} flagged  mail/{name}")


def change(folder):
    local = Maildir(folder / "mail")
    inbox = sorted(local.files("INBOX"))
    with session(folder) as server:
        uids = server.uids("INBOX")
        server.append("INBOX", mail.one(1, seed="demo"))
        server.store("INBOX", uids[-1], "+FLAGS", "\\Flagged")
        server.create("Neu auf dem Server")
        server.append("Neu auf dem Server", mail.one(2, seed="demo"))
    print("  on the server: one new message, one flag, one new mailbox")
    unread = next(path for path in inbox if "S" not in local.flags(path))
    others = [path for path in inbox if path != unread]
    local.set_flags(unread, add="S")
    others[0].unlink()
    local.move(others[1], "Archive/2026")
    local.deliver("Entwürfe", b"Subject: written offline\n\nHello\n", "DS")
    print("  in the Maildir: one read, one deleted, one moved to a new mailbox, one written")


def compare(folder):
    with session(folder) as server:
        there = server.read()
    here = Maildir(folder / "mail").read()
    differing = tree.differences(here, there)
    for line in differing:
        print("  " + line)
    if differing:
        sys.exit("  the two sides DIFFER")
    print(f"  {tree.count(here)} messages in {len(here)} mailboxes: "
          "bytes, flags and dates are the same on both sides")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    globals()[sys.argv[1]](pathlib.Path(sys.argv[2]).absolute())
