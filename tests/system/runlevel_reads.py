#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""runlevel(8) believes only what can be a level, waits for no lock, says when output is lost."""
import fcntl
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap

ROOT = os.environ.get("INIT_ROOT", "build/root")
STOCK = os.environ.get("STOCK_ROOT", "")
RUN_LVL, BOOT_TIME, USER_PROCESS = 1, 2, 7
# Where the C library has 64-bit times in utmp: the same list as in src/lib/utmpfile.h.
WIDE = os.uname().machine in ("aarch64", "alpha", "ia64", "s390x")
LAYOUT = "=h2xi32s4s32s256shh" + ("qqq" if WIDE else "iii") + "16s20s" + ("4x" if WIDE else "")
SIZE = struct.calcsize(LAYOUT)


def program(root=None):
    path = os.path.abspath(os.path.join(root or ROOT, "sbin/runlevel"))
    if not os.access(path, os.X_OK):
        raise tap.Failed(path + " cannot be executed: make stage, or set INIT_ROOT")
    return path


def record(kind, pid, user=b"runlevel", line=b"~", ident=b"~~"):
    return struct.pack(LAYOUT, kind, pid, line, ident, user, b"", 0, 0, 0, 1700000000, 0, b"", b"")


def level(present, previous):
    return record(RUN_LVL, ord(present) + 256 * (ord(previous) if previous else 0))


class Files:
    """A directory with a utmp file, and with a /run of its own for the fallback."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="runlevel_reads.")
        self.utmp = os.path.join(self.dir, "utmp")
        return self

    def __exit__(self, *_why):
        shutil.rmtree(self.dir)

    def write(self, *records):
        with open(self.utmp, "wb") as f:
            f.write(b"".join(records))


def in_private_run(argv, runlevel, utmp=None):
    """Runs argv in a mount namespace where /run and /var/run hold these files and nothing else."""
    script = """set -e
        mount --make-rprivate /
        mount -t tmpfs none /run
        [ /var/run/ -ef /run/ ] || mount --bind /run /var/run
        [ -z "$1" ] || cp "$1" /run/runlevel
        [ -z "$2" ] || cp "$2" /run/utmp
        shift 2
        exec "$@" """
    with tempfile.TemporaryDirectory(prefix="runlevel_reads.") as directory:
        paths = []
        for name, data in (("runlevel", runlevel), ("utmp", utmp)):
            path = ""
            if data is not None:
                path = os.path.join(directory, name)
                with open(path, "wb") as f:
                    f.write(data)
            paths.append(path)
        unshare = ["unshare", "-m"] + ([] if os.geteuid() == 0 else ["-r"])
        return execute(unshare + ["sh", "-c", script, "sh"] + paths + argv)


def execute(argv, **more):
    more.setdefault("stdout", subprocess.PIPE)
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60,
                          **more)


def run(*args, **more):
    return execute([program()] + list(args), **more)


# What the file holds; what is printed; the same as stock.
ROWS = [
    ("boot", [level("2", "N")], "N 2", True),
    ("after telinit 3", [level("3", "2")], "2 3", True),
    ("no previous level", [level("5", "")], "N 5", True),
    ("single user", [level("S", "S")], "S S", True),
    ("behind others", [record(BOOT_TIME, 0, b"reboot"), record(USER_PROCESS, 77), level("4", "N")],
     "N 4", True),
    ("the first counts", [level("2", "N"), level("3", "2")], "N 2", True),
    ("a partial record at the end", [level("2", "N"), level("3", "2")[:100]], "N 2", True),
    ("pid 0, as in a shutdown record", [record(RUN_LVL, 0), level("3", "2")], "2 3", False),
    ("pid -1", [record(RUN_LVL, -1), level("3", "2")], "2 3", False),
    ("a level that is none", [level("\x1b", "2"), level("7", "2")], "2 7", False),
    ("a previous level that is none", [level("3", "\n"), level("6", "2")], "2 6", False),
    ("more than two characters", [record(RUN_LVL, 65536 + ord("3") + 256 * ord("2")),
                                  level("0", "2")], "2 0", False),
    ("of a user that is not runlevel", [record(RUN_LVL, ord("3") + 256 * ord("2"), b"x")],
     "2 3", True),
]


@tap.case(deadline=120)
def every_row_of_records_is_printed_as_it_should():
    with Files() as files:
        for name, records, wanted, _ in ROWS:
            files.write(*records)
            done = run(files.utmp)
            tap.equal(done.stdout, wanted.encode() + b"\n", name)
            tap.equal((done.stderr, done.returncode), (b"", 0), name)


@tap.case(deadline=120)
def where_stock_is_right_we_print_the_same():
    if not STOCK:
        tap.skip("STOCK_ROOT is not set")
    with Files() as files:
        for name, records, _, same in ROWS:
            if not same:
                continue
            files.write(*records)
            theirs = execute([program(STOCK), files.utmp])
            ours = run(files.utmp)
            tap.equal((ours.stdout, ours.returncode), (theirs.stdout, theirs.returncode), name)


@tap.case(deadline=120)
def without_a_record_the_runlevel_file_counts():
    me = program()
    nothing = [record(BOOT_TIME, 0, b"reboot")]
    with Files() as files:
        for name, text, wanted, code in [
                ("a character", b"5", b"N 5\n", 0), ("with a newline", b"5\n", b"N 5\n", 0),
                ("S", b"S", b"N S\n", 0), ("empty", b"", b"unknown\n", 1),
                ("absent", None, b"unknown\n", 1),
                ("not a level", b"x", b"unknown\n", 1), ("a NUL", b"\0", b"unknown\n", 1),
                ("0xff", b"\xff", b"unknown\n", 1)]:
            for utmp in (None, b"", b"".join(nothing), level("2", "N")[:383]):
                done = in_private_run([me], text, utmp)
                what = "%s, utmp of %s bytes" % (name, None if utmp is None else len(utmp))
                tap.equal((done.stdout, done.stderr, done.returncode), (wanted, b"", code), what)
            files.write(*nothing)
            for argument in (files.utmp, files.dir, files.dir + "/absent", "--help", ""):
                done = in_private_run([me, argument], text)
                tap.equal((done.stdout, done.stderr, done.returncode), (wanted, b"", code),
                          "%s, %r" % (name, argument))


@tap.case(deadline=120)
def the_default_file_is_var_run_utmp_and_it_comes_before_the_runlevel_file():
    done = in_private_run([program()], b"5", level("3", "2"))
    tap.equal((done.stdout, done.returncode), (b"2 3\n", 0), "utmp and runlevel differ")


@tap.case()
def further_arguments_are_ignored_and_options_are_file_names():
    with Files() as files:
        files.write(level("3", "2"))
        tap.equal(run(files.utmp, "x", "--help").stdout, b"2 3\n", "two more arguments")
        os.rename(files.utmp, files.dir + "/-h")
        tap.equal(run("-h", cwd=files.dir).stdout, b"2 3\n", "a file named -h")
        os.symlink("-h", files.dir + "/link")
        tap.equal(run("link", cwd=files.dir).stdout, b"2 3\n", "a symbolic link")


@tap.case(deadline=60)
def a_lock_is_not_waited_for():
    for lock in (fcntl.LOCK_EX, fcntl.LOCK_SH):
        with Files() as files:
            files.write(record(BOOT_TIME, 0, b"reboot"), level("3", "2"))
            with open(files.utmp, "r+b") as held:
                fcntl.lockf(held, lock)
                before = time.monotonic()
                done = run(files.utmp)
                took = time.monotonic() - before
            tap.equal((done.stdout, done.returncode), (b"2 3\n", 0), "with a lock on the file")
            # The C library's wait is 10 s; ours is bounded by 0.3.
            tap.check(took < 5, "it took %.2f s" % took)


@tap.case(deadline=60)
def a_fifo_or_a_sparse_giant_does_not_hang_it():
    with Files() as files:
        os.mkfifo(files.utmp)
        done = in_private_run([program(), files.utmp], b"5")
        tap.equal((done.stdout, done.returncode), (b"N 5\n", 0), "a FIFO")
        os.unlink(files.utmp)
        with open(files.utmp, "wb") as f:
            f.truncate(10 << 30)
        done = in_private_run([program(), files.utmp], b"5")
        tap.equal((done.stdout, done.returncode), (b"N 5\n", 0), "10 GiB of nothing")


@tap.case()
def lost_output_is_an_error():
    with Files() as files:
        files.write(level("3", "2"))
        with open("/dev/full", "wb") as full:
            done = run(files.utmp, stdout=full)
        tap.equal(done.stderr, b"runlevel: write error: No space left on device\n", "/dev/full")
        tap.equal(done.returncode, 1, "/dev/full")
        done = execute(["sh", "-c", '"$0" "$1" >&-', program(), files.utmp])
        tap.equal(done.returncode, 1, "standard output closed")
        tap.check(done.stderr.startswith(b"runlevel: write error: "), "a message: %r" % done.stderr)


@tap.case(deadline=120)
def it_reads_while_others_rewrite_the_record():
    with Files() as files:
        # The eleventh record lies across a page boundary.
        before = record(BOOT_TIME, 0, b"reboot") * 10
        states = [before + level("3", "2"), before + level("4", "5")]
        files.write(states[0])
        pid = os.fork()
        if not pid:
            fd = os.open(files.utmp, os.O_RDWR)
            turn = 0
            while os.getppid() > 1:
                fcntl.lockf(fd, fcntl.LOCK_EX)
                os.pwrite(fd, states[turn % 2][10 * SIZE:], 10 * SIZE)
                fcntl.lockf(fd, fcntl.LOCK_UN)
                turn += 1
            os._exit(0)
        try:
            for _ in range(50):
                tap.check(run(files.utmp).stdout in (b"2 3\n", b"5 4\n"), "one state or the other")
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


tap.main()
