#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""halt, poweroff, reboot: which call to the kernel, or which shutdown, each makes of its name, options and level.

Calls are recorded by strace, which also answers them; where stock is right ours does the same. Stock (3.06) has neither
-k nor -m, says nothing and ends with 0 when the kernel refuses, believes a variable against all records, and drops the
record when wtmp is locked.
"""
import fcntl
import os

import sinks
from downing import Down, tap
from machine import SHELL_ENV

DOWN = ["reboot CAD_ON", "kill 1 SIGTSTP"]
AGAIN = ["reboot CAD_OFF", "kill 1 SIGCONT"]
HALT, OFF, BOOT = ["reboot HALT"], ["reboot POWER_OFF"], ["reboot RESTART"]
# name, options, calls, how many records in wtmp, the same as stock
HARD = [
    ("halt", [], ["sync", *DOWN, *HALT, *AGAIN], 1, True),
    ("halt", ["-p"], ["sync", *DOWN, *OFF, *HALT, *AGAIN], 1, True),
    ("poweroff", [], ["sync", *DOWN, *OFF, *HALT, *AGAIN], 1, True),
    ("poweroff", ["-p"], ["sync", *DOWN, *OFF, *HALT, *AGAIN], 1, True),
    ("reboot", [], ["sync", *BOOT, *AGAIN], 1, True),
    ("reboot", ["-p"], ["sync", *BOOT, *AGAIN], 1, True),
    ("halt", ["-d"], ["sync", *DOWN, *HALT, *AGAIN], 0, True),
    ("halt", ["-n"], [*DOWN, *HALT, *AGAIN], 0, True),
    ("reboot", ["-nd"], [*BOOT, *AGAIN], 0, True),
    ("poweroff", ["-n"], [*DOWN, *OFF, *HALT, *AGAIN], 0, True),
    ("reboot", ["-h"], ["sync", *BOOT, *AGAIN], 1, True),
    ("halt", ["-t", "5"], ["sync", *DOWN, *HALT, *AGAIN], 1, True),
    ("reboot", ["-k"], ["sync", "reboot KEXEC", *BOOT, *AGAIN], 1, False),
    ("reboot", ["-m", "recovery"], ["sync", "reboot RESTART2 recovery", *BOOT, *AGAIN], 1, False),
    ("reboot", ["-k", "-m", "x"], ["sync", "reboot KEXEC", "reboot RESTART2 x", *BOOT, *AGAIN], 1, False),
]
# At level 2 by the records, with force or an order to do nothing; the same as stock
FORCED = [
    ("halt", ["-f"], ["sync", *DOWN, *HALT, *AGAIN], 1, True),
    ("halt", ["-f", "-p"], ["sync", *DOWN, *OFF, *HALT, *AGAIN], 1, True),
    ("halt", ["-f", "-d", "-n"], [*DOWN, *HALT, *AGAIN], 0, True),
    ("poweroff", ["-f"], ["sync", *DOWN, *OFF, *HALT, *AGAIN], 1, True),
    ("reboot", ["-f"], ["sync", *BOOT, *AGAIN], 1, True),
    ("reboot", ["-f", "-k"], ["sync", "reboot KEXEC", *BOOT, *AGAIN], 1, False),
    ("reboot", ["-m", "x"], ["sync", "reboot RESTART2 x", *BOOT, *AGAIN], 1, False),
    ("halt", ["-w"], [], 1, True), ("poweroff", ["-w"], [], 1, True), ("reboot", ["-w"], [], 1, True),
    ("halt", ["-w", "-d"], [], 0, True), ("reboot", ["-w", "-n"], [], 0, True),
    # Stock would sync, take interfaces down, flush disks.
    ("halt", ["-w", "-h", "-i"], [], 1, False),
]
# name, options, arguments of shutdown; stock's where they differ
SOFT = [
    ("halt", [], "-h -H now", "-h now"), ("halt", ["-p"], "-h -P now", None), ("poweroff", [], "-h -P now", None),
    ("reboot", [], "-r now", None), ("reboot", ["-p"], "-r now", None),
    ("halt", ["-t", "7"], "-h -H -t 7 now", "-h -t 7 now"), ("reboot", ["-t", "0"], "-r -t 0 now", None),
    ("poweroff", ["-d"], "-h -P now", None), ("reboot", ["-n", "-i", "-h"], "-r now", None),
]
BAD = [["-Z"], ["-m"], ["-t"], ["word"], ["-t", "abc"], ["-f", "word"]]
SHUTDOWN = "#!/bin/sh\necho \"$@\" >> /run/asked\n"
USAGE = "usage: %s [-d] [-f] [-h] [-i] [-n] [-w]%s\n"


def set_level(d, level):
    """What the records say."""
    d.machine.write("/run/utmp", sinks.UTMP.pack(sinks.RUN_LVL, ord(level) + 256 * ord("N"), b"~", b"~~", b"runlevel", b"",
                                                 0, 0, 0, 0, 0, b"") if level else b"")


def wtmp(d):
    found = d.machine.wtmp()
    d.machine.write("/var/log/wtmp", "")
    return found


def recorded(d, name, options, **more):
    """-> status, calls, err, records"""
    done = d.record(name, *options, **more)
    return done.status, done.calls, done.err, wtmp(d)


@tap.case(deadline=240)
def each_name_and_option_has_its_calls():
    with Down("ours") as ours, Down("stock") as stock:
        for level in ("6", "0"):
            for name, options, calls, records, same in HARD if level == "6" else HARD[:6]:
                what = "%s %s in level %s" % (name, " ".join(options), level)
                set_level(ours, level)
                status, found, err, written = recorded(ours, name, options, level=level)
                tap.equal(found, calls, "calls of " + what)
                tap.equal(len(written), records, "records of " + what)
                tap.equal(status, 1, what + ", refused")
                tap.check("the kernel refuses to end the system: Operation not permitted" in err, "why: %r" % err)
                if same and level == "6":
                    set_level(stock, level)
                    _, theirs, _, written = recorded(stock, name, options, level=level)
                    tap.equal((theirs, len(written)), (calls, records), "stock's " + what)


@tap.case(deadline=120)
def force_and_record_only_do_not_ask_for_the_level():
    with Down("ours") as ours, Down("stock") as stock:
        for d in (ours, stock):
            d.machine.write("/sbin/shutdown", SHUTDOWN, 0o755)
            set_level(d, "2")
            for name, options, calls, records, same in FORCED:
                if d is stock and not same:
                    continue
                what = "%s's %s %s" % (d.which, name, " ".join(options))
                status, found, _, written = recorded(d, name, options)
                tap.equal((found, len(written)), (calls, records), what)
                if d is ours:           # stock's is 0 also when it is refused
                    tap.equal(status, 0 if "-w" in options else 1, "status of " + what)
            tap.check(not d.machine.exists("/run/asked"), "no shutdown was asked")


@tap.case(deadline=120)
def the_record_alone_touches_neither_disk_nor_interface():
    """Stock syncs, flushes and takes interfaces down."""
    with Down("ours") as d:
        lay_out_disk(d, "sda")
        set_level(d, "0")
        for name in ("halt", "poweroff", "reboot"):
            status, calls, err, records = recorded(d, name, ["-w", "-h", "-i", "-f"], level="0")
            tap.equal((status, calls, err, len(records)), (0, [], "", 1), name + " -w")
        calls = d.record("halt", "-h", "-i", level="0").calls
        tap.check("ioctl HDIO_DRIVE_CMD" in calls and "ioctl SIOCGIFFLAGS" in calls, "without it, both are touched: %r" % calls)


@tap.case(deadline=120)
def in_another_level_shutdown_does_it():
    with Down("ours") as ours, Down("stock") as stock:
        for d in (ours, stock):
            d.machine.write("/sbin/shutdown", SHUTDOWN, 0o755)
        for level in ("2", "1", "S"):
            for name, options, words, theirs in SOFT:
                for d, wanted in ((ours, words), (stock, theirs or words)):
                    if d is stock and level != "2":
                        continue
                    set_level(d, level)
                    status, calls, err, written = recorded(d, name, options)
                    what = "%s's %s %s in level %s" % (d.which, name, " ".join(options), level)
                    tap.equal(d.machine.read("/run/asked"), wanted + "\n", what)
                    os.unlink(d.path("/run/asked"))
                    tap.equal((status, calls, written), (0, [], []), what)
                    if d is ours:
                        lost = [o for o in options if o in ("-n", "-i", "-h", "-d")]
                        tap.equal(err, "".join("%s: %s is without effect here: shutdown(8) takes the system down\n"
                                               % (name, o) for o in lost), "what is told of lost options")


@tap.case(deadline=60)
def an_unknown_level_is_told_and_soft():
    with Down("ours") as d:
        d.machine.write("/sbin/shutdown", SHUTDOWN, 0o755)
        set_level(d, None)
        for name in ("halt", "poweroff", "reboot"):
            done = d.run(name)
            tap.equal(done.err, "WARNING: could not determine runlevel - doing soft %s\n"
                      "  (it's better to use shutdown instead of %s from the command line)\n" % (name, name), name)
        d.machine.write("/run/runlevel", "0")
        tap.equal(d.record("halt").calls[-2:], AGAIN, "by the file alone")
        os.unlink(d.path("/run/runlevel"))
        os.unlink(d.path("/sbin/shutdown"))
        d.machine.write("/etc/shutdown", SHUTDOWN, 0o755)
        os.unlink(d.path("/run/asked"))
        done = d.run("halt")
        tap.equal((done.status, done.err.splitlines()[-1]), (1, "halt: shutdown: No such file or directory"), "without one")
        tap.check(not d.machine.exists("/run/asked"), "programs are not looked for in /etc")


@tap.case(deadline=60)
def a_variable_that_nothing_confirms_is_not_believed():
    """Stock halts at once in level 2 when the variables say 0."""
    with Down("ours") as ours, Down("stock") as stock:
        for d in (ours, stock):
            d.machine.write("/sbin/shutdown", SHUTDOWN, 0o755)
            set_level(d, "2")
        tap.equal(ours.record("halt", level="0").calls, [], "calls of ours")
        tap.equal(ours.machine.read("/run/asked"), "-h -H now\n", "what ours did")
        tap.check("reboot HALT" in stock.record("halt", level="0").calls, "stock ends the machine")


@tap.case(deadline=60)
def kexec_needs_level_6_or_force():
    with Down("ours") as d:
        for level in ("0", "2"):
            set_level(d, level)
            done = d.record("reboot", "-k")
            tap.equal((done.status, done.calls), (1, []), "in level " + level)
            tap.check(done.err.startswith("ERROR: using -k at this runlevel requires also -f\n"), "why: %r" % done.err)
            tap.equal(done.err.count("\n"), 3, "lines")


@tap.case(deadline=60)
def bad_arguments_are_answered_with_the_usage():
    with Down("ours") as d:
        for name, more in (("halt", " [-p]"), ("poweroff", ""), ("reboot", " [-k] [-m <message>]")):
            bad = BAD + ([["-k"], ["-m", "x"]] if name != "reboot" else [])
            for args in bad:
                done = d.run(name, *args)
                tap.equal((done.status, done.out), (1, ""), name + " " + " ".join(args))
                tap.check(done.err.startswith(USAGE % (name, more)), "%s %s: %r" % (name, args, done.err))
            done = d.run(name, "--help", uid=65534)
            tap.equal((done.status, done.err, done.out.splitlines()[0] + "\n"), (0, "", USAGE % (name, more)), "--help")
            done = d.run(name, "--version", uid=65534)
            tap.check(done.status == 0 and done.out.startswith(name + " (sysvinit) "), "--version: %r" % (done,))
            done = d.run(name, uid=65534)
            tap.equal((done.status, done.err), (1, name + ": must be superuser.\n"), "a user")
        done = d.machine.call(lambda: os.waitstatus_to_exitcode(os.waitpid(exec_named("-reboot", "-Z"), 0)[1]))
        tap.equal(done, 1, "a login shell's dash")


def exec_named(argv0, *args):
    pid = os.fork()
    if not pid:
        os.execv("/sbin/halt", [argv0, *args])
    return pid


@tap.case(deadline=60)
def the_record_is_the_one_of_stock():
    with Down("ours") as ours, Down("stock") as stock:
        found = []
        for d in (ours, stock):
            d.run("halt", "-w")
            record, = wtmp(d)
            found.append(record._replace(sec=0, usec=0))
        tap.equal(found[0], found[1], "the record but for its time")
        os.unlink(ours.path("/var/log/wtmp"))
        tap.equal(ours.run("halt", "-w").status, 0, "without a wtmp")
        tap.check(not ours.machine.exists("/var/log/wtmp"), "none is made")


@tap.case(deadline=120)
def a_wtmp_on_a_frozen_file_system_is_left_behind():
    """Stock sleeps there until it is thawed."""
    with Down("ours") as d:
        d.machine.loop_ext4("/var/log")
        d.machine.write("/var/log/wtmp", "")
        d.machine.freeze("/var/log")
        try:
            done = d.run("halt", "-w", deadline=60)
        finally:
            d.machine.thaw("/var/log")
        tap.equal((done.status, done.err), (1, "halt: wtmp: Connection timed out\n"), "what is told")


@tap.case(deadline=120)
def a_locked_wtmp_costs_neither_the_record_nor_much_time():
    """Stock waits for ten seconds and drops the record."""
    with Down("ours") as d:
        with open(d.path("/var/log/wtmp"), "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            tap.equal(d.run("halt", "-w").status, 0, "status")
            tap.equal([r.user for r in sinks.read_records(d.path("/var/log/wtmp"))], ["shutdown"], "the record")


DISK = {"removable": "0\n", "size": "1000\n"}


def lay_out_disk(d, name, vendor="ATA     ", **attributes):
    for key, text in {**DISK, **attributes}.items():
        d.machine.write("/sys/block/%s/%s" % (name, key), text)
    if name.startswith("sd"):
        d.machine.write("/sys/devices/%s:0:0:0/vendor" % name, vendor + "\n")
        os.symlink("../../devices/%s:0:0:0" % name, d.path("/sys/block") + "/%s/device" % name)
    d.machine.write("/dev/" + name, "")


@tap.case(deadline=120)
def disks_are_flushed_and_spun_down_and_an_odd_one_ends_nothing():
    """Stock ends its scan at the first odd entry."""
    refused = ["ioctl HDIO_DRIVE_CMD", "ioctl BLKFLSBUF"]
    with Down("ours") as d:
        lay_out_disk(d, "sda")
        set_level(d, "0")
        calls = d.record("halt", level="0").calls
        tap.equal([c for c in calls if c.startswith("ioctl")], refused, "one disk")
        tap.check(calls.index("sync") < calls.index(refused[0]) < calls.index("reboot HALT"), "the order: %r" % calls)
        calls = d.record("halt", "-h", level="0").calls
        tap.equal([c for c in calls if c.startswith("ioctl")], [*refused, refused[0], refused[0]], "and standby")
        for odd in ("sdb", "hdb", "sd" + "x" * 100):
            os.makedirs(d.path("/sys/block") + "/" + odd)
        d.machine.write("/sys/block/sdc", "a file")
        d.machine.write("/sys/block/sdd/device", "no link")
        d.machine.write("/sys/block/sdd/removable", "0")
        lay_out_disk(d, "sdz")
        lay_out_disk(d, "hda")
        calls = d.record("poweroff", level="0").calls
        tap.equal(len([c for c in calls if c.startswith("ioctl")]), 3 * len(refused), "three disks")


REFUSE = """#!/bin/sh
exec strace -f -o /run/calls -e trace=reboot -e inject=reboot:error=EPERM -E LD_PRELOAD=/run/fakeclock.so "$@"
"""
REFUSED = "halt: the kernel refuses to end the system: Operation not permitted\n"


def refused(d, *argv, **env):
    """Runs it in level 0 with the clock and the disks of fakeclock.c; reboot(2) is refused, and stands in /run/calls."""
    d.machine.write("/run/refuse.sh", REFUSE, 0o755)
    set_level(d, "0")
    return d.machine.run(["/run/refuse.sh", *argv], env={**SHELL_ENV, "INIT_VERSION": "x", "RUNLEVEL": "0", **env}, deadline=120)


@tap.case(deadline=240)
def what_never_returns_is_left_behind():
    """By a clock that jumps. Stock sleeps in sync or in the disk's ioctl for good."""
    with Down("ours") as d:
        lay_out_disk(d, "sda")
        done = refused(d, "/sbin/halt", FAKE_EPOCH="1", FAKE_STUCK="sync ioctl")
        tap.equal(done.err, "halt: sync does not end, going on without it\n"
                  "halt: /dev/sda: does not answer, going on without it\n" + REFUSED, "what is told")
        tap.check("LINUX_REBOOT_CMD_HALT" in d.machine.read("/run/calls"), "the kernel was asked")


def commands(d):
    """What disks were told since the last question."""
    if not d.machine.exists("/run/commands"):
        return []
    found = d.machine.read("/run/commands").splitlines()
    os.unlink(d.path("/run/commands"))
    return found


@tap.case(deadline=240)
def neither_a_disk_nor_an_interface_that_never_answers_holds_up_the_rest():
    with Down("ours") as d:
        for name in ("sda", "sdb", "sdc"):
            lay_out_disk(d, name)
        done = refused(d, "/sbin/halt", "-h", FAKE_EPOCH="1", FAKE_STUCK="disk:sdb", FAKE_WORD83="0")
        tap.equal(done.err, "halt: /dev/sdb: does not answer, going on without it\n" + REFUSED, "what is told")
        tap.equal(sorted(commands(d)), ["sda e0", "sda e7", "sdc e0", "sdc e7"], "what the others were told")
        d.machine.write("/run/up.sh", "#!/bin/sh\nip link set lo up; ip link add plain type bridge; ip link set plain up\nexec \"$@\"\n", 0o755)
        done = refused(d, "unshare", "-n", "/run/up.sh", "/sbin/halt", "-i", FAKE_EPOCH="1", FAKE_STUCK="flags", FAKE_WORD83="0")
        if "Unknown device type" in done.err or "Operation not supported" in done.err:
            tap.skip("this kernel makes no interfaces: " + done.err.splitlines()[0])
        tap.equal(done.err, "halt: taking network interfaces down takes too long, going on\n" + REFUSED, "what is told of interfaces")
        tap.equal(sorted(commands(d)), ["sda e7", "sdb e7", "sdc e7"], "what disks are told after them")


# sectors, word 83, the commands
FLUSHES = [
    ("268435455", "6000", ["e7"]),              # 2^28 - 1: the short one reaches all of it
    ("268435456", "6000", ["ec", "ea"]),
    ("268435456", "4000", ["ec", "e7"]),        # it has no other
    ("268435456", "e000", ["ec", "e7"]),        # the word means nothing
    ("268435456", "2000", ["ec", "e7"]),        # nor here
]


@tap.case(deadline=120)
def a_large_disk_is_asked_whether_it_has_the_long_flush():
    with Down("ours") as d:
        for sectors, word, wanted in FLUSHES:
            lay_out_disk(d, "hda", size=sectors + "\n")
            refused(d, "/sbin/halt", FAKE_WORD83=word)
            tap.equal([line.split()[1] for line in commands(d)], wanted, "%s sectors, word 83 %s" % (sectors, word))


INTERFACES = """set -e
ip link set lo up
ip link add plain type bridge; ip addr add 10.0.0.1/24 dev plain; ip link set plain up
ip link add six type bridge; ip addr add fd00::1/64 dev six; ip link set six up
ip link add lolike type bridge; ip link set lolike up
ip link add many type bridge; ip link set many up
for n in $(seq 70); do echo addr add 10.1.$n.1/24 dev many; done | ip -batch -
"""


@tap.case(deadline=120)
def every_interface_that_is_up_goes_down_but_the_loopback():
    """Stock sees those with an IPv4 address only, 64 addresses of them, and takes lolike for a loopback."""
    with Down("ours") as d:
        set_level(d, "0")
        script = INTERFACES + "strace -f -qq -o /dev/null -e inject=reboot:error=EPERM -e inject=sync:retval=0 " \
            "/sbin/halt -d -i 2>/run/err || true\nip -o link > /run/links\n"
        done = d.machine.run(["unshare", "-n", "sh", "-c", script], env={**SHELL_ENV, "INIT_VERSION": "x", "RUNLEVEL": "0"})
        if "Unknown device type" in done.err or "Operation not supported" in done.err:
            tap.skip("this kernel makes no interfaces: " + done.err.strip().splitlines()[0])
        links = {line.split(":")[1].strip(): line.split("<")[1].split(">")[0].split(",")
                 for line in d.machine.read("/run/links").splitlines()}
        tap.equal(sorted(name for name, flags in links.items() if "UP" in flags), ["lo"], "what is up still")
        tap.equal(sorted(links), ["lo", "lolike", "many", "plain", "six"], "what there is")
        tap.check("Operation not permitted" in d.machine.read("/run/err"), "it got to the end")


tap.main()
