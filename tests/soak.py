# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults that begin and end at random, several at once; what they are is the caller's.

    soak = Soak(seed, [Fault("console full", "console", begin, end), Fault("a storm", None, begin), ...])
    while soak.goes_on(seconds):
        soak.turn()             # some faults end, some begin; then the caller checks what it likes
        soak.has("console")     # a fault of that group is there
    soak.calm()                 # all end, in an order of their own

A seed gives the same sequence again; how far it gets in its time depends on the machine.
"""
import collections
import random
import time

HISTORY = 40


class Fault:
    """begin() and end(), which may be None: over at once. group: one of its faults at a time. ready(): False when it
    cannot begin just now. weight: how often, against the others."""

    def __init__(self, name, group, begin, end=None, ready=None, weight=2, turns=(2, 12)):
        self.name, self.group = name, group or name
        self.begin, self.end, self.ready = begin, end, ready or (lambda: True)
        self.weight, self.turns = weight, turns


class Soak:
    def __init__(self, seed, faults, most=5):
        self.seed, self.faults, self.most = seed, faults, most
        self.random = random.Random(seed)
        self.active = {}                # fault: turns left
        self.counts = collections.Counter()
        self.history = collections.deque(maxlen=HISTORY)
        self.turns = 0
        self.began = time.monotonic()

    def elapsed(self):
        return time.monotonic() - self.began

    def goes_on(self, seconds):
        return self.elapsed() < seconds

    def has(self, *groups):
        return any(fault.group in groups for fault in self.active)

    def note(self, what):
        self.history.append("%.1f %s" % (self.elapsed(), what))

    def _end(self, fault):
        del self.active[fault]
        self.note("end of: " + fault.name)
        fault.end()

    def _begin(self, fault):
        self.note("begin: " + fault.name)
        self.counts[fault.name] += 1
        fault.begin()
        if fault.end:
            self.active[fault] = self.random.randint(*fault.turns)

    def turn(self):
        self.turns += 1
        for fault in list(self.active):
            self.active[fault] -= 1
            if self.active[fault] <= 0:
                self._end(fault)
        while len(self.active) < self.most and self.random.random() < 0.5:
            free = [f for f in self.faults if not self.has(f.group) and f.ready()]
            if not free:
                break
            self._begin(self.random.choices(free, [f.weight for f in free])[0])

    def calm(self):
        while self.active:
            self._end(self.random.choice(list(self.active)))

    def describe(self):
        return "seed %d, turn %d; active: %s; the last of what was done:\n  %s" % (
            self.seed, self.turns, ", ".join(f.name for f in self.active) or "nothing", "\n  ".join(self.history))


def seeds(environment, fixed):
    """The seeds to use: SEED alone when the environment has it, else one that is new; in the short version a fixed one, too."""
    if environment.get("SEED"):
        return [int(environment["SEED"])]
    new = random.SystemRandom().randrange(1 << 32)
    return [new] if environment.get("SECONDS") else [fixed, new]


def seconds(environment, short):
    return float(environment.get("SECONDS") or short)
