#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""killall5 and those who would get away, or be left lying: chains of forks, its own end while everybody is stopped."""
import contextlib
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import tap      # noqa: E402
from machine import subject     # noqa: E402
from victims import Machine, executes, refuse_outside, sleeper, state_of, stopped, traced, wait_for      # noqa: E402

RUNS = 100


def build(m, name, source):
    """A program of the machine's /tmp from C."""
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-pthread", "-x", "c", "-o", m.path("/tmp/" + name), "-"], input=source, check=True)


def kills_a_chain(one_by_one, *kind):
    """Starts a chain in a session of its own, and lets killall5 -9 at it. -> its status, whether a link is left"""
    refuse_outside()
    end, tell = os.pipe()
    first = os.posix_spawn("/tmp/chain", ["chain", *kind], {}, setsid=True, file_actions=[(os.POSIX_SPAWN_DUP2, tell, 1)])
    os.close(tell)
    ready = os.read(end, 5)
    os.close(end)
    omitted = ["-o", str(first)] if one_by_one else []
    killer = os.posix_spawn("/sbin/killall5", ["killall5", "-9", *omitted], {})
    status = os.waitstatus_to_exitcode(os.waitpid(killer, 0)[1])
    deadline = time.monotonic() + 30
    while ready and is_link_left() and time.monotonic() < deadline:
        time.sleep(0.01)        # those that were killed are on their way out
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    return status, is_link_left()


def is_link_left():
    """Whoever lives has a successor at any time: one that is gone when it is looked at says nothing yet."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            stats = [open("/proc/%s/stat" % name).read() for name in os.listdir("/proc") if name.isdigit()]
        except OSError:
            continue
        return any("(link)" in stat and "(link) Z" not in stat for stat in stats)
    return True


@tap.case(deadline=900)
def a_chain_of_forks_is_gone_after_one_killall5_in_each_of_many_runs():
    with Machine(subject()) as m:
        build(m, "chain", open(HERE + "/chain.c", "rb").read())
        for one_by_one in (False, True):
            for runs, kind in ((RUNS, []), (RUNS // 2, ["by threads"])):
                found = m.call(lambda: [kills_a_chain(one_by_one, *kind) for _ in range(runs)], 600)
                tap.equal(found, [(0, False)] * runs, "statuses and links left, one by one: %s, %s" % (one_by_one, kind))


@tap.case(deadline=120)
def a_stop_that_cannot_arrive_is_not_waited_for():
    """A vfork's parent sleeps uninterruptibly until its child has executed something, which a stopped child does not."""
    source = b"#include <unistd.h>\nint main(void) { if (!vfork()) { sleep(100000); _exit(0); } return 0; }\n"
    with Machine(subject()) as m:
        build(m, "vforks", source)
        m.spawn(["/tmp/vforks"])
        wait_for(lambda: [p for p in m.processes() if p.comm == "vforks" and p.state == "D"], "a parent in vfork")
        with traced(m, ["killall5", "-18", "-o", "99999"], "-e", "trace=lseek") as (process, trace):
            tap.equal(process.wait(60), 0, "status")
            rounds = trace().count("lseek(")
        tap.check(1 < rounds < 30, "it is not the bound of the chase, after thousands of rounds, that ended it: %d" % rounds)
        tap.equal(stopped(m), [], "left stopped")


def kills_at(m, call, omitted):
    """killall5 -15 that is killed at the first such call of its own, the guard's not counted. -> how it ended"""
    with traced(m, ["killall5", "-15", *omitted], "-e", "trace=" + call, "-e", "inject=%s:signal=KILL:when=1" % call) as (process, _):
        return process.wait(60)


@tap.case(deadline=120)
def who_it_stopped_goes_on_when_it_is_killed():
    with Machine(subject()) as m:
        victim = sleeper(m)
        for omitted in ([], ["-o", "99999"]):
            # All is stopped when the first process is signalled; one by one, that is when those are looked at again.
            for call in ("getdents64", "pidfd_send_signal") if omitted else ("getdents64", "pidfd_open"):
                tap.equal(kills_at(m, call, omitted), -9, "killall5 at %s with %s" % (call, omitted))
                wait_for(lambda: not stopped(m), "all to go on, killed at %s with %s" % (call, omitted))
                wait_for(lambda: not [p for p in m.processes() if p.comm == "killall5" and p.state != "Z"], "the guard to end")
                wait_for(lambda: state_of(victim.pid) == "S", "the victim to run on")


@tap.case(deadline=120)
def who_it_stopped_goes_on_when_it_hangs():
    with Machine(subject()) as m:
        victim = sleeper(m)
        with traced(m, ["killall5", "-15"], "-e", "trace=getdents64", "-e",
                    "inject=getdents64:delay_enter=100000000:when=1") as (process, _):
            wait_for(lambda: state_of(victim.pid) == "T", "the victim to be stopped")
            wait_for(lambda: state_of(victim.pid) == "S", "it to go on, by the guard's patience", 60)
            process.kill()
        process.wait(60)        # strace has let go of it


@tap.case(deadline=120)
def two_at_once_do_not_stop_each_other_for_good():
    with Machine(subject()) as m:
        sleeper(m)
        for _ in range(25):
            both = [m.spawn(executes("/sbin/killall5", ["killall5", "-18"])) for _ in range(2)]
            for process in both:
                tap.equal(process.wait(60), 0, "status")
        tap.equal(stopped(m), [], "left stopped")


tap.main()
