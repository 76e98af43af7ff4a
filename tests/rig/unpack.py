"""Servers that may not be installed beside Dovecot (dpkg allows one imap-server): their Debian
packages are fetched and unpacked, not installed, into a cache."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from .host import compile_c, quiet

CACHE = pathlib.Path(os.environ.get("MAILSYNC_RIG_CACHE", "/var/tmp/mailsync-rig"))
LEAVE_OUT = ["--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks",
             "--no-replaces", "--no-enhances"]


def missing_libraries(packages):
    """Libraries that the packages need and that are not installed."""
    closure = quiet(["apt-cache", "depends", "--recurse", *LEAVE_OUT, *packages])
    names = {line for line in closure.splitlines() if line.startswith("lib")}
    if not names:
        return []
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n", *names],
                          capture_output=True, text=True, check=False)
    there = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("ii")}
    return sorted(names - there)


def unpack(name, packages):
    """The root of the unpacked tree. RuntimeError where apt-get is not there or fails."""
    root = CACHE / name
    if (root / ".complete").exists():
        return root
    if shutil.which("apt-get") is None:
        raise RuntimeError(f"{name} comes from Debian packages, and this is not Debian")
    CACHE.mkdir(parents=True, exist_ok=True)
    CACHE.chmod(0o755)
    work = pathlib.Path(tempfile.mkdtemp(prefix=name, dir=CACHE))
    work.chmod(0o755)
    try:
        debs = work / ".deb"
        debs.mkdir()
        # As root, apt-get would fetch as user _apt, who may not write here.
        quiet(["apt-get", "-o", "APT::Sandbox::User=root", "download", *packages,
               *missing_libraries(packages)], cwd=debs)
        for deb in debs.glob("*.deb"):
            quiet(["dpkg-deb", "-x", str(deb), str(work)])
        shutil.rmtree(debs)
        (work / ".complete").touch()
        try:
            work.rename(root)
        except OSError:
            pass                 # another run was faster
    finally:
        if work.exists():
            shutil.rmtree(work, ignore_errors=True)
    return root


def library_path(root):
    return ":".join(str(p) for p in [*root.glob("usr/lib/*-linux-gnu*"),
                                     *root.glob("lib/*-linux-gnu*")])


def shim():
    """server_shim.c, built; None without a compiler."""
    source = pathlib.Path(__file__).with_name("server_shim.c")
    out = CACHE / "server_shim.so"
    if not out.exists() or out.stat().st_mtime < source.stat().st_mtime:
        if not shutil.which("cc") and not os.environ.get("CC"):
            return None
        temporary = out.with_suffix(f".{os.getpid()}")
        compile_c(source, temporary, "-shared", "-fPIC", "-ldl")
        temporary.rename(out)
    return out


def shim_environment(log):
    """What makes a server log into LOG and not wait for the disk."""
    library = shim()
    if library is None:
        return {}
    return {"LD_PRELOAD": str(library), "SHIM_LOG": str(log), "SHIM_NOSYNC": "1"}
