#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""shutdown -a: who may. `-a -c` asks without doing anything: "cannot find pid" is a yes.

Stock lets everybody when the list cannot be opened, believes records of logins that are over, ignores the 33rd name and
takes a name with a blank behind it for another one.
"""
import os
import shutil
import stat

import sinks
from downing import Down, tap, wait_for

YES = (1, "", "shutdown: cannot find pid of running shutdown.\n")
NO = (1, "", "")
REFUSAL = "\rshutdown: no authorized users logged in.\r"
DEAD = 4000000
# who, line, pid, list, ours, stock's
ROWS = [
    ("root", "tty1", 1, "", YES, YES), ("root", "tty63", 1, "", YES, YES), ("root", "ttyS0", 1, "", NO, NO),
    ("root", "pts/0", 1, "", NO, NO), ("root", "null", 1, "", NO, NO), ("alice", "tty1", 1, "", NO, NO),
    ("alice", "tty1", 1, "bob\nalice\n", YES, YES), ("alice", "tty1", 1, "#alice\n\n", NO, NO),
    ("alice", "tty1", 1, "alic\nalicea\n", NO, NO), ("alice", "ttyS0", 1, "alice\n", NO, NO),
    ("alice", "tty1", 1, "alice \n", YES, NO), ("alice", "tty1", 1, "alice\r\n", YES, NO),
    ("alice", "tty1", 1, "x\n" * 32 + "alice\n", YES, NO),
    ("alice", "tty1", 1, "#" + "x" * 126 + "alice\n", NO, YES),     # a long line is several of stock's
    ("root", "tty1", DEAD, "", NO, YES), ("alice", "tty1", 0, "alice\n", NO, YES),
]


def prepare(d):
    def nodes():
        for name, minor in (("tty1", 1), ("tty63", 63), ("ttyS0", 64)):
            os.mknod("/dev/" + name, 0o600 | stat.S_IFCHR, os.makedev(4, minor))
    d.machine.call(nodes)


def log_in(d, user, line, pid, kind=sinks.USER_PROCESS):
    d.machine.write("/run/utmp", sinks.UTMP.pack(kind, pid, line.encode(), b"1", user.encode(), b"", 0, 0, 0, 0, 0, b""))


@tap.case(deadline=180)
def each_login_and_list_gives_its_answer():
    with Down("ours") as ours, Down("stock") as stock:
        for d in (ours, stock):
            prepare(d)
            d.machine.write("/run/shutdown.pid", "x\n")
            for user, line, pid, listed, mine, theirs in ROWS:
                log_in(d, user, line, pid)
                d.machine.write("/etc/shutdown.allow", listed)
                tap.equal(d.run("shutdown", "-a", "-c"), mine if d is ours else theirs,
                          "%s: %s on %s, pid %d, list %r" % (d.which, user, line, pid, listed[:40]))


@tap.case(deadline=60)
def a_program_that_is_made_set_user_id_does_nothing_for_a_user():
    with Down("ours") as d:
        d.machine.call(lambda: (shutil.copy("/sbin/shutdown", "/usr/bin/shutdown"), os.chmod("/usr/bin/shutdown", 0o4755)))
        d.machine.write("/run/shutdown.pid", "x\n")
        for words in (["-r", "now"], ["-c"], ["-k", "+1"]):
            done = d.machine.run(["/usr/bin/shutdown", *words], uid=65534)
            tap.equal((done.status, done.out, done.err.splitlines()[0]), (1, "", "shutdown: you must be root to do that!"), " ".join(words))
            tap.equal(d.requests(), [], "what init is asked by " + " ".join(words))


@tap.case(deadline=60)
def the_list_counts_when_it_is_there_and_cannot_be_read():
    with Down("ours") as d:
        prepare(d)
        log_in(d, "alice", "tty1", 1)
        tap.equal(d.run("shutdown", "-a", "-c"), YES, "without a list")
        os.mkdir(d.path("/etc/shutdown.allow"))
        tap.equal(d.run("shutdown", "-a", "-c"), NO, "a directory")
        os.rmdir(d.path("/etc/shutdown.allow"))
        os.symlink("shutdown.allow", d.path("/etc") + "/shutdown.allow")
        tap.equal(d.run("shutdown", "-a", "-c"), NO, "a link to itself")


@tap.case(deadline=60)
def a_refusal_is_told_on_the_console_and_does_nothing():
    with Down("ours") as d:
        d.machine.write("/etc/shutdown.allow", "alice\n")
        tap.equal(d.run("shutdown", "-a", "-F", "-r", "now"), NO, "shutdown -a")
        tap.equal((d.requests(), d.left_files()), ([], []), "and nothing else")
        wait_for(lambda: REFUSAL in d.machine.console.text(), "the refusal on the console")
        # One that takes nothing costs the message and no time.
        # By one that leads a session without a terminal, and is not to get this one.
        d.machine.run(["strace", "-qq", "-o", "/tmp/calls", "-e", "trace=openat", "/sbin/shutdown", "-a", "-r", "now"])
        opened = [line for line in d.machine.read("/tmp/calls").splitlines() if '"/dev/console"' in line]
        tap.check(len(opened) == 1 and "O_NOCTTY" in opened[0], "how the console is opened: %s" % opened)
        d.machine.console.fill()
        tap.equal(d.run("shutdown", "-a", "-r", "now"), NO, "with a full console")
        d.machine.console.resume()


tap.main()
