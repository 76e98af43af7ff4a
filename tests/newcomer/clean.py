"""A clean Debian 12 in a folder, with the libraries that the program needs and nothing else."""

import os
import shutil
import subprocess

SUITE, MIRROR = "bookworm", "http://deb.debian.org/debian"
PACKAGES = ("ca-certificates", "libcurl4", "libssl3", "libinih1", "libsqlite3-0", "zlib1g", "libjansson4")
UNSHARE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
NOT_RUN = 77


def lacks():
    """What is not here; None: nothing."""
    if os.getuid() != 0:
        return "root"
    for name in ("unshare", "debootstrap"):
        if shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
            return name
    alone = subprocess.run([*UNSHARE, "true"], stderr=subprocess.DEVNULL, check=False)
    return None if alone.returncode == 0 else "the right to make namespaces"


def debootstrap(root, packages, *options):
    """Whether debootstrap could make a Debian with PACKAGES in ROOT, which is not there."""
    root.parent.mkdir(parents=True, exist_ok=True)
    return subprocess.run(["debootstrap", "--variant=minbase", "--include=" + ",".join(packages), *options,
                           SUITE, str(root), MIRROR], check=False, stdout=subprocess.DEVNULL,
                          env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
                          ).returncode == 0


def make_root(root, packages=PACKAGES, *options):
    """A clean system in ROOT, complete or not there. False: debootstrap could not make one."""
    if root.is_dir():
        return True
    fresh = root.with_name(root.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    if not debootstrap(fresh, packages, *options):
        return False
    subprocess.run(["chroot", str(fresh), "useradd", "--create-home", "anna"], check=True)
    fresh.rename(root)
    return True


def make_sysroot(root, packages, architecture):
    """The same of another ARCHITECTURE, unpacked and not set up: nothing of it has to be run."""
    if root.is_dir():
        return True
    fresh = root.with_name(root.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    if not debootstrap(fresh, packages, "--foreign", f"--arch={architecture}"):
        return False
    for package in (fresh / "var" / "cache" / "apt" / "archives").glob("*.deb"):
        subprocess.run(["dpkg-deb", "--extract", str(package), str(fresh)], check=True)
    for own in ("dev", "proc", "tmp"):           # these are the machine's, for what is run with it
        shutil.rmtree(fresh / own, ignore_errors=True)
    fresh.rename(root)
    return True
