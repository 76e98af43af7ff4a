"""Cost follows change: what an idle or small run sends, counted on the wire and by itself."""

import pytest

from rig.line import Line
from stories import append, paired

RTT = 40


def through_a_line(account, **keys):
    """(result of a sync, its one connection as the wire saw it)."""
    port = account.keys["port"]
    with Line(port, rtt_ms=RTT) as line:
        account.change(port=line.port, **keys)
        result = account.sync()
    account.change(port=port)
    return result, line.connections


@pytest.mark.parametrize("auth, turns", [("plain", 4), ("scram-sha-256", 6)])
def test_an_idle_run_takes_few_round_trips(account, remote, auth, turns):
    """Greeting and CAPABILITY, login (SCRAM: two more turns), LIST, LOGOUT."""
    paired(account, remote, 5)
    result, connections = through_a_line(account, auth=auth)
    assert result.did == {}
    assert len(connections) == 1
    assert connections[0].turns <= turns, connections
    assert result.account["connections"] == 1
    assert result.account["bytes_in"] <= connections[0].down
    assert result.account["bytes_out"] <= connections[0].up


def test_many_idle_mailboxes_cost_no_more_round_trips(account, remote):
    for number in range(30):
        remote.create(f"box{number}")
    append(remote, 2, "box7")
    account.sync()
    _, connections = through_a_line(account, auth="plain")
    assert len(connections) == 1 and connections[0].turns <= 4, connections


def test_the_run_after_a_change_is_idle_again(account, remote):
    held = paired(account, remote, 5)
    local = account.local
    local.set_flags(local.find("INBOX", held[0][1]), add="F")
    local.find("INBOX", held[1][1]).unlink()
    local.deliver("INBOX", b"Subject: new\n\nnew\n", "S")
    account.sync()
    result, connections = through_a_line(account, auth="plain")
    assert result.did == {}
    assert len(connections) == 1 and connections[0].turns <= 4, connections


def test_one_flag_takes_few_round_trips(account, remote):
    (uid, wire), *_ = paired(account, remote, 5)
    remote.store("INBOX", uid, "+FLAGS", "\\Flagged")
    result, connections = through_a_line(account, auth="plain")
    assert result.did == {"flags_local": 1}
    # Two before login is over, five after it.
    assert sum(c.turns for c in connections) <= 7, connections
