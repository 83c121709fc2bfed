# SPDX-License-Identifier: GPL-2.0-or-later
"""How pid 1 is doing, seen from outside: where it sleeps, what it calls, how soon it reaps.

look(pid)          Look(state, syscall name, wchan, ...): one sample
Watch(pid)         a context; samples all the while. .offences: where pid 1 slept but in epoll_wait
Strace(pid)        a context; afterwards .names (a Counter), .lines (whole), .strangers(allowed)
Strace(pid, "read:error=EIO:when=3+")   the third call of read fails and all after it, until the context is left
Orphan(machine)    a process orphaned to pid 1; die() measures how long pid 1 left it lying
"""
import collections
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time

import sinks
import tap
from sinks import wait_for

# The calls in which a process may be found asleep, by their number: enough to name what is seen.
_NAMES_X86_64 = {
    0: "read", 1: "write", 2: "open", 3: "close", 7: "poll", 16: "ioctl", 23: "select", 34: "pause",
    35: "nanosleep", 42: "connect", 44: "sendto", 46: "sendmsg", 56: "clone", 57: "fork",
    58: "vfork", 59: "execve", 61: "wait4", 72: "fcntl", 74: "fsync", 128: "rt_sigtimedwait",
    130: "rt_sigsuspend", 202: "futex", 230: "clock_nanosleep", 232: "epoll_wait", 247: "waitid",
    257: "openat", 270: "pselect6", 271: "ppoll", 281: "epoll_pwait", 435: "clone3",
    441: "epoll_pwait2"}
_NAMES_AARCH64 = {
    22: "epoll_pwait", 25: "fcntl", 29: "ioctl", 56: "openat", 57: "close", 63: "read", 64: "write",
    72: "pselect6", 73: "ppoll", 95: "waitid", 98: "futex", 101: "nanosleep", 115: "clock_nanosleep", 203: "connect",
    206: "sendto", 211: "sendmsg", 220: "clone", 221: "execve", 260: "wait4", 441: "epoll_pwait2"}
_NAMES = _NAMES_X86_64 if os.uname().machine == "x86_64" else _NAMES_AARCH64
THE_ONE_WAIT = {"epoll_wait", "epoll_pwait", "epoll_pwait2"}

Look = collections.namedtuple("Look", "state syscall wchan sleeps blocked pending")


def _slurp(path):
    with open(path) as file:
        return file.read()


def _status(pid):
    lines = _slurp("/proc/%d/status" % pid).splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def syscall_name(text):
    """Of the text in /proc/PID/syscall, which is "running" or begins with a number."""
    word = (text.split() or [""])[0]
    if not word.lstrip("-").isdigit():
        return word
    return _NAMES.get(int(word), "syscall " + word)


def look(pid):
    """One sample. sleeps: voluntary context switches so far, to tell one sleep from the next."""
    status = _status(pid)
    wchan = ""
    with contextlib.suppress(OSError):
        wchan = _slurp("/proc/%d/wchan" % pid)
    return Look(status["State"][0], syscall_name(_slurp("/proc/%d/syscall" % pid)), wchan,
                int(status["voluntary_ctxt_switches"]), status["SigBlk"].strip(),
                status["ShdPnd"].strip())


class Watch:
    """Samples pid 1 every few milliseconds from a process of its own.

    Asleep anywhere but in its one wait is an offence at first sight. One thing is let pass for a
    moment: a lock in the kernel that somebody else holds just then, who may have lost his processor
    meanwhile (a fork takes the lock of its own memory, which whoever reads /proc/1/cmdline has, and
    that of the pages it shares with earlier children, who have it while they execute a program);
    the same sleep (no context switch in between) over PATIENCE_S is an offence too, and the faults
    last for longer. Blinks are kept for the log.
    """
    INTERVAL_S = 0.004
    PATIENCE_S = 2.0
    LOCKS = re.compile(r"mutex|rwsem|\block_|_lock\b|down_|dup_mmap|anon_vma_")

    def __init__(self, pid):
        self.pid = pid
        self.passed = ()        # calls in which this test lets it sleep
        self.offences = []
        self.blinks = collections.Counter()
        self.samples = 0

    def __enter__(self):
        self.reader = sinks.Reader(self._sample, "watch")
        return self

    def _sample(self, journal):
        files = [os.open("/proc/%d/%s" % (self.pid, name), os.O_RDONLY)
                 for name in ("status", "syscall", "wchan")]
        while True:
            before, syscall, wchan = (os.pread(fd, 8192, 0).decode() for fd in files)
            after = os.pread(files[0], 8192, 0).decode()
            if self._sleep(before) == self._sleep(after):   # else the three do not belong together
                state, switches = self._sleep(before)
                name = syscall_name(syscall).replace(" ", "-")
                journal.append(" ".join((state, name, wchan or "-", switches)).encode())
            time.sleep(self.INTERVAL_S)

    @staticmethod
    def _sleep(status):
        """(state, count of voluntary switches): equal at two moments when it is the same sleep."""
        return re.search(r"\nState:\t(.).*\nvoluntary_ctxt_switches:\t(\d+)", status, re.S).groups()

    def __exit__(self, *_):
        self.reader.end()
        since = before = None
        for when, _, data in self.reader.journal.read():
            self.samples += 1
            state, syscall, wchan, switches = data.decode().split()
            awake = state in "RtTZX" or syscall == "running"
            home = state == "S" and syscall in THE_ONE_WAIT or syscall in self.passed
            here = None if awake or home else (state, syscall, wchan, switches)
            if here and here != before:
                since = when
                self.blinks["%s in %s (%s)" % here[:3]] += 1
            if here and here not in self.offences and not (
                    self.LOCKS.search(wchan) and when - since < self.PATIENCE_S):
                self.offences.append(here)
            before = here
        self.reader.journal.close()

    def judge(self):
        if self.blinks:
            tap.diag("pid 1 seen asleep elsewhere: %s" % dict(self.blinks))
        tap.check(self.samples > 0, "pid 1 was sampled")
        tap.check(not self.offences, "pid 1 sleeps in its one wait and nowhere else; found "
                  "(state, system call, place in the kernel, sleeps so far): %r" % (self.offences,))


class Strace:
    """System calls of pid 1, traced from outside the machine."""

    def __init__(self, pid, inject=None):
        if not shutil.which("strace"):
            tap.skip("no strace here")
        self.pid = pid
        self.more = ["-e", "inject=" + inject] if inject else []

    def __enter__(self):
        self.file = os.memfd_create("strace")
        self.tracer = subprocess.Popen(
            ["strace", "-q", "-T", "-s", "200", "-p", str(self.pid),
             *self.more, "-o", "/proc/self/fd/%d" % self.file],
            pass_fds=[self.file], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for(self._attached, "strace to attach")
        return self

    def _attached(self):
        return self.tracer.poll() is not None or _status(self.pid)["TracerPid"].strip() != "0"

    def __exit__(self, *_):
        if self.tracer.poll() is None:
            os.kill(self.tracer.pid, signal.SIGINT)
        self.tracer.wait(30)
        self.tracer.stderr.close()
        text = os.pread(self.file, os.fstat(self.file).st_size, 0).decode("latin-1")
        os.close(self.file)
        # What was under way when strace let go has no arguments to judge.
        self.lines = [line for line in text.splitlines() if "<detached" not in line]
        found = (re.match(r"(?:<\.\.\. )?(\w+)(?:\(| resumed)", line) for line in self.lines)
        self.names = collections.Counter(m.group(1) for m in found if m)

    def strangers(self, allowed):
        return sorted(set(self.names) - set(allowed))

    def calls(self, name):
        return [line for line in self.lines if line.startswith(name + "(")]


def waited_for_processor(pid):
    """Seconds that a process was ready to run and did not get a processor."""
    try:
        return int(_slurp("/proc/%d/schedstat" % pid).split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


class Orphan:
    """Born of a parent that is gone at once, so that it is pid 1's; lives until told to die()."""

    def __init__(self, machine):
        self.machine = machine
        hold, self._leash = os.pipe()
        tell, told = os.pipe()

        def parent():
            pid = os.fork()
            if pid:
                os.write(told, b"%d" % pid)
                os._exit(0)
            os.closerange(told, told + 1)
            os.read(hold, 1)
            os._exit(0)
        process = machine.spawn(parent, keep=(hold, told))
        os.close(hold)
        os.close(told)
        tap.check(process.wait() == 0, "a probe orphan could be made")
        self.pid = int(os.read(tell, 16))
        os.close(tell)

    def _state(self):
        found = self.machine.process(self.pid)
        return found.state if found else None

    def die(self, deadline=30):
        """-> seconds for which it lay dead and pid 1, though it had a processor, left it there."""
        self.end()
        begin, queued = time.monotonic(), self._queued()
        wait_for(lambda: self._state() is None, "pid 1 to reap a probe orphan", deadline)
        return max(0.0, time.monotonic() - begin - (self._queued() - queued))

    def end(self):
        """It dies, whoever reaps it."""
        os.close(self._leash)
        wait_for(lambda: self._state() in (None, "Z"), "the probe orphan to die")

    def _queued(self):
        return waited_for_processor(self.machine.pid) + waited_for_processor(os.getpid())
