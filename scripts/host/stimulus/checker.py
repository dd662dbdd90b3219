"""Checks a scenario file's values against the rows of keys.py and faults.py.

Everything unusable is refused with the file, the line where it can be found, the key, and what is allowed.
"""

import re
from typing import Any

from host.cli.refused import RefusedError
from host.stimulus.faults import PARTS
from host.stimulus.keys import BOARD_DEFAULTS, LATEST_S, STEP, TOP
from host.stimulus.kinds import Kind, Number, Register, Table, Text

FOR_S = Number(0, LATEST_S)


class Checker:
    """Checks one file. `scenario` gives what is left after the checks: keys of the file and board, and the steps."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def scenario(self, data: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Top-level keys, the board's with every default, and the steps; RefusedError where one is unusable."""
        steps = data.pop("step", [])
        if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
            raise self._wrong(("step",), "wrong type", "steps, each under its own line [[step]]")
        top = self._table(data, TOP, (), extra=("step",))
        top["board"] = {**BOARD_DEFAULTS, **top.get("board", {})}
        checked: list[dict[str, Any]] = []
        for number, step in enumerate(steps):
            checked.append(self._step(step, ("step", number), checked[-1]["at"] if checked else None))
        return top, checked

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
        self._one_of(fault, "part", tuple(PARTS), where)
        self._one_of(fault, "kind", tuple(PARTS[fault["part"]]), where)
        needs = PARTS[fault["part"]][fault["kind"]]
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
