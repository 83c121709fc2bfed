#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each weak spot of the stock bootlogd in a scene of its own, with either program: what comes of it with ours, and with stock.
What needs the kernel's redirection is in tests/vm/bootlogd_console.py."""
import contextlib
import functools
import os
import re
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel
from machine import tap, wait_for
from relay import LOG, SLAVE, Shared, ended
from sinks import process_state
from terminals import Terminal

PROGRAMS = {"ours": "/sbin/bootlogd", "stock": "/run/stock/bootlogd"}
LATE, GO, SMALL = "/run/boot.late", "/run/go", "/run/small"
STAMP = re.compile(r"^(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}): ", re.M)
shared = Shared()


def row(spot, what, observe, ours, stock):
    """Two cases: what is observed with the one and with the other."""
    for who, wanted in (("ours", ours), ("stock", stock)):
        tap.add("%s: %s: %s" % (spot, what, who), functools.partial(judge, who, observe, wanted), 180)


def judge(who, observe, wanted):
    with shared.use() as scene:
        scene.program = PROGRAMS[who]
        if who == "stock" and not scene.m.exists(scene.program):
            try:
                with open(os.environ.get("STOCK_ROOT", "") + "/sbin/bootlogd", "rb") as file:
                    scene.m.write(scene.program, file.read(), 0o755)
            except FileNotFoundError:
                tap.skip("STOCK_ROOT has no bootlogd")
        scene.command_line("console=%s quiet\n" % scene.m.console.node[5:])
        tap.equal(observe(scene), wanted, "what comes of it")


@contextlib.contextmanager
def running(scene, *args, **options):
    process = scene.start(*args, **options)
    try:
        yield process
    finally:
        if process.status is None:
            process.end()
        wait_for(lambda: not any(p.comm.startswith("bootlogd") and p.state not in "ZX" for p in scene.m.processes()), "its end")


def shown_by_now(scene):
    """All that is on the console once what is on its way has come through."""
    scene.m.call(lambda: open(scene.m.console.node, "w").write("<mark>"))
    scene.shown("<mark>")
    return scene.on_console()


def status(process, field):
    with open("/proc/%d/status" % process.pid) as file:
        return next(line.split()[1] for line in file if line.startswith(field + ":"))


def turns(process):
    """How often it has gone to sleep."""
    return int(status(process, "voluntary_ctxt_switches"))


def is_blocked_in(process, *names):
    """In a system call that waits in one of these functions of the kernel."""
    with open("/proc/%d/wchan" % process.pid) as file:
        return file.read() in names


def opened_by(process):
    where, found = "/proc/%d/fd/" % process.pid, []
    for fd in os.listdir(where):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(where + fd))
    return found


# ------------------------------------------------------------------------------------------ blocking and loss

def a_console_that_nobody_reads(scene):
    with running(scene, "-c") as process:
        scene.m.console.fill()
        slave = scene.m.read(SLAVE).strip()

        def write():
            with open(slave, "wb", buffering=0) as file:
                for _ in range(100000):
                    file.write(b"a line\n")
        writer = scene.m.spawn(write)

        def outcome():
            if process_state(writer.pid) == "Z":
                return "writers go on"
            waits = all(is_blocked_in(p, "n_tty_write", "wait_woken") for p in (process, writer))
            return "writers wait" if waits else None
        try:
            return wait_for(outcome, "the writer's end, or everybody to wait", 60)
        finally:
            scene.m.console.resume()
            tap.equal(writer.wait(60), 0, "the writer's end, now that somebody reads")


def the_last_words(scene):
    """Written while it is stopped, and told to end before it goes on."""
    with running(scene, "-c", "-p", "/run/pid") as process:
        wait_for(lambda: scene.m.exists("/run/pid"), "the pid file")
        wait_for(lambda: process_state(process.pid) == "S", "it to wait for output")
        process.kill(signal.SIGSTOP)
        wait_for(lambda: process_state(process.pid) == "T", "it to be stopped")
        scene.say("last words\n")
        process.kill(signal.SIGTERM)
        process.kill(signal.SIGCONT)
        tap.equal(process.wait(60), 0, "the status")
    return {"logged": ": last words\n" in scene.log(), "shown": "last words" in shown_by_now(scene),
            "pid file left": scene.m.exists("/run/pid")}


def early_boot(scene):
    scene.say("".join("line %d %s\n" % (n, "." * 50) for n in range(1000)))
    scene.shown("line 999 ")


def a_late_log(scene):
    with running(scene, log=LATE):
        early_boot(scene)
        scene.m.write(LATE, "")
        scene.logged("line 999 ", LATE)
        kept = [int(word) for word in re.findall(r": line (\d+) ", scene.log(LATE))]
        return "all of it" if kept == list(range(1000)) else "less than the ring holds" if len(kept) < 500 else kept


def a_hang_up_signal(scene):
    with running(scene, "-c") as process:
        scene.say("one\n")
        scene.logged(": one\n")
        scene.m.call(lambda: os.rename(LOG, LOG + ".0"))
        process.kill(signal.SIGHUP)
        return wait_for(lambda: "a new log" if scene.m.exists(LOG) else "its end" if process_state(process.pid) == "Z" else None,
                        "either")


def a_full_disk(scene):
    """30 kB for a disk of 8, which grows then."""
    scene.m.call(lambda: (os.makedirs(SMALL, exist_ok=True), kernel.mount("none", SMALL, "tmpfs", 0, "size=8k")))
    try:
        with running(scene, "-c", log=SMALL + "/log"):
            scene.say("".join("line %d %s\n" % (n, "." * 80) for n in range(300)))
            scene.shown("line 299 ")
            wait_for(lambda: scene.m.call(lambda: os.statvfs(SMALL).f_bavail) == 0, "the disk to be full")
            scene.m.call(lambda: kernel.mount(None, SMALL, None, kernel.MS_REMOUNT, "size=4m"))
            scene.say("room again\n")
            scene.logged("room again\n", SMALL + "/log")
            kept = len(re.findall(r": line \d+ \.{80}$", scene.log(SMALL + "/log"), re.M))
            return "nothing is missing" if kept == 300 else "lines are missing" if kept < 200 else kept
    finally:
        scene.m.call(lambda: kernel.umount(SMALL, kernel.MNT_DETACH))


def the_rest_of_a_line(scene):
    with running(scene, "-c") as process:
        scene.say("part")
        scene.logged(": part")
        scene.say("ial\n")
        scene.shown("partial")
        begin = turns(process)
        return wait_for(lambda: "logged" if ": partial\n" in scene.log() else "kept back" if turns(process) > begin + 8 else None,
                        "the rest in the log, or some seconds of it")


def a_fifo_as_log(scene):
    scene.m.call(lambda: os.mkfifo(LOG))
    with running(scene) as process:
        def waits():
            return is_blocked_in(process, "wait_for_partner", "fifo_open")
        wait_for(lambda: waits() or "bootlogd: %s: " % LOG in scene.on_console(), "it to have met the FIFO")
        process.kill(signal.SIGTERM)

        def outcome():
            if process_state(process.pid) == "Z":
                return "ends when told to"
            return "waits" if not status(process, "ShdPnd").strip("0") and waits() else None
        return wait_for(outcome, "its end, or the wait after the signal", 60)


# ------------------------------------------------------------------------------------------------------ times

def the_stamps_of_a_late_log(scene):
    with running(scene, log=LATE):
        scene.say("early\n")
        scene.shown("early")
        arrived = time.time()
        wait_for(lambda: time.time() >= arrived + 2, "the clock to go on")
        opened = int(time.time())
        scene.m.write(LATE, "")
        scene.logged(": early\n", LATE)
        stamp = time.mktime(time.strptime(STAMP.match(scene.log(LATE)).group(1)))
        return "arrival" if stamp <= arrived else "the log's opening" if stamp >= opened else stamp


def a_line_where_the_ring_begins(scene):
    """62 bytes, and two for the end of the line: 512 to the ring."""
    with running(scene, "-c"):
        for first in range(0, 1200, 40):
            scene.say("".join("%-62d\n" % n for n in range(first, first + 40)))
        scene.logged("1199 ")
        return [int(line) for line in scene.log().splitlines() if not STAMP.match(line)]


# ---------------------------------------------------------------------------------------------- start and end

def the_pid_file_when_the_command_returns(scene):
    """The daemon is held in setsid(), as on a busy machine, until its parent waits for it or has ended."""
    scene.m.write("/run/try", "#!/bin/sh\n%s -c -l %s -p /run/pid\ntest -s /run/pid && echo there || echo missing\n: >%s\n"
                  % (scene.program, LOG, GO), 0o755)
    done = scene.m.run(["/run/try"], env={**scene.env, "SETSID_WAITS_FOR": GO}, deadline=60)
    wait_for(lambda: scene.m.exists("/run/pid") and scene.m.read("/run/pid").strip(), "the pid file at last")
    pid = int(scene.m.read("/run/pid"))
    scene.m.call(lambda: os.kill(pid, signal.SIGTERM))
    wait_for(lambda: not scene.writers("bootlogd"), "its end", 60)
    return done.out.strip()


def what_it_was_started_with(scene):
    with running(scene, "-c") as process:
        scene.say("hello\n")
        scene.logged(": hello\n")
        begin = turns(process)

        def outcome():
            streams = {os.readlink("/proc/%d/fd/%d" % (process.pid, fd)) for fd in range(3)}
            return "let go" if streams == {"/dev/null"} else "kept" if turns(process) > begin + 8 else None
        return wait_for(outcome, "it to let go, or some seconds of it")


def how_it_sleeps(scene):
    with running(scene, "-c") as process:
        scene.say("hello\n")
        scene.logged(": hello\n")
        begin = turns(process)

        def outcome():
            with open("/proc/%d/syscall" % process.pid) as file:
                words = file.read().split()
            if len(words) > 3 and int(words[3], 16) & 0xffffffff == 0xffffffff:
                return "until something comes"
            return "and wakes for nothing" if turns(process) > begin + 6 else None
        return wait_for(outcome, "a poll without a limit, or many with one", 60)


# --------------------------------------------------------------------------------------------------- consoles

@contextlib.contextmanager
def more_consoles(scene, *names):
    """Terminals that have names in /dev."""
    made = {}
    try:
        for name in names:
            made[name] = Terminal(scene.m)
            os.symlink(made[name].path, scene.m.path("/dev") + "/" + name)
        yield made
    finally:
        for terminal in made.values():
            terminal.close()
        for name in names:
            os.unlink(scene.m.path("/dev") + "/" + name)


def all_output(terminal):
    """Once what is on its way has come through."""
    os.write(terminal.slave, b"<mark>")
    found = [b""]

    def whole():
        found[0] += terminal.output()
        return found[0].endswith(b"<mark>")
    wait_for(whole, "the mark on " + terminal.path)
    return found[0].decode("latin-1")


def a_console_that_is_named_twice(scene):
    with more_consoles(scene, "tty1") as terminals:
        os.symlink(terminals["tty1"].path, scene.m.path("/dev") + "/tty0")
        scene.command_line("console=tty1 console=tty0\n")
        try:
            with running(scene, "-c") as process:
                scene.say("once\n")
                scene.logged(": once\n")
                ended(process)
            return all_output(terminals["tty1"]).count("once")
        finally:
            os.unlink(scene.m.path("/dev") + "/tty0")


def words_that_are_no_console(scene):
    with more_consoles(scene, "tcon1", "tcon2") as terminals:
        scene.command_line('netconsole=tcon1 x="console=tcon2 y" console=%s\n' % scene.m.console.node[5:])
        with running(scene, "-c") as process:
            scene.say("for the console\n")
            scene.logged(": for the console\n")
            ended(process)
        written = [name for name, terminal in terminals.items() if "for the console" in all_output(terminal)]
        return written + (["the console"] if "for the console\r" in shown_by_now(scene) else [])


@contextlib.contextmanager
def no_word_of_a_console(scene):
    """On the command line; /proc/consoles knows it."""
    scene.command_line("quiet\n")
    number = scene.m.console.node[len("/dev/pts/"):]
    scene.m.write("/run/consoles", "pts/%s -W- (EC p a) 136:%s\n" % (number, number))
    scene.m.call(lambda: kernel.mount("/run/consoles", "/proc/consoles", None, kernel.MS_BIND))
    try:
        yield
    finally:
        scene.m.call(lambda: kernel.umount("/proc/consoles", kernel.MNT_DETACH))


def a_start_from_a_script(scene):
    """Standard input is /dev/null."""
    with no_word_of_a_console(scene), running(scene, "-c") as process:
        scene.say("is it seen\n")
        scene.logged(": is it seen\n")
        ended(process)
    return "shown" if "is it seen" in shown_by_now(scene) else "gone"


def a_device_in_a_folder_of_users(scene):
    """Where everybody may make folders; standard input has its number, and no name in /dev but that."""
    folder, number = "/dev/shm/a/b/c", os.makedev(1, 5)

    def plant():
        os.unlink("/dev/zero")
        os.makedirs(folder)
        for path in (folder + "/zero", "/run/zero"):
            os.mknod(path, 0o20600, number)
    scene.m.call(plant)
    try:
        with open(scene.m.path("/run") + "/zero", "rb+", buffering=0) as stdin, no_word_of_a_console(scene), \
                running(scene, "-c", stdin=stdin.fileno()) as process:
            return [path for path in opened_by(process) if path.startswith("/dev/shm")]
    finally:
        scene.m.call(lambda: (shutil.rmtree("/dev/shm/a"), os.unlink("/run/zero"), os.mknod("/dev/zero", 0o20666, number)))


def a_console_whose_far_end_is_gone(scene):
    with more_consoles(scene, "tcon1") as terminals:
        scene.command_line("console=tcon1 console=%s\n" % scene.m.console.node[5:])
        with running(scene, "-c") as process:
            own = scene.m.read(SLAVE).strip()
            tap.check(own in opened_by(process), "it has its terminal's end open")
            terminals.pop("tcon1").close()
            scene.say("still here\n")
            scene.logged(": still here\n")
            return "kept" if own in opened_by(process) else "lost"


def private_sequences(scene):
    with running(scene, "-c"):
        scene.say("\033[?25lhidden\033[m\nnext\n")
        scene.logged("hidden")
        return STAMP.sub("", scene.log().splitlines()[0])


row("B1", "writers behind a console that nobody reads", a_console_that_nobody_reads, "writers go on", "writers wait")
row("B2, B5", "last words, and the pid file", the_last_words, {"logged": True, "shown": True, "pid file left": False},
    {"logged": False, "shown": False, "pid file left": True})
row("B3", "the early boot in a late log", a_late_log, "all of it", "less than the ring holds")
row("B4", "the stamps of a late log", the_stamps_of_a_late_log, "arrival", "the log's opening")
row("B4", "lines without a stamp", a_line_where_the_ring_begins, [], [512, 1024])
row("B5", "the pid file when the command returns", the_pid_file_when_the_command_returns, "there", "missing")
row("B7", "copies on a console that is named twice", a_console_that_is_named_twice, 1, 2)
row("B8", "netconsole= and quotes on the command line", words_that_are_no_console, ["the console"], ["tcon1", "tcon2", "the console"])
row("B10", "no console= and no terminal", a_start_from_a_script, "shown", "gone")
row("B13", "SIGHUP", a_hang_up_signal, "a new log", "its end")
row("B13", "a full disk that grows", a_full_disk, "nothing is missing", "lines are missing")
row("B13", "the rest of a line", the_rest_of_a_line, "logged", "kept back")
row("B14", "a FIFO as log", a_fifo_as_log, "ends when told to", "waits")
row("B15", "what it was started with", what_it_was_started_with, "let go", "kept")
row("B16", "its own terminal when a console is lost", a_console_whose_far_end_is_gone, "kept", "lost")
row("B17", "what it opens in a folder of users below /dev", a_device_in_a_folder_of_users, [], ["/dev/shm/a/b/c/zero"])
row("B18", "sleep", how_it_sleeps, "until something comes", "and wakes for nothing")
row("B20", "what is left of ESC [ ? 25 l", private_sequences, "hidden", "?hidden")

tap.main()
