"""`make install`, `uninstall` and `dist`, the units for systemd, and completion in a real shell."""

import os
import re
import shutil
import subprocess

import pytest

from rig import program

ROOT = program.ROOT


def make(*words, folder=ROOT):
    """In the folder that the tested program lies in, which is not made anew."""
    build = os.path.relpath(program.binary().parent, folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", "--no-print-directory", "-o", f"{build}/mailsync", "-o", f"{build}/libmailsync.a",
                           f"BUILD={build}", *words], cwd=folder,
                          env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def installed(tmp_path):
    """Where a package would be made of what is installed."""
    root = tmp_path / "root"
    make("install", f"DESTDIR={root}", "PREFIX=/usr")
    yield root / "usr"
    make("uninstall", f"DESTDIR={root}", "PREFIX=/usr")
    assert [path for path in root.rglob("*") if not path.is_dir()] == []


def test_installed_it_runs_and_leaves_nothing_behind(installed):
    done = subprocess.run([installed / "bin/mailsync", "version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("mailsync ")
    pages = {page.name for page in (ROOT / "docs").glob("*.1")}
    assert {page.name for page in (installed / "share/man/man1").iterdir()} == pages > {"mailsync.1"}
    shown = installed / "share/doc/mailsync"
    assert (shown / "README.md").is_file()
    there = {path.relative_to(shown).as_posix() for path in (shown / "examples").rglob("*") if path.is_file()}
    kept = subprocess.run(["git", "ls-files", "examples"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert "examples/README.md" in there and (not kept or there == set(kept.split()) - {"examples/demo"}), there


def test_no_function_of_ours_stands_in_for_one_of_a_library():
    """The linker exports what a shared library calls by the same name, and the library then calls ours."""
    done = subprocess.run(["nm", "-D", "--defined-only", program.binary()], capture_output=True, text=True,
                          check=True)
    assert [line for line in done.stdout.splitlines() if " T " in line] == []


def test_units_are_good(installed):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here")
    units = sorted((installed / "lib/systemd/user").iterdir())
    assert {unit.suffix for unit in units} == {".service", ".timer"}
    environment = dict(os.environ, PATH=f"{installed / 'bin'}:{os.environ['PATH']}", HOME=str(installed),
                       XDG_RUNTIME_DIR=str(installed))
    for unit in units:
        text = unit.read_text().replace("ExecStart=mailsync", f"ExecStart={installed / 'bin/mailsync'}")
        unit.write_text(text)
    barred = {unit.read_text().partition("# Hooks and password commands")[2].partition("\n[Install]")[0].strip()
              for unit in units if unit.suffix == ".service"}
    assert len(barred) == 1 and "SystemCallFilter=@system-service" in barred.pop()
    names = [unit.with_name(unit.name.replace("@.", "@home.")) for unit in units]
    done = subprocess.run(["systemd-analyze", "--user", "verify", "--man=no", *names], env=environment,
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("words, expected", [
    ("mailsync lo", {"login", "logout"}),
    ("mailsync ho", {"home", "home/INBOX"}),
    ("mailsync login --p", {"--paste", "--progress=", "--print-example", "--print-completion="}),
    ("mailsync sync home/IN", {"home/INBOX"}),
    ("mailsync login ho", {"home"}),
    ("mailsync help ve", {"verify", "version"}),
    ("mailsync verify --level =", {"files", "server", "bytes"}),
    ("mailsync --progress = al", {"always"}),
    ("mailsync --metrics = /etc/hostn", {"/etc/hostname"}),
    ("mailsync import home/INBOX /etc/hostn", {"/etc/hostname"}),
    ("mailsync init h", set()),
])
def test_bash_completes(account, remote, words, expected):
    """Commands, options by command, and the accounts and mailboxes that the state knows."""
    account.sync()
    account.write_config()
    binary = program.binary()
    script = (f'PATH={binary.parent}:$PATH\nexport MAILSYNC_CONFIG={account.config}\n'
              f'source <(mailsync --print-completion=bash)\n'
              f'COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1))\n'
              f'_mailsync 2>/dev/null; printf "%s\\n" "${{COMPREPLY[@]}}"')
    done = subprocess.run(["bash", "-c", script], env=account.environment(), capture_output=True, text=True,
                          check=True)
    assert set(done.stdout.split()) == expected


@pytest.mark.parametrize("words, expected", [
    ("mailsync lo", {"login", "logout"}),
    ("mailsync sync home/IN", {"home/INBOX"}),
    ("mailsync login h", {"home"}),
    ("mailsync help ve", {"verify", "version"}),
    ("mailsync verify --level=", {"--level=files", "--level=server", "--level=bytes"}),
    ("mailsync --config=/etc/hostn", {"--config=/etc/hostname"}),
    ("mailsync import home/INBOX /etc/hostn", {"/etc/hostname"}),
    ("mailsync init ", set()),
])
def test_fish_completes(account, remote, words, expected):
    if shutil.which("fish") is None:
        pytest.skip("no fish here")
    account.sync()
    account.write_config()
    script = account.folder / "script"
    script.write_bytes(subprocess.run([program.binary(), "--print-completion=fish"], capture_output=True,
                                      check=True).stdout)
    environment = account.environment(MAILSYNC_CONFIG=str(account.config))
    environment["PATH"] = f"{program.binary().parent}:{environment['PATH']}"
    done = subprocess.run(["fish", "-c", f"source {script}; complete -C '{words}'"], env=environment,
                          capture_output=True, text=True, check=True)
    assert {line.partition("\t")[0] for line in done.stdout.splitlines()} == expected, done


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_good(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    script = tmp_path / "script"
    script.write_bytes(subprocess.run([program.binary(), f"--print-completion={shell}"], capture_output=True,
                                      check=True).stdout)
    assert script.stat().st_size > 1000
    done = subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_package_can_be_built_where_nothing_was():
    """`make deb` on a clean Debian: what its control file and dpkg ask for is what the set-up installs."""
    setup = (ROOT / "tests/rig/setup").read_text()
    lists = dict(re.findall(r"^(\w+_PACKAGES)='([^']*)'", setup, re.M))
    [taken] = re.findall(r'^\s*package\) more="(.*)"', setup, re.M)
    installed = {word for name in re.findall(r"\$(\w+)", taken) for word in lists[name].split()}
    control = (ROOT / "data/debian/control").read_text()
    needed = re.search(r"^Build-Depends:((?:.*\n )*.*)", control, re.M)[1]
    names = {name.split()[0].replace("debhelper-compat", "debhelper") for name in needed.split(",")}
    assert names | {"build-essential"} <= installed, names - installed


def test_a_tarball_builds_by_itself(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("no repository")
    make("dist", f"BUILD={tmp_path}")
    tarball, = tmp_path.glob("mailsync-*.tar.gz")
    subprocess.run(["tar", "xzf", tarball, "-C", tmp_path], check=True)
    source, = tmp_path.glob("mailsync-*/")
    make("NO_SETUP=1", "program", "BUILD=build", folder=source)
    done = subprocess.run([source / "build/mailsync", "version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"mailsync {(source / 'VERSION').read_text()}"
