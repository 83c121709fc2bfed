#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian that the stock packages booted gets ours while it runs, and the stock ones again: nothing is started anew, all goes on."""
from exchange import exchange
from system import Kept, tap

kept = Kept("stock")


def serves(s, old, new):
    """Requests, respawn and orphans."""
    s.sh("telinit " + new)
    s.until("[ \"$(runlevel)\" = '%s %s' ]" % (old, new), "level " + new)
    getty = s.pids("pgrep -t tty1")[0]
    s.sh("kill -9 " + getty)
    s.until("pid=$(pgrep -t tty1) && [ $pid != %s ]" % getty, "a getty to come back")
    s.sh("vmguest orphan 60000")


@tap.case(deadline=1400)
def stock_becomes_ours_with_no_reboot():
    with kept.system() as s:
        s.sh("sha1sum < /proc/1/exe > /run/stock.sum")
        exchange(s, "ours", "2")
        s.sh("[ \"$(sha1sum < /proc/1/exe)\" != \"$(cat /run/stock.sum)\" ]")
        tap.check("init-log" in s.sh("ps -eo ppid=,comm= | grep '^ *1 '"), "its helpers are there")
        serves(s, "2", "3")


@tap.case(deadline=1400)
def ours_becomes_stock_again_with_no_reboot():
    with kept.system() as s:
        tap.check("init-log" in s.sh("ps -eo comm="), "ours runs")
        exchange(s, "stock", "3")
        s.sh("[ \"$(sha1sum < /proc/1/exe)\" = \"$(cat /run/stock.sum)\" ]")
        s.until("! ps -eo comm= | grep init-log", "the helpers to be gone")
        serves(s, "3", "2")


@tap.case(deadline=900)
def and_goes_off_by_what_is_installed():
    with kept.system() as s:
        s.dismiss_agent()
        s.type("poweroff\n")
        s.sees(rb"All processes ended within")
        tap.equal(s.ends(), "guest-shutdown", "how it ended")


tap.main()
