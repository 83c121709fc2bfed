#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures this init against the stock one and against other inits, in the same run, each as pid 1 of a machine of name spaces.

    python3 tests/bench/bench.py            everything; writes doc/BENCHMARKS.md
    python3 tests/bench/bench.py NAME...    these alone, printed only; with --write before them, written, too

Each bench runs in a process of its own with a time limit; what a limit cost is named in the table. Processor times are the
scheduler's own of pid 1 (/proc/PID/schedstat). What counts are the ratios: the machine's speed drifts, single figures mean little.
"""
import collections
import datetime
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE]
import measure          # noqa: E402
import debian           # noqa: E402
import kernel           # noqa: E402
import levels           # noqa: E402
import lines            # noqa: E402
import memory           # noqa: E402
import peers            # noqa: E402
import storms           # noqa: E402
import subjects         # noqa: E402
import tools            # noqa: E402

Bench = collections.namedtuple("Bench", "work limit_s")
BENCHES = {
    "reaping": Bench(storms.bench_reaping, 300), "lines": Bench(lines.bench_lines, 90), "memory": Bench(memory.bench_memory, 30),
    "levels": Bench(levels.bench_levels, 90), "peers": Bench(peers.bench_peers, peers.LIMIT_S),
    "scaling": Bench(storms.bench_scaling, 240), "records": Bench(tools.bench_records, 120), "crowd": Bench(tools.bench_crowd, 180),
    "broadcast": Bench(tools.bench_broadcast, 120), "debian": Bench(debian.bench_debian, 600)}
LIMIT_S = 1440       # for all of them


def child_main(name):
    """A line of JSON for each row, as soon as it is known."""
    kernel.die_with_parent(os.getppid())
    for row in BENCHES[name].work():
        print(json.dumps([type(row).__name__, row]), flush=True)
    return 0


def read_lines(fd, end):
    """What comes until the other end closes or the time is over; then (None)."""
    poll, rest = select.poll(), b""
    poll.register(fd, select.POLLIN)
    while True:
        if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
            yield None
            return
        data = os.read(fd, 65536)
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        yield from whole


def run(name, end):
    """-> (rows, why there are no more: "" when there need not be)"""
    rows, missing, began = [], "", time.monotonic()
    end = min(end, began + BENCHES[name].limit_s)
    if end - began < 1:
        return [], "no time was left for it"
    with subprocess.Popen([sys.executable, os.path.abspath(__file__), "--child", name], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, start_new_session=True) as child:
        try:
            for line in read_lines(child.stdout.fileno(), end):
                if line is None:
                    missing = "%d s were not enough for all of it" % (end - began)
                    break
                kind, values = json.loads(line)
                rows.append(getattr(measure, kind)(*values))
                print(" | ".join(map(str, rows[-1])), flush=True)
        finally:
            if missing or sys.exc_info()[0]:
                os.killpg(child.pid, signal.SIGKILL)        # our own; its machines end with it
    if not missing and child.returncode:
        missing = "it failed"
    print("-- %s: %.0f s%s" % (name, time.monotonic() - began, missing and ", " + missing), flush=True)
    return rows, missing


def machine_line():
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*:\s*(.*)$", file.read(), re.M)
    return "%s, %d processors, Linux %s" % (model.group(1) if model else "unknown processor", os.cpu_count(),
                                            os.uname().release.split("-")[0])


def load_line():
    one, five, _ = os.getloadavg()
    line = "Load average at the start: %.1f (one minute), %.1f (five)." % (one, five)
    return line + (" **The machine was busy with other things: take the ratios with care.**" if max(one, five) > 1.5 else "")


def number(value, digits):
    return "{:,.{}f}".format(value, digits)


def stock_row(row):
    ratio = "%.3f" % (row.ours / row.stock) if row.stock else "-"
    return "| %s | %s | %s | %s | %s | %s |" % (row.what, row.unit, number(row.ours, row.digits), number(row.stock, row.digits),
                                                ratio, row.goal)


def peer_table(rows):
    """Each cell with its ratio to ours, where both are numbers."""
    ours = next(row for row in rows if row.name == "ours")
    lines_ = ["| init | " + " | ".join(peers.MEASURES) + " |", "|---" * (len(peers.MEASURES) + 1) + "|"]
    for row in rows:
        cells = []
        for mine, value in zip(ours.cells, row.cells):
            text = value if isinstance(value, str) else number(value, 2 if value < 20 and value != int(value) else 0)
            if row is not ours and mine and not isinstance(mine, str) and not isinstance(value, str):
                text += " (%.2f)" % (value / mine)
            cells.append(text)
        lines_.append("| %s | %s |" % (row.name, " | ".join(cells)))
    return lines_


HEAD = """# Measured

Written by `make bench` on %s: %s.
%s

## Against the stock init

Both inits as pid 1 of a machine of name spaces, in turn; stock is Debian's sysvinit-core of that machine's release. Medians of
several rounds; the ratio is ours to stock, the goal what it should not exceed. Where a row names another program as stock, the
stock column is that one's.

| what | unit | ours | stock | ratio | goal |
|---|---|---|---|---|---|
%s
"""
PEERS = """
## Beside other inits

Each as pid 1 of such a machine with one program to run, from Debian's packages of that release; in brackets the ratio to ours.
`floor` is a program that does nothing but `waitpid`: what the kernel takes for an orphan.

%s

* **orphan, CPU**: of pid 1, batches of 4,000. **orphans/s** and **worst wait**: %s orphans fall to pid 1 at once while others die one by
  one; how soon the storm is over, and how long the unluckiest of those others lay dead.
* **syslogd stopped**, **console stuck**: the same wait after `/dev/log` is no longer read, or the console takes no more, and the init
  was made to say something (sysvinit: 200 bad requests; busybox, finit: six deaths of the service; the rest has nothing to
  say while it runs). `> %d`: not reaped when we stopped waiting.
* **Rss, Pss, private**: pid 1 and the helpers that are the same program. Ours keeps its memory locked. **wake-ups**: of the same processes.
* **exec to child**: from the execution of the init to the first instruction of the payload (runit: its first stage; s6-svscan:
  by way of s6-supervise; openrc-init: in place of openrc(8)).
* None of them may mount, and each has an empty network of its own.
"""


def table(rows, missing):
    text = HEAD % (datetime.date.today(), machine_line(), load, "\n".join(stock_row(r) for r in rows if isinstance(r, measure.Row)))
    beside = [row for row in rows if isinstance(row, measure.Peer)]
    if beside:
        text += PEERS % ("\n".join(peer_table(beside)), number(peers.STORM, 0), peers.LIMIT_MS)
    if missing:
        text += "\nNot measured in this run: %s.\n" % "; ".join("%s (%s)" % item for item in missing.items())
    return text


def main(arguments):
    if arguments[:1] == ["--child"]:
        return child_main(arguments[1])
    writes = not arguments or arguments[0] == "--write"
    names = [name for name in arguments if name != "--write"] or list(BENCHES)
    rows, missing = [], {name: "not asked for" for name in BENCHES if name not in names}
    if "peers" in names:
        subjects.fetch_all()
    end = time.monotonic() + LIMIT_S
    for name in names:
        more, why = run(name, end)
        rows += more
        if why:
            missing[name] = why
    if writes:
        with open(TOP + "/doc/BENCHMARKS.md", "w") as file:
            file.write(table(rows, missing))
    return 0


if __name__ == "__main__":
    load = load_line()
    sys.exit(main(sys.argv[1:]))
