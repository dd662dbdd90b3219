"""The samples of a COMTRADE recording: ASCII, BINARY, BINARY32, FLOAT32; missing ones by the letter of the revision.

What marks a missing sample (C37.111):
    ASCII       an empty field (1991), 99999 (1999, 2013)
    BINARY      0xFFFF (1991), 0x8000 (1999, 2013)
    BINARY32    0x80000000
    FLOAT32     the largest negative number, or no number
In 1991 0xFFFF is also -1, which every sine passes: where the channel's own range has negative values it is one.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from host.stimulus.recordings.capture import MOST_SAMPLES, RecordingError, Samples, printable
from host.stimulus.recordings.comtrade_cfg import TYPES, Analog, Config

_NO_STAMP = 0xFFFFFFFF
_LARGEST_NEGATIVE = np.finfo(np.float32).min
_BLOCK_LINES = 50_000


class Data(NamedTuple):
    """`stamps` in the file's units, NaN where there is none; `samples(channel)`: its values, NaN where missing."""

    numbers: NDArray[np.int64]
    stamps: Samples
    samples: Callable[[Analog], Samples]

    @property
    def count(self) -> int:
        """Samples of a channel."""
        return len(self.numbers)


def read(data: bytes, config: Config) -> Data:
    """The content of a .dat. RecordingError where it is not what the .cfg says."""
    wanted = config.rates[-1][1]
    if wanted > MOST_SAMPLES:
        raise RecordingError(f"{wanted} samples a channel; allowed: {MOST_SAMPLES}")
    kind = TYPES[config.type]
    found = _ascii(data, config, wanted) if kind is None else _binary(data, config, wanted, kind)
    if found.count < max(wanted, 1):
        raise RecordingError(
            f"the data file holds {found.count} samples of the {wanted} that the .cfg tells of: it is cut off"
        )
    _no_gaps(found.numbers)
    return found


def _no_gaps(numbers: NDArray[np.int64]) -> None:
    """Sample numbers that rise with holes tell of lost rows; those of recorders that do not count say nothing."""
    steps = np.diff(numbers)
    if len(steps) and (steps > 0).all() and (steps > 1).any():
        at = int(np.argmax(steps > 1))
        lost = int((steps - 1).sum())
        raise RecordingError(f"sample numbers jump from {numbers[at]} to {numbers[at + 1]}: {lost} samples are missing")


def _scaled(raw: Samples, channel: Analog, missing: NDArray[np.bool_]) -> Samples:
    values = channel.a * raw + channel.b
    values[missing | ~np.isfinite(raw)] = np.nan
    return values


def _binary(data: bytes, config: Config, wanted: int, kind: str) -> Data:
    count, words = len(config.analog), (config.status_count + 15) // 16
    row = np.dtype([("number", "<u4"), ("stamp", "<u4"), ("analog", kind, (count,)), ("status", "<u2", (words,))])
    rows = np.frombuffer(data, row, min(wanted or len(data), len(data) // row.itemsize))
    stamps = rows["stamp"].astype(float)
    stamps[rows["stamp"] == _NO_STAMP] = np.nan

    def samples(channel: Analog) -> Samples:
        raw = rows["analog"][:, channel.number - 1]
        return _scaled(raw.astype(float), channel, raw == _mark(channel, config))

    return Data(rows["number"].astype(np.int64), stamps, samples)


def _mark(channel: Analog, config: Config) -> float:
    """The raw value that stands for a missing sample; NaN: none does."""
    if config.type == "BINARY32":
        return float(-(2**31))
    if config.type == "FLOAT32":
        return float(_LARGEST_NEGATIVE)
    if config.revision > 1991:
        return float(-(2**15))
    return -1.0 if channel.low is not None and channel.low >= 0 else np.nan


def _ascii(data: bytes, config: Config, wanted: int) -> Data:
    columns = 2 + len(config.analog)
    blocks = list(_ascii_blocks(data, columns, wanted or MOST_SAMPLES))
    table = np.concatenate(blocks) if blocks else np.empty((0, columns))
    numbers = np.clip(np.nan_to_num(table[:, 0]), -(2.0**31), 2.0**32).astype(np.int64)
    stamps = np.where(table[:, 1] == _NO_STAMP, np.nan, table[:, 1])

    def samples(channel: Analog) -> Samples:
        raw = table[:, 1 + channel.number]
        marked = channel.high is None or channel.high <= 99999  # else it is a value like others
        return _scaled(raw, channel, (raw == 99999) & marked)

    return Data(numbers, stamps, samples)


def _ascii_blocks(data: bytes, columns: int, wanted: int) -> Iterator[Samples]:
    """Rows of numbers, some thousand at a time; NaN for an empty field."""
    if columns * wanted > 4 * MOST_SAMPLES and len(data) // (2 * columns) > 4 * MOST_SAMPLES // columns:
        raise RecordingError(
            f"{columns - 2} channels of {wanted} samples: too much; allowed: {4 * MOST_SAMPLES} values"
        )
    done, start = 0, 0
    number = 0
    while start < len(data) and done < wanted:
        block: list[list[bytes]] = []
        while start < len(data) and len(block) < min(_BLOCK_LINES, wanted - done):
            end = data.find(b"\n", start)
            end = len(data) if end < 0 else end
            line = data[start:end].replace(b"\x1a", b"").strip()
            start = end + 1
            number += 1
            if not line:
                continue
            cells = line.split(b",")
            if len(cells) < columns:
                if data[start:].strip(b"\x1a\r\n\t ") == b"":
                    start = len(data)  # a last line that was cut off
                    break
                raise RecordingError(f"line {number} of the data file: {len(cells)} values; allowed: {columns} or more")
            block.append(cells[:columns])
        if not block:
            return
        done += len(block)
        yield _numbers(block, number - len(block))


def _numbers(block: list[list[bytes]], before: int) -> Samples:
    try:
        return np.array([[float(cell) if cell.strip() else np.nan for cell in row] for row in block])
    except ValueError:
        for number, row in enumerate(block, before + 1):
            for cell in row:
                try:
                    float(cell or b"0") if cell.strip() else None
                except ValueError:
                    text = printable(cell.decode("latin-1").strip())
                    raise RecordingError(f'line {number} of the data file: "{text}"; allowed: a number') from None
        raise
