# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine whose processes may be killed, and killall5 that is executed nowhere else."""
import contextlib
import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap      # noqa: E402
from machine import Machine, namespace_id, wait_for     # noqa: E402,F401

OUTSIDE = {kind: namespace_id(kind) for kind in ("pid", "mnt")}
REFUSED = 99
STOCK_PATH = "/tmp/stock"       # in the machine


def refuse_outside():
    """Ends a process that could reach anybody but those of a machine. Outside there is a /proc, as was seen above."""
    if os.path.exists("/proc/self") and any(namespace_id(kind) == outside for kind, outside in OUTSIDE.items()):
        os._exit(REFUSED)


def executes(path, argv, uid=0):
    """A function that turns a process of a machine, and no other, into argv."""
    def work():
        refuse_outside()
        if uid:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        execute_raw(path, argv)
    return work


def execute_raw(path, argv):
    """execve(2) with any argv, an empty one and empty strings included."""
    words = [os.fsencode(word) for word in argv]
    libc = ctypes.CDLL(None)
    libc.execve(os.fsencode(path), (ctypes.c_char_p * (len(words) + 1))(*words, None),
                (ctypes.c_char_p * 2)(b"PATH=/sbin:/bin:/usr/sbin:/usr/bin", None))


def killall5(m, *args, path="/sbin/killall5", argv0="killall5", deadline=120, **options):
    """-> Done(status, out, err)"""
    argv = [] if argv0 is None else [argv0, *map(str, args)]
    return m.run(executes(path, argv, options.pop("uid", 0)), deadline, **options)


def install_stock(m):
    """The stock program under STOCK_PATH + "/killall5" and "/pidof"; False: there is none."""
    root = os.environ.get("STOCK_ROOT", "")
    if not os.path.exists(root + "/sbin/killall5"):
        return False
    with open(root + "/sbin/killall5", "rb") as file:
        m.write(STOCK_PATH + "/killall5", file.read(), 0o755)
    if not m.exists(STOCK_PATH + "/pidof"):
        os.symlink("killall5", m.path(STOCK_PATH + "/pidof"))
    return True


def sleeper(m, argv0="sleep", path="/bin/sleep", **options):
    """A process in a session of its own that runs already."""
    def work():
        os.execve(path, [argv0, "100000"], {})
    victim = m.spawn(work, **options)
    wait_for(lambda: name_of(victim.pid) != "python3", "a victim to execute %s" % path)
    return victim


def name_of(pid):
    with open("/proc/%d/comm" % pid) as file:
        return file.read().strip()


def state_of(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rpartition(")")[2].split()[0]


def stopped(m):
    """Pids inside of all that are stopped."""
    return [p.pid for p in m.processes() if p.state == "T"]


@contextlib.contextmanager
def traced(m, argv, *options, path="/sbin/killall5"):
    """killall5 under strace, attached from outside before it is executed. -> (process, a function that reads the trace)"""
    if not shutil.which("strace"):
        tap.skip("no strace here")
    end, start = os.pipe()

    def work():
        os.close(start)
        os.read(end, 1)
        executes(path, argv)()
    process = m.spawn(work, keep=(end, start))
    os.close(end)
    with tempfile.NamedTemporaryFile("r", prefix="killall5.") as trace:
        tracer = subprocess.Popen(["strace", "-q", "-f", "-s", "200", *options, "-p", str(process.pid), "-o", trace.name],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: tracer.poll() is not None or is_traced(process.pid), "strace to attach")
            os.close(start)

            def read():
                tracer.wait(60)
                trace.seek(0)
                return trace.read()
            yield process, read
        finally:
            if tracer.poll() is None:
                tracer.terminate()
                tracer.wait(60)


def is_traced(pid):
    with open("/proc/%d/status" % pid) as file:
        return re.search(r"^TracerPid:\s*[1-9]", file.read(), re.M) is not None


def child_events(pid):
    """Stops and continuations of a child of ours since the last question."""
    found = []
    while True:
        done, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        if not done:
            return found
        found.append("stopped" if os.WIFSTOPPED(status) else "continued" if os.WIFCONTINUED(status) else "ended")
        if found[-1] == "ended":
            return found
