# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages of a running Debian exchanged under it.

exchange(s, which, level, *more)   "ours" or "stock" installed on System s, which is in that level: process 1 is the new one, and nothing else is
                                   another one than before; MORE: commands whose output stays, too
"""
from system import tap

DPKG = "DEBIAN_FRONTEND=noninteractive dpkg --force-confold --force-unsafe-io -i /var/tmp/%s/*.deb 2>&1"
# Everything that init started and its services; neither threads of the kernel, nor init's own helpers, nor what runs this.
RUNNING = ("ps -eo pid=,ppid=,comm= | "
           "awk '$2 != 2 && $3 ~ /^(getty|agetty|login|rsyslogd|systemd-udevd|dbus-daemon|elogind-daemon|acpid)$/ { print $1, $3 }'")


def exchange(s, which, level, *more):
    commands = (RUNNING, "who -b", "who", *more)
    before = [s.sh(command) for command in commands]
    said = s.sh(DPKG % which)
    s.until("[ /proc/1/exe -ef /sbin/init ]", "process 1 to be the new one; dpkg said\n" + said)
    s.until("[ \"$(tr '\\0' ' ' < /proc/1/cmdline | sed 's/ *$//')\" = 'init [%s]' ]" % level, "its title")
    for command, was in zip(commands, before):
        tap.equal(s.sh(command), was, "what %s says" % command)
    tap.equal(s.sh("runlevel").split()[-1], level, "the level")
