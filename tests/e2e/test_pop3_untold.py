"""What a POP3 server did not tell changes nothing: what is not proven here is not deleted there,
nothing is fetched twice, and nothing that was not named is taken for gone."""

import pytest

from maildrop import Maildrop
from rig import mail, program


def letters(count, size=650, seed="untold"):
    return [mail.one(n, seed=seed, size=size) for n in range(count)]


@pytest.fixture
def drop_account(tmp_path):
    """drop_account(maildrop, **keys): an account of a Maildrop."""
    def make(drop, **keys):
        keys = {"password": "secret", "port": drop.port, **keys}
        return program.Account(tmp_path / "drop", None, "joe", protocol="pop3", **keys)
    return make


def local(account):
    if not account.local.folder("INBOX").is_dir():
        return []
    return sorted(path.read_bytes().replace(b"\n", b"\r\n") for path in account.local.files("INBOX"))


def half(wire):
    """Its first lines, as a server that lost the rest sends them."""
    lines = wire.split(b"\r\n")
    return b"\r\n".join(lines[:len(lines) // 2]) + b"\r\n"


def retr(wire):
    """An answer to RETR."""
    return b"+OK\r\n" + (b"\r\n" + wire).replace(b"\r\n.", b"\r\n..")[2:] + b"."


def asked(drop, verb):
    return [command for command in drop.commands if command.upper().startswith(verb)]


# RETR: half, empty, with surplus

@pytest.mark.parametrize("is_piped", [True, False])
def test_a_half_is_kept_and_the_message_too_until_the_rest_comes(drop_account, is_piped):
    """A16, A17: the whole one is stored beside the half, which is told, and deletes the message."""
    sent = letters(3)
    with Maildrop(sent, at={"RETR 2": retr(half(sent[1]))}) as drop:
        if not is_piped:
            drop.capabilities.remove("PIPELINING")
        account = drop_account(drop, leave_on_server="no")
        assert account.sync().did == {"downloaded": 3, "deleted_remote": 2}
        assert "DELE 2" not in drop.commands
        assert local(account) == sorted([sent[0], half(sent[1]), sent[2]])
        drop.at = {}
        result = account.run("--json", "sync")
        assert result.status == 1 and "another content" in result.err, result
        assert result.did == {"downloaded": 1, "deleted_remote": 1, "errors": 1}
        assert local(account) == sorted([*sent, half(sent[1])])
        assert drop.letters == []
        assert account.sync().did == {}


def test_a_half_that_comes_twice_is_what_there_is(drop_account):
    """A17: another session's RETR gave the same bytes."""
    sent = letters(2)
    with Maildrop(sent, at={"RETR 2": retr(half(sent[1]))}) as drop:
        account = drop_account(drop, leave_on_server="no")
        assert account.sync().did == {"downloaded": 2, "deleted_remote": 1}
        assert "DELE 2" not in drop.commands
        drop.at = {"RETR 1": drop.at["RETR 2"]}
        assert account.sync().did == {"deleted_remote": 1}
        assert local(account) == sorted([sent[0], half(sent[1])])
        assert account.sync().did == {}


def test_halves_that_differ_are_not_kept_without_end(drop_account):
    """A17: at most four of them; the message is then let be, and stays on the server."""
    sent = letters(1, size=3000)
    with Maildrop(sent) as drop:
        account = drop_account(drop, leave_on_server="no")
        for lines in range(3, 12):
            drop.at = {"RETR": retr(b"\r\n".join(sent[0].split(b"\r\n")[:lines]) + b"\r\n")}
            account.run("sync")
        assert len(local(account)) == 4
        assert not asked(drop, "DELE") and len(asked(drop, "RETR")) == 4
        assert account.sync().did == {}
        assert [wire for _, wire in drop.letters] == sent


def test_a_half_with_an_age_is_looked_at_again_before_the_age_has_passed(drop_account):
    sent = letters(1)
    with Maildrop(sent, at={"RETR": retr(half(sent[0]))}) as drop:
        account = drop_account(drop, leave_on_server="14d")
        assert account.sync().did == {"downloaded": 1}
        drop.at = {}
        assert account.sync(status=1).did == {"downloaded": 1, "errors": 1}
        assert local(account) == sorted([half(sent[0]), sent[0]])
        assert account.sync().did == {} and len(asked(drop, "RETR")) == 2
        assert not asked(drop, "DELE")


@pytest.mark.parametrize("keys", [{}, {"direction": "pull"}, {"leave_on_server": "no",
                                                              "delete": "none"}])
def test_what_is_not_to_be_deleted_is_not_fetched_to_be_proven(drop_account, keys):
    sent = letters(2)
    with Maildrop(sent, size=lambda wire: 2 * len(wire)) as drop:
        account = drop_account(drop, **keys)
        assert account.sync().did == {"downloaded": 2}
        assert account.sync().did == {}
        assert len(asked(drop, "RETR")) == 2


@pytest.mark.parametrize("size", [lambda wire: len(wire) + 200, lambda wire: 2 * len(wire),
                                  lambda wire: 1 << 62, lambda wire: (1 << 64) - 1],
                         ids=["more", "double", "huge", "vast"])
def test_sizes_that_are_always_too_large_cost_no_second_fetch_for_ever(drop_account, size):
    """A18: ten messages are proven by a second session, and the next ones by that."""
    with Maildrop(letters(10), size=size) as drop:
        account = drop_account(drop, leave_on_server="no")
        assert account.sync().did == {"downloaded": 10}
        assert account.sync().did == {"deleted_remote": 10}
        drop.letters = [[f"new{n}", wire] for n, wire in enumerate(letters(5, seed="new"))]
        assert account.sync().did == {"downloaded": 5, "deleted_remote": 5}
        assert len(asked(drop, "RETR")) == 25
        assert account.sync().did == {}


def test_a_server_whose_sizes_are_too_large_does_not_get_away_with_halves(drop_account):
    """A18: only what is short by no more than was proven, here about a sixth."""
    sent = letters(8)
    with Maildrop(sent, size=lambda wire: len(wire) + 120) as drop:
        account = drop_account(drop, leave_on_server="no")
        account.sync()
        assert account.sync().did == {"deleted_remote": 8}
        more = letters(2, seed="more")
        drop.letters = [["more1", more[0]], ["more2", more[1]]]
        drop.at = {"RETR 1": retr(half(more[0]))}
        assert account.sync().did == {"downloaded": 2, "deleted_remote": 1}
        drop.at = {}
        assert account.sync(status=1).did == {"downloaded": 1, "deleted_remote": 1, "errors": 1}
        assert local(account) == sorted([*sent, *more, half(more[0])])
        # And once it was caught, every one is fetched again.
        drop.letters = [["last", letters(1, seed="last")[0]]]
        assert account.sync().did == {"downloaded": 1}
        assert account.sync().did == {"deleted_remote": 1}


@pytest.mark.parametrize("size", [lambda wire: len(wire) + wire.count(b"\r\n."),
                                  lambda wire: len(wire) + 5, lambda wire: len(wire) - 7,
                                  lambda wire: len(wire) // 3],
                         ids=["stuffed", "terminator", "less", "a-third"])
def test_sizes_that_are_explained_need_no_proof(drop_account, size):
    """A16."""
    dotted = b"Subject: dots\r\n\r\n" + b".one\r\n..two\r\n...three\r\n" * 20
    with Maildrop([*letters(2), dotted], size=size) as drop:
        account = drop_account(drop, leave_on_server="no")
        assert account.sync().did == {"downloaded": 3, "deleted_remote": 3}


def test_an_empty_body_of_no_told_size_is_no_proof(drop_account):
    """A16: neither the size nor the body says anything; another session has to say it again."""
    sent = letters(1)
    with Maildrop(sent, at={"RETR": "+OK\r\n."}, size=lambda wire: "x") as drop:
        account = drop_account(drop, leave_on_server="no")
        account.run("sync")
        assert not asked(drop, "DELE")
        drop.at = {}
        account.run("sync")
        account.sync()
        assert sent[0] in local(account)


@pytest.mark.parametrize("kept", ["half", "whole"])
def test_a_file_that_is_found_without_its_row_is_read_before_the_message_goes(drop_account, kept):
    """K7 and A16: the database was lost; the file may be what came of a short body."""
    sent = letters(2)
    at = {"RETR 2": retr(half(sent[1]))} if kept == "half" else {}
    with Maildrop(sent, at=at) as drop:
        account = drop_account(drop)
        assert account.sync().did == {"downloaded": 2}
        account.database.unlink()
        drop.at = {}
        account.change(leave_on_server="no")
        if kept == "whole":
            assert account.sync().did == {"deleted_remote": 2}
            assert local(account) == sorted(sent)
            return
        assert account.sync().did == {"deleted_remote": 1}
        assert account.sync(status=1).did == {"downloaded": 1, "deleted_remote": 1, "errors": 1}
        assert local(account) == sorted([*sent, half(sent[1])])


def test_a_file_that_was_adopted_and_deleted_here_does_not_come_back(drop_account):
    """A17: what it held is not known, so that nothing proves the message; it stays there."""
    with Maildrop(letters(1), size=lambda wire: len(wire) + 500) as drop:
        account = drop_account(drop)
        account.sync()
        account.database.unlink()
        assert account.sync().did == {}
        for path in account.local.files("INBOX"):
            path.unlink()
        account.change(leave_on_server="no")
        assert account.sync().did == {}
        assert account.sync().did == {}
        assert len(drop.letters) == 1 and local(account) == []
