# SPDX-License-Identifier: GPL-2.0-or-later
"""What a machine borrows from the system around it: a loop device, a cgroup."""
import contextlib
import errno
import fcntl
import os
import struct
import time

import kernel
import tap


class MachineError(Exception):
    """The machine itself could not be built; says nothing about init."""


def attach_loop(memory):
    """-> (descriptor, number) of a loop device that lets go of its file with its last user."""
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        for _ in range(50):
            number = fcntl.ioctl(control, kernel.LOOP_CTL_GET_FREE)
            if not os.path.exists("/dev/loop%d" % number):
                os.mknod("/dev/loop%d" % number, 0o060660, os.makedev(7, number))
            device = os.open("/dev/loop%d" % number, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(device, kernel.LOOP_SET_FD, memory)
            except OSError as error:
                os.close(device)
                if error.errno != errno.EBUSY:      # EBUSY: another test took this one
                    raise
                continue
            info = bytearray(232)
            struct.pack_into("=I", info, 52, kernel.LO_FLAGS_AUTOCLEAR)
            fcntl.ioctl(device, kernel.LOOP_SET_STATUS64, bytes(info))
            return device, number
    finally:
        os.close(control)
    raise MachineError("no free loop device")


class PidsCgroup:
    """A cgroup that counts the tasks of init; what the test starts inside is not in it."""

    def __enter__(self):
        self.base = self._controller()
        self.name = "sysvinit-test-%d-%d" % (os.getpid(), time.monotonic_ns())
        self.dir = os.path.join(self.base, self.name)
        os.mkdir(self.dir)
        # For the keeper, which removes it even when the test cannot.
        self.handle = (os.open(self.base, os.O_RDONLY | os.O_DIRECTORY), self.name)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):      # the keeper was quicker
            os.rmdir(self.dir)
        os.close(self.handle[0])

    @staticmethod
    def _controller():
        unified = None
        with open("/proc/self/mountinfo") as table:
            for line in table:
                place, (kind, _, options) = line.split()[4], line.split(" - ")[1].split()[:3]
                if kind == "cgroup" and "pids" in options.split(","):
                    return place
                if kind == "cgroup2":
                    unified = place
        if unified:
            with open(unified + "/cgroup.subtree_control") as file:
                if "pids" in file.read().split():
                    return unified
        tap.skip("no pids cgroup here")

    def _write(self, name, value):
        with open(os.path.join(self.dir, name), "w") as file:
            file.write(str(value))

    def add(self, pid):
        self._write("cgroup.procs", pid)

    def limit(self, count):
        self._write("pids.max", "max" if count is None else count)

    def current(self):
        with open(self.dir + "/pids.current") as file:
            return int(file.read())

