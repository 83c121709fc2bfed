#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""From level to level: boot, requests, demand, single user, asking for the level."""
import os

from machine import CMD_RUNLVL
from rows import level_records
from scene import Scene, sinks, tap, wait_for

GETTY = "g1:2345:respawn:/tmp/getty g1\n"
SULOGIN = """#!/bin/sh
echo "sulogin $RUNLEVEL $PREVLEVEL" >>/tmp/marks
echo "pid $$" >>/tmp/marks
exec sleep 1000000
"""


def marks(scene, *words):
    return [tuple(m) for m in scene.marks() if m[0] in words]


@tap.case()
def a_boot_runs_sysinit_then_boot_then_the_level_in_the_order_of_the_table():
    inittab = """a2:2:wait:/tmp/mark wait2
b2:2:once:/tmp/mark once2
id:2:initdefault:
bw:3:bootwait:/tmp/mark bootwait
s1::sysinit:/tmp/mark sysinit1
bo:3:boot:/tmp/mark boot
s2:5:sysinit:/tmp/mark sysinit2
a3:3:wait:/tmp/mark wait3
"""
    with Scene(inittab + GETTY) as scene:
        scene.wait_mark("once2")
        found = marks(scene, "sysinit1", "sysinit2", "bootwait", "wait2", "wait3")
        tap.equal(found, [("sysinit1", "S", "N"), ("sysinit2", "S", "N"), ("bootwait", "S", "N"),
                          ("wait2", "2", "N")], "what was waited for, RUNLEVEL and PREVLEVEL")
        scene.wait_mark("boot")
        tap.equal(len(scene.marked("boot")), 1, "how often a boot entry ran, whatever its level")
        scene.wait_said("Entering runlevel: 2")
        wait_for(lambda: scene.m.read("/run/runlevel") == "2", "/run/runlevel to say 2")
        wait_for(lambda: level_records(scene.m.wtmp()) == [("2", "N")], "the record of the level")
        kinds = [r.type for r in scene.m.wtmp() if r.id == "~~"]
        tap.equal(kinds, [sinks.BOOT_TIME, sinks.RUN_LVL], "boot and level records")


@tap.case()
def the_highest_of_the_default_levels_counts():
    with Scene("id:253:initdefault:\n" + GETTY) as scene:
        scene.wait_title("init [5]")


@tap.case()
def a_change_of_level_runs_its_entries_and_records_it():
    inittab = "id:2:initdefault:\nw2:2:wait:/tmp/mark rc\nw3:3:wait:/tmp/mark rc\n" + GETTY
    with Scene(inittab) as scene:
        getty = scene.wait_getty("g1")
        scene.m.telinit("3")
        scene.wait_mark("rc", 2)
        scene.wait_said("Switching to runlevel: 3")
        scene.m.telinit("2")
        scene.wait_mark("rc", 3)
        tap.equal(marks(scene, "rc"), [("rc", "2", "N"), ("rc", "3", "2"), ("rc", "2", "3")],
                  "rc with its level and the one before")
        tap.equal(scene.gettys("g1"), [getty], "an entry of both levels is left alone")
        wait_for(lambda: scene.m.read("/run/runlevel") == "2", "/run/runlevel")
        wait_for(lambda: level_records(scene.m.wtmp()) == [("2", "N"), ("3", "2"), ("2", "3")],
                 "the changes in wtmp")
        wait_for(lambda: level_records(scene.m.utmp()) == [("2", "3")], "the last one in utmp")


@tap.case()
def a_request_for_the_present_level_does_nothing():
    inittab = "id:2:initdefault:\nw2:2:wait:/tmp/mark rc\nw3:3:wait:/tmp/mark rc\n" + GETTY
    with Scene(inittab) as scene:
        scene.wait_getty("g1")
        scene.m.telinit("2")
        scene.m.telinit("3")
        scene.wait_mark("rc", 2)
        tap.equal([m[1] for m in marks(scene, "rc")], ["2", "3"], "the levels whose rc ran")
        tap.equal(scene.m.syslog.texts().count("Switching to runlevel: 2"), 0,
                  "messages of a change to 2")


@tap.case()
def requests_that_come_during_a_change_wait_in_order():
    inittab = "id:2:initdefault:\ns:2:respawn:/tmp/stubborn\n" + GETTY

    def prepare(machine):
        machine.write("/tmp/stubborn", "#!/bin/sh\ntrap '' TERM\necho \"up s $$\" >>/tmp/marks\n"
                      "while :; do sleep 1000000; done\n", 0o755)
    with Scene(inittab, prepare=prepare) as scene:
        getty, stubborn = scene.wait_getty("g1"), scene.wait_getty("s")
        scene.m.telinit("-t", "3600", "3")
        wait_for(lambda: any("TERM signal" in t for t in scene.m.console.lines()),
                 "the change to begin")
        for level in "454":
            scene.m.request(CMD_RUNLVL, level)
        tap.check(scene.runs(stubborn), "the change is still under way")
        scene.kill(stubborn)
        wanted = [("2", "N"), ("3", "2"), ("4", "3"), ("5", "4"), ("4", "5")]
        wait_for(lambda: level_records(scene.m.wtmp()) == wanted,
                 "the levels to be entered in order")
        tap.equal(scene.gettys("g1"), [getty], "what all of them have in common is left alone")


@tap.case()
def a_request_ends_what_the_present_level_waits_for():
    inittab = "id:2:initdefault:\nw3:3:wait:/tmp/getty rc3\nw4:4:wait:/tmp/mark rc4\n" + GETTY
    with Scene(inittab) as scene:
        scene.wait_getty("g1")
        scene.m.telinit("3")
        waited_for = scene.wait_getty("rc3")
        scene.m.telinit("4")
        scene.wait_mark("rc4")
        tap.check(not scene.runs(waited_for), "it was stopped")


@tap.case()
def demand_entries_run_when_asked_for_and_through_levels():
    demand = "oa:a:ondemand:/tmp/getty oa\nob:bC:ondemand:/tmp/getty ob\n"
    inittab = "id:2:initdefault:\n" + demand + GETTY
    with Scene(inittab) as scene:
        scene.wait_getty("g1")
        tap.equal(scene.gettys("oa") + scene.gettys("ob"), [], "demand entries that run unasked")
        scene.m.telinit("A")
        first = scene.wait_getty("oa")
        scene.wait_said("Activating demand-procedures for 'A'")
        scene.m.telinit("c")
        scene.wait_getty("ob")
        scene.m.telinit("3")
        scene.wait_title("init [3]")
        tap.check(scene.runs(first), "it lives through a change of level")
        scene.kill(first)
        second = scene.wait_getty("oa", 2)
        scene.m.telinit("-t", "1", "S")
        scene.wait_shown("Going single user")
        wait_for(lambda: not scene.runs(second), "it to be stopped in single user mode")


def with_sulogin(machine):
    machine.write("/sbin/sulogin", SULOGIN, 0o755)


def shell_pid(scene, count=1):
    scene.wait_mark("pid", count)
    return int(scene.marked("pid")[count - 1][1])


@tap.case()
def single_user_mode_stops_all_and_leaving_it_enters_the_default_level():
    inittab = "id:3:initdefault:\nbo::bootwait:/tmp/mark boot\n" + GETTY
    with Scene(inittab, prepare=with_sulogin) as scene:
        getty = scene.wait_getty("g1")
        scene.m.telinit("-t", "1", "S")
        tap.equal(scene.wait_mark("sulogin")[0], ["sulogin", "S", "3"], "the shell's level")
        wait_for(lambda: not scene.runs(getty), "the getty to be stopped")
        scene.wait_title("init [S]")
        scene.kill(shell_pid(scene))
        scene.wait_title("init [3]")
        scene.wait_getty("g1", 2)
        tap.equal(len(scene.marked("boot")), 1, "boot entries do not run again")


@tap.case()
def a_boot_to_single_user_mode_runs_boot_entries_when_it_is_left():
    with Scene("id:3:initdefault:\nbo::bootwait:/tmp/mark boot\n" + GETTY, boot=["single"],
               prepare=with_sulogin) as scene:
        scene.wait_mark("sulogin")
        tap.equal(scene.marked("boot"), [], "boot entries that ran before")
        scene.kill(shell_pid(scene))
        scene.wait_title("init [3]")
        scene.wait_getty("g1")
        tap.equal([m[0] for m in scene.marks() if m[0] in ("sulogin", "boot", "up")],
                  ["sulogin", "boot", "up"], "the order")


@tap.case()
def an_entry_for_single_user_mode_takes_the_place_of_sulogin():
    inittab = "id:2:initdefault:\nss:S:wait:/tmp/getty shell\n" + GETTY
    with Scene(inittab, boot=["S"], prepare=with_sulogin) as scene:
        shell = scene.wait_getty("shell")
        tap.equal(scene.marked("sulogin"), [], "sulogin runs")
        tap.equal(scene.m.process(shell).tty, scene.m.call(lambda: os.stat("/dev/console").st_rdev),
                  "its controlling terminal is the console")
        scene.kill(shell)
        scene.wait_title("init [2]")


@tap.case()
def without_a_default_the_level_is_asked_for_on_the_console():
    with Scene("g1:23:respawn:/tmp/getty g1\n") as scene:
        wait_for(lambda: "Enter runlevel: " in scene.m.console.text(), "the question")
        tap.check(scene.m.promptness() < 1, "orphans are reaped meanwhile")
        scene.m.console.type(b"x\n")
        wait_for(lambda: scene.m.console.text().count("Enter runlevel: ") == 2,
                 "it to be asked again")
        scene.m.console.type(b"3\n")
        scene.wait_getty("g1")
        scene.wait_title("init [3]")


@tap.case()
def a_level_may_be_requested_while_the_question_stands():
    with Scene("g1:23:respawn:/tmp/getty g1\n") as scene:
        wait_for(lambda: "Enter runlevel: " in scene.m.console.text(), "the question")
        scene.m.telinit("2")
        scene.m.console.type(b"3\n")
        scene.wait_getty("g1")
        wait_for(lambda: scene.m.title() == "init [2]", "the level that was requested")


@tap.case()
def an_invalid_default_level_is_named_before_another_is_asked_for():
    with Scene("id:x:initdefault:\n" + GETTY) as scene:
        wait_for(lambda: "Enter runlevel: " in scene.m.console.text(), "the question")
        tap.check("Initdefault level 'X' is invalid" in scene.m.console.text().partition("Enter runlevel: ")[0], "why it asks stands before the question")
        scene.m.console.type(b"2\n")
        scene.wait_getty("g1")


@tap.case()
def a_level_with_nothing_left_to_run_is_said_once():
    with Scene("id:2:initdefault:\nw2:2:wait:/tmp/mark rc\n") as scene:
        scene.wait_shown("no more processes left in this runlevel")
        for _ in range(5):
            scene.m.promptness()
        scene.m.telinit("q")
        scene.wait_said("Re-reading inittab")
        scene.m.promptness()
        tap.equal(scene.m.console.lines().count("no more processes left in this runlevel"), 1,
                  "how often it is said")


@tap.case()
def levels_6_and_0_are_levels_like_others_to_init():
    inittab = "id:2:initdefault:\nw6:6:wait:/tmp/mark six\nw0:0:wait:/tmp/mark nought\n" + GETTY
    with Scene(inittab) as scene:
        getty = scene.wait_getty("g1")
        scene.m.telinit("-t", "1", "6")
        tap.equal(scene.wait_mark("six")[0], ["six", "6", "2"], "level 6")
        tap.check(not scene.runs(getty), "the getty is stopped first")
        scene.m.telinit("0")
        tap.equal(scene.wait_mark("nought")[0], ["nought", "0", "6"], "level 0")


tap.main()
