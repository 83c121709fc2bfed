#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""All consoles of a machine, each with its prompt: which they are, and what one's end means for the others.

The kernel's lists are files of the test (bound over /proc/consoles, a /sys of the machine's own), its consoles pseudo terminals
that have names in /dev; a device that does not exist makes sulogin look for them."""
import os
import signal
import termios

import kernel
from door import CONTROL_D, ENTER_PROMPT, PASSWORD_PROMPT, WRONG, Door, House, account, hashed, tap
from machine import wait_for

NETCONSOLE = "netcon0              -W- (E     a)\n"
PSTORE = "pstore-1             -W- (E  p  )  \n"
RIGHT = account(hashed("right"))


def console_line(name, line, flags="EC p  "):
    return "%-20s -W- (%s)  136:%d\n" % (name, flags, line.number)


def put_over(path, text):
    """Inside: the file reads like this from now on."""
    copy = "/tmp/" + os.path.basename(path)
    is_new = not os.path.exists(copy)
    with open(copy, "w") as file:
        file.write(text)
    if is_new:
        kernel.mount(copy, path, None, kernel.MS_BIND)


class Building:
    """Several lines, one sulogin; .doors has one for each line."""

    def __init__(self, house, count):
        self.house, self.machine = house, house.machine
        self.lines = [house.line() for _ in range(count)]
        self.settings = [line.settings() for line in self.lines]
        for number, line in enumerate(self.lines):
            os.symlink(line.node, self.machine.path("/dev/tcon%d" % number))

    def usual(self):
        return "".join(console_line("tcon%d" % number, line) for number, line in enumerate(self.lines))

    def kernel_says(self, text, cmdline=None):
        self.machine.call(lambda: put_over("/proc/consoles", text))
        if cmdline is not None:
            self.machine.call(lambda: put_over("/proc/cmdline", cmdline))
        return self

    def open(self, *flags, **more):
        first = self.house.open(*flags, "/dev/nowhere", line=self.lines[0], device=True, **more)
        self.doors = [Door(self.house, line, first.process) for line in self.lines]
        for door in self.doors:
            door.at = 0
        return self

    def asks(self, *numbers, prompt=PASSWORD_PROMPT):
        for number in numbers:
            self.doors[number].expect(prompt)
        return self

    def silent(self, *numbers):
        for number in numbers:
            tap.equal(self.doors[number].text, b"", "what console %d shows" % number)

    def status(self):
        """Everybody's text is read meanwhile, and no line is left changed."""
        for line in self.lines:
            line.look()
        status = self.doors[0].status()
        for number, line in enumerate(self.lines):
            if line.slave >= 0:
                tap.equal(line.settings(), self.settings[number], "the settings of console %d afterwards" % number)
        left = [p for p in self.machine.processes() if p.comm == "sulogin" and p.state != "Z"]
        tap.equal(left, [], "what is left of sulogin")
        return status

    def forget(self):
        for line in self.lines:
            line.look()
            line.text = b""


@tap.case(deadline=200)
def each_console_has_one_prompt_in_the_kernels_order_and_control_d_on_one_is_for_all():
    """Of four consoles stock asks on the first and the last."""
    for count in (2, 4, 16):
        with House(RIGHT) as house:
            b = Building(house, count)
            b.kernel_says(b.usual()).open().asks(*range(count))
            b.doors[count - 1].type(CONTROL_D)
            tap.equal(b.status(), 0, "the status")
            for door in b.doors:
                tap.equal(door.text.count(PASSWORD_PROMPT), 1, "prompts there")


@tap.case(deadline=200)
def lines_without_a_terminal_are_passed_over():
    """Behind a netconsole stock sees no console; where it comes first, it ends with 1."""
    with House(RIGHT) as house:
        b = Building(house, 3)
        one, two, off = (console_line("tcon%d" % n, b.lines[n]) for n in range(3))
        off = off.replace("(E", "( ")
        gone = "ttyS9                -W- (EC p  )    4:73\n"
        far = "tcon7                -W- (EC p  )  136:%d\n" % b.lines[1].number     # by its number, whatever its name
        for text in (NETCONSOLE + one + two, one + NETCONSOLE + two, one + two + NETCONSOLE + PSTORE,
                     PSTORE + one + off + two, gone + one + far, one + one + two + two,
                     "(\n)\nE\n" + one + "nonsense (E) 136:x\nlong " + "(" + "x" * 300 + "E" * 50 + ") 4294967296:1\n" + two):
            b.kernel_says(text).open().asks(0, 1)
            b.silent(2)
            b.doors[1].type(CONTROL_D)
            tap.equal(b.status(), 0, "the status")
            tap.equal([door.text.count(PASSWORD_PROMPT) for door in b.doors], [1, 1, 0], "prompts")
            b.forget()


def sysfs(machine, names):
    """names: {name: (device number, what its "active" holds)}"""
    for name, (number, active) in names.items():
        machine.write("/sys/class/tty/%s/dev" % name, number + "\n") if number else None
        machine.write("/sys/class/tty/%s/active" % name, active + "\n") if active else None


@tap.case(deadline=200)
def an_empty_list_is_not_the_last_word():
    """Stock ends with 1 where /proc/consoles names nothing that it can use."""
    with House(RIGHT) as house:
        b = Building(house, 3)
        numbers = ["136:%d" % line.number for line in b.lines]
        sysfs(house.machine, {"console": (None, "tty0 tcon1 ../x netcon"), "tty0": ("4:0", "tcon0"),
                              "tcon0": (numbers[0], None), "tcon1": (numbers[1], None)})
        b.kernel_says(NETCONSOLE, "quiet console=tcon2").open().asks(0, 1)
        b.silent(2)
        b.doors[0].type(CONTROL_D)
        tap.equal(b.status(), 0, "by sysfs")
        b.forget()
        house.machine.write("/sys/class/tty/console/active", "gone\n")
        words = 'ro x="console=tcon1 y" netconsole=tcon1 console=tcon0,115200n8 console=brl,tcon2 console=nowhere ' \
                'console= console=../dev/tcon1 console=brl console=tcon0\n'
        b.kernel_says("", words).open().asks(0, 2)
        b.silent(1)
        b.doors[2].type(CONTROL_D)
        tap.equal(b.status(), 0, "by the command line")


@tap.case(deadline=200)
def standard_input_is_the_last_resort():
    with House(RIGHT) as house:
        b = Building(house, 1)
        b.kernel_says("", "quiet")
        door = house.open("/dev/nowhere", line=b.lines[0]).expect(PASSWORD_PROMPT).type(CONTROL_D)
        tap.equal(door.status(), 0, "the status")
        house.machine.call(lambda: kernel.mount("/dev/null", "/dev/console", None, kernel.MS_BIND))
        done = house.machine.run(["/sbin/sulogin"], env={"CONSOLE": "/dev/null"})
        tap.check(done.status == 1 and done.err.startswith("sulogin: cannot open console: "), "no console at all: %r" % (done,))
        b.kernel_says(b.usual())
        door = house.open(line=b.lines[0], env={"CONSOLE": "/dev/null"}, device=True)
        door.at = len(b.lines[0].text)
        door.expect(PASSWORD_PROMPT).type(CONTROL_D)
        tap.equal(door.status(), 0, "init had no console, the kernel has")
        door = house.open(line=b.lines[0], device=True, before=lambda: os.closerange(0, 3))
        door.expect(PASSWORD_PROMPT).type(CONTROL_D)
        tap.equal(door.status(), 0, "there are no descriptors at all")


@tap.case(deadline=200)
def a_console_that_cannot_be_opened_takes_no_other_with_it():
    """Stock leaves it in the list: its child works on standard input, and its end is the end of all."""
    with House(RIGHT) as house:
        b = Building(house, 3)
        house.machine.call(lambda: os.unlink("/dev/tcon1"))
        house.machine.call(lambda: os.mknod("/dev/tcon1", 0o020600, os.makedev(136, 1000)))
        text = b.usual().replace("136:%d\n" % b.lines[1].number, "136:1000\n")
        b.kernel_says(text).open().asks(0, 2)
        b.silent(1)
        b.doors[0].answer("wrong").expect(WRONG).expect(PASSWORD_PROMPT)
        tap.equal(b.doors[2].text.count(PASSWORD_PROMPT), 1, "the other is not disturbed")
        b.doors[2].type(CONTROL_D)
        tap.equal(b.status(), 0, "the status")


@tap.case(deadline=200)
def several_shells_run_side_by_side_and_are_waited_for():
    with House(RIGHT) as house:
        b = Building(house, 3)
        b.kernel_says(b.usual()).open().asks(0, 1, 2)
        for n in (0, 1):
            b.doors[n].answer("right")
            tap.equal(b.doors[n].shell("tty; ps -o sid= -p $$ | tr -d ' '").split(),
                      [b.lines[n].node, b.doors[n].shell("echo $$")], "a session of its own")
            tap.equal(b.doors[n].shell("cd /proc/$$/fd; for f in [3-9]; do readlink $f; done"), "", "nothing else is open")
        b.doors[2].type(CONTROL_D)
        wait_for(lambda: len(asking(b)) == 0, "those that ask to end")
        tap.equal(b.doors[0].shell("echo still"), "still", "a shell when another has said to go on")
        b.doors[0].type(b"exit 3\n")
        tap.equal(b.doors[1].shell("echo still"), "still", "the other")
        tap.check(b.doors[0].is_alive(), "the last shell is waited for")
        b.doors[1].type(b"exit\n")
        tap.equal(b.doors[0].status(), 0, "the status")


@tap.case(deadline=200)
def descriptors_that_others_left_open_stand_in_nobodys_way():
    """Stock keeps descriptors and consoles as bits of a word: number 32 has none there, and is left to the shell."""
    with House(RIGHT) as house:
        b = Building(house, 3)

        def many():
            for fd in range(3, 70):
                os.dup2(0, fd)
        b.kernel_says(b.usual()).open(before=many).asks(0, 1, 2)
        for n in (0, 1):
            b.doors[n].answer("right")
            tap.equal(b.doors[n].shell("ls -1 /proc/$$/fd"), "0\n1\n10\n2", "what a shell has open; 10 is its own")
        b.doors[2].type(CONTROL_D)
        for n in (0, 1):
            b.doors[n].type(b"exit\n")
        tap.equal(b.status(), 0, "the status")


def asking(b):
    """The children at a prompt, as (pid inside)."""
    parent = b.doors[0].process.inner_pid()
    return [p.pid for p in b.machine.processes() if p.ppid == parent and p.comm == "sulogin" and p.state != "Z"]


@tap.case(deadline=200)
def the_end_of_a_shell_ends_those_that_still_ask():
    with House(RIGHT) as house:
        b = Building(house, 2)
        b.kernel_says(b.usual()).open().asks(0, 1)
        b.doors[0].answer("right").shell("true")
        b.doors[0].type(b"exit\n")
        tap.equal(b.status(), 0, "the status")


@tap.case(deadline=200)
def a_prompt_that_does_not_end_is_killed_and_its_line_restored():
    with House(RIGHT) as house:
        b = Building(house, 2)
        b.kernel_says(b.usual()).open().asks(0, 1)
        stopped = asking(b)[1]
        b.machine.call(lambda: os.kill(stopped, signal.SIGSTOP))
        b.doors[0].type(CONTROL_D)
        tap.equal(b.status(), 0, "the status")


@tap.case(deadline=200)
def a_time_out_counts_for_each_console():
    with House(RIGHT) as house:
        b = Building(house, 2)
        b.kernel_says(b.usual()).open("-t", "2").asks(0, 1)
        tap.equal(b.status(), 0, "the status")
        for door in b.doors:
            tap.check(b"Timed out.\r\n" in door.text, "it is said on each")
        b.forget()
        b.open("-t", "8").asks(0, 1)
        b.doors[0].answer("right").shell("true")
        b.doors[1].expect(b"Timed out.")
        tap.equal(b.doors[0].shell("echo still"), "still", "the shell outlives the time-out of the other")
        b.doors[0].type(b"exit 4\n")
        tap.equal(b.doors[0].status(), 0, "the status")


@tap.case(deadline=200)
def a_console_that_hangs_up_is_out_and_the_others_go_on():
    with House(RIGHT) as house:
        b = Building(house, 2)
        b.kernel_says(b.usual()).open().asks(0, 1)
        b.lines[0].hang_up()
        wait_for(lambda: len(asking(b)) == 1, "the one to end")
        b.doors[1].answer("right")
        tap.equal(b.doors[1].shell("echo in"), "in", "the shell at the other")
        b.doors[1].type(b"exit\n")
        tap.equal(b.doors[1].process.wait(60), 0, "the status")
    with House(RIGHT) as house:
        b = Building(house, 2)
        b.kernel_says(b.usual()).open().asks(0, 1)
        for line in b.lines:
            line.hang_up()
        tap.equal(b.doors[0].process.wait(60), 1, "the status when all have hung up")


@tap.case(deadline=200)
def a_signal_to_the_parent_ends_every_prompt():
    """Stock's prompts outlive it, and hand out root shells beside the getty."""
    with House(RIGHT) as house:
        for signo, status in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP)):
            b = Building(house, 2) if signo == signal.SIGTERM else b
            b.kernel_says(b.usual()).open().asks(0, 1)
            b.doors[0].process.kill(signo)
            tap.equal(b.status(), status, "the status")
            b.forget()
        b.open().asks(0, 1)
        b.doors[0].answer("right").shell("true")
        b.doors[0].process.kill(signal.SIGKILL)
        tap.equal(b.doors[0].process.wait(60), -signal.SIGKILL, "killed")
        wait_for(lambda: not [p for p in b.machine.processes() if p.comm in ("sulogin", "sh") and p.state != "Z"],
                 "prompts and shells to end with it")
        tap.equal(b.lines[1].settings(), b.settings[1], "the line of the prompt")


@tap.case(deadline=200)
def a_bystander_lives_when_no_child_can_be_made():
    """Stock's pid of a failed fork is -1, and at the end it signals that: everybody."""
    for room, prompts in ((1, [0]), (0, [])):
        with House(RIGHT, pids_cgroup=True) as house:
            bystander = house.machine.spawn(lambda: signal.pause())
            b = Building(house, 3)
            b.kernel_says(b.usual())

            def full():
                open("/tmp/started", "w").close()
                while not os.path.exists("/tmp/full"):
                    os.sched_yield()
            b.open(before=full)
            wait_for(lambda: house.machine.exists("/tmp/started"), "its start")
            house.machine.pids.add(b.doors[0].process.pid)
            house.machine.pids.limit(house.machine.pids.current() + room)
            house.machine.write("/tmp/full", "")
            # With no room for a child the first console is tended by the parent itself.
            b.asks(*(prompts or [0]))
            b.silent(*[n for n in range(3) if n not in (prompts or [0])])
            house.machine.pids.limit(None)
            b.doors[0].type(CONTROL_D)
            tap.equal(b.status(), 0, "the status")
            tap.equal(os.waitpid(bystander.pid, os.WNOHANG), (0, 0), "the bystander")


@tap.case(deadline=200)
def each_line_that_was_raw_or_silent_is_so_again():
    with House(account("")) as house:
        b = Building(house, 2)
        settings = b.lines[1].settings()
        settings[3] &= ~(termios.ECHO | termios.ICANON)
        b.lines[1].set(settings)
        b.settings[1] = b.lines[1].settings()
        b.kernel_says(b.usual()).open().asks(0, 1, prompt=ENTER_PROMPT)
        b.doors[1].type(CONTROL_D)
        tap.equal(b.status(), 0, "the status")


tap.main()
