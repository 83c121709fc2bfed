#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What analysers find in src: nothing. What clang-tidy looks for is in .clang-tidy; what is passed over stands in cppcheck.txt,
gcc.txt, tidy.txt and paths.txt beside this file, one line each with its reason.

ANALYSE=whole (make analyse) has clang-tidy follow paths, too, which takes minutes; else gcc alone does.
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
import tap   # noqa: E402

SOURCES = sorted(os.path.relpath(path, TOP) for path in glob.glob(os.path.join(TOP, "src", "*", "*.c")))
DIALECT = ["-std=c11", "-D_GNU_SOURCE", '-DVERSION="0"', "-Isrc"]
JOBS = max(1, min(2, os.cpu_count() or 1))
DEADLINE_S = 1800


def output(command):
    done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace")
    tap.check(done.returncode >= 0 and "error: no such file" not in done.stdout, "%s ran: %s" % (command[0], done.stdout[-2000:]))
    return done.stdout


def in_parallel(command_of, batches):
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return "".join(pool.map(lambda batch: output(command_of(batch)), batches))


def batches(size):
    return [SOURCES[at:at + size] for at in range(0, len(SOURCES), size)]


def passed_over(name):
    """Lines of a list: FILE CHECK, behind a comment that says why."""
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return {tuple(line.split()) for line in file if line.strip() and not line.startswith("#")}


def nothing_but(text, known):
    """Findings, as "src/a/b.c:12:3: warning: words [check]"; each that is passed over must still be there."""
    found = re.findall(r"^(?:%s/)?(src/[^:\n]+):(\d+):\d+: (?:warning|error): (.*) \[([^\]\n]+)\]$" % re.escape(TOP), text, re.MULTILINE)
    seen = set()
    for path, line, words, check in found:
        key = (path, re.split(r"[,\s]", re.sub(r"^-Werror[=,]", "", check))[0])
        if key in known:
            seen.add(key)
        else:
            tap.diag("%s:%s: %s [%s]" % (path, line, words, check))
    tap.equal(sorted({(path, check.split(",")[0]) for path, _, _, check in found} - seen), [], "findings")
    tap.equal(sorted(known - seen), [], "passed over in vain")


def sees(command_of, text, sign):
    """That it finds something where there is something, so that its silence means something."""
    with tempfile.NamedTemporaryFile("w", suffix=".c", dir=TOP, prefix=".analysed-") as file:
        file.write(text)
        file.flush()
        said = output(command_of([file.name]))
        tap.check(sign in said, "%s in: %s" % (sign, said[-2000:]))


WHOLE = os.environ.get("ANALYSE") == "whole"
TIDY = ["clang-tidy", "--quiet", "--use-color=false", *([] if WHOLE else ["--checks=-clang-analyzer-*"])]
CPPCHECK = ["cppcheck", "--quiet", "--enable=warning,portability,performance", "--std=c11", "--library=posix,gnu",
            "-D_GNU_SOURCE", "-D__GLIBC__=2", '-DVERSION="0"', "-Isrc", "--template={file}:{line}:{column}: warning: {message} [{id}]"]
GCC = ["gcc", "-fanalyzer", "-O1", "-c", "-o", "/dev/null", "-fdiagnostics-plain-output", *DIALECT]

TWICE = "#include <stdlib.h>\nvoid f(char *p);\nvoid f(char *p)\n{\n\tfree(p);\n\tfree(p);\n}\n"
SIZEOF = "#include <string.h>\nvoid f(char *p);\nvoid f(char *p)\n{\n\tmemset(p, sizeof *p, 0);\n}\n"


def cppcheck(files):
    return CPPCHECK + files


def gcc(files):
    return GCC + files


def clang_tidy(files):
    return TIDY + files + ["--"] + DIALECT


@tap.case(deadline=DEADLINE_S)
def cppcheck_finds_nothing():
    sees(cppcheck, TWICE, "[doubleFree]")
    nothing_but(output(cppcheck(["src"])), passed_over("cppcheck.txt"))


@tap.case(deadline=DEADLINE_S)
def gcc_analyzer_finds_nothing():
    sees(gcc, TWICE, "[-Wanalyzer-double-free]")
    nothing_but(in_parallel(gcc, batches(1)), passed_over("gcc.txt"))


@tap.case(deadline=DEADLINE_S)
def clang_tidy_finds_nothing():
    sees(clang_tidy, SIZEOF, "[bugprone-suspicious-memset-usage")
    if WHOLE:
        sees(clang_tidy, TWICE, "[clang-analyzer-unix.Malloc")
    # Of several files in a row it takes every va_list but the first one for uninitialised.
    nothing_but(in_parallel(clang_tidy, batches(1)), passed_over("tidy.txt") | (passed_over("paths.txt") if WHOLE else set()))


tap.main()
