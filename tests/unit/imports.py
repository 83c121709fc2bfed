#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What pid 1's objects take from libc is within tests/unit/init/imports.allow, and the list no longer than that."""
import functools
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
import tap   # noqa: E402

ALLOW = os.path.join(HERE, "init", "imports.allow")
FOLDERS = ("init", "initlog")
BUILD = os.path.join(TOP, os.environ.get("B", "build"))

# Of whichever libc and compiler: the same function by another name, or a helper that no source calls.
SAME = {"__errno_location": "errno", "___errno_location": "errno", "__ctype_b_loc": "iscntrl",
        "__ctype_toupper_loc": "toupper", "bcmp": "memcmp", "__environ": "environ", "gnu_dev_major": "major",
        "gnu_dev_minor": "minor"}
COMPILERS = {"__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_", "__tls_get_addr"}

# Nothing of this may come onto the list: it waits, blocks on a lock or a file, keeps state, or ends the process.
NEVER = re.compile(r"^(v?syslog|openlog|closelog|sleep|usleep|alarm|pause|system|popen|abort|exit|atexit|__assert_fail|"
                   r"(v|f|d|vf|vd)?printf|f?puts|f?putc|putchar|fopen|fdopen|freopen|fclose|fflush|fwrite|fread|fgets|"
                   r"getline|perror|get(pw|gr|sp|ut|host|addr|serv|proto)\w*|set(pw|ut)ent|\w*utmpx?\w*|dl\w+|"
                   r"tz(set|name)|(local|gm|mk)time(_r)?|strftime|setlocale|setenv|putenv|getenv|pthread_\w+|"
                   r"login_tty|openpty|forkpty|tcdrain|fcloseall|opendir|readdir|nss_\w*|rand|random)$")


def plain(symbol):
    """A symbol without what fortification and standards put around it."""
    symbol = SAME.get(symbol, symbol)
    symbol = re.sub(r"^__(\w+)_chk$", r"\1", symbol)
    symbol = re.sub(r"^__isoc\d+_", "", symbol)
    symbol = re.sub(r"^__(open|fcntl|stat|fstat)?(64)?(_2|_time64)?$", lambda m: m.group(1) or symbol, symbol)
    return re.sub(r"^(open|fcntl|stat|fstat|lseek|mmap|ftruncate|pread|pwrite|setrlimit)64$", r"\1", symbol)


def objects(folder, variable):
    """What a folder's rules.mk lists, as the sources' names without a suffix."""
    with open(os.path.join(TOP, "src", folder, "rules.mk"), encoding="utf-8") as file:
        line = re.search(r"^%s :=((?:[^\n]|\\\n)*)$" % variable, file.read(), re.MULTILINE).group(1)
    return re.findall(r"([\w-]+)\.o", line)


def modules():
    """The modules of pid 1: sources of its folders and what it links of lib, by "folder/name"."""
    linked = ["lib/%s.o" % name for name in objects("lib", "LIB_OBJS")]
    apart = ["selinux-load", *objects("init", "SELINUX_OBJS")]      # a program of its own
    paths = [path for folder in FOLDERS for path in glob.glob(os.path.join(TOP, "src", folder, "*.c"))]
    paths = [path for path in paths if os.path.basename(path)[:-2] not in apart]
    paths += [os.path.join(TOP, "src", name[:-2] + ".c") for name in linked]
    return {os.path.relpath(path, os.path.join(TOP, "src"))[:-2]: path for path in sorted(paths)}


def symbols():
    """-> {module: symbols it leaves undefined}, symbols that any of them defines."""
    paths = {os.path.join(BUILD, "pid1", module + ".o"): module for module in modules()}
    for path in paths:
        if not os.path.exists(path):
            raise tap.Failed("%s is not built: the list was not checked against it" % path)
    done = subprocess.run(["nm", "-P", "-A", *paths], stdout=subprocess.PIPE, check=True, text=True)
    undefined, defined = {module: set() for module in paths.values()}, set()
    for line in done.stdout.splitlines():
        path, name, kind = line.split()[:3]
        if kind in "Uw":
            undefined[paths[path[:-1]]].add(name)
        elif kind.isupper():
            defined.add(name)
    return undefined, defined


@functools.cache
def imports():
    undefined, defined = symbols()
    return {module: {plain(name) for name in names - defined - COMPILERS} for module, names in undefined.items()}


def allowed():
    lists = {}
    with open(ALLOW, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#") or not line.strip():
                continue
            where, colon, names = line.partition(":")
            tap.check(colon, "line %d of imports.allow names an object" % number)
            lists.setdefault(where, set()).update(names.split())
    return lists


@tap.case()
def objects_of_pid_1_take_only_what_is_on_the_list():
    lists, wrong = allowed(), []
    for module, names in sorted(imports().items()):
        for name in sorted(names - lists["any"] - lists.get(module, set())):
            wrong.append("%s takes %s" % (module, name))
    tap.equal(wrong, [], "not on the list")


@tap.case()
def nothing_is_on_the_list_that_no_source_calls():
    """By the sources: what a compiler makes of them differs from one to the next."""
    sources = {}
    for module, path in modules().items():
        with open(path, encoding="utf-8") as file:
            sources[module] = set(re.findall(r"\w+", file.read()))
    everybody = set().union(*sources.values())
    stale = []
    for where, names in sorted(allowed().items()):
        if where != "any" and where not in sources:
            stale.append("%s is no module" % where)
            continue
        words = everybody if where == "any" else sources[where]
        # What compilers make of other calls, and what macros stand for.
        words = words | {"strcat", "stpcpy", "__libc_current_sigrtmax", "sigaddset"}
        stale += ["%s: %s" % (where, name) for name in sorted(names - words)]
    tap.equal(stale, [], "on the list for nothing")


@tap.case()
def nothing_is_on_the_list_that_can_wait_or_keeps_state():
    bad = ["%s: %s" % (where, name) for where, names in sorted(allowed().items()) for name in sorted(names)
           if NEVER.match(name)]
    tap.equal(bad, [], "never")


@tap.case()
def memory_is_allocated_in_children_that_read_and_by_the_table_they_build_alone():
    for module, names in sorted(imports().items()):
        if names & {"malloc", "calloc", "realloc", "strdup", "aligned_alloc"}:
            tap.check(module in ("init/loader", "init/stream", "init/table"), "%s allocates" % module)


@tap.case()
def errno_is_read_at_the_seams_alone():
    """lib/sys for system calls; lib/tool for what the C library's streams report to a tool."""
    for module, names in sorted(imports().items()):
        tap.equal("errno" in names, module == "lib/sys", module + " names errno")
    for path in glob.glob(os.path.join(TOP, "src", "*", "*.c")):
        with open(path, encoding="utf-8") as file:
            code = re.sub(r"/\*.*?\*/|//[^\n]*|#include[^\n]*|\"(\\.|[^\"\\])*\"", " ", file.read(), flags=re.DOTALL)
        if re.search(r"\berrno\b", code):
            tap.check(os.path.relpath(path, TOP) in ("src/lib/sys.c", "src/lib/systool.c", "src/lib/seam.h", "src/lib/tool.c"), path + " names errno")


@tap.case()
def system_calls_are_made_in_lib_sys_alone():
    """What lib/sys takes is nobody else's, so that any of it can be made to fail in a test."""
    lists = allowed()
    for where, names in sorted(lists.items()):
        if where not in ("lib/sys",):
            tap.equal(sorted(names & lists["lib/sys"]), [], where + " shares with lib/sys")


tap.main()
