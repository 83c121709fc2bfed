#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A bad line of the inittab is named and stops none of the others: in the words of stock, which drops long lines,
reads one entry of a file in inittab.d, and echoes that."""
import re

from machine import Machine, tap, wait_for

HEAD = "id:3:initdefault:\n~~:S:wait:/bin/true\nfrst:3:wait:echo first >/tmp/first\n"
TAIL = "last:3:once:echo last >/tmp/last\n"
NAMED = re.compile(r"/etc/inittab(?:\.d/[^\[]*)?\[(\d+)\]: ")

SAME_AS_STOCK = [
    ":3:wait:a",                        # missing id field
    "a1", "a1:",                        # missing action field
    "a1:3", "a1:3::a",                  # missing action field
    "a1:3:wait",                        # missing process field
    "12345:3:wait:a",                   # id field too long
    "a1:012345678901:wait:a",           # rlevel field too long
    "a1:3:" + "a" * 33 + ":b",          # action field too long
    "a1:3:" + "a" * 32 + ":b",          # unknown action field
    "a1:3:wAitt:a", "a1:3: wait:a",
    "frst:3:wait:a",                    # duplicate ID field
    # Of several faults the same one is named.
    ":", "::", ":::", ":::a", ":3:", "a1:3:", "12345:", "12345:3", "12345:3:nosuch:a", ":012345678901:wait:a", "a1:012345678901",
    "12345:012345678901:nosuch:a", "a1:012345678901:" + "a" * 33, "12345:012345678901:" + "a" * 33 + ":b",
]


def messages(which, tab, files=()):
    """What an init says of its inittab at boot, once the last entry has run."""
    with Machine(which) as machine:
        machine.write("/etc/inittab", tab)
        for name, text in dict(files).items():
            machine.write("/etc/inittab.d/" + name, text)
        machine.syslog.start()
        machine.boot()
        wait_for(lambda: machine.exists("/tmp/last"), "the last entry to run")
        tap.check(machine.exists("/tmp/first"), "the first entry ran")
        wait_for(lambda: "Entering runlevel: 3" in machine.console.lines(), "the level to be entered")
        wait_for(lambda: "Entering runlevel: 3" in machine.syslog.texts(), "syslog to hear of it")
        said = [line for line in machine.console.lines() if NAMED.match(line)]
        tap.equal([text for text in machine.syslog.texts() if NAMED.match(text)], said, "what syslog has")
        return said


@tap.case(deadline=120)
def each_kind_of_bad_line_is_named_as_stock_names_it():
    tab = HEAD + "".join(line + "\n" for line in SAME_AS_STOCK) + TAIL
    ours, wanted = messages("ours", tab), messages("stock", tab)
    tap.equal(len(ours), len(SAME_AS_STOCK), "number of lines named")
    for found, stock, line in zip(ours, wanted, SAME_AS_STOCK):
        tap.equal(found, stock, "what is said of " + line)


@tap.case(deadline=120)
def long_lines_and_nul_bytes_are_named_and_4095_bytes_are_taken():
    long = "lng:3:wait:echo long >/tmp/long #"
    tab = (HEAD + long + "x" * (4095 - len(long)) + "\n" + "over:3:wait:" + "x" * 5000 + "\n"
           + "nul:3:wait:echo \0\n" + "dos:3:wait:echo dos >/tmp/dos\r\n" + TAIL)
    with Machine("ours") as machine:
        machine.write("/etc/inittab", tab)
        machine.boot()
        wait_for(lambda: machine.exists("/tmp/last"), "the last entry to run")
        for name in ("first", "long"):
            tap.check(machine.exists("/tmp/" + name), "the entry %s ran" % name)
        tap.equal(machine.read("/tmp/dos"), "dos\n", "what the line with CR LF wrote")
        wait_for(lambda: "Entering runlevel: 3" in machine.console.lines(), "the level to be entered")
        tap.equal([line for line in machine.console.lines() if NAMED.match(line)],
                  ["/etc/inittab[5]: line too long (max 4095 bytes)", "/etc/inittab[6]: NUL byte in line"],
                  "what is said of the lines")


@tap.case(deadline=120)
def every_line_of_inittab_d_counts_and_is_named_with_its_file():
    files = {
        "20.tab": "c1:3:wait:echo c1 >>/tmp/order\nc2:3:wait:echo c2 >>/tmp/order\n",
        "10.tab": "# two entries\nb1:3:wait:echo b1 >>/tmp/order\n\nb2:3:nope:x\nb3:3:wait:echo b3 >>/tmp/order",
        "10.tab~": "d1:3:wait:echo d1 >>/tmp/order\n",
        "30.tab": TAIL,
    }
    said = messages("ours", HEAD + "a1:3:wait:echo a1 >>/tmp/order\n", files)
    tap.equal(said, ["/etc/inittab.d/10.tab[4]: nope: unknown action field"], "what is said of the lines")


@tap.case(deadline=120)
def the_entries_of_inittab_d_run_behind_those_of_inittab_in_the_order_of_names():
    files = {
        "20.tab": "c1:3:wait:echo c1 >>/tmp/order\n",
        "10.tab": "b1:3:wait:echo b1 >>/tmp/order\nb2:3:wait:echo b2 >>/tmp/order\n",
        "30.tab": TAIL,
    }
    with Machine("ours") as machine:
        machine.write("/etc/inittab", HEAD + "a1:3:wait:echo a1 >>/tmp/order\n")
        for name, text in files.items():
            machine.write("/etc/inittab.d/" + name, text)
        machine.boot()
        wait_for(lambda: machine.exists("/tmp/last"), "the last entry to run")
        tap.equal(machine.read("/tmp/order").split(), ["a1", "b1", "b2", "c1"], "the order of running")


@tap.case(deadline=120)
def a_hundred_bad_lines_are_named_64_times_and_counted():
    with Machine("ours") as machine:
        machine.write("/etc/inittab", HEAD + "bad\n" * 100 + TAIL)
        machine.boot()
        wait_for(lambda: machine.exists("/tmp/last"), "the last entry to run")
        wait_for(lambda: "Entering runlevel: 3" in machine.console.lines(), "the level to be entered")
        lines = machine.console.lines()
        tap.equal(sum(bool(NAMED.match(line)) for line in lines), 64, "lines named one by one")
        tap.check("36 more bad lines, the first of them is /etc/inittab[68]" in lines, "the others are counted")


tap.main()
