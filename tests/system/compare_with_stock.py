#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The same inittabs and the same requests under the stock init and under ours: what comes of them is equal.

Compared are, for every process that was started: which entry, how often, with which environment, descriptors, terminal,
session, signals, umask and folder; the order of those that are waited for; init's lines on the console and in syslog; the
records in utmp and wtmp. What is different on purpose stands in DIFFERENCES, by name, each with a pattern that must
match: a difference that is gone, or one that is not listed, fails.
"""
import difflib
import os
import re
import signal

from machine import CMD_BSD, CMD_POWERFAIL, CMD_POWERFAILNOW, CMD_POWEROK, CMD_RUNLVL, CMD_SETENV, CMD_START, sinks
from scene import Scene, tap, wait_for

# Stock flushes the console when it enters them: what was just said may be gone, or half of it.
FLUSHING = {"a machine goes through its levels", "initscript runs entries", "a boot to single user mode"}
# name: (pattern of a line that differs, the scenarios in which there must be one; in others it may be)
DIFFERENCES = {
    "stock records once more, with the pid 0, the end of what a change of level stops":
        (r"[uw]tmp: -type 8 id '\w+' line '' .* pid 0 ", ("a machine goes through its levels",)),
    "and so shows no pid in utmp":
        (r"utmp: \+type 8 id '\w+' line '' .* pid [\w-]+ number \d+ ", ("a machine goes through its levels",)),
    "what is waited for at boot is recorded by the same pid at its start as at its end":
        (r"wtmp: [-+]type 5 id '(si|bw|bo|~~)' line '' .* pid (a pid|\w+ number 1) ",
         ("a machine goes through its levels", "a boot to single user mode")),
    "a variable that is no INIT_ one is refused with a message, as initctl(5) says":
        (r"(the console|syslog): \+(<30> init: )?initctl: not all variables could be set$",
         ("demand entries and variables",)),
    "stock reads the table twice for a demand, and complains of it twice":
        (r"(the console|syslog): -(<30> init: )?/etc/inittab\[\d+\]: ", ("bad lines are skipped",)),
    "no empty argument comes of a comment":
        (r"what was started: -1 word=$", ("commands are run",)),
    "a command that begins with an assignment runs":
        (r"(what was started: \+0 entry=i|the order of what is waited for: \+args 2 N)$", ("commands are run",)),
    "a list of commands is run whole, so by a shell that has the pid":
        (r"[uw]tmp: [-+]type [58] id 'h' .* pid (h number 1|a pid) ", ("commands are run",)),
    "what could not be executed has one record of its end":
        (r"wtmp: -type 8 id '[fg]' .* pid a pid ", ("commands are run",)),
    "an entry that is held back is still to come: it is not that none is left":
        (r"(the console|syslog): -(<30> init: )?no more processes left in this runlevel$", ()),
    "a start comes in the records after the end of what it follows; in stock the child writes it, when it likes":
        (r"[uw]tmp: [-+]type [58] id 'b' line '' .* pid b number [12] ", ()),
}

# One file for each process: /tmp/told/PID holds "key=value" lines; then a mark. `hold`: it stays.
TELL = r"""#!/bin/sh
exec 9>/tmp/told/$$.new
entry=$1 hold=$2
stat=$(cat /proc/$$/stat)
set -- ${stat##*) }
case "$3 $4" in
"$$ $$") session=own ;;
"$2 $2") session="its parent's" ;;
*) session="$3 $4" ;;
esac
{
    echo "0 entry=$entry"
    echo "1 group-and-session=$session"
    echo "2 terminal=$5"
    echo "4 umask=$(umask)"
    echo "4 folder=$(readlink /proc/$$/cwd)"
    grep -E '^Sig(Blk|Ign):' /proc/$$/status | tr -d '\t ' | sed 's/^/5 /'
    tr '\0' '\n' </proc/$$/environ | grep -vE '^(_|PWD|OLDPWD|SHLVL)=' | sort | sed 's/^/6 /'
} >&9
for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done | sed 's/^/3 descriptor of /' >&9
mv /tmp/told/$$.new /tmp/told/$$
echo "$entry $RUNLEVEL $PREVLEVEL" >>/tmp/marks
[ "$hold" != hold ] || exec sleep 1000000 9>&-
"""
ARGUMENTS = """#!/bin/sh
{ echo "0 entry=$1"; shift; for word; do echo "1 word=$word"; done; } >/tmp/told/$$.new
mv /tmp/told/$$.new /tmp/told/$$
echo "args $RUNLEVEL $PREVLEVEL" >>/tmp/marks
"""
SULOGIN = "#!/bin/sh\nexec /tmp/tell sulogin hold\n"
INITSCRIPT = """#!/bin/sh
{ echo "0 entry=initscript $1"; echo "1 levels=$2"; echo "1 action=$3"; echo "1 process=$4"; } >/tmp/told/$$.is
mv /tmp/told/$$.is /tmp/told/$$.initscript
eval exec "$4"
"""


LAST = "zz:C:ondemand:/tmp/tell last hold\n"
LAST_LINE = "got unimplemented initrequest."


def without_last_lines(lines):
    """There may be one less in stock."""
    while lines and lines[-1] == LAST_LINE:
        lines = lines[:-1]
    return lines


class Run(Scene):
    """A machine with either init in which a script of requests is carried out step by step."""

    def __init__(self, which, inittab, files=(), boot=(), prepare=None):
        super().__init__(inittab + LAST, which=which, boot=boot, prepare=self._lay_out)
        self.more_files, self.also = dict(files), prepare

    def _lay_out(self, machine):
        os.mkdir(machine.path("/tmp/told"))
        machine.write("/etc/inittab.d/none", "")
        for name, text in {"/tmp/tell": TELL, "/tmp/args": ARGUMENTS, "/sbin/sulogin": SULOGIN}.items():
            machine.write(name, text, 0o755)
        for name, text in self.more_files.items():
            machine.write(name, text, 0o755)

    # ----------------------------------------------------------------------------------- the steps

    def started(self, entry, count=1):
        """Waits until that entry has told of itself so often. -> the pid of the last."""
        def found():
            pids = [pid for pid, text in self.told() if text.startswith("0 entry=%s\n" % entry)]
            return len(pids) >= count and pids
        return wait_for(found, "%s to be started %d times" % (entry, count))[count - 1]

    def finished(self, entry, count=1):
        """The same, and that it is over."""
        pid = self.started(entry, count)
        wait_for(lambda: not self.m.process(pid), "%s to end" % entry)

    def level(self, level):
        """Stock leaves what its command line was longer behind its title."""
        self.m.telinit("-t", "1", level)
        wait_for(lambda: (self.m.title() or "").startswith("init [%s]" % level), "level %s" % level)

    def request(self, cmd, **more):
        self.m.request(cmd, **more)
        wait_for(lambda: not self.m.unread_requests(), "the request to be read")

    def ended(self, pid):
        self.kill(pid)
        wait_for(lambda: not self.runs(pid), "%d to end" % pid)

    # ------------------------------------------------------------------------------- what came of it

    def told(self):
        """[(pid, what it told)], in the order of the pids, which a new name space hands out in turn."""
        folder = self.m.path("/tmp/told")
        names = [name for name in os.listdir(folder) if re.fullmatch(r"\d+(\.initscript)?", name)]
        return [(int(name.split(".")[0]), self.m.read("/tmp/told/" + name))
                for name in sorted(names, key=lambda name: (int(name.split(".")[0]), name))]

    def names_of_pids(self):
        """{pid: "entry number n"}"""
        counts, names = {}, {}
        for pid, text in self.told():
            entry = re.match(r"0 entry=(?:initscript )?(.*)", text).group(1)
            if pid not in names:
                counts[entry] = counts.get(entry, 0) + 1
                names[pid] = "%s number %d" % (entry, counts[entry])
        return names

    def _records(self, records):
        names = self.names_of_pids()

        def told(record):
            whose = names.get(record.pid, record.pid)
            if record.type in (sinks.BOOT_TIME, sinks.RUN_LVL):
                whose = record.pid
            elif record.pid and record.pid not in names:
                whose = "a pid"
            return "type %d id %r line %r user %r host %r pid %s exit %d,%d" % (
                record.type, record.id, record.line, record.user, record.host, whose, record.exit, record.termination)
        return [told(record) for record in records]

    def outcome(self, waited):
        """{what: lines}. waited: the entries whose order counts, since init waits for each."""
        names = self.names_of_pids()

        def plain(text):
            text = re.sub(r"version \S+ (booting|reloading)", r"version V \1", text)
            text = re.sub(r"Pid (\d+) ", lambda m: "Pid of %s " % names.get(int(m.group(1)), "?"), text)
            return text
        told = [re.sub(r"INIT_VERSION=sysvinit-\S+", "INIT_VERSION=V", text) for _, text in self.told()]
        by_entry = sorted((text for text in told), key=lambda text: text.splitlines()[0])
        wtmp = self._records(self.m.wtmp())
        return {
            "what was started": "".join(by_entry).splitlines(),
            "the order of what is waited for": [" ".join(m) for m in self.marks() if m[0] in waited],
            "the console": [plain(line) for line in without_last_lines(self.m.console.lines())],
            "syslog": ["<%s> %s: %s" % (line.priority, line.ident, plain(line.text))
                       for line in self.m.syslog.lines() if line.ident == "init"],
            "utmp": sorted(self._records(self.m.utmp())),
            # Children write their own in the stock init: only the order within an entry is one.
            "wtmp": sorted(wtmp, key=lambda line: re.search(r"id ('[^']*')", line).group(1)),
        }


def settled(run, waited):
    """The outcome, once a last entry and a last line have come through: all that went before them has, too."""
    def at_rest():
        titles = [run.m.title(pid) for pid, _ in run.told()]
        return all(title is None or title.startswith("sleep ") for title in titles)
    wait_for(at_rest, "what does not stay to end")
    run.request(CMD_RUNLVL, level="c")
    run.started("last")
    wait_for(lambda: [r for r in run.m.utmp() if r.id == "zz"] and [r for r in run.m.wtmp() if r.id == "zz"],
             "the last entry's records")
    said = run.m.syslog.texts().count(LAST_LINE)
    for count in (said + 1, said + 2):      # the first is on stock's console when it takes the second
        run.request(CMD_START)
        wait_for(lambda: run.m.syslog.texts().count(LAST_LINE) == count, "a last line of init")
    if run.which == "ours":
        wait_for(lambda: run.m.console.lines().count(LAST_LINE) == count, "the console to have it")
    return run.outcome(waited)


# ------------------------------------------------------------------------------------------- scenarios

SCENARIOS = {}


def scenario(inittab, waited=(), **options):
    def declare(function):
        SCENARIOS[function.__name__] = (inittab, function, waited, options)
        return function
    return declare


@scenario("""# a machine with rc scripts
id:2:initdefault:
si::sysinit:/tmp/tell sysinit
bo:2345:boot:/tmp/tell boot
bw::bootwait:/tmp/tell bootwait
~~:S:wait:/sbin/sulogin
l0:0:wait:/tmp/tell rc0
l1:1:wait:/tmp/tell rc1
l2:2:wait:/tmp/tell rc2
l3:3:wait:/tmp/tell rc3
l6:6:wait:/tmp/tell rc6
o3:3:once:/tmp/tell once3
1:2345:respawn:/tmp/tell getty1 hold
2:23:respawn:/tmp/tell getty2 hold
3:23:off:/tmp/tell off hold
""", waited=("sysinit", "bootwait", "rc0", "rc1", "rc2", "rc3", "rc6", "sulogin"))
def a_machine_goes_through_its_levels(run):
    run.started("getty1")
    second = run.started("getty2")
    run.ended(second)
    run.started("getty2", 2)
    run.level("3")
    run.started("once3")
    run.level("5")
    run.level("2")
    run.started("rc2", 2)
    run.started("getty2", 3)
    run.level("1")
    run.finished("rc1")
    run.wait_shown("no more processes left in this runlevel")
    run.level("S")
    shell = run.started("sulogin")
    run.ended(shell)
    run.started("rc2", 3)
    run.started("getty1", 2)
    run.started("getty2", 4)
    run.level("6")
    run.finished("rc6")
    wait_for(lambda: run.m.console.lines().count("no more processes left in this runlevel") == 2, "level 6 to be over")


@scenario("""id:3:initdefault:
ca:12345:ctrlaltdel:/tmp/tell ctrlaltdel
kb::kbrequest:/tmp/tell kbrequest
pf::powerfail:/tmp/tell powerfail
pw::powerwait:/tmp/tell powerwait
pn::powerfailnow:/tmp/tell powerfailnow
po::powerokwait:/tmp/tell powerokwait
g:3:respawn:/tmp/tell getty hold
""")
def keys_and_power(run):
    run.started("getty")
    for count in (1, 2):
        run.m.signal(signal.SIGINT)
        run.started("ctrlaltdel", count)
        run.m.signal(signal.SIGWINCH)
        run.started("kbrequest", count)
    run.request(CMD_POWERFAIL)
    run.started("powerfail")
    run.started("powerwait")
    run.request(CMD_POWERFAILNOW)
    run.started("powerfailnow")
    run.request(CMD_POWEROK)
    run.started("powerokwait")
    for letter, entry in (("O", "powerokwait"), ("L", "powerfailnow"), ("F", "powerwait")):
        run.m.write("/var/run/powerstatus", letter)
        run.m.signal(signal.SIGPWR)
        run.started(entry, 2)
    run.started("powerfail", 2)


@scenario("""id:2:initdefault:
da:A:ondemand:/tmp/tell demand-a hold
db:b:ondemand:/tmp/tell demand-b hold
g:23:respawn:/tmp/tell getty hold
""")
def demand_entries_and_variables(run):
    run.started("getty")
    run.request(CMD_RUNLVL, level="a")
    run.started("demand-a")
    run.request(CMD_RUNLVL, level="B")
    run.started("demand-b")
    run.request(CMD_SETENV, data=b"INIT_ONE=1\0INIT_TWO=2 words\0OTHER=no\0")
    run.ended(run.started("getty"))
    run.started("getty", 2)
    run.request(CMD_SETENV, data=b"INIT_ONE\0INIT_TWO=3\0")
    run.level("3")
    run.ended(run.started("getty", 2))
    run.started("getty", 3)
    run.ended(run.started("demand-a"))
    run.started("demand-a", 2)


@scenario("""id:2:initdefault:
a:2:respawn:/tmp/tell a hold
b:2:respawn:/tmp/tell b hold
c:2:respawn:/tmp/tell c hold
d:2:respawn:/tmp/tell d hold
""")
def the_table_is_read_again(run):
    pids = {name: run.started(name) for name in "abcd"}
    run.m.write("/etc/inittab", """id:2:initdefault:
b:2:once:/tmp/tell b hold
c:2:respawn:/tmp/tell c-anew hold
d:3:respawn:/tmp/tell d hold
e:2:once:/tmp/tell e
f:2:wait:/tmp/tell f
""" + LAST)
    run.m.signal(signal.SIGHUP)
    run.started("e")
    run.started("f")
    run.started("b", 2)
    wait_for(lambda: not any(run.runs(pids[name]) for name in "ab"), "what is to end")
    run.ended(pids["c"])
    run.started("c-anew")
    run.level("3")
    wait_for(lambda: not run.runs(run.told()[-1][0]), "what is not of level 3 to end")
    run.ended(pids["d"])
    run.started("d", 2)


@scenario("""id:2:initdefault:
a:2:wait:/tmp/args a  two\twords # comment
b:2:wait:/tmp/args b 'it is' "one word"
c:2:wait:+/tmp/args c plus
d:2:wait:@/tmp/args d $HOME *
e:2:wait:/tmp/args e 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17
f:2:wait:/no/such/program
g:2:wait:/etc/passwd
h:2:wait:/tmp/args h $RUNLEVEL; exit 3
i:2:wait:FOO=bar /tmp/args i
j:2:wait:/tmp/args j #not a comment?
k:2:once:/tmp/tell k
""", waited=("args",))
def commands_are_run(run):
    run.started("k")


@scenario("""id:2:initdefault:
a:2:wait:/tmp/tell a
b:2:respawn:/tmp/tell b hold
""", files={"/etc/initscript": INITSCRIPT})
def initscript_runs_entries(run):
    run.started("b")
    run.level("S")
    run.ended(run.started("sulogin"))
    run.started("b", 2)


@scenario("""id:2:initdefault:
# each kind of bad line
:2:respawn:/tmp/tell none
a1::respawn
a2:2:nosuch:/tmp/tell none
a4long:2:respawn:/tmp/tell none
a5:012345678901:respawn:/tmp/tell none
ok:2:respawn:/tmp/tell ok hold
ok:2:respawn:/tmp/tell twice hold
a6
  in:2:ONCE:/tmp/tell indented
""")
def bad_lines_are_skipped(run):
    run.started("ok")
    run.started("indented")


@scenario("g:23:respawn:/tmp/tell getty hold\nl2:2:wait:/tmp/tell rc2\n", boot=("2", "auto", "-z", "xxx"))
def strange_requests(run):
    run.started("getty")
    for level in ("x", "~", "Z"):
        run.request(CMD_RUNLVL, level=level)
    run.m.append("/etc/inittab", "rd:2:wait:/tmp/tell read\n")
    run.request(CMD_RUNLVL, level="?")
    run.finished("read")
    run.request(CMD_RUNLVL, level="2")
    run.request(CMD_START)
    run.request(CMD_BSD)
    run.m.initctl(b"\x01" * 384)
    run.level("7")
    run.level("9")
    run.level("2")
    run.started("getty", 2)
    run.finished("read", 2)


@scenario("id:2:initdefault:\nw:2:wait:/tmp/tell rc\n", waited=("rc",))
def nothing_is_left_to_run(run):
    run.wait_shown("no more processes left in this runlevel")


@scenario("id:2:initdefault:\nx:2:respawn:/tmp/tell x\n")
def an_entry_dies_too_often(run):
    run.wait_shown('Id "x" respawning too fast: disabled for 5 minutes')
    run.finished("x", 10)
    run.m.write("/etc/inittab", "id:2:initdefault:\ny:2:wait:/tmp/tell y\n" + LAST)
    run.m.signal(signal.SIGHUP)
    run.finished("y")


@scenario("id:3:initdefault:\nbo::bootwait:/tmp/tell bootwait\ng:3:respawn:/tmp/tell getty hold\n", boot=("single",),
          waited=("bootwait", "sulogin"))
def a_boot_to_single_user_mode(run):
    run.ended(run.started("sulogin"))
    run.started("getty")


def compare(name):
    """The lines that differ."""
    inittab, steps, waited, options = SCENARIOS[name]
    outcomes = {}
    for which in ("stock", "ours"):
        with Run(which, inittab, **options) as run:
            steps(run)
            outcomes[which] = settled(run, waited)
    tap.check(outcomes["ours"]["what was started"], "something was started")
    different = []
    for what in outcomes["ours"]:
        different += ["%s: %s" % (what, line) for line in
                      difflib.unified_diff(outcomes["stock"][what], outcomes["ours"][what], n=0, lineterm="")
                      if not line.startswith(("--- ", "+++ ", "@@ "))]
    return different


def judge(name, different):
    known = {why: re.compile(pattern) for why, (pattern, _) in DIFFERENCES.items()}
    unknown = [line for line in different if not any(pattern.match(line) for pattern in known.values())
               and not (name in FLUSHING and line.startswith("the console: +"))]
    tap.equal("\n".join(unknown), "", "differences without a name")
    for why, (_, where) in DIFFERENCES.items():
        seen = any(known[why].match(line) for line in different)
        tap.check(seen or name not in where, "still different: " + why)
        if seen:
            tap.diag("different: " + why)


for _name in SCENARIOS:
    tap.add(_name.replace("_", " "), lambda name=_name: judge(name.replace("_", " "), compare(name)), 300)

tap.main()
