#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples of doc/initctl.md compile, run, and do what the text says; /etc/initscript made of doc/initscript.sample works."""
import os
import re
import subprocess
import tempfile

from machine import tap, wait_for
from scene import Scene

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INITTAB = """id:2:initdefault:
g1:23:respawn:/tmp/getty g1
w3:3:wait:/tmp/mark three
pf::powerwait:/tmp/mark failed
pl::powerfailnow:/tmp/mark low
po::powerokwait:/tmp/mark back
"""


def read(*names):
    with open(os.path.join(TOP, *names), encoding="utf-8") as file:
        return file.read()


def example(name):
    found = re.search(r"<!-- example: %s -->\n```\w+\n(.*?)^```" % re.escape(name), read("doc/initctl.md"), re.MULTILINE | re.DOTALL)
    tap.check(found, "doc/initctl.md has the example " + name)
    return found.group(1)


def compiled(name):
    """The program, built against the header that is installed."""
    header = os.path.join(os.environ.get("INIT_ROOT") or os.path.join(TOP, "build/root"), "usr/include")
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/ask.c", "w", encoding="utf-8") as file:
            file.write(example(name))
        done = subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-I" + header, "-static", "-o", folder + "/ask",
                               folder + "/ask.c"], stderr=subprocess.PIPE, text=True, check=False)
        tap.equal((done.returncode, done.stderr), (0, ""), "what the compiler says")
        with open(folder + "/ask", "rb") as file:
            return file.read()


@tap.case(deadline=120)
def the_program_in_c_changes_the_level_and_says_what_is_wrong():
    with Scene(INITTAB) as scene:
        scene.wait_getty("g1")
        scene.m.write("/tmp/ask", compiled("ask.c"), 0o755)
        done = scene.m.run(["/tmp/ask", "3"])
        tap.equal((done.status, done.out, done.err), (0, "", ""), "what it says")
        tap.equal(scene.wait_mark("three"), [["three", "3", "2"]], "the level's entry ran")
        done = scene.m.run(["/tmp/ask", "2"], uid=65534)
        tap.equal((done.status, done.err), (1, "ask: /run/initctl: Permission denied\n"), "what a user is told")
        tap.equal(scene.m.run(["/tmp/ask"]).status, 2, "the status without a level")
        scene.m.run(["/tmp/ask", "q"])
        scene.wait_said("Re-reading inittab")
        tap.equal(scene.m.run(["rm", "/run/initctl"]).status, 0, "the pipe is removed")
        wait_for(lambda: scene.m.run(["/tmp/ask", "2"]).status == 0, "the pipe to be there again, as the text says")
        scene.wait_title("init [2]")


@tap.case(deadline=120)
def the_power_script_and_the_variable_script_do_what_the_text_says():
    with Scene(INITTAB) as scene:
        getty = scene.wait_getty("g1")
        for name in ("power.py", "variable.py"):
            scene.m.write("/tmp/" + name, example(name))
        for word in ("failed", "low", "back"):
            tap.equal(scene.m.run(["python3", "/tmp/power.py", word]).status, 0, "the status of power.py " + word)
            scene.wait_mark(word)
        scene.m.telinit("-e", "INIT_OLD=1")
        tap.equal(scene.m.run(["python3", "/tmp/variable.py"]).status, 0, "the status of variable.py")
        scene.kill(getty)
        again = scene.wait_getty("g1", 2)
        names = scene.m.call(lambda: open("/proc/%d/environ" % again, encoding="latin-1").read().split("\0"))
        tap.check("INIT_HALT=POWEROFF" in names, "the variable is set")
        tap.check(not any(name.startswith("INIT_OLD") for name in names), "the other one is removed")


@tap.case(deadline=120)
def the_sample_of_initscript_runs_every_kind_of_process():
    def prepare(machine):
        machine.write("/etc/initscript", read("doc/initscript.sample"))
    table = ("id:2:initdefault:\ng1:2:respawn:/tmp/getty g1\nl1:2:once:/tmp/mark list; umask >/tmp/umask && /tmp/mark second\n"
             "l2:2:once:PATH=$PATH:/x /tmp/mark \"a  b\" >>/tmp/out\nl3:2:once:echo p | { read p; /tmp/mark $p; }\nl4:2:once:echo \"$PATH\" >/tmp/path\n")
    with Scene(table, prepare=prepare) as scene:
        getty = scene.wait_getty("g1")
        for word in ("list", "second", "p"):
            scene.wait_mark(word)
        wait_for(lambda: any(mark[:2] == ["a", "b"] for mark in scene.marks()), "the quoted argument")
        tap.equal(scene.m.read("/tmp/umask"), "0022\n", "the umask")
        wait_for(lambda: scene.m.exists("/tmp/path") and scene.m.read("/tmp/path") == "/sbin:/usr/sbin:/bin:/usr/bin\n", "the PATH of the sample")
        found = scene.m.process(getty)
        tap.equal((found.ppid, found.title), (1, "sleep 1000000"), "the process that init watches is the command")
        scene.kill(getty)
        scene.wait_getty("g1", 2)


tap.main()
