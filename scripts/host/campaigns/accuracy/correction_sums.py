"""Corrections in software over very many measuring cycles: the sum booked is the exact rational one, to the count.

That it stays so for any number of cycles follows from the way it is made: each cycle adds active * gain + reactive *
phase to a remainder in 2^-20 counts, gives out whole counts and keeps the rest, so that what was given out and the rest
are the exact sum at every moment, and the rest is below a count. Here that is tried: random loads, slices, export,
currents and temperatures, all in the RP2040's small integers.
"""

import random
import time
from typing import Any

from openkh.metrology.correction import (
    GAIN,
    LEAD_MOST,
    LEAD_TEMPCO_MOST,
    PHASE,
    RATIO_MOST,
    TEMPCO_MOST,
    UNITY,
    ZERO,
    Correction,
    corrected,
    prepare,
)
from openkh.model import Model

CHANGE = 50  # cycles between changes of current, temperature and load
NEW = 20_000  # cycles between new corrections

Row = tuple[str, Any, str]


class _Wanted:
    def __init__(self, draw: random.Random) -> None:
        self.tempco = draw.randint(-TEMPCO_MOST, TEMPCO_MOST)
        self.lead_tempco = draw.randint(-LEAD_TEMPCO_MOST, LEAD_TEMPCO_MOST)
        self.reference = draw.randint(1500, 3000)
        currents = sorted(draw.sample(range(1, 12_000), 4))
        self.curve = tuple(
            (x, draw.randint(-RATIO_MOST, RATIO_MOST), draw.randint(-LEAD_MOST, LEAD_MOST)) for x in currents
        )


def rows(cycles: int, seed: int = 1) -> list[Row]:
    """For ./scripts/bench --correction-cycles N; RuntimeError where a count is missing or too many."""
    draw = random.Random(seed)
    model = Model("MDNCT-1SC", "60Hz")
    found = Correction(model, _Wanted(draw))
    corrected(found.terms, 0, 1)  # the first reactive counts are left out
    began = time.monotonic()
    exact = UNITY // 2  # 2^-20 counts; the remainder begins at half a count
    booked = 0
    for n in range(cycles):
        if n % CHANGE == 0:
            if n % NEW == 0:
                wanted = _Wanted(draw)
                found.take(wanted, prepare(wanted, model))
            found.warm(draw.randint(-4500, 12_500))
            found.follow(draw.randint(0, 120_000))
            most = draw.choice((5, 600, 21_000, 1 << 23))
            gain, phase = found.terms[GAIN] - ZERO, found.terms[PHASE] - ZERO
        active, reactive = draw.randint(-most, most), draw.randint(-most, most)
        booked += corrected(found.terms, active, reactive)
        exact += active * (UNITY + gain) + reactive * phase
        if booked != exact // UNITY:
            raise RuntimeError(f"cycle {n}: {booked} counts booked, {exact // UNITY} due")
    seconds = time.monotonic() - began
    return [
        ("cycles with corrections in force", cycles, ""),
        ("counts booked beside the exact sum", 0, ""),
        ("speed of the check on this computer", f"{cycles / seconds:.0f}", "cycles/s"),
    ]
