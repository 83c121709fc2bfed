#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""shutdown, halt, poweroff, reboot under a real kernel: the machine goes down, or stays up when it was called off."""
import re

import vm
from vm import tap

INITTAB = """id:2:initdefault:
si::sysinit:/etc/rc sysinit
~~:S:wait:/sbin/sulogin
l0:0:wait:/etc/rc 0
l1:1:wait:/etc/rc 1
l2:2:wait:/etc/rc 2
l6:6:wait:/etc/rc 6
"""
# The level's script says what it was told, then ends the system with our programs, as Debian's does.
RC = """#!/bin/sh
echo "$1 $PREVLEVEL $RUNLEVEL" >> /run/rc.log
case $1 in
0) echo "rc 0: INIT_HALT=$INIT_HALT" > /dev/console
   echo "rc 0 at $(cut -d. -f1 /proc/uptime)" > /dev/console
   test "$INIT_HALT" = HALT && exec /sbin/halt
   exec /sbin/poweroff ;;
6) echo "rc 6: INIT_HALT=$INIT_HALT" > /dev/console
   exec /sbin/reboot ;;
esac
"""
FILES = {"/etc/inittab": INITTAB, "/etc/rc": RC}
# Kernel messages are needed to see a machine that has halted; at boot they would only cost time.
LOUD = "echo 8 > /proc/sys/kernel/printk"
HALTED = rb"reboot: System halted"
RESTART, OFF = "guest-reset", "guest-shutdown"
# Full paths: busybox's shell would take its own halt, poweroff and reboot.


def machine(**more):
    return vm.Machine(files=FILES, **more)


def ends(m, command, how, said=None):
    m.start(command)
    if said:
        m.console.wait_for(said)
    tap.equal(m.wait_end(), how, "how the machine ended after " + command)


@tap.case(deadline=300)
def shutdown_reboots_in_a_minute_and_tells_a_second_terminal():
    with machine(hurry=True) as m:
        m.wait_booted()
        m.check("vmguest login ttyS1 alice")
        m.check("stty -F /dev/ttyS1 raw -echo; sleep 1000000 < /dev/ttyS1 > /dev/null 2>&1 &")
        mark = m.serial.mark()
        m.start("shutdown -r +1 a new kernel")
        m.serial.wait_for(rb"(?s)Broadcast message from root@.*?a new kernel \r+\n\rThe system is going DOWN for "
                          rb"reboot in 1 minute!", mark)
        m.serial.wait_for(rb"\rThe system is going down for reboot NOW!", mark)
        m.console.wait_for(rb"rc 6: INIT_HALT=\r*\n")
        tap.equal(m.wait_end(), RESTART, "how the machine ended")


@tap.case(deadline=300)
def a_shutdown_that_is_called_off_leaves_the_machine_up_then_power_goes_off():
    with machine() as m:
        m.wait_booted()
        waiting = m.start("shutdown -hP +3")
        m.wait("it to be scheduled", "shutdown --show")
        tap.check("power-off scheduled for" in m.check("shutdown --show"), "it is shown")
        m.wait("nologin", "test -e /etc/nologin")
        m.check("shutdown -c")
        done = m.finish(waiting)
        tap.equal((done.status, done.text), (0, "\r\nShutdown cancelled.\r\n"), "the one that waited")
        m.check("test ! -e /etc/nologin -a ! -e /run/shutdown.pid")
        tap.equal(m.run("shutdown --show").status, 1, "nothing is scheduled")
        tap.equal(m.runlevel(), "N 2", "the level")
        ends(m, "shutdown -hP now", OFF, rb"rc 0: INIT_HALT=POWEROFF")


SET = "date -s '2026-11-25 %s' && shutdown --show"


def left_minutes(m, clock):
    """The wall clock is set; what a waiting shutdown says of the time that is left."""
    shown = m.check(SET % clock)
    return int(re.search(r" in (\d+) minutes", shown).group(1))


@tap.case(deadline=300)
def a_time_of_day_follows_the_wall_clock_however_it_is_set():
    """Stock fixes at its start how long it sleeps at a time: it finds out up to a minute later."""
    with machine() as m:
        m.wait_booted()
        m.check("date -s '2026-11-25 10:00:30'")
        waiting = m.start("shutdown -k 12:00; cut -d' ' -f1 /proc/uptime > /run/ended")
        m.wait("it to be scheduled", "shutdown --show")
        tap.check(left_minutes(m, "08:00:30") in (239, 240), "set back by two hours it waits for two hours more")
        m.check("test ! -e /etc/nologin")
        tap.check(left_minutes(m, "11:57:30") in (2, 3), "set forward it has minutes left")
        m.wait("nologin", "test -e /etc/nologin")
        # Past the time, without coming by it.
        m.check("cut -d' ' -f1 /proc/uptime > /run/set; date -s '2026-11-25 15:00:00'")
        done = m.finish(waiting)
        tap.equal((done.status, done.text), (0, "\r\nShutdown cancelled.\r\n"), "how it ends, that only warns")
        took = float(m.read("/run/ended")) - float(m.read("/run/set"))
        tap.check(took < 30, "it has noticed at once: after %.1f s of the guest's" % took)
        tap.equal(m.runlevel(), "N 2", "the level")
        m.start("shutdown -hP 23:00")
        m.wait("it to be scheduled", "shutdown --show")
        ends(m, "date -s '2026-11-25 23:00:00'", OFF, rb"rc 0: INIT_HALT=POWEROFF")


@tap.case(deadline=300)
def each_program_goes_its_way_through_init():
    with machine() as m:
        m.wait_booted()
        m.check(LOUD)
        m.start("/sbin/halt")
        m.console.wait_for(rb"rc 0: INIT_HALT=HALT")
        m.console.wait_for(HALTED)
        tap.check(m.process.poll() is None, "the power is on")
    with machine() as m:
        m.wait_booted()
        ends(m, "/sbin/poweroff", OFF, rb"rc 0: INIT_HALT=POWEROFF")
    with machine() as m:
        m.wait_booted()
        ends(m, "/sbin/reboot", RESTART, rb"rc 6: INIT_HALT=")


@tap.case(deadline=300)
def by_force_they_need_nobody():
    with machine() as m:
        m.wait_booted()
        m.check(LOUD)
        m.start("/sbin/halt -f -n")
        m.console.wait_for(HALTED)
    with machine() as m:
        m.wait_booted()
        tap.equal(m.run("/sbin/reboot -k").status, 1, "reboot -k in level 2")
        # No kernel is loaded: it reboots all the same, and says so.
        m.start("/sbin/reboot -f -k 2> /dev/console")
        m.console.wait_for(rb"reboot: no kernel is loaded for kexec, rebooting: ")
        tap.equal(m.wait_end(), RESTART, "how the machine ended")


@tap.case(deadline=300)
def without_init_everything_is_ended_here():
    with machine() as m:
        m.wait_booted()
        m.start("shutdown -n -hP -t 1 now > /dev/console 2>&1")
        m.console.wait_for(rb"shutdown: sending all processes the TERM signal")
        tap.equal(m.wait_end(), OFF, "how the machine ended")


@tap.case(deadline=400)
def stuck_terminals_a_stopped_syslogd_and_locked_records_do_not_hold_it_up():
    """In the guest's own time, which a busy host makes longer for it, but not late."""
    with machine() as m:
        m.wait_booted()
        m.check("syslogd -O /run/messages </dev/null >/dev/null 2>&1")
        m.wait("a syslogd", "test -S /dev/log && pidof syslogd")
        m.check("kill -STOP $(pidof syslogd)")
        m.check("vmguest clog 20 </dev/null >/run/clog 2>&1 &")
        m.wait("everything to be stuck", "grep clogged /run/clog")
        m.start("echo begun: $(cut -d. -f1 /proc/uptime) > /dev/console; shutdown -hP now; echo ended: $? > /dev/console")
        begun = int(m.console.wait_for(rb"begun: (\d+)").group(1))
        m.console.wait_for(rb"ended: 0")
        m.console.wait_for(rb"rc 0: INIT_HALT=POWEROFF")
        at = int(m.console.wait_for(rb"rc 0 at (\d+)").group(1))
        tap.equal(m.wait_end(), OFF, "how the machine ended")
        tap.diag("%d s from the order to the scripts of level 0" % (at - begun))
        # 1 s for terminals, 3 for processes that do not end; stock alone waits 10 s for each record.
        tap.check(at - begun <= 10, "%d s from the order to the scripts of level 0" % (at - begun))


tap.main()
