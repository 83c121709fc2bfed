#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""contrib/unit2init: what becomes of each kind of setting, and that nothing of a unit becomes shell code."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
import tap   # noqa: E402

TOOL = os.path.join(TOP, "contrib/unit2init")
sys.dont_write_bytecode = True
_spec = importlib.util.spec_from_loader("unit2init", importlib.machinery.SourceFileLoader("unit2init", TOOL))
unit2init = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(unit2init)
SHELLS = [shell for shell in (["dash"], ["bash", "--posix"], ["busybox", "sh"])
          if subprocess.run(["sh", "-c", "command -v " + shell[0]], stdout=subprocess.DEVNULL, check=False).returncode == 0]
PLAIN = "[Unit]\nDescription=A plain daemon\n[Service]\nExecStart=/usr/sbin/plaind -f\n[Install]\nWantedBy=multi-user.target\n"


def run(*words):
    """The tool, in this process. -> (status, standard output, standard error)"""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = unit2init.main(words)
        except SystemExit as end:
            status = end.code
    return status, out.getvalue(), err.getvalue()


def convert(text, *options, name="plain.service", status=0, more=()):
    """-> (what is written, what is said)"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        for file, content in [(name, text), *more]:
            os.makedirs(os.path.dirname(os.path.join(folder, file)), exist_ok=True)
            with open(os.path.join(folder, file), "w", encoding="utf-8") as out:
                out.write(content)
        found, out, err = run(*options, path)
    tap.equal(found, status, "the exit status, having said %r" % err)
    if not status and "--inittab" not in options:
        for shell in SHELLS:
            checked = subprocess.run([*shell, "-n"], input=out, stderr=subprocess.PIPE, text=True, check=False)
            tap.equal((checked.returncode, checked.stderr), (0, ""), "%s -n" % shell[0])
    return out, err


def service(lines, unit="", install="WantedBy=multi-user.target"):
    return "[Unit]\nDescription=x\n%s\n[Service]\n%s\n[Install]\n%s\n" % (unit, lines, install)


def field(script, name):
    found = re.search("^# %s:(.*)$" % re.escape(name), script, re.MULTILINE)
    return found and found.group(1).split()


def function(script, name):
    """The lines of a function of the script."""
    return [line[1:] for line in re.search(r"^%s\(\)\n\{\n(.*?)^\}" % name, script, re.MULTILINE | re.DOTALL).group(1).splitlines()]


@tap.case()
def there_are_shells_to_check_with():
    tap.check(["dash"] in SHELLS and ["bash", "--posix"] in SHELLS, "dash and bash are installed; found %r" % SHELLS)


@tap.case()
def it_tells_the_version_that_is_built():
    with open(os.path.join(TOP, "Makefile"), encoding="utf-8") as file:
        version = re.search("^VERSION *:?= *(.*)$", file.read(), re.MULTILINE).group(1)
    tap.equal(run("--version"), (0, "unit2init %s\n" % version, ""), "what --version says")


@tap.case()
def a_plain_unit_becomes_a_script_with_an_lsb_header():
    script, said = convert(PLAIN)
    tap.equal(said, "", "what is left out")
    tap.check(script.startswith("#!/bin/sh\n### BEGIN INIT INFO\n"), "it begins with its header")
    tap.equal([field(script, name) for name in ("Provides", "Required-Start", "Default-Start", "Default-Stop", "Short-Description")],
              [["plain"], ["$remote_fs", "$syslog"], ["2", "3", "4", "5"], ["0", "1", "6"], ["A", "plain", "daemon"]], "the header")
    main = function(script, "start_main")
    tap.equal(len(main), 1, "lines of start_main")
    tap.check("--startas /usr/sbin/plaind -- -f ||" in main[0] and "--background --make-pidfile" in main[0], "how it starts: " + main[0])


@tap.case()
def dependencies_become_facilities_and_names():
    script, _ = convert(service("ExecStart=/bin/x", "Requires=db.service\nAfter=network.target db.service time-sync.target\nWants=mail.service\n"
                                "Before=web.service", "WantedBy=multi-user.target\nAlias=other.service"))
    tap.equal(field(script, "Required-Start"), ["$remote_fs", "$syslog", "db"], "what it requires")
    tap.equal(field(script, "Should-Start"), ["$network", "$time", "mail"], "what should run before")
    tap.equal(field(script, "X-Start-Before"), ["web"], "what it starts before")
    tap.equal(field(script, "Provides"), ["plain", "other"], "what it provides")
    script, _ = convert(service("ExecStart=/bin/x\nType=oneshot", "DefaultDependencies=no\nAfter=local-fs.target", "WantedBy=sysinit.target"))
    tap.equal((field(script, "Default-Start"), field(script, "Required-Start"), field(script, "Should-Start")),
              (["S"], [], ["$local_fs"]), "an early one")
    _, said = convert(service("ExecStart=/bin/x", "After=strange.target"))
    tap.check("strange.target" in said, "an order that cannot be kept is named; found %r" % said)


@tap.case()
def what_cannot_be_carried_over_is_named_with_its_place():
    script, said = convert(service("ExecStart=/bin/x\nProtectSystem=strict\nWatchdogSec=5\nX-Ours=1\nRestart=always"))
    wanted = ["plain.service:6: [Service] ProtectSystem=strict", "plain.service:7: [Service] WatchdogSec=5",
              "plain.service:9: Restart=always: use --inittab for that"]
    tap.equal(sorted(line.replace("unit2init: not carried over: ", "") for line in said.splitlines()), wanted, "what is said")
    tap.check(all("#   " + line in script for line in wanted), "the script says it as well")
    convert(service("ExecStart=/bin/x\nProtectSystem=strict"), "--strict", status=3)
    convert(PLAIN, "--strict")


@tap.case()
def words_are_split_as_systemd_splits_them_and_arrive_as_they_are():
    text = service("Type=oneshot\nEnvironment=\"TWO=a b\" ONE=c 'MARK=it''s'\n"
                   r"""ExecStart=/usr/bin/printf <%%s> 'a b' "c'd" e\x41\tf $$HOME ${TWO} $TWO x${ONE}y *.c `id` $(id) "" \; > ! ;; "q\"r" """)
    script, said = convert(text)
    tap.equal(said, "", "what is left out")
    program = "log_daemon_msg() { :; }\nlog_end_msg() { :; }\nlog_progress_msg() { :; }\n"
    script = script.replace(". /lib/lsb/init-functions\n", program)
    for shell in SHELLS:
        done = subprocess.run([*shell, "-s", "start"], input=script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=TOP, check=False)
        tap.equal((done.returncode, done.stderr), (0, ""), "how %s ends" % shell[0])
        words = ["a b", "c'd", "eA\tf", "$HOME", "a b", "a", "b", "xcy", "*.c", "`id`", "$(id)", "", ";", ">", "!", ";;", 'q"r']
        tap.equal(done.stdout, "".join("<%s>" % word for word in words), "the words under " + shell[0])


@tap.case()
def nothing_of_a_unit_becomes_shell_code():
    evil = "'; touch /tmp/unit2init-was-here; '"
    nasty = "\"$(touch ${PWD}/w)\" `touch w` $(touch w) ; touch w"
    keys = ("Environment=A=%s", "WorkingDirectory=/%s", "User=%s", "Group=%s", "StandardOutput=file:/%s", "SyslogIdentifier=%s", "PIDFile=/%s",
            "UnsetEnvironment=%s", "EnvironmentFile=-/%s", "LogsDirectory=%s", "SupplementaryGroups=%s")
    for value in (evil, nasty):
        for key in keys:
            text = service("ExecStart=/bin/true\n" + key % value.replace("\n", " "), "Description=%s" % value)
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "a.service")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                status, script, _ = run(path)
                if status:
                    tap.equal(script, "", "a refused unit gives no script")
                    continue
                marks = "log_daemon_msg() { :; }\nlog_end_msg() { :; }\nlog_progress_msg() { :; }\nlog_failure_msg() { :; }\n" \
                        "getent() { :; }\nstart-stop-daemon() { false; }\ninstall() { :; }\nsetpriv() { :; }\n"
                script = script.replace(". /lib/lsb/init-functions\n", marks)
                subprocess.run(["bash", "-s", "start"], input=script, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
                               cwd=folder, check=False)
                tap.equal(sorted(os.listdir(folder)), ["a.service"], "what %s made" % (key % value))
                tap.check(not os.path.exists("/tmp/unit2init-was-here"), "%s runs nothing" % (key % value))
    tap.check("\n#   a" not in convert(service("ExecStart=/bin/x\nFoo=a\rb\x0bc"))[0], "a comment stays one line")


@tap.case()
def who_was_to_run_as_somebody_never_runs_as_root():
    script, _ = convert(service("ExecStart=/bin/x -y\nUser=nobody\nGroup=nogroup\nExecStartPre=/bin/pre\nExecStartPre=+/bin/root\nExecReload=-!/bin/re"))
    rights = "setpriv --reuid=nobody --regid=nogroup --init-groups -- "
    main = function(script, "start_main")[0]
    tap.check(main.endswith('--startas "$(command -v setpriv)" -- --reuid=nobody --regid=nogroup --init-groups -- /bin/x -y || return 1'), main)
    tap.equal(function(script, "before_start"), [rights + "/bin/pre </dev/null || return 1", "/bin/root </dev/null || return 1"], "before the start")
    tap.equal(function(script, "reload")[-1], "/bin/re </dev/null || :", "with full rights, its failure ignored")
    script, said = convert(service("ExecStart=/bin/x\nDynamicUser=yes"))
    tap.check("--reuid=plain" in script and 'there is no user "plain; return 6' in script and "DynamicUser" in said, "a dynamic user must exist")
    _, said = convert(service("ExecStart=/bin/x\nUser=a\nCapabilityBoundingSet=~CAP_SYS_ADMIN\nAmbientCapabilities=CAP_NET_BIND_SERVICE"))
    tap.equal(said, "", "capabilities are carried over")


@tap.case()
def the_last_assignment_counts_and_an_empty_one_forgets():
    script, _ = convert(service("ExecStart=/bin/first\nExecStart=\nExecStart=/bin/second\nUMask=077\nUMask=027"))
    tap.check("/bin/second" in script and "/bin/first" not in script and "umask 027" in script, "the second")
    more = [("plain.service.d/b.conf", "[Service]\nUMask=002\n"), ("plain.service.d/a.conf", "[Service]\nUMask=003\nNice=7\n")]
    script, _ = convert(PLAIN, more=more)
    tap.check("umask 002" in script and "nice\" -n 7" not in script and "-n 7" in script, "drop-ins count, in the order of their names")


@tap.case()
def templates_want_an_instance_and_codes_are_replaced():
    text = service("ExecStart=/bin/x %i %I %n %p %t %% %H\nRuntimeDirectory=x-%i")
    _, said = convert(text, name="x@.service", status=1)
    tap.equal(said, "unit2init: x@.service is a template: name an instance with -i\n", "what is said")
    script, _ = convert(text, "-i", "a-b", name="x@.service")
    tap.check("/bin/x -- a-b a/b x@a-b.service x /run % \"$(uname -n)\" ||" in function(script, "start_main")[0], function(script, "start_main")[0])
    tap.equal(field(script, "Provides"), ["x-a-b"], "its name")
    _, said = convert(service("ExecStart=/bin/x %Z"), status=1)
    tap.check("%Z is not understood" in said, said)


@tap.case()
def each_type_starts_and_stops_in_its_own_way():
    script, _ = convert(service("Type=forking\nPIDFile=run.pid\nExecStart=/bin/x\nKillSignal=SIGINT\nTimeoutStopSec=1min 30"))
    tap.equal(function(script, "start_main"), ["/bin/x </dev/null || return 1"], "a forking one")
    tap.check("PIDFILE=/run/run.pid\n" in script and "--retry=INT/90/KILL/5" in script, "its pid file and signal")
    script, _ = convert(service("Type=forking\nExecStart=/bin/x"))
    tap.check('--exec "$PROGRAM"' in "".join(function(script, "is_running")), "without a pid file it is known by its program")
    script, _ = convert(service("Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/a ; /bin/b\nExecStart=-/bin/c\nExecStop=/bin/d"))
    tap.equal(function(script, "start_main"), ["/bin/a </dev/null || return 1", "/bin/b </dev/null || return 1", "/bin/c </dev/null || :",
                                               'echo yes >"$RAN"'], "a oneshot one")
    script, _ = convert(service("Type=notify\nExecStart=/bin/x\nTimeoutStartSec=2m\nKillMode=none\nExecStop=/bin/bye $MAINPID"))
    tap.check("--notify-await --notify-timeout 120" in function(script, "start_main")[0], "one that notifies")
    tap.equal(function(script, "stop_main"), ["main_pid", "/bin/bye ${MAINPID-} </dev/null || return 1"], "KillMode=none")
    _, said = convert(service("Type=dbus\nBusName=org.x\nExecStart=/bin/x"))
    tap.check("the name on the bus" in said, said)


@tap.case()
def conditions_become_tests():
    script, said = convert(service("ExecStart=/bin/x", "ConditionPathExists=!/no such\nConditionPathExists=|/a\nConditionFileNotEmpty=|/b\n"
                                   "ConditionVirtualization=!container\nAssertPathIsDirectory=/etc"))
    tap.equal(function(script, "is_wanted"), ["[ -d /etc ] || return 1", "! { [ -e '/no such' ]; } || return 1",
                                              "{ [ -e /a ] || { [ -f /b ] && [ -s /b ]; }; } || return 1"], "the tests")
    tap.check("ConditionVirtualization" in said, "one that cannot be tested is named")


@tap.case()
def a_line_of_inittab_is_one_command_that_init_watches():
    line, said = convert(PLAIN, "--inittab")
    tap.equal((line, said), ("plai:2345:once:/usr/sbin/plaind -f\n", ""), "a plain one")
    line, _ = convert(service("ExecStart=/bin/x 'a b'\nRestart=always\nUser=nobody\nEnvironment=A=1\nWorkingDirectory=/tmp"), "--inittab", "--id", "xx")
    tap.check(line.startswith("xx:2345:respawn:export USER=nobody"), line)
    tap.check(line.endswith("export A=1; cd /tmp || exit 1; exec setpriv --reuid=nobody '--regid='\"$(id -g nobody)\" --init-groups -- /bin/x 'a b'\n")
              or line.endswith("--init-groups -- /bin/x 'a b'\n"), line)
    tap.equal(subprocess.run(["dash", "-n"], input=line.split(":", 3)[3], text=True, check=False).returncode, 0, "the shell reads it")
    line, _ = convert(service("ExecStart=/bin/x " + " ".join("abcdefghijklmnop")), "--inittab")
    tap.check(line.startswith("plai:2345:once:''/bin/x a b"), "more words than init splits go to the shell: " + line)
    convert(service("Type=forking\nExecStart=/bin/x"), "--inittab", status=1)
    convert(service("ExecStart=/bin/x %s" % ("y" * 5000)), "--inittab", status=1)


@tap.case()
def what_is_no_service_is_refused_with_the_reason():
    for text, name, why in (("", "a.service", "has no [Service] section"), (PLAIN, "a.socket", "is not a service"),
                            ("garbage\n", "a.service", "neither a section nor an assignment"),
                            ("[Service]\nExecStart=/bin/x 'a\n", "a.service", "a quote that is not closed"),
                            ("[Service]\nType=odd\nExecStart=/x\n", "a.service", "Type=odd is not known"),
                            ("[Service]\nUser=x\n", "a.service", "has no ExecStart"),
                            ("[Service]\nExecStart=/x\nExecStart=/y\n", "a.service", "more than one ExecStart"),
                            ("[Service]\nExecStart=/x\nRuntimeDirectory=../etc\n", "a.service", "is not below /run")):
        out, said = convert(text, name=name, status=1)
        tap.equal(out, "", "what is written for %r" % text)
        tap.check(why in said and said.startswith("unit2init: ") and said.count("\n") == 1, "%r is said; found %r" % (why, said))
    tap.equal(run("/nowhere/a.service"), (1, "", "unit2init: /nowhere/a.service: No such file or directory\n"), "a missing file")
    tap.equal(run()[:2], (2, ""), "no operand")


@tap.case()
def a_full_device_is_an_error_and_a_file_is_written_in_one_step():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([sys.executable, TOOL, "-n", "a", "-"], input=PLAIN, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    tap.equal((done.returncode, done.stderr.splitlines()[:1]), (1, ["unit2init: standard output: No space left on device"]), "a full device")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, TOOL, "-n", "a", "-o", folder + "/a", "-"], input=PLAIN, text=True, check=False)
        tap.equal((done.returncode, os.listdir(folder), os.stat(folder + "/a").st_mode & 0o777), (0, ["a"], 0o755), "what is written")


tap.main()
