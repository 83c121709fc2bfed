# SPDX-License-Identifier: GPL-2.0-or-later
"""This init beside the others: what an orphan costs, storms with nothing wrong and with a fault, memory, rest, the start.

All of them run at the same time and take turns. Peer is a line of the table; a cell is a number, or a text that says why there is none.
"""
import contextlib
import os
import statistics
import time

from measure import BOTH, Machine, Peer, Row, children, put, settle, storm_cost, switches, wait_for
from memory import memory
from subjects import SUBJECTS, tree

STORM, LIMIT_MS, IDLE_S = 4000, 5000, 60
FAULTS_S, STORMS_S, LIMIT_S = 150, 240, 300    # nothing is begun later
LATE = "no time left"
MEASURES = ["orphan, CPU (ns)", "orphans/s", "worst wait (ms)", "syslogd stopped: worst (ms)", "console stuck: worst (ms)", "Rss (KiB)",
            "Pss (KiB)", "private (KiB)", "wake-ups a minute", "exec to child (ms)"]
FAULTS = {"syslogd stopped: worst (ms)": lambda m: m.syslog.stop(), "console stuck: worst (ms)": lambda m: m.console.fill()}


@contextlib.contextmanager
def running(subject):
    """Its machine, in which the payload runs."""
    with Machine(tree(subject)) as m:
        m.syslog.start()
        m.write("/etc/fstab", "")
        for name in ("payload", "enter", "lag"):
            put(m, name, "/tmp/" + name)
        subject.prepare(m)
        m.boot(*subject.argv, argv0="/tmp/enter")
        wait_for(lambda: m.exists("/tmp/first") or m.poll_status(), "the payload to run", 20)
        if m.poll_status():
            raise RuntimeError("it ended: %s" % (m.poll_status(),))
        settle_briefly(m)
        yield m


def settle_briefly(m):
    """Some never come to rest; then it is as it is."""
    time.sleep(0.3)
    with contextlib.suppress(Exception):
        settle(m, 0.1, 5)


def start_ms(m):
    return (int(m.read("/tmp/first")) - int(m.read("/tmp/exec"))) / 1e6


def of_all_processes(m):
    """Pid 1 and those children that are the same program: its helpers."""
    exe = identity(m.pid)
    return [m.pid] + [pid for pid in children(m) if identity(pid) == exe]


def identity(pid):
    with contextlib.suppress(OSError):
        import os
        found = os.stat("/proc/%d/exe" % pid)
        return found.st_dev, found.st_ino
    return None


def weather(m):
    """One storm with others dying meanwhile -> (orphans a second, the longest that one of the others lay), or texts."""
    try:
        done = m.run(["/tmp/lag", str(STORM), str(LIMIT_MS)], 30)
    except Exception as error:      # pylint: disable=broad-except
        return short(error), short(error)
    if done.status:
        return "-", "lag: status %d" % done.status
    storm_ms, worst_ms, _ = map(float, done.out.split())
    stuck = "> %d" % LIMIT_MS
    return stuck if storm_ms < 0 else STORM * 1000 / storm_ms, stuck if worst_ms < 0 else worst_ms


def median_weather(m, rounds=2):
    found = [weather(m) for _ in range(rounds)]
    speeds, worsts = [[v for v in column if not isinstance(v, str)] for column in zip(*found)]
    return (statistics.median(speeds) if speeds else found[0][0]), (max(worsts) if worsts else found[0][1])


def under_fault(subject, fault):
    """In a machine of its own, as it may never come back."""
    try:
        with running(subject) as m:
            fault(m)
            subject.speak(m)
            return weather(m)[1]
    except Exception as error:      # pylint: disable=broad-except
        return short(error)


def short(error):
    text = " ".join(str(error).split()) or type(error).__name__
    return "not measured: " + text[:90]


def look_at_rest(machines, cells, meanwhile):
    """Memory and wake-ups; nothing happens in these machines while the others are measured."""
    pids = {name: of_all_processes(m) for name, m in machines.items()}
    for name in machines:
        for field, value in zip(("Rss (KiB)", "Pss (KiB)", "private (KiB)"), zip(*map(memory, pids[name]))):
            cells[name][field] = sum(value)
    began = time.monotonic()
    before = {name: sum(map(switches, pids[name])) for name in machines}
    meanwhile()
    time.sleep(max(0, began + IDLE_S - time.monotonic()))       # this is what is measured: a minute of nothing
    minutes = (time.monotonic() - began) / 60
    for name in machines:
        cells[name]["wake-ups a minute"] = round((sum(map(switches, pids[name])) - before[name]) / minutes, 1)


def look_at_faults(cells, end):
    for name, row in cells.items():
        for field, fault in FAULTS.items():
            if "exec to child (ms)" in row:
                row[field] = under_fault(SUBJECTS[name], fault) if time.monotonic() < end else LATE


def look_at_storms(machines, cells, end):
    costs = {name: [] for name in machines}
    for number in range(9):
        for name in machines if number % 2 == 0 else reversed(machines):
            with contextlib.suppress(Exception):
                if time.monotonic() < end:
                    costs[name].append(storm_cost(machines[name]))
    for name, m in machines.items():
        cells[name]["orphan, CPU (ns)"] = statistics.median(costs[name]) if costs[name] else LATE
        cells[name]["orphans/s"], cells[name]["worst wait (ms)"] = median_weather(m) if time.monotonic() < end else (LATE, LATE)


def bench_peers(names=tuple(SUBJECTS)):
    cells, began = {name: {} for name in names}, time.monotonic()
    with contextlib.ExitStack() as exits:
        machines = {}
        for name in names:
            try:
                machines[name] = exits.enter_context(running(SUBJECTS[name]))
                cells[name]["exec to child (ms)"] = start_ms(machines[name])
            except Exception as error:      # pylint: disable=broad-except
                cells[name][MEASURES[0]] = short(error)
        look_at_rest(machines, cells, lambda: look_at_faults(cells, began + FAULTS_S))
        look_at_storms(machines, cells, began + STORMS_S)
    for name in names:
        yield Peer(name, [cells[name].get(measure, "-") for measure in MEASURES])
    wake_ups = {which: cells[which].get("wake-ups a minute") for which in BOTH if which in cells}
    if len(wake_ups) == 2 and None not in wake_ups.values():
        yield Row("wake-ups in an idle minute, pid 1 and helpers", "", **wake_ups, goal="ours: 0", digits=1)
