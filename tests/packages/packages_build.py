#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian packages: the same bytes from two builds, the files and relations that the rest of Debian expects, no complaint of lintian,
and every protection that a compiler has."""
import hashlib
import os
import re
import subprocess
import tempfile

import debs
from debs import OURS, built, field, files, run, tap

PROGRAM, PLAIN, LINK = "-rwxr-xr-x", "-rw-r--r--", "lrwxrwxrwx"
FILES = {
    "sysvinit-core": {
        **{"/sbin/" + name: PROGRAM for name in ("halt", "init", "runlevel", "shutdown")},
        "/lib/sysvinit/selinux-load": PROGRAM,
        "/sbin/telinit": "init", "/sbin/poweroff": "halt", "/sbin/reboot": "halt",
        "/usr/include/initreq.h": PLAIN, "/usr/share/sysvinit/inittab": PLAIN,
        **{"/usr/share/man/man5/%s.5.gz" % name: None for name in ("initctl", "initscript", "inittab")},
        "/usr/share/man/man7/initlog.7.gz": None,
        **{"/usr/share/man/man8/%s.8.gz" % name: None for name in ("halt", "init", "poweroff", "reboot", "runlevel", "selinux-load", "shutdown", "telinit")}},
    "sysvinit-utils": {
        "/bin/pidof": "/sbin/killall5", "/sbin/killall5": PROGRAM, "/sbin/fstab-decode": PROGRAM,
        "/lib/init/init-d-script": PROGRAM, "/lib/init/vars.sh": PLAIN, "/lib/lsb/init-functions": PLAIN,
        "/lib/lsb/init-functions.d/00-verbose": PLAIN, "/usr/share/man/man5/init-d-script.5.gz": None,
        **{"/usr/share/man/man8/%s.8.gz" % name: None for name in ("fstab-decode", "killall5", "pidof")}},
    "bootlogd": {
        "/sbin/bootlogd": PROGRAM, "/usr/bin/readbootlog": PROGRAM,
        **{"/etc/init.d/" + name: PROGRAM for name in ("bootlogd", "stop-bootlogd", "stop-bootlogd-single")},
        "/usr/share/man/man8/bootlogd.8.gz": None, "/usr/share/man/man1/readbootlog.1.gz": None},
    "sysvinit-extra": {
        "/bin/mountpoint": PROGRAM, "/sbin/logsave": PROGRAM, "/sbin/sulogin": PROGRAM, "/usr/bin/lastb": "last",
        **{"/usr/bin/" + name: PROGRAM for name in ("last", "mesg", "utmpdump", "wall")},
        **{"/usr/share/man/man1/%s.1.gz" % name: None for name in ("last", "lastb", "mesg", "mountpoint", "utmpdump", "wall")},
        **{"/usr/share/man/man8/%s.8.gz" % name: None for name in ("logsave", "sulogin")}},
}
# field: words that must be in it. (Of the stock relations only those on older manual pages of other languages are not needed.)
RELATIONS = {
    "sysvinit-core": {"Depends": ["initscripts", "sysv-rc | file-rc | openrc", "mount"], "Conflicts": ["runit-init", "systemd-sysv"],
                      "Replaces": ["runit-init", "systemd-sysv", "sysvinit (<< 2.88dsf-44~)"], "Recommends": ["orphan-sysvinit-scripts"],
                      "Suggests": ["bootlogd"]},
    "sysvinit-utils": {"Essential": ["yes"], "Multi-Arch": ["foreign"], "Priority": ["required"], "Provides": ["lsb-base (= 11.1.0)"],
                       "Conflicts": ["lsb-base (<< 11.3~)"], "Replaces": ["lsb-base"]},
    "bootlogd": {}, "sysvinit-extra": {},
}


@tap.case(deadline=600)
def two_builds_give_the_same_bytes():
    one, two = built(1), built(2)
    tap.equal(sorted(one.debs), sorted(two.debs), "the packages")
    tap.check(set(OURS) <= set(one.debs), "all are built: %s" % sorted(one.debs))
    for name in sorted(one.debs):
        sums = []
        for path in (one.debs[name], two.debs[name]):
            with open(path, "rb") as file:
                sums.append(hashlib.sha256(file.read()).hexdigest())
        tap.equal(sums[0], sums[1], "the bytes of " + name)


@tap.case(deadline=600)
def each_package_holds_what_it_should_and_no_more():
    for name in OURS:
        found = {path: what for path, what in files(built(1).debs[name]).items() if not path.startswith(("/usr/share/doc/", "/usr/share/lintian/"))}
        tap.equal(sorted(found), sorted(FILES[name]), "the files of " + name)
        for path, (mode, owner, target) in found.items():
            tap.equal(owner, "root/root", "the owner of " + path)
            wanted = FILES[name][path]
            if wanted in (PROGRAM, PLAIN):
                tap.equal((mode, target), (wanted, ""), path)
            elif wanted:
                tap.equal((mode, target), (LINK, wanted), path)
        conffiles = run("dpkg-deb", "-I", built(1).debs[name], "conffiles").stdout.split() if name == "bootlogd" else []
        tap.equal(sorted(conffiles), sorted(path for path in found if path.startswith("/etc/")), "the conffiles of " + name)
        tap.check("/sbin/initctl" not in found, "scripts would take that for upstart")


@tap.case(deadline=600)
def no_file_of_the_stock_packages_is_missing_but_translations():
    for name in ("sysvinit-core", "sysvinit-utils", "bootlogd"):
        stock = {path for path in files(debs.stock()[name]) if not re.match(r"/usr/share/(man/[a-z]{2}/|doc/|lintian/)", path)}
        tap.equal(sorted(stock - set(files(built(1).debs[name]))), [], "missing in " + name)


@tap.case(deadline=600)
def the_relations_are_those_of_the_stock_packages():
    for name in OURS:
        path = built(1).debs[name]
        for key, wanted in RELATIONS[name].items():
            words = [word.strip() for word in field(path, key).split(",")]
            tap.equal([word for word in wanted if word not in words], [], "missing in %s of %s" % (key, name))
        version = field(path, "Version")
        with open(os.path.join(debs.TOP, "Makefile"), encoding="utf-8") as file:
            made = re.search("^VERSION *:?= *(.*)$", file.read(), re.MULTILINE).group(1)
        tap.equal(version, made.replace("-", "+"), "the version of %s is that of the programs" % name)
        for other in ("3.05-4~", "3.06-4", "3.14-4", field(debs.stock().get(name, debs.stock()["sysvinit-core"]), "Version")):
            tap.equal(run("dpkg", "--compare-versions", version, "gt", other).returncode, 0, "%s sorts above %s" % (version, other))
    tap.check("Essential" not in run("dpkg-deb", "-f", built(1).debs["sysvinit-core"]).stdout, "sysvinit-core is not essential")
    with open(built(1).folder + "/init.unstripped", "rb") as file:
        musl = b"ld-musl" in file.read() or "musl-gcc" in built(1).log
    tap.equal(bool(re.search("musl", field(built(1).debs["sysvinit-core"], "Built-Using"))), musl, "what it is linked with is recorded")


@tap.case(deadline=900)
def lintian_has_nothing_to_say():
    changes = [name for name in os.listdir(built(1).folder) if name.endswith(".changes")]
    tap.equal(len(changes), 1, "files of changes")
    done = run("lintian", "--pedantic", "--display-info", "--allow-root", "--tag-display-limit", "0", os.path.join(built(1).folder, changes[0]))
    said = [line for line in done.stdout.splitlines() if re.match("[EWIP]: ", line)]
    tap.equal((said, done.returncode), ([], 0), "what lintian says")


@tap.case(deadline=600)
def every_compilation_has_the_flags_that_harden():
    """The link of a static-pie does not name -pie: what it makes is looked at below."""
    build = built(1)
    done = run("blhc", "--all", "--ignore-line", ".* -static-pie .*", build.folder + "/log")
    tap.equal((done.stdout, done.returncode), ("", 0), "what blhc says")
    with tempfile.TemporaryDirectory() as folder:
        programs = []
        for name in OURS:
            subprocess.run(["dpkg", "-x", build.debs[name], folder], check=True)
            programs += [path for path, what in files(build.debs[name]).items() if what[0] == PROGRAM]
        looked = 0
        for path in sorted(programs):
            with open(folder + path, "rb") as file:
                if file.read(4) != b"\x7fELF":
                    continue
            looked += 1
            elf = run("readelf", "-hldW", folder + path).stdout
            tap.check("DYN (" in elf, path + " can be put at any address")
            tap.check("GNU_RELRO" in elf and re.search(r"FLAGS.*(BIND_NOW|NOW)|BIND_NOW", elf), path + " has its tables protected")
            tap.check(re.search(r"GNU_STACK .* RW ", elf) and not re.search(r"LOAD .* RWE ", elf), path + " has no memory to write and execute")
            symbols = run("readelf", "-sW", build.folder + "/init.unstripped" if path == "/sbin/init" else folder + path).stdout
            tap.check("__stack_chk_fail" in symbols, path + " has its stack protected")
        tap.check(looked >= 14, "programs are looked at: %d" % looked)
        tap.check("INTERP" not in run("readelf", "-lW", folder + "/sbin/init").stdout, "init needs no dynamic linker")


tap.main()
