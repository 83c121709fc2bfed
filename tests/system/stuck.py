# SPDX-License-Identifier: GPL-2.0-or-later
"""A file system that stops answering, as NFS does when its server is gone: FUSE served by us. Who reads from it while it
is held sleeps uninterruptibly, SIGKILL or not. And a lock that nobody gives back.
"""
import fcntl
import os
import select
import signal
import stat
import struct
import time

import kernel
import sinks
import tap

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT = 1, 2, 3, 14, 15, 17, 18, 25, 26
OPENDIR, READDIR, RELEASEDIR, ACCESS, INTERRUPT, BATCH_FORGET = 27, 28, 29, 34, 36, 42
HEADER = struct.Struct("=IIQQIIIHH")
ROOT, FILE = 1, 2
DIRECT_IO = 1
NOBODY = 65534


class StuckFs:
    """One file with the given content, at place/name in the machine. CALLS: what is not answered while it is held."""

    def __init__(self, machine, place, name, content, kind="fuse", calls=(OPEN, READ)):
        if not os.path.exists("/dev/fuse"):
            tap.skip("no /dev/fuse here")
        self.name, self.content = name.encode(), content.encode()
        self.held, self.calls = False, calls
        try:
            fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            tap.skip("no FUSE in this kernel: %s" % error)

        def mount():
            os.makedirs(place, exist_ok=True)
            kernel.mount("stuck", place, kind, kernel.MS_NOSUID | kernel.MS_NODEV,
                         "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % fuse)
        try:
            machine.call(mount, keep=(fuse,))
            self.server = sinks.Reader(lambda journal: self._serve(fuse, journal), "stuck",
                                       keep=(fuse,))
        finally:
            os.close(fuse)
        sinks.wait_for(self.server.journal.read, "the file system to be served")
        # Before the machine is taken down: with its server gone nobody waits for it any more.
        machine.on_close(self.close)

    def close(self):
        if self.server:
            self.server.end()
            self.server.journal.close()
        self.server = None

    def _told(self, signo, word):
        seen = len(self.server.journal.read())
        os.kill(self.server.pid, signo)
        sinks.wait_for(lambda: any(d == word for _, _, d in self.server.journal.read()[seen:]),
                       "the file system to take its order")

    def hold(self):
        """None of those calls is answered until release()."""
        self._told(signal.SIGUSR1, b"held")

    def release(self):
        self._told(signal.SIGUSR2, b"released")

    def requests_held(self):
        return sum(d == b"kept waiting" for _, _, d in self.server.journal.read())

    # ---------------------------------------------------------------------------------- the server

    def _serve(self, fuse, journal):
        read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        for signo in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(signo, lambda *_: None)
        journal.append(b"serving")
        waiting = []
        while True:
            ready = select.select([fuse, read], [], [])[0]
            if read in ready:
                self.held = os.read(read, 1)[0] == signal.SIGUSR1
                journal.append(b"held" if self.held else b"released")
                while not self.held and waiting:
                    self._answer(fuse, *waiting.pop(0))
            elif fuse in ready:
                data = os.read(fuse, 1 << 20)
                request = (HEADER.unpack_from(data), data[HEADER.size:])
                if self.held and request[0][1] in self.calls:
                    journal.append(b"kept waiting")
                    waiting.append(request)
                else:
                    self._answer(fuse, *request)

    def _attr(self, node):
        directory = node == ROOT
        mode = stat.S_IFDIR | 0o755 if directory else stat.S_IFREG | 0o644
        size = 0 if directory else len(self.content)
        return struct.pack("=QQQQQQIIIIIIIIII", node, size, 1, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0,
                           4096, 0)

    def _answer(self, fuse, header, body):
        _, opcode, unique, node = header[:4]
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
            return
        error, data = 0, b""
        if opcode == INIT:
            major, minor = struct.unpack_from("=II", body)
            data = struct.pack("=IIIIHHIIHHIIH14x", major, min(minor, 31), 65536, 0, 8, 8,
                               65536, 1, 1, 0, 0, 0, 0)
        elif opcode == LOOKUP:
            if body.rstrip(b"\0") == self.name:
                data = struct.pack("=QQQQII", FILE, 0, 0, 0, 0, 0) + self._attr(FILE)
            else:
                error = -2
        elif opcode == GETATTR:
            data = struct.pack("=QII", 0, 0, 0) + self._attr(node)
        elif opcode in (OPEN, OPENDIR):
            data = struct.pack("=QII", 0, DIRECT_IO if opcode == OPEN else 0, 0)
        elif opcode == READ:
            _, offset, size = struct.unpack_from("=QQI", body)
            data = self.content[offset:offset + size]
        elif opcode not in (RELEASE, RELEASEDIR, FLUSH, ACCESS, READDIR):
            error = -38
        os.write(fuse, struct.pack("=IiQ", 16 + len(data), error, unique) + data)


def hold(path, flags, kind):
    fd = os.open(path, flags)
    fcntl.lockf(fd, kind)
    os.write(1, b"held")
    while True:
        time.sleep(1000)


def locker(machine, path, flags, kind, uid=0):
    ready, tell = os.pipe()
    process = machine.spawn(lambda: hold(path, flags, kind), out=tell, uid=uid)
    os.close(tell)
    tap.equal(os.read(ready, 4), b"held", "the lock on %s is held" % path)
    os.close(ready)
    return process
