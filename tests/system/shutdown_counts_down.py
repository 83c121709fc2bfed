#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""When shutdown(8) warns and fires, by a clock that jumps over what it sleeps; stock in the same rig.

Stock announces no last minute and skips marks that are not reached to the second, fires a minute later than asked when the
time is a time of day with seconds left, and takes 35791395 minutes for one.
"""
import contextlib
import re
import time

import sinks
from downing import EPOCH, Down, tap, wait_for

# options, time, minutes of the warnings; where stock's are fewer, which it lacks
WARNINGS = [
    ([], "+1", "1", ""), ([], "+2", "2 1", "1"), ([], "+5", "5 4 3 2 1", "1"), ([], "+10", "10 9 8 7 6 5 4 3 2 1", "1"),
    ([], "+11", "11 9 8 7 6 5 4 3 2 1", "1"), ([], "+16", "15 9 8 7 6 5 4 3 2 1", "1"),
    ([], "+90", "90 60 45 30 15 9 8 7 6 5 4 3 2 1", "1"),
    ([], "+4:00", "240 180 150 120 90 60 45 30 15 9 8 7 6 5 4 3 2 1", "1"),
    (["-q"], "+12", "12 10 5", ""), (["-q"], "+60", "60 10 5", ""), (["-q"], "+130", "120 60 10 5", ""),
    (["-Q"], "+12", "12", ""), (["-Q"], "+15", "", ""), (["-Q"], "+60", "", ""), ([], "10:03", "3 2 1", "1"),
]
COMPARED = ("+0:0", "000005", "+1:5", "12:5", "9:59")
LENGTHS = {"+4:00": 240, "10:03": 3}
# The time, and after how many minutes it fires; it is 10:00:00.
TIMES = [("now", 0), ("00", 0), ("+0", 0), ("+0:0", 0), ("5", 5), ("000005", 5), ("+1:5", 65),
         ("+1:05", 65), ("10:00", 0), ("10:01", 1), ("12:05", 125), ("12:5", 125), ("9:59", 1439), ("0:00", 840),
         ("23:59", 839), ("+99:59", 5999)]
DATE = re.compile(r"Broadcast message from root@[^\r\n]*\((\w{3} \w{3} +\d+ [\d:]{8} \d{4})\):")
WORDS = re.compile(r"\rThe system is (?:going DOWN for reboot in (\d+) minutes?|going down for reboot NOW)!\r\n")


def told(text):
    """[(minutes that had passed, minutes that were told; 0: now)]. Children bring the banners, and may get between each
    other's: both lists go one way, so that they belong together by their ranks."""
    passed = sorted((time.mktime(time.strptime(date, "%a %b %d %H:%M:%S %Y")) - time.timezone - EPOCH) / 60
                    for date in DATE.findall(text))
    minutes = sorted((int(number or 0) for number in WORDS.findall(text)), reverse=True)
    return list(zip(passed, minutes)) if len(passed) == len(minutes) else text


def count_down(d, options, when, banners=1, **more):
    """What a terminal shows, once it is so many banners, the last one among them. They are brought by children, not always
    in order."""
    d.machine.write("/run/utmp", "")
    term = d.terminal()
    done = d.clocked("shutdown", *options, "-k", "-r", when, **more)
    tap.equal((done.status, done.err), (0, ""), "shutdown %s %s" % (options, when))
    with contextlib.suppress(tap.Failed):       # what is missing will be seen
        wait_for(lambda: len(told(term.text())) == banners and "NOW!" in term.text(), "the banners")
    return term.text()


@tap.case(deadline=400)
def each_wait_has_its_warnings_at_their_minutes():
    with Down("ours") as ours, Down("stock") as stock:
        for d in (ours, stock):
            for options, when, minutes, lacking in WARNINGS if d is ours else WARNINGS[1::2]:
                wanted = [int(m) for m in minutes.split() if d is ours or m != lacking]
                length = LENGTHS.get(when) or int(when)
                expected = [(length - m, m) for m in wanted] + [(length, 0)]
                tap.equal(told(count_down(d, options, when, len(expected))), expected,
                          "%s's warnings of %s %s" % (d.which, options, when))


@tap.case(deadline=300)
def each_time_fires_when_it_should_as_stock_s_does():
    with Down("ours") as ours, Down("stock") as stock:
        for when, minutes in TIMES:
            for d in (ours, stock) if when in COMPARED else (ours,):
                tap.equal(told(count_down(d, ["-Q"], when, 2 if 0 < minutes < 15 else 1))[-1], (minutes, 0), "%s's shutdown %s" % (d.which, when))
        # 45 seconds later: stock keeps the seconds of the start.
        for d, seconds in ((ours, 15), (stock, 60)):
            text = count_down(d, ["-Q"], "10:01", 2, epoch=EPOCH + 45)
            tap.equal(told(text)[-1][0] * 60, 45 + seconds, d.which + "'s 10:01 at 10:00:45")


@tap.case(deadline=120)
def nobody_logs_in_from_five_minutes_on():
    with Down("ours") as d:
        for when, exists in (("+6", False), ("+5", True), ("+1", True)):
            process = d.waiting("-Q", "-r", when)
            wait_for(lambda: d.machine.exists("/run/shutdown.schedule"), "it to wait")
            if exists:
                wait_for(lambda: d.machine.exists("/etc/nologin"), "nologin at " + when)
            else:
                wait_for(lambda: sinks.process_state(process.pid) == "S", "it to sleep")
            tap.equal(d.machine.exists("/etc/nologin"), exists, "nologin at " + when)
            d.run("shutdown", "-c")
            process.wait()
            tap.equal(d.left_files(), [], "what is left of " + when)


@tap.case(deadline=60)
def too_many_minutes_are_refused():
    with Down("ours") as ours, Down("stock") as stock:
        done = ours.clocked("shutdown", "-k", "-Q", "-r", "35791395")
        tap.equal((done.status, done.err[:6]), (1, "Usage:"), "ours")
        tap.equal(told(count_down(stock, ["-Q"], "35791395", 2))[-1], (1, 0), "stock goes down after a minute")


tap.main()
