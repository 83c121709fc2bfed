# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks with a whole Debian: the stock packages, or ours installed over them; and what boots a kernel from them.

    disk(which)         path of an ext4 image, "stock", "ours", or "neighbours" (stock with what else talks to an init), made once for a
                        state of the sources; boot copies of it. /var/tmp/stock and /var/tmp/ours hold both kinds of packages
    with changed(which, request...) as path     a copy with something else on it
    initrd()            path of the initramfs: drivers, then the disk's init with /proc, /sys, /dev and /run as initramfs-tools leaves them

Words on the kernel command line for the initramfs: `initvm.agent` starts the control agent of tests/vm, `initvm.bare` leaves /run to
the init scripts, as without an initramfs.
"""
import contextlib
import glob
import hashlib
import os
import shutil
import stat
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [TESTS + "/packages", TESTS + "/vm", TESTS + "/system", TESTS]
import debs     # noqa: E402
import image    # noqa: E402
import made     # noqa: E402
from root import Root   # noqa: E402

PLACE = os.path.join(image.BUILD, "debian")
SIZE = "640M"
MODULES = ("virtio_blk", "button", "evdev", *image.CONTROL_MODULES)     # ext4 is in the kernel itself
TAKEN = ("sysvinit-core", "sysvinit-utils", "bootlogd")
MORE = {"stock": (), "ours": (), "neighbours": ("elogind", "libpam-elogind", "acpid", "acpi-support-base")}
HOSTNAME = "machine"

STAGE1 = """#!/bin/busybox sh
PATH=/bin
mount -t proc -o nodev,noexec,nosuid proc /proc
mount -t sysfs -o nodev,noexec,nosuid sysfs /sys
mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /dev
for m in {modules}; do insmod /lib/modules/$m.ko || echo "initramfs: no $m"; done
until test -b /dev/vda; do sleep 0.1; done
mount -t ext4 -o ro /dev/vda /root || echo "initramfs: no root"
read -r line < /proc/cmdline
init=/sbin/init
for w in $line; do
	case $w in
	init=*) init=${{w#init=}} ;;
	initvm.bare) bare=yes ;;
	initvm.agent) agent=yes ;;
	esac
done
[ "$bare" ] || mount -t tmpfs -o nodev,noexec,nosuid,size=10%,mode=0755 tmpfs /run
for d in dev proc sys run; do [ $d$bare = runyes ] || mount --move /$d /root/$d; done
# By a shell of the disk, and waited for: switch_root deletes what is not on the disk.
[ ! "$agent" ] || chroot /root /bin/sh -c '/usr/local/sbin/vmguest agent {control} </dev/null >/dev/null 2>&1 &'
read -r uptime idle < /root/proc/uptime
echo "initramfs: at $uptime" > /root/dev/console
exec env -i HOME=/ TERM=linux /bin/switch_root /root "$init" "$@" < /root/dev/console > /root/dev/console 2>&1
"""

# Where the template of inittab has an example for a serial line, this machine has a line.
SERIAL = "S0:2345:respawn:/sbin/getty -L ttyS0 115200 vt102\n"
POWERFAIL = """#!/bin/sh
echo "powerfail $1" >> /run/powerfail.log
"""


def lock():
    return made.lock(PLACE + "/lock")


def state(*more):
    """Names what a disk is made of, and more files that have a part in it. Ours lie on each of them."""
    found = hashlib.sha256(debs.state().encode())
    for path in (__file__, TESTS + "/packages/root.py", *more):
        with open(path, "rb") as file:
            found.update(file.read())
    return found.hexdigest()[:16]


def disk(which):
    with lock():
        path = "%s/%s-%s.ext4" % (PLACE, which, state())
        if not os.path.exists(path):
            for old in glob.glob(glob.escape(PLACE) + "/%s-*.ext4" % which):
                os.unlink(old)
            make(which, path)
        return path


@contextlib.contextmanager
def changed(which, *requests, **texts):
    """A copy to which debugfs did something: requests of its own, and files of etc that get a new text."""
    with tempfile.TemporaryDirectory(dir=PLACE) as folder:
        path = folder + "/disk"
        image.run_quietly(["cp", "--sparse=always", disk(which), path])
        for name, text in texts.items():
            with open(folder + "/text", "w", encoding="utf-8") as file:
                file.write(text)
            requests += ("rm /etc/%s" % name, "write %s/text /etc/%s" % (folder, name))
        for request in requests:
            image.run_quietly(["debugfs", "-w", "-R", request, path])
        yield path


def make(which, path):
    with Root(*MORE[which]) as root:
        take(root, "ours", debs.built(1).debs, (*TAKEN, "sysvinit-extra"))
        take(root, "stock", debs.stock(), TAKEN)
        if which == "ours":
            root.dpkg("-i", *("/var/tmp/ours/%s.deb" % name for name in (*TAKEN, "sysvinit-extra")))
        furnish(root)
        new = path + ".new"
        image.run_quietly(["mke2fs", "-q", "-F", "-t", "ext4", "-d", root.path, new, SIZE])
        os.rename(new, path)


def take(root, folder, packages, names):
    """Puts packages where the machine can install them from."""
    folder = "%s/var/tmp/%s" % (root.path, folder)
    os.makedirs(folder)
    for name in names:
        shutil.copy(packages[name], "%s/%s.deb" % (folder, name))


def furnish(root):
    """What an installer would write, and the guest program."""
    os.unlink(root.path + "/dev/console")
    os.mknod(root.path + "/dev/console", 0o600 | stat.S_IFCHR, os.makedev(5, 1))
    inittab = root.read("/etc/inittab" if os.path.exists(root.path + "/etc/inittab") else "/usr/share/sysvinit/inittab")
    kept = [line for line in inittab.splitlines() if not line.startswith(("2:", "3:", "4:", "5:", "6:"))]
    root.write("/etc/inittab", "\n".join(kept) + "\n" + SERIAL)
    root.write("/etc/fstab", "/dev/vda / ext4 errors=remount-ro 0 1\n")
    root.write("/etc/hostname", HOSTNAME + "\n")
    root.write("/etc/init.d/powerfail", POWERFAIL)
    os.chmod(root.path + "/etc/init.d/powerfail", 0o755)
    for name, old, new in (("/etc/shadow", "root:*:", "root:%s:" % image.PASSWORD_HASH), ("/etc/passwd", ":/root:/bin/bash", ":/root:/bin/sh")):
        root.write(name, root.read(name).replace(old, new, 1))
    os.makedirs(root.path + "/usr/local/sbin", exist_ok=True)
    shutil.copy(image.guest_program(), root.path + "/usr/local/sbin/vmguest")
    shutil.copy(image.busybox(), root.path + "/usr/local/sbin/busybox")


def initrd():
    with lock():
        tree = image.kernel_tree()
        cpio = image.Cpio()
        for d in ("proc", "sys", "dev", "run", "root"):
            cpio.folder(d)
        cpio.device("dev/console", 0o600, 5, 1)
        cpio.device("dev/null", 0o666, 1, 3)
        image.add_busybox(cpio)
        modules = image.kernel_modules(tree, MODULES)
        for name, path in modules:
            cpio.copy("lib/modules/%s.ko" % name, path)
        cpio.file("/init", STAGE1.format(modules=" ".join(name for name, _ in modules), control=image.CONTROL), 0o755)
        path = PLACE + "/initrd"
        with tempfile.NamedTemporaryFile(dir=PLACE, delete=False) as new:
            cpio.write(new.name)
        os.rename(new.name, path)
        return path
