#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""shutdown(8) beside the stock binary, option by option, where both must do the same; what init is asked, and the words for
users and mistakes, are compared in shutdown_hands_over.py, times and warnings in shutdown_counts_down.py, -a in
shutdown_access.py.

-n: the same calls and programs in the same order. Ours makes acct(2) itself, makes the root read-only and syncs again, lets
init go on when the kernel refuses, and does switch the power off with -P.
"""
import contextlib
import os
import re

from downing import PID_FILE, Down, tap, wait_for
from straced import whole_calls

STUB = "#!/bin/sh\nexit 0\n"
HANGING = "#!/bin/sh\nuntil [ -e /run/over ]; do sleep 0.1; done\n"
PROGRAMS = ["/sbin/accton", "/usr/sbin/accton", "/sbin/quotaoff", "/sbin/swapoff", "/bin/umount", "/sbin/umount", "/bin/mount"]
TRACED = "reboot,kill,sync,acct,execve,clock_nanosleep,write"
INJECTED = ["-e", "inject=sync,kill,acct,reboot:retval=0"]
STEPS = [
    (re.compile(r"kill\((-?\d+), (\w+)"), lambda m: "kill %s %s" % m.groups()),
    (re.compile(r"reboot\(.*LINUX_REBOOT_CMD_(\w+)"), lambda m: "reboot " + m.group(1)),
    (re.compile(r"sync\("), lambda m: "sync"),
    (re.compile(r"acct\(NULL"), lambda m: "accounting off"),
    (re.compile(r'execve\("[^"]*/accton", .*= 0'), lambda m: "accounting off"),
    (re.compile(r'execve\("[^"]*/(\w+)", \["[^"]*"(?:, (.*))?\], .*= 0'),
     lambda m: " ".join([m.group(1), *re.findall(r'"([^"]*)"', m.group(2) or "")])),
    (re.compile(r"clock_nanosleep\(.*\{tv_sec=(\d+), tv_nsec=0\}"), lambda m: "sleep " + m.group(1)),
    (re.compile(r'write\(2, "([^"]*)"'), lambda m: "say " + m.group(1).replace("\\r\\n", "")),
    (re.compile(r'write\(\d+, "\\1\\0.*~~.*shutdown.*, 384'), lambda m: "record"),
]
# What all of -n begin with, with a second given.
ENDING = ["kill 1 SIGTSTP", "say shutdown: sending all processes the TERM signal...", "kill -1 SIGTERM", "sleep 1",
          "say shutdown: sending all processes the KILL signal.", "kill -1 SIGKILL", "record", "accounting off", "quotaoff -a",
          "sync", "say shutdown: turning off swap", "swapoff -a", "say shutdown: unmounting all file systems", "umount -a"]
BETTER = ["mount -n -o remount,ro /", "sync"]
HALTED = "say The system is halted. Press CTRL-ALT-DEL or turn off power"
REBOOTING = "say Please stand by while rebooting the system."
ALONE = ["reboot CAD_ON", "kill 1 SIGTSTP"]      # as halt(8) does
GO_ON = ["reboot CAD_OFF", "kill 1 SIGCONT"]
# options, the end of ours, the end of stock
DIRECT = [
    (["-r"], [REBOOTING, "reboot RESTART"], [REBOOTING, "reboot RESTART"]),
    (["-h"], [HALTED, *ALONE, "reboot HALT"], [HALTED, "reboot HALT"]),
    (["-h", "-H"], [HALTED, *ALONE, "reboot HALT"], [HALTED, "reboot HALT"]),
    (["-h", "-P"], [*ALONE, "reboot POWER_OFF", "reboot HALT"], [HALTED, "reboot HALT"]),
]


def steps(text):
    found = []
    for line in whole_calls(text):
        for pattern, word in STEPS:
            match = pattern.match(line)
            if match:
                found.append(word(match))
                break
    begun = found.index("kill 1 SIGTSTP") if "kill 1 SIGTSTP" in found else len(found)
    return found[begun:]


@contextlib.contextmanager
def both():
    with Down("ours") as ours, Down("stock") as stock:
        yield ours, stock


@tap.case(deadline=240)
def without_init_the_same_is_done_in_the_same_order():
    with both() as pair:
        for d in pair:
            d.machine.syslog.start()
            for name in PROGRAMS:
                d.machine.write(name, STUB, 0o755)
        for options, mine, theirs in DIRECT:
            for d, end in zip(pair, (BETTER + mine + GO_ON, theirs)):
                what = "%s's shutdown -n %s" % (d.which, " ".join(options))
                done = d.machine.run(["strace", "-f", "-qq", "-s", "400", "-o", "/tmp/calls", "-e", "trace=" + TRACED, *INJECTED,
                                      "/sbin/shutdown", "-n", "-t", "1", *options, "now"], deadline=120)
                tap.equal(steps(d.machine.read("/tmp/calls")), ENDING + end, "what is done by " + what)
                tap.equal(done.status, 0, "the status of " + what)
                tap.equal(d.requests(), [], "what init is asked by " + what)
                if d.which == "ours":
                    tap.equal(d.left_files(), [], "what is left by " + what)
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(d.path(PID_FILE))


def direct(d, *words, refused=False, env=()):
    """shutdown -n by a clock that jumps, with nobody killed and nothing unmounted. -> the process; what it calls stands in /tmp/calls"""
    env = {"LD_PRELOAD": "/run/fakeclock.so", "FAKE_EPOCH": "1795600800", **dict(env)}
    calls = ["-e", "inject=sync,kill,acct:retval=0", "-e", "inject=reboot:" + ("error=EPERM" if refused else "retval=0")]
    d.machine.write("/tmp/calls", "")
    return d.machine.spawn(["strace", "-f", "-qq", "-s", "400", "-o", "/tmp/calls", "-e", "trace=%s,openat" % TRACED, *calls,
                          *(word for pair in env.items() for word in ("-E", "=".join(pair))), "/sbin/shutdown", "-n", "-t", "1", *words], err=os.memfd_create("said"))


def stubs(d, **texts):
    d.machine.syslog.start()
    for name in PROGRAMS:
        d.machine.write(name, texts.get(os.path.basename(name), STUB), 0o755)


@tap.case(deadline=240)
def what_outlives_a_reboot_is_gone_before_it():
    """Stock leaves nologin and its pid file, which a disk keeps over the reboot."""
    with Down("ours") as d:
        stubs(d)
        tap.equal(direct(d, "-r", "+5").wait(120), 0, "its end")
        tap.check(re.search(r'openat\(.*"/etc/nologin.*O_CREAT.*= \d', d.machine.read("/tmp/calls")), "there was a nologin")
        tap.equal(d.left_files(), [], "what is left")


@tap.case(deadline=240)
def a_kernel_that_refuses_is_told_of_and_init_goes_on():
    """Stock ends with 0."""
    with Down("ours") as d:
        stubs(d)
        for words, end in ((["-r"], ["reboot RESTART"]), (["-h"], [*ALONE, "reboot HALT"]), (["-h", "-P"], [*ALONE, "reboot POWER_OFF", "reboot HALT"])):
            tap.equal(direct(d, *words, "now", refused=True).wait(120), 1, "its end with " + " ".join(words))
            done = steps(d.machine.read("/tmp/calls"))
            tap.check("say shutdown: the kernel refuses to end the system: Operation not permitted\\n" in done, "it is told: %r" % done)
            calls = [step for step in done if not step.startswith("say ")]
            tap.equal(calls[-len(end + GO_ON):], end + GO_ON, "the last calls with " + " ".join(words))


@tap.case(deadline=240)
def a_command_that_does_not_end_is_left_behind():
    """Stock waits for it."""
    with Down("ours") as d:
        stubs(d, swapoff=HANGING, umount=HANGING)
        process = direct(d, "-r", "now")
        wait_for(lambda: "LINUX_REBOOT_CMD_RESTART" in d.machine.read("/tmp/calls"), "the kernel to be asked", 120)
        d.machine.write("/run/over", "")        # strace waits for all.
        tap.equal(process.wait(120), 0, "its end")
        said = "\n".join(steps(d.machine.read("/tmp/calls")))
        for name in ("/sbin/swapoff", "/bin/umount"):
            tap.check("say %s\nsay : does not end, going on without it\n" % name in said, "%s is told of:\n%s" % (name, said))


def shown(term, ending):
    wait_for(lambda: term.text().endswith(ending), "%r on the terminal" % ending)
    return re.sub(r"\w{3} \w{3} +\d+ [\d:]{8} \d{4}", "DATE", term.text())


@tap.case(deadline=120)
def calling_off_is_the_same():
    with both() as pair:
        found = []
        for d in pair:
            seen = [d.run("shutdown", "-c"), d.requests()]
            for words in ([], ["never", "mind"]):
                out = os.memfd_create("out")
                process = d.waiting("-r", "+40", out=out)
                # A second one, while this one waits.
                seen.append(d.run("shutdown", "-h", "now"))
                d.machine.write("/run/utmp", "")
                term = d.terminal()
                seen.append(d.run("shutdown", "-c", *words))
                seen.append((process.wait(), os.pread(out, 4096, 0), d.requests(), d.left_files()))
                if words:
                    seen.append(shown(term, "never mind \r\n"))
            found.append(seen)
        tap.equal(found[0], found[1], "what ours does, and stock")
        tap.check(found[0][0].err.startswith("shutdown: cannot find pid"), "nothing to call off: %r" % (found[0][0],))
        tap.equal(found[0][2].err, "\rshutdown: already running.\r\n", "a second one")


@tap.case(deadline=120)
def only_warning_is_the_same():
    with both() as pair:
        found = []
        for d in pair:
            d.machine.syslog.start()
            term = d.terminal()
            done = d.run("shutdown", "-k", "-h", "now", "only", "a\ttest\x1b[2J")
            found.append((done, shown(term, "NOW!\r\n"), d.requests(), d.machine.syslog.texts("shutdown"), d.left_files()))
        tap.equal(found[0], found[1], "what ours does, and stock")


@tap.case(deadline=120)
def the_time_as_an_option_is_the_same():
    with both() as pair:
        for words in (["-g", "now", "-r", "bye"], ["-gnow", "-h"], ["-h", "-g", "0", "now"], ["-g", "+0", "-r", "5"]):
            found = []
            for d in pair:
                d.machine.write("/run/utmp", "")
                term = d.terminal()
                done = d.run("shutdown", *words)
                found.append((done, d.requests(), shown(term, "NOW!\r\n")))
            tap.equal(found[0], found[1], "what ours and stock do of " + " ".join(words))
        for words in (["-g", "nonsense", "-r"], ["-r", "-g"]):
            done = [d.run("shutdown", *words) for d in pair]
            tap.equal(*[(d.status, d.err.splitlines()[0]) for d in done], "what ours and stock say of " + " ".join(words))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(pair[1].path(PID_FILE))


@tap.case(deadline=120)
def the_files_are_the_same():
    with both() as pair:
        found = []
        for d, nologin in zip(pair, ("/etc/nologin", "/run/nologin")):
            process = d.waiting("-f", "-F", "-r", "+4", "bye")
            wait_for(lambda: d.machine.exists(nologin) and d.machine.read(nologin).endswith("bye \r\n"), nologin)
            names = [nologin, "/fastboot", "/forcefsck", PID_FILE]
            found.append([(os.stat(d.path(name)).st_mode, d.machine.read(name)) for name in names])
            tap.equal(found[-1][3][1], "%d\n" % process.inner_pid(), d.which + "'s pid file")
            tap.equal(d.run("shutdown", "-c").status, 0, "a cancel")
            process.wait()
            tap.equal(d.left_files(), [], "what %s leaves" % d.which)
            d.requests()
        for seen in found:
            seen[0] = (seen[0][0], re.sub(r"\w{3} \w{3} +\d+ [\d:]{8} \d{4}", "DATE", seen[0][1]))
            seen[3] = seen[3][0]
        tap.equal(found[0], found[1], "nologin, the flags, the pid file: modes and texts")
        tap.equal(found[0][0][1], "\rThe system is going down on DATE\n\r\nbye \r\n", "nologin")


tap.main()
