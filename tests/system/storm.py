# SPDX-License-Identifier: GPL-2.0-or-later
"""Orphans in any number, dead and unreaped, that fall to pid 1 at the same moment."""
import contextlib
import os
import subprocess

import tap

HERE = os.path.dirname(os.path.abspath(__file__))


@contextlib.contextmanager
def storm(machine, count):
    """-> a function that lets count dead orphans fall to pid 1 at once."""
    binary = machine.path("/tmp") + "/storm"
    if not os.path.exists(binary):
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", binary,
                        os.path.join(HERE, "storm.c")], check=True)
    leash_end, leash = os.pipe()
    ready, tell = os.pipe()
    process = machine.spawn(["/tmp/storm", str(count)], stdin=leash_end, out=tell)
    os.close(leash_end)
    os.close(tell)
    tap.equal(os.read(ready, 5), b"ready", "the storm is ready")
    os.close(ready)

    def break_loose():
        os.close(leash)
        process.wait()
    yield break_loose
