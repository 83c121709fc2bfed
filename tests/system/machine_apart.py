#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine of the tests itself: it lets nothing out, and leaves nothing behind."""
import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

import kernel
import machine
import stage
from machine import Machine, subject, tap, wait_for
from rows import Row

HERE = os.path.dirname(os.path.abspath(__file__))
# Boots, freezes a file system with a writer on it, stops syslogd, says what there is, and waits.
VICTIM = """
import json, os, sys, time
sys.path[:0] = [%r]
from machine import Machine, sinks, wait_for
m = Machine("%s", pids_cgroup=True)
m.write("/etc/inittab", "id:2:initdefault:\\nr1:2:respawn:/bin/sleep 100000\\n")
m.loop_ext4("/mnt/x")
m.syslog.start()
m.boot()
wait_for(lambda: m.title() == "init [2]", "the level")
m.freeze("/mnt/x")
writer = m.spawn(["dd", "if=/dev/zero", "of=/mnt/x/f"])
wait_for(lambda: sinks.process_state(writer.pid) == "D", "a writer that cannot be killed")
m.syslog.stop()
m.console.pause()
device = os.stat(m.path("/mnt/x")).st_dev
print(json.dumps({"pid": m.pid, "keeper": m._keeper.pid,
                  "readers": [m.syslog.reader.pid, m.console.reader.pid],
                  "cgroup": m.pids.dir, "loop": os.minor(device)}), flush=True)
if len(sys.argv) > 1:
    raise RuntimeError("on purpose")
time.sleep(1000)
"""


def fails_with(number, function):
    try:
        function()
    except OSError as error:
        return error.errno == number
    return False


def refuses(function):
    try:
        function()
    except SystemExit as error:
        return "refusing" in str(error)
    return False


@tap.case()
def init_is_not_executed_outside_of_name_spaces():
    outside = {kind: stage.namespace_id(kind) for kind in ("pid", "mnt")}
    tap.check(refuses(lambda: stage.refuse_unless_apart(outside)), "a process like this is refused")
    elsewhere = {"pid": "pid:[1]", "mnt": "mnt:[1]"}
    tap.check(refuses(lambda: stage.refuse_unless_apart(elsewhere)), "so is one that is not pid 1")


@tap.case()
def init_is_not_executed_where_a_mount_is_shared():
    with Machine(subject()) as m:
        outside = {kind: stage.namespace_id(kind) for kind in ("pid", "mnt")}

        def share():
            stage.refuse_shared_mounts()
            kernel.unshare(kernel.CLONE_NEWNS)
            kernel.mount(None, "/run", None, 1 << 20)       # MS_SHARED
            return refuses(stage.refuse_shared_mounts)
        tap.check(m.call(share), "a shared mount is refused")
        tap.check(m.call(lambda: all(stage.namespace_id(k) != v for k, v in outside.items())),
                  "inside, the name spaces are others")


@tap.case()
def the_console_is_a_pty_and_the_machine_wide_switches_are_out_of_reach():
    with Machine(subject()) as m:
        def look():
            null = os.open("/dev/null", os.O_RDWR)
            return (os.major(os.stat("/dev/console").st_rdev),
                    # On /dev/null it means nothing, so that only the ban can answer with EPERM.
                    fails_with(errno.EPERM, lambda: fcntl.ioctl(null, kernel.TIOCCONS, 0)),
                    fails_with(errno.EPERM, lambda: time.clock_settime(time.CLOCK_REALTIME, 0)),
                    fails_with(errno.EROFS,
                               lambda: os.open("/proc/sys/kernel/hostname", os.O_WRONLY)))
        major, *banned = m.call(look)
        tap.check(136 <= major < 144, "/dev/console is a pty; found major %d" % major)
        tap.equal(banned, [True, True, True], "TIOCCONS, clock and kernel settings are refused")
        m.write("/etc/inittab", "id:2:initdefault:\nr1:2:respawn:/bin/sleep 100000\n")
        m.boot()
        wait_for(lambda: m.title() == "init [2]", "the level")
        status = m.read("/proc/1/status")
        tap.check("Seccomp:\t2" in status, "pid 1 itself is under the ban")


def victim(*args):
    code = VICTIM % (HERE, subject())
    return subprocess.Popen([sys.executable, "-c", code, *args], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def left_over(seen):
    """What of it is still there."""
    there = ["process %d" % pid for pid in (seen["pid"], seen["keeper"], *seen["readers"])
             if os.path.exists("/proc/%d" % pid) and machine.sinks.process_state(pid) != "Z"]
    there += [seen["cgroup"]] if os.path.exists(seen["cgroup"]) else []
    backing = "/sys/block/loop%d/loop/backing_file" % seen["loop"]
    if os.path.exists(backing):
        with open(backing) as file:
            there += ["loop%d" % seen["loop"]] if file.read() == seen["backing"] else []
    with open("/proc/self/mountinfo") as table:
        there += [line for line in table if "lowerdir=/sys/tree" in line]
    return there


def disappears(end):
    process = victim(*(["raise"] if end == "exception" else []))
    try:
        line = process.stdout.readline()
        tap.check(line, "the victim came up")
        seen = json.loads(line)
        seen["backing"] = ""
        backing = "/sys/block/loop%d/loop/backing_file" % seen["loop"]
        if end != "exception":
            with open(backing) as file:
                seen["backing"] = file.read()
            tap.check(left_over(seen), "what is looked for is there before")
            process.send_signal(end)
        wait_for(lambda: not left_over(seen), "nothing to be left over", 60)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@tap.case(deadline=120)
def nothing_is_left_when_the_test_is_killed():
    disappears(signal.SIGKILL)


@tap.case(deadline=120)
def nothing_is_left_when_the_test_is_interrupted():
    disappears(signal.SIGINT)


@tap.case(deadline=120)
def nothing_is_left_when_the_test_fails_without_cleaning_up():
    disappears("exception")


@tap.case(deadline=120)
def without_a_fault_the_stock_init_holds_as_well():
    """The checks of the fault table ask for nothing that a healthy init does not do."""
    if not os.environ.get("STOCK_ROOT"):
        tap.skip("STOCK_ROOT names no stock binaries")
    with Row(which="stock") as row:
        row.log(60)
        row.holds()
        row.delivered(row.m.syslog.texts)
        row.delivered(row.m.console.lines)


@tap.case(deadline=120)
def an_orphan_that_lies_is_seen():
    """The orphan probe measures: with pid 1 stopped, a dead orphan lies."""
    with Machine(subject()) as m:
        m.write("/etc/inittab", "id:2:initdefault:\nr1:2:respawn:/bin/sleep 100000\n")
        m.boot()
        wait_for(lambda: m.title() == "init [2]", "the level")
        m.signal(signal.SIGSTOP)
        try:
            m.promptness(deadline=2)
        except tap.Failed:
            m.signal(signal.SIGCONT)
            wait_for(lambda: not m.zombies(), "the orphan to be reaped when pid 1 goes on")
            return
        raise tap.Failed("a stopped pid 1 reaped")


@tap.case(deadline=60)
def a_sleep_outside_of_the_loop_is_seen():
    """The watch sees what it is for: here, a process that sleeps in read."""
    with Machine(subject()) as m:
        read, write = os.pipe()
        sleeper = m.spawn(["cat"], stdin=read)
        with machine.probe.Watch(sleeper.pid) as watch:
            wait_for(lambda: len(watch.reader.journal.read()) > 20, "some samples")
        os.close(read)
        os.close(write)
        tap.check(any(o[:2] == ("S", "read") for o in watch.offences),
                  "a sleep in read is an offence; found %r" % (watch.offences,))


tap.main()
