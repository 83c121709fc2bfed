#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""readbootlog(1) prints a log as the screen had it, says by its exit status when it could not, and follows."""
import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

ROOT = os.environ.get("INIT_ROOT", "build/root")
STOCK = os.environ.get("STOCK_ROOT", "")
SUBJECT = STOCK if os.environ.get("STOCK") == "1" else ROOT
PROGRAM = os.path.abspath(os.path.join(SUBJECT, "usr/bin/readbootlog"))
SAMPLE = b"[....] Starting x: y??7[ ok 8??.\n"
STAMP = b"Mon Nov 23 14:35:01 2026: "
DEADLINE_S = 60


@contextlib.contextmanager
def log_of(data):
    with tempfile.TemporaryDirectory(prefix="readbootlog.") as folder:
        path = os.path.join(folder, "log")
        with open(path, "wb") as file:
            file.write(data)
        yield path


def run(*args, stdout=subprocess.PIPE, program=None):
    return subprocess.run([program or PROGRAM, *args], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                          timeout=DEADLINE_S, check=False)


def printed(data):
    with log_of(data) as path:
        done = run("-f", path)
    tap.equal((done.returncode, done.stderr), (0, b""), "status and standard error")
    return done.stdout


@tap.case()
def text_comes_out_as_it_is():
    text = b"plain\n\n  2^10 done: 18?? left .\n" + "\u00e4\u20ac\tx\n".encode() + b"no line feed at the end"
    tap.equal(printed(text), text, "output")


@tap.case()
def a_line_is_as_the_screen_had_it():
    debian = (STAMP + b"[....] Starting x: y\x1b[?25l\x1b7\x1b[1G[\x1b[32m ok \x1b[39;49m\x1b8\x1b[?25h.\r\n")
    tap.equal(printed(debian), STAMP + b"[ ok ] Starting x: y.\n", "a status message")
    tap.equal(printed(STAMP + b"10%\r20%\r100%\r\n"), STAMP + b"100%\n", "a progress line")


@tap.case()
def what_stock_leaves_of_a_status_message_comes_out_as_with_stock():
    tap.equal(printed(SAMPLE), b"[....] Starting x: y [ ok ].\n", "output")
    with log_of(SAMPLE) as path:
        tap.equal(run("-f", path, program=stock()).stdout, printed(SAMPLE), "stock's and ours")


@tap.case()
def nothing_that_steers_a_terminal_is_left():
    found = printed(bytes(range(256)) + b"\n\x1b]0;evil\x07\xc2\x9b31mx\n" + bytes(range(255, -1, -1)))
    tap.check(all(byte >= 0x20 or byte in b"\t\n" for byte in found), "no control byte in %r" % found)
    tap.check(0x7f not in found and b"\xc2\x9b" not in found, "none of the others in %r" % found)


@tap.case()
def an_empty_line_is_one_also_at_the_beginning():
    """With the sanitizers' build: nothing is copied to nowhere."""
    for text in (b"\n", b"\n\nx\n", b""):
        tap.equal(printed(text), text, "output of %r" % text)


@tap.case()
def a_line_of_a_million_bytes_is_one_line():
    text = STAMP + b"x" * (1 << 20) + b"??7[ ok 8??.\nnext\n"
    tap.equal(printed(text) == STAMP + b"x" * (1 << 20) + b" [ ok ].\nnext\n", True, "it comes out whole")


@tap.case()
def errors_are_told_by_the_status():
    with log_of(b"text\n") as path:
        folder = os.path.dirname(path)
        missing = run("-f", path + ".not")
        tap.equal((missing.returncode, missing.stdout), (1, b""), "a missing file")
        tap.check(b"Unable to open file " + (path + ".not").encode() in missing.stderr, repr(missing.stderr))
        directory = run("-f", folder)
        tap.equal(directory.returncode, 1, "a folder")
        tap.check(folder.encode() in directory.stderr, repr(directory.stderr))
        with open("/dev/full", "wb") as full:
            done = run("-f", path, stdout=full)
        tap.equal(done.returncode, 1, "a full disk")
        tap.check(b"write error" in done.stderr, repr(done.stderr))
        closed = subprocess.run(["sh", "-c", '"$0" -f "$1" >&-', PROGRAM, path], stderr=subprocess.PIPE, timeout=DEADLINE_S)
        tap.equal(closed.returncode, 1, "a closed standard output")
        wrong = run("-x")
        tap.equal((wrong.returncode, wrong.stdout), (1, b""), "a wrong option")
        tap.check(b"Usage" in wrong.stderr, repr(wrong.stderr))


@tap.case()
def help_and_version_are_printed():
    done = run("-h")
    tap.equal((done.returncode, done.stderr), (0, b""), "-h")
    tap.check(b"Usage" in done.stdout and b"-f logfile" in done.stdout, repr(done.stdout))
    done = run("--version")
    tap.equal(done.returncode, 0, "--version")
    tap.check(done.stdout.startswith(b"readbootlog "), repr(done.stdout))


class Follower:
    def __init__(self, path, *args):
        self.process = subprocess.Popen([PROGRAM, *args, "-f", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_why):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def expect(self, data):
        """The next bytes that it prints are these."""
        found, end = b"", time.monotonic() + DEADLINE_S
        while len(found) < len(data):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise tap.Failed("waited for %r, found %r" % (data, found))
            chunk = os.read(self.process.stdout.fileno(), len(data) - len(found))
            tap.check(chunk, "it goes on, behind %r" % found)
            found += chunk
        tap.equal(found, data, "what it prints")


def append(path, data):
    with open(path, "ab") as file:
        file.write(data)


@tap.case(deadline=300)
def it_follows_what_is_added_a_rotation_and_a_truncation():
    with log_of(b"one\n") as path, Follower(path, "-F") as follower:
        follower.expect(b"one\n")
        append(path, b"tw")
        append(path, b"o\x1b[m\n")
        follower.expect(b"two\n")
        os.rename(path, path + ".0")
        append(path + ".0", b"last of the old\n")
        append(path, b"first of the new\n")
        follower.expect(b"last of the old\nfirst of the new\n")
        os.truncate(path, 0)
        append(path, b"anew\n")
        follower.expect(b"anew\n")
        tap.check(follower.process.poll() is None, "it goes on")


@tap.case(deadline=120)
def it_stops_following_when_nobody_reads():
    with log_of(b"one\n") as path, Follower(path, "--follow") as follower:
        follower.expect(b"one\n")
        follower.process.stdout.close()
        tap.equal(follower.process.wait(DEADLINE_S), 0, "its status, though nothing was added")


@tap.case(deadline=120)
def a_last_option_f_without_a_file_follows_the_default():
    child = subprocess.Popen([PROGRAM, "-f"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        if os.path.exists("/var/log/boot"):
            tap.skip("this machine has a /var/log/boot")
        tap.equal(child.wait(DEADLINE_S), 1, "status without a log")
        tap.check(b"Unable to open file /var/log/boot" in child.stderr.read(), "it looked for the default")
    finally:
        child.kill()
        child.wait()


# --- the weak spots of stock's, by their numbers: what either prints ---

LONG = b"x" * 253 + b"??7[ ok 8??.\n"       # stock reads 255 bytes of a line at a time
PRINTED = [
    ("RB1", "an escape sequence", b"\x1b[31mred\n", b"red\n", b"\x1b[31mred\n"),
    ("RB2", "a caret in a text", b"2^10 done\n", b"2^10 done\n", b"2 done\n"),
    ("RB3", "a long line", LONG, b"x" * 253 + b" [ ok ].\n", b"x" * 253 + b"??7[ ok ].\n"),
    ("RB5", "question marks in a text", b"18?? left\n", b"18?? left\n", b"1] left\n"),
]


def stock():
    program = STOCK + "/usr/bin/readbootlog"
    if not os.path.exists(program):
        tap.skip("no stock readbootlog in STOCK_ROOT")
    return program


def _row(data, ours, stocks):
    def case():
        with log_of(data) as path:
            tap.equal(run("-f", path).stdout, ours, "ours")
            tap.equal(run("-f", path, program=stock()).stdout, stocks, "stock's")
    return case


for _spot, _what, _data, _ours, _stocks in PRINTED:
    tap.add("%s: %s: ours and stock" % (_spot, _what), _row(_data, _ours, _stocks))


@tap.case(name="RB4, RB6: errors: stock has no status for them, and tells some to a pipe")
def stock_tells_no_error():
    with log_of(b"text\n") as path:
        tap.equal(run("-f", os.path.dirname(path), program=stock()).returncode, 0, "a folder")
        with open("/dev/full", "wb") as full:
            tap.equal(run("-f", path, stdout=full, program=stock()).returncode, 0, "a full disk")
    tap.check(b"Usage" in run("-x", program=stock()).stdout, "the usage is in what others read")


tap.main()
