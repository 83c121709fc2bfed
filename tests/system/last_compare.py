#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""last(1) and lastb(1) print on healthy files what util-linux prints, but for blanks at the ends of lines.

What differs by intent, and is left out of the files or the lines that are compared: a boot that crashed ends with the next one
here; util-linux looks at the login user of a session that is not over, at that of today also with -t; it repeats identical neighbours, lets newlines and
UTF-8 through, and cuts a host of 256 bytes by one.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap      # noqa: E402
from records import BEGIN, Files, days_of_work, peer, program, record, run, shutdown, boot   # noqa: E402

OPTIONS = ["", "-F", "-w", "-a", "-R", "-i", "-aF", "-RF", "-wF", "-n 7", "-7", "-x", "-xF", "-xFw", "-xia", "-xaR", "bob", "-w administrator",
           "pts/1", "1", "reboot", "-x bob", "-x pts/1", "-x reboot shutdown runlevel", "-t 20240307120000"]
SEEDS = (11, 12, 13)


def shown(command, words, path, zone):
    done = run([command, *words.split(), "-f", path], zone=zone)
    tap.equal((done.stderr, done.returncode), (b"", 0), "%s %s" % (command, words))
    return [line.rstrip() for line in done.stdout.decode().split("\n")]


def compare(name, path, zone, options=OPTIONS, without=None):
    for words in options:
        ours, theirs = shown(program(name), words, path, zone), shown(peer(name), words, path, zone)
        if "-t" in words:               # it looks at today's processes
            theirs = [line.replace("   gone - no logout", "  still logged in") for line in theirs]
        if without:
            ours, theirs = ([line for line in found if without not in line] for found in (ours, theirs))
        tap.equal(ours, theirs, "%s %s in %s" % (name, words, zone))


@tap.case(deadline=300)
def regular_files_give_the_same_list():
    with Files() as files:
        for seed in SEEDS:
            for zone in ("UTC", "Europe/Berlin", "America/St_Johns"):
                compare("last", files.write("wtmp", *days_of_work(seed)), zone)


@tap.case(deadline=120)
def after_crashes_too_but_for_the_boots_themselves():
    options = [words for words in OPTIONS if "7" not in words]      # counts would count boots
    with Files() as files:
        for seed in SEEDS:
            compare("last", files.write("wtmp", *days_of_work(seed, crashes=True)), "UTC", options, "system boot")


@tap.case(deadline=120)
def a_change_to_summer_time_makes_no_difference():
    spring, autumn = 1711846800, 1729990800         # 2024-03-31 and 2024-10-27, 01:00 UTC
    around = [n * 600 + s for s in (spring, autumn) for n in range(-12, 12)]
    stay = [found for s in around for found in (record("user", "tty1", "bob", s), record("dead", "tty1", "", s + 300))]
    with Files() as files:
        compare("last", files.write("wtmp", boot(around[0] - 60), *stay), "Europe/Berlin", ["", "-F"])


@tap.case(deadline=120)
def files_of_many_blocks_give_the_same_list():
    with Files() as files:
        path = files.write("wtmp", *days_of_work(14, boots=40, logins=300))
        tap.check(os.path.getsize(path) > 4 << 20, "a large file")
        compare("last", path, "UTC", ["", "-xF", "bob"])


@tap.case(deadline=120)
def clock_changes_and_odd_lines_give_the_same_list():
    with Files() as files:
        path = files.write(
            "wtmp", boot(BEGIN), record("user", "ftp123", "bob", BEGIN + 1), record("user", "ftpd77", "eve", BEGIN + 2),
            record("user", "uucp9", "sue", BEGIN + 3), record("dead", "ftp123", "", BEGIN + 4), record("old_time", "|", "date", BEGIN + 5),
            record("new_time", "{", "date", BEGIN + 6), record("user", "", "nobody", BEGIN + 7), record("user", "tty1", "", BEGIN + 8),
            record("login", "tty2", "LOGIN", BEGIN + 9), record("init", "", "", BEGIN + 10), record("empty", "", "", BEGIN + 11),
            record("user", "t" * 32, "u" * 32, BEGIN + 12, host="h" * 255), record("dead", "t" * 32, "", BEGIN + 90000),
            record("user", "tty3", "neg", BEGIN + 500000), record("dead", "tty3", "", BEGIN + 100000),
            shutdown(BEGIN + 600000), boot(BEGIN + 600100))
        compare("last", path, "UTC", [words for words in OPTIONS if words != "-t 20240307120000"])


@tap.case(deadline=120)
def lastb_gives_the_same_list():
    with Files() as files:
        path = files.write("btmp", *(record("login", "ssh:notty", "user%d" % n, BEGIN + 60 * n, host="192.0.2.%d" % (n % 250),
                                            address=bytes([192, 0, 2, n % 250])) for n in range(500)))
        compare("lastb", path, "UTC", ["", "-F", "-w", "-a", "-i", "-20", "user7"])


tap.main()
