#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make NOLOGIN=PATH: the file by which shutdown(8) keeps users out is where the builder says, on Debian /run/nologin, and
stays there until the machine is down, as that is memory.
"""
import os
import shutil
import subprocess

from downing import Down, tap, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("B") or os.path.join(TOP, "build"))
OURS, OTHER = "/run/nologin", "/etc/nologin"


def built(path):
    """shutdown as it is built with this NOLOGIN: the one object that knows it, the others as they are."""
    here = os.path.join(BUILD, "nologin")
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(os.path.join(BUILD, "obj"), here + "/obj")
    os.unlink(here + "/obj/power/shutdown.o")
    done = subprocess.run(["make", "B=" + here, "NOLOGIN=" + path, here + "/shutdown"], cwd=TOP, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    tap.check(done.returncode == 0, "it builds:\n" + done.stdout)
    with open(here + "/shutdown", "rb") as file:
        return file.read()


@tap.case(deadline=240)
def the_builder_says_where_nologin_is():
    with Down("ours") as d:
        d.machine.write("/sbin/shutdown", built(OURS), 0o755)
        process = d.waiting("-r", "+4", "bye")
        wait_for(lambda: d.machine.exists(OURS) and d.machine.read(OURS).endswith("bye \r\n"), OURS)
        tap.check(not d.machine.exists(OTHER), "there is no " + OTHER)
        tap.equal(d.run("shutdown", "-c").status, 0, "a cancel")
        process.wait()
        tap.equal(d.left_files(), [], "what is left")
        d.requests()
        for option, left in (("-r", [OURS]), ("-h", [OURS]), ("-i1", [])):
            tap.equal(d.clocked("shutdown", "-Q", option, "+5").status, 0, "the status of " + option)
            tap.equal(len(d.requests()), 2, "requests of " + option)
            tap.equal(d.left_files(), left, "what stays of " + option)
            if left:
                os.unlink(d.path(OURS))


tap.main()
