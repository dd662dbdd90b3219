"""Kinds of values in a scenario file: what each takes, in the words of a refusal, and what it becomes.

`check` returns None where the value is allowed, else what is; `clean` makes the Python value of one that is.
"""

import math
from dataclasses import dataclass
from typing import Any

from boards.virtual.ade7953.registers import NARROW, WIDE


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
class Sign:
    """1 or -1."""

    def check(self, value: Any) -> str | None:
        return None if value in (1, -1) and not isinstance(value, (bool, float)) else "1 or -1"

    def clean(self, value: Any) -> int:
        return int(value)


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


Kind = Number | Register | Choice | Sign | Text | Flag | Table
