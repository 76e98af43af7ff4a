"""A bad line condemns nobody: connections that are cut anywhere, servers that let nobody in, or end the
connection at some command whatever it is about, for a while."""

import os

import pytest

from badline import busy_story, flaky_story, only_mailbox_story, quarter_story
from poisoned import clock_ahead

WAYS = [*(("pop3", way) for way in ("close", "bye", "LOGIN", "UIDL", "RETR", "DELE", "QUIT")),
        *(("imap", way) for way in ("close", "bye", "SELECT", "STATUS", "FETCH", "FETCH-BODY"))]


@pytest.mark.parametrize("runs", [12])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_line_that_is_cut_at_random_condemns_nobody(account, protocol, runs):
    flaky_story(account, protocol, seed=runs, runs=runs)


SEEDS = os.environ.get("MAILSYNC_LINES", "1").split()
LONG = int(os.environ.get("MAILSYNC_LINE_RUNS", "200"))
NEAR = 8000                # then the cuts lie where the messages are
LINES = {
    "imap down": {}, "imap up": {"goes_up": True}, "imap near": {"reach": NEAR, "goes_up": True},
    "pop3 down": {}, "pop3 near": {"reach": NEAR},
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("line", LINES)
def test_nor_does_it_in_many_runs(account, line, seed):
    print(flaky_story(account, line.split()[0], f"{line}/{seed}", LONG, **LINES[line]))


@pytest.mark.parametrize("is_synced", [False, True])
@pytest.mark.parametrize("end", ["close", "bye"])
@pytest.mark.parametrize("way", ["SELECT", "SELECT-AFTER"])
def test_nor_does_a_server_that_ends_at_whatever_mailbox(account, way, end, is_synced):
    busy_story(account, "imap", way, end=end, is_synced=is_synced)


@pytest.mark.parametrize("way", ["SELECT", "SELECT-AFTER"])
def test_an_only_mailbox_at_which_it_ends_is_named_until_it_opens(account, way):
    """NOOP goes through, and there is nothing else to tell by."""
    only_mailbox_story(account, way)


@pytest.mark.parametrize("protocol,way", WAYS)
def test_a_server_that_is_unwell_for_a_while_condemns_nobody(account, protocol, way):
    busy_story(account, protocol, way)


@pytest.mark.parametrize("how", [{"refuses": "close"}, {"refuses": "bye"}, {"says_no": "NO"},
                                 {"says_no": "NO [UNAVAILABLE] later"}, {"says_no": "BAD"}], ids=str)
def test_a_server_that_refuses_everything_for_a_quarter_of_an_hour(account, clock_shim, how):
    quarter_story(account, clock_ahead(clock_shim), **how)
