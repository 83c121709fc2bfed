#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What wall(1) makes of a text, to the byte: banner, words, lines of a file, what is shown of control characters, and
what syslog gets. Debian has no wall of sysvinit to compare with; where the specification calls what that does a
weakness, the case says so."""
import calendar
import os
import re
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine      # noqa: E402,F401  (finds tap)
import tap          # noqa: E402
from rows import is_sanitized                   # noqa: E402
from sinks import wait_for                      # noqa: E402
from terminals import Hall, run_on, unbooted    # noqa: E402

WALL = "/usr/bin/wall"
USAGE = "usage: wall [message]\n"
X = b"x"
DATE = rb"((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d \d{4})"


def banner(user="root", tty=""):
    return (rb"\r\nBroadcast message from " + re.escape(("%s@%s " % (user, os.uname().nodename)).encode() + tty.encode()) +
            rb"\(" + DATE + rb"\):\r\n\r\n")


REMOTE = rb"\r\nRemote broadcast message \(" + DATE + rb"\):\r\n\r\n"


def after_banner(found, expected=None):
    """-> the text that follows the banner, whose form is checked."""
    match = re.match(expected or banner(), found)
    tap.check(match, "a banner %r in %r" % (expected or banner(), found[:200]))
    return found[match.end():]


def said(hall, args=(), data=b"", err="", expected=None):
    """The text that the first terminal got, with a whole banner before it."""
    done = hall.run([WALL, *args], data=data)
    tap.equal(done, (0, "", err), "wall %r" % (args,))
    return after_banner(hall.terminals[0].output(), expected)


def cut_to(lines, size):
    return "wall: the message is too long, only its first %d lines (%d bytes) are sent\n" % (lines, size)


@tap.case()
def words_are_joined_and_are_no_file_names():
    with unbooted() as m, Hall(m, 1) as hall:
        tap.equal(said(hall, ["one"]), b"one\r\n", "one word")
        tap.equal(said(hall, ["one", "two  three", "four"]), b"one two  three four\r\n", "words")
        tap.equal(said(hall, ["/etc/passwd"]), b"/etc/passwd\r\n", "the name of a file")
        tap.equal(said(hall, ["--", "-n"]), b"-n\r\n", "a dash")
        tap.equal(said(hall, [""]), b"\r\n", "an empty word")
        tap.equal(said(hall, ["one"], b"not read"), b"one\r\n", "standard input beside words")


@tap.case(deadline=120)
def words_have_their_limits_and_a_cut_is_said():
    with unbooted() as m, Hall(m, 1) as hall:
        terminal = hall.terminals[0]
        tap.equal(said(hall, ["x" * 4090]), X * 4090 + b"\r\n", "4090 bytes")
        tap.equal(said(hall, ["x" * 4091], err=cut_to(1, 2)), b"\r\n", "4091 bytes")
        tap.equal(said(hall, ["x" * 4080, "y" * 9, "z"], err=cut_to(1, 4093)), X * 4080 + b" yyyyyyyyy \r\n", "three words")
        lines = "\n".join("line %d" % i for i in range(25))
        expected = "".join("line %d\n" % i for i in range(20)).encode()
        tap.equal(said(hall, [lines], err=cut_to(20, len(expected))), expected, "25 lines in a word")
        tap.equal(terminal.output(), b"", "nothing more")


@tap.case(deadline=120)
def lines_of_a_file_are_folded_without_an_empty_line():
    """The reference adds an empty line after one of just 79, and loses what follows a carriage return or NUL."""
    with unbooted() as m, Hall(m, 1) as hall:
        rows = [
            (b"", b""),
            (b"a\nb\n", b"a\r\nb\r\n"),
            (b"no newline", b"no newline\r\n"),
            (b"a\r\n\r\nb\r\n", b"a\r\n\r\nb\r\n"),
            (X * 79 + b"\nend\n", X * 79 + b"\r\nend\r\n"),
            (X * 80 + b"\nend\n", X * 79 + b"\r\nx\r\nend\r\n"),
            (X * 200 + b"\n", (X * 79 + b"\r\n") * 2 + X * 42 + b"\r\n"),
            (b"a\rb\0c\n", b"a^Mb^@c\r\n"),
            (X * 78 + "ä\n".encode(), X * 78 + b"\r\n" + "ä\r\n".encode()),
        ]
        for data, expected in rows:
            tap.equal(said(hall, data=data), expected, "standard input %r" % data)


@tap.case(deadline=120)
def of_a_file_twenty_lines_are_sent_and_a_cut_is_said():
    with unbooted() as m, Hall(m, 1) as hall:
        text = [b"line %d" % i for i in range(30)]
        expected = b"".join(line + b"\r\n" for line in text[:20])
        tap.equal(said(hall, data=b"\n".join(text[:20])), expected, "20 lines")
        tap.equal(said(hall, data=b"\n".join(text), err=cut_to(20, len(expected))), expected, "30 lines")
        tap.equal(said(hall, data=X * 5000, err=cut_to(20, 1620)), (X * 79 + b"\r\n") * 20, "5000 bytes")
        done = hall.run(["sh", "-c", "yes | wall"])
        tap.equal((done.status, done.out), (0, ""), "a file without end")


@tap.case()
def a_file_that_cannot_be_read_is_an_error():
    with unbooted() as m, Hall(m, 1) as hall:
        done = m.run(["sh", "-c", "exec wall <&-"])
        tap.equal(done, (1, "", "wall: standard input: Bad file descriptor\n"), "closed")
        done = m.run(["sh", "-c", "exec wall </etc"])
        tap.equal(done, (1, "", "wall: standard input: Is a directory\n"), "a directory")
        tap.check(hall.is_over("wall"), "nobody delivers")
        tap.equal(hall.terminals[0].output(), b"", "nothing is sent")


@tap.case()
def utf8_stays_and_nothing_steers_a_terminal():
    """The reference damages UTF-8 and lets DEL and bare carriage returns pass."""
    with unbooted() as m, Hall(m, 1) as hall:
        text = "À ß € 😀 ñ\t"
        tap.equal(said(hall, [text]), text.encode() + b"\r\n", "UTF-8 as words")
        tap.equal(said(hall, data=text.encode()), text.encode() + b"\r\n", "UTF-8 as a file")
        bad = b"\x01\x1b[2J\x07\x7f\x80\x9b\xc2\x9b31m\xff"
        tap.equal(said(hall, data=bad), b"^A^[[2J^G^?^@^[^[31m^_\r\n", "control characters")
        tap.equal(said(hall, [os.fsdecode(bad)]), b"^A^[[2J^G^?^@^[^[31m^_\r\n", "as a word")
        tap.equal(said(hall, ["a\u202eb"]), b"a?b\r\n", "a turned direction")


@tap.case()
def a_text_can_fake_no_sender():
    """The reference lets a bare carriage return go back over its banner."""
    with unbooted() as m, Hall(m, 1) as hall:
        fake = "Broadcast message from root@host (console) (Mon Nov 23 14:29:40 2026):"
        tap.equal(said(hall, ["x\r" + fake]), b"x^M> " + fake.encode() + b"\r\n", "over the line")
        tap.equal(said(hall, data=b"x\r\n\r\n" + fake.encode() + b"\r\n\r\ny\n"),
                  b"x\r\n\r\n> " + fake.encode() + b"\r\n\r\ny\r\n", "as a banner of its own")


def timezone(offset_s):
    """tzfile(5), of one zone without changes."""
    def block(head):
        return head + struct.pack(">15x6l", 0, 0, 0, 0, 1, 4) + struct.pack(">lBB", offset_s, 0, 0) + b"XXX\0"
    return block(b"TZif2") + block(b"TZif2") + b"\nXXX%+d\n" % (-offset_s // 3600)


@tap.case()
def the_banner_has_the_systems_time_and_the_senders_terminal():
    with unbooted() as m, Hall(m, 2) as hall:
        m.call(lambda: os.path.lexists("/etc/localtime") and os.unlink("/etc/localtime"))
        m.write("/etc/localtime", timezone(5 * 3600))
        for env in ({}, {"TZ": "UTC"}, {"TZ": "Asia/Tokyo"}, {"TZ": ":/etc/passwd"}):
            begin = int(time.time())
            done = run_on(m, hall.terminals[1], [WALL, "text"], env=dict(env))
            tap.equal(done, (0, "", ""), "wall with %r" % env)
            wait_for(lambda: hall.is_over("wall"), "wall to end")
            found = hall.terminals[0].output()
            expected = banner(tty="(%s) " % hall.terminals[1].line)
            tap.equal(after_banner(found, expected), b"text\r\n", "the text with %r" % env)
            stamp = re.match(expected, found).group(1).decode()
            when = calendar.timegm(time.strptime(stamp, "%a %b %d %H:%M:%S %Y")) - 5 * 3600
            tap.check(begin <= when <= int(time.time()), "%s is now, five hours east of UTC" % stamp)
            tap.equal(time.strftime("%a %b %e %H:%M:%S %Y", time.gmtime(when + 5 * 3600)), stamp, "the form of the date")


@tap.case()
def the_sender_is_who_the_real_user_is():
    with unbooted() as m, Hall(m, 1) as hall:
        hall.terminals[0].give(0, 5, 0o622)
        m.append("/etc/passwd", "walter:x:4321:4321::/:/bin/sh\n:x:4322:4322::/:/bin/sh\n")
        m.append("/etc/passwd", "0123456789abcdefghijklmnopqrstuvwxyz:x:4323:4323::/:/bin/sh\n")
        for uid, name in ((4321, "walter"), (4323, "0123456789abcdefghijklmnopqrstu")):
            done = hall.run([WALL, "text"], uid=uid)
            tap.equal(done, (0, "", ""), "wall of user %d" % uid)
            tap.equal(after_banner(hall.terminals[0].output(), banner(name)), b"text\r\n", name)
        done = hall.run([WALL, "text"], uid=54321)
        tap.equal(done, (1, "", "You don't exist. Go away.\n"), "a user without a name")
        tap.equal(hall.terminals[0].output(), b"", "nothing from nobody")


def remote_messages_are_for_the_privileged_of_a_set_group_id_wall():
    with unbooted() as m, Hall(m, 1) as hall:
        terminal = hall.terminals[0]
        m.append("/etc/passwd", "walter:x:4321:4321::/:/bin/sh\n")
        terminal.give(0, 5, 0o622)
        tap.equal(said(hall, ["-n", "text"], expected=REMOTE), b"text\r\n", "of root")
        tap.equal(hall.run([WALL, "-n", "text"], uid=4321), (0, "", ""), "of a user, without privileges")
        tap.equal(after_banner(terminal.output(), REMOTE), b"text\r\n", "of a user, without privileges")
        m.call(lambda: (os.chown(WALL, 0, 5), os.chmod(WALL, 0o2755)))
        tap.equal(hall.run([WALL, "-n", "text"], uid=4321), (1, "", "wall -n: not privileged\n"), "of a user")
        tap.equal(terminal.output(), b"", "nothing is sent")
        tap.equal(said(hall, ["-n", "text"], expected=REMOTE), b"text\r\n", "of root, set-group-ID")


# The address sanitizer's library finds no options in a set-group-ID program: it looks for leaks there, and may not.
if not is_sanitized("ours"):
    tap.case()(remote_messages_are_for_the_privileged_of_a_set_group_id_wall)


@tap.case()
def wrong_options_send_nothing_and_help_and_version_are_there():
    with unbooted() as m, Hall(m, 1) as hall:
        for args in (["-x", "text"], ["-h"], ["--nonsense"], ["text", "-g", "x"]):
            done = hall.run([WALL, *args])
            tap.equal((done.status, done.out), (1, ""), repr(args))
            tap.check(re.fullmatch(r"/usr/bin/wall: [^\n]+\n" + re.escape(USAGE), done.err), "usage: %r" % done.err)
        tap.equal(hall.run([WALL, "--help"]), (0, USAGE, ""), "--help")
        done = hall.run([WALL, "--version"])
        tap.check(done.status == 0 and re.fullmatch(r"wall \(sysvinit\) \S+\n", done.out), "--version: %r" % (done,))
        done = hall.run(["sh", "-c", "exec wall --help >/dev/full"])
        tap.equal(done, (1, "", "wall: write error: No space left on device\n"), "/dev/full")
        tap.equal(hall.terminals[0].output(), b"", "nothing is sent")


@tap.case(deadline=90)
def syslog_gets_a_line_and_is_not_waited_for():
    """With the reference the twelfth message of a user hangs behind a stopped syslogd."""
    with unbooted() as m, Hall(m, 1) as hall:
        m.syslog.start()
        said(hall, ["one\n", "two"])
        said(hall, data=b"a\nb\nc\n")
        wait_for(lambda: len(m.syslog.lines()) >= 2, "two lines")
        lines = m.syslog.lines()
        tap.equal([(line.priority, line.ident, line.text) for line in lines],
                  [(14, "wall", "wall: user root broadcasted 2 lines (10 chars)"),
                   (14, "wall", "wall: user root broadcasted 3 lines (9 chars)")], "what syslog has")
        tap.check(all(line.pid for line in lines), "each with its pid")
        m.syslog.stop()
        for _ in range(30):
            tap.equal(said(hall, ["text"]), b"text\r\n", "with syslogd stopped")
        m.syslog.go_on()
        m.syslog.end()
        tap.equal(said(hall, ["text"]), b"text\r\n", "without syslogd")


tap.main()
