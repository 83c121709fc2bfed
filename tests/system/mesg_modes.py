#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mesg(1) tells the truth about both bits of a terminal's mode, and sets them so that it stays true.

In the specification's table the reference (sysvinit 3.14) differs in the rows marked *: it looks at one bit only,
or clears one only, so that after `mesg n` somebody may still write. Debian has no mesg of sysvinit to compare with.
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine      # noqa: E402,F401  (finds tap)
import tap          # noqa: E402
from terminals import Hall, run_on, unbooted    # noqa: E402

MESG = "/usr/bin/mesg"
USAGE = "Usage: mesg [y|n]\n"
NOT_A_TTY = "stdin: is not a tty\n"
OTHER_GROUP = "mesg: error: tty device is not owned by group `tty'\n"

# With a group tty of number 5: mode, group -> answer, mode after n, mode after a y that follows (None: refused).
WITH_GROUP = [
    (0o620, 5, "y", 0o600, 0o620),
    (0o600, 5, "n", 0o600, 0o620),
    (0o622, 5, "y", 0o600, 0o620),      # *
    (0o602, 5, "y", 0o600, 0o620),      # *
    (0o622, 0, "y", 0o600, None),       # *
    (0o602, 0, "y", 0o600, None),       # *
]
# Without one the bits of group and others go together.
WITHOUT_GROUP = [
    (0o620, 5, "y", 0o600, 0o622),      # *
    (0o600, 5, "n", 0o600, 0o622),
    (0o622, 5, "y", 0o600, 0o622),
    (0o602, 5, "y", 0o600, 0o622),
    (0o622, 0, "y", 0o600, 0o622),
    (0o602, 0, "y", 0o600, 0o622),
]


def group_file(m, has_tty):
    kept = [line for line in m.read("/etc/group").splitlines(True) if not re.match("tty:|[^:]*:[^:]*:5:", line)]
    m.write("/etc/group", "".join(kept) + ("tty:x:5:\n" if has_tty else ""))


def tried(m, terminal, rows):
    for mode, group, answer, closed, opened in rows:
        what = "%o of group %d" % (mode, group)
        terminal.give(0, group, mode)

        def mesg(*args):
            return run_on(m, terminal, [MESG, *args])
        tap.equal(mesg(), (0, "is %s\n" % answer, ""), what)
        tap.equal(terminal.mode(), mode, what + " after the question")
        tap.equal(mesg("n"), (0, "", ""), what + ": n")
        tap.equal(terminal.mode(), closed, what + " after n")
        tap.equal(mesg(), (0, "is n\n", ""), what + " after n")
        done = mesg("y")
        if opened is None:
            tap.equal(done, (1, "", OTHER_GROUP), what + ": y")
            tap.equal(terminal.mode(), closed, what + " after a refused y")
            continue
        tap.equal(done, (0, "", ""), what + ": y")
        tap.equal(terminal.mode(), opened, what + " after y")
        tap.equal(mesg(), (0, "is y\n", ""), what + " after y")


@tap.case(deadline=120)
def with_a_group_for_terminals_the_answer_is_true_and_n_closes():
    with unbooted() as m, Hall(m, 1) as hall:
        group_file(m, True)
        tried(m, hall.terminals[0], WITH_GROUP)


@tap.case(deadline=120)
def without_a_group_for_terminals_too():
    with unbooted() as m, Hall(m, 1) as hall:
        group_file(m, False)
        tried(m, hall.terminals[0], WITHOUT_GROUP)


@tap.case()
def a_word_counts_by_its_first_letter_and_other_arguments_are_refused():
    with unbooted() as m, Hall(m, 1) as hall:
        group_file(m, True)
        terminal = hall.terminals[0]
        terminal.give(0, 5, 0o600)
        for args, mode in ((["yes"], 0o620), (["nope"], 0o600), (["y "], 0o620), (["n-n"], 0o600)):
            tap.equal(run_on(m, terminal, [MESG, *args]), (0, "", ""), repr(args))
            tap.equal(terminal.mode(), mode, "the mode after %r" % args)
        for mode in (0o620, 0o600):
            terminal.give(0, 5, mode)
            for args in (["Y"], ["N"], ["-n"], ["-y"], [""], ["y", "n"], ["n", "n"], ["--", "y"], ["--helpme"], ["x"]):
                tap.equal(run_on(m, terminal, [MESG, *args]), (1, "", USAGE), repr(args))
                tap.equal(terminal.mode(), mode, "the mode after %r" % args)


@tap.case()
def without_a_terminal_that_is_said_before_anything_else():
    with unbooted() as m:
        for args in ([], ["y"], ["n"], ["-x"], ["y", "n"]):
            tap.equal(m.run([MESG, *args]), (1, "", NOT_A_TTY), repr(args))
        with open("/dev/null") as null:
            tap.equal(m.run(lambda: os.dup2(null.fileno(), 0) or os.execv(MESG, [MESG]), keep=(null.fileno(),)),
                      (1, "", NOT_A_TTY), "/dev/null")
        tap.equal(m.run(["sh", "-c", "exec mesg n <&-"]), (1, "", NOT_A_TTY), "closed")


@tap.case()
def only_the_owner_may():
    with unbooted() as m, Hall(m, 1) as hall:
        group_file(m, True)
        terminal = hall.terminals[0]
        refused = "mesg: %s: Operation not permitted\n" % terminal.path
        terminal.give(0, 5, 0o620)
        tap.equal(run_on(m, terminal, [MESG, "n"], uid=1000), (1, "", refused), "of root")
        tap.equal(terminal.mode(), 0o620, "the mode of root's terminal")
        tap.equal(run_on(m, terminal, [MESG, "y"], uid=1000), (0, "", ""), "nothing is to be changed")
        tap.equal(run_on(m, terminal, [MESG], uid=1000), (0, "is y\n", ""), "the question")
        terminal.give(1000, 5, 0o620)
        tap.equal(run_on(m, terminal, [MESG, "n"], uid=1000), (0, "", ""), "of the user")
        tap.equal(terminal.mode(), 0o600, "the mode of the user's terminal")


@tap.case()
def a_terminal_without_a_name_is_called_stdin():
    with unbooted() as m, Hall(m, 1) as hall:
        group_file(m, True)
        hall.terminals[0].give(0, 5, 0o620)
        # Another devpts lies over the one in which it has its name.
        m.run(["mount", "-t", "tmpfs", "none", "/dev/pts"])
        done = run_on(m, hall.terminals[0], [MESG, "n"], uid=1000)
        tap.equal(done, (1, "", "mesg: stdin: Operation not permitted\n"), "covered")


@tap.case()
def help_and_version_go_to_standard_output_which_is_checked():
    with unbooted() as m, Hall(m, 1) as hall:
        tap.equal(m.run([MESG, "--help"]), (0, USAGE, ""), "--help")
        done = m.run([MESG, "--version"])
        tap.check(done.status == 0 and re.fullmatch(r"mesg \(sysvinit\) \S+\n", done.out), "--version: %r" % (done,))
        done = run_on(m, hall.terminals[0], ["sh", "-c", "exec mesg >/dev/full"])
        tap.equal(done, (1, "", "mesg: write error: No space left on device\n"), "/dev/full")


tap.main()
