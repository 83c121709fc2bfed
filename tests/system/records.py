# SPDX-License-Identifier: GPL-2.0-or-later
"""Record files made up for the tests of last and utmpdump, and how these are run."""
import os
import random
import struct
import subprocess
import sys
import tempfile

import tap

ROOT = os.environ.get("INIT_ROOT", "build/root")
PEER = os.environ.get("PEER_ROOT", "")
TYPES = dict(empty=0, level=1, boot=2, new_time=3, old_time=4, init=5, login=6, user=7, dead=8)
# As struct(3) says it, behind the byte order.
LAYOUTS = {"384le": "<h2xi32s4s32s256shhiII16s20s", "384be": ">h2xi32s4s32s256shhiII16s20s",
           "400le": "<h2xi32s4s32s256shhqqq16s24s", "400be": ">h2xi32s4s32s256shhqqq16s24s"}
WIDE = os.uname().machine in ("aarch64", "alpha", "ia64", "s390x")
NATIVE = ("400" if WIDE else "384") + ("be" if sys.byteorder == "big" else "le")
OLD = "=h2xi12s4sI8s16s4s"
SIZE = struct.calcsize(LAYOUTS[NATIVE])
BEGIN = 1709625600                      # Tue Mar  5 08:00:00 2024 UTC
NO_PID = 2000000000                     # beyond any pid_max


def record(kind, line="", user="", s=BEGIN, pid=0, host="", ident="", address=b"", us=0, session=0, ended=(0, 0), layout=NATIVE):
    def raw(text):
        return text if isinstance(text, bytes) else text.encode()
    return struct.pack(LAYOUTS[layout], TYPES.get(kind, kind), pid, raw(line), raw(ident), raw(user), raw(host), *ended, session,
                       s, us, address, b"")


def old_record(kind, line, user, s, pid=0, host="", address=b""):
    return struct.pack(OLD, TYPES[kind], pid, line.encode(), b"", s, user.encode(), host.encode(), address)


def boot(s, **more):
    return record("boot", "~", "reboot", s, host="6.1.0", ident="~~", **more)


def shutdown(s, **more):
    return record("level", "~~", "shutdown", s, host="6.1.0", ident="~~", **more)


def level(now, before, s, **more):
    return record("level", "~", "runlevel", s, ord(now) + 256 * ord(before), "6.1.0", "~~", **more)


def days_of_work(seed, crashes=False, boots=6, logins=60, layout=NATIVE):
    """Boots with sessions on some lines, the last of which runs on; some sessions are left open at each end."""
    chance, s, found, open_lines = random.Random(seed), BEGIN, [], {}
    for number in range(boots):
        found += [boot(s, layout=layout), level("2", "N", s + 2, layout=layout)]
        for _ in range(logins):
            s += chance.randrange(1, 4000)
            line = "pts/%d" % chance.randrange(12) if chance.randrange(4) else "tty%d" % chance.randrange(1, 7)
            if line in open_lines:
                found.append(record("dead", line, "", s, open_lines.pop(line), us=chance.randrange(10 ** 6), layout=layout))
                continue
            address = bytes([192, 0, 2, chance.randrange(256)]) if chance.randrange(3) else \
                bytes.fromhex("20010db8") + bytes(chance.randrange(256) for _ in range(12))
            open_lines[line] = NO_PID + chance.randrange(1000)
            found.append(record("user", line, chance.choice(["bob", "eve", "administrator", "u%d" % chance.randrange(50)]), s,
                                open_lines[line], chance.choice(["", "host", "a-long-host-name.example.org", "::1"]),
                                line[-4:], address, chance.randrange(10 ** 6), layout=layout))
        open_lines = {}
        s += chance.randrange(10, 100)
        if number < boots - 1 and not (crashes and chance.randrange(2)):
            found += [level("6", "2", s, layout=layout), shutdown(s + 1, layout=layout)]
        s += chance.randrange(100, 90000)
    return found


def program(name, root=None):
    path = os.path.abspath(os.path.join(root or ROOT, "usr/bin", name))
    if not os.access(path, os.X_OK):
        raise tap.Failed(path + " cannot be executed: make stage, or set INIT_ROOT")
    return path


def run(argv, stdin=None, zone="UTC", **more):
    more.setdefault("stdout", subprocess.PIPE)
    more.setdefault("input" if isinstance(stdin, bytes) else "stdin", subprocess.DEVNULL if stdin is None else stdin)
    return subprocess.run(argv, stderr=subprocess.PIPE, timeout=120, env=dict(os.environ, TZ=zone, LC_ALL="C"), **more)


def peer(name):
    if not PEER:
        tap.skip("PEER_ROOT is not set: no util-linux to compare with")
    return program(name, PEER)


class Files:
    """A folder for record files."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="records.")
        return self

    def __exit__(self, *_why):
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, *records):
        with open(self.path(name), "wb") as file:
            file.write(b"".join(records))
        return self.path(name)
