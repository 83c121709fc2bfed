#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the compiler does not check of how the tree is laid out: who includes whom, twin tests, state, licence lines."""
import fnmatch
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
import tap   # noqa: E402

SRC = os.path.join(TOP, "src")
BUILD = os.path.join(TOP, os.environ.get("B", "build"))
FUNCTION_LINES, FILE_LINES = 60, 600

# The arrows point one way: a folder may include itself, include/ and these.
ARROWS = {
    "include": set(),
    "lib": set(),
    "initlog": {"lib"},
    "init": {"initlog", "lib"},
    "records": {"lib"},
    "power": {"initlog", "records", "lib"},     # initlog: shutdown's last words go by its queue and helper
    "terminal": {"records", "lib"},
    "process": {"lib"},
}

# Folders whose modules have a twin under tests/unit, and what has none: the main files of programs, and lib/sys and lib/systool, in whose
# place tests/fake/sys.c is linked, which includes them.
TWINS = {"init", "initlog", "lib", "power", "process", "records", "terminal"}
NO_TWIN = {"init/main", "init/selinux-load", "lib/sys", "lib/systool", "power/halt", "power/shutdown", "process/fstab-decode", "process/killall5",
           "process/logsave", "process/mountpoint", "records/last", "records/runlevel", "records/utmpdump",
           "terminal/bootlogd", "terminal/mesg", "terminal/readbootlog", "terminal/sulogin", "terminal/wall"}

# Objects that can be written to and outlive a call.
STATE = {
    "init/main": {"self"},                  # the one struct init, for the handler of fatal signals
    "init/survive": {"stack"},              # that handler's stack
    "initlog/helper": {"record", "loss"},   # of a helper, a process of its own: large, and it never returns
    "initlog/sink_console": {"console"},    # likewise
    "initlog/sink_records": {"file"},
    "initlog/sink_syslog": {"syslog"},
    "records/last": {"self"},               # for the handler of SIGINT
    "records/utmpdump": {"self"},           # large
    "terminal/bootlogd": {"self"},
}

SOURCES = ("*.c", "*.h", "*.py", "*.sh", "*.mk", "Makefile", "imports.allow", "run", "try", "need", "unit2init", "initscript.sample", "*.[1-8]")
WITHOUT_LICENCE = {"debian", "corpus", "build", ".git", "__pycache__"}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sources(*suffixes):
    """Paths below src/, relative to it."""
    found = [path for suffix in suffixes for path in glob.glob(os.path.join(SRC, "*", "*" + suffix))]
    return sorted(os.path.relpath(path, SRC) for path in found)


def includes(text):
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.MULTILINE)


@tap.case()
def folders_include_along_the_arrows_only():
    wrong = []
    for path in sources(".c", ".h"):
        folder = os.path.dirname(path)
        tap.check(folder in ARROWS, "src/%s has its place among the arrows" % folder)
        for name in includes(read(os.path.join(SRC, path))):
            target = os.path.dirname(name)
            if not os.path.exists(os.path.join(SRC, name)):
                wrong.append("%s includes %s, which is no file below src/" % (path, name))
            elif target not in ARROWS[folder] | {folder, "include"}:
                wrong.append("%s includes %s" % (path, name))
    tap.equal(wrong, [], "against the arrows")


@tap.case()
def every_module_has_its_twin_test():
    missing = []
    for path in sources(".c"):
        module = path[:-2]
        if os.path.dirname(path) not in TWINS or module in NO_TWIN:
            continue
        if not os.path.exists(os.path.join(HERE, module + "_test.c")):
            missing.append("tests/unit/%s_test.c" % module)
    tap.equal(missing, [], "missing")
    stale = [module for module in sorted(NO_TWIN) if not os.path.exists(os.path.join(SRC, module + ".c"))]
    tap.equal(stale, [], "excepted, but no module")


@tap.case()
def every_test_stands_where_its_subject_stands():
    """A second one of the same subject adds to its name: level_boot_test.c."""
    modules = {path[:-2] for path in sources(".c")}
    for path in sorted(glob.glob(os.path.join(HERE, "*", "*_test.c"))):
        name = os.path.relpath(path, HERE)[:-len("_test.c")]
        words = name.split("_")
        tap.check(any("_".join(words[:count]) in modules for count in range(1, len(words) + 1)),
                  "tests/unit/%s_test.c has a subject" % name)


@tap.case()
def headers_declare_and_sources_do_not():
    for path in sources(".c"):
        found = re.search(r"^\s*extern\b.*", read(os.path.join(SRC, path)), re.MULTILINE)
        tap.check(not found, "src/%s has no extern: %s" % (path, found and found.group()))
    for path in sources(".h"):
        text = re.sub(r"/\*.*?\*/", " ", read(os.path.join(SRC, path)), flags=re.DOTALL)
        guard = re.search(r"^#ifndef (\w+)\n#define (\w+)\n", text, re.MULTILINE)
        tap.check(guard and guard.group(1) == guard.group(2), "src/%s is guarded" % path)


@tap.case()
def nothing_outlives_a_call_but_the_named_state():
    objects = [path for where in ("pid1", "obj") for path in glob.glob(os.path.join(BUILD, where, "*", "*.o"))
               if os.path.exists(os.path.join(SRC, os.path.relpath(path, os.path.join(BUILD, where))[:-2] + ".c"))]
    tap.check(objects, "objects are built in " + BUILD)
    done = subprocess.run(["nm", "-A", "-f", "sysv", *objects], stdout=subprocess.PIPE, check=True, text=True)
    found = {}
    for line in done.stdout.splitlines():
        field = [part.strip() for part in line.split("|")]
        if len(field) < 7 or field[3] not in ("OBJECT", "TLS") or not re.match(r"\.(t?bss|t?data|common)", field[6]):
            continue
        if field[6].startswith(".data.rel.ro"):
            continue                            # constant but for its relocation
        path, _, name = field[0].rpartition(":")
        module = "/".join(path.split("/")[-2:])[:-2]
        found.setdefault(module, set()).add(name.split(".")[0])
    unnamed = ["%s: %s" % (module, name) for module, names in sorted(found.items())
               for name in sorted(names - STATE.get(module, set()))]
    tap.equal(unnamed, [], "mutable state")
    stale = ["%s: %s" % (module, name) for module, names in sorted(STATE.items())
             for name in sorted(names - found.get(module, set()))]
    tap.equal(stale, [], "named, but not there")


@tap.case()
def every_source_says_under_which_licence_it_is():
    missing, looked = [], 0
    for folder, folders, files in os.walk(TOP):
        folders[:] = sorted(name for name in folders if name not in WITHOUT_LICENCE)
        for name in sorted(files):
            path = os.path.join(folder, name)
            if not any(fnmatch.fnmatch(name, pattern) for pattern in SOURCES) or os.path.islink(path):
                continue
            looked += 1
            with open(path, encoding="utf-8", errors="replace") as file:
                head = file.readline() + file.readline()
            if "SPDX-License-Identifier: GPL-2.0-or-later" not in head:
                missing.append(os.path.relpath(path, TOP))
    tap.check(looked > 100, "sources are found")
    tap.equal(missing, [], "no SPDX line among the first two")


def functions(text):
    """(name, lines) of each function in a C file as we write them: braces at the margin."""
    begin, name = None, None
    for number, line in enumerate(text.splitlines()):
        head = re.match(r"[A-Za-z].*?\b(\w+)\(", line)
        if head:
            begin, name = number, head.group(1)
        elif line == "}" and name:
            yield name, number - begin + 1
            name = None


@tap.case()
def sizes_are_such_as_can_be_read():
    """Only told: a long one is a reason to look for the missing name, not a failure."""
    lengths = []
    for path in sources(".c", ".h"):
        text = read(os.path.join(SRC, path))
        lines = text.count("\n")
        if lines > FILE_LINES:
            tap.diag("src/%s has %d lines" % (path, lines))
        for name, length in functions(text):
            lengths.append(length)
            if length > FUNCTION_LINES:
                tap.diag("src/%s: %s() has %d lines" % (path, name, length))
    lengths.sort()
    tap.check(len(lengths) > 100, "functions are found")
    tap.diag("%d functions, median %d lines, the longest %d" % (len(lengths), lengths[len(lengths) // 2], lengths[-1]))


tap.main()
