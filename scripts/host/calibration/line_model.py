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
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

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


def watts_per_wattos(model: Model) -> float:
    """Watts of one AWATTOS unit."""
    return COUNTS_PER_S_LSB * 3600 / model.counts_per_wh / WATTOS_PER_LSB


def degrees_per_phcal(hz: float) -> float:
    """Degrees of one PHCAL step at a line frequency."""
    return 360.0 * hz / PHCAL_HZ


def reads_w(model: Model, errors: Errors, registers: Registers, watts: float, degrees: float, hz: float) -> float:
    """What the meter reads at `watts`, the current lagging by `degrees`."""
    angle = math.radians(degrees)
    seen = angle - math.radians(errors.lead - registers.phcal * degrees_per_phcal(hz))
    through = watts * math.cos(seen) / math.cos(angle)
    return through * (1.0 + errors.gain) * registers.gain + errors.offset_w + registers.wattos * watts_per_wattos(model)


def registers_for(model: Model, errors: Errors, before: Registers, hz: float) -> Registers:
    """What cancels `errors`; the voltage and current gains stay as they are."""
    rms = (before.vgain / WGAIN_UNITY) * (before.igain / WGAIN_UNITY)
    return replace(
        before,
        wgain=round(WGAIN_NOMINAL / ((1.0 + errors.gain) * rms)),
        phcal=round(errors.lead / degrees_per_phcal(hz)),
        wattos=round(-errors.offset_w / watts_per_wattos(model)),
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


def fit(model: Model, points: list[Observation]) -> tuple[Errors, NDArray[np.float64]]:
    """The errors that explain all points best (weighted least squares), and what is left of each point, in parts.

    Needs points that tell the three apart: two powers at unity power factor and one lagging."""
    x = np.zeros(3)

    def left(errors: NDArray[np.float64]) -> NDArray[np.float64]:
        own = Errors(*errors)
        return np.array(
            [(p.read_w - reads_w(model, own, p.registers, p.watts, p.degrees, p.hz)) / p.watts for p in points]
        )

    weights = np.array([1.0 / p.uncertainty for p in points])
    scale = np.array([1e-5, 1e-4, 1e-4])
    for _ in range(STEPS):
        rest = left(x)
        slopes = np.stack([(rest - left(x + np.eye(3)[k] * scale[k])) / scale[k] for k in range(3)], axis=1)
        size = np.abs(slopes * weights[:, None]).max(axis=0)
        step, _, rank, _ = np.linalg.lstsq(slopes * weights[:, None] / size, rest * weights, rcond=1e-9)
        if rank < 3:
            raise ValueError("the points do not tell gain, phase and offset apart")
        x = x + step / size
        if np.all(np.abs(step / size) < scale * 1e-6):
            break
    return Errors(*(float(value) for value in x)), left(x)
