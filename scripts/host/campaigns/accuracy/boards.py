"""The accuracy campaign: random raw boards, each verified uncalibrated (it must fail), calibrated without a hand on it
by the guided steps, and verified again. Of each front end the data sheet's open questions (CH-1) are drawn, too.

The same code as ./scripts/calibrate and ./scripts/verify, through the firmware's own prompt; only the link between them
is the engine's instead of a serial port, so that simulated time runs as fast as it can.
"""

import json
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from host.calibration import raw_boards
from host.calibration.bench_source import VirtualBench
from host.calibration.calibrator import Calibrator
from host.campaigns.chip_settings import draw_chips
from host.cli.refused import OneLineError
from host.port.service import Service
from host.sim.board import Board
from host.sim.link import TOP
from host.verification.verifier import SUM, Scope, Verdict, Verifier
from openkh.model import Model

if TYPE_CHECKING:
    from host.campaigns.spread.spread import Spread

MOST_BENCH_S = 600.0
MODELS = (("MDNCT-1SC", "60Hz"), ("MDTCT-2SC", "60Hz"), ("MSNCT-1SC", "50Hz"), ("MSNCT-2SC", "60Hz"))
SPLIT_MODEL = "MDNCT-1SP"
SPLIT_EACH = 10  # for so many solid-core boards one with split cores is reported
DATE = "260131"
FIGURES = TOP / "build" / "accuracy.json"

Row = tuple[str, Any, str]


@dataclass
class Result:
    """One board. `worst_raw`, `worst`: the largest error of a load point, percent of its limit, before and after."""

    seed: int
    core: str
    model: str
    raw_failed: bool
    passed: bool
    bench_s: float
    errors: dict[str, list[float]] = field(default_factory=dict)  # by point, of all lines, percent
    raw_errors: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    refused: str = ""
    worst_percent_of_limit: float = 0.0


def with_open_questions(made: dict[str, Any], seed: int) -> dict[str, Any]:
    """A random board with front ends that are any of those that the data sheet allows (CH-2); the noise stays on."""
    return made | {chip: drawn | made[chip] for chip, drawn in draw_chips(seed).items()}


def board(seed: int, core: str = "solid", scope: Scope | None = None, raw_all: bool = False) -> Result:
    """Make, verify, calibrate and verify the random board `seed`. `raw_all`: verify the raw board to the end."""
    scope = scope or Scope()
    code, service_name = MODELS[seed % len(MODELS)] if core == "solid" else (SPLIT_MODEL, "60Hz")
    model = Model(code, service_name)
    result = Result(seed, core, code, raw_failed=False, passed=False, bench_s=0.0)
    made = with_open_questions(raw_boards.board(seed, core), seed)
    config = {"model": code, "service": service_name, "seed": seed, "board": made}
    with Board(config) as meter:
        volts = model.nominal_mv / 1000
        meter.stimulus([["mains", None, 0, [volts, 0.0, 0.0, 0.0], [volts, 0.0, 0.0, 180.0], float(model.hz)]])
        meter.wait(1.5)
        service = Service(meter)
        bench = VirtualBench(meter, model)
        raw = Verifier(service, bench, scope=Scope(1.0, 1.0, scope.seconds, first_failure=not raw_all)).run()
        result.raw_failed = bool(raw.failed)
        result.raw_errors = _errors(raw)
        began_us = meter.now_us
        try:
            Calibrator(service, bench).run()
            service.call(f'save("{DATE}")')
        except OneLineError as error:
            result.refused = str(error)
            return result
        result.bench_s = (meter.now_us - began_us) / 1e6
        verdict = Verifier(service, bench, scope=scope).run()
    result.passed = verdict.passed
    result.errors = _errors(verdict)
    result.failures = [f"{row.key} line {row.line}: {row.value:+.4f} {row.unit}" for row in verdict.failed]
    parts = [abs(row.value) / row.limit * 100 for row in verdict.rows if row.group == "load" and row.limit]
    result.worst_percent_of_limit = max(parts)
    return result


def _errors(verdict: Verdict) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row in verdict.rows:
        if row.unit == "%" and row.line != SUM:
            found.setdefault(row.key, []).append(round(row.value, 5))
    return found


def run(spread: "Spread", boards: int, scope: Scope | None = None, raw_all: bool = False) -> list[Result]:
    """`boards` solid-core boards and a tenth as many with split cores."""
    many = {"solid": boards, "split": boards // SPLIT_EACH}
    jobs = {
        f"{core} core, seed {seed}": (board, seed, core, scope, raw_all)
        for core, count in many.items()
        for seed in range(1, count + 1)
    }
    return spread.each("boards", jobs, tell=lambda result: "; ".join(complaints([result])))


def rows_of(results: list[Result]) -> list[Row]:
    """The campaign as a table."""
    solid = [r for r in results if r.core == "solid"]
    split = [r for r in results if r.core == "split"]
    rows: list[Row] = [
        ("solid-core boards", len(solid), ""),
        ("raw boards that fail", sum(r.raw_failed for r in solid), ""),
        ("raw boards in class by chance", sum(not r.raw_failed and _lucky(r) for r in solid), ""),
        ("calibrated boards that pass", sum(r.passed for r in solid), ""),
        ("calibrations refused", sum(bool(r.refused) for r in solid), ""),
        ("longest calibration, bench time", f"{max(r.bench_s for r in solid):.0f}", "s"),
        ("worst load point", f"{max(r.worst_percent_of_limit for r in solid):.0f}", "% of its limit"),
    ]
    for key, title in SHOWN.items():
        errors = [error for r in solid for error in r.errors.get(key, ())]
        if len(errors) > 1:
            spread = f"{statistics.fmean(errors):+.3f} +- {statistics.stdev(errors):.3f}, worst {_largest(errors):+.3f}"
            rows.append((f"error at {title}", spread, "%"))
    if split:
        parts = [r.worst_percent_of_limit for r in split if r.errors]
        rows.append(("split-core boards (not judged)", len(split), ""))
        rows.append(("split core, within the solid-core envelope", sum(part <= 100 for part in parts), ""))
        rows.append(("split core, worst load point", f"{max(parts, default=0.0):.0f}", "% of its limit"))
    return rows


SHOWN = {
    "pf1-1": "1 % of class, PF 1",
    "pf1-2": "2 % of class, PF 1",
    "pf1-10": "10 % of class, PF 1",
    "pf1-100": "100 % of class, PF 1",
    "lag-2": "2 % of class, PF 0.5 lagging",
    "lag-10": "10 % of class, PF 0.5 lagging",
    "lag-100": "100 % of class, PF 0.5 lagging",
    "lead-10": "10 % of class, PF 0.866 leading",
    "starting": "starting current",
}


def _lucky(result: Result) -> bool:
    """The parts' errors cancel: in class without a calibration, and rightly found so."""
    elements = 2 if result.model[1] == "D" else 1
    return raw_boards.in_class_by_chance(raw_boards.board(result.seed, result.core), elements)


def _largest(errors: list[float]) -> float:
    return max(errors, key=abs)


def rows(spread: "Spread", boards: int) -> list[Row]:
    """For ./scripts/bench --accuracy N; RuntimeError where a board is not what it must be. Every board's figures go to
    build/accuracy.json, for host.docs_made.accuracy_plots."""
    results = run(spread, boards, raw_all=True)
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps([vars(result) for result in results]))
    bad = complaints(results)
    if bad:
        raise RuntimeError("; ".join(bad))
    return rows_of(results)


def complaints(results: list[Result]) -> list[str]:
    """What is against the requirement: a solid-core board out of the envelope or too slow, a raw one that passes
    although its parts put it out of the envelope."""
    bad = []
    for r in results:
        if r.core != "solid":
            continue
        if not r.raw_failed and not _lucky(r):
            bad.append(f"board {r.seed}: passes uncalibrated")
        if r.refused:
            bad.append(f"board {r.seed}: {r.refused}")
        elif not r.passed:
            bad.append(f"board {r.seed}: {', '.join(r.failures) or 'not complete'}")
        if r.bench_s > MOST_BENCH_S:
            bad.append(f"board {r.seed}: {r.bench_s:.0f} s of bench time")
    return bad
