"""What the connection ends on each time holds up nothing else: the stories of poisoned.py."""

import pytest

import poisoned
from rig import mail
from rig.line import Line
from rig.poison import Fault, Flaky, Poison

CASES = [(name, "close") for name in poisoned.ACTS]
CASES += [(name, end) for name in ("SELECT", "FETCH", "APPEND behind the literal", "STORE")
          for end in poisoned.ENDS if end != "close"]


@pytest.mark.parametrize("name,end", CASES)
def test_one_thing_holds_up_no_other(account, name, end):
    runs = 10 if end == "close" else 2
    with Poison(account.server.port) as poison:
        poisoned.imap_story(account, poison, poisoned.ACTS[name], end, runs)


@pytest.mark.parametrize("name,end", [(name, end) for name in poisoned.ACTS for end in poisoned.ENDS
                                      if (name, end) not in CASES])
def test_nor_does_it_however_it_ends(account, name, end):
    with Poison(account.server.port) as poison:
        poisoned.imap_story(account, poison, poisoned.ACTS[name], end, runs=2)


@pytest.mark.parametrize("end", poisoned.ENDS)
def test_a_listing_with_numbers_is_done_without(account, end):
    """And tried again a day later; nobody is to be named for it."""
    scene = poisoned.Scene(account, poisoned.Row("LIST-STATUS", mailbox="Work"))
    scene.begin()
    with Poison(account.server.port, scene.fault(end)) as poison:
        account.change(port=poison.port)
        assert account.sync().errors == []
        assert scene.differences() == [] and poison.hits
        before = poison.connections
        for _ in range(10):
            assert account.sync().did == {}
        assert poison.connections - before == 10


def test_a_mailbox_at_its_numbers_is_named_where_they_come_with_the_list(account):
    with Poison(account.server.port) as poison:
        poisoned.imap_story(account, poison, poisoned.Row("STATUS", mailbox="Work"), "close", runs=3)


@pytest.mark.parametrize("at", ["FETCH", "FETCH-BODY"])
def test_a_message_that_comes_over_a_further_connection_holds_up_no_other(account, at):
    """A line that is far away has more of them opened."""
    wires = [poisoned.letter(number, number == 250, size=150_000) for number in range(300)]
    with account.remote() as remote:
        mail.pour(remote, "INBOX", [mail.Letter("INBOX", wire, (), 1_500_000_000) for wire in wires])
    with Poison(account.server.port, Fault(at, marker=poisoned.MARK)) as poison, \
            Line(poison.port, rtt_ms=6) as line:
        account.change(port=line.port, connections=4)
        result = account.sync(status=1)
        assert len(poisoned.named(result)) == 1 and result.did["downloaded"] == 299, result
        assert poison.connections > 5
        for _ in range(2):
            assert account.sync(status=1).did == {"errors": 1}
        poison.faults = []
        assert account.sync().did == {"downloaded": 1}
    assert poisoned.held(account) == sorted(wires)


def test_status_tells_what_it_is_and_when_it_is_tried(account):
    scene = poisoned.Scene(account, poisoned.ACTS["SELECT"])
    scene.begin()
    with Poison(account.server.port, scene.fault("close")) as poison:
        account.change(port=poison.port)
        account.sync(status=1)
    told = {event["mailbox"]: event["suspects"] for event in account.run("--json", "status").events}
    assert told["Work"] == 1 and told["INBOX"] == 0
    assert "1 that the connection ends on, tried last in the next run" in account.run("status").out


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_line_condemns_nobody(account, seed):
    scene = poisoned.Scene(account, poisoned.Row("NOTHING"))
    scene.begin()
    with Flaky(account.server.port, seed=seed) as line:
        account.change(port=line.port)
        for _ in range(50):
            if account.sync(status=None).status == 0:
                break
    account.change(port=account.server.port)
    account.sync(status=None)
    account.sync()
    assert scene.differences() == []
    assert account.sync().did == {}


@pytest.mark.parametrize("without", ["LIST-STATUS", None])
def test_list_and_check_get_past_a_mailbox_at_its_numbers(account, without):
    scene = poisoned.Scene(account, poisoned.ACTS["STATUS"])
    scene.begin()
    account.change(disable_extensions=without)
    with Poison(account.server.port, scene.fault("close")) as poison:
        account.change(port=poison.port)
        listed = account.run("--json", "list")
        assert listed.status == 1 and "Work" in listed.err, listed
        told = {event["mailbox"]: event["messages"] for event in listed.of("list")}
        assert told["INBOX"] == 4 and told["Zoo"] == 4 and told["Work"] is None
        assert account.run("check").status == 0
        assert poison.hits
        assert account.run("--json", "list", "home/Zoo").of("list")[0]["messages"] == 4


@pytest.mark.parametrize("act", ["SELECT", "STATUS"])
def test_a_dry_run_plans_past_a_mailbox(account, act):
    scene = poisoned.Scene(account, poisoned.ACTS[act])
    scene.begin()
    with Poison(account.server.port, scene.fault("close")) as poison:
        account.change(port=poison.port)
        before = account.local.snapshot()
        for _ in range(2):
            result = account.run("--json", "--dry-run")
            assert result.status == 1 and len(poisoned.named(result)) == 1, result
            planned = [event for event in result.of("plan") if event["mailbox"] in ("INBOX", "Zoo")]
            assert len(planned) == 10 and len({str(event) for event in planned}) == 10, result
        assert account.local.snapshot() == before


def test_a_mailbox_is_named_where_no_other_has_anything_to_do(account):
    """One that is idle is opened to tell whether the server ends with all of them."""
    scene = poisoned.Scene(account, poisoned.ACTS["SELECT"])
    scene.fill()
    account.sync()
    with account.remote() as remote:
        remote.append("Work", poisoned.letter(99))
    with Poison(account.server.port, scene.fault("close")) as poison:
        account.change(port=poison.port)
        assert len(poisoned.named(account.sync(status=1))) == 1
        poisoned.go_on(account, poison, 3, {"errors": 1})
        poison.faults = []
        assert account.sync().did == {"downloaded": 1}
        assert account.sync().did == {}


@pytest.mark.parametrize("end", ["close", "silence"])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_server_that_dies_of_a_message_at_another_byte_each_time_is_seen_through(account, protocol, end):
    """In the first run or the second: eight in a row (X8)."""
    wires = poisoned.fill_drop(account)
    at = "RETR-ANYWHERE" if protocol == "pop3" else "FETCH-ANYWHERE"
    keys = {"protocol": "pop3"} if protocol == "pop3" else {}
    port = account.server.port + (2 if protocol == "pop3" else 0)
    fault = Fault(at, marker=poisoned.MARK, end=end, varies=True)
    with Poison(port, fault, protocol=protocol) as poison:
        account.change(port=poison.port, timeout=1, **keys)
        results = [account.sync(status=None) for _ in range(4)]
        assert [result.status for result in results] in ([1] * 4, [75, 1, 1, 1]), results
        assert len(poisoned.named(results[-1])) == 1
        assert poisoned.held(account) == sorted(wires[:2] + wires[3:])
        poison.faults = []
        assert account.sync().did == {"downloaded": 1}
    assert poisoned.held(account) == sorted(wires)
