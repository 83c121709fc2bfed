#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The unit tests under valgrind's memcheck, each with its children: nothing reads memory that was never written, or that is not its own.

What the tests themselves find is judged where they run alone: some are about what valgrind takes the place of (limits of memory,
/proc/self, filters of system calls, exit statuses of children).

    python3 tests/memcheck.py PROGRAM...
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

import tap

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FINDING = re.compile(r"Invalid (read|write|free)|Mismatched free|uninitialised|unaddressable|overlap in |valgrind: .*Assertion")


def check(program):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["valgrind", "-q", "--log-file=%s/%%p" % folder, program], cwd=TOP, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        logs = [open(path, encoding="utf-8", errors="replace").read() for path in glob.glob(folder + "/*")]
    text = done.stdout + "".join(logs)
    tap.check(logs and re.search(r"^(not )?ok ", done.stdout, re.MULTILINE), "valgrind ran it: " + text[-2000:])
    tap.check(not FINDING.search(text), text[-8000:])


for path in sys.argv[1:]:       # a word that chooses its own case
    tap.add("memcheck finds nothing in " + path, lambda program=path: check(program), 1200)
tap.main()
