"""Waveforms as text columns: numbers apart by comma, semicolon, tab or spaces, with or without a header.

Public appliance sets have pairs of current and voltage (30 kHz, no header); oscilloscopes have lines of text first and
a column of time in seconds.
"""

import os
import re
import warnings

import numpy as np

from host.stimulus.recordings.capture import (
    LONGEST_S,
    MOST_SAMPLES,
    Capture,
    Channel,
    Part,
    RecordingError,
    even,
    printable,
)

MOST_BYTES = 128 * 10**6  # a value takes two at least, and eight in memory
_MOST_DIGITS = 12  # of a stamp in seconds
MOST_COLUMNS = 64
MOST_HEADER_LINES = 50
_TIME = re.compile(r"(time|t|x|second|seconds|zeit)\b.*", re.I)
_NAME = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\])]*)[\])]\s*")
_SEPARATORS = (";", "\t", ",", None)  # None: spaces


def matches(path: str, head: bytes) -> bool:
    """Whether this may be text columns: no binary file."""
    del path
    return b"\0" not in head and bool(re.search(rb"\d", head))


def read(path: str, rate_hz: float | None) -> Capture:
    """The columns of a text file as channels, numbered from 1. RecordingError with one clear line otherwise."""
    if os.path.getsize(path) > MOST_BYTES:
        raise RecordingError(f"{os.path.getsize(path) // 10**6} MB; allowed: {MOST_BYTES // 10**6} MB")
    with open(path, encoding="utf-8-sig", errors="replace") as f:
        head = [line for _, line in zip(range(MOST_HEADER_LINES + 1), f)]
    separator, skipped, columns = _layout(head)
    names = _names(head[skipped - 1], separator) if skipped else []
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as f, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of blank lines
            table = np.loadtxt(
                f,
                delimiter=separator,
                skiprows=skipped,
                usecols=range(columns),
                comments="#",
                ndmin=2,
                max_rows=MOST_SAMPLES + 1,
                converters=_decimal_comma if separator in (";", "\t") else None,
            )
    except (ValueError, UnicodeDecodeError) as e:
        raise RecordingError(f"not columns of numbers: {printable(str(e).splitlines()[0], 160)}") from None
    if len(table) > MOST_SAMPLES:
        raise RecordingError(f"more than {MOST_SAMPLES} samples a channel; allowed: {MOST_SAMPLES}")
    if table.shape[1] > MOST_COLUMNS:
        raise RecordingError(f"{table.shape[1]} columns; allowed: {MOST_COLUMNS}")
    names = names[:-1] if names and not names[-1] else names
    names = names if len(names) == table.shape[1] else [f"column {n + 1}" for n in range(table.shape[1])]
    timed = bool(_TIME.fullmatch(names[0])) and table.shape[1] > 1
    channels = [_channel(n, name, table[:, n - 1]) for n, name in enumerate(names, 1) if not (timed and n == 1)]
    if rate_hz is not None:
        instants, parts = even(len(table), rate_hz)
    elif timed:
        instants = table[:, 0] - table[0, 0]
        parts = [Part(0, len(table) - 1, None)]
        if not np.isfinite(instants).all() or abs(instants[-1]) > LONGEST_S:
            raise RecordingError(f"column 1 is no time in seconds within {LONGEST_S:g} s; give the rate with --rate HZ")
    else:
        raise RecordingError("columns without a time: give their rate with --rate HZ, for instance --rate 30000")
    stamp_s = _rounded_to(instants) if timed and rate_hz is None else 0.0
    return Capture(f"text, {table.shape[1]} columns", channels, instants, parts, stamp_s)


def _layout(head: list[str]) -> tuple[str | None, int, int]:
    """(separator, lines before the first row of numbers, numbers in it); a separator may end the row."""
    for place, line in enumerate(head):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        for separator in _SEPARATORS:
            cells = text.split(separator)
            if not cells[-1].strip():
                cells.pop()
            if len(cells) > 1 and all(_is_number(cell, separator) for cell in cells):
                return separator, place, len(cells)
    raise RecordingError(f"no row of two or more numbers in its first {len(head)} lines")


def _is_number(cell: str, separator: str | None) -> bool:
    try:
        float(cell.replace(",", ".") if separator in (";", "\t") else cell)
    except ValueError:
        return False
    return True


def _decimal_comma(cell: str) -> float:
    return float(cell.replace(",", "."))


def _names(line: str, separator: str | None) -> list[str]:
    return [printable(cell.strip().strip('"#').strip()) for cell in line.strip().split(separator)]


def _channel(number: int, name: str, values: np.ndarray) -> Channel:
    found = _NAME.fullmatch(name)
    unit = found["unit"] if found else ""
    return Channel(number, found["name"] if found else name, unit, lambda: np.array(values, dtype=float))


def _rounded_to(instants: np.ndarray) -> float:
    """The power of ten that the stamps are rounded to: the largest of which all of them are multiples; 0 for none."""
    for digits in range(_MOST_DIGITS + 1):
        units = instants * 10.0**digits
        if np.all(np.abs(units - np.rint(units)) < 1e-3):
            return float(10.0**-digits)
    return 0.0
