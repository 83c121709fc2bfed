# SPDX-License-Identifier: GPL-2.0-or-later
"""Terminals on which people are logged in, in a machine that was not booted.

    with Hall(m, 3) as hall:                    # utmp holds a record for each
        hall.terminals[1].stop()                # as ^S does
        hall.run(["/usr/bin/wall", "text"])     # -> Done, once every process of that name has ended
        hall.terminals[0].output()              # bytes since the last look
        hall.utmp(USER_PROCESS, 1, "pts/0", "user")     # adds a record; hall.empty_utmp()

A terminal is a pseudo terminal of the machine's own devpts; what is written to it comes out as it is (no OPOST).
.line is its name in utmp, .path the machine's, .slave a descriptor that keeps it from being hung up.
"""
import errno
import fcntl
import os
import resource
import socket
import struct
import termios

import machine
from machine import Done, wait_for

DEAD_PROCESS, LOGIN_PROCESS, USER_PROCESS = 8, 6, 7
# Where the C library has 64-bit times in utmp: the same list as in src/lib/utmpfile.h.
WIDE = os.uname().machine in ("aarch64", "alpha", "ia64", "s390x")
LAYOUT = "=h2xi32s4s32s256shh" + ("qqq" if WIDE else "iii") + "16s20s" + ("4x" if WIDE else "")
CROWD = 500
TIOCGPTN, TIOCSPTLCK = 0x80045430, 0x40045431


def the_only_crowd():
    """-> a socket, held by one test at a time: the kernel has about 3,000 terminals for all name spaces together."""
    held = socket.socket(socket.AF_UNIX)

    def take():
        try:
            held.bind("\0tests/system/terminals.py")
            return True
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    wait_for(take, "the terminals of another test to be free", 400)
    return held


def open_master(path):
    """-> a descriptor, or None: those of the last test are not yet all gone."""
    try:
        return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EAGAIN):
            return None
        raise


class Terminal:
    def __init__(self, m):
        self.master = wait_for(lambda: open_master(m.path("/dev/pts") + "/ptmx"), "the kernel to have a terminal", 60)
        fcntl.ioctl(self.master, TIOCSPTLCK, struct.pack("i", 0))
        number = struct.unpack("i", fcntl.ioctl(self.master, TIOCGPTN, b"\0" * 4))[0]
        self.line = "pts/%d" % number
        self.path = "/dev/" + self.line
        self.outside = m.path("/dev/pts") + "/%d" % number
        self.slave = os.open(self.outside, os.O_RDWR | os.O_NOCTTY)
        modes = termios.tcgetattr(self.slave)
        modes[1] &= ~termios.OPOST
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(self.slave, termios.TCSANOW, modes)

    def stop(self):
        termios.tcflow(self.slave, termios.TCOOFF)

    def go_on(self):
        termios.tcflow(self.slave, termios.TCOON)

    def output(self):
        found = b""
        while True:
            try:
                found += os.read(self.master, 1 << 16)
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    return found
                raise

    def give(self, uid, gid, mode):
        os.chown(self.outside, uid, gid)
        os.chmod(self.outside, mode)

    def mode(self):
        return os.stat(self.outside).st_mode & 0o7777

    def close(self):
        os.close(self.slave)
        os.close(self.master)


class Hall:
    def __init__(self, m, count):
        self.m = m
        self.terminals = []
        self.crowd = the_only_crowd() if count > CROWD else None
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        if 2 * count + 100 > limits[0]:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(2 * count + 100, limits[0]), limits[1]))
        try:
            for _ in range(count):
                self.terminals.append(Terminal(m))
        except BaseException:
            self.close()
            raise
        self.empty_utmp()
        self.write_utmp([self.record(USER_PROCESS, 1, t.line, "somebody") for t in self.terminals])

    def __enter__(self):
        return self

    def __exit__(self, *_why):
        self.close()

    def close(self):
        for terminal in self.terminals:
            terminal.close()
        self.terminals = []
        if self.crowd:
            self.crowd.close()

    @staticmethod
    def record(kind, pid, line, user):
        return struct.pack(LAYOUT, kind, pid, line.encode(), b"", user.encode(), b"", 0, 0, 0, 1700000000, 0, b"", b"")

    def write_utmp(self, records):
        with open(self.m.path("/run/utmp"), "ab") as file:
            file.write(b"".join(records))

    def utmp(self, *record):
        self.write_utmp([self.record(*record)])

    def empty_utmp(self):
        os.truncate(self.m.path("/run/utmp"), 0)

    def is_over(self, name):
        return not any(p.comm == name and p.state != "Z" for p in self.m.processes())

    def run(self, argv, **options):
        done = self.m.run(argv, **options)
        name = os.path.basename(argv[0])
        wait_for(lambda: self.is_over(name), "every %s to end" % name, 60)
        return done


def run_on(m, terminal, argv, deadline=30, **options):
    """The command with that terminal as standard input. -> Done"""
    files = [os.memfd_create("run") for _ in range(2)]
    try:
        status = m.spawn(argv, terminal.slave, *files, **options).wait(deadline)
        return Done(status, *(os.pread(fd, 1 << 20, 0).decode("latin-1") for fd in files))
    finally:
        for fd in files:
            os.close(fd)


def unbooted():
    """A private machine; pid 1 is the stage, which ends nothing and reads nothing."""
    return machine.Machine(machine.subject())
