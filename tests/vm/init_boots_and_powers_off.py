#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The ordinary life of a machine: boot, log in on a serial line, change level, keyboard, power."""
import base64
import re
import struct

import vm
from vm import image, tap

import sinks

ordinary = vm.Shared()
ALT, UP, KEYBOARD_SIGNAL = 8, 103, 0x212


def records(m, path):
    found, rest = sinks.parse_records(m.read(path))
    tap.equal(rest, 0, f"bytes behind the last whole record of {path}")
    return found


def log_in(line, mark=0):
    line.wait_for(rb"login: ", mark)
    mark = line.mark()
    line.send(b"root\n")
    line.wait_for(rb"Password: ", mark)
    line.send(image.PASSWORD.encode() + b"\n")
    line.wait_for(rb"# ", mark)


def ask(line, command, pattern):
    mark = line.mark()
    line.send(command.encode() + b"\n")
    return line.wait_for(pattern, mark)


def bind_keyboard_signal(m):
    """The kernel's own key map has no key for it; Alt-Up has it in Debian's."""
    keys = bytearray(m.run("dumpkmap </dev/tty0").output)
    flags = keys[7:7 + 256]
    where = 7 + 256 + 256 * sum(flags[:ALT]) + 2 * UP
    struct.pack_into("<H", keys, where, KEYBOARD_SIGNAL)
    m.check(f"echo {base64.b64encode(bytes(keys)).decode()} | base64 -d > /run/keys")
    m.check("loadkmap < /run/keys")


def at_level(m, level):
    """Brings the machine there, and says what `runlevel` then prints, as rc notes it."""
    m.wait_booted()
    if m.runlevel().split()[-1] != level:
        old = m.runlevel().split()[-1]
        m.check(f"telinit {level}")
        m.wait_runlevel(f"{old} {level}")
        wait_rc(m, f"{level} {old} {level}")
    return m.runlevel()


def wait_rc(m, line):
    vm.wait_until(f"{line!r} in the log of rc", lambda: line in m.rc_log())


@tap.case(deadline=300)
def sysinit_then_boot_then_level_2_run_in_order():
    with ordinary.machine() as m:
        m.wait_runlevel("N 2")
        wait_rc(m, "2 N 2")
        tap.equal(m.rc_log(), ["sysinit N S", "boot N S", "2 N 2"],
                  "what ran, with PREVLEVEL and RUNLEVEL")
        m.console.wait_for(rb"\rINIT: version \S+ booting\r+\n")
        m.console.wait_for(rb"\rINIT: Entering runlevel: 2\r+\n")
        tap.equal(m.check("cat /proc/1/cmdline | tr '\\0' ' '").strip(), "init [2]", "the title")


@tap.case(deadline=300)
def the_helpers_are_children_of_pid_1_and_bear_their_names():
    with ordinary.machine() as m:
        children = re.findall(r"^\s*\d+ +1 (?:\{init-log\} )?(\S.*)$", m.check("ps -o pid,ppid,args"), re.M)
        for sink in ("console", "syslog", "records", "wtmp"):
            tap.equal(children.count(f"init [log: {sink}]"), 1, f"helpers for {sink}, of {children}")


@tap.case(deadline=300)
def a_user_logs_in_on_a_serial_line():
    with ordinary.machine() as m:
        log_in(m.serial)
        ask(m.serial, "tty", rb"\r\n/dev/ttyS1\r+\n")
        ask(m.serial, "echo $((6 * 7))", rb"\r\n42\r+\n")
        ask(m.serial, "runlevel", rb"\r\nN 2\r+\n")
        ask(m.serial, "who", rb"root\s+ttyS1")


@tap.case(deadline=300)
def utmp_and_wtmp_hold_the_boot_the_level_and_the_login():
    with ordinary.machine() as m:
        utmp, wtmp = records(m, "/var/run/utmp"), records(m, "/var/log/wtmp")
        level = ord("2") + 256 * ord("N")
        pid = int(ask(m.serial, "echo pid=$PPID", rb"\r\npid=(\d+)\r\n").group(1))
        for name, found in (("utmp", utmp), ("wtmp", wtmp)):
            kinds = [(r.type, r.user, r.id, r.line, r.pid) for r in found]
            tap.equal(kinds.count((sinks.BOOT_TIME, "reboot", "~~", "~", 0)), 1,
                      f"boot records in {name}, of {kinds}")
            tap.equal(kinds.count((sinks.RUN_LVL, "runlevel", "~~", "~", level)), 1,
                      f"level records in {name}, of {kinds}")
            tap.equal(kinds.count((sinks.USER_PROCESS, "root", "S1", "ttyS1", pid)), 1,
                      f"login records in {name}, of {kinds}")
        tap.check(all(r.host == m.check("uname -r").strip() for r in wtmp
                      if r.type in (sinks.BOOT_TIME, sinks.RUN_LVL)), "the kernel release in wtmp")


@tap.case(deadline=300)
def a_getty_comes_back_after_the_user_has_logged_out():
    with ordinary.machine() as m:
        mark = m.serial.mark()
        m.serial.send(b"exit\n")
        log_in(m.serial, mark)
        mark = m.serial.mark()
        m.serial.send(b"exit\n")
        m.serial.wait_for(rb"login: ", mark)


@tap.case(deadline=300)
def telinit_3_changes_the_level_and_keeps_what_belongs_to_both():
    with ordinary.machine() as m:
        at_level(m, "2")
        getty = m.check("pidof getty").strip()
        m.check("telinit 3")
        m.wait_runlevel("2 3")
        wait_rc(m, "3 2 3")
        tap.equal(m.check("pidof getty").strip(), getty, "the getty's pid")
        m.console.wait_for(rb"\rINIT: Switching to runlevel: 3\r+\n")
        utmp = [r for r in records(m, "/var/run/utmp") if r.type == sinks.RUN_LVL]
        tap.equal([r.pid for r in utmp], [ord("3") + 256 * ord("2")], "the level in utmp")


@tap.case(deadline=300)
def telinit_q_takes_up_a_changed_inittab():
    with ordinary.machine() as m:
        level = at_level(m, "3")
        text = m.read("/etc/inittab").decode()
        m.write("/etc/inittab", text + "nw:3:once:/etc/rc new\n")
        m.check("telinit q")
        wait_rc(m, f"new {level}")


@tap.case(deadline=300)
def control_alt_delete_runs_its_entry():
    with ordinary.machine() as m:
        level = at_level(m, "3")
        m.monitor("sendkey ctrl-alt-delete")
        wait_rc(m, f"ctrlaltdel {level}")


@tap.case(deadline=300)
def the_keyboard_request_runs_its_entry():
    with ordinary.machine() as m:
        level = at_level(m, "3")
        bind_keyboard_signal(m)
        m.monitor("sendkey alt-up")
        wait_rc(m, f"kbrequest {level}")


@tap.case(deadline=300)
def sigpwr_runs_the_entries_for_what_powerstatus_says():
    with ordinary.machine() as m:
        level = at_level(m, "3")
        for letter, entry in (("F", "powerfail"), ("L", "powerfailnow"), ("O", "powerok")):
            m.check(f"echo {letter} > /var/run/powerstatus; kill -PWR 1")
            wait_rc(m, f"{entry} {level}")
            m.wait("powerstatus is removed", "test ! -e /var/run/powerstatus")


@tap.case(deadline=300)
def telinit_6_reboots():
    with ordinary.machine() as m:
        at_level(m, "3")
        m.run("telinit 6")
        tap.equal(m.wait_end(), "guest-reset", "how the machine ended")
        ordinary.end()


@tap.case(deadline=400)
def single_user_on_the_console_then_the_default_level_then_power_off():
    with vm.Machine(words="single") as m:
        found = m.console.wait_for(rb"(?s)INIT: version.*?(normal startup|to continue)\):", deadline=200)
        tap.check(b"runlevel: 2" not in found.group(0), "no level was entered before")
        mark = m.console.mark()
        m.console.send(image.PASSWORD.encode() + b"\n")
        m.console.wait_for(rb"# ", mark)
        ask(m.console, "tty", rb"\r\n/dev/(console|ttyS0)\r+\n")
        ask(m.console, "runlevel", rb"\r\nN S\r+\n")
        mark = m.console.mark()
        m.console.send(b"sleep 100000\n")
        m.wait("the sleep runs", "pidof sleep")
        m.console.send(b"\x03")
        m.console.wait_for(rb"# ", mark)
        m.console.send(b"exit\n")
        # Level S at boot is no level that one comes from.
        m.wait_runlevel("N 2")
        wait_rc(m, "2 N 2")
        tap.equal(m.rc_log(), ["sysinit N S", "boot N S", "2 N 2"],
                  "what ran, with PREVLEVEL and RUNLEVEL")
        tap.check(b"runlevel: S" not in m.console.since(), "it is not said as a level")
        levels = [r.pid for r in records(m, "/var/log/wtmp") if r.type == sinks.RUN_LVL]
        tap.equal(levels, [ord("2") + 256 * ord("N")], "levels in wtmp")
        m.run("telinit 0")
        tap.equal(m.wait_end(), "guest-shutdown", "how the machine ended")


tap.main()
