# SPDX-License-Identifier: GPL-2.0-or-later
"""Random inittabs and random requests, carried out step by step in two machines: one with the stock init, one with ours.

    with Pair(source) as pair:      # a random.Random; both have booted the same random inittab
        pair.step()                 # something random, in both; Differs when what comes of it is not the same

After each step both must come to the same state: the title; which entries were ever started, how often, in which level and
coming from which; the order of those that are waited for; which run; /var/run/runlevel, utmp and the levels in wtmp.

Different on purpose, and let pass here:
* a level that is asked for before the boot is over has no level before it (N); stock tells its inner name of that time, * or
  #, which scripts take for a pattern or a comment where they name the folder of the previous level
* the boot has its record, even if a level is asked for while sysinit entries run
* an entry that SIGHUP's reading makes a respawn one is started once; stock starts it again and forgets the first: not tried
* stock's records of ends are not looked at: it makes none of what had to be killed, and its children write their starts
  when they like, after their ends, too
"""
import collections
import contextlib
import os
import re
import signal

from machine import CMD_POWERFAIL, CMD_POWERFAILNOW, CMD_POWEROK, CMD_RUNLVL, CMD_START, sinks
from scene import Scene, tap, wait_for

RUN = """#!/bin/sh
echo "$1 $RUNLEVEL $PREVLEVEL $$" >>/tmp/runs
case $2 in
hold) exec sleep 1000000 ;;
deaf) trap '' TERM; exec sleep 1000000 ;;
esac
"""
SULOGIN = "#!/bin/sh\nexec /tmp/run sulogin hold\n"
LEVELS = "12345"
WAITED = {"wait", "bootwait", "sysinit", "ctrlaltdel", "powerwait", "powerokwait", "powerfailnow"}
STAYING = {"respawn", "ondemand", "off"}        # they hold, or init would start them again and again
ACTIONS = (["respawn"] * 5 + ["once"] * 3 + ["wait"] * 4 + ["ondemand"] * 3 + ["off", "boot", "bootwait", "sysinit", "ctrlaltdel",
           "kbrequest", "powerfail", "powerwait", "powerokwait", "powerfailnow"])
KILLS = 6           # of one entry, before a reading or a change of level has the respawn guard forget them
NO_LEVELS = "?x~"
NO_PREVIOUS = str.maketrans("*#", "NN")
CALM_LOOKS = 4
PATIENCE_S = 60

Entry = collections.namedtuple("Entry", "id levels action mode")
State = collections.namedtuple("State", "title starts order running runlevel utmp levels")


class Differs(tap.Failed):
    pass


def random_levels(source, action):
    if action == "ondemand":
        return "".join(source.sample("abcABC", source.randint(1, 2)))
    if source.random() < 0.15:
        return ""
    levels = "".join(source.sample(LEVELS, source.randint(1, 4)))
    if source.random() < 0.1:
        levels += "S"
    if source.random() < 0.1:
        levels += source.choice("abcABC")
    return levels


def random_mode(source, action):
    if action in STAYING:
        return "deaf" if source.random() < 0.04 else "hold"
    if action in WAITED:
        return "hold" if source.random() < 0.1 else "end"
    return source.choice(("hold", "end"))


def random_entry(source, ident):
    action = source.choice(ACTIONS)
    return Entry(ident, random_levels(source, action), action, random_mode(source, action))


def random_table(source):
    return [random_entry(source, "e%d" % n) for n in source.sample(range(30), source.randint(2, 12))]


def changed_table(source, table):
    """Some entries go, some change in one field, some come, and perhaps two change places."""
    table = [entry for entry in table if source.random() > 0.15]
    for at, entry in enumerate(table):
        if source.random() < 0.25:
            other = random_entry(source, entry.id)
            table[at] = source.choice((other, entry._replace(levels=random_levels(source, entry.action)),
                                       entry._replace(mode=random_mode(source, entry.action))))
    for n in source.sample(range(30, 60), source.randint(0, 3)):
        if all(entry.id != "e%d" % n for entry in table):
            table.insert(source.randint(0, len(table)), random_entry(source, "e%d" % n))
    if len(table) > 1 and source.random() < 0.2:
        one, two = source.sample(range(len(table)), 2)
        table[one], table[two] = table[two], table[one]
    return table


def text_of(table, default):
    lines = ["%s:%s:%s:/tmp/run %s %s\n" % (e.id, e.levels, e.action, e.id, e.mode) for e in table]
    return "id:%s:initdefault:\n~~:S:wait:/sbin/sulogin\n" % default + "".join(lines)


class Run(Scene):
    """One of the two machines."""

    def __init__(self, which, inittab, boot):
        super().__init__(inittab, which=which, boot=boot, prepare=self.lay_out)
        self.markers = 0

    @staticmethod
    def lay_out(machine):
        machine.write("/tmp/run", RUN, 0o755)
        machine.write("/sbin/sulogin", SULOGIN, 0o755)
        machine.write("/tmp/runs", "")
        machine.write("/etc/inittab.d/none", "")

    def runs_so_far(self):
        """[(entry, level, previous, pid)]"""
        lines = map(str.split, self.m.read("/tmp/runs").splitlines())
        return [(entry, level, previous.translate(NO_PREVIOUS), int(pid)) for entry, level, previous, pid in lines]

    def marked_off(self):
        """A request behind those before it, which does nothing."""
        self.m.request(CMD_START, deadline=PATIENCE_S)
        self.markers += 1
        wait_for(lambda: self.m.syslog.texts().count("got unimplemented initrequest.") >= self.markers,
                 "%s to take its requests" % self.which, PATIENCE_S)

    @staticmethod
    def is_busy(found):
        """Something is on its way: a child that is no helper, nor what an entry stays as, nor the keeper of its session."""
        kept = {p.ppid for p in found if p.title.startswith("sleep ")}
        return any(p.ppid == 1 and (p.state == "Z" or not (p.title.startswith(("sleep ", "init [log: ")) or p.pid in kept))
                   for p in found)

    def state(self, waited):
        found = self.m.processes()
        if self.is_busy(found):
            return None
        runs, alive = self.runs_so_far(), {p.pid for p in found}
        utmp = self.m.utmp()
        running = sorted(run[0] for run in runs if run[3] in alive)
        return State(
            title=(self.m.title() or "")[:len("init [L]")],         # stock's is longer where another was before
            starts=collections.Counter(run[:3] for run in runs),
            order=[run[:3] for run in runs if run[0] in waited],
            running=running,
            runlevel=self.m.read("/var/run/runlevel")[:1] if self.m.exists("/var/run/runlevel") else None,
            utmp=sorted((r.id, r.type) for r in utmp if r.id in running) + self.changes(utmp)[-1:],
            levels=self.changes(self.m.wtmp()))

    @staticmethod
    def changes(records):
        """[(level, previous)]; of the boot: None."""
        found = [None if r.type == sinks.BOOT_TIME else (chr(r.pid & 255), chr(r.pid >> 8))
                 for r in records if r.type in (sinks.BOOT_TIME, sinks.RUN_LVL)]
        if found and found[0] and found[0][1] == "#":
            found.insert(0, None)
        return [change and (change[0], change[1].translate(NO_PREVIOUS)) for change in found]

    def pid_of(self, entry):
        return [run[3] for run in self.runs_so_far() if run[0] == entry][-1]


class Pair:
    def __init__(self, source):
        self.random = source
        self.table = random_table(source)
        self.default = source.choice("2345")
        self.boot = source.choice([()] * 6 + [("single",), ("S",), (source.choice(LEVELS),)])
        self.waited = set()             # ids that were waited for in every table so far, or never in any
        self.history = ["boot with %s\n%s" % (" ".join(self.boot), self.text())]
        self.kills = collections.Counter()

    def text(self):
        return text_of(self.table, self.default)

    def __enter__(self):
        with contextlib.ExitStack() as exits:
            self.both = [exits.enter_context(Run(which, self.text(), self.boot)) for which in ("stock", "ours")]
            self.mixed, self.seen = set(), {}
            self.note_actions()
            self.compare()
            self.exits = exits.pop_all()
        return self

    def __exit__(self, *what):
        self.exits.__exit__(*what)

    def note_actions(self):
        for entry in self.table:
            is_waited = entry.action in WAITED
            if self.seen.setdefault(entry.id, is_waited) != is_waited:
                self.mixed.add(entry.id)

    # ----------------------------------------------------------------------------------- comparing

    def compare(self):
        """Waits until both have come to rest in the same state. -> that state"""
        for run in self.both:
            run.marked_off()
        waited = {ident for ident, is_waited in self.seen.items() if is_waited} - self.mixed | {"sulogin"}
        last, calm = None, 0

        def at_rest():
            nonlocal last, calm
            now = [run.state(waited) for run in self.both]
            calm = calm + 1 if now == last and None not in now else 0
            last = now
            return calm >= CALM_LOOKS and now[0] == now[1]
        try:
            wait_for(at_rest, "both to come to the same state", PATIENCE_S)
        except tap.Failed:
            raise Differs(self.told(last)) from None
        return last[0]

    def told(self, states):
        said = []
        for which, state in zip(("stock", "ours"), states):
            said.append("%s: %s" % (which, "is still at work: %s" % [
                p for p in self.both[which == "ours"].m.processes() if p.ppid == 1] if state is None else ""))
        if None not in states:
            said += ["%s:\n  stock %r\n  ours  %r" % (name, a, b)
                     for name, a, b in zip(State._fields, *states) if a != b]
        return "\n".join(said + ["after:"] + self.history)

    # ----------------------------------------------------------------------------------- the steps

    def request(self, cmd, level=""):
        for run in self.both:
            run.m.request(cmd, level, 1)

    def ask_level(self, state):
        self.kills.clear()
        level = self.random.choice(LEVELS * 3 + "7Ss")
        self.history.append("level " + level)
        self.request(CMD_RUNLVL, level)

    def ask_again(self, state):
        self.kills.clear()
        letter = self.random.choice("qQ" + NO_LEVELS)
        self.history.append("letter " + letter)
        self.request(CMD_RUNLVL, letter)

    def hang_up(self, state):
        self.kills.clear()
        self.signal(state, signal.SIGHUP)

    def demand(self, state):
        letter = self.random.choice("abcABC")
        self.history.append("demand " + letter)
        self.request(CMD_RUNLVL, letter)

    def signal(self, state, signo):
        """A signal that comes just before stock sleeps is served when it wakes up: the level it is in is a request to do that."""
        self.history.append(signal.Signals(signo).name)
        for run in self.both:
            run.m.signal(signo)
        self.request(CMD_RUNLVL, state.runlevel or "#")

    def press(self, state):
        self.signal(state, self.random.choice((signal.SIGINT, signal.SIGWINCH)))

    def power(self, state):
        cmd = self.random.choice((CMD_POWERFAIL, CMD_POWERFAILNOW, CMD_POWEROK))
        self.history.append("power %d" % cmd)
        self.request(cmd)

    def end_one(self, state):
        running = [entry for entry in state.running if self.kills[entry] < KILLS]
        if not running:
            return self.ask_level(state)
        entry = self.random.choice(running)
        self.kills[entry] += 1
        self.history.append("kill " + entry)
        for run in self.both:
            run.kill(run.pid_of(entry))

    def change_table(self, state):
        before = {entry.id: entry.action for entry in self.table}
        self.table = changed_table(self.random, self.table)
        self.note_actions()
        becomes_respawn = any(entry.action == "respawn" != before.get(entry.id, "respawn") for entry in self.table)
        read_alone = self.ask_again if becomes_respawn else self.hang_up
        self.history.append("the table becomes\n" + self.text())
        for run in self.both:
            run.m.write("/etc/inittab", self.text())
        self.random.choice((self.ask_again, self.ask_level, self.demand, read_alone))(state)

    def sequence(self):
        """-> the number of its steps"""
        steps = self.random.randint(3, 6)
        state = self.compare()
        for _ in range(steps):
            self.random.choice([self.ask_level] * 4 + [self.end_one] * 3 + [self.change_table] * 2 + [
                self.demand, self.ask_again, self.hang_up, self.press, self.power])(state)
            state = self.compare()
        return steps
