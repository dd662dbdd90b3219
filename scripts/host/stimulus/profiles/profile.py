"""A load profile: stretches of constant power, and the input of a run that they make."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from host.stimulus.lines import Line, Lines, Segment
from host.stimulus.source import Source, Told
from openkh.model import Model

LEAST_W_MEANT = 30.0  # a household that never takes more is more likely given in kW
LATEST_S = 3.2e9


class ProfileError(ValueError):
    """The file cannot be played; the text is one line that says what and where."""


@dataclass(frozen=True)
class Options:
    """What the command line says of a profile. `begin`, `end`: as typed; `mapping`: KEY=COLUMN,..."""

    mapping: str | None = None
    begin: str | None = None
    end: str | None = None
    zone: tzinfo | None = None
    scale: float = 1.0
    volts: float = 120.0  # nominal, for values in amps


class Span(NamedTuple):
    """Power between two times, microseconds. `watts`: of both lines together, or of each (`Profile.per_line`)."""

    start_us: int
    end_us: int
    watts: tuple[float, ...]
    power_factor: float = 1.0


@dataclass
class Profile:
    """Spans in order, without overlap; between them nothing flows.

    `epoch_s`: the clock time of 0, Unix seconds; None: the file's times are no clock's. `zone`: what its clock is told
    in. `per_line`: watts of line 1 and line 2.
    """

    kind: str
    spans: list[Span]
    per_line: bool = False
    epoch_s: float | None = None
    zone: tzinfo = UTC
    local: bool = False  # its clock has no zone: epoch_s is that of the same digits in UTC
    values: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def end_us(self) -> int:
        """When it ends."""
        return self.spans[-1].end_us

    def energy_wh(self) -> tuple[float, float]:
        """(delivered, received), of the net power of both lines."""
        both = [sum(s.watts) * (s.end_us - s.start_us) / 3.6e9 for s in self.spans]
        return math.fsum(e for e in both if e > 0), math.fsum(-e for e in both if e < 0)

    def cut(self, begin_us: int, end_us: int) -> "Profile":
        """The part between two times, which begins at 0."""
        spans = [
            Span(max(s.start_us, begin_us) - begin_us, min(s.end_us, end_us) - begin_us, *s[2:])
            for s in self.spans
            if s.end_us > begin_us and s.start_us < end_us
        ]
        epoch_s = None if self.epoch_s is None else self.epoch_s + begin_us / 1e6
        return Profile(self.kind, spans, self.per_line, epoch_s, self.zone, self.local, self.values, list(self.notes))

    def clock(self, t_us: int) -> str:
        """A time of it for people."""
        if self.epoch_s is None:
            return f"{t_us / 1e6:g} s"
        moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=self.epoch_s, microseconds=t_us)
        if self.local:
            return f"{moment:%Y-%m-%d %H:%M:%S}"
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M:%S %Z}"


def source(model: Model, profile: Profile, what: str) -> Source:
    """The input that a profile makes. ProfileError where it is beyond what the meter can take."""
    notes = [*profile.notes, *_against(model, profile)]

    last = profile.spans[-1]
    for_ever = profile.epoch_s is None  # of simulated seconds, the last value holds
    end_us = last.start_us if for_ever and (profile.values == 1 or not any(last.watts)) else last.end_us

    def segments() -> Iterator[Segment]:
        hz = float(model.hz)
        none = _lines(model, profile, Span(0, 0, (0.0,)))
        now_us = 0
        for span in profile.spans:
            if span.start_us > now_us:
                yield Segment(now_us, span.start_us, none, none, hz, hz)
            lines = _lines(model, profile, span)
            now_us = span.end_us
            yield Segment(span.start_us, now_us, lines, lines, hz, hz)
        after = lines if for_ever else none
        yield Segment(now_us, None, after, after, hz, hz)

    delivered, received = profile.energy_wh()
    begin, end = (profile.clock(t) for t in (profile.spans[0].start_us, end_us))
    amount = f"{delivered / 1000:.6g} kWh delivered, {received / 1000:.6g} received"
    amount = f"{profile.values} values, {begin} to {end}: {amount}"
    facts = {
        "kind": profile.kind,
        "values": profile.values,
        "from": begin,
        "to": end,
        "delivered_wh": delivered,
        "received_wh": received,
        "notes": notes,
    }
    told = Told(profile.kind, [profile.kind, amount, *notes], facts)
    return Source(segments, end_s=end_us / 1e6 or None, what=what, told=told)


def lines_of(model: Model, watts: float, power_factor: float) -> Lines:
    """The volts, amps and degrees of both lines at nominal voltage, `watts` split evenly over the model's lines."""
    each = watts / model.elements
    second = each if model.elements == 2 else 0.0
    return _line(model, each, power_factor, 0.0), _line(model, second, power_factor, 180.0)


def _lines(model: Model, profile: Profile, span: Span) -> Lines:
    if not profile.per_line:
        return lines_of(model, span.watts[0], span.power_factor)
    one, two = span.watts if len(span.watts) == 2 else (0.0, 0.0)
    second = two if model.elements == 2 else 0.0
    return _line(model, one, span.power_factor, 0.0), _line(model, second, span.power_factor, 180.0)


def _line(model: Model, watts: float, power_factor: float, volts_degrees: float) -> Line:
    volts = model.nominal_mv / 1000
    lag = math.degrees(math.acos(abs(power_factor)))
    degrees = lag if watts >= 0 else 180.0 - lag
    if power_factor < 0:
        degrees = -degrees
    return Line(volts, abs(watts) / (volts * abs(power_factor)), degrees, volts_degrees)


def _against(model: Model, profile: Profile) -> list[str]:
    """Powers that the meter cannot take are refused, odd ones said."""
    volts, most_a = model.nominal_mv / 1000, model.full_scale_ma / 1000
    notes = []
    lines = 1 if profile.per_line else model.elements
    worst = max(profile.spans, key=lambda s: max(abs(w) for w in s.watts) / abs(s.power_factor))
    watts = max(worst.watts, key=abs)
    amps = abs(watts) / abs(worst.power_factor) / lines / volts
    if amps > most_a:
        factor = most_a / 2 / amps
        at = profile.clock(worst.start_us)
        raise ProfileError(
            f"{watts / 1000:.6g} kW at {at} are {amps:.4g} A a line, {amps / most_a:.3g} times the meter's full scale "
            f"of {most_a:g} A; --scale {factor:.2g} makes it fit; if its values are W, --map W=COLUMN says so"
        )
    if 0 < abs(watts) < LEAST_W_MEANT:
        notes.append(f"never more than {abs(watts):.4g} W: if its values are kW, --map kW=COLUMN says so")
    if profile.per_line and model.elements == 1 and any(s.watts[1] for s in profile.spans):
        notes.append("line 2 of the file is left out: the model has a single element")
    return notes
