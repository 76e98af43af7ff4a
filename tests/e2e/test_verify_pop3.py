"""verify over POP3: what the maildrop still has is compared, body by body if asked, and fetched again."""

import pytest

from maildrop import Maildrop
from rig import mail, program
from test_disk import bound
from test_verify import at_steps, edit, flip, named, until_it_ends, verify


def letters(count, size=600):
    return [mail.one(n, size=size) for n in range(count)]


@pytest.fixture
def fetched(tmp_path):
    """An account that has fetched a maildrop, and that; keys of each may be given."""
    drops = []

    def make(sent=None, drop=(), **keys):
        drops.append(Maildrop(sent if sent is not None else letters(5), **dict(drop)))
        drops[-1].__enter__()
        account = program.Account(tmp_path / f"drop{len(drops)}", None, "joe", protocol="pop3",
                                  password="secret", port=drops[-1].port, **keys)
        account.sync()
        drops[-1].commands.clear()
        return account, drops[-1]
    yield make
    for drop in drops:
        drop.__exit__()


def kinds(problems):
    return sorted(problem["problem"] for problem in problems)


def files(account, drop):
    return [account.local.find("INBOX", wire) for _, wire in drop.letters]


def test_each_level_looks_as_far_as_it_says(fetched):
    account, drop = fetched()
    assert verify(account, "--level=files")[1]["messages"] == 5 and drop.commands == []
    assert verify(account, "--level=server")[0] == []
    assert "UIDL" in drop.verbs() and "RETR" not in drop.verbs()
    drop.commands.clear()
    total = verify(account, "--level=bytes")[1]
    assert drop.verbs().count("RETR") == 5 and total["bytes"] > 2 * 5 * 500
    # QUIT is where some servers mark as read what was fetched.
    assert "QUIT" not in drop.verbs() and "DELE" not in drop.verbs()


def test_what_differs_there_is_named_and_new_mail_is_pending(fetched):
    account, drop = fetched()
    drop.letters[1][1] = drop.letters[1][1][:-9] + b"changed\r\n"
    drop.letters.append(["id9", mail.one(9, size=300)])
    assert verify(account, "--level=server")[1]["pending"] == 1
    problems, total = verify(account, "--level=bytes", status=1)
    assert kinds(problems) == ["differs_there"] and total["pending"] == 1
    assert "differs from what it sent on" in problems[0]["message"]


def test_what_is_gone_there_is_no_problem(fetched):
    account, drop = fetched(leave_on_server="no")
    assert drop.letters == []
    for level in ("files", "server", "bytes"):
        assert verify(account, f"--level={level}")[1]["messages"] == 5


@pytest.mark.parametrize("level", ["files", "server", "bytes"])
def test_what_is_missing_or_damaged_is_fetched_again(fetched, level):
    account, drop = fetched()
    paths = files(account, drop)
    right = [path.read_bytes() for path in paths]
    paths[0].unlink()
    flip(paths[1])
    paths[2].write_bytes(b"")
    problems, total = verify(account, f"--level={level}", "--repair")
    assert kinds(problems) == ["differs_here", "differs_here", "missing_here"]
    assert total["repaired"] == 3
    assert [path.read_bytes() for path in files(account, drop)] == right
    kept = account.database.with_suffix(".damaged")
    assert len(list(kept.iterdir())) == 2
    assert verify(account, "--level=bytes")[0] == []
    assert account.sync().did == {}
    assert len(list(account.local.folder("INBOX").glob("*/*"))) == 5


def test_a_folder_that_cannot_be_read_ends_no_proof_of_the_others(fetched):
    """What lies in it is not known to be gone, and so not fetched a second time."""
    account, drop = fetched()
    paths = files(account, drop)
    account.local.create("Filed")
    flip(paths[0])
    account.local.move(paths[1], "Filed")
    (account.local.folder("Filed") / "cur").chmod(0)
    for level in ("files", "bytes"):
        result = bound(account, f"--level={level}", "--repair", command="verify")
        assert "Filed" in result.errors[0]["message"] and result.status in (1, 74), result
        total, = result.of("verified")
        assert (total["problems"], total["messages"]) == (int(level == "files"), 4), level
        assert total["repaired"] == total["problems"]
    assert len(list(account.local.files("INBOX"))) == 4
    (account.local.folder("Filed") / "cur").chmod(0o700)
    assert bound(account, command="verify").status == 0


def test_a_file_that_cannot_be_read_ends_no_proof_of_the_others(fetched):
    account, drop = fetched()
    edit(account, "UPDATE pop3 SET content = NULL")
    paths = files(account, drop)
    paths[0].chmod(0)
    flip(paths[2], -10)
    result = bound(account, "--level=bytes", command="verify")
    assert kinds(result.of("verify")) == ["differs_here"] * 2 and result.errors == []


def test_a_file_with_another_header_is_told_of_and_repaired_once(fetched):
    account, drop = fetched()
    edit(account, "UPDATE pop3 SET content = NULL")
    flip(files(account, drop)[1], 20)
    problems, total = verify(account, "--level=bytes", "--repair")
    assert kinds(problems) == ["differs_here"] and total["repaired"] == 1
    assert verify(account, "--level=bytes")[0] == []


def test_what_the_server_has_no_more_is_not_repaired(fetched):
    account, drop = fetched()
    paths = files(account, drop)
    paths[0].unlink()
    paths[1].unlink()
    del drop.letters[0]
    drop.letters[0][1] = mail.one(77, size=600)
    problems, total = verify(account, "--repair", status=1)
    assert total["repaired"] == 0 and kinds(problems) == ["missing_here", "missing_here"]
    assert verify(account, "--accept-missing")[0] == []
    assert verify(account, "--level=server")[0] == []


def test_a_file_that_came_back_and_is_lost_again_is_told(fetched):
    account, drop = fetched()
    path = files(account, drop)[0]
    content = path.read_bytes()
    path.unlink()
    assert verify(account, "--accept-missing")[0] == []
    path.write_bytes(content)
    assert verify(account)[0] == []
    path.unlink()
    assert kinds(verify(account, status=1)[0]) == ["missing_here"]


def test_what_base_cannot_tell_is_compared_with_the_server_first(fetched):
    account, drop = fetched()
    edit(account, "UPDATE pop3 SET content = NULL")
    paths = files(account, drop)
    flip(paths[3], -10)
    problems, total = verify(account, "--level=bytes", "--repair")
    assert kinds(problems) == ["differs_here"] and total["repaired"] == 1
    assert verify(account, "--level=bytes")[1]["taken"] == 0
    edit(account, "UPDATE pop3 SET content = NULL")
    assert verify(account)[1]["taken"] == 5


def test_a_server_without_unique_ids_and_one_that_shows_some_only(fetched):
    account, drop = fetched(drop={"uidl": False})
    for level in ("server", "bytes"):
        assert verify(account, f"--level={level}")[0] == []
    assert len(drop.letters) == 5
    account, drop = fetched(drop={"greeting": "+OK Gpop ready for requests", "window": 3})
    result = account.run("--json", "verify", "--level=server")
    assert result.status == 1 and "only some" in result.err


def test_a_body_that_is_refused_or_cut_is_not_proven(fetched):
    account, drop = fetched()
    drop.at["RETR 2"] = "-ERR not now"
    result = account.run("--json", "verify", "--level=bytes")
    total, = result.of("verified")
    assert (result.status, total["problems"], total["not_compared"]) == (1, 0, 1)
    drop.at["RETR 2"] = "cut"
    assert account.run("verify", "--level=bytes").status == 75


def test_a_share_asks_for_its_bodies_alone(fetched):
    account, drop = fetched(letters(20))
    total = verify(account, "--level=bytes", "--sample=10%")[1]
    assert total["messages"] == 2 and drop.verbs().count("RETR") == 2
    drop.commands.clear()
    for _ in range(4):
        verify(account, "--level=bytes", "--sample=1/4")
    assert drop.verbs().count("RETR") == 20


@at_steps
def test_a_repair_that_is_stopped_at_any_step_loses_nothing(fetched, steps, every):
    account, drop = fetched(letters(3))
    paths = files(account, drop)
    right = [path.read_bytes() for path in paths]
    damaged = right[1][:-7]
    paths[0].unlink()
    paths[1].write_bytes(damaged)
    for step, _ in until_it_ends(account, "verify", "--repair", every=every):
        kept = list(account.database.with_suffix(".damaged").glob("*"))
        now = paths[1].read_bytes()
        assert now == right[1] or now == damaged, step
        assert now == damaged or any(path.read_bytes() == damaged for path in kept), step
        account.sync(status=None)
        verify(account, "--repair")
        assert [path.read_bytes() for path in files(account, drop)] == right, step
        for path in files(account, drop)[:1]:
            path.unlink()
        paths[1] = account.local.find("INBOX", drop.letters[1][1])
        paths[1].write_bytes(damaged)
