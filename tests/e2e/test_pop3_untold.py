"""What a POP3 server did not tell changes nothing: what is not proven here is not deleted there,
nothing is fetched twice, and nothing that was not named is taken for gone."""

import shutil

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

def test_a_byte_now_and_then_does_not_hold_the_run(drop_account, clock_shim):
    with Maildrop([mail.one(1), mail.one(2)], at={"LIST": "drip"}) as drop:
        account = drop_account(drop, timeout="5")
        environment = account.environment
        account.environment = lambda: environment(LD_PRELOAD=clock_shim, CLOCK_TIMES="50")
        assert account.sync(status=None).status in (75, 76)
        account.environment = environment
        drop.at = {}
        assert account.sync().did == {"downloaded": 2}


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


def test_what_came_before_is_kept_once_whatever_size_was_listed_then(drop_account):
    """A file's name is made of what was told when it came."""
    [wire] = letters(1)
    with Maildrop([wire], size=lambda body: 2 * len(body)) as drop:
        account = drop_account(drop, leave_on_server="no")
        account.sync()
        drop.size, drop.at = len, {"RETR 1": retr(half(wire))}
        account.sync(status=1)
        assert local(account) == sorted([half(wire), wire])
        drop.at = {}
        account.sync()
        account.sync()
        assert local(account) == sorted([half(wire), wire])
        assert drop.letters == []


@pytest.mark.parametrize("is_deleted_first", [True, False])
def test_what_was_deleted_here_unproven_stays_away_though_a_half_came_between(drop_account,
                                                                              is_deleted_first):
    """A17: the whole came unproven and was deleted here; its content is known when it comes again."""
    [wire] = letters(1)
    with Maildrop([wire], size=lambda body: 2 * len(body)) as drop:
        account = drop_account(drop, leave_on_server="no")
        account.sync()
        [whole] = account.local.files("INBOX")
        if is_deleted_first:
            whole.unlink()
        drop.size, drop.at = len, {"RETR 1": retr(half(wire))}
        account.sync(status=1)
        if not is_deleted_first:
            whole.unlink()
        assert local(account) == [half(wire)] and not asked(drop, "DELE")
        drop.at = {}
        assert account.sync().did == {"deleted_remote": 1}
        assert local(account) == [half(wire)]
        assert drop.letters == []
        assert account.sync().did == {}


def test_a_half_that_was_deleted_here_does_not_keep_the_whole_away(drop_account):
    """A17: what was deleted here was another content."""
    [wire] = letters(1)
    with Maildrop([wire], at={"RETR 1": retr(half(wire))}) as drop:
        account = drop_account(drop, leave_on_server="no")
        account.sync()
        for path in account.local.files("INBOX"):
            path.unlink()
        drop.at = {}
        account.sync(status=1)
        assert local(account) == [wire]
        assert drop.letters == []


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


# The listing: UIDL and LIST

def answer(*lines):
    return "\r\n".join(["+OK", *lines, "."])


def listed(drop, what):
    """The lines of an honest UIDL or LIST."""
    return [f"{n} {x[0] if what == 'UIDL' else len(x[1])}" for n, x in enumerate(drop.letters, 1)]


def lie(how):
    """What becomes of the lines of a listing of five."""
    return {
        "empty": lambda lines: answer(),
        "refused": lambda lines: "-ERR not now, or never",
        "passing": lambda lines: "-ERR [SYS/TEMP] try again",
        "one-missing": lambda lines: answer(*lines[:2], *lines[3:]),
        "cut-by-a-dot": lambda lines: answer(*lines[:2], ".", *lines[2:]),
        "cut": lambda lines: answer(*lines[:2]),
        "unreadable": lambda lines: answer(*lines[:2], "three?", "99999999999 x", "-4 5", lines[4]),
        "twice": lambda lines: answer(*lines, *lines),
        "no-value": lambda lines: answer(*lines[:2], "3", "4 ", lines[4]),
        "another": lambda lines: answer(*lines, "1 777", "2 777", "1 778"),
        "negative": lambda lines: answer(*[f"{line.split()[0]} -1" for line in lines]),
        "too-many": lambda lines: answer(*lines, "6 666"),
    }[how]


LIES = ["empty", "refused", "passing", "one-missing", "cut-by-a-dot", "cut", "unreadable", "twice",
        "no-value", "another", "negative", "too-many"]


# An id of -1 is one.
@pytest.mark.parametrize("leave", ["no", "yes"])
@pytest.mark.parametrize("what, how", [(what, how) for what in ("UIDL", "LIST") for how in LIES
                                       if (what, how) != ("UIDL", "negative")])
def test_a_listing_that_lies_for_once(drop_account, what, how, leave):
    """Nothing is fetched twice for it, nothing deleted that is not here, nothing forgotten; and the
    next true listing brings what is new and settles the rest."""
    sent = letters(5)
    with Maildrop(sent[:3]) as drop:
        account = drop_account(drop)
        assert account.sync().did == {"downloaded": 3}
        drop.letters += [[f"id{n}", wire] for n, wire in enumerate(sent[3:], 4)]
        account.change(leave_on_server=leave)
        drop.at = {what: lie(how)(listed(drop, what))}
        result = account.run("--json", "sync")
        assert result.status in (0, 1, 75, 76), result
        here = local(account)
        assert len(here) == len(set(here)) and set(here) <= set(sent)
        for wire in sent:
            assert wire in here or wire in [x[1] for x in drop.letters]
        drop.at = {}
        account.sync()
        assert local(account) == sorted(sent)
        account.sync()
        assert local(account) == sorted(sent)
        assert [x[1] for x in drop.letters] == ([] if leave == "no" else sent)


def test_a_number_that_is_told_two_unique_ids_is_told_none(drop_account):
    """Message 1 is new, and the server says that it is id1, which was downloaded, too: DELE 1 would
    delete what nobody has."""
    old, new = (f"Subject: {n}\r\nMessage-ID: <{n}@x>\r\n\r\nx\r\n".encode() for n in (1, 2))
    assert len(old) == len(new)
    with Maildrop([old]) as drop:
        account = drop_account(drop)
        account.sync()
        drop.letters = [["id9", new]]
        drop.at = {"UIDL": answer("1 id1", "1 id9")}
        account.change(leave_on_server="no")
        account.run("sync")
        assert new in local(account) or drop.letters
        drop.at = {}
        account.sync()
        assert local(account) == sorted([old, new]) and drop.letters == []


def test_a_message_that_is_told_two_sizes_is_told_none(drop_account):
    """max_message_size goes by none of them, and no body is empty against one."""
    sent = letters(2)
    with Maildrop(sent, at={"LIST": answer("1 99", "2 9999", "2 10", "1 999999999")}) as drop:
        account = drop_account(drop, max_message_size="5k")
        assert account.sync().did == {"downloaded": 2}
        assert local(account) == sorted(sent)


# TOP: what a header has to be to be believed

TOPS = {
    "refused": "-ERR no",
    "empty": "+OK\r\n.",
    "a-blank-line": "+OK\r\n\r\n.",
    "a-part": "+OK\r\nReturn-Path: <bounce-0@lists.example>\r\n.",
}


@pytest.mark.parametrize("uidl", [True, False])
@pytest.mark.parametrize("how", TOPS)
def test_a_header_that_was_not_told_decides_nothing(drop_account, how, uidl):
    """K14: it is read by RETR; no message is taken for another, or for a new one."""
    sent = letters(4)
    with Maildrop(sent, uidl=uidl) as drop:
        account = drop_account(drop)
        account.sync()
        # A doubt in each of them.
        drop.at = {"TOP": TOPS[how]}
        if uidl:
            drop.letters = [[f"other{n}", wire] for n, wire in enumerate(sent)]
        assert account.sync().did == {}
        account.change(leave_on_server="no")
        assert account.sync().did == {"deleted_remote": 4}
        assert local(account) == sorted(sent)


@pytest.mark.parametrize("retr", ["-ERR no", "+OK\r\n.", "+OK\r\nReturn-Path: <x@y>\r\n."])
@pytest.mark.parametrize("top", TOPS)
def test_a_doubt_that_no_header_settles_waits(drop_account, top, retr):
    """K15: told; not fetched, not deleted; the next run settles it."""
    sent = letters(2)
    with Maildrop([sent[0]]) as drop:
        account = drop_account(drop)
        account.sync()
        # The id was given to another message.
        drop.letters = [["id1", sent[1] + b"more\r\n"]]
        drop.at = {"TOP": TOPS[top], "RETR": retr}
        account.change(leave_on_server="no")
        result = account.run("--json", "sync")
        assert result.status == 1 and "does not tell" in result.err, result
        assert not asked(drop, "DELE") and local(account) == [sent[0]]
        drop.at = {}
        assert account.sync().did == {"downloaded": 1, "deleted_remote": 1}
        assert local(account) == sorted([sent[0], sent[1] + b"more\r\n"])


def test_a_seeded_message_whose_id_was_not_told_is_not_fetched(drop_account):
    """K16: what another program fetched has no header here, and UIDL is refused for once."""
    sent = letters(3)
    with Maildrop(sent) as drop:
        account = drop_account(drop)
        folder = account.local.folder("INBOX")
        for name in ("cur", "new", "tmp"):
            (folder / name).mkdir(parents=True)
        (folder / "new" / "1.foreign").write_bytes(b"Subject: other\n\nx\n")
        ids = account.folder / ".mpop_uidls"
        ids.mkdir()
        (ids / "joe_at_127.0.0.1").write_text(" 3 127.0.0.1 joe\nid1\nid2\nid3\n")
        assert account.sync().did == {}
        drop.at = {"UIDL": "-ERR no"}
        assert account.sync(status=1).did == {"errors": 3}
        drop.at = {}
        assert account.sync().did == {}
        assert len(local(account)) == 1 and not asked(drop, "RETR")


# DELE, QUIT, UTF8, numbers of messages

@pytest.mark.parametrize("at", [{"DELE": "-ERR no"}, {"DELE": "cut"}, {"DELE": "what?"}, {"QUIT": "cut"},
                                {"QUIT": "-ERR some not"}, {"QUIT": "what?"}],
                         ids=lambda at: "-".join(next(iter(at.items()))))
def test_deletions_that_are_not_answered_are_made_good(drop_account, at):
    sent = letters(3)
    with Maildrop(sent, at=at, quit="forget") as drop:
        account = drop_account(drop, leave_on_server="no")
        assert account.run("sync").status in (1, 75, 76)
        assert local(account) == sorted(sent)
        drop.at, drop.quit = {}, "ok"
        account.run("sync")
        account.sync()
        assert local(account) == sorted(sent) and drop.letters == []
        assert len(asked(drop, "RETR")) == 3


@pytest.mark.parametrize("uidl", [True, False])
def test_many_messages_that_need_utf8_come_in_one_session_more(drop_account, uidl):
    sent = letters(6)
    with Maildrop(sent, utf8_only=("id2", "id4", "id5"), uidl=uidl) as drop:
        drop.capabilities.append("UTF8")
        account = drop_account(drop, leave_on_server="no")
        assert account.sync().did == {"downloaded": 6, "deleted_remote": 6}
        assert drop.sessions == 2 and local(account) == sorted(sent)


def test_one_unique_id_for_very_many_messages_costs_no_square_of_them(drop_account):
    """K2: 20,000 pairs are joined, not 400,000,000 tried."""
    sent = [f"Subject: {n}\r\n\r\n{n:05}\r\n".encode() for n in range(20000)]
    with Maildrop(sent) as drop:
        drop.letters = [["same", wire] for wire in sent]
        account = drop_account(drop, max_message_size="1")
        assert account.run("sync", timeout=60).status == 0


# Before the listing: greeting, CAPA

@pytest.mark.parametrize("greeting,status", [
    ("", 69), ("what?", 69), ("-ERR", 69), ("-ERR [SYS/TEMP] later", 75), ("+OK", 0), ("+OKAY", 76)])
def test_greetings(drop_account, greeting, status):
    sent = letters(2)
    with Maildrop(sent) as drop:
        account = drop_account(drop, leave_on_server="no")
        drop.greeting = greeting
        assert account.run("sync").status == status
        assert status == 0 or not asked(drop, "DELE")
        drop.greeting = "+OK"
        account.sync()
        assert local(account) == sorted(sent) and drop.letters == []


@pytest.mark.parametrize("caps", [
    "-ERR what?", "+OK\r\n.", "+OK\r\n\x01\x02\r\n  \r\nPIPELINING-X\r\n.", "+OK\r\nTOP\r\n.",
    "+OK\r\nUIDL\r\n.", "+OK\r\nPIPELINING\r\nPIPELINING\r\n."],
    ids=["refused", "empty", "unreadable", "top-only", "uidl-only", "twice"])
def test_capabilities_that_are_not_told(drop_account, caps):
    """What is not told is not used, or tried where CAPA says nothing at all."""
    sent = letters(4)
    with Maildrop(sent, at={"CAPA": caps}) as drop:
        account = drop_account(drop)
        assert account.sync().did == {"downloaded": 4}
        drop.letters = [[f"other{n}", wire] for n, wire in enumerate(sent)]
        account.change(leave_on_server="no")
        assert account.sync().did == {"deleted_remote": 4}
        assert local(account) == sorted(sent)


@pytest.mark.parametrize("said", ["-ERR no", "+OK 0 0", "+OK 99 99999", "+OK", "what?"])
def test_stat_is_not_asked(drop_account, said):
    """The listing tells it; a maildrop that differs from its STAT is as LIST and UIDL say."""
    sent = letters(3)
    with Maildrop(sent, at={"STAT": said}) as drop:
        account = drop_account(drop, leave_on_server="no")
        assert account.sync().did == {"downloaded": 3, "deleted_remote": 3}
        assert not asked(drop, "STAT")


@pytest.mark.parametrize("answer_to_retr", ["-ERR no", "-ERR [SYS/TEMP] later", "+OK\r\n.", "cut", "what?"],
                         ids=["refused", "passing", "empty", "cut", "broken"])
def test_a_proof_that_does_not_come_leaves_the_message(drop_account, answer_to_retr):
    """A17: neither the half nor the message goes for it; the next run looks again."""
    sent = letters(2)
    with Maildrop(sent, at={"RETR 2": retr(half(sent[1]))}) as drop:
        account = drop_account(drop, leave_on_server="no")
        assert account.sync().did == {"downloaded": 2, "deleted_remote": 1}
        drop.at = {"RETR": answer_to_retr}
        assert account.run("sync").status in (1, 75, 76)
        assert not asked(drop, "DELE 2") and len(drop.letters) == 1
        assert local(account) == sorted([sent[0], half(sent[1])])
        drop.at = {}
        account.run("sync")
        assert local(account) == sorted([*sent, half(sent[1])]) and drop.letters == []


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("second", ["same", "whole"])
def test_stopped_in_a_proof_the_next_run_converges(drop_account, second):
    """A17 and K7: what was stored beside the half is found again, not stored once more."""
    sent = letters(2)
    part = half(sent[1])
    step = 0
    while True:
        step += 1
        assert step < 500
        with Maildrop(sent, at={"RETR 2": retr(part)}) as drop:
            account = drop_account(drop, leave_on_server="no")
            account.change(port=drop.port)
            account.sync()
            drop.at = {"RETR 1": retr(part)} if second == "same" else {}
            stopped = account.run("sync", env={"MAILSYNC_STEP_STOP": str(step)})
            account.run("sync")
            wanted = [sent[0], part] if second == "same" else [*sent, part]
            assert local(account) == sorted(wanted), step
            assert drop.letters == [], step
            assert account.sync().did == {}, step
        for path in (account.folder / "mail", account.folder / "state"):
            shutil.rmtree(path)
        if stopped.status in (0, 1):
            break
    assert step > 10
