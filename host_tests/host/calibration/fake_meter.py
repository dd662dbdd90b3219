"""A meter's service commands and a bench, by their physics alone: for what the host tools do with odd answers."""

import math
from dataclasses import replace
from typing import Any

from host.calibration.bench_source import LineLoad, Load, Reading
from host.calibration.ct_curve import Curve, Node
from host.calibration.line_model import (
    Errors,
    Registers,
    corrected_w,
    degrees_per_phcal,
    reads,
    watts_per_wattos,
)
from host.port.service import CommandRefusedError
from openkh.model import Model

OFF = LineLoad(120.0, 0.0)
NONE = {"tempco": 0, "lead_tempco": 0, "reference": -32768, "curve": []}


class FakeMeter:
    """Service and Bench in one. `drift_percent`: every window reads that much more than the one before."""

    title = "fake bench"
    can_play = False

    def __init__(
        self, errors: tuple[Errors, Errors] = (Errors(), Errors()), drift_percent: float = 0.0, code: str = "MDNCT-1SC"
    ) -> None:
        self.model = Model(code, "60Hz")
        self.errors = errors
        self.counts = 0  # register
        self.creep = 0  # counts booked without a load
        self.coupling = 0.0  # of line 1's power that line 2 reads as well
        self.starts = True  # counts at the starting current
        self.of_volts = 0.0  # error per part of voltage
        self.of_hz = 0.0
        self.drift = drift_percent
        self.change = Curve()  # of the CTs' errors with the current
        self.celsius = 23.0
        self.tempco_ppm = 0.0  # of what the parts do
        self.lead_tempco = 0.0  # minutes a kelvin
        self.corrections: list[dict[str, Any]] = [dict(NONE), dict(NONE)]
        self.registers = [Registers(), Registers()]
        self.stored = list(self.registers)
        self.load = Load((OFF, OFF), 60.0)
        self.windows = 0
        self.calls: list[str] = []
        self.refuse = ""  # the command that the meter turns down
        self.forged: dict[tuple[str, int], Reading] = {}  # (point, line): what the reference says instead
        self.points: list[tuple[str, Load]] = []

    # Service

    def call(self, command: str, seconds: float = 0.0) -> dict[str, Any]:  # noqa: ARG002
        name = command.partition("(")[0]
        self.calls.append(command)
        if name == self.refuse:
            raise CommandRefusedError(f"the meter refused {name}: not today")
        if name == "status":
            whole, counts = divmod(self.counts, self.model.counts_per_wh)
            state = {"delivered_wh": f"{whole}.000000", "delivered_counts": counts, "received_wh": "0.000000"}
            state["counts_per_wh"] = self.model.counts_per_wh
            return {**state, "model": self.model.code, "service": self.model.service, "seal": "open"}
        if name == "cal":
            lines = [self._line(n) for n in (0, 1)]
            return {"calibrated": False, "saved": True, "date": "", "calibration_count": 0, "lines": lines}
        if name == "identity":
            who = {"serial": "<b>42</b>", "date": "260131", "revision": "0.10", "memory": "fram"}
            return {**who, "model": self.model.code, "service": self.model.service}
        if name == "fine_pulses":
            return {"ok": True}
        if name == "image":
            return {"revision": "0.10", "image": "ab" * 32, "files": 56}
        if name == "lines":
            return {"centi_celsius": round(self.celsius * 100)}
        given, values = eval(command, {name: lambda *given, **values: (given, values)})
        self._n = given[0] - 1
        self.registers[self._n] = getattr(self, f"_{name}")(self.registers[self._n], *given[1:], **values)
        return {"ok": True}

    def window(self, seconds: float) -> dict[str, Any]:
        self.windows += 1
        rows = []
        us = round(seconds * 1e6)
        for n, load in enumerate(self.load.lines):
            own = self.registers[n]
            watts = 0.0
            if load.amps:
                watts = self._reads_w(n, load)
                watts *= 1 + self.drift * self.windows / 100
                watts *= 1 + self.of_volts * (load.volts / 120 - 1) + self.of_hz * (self.load.hz / 60 - 1)
                if load.amps < 0.1 and not self.starts:
                    watts = 0.0
            if n == 1 and load.amps:
                watts += self.coupling * self.load.lines[0].watts
            counts = round(watts * self.model.counts_per_wh * us / 3600e6)
            volts, amps = load.volts * own.vgain / 0x400000, load.amps * own.igain / 0x400000
            self.counts += counts
            rows.append({"line": n + 1, "counts": counts, "us": us, "v_mv": volts * 1000, "i_ma": amps * 1000})
        return {"us": us, "lines": rows}

    def _reads_w(self, n: int, load: LineLoad) -> float:
        """Through the parts as they are at this current and temperature, and the corrections in force."""
        warmer = self.celsius - 23.0
        errors = self.errors[n].changed(*self.change.at(load.amps))
        errors = errors.changed(self.tempco_ppm * 1e-6 * warmer, self.lead_tempco * warmer / 60)
        read = reads(self.model, errors, self.registers[n], load.watts, load.degrees, self.load.hz)
        own = self.corrections[n]
        ratio, lead = Curve(tuple(Node(a, r / 100, m / 60) for a, r, m in own["curve"])).at(load.amps)
        warmer = self.celsius - own["reference"] / 100 if own["tempco"] or own["lead_tempco"] else 0.0
        ratio += own["tempco"] * 1e-8 * warmer
        return corrected_w(*read, ratio, lead + own["lead_tempco"] * 1e-3 * warmer / 60)

    def _line(self, n: int) -> dict[str, Any]:
        own = vars(self.registers[n])
        shown = dict.fromkeys(("gain_percent", "phase_degrees", "offset_w", "volts_percent", "amps_percent"), 0.0)
        return {**own, **shown, **self.corrections[n], "line": n + 1}

    def _cal_volts(self, old: Registers, error: float) -> Registers:
        part = 1 + error / 100
        return replace(old, vgain=round(old.vgain / part), wgain=round(old.wgain * part))

    def _cal_amps(self, old: Registers, error: float) -> Registers:
        part = 1 + error / 100
        return replace(old, igain=round(old.igain / part), wgain=round(old.wgain * part))

    def _cal_gain(self, old: Registers, errors: tuple[float, ...]) -> Registers:
        self.corrections[self._n]["reference"] = round(self.celsius * 100)
        return replace(old, wgain=round(old.wgain / (1 + sum(errors) / len(errors) / 100)))

    def _cal_phase(self, old: Registers, errors: tuple[float, ...], degrees: float) -> Registers:
        ratio = 1 + sum(errors) / len(errors) / 100
        lead = degrees - math.degrees(math.acos(ratio * math.cos(math.radians(degrees))))
        return replace(old, phcal=old.phcal + round(lead / degrees_per_phcal(60.0)))

    def _cal_offset(self, old: Registers, errors: tuple[float, ...], watts: float) -> Registers:
        off = watts * sum(errors) / len(errors) / 100
        return replace(old, wattos=old.wattos - round(off / watts_per_wattos(self.model)))

    def _cal_set(self, old: Registers, **values: int) -> Registers:
        own = self.corrections[self._n]
        own.update({name: values.pop(name) for name in list(values) if name in own})
        return replace(old, **values)

    def _cal_curve(self, old: Registers, points: tuple[tuple[float, float, float], ...]) -> Registers:
        self.corrections[self._n]["curve"] = [list(point) for point in points]
        return old

    def _cal_temperature(self, old: Registers, errors: tuple[float, ...], lag: tuple[float, ...]) -> Registers:
        own = self.corrections[self._n]
        warmer = self.celsius - own["reference"] / 100
        error, of_lag = sum(errors) / len(errors), sum(lag) / len(lag)
        own["tempco"] += round(error * 1e6 / warmer)
        own["lead_tempco"] += round((of_lag - error) / 0.05038 * 1e3 / warmer)
        return old

    # Bench

    def apply(self, point: str, load: Load) -> None:
        self.load = load
        self.points.append((point, load))

    def play(self, point: str, recordings: list[Any]) -> None:  # noqa: ARG002
        raise AssertionError("no waveforms")

    def read(self, point: str, line: int, window: int) -> Reading:  # noqa: ARG002
        own = self.load.lines[line - 1]
        return self.forged.get((point, line)) or Reading(own.volts, own.amps, own.watts)

    def temperature(self, celsius: float) -> None:
        self.celsius = celsius

    def wait(self, seconds: float) -> None:  # noqa: ARG002
        self.counts += self.creep

    def lags(self, line: int) -> bool:  # noqa: ARG002
        return True

    def counted(self) -> None:
        return None

    def pulses(self) -> None:
        return None
