#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How an entry's command is run: environment, terminal, session, signals, shell, records."""
import os

import probe
from rows import level_records, pids_of
from scene import Scene, sinks, tap, wait_for

DEFAULT = "id:2:initdefault:\n"
# What a process finds itself in, as lines KEY=VALUE in /tmp/NAME.
ASK = r"""#!/bin/sh
{
    echo "umask=$(umask)"
    echo "cwd=$(pwd)"
    set -- $(cat /proc/$$/stat)
    echo "pid=$1" "pgrp=$5" "session=$6" "tty=$7" | tr ' ' '\n'
} >/tmp/found.$ASK_NAME
tr '\0' '\n' </proc/$$/environ >/tmp/env.$ASK_NAME
echo asked >>/tmp/marks
"""


def with_ask(machine):
    for name in ("boot", "level", "sys"):
        machine.write("/tmp/ask-" + name, ASK.replace("$ASK_NAME", name), 0o755)


def pairs(scene, name):
    lines = scene.m.read("/tmp/" + name).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


@tap.case()
def an_entry_finds_the_environment_that_is_promised():
    with Scene(DEFAULT + "a:2:once:/tmp/ask-level\n", prepare=with_ask, boot=["auto"],
               env={"FROM_KERNEL": "yes", "PATH": "/wrong"}) as scene:
        scene.wait_mark("asked")
        found = pairs(scene, "env.level")
        version = scene.m.run(["/sbin/init", "--version"]).out.split()[-1]
        wanted = {"PATH": "/sbin:/usr/sbin:/bin:/usr/bin", "SHELL": "/bin/sh",
                  "RUNLEVEL": "2", "PREVLEVEL": "N", "CONSOLE": "/dev/console",
                  "INIT_VERSION": "sysvinit-" + version, "AUTOBOOT": "YES",
                  "FROM_KERNEL": "yes", "HOME": "/", "TERM": "linux"}
        tap.equal({name: found.get(name) for name in wanted}, wanted, "the environment")
        tap.equal(set(found) - set(wanted) - {"PWD", "SHLVL", "_", "OLDPWD"}, set(),
                  "what else is in it")


def sleeps(scene, pid):
    """Not its shell any more, and past what a program opens while it is loaded."""
    return (scene.m.title(pid) == "sleep 1000000" and
            probe.syscall_name(scene.m.read("/proc/%d/syscall" % pid)) in ("nanosleep", "clock_nanosleep"))


def descriptors(scene, pid):
    place = "%s/proc/%d/fd/" % (scene.m.root, pid)
    return {int(fd): os.readlink(place + fd) for fd in os.listdir(place)}


def signals(scene, pid):
    lines = scene.m.read("/proc/%d/status" % pid).splitlines()
    return dict(line.split(":\t") for line in lines if line.startswith("Sig"))


@tap.case()
def an_entry_has_a_session_signals_and_descriptors_of_its_own():
    lines = "a:2:wait:/tmp/ask-level\ng1:2:respawn:/tmp/getty g1\n"
    with Scene(DEFAULT + lines, prepare=with_ask) as scene:
        pid = scene.wait_getty("g1")
        wait_for(lambda: sleeps(scene, pid), "the getty to sleep")
        tap.equal(descriptors(scene, pid), dict.fromkeys(range(3), "/dev/console"), "descriptors")
        # Waiting, not writing at the end of a file: the console's flags are an open tty's own.
        for fd in range(3):
            words = scene.m.read("/proc/%d/fdinfo/%d" % (pid, fd)).split()
            flags = int(words[words.index("flags:") + 1], 8)
            tap.equal(flags & (os.O_ACCMODE | os.O_NONBLOCK | os.O_APPEND), os.O_RDWR,
                      "how descriptor %d is open" % fd)
        found = signals(scene, pid)
        names = ("SigPnd", "SigBlk", "SigIgn", "SigCgt")
        tap.equal([found[name] for name in names], ["0" * 16] * 4, "signals")
        found = pairs(scene, "found.level")
        tap.equal((found["pgrp"], found["session"]), (found["pid"], found["pid"]),
                  "group and session")
        tap.equal((found["tty"], found["umask"], found["cwd"]), ("0", "0022", "/"),
                  "terminal, umask and folder")


@tap.case()
def a_waited_for_entry_of_the_boot_gets_the_console_as_its_terminal_each_time():
    lines = "s1::sysinit:/tmp/ask-sys\ns2::sysinit:/tmp/ask-boot\n"
    with Scene(DEFAULT + lines + "g1:2:respawn:/tmp/getty g1\n", prepare=with_ask) as scene:
        scene.wait_getty("g1")
        device = str(scene.m.call(lambda: os.stat("/dev/console").st_rdev))
        tap.equal([pairs(scene, "found." + name)["tty"] for name in ("sys", "boot")], [device] * 2,
                  "the controlling terminals")


@tap.case()
def output_and_input_go_to_the_console():
    line = "s1::sysinit:read answer; echo \"got $answer\" >>/tmp/marks; echo to the console\n"
    with Scene(DEFAULT + line) as scene:
        wait_for(lambda: any("read answer" in p.title for p in scene.m.processes()),
                 "the entry to run")
        scene.m.console.type(b"this\n")
        tap.equal(scene.wait_mark("got")[0], ["got", "this"], "what was typed")
        wait_for(lambda: "to the console\r\n" in scene.m.console.text(), "its output")


@tap.case()
def a_plain_command_is_split_at_blanks_and_a_comment_ends_it():
    script = "#!/bin/sh\necho \"args $*|$#\" >>/tmp/marks\n"

    def prepare(machine):
        machine.write("/tmp/args", script, 0o755)
    words = " ".join("w%d" % n for n in range(20))
    lines = "a:2:wait:/tmp/args  one\ttwo #three\nb:2:wait:/tmp/args " + words + "\n"
    with Scene(DEFAULT + lines, prepare=prepare) as scene:
        scene.wait_mark("args", 2)
        found = [" ".join(m) for m in scene.marked("args")]
        tap.equal(found[0], "args one two|2", "a comment")
        tap.equal(found[1].split("|")[0].split(), ["args"] + ["w%d" % n for n in range(13)],
                  "no more than fourteen words, the command's among them")


@tap.case()
def shell_characters_bring_a_shell_and_an_at_sign_keeps_it_away():
    lines = ["a:2:wait:test 1 = 1 && echo \"shell $((1+1))\" >>/tmp/marks",
             "b:2:wait:@/tmp/mark $HOME&",
             "c:2:respawn:sleep 1000000 </dev/null", ""]
    with Scene(DEFAULT + "\n".join(lines)) as scene:
        tap.equal(scene.wait_mark("shell")[0], ["shell", "2"], "what the shell made of it")
        scene.wait_mark("$HOME&")
        wait_for(lambda: ("sleep 1000000", 1) in [(p.title, p.ppid) for p in scene.m.processes()],
                 "one simple command to be executed in place of its shell")


@tap.case()
def a_script_without_an_interpreter_line_is_given_to_the_shell():
    def prepare(machine):
        machine.write("/tmp/bare", 'echo "bare $1" >>/tmp/marks\n', 0o755)
    with Scene(DEFAULT + "a:2:once:/tmp/bare word\n", prepare=prepare) as scene:
        tap.equal(scene.wait_mark("bare")[0], ["bare", "word"], "what ran")


@tap.case()
def what_cannot_be_executed_is_named_and_the_rest_goes_on():
    with Scene(DEFAULT + "a:2:wait:/no/such/program now\nb:2:once:/tmp/mark after\n") as scene:
        scene.wait_mark("after")
        scene.wait_said('cannot execute "/no/such/program"')
        wait_for(lambda: len(pids_of(scene.m.wtmp(), sinks.DEAD_PROCESS, "a")) == 1,
                 "a record of its end")


@tap.case()
def initscript_gets_the_entry_but_not_in_single_user_mode():
    script = '#!/bin/sh\necho "script $1 $2 $3 $4" >>/tmp/marks\neval exec "$4"\n'

    def prepare(machine):
        machine.write("/etc/initscript", script, 0o755)
        machine.write("/sbin/sulogin", "#!/bin/sh\n/tmp/mark sulogin\nexec sleep 1000000\n", 0o755)
    with Scene(DEFAULT + "g1:23:respawn:/tmp/getty g1\n", prepare=prepare) as scene:
        scene.wait_getty("g1")
        tap.equal(" ".join(scene.wait_mark("script")[0]), "script g1 23 respawn /tmp/getty g1",
                  "its arguments")
        count = len(scene.marked("script"))
        scene.m.telinit("-t", "1", "S")
        scene.wait_mark("sulogin")
        tap.equal(len(scene.marked("script")), count, "how often it ran")


@tap.case()
def starts_and_ends_are_recorded_but_for_those_with_a_plus():
    lines = "g1:2:respawn:/tmp/getty g1\ng2:2:respawn:+/tmp/getty g2\n"
    with Scene(DEFAULT + lines) as scene:
        first, plain = scene.wait_getty("g1"), scene.wait_getty("g2")
        wait_for(lambda: pids_of(scene.m.utmp(), sinks.INIT_PROCESS, "g1") == [first],
                 "its start in utmp")
        scene.kill(first)
        scene.kill(plain)
        second = scene.wait_getty("g1", 2)
        scene.wait_getty("g2", 2)
        wait_for(lambda: pids_of(scene.m.wtmp(), sinks.INIT_PROCESS, "g1") == [first, second],
                 "wtmp")
        wait_for(lambda: pids_of(scene.m.wtmp(), sinks.DEAD_PROCESS, "g1") == [first],
                 "its end in wtmp")
        dead = next(r for r in scene.m.wtmp() if r.type == sinks.DEAD_PROCESS and r.id == "g1")
        tap.equal((dead.user, dead.line), ("", ""), "user and line of its end")
        tap.equal([r for r in scene.m.wtmp() + scene.m.utmp() if r.id == "g2"], [],
                  "records with a plus")
        release = os.uname().release
        wait_for(lambda: level_records(scene.m.wtmp()), "the record of the level")
        tap.equal({r.host for r in scene.m.wtmp() if r.id == "~~"}, {release}, "ut_host in wtmp")


@tap.case()
def an_entry_without_a_console_gets_dev_null_and_a_message():
    with Scene(DEFAULT + "g1:2:respawn:/tmp/getty g1\n") as scene:
        first = scene.wait_getty("g1")
        scene.m.console.remove()
        scene.kill(first)
        pid = scene.wait_getty("g1", 2)
        wait_for(lambda: sleeps(scene, pid), "the getty to sleep")
        tap.equal(descriptors(scene, pid), dict.fromkeys(range(3), "/dev/null"), "descriptors")
        scene.wait_said("open(/dev/console): No such file or directory")
        scene.m.console.put_back()
        scene.kill(pid)
        pid = scene.wait_getty("g1", 3)
        wait_for(lambda: sleeps(scene, pid), "the getty to sleep")
        tap.equal(descriptors(scene, pid), dict.fromkeys(range(3), "/dev/console"), "descriptors")


@tap.case(deadline=90)
def an_entry_that_dies_too_often_is_disabled_until_the_table_is_read_again():
    with Scene(DEFAULT + "x:2:respawn:/tmp/mark x\ng1:2:respawn:/tmp/getty g1\n") as scene:
        scene.wait_said('Id "x" respawning too fast: disabled for 5 minutes')
        for _ in range(10):
            scene.m.promptness()
        count = len(scene.marked("x"))
        tap.equal(count, 10, "how often it was started")
        getty = scene.wait_getty("g1")
        scene.kill(getty)
        scene.wait_getty("g1", 2)
        scene.m.telinit("q")
        scene.wait_mark("x", count + 1)


tap.main()
