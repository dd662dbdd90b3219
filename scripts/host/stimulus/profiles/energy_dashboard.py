"""What Home Assistant's energy dashboard downloads: a row for each source, a column for each hour or day."""

import csv
from datetime import UTC

from host.stimulus.profiles.cells import is_absent, number
from host.stimulus.profiles.clock import stamp_of
from host.stimulus.profiles.columns import UNITS
from host.stimulus.profiles.profile import Options, Profile, ProfileError
from host.stimulus.profiles.series import Series, combined, stretches

SIGNS = {"grid_consumption": 1.0, "grid_return": -1.0}


def matches(head: str) -> bool:
    """Whether the header begins as the dashboard's."""
    return head.lower().startswith("entity_id,type,unit,")


def read(text: str, options: Options) -> Profile:
    """The energy from and to the grid. ProfileError names the line that cannot be used."""
    if options.mapping is not None:
        raise ProfileError("--map: the dashboard's file says what its values are")
    try:
        rows = [row for row in csv.reader(text.splitlines(), strict=True) if any(row)]
    except csv.Error as e:
        raise ProfileError(f"not delimited text: {e}") from None
    stamps = [stamp_of(cell) for cell in rows[0][3:]]
    if not stamps or any(stamp is None or stamp.offset_s is None for stamp in stamps):
        raise ProfileError("1: a time of its columns cannot be read")
    try:
        seconds = [stamp.naive_s("ymd") - (stamp.offset_s or 0) for stamp in stamps if stamp is not None]
    except ValueError as e:
        raise ProfileError(f"1: a time of its columns is no date: {e}") from None
    if any(b <= a for a, b in zip(seconds, seconds[1:])):
        raise ProfileError("1: the times of its columns do not rise")
    times_us = [round((s - seconds[0]) * 1e6) for s in seconds]
    notes: list[str] = []
    left = []
    parts = []
    for line, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]):
            raise ProfileError(f"{line}: {len(row)} values where the header has {len(rows[0])}")
        sign = SIGNS.get(row[1].strip())
        unit = row[2].strip().lower()
        if sign is None or unit not in ("wh", "kwh", "mwh"):
            left.append(f"{row[0][:40]} ({row[1][:30]})")
            continue
        series = Series("energy", sign * UNITS[unit][1], name=row[0][:40], times_us=times_us)
        for cell in row[3:]:
            value = None if is_absent(cell) else number(cell, ".")
            if value is None and not is_absent(cell):
                raise ProfileError(f'{line}: a value is "{cell[:30]}"; allowed: a number')
            series.values.append(value)
        parts.append((series, stretches(series, notes)))
    if not parts:
        raise ProfileError("no source of the type grid_consumption or grid_return")
    if left:
        notes.append("left out: " + ", ".join(left[:6]))
    spans, per_line = combined(parts)
    if not spans:
        raise ProfileError("no values")
    values = sum(len(series.values) for series, _ in parts)
    kind, zone = "Home Assistant energy dashboard", options.zone or UTC
    return Profile(kind, spans, per_line, seconds[0], zone, values=values, notes=notes)
