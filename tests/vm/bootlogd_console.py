#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bootlogd with the real console of a real kernel: it blocks nobody who writes to /dev/console, whatever the real
console, the log's disk or bootlogd itself does."""
import os
import re

import vm
from vm import tap

LOG = "/run/boot.log"
STOCK = os.environ.get("STOCK_ROOT", "") + "/sbin/bootlogd"
boot = vm.Shared(files={"/etc/inittab": "id:2:initdefault:\nsi::sysinit:/etc/rc sysinit\n"},
                 programs={"/sbin/stock/bootlogd": STOCK} if os.path.exists(STOCK) else None)
PAD = "x" * 90
MANY = 12000            # lines of 100 bytes and more: more than all buffers together


def start(m, options="", log=LOG):
    """bootlogd runs when this returns."""
    m.check(f"bootlogd -p /run/bootlogd.pid -l {log} {options} </dev/null")
    return int(m.check("cat /run/bootlogd.pid || pidof bootlogd").split()[0])


def end(m, pid, signo="TERM"):
    """Its end within a second of the guest's own time."""
    return m.run(f"kill -{signo} {pid}; for i in $(seq 100); do kill -0 {pid} 2>/dev/null || exit 0; usleep 10000; done; exit 1")


def alone(m):
    """No bootlogd of an earlier case is left, and no log; the line moves."""
    m.console.send(b"\x11")
    m.run("kill -9 $(pidof bootlogd) 2>/dev/null; umount /run/small 2>/dev/null; rm -rf /run/boot* /run/small")
    m.wait("bootlogd to be gone", "! pidof bootlogd")


def stop(m):
    """Control-S on the line, and it has come through."""
    def is_stopped():
        m.console.send(b"\x13")
        return m.run("vmguest stopped /dev/ttyS0").status == 0
    vm.wait_until("the line is stopped", is_stopped)


def say(m, first, count, timeout=60):
    """Lines for /dev/console, by a process that waits for as long as it must. Status 124: it still does."""
    return m.run(f"seq {first} {first + count - 1} | awk '{{ print \"line-\" $1 \" {PAD}\" }}' >/dev/console", timeout=timeout)


def numbers(text):
    return [int(n) for n in re.findall(r"line-(\d+) x{90}", text)]


def log(m, path=LOG):
    return m.read(path).decode("latin-1")


@tap.case(deadline=300)
def output_goes_to_the_console_and_with_its_time_to_the_log():
    with boot.machine() as m:
        alone(m)
        mark = m.console.mark()
        pid = start(m, "-c")
        m.check("echo one-line >/dev/console")
        m.console.wait_for(rb"one-line\r+\n", mark)
        m.wait("the line in the log", f"grep one-line {LOG}")
        tap.check(re.search(r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: one-line$", log(m), re.M), "a stamp: " + log(m))
        tap.equal(end(m, pid).status, 0, "it ends within a second")
        mark = m.console.mark()
        m.check("echo without >/dev/console")
        m.console.wait_for(rb"without\r+\n", mark)


@tap.case(deadline=300)
def a_stopped_console_stops_no_writer_and_no_log():
    with boot.machine() as m:
        alone(m)
        pid = start(m, "-c")
        stop(m)
        result = say(m, 0, MANY, timeout=120)
        tap.equal(result.status, 0, "the writer is done")
        m.wait("the last line in the log", f"grep -q 'line-{MANY - 1} ' {LOG}")
        tap.equal(numbers(log(m)), list(range(MANY)), "each line is in the log")
        tap.equal(end(m, pid).status, 0, "TERM ends it within a second all the same")


@tap.case(deadline=300)
def what_a_stopped_console_missed_is_said_where_it_is_missing():
    with boot.machine() as m:
        alone(m)
        pid = start(m, "-c")
        stop(m)
        tap.equal(say(m, 0, 2000).status, 0, "the writer is done")
        mark = m.console.mark()
        tap.check(b"line-1999 " not in m.console.since(), "the line was stopped")
        m.console.send(b"\x11")
        m.console.wait_for(rb"line-1999 ", mark)
        shown = m.console.since(mark).decode("latin-1")
        found = re.search(r"bootlogd: (\d+) bytes lost here\r+\n", shown)
        tap.check(found, "the loss is said")
        lost = 2000 - len(numbers(shown))
        tap.diag("%d lines are missing, %s bytes are said to be" % (lost, found.group(1)))
        tap.check(lost > 0 and int(found.group(1)) >= (lost - 50) * 97, "about as much as is missing")
        tap.equal(end(m, pid).status, 0, "it ends")


@tap.case(deadline=300)
def a_full_disk_stops_no_writer_and_no_console():
    with boot.machine() as m:
        alone(m)
        m.check("mkdir -p /run/small && mount -t tmpfs -o size=8k none /run/small")
        pid = start(m, "-c", "/run/small/log")
        mark = m.console.mark()
        tap.equal(say(m, 0, 1000).status, 0, "the writer is done")
        m.console.wait_for(rb"line-999 ", mark)
        m.console.wait_for(rb"bootlogd: /run/small/log: No space left on device", mark)
        m.check("mount -o remount,size=4m /run/small")
        m.wait("the rest in the log", "grep -q 'line-999 ' /run/small/log")
        tap.equal(numbers(log(m, "/run/small/log")), list(range(1000)), "nothing is missing when there is room again")
        tap.equal(end(m, pid).status, 0, "it ends")


@tap.case(deadline=300)
def a_killed_bootlogd_stops_no_writer():
    with boot.machine() as m:
        alone(m)
        pid = start(m, "-c")
        mark = m.console.mark()
        ident = m.start(f"i=0; while [ $i -lt 3000 ]; do echo \"line-$i {PAD}\" >/dev/console; i=$((i+1)); done", 120)
        m.wait("some lines", f"grep -q 'line-1. ' {LOG}")
        m.check(f"kill -9 {pid}")
        tap.equal(m.finish(ident).status, 0, "the writer is done")
        m.console.wait_for(rb"line-2999 ", mark)


@tap.case(deadline=300)
def what_was_written_before_the_end_is_in_the_log_and_on_the_console():
    with boot.machine() as m:
        alone(m)
        pid = start(m, "-c")
        mark = m.console.mark()
        m.check(f"kill -STOP {pid}; echo last-words >/dev/console; kill -TERM {pid}; kill -CONT {pid}")
        m.wait("its end", f"! kill -0 {pid}")
        tap.check("last-words" in log(m), "in the log: " + log(m))
        m.console.wait_for(rb"last-words", mark)


@tap.case(deadline=300)
def a_late_log_has_all_of_the_early_boot_and_the_times_of_arrival():
    with boot.machine() as m:
        alone(m)
        pid = start(m)
        tap.equal(say(m, 0, 3000).status, 0, "300 kB before there is a log")
        before = m.check("date '+%s'; sleep 3")
        m.check(f"touch {LOG}")
        m.wait("the last line in the log", f"grep -q 'line-2999 ' {LOG}")
        tap.equal(numbers(log(m)), list(range(3000)), "each line is there")
        stamp = m.check(f"date -d \"$(tail -n 1 {LOG} | cut -c 12-19)\" '+%H:%M:%S'").strip()
        arrived = m.check(f"date -d @{before.split()[0]} '+%H:%M:%S'").strip()
        tap.check(stamp <= arrived, f"the stamp is {stamp}, the time when all was written {arrived}")
        tap.equal(end(m, pid).status, 0, "it ends")


@tap.case(deadline=300)
def a_second_one_refuses_and_the_first_goes_on():
    with boot.machine() as m:
        alone(m)
        pid = start(m, "-c")
        second = m.run("bootlogd -c -l /run/boot.second </dev/null")
        tap.equal(second.status, 1, "the second one's status")
        tap.check("TIOCCONS" in second.text, "it says why: " + second.text)
        m.check("echo still-here >/dev/console")
        m.wait("the first one logs", f"grep -q still-here {LOG}")
        tap.equal(end(m, pid).status, 0, "it ends")


@tap.case(deadline=300)
def nobody_is_left_when_it_has_ended():
    with boot.machine() as m:
        alone(m)
        pid = start(m, "-c")
        tap.equal(end(m, pid).status, 0, "it ends")
        m.wait("its writers to end", "! ps -o comm | grep bootlogd")
        tap.check(m.run("test -e /run/bootlogd.pid").status != 0, "the pid file is gone")


# --- what the redirection itself is about, with the stock program, too: B9 and B12 of the table in tests/system ---

def stock(m):
    if m.run("test -x /sbin/stock/bootlogd").status != 0:
        tap.skip("STOCK_ROOT has no bootlogd")
    return "/sbin/stock/bootlogd"


def start_and_wait(m, program, stdin, log_path=LOG):
    """-> its status. Stock's daemon lives once its pid file is there: its parent does not wait for it. What leads a session
    must not open the terminal, or the terminal hangs up with it."""
    return m.run(f"rm -f /run/bootlogd.pid; ({program} -p /run/bootlogd.pid -c -l {log_path} <>{stdin}); status=$?; "
                 "test $status != 0 || until test -s /run/bootlogd.pid; do usleep 10000; done; exit $status").status


def started_on_another_terminal(m, program):
    """Without a /dev/tty0, by which a redirection could be taken back."""
    alone(m)
    m.check("test ! -e /dev/tty0 || mv /dev/tty0 /run/tty0; stty -F /dev/ttyS1 -echo")
    try:
        mark, elsewhere = m.console.mark(), m.serial.mark()
        status = start_and_wait(m, program, "/dev/ttyS1")
        m.check("echo whose-is-it >/dev/console")
        vm.wait_until("the line on either", lambda: b"whose-is-it" in m.console.since(mark) + m.serial.since(elsewhere))
        return status, b"whose-is-it" in m.console.since(mark), b"whose-is-it" in m.serial.since(elsewhere)
    finally:
        m.check("test ! -e /run/tty0 || mv /run/tty0 /dev/tty0; kill $(pidof bootlogd) 2>/dev/null; true")
        m.wait("its end", "! pidof bootlogd")
        m.check("true <>/dev/ttyS1")            # the terminal of this session now: it hangs up, and a redirection to it ends


@tap.case(deadline=300)
def the_terminal_that_it_was_started_on_is_not_taken_for_the_console():
    with boot.machine() as m:
        tap.equal(started_on_another_terminal(m, "bootlogd"), (0, True, False), "status, on the console, on the other terminal")


@tap.case(deadline=300)
def stock_sends_the_console_to_the_terminal_that_it_was_started_on_and_fails():
    with boot.machine() as m:
        tap.equal(started_on_another_terminal(m, stock(m)), (1, False, True), "status, on the console, on the other terminal")
        mark = m.console.mark()
        m.check("echo back-again >/dev/console")
        m.console.wait_for(rb"back-again", mark)


@tap.case(deadline=300)
def stock_takes_the_console_from_the_one_that_has_it():
    with boot.machine() as m:
        alone(m)
        for log_path in (LOG, LOG + ".second"):
            tap.equal(start_and_wait(m, stock(m), "/dev/null", log_path), 0, "the status")
        m.check("echo whose-is-it >/dev/console; echo once-more >/dev/console")
        m.wait("the second one's log", f"grep -q whose-is-it {LOG}.second")
        tap.equal(m.check("pidof bootlogd | wc -w").strip(), "2", "how many there are")
        tap.check("whose-is-it" not in log(m), "the first one's log: " + log(m))
        alone(m)


tap.main()
