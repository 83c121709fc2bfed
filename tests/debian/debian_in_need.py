#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots that are meant to mend something, and boots with something broken: each ends at a shell for root or at a login."""
from disk import SERIAL, changed
from system import System, tap


@tap.case(deadline=900)
def a_single_user_boot_asks_for_the_password_and_goes_on_to_level_2():
    """No initramfs has mounted /run here, so that the pipe for requests vanishes under mountkernfs.sh's tmpfs and is made again."""
    with System("ours", "single initvm.bare") as s:
        s.password()
        tap.equal(s.sh("cat /run/runlevel"), "S", "the level")
        s.type("exit\n")
        s.login()
        tap.equal(s.sh("runlevel"), "N 2\n", "the level, as with stock")
        s.until("[ -p /run/initctl ]", "the pipe to be made again")
        s.sh("telinit 3")
        s.until("[ \"$(runlevel)\" = '2 3' ]", "level 3")


@tap.case(deadline=900)
def an_emergency_boot_runs_nothing_before_the_shell():
    with System("ours", "emergency") as s:
        s.password()
        tap.check("ro," in s.sh("grep ' / ext4' /proc/mounts"), "the root is as the kernel left it")
        tap.equal(s.status("pidof systemd-udevd rsyslogd")[0], 1, "no service runs")
        s.type("reboot -f\n")
        tap.equal(s.resets(), "guest-reset", "how it ended")


def asks_for_a_level_and_mends(s, mend):
    """init=/sbin/init without an inittab: it asks, S is a shell, and the system can be put right from there."""
    s.sees(rb"Enter runlevel: ")
    s.type("S\n")
    s.password()
    s.sh("mount -o remount,rw / && " + mend)
    s.sh("telinit q; telinit 2")
    s.sees(rb" login: ")        # the level ends the shell; nothing has set the host's name


@tap.case(deadline=900)
def without_an_inittab_it_asks_for_a_level():
    with changed("ours", "ln /etc/inittab /etc/inittab.kept", "unlink /etc/inittab") as path, \
            System("ours", "init=/sbin/init", path=path) as s:
        asks_for_a_level_and_mends(s, "mv /etc/inittab.kept /etc/inittab")


@tap.case(deadline=900)
def with_a_broken_inittab_it_says_why_and_asks_for_a_level():
    with changed("ours", inittab="\x7fELF\x00\x01 no inittab\nid:2\n:::\nx\n" * 3) as path, System("ours", "init=/sbin/init", path=path) as s:
        s.sees(rb"/etc/inittab\[\d+\]: ")
        asks_for_a_level_and_mends(s, "{ cat /usr/share/sysvinit/inittab; echo '%s'; } > /etc/inittab" % SERIAL.strip())


@tap.case(deadline=900)
def a_root_that_stays_read_only_keeps_nobody_from_working():
    with changed("ours", fstab="/dev/vda / ext4 ro 0 1\n") as path, System("ours", path=path) as s:
        s.login()
        tap.check("ro," in s.sh("grep ' / ext4' /proc/mounts"), "the root is read-only")
        tap.equal(s.sh("runlevel"), "N 2\n", "runlevel")
        tap.check("run-level 2" in s.sh("who -r"), "who -r: utmp is not on the root")
        s.sh("telinit 3")
        s.until("[ \"$(runlevel)\" = '2 3' ]", "level 3")
        old = s.pids("pgrep -t tty1")
        s.sh("kill -9 %s" % old[0])
        s.until("pid=$(pgrep -t tty1) && [ $pid != %s ]" % old[0], "a getty to come back")
        s.type("shutdown -r now\n")
        tap.equal(s.resets(), "guest-reset", "how it ended")


@tap.case(deadline=1400)
def a_check_of_the_root_that_fails_ends_at_a_shell_and_in_a_restart():
    with changed("ours", "set_inode_field /etc/host.conf block[0] 0x12345678", "set_super_value state 2") as path, System("ours", path=path) as s:
        s.sees(rb"(?i)manual")
        s.password()
        status, said = s.status("fsck -y /")
        tap.check(status in (1, 2, 3), "fsck mends it: status %d, it said\n%s" % (status, said))
        s.type("exit\n")
        tap.equal(s.resets(), "guest-reset", "how it ended")
        s.login()
        tap.equal(s.sh("runlevel"), "N 2\n", "the level")


tap.main()
