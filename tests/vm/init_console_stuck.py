#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A console that takes nothing, as only a real kernel has it: pid 1 goes on with its work, and what
it said is delivered in order or counted as lost."""
import re

import proof
import vm
from vm import tap

boot = vm.Shared(files=proof.FILES)
QUEUE_LINES = 512       # more than the queue of messages holds is lost, and said so


def begin(m):
    m.wait("the respawn entry runs", "test -s /run/rs.pid")
    if not m.watching:
        m.watch()
    return proof.Table(m)


def background(m, command, out):
    m.check(f"{command} </dev/null >{out} 2>&1 & echo $! > {out}.pid")


def console_helper(m):
    """Its pid; 0 when this init has none."""
    found = re.findall(r"^\s*(\d+) (?:\{init-log\} )?init \[log: console\]", m.check("ps -o pid,args"), re.M)
    return int(found[0]) if found else 0


@tap.case(deadline=400)
def a_console_redirected_to_a_pty_that_nobody_drains_harms_nothing():
    with boot.machine() as m:
        table = begin(m)
        background(m, "vmguest redirect", "/run/redirect")
        m.wait("the redirection", "grep redirected /run/redirect")
        mark = m.console.mark()
        table.say(100)
        proof.unharmed(m, table)
        table.say(100)
        proof.unharmed(m, table)
        tap.equal(m.console.since(mark), b"", "what the console line showed meanwhile")
        m.check("kill -9 $(cat /run/redirect.pid)")
        table.say(1)
        proof.Numbers(m, mark, 1).judge(table.numbered, others=20)
        proof.unharmed(m, table)


@tap.case(deadline=600)
def a_stopped_serial_console_in_its_last_close_harms_nothing_for_its_30_seconds():
    with boot.machine() as m:
        table = begin(m)
        mark = m.console.mark()
        background(m, f"vmguest lastclose /dev/ttyS0 {console_helper(m)}", "/run/close")
        m.wait("the line is open", "grep open /run/close")
        m.console.send(b"\x13")
        m.wait("the line is stopped", "grep stopped /run/close")
        rounds, respawned = 0, m.check("cat /run/rs.pid").strip()
        m.check(f"kill -9 {respawned}")
        while b"closed after" not in m.read("/run/close"):
            table.say(10)
            proof.quick_orphan(m)
            m.check("sleep 0.5")        # of the guest's time, which work makes dear
            rounds += 1
        took = int(re.search(rb"closed after (\d+) ms", m.read("/run/close")).group(1))
        tap.diag(f"the last close took {took} ms, {rounds} rounds meanwhile")
        tap.check(took >= 20000, "the close was the last one, and waited for the line")
        tap.check(rounds > 10, "telinit q was answered all the while")
        m.console.send(b"\x11")
        m.wait("the respawn entry is back", f"test $(cat /run/rs.pid) != {respawned}")
        table.say(1)
        proof.Numbers(m, mark, 1).judge(table.numbered, others=30)
        proof.unharmed(m, table)


@tap.case(deadline=400)
def a_serial_console_stopped_with_control_s_harms_nothing():
    with boot.machine() as m:
        table = begin(m)
        mark = m.console.mark()
        background(m, "sleep 1000000 >/dev/ttyS0", "/run/open")
        m.console.send(b"\x13")
        table.say(2 * QUEUE_LINES)
        proof.unharmed(m, table)
        table.say(2 * QUEUE_LINES)
        proof.unharmed(m, table)
        tap.check(not proof.Numbers(m, mark, 1).arrived(table.numbered), "the line was stopped")
        m.console.send(b"\x11")
        table.say(1)
        proof.Numbers(m, mark, 1).judge(table.numbered, others=30)
        m.check("kill $(cat /run/open.pid)")
        proof.unharmed(m, table)


@tap.case(deadline=400)
def a_serial_console_whose_far_end_takes_nothing_harms_nothing():
    with boot.machine() as m:
        table = begin(m)
        mark = m.console.mark()
        m.console.stall()
        table.say(2 * QUEUE_LINES)
        proof.unharmed(m, table)
        tap.check(not proof.Numbers(m, mark, 1).arrived(table.numbered), "the line was stalled")
        m.console.resume()
        table.say(1)
        proof.Numbers(m, mark, 1).judge(table.numbered, others=30)
        proof.unharmed(m, table)


tap.main()
