# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests take from the distribution's archive: from the machine's own sources, never installed.

get(names, folder)      has apt-get download packages into a folder that is there
download(names, folder) -> their paths, there; kept
kept(recipe, get, folder) -> the paths of the files that GET makes for RECIPE in a folder it is told, in FOLDER; kept
unpacked(which) -> a folder with what a set of UNPACKED holds; it lies in $B, made once, whole or not at all
packages(folder, names) -> the same for any packages and place
Each raises FetchError with what apt-get said.

What is kept lies in KEPT ($KEPT, default /var/cache/sysvinit-tests), for any checkout: for a day it is not fetched again, and when it is
older and the archive cannot be reached, it is used with a line that says so. Deleting it is always safe.
"""
import glob
import hashlib
import os
import re
import shutil
import subprocess
import time

import made

UNPACKED = {
    "stock": ["sysvinit-core", "sysvinit-utils", "bootlogd"],
    "peer": ["util-linux", "util-linux-extra"],     # other programs that do the same work
    "units": ["openssh-server", "cron", "chrony", "dbus", "rsyslog", "apache2", "unbound", "mosquitto", "redis-server", "haproxy",
              "smartmontools", "at", "nftables", "procps"],
    "nspawn": ["systemd-container", "libsystemd-shared", "libkmod2", "libip4tc2", "libseccomp2"],
}
KEPT = os.environ.get("KEPT", "/var/cache/sysvinit-tests")
FRESH_S = 86400
AWAY = "ARCHIVE_AWAY"       # in the environment: it was waited for already, and nobody need ask again


class FetchError(Exception):
    """A package cannot be had."""


def codename():
    with open("/etc/os-release", encoding="utf-8") as file:
        return re.search("^VERSION_CODENAME=(.*)$", file.read(), re.MULTILINE).group(1)


def kept(recipe, get, folder):
    asked = "\0".join((codename(), os.uname().machine, *recipe))
    place = os.path.join(KEPT, hashlib.sha256(asked.encode()).hexdigest()[:16])
    with made.lock(place + ".lock"):
        age = time.time() - os.path.getmtime(place) if os.path.isdir(place) else None
        if age is None or not 0 <= age < FRESH_S:
            try:
                if AWAY in os.environ:
                    raise FetchError("%s: the archive cannot be reached" % recipe[0])
                made.fill(place, get)
            except Exception as error:      # of many kinds; what it says is shown
                if age is None:
                    raise
                print("# note: %s is from %d hours ago: %s" % (recipe[0], age / 3600, str(error).splitlines()[0]), flush=True)
        return sorted(shutil.copy(path, folder) for path in glob.glob(os.path.join(glob.escape(place), "*")))


def get(names, folder):
    done = subprocess.run(["apt-get", "-q", "-o", "Acquire::Retries=5", "download", *names], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise FetchError("%s cannot be had:\n%s" % (" ".join(names), done.stdout))


def download(names, folder):
    return kept(("packages", *names), lambda place: get(names, place), folder)


def packages(folder, names):
    def unpack(new):
        for path in download(names, new):
            subprocess.run(["dpkg", "-x", path, new], check=True, stdin=subprocess.DEVNULL)
            os.unlink(path)

    folder = os.path.abspath(folder)
    made.whole(folder, unpack)
    return folder


def unpacked(which):
    return packages(os.path.join(os.environ.get("B", "build"), which), UNPACKED[which])
