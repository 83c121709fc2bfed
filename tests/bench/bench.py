#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures this init against the stock one, in turn and in the same run, each as pid 1 of a machine of name spaces.

    python3 tests/bench/bench.py            everything; writes doc/BENCHMARKS.md
    python3 tests/bench/bench.py NAME...    these alone, printed only; with --write before them, written, too

CPU times are the scheduler's own of pid 1 (/proc/PID/schedstat). What counts are the ratios, of medians over rounds in
which the two take turns; the machine's speed drifts, single figures mean little.
"""
import contextlib
import datetime
import os
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [TOP + "/tests", TOP + "/tests/system"]
from machine import CMD_RUNLVL, CMD_SETENV, Machine, request_bytes, wait_for    # noqa: E402
from records import record      # noqa: E402
from storm import storm     # noqa: E402
from terminals import Hall  # noqa: E402
from victims import STOCK_PATH, install_stock, refuse_outside     # noqa: E402

BOTH = ("ours", "stock")
ROUNDS = 5
UNKNOWN_CMD = 99
BASE = "id:2:initdefault:\nl2:2:wait:/bin/touch /tmp/level2\nl3:3:wait:/bin/touch /tmp/level3\n"


@contextlib.contextmanager
def booted(which, inittab=BASE, **more):
    with Machine(which, **more) as m:
        m.syslog.start()
        m.write("/etc/inittab", inittab)
        m.boot()
        wait_for(lambda: m.exists("/tmp/level2"), "level 2", 120)
        settle(m)
        yield m


def cpu_ns(pid):
    with open("/proc/%d/schedstat" % pid) as file:
        return int(file.read().split()[0])


def switches(pid):
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M).group(1))


def settle(m, calm_s=0.3):
    """Until pid 1 and its helpers have had nothing to do for a while."""
    def quiet():
        pids = [m.pid] + helpers(m)
        before = [(switches(pid), cpu_ns(pid)) for pid in pids]
        time.sleep(calm_s)
        return [(switches(pid), cpu_ns(pid)) for pid in pids] == before
    wait_for(quiet, "pid 1 to come to rest", 120)


def helpers(m):
    with open("/proc/%d/task/%d/children" % (m.pid, m.pid)) as file:
        pids = [int(pid) for pid in file.read().split()]
    found = []
    for pid in pids:
        with open("/proc/%d/cmdline" % pid) as file:
            if file.read().startswith("init [log:"):
                found.append(pid)
    return found


def in_turn(measure, *args):
    """{which: median} of ROUNDS rounds; the order within a round alternates."""
    values = {which: [] for which in BOTH}
    for number in range(ROUNDS):
        for which in BOTH if number % 2 == 0 else reversed(BOTH):
            values[which].append(measure(which, *args))
    return {which: statistics.median(values[which]) for which in BOTH}


def row(what, unit, found, goal="", digits=1):
    ours, stock = found["ours"], found["stock"]
    ratio = "%.3f" % (ours / stock) if stock else "-"
    return "| %s | %s | %.*f | %.*f | %s | %s |" % (what, unit, digits, ours, digits, stock, ratio, goal)


# ------------------------------------------------------------------------------------- what is measured

def reap_cost(which, inittab=BASE, total=40000, batch=4000):
    with booted(which, inittab) as m:
        spent = 0
        for _ in range(total // batch):
            with storm(m, batch) as break_loose:
                settle(m)
                before = cpu_ns(m.pid)
                break_loose()
            wait_for(lambda: not m.zombies(), "the orphans to be reaped", 120)
            settle(m)
            spent += cpu_ns(m.pid) - before
        return spent / total


def bench_reaping():
    yield row("CPU of pid 1 for an orphan reaped, 40,000 in batches of 4,000", "ns", in_turn(reap_cost), "1, better 0.5")


def request_cost(m, request, count):
    """CPU of pid 1 for one of count requests written at once."""
    before = cpu_ns(m.pid)
    fd = os.open(m.path("/run/initctl"), os.O_WRONLY)
    for _ in range(count):
        os.write(fd, request)
    os.close(fd)
    settle(m)
    return (cpu_ns(m.pid) - before) / count


def log_cost(which, bursts=10, burst=100):
    """What a request that is logged costs more than one that is not. Bursts that the queue holds: all is delivered."""
    silent, logged = request_bytes(CMD_SETENV, data=b"INIT_BENCH=1\0\0"), request_bytes(UNKNOWN_CMD)
    spent = 0.0
    with booted(which) as m:
        request_cost(m, logged, burst)
        for _ in range(bursts):
            before = len(m.syslog.lines())
            spent += request_cost(m, logged, burst) - request_cost(m, silent, burst)
            wait_for(lambda: len(m.syslog.lines()) - before >= burst, "all lines to be logged", 120)
    return spent / bursts


def bench_logging():
    yield row("a line for console and syslog, as pid 1 pays it (CPU)", "ns", in_turn(log_cost), "0.05")


def bench_idle():
    found, calls = {}, 60
    for which in BOTH:
        with booted(which) as m:
            settle(m, 3)
            pids = [m.pid] + helpers(m)
            before = sum(map(switches, pids))
            time.sleep(calls)       # this is what is measured: a minute of nothing
            found[which] = sum(map(switches, pids)) - before
    yield row("wake-ups in 60 idle seconds, pid 1 and helpers", "", found, "ours: 0", 0)


def status_kib(pid, field):
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"^%s:\s*(\d+)" % field, file.read(), re.M).group(1))


def private_kib(pid):
    with open("/proc/%d/smaps_rollup" % pid) as file:
        return sum(int(n) for n in re.findall(r"^Private_(?:Clean|Dirty):\s*(\d+)", file.read(), re.M))


def bench_memory():
    rss, locked, private = {}, {}, {}
    for which in BOTH:
        with booted(which) as m:
            rss[which], locked[which] = status_kib(m.pid, "VmRSS"), status_kib(m.pid, "VmLck")
            private[which] = sum(map(private_kib, helpers(m)))
    yield row("resident, pid 1", "KiB", rss, "ours: 1,024", 0)
    yield row("of it locked", "KiB", locked, "", 0)
    yield row("private to all helpers together", "KiB", private, "ours: 600", 0)


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
    with booted(which, BASE + stay) as m:
        began = time.monotonic()
        m.request(CMD_RUNLVL, "3", sleeptime=5)
        wait_quickly(m, "/tmp/level3")
        return (time.monotonic() - began) * 1000


def bench_levels():
    yield row("boot of a 20-entry inittab to its last entry", "ms", in_turn(boot_time), "1")
    yield row("change of level, 50 processes to stop", "ms", in_turn(change_time), "1")


def entries(count):
    return BASE + "".join("%04x:2:respawn:/bin/sleep 100000\n" % n for n in range(count))


def restart_cost(which, count, kills=100):
    """CPU of pid 1 for one entry that dies and is started again."""
    with booted(which, entries(count)) as m:
        def sleeping():
            return [p.pid for p in m.processes() if p.ppid == 1 and "sleep" in p.title]
        wait_for(lambda: len(sleeping()) == count, "all entries to run", 300)
        settle(m)
        victims = sleeping()[:kills]
        before = cpu_ns(m.pid)
        m.call(lambda: [os.kill(pid, signal.SIGKILL) for pid in victims])
        wait_for(lambda: len(set(sleeping()) - set(victims)) == count, "the victims to be back", 120)
        settle(m)
        return (cpu_ns(m.pid) - before) / len(victims)


def bench_scaling():
    for count in (10, 100, 1000, 5000):
        found = {which: restart_cost(which, count) for which in BOTH}
        yield row("CPU of pid 1 for a death and a restart, %d entries" % count, "ns", found, "ours: no growth", 0)
    for count in (10, 100, 1000, 5000):
        found = {which: reap_cost(which, entries(count), 8000) for which in BOTH}
        yield row("CPU of pid 1 for an orphan reaped, %d entries" % count, "ns", found, "ours: no growth", 0)


# A crowd of sleepers, each in a session of its own, that is gone with its first process.
CROWD = 20000
CROWD_SOURCE = b"""
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char byte;
	for (int left = argc > 1 ? atoi(argv[1]) : 0; left > 0; left--) {
		pid_t pid = fork();
		if (pid < 0)
			return 1;
		if (!pid) {
			setsid();
			for (;;)
				pause();
		}
	}
	return write(1, "ready", 5) != 5 || read(0, &byte, 1) < 0;
}
"""


def run_ms(argv):
    """Processor time of a program and of the children that it waited for; the caller is in the machine."""
    refuse_outside()
    pid = os.posix_spawn(argv[0], argv, {"PATH": "/bin"}, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    used = os.wait4(pid, 0)[2]
    return (used.ru_utime + used.ru_stime) * 1000


@contextlib.contextmanager
def crowded():
    """A machine of CROWD sleepers with both programs in it."""
    with Machine("ours") as m:
        if not install_stock(m):
            raise RuntimeError("the stock program is not there")
        subprocess.run(["cc", "-O2", "-x", "c", "-o", m.path("/tmp/crowd"), "-"], input=CROWD_SOURCE, check=True)
        ready, tell = os.pipe()
        m.spawn(["/tmp/crowd", str(CROWD)], stdin=os.pipe()[0], out=tell)
        os.close(tell)
        if os.read(ready, 5) != b"ready":
            raise RuntimeError("the crowd is not complete")
        os.close(ready)
        yield m


def bench_crowd():
    paths = {"pidof": {"ours": "/bin/pidof", "stock": STOCK_PATH + "/pidof"},
             "killall5": {"ours": "/sbin/killall5", "stock": STOCK_PATH + "/killall5"}}
    rows = [("pidof NAME", "pidof", ["nobody"]), ("pidof PATH", "pidof", ["/sbin/nobody"]), ("pidof /bin/sh", "pidof", ["/bin/sh"]),
            ("killall5 -18", "killall5", ["-18"]), ("killall5 -18 -o PID", "killall5", ["-18", "-o", "1"])]
    with crowded() as m:
        for what, program, args in rows:
            found = in_turn(lambda which: m.call(lambda: run_ms([paths[program][which], *args]), 300))
            yield row("%s among %d processes (CPU)" % (what, CROWD), "ms", found, "1, better 0.5")


def broadcast_time(which, stuck_each, count=2000):
    """Until the last terminal that takes anything has the message. Stock: the system's wall, util-linux's."""
    with Machine("ours") as m, Hall(m, count) as hall:
        shutil.copy("/usr/bin/wall", m.path("/tmp") + "/wall")
        poll, waiting = select.epoll(), set()
        for number, terminal in enumerate(hall.terminals):
            if stuck_each and number % stuck_each == 0:
                terminal.stop()
            else:
                waiting.add(terminal.master)
                poll.register(terminal.master, select.EPOLLIN | select.EPOLLONESHOT)
        began, end = time.monotonic(), time.monotonic() + 120
        m.run(["/usr/bin/wall" if which == "ours" else "/tmp/wall", "text"], 120)
        while waiting and time.monotonic() < end:
            waiting -= {fd for fd, _ in poll.poll(1)}
        took = time.monotonic() - began
        if waiting:
            raise TimeoutError("%d terminals have nothing" % len(waiting))
        wait_for(lambda: hall.is_over("wall"), "wall to end", 400)
        return took * 1000


def bench_broadcast():
    for stuck, what in ((0, ""), (20, ", and 100 of them are stuck")):
        yield row("wall to 2,000 terminals%s: until the last has it (stock: util-linux's)" % what, "ms",
                  in_turn(broadcast_time, stuck), "1, better 0.5")


def wtmp_of(count, path):
    """Sessions of 200 lines, and a boot after a shutdown every 20,000 records."""
    with open(path, "wb") as file:
        for n in range(count):
            s, line = 1500000000 + n * 60, "pts/%d" % (n // 2 * 7 % 200)
            if n % 20000 == 0:
                file.write(record("level", "~~", "shutdown", s) if n // 20000 % 2 else record("boot", "~", "reboot", s, host="6.1.0"))
            elif n % 2:
                file.write(record("dead", line, "", s, 1000 + n))
            else:
                file.write(record("user", line, "user%d" % (n % 97), s, 1000 + n, "host-%d.example.org" % (n % 251),
                                  address=bytes([192, 0, 2, n % 251])))


def last_cost(which, path):
    """Seconds of CPU, seconds that passed, and resident KiB of `last -f path`."""
    program = os.environ["INIT_ROOT" if which == "ours" else "PEER_ROOT"] + "/usr/bin/last"
    with open(os.devnull, "wb") as null:
        began, before, most = time.monotonic(), os.times(), 0
        child = subprocess.Popen([program, "-f", path], stdout=null)
        while child.poll() is None:     # what wait4(2) tells is the memory of this process before it executed that one
            with contextlib.suppress(OSError, AttributeError):
                with open("/proc/%d/status" % child.pid) as status:
                    most = max(most, int(re.search(r"^VmHWM:\s*(\d+)", status.read(), re.M).group(1)))
            time.sleep(0.01)
        passed, after = time.monotonic() - began, os.times()
    assert child.returncode == 0, "%s ended with %d" % (program, child.returncode)
    return after.children_user + after.children_system - before.children_user - before.children_system, passed, most


def bench_records(count=2000000):
    with tempfile.TemporaryDirectory(dir=os.environ["B"]) as folder:
        wtmp_of(count, folder + "/wtmp")
        found = {which: [] for which in BOTH}
        for number in range(ROUNDS):
            for which in BOTH if number % 2 == 0 else reversed(BOTH):
                found[which].append(last_cost(which, folder + "/wtmp"))
    for index, (what, unit, goal, digits) in enumerate([("CPU", "s", "0.2", 2), ("time", "s", "0.2", 2), ("resident", "KiB", "", 0)]):
        medians = {which: statistics.median(cost[index] for cost in found[which]) for which in BOTH}
        yield row("last of %d million records, %s; peer: util-linux" % (count // 1000000, what), unit, medians, goal, digits)


BENCHES = {"reaping": bench_reaping, "logging": bench_logging, "idle": bench_idle, "memory": bench_memory,
           "levels": bench_levels, "scaling": bench_scaling, "broadcast": bench_broadcast, "records": bench_records,
           "crowd": bench_crowd}


def machine_line():
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*:\s*(.*)$", file.read(), re.M)
    return "%s, %d processors, Linux %s" % (model.group(1) if model else "unknown processor", os.cpu_count(),
                                            os.uname().release.split("-")[0])


def main(names):
    writes = not names or names[0] == "--write"
    rows, names = [], [name for name in names if name != "--write"] or list(BENCHES)
    for name in names:
        for line in BENCHES[name]():
            rows.append(line)
            print(line, flush=True)
    if not writes:
        return 0
    missing = [name for name in BENCHES if name not in names]
    with open(TOP + "/doc/BENCHMARKS.md", "w") as file:
        file.write("# Measured against the stock init\n\n"
                   "Written by `make bench` on %s: %s. Both inits in turn, each as pid 1 of a machine of name spaces; stock is\n"
                   "Debian's sysvinit-core of that machine's release. Medians of %d rounds where a round is short; the ratio is ours to\n"
                   "stock, the goal what it should not exceed. Where a row names a peer, the stock column is that one's.\n\n"
                   "| what | unit | ours | stock | ratio | goal |\n|---|---|---|---|---|---|\n"
                   % (datetime.date.today(), machine_line(), ROUNDS) + "\n".join(rows) + "\n")
        if missing:
            file.write("\nNot measured in this run: %s.\n" % ", ".join(missing))
    return 0


sys.exit(main(sys.argv[1:]))
