#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The faults of the table, several at once, begun and ended at random; what must hold is looked at all along.

After each round of them all end, and every line must have been delivered once and in order or be counted as lost where it
is missing; pid 1 has as many descriptors as at first, nobody is left dead, and the records tell of every change of level.
SEED=N runs that seed alone; SECONDS=N runs for so long (make soak: half an hour).
"""
import collections
import fcntl
import os
import re
import signal

from machine import CMD_RUNLVL, CMD_SETENV, request_bytes
from ledger import Ledger
from rows import BATCH, INITTAB, LOST, PROMPT_S, Row, judge_delivery, level_records, number_of, subject, tap, wait_for
import soak
from soak import Fault
from storm import storm
from stuck import NOBODY, StuckFs, locker

FIXED_SEED = 20261126
SHORT_S, ROUND_S = 28, 90
PATIENCE_S = 120
REAPED_WITHIN_S = 10 * PROMPT_S         # many faults at once, on a machine that does other things too
GUARD_STARTS = 6                        # of ten within two minutes; a reading or a change of level forgets them
UNNUMBERED = 1 << 30                    # who says how many lines without a number were lost is the queue, at the end
HANGUP_LINES = 8                        # what may lie unread in a terminal that hangs up
HELPERS = ("console", "syslog", "records", "wtmp")


def write_requests(count):
    """None that has the inittab read: it would say again what it says of its lines."""
    fd = os.open("/run/initctl", os.O_WRONLY)
    for n in range(count):
        os.write(fd, request_bytes(CMD_SETENV, data=b"INIT_COUNT=%d\0" % n))


class SoakRow(Row):
    patience_s = PATIENCE_S

    def __init__(self, seed):
        super().__init__(pids_cgroup=True, prepare=self.lay_out)
        self.soak = soak.Soak(seed, self.faults())
        self.random = self.soak.random
        self.doubles = collections.Counter()    # kills of each helper
        self.hangups = self.starts = 0
        self.held = {}                          # a file: who has it locked
        self.owed = None                        # a change of level whose rc could not be forked yet

    def lay_out(self, machine):
        for place in ("/var/log", "/mnt/tab"):
            machine.loop_ext4(place)
        machine.write("/var/log/wtmp", "")
        self.dead = None
        if os.path.exists("/dev/fuse"):
            self.dead = StuckFs(machine, "/mnt/dead", "inittab", INITTAB)

    def began(self, exits):
        super().began(exits)
        self.ledger = Ledger(self.m.pid)
        exits.callback(self.ledger.close)
        self.holds()
        wait_for(lambda: set(self.m.helpers()) == set(HELPERS), "one helper for each sink")
        self.descriptors = wait_for(self.steady_descriptors, "pid 1 to have its descriptors")

    # ----------------------------------------------------------------------------------- the faults

    def faults(self):
        def console(name):
            return lambda: getattr(self.m.console, name)()

        def syslog(name):
            return lambda: getattr(self.m.syslog, name)()
        return [
            Fault("nobody reads the console", "console", console("fill"), console("resume")),
            Fault("the console is stopped by ^S", "console", console("xoff"), console("xon")),
            Fault("the console has no name", "console", console("remove"), console("put_back")),
            Fault("the console hung up", "console", self.hang_up, self.attach, self.may_hang_up),
            Fault("the console is revoked", "console", self.revoke, None, self.may_hang_up),
            Fault("syslogd is stopped", "syslog", syslog("stop"), syslog("go_on")),
            Fault("there is no syslogd", "syslog", syslog("end"), self.start_syslog),
            Fault("syslogd is restarted", "syslog", self.restart_syslog),
            Fault("utmp is locked", "utmp", lambda: self.lock("/run/utmp", os.O_RDONLY, fcntl.LOCK_SH, NOBODY),
                  lambda: self.unlock("/run/utmp"), self.may_lock),
            Fault("wtmp is locked", "wtmp", lambda: self.lock("/var/log/wtmp", os.O_WRONLY, fcntl.LOCK_EX),
                  lambda: self.unlock("/var/log/wtmp"), self.may_lock),
            Fault("wtmp is frozen", "wtmp", lambda: self.m.freeze("/var/log"), lambda: self.m.thaw("/var/log")),
            Fault("the inittab is a FIFO", "inittab", lambda: self.put_inittab(os.mkfifo), self.restore_inittab),
            Fault("the inittab is a directory", "inittab", lambda: self.put_inittab(os.mkdir), self.restore_inittab),
            Fault("the inittab is garbage", "inittab", lambda: self.put_inittab(self.garbage), self.restore_inittab),
            Fault("the inittab is gone", "inittab", lambda: os.unlink(self.m.path("/etc") + "/inittab"), self.restore_inittab),
            Fault("the inittab is frozen", "inittab", self.freeze_inittab, self.thaw_inittab),
            Fault("the inittab is on a dead file system", "inittab", self.hold_inittab, self.release_inittab,
                  lambda: self.dead and not self.soak.has("requests"), weight=1, turns=(1, 3)),
            Fault("forks are refused", "fork", lambda: self.m.pids.limit(1), self.allow_forks, turns=(2, 5)),
            Fault("helpers are stopped", "helpers", self.stop_helpers, self.continue_helpers),
            Fault("helpers are killed", "kill", self.kill_helpers, weight=1),
            Fault("a storm of orphans", "storm", self.storm),
            Fault("a flood of requests", "requests", self.begin_flood, self.end_flood, self.may_flood),
            Fault("random bytes as requests", "bytes", self.random_bytes),
            Fault("requests that make no sense", "nonsense", self.nonsense),
        ]

    def is_dead(self):
        return any("dead" in fault.name for fault in self.soak.active)

    def may_hang_up(self):
        """What lies unread in a terminal that hangs up is gone with it, and counts as delivered: it must be read first."""
        return not self.soak.has("helpers", "fork", "inittab")

    def hang_up(self):
        self.say_and_see(self.m.console.lines)
        self.hangups += 1
        self.m.console.remove()
        self.m.console.hang_up()

    def attach(self):
        self.m.console.attach()

    def revoke(self):
        self.say_and_see(self.m.console.lines)
        self.hangups += 1
        self.m.console.revoke()

    def say_and_see(self, texts):
        self.log(1)
        self.settle(texts, 2 * PATIENCE_S)

    def start_syslog(self):
        self.m.syslog.start(self.random.choice(("dgram", "stream")))

    def restart_syslog(self):
        self.m.syslog.end()
        self.start_syslog()

    def may_lock(self):
        """Who is stopped may hold the lock."""
        return not self.soak.has("helpers")

    def lock(self, path, *how):
        self.held[path] = locker(self.m, path, *how)

    def unlock(self, path):
        self.held.pop(path).end()

    def garbage(self, path):
        """With one bad line at least: a table of blanks and comments alone is an empty one, which stops all that runs, as in stock."""
        with open(path, "wb") as file:
            file.write(b"?" + self.random.randbytes(self.random.choice((0, 4095, (1 << 20) - 1))))

    def restore_inittab(self):
        path = self.m.path("/etc") + "/inittab"
        if os.path.isdir(path):
            os.rmdir(path)
        self.m.write("/etc/inittab", self.inittab)

    def freeze_inittab(self):
        self.m.write("/mnt/tab/inittab", self.inittab)
        self.m.freeze("/mnt/tab")
        self.put_inittab(lambda path: os.symlink("/mnt/tab/inittab", path))

    def thaw_inittab(self):
        self.m.thaw("/mnt/tab")
        self.restore_link()

    def hold_inittab(self):
        self.dead.hold()
        self.put_inittab(lambda path: os.symlink("/mnt/dead/inittab", path))

    def release_inittab(self):
        self.dead.release()
        self.restore_link()

    def restore_link(self):
        os.unlink(self.m.path("/etc") + "/inittab")
        self.m.write("/etc/inittab", self.inittab)

    def allow_forks(self):
        self.m.pids.limit(None)
        if self.owed:
            self.arrives(*self.owed)
        self.owed = None

    def some_helpers(self):
        found = sorted(self.m.helpers().items())
        return self.random.sample(found, self.random.randint(min(1, len(found)), len(found)))

    def signal_helpers(self, helpers, signo):
        def send():
            for _, pid in helpers:
                try:
                    os.kill(pid, signo)
                except ProcessLookupError:
                    pass
        self.m.call(send)

    def stop_helpers(self):
        self.stopped = self.some_helpers()
        self.signal_helpers(self.stopped, signal.SIGSTOP)

    def continue_helpers(self):
        self.signal_helpers(self.stopped, signal.SIGCONT)

    def kill_helpers(self):
        killed = self.some_helpers()
        self.doubles.update(name for name, _ in killed)
        self.signal_helpers(killed, signal.SIGKILL)

    def storm(self):
        with storm(self.m, self.random.randint(100, 3000)) as break_loose:
            break_loose()

    def may_flood(self):
        return not self.is_dead()

    def begin_flood(self):
        count = self.random.randint(100, 3000)
        self.flood = self.m.spawn(lambda: write_requests(count))

    def end_flood(self):
        tap.equal(self.flood.wait(PATIENCE_S), 0, "the end of who wrote a flood of requests")

    def random_bytes(self):
        for _ in range(self.random.randint(1, 10)):
            self.m.initctl(self.random.randbytes(self.random.choice((1, 383, 384, 385, self.random.randrange(1, 3000)))),
                           PATIENCE_S)

    def nonsense(self):
        self.m.request(self.random.choice((0, 5, 8, -1, 0x7FFFFFFF)), deadline=PATIENCE_S)
        self.m.request(CMD_RUNLVL, self.random.choice(("x", "~", "\0", 300, -5)), deadline=PATIENCE_S)

    # ----------------------------------------------------------------------------------- the checks

    def reaps_soon(self):
        lag = self.m.promptness(PATIENCE_S)
        tap.check(lag < REAPED_WITHIN_S, "a probe orphan is gone soon; it lay %.3f s" % lag)

    def asks_for_level(self):
        """Nothing of it can be started, but it is entered."""
        target = "3" if self.level == "2" else "2"
        self.owed = (target, self.level, len(self.marks()))
        self.m.request(CMD_RUNLVL, target, deadline=PATIENCE_S)
        self.is_titled(target)
        self.level = target

    def changes_level(self):
        if self.soak.has("requests", "inittab"):    # telinit itself gives up after three seconds
            since, before = len(self.marks()), self.level
            self.level = "3" if before == "2" else "2"
            self.m.request(CMD_RUNLVL, self.level, deadline=PATIENCE_S)
            self.arrives(self.level, before, since)
        else:
            super().changes_level()
        self.starts = 0

    def respawns_or_changes_level(self):
        self.starts += 1
        if self.starts > GUARD_STARTS:
            self.changes_level()
        else:
            self.respawns()

    def says_lines(self):
        """Now and then more than the queue holds, when somebody does not take them."""
        many = self.random.random() < 0.3
        held_up = self.soak.has("console", "syslog", "helpers")
        self.log(self.random.randint(1, (14 if held_up else 4) * BATCH if many else BATCH))

    def answers_hup(self):
        self.answers_q(lambda: self.m.signal(signal.SIGHUP))

    def possible_checks(self):
        if self.soak.has("fork"):
            return [self.reaps_soon] if self.owed else [self.reaps_soon, self.asks_for_level]
        checks = [self.changes_level, self.respawns_or_changes_level]
        if not self.soak.has("inittab"):
            checks += [self.answers_q, self.answers_hup, self.says_lines, self.says_lines]
        return checks

    def turn(self):
        self.soak.turn()
        self.reaps_soon()
        check = self.random.choice(self.possible_checks())
        self.soak.note(check.__name__)
        check()
        tap.check(self.m.poll_status() is None, "pid 1 lives")

    # ------------------------------------------------------------------- when all faults have ended

    def steady_descriptors(self):
        """{what: how many}, once pid 1 has no children but entries and helpers."""
        def look():
            folder, found = "/proc/%d/fd" % self.m.pid, collections.Counter()
            for name in os.listdir(folder):
                try:
                    found[re.sub(r"\d+", "N", os.readlink("%s/%s" % (folder, name)))] += 1
                except FileNotFoundError:
                    pass
            return found
        jobs = [p for p in self.m.processes() if p.ppid == 1 and p.pid not in
                [*self.m.helpers().values(), *self.gettys("g1")[-1:]]]
        first = look()
        return None if jobs or first != look() else first

    def delivered_or_lost(self, sink, texts):
        kills = self.doubles[sink]
        self.settle(texts, 2 * PATIENCE_S)
        wait_for(lambda: not self.ledger.account(sink).pending, "all to be delivered to " + sink, 2 * PATIENCE_S)
        account = self.ledger.account(sink)

        def shown():
            return sum(not LOST.fullmatch(text) for text in texts())
        spare = self.hangups * HANGUP_LINES if sink == "console" else 0
        wait_for(lambda: shown() >= account.delivered - spare, "%s to have %d lines" % (sink, account.delivered))
        tap.check(shown() <= account.delivered + kills, "%s has %d lines, %d were delivered, its helper was killed %d times"
                  % (sink, shown(), account.delivered, kills))
        announced = sum(int(found.group(1)) for found in map(LOST.fullmatch, texts()) if found)
        tap.check(announced == account.lost or (kills and announced > account.lost),
                  "%s tells of %d lost lines, %d were lost" % (sink, announced, account.lost))
        judge_delivery(texts(), self.numbered, UNNUMBERED, doubles=kills)

    def records_tell_all(self):
        def told():
            return level_records(self.m.wtmp()) if not self.doubles["wtmp"] else without_doubles(level_records(self.m.wtmp()))
        wait_for(lambda: not self.ledger.account("wtmp").pending, "all to be in wtmp", 2 * PATIENCE_S)
        if self.ledger.account("wtmp").lost:
            wait_for(lambda: told()[-1:] == self.changes()[-1:], "the last change of level in wtmp")
            tap.check(is_part(told(), self.changes()), "changes of level in wtmp are in order")
        else:
            wait_for(lambda: told() == self.changes(), "each change of level in wtmp, once and in order")
        wait_for(lambda: level_records(self.m.utmp()) == self.changes()[-1:], "the level in utmp", 2 * PATIENCE_S)

    def ends_well(self):
        self.soak.calm()
        self.soak.note("calm")
        self.changes_level()
        self.answers_q()
        self.respawns()
        self.reaps_soon()
        self.log(3)
        wait_for(lambda: set(self.m.helpers()) == set(HELPERS), "all helpers to run", 2 * PATIENCE_S)
        self.delivered_or_lost("syslog", self.m.syslog.texts)
        self.delivered_or_lost("console", self.m.console.lines)
        self.records_tell_all()
        wait_for(lambda: not self.m.zombies(), "the dead to be reaped")
        wait_for(lambda: self.steady_descriptors() == self.descriptors, "pid 1 to have the descriptors that it had at first")
        tap.equal(len(self.marked("sysinit")), 1, "runs of sysinit")


def without_doubles(items):
    return [item for n, item in enumerate(items) if not n or item != items[n - 1]]


def is_part(part, whole):
    rest = iter(whole)
    return all(item in rest for item in part)


def several_faults_at_once(seed, seconds):
    if subject() == "stock":
        tap.skip("it has no queue; each fault alone wedges it")
    tap.diag("SEED=%d" % seed)
    with SoakRow(seed) as row:
        try:
            while row.soak.goes_on(seconds):
                end = min(seconds, row.soak.elapsed() + ROUND_S)
                while row.soak.goes_on(end):
                    row.turn()
                row.ends_well()
        except BaseException:
            tap.diag(row.soak.describe())
            raise
        tap.diag("%d turns; %s" % (row.soak.turns, dict(row.soak.counts)))
        tap.diag(", ".join("%s: %s" % (sink, row.ledger.account(sink)) for sink in HELPERS))
        tap.check(len(row.soak.counts) > 5, "there were faults of several kinds")


SECONDS = soak.seconds(os.environ, SHORT_S)
for _seed in soak.seeds(os.environ, FIXED_SEED):
    tap.add("random faults, several at once, harm nothing (seed %d)" % _seed,
            lambda seed=_seed: several_faults_at_once(seed, SECONDS), 600 + 2 * SECONDS)

tap.main()
