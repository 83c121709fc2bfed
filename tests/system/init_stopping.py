#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a change of level or table stops: first TERM, then KILL, and a word on what hangs."""
import time

from rows import pids_of
from scene import Scene, sinks, tap, wait_for

DEFAULT = "id:2:initdefault:\n"
STUBBORN = """#!/bin/sh
trap '' TERM
echo "up $1 $$" >>/tmp/marks
while :; do sleep 1000000; done
"""
POLITE = """#!/bin/sh
trap 'echo "term $1 x" >>/tmp/marks; exit 0' TERM
echo "up $1 $$" >>/tmp/marks
while :; do sleep 1000000 & wait; done
"""
PARENT = """#!/bin/sh
sh -c 'echo "up child $$" >>/tmp/marks; exec sleep 1000000' &
echo "up parent $$" >>/tmp/marks
wait
"""
TERM = "Sending processes configured via /etc/inittab the TERM signal"
KILL = "Sending processes configured via /etc/inittab the KILL signal"


def scripts(machine):
    for name, text in (("stubborn", STUBBORN), ("polite", POLITE), ("parent", PARENT)):
        machine.write("/tmp/" + name, text, 0o755)


def scene_of(lines, **options):
    return Scene(DEFAULT + lines, prepare=options.pop("prepare", scripts), **options)


@tap.case()
def what_is_not_of_the_new_level_gets_term_and_the_level_follows_at_once():
    lines = "p:2:respawn:/tmp/polite p\nw3:3:wait:/tmp/mark rc\ng:23:respawn:/tmp/getty g\n"
    with scene_of(lines) as scene:
        polite, getty = scene.wait_getty("p"), scene.wait_getty("g")
        begin = time.monotonic()
        scene.m.telinit("-t", "1000", "3")
        scene.wait_mark("rc")
        tap.check(time.monotonic() - begin < 100, "nobody waits for the 1000 s")
        tap.check(scene.marked("term"), "it could end in peace")
        tap.check(not scene.runs(polite) and scene.runs(getty),
                  "the one ended, the other was left alone")
        scene.wait_shown(TERM)
        tap.check(KILL not in scene.m.console.lines(), "nothing was killed")
        wait_for(lambda: pids_of(scene.m.utmp(), sinks.DEAD_PROCESS, "p") == [polite],
                 "its end in utmp")


@tap.case()
def what_does_not_heed_term_is_killed():
    with scene_of("s:2:respawn:/tmp/stubborn s\nw3:3:wait:/tmp/mark rc\n") as scene:
        stubborn = scene.wait_getty("s")
        scene.m.telinit("-t", "1", "3")
        scene.wait_mark("rc")
        tap.check(not scene.runs(stubborn), "it is gone before anything new is started")
        scene.wait_shown(KILL)
        lines = scene.m.console.lines()
        tap.check(lines.index(TERM) < lines.index(KILL), "TERM is said before KILL")


@tap.case()
def orphans_are_reaped_and_nothing_is_started_while_the_stop_is_waited_for():
    with scene_of("s:2:respawn:/tmp/stubborn s\nw3:3:wait:/tmp/mark rc\n") as scene:
        stubborn = scene.wait_getty("s")
        scene.m.telinit("-t", "3600", "3")
        scene.wait_shown(TERM)
        lags = [scene.m.promptness() for _ in range(5)]
        tap.check(max(lags) < 1, "orphans are reaped meanwhile; they lay for %r" % lags)
        tap.check(scene.runs(stubborn) and not scene.marked("rc"), "the hour is waited for")
        scene.kill(stubborn)
        scene.wait_mark("rc")


@tap.case()
def the_whole_process_group_is_stopped():
    with scene_of("p:2:respawn:/tmp/parent\nw3:3:wait:/tmp/mark rc\n") as scene:
        child, parent = scene.wait_getty("child"), scene.wait_getty("parent")
        scene.m.telinit("3")
        scene.wait_mark("rc")
        wait_for(lambda: not scene.m.process(child) and not scene.m.process(parent),
                 "both to be gone")


@tap.case(deadline=120)
def what_not_even_kill_ends_is_said_to_hang_and_the_level_goes_on():
    def prepare(machine):
        scripts(machine)
        machine.loop_ext4("/mnt/disk")
        machine.write("/tmp/writer", "#!/bin/sh\necho \"up w $$\" >>/tmp/marks\nread x </tmp/gate\n"
                      "exec dd if=/dev/zero of=/mnt/disk/file\n", 0o755)
        machine.run(["mkfifo", "/tmp/gate"])
    with scene_of("w:2:respawn:/tmp/writer\nw3:3:wait:/tmp/mark rc\n", prepare=prepare) as scene:
        writer = scene.wait_getty("w")
        scene.m.freeze("/mnt/disk")
        scene.m.append("/tmp/gate", "go\n")
        wait_for(lambda: scene.m.process(writer).state == "D", "the entry to hang")
        scene.m.telinit("-t", "1", "3")
        scene.wait_shown("Pid %d [id w] seems to hang" % writer)
        scene.wait_mark("rc")
        tap.check(scene.m.promptness() < 1, "orphans are reaped")
        scene.m.thaw("/mnt/disk")
        wait_for(lambda: not scene.m.process(writer), "it to be reaped when it ends after all")


@tap.case()
def reading_the_table_again_stops_what_is_gone_or_has_another_action():
    before = "a:2:respawn:/tmp/getty a\nb:2:respawn:/tmp/getty b\nc:2:respawn:/tmp/getty c\n"
    with scene_of(before) as scene:
        a, b, c = (scene.wait_getty(name) for name in "abc")
        scene.reread(DEFAULT + "b:2:once:/tmp/getty b\nc:2:respawn:/tmp/getty c new\n"
                     "d:2:once:/tmp/mark d\n")
        scene.wait_mark("d")
        tap.equal([scene.runs(pid) for pid in (a, b, c)], [False, False, True],
                  "what runs of: gone, with another action, with another command")
        scene.wait_getty("b", 2)
        tap.equal(scene.gettys("c"), [c], "a changed command alone starts nothing")
        scene.kill(c)
        renewed = scene.wait_getty("c", 2)
        tap.check(scene.runs(renewed), "it takes effect at the next start")


@tap.case()
def an_entry_whose_levels_no_longer_name_this_one_runs_until_the_next_change():
    with scene_of("a:2:respawn:/tmp/getty a\nb:2:respawn:/tmp/getty b\n") as scene:
        a, b = scene.wait_getty("a"), scene.wait_getty("b")
        scene.reread(DEFAULT + "a:3:respawn:/tmp/getty a\nb:4:respawn:/tmp/getty b\nc:2:once:/tmp/mark c\n")
        scene.wait_mark("c")
        tap.check(scene.runs(a) and scene.runs(b), "both run on")
        scene.m.telinit("3")
        wait_for(lambda: not scene.runs(b), "the one that is not of level 3 to be stopped")
        scene.kill(a)
        scene.wait_getty("a", 2)


@tap.case()
def an_entry_that_is_switched_off_is_stopped():
    with scene_of("a:2:respawn:/tmp/getty a\nb:2:respawn:/tmp/getty b\n") as scene:
        pid = scene.wait_getty("a")
        scene.wait_getty("b")
        scene.reread(DEFAULT + "a:2:off:/tmp/getty a\nb:2:respawn:/tmp/getty b\n")
        wait_for(lambda: not scene.runs(pid), "it to be stopped")
        scene.m.promptness()
        tap.equal(scene.gettys("a"), [pid], "it is not started again")


tap.main()
