"""What drives the virtual board's inputs, before it is cut into the windows in which the engine asks for it.

A source is a row of segments from time 0 on, each with linear changes from its first to its last values, plus events
(power, faults, the load on +12VDC). Times are simulated microseconds; volts and amps rms; degrees > 0: current lags.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from host.stimulus.lines import Event, Point, Segment
from host.stimulus.wave import Wave


@dataclass(frozen=True)
class Told:
    """How an input was read: `lines` for people, one fact each; `facts` for the report."""

    kind: str
    lines: list[str]
    facts: dict[str, Any]


@dataclass
class Source:
    """Segments without a gap from time 0 on (the last may be endless), events in order, and when the input ends."""

    segments: Callable[[], Iterator[Segment]]
    events: list[Event] = field(default_factory=list)
    end_s: float | None = None  # None: the input does not end by itself
    what: str = ""  # one line for the summary
    wave: Wave | None = None  # a recording, which then carries the lines
    told: Told | None = None  # how it was read, where there is anything to say of it


def source_of_points(points: list[Point], events: list[Event], end_s: float | None) -> Source:
    """A source of the given points (in order, the first at 0); the values of the last hold for ever."""

    def segments() -> Iterator[Segment]:
        for here, following in zip(points, points[1:]):
            if following.t_us > here.t_us:
                last = following if following.ramp else here
                yield Segment(here.t_us, following.t_us, here.lines, last.lines, here.hz, last.hz)
        end = points[-1]
        yield Segment(end.t_us, None, end.lines, end.lines, end.hz, end.hz)

    return Source(segments, events, end_s)
