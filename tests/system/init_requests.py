#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""/run/initctl: what it is, what each request does, and what comes when /run is mounted over."""
import os
import signal
import stat

import kernel
from machine import (CMD_BSD, CMD_POWERFAIL, CMD_POWERFAILNOW, CMD_POWEROK, CMD_SETENV, CMD_START,
                     CMD_UNSETENV, request_bytes)
from rows import Row
from scene import CMD_RUNLVL, Scene, tap, wait_for

BASE = """id:2:initdefault:
g1:2345:respawn:/tmp/getty g1
pf::powerfail:/tmp/mark powerfail
pn::powerfailnow:/tmp/mark powerfailnow
po::powerokwait:/tmp/mark powerokwait
"""


def next_environment(scene):
    """Of a getty that is started now."""
    scene.wait_getty("g1")
    wait_for(lambda: not scene.m.unread_requests(), "the requests to be read")
    count = len(scene.gettys("g1"))
    scene.kill(scene.gettys("g1")[-1])
    return scene.environment(scene.wait_getty("g1", count + 1))


@tap.case()
def the_fifo_is_made_private_and_held_at_descriptor_10_by_init_alone():
    with Scene(BASE) as scene:
        getty = scene.wait_getty("g1")
        wait_for(lambda: scene.m.exists("/run/initctl"), "/run/initctl")
        found = os.stat(scene.m.path("/run/initctl"))
        tap.check(stat.S_ISFIFO(found.st_mode), "it is a FIFO")
        tap.equal((stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid), (0o600, 0, 0),
                  "its mode and owner")
        wait_for(lambda: os.readlink("/proc/%d/fd/10" % scene.m.pid) == "/run/initctl",
                 "descriptor 10 to be the FIFO")
        info = dict(line.split(":\t", 1) for line in scene.m.read("/proc/1/fdinfo/10").splitlines())
        wanted = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC
        tap.equal(int(info["flags"], 8) & (wanted | os.O_WRONLY), wanted, "how it is open")
        place = scene.m.root + "/proc/%d/fd" % getty
        held = [os.readlink(place + "/" + fd) for fd in os.listdir(place)]
        tap.check("/run/initctl" not in held, "an entry does not have it; found %r" % held)


@tap.case()
def a_fifo_that_is_there_is_used():
    def prepare(machine):
        os.mkfifo(machine.path("/run") + "/initctl", 0o600)
    with Scene(BASE, prepare=prepare) as scene:
        before = os.stat(scene.m.path("/run/initctl")).st_ino
        scene.wait_getty("g1")
        scene.m.telinit("3")
        scene.wait_title("init [3]")
        tap.equal(os.stat(scene.m.path("/run/initctl")).st_ino, before, "the FIFO's inode")


@tap.case()
def what_is_not_a_fifo_is_not_used_and_said_to_be_none():
    with Scene(BASE, prepare=lambda m: m.write("/run/initctl", "")) as scene:
        scene.wait_getty("g1")
        scene.wait_said("/run/initctl is not a fifo")
        os.unlink(scene.m.path("/run/initctl"))
        scene.m.telinit("3", deadline=60)
        scene.wait_title("init [3]")


@tap.case()
def power_requests_run_what_their_signal_runs():
    with Scene(BASE) as scene:
        scene.wait_getty("g1")
        for cmd, word in ((CMD_POWERFAIL, "powerfail"), (CMD_POWERFAILNOW, "powerfailnow"),
                          (CMD_POWEROK, "powerokwait")):
            scene.m.request(cmd)
            scene.wait_mark(word)
            tap.equal([m[0] for m in scene.marks() if m[0] != "up"][-1], word, "what ran last")


@tap.case()
def variables_are_set_replaced_and_removed():
    with Scene(BASE) as scene:
        scene.wait_getty("g1")
        scene.m.telinit("-e", "INIT_ONE=1", "-e", "INIT_TWO=two words")
        found = next_environment(scene)
        tap.equal((found.get("INIT_ONE"), found.get("INIT_TWO")), ("1", "two words"), "set")
        scene.m.telinit("-e", "INIT_ONE=new")
        scene.m.telinit("-e", "INIT_TWO")
        found = next_environment(scene)
        tap.equal((found.get("INIT_ONE"), found.get("INIT_TWO")), ("new", None),
                  "replaced, removed")


@tap.case()
def only_init_names_are_set_and_no_more_than_sixteen():
    with Scene(BASE) as scene:
        scene.wait_getty("g1")
        for data in (b"PATH=/tmp\0", b"LD_PRELOAD=/x\0", b"IFS=x\0", b"=x\0", b"\0"):
            scene.m.request(CMD_SETENV, data=data)
        for n in range(20):
            scene.m.request(CMD_SETENV, data=b"INIT_%d=%d\0" % (n, n))
        found = next_environment(scene)
        tap.equal(found["PATH"], "/sbin:/usr/sbin:/bin:/usr/bin", "PATH")
        tap.check(not {"LD_PRELOAD", "IFS", ""} & set(found),
                  "no other name is set; found %r" % found)
        mine = [name for name in found if name.startswith("INIT_") and name[5:].isdigit()]
        tap.equal(mine, ["INIT_%d" % n for n in range(16)], "the first sixteen")


@tap.case()
def unknown_requests_are_named_unimplemented_and_others_bogus():
    with Scene(BASE) as scene:
        scene.wait_getty("g1")
        for cmd in (CMD_START, CMD_BSD, CMD_UNSETENV, 77):
            scene.m.request(cmd)
        said = "got unimplemented initrequest."
        wait_for(lambda: scene.m.syslog.texts().count(said) == 4, "four times %r" % said)
        scene.m.initctl(request_bytes(CMD_RUNLVL, "3", magic=0x12345678))
        wait_for(lambda: scene.m.syslog.texts().count("got bogus initrequest") == 1, "the message")
        scene.m.request(CMD_RUNLVL, "?")
        scene.wait_said("bad runlevel: ?")
        tap.equal(scene.m.title(), "init [2]", "the level")


@tap.case()
def a_torn_request_is_refused_and_the_next_is_taken():
    with Scene(BASE) as scene:
        scene.wait_getty("g1")
        wait_for(lambda: scene.m.exists("/run/initctl"), "/run/initctl")
        with open(scene.m.path("/run/initctl"), "wb", buffering=0) as fifo:
            fifo.write(request_bytes(CMD_RUNLVL, "4")[:100])
        scene.wait_said("got bogus initrequest")
        scene.m.telinit("3")
        scene.wait_title("init [3]")


def mount_over_run(machine):
    machine.call(lambda: kernel.mount("over", "/run", "tmpfs", 0, "mode=0755"))


@tap.case(deadline=120)
def the_fifo_is_made_anew_when_run_is_mounted_over():
    with Row() as row:
        for _ in range(3):
            wait_for(lambda: row.m.exists("/run/initctl"), "the FIFO")
            mount_over_run(row.m)
            wait_for(lambda: row.m.exists("/run/initctl"), "the FIFO to be made anew")
        row.holds()
        # Back to the first /run: its FIFO lies there still, and is another than that in use.
        row.m.call(lambda: [kernel.umount("/run", kernel.MNT_DETACH) for _ in range(3)])
        row.holds()


@tap.case(deadline=120)
def the_fifo_is_made_anew_when_it_is_removed_or_renamed():
    with Row() as row:
        wait_for(lambda: row.m.exists("/run/initctl"), "the FIFO")
        os.unlink(row.m.path("/run/initctl"))
        wait_for(lambda: row.m.exists("/run/initctl"), "the FIFO to be made anew")
        row.holds()
        path = row.m.path("/run") + "/initctl"
        os.rename(path, path + ".old")
        wait_for(lambda: os.path.exists(path), "the FIFO to be made anew")
        row.holds()


@tap.case()
def requests_in_the_old_fifo_are_carried_out_when_run_is_mounted_over():
    with Scene(BASE) as scene:
        scene.wait_getty("g1")
        wait_for(lambda: scene.m.exists("/run/initctl"), "the FIFO")
        old = os.open(scene.m.path("/run/initctl"), os.O_WRONLY)
        scene.m.signal(signal.SIGSTOP)
        os.write(old, request_bytes(CMD_RUNLVL, "3"))
        mount_over_run(scene.m)
        scene.m.signal(signal.SIGCONT)
        scene.wait_title("init [3]")
        wait_for(lambda: scene.m.exists("/run/initctl"), "the FIFO to be made anew")
        os.close(old)
        scene.m.telinit("4")
        scene.wait_title("init [4]")


@tap.case()
def telinit_is_refused_to_users_and_explains_its_use():
    with Scene(BASE) as scene:
        scene.wait_getty("g1")
        done = scene.m.run(["/sbin/telinit", "3"], uid=65534)
        tap.equal((done.status, done.err), (1, "telinit: must be superuser.\n"), "as nobody")
        done = scene.m.run(["/sbin/telinit", "9x"])
        tap.equal(done.status, 1, "the status of a wrong use")
        tap.check(done.err.startswith("Usage: telinit {-e VAR[=VAL] | [-t SECONDS] {0|1|2|3|4|5|"),
                  "its use is told; found %r" % done.err)


tap.main()
