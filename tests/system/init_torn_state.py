#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What an init before hands over is cut off, hostile, foreign or nothing at all: the machine is never booted again.

Stock takes what comes: without a text it boots afresh under the running services.
"""
from machine import CMD_RUNLVL
from upgrade import Upgrade, binary, tap, wait_for

# An "init before" that hands over what the test wrote: executed by ours for telinit u, it executes ours.
SENDER = r'''#!/usr/bin/python3
import os, sys
if "--version" in sys.argv:
    print("SysV init version: 3.06")
    sys.exit(0)
mode, text = open("/tmp/mode").read(), open("/tmp/text", "rb").read()
if mode == "none":
    os.close(11)            # the text of the init before this one
else:
    r, w = os.pipe()
    os.write(w, text[:8])
    if os.fork() == 0:
        os.close(r)
        try:
            rest = text[8:]
            while rest:
                rest = rest[os.write(w, rest):]
            if mode == "hang":
                import signal
                signal.pause()
        finally:
            os._exit(0)
    os.close(w)
    os.dup2(r, 11)
os.execv("/sbin/init.real", ["/sbin/init", "--init"])
'''
SIGNATURE = b"12567362"


class Handover(Upgrade):
    def began(self, exits):
        super().began(exits)
        self.wait_mark("once")
        self.wait_getty("g1")
        self.wait_getty("g2")
        self.m.write("/sbin/init.real", binary("ours"), 0o755)

    def text(self, end=True):
        """As stock writes it, of this machine."""
        def entry(ident, levels, action, process, pid=0, flags=()):
            marks = "".join("FL %s\n" % f for f in (("RU",) if pid else ()) + tuple(flags))
            return "REC%s\nLEV%s\n%sPID%d\nEXS0\nAC %s\nCMD%s\nEOR\n" % (ident, levels, marks, pid, action, process)
        return SIGNATURE + ("VER@(#) init 3.06\n-RL2\n-TL2\n-PLN\n-SI0\n-WR1\n-WU1\n-ST3\n-DB1\n" +
            entry("ca", "S0123456789", "ctrlaltdel", "/tmp/mark ctrlaltdel", 0, ["XD"]) +
            entry("si", "#", "sysinit", "/tmp/mark sysinit") +
            entry("l2", "2", "wait", "/tmp/mark rc", 0, ["XD"]) + entry("l3", "3", "wait", "/tmp/mark rc") +
            entry("g1", "2345", "respawn", "/tmp/getty g1", self.gettys("g1")[0], ["XD"]) +
            entry("g2", "23", "respawn", "/tmp/getty g2", self.gettys("g2")[0], ["XD"]) +
            entry("on", "2", "once", "/tmp/mark once", 0, ["XD"]) + ("END\n" if end else "")).encode()

    def hand_over(self, text, mode="text"):
        before = self.reloads()
        self.m.write("/tmp/text", text)
        self.m.write("/tmp/mode", mode)
        self.m.write("/sbin/init", SENDER, 0o755)
        self.ask()
        wait_for(lambda: self.reloads() > before, "ours to come up")
        self.m.promptness()
        self.m.write("/sbin/init", binary("ours"), 0o755)
        self.serves()

    def boots_nothing(self):
        for word in ("sysinit", "once", "rc"):
            tap.equal(len(self.marked(word)), 1, "runs of the %s entry" % word)

    def works(self):
        wait_for(lambda: self.m.title() == "init [2]", "level 2")
        self.boots_nothing()
        for getty in self.gettys("g1")[:1] + self.gettys("g2")[:1]:
            tap.check(self.runs(getty), "a getty that ran runs")
        self.respawns("g1")
        self.enters("3")
        tap.equal(self.wait_mark("rc", 2)[-1], ["rc", "3", "2"], "the rc of level 3")
        wait_for(lambda: not self.m.zombies(), "the dead to be reaped")

    def is_incomplete(self):
        wait_for(lambda: any("incomplete" in text for text in self.m.syslog.texts()), "what is missing to be said")


@tap.case(deadline=120)
def what_is_whole_is_taken():
    with Handover("ours") as up:
        up.hand_over(up.text())
        up.kept("g1", "g2")
        up.works()


def cut(share):
    with Handover("ours") as up:
        text = up.text()
        up.hand_over(text[:8 + int((len(text) - 9) * share)])
        up.is_incomplete()
        up.works()


for percent in (0, 5, 35, 70, 99):
    tap.add("a text that is cut after %d percent is no boot" % percent, lambda share=percent / 100: cut(share), 120)


@tap.case(deadline=120)
def a_wrong_signature_is_no_boot():
    with Handover("ours") as up:
        up.hand_over(b"12567363" + up.text()[8:])
        up.is_incomplete()
        up.works()


@tap.case(deadline=120)
def nothing_at_all_is_no_boot():
    with Handover("ours") as up:
        up.hand_over(b"", "none")
        up.is_incomplete()
        up.works()


@tap.case(deadline=180)
def ten_megabytes_of_nonsense_are_no_boot():
    with Handover("ours") as up:
        up.hand_over(SIGNATURE + b"REC\xff\xfe\nPID99999999999\nEOR\n" * 400000)
        up.is_incomplete()
        up.works()


@tap.case(deadline=180)
def bad_numbers_and_the_pids_of_others_are_said_and_the_rest_is_taken():
    with Handover("ours") as up:
        text = up.text().replace(b"-ST3", b"-STx").replace(b"-DB1", b"-DB99999999999")
        text = text.replace(b"RECon\n", b"RECaa\nLEV2345\nFL RU\nPID-7\nEXSx\nAC once\nCMDx\nEOR\n"
                            b"RECbb\nLEV2345\nFL RU\nPID1\nEXS0\nAC once\nCMDx\nEOR\n"
                            b"RECcc\nLEV2345\nFL RU\nPID999999\nEXS0\nAC once\nCMDx\nEOR\nRECon\n")
        up.hand_over(text)
        up.kept("g1", "g2")
        for said in ("-ST: no number", "aa: runs without a pid", "bb: runs without a pid", 'Id "cc": pid 999999 has ended unseen'):
            wait_for(lambda: any(said in line for line in up.m.syslog.texts()), "%r to be said" % said)
        up.works()


@tap.case(deadline=180)
def a_writer_that_stops_in_the_middle_holds_up_no_reaping():
    with Handover("ours") as up:
        up.hand_over(up.text(end=False), "hang")
        up.m.request(CMD_RUNLVL, "q")
        for _ in range(5):
            tap.check(up.m.promptness() < 1, "an orphan is reaped at once meanwhile")
        up.is_incomplete()
        up.kept("g1", "g2")
        up.works()


tap.main()
