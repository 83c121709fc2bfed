#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A running stock init becomes ours, and ours becomes stock: no reboot, no child lost, nothing started twice."""
from upgrade import Upgrade, tap, wait_for


def begun(which, **options):
    return Upgrade(which, **options)


def ready(up):
    up.wait_mark("once")
    up.wait_getty("g1")
    up.wait_getty("g2")
    up.m.request(1, "A")
    up.wait_getty("de")


def nothing_ran_again(up):
    for word in ("sysinit", "once"):
        tap.equal(len(up.marked(word)), 1, "runs of the %s entry" % word)


@tap.case(deadline=180)
def stock_becomes_ours():
    with begun("stock") as up:
        ready(up)
        up.become("ours")
        up.kept("g1", "g2", "de")
        nothing_ran_again(up)
        tap.equal(len(up.marked("rc")), 1, "runs of rc")
        up.respawns("g1")
        up.respawns("de")
        up.enters("3")
        tap.equal(up.wait_mark("rc", 2)[-1], ["rc", "3", "2"], "the rc of level 3")
        up.kept("g2")


@tap.case(deadline=180)
def ours_becomes_stock():
    with begun("ours") as up:
        ready(up)
        up.become("stock")
        up.kept("g1", "g2", "de")
        nothing_ran_again(up)
        tap.equal(len(up.marked("rc")), 1, "runs of rc")
        up.respawns("g1")
        up.respawns("de")
        up.enters("3")
        tap.equal(up.wait_mark("rc", 2)[-1], ["rc", "3", "2"], "the rc of level 3")
        up.kept("g2")


tap.main()
