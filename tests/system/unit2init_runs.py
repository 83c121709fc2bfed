#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What contrib/unit2init writes works: units of our own and those that Debian packages ship, with a dummy in the daemon's place."""
import glob
import os
import re
import subprocess
import sys

from machine import tap, wait_for
from scene import Scene
import fetch

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(TOP, "contrib/unit2init")
BASE = "id:2:initdefault:\ng1:2:respawn:/tmp/getty g1\n"
# What init scripts need and this machine may lack: messages only.
MESSAGES = "".join("%s() { echo %s \"$@\"; }\n" % (name, name) for name in ("log_daemon_msg", "log_progress_msg", "log_failure_msg")) + \
    'log_end_msg() { echo "log_end_msg $1"; return "$1"; }\n'
# Says how it was started, and that it is ready to whoever wants to know; then stays.
DAEMON = """#!/bin/sh
{ echo "args $*"; echo "user $(id -un) $(id -gn)"; echo "groups $(id -Gn)"; echo "cwd $(pwd)"; echo "umask $(umask)"
  echo "nofile $(ulimit -n)"; echo "nice $(nice)"; env; } >"/tmp/seen.new.$$"
mv "/tmp/seen.new.$$" "/tmp/seen.${0##*/}"
[ -z "${NOTIFY_SOCKET-}" ] || python3 -c 'import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
a = os.environ["NOTIFY_SOCKET"]
s.sendto(b"READY=1", "\\0" + a[1:] if a[0] == "@" else a)'
exec sleep 1000000
"""


def convert(path, *options):
    done = subprocess.run([sys.executable, TOOL, *options, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    tap.equal(done.returncode, 0, "the status of unit2init %s, having said %s" % (path, done.stderr))
    return done.stdout


class Host(Scene):
    """A booted machine with the dummy in place of daemons."""

    def __init__(self):
        super().__init__(BASE)

    def began(self, exits):
        self.wait_getty("g1")
        self.m.write("/lib/lsb/init-functions", MESSAGES)

    def install(self, name, unit):
        self.m.write("/tmp/%s.service" % name, unit)
        self.m.write("/etc/init.d/" + name, convert(self.m.path("/tmp/%s.service" % name)), 0o755)

    def user(self, name):
        if not re.search("^%s:" % name, self.m.read("/etc/passwd"), re.MULTILINE):
            self.m.append("/etc/passwd", "%s:x:4321:4321::/var/empty:/bin/sh\n" % name)
            self.m.append("/etc/group", "%s:x:4321:\n" % name)

    def script(self, name, word, status=0):
        done = self.m.run(["/etc/init.d/" + name, word], deadline=60)
        tap.equal(done.status, status, "the status of %s %s, which said %s%s" % (name, word, done.out, done.err))
        return done.out

    def seen(self, program):
        """How the dummy was started."""
        name = "/tmp/seen." + program
        wait_for(lambda: self.m.exists(name), "the daemon %s to have been started" % program)
        text = self.m.read(name)
        os.unlink(self.m.path(name))
        found = dict(line.partition(" ")[::2] for line in text.splitlines() if " " in line and "=" not in line.split(" ")[0])
        return found, dict(line.split("=", 1) for line in text.splitlines() if "=" in line.split(" ")[0])

    def daemons(self):
        return [p for p in self.m.processes() if p.title == "sleep 1000000" and p.ppid == 1 and p.pid not in self.gettys("g1") and p.state != "Z"]


@tap.case(deadline=180)
def a_daemon_runs_as_its_unit_says_and_ends():
    unit = """[Unit]
Description=dummy
[Service]
User=nobody
Group=daemon
SupplementaryGroups=mail
WorkingDirectory=/usr
UMask=0027
LimitNOFILE=333
LimitNPROC=infinity
Nice=5
Environment="GREETING=hello world" EMPTY=
EnvironmentFile=/etc/default/dummy
RuntimeDirectory=dummy
ExecStartPre=/bin/sh -c 'id -un >/tmp/pre'
ExecStart=/usr/sbin/dummy ${GREETING} $MORE "$EMPTY" 'it''s'
ExecReload=/bin/sh -c 'echo reload $MAINPID >>/tmp/reloads'
[Install]
WantedBy=multi-user.target
"""
    with Host() as host:
        host.m.write("/usr/sbin/dummy", DAEMON, 0o755)
        host.m.write("/etc/default/dummy", "# a comment\nMORE=-a -b\nQUOTED=\"x $(touch /tmp/code)\"\n; another\nnonsense\n")
        host.install("dummy", unit)
        host.script("dummy", "status", 3)
        host.script("dummy", "start")
        found, env = host.seen("dummy")
        tap.equal(found, {"args": "hello world -a -b its", "user": "nobody daemon", "groups": "daemon mail nogroup", "cwd": "/usr", "umask": "0027", "nofile": "333", "nice": str(os.nice(0) + 5)}, "how it was started")
        tap.equal([env.get(name) for name in ("QUOTED", "USER", "RUNTIME_DIRECTORY", "MORE")],
                  ["x $(touch /tmp/code)", "nobody", "/run/dummy", "-a -b"], "its environment")
        tap.check(not host.m.exists("/tmp/code"), "a file of variables is not shell code")
        tap.equal(host.m.read("/tmp/pre"), "nobody\n", "who ran what comes before")
        host.script("dummy", "status")
        tap.check("already running" in host.script("dummy", "start"), "a second start does nothing")
        tap.equal(len(host.daemons()), 1, "daemons")
        pid = host.daemons()[0].pid
        tap.equal(host.m.read("/run/dummy.pid"), "%d\n" % pid, "the pid file")
        host.m.run(["chmod", "777", "/tmp"])
        host.script("dummy", "reload")
        tap.equal(host.m.read("/tmp/reloads"), "reload %d\n" % pid, "what a reload was told")
        host.script("dummy", "stop")
        wait_for(lambda: not host.daemons(), "the daemon to end")
        tap.check(not host.m.exists("/run/dummy") and not host.m.exists("/run/dummy.pid"), "what lay in /run is gone")
        host.script("dummy", "status", 3)
        host.script("dummy", "stop")
        host.script("dummy", "restart")
        host.seen("dummy")
        host.script("dummy", "stop")


@tap.case(deadline=120)
def a_failing_step_fails_the_start_and_a_condition_skips_it():
    with Host() as host:
        host.m.write("/usr/sbin/dummy", DAEMON, 0o755)
        host.install("pre", "[Service]\nExecStartPre=/bin/false\nExecStart=/usr/sbin/dummy\n")
        host.script("pre", "start", 1)
        host.install("cond", "[Unit]\nConditionPathExists=/no/such\n[Service]\nExecStart=/usr/sbin/dummy\n")
        tap.check("conditions do not hold" in host.script("cond", "start"), "it is said")
        host.install("user", "[Service]\nUser=nosuchuser\nExecStart=/usr/sbin/dummy\n")
        host.script("user", "start", 6)
        host.install("gone", "[Service]\nExecStart=/no/such/program\n")
        host.script("gone", "start")
        tap.equal(host.daemons(), [], "daemons")
        host.install("once", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'echo up >>/tmp/log'\nExecStop=/bin/sh -c 'echo down >>/tmp/log'\n")
        for word in ("start", "start", "status", "stop"):
            host.script("once", word)
        host.script("once", "status", 3)
        tap.equal(host.m.read("/tmp/log"), "up\ndown\n", "what ran")


@tap.case(deadline=120)
def init_keeps_a_daemon_of_a_converted_line_running():
    unit = "[Service]\nUser=nobody\nRestart=always\nWorkingDirectory=/usr\nEnvironment='A=x; y'\nExecStart=/usr/sbin/dummy ${A} '#' b\n"
    with Host() as host:
        host.m.write("/usr/sbin/dummy", DAEMON, 0o755)
        host.m.write("/tmp/dummy.service", unit)
        host.reread(BASE + convert(host.m.path("/tmp/dummy.service"), "--inittab"))
        for _ in range(2):
            found, env = host.seen("dummy")
            tap.equal((found["args"], found["user"], found["cwd"], env["A"]), ("x; y # b", "nobody nogroup", "/usr", "x; y"), "how it was started")
            wait_for(lambda: len(host.daemons()) == 1, "the dummy to stay")
            host.kill(host.daemons()[0].pid)


def debian_units():
    folder = fetch.unpacked("units")
    found = [path for path in glob.glob(folder + "/**/systemd/system/*.service", recursive=True) if not os.path.islink(path)]
    tap.check(len(found) >= 18, "units are found: %d" % len(found))
    return {os.path.basename(path): path for path in found}


@tap.case(deadline=300)
def every_unit_of_the_packages_converts_and_every_shell_reads_it():
    for name, path in sorted(debian_units().items()):
        script = convert(path, *(["-i", "one"] if "@" in name else []))
        for shell in (["dash"], ["bash", "--posix"]):
            done = subprocess.run([*shell, "-n"], input=script, stderr=subprocess.PIPE, text=True, check=False)
            tap.equal((done.returncode, done.stderr), (0, ""), "%s -n on that of %s" % (shell[0], name))
        with open(path, encoding="utf-8") as file:
            unit = file.read()
        wanted = re.search(r"^WantedBy=.*multi-user\.target", unit, re.MULTILINE)
        tap.equal("# Default-Start:     2 3 4 5\n" in script, bool(wanted), "whether %s starts by itself" % name)
        for line in unit.splitlines():
            sandbox = re.match(r"(Protect|Private|Restrict|SystemCall)\w+=.", line)
            tap.check(not sandbox or line[:60] in script, "that of %s names %s" % (name, line))
        user = re.search(r"^User=(.*)", unit, re.MULTILINE)
        if user and not re.search(r"^ExecStart=[-@:]*[+!]", unit, re.MULTILINE):
            tap.check("--reuid=%s " % user.group(1) in script, "that of %s keeps its user" % name)


RUN = {     # unit: (program, the arguments that its unit gives it, user, files that it wants)
    "ssh": ("/usr/sbin/sshd", "-D -4 -q", "root", {"/etc/default/ssh": "SSHD_OPTS=-4 -q\n"}),
    "cron": ("/usr/sbin/cron", "-f -L 2", "root", {"/etc/default/cron": "EXTRA_OPTS='-L 2'\n"}),
    "redis-server": ("/usr/bin/redis-server", "/etc/redis/redis.conf --supervised systemd --daemonize no", "redis", {}),
    "smartmontools": ("/usr/sbin/smartd", "-n -i 7", "root", {"/etc/default/smartmontools": "smartd_opts=\"-i 7\"\n"}),
    "mosquitto": ("/usr/sbin/mosquitto", "-c /etc/mosquitto/mosquitto.conf", "root", {}),
}


@tap.case(deadline=400)
def the_units_of_packages_start_report_and_stop_a_dummy_in_their_daemons_place():
    units = debian_units()
    with Host() as host:
        for name, (program, arguments, user, files) in RUN.items():
            host.m.write(program, DAEMON if name != "ssh" else DAEMON.replace("#!/bin/sh\n", '#!/bin/sh\n[ "$1" != -t ] || exit 0\n'), 0o755)
            for path, text in files.items():
                host.m.write(path, text)
            for account in {user, re.search("^(?:User=|.*chown )?([a-z]+)", name).group(1)} & {"redis", "mosquitto"}:
                host.user(account)
            host.m.write("/etc/init.d/" + name, convert(units[name + ".service"]), 0o755)
            host.script(name, "start")
            found, _ = host.seen(os.path.basename(program))
            tap.equal((found["args"], found["user"].split()[0]), (arguments, user), "how %s was started" % name)
            host.script(name, "status")
            host.script(name, "stop")
            wait_for(lambda: not host.daemons(), "%s to end" % name)
            host.script(name, "status", 3)


tap.main()
