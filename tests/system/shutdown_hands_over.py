#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""shutdown(8) and init: what is asked of it, what users and syslog are told, and what happens when init does not listen.

Stock hangs for good when the FIFO is full, takes a regular file for init, and leaves its pid file and flags behind when
the time is bad or init gone. It sends the first request itself and executes /sbin/init for the second.
"""
import os
import re
import signal
import time

from downing import RUNLVL, SETENV, Down, Request, tap, wait_for

# options, level, what INIT_HALT is, seconds; the same as stock's
FORMS = [
    ([], "1", "INIT_HALT", 3), (["-r"], "6", "INIT_HALT", 3), (["-h"], "0", "INIT_HALT", 3),
    (["-h", "-P"], "0", "INIT_HALT=POWEROFF", 3), (["-hP"], "0", "INIT_HALT=POWEROFF", 3),
    (["-hH"], "0", "INIT_HALT=HALT", 3), (["-hHP"], "0", "INIT_HALT=POWEROFF", 3), (["-hPH"], "0", "INIT_HALT=HALT", 3),
    (["-iS"], "S", "INIT_HALT", 3), (["-i", "5"], "5", "INIT_HALT", 3), (["-i0", "-P"], "0", "INIT_HALT=POWEROFF", 3),
    (["-r", "-t", "9"], "6", "INIT_HALT", 9), (["-t0", "-h"], "0", "INIT_HALT", 0), (["-hr"], "6", "INIT_HALT", 3),
    (["-ry"], "6", "INIT_HALT", 3),
]
ALOUD = {"0": "for system halt", "6": "for reboot", "1": "to maintenance mode", "S": "to runlevel S", "5": "to runlevel 5"}
HINT = {"-r": "shutdown -n -r now, or reboot -f", "-h": "shutdown -n -h now, or halt -f",
        "-hP": "shutdown -n -h -P now, or poweroff -f"}
# What is no time at all, and what stock makes something else of.
BAD_TIMES = ["", "+", ":30", "12:", "24:00", "12:60", "+1:60", "+100000:00", "-5", "+-1", "+x", "5x", "NOW", "5:00pm", "0x10",
             "now ", "++5", "+5+", "1:2:3", "12:059", "35791395"]
SLACK_S = 60


def now(d, *args, **more):
    """-> its end and the requests."""
    done = d.run("shutdown", *args, **more)
    return done, d.requests()


@tap.case(deadline=240)
def each_form_is_two_requests_the_same_as_stock():
    with Down("ours") as ours, Down("stock") as stock:
        for options, level, halt, seconds in FORMS:
            wanted = [Request(SETENV, "", 0, halt), Request(RUNLVL, level, seconds, "")]
            for d in (ours, stock):
                done, requests = now(d, *options, "now")
                tap.equal(requests, wanted, "%s's requests for %s" % (d.which, options))
                tap.equal(done.status, 0, "%s's status for %s" % (d.which, options))
            tap.equal(ours.left_files(), [], "what is left of " + " ".join(options))
        # Scripts write it so; and a message is no place for options.
        for d, words in ((ours, ["now", "-r"]), (stock, ["now", "-r"]), (ours, ["now", "-r", "see", "-h", "-c"])):
            _, requests = now(d, *words)
            tap.equal([r.level for r in requests], ["", "6"], "%s: %s" % (d.which, words))


@tap.case(deadline=120)
def users_and_syslog_are_told_in_the_words_of_stock():
    with Down("ours") as ours, Down("stock") as stock:
        for level, aim in ALOUD.items():
            shown = []
            for d in (ours, stock):
                d.machine.write("/run/utmp", "")
                term = d.terminal()
                now(d, "-i", level, "now", "bye", "all")
                wait_for(lambda: "NOW!\r\n" in term.text(), "the last warning")
                shown.append(re.sub(r"\w{3} \w{3} +\d+ [\d:]{8} \d{4}", "DATE", term.text()))
            tap.equal(shown[0], shown[1], "what is shown for level " + level)
            tap.check(shown[0].endswith("bye all \r\n\rThe system is going down %s NOW!\r\n" % aim), repr(shown[0]))
        ours.machine.syslog.start()
        for level, text in (("0", "for system halt"), ("6", "for system reboot"), ("1", "to maintenance mode")):
            now(ours, "-i", level, "now")
            wait_for(lambda: "shutting down " + text in ours.machine.syslog.texts("shutdown"), "the line for " + level)
        line = ours.machine.syslog.lines()[0]
        tap.equal((line.priority, line.ident, line.pid > 0), (13, "shutdown", True), "USER.NOTICE, name and pid")


@tap.case(deadline=120)
def users_are_told_before_init_is_asked():
    """However long that takes within its limit: each write to the terminal takes a tenth of a second here."""
    with Down("ours") as d:
        d.machine.syslog.start()        # Else its line would be waited for.
        line = "/dev/" + d.terminal().line
        done = d.machine.run(["strace", "-f", "-qq", "-s", "400", "-o", "/tmp/calls", "-e", "trace=openat,write", "-P", "/run/initctl", "-P", line,
                              "-e", "inject=write:delay_enter=100000", "/sbin/shutdown", "-r", "now"])
        tap.equal((done.status, len(d.requests())), (0, 2), "its end, and the requests")
        calls = d.machine.read("/tmp/calls").splitlines()
        told = [n for n, call in enumerate(calls) if re.search(r"(NOW!.*|write resumed>)\) += \d+", call)]
        asked = [n for n, call in enumerate(calls) if "initctl" in call]
        tap.check(told and asked and told[0] < asked[0], "the order:\n" + "\n".join(calls))


@tap.case(deadline=120)
def once_users_are_told_that_it_goes_down_it_goes_down():
    """It is stopped where it turns to init."""
    with Down("ours") as d:
        process = d.machine.spawn(["strace", "-qq", "-o", "/dev/null", "-e", "trace=openat", "-P", "/run/initctl", "-e", "inject=openat:signal=STOP",
                                   "/sbin/shutdown", "-F", "-r", "now"])
        wait_for(lambda: d.pid_in_file() and d.machine.process(d.pid_in_file()).state in "tT", "it to be stopped")
        pid = d.pid_in_file()
        tap.equal(d.run("shutdown", "-c", "not", "now"), (1, "", "shutdown: too late: the system is going down already.\n"), "a cancel")
        d.machine.call(lambda: os.kill(pid, signal.SIGINT))
        d.machine.call(lambda: os.kill(pid, signal.SIGCONT))
        tap.equal((process.wait(), [r.level for r in d.requests()]), (0, ["", "6"]), "its end, and the levels asked for")


@tap.case(deadline=240)
def an_init_that_does_not_listen_is_told_of_and_undone():
    with Down("ours") as d:
        d.machine.syslog.start()
        for state, why in (("absent", "/run/initctl: No such file or directory"), ("file", "/run/initctl: not a FIFO"),
                           ("unread", "timeout opening/writing control channel /run/initctl"),
                           ("full", "timeout opening/writing control channel /run/initctl")):
            for option, hint in HINT.items():
                if state != "absent" and option != "-r":
                    continue
                d.channel(state)
                term = d.terminal() if option == "-r" else None
                begun = time.monotonic()
                done = d.run("shutdown", "-F", option, "now", deadline=SLACK_S)
                tap.diag("%s: %.1f s" % (state, time.monotonic() - begun))
                tap.equal((done.status, done.out), (1, ""), state)
                tap.equal(done.err, "shutdown: %s\nshutdown: init was not told, the system stays up; without init: %s\n"
                          % (why, hint), state)
                tap.equal(d.left_files(), [], "what is left, " + state)
                if term:
                    wait_for(lambda: "The shutdown has failed, the system stays up.\r\n" in term.text(), "users to be told")
                    d.machine.write("/run/utmp", "")
            if state == "file":
                tap.equal(d.machine.read("/run/initctl"), "", "the file that is no FIFO")
        tap.equal(d.machine.syslog.texts("shutdown").count("shutdown failed"), 6, "lines in syslog")


@tap.case(deadline=120)
def a_full_channel_gets_both_requests_or_none():
    with Down("ours") as d:
        d.channel("full")
        process = d.spawn("shutdown", "-hP", "now")
        got = b""

        def drained():
            nonlocal got
            try:
                got = (got + os.read(d.fd, 4096))[-768:]
            except BlockingIOError:
                pass
            return b"INIT_HALT=POWEROFF" in got and len(got) == 768 and got[16:16 + 18] == b"INIT_HALT=POWEROFF"
        wait_for(drained, "both at the end of what was there")
        tap.equal(process.wait(), 0, "its status")
        tap.equal(got[384 + 8], ord("0"), "the level")


@tap.case(deadline=240)
def a_bad_time_leaves_nothing_behind():
    """Stock leaves the pid file and the flag."""
    with Down("ours") as ours, Down("stock") as stock:
        for text in BAD_TIMES:
            done = ours.run("shutdown", "-F", "-f", "-r", "--", text)
            tap.equal((done.status, done.out, done.err[:6]), (1, "", "Usage:"), "time %r" % text)
            tap.equal(ours.left_files(), [], "what is left of time %r" % text)
            tap.equal(ours.requests(), [], "what is asked for at time %r" % text)
        stock.run("shutdown", "-F", "-r", "24:00")
        tap.equal(stock.left_files(), ["/run/shutdown.pid", "/forcefsck"], "what stock leaves")


@tap.case(deadline=120)
def other_mistakes_are_those_of_stock():
    refused = [["-P", "now"], ["-rH", "now"], ["-i", "X", "now"], ["-n", "now"], ["-Z", "now"], ["-t"], [], ["-h"], ["--help", "x"],
               ["-g", "", "-r"]]
    with Down("ours") as ours, Down("stock") as stock:
        for words in refused:
            found = [d.run("shutdown", *words) for d in (ours, stock)]
            tap.equal(found[0].status, found[1].status, "status of %s" % words)
            lines = [done.err.splitlines() for done in found]
            head = [line for line in lines[1] if not line.startswith("\t")]
            tap.equal(lines[0][:len(head)], head, "what is said of %s" % words)
            tap.equal(ours.requests(), [], "what is asked by %s" % words)
        # Sent on to init by stock, as 0, -1 and an empty level.
        for words in (["-t", "abc", "now"], ["-t", "-1", "now"], ["-i", "", "now"], ["-t", "99999999", "now"]):
            done, requests = now(ours, *words)
            tap.equal((done.status, requests), (1, []), "%s" % words)
        done = ours.run("shutdown", "now", uid=65534)
        tap.equal((done.status, done.err.splitlines()[0]), (1, "shutdown: you must be root to do that!"), "a user")
        done = ours.run("shutdown", "--help", uid=65534)
        tap.check(done.status == 0 and done.out.startswith("Usage:\t  shutdown [-akrhPHfFnc] [-t sec] time"), repr(done))
        done = ours.run("shutdown", "--version", uid=65534)
        tap.check(done.status == 0 and done.out.startswith("shutdown (sysvinit) "), repr(done))


@tap.case(deadline=60)
def flags_are_made_and_others_flags_stay():
    with Down("ours") as d:
        now(d, "-f", "-F", "-r", "now")
        tap.equal(d.left_files(), ["/fastboot", "/forcefsck"], "flags of a shutdown that init has been told of")
        d.machine.write("/fastboot", "mine")
        now(d, "-k", "-f", "now")
        tap.equal(d.machine.read("/fastboot"), "mine", "somebody else's flag after -k")


tap.main()
