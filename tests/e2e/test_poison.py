"""One thing at which the connection ends, each time, holds up nothing else over POP3, and rests for a day
(poisoned.py has the tables; test_suspects.py: over IMAP)."""

import pytest

from poisoned import (ACTS, DROPS, ENDS, HOUR, Scene, clock_ahead, day_story, fill_drop, held,
                      named, open_drop, pop3_story)
from rig.poison import Poison


@pytest.fixture
def poison(dovecots):
    with Poison(dovecots().port) as poison:
        yield poison


@pytest.fixture
def pop3_poison(dovecots):
    with Poison(dovecots().port + 2, protocol="pop3") as poison:
        yield poison


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("act", DROPS)
def test_pop3_goes_on_past_it(account, pop3_poison, act, end):
    pop3_story(account, pop3_poison, DROPS[act], end, runs=2 if end == "close" else 10)


@pytest.mark.parametrize("act,step,rest", [("FETCH", 6 * HOUR, 24 * HOUR), ("FETCH", HOUR, 24 * HOUR),
                                           ("SELECT", HOUR // 2, HOUR)])
def test_imap_rests_for_a_day_or_an_hour(account, poison, clock_shim, act, step, rest):
    scene = Scene(account, ACTS[act])
    scene.begin()
    poison.faults = [scene.fault("close")]
    account.change(port=poison.port)
    day_story(account, poison, clock_ahead(clock_shim), step, rest)
    assert scene.differences() == []


@pytest.mark.parametrize("step", [6 * HOUR, HOUR])
@pytest.mark.parametrize("act", ["RETR", "TOP", "DELE"])
def test_pop3_rests_for_a_day(account, pop3_poison, clock_shim, act, step):
    wires = fill_drop(account)
    open_drop(account, pop3_poison, DROPS[act], "close")
    day_story(account, pop3_poison, clock_ahead(clock_shim), step, rest=24 * HOUR)
    assert held(account) == sorted(wires)
    assert account.sync().did == {}
    with account.remote() as remote:
        assert remote.uids("INBOX") == []


@pytest.mark.parametrize("act", ["RETR", "RETR, kept", "DELE"])
def test_pop3_a_server_that_asks_for_a_delay_between_logins(account, pop3_poison, act):
    """Then the next run goes on, and what the connection ended on comes last, and is named in the end."""
    row = DROPS[act]
    wires = fill_drop(account)
    open_drop(account, pop3_poison, row, "close")
    others = [wire for wire in wires if b"X-Poison" not in wire or act == "DELE"]
    names = []
    for _ in range(8):
        pop3_poison.logins_left = 1
        result = account.sync(status=None)
        names.append(len(named(result)))
        assert result.status == (1 if named(result) else 75), result
    assert names == [0] * (8 - sum(names)) + [1] * sum(names) and sum(names) >= 3, names
    assert held(account) == sorted(others)
    with account.remote() as remote:
        assert len(remote.uids("INBOX")) == (6 if row.leave == "yes" else 1)
    pop3_poison.faults, pop3_poison.logins_left = [], None
    account.sync()
    assert held(account) == sorted(wires)
    assert account.sync().did == {}
