#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every `make install` line of doc/PORTING.md installs what it should where it should, and no link leads nowhere."""
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + "/tests")
import tap      # noqa: E402

BUILD = os.environ.get("B", "build")
PROGRAMS = {"sbindir": ["init", "telinit", "halt", "poweroff", "reboot", "shutdown", "runlevel", "killall5", "fstab-decode"],
            "bindir": ["pidof", "mountpoint"], "usrbindir": ["last", "lastb", "wall", "mesg", "utmpdump", "readbootlog"]}
PLACES = {"sbindir": "/sbin", "bindir": "/bin", "usrbindir": "/usr/bin", "mandir": "/usr/share/man"}


def lines():
    with open(TOP + "/doc/PORTING.md", encoding="utf-8") as file:
        return re.findall(r"^    make (install\b.*)$", file.read(), re.MULTILINE)


def real(root, path):
    """Where a path leads with ROOT as the root."""
    while os.path.islink(root + path):
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(root + path)))
    return root + path


def judge(root, words):
    places = {**PLACES, **dict(word.split("=", 1) for word in words if word.split("=")[0] in PLACES)}
    for place, names in PROGRAMS.items():
        for name in names:
            path = places[place] + "/" + name
            tap.check(os.access(real(root, path), os.X_OK), "%s is there and can be executed" % path)
    tap.check(os.path.exists(root + places["mandir"] + "/man8/init.8"), "the manual pages are in " + places["mandir"])


def install(words):
    """Compilers and flags are the build suite's matter: what is built in $B is what is installed."""
    with tempfile.TemporaryDirectory() as root:
        done = subprocess.run(["make", "-s", "B=" + BUILD, "DESTDIR=" + root, *words], cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        tap.equal((done.returncode, re.findall("(?i)error.*", done.stdout)), (0, []), "what make says")
        judge(root, words)


tap.check(lines(), "doc/PORTING.md has lines to try")
for line in dict.fromkeys(lines()):
    tap.add("make " + line, lambda words=tuple(line.split()): install(words), 120)

tap.main()
