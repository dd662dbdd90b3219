"""A meter's service commands and a bench, by their physics alone: for what the host tools do with odd answers."""

import math
import re
from dataclasses import replace
from typing import Any

from host.calibration.bench_source import LineLoad, Load, Reading
from host.calibration.line_model import Errors, Registers, degrees_per_phcal, reads_w, watts_per_wattos
from host.port.service import CommandRefusedError
from openkh.model import Model

OFF = LineLoad(120.0, 0.0)


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
        if name == "bench":
            return {"ok": True}
        if name == "image":
            return {"revision": "0.10", "image": "ab" * 32, "files": 56}
        line, *numbers = [float(x) for x in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", command)]
        n = int(line) - 1
        self.registers[n] = getattr(self, f"_{name}")(self.registers[n], numbers)
        return {"ok": True}

    def window(self, seconds: float) -> dict[str, Any]:
        self.windows += 1
        rows = []
        us = round(seconds * 1e6)
        for n, load in enumerate(self.load.lines):
            own = self.registers[n]
            watts = 0.0
            if load.amps:
                watts = reads_w(self.model, self.errors[n], own, load.watts, load.degrees, self.load.hz)
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

    def _line(self, n: int) -> dict[str, Any]:
        own = vars(self.registers[n])
        shown = dict.fromkeys(("gain_percent", "phase_degrees", "offset_w", "volts_percent", "amps_percent"), 0.0)
        return {**own, **shown, "line": n + 1}

    def _cal_volts(self, old: Registers, numbers: list[float]) -> Registers:
        part = 1 + numbers[0] / 100
        return replace(old, vgain=round(old.vgain / part), wgain=round(old.wgain * part))

    def _cal_amps(self, old: Registers, numbers: list[float]) -> Registers:
        part = 1 + numbers[0] / 100
        return replace(old, igain=round(old.igain / part), wgain=round(old.wgain * part))

    def _cal_gain(self, old: Registers, numbers: list[float]) -> Registers:
        return replace(old, wgain=round(old.wgain / (1 + sum(numbers) / len(numbers) / 100)))

    def _cal_phase(self, old: Registers, numbers: list[float]) -> Registers:
        *errors, degrees = numbers
        ratio = 1 + sum(errors) / len(errors) / 100
        lead = degrees - math.degrees(math.acos(ratio * math.cos(math.radians(degrees))))
        return replace(old, phcal=old.phcal + round(lead / degrees_per_phcal(60.0)))

    def _cal_offset(self, old: Registers, numbers: list[float]) -> Registers:
        *errors, watts = numbers
        off = watts * sum(errors) / len(errors) / 100
        return replace(old, wattos=old.wattos - round(off / watts_per_wattos(self.model)))

    def _cal_set(self, _old: Registers, numbers: list[float]) -> Registers:
        return Registers(*(int(x) for x in numbers))

    # Bench

    def apply(self, point: str, load: Load) -> None:
        self.load = load
        self.points.append((point, load))

    def play(self, point: str, recordings: list[Any]) -> None:  # noqa: ARG002
        raise AssertionError("no waveforms")

    def read(self, point: str, line: int, window: int) -> Reading:  # noqa: ARG002
        own = self.load.lines[line - 1]
        return self.forged.get((point, line)) or Reading(own.volts, own.amps, own.watts)

    def wait(self, seconds: float) -> None:  # noqa: ARG002
        self.counts += self.creep

    def lags(self, line: int) -> bool:  # noqa: ARG002
        return True

    def counted(self) -> None:
        return None

    def pulses(self) -> None:
        return None
