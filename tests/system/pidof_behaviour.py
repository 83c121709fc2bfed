#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pidof: what it finds, side by side with the stock program, and where it does better. All in a machine of its own."""
import contextlib
import ctypes
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import kernel   # noqa: E402
import tap      # noqa: E402
from stuck import GETATTR, LOOKUP, OPEN, StuckFs   # noqa: E402
from victims import Machine, execute_raw, install_stock, name_of, sleeper, state_of, STOCK_PATH, wait_for   # noqa: E402

PIDOF = "/bin/pidof"
SYS_EXIT = {"x86_64": 60, "aarch64": 93}[os.uname().machine]
LONG = "a_name_of_twenty_one_"


def install(m, path):
    """A copy of sleep by another name; -> the name."""
    with open("/bin/sleep", "rb") as file:
        m.write(path, file.read(), 0o755)
    return path


def start(m, path, *argv, cwd="/", **options):
    """A process that runs path already, with any argv."""
    def work():
        os.chdir(cwd)
        execute_raw(path, argv)
    process = m.spawn(work, **options)
    wait_for(lambda: name_of(process.pid) not in ("python3",), "%s to be executed" % path)
    return process


def pidof(m, *args, path=PIDOF, **options):
    """-> (status, out)"""
    done = m.run([path, *map(str, args)], 120, **options)
    return done.status, done.out


def found(m, *args, **options):
    """The numbers it gives."""
    status, out = pidof(m, *args, **options)
    numbers = [int(word) for word in out.split()]
    tap.equal(status, 0 if numbers else 1, "status of pidof %s" % (args,))
    return numbers


@contextlib.contextmanager
def populated():
    """A machine with one of each kind."""
    with Machine("ours") as m:
        install(m, "/opt/d/slp")
        install(m, "/opt/d/" + LONG)
        install(m, "/opt/d/gone")
        m.call(lambda: os.symlink("d/slp", "/opt/lnk"))
        m.write("/opt/d/script", "#!/opt/d/slp 100000\n", 0o755)
        m.write("/opt/d/" + LONG + "script", "#!/bin/sh\nread x </opt/wait\n", 0o755)
        m.call(lambda: os.mkfifo("/opt/wait"))
        start(m, "/opt/d/slp", "/opt/d/slp", "100000")
        start(m, "d/slp", "d/slp", "100000", cwd="/opt")
        start(m, "/opt/lnk", "lnk", "100000")
        start(m, "/opt/d/slp", "nginx: master", "100000")
        start(m, "/opt/d/slp", "-slp", "100000")
        start(m, "/opt/d/slp", "", "100000")
        start(m, "/opt/d/slp", "a)b (c\n", "100000")
        start(m, "/opt/d/" + LONG, LONG, "100000")
        start(m, "/opt/d/gone", "gone", "100000")
        m.call(lambda: os.unlink("/opt/d/gone"))
        start(m, "/opt/d/" + LONG + "script", "/opt/d/" + LONG + "script")
        start(m, "/opt/d/slp", "theirs", "100000", uid=65534)
        m.spawn(zombie_holder)
        wait_for(lambda: m.zombies(), "a zombie")
        for _ in range(12):
            start(m, "/opt/d/slp", "crowd", "100000")
        yield m


def zombie_holder():
    if not os.fork():
        execute_raw("/bin/true", ["true"])
        os._exit(0)
    signal.pause()


def answers(path, commands):
    """Statuses and outputs of all, in one process of the machine."""
    done = [subprocess.run([path, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for argv in commands]
    return [(one.returncode, one.stdout) for one in done]


COMMANDS = [
    ["slp"], ["d/slp"], ["x/slp"], ["/opt/d/slp"], ["/opt/lnk"], ["lnk"], ["nginx"], ["nginx: master"], ["a)b (c\n"],
    [LONG], ["/opt/d/" + LONG], ["gone"], ["/opt/d/gone"], ["-x", LONG + "script"], ["-x", "/opt/d/" + LONG + "script"],
    [LONG + "script"], ["-x", "sh"], ["true"], ["-z", "true"], ["-z", "/bin/true"], ["-s", "slp"], ["-s", "slp", "crowd"],
    ["crowd"], ["crowd", "slp", "crowd"], ["-q", "slp"], ["-q", "nobody"], ["-d", ",", "crowd"], ["-d", "xyz", "slp", "crowd"],
    ["slp", "-s"], ["nobody"], ["nobody", "slp"], [], [""], ["/opt/d/"], ["/"], ["slp/"], ["/nonexistent/slp"], ["-h"],
    ["-h", "-Z"], ["-Z"], ["-o"], ["-c", "slp"], ["-c", "-o", "%PPID", "-x", "/opt/d/slp"], ["-n", "/opt/d/slp"], ["-n", "slp"],
    ["/opt/d/../d/slp"], ["/opt/./lnk"], ["theirs"], ["-x", "theirs"], ["kthreadd"], ["-x", "-s", "-d", ":", "crowd", "slp"],
]


@tap.case(deadline=240)
def both_programs_find_the_same():
    with populated() as m:
        if not install_stock(m):
            tap.skip("no stock program")
        some = found(m, "crowd")
        more = [["-o", "%d" % some[0], "crowd"], ["-o", "%d,%d;%d:7" % tuple(some[:3]), "crowd"], ["-o", ",".join(map(str, some)), "crowd"],
                ["-o", str(some[0]), "-s", "crowd"], ["-o", "x", "-o%d" % some[1], "crowd"]]
        for uid, commands in ((0, COMMANDS + more), (65534, [["slp"], ["theirs"], ["/opt/d/slp"], ["-c", "slp"],
                                                             ["-x", "/opt/d/slp"]])):
            ours, stock = (m.call(lambda: answers(path, commands), 200, uid=uid) for path in (PIDOF, STOCK_PATH + "/pidof"))
            tap.equal([(argv, a, b) for argv, a, b in zip(commands, ours, stock) if a != b], [], "answers that differ, user %d" % uid)


@tap.case(deadline=120)
def numbers_come_in_descending_order():
    with Machine("ours") as m:
        def crowd():
            for _ in range(120):
                os.posix_spawn("/bin/sleep", ["crowd", "100000"], {})
            os.write(tell, b"x")
            signal.pause()
        ready, tell = os.pipe()
        m.spawn(crowd, keep=(tell,))
        tap.equal(os.read(ready, 1), b"x", "the crowd is there")
        wait_for(lambda: len([p for p in m.processes() if p.title.startswith("crowd")]) == 120, "all to execute")
        numbers = found(m, "crowd")
        tap.equal(numbers, sorted(numbers, reverse=True), "the order")


@tap.case()
def it_finds_itself_once():
    with Machine("ours") as m:
        tap.equal(len(found(m, "pidof")), 1, "pidof pidof")


@tap.case()
def the_parent_can_be_left_out():
    with Machine("ours") as m:
        other = sleeper(m)
        tap.equal(m.run(["bash", "-c", "exec -a sleep bash -c 'pidof -o %PPID sleep; echo $?'"]).out,
                  "%d\n0\n" % other.inner_pid(), "with a parent of that name")
        other.end()
        tap.equal(m.run(["bash", "-c", "exec -a sleep bash -c 'pidof -o %PPID sleep; echo $?'"]).out, "1\n", "with no other")


def hide_cmdline(m, process):
    """Whoever reads its command line now hangs."""
    place = "/proc/%d/cmdline" % process.inner_pid()

    def cover():
        if not os.path.exists("/tmp/fifo"):
            os.mkfifo("/tmp/fifo")
        kernel.mount("/tmp/fifo", place, None, kernel.MS_BIND)
    m.call(cover)


@tap.case(deadline=180)
def a_command_line_that_cannot_be_read_holds_up_nobody():
    with Machine("ours") as m:
        stuck = [start(m, install(m, "/opt/stuck"), "/opt/stuck", "100000") for _ in range(2)]
        free = sleeper(m)
        for process in stuck:
            hide_cmdline(m, process)
        wanted = sorted((p.inner_pid() for p in stuck), reverse=True)
        tap.equal(found(m, "sleep"), [free.inner_pid()], "another name")
        tap.equal(found(m, "stuck"), wanted, "by the kernel's name")
        tap.equal(found(m, "/opt/stuck"), wanted, "by the program's file")
        tap.equal(found(m, "-s", "/bin/sleep"), [free.inner_pid()], "another file")
        tap.equal(pidof(m, "-q", "nobody"), (1, ""), "nobody")


@tap.case(deadline=180)
def an_operand_on_a_dead_server_holds_up_no_other_and_can_be_left_alone():
    """Stock hangs with it, SIGKILL or not, and with -n as well."""
    with Machine("ours") as m:
        free = sleeper(m)
        dead = StuckFs(m, "/opt/dead", "prog", "", kind="fuse.sshfs", calls=(LOOKUP, GETATTR, OPEN))
        tap.equal(found(m, "/opt/dead/prog", "sleep"), [free.inner_pid()], "while the server lives")
        dead.hold()
        tap.equal(found(m, "-n", "/opt/dead/prog", "sleep"), [free.inner_pid()], "with -n")
        tap.equal(dead.requests_held(), 0, "what the server was asked with -n")
        tap.equal(found(m, "/opt/dead/prog", "sleep"), [free.inner_pid()], "without")
        tap.check(dead.requests_held() > 0, "it was asked")


@tap.case()
def a_separator_is_a_whole_character():
    """Stock writes the first byte of it."""
    with Machine("ours") as m:
        both = sorted((sleeper(m).inner_pid() for _ in range(2)), reverse=True)
        for text, shown in (("\u00b7", "\u00b7"), ("\u20acx", "\u20ac"), ("x\u00b7", "x")):
            wanted = ("%d%s%d\n" % (both[0], shown, both[1])).encode()
            tap.equal(m.call(lambda text=text: answers(PIDOF, [["-d", text, "sleep"]])), [(0, wanted)], "with " + text)


@tap.case()
def one_filter_does_not_use_up_what_another_leaves_out():
    with Machine("ours") as m:
        older = start(m, install(m, "/opt/jail/slp"), "slp", "100000")

        def enter():
            os.chroot("/opt/jail")
            execute_raw("/slp", ["slp", "100000"])
        # A chroot of only a program would need its libraries: bind them.

        def furnish():
            for name in ("lib", "lib64", "usr"):
                if os.path.isdir("/" + name):
                    os.makedirs("/opt/jail/" + name, exist_ok=True)
                    kernel.mount(os.path.realpath("/" + name), "/opt/jail/" + name, None, kernel.MS_BIND)
        m.call(furnish)
        younger = m.spawn(enter)
        wait_for(lambda: name_of(younger.pid) == "slp", "the one in the jail")
        both = [younger.inner_pid(), older.inner_pid()]
        tap.equal(found(m, "slp"), both, "both")
        tap.equal(found(m, "-s", "slp"), both[:1], "the younger")
        tap.equal(found(m, "-c", "-s", "slp"), both[1:], "the one with our root")
        tap.equal(found(m, "/opt/jail/slp"), both, "by the real path, the one in the jail too")


@tap.case()
def the_same_path_elsewhere_is_not_the_same_file():
    with Machine("ours") as m:
        install(m, "/opt/other/bin/slp")
        ours = install(m, "/usr/local/bin/lsh")

        def elsewhere():
            kernel.unshare(kernel.CLONE_NEWNS)
            kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
            kernel.mount("/opt/other/bin/slp", ours, None, kernel.MS_BIND)
            execute_raw(ours, [ours, "100000"])
        away = m.spawn(elsewhere)
        wait_for(lambda: name_of(away.pid) == "lsh", "the one with mounts of its own")
        me = away.inner_pid()
        tap.equal(m.call(lambda: os.readlink("/proc/%d/exe" % me)), ours, "what its link says")
        tap.equal(found(m, ours), [], "nobody that runs our file")
        here = start(m, ours, "lsh", "100000")
        tap.equal(found(m, ours), [here.inner_pid()], "the one that runs our file")


@tap.case()
def a_claim_is_believed_of_root_alone():
    with Machine("ours") as m:
        liar = start(m, "/bin/sleep", "/usr/bin/true", "100000", uid=65534)
        tap.equal(found(m, "/usr/bin/true"), [], "a stranger's claim")
        tap.equal(found(m, "-x", "/usr/bin/true"), [], "the same with -x")
        tap.equal(found(m, "/usr/bin/true", uid=65534), [liar.inner_pid()], "his own pidof")
        honest = start(m, "/bin/sleep", "/usr/bin/true", "100000")
        tap.equal(found(m, "/usr/bin/true"), [honest.inner_pid()], "root's claim")


@tap.case()
def old_and_new_are_found_after_an_upgrade():
    with Machine("ours") as m:
        m.call(lambda: os.makedirs("/opt/usr/bin"))
        m.call(lambda: os.symlink("usr/bin", "/opt/bin"))
        old = start(m, install(m, "/opt/usr/bin/slp"), "slp", "100000")
        install(m, "/opt/usr/bin/slp")
        new = start(m, "/opt/usr/bin/slp", "slp", "100000")
        wanted = [new.inner_pid(), old.inner_pid()]
        tap.equal(found(m, "/opt/usr/bin/slp"), wanted, "by the real path")
        tap.equal(found(m, "/opt/bin/slp"), wanted, "through a link")
        m.call(lambda: os.unlink("/opt/usr/bin/slp"))
        tap.equal(found(m, "/opt/bin/slp"), wanted, "through a link, when there is no such file any more")


@tap.case()
def a_process_whose_first_thread_has_ended_is_found():
    def first_thread_ends():
        import threading
        threading.Thread(target=signal.sigwait, args=([signal.SIGUSR1],)).start()
        ctypes.CDLL(None).syscall(SYS_EXIT, 0)
    with Machine("ours") as m:
        m.write("/opt/half.py", "import sys\n")
        half = m.spawn(first_thread_ends)
        wait_for(lambda: state_of(half.pid) == "Z", "the first thread to end")
        me = half.inner_pid()
        exe = m.call(lambda: os.readlink("/proc/%d/task/%s/exe" % (me, [t for t in os.listdir("/proc/%d/task" % me) if t != str(me)][0])))
        tap.check(me in found(m, exe), "by its program's file")
        tap.check(me in found(m, os.path.basename(m.process(1).title.split()[0])), "by its name")


@tap.case()
def a_long_name_behind_a_title_is_found():
    with Machine("ours") as m:
        titled = start(m, install(m, "/opt/" + LONG), "a title with blanks", "100000")
        tap.equal(found(m, LONG), [titled.inner_pid()], "the whole name")
        tap.equal(found(m, LONG[:15]), [titled.inner_pid()], "as much as the kernel keeps")
        tap.equal(found(m, LONG + "x"), [], "more than the name")


@tap.case()
def complaints_come_where_no_terminal_is():
    with Machine("ours") as m:
        for argv in (["-Z"], ["-o"], ["-d", "", "x"]):
            done = m.run([PIDOF, *argv])
            tap.equal((done.status, done.out, done.err), (1, "", "pidof: invalid options on command line!\n"), "pidof %s" % argv)
        done = m.run([PIDOF, "-o", "x,-1", "sh"])
        tap.equal(done.err, "pidof: illegal omit pid value (x)!\npidof: illegal omit pid value (-1)!\n", "numbers that are none")


@tap.case()
def lost_output_is_an_error():
    with Machine("ours") as m:
        sleeper(m)
        full = os.open("/dev/full", os.O_WRONLY)
        process = m.spawn([PIDOF, "sleep"], out=full)
        tap.equal(process.wait(), 1, "on a full device")
        process = m.spawn([PIDOF, "-q", "sleep"], out=full)
        tap.equal(process.wait(), 0, "when nothing is to be written")
        os.close(full)


@tap.case()
def someone_elses_process_is_not_guessed_by_a_path_that_does_not_exist():
    with Machine("ours") as m:
        start(m, "/bin/sleep", "foo", "100000")
        tap.equal(found(m, "/nonexist/foo", uid=65534), [], "as nobody")


@tap.case()
def help_and_version_are_given():
    with Machine("ours") as m:
        tap.equal(pidof(m, "--help"), pidof(m, "-h"), "--help is -h")
        status, out = pidof(m, "--version")
        tap.check(status == 0 and out.startswith("pidof (sysvinit) "), "--version: %r" % out)


@tap.case(deadline=120)
def a_storm_of_forks_does_not_disturb_it():
    def storm():
        while True:
            pid = os.fork()
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)
    with Machine("ours") as m:
        steady = sleeper(m, argv0="steady")
        for _ in range(2):
            m.spawn(storm)
        wanted = (0, b"%d\n" % steady.inner_pid())
        tap.equal(m.call(lambda: answers(PIDOF, [["steady"]] * 100), 100), [wanted] * 100, "in the storm")


tap.main()
