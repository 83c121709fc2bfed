#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of a whole Debian that our packages boot: whatever is stuck, orphans are reaped, requests answered, entries started again, lines
delivered or counted as lost, and the system goes down. Each case has a machine of its own. What is asked is asked through the control
agent, which needs neither terminal nor init, and from a tmpfs, which needs no disk."""
import contextlib
import re

from system import booted, tap, wait_until
import proof

PREPARE = """mount -t tmpfs tmpfs /mnt && cp /usr/local/sbin/busybox /mnt/ && cat > /mnt/keep <<'E' && chmod 755 /mnt/keep
#!/mnt/busybox sh
exec </dev/null >/dev/null 2>&1
echo $$ > /run/keep.pid
exec /mnt/busybox sleep 1000001
E
{ echo 'rs:2345:respawn:/mnt/keep'; cat /etc/inittab; } > /mnt/inittab && mount --bind /mnt/inittab /etc/inittab && /sbin/telinit q"""
LOCK = "perl -e 'open F, \"<\", $ARGV[0] or die; fcntl F, 6, pack(\"s s x4 q q l x4\", 0, 0, 0, 0, 0) or die $!; sleep 100000' %s"
AS_NOBODY = "setsid setpriv --reuid 65534 --regid 65534 --clear-groups "
LOCK_RECORDS = " ; ".join("(%s%s >/dev/null 2>&1 </dev/null &)" % (AS_NOBODY, LOCK % path) for path in ("/run/utmp", "/var/log/wtmp")) + \
    "; until [ $(pgrep -c -u nobody perl) = 2 ]; do sleep 0.1; done"
FILL_VAR = "fallocate -l $(($(df --output=avail -B1 /var | tail -1) - 65536)) /var/fill; cat /dev/zero > /var/fill.2; ! echo 1 > /var/fill.3"
STOP_RSYSLOGD = "kill -STOP $(pidof rsyslogd)"
GRACE = 300
# Messages besides the numbered ones that may be among the lost: of levels, helpers, entries.
OTHERS = 50


class Faulty:
    """A system in which something will be wrong, and what must hold all the same."""

    def __init__(self, s):
        self.s, self.said, self.asked = s, 0, 0
        self.run(PREPARE)
        self.table = self.run("cat /etc/inittab")
        self.until("[ -s /run/keep.pid ]", "an entry to run")
        self.mark = s.console.mark()

    def run(self, command):
        said = self.s.run(command)
        tap.check("(status" not in said, "it works: %s; it said\n%s" % (command, said))
        return said

    def until(self, command, what):
        return wait_until(what, lambda: "(status" not in self.s.run(command), GRACE)

    def says(self, count):
        """Has init say COUNT numbered messages, by as many bad lines; telinit q makes it start an entry that was not there before, too."""
        first, self.said, self.asked = self.said + 1, self.said + count, self.asked + 1
        lines = "".join("x:2:seq-%06d:true\n" % n for n in range(first, self.said + 1))
        lines += "q%d:2345:once:/mnt/busybox touch /run/asked.%d\n" % (self.asked, self.asked)
        self.run("/mnt/busybox cat > /etc/inittab <<'E'\n%s%sE\n/sbin/telinit q" % (self.table, lines))
        self.until("[ -e /run/asked.%d ]" % self.asked, "telinit q to be answered")

    def lives(self):
        """An orphan is reaped, an entry comes back, and the level changes. -> the level"""
        orphan = self.run("/usr/local/sbin/vmguest orphan 60000")
        tap.check(re.fullmatch(r"\d+\n", orphan), "an orphan is reaped; it said " + orphan)
        old = self.run("read pid < /run/keep.pid; kill -9 $pid; echo $pid").strip()
        self.until("read pid < /run/keep.pid && [ $pid != %s ] && kill -0 $pid" % old, "an entry to come back")
        new = "3" if self.run("/mnt/busybox cat /run/runlevel") == "2" else "2"
        self.run("/sbin/telinit " + new)
        wait_until("level " + new, lambda: self.run("/mnt/busybox cat /run/runlevel /proc/1/cmdline").rstrip("\0") == "%sinit [%s]" % (new, new), GRACE)
        return new

    def console(self):
        return proof.words_of(self.s.console.since(self.mark))

    def syslog(self):
        return proof.words_of(self.run("cat /var/log/syslog").encode())

    def waits(self, words):
        tap.check(not proof.has_arrived(words(), self.said), "the fault keeps lines from arriving")

    def delivered(self, *witnesses):
        for words in witnesses:
            wait_until("line %d to arrive" % self.said, lambda: proof.has_arrived(words(), self.said), GRACE)
            proof.in_order(words(), 1, self.said, OTHERS)

    def restarts(self):
        self.s.dismiss_agent()
        self.s.type("shutdown -r now\n")
        tap.equal(self.s.resets(again=False), "guest-reset", "how it ended")


@contextlib.contextmanager
def faulty():
    with booted() as s:
        yield Faulty(s)


@tap.case(deadline=900)
def a_stopped_rsyslogd():
    with faulty() as f:
        f.run(STOP_RSYSLOGD)
        f.says(40)
        f.lives()
        f.waits(f.syslog)
        f.run("kill -CONT $(pidof rsyslogd)")
        f.delivered(f.syslog, f.console)
        f.run(STOP_RSYSLOGD)
        f.restarts()


@tap.case(deadline=900)
def a_stopped_bootlogd_that_holds_the_console():
    with faulty() as f:
        f.run("bootlogd -c -l /run/bootlog.test && kill -STOP $(pidof bootlogd); (yes > /dev/console & echo $! > /run/yes.pid)")
        f.says(40)
        f.lives()
        f.waits(f.console)
        f.run("kill $(cat /run/yes.pid) $(pidof bootlogd); kill -CONT $(pidof bootlogd); while pidof bootlogd; do sleep 0.2; done")
        f.delivered(f.console, f.syslog)
        f.restarts()


@tap.case(deadline=900)
def a_console_that_is_flow_stopped():
    """The level's scripts wait for the line, as with stock, and entries behind them in the inittab for them; init does not. A level that is
    asked for meanwhile ends them."""
    with faulty() as f:
        f.s.type("\x13")
        f.says(40)
        f.lives()
        f.lives()
        f.waits(f.console)
        f.s.type("\x11")
        f.delivered(f.console, f.syslog)
        f.restarts()


@tap.case(deadline=900)
def records_that_a_user_has_locked():
    with faulty() as f:
        f.run(LOCK_RECORDS)
        f.says(40)
        level = f.lives()
        f.delivered(f.console, f.syslog)
        f.run("pkill -u nobody perl")
        f.until("who -r | grep 'run-level %s'" % level, "the record, when the lock is gone")
        f.run(LOCK_RECORDS)
        f.restarts()


@tap.case(deadline=900)
def a_full_var():
    with faulty() as f:
        f.run(FILL_VAR)
        f.says(40)
        level = f.lives()
        f.delivered(f.console)
        f.run("rm /var/fill /var/fill.2 /var/fill.3")
        f.until("last -x | grep -m1 'to lvl' | grep 'lvl %s'" % level, "the record, when there is room")
        f.run(FILL_VAR)
        f.restarts()


@tap.case(deadline=900)
def with_three_of_these_at_once_it_restarts():
    with faulty() as f:
        f.run("%s; %s; %s" % (LOCK_RECORDS, STOP_RSYSLOGD, FILL_VAR))
        f.says(40)
        f.lives()
        f.restarts()


@tap.case(deadline=900)
def a_disk_that_is_gone():
    """Nothing that is not in memory can be executed any more. Ctrl-Alt-Del restarts the machine where its entry needs no disk; here that
    is a busybox on a tmpfs."""
    with faulty() as f:
        f.table = re.sub("(?m)^ca:.*", "ca::ctrlaltdel:/mnt/busybox reboot -nf", f.table)
        f.says(1)
        f.lives()
        f.s.detach_disk()
        tap.check("(status" in f.s.run("/mnt/busybox dd if=/dev/vda of=/dev/null bs=4096 count=1"), "the disk is gone")
        f.says(40)
        f.lives()
        f.delivered(f.console)
        f.s.monitor("sendkey ctrl-alt-delete")
        tap.equal(f.s.resets(again=False), "guest-reset", "how it ended")


tap.main()
