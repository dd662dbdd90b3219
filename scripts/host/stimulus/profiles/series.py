"""Values with their times to stretches of constant power.

What a value says decides how long it holds: a power until the next one, the energy of an interval for that interval, a
running total between two readings, also where some in between are missing. The last value holds as long as the one
before it. Where there is no other value nothing flows, and that is said.
"""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from host.stimulus.profiles.profile import ProfileError, Span

HOUR_US = 3_600_000_000
EVEN_PART = 0.9  # of the steps are alike: values come at even intervals
GAP_STEPS = 1.5  # of such an interval without a value is a gap


@dataclass
class Series:
    """Values (None: not known) with their times in microseconds.

    `quantity`: "power" (watts), "energy" (watt-hours of the interval), "total" (watt-hours, running), with `factor` to
    these and to the direction (negative: received). `line`: 0 both together, 1, 2. `ends_us`: of the intervals, where
    the file gives them. `hold_us`: the longest that a power holds. `held`: powers hold for as long as it takes.
    """

    quantity: str
    factor: float = 1.0
    line: int = 0
    name: str = ""
    times_us: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    ends_us: list[int] | None = None
    hold_us: int | None = None
    held: bool = False
    power_factors: list[float] | None = None


def step_us(times_us: list[int]) -> int:
    """The middle step between times; 0 where there is only one."""
    return round(statistics.median(b - a for a, b in pairwise(times_us))) if len(times_us) > 1 else 0


def stretches(series: Series, notes: list[str]) -> list[tuple[int, int, float]]:
    """(start, end, watts) in order."""
    if series.quantity == "total":
        found = _between_readings(series, notes)
    else:
        found = _values(series, notes)
    unknown = sum(value is None for value in series.values)
    if unknown:
        what = "nothing flows there"
        if series.quantity == "total":
            what = "what flowed between two others is spread evenly"
        notes.append(f"{_named(series)}{unknown} of {len(series.values)} values are missing: {what}")
    return found


def _named(series: Series) -> str:
    return f"{series.name}: " if series.name else ""


def _values(series: Series, notes: list[str]) -> list[tuple[int, int, float]]:
    times, usual_us = series.times_us, step_us(series.times_us)
    energy = series.quantity == "energy"
    if energy and series.ends_us is None and not usual_us:
        raise ProfileError(f"{_named(series)}one energy alone has no interval; allowed: two values or more")
    steps = [b - a for a, b in pairwise(times)]
    even = sum(abs(step - usual_us) <= usual_us * 0.01 for step in steps) >= EVEN_PART * len(steps)
    found = []
    gaps = 0
    for place, (start, value) in enumerate(zip(times, series.values)):
        following = times[place + 1] if place + 1 < len(times) else None
        if series.ends_us is not None:
            end = series.ends_us[place]
        elif following is None:
            end = start + (usual_us or 1)  # one row: from then on
        else:
            end = following
            if energy or (even and not series.held):
                longest = usual_us if end - start > GAP_STEPS * usual_us else end - start
                gaps += longest < end - start
                end = start + longest
        if series.hold_us is not None and end - start > series.hold_us:
            gaps += 1
            end = start + series.hold_us
        if value is None or end <= start:
            continue
        watts = value * series.factor * (HOUR_US / (end - start) if energy else 1.0)
        found.append((start, end, watts))
    if gaps:
        times_text = "once" if gaps == 1 else f"{gaps} times"
        notes.append(f"{_named(series)}values are {times_text} further apart than usual: nothing flows between")
    return found


def _between_readings(series: Series, notes: list[str]) -> list[tuple[int, int, float]]:
    known = [(t, v * series.factor) for t, v in zip(series.times_us, series.values) if v is not None]
    sign = -1.0 if series.factor < 0 else 1.0
    found = []
    fallen = 0
    for (start, before), (end, after) in pairwise(known):
        if (after - before) * sign < 0:
            fallen += 1
            continue
        found.append((start, end, (after - before) * HOUR_US / (end - start)))
    if fallen:
        notes.append(
            f"{_named(series)}the running total falls {fallen} times (a meter that began anew): nothing flows there"
        )
    return found


def combined(parts: list[tuple[Series, list[tuple[int, int, float]]]]) -> tuple[list[Span], bool]:
    """(spans, whether they are of each line): the sum of all series at each time."""
    per_line = any(series.line for series, _ in parts)
    if len(parts) == 1:  # exactly the file's values, no sums
        series = parts[0][0]
        column = 1 if series.line == 2 else 0
        factors = dict(zip(series.times_us, series.power_factors or ()))
        return [Span(s, e, _pair(w, column, per_line), factors.get(s, 1.0)) for s, e, w in parts[0][1]], per_line
    return list(_swept(parts, per_line)), per_line


def _pair(watts: float, column: int, per_line: bool) -> tuple[float, ...]:
    if not per_line:
        return (watts,)
    return (watts, 0.0) if column == 0 else (0.0, watts)


def _swept(parts: list[tuple[Series, list[tuple[int, int, float]]]], per_line: bool) -> Iterator[Span]:
    bounds = sorted({t for _, found in parts for start, end, _ in found for t in (start, end)})
    at = [0] * len(parts)
    for start, end in pairwise(bounds):
        sums = [0.0, 0.0]
        covered = False
        for place, (series, found) in enumerate(parts):
            while at[place] < len(found) and found[at[place]][1] <= start:
                at[place] += 1
            if at[place] < len(found) and found[at[place]][0] <= start:
                sums[1 if series.line == 2 else 0] += found[at[place]][2]
                covered = True
        if covered:
            yield Span(start, end, tuple(sums) if per_line else (sums[0],))
