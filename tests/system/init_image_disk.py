#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The file system that holds the binary: pinned by nobody after telinit u, frozen without harm, and what is no image on it.

Stock 3.06 executes what it finds: a binary that cannot start is a machine without an init.
"""
import os

import kernel
from machine import CMD_RUNLVL
from rows import Row
from upgrade import Upgrade, binary, tap, wait_for

DISK = "/disk"


def on_disk(machine):
    """/sbin/init as a link to a file system of its own."""
    machine.loop_ext4(DISK)
    machine.write(DISK + "/init", binary("ours"), 0o755)
    os.unlink(machine.path("/sbin/init"))
    os.symlink(DISK + "/init", machine.path("/sbin") + "/init")


def remount_read_only(machine):
    machine.call(lambda: kernel.mount(None, DISK, None, kernel.MS_REMOUNT | kernel.MS_RDONLY))


@tap.case(deadline=120)
def after_an_upgrade_the_disk_can_be_remounted_read_only():
    with Upgrade("ours", prepare=on_disk) as up:
        up.wait_getty("g1")
        up.m.write(DISK + "/init", binary("ours"), 0o755)
        try:
            remount_read_only(up.m)
            tap.check(False, "a deleted binary that runs keeps the disk from being read-only")
        except OSError:
            pass
        before = up.reloads()
        up.ask()
        wait_for(lambda: up.reloads() > before, "the new image")

        def remounted():
            try:
                remount_read_only(up.m)
                return True
            except OSError:
                return False        # what was killed takes a moment to be gone
        wait_for(remounted, "the disk to be let go")
        up.respawns("g1")
        up.enters("3")
        tap.check(len(up.m.helpers()) == 4, "the helpers run")


class OnFrozenDisk(Row):
    def __init__(self):
        super().__init__(prepare=on_disk)


@tap.case(deadline=180)
def a_frozen_disk_of_the_binary_holds_up_nothing():
    with OnFrozenDisk() as row:
        row.m.freeze(DISK)
        row.log(20)
        row.holds()
        row.delivered(row.m.syslog.texts)
        row.delivered(row.m.console.lines)
        row.m.thaw(DISK)


def unlocked(smaps):
    """What is mapped and not locked, but for what the kernel has in memory anyway."""
    found, name = [], ""
    for line in smaps.splitlines():
        fields = line.split()
        if not fields[0].endswith(":"):
            name = fields[5] if len(fields) > 5 else fields[0]
        elif fields[0] == "VmFlags:" and "lo" not in fields and not name.startswith(("[vvar", "[vdso]", "[vsyscall]")):
            found.append(name)
    return found


@tap.case(deadline=120)
def pid_1_is_locked_in_memory_and_small():
    with Upgrade("ours") as up:
        up.wait_getty("g1")
        up.become("ours")

        def kilobytes(name):
            return next(int(line.split()[1]) for line in up.m.read("/proc/1/status").splitlines() if line.startswith(name))
        wait_for(lambda: kilobytes("VmLck:") > 0, "memory to be locked")
        tap.diag("VmRSS %d kB, VmLck %d kB" % (kilobytes("VmRSS:"), kilobytes("VmLck:")))
        tap.equal(unlocked(up.m.read("/proc/1/smaps")), [], "mappings that are not locked")
        tap.check(kilobytes("VmSwap:") == 0, "nothing is swapped")
        static = b"ld-linux" not in binary("ours") and b"ld-musl" not in binary("ours")
        tap.check(not static or kilobytes("VmRSS:") < 2048, "it is small")


def refuses(what, image, mode, said):
    def case():
        with Upgrade("ours") as up:
            up.wait_getty("g1")
            up.wait_getty("g2")
            if image is None:
                os.unlink(up.m.path("/sbin/init"))
            else:
                up.m.write("/sbin/init", image, mode)
            up.ask()
            wait_for(lambda: "Attempt to re-exec failed" in up.m.console.lines(), "the message")
            wait_for(lambda: any(said in text for text in up.m.syslog.texts()), "the reason %r" % said)
            tap.equal(up.reloads(), 0, "images that came up")
            up.kept("g1", "g2")
            up.m.promptness()
            up.m.request(CMD_RUNLVL, "3")
            wait_for(lambda: up.m.title() == "init [3]", "level 3, by a request that came behind")
            up.respawns("g1")
            tap.equal(len(up.m.helpers()), 4, "helpers")
    tap.add("an image that is %s is not executed" % what, case, 120)


MISSING_LIBRARY = "#!/no/such/interpreter\n"
refuses("missing", None, 0, "No such file")
refuses("not executable", "#!/bin/sh\n", 0o644, "ermission denied")
refuses("of a wrong format", "no program\n", 0o755, "xec format error")
refuses("without its interpreter", MISSING_LIBRARY, 0o755, "No such file")
refuses("killed as soon as it starts", "#!/bin/sh\nkill -9 $$\n", 0o755, "killed by a signal")
refuses("no System V init", "#!/bin/sh\necho another 1\n", 0o755, "not a System V init")


@tap.case(deadline=120)
def an_image_that_does_not_answer_is_let_go_and_requests_go_on():
    with Upgrade("ours") as up:
        up.wait_getty("g1")
        up.m.write("/sbin/init", "#!/bin/sh\nexec sleep 1000\n", 0o755)
        up.ask()
        up.m.request(CMD_RUNLVL, "3")
        for _ in range(3):
            tap.check(up.m.promptness() < 1, "an orphan is reaped at once meanwhile")
        wait_for(lambda: "Attempt to re-exec failed" in up.m.console.lines(), "the message")
        wait_for(lambda: up.m.title() == "init [3]", "level 3")
        up.kept("g1", "g2")


tap.main()
