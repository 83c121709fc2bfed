#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random inittabs and random sequences of requests: what comes of them is the same under the stock init and under ours.

SEED=N begins there; SEQUENCES=N runs so many (make levels: a thousand, from a random seed). Without either it is always the same few.
"""
import os
import random

from sequences import Differs, Pair, tap

SHORT, SHORT_SEED, IN_A_MACHINE = 16, 1109780343, 8
SEQUENCES = int(os.environ.get("SEQUENCES") or SHORT)
SEED = int(os.environ.get("SEED") or SHORT_SEED)


@tap.case(deadline=300 + 60 * SEQUENCES)
def random_sequences_of_requests_come_to_the_same_as_under_stock():
    tap.diag("SEED=%d" % SEED)
    done, steps, turn, differences = 0, 0, 0, 0
    while done < SEQUENCES:
        seed = SEED + turn
        turn += 1
        try:
            with Pair(random.Random(seed)) as pair:
                for _ in range(min(IN_A_MACHINE, SEQUENCES - done)):
                    done += 1
                    steps += pair.sequence()
            tap.diag("SEED=%d: the same after %d sequences" % (seed, done))
        except Differs as difference:
            differences += 1
            tap.diag("SEED=%d SEQUENCES=%d: %s" % (seed, IN_A_MACHINE, difference))
    tap.diag("%d sequences, %d steps, %d tables to boot with" % (done, steps, turn))
    tap.equal(differences, 0, "sequences in which the two differ")


tap.main()
