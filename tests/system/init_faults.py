#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A real fault of pid 1 before any of its system calls, and signals of a fault at any moment: no child is lost, none is
started twice, and the change of level that was under way is finished.

The subject is a build with fault points (tests/fault/sys.c; make faulty). A run tries some of them, spread over all that
a round of work passes; FAULTS=all tries each one.
"""
import mmap
import os
import signal
import struct

from machine import CMD_RUNLVL
from scene import Scene, tap, wait_for

FAULTY = os.path.join(os.environ.get("B") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build"), "faulty/init")
SEGV, ILL, FPE = range(3)
TRIED = None if os.environ.get("FAULTS") == "all" else 40
FIRST_WITH_HANDLERS = 12        # the calls before it are those that make the handlers
ORDERS = struct.Struct("=IIII")
INITTAB = """id:2:initdefault:
si::sysinit:/tmp/mark sysinit
l2:2:wait:/tmp/mark rc
l3:3:wait:/tmp/mark rc
k1:2345:respawn:/tmp/getty k1
g1:2345:respawn:/tmp/getty g1
t2:2:respawn:/tmp/getty t2
t3:3:respawn:/tmp/getty t3
"""


class Faulty(Scene):
    def __init__(self):
        super().__init__(INITTAB, which="ours", prepare=self.lay_out)
        self.level = "2"
        self.changes = 1

    def lay_out(self, machine):
        if not os.access(FAULTY, os.X_OK):
            raise tap.Failed("%s is not built (make faulty)" % FAULTY)
        with open(FAULTY, "rb") as file:
            machine.write("/sbin/init", file.read(), 0o755)
        machine.write("/run/faults", ORDERS.pack(0, 0, 0, 0))

    def began(self, exits):
        file = open(self.m.path("/run/faults"), "r+b")
        exits.callback(file.close)
        self.orders = mmap.mmap(file.fileno(), ORDERS.size)
        exits.callback(self.orders.close)
        self.k1, _ = self.wait_getty("k1"), self.wait_getty("g1")
        wait_for(lambda: self.m.title() == "init [2]", "level 2")

    def order(self, left, kind=SEGV, then=0):
        """then: the same for the image that comes up after that fault."""
        self.orders[12:16] = struct.pack("=I", then)
        self.orders[:8] = struct.pack("=II", left, kind)

    def left(self):
        return ORDERS.unpack(self.orders[:])[0]

    def faults(self):
        return ORDERS.unpack(self.orders[:])[2]

    def work(self):
        """A change of level, an orphan, and a getty that is started again."""
        before, target = self.level, "3" if self.level == "2" else "2"
        gone = self.gettys("g1")[-1]
        self.m.request(CMD_RUNLVL, target)
        self.kill(gone)
        self.m.promptness()
        words = "Switching to runlevel: " + target
        said = sum(words in text for text in self.m.console.lines())

        def arrived():
            return self.marked("rc")[-1][1:] == [target, before] and self.m.title() == "init [%s]" % target

        def arrived_or_lost():
            # A request that is taken out of the FIFO in the moment of the fault is lost: it might be what caused it.
            if not arrived() and self.settled() and not self.m.unread_requests() and \
                    self.m.title() == "init [%s]" % before and said == sum(words in t for t in self.m.console.lines()):
                self.m.request(CMD_RUNLVL, target)
            return arrived()
        wait_for(arrived_or_lost, "level %s" % target, 60)
        self.level = target
        self.changes += 1
        wait_for(lambda: self.gettys("g1")[-1] != gone, "the getty that was killed to come back")
        wait_for(lambda: self.gettys("t" + target) and self.runs(self.gettys("t" + target)[-1]), "the level's getty")
        self.holds()

    def settled(self):
        """The last image has come so far that it had the time to ask for what it lacks."""
        return len(self.m.helpers()) == 4

    def holds(self):
        tap.check(self.m.poll_status() is None, "pid 1 lives")
        tap.equal(self.gettys("k1"), [self.k1], "starts of the getty that nobody killed")
        tap.check(self.runs(self.k1), "it runs")
        tap.equal(len(self.marked("sysinit")), 1, "runs of sysinit")
        tap.equal(len(self.marked("rc")), self.changes, "runs of rc, once for each change of level")
        for name in ("g1", "t2", "t3"):
            running = [pid for pid in self.gettys(name) if self.runs(pid)]
            tap.check(len(running) <= 1, "%s runs once; found %r" % (name, running))


def passed_by_a_round(scene):
    """How many points a round of work passes."""
    many = 1 << 30
    scene.order(many)
    scene.work()
    count = many - scene.left()
    scene.order(0)
    return count


@tap.case(deadline=800)
def a_fault_before_any_system_call_of_the_loop_costs_nothing_but_a_moment():
    with Faulty() as scene:
        count = max(passed_by_a_round(scene), passed_by_a_round(scene))
        tap.check(count > 30, "a round passes fault points; found %d" % count)
        step = max(1, count // TRIED) if TRIED else 1
        tried = 0
        for at in range(1, count + 1, step):
            before = scene.faults()
            scene.order(at, (SEGV, ILL, FPE)[tried % 3])
            scene.work()
            scene.order(0)
            tried += scene.faults() > before
            if tried % 8 == 7:          # the respawn guard counts starts within two minutes
                scene.reread(INITTAB)
        tap.diag("%d points in a round, %d faults" % (count, scene.faults()))
        tap.check(scene.faults() > 20 or not TRIED, "faults there were")
        tap.check(any(line.startswith("PANIC: ") for line in scene.m.console.lines()), "they are said")
        wait_for(lambda: not scene.m.zombies(), "the dead to be reaped")


@tap.case(deadline=300)
def a_fault_of_an_image_that_comes_up_costs_nothing_but_a_moment():
    with Faulty() as scene:
        for turn, at in enumerate(range(FIRST_WITH_HANDLERS, 140, 6)):
            before = scene.faults()
            scene.order(3, then=at)
            scene.work()
            tap.check(scene.faults() > before, "the first image faults")
            scene.order(0)
            if turn % 8 == 7:
                scene.reread(INITTAB)
        tap.diag("%d faults" % scene.faults())
        tap.check(scene.faults() > 30, "the second image faults, too")


@tap.case(deadline=300)
def the_signals_of_a_fault_at_any_moment_cost_nothing_but_a_moment():
    numbers = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)
    with Faulty() as scene:
        for turn in range(15):
            shots = scene.m.spawn(["/bin/sh", "-c", "sleep 0.0%d; kill -%d 1" % (turn % 10, numbers[turn % 5])])
            scene.work()
            shots.wait()
            if turn % 8 == 7:
                scene.reread(INITTAB)
        panics = sum(line.startswith("PANIC: ") for line in scene.m.console.lines())
        tap.check(panics >= 5, "there were crashes; found %d" % panics)


tap.main()
