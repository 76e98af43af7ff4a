"""Several connections: opened where a slow line makes them pay, and missed where they are refused."""

from rig import mail
from rig.host import PASSWORD
from rig.line import Line
from stories import agree, idle

RTT = 8 # a second connection pays from 5 to 56 ms as measured: a busy machine measures more than there are


def heavy(remote, count=300, size=150_000):
    """Enough for several connections over a slow line: some 45 MB."""
    letters = [mail.Letter("INBOX", mail.one(number, size=size), (), 1_500_000_000 + number)
               for number in range(count)]
    mail.pour(remote, "INBOX", letters)
    return count, sum(len(letter.wire) for letter in letters)


def over_a_line(account, *options):
    port = account.keys["port"]
    with Line(port, rtt_ms=RTT) as line:
        account.change(port=line.port)
        result = account.run("sync", "--json", *options)
    account.change(port=port)
    return result, line.connections


def test_a_slow_line_is_shared_by_several(account, remote):
    count, size = heavy(remote)
    result, connections = over_a_line(account)
    assert result.status == 0, result.err
    assert result.account["downloaded"] == count
    assert result.account["connections"] == len(connections) > 1
    # Nothing was fetched twice: the bodies, and some 100 bytes a message to find them.
    assert result.account["bytes_in"] < size + count * 400 + 20_000
    agree(account, remote)
    idle(account, remote)


def test_a_password_command_runs_once_for_all_connections(account, remote):
    heavy(remote)
    asked = account.folder / "asked"
    account.change(password=None, password_command=f"echo x >>{asked}; printf %s '{PASSWORD}'")
    result, connections = over_a_line(account)
    assert result.status == 0, result.err
    assert len(connections) > 1
    assert asked.read_text() == "x\n"


def test_a_server_that_refuses_one_makes_the_pool_smaller(make_account, dovecots):
    account = make_account(dovecots(max_connections=1))
    with account.remote() as remote:
        count, _ = heavy(remote)
    result, connections = over_a_line(account)
    assert result.status == 0, result.err
    assert result.account["downloaded"] == count
    assert result.account["connections"] == 1 < len(connections)
    with account.remote() as remote:
        agree(account, remote)


def test_one_connection_is_all_that_the_key_allows(account, remote):
    account.change(connections=1)
    heavy(remote)
    result, connections = over_a_line(account)
    assert result.status == 0, result.err
    assert len(connections) == 1


def test_a_line_that_is_the_brake_is_compressed(account, remote):
    count, size = heavy(remote, count=40, size=50_000)
    account.change(compress="auto")
    port = account.keys["port"]
    with Line(port, kbit_s=16_000) as line:
        account.change(port=line.port)
        result = account.sync()
    account.change(port=port)
    assert result.account["downloaded"] == count
    assert result.account["bytes_in"] < 0.8 * size
    agree(account, remote)


def test_a_host_is_named_as_people_write_it(account):
    """Found, so that it comes to its certificate, which is another's."""
    account.change(host="bücher.localhost", tls="implicit")
    for locale in ("C", "C.UTF-8"):
        result = account.run("check", env={"LC_ALL": locale})
        assert "certificate is for another host than \"bücher.localhost\"" in result.err, result
        assert result.status == 69
