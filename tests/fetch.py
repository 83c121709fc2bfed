# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages of the distribution that tests measure against: downloaded from the machine's own sources, never installed.

packages(folder, names) -> folder, with what the packages hold unpacked in it; done once, whole or not at all. Raises
    FetchError with what apt-get said.
unpacked(which) -> the same for a set of UNPACKED, which lies in $B.
"""
import glob
import os
import shutil
import subprocess
import tempfile

UNPACKED = {
    "stock": ["sysvinit-core", "sysvinit-utils", "bootlogd"],
    "peer": ["util-linux", "util-linux-extra"],     # other programs that do the same work
    "units": ["openssh-server", "cron", "chrony", "dbus", "rsyslog", "apache2", "unbound", "mosquitto", "redis-server", "haproxy",
              "smartmontools", "at", "nftables", "procps"],
    "nspawn": ["systemd-container", "libsystemd-shared", "libkmod2", "libip4tc2", "libseccomp2"],
}


class FetchError(Exception):
    """A package cannot be had."""


def download(names, folder):
    """The packages themselves. -> their paths"""
    os.chmod(folder, 0o755)
    done = subprocess.run(["apt-get", "-q", "-o", "Acquire::Retries=5", "download", *names], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise FetchError("%s cannot be had:\n%s" % (" ".join(names), done.stdout))
    return sorted(glob.glob(os.path.join(glob.escape(folder), "*.deb")))


def packages(folder, names):
    folder = os.path.abspath(folder)
    if os.path.isdir(folder):
        return folder
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        new = tempfile.mkdtemp(dir=os.path.dirname(folder))
        try:
            for path in download(names, work):
                subprocess.run(["dpkg", "-x", path, new], check=True, stdin=subprocess.DEVNULL)
            os.rename(new, folder)
        except BaseException:
            shutil.rmtree(new)
            raise
    return folder


def unpacked(which):
    return packages(os.path.join(os.environ.get("B", "build"), which), UNPACKED[which])
