# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole Debian 12 beside itself: the same root, kernel and scripts, booted by the stock packages and by ours.

bench_debian()      yields rows: kernel start to the login prompt, `poweroff` to power off, memory of process 1 and its helpers

Times are those of the guest's clock, which counts instructions: the machine around makes no difference to them.
"""
import os
import re
import statistics
import sys

from measure import BOTH, TOP, Row

sys.path.insert(0, TOP + "/tests/debian")
ROUNDS = 2
TICK_S = 1 / 100        # of /proc/PID/stat, for user space
# Process 1 and its helpers, "Pss Rss" of each in KiB.
MEMORY = "for p in 1 $(ps -eo pid=,ppid=,comm= | awk '$2 == 1 && $3 == \"init-log\" { print $1 }'); do " \
    "awk '/^Pss:/ { p = $2 } /^Rss:/ { r = $2 } END { print p, r }' /proc/$p/smaps_rollup; done"
# hwclock(8) waits for the hardware clock's next second: up to one, by chance, and thrice what all else takes.
NO_HWCLOCK = "printf '#!/bin/sh\\nexit 0\\n' > /etc/init.d/hwclock.sh; sync"


def one(which):
    """What one boot shows."""
    from system import System
    with System(which) as s:
        s.login()
        started = s.sh("awk '{ print $22 }' /proc/$PPID/stat")        # login's, which is the getty that was started there
        s.until("! pidof bootlogd", "the boot to be over")
        sizes = [tuple(map(int, line.split())) for line in s.sh(MEMORY).splitlines()]
        s.sh(NO_HWCLOCK)
        mark = s.console.mark()
        s.type("cat /proc/uptime; poweroff\n")
        s.ends()
        said = s.console.since(mark).decode("utf-8", "replace")
    asked = float(re.search(r"(\d+\.\d+) \d+\.\d+\r*\n", said).group(1))
    off = float(re.search(r"\[ *(\d+\.\d+)\] reboot: Power down", said).group(1))
    return {"login": int(started) * TICK_S, "off": off - asked, "pss": sum(pss for pss, _ in sizes), "rss": sizes[0][1]}


def bench_debian():
    os.makedirs(os.environ["B"] + "/debian", exist_ok=True)
    found = {which: [] for which in BOTH}
    for number in range(ROUNDS):
        for which in BOTH if number % 2 == 0 else reversed(BOTH):
            found[which].append(one(which))
    for key, what, unit, digits in (("login", "Debian 12 in QEMU, kernel start to the login prompt", "s", 2), ("off", "the same, `poweroff` to power off, without hwclock", "s", 3),
                                    ("pss", "the same, process 1 and helpers, their share of memory (Pss)", "KiB", 0),
                                    ("rss", "the same, process 1 resident", "KiB", 0)):
        medians = {which: statistics.median(values[key] for values in found[which]) for which in BOTH}
        yield Row(what, unit, medians["ours"], medians["stock"], "1" if unit == "s" else "", digits)
