#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""last(1) and lastb(1): lines, messages and statuses; damage, foreign records, names that are made to deceive."""
import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap      # noqa: E402
from records import BEGIN, LAYOUTS, NO_PID, SIZE, Files, boot, days_of_work, level, old_record, program, record, run, shutdown   # noqa: E402

USAGE = b"Usage: last [-num | -n num] [-f file] [-t YYYYMMDDHHMMSS] [-R] [-adioxFw] [username..] [tty..]\n"


def last(*args, name="last", **more):
    return run([program(name), *args], **more)


def lines(done):
    """Those of the list, without blanks at their ends."""
    tap.equal((done.stderr, done.returncode), (b"", 0), "messages and status")
    text = done.stdout.decode("ascii").split("\n")
    tap.equal(text[-1], "", "the end of the output")
    tap.check(re.match(r"\S+ begins ", text[-2]), "what the file begins with: %r" % text[-2])
    tap.equal(text[-3], "", "the line before the last")
    return [line.rstrip() for line in text[:-3]]


STORY = [boot(BEGIN), level("2", "N", BEGIN + 5), record("user", "tty1", "bob", BEGIN + 3600), record("dead", "tty1", "", BEGIN + 9000),
         record("user", "tty2", "eve", BEGIN + 7200), shutdown(BEGIN + 10800), boot(BEGIN + 14400),
         record("user", "pts/0", "sue", BEGIN + 14460, host="example.org", address=bytes([192, 0, 2, 7])), boot(BEGIN + 18000),
         record("user", "pts/1", "tim", BEGIN + 18060, NO_PID), record("user", "pts/2", "ann", BEGIN + 18120)]


@tap.case(deadline=120)
def the_end_that_is_shown_is_the_end():
    with Files() as files:
        path = files.write("wtmp", *STORY)
        tap.equal(lines(last("-f", path)), [
            "ann      pts/2                         Tue Mar  5 13:02   still logged in",
            "tim      pts/1                         Tue Mar  5 13:01    gone - no logout",
            "reboot   system boot  6.1.0            Tue Mar  5 13:00   still running",
            "sue      pts/0        example.org      Tue Mar  5 12:01 - crash  (00:59)",
            "reboot   system boot  6.1.0            Tue Mar  5 12:00 - crash  (01:00)",
            "eve      tty2                          Tue Mar  5 10:00 - down   (01:00)",
            "bob      tty1                          Tue Mar  5 09:00 - 10:30  (01:30)",
            "reboot   system boot  6.1.0            Tue Mar  5 08:00 - 11:00  (03:00)"], "the list")
        tap.equal(lines(last("-xRF", "-f", path, "runlevel", "shutdown")), [
            "shutdown system down  Tue Mar  5 11:00:00 2024 - Tue Mar  5 12:00:00 2024  (01:00)",
            "runlevel (to lvl 2)   Tue Mar  5 08:00:05 2024 - Tue Mar  5 11:00:00 2024  (02:59)"], "-x")
        tap.check(last("-f", path).stdout.endswith(b"\n\nwtmp begins Tue Mar  5 08:00:00 2024\n"), "where the file begins")
        tap.equal(lines(last("-i", "-f", path, "sue", "tim")), [
            "tim      pts/1        0.0.0.0          Tue Mar  5 13:01    gone - no logout",
            "sue      pts/0        192.0.2.7        Tue Mar  5 12:01 - crash  (00:59)"], "-i")
        tap.equal(lines(last("-n", "1", "-f", path)), lines(last("-1f", path)), "two ways to ask for one line")
        tap.equal(len(lines(last("-3f", path))), 3, "-3")


@tap.case(deadline=120)
def at_a_time_of_then_nobody_of_now_is_looked_at():
    with Files() as files:
        path = files.write("wtmp", boot(BEGIN), record("user", "tty1", "bob", BEGIN + 60, NO_PID), record("dead", "tty1", "", BEGIN + 3600))
        shown = lines(last("-t", "20240305083000", "-f", path))
        tap.equal(shown[0], "bob      tty1                          Tue Mar  5 08:01   still logged in", "half past eight")
        tap.equal(len(lines(last("-t", "20240305080100", "-f", path))), 2, "the same second")
        tap.equal(len(lines(last("-t", "20240305080059", "-f", path))), 1, "a second before")


@tap.case(deadline=120)
def a_pid_that_is_somebody_elses_now_is_gone():
    with Files() as files:
        now = int(time.time())
        path = files.write("wtmp", boot(now - 86400 * 365), record("user", "zzz", "old", now - 86400 * 364, os.getpid()),
                           record("user", "yyy", "new", now + 30, os.getpid()))
        shown = lines(last("-f", path))
        tap.check(shown[0].endswith("still logged in"), "a process as old as its record: %r" % shown[0])
        tap.check(shown[1].endswith("gone - no logout"), "a process younger than its record: %r" % shown[1])


@tap.case(deadline=120)
def no_name_can_forge_a_line():
    names = [b"x\nreboot", b"\x1b[2J\x07", b"\r\x08\x7f\x80\xff", "ä".encode(), b"\tx\x0b\x0c"]
    with Files() as files:
        path = files.write("wtmp", *(record("user", name, name, BEGIN + n, host=name * 8) for n, name in enumerate(names)))
        for options in ("-f", "-wf", "-af", "-xFlf"):
            done = last(options, path)
            tap.equal(done.stdout.count(b"\n"), len(names) + 2, "one line each, %s" % options)
            tap.check(re.fullmatch(rb"[ -~\n]*", done.stdout), "printable characters only: %r" % done.stdout)
        odd = files.write("w\x1b[m\ntmp", STORY[0])
        tap.equal(last("-f", odd).stdout.count(b"\x1b"), 0, "escape characters from the file's name")


@tap.case(deadline=120)
def part_of_a_record_at_the_end_hides_nothing():
    with Files() as files:
        whole = last("-f", files.write("wtmp", *STORY)).stdout
        for part in (1, 284, SIZE - 1):
            path = files.write("wtmp", *STORY, STORY[0][:part])
            done = last("-f", path)
            tap.equal((done.stdout, done.returncode), (whole, 0), "%d bytes more" % part)
            tap.equal(done.stderr, b"last: %s: ignoring %d trailing bytes\n" % (path.encode(), part), "the message")


@tap.case(deadline=120)
def damage_in_the_middle_is_told_and_the_rest_is_shown():
    with Files() as files:
        whole = last("-f", files.write("wtmp", *STORY)).stdout
        for name, damage, count in [("part of a record", STORY[2][:150], 1), ("bytes that are none", b"\xa5" * SIZE, 1),
                                    ("two of them", b"\xa5" * SIZE * 2, 2), ("zeros behind a begun record", STORY[2][:70].ljust(SIZE, b"\0"), 1)]:
            path = files.write("wtmp", *STORY[:4], damage, *STORY[4:])
            done = last("-f", path)
            tap.equal((done.stdout, done.returncode), (whole, 0), name)
            tap.equal(done.stderr, b"last: %s: ignored %d damaged record%s, the last at byte %d\n" % (
                path.encode(), count, b"s" if count > 1 else b"", 4 * SIZE + (count - 1) * SIZE), name)
        path = files.write("wtmp", *STORY[:4], bytes(SIZE * 3), *STORY[4:])
        tap.equal((last("-f", path).stdout, last("-f", path).stderr), (whole, b""), "a hole")


@tap.case(deadline=120)
def records_of_any_machine_give_the_same_list():
    with Files() as files:
        for seed in (1, 2):
            shown = {}
            for layout in LAYOUTS:
                path = files.write("wtmp", *days_of_work(seed, crashes=True, layout=layout))
                shown[layout] = lines(last("-xFwa", "-f", path))
            tap.equal(len(set(map(tuple, shown.values()))), 1, "different lists")
            tap.check(len(shown["384le"]) > 100, "a list")
        wide = [record("user", "tty1", "bob", 0x1_0000_0000 + 86400, layout="400be")] * 2
        tap.check("Mon Feb  8 06:28:16 2106" in lines(last("-F", "-f", files.write("wtmp", *wide)))[0], "a 64-bit time")
        narrow = record("user", "tty1", "bob", 0xffffffff)
        tap.check("Sun Feb  7 06:28:15 2106" in lines(last("-F", "-f", files.write("wtmp", narrow)))[0], "a time beyond 2038")


@tap.case(deadline=120)
def old_records_are_56_bytes_everywhere():
    with Files() as files:
        path = files.write("wtmp", old_record("user", "tty1", "bob", BEGIN, host="somewhere", address=bytes([192, 0, 2, 9])),
                           old_record("dead", "tty1", "", BEGIN + 5400), old_record("user", "tty2", "fullname", BEGIN + 6000))
        tap.equal(lines(last("-of", path)), [
            "fullname tty2                          Tue Mar  5 09:40   still logged in",
            "bob      tty1         somewhere        Tue Mar  5 08:00 - 09:30  (01:30)"], "-o")
        tap.equal(lines(last("-oif", path, "bob")), ["bob      tty1         192.0.2.9        Tue Mar  5 08:00 - 09:30  (01:30)"], "-oi")
        tap.check(lines(last("-olf", path))[0].startswith("fullname tty2 "), "-ol")


@tap.case(deadline=120)
def repeated_neighbours_are_shown_once():
    with Files() as files:
        path = files.write("wtmp", *[STORY[0]] * 3, *[STORY[2]] * 2, STORY[3])
        tap.equal(len(lines(last("-f", path))), 2, "lines")


@tap.case(deadline=120)
def a_shutdown_without_a_boot_has_no_end():
    with Files() as files:
        tap.equal(lines(last("-xf", files.write("wtmp", boot(BEGIN), shutdown(BEGIN + 60)))), [
            "shutdown system down  6.1.0            Tue Mar  5 08:01",
            "reboot   system boot  6.1.0            Tue Mar  5 08:00 - 08:01  (00:01)"], "no end at 0")


@tap.case(deadline=120)
def spans_of_a_clock_set_back_have_one_sign():
    with Files() as files:
        rows = [(-30, "(-00:00)"), (-1800, "(-00:30)"), (-5400, "(-1:30)"), (-5400 - 4 * 86400, "(-4+01:30)")]
        for span, wanted in rows:
            path = files.write("wtmp", record("user", "tty1", "bob", BEGIN), record("dead", "tty1", "", BEGIN + span))
            tap.equal(lines(last("-f", path))[0].split()[-1], wanted, "%d s" % span)


@tap.case(deadline=120)
def lastb_shows_each_record_by_itself():
    with Files() as files:
        path = files.write("btmp", record("login", "ssh:notty", "root", BEGIN, host="192.0.2.1"), record("dead", "tty1", "x", BEGIN + 60))
        tap.equal(lines(last("-f", path, name="lastb")), [
            "x        tty1                          Tue Mar  5 08:01 - 08:01  (00:00)",
            "root     ssh:notty    192.0.2.1        Tue Mar  5 08:00 - 08:00  (00:00)"], "lastb")
        tap.equal(os.readlink(program("lastb")), "last", "the link")


@tap.case(deadline=120)
def what_cannot_be_sought_in_is_read_whole():
    with Files() as files:
        path = files.write("wtmp", *days_of_work(3))
        with open(path, "rb") as file:
            data = file.read()
        piped = last("-f", "/dev/stdin", stdin=data)
        tap.equal(lines(piped), lines(last("-f", path)), "through a pipe")
        tap.check(b"\nstdin begins " in piped.stdout, "the name")
        tap.equal(lines(last("-f", "/dev/stdin", stdin=b"")), [], "an empty pipe")


@tap.case(deadline=120)
def an_empty_file_begins_when_it_was_changed():
    with Files() as files:
        for content in (b"", b"x" * (SIZE - 1)):
            path = files.write("wtmp", content)
            wanted = time.strftime("%a %b %e %H:%M:%S %Y", time.gmtime(os.stat(path).st_ctime))
            done = last("-f", path)
            tap.equal((done.stdout.decode(), done.returncode), ("\nwtmp begins %s\n" % wanted, 0), "%d bytes" % len(content))


def in_private_log(command, *args):
    """Runs a command where /var/log is empty; unshare(1) makes it so."""
    script = "mount --make-rprivate / && mount -t tmpfs none /var/log && exec \"$@\""
    unshare = ["unshare", "-m"] + ([] if os.geteuid() == 0 else ["-r"])
    return run(unshare + ["sh", "-c", script, "sh", command, *args])


@tap.case(deadline=120)
def what_is_missing_or_wrong_is_said():
    for name, file in (("last", "wtmp"), ("lastb", "btmp")):
        done = in_private_log(program(name))
        tap.equal((done.stdout, done.stderr.decode(), done.returncode), (
            b"", "%s: /var/log/%s: No such file or directory\n"
            "Perhaps this file was removed by the operator to prevent logging %s info.\n" % (name, file, name), 1), name)
    done = last("-f", "/nonexistent")
    tap.equal((done.stderr, done.returncode), (b"last: /nonexistent: No such file or directory\n", 1), "a file that is named")
    done = last("-f", "/")
    tap.equal((done.stdout, done.stderr, done.returncode), (b"", b"last: /: Is a directory\n", 1), "a directory")
    for bad in (["-h"], ["-n", "x"], ["-n", "5x"], ["-t", "x"], ["-t", "2024030508000"], ["-t", "20240305080000x"], ["-t", "20240230080000"],
                ["-t", "20241305080000"], ["-f"], ["-Q"]):
        done = last(*bad)
        tap.equal((done.stdout, done.returncode), (b"", 1), "%r" % bad)
        tap.check(done.stderr.endswith(USAGE), "usage for %r: %r" % (bad, done.stderr))
    tap.equal(last("-t", "x").stderr, b'last: Invalid time value "x"\n' + USAGE, "-t x")
    tap.equal(last("-h", name="lastb").stderr.splitlines(True)[-1], USAGE.replace(b"last ", b"lastb "), "lastb -h")
    done = last("--help")
    tap.equal((done.stdout.splitlines(True)[0], done.stderr, done.returncode), (USAGE, b"", 0), "--help")
    done = last("--version")
    tap.check(done.stdout.startswith(b"last (sysvinit) ") and not done.returncode, "--version")


@tap.case(deadline=120)
def output_that_is_lost_is_said():
    with Files() as files:
        path = files.write("wtmp", *days_of_work(4, boots=30))
        for argv in (["-f", path], ["--help"], ["--version"]):
            with open("/dev/full", "wb") as full:
                done = last(*argv, stdout=full)
            tap.equal((done.stderr, done.returncode), (b"last: write error: No space left on device\n", 1), "%r" % argv)


def wait_until(holds, what, limit_s=60):
    end = time.monotonic() + limit_s
    while not holds():
        tap.check(time.monotonic() < end, what)
        time.sleep(0.01)


@tap.case(deadline=180)
def a_signal_is_answered_on_a_line_of_its_own():
    with Files() as files:
        path = files.write("wtmp", *days_of_work(5, boots=60, logins=100))
        whole = last("-f", path).stdout
        tap.check(len(whole) > 3 * 65536, "a list that no pipe holds")
        for number, goes_on in ((signal.SIGINT, False), (signal.SIGQUIT, True)):
            child = subprocess.Popen([program("last"), "-f", path], stdout=subprocess.PIPE, env=dict(os.environ, TZ="UTC"))
            room = fcntl.fcntl(child.stdout, fcntl.F_GETPIPE_SZ)

            def is_full():
                return struct.unpack("i", fcntl.ioctl(child.stdout, termios.FIONREAD, b"\0" * 4))[0] >= room
            wait_until(is_full, "the pipe to be full")
            child.send_signal(number)
            with open("/proc/%d/status" % child.pid) as status:
                tap.check("State" in status.read(), "the child lives")
            text, _ = child.communicate(timeout=60)
            said = [line for line in text.splitlines() if b"Interrupted" in line]
            tap.equal(len(said), 1, "answers")
            tap.check(re.fullmatch(rb"Interrupted \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}", said[0]), "the answer %r" % said[0])
            rest = text.replace(said[0] + b"\n", b"")
            tap.equal(child.returncode, 0 if goes_on else 1, "status")
            tap.check(rest == whole if goes_on else whole.startswith(rest) and len(rest) < len(whole), "whole lines around it")


RESOLVER = r"""
import fcntl, os, socket, struct, subprocess, sys, threading
last, path, folder = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 1 | 64))      # SIOCSIFFLAGS: up and running
for name, text in (("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n"), ("nsswitch.conf", "hosts: dns\n")):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)
    target = os.path.realpath("/etc/" + name)
    if not os.path.exists(target):
        print("no", target)
        sys.exit(77)
    subprocess.run(["mount", "--bind", os.path.join(folder, name), target], check=True)
s.bind(("127.0.0.1", 53))
asked = []
def serve():
    while True:
        query, client = s.recvfrom(4096)
        asked.append(query)
        name = b"\4host\7example\0"
        s.sendto(query[:2] + b"\x81\x80" + query[4:6] + b"\0\1\0\0\0\0" + query[12:query.index(b"\0", 12) + 5] +
                 b"\xc0\x0c\0\x0c\0\1\0\0\0\x3c" + struct.pack(">H", len(name)) + name, client)
threading.Thread(target=serve, daemon=True).start()
out = subprocess.run([last, "-d", "-f", path], stdout=subprocess.PIPE, check=True).stdout
print(len(asked), out.count(b"host.example"), out.count(b"written"))
"""


@tap.case(deadline=180)
def each_address_is_asked_for_once():
    with Files() as files:
        path = files.write("wtmp", *(record("user", "pts/1", "bob", BEGIN + n, host="written", address=bytes([192, 0, 2, 1]))
                                     for n in range(1000)), record("user", "pts/1", "eve", BEGIN + 2000, host="written"))
        unshare = ["unshare", "-n", "-m"] + ([] if os.geteuid() == 0 else ["-r"])
        done = run(unshare + [sys.executable, "-c", RESOLVER, program("last"), path, files.folder.name])
        tap.equal((done.stdout, done.stderr), (b"1 1000 1\n", b""), "questions, lines with the answer, and with what is written")


tap.main()
