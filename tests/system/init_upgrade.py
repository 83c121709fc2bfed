#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A running stock init becomes ours, and ours becomes stock: no reboot, no child lost, nothing started twice."""
import signal

import kernel
from machine import CMD_RUNLVL, CMD_SETENV
from rows import is_sanitized
from upgrade import INITTAB, Upgrade, tap, wait_for

SLOW_RC = "#!/bin/sh\necho \"$1 $RUNLEVEL $PREVLEVEL\" >>/tmp/marks\nuntil test -e /tmp/go; do sleep 0.2; done\necho \"$1-done\" >>/tmp/marks\n"
ENTRIES = 200
LONG = 4000


def ready(up):
    up.wait_mark("once")
    up.wait_getty("g1")
    up.wait_getty("g2")
    up.m.request(CMD_RUNLVL, "A")
    up.wait_getty("de")


def nothing_ran_again(up, levels=("2",)):
    """levels: those that were entered, the first at the boot."""
    for word, count in (("sysinit", 1), ("once", levels.count("2")), ("rc", len(levels)), ("ctrlaltdel", 0)):
        tap.equal(len(up.marked(word)), count, "runs of the %s entry" % word)


def takes_over(first, second):
    with Upgrade(first) as up:
        ready(up)
        up.become(second)
        up.kept("g1", "g2", "de")
        nothing_ran_again(up)
        up.respawns("g1")
        up.respawns("de")
        up.enters("3")
        tap.equal(up.wait_mark("rc", 2)[-1], ["rc", "3", "2"], "the rc of level 3")
        up.kept("g2")
        up.m.signal(signal.SIGINT)
        up.wait_mark("ctrlaltdel")


for pair in (("stock", "ours"), ("ours", "stock"), ("ours", "ours")):
    tap.add("%s becomes %s" % pair, lambda pair=pair: takes_over(*pair), 180)


@tap.case(deadline=300)
def there_and_back_again_with_changes_of_level_in_between():
    with Upgrade("stock") as up:
        ready(up)
        up.m.request(CMD_SETENV, data=b"INIT_KEPT=yes\0\0")
        levels = ["2"]
        for turn, which in enumerate(("ours", "stock", "ours", "ours", "stock", "ours")):
            up.become(which)
            up.kept("g1", "g2", "de")
            nothing_ran_again(up, levels)
            level = "3" if levels[-1] == "2" else "2"
            up.enters(level)
            tap.equal(up.wait_mark("rc", len(levels) + 1)[-1], ["rc", level, levels[-1]], "the rc of turn %d" % turn)
            levels.append(level)
        up.m.write("/tmp/env", "#!/bin/sh\necho \"kept $INIT_KEPT\" >>/tmp/marks\n", 0o755)
        up.reread(INITTAB + "ev:23:once:/tmp/env\n")
        tap.equal(up.wait_mark("kept"), [["kept", "yes"]], "the variable that was set at the beginning")
        up.respawns("g1")


def during_rc(first, second):
    with Upgrade(first) as up:
        ready(up)
        up.m.write("/tmp/mark", SLOW_RC, 0o755)
        up.m.request(CMD_RUNLVL, "3")
        up.wait_mark("rc", 2)
        up.become(second)
        tap.equal(up.marked("rc-done"), [], "rc while it waits")
        up.m.write("/tmp/go", "")
        up.wait_mark("rc-done")
        up.kept("g1", "g2")
        up.respawns("g1")
        tap.equal(len(up.marked("rc")), 2, "runs of rc")
        up.enters("2")
        up.wait_mark("rc-done", 2)


for pair in (("stock", "ours"), ("ours", "stock")):
    tap.add("%s becomes %s while a level's rc runs" % pair, lambda pair=pair: during_rc(*pair), 180)


def crowd(up):
    """Each entry's one process."""
    return {"e%d" % i: up.gettys("e%d" % i) for i in range(ENTRIES)}


@tap.case(deadline=300)
def two_hundred_entries_some_of_them_of_4000_bytes_pass_both_ways():
    pad = LONG - len("/tmp/getty e000 ")
    lines = "".join("%03x:2345:respawn:/tmp/getty e%d %s\n" % (i, i, "x" * pad if i % 20 == 0 else "") for i in range(ENTRIES))
    with Upgrade("ours", "id:2:initdefault:\n" + lines) as up:
        wait_for(lambda: all(crowd(up).values()), "all entries to run", 60)
        before = crowd(up)
        for which in ("stock", "ours", "stock", "ours"):
            up.become(which)
            tap.equal(crowd(up), before, "processes under " + which)
            if which == "stock":
                up.respawns("e1")
                before = crowd(up)
            wait_for(lambda: not up.m.zombies(), "the dead to be reaped")
        wait_for(lambda: any(line.startswith("10 process fields are longer than the 127 bytes") for line in up.m.console.lines()),
                 "what stock cuts to be said")
        up.respawns("e0")


@tap.case(deadline=180)
def a_request_that_waits_is_carried_out_by_the_next_init():
    with Upgrade("ours") as up:
        ready(up)
        up.install("stock")
        up.m.signal(signal.SIGSTOP)         # from outside it works; so that both lie there
        up.ask()
        up.m.request(CMD_RUNLVL, "3")
        up.m.signal(signal.SIGCONT)
        wait_for(lambda: up.m.title() == "init [3]", "level 3")
        tap.equal(up.reloads(), 1, "images that came up")
        tap.equal(up.wait_mark("rc", 2)[-1], ["rc", "3", "2"], "the rc of level 3")


@tap.case(deadline=180)
def a_child_that_dies_while_the_image_changes_is_noticed():
    with Upgrade("stock") as up:
        ready(up)
        up.install("ours")
        up.m.signal(signal.SIGSTOP)
        up.ask()
        up.kill(up.gettys("g1")[0])
        up.m.signal(signal.SIGCONT)
        up.wait_getty("g1", 2)
        wait_for(lambda: up.reloads() == 1, "ours to take over")
        wait_for(lambda: not up.m.zombies(), "the dead to be reaped")
        tap.equal(len(up.gettys("g1")), 2, "starts of the getty that died")


def crash_without_proc(second):
    """The image that runs cannot be executed by its own link then: whatever /sbin/init has become takes over."""
    with Upgrade("ours") as up:
        ready(up)
        up.install(second)
        up.m.call(lambda: kernel.mount("nothing", "/proc", "tmpfs"))
        up.m.signal(signal.SIGSEGV)
        wait_for(lambda: up.reloads() == 1, "%s to take over after the crash" % second)
        up.m.call(lambda: kernel.umount("/proc", 0))
        up.serves()
        up.kept("g1", "g2", "de")
        nothing_ran_again(up)
        up.respawns("g1")
        up.enters("3")
        tap.equal(up.wait_mark("rc", 2)[-1], ["rc", "3", "2"], "the rc of level 3")


# The address sanitizer's library aborts where it finds no /proc/self/maps when a signal's handler goes on elsewhere.
for which in () if is_sanitized("ours") else ("stock", "ours"):
    tap.add("%s takes over after a crash where there is no /proc" % which, lambda which=which: crash_without_proc(which), 180)


tap.main()
