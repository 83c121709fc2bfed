#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sulogin where name spaces cannot go: a serial line, a virtual terminal and a serial line at once, process 1 of an initramfs,
and the machine's own first console as init starts it there."""
import re

import vm
from vm import image, tap

PROMPT = rb"Give root password for maintenance\r+\n\r\(or type Control-D to continue\): $"
ENTER = rb"Press enter for maintenance\(or type Control-D to continue\): $"
BLANK = "root::0:0:root:/root:/bin/sh\n"
# The second serial line is nobody's; sulogin is started there by hand.
INITTAB = """id:2:initdefault:
si::sysinit:/etc/rc sysinit
l2:2:wait:/etc/rc 2
l6:6:wait:/etc/rc 6
"""
serial = vm.Shared(inittab=INITTAB, programs={"/bin/stty": "/bin/stty"})


class Sulogin:
    """One on the second serial line."""

    def __init__(self, m, flags="", before=""):
        self.m, self.line = m, m.serial
        self.mark = self.line.mark()
        # Somebody holds the line, so that its settings live on between two.
        m.check(f"sleep 99999 </dev/ttyS1 >/dev/null 2>&1 & stty -F /dev/ttyS1 sane; {before or 'true'}")
        self.before = m.check("stty -g -F /dev/ttyS1")
        self.ident = m.start(f"/sbin/sulogin {flags} /dev/ttyS1 </dev/null >/run/said 2>&1; exit $?", timeout=900)

    def expect(self, pattern):
        self.mark = self.mark + self.line.wait_for(pattern, self.mark).end()
        return self

    def send(self, data):
        self.line.send(data)
        return self

    def ask(self, command):
        self.expect(rb"# (\x1b\[6n)?")
        self.send(command.encode() + b"; echo e''nd\r")
        found = self.line.wait_for(rb"\n((?:.|\n)*)end\r+\n", self.mark)
        self.mark += found.end()
        return found.group(1).decode()

    def ends(self, status):
        tap.equal(self.m.finish(self.ident).status, status, "the status")

    def settings_are_back(self):
        tap.equal(self.m.check("stty -g -F /dev/ttyS1"), self.before, "the line afterwards")


@tap.case(deadline=900)
def control_d_leaves_a_serial_line_at_its_first_prompt():
    with serial.machine() as m:
        m.wait_booted()
        Sulogin(m).expect(PROMPT).send(b"\x04").ends(0)
        m.write("/etc/passwd", BLANK)
        for before in ("", "stty -F /dev/ttyS1 raw -echo", "stty -F /dev/ttyS1 crtscts 38400"):
            s = Sulogin(m, before=before).expect(ENTER).send(b"\x04")
            s.ends(0)
            s.settings_are_back()
        tap.check(b"# " not in m.serial.since(s.mark), "nobody was let in")


@tap.case(deadline=900)
def the_shell_on_a_serial_line_has_echo_and_editing_and_the_wire_is_kept():
    with serial.machine() as m:
        m.wait_booted()
        m.write("/etc/passwd", BLANK)
        s = Sulogin(m, before="stty -F /dev/ttyS1 raw -echo cs7 parenb 19200").expect(ENTER).send(b"\r")
        found = s.ask("stty -a; echo TERM=$TERM; tty")
        for word in (" echo ", " icanon ", " isig ", " icrnl ", " opost ", " onlcr ", " parenb ", " cs7 ", "speed 19200 ", "erase = ^?",
                     "kill = ^U", "eof = ^D", "rows 24; columns 80"):
            tap.check(word in found.replace("\r\n", " ").replace(";", "; ").replace(";  ", "; ") or word.strip() in found,
                      f"{word!r} in {found}")
        tap.check("TERM=vt100" in found and "/dev/ttyS1" in found, "the terminal: " + found)
        s.send(b"exit 6\r").ends(6)


@tap.case(deadline=900)
def answers_on_a_serial_line_are_those_that_were_typed():
    with serial.machine() as m:
        m.wait_booted()
        m.write("/etc/passwd", f"root:{image.PASSWORD_HASH}:0:0:root:/root:/bin/sh\n")
        s = Sulogin(m).expect(PROMPT).send(b"nonsense\r").expect(rb"Login incorrect\.").expect(PROMPT)
        s.send(b"rox\bot\r\n")
        tap.check("erase = ^H" in s.ask("stty -a"), "erasing is done with the key that was used")
        s.send(b"exit\r").ends(0)
        tap.check("wrong password on /dev/ttyS1" in m.check("dmesg"), "the refusal is in the kernel's log")
        tap.check("nonsense" not in m.check("dmesg"), "the answer is not")


@tap.case(deadline=900)
def a_serial_line_that_takes_nothing_does_not_keep_it_beyond_its_time():
    """Neither the prompt nor the close of the line may wait for a far end that is dead."""
    with serial.machine() as m:
        m.wait_booted()
        m.check("sleep 99999 </dev/ttyS1 >/dev/null 2>&1 & stty -F /dev/ttyS1 sane")
        m.serial.stall()
        try:
            # More than all buffers hold. Whoever is killed there waits for his close, unless others have the line open.
            m.run("yes >/dev/ttyS1", timeout=10)
            begin = float(m.check("cut -d' ' -f1 /proc/uptime"))
            status = m.run("/sbin/sulogin -t 3 /dev/ttyS1 </dev/null", timeout=300).status
            took = float(m.check("cut -d' ' -f1 /proc/uptime")) - begin
        finally:
            m.serial.resume()
        tap.equal(status, 0, "the status")
        # 30 s are what the kernel waits for a line that is closed with output in it, once for each close.
        tap.check(took < 25, f"it took {took} s of the guest's own time")


def on_screen(m):
    return m.check("fold -w 80 /dev/vcs1 | sed 's/ *$//' | grep . || true")


@tap.case(deadline=900)
def a_virtual_terminal_and_a_serial_line_both_ask():
    """`-b`: init starts sulogin first, and boots when it ends."""
    with vm.Machine(words="console=tty0 -b") as m:
        m.console.wait_for(PROMPT)
        vm.wait_until("the prompt on the screen", lambda: "(or type Control-D to continue):" in on_screen(m))
        for key in "root":
            m.monitor(f"sendkey {key}")
        m.monitor("sendkey ret")
        vm.wait_until("the shell on the screen", lambda: re.search(r"# ?$", on_screen(m)))
        for key in ("t", "t", "y", "ret"):
            m.monitor(f"sendkey {key}")
        vm.wait_until("the terminal's name", lambda: "/dev/tty1" in on_screen(m))
        tap.equal(m.rc_log(), [], "nothing else has run")
        m.console.send(b"\x04")                         # go on: but not without those who are in
        vm.wait_until("the prompt on the line to end", lambda: m.check("ps -o comm | grep -cx sulogin || true").strip() == "1")
        tap.equal(m.rc_log(), [], "the shell on the screen is waited for")
        for key in ("e", "x", "i", "t", "ret"):
            m.monitor(f"sendkey {key}")
        m.wait_booted()
        m.wait_runlevel("N 2")


@tap.case(deadline=900)
def init_starts_it_and_its_shell_has_the_console():
    with vm.Machine(words="-b") as m:
        m.console.wait_for(PROMPT)
        tap.equal(m.check("readlink -f /sbin/sulogin").strip(), "/sbin/sulogin", "it is ours, not busybox")
        mark = m.console.mark()
        m.console.send(image.PASSWORD.encode() + b"\r")
        m.console.wait_for(rb"# (\x1b\[6n)?", mark)
        tap.check(b"job control" not in m.console.since(mark), "there is job control")
        m.console.send(b"tty; echo $HOME; sleep 1000\r")
        m.console.wait_for(rb"/dev/(ttyS0|console)\r+\n/root\r+\n", mark)
        m.wait("sleep to run", "ps -o comm | grep -qx sleep")
        m.console.send(b"\x03")
        m.console.wait_for(rb"\^C(.|\n)*# ", mark)
        m.console.send(b"exit\r")
        m.wait_runlevel("N 2")


class Alone(vm.Machine):
    """A boot in which no agent answers: what rdinit= names is process 1."""

    def boot(self):
        class NoControl(vm.Control):
            def wait_ready(self):
                pass
        kept, vm.Control = vm.Control, NoControl
        try:
            super().boot()
        finally:
            vm.Control = kept


BARE = """#!/bin/busybox sh
/bin/busybox rm -f /dev/console /dev/null
exec /sbin/sulogin <&- >&- 2>&-
"""


@tap.case(deadline=900)
def it_is_process_1_of_an_initramfs():
    """With a static /dev, with an empty one and no descriptors, on either kind of root file system. Stock decides by
    the kind of file system, and ends (the kernel panics) where that deceives it."""
    for words in ("rdinit=/sbin/sulogin", "rdinit=/bare", "rdinit=/bare rootfstype=ramfs"):
        with Alone(words=words, files={"/bare": BARE}) as m:
            m.console.wait_for(PROMPT, deadline=290)     # the boot is in it
            mark = m.console.mark()
            m.console.send(b"root\r")
            m.console.wait_for(rb"# (\x1b\[6n)?", mark)
            m.console.send(b"echo pid=$$; readlink /proc/self/fd/0\r")
            m.console.wait_for(rb"pid=1\r+\n/dev/(console|ttyS0)\r+\n", mark)
            tap.check(b"panic" not in m.console.since(), "no panic")


tap.main()
