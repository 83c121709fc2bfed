#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody holds a lock on utmp or wtmp. Any user may take a read lock on what he can read.

Stock waits ten seconds for each record, then does without it.
"""
import fcntl
import os

from rows import Row, level_records, pids_of, sinks, tap, wait_for
from stuck import NOBODY, locker


@tap.case(deadline=180)
def locks_on_utmp_and_wtmp_stop_nothing_and_the_records_come_when_they_are_gone():
    with Row() as row:
        held = [locker(row.m, "/run/utmp", os.O_RDONLY, fcntl.LOCK_SH, NOBODY),
                locker(row.m, "/var/log/wtmp", os.O_WRONLY, fcntl.LOCK_EX)]
        row.holds()
        for process in held:
            process.end()
        wait_for(lambda: level_records(row.m.wtmp()) == row.changes(),
                 "each change of level in wtmp, once and in order", 60)
        wait_for(lambda: level_records(row.m.utmp()) == row.changes()[-1:], "the level in utmp", 60)
        wait_for(lambda: pids_of(row.m.utmp(), sinks.INIT_PROCESS, "g1") == row.gettys("g1")[-1:],
                 "the getty that runs in utmp", 60)


tap.main()
