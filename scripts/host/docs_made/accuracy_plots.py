"""Draws the accuracy campaign for docs/accuracy.md.

python -m host.campaigns.accuracy.boards 200 --json campaign.json        # PYTHONPATH as in scripts/bench
python -m host.docs_made.accuracy_plots campaign.json   # docs/img/accuracy_*.svg, and a table
"""

import json
import sys
from pathlib import Path

import numpy as np

from host.campaigns.accuracy import boards as accuracy
from host.pages import plot
from host.verification.points import CURVES, LAG, LEAD, PF1, limit_of

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "img"
KEYS = {PF1: "pf1", LAG: "lag", LEAD: "lead"}
(BLUE, RED), GREEN = plot.LINES, plot.BANDS[0]


def _curve(results: list[accuracy.Result], degrees: float, raw: bool) -> tuple[list[float], list[list[float]]]:
    """Loads in percent of class, and all lines' errors at each."""
    errors: dict[float, list[float]] = {}
    for result in results:
        for key, values in (result.raw_errors if raw else result.errors).items():
            name, _, load = key.partition("-")
            if name == KEYS[degrees]:
                errors.setdefault(float(load), []).extend(values)
    loads = sorted(errors)
    return loads, [errors[load] for load in loads]


def residuals(results: list[accuracy.Result], path: Path) -> None:
    """Errors over load after calibration: median, quartiles, extremes, limits."""
    figure = plot.figure(11, 3.6)
    axes = figure.subplots(1, 3, sharey=True)
    for axis, (degrees, title) in zip(axes, CURVES.items(), strict=True):
        loads, errors = _curve(results, degrees, raw=False)
        limits = [limit_of(load / 100, degrees) for load in loads]
        judged = [(load, limit) for load, limit in zip(loads, limits, strict=True) if limit]
        xs, ys = zip(*judged, strict=True)
        axis.fill_between(xs, [-y for y in ys], ys, step="post", color=GREEN, label="limit")
        low, first, middle, third, high = (
            [np.percentile(values, q) for values in errors] for q in (0, 25, 50, 75, 100)
        )
        axis.fill_between(loads, low, high, color=BLUE, alpha=0.2, linewidth=0, label="all boards")
        axis.fill_between(loads, first, third, color=BLUE, alpha=0.45, linewidth=0, label="half of them")
        axis.plot(loads, middle, color=BLUE, label="median")
        plot.zero(axis)
        plot.over_load(axis)
        axis.set(title=title, ylim=(-1.1, 1.1))
    axes[0].set_ylabel("error, %")
    axes[2].legend(loc="lower right", fontsize=8)
    plot.save(figure, path)


def histograms(results: list[accuracy.Result], path: Path) -> None:
    """Distribution of the errors at three points, raw and calibrated."""
    figure = plot.figure(11, 4.6)
    axes = figure.subplots(2, 3)
    points = (("pf1-1", "1 % of class, PF 1"), ("pf1-100", "class current, PF 1"), ("lag-10", "10 %, PF 0.5 lagging"))
    for column, (key, title) in enumerate(points):
        for row, (raw, colour) in enumerate(((True, RED), (False, BLUE))):
            axis = axes[row][column]
            errors = [e for r in results for e in (r.raw_errors if raw else r.errors).get(key, ())]
            axis.hist(errors, bins=30, color=colour)
            degrees = PF1 if key.startswith("pf1") else LAG
            limit = limit_of(float(key.partition("-")[2]) / 100, degrees) or 0.0
            for x in (-limit, limit):
                axis.axvline(x, color=plot.GOOD, linestyle="--", linewidth=1)
            axis.set_title(f"{title}, {'raw' if raw else 'calibrated'}", fontsize=9)
            axis.set_yticks([])
        axes[1][column].set_xlabel("error, % (dashed: limit)")
    plot.save(figure, path)


def split_cores(results: list[accuracy.Result], path: Path) -> None:
    """Split-core boards after calibration, for orientation."""
    figure = plot.figure(8, 3.2)
    axes = figure.subplots(1, 2, sharey=True)
    for axis, degrees in zip(axes, (PF1, LAG), strict=True):
        for result in results:
            loads, errors = _curve([result], degrees, raw=False)
            for line in range(len(errors[0]) if errors else 0):
                axis.plot(loads, [values[line] for values in errors], color=BLUE, alpha=0.4, linewidth=0.8)
        loads, _ = _curve(results, degrees, raw=False)
        judged = [(load, limit_of(load / 100, degrees)) for load in loads if limit_of(load / 100, degrees)]
        xs, ys = zip(*judged, strict=True)
        axis.fill_between(xs, [-(y or 0) for y in ys], ys, step="post", color=GREEN, zorder=0)
        plot.over_load(axis)
        axis.set_title(CURVES[degrees])
    axes[0].set_ylabel("error, %")
    plot.save(figure, path)


def main(figures: Path = accuracy.FIGURES) -> int:
    """The command."""
    results = [accuracy.Result(**item) for item in json.loads(figures.read_text())]
    solid = [r for r in results if r.core == "solid"]
    split = [r for r in results if r.core == "split" and r.errors]
    residuals(solid, IMAGES / "accuracy_residual.svg")
    histograms(solid, IMAGES / "accuracy_distribution.svg")
    if split:
        split_cores(split, IMAGES / "accuracy_split.svg")
    for what, value, unit in accuracy.rows_of(results):
        print(f"| {what} | {value} {unit} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
