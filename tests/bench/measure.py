# SPDX-License-Identifier: GPL-2.0-or-later
"""What all benches share: machines at rest, processor time and sleeps of pid 1, rounds in turn, rows.

machine_of(which, inittab)     a machine that has booted and come to rest; which: "ours" or "stock"
cpu_ns(pid) switches(pid)      the scheduler's own figures
settle(m)                      until pid 1 and its helpers, or PIDS, have had nothing to do for a while
children(m)                    pids of pid 1's children, dead ones included, as seen from here
in_turn(measure, *args)        {which: median of some rounds}; the order within a round alternates
program(name)                  a C program of this folder, built -> its path
storm_cost(m, count)           nanoseconds of pid 1 for each of count orphans that fall to it at once
Row, Peer                      a line of the table that compares with stock, of the one that compares with others
"""
import collections
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [TOP + "/tests", TOP + "/tests/system"]
from machine import Machine, wait_for    # noqa: E402
from storm import storm     # noqa: E402

BOTH = ("ours", "stock")
ROUNDS = 5
BASE = "id:2:initdefault:\nl2:2:wait:/bin/touch /tmp/level2\nl3:3:wait:/bin/touch /tmp/level3\n"
Row = collections.namedtuple("Row", "what unit ours stock goal digits", defaults=("", 0))
Peer = collections.namedtuple("Peer", "name cells")


@contextlib.contextmanager
def machine_of(which, inittab=BASE):
    with Machine(which) as m:
        m.syslog.start()
        m.write("/etc/inittab", inittab)
        m.boot()
        wait_for(lambda: m.exists("/tmp/level2"), "level 2", 120)
        settle(m)
        yield m


def slurp(path):
    with open(path) as file:
        return file.read()


def cpu_ns(pid):
    return int(slurp("/proc/%d/schedstat" % pid).split()[0])


def switches(pid):
    return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", slurp("/proc/%d/status" % pid), re.M).group(1))


def children(m):
    return [int(pid) for pid in slurp("/proc/%d/task/%d/children" % (m.pid, m.pid)).split()]


def helpers(m):
    """Those of ours."""
    found = []
    for pid in children(m):
        with contextlib.suppress(OSError):      # it has ended meanwhile
            if slurp("/proc/%d/cmdline" % pid).startswith("init [log:"):
                found.append(pid)
    return found


def settle(m, calm_s=0.2, deadline_s=60, pids=None):
    pids = pids or [m.pid] + helpers(m)

    def quiet():
        before = [(switches(pid), cpu_ns(pid)) for pid in pids]
        time.sleep(calm_s)
        return [(switches(pid), cpu_ns(pid)) for pid in pids] == before
    wait_for(quiet, "pid 1 to come to rest", deadline_s)


def in_turn(measure, *args, rounds=ROUNDS, subjects=BOTH):
    values = {which: [] for which in subjects}
    for number in range(rounds):
        for which in subjects if number % 2 == 0 else reversed(subjects):
            values[which].append(measure(which, *args))
    return {which: statistics.median(values[which]) for which in subjects}


def in_turn_at_once(machines, measure, rounds=ROUNDS):
    """The same with machines that all run: {name: machine} -> {name: median of measure(machine)}."""
    return in_turn(lambda name: measure(machines[name]), rounds=rounds, subjects=tuple(machines))


def program(name):
    folder = os.path.join(os.environ["B"], "bench")
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, name)
    source = os.path.join(HERE, name + ".c")
    if name == "initlog_cost":      # what has our own objects in it is make's business
        return target
    if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(source):
        subprocess.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-O2", "-static", "-o", target, source], check=True)
    return target


def put(m, name, target, mode=0o755):
    """A program of this folder in the machine."""
    path = m.path(os.path.dirname(target))
    os.makedirs(path, exist_ok=True)
    shutil.copy(program(name), path + "/" + os.path.basename(target))
    os.chmod(path + "/" + os.path.basename(target), mode)


def storm_cost(m, count=4000):
    """Looks at no orphan in /proc meanwhile: what is looked up there has to be thrown out when it is reaped. So nobody looks for helpers."""
    living, pids = len(children(m)), [m.pid] + helpers(m)
    with storm(m, count) as break_loose:
        settle(m, 0.05, pids=pids)
        before = cpu_ns(m.pid)
        break_loose()
        settle(m, 0.05, pids=pids)
        wait_for(lambda: len(children(m)) == living, "the orphans to be reaped", 60)
        settle(m, 0.05, pids=pids)
        return (cpu_ns(m.pid) - before) / count
