# SPDX-License-Identifier: GPL-2.0-or-later
"""What `strace -f -o FILE` writes.

whole_calls(text)   its lines without the pids, each call whole and where it began: strace cuts one in two when another process comes between
"""
import re

LINE = re.compile(r"(?:(\d+) +)?(.*)")
RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
UNFINISHED = " <unfinished ...>"


def whole_calls(text):
    calls, begun = [], {}
    for line in text.splitlines():
        pid, call = LINE.match(line).groups()
        resumed = RESUMED.match(call)
        if resumed and pid in begun:
            calls[begun.pop(pid)] += resumed.group(1)
        elif call.endswith(UNFINISHED):
            begun[pid] = len(calls)
            calls.append(call[:-len(UNFINISHED)])
        else:
            calls.append(call)
    return calls
