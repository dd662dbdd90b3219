"""The accuracy campaign over temperature: random boards, calibrated at 23 degC by a bench that errs itself, their drift
found at a second temperature, verified at three.

Each board three times: as the procedure without curve and second temperature leaves it, with the curve, and with both.
Worked out by the direct model of the chain (direct_meter.py); `against_simulation` runs the same procedure on the whole
simulated meter and compares every load point.
"""

import json
import statistics
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from host.calibration import raw_boards, second_temperature
from host.calibration.bench_source import Bench, LineLoad, Load, VirtualBench
from host.calibration.calibrator import Calibrator, power_w
from host.campaigns.accuracy.boards import MODELS, SPLIT_MODEL, with_open_questions
from host.campaigns.accuracy.direct_meter import CLASS_002, EXACT, BenchErrors, DirectMeter
from host.port.service import Service
from host.sim.board import Board
from host.sim.link import TOP
from host.verification.points import CURVES, limit_of
from openkh.model import Model

if TYPE_CHECKING:
    from host.campaigns.spread.spread import Spread

FIGURES = TOP / "build" / "accuracy_drift.json"
TEMPERATURES = (-20.0, 23.0, 50.0)
SECOND_C = 55.0
REFERENCE_PERCENT = 0.02
PARTS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.5, 1.0, 1.1)
BEFORE, CURVE, BOTH = "one temperature, no curve", "one temperature, curve", "two temperatures, curve"
WAYS = (BEFORE, CURVE, BOTH)
COMPARED = 4  # boards that are run on the whole simulated meter as well
AGREES_PERCENT = 0.06  # at 2 % of class and 0.5 lagging the windows of either are as uncertain
MOST_BENCH_S = 600.0

Row = tuple[str, Any, str]
Errors = dict[str, list[float]]  # "temperature/curve/part" -> of each line, percent


@dataclass
class Result:
    """One board. `errors[way]`: by point; `worst[way]`: the largest error of a point, in parts of the class 0.5 limit,
    by temperature."""

    seed: int
    core: str
    model: str
    bench_s: float = 0.0
    errors: dict[str, Errors] = field(default_factory=dict)
    worst: dict[str, dict[str, float]] = field(default_factory=dict)


def board(seed: int, core: str, bench: BenchErrors = CLASS_002) -> Result:
    """Calibrate and verify a random board in the three ways."""
    code, service = MODELS[seed % len(MODELS)] if core == "solid" else (SPLIT_MODEL, "60Hz")
    model = Model(code, service)
    result = Result(seed, core, code)
    made = raw_boards.board(seed, core)
    for way in WAYS:
        meter = DirectMeter(made, model, seed, bench)
        reference = REFERENCE_PERCENT if bench != EXACT else 0.0
        result.bench_s = max(result.bench_s, calibrate(meter, meter, way, reference))
        meter.source_is_exact()
        result.errors[way] = verified(meter, meter, model)
        result.worst[way] = worst(result.errors[way])
    return result


def calibrate(service: Any, bench: Bench, way: str, reference_percent: float) -> float:
    """As ./scripts/calibrate does it; the bench time of the first temperature, where the direct model tells it."""
    calibrator = Calibrator(service, bench, reference_percent=reference_percent, curve=way != BEFORE)
    calibrator.run()
    bench_s = getattr(bench, "bench_s", 0.0)
    if way == BOTH:
        lines = tuple(range(1, calibrator.model.elements + 1))
        again = Calibrator(service, bench, reference_percent=reference_percent)
        second_temperature.run(again, lines, SECOND_C, lambda _text: None)
    return bench_s


def verified(service: Any, bench: Bench, model: Model, parts: tuple[float, ...] = PARTS) -> Errors:
    """Every line's error at each load point and temperature."""
    found: Errors = {}
    for celsius in TEMPERATURES:
        bench.temperature(celsius)
        for degrees in CURVES:
            for part in parts:
                load = LineLoad(model.nominal_mv / 1000, part * model.rating_a, degrees)
                bench.apply("", Load((load,) * model.elements, float(model.hz)))
                rows = service.window(10)["lines"]
                found[f"{celsius:g}/{degrees:g}/{part:g}"] = [
                    (power_w(model, row) / load.watts - 1) * 100 for row in rows[: model.elements]
                ]
    return found


def worst(errors: Errors) -> dict[str, float]:
    """The largest error by temperature, in parts of the limit of class 0.5."""
    found: dict[str, float] = {}
    for key, values in errors.items():
        celsius, degrees, part = key.split("/")
        limit = limit_of(float(part), float(degrees))
        if limit is not None:
            found[celsius] = max(found.get(celsius, 0.0), max(abs(value) for value in values) / limit)
    return found


def against_simulation(seed: int, core: str) -> float:
    """Largest difference between the direct model and the whole simulated meter, percent, at every second load point:
    the same board, calibrated in both ways by an exact bench; the simulated one's front ends with the data sheet's open
    questions drawn."""
    code, service_name = MODELS[seed % len(MODELS)] if core == "solid" else (SPLIT_MODEL, "60Hz")
    model = Model(code, service_name)
    made = raw_boards.board(seed, core)
    parts = PARTS[::2]
    direct = DirectMeter(made, model, seed)
    calibrate(direct, direct, BOTH, 0.0)
    expected = verified(direct, direct, model, parts)
    board_of = with_open_questions(made, seed)
    with Board({"model": code, "service": service_name, "seed": seed, "board": board_of}) as simulated:
        volts = model.nominal_mv / 1000
        simulated.mains((volts, 0.0, 0.0), (volts, 0.0, 0.0), float(model.hz))
        simulated.wait(20.0)
        service, bench = Service(simulated), VirtualBench(simulated, model)
        calibrate(service, bench, BOTH, 0.0)
        found = verified(service, bench, model, parts)
    return max(abs(a - b) for key in found for a, b in zip(found[key], expected[key], strict=True))


def rows(spread: "Spread", boards: int) -> list[Row]:
    """For ./scripts/bench --accuracy-drift N: N solid-core and N split-core boards; RuntimeError where one is not what
    it must be. Every figure goes to build/accuracy_drift.json, for host.docs_made.drift_plots."""
    compared = {
        f"simulation, seed {n}": (against_simulation, n, "solid" if n % 2 else "split")
        for n in range(1, min(COMPARED, boards) + 1)
    }
    made = {
        f"{core} core, seed {seed}": (board, seed, core) for core in ("solid", "split") for seed in range(1, boards + 1)
    }
    found = spread.each("boards over temperature", compared | made)  # the longest come first
    differences, results = found[: len(compared)], found[len(compared) :]
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps([vars(result) for result in results]))
    bad = complaints(results)
    if max(differences) > AGREES_PERCENT:
        bad.append(f"the direct model is {max(differences):.3f} % off the simulation")
    if bad:
        raise RuntimeError("; ".join(bad[:10]))
    return [
        *rows_of(results),
        ("direct model against the simulated meter, largest difference", f"{max(differences):.4f}", "%"),
    ]


def complaints(results: list[Result]) -> list[str]:
    """What is against the requirement (ID-4a)."""
    bad = []
    for r in results:
        solid = r.core == "solid"
        # Solid cores: class 0.2 at every temperature with both, at 23 without the second one; split cores: class 0.5
        # at 23. The others are reported: a reference at the data sheet's limit alone drifts by 0.43 % to -20.
        limit = 0.5 if solid else 1.0
        for way in (BOTH, CURVE):
            for celsius, part in r.worst[way].items():
                if part > limit and (celsius == "23" or (solid and way == BOTH)):
                    bad.append(
                        f"{r.core} board {r.seed}, {way}, {celsius} degC: {part / limit * 100:.0f} % of its limit"
                    )
        if r.bench_s > MOST_BENCH_S:
            bad.append(f"{r.core} board {r.seed}: {r.bench_s:.0f} s of bench time")
    return bad


def rows_of(results: list[Result]) -> list[Row]:
    """The campaign as a table."""
    found: list[Row] = []
    for core in ("solid", "split"):
        own = [r for r in results if r.core == core]
        if not own:
            continue
        found.append((f"{core}-core boards", len(own), ""))
        for way in WAYS:
            for celsius in (f"{c:g}" for c in TEMPERATURES):
                parts = [r.worst[way][celsius] for r in own]
                text = f"class 0.2: {sum(p <= 0.5 for p in parts)}, class 0.5: {sum(p <= 1.0 for p in parts)}, "
                text += f"worst {max(parts) * 100:.0f} % of class 0.5's limit"
                found.append((f"{core}, {way}, {celsius} degC: within", text, ""))
    return found


def spread(results: list[Result], core: str, way: str, key: str) -> tuple[float, float, float]:
    """Mean, standard deviation and worst of all lines' errors at a point, percent."""
    errors = [value for r in results if r.core == core for value in r.errors[way][key]]
    return statistics.fmean(errors), statistics.stdev(errors), max(errors, key=abs)


def load_figures() -> list[Result]:
    """What the campaign has left in build/."""
    return [replace(Result(0, "", ""), **item) for item in json.loads(FIGURES.read_text())]
