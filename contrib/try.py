#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""contrib/try, once everything is built. The machines are those of the tests: tests/system/machine.py, tests/vm/vm.py."""
import argparse
import contextlib
import fcntl
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
import tty

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TOP + "/tests", TOP + "/tests/system", TOP + "/tests/vm"]
BUILD = os.environ.get("B") or TOP + "/build"
FAULTS = ("syslog", "console", "xoff", "bootlogd", "utmp", "fork", "storm")
HEALTHY_S, FAULTY_S, AFTER_S = 3, 12, 6
LEAVE = b"\x1d"
NOBODY = 65534

INITTAB = """# A sample inittab. Try: telinit 3, telinit q, kill the getty, edit this file, ps ax, runlevel.
id:2:initdefault:
si::sysinit:/bin/echo sysinit: the machine is made of name spaces
l2:2:wait:/bin/echo level 2 is reached
l3:3:wait:/bin/echo level 3 is reached
gt:2345:respawn:/etc/try/getty
sh:S2345:respawn:/etc/try/shell
ca::ctrlaltdel:/bin/echo somebody pressed Ctrl-Alt-Del
"""
GETTY = "#!/bin/sh\n# Stands for a getty: lives until it is killed, and is respawned.\nexec sleep 1000000\n"
# A session leader without a terminal gets the first that it opens.
SHELL = """#!/bin/sh
exec </dev/console >/dev/console 2>&1
echo "A root shell; Ctrl-] leaves. /dev/log is read; its lines are in /tmp/syslog."
PS1='[level $(runlevel)] # ' exec sh -i
"""
# Lines that init must log, at each re-reading.
NOISE = "".join("n%d:2:nonsense:\n" % n for n in range(5))


class Space:
    """A machine of name spaces with the sample inittab."""

    def __init__(self, which, shell):
        import machine
        self.which = which
        self.m = machine.Machine(which, pids_cgroup=not shell)
        self.m.write("/etc/inittab", INITTAB if shell else INITTAB.replace("sh:", "#sh:"))
        self.m.write("/etc/try/getty", GETTY, 0o755)
        self.m.write("/etc/try/shell", SHELL, 0o755)
        shutil.copy(BUILD + "/pid1-line", self.m.path("/tmp") + "/pid1-line")
        self.m.syslog.start()
        self.m.boot()
        machine.wait_for(lambda: "Entering runlevel: 2" in self.m.console.text(), "level 2", 60)

    def line(self):
        done = self.m.run(["/tmp/pid1-line"])
        return done.out.strip() or "process 1 cannot be looked at: " + done.err.strip()

    def telinit(self, level):
        import machine
        with contextlib.suppress(Exception):    # a full channel: what we are here to show
            self.m.request(machine.CMD_RUNLVL, level)

    def noise(self):
        """Two orphans, and a reason to log."""
        self.m.spawn(["/bin/sh", "-c", "(:)& (:)&"])
        self.telinit("q")

    def close(self):
        self.m.__exit__(None, None, None)


# ------------------------------------------------------------------------------------ the console

class Screen:
    """This terminal, raw, its last row kept for the status; a pipe is left as it is."""

    def __init__(self):
        self.is_tty = os.isatty(0) and os.isatty(1)
        self.rows, self.columns = 25, 80
        if self.is_tty:
            self.rows, self.columns = struct.unpack("HHHH", fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8)))[:2]

    def __enter__(self):
        if self.is_tty:
            self.saved = termios.tcgetattr(0)
            tty.setraw(0)
            self.write(b"\x1b[2J\x1b[1;%dr\x1b[1;1H" % (self.rows - 1))
        return self

    def __exit__(self, *_):
        if self.is_tty:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)
            self.write(b"\x1b[r\x1b[%d;1H\r\n" % self.rows)

    @staticmethod
    def write(data):
        os.write(1, data)

    def status(self, text):
        if self.is_tty:
            row = text[:self.columns].encode("ascii", "replace")
            self.write(b"\x1b7\x1b[%d;1H\x1b[7m\x1b[2K%s\x1b[0m\x1b8" % (self.rows, row))


def converse(space, screen):
    """Passes keys and output between this terminal and the console, until Ctrl-] or the end of the input."""
    console, shown, logged, next_status, typing = space.m.console, 0, 0, 0.0, True
    with screen:
        while space.m.poll_status() is None:
            text = console.text()
            screen.write(text[shown:].encode("latin-1"))
            shown = len(text)
            if time.monotonic() >= next_status:
                lines = space.m.syslog.lines()[logged:]
                space.m.append("/tmp/syslog", "".join("%s %s: %s\n" % (it.stamp, it.ident, it.text) for it in lines))
                logged += len(lines)
                screen.status(space.line())
                next_status = time.monotonic() + 1
            if "Ctrl-] leaves" not in text:
                time.sleep(0.05)
            elif typing and select.select([0], [], [], 0.05)[0]:
                data = os.read(0, 1024)
                if not data:            # a script: let its last command finish
                    data, typing = b"echo try: the input has $((0))ended\r", False
                if LEAVE in data:
                    return
                console.type(data.replace(b"\n", b"\r") if not screen.is_tty else data)
            elif not typing:
                if "the input has 0ended" in text:
                    return
                time.sleep(0.05)


def play():
    screen = Screen()
    space = Space("ours", shell=True)
    try:
        if screen.is_tty:
            rows = struct.pack("HHHH", screen.rows - 1, screen.columns, 0, 0)
            fcntl.ioctl(space.m.console.master, termios.TIOCSWINSZ, rows)
        converse(space, screen)
        if not screen.is_tty:
            print("\n" + space.line())
    finally:
        space.close()


# ---------------------------------------------------------------------------------------- faults

def hold_locks():
    import fcntl as locks
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    held = [os.open(path, os.O_RDONLY) for path in ("/var/run/utmp", "/var/log/wtmp")]
    for fd in held:
        locks.lockf(fd, locks.LOCK_SH)
    while True:
        signal.pause()


@contextlib.contextmanager
def fault_syslog(space):
    space.m.syslog.stop()
    yield
    space.m.syslog.go_on()


@contextlib.contextmanager
def fault_console(space):
    space.m.console.fill()
    yield
    space.m.console.resume()


@contextlib.contextmanager
def fault_xoff(space):
    space.m.console.xoff()
    yield
    space.m.console.xon()


@contextlib.contextmanager
def fault_utmp(space):
    holder = space.m.spawn(hold_locks)
    yield
    holder.end()


@contextlib.contextmanager
def fault_fork(space):
    space.m.pids.limit(space.m.pids.current())
    yield
    space.m.pids.limit(None)


@contextlib.contextmanager
def fault_storm(space):
    from storm import storm
    with storm(space.m, 20000) as break_loose:
        break_loose()
    yield


def show(spaces, when, seconds, act=None):
    """A line each second for each init; act(second) is called before."""
    for second in range(seconds):
        began = time.monotonic()
        if act:
            act(second)
        for space in spaces:
            print("%-7s %-6s %s" % (when, space.which, space.line()), flush=True)
        time.sleep(max(0.0, began + 1 - time.monotonic()))


def demonstrate(name, stock):
    if stock:
        os.environ["STOCK_ROOT"] = os.path.abspath(stock)
    spaces = []
    try:
        for which in ["ours"] + (["stock"] if stock else []):
            spaces.append(Space(which, shell=False))
        for space in spaces:
            space.m.append("/etc/inittab", NOISE)

        def disturb(second):
            for space in spaces:
                if second == FAULTY_S // 2:
                    space.telinit("3")
                elif name != "fork":
                    space.noise()
        show(spaces, "healthy", HEALTHY_S)
        print("--- %s; then telinit q and two orphans a second, and telinit 3" % name, flush=True)
        with contextlib.ExitStack() as fault:
            for space in spaces:
                fault.enter_context(globals()["fault_" + name](space))
            show(spaces, "faulty", FAULTY_S, disturb)
            print("--- the fault ends", flush=True)
        show(spaces, "after", AFTER_S)
    finally:
        for space in spaces:
            space.close()


# ------------------------------------------------------------------------------------------ QEMU

class Vm:
    which = "ours"

    def __init__(self, m):
        self.m = m

    def line(self):
        return self.m.run("/bin/pid1-line").text.strip()


def demonstrate_bootlogd(stock):
    import vm
    if stock:
        print("in QEMU this init is shown alone: the stock one would not answer any more", file=sys.stderr)
    noisy = vm.SHELL_INITTAB.replace("sh:2345:respawn:/bin/cttyhack /bin/sh -l",
                                     "gt:2345:respawn:/bin/sleep 1000000") + NOISE
    with vm.Machine(root=BUILD + "/root", inittab=noisy,
                    programs={"/bin/pid1-line": BUILD + "/pid1-line"}) as m:
        space = Vm(m)
        m.wait_runlevel("N 2")
        show([space], "healthy", HEALTHY_S)
        print("--- the console is redirected to a pty that nobody reads", flush=True)
        m.check("vmguest redirect </dev/null >/dev/null 2>&1 & echo $! >/run/redirect")

        def disturb(second):
            m.run("telinit 3" if second == FAULTY_S // 2 else "telinit q; (: &); (: &)")
        show([space], "faulty", FAULTY_S, disturb)
        m.check("kill $(cat /run/redirect)")
        print("--- the fault ends", flush=True)
        show([space], "after", AFTER_S)


def main():
    parser = argparse.ArgumentParser(prog="contrib/try")
    parser.add_argument("--vm", action="store_true")
    parser.add_argument("--fault", choices=FAULTS)
    parser.add_argument("--stock", metavar="DIR")
    options = parser.parse_args()
    os.environ.setdefault("INIT_ROOT", BUILD + "/root")
    if options.fault == "bootlogd":
        return demonstrate_bootlogd(options.stock)
    if options.vm and options.fault:
        parser.error("--vm goes with --fault bootlogd alone; the others are shown in name spaces")
    if options.vm:
        return subprocess.call([sys.executable, TOP + "/tests/vm/vm.py", "shell", BUILD + "/root"])
    if options.fault:
        return demonstrate(options.fault, options.stock)
    return play()


if __name__ == "__main__":
    sys.exit(main())
