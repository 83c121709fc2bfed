#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a helper of init may still do when somebody has taken it over: deliver to its sink, and nothing else.

The stock init has no helpers: what it does for them it does with all that root may.
"""
import errno
import os
import re
import signal

from rows import Row, subject, tap, wait_for
import driven

CAP_DAC_OVERRIDE = 1
HELPERS = {"console", "syslog", "records", "wtmp"}
AF_INET, AF_UNIX = 2, 1
SOCK_DGRAM, SOCK_STREAM, SOCK_RAW = 1, 2, 3
O_WRONLY, O_RDWR, O_CREAT, O_NOCTTY, O_NONBLOCK, O_NOFOLLOW, O_CLOEXEC = 1, 2, 0o100, 0o400, 0o4000, 0o400000, 0o2000000
OURS = O_NOCTTY | O_NONBLOCK | O_CLOEXEC
AT_FDCWD = -100
F_SETOWN, F_SETSIG, TIOCSTI, TIOCSCTTY = 8, 10, 0x5412, 0x540E
PROT_RW, MAP_SHARED, MAP_PRIVATE_ANONYMOUS = 3, 1, 0x22

# What each of them opens by itself, and how: (name, flags).
SINKS = {"console": [("/dev/console", O_WRONLY | OURS)],
         "syslog": [("/etc/localtime", OURS)],
         "records": [("/var/run/utmp", O_RDWR | O_NOFOLLOW | OURS)],
         "wtmp": [("/var/run/utmp", OURS)]}


def need_helpers():
    if subject() == "stock":
        tap.skip("the stock init has no helpers")
    with open("/proc/self/status", encoding="ascii") as file:
        if "Seccomp_filters:" not in file.read():
            tap.skip("this kernel has no seccomp(2), or does not tell of it")


def status_of(machine, pid):
    return dict(line.split(":\t", 1) for line in machine.read("/proc/%d/status" % pid).splitlines() if ":\t" in line)


def filters_of(machine, pid):
    """The machine itself has one, too, against what no name space keeps apart."""
    return int(status_of(machine, pid)["Seccomp_filters"])


def asleep(row):
    """The helpers, each in a wait that only its bell ends."""
    def found():
        helpers = row.m.helpers()
        calls = {name: row.m.read("/proc/%d/syscall" % pid).split() for name, pid in helpers.items()}
        return helpers if set(helpers) == HELPERS and all(call[0] == "202" for call in calls.values()) else None
    return wait_for(found, "all helpers to be idle", 60)


@tap.case(deadline=120)
def a_helper_keeps_one_capability_and_is_under_a_filter():
    need_helpers()
    with Row() as row:
        everything = int(status_of(row.m, 1)["CapPrm"], 16)
        kept = "%016x" % (everything & 1 << CAP_DAC_OVERRIDE)
        for name, pid in wait_for(lambda: row.m.helpers(), "helpers").items():
            wait_for(lambda pid=pid: filters_of(row.m, pid) == filters_of(row.m, 1) + 1, name + " under its filter")
            found = {key: value.strip() for key, value in status_of(row.m, pid).items()}
            tap.equal({key: found[key] for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs")},
                      {"CapInh": "0" * 16, "CapPrm": kept, "CapEff": kept, "CapBnd": "0" * 16, "CapAmb": "0" * 16,
                       "NoNewPrivs": "1"}, "what the %s helper may" % name)
        tap.equal(int(status_of(row.m, 1)["CapPrm"], 16), everything, "pid 1 keeps its own")


@tap.case(deadline=120)
def a_helper_shares_nothing_with_init_but_the_queue():
    """What init would execute lies in shared memory, too: a helper must not reach it."""
    need_helpers()
    with Row() as row:
        def shared(pid):
            return sorted({line.split(None, 5)[5].strip() for line in row.m.read("/proc/%d/maps" % pid).splitlines()
                           if line.split()[1][3] == "s" and "w" in line.split()[1]})
        tap.check(any("init family" in name for name in shared(1)), "pid 1 has a family: %r" % shared(1))
        for name, pid in asleep(row).items():
            tap.check([re.sub(r" \(deleted\)$", "", path) for path in shared(pid)] == ["/memfd:initlog"],
                      "the %s helper shares the queue alone; found %r" % (name, shared(pid)))


def attempts(it):
    """-> (what, result) of all that somebody would try who is in such a process."""
    shadow, shell = it.put(b"/etc/shadow\0"), it.put(b"/bin/sh\0", 64)
    console, made = it.put(b"/dev/console\0", 128), it.put(b"/tmp/made\0", 192)
    log = it.put(b"\x01\x00/run/other\0".ljust(110, b"\0"), 256)
    zeros = it.put(b"\0" * 512, 512)
    page = it.stack & ~4095
    yield "kill", it.call("kill", 1, signal.SIGINT)
    yield "kill everybody", it.call("kill", -1, signal.SIGKILL)
    yield "tgkill", it.call("tgkill", 1, 1, signal.SIGINT)
    yield "tkill", it.call("tkill", 1, signal.SIGINT)
    yield "pidfd_open", it.call("pidfd_open", 1, 0)
    yield "pidfd_send_signal", it.call("pidfd_send_signal", 3, signal.SIGINT, 0, 0)
    yield "signals by fcntl", it.call("fcntl", 3, F_SETOWN, 1)
    yield "which signal, by fcntl", it.call("fcntl", 3, F_SETSIG, signal.SIGINT)
    yield "execve", it.call("execve", shell, 0, 0)
    yield "execveat", it.call("execveat", AT_FDCWD, shell, 0, 0, 0)
    for name in ("fork", "vfork", "clone", "clone3"):
        yield name, it.call(name, 17 if name == "clone" else zeros, 88 if name == "clone3" else 0)
    yield "ptrace", it.call("ptrace", 16, 1, 0, 0)
    yield "process_vm_writev", it.call("process_vm_writev", 1, zeros, 1, zeros, 1, 0)
    for path, what in ((shadow, "shadow"), (console, "a console of its own naming"), (made, "a new file")):
        for flags in (0, O_WRONLY | OURS, O_RDWR | O_CREAT, O_RDWR | O_NOFOLLOW | OURS):
            yield "open %s, %#o" % (what, flags), it.call("open", path, flags, 0o600)
            yield "openat %s, %#o" % (what, flags), it.call("openat", AT_FDCWD, path, flags, 0o600)
        yield "openat2 " + what, it.call("openat2", AT_FDCWD, path, zeros, 24)
    for domain, kind in ((AF_INET, SOCK_STREAM), (AF_INET, SOCK_RAW), (16, SOCK_RAW), (AF_UNIX, 5)):
        yield "socket %d %d" % (domain, kind), it.call("socket", domain, kind, 0)
    yield "connect elsewhere", it.call("connect", 0, log, 110)
    yield "send elsewhere", it.call("sendto", 0, zeros, 1, 0, log, 110)
    yield "watch elsewhere", it.call("inotify_add_watch", 0, shadow, 0xfff)
    yield "type into a terminal", it.call("ioctl", 0, TIOCSTI, zeros)
    yield "take a terminal", it.call("ioctl", 0, TIOCSCTTY, 1)
    yield "mmap", it.call("mmap", 0, 4096, PROT_RW, MAP_PRIVATE_ANONYMOUS, -1, 0)
    yield "mprotect", it.call("mprotect", page, 4096, 7)
    for name in ("mremap", "munmap", "brk"):
        yield name, it.call(name, page, 4096, 8192, 1)
    for name in ("unlink", "rename", "chmod", "chown", "chroot", "mount"):
        yield name, it.call(name, shadow, made if name in ("rename", "mount") else 0, 0)
    yield "setuid", it.call("setuid", 0)
    yield "capset", it.call("capset", zeros, zeros)
    yield "prctl", it.call("prctl", 8, 1, 0, 0, 0)
    yield "seccomp", it.call("seccomp", 1, 0, zeros)
    yield "memfd_create", it.call("memfd_create", shell, 0)
    yield "bpf", it.call("bpf", 0, zeros, 64)
    yield "io_uring_setup", it.call("io_uring_setup", 1, zeros)
    yield "init_module", it.call("init_module", zeros, 8, zeros)
    yield "reboot", it.call("reboot", 0xfee1dead, 672274793, 0x01234567, 0)


def names_of(it):
    """-> where the names lie, and what is there: a mapping that can be read and nothing else."""
    for begin, end, rights, path in driven.mappings(it.pid):
        if rights == "r--p" and not path and b"/dev/console\0" in os.pread(it.memory, end - begin, begin):
            return begin, os.pread(it.memory, end - begin, begin)
    return None, b""


def drive(pid, name):
    """Inside the machine. -> what was let through though it must not, what the sink's own openings gave."""
    with driven.Driven(pid) as it:
        through = [(what, result) for what, result in attempts(it) if result not in (-errno.EPERM, -errno.ENOSYS)]
        begin, names = names_of(it)
        own = []
        for path, flags in SINKS[name]:
            at = begin + names.index(path.encode() + b"\0") if begin else 0
            fd = it.call("open", at, flags, 0)
            own.append((path, fd >= 0))
            for other in (flags | O_CREAT, flags ^ O_NONBLOCK, flags | O_RDWR) if name != "records" else (flags & ~O_NOFOLLOW,):
                if other != flags and it.call("open", at, other, 0o600) != -errno.EPERM:
                    through.append(("open %s %#o" % (path, other), "not refused"))
            if name == "records" and fd >= 0:
                own.append(("names as a buffer", it.call("pread64", fd, at, 16, 0) in (-errno.EFAULT, 0)))
            it.call("close", fd)
        own.append(("names unchanged", begin is not None and names_of(it)[1] == names))
    return through, own


@tap.case(deadline=180)
def a_helper_that_is_driven_gets_nowhere_and_goes_on_delivering():
    need_helpers()
    driven.Driven.need()
    with Row() as row:
        row.m.write("/etc/localtime", "TZif2")
        row.log(5)
        row.delivered(row.m.console.lines)
        row.delivered(row.m.syslog.texts)
        before = asleep(row)
        for name, pid in sorted(before.items()):
            through, own = row.m.call(lambda pid=pid, name=name: drive(pid, name), deadline=60)
            tap.equal(through, [], "let through for the %s helper" % name)
            tap.equal([what for what, good in own if not good], [], "of its own sink, refused to the %s helper" % name)
        tap.check(not row.m.exists("/tmp/made"), "no file was made")
        row.log(5)
        row.holds()
        row.delivered(row.m.console.lines)
        row.delivered(row.m.syslog.texts)
        tap.equal(row.m.helpers(), before, "the helpers that run")


@tap.case(deadline=180)
def no_call_that_a_helper_makes_is_refused():
    need_helpers()
    with Row() as row:
        row.log(5)
        row.delivered(row.m.console.lines)
        traced = {}
        for name, pid in asleep(row).items():
            out = "/run/calls." + name
            traced[name] = row.m.spawn(["strace", "-f", "-qq", "-p", str(pid), "-o", out])
            wait_for(lambda pid=pid: status_of(row.m, pid)["TracerPid"].strip() != "0", "strace to attach")
        row.m.console.revoke()
        row.log(5)
        row.m.syslog.end()
        row.changes_level()
        row.log(40)
        row.m.syslog.start("stream")
        row.m.write("/run/utmp", b"")
        row.changes_level()
        row.log(5)
        row.delivered(row.m.console.lines)
        asleep(row)
        for name, process in traced.items():
            process.kill(signal.SIGINT)
            process.wait()
            calls = row.m.read("/run/calls." + name)
            tap.check(len(calls.splitlines()) > 10, "the %s helper was seen at work" % name)
            tap.equal([line for line in calls.splitlines() if re.search(r"= -1 (ENOSYS|EPERM)", line)], [],
                      "refused to the %s helper" % name)


tap.main()
