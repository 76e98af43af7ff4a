"""pre_sync, on_new and post_sync: when they run, what they are told, what their failure means."""

import json

from rig import program
from rig.host import PASSWORD
from stories import append, count


def with_hooks(account, **others):
    """Each hook writes a line of what it was told."""
    log = account.folder / "hooks"
    keys = {key: f"echo {key} $MAILSYNC_ACCOUNT new=$MAILSYNC_NEW status=$MAILSYNC_STATUS >>{log}"
            for key in ("pre_sync", "on_new", "post_sync")}
    account.change(**{**keys, **others})

    def told():
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    return told


def test_hooks_run_in_order_and_on_new_only_after_new_mail(account, remote):
    told = with_hooks(account)
    append(remote, 3)
    account.sync()
    assert told() == ["pre_sync home new=0 status=0", "on_new home new=3 status=0",
                      "post_sync home new=3 status=0"]
    account.sync()
    assert told() == ["pre_sync home new=0 status=0", "post_sync home new=0 status=0"]
    for command in (("--dry-run",), ("status",), ("list",), ("check",)):
        assert account.run(*command).status == 0
    assert told() == []


def test_post_sync_is_told_of_a_failure(account):
    told = with_hooks(account, password="wrong")
    account.sync(status=77)
    assert told()[1:] == ["post_sync home new=0 status=77"]


def test_a_failing_pre_sync_puts_the_account_off(account, remote):
    told = with_hooks(account, pre_sync="exit 3")
    append(remote, 1)
    result = account.sync(status=75)
    assert "pre_sync ended with status 3" in result.errors[0]["message"]
    assert told() == []
    assert account.change(pre_sync="true").sync().did == {"downloaded": 1}
    assert count(account) == 1


def test_a_failing_hook_behind_the_sync_is_an_error_beside_it(account, remote):
    told = with_hooks(account, on_new="kill -9 $$")
    append(remote, 1)
    result = account.sync(status=1)
    assert result.did == {"downloaded": 1, "errors": 1}
    assert [error["message"] for error in result.errors] == ["on_new was ended by signal 9"]
    assert told()[1:] == ["post_sync home new=1 status=1"]


def test_a_signal_ends_a_pre_sync_that_waits(account):
    began = account.folder / "began"
    account.change(pre_sync=f"echo $$ >{began}; exec sleep 60")
    process = account.start("sync")
    assert program.stop_when(process, lambda: began.exists() and began.read_text())
    result = program.finish(process, timeout=20)
    assert result.status == 75 and "stopped by a signal" in result.err


def test_what_hooks_print_stays_out_of_standard_output(account):
    account.change(pre_sync="echo before; cat", post_sync="echo behind; env")
    result = account.run("--json", "sync")
    assert result.status == 0 and "before\n" in result.err and "behind\n" in result.err
    assert [json.loads(line)["event"] for line in result.out.splitlines()] == ["mailbox", "account"]
    assert PASSWORD not in result.err and result.err.count("MAILSYNC_STATUS=") == 1
