# SPDX-License-Identifier: GPL-2.0-or-later
"""What must hold in every row of the fault table.

    with Row() as row:          # a machine in level 2, pid 1 watched from its first moment on
        row.m.syslog.stop()     # the fault
        row.log(200)            # 200 numbered lines for console and syslog: bad inittab lines
        row.holds()             # orphans, telinit 3, telinit q, respawn; then again under strace
        row.m.syslog.go_on()    # the end of the fault
        row.delivered(row.m.syslog.texts)   # each line once, in order, or counted where missing
    # leaving it judges where pid 1 slept

With STOCK=1 the subject is the stock init, which sleeps in select and calls whatever it likes:
only what a fault does to it is judged then, which shows that these tests can fail.
"""
import os
import re

from machine import (CMD_RUNLVL, CMD_SETENV, request_bytes, sinks, subject, tap,    # noqa: F401
                     tree_of, wait_for)
from scene import Scene

INITTAB = """# level 2 and 3 differ in their rc; the getty runs in both
id:2:initdefault:
si::sysinit:/tmp/mark sysinit
l2:2:wait:/tmp/mark rc
l3:3:wait:/tmp/mark rc
g1:2345:respawn:/tmp/getty g1
"""

# What pid 1 may ask of the kernel while it serves. Absent, among others: poll, select and sleep in
# all their forms, connect, send, ioctl, fsync, flock.
ALLOWED = set("""
    epoll_wait epoll_pwait epoll_pwait2 epoll_ctl restart_syscall
    read write close openat open fcntl pipe pipe2 dup dup2 dup3 lseek pread64 recvmsg socketpair
    newfstatat fstat stat lstat statx access faccessat faccessat2 readlink readlinkat
    unlink unlinkat mknod mknodat rename renameat renameat2 ftruncate truncate
    inotify_add_watch inotify_rm_watch
    wait4 waitid kill tgkill pidfd_open pidfd_send_signal clone clone3 fork
    getpid getppid gettid getpgid getsid prctl umask uname getrandom sched_yield
    rt_sigprocmask rt_sigaction rt_sigreturn
    timerfd_settime timerfd_gettime clock_gettime gettimeofday time
    futex mmap munmap mprotect madvise brk mlock munlock memfd_create set_robust_list rseq
""".split())
# Calls that wait unless they are told not to.
NEVER_WAITING = {"wait4": "WNOHANG", "waitid": "WNOHANG", "futex": "FUTEX_WAKE",
                 "recvmsg": "MSG_DONTWAIT",
                 "openat": "O_NONBLOCK|O_PATH", "open": "O_NONBLOCK|O_PATH"}
PROMPT_S = 1.0
BATCH = 49
NUMBERED = re.compile(r"/etc/inittab\[\d+\]: line(\d+): unknown action field")
LOST = re.compile(r"(\d+) messages? lost")


def level_records(records):
    return [(chr(r.pid & 255), chr(r.pid >> 8)) for r in records if r.type == sinks.RUN_LVL]


def pids_of(records, kind, ident):
    return [r.pid for r in records if r.type == kind and r.id == ident]


def number_of(text):
    found = NUMBERED.fullmatch(text)
    return int(found.group(1)) if found else None


def is_sanitized(which):
    with open(os.path.join(tree_of(which), "sbin/init"), "rb") as file:
        return b"__asan_init" in file.read()


class Row(Scene):
    patience_s = 30         # for what must come at all, whatever the machine's load

    def __init__(self, inittab=INITTAB, level="2", **options):
        super().__init__(inittab, **options)
        self.level = level
        self.numbered = 0
        self.batches = []       # the first number of each
        self.questions = 0
        # A sanitizer's memory makes each fork sleep in the kernel, and it calls what it likes.
        self.strict = self.which != "stock" and not is_sanitized(self.which)

    def began(self, exits):
        self.watch = exits.enter_context(self.m.watch())
        self.arrives(self.level)
        self.wait_getty("g1")

    def __exit__(self, kind, error, trace):
        super().__exit__(kind, error, trace)
        if kind is None and self.strict:
            self.watch.judge()

    # -------------------------------------------------------------------------------- in every row

    def holds(self, q=True):
        """q=False: the fault keeps the inittab from being read."""
        self.reaps()
        self.respawns()
        self.changes_level()
        if q:
            self.answers_q()
        with self.m.strace() as trace:
            self.reaps()
            self.respawns()
            self.changes_level()
            if q:
                self.answers_q()
        self.judge_calls(trace)
        self.reaps()

    def reaps(self, count=3):
        for _ in range(count):
            lag = self.m.promptness()
            tap.check(lag < PROMPT_S, "a probe orphan is gone within a second; it lay %.3f s" % lag)

    def arrives(self, level, previous=None, since=0):
        """The level is entered: its rc ran, and pid 1 is titled for it."""
        def ran():
            return [m for m in self.marks()[since:]
                    if m[:2] == ["rc", level] and previous in (None, m[2])]
        wait_for(ran, "the rc of level " + level, self.patience_s)
        self.is_titled(level)

    def is_titled(self, level):
        wait_for(lambda: self.m.title() == "init [%s]" % level,
                 "pid 1 to be titled for level " + level, self.patience_s)

    def changes_level(self):
        before, target = self.level, "3" if self.level == "2" else "2"
        since = len(self.marks())
        self.m.telinit(target)
        self.arrives(target, before, since)
        self.level = target

    def answers_q(self, ask=None):
        """An entry added to the inittab runs after `telinit q`, or whatever else asks for a reading."""
        self.questions += 1
        word = "question%d" % self.questions
        line = "q%d:2345:once:/tmp/mark %s\n" % (self.questions % 1000, word)
        self.m.write("/etc/inittab", self.inittab + line)
        (ask or (lambda: self.m.telinit("q")))()
        wait_for(lambda: self.marked(word), "an entry added before `telinit q` to run", self.patience_s)

    def respawns(self, name="g1"):
        gone = self.gettys(name)[-1]
        self.kill(gone)
        wait_for(lambda: self.gettys(name)[-1] != gone,
                 "a respawn entry that was killed to come back", self.patience_s)

    def put_inittab(self, make):
        """make(path) creates something at a new name, which then takes the place of /etc/inittab."""
        path = self.m.path("/etc") + "/inittab"
        make(path + ".new")
        if os.path.isdir(path + ".new"):
            os.unlink(path)
        os.rename(path + ".new", path)

    def judge_calls(self, trace):
        if not self.strict:
            return
        tap.check(trace.names, "strace saw pid 1 at work")
        tap.equal(trace.strangers(ALLOWED), [], "system calls of pid 1 that are not on the list")
        for name, words in NEVER_WAITING.items():
            bad = [c for c in trace.calls(name) if not any(w in c for w in words.split("|"))]
            tap.equal(bad, [], "calls of %s that may wait" % name)

    # -------------------------------------------------------------------------- what it is made of

    def log(self, count):
        """Makes init say count numbered lines, on console and syslog: bad lines of an inittab that
        is read again and again, since no more than some sixty complaints come of one reading."""
        for at in range(0, count, BATCH):
            self._log_batch(min(BATCH, count - at))
        self.m.write("/etc/inittab", self.inittab)

    def _log_batch(self, count):
        first = self.numbered + 1
        self.batches.append(first)
        self.numbered += count
        bad = "".join("b:2:line%d:x\n" % n for n in range(first, first + count))
        word = "logged%d" % self.numbered
        done = "lo%d:2345:once:/tmp/mark %s\n" % (self.numbered % 100, word)
        self.m.write("/etc/inittab", self.inittab + bad + done)
        self.m.request(CMD_RUNLVL, "q")
        try:
            wait_for(lambda: self.marked(word), "init to have said its lines", self.patience_s)
        except tap.Failed:
            self.reaps()        # the graver failure, when it is one
            raise

    def changes(self):
        """(level, previous) of each level that was entered, from the marks of their rc."""
        return [(m[1], m[2]) for m in self.marks() if m[0] == "rc"]

    def settle(self, texts, deadline=90):
        wait_for(lambda: self.numbered in map(number_of, texts()), "the last line to be delivered",
                 deadline)

    def delivered(self, texts, deadline=90, others=0):
        """texts() -> what the sink got. Waits for the last numbered line, then judges all.

        others: how many lines without a number may have been lost among the numbered ones; those
        that announce the reading of a batch, which go to syslog alone, are known here.
        """
        self.settle(texts, deadline)
        announced = self.batches if texts == self.m.syslog.texts else ()
        judge_delivery(texts(), self.numbered, others, announced)


def judge_delivery(texts, last, others=0, batches=(), doubles=0):
    """Every number up to last once and in order, or counted by `N messages lost` where missing. doubles: how many may
    have come twice, since their helper was killed before it noted that they were delivered."""
    expected, counted, lost_in_all = 1, 0, 0
    for text in texts:
        lost = LOST.fullmatch(text)
        if lost:
            counted += int(lost.group(1))
            continue
        number = number_of(text)
        if number is None:
            continue
        if doubles and number == expected - 1:
            doubles -= 1
            continue
        tap.check(expected <= number <= last, "line %d comes once and in order" % number)
        missing = number - expected
        more = others + sum(expected <= first <= number for first in batches)
        tap.check(missing <= counted <= missing + more,
                  "%d lines are missing before line %d, %d are counted as lost there"
                  % (missing, number, counted))
        expected, lost_in_all = expected + missing + 1, lost_in_all + missing
        counted = 0
    tap.check(expected == last + 1, "line %d is delivered" % last)
    tap.diag("%d lines delivered, %d counted as lost" % (last - lost_in_all, lost_in_all))
