#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals to the pid 1 of a real kernel: none ends it, and a crash costs nothing but a moment."""
import proof
import vm
from vm import tap

CRASHES = {"SEGV": 11, "BUS": 7, "ILL": 4, "FPE": 8, "ABRT": 6}
ORDINARY = [s for s in range(1, 65) if s not in CRASHES.values() and s not in (32, 33)]
USR1, CONT = 10, 18
SHUTDOWNS = {37: "-hH now", 38: "-hP now", 39: "-r now"}     # RTMIN+3 to +5

SHUTDOWN = """#!/bin/sh
echo "$*" >> /run/shutdown.log
"""
INITTAB = proof.INITTAB + """ca:2345:ctrlaltdel:/etc/rc ctrlaltdel
kb:2345:kbrequest:/etc/rc kbrequest
pf::powerfail:/etc/rc powerfail
"""
FILES = dict(proof.FILES, **{"/etc/inittab": INITTAB, "/sbin/shutdown": SHUTDOWN})
A_MINUTE = "sleep 61"               # of a machine whose idle time passes at once


def machine():
    return vm.Machine(files=FILES, hurry=True)


def begin(m):
    m.wait("the respawn entry runs", "test -s /run/rs.pid")
    return m.check("cat /run/rs.pid").strip()


def works(m):
    proof.quick_orphan(m)
    proof.Table(m, INITTAB).answers()
    proof.LevelChange(m).wait()


def crashed(m, command, mark):
    m.check(command)
    m.console.wait_for(rb"INIT: PANIC: ", mark)


@tap.case(deadline=400)
def no_signal_ends_pid_1_and_those_with_a_meaning_are_obeyed():
    with machine() as m:
        begin(m)
        for signo in ORDINARY + [USR1, CONT]:
            m.check(f"kill -{signo} 1")
        m.wait("the ctrlaltdel entry has run", "grep ctrlaltdel /run/rc.log")
        m.wait("the kbrequest entry has run", "grep kbrequest /run/rc.log")
        m.wait("the powerfail entry has run", "grep powerfail /run/rc.log")
        m.wait("shutdown has run", f"test $(wc -l < /run/shutdown.log) -ge {len(SHUTDOWNS)}")
        said = m.read("/run/shutdown.log").decode().splitlines()
        tap.diag(f"shutdown was run with {said}")
        tap.check("-hP now" in said, "RTMIN+4 powers off")
        works(m)
        proof.respawn(m)


@tap.case(deadline=600)
def each_signal_of_a_crash_is_survived_with_all_children_kept():
    with machine() as m:
        kept = begin(m)
        for name in CRASHES:
            mark = m.console.mark()
            crashed(m, f"kill -{name} 1", mark)
            works(m)
            tap.equal(m.check("cat /run/rs.pid").strip(), kept, "the pid of the respawn entry")
            m.check(f"kill -0 {kept}")
            m.check(A_MINUTE, timeout=100)
        proof.respawn(m)


@tap.case(deadline=400)
def a_real_fault_is_survived_and_leaves_a_core():
    with machine() as m:
        kept = begin(m)
        crashed(m, "vmguest crash", m.console.mark())
        works(m)
        tap.equal(m.check("cat /run/rs.pid").strip(), kept, "the pid of the respawn entry")
        proof.respawn(m)
        m.wait("a core file", "ls /core*")
        m.check("rm /core*; mkdir /run/cores; echo '/run/cores/%e.%s' > /proc/sys/kernel/core_pattern")
        crashed(m, "vmguest crash", m.console.mark())
        m.wait("a core file where the pattern says", "[ -s /run/cores/init.11 ]")
        tap.equal(m.check("ls / | grep -c core || true").strip(), "0", "cores elsewhere")


@tap.case(deadline=400)
def three_crashes_within_a_minute_end_in_a_shell_and_a_kernel_that_reaps():
    with vm.Machine(files=FILES) as m:
        begin(m)
        for _ in range(3):
            mark = m.console.mark()
            crashed(m, "vmguest crash", mark)
            m.wait("pid 1 is at work again", "! grep -q 'State:.R' /proc/1/status")
        m.console.wait_for(rb"(normal startup|to continue)\):")
        proof.quick_orphan(m)
        m.monitor("sendkey ctrl-alt-delete")
        tap.equal(m.wait_end(), "guest-reset", "how the machine ended")


tap.main()
