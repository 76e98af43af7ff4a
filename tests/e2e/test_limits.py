"""max_message_size, max_age, keywords, info_delimiter."""

import time

import pytest

from rig import mail
from stories import agree, append, count, idle, letters, paired, uids


def test_large_messages_are_left_out_counted_and_fetched_later(account, remote):
    account.change(max_message_size="10k")
    append(remote, 2)
    remote.append("INBOX", mail.one(1, size=30_000))
    account.local.create("INBOX")
    account.local.deliver("INBOX", mail.one(2, size=40_000))
    assert account.sync().did == {"downloaded": 2, "skipped": 2}
    # Counted in every run, and no failure.
    assert account.sync().did == {"skipped": 2}
    account.change(max_message_size=None)
    assert account.sync().did == {"downloaded": 1, "uploaded": 1}
    agree(account, remote)
    idle(account, remote)


def test_a_large_message_that_is_there_is_not_deleted_for_its_size(account, remote):
    remote.append("INBOX", mail.one(1, size=30_000))
    account.sync()
    account.change(max_message_size="10k")
    account.sync()
    assert (count(account), len(uids(remote))) == (1, 1)


def test_old_messages_are_left_out_and_fetched_later(account, remote):
    account.change(max_age="30d")
    now = int(time.time())
    remote.append("INBOX", mail.one(1), (), now - 29 * 86400)
    remote.append("INBOX", mail.one(2), (), now - 31 * 86400)
    assert account.sync().did == {"downloaded": 1}
    assert account.sync().did == {}
    account.change(max_age="2y")
    assert account.sync().did == {"downloaded": 1}


def test_messages_that_grow_old_stay(account, remote):
    remote.append("INBOX", mail.one(1), (), int(time.time()) - 100 * 86400)
    account.sync()
    account.change(max_age="30d")
    assert account.sync().did == {}
    assert (count(account), len(uids(remote))) == (1, 1)


def test_keywords_go_both_ways(account, remote):
    (uid_one, one), (uid_two, two) = paired(account, remote, 2)
    remote.store("INBOX", uid_one, "+FLAGS", "$Junk work")
    letter = account.local.keyword_letter("INBOX", "todo")
    account.local.set_flags(account.local.find("INBOX", two), add=letter)
    account.sync()
    table = account.local.keyword_table("INBOX")
    assert {"$Junk", "work", "todo"} <= set(table.values())
    assert remote.flags("INBOX", uid_two) == {"todo"}
    agree(account, remote)
    idle(account, remote)

    remote.store("INBOX", uid_one, "-FLAGS", "work")
    account.sync()
    agree(account, remote)


def test_more_keywords_than_letters_stay_on_the_server(account, remote):
    (uid, wire), = append(remote, 1)
    for number in range(30):
        remote.store("INBOX", uid, "+FLAGS", f"keyword{number}")
    account.sync()
    assert len(account.local.keyword_table("INBOX")) == 26
    account.local.set_flags(account.local.find("INBOX", wire), add="F")
    account.sync()
    assert len(remote.flags("INBOX", uid)) == 31
    idle(account, remote)


def test_keywords_can_be_left_out(account, remote):
    account.change(keywords="no")
    (uid, wire), = append(remote, 1, flags=("work", "\\Seen"))
    account.sync()
    assert letters(account, wire) == "S"
    assert not (account.local.folder("INBOX") / "dovecot-keywords").exists()
    account.local.set_flags(account.local.find("INBOX", wire), add="F")
    account.sync()
    assert remote.flags("INBOX", uid) == {"S", "F", "work"}


@pytest.mark.parametrize("sign", [";", "!"])
def test_the_info_delimiter_may_be_another(make_account, sign):
    account = make_account(info_delimiter=sign)
    with account.remote() as remote:
        (uid, wire), = append(remote, 1, flags=("\\Seen",))
        account.sync()
        assert account.local.find("INBOX", wire).name.endswith(f"{sign}2,S")
        account.local.set_flags(account.local.find("INBOX", wire), add="F")
        assert account.sync().did == {"flags_remote": 1}
        agree(account, remote)
        idle(account, remote)


def test_unknown_letters_of_a_mua_stay(account, remote):
    (uid, wire), = append(remote, 1, flags=("\\Seen",))
    account.sync()
    path = account.local.find("INBOX", wire)
    path = path.rename(path.with_name(path.name + "X"))
    remote.store("INBOX", uid, "+FLAGS", "\\Flagged")
    account.sync()
    assert letters(account, wire) == "FSX"
