"""Error curves: error over load, with the bands of the accuracy classes."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from host.pages import plot

HIGHEST = 125.0  # per cent of class at the right edge


@dataclass(frozen=True)
class Band:
    """Limits +-percent that step along the load: [(from percent of class, limit), ...]."""

    label: str
    steps: tuple[tuple[float, float], ...]
    fill: str

    def outline(self) -> tuple[list[float], list[float]]:
        """Loads and limits at which the upper edge turns."""
        loads = [load for load, _ in self.steps] + [HIGHEST]
        limits = [limit for _, limit in self.steps]
        return loads, [*limits, limits[-1]]


def error_curves(
    name: str, title: str, bands: list[Band], series: list[tuple[str, list[tuple[float, float]]]]
) -> Markup:
    """One diagram. `series`: (label, points of load and error, both in per cent); `name` begins its parts' ids."""
    figure = plot.figure(9.2, 3.5)
    axes = figure.subplots()
    plot.over_load(axes)
    for number, band in enumerate(bands):
        loads, limits = band.outline()
        area = axes.fill_between(loads, [-y for y in limits], limits, step="post", color=band.fill, linewidth=0)
        area.set(label=band.label, gid=f"{name}-band-{number}")
    plot.zero(axes)
    for number, (label, points) in enumerate(series):
        loads, errors = zip(*points)
        colour, marker = plot.LINES[number % 2], plot.MARKERS[number % 2]
        (curve,) = axes.plot(loads, errors, color=colour, marker=marker, markersize=5, linewidth=1.5, label=label)
        curve.set_gid(f"{name}-curve-{number}")
    largest = max(
        [abs(y) for _, points in series for _, y in points] + [limit for band in bands for _, limit in band.steps]
    )
    top = math.ceil(largest * 1.15 / 0.2) * 0.2
    axes.set(ylim=(-top, top), ylabel="error, %")
    axes.grid(True, linewidth=0.6)
    axes.set_axisbelow(True)
    handles, labels = axes.get_legend_handles_labels()
    curves_first = sorted(zip(handles, labels), key=lambda pair: pair[1].startswith("class"))
    figure.legend(*zip(*curves_first), loc="outside upper left", ncols=len(labels), handlelength=1.6)
    return plot.inline(figure, f"error over load, {title}")
