#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""logsave: nothing of what a program says is lost, and nothing holds it up. Side by side with that of e2fsprogs."""
import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap      # noqa: E402

OURS = os.path.abspath(os.path.join(os.environ.get("INIT_ROOT", "build/root"), "sbin/logsave"))
OTHER = "/usr/sbin/logsave"
DATE = re.compile(rb"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}")
FOR_EVER = 300      # seconds; whoever takes so long hangs


def wait_for(condition, what, deadline=60):
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise tap.Failed("waited for " + what)
        time.sleep(0.02)


class Place:
    """A directory, and what is logged to "log" in it."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="logsave.")
        self.log = self.dir + "/log"
        return self

    def __exit__(self, *_):
        subprocess.run(["rm", "-rf", self.dir], check=True)

    def run(self, *argv, path=OURS, data=b"", **more):
        more.setdefault("stdout", subprocess.PIPE)
        done = subprocess.run([path, *argv], input=data, stderr=subprocess.PIPE, cwd=self.dir, timeout=FOR_EVER, **more)
        return done.returncode, done.stdout, done.stderr

    def text(self, name="log"):
        with open(os.path.join(self.dir, name), "rb") as file:
            return file.read()

    def body(self):
        """What lies between header and trailer."""
        found = re.fullmatch(rb"Log of [^\n]*\n" + DATE.pattern + rb"\n\n(.*)\n" + DATE.pattern + rb"\n-{16}\n", self.text(), re.DOTALL)
        tap.check(found, "header and trailer are there: %r" % self.text()[-300:])
        return found.group(1)


def masked(text):
    return DATE.sub(b"DATE", text)


ROWS = [
    ["log", "echo", "one", "two"], ["log", "sh", "-c", "echo out; exit 3"], ["log", "sh", "-c", "echo err >&2"], ["log", "nonexistent-x"],
    ["-v", "log", "echo", "one"], ["-a", "log", "echo", "more"], ["log", "true"], ["log", "sh", "-c", "printf 'no newline'"],
    ["log", "echo", "-a"], ["-s", "log", "sh", "-c", "printf 'a\\001b\\002c\\n'"], ["log", "-"], ["-sv", "log", "-"],
]


@tap.case(deadline=120)
def healthy_runs_are_as_those_of_e2fsprogs():
    if not os.path.exists(OTHER) or b"sysvinit" in subprocess.run([OTHER, "--version"], stdout=subprocess.PIPE,
                                                                  stderr=subprocess.DEVNULL, cwd="/tmp").stdout:
        tap.skip("no other logsave here")
    for argv in ROWS:
        found = {}
        for path in (OURS, OTHER):
            with Place() as place:
                with open(place.log, "w") as file:
                    file.write("before\n")
                status, out, err = place.run(*argv, path=path, data=b"a\1b\2c\n")
                found[path] = status, masked(out), err, masked(place.text())
        tap.equal(found[OURS], found[OTHER], "logsave %s" % argv)


@tap.case(deadline=120)
def every_byte_is_there_to_the_last():
    script = "head -c 1000000 /dev/zero | tr '\\0' x; printf END"
    with Place() as place:
        for _ in range(25):
            status, out, _ = place.run("log", "sh", "-c", script)
            tap.equal((status, len(out), out[-3:]), (0, 1000003, b"END"), "on standard output")
            body = place.body()
            tap.equal((len(body), body[-3:]), (1000003, b"END"), "in the log")


@tap.case(deadline=120)
def one_who_stays_behind_does_not_hold_it_up():
    with Place() as place:
        status, out, _ = place.run("log", "sh", "-c", "sleep %d & echo $!" % (2 * FOR_EVER))
        os.kill(int(out), signal.SIGKILL)       # fails if the sleeper was waited for
        tap.equal((status, place.body()), (0, out), "the log")


@tap.case(deadline=120)
def what_one_who_stays_behind_says_at_once_is_there():
    """Soon, that is: it is waited for as long as there was something in the last second, and that can be too little here."""
    def has_all():
        with Place() as place:
            place.run("log", "sh", "-c", "(sleep 0.2; echo late) & echo early")
            return place.body() == b"early\nlate\n"
    wait_for(has_all, "a log with both lines", 90)


@tap.case(deadline=120)
def a_program_without_outputs_costs_nothing_while_it_runs():
    with Place() as place:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        tap.equal(place.run("log", "sh", "-c", "exec >&- 2>&-; sleep 2; exit 4")[0], 4, "status")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        tap.check(spent < 1, "two seconds of waiting took %.2f s of processor" % spent)


@tap.case()
def the_status_is_known_where_ends_are_ignored():
    with Place() as place:
        status, _, _ = place.run("log", "sh", "-c", "exit 5", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        tap.equal(status, 5, "with SIGCHLD ignored")
        status, out, _ = place.run("log", "sh", "-c", "kill -9 $$")
        tap.equal((status, out), (1, b"sh died with signal 9\n"), "killed")


@tap.case()
def a_reader_that_leaves_does_not_end_it():
    with Place() as place:
        end, start = os.pipe()
        os.close(end)
        status, _, _ = place.run("-v", "log", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.05; done; exit 2", stdout=start)
        os.close(start)
        tap.equal((status, place.body()), (2, b"1\n2\n3\nsh exited with status code 2\n"), "status and log")
        status, _, _ = place.run("log", "sh", "-c", "trap '' TERM; kill -PIPE $$; echo alive", stdout=subprocess.DEVNULL)
        tap.equal(status, 1, "the program itself has SIGPIPE as usual")


@tap.case(deadline=120)
def a_console_that_takes_nothing_does_not_hold_it_up():
    with Place() as place:
        end, start = os.pipe()
        os.set_blocking(start, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(start, b"x" * 4096)
        tap.equal(place.run("log", "echo", "text", stdout=start)[0], 0, "status")
        tap.equal(place.body(), b"text\n", "the log")
        os.close(end)
        os.close(start)


@tap.case()
def marked_parts_are_left_out_and_nothing_else():
    with Place() as place:
        place.run("-s", "log", "-", data=b"A\1" + b"x" * 70000 + b"\2TAIL")
        tap.equal(place.body(), b"ATAIL", "a long span")
        data = bytes(i % 251 if i % 251 not in (1, 2) else 0 for i in range(100000))
        status, out, _ = place.run("-s", "log", "-", data=data)
        tap.equal((status, out == data, place.body() == data), (0, True, True), "bytes of all kinds")
        place.run("-s", "log", "sh", "-c", "printf 'A\\001'; for i in 1 2 3 4 5 6 7; do printf x; sleep 0.02; done; printf '\\002TAIL'")
        tap.equal(place.body(), b"ATAIL", "in many pieces")


@tap.case()
def without_a_standard_input_the_log_is_no_ones_input():
    with Place() as place:
        status, _, _ = place.run("log", "sh", "-c", "cat; ls -l /proc/self/fd | grep -c %s" % place.log,
                                 preexec_fn=lambda: os.close(0))
        tap.equal((status, place.body()), (1, b"0\nsh exited with status code 1\n"), "input and descriptors of the program")


@tap.case()
def signals_are_passed_on():
    with Place() as place:
        process = subprocess.Popen([OURS, place.log, "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"],
                                   stdout=subprocess.PIPE)
        tap.equal(process.stdout.readline(), b"ready\n", "it runs")
        process.send_signal(signal.SIGTERM)
        tap.equal(process.wait(FOR_EVER), 9, "status")
        process.stdout.close()
        tap.equal(place.body(), b"ready\nsh exited with status code 9\n", "the log")


def saver_of(log):
    """Processes in the background that are to write this file."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open("/proc/%s/cmdline" % name, "rb") as file:
                words = file.read().split(b"\0")
            if words[0].endswith(b"logsave") and log.encode() in words:
                found.append(int(name))
    return found


@tap.case(deadline=180)
def what_cannot_be_saved_yet_is_saved_later():
    with Place() as place:
        log = place.dir + "/later/log"
        status, out, err = place.run("-v", log, "sh", "-c", "echo text; exit 6")
        tap.equal((status, out.splitlines()[-1], err), (6, b"Backgrounding to save %s later" % log.encode(), b""), "in the foreground")
        savers = saver_of(log)
        tap.equal(len(savers), 1, "processes in the background")
        wait_for(lambda: os.readlink("/proc/%d/cwd" % savers[0]) == "/", "it to leave the directory")
        wait_for(lambda: all(os.readlink("/proc/%d/fd/%s" % (savers[0], n)) == "/dev/null" for n in "012"), "it to leave the console")
        os.mkdir(place.dir + "/later")
        wait_for(lambda: not saver_of(log), "it to end")
        later = masked(place.text("later/log"))
        place.run("-v", place.log, "sh", "-c", "echo text; exit 6")
        tap.equal(later, masked(place.text()), "what is in the file")


@tap.case(deadline=120)
def the_one_in_the_background_can_be_ended():
    with Place() as place:
        log = place.dir + "/never/log"
        place.run(log, "echo", "text")
        savers = saver_of(log)
        tap.equal(len(savers), 1, "processes in the background")
        os.kill(savers[0], signal.SIGTERM)
        wait_for(lambda: not saver_of(log), "it to end")


@tap.case(deadline=120)
def a_file_that_appears_while_the_program_runs_is_used():
    with Place() as place:
        log = place.dir + "/soon/log"
        script = "echo early; mkdir soon; sleep 1.5; echo late"
        tap.equal(place.run(log, "sh", "-c", script)[:2], (0, b"early\nlate\n"), "run")
        tap.equal(saver_of(log), [], "nobody in the background")
        tap.check(b"early\nlate\n" in place.text("soon/log"), "the log")


@tap.case()
def a_full_disk_is_said_and_the_status_stays():
    with Place() as place:
        status, out, err = place.run("/dev/full", "sh", "-c", "echo text; exit 3")
        tap.equal((status, err), (3, b"logsave: /dev/full: No space left on device\n"), "status and complaint")
        tap.equal(out, b"text\nsh exited with status code 3\n", "standard output")


@tap.case()
def mistakes_have_a_usage_and_make_no_file():
    with Place() as place:
        usage = ("Usage: %s [-asv] logfile program\n" % OURS).encode()
        for argv in ([], ["log"], ["-a"]):
            tap.equal(place.run(*argv), (1, usage, b""), "logsave %s" % argv)
        status, out, err = place.run("-Q", "log", "true")
        tap.check(status == 1 and not out and err.endswith(usage), "a bad option: %r" % ((status, out, err),))
        tap.equal(os.listdir(place.dir), [], "files")
        tap.equal(place.run("--help"), (0, usage, b""), "--help")
        tap.check(place.run("--version")[1].startswith(b"logsave (sysvinit) "), "--version")


@tap.case()
def what_cannot_be_run_is_said_in_the_log():
    with Place() as place:
        status, out, _ = place.run("log", "/nonexistent")
        tap.equal((status, out), (1, b"/nonexistent: No such file or directory\n/nonexistent exited with status code 1\n"), "run")
        tap.equal(place.body(), out, "the log")


tap.main()
