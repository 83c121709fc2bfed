#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""All interleavings of the queue's real code, in bounds; and that the checker sees what each part of it is for.

The checker is queue_model.c. A mutant is a copy of the sources with one or two places changed: the checker must find a
schedule in which it fails. With LONG=1 (make model-long) the bounds are wider, which takes minutes to hours.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import mutants  # noqa: E402
import tap      # noqa: E402

LONG = os.environ.get("LONG") == "1"
NEAR_WRAP = str((1 << 64) - 2)

# puts, kills, lingers, memory, where the counters start
SCENARIOS = [("3", "1", "0", "sc", "7"), ("3", "0", "1", "sc", NEAR_WRAP), ("2", "1", "0", "c11", NEAR_WRAP),
             ("3", "0", "0", "c11", "7")]
LONGER = [("4", "1", "0", "sc", "7"), ("3", "2", "1", "sc", NEAR_WRAP), ("3", "1", "0", "c11", NEAR_WRAP), ("2", "2", "1", "c11", "7"),
          ("4", "0", "0", "c11", "7"), ("5", "0", "0", "sc", NEAR_WRAP)]

CHECKSUM = ("queue", " && out->body.check == body_check(out)", "")
SECOND_LOOK = ("queue", "if (load_relaxed(&slot->stamp) != seq * 2 + 2)", "if (0)")
# Not among them: [put:B] and [take:B] without their order. All schedules hold then, too, since [put:C] and [take:A] order the same
# words; they are for who looks for the newest record without a head that can be believed.
MUTANTS = {
    "\"being written\" is seen after the words [put:A]":
        [CHECKSUM, ("queue", "store_release(&slot->word[i], it->word[i]);", "store_relaxed(&slot->word[i], it->word[i]);")],
    "the second look may be older than the words [take:C]":
        [CHECKSUM, ("queue", "for (unsigned i = 0; i < FIXED_WORDS; i++)\n\t\tout->word[i] = load_acquire(",
                    "for (unsigned i = 0; i < FIXED_WORDS; i++)\n\t\tout->word[i] = load_relaxed("),
         ("queue", "for (size_t i = FIXED_WORDS; i < count; i++)\n\t\tout->word[i] = load_acquire(",
          "for (size_t i = FIXED_WORDS; i < count; i++)\n\t\tout->word[i] = load_relaxed(")],
    "neither checksum nor second look": [CHECKSUM, SECOND_LOOK],
    "no stamp says \"being written\"": [CHECKSUM, ("queue", "store_relaxed(&slot->stamp, seq * 2 + 1);", "")],
    "the head is seen before the slots it covers [put:C]":
        [("queue", "store_ordered(&header->head, seq + 1);", "store_relaxed(&header->head, seq + 1);")],
    "the slots are read before the head [take:A]":
        [("queue", "head = load_acquire(&header->head);", "head = load_relaxed(&header->head);")],
    "the bell is looked at before the head is out [put:D]":
        [("queue", "store_ordered(&header->head, seq + 1);", "store_release(&header->head, seq + 1);")],
    "the head is looked at before \"asleep\" is out [wait:D]":
        [("queue", "store_ordered(&cursor->bell, BELL_ASLEEP);", "store_release(&cursor->bell, BELL_ASLEEP);")],
    "who goes to sleep does not look again":
        [("queue", "if (load_ordered(&queue->shared->header.head) == queue->seen[sink])", "if (1)")],
    "nobody is woken": [("queue", "store_relaxed(&cursor->bell, BELL_AWAKE);\n\tsys_futex_wake(&cursor->bell);",
                         "store_relaxed(&cursor->bell, BELL_AWAKE);")],
    "who rings leaves \"asleep\" in the bell":
        [("queue", "store_relaxed(&cursor->bell, BELL_AWAKE);\n\tsys_futex_wake(&cursor->bell);", "sys_futex_wake(&cursor->bell);")],
    "the bell says awake before it is rung":
        [("queue", "if (load_ordered(&cursor->bell) == BELL_AWAKE && ", "if (load_ordered(&cursor->bell) != BELL_AWAKE && ")],
    "one lost record too many is counted":
        [("queue", "out->lost = known ? out->ordinal - 1 - place.dealt : 0;", "out->lost = known ? out->ordinal - place.dealt : 0;")],
    "losses are not noted": [("queue", "place.next = record->seq;\n\tplace.dealt = record->ordinal - 1;\n\tplace.lost += record->lost;",
                              "place.next = record->seq;\n\tplace.dealt = record->ordinal - 1;")],
    "a delivery is not noted": [("queue", "place.dealt = record->ordinal;\n\tplace.delivered++;", "place.dealt = record->ordinal;")],
    "what was dealt with is offered again":
        [("queue", "place.next = record->seq + 1;\n\tplace.dealt = record->ordinal;", "place.next = record->seq;")],
    "more than the ring holds is looked for": [("queue", "head - QUEUE_SLOTS;", "head - QUEUE_SLOTS + 1;")],
    "a place is changed where it is in use":
        [("place", "unsigned idle = !(atomic_load_explicit(&pair->active, memory_order_relaxed) & 1);",
          "unsigned idle = atomic_load_explicit(&pair->active, memory_order_relaxed) & 1;")],
    "a place is in use before it is written":
        [("place", "\tit.place.check = place_check(&it);\n\tfor",
          "\tit.place.check = place_check(&it);\n\tatomic_store_explicit(&pair->active, idle, memory_order_release);\n\tfor"),
         ("place", "if (it.place.check != place_check(&it))\n\t\treturn false;", "")],
}


def build(where, changes=(), slots=2):
    """-> the checker of the sources with these changes."""
    return mutants.build(where, HERE + "/queue_model.c", ["-O2", "-U_FORTIFY_SOURCE", "-DQUEUE_BUILT_SLOTS=%d" % slots, "-DQUEUE_BUILT_TEXT=8"],
                         changes)


def check(program, scenario):
    """-> (holds, what it says)"""
    done = subprocess.run([program, *scenario], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tap.check(done.returncode in (0, 1), "the checker ran: status %d, %s" % (done.returncode, done.stdout))
    return done.returncode == 0, done.stdout.strip()


def holds(scenario, slots=2):
    with tempfile.TemporaryDirectory() as where:
        good, text = check(build(where, slots=slots), scenario)
    tap.diag(text)
    tap.check(good, "it holds in every schedule")


def is_found(changes):
    with tempfile.TemporaryDirectory() as where:
        program = build(where, changes)
        for scenario in [("1", "0", "0", "c11", "7"), ("2", "0", "0", "c11", "7"), ("3", "0", "0", "sc", "7"), ("2", "1", "0", "sc", "7"),
                         *SCENARIOS]:
            good, text = check(program, scenario)
            if not good:
                tap.diag("%s: %s" % (" ".join(scenario), text.splitlines()[0]))
                return
    raise tap.Failed("no scenario shows that it is wrong")


for bounds in SCENARIOS + (LONGER if LONG else []):
    tap.add("it holds for %s puts, %s kills, %s lingers, %s, from %s" % bounds, lambda it=bounds: holds(it), 36000 if LONG else 900)
if LONG:
    for bounds in (("5", "0", "0", "sc", "7"), ("3", "1", "0", "sc", "7"), ("2", "0", "0", "c11", "7")):
        tap.add("with four slots, for %s puts, %s kills, %s lingers, %s, from %s" % bounds, lambda it=bounds: holds(it, 4), 36000)
for what, places in MUTANTS.items():
    tap.add("not so, and found: " + what, lambda it=places: is_found(it), 900)

tap.main()
