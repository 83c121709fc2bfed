#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of a whole Debian that our packages boot: whatever is stuck, orphans are reaped, requests answered, entries started again, lines
delivered or counted as lost, and the system goes down. Each case has a machine of its own. What is asked is asked through the control
agent, which needs neither terminal nor init, or, where no shell can be started any more, by the one at the serial line; and from a tmpfs,
which needs no disk."""
import contextlib
import re

from system import booted, tap, wait_until
import proof

PREPARE = """mount -t tmpfs tmpfs /mnt && cp /usr/local/sbin/busybox /usr/local/sbin/vmguest /mnt/ &&
cp /sbin/init /mnt/telinit && cat > /mnt/keep <<'E' && chmod 755 /mnt/keep
#!/mnt/busybox sh
exec </dev/null >/dev/null 2>&1
echo $$ > /run/keep.pid
exec /mnt/busybox sleep 1000001
E
{ echo 'rs:2345:respawn:/mnt/keep'; grep -v '^#' /etc/inittab; } > /mnt/inittab && mount --bind /mnt/inittab /etc/inittab && /mnt/telinit q"""
LOCK = "perl -e 'open F, \"<\", $ARGV[0] or die; $l = pack(\"s s x4 q q l x4\", 0, 0, 0, 0, 0); fcntl F, 6, $l or die $!; sleep 100000' %s"
AS_NOBODY = "setsid setpriv --reuid 65534 --regid 65534 --clear-groups "
LOCK_RECORDS = " ; ".join("(%s%s >/dev/null 2>&1 </dev/null &)" % (AS_NOBODY, LOCK % path) for path in ("/run/utmp", "/var/log/wtmp")) + \
    "; until [ $(pgrep -c -u nobody perl) = 2 ]; do sleep 0.1; done"
FILL_VAR = "fallocate -l $(($(df --output=avail -B1 /var | tail -1) - 65536)) /var/fill; cat /dev/zero > /var/fill.2; ! echo 1 > /var/fill.3"
STOP_RSYSLOGD = "kill -STOP $(pidof rsyslogd)"
TITLE = "/mnt/busybox cat /proc/1/cmdline"
GRACE = 300
# Messages besides the numbered ones that may be among the lost: of levels, helpers, entries.
OTHERS = 50
# More than the queue holds; and bad lines that init names of one table.
FULL, NAMED = 600, 50


class Faulty:
    """A system in which something will be wrong, and what must hold all the same."""

    def __init__(self, s):
        self.s, self.said, self.asked = s, 0, 0
        self.at_line = False        # asks the shell at the serial line, not the agent
        self.run(PREPARE)
        self.table = self.run("cat /etc/inittab")
        self.until("[ -s /run/keep.pid ]", "an entry to run")
        self.mark = s.console.mark()

    def asks(self, command):
        """-> (does it work, what it said)"""
        if self.at_line:
            status, said = self.s.status(command)
            return status == 0, said
        said = self.s.run(command)
        return "(status" not in said, said

    def run(self, command):
        works, said = self.asks(command)
        tap.check(works, "it works: %s; it said\n%s" % (command, said))
        return said

    def until(self, command, what):
        return wait_until(what, lambda: self.asks(command)[0], GRACE)

    def number(self, command):
        """The one that it writes on a line of its own; the system may say something there, too."""
        said = self.run(command)
        found = re.search(r"(?m)^(\d+)$", said)
        tap.check(found, "%s says a number; it said\n%s" % (command, said))
        return found.group(1)

    def says(self, count):
        """Has init say COUNT numbered messages, by as many bad lines; telinit q makes it start an entry that was not there before, too."""
        first, self.said, self.asked = self.said + 1, self.said + count, self.asked + 1
        lines = "".join("x:2:seq-%06d:true\n" % n for n in range(first, self.said + 1))
        lines += "q%d:2345:once:/mnt/busybox touch /run/asked.%d\n" % (self.asked, self.asked)
        self.writes(self.table + lines)
        self.run("/mnt/telinit q")
        self.until("[ -e /run/asked.%d ]" % self.asked, "telinit q to be answered")
        self.writes(self.table)

    def writes(self, inittab):
        self.run("/mnt/busybox cat > /etc/inittab <<'E'\n%sE" % inittab)

    def lives(self):
        """An orphan is reaped, an entry comes back, and the level changes. -> the level"""
        self.number("/mnt/vmguest orphan 60000")
        old = self.number("read pid < /run/keep.pid; kill -9 $pid; echo $pid")
        self.until("read pid < /run/keep.pid && [ $pid != %s ] && kill -0 $pid" % old, "an entry to come back")
        new = "3" if "init [2]" in self.run(TITLE) else "2"
        self.run("/mnt/telinit " + new)
        wait_until("level " + new, lambda: "init [%s]" % new in self.run(TITLE), GRACE)
        if not self.at_line:        # the helper reaches it by /var/run, a link on the disk
            self.until("read level < /run/runlevel; [ \"$level\" = %s ]" % new, "its record")
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
        for _ in range(FULL // NAMED):
            f.says(NAMED)
        f.lives()
        f.run("kill -CONT $(pidof rsyslogd)")
        f.delivered(f.syslog, f.console)
        tap.check("messages lost" in f.run("cat /var/log/syslog"), "more was said than is kept")
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
    """Nothing of it can be executed any more, but a shell that runs can start what is on the tmpfs. Ctrl-Alt-Del restarts the machine where
    its entry needs no disk; here that is busybox."""
    with faulty() as f:
        f.table = re.sub("(?m)^ca:.*", "ca::ctrlaltdel:/mnt/busybox reboot -nf", f.table)
        f.at_line = True
        f.s.detach_disk()
        f.run("! /mnt/busybox dd if=/dev/vda of=/dev/null bs=4096 count=1 && ! read line < /etc/passwd")
        f.says(40)
        f.lives()
        f.delivered(f.console)
        f.s.monitor("sendkey ctrl-alt-delete")
        tap.equal(f.s.resets(again=False), "guest-reset", "how it ended")


tap.main()
