#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The options that boot scripts give to sulogin, beside the one that Debian ships (util-linux), in the same run.

Compared is what a script can see: the exit status, and whether a person gets a shell, with or without a password. Ours differs
in its words, in the three seconds behind a wrong answer, and in what is named in DIFFERENT."""
import os
import shutil

from door import CONTROL_D, House, account, hashed, tap

PEER = "/sbin/sulogin"
RIGHT = hashed("right")
# (what, options, field of passwd, what is done to it)
ROWS = [
    ("--force, a password", ["--force"], RIGHT, "right"), ("-e, a password", ["-e"], RIGHT, "right"),
    ("no option, a password", [], RIGHT, "right"), ("--login-shell", ["--login-shell"], RIGHT, "right"),
    ("--timeout 30", ["--timeout", "30"], RIGHT, "right"), ("-t30 -p", ["-t30", "-p"], RIGHT, "right"),
    ("--force, locked", ["--force"], "!" + RIGHT, ""), ("--force, starred", ["--force"], "*", ""),
    ("locked", [], "!", "leave"), ("blank", [], "", ""), ("Control-D", [], RIGHT, "leave"),
    ("Control-D, blank", [], "", "leave"), ("time-out", ["-t", "1"], RIGHT, None), ("time-out, blank", ["-t", "1"], "", None),
    ("time-out, --force", ["--force", "--timeout=1"], RIGHT, None),
    ("hang-up", [], RIGHT, "hang up"), ("help", ["--help"], RIGHT, None), ("version", ["--version"], RIGHT, None),
]


def outcome(house, program, flags, act):
    """(a shell was there, its name, exit status)"""
    door = house.open(*flags, program=program)
    if act is None:
        return False, None, door.status()
    door.line.expect(SOMETHING)
    if act == "hang up":
        door.line.hang_up()
        return False, None, door.status()
    wait_listening(door)
    if act == "leave":
        door.type(CONTROL_D if b"ontrol" in door.text else b"\r")
        return False, None, door.status()
    door.answer(act)
    name = door.shell("tr '\\0' ' ' </proc/$$/cmdline; id -u; echo $HOME $SHELL")
    door.type(b"exit 3\n")
    return True, name, door.status()


class _Something:
    pattern = rb"(continue\): ?|continue\.?:? *(\r\n)*)$"


SOMETHING = _Something


def wait_listening(door):
    """Both turn the echo off before they read."""
    from machine import wait_for
    wait_for(lambda: not door.line.settings()[3] & 0o10, "the echo to be off", 60)


def _row(flags, field, act):
    def case():
        tap.check(os.access(PEER, os.X_OK), "there is a sulogin to compare with")
        with House(account(field)) as house:
            copy = house.machine.path("/tmp/peer")
            shutil.copy2(PEER, copy)
            found = [outcome(house, program, flags, act) for program in ("/sbin/sulogin", "/tmp/peer")]
        tap.equal(found[0], found[1], "ours (found) and theirs (wanted)")
    return case


for _what, _flags, _field, _act in ROWS:
    tap.add("%s: as util-linux does it" % _what, _row(_flags, _field, _act), 200)

tap.main()
