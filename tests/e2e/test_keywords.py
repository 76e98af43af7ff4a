"""What file names, letters and their table tell, and what they do not: what a program lost is no
decision of the user, and takes nothing off the server."""

import sqlite3

import pytest

from stories import append, idle, letters

TABLE = "dovecot-keywords"


@pytest.fixture
def tagged(account, remote):
    """(account, session, wire, uid): one seen message with the keywords todo and work, in sync, and
    one that is unseen and has none."""
    (uid, wire), = append(remote, 1, flags=("\\Seen", "todo", "work"))
    append(remote, 1, seed="plain")
    account.sync()
    return account, remote, wire, uid


def name_of(account, wire, mailbox="INBOX"):
    return account.local.find(mailbox, wire)


def rename(account, wire, change, folder="cur", mailbox="INBOX"):
    """CHANGE of the letters, "Sab" to "S"; None: without info part."""
    path = name_of(account, wire)
    base = path.name.partition(":")[0]
    account.local.create(mailbox)
    target = account.local.folder(mailbox) / folder / (
        base if change is None else f"{base}:{change}")
    path.rename(target)
    return target


def table(account, mailbox="INBOX"):
    return account.local.folder(mailbox) / TABLE


def has(remote, uid, *flags, mailbox="INBOX"):
    assert remote.flags(mailbox, uid) == set(flags)


# Names

@pytest.mark.parametrize("info", [None, "2", "1,S", "3,F", "2,S:2,", "2,S!"])
def test_a_name_that_tells_no_flags_changes_none(tagged, info):
    account, remote, wire, uid = tagged
    rename(account, wire, info)
    assert account.sync().did == {}
    has(remote, uid, "S", "todo", "work")
    remote.store("INBOX", uid, "+FLAGS", "\\Flagged")
    assert account.sync().did == {"flags_local": 1}
    has(remote, uid, "S", "F", "todo", "work")
    if info is None:
        assert letters(account, wire) == "FSab"
    assert account.sync().did == {}


def test_names_that_tell_no_flags_do_not_meet_the_brake(account, remote):
    sent = append(remote, 14, flags=("\\Seen", "\\Flagged"))
    account.sync()
    for _, wire in sent:
        rename(account, wire, None)
    assert account.sync().did == {}
    assert all(remote.flags("INBOX", uid) == {"S", "F"} for uid, _ in sent)


def test_a_file_that_went_to_new_is_unread_and_keeps_its_keywords(tagged):
    account, remote, wire, uid = tagged
    rename(account, wire, None, "new")
    assert account.sync().did == {"flags_remote": 1}
    has(remote, uid, "todo", "work")
    rename(account, wire, "2,RS")
    assert account.sync().did == {"flags_remote": 1}
    has(remote, uid, "S", "R", "todo", "work")
    assert account.sync().did == {}


def test_a_file_without_info_part_goes_along_with_its_flags(tagged):
    """Moved on the server; and moved here."""
    account, remote, wire, uid = tagged
    remote.create("Work")
    account.sync()
    rename(account, wire, None)
    remote.move("INBOX", uid, "Work")
    assert account.sync().did == {"moved": 1}
    assert letters(account, wire, "Work") == "Sab"
    moved, = remote.uids("Work")
    has(remote, moved, "S", "todo", "work", mailbox="Work")
    path = name_of(account, wire, "Work")
    path.rename(account.local.folder("INBOX") / "cur" / path.name.partition(":")[0])
    assert account.sync().did == {"moved": 1}
    has(remote, remote.find("INBOX", wire), "S", "todo", "work")
    assert account.sync().did == {}


# The table

def spoil(account, how):
    path = table(account)
    text = path.read_text()
    assert text == "0 todo\n1 work\n"
    if how == "removed":
        path.unlink()
        return
    path.write_bytes({
        "emptied": b"", "garbled": b"\x00\xff\x80 \n\n9", "CRLF": text.replace("\n", "\r\n").encode(),
        "a line lost": b"1 work\n", "cut": b"0 todo\n1 wo"}[how])


@pytest.mark.parametrize("how", ["removed", "emptied", "garbled", "CRLF", "a line lost", "cut"])
def test_names_that_the_table_lost_are_put_back(tagged, how):
    account, remote, wire, uid = tagged
    spoil(account, how)
    spoilt = table(account).read_bytes() if how != "removed" else None
    assert account.sync("--dry-run").plan == []
    assert (table(account).read_bytes() if table(account).exists() else None) == spoilt
    assert account.sync().did == {}
    has(remote, uid, "S", "todo", "work")
    assert account.local.keyword_table("INBOX") == {"a": "todo", "b": "work"}
    assert letters(account, wire) == "Sab"
    idle(account, remote)
    account.local.set_flags(name_of(account, wire), remove="a")
    assert account.sync().did == {"flags_remote": 1}
    has(remote, uid, "S", "work")


def test_a_table_lost_between_delivery_and_the_next_look(account, remote):
    """Base remembers what the delivery gave, though no look came after it."""
    (uid, wire), = append(remote, 1, flags=("todo",))
    account.sync()
    table(account).unlink()
    remote.store("INBOX", append(remote, 1, seed="b")[0][0], "+FLAGS", "other")
    account.sync()
    assert account.local.keyword_table("INBOX") == {"a": "todo", "b": "other"}
    has(remote, uid, "todo")
    idle(account, remote)


@pytest.mark.parametrize("how", ["directory", "link", "lock"])
def test_a_table_that_cannot_be_read_or_locked_takes_nothing_off(tagged, how):
    account, remote, wire, uid = tagged
    path = table(account)
    if how == "lock":
        path.unlink()
        path.with_name(TABLE + ".lock").touch()
    else:
        path.unlink()
        path.mkdir() if how == "directory" else path.symlink_to("elsewhere")
    assert account.sync().did == {}
    has(remote, uid, "S", "todo", "work")
    account.local.set_flags(name_of(account, wire), add="F", remove="S")
    account.sync()
    has(remote, uid, "F", "todo", "work")
    remote.store("INBOX", uid, "+FLAGS", "late")
    for _ in range(2):
        assert account.sync().did == {}                   # it waits, and nothing was done
    if how == "lock":
        path.with_name(TABLE + ".lock").unlink()
    else:
        path.rmdir() if how == "directory" else path.unlink()
    assert account.sync().did == {"flags_local": 1}
    assert account.local.keyword_table("INBOX") == {"a": "todo", "b": "work", "c": "late"}
    has(remote, uid, "F", "todo", "work", "late")
    idle(account, remote)


@pytest.mark.parametrize("text", ["0 urgent\n1 work\n", "0 work\n1 todo\n", "0 new\n", "1 todo\n2 work\n"])
def test_letters_that_the_table_calls_otherwise_change_nothing(tagged, text):
    """A rename by the user, or a table that another program made anew: it cannot be told."""
    account, remote, wire, uid = tagged
    table(account).write_text(text)
    result = account.sync()
    assert result.did == {}
    assert "means" in result.err or "meant" in result.err
    has(remote, uid, "S", "todo", "work")
    remote.store("INBOX", uid, "+FLAGS", "\\Flagged")
    account.sync()
    has(remote, uid, "S", "F", "todo", "work")
    assert account.sync().did == {}
    table(account).write_text("0 todo\n1 work\n")
    assert account.sync().did == {}
    has(remote, uid, "S", "F", "todo", "work")
    idle(account, remote)


def test_a_version_1_database_whose_table_is_lost_takes_nothing_off(tagged):
    """Such a database has no memory of the names: the letters are unknown, and stay on the files."""
    account, remote, wire, uid = tagged
    with sqlite3.connect(account.database) as database:
        database.execute("UPDATE mailbox SET letters = ''")
    table(account).unlink()
    assert account.sync().did == {}
    has(remote, uid, "S", "todo", "work")
    assert letters(account, wire) == "Sab"
    other, = append(remote, 1, seed="x", flags=("todo",))
    account.sync()
    assert account.local.keyword_table("INBOX") == {"c": "todo"}
    has(remote, uid, "S", "todo", "work")
    has(remote, other[0], "todo")
    idle(account, remote)


@pytest.mark.parametrize("where", ["here", "there"])
def test_a_renamed_mailbox_keeps_the_names_of_its_letters(account, remote, where):
    remote.create("Work")
    (uid, wire), = append(remote, 1, "Work", flags=("todo",))
    account.sync()
    account.sync()
    folder = account.local.folder("Work")
    (folder / TABLE).unlink()
    if where == "here":
        folder.rename(account.local.folder("Job"))
    else:
        remote.rename("Work", "Job")
    account.sync()
    account.sync()
    assert account.local.keyword_table("Job") == {"a": "todo"}
    assert remote.flags("Job", remote.find("Job", wire)) == {"todo"}
    idle(account, remote)


def test_a_lost_table_and_a_new_uidvalidity(account, remote):
    remote.create("Work")
    (_, wire), = append(remote, 1, "Work", flags=("todo",))
    account.sync()
    table(account, "Work").unlink()
    remote.delete_mailbox("Work")
    remote.create("Work")
    remote.append("Work", wire, ("\\Flagged",), 1_600_000_000)
    account.sync()
    account.sync()
    uid, = remote.uids("Work")
    assert "F" in remote.flags("Work", uid)
    assert letters(account, wire, "Work").startswith("F")
    idle(account, remote)


def test_two_names_for_one_keyword_are_both_taken_away(account, remote):
    """Letters a and b mean the same: as a file has it that was put together by hand."""
    (uid, wire), = append(remote, 1, flags=("todo",))
    account.sync()
    table(account).write_text("0 todo\n1 todo\n")
    path = name_of(account, wire)
    path.rename(path.with_name(path.name.replace(":2,a", ":2,b")))
    assert account.sync().did == {}
    remote.store("INBOX", uid, "-FLAGS", "todo")
    assert account.sync().did == {"flags_local": 1}
    assert letters(account, wire) == ""
    idle(account, remote)


# Programs that do not know letters

def test_a_rename_that_drops_all_letters_with_another_change_drops_no_keyword(tagged):
    """As mu 1.8 does. The letters are back with the next change of the file's flags."""
    account, remote, wire, uid = tagged
    rename(account, wire, "2,RS")
    assert account.sync().did == {"flags_remote": 1}
    has(remote, uid, "S", "R", "todo", "work")
    assert letters(account, wire) == "RS"
    idle_names(account)
    rename(account, wire, "2,FRS")
    assert account.sync().did == {"flags_remote": 1}
    assert letters(account, wire) == "FRS"
    remote.store("INBOX", uid, "-FLAGS", "\\Answered")
    assert account.sync().did == {"flags_local": 1}
    assert letters(account, wire) == "FSab"
    has(remote, uid, "S", "F", "todo", "work")
    idle(account, remote)


def idle_names(account):
    before = account.local.snapshot()
    assert account.sync().did == {}
    assert account.local.snapshot() == before


def test_a_keyword_given_or_taken_there_meanwhile_finds_its_way(tagged):
    account, remote, wire, uid = tagged
    rename(account, wire, "2,RS")
    account.sync()
    remote.store("INBOX", uid, "-FLAGS", "todo")
    remote.store("INBOX", uid, "+FLAGS", "later")
    account.sync()
    assert letters(account, wire) == "RSbc"
    has(remote, uid, "S", "R", "work", "later")
    idle(account, remote)


def test_a_rename_that_changes_letters_alone_is_the_users(tagged):
    account, remote, wire, uid = tagged
    rename(account, wire, "2,S")
    assert account.sync().did == {"flags_remote": 1}
    has(remote, uid, "S")


def test_where_dovecot_is_at_work_letters_that_went_were_taken(tagged):
    account, remote, wire, uid = tagged
    (account.local.folder("INBOX") / "dovecot-uidlist").write_text("3 V1 N1\n")
    rename(account, wire, "2,RS")
    assert account.sync().did == {"flags_remote": 1}
    has(remote, uid, "S", "R")


@pytest.mark.parametrize("info", ["2,S", "2,RS"])
def test_a_move_that_drops_all_letters_drops_no_keyword(tagged, info):
    account, remote, wire, _ = tagged
    remote.create("Work")
    account.sync()
    rename(account, wire, info, mailbox="Work")
    assert account.sync().did["moved"] == 1
    account.sync()
    uid, = remote.uids("Work")
    has(remote, uid, *info[2:], "todo", "work", mailbox="Work")
    assert letters(account, wire, "Work") == info[2:]
    remote.store("Work", uid, "+FLAGS", "\\Flagged")
    account.sync()
    assert letters(account, wire, "Work") == "F" + info[2:] + "ab" or \
        letters(account, wire, "Work") == "".join(sorted("F" + info[2:])) + "ab"
    idle(account, remote)


def test_a_delivered_message_that_such_a_program_reads_keeps_its_keywords(account, remote):
    """From new to cur."""
    (uid, wire), = append(remote, 1, flags=("todo",))
    account.sync()
    path = name_of(account, wire)
    path.rename(path.parent.parent / "new" / path.name)
    account.sync()
    rename(account, wire, "2,S")
    account.sync()
    has(remote, uid, "S", "todo")
    assert account.sync().did == {}


# Letters without a name

def test_letters_that_files_bear_are_not_given_to_a_new_keyword(account, remote):
    """An offlineimap Maildir, whose lower-case letters have no table."""
    mine, theirs = append(remote, 2, flags=("\\Seen",))
    account.local.create("INBOX")
    account.local.deliver("INBOX", mine[1].replace(b"\r\n", b"\n"), "Sa", 1_600_000_000)
    remote.store("INBOX", theirs[0], "+FLAGS", "NonJunk")
    account.sync()
    account.sync()
    assert account.local.keyword_table("INBOX") == {"b": "NonJunk"}
    assert letters(account, mine[1]) == "Sa"
    has(remote, mine[0], "S")
    has(remote, theirs[0], "S", "nonjunk")
    assert account.sync().did == {}


def test_a_keyword_that_has_no_letter_left_survives_a_move(account, remote):
    """Here and there."""
    remote.create("Work")
    full = [f"k{number}" for number in range(26)]
    remote.append("Work", append(remote, 1, seed="k")[0][1] + b"x", full, 1_600_000_000)
    sent = append(remote, 2, flags=("\\Seen", "todo"))
    account.sync()
    account.local.move(name_of(account, sent[0][1]), "Work")
    remote.move("INBOX", sent[1][0], "Work")
    account.sync()
    account.sync()
    for _, wire in sent:
        has(remote, remote.find("Work", wire), "S", "todo", mailbox="Work")
        assert letters(account, wire, "Work") == "S"
    assert account.sync().did == {}


# keywords = pull

def test_pulled_keywords_come_and_letters_change_none(tagged):
    account, remote, wire, uid = tagged
    account.change(keywords="pull")
    assert account.sync().did == {}
    account.local.set_flags(name_of(account, wire), remove="a", add="F")
    assert account.sync().did == {"flags_remote": 1}
    has(remote, uid, "S", "F", "todo", "work")
    remote.store("INBOX", uid, "+FLAGS", "later")
    remote.store("INBOX", uid, "-FLAGS", "work")
    account.sync()
    assert letters(account, wire) == "FSac"
    account.local.set_flags(name_of(account, wire), remove="ac")
    assert account.sync().did == {}
    new = account.local.deliver("INBOX", b"Subject: new\n\nnew\n", "Sa")
    assert account.sync().did == {"uploaded": 1}
    has(remote, remote.find("INBOX", b"Subject: new\r\n\r\nnew\r\n"), "S")
    assert new.exists()
    idle(account, remote)


def test_after_pulling_nothing_is_taken_off_without_the_user(tagged):
    account, remote, wire, uid = tagged
    account.change(keywords="pull")
    account.local.set_flags(name_of(account, wire), remove="ab")
    account.sync()
    account.change(keywords="yes")
    assert account.sync().did == {}
    has(remote, uid, "S", "todo", "work")
    account.local.set_flags(name_of(account, wire), add="a")
    assert account.sync().did == {}
    account.local.set_flags(name_of(account, wire), remove="a")
    assert account.sync().did == {"flags_remote": 1}
    has(remote, uid, "S", "work")
    idle_names(account)


def test_without_keywords_letters_that_went_are_not_missed_afterwards(tagged):
    account, remote, wire, uid = tagged
    account.change(keywords="no")
    account.local.set_flags(name_of(account, wire), remove="ab")
    assert account.sync().did == {}
    account.change(keywords="yes")
    assert account.sync().did == {}
    has(remote, uid, "S", "todo", "work")
    assert account.sync().did == {}


def test_pairing_under_pull_sends_no_keyword(account, remote):
    (uid, wire), = append(remote, 1, flags=("\\Seen", "todo"))
    account.local.create("INBOX")
    table(account).write_text("0 mine\n1 todo\n")
    account.local.deliver("INBOX", wire.replace(b"\r\n", b"\n"), "FSab", 1_600_000_000)
    account.change(keywords="pull")
    account.sync()
    has(remote, uid, "S", "F", "todo")
    assert letters(account, wire) == "FSab"
    assert account.sync().did == {}
