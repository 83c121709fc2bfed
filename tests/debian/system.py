# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that boots Debian from a disk of its own, and who sits at its serial line.

    with System("ours", "single") as s:     # kernel words; the disk is a copy that is forgotten
        s.login()                           # at the prompt, as root; from then on:
        s.sh("runlevel")                    # -> what it wrote; it must end with 0
        s.status("false")                   # -> (status, what it wrote)
        s.type("telinit 1\\n")              # typed, and not waited for
        s.sees(rb"Give root password")      # what came out since the last thing seen
        s.ends()                            # "guest-shutdown"; s.resets() waits for the next boot of the same disk
        s.run("ps")                         # -> the same from the control agent of tests/vm, where `initvm.agent` is among the words

    with booted("ours") as s:               # the same, of one that has booted and where root has logged in: from memory that was saved once

QEMU without acceleration, which counts instructions for the guest's clock: on a busy host it is slow, but nothing is late in its own eyes. Deadlines are in host time and generous.
"""
import atexit
import contextlib
import glob
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time

import disk
import image
import made
from channels import Control, Heartbeat, Line, MachineError, Monitor
from disk import debs   # noqa: F401
import tap
from vm import die_with_parent, wait_until   # noqa: F401

DEADLINE = 600.0
MEMORY = "256"      # MiB
# norandmaps: what QEMU has translated of a program serves all processes, which halves the time of a boot.
KERNEL_WORDS = "console=ttyS0 quiet loglevel=1 mitigations=off norandmaps tsc=reliable cryptomgr.notests root=/dev/vda ro"
AGENT = "initvm.agent"
PROMPT = rb"# $"
DESCRIBE = "cat /proc/uptime /proc/1/syscall; grep -E 'State|Sig|Shd|ctxt' /proc/1/status; ps -eo pid,ppid,stat,wchan:20,args | awk '$2 != 2 && $1 != 2'"


class System:
    """PATH: a disk instead of WHICH's own; KEEP: what is written there stays. SAVED: a folder that save() filled."""

    def __init__(self, which="ours", words="", path=None, keep=False, saved=None):
        self.words, self.keep, self.saved = words, keep, saved
        self.path = saved + "/disk" if saved else path or disk.disk(which)
        self.process = None
        self.seen, self.count, self.at_shell = 0, 0, False

    def _argv(self, fds):
        con, ctl, mon, beat = fds
        kernel = image.kernel_image(image.kernel_tree())
        return ["qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-m", MEMORY, "-nodefaults", "-no-user-config", "-display", "none",
                "-icount", "shift=1,sleep=on", "-chardev", "socket,id=beat,fd=%d" % beat, "-mon", "chardev=beat,mode=readline",
                "-chardev", "socket,id=con,fd=%d" % con, "-serial", "chardev:con", "-chardev", "socket,id=ctl,fd=%d" % ctl, "-device", "virtio-serial-pci",
                "-device", "virtserialport,chardev=ctl,name=" + image.CONTROL, "-chardev", "socket,id=mon,fd=%d" % mon, "-mon", "chardev=mon,mode=control",
                "-drive", "file=%s,format=raw,if=none,id=drive,snapshot=%s,cache=unsafe" % (self.path, "off" if self.keep else "on"),
                "-device", "virtio-blk-pci,drive=drive,id=disk", "-kernel", kernel, "-initrd", disk.initrd(),
                "-append", " ".join((KERNEL_WORDS, image.GUEST_MARK, self.words)),
                *(("-incoming", "exec:cat " + shlex.quote(self.saved + "/memory")) if self.saved else ())]

    def __enter__(self):
        self.console, self.control, self.qmp, self.heartbeat = Line("console"), Control(), Monitor(), Heartbeat()
        channels = (self.console, self.control, self.qmp, self.heartbeat)
        fds = [channel.theirs.fileno() for channel in channels]
        self.stderr = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(self._argv(fds), pass_fds=fds, stdin=subprocess.DEVNULL, stdout=self.stderr, stderr=self.stderr,
                                            preexec_fn=die_with_parent)
            for channel in channels:
                channel.theirs.close()
            self.qmp.begin()
            if self.saved:
                self._resume()
        except BaseException:
            self._end()
            raise
        return self

    def save(self, folder):
        """Ends it so that a System(saved=folder) goes on from here; its disk must be folder/disk, and kept."""
        self.qmp.call("stop")
        self.qmp.call("migrate", uri="exec:cd %s && cat > part && mv part memory" % shlex.quote(folder))
        wait_until("the memory to be saved", lambda: os.path.exists(folder + "/memory"), DEADLINE)
        tap.equal(self.qmp.call("query-migrate")["status"], "completed", "saving the memory")
        with open(folder + "/console", "wb") as file:
            file.write(self.console.data)

    def _resume(self):
        with open(self.saved + "/console", "rb") as file:
            self.console.data += file.read()
        self.seen = len(self.console.data)
        wait_until("the memory to be read", lambda: self.qmp.call("query-status")["status"] == "paused", DEADLINE)
        self.qmp.call("cont")
        self.at_shell = self.control.ready = True

    def __exit__(self, kind, *_):
        try:
            if kind and not issubclass(kind, tap.Skip):
                tap.diag("console: " + self.console.tail(6000))
                self.stderr.seek(0)
                tap.diag("qemu: " + self.stderr.read().decode("utf-8", "replace"))
                self._ask_the_agent()
        finally:
            self._end()

    def _ask_the_agent(self):
        with contextlib.suppress(MachineError, OSError):
            if self.process.poll() is None and self.control.ready:
                tap.diag(self.run(DESCRIBE, 20, tap.CLEANUP_GRACE_S / 2))

    def run(self, command, timeout=120, deadline=DEADLINE):
        """What a shell says that the control agent runs."""
        if not self.control.ready:
            self.control.wait_ready(deadline)
        status, said = self.control.finish(self.control.start(command, timeout), deadline)
        return "%s%s" % (said.decode("utf-8", "replace"), "(status %d)" % status if status else "")

    def dismiss_agent(self):
        """No signal but KILL ends it, so that scripts that take the system down would wait for it."""
        self.status("pkill -KILL vmguest")
        self.control.ready = False

    def _end(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.console.close()
        self.control.ours.close()
        self.qmp.close()
        self.heartbeat.close()
        self.stderr.close()

    # ---------------------------------------------------------------------------- at the serial line

    def sees(self, pattern, deadline=DEADLINE):
        """Waits until PATTERN stands in what came out since the last thing that was seen."""
        found = self.console.wait_for(pattern, self.seen, deadline)
        self.seen += found.end()
        return found

    def type(self, text):
        self.console.send(text.encode())

    def login(self, deadline=DEADLINE):
        self.sees(disk.HOSTNAME.encode() + rb" login: ", deadline)
        self.type("root\n")
        self.sees(rb"Password: ")
        self.type(image.PASSWORD + "\n")
        self.shell()

    def shell(self):
        """At a shell's prompt: an answer shows that it is one."""
        self.sees(PROMPT)
        self.type("stty -echo; PS1= PS2=\n")
        self.sees(rb"PS2=\r*\n")
        self.status("true")
        self.at_shell = True

    def password(self):
        """Answers sulogin."""
        self.sees(rb"(?s)Give root password.*?: $")
        self.type(image.PASSWORD + "\n")
        self.shell()

    def status(self, command, deadline=DEADLINE):
        """-> (status, output). Others write on the line as well: what they say is in the output."""
        self.count += 1
        self.type("echo '<'%d'>'; { %s\n}; echo '<'/%d $?'>'\n" % (self.count, command, self.count))
        self.sees(rb"<%d>\r*\n" % self.count, deadline)
        start = self.seen
        found = self.sees(rb"</%d (\d+)>\r*\n" % self.count, deadline)
        text = bytes(self.console.data[start:self.seen - len(found.group(0))])
        return int(found.group(1)), text.decode("utf-8", "replace").replace("\r", "")

    def sh(self, command, deadline=DEADLINE):
        status, said = self.status(command, deadline)
        tap.equal(status, 0, "the status of %s, which said\n%s\n" % (command, said))
        return said

    def pids(self, command):
        """The numbers that it writes, each on a line of its own; the machine may say something between them."""
        return re.findall(r"(?m)^(\d+)$", self.sh(command))

    def until(self, command, what, deadline=DEADLINE):
        """Until COMMAND ends with 0; -> what it wrote."""
        def done():
            status, said = self.status(command)
            if status == 0:
                return said or " "
            time.sleep(0.3)
            return None
        return wait_until(what, done, deadline)

    # ------------------------------------------------------------------------------------ from outside

    def monitor(self, line):
        return self.qmp.command(line)

    def event(self, name, deadline=DEADLINE):
        """Waits for an event of QEMU's; -> its data."""
        self.qmp.ours.settimeout(deadline)
        try:
            while True:
                raw = self.qmp.reader.readline()
                if not raw:
                    raise MachineError("the machine is gone before " + name)
                message = json.loads(raw)
                if message.get("event") == name:
                    return message.get("data", {})
        except TimeoutError:
            raise MachineError("no %s within %d s" % (name, deadline)) from None

    def ends(self, deadline=DEADLINE):
        """Waits for the machine to be off."""
        reason = self.event("SHUTDOWN", deadline)["reason"]
        self.process.wait(60)
        return reason

    def resets(self, again=True, deadline=DEADLINE):
        """Waits for the machine to start anew; AGAIN: and for the kernel to be there."""
        reason = self.event("RESET", deadline)["reason"]
        self.at_shell = self.control.ready = False
        if again:
            self.sees(rb"initramfs: at ")
        return reason

    def detach_disk(self):
        """As if its cable had been pulled."""
        self.qmp.call("device_del", id="disk")
        self.event("DEVICE_DELETED")


def booted(which="ours"):
    """A system as it was when somebody had logged in."""
    name = "%s/%s-%s.saved" % (disk.PLACE, which, disk.state(__file__))
    made.whole(name, lambda folder: boot(which, folder))
    return System(words=AGENT, saved=name)


def boot(which, folder):
    for old in glob.glob(glob.escape(disk.PLACE) + "/%s-*.saved" % which):
        shutil.rmtree(old)
    path = folder + "/disk"
    image.run_quietly(["cp", "--sparse=always", disk.disk(which), path])
    with System(words=AGENT, path=path, keep=True) as s:
        s.login()
        s.control.wait_ready(DEADLINE)
        s.until("! pidof bootlogd", "the boot to be over")
        s.save(folder)


class Kept:
    """One life for several cases: `with kept.system() as s`. A failed case ends it, and the next one begins another; after a restart
    somebody logs in."""

    def __init__(self, which):
        self.which, self.running, self.entered = which, None, None
        atexit.register(self.end)

    @contextlib.contextmanager
    def system(self):
        if not self.running:
            self.running = booted(self.which)
            self.entered = contextlib.ExitStack()
            self.entered.enter_context(self.running)
        try:
            if not self.running.at_shell:
                self.running.login()
            yield self.running
        except BaseException as error:
            self.end(error)
            raise

    def end(self, error=None):
        if self.entered:
            self.entered.__exit__(type(error) if error else None, error, None)
        self.running = self.entered = None
