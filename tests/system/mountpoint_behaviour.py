#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mountpoint: yes and no as util-linux says them, texts and statuses as sysvinit's."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import kernel   # noqa: E402
import tap      # noqa: E402
from machine import Machine     # noqa: E402

OURS, OTHER = "/bin/mountpoint", "/usr/bin/mountpoint.util-linux"
ODD = "/mnt/odd \t\\#name"


def lay_out():
    """Mounts of all kinds below /mnt."""
    for name in ("fs", "bound", "plain", "a", "loop", "link-target"):
        os.makedirs("/mnt/" + name)
    kernel.mount("t", "/mnt/fs", "tmpfs")
    os.makedirs("/mnt/fs/sub/deeper")
    kernel.mount("/mnt/fs/sub", "/mnt/fs/sub", None, kernel.MS_BIND)
    kernel.mount("/mnt/fs", "/mnt/bound", None, kernel.MS_BIND)
    os.makedirs("/mnt/a/b/c/d")
    kernel.mount("/mnt/a/b", "/mnt/a/b/c/d", None, kernel.MS_BIND)
    os.makedirs(ODD)
    kernel.mount("t", ODD, "tmpfs")
    open("/mnt/file", "w").close()
    kernel.mount("/mnt/file", "/mnt/file", None, kernel.MS_BIND)
    os.symlink("fs", "/mnt/link")
    os.makedirs("/mnt/closed")
    kernel.mount("t", "/mnt/closed", "tmpfs", 0, "mode=0700")
    os.mknod("/dev/disk", 0o060600, os.makedev(7, 42))
    os.symlink("disk", "/dev/disk-link")


def laid_out():
    m = Machine("ours")
    m.call(lay_out)
    return m


def answers(path, commands):
    done = [subprocess.run([path, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for argv in commands]
    return [(one.returncode, one.stdout.decode(), one.stderr.decode()) for one in done]


def ask(m, *argv, **options):
    return m.call(lambda: answers(OURS, [argv]), **options)[0]


DIRECTORIES = ["/", "/proc", "/proc/", "/proc/.", "/mnt", "/mnt/fs", "/mnt/fs/sub", "/mnt/fs/sub/deeper", "/mnt/bound",
               "/mnt/bound/sub", "/mnt/plain", "/mnt/a", "/mnt/a/b", "/mnt/a/b/c", "/mnt/a/b/c/d", "/mnt/a/b/c/d/c/d", ODD, "/mnt/odd",
               "/mnt/link/", "/mnt/fs/..", "/mnt/fs/../fs", "/mnt/closed", "/dev/pts"]


@tap.case()
def directories_are_judged_as_by_util_linux():
    other = next((path for path in ("/usr/bin/mountpoint", "/bin/mountpoint") if os.path.exists(path)), None)
    if not other or b"util-linux" not in subprocess.run([other, "--version"], stdout=subprocess.PIPE).stdout:
        tap.skip("no mountpoint of util-linux here")
    with open(other, "rb") as file:
        program = file.read()
    with laid_out() as m:
        m.write(OTHER, program, 0o755)
        for options in ([], ["-q"]):
            commands = [[*options, path] for path in DIRECTORIES]
            ours = m.call(lambda: answers(OURS, commands))
            theirs = m.call(lambda: answers(OTHER, commands))
            tap.equal([(status, out) for status, out, _ in ours], [(min(status, 1), out) for status, out, _ in theirs],
                      "answers with %s" % options)
        yes = [[option, path] for option in ("-d",) for path, one in zip(DIRECTORIES, ours) if not one[0]]
        tap.check(len(yes) >= 10, "there are mount points")
        tap.equal(m.call(lambda: answers(OURS, yes)), m.call(lambda: answers(OTHER, yes)), "numbers of the mount points")
        tap.equal(ask(m, "-x", "/dev/disk"), m.call(lambda: answers(OTHER, [["-x", "/dev/disk"]]))[0], "number of a device")


@tap.case()
def the_texts_are_sysvinits():
    with laid_out() as m:
        tap.equal(ask(m, "/mnt/fs"), (0, "/mnt/fs is a mountpoint\n", ""), "yes")
        tap.equal(ask(m, "/mnt/plain"), (1, "/mnt/plain is not a mountpoint\n", ""), "no")
        tap.equal(ask(m, "-p", "/mnt/a"), (1, "/mnt/a is not a mountpoint\n", ""), "a part of a mount's name, with -p")
        tap.equal(ask(m, "/mnt/link"), (1, "", "mountpoint: /mnt/link: not a directory\n"), "a link")
        tap.equal(ask(m, "/mnt/file"), (1, "", "mountpoint: /mnt/file: not a directory\n"), "a file")
        tap.equal(ask(m, "/nonexistent"), (1, "", "mountpoint: /nonexistent: No such file or directory\n"), "nothing")
        tap.equal(ask(m, "-x", "/dev/null"), (1, "", "mountpoint: /dev/null: not a block device\n"), "no device")
        tap.equal(ask(m, "-x", "/dev/disk-link"), (0, "7:42\n", ""), "a link to a device")


@tap.case()
def quiet_hides_sentences_and_not_numbers():
    with laid_out() as m:
        number = ask(m, "-d", "/mnt/fs")[1]
        tap.check(number.count(":") == 1 and number.strip().replace(":", "").isdigit(), "a number: %r" % number)
        tap.equal(ask(m, "-qd", "/mnt/fs"), (0, number, ""), "-qd of a mount point")
        tap.equal(ask(m, "-q", "-d", "/mnt/fs/sub/deeper"), (1, number, ""), "-qd of another directory there")
        tap.equal(ask(m, "-qx", "/dev/disk"), (0, "7:42\n", ""), "-qx")
        for argv in (["-qx", "/dev/null"], ["-q", "/nonexistent"], ["-q", "/mnt/file"], ["-qd", "/nonexistent"]):
            tap.equal(ask(m, *argv), (1, "", ""), "mountpoint %s" % argv)


@tap.case()
def a_path_of_any_length_is_judged_right():
    with laid_out() as m:
        long = "/mnt/fs/sub" + "/." * 1200 + "/deeper"
        tap.equal(ask(m, long)[0], 1, "a plain directory")
        tap.equal(ask(m, "/mnt/fs" + "/." * 1200)[0], 0, "a mount point")
        status, out, err = ask(m, "/mnt/fs" + "/." * 3000)
        tap.check((status, out) == (1, "") and err.endswith(": File name too long\n"), "too long a path: %r" % err[-40:])


@tap.case()
def no_right_to_enter_is_needed():
    with laid_out() as m:
        tap.equal(ask(m, "/mnt/closed", uid=65534)[0], 0, "a closed directory, for nobody")


@tap.case()
def mistakes_have_a_usage():
    usage = "Usage: mountpoint [-p] [-q] [-d] [-x] path\n"
    with laid_out() as m:
        tap.equal(ask(m), (1, "", usage), "no path")
        tap.equal(ask(m, "/", "/"), (1, "", usage), "two")
        status, out, err = ask(m, "-Z", "/")
        tap.check((status, out) == (1, "") and err.endswith(usage) and "invalid option" in err, "a bad option: %r" % err)
        tap.equal(ask(m, "--help"), (0, usage, ""), "--help")
        tap.check(ask(m, "--version")[1].startswith("mountpoint (sysvinit) "), "--version")
        full = os.open("/dev/full", os.O_WRONLY)
        tap.equal(m.spawn([OURS, "/"], out=full).wait(), 1, "lost output")
        tap.equal(m.spawn([OURS, "-q", "/"], out=full).wait(), 0, "no output to lose")
        os.close(full)


tap.main()
