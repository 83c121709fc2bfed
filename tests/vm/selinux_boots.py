#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel with SELinux and policies that are compiled here: init ends in its domain, permissive and enforcing; without a policy
that can be loaded it says what is wrong, and halts where enforcing is demanded.

The root is a tmpfs (the initramfs), whose files take labels before a policy is loaded. The policy knows few classes and
permissions and lets pass what it does not know: only what it names can be refused."""
import os
import re
import struct
import subprocess
import tempfile

import vm
from vm import image, tap

STOCK = bool(os.environ.get("STOCK"))
REFUSED = rb"Unable to load SELinux Policy\. Machine is in enforcing mode\. Halting now\."
GOES_ON = rb"INIT: no SELinux policy is loaded, going on without\r+\n\r*"
BOOTING = rb"INIT: version \S+ booting\r+\n"
FOLDER = "/etc/selinux/test/policy/policy"
NEWEST = 33                             # of the kernel and of the compiler; read from both below
LABELS = {"/sbin/init": "init_exec_t", "/secret": "secret_t", "/sbin/sulogin": "sulogin_exec_t"}

POLICY = """
(handleunknown allow)
(class process (transition dyntransition setexec))
(class file (read entrypoint))
(classorder (process file))
(sid kernel) (sid security) (sid unlabeled)
(sidorder (kernel security unlabeled))
(sensitivity s0) (sensitivityorder (s0)) (category c0) (categoryorder (c0)) (sensitivitycategory s0 (c0))
(user system_u) (user root_u) (role system_r) (role sysadm_r) (role object_r)
(type kernel_t) (type init_t) (type init_exec_t) (type sulogin_t) (type sulogin_exec_t) (type sysadm_t)
(type file_t) (type secret_t)
(roletype system_r kernel_t) (roletype system_r init_t) (roletype system_r sulogin_t) (roletype sysadm_r sysadm_t)
(roletype object_r file_t) (roletype object_r secret_t) (roletype object_r init_exec_t)
(roletype object_r sulogin_exec_t)
(userrole system_u system_r) (userrole system_u object_r) (userrole root_u sysadm_r) (userrole root_u object_r)
(userlevel system_u (s0)) (userrange system_u ((s0) (s0)))
(userlevel root_u (s0)) (userrange root_u ((s0) (s0)))
(typetransition kernel_t init_exec_t process init_t)
(typetransition init_t sulogin_exec_t process sulogin_t)
(roleallow system_r sysadm_r)
(typeattribute domain) (typeattributeset domain (kernel_t init_t sulogin_t sysadm_t))
(allow domain domain (process (transition setexec)))
(allow domain domain (file (read)))
(allow domain file_t (file (read entrypoint)))
(allow domain init_exec_t (file (read entrypoint)))
(allow domain sulogin_exec_t (file (read entrypoint)))
(allow kernel_t secret_t (file (read)))
(sidcontext kernel (system_u system_r kernel_t ((s0) (s0))))
(sidcontext security (system_u object_r file_t ((s0) (s0))))
(sidcontext unlabeled (system_u object_r file_t ((s0) (s0))))
(fsuse xattr rootfs (system_u object_r file_t ((s0) (s0))))
(fsuse trans tmpfs (system_u object_r file_t ((s0) (s0))))
(genfscon proc / (system_u object_r file_t ((s0) (s0))))
(genfscon sysfs / (system_u object_r file_t ((s0) (s0))))
(genfscon devtmpfs / (system_u object_r file_t ((s0) (s0))))
(genfscon selinuxfs / (system_u object_r file_t ((s0) (s0))))
"""
# Notes what it may do and as whom it runs, then what image.RC does.
RC = image.RC.replace("case $1", """echo "context $(cat /proc/self/attr/current | tr -d '\\0')" >> /run/rc.log
cat /secret >> /run/rc.log 2>&1
echo "SELINUX_INIT=$SELINUX_INIT" >> /run/rc.log
case $1""")


def compiled(version=NEWEST, source=POLICY):
    with tempfile.TemporaryDirectory() as work:
        with open(work + "/policy.cil", "w", encoding="ascii") as file:
            file.write(source)
        image.run_quietly(["secilc", "-M", "true", "-c", str(version), "-o", work + "/policy", "-f", "/dev/null",
                           work + "/policy.cil"])
        with open(work + "/policy", "rb") as file:
            return file.read()


def with_version(policy, version):
    return policy[:16] + struct.pack("<I", version) + policy[20:]


def stage1():
    labels = "".join(f"/sbin/vmguest label {path} system_u:object_r:{kind}:s0\n" for path, kind in LABELS.items())
    control = image.add_control(image.Cpio(), image.kernel_tree())
    return image.STAGE1.format(control=control).replace("exec env", labels + "exec env")


def machine(mode, policies, words="", files=None, hurry=False):
    """One with these policies, by what stands behind the point in their names."""
    files = dict(files or {})
    files.update({"/init": stage1(), "/etc/rc": RC, "/secret": "the secret\n"})
    if mode:
        files["/etc/selinux/config"] = f"# settings\nSELINUX={mode}\nSELINUXTYPE=test\n"
    files.update({f"{FOLDER}.{suffix}": policy for suffix, policy in policies.items()})
    return vm.Machine(files=files, words="security=selinux " + words, hurry=hurry)


def context_of_init(m):
    return m.check("cat /proc/1/attr/current").strip("\0\n")


def in_domain(m):
    m.wait_runlevel("N 2")
    log = m.rc_log()
    tap.equal(context_of_init(m), "system_u:system_r:init_t:s0", "the context of process 1")
    tap.check("context system_u:system_r:init_t:s0" in log, f"what init starts is there too: {log}")
    tap.check("SELINUX_INIT=YES" in log, f"and is told so: {log}")
    tap.equal(m.check("cat /proc/1/comm").strip(), "init", "the name of process 1")
    tap.equal(m.console.since().count(b"booting"), 1, "how often the boot was said")


@tap.case(deadline=600)
def permissive_init_ends_in_its_domain_and_stays_there():
    with machine("permissive", {NEWEST: compiled()}) as m:
        in_domain(m)
        tap.check("the secret" in m.rc_log(), "what the policy refuses is done")
        tap.equal(m.check("cat /sys/fs/selinux/enforce"), "0", "what the kernel was told")
        loads = "dmesg | grep -c 'type=1403'"           # an audit record for each policy that is loaded
        tap.equal(m.check(loads).strip(), "1", "policies loaded")
        if STOCK:
            return
        # Neither a new image nor a crash loads again.
        m.check("telinit u")
        m.console.wait_for(rb"INIT: version \S+ reloading\r+\n")
        m.check("vmguest crash")
        m.console.wait_for(rb"INIT: version \S+ reloading\r+\n(?s:.*)INIT: version \S+ reloading\r+\n")
        m.check("telinit 3")
        m.wait_runlevel("2 3")
        tap.equal(m.check("cat /proc/1/comm").strip(), "init", "the name of process 1")
        tap.equal(context_of_init(m), "system_u:system_r:init_t:s0", "the context of process 1")
        tap.equal(m.check(loads).strip(), "1", "policies loaded")


@tap.case(deadline=600)
def enforcing_init_ends_in_its_domain_the_policy_rules_and_sulogins_shell_is_roots():
    files = {"/etc/inittab": image.INITTAB.replace("S1:2345:respawn:/bin/getty -L 115200 ttyS1 vt100",
                                                   "su:a:ondemand:/sbin/sulogin /dev/ttyS1"),
             "/etc/selinux/test/seusers": "root:root_u:s0-s0\n__default__:root_u:s0-s0\n",
             "/etc/selinux/test/contexts/default_contexts": "system_r:sulogin_t:s0 sysadm_r:sysadm_t:s0\n"}
    # An older file beside it is not the one.
    with machine("enforcing", {NEWEST: compiled(), 30: b"nothing"}, words="auto", files=files) as m:
        in_domain(m)
        log = m.rc_log()
        tap.check("the secret" not in log and "cat: can't open '/secret': Permission denied" in log, f"refused: {log}")
        tap.equal(m.check("cat /sys/fs/selinux/enforce"), "1", "what the kernel was told")
        if STOCK:
            return
        m.check("telinit u")
        m.console.wait_for(rb"INIT: version \S+ reloading\r+\n")
        m.check("telinit a")
        m.serial.wait_for(rb"Give root password")
        mark = m.serial.mark()
        m.serial.send(image.PASSWORD.encode() + b"\n")
        m.serial.wait_for(rb"# ", mark)
        mark = m.serial.mark()
        m.serial.send(b"cat /proc/self/attr/current; echo; cat /secret\n")
        m.serial.wait_for(rb"\nroot_u:sysadm_r:sysadm_t:s0\0?\r+\n(?s:.*)Permission denied", mark)


# --- without a policy ---

def in_line(said, text):
    tap.check(re.search("^\r*(INIT: )?" + re.escape(text) + "\r*$", said, re.M), f"{text!r} in {said!r}")


def halts(policies, mode, words="", loader=None):
    """A boot that does not come about; what was said about it. LOADER: a script in its place."""
    m = machine(mode, policies, words, {LOADER: loader} if loader else None, hurry=bool(loader))
    m.boot(ready=False)
    try:
        said = m.console.wait_for(rb"(?s)^.*?INIT: " + REFUSED + rb"\r+\n.*?reboot: System halted", deadline=400).group(0)
        tap.check(not re.search(BOOTING, said), "nothing was booted")
        return said.decode()
    finally:
        m.kill()


LOADER = "/lib/sysvinit/selinux-load"
PATH = f"{FOLDER}.{NEWEST}"
MISSING = f"selinux-load: {FOLDER}: no policy of a version from 15 to {NEWEST} (No such file or directory); there is "
TRUNCATED = f"selinux-load: {PATH}: damaged or truncated (libsepol.policydb_from_image: policy image is invalid)"
TOO_NEW = (f"selinux-load: {PATH}: policy of version {NEWEST + 1}: this kernel takes versions up to {NEWEST}, "
           f"libsepol reads 15 to {NEWEST}")
OF_KERNEL = "selinux-load: kernel: SELinux: process dyntransition permission is required, not defined in policy"


def loader_ends(m, mode, suffix):
    """Status and words of the loader, run by hand with this setting and policy."""
    result = m.run(f"sed -i s/^SELINUX=.*/SELINUX={mode}/ /etc/selinux/config; rm -f {PATH}; "
                   f"cp {FOLDER}.{suffix} {PATH}; {LOADER} --load 2>&1")
    return result.status, result.text


@tap.case(deadline=900)
def without_a_policy_the_boot_goes_on_and_the_loader_says_of_each_what_is_wrong():
    policies = {NEWEST + 1: compiled(), "truncated": compiled()[:700], "new": with_version(compiled(), NEWEST + 1),
                "poor": compiled(source=POLICY.replace(" dyntransition", "")), "good": compiled()}
    with machine("permissive", policies) as m:
        m.wait_booted()
        said = m.console.wait_for(rb"(?s)^.*?" + GOES_ON + BOOTING).group(0).decode()
        tap.check(MISSING in said, f"{MISSING!r} in {said!r}")
        names = said[said.index(MISSING) + len(MISSING):].split("\r")[0].split()
        tap.equal(sorted(names), sorted(f"policy.{suffix}" for suffix in policies), "what there is instead")
        tap.equal(context_of_init(m), "kernel", "the context of process 1")
        tap.check("SELINUX_INIT=" in m.rc_log(), f"nothing is settled: {m.rc_log()}")
        for suffix, text in (("truncated", TRUNCATED), ("new", TOO_NEW), ("poor", OF_KERNEL)):
            for mode, status in (("permissive", 1), ("enforcing", 4), ("disabled", 3)):
                found, said = loader_ends(m, mode, suffix)
                tap.equal(found, status, f"the status for {suffix}, {mode}: {said}")
                if mode == "disabled":
                    tap.equal(said, "", "what is said")
                else:
                    in_line(said, text)
                tap.check("selinuxfs" not in m.check("cat /proc/mounts"), "nothing stays mounted")
        tap.equal(loader_ends(m, "permissive", "good"), (0, ""), "a good one")
        tap.equal(loader_ends(m, "enforcing", "truncated"), (3, ""), "when one is loaded")


@tap.case(deadline=600)
def a_truncated_policy_halts_the_machine_that_enforces():
    in_line(halts({NEWEST: compiled()[:700]}, "enforcing"), TRUNCATED)


@tap.case(deadline=600)
def a_policy_that_the_kernel_is_too_old_for_halts_the_machine_that_is_told_to_enforce_on_its_command_line():
    in_line(halts({NEWEST: with_version(compiled(), NEWEST + 1)}, "permissive", "enforcing=1"), TOO_NEW)


@tap.case(deadline=600)
def a_missing_policy_halts_the_machine_that_enforces():
    in_line(halts({"other": b"nothing"}, "enforcing"), MISSING + "policy.other")


@tap.case(deadline=600)
def a_loader_that_misses_a_library_halts_the_machine_that_enforces():
    in_line(halts({NEWEST: compiled()}, "enforcing", loader="#!/bin/sh\nexit 127\n"), LOADER + ": ended with status 127")


@tap.case(deadline=900)
def a_loader_that_does_not_end_halts_the_machine_that_enforces():
    in_line(halts({NEWEST: compiled()}, "permissive", "enforcing=1", "#!/bin/sh\nexec sleep 100000\n"), LOADER + ": does not end")


@tap.case(deadline=600)
def without_selinux_in_the_kernel_nothing_can_be_demanded():
    files = {"/etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=test\n"}
    with vm.Machine(files=files, words="enforcing=1") as m:
        m.wait_booted()
        tap.check(b"elinux" not in m.console.since().lower(), "nothing is said")


tap.main()
