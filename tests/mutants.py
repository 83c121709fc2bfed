# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that include the queue's sources, built with some places of those changed: who checks the queue has to see it.

build(where, program, options, changes=())      program: a C file; where: an empty directory. -> the path of what was built
    A change is (NAME, OLD, NEW), NAME of SOURCES; OLD stands there once.
"""
import os
import shlex
import subprocess

import tap

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCES = {"queue": "src/initlog/queue.c", "place": "src/initlog/place.c"}


def changed(name, changes):
    with open(os.path.join(TOP, SOURCES[name]), encoding="utf-8") as file:
        text = file.read()
    for which, old, new in changes:
        if which == name:
            tap.equal(text.count(old), 1, "places in %s that are %r" % (SOURCES[name], old))
            text = text.replace(old, new)
    return text


def build(where, program, options, changes=()):
    os.makedirs(where + "/initlog", exist_ok=True)
    for name in SOURCES:
        with open("%s/initlog/%s.c" % (where, name), "w", encoding="utf-8") as file:
            file.write(changed(name, changes))
    target = os.path.join(where, os.path.basename(program)[:-len(".c")])
    done = subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-std=c11", "-D_GNU_SOURCE", "-w", "-I" + where,
                           "-I" + os.path.join(TOP, "src"), "-o", target, program, *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    tap.equal(done.returncode, 0, "the compiler's status; it says\n" + done.stdout)
    return target
