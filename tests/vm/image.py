# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test machine is made of: a stock kernel, and an initramfs around the init under test.

The kernel is Debian's cloud kernel, downloaded as a package and unpacked under the build folder,
never installed. The initramfs holds busybox, the tree of the init under test with the libraries it
asks for, and the guest program; its /init loads the drivers, starts the control agent and becomes
/sbin/init.
"""
import os
import re
import shutil
import stat
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import fetch    # noqa: E402
import made     # noqa: E402

REPO = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.path.join(REPO, os.environ.get("B", "build")))
CACHE = os.path.join(BUILD, "vm")
KERNEL_PACKAGE = "linux-image-cloud-amd64"
GUEST_MARK = "initvm.guest=1"
CONTROL = "initvm.control"
PASSWORD = "root"
PASSWORD_HASH = "$1$initvm$GMCaTb2oyq4pBZXxzfOef."
CONTROL_MODULES = ("virtio_pci", "virtio_console")
# These names belong to the init under test, or would end the machine by themselves.
NOT_LINKED = {"busybox", "init", "linuxrc", "halt", "poweroff", "reboot", "runlevel", "shutdown",
              "last", "sulogin"}

STAGE1 = """#!/bin/busybox sh
PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=755 tmpfs /run
ln -s /proc/self/fd /dev/fd
{control}
exec env -i HOME=/ TERM=linux /sbin/init "$@"
"""

START_CONTROL = """for m in {modules}; do insmod /lib/modules/$m.ko; done
/sbin/vmguest agent {name} </dev/null >/dev/null 2>&1 &
"""

INITTAB = """# The ordinary machine: levels 2 to 5 with a getty on the second serial line.
id:2:initdefault:
si::sysinit:/etc/rc sysinit
bw::bootwait:/etc/rc boot
~~:S:wait:/sbin/sulogin
l0:0:wait:/etc/rc 0
l2:2:wait:/etc/rc 2
l3:3:wait:/etc/rc 3
l6:6:wait:/etc/rc 6
ca:12345:ctrlaltdel:/etc/rc ctrlaltdel
kb::kbrequest:/etc/rc kbrequest
pf::powerwait:/etc/rc powerfail
pn::powerfailnow:/etc/rc powerfailnow
po::powerokwait:/etc/rc powerok
S1:2345:respawn:/bin/getty -L 115200 ttyS1 vt100
"""

RC = """#!/bin/sh
# Notes each call, so that a test can see what ran, in which order and with which environment.
echo "$1 $PREVLEVEL $RUNLEVEL" >> /run/rc.log
case $1 in
0) exec /bin/busybox poweroff -f ;;
6) exec /bin/busybox reboot -f ;;
esac
"""


def busybox():
    path = shutil.which("busybox")
    if not path:
        raise RuntimeError("busybox-static is not installed")
    if needed_libraries(path):
        raise RuntimeError(f"{path} is not static: install busybox-static")
    return path


def needed_libraries(path):
    """The libraries and the loader that a program asks for, as paths; empty for a static one."""
    with open(path, "rb") as f:
        if f.read(4) != b"\x7fELF":
            return []
    out = subprocess.run(["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         check=False).stdout
    if "not found" in out:
        raise RuntimeError(f"{path} lacks a library:\n{out}")
    return re.findall(r"(?:=>\s+|^\s+)(/\S+) \(0x", out, re.M)


def run_quietly(argv, **more):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **more)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def kernel_package():
    """The versioned package behind KERNEL_PACKAGE."""
    out = run_quietly(["apt-cache", "depends", KERNEL_PACKAGE])
    found = re.findall(r"Depends: (linux-image-\d\S*)", out)
    if not found:
        raise RuntimeError(f"no kernel behind {KERNEL_PACKAGE}; is the package list up to date?")
    return found[0]


def kernel_tree():
    """The folder with the unpacked kernel package; downloaded when it is not there yet."""
    def unpack(new):
        for deb in fetch.kept(("a kernel", KERNEL_PACKAGE), lambda place: fetch.get([kernel_package()], place), new):
            run_quietly(["dpkg", "-x", deb, new])
            os.unlink(deb)

    tree = os.path.join(CACHE, "kernel")
    made.whole(tree, unpack)
    return tree


def kernel_image(tree):
    boot = os.path.join(tree, "boot")
    return os.path.join(boot, [f for f in os.listdir(boot) if f.startswith("vmlinuz-")][0])


def module_depends(path):
    with open(path, "rb") as f:
        found = re.search(rb"\0depends=([^\0]*)\0", f.read())
    return [d for d in found.group(1).decode().split(",") if d] if found else []


def kernel_modules(tree, names):
    """(name, path) of the modules and of what they need, in the order of loading."""
    where = {}
    for folder, _, files in os.walk(os.path.join(tree, "lib", "modules")):
        for f in files:
            if f.endswith(".ko"):
                where[f[:-3].replace("-", "_")] = os.path.join(folder, f)
    order = []

    def add(name):
        if name in [n for n, _ in order]:
            return
        if name not in where:
            raise RuntimeError(f"no module {name} in {tree}")
        for d in module_depends(where[name]):
            add(d.replace("-", "_"))
        order.append((name, where[name]))

    for n in names:
        add(n)
    return order


def guest_program():
    """The static guest program, compiled when its sources are newer."""
    folder = os.path.join(HERE, "guest")
    sources = sorted(os.path.join(folder, f) for f in os.listdir(folder))
    out = os.path.join(CACHE, "vmguest")
    with made.lock(os.path.join(CACHE, "lock")):
        if not os.path.exists(out) or any(os.path.getmtime(s) > os.path.getmtime(out)
                                          for s in sources):
            run_quietly([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall",
                         "-Wextra", "-Werror", "-static", "-o", out + ".new"]
                        + [s for s in sources if s.endswith(".c")])
            os.rename(out + ".new", out)
    return out


class Cpio:
    """A "newc" archive, written in order; a name that comes again replaces nothing but the file."""

    def __init__(self):
        self.parts = []
        self.seen = set()
        self.ino = 0

    def entry(self, name, mode, data=b"", rdev=(0, 0)):
        self.ino += 1
        head = [self.ino, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1],
                len(name.encode()) + 1, 0]
        raw = b"070701" + b"".join(b"%08X" % v for v in head) + name.encode() + b"\0"
        self.parts.append(raw + b"\0" * (-len(raw) % 4) + data + b"\0" * (-len(data) % 4))

    def folder(self, name, perm=0o755):
        name = name.strip("/")
        if not name or name in self.seen:
            return
        self.folder(os.path.dirname(name))
        self.seen.add(name)
        self.entry(name, stat.S_IFDIR | perm)

    def file(self, name, data, perm=0o644):
        name = name.strip("/")
        self.folder(os.path.dirname(name))
        self.seen.add(name)
        self.entry(name, stat.S_IFREG | perm, data.encode() if isinstance(data, str) else data)

    def link(self, name, target):
        name = name.strip("/")
        self.folder(os.path.dirname(name))
        self.seen.add(name)
        self.entry(name, stat.S_IFLNK | 0o777, target.encode())

    def device(self, name, perm, major, minor):
        self.folder(os.path.dirname(name.strip("/")))
        self.entry(name.strip("/"), stat.S_IFCHR | perm, rdev=(major, minor))

    def copy(self, name, path):
        with open(path, "rb") as f:
            self.file(name, f.read(), stat.S_IMODE(os.stat(path).st_mode))

    def write(self, path):
        self.entry("TRAILER!!!", 0)
        with open(path, "wb") as f:
            f.write(b"".join(self.parts))


def add_program(cpio, name, path):
    cpio.copy(name, path)
    for lib in needed_libraries(path):
        if lib.strip("/") not in cpio.seen:
            cpio.copy(lib, os.path.realpath(lib))


def add_tree(cpio, root):
    """The programs of an installed tree, with their libraries."""
    for folder in ("sbin", "bin", "usr/sbin", "usr/bin", "lib/sysvinit"):
        here = os.path.join(root, folder)
        for f in sorted(os.listdir(here)) if os.path.isdir(here) else []:
            path = os.path.join(here, f)
            if os.path.islink(path):
                cpio.link(f"{folder}/{f}", os.readlink(path))
            elif os.path.isfile(path):
                add_program(cpio, f"{folder}/{f}", path)


def add_busybox(cpio):
    path = busybox()
    cpio.copy("bin/busybox", path)
    for name in run_quietly([path, "--list"]).split():
        if name not in NOT_LINKED:
            cpio.link(f"bin/{name}", "busybox")
    if "sbin/sulogin" not in cpio.seen:     # a stock tree has none of its own
        cpio.link("sbin/sulogin", "../bin/busybox")


def add_control(cpio, tree):
    """The drivers and the agent of the control channel; the shell lines that start it."""
    modules = kernel_modules(tree, CONTROL_MODULES)
    for name, path in modules:
        cpio.copy(f"lib/modules/{name}.ko", path)
    return START_CONTROL.format(modules=" ".join(name for name, _ in modules), name=CONTROL)


def build(out, init_root, files=None, programs=None, control=True):
    """Writes the initramfs to OUT and says where the kernel is. FILES are texts by path (executable
    when they begin with #!), PROGRAMS are paths of this system by path."""
    if not os.path.exists(os.path.join(init_root, "sbin", "init")):
        raise RuntimeError(f"{init_root}/sbin/init is missing: make stage, or set INIT_ROOT")
    tree = kernel_tree()
    cpio = Cpio()
    for d in ("proc", "sys", "dev", "run", "root", "mnt", "home", "var/log", "var/lib", "etc"):
        cpio.folder(d)
    cpio.folder("tmp", 0o1777)
    cpio.device("dev/console", 0o600, 5, 1)
    cpio.device("dev/null", 0o666, 1, 3)
    cpio.link("var/run", "../run")
    add_tree(cpio, init_root)
    add_busybox(cpio)
    cpio.copy("sbin/vmguest", guest_program())
    for name, path in (programs or {}).items():
        add_program(cpio, name, path)
    texts = {
        "/init": STAGE1.format(control=add_control(cpio, tree) if control else ""),
        "/etc/inittab": INITTAB,
        "/etc/rc": RC,
        "/etc/passwd": f"root:{PASSWORD_HASH}:0:0:root:/root:/bin/sh\n"
                       "nobody:*:65534:65534:nobody:/:/bin/false\n",
        "/etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
        "/var/log/wtmp": "",
    }
    texts.update(files or {})
    for name, text in texts.items():
        cpio.file(name, text, 0o755 if text[:2] in ("#!", b"#!") else 0o644)
    cpio.write(out)
    return kernel_image(tree)
