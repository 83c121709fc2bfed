#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bootlogd(8) in a name space machine: what does not need the kernel's redirection, which no name space keeps apart (that
is in tests/vm). Preloaded, tioccons.c says which terminal the console would have been redirected to; the tests write there."""
import atexit
import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel
from machine import SHELL_ENV, Machine, subject, tap, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
LOG, SLAVE, STOCK = "/run/boot.log", "/run/redirected", "/run/stock/bootlogd"


@functools.cache
def preloaded():
    with tempfile.TemporaryDirectory() as folder:
        out = folder + "/tioccons.so"
        subprocess.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", out,
                        HERE + "/tioccons.c", "-ldl"], check=True)
        with open(out, "rb") as file:
            return file.read()


class Scene:
    """A machine whose kernel command line names its console; bootlogd is started by start()."""

    def __init__(self, console=True, prepare=None):
        self.use_console, self.prepare = console, prepare

    def __enter__(self):
        self.m = Machine(subject())
        self.m.__enter__()
        try:
            if self.prepare:
                self.prepare(self.m)
            self.m.write("/run/tioccons.so", preloaded(), 0o755)
            self.m.write("/run/cmdline", "console=%s quiet\n" % (self.m.console.node[5:] if self.use_console else "null"))
            self.m.call(lambda: kernel.mount("/run/cmdline", "/proc/cmdline", None, kernel.MS_BIND))
        except BaseException:
            self.m.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *why):
        return self.m.__exit__(*why)

    env = {**SHELL_ENV, "LD_PRELOAD": "/run/tioccons.so", "TIOCCONS_FILE": SLAVE}

    def start(self, *args, log=LOG, program="/sbin/bootlogd"):
        """In the foreground, redirected when this returns."""
        process = self.m.spawn([program, "-d", "-l", log, *args], env=self.env)
        wait_for(lambda: self.m.exists(SLAVE) and self.m.read(SLAVE), "the redirection")
        return process

    def say(self, text, deadline=60):
        """Writes to what the console is redirected to, by a process that waits as a script would."""
        slave = self.m.read(SLAVE).strip()

        def write():
            with open(slave, "wb", buffering=0) as file:
                left = text.encode("latin-1")
                while left:
                    left = left[file.write(left):]
        tap.equal(self.m.spawn(write).wait(deadline), 0, "the end of who writes to the console")

    def log(self, path=LOG):
        return self.m.read(path) if self.m.exists(path) else ""

    def logged(self, text, path=LOG):
        wait_for(lambda: text in self.log(path), "%r in the log" % text, 60)

    def shown(self, text):
        wait_for(lambda: text in self.m.console.text(), "%r on the console" % text, 60)

    def writers(self, comm):
        return [p.pid for p in self.m.processes() if p.comm == comm and p.state not in "ZX"]


class Shared:
    """One machine for several cases; a failed case ends it, and the next has another."""

    def __init__(self):
        self.scene = None
        atexit.register(self.end)

    @contextlib.contextmanager
    def use(self):
        if not self.scene:
            self.scene = Scene().__enter__()
        with contextlib.ExitStack() as on_failure:
            on_failure.push(self.end)
            self.clear()
            yield self.scene
            on_failure.pop_all()

    def clear(self):
        def remove():
            for path in (LOG, LOG + "~", LOG + ".0", SLAVE, "/run/pid", "/run/fifo", "/run/boot.late"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
        self.scene.m.call(remove)

    def end(self, *why):
        if self.scene:
            self.scene.__exit__(*(why or (None, None, None)))
        self.scene = None


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


def ended(process):
    process.kill(signal.SIGTERM)
    tap.equal(process.wait(60), 0, "the status when it was told to end")


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
        wait_for(lambda: "bytes lost here\r\n" in scene.m.console.text(), "what is said of the loss")
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
def what_is_in_the_terminal_at_the_end_is_in_the_log_and_on_the_console():
    with shared.use() as scene:
        process = scene.start("-c")
        last_words(scene, process)
        tap.equal(process.wait(60), 0, "the status")
        tap.check(": last words\n" in scene.log(), "the log: " + scene.log())
        scene.shown("last words\r\n")


@tap.case(deadline=120)
def a_late_log_has_more_than_a_ring_would_hold():
    with shared.use() as scene:
        process = scene.start(log="/run/boot.late")
        early_boot(scene)
        scene.m.write("/run/boot.late", "")
        scene.logged(": line 999 ", "/run/boot.late")
        tap.equal([int(word) for word in re.findall(r": line (\d+) ", scene.log("/run/boot.late"))], list(range(1000)), "its lines")
        ended(process)


@tap.case(deadline=120)
def nothing_of_a_private_sequence_is_left_in_the_log():
    with shared.use() as scene:
        process = scene.start("-c")
        scene.say("\033[?25lhidden\033[m\n")
        scene.logged(": hidden\n")
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


# --- each of the cases above is about something that the stock program does otherwise ---

def last_words(scene, process):
    """Written while it is stopped, and told to end before it goes on."""
    process.kill(signal.SIGSTOP)
    wait_for(lambda: any(p.state == "T" for p in scene.m.processes()), "it to be stopped")
    scene.say("last words\n")
    process.kill(signal.SIGTERM)
    process.kill(signal.SIGCONT)


def early_boot(scene):
    scene.say("".join("line %d %s\n" % (n, "." * 50) for n in range(1000)))
    scene.shown("line 999 ")


@contextlib.contextmanager
def stock(*args, **options):
    with shared.use() as scene:
        program = os.environ.get("STOCK_ROOT", "") + "/sbin/bootlogd"
        if not os.path.exists(program):
            tap.skip("STOCK_ROOT has no bootlogd")
        if not scene.m.exists(STOCK):
            with open(program, "rb") as file:
                scene.m.write(STOCK, file.read(), 0o755)
        process = scene.start(*args, program=STOCK, **options)
        yield scene, process
        if process.status is None:
            process.end()


@tap.case(deadline=180)
def stock_loses_what_is_in_the_terminal_at_the_end_and_leaves_its_pid_file():
    with stock("-c", "-p", "/run/pid") as (scene, process):
        wait_for(lambda: scene.m.exists("/run/pid"), "the pid file")
        last_words(scene, process)
        tap.equal(process.wait(60), 0, "the status")
        tap.check("last words" not in scene.log(), "the log: " + scene.log())
        tap.check(scene.m.exists("/run/pid"), "the pid file is there")


@tap.case(deadline=180)
def stock_loses_the_early_boot():
    with stock(log="/run/boot.late") as (scene, _):
        early_boot(scene)
        scene.m.write("/run/boot.late", "")
        scene.logged("line 999 ", "/run/boot.late")
        tap.check(len(scene.log("/run/boot.late")) < 50000, "no more than its ring held: %d" % len(scene.log("/run/boot.late")))


@tap.case(deadline=180)
def stock_leaves_private_sequences_and_ends_by_a_hang_up():
    with stock("-c") as (scene, process):
        scene.say("\033[?25lhidden\033[m\n")
        scene.say("next\n")
        scene.logged(": ?hidden\n")
        tap.check(os.readlink("/proc/%d/fd/2" % process.pid) != "/dev/null", "it holds what it was started with")
        process.kill(signal.SIGHUP)
        tap.equal(process.wait(60), -signal.SIGHUP, "how it ended")


def is_blocked_in(process, *names):
    """In a system call that waits in one of these functions of the kernel."""
    with open("/proc/%d/wchan" % process.pid) as file:
        return file.read() in names


@tap.case(deadline=180)
def stock_waits_for_a_console_that_nobody_reads_and_all_writers_for_it():
    with stock("-c") as (scene, process):
        scene.m.console.fill()
        slave = scene.m.read(SLAVE).strip()

        def write():
            with open(slave, "wb", buffering=0) as file:
                for _ in range(100000):
                    file.write(b"a line\n")
        writer = scene.m.spawn(write)
        wait_for(lambda: is_blocked_in(process, "n_tty_write", "wait_woken"), "it to wait for the console")
        wait_for(lambda: is_blocked_in(writer, "n_tty_write", "wait_woken"), "a writer to wait for it")
        scene.m.console.resume()
        tap.equal(writer.wait(60), 0, "the writer's end, now that somebody reads")


@tap.case(deadline=180)
def stock_waits_for_a_reader_of_a_log_that_is_none():
    with stock() as (scene, process):
        scene.m.call(lambda: os.mkfifo(LOG))
        wait_for(lambda: is_blocked_in(process, "wait_for_partner", "fifo_open"), "it to wait in open")
        process.kill(signal.SIGTERM)
        scene.say("hello\n")
        tap.check(process.status is None and is_blocked_in(process, "wait_for_partner", "fifo_open"), "it waits on")
        process.kill(signal.SIGKILL)


tap.main()
