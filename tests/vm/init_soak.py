#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults begun and ended at random, several at once, as only a real kernel has them: a serial console that is stopped or
redirected, a wall clock that steps by hours. What must hold is looked at all along; afterwards every line was shown once
and in order, or is counted as lost where it is missing (tests/system/init_soak.py does it with more of the faults).

SEED=N takes that seed; SECONDS=N runs for so long (make soak: half an hour).
"""
import base64
import os
import struct

import proof
import vm
from vm import tap
import soak
from ledger import HEADER_BYTES, account_of
from soak import Fault

SHORT_S, ROUND_S = 40, 120
PATIENCE_S = 300
ORPHAN_MS = 10000
GUARD_STARTS = 6
OTHERS = 1 << 30                # who says how many lines without a number were lost is the queue, at the end
HOURS = 3600
FLOOD = b"".join(struct.pack("=iiii368s", 0x03091969, 6, 0, 0, b"INIT_COUNT=%d" % n) for n in range(60))
QUEUE = """for f in /proc/1/fd/*; do
case $(readlink $f) in /memfd:initlog*) head -c %d $f | base64; break ;; esac; done""" % HEADER_BYTES
GROUP = "/run/cgroup/one"


class Patient(proof.Table):
    """A table that needs no syslogd to see that it is read."""

    def say(self, count):
        while count > 0:
            batch = min(count, self.BATCH)
            first, self.numbered = self.numbered + 1, self.numbered + batch
            self.answers("".join(f"x:2:seq-{n:06d}:true\n" for n in range(first, self.numbered + 1)))
            self.m.write("/etc/inittab", self.text)     # a change of level reads it again, and would say them again
            count -= batch


class VmSoak:
    def __init__(self, machine, seed):
        self.m = machine
        self.table = Patient(machine)
        self.soak = soak.Soak(seed, self.faults(), most=4)
        self.random = self.soak.random
        self.starts = self.kills = 0
        self.level = "2"
        machine.check("sleep 1000000 </dev/null >/dev/ttyS0 2>&1 &")    # a last close would be another fault
        machine.check("mkdir /run/cgroup && mount -t cgroup2 none /run/cgroup && "
                      f"echo +pids >/run/cgroup/cgroup.subtree_control && mkdir {GROUP} && echo 1 >{GROUP}/cgroup.procs")
        machine.write("/run/flood.b64", base64.encodebytes(FLOOD).decode())
        machine.check("base64 -d /run/flood.b64 >/run/flood")
        self.mark = machine.console.mark()
        self.descriptors = self.count_descriptors()

    def count_descriptors(self):
        return int(self.m.check("ls /proc/1/fd | wc -l"))

    # ----------------------------------------------------------------------------------- the faults

    def faults(self):
        def run(command):
            return lambda: self.m.check(command)
        inittab = run("cp /run/good /etc/inittab.new; rm -rf /etc/inittab; mv /etc/inittab.new /etc/inittab")
        keep = "cp /etc/inittab /run/good && rm /etc/inittab && "
        return [
            Fault("the console is stopped by ^S", "console", lambda: self.m.console.send(b"\x13"),
                  lambda: self.m.console.send(b"\x11")),
            Fault("the far end of the console takes nothing", "console", self.m.console.stall, self.m.console.resume),
            Fault("the console is redirected", "console", lambda: self.background("redirect", "vmguest redirect", "redirected"),
                  lambda: self.over("redirect")),
            Fault("syslogd is stopped", "syslog", run("kill -STOP $(pidof syslogd)"), run("kill -CONT $(pidof syslogd)")),
            Fault("there is no syslogd", "syslog", run("kill $(pidof syslogd)"), self.start_syslogd),
            Fault("utmp and wtmp are locked", "records",
                  lambda: self.background("lock", "vmguest lock /run/utmp /var/log/wtmp", "locked"), lambda: self.over("lock")),
            Fault("the inittab is a FIFO", "inittab", run(keep + "mkfifo /etc/inittab"), inittab),
            Fault("the inittab is a directory", "inittab", run(keep + "mkdir /etc/inittab"), inittab),
            Fault("the inittab is garbage", "inittab", run(keep + "head -c 20000 /dev/urandom >/etc/inittab"), inittab),
            Fault("forks are refused", "fork", run(f"echo 0 >{GROUP}/pids.max"), self.allow_forks, turns=(1, 3)),
            Fault("helpers are stopped", "helpers", lambda: self.signal_helpers("STOP"), run(self.helpers_signal("CONT", ".*"))),
            Fault("helpers are killed", "kill", self.kill_helpers, weight=1),
            Fault("a storm of orphans", "storm", lambda: self.m.check(f"vmguest storm {self.random.randint(50, 600)} 100")),
            Fault("a flood of requests", "flood", run("for i in 1 2 3; do dd if=/run/flood of=/run/initctl bs=384; done 2>&1")),
            Fault("random bytes as requests", "bytes", lambda: self.m.check(
                f"head -c {self.random.randint(1, 3000)} /dev/urandom | dd of=/run/initctl bs=4096 2>&1")),
            Fault("the clock steps", "clock", self.step_clock, weight=4),
        ]

    def background(self, name, command, word):
        self.m.check(f"{command} </dev/null >/run/{name} 2>&1 & echo $! >/run/{name}.pid")
        self.m.wait(name, f"grep {word} /run/{name}")

    def over(self, name):
        self.m.check(f"kill -9 $(cat /run/{name}.pid)")

    def start_syslogd(self):
        self.m.check(f"syslogd -O {self.table.syslog} </dev/null >/dev/null 2>&1")

    @staticmethod
    def helpers_signal(name, which):
        return f"kill -{name} $(ps -o pid,args | grep -E 'init \\[log: {which}\\]' | grep -v grep | awk '{{print $1}}') || true"

    def some_helpers(self):
        return "(%s)" % "|".join(self.random.sample(("console", "syslog", "records", "wtmp"), self.random.randint(1, 4)))

    def signal_helpers(self, name):
        self.m.check(self.helpers_signal(name, self.some_helpers()))

    def kill_helpers(self):
        self.kills += 1
        self.signal_helpers("KILL")

    def allow_forks(self):
        self.m.check(f"echo max >{GROUP}/pids.max")

    def step_clock(self):
        seconds = self.random.choice((-1, 1)) * self.random.randint(1, 12 * HOURS)
        self.m.check(f"date -s @$(( $(date +%s) + {seconds} ))")

    # ----------------------------------------------------------------------------------- the checks

    def reaps_soon(self):
        ms = self.m.orphan_ms(60000)
        tap.check(ms is not None and ms <= ORPHAN_MS, f"an orphan is gone soon; it took {ms} ms")

    def changes_level(self):
        old, self.level = self.level, "3" if self.level == "2" else "2"
        line = f"{self.level} {old} {self.level}"
        before = self.m.rc_log().count(line)
        vm.wait_until("telinit ends well", lambda: self.m.run(f"telinit {self.level}").status == 0, PATIENCE_S)
        vm.wait_until(f"level {self.level} is entered", lambda: self.m.rc_log().count(line) > before, PATIENCE_S)
        self.m.wait("its title", f"grep -q 'init .{self.level}.' /proc/1/cmdline", PATIENCE_S)
        self.starts = 0

    def respawns(self):
        self.starts += 1
        if self.starts > GUARD_STARTS:
            self.changes_level()
        proof.respawn(self.m)

    def says_lines(self):
        self.table.say(self.random.choice((1, 20, 50, 50, 400)))

    def turn(self):
        self.soak.turn()
        self.reaps_soon()
        checks = [self.reaps_soon] if self.soak.has("fork") else [self.changes_level, self.respawns]
        if not self.soak.has("fork", "inittab"):
            checks += [self.table.answers, self.says_lines, self.says_lines]
        check = self.random.choice(checks)
        self.soak.note(check.__name__)
        check()

    def account(self):
        return account_of(base64.b64decode(self.m.check(QUEUE)), "console")

    def ends_well(self):
        self.soak.calm()
        self.changes_level()
        self.table.answers()
        self.respawns()
        self.reaps_soon()
        self.table.say(1)
        numbers = proof.Numbers(self.m, self.mark, 1)
        vm.wait_until("the last line is on the console", lambda: numbers.arrived(self.table.numbered), PATIENCE_S)
        vm.wait_until("all is delivered", lambda: not self.account().pending, PATIENCE_S)
        account = self.account()
        numbers.judge(self.table.numbered, OTHERS, doubles=self.kills)
        announced = sum(count or 0 for _, count in numbers.words())
        tap.check(announced == account.lost or (self.kills and announced > account.lost),
                  f"the console tells of {announced} lost lines, {account.lost} were lost")
        self.m.wait("the dead to be reaped", "! grep -q 'State:.Z' /proc/[0-9]*/status", PATIENCE_S)
        self.m.wait("four helpers", "test $(ps -o args | grep -cE '^([{]init-log[}] )?init .log: ') = 4", PATIENCE_S)
        vm.wait_until("pid 1 has the descriptors that it had at first",
                      lambda: self.count_descriptors() == self.descriptors, PATIENCE_S)
        proof.in_the_one_wait(self.m)
        tap.diag(f"console: {account}")


def several_faults_at_once(seed, seconds):
    tap.diag(f"SEED={seed}")
    with vm.Machine(files=proof.FILES) as m:
        m.wait("the respawn entry runs", "test -s /run/rs.pid")
        m.watch()
        it = VmSoak(m, seed)
        try:
            while it.soak.goes_on(seconds):
                end = min(seconds, it.soak.elapsed() + ROUND_S)
                while it.soak.goes_on(end):
                    it.turn()
                it.ends_well()
        except BaseException:
            tap.diag(it.soak.describe())
            raise
        tap.diag(f"{it.soak.turns} turns; {dict(it.soak.counts)}")


SECONDS = soak.seconds(os.environ, SHORT_S)
_seed = soak.seeds(os.environ, 0)[-1]
tap.add(f"random faults, several at once, harm nothing (seed {_seed})",
        lambda: several_faults_at_once(_seed, SECONDS), 900 + 3 * SECONDS)

tap.main()
