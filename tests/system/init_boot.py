#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel's arguments, its command line and an absent inittab make of a boot."""
import os

import kernel
from scene import Scene, sinks, tap, wait_for

BASE = "id:2:initdefault:\ng1:2345:respawn:/tmp/getty g1\n"
SULOGIN = """#!/bin/sh
echo "sulogin $RUNLEVEL $PREVLEVEL $$" >>/tmp/marks
exec sleep 1000000
"""


AGETTY = """#!/bin/sh
echo "agetty $*" >>/tmp/marks
exec sleep 1000000
"""


def with_sulogin(machine):
    machine.write("/sbin/sulogin", SULOGIN, 0o755)


@tap.case()
def the_console_says_which_version_boots():
    with Scene(BASE) as scene:
        version = scene.m.run(["/sbin/init", "--version"])
        tap.equal((version.status, version.err), (0, ""), "init --version")
        number = version.out.strip().replace("SysV init version: ", "")
        scene.wait_getty("g1")
        scene.wait_shown("Entering runlevel: 2")
        tap.equal(scene.m.console.lines()[0], "version %s booting" % number, "the first line")
        tap.check("\rINIT: Entering runlevel: 2\r" in scene.m.console.text(),
                  "CR, prefix, text, CR")


for _args in (["3"], ["auto", "3"], ["ro", "quiet", "3", "splash=x"], ["-z", "xxxxxxxxxxxx", "3"]):
    def _boots(args=_args):
        with Scene(BASE, boot=args) as scene:
            scene.wait_title("init [3]")
            scene.wait_getty("g1")
    tap.add("the arguments %s boot to level 3" % " ".join(_args), _boots)


for _word in ("single", "-s", "S", "s"):
    def _boots_single(word=_word):
        with Scene(BASE, boot=[word], prepare=with_sulogin) as scene:
            tap.equal(scene.wait_mark("sulogin")[0][1], "S", "the shell's level")
            scene.wait_title("init [S]")
    tap.add("the argument %s boots to single user mode" % _word, _boots_single)


for _word in ("-b", "emergency"):
    def _emergency(word=_word):
        inittab = BASE + "si::sysinit:/tmp/mark sysinit\n"
        with Scene(inittab, boot=[word], prepare=with_sulogin) as scene:
            shell = scene.wait_mark("sulogin")[0]
            for _ in range(5):
                scene.m.promptness()
            tap.equal(scene.marked("sysinit"), [], "nothing else runs before it ends")
            device = scene.m.call(lambda: os.stat("/dev/console").st_rdev)
            tap.equal(scene.m.process(int(shell[3])).tty, device, "its terminal")
            scene.kill(int(shell[3]))
            scene.wait_mark("sysinit")
            scene.wait_getty("g1")
            scene.wait_title("init [2]")
    tap.add("the argument %s gives a shell before anything else" % _word, _emergency)


@tap.case()
def the_title_shows_the_level_and_hides_the_arguments():
    inittab = BASE + "si::sysinit:/tmp/getty slow\n"
    with Scene(inittab, boot=["auto", "-z", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]) as scene:
        slow = scene.wait_getty("slow")
        tap.equal(scene.m.title(), "init boot", "the title while booting")
        scene.kill(slow)
        scene.wait_title("init [2]")


@tap.case()
def utmp_is_emptied_and_gets_the_boot():
    def prepare(machine):
        machine.write("/run/utmp", b"x" * 384 * 3)
    with Scene(BASE, prepare=prepare) as scene:
        getty = scene.wait_getty("g1")
        wait_for(lambda: len(scene.m.utmp()) == 3, "three records in utmp")
        boot, level, start = scene.m.utmp()
        tap.equal((boot.type, boot.user, boot.id, boot.line, boot.pid),
                  (sinks.BOOT_TIME, "reboot", "~~", "~", 0), "the boot")
        tap.equal((level.type, level.user, level.id, level.line, level.pid),
                  (sinks.RUN_LVL, "runlevel", "~~", "~", ord("2") + 256 * ord("N")), "the level")
        tap.equal((start.type, start.user, start.id, start.line, start.pid),
                  (sinks.INIT_PROCESS, "", "g1", "", getty), "the getty")


@tap.case()
def without_an_inittab_there_is_a_shell():
    with Scene(None, prepare=with_sulogin) as scene:
        scene.wait_shown("No inittab file found")
        wait_for(lambda: "Enter runlevel: " in scene.m.console.text(), "the question")
        scene.m.console.type(b"S\n")
        tap.equal(scene.wait_mark("sulogin")[0][1], "S", "the shell's level")


@tap.case()
def an_inittab_that_appears_is_used():
    with Scene(None, boot=["2"], prepare=with_sulogin) as scene:
        scene.wait_shown("No inittab file found")
        scene.reread(BASE)
        scene.wait_getty("g1")


@tap.case()
def the_files_of_inittab_d_count_in_their_order_after_inittab():
    def prepare(machine):
        machine.write("/etc/inittab.d/20.tab",
                      "# two lines\nc:2:wait:/tmp/mark third\nd:2:wait:/tmp/mark fourth\n")
        machine.write("/etc/inittab.d/10.tab", "b:2:wait:/tmp/mark second\n")
        machine.write("/etc/inittab.d/ignored.txt", "e:2:wait:/tmp/mark wrong\n")
        machine.write("/etc/inittab.d/30.tab", "zz:2\nf:2:once:/tmp/mark last\n")
    with Scene(BASE + "a:2:wait:/tmp/mark first\n", prepare=prepare) as scene:
        scene.wait_mark("last")
        order = [m[0] for m in scene.marks() if m[0] != "up"]
        tap.equal(order, ["first", "second", "third", "fourth", "last"], "what ran")
        scene.wait_said("/etc/inittab.d/30.tab[1]: missing action field")


def with_command_line(text):
    def prepare(machine):
        machine.write("/tmp/cmdline", text + "\n")
        machine.write("/sbin/agetty", AGETTY, 0o755)
        machine.call(lambda: kernel.mount("/tmp/cmdline", "/proc/cmdline", None, kernel.MS_BIND))
    return prepare


@tap.case()
def init_autocon_adds_a_getty_for_each_console_of_the_command_line():
    line = "quiet init.autocon=1 console=ttyS0,115200n8 console=hvc0 console=tty0 ro"
    with Scene(BASE + "0:2:respawn:/tmp/getty mine\n", prepare=with_command_line(line)) as scene:
        scene.wait_getty("mine")
        scene.wait_mark("agetty", 2)
        tap.equal(sorted(scene.marked("agetty")),
                  [("agetty -L -s 115200,38400,9600 %s vt102" % name).split()
                   for name in ("hvc0", "ttyS0")],
                  "the gettys: the id 0 is taken")
        scene.wait_said("added agetty on ttyS0 with id S0")
        scene.wait_said("added agetty on hvc0 with id hvc0")


@tap.case()
def without_init_autocon_no_getty_is_added():
    with Scene(BASE, prepare=with_command_line("console=ttyS0 init.autocon=0")) as scene:
        scene.wait_getty("g1")
        scene.m.telinit("3")
        scene.wait_title("init [3]")
        tap.equal(scene.marked("agetty"), [], "gettys")


@tap.case()
def the_variable_console_names_the_console():
    with Scene(BASE, env={"CONSOLE": "/dev/pts/0"}) as scene:
        getty = scene.wait_getty("g1")
        place = scene.m.root + "/proc/%d/fd/0" % getty
        tap.equal(os.readlink(place), "/dev/pts/0", "an entry's descriptor 0")
        tap.equal(scene.environment(getty).get("CONSOLE"), "/dev/pts/0", "CONSOLE")


tap.main()
