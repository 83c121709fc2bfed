# SPDX-License-Identifier: GPL-2.0-or-later
"""The inits that are measured beside each other, each as pid 1 with one program to run.

SUBJECTS: {name: Subject}. A subject knows the packages of the distribution that hold it, what has to lie in the machine for
it to run the payload, how it is called, and how it can be brought to say something.
"""
import collections
import contextlib
import os
import time

import fetch
from machine import request_bytes
from measure import put

Subject = collections.namedtuple("Subject", "name packages prepare argv speak says")
UNKNOWN_CMD = 99
SYSV = "id:2:initdefault:\np:2:respawn:/tmp/payload\n"


def inittab(text):
    return lambda m: m.write("/etc/inittab", text)


def nothing(_):
    return None


def runit_stages(m):
    for stage in "123":
        put(m, "payload", "/etc/runit/" + stage)


def s6_services(m):
    put(m, "payload", "/run/service/payload/run")


def finit_services(m):
    m.write("/etc/finit.conf", "runlevel 2\nservice [S123456789] /tmp/payload -- payload\n")
    m.write("/etc/finit.d/none.conf", "\n")


def openrc_levels(m):
    os.makedirs(m.path("/run") + "/openrc", exist_ok=True)     # openrc(8) makes it; without, openrc-init spins
    put(m, "payload", "/sbin/openrc")


def ask_nonsense(m, times=200):
    """Requests that sysvinit complains of. A full FIFO is left as it is."""
    fd = os.open(m.path("/run/initctl"), os.O_WRONLY | os.O_NONBLOCK)
    try:
        for _ in range(times):
            with contextlib.suppress(BlockingIOError):
                os.write(fd, request_bytes(UNKNOWN_CMD))
            time.sleep(0.001)
    finally:
        os.close(fd)


def payloads(m):
    return [p for p in m.processes() if p.title.startswith("/tmp/payload") or p.title == "payload"]


def kill_payload(m, times=6):
    """Each death of the service is worth a message; at most a second is waited for it to be back."""
    for _ in range(times):
        for process in payloads(m):
            m.run(["/bin/kill", "-9", str(process.pid)])    # it may be gone by itself
        end = time.monotonic() + 1.5
        while not payloads(m) and time.monotonic() < end:
            time.sleep(0.02)


def sysv(name):
    return Subject(name, None, inittab(SYSV), ["/sbin/init"], ask_nonsense, True)


SUBJECTS = {s.name: s for s in [
    sysv("ours"),
    sysv("stock"),
    Subject("busybox", ["busybox-static"], inittab("::respawn:/tmp/payload\n"), ["/bin/busybox", "init"], kill_payload, True),
    Subject("runit", ["runit"], runit_stages, ["/sbin/runit"], nothing, False),
    Subject("s6-svscan", ["s6", "libs6-2.11", "libskarnet2.13", "libexecline2.9"], s6_services,
            ["/usr/bin/s6-svscan", "/run/service"], nothing, False),
    Subject("finit", ["finit", "libite5", "libuev3"], finit_services, ["/sbin/finit"], kill_payload, True),
    Subject("openrc-init", ["openrc", "libeinfo1", "librc1", "libaudit1", "libcap-ng0", "libpam0g"], openrc_levels,
            ["/sbin/openrc-init"], nothing, False),
    Subject("tini", ["tini"], nothing, ["/usr/bin/tini", "/tmp/payload"], nothing, False),
    Subject("dumb-init", ["dumb-init"], nothing, ["/usr/bin/dumb-init", "/tmp/payload"], nothing, False),
    Subject("catatonit", ["catatonit"], nothing, ["/usr/bin/catatonit", "/tmp/payload"], nothing, False),
    Subject("floor", None, lambda m: put(m, "floor", "/tmp/floor"), ["/tmp/floor", "/tmp/payload"], nothing, False),
]}


def tree(subject):
    """What is laid over the machine's root: a directory, or the name of one that machine.py knows."""
    if subject.name in ("ours", "stock"):
        return subject.name
    if not subject.packages:
        return "ours"
    return fetch.packages(os.path.join(os.environ["B"], "peers", subject.name), subject.packages)


def fetch_all():
    """Once, before the clock runs. What cannot be had is said when its turn comes."""
    for subject in SUBJECTS.values():
        with contextlib.suppress(fetch.FetchError):
            tree(subject)
