#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A waiting shutdown(8): it is the only one, can be called off by whoever may and by nobody else, shows itself, and takes
its files away however it ends.

Stock believes any number in its pid file: a stranger's process keeps a shutdown from starting, and is signalled by
`shutdown -c`. SIGTERM leaves its pid file and nologin behind, an inherited mask or disposition makes it deaf.
"""
import fcntl
import os
import re
import signal

from downing import PID_FILE, SETENV, Down, Request, tap, wait_for

CANCELLED = "\r\nShutdown cancelled.\r\n"
UNSET = Request(SETENV, "", 0, "INIT_HALT")
STARTERS, ROUNDS = 8, 3


def stdout_of(d, process, file):
    process.wait()
    return os.pread(file, 4096, 0).decode()


def still_there(process):
    return d_state(process) not in ("", "Z")


def d_state(process):
    try:
        with open("/proc/%d/stat" % process.pid) as file:
            return file.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


@tap.case(deadline=120)
def cancel_takes_everything_away_and_tells_who_waits():
    with Down("ours") as d:
        term = d.terminal()
        out = os.memfd_create("out")
        process = d.waiting("-F", "-r", "+4", "bye", out=out)
        wait_for(lambda: "in 4 minutes!" in term.text(), "the warning")
        tap.check(d.machine.read("/etc/nologin").startswith("\rThe system is going down on "), "nologin")
        tap.check(d.machine.read("/etc/nologin").endswith("\n\r\nbye \r\n"), "nologin's message")
        tap.equal(os.stat(d.path("/etc/nologin")).st_mode & 0o777, 0o644, "its mode")
        tap.equal(os.stat(d.path(PID_FILE)).st_mode & 0o777, 0o644, "the pid file's")
        tap.equal(d.run("shutdown", "-c", "never", "mind"), (0, "", ""), "shutdown -c")
        tap.equal((stdout_of(d, process, out), process.wait()), (CANCELLED, 0), "the one that waited")
        tap.equal(d.left_files(), [], "what is left")
        tap.equal(d.requests(), [UNSET], "what init is asked")
        wait_for(lambda: term.text().endswith(":\r\n\r\nnever mind \r\n"), "the message of the cancel")
        # Without a message nobody is told anything.
        shown = term.text()
        process = d.waiting("-Q", "-r", "+40")
        tap.equal(d.run("shutdown", "-c").status, 0, "shutdown -c")
        process.wait()
        tap.equal(term.text(), shown, "what was shown meanwhile")


@tap.case(deadline=120)
def every_way_to_end_takes_the_files_away():
    with Down("ours") as d:
        for signo, status in ((signal.SIGINT, 0), (signal.SIGTERM, 1), (signal.SIGALRM, 1), (signal.SIGUSR1, 1),
                              (signal.SIGXCPU, 1)):
            process = d.waiting("-f", "-r", "+3")
            wait_for(lambda: d.machine.exists("/etc/nologin"), "nologin")
            process.kill(signo)
            tap.equal(process.wait(), status, "status after " + signo.name)
            tap.equal(d.left_files(), [], "what is left after " + signo.name)
        process = d.waiting("-r", "+3")
        wait_for(lambda: d.machine.exists("/etc/nologin"), "nologin")
        for signo in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE,
                      signal.SIGCHLD, signal.SIGWINCH):
            process.kill(signo)
        tap.equal(d.run("shutdown", "--show").status, 0, "it waits still")
        tap.check(d_state(process) == "S", "and is not stopped")
        process.kill(signal.SIGTERM)
        process.wait()


@tap.case(deadline=60)
def inherited_masks_and_dispositions_do_not_make_it_deaf():
    with Down("ours") as d:
        def deaf():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
            os.execv("/sbin/shutdown", ["shutdown", "-r", "+10"])
        process = d.machine.spawn(deaf)
        wait_for(lambda: d.pid_in_file() == process.inner_pid(), "the pid file")
        wait_for(lambda: d.run("shutdown", "--show").status == 0, "it to wait")
        tap.equal(d.run("shutdown", "-c").status, 0, "shutdown -c")
        tap.equal(process.wait(), 0, "its status")


@tap.case(deadline=60)
def it_shows_what_when_and_by_whom():
    with Down("ours") as d:
        tap.equal(d.run("shutdown", "--show"), (1, "", "no shutdown is scheduled\n"), "nothing")
        for options, what in ((["-r"], "reboot"), (["-hP"], "power-off"), (["-hH"], "halt"), ([], "maintenance mode"),
                              (["-k", "-r"], "only a warning of reboot")):
            process = d.waiting(*options, "+90", "new", "disks", env={"SUDO_USER": "alice", "TZ": "UTC0"})
            wait_for(lambda: d.machine.exists("/run/shutdown.schedule"), "what it tells")
            done = wait_for(lambda: shown(d), "it to be told")
            tap.check(done.startswith(what + " scheduled for "), "%s: %r" % (options, done))
            tap.check(" in 90 minutes, by alice (pid %d)\nmessage: new disks\n" % process.inner_pid() in done, repr(done))
            process.kill(signal.SIGINT)
            process.wait()
        # What a killed one left means nothing.
        process = d.waiting("-r", "+90")
        wait_for(lambda: d.machine.exists("/run/shutdown.schedule"), "what it tells")
        process.kill()
        process.wait()
        tap.check(d.machine.exists("/run/shutdown.schedule"), "it could not clean up")
        tap.equal(d.run("shutdown", "--show", uid=65534), (1, "", "no shutdown is scheduled\n"), "after a kill")
        tap.equal(d.run("shutdown", "-c"), (1, "", "shutdown: not running.\n"), "cancel after a kill")


def shown(d):
    done = d.run("shutdown", "--show", uid=65534)
    return done.out if done.status == 0 and "scheduled" in done.out else ""


@tap.case(deadline=120)
def a_stranger_s_number_is_no_shutdown_and_is_left_in_peace():
    """Stock kills it, and refuses to start; a 1 makes it send SIGINT to init, which is Ctrl-Alt-Del."""
    with Down("ours") as ours, Down("stock") as stock:
        for d in (ours, stock):
            stranger = d.machine.spawn(["/bin/sleep", "100000"])
            wait_for(lambda: "sleep" in d.machine.process(stranger.inner_pid()).title, "a stranger")
            d.machine.write(PID_FILE, "%d\n" % stranger.inner_pid())
            begun = d.run("shutdown", "-k", "now")
            d.machine.write(PID_FILE, "%d\n" % stranger.inner_pid())
            done = d.run("shutdown", "-c")
            if d is ours:
                tap.equal((begun.status, begun.out), (0, CANCELLED), "a start")
                tap.equal((done.status, done.err), (1, "shutdown: not running.\n"), "a cancel")
                tap.check(d_state(stranger) == "S", "the stranger lives")
            else:
                tap.equal((begun.status, begun.err), (1, "\rshutdown: already running.\r\n"), "stock's start")
                tap.equal((done.status, stranger.wait()), (0, -signal.SIGINT), "stock's cancel, and the stranger")
        ours.machine.write(PID_FILE, "1\n")
        tap.equal(ours.run("shutdown", "-c").status, 1, "a cancel of number 1")
        os.unlink(ours.path(PID_FILE))
        tap.equal(ours.run("shutdown", "-c"), (1, "", "shutdown: cannot find pid of running shutdown.\n"), "without a file")


@tap.case(deadline=120)
def a_user_s_lock_on_a_stale_file_stops_nobody():
    with Down("ours") as d:
        d.machine.write(PID_FILE, "77\n")
        ready, tell = os.pipe()

        def reader():
            file = open("/run/shutdown.pid", "rb")
            fcntl.lockf(file, fcntl.LOCK_SH)
            os.write(tell, b".")
            signal.pause()
        user = d.machine.spawn(reader, uid=65534, keep=(tell,))
        os.read(ready, 1)
        tap.equal(d.run("shutdown", "--show").status, 1, "nothing is scheduled")
        process = d.waiting("-r", "+10")
        tap.equal(d.run("shutdown", "-c").status, 0, "a cancel")
        process.wait()
        user.end()


@tap.case(deadline=240)
def of_many_started_at_once_exactly_one_waits():
    """Of stock's, two stayed in one of five rounds."""
    with Down("ours") as d:
        for _ in range(ROUNDS):
            go, tell = os.pipe()

            def start():
                os.close(tell)
                os.read(go, 1)
                os.execv("/sbin/shutdown", ["shutdown", "-r", "+10"])
            started = [d.machine.spawn(start, keep=(go, tell)) for _ in range(STARTERS)]
            os.close(tell)
            os.close(go)
            wait_for(lambda: sum(map(still_there, started)) == 1, "all but one to give up")
            winner, = filter(still_there, started)
            tap.equal(sorted(p.wait() for p in started if p is not winner), [1] * (STARTERS - 1), "what the others end with")
            wait_for(lambda: d.pid_in_file() == winner.inner_pid(), "the winner's number")
            tap.equal(d.run("shutdown", "now"), (1, "", "\rshutdown: already running.\r\n"), "one that comes later")
            tap.equal(d.run("shutdown", "-c").status, 0, "a cancel")
            tap.equal(winner.wait(), 0, "the winner")
            d.requests()


@tap.case(deadline=60)
def what_others_have_made_stays():
    """Stock truncates an existing nologin, follows a link to what it leads to, and removes it with the flags."""
    with Down("ours") as d:
        d.machine.write("/etc/nologin", "maintenance\n")
        d.machine.write("/forcefsck", "always\n")
        process = d.waiting("-F", "-r", "+3")
        wait_for(lambda: d.machine.exists("/run/shutdown.schedule"), "it to wait")
        tap.equal(d.run("shutdown", "-c").status, 0, "a cancel")
        process.wait()
        tap.equal(d.machine.read("/etc/nologin"), "maintenance\n", "nologin")
        tap.equal(d.machine.read("/forcefsck"), "always\n", "the flag")
        os.unlink(d.path("/etc/nologin"))
        d.machine.write("/etc/precious", "kept\n")
        os.symlink("precious", d.path("/etc") + "/nologin")
        for link in ("shutdown.pid", "shutdown.schedule"):
            os.symlink("/etc/precious", d.path("/run") + "/" + link)
        process = d.waiting("-r", "+3")
        process.kill(signal.SIGTERM)
        process.wait()
        tap.equal(d.machine.read("/etc/precious"), "kept\n", "what links led to")


@tap.case(deadline=60)
def a_span_counts_while_the_machine_is_suspended_and_a_time_follows_the_clock():
    """Stock sleeps, by a clock that stands still then, and does not see that the other one is set."""
    with Down("ours") as d:
        for when, clock, how in (("+40", "CLOCK_BOOTTIME", "TFD_TIMER_ABSTIME"),
                                 ("0:00", "CLOCK_REALTIME", "TFD_TIMER_ABSTIME|TFD_TIMER_CANCEL_ON_SET")):
            d.machine.write("/tmp/calls", "")
            process = d.machine.spawn(["strace", "-qq", "-o", "/tmp/calls", "-e", "trace=timerfd_create,timerfd_settime", "/sbin/shutdown", "-Q", "-r", when])
            wait_for(lambda: "timerfd_settime(" in d.machine.read("/tmp/calls"), "its timer")
            calls = d.machine.read("/tmp/calls").splitlines()
            tap.check(calls[0].startswith("timerfd_create(%s, " % clock), "%s: %r" % (when, calls))
            tap.check(re.match(r"timerfd_settime\(\d+, %s, " % re.escape(how), calls[1]), "%s: %r" % (when, calls))
            tap.equal(d.run("shutdown", "-c").status, 0, "a cancel")
            tap.equal(process.wait(), 0, "its end")


@tap.case(deadline=60)
def only_warning_asks_nothing_of_init_and_says_nothing_to_syslog():
    with Down("ours") as d:
        d.machine.syslog.start()
        term = d.terminal()
        done = d.run("shutdown", "-k", "-r", "now", "a", "test")
        tap.equal(done, (0, CANCELLED, ""), "shutdown -k")
        wait_for(lambda: term.text().endswith("a test \r\n\rThe system is going down for reboot NOW!\r\n"), "the warning")
        tap.equal((d.requests(), d.left_files(), d.machine.syslog.texts("shutdown")), ([], [], []), "and nothing else")


tap.main()
