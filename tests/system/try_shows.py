#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""contrib/try, as somebody who has just cloned the tree runs it: the shell on the console, and each fault beside the stock init."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import tempfile

from machine import tap

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STOCK = os.environ.get("STOCK_ROOT") or TOP + "/build/stock"
LINE = re.compile(r"^(healthy|faulty|after) +(ours|stock) +init \[(.)\] +children (\d+) +zombies (\d+) +(\S+) (\S+)(?: +\| waiting/lost (.*))?$")
# Where ours may be seen: in its one wait, or at work.
AT_WORK = ("do_epoll_wait", "ep_poll", "-", "0")


def attempt(*words, keys="", command=("python3", "contrib/try.py"), cwd=TOP, **more):
    return subprocess.run([*command, *words], cwd=cwd, input=keys, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **more)


class Shown:
    """What a demonstration said of one of the two inits."""

    def __init__(self, text, which):
        found = [LINE.match(line) for line in text.splitlines()]
        self.rows = [row.groups() for row in found if row and row.group(2) == which]

    def of(self, when):
        return [row for row in self.rows if row[0] == when]

    def most_zombies(self, when):
        return max(int(row[4]) for row in self.of(when))

    def most_waiting(self, sink):
        return max(int(re.search(sink + r" (\d+)/", row[7]).group(1)) for row in self.of("faulty"))


def demonstrate(fault):
    done = attempt("--fault", fault, "--stock", STOCK)
    return fault, done.returncode, done.stdout


@tap.case(deadline=400)
def each_fault_is_shown_and_ours_is_in_its_one_wait_all_along():
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        texts = {}
        for fault, status, text in pool.map(demonstrate, ("syslog", "console", "xoff", "utmp", "fork", "storm")):
            tap.equal(status, 0, "status of %s: %s" % (fault, text[-1000:]))
            texts[fault] = text
    for fault, text in texts.items():
        ours, stock = Shown(text, "ours"), Shown(text, "stock")
        tap.equal([len(ours.of(when)) for when in ("healthy", "faulty", "after")], [3, 12, 6], "lines of ours, %s" % fault)
        tap.equal([row for row in ours.rows if row[6] not in AT_WORK], [], "ours elsewhere, %s" % fault)
        tap.equal([row[2] for row in ours.rows[:1] + ours.rows[-1:]], ["2", "3"], "levels of ours, %s" % fault)
        tap.check(stock.rows, "the stock init beside it, %s" % fault)
    syslog = Shown(texts["syslog"], "stock")
    tap.check(syslog.most_zombies("faulty") >= 4 and {row[2] for row in syslog.of("faulty")} == {"2"}, "stock is wedged by syslog")
    tap.check(Shown(texts["syslog"], "ours").most_waiting("syslog") > 5, "lines wait for syslog")
    for fault in ("console", "xoff"):
        tap.check(Shown(texts[fault], "ours").most_waiting("console") > 5, "lines wait for the console, %s" % fault)
    tap.check("fcntl_setlk" in {row[6] for row in Shown(texts["utmp"], "stock").of("faulty")}, "stock waits for the lock")


@tap.case(deadline=400)
def a_fresh_tree_is_built_and_its_init_gives_a_shell():
    with tempfile.TemporaryDirectory() as folder:
        tree = folder + "/tree"
        shutil.copytree(TOP, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", "build", "__pycache__"))
        done = attempt(keys="runlevel\ntelinit 3\ncat /proc/1/comm\n", command=("sh", "contrib/try"), cwd=tree)
        tap.equal(done.returncode, 0, "status: " + done.stdout[-1000:])
        tap.check("\nINIT: version " in done.stdout.replace("\r", "\n"), "the init is told: " + done.stdout[-2000:])
        tap.check("[level N 2] # " in done.stdout and "level 3 is reached" in done.stdout, "a shell that is obeyed")
        tap.check(re.search(r"^init \[3\] .*zombies 0 .*waiting/lost", done.stdout, re.MULTILINE), "one line about process 1")


@tap.case()
def what_it_does_not_know_is_said():
    known = attempt("--help", command=("sh", "contrib/try"))
    tap.equal(known.returncode, 0, "status of --help")
    for fault in ("syslog", "console", "xoff", "bootlogd", "utmp", "fork", "storm"):
        tap.check(re.search(r"^ +%s +" % fault, known.stdout, re.MULTILINE), "--help names " + fault)
    done = attempt("--fault", "sunshine")
    tap.check(done.returncode == 2 and "sunshine" in done.stdout, "no such fault: " + done.stdout)
    done = attempt(command=("sh", "contrib/try"), user=65534)
    tap.check(done.returncode == 1 and "must be root" in done.stdout, "without rights: " + done.stdout)


tap.main()
