#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""killall5: whom it signals, whom it spares, what it says. With STOCK=1 the same of the stock program."""
import ctypes
import fcntl
import os
import resource
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import kernel   # noqa: E402
import tap      # noqa: E402
from machine import subject     # noqa: E402
from victims import (Machine, child_events, executes, install_stock, killall5, refuse_outside, REFUSED, sleeper,     # noqa: E402
                     state_of, STOCK_PATH, stopped, traced, wait_for)

USAGE = "killall5: usage: killall5 -signum [-o omitpid] [-o omitpid] ...\n"
SYS_EXIT = {"x86_64": 60, "aarch64": 93}[os.uname().machine]


def machine():
    return Machine(subject())


@tap.case()
def the_tests_refuse_to_run_it_outside_of_a_machine():
    pid = os.fork()
    if not pid:
        refuse_outside()
        os._exit(0)
    tap.equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), REFUSED, "a process outside")


@tap.case()
def the_status_says_whether_anybody_was_signalled():
    with machine() as m:
        for signo in ("-15", "-18", "-1", "9"):
            tap.equal(killall5(m, signo), (2, "", ""), "%s with nobody there" % signo)
        victim = sleeper(m)
        tap.equal(killall5(m, "-18"), (0, "", ""), "-18")
        tap.equal(victim.status, None, "after -18 it lives")
        for number, argv in ((15, ["-15"]), (9, ["9"]), (9, []), (1, ["-1"]), (31, ["-31"])):
            victim = victim if victim.status is None else sleeper(m)
            tap.equal(killall5(m, *argv), (0, "", ""), "killall5 %s" % argv)
            tap.equal(victim.wait(), -number, "how the victim of %s ends" % argv)


@tap.case()
def what_is_no_command_line_signals_nobody():
    with machine() as m:
        victim = sleeper(m)
        for argv in (["-h"], ["-0"], ["-32"], ["-TERM"], [""], ["-"], ["-15", "-9"], ["15", "foo"], ["-31x"], ["-9", "-o"],
                     ["-o"], ["--15"], ["-omit", "9"], ["-9", "o", "5"], ["+9"], ["-+9"]):
            done = killall5(m, *argv)
            tap.equal((done.status, done.err), (1, USAGE), "killall5 %s" % argv)
        tap.equal((victim.status, child_events(victim.pid)), (None, []), "what the victim noticed")


@tap.case()
def another_name_does_nothing_but_complain():
    with machine() as m:
        victim = sleeper(m)
        for argv0 in (None, "", "x", "/sbin/", "kill", "init", "spidof"):
            done = killall5(m, argv0=argv0)
            tap.equal(done.status, 1, "called as %r" % argv0)
            tap.check("nothing is done" in done.err, "it says so: %r" % done.err)
        tap.equal(child_events(victim.pid), [], "what the victim noticed")
        tap.equal(killall5(m, "sleep", argv0="pidof.bak").out, "%d\n" % victim.inner_pid(), "a copy of pidof")


@tap.case()
def options_come_in_any_order():
    with machine() as m:
        spared = sleeper(m)
        me = spared.inner_pid()
        for argv in (["-o", me, "-15"], ["-15", "-o%d" % me], ["-o%d" % me, "15"], ["-15", "-o", "%d" % me, "-15"],
                     ["-o", "77,%d;78:79" % me, "-15"], ["-15", "-o", "77", "-o", me], ["-15", "-o", "0x,%d:" % me],
                     ["-o", "%dx" % me, "-15"]):
            other = sleeper(m)
            tap.equal(killall5(m, *argv).status, 0, "killall5 %s" % argv)
            tap.equal(other.wait(), -15, "the other one, with %s" % argv)
        tap.equal(child_events(spared.pid), [], "what the one on the list noticed")


@tap.case()
def numbers_that_are_none_are_told_and_left_out():
    with machine() as m:
        victim = sleeper(m)
        done = killall5(m, "-15", "-o", "abc,,-3,%PPID")
        tap.equal(done.status, 0, "status")
        tap.equal(done.err, "".join("killall5: illegal omit pid value (%s)!\n" % piece for piece in ("abc", "", "-3", "%PPID")),
                  "complaints")
        tap.equal(victim.wait(), -15, "the victim")


@tap.case()
def who_is_omitted_notices_nothing_at_all():
    with machine() as m:
        spared, other = sleeper(m), sleeper(m)
        for signo in ("-15", "-18", "-9"):
            killall5(m, signo, "-o", spared.inner_pid())
        tap.equal(other.wait(), -15, "the other one")
        tap.equal(child_events(spared.pid), [], "stops and continuations of the one on the list")


@tap.case()
def the_own_session_is_spared_and_goes_on():
    with machine() as m:
        for omitted in ([], ["-o", "99999"]):
            def work():
                refuse_outside()
                executed, closes = os.pipe()        # the second end closes when the mate has become its program
                if not os.fork():
                    os.execv("/bin/sleep", ["mate", "100000"])
                os.close(closes)
                os.read(executed, 1)
                executes("/sbin/killall5", ["killall5", "-9", *omitted])()
            other = sleeper(m)
            tap.equal(m.run(work).status, 0, "status")
            tap.equal(other.wait(), -9, "one of another session")
            mates = [p for p in m.processes() if p.title.startswith("mate")]
            tap.equal([p.state in "SR" for p in mates], [True], "the mate runs on")
            m.call(lambda: os.kill(mates[0].pid, signal.SIGKILL))
            wait_for(lambda: not [p for p in m.processes() if p.title.startswith("mate")], "the mate to be gone")


@tap.case()
def what_was_stopped_before_takes_its_signal_too():
    with machine() as m:
        for omitted in ([], ["-o", "99999"]):
            victim = sleeper(m)
            os.kill(victim.pid, signal.SIGSTOP)
            wait_for(lambda: state_of(victim.pid) == "T", "the victim to stop")
            tap.equal(killall5(m, "-15", *omitted).status, 0, "status with %s" % omitted)
            tap.equal(victim.wait(), -15, "the victim, with %s" % omitted)


@tap.case()
def a_process_whose_first_thread_has_ended_is_killed():
    def first_thread_ends():
        import threading
        threading.Thread(target=signal.sigwait, args=([signal.SIGUSR1],)).start()
        ctypes.CDLL(None).syscall(SYS_EXIT, 0)
    with machine() as m:
        for omitted in ([], ["-o", "99999"]):
            victim = m.spawn(first_thread_ends)
            wait_for(lambda: state_of(victim.pid) == "Z", "the first thread to end")
            tap.equal(killall5(m, "-9", *omitted).status, 0, "status with %s" % omitted)
            tap.equal(victim.wait(), -9, "its end, with %s" % omitted)


@tap.case()
def a_zombie_is_nobody():
    def parent():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if not os.fork():
            os.setsid()
            os._exit(0)
        signal.pause()
    with machine() as m:
        holder = m.spawn(parent)
        wait_for(m.zombies, "a zombie")
        for argv in (["-15", "-o", holder.inner_pid()],):
            tap.equal(killall5(m, *argv).status, 2, "killall5 %s" % argv)


@tap.case()
def a_kill_that_is_refused_is_none():
    with machine() as m:
        victim = sleeper(m)
        tap.equal(killall5(m, "-15", uid=65534).status, 2, "nobody's killall5")
        tap.equal(killall5(m, "-15", "-o", "99999", uid=65534).status, 2, "nobody's killall5 with a list")
        tap.equal((victim.status, stopped(m)), (None, []), "root's process")
        own = sleeper(m, uid=65534)
        tap.equal(killall5(m, "-15", uid=65534).status, 0, "with a process of his own")
        tap.equal(own.wait(), -15, "that process")


@tap.case()
def a_usage_error_is_said_where_no_terminal_is():
    with machine() as m:
        m.syslog.start()
        done = killall5(m, "-h")
        tap.equal((done.status, done.out, done.err), (1, "", USAGE), "with standard input from a file")
        wait_for(lambda: any(USAGE.strip().partition(": ")[2] in line.text for line in m.syslog.lines()), "syslog to have it, too")


@tap.case()
def help_and_version_are_given_and_signal_nobody():
    with machine() as m:
        victim = sleeper(m)
        done = killall5(m, "--help")
        tap.equal((done.status, done.out, done.err), (0, USAGE.partition(": ")[2], ""), "--help")
        done = killall5(m, "--version")
        tap.check(done.status == 0 and done.out.startswith("killall5 (sysvinit) "), "--version: %r" % (done,))
        tap.equal(child_events(victim.pid), [], "what the victim noticed")


def unmount_proc(m):
    def work():
        while os.path.exists("/proc/version"):
            kernel.umount("/proc", kernel.MNT_DETACH)
    m.call(work)


@tap.case()
def proc_is_mounted_where_it_is_not():
    with machine() as m:
        victim = sleeper(m)
        unmount_proc(m)
        tap.equal(killall5(m, "-15").status, 0, "status")
        tap.equal(victim.wait(), -15, "the victim")
        tap.check(m.call(lambda: os.path.exists("/proc/self/stat")), "it stays mounted")


@tap.case()
def without_any_proc_nobody_is_stopped():
    with machine() as m:
        victim = sleeper(m, uid=65534)
        unmount_proc(m)
        done = killall5(m, "-15", uid=65534)    # who may not mount
        tap.equal((done.status, done.err), (1, "killall5: /proc not mounted, failed to mount.\n"), "killall5 -15")
        tap.equal(child_events(victim.pid), [], "what the victim noticed")


@tap.case()
def what_can_hang_is_not_opened():
    """A command line that cannot be read now stands for a process that waits for a dead server."""
    with machine() as m:
        for omitted in ([], ["-o", "99999"]):
            victim = sleeper(m)
            place = "/proc/%d/cmdline" % victim.inner_pid()

            def cover():
                if not os.path.exists("/tmp/fifo"):
                    os.mkfifo("/tmp/fifo")
                kernel.mount("/tmp/fifo", place, None, kernel.MS_BIND)
            m.call(cover)
            tap.equal(killall5(m, "-15", *omitted).status, 0, "status with %s" % omitted)
            tap.equal(victim.wait(), -15, "the victim")
            # m.processes() would hang: it reads command lines.


@tap.case(deadline=120)
def a_trace_shows_nothing_but_stat_files_and_no_signal_to_the_first_process():
    with machine() as m:
        for omitted in ([], ["-o", "99999"]):
            victim = sleeper(m)
            with traced(m, ["killall5", "-15", *omitted]) as (process, trace):
                tap.equal(process.wait(60), 0, "status")
                text = trace().partition("execve(")[2]
            tap.equal(victim.wait(), -15, "the victim")
            for word in ("cmdline", "/exe", "environ", "kill(1,", "kill(2,", "readlink"):
                tap.equal([line for line in text.splitlines() if word in line], [], "lines of the trace with " + word)
            tap.check('/stat"' in text, "the trace has what it should")
            tap.check("pidfd_send_signal(" in text, "by a descriptor, not by a number")


@tap.case(deadline=120)
def a_stranger_s_lock_is_not_waited_for_for_ever():
    """Two of them take turns by a lock on /proc, which anybody can hold."""
    def hold():
        fcntl.flock(os.open("/proc", os.O_RDONLY), fcntl.LOCK_EX)
        os.write(tell, b"x")
        signal.pause()
    with machine() as m:
        ready, tell = os.pipe()
        holder = m.spawn(hold, keep=(tell,), uid=65534)
        tap.equal(os.read(ready, 1), b"x", "the lock is held")
        victim = sleeper(m)
        tap.equal(killall5(m, "-15", "-o", str(holder.inner_pid())).status, 0, "status")
        tap.equal(victim.wait(), -15, "the victim")
        tap.equal(state_of(holder.pid), "S", "who held the lock all the time")


@tap.case(deadline=120)
def when_descriptors_or_memory_run_out_all_go_on():
    with machine() as m:
        sleeper(m)
        for kind, values in ((resource.RLIMIT_NOFILE, range(3, 9)), (resource.RLIMIT_AS, (3 << 20, 4 << 20, 6 << 20))):
            for value in values:
                for omitted in ([], ["-o", "99999"]):

                    def work():
                        argv = ["killall5", "-18", *omitted]
                        run = executes("/sbin/killall5", argv)
                        resource.setrlimit(kind, (value, value))
                        run()
                        os._exit(1)     # it could not be executed
                    done = m.run(work)
                    what = "limit %d of %d, %s" % (kind, value, omitted)
                    wanted = (0,) if value == max(values) else (0, 1, 127)      # 127: libraries that cannot be opened
                    tap.check(done.status in wanted and (not done.status or "killall5: " in done.err), "%s: %s" % (what, done))
                    wait_for(lambda: not stopped(m), what + ": nobody to stay stopped")


@tap.case(deadline=120)
def both_programs_kill_the_same():
    if subject() == "stock":
        tap.skip("it is the stock program that is looked at")
    with machine() as m:
        if not install_stock(m):
            tap.skip("no stock program")
        found = {}
        for path in ("/sbin/killall5", STOCK_PATH + "/killall5"):
            found[path] = [fates(m, path, argv) for argv in
                           (["-1"], ["-9"], ["-15", "-o", "{0}"], ["9", "-o", "{0},{1}"], ["-10", "-o", "{2}"], ["-19"], ["-32"])]
        tap.equal(*found.values(), "fates and statuses")


def fates(m, path, argv):
    def ignores():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.execv("/bin/sleep", ["sleep", "100000"])
    people = [sleeper(m), m.spawn(ignores), sleeper(m, uid=65534)]
    wait_for(lambda: all(state_of(p.pid) == "S" for p in people), "all to sleep")
    wait_for(lambda: open("/proc/%d/comm" % people[1].pid).read() == "sleep\n", "the second to execute")
    status = killall5(m, *[word.format(*[p.inner_pid() for p in people]) for word in argv], path=path).status
    ends = []
    for process in people:
        killed = status == 0 and is_ended(process)
        ends.append(process.wait() if killed else "lives")
        process.end()
    return argv, status, ends


def is_ended(process):
    """killall5 has ended, so that a deadly signal is delivered or on its way."""
    state = wait_for(lambda: (lambda s: s if s in "ZXS" else None)(state_of(process.pid)), "the victim to come to rest")
    pending = open("/proc/%d/status" % process.pid).read()
    if state == "S" and "ShdPnd:\t0000000000000000" not in pending:
        wait_for(lambda: state_of(process.pid) == "Z", "a pending signal to end it")
        return True
    return state != "S"


tap.main()
