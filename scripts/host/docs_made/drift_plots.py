"""Draws the accuracy campaign over temperature for docs/accuracy.md.

./scripts/bench --accuracy-drift 200                              # the campaign, to build/accuracy_drift.json
PYTHONPATH=scripts:.:firmware python -m host.docs_made.drift_plots   # docs/img/accuracy_drift_*.svg, and a table
"""

import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from host.campaigns.accuracy.drift import BEFORE, BOTH, PARTS, TEMPERATURES, Result, load_figures, rows_of, spread
from host.verification.points import CURVES, LAG, PF1, limit_of

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "openkh"  # the same picture from the same figures
matplotlib.rcParams["font.size"] = 9
from matplotlib import pyplot as plt  # noqa: E402  after the choice of what draws

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "img"
BLUE, RED, GREEN, DARK = "#0b5fa5", "#b3470b", "#e4efe0", "#1c7c3c"
POINTS = (
    ("0", "0.02", "2 % of class, PF 1"),
    ("0", "1", "100 %, PF 1"),
    ("60", "0.02", "2 %, PF 0.5 lagging"),
    ("60", "0.2", "20 %, PF 0.5 lagging"),
    ("60", "1", "100 %, PF 0.5 lagging"),
    ("-30", "0.1", "10 %, PF 0.866 leading"),
)


def bands(results: list[Result], core: str, path: Path) -> None:
    """Errors over load at three temperatures: all lines of all boards, before and after; the limits of the classes."""
    figure, axes = plt.subplots(2, len(TEMPERATURES), figsize=(11, 6), sharex=True, sharey="row")
    for row, degrees in enumerate((PF1, LAG)):
        for axis, celsius in zip(axes[row], TEMPERATURES, strict=True):
            loads = [part * 100 for part in PARTS]
            limits = [limit_of(part, degrees) or 0.0 for part in PARTS]
            axis.fill_between(loads, [-y for y in limits], limits, step="post", color=GREEN, label="class 0.5")
            for sign in (-1, 1):
                axis.step(
                    loads, [sign * y / 2 for y in limits], where="post", color=DARK, linestyle="--", linewidth=0.9,
                    label="class 0.2" if sign > 0 else None,
                )  # fmt: skip
            for way, colour, title in ((BEFORE, RED, "before"), (BOTH, BLUE, "after")):
                errors = [_errors(results, core, way, celsius, degrees, part) for part in PARTS]
                low, middle, high = ([float(np.percentile(e, q)) for e in errors] for q in (0, 50, 100))
                axis.fill_between(loads, low, high, color=colour, alpha=0.3, linewidth=0, label=f"all boards, {title}")
                axis.plot(loads, middle, color=colour, linewidth=1)
            axis.set(xscale="log")
            axis.set_xticks([2, 5, 10, 20, 50, 100], ["2", "5", "10", "20", "50", "100"])
            axis.minorticks_off()
            axis.set_title(f"{CURVES[degrees]}, {celsius:g} degC")
        axes[row][0].set_ylabel("error, %")
    for axis in axes[1]:
        axis.set_xlabel("current, % of class")
    axes[0][1].legend(loc="lower center", fontsize=7, ncols=2)
    _save(figure, path)


def _errors(results: list[Result], core: str, way: str, celsius: float, degrees: float, part: float) -> list[float]:
    key = f"{celsius:g}/{degrees:g}/{part:g}"
    return [value for r in results if r.core == core for value in r.errors[way][key]]


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> int:
    """The command."""
    results = load_figures()
    for core in ("solid", "split"):
        bands(results, core, IMAGES / f"accuracy_drift_{core}.svg")
        print(f"\n{core} cores, error, mean +- standard deviation (worst), %\n")
        for degrees, part, title in POINTS:
            cells = []
            for way in (BEFORE, BOTH):
                for celsius in TEMPERATURES:
                    mean, deviation, most = spread(results, core, way, f"{celsius:g}/{degrees}/{part}")
                    cells.append(f"{mean:+.2f} +- {deviation:.2f} ({most:+.2f})")
            print(f"| {title} | {' | '.join(cells)} |")
    for what, value, unit in rows_of(results):
        print(f"| {what} | {value} {unit} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
