# SPDX-License-Identifier: GPL-2.0-or-later
"""A throw-away Debian with the stock packages, in name spaces of its own.

with Root() as root:                    # unpacked anew from an archive that is made once
    root.run([...]) -> (status, output) # inside, with a process 1 that is no init
    root.install(path...)               # dpkg -i of packages from outside
    with root.booted() as system:       # the init that is installed, as process 1
        system.run([...]); system.pid   # of process 1, seen from here
Nothing of it can reach the machine around: pid, mount, uts, ipc and net name spaces, /dev without a console, and whoever is to execute
an init makes sure of that first.
"""
import contextlib
import glob
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import debs
from debs import fetch, made, tap

SPACES = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "--kill-child"]
# One root for the packages here and for the disks of tests/debian: it takes a minute or two.
PACKAGES = ("apt", "initscripts", "logsave", "sysv-rc", "sysvinit-core", "bootlogd",
            "e2fsprogs", "kmod", "login", "orphan-sysvinit-scripts", "procps", "rsyslog", "udev")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
INITTAB = "id:2:initdefault:\na1:2:respawn:/bin/sleep 1000001\na2:2:respawn:/bin/sleep 1000002\n"
# $1: the root; $2: the pid name space outside. The rest is executed inside, as process 1.
ENTER = """set -e
[ $$ = 1 ] && [ "$(readlink /proc/self/ns/pid)" != "$2" ] || { echo "not in a name space of its own" >&2; exit 99; }
root=$1; shift 2
mount --make-rprivate /
mount -t proc proc "$root/proc"
[ "$(readlink "$root/proc/1/ns/pid")" = "$(readlink /proc/self/ns/pid)" ] || exit 99
exec chroot "$root" /usr/bin/env -i "PATH=$P" HOME=/root TERM=linux LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
"""


class RootError(Exception):
    """The throw-away root cannot be made."""


def apt_sources():
    """The files that name this distribution's own archive."""
    code = fetch.codename()
    found = []
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]:
        if path.endswith((".list", ".sources")) and os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                if re.search(r"(?m)^(Suites:.*|deb\s.*)\b%s\b" % code, file.read()):
                    found.append(path)
    if not found:
        raise RootError("no sources of apt name " + code)
    return code, found


def archive(packages):
    """The root as an archive."""
    folder = os.path.join(debs.PLACE, "root-" + hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8])
    made.whole(folder, lambda new: unpack_debian(packages, new))
    return folder + "/root.tar"


def unpack_debian(packages, folder):
    code, sources = apt_sources()
    options = ("--mode=root", "--variant=essential", "--format=tar", "--include=" + ",".join(packages), "--skip=output/dev",
               "--aptopt=APT::Install-Recommends \"false\"", "--aptopt=Acquire::Retries \"5\"")

    def get(new):
        done = debs.run("mmdebstrap", *options, code, new + "/root.tar", *sources)
        if done.returncode:
            raise RootError(done.stdout[-3000:])

    fetch.kept(("a Debian", *options), get, folder)


class Root:
    """MORE: packages that shall be in it, too."""

    def __init__(self, *more):
        self.packages = (*PACKAGES, *more)

    def archive(self):
        """What it is unpacked from -> path"""
        return archive(self.packages)

    def __enter__(self):
        tar = self.archive()
        self.path = tempfile.mkdtemp(dir=debs.PLACE)
        os.chmod(self.path, 0o755)
        try:
            subprocess.run(["tar", "--numeric-owner", "--xattrs", "-xpf", tar, "-C", self.path], check=True, stdin=subprocess.DEVNULL)
            os.makedirs(self.path + "/dev", exist_ok=True)
            for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
                with contextlib.suppress(FileExistsError):
                    os.mknod(self.path + "/dev/" + name, 0o20666, os.makedev(1, minor))
                os.chmod(self.path + "/dev/" + name, 0o666)
            for name in ("console", "tty", "tty0", "ptmx"):     # not of this machine
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.path + "/dev/" + name)
            os.symlink("null", self.path + "/dev/console")
        except BaseException:
            shutil.rmtree(self.path)
            raise
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def _command(self, argv):
        return [*SPACES, "sh", "-c", ENTER.replace("$P", PATH), "enter", self.path, os.readlink("/proc/self/ns/pid"), *argv]

    def run(self, argv, deadline=300):
        """-> (status, what was said)"""
        done = subprocess.run(self._command(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=deadline, check=False)
        return done.returncode, done.stdout

    def take(self, paths):
        """Packages from outside -> where they are inside."""
        os.makedirs(self.path + "/var/tmp/debs", exist_ok=True)
        return ["/var/tmp/debs/" + os.path.basename(shutil.copy(path, self.path + "/var/tmp/debs/")) for path in paths]

    def dpkg(self, *words, runner=None):
        status, said = (runner or self).run(["dpkg", "--force-confdef", "--force-confold", "--force-unsafe-io", *words])
        tap.equal(status, 0, "the status of dpkg %s, which said:\n%s" % (" ".join(words), said))
        return said

    def install(self, *paths, runner=None):
        return self.dpkg("-i", *self.take(paths), runner=runner)

    def read(self, name):
        with open(self.path + name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def write(self, name, text):
        with open(self.path + name, "w", encoding="utf-8") as file:
            file.write(text)

    @contextlib.contextmanager
    def booted(self):
        self.write("/etc/inittab", INITTAB)
        with tempfile.TemporaryFile() as log:
            keeper = subprocess.Popen(self._command(["/sbin/init"]), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            try:
                yield System(self, keeper)
            except BaseException:
                log.seek(0)
                tap.diag(log.read().decode("utf-8", "replace"))
                raise
            finally:
                if keeper.poll() is None:
                    os.killpg(keeper.pid, signal.SIGKILL)
                keeper.wait()


def wait_for(condition, what, deadline=60):
    end = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise tap.Failed("waited %d s for %s" % (deadline, what))
        time.sleep(0.05)


class System:
    """A root whose init runs."""

    def __init__(self, root, keeper):
        self.root, self.keeper = root, keeper
        self.pid = wait_for(self._first, "process 1 of the root")
        tap.check(os.readlink("/proc/%d/ns/pid" % self.pid) != os.readlink("/proc/self/ns/pid"), "it is apart from this machine")
        wait_for(lambda: len(self.sleepers()) == 2, "the entries to be started")

    def _first(self):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open("/proc/%d/task/%d/children" % (self.keeper.pid, self.keeper.pid), encoding="ascii") as file:
                children = file.read().split()
            if children and os.readlink("/proc/%s/exe" % children[0]).split(" ")[0].endswith("/sbin/init"):
                return int(children[0])
        tap.check(self.keeper.poll() is None, "the root could be entered")
        return None

    def sleepers(self):
        """{title: pid} of the entries."""
        found = {}
        with open("/proc/%d/task/%d/children" % (self.pid, self.pid), encoding="ascii") as file:
            for child in file.read().split():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    with open("/proc/%s/cmdline" % child, "rb") as line:
                        title = line.read().rstrip(b"\0").replace(b"\0", b" ").decode()
                    if title.startswith("/bin/sleep 100000"):
                        found[title] = int(child)
        return found

    def executable(self):
        """The bytes that process 1 runs."""
        with open("/proc/%d/exe" % self.pid, "rb") as file:
            return file.read()

    def title(self):
        with open("/proc/%d/cmdline" % self.pid, "rb") as file:
            return file.read().replace(b"\0", b" ").decode().rstrip()

    def run(self, argv, deadline=300):
        done = subprocess.run(["nsenter", "-t", str(self.pid), "--mount", "--pid", "--uts", "--ipc", "--net", "--root", "--wd", "/usr/bin/env", "-i",
                               "PATH=" + PATH, "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *argv],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=deadline, check=False)
        return done.returncode, done.stdout
