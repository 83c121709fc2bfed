#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""/dev/console missing, hung up or revoked: the lines come when it is back.

Stock does not stand still, but what it said meanwhile never comes.
"""
from rows import Row, tap


def away(go, come_back):
    with Row() as row:
        row.log(10)
        # What lies unread in a terminal that hangs up is gone with it.
        row.settle(row.m.console.lines)
        go(row.m.console)
        row.log(50)
        row.holds()
        row.delivered(row.m.syslog.texts)
        come_back(row.m.console)
        row.log(10)
        row.delivered(row.m.console.lines)


@tap.case(deadline=180)
def a_missing_console_stops_nothing_and_gets_its_lines_when_it_is_back():
    # The terminal is hung up as well: a name alone that goes takes nothing from who has it open.
    def go(console):
        console.remove()
        console.hang_up()
    away(go, lambda console: console.attach())


@tap.case(deadline=180)
def a_console_whose_name_is_gone_for_a_while_misses_nothing():
    away(lambda console: console.remove(), lambda console: console.put_back())


@tap.case(deadline=180)
def a_console_that_hung_up_stops_nothing_and_its_successor_gets_the_lines():
    def come_back(console):
        console.remove()
        console.attach()
    away(lambda console: console.hang_up(), come_back)


@tap.case(deadline=180)
def a_revoked_console_is_opened_again_and_misses_nothing():
    away(lambda console: console.revoke(), lambda console: None)


@tap.case(deadline=180)
def a_boot_without_a_console_shows_its_early_lines_when_there_is_one():
    with Row(prepare=lambda m: m.console.remove()) as row:
        row.holds()
        row.m.console.put_back()
        row.log(1)
        row.delivered(row.m.console.lines)
        tap.check("Entering runlevel: 2" in row.m.console.lines(), "a line of the boot comes late")


tap.main()
