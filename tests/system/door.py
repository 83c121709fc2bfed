# SPDX-License-Identifier: GPL-2.0-or-later
"""sulogin on terminals that the test holds the other end of.

    with House(account("root", password="right")) as house:     # a machine without an init, passwd and shadow of its own
        door = house.open("-e")                 # sulogin on a fresh terminal, its controlling one
        door.expect(PASSWORD_PROMPT)
        door.answer("right")                    # types it and Enter
        door.shell("echo $HOME")                # what the command prints, once the shell is there
        door.status()                           # its exit status, or -signal, once it has ended
        door.line.settings()                    # termios, as a list
"""
import contextlib
import ctypes
import fcntl
import hashlib
import os
import re
import select
import struct
import termios
import time

import kernel
import machine
import tap

PASSWORD_PROMPT = b"Give root password for maintenance\r\n\r(or type Control-D to continue): "
ENTER_PROMPT = b"Press enter for maintenance(or type Control-D to continue): "
WRONG = b"Login incorrect.\r\n\r"
LOCKED = b"Press enter to continue: "
DEADLINE = 60
SHELL_PROMPT = b"# "
CONTROL_D = b"\x04"


def hashed(password, salt="$6$0123456789abcdef$"):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    value = library.crypt(password.encode("latin-1"), salt.encode())
    tap.check(value and not value.startswith(b"*"), "this libcrypt knows " + salt)
    return value.decode()


def account(field, shell="/bin/sh", home="/root"):
    return "root:%s:0:0:root:%s:%s\nnobody:*:65534:65534:nobody:/:/bin/false\n" % (field, home, shell)


class Line:
    """A pseudo terminal of the machine; one slave descriptor of ours keeps its settings."""

    def __init__(self, m):
        self.machine = m
        self.master = os.open(m.path("/dev/pts") + "/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        fcntl.ioctl(self.master, kernel.TIOCSPTLCK, struct.pack("i", 0))
        self.number, = struct.unpack("i", fcntl.ioctl(self.master, kernel.TIOCGPTN, b"\0" * 4))
        self.node = "/dev/pts/%d" % self.number
        self.slave = os.open(m.path(self.node), os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        os.set_blocking(self.master, False)
        self.text = b""
        m.on_close(self.close)

    def close(self):
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)
        self.master = self.slave = -1

    def hang_up(self):
        self.close()

    def settings(self):
        return termios.tcgetattr(self.slave)

    def set(self, values):
        termios.tcsetattr(self.slave, termios.TCSANOW, values)

    def type(self, data):
        os.write(self.master, data)

    def look(self, seconds=0.0):
        """Takes in what came out until now."""
        poll = select.poll()
        poll.register(self.master, select.POLLIN)
        while poll.poll(seconds * 1000):
            try:
                self.text += os.read(self.master, 65536)
            except (BlockingIOError, OSError):
                return
            seconds = 0

    def expect(self, what, mark=0, deadline=DEADLINE):
        """Waits until it stands behind the mark. -> the place behind it"""
        end = time.monotonic() + deadline
        pattern = re.compile(re.escape(what) if isinstance(what, bytes) else what.pattern, re.DOTALL)
        while True:
            found = pattern.search(self.text, mark)
            if found:
                return found.end()
            if time.monotonic() > end:
                raise tap.Failed("waited for %r; there came %r" % (what, self.text[mark:]))
            self.look(0.1)


class Door:
    """A sulogin."""

    def __init__(self, house, line, process):
        self.house, self.line, self.process = house, line, process
        self.at = len(line.text)
        self.questions = 0

    @property
    def text(self):
        self.line.look()
        return self.line.text

    def expect(self, what):
        self.at = self.line.expect(what, self.at)
        return self

    def type(self, data):
        self.line.type(data)
        return self

    def answer(self, text):
        return self.type(text.encode("latin-1") + b"\r")

    def shell(self, command):
        """What a command prints in the shell; it must be there by now, or come."""
        self.questions += 1
        begin, end = "<%d<" % self.questions, ">%d>" % self.questions
        self.expect(SHELL_PROMPT)       # what is typed before is dropped with the rest that was meant for the prompt
        self.type(("printf '%%s' '%s'; %s; printf '%%s\\n' '%s'\n" % (begin[:1] + "''" + begin[1:], command,
                                                                 end[:1] + "''" + end[1:])).encode())
        mark = self.line.expect(begin.encode(), self.at)
        self.at = self.line.expect(end.encode(), mark)
        return self.line.text[mark:self.at - len(end)].replace(b"\r\n", b"\n").decode("latin-1").rstrip("\n")

    def status(self, deadline=DEADLINE):
        """A terminal that nobody reads may keep a process from ending."""
        end = time.monotonic() + deadline
        while self.is_alive():
            self.line.master >= 0 and self.line.look(0.02)
            if time.monotonic() > end:
                raise tap.Failed("sulogin does not end; it said %r" % self.line.text)
        return self.process.wait()

    def is_alive(self):
        if self.process.status is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.process.pid, os.WNOHANG)
                if pid:
                    self.process.status = os.waitstatus_to_exitcode(status)
        return self.process.status is None


def host_files():
    """What the machine around has: it must stay as it is."""
    found = {}
    for path in ("/etc/passwd", "/etc/shadow", "/etc/nsswitch.conf"):
        if os.path.exists(path):
            with open(path, "rb") as file:
                found[path] = (hashlib.sha256(file.read()).hexdigest(), os.stat(path).st_mtime_ns, os.stat(path).st_ino)
    return found


class House:
    def __init__(self, passwd=None, shadow="", program="/sbin/sulogin", pids_cgroup=False):
        self.exits = contextlib.ExitStack()
        self.program = program
        self.before = host_files()
        self.machine = self.exits.enter_context(machine.Machine("ours", pids_cgroup=pids_cgroup))
        self.files(passwd if passwd is not None else account("x"), shadow)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.exits.__exit__(*why)
        tap.equal(host_files(), self.before, "the machine around keeps its files")

    def files(self, passwd, shadow=""):
        """None: there is no such file."""
        for path, text in (("/etc/passwd", passwd), ("/etc/shadow", shadow)):
            if text is not None:
                self.machine.write(path, text, 0o600)
            elif self.machine.exists(path):
                os.unlink(self.machine.path(path))
        return self

    def line(self):
        return Line(self.machine)

    def open(self, *args, line=None, env=None, session=True, program=None, before=None, device=False):
        """session=False: the terminal is nobody's yet. before: called in the child, as root inside. device=True: a device is
        named otherwise, standard input is /dev/null."""
        # Without one sulogin would mount the kernel's own /dev, and with it the consoles of the machine around.
        tap.check(self.machine.exists("/dev/console"), "the machine has a /dev/console")
        line = line or self.line()
        node, path = line.node, program or self.program

        def work():
            os.setsid() if os.getsid(0) != os.getpid() else None
            name = "/dev/null" if device else node
            fd = os.open(name, os.O_RDWR | os.O_NOCTTY)
            if session and not device:
                fcntl.ioctl(fd, termios.TIOCSCTTY, 0)
            for std in range(3):
                os.dup2(fd, std)
            if fd > 2:
                os.close(fd)
            if before:
                before()
            os.execve(path, [os.path.basename(path), *args], {"PATH": "/sbin:/usr/sbin:/bin:/usr/bin", **(env or {})})
        return Door(self, line, self.machine.spawn(work))
