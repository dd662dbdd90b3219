"""What stands in a cell of a table: a number in any spelling, or nothing."""

import math
import re

ABSENT = {"", "unavailable", "unknown", "null", "none", "nan", "n/a", "na", "-", "--", "missing", "undefined"}
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # float() takes more: inf, 1_000
_OPEN = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)  # 1,234: a decimal mark, or one that parts thousands
_WHOLE = re.compile(r"[+-]?[1-9]\d*", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}([.,])\d{3}(\1\d{3})*([.,]\d+)?")
_OTHER = {".": ",", ",": "."}


def is_absent(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.strip().lower() in ABSENT


def number(cell: str, decimal: str) -> float | None:
    """The number in a cell; None where it is none. `decimal`: which marks are decimal ones in cells such as 1,234."""
    text = _bare(cell)
    marks = [c for c in text if c in ".,"]
    if _OPEN.fullmatch(text) and marks[0] not in decimal:
        text = text.replace(marks[0], "")
    elif len(marks) == 1:
        text = text.replace(",", ".")
    elif _GROUPED.fullmatch(text):
        whole, mark, part = text.rpartition(marks[-1]) if len(set(marks)) == 2 else (text, "", "")
        text = re.sub(r"[.,]", "", whole) + ("." if mark else "") + part
    if not _PLAIN.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def decimal_of(column: list[str], usual: str) -> tuple[str, str]:
    """(`decimal` of number() for the cells of a column; a cell whose mark nothing in the column decides, or "").

    What cells with both marks say counts most, then what others say by themselves (12,5 or 1.234.567). Where none does,
    it is as usual; but 1,500 beside 950 has thousands parted: with three decimals 950 had them too, else 1,500 none.
    """
    texts = [_bare(cell) for cell in column]
    both = {_told(text) for text in texts if "." in text and "," in text} - {""}
    told = both or {_told(text) for text in texts} - {""}
    if len(told) == 1:
        return told.pop(), ""
    doubtful = [text for text in texts if _OPEN.fullmatch(text) and not (usual == "." and "." in text)]
    if not doubtful or told:
        return usual, doubtful[0] if doubtful else ""
    whole = [text.lstrip("+-") for text in texts if _WHOLE.fullmatch(text)]
    if usual != "." and any(len(text) > 3 for text in whole):
        return usual, ""
    mark = "," if "," in doubtful[0] else "."
    if whole and all(mark in text for text in doubtful) and any(text.endswith("0") for text in doubtful):
        return _OTHER[mark], doubtful[0]
    return usual, doubtful[0]


def _bare(cell: str) -> str:
    return re.sub(r"(?<=\d)[ \u00a0\u202f'](?=\d{3})", "", cell.strip().strip('"').strip())


def _told(text: str) -> str:
    """The decimal mark that a number tells by itself; "" where it does not."""
    marks = [c for c in text if c in ".,"]
    if not marks or _OPEN.fullmatch(text):
        return ""
    if len(marks) == 1:
        return marks[0] if _PLAIN.fullmatch(text.replace(",", ".")) else ""
    if not _GROUPED.fullmatch(text):
        return ""
    return marks[-1] if marks[-1] != marks[0] else _OTHER[marks[0]]
