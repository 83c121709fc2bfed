#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""wtmp lies on a file system that is frozen: who writes there sleeps, SIGKILL or not.

Stock fails: pid 1 itself is what sleeps.
"""
from rows import Row, level_records, pids_of, sinks, tap, wait_for


def prepare(machine):
    machine.loop_ext4("/var/log")
    machine.write("/var/log/wtmp", "")


@tap.case(deadline=180)
def a_frozen_wtmp_stops_nothing_and_gets_its_records_when_it_is_thawed():
    with Row(prepare=prepare) as row:
        wait_for(lambda: level_records(row.m.wtmp()) == row.changes(),
                 "the record of the boot level", 60)
        row.m.freeze("/var/log")
        row.respawns()
        wait_for(lambda: any(p.state == "D" for p in row.m.processes()),
                 "somebody to sleep on the frozen file system")
        row.holds()
        row.m.thaw("/var/log")
        wait_for(lambda: level_records(row.m.wtmp()) == row.changes(),
                 "each change of level in wtmp, once and in order", 60)
        gettys = row.gettys("g1")
        wait_for(lambda: pids_of(row.m.wtmp(), sinks.INIT_PROCESS, "g1") == gettys,
                 "each start of the getty in wtmp, once and in order", 60)
        wait_for(lambda: pids_of(row.m.wtmp(), sinks.DEAD_PROCESS, "g1") == gettys[:-1],
                 "each end of the getty in wtmp, once and in order", 60)


tap.main()
