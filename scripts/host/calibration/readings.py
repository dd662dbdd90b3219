"""The load points of a calibration, and what is read and found there."""

import statistics
from dataclasses import dataclass, field

from host.calibration.ct_curve import Curve
from host.calibration.line_model import Errors, Registers


@dataclass(frozen=True)
class Point:
    """A load point. `part` of the CT's rating; `limit_percent`: what the envelope allows there (weight in the fit)."""

    key: str
    part: float
    degrees: float
    seconds: float
    limit_percent: float


GAIN = Point("gain", 0.75, 0.0, 10.0, 0.5)
PHASE = Point("phase", 0.75, 60.0, 10.0, 0.6)
PHASE_LOW = Point("phase-low", 0.10, 60.0, 8.0, 0.6)
OFFSET = Point("offset", 0.01, 0.0, 14.0, 1.0)
POINTS = (GAIN, PHASE, PHASE_LOW, OFFSET)
# With the curve: three currents, each at unity and lagging. Shorter windows, as there are more of them.
CURVE_POINTS = (
    Point("gain", 0.75, 0.0, 7.0, 0.5),
    Point("phase", 0.75, 60.0, 7.0, 0.6),
    Point("middle", 0.10, 0.0, 6.0, 0.5),
    Point("phase-low", 0.10, 60.0, 6.0, 0.6),
    Point("low", 0.02, 0.0, 8.0, 0.5),
    Point("low-lag", 0.02, 60.0, 8.0, 1.0),
    Point("offset", 0.01, 0.0, 10.0, 1.0),
)


@dataclass
class Taken:
    """A point as measured."""

    point: Point
    watts: float  # the reference's mean
    degrees: float
    errors_percent: list[float]
    uncertainty_percent: float  # k = 2
    volts_percent: float
    amps_percent: float
    registers: Registers

    @property
    def mean_percent(self) -> float:
        """Mean error of the windows."""
        return statistics.fmean(self.errors_percent)

    @property
    def spread_percent(self) -> float:
        """Largest less smallest error of the windows."""
        return max(self.errors_percent) - min(self.errors_percent)


@dataclass
class LineResult:
    """A line's calibration."""

    line: int
    before: Registers
    after: Registers
    errors: Errors
    points: list[Taken] = field(default_factory=list)
    curve: Curve = field(default_factory=Curve)  # as the meter has it
    left_percent: dict[str, float] = field(default_factory=dict)  # by point, as the fit expects


@dataclass(frozen=True)
class Found:
    """What a fit has found of a line: its errors at the highest current and how they change below it, and what the
    meter is to be told: registers and curve."""

    errors: Errors
    change: Curve
    registers: Registers
    meter: Curve
