#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""elogind and acpid notice nothing: daemons and sessions outlive the exchange of the init under them, and what they ask of it is done."""
import re

from exchange import exchange
from system import Kept, tap

kept = Kept("neighbours")
SESSIONS = "loginctl --no-legend --no-pager list-sessions"


def button(s):
    s.dismiss_agent()
    s.monitor("system_powerdown")


@tap.case(deadline=1400)
def sessions_and_daemons_outlive_the_exchange():
    with kept.system() as s:
        exchange(s, "ours", "2", SESSIONS, "loginctl --no-pager show-session self -p Leader -p State -p TTY")
        tap.check(re.search(r"(?m)\broot +ttyS0", s.sh(SESSIONS)), "elogind knows who sits here")


@tap.case(deadline=1400)
def the_power_button_is_for_acpid_where_elogind_does_not_run():
    with kept.system() as s:
        s.sh("service elogind stop && service dbus stop && ! pidof elogind-daemon && pidof acpid")
        button(s)
        s.sees(rb"Power button pressed")
        s.sees(rb"INIT: Switching to runlevel: 0")
        tap.equal(s.ends(), "guest-shutdown", "how it ended")


@tap.case(deadline=1400)
def loginctl_reboot_restarts_it():
    kept.end()
    with kept.system() as s:
        exchange(s, "ours", "2")
        s.type("loginctl reboot\n")
        s.sees(rb"INIT: Switching to runlevel: 6")
        tap.equal(s.resets(), "guest-reset", "how it ended")


@tap.case(deadline=1400)
def a_machine_that_ours_booted_has_sessions_and_elogind_obeys_the_power_button():
    with kept.system() as s:
        s.until(SESSIONS + " | grep -w ttyS0", "elogind to know who sits here")
        tap.equal(s.sh("runlevel"), "N 2\n", "the level")
        button(s)
        s.sees(rb"INIT: Switching to runlevel: 0")
        tap.equal(s.ends(), "guest-shutdown", "how it ended")


tap.main()
