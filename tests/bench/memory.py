# SPDX-License-Identifier: GPL-2.0-or-later
"""What pid 1 and its helpers keep in memory. memory(pid) -> (Rss, Pss, private) in KiB."""
import re

from measure import BOTH, Row, helpers, machine_of, slurp


def status_kib(pid, field):
    return int(re.search(r"^%s:\s*(\d+)" % field, slurp("/proc/%d/status" % pid), re.M).group(1))


def memory(pid):
    text = slurp("/proc/%d/smaps_rollup" % pid)
    return tuple(sum(int(n) for n in re.findall(r"^%s:\s*(\d+)" % field, text, re.M))
                 for field in ("Rss", "Pss", "Private_(?:Clean|Dirty)"))


def bench_memory():
    rss, locked, private = {}, {}, {}
    for which in BOTH:
        with machine_of(which) as m:
            rss[which], locked[which] = status_kib(m.pid, "VmRSS"), status_kib(m.pid, "VmLck")
            private[which] = sum(memory(pid)[2] for pid in helpers(m))
    yield Row("resident, pid 1", "KiB", **rss, goal="ours: 1,024")
    yield Row("of it locked", "KiB", **locked)
    yield Row("private to all helpers together", "KiB", **private, goal="ours: 600")
