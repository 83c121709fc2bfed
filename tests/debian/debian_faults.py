#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of a whole Debian that our packages boot: whatever is stuck, orphans are reaped, requests answered, entries started again, and the
system goes down. What is asked is asked through the control agent, which needs neither terminal nor init."""
import contextlib
import re

from system import Kept, tap, wait_until

LOCK = "perl -e 'open F, \"<\", $ARGV[0] or die; fcntl F, 6, pack(\"s s x4 q q l x4\", 0, 0, 0, 0, 0) or die $!; sleep 100000' %s"
AS_NOBODY = "setsid setpriv --reuid 65534 --regid 65534 --clear-groups "
# Something to be started again that needs no disk, and a way out that needs none.
INITTAB = "mount -t tmpfs tmpfs /mnt && cp /usr/local/sbin/busybox /mnt/ && " \
    "echo 'rs:2345:respawn:/mnt/busybox sleep 1000001' >> /etc/inittab && telinit q"
KEEPER = "pgrep -f '^/mnt/busybox sleep 1000001'"
GRACE = 300
kept = Kept("ours", "initvm.agent")


def until(s, command, what):
    return wait_until(what, lambda: "(status" not in s.run(command), GRACE)


def prepare(s):
    if "(status" in s.run(KEEPER):
        s.sh(INITTAB)
        s.until(KEEPER, "an entry to run")


def answers(s, level=True):
    """An orphan is reaped, an entry comes back, and levels change."""
    orphan = s.run("/usr/local/sbin/vmguest orphan 60000")
    tap.check(re.fullmatch(r"\d+\n", orphan), "an orphan is reaped; it said " + orphan)
    old = s.run(KEEPER).strip()
    s.run("kill -9 " + old)
    until(s, "pid=$(%s) && [ $pid != %s ]" % (KEEPER, old), "an entry to come back")
    if not level:
        return
    now = s.run("cat /run/runlevel")
    new = "3" if now == "2" else "2"
    s.run("/sbin/telinit " + new)
    until(s, "[ \"$(cat /run/runlevel)\" = %s ] && [ \"$(tr -d '\\0' < /proc/1/cmdline)\" = 'init [%s]' ]" % (new, new), "level " + new)
    tap.diag("an orphan lay %s ms" % orphan.strip())


def chatter(s, count):
    """Lines for syslog and console: bad ones of an inittab."""
    s.run("cp /etc/inittab /run/inittab.good; for n in $(seq %d); do echo \"b$n:2:nonsense:x\" >> /etc/inittab; done; /sbin/telinit q; sleep 1; "
          "cp /run/inittab.good /etc/inittab; /sbin/telinit q" % count)


@contextlib.contextmanager
def fault(begin, end):
    """Around a case's work, in a machine that is used again."""
    with kept.system() as s:
        prepare(s)
        tap.check("(status" not in s.run(begin), "the fault is made: " + begin)
        yield s
        tap.check("(status" not in s.run(end), "the fault is undone: " + end)


@tap.case(deadline=1400)
def a_stopped_rsyslogd():
    with fault("kill -STOP $(pidof rsyslogd)", "kill -CONT $(pidof rsyslogd)") as s:
        chatter(s, 40)
        answers(s)
    until(s, "grep -q 'nonsense: unknown action field' /var/log/syslog", "what was said, when it goes on")


@tap.case(deadline=1400)
def a_stopped_bootlogd_that_holds_the_console():
    begin = "bootlogd -c -l /run/bootlog.test && kill -STOP $(pidof bootlogd); (yes | head -c 60000 > /dev/console &)"
    with fault(begin, "kill $(pidof bootlogd); kill -CONT $(pidof bootlogd); until ! pidof bootlogd; do sleep 0.2; done") as s:
        chatter(s, 20)
        answers(s)


@tap.case(deadline=1400)
def a_console_that_is_flow_stopped():
    """The level's scripts wait for the line, as with stock; init does not. A level that is asked for meanwhile ends them."""
    with kept.system() as s:
        prepare(s)
        s.type("\x13")
        try:
            chatter(s, 20)
            answers(s)
            answers(s)
        finally:
            s.type("\x11")


@tap.case(deadline=1400)
def records_that_a_user_has_locked():
    begin = " ; ".join("(%s%s >/dev/null 2>&1 </dev/null &)" % (AS_NOBODY, LOCK % path) for path in ("/run/utmp", "/var/log/wtmp"))
    with fault(begin + "; until [ $(pgrep -c -u nobody perl) = 2 ]; do sleep 0.1; done", "pkill -u nobody perl") as s:
        answers(s)
        level = s.run("cat /run/runlevel")
    until(s, "who -r | grep 'run-level %s'" % level, "the record, when the lock is gone")


@tap.case(deadline=1400)
def a_full_var():
    fill = "fallocate -l $(($(df --output=avail -B1 /var | tail -1) - 65536)) /var/fill; cat /dev/zero > /var/fill.2; df /var | grep 100%"
    with fault(fill, "rm /var/fill /var/fill.2") as s:
        answers(s)
        level = s.run("cat /run/runlevel")
    until(s, "last -x | grep -m1 'to lvl' | grep 'lvl %s'" % level, "the record, when there is room")


@tap.case(deadline=1400)
def with_all_of_these_at_once_shutdown_restarts_the_system():
    with kept.system() as s:
        prepare(s)
        for path in ("/run/utmp", "/var/log/wtmp"):
            s.run("(%s%s >/dev/null 2>&1 </dev/null &)" % (AS_NOBODY, LOCK % path))
        s.run("kill -STOP $(pidof rsyslogd); fallocate -l $(($(df --output=avail -B1 /var | tail -1) - 65536)) /var/fill; cat /dev/zero > /var/fill.2")
        chatter(s, 40)
        s.type("shutdown -r now\n")
        tap.equal(s.resets(), "guest-reset", "how it ended")


@tap.case(deadline=1400)
def a_disk_that_is_gone():
    """Nothing that is not in memory can be executed any more. Ctrl-Alt-Del restarts the machine where its entry needs no disk; here that
    is a busybox on a tmpfs."""
    with kept.system() as s:
        prepare(s)
        s.sh("sed -i 's,^ca:.*,ca::ctrlaltdel:/mnt/busybox reboot -nf,' /etc/inittab && telinit q")
        s.run("cat /bin/sh /sbin/init /usr/local/sbin/vmguest /usr/bin/pgrep /usr/bin/cat /usr/bin/tr /lib/x86_64-linux-gnu/*.so* > /dev/null")
        answers(s)
        s.detach_disk()
        tap.check("(status" in s.run("/mnt/busybox dd if=/dev/vda of=/dev/null bs=4096 count=1"), "the disk is gone")
        answers(s)
        s.monitor("sendkey ctrl-alt-delete")
        tap.equal(s.resets(), "guest-reset", "how it ended")


tap.main()
