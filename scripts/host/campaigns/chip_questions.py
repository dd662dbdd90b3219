"""What each way of each open question of the front end costs on the whole meter (CH-1): the table in docs/chips.md.

PYTHONPATH=scripts:.:firmware .venv/bin/python -m host.campaigns.chip_questions    runs all of it and writes the table

Both lines at 10 A. Compared is what the simulated chips have counted with what the register holds, before and after
each event, without a load: "exact" is to the count; else how many milliseconds of the load are missing.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boards.virtual.ade7953.registers import NARROW, WIDE
from host.calibration.bench_source import LineLoad, Load, VirtualBench
from host.calibration.calibrator import Calibrator, power_w
from host.port.service import Service
from host.sim.board import Board
from openkh.model import Model

TOP = Path(__file__).resolve().parents[3]
PAGE = TOP / "docs" / "chips.md"
BEGIN, END = "<!-- campaign: begin -->", "<!-- campaign: end -->"
MODEL = Model("MDNCT-1SC", "60Hz")
AMPS = 10.0
COUNTS_PER_MS = 2 * AMPS * 120 * MODEL.counts_per_wh / 3_600_000
ROUND_S = 1.2  # in which each register is read back
START_MS, RESET_MS, ALTERED_MS = 500.0, 400.0, 110.0  # bounds
CALIBRATED_PERCENT = 0.08  # a step of PHCAL is 0.07 % at 0.5 lagging
UNTOUCHED = (0x100, 0x101)  # ZXTOUT and LINECYC carry a note of the meter's own, written anew each second

WAYS: dict[str, dict[str, Any]] = {
    "the likeliest chip": {},
    "`checksum_live_bits = true`": {"checksum_live_bits": True},
    "`checksum_delay_ms = 10`": {"checksum_delay_ms": 10.0},
    "both": {"checksum_live_bits": True, "checksum_delay_ms": 10.0},
    "`checksum_seed = 5`, `version = 254`": {"checksum_seed": 5, "version": 254},
    '`counter_end = "stop"`': {"counter_end": "stop"},
    "`phcal_sign = -1`": {"phcal_sign": -1},
    "`var_sign = -1`": {"var_sign": -1},
    "`last_changes = true`": {"last_changes": True},
    "`silent_ms = 0`": {"silent_ms": 0.0},
    "`silent_ms = 100`": {"silent_ms": 100.0},
    "`flags_return = true`": {"flags_return": True},
    "`key_strict = false`": {"key_strict": False},
    "`noise = true`": {"noise": True},
    "`ripple = true`": {"ripple": True},
    "`period_settle_ms = 0`": {"period_settle_ms": 0.0},
}


@dataclass
class Row:
    """What one way costs: milliseconds of the load that are missing; registers found; the error in percent."""

    start: float
    reversal: float
    no_load: float
    chip_reset: float
    rp2040_reset: float
    found: int
    registers: int
    altered: float
    cut: float
    calibrated: float
    failures: int

    def complaints(self) -> list[str]:
        """What is not as it must be."""
        bad = []
        for name in ("reversal", "no_load", "rp2040_reset"):
            if abs(getattr(self, name)) * COUNTS_PER_MS > 1:
                bad.append(f"{name} {getattr(self, name):+.1f} ms")
        bounds = (("start", START_MS), ("chip_reset", RESET_MS), ("altered", ALTERED_MS), ("cut", START_MS))
        bad += [f"{name} {getattr(self, name):.0f} ms" for name, most in bounds if not -1 < getattr(self, name) < most]
        if self.found != self.registers:
            bad.append(f"{self.found} of {self.registers} altered registers found")
        if self.calibrated > CALIBRATED_PERCENT:
            bad.append(f"calibrated to {self.calibrated:.3f} %")
        return bad + ([f"{self.failures} failures"] if self.failures else [])


class _Run:
    """One meter, and what is missing of what its chips have counted."""

    def __init__(self, settings: dict[str, Any]) -> None:
        chips = {"chip1": settings, "chip2": settings}
        self.board = Board({"model": MODEL.code, "service": MODEL.service, "board": chips})
        self._missing = 0

    def load(self, degrees: float = 0.0, amps: float = AMPS, seconds: float = 2.0) -> None:
        self.board.mains((120.0, amps, degrees), (120.0, amps, 0.0))
        self.board.wait(seconds)

    def fault(self, kind: str, part: str = "chip1", **params: Any) -> None:
        self.board.stimulus([["fault", None, part, kind, params, 0]])

    def lost_ms(self) -> float:
        """Milliseconds of the load that have gone missing since the last call."""
        self.load(amps=0.0, seconds=1.5)
        snap = self.board.snap
        register = snap["register"]
        booked = _counts(register["delivered_wh"]) - _counts(register["received_wh"])
        missing = sum(snap["counted"]) - booked
        lost, self._missing = missing - self._missing, missing
        return lost / COUNTS_PER_MS


def _counts(text: str) -> int:
    whole, part = text.split(".")
    return int(whole) * MODEL.counts_per_wh + -(-int(part) * MODEL.counts_per_wh // 1_000_000)


def measure(settings: dict[str, Any]) -> Row:
    """All events of the table with one way of the chips."""
    run = _Run(settings)
    with run.board as board:
        run.load(seconds=3.0)
        start = run.lost_ms()
        for degrees in (180.0, 0.0, 180.0, 90.0, 0.0):
            run.load(degrees)
        reversal = run.lost_ms()
        board.wait(20.0)
        no_load = run.lost_ms()
        run.load()
        run.fault("reset")
        board.wait(2.0)
        chip_reset = run.lost_ms() * 2  # of one line
        run.load()
        run.fault("reset", "cpu")
        board.wait(4.0)
        rp2040 = run.lost_ms()
        run.load()
        addresses = [address for address in (*NARROW, *WIDE) if address not in UNTOUCHED]
        most = 0.0
        found = 0
        for address in addresses:
            bits = (NARROW.get(address) or WIDE[address])[1]
            before = sum(1 for _ in _repairs(board))
            for value in (0x15, 0x2A):  # one of them is another value than what it holds
                run.fault("register", address=address, value=value & bits)
                board.wait(ROUND_S)
            found += sum(1 for _ in _repairs(board)) > before
            run.load(seconds=0.2)
        most = run.lost_ms() * 2 / (2 * len(addresses))
        run.load()
        board.stimulus([["power", None, 0]])
        board.wait(1.0)
        board.stimulus([["power", None, 1]])
        board.wait(2.0)
        cut = run.lost_ms()
        failures = len(board.snap["status"]["failures"])
    return Row(
        start, reversal, no_load, chip_reset, rp2040, found, len(addresses), most, cut, calibrated(settings), failures
    )


def _repairs(board: Board) -> Any:
    faults = Service(board).call("faults()")
    yield from range(faults["lines"][0]["repairs"] + faults["lines"][0]["resets"])


def calibrated(settings: dict[str, Any]) -> float:
    """The largest error in percent at three angles of a raw board after its calibration."""
    chip = {**settings, "v_gain_percent": 1.3, "i_gain_percent": -0.8, "phase_minutes": 3.0}
    model = Model("MSNCT-1SC", "60Hz")
    config = {"model": model.code, "service": model.service}
    with Board({**config, "board": {"ct1": {"ratio_percent": 0.2, "phase_minutes": 20.0}, "chip1": chip}}) as board:
        board.mains((120.0, 0.0, 0.0))
        board.wait(1.5)
        service = Service(board)
        bench = VirtualBench(board, model)
        Calibrator(service, bench, windows=2).run()
        worst = 0.0
        for degrees, cosine in ((0.0, 1.0), (60.0, 0.5), (-30.0, 0.8660254037844387)):
            bench.apply("check", Load((LineLoad(120.0, 20.0, degrees),), 60.0))
            own = service.window(10)["lines"][0]
            worst = max(worst, abs(power_w(model, own) / (2400.0 * cosine) - 1) * 100)
        return worst


def table(rows: dict[str, Row]) -> str:
    """As it stands in the page."""
    lines = [
        "| chip | start | reversal, no load | chip reset | RP2040 reset | altered registers | power cut | calibrated |",
        "| --- | ---: | --- | ---: | --- | ---: | ---: | ---: |",
    ]
    for name, row in rows.items():
        turned = _exact(max(abs(row.reversal), abs(row.no_load)))
        altered = f"{row.found} of {row.registers} found, {row.altered:.0f} ms each"
        lines.append(
            f"| {name} | {row.start:.0f} ms | {turned} | {row.chip_reset:.0f} ms | {_exact(abs(row.rp2040_reset))} | "
            f"{altered} | {row.cut:.0f} ms | {row.calibrated:.3f} % |"
        )
    return "\n".join(lines)


def _exact(ms: float) -> str:
    return "exact" if ms * COUNTS_PER_MS <= 1 else f"{ms * COUNTS_PER_MS:.0f} counts"


def main() -> int:
    """Run all, tell, and write the page."""
    rows = {}
    bad = 0
    for n, (name, settings) in enumerate(WAYS.items(), 1):
        rows[name] = row = measure(settings)
        bad += bool(row.complaints())
        print(
            f"{n} of {len(WAYS)}: {name}: {', '.join(row.complaints()) or 'as it must be'}", file=sys.stderr, flush=True
        )
    head, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n\n{table(rows)}\n\n{END}{rest.split(END)[1]}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
