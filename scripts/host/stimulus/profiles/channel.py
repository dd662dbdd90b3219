"""channel_N.dat of UK-DALE and REDD: Unix time and watts, apart by a space; a value every few seconds."""

import re
from datetime import UTC

from host.stimulus.profiles.profile import Options, Profile, ProfileError
from host.stimulus.profiles.series import Series, combined, stretches

HOLD_US = 120_000_000  # a plug that has said nothing for longer was off or out of reach (as NILMTK takes it)
_ROW = re.compile(r"(\d{9,10}(?:\.\d+)?)[ \t]+(-?\d+(?:\.\d+)?)((?:[ \t]+-?\d+(?:\.\d+)?)*)\s*", re.ASCII)


def matches(head: str) -> bool:
    """Whether the first line is Unix time and numbers, apart by spaces."""
    return bool(_ROW.fullmatch(head.partition("\n")[0]))


def read(text: str, options: Options) -> Profile:
    """The profile of a channel. ProfileError names the line that cannot be used."""
    if options.mapping is not None:
        raise ProfileError("--map: a channel's file has one column")
    series = Series("power", hold_us=HOLD_US, held=True)
    origin: float | None = None
    repeated = 0
    notes: list[str] = []
    for line, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        found = _ROW.fullmatch(row)
        if not found:
            shown = "".join(c if c.isprintable() else "?" for c in row[:40])
            raise ProfileError(f'{line}: "{shown}"; allowed: Unix time and watts, apart by a space')
        seconds = float(found[1])
        origin = seconds if origin is None else origin
        t_us = round((seconds - origin) * 1e6)
        if series.times_us and t_us <= series.times_us[-1]:
            if t_us < series.times_us[-1]:
                raise ProfileError(f"{line}: the time {found[1]} is earlier than that of the row before")
            repeated += 1
            series.values[-1] = float(found[2])
            continue
        if found[3] and not notes:
            notes.append("several columns: the first, active power, is taken")
        series.times_us.append(t_us)
        series.values.append(float(found[2]))
    if repeated:
        notes.append(f"{repeated} times come twice: the later value counts")
    spans, per_line = combined([(series, stretches(series, notes))])
    if not spans:
        raise ProfileError("one value alone does not say how long it holds; allowed: two rows or more")
    kind, values = "channel of an appliance data set", len(series.values)
    return Profile(kind, spans, per_line, origin, options.zone or UTC, values=values, notes=notes)
