"""Puts registers into an answer, from any address on: the meter's own map, interval data, SunSpec (AM-2 to AM-4).

layout.py tells which register shows what. Nothing here takes heap after construction.
"""

from struct import pack_into

from openkh.remote.layout import (
    CONSTANT,
    INTERVAL_WORDS,
    INTERVALS_FIRST,
    LINE_1,
    LINE_2,
    LINE_SOURCES,
    LONG,
    OWN,
    OWN_FIRST,
    OWN_WORDS,
    REPEATED,
    SOURCES,
    SUNSPEC_DUAL,
    SUNSPEC_FIRST,
    SUNSPEC_SINGLE,
    SUNSPEC_WORDS,
    TEXT,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from openkh.remote.reading import Reading

    class Intervals(Protocol):
        """Interval data as slots of INTERVAL_WORDS registers."""

        slots: int

        def encode(self, slot: int, buf: bytearray, at: int) -> None: ...


MARGIN = 40  # bytes before and after an answer's data that are overwritten by a value of which it has only a part


class Registers:
    """`reading`: what the registers show. `intervals`: the interval data, None where there are none. `buf`: where `put`
    writes."""

    def __init__(self, reading: "Reading", intervals: "Intervals | None", buf: bytearray) -> None:
        self.reading = reading
        self._intervals = intervals
        self._buf = buf
        self._sunspec = SUNSPEC_DUAL if reading.elements == 2 else SUNSPEC_SINGLE
        self._interval_words = INTERVAL_WORDS * intervals.slots if intervals is not None else 0
        self._rows = OWN
        self._first = 0  # the answer's data are the bytes of the buffer from this one
        self._end = 0  # to before this one

    def has(self, address: int, count: int) -> bool:
        """Whether each of `count` registers from `address` on exists; no two blocks touch."""
        end = address + count
        return (
            end <= OWN_FIRST + OWN_WORDS
            or (address >= INTERVALS_FIRST and end <= INTERVALS_FIRST + self._interval_words)
            or (address >= SUNSPEC_FIRST and end <= SUNSPEC_FIRST + SUNSPEC_WORDS)
        )

    def put(self, address: int, count: int, at: int) -> None:
        """Write `count` registers, which have to exist, from `address` on into the buffer from `at` on. Overwrites up
        to MARGIN bytes before and after them."""
        self._first = at
        self._end = at + 2 * count
        if address >= SUNSPEC_FIRST:
            self._rows = self._sunspec
            address -= SUNSPEC_FIRST
        elif address >= INTERVALS_FIRST:
            self._put_slots(address - INTERVALS_FIRST)
            return
        else:
            self._rows = OWN
            address -= OWN_FIRST
        self.reading.take()
        self._put_rows(at - 2 * address)

    def _put_slots(self, register: int) -> None:
        """Write interval data. `register`: the first one, counted from the first slot's."""
        intervals = self._intervals
        slot = register // INTERVAL_WORDS
        at = self._first - 2 * (register - slot * INTERVAL_WORDS)
        while at < self._end and intervals is not None:
            intervals.encode(slot, self._buf, at)
            slot += 1
            at += 2 * INTERVAL_WORDS

    def _put_rows(self, at: int) -> None:
        """Go through the rows of a block, whose first register would come to buf[at], and write those that are
        wanted."""
        rows = self._rows
        row = 0
        while at < self._end:
            kind = rows[row]
            width = 2
            if kind == LONG:
                width = 4
            elif kind == TEXT or kind == REPEATED:  # noqa: SIM109  a tuple would be searched
                width = 2 * rows[row + 2]
            if at + width > self._first:
                self._put_row(row, at)
            at += width
            row += 3

    def _put_row(self, row: int, at: int) -> None:
        """Write the row that begins at `row` of the table to buf[at]."""
        kind = self._rows[row]
        if kind == CONSTANT:
            self._put_word(self._rows[row + 1] << 8 | self._rows[row + 2], at)
        elif kind == REPEATED:
            self._repeat(row, at)
        elif kind == TEXT:
            self._put_text(self._value(row), 2 * self._rows[row + 2], at)
        elif kind == LONG:
            pack_into(">i", self._buf, at, self._value(row))
        else:  # WORD
            self._put_word(self._value(row), at)

    def _put_word(self, value: int, at: int) -> None:
        self._buf[at] = value >> 8 & 255
        self._buf[at + 1] = value & 255

    def _value(self, row: int):  # type: ignore[no-untyped-def]
        """What the row's source shows now: an integer or bytes."""
        source = self._rows[row + 1]
        if source < LINE_1:
            return getattr(self.reading, SOURCES[source])
        if source < LINE_2:
            return getattr(self.reading.line_1, LINE_SOURCES[source - LINE_1])
        return getattr(self.reading.line_2, LINE_SOURCES[source - LINE_2])

    def _put_text(self, text: bytes, width: int, at: int) -> None:
        i = 0
        while i < width:
            self._buf[at + i] = text[i] if i < len(text) else 0
            i += 1

    def _repeat(self, row: int, at: int) -> None:
        """The constant of the row before, in those registers that are asked for."""
        end = min(at + 2 * self._rows[row + 2], self._end)
        at = max(at, self._first)
        while at < end:
            self._put_word(self._rows[row - 2] << 8 | self._rows[row - 1], at)
            at += 2
