# SPDX-License-Identifier: GPL-2.0-or-later
"""What a child that ends costs pid 1: orphans in storms and one by one, entries that are started again."""
import contextlib
import os
import signal
import statistics

from measure import BASE, BOTH, Row, children, cpu_ns, in_turn_at_once, machine_of, put, settle, storm_cost, wait_for
from peers import running
from subjects import SUBJECTS

STORMS = 30
GETTYS = "".join("g%d:2:respawn:/bin/sleep 100000\n" % n for n in range(6))


@contextlib.contextmanager
def both(inittab):
    with contextlib.ExitStack() as exits:
        yield {which: exits.enter_context(machine_of(which, inittab)) for which in BOTH}


def lone_cost(m, count=1000):
    """Orphans that die one by one; pid 1 sleeps in between."""
    put(m, "lone", "/tmp/lone")
    living = len(children(m))
    settle(m)
    before = cpu_ns(m.pid)
    done = m.run(["/tmp/lone", str(count)], 60)
    if done.status:
        raise RuntimeError("lone: %r" % (done,))
    wait_for(lambda: len(children(m)) == living, "the orphans to be reaped", 60)
    settle(m)
    return (cpu_ns(m.pid) - before) / count


def bench_reaping():
    """A storm costs a third more or less from one to the next, by how the kernel lays its processes over the processors: hence the rounds."""
    for where, inittab in (("", BASE), (" where 6 gettys live", BASE + GETTYS)):
        with both(inittab) as machines, running(SUBJECTS["floor"]) as floor:
            found = in_turn_at_once({**machines, "floor": floor}, storm_cost, STORMS)
            yield Row("an orphan reaped, %d,000 in batches of 4,000%s (CPU of pid 1)" % (4 * STORMS, where), "ns", found["ours"], found["stock"],
                      goal="1, better 0.5")
            yield Row("the same (stock: the floor)", "ns", found["ours"], found["floor"])
    with both(BASE) as machines:
        found = in_turn_at_once(machines, lone_cost)
        yield Row("an orphan reaped that dies alone (CPU of pid 1)", "ns", **found, goal="1, better 0.5")


def restart_cost(m, kills=100):
    """CPU of pid 1 for one entry that dies and is started again. The list of children is not read meanwhile: its reader holds a lock that
    pid 1 needs, and the longer the more there are."""
    before_all = children(m)
    living = [pid for pid in before_all if is_sleeper(pid)]
    victims = living[:kills]
    before = cpu_ns(m.pid)
    for pid in victims:
        os.kill(pid, signal.SIGKILL)        # sleepers of the machine that was made for it; pids as seen from here
    settle(m)
    wait_for(lambda: not set(children(m)) & set(victims) and len(children(m)) == len(before_all), "the victims to be back", 60)
    settle(m)
    return (cpu_ns(m.pid) - before) / len(victims)


def is_sleeper(pid):
    with contextlib.suppress(OSError), open("/proc/%d/cmdline" % pid) as file:
        return file.read() == "/bin/sleep\x00100000\x00"
    return False


def entries(count):
    return BASE + "".join("%04x:2:respawn:/bin/sleep 100000\n" % n for n in range(count))


def bench_scaling(counts=(10, 100, 1000, 5000)):
    for count in counts:
        with both(entries(count)) as machines:
            for m in machines.values():
                wait_for(lambda: sum(map(is_sleeper, children(m))) == count, "all entries to run", 120)     # noqa: B023
            found = in_turn_at_once(machines, lambda m: restart_cost(m, min(100, count)), 3)      # noqa: B023
            yield Row("a death and a restart among %d entries (CPU of pid 1)" % count, "ns", **found, goal="ours: no growth")
            found = in_turn_at_once(machines, storm_cost, 3)
            yield Row("an orphan reaped among %d entries, batches of 4,000 (CPU of pid 1)" % count, "ns", **found,
                      goal="ours: no growth")
        yield Row("the same (stock: the floor, among as many children)", "ns", found["ours"], floor_cost(count))


def floor_cost(living, rounds=3):
    """Of an orphan for the program that does nothing but wait, where as many others live: what the kernel's own search for the dead takes."""
    with running(SUBJECTS["floor"]) as m:
        m.run(["/bin/sh", "-c", "n=0; while [ $n -lt %d ]; do /bin/sleep 100000 & n=$((n + 1)); done" % living], 120)
        return statistics.median(storm_cost(m) for _ in range(rounds))
