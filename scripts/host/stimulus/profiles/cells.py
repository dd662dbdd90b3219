"""What stands in a cell of a table: a number in any spelling, or nothing."""

import math
import re

ABSENT = {"", "unavailable", "unknown", "null", "none", "nan", "n/a", "na", "-", "--", "missing", "undefined"}
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # float() takes more: inf, 1_000
_GROUPED = re.compile(r"[+-]?\d{1,3}([.,])\d{3}(\1\d{3})*([.,]\d+)?")


def is_absent(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.strip().lower() in ABSENT


def number(cell: str, comma: bool) -> float | None:
    """The number in a cell; `comma`: a lone comma is a decimal one. None where it is none."""
    text = re.sub(r"(?<=\d)[ \u00a0\u202f'](?=\d{3})", "", cell.strip().strip('"').strip())
    if not _PLAIN.fullmatch(text) or (comma and "," in text):
        text = _ungrouped(text, comma)
    if not _PLAIN.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _ungrouped(text: str, comma: bool) -> str:
    """The number with a decimal point and without separators of thousands."""
    marks = [c for c in text if c in ".,"]
    if marks == [","] and (comma or not _GROUPED.fullmatch(text)):
        return text.replace(",", ".")
    if not _GROUPED.fullmatch(text):
        return text
    if len(set(marks)) == 2:  # the last one is the decimal one
        whole, _, part = text.rpartition(marks[-1])
        return re.sub(r"[.,]", "", whole) + "." + part
    return re.sub(r"[.,]", "", text)
