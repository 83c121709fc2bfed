#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The queue's real code under ThreadSanitizer, its counters starting just below their wraps; and that it complains of a queue
whose order is weaker.

The program is queue_stress.c; a mutant is a copy of the sources with some orders made relaxed. One pair of orders often covers for
another, so what is relaxed is all that orders the same words.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
import mutants  # noqa: E402
import tap      # noqa: E402

LINKED = [os.path.join(TOP, "src/lib/%s.c" % name) for name in ("sys", "clock", "num")]
COMPLAINT = 66          # the sanitizer's status
SMALL = ("-DQUEUE_BUILT_SLOTS=4", "-DQUEUE_BUILT_TEXT=24")
FEW, MANY = 5000, 30000
HEAD_WRAPS, STAMP_WRAPS, ORDINAL_WRAPS = (1 << 64) - 3, (1 << 63) - 3, (1 << 64) - 3

MUTANTS = {
    "the head is seen before the slots it covers [put:C]":
        [("queue", "store_ordered(&header->head, seq + 1);", "store_relaxed(&header->head, seq + 1);")],
    "the slots are read before the head [take:A]":
        [("queue", "head = load_acquire(&header->head);", "head = load_relaxed(&header->head);")],
    "nothing in a slot is seen after what was before it [put:A] [put:B]":
        [("queue", "store_release(&slot->word[i], it->word[i]);", "store_relaxed(&slot->word[i], it->word[i]);"),
         ("queue", "store_release(&slot->stamp, seq * 2 + 2);", "store_relaxed(&slot->stamp, seq * 2 + 2);")],
    "nothing in a slot is read before what comes after it [take:B] [take:C]":
        [("queue", "#define load_acquire(at) atomic_load_explicit(at, memory_order_acquire)",
          "#define load_acquire(at) atomic_load_explicit(at, memory_order_relaxed)"),
         ("queue", "head = load_acquire(&header->head);", "head = load_ordered(&header->head);")],
    "a place's words have no order of their own [place:A]":
        [("place", "[i], it.word[i], memory_order_release);", "[i], it.word[i], memory_order_relaxed);")],
    "a place's words are read in no order of their own [place:B]":
        [("place", "&pair->copy[which][i], memory_order_acquire);", "&pair->copy[which][i], memory_order_relaxed);")],
}


def build(where, options=(), changes=()):
    """-> the program, of the sources with these changes."""
    return mutants.build(where, HERE + "/queue_stress.c", ["-O1", "-g", "-fsanitize=thread", *options, *LINKED, "-lpthread"], changes)


def run(program, *numbers):
    """-> (status, what it says)"""
    done = subprocess.run([program, *map(str, numbers)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=dict(os.environ, TSAN_OPTIONS="halt_on_error=1 exitcode=%d" % COMPLAINT))
    return done.returncode, done.stdout


def holds(puts, seq, ordinal, options):
    with tempfile.TemporaryDirectory() as where:
        status, text = run(build(where, options), puts, seq, ordinal, 1)
    tap.diag(text)
    tap.equal(status, 0, "the program's status")
    tap.check(" 0 kills" not in text, "each helper was killed now and then")


def is_found(changes):
    with tempfile.TemporaryDirectory() as where:
        program = build(where, SMALL, changes)
        for seed in range(1, 21):
            status, text = run(program, MANY, HEAD_WRAPS, ORDINAL_WRAPS, seed)
            if status:
                break
    tap.equal(status, COMPLAINT, "the sanitizer's status; the program says\n" + text)
    tap.diag(next(line for line in text.splitlines() if line.startswith("SUMMARY")))


for bounds in ((MANY, HEAD_WRAPS, ORDINAL_WRAPS, SMALL), (MANY, STAMP_WRAPS - MANY // 2, ORDINAL_WRAPS - MANY // 4, SMALL),
               (FEW, HEAD_WRAPS, ORDINAL_WRAPS, ()), (FEW, STAMP_WRAPS, 0, ())):
    tap.add("the sanitizer sees nothing in %d puts from %d and %d, built with %r" % (*bounds[:3], " ".join(bounds[3])),
            lambda it=bounds: holds(*it), 400)
for what, places in MUTANTS.items():
    tap.add("not so, and seen: " + what, lambda it=places: is_found(it), 400)

tap.main()
