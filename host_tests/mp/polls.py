"""Polls at random intervals, with dropped ones, under a random load: booked against the chip's own count (EN-2).

Runs on CPython and MicroPython; `campaign(1_000_000)` takes about a minute.
"""

from boards.virtual.rng import Rng
from host_tests.mp.front_end import FrontEndRig

INTERVALS_US = (200, 1_000, 20_000, 90_000, 100_000, 100_000, 100_000, 110_000, 500_000, 3_000_000, 30_000_000)


def campaign(polls, seed=1):
    """Returns (error in counts, counts booked in magnitude, readings rejected, polls dropped)."""
    rig = FrontEndRig(seed=seed)
    rig.start()
    rng = Rng(seed, 9)
    booked = 0
    dropped = 0
    for n in range(polls):
        if n % 5 == 0:
            share = rng.below(2001) - 1000
            rig.drive(100 + rng.below(100), rng.below(118), share / 1000)
        limit = INTERVALS_US[rng.below(len(INTERVALS_US))]
        if limit < 15_000_000 and rng.below(20) == 0:
            dropped += 1
            rig.clock.sleep(1 + rng.below(limit))
        rig.run(1, 1 + rng.below(limit))
        booked += abs(rig.element.active)
    return rig.error(), booked, rig.element.rejected, dropped
