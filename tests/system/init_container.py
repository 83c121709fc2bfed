#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A container: no console, no /dev/tty0, a root that is read-only, no right to reboot; and the ways in which it ends.

Stock 3.06 knows RTMIN+4 alone, by a set that is too small for it.
"""
import os
import signal

import kernel
from machine import CMD_RUNLVL
from scene import Scene, tap, wait_for

BASE = """id:2:initdefault:
si::sysinit:/tmp/mark sysinit
l0:0:wait:/tmp/end 0
l6:6:wait:/tmp/end 6
g1:2345:respawn:/tmp/getty g1
"""
# What a distribution's shutdown and scripts of levels 0 and 6 come to: the reboot(2) of a name space ends its init.
SHUTDOWN = """#!/bin/sh
echo "shutdown $*" >>/tmp/marks
case "$*" in *-r*) telinit 6 ;; *) telinit 0 ;; esac
"""
END = """#!/usr/bin/python3
import ctypes, sys
open("/tmp/marks", "a").write("end %s - -\\n" % sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(169, 0xfee1dead, 672274793, {"0": 0x4321fedc, "6": 0x01234567}[sys.argv[1]], 0)
open("/tmp/marks", "a").write("refused %d - -\\n" % ctypes.get_errno())
"""
REALTIME_FIRST = 34


class Container(Scene):
    def __init__(self, prepare=None, inittab=BASE, **options):
        def lay_out(machine):
            machine.write("/sbin/shutdown", SHUTDOWN, 0o755)
            machine.write("/tmp/end", END.replace("169", str(kernel_reboot())), 0o755)
            if prepare:
                prepare(machine)
        super().__init__(inittab, prepare=lay_out, which="ours", **options)

    def works(self):
        getty = self.wait_getty("g1")
        self.m.promptness()
        count = len(self.gettys("g1"))
        self.kill(getty)
        self.wait_getty("g1", count + 1)
        self.m.telinit("3")
        wait_for(lambda: self.m.title() == "init [3]", "level 3")

    def __exit__(self, kind, error, trace):
        self._exits.__exit__(kind, error, trace)        # pid 1 need not live


def kernel_reboot():
    return {"x86_64": 169, "aarch64": 142}[os.uname().machine]


@tap.case(deadline=60)
def without_a_console_and_without_tty0_it_works():
    def remove(machine):
        machine.console.remove()
        tap.check(not machine.exists("/dev/tty0"), "no /dev/tty0")
        tap.check(not machine.exists("/dev/console"), "no /dev/console")
    with Container(remove) as scene:
        scene.works()


@tap.case(deadline=60)
def a_read_only_root_is_no_trouble():
    def read_only(machine):
        machine.call(lambda: kernel.mount(None, "/", None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY))

        def cannot_write():
            try:
                open("/etc/x", "w").close()
            except OSError:
                return True
            return False
        tap.check(machine.call(cannot_write), "the root is read-only")
    with Container(read_only) as scene:
        scene.works()


def ends(offset, words, level, signo):
    def case():
        with Container() as scene:
            scene.wait_getty("g1")
            scene.m.signal(REALTIME_FIRST + offset)
            wait_for(scene.m.poll_status, "the machine to end", 50)
            tap.equal(scene.m.poll_status(), ("killed", signo), "how it ended, as a container manager sees it")
            marks = scene.marks()
            tap.check(["shutdown", *words.split(), "now"] in marks, "shutdown was run with %s; found %r" % (words, marks))
            tap.check(["end", level, "-", "-"] in marks, "level %s was entered; found %r" % (level, marks))
    tap.add("RTMIN+%d ends a container" % offset, case, 90)


for _number, _words, _level, _signal in ((3, "-hH", "0", signal.SIGINT), (4, "-hP", "0", signal.SIGINT),
                                         (5, "-r", "6", signal.SIGHUP), (6, "-r", "6", signal.SIGHUP)):
    ends(_number, _words, _level, _signal)


# Executes init as a manager does that leaves a container no right to reboot(2).
WITHOUT_BOOT = """#!/usr/bin/python3
import ctypes, os, sys
libc = ctypes.CDLL(None)
assert libc.prctl(24, 22, 0, 0, 0) == 0
os.execv("/sbin/init", ["/sbin/init"] + sys.argv[1:])
"""


class Unprivileged(Container):
    def __init__(self):
        super().__init__(lambda machine: machine.write("/tmp/start", WITHOUT_BOOT, 0o755), argv0="/tmp/start")


def ends_without_reboot(level, status):
    def case():
        with Unprivileged() as scene:
            scene.works()
            scene.m.telinit(level)
            wait_for(scene.m.poll_status, "the machine to end", 50)
            tap.equal(scene.m.poll_status(), ("exited", status), "how it ended")
            marks = scene.marks()
            tap.check(["refused", "1", "-", "-"] in marks, "reboot(2) was refused; found %r" % marks)
    tap.add("where reboot is refused, level %s ends the machine with status %d" % (level, status), case, 90)


ends_without_reboot("0", 0)
ends_without_reboot("6", 133)


@tap.case(deadline=60)
def level_0_without_a_reboot_is_no_end_where_there_is_the_right_to_it():
    with Container(inittab=BASE.replace("/tmp/end", "/tmp/mark")) as scene:
        scene.wait_getty("g1")
        scene.m.telinit("0")
        wait_for(lambda: "no more processes left in this runlevel" in scene.m.console.lines(), "level 0 to be over")
        scene.m.promptness()
        scene.m.telinit("3")
        wait_for(lambda: scene.m.title() == "init [3]", "level 3")


@tap.case(deadline=60)
def term_is_ignored():
    with Container() as scene:
        scene.wait_getty("g1")
        scene.m.signal(signal.SIGTERM)
        scene.m.call(lambda: os.kill(1, signal.SIGTERM))
        scene.works()
        tap.equal(scene.m.poll_status(), None, "pid 1's end")
        tap.equal(scene.marked("shutdown"), [], "runs of shutdown")


@tap.case(deadline=60)
def an_upgrade_and_a_crash_work_without_a_console_as_well():
    with Container(lambda machine: machine.console.remove()) as scene:
        getty = scene.wait_getty("g1")
        for number in (1, 2):
            if number == 1:
                scene.m.request(CMD_RUNLVL, "U")
            else:
                scene.m.signal(signal.SIGSEGV)
            wait_for(lambda: len(scene.m.helpers()) == 4 and scene.m.title() == "init [2]", "the new image")
            scene.m.promptness()
        tap.equal(scene.gettys("g1"), [getty], "starts of the getty")
        scene.works()


tap.main()
