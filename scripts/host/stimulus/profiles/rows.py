"""The rows of delimited text: which separator it has, where its header is, and what stands in each cell."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field

from host.stimulus.profiles.cells import decimal_of, is_absent, number
from host.stimulus.profiles.clock import stamp_of
from host.stimulus.profiles.profile import ProfileError

DELIMITERS = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "bars"}
HEAD_ROWS = 60


@dataclass
class Table:
    """Rows of cells with the number of the line they end on. `usual`: which marks are decimal ones in such tables."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    usual: str
    kind: str
    decimals: dict[int, tuple[str, str]] = field(default_factory=dict)

    def decimal(self, index: int) -> tuple[str, str]:
        """cells.decimal_of() of a column."""
        if index not in self.decimals:
            self.decimals[index] = decimal_of([cells[index] for _, cells in self.rows], self.usual)
        return self.decimals[index]

    def number(self, index: int, cell: str) -> float | None:
        """The number in a cell of a column; None where it is none."""
        return number(cell, self.decimal(index)[0])


def table(text: str) -> Table:
    """The table in a text. ProfileError names the line that cannot be used."""
    lines = text.splitlines()
    delimiter = next((d for d in DELIMITERS if _first_row(_cells(lines[: HEAD_ROWS * 2], d)) is not None), None)
    if delimiter is None:
        raise ProfileError("1: no row with a time and a value; allowed: a header line, then rows such as time_s,watts")
    header: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    before: list[str] = []
    for line, cells in _cells(lines, delimiter):
        if not rows and not _is_row(cells):
            before = cells
            continue
        if not rows:
            header = before if len(before) >= 2 and len(before) >= len(cells) - 1 else []
            width = len(header) or len(cells)
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if len(cells) != width:
            named = ",".join(header[:6]) + ("..." if len(header) > 6 else "") if header else "the first row"
            raise ProfileError(f"{line}: {len(cells)} values where {shown(named)} are {width}")
        rows.append((line, cells))
    return Table(header, rows, "." if delimiter == "," else ".,", f"table, separated by {DELIMITERS[delimiter]}")


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


def _first_row(rows: Iterator[tuple[int, list[str]]]) -> int | None:
    try:
        return next((line for line, cells in rows if _is_row(cells)), None)
    except ProfileError:
        return None


def _is_row(cells: list[str]) -> bool:
    """Whether these cells are data: a time, and something that is or stands for a value."""
    stamps = sum(stamp_of(cell) is not None for cell in cells)
    numbers = sum(number(cell, ".") is not None for cell in cells)
    absent = sum(is_absent(cell) for cell in cells)
    return len(cells) >= 2 and (numbers >= 2 or (stamps >= 1 and numbers + absent >= 1))


def shown(text: str) -> str:
    """A cell or a name for a message."""
    return "".join(c if c.isprintable() else "?" for c in text[:60])
