#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The talk at one terminal: keys, time-outs, signals, line settings, options, exit codes."""
import fcntl
import os
import re
import signal
import socket
import struct
import termios
import time

from door import (CONTROL_D, ENTER_PROMPT, PASSWORD_PROMPT, WRONG, Door, House, account, hashed, tap)
import kernel
from machine import wait_for

IFLAG, OFLAG, CFLAG, LFLAG, CC = 0, 1, 2, 3, 6
USAGE = b"Usage: sulogin [-e] [-p] [-t timeout] [tty device]\r\n\r"
RIGHT = account(hashed("right"))


def right():
    return House(RIGHT)


def listens(door):
    """It has put the line into its own mode, so what is typed from now on is its."""
    wait_for(lambda: not door.line.settings()[LFLAG] & (termios.ICANON | termios.ECHO), "the line to be listened to")
    return door


# ------------------------------------------------------------------------------------------- keys

def raw(settings):
    settings[IFLAG] = settings[OFLAG] = settings[LFLAG] = 0
    settings[CC][termios.VMIN], settings[CC][termios.VTIME] = 0, 7


def other_end_of_file(settings):
    settings[CC][termios.VEOF] = b"\x18"


def no_end_of_file(settings):
    settings[CC][termios.VEOF] = b"\0"


def echo_off(settings):
    settings[LFLAG] &= ~(termios.ECHO | termios.ISIG)


LINES = [None, raw, other_end_of_file, no_end_of_file, echo_off]


def strange(house, change):
    line = house.line()
    if change:
        settings = line.settings()
        change(settings)
        line.set(settings)
    return line


@tap.case(deadline=200)
def control_d_leaves_on_every_kind_of_line_and_the_line_is_as_before():
    """Stock on a raw line: "Login incorrect", and a root shell when the password is blank."""
    with House() as house:
        for field, prompt in ((hashed("right"), PASSWORD_PROMPT), ("", ENTER_PROMPT)):
            house.files(account(field))
            for change in LINES:
                line = strange(house, change)
                before = line.settings()
                door = house.open(line=line)
                door.at = line.expect(re.compile(rb"continue\): "))
                listens(door).type(CONTROL_D)
                tap.equal(door.status(), 0, "the status")
                tap.check(b"# " not in door.text and b"ncorrect" not in door.text, "nobody was let in or refused")
                tap.check(b"sulogin:" not in door.text, "nothing is complained of")
                tap.equal(line.settings(), before, "the line, %s" % change)


@tap.case(deadline=100)
def control_d_behind_text_neither_leaves_nor_enters():
    with House(account("")) as house:
        door = house.open().expect(ENTER_PROMPT).type(b"text\x04\x04")
        wait_for(lambda: unread(door) == 0, "all of it to be read")
        tap.check(door.is_alive() and b"# " not in door.text, "it still asks")
        door.type(b"\x15\x04")                  # all erased: now the line is empty
        tap.equal(door.status(), 0, "the status")


def unread(door):
    """Bytes that were typed and not read yet."""
    return struct.unpack("i", fcntl.ioctl(door.line.slave, termios.FIONREAD, b"\0" * 4))[0]


ANSWERS = [b"right\r", b"right\n", b"rigx\bht\r", b"rigx\x7fht\r", b"wrong\x15right\n", b"right\0", b"\0\0right\r",
           b"x\x7f\x7f\x7f\x08right\r", b"a" * 600 + b"\x15right\r"]


@tap.case(deadline=200)
def an_answer_is_edited_and_ends_as_people_type_it():
    with right() as house:
        for answer in ANSWERS:
            door = house.open().expect(PASSWORD_PROMPT).type(answer)
            tap.equal(door.shell("echo in"), "in", "the shell after %r" % answer)
            tap.check(b"right" not in door.text, "nothing is echoed")
            door.process.end()


@tap.case(deadline=200)
def control_characters_belong_to_the_password():
    secret = "\x03\x1c\x1a\x13\x11\x01\x16\x17 \xe4\xff"
    with House(account(hashed(secret))) as house:
        door = house.open().expect(PASSWORD_PROMPT).answer(secret)
        tap.equal(door.shell("echo in"), "in", "the shell")
        door.process.end()


@tap.case(deadline=200)
def a_long_answer_is_a_wrong_one_and_a_long_password_a_password():
    """128 bytes make stock go on with the boot."""
    long = "l" * 500
    with House(account(hashed(long))) as house:
        for length in (128, 511, 512, 5000):
            door = house.open().expect(PASSWORD_PROMPT).type(b"x" * length + b"\r")
            if length > 511:
                door.expect(b"sulogin: input overrun at " + door.line.node.encode())
            door.expect(WRONG)
            tap.check(door.is_alive(), "it asks again")
            door.process.end()
        door = house.open().expect(PASSWORD_PROMPT).answer(long)
        tap.equal(door.shell("echo in"), "in", "the shell")
        door.process.end()


@tap.case(deadline=100)
def what_was_typed_before_the_prompt_is_dropped():
    with House(account("")) as house:
        line = house.line()
        line.type(b"\r\r\r")
        door = house.open("-t", "2", line=line)
        tap.equal(door.status(), 0, "the status")
        tap.check(b"Timed out." in door.text and b"# " not in door.text, "nobody was let in: %r" % door.text)


# -------------------------------------------------------------------------------------- time-outs

def timed_out(door, what):
    begin = time.monotonic()
    tap.equal(door.status(), 0, what + ": the status")
    tap.check(b"Timed out.\r\n" in door.text and b"# " not in door.text, "%s: it is said; found %r" % (what, door.text))
    tap.check(time.monotonic() - begin < 30, what + ": it does not wait for something else")


@tap.case(deadline=300)
def a_time_out_ends_it_whatever_the_line_does():
    """Stock's time-out ends nothing: the read that it interrupts is begun again."""
    with right() as house:
        timed_out(house.open("-t", "1"), "idle")
        timed_out(house.open("--timeout=1"), "the long option")
        timed_out(house.open("-t", "1", "-e").expect(PASSWORD_PROMPT).type(b"half"), "half an answer")
        before = house.line()
        settings = before.settings()
        timed_out(house.open("-t", "1", line=before), "idle")
        tap.equal(before.settings(), settings, "the line afterwards")
        line = house.line()
        line.type(b"\x13")                      # the terminal stops it before anything was said
        timed_out(house.open("-t", "1", line=line), "a stopped line")


@tap.case(deadline=300)
def a_line_that_takes_nothing_cannot_keep_it():
    with right() as house:
        line = house.line()
        fill(line)
        door = house.open("-t", "2", line=line)
        door.line = Deaf(line)
        tap.equal(door.status(), 0, "the status")
        tap.equal(line.settings()[LFLAG] & termios.ECHO, termios.ECHO, "the line echoes again")


class Deaf:
    """A line whose far end reads nothing."""

    def __init__(self, line):
        self.master, self.text = line.master, b""

    def look(self, seconds=0.0):
        time.sleep(seconds)


def fill(line):
    os.set_blocking(line.slave, False)
    try:
        while True:
            os.write(line.slave, b"x" * 1000)
    except BlockingIOError:
        pass
    finally:
        os.set_blocking(line.slave, True)


@tap.case(deadline=200)
def a_full_line_is_still_listened_to():
    """Nothing can be shown, but root can type."""
    with right() as house:
        line = house.line()
        fill(line)
        door = listens(house.open(line=line)).type(b"right\r")
        wait_for(lambda: unread(door) == 0, "the answer to be read", 60)
        line.look(0.1)
        tap.equal(door.shell("echo in"), "in", "the shell")
        door.process.end()


@tap.case(deadline=100)
def a_time_that_is_no_number_is_told_and_keeps_nobody_out():
    with right() as house:
        for text in ("soon", "-5", "3s", "99999999999999999999"):
            door = house.open("-t", text).expect(b"not a number of seconds").expect(PASSWORD_PROMPT).answer("right")
            tap.equal(door.shell("echo in"), "in", "the shell with -t %s" % text)
            door.process.end()


# ---------------------------------------------------------------------------------------- signals

@tap.case(deadline=200)
def a_signal_that_ends_it_leaves_the_line_as_it_was():
    """Stock leaves a line without echo to the getty that follows."""
    with right() as house:
        for signo in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            line = house.line()
            before = line.settings()
            door = house.open(line=line).expect(PASSWORD_PROMPT)
            door.process.kill(signo)
            tap.equal(door.status(), -signo, "the status")
            tap.equal(line.settings(), before, "the line")
        line = house.line()
        before = line.settings()
        door = house.open(line=line).expect(PASSWORD_PROMPT)
        door.process.kill(signal.SIGHUP)
        tap.equal(door.status(), 1, "the status after SIGHUP")
        tap.equal(line.settings(), before, "the line")


@tap.case(deadline=100)
def a_signal_that_a_key_sends_ends_nothing():
    with right() as house:
        door = house.open().expect(PASSWORD_PROMPT)
        for signo in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTOU):
            door.process.kill(signo)
        door.answer("right")
        tap.equal(door.shell("echo in"), "in", "the shell")
        found = door.shell("grep -E 'Sig(Blk|Ign)' /proc/$$/status")
        # The shell ignores what an interactive one does (QUIT, TERM, its stops), nothing else; and blocks nothing.
        tap.check(re.search(r"SigBlk:\s0+$", found, re.M), "nothing is blocked: " + found)
        door.process.end()


@tap.case(deadline=100)
def the_shell_gets_its_signals_as_the_caller_had_them():
    with right() as house:
        def ignore():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        house.machine.write("/bin/told", "#!/bin/sh\ngrep SigIgn /proc/self/status\n", 0o755)
        for before, wanted in ((ignore, 1 << (signal.SIGINT - 1)),
                               (lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL), 0)):
            door = house.open(env={"SUSHELL": "/bin/told"}, before=before).expect(PASSWORD_PROMPT).answer("right")
            door.expect(re.compile(rb"SigIgn:\s[0-9a-f]+"))
            tap.equal(door.status(), 0, "the status")
            mask = int(re.search(rb"SigIgn:\s([0-9a-f]+)", door.text).group(1), 16)
            few = sum(1 << (n - 1) for n in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP, signal.SIGTERM))
            tap.equal(mask & few, wanted, "ignored in the shell")


@tap.case(deadline=100)
def a_hang_up_is_not_a_wish_to_go_on():
    with right() as house:
        for session in (True, False):
            door = house.open(session=session).expect(PASSWORD_PROMPT)
            door.line.hang_up()
            tap.equal(door.status(), 1, "the status")


# --------------------------------------------------------------------------------- what is no door

@tap.case(deadline=100)
def what_is_no_terminal_is_told_at_once():
    """Stock asks a pipe for ever; with a blank password it gives it a shell."""
    with House(account("")) as house:
        m = house.machine
        m.write("/tmp/file", "\n\n")
        for argv, data in ((["/sbin/sulogin"], b"\n\nid\n"), (["/sbin/sulogin", "/tmp/file"], b""),
                           (["/sbin/sulogin", "-e", "/dev/null"], b"")):
            done = m.run(argv, data=data, deadline=60)
            tap.equal(done.status, 1, "the status of %s" % argv)
            tap.check("not a terminal" in done.err and not done.out, "it is told: %r" % (done,))


@tap.case(deadline=100)
def none_but_root_may_ask():
    with right() as house:
        m = house.machine
        done = m.run(["/sbin/sulogin"], uid=65534)
        tap.equal((done.status, done.out, done.err), (1, "", "sulogin: only root can run sulogin.\n\r"), "what comes of it")
        done = m.run(["/sbin/sulogin", "-x"], uid=65534)
        tap.equal(done.err, "Usage: sulogin [-e] [-p] [-t timeout] [tty device]\n\rsulogin: only root can run sulogin.\n\r",
                  "the usage comes first")


@tap.case(deadline=100)
def options_that_it_does_not_know_are_told_and_no_reason_to_keep_root_out():
    with right() as house:
        door = house.open("-x", "--nonsense", "-q").expect(USAGE + USAGE + USAGE).expect(PASSWORD_PROMPT).answer("right")
        tap.equal(door.shell("echo in"), "in", "the shell")
        door.process.end()
        for flags in (["--help"], ["-h"]):
            done = house.machine.run(["/sbin/sulogin", *flags])
            tap.check(done.status == 0 and "--timeout" in done.out and not done.err, "help: %r" % (done,))
        for flags in (["--version"], ["-V"]):
            done = house.machine.run(["/sbin/sulogin", *flags])
            tap.check(done.status == 0 and re.match(r"sulogin \(sysvinit\) \S+\n$", done.out), "version: %r" % (done,))
        with open("/dev/full", "w") as full:
            done = house.machine.spawn(["/sbin/sulogin", "--help"], out=full.fileno())
            tap.equal(done.wait(), 1, "help that is lost")


@tap.case(deadline=100)
def the_device_is_the_operand_or_that_of_the_environment():
    with right() as house:
        line = house.line()
        os.symlink(line.node, house.machine.path("/dev/tcon0"))
        for operand, env in (("/dev/tcon0", {}), ("/dev/tcon0", {"CONSOLE": "/dev/nowhere"}),
                             ("", {"CONSOLE": "/dev/tcon0"}), (None, {"CONSOLE": "/dev/tcon0"})):
            args = [operand] if operand is not None else []
            door = house.open(*args, line=line, env=env, device=True)
            door.expect(PASSWORD_PROMPT).answer("right")
            tap.equal(door.shell("tty"), line.node, "the terminal, by %r %r" % (operand, env))
            door.process.end()
            line.look(0.1)


# ------------------------------------------------------------------------------- shell and session

def environment(door):
    return dict(line.split("=", 1) for line in door.shell("env").split("\n"))


@tap.case(deadline=200)
def the_shell_finds_what_it_is_used_to():
    with House(account(hashed("right"), home="/tmp/home")) as house:
        os.mkdir(house.machine.path("/tmp/home"))
        door = house.open(env={"TERM": "dumb", "SHLVL": "4", "KEPT": "yes"}).expect(PASSWORD_PROMPT).answer("right")
        found = environment(door)
        wanted = {"HOME": "/tmp/home", "LOGNAME": "root", "USER": "root", "SHELL": "/bin/sh", "TERM": "linux",
                  "SHLVL": "0", "KEPT": "yes", "PWD": "/tmp/home"}
        tap.equal({name: found.get(name) for name in wanted}, wanted, "the environment")
        tap.equal(door.shell("cat /proc/$$/cmdline | tr '\\0' ' '"), "sh ", "the shell's name")
        tap.equal(door.shell("ls -1 /proc/$$/fd"), "0\n1\n10\n2", "descriptors; 10 is the shell's own")
        tap.equal(door.shell("for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done"), "\n".join(3 * [door.line.node]), "what they are")
        door.process.end()


@tap.case(deadline=200)
def a_login_shell_has_its_dash():
    with right() as house:
        door = house.open("-p", env={"SHLVL": "4"}).expect(PASSWORD_PROMPT).answer("right")
        tap.equal(door.shell("tr '\\0' ' ' </proc/$$/cmdline; echo $SHLVL"), "-sh 4", "its name, and SHLVL")
        door.process.end()
        door = house.open("--login-shell").expect(PASSWORD_PROMPT).answer("right")
        tap.equal(door.shell("tr '\\0' ' ' </proc/$$/cmdline"), "-sh ", "its name")
        door.process.end()


@tap.case(deadline=200)
def the_shell_is_sushell_or_roots_or_sh():
    with right() as house:
        house.machine.write("/bin/other", "#!/bin/sh\necho \"other is $SHELL\"\nexec /bin/sh\n", 0o755)
        for env in ({"SUSHELL": "/bin/other"}, {"sushell": "/bin/other"}, {"SUSHELL": "/bin/other", "sushell": "/bin/false"}):
            door = house.open(env=env).expect(PASSWORD_PROMPT).answer("right").expect(b"other is /bin/other\r\n")
            door.process.end()
        for env in ({"SUSHELL": "/bin/nowhere"}, {"SUSHELL": ""}, {"SUSHELL": "other"}):
            door = house.open(env=env).expect(PASSWORD_PROMPT).answer("right")
            door.expect((env["SUSHELL"] + ": No such file or directory\r\n\r").encode())
            tap.equal(door.shell("echo $SHELL"), "/bin/sh", "the shell instead")
            door.process.end()


@tap.case(deadline=200)
def no_shell_at_all_is_a_failure():
    with House(account(hashed("right"), shell="/bin/gone", home="/nowhere")) as house:
        def no_sh():
            kernel.unshare(kernel.CLONE_NEWNS)
            kernel.mount("/dev/null", "/bin/sh", None, kernel.MS_BIND)
        door = house.open(before=no_sh).expect(PASSWORD_PROMPT).answer("right")
        door.expect(b"/bin/gone: No such file").expect(b"/bin/sh: ").expect(b"/bin/sash: ")
        door.expect(b"sulogin: can not execute su shell.\r\n\r")
        tap.equal(door.status(), 1, "the status")


def session(door):
    """(session, group, foreground group) of the shell, and its pid."""
    with open("/proc/%d/stat" % door.process.pid) as file:
        fields = file.read().rpartition(")")[2].split()
    return door.process.inner_pid(), [int(fields[i]) for i in (3, 2, 5)]


@tap.case(deadline=200)
def the_shell_leads_the_session_of_its_terminal():
    with right() as house:
        for given in (True, False):
            door = house.open(session=given).expect(PASSWORD_PROMPT).answer("right")
            door.shell("true")
            tap.equal(door.shell("exec 2>&1; ps -o pid=,sid=,tty= -p $$ | tr -s ' '").strip(),
                      "%d %d pts/%d" % (door.process.inner_pid(), door.process.inner_pid(), door.line.number),
                      "the shell is a session leader on its terminal")
            tap.check("job control" not in door.text.decode("latin-1"), "there is job control")
            door.process.end()


@tap.case(deadline=200)
def a_terminal_that_somebody_has_is_taken_and_nobody_is_signalled():
    """The one whose terminal it was, and the one whose other terminal the caller has, hear nothing."""
    with right() as house:
        owner_line, other = house.line(), house.line()
        owner = Door(house, owner_line, house.machine.spawn(lambda: sit(owner_line.node, b"owner")))
        owner.expect(b"owner ready")
        door = house.open(owner_line.node, line=other, session=True)
        door.line = owner_line
        door.at = 0
        door.expect(PASSWORD_PROMPT).answer("right")
        tap.equal(door.shell("tty"), owner_line.node, "the terminal")
        tap.check(owner.is_alive() and b"HUP" not in owner_line.text, "the former owner lives, unsignalled")
        door.type(b"exit 9\n")
        tap.equal(door.status(), 9, "the status")
        owner.process.end()


def sit(node, word):
    fd = os.open(node, os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(fd, termios.TIOCSCTTY, 0)
    for signo in (signal.SIGHUP, signal.SIGCONT):
        signal.signal(signo, lambda *_: os.write(fd, b"HUP"))
    os.write(fd, word + b" ready")
    while True:
        signal.pause()


@tap.case(deadline=200)
def what_was_decided_is_on_record_and_the_answer_is_not():
    with right() as house:
        house.machine.syslog.start("dgram")
        door = house.open().expect(PASSWORD_PROMPT).answer("Sesame").expect(WRONG)
        said = wait_for(lambda: house.machine.syslog.texts("sulogin"), "a record")
        tap.check(any("wrong password on " + door.line.node in text for text in said), "the refusal: %r" % said)
        tap.check(not any("Sesame" in text for text in said), "not the answer")
        door.expect(PASSWORD_PROMPT).answer("right").shell("true")
        wait_for(lambda: any("shell for root on" in text for text in house.machine.syslog.texts("sulogin")), "the record of the shell")
        door.process.end()


@tap.case(deadline=200)
def a_syslog_daemon_that_takes_nothing_keeps_nobody_waiting():
    with right() as house:
        def full_log():
            server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            server.bind("/dev/log")
            client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            client.connect("/dev/log")
            client.setblocking(False)
            try:
                while True:
                    client.send(b"x")
            except BlockingIOError:
                open("/tmp/full", "w").close()
            signal.pause()
        house.machine.spawn(full_log)
        wait_for(lambda: house.machine.exists("/tmp/full"), "the log to be full")
        door = house.open().expect(PASSWORD_PROMPT).answer("Sesame").expect(WRONG).expect(PASSWORD_PROMPT).answer("right")
        tap.equal(door.shell("echo in"), "in", "the shell")
        door.process.end()


tap.main()
