#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""selinux-load as a person runs it: --check and what every tool answers. Loading is for tests/vm/selinux_boots.py alone: nothing
here may ask for it."""
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import tap      # noqa: E402

TOP = os.path.dirname(os.path.dirname(HERE))
ROOT = os.environ.get("INIT_ROOT", os.path.join(TOP, "build", "root"))
PROGRAM = ROOT + "/lib/sysvinit/selinux-load"
USAGE = "Usage: selinux-load --load | --check [FILE]\n"
HEAD = struct.pack("<II8s", 0xf97cff8c, 8, b"SE Linux")


def run(*arguments, stdout=subprocess.PIPE):
    tap.check("--load" not in arguments, "nothing is loaded here")
    done = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=300)
    return done.returncode, done.stdout or "", done.stderr


def checked(content):
    """Status and reason for a file with this in it."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        status, out, err = run("--check", file.name)
        tap.equal(out, "", "standard output")
        head = f"selinux-load: {file.name}: "
        if status == 0:
            tap.equal(err, "", "what is said of a good one")
            return 0, ""
        tap.check(err.startswith(head) and err.count("\n") == 1, f"one line that names the file: {err!r}")
        return status, err[len(head):-1]


@tap.case()
def help_and_version_are_answered_and_what_is_no_request_is_usage():
    tap.equal(run("--help"), (0, USAGE, ""), "--help")
    status, out, err = run("--version")
    tap.check(status == 0 and out.startswith("selinux-load (sysvinit) ") and not err, f"--version: {out!r} {err!r}")
    for words in ((), ("--loa",), ("x",), ("--check", "a", "b"), ("--help", "x")):
        tap.equal(run(*words), (2, "", USAGE), f"{words}")


@tap.case()
def output_that_does_not_arrive_is_an_error():
    with open("/dev/full", "w", encoding="ascii") as full:
        for word in ("--help", "--version"):
            status, _, err = run(word, stdout=full)
            tap.check(status == 1 and "No space left" in err, f"{word}: {status} {err!r}")


@tap.case()
def what_is_no_policy_is_told_apart():
    tap.equal(checked(b""), (1, "the file is empty"), "nothing")
    tap.equal(checked(HEAD), (1, "truncated in its head"), "half a head")
    tap.equal(checked(b"\x7fELF" + bytes(100)), (1, "no SELinux policy: it begins with 0x464c457f, not 0xf97cff8c"), "a program")
    tap.equal(checked(struct.pack("<II8sI", 0xf97cff8c, 8, b"XenFlask", 30)), (1, "a policy for Xen, not for Linux"), "Xen's")
    status, why = checked(HEAD + struct.pack("<I", 9999))
    tap.check(status == 1 and why.startswith("policy of version 9999: this kernel takes versions up to "), f"too new: {why}")
    status, why = checked(HEAD + struct.pack("<I", 30) + os.urandom(4096))
    tap.check(status == 1 and why.startswith("damaged"), f"what is behind the head is noise: {why}")


@tap.case()
def what_cannot_be_read_holds_nobody_up():
    with tempfile.TemporaryDirectory() as folder:
        os.mkfifo(folder + "/fifo")
        for path, why in ((folder + "/none", "No such file or directory"), (folder, "Is a directory"),
                          (folder + "/fifo", "Invalid argument"), (folder + "/" + "x" * 5000, "File name too long")):
            tap.equal(run("--check", path), (1, "", f"selinux-load: {path}: {why}\n"), path[:80])


tap.main()
