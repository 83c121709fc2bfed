# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders that are made once, by whichever test first needs them.

with lock(path)             # what is made once is made by one; the others wait and find it
whole(folder, make)         # has make(new) fill a folder, unless that has been done: whole or not at all
"""
import contextlib
import fcntl
import os
import shutil
import tempfile


@contextlib.contextmanager
def lock(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def whole(folder, make):
    with lock(os.path.join(os.path.dirname(folder), "whole.lock")):
        if not os.path.isdir(folder):
            fill(folder, make)


def fill(folder, make):
    """Whole or not at all, and in the place of what was there."""
    new = tempfile.mkdtemp(dir=os.path.dirname(folder))
    try:
        os.chmod(new, 0o755)
        make(new)
        if os.path.isdir(folder):
            os.rename(folder, new + ".old")
        os.rename(new, folder)
    except BaseException:
        shutil.rmtree(new)
        raise
    shutil.rmtree(new + ".old", ignore_errors=True)
