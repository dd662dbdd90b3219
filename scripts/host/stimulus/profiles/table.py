"""Delimited text of any shape: any separator and time column; power, energy, running totals or amps; comments, gaps."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC
from itertools import pairwise

from host.stimulus.profiles import columns as what
from host.stimulus.profiles.cells import is_absent, number
from host.stimulus.profiles.clock import EPOCH_MS, EPOCH_S, LATEST_EPOCH_S, Stamp, in_zone, order_of, stamp_of
from host.stimulus.profiles.columns import Column
from host.stimulus.profiles.profile import LATEST_S, Options, Profile, ProfileError
from host.stimulus.profiles.series import Series, combined, stretches

DELIMITERS = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "bars"}
HEAD_ROWS = 60
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?", re.ASCII)
_LONG = ("entity_id", "state")  # a row for each value of any entity


@dataclass
class Table:
    """Rows of cells with the number of the line they end on; `comma`: a lone comma in a number is a decimal one."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    comma: bool
    kind: str


def matches(head: str) -> bool:
    """Anything else is taken for a table."""
    del head
    return True


def read(text: str, options: Options) -> Profile:
    """The profile in a table. ProfileError names the line that cannot be used."""
    table = _table(text)
    notes: list[str] = []
    times_at = _time_columns(table)
    if [name.strip().lower() for name in table.header[:2]] == list(_LONG):
        kind, series = _entities(table, times_at, options, notes)
    else:
        kind, series = _columns(table, times_at, options, notes)
    epoch_s, local = _times(table, times_at, series, options, notes)
    parts = [(one, stretches(one, notes)) for one in series]
    spans, per_line = combined(parts)
    if not spans:
        raise ProfileError("no values; allowed: a time and a power or energy in each row")
    values = sum(len(one.values) for one in series)
    return Profile(kind, spans, per_line, epoch_s, options.zone or UTC, local, values, notes)


# -- rows -----------------------------------------------------------------------------------------------------------


def _table(text: str) -> Table:
    lines = text.splitlines()
    delimiter = next((d for d in DELIMITERS if _first_row(_cells(lines[: HEAD_ROWS * 2], d), d) is not None), None)
    if delimiter is None:
        raise ProfileError("1: no row with a time and a value; allowed: a header line, then rows such as time_s,watts")
    header: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    before: list[str] = []
    for line, cells in _cells(lines, delimiter):
        if not rows and not _is_row(cells, delimiter):
            before = cells
            continue
        if not rows:
            header = before if len(before) >= 2 and len(before) >= len(cells) - 1 else []
            width = len(header) or len(cells)
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if len(cells) != width:
            named = ",".join(header[:6]) + ("..." if len(header) > 6 else "") if header else "the first row"
            raise ProfileError(f"{line}: {len(cells)} values where {_shown(named)} are {width}")
        rows.append((line, cells))
    return Table(header, rows, delimiter != ",", f"table, separated by {DELIMITERS[delimiter]}")


def _cells(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that say something, with the number of their line."""
    kept = ("" if line.startswith("#") or line.lower().startswith("sep=") else line for line in lines)
    reader = csv.reader(kept, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as e:
        raise ProfileError(f"{reader.line_num}: not delimited text: {e}") from None


def _first_row(rows: Iterator[tuple[int, list[str]]], delimiter: str) -> int | None:
    try:
        return next((line for line, cells in rows if _is_row(cells, delimiter)), None)
    except ProfileError:
        return None


def _is_row(cells: list[str], delimiter: str) -> bool:
    """Whether these cells are data: a time, and something that is or stands for a value."""
    comma = delimiter != ","
    stamps = sum(stamp_of(cell) is not None for cell in cells)
    numbers = sum(number(cell, comma) is not None for cell in cells)
    absent = sum(is_absent(cell) for cell in cells)
    return len(cells) >= 2 and (numbers >= 2 or (stamps >= 1 and numbers + absent >= 1))


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:60])


# -- columns --------------------------------------------------------------------------------------------------------


def _time_columns(table: Table) -> tuple[int, int | None]:
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
    by_name = [n for n, name in enumerate(table.header) if what.is_time(name)]
    return (by_name[0] if by_name else 0), None


def _columns(
    table: Table, times_at: tuple[int, int | None], options: Options, notes: list[str]
) -> tuple[str, list[Series]]:
    width = len(table.rows[0][1])
    program = what.known(table.header)
    others = [n for n in range(width) if n not in times_at]
    left: list[Column] = []
    if options.mapping is not None:
        taken = _mapped(table, options.mapping, width)
    elif program is not None:
        taken = _phases(table, what.of_known(program, table.header), notes)
        table.kind = program.name
    elif table.header:
        found = [column for n in others if (column := what.named(n, table.header[n])) is not None]
        taken, left = what.chosen(found)
        if not taken and len(others) == 1:
            taken = [Column(others[0], table.header[others[0]], "power", 1.0, sure=False)]
    else:
        taken = [Column(others[0], "", "power", 1.0)]
        table.kind = "rows of a time and watts, as emoncms exports them"
    if not taken:
        names = ", ".join(_shown(name) for name in table.header[:12])
        raise ProfileError(
            f"no column says that it is power or energy; name it with --map kWh=COLUMN; columns: {names}"
        )
    if any(column.quantity == "current" for column in taken):
        notes.append(f"amps: at {options.volts:g} V and a power factor of 1")
    guess = options.mapping is None and program is None
    series = [_series(table, _running(table, column, notes, guess), options) for column in taken]
    for column in taken:
        if not column.sure:
            notes.append(f"column {_shown(column.name)} gives no unit: taken as W; --map kWh=COLUMN says otherwise")
    said = [_said(column) for column in taken if column.name]
    if said:
        notes.insert(0, "taken: " + ", ".join(said))
    if left:
        notes.append("left out: " + ", ".join(_shown(column.name) for column in left[:6]))
    _power_factor(table, series, notes)
    return table.kind, series


def _said(column: Column) -> str:
    unit = {
        ("power", 1.0): "W",
        ("power", 1e3): "kW",
        ("energy", 1.0): "Wh",
        ("energy", 1e3): "kWh",
        ("energy", 1e6): "MWh",
    }
    running = {("total", 1.0): "Wh, running", ("total", 1e3): "kWh, running", ("current", 1.0): "A"}
    text = (unit | running).get((column.quantity, abs(column.factor)), column.quantity)
    line = f", line {column.line}" if column.line else ""
    return f"{_shown(column.name)} ({text}{line}{', flows back' if column.factor < 0 else ''})"


def _mapped(table: Table, mapping: str, width: int) -> list[Column]:
    taken = []
    for column, wanted in what.mapped(mapping, table.header, width):
        if column.index < 0:
            names = ", ".join(_shown(name) for name in table.header[:12]) or f"1 to {width}"
            raise ProfileError(f"--map: no column {_shown(wanted)!r}; columns: {names}")
        taken.append(column)
    return taken


def _phases(table: Table, found: list[Column], notes: list[str]) -> list[Column]:
    """Three phases on two lines: a and b as they are where c carries nothing, all of them together else."""
    third = [column for column in found if not column.line]
    if len(third) == len(found):
        return found
    used = any((number(cells[c.index], table.comma) or 0.0) != 0 for _, cells in table.rows for c in third)
    if not used:
        return [column for column in found if column.line]
    notes.append("three phases: their sum, split evenly over the lines")
    return [replace(column, line=0) for column in found]


def _running(table: Table, column: Column, notes: list[str], guess: bool) -> Column:
    """Energy that never falls over many rows is a running total, whatever its name says; and the other way round."""
    if not guess or column.quantity not in ("energy", "total"):
        return column
    values = [number(cells[column.index], table.comma) for _, cells in table.rows]
    known = [value for value in values if value is not None]
    falls = any(b < a for a, b in pairwise(known))
    largest = max((b - a for a, b in pairwise(known)), default=0.0)
    high = bool(known) and (known[0] >= 3 * largest or len(known) >= 100)
    if column.quantity == "energy" and not falls and len(known) >= 12 and largest > 0 and high:
        notes.append(f"{_shown(column.name)} never falls: taken as a running total; --map kWh=COLUMN says otherwise")
        return replace(column, quantity="total")
    if column.quantity == "total" and sum(b < a for a, b in pairwise(known)) * 4 > len(known):
        notes.append(f"{_shown(column.name)} rises and falls: taken as the energy of each interval")
        return replace(column, quantity="energy")
    return column


def _series(table: Table, column: Column, options: Options) -> Series:
    series = Series(column.quantity, column.factor, column.line, _shown(column.name))
    if column.quantity == "current":
        series.quantity, series.factor = "power", column.factor * options.volts
    for line, cells in table.rows:
        series.values.append(_value(table, line, column.name, cells[column.index]))
    return series


def _value(table: Table, line: int, name: str, cell: str) -> float | None:
    if is_absent(cell):
        return None
    value = number(cell, table.comma)
    if value is None or abs(value) > 1e15:
        raise ProfileError(f'{line}: {_shown(name) or "the value"} is "{_shown(cell[:30])}"; allowed: a number')
    return value


def _power_factor(table: Table, series: list[Series], notes: list[str]) -> None:
    names = [name.strip().lower() for name in table.header]
    index = next((n for n, name in enumerate(names) if name in ("power_factor", "pf", "cos_phi")), None)
    if index is None or len(series) != 1:
        return
    factors = []
    for line, cells in table.rows:
        factor = number(cells[index], table.comma)
        if factor is None or not 0.01 <= abs(factor) <= 1:
            raise ProfileError(
                f"{line}: {names[index]} is {_shown(cells[index])}; allowed: 0.01 to 1 (lagging), -1 to -0.01 (leading)"
            )
        factors.append(factor)
    series[0].power_factors = factors
    notes.append(f"power factor: {names[index]}")


# -- a row for each value of an entity --------------------------------------------------------------------------------


def _entities(
    table: Table, times_at: tuple[int, int | None], options: Options, notes: list[str]
) -> tuple[str, list[Series]]:
    """Home Assistant's history: `entity_id,state,last_changed`."""
    del times_at
    names = list(dict.fromkeys(cells[0] for _, cells in table.rows))
    if options.mapping is not None:
        found = what.mapped(options.mapping, [], 0)
        wanted = {name: column for column, name in found}
    else:
        power = [name for name in names if re.search(r"power|watt|load|demand", name, re.I)]
        one = names if len(names) == 1 else power
        if len(one) != 1:
            listed = ", ".join(_shown(name) for name in names[:8])
            raise ProfileError(
                f"{len(names)} entities; take one with --map W=ENTITY or total_kWh=ENTITY; entities: {listed}"
            )
        energy = re.search(r"energy|kwh|_wh\b", one[0], re.I)
        unit = "total_kWh" if energy else "kW" if re.search(r"_kw\b", one[0], re.I) else "W"
        wanted = {one[0]: what.mapped(f"{unit}={one[0]}", [], 0)[0][0]}
        notes.append(f"its unit is not in the file: {_shown(one[0])} taken as {unit}; --map kW=ENTITY says otherwise")
    for name in wanted:
        if name not in names:
            raise ProfileError(f"--map: no entity {_shown(name)!r}; entities: {', '.join(map(_shown, names[:8]))}")
    kept = [(line, cells) for line, cells in table.rows if cells[0] in wanted]
    series = []
    for name, column in wanted.items():
        one_series = Series(column.quantity, column.factor, column.line, _shown(name), held=True)
        one_series.values = [_value(table, line, name, cells[1]) for line, cells in kept if cells[0] == name]
        series.append(one_series)
    table.rows = kept
    return "Home Assistant history", series


# -- times ----------------------------------------------------------------------------------------------------------


def _times(
    table: Table, times_at: tuple[int, int | None], series: list[Series], options: Options, notes: list[str]
) -> tuple[float | None, bool]:
    """Give each series its times, turned round where the newest comes first. Returns the clock time of 0, and whether
    that clock has no zone."""
    long = table.header and table.header[0].strip().lower() == _LONG[0] and len(table.header) > 1
    seconds, epoch, local = _seconds(table, times_at, options, notes)
    owners = [cells[0] for _, cells in table.rows] if long else None
    origin = min(seconds) if epoch else 0.0
    for one in series:
        own = [n for n in range(len(seconds)) if owners is None or _shown(owners[n]) == one.name]
        times = [round((seconds[n] - origin) * 1e6) for n in own]
        lines = [table.rows[n][0] for n in own]
        if len(times) > 1 and times[0] > times[-1] and all(b < a for a, b in pairwise(times)):
            times.reverse()
            one.values.reverse()
            lines.reverse()
            if one.power_factors:
                one.power_factors.reverse()
            notes.append("the newest row comes first: read from the end")
        for place, (a, b) in enumerate(pairwise(times)):
            if b <= a:
                shown = table.rows[own[place + 1]][1][times_at[0]]
                raise ProfileError(
                    f"{lines[place + 1]}: the time {_shown(shown)} is not later than that of the row before"
                )
        one.times_us = times
        one.held = one.held or not epoch
    return (origin if epoch else None), local


def _seconds(
    table: Table, times_at: tuple[int, int | None], options: Options, notes: list[str]
) -> tuple[list[float], bool, bool]:
    """(seconds of each row, whether they are a clock's, whether that clock has no zone)."""
    at, clock = times_at
    texts = [cells[at] + (f" {cells[clock]}" if clock is not None else "") for _, cells in table.rows]
    if stamp_of(texts[0]) is not None and number(texts[0], table.comma) is None:
        return _stamped(table, times_at, texts, options, notes)
    name = table.header[at] if table.header else "the time"
    seconds = []
    for (line, _), text in zip(table.rows, texts):
        value = number(text, table.comma)
        if value is None:
            raise ProfileError(
                f'{line}: {_shown(name)} is "{_shown(text[:30])}"; allowed: seconds, Unix time, or a date and time'
            )
        seconds.append(value)
    if seconds[0] >= EPOCH_S:
        scale = 1000 if seconds[0] >= EPOCH_MS else 1
        for (line, _), value, text in zip(table.rows, seconds, texts):
            if not 0 <= value / scale <= LATEST_EPOCH_S:
                raise ProfileError(
                    f"{line}: {_shown(name)} is {_shown(text[:30])}; allowed: Unix time as in the first row"
                )
        if name.strip().lower() == "time_s":
            notes.append("time_s is Unix time: the first row is at 0 s")
        return [s / scale for s in seconds], True, False
    for (line, _), value, text in zip(table.rows, seconds, texts):
        if not 0 <= value <= LATEST_S:
            raise ProfileError(f"{line}: {_shown(name)} is {_shown(text)}; allowed: 0 to {LATEST_S:.15g}")
    return seconds, False, False


def _stamped(
    table: Table, times_at: tuple[int, int | None], texts: list[str], options: Options, notes: list[str]
) -> tuple[list[float], bool, bool]:
    stamps: list[Stamp] = []
    for (line, _), text in zip(table.rows, texts):
        stamp = stamp_of(text)
        if stamp is None:
            raise ProfileError(
                f'{line}: the time is "{_shown(text[:40])}"; allowed: dates and times as in the first row'
            )
        stamps.append(stamp)
    order = order_of(stamps)
    naive = [stamp.naive_s(order) for stamp in stamps]
    if all(stamp.offset_s is not None for stamp in stamps):
        return [s - (stamp.offset_s or 0) for s, stamp in zip(naive, stamps)], True, False
    if table.header and re.search(r"\butc\b", table.header[times_at[0]], re.I):
        return naive, True, False
    if options.zone is not None:
        return in_zone(naive, options.zone), True, False
    notes.append("times without a zone, taken as those of an even clock; --timezone ZONE for one with summer time")
    return naive, True, True
