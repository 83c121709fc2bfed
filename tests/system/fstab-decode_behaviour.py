#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fstab-decode: what it decodes, and that the command is all there is."""
import itertools
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tap      # noqa: E402

OURS = os.path.abspath(os.path.join(os.environ.get("INIT_ROOT", "build/root"), "sbin/fstab-decode"))
STOCK = os.path.join(os.environ.get("STOCK_ROOT", ""), "sbin/fstab-decode")


def run(*argv, path=OURS, **more):
    done = subprocess.run([path, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          **more)
    return done.returncode, done.stdout, done.stderr


def decoded(words, path=OURS):
    status, out, err = run("printf", r"%s\n", *words, path=path)
    tap.equal((status, err), (0, b""), "printf")
    return out.split(b"\n")[:-1]


@tap.case()
def the_codes_are_decoded_once():
    words = [r"a\134040", r"a\\040", r"\134134", "\\", "a\\", "", r"\040", r"\011", r"\050", r"\0", r"\04", r"a\043b", "plain"]
    tap.equal(decoded(words), [rb"a\040", rb"a\040", rb"\134", b"\\", b"a\\", b"", b" ", b"\t", rb"\050", rb"\0", rb"\04", b"a#b",
                               b"plain"], "what comes out")


@tap.case(deadline=120)
def all_short_words_come_out_as_stock_decodes_them():
    if not os.path.exists(STOCK):
        tap.skip("no stock program")
    alphabet = "\\0134a"
    words = ["".join(word) for length in range(1, 7) for word in itertools.product(alphabet, repeat=length)]
    dice = random.Random(4711)
    words += ["".join(dice.choices("\\01234a ", k=dice.randrange(40))) for _ in range(20000)]
    words = [word for word in words if "\\043" not in word and "\\012" not in word]
    for start in range(0, len(words), 5000):
        some = words[start:start + 5000]
        ours, stock = decoded(some), decoded(some, STOCK)
        tap.equal([w for w, a, b in zip(some, ours, stock) if a != b], [], "words decoded otherwise")
        tap.equal(len(ours), len(stock), "number of words")


@tap.case()
def the_status_is_the_commands():
    for status in (0, 7, 255):
        tap.equal(run("sh", "-c", "exit %d" % status)[0], status, "exit %d" % status)
    tap.equal(run("sh", "-c", "kill -9 $$")[0], -9, "a signal")


@tap.case()
def what_cannot_be_run_is_said():
    with tempfile.TemporaryDirectory() as folder:
        plain = os.path.join(folder, "plain")
        with open(plain, "w") as file:
            file.write("exit 5\n")
        for command, reason in (("nonexistent-command", "No such file or directory"), ("", "No such file or directory"),
                                (plain, "Permission denied"), (r"pri\156tf", "No such file or directory"),
                                ("-x", "No such file or directory")):
            tap.equal(run(command, "x"), (127, b"", ("fstab-decode: %s: %s\n" % (command, reason)).encode()), "of %r" % command)
        os.chmod(plain, 0o755)
        tap.equal(run(plain)[0], 5, "a script without a first line")


@tap.case()
def without_a_command_there_is_a_usage():
    usage = b"Usage: fstab-decode command [arguments]\n"
    tap.equal(run(), (1, b"", usage), "no arguments")
    tap.equal(run("--help"), (0, usage, b""), "--help")
    status, out, _ = run("--version")
    tap.check(status == 0 and out.startswith(b"fstab-decode (sysvinit) "), "--version")
    tap.equal(run("printf", "%s", "--help"), (0, b"--help", b""), "what follows is the command's")


@tap.case()
def the_command_has_what_the_caller_gave():
    out = subprocess.run([OURS, "sh", "-c", "echo $X; pwd; cat <&9"], env={"X": "there", "PATH": os.environ["PATH"]}, cwd="/usr",
                         stdout=subprocess.PIPE, preexec_fn=lambda: os.dup2(give("text"), 9), close_fds=False, timeout=60).stdout
    tap.equal(out, b"there\n/usr\ntext", "environment, directory, descriptor")


def give(text):
    end, start = os.pipe()
    os.write(start, text.encode())
    os.close(start)
    return end


tap.main()
