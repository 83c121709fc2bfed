#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""telinit(8) writes what stock writes, and ends within 3 s whatever stands at /run/initctl.

Stock fails: it hangs for good when the FIFO is full, and takes a stop time that is no number for 0.
"""
import contextlib
import os
import stat
import time

from machine import Machine, tap, wait_for

FIFO = "/run/initctl"
USAGE = "Usage: telinit {-e VAR[=VAL] | [-t SECONDS] {0|1|2|3|4|5|6|S|s|Q|q|A|a|B|b|C|c|U|u}}\n"
TIMEOUT = "telinit: timeout opening/writing control channel /run/initctl\n"
# Process 1 of a machine in which no init runs yet: the test's own program.
STRANGER = 'telinit: process 1 is "%s", not this init\n'
# A machine under load does not run telinit at once; 3 s are what telinit itself may take.
SLACK_S = 20

SAME_AS_STOCK = [
    *([level] for level in "0123456789SsQqAaBbCcUu"),
    ["-t", "7", "3"], ["-t7", "3"], ["3", "-t", "7"], ["-t", "0", "3"], ["-t", "3", "-t", "4", "5"],
    ["--", "3"], ["-t", "7", "--", "3"],
    ["33"], [""], ["x"], [], ["-t", "3"], ["3", "2"], ["+3"],
    ["-e", "INIT_A=1"], ["-e", "INIT_A=1", "-e", "INIT_B"], ["-eINIT_A"], ["-e", "INIT_A="], ["-e", "INIT_A=1", "3"],
    ["-e", "INIT_A=" + "x" * 359], ["-e", "INIT_A=" + "x" * 360], ["-e", "INIT_A=" + "x" * 500],
]
# Stock lets getopt(3) say something before the usage; ours says the usage alone.
USAGE_ALONE = [["-x"], ["-e"], ["-t"], ["--help"], ["-3"]]
# Better than stock, which sends 0, -1, 5, what is left of the number, an empty list, and forgets the stop time.
REFUSED = {
    ("-t", "abc", "3"): "telinit: -t abc: not a number of seconds\n" + USAGE,
    ("-t", "-1", "3"): "telinit: -t -1: not a number of seconds\n" + USAGE,
    ("-t", "5x", "3"): "telinit: -t 5x: not a number of seconds\n" + USAGE,
    ("-t", "", "3"): "telinit: -t : not a number of seconds\n" + USAGE,
    ("-t", "99999999999", "3"): "telinit: -t 99999999999: not a number of seconds\n" + USAGE,
    ("-e", ""): USAGE,
    ("-t", "3", "-e", "INIT_A=1"): USAGE,
}


class Channel:
    """The FIFO, with the test in the place of init."""

    def __init__(self, machine):
        self.machine = machine
        self.path = machine.path(FIFO)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        os.mkfifo(self.path, 0o600)
        self.fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def read(self):
        with contextlib.suppress(BlockingIOError):
            return os.read(self.fd, 1 << 16)
        return b""

    def fill(self):
        fill(self.fd)


def fill(fd):
    for piece in (bytes(384), b"x"):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(fd, piece)


def answers(which, forms):
    """{form: (status, standard error, request)}"""
    found = {}
    with Machine(which) as machine, Channel(machine) as channel:
        for form in forms:
            done = machine.run(["/sbin/telinit", *form])
            tap.equal(done.out, "", "standard output of telinit " + " ".join(form))
            found[tuple(form)] = (done.status, done.err, channel.read())
    return found


def telinit_ends(machine, status, err):
    """Runs telinit q, which must end so and in time."""
    if status:
        err += STRANGER % machine.process(1).comm
    begun = time.monotonic()
    done = machine.run(["/sbin/telinit", "q"], deadline=3 + SLACK_S)
    took = time.monotonic() - begun
    tap.equal((done.status, done.err, done.out), (status, err, ""), "what telinit q answers")
    tap.diag("%.1f s" % took)
    return took


@tap.case(deadline=120)
def the_requests_and_refusals_are_those_of_stock():
    ours, stock = answers("ours", SAME_AS_STOCK), answers("stock", SAME_AS_STOCK)
    for form, answer in ours.items():
        tap.equal(answer, stock[form], "telinit " + " ".join(form)[:60])
    tap.check(any(request for _, _, request in ours.values()), "requests were written")


@tap.case(deadline=60)
def what_stock_takes_for_something_else_is_refused():
    for form, (status, err, request) in answers("ours", REFUSED).items():
        tap.equal((status, err, request), (1, REFUSED[form], b""), "telinit " + " ".join(form))
    for form, (status, err, request) in answers("ours", USAGE_ALONE).items():
        tap.equal((status, err, request), (1, USAGE, b""), "telinit " + " ".join(form))


@tap.case(deadline=60)
def a_user_is_refused_and_the_version_told():
    with Machine("ours") as machine, Channel(machine) as channel:
        done = machine.run(["/sbin/telinit", "q"], uid=65534)
        tap.equal((done.status, done.err), (1, "telinit: must be superuser.\n"), "what a user is told")
        tap.equal(channel.read(), b"", "what was written")
        done = machine.run(["/sbin/telinit", "--version"], uid=65534)
        tap.equal((done.status, done.err), (0, ""), "the version's status")
        tap.check(done.out.startswith("SysV init version: "), "the version is printed; found %r" % done.out)


@tap.case(deadline=60)
def a_full_channel_costs_3_seconds():
    with Machine("ours") as machine, Channel(machine) as channel:
        channel.fill()
        took = telinit_ends(machine, 1, TIMEOUT)
        tap.check(took > 2.5, "it is given time first; took %.1f s" % took)


@tap.case(deadline=60)
def a_channel_without_a_reader_costs_3_seconds():
    with Machine("ours") as machine:
        with Channel(machine):
            pass
        telinit_ends(machine, 1, TIMEOUT)


@tap.case(deadline=60)
def a_request_gets_through_when_the_reader_comes_back():
    with Machine("ours") as machine, Channel(machine) as channel:
        channel.fill()
        waiting = machine.spawn(["/sbin/telinit", "3"])
        kept = b""
        end = time.monotonic() + 30
        while waiting_still(machine, waiting) and time.monotonic() < end:
            kept = (kept + channel.read())[-384:]
        tap.equal(waiting.wait(), 0, "the status of telinit")
        kept = (kept + channel.read())[-384:]
        tap.equal(kept[:8], b"\x69\x19\x09\x03\x01\0\0\0", "how the last request begins")


def waiting_still(machine, process):
    found = machine.process(process.inner_pid())
    return found is not None and found.state != "Z"


@tap.case(deadline=60)
def what_is_no_fifo_is_left_as_it_is():
    refused = "telinit: /run/initctl: not a FIFO\n"
    with Machine("ours") as machine:
        path = machine.path(FIFO)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        telinit_ends(machine, 1, "telinit: /run/initctl: No such file or directory\n")
        tap.check(not os.path.lexists(path), "nothing was made")
        with open(path, "w") as file:
            file.write("kept")
        telinit_ends(machine, 1, refused)
        with open(path) as file:
            tap.equal(file.read(), "kept", "the file")
        os.unlink(path)
        os.mkdir(path)
        telinit_ends(machine, 1, refused)
        os.rmdir(path)
        os.symlink("/dev/console", path)
        telinit_ends(machine, 1, refused)
        tap.equal(machine.console.text(), "", "what reached the console")
        os.unlink(path)
        os.symlink("initctl", path)
        telinit_ends(machine, 1, "telinit: /run/initctl: Symbolic link loop\n" if is_musl(machine)
                     else "telinit: /run/initctl: Too many levels of symbolic links\n")


def is_musl(machine):
    """Whose words for errors the binary has."""
    with open(machine.path("/sbin/init"), "rb") as file:
        tap.check(stat.S_ISREG(os.fstat(file.fileno()).st_mode), "/sbin/init is a file")
        return b"Symbolic link loop" in file.read()


class Strange:
    """A machine whose process 1 is this program, with its arguments."""

    def __init__(self, *argv):
        self.argv = argv

    def __enter__(self):
        self.machine = Machine("ours").__enter__()
        self.machine.boot(*self.argv[1:], argv0=self.argv[0])
        wait_for(lambda: self.machine.process(1).title.startswith(" ".join(self.argv)), "process 1 to be " + self.argv[0])
        return self.machine

    def __exit__(self, *why):
        self.machine.__exit__(*why)


@tap.case(deadline=120)
def another_process_1_is_named_and_nobody_waits_for_it():
    """A shell; and one that has opened the channel, and never reads."""
    with Strange("/bin/sh", "-c", "while :; do sleep 100; done") as machine:
        path = machine.path(FIFO)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        telinit_ends(machine, 1, "telinit: /run/initctl: No such file or directory\n")
        tap.check(not os.path.lexists(path), "nothing was made")
        os.mkfifo(path, 0o600)
        telinit_ends(machine, 1, TIMEOUT)
    deaf = "mkfifo /run/initctl; exec 3<>/run/initctl; while :; do sleep 100; done"
    with Strange("/bin/sh", "-c", deaf) as machine:
        wait_for(machine.takes_requests, "process 1 to have the channel open")
        # There is no answer to a request: it is asked when it lies there, as with stock. Until the pipe is full.
        fd = os.open(machine.path(FIFO), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        fill(fd)
        os.close(fd)
        telinit_ends(machine, 1, TIMEOUT)
        tap.equal(machine.poll_status(), None, "process 1's end")


tap.main()
