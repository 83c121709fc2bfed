# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine for tests: QEMU without acceleration, a stock kernel, and the init under test as pid 1.

    with Machine(inittab=...) as m:
        m.run("telinit 3")                  # through the control channel, when all else stands
        m.console.wait_for(rb"INIT: .*")    # what came out of the serial console
        m.console.stall()                   # stop reading it, until resume()
        m.monitor("sendkey ctrl-alt-delete")

The guest counts instructions for its clock, so a busy host makes it slower but not late in its
own eyes; with hurry=True idle time in the guest passes at once. Deadlines here are in host time,
generous, and only reached when something is broken.

By hand: tests/vm/vm.py shell [ROOT]    boots ROOT (default: $INIT_ROOT) with a root shell here.
"""
import atexit
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE),
                os.path.join(os.path.dirname(HERE), "system")]
import image    # noqa: E402
import tap      # noqa: E402
from channels import (DEADLINE, Control, Heartbeat, Line, MachineError,     # noqa: E402
                      Monitor, Result)

# epoll_wait, epoll_pwait, epoll_pwait2 on x86-64; the stock init waits in pselect6.
THE_ONE_WAIT = {270} if os.environ.get("STOCK") else {232, 281, 441}
PR_SET_PDEATHSIG = 1
# Quiet, so that what the serial console says is init's; the rest is for a quick start.
KERNEL_WORDS = ("console=ttyS0 quiet loglevel=1 mitigations=off tsc=reliable i8042.noaux "
                "cryptomgr.notests")
# Kernel threads are children of process 2.
DESCRIBE = """cd /proc/1
grep -E 'State|PPid|VmRSS|Sig|Shd|ctxt' status
echo "system call: $(cat syscall)"
echo "stack:"; cat stack
ps -o pid,ppid,stat,args | awk '$2 != 2 && $1 != 2'
echo "rc:"; cat /run/rc.log"""


def init_root():
    """The tree under test; STOCK=1 takes the stock binaries instead."""
    if os.environ.get("STOCK"):
        return os.environ["STOCK_ROOT"]
    return os.environ.get("INIT_ROOT", os.path.join(image.BUILD, "root"))


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def wait_until(what, condition, deadline=DEADLINE):
    """The first true value of CONDITION()."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise MachineError(f"waited {deadline:.0f} s in vain: {what}")
        time.sleep(0.05)


class Machine:
    """One boot. Arguments: the tree with the init under test; texts and programs by path for the
    initramfs; words for init on the kernel command line; memory in MiB; hurry: idle guest time
    passes at once."""

    def __init__(self, root=None, inittab=None, files=None, programs=None, words="", memory=256,
                 hurry=False):
        self.root = root or init_root()
        self.files = dict(files or {})
        if inittab is not None:
            self.files["/etc/inittab"] = inittab
        self.programs = programs
        self.words = words
        self.memory = memory
        self.hurry = hurry
        self.process = None
        self.watching = False

    def __enter__(self):
        self.boot()
        return self

    def __exit__(self, kind, *_):
        if kind and not issubclass(kind, tap.Skip):
            tap.diag(self.describe())
        self.kill()

    def _argv(self, kernel, initrd, fds):
        con, ser, ctl, mon, beat = fds
        return ["qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-m", str(self.memory),
                "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-icount", "shift=1,sleep=" + ("off" if self.hurry else "on"),
                "-chardev", f"socket,id=con,fd={con}", "-serial", "chardev:con",
                "-chardev", f"socket,id=ser,fd={ser}", "-serial", "chardev:ser",
                "-chardev", f"socket,id=ctl,fd={ctl}", "-device", "virtio-serial-pci",
                "-device", f"virtserialport,chardev=ctl,name={image.CONTROL}",
                "-chardev", f"socket,id=mon,fd={mon}", "-mon", "chardev=mon,mode=control",
                "-chardev", f"socket,id=beat,fd={beat}", "-mon", "chardev=beat,mode=readline",
                "-kernel", kernel, "-initrd", initrd, "-append",
                f"{KERNEL_WORDS} {image.GUEST_MARK} {self.words}"]

    def boot(self, ready=True):
        """READY: waits until commands can be given; not every machine comes so far."""
        self.console = Line("console")
        self.serial = Line("serial line")
        self.control = Control()
        self.qmp = Monitor()
        self.heartbeat = Heartbeat()
        channels = (self.console, self.serial, self.control, self.qmp, self.heartbeat)
        fds = [c.theirs.fileno() for c in channels]
        with tempfile.NamedTemporaryFile(prefix="initvm-") as initrd:
            kernel = image.build(initrd.name, self.root, self.files, self.programs)
            self.stderr = tempfile.TemporaryFile()
            self.process = subprocess.Popen(self._argv(kernel, initrd.name, fds), pass_fds=fds,
                                            stdin=subprocess.DEVNULL, stdout=self.stderr,
                                            stderr=self.stderr, preexec_fn=die_with_parent)
            for c in channels:
                c.theirs.close()
            try:
                self.qmp.begin()
                if ready:
                    self.control.wait_ready()
            except (MachineError, OSError) as err:
                said = self.describe()
                self.kill()
                raise MachineError(f"no boot: {err}\n{said}") from err

    def kill(self):
        if not self.process:
            return
        self.process.kill()
        self.process.wait()
        self.process = None
        self.console.close()
        self.serial.close()
        self.control.ours.close()
        self.qmp.close()
        self.heartbeat.close()
        self.stderr.close()

    def monitor(self, line):
        return self.qmp.command(line)

    def wait_end(self, deadline=DEADLINE):
        """Waits for the machine to end by itself: "guest-shutdown" for power off, "guest-reset"."""
        self.qmp.drain(deadline)
        self.process.wait(DEADLINE)
        return self.qmp.reason

    def start(self, command, timeout=300):
        return self.control.start(command, timeout)

    def finish(self, ident, command="", deadline=DEADLINE):
        status, output = self.control.finish(ident, deadline)
        return Result(command, status, output)

    def run(self, command, timeout=60, deadline=DEADLINE):
        """Runs a shell command as root; TIMEOUT is guest time, status 124 says that it passed."""
        return self.finish(self.start(command, timeout), command, deadline)

    def check(self, command, **more):
        """Like run(), and the status must be 0; the output as text."""
        result = self.run(command, **more)
        if result.status != 0:
            raise MachineError(repr(result))
        return result.text

    def read(self, path):
        result = self.run(f"cat {path}")
        return result.output if result.status == 0 else b""

    def write(self, path, text):
        self.check(f"cat > {path}.new <<'__END__'\n{text}\n__END__\nmv {path}.new {path}")

    def wait(self, what, command, deadline=DEADLINE):
        """Until COMMAND ends with 0."""
        return wait_until(what, lambda: self._success(command), deadline)

    def _success(self, command):
        result = self.run(command)
        return result if result.status == 0 else None

    def runlevel(self):
        return self.run("runlevel").text.strip()

    def wait_runlevel(self, text):
        wait_until(f"runlevel {text}", lambda: self.runlevel() == text)

    def wait_booted(self):
        """Until some level is entered."""
        wait_until("a level is entered", lambda: self.runlevel()[-1:].isdigit())

    def rc_log(self):
        return self.read("/run/rc.log").decode().splitlines()

    def orphan_ms(self, limit_ms=10000):
        """Makes an orphan that ends, and says how long pid 1 took to reap it; None: it did not."""
        result = self.run(f"vmguest orphan {limit_ms}", timeout=limit_ms / 1000 + 60)
        return int(result.text) if result.status == 0 else None

    def watch(self, every_ms=10):
        """Begins to sample what pid 1 does, until the machine ends."""
        self.check(f"vmguest watch /run/watch {every_ms} </dev/null >/dev/null 2>&1 & echo $! > "
                   "/run/watch.pid")
        self.wait("the watcher begins", "test -s /run/watch")
        self.watching = True

    def watched(self):
        """The kinds of sleep of pid 1 seen so far, as dictionaries."""
        self.check("rm /run/watch; kill -USR1 $(cat /run/watch.pid)")
        self.wait("the watcher's report", "test -s /run/watch")
        kinds = []
        for line in self.read("/run/watch").decode().splitlines()[1:]:
            w = line.split()
            kinds.append({"state": w[0], "call": int(w[1]), "wchan": w[2], "count": int(w[4]),
                          "longest_ms": int(w[6]), "first_ms": int(w[8])})
        return kinds

    def pid1_elsewhere(self):
        """Where pid 1 was seen in D state, or asleep anywhere but in its one wait."""
        return [k for k in self.watched()
                if k["state"] == "D" or (k["state"] == "S" and k["call"] not in THE_ONE_WAIT)]

    def describe(self):
        """The machine's state, for a failed test."""
        said = ["console: " + self.console.tail(), "serial: " + self.serial.tail(500)]
        if self.process and self.process.poll() is None and self.control.ready:
            try:
                said.append(self.run(DESCRIBE, timeout=20, deadline=30).text)
            except MachineError as err:
                said.append(str(err))
        else:
            self.stderr.seek(0)
            said.append("qemu: " + self.stderr.read().decode("utf-8", "replace"))
        return "\n".join(said)


class Shared:
    """One boot for several cases: `with shared.machine() as m`. A failed case ends it, and the
    next boots anew."""

    def __init__(self, **arguments):
        self.arguments = arguments
        self.running = None
        atexit.register(self.end)

    @contextlib.contextmanager
    def machine(self):
        if not self.running:
            machine = Machine(**self.arguments)
            machine.boot()
            self.running = machine
        try:
            yield self.running
        except BaseException as err:
            if not isinstance(err, tap.Skip):
                tap.diag(self.running.describe())
                self.end()
            raise

    def end(self):
        if self.running:
            self.running.kill()
        self.running = None


SHELL_INITTAB = """id:2:initdefault:
si::sysinit:/etc/rc sysinit
~~:S:wait:/sbin/sulogin
l0:0:wait:/etc/rc 0
l6:6:wait:/etc/rc 6
ca::ctrlaltdel:/etc/rc 6
sh:2345:respawn:/bin/cttyhack /bin/sh -l
"""


def shell(root):
    """A machine on this terminal: console on stdin and stdout, a root shell respawned on it. Ctrl-A
    X leaves. Returns QEMU's exit status."""
    with tempfile.NamedTemporaryFile(prefix="initvm-") as initrd:
        kernel = image.build(initrd.name, root, {"/etc/inittab": SHELL_INITTAB}, control=False)
        argv = ["qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-m", "256", "-nodefaults",
                "-no-user-config", "-display", "none", "-no-reboot", "-serial", "mon:stdio",
                "-kernel", kernel, "-initrd", initrd.name, "-append",
                f"{KERNEL_WORDS} {image.GUEST_MARK}"]
        return subprocess.run(argv, check=False).returncode


def main(argv):
    if len(argv) in (2, 3) and argv[1] == "shell":
        return shell(argv[2] if len(argv) == 3 else init_root())
    print(__doc__.strip(), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
