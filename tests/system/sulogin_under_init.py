#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sulogin as init starts it: with -b, in level S, and at the end of level S."""
import re

from door import CONTROL_D, PASSWORD_PROMPT, WRONG, account, hashed
from scene import Scene, tap, wait_for

INITTAB = "id:2:initdefault:\nsi::sysinit:/tmp/mark sysinit\n~~:S:wait:/sbin/sulogin\nl2:2:wait:/tmp/mark rc\ng1:2345:respawn:/tmp/getty g1\n"


def passwords(machine):
    machine.write("/etc/passwd", account("x"), 0o600)
    machine.write("/etc/shadow", "root:%s:19000::::::\n" % hashed("right"), 0o600)


def expect(scene, what, mark=0):
    wait_for(lambda: what in scene.m.console.text().encode("latin-1")[mark:], "%r on the console" % what, 60)
    return scene.m.console.text().encode("latin-1").index(what, mark) + len(what)


def type_in(scene, data):
    scene.m.console.type(data)


def sulogins(scene):
    return [p for p in scene.m.processes() if p.comm == "sulogin" and p.state != "Z"]


def shell_at_console(scene):
    """The shell behind the right password; it owns the console and can stop what it starts."""
    mark = expect(scene, PASSWORD_PROMPT)
    type_in(scene, b"wrong\r")
    mark = expect(scene, PASSWORD_PROMPT, expect(scene, WRONG, mark))
    type_in(scene, b"right\r")
    mark = expect(scene, b"# ", mark)
    type_in(scene, b"tty; echo CONSOLE=$CONSOLE; sleep 4711\n")
    expect(scene, b"\r\n/dev/", mark)
    expect(scene, b"CONSOLE=/dev/console", mark)
    wait_for(lambda: any(p.title == "sleep 4711" for p in scene.m.processes()), "sleep to run")
    type_in(scene, b"\x03")
    wait_for(lambda: not any(p.title == "sleep 4711" for p in scene.m.processes()), "sleep to be interrupted")
    tap.check("job control" not in scene.m.console.text(), "there is job control")


for _word in ("-b", "S"):
    def _shell(word=_word):
        with Scene(INITTAB, boot=[word], prepare=passwords) as scene:
            shell_at_console(scene)
            tap.equal(scene.marked("rc"), [], "the boot waits")
            type_in(scene, b"exit\n")
            scene.wait_mark("rc")
            scene.wait_getty("g1")
    tap.add("booted with %s it gives a shell on the console and the boot goes on after it" % _word, _shell, 200)

    def _control_d(word=_word):
        with Scene(INITTAB, boot=[word], prepare=passwords) as scene:
            expect(scene, PASSWORD_PROMPT)
            type_in(scene, CONTROL_D)
            scene.wait_mark("rc")
            tap.equal(sulogins(scene), [], "what is left of it")
    tap.add("booted with %s control d goes on with the boot" % _word, _control_d, 200)


@tap.case(deadline=200)
def leaving_level_s_ends_the_prompt_and_restores_the_line():
    with Scene(INITTAB, boot=["S"], prepare=passwords) as scene:
        expect(scene, PASSWORD_PROMPT)
        scene.m.telinit("2")
        scene.wait_getty("g1")
        tap.equal(sulogins(scene), [], "what is left of it")
        echoes = scene.m.run(["sh", "-c", "stty -a </dev/console"]).out
        tap.check(re.search(r"(^|\s)echo\s", echoes) and re.search(r"(^|\s)icanon\s", echoes), "the line: " + echoes)


@tap.case(deadline=200)
def a_respawned_one_asks_again_after_control_d():
    """As an inittab has it that keeps a shell on level 6 or at a broken start."""
    inittab = INITTAB.replace("g1:2345:respawn:/tmp/getty g1", "su:2:respawn:/sbin/sulogin --force $CONSOLE")
    with Scene(inittab, prepare=passwords) as scene:
        mark = expect(scene, PASSWORD_PROMPT)
        type_in(scene, CONTROL_D)
        expect(scene, PASSWORD_PROMPT, mark)


tap.main()
