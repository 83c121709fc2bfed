#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""utmpdump(1): what it writes is what util-linux writes but for the time; what it reads is refused or comes back whole."""
import os
import random
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap      # noqa: E402
from records import BEGIN, LAYOUTS, NATIVE, SIZE, Files, days_of_work, old_record, peer, program, record, run   # noqa: E402

ZONES = ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Sao_Paulo", "Australia/Sydney", "Australia/Lord_Howe",
         "Asia/Kolkata", "Pacific/Apia", "Africa/Casablanca", "<+0345>-3:45"]
YEAR_S = range(1704067200, 1704067200 + 366 * 86400, 3600)


def dump(*args, **more):
    return run([program("utmpdump"), *args], **more)


def undump(text, *args, **more):
    return dump("-r", *args, stdin=text if isinstance(text, bytes) else text.encode(), **more)


def written(done, what="dump", name="stdin"):
    """What was written when all went well."""
    tap.equal((done.stderr, done.returncode), (b"Utmp %s of %s\n" % (what.encode(), name.encode()), 0), "message and status")
    return done.stdout


def there_and_back(data, *args, zone="UTC"):
    return written(undump(written(dump(*args, stdin=data, zone=zone)), zone=zone), "undump")


ODD = [record("user", "system boot", "u ser", BEGIN, -5, "a b  c", "1", bytes.fromhex("20010db8000100020003000400050006")),
       record(9, "x" * 32, "y" * 32, 1, 4000000, "h" * 256, "abcd", bytes([255] * 4)), record("empty", s=0), record(-7, "tty1", "bob", 0xffffffff)]


@tap.case(deadline=120)
def lines_are_those_of_util_linux_but_for_the_time():
    odd_texts = record("user", b"a[b]\x01\n", b"\xc3\xa4[", BEGIN, host=b"\x7f\x80]", ident=b"\xff~")
    with Files() as files:
        path = files.write("wtmp", *days_of_work(21), *ODD, odd_texts)
        ours, theirs = (run([command, path]).stdout.decode().splitlines() for command in (program("utmpdump"), peer("utmpdump")))
        tap.equal([line.rpartition(" [")[0] for line in ours], [line.rpartition(" [")[0] for line in theirs], "all but the time")
        tap.check(len(ours) > 200, "lines")


@tap.case(deadline=120)
def a_line_has_sysvinits_columns():
    data = record("user", "tty1", "bob", BEGIN, 812, "host", "1", bytes([192, 0, 2, 1])) + record("dead", "t", s=0)
    tap.equal(written(dump(stdin=data)).decode(),
              "[7] [00812] [1   ] [bob     ] [tty1        ] [host                ] [192.0.2.1      ] [Tue Mar 05 08:00:00 2024 UTC]\n"
              "[8] [00000] [    ] [        ] [t           ] [                    ] [0.0.0.0        ] [                            ]\n", "lines")


@tap.case(deadline=120)
def every_field_that_is_shown_comes_back():
    plain = [record(kind, "tty%d" % kind, "user%d" % kind, BEGIN + kind, kind * 1000, "host", "t%d" % kind, bytes([10, 0, 0, kind]))
             for kind in range(10)]
    tap.equal(there_and_back(b"".join(plain)), b"".join(plain), "ordinary records")
    tap.equal(there_and_back(b"".join(ODD)), b"".join(ODD), "odd ones")


@tap.case(deadline=240)
def every_time_comes_back_in_every_zone():
    data = b"".join(record("user", "tty1", "bob", s) for s in YEAR_S)
    for zone in ZONES:
        tap.check(there_and_back(data, zone=zone) == data, "an hour of 2024 is another in " + zone)


@tap.case(deadline=120)
def the_exact_form_loses_no_byte():
    chance = random.Random(31)
    for layout, kind in LAYOUTS.items():
        size = int(layout[:3])
        data = b"".join(record("user", "tty1", "bob", BEGIN + n, n, "host", "1", chance.randbytes(16), chance.randrange(10 ** 6),
                               chance.randrange(10 ** 6), (n, -n), layout) for n in range(50))
        data += b"".join(chance.randbytes(size) for _ in range(20)) + b"".join(bytes(chance.choice(b"\0\0 a]\\") for _ in range(size)) for _ in range(20))
        for zone in ("UTC", "Europe/Berlin"):
            text = written(dump("--exact", "--layout", layout, stdin=data, zone=zone))
            tap.check(written(undump(text, "--layout", layout, zone=zone), "undump") == data, layout)
        tap.equal(kind[0], "<" if layout.endswith("le") else ">", "the byte order")


@tap.case(deadline=120)
def records_of_any_machine_give_the_same_lines():
    shown = {layout: written(dump(stdin=b"".join(days_of_work(22, layout=layout)))) for layout in LAYOUTS}
    tap.equal(len(set(shown.values())), 1, "different lines")
    native = b"".join(days_of_work(22))
    tap.equal(len(there_and_back(native)), len(native), "the size")
    for layout in LAYOUTS:
        text = written(dump("--exact", stdin=b"".join(days_of_work(22, layout=layout))))
        tap.check(written(undump(text), "undump") == native, "records of this machine from those of %s (native: %s)" % (layout, NATIVE))


@tap.case(deadline=120)
def old_records_go_both_ways():
    data = old_record("user", "tty1", "bob", BEGIN, 5, "somewhere", bytes([192, 0, 2, 9])) + old_record("dead", "tty1", "", BEGIN + 60)
    text = written(dump("-o", stdin=data))
    tap.check(text.startswith(b"[7] [00005] [    ] [bob     ] [tty1        ] [somewhere           ] [192.0.2.9      ] [Tue Mar 05 08:00:00"), text)
    tap.equal(written(undump(text, "-o"), "undump"), data, "back")
    tap.equal(undump("[7] [1] [] [longername] [tty1] [] [] []\n", "-o").returncode, 1, "a name too long for it")


GOOD = "[7] [00812] [1   ] [bob     ] [tty1        ] [host                ] [192.0.2.1      ] [Tue Mar 05 08:00:00 2024 UTC]\n"
BAD = ["[7]\n", "no brackets\n", "[7] [00812] [1   ] [bob     ] [tty1\n", "x" * 5000 + "\n", "[" + "x" * 5000 + "]\n", "x" * 100000 + "\n",
       "[7] [1] [] [] [] [] [1.2.3] []\n", "[7] [1] [] [] [] [] [] [soon]\n", "[7] [1] [] [] [] [] [] [@4294967296]\n" if NATIVE[0] == "3" else "[7]\n",
       "[70000] [1] [] [] [] [] [] []\n", "[7] [1] [12345] [] [] [] [] []\n", "[7] [1] [] [" + "u" * 33 + "] [] [] [] []\n", "\0\n", "[]\n", "]\n",
       GOOD[:-2] + "\n", GOOD[:-1] + "x\n", GOOD[:-1] + " []\n"]


@tap.case(deadline=240)
def malformed_lines_are_refused_by_number():
    for bad in BAD:
        for _ in range(5):
            done = undump(GOOD + "\n# a remark\n" + bad + GOOD)
            tap.equal((done.stderr, done.returncode), (b"Utmp undump of stdin\nutmpdump: stdin:4: parse error\n", 1), repr(bad[:60]))
            tap.equal(len(done.stdout), SIZE, "what stood before it, for %r" % bad[:60])
    with Files() as files:
        path = files.write("text", b"x\n")
        tap.equal(dump("-r", path).stderr.decode(), "Utmp undump of %s\nutmpdump: %s:1: parse error\n" % (path, path), "a file's name")


@tap.case(deadline=120)
def what_says_nothing_is_passed_over():
    for text in ("", "\n", "   \n\t\n", "# x\n", "\r\n"):
        tap.equal(written(undump(text), "undump"), b"", repr(text))
    for text in (GOOD, GOOD[:-1], GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "  \n"), "\n" + GOOD + "\n"):
        tap.equal(written(undump(text), "undump"), record("user", "tty1", "bob", BEGIN, 812, "host", "1", bytes([192, 0, 2, 1])), repr(text))


@tap.case(deadline=120)
def lines_of_util_linux_are_read():
    with Files() as files:
        data = b"".join(days_of_work(23))
        path = files.write("wtmp", data)
        text = run([peer("utmpdump"), path], zone="Europe/Berlin").stdout
        tap.check(written(undump(text, zone="Asia/Kolkata"), "undump") == data, "microseconds and all")


class Following:
    """utmpdump -f on a file, its output on a pipe."""

    def __init__(self, path):
        self.child = subprocess.Popen([program("utmpdump"), "-f", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                      env=dict(os.environ, TZ="UTC"))

    def __enter__(self):
        # So that a line that never comes ends the case.
        self.alarm = threading.Timer(60, self.child.kill)
        self.alarm.start()
        return self

    def __exit__(self, *_why):
        self.alarm.cancel()
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()

    def users(self, count):
        return [self.child.stdout.readline().split(b"[")[4].split(b"]")[0].strip().decode() for _ in range(count)]


def add(path, *names, cut=None):
    with open(path, "ab") as file:
        file.write(b"".join(record("user", "tty1", name, BEGIN) for name in names)[:cut])


@tap.case(deadline=180)
def what_is_added_is_shown_at_once():
    with Files() as files:
        path = files.write("wtmp", *(record("user", "tty1", "n%d" % n, BEGIN) for n in range(15)))
        with Following(path) as follow:
            tap.equal(follow.users(10), ["n%d" % n for n in range(5, 15)], "the last ten")
            add(path, "one", "two")
            tap.equal(follow.users(2), ["one", "two"], "what is added")
            add(path, "three", cut=100)
            with open(path, "ab") as file:
                file.write(record("user", "tty1", "three", BEGIN)[100:])
            add(path, "four")
            tap.equal(follow.users(2), ["three", "four"], "one that came in two parts")


@tap.case(deadline=180)
def after_a_rotation_the_new_file_is_followed():
    with Files() as files:
        path = files.write("wtmp", record("user", "tty1", "first", BEGIN))
        with Following(path) as follow:
            tap.equal(follow.users(1), ["first"], "before")
            add(path, "late")
            os.rename(path, path + ".1")
            add(path + ".1", "later")
            add(path, "new")
            tap.equal(follow.users(3), ["late", "later", "new"], "the rest of the old one, then the new one")
            os.rename(path, path + ".2")
            add(path, "newer", "newest")
            tap.equal(follow.users(2), ["newer", "newest"], "once more")
            os.truncate(path, 0)
            add(path, "anew")
            tap.equal(follow.users(1), ["anew"], "cut short")


@tap.case(deadline=120)
def a_pipe_is_followed_to_its_end():
    done = dump("-f", stdin=b"".join(record("user", "tty1", "n%d" % n, BEGIN) for n in range(20)))
    tap.equal(written(done).count(b"\n"), 20, "lines")


@tap.case(deadline=120)
def part_of_a_record_is_told():
    done = dump(stdin=record("user", "tty1", "bob", BEGIN) + b"x" * 100)
    tap.equal((done.stderr, done.returncode), (b"Utmp dump of stdin\nutmpdump: stdin: ignoring 100 trailing bytes\n", 0), "message")
    tap.equal(done.stdout.count(b"\n"), 1, "lines")


@tap.case(deadline=120)
def statuses_and_messages_are_sysvinits():
    usage = b"Usage: utmpdump [ -froh ] [ filename ]\n"
    tap.equal((dump("-h").stdout, dump("-h").stderr, dump("-h").returncode), (usage, b"", 0), "-h")
    done = dump("-Q")
    tap.equal((done.stdout, done.returncode), (usage, 1), "a bad option")
    tap.check(b"invalid option -- 'Q'" in done.stderr, "getopt's line: %r" % done.stderr)
    tap.equal((dump("--layout", "x").returncode, dump("--help").returncode, dump("--version").returncode), (1, 0, 0), "long options")
    tap.check(dump("--help").stdout.startswith(usage), "--help")
    for args, what in ((["/nonexistent"], b"dump"), (["-r", "/nonexistent"], b"undump"), (["-f", "/nonexistent"], b"dump")):
        done = dump(*args)
        tap.equal((done.stdout, done.stderr, done.returncode), (
            b"", b"Utmp %s of /nonexistent\nUnable to open file: No such file or directory\n" % what, 1), "%r" % args)
    tap.equal((dump("/").stderr, dump("/").returncode), (b"Utmp dump of /\nutmpdump: /: Is a directory\n", 1), "a directory")


@tap.case(deadline=120)
def output_that_is_lost_is_said():
    data = b"".join(days_of_work(24))
    for args, stdin in (([], data), (["-r"], GOOD.encode()), (["-f"], data), (["-h"], b"")):
        with open("/dev/full", "wb") as full:
            done = dump(*args, stdin=stdin, stdout=full)
        tap.check(b"utmpdump: write error: " in done.stderr, "%r: %r" % (args, done.stderr))
        tap.equal(done.returncode, 1, "status")


@tap.case(deadline=120)
def a_reader_that_goes_away_ends_it():
    with Files() as files:
        path = files.write("wtmp", *days_of_work(25, boots=40))
        child = subprocess.Popen([program("utmpdump"), path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        child.stdout.readline()
        child.stdout.close()
        tap.equal(child.wait(60), -signal.SIGPIPE, "the way it ended")


tap.main()
