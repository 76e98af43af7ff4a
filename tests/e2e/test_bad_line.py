"""A bad line condemns nobody: connections that are cut anywhere, servers that let nobody in, or end the
connection at some command whatever it is about, for a while."""

import pytest

from badline import busy_story, flaky_story

WAYS = [*(("pop3", way) for way in ("close", "bye", "LOGIN", "UIDL", "RETR", "DELE", "QUIT")),
        *(("imap", way) for way in ("close", "bye", "SELECT", "STATUS", "FETCH", "FETCH-BODY"))]


@pytest.mark.parametrize("runs", [12])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_line_that_is_cut_at_random_condemns_nobody(account, protocol, runs):
    flaky_story(account, protocol, seed=runs, runs=runs)


@pytest.mark.parametrize("protocol,way", WAYS)
def test_a_server_that_is_unwell_for_a_while_condemns_nobody(account, protocol, way):
    busy_story(account, protocol, way)
