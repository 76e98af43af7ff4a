"""What the connection ends on each time holds up nothing else: the stories of poisoned.py."""

import pytest

import poisoned
from rig.poison import Flaky, Poison

CASES = [(name, "close") for name in poisoned.ACTS]
CASES += [(name, end) for name in ("SELECT", "FETCH", "APPEND behind the literal", "STORE")
          for end in poisoned.ENDS if end != "close"]


@pytest.mark.parametrize("name,end", CASES)
def test_one_thing_holds_up_no_other(account, name, end):
    runs = 10 if end == "close" else 2
    with Poison(account.server.port) as poison:
        poisoned.imap_story(account, poison, poisoned.ACTS[name], end, runs)


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
