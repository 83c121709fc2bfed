#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the suites, adds up what their TAP says, and fails if anything failed or an expected suite did not run.

    python3 tests/suites.py             all of them
    python3 tests/suites.py SUITE...    these; --list names them
    B=DIR                               where the build lies (default: build)

A suite is a set of programs that print TAP, each run on its own. One that prints no case, or whose plan is not what it ran, has
failed; so has a suite without a program. The stock binaries are fetched as packages into $B/stock, once.
"""
import concurrent.futures
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import fetch

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
B = os.environ.get("B", "build")
# What runs in the background of a script or under nohup is started with some of them ignored; the tests are about signals, too.
WITH_SIGNALS = ["env", "--default-signal=HUP,INT,QUIT"]
PROGRAM_DEADLINE_S = 1500
CASE = re.compile(r"^(not )?ok\b[ \d]*(?:- )?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)")
SKIP = re.compile(r"# *skip\b *(.*)", re.IGNORECASE)
JOBS = max(1, min(2, os.cpu_count() or 1))


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return "%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped)


def environment(**more):
    env = dict(os.environ, INIT_ROOT=os.path.abspath(os.path.join(B, "root")), B=os.path.abspath(B),
               STOCK_ROOT=os.path.abspath(os.path.join(B, "stock")), PEER_ROOT=os.path.abspath(os.path.join(B, "peer")), CMOCKA_MESSAGE_OUTPUT="TAP", LC_ALL="C.UTF-8")
    env.update(more)
    return env


def read_tap(text, status):
    """What a program's output amounts to, and the lines worth showing."""
    tally, show, planned = Tally(), [], None
    for line in text.splitlines():
        plan, case = PLAN.match(line), CASE.match(line)
        if plan:
            planned = int(plan.group(1)) + (planned or 0)
        elif case and SKIP.search(line):
            tally.skipped += 1
            show.append("  skipped: " + case.group(2))
        elif case and case.group(1):
            tally.failed += 1
            show.append("  FAILED: " + case.group(2))
        elif case:
            tally.passed += 1
        elif line.startswith("# note: "):
            show.append("  " + line[2:])
    ran = tally.passed + tally.failed + tally.skipped
    wrong = None
    if ran == 0:
        wrong = "ran no case"
    elif planned != ran:
        wrong = "planned %s cases and ran %d" % (planned, ran)
    elif status != 0 and not tally.failed:
        wrong = "ended with status %d" % status
    if wrong:
        tally.failed += 1
        show.append("  FAILED: " + wrong)
    return tally, show


def run_program(command, env):
    """Runs one program in a session of its own, which ends with it."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(WITH_SIGNALS + command, cwd=TOP, env=env, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = child.wait(PROGRAM_DEADLINE_S)
        except subprocess.TimeoutExpired:
            status = "deadline"
        if status == "deadline":
            os.killpg(child.pid, signal.SIGKILL)
            status = child.wait()
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    tally, show = read_tap(text, status)
    if tally.failed:
        show += ["    " + line for line in text.splitlines()[-150:]]
    return tally, show, time.monotonic() - started


def run_all(name, commands, jobs=1, **more):
    """Runs a suite's programs; prints a line for each and returns the sum."""
    total = Tally()
    if not commands:
        print("%s: FAILED: no program to run" % name)
        total.failed = 1
        return total
    env = environment(**more)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = [(command, pool.submit(run_program, command, env)) for command in commands]
        for command, future in running:
            tally, show, seconds = future.result()
            total.add(tally)
            title = next((part for part in command if "/" in part), command[0])
            print("%s: %s: %s (%.0f s)" % (name, os.path.relpath(os.path.join(TOP, title), TOP), tally, seconds))
            print("\n".join(show), end="\n" if show else "", flush=True)
    return total


def make(*args):
    """Runs make; its output is shown when it fails."""
    done = subprocess.run(["make", "-j%d" % JOBS, *args], cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    return done.returncode == 0, done.stdout


def build(name, *args):
    tally = Tally()
    good, output = make(*args)
    if good:
        tally.passed = 1
    else:
        tally.failed = 1
        print("\n".join(output.splitlines()[-60:]))
    print("build: %s: %s" % (name, tally), flush=True)
    return tally


def suite_downloads():
    """First and at once: the archive has to be there for this while only, not whenever a test comes to need a part of it."""
    tally = run_all("downloads", [["python3", HERE + "/downloads.py"]])
    if tally.failed:
        os.environ[fetch.AWAY] = "yes"
    return tally


def suite_build():
    total = Tally()
    strict = "WERROR=1"
    total.add(build("gcc, pid 1 static with musl", strict, "B=" + B, "all", "unit", "stage"))
    total.add(build("clang, pid 1 static with glibc", strict, "B=%s/clang" % B, "CC=clang", "PID1_CC=clang", "all", "unit"))
    total.add(build("gcc, pid 1 shared", strict, "B=%s/shared" % B, "PID1_CC=gcc", "PID1_LINK=shared", "all"))
    total.add(build("musl throughout", strict, "B=%s/musl" % B, "CC=musl-gcc", "all"))
    return total


def unit_programs(where):
    return [[path] for path in sorted(glob.glob(os.path.join(TOP, where, "unit", "*", "*")))
            if os.access(path, os.X_OK) and not path.endswith((".o", ".d", ".a"))]


def suite_unit():
    scripts = [["python3", path] for path in sorted(glob.glob(HERE + "/unit/*.py"))]
    scripts += [["sh", path] for path in sorted(glob.glob(HERE + "/unit/*.sh"))]
    total = build("unit tests", "B=" + B, "all", "unit")
    total.add(run_all("unit", unit_programs(B) + scripts, JOBS))
    return total


# A status that no program has; too much memory is refused, as by malloc; libraries that a test preloads come before the sanitizer's.
SAN_OPTIONS = {"ASAN_OPTIONS": "detect_leaks=0:exitcode=99:allocator_may_return_null=1:verify_asan_link_order=0",
               "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99"}


def sanitized(kind, where):
    total = build("sanitizers: " + kind, "B=%s/%s" % (B, where), "SAN=" + kind, "unit")
    total.add(run_all("unit under " + kind, unit_programs("%s/%s" % (B, where)), JOBS, **SAN_OPTIONS))
    return total


# The system tests that the sanitizers' build runs, too: those about an init's memory and state, and what reads texts of others. Not
# those about memory that is locked or wiped (init_image_disk, sulogin_secrets), which a sanitizer multiplies.
SANITIZED = ("init_reexec", "init_between_images", "init_faults", "init_upgrade", "init_torn_state", "init_inittab_lines", "init_requests", "telinit_channel",
             "fstab-decode_behaviour", "pidof_behaviour", "last_behaviour", "last_compare", "utmpdump_behaviour", "wall_reaches", "wall_says",
             "sulogin_consoles", "bootlogd_relays", "readbootlog_prints")


def suite_sanitizers():
    total = sanitized("address,undefined", "asan")
    total.add(build("sanitizers: the installed tree", "B=%s/asan" % B, "SAN=address,undefined", "stage", "faulty"))
    fetch_stock()
    total.add(run_all("system under address,undefined", [["python3", "%s/system/%s.py" % (HERE, name)] for name in SANITIZED], JOBS,
                      B=os.path.abspath(os.path.join(B, "asan")), INIT_ROOT=os.path.abspath(os.path.join(B, "asan/root")), **SAN_OPTIONS))
    total.add(run_all("stress under thread", tap_scripts("stress"), JOBS))
    return total


def suite_analysis():
    """What gcc, clang-tidy and cppcheck see without running anything."""
    return run_all("analysis", tap_scripts("analysis"), 1)


def suite_valgrind():
    """Not among those that run by default: ten minutes. Its point is what no sanitizer sees, memory that was never written."""
    total = build("unit tests", "B=" + B, "unit")
    programs = [path for program in unit_programs(B) for path in program]
    total.add(run_all("valgrind", [["python3", HERE + "/memcheck.py", *programs[n::JOBS]] for n in range(JOBS)], JOBS))
    return total


def suite_model():
    """All interleavings of the queue, in bounds."""
    return run_all("model", tap_scripts("model"), JOBS)


def suite_fuzz():
    total = build("fuzz targets", "B=" + B, "fuzz-replay")
    programs = [[path] for path in sorted(glob.glob(os.path.join(TOP, B, "fuzz", "*_replay"))) if os.access(path, os.X_OK)]
    total.add(run_all("fuzz", programs, JOBS))
    return total


def tap_scripts(folder):
    """The test files of a folder: those that end with tap.main()."""
    return [["python3", path] for path in sorted(glob.glob(os.path.join(HERE, folder, "*.py")))
            if re.search(r"^\s*tap\.main\(", open(path, encoding="utf-8").read(), re.MULTILINE)]


def fetch_stock():
    """What STOCK_ROOT and PEER_ROOT name."""
    for which in ("stock", "peer"):
        try:
            fetch.unpacked(which)
        except fetch.FetchError as error:
            print("%s binaries cannot be had: %s" % (which, error), flush=True)


def suite_system():
    total = build("the installed tree", "B=" + B, "stage", "faulty", B + "/pid1-line")
    fetch_stock()
    total.add(run_all("system", tap_scripts("system"), JOBS))
    return total


def suite_vm():
    total = build("the installed tree", "B=" + B, "stage", B + "/pid1-line")
    fetch_stock()
    total.add(run_all("vm", tap_scripts("vm"), JOBS))
    return total


def suite_packages():
    """Builds the Debian packages, looks at them, and installs them in a throw-away root."""
    return run_all("packages", tap_scripts("packages"), 1)


def suite_debian():
    """Boots a whole Debian from the packages, two machines at a time."""
    return run_all("debian", tap_scripts("debian"), JOBS)


def suite_bench():
    """Not among those that run by default: it takes long, and measures rather than judges."""
    build("the installed tree", "B=" + B, "stage")
    fetch_stock()
    return subprocess.run(["python3", HERE + "/bench/bench.py"], cwd=TOP, env=environment()).returncode


SUITES = {"downloads": suite_downloads, "build": suite_build, "unit": suite_unit, "analysis": suite_analysis, "sanitizers": suite_sanitizers,
          "model": suite_model, "fuzz": suite_fuzz, "system": suite_system, "vm": suite_vm, "packages": suite_packages, "debian": suite_debian}
# Not among those that run by default: it takes long.
ON_REQUEST = {"valgrind": suite_valgrind}


def main(arguments):
    if arguments == ["--list"]:
        print("\n".join(SUITES))
        return 0
    if arguments == ["bench"]:
        return suite_bench()
    known = {**SUITES, **ON_REQUEST}
    unknown = [name for name in arguments if name not in known]
    if unknown:
        print("unknown suite: " + " ".join(unknown), file=sys.stderr)
        return 2
    total = Tally()
    for name in arguments or SUITES:
        started = time.monotonic()
        try:
            tally = known[name]()
        except Exception as error:      # a suite that cannot run has failed; the others go on
            print("%s: FAILED: %r" % (name, error))
            tally = Tally()
            tally.failed = 1
        total.add(tally)
        print("== %s: %s (%.0f s)" % (name, tally, time.monotonic() - started), flush=True)
    print(total)
    return 1 if total.failed or not total.passed else 0


sys.exit(main(sys.argv[1:]))
