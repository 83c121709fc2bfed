#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What pid 1 asks of the kernel from its first instruction on: what is listed, and may not wait."""
import signal

import probe
from machine import CMD_RUNLVL, CMD_SETENV
from rows import ALLOWED, INITTAB, NEVER_WAITING
from scene import Scene, subject, tap, wait_for

# Once at the start. KDSIGACCEPT must come from pid 1 itself and takes no lock that anybody sleeps
# with.
AT_START = {"execve", "arch_prctl", "set_tid_address", "prlimit64", "reboot", "setsid",
            "sigaltstack", "mlockall", "epoll_create", "epoll_create1", "signalfd4",
            "timerfd_create", "inotify_init1", "ioctl", "geteuid", "chdir", "pwrite64"}
# What is opened by name before the loop begins, on the way to it.
OPENED_AT_START = ("/dev/null",)


class Traced(Scene):
    """strace is there before init is."""

    def __enter__(self):
        self.prepare = self.attach
        return super().__enter__()

    def attach(self, machine):
        self.trace = probe.Strace(machine.pid)
        self.trace.__enter__()

    def __exit__(self, kind, error, trace):
        self.trace.__exit__()
        super().__exit__(kind, error, trace)
        if kind is None:
            self.judge()

    def judge(self):
        lines = self.trace.lines
        begin = max(n for n, line in enumerate(lines) if line.startswith("execve("))
        mine = [line for line in lines[begin:]
                if "(" in line and not line.startswith(("---", "+++"))]
        names = {line.split("(")[0] for line in mine}
        tap.check(len(mine) > 50, "strace saw pid 1 from its first call on")
        tap.equal(sorted(names - ALLOWED - AT_START), [], "calls that are not on the list")
        for line in mine:
            name = line.split("(")[0]
            words = NEVER_WAITING.get(name)
            fine = not words or any(word in line for word in words.split("|"))
            fine = fine or any('"%s"' % path in line for path in OPENED_AT_START)
            tap.check(fine, "a call that cannot wait: " + line)
        loop = next(n for n, line in enumerate(mine) if line.startswith(("epoll_w", "epoll_pw")))
        tap.equal(sorted({line.split("(")[0] for line in mine[loop:]} - ALLOWED), [],
                  "calls that belong to the start, in the loop")


@tap.case(deadline=120)
def from_boot_to_power_off_pid_1_calls_only_what_is_listed():
    if subject() == "stock":
        tap.skip("the list is that of our init")
    inittab = INITTAB + "ca::ctrlaltdel:/tmp/mark keys\npf::powerfail:/tmp/mark power\n" \
        "od:A:ondemand:/tmp/getty od\nw0:0:wait:/tmp/mark nought\n"
    with Traced(inittab) as scene:
        scene.wait_getty("g1")
        for level in ("3", "A", "q", "2", "x"):
            scene.m.request(CMD_RUNLVL, level)
        scene.m.request(CMD_SETENV, data=b"INIT_X=1\0")
        scene.m.initctl(b"nonsense")
        scene.wait_getty("od")
        scene.wait_said("got bogus initrequest")
        for number, word in ((signal.SIGINT, "keys"), (signal.SIGPWR, "power")):
            scene.m.signal(number)
            scene.wait_mark(word)
        scene.m.signal(signal.SIGUSR2)
        wait_for(lambda: not scene.m.takes_requests(), "initctl to be closed")
        for number in (signal.SIGUSR1, signal.SIGTSTP, signal.SIGCONT):
            scene.m.signal(number)
        wait_for(scene.m.takes_requests, "initctl to be open again")
        scene.kill(scene.gettys("g1")[-1])
        scene.wait_getty("g1", 2)
        scene.m.promptness()
        scene.m.telinit("-t", "1", "0")
        scene.wait_mark("nought")
        wait_for(lambda: not scene.m.zombies(), "no zombie to be left")


tap.main()
