#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian that the stock packages booted gets ours while it runs, and the stock ones again: nothing is started anew, all goes on."""
from system import Kept, tap

kept = Kept("stock")
DPKG = "DEBIAN_FRONTEND=noninteractive dpkg --force-confold --force-unsafe-io -i /var/tmp/%s/*.deb 2>&1"
# Everything that init started and its services; neither threads of the kernel, nor init's own helpers, nor what runs this.
RUNNING = "ps -eo pid=,ppid=,comm= | awk '$2 != 2 && $3 ~ /^(getty|agetty|login|rsyslogd|systemd-udevd)$/ { print $1, $3 }'"


def state(s):
    return {"processes": s.sh(RUNNING).split("\n"), "boot": s.sh("who -b"), "logins": s.sh("who")}


def exchange(s, which, level):
    """The packages, and then what runs as process 1."""
    before = state(s)
    said = s.sh(DPKG % which)
    s.until("[ /proc/1/exe -ef /sbin/init ]", "process 1 to be the new one; dpkg said\n" + said)
    s.until("[ \"$(tr '\\0' ' ' < /proc/1/cmdline | sed 's/ *$//')\" = 'init [%s]' ]" % level, "its title")
    tap.equal(state(s), before, "what runs, and the records")
    tap.equal(s.sh("runlevel").split()[-1], level, "the level")


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
