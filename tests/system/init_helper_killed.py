#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The helpers of init are killed or stopped: they come back, or are waited for without harm."""
import os
import signal

from rows import Row, level_records, subject, tap, wait_for

HELPERS = {"console", "syslog", "records", "wtmp"}


def need_helpers():
    if subject() == "stock":
        tap.skip("the stock init has no helpers")


def all_run(row):
    return set(row.m.helpers()) == HELPERS


def all_signal(row, signo):
    pids = list(row.m.helpers().values())
    row.m.call(lambda: [os.kill(pid, signo) for pid in pids])
    if signo == signal.SIGKILL:
        wait_for(lambda: not any(map(row.m.process, pids)), "the killed helpers to be reaped")
    return pids


def records_are_right(row):
    wait_for(lambda: level_records(row.m.wtmp()) == row.changes(),
             "each change of level in wtmp, once", 60)
    wait_for(lambda: level_records(row.m.utmp()) == row.changes()[-1:], "the level in utmp", 60)


@tap.case(deadline=180)
def killed_helpers_are_started_again_and_nothing_is_lost_or_doubled():
    need_helpers()
    with Row() as row:
        wait_for(lambda: all_run(row), "one helper for each sink")
        row.log(20)
        # A line that is under way when its helper is killed may come twice.
        row.delivered(row.m.syslog.texts)
        row.delivered(row.m.console.lines)
        killed = all_signal(row, signal.SIGKILL)
        row.log(60)
        wait_for(lambda: all_run(row) and not set(killed) & set(row.m.helpers().values()),
                 "every helper to be started again")
        row.holds()
        row.delivered(row.m.syslog.texts)
        row.delivered(row.m.console.lines)
        records_are_right(row)
        tap.equal(row.m.zombies(), [], "zombies left")


@tap.case(deadline=180)
def helpers_that_are_killed_again_and_again_harm_nothing():
    need_helpers()
    with Row() as row:
        for _ in range(4):
            wait_for(lambda: all_run(row), "every helper to run", 60)
            all_signal(row, signal.SIGKILL)
        row.holds()
        row.log(5)
        row.delivered(row.m.syslog.texts)
        row.delivered(row.m.console.lines)


@tap.case(deadline=180)
def stopped_helpers_are_waited_for_without_harm():
    need_helpers()
    with Row() as row:
        wait_for(lambda: all_run(row), "one helper for each sink")
        all_signal(row, signal.SIGSTOP)
        row.log(200)
        row.holds()
        all_signal(row, signal.SIGCONT)
        row.delivered(row.m.syslog.texts)
        row.delivered(row.m.console.lines)
        records_are_right(row)


@tap.case(deadline=180)
def helpers_leave_signals_meant_for_others_alone():
    need_helpers()
    with Row() as row:
        wait_for(lambda: all_run(row), "one helper for each sink")
        before = row.m.helpers()
        for signo in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1,
                      signal.SIGALRM):
            all_signal(row, signo)
        row.log(20)
        row.delivered(row.m.syslog.texts)
        row.delivered(row.m.console.lines)
        tap.equal(row.m.helpers(), before, "the helpers that run")


tap.main()
