#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No process can be made: a pids cgroup at its limit. What was due is done in order afterwards.

Stock holds here as well, with five seconds between two attempts.
"""
from rows import INITTAB, Row, tap, wait_for

INITTAB_OF_LEVEL_3 = INITTAB + """a1:3:wait:/tmp/mark first
a2:3:wait:/tmp/mark second
a3:3:once:/tmp/mark third
"""


@tap.case(deadline=180)
def what_is_due_while_forks_are_refused_is_done_in_order_when_they_work():
    with Row(inittab=INITTAB_OF_LEVEL_3, pids_cgroup=True) as row:
        getty = row.gettys("g1")[-1]
        row.m.pids.limit(1)
        row.kill(getty)
        row.reaps()
        wait_for(lambda: "cannot fork, retry.." in row.m.syslog.texts(), "a message about it")
        since = len(row.marks())
        row.m.telinit("3")
        with row.m.strace() as trace:
            row.reaps(10)
        row.judge_calls(trace)
        wait_for(lambda: row.m.title() == "init [3]", "level 3 to be entered all the same")
        tap.equal(row.marks()[since:], [], "what runs while no process can be made")
        row.m.pids.limit(None)
        row.arrives("3", "2", since)
        row.level = "3"
        wait_for(lambda: row.gettys("g1")[-1] != getty, "the getty to come back")
        wait_for(lambda: row.marked("third"), "the last of what was due")
        order = [m[0] for m in row.marks()[since:] if m[0] in ("rc", "first", "second", "third")]
        tap.equal(order, ["rc", "first", "second", "third"], "the order of what was due")
        row.holds()


@tap.case(deadline=120)
def a_short_refusal_is_over_as_soon_as_it_is_over():
    with Row(pids_cgroup=True) as row:
        getty = row.gettys("g1")[-1]
        row.m.pids.limit(1)
        row.kill(getty)
        wait_for(lambda: "cannot fork, retry.." in row.m.syslog.texts(), "a message about it")
        row.m.pids.limit(None)
        wait_for(lambda: row.gettys("g1")[-1] != getty, "the getty to come back")
        row.holds()


tap.main()
