"""Fixtures: one Dovecot serves all tests, each of which has an account of its own on it."""

import itertools
import os
import pathlib
import re
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from rig import program                      # noqa: E402
from rig.dovecot import Dovecot, Options     # noqa: E402
from rig.fake import FakeServer              # noqa: E402
from rig.host import compile_c               # noqa: E402
from wide import wide_of                     # noqa: E402

_serial = itertools.count(1)

# Stories that say nothing of a program built with AddressSanitizer, and why.
NOT_WITH_ASAN = {
    "test_memory_that_a_core_dump_shows_holds_no_secret": "what was freed is kept, as it was",
}


def own_ports():
    """A range of its own for each of the processes that pytest-xdist starts."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        count = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        first, last = map(int, os.environ.get("MAILSYNC_TEST_PORTS", "20000-29999").split("-"))
        size = (last - first + 1) // count
        first += size * int(worker[2:])
        os.environ["MAILSYNC_TEST_PORTS"] = f"{first}-{first + size - 1}"


def pytest_addoption(parser):
    parser.addoption("--share", metavar="I/N", help="only each N-th story that is chosen, from the I-th on")


def leave_out(config, items, is_out):
    config.hook.pytest_deselected(items=[item for item in items if is_out(item)])
    items[:] = [item for item in items if not is_out(item)]


@pytest.hookimpl(hookwrapper=True)
def pytest_collection_modifyitems(config, items):
    if program.has_asan():
        # Fail points are in a build of their own, without it.
        leave_out(config, items, lambda item: item.originalname in NOT_WITH_ASAN or "steps" in item.fixturenames)
    wide = wide_of([item.nodeid for item in items])
    for item in items:
        if item.nodeid in wide:
            item.add_marker("wide")
    yield                                    # -m chooses
    if config.getoption("--share"):
        first, step = map(int, config.getoption("--share").split("/"))
        chosen = set(items[first - 1::step])
        leave_out(config, items, lambda item: item not in chosen)


def pytest_configure(config):
    config.addinivalue_line("markers", "wide: left to `make check-all` (tests/e2e/wide.py)")
    own_ports()
    # What is preloaded may stand before the runtime of AddressSanitizer: it calls on to that.
    os.environ["ASAN_OPTIONS"] = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"
    # Ended by a signal, too, servers are stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not Dovecot.is_there():
        pytest.exit("e2e: Dovecot is not installed", 2)
    if not program.binary().exists():
        pytest.exit(f"e2e: there is no {program.binary()}", 2)


def pytest_terminal_summary(terminalreporter):
    ran = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ())
           if "test_untold_table.py::test_cell" in report.nodeid]
    if ran:
        terminalreporter.write_line(f"{len(ran)} cells of the tables of docs/RELIABILITY.md were run")


@pytest.fixture(scope="session")
def dovecots():
    """dovecots(option=...) gives a running Dovecot of those options, one for all that ask."""
    running = {}

    def get(**options):
        key = Options(**options)
        if key not in running:
            running[key] = Dovecot(key)
            running[key].start()
        return running[key]

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture
def make_account(tmp_path, request, dovecots):
    """make_account(server=None, **config keys): an empty account of a fresh user."""
    stem = re.sub(r"[^a-z0-9]", "", request.node.name.lower())[:24]

    def make(server=None, **keys):
        number = next(_serial)
        user = f"{stem}{number}"
        if hasattr(server, "add_user"):
            server.add_user(user)
        return program.Account(tmp_path / f"account{number}", server or dovecots(), user, **keys)

    return make


@pytest.fixture
def steps(monkeypatch):
    """Runs the program with fail points (include/mailsync/base/step.h)."""
    path = program.with_steps()
    if not path.exists():
        pytest.skip("no build with STEPS=1")
    monkeypatch.setenv("MAILSYNC", str(path))


@pytest.fixture
def account(make_account):
    return make_account()


@pytest.fixture
def remote(account):
    """Another client's session of `account`."""
    with account.remote() as session:
        yield session


@pytest.fixture
def bad(make_account, tmp_path):
    """bad(boxes, script, ...) -> (server, account); sync() of the account is watched."""
    servers = []

    def make(boxes=(), script=(), keys=None, **options):
        server = FakeServer(boxes, script, **options)
        servers.append(server)
        account = make_account(server, **{"timeout": 5, **(keys or {})})
        account.top = tmp_path
        return server, account

    yield make
    for server in servers:
        server.stop()


def shim(name, what):
    """A fixture: the path of rig/NAME.c, built to be preloaded into the program."""
    def build(tmp_path_factory):
        library = tmp_path_factory.mktemp(name) / f"{name}.so"
        source = pathlib.Path(program.ROOT) / "tests" / "rig" / f"{name}.c"
        compile_c(source, library, "-shared", "-fPIC", "-ldl")
        return str(library)

    build.__doc__ = what
    return pytest.fixture(scope="session", name=name)(build)


clock_shim = shim("clock_shim", "The clock off by some seconds.")
disk_shim = shim("disk_shim", "A disk that fails calls.")
names_shim = shim("names_shim", "Names and hosts of a small internet on loopback.")
refuse_shim = shim("refuse_shim", "A file system that does not have some calls.")
stat_shim = shim("stat_shim", "A name that cannot be looked at.")
