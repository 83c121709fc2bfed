# SPDX-License-Identifier: GPL-2.0-or-later
"""The two processes between a test and the init that it looks at; machine.py starts this program.

keeper: child of the test, outside the pid name space, inside the mount name space. It takes
        everything down when its control socket closes, as it does however the test ends.
stage:  child of the keeper, pid 1 of the name space: it lays out the root, then waits for the word
        and executes init.

Each refuses to go on where an init could reach the machine that the test runs on.
"""
import fcntl
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel  # noqa: E402

NAMESPACES = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC
NODES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9),
         "tty": (5, 0)}
LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2",
         "ptmx": "pts/ptmx"}
SCRATCH = "/sys"    # a directory that every system has; covered in our own mount name space only


def namespace_id(kind, who="self"):
    return os.readlink("/proc/%s/ns/%s" % (who, kind))


def refuse_unless(condition, what):
    if not condition:
        raise SystemExit("stage: refusing to go on: " + what)


def refuse_shared_mounts():
    with open("/proc/self/mountinfo") as table:
        for line in table:
            optional = line.split(" - ")[0].split()[6:]
            refuse_unless(not optional, "a mount is not private: " + line.strip())


def copy_tree(tree, target):
    """/sbin may be a link to usr/sbin; a directory in a layer above would hide what it leads to."""
    for top in sorted(os.listdir(tree)):
        source = os.path.join(tree, top)
        if not os.path.isdir(source):
            continue
        place = os.path.realpath("/" + top).lstrip("/") if os.path.isdir("/" + top) else top
        shutil.copytree(source, os.path.join(target, place), symlinks=True, dirs_exist_ok=True)


def lay_out_root(tree):
    kernel.mount("machine", SCRATCH, "tmpfs", 0, "mode=0755")
    layer = {name: os.path.join(SCRATCH, name) for name in ("upper", "work", "tree", "root")}
    for path in layer.values():
        os.mkdir(path, 0o755)
    copy_tree(tree, layer["tree"])
    root = layer["root"]
    kernel.mount("machine", root, "overlay", 0,
                 "lowerdir=%(tree)s:/,upperdir=%(upper)s,workdir=%(work)s" % layer)
    for name in ("proc", "dev", "run", "tmp"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    kernel.mount("proc", root + "/proc", "proc",
                 kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    kernel.mount("run", root + "/run", "tmpfs", kernel.MS_NOSUID, "mode=0755")
    kernel.mount("tmp", root + "/tmp", "tmpfs", kernel.MS_NOSUID, "mode=1777")
    kernel.mount("dev", root + "/dev", "tmpfs", kernel.MS_NOSUID, "mode=0755")
    os.chdir(root)
    kernel.pivot_root(".", ".")
    kernel.umount(".", kernel.MNT_DETACH)
    os.chdir("/")


def fill_dev():
    os.umask(0)
    for name, (major, minor) in NODES.items():
        os.mknod("/dev/" + name, 0o020666, os.makedev(major, minor))
    os.umask(0o022)
    for name, target in LINKS.items():
        os.symlink(target, "/dev/" + name)
    os.mkdir("/dev/shm")
    os.mkdir("/dev/pts")
    kernel.mount("devpts", "/dev/pts", "devpts", kernel.MS_NOSUID | kernel.MS_NOEXEC,
                 "newinstance,ptmxmode=0666,mode=620")


def remove(path):
    if os.path.islink(path) or not os.path.isdir(path):
        if os.path.lexists(path):
            os.unlink(path)
    else:
        shutil.rmtree(path)


def fill_root():
    fill_dev()
    # The kernel's own switches are not name spaced.
    kernel.mount("/proc/sys", "/proc/sys", None, kernel.MS_BIND)
    kernel.mount(None, "/proc/sys", None, kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY)
    if os.path.exists("/proc/sysrq-trigger"):
        kernel.mount("/dev/null", "/proc/sysrq-trigger", None, kernel.MS_BIND)
    for path in ("/etc/inittab", "/etc/inittab.d", "/etc/initscript", "/etc/powerstatus"):
        remove(path)
    if not (os.path.islink("/var/run") and os.path.realpath("/var/run") == "/run"):
        remove("/var/run")
        os.symlink("/run", "/var/run")
    os.makedirs("/var/log", exist_ok=True)
    for path in ("/run/utmp", "/var/log/wtmp"):
        remove(path)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))


def refuse_unless_apart(outside):
    """The last look before init is executed."""
    refuse_unless(os.getpid() == 1, "not pid 1")
    refuse_unless(namespace_id("pid") != outside["pid"], "in the pid name space of the test")
    refuse_unless(namespace_id("mnt") != outside["mnt"], "in the mount name space of the test")
    refuse_shared_mounts()


def execute_init(order):
    for number in range(1, signal.NSIG):
        if number not in (signal.SIGKILL, signal.SIGSTOP) and not 32 <= number < 34:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 4096))
    os.umask(0o022)
    try:
        console = os.open("/dev/console", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        console = None      # as the kernel does it: no console, no descriptors
    for fd in range(3):
        if console is None:
            os.close(fd)
        elif console != fd:
            os.dup2(console, fd)
    if console is not None and console > 2:
        os.close(console)
    for _ in range(order["left_open"]):
        os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True)
    os.execve(order["argv"][0], order["argv"], order["env"])


def stage(talk, tree, outside):
    try:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        refuse_unless(os.getpid() == 1, "the stage is not pid 1 of its name space")
        refuse_unless(namespace_id("mnt") != outside["mnt"], "in the mount name space of the test")
        refuse_shared_mounts()
        lay_out_root(tree)
        fill_root()
        refuse_unless_apart(outside)
        kernel.forbid_machine_wide_acts()
        talk.send(b"ready")
        word = talk.recv(1 << 16)
        if not word:
            os._exit(0)
        refuse_unless_apart(outside)
        execute_init(json.loads(word))
    except BaseException:
        talk.send(b"failed " + traceback.format_exc().encode()[-4000:])
        os._exit(99)


def thaw_all(own_proc):
    """A process in D state on a frozen file system would outlive its SIGKILL."""
    with open(os.open("mountinfo", os.O_RDONLY, dir_fd=own_proc)) as table:
        points = [line.split()[4] for line in table
                  if line.split(" - ")[1].split()[1].startswith("/dev/loop")]
    for point in points:
        try:
            fd = os.open(point, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.ioctl(fd, kernel.FITHAW, 0)
        except OSError:
            pass            # it was not frozen
        os.close(fd)


def remove_cgroup(parent, name):
    end = time.monotonic() + 10
    while name:
        try:
            os.rmdir(name, dir_fd=parent)
            return
        except FileNotFoundError:
            return
        except OSError:     # the last task is still on its way out
            if time.monotonic() > end:
                return
            time.sleep(0.02)


def keep(control, pid):
    """Until the test closes its end."""
    pidfd = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(pidfd, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == pidfd:
                info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
                poll.unregister(pidfd)
                try:
                    control.send(b"ended %d %d" % (info.si_code, info.si_status))
                except OSError:
                    pass
            elif not control.recv(64):
                return


def keeper(options):
    control = socket.socket(fileno=options["control"])
    talk = socket.socket(fileno=options["stage"])
    outside = {kind: namespace_id(kind) for kind in ("pid", "mnt")}
    refuse_unless(outside == options["outside"], "started from elsewhere")
    kernel.unshare(NAMESPACES)
    refuse_unless(namespace_id("mnt") != outside["mnt"], "no mount name space of its own")
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    own_proc = os.open("/proc/self", os.O_RDONLY)   # the /proc of the new root knows us not
    control.set_inheritable(False)
    talk.set_inheritable(False)
    pid = os.fork()
    if pid == 0:
        control.close()
        stage(talk, options["tree"], outside)
    talk.close()
    control.send(b"pid %d" % pid)
    try:
        keep(control, pid)
    finally:
        control.close()
        thaw_all(own_proc)
        os.kill(pid, signal.SIGKILL)    # our own child, not yet waited for: the number is its
        os.waitpid(pid, 0)
        if options["cgroup"]:
            remove_cgroup(*options["cgroup"])


if __name__ == "__main__":
    for signo in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signo, signal.SIG_IGN)
    keeper(json.loads(sys.argv[1]))
