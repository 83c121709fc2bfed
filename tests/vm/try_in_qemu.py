#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""contrib/try --vm and its fault that no name space can have: a console that is redirected to nobody."""
import os
import re
import subprocess

from vm import tap

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRY = ["python3", TOP + "/contrib/try.py"]


def read_until(process, wanted, shown=""):
    """What the machine shows, up to these words; the case's deadline ends it."""
    while wanted not in shown:
        data = os.read(process.stdout.fileno(), 4096)
        tap.check(data, "%r is shown before the end of: %s" % (wanted, shown[-2000:]))
        shown += data.decode("utf-8", "replace")
    return shown


@tap.case(deadline=300)
def a_shell_in_qemu_on_this_terminal():
    process = subprocess.Popen(TRY + ["--vm"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        read_until(process, "# ")
        os.write(process.stdin.fileno(), b"runlevel; echo said $((40 + 2))\n")
        tap.check("N 2" in read_until(process, "said 42"), "the level")
        os.write(process.stdin.fileno(), b"\x01x")
        tap.equal(process.wait(), 0, "status")
    finally:
        process.kill()
        process.wait()


@tap.case(deadline=400)
def a_console_redirected_to_nobody_is_shown():
    done = subprocess.run(TRY + ["--fault", "bootlogd"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    tap.equal(done.returncode, 0, "status: " + done.stdout[-2000:])
    rows = re.findall(r"^(\w+) +ours +init \[(.)\] .* zombies (\d+) .* waiting/lost console (\d+)/", done.stdout, re.MULTILINE)
    tap.equal([when for when, *_ in rows], ["healthy"] * 3 + ["faulty"] * 12 + ["after"] * 6, "lines")
    tap.check(max(int(waiting) for when, _, _, waiting in rows if when == "faulty") > 5, "lines wait: " + done.stdout)
    tap.equal([rows[0][1], rows[-1][1]], ["2", "3"], "levels")


tap.main()
