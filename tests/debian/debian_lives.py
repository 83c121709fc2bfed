#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian that our packages boot: what a person at its serial line sees of levels, records, the boot log, power failures and shutdowns."""
import re

from system import Kept, tap

kept = Kept("ours")
WORD = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]|[^\x20-\x7e]")


def lines_of(text):
    """What can be read of a terminal's output."""
    return [line for line in (WORD.sub("", line).strip() for line in re.split(r"[\r\n]+", text)) if line]


@tap.case(deadline=900)
def it_boots_to_a_login_and_its_records_say_so():
    with kept.system() as s:
        tap.equal(s.sh("readlink /proc/1/exe; tr '\\0' ' ' < /proc/1/cmdline").split(), ["/usr/sbin/init", "init", "[2]"], "process 1")
        tap.equal(s.sh("runlevel"), "N 2\n", "runlevel")
        tap.equal(s.sh("cat /run/runlevel"), "2", "/run/runlevel")
        tap.check(re.search(r"system boot +\d|system boot +[A-Z]", s.sh("who -b")), "who -b knows of the boot")
        tap.check(re.search(r"run-level 2 ", s.sh("who -r")), "who -r knows of the level")
        said = s.sh("last -x")
        for what in (r"^root +ttyS0 .*still logged in", r"^runlevel \(to lvl 2\) ", r"^reboot +system boot .*still running"):
            tap.check(re.search(what, said, re.MULTILINE), "last -x has %s; it said:\n%s" % (what, said))
        tap.check(re.search(r"ttyS0", s.sh("who")), "who shows the login")
        tap.equal(s.sh("stat -c '%F %a %U' /run/initctl").split(), ["fifo", "600", "root"], "the pipe for requests")


@tap.case(deadline=900)
def the_boot_log_holds_all_that_the_console_showed():
    with kept.system() as s:
        s.until("! pidof bootlogd && grep -q rsyslogd /var/log/boot", "the boot log to be closed")
        shown = lines_of(s.console.since().decode("utf-8", "replace"))
        first = next(n for n, line in enumerate(shown) if line.startswith("Starting boot logger"))
        last = next(n for n, line in enumerate(shown) if line.startswith("Starting enhanced syslogd"))
        logged = [re.sub(r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: ?", "", line).strip() for line in lines_of(s.sh("cat /var/log/boot"))]
        tap.check(last - first > 8, "the console showed the boot: %r" % shown)
        at = 0
        for line in shown[first + 1:last + 1]:
            tap.check(line in logged[at:], "the boot log has %r, in its order:\n%s" % (line, "\n".join(logged)))
            at = logged.index(line, at) + 1


@tap.case(deadline=900)
def levels_change_there_and_back():
    with kept.system() as s:
        for level, before in (("3", "2"), ("2", "3")):
            s.sh("telinit " + level)
            s.until("[ \"$(runlevel)\" = '%s %s' ]" % (before, level), "level " + level)
            tap.check(re.search("run-level %s .*last=%s" % (level, before), s.sh("who -r")), "who -r follows")
        tap.check("(to lvl 3)" in s.sh("last -x"), "last -x has level 3")
        s.sh("echo 'xx:2:once:/bin/touch /run/asked' >> /etc/inittab && telinit q")
        s.until("[ -e /run/asked ]", "an entry added before telinit q to run")


@tap.case(deadline=900)
def a_shutdown_is_announced_and_called_off():
    with kept.system() as s:
        s.sh("shutdown -h +5 'for a test' > /run/shutdown.said 2>&1 & echo $! > /run/shutdown.is")
        s.until("[ -s /run/shutdown.pid ] && [ -e /run/nologin ]", "the shutdown to be under way")
        s.sh("shutdown -c 'not today'")
        s.until("! kill -0 $(cat /run/shutdown.is)", "the shutdown to be gone")
        # Asked by status: the broadcast stands on this line, too, and may stand anywhere.
        s.sh("[ ! -e /run/shutdown.pid ] && [ ! -e /run/nologin ]")
        s.sh("runlevel | grep -q ' 2$'")


@tap.case(deadline=900)
def a_power_failure_runs_the_entry_for_the_status():
    with kept.system() as s:
        for letter, word in (("F", "start"), ("L", "now"), ("O", "stop")):
            s.sh("echo %s > /run/powerstatus; kill -PWR 1" % letter)
            s.until("grep -qx 'powerfail %s' /run/powerfail.log" % word, "the entry for status " + letter)
        tap.equal(s.sh("cat /run/powerfail.log").split(), ["powerfail", "start", "powerfail", "now", "powerfail", "stop"], "what ran")


@tap.case(deadline=900)
def single_user_mode_asks_for_the_password_and_goes_on_from_there():
    with kept.system() as s:
        s.type("telinit 1\n")
        s.password()
        tap.equal(s.sh("runlevel"), "1 S\n", "the level")
        tap.check(re.search("run-level S .*last=1", s.sh("who -r")), "who -r")
        s.type("telinit 3; exit\n")
        s.login()
        tap.equal(s.sh("runlevel"), "S 3\n", "the level")
        s.type("telinit S\n")
        s.password()
        tap.equal(s.sh("runlevel"), "3 S\n", "the level, asked for by its letter")
        s.type("telinit 2; exit\n")
        s.login()
        tap.equal(s.sh("runlevel"), "S 2\n", "the level")


@tap.case(deadline=900)
def it_goes_off():
    with kept.system() as s:
        mark = s.console.mark()
        s.dismiss_agent()
        s.type("poweroff\n")
        tap.equal(s.ends(), "guest-shutdown", "how it ended")
        said = s.console.since(mark).decode("utf-8", "replace")
        tap.check("INIT: Switching to runlevel: 0" in said, "init says where it goes")
        tap.check("All processes ended within" in said, "nobody is left who would have to be killed")


tap.main()
