"""From a source to what the engine is told, window by window, and the true energy of it in double precision.

The engine gets `mains` items at changes, a ramp cut where a window ends (it is linear, so the pieces are the ramp). The
true energy is the integral of the same values: net active power of the model's elements, split into delivered and
received where its sign changes, and the same for each line; nothing flows while the mains are off. Manual changes of
the live view replace the source's values line by line until released.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from host.stimulus.lines import Event, Line, Lines, Segment
from host.stimulus.source import Source
from host.stimulus.wave import Wave
from openkh.model import Model

_GAUSS = (  # five-point Gauss-Legendre on 0..1: exact for polynomials to degree 9
    (0.046910077030668004, 0.11846344252809454),
    (0.23076534494715845, 0.23931433524968324),
    (0.5, 0.28444444444444444),
    (0.7692346550528415, 0.23931433524968324),
    (0.953089922969332, 0.11846344252809454),
)
_PIECE_DEGREES = 10.0  # the angle swept in one Gauss piece: the error stays below 1e-12
SETTLED_US = 10_000_000  # so long after an event, or after a voltage has changed, front ends may still start
RAMP_US = 1_000_000  # in which a ramp moves little
_LEAST_PIECES = 16  # and the finest net in which changes of sign are looked for


def watts(line: Line) -> float:
    """The active power of a line, watts."""
    return line.volts * line.amps * math.cos(math.radians(line.degrees))


@dataclass
class Energy:
    """Energy in each direction, watt-seconds."""

    delivered_ws: float = 0.0
    received_ws: float = 0.0

    def add(self, energy_ws: float) -> None:
        if energy_ws >= 0:
            self.delivered_ws += energy_ws
        else:
            self.received_ws -= energy_ws

    def report(self) -> dict[str, float]:
        return {"delivered_wh": self.delivered_ws / 3600, "received_wh": self.received_ws / 3600}


@dataclass
class Truth:
    """What flowed, from the stimulus alone."""

    elements: int
    net: Energy = field(default_factory=Energy)
    lines: list[Energy] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines = [Energy() for _ in range(self.elements)]

    def add_linear(self, first: Lines, last: Lines, seconds: float) -> None:
        """Book a linear change from `first` to `last` that lasts `seconds`."""
        if seconds <= 0:
            return
        if first == last:
            powers = [watts(line) for line in first[: self.elements]]
            for energy, power in zip(self.lines, powers):
                energy.add(power * seconds)
            self.net.add(sum(powers) * seconds)
            return
        for index, energy in enumerate(self.lines):
            _book(energy, (first[index],), (last[index],), seconds)
        _book(self.net, first[: self.elements], last[: self.elements], seconds)

    def add_wave(self, wave: Wave, start_us: int, end_us: int) -> None:
        """Book a recording from `start_us` to `end_us` after its own start."""
        for index, energy in enumerate(self.lines):
            delivered_ws, received_ws = wave.line_energy_ws(index, start_us, end_us)
            energy.delivered_ws += delivered_ws
            energy.received_ws += received_ws
        delivered_ws, received_ws = wave.net_energy_ws(self.elements, start_us, end_us)
        self.net.delivered_ws += delivered_ws
        self.net.received_ws += received_ws

    def report(self) -> dict:
        return {**self.net.report(), "lines": [line.report() for line in self.lines]}


def _book(energy: Energy, first: tuple[Line, ...], last: tuple[Line, ...], seconds: float) -> None:
    """Add the integral of the sum of the lines' powers over a linear change, split where the sum changes sign."""

    def power(part: float) -> float:
        return sum(watts(_between(a, b, part)) for a, b in zip(first, last))

    def integral(start: float, end: float) -> float:
        width = end - start
        return width * seconds * sum(weight * power(start + width * at) for at, weight in _GAUSS)

    swept = max(abs(b.degrees - a.degrees) for a, b in zip(first, last))
    pieces = max(_LEAST_PIECES, math.ceil(swept / _PIECE_DEGREES))
    before = power(0.0)
    for number in range(pieces):
        start, end = number / pieces, (number + 1) / pieces
        after = power(end)
        if before * after < 0:
            zero = _zero(power, start, end)
            energy.add(integral(start, zero))
            energy.add(integral(zero, end))
        else:
            energy.add(integral(start, end))
        before = after


def _between(first: Line, last: Line, part: float) -> Line:
    return Line(*(a + (b - a) * part for a, b in zip(first, last)))


def _zero(power, low: float, high: float) -> float:
    """Where `power` changes its sign between `low` and `high`, by halving."""
    low_negative = power(low) < 0
    for _ in range(60):
        middle = (low + high) / 2
        if (power(middle) < 0) == low_negative:
            low = middle
        else:
            high = middle
    return high


class Stimulus:
    """Feeds the engine from a source. `window(until_us)` gives the items from the end of the last window on.

    An item at `until_us` itself comes with the next window, except the end of a ramp.
    """

    def __init__(self, model: Model, source: Source) -> None:
        self.truth = Truth(model.elements)
        self.now_us = 0
        self.power = True
        self.reversed = [False, False]  # a CT the wrong way round: what the meter sees, not what flows
        self.manual: list[Line | None] = [None, None]  # values set by hand, instead of the source's
        self._model = model
        self._events = list(source.events)
        self._wave = source.wave
        self._segments: Iterator[Segment] = source.segments()
        self._segment = next(self._segments)
        self._restless_us = SETTLED_US  # until then front ends may start
        self._told: tuple | None = None  # the mains values that the engine holds
        self._wave_start_us: int | None = None  # since when the engine plays the recording

    def window(self, until_us: int) -> list[Event]:
        """The items from the last window's end up to `until_us`, in order; books the true energy of that time."""
        items: list[Event] = []
        while self.now_us < until_us:
            while self._events and self._events[0][1] <= self.now_us:
                event = self._events.pop(0)
                lasts_us = event[5] if event[0] == "fault" else 0
                self._restless_us = max(self._restless_us, self.now_us + lasts_us + SETTLED_US)
                if event[0] == "power":
                    self.power = bool(event[2])
                items.append([event[0], self.now_us, *event[2:]])
            self._piece(min(until_us, self._events[0][1]) if self._events else until_us, items)
        return items

    @property
    def restless(self) -> bool:
        """Front ends may start, or start anew."""
        return self.now_us < self._restless_us or any(event[1] <= self.now_us for event in self._events[:1])

    def stop_us(self, until_us: int) -> int:
        """Where a window that may last until `until_us` should end, so that the power at its end is that of all of it.

        At the next event; at the next change of the load, where the load lasts some time or the front ends are
        restless: a long profile with a value each second would have as many windows. Soon in a ramp while they are.
        """
        segment = self._take_segment()
        if segment.end_us is not None and (self.restless or segment.end_us - segment.start_us >= SETTLED_US):
            until_us = min(until_us, segment.end_us)
        if self.restless and segment.first != segment.last and self.now_us > 0:  # what a start costs is known
            until_us = min(until_us, self.now_us + RAMP_US)
        return min(until_us, next((event[1] for event in self._events if event[1] > self.now_us), until_us))

    def lines_now(self) -> tuple[Lines, float]:
        """The lines as they are at the present, manual values included, and the frequency in Hz."""
        lines, hz = self._segment.at(self.now_us)
        if self._wave is not None:
            lines = self._wave.mean_lines(self._model)
        return self._with_manual(lines), hz

    def set_power(self, on: bool) -> Event:
        """Cut or restore the mains by hand; the item to send first in the next window."""
        self.power = on
        self._restless_us = max(self._restless_us, self.now_us + SETTLED_US)
        return ["power", self.now_us, int(on)]

    def _piece(self, until_us: int, items: list[Event]) -> None:
        """One stretch without a change of segment."""
        segment = self._take_segment()
        if self._wave is not None and self.manual == [None, None]:
            self._wave_piece(self._wave, until_us, items)
            return
        self._wave_start_us = None
        end_us = until_us if segment.end_us is None else min(until_us, segment.end_us)
        first, first_hz = segment.at(self.now_us)
        last, last_hz = segment.at(end_us)
        if self._wave is not None:
            first = last = self._wave.mean_lines(self._model)
        first, last = self._with_manual(first), self._with_manual(last)
        ramp = (first, first_hz) != (last, last_hz)
        self._tell(items, self.now_us, 0, first, first_hz, again=ramp)
        if ramp:
            self._tell(items, end_us, 1, last, last_hz, again=True)
        if self.power:
            self.truth.add_linear(first, last, (end_us - self.now_us) / 1e6)
        self.now_us = end_us

    def _take_segment(self) -> Segment:
        """The segment of the present."""
        while self._segment.end_us is not None and self._segment.end_us <= self.now_us:
            before, self._segment = self._segment, next(self._segments)
            first, last = self._segment.first[0].volts, self._segment.last[0].volts
            if not before.last[0].volts == first == last:  # line 1 feeds the meter
                self._restless_us = max(self._restless_us, (self._segment.end_us or self.now_us) + SETTLED_US)
        return self._segment

    def _wave_piece(self, wave: Wave, until_us: int, items: list[Event]) -> None:
        seen = tuple(self.reversed)
        if self._wave_start_us is None or self._told != seen:
            items.append(wave.item(self.now_us, seen))
            self._wave_start_us = self.now_us
            self._told = seen
        if self.power:
            self.truth.add_wave(wave, self.now_us - self._wave_start_us, until_us - self._wave_start_us)
        self.now_us = until_us

    def _with_manual(self, lines: Lines) -> Lines:
        one, two = (manual or line for manual, line in zip(self.manual, lines))
        return one, two

    def _tell(self, items: list[Event], t_us: int, ramp: int, lines: Lines, hz: float, again: bool) -> None:
        seen = [
            [line.volts, line.amps, line.degrees + (180.0 if turned else 0.0), line.volts_degrees]
            for line, turned in zip(lines, self.reversed)
        ]
        told = (seen, hz)
        if again or told != self._told:
            items.append(["mains", t_us, ramp, seen[0], seen[1], hz])
            self._told = told
