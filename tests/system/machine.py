# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine made of name spaces, in which an init is pid 1: nothing it does gets out.

    with Machine(subject(), pids_cgroup=True) as m:     # laid out, init not yet running
        m.write("/etc/inittab", TEXT)
        m.syslog.start()                        # optional: nobody reads /dev/log until then
        m.boot("3")                             # executes /sbin/init 3
        wait_for(lambda: "Entering runlevel: 3" in m.console.lines(), "the level to be entered")
        m.telinit("2"); m.request(CMD_RUNLVL, "2", sleeptime=1); m.signal(signal.SIGHUP)

subject()       "stock" when the environment has STOCK=1, else "ours"; Machine("stock") and
                Machine("ours") name it. INIT_ROOT (default: build/root) and STOCK_ROOT hold the
                installed trees.
Machine         Root: an overlay of the tree over /, written to a tmpfs; /proc, /run, /tmp, /dev and
                /dev/pts of its own; empty utmp and wtmp; no inittab. Needs root. Everything is gone
                when the context is left, or when the test dies in whatever way.
  .pid          pid 1 as seen from here
  .poll_status()    None while it lives, then ("exited", status) or ("killed", signal)
  .boot(*args, env={}, argv0=...)
  .path(P)      where the test sees the machine's file P (its links are followed inside);
                .read(P) .write(P, text, mode) .append(P, text) .exists(P)
  .run([...])   a command inside -> Done(status, out, err); works when pid 1 is stuck
  .call(f)      the same with python code; returns and raises here what it does there
  .spawn(argv or f) -> Process, not waited for
  .telinit(*args)   the installed telinit, which must exit with 0
  .request(cmd, level, sleeptime, data)     384 bytes for /run/initctl; .initctl(bytes) any bytes
  .signal(n)    to pid 1
  .processes()  [Proc(pid inside, ppid, state, session, tty, comm, title)]; .zombies() .title(pid=1)
  .helpers()    {"console": pid, ...} of ours
  .console      sinks.Console: .text() .lines() .pause() .resume() .fill() .xoff() .xon() .type(b"")
                .remove() .put_back() .revoke() .hang_up() .attach()
  .syslog       sinks.Syslog: .start(kind) .stop() .go_on() .end() .kill() .lines() .texts()
  .utmp() .wtmp()   [sinks.Record]
  .pids         with pids_cgroup=True: .limit(n or None), .current()
  .loop_ext4(P) mounts a fresh ext4 there; .freeze(P) .thaw(P)
  .promptness() seconds that pid 1 left an orphan lying; .orphan() .watch() .strace(): probe.py
  .describe()   text for a failure report

wait_for(condition, what, deadline=30) -> the true value; raises tap.Failed with what it waited for.
A test stays single-threaded: name spaces are entered by forking.
"""
import collections
import contextlib
import errno
import fcntl
import json
import os
import pickle
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import borrowed     # noqa: E402
import kernel       # noqa: E402
import probe        # noqa: E402
import sinks        # noqa: E402
import tap          # noqa: E402
from sinks import wait_for           # noqa: E402,F401
from borrowed import MachineError    # noqa: E402
from stage import namespace_id       # noqa: E402

CMD_START, CMD_RUNLVL, CMD_POWERFAIL, CMD_POWERFAILNOW, CMD_POWEROK = range(5)
CMD_BSD, CMD_SETENV, CMD_UNSETENV = range(5, 8)
MAGIC = 0x03091969
KERNEL_ENV = {"HOME": "/", "TERM": "linux"}
SHELL_ENV = {"PATH": "/sbin:/usr/sbin:/bin:/usr/bin", **KERNEL_ENV,
             **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}}
Done = collections.namedtuple("Done", "status out err")
OTHER_NAMESPACES = {"uts": kernel.CLONE_NEWUTS, "ipc": kernel.CLONE_NEWIPC,
                    "mnt": kernel.CLONE_NEWNS}
Proc = collections.namedtuple("Proc", "pid ppid state session tty comm title")


def subject():
    return "stock" if os.environ.get("STOCK") == "1" else "ours"


def tree_of(which):
    """Of "ours" or "stock", which must hold an init; a directory with whatever else is itself."""
    if os.path.isabs(which):
        return which
    if which == "stock":
        tree = os.environ.get("STOCK_ROOT")
        if not tree:
            raise MachineError("STOCK_ROOT names no directory with the stock sbin/init")
    else:
        tree = os.environ.get("INIT_ROOT") or os.path.join(HERE, "../../build/root")
    tree = os.path.abspath(tree)
    if not os.access(os.path.join(tree, "sbin/init"), os.X_OK):
        raise MachineError(tree + "/sbin/init cannot be executed")
    return tree


def request_bytes(cmd, level="", sleeptime=0, data=b"", magic=MAGIC):
    number = ord(level) if isinstance(level, str) and level else level or 0
    return struct.pack("=iiii368s", magic, cmd, number, sleeptime, data)


class Process:
    """A process in the machine, child of the test. .pid as seen from here."""

    def __init__(self, pid):
        self.pid = pid
        self.status = None

    def wait(self, deadline=30):
        """-> exit status, or -signal."""
        if self.status is None:
            pidfd = os.pidfd_open(self.pid)
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            done = poll.poll(deadline * 1000)
            os.close(pidfd)
            if not done:
                raise tap.Failed("process %d inside did not end within %g s" % (self.pid, deadline))
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def inner_pid(self):
        with open("/proc/%d/status" % self.pid) as file:
            return next(int(line.split()[-1]) for line in file if line.startswith("NSpid:"))

    def kill(self, signo=signal.SIGKILL):
        if self.status is None:
            os.kill(self.pid, signo)

    def end(self):
        self.kill()
        self.wait()


class Machine:
    def __init__(self, which, pids_cgroup=False):
        if os.geteuid() != 0:
            raise MachineError("root is needed for name spaces, mounts and ttys")
        self.which = which
        self.status = None
        self.booted = False
        self._children = []
        self._exits = contextlib.ExitStack()
        try:
            self.pids = self._exits.enter_context(borrowed.PidsCgroup()) if pids_cgroup else None
            self._start_keeper()
            self._exits.callback(self._end_children)
            self.syslog = sinks.Syslog(self)
            self._exits.callback(self.syslog.close)
            self.console = sinks.Console(self)
            self._exits.callback(self.console.close)
            if self.pids:
                self.pids.add(self.pid)
        except BaseException:
            self._exits.close()
            raise

    # ------------------------------------------------------------------------------ life and death

    def _start_keeper(self):
        self._control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._talk, talk = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        options = {"control": control.fileno(), "stage": talk.fileno(), "tree": tree_of(self.which),
                   "cgroup": self.pids.handle if self.pids else None,
                   "outside": {kind: namespace_id(kind) for kind in ("pid", "mnt")}}
        passed = [control.fileno(), talk.fileno()] + ([self.pids.handle[0]] if self.pids else [])
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", os.path.join(HERE, "stage.py"), json.dumps(options)],
            stdin=subprocess.DEVNULL, pass_fds=passed, start_new_session=True)
        control.close()
        talk.close()
        self._exits.callback(self._stop_keeper)
        self._control.settimeout(30)
        self._talk.settimeout(60)
        word = self._control.recv(64).split()
        if word[:1] != [b"pid"]:
            raise MachineError("the keeper of the machine did not start")
        self.pid = int(word[1])
        self._expect_ready()
        self._control.setblocking(False)
        self.root = "/proc/%d/root" % self._keeper.pid
        for kind in ("pid", "mnt"):
            if namespace_id(kind, self.pid) == namespace_id(kind):
                raise MachineError("the machine shares its %s name space with the test" % kind)
        self._namespaces = {}
        for kind in ("pid", "mnt", "uts", "ipc"):
            self._namespaces[kind] = os.open("/proc/%d/ns/%s" % (self.pid, kind), os.O_RDONLY)
            self._exits.callback(os.close, self._namespaces[kind])
        self._own_pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
        self._exits.callback(os.close, self._own_pid_namespace)

    def _expect_ready(self):
        word = self._talk.recv(8192)
        if word != b"ready":
            raise MachineError("the machine could not be laid out: " + word.decode())

    def _stop_keeper(self):
        self._control.close()
        self._talk.close()
        self._keeper.wait(60)

    def _end_children(self):
        for process in self._children:
            if process.status is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process.pid, 0)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind and not issubclass(kind, (tap.Skip, KeyboardInterrupt, SystemExit)):
            tap.diag("%s: %s" % (kind.__name__, error))
            tap.diag(self.describe())
        self._exits.close()

    def on_close(self, function):
        """Called before anything of the machine is taken down."""
        self._exits.callback(function)

    def boot(self, *args, env=None, argv0="/sbin/init", left_open=0):
        """Executes init with the arguments and the environment that a kernel would give it; left_open: so many descriptors more."""
        order = {"argv": [argv0, *args], "env": {**KERNEL_ENV, **(env or {})}, "left_open": left_open}
        self._talk.send(json.dumps(order).encode())
        answer = self._talk.recv(8192)      # the socket closes on exec
        if answer:
            raise MachineError("init was not executed: " + answer.decode())
        self.booted = True

    def poll_status(self):
        """None while pid 1 lives; afterwards ("exited", status) or ("killed", signal)."""
        if self.status is None:
            try:
                word = self._control.recv(64).split()
            except BlockingIOError:
                return None
            code, status = int(word[1]), int(word[2])
            self.status = ("exited" if code == os.CLD_EXITED else "killed", status)
        return self.status

    # --------------------------------------------------------------------------------------- files

    def path(self, name):
        """Follows links as the machine does: an absolute one must not lead into our own root."""
        done, left, turns = [], [p for p in name.split("/") if p], 0
        while left:
            part = left.pop(0)
            if part in (".", ""):
                continue
            if part == "..":
                done = done[:-1]
                continue
            here = "/".join([self.root, *done, part])
            try:
                target = os.readlink(here)
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.ENOENT, errno.ENOTDIR):
                    raise
                done.append(part)
                continue
            turns += 1
            if turns > 40:
                raise OSError(errno.ELOOP, name)
            if target.startswith("/"):
                done = []
            left[:0] = target.split("/")
        return "/".join([self.root, *done])

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read().decode("latin-1")

    def write(self, name, text, mode=0o644):
        """In place of what was there, in one step, as an editor or a package manager does it."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode("latin-1"))
            os.fchmod(file.fileno(), mode)
        os.rename(path + ".new", path)

    def append(self, name, text):
        with open(self.path(name), "ab") as file:
            file.write(text if isinstance(text, bytes) else text.encode("latin-1"))

    def utmp(self):
        return sinks.read_records(self.path("/var/run/utmp"))

    def wtmp(self):
        return sinks.read_records(self.path("/var/log/wtmp"))

    # ---------------------------------------------------------------------------- processes inside

    def _fork_inside(self, work):
        """A child of ours with a pid in the machine; it enters the other name spaces and works."""
        kernel.setns(self._namespaces["pid"], kernel.CLONE_NEWPID)
        sys.stdout.flush()
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid:
                kernel.setns(self._own_pid_namespace, kernel.CLONE_NEWPID)
        if pid:
            process = Process(pid)
            self._children.append(process)
            return process
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for signo in (signal.SIGINT, signal.SIGALRM, signal.SIGTERM, signal.SIGPIPE):
                signal.signal(signo, signal.SIG_DFL)
            kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
            for kind, flag in OTHER_NAMESPACES.items():
                kernel.setns(self._namespaces[kind], flag)
            os.setsid()
            kernel.forbid_machine_wide_acts()
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(120)

    @staticmethod
    def _descriptors(stdin, out, err, keep):
        null = os.open("/dev/null", os.O_RDWR)
        for target, source in enumerate((stdin, out, err)):
            os.dup2(null if source is None else source, target)
        sinks.close_all_but(set(keep))

    def spawn(self, what, stdin=None, out=None, err=None, uid=0, env=None, keep=()):
        """what: argv, or a function. Descriptors default to /dev/null; others: keep."""
        def work():
            self._descriptors(stdin, out, 2 if err is None else err, keep)
            if uid:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            if callable(what):
                what()
            else:
                os.execvpe(what[0], what, SHELL_ENV if env is None else env)
        shed = sinks.Shedding()
        process = self._fork_inside(work)
        shed.wait()
        return process

    def run(self, argv, deadline=30, data=b"", **options):
        """Waits for its end. -> Done(status or -signal, out, err)"""
        files = [os.memfd_create("run") for _ in range(3)]
        try:
            os.pwrite(files[0], data, 0)
            process = self.spawn(argv, *files, **options)
            status = process.wait(deadline)
            self._children.remove(process)
            return Done(status, *(os.pread(fd, 1 << 24, 0).decode("latin-1") for fd in files[1:]))
        finally:
            for fd in files:
                os.close(fd)

    def call(self, function, deadline=30, **options):
        """function() inside; gives back what it returns and raises what it raises."""
        answer = os.memfd_create("call")

        def work():
            try:
                result = (True, function())
            except Exception as error:
                result = (False, error)
            os.pwrite(answer, pickle.dumps(result), 0)
        try:
            done = self.run(work, deadline, keep=(answer, *options.pop("keep", ())), **options)
            if done.status:
                raise MachineError("a call inside ended with %d: %s" % (done.status, done.err))
            good, value = pickle.loads(os.pread(answer, 1 << 26, 0))
        finally:
            os.close(answer)
        if not good:
            raise value
        return value

    # ------------------------------------------------------------------------------- asking pid 1

    def telinit(self, *args, deadline=30):
        wait_for(lambda: self.exists("/run/initctl"), "/run/initctl to be made", deadline)
        done = self.run(["/sbin/telinit", *args], deadline)
        tap.check(done.status == 0, "telinit %s exits with 0; found %r" % (" ".join(args), done))

    def request(self, cmd, level="", sleeptime=0, data=b"", deadline=30):
        self.initctl(request_bytes(cmd, level, sleeptime, data), deadline)

    def initctl(self, data, deadline=30):
        """Raw bytes, in pieces that the pipe takes whole."""
        path = self.path("/run/initctl")
        fd = wait_for(lambda: self._open_fifo(path), "a reader of /run/initctl", deadline)
        end = time.monotonic() + deadline
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        try:
            for at in range(0, len(data), 384):
                while True:
                    left = end - time.monotonic()
                    if left < 0 or not poll.poll(left * 1000):
                        raise tap.Failed("init does not read its requests")
                    with contextlib.suppress(BlockingIOError):
                        os.write(fd, data[at:at + 384])
                        break
        finally:
            os.close(fd)

    def takes_requests(self):
        """Somebody has /run/initctl open for reading."""
        fd = self._open_fifo(self.path("/run/initctl"))
        if fd is not None:
            os.close(fd)
        return fd is not None

    def unread_requests(self):
        """Bytes that lie in /run/initctl."""
        fd = os.open(self.path("/run/initctl"), os.O_RDONLY | os.O_NONBLOCK)
        try:
            return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0]
        finally:
            os.close(fd)

    @staticmethod
    def _open_fifo(path):
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in (errno.ENXIO, errno.ENOENT):
                return None
            raise

    def signal(self, signo):
        if self.poll_status() is None:
            os.kill(self.pid, signo)

    # ------------------------------------------------------------------------------------ looking

    def processes(self):
        return [p for p in map(self._process, self._pids()) if p]

    def _pids(self):
        return sorted(int(name) for name in os.listdir(self.root + "/proc") if name.isdigit())

    def _process(self, pid):
        place = "%s/proc/%d" % (self.root, pid)
        try:
            with open(place + "/stat", "rb") as file:
                stat = file.read()
            with open(place + "/cmdline", "rb") as file:
                title = file.read().rstrip(b"\0").replace(b"\0", b" ").decode("latin-1")
        except (FileNotFoundError, ProcessLookupError):
            return None
        comm, _, rest = stat.partition(b"(")[2].rpartition(b")")
        fields = rest.split()
        return Proc(pid, int(fields[1]), fields[0].decode(), int(fields[3]), int(fields[4]),
                    comm.decode("latin-1"), title)

    def process(self, pid):
        return self._process(pid)

    def zombies(self):
        return [p for p in self.processes() if p.state == "Z"]

    def title(self, pid=1):
        found = self._process(pid)
        return found.title.rstrip() if found else None

    def helpers(self):
        """{"console": pid, ...} of ours, by their titles."""
        return {p.title.rstrip()[len("init [log: "):-1]: p.pid for p in self.processes()
                if p.ppid == 1 and p.title.startswith("init [log: ")}

    def orphan(self):
        return probe.Orphan(self)

    def promptness(self, deadline=30):
        """Seconds that a dead orphan waited for pid 1, those without a processor not counted."""
        return probe.Orphan(self).die(deadline)

    def watch(self):
        return probe.Watch(self.pid)

    def strace(self):
        return probe.Strace(self.pid)

    def describe(self):
        said = ["machine: %s, status %r" % (self.which, self.poll_status())]
        with contextlib.suppress(OSError):
            said.append("pid 1: %s" % (probe.look(self.pid),))
        with contextlib.suppress(OSError):
            found = self.processes()
            said += ["  %s" % (p,) for p in found[:40]] + ["  ... %d processes in all" % len(found)]
        said.append("console: " + repr(self.console.text()[-1500:]))
        said.append("syslog: %r" % [line.text for line in self.syslog.lines()[-15:]])
        return "\n".join(said)

    # ------------------------------------------------------------------------------- file systems

    def loop_ext4(self, place, size=16 << 20):
        """A fresh ext4 on a loop device over memory; it goes with the machine."""
        memory = os.memfd_create("disk")
        try:
            os.ftruncate(memory, size)
            subprocess.run(["mkfs.ext4", "-q", "-F", "/proc/self/fd/%d" % memory], check=True,
                           pass_fds=[memory], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            device, number = borrowed.attach_loop(memory)
        finally:
            os.close(memory)

        def mount():
            os.makedirs(place, exist_ok=True)
            name = "/dev/loop%d" % number
            if not os.path.exists(name):
                os.mknod(name, 0o060600, os.makedev(7, number))
            kernel.mount(name, place, "ext4")
        try:
            self.call(mount)
        finally:
            os.close(device)        # from now on the mount alone holds it

    def freeze(self, place):
        self._freezing(place, kernel.FIFREEZE)

    def thaw(self, place):
        self._freezing(place, kernel.FITHAW)

    def _freezing(self, place, what):
        fd = os.open(self.path(place), os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, what, 0)
        finally:
            os.close(fd)
