#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""System calls of the shipped pid 1 fail, by strace's injection, over a life with a boot, levels, a table, a crash and an upgrade.

    init_calls_fail.py              a selection
    SWEEP=1 init_calls_fail.py      all (make sweep): each call's n-th, once and from then on, with each error

A call is known by its place in an undisturbed life. Injection lasts until strace lets go of pid 1, which then must come to where
it would have come: it reaps, takes requests, runs what belongs to the level, has its helpers and not one descriptor more.
Whoever crashes while what saves the state fails ends in the last resort: it lives and reaps, no more. So calls that fail on and on
from before the crash get a life without one.
strace is there before init is, from outside: it cannot be inside, for pid 1's parent is not in the name space. It follows no
children, whose calls it would count and fail as well.
"""
import os
import re
import signal

import probe
from machine import CMD_RUNLVL, request_bytes
from rows import INITTAB, Row, tap, wait_for

ERRORS = ("EINTR", "EAGAIN", "EIO", "ENOMEM", "ENFILE", "ENOSPC")
# Not made to fail. close: Linux closes the descriptor whatever it reports, but an injected error keeps it from being called.
# The others cannot fail, or not for a reason that a running system has: libc's start relies on it, and a helper that was not
# killed would deliver beside its successor.
NEVER = {"close", "rt_sigreturn", "exit", "exit_group", "getpid", "getppid", "gettid", "geteuid", "getuid", "arch_prctl", "set_tid_address",
         "brk", "munmap", "mprotect", "restart_syscall", "umask", "kill"}
# Only once: for what pid 1 asks of its own mask and its own memory the kernel has no error.
NOT_FOR_EVER = {"futex", "rt_sigprocmask"}
STEP_S, LASTING_STEP_S = 5, 2   # that the life waits for what may never come
RECOVERY_S = 150        # above the longest pause of all, a helper's restart
# (call, which of those after init's exec, error, once or from then on)
SELECTION = (("epoll_ctl", 1, "ENOMEM", ""), ("memfd_create", 1, "ENFILE", ""), ("mmap", 1, "ENOMEM", ""), ("signalfd4", 1, "ENFILE", ""),
             ("pwrite64", 60, "ENOSPC", ""), ("fcntl", 6, "ENOMEM", ""), ("execve", 1, "EIO", ""), ("epoll_pwait", 3, "EINTR", "+"), ("socketpair", 1, "ENOMEM", "+"))


class Life(Row):
    """What happens, whether or not pid 1 can serve it: each step waits for its outcome, but not for ever."""

    def __init__(self, inject=None, step_s=STEP_S, has_crash=True):
        super().__init__(prepare=self.attach)
        self.inject, self.step_s, self.has_crash = inject, step_s, has_crash
        self.must_boot = step_s == STEP_S

    def attach(self, machine):
        self.trace = probe.Strace(machine.pid, self.inject)
        self.trace.__enter__()

    def began(self, exits):
        exits.callback(self.detach)

    def detach(self):
        if self.trace:
            self.trace.__exit__()
        self.trace = None

    def may_come(self, condition, what):
        try:
            wait_for(condition, what, self.step_s)
        except tap.Failed:
            tap.diag("not under these failures: " + what)

    def ask(self, level):
        """If there is anybody who reads it."""
        if self.m.takes_requests():
            self.m.initctl(request_bytes(CMD_RUNLVL, level))

    def live(self):
        is_booted = lambda: self.m.title() == "init [2]" and self.gettys("g1")      # noqa: E731
        if self.must_boot:
            wait_for(is_booted, "a boot", RECOVERY_S)
        self.may_come(is_booted, "a boot")
        started = len(self.gettys("g1"))
        for pid in self.gettys("g1")[-1:]:
            self.kill(pid)
        for orphan in [self.m.orphan() for _ in range(3)]:
            orphan.end()
        self.may_come(lambda: len(self.gettys("g1")) > started, "a respawn")
        self.ask("3")
        self.may_come(lambda: self.m.title() == "init [3]", "level 3")
        self.m.write("/etc/inittab", INITTAB + "a1:23:once:/tmp/mark added\n")
        self.ask("q")
        self.may_come(lambda: self.marked("added"), "a table that is read again")
        if self.has_crash:
            self.may_come_up(lambda: self.m.signal(signal.SIGSEGV), "a new image after a crash")
        self.may_come_up(lambda: self.ask("U"), "a new image after telinit u")
        self.ask("2")
        self.may_come(lambda: self.m.title() == "init [2]", "level 2")

    def may_come_up(self, act, what):
        before = self.images()
        act()
        self.may_come(lambda: self.images() > before, what)

    def images(self):
        return sum("reloading" in line for line in self.m.console.lines())

    def descriptors(self):
        return len(self.what_it_holds())

    def what_it_holds(self):
        place = "/proc/%d/fd/" % self.m.pid
        return [os.readlink(place + fd) for fd in os.listdir(place)]

    def hears_children(self):
        return any(what.startswith("socket:") for what in self.what_it_holds())

    def is_at_its_last(self):
        """It has crashed and could not be executed again."""
        sleeps = {"nanosleep", "clock_nanosleep"}
        seen = wait_for(lambda: {probe.look(self.m.pid).syscall} & (sleeps | probe.THE_ONE_WAIT), "pid 1 to be asleep")
        return bool(seen & sleeps)

    def reaps_again(self):
        self.detach()
        tap.check(self.m.poll_status() is None, "pid 1 lives")
        wait_for(lambda: not self.m.zombies(), "no zombie to be left", RECOVERY_S)
        self.reaps()

    def recovers(self):
        """As a person would, who asks again for what was not done."""
        self.reaps_again()
        self.patience_s = RECOVERY_S
        wait_for(self.m.takes_requests, "requests to be taken", RECOVERY_S)
        for self.level in ("3", "2"):
            self.m.request(CMD_RUNLVL, self.level)
            self.is_titled(self.level)
        wait_for(lambda: self.gettys("g1") and self.runs(self.gettys("g1")[-1]), "the getty to run", RECOVERY_S)
        self.respawns()
        self.answers_q()
        wait_for(lambda: len(self.m.helpers()) == 4, "the helpers to be there", RECOVERY_S)
        wait_for(self.hears_children, "a channel for what the loader has to say", RECOVERY_S)
        self.log(20)
        self.delivered(self.m.syslog.texts, others=1000)     # what was lost in the life is told before the first
        tap.check(self.m.poll_status() is None, "pid 1 lives")

    def __exit__(self, kind, error, trace):
        self.strict = False     # where it sleeps while its calls fail is no matter here
        self.watch = None
        super().__exit__(kind, error, trace)


def undisturbed():
    """-> ({call: (how often before init, up to the crash, in all)}, descriptors at the end)"""
    with Life() as life:
        life.live()
        trace = life.trace
        life.recovers()
        found = life.descriptors()
    names = [m.group(1) or m.group(2) for m in (re.match(r"(\w+)\(|--- (SIGSEGV)", line) for line in trace.lines) if m]
    begin, crash = names.index("execve") + 1, names.index("SIGSEGV")
    return {name: tuple(names[:end].count(name) for end in (begin, crash, len(names))) for name in set(names) - NEVER - {"SIGSEGV"}}, found


def fails(place, error, lasting, known):
    """place: (call, the n-th after init's exec)"""
    name, nth = place
    counts, descriptors = known()
    tap.check(name in counts, "an undisturbed life has the call " + name)
    before, at_crash, in_all = counts[name]
    tap.check(before + nth <= in_all, "it has %d of them" % nth)
    has_crash = not lasting or before + nth > at_crash
    with Life("%s:error=%s:when=%d%s" % (name, error, before + nth, lasting), LASTING_STEP_S if lasting else STEP_S, has_crash) as life:
        life.live()
        trace = life.trace
        life.reaps_again()
        if not any("(INJECTED)" in line for line in trace.lines):
            tap.diag("this time it was not called so often")
        if lasting and has_crash and life.is_at_its_last():
            tap.diag("the last resort is left")
            return
        life.recovers()
        if lasting and name == "pread64":
            return      # what the image before left open is told by what cannot be read
        try:
            wait_for(lambda: life.descriptors() <= descriptors, "pid 1 to have no more than %d descriptors" % descriptors, 30)
        except tap.Failed:
            tap.diag("it has " + " ".join(life.what_it_holds()))
            raise


def remembered(function, memory=[]):    # noqa: B006
    if not memory:
        memory.append(function())
    return memory[0]


def known():
    return remembered(undisturbed)


def places(counts, most):
    """At most this many of each call's, the first and the last among them."""
    for name, (before, _, in_all) in sorted(counts.items()):
        count = in_all - before
        wanted = min(count, most)
        for at in range(wanted):
            yield name, 1 + (at * (count - 1) // (wanted - 1) if wanted > 1 else 0)


def add(name, nth, error, lasting):
    tap.add("call %d of %s fails with %s%s" % (nth, name, error, " and all after it" if lasting else ""),
            lambda: fails((name, nth), error, lasting, known), 600)


if os.environ.get("SWEEP") == "1":
    for where in places(known()[0], int(os.environ.get("POINTS", "6"))):
        for errno in ERRORS:
            for more in ("",) if where[0] in NOT_FOR_EVER else ("", "+"):
                add(*where, errno, more)
else:
    for row in SELECTION:
        add(*row)

tap.main()
