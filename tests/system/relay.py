# SPDX-License-Identifier: GPL-2.0-or-later
"""bootlogd in a name space machine: what does not need the kernel's redirection, which no name space keeps apart (that is in
tests/vm). Preloaded, tioccons.c says which terminal the console would have been redirected to; the tests write there.

    with Scene() as scene:
        process = scene.start("-c")             # redirected when this returns
        scene.say("text\n")
        scene.logged("text"); scene.shown("text")
        ended(process)                          # by SIGTERM, as it should
"""
import atexit
import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel
from machine import SHELL_ENV, Machine, subject, tap, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
LOG, SLAVE = "/run/boot.log", "/run/redirected"


@functools.cache
def preloaded():
    with tempfile.TemporaryDirectory() as folder:
        out = folder + "/tioccons.so"
        subprocess.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", out,
                        HERE + "/tioccons.c", "-ldl"], check=True)
        with open(out, "rb") as file:
            return file.read()


class Scene:
    """A machine whose kernel command line names its console; bootlogd is started by start()."""

    def __init__(self, console=True, prepare=None):
        self.use_console, self.prepare = console, prepare
        self.program, self.since = "/sbin/bootlogd", 0

    def __enter__(self):
        self.m = Machine(subject())
        self.m.__enter__()
        try:
            if self.prepare:
                self.prepare(self.m)
            self.m.write("/run/tioccons.so", preloaded(), 0o755)
            self.command_line("console=%s quiet\n" % (self.m.console.node[5:] if self.use_console else "null"))
            self.m.call(lambda: kernel.mount("/run/cmdline", "/proc/cmdline", None, kernel.MS_BIND))
        except BaseException:
            self.m.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *why):
        return self.m.__exit__(*why)

    def command_line(self, text):
        with open(self.m.path("/run") + "/cmdline", "w") as file:      # in place: the kernel's file is bound to it
            file.write(text)

    env = {**SHELL_ENV, "LD_PRELOAD": "/run/tioccons.so", "TIOCCONS_FILE": SLAVE}

    def start(self, *args, log=LOG, stdin=None):
        """In the foreground, redirected when this returns."""
        process = self.m.spawn([self.program, "-d", "-l", log, *args], stdin, env=self.env)
        wait_for(lambda: self.m.exists(SLAVE) and self.m.read(SLAVE), "the redirection")
        return process

    def say(self, text, deadline=60):
        """Writes to what the console is redirected to, by a process that waits as a script would."""
        slave = self.m.read(SLAVE).strip()

        def write():
            with open(slave, "wb", buffering=0) as file:
                left = text.encode("latin-1")
                while left:
                    left = left[file.write(left):]
        tap.equal(self.m.spawn(write).wait(deadline), 0, "the end of who writes to the console")

    def log(self, path=LOG):
        return self.m.read(path) if self.m.exists(path) else ""

    def logged(self, text, path=LOG):
        wait_for(lambda: text in self.log(path), "%r in the log" % text, 60)

    def on_console(self):
        """What has come there since the case began."""
        return self.m.console.text()[self.since:]

    def shown(self, text):
        wait_for(lambda: text in self.on_console(), "%r on the console" % text, 60)

    def writers(self, comm):
        return [p.pid for p in self.m.processes() if p.comm == comm and p.state not in "ZX"]


class Shared:
    """One machine for several cases; a failed case ends it, and the next has another."""

    def __init__(self):
        self.scene = None
        atexit.register(self.end)

    @contextlib.contextmanager
    def use(self):
        if not self.scene:
            self.scene = Scene().__enter__()
        with contextlib.ExitStack() as on_failure:
            on_failure.push(self.end)
            self.clear()
            yield self.scene
            on_failure.pop_all()

    def clear(self):
        def remove():
            for path in (LOG, LOG + "~", LOG + ".0", SLAVE, "/run/pid", "/run/fifo", "/run/go", "/run/boot.late"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
        self.scene.m.call(remove)
        self.scene.since = len(self.scene.m.console.text())

    def end(self, *why):
        if self.scene:
            self.scene.__exit__(*(why or (None, None, None)))
        self.scene = None


def ended(process):
    process.kill(signal.SIGTERM)
    tap.equal(process.wait(60), 0, "the status when it was told to end")
