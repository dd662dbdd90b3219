"""Scenario files (TOML): what happens on the virtual board, checked in full before anything runs.

The layout is the project's interface (docs/run.md). Everything unusable is refused with the file, the line where
it can be found, the key, and what is allowed.
"""

import math
import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

from boards.virtual.ade7953_registers import NARROW, WIDE
from host.cli.refused import RefusedError, read_text
from host.stimulus.source import Event, Line, Point, Source, source_of_points
from openkh.model import Model

LATEST_S = 3.2e9  # a century; beyond it a time is a slip of the pen


@dataclass(frozen=True)
class Number:
    """A number (int or float, not a boolean) between two limits, in the unit that the key names."""

    low: float
    high: float
    whole: bool = False

    def check(self, value: Any) -> str | None:
        kind = "a whole number" if self.whole else "a number"
        allowed = f"{kind} from {self.low:.15g} to {self.high:.15g}"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return allowed
        if isinstance(value, float) and (not math.isfinite(value) or (self.whole and not value.is_integer())):
            return allowed
        return None if self.low <= value <= self.high else allowed

    def clean(self, value: Any) -> int | float:
        return int(value) if self.whole else float(value)


@dataclass(frozen=True)
class Register:
    """The address of a register that the front end stores, at 0x2xx also under its 32-bit address 0x3xx."""

    def check(self, value: Any) -> str | None:
        stored = sorted({*NARROW, *WIDE})
        if isinstance(value, bool) or not isinstance(value, int):
            return "a whole number such as 0x282"
        if value in stored or (0x300 <= value < 0x400 and value - 0x100 in WIDE):
            return None
        return "registers that the chip stores, " + _ranges(stored) + ", and 0x3xx for 0x2xx"

    def clean(self, value: Any) -> int:
        return int(value)


def _ranges(numbers: list[int]) -> str:
    """Sorted numbers in hexadecimal, neighbours drawn together."""
    rows: list[list[int]] = []
    for number in numbers:
        if rows and number == rows[-1][-1] + 1:
            rows[-1].append(number)
        else:
            rows.append([number])
    return ", ".join(f"0x{row[0]:03X}" + (f" to 0x{row[-1]:03X}" if len(row) > 1 else "") for row in rows)


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]

    def check(self, value: Any) -> str | None:
        return None if isinstance(value, str) and value in self.words else " or ".join(f'"{w}"' for w in self.words)

    def clean(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True)
class Text:
    """Any text; what it may say is checked elsewhere (the model code)."""

    def check(self, value: Any) -> str | None:
        return None if isinstance(value, str) else "a text in quotes"

    def clean(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True)
class Flag:
    """true or false."""

    def check(self, value: Any) -> str | None:
        return None if isinstance(value, bool) else "true or false"

    def clean(self, value: Any) -> bool:
        return bool(value)


@dataclass(frozen=True)
class Table:
    """A table of the keys given; every key may be left out, a fault's own ones excepted (see `_fault`)."""

    keys: dict[str, "Kind"]

    def check(self, value: Any) -> str | None:
        return None if isinstance(value, dict) else f"a table {{...}} with {', '.join(self.keys)}"


Kind = Number | Register | Choice | Text | Flag | Table

CT = Table({"ratio_percent": Number(-50, 50), "phase_minutes": Number(-600, 600)})
CHIP = Table({"v_gain_percent": Number(-50, 50), "i_gain_percent": Number(-50, 50), "noise": Flag()})
BOARD = Table(
    {
        "ct1": CT,
        "ct2": CT,
        "chip1": CHIP,
        "chip2": CHIP,
        "memory": Choice(("fram", "flash")),
        "display": Choice(("pcf85176", "ht1621", "none")),
        "holdup_ms": Number(0, 60_000),
        "counter_ma": Number(0, 1000),
        "start_delivered_wh": Number(0, 999_999_999, whole=True),
        "seal": Choice(("open", "closed")),
    }
)
LINE = Table(
    {
        "volts": Number(0, 1000),
        "amps": Number(0, 10_000),
        "degrees": Number(-360, 360),
        "volts_degrees": Number(-360, 360),
    }
)

# part -> kind -> the keys that this fault must name; for_s may always stand beside them.
_CHIP_FAULTS = {
    "reset": {},
    "silent": {},
    "stuck_ones": {},
    "stuck_zeros": {},
    "bit_error": {"rate": Number(0, 1)},
    "drop_cs": {"rate": Number(0, 1)},
    "register": {"address": Register(), "value": Number(-(2**31), 2**32 - 1, whole=True)},
}
_MEMORY_FAULTS = {"silent": {}, "stuck": {}, "bit_error": {"rate": Number(0, 1)}}
FAULTS: dict[str, dict[str, dict[str, Number | Register]]] = {
    "chip1": _CHIP_FAULTS,
    "chip2": _CHIP_FAULTS,
    "lcd": {"silent": {}, "corrupt": {}},
    "fram": _MEMORY_FAULTS,
    "flash": _MEMORY_FAULTS,
    "rail_sense": {"stuck": {"ma": Number(0, 1000)}},
    "cpu": {"hang": {}, "exception": {}, "reset": {}, "stall": {"ms": Number(0, 3_600_000)}},
}
FOR_S = Number(0, LATEST_S)

STEP = Table(
    {
        "at": Number(0, LATEST_S),
        "ramp": Flag(),
        "l1": LINE,
        "l2": LINE,
        "hz": Number(40, 70),
        "power": Flag(),
        "fault": Table({"part": Choice(tuple(FAULTS)), "kind": Text()}),  # the rest depends on the part
        "load12v_ma": Number(0, 10_000),
    }
)
TOP = Table(
    {
        "model": Text(),
        "service": Choice(("60Hz", "50Hz")),
        "seed": Number(-(2**63), 2**63 - 1, whole=True),
        "board": BOARD,
    }
)

BOARD_DEFAULTS: dict[str, Any] = {
    "ct1": {},
    "ct2": {},
    "chip1": {},
    "chip2": {},
    "memory": "fram",
    "display": "pcf85176",
    "holdup_ms": 80.0,
    "counter_ma": 8.0,
    "start_delivered_wh": 0,
    "seal": "open",
}


@dataclass
class Scenario:
    """A checked scenario. `steps` hold what each step names, as in the file; `source` makes them into a stimulus."""

    path: str = ""
    model: str | None = None
    service: str | None = None
    seed: int = 1
    board: dict[str, Any] = field(default_factory=lambda: dict(BOARD_DEFAULTS))
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def drives_mains(self) -> bool:
        """Whether any step says what the lines carry (a load profile or recording cannot do so as well)."""
        return any(key in step for step in self.steps for key in ("l1", "l2", "hz", "ramp"))

    @property
    def end_s(self) -> float | None:
        """The time of the last step, with which a scenario ends by itself; None where nothing comes after the start."""
        return self.steps[-1]["at"] if self.steps and self.steps[-1]["at"] > 0 else None

    def events(self) -> list[Event]:
        """Power, faults and the load on +12VDC as stimulus items."""
        items: list[Event] = []
        for step in self.steps:
            at_us = round(step["at"] * 1e6)
            if "power" in step:
                items.append(["power", at_us, int(step["power"])])
            if "fault" in step:
                fault = dict(step["fault"])
                for_us = round(fault.pop("for_s", 0) * 1e6)
                items.append(["fault", at_us, fault.pop("part"), fault.pop("kind"), fault, for_us])
            if "load12v_ma" in step:
                items.append(["load12v", at_us, step["load12v_ma"]])
        return items

    def source(self, model: Model) -> Source:
        """The steps as a stimulus source for `model`; a new scenario begins with nominal volts and no current."""
        volts = model.nominal_mv / 1000
        lines = [Line(volts, 0.0, 0.0, 0.0), Line(volts, 0.0, 0.0, 180.0)]
        hz = float(model.hz)
        points = [Point(0, False, (lines[0], lines[1]), hz)]
        for step in self.steps:
            for index, key in enumerate(("l1", "l2")):
                lines[index] = lines[index]._replace(**step.get(key, {}))
            hz = step.get("hz", hz)
            points.append(Point(round(step["at"] * 1e6), step.get("ramp", False), (lines[0], lines[1]), hz))
        return source_of_points(points, self.events(), self.end_s)


def load(path: str) -> Scenario:
    """The scenario in the TOML file `path`; RefusedError where it is unusable."""
    return parse(read_text(path, "scenario"), path)


def parse(text: str, path: str) -> Scenario:
    """The scenario in `text`; `path` is for messages. RefusedError where it is unusable."""
    try:
        data = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as e:
        message, _, where = str(e).removesuffix(")").rpartition(" (at ")
        line = re.match(r"line (\d+),", where)
        number = line[1] if line else len(text.splitlines())
        raise RefusedError(f"scenario {path}:{number}: not valid TOML: {message}") from None
    except (ValueError, RecursionError) as e:  # a number of thousands of digits; nesting without end
        raise RefusedError(f"scenario {path}: not valid TOML: {e}") from None
    return _Checker(path, text).scenario(data)


class _Checker:
    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def scenario(self, data: dict[str, Any]) -> Scenario:
        steps = data.pop("step", [])
        if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
            raise self._wrong(("step",), "wrong type", "steps, each under its own line [[step]]")
        top = self._table(data, TOP, (), extra=("step",))
        board = {**BOARD_DEFAULTS, **top.pop("board", {})}
        checked: list[dict[str, Any]] = []
        for number, step in enumerate(steps):
            checked.append(self._step(step, ("step", number), checked[-1]["at"] if checked else None))
        return Scenario(self.path, board=board, steps=checked, **top)

    def _step(self, step: dict[str, Any], where: tuple, before_s: float | None) -> dict[str, Any]:
        if "at" not in step:
            raise self._wrong(where, "has no time", "at = simulated seconds")
        fault = step.get("fault")
        plain = self._table({k: v for k, v in step.items() if k != "fault"}, STEP, where)
        at_s = plain["at"]
        if before_s is not None and at_s < before_s:
            at = f"{at_s:.15g} s is out of order"
            raise self._wrong((*where, "at"), at, f"steps in order of time, here from {before_s:.15g} on")
        if plain.get("ramp") and at_s <= (before_s or 0.0):
            allowed = f"a ramp that ends later than the step before it, here after {before_s or 0:.15g}"
            raise self._wrong((*where, "at"), f"a ramp to {at_s:.15g} s has no time", allowed)
        if fault is not None:
            plain["fault"] = self._fault(fault, (*where, "fault"))
        return plain

    def _fault(self, fault: Any, where: tuple) -> dict[str, Any]:
        if not isinstance(fault, dict):
            raise self._wrong(where, "wrong type", 'a table {part = "...", kind = "...", ...}')
        self._one_of(fault, "part", tuple(FAULTS), where)
        self._one_of(fault, "kind", tuple(FAULTS[fault["part"]]), where)
        needs = FAULTS[fault["part"]][fault["kind"]]
        keys: dict[str, Kind] = {"part": Text(), "kind": Text(), **needs, "for_s": FOR_S}
        for key in needs:
            if key not in fault:
                raise self._wrong(where, f"{fault['part']} {fault['kind']} does not name {key}", ", ".join(keys))
        return self._table(fault, Table(keys), where)

    def _one_of(self, table: dict[str, Any], key: str, allowed: tuple[str, ...], where: tuple) -> None:
        value = table.get(key)
        if not isinstance(value, str) or value not in allowed:
            found = f"is {_show(value)}" if key in table else "is missing"
            raise self._wrong((*where, key), found, ", ".join(allowed))

    def _table(self, value: dict[str, Any], table: Table, where: tuple, extra: tuple[str, ...] = ()) -> dict[str, Any]:
        """`value` with every key checked; `extra` are keys that are allowed here and checked elsewhere."""
        checked: dict[str, Any] = {}
        for key, item in value.items():
            here = (*where, key)
            kind = table.keys.get(key)
            if kind is None:
                raise self._wrong(here, "unknown key", ", ".join((*table.keys, *extra)))
            allowed = kind.check(item)
            if allowed is not None:
                raise self._wrong(here, f"is {_show(item, isinstance(kind, Register))}", allowed)
            checked[key] = self._table(item, kind, here) if isinstance(kind, Table) else kind.clean(item)
        return checked

    def _wrong(self, where: tuple, what: str, allowed: str) -> RefusedError:
        line = find_line(self.lines, where)
        place = f"{self.path}:{line}" if line else self.path
        return RefusedError(f"scenario {place}: {_name(where)}: {what}; allowed: {allowed}")


def _show(value: Any, address: bool = False) -> str:
    """`value` in few words, for a message."""
    if isinstance(value, bool):
        return str(value).lower()
    if address and isinstance(value, int) and 0 <= value <= 0xFFFF:
        return f"0x{value:03X}"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a number of very many digits"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= 40 else text[:37] + "..."


def _name(where: tuple) -> str:
    """The key as a person says it: step 3, l1.amps."""
    keys = ".".join("".join(c if c.isprintable() else "?" for c in part) for part in where if isinstance(part, str))
    if len(where) > 1 and where[0] == "step":
        return f"step {where[1] + 1}, {keys[5:]}" if len(where) > 2 else f"step {where[1] + 1}"
    return keys


_KEY = r"(?:[\w-]+|\"[^\"]*\"|'[^']*')"
_ASSIGNMENT = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=(.*)")


def find_line(lines: list[str], where: tuple) -> int | None:
    """The number, from 1, of the line in which the key `where` stands, or of the innermost table around it.

    The TOML parser gives no positions; this reads just enough to follow headers and keys in ordinary spelling.
    """
    best: int | None = None
    depth = 0
    table: tuple = ()
    steps = -1
    for number, line in enumerate(lines, 1):
        header = re.match(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]", line)
        if header:
            table = _keys(header[2])
            if header[1] == "[[" and table == ("step",):
                steps += 1
            if table[:1] == ("step",) and steps >= 0:
                table = ("step", steps, *table[1:])
            found = table
        else:
            key = _ASSIGNMENT.match(line)
            if not key:
                continue
            found = (*table, *_keys(key[1]))
            inner = where[len(found) :]
            if found == where[: len(found)]:  # what is left stands in an inline table on this line, or nowhere
                while inner and re.search(rf"[{{,]\s*[\"']?{re.escape(str(inner[0]))}[\"']?\s*=", key[2]):
                    found, inner = (*found, inner[0]), inner[1:]
        if found == where[: len(found)] and len(found) > depth:
            best, depth = number, len(found)
    return best


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
