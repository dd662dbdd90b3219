"""One line's chain from the conductor to the energy register: what its errors and its registers do to a reading, and
the least squares fit that finds the errors.

Derived from the signal path (ADE7953 data sheet p.19-35), not from the application note, whose formulas contradict
each other in two places:
- PHCAL delays the current where it is positive. A CT leads: it makes the lag smaller and a lagging load read high,
  cos(phi - lead) > cos(phi). A positive delay of the same size mends it.
- AWATTOS is 2^-9 of a power LSB, added after the gain. With the model's fixed energy a count, a power LSB is
  (895000 / 128 / 163840) counts per second, so the watts of an AWATTOS unit follow without a calibration constant.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from host.calibration.ct_curve import Curve, Node
from openkh.model import WGAIN_NOMINAL, WGAIN_UNITY, Model

COUNTS_PER_S_LSB = 895_000 / 128 / 163_840
PHCAL_HZ = 895_000
WATTOS_PER_LSB = 512
STEPS = 12


@dataclass(frozen=True)
class Registers:
    """A line's calibration as its chip takes it; `phcal` signed, in steps of 1/895 kHz, positive = delay."""

    wgain: int = WGAIN_NOMINAL
    phcal: int = 0
    wattos: int = 0
    vgain: int = WGAIN_UNITY
    igain: int = WGAIN_UNITY

    @classmethod
    def of(cls, line: dict[str, int]) -> "Registers":
        """From a line of the service's cal(), which tells phcal as cal_set() takes it: a signed number of steps."""
        return cls(line["wgain"], line["phcal"], line["wattos"], line["vgain"], line["igain"])

    @property
    def gain(self) -> float:
        """Of power, against the nominal registers."""
        return self.wgain / WGAIN_NOMINAL * (self.vgain / WGAIN_UNITY) * (self.igain / WGAIN_UNITY)


@dataclass(frozen=True)
class Errors:
    """What a line's parts do wrong, before any register: `gain` as a part (0.01 = reads 1 % high), the CT's `lead` in
    degrees, and `offset` in watts."""

    gain: float = 0.0
    lead: float = 0.0
    offset_w: float = 0.0

    def changed(self, ratio: float, lead: float) -> "Errors":
        """The same with so much more of a CT's ratio error and lead."""
        return Errors((1 + self.gain) * (1 + ratio) - 1, self.lead + lead, self.offset_w)


def watts_per_wattos(model: Model) -> float:
    """Watts of one AWATTOS unit."""
    return COUNTS_PER_S_LSB * 3600 / model.counts_per_wh / WATTOS_PER_LSB


def degrees_per_phcal(hz: float) -> float:
    """Degrees of one PHCAL step at a line frequency."""
    return 360.0 * hz / PHCAL_HZ


def reads_w(model: Model, errors: Errors, registers: Registers, watts: float, degrees: float, hz: float) -> float:
    """What the front end reads at `watts`, the current lagging by `degrees`."""
    return reads(model, errors, registers, watts, degrees, hz)[0]


def reads(
    model: Model, errors: Errors, registers: Registers, watts: float, degrees: float, hz: float
) -> tuple[float, float]:
    """The same in W, and the reactive power in var."""
    angle = math.radians(degrees)
    seen = angle - math.radians(errors.lead - registers.phcal * degrees_per_phcal(hz))
    through = watts / math.cos(angle) * (1.0 + errors.gain) * registers.gain
    offset_w = errors.offset_w + registers.wattos * watts_per_wattos(model)
    return through * math.cos(seen) + offset_w, through * math.sin(seen)


def corrected_w(read_w: float, read_var: float, ratio: float, lead: float) -> float:
    """What the meter makes of a reading where its curve says `ratio` and `lead` (degrees)."""
    d = math.radians(lead)
    return (read_w * math.cos(d) - read_var * math.sin(d)) / (1.0 + ratio)


def registers_for(model: Model, errors: Errors, before: Registers, hz: float) -> Registers:
    """What cancels `errors`; the voltage and current gains stay as they are."""
    rms = (before.vgain / WGAIN_UNITY) * (before.igain / WGAIN_UNITY)
    return replace(
        before,
        wgain=round(WGAIN_NOMINAL / ((1.0 + errors.gain) * rms)),
        phcal=round(errors.lead / degrees_per_phcal(hz)),
        wattos=round(-errors.offset_w / watts_per_wattos(model)),
    )


def left_by_registers(errors: Errors, change: Curve, registers: Registers, hz: float) -> Curve:
    """What `registers` leave of `errors` at the currents at which `change` says how these differ; empty where nothing
    changes."""
    gain = (1.0 + errors.gain) * registers.gain - 1.0
    lead = errors.lead - registers.phcal * degrees_per_phcal(hz)
    return Curve(
        tuple(
            Node(n.amps, (1 + n.ratio) * (1 + gain) - 1, n.lead + lead, n.ratio_uncertainty, n.lead_uncertainty)
            for n in change.nodes
        )
    )


@dataclass(frozen=True)
class Observation:
    """One load point: the reference's power and angle, what the meter read with which registers, and how far the
    reading may be trusted (parts of it)."""

    watts: float
    degrees: float
    hz: float
    read_w: float
    registers: Registers
    uncertainty: float
    amps: float = 0.0


def fit(model: Model, points: list[Observation], curve: Curve | None = None) -> tuple[Errors, NDArray[np.float64]]:
    """The errors that explain all points best (weighted least squares), and what is left of each point, in parts.
    `curve`: how the CT's errors change with the current, where that is known.

    Needs points that tell the three apart: two powers at unity power factor and one lagging."""
    known = curve or Curve()

    def read(x: NDArray[np.float64], point: Observation) -> float:
        return _reads_w(model, Errors(x[0], x[1], x[2]).changed(*known.at(point.amps)), point)

    x, left = _least_squares(points, read, np.array([1e-5, 1e-4, 1e-4]))
    return Errors(*(float(value) for value in x)), left


def fit_curve(model: Model, points: list[Observation], currents: tuple[float, ...]) -> tuple[Errors, Curve]:
    """The errors at the highest of `currents` (rising), and how gain and lead change at the others, straight lines
    between them. Needs a point at unity power factor and a lagging one at each of them, and one more at a low power,
    which tells the offset from the ratio."""
    nodes = len(currents)

    def curve_of(x: NDArray[np.float64]) -> Curve:
        return Curve(tuple(Node(amps, x[2 * k], x[2 * k + 1]) for k, amps in enumerate(currents)))

    def read(x: NDArray[np.float64], point: Observation) -> float:
        gain, lead = curve_of(x).at(point.amps)
        return _reads_w(model, Errors(gain, lead, x[-1]), point)

    x, _ = _least_squares(points, read, np.array([1e-5, 1e-4] * nodes + [1e-4]))
    top = Errors(float(x[-3]), float(x[-2]), float(x[-1]))
    return top, curve_of(x).against(currents[-1])


def _reads_w(model: Model, errors: Errors, point: Observation) -> float:
    return reads_w(model, errors, point.registers, point.watts, point.degrees, point.hz)


def _least_squares(
    points: list[Observation],
    read: Callable[[NDArray[np.float64], Observation], float],
    scale: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The unknowns for which `read` gives what was read, weighted by the points' uncertainties, and what is left of
    each point, in parts. `scale`: steps for the slopes. ValueError where the points do not tell the unknowns apart."""
    size = len(scale)
    x = np.zeros(size)

    def left(unknown: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([(p.read_w - read(unknown, p)) / p.watts for p in points])

    weights = np.array([1.0 / p.uncertainty for p in points])
    for _ in range(STEPS):
        rest = left(x)
        slopes = np.stack([(rest - left(x + np.eye(size)[k] * scale[k])) / scale[k] for k in range(size)], axis=1)
        largest = np.abs(slopes * weights[:, None]).max(axis=0)
        if not largest.all():
            raise ValueError("the points do not tell gain, phase and offset apart")
        step, _, rank, _ = np.linalg.lstsq(slopes * weights[:, None] / largest, rest * weights, rcond=1e-9)
        if rank < size:
            raise ValueError("the points do not tell gain, phase and offset apart")
        x = x + step / largest
        if np.all(np.abs(step / largest) < scale * 1e-6):
            break
    return x, left(x)
