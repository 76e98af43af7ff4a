"""What a server does not tell, tells askew or refuses of its mailboxes: nothing is deleted, renamed
or forgotten for it, and it is told; afterwards all goes on as if that run had not been."""

import re

import pytest

from lies import QRESYNC, local, sync
from rig import mail
from rig.fake import Box, FakeServer
from rig.scripted import CAPABILITIES, always, close, expect

REMOVE = ["none", "local", "both"]


def two(bad, keys=None, **options):
    """INBOX with two messages and Work with five, in sync."""
    server, account = bad([Box(2), Box(5, "Work", uidvalidity=9)], keys=keys, **options)
    sync(account, 0)
    assert local(account, "Work") == server.wires("Work")
    return server, account


def lists(*names, separator='"/"', extra=()):
    return always(r"^LIST ", *[f'* LIST () {separator} "{name}"' for name in names], *extra,
                  "OK done")


def as_if_it_had_not_been(server, account):
    """What somebody deletes on either side from now on does not come back."""
    server.script = []
    wire = server.boxes["Work"].letters[2]
    server.boxes["Work"].remove(1)
    account.local.find("Work", wire).unlink()
    server.received.clear()
    assert sync(account, 0).did == {"deleted_local": 1, "deleted_remote": 1}
    assert local(account, "Work") == server.wires("Work")
    assert len(server.wires("Work")) == 3
    assert sync(account, 0).did == {}


ANSWERS = {
    "OK without a line": ["OK done"],
    "a line that cannot be read": ["* STATUS Work (MESSAGES", "OK done"],
    "an empty line": ["* STATUS Work ()", "OK done"],
    "another's line": ["* STATUS Other (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3)", "OK done"],
    "UNAVAILABLE": ["NO [UNAVAILABLE] not now"],
    "NOPERM": ["NO [NOPERM] not you"],
    "SERVERBUG": ["NO [SERVERBUG] oops"],
    "in passing": ["NO temporarily not available"],
    "BAD": ["BAD what"],
    "its numbers": ["* STATUS Work (MESSAGES 5 UIDNEXT 6 UIDVALIDITY 9)", "OK done"],
}


@pytest.mark.parametrize("remove", REMOVE)
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_listing_that_lacks_a_mailbox_removes_nothing(bad, remove, answer):
    server, account = two(bad, keys={"remove_mailboxes": remove})
    server.received.clear()
    server.script = [lists("INBOX"), always(r"^STATUS .*Work", *ANSWERS[answer])]
    result = sync(account, {1, 75})
    assert any("Work" in str(error) for error in result.errors)
    assert "removed" not in result.err
    assert len(local(account, "Work")) == 5
    assert not any(command.startswith(("CREATE", "RENAME", "DELETE"))
                   for command in server.received)
    as_if_it_had_not_been(server, account)


@pytest.mark.parametrize("answer", ["OK without a line", "in passing", "its numbers"])
def test_a_folder_renamed_while_the_listing_lacks_its_mailbox_waits(bad, answer):
    """As a new one it would go up beside the mailbox that the server still has."""
    server, account = two(bad)
    account.local.folder("Work").rename(account.local.folder("Job"))
    server.received.clear()
    server.script = [lists("INBOX"), always(r"^STATUS .*Work", *ANSWERS[answer])]
    assert sync(account, {1, 75}).did == {"errors": 1}
    assert not any(command.startswith(("CREATE", "APPEND")) for command in server.received)
    account.local.folder("Job").rename(account.local.folder("Work"))
    as_if_it_had_not_been(server, account)


def test_a_mailbox_renamed_while_the_server_is_vague_about_the_old_name_waits(bad):
    server, account = two(bad)
    server.boxes["Job"] = server.boxes.pop("Work")
    server.boxes["Job"].name = "Job"
    server.script = [always(r"^STATUS .*Work", "NO [SERVERBUG] oops")]
    assert sync(account, {1, 75}).did == {"errors": 1}
    assert account.local.mailboxes() == ["INBOX", "Work"]
    server.script = [always(r"^STATUS .*Work", "NO [NONEXISTENT] gone")]
    assert sync(account, 0).did == {}
    assert account.local.mailboxes() == ["INBOX", "Job"]


@pytest.mark.parametrize("again", ["OK", "NO [NOPERM] not twice"])
def test_a_mailbox_renamed_while_one_listing_lacks_its_new_name_waits(bad, again):
    """It would go up under its old name, and come down under the new one."""
    server, account = two(bad)
    server.boxes["Job"] = server.boxes.pop("Work")
    server.boxes["Job"].name = "Job"
    server.received.clear()
    server.script = [expect(r"^LIST ", '* LIST () "/" INBOX', "OK done"),
                     *([] if again == "OK" else [always(r"^LIST ", again)])]
    assert sync(account, 1).did == {"errors": 1}
    assert not any(command.startswith(("CREATE", "APPEND")) for command in server.received)
    assert account.local.mailboxes() == ["INBOX", "Work"]
    server.script = []
    assert sync(account, 0).did == {}
    assert account.local.mailboxes() == ["INBOX", "Job"]


LISTINGS = {
    "a broken line": [lists("INBOX", extra=['* LIST () "/" "Wo'])],
    "another broken line": [lists("INBOX", extra=["* LIST (\\HasNoChildren"])],
    "without INBOX": [always(r"^LIST ", '* LIST (\\Noselect) "/" "x"', "OK done")],
    "INBOX says nothing": [lists("INBOX"), always(r"^STATUS .*INBOX", "OK done")],
    "INBOX says half": [lists("INBOX"),
                        always(r"^STATUS .*INBOX", "* STATUS INBOX (MESSAGES 2)", "OK done")],
    "INBOX is refused": [lists("INBOX"), always(r"^STATUS .*INBOX", "NO no")],
}


@pytest.mark.parametrize("remove", REMOVE)
@pytest.mark.parametrize("listing", LISTINGS)
def test_a_bare_no_proves_nothing_in_a_run_that_tells_badly(bad, remove, listing):
    server, account = two(bad, keys={"remove_mailboxes": remove})
    server.script = [always(r"^STATUS .*Work", "NO no such mailbox"), *LISTINGS[listing]]
    result = sync(account, {1, 75, 79})
    assert "removed" not in result.err
    assert len(local(account, "Work")) == 5
    as_if_it_had_not_been(server, account)


@pytest.mark.parametrize("answer", ["NO [NONEXISTENT] gone", "NO Mailbox doesn't exist: Work"])
def test_a_clear_no_is_a_removal(bad, answer):
    server, account = two(bad, keys={"remove_mailboxes": "local"})
    del server.boxes["Work"]
    server.script = [always(r"^STATUS .*Work", answer)]
    sync(account, 0)
    assert not account.local.folder("Work").exists()
    assert sync(account, 0).did == {}


def test_a_cut_at_the_question_changes_nothing(bad):
    server, account = two(bad, keys={"remove_mailboxes": "both"})
    server.script = [lists("INBOX"), always(r"^STATUS", close())]
    sync(account, 75)
    assert len(local(account, "Work")) == 5
    as_if_it_had_not_been(server, account)


@pytest.mark.parametrize("answer", ["NO [UNAVAILABLE] not now", "NO no", "BAD what"])
def test_a_refused_list_changes_nothing(bad, answer):
    server, account = two(bad, keys={"remove_mailboxes": "both"})
    server.script = [always(r"^LIST", answer)]
    sync(account, {1, 75})
    as_if_it_had_not_been(server, account)


# The namespace

UNTOLD = {
    "NO": ["NO not now"],
    "BAD": ["BAD what"],
    "OK without a line": ["OK done"],
    "NIL": ["* NAMESPACE NIL NIL NIL", "OK done"],
    "a broken line": ['* NAMESPACE (("INBOX.', "OK done"],
    "no parenthesis": ["* NAMESPACE", "OK done"],
}


def below_a_prefix(bad, **options):
    """A server with Courier's names: INBOX and INBOX.Work."""
    told = always(r"^NAMESPACE", '* NAMESPACE (("INBOX." ".")) NIL NIL', "OK done")
    listed = lists("INBOX", "INBOX.Work", separator='"."')
    server, account = bad([Box(2), Box(5, "INBOX.Work", uidvalidity=9)], [told, listed],
                          keys={"remove_mailboxes": "both"}, **options)
    sync(account, 0)
    assert local(account, "Work") == server.wires("INBOX.Work")
    return server, account, told, listed


def still_below(server, account, told, listed):
    assert not account.local.folder("INBOX/Work").exists()
    assert sorted(server.boxes) == ["INBOX", "INBOX.Work"]
    server.script = [told, listed]
    server.boxes["INBOX.Work"].remove(1)
    assert sync(account, 0).did == {"deleted_local": 1}
    assert sync(account, 0).did == {}


@pytest.mark.parametrize("answer", UNTOLD)
def test_a_namespace_that_is_not_told_once(bad, answer):
    server, account, told, listed = below_a_prefix(bad)
    server.script = [always(r"^NAMESPACE", *UNTOLD[answer]), listed]
    result = sync(account, 75)
    assert result.did == {}
    assert "INBOX." in str(result.errors)
    still_below(server, account, told, listed)


UNOFFERED = "IMAP4rev1 LITERAL+ UIDPLUS UNSELECT"


@pytest.mark.parametrize("knows", [True, False])
def test_a_namespace_that_is_not_offered_once(bad, knows):
    """It is asked for all the same: what is below INBOX alone may be so by a prefix."""
    server, account, told, listed = below_a_prefix(bad)
    server.capabilities = UNOFFERED
    if not knows:
        server.script = [always(r"^NAMESPACE", "BAD what"), listed]
    assert sync(account, 0 if knows else 75).did == {}
    server.capabilities = CAPABILITIES
    still_below(server, account, told, listed)


@pytest.mark.parametrize("answer", UNTOLD)
def test_a_first_run_waits_for_the_namespace(bad, answer):
    told = always(r"^NAMESPACE", '* NAMESPACE (("INBOX." ".")) NIL NIL', "OK done")
    listed = lists("INBOX", "INBOX.Work", separator='"."')
    server, account = bad([Box(2), Box(5, "INBOX.Work", uidvalidity=9)],
                          [always(r"^NAMESPACE", *UNTOLD[answer]), listed])
    account.local.create("New")
    account.local.deliver("New", mail.one(1))
    assert sync(account, 75).did == {"errors": 1}
    assert not any(command.startswith("CREATE") for command in server.received)
    server.script = [told, lists("INBOX", "INBOX.Work", "INBOX.New", separator='"."')]
    server.boxes["INBOX.New"] = Box(0, "INBOX.New", uidvalidity=11)
    sync(account, 0)
    assert not account.local.folder("INBOX/Work").exists()


@pytest.mark.parametrize("answer, folder", [
    (['* NAMESPACE (("INBOX." ".")) NIL NIL', "OK done"], "Work"),
    (["BAD what"], "INBOX/Work"),            # it does not know the command: there are none
])
def test_a_first_run_asks_for_a_namespace_that_is_not_offered(bad, answer, folder):
    listed = lists("INBOX", "INBOX.Work", separator='"."')
    server, account = bad([Box(2), Box(5, "INBOX.Work", uidvalidity=9)],
                          [always(r"^NAMESPACE", *answer), listed])
    server.capabilities = UNOFFERED
    sync(account, 0)
    assert local(account, folder) == server.wires("INBOX.Work")
    assert sync(account, 0).did == {}


def test_a_namespace_that_is_not_offered_is_not_asked_for_beside_inbox(bad):
    listed = lists("INBOX", "Work", separator='"."')
    server, account = bad([Box(2), Box(5, "Work", uidvalidity=9)], [listed])
    server.capabilities = UNOFFERED
    sync(account, 0)
    assert not any(command.startswith("NAMESPACE") for command in server.received)


def test_a_namespace_that_is_never_told_can_be_forbidden(bad):
    server, account = bad([Box(2)], [always(r"^NAMESPACE", "NO never")],
                          keys={"disable_extensions": "NAMESPACE"})
    sync(account, 0)
    assert local(account) == server.wires()


@pytest.mark.parametrize("separator", ["NIL", '"/"'])
def test_another_separator_removes_nothing(bad, separator):
    server, account, told, listed = below_a_prefix(bad)
    untold = always(r"^NAMESPACE", '* NAMESPACE (("INBOX." NIL)) NIL NIL', "OK done")
    server.script = [untold, lists("INBOX", "INBOX.Work", separator=separator)]
    result = sync(account, {0, 79})
    assert result.did == {}
    still_below(server, account, told, listed)


# Subscriptions

LSUB = {
    "NO": ["NO not now"],
    "BAD": ["BAD what"],
    "empty": ["OK done"],
    "a broken line": ['* LSUB () "/" "Wo', "OK done"],
}


@pytest.mark.parametrize("answer", LSUB)
def test_subscriptions_that_are_not_told_remove_nothing(bad, answer):
    subscribed = always(r"^LSUB", '* LSUB () "/" INBOX', '* LSUB () "/" "Work"', "OK done")
    server, account = two(bad, script=[subscribed],
                          keys={"subscribed_only": "yes", "remove_mailboxes": "both"})
    server.boxes["Other"] = Box(1, "Other", uidvalidity=10)
    sync(account, 0)
    server.received.clear()
    server.script = [always(r"^LSUB", *LSUB[answer])]
    result = sync(account, 1)
    assert result.did == {} and "subscribed" in str(result.errors)
    assert not account.local.folder("Other").exists()
    assert not any(command.startswith(("CREATE", "RENAME", "DELETE", "SUBSCRIBE"))
                   for command in server.received)
    wire = server.boxes["Work"].letters[2]
    server.script = [subscribed]
    server.boxes["Work"].remove(1)
    account.local.find("Work", wire).unlink()
    assert sync(account, 0).did == {"deleted_local": 1, "deleted_remote": 1}


# What LIST-STATUS leaves out, and capabilities that come and go

def test_numbers_that_list_status_leaves_out(bad):
    capabilities = QRESYNC + " LIST-EXTENDED LIST-STATUS"
    server, account = two(bad, capabilities=capabilities)
    for _ in range(2):
        server.script = [lists("INBOX", "Work")]
        assert sync(account, 0).did == {}
    as_if_it_had_not_been(server, account)


# Names that the server takes for one

class Folding(FakeServer):
    """Takes "archive" and "Archive " for Archive: LIST shows that one, all else opens it."""

    def fold(self, command):
        name = self.name(command)
        return next((own for own in self.boxes if own.lower() == name.lower().strip()), name)

    def answer(self, conn, tag, answers, command=""):
        if re.match(r"(SELECT|EXAMINE|STATUS|CREATE|APPEND) ", command, re.I):
            verb = command.split(" ", 1)[0]
            own, self.asked = self.fold(command), self.name(command)
            rest = command[len(verb) + 1:]
            asked = re.match(r'"(?:\\.|[^"\\])*"|\S+', rest)[0]
            command = f'{verb} "{own}"{rest[len(asked):]}'
        super().answer(conn, tag, answers, command)

    def counts(self, command):
        return [line.replace(f'"{self.name(command)}"', f'"{self.asked}"')
                for line in super().counts(command)]

    def create(self, command):
        return (["NO [ALREADYEXISTS] there is one"] if self.name(command) in self.boxes
                else super().create(command))


@pytest.mark.parametrize("folder", ["archive", "ARCHIVE", "Archive "])
@pytest.mark.parametrize("answers", ["STATUS", "no STATUS", "OK to CREATE"])
def test_a_name_that_the_server_takes_for_another(make_account, tmp_path, folder, answers):
    with Folding([Box(2), Box(3, "Archive", uidvalidity=9)]) as server:
        account = make_account(server, timeout=5)
        account.top = tmp_path
        sync(account, 0)
        account.local.create(folder)
        account.local.deliver(folder, mail.one(1))
        if answers != "STATUS":
            server.script = [always(r'^STATUS "?(archive|ARCHIVE|Archive )["(]',
                                    "NO no such mailbox")]
        if answers == "OK to CREATE":
            server.script.append(always(r"^CREATE", "OK done"))
        for number in range(3):
            server.received.clear()
            result = sync(account, 1)
            assert len(result.errors) == 1 and result.errors[0]["mailbox"] == folder, result
            assert "removed" not in result.err
            assert len(local(account, folder)) == 1
            assert len(server.wires("Archive")) == 3
            created = any(command.startswith("CREATE") for command in server.received)
            # What was answered OK and made nothing is tried again in each run (M51).
            assert created == (answers == "OK to CREATE" or answers == "no STATUS" and number == 0)
        account.local.folder(folder).rename(account.local.folder("Mine"))
        server.script = []
        assert sync(account, 0).did == {"uploaded": 1}
        assert sync(account, 0).did == {}
