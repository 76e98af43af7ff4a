"""What the stories say again and again."""

from rig import mail, tree


def agree(account, remote):
    """Both sides hold the same: mailboxes, bytes, flags, keywords and dates."""
    differing = tree.differences(account.local.read(), remote.read())
    assert not differing, "\n".join(differing[:20])


def idle(account, remote):
    """A further sync finds nothing to do and touches nothing on either side."""
    numbers, files = remote.numbers(), account.local.snapshot()
    plan = account.sync("--dry-run").plan
    assert plan == []
    assert account.sync().did == {}
    assert remote.numbers() == numbers
    assert account.local.snapshot() == files


def append(remote, count, mailbox="INBOX", seed="s", flags=()):
    """COUNT small messages on the server; [(uid, bytes)]."""
    out = []
    for number in range(count):
        wire = mail.one(number, seed=f"{seed}/{mailbox}", size=300)
        out.append((remote.append(mailbox, wire, flags, 1_600_000_000 + number), wire))
    return out


def uids(remote, mailbox="INBOX"):
    return remote.uids(mailbox)


def count(account, mailbox="INBOX"):
    return len(list(account.local.files(mailbox)))


def paired(account, remote, number=3, **keys):
    """An account with NUMBER messages in INBOX that both sides hold; [(uid, bytes)]."""
    letters = append(remote, number)
    account.sync()
    account.change(**keys)
    return letters


def letters(account, wire, mailbox="INBOX"):
    """The flag letters of a local message."""
    return "".join(sorted(account.local.flags(account.local.find(mailbox, wire))))


# What happens to a state database

def lose(account):
    account.database.unlink()


def corrupt(account):
    account.database.write_bytes(b"\x00garbage\xff" * 1000)


def corrupt_inside(account):
    """The first page is sound; all after it is not."""
    data = bytearray(account.database.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    account.database.write_bytes(data)


def truncate(account):
    data = account.database.read_bytes()
    account.database.write_bytes(data[:len(data) // 2])


DAMAGES = [lose, corrupt, corrupt_inside, truncate]
