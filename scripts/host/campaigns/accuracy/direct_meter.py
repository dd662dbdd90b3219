"""A board's chain worked out directly: thousands of calibrations in the time of one simulated meter.

Meter and bench in one, for the Calibrator as it is. The parts are those of the virtual board (its CT, and its chip's
imperfections), the corrections are the firmware's own module; only time, registers, noise and thermometer are worked
out here. drift.py holds it against the full simulation.
"""

import math
import random
from dataclasses import dataclass, replace
from typing import Any

from boards.virtual.ade7953.flaws import Imperfections
from boards.virtual.parts.mains import Ct
from host.calibration import line_model
from host.calibration.bench_source import LineLoad, Load, Reading
from host.calibration.line_model import Errors, Registers
from openkh.calibration import Calibration
from openkh.metrology.correction import GAIN, PHASE, UNITY, ZERO, Correction, prepare
from openkh.model import WGAIN_UNITY, Model

NOISE_PPM = 90.0  # of a reading at 1 % of class in 10 s: chip's noise floor (data sheet p.5) times the voltage
CORE_NOISE_CENTI = 6.0  # of the smoothed thermometer
_ITEMS = ("wgain", "phcal", "wattos", "vgain", "igain")


@dataclass(frozen=True)
class BenchErrors:
    """What a bench does wrong. Reference: gain, phase, and both again for each range of current; source: how far a load
    is from what it was to be, and how much it moves between windows. Percent, minutes, degrees; uniform within."""

    gain_percent: float = 0.0
    phase_minutes: float = 0.0
    range_percent: float = 0.0
    range_minutes: float = 0.0
    amps_percent: float = 0.0
    volts_percent: float = 0.0
    degrees: float = 0.0
    unstable_percent: float = 0.0


EXACT = BenchErrors()
# A reference of 0.02 % (k = 2; 0.04 % at 0.5 lagging, which is 0.4 minutes), set by hand.
CLASS_002 = BenchErrors(0.02, 0.4, 0.01, 0.2, 1.0, 0.5, 0.5, 0.005)


class DirectMeter:
    """Service and Bench (see bench_source.Bench) of the random board `made`, seen with a bench's `errors`."""

    title = "direct model"
    can_play = False

    def __init__(self, made: dict[str, Any], model: Model, seed: int, errors: BenchErrors = EXACT) -> None:
        self.model = model
        self._draw = random.Random(f"direct {seed}")
        self._errors = errors
        self._gain = self._off(errors.gain_percent) / 100
        self._phase = self._off(errors.phase_minutes) / 60
        self._ranges: dict[float, tuple[float, float]] = {}
        self._cts = [Ct(float(model.rating_a), **made[f"ct{n}"]) for n in (1, 2)]
        self._chips = [Imperfections(**made[f"chip{n}"]) for n in (1, 2)]
        self._offset_centi = round(self._off(6.0) * 100)
        self.registers = [Registers(), Registers()]
        self.calibrations = [Calibration(), Calibration()]
        self.corrections = [Correction(model, own) for own in self.calibrations]
        self.calibrated = False
        self.bench_s = 0.0
        self.temperature(float(made["temperature"]))

    def _off(self, most: float) -> float:
        return self._draw.uniform(-most, most)

    # Service

    def call(self, command: str, _seconds: float = 0.0) -> dict[str, Any]:
        """The few commands that a calibration needs."""
        name = command.partition("(")[0]
        if name in ("cal", "status", "lines"):
            return getattr(self, f"_{name}")()
        positional, values = eval(command, {name: lambda *positional, **values: (positional, values)})
        n = positional[0] - 1
        getattr(self, f"_{name}")(n, *positional[1:], **values)
        own = self.calibrations[n]
        self.corrections[n].take(own, prepare(own, self.model))
        self.corrections[n].warm(self._centi)
        return {"ok": True}

    def window(self, seconds: float) -> dict[str, Any]:
        """Counts over `seconds`, each line with its own noise."""
        self.bench_s += seconds
        self._unstable = 1 + self._off(self._errors.unstable_percent) / 100
        us = round(seconds * 1e6)
        rows = []
        for n, load in enumerate(self._load.lines):
            chip, booked = self._counts(n, load, us)
            volts, amps = self._rms(n, load)
            rows.append(
                {
                    "line": n + 1,
                    "counts": booked,
                    "chip_counts": chip,
                    "us": us,
                    "v_mv": volts * 1e3,
                    "i_ma": amps * 1e3,
                }
            )
        return {"us": us, "lines": rows}

    def _counts(self, n: int, load: LineLoad, us: int) -> tuple[int, int]:
        if not load.amps:
            return 0, 0
        p, q = line_model.reads(
            self.model, self._chain(n, load.amps), self.registers[n], load.watts * self._unstable, load.degrees,
            self._load.hz,
        )  # fmt: skip
        per_s = self.model.counts_per_wh / 3600
        class_w = self.model.rating_a * self.model.nominal_mv / 1000
        p += self._draw.gauss(0.0, NOISE_PPM * 1e-6 * class_w / 100 * math.sqrt(10e6 / us))
        active = p * per_s * us / 1e6 + self._draw.uniform(-0.5, 0.5)
        own = self.corrections[n]
        own.follow(round(self._rms(n, load)[1] * 1000))
        gain, phase = own.terms[GAIN] - ZERO, own.terms[PHASE] - ZERO
        extra = (active * gain + q * per_s * us / 1e6 * phase) / UNITY
        return round(active), round(active + extra)

    def _chain(self, n: int, amps: float) -> Errors:
        factor, lead = self._cts[n].errors(amps)
        chip = self._chips[n]
        gain = chip.v_gain * chip.v_drift * chip.i_gain * chip.i_drift * factor * (1 + chip.clkin_ppm * 1e-6)
        return Errors(gain - 1, lead + chip.lead_degrees)

    def _rms(self, n: int, load: LineLoad) -> tuple[float, float]:
        chip, own = self._chips[n], self.registers[n]
        factor, _ = self._cts[n].errors(load.amps)
        volts = load.volts * chip.v_gain * chip.v_drift * own.vgain / WGAIN_UNITY
        return volts, load.amps * chip.i_gain * chip.i_drift * factor * own.igain / WGAIN_UNITY

    def _cal(self) -> dict[str, Any]:
        lines = []
        for n in range(self.model.elements):
            own = self.calibrations[n]
            curve = [[a * self.model.rating_a / 1e4, r / 1e4, m / 100] for a, r, m in own.curve]
            drift = {"tempco": own.tempco, "lead_tempco": own.lead_tempco, "reference": own.reference}
            lines.append({**vars(self.registers[n]), **drift, "curve": curve, "line": n + 1})
        return {"calibrated": self.calibrated, "saved": True, "date": "", "lines": lines}

    def _status(self) -> dict[str, Any]:
        return {"model": self.model.code, "service": self.model.service}

    def _lines(self) -> dict[str, Any]:
        return {"centi_celsius": self._centi}

    def _cal_volts(self, n: int, error: float) -> None:
        self._rms_gain(n, "vgain", error)

    def _cal_amps(self, n: int, error: float) -> None:
        self._rms_gain(n, "igain", error)

    def _rms_gain(self, n: int, name: str, error: float) -> None:
        old = self.registers[n]
        part = 1 + error / 100
        gain = round(getattr(old, name) / part)
        self.registers[n] = replace(old, **{name: gain, "wgain": round(old.wgain * part)})

    def _cal_gain(self, n: int, errors: tuple[float, ...]) -> None:
        old = self.registers[n]
        self.registers[n] = replace(old, wgain=round(old.wgain / (1 + _mean(errors) / 100)))
        self.calibrations[n].reference = self._centi

    def _cal_phase(self, n: int, errors: tuple[float, ...], degrees: float) -> None:
        ratio = (1 + _mean(errors) / 100) * math.cos(math.radians(degrees))
        lead = degrees - math.degrees(math.acos(ratio))
        old = self.registers[n]
        steps = round(lead / line_model.degrees_per_phcal(float(self.model.hz)))
        self.registers[n] = replace(old, phcal=old.phcal + steps)

    def _cal_offset(self, n: int, errors: tuple[float, ...], watts: float) -> None:
        old = self.registers[n]
        units = round(_mean(errors) / 100 * watts / line_model.watts_per_wattos(self.model))
        self.registers[n] = replace(old, wattos=old.wattos - units)

    def _cal_set(self, n: int, **values: int) -> None:
        self.registers[n] = replace(self.registers[n], **{k: v for k, v in values.items() if k in _ITEMS})
        for name, value in values.items():
            if name not in _ITEMS:
                setattr(self.calibrations[n], name, value)

    def _cal_curve(self, n: int, points: tuple[tuple[float, float, float], ...]) -> None:
        rating = self.model.rating_a
        self.calibrations[n].curve = tuple(
            (round(a * 1e4 / rating), round(r * 1e4), round(m * 100)) for a, r, m in points
        )

    def _cal_temperature(self, n: int, errors: tuple[float, ...], lag_errors: tuple[float, ...]) -> None:
        own = self.calibrations[n]
        apart = self._centi - own.reference
        fraction = _mean(errors) / 100
        relative = (1 + _mean(lag_errors) / 100) / (1 + fraction)
        lead = 60 - math.degrees(math.acos(relative * math.cos(math.radians(60))))
        own.tempco += round(fraction * 1e10 / apart)
        own.lead_tempco += round(lead * 60 * 1e5 / apart)

    # Bench

    def source_is_exact(self) -> None:
        """From here on loads are as they are to be, for a verification against the truth."""
        self._errors = EXACT

    def apply(self, point: str, load: Load) -> None:  # noqa: ARG002
        """Set a load, as well as the source can."""
        e = self._errors
        part = 1 + self._off(e.amps_percent) / 100
        volts = 1 + self._off(e.volts_percent) / 100
        degrees = self._off(e.degrees)
        lines = tuple(
            replace(x, volts=x.volts * volts, amps=x.amps * part, degrees=x.degrees + (degrees if x.degrees else 0.0))
            for x in load.lines
        )
        self._load = replace(load, lines=lines)
        self.bench_s += 3.0

    def read(self, point: str, line: int, window: int) -> Reading:  # noqa: ARG002
        """The reference on a line: the truth, and its own errors."""
        load = self._load.lines[line - 1]
        key = round(load.amps / self.model.rating_a, 2)
        if key not in self._ranges:
            self._ranges[key] = (
                self._off(self._errors.range_percent) / 100,
                self._off(self._errors.range_minutes) / 60,
            )
        gain, phase = self._ranges[key]
        factor = (1 + self._gain) * (1 + gain)
        apparent = load.volts * load.amps * self._unstable * factor
        seen = load.degrees + self._phase + phase if load.degrees else 0.0
        watts = apparent * math.cos(math.radians(seen))
        return Reading(load.volts, load.amps * self._unstable * factor, watts)

    def temperature(self, celsius: float) -> None:
        """The whole board has it at once; its thermometer reads with its own offset."""
        for part in self._cts:
            part.temperature(celsius)
        for chip in self._chips:
            chip.at(celsius)
        self._centi = round(celsius * 100 + self._offset_centi + self._draw.gauss(0.0, CORE_NOISE_CENTI))
        for own in self.corrections:
            own.warm(self._centi)

    def wait(self, seconds: float) -> None:
        """Nothing moves by itself."""

    def counted(self) -> None:
        """Not known here."""

    def pulses(self) -> None:
        """Not given here."""

    def play(self, point: str, recordings: list[Any]) -> None:
        """No waveforms."""
        raise NotImplementedError


def _mean(errors: tuple[float, ...]) -> float:
    return sum(errors) / len(errors)
