#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bootlogd(8) in a name space machine (relay.py)."""
import contextlib
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel
from machine import tap, wait_for
from relay import LOG, SLAVE, Scene, Shared, ended

shared = Shared()


def outer_pids(scene, inner):
    """Processes that have this number in the machine, by their number here."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open("/proc/%s/status" % pid) as file:
            numbers = next(line.split()[1:] for line in file if line.startswith("NSpid:"))
            if numbers[-1] == str(inner) and os.readlink("/proc/%s/ns/pid" % pid) == os.readlink(
                    "/proc/%d/ns/pid" % scene.m.pid):
                found.append(int(pid))
    return found


@tap.case(deadline=120)
def a_wrong_call_is_told_and_changes_nothing():
    with shared.use() as scene:
        for args in (["-h"], ["operand"], ["-x"], ["-l"]):
            done = scene.m.run(["/sbin/bootlogd", *args], env=scene.env)
            tap.equal(done.status, 1, "status of %r" % args)
            tap.check("Usage: bootlogd [-v] [-r] [-d] [-e] [-s] [-c] [-p pidfile] [-l logfile]\n" in done.err, done.err)
        done = scene.m.run(["/sbin/bootlogd", "-v", "-x"], env=scene.env)
        tap.check(done.status == 0 and done.out.startswith("bootlogd - "), repr(done))
        tap.check(not scene.m.exists(SLAVE), "nothing was redirected")


@tap.case(deadline=120)
def help_and_version_have_long_names():
    with shared.use() as scene:
        for option in ("--help", "--version"):
            done = scene.m.run(["/sbin/bootlogd", option], env=scene.env)
            tap.check(done.status == 0 and "bootlogd" in done.out and not done.err, repr(done))


@tap.case(deadline=120)
def a_refused_redirection_is_told_and_nothing_is_left():
    with shared.use() as scene:
        done = scene.m.run(["/sbin/bootlogd", "-c", "-l", LOG, "-p", "/run/pid"])      # the machine forbids it
        tap.equal(done.status, 1, "its status")
        tap.check("TIOCCONS): Operation not permitted" in done.err, done.err)
        wait_for(lambda: not scene.writers("bootlogd-tty") and not scene.writers("bootlogd"), "its processes to be gone")
        tap.check(not scene.m.exists("/run/pid"), "no pid file")


@tap.case(deadline=120)
def without_a_terminal_for_a_console_it_does_not_start():
    with Scene(console=False) as scene:
        scene.m.call(lambda: kernel.mount("/dev/null", "/proc/consoles", None, kernel.MS_BIND))
        scene.m.write("/run/active", "null\n")
        done = scene.m.run(["/bin/sh", "-c", "mount --bind /run/active /sys/class/tty/console/active 2>/dev/null;"
                            " for d in tty1 hvc0 ttyS0 ttySC0 ttyAMA0 ttyB0; do rm -f /dev/$d; done;"
                            " exec /sbin/bootlogd -c -l %s" % LOG], env=scene.env)
        tap.equal(done.status, 1, "its status: %r" % (done,))
        tap.check("cannot deduce real console device" in done.err, done.err)


@tap.case(deadline=120)
def the_pid_file_is_whole_when_the_command_returns_and_gone_at_the_end():
    with shared.use() as scene:
        scene.m.write("/run/pid", "12345678 stale\n")
        done = scene.m.run(["/sbin/bootlogd", "-c", "-l", LOG, "-p", "/run/pid"], env=scene.env)
        tap.equal((done.status, done.err), (0, ""), "the start")
        pid = int(scene.m.read("/run/pid"))
        tap.check(pid in scene.writers("bootlogd"), "it is the daemon's: %d" % pid)
        scene.m.call(lambda: os.kill(pid, signal.SIGTERM))
        wait_for(lambda: pid not in scene.writers("bootlogd"), "its end")
        tap.check(not scene.m.exists("/run/pid"), "the file is gone")


@tap.case(deadline=120)
def closed_standard_streams_do_not_become_its_own():
    with shared.use() as scene:
        scene.m.write("/run/go", "#!/bin/sh\nexec /sbin/bootlogd -c -l %s -p /run/pid <&- >&- 2>&-\n" % LOG, 0o755)
        tap.equal(scene.m.run(["/run/go"], env=scene.env).status, 0, "the start")
        pid = int(scene.m.read("/run/pid"))
        fds = "/proc/%d/fd/" % wait_for(lambda: outer_pids(scene, pid), "the daemon")[0]
        for fd in range(3):
            wait_for(lambda: os.readlink(fds + str(fd)) == "/dev/null", "descriptor %d to be /dev/null" % fd)
        scene.say("hello\n")
        scene.logged(": hello\n")
        scene.m.call(lambda: os.kill(pid, signal.SIGTERM))
        wait_for(lambda: pid not in scene.writers("bootlogd"), "its end")


@tap.case(deadline=120)
def it_lets_go_of_standard_streams_and_folder_and_sleeps_when_idle():
    with shared.use() as scene:
        process = scene.start("-c")
        scene.say("hello\n")
        scene.logged(": hello\n")
        where = "/proc/%d/" % process.pid
        wait_for(lambda: os.readlink(where + "cwd").endswith("/"), "its folder to be /")
        for fd in range(3):
            wait_for(lambda: os.readlink(where + "fd/%d" % fd) == "/dev/null", "descriptor %d to be /dev/null" % fd)

        def sleeps_without_limit():
            with open(where + "syscall") as file:
                words = file.read().split()
            return len(words) > 3 and int(words[3], 16) & 0xffffffff == 0xffffffff
        wait_for(sleeps_without_limit, "a poll that nothing but an event ends")
        ended(process)


@tap.case(deadline=180)
def a_log_on_a_frozen_disk_stops_neither_writers_nor_console_nor_the_end():
    with Scene(prepare=lambda m: m.loop_ext4("/var/log")) as scene:
        process = scene.start("-c", log="/var/log/boot")
        scene.say("before\n")
        scene.logged(": before\n", "/var/log/boot")
        scene.m.freeze("/var/log")
        scene.say("first\n")
        wait_for(lambda: any(p.state == "D" for p in scene.m.processes()), "somebody to sleep on the frozen disk")
        scene.say("".join("line %d\n" % n for n in range(20000)))
        scene.shown("line 19999")
        ended(process)
        scene.m.thaw("/var/log")


@tap.case(deadline=180)
def a_killed_writer_is_replaced_and_output_goes_on():
    with shared.use() as scene:
        process = scene.start("-c")
        scene.say("one\n")
        scene.logged(": one\n")
        scene.shown("one\r\n")
        for comm in ("bootlogd-log", "bootlogd-tty"):
            old = scene.writers(comm)
            tap.equal(len(old), 1, "writers called " + comm)
            scene.m.call(lambda: os.kill(old[0], signal.SIGKILL))
            wait_for(lambda: scene.writers(comm) and scene.writers(comm) != old or scene.say("+\n"), "another one", 60)
        scene.say("two\n")
        scene.logged(": two\n")
        scene.shown("two\r\n")
        ended(process)


@tap.case(deadline=180)
def a_console_that_was_hung_up_is_written_again():
    with shared.use() as scene:
        process = scene.start("-c")
        scene.say("before\n")
        scene.shown("before\r\n")
        scene.m.console.revoke()
        scene.say("behind\n")
        scene.shown("behind\r\n")
        scene.logged(": behind\n")
        ended(process)


@tap.case(deadline=180)
def a_console_that_nobody_reads_stops_neither_writers_nor_log():
    with shared.use() as scene:
        process = scene.start("-c")
        scene.m.console.fill()
        scene.say("".join("line %d\n" % n for n in range(100000)))
        scene.logged(": line 99999\n")
        scene.m.console.resume()
        scene.shown("line 99999\r\n")
        scene.shown("bytes lost here\r\n")
        ended(process)


@tap.case(deadline=120)
def what_is_no_regular_file_is_no_log_and_is_not_waited_for():
    with shared.use() as scene:
        scene.m.call(lambda: os.mkfifo("/run/fifo"))
        process = scene.start("-c", log="/run/fifo")
        scene.say("hello\n")
        scene.shown("bootlogd: /run/fifo: ")
        ended(process)
        scene.shown("bytes of the log are lost")


@tap.case(deadline=120)
def a_hang_up_signal_opens_the_log_anew():
    with shared.use() as scene:
        process = scene.start("-c")
        scene.say("one\n")
        scene.logged(": one\n")
        scene.m.call(lambda: os.rename(LOG, LOG + ".0"))
        process.kill(signal.SIGHUP)
        wait_for(lambda: scene.m.exists(LOG), "the new log")
        scene.say("two\n")
        scene.logged(": two\n")
        tap.check("two" not in scene.log(LOG + ".0"), "the old one is left alone")
        ended(process)


@tap.case(deadline=120)
def a_log_that_exists_is_renamed_with_r_and_lines_are_kept_whole_with_e():
    with shared.use() as scene:
        scene.m.write(LOG, "old\n")
        scene.m.write(LOG + "~", "older\n")
        process = scene.start("-r", "-e", "-s")
        scene.say("\033[31mred\033[m\r\n")
        scene.logged(": \033[31mred\033[m\r\n")
        tap.equal(scene.log(LOG + "~"), "old\n", "the old log")
        ended(process)


@tap.case(deadline=120)
def the_log_may_be_read_by_whom_the_umask_lets():
    with shared.use() as scene:
        scene.m.run(["/bin/sh", "-c", "umask 027; exec /sbin/bootlogd -c -l %s -p /run/pid" % LOG], env=scene.env)
        pid = int(scene.m.read("/run/pid"))
        scene.say("secret\n")
        scene.logged(": secret\n")
        tap.equal(os.stat(scene.m.path(LOG)).st_mode & 0o777, 0o640, "the mode")
        scene.m.call(lambda: os.kill(pid, signal.SIGTERM))
        wait_for(lambda: not scene.writers("bootlogd"), "its end")


tap.main()
