#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages over the stock ones: installed, upgraded in a running system with no child lost, downgraded, removed, purged."""
import hashlib
import os
import signal
import tempfile

import debs
from debs import OURS, built, stock, tap
from root import Root, wait_for

DIVERTED = ["/bin/mountpoint", "/sbin/logsave", "/sbin/sulogin", "/usr/bin/last", "/usr/bin/mesg", "/usr/bin/utmpdump", "/usr/bin/wall"]
TAKEN_OVER = ("sysvinit-core", "sysvinit-utils", "bootlogd")


def ours(*names):
    return [built(1).debs[name] for name in names or OURS]


def theirs(*names):
    return [stock()[name] for name in names]


def content(root, name):
    with open(root.path + name, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def states(root):
    status, said = root.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev} ${Version}\n", *OURS])
    return {line.split()[0]: line.split()[1:] for line in said.splitlines() if not line.startswith("dpkg-query")}


@tap.case(deadline=900)
def they_install_over_the_stock_packages_and_nothing_of_them_remains():
    with Root() as root:
        root.write("/etc/inittab", "# mine\n")
        root.run(["dpkg-divert", "--package", "sysvinit-core", "--add", "--rename", "--divert", "/usr/share/man/de/man8/init.8.dist",
                  "/usr/share/man/de/man8/init.8.gz"])
        before = {name: content(root, name) for name in DIVERTED}
        said = root.install(*ours())
        tap.check("Not restarting sysvinit" in said, "a process 1 that is no init is left alone; said %r" % said)
        tap.equal({name: state[0] for name, state in states(root).items()}, {name: "ii" for name in OURS}, "the states")
        status, said = root.run(["dpkg", "--audit"])
        tap.equal((status, said), (0, ""), "what dpkg has against it")
        status, said = root.run(["apt-get", "check"])
        tap.equal(status, 0, "the dependencies hold: " + said)
        tap.equal(root.read("/etc/inittab"), "# mine\n", "an inittab is never touched")
        status, said = root.run(["dpkg-divert", "--list", "sysvinit-core"])
        listed = [line for line in said.splitlines() if line.endswith("by sysvinit-core")]
        tap.equal(listed, [], "diversions of the stock package")
        for name in DIVERTED:
            tap.equal(content(root, name + ".distrib"), before[name], name + " is kept beside ours")
            tap.check(content(root, name) != before[name], name + " is ours")
        for name in ("/sbin/init", "/sbin/halt", "/sbin/killall5", "/sbin/bootlogd", "/usr/bin/last", "/sbin/sulogin"):
            status, said = root.run([name, "--version"])
            tap.check(status == 0 and "safelog" in said, "%s says whose it is; found %d, %r" % (name, status, said))
        root.install(*theirs("util-linux", "bsdutils", "logsave"))
        for name in DIVERTED:
            tap.check(content(root, name) != before[name], name + " is ours after an upgrade of the others")
        root.install(*ours())
        root.dpkg("--remove", "sysvinit-extra")
        for name in DIVERTED:
            tap.equal(content(root, name), before[name], name + " is back")
            tap.check(not os.path.lexists(root.path + name + ".distrib"), "its other name is gone")
        status, said = root.run(["dpkg-divert", "--list", "sysvinit-extra"])
        tap.check("sysvinit-extra" not in said, "no diversion is left: " + said)


@tap.case(deadline=900)
def init_scripts_are_registered_and_the_log_is_private_until_purged():
    scripts = ("bootlogd", "stop-bootlogd", "stop-bootlogd-single")
    with Root() as root:
        root.dpkg("--purge", "bootlogd")
        tap.check(not os.path.lexists(root.path + "/var/log/boot"), "the stock package is gone")
        root.install(*ours("bootlogd", "sysvinit-utils"))
        for name in scripts:
            links = [link for level in "S2345" for link in os.listdir(root.path + "/etc/rc%s.d" % level) if link[3:] == name]
            tap.equal(len(links), 4 if name == "stop-bootlogd" else 1, "links to " + name)
            tap.equal(os.readlink(root.path + "/etc/systemd/system/%s.service" % name), "/dev/null", "it is masked under systemd")
        found = os.stat(root.path + "/var/log/boot")
        tap.equal((found.st_mode & 0o7777, found.st_uid, found.st_gid), (0o640, 0, 4), "mode, owner and group of the log")
        for _ in range(2):
            root.dpkg("--remove", "bootlogd")
            tap.check(os.access(root.path + "/etc/init.d/bootlogd", os.X_OK), "its conffiles stay as they were")
            root.install(*theirs("bootlogd"))
            root.install(*ours("bootlogd"))
        root.dpkg("--purge", "bootlogd")
        left = [name for name in scripts if os.path.lexists(root.path + "/etc/init.d/" + name) or os.path.lexists(
            root.path + "/etc/systemd/system/%s.service" % name)]
        left += [name for level in "S2345" for name in os.listdir(root.path + "/etc/rc%s.d" % level) if "bootlogd" in name]
        left += [name for name in os.listdir(root.path + "/var/log") if name.startswith("boot")][:1] and [
            name for name in os.listdir(root.path + "/var/log") if name in ("boot", "boot~", "boot.0")]
        tap.equal(left, [], "what a purge leaves")


@tap.case(deadline=900)
def inittab_is_made_when_there_is_none_and_outlives_the_package():
    with Root() as root:
        root.dpkg("--purge", "sysvinit-core")
        os.unlink(root.path + "/etc/inittab")
        root.write("/etc/ioctl.save", "")
        root.install(*ours("sysvinit-core", "sysvinit-utils"))
        tap.equal(root.read("/etc/inittab"), root.read("/usr/share/sysvinit/inittab"), "the inittab")
        tap.check(not os.path.exists(root.path + "/etc/ioctl.save"), "an old file is removed")
        root.write("/etc/inittab", "# changed\n")
        root.dpkg("--purge", "sysvinit-core")
        tap.equal(root.read("/etc/inittab"), "# changed\n", "the inittab after a purge")
        tap.check(not os.path.lexists(root.path + "/sbin/init"), "the program is gone")


def both(system):
    """The two entries. A list that is read while another child ends may lack one (proc(5), children), so a lack is looked at again."""
    return wait_for(lambda: found if len(found := system.sleepers()) == 2 else None, "both entries to be seen")


def keeps(system, before):
    tap.equal(both(system), before, "the children, with their pids")


def ends_and_is_started_again(system, before, title, what):
    os.kill(before[title], signal.SIGKILL)
    wait_for(lambda: system.sleepers().get(title, before[title]) != before[title], what)
    return both(system)


@tap.case(deadline=900)
def a_running_stock_init_becomes_ours_and_back_and_no_child_is_lost():
    with Root() as root, root.booted() as system:
        first, before = system.executable(), both(system)
        tap.equal(first, open(root.path + "/sbin/init", "rb").read(), "the stock init runs")
        said = root.install(*ours(), runner=system)
        new = open(root.path + "/sbin/init", "rb").read()
        tap.check(new != first, "the file is another")
        wait_for(lambda: system.executable() == new, "process 1 to be ours, dpkg having said %s" % said)
        wait_for(lambda: system.title() == "init [2]", "the level to be known")
        keeps(system, before)
        status, said = system.run(["runlevel"])
        tap.equal((status, said.split()[-1:]), (0, ["2"]), "what runlevel says")
        before = ends_and_is_started_again(system, before, "/bin/sleep 1000001", "ours to start an entry again that stock had started")
        said = root.install(*ours(), runner=system)
        tap.check("Not restarting" not in said, "an upgrade of ours over ours restarts it, too")
        wait_for(lambda: system.title() == "init [2]", "the level to be known again")
        keeps(system, before)
        said = root.install(*theirs(*TAKEN_OVER), runner=system)
        wait_for(lambda: system.executable() == first, "process 1 to be stock again, dpkg having said %s" % said)
        keeps(system, before)
        ends_and_is_started_again(system, before, "/bin/sleep 1000002", "stock to start an entry again")


@tap.case(deadline=300)
def under_systemd_or_another_root_process_1_is_left_alone():
    with Root() as root:
        root.install(*ours("sysvinit-core", "sysvinit-utils"))
        with root.booted() as system:
            status, said = system.run(["sh", "-c", "mkdir -p /run/systemd/system && dpkg-reconfigure -f noninteractive sysvinit-core 2>&1; "
                                       "/var/lib/dpkg/info/sysvinit-core.postinst configure 3.06-4"])
            tap.check(status == 0 and "Not restarting sysvinit" in said, "under systemd: %d, %s" % (status, said))
            status, said = system.run(["sh", "-c", "rmdir /run/systemd/system; DPKG_ROOT=/nowhere /var/lib/dpkg/info/sysvinit-core.postinst configure ''; "
                                       "/var/lib/dpkg/info/sysvinit-core.postinst configure ''"])
            tap.check("Not restarting sysvinit" in said, "at a first installation: %d, %s" % (status, said))


@tap.case(deadline=600)
def the_tests_that_the_packages_bring_hold():
    tests = os.path.join(debs.TOP, "debian/tests/")
    with Root() as root:
        root.install(*ours())
        os.mkdir(root.path + "/var/tmp/test")
        root.take([tests + "installed"])
        status, said = root.run(["env", "AUTOPKGTEST_TMP=/var/tmp/test", "/var/tmp/debs/installed"])
        tap.equal((status, said), (0, ""), "the end of installed, and what it says")
    with tempfile.TemporaryDirectory() as work:     # The root has no compiler.
        debs.run("dpkg", "-x", *ours("sysvinit-core"), work + "/root")
        done = debs.run("env", "AUTOPKGTEST_TMP=" + work, "CPATH=%s/root/usr/include" % work, tests + "header")
        tap.equal((done.returncode, done.stdout), (0, ""), "the end of header, and what it says")


tap.main()
