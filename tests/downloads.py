#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Gets all that the suites take from the distribution's archive, before any of them runs. What lies in $B, or is kept (fetch.py), is not
fetched again.

An archive or a name server that is away for a while is waited for: PATIENCE_S in all, for everything together.
"""
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE + "/debian", HERE]
import disk     # noqa: E402
import fetch    # noqa: E402
import tap      # noqa: E402
from disk import debs, image    # noqa: E402

PATIENCE_S = 600
PAUSE_S = 10


def patiently(get, until=time.monotonic() + PATIENCE_S):
    """What GET returns, as soon as it does not raise."""
    while True:
        try:
            return get()
        except Exception as error:      # of many kinds; what it says is shown
            if time.monotonic() + PAUSE_S > until:
                raise
            tap.diag("again in %d s: %s" % (PAUSE_S, error))
        time.sleep(PAUSE_S)


def download(name, get):
    tap.add(name, lambda: patiently(get), PATIENCE_S + 600)


for which in fetch.UNPACKED:
    download("the packages of " + which, lambda which=which: fetch.unpacked(which))
download("a kernel", image.kernel_tree)
download("the stock packages as they are", debs.stock)
for which, more in disk.MORE.items():
    download("what the Debian of disk %s is made of" % which, disk.Root(*more).archive)

tap.main()
