# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine with an inittab that leaves marks of what was started, for tests of what init does.

    with Scene("id:2:initdefault:\ng1:23:respawn:/tmp/getty g1\n", boot=["3"]) as scene:
        scene.wait_mark("rc")           # /tmp/mark WORD ran: a line WORD RUNLEVEL PREVLEVEL
        scene.gettys("g1")              # the pids that /tmp/getty NAME ever had; it sleeps for ever
        scene.reread("...")             # a new inittab and `telinit q`
        scene.m                         # the machine, see machine.py
"""
import contextlib
import os
import signal

from machine import CMD_RUNLVL, Machine, sinks, subject, tap, wait_for     # noqa: F401

MARK = """#!/bin/sh
echo "$1 $RUNLEVEL $PREVLEVEL" >>/tmp/marks
"""
GETTY = """#!/bin/sh
echo "up $1 $$" >>/tmp/marks
exec sleep 1000000
"""
SCRIPTS = {"/tmp/mark": MARK, "/tmp/getty": GETTY}


class Scene:
    def __init__(self, inittab, boot=(), env=None, syslog="dgram", prepare=None, which=None,
                 argv0="/sbin/init", left_open=0, **machine_options):
        self.inittab, self.boot_args, self.boot_env, self.argv0 = inittab, boot, env, argv0
        self.left_open = left_open
        self.syslog_kind, self.prepare = syslog, prepare
        self.which, self.machine_options = which or subject(), machine_options
        self._exits = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as exits:
            self.m = exits.enter_context(Machine(self.which, **self.machine_options))
            for name, text in SCRIPTS.items():
                self.m.write(name, text, 0o755)
            self.m.write("/tmp/marks", "")
            if self.inittab is not None:
                self.m.write("/etc/inittab", self.inittab)
            if self.syslog_kind:
                self.m.syslog.start(self.syslog_kind)
            if self.prepare:
                self.prepare(self.m)
            self.m.boot(*self.boot_args, env=self.boot_env, argv0=self.argv0, left_open=self.left_open)
            self.began(exits)
            self._exits = exits.pop_all()
        return self

    def began(self, exits):
        """For a subclass: init was executed just now."""

    def __exit__(self, kind, error, trace):
        if kind is None:
            tap.check(self.m.poll_status() is None, "pid 1 lives")
        self._exits.__exit__(kind, error, trace)

    def marks(self):
        return [line.split() for line in self.m.read("/tmp/marks").splitlines()]

    def marked(self, word):
        return [m for m in self.marks() if m[0] == word]

    def wait_mark(self, word, count=1):
        """-> the marks of that word, at least count of them."""
        wait_for(lambda: len(self.marked(word)) >= count, "%d marks %r" % (count, word))
        return self.marked(word)

    def gettys(self, name):
        return [int(m[2]) for m in self.marks() if m[:2] == ["up", name]]

    def wait_getty(self, name, count=1):
        """-> the pid of the count-th getty of that name."""
        wait_for(lambda: len(self.gettys(name)) >= count, "getty %s to be started" % name)
        return self.gettys(name)[count - 1]

    def kill(self, pid, signo=signal.SIGKILL):
        """pid: as the machine numbers it."""
        self.m.call(lambda: os.kill(pid, signo))

    def environment(self, pid):
        """{name: value} of a process in the machine. The kernel shows none for a moment while it executes something else."""
        text = wait_for(lambda: self.m.read("/proc/%d/environ" % pid), "the environment of %d" % pid)
        return dict(item.split("=", 1) for item in text.split("\0") if item)

    def runs(self, pid):
        found = self.m.process(pid)
        return bool(found) and found.state != "Z"

    def wait_said(self, text):
        """In syslog."""
        wait_for(lambda: text in self.m.syslog.texts(), "syslog to have %r" % text)

    def wait_shown(self, text):
        """As a line of init on the console."""
        wait_for(lambda: text in self.m.console.lines(), "the console to show %r" % text)

    def wait_title(self, title):
        wait_for(lambda: self.m.title() == title, "pid 1 to be titled %r" % title)

    def reread(self, inittab):
        self.m.write("/etc/inittab", inittab)
        self.m.request(CMD_RUNLVL, "q")
