# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a boot and a change of level take."""
import os
import time

from measure import BASE, Machine, Row, in_turn, machine_of
from machine import CMD_RUNLVL


def boot_time(which):
    steps = "".join("w%d:2:wait:/bin/true\n" % n for n in range(9))
    stay = "".join("r%d:2:respawn:/bin/sleep 100000\n" % n for n in range(8))
    inittab = "id:2:initdefault:\nsi::sysinit:/bin/true\n" + steps + stay + "e:2:once:/bin/touch /tmp/level2\n"
    with Machine(which) as m:
        m.syslog.start()
        m.write("/etc/inittab", inittab)
        began = time.monotonic()
        m.boot()
        wait_quickly(m, "/tmp/level2")
        return (time.monotonic() - began) * 1000


def wait_quickly(m, name):
    path, end = m.path(name), time.monotonic() + 120
    while not os.path.exists(path):
        if time.monotonic() > end:
            raise TimeoutError(name)
        time.sleep(0.0005)


def change_time(which):
    stay = "".join("r%d:2:respawn:/bin/sleep 100000\n" % n for n in range(50))
    with machine_of(which, BASE + stay) as m:
        began = time.monotonic()
        m.request(CMD_RUNLVL, "3", sleeptime=5)
        wait_quickly(m, "/tmp/level3")
        return (time.monotonic() - began) * 1000


def bench_levels():
    yield Row("boot of a 20-entry inittab to its last entry", "ms", **in_turn(boot_time), goal="1", digits=1)
    yield Row("change of level, 50 processes to stop", "ms", **in_turn(change_time, rounds=3), goal="1", digits=1)
