# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages that debian/ makes, and the stock ones, built or fetched once for a state of the sources.

built(number) -> Build(folder, log, {package: path}); 1 and 2 differ in folder, time zone, language, umask and home.
stock() -> {package: path} of the packages in the machine's own sources.
"""
import collections
import functools
import glob
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
import fetch    # noqa: E402
import made     # noqa: E402
import tap      # noqa: E402,F401

PLACE = os.path.join(os.path.abspath(os.environ.get("B", os.path.join(TOP, "build"))), "packages")
OURS = ("sysvinit-core", "sysvinit-utils", "bootlogd", "sysvinit-extra")
STOCK = ("sysvinit-core", "sysvinit-utils", "bootlogd", "util-linux", "bsdutils", "logsave")
Build = collections.namedtuple("Build", "folder log debs")
MANNERS = {1: {"TZ": "UTC", "LC_ALL": "C.UTF-8", "DEB_BUILD_OPTIONS": "parallel=2"},
           2: {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "DEB_BUILD_OPTIONS": "parallel=4", "HOME": "/nonexistent"}}


class BuildFailed(Exception):
    """What the build said last."""


def sources():
    """What a checkout would hold: files that are known to git or could be."""
    done = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=TOP, stdout=subprocess.PIPE, check=True)
    return sorted(name for name in done.stdout.decode().split("\0") if name and os.path.lexists(os.path.join(TOP, name)))


@functools.lru_cache
def state():
    """Names the state that the sources had when somebody first asked; of tests/ nothing gets into a package, and only its rules are read."""
    found = hashlib.sha256()
    for name in sources():
        if name.startswith("tests/") and not name.endswith("rules.mk"):
            continue
        with open(os.path.join(TOP, name), "rb") as file:
            found.update(("%s\0" % name).encode() + hashlib.sha256(file.read()).digest())
    return found.hexdigest()[:16]


def by_name(folder):
    return {os.path.basename(path).partition("_")[0]: path for path in glob.glob(glob.escape(folder) + "/*.deb")}


def built(number):
    folder = os.path.join(PLACE, "%s-%d" % (state(), number))
    made.whole(folder, lambda new: build(new, number))
    with open(folder + "/log", encoding="utf-8", errors="replace") as file:
        return Build(folder, file.read(), by_name(folder))


def build(folder, number):
    tree = os.path.join(folder, "tree" if number == 1 else "another/tree")
    for name in sources():
        os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
        shutil.copy2(os.path.join(TOP, name), os.path.join(tree, name), follow_symlinks=False)
    env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    with open(folder + "/log", "wb") as log:
        command = ["sh", "-c", "umask %s; exec dpkg-buildpackage -b -us -uc" % ("022" if number == 1 else "077")]
        builder = subprocess.Popen(command, cwd=tree, env={**env, **MANNERS[number]}, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = builder.wait()
        except BaseException:           # nothing goes on that writes there
            os.killpg(builder.pid, signal.SIGKILL)
            builder.wait()
            raise
    if status:
        with open(folder + "/log", encoding="utf-8", errors="replace") as log:
            raise BuildFailed("".join(log.readlines()[-40:]))
    for path in glob.glob(glob.escape(os.path.dirname(tree)) + "/*_*"):
        if os.path.dirname(path) != folder:
            shutil.move(path, folder)
    shutil.move(os.path.join(tree, "build/init"), folder + "/init.unstripped")
    shutil.rmtree(os.path.join(folder, "tree" if number == 1 else "another"))


def stock():
    folder = os.path.join(PLACE, "stock")
    made.whole(folder, lambda new: fetch.download(STOCK, new))
    return by_name(folder)


def run(*command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)


def field(path, name):
    return run("dpkg-deb", "-f", path, name).stdout.strip()


def files(path):
    """{path: (mode, owner, link target)} but for folders."""
    found = {}
    for line in run("dpkg-deb", "-c", path).stdout.splitlines():
        mode, owner, _, _, _, name = line.split(None, 5)
        name, _, target = re.sub(r"^\./", "/", name).partition(" -> ")
        if not mode.startswith("d"):
            found[name] = (mode, owner, target)
    return found
