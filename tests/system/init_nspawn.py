#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A container of systemd-nspawn(1), stopped as its manager stops it: by its signal, in good time.

nspawn comes from the distribution's package, unpacked and never installed; it runs in a mount name space of its own with an
empty /run, without systemd. The container is busybox and our tree.
"""
import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [TESTS, os.path.join(TESTS, "vm")]
import fetch     # noqa: E402
import image     # noqa: E402
import kernel    # noqa: E402
import machine   # noqa: E402
from machine import tap, wait_for   # noqa: E402

INITTAB = """id:2:initdefault:
l0:0:wait:/etc/rc 0
l2:2:wait:/etc/rc 2
l6:6:wait:/etc/rc 6
g1:2:respawn:/etc/getty
"""
RC = """#!/bin/sh
echo "rc $1 $INIT_HALT" >> /marks
case $1 in
0) test "$INIT_HALT" = HALT && exec /sbin/halt
   exec /sbin/poweroff ;;
6) exec /sbin/reboot ;;
esac
"""
GETTY = "#!/bin/sh\necho getty >> /marks\nexec sleep 1000000\n"
TOOLS = ("sh", "sleep")
RTMIN = 34
# Minutes below what a manager gives a container (90 s), for a machine that is busy.
USUAL_S = 60


def lay_out(root, tree):
    for name in ("etc", "proc", "sys", "dev", "run", "tmp", "root", "bin", "var/log"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    os.symlink("../run", root + "/var/run")
    shutil.copytree(tree, root, symlinks=True, dirs_exist_ok=True)
    shutil.copy(image.busybox(), root + "/bin/busybox")
    for name in TOOLS:
        os.symlink("busybox", root + "/bin/" + name)
    for name in ("shutdown", "halt"):
        for library in image.needed_libraries("%s/sbin/%s" % (root, name)):
            os.makedirs(root + os.path.dirname(library), exist_ok=True)
            shutil.copy(library, root + library)
    for name, text in (("etc/inittab", INITTAB), ("etc/rc", RC), ("etc/getty", GETTY), ("etc/os-release", "ID=test\n"),
                       ("etc/passwd", "root:x:0:0::/root:/bin/sh\n"), ("var/log/wtmp", ""), ("marks", "")):
        with open(os.path.join(root, name), "w") as file:
            file.write(text)
        if text.startswith("#!"):
            os.chmod(os.path.join(root, name), 0o755)


def cgroup_roots():
    """Where nspawn makes cgroups."""
    found = []
    with open("/proc/self/mountinfo") as table:
        for line in table:
            place, (kind, _, options) = line.split()[4], line.split(" - ")[1].split()[:3]
            if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
                found.append(place)
    return found


class Cgroup:
    """One of our own to start nspawn in, in each hierarchy that it uses: it makes others beside itself, and leaves them."""

    def __init__(self):
        self.folders = ["%s/sysvinit-test-%d" % (root, os.getpid()) for root in cgroup_roots()]
        try:
            for folder in self.folders:
                os.mkdir(folder)
        except OSError as error:
            tap.skip("systemd-nspawn needs a cgroup file system that may be written: %s" % error)
        if not self.folders:
            tap.skip("systemd-nspawn needs a cgroup file system")

    def enter(self):
        for folder in self.folders:
            with open(folder + "/cgroup.procs", "w") as file:
                file.write(str(os.getpid()))

    def remove(self):
        for top in self.folders:
            for folder, _, _ in os.walk(top, topdown=False):
                wait_for(lambda folder=folder: removed(folder), "%s to be empty" % folder)


def removed(folder):
    try:
        os.rmdir(folder)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    return True


class Container:
    """One that was started; level 2 is entered when it is given."""

    def __init__(self, stop_signal):
        self.stop_signal = stop_signal
        self.exits = contextlib.ExitStack()

    def __enter__(self):
        with self.exits:
            self.cgroup = Cgroup()
            self.exits.callback(self.cgroup.remove)
            self.root = self.exits.enter_context(tempfile.TemporaryDirectory(prefix="nspawn.")) + "/root"
            os.mkdir(self.root, 0o755)
            lay_out(self.root, machine.tree_of("ours"))
            self.out = self.exits.enter_context(tempfile.TemporaryFile("w+"))
            self.start()
            self.exits.callback(self.end)
            with self.told():
                wait_for(lambda: self.marks()[-1:] == ["getty"] or self.process.poll() is not None, "level 2", 60)
                tap.equal(self.process.poll(), None, "nspawn's end")
            self.exits = self.exits.pop_all()
        return self

    def __exit__(self, *why):
        return self.exits.__exit__(*why)

    def start(self):
        parent = os.getpid()
        folder = fetch.unpacked("nspawn")
        libraries = [os.path.join(folder, place, *more) for place in ("usr/lib", "lib")
                     for more in (("x86_64-linux-gnu", "systemd"), ("x86_64-linux-gnu",), ("aarch64-linux-gnu", "systemd"),
                                  ("aarch64-linux-gnu",))]
        script = 'mount -t tmpfs run /run && export LD_LIBRARY_PATH="$1" && shift && exec "$@"'
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", ":".join(libraries),
             folder + "/usr/bin/systemd-nspawn", "--register=no", "--keep-unit", "--console=pipe", "-D", self.root,
             "--kill-signal=%d" % self.stop_signal, "--boot"],
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.STDOUT,
            preexec_fn=lambda: (kernel.die_with_parent(parent), self.cgroup.enter()))

    def end(self):
        if self.process.poll() is None:
            self.process.kill()         # init of the container dies with it
        self.process.wait()

    @contextlib.contextmanager
    def told(self):
        try:
            yield
        except tap.Failed:
            self.out.seek(0)
            tap.diag("nspawn: " + self.out.read())
            tap.diag("marks: %r" % self.marks())
            raise

    def marks(self):
        with open(self.root + "/marks") as file:
            return file.read().splitlines()

    def init(self):
        """Process 1 of the container, by its number here."""
        pid = self.process.pid
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            for child in file.read().split():
                with open("/proc/%s/status" % child) as status:
                    inner = next(line.split()[1:] for line in status if line.startswith("NSpid:"))
                if len(inner) > 1 and inner[-1] == "1":
                    return int(child)
        raise tap.Failed("the container has no process 1")

    def stop(self):
        """As machinectl(1) and systemd do it."""
        self.init()
        self.process.send_signal(signal.SIGTERM)


def stops(offset, halt):
    def case():
        with Container(RTMIN + offset) as container, container.told():
            container.stop()
            wait_for(lambda: container.process.poll() is not None, "the container to end", USUAL_S)
            tap.equal(container.process.returncode, 0, "nspawn's status")
            tap.equal(container.marks(), ["rc 2 ", "getty", "rc 0 " + halt], "what ran")
    tap.add("a container that is stopped by SIGRTMIN+%d ends by %s" % (offset, halt), case, 180)


stops(3, "HALT")
stops(4, "POWEROFF")


@tap.case(deadline=180)
def a_container_that_is_told_to_reboot_ends_as_one_to_be_started_again():
    """133 is what nspawn says to the service manager then (--keep-unit)."""
    with Container(RTMIN + 3) as container, container.told():
        os.kill(container.init(), RTMIN + 5)
        wait_for(lambda: container.process.poll() is not None, "the container to end", USUAL_S)
        tap.equal(container.process.returncode, 133, "nspawn's status")
        tap.equal(container.marks(), ["rc 2 ", "getty", "rc 6 "], "what ran")


tap.main()
