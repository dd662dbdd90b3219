"""Delimited text of any shape: any separator and time column; power, energy, running totals or amps; comments, gaps."""

import re
from dataclasses import replace
from datetime import UTC
from itertools import pairwise

from host.stimulus.profiles import columns as what
from host.stimulus.profiles import rows, times
from host.stimulus.profiles.cells import is_absent
from host.stimulus.profiles.columns import Column
from host.stimulus.profiles.profile import Options, Profile, ProfileError
from host.stimulus.profiles.rows import Table, shown
from host.stimulus.profiles.series import Series, combined, stretches

_LONG = ["entity_id", "state"]  # a row for each value of any entity


def matches(head: str) -> bool:
    """Anything else is taken for a table."""
    del head
    return True


def read(text: str, options: Options) -> Profile:
    """The profile in a table. ProfileError names the line that cannot be used."""
    table = rows.table(text)
    notes: list[str] = []
    times_at = times.columns(table)
    wanted = None
    if [name.strip().lower() for name in table.header[:2]] == _LONG:
        wanted = _entities(table, options, notes)
    clock = times.in_order(table, times_at, 0 if wanted is not None else None, options.zone, notes)
    if wanted is not None:
        series = [_of_entity(table, name, column, clock.times_us) for name, column in wanted.items()]
        _say_marks(table, 1, table.header[1], notes)
    else:
        series = _columns(table, times_at, options, notes)
        for one in series:
            one.times_us, one.held = clock.times_us, clock.epoch_s is None
    parts = [(one, stretches(one, notes)) for one in series]
    spans, per_line = combined(parts)
    if not spans:
        raise ProfileError("no values; allowed: a time and a power or energy in each row")
    values = sum(len(one.values) for one in series)
    zone = options.zone or UTC
    return Profile(table.kind, spans, per_line, clock.epoch_s, zone, clock.local, values, notes)


# -- columns --------------------------------------------------------------------------------------------------------


def _columns(table: Table, times_at: tuple[int, int | None], options: Options, notes: list[str]) -> list[Series]:
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
        found = [column for n in others if (column := what.named(n, table.header)) is not None]
        taken, left = what.chosen(found)
        if not taken and len(others) == 1:
            taken = [Column(others[0], table.header[others[0]], "power", 1.0, sure=False)]
    else:
        taken = [Column(others[0], "", "power", 1.0)]
        table.kind = "rows of a time and watts, as emoncms exports them"
    if not taken:
        names = ", ".join(shown(name) for name in table.header[:12])
        raise ProfileError(
            f"no column says that it is power or energy; name it with --map kWh=COLUMN; columns: {names}"
        )
    if any(column.quantity == "current" for column in taken):
        notes.append(f"amps: at {options.volts:g} V and a power factor of 1")
    guess = options.mapping is None and program is None
    series = [_series(table, _running(table, column, notes, guess), options, notes) for column in taken]
    for column in taken:
        if not column.sure:
            notes.append(f"column {shown(column.name)} gives no unit: taken as W; --map kWh=COLUMN says otherwise")
    said = [_said(column) for column in taken if column.name]
    if said:
        notes.insert(0, "taken: " + ", ".join(said))
    if left:
        notes.append("left out: " + ", ".join(shown(column.name) for column in left[:6]))
    _power_factor(table, series, notes)
    return series


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
    return f"{shown(column.name)} ({text}{line}{', flows back' if column.factor < 0 else ''})"


def _mapped(table: Table, mapping: str, width: int) -> list[Column]:
    taken = []
    for column, wanted in what.mapped(mapping, table.header, width):
        if column.index < 0:
            names = ", ".join(shown(name) for name in table.header[:12]) or f"1 to {width}"
            raise ProfileError(f"--map: no column {shown(wanted)!r}; columns: {names}")
        taken.append(column)
    return taken


def _phases(table: Table, found: list[Column], notes: list[str]) -> list[Column]:
    """Three phases on two lines: a and b as they are where c carries nothing, all of them together else."""
    third = [column for column in found if not column.line]
    if len(third) == len(found):
        return found
    used = any((table.number(c.index, cells[c.index]) or 0.0) != 0 for _, cells in table.rows for c in third)
    if not used:
        return [column for column in found if column.line]
    notes.append("three phases: their sum, split evenly over the lines")
    return [replace(column, line=0) for column in found]


def _running(table: Table, column: Column, notes: list[str], guess: bool) -> Column:
    """Energy that never falls over many rows is a running total, whatever its name says; and the other way round."""
    if not guess or column.quantity not in ("energy", "total"):
        return column
    values = [table.number(column.index, cells[column.index]) for _, cells in table.rows]
    known = [value for value in values if value is not None]
    falls = any(b < a for a, b in pairwise(known))
    largest = max((b - a for a, b in pairwise(known)), default=0.0)
    high = bool(known) and (known[0] >= 3 * largest or len(known) >= 100)
    if column.quantity == "energy" and not falls and len(known) >= 12 and largest > 0 and high:
        notes.append(f"{shown(column.name)} never falls: taken as a running total; --map kWh=COLUMN says otherwise")
        return replace(column, quantity="total")
    if column.quantity == "total" and sum(b < a for a, b in pairwise(known)) * 4 > len(known):
        notes.append(f"{shown(column.name)} rises and falls: taken as the energy of each interval")
        return replace(column, quantity="energy")
    return column


def _series(table: Table, column: Column, options: Options, notes: list[str]) -> Series:
    series = Series(column.quantity, column.factor, column.line, shown(column.name))
    if column.quantity == "current":
        series.quantity, series.factor = "power", column.factor * options.volts
    for line, cells in table.rows:
        series.values.append(_value(table, line, column.name, column.index, cells[column.index]))
    _say_marks(table, column.index, column.name, notes)
    return series


def _say_marks(table: Table, index: int, name: str, notes: list[str]) -> None:
    """How a number such as 1,234 was read where nothing in its column tells."""
    decimal, cell = table.decimal(index)
    if cell:
        word = "a decimal one" if any(mark in cell for mark in decimal) else "one that parts thousands"
        notes.append(f"{shown(name) or 'values'}: the mark in {cell} is taken for {word}: no other value tells")


def _value(table: Table, line: int, name: str, index: int, cell: str) -> float | None:
    if is_absent(cell):
        return None
    value = table.number(index, cell)
    if value is None or abs(value) > 1e15:
        raise ProfileError(f'{line}: {shown(name) or "the value"} is "{shown(cell[:30])}"; allowed: a number')
    return value


def _power_factor(table: Table, series: list[Series], notes: list[str]) -> None:
    names = [name.strip().lower() for name in table.header]
    index = next((n for n, name in enumerate(names) if name in ("power_factor", "pf", "cos_phi")), None)
    if index is None or len(series) != 1:
        return
    factors = []
    for line, cells in table.rows:
        factor = table.number(index, cells[index])
        if factor is None or not 0.01 <= abs(factor) <= 1:
            raise ProfileError(
                f"{line}: {names[index]} is {shown(cells[index])}; allowed: 0.01 to 1 (lagging), -1 to -0.01 (leading)"
            )
        factors.append(factor)
    series[0].power_factors = factors
    notes.append(f"power factor: {names[index]}")


# -- a row for each value of an entity --------------------------------------------------------------------------------


def _entities(table: Table, options: Options, notes: list[str]) -> dict[str, Column]:
    """Home Assistant's history, `entity_id,state,last_changed`: what each entity wanted is. The rows of others go."""
    names = list(dict.fromkeys(cells[0] for _, cells in table.rows))
    if options.mapping is not None:
        found = what.mapped(options.mapping, [], 0)
        wanted = {name: column for column, name in found}
    else:
        power = [name for name in names if re.search(r"power|watt|load|demand", name, re.I)]
        one = names if len(names) == 1 else power
        if len(one) != 1:
            listed = ", ".join(shown(name) for name in names[:8])
            raise ProfileError(
                f"{len(names)} entities; take one with --map W=ENTITY or total_kWh=ENTITY; entities: {listed}"
            )
        energy = re.search(r"energy|kwh|_wh\b", one[0], re.I)
        unit = "total_kWh" if energy else "kW" if re.search(r"_kw\b", one[0], re.I) else "W"
        wanted = {one[0]: what.mapped(f"{unit}={one[0]}", [], 0)[0][0]}
        notes.append(f"its unit is not in the file: {shown(one[0])} taken as {unit}; --map kW=ENTITY says otherwise")
    for name in wanted:
        if name not in names:
            raise ProfileError(f"--map: no entity {shown(name)!r}; entities: {', '.join(map(shown, names[:8]))}")
    table.rows = [(line, cells) for line, cells in table.rows if cells[0] in wanted]
    table.kind = "Home Assistant history"
    return wanted


def _of_entity(table: Table, name: str, column: Column, times_us: list[int]) -> Series:
    own = [(t_us, line, cells[1]) for t_us, (line, cells) in zip(times_us, table.rows) if cells[0] == name]
    series = Series(column.quantity, column.factor, column.line, shown(name), held=True)
    series.times_us = [t_us for t_us, _, _ in own]
    series.values = [_value(table, line, name, 1, cell) for _, line, cell in own]
    return series
