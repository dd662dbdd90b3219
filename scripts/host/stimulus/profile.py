"""Load profiles: a CSV of powers, and the default, a standard household's day.

The default is the German industry's standard load profile H25 for households (BDEW, 2025 revision, from meter readings
of 2018 and 2019), as the package demandlib (MIT) carries it: 15-minute mean powers, held, from Wednesday 15 January
2025 00:00 on. The year's energy it is scaled to is a typical one where such a meter is used: 10,500 kWh at 120 V, 60 Hz
(US homes), 3,500 kWh at 240 V, 50 Hz. The profile has no reactive power; a power factor of 0.97 lagging is our choice.
"""

import csv
import math
import re
import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple

from host.cli.refused import RefusedError, read_text
from host.stimulus.source import Line, Lines, Segment, Source
from openkh.model import Model

HOUSEHOLD_WH = {60: 10_500_000, 50: 3_500_000}
HOUSEHOLD_POWER_FACTOR = 0.97
HOUSEHOLD_DAY = "2025-01-15"
QUARTER_US = 900_000_000
LARGEST_W = 1e6
LATEST_S = 3.2e9

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # float() takes more: nan, inf, 1_000


class Row(NamedTuple):
    """Total power from `t_us` on; negative watts are exported; a negative power factor leads."""

    t_us: int
    watts: float
    power_factor: float


def lines_of(model: Model, watts: float, power_factor: float) -> Lines:
    """The volts, amps and degrees of both lines at nominal voltage, `watts` split evenly over the model's lines."""
    volts = model.nominal_mv / 1000
    each = watts / model.elements
    lag = math.degrees(math.acos(abs(power_factor)))
    degrees = lag if each >= 0 else 180.0 - lag
    if power_factor < 0:
        degrees = -degrees
    amps = abs(each) / (volts * abs(power_factor))
    one = Line(volts, amps, degrees, 0.0)
    two = Line(volts, amps if model.elements == 2 else 0.0, degrees, 180.0)
    return one, two


def load_csv(path: str) -> list[Row]:
    """The rows of a load profile; RefusedError with the number of the line that is malformed."""

    def wrong(number: int, text: str) -> RefusedError:
        return RefusedError(f"load profile {path}:{number}: {text}")

    reader = csv.reader(read_text(path, "load profile").splitlines(), strict=True)
    rows: list[Row] = []
    header: list[str] = []
    try:
        for cells in reader:
            number = reader.line_num
            cells = [cell.strip() for cell in cells]
            if not any(cells) and len(cells) < 2:
                continue
            if not header:
                header = cells
                if header not in (["time_s", "watts"], ["time_s", "watts", "power_factor"]):
                    raise wrong(number, "the first line must be time_s,watts or time_s,watts,power_factor")
                continue
            if len(cells) != len(header):
                raise wrong(number, f"{len(cells)} values where {','.join(header)} are {len(header)}")
            for name, cell in zip(header, cells):
                if not _NUMBER.fullmatch(cell):
                    shown = "".join(c if c.isprintable() else "?" for c in cell[:30])
                    raise wrong(number, f'{name} is "{shown}"; allowed: a number')
            values = [float(cell) for cell in cells]
            time_s, watts, power_factor = (*values, 1.0)[:3]
            if not 0 <= time_s <= LATEST_S:
                raise wrong(number, f"time_s is {cells[0]}; allowed: 0 to {LATEST_S:.15g}")
            if rows and round(time_s * 1e6) <= rows[-1].t_us:
                raise wrong(number, f"time_s is {cells[0]}; allowed: times later than the row before")
            if abs(watts) > LARGEST_W:
                raise wrong(number, f"watts is {cells[1]}; allowed: -{LARGEST_W:.0f} to {LARGEST_W:.0f}")
            if not 0.01 <= abs(power_factor) <= 1:
                raise wrong(number, f"power_factor is {cells[2]}; allowed: 0.01 to 1 (lagging), -1 to -0.01 (leading)")
            rows.append(Row(round(time_s * 1e6), watts, power_factor))
    except csv.Error as e:
        raise wrong(reader.line_num, f"not CSV: {e}") from None
    if not rows:
        raise wrong(reader.line_num or 1, "no rows; allowed: a header line, then time_s,watts[,power_factor]")
    return rows


def csv_source(model: Model, rows: list[Row], what: str) -> Source:
    """Before the first row nothing flows; each row holds until the next, the last for ever."""

    def held() -> Iterator[Row]:
        if rows[0].t_us > 0:
            yield Row(0, 0.0, 1.0)
        yield from rows

    end_s = rows[-1].t_us / 1e6
    return Source(_held_segments(model, held), end_s=end_s or None, what=what)


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

    def held() -> Iterator[Row]:
        number = 0
        while True:
            yield Row(number * QUARTER_US, watts[(first + number) % len(watts)], HOUSEHOLD_POWER_FACTOR)
            number += 1

    kwh = HOUSEHOLD_WH[model.hz] // 1000
    what = f"a household's day: standard load profile BDEW H25, 15 January 2025, {kwh:,} kWh a year"
    return Source(_held_segments(model, held), end_s=86_400.0, what=what)


def _held_segments(model: Model, rows: Callable[[], Iterator[Row]]) -> Callable[[], Iterator[Segment]]:
    def segments() -> Iterator[Segment]:
        hz = float(model.hz)
        before: Row | None = None
        for row in rows():
            if before is not None:
                lines = lines_of(model, before.watts, before.power_factor)
                yield Segment(before.t_us, row.t_us, lines, lines, hz, hz)
            before = row
        assert before is not None
        lines = lines_of(model, before.watts, before.power_factor)
        yield Segment(before.t_us, None, lines, lines, hz, hz)

    return segments
