#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom wall(1) reaches: every terminal of a living session once, and nothing else; no terminal holds up another, or
the sender. Debian has no wall of sysvinit to compare with; what the reference does is in the cases."""
import fcntl
import os
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine      # noqa: E402  (finds tap, too)
import tap          # noqa: E402
from sinks import wait_for                              # noqa: E402
from terminals import DEAD_PROCESS, LOGIN_PROCESS, USER_PROCESS, Hall, unbooted     # noqa: E402

WALL = "/usr/bin/wall"
MANY, STUCK = 2000, 100


def served(hall, text=b"text\r\n"):
    """The numbers of the terminals that got the message once and whole; the others got nothing."""
    found = []
    for number, terminal in enumerate(hall.terminals):
        output = terminal.output()
        if output:
            tap.check(output.endswith(b":\r\n\r\n" + text) and output.count(b"Broadcast message") == 1,
                      "terminal %d has one whole message: %r" % (number, output[:300]))
            found.append(number)
    return found


def ended_process():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@tap.case()
def living_sessions_are_served_once_and_nothing_else():
    """The reference serves a terminal as often as it is named, and dead sessions too."""
    with unbooted() as m, Hall(m, 9) as hall:
        t = hall.terminals
        dead = m.call(ended_process)
        m.call(lambda: os.mknod("/dev/x", 0o666 | stat.S_IFCHR, os.makedev(1, 3)))
        m.call(lambda: os.mknod("/dev/twice", 0o666 | stat.S_IFCHR, os.makedev(5, 1)))
        m.call(lambda: os.link("/dev/twice", "/dev/twice2"))
        m.write("/dev/file", "", 0o666)
        hall.empty_utmp()
        hall.utmp(USER_PROCESS, 1, t[0].line, "a")
        hall.utmp(USER_PROCESS, 1, t[1].path, "b")
        hall.utmp(USER_PROCESS, 1, t[0].path, "a")
        hall.utmp(USER_PROCESS, 1, t[0].line, "c")
        hall.utmp(USER_PROCESS, 1, t[2].line, "")
        hall.utmp(USER_PROCESS, 1, "../dev/" + t[3].line, "d")
        hall.utmp(USER_PROCESS, 1, ":0", "e")
        hall.utmp(DEAD_PROCESS, 1, t[4].line, "f")
        hall.utmp(LOGIN_PROCESS, 1, t[5].line, "LOGIN")
        hall.utmp(USER_PROCESS, dead, t[6].line, "g")
        hall.utmp(USER_PROCESS, 0, t[7].line, "h")
        hall.utmp(USER_PROCESS, 1, "x", "i")
        hall.utmp(USER_PROCESS, 1, "twice", "j")
        hall.utmp(USER_PROCESS, 1, "file", "k")
        hall.utmp(USER_PROCESS, 1, "pts/99999", "l")
        tap.equal(hall.run([WALL, "text"]), (0, "", ""), "wall")
        tap.equal(served(hall), [0, 1, 7], "who got it")
        tap.equal(m.read("/dev/file"), "", "the plain file")


@tap.case()
def who_is_not_root_reaches_what_is_open_for_messages():
    with unbooted() as m, Hall(m, 4) as hall:
        m.append("/etc/passwd", "walter:x:4321:4321::/:/bin/sh\n")
        for terminal, mode in zip(hall.terminals, (0o620, 0o600, 0o622, 0o600)):
            terminal.give(1000, 5, mode)
        hall.run([WALL, "text"], uid=4321)
        tap.equal(served(hall), [2], "without privileges")
        m.call(lambda: (os.chown(WALL, 0, 5), os.chmod(WALL, 0o2755)))
        hall.run([WALL, "text"], uid=4321)
        tap.equal(served(hall), [0, 2], "set-group-ID tty")
        hall.run([WALL, "text"])
        tap.equal(served(hall), [0, 1, 2, 3], "root")


@tap.case()
def an_absent_or_empty_utmp_is_nobody():
    with unbooted() as m, Hall(m, 1) as hall:
        hall.empty_utmp()
        tap.equal(hall.run([WALL, "text"]), (0, "", ""), "empty")
        os.unlink(m.path("/run/utmp"))
        tap.equal(hall.run([WALL, "text"]), (0, "", ""), "absent")
        os.mkfifo(m.path("/run/utmp"))
        tap.equal(hall.run([WALL, "text"]), (0, "", ""), "a FIFO")
        tap.equal(served(hall), [], "nobody got it")


@tap.case()
def a_lock_on_utmp_is_not_waited_for():
    """The reference waits ten seconds, and then finds nobody."""
    with unbooted() as m, Hall(m, 2) as hall:
        with open(m.path("/run/utmp"), "r+b") as utmp:
            fcntl.lockf(utmp, fcntl.LOCK_EX)
            hall.run([WALL, "text"])
            tap.equal(served(hall), [0, 1], "with the lock held all the time")


@tap.case(deadline=120)
def a_stopped_terminal_holds_up_neither_sender_nor_others():
    with unbooted() as m, Hall(m, 2) as hall:
        hall.terminals[0].stop()

        # The deliverer gives the first two seconds. Only where the machine is slower than that, wall is not seen to be back
        # before; a wall that waits for it never is.
        def returns_before_it_is_delivered():
            tap.equal(m.run([WALL, "text"]).status, 0, "wall")
            early = not hall.is_over("wall")
            wait_for(lambda: hall.is_over("wall"), "the deliverer to end")
            return early
        tap.check(any(returns_before_it_is_delivered() for _ in range(10)), "wall returns before all is delivered")
        hall.terminals[1].output()
        hall.run([WALL, "text"])
        tap.equal(served(hall), [1], "with one stopped")
        hall.terminals[0].go_on()
        hall.run([WALL, "text"])
        tap.equal(served(hall), [0, 1], "with none stopped: what was late is not sent any more")


@tap.case(deadline=120)
def without_a_child_to_be_had_it_is_done_as_far_as_it_can_be_and_said():
    """The calls that would start one are refused. The reference, which has no child for it, sleeps at the one that is stopped."""
    refused = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=process", "-e", "inject=clone,clone3,fork,vfork:error=EAGAIN", WALL, "text"]
    with unbooted() as m, Hall(m, 2) as hall:
        tap.equal(m.run(refused), (0, "", ""), "with none stopped")
        tap.equal(served(hall), [0, 1], "who got it")
        hall.terminals[0].stop()
        tap.equal(m.run(refused), (1, "", "wall: not everybody was reached\n"), "with one stopped")
        tap.equal(served(hall), [1], "who got it then")


@tap.case()
def one_that_is_stopped_for_a_moment_only_gets_it():
    with unbooted() as m, Hall(m, 2) as hall:
        hall.terminals[0].stop()
        for _ in range(10):
            m.run([WALL, "text"])
            wait_for(lambda: hall.terminals[1].output(), "the other to be served")
            hall.terminals[0].go_on()
            wait_for(lambda: hall.is_over("wall"), "the deliverer to end")
            if hall.terminals[0].output():
                return
            hall.terminals[0].stop()    # the machine was slower than the two seconds that a terminal has
        raise tap.Failed("none of ten messages arrived late")


def deliverer(m):
    """The living process of that name whose parent is gone, or None."""
    return next((p for p in m.processes() if p.comm == "wall" and p.state != "Z" and p.ppid == 1), None)


def descriptors(m, pid):
    try:
        return m.call(lambda: sorted(os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)))
    except FileNotFoundError:
        return None     # it has ended meanwhile


@tap.case(deadline=120)
def the_deliverer_has_nothing_of_the_sender():
    """Neither its session, which may be hung up right after, nor its descriptors: who listens to wall's output waits for
    their end."""
    with unbooted() as m, Hall(m, 1) as hall:
        hall.terminals[0].stop()
        for _ in range(10):     # the deliverer lives for two seconds: this machine may be too slow to see it
            read_end, write_end = os.pipe()
            process = m.spawn([WALL, "text"], out=write_end)
            os.close(write_end)
            tap.equal(process.wait(), 0, "wall")
            with open(read_end, "rb") as pipe:
                tap.equal(pipe.read(), b"", "standard output comes to its end")
            found = deliverer(m)
            links = found and descriptors(m, found.pid)
            wait_for(lambda: hall.is_over("wall"), "the deliverer to end")
            if links is not None:
                tap.equal(found.session, found.pid, "its session")
                tap.equal(links, ["/dev/null"] * 3, "its descriptors")
                return
        raise tap.Failed("no deliverer was seen in ten attempts")


@tap.case(deadline=600)
def two_thousand_terminals_of_which_a_hundred_are_stuck_take_seconds():
    with unbooted() as m, Hall(m, MANY) as hall:
        stuck = set(range(0, MANY, MANY // STUCK))
        for number in stuck:
            hall.terminals[number].stop()
        begin = time.monotonic()
        hall.run([WALL, "text"])
        took = time.monotonic() - begin
        tap.equal(served(hall), [i for i in range(MANY) if i not in stuck], "who got it")
        tap.diag("%d terminals, %d of them stuck: %.2f s" % (MANY, STUCK, took))
        # 2 s are what a stuck one has; the deliverer itself gives up after 30, one after the other would be 200.
        tap.check(took < 60, "all together took %.1f s" % took)


@tap.case(deadline=600)
def calls_that_never_return_on_a_hundred_terminals_cost_seconds_too():
    """Not only full: opening them sleeps for good, as no O_NONBLOCK can prevent in the kernel."""
    with unbooted() as m, Hall(m, MANY) as hall:
        each = MANY // STUCK
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O2", "-o", m.path("/tmp") + "/hang.so",
                        os.path.join(os.path.dirname(os.path.abspath(__file__)), "hang.c")], check=True)
        env = {**machine.SHELL_ENV, "LD_PRELOAD": "/tmp/hang.so", "HANG_EACH": str(each)}
        begin = time.monotonic()
        tap.equal(hall.run([WALL, "text"], env=env), (0, "", ""), "wall")
        took = time.monotonic() - begin
        healthy = [i for i, t in enumerate(hall.terminals) if int(t.line[len("pts/"):]) % each]
        tap.equal(len(healthy), MANY - STUCK, "terminals that hang")
        tap.equal(served(hall), healthy, "who got it")
        tap.diag("%d terminals, opening %d of them never returns: %.2f s" % (MANY, STUCK, took))
        tap.check(took < 60, "all together took %.1f s" % took)


tap.main()
