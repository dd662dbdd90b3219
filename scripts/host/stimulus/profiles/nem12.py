"""NEM12 interval data of the Australian market (AEMO, Meter Data File Format).

E channels flow to the customer, B channels from it; others (reactive) are left out. Market time knows no summer time:
every day has the same intervals. A day's quality V stands for that of its 400 rows.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from host.stimulus.profiles.profile import Options, Profile, ProfileError
from host.stimulus.profiles.series import Series, combined, stretches

UNITS = {"wh": 1.0, "kwh": 1e3, "mwh": 1e6}
DAY_MIN = 1440
DAY_US = 86_400_000_000
MARKET = timezone(timedelta(hours=10), "market time")
_UNIX_DAY = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class _Day:
    values: list[float | None]
    updated: str
    line: int
    qualities: list[str]


@dataclass
class _Channel:
    suffix: str
    factor: float
    minutes: int
    days: dict[int, _Day] = field(default_factory=dict)
    day: _Day | None = None  # the one that 400 rows speak of


def matches(head: str) -> bool:
    """Whether the header record names the format."""
    return bool(re.match(r"\s*100\s*,\s*NEM12", head, re.I)) or bool(
        re.match(r"\s*200\s*,[^\n]*,\s*[kKmM]?[wW][hH]\s*,", head)
    )


def read(text: str, options: Options) -> Profile:
    """The profile of one connection point. ProfileError names the line that cannot be used."""
    if options.mapping is not None:
        raise ProfileError("--map: a NEM12 file says what its values are")
    if options.zone is not None:
        raise ProfileError("--timezone: a NEM12 file's clock is market time, UTC+10 all year")
    notes: list[str] = []
    channels = _channels(text, notes)
    if not channels:
        raise ProfileError("no E or B channel with values in Wh, kWh or MWh")
    first = min(day for channel in channels for day in channel.days)
    parts = []
    for channel in channels:
        series = _series(channel, first, notes)
        parts.append((series, stretches(series, notes)))
    spans, per_line = combined(parts)
    if not spans:
        raise ProfileError("no interval has a value")
    epoch_s = float(first * 86_400 - 36_000)
    values = sum(len(series.values) for series, _ in parts)
    days = len({day for channel in channels for day in channel.days})
    names = ", ".join(
        f"{c.suffix} ({'to' if c.factor > 0 else 'from'} the customer, {c.minutes} min)" for c in channels
    )
    notes = [f"channels {names}; {days} days", *notes]
    return Profile("NEM12", spans, per_line, epoch_s, MARKET, values=values, notes=notes)


def _series(channel: _Channel, first: int, notes: list[str]) -> Series:
    series = Series("energy", channel.factor, name=channel.suffix, ends_us=[])
    assert series.ends_us is not None
    step_us = channel.minutes * 60_000_000
    estimated = 0
    for number, day in sorted(channel.days.items()):
        start_us = (number - first) * DAY_US
        for place, value in enumerate(day.values):
            quality = day.qualities[place]
            estimated += quality in ("E", "F", "S")
            series.times_us.append(start_us + place * step_us)
            series.ends_us.append(start_us + (place + 1) * step_us)
            series.values.append(None if quality == "N" else value)
    if estimated:
        notes.append(f"{channel.suffix}: {estimated} of {len(series.values)} values are estimated or substituted")
    return series


def _channels(text: str, notes: list[str]) -> list[_Channel]:
    found: list[_Channel] = []
    points: list[str] = []
    left: list[str] = []
    channel: _Channel | None = None
    for line, row in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in row.split(",")]
        record = cells[0]
        if record in ("", "100", "500", "900"):
            continue
        if record == "200":
            channel, skipped = _data_details(cells, line, found)
            point = cells[1]
            points += [point] if point not in points else []
            left += [skipped] if skipped else []
        elif record == "300":
            _interval_data(cells, line, channel, notes)
        elif record == "400":
            _interval_event(cells, line, channel)
        else:
            shown = "".join(c if c.isprintable() else "?" for c in record[:20])
            raise ProfileError(f'{line}: record "{shown}"; allowed: 100, 200, 300, 400, 500, 900')
    if len(points) > 1:
        raise ProfileError(f"{len(points)} connection points: {', '.join(points[:6])}; allowed: one")
    if left:
        notes.append(f"left out: {', '.join(dict.fromkeys(left))}")
    return [channel for channel in found if channel.days]


_IGNORED = _Channel("", 0.0, 0)


def _data_details(cells: list[str], line: int, found: list[_Channel]) -> tuple[_Channel, str]:
    """A 200 record: (the channel that follows, or one that nobody reads; its name where it is left out)."""
    if len(cells) < 9:
        raise ProfileError(f"{line}: {len(cells)} fields in a 200 record; allowed: 9 or 10")
    suffix, unit, minutes = cells[4], cells[7].lower(), cells[8]
    if minutes not in ("1", "5", "10", "15", "30", "60"):
        raise ProfileError(f'{line}: the interval length is "{minutes[:10]}"; allowed: 1, 5, 10, 15, 30, 60')
    if unit not in UNITS or suffix[:1].upper() not in ("E", "B"):
        return _Channel(suffix, 0.0, int(minutes)), f"{suffix} ({cells[7]})"
    factor = UNITS[unit] * (1.0 if suffix[:1].upper() == "E" else -1.0)
    for channel in found:
        if channel.suffix == suffix:
            if (channel.factor, channel.minutes) != (factor, int(minutes)):
                raise ProfileError(f"{line}: channel {suffix} changes its unit or interval; allowed: one file for each")
            return channel, ""
    found.append(_Channel(suffix, factor, int(minutes)))
    return found[-1], ""


def _interval_data(cells: list[str], line: int, channel: _Channel | None, notes: list[str]) -> None:
    if channel is None:
        raise ProfileError(f"{line}: a 300 record before any 200 record")
    if not channel.factor:
        return
    count = DAY_MIN // channel.minutes
    if len(cells) < count + 3:
        raise ProfileError(f"{line}: {len(cells) - 2} fields after the date; allowed: {count} values and their quality")
    number = _day_number(cells[1], line)
    values: list[float | None] = []
    for cell in cells[2 : count + 2]:
        if cell and not re.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", cell, re.ASCII):
            raise ProfileError(f'{line}: a value is "{cell[:20]}"; allowed: a number')
        values.append(float(cell) if cell else None)
    quality = cells[count + 2][:1].upper()
    updated = cells[count + 5] if len(cells) > count + 5 else ""
    day = _Day(values, updated, line, [quality] * count)
    channel.day = day
    before = channel.days.get(number)
    if before is not None:
        notes.append(
            f"{channel.suffix}: {cells[1]} is there twice (lines {before.line} and {line}): the later version counts"
        )
        if before.updated > updated:
            return
    channel.days[number] = day


def _day_number(text: str, line: int) -> int:
    try:
        if not re.fullmatch(r"\d{8}", text, re.ASCII):
            raise ValueError
        day = datetime(int(text[:4]), int(text[4:6]), int(text[6:]), tzinfo=UTC)
    except ValueError:
        raise ProfileError(f'{line}: the date is "{text[:20]}"; allowed: YYYYMMDD') from None
    return (day - _UNIX_DAY) // timedelta(days=1)


def _interval_event(cells: list[str], line: int, channel: _Channel | None) -> None:
    """A 400 record: the quality of some of the day's intervals, counted from 1."""
    if channel is None or (channel.factor and channel.day is None):
        raise ProfileError(f"{line}: a 400 record before any 300 record")
    if not channel.factor or channel.day is None:
        return
    places = cells[1:3]
    count = len(channel.day.qualities)
    if len(cells) < 4 or not all(re.fullmatch(r"\d{1,4}", place, re.ASCII) for place in places):
        raise ProfileError(f"{line}: a 400 record without its first and last interval and their quality")
    first, last = int(places[0]), int(places[1])
    if not 1 <= first <= last <= count:
        raise ProfileError(f"{line}: intervals {first} to {last}; allowed: 1 to {count}")
    for place in range(first - 1, last):
        channel.day.qualities[place] = cells[3][:1].upper()
