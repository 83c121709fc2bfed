# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine whose init is replaced while it runs, by stock's or by ours, as a package upgrade does it.

    with Upgrade("stock", ENTRIES) as machine:      # booted with this one, in level 2
        machine.become("ours")                      # /sbin/init replaced, telinit u, until the new one says so
        machine.keeps("g1")                         # the getty has its first pid still, nothing was started twice
"""
import os

from machine import CMD_RUNLVL, tree_of
from scene import Scene, tap, wait_for

INITTAB = """id:2:initdefault:
si::sysinit:/tmp/mark sysinit
l2:2:wait:/tmp/mark rc
l3:3:wait:/tmp/mark rc
g1:2345:respawn:/tmp/getty g1
g2:23:respawn:/tmp/getty g2
on:2:once:/tmp/mark once
de:a:ondemand:/tmp/getty de
ca::ctrlaltdel:/tmp/mark ctrlaltdel
"""


def binary(which):
    with open(os.path.join(tree_of(which), "sbin/init"), "rb") as file:
        return file.read()


class Upgrade(Scene):
    def __init__(self, which, inittab=INITTAB, **options):
        super().__init__(inittab, which=which, **options)
        self.now = which
        self.gone = 0

    def began(self, exits):
        wait_for(lambda: self.m.title() == "init [2]", "level 2")

    def reloads(self):
        return sum("reloading" in line for line in self.m.console.lines())

    def install(self, which):
        self.m.write("/sbin/init", binary(which) if isinstance(which, str) else which, 0o755)

    def ask(self):
        self.m.request(CMD_RUNLVL, "U")

    def become(self, which):
        """The other init takes over; waits until it serves."""
        before = self.reloads()
        self.install(which)
        self.ask()
        wait_for(lambda: self.reloads() > before, "%s to take over from %s" % (which, self.now))
        self.now = which
        self.serves()

    def serves(self):
        tap.check(self.m.poll_status() is None, "pid 1 lives")
        wait_for(self.m.takes_requests, "requests to be taken")
        self.m.promptness()

    def kept(self, *names):
        """Each of them runs, and was started once."""
        for name in names:
            pids = self.gettys(name)
            tap.equal(len(pids), 1, "starts of %s" % name)
            tap.check(self.runs(pids[0]), "%s runs" % name)
            tap.equal(self.m.process(pids[0]).ppid, 1, "the parent of %s" % name)

    def respawns(self, name):
        count = len(self.gettys(name))
        self.kill(self.gettys(name)[-1])
        self.wait_getty(name, count + 1)
        wait_for(lambda: not self.m.zombies(), "the dead to be reaped")

    def enters(self, level):
        self.m.request(CMD_RUNLVL, level)
        wait_for(lambda: self.m.title() == "init [%s]" % level, "level " + level)
