"""When each row of a table is, and the rows in order of time where the newest comes first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from itertools import pairwise

from host.stimulus.profiles.clock import EPOCH_MS, EPOCH_S, LATEST_EPOCH_S, Stamp, in_zone, order_of, stamp_of
from host.stimulus.profiles.columns import is_time
from host.stimulus.profiles.profile import LATEST_S, ProfileError
from host.stimulus.profiles.rows import Table, shown

_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?", re.ASCII)


@dataclass
class Times:
    """Of a table's rows, in their order: microseconds from the earliest, or of the run where the file's times are no
    clock's. `epoch_s`: the clock time of 0; `local`: that clock has no zone."""

    times_us: list[int]
    epoch_s: float | None
    local: bool


def columns(table: Table) -> tuple[int, int | None]:
    """(column of the times, a column of clock times beside a date)."""
    first = table.rows[0][1]
    stamped = [n for n, cell in enumerate(first) if stamp_of(cell) is not None]
    for index in stamped:
        found = stamp_of(first[index])
        if found is not None and ":" not in first[index]:
            clock = next((n for n, cell in enumerate(first) if n != index and _CLOCK.fullmatch(cell)), None)
            return index, clock
    if stamped:
        return stamped[0], None
    by_name = [n for n, name in enumerate(table.header) if is_time(name)]
    return (by_name[0] if by_name else 0), None


def in_order(
    table: Table, times_at: tuple[int, int | None], owner: int | None, zone: tzinfo | None, notes: list[str]
) -> Times:
    """The times of the rows, which are put in their order; `owner`: the column that says whose a row is, where each
    has an order of its own. `zone`: of a clock that names none. ProfileError names the row that is out of order."""
    seconds, clocked, without_zone = _seconds(table, times_at, notes)
    if zone is not None and not clocked:
        raise ProfileError("--timezone: its times are seconds from the start, and no clock's")
    local = without_zone and zone is None
    if local:
        notes.append("times without a zone, taken as those of an even clock; --timezone ZONE for one with summer time")
    order: list[int] = []
    found: list[float] = []
    groups = list(_groups(table, owner, seconds))
    for own, _ in groups:
        times = [seconds[n] for n in own]
        found += in_zone(times, zone) if zone is not None and without_zone else times
        order += own
    if any(newest_first for _, newest_first in groups):
        notes.append("the newest row comes first: read from the end")
    origin = min(found) if clocked else 0.0
    times_us = [round((s - origin) * 1e6) for s in found]
    rows = [table.rows[n] for n in order]
    begin = 0
    for own, newest_first in groups:
        part = slice(begin, begin + len(own))
        _refuse_disorder(rows[part], times_us[part], times_at[0], newest_first)
        begin += len(own)
    table.rows = rows
    return Times(times_us, origin if clocked else None, local)


def _groups(table: Table, owner: int | None, seconds: list[float]) -> Iterator[tuple[list[int], bool]]:
    """(the rows of each owner in order of time, whether the newest came first)."""
    places: dict[str, list[int]] = {}
    for n, (_, cells) in enumerate(table.rows):
        places.setdefault("" if owner is None else cells[owner], []).append(n)
    for own in places.values():
        steps = [seconds[b] - seconds[a] for a, b in pairwise(own)]
        newest_first = sum(step < 0 for step in steps) > sum(step > 0 for step in steps)
        yield own[::-1] if newest_first else own, newest_first


def _refuse_disorder(rows: list[tuple[int, list[str]]], times_us: list[int], at: int, newest_first: bool) -> None:
    """Name the first row in the file whose time does not go on in its order."""
    later = [n if newest_first else n + 1 for n, (a, b) in enumerate(pairwise(times_us)) if b <= a]
    if later:
        line, cells = rows[later[-1] if newest_first else later[0]]
        word = "earlier" if newest_first else "later"
        why = ", as the newest comes first" if newest_first else ""
        raise ProfileError(f"{line}: the time {shown(cells[at])} is not {word} than that of the row before{why}")


def _seconds(table: Table, times_at: tuple[int, int | None], notes: list[str]) -> tuple[list[float], bool, bool]:
    """(seconds of each row, whether they are a clock's, whether that clock has no zone)."""
    at, clock = times_at
    texts = [cells[at] + (f" {cells[clock]}" if clock is not None else "") for _, cells in table.rows]
    if stamp_of(texts[0]) is not None and table.number(at, texts[0]) is None:
        return _stamped(table, times_at, texts)
    name = table.header[at] if table.header else "the time"
    seconds = []
    for (line, _), text in zip(table.rows, texts):
        value = table.number(at, text)
        if value is None:
            raise ProfileError(
                f'{line}: {shown(name)} is "{shown(text[:30])}"; allowed: seconds, Unix time, or a date and time'
            )
        seconds.append(value)
    if seconds[0] >= EPOCH_S:
        scale = 1000 if seconds[0] >= EPOCH_MS else 1
        for (line, _), value, text in zip(table.rows, seconds, texts):
            if not 0 <= value / scale <= LATEST_EPOCH_S:
                raise ProfileError(
                    f"{line}: {shown(name)} is {shown(text[:30])}; allowed: Unix time as in the first row"
                )
        if name.strip().lower() == "time_s":
            notes.append("time_s is Unix time: the first row is at 0 s")
        return [s / scale for s in seconds], True, False
    for (line, _), value, text in zip(table.rows, seconds, texts):
        if not 0 <= value <= LATEST_S:
            raise ProfileError(f"{line}: {shown(name)} is {shown(text)}; allowed: 0 to {LATEST_S:.15g}")
    return seconds, False, False


def _stamped(table: Table, times_at: tuple[int, int | None], texts: list[str]) -> tuple[list[float], bool, bool]:
    stamps: list[Stamp] = []
    for (line, _), text in zip(table.rows, texts):
        stamp = stamp_of(text)
        if stamp is None:
            raise ProfileError(
                f'{line}: the time is "{shown(text[:40])}"; allowed: dates and times as in the first row'
            )
        stamps.append(stamp)
    order = order_of(stamps)
    naive = [stamp.naive_s(order) for stamp in stamps]
    if all(stamp.offset_s is not None for stamp in stamps):
        return [s - (stamp.offset_s or 0) for s, stamp in zip(naive, stamps)], True, False
    if table.header and re.search(r"\butc\b", table.header[times_at[0]], re.I):
        return naive, True, False
    return naive, True, True
