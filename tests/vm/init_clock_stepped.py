#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The wall clock steps by hours, both ways: the respawn guard and the time-outs do not notice.

Idle time of these machines passes at once, so that five minutes of theirs are a moment here.
"""
import proof
import vm
from vm import tap

GUARD_STARTS = 10
GUARD_PAUSE_S = 300
HOURS = 6 * 3600

# Each start notes the uptime, which no step of the wall clock moves.
ENTRY = """#!/bin/sh
exec </dev/null >/dev/null 2>&1
cut -d' ' -f1 /proc/uptime >> /run/starts
{then}
"""
STEP = "date -s @$(( $(date +%s) + {seconds} ))"

STUBBORN = """#!/bin/sh
exec </dev/null >/dev/null 2>&1
trap '' TERM
cut -d' ' -f1 /proc/uptime >> /run/stubborn
while :; do sleep 1; done
"""


# Time flies while the test looks elsewhere: what is measured is noted by the machine itself.
NOTE = """#!/bin/sh
cut -d' ' -f1 /proc/uptime >> /run/entered
"""


def machine(then, more=""):
    inittab = proof.INITTAB + "fl:2345:respawn:/etc/rc.entry\n" + more
    files = dict(proof.FILES, **{"/etc/inittab": inittab, "/etc/rc.stubborn": STUBBORN,
                                 "/etc/rc.note": NOTE,
                                 "/etc/rc.entry": ENTRY.format(then=then)})
    return vm.Machine(files=files, hurry=True)


def starts(m):
    return [float(word) for word in m.read("/run/starts").split()]


def wait_starts(m, count):
    vm.wait_until(f"{count} starts", lambda: len(starts(m)) >= count, 200)


def pause_between(m, count):
    """Between the start that tripped the guard and the next."""
    wait_starts(m, count + 1)
    found = starts(m)
    tap.diag(f"starts at {found}")
    return found[count] - found[count - 1]


def held_for_five_minutes(m, pause):
    tap.check(GUARD_PAUSE_S - 5 <= pause <= GUARD_PAUSE_S + 60,
              f"an entry that respawns too fast is held {GUARD_PAUSE_S} s; it was {pause:.0f} s")
    m.console.wait_for(rb'Id "fl" respawning too fast: disabled for 5 minutes')


@tap.case(deadline=400)
def steps_forward_and_back_change_nothing_for_an_entry_that_is_held():
    with machine("exit 0") as m:
        for rounds, seconds in enumerate((HOURS, -HOURS), 1):
            wait_starts(m, rounds * GUARD_STARTS)
            m.console.wait_for(rb"(?s)(respawning too fast.*){%d}" % rounds)
            m.check(STEP.format(seconds=seconds))
            held_for_five_minutes(m, pause_between(m, rounds * GUARD_STARTS))
            proof.quick_orphan(m)


@tap.case(deadline=400)
def steps_at_each_start_hide_no_entry_from_the_guard():
    with machine(STEP.format(seconds=3600)) as m:
        held_for_five_minutes(m, pause_between(m, GUARD_STARTS))


@tap.case(deadline=400)
def a_clock_that_falls_behind_gives_no_entry_to_the_guard():
    # Every start is 30 s after the last one, and the wall clock says that it is the same moment.
    with machine("sleep 30; " + STEP.format(seconds=-30)) as m:
        wait_starts(m, GUARD_STARTS + 3)
        found = starts(m)
        gaps = [b - a for a, b in zip(found, found[1:])]
        tap.check(max(gaps) < 60, f"no pause between the starts, {gaps}")
        tap.check(b"respawning too fast" not in m.console.since(), "no word of the guard")


@tap.case(deadline=400)
def the_time_to_stop_is_neither_cut_nor_stretched():
    more = "st:2:respawn:/etc/rc.stubborn\nnt:3:once:/etc/rc.note\n"
    with machine("exec sleep 1000000", more) as m:
        m.wait_booted()
        for rounds, seconds in enumerate((HOURS, -HOURS), 1):
            m.wait("the stubborn entry runs", "test -s /run/stubborn")
            asked = m.check("cut -d' ' -f1 /proc/uptime; telinit -t 20 3; "
                            + STEP.format(seconds=seconds)).split()[0]
            m.wait("level 3 is entered", f"test $(wc -l < /run/entered) = {rounds}")
            took = float(m.read("/run/entered").split()[-1]) - float(asked)
            tap.check(19 <= took <= 30, f"it was killed after 20 s; the change took {took:.1f} s")
            m.check("rm /run/stubborn; telinit 2")


tap.main()
