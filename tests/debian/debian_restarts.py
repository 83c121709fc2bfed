#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian that our packages boot starts anew, and its records tell of it."""
import re

from system import Kept, tap

kept = Kept("ours")


@tap.case(deadline=1400)
def a_reboot_comes_back_and_the_records_tell_of_it():
    with kept.system() as s:
        s.type("reboot\n")
        s.sees(rb"INIT: Switching to runlevel: 6")
        tap.equal(s.resets(), "guest-reset", "how it ended")
        s.login()
        said = s.sh("last -x")
        for what in (r"^shutdown +system down ", r"^runlevel \(to lvl 6\) ", r"^root +ttyS0 .* - (down|crash|\d\d:\d\d)"):
            tap.check(re.search(what, said, re.MULTILINE), "last -x has %s; it said:\n%s" % (what, said))
        tap.equal(len(re.findall(r"^reboot +system boot", said, re.MULTILINE)), 2, "boots in the records:\n" + said)
        tap.equal(s.sh("runlevel"), "N 2\n", "the level")


@tap.case(deadline=1400)
def ctrl_alt_del_restarts_it():
    with kept.system() as s:
        s.monitor("sendkey ctrl-alt-delete")
        s.sees(rb"INIT: Switching to runlevel: 6")
        tap.equal(s.resets(), "guest-reset", "how it ended")


tap.main()
