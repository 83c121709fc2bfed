# SPDX-License-Identifier: GPL-2.0-or-later
"""The tools: pidof and killall5 among many processes, wall to many terminals, last of a long wtmp."""
import contextlib
import os
import re
import select
import shutil
import statistics
import subprocess
import tempfile
import time

from measure import BOTH, Machine, Row, in_turn, wait_for
from records import record
from terminals import Hall
from victims import STOCK_PATH, install_stock, refuse_outside

# A crowd of sleepers, each in a session of its own, that is gone with its first process. At most a few at a time are on their
# way to sleep, so that the machine stays usable; linked statically, each takes some 70 KiB.
CROWD = int(os.environ.get("CROWD", "20000"))
CROWD_SOURCE = b"""
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char byte;
	int asleep[2];
	if (pipe(asleep))
		return 1;
	for (int left = argc > 1 ? atoi(argv[1]) : 0; left > 0; left--) {
		pid_t pid = fork();
		if (pid < 0)
			return 1;
		if (!pid) {
			setsid();
			if (left % 64 == 0 && write(asleep[1], "", 1) < 0)
				return 1;
			for (;;)
				pause();
		}
		if (left % 64 == 0 && read(asleep[0], &byte, 1) < 0)
			return 1;
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
        subprocess.run(["cc", "-O2", "-static", "-x", "c", "-o", m.path("/tmp/crowd"), "-"], input=CROWD_SOURCE, check=True)
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
            found = in_turn(lambda which: m.call(lambda: run_ms([paths[program][which], *args]), 300), rounds=9)
            yield Row("%s among %d processes (CPU)" % (what, CROWD), "ms", **found, goal="1, better 0.5", digits=1)


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
        yield Row("wall to 2,000 terminals%s: until the last has it (stock: util-linux's)" % what, "ms",
                  **in_turn(broadcast_time, stuck, rounds=3), goal="1, better 0.5", digits=1)


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
        for number in range(3):
            for which in BOTH if number % 2 == 0 else reversed(BOTH):
                found[which].append(last_cost(which, folder + "/wtmp"))
    for index, (what, unit, goal, digits) in enumerate([("CPU", "s", "0.2", 2), ("time", "s", "0.2", 2), ("resident", "KiB", "", 0)]):
        medians = {which: statistics.median(cost[index] for cost in found[which]) for which in BOTH}
        yield Row("last of %d million records, %s (stock: util-linux's)" % (count // 1000000, what), unit, **medians, goal=goal, digits=digits)
