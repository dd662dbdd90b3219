"""What each column of a table is: by its name, by `--map`, or because it is a known program's."""

import re
from dataclasses import dataclass

from host.stimulus.profiles.profile import ProfileError

UNITS = {  # quantity, and factor to watts, watt-hours or amps
    "w": ("power", 1.0),
    "watt": ("power", 1.0),
    "watts": ("power", 1.0),
    "kw": ("power", 1e3),
    "wh": ("energy", 1.0),
    "kwh": ("energy", 1e3),
    "mwh": ("energy", 1e6),
    "a": ("current", 1.0),
    "amp": ("current", 1.0),
    "amps": ("current", 1.0),
}
MAP_KEYS = "W, kW, Wh, kWh, MWh, total_Wh, total_kWh, A; with 1 or 2 for a line, export_ before it for what flows back"
_KEY = re.compile(r"(?P<out>export_)?(?P<total>total_)?(?P<unit>w|kw|wh|kwh|mwh|a)(?P<line>[12])?", re.I)
_TIME = re.compile(
    r"(time|timestamp|date|datetime|date.?time|utc|epoch|unix|seconds?|t|s|zeit|datum|zeitstempel|last_changed|"
    r"last_updated|start|begin|from|created)\b.*|time_s|.*(time|date|timestamp)( ?utc)?|.*\b(utc|start)",
    re.I,
)
_OUT = re.compile(r"export|return|_ret_|feed.?in|to.?grid|inject|received|einspeis", re.I)
_TOTAL = re.compile(r"total|cumul|reading|register|counter|lifetime|index|zaehlerstand|zählerstand|meter", re.I)
_LINE = re.compile(r"(?:^|[^a-z0-9])(?:l|line|leg|phase|ph)[ _-]?([12abAB])(?:$|[^a-z0-9])", re.I)
_BRACKETED = re.compile(rf"[\[(]\s*({'|'.join(UNITS)})\s*[\])]")
_OTHER = re.compile(
    r"volt|temp|price|cost|\bpf\b|factor|hertz|\bhz\b|react|var\b|apparent|\bva\b|solar|humid|quality|_id\b", re.I
)
_POWER = re.compile(r"power|load|demand|leistung|verbrauch_w|state|value|consumption|usage|main", re.I)


@dataclass(frozen=True)
class Column:
    """A column (from 0) with values. `quantity` as series.Series, and "current"; `sure`: its unit is given."""

    index: int
    name: str
    quantity: str
    factor: float
    line: int = 0
    sure: bool = True


@dataclass(frozen=True)
class Known:
    """The table of a known program: its name, a pattern of its header, and its columns with the --map key of each."""

    name: str
    header: re.Pattern[str]
    columns: tuple[tuple[str, str], ...]  # (pattern of the name, key)


KNOWN = (
    Known(
        "Shelly, three phases",
        re.compile(r"timestamp,a_total_act_energy,"),
        (
            (r"a_total_act_energy", "Wh1"),
            (r"b_total_act_energy", "Wh2"),
            (r"c_total_act_energy", "Wh"),
            (r"a_total_act_ret_energy", "export_Wh1"),
            (r"b_total_act_ret_energy", "export_Wh2"),
            (r"c_total_act_ret_energy", "export_Wh"),
        ),
    ),
    Known(
        "Shelly, one phase",
        re.compile(r"timestamp,total_act_energy,"),
        ((r"total_act_energy", "Wh"), (r"total_act_ret_energy", "export_Wh")),
    ),
    Known(
        "Shelly EM",
        re.compile(r"date/time utc,active energy wh"),
        ((r"active energy wh.*", "Wh"), (r"returned energy wh.*", "export_Wh")),
    ),
)


def known(header: list[str]) -> Known | None:
    """The program whose table this is."""
    line = ",".join(header).lower()
    return next((program for program in KNOWN if program.header.match(line)), None)


def of_known(program: Known, header: list[str]) -> list[Column]:
    """Its columns. The third phase goes to line 2's share only where there is no line to split by: see table.py."""
    found = []
    for index, name in enumerate(header):
        for pattern, key in program.columns:
            if re.fullmatch(pattern, name.strip(), re.I):
                found.append(_column(index, name, key))
    return found


def mapped(mapping: str, header: list[str], width: int) -> list[tuple[Column, str]]:
    """The columns of a `--map KEY=COLUMN,...`, each with what was typed; index -1: no column has that name."""
    found = []
    for part in [p.strip() for p in mapping.split(",") if p.strip()]:
        key, equals, wanted = part.partition("=")
        wanted = wanted.strip()
        if not equals or not wanted or not _KEY.fullmatch(key.strip()):
            raise ProfileError(f"--map: {part!r}; allowed: KEY=COLUMN with the keys {MAP_KEYS}")
        indexes = [n for n, name in enumerate(header) if name.strip().lower() == wanted.lower()]
        if not indexes and re.fullmatch(r"\d{1,4}", wanted, re.ASCII) and 1 <= int(wanted) <= width:
            indexes = [int(wanted) - 1]
        found.append((_column(indexes[0] if indexes else -1, wanted, key.strip()), wanted))
    if not found:
        raise ProfileError(f"--map: nothing is named; allowed: KEY=COLUMN with the keys {MAP_KEYS}")
    if len({column.line > 0 for column, _ in found}) > 1:
        raise ProfileError(
            "--map: columns of one line beside some of both; allowed: keys with 1 or 2, or none with them"
        )
    return found


def _column(index: int, name: str, key: str) -> Column:
    found = _KEY.fullmatch(key)
    assert found is not None
    quantity, factor = UNITS[found["unit"].lower()]
    if found["total"]:
        if quantity != "energy":
            raise ProfileError(f"--map: {key}; allowed: total_Wh, total_kWh")
        quantity = "total"
    return Column(index, name.strip(), quantity, -factor if found["out"] else factor, int(found["line"] or 0))


def is_time(name: str) -> bool:
    """Whether a column's name says that it holds times."""
    return bool(_TIME.fullmatch(name.strip().strip("\"'").strip()))


def named(index: int, header: list[str]) -> Column | None:
    """The column as its name tells; None where it is something else than power or energy."""
    name = header[index]
    line = _LINE.search(name)
    tokens = _tokens(_LINE.sub(" ", name))
    place = None if line else _letter(tokens, [_tokens(one) for one in header])
    number = (1 if line[1] in "1aA" else 2) if line else 0
    if place is not None:
        number = 1 if tokens.pop(place) == "a" else 2
    unit = _unit(name, tokens)
    if unit is None and _OTHER.search(name):
        return None
    sign = -1.0 if _OUT.search(name) else 1.0
    if unit is not None:
        quantity, factor = UNITS[unit]
        if quantity == "energy" and _TOTAL.search(name):
            quantity = "total"
        return Column(index, name.strip(), quantity, sign * factor, number)
    if _POWER.search(name):
        return Column(index, name.strip(), "power", sign, number, sure=False)
    return None


def _tokens(name: str) -> list[str]:
    return [token for token in re.split(r"[^a-z0-9]+", name.lower()) if token]


def _letter(tokens: list[str], columns: list[list[str]]) -> int | None:
    """Where the "a" or "b" of a line stands: at the end but for units, with the other one in another column's place."""
    for place in range(len(tokens) - 1, -1, -1):
        other = {"a": "b", "b": "a"}.get(tokens[place])
        if other and [*tokens[:place], other, *tokens[place + 1 :]] in columns:
            return place
        if tokens[place] not in UNITS:
            break
    return None


def _unit(name: str, tokens: list[str]) -> str | None:
    """The unit in a name whose `tokens` are no line's; an "a" is one only where there is no longer one."""
    units = [token for token in tokens if token in UNITS]
    long = [token for token in units if len(token) > 1]
    bracketed = _BRACKETED.search(name.lower())
    if bracketed and bracketed[1] in units and not (long and bracketed[1] == "a"):
        return bracketed[1]
    if long:
        return long[-1]
    return units[-1] if units and tokens[-1] == units[-1] else None


def chosen(columns: list[Column]) -> tuple[list[Column], list[Column]]:
    """(those that make the load, those left out): both lines', or one with what flows back beside it."""
    if not columns:
        return [], []
    sure = [column for column in columns if column.sure] or columns
    first = next((c for c in sure if c.factor > 0), sure[0])
    alike = [c for c in sure if c.quantity == first.quantity and (c.line > 0) == (first.line > 0)]
    taken: list[Column] = []
    for column in alike:
        if not any(c.line == column.line and (c.factor > 0) == (column.factor > 0) for c in taken):
            taken.append(column)
    return taken, [column for column in columns if column not in taken]
