# SPDX-License-Identifier: GPL-2.0-or-later
"""Test cases that speak TAP.

    import tap

    @tap.case(deadline=60)
    def a_probe_orphan_is_gone_within_a_second():
        tap.equal(found, wanted, "what is compared")
        tap.check(condition, "what must hold")
        tap.diag("a line for the reader of the log")
        tap.skip("the reason")                      # ends this case, and does not count as passed

    tap.main()                                      # the last line of a test file

A case is a function whose name is a sentence; it holds when it returns. Cases run in the order in
which they were declared, one after the other in one thread; arguments of the program choose cases
by a part of their name, `-l` lists them. A case that is not done at its deadline is interrupted
with DeadlineExceeded, so that its clean-up still runs; when even that hangs, the process ends.
Exit status: 0 when nothing failed and at least one case ran, else 1.
What holds a machine tells its state (tap.diag) when its context is left by an exception, before it
is taken down.
"""
import os
import signal
import sys
import time
import traceback

CLEANUP_GRACE_S = 60


class Failed(AssertionError):
    """What a case promises does not hold."""


class Skip(Exception):
    """The case cannot be judged here."""


class DeadlineExceeded(BaseException):
    """Not an Exception, so that no `except Exception` of a case swallows it."""


_cases = []


def case(deadline=60, name=None):
    def declare(function):
        add(name or function.__name__.replace("_", " "), function, deadline)
        return function
    return declare


def add(name, function, deadline=60):
    _cases.append((name, function, deadline))


def diag(text):
    for line in str(text).splitlines() or [""]:
        plain = line.encode("ascii", "backslashreplace").decode()
        visible = "".join(c if c.isprintable() else repr(c)[1:-1] for c in plain)
        sys.stdout.write("# " + visible + "\n")
    sys.stdout.flush()


def check(condition, what):
    if not condition:
        raise Failed("does not hold: " + what)


def equal(found, wanted, what):
    if found != wanted:
        raise Failed("%s:\n  found  %r\n  wanted %r" % (what, found, wanted))


def skip(reason):
    raise Skip(reason)


def _interrupt(_signo, _frame):
    # The second alarm is for a clean-up that hangs as well.
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(CLEANUP_GRACE_S)
    raise DeadlineExceeded("not done at its deadline")


def _give_up(_signo, _frame):
    sys.stdout.write("# the clean-up hangs as well: giving up\n")
    sys.stdout.flush()
    os._exit(1)


def _terminate(signo, _frame):
    raise SystemExit(128 + signo)


def _run(number, name, function, deadline):
    begin = time.monotonic()
    signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, deadline)
    outcome, reason = "ok", ""
    try:
        function()
    except Skip as why:
        reason = " # SKIP " + str(why)
    except (Exception, DeadlineExceeded):
        outcome = "not ok"
        diag(traceback.format_exc())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    sys.stdout.write("%s %d - %s%s\n" % (outcome, number, name.replace("#", "no."), reason))
    diag("%.1f s" % (time.monotonic() - begin))
    return outcome == "ok", bool(reason)


def main():
    if "-l" in sys.argv[1:]:
        print("\n".join(name for name, _, _ in _cases))
        sys.exit(0)
    signal.signal(signal.SIGTERM, _terminate)
    chosen = [c for c in _cases if not sys.argv[1:] or any(a in c[0] for a in sys.argv[1:])]
    failed = 0
    for number, (name, function, deadline) in enumerate(chosen, 1):
        good, _ = _run(number, name, function, deadline)
        failed += not good
    print("1..%d" % len(chosen))
    sys.stdout.flush()
    sys.exit(0 if chosen and not failed else 1)
