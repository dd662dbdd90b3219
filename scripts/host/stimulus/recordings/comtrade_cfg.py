"""The .cfg of a COMTRADE recording (IEEE C37.111-1991, -1999, -2013): read for what a meter needs, and no stricter.

Own code, because the package `comtrade` stops at what does not matter here (a code page of labels, a date, an absent
last line) and names no line of what does; the tests compare with it wherever it reads a file.
"""

import re
from dataclasses import dataclass, field

from host.stimulus.recordings.capture import RecordingError, printable

TYPES = {"ASCII": None, "BINARY": "<i2", "BINARY32": "<i4", "FLOAT32": "<f4"}  # and what a sample is in the file
MOST_CHANNELS = 10_000
MOST_RATES = 1000

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_YEAR = re.compile(r"(19|20)\d\d", re.ASCII)


@dataclass(frozen=True)
class Analog:
    """An analog channel: value = a * raw + b in `unit`; None: not given."""

    number: int  # its place, from 1
    name: str
    unit: str
    a: float
    b: float
    skew_us: float
    low: float | None  # of the raw values
    high: float | None
    primary: float | None
    secondary: float | None
    side: str  # "P", "S" or ""


@dataclass
class Config:
    """What a .cfg says. `rates`: (samples a second, number of the last sample at it)."""

    revision: int
    analog: list[Analog]
    status_count: int
    hz: float | None
    rates: list[tuple[float, int]]
    stamps_only: bool  # no rate is given: the stamps say when
    stamp_s: float  # seconds in a unit of a stamp
    type: str
    notes: list[str] = field(default_factory=list)


class _Lines:
    """The lines of the file, one after the other; a complaint names the line at hand."""

    def __init__(self, text: str) -> None:
        self._lines = [line.strip() for line in re.split(r"\r\n|\r|\n", text.replace("\x1a", ""))]
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        self.number = 0

    def take(self, what: str) -> str:
        if self.number >= len(self._lines):
            raise RecordingError(f"the .cfg ends after line {self.number}: {what} is missing")
        self.number += 1
        return self._lines[self.number - 1]

    def rest(self) -> bool:
        return self.number < len(self._lines)

    def wrong(self, text: str) -> RecordingError:
        return RecordingError(f"line {self.number} of the .cfg: {text}")


def parse(data: bytes) -> Config:
    """The description in the bytes of a .cfg. RecordingError names the line that cannot be used."""
    lines = _Lines(decoded(data))
    revision = _revision(lines.take("the line station,device,year"))
    total = lines.take("the line of channel counts")
    counts = re.fullmatch(r"\s*\d+\s*,\s*(\d{1,6})\s*[Aa]\s*(?:,\s*(\d{1,6})\s*[Dd]\s*)?,*", total, re.ASCII)
    if not counts:
        raise lines.wrong(f'"{printable(total)}"; allowed: counts of channels such as 6,4A,2D')
    analog_count, status_count = int(counts[1]), int(counts[2] or 0)
    if max(analog_count, status_count) > MOST_CHANNELS:
        raise lines.wrong(f"{analog_count} analog and {status_count} status channels; allowed: {MOST_CHANNELS}")
    analog = [_analog(number, lines) for number in range(1, analog_count + 1)]
    for _ in range(status_count):
        lines.take("a status channel")
    hz = _number(lines.take("the line frequency"))
    rates, stamps_only = _rates(lines)
    dates, kind = _type(lines)
    nanoseconds = any(re.search(r":\d+\.\d{7,}", date) for date in dates)
    multiplier = 1.0
    if lines.rest():
        text = lines.take("the time multiplier")
        if text:
            found = _number(text)
            if found is None or found <= 0:
                raise lines.wrong(f'the time multiplier is "{printable(text)}"; allowed: a number above 0')
            multiplier = found
    return Config(
        revision=revision,
        analog=analog,
        status_count=status_count,
        hz=hz if hz is not None and hz > 0 else None,
        rates=rates,
        stamps_only=stamps_only,
        stamp_s=(1e-9 if nanoseconds else 1e-6) * multiplier,
        type=kind,
    )


def decoded(data: bytes) -> str:
    """The text; only labels are in the recorder's code page, so any that takes all bytes serves."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _revision(line: str) -> int:
    cells = [cell.strip() for cell in line.split(",")]
    return int(cells[-1]) if len(cells) > 2 and _YEAR.fullmatch(cells[-1]) else 1991


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def _analog(number: int, lines: _Lines) -> Analog:
    cells = [cell.strip() for cell in lines.take(f"analog channel {number}").split(",")]
    cells += [""] * (13 - len(cells))
    name = cells[1]

    def value(index: int, what: str, default: float | None) -> float | None:
        if not cells[index]:
            return default
        found = _number(cells[index])
        if found is None or abs(found) > 1e15:
            raise lines.wrong(
                f'channel {number} {printable(name)}: {what} is "{printable(cells[index])}"; allowed: a number'
            )
        return found

    a = value(5, "the multiplier a", None)
    if a is None:
        raise lines.wrong(f"channel {number} {printable(name)}: the multiplier a is missing")
    return Analog(
        number,
        printable(name),
        printable(cells[4]),
        a,
        value(6, "the offset b", 0.0) or 0.0,
        value(7, "the skew", 0.0) or 0.0,
        value(8, "the minimum", None),
        value(9, "the maximum", None),
        value(10, "the primary rating", None),
        value(11, "the secondary rating", None),
        cells[12].upper()[:1],
    )


def _rates(lines: _Lines) -> tuple[list[tuple[float, int]], bool]:
    text = lines.take("the number of sampling rates")
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or int(text) > MOST_RATES:
        raise lines.wrong(f'the number of sampling rates is "{printable(text)}"; allowed: 0 to {MOST_RATES}')
    rates: list[tuple[float, int]] = []
    for _ in range(max(1, int(text))):
        row = lines.take("a sampling rate")
        cells = [cell.strip() for cell in row.split(",")]
        rate = _number(cells[0])
        last = cells[1] if len(cells) > 1 else ""
        if rate is None or not 0 <= rate <= 1e9 or not re.fullmatch(r"\d{1,10}", last, re.ASCII):
            raise lines.wrong(
                f'"{printable(row)}"; allowed: samples a second and the number of the last one, such as 1920,4000'
            )
        if rates and int(last) <= rates[-1][1]:
            raise lines.wrong(
                f"the last sample is {last}; allowed: more than {rates[-1][1]}, where the rate before ends"
            )
        rates.append((rate, int(last)))
    return rates, int(text) == 0 or not all(rate for rate, _ in rates)


def _type(lines: _Lines) -> tuple[list[str], str]:
    """The lines of dates, and the type of the data file that follows them."""
    dates: list[str] = []
    while lines.rest():
        text = lines.take("the type of the data file")
        if text.upper() in TYPES:
            return dates, text.upper()
        if len(dates) == 2:
            raise lines.wrong(f'the data file\'s type is "{printable(text)}"; allowed: {", ".join(TYPES)}')
        dates.append(text)
    raise RecordingError(f"the .cfg ends after line {lines.number}: the data file's type is missing")
