"""What stories about servers that lie say again and again; the fixture `bad` makes the server."""

from rig import bounded, tree
from rig.fake import Box
from rig.scripted import always

DAY = 24 * 3600
STATUSES = {0, 1, 69, 75, 76, 77, 79}
QRESYNC = "IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT ENABLE CONDSTORE QRESYNC ESEARCH"
CONDSTORE = "IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT ENABLE CONDSTORE"
ENABLED = always(r"^ENABLE ", "* ENABLED QRESYNC CONDSTORE", "OK done")


def sync(account, status, *args, seconds=30, memory_kb=bounded.MEMORY_KB):
    """A run that ends with STATUS (one, or several), within bounds, and stays at home."""
    before = bounded.outside(account, account.top)
    done = bounded.run(account, "--json", *args, "sync", seconds=seconds)
    result = done.result
    assert "Sanitizer" not in result.err, result
    wanted = {status} if isinstance(status, int) else set(status)
    assert wanted <= STATUSES
    assert result.status in wanted, f"expected status {wanted}, got {result}"
    if result.status != 0:
        assert result.errors, f"fails without a word: {result}"
    if not bounded.is_sanitized():
        assert done.rss_kb < memory_kb, f"{done.rss_kb} kB"
    assert bounded.outside(account, account.top) == before
    return result


def local(account, mailbox="INBOX"):
    return sorted(tree.crlf(path.read_bytes()) for path in account.local.files(mailbox))


def synced(bad, count=3, **options):
    """A server and an account that agree on COUNT messages."""
    box = Box(count)
    server, account = bad([box], **options)
    sync(account, 0)
    assert local(account) == server.wires()
    return server, account


def keeps_everything(account, letters, status=STATUSES):
    """A run, whatever it ends with, leaves the local messages as they are."""
    before = {str(p) for p in account.local.files("INBOX")}
    result = sync(account, status)
    assert local(account) == sorted(letters)
    assert {str(p) for p in account.local.files("INBOX")} == before
    return result


def recovers(server, account, script=()):
    """Once the server speaks the truth, both sides agree, and a further run is idle."""
    server.script = list(script)
    sync(account, 0)
    assert local(account) == server.wires()
    assert sync(account, 0).did == {}


def clock_of(account, shim):
    """Sets the account's clock forward by some seconds."""
    environment = account.environment

    def later(seconds):
        account.environment = lambda: environment(LD_PRELOAD=shim, CLOCK_AFTER="0",
                                                  CLOCK_BY=str(seconds))
    return later
