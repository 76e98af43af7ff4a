"""Stories of lines and servers that are bad with everything, for a while."""

from poisoned import SECONDS, held, letter, named
from rig.poison import Fault, Flaky, Poison

SIZE = 5000
PORTS = {"imap": 0, "pop3": 2}


def fill(account, first, count, box="INBOX"):
    wires = [letter(number, size=SIZE) for number in range(first, first + count)]
    with account.remote() as remote:
        for wire in wires:
            remote.append(box, wire)
    return wires


def use(account, port, protocol):
    keys = {"leave_on_server": "yes"} if protocol == "pop3" else {}
    account.change(port=port, protocol=protocol, timeout=SECONDS, **keys)


def work_here(account, number, sent):
    """Now and then something is to go up, too: a letter, a flag."""
    wire = letter(10_000 + number, size=SIZE)
    account.local.create("INBOX")              # no run may have come that far yet
    account.local.deliver("INBOX", wire.replace(b"\r\n", b"\n"), "S")
    sent.append(wire)
    files = sorted(account.local.files("INBOX"))
    account.local.set_flags(files[number % len(files)], add="F")


def flaky_story(account, protocol, seed, runs, goes_up=False, **line):
    """One connection in three is cut; mail comes all the time. -> how many runs ended how."""
    port = account.server.port + PORTS[protocol]
    sent, ends, condemned = fill(account, 0, 4), {}, []
    with Flaky(port, seed, **line) as door:
        use(account, door.port, protocol)
        for number in range(runs):
            sent += fill(account, 100 + 2 * number, 2)
            if goes_up and number > 0:
                work_here(account, number, sent)
            result = account.sync(status=None)
            condemned += [(number, error) for error in named(result)]
            ends[result.status] = ends.get(result.status, 0) + 1
        assert door.cuts >= runs // 6
    assert not condemned and set(ends) <= {0, 75}, (ends, condemned)
    use(account, port, protocol)
    assert account.sync(status=None).did.get("skipped") is None
    assert account.sync().did == {}
    assert held(account) == sorted(sent)
    return ends


def busy_story(account, protocol, way, runs=4, end="close", is_synced=False):
    """WAY: how the server is unwell: it lets nobody in, or ends at that command whatever it is about.
    IS_SYNCED: there is something new in INBOX alone."""
    sent = fill(account, 0, 5)
    if protocol == "imap":
        with account.remote() as remote:
            remote.create("Work")
        fill(account, 10, 3, "Work")
    if is_synced:
        account.sync()
        sent += fill(account, 20, 2)
    with Poison(account.server.port + PORTS[protocol], protocol=protocol) as poison:
        use(account, poison.port, protocol)
        if protocol == "pop3" and way in ("DELE", "QUIT"):
            account.change(leave_on_server="no")
        if way in ("close", "bye"):
            poison.refuses = way
        elif way == "LOGIN" and protocol == "pop3":
            poison.logins_left = 0
        else:
            poison.faults = [Fault(way, end=end)]
        for _ in range(runs):
            result = account.sync(status=None)
            assert result.status in (0, 69, 75) and not named(result), result
            assert poison.connections <= 22 * runs           # X13
        poison.faults, poison.refuses, poison.logins_left = [], None, None
        account.sync()
        assert account.sync().did == {}
        assert held(account) == sorted(sent)


def only_mailbox_story(account, way, runs=4):
    """The server ends at WAY, whatever it is about, and the account has but one mailbox."""
    sent = fill(account, 0, 5)
    with Poison(account.server.port, Fault(way, end="bye")) as poison:
        use(account, poison.port, "imap")
        for _ in range(runs):
            result = account.sync(status=1)
            assert len(named(result)) == 1 and result.did == {"errors": 1}, result
        poison.faults = []
        account.sync()
        assert account.sync().did == {}
        assert held(account) == sorted(sent)


def quarter_story(account, clock, refuses=None, says_no=None):
    """For a quarter of an hour the server refuses everything, while there is work on both sides."""
    sent = fill(account, 0, 4)
    account.sync()
    with Poison(account.server.port) as poison:
        use(account, poison.port, "imap")
        poison.refuses, poison.says_no = refuses, says_no
        for number, at in enumerate((1, 300, 600, 899)):
            sent += fill(account, 100 + 2 * number, 2)
            work_here(account, number, sent)
            result = account.sync(status=None, env=clock(at))
            assert result.status in (1, 69, 75) and not named(result), result
            assert result.did.keys() <= {"errors"}, result
        poison.refuses = poison.says_no = None
        result = account.sync(env=clock(901))
        assert (result.did["downloaded"], result.did["uploaded"]) == (8, 4), result
        assert account.sync(env=clock(902)).did == {}
        assert held(account) == sorted(sent)
