"""The load points of a calibration, what is read and found there, and how it is shown."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from host.calibration.ct_curve import MINUTE_PERCENT, Curve, Node
from host.calibration.line_model import Errors, Registers
from openkh.model import Model


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
    before_percent: dict[str, float] = field(default_factory=dict)  # by point, as the meter came
    left_percent: dict[str, float] = field(default_factory=dict)  # by point, as the fit expects


@dataclass(frozen=True)
class Found:
    """What a fit has found of a line: its errors at the highest current and how they change below it, and what the
    meter is to be told: registers and curve."""

    errors: Errors
    change: Curve
    registers: Registers
    meter: Curve


_T95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36}  # Student's, by the number of windows


def uncertainty_percent(errors: list[float], counts: int, reference_percent: float) -> float:
    """Of the mean, percent, k = 2: repeatability, whole counts at both ends of each window, the reference."""
    n = len(errors)
    repeat = _T95[n] * statistics.stdev(errors) / math.sqrt(n) if n > 1 else 0.01
    whole = 2 * 100 * math.sqrt(n / 6) / max(1, counts)
    return math.hypot(repeat, whole, reference_percent)


def with_uncertainties(change: Curve, taken: list[Taken]) -> Curve:
    """Each node with what its two points leave open."""
    nodes = []
    for node, keys in zip(change.nodes, (("low", "low-lag"), ("middle", "phase-low"), ("gain", "phase")), strict=True):
        unity, lag = (next(one for one in taken if one.point.key == key).uncertainty_percent for key in keys)
        lead = math.hypot(unity, lag) / MINUTE_PERCENT / 60
        nodes.append(Node(node.amps, node.ratio, node.lead, unity / 100, lead))
    return Curve(tuple(nodes))


def show(result: LineResult, say: Callable[[str], None]) -> None:
    """For a person: what was found, what is left, what was set."""
    errors = result.errors
    say(
        f"  found: gain {errors.gain * 100:+.3f} %, phase lead {errors.lead * 60:+.1f} minutes, "
        f"offset {errors.offset_w * 1000:+.0f} mW"
    )
    for node in result.curve.nodes:
        say(
            f"  curve at {node.amps:g} A: ratio {node.ratio * 100:+.3f} +- {node.ratio_uncertainty * 100:.3f} %, "
            f"lead {node.lead * 60:+.2f} +- {node.lead_uncertainty * 60:.2f} minutes: corrected"
        )
    say(f"  {'point':<12}{'before':>11}{'left':>11}{'uncertainty':>14}")
    for one in result.points:
        before, left = result.before_percent[one.point.key], result.left_percent[one.point.key]
        say(f"  {one.point.key:<12}{before:>+10.3f}%{left:>+10.3f}%{'+-':>5}{one.uncertainty_percent:>8.3f}%")
    for name in ("wgain", "phcal", "wattos", "vgain", "igain"):
        say(f"  {name:<12}{getattr(result.before, name):>11} -> {getattr(result.after, name)}")


def power_w(model: Model, line: dict[str, Any]) -> float:
    """Mean power of a line's window from its counts: finer than the whole milliwatts beside them."""
    return line["counts"] * 3600e6 / model.counts_per_wh / line["us"]
