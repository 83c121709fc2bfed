#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What each signal makes pid 1 do; init_reexec.py has those of a fault."""
import os
import signal

from rows import Row
from scene import CMD_RUNLVL, Scene, tap, wait_for

BASE = """id:2:initdefault:
g1:2345:respawn:/tmp/getty g1
ca::ctrlaltdel:/tmp/mark ctrlaltdel
kb::kbrequest:/tmp/mark kbrequest
pf::powerfail:/tmp/mark powerfail
pw::powerwait:/tmp/mark powerwait
pn::powerfailnow:/tmp/mark powerfailnow
po::powerokwait:/tmp/mark powerokwait
"""
POWER = {"powerfail", "powerwait", "powerfailnow", "powerokwait"}
SERVICE_SIGNALS = {signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGWINCH, signal.SIGPWR,
                   signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP, signal.SIGCONT}
FATAL = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)
REALTIME_FIRST = 34


def booted(**options):
    return Scene(BASE, **options)


@tap.case()
def hup_reads_the_inittab_again():
    with booted() as scene:
        scene.wait_getty("g1")
        scene.m.write("/etc/inittab", BASE + "new:2:once:/tmp/mark new\n")
        scene.m.signal(signal.SIGHUP)
        scene.wait_mark("new")


@tap.case()
def int_runs_the_ctrlaltdel_entries_each_time():
    with booted() as scene:
        scene.wait_getty("g1")
        for count in (1, 2):
            scene.m.signal(signal.SIGINT)
            scene.wait_mark("ctrlaltdel", count)


@tap.case()
def winch_runs_the_kbrequest_entries_each_time():
    with booted() as scene:
        scene.wait_getty("g1")
        for count in (1, 2):
            scene.m.signal(signal.SIGWINCH)
            scene.wait_mark("kbrequest", count)


def power(letter, wanted, path="/run/powerstatus"):
    with booted() as scene:
        scene.wait_getty("g1")
        if letter:
            scene.m.write(path, letter + "\n")
        scene.m.signal(signal.SIGPWR)
        for word in wanted:
            scene.wait_mark(word)
        tap.equal({m[0] for m in scene.marks()} & POWER, set(wanted), "what ran")
        tap.check(not scene.m.exists(path), path + " is removed")
        return scene.m.syslog.texts()


for _letter, _wanted in (("O", ["powerokwait"]), ("L", ["powerfailnow"]),
                         ("F", ["powerfail", "powerwait"]), ("", ["powerfail", "powerwait"]),
                         ("x", ["powerfail", "powerwait"])):
    tap.add("pwr with the status %r runs %s" % (_letter, " and ".join(_wanted)),
            lambda letter=_letter, wanted=_wanted: power(letter, wanted))


@tap.case()
def pwr_takes_the_status_from_the_old_place_with_a_warning():
    with booted() as scene:
        scene.wait_getty("g1")
        scene.m.write("/etc/powerstatus", "O")
        scene.m.signal(signal.SIGPWR)
        scene.wait_mark("powerokwait")
        scene.wait_said("warning: found obsolete path /etc/powerstatus, "
                        "use /var/run/powerstatus instead")
        tap.check(not scene.m.exists("/etc/powerstatus"), "the file is removed")


@tap.case()
def usr1_opens_initctl_again_and_carries_out_what_waited_in_it():
    with booted() as scene:
        scene.wait_getty("g1")
        scene.m.write("/etc/inittab", BASE + "new:2:once:/tmp/mark new\n")
        scene.m.signal(signal.SIGSTOP)      # so that the request lies there when the signal comes
        scene.m.request(CMD_RUNLVL, "q")
        scene.m.signal(signal.SIGUSR1)
        scene.m.signal(signal.SIGCONT)
        scene.wait_mark("new")
        scene.m.request(CMD_RUNLVL, "3")
        scene.wait_title("init [3]")


@tap.case()
def usr2_closes_initctl_until_usr1_opens_it():
    with booted() as scene:
        scene.wait_getty("g1")
        wait_for(scene.m.takes_requests, "initctl to be open")
        scene.m.signal(signal.SIGUSR2)
        wait_for(lambda: not scene.m.takes_requests(), "initctl to be closed")
        scene.m.signal(signal.SIGUSR1)
        wait_for(scene.m.takes_requests, "initctl to be open again")
        scene.m.telinit("3")
        scene.wait_title("init [3]")


@tap.case()
def telinit_gives_up_on_a_closed_initctl_and_says_so():
    with booted() as scene:
        scene.wait_getty("g1")
        wait_for(scene.m.takes_requests, "initctl to be open")
        scene.m.signal(signal.SIGUSR2)
        wait_for(lambda: not scene.m.takes_requests(), "initctl to be closed")
        done = scene.m.run(["/sbin/telinit", "3"])
        tap.equal((done.status, done.out), (1, ""), "telinit's exit")
        tap.equal(done.err, "telinit: timeout opening/writing control channel /run/initctl\n",
                  "its message")


@tap.case()
def tstp_stops_starting_things_and_cont_goes_on():
    with booted() as scene:
        first = scene.wait_getty("g1")
        scene.m.signal(signal.SIGTSTP)
        scene.kill(first)
        wait_for(lambda: not scene.m.process(first), "the getty to be reaped meanwhile")
        for _ in range(20):
            scene.m.promptness()
        tap.equal(scene.gettys("g1"), [first], "the gettys that were started while it is stopped")
        scene.m.signal(signal.SIGCONT)
        scene.wait_getty("g1", 2)


@tap.case()
def signals_of_container_managers_run_shutdown():
    record = '#!/bin/sh\necho "shutdown $*" >>/tmp/marks\n'
    with booted(prepare=lambda m: m.write("/sbin/shutdown", record, 0o755)) as scene:
        scene.wait_getty("g1")
        for offset, flags in ((4, "-hP"), (3, "-hH"), (5, "-r"), (6, "-r")):
            before = len(scene.marked("shutdown"))
            scene.m.signal(REALTIME_FIRST + offset)
            tap.equal(scene.wait_mark("shutdown", before + 1)[-1], ["shutdown", flags, "now"],
                      "what RTMIN+%d runs" % offset)


@tap.case()
def every_other_signal_is_ignored():
    with Row() as row:
        skip = SERVICE_SIGNALS | {signal.SIGKILL, signal.SIGSTOP} | set(FATAL)
        skip |= set(range(REALTIME_FIRST + 3, REALTIME_FIRST + 7)) | {32, 33}
        for number in range(1, 65):
            if number not in skip:
                row.m.signal(number)
        row.holds()


@tap.case()
def signals_from_within_kill_and_stop_nothing():
    with Row() as row:
        row.m.call(lambda: [os.kill(1, number) for number in (signal.SIGKILL, signal.SIGSTOP)])
        row.holds()


tap.main()
