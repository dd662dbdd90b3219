"""What the lines carry, and for how long: the values that a source is made of.

Times are simulated microseconds; volts and amps rms; degrees > 0: the current lags.
"""

from typing import Any, NamedTuple

Event = list[Any]  # a stimulus item: [kind, t_us, ...]


class Line(NamedTuple):
    """One line and its load. `volts_degrees` is the angle of this line's voltage against that of line 1."""

    volts: float
    amps: float
    degrees: float
    volts_degrees: float


Lines = tuple[Line, Line]


class Point(NamedTuple):
    """Values from `t_us` on; with `ramp` they are reached linearly since the point before."""

    t_us: int
    ramp: bool
    lines: Lines
    hz: float


class Segment(NamedTuple):
    """Linear changes from `first` to `last` between two times; `end_us` None: for ever."""

    start_us: int
    end_us: int | None
    first: Lines
    last: Lines
    first_hz: float
    last_hz: float

    def at(self, t_us: int) -> tuple[Lines, float]:
        """The values at `t_us`, inside the segment."""
        if self.end_us is None or (self.first == self.last and self.first_hz == self.last_hz):
            return self.first, self.first_hz
        part = (t_us - self.start_us) / (self.end_us - self.start_us)
        if part >= 1:
            return self.last, self.last_hz
        one, two = (
            Line(*(a + (b - a) * part for a, b in zip(first, last))) for first, last in zip(self.first, self.last)
        )
        return (one, two), self.first_hz + (self.last_hz - self.first_hz) * part
