"""The default load: a standard household's day.

The German industry's standard load profile H25 for households (BDEW, 2025 revision, from meter readings of 2018 and
2019), as the package demandlib (MIT) carries it: 15-minute mean powers, held, from Wednesday 15 January 2025 00:00 on.
The year's energy it is scaled to is a typical one where such a meter is used: 10,500 kWh at 120 V, 60 Hz (US homes),
3,500 kWh at 240 V, 50 Hz. The profile has no reactive power; a power factor of 0.97 lagging is our choice.
"""

import warnings
from collections.abc import Iterator

from host.stimulus.lines import Segment
from host.stimulus.profiles.profile import lines_of
from host.stimulus.source import Source
from openkh.model import Model

HOUSEHOLD_WH = {60: 10_500_000, 50: 3_500_000}
HOUSEHOLD_POWER_FACTOR = 0.97
HOUSEHOLD_DAY = "2025-01-15"
QUARTER_US = 900_000_000


def household_source(model: Model) -> Source:
    """The default: one standard household, from a working day in January on, the year round and round."""
    import pandas  # here, because only the default input needs it
    from demandlib import bdew

    year = pandas.date_range("2025-01-01", periods=365 * 96, freq="15min")
    with warnings.catch_warnings():  # what demandlib uses of pandas is on its way out; the versions are pinned
        warnings.simplefilter("ignore")
        quarters = bdew.H25(year)
    watts = (quarters / quarters.sum() * 4 * HOUSEHOLD_WH[model.hz]).tolist()
    first = year.get_loc(HOUSEHOLD_DAY + " 00:00")

    def segments() -> Iterator[Segment]:
        number, hz = 0, float(model.hz)
        while True:
            lines = lines_of(model, watts[(first + number) % len(watts)], HOUSEHOLD_POWER_FACTOR)
            yield Segment(number * QUARTER_US, (number + 1) * QUARTER_US, lines, lines, hz, hz)
            number += 1

    kwh = HOUSEHOLD_WH[model.hz] // 1000
    what = f"a household's day: standard load profile BDEW H25, 15 January 2025, {kwh:,} kWh a year"
    return Source(segments, end_s=86_400.0, what=what)
