"""A POP3 account with messages known, deleted and moved here, and new ones, and what must come of it."""

import shutil

from rig import mail, program, tree

from imap_story import Wrong
from pop3_server import CAPABILITIES, Pop3Server

KINDS = {
    "leave": (CAPABILITIES, "yes"),
    "take": (CAPABILITIES, "no"),
    "take slowly": (tuple(x for x in CAPABILITIES if x != "PIPELINING"), "no"),
    "leave, no UIDL": (tuple(x for x in CAPABILITIES if x != "UIDL"), "yes"),
}
KINDS = {kind.replace(", ", " "): value for kind, value in KINDS.items()}


class Pop3Story:
    """EXTRA: "lost": the state is."""

    def __init__(self, kind, folder, extra=None):
        capabilities, self.leaves = KINDS[kind]
        self.server = Pop3Server(capabilities)
        self.account = program.Account(folder, self.server, "u", protocol="pop3", timeout="2",
                                       leave_on_server=self.leaves)
        self.local, self.extra = self.account.local, extra
        self.wires = [mail.one(number, seed="untold/pop3", size=300) for number in range(7)]
        self.after = {}             # digest: the folder in which it shall be, None: gone here

    def sync(self):
        result = self.account.sync(status=None)
        self.server.wait()
        return result

    def begin(self):
        for number, wire in enumerate(self.wires[:4]):
            self.server.letters.append([f"id{number}", wire])
        result = self.sync()
        if result.status != 0:
            raise Wrong(f"the first run: {result}")
        for number, wire in enumerate(self.wires[4:], 4):
            self.server.letters.append([f"id{number}", wire])
        self.after = {tree.digest(wire): "INBOX" for wire in self.wires}
        if self.extra == "lost":
            shutil.rmtree(self.account.defaults["state_dir"])
            return
        self.local.find("INBOX", self.wires[1]).unlink()
        self.after[tree.digest(self.wires[1])] = None
        self.local.move(self.local.find("INBOX", self.wires[2]), "Work")
        self.after[tree.digest(self.wires[2])] = "Work"

    def sides(self):
        here = {}
        for mailbox, messages in self.local.read().items():
            for key, copies in messages.items():
                here.setdefault(key, []).extend([mailbox] * len(copies))
        return {"here": here, "there": {tree.digest(wire) for _, wire in self.server.letters}}

    def check_between(self, before, now):
        for key, folder in self.after.items():
            copies = now["here"].get(key, [])
            if len(copies) > 1:
                raise Wrong(f"doubled: {copies}")
            if not copies and folder is not None and key not in now["there"]:
                raise Wrong("lost")
            if before["here"].get(key) and copies != before["here"][key]:
                raise Wrong(f"was in {before['here'][key]}, is in {copies}")
            if folder is None and copies:
                raise Wrong("was deleted here, and is back")
        if self.leaves == "yes" and now["there"] != before["there"]:
            raise Wrong("something went from the server")
        if set(now["here"]) - set(self.after):
            raise Wrong("nobody wrote what is here")

    def is_done(self, now):
        here = {key: [folder] for key, folder in self.after.items() if folder}
        there = set(self.after) if self.leaves == "yes" else set()
        return {k: v for k, v in now["here"].items() if v} == here and now["there"] == there

    def extent(self, before, now):
        if self.is_done(now):
            return "all"
        return "none" if before == now else "some"

    def settled(self):
        result = self.sync()
        if result.status != 0 or not self.is_done(self.sides()):
            raise Wrong(f"does not come to rest: {result} {self.sides()}, should be {self.after}")
        again = self.sync()
        if again.status != 0 or again.did:
            raise Wrong(f"not at rest: {again}")
