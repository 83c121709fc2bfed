# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of shutdown and halt need besides the machine: init's place at the channel, terminals of users, calls
that are recorded instead of made, a clock that jumps.

    with Down("ours") as d:                     # "stock": the stock programs
        d.run("shutdown", "-r", "now") -> Done  # what comes into the FIFO: d.requests()
        d.record("halt", "-p", level="0") -> Calls(status, calls, err)
        d.clocked("shutdown", "-k", "+5")       # by a clock that jumps; see fakeclock.c
        term = d.terminal(); term.text()
    Nothing here ends a machine: programs run in a pid and mount name space, reboot(2) and sync(2) are always injected
    where they could be called.
"""
import collections
import contextlib
import fcntl
import os
import re
import struct
import subprocess
import termios
import time

import kernel
import sinks
from machine import SHELL_ENV, Machine, tap, wait_for
from straced import whole_calls

HERE = os.path.dirname(os.path.abspath(__file__))
FIFO = "/run/initctl"
PID_FILE = "/run/shutdown.pid"
Calls = collections.namedtuple("Calls", "status calls err out")
Request = collections.namedtuple("Request", "cmd level sleeptime data")
SETENV, RUNLVL = 6, 1
NEVER_REALLY = ["-e", "trace=reboot,kill,sync,ioctl", "-e", "inject=sync:retval=0"]
EPOCH = 1795600800          # Wed Nov 25 10:00:00 2026 UTC
CALL = re.compile(r"(reboot|kill|sync|ioctl)\((.*)\) += (?:-1 \w+.*|\d+.*)$")
COMMAND = re.compile(r"LINUX_REBOOT_CMD_(\w+)(?:, \"(.*)\")?")
_library = []


def fake_library():
    """The preloaded clock, compiled once a run."""
    if not _library:
        fd = os.memfd_create("fakeclock")
        source = os.path.join(HERE, "fakeclock.c")
        subprocess.run([os.environ.get("CC", "cc"), "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o",
                        "/proc/self/fd/%d" % fd, source, "-ldl"], check=True, pass_fds=[fd])
        _library.append(os.pread(fd, os.fstat(fd).st_size, 0))
        os.close(fd)
    return _library[0]


class Terminal:
    """A pty of the machine, with a user in utmp; what is shown on it is collected."""

    def __init__(self, machine, user="alice", line="%s"):
        self.master = os.open(machine.path("/dev/pts") + "/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        fcntl.ioctl(self.master, kernel.TIOCSPTLCK, struct.pack("i", 0))
        number, = struct.unpack("i", fcntl.ioctl(self.master, kernel.TIOCGPTN, b"\0" * 4))
        self.slave = os.open(machine.path("/dev/pts/%d" % number), os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        mode = termios.tcgetattr(self.slave)
        mode[1] &= ~termios.OPOST
        termios.tcsetattr(self.slave, termios.TCSANOW, mode)
        self.line = line % ("pts/%d" % number)
        self.reader = sinks.Reader(self._collect, "terminal", keep=(self.master,))
        record = sinks.UTMP.pack(sinks.USER_PROCESS, 1, self.line.encode(), b"p%d" % number, user.encode(), b"", 0, 0, 0,
                                 0, 0, b"")
        machine.append("/run/utmp", record)

    def _collect(self, journal):
        while True:
            journal.append(os.read(self.master, 65536))

    def text(self):
        return b"".join(data for _, _, data in self.reader.journal.read()).decode("utf-8", "backslashreplace")

    def close(self):
        self.reader.end()
        self.reader.journal.close()
        os.close(self.slave)
        os.close(self.master)


class Down:
    def __init__(self, which):
        self.which = which
        self.machine = Machine(which)
        self.exits = contextlib.ExitStack()
        self.fd = None

    def __enter__(self):
        self.exits.enter_context(self.machine)
        self.path = self.machine.path
        self.machine.write("/run/fakeclock.so", fake_library(), 0o755)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path("/etc/nologin"))
        self.channel("open")
        self.exits.callback(lambda: self.channel("absent"))
        return self

    def __exit__(self, *why):
        return self.exits.__exit__(*why)

    def channel(self, state):
        """open, unread (nobody has it open), full, file, absent."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(FIFO))
        if state == "file":
            self.machine.write(FIFO, "")
        elif state != "absent":
            os.mkfifo(self.path(FIFO), 0o600)
        if state in ("open", "full"):
            self.fd = os.open(self.path(FIFO), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        if state == "full":
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(self.fd, bytes(4096))

    def requests(self):
        found, data = [], b""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self.fd, 1 << 16)
        tap.equal(len(data) % 384, 0, "bytes beyond whole requests")
        for at in range(0, len(data), 384):
            magic, cmd, level, sleeptime, text = struct.unpack("=iiii368s", data[at:at + 384])
            tap.equal(magic, 0x03091969, "magic")
            found.append(Request(cmd, chr(level) if level else "", sleeptime, text.rstrip(b"\0").decode()))
        return found

    def terminal(self, **more):
        term = Terminal(self.machine, **more)
        self.exits.callback(term.close)
        return term

    def run(self, name, *args, **more):
        return self.machine.run(["/sbin/" + name, *args], **more)

    def spawn(self, name, *args, **more):
        return self.machine.spawn(["/sbin/" + name, *args], **more)

    def waiting(self, *args, **more):
        """A shutdown that has begun to wait."""
        process = self.spawn("shutdown", *args, **more)
        wait_for(lambda: self.pid_in_file() == process.inner_pid(), "the pid file of shutdown " + " ".join(args))
        return process

    def pid_in_file(self):
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int(self.machine.read(PID_FILE))
        return None

    def left_files(self):
        """Those of a shutdown that are there."""
        names = ("/run/shutdown.pid", "/run/shutdown.lock", "/run/shutdown.schedule", "/etc/nologin", "/run/nologin",
                 "/fastboot", "/forcefsck")
        return [name for name in names if self.machine.exists(name)]

    def record(self, name, *args, level=None, reboot="error=EPERM", kill=None, deadline=60, env=None):
        """Runs it under strace. level: INIT_VERSION and RUNLEVEL say so. -> the calls, as short words, in order."""
        env = {**SHELL_ENV, **(env or {})}
        if level:
            env.update(INIT_VERSION="x", RUNLEVEL=level)
        options = [*NEVER_REALLY, "-e", "inject=reboot:" + reboot]
        if kill:
            options += ["-e", "inject=kill:" + kill]
        with self._scratch() as out:
            done = self.machine.run(["strace", "-f", "-qq", "-o", out, *options, "/sbin/" + name, *args], env=env,
                                    deadline=deadline)
            text = self.machine.read(out)
        return Calls(done.status, [c for c in map(self._call, whole_calls(text)) if c], done.err, done.out)

    @contextlib.contextmanager
    def _scratch(self):
        name = "/tmp/strace.%d" % time.monotonic_ns()
        yield name
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(name))

    @staticmethod
    def _call(line):
        found = CALL.match(line)
        if not found:
            return None
        name, args = found.groups()
        if name == "reboot":
            word = COMMAND.search(args)
            return "reboot " + word.group(1) + (" " + word.group(2) if word.group(2) else "")
        if name == "ioctl":
            # Only those of disks and interfaces.
            found = re.match(r"\d+(?:<[^>]*>)?, (HDIO_DRIVE_CMD|BLKFLSBUF|SIOC[GS]IFFLAGS)", args)
            return "ioctl " + found.group(1) if found else None
        return name if name == "sync" else "kill " + args.replace(",", "")

    def clocked(self, name, *args, deadline=120, stuck="", epoch=EPOCH, env=None, **more):
        """Runs it by a clock that jumps."""
        env = {**SHELL_ENV, "LD_PRELOAD": "/run/fakeclock.so", "FAKE_EPOCH": str(epoch), "TZ": "UTC0", **(env or {})}
        if stuck:
            env["FAKE_STUCK"] = stuck
        return self.machine.run(["/sbin/" + name, *args], env=env, deadline=deadline, **more)
