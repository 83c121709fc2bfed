# SPDX-License-Identifier: GPL-2.0-or-later
"""What pid 1 has said to each sink, and what became of it, as its queue has it (src/initlog/queue.c, place.h).

    Ledger(pid).account("console") -> Account(said, delivered, lost, pending)
    account_of(header, "console")   the same from its first 4096 bytes
"""
import collections
import os
import struct

MAGIC = struct.pack("=Q", 0x716C74696E690A1A)
SINKS = ("console", "syslog", "records", "wtmp")
SAID = 40               # a 64-bit number for each sink
CURSOR, CURSOR_BYTES = 128, 960
HEADER_BYTES = 4096
PLACE = struct.Struct("=5Q")    # next, dealt, delivered, lost, checksum; two of them, then which is active

Account = collections.namedtuple("Account", "said delivered lost pending")


def account_of(header, sink):
    number = SINKS.index(sink)
    said, = struct.unpack_from("=Q", header, SAID + 8 * number)
    cursor = CURSOR + CURSOR_BYTES * number
    active, = struct.unpack_from("=I", header, cursor + 2 * PLACE.size)
    _, dealt, delivered, lost, _ = PLACE.unpack_from(header, cursor + PLACE.size * (active & 1))
    return Account(said, delivered, lost, said - dealt)


class Ledger:
    def __init__(self, pid):
        self.fd = self._find(pid)

    @staticmethod
    def _find(pid):
        folder = "/proc/%d/fd" % pid
        for name in os.listdir(folder):
            path = "%s/%s" % (folder, name)
            if not os.readlink(path).startswith("/memfd:"):
                continue
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            if os.pread(fd, len(MAGIC), 0) == MAGIC:
                return fd
            os.close(fd)
        raise RuntimeError("pid 1 has no queue")

    def close(self):
        os.close(self.fd)

    def account(self, sink):
        return account_of(os.pread(self.fd, HEADER_BYTES, 0), sink)
