"""Draws the timing diagrams of docs/outputs.md from traces of the firmware on the virtual board.

    PYTHONPATH=scripts:.:firmware:boards/reference .venv/bin/python -m host.docs_made.timing_diagrams [--out docs/img]

Every line is an edge that the virtual board recorded; only mains, load and energy are drawn from what was set.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from host.pages import plot
from host.sim.link import TOP, Link

VOLTS = 120.0
COLOURS = {
    "opto10": "#1f77b4",
    "opto100": "#2ca02c",
    "opto1000": "#9467bd",
    "led": "#d62728",
    "counter": "#8c564b",
    "rail12": "#e377c2",
    "mains": "#555555",
    "load": "#555555",
}
LABELS = {
    "opto10": "10 (on)",
    "opto100": "100 (on)",
    "opto1000": "1000 (on)",
    "led": "load LED",
    "counter": "counter coil",
    "rail12": "12 V on",
}

Edges = list[tuple[float, int]]


def mains(t_s: float, watts: float) -> list[Any]:
    """Both lines share the load evenly, at power factor 1."""
    amps = watts / 2 / VOLTS
    return ["mains", int(t_s * 1e6), 0, [VOLTS, amps, 0.0, 0.0], [VOLTS, amps, 0.0, 180.0], 60.0]


def trace(items: list[list[Any]], seconds: float, **config: Any) -> dict[str, Edges]:
    """Edges by signal, seconds and levels, of a meter that starts at 0."""
    settings: dict[str, Any] = {"model": "MDNCT-2SC", "service": "60Hz", "seed": 1, "board": {}}
    settings.update(config)
    with Link("cpython", settings) as link:
        out = link.run(int(seconds * 1e6), sorted(items, key=lambda item: item[1]))["out"]
        link.finish()
    edges: dict[str, Edges] = {name: [] for name in LABELS}
    for item in out:
        if item[0] == "edge":
            edges[item[2]].append((item[1] / 1e6, item[3]))
    return edges


def steps(edges: Edges, begin: float, end: float) -> tuple[list[float], list[int]]:
    """The edges as a line from `begin` to `end`."""
    level = 0
    for t, value in edges:
        if t <= begin:
            level = value
    times, levels = [begin], [level]
    for t, value in edges:
        if begin < t < end:
            times += [t, t]
            levels += [levels[-1], value]
    return times + [end], levels + [levels[-1]]


def panel(axes: Any, rows: list[tuple[str, str, Edges]], begin: float, end: float) -> None:
    """Signals one below the other: (kind, label, edges)."""
    for row, (kind, _, edges) in enumerate(rows):
        times, levels = steps(edges, begin, end)
        base = -1.5 * row
        axes.plot(times, [base + level for level in levels], color=COLOURS[kind], linewidth=1.4)
        axes.fill_between(times, base, [base + level for level in levels], color=COLOURS[kind], alpha=0.15, linewidth=0)
    axes.set_yticks([-1.5 * row + 0.5 for row in range(len(rows))], [label for _, label, _ in rows])
    axes.set_xlim(begin, end)
    axes.set_ylim(-1.5 * len(rows) + 1.2, 1.4)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def signal_rows(edges: dict[str, Edges], *names: str) -> list[tuple[str, str, Edges]]:
    return [(name, LABELS[name], edges[name]) for name in names]


def energy(out: Path) -> None:
    """What is on when: 36 kW, 10 Wh each second."""
    edges = trace([mains(0, 36_000)], 126)
    figure = plot.figure(9, 3.8)
    axes = figure.subplots()
    begin, end = 88.0, 122.0
    panel(axes, signal_rows(edges, "opto10", "led", "opto100", "opto1000", "counter"), begin, end)
    full_s = edges["opto1000"][0][0] - 0.5  # when the register reached 1000 Wh
    for wh in range(900, 1250, 50):
        t = full_s + (wh - 1000) / 10
        if begin < t < end:
            axes.axvline(t, color="#bbbbbb", linewidth=0.8, zorder=0)
            axes.text(t, 1.25, f"{wh} Wh", ha="center", fontsize=8)
    axes.set_xlabel("s at 36 kW: 10 Wh each second")
    plot.save(figure, out / "outputs_energy.svg")


def delay(out: Path) -> None:
    """Each edge 500 ms after its crossing, whatever the cycles do (late by up to 80 ms)."""
    edges = trace([mains(0, 20_000)], 17, jitter_us=80_000)
    figure = plot.figure(9, 2.2)
    axes = figure.subplots()
    begin, end = 11.0, 15.8
    panel(axes, signal_rows(edges, "opto10"), begin, end)
    for t, level in edges["opto10"]:
        if begin + 0.6 < t < end:
            axes.annotate("", (t, -0.15), (t - 0.5, -0.15), arrowprops={"arrowstyle": "->", "color": "#888888"})
            axes.plot([t - 0.5], [-0.15], "o", color="#d62728", markersize=4)
            axes.text(t - 0.25, -0.12, "500 ms", ha="center", va="bottom", fontsize=7, color="#555555")
            axes.text(t - 0.5, -0.22, "full weight" if level else "half", ha="center", va="top", fontsize=7)
    axes.set_ylim(-0.55, 1.2)
    axes.set_xlabel("s at 20 kW: 5 Wh each 0.9 s")
    plot.save(figure, out / "outputs_delay.svg")


def stall(out: Path) -> None:
    """Seven seconds without a measuring cycle at the highest load."""
    items = [mains(0, 60_000), ["fault", 10_000_000, "cpu", "stall", {"ms": 7_000}, 0]]
    edges = trace(items, 30)
    figure = plot.figure(9, 3.2)
    wide, near = figure.subplots(2, 1)
    panel(wide, signal_rows(edges, "opto10"), 8.0, 29.0)
    wide.axvspan(10, 17, color="#dddddd", zorder=0)
    wide.text(13.5, 1.1, "no cycle runs", ha="center", fontsize=8)
    panel(near, signal_rows(edges, "opto10"), 16.9, 20.9)
    near.set_xlabel("s at 60 kW; the backlog drains at twice the highest rate (below), until edges are on time again")
    plot.save(figure, out / "outputs_stall.svg")


def power(out: Path) -> None:
    """A dip that the hold-up bridges, and a cut."""
    cuts = [(6.50, 6.55), (10.90, 12.60)]
    items: list[list[Any]] = [mains(0, 36_000)]
    for off, on in cuts:
        items += [["power", int(off * 1e6), 0], ["power", int(on * 1e6), 1]]
    edges = trace(items, 18)
    line: Edges = [(0.0, 1)]
    for off, on in cuts:
        line += [(off, 0), (on, 1)]
    figure = plot.figure(9, 4.4)
    wide, near = figure.subplots(2, 1)
    names = ("opto10", "led", "rail12")
    panel(wide, [("mains", "mains L1", line), *signal_rows(edges, *names)], 5.0, 17.5)
    panel(near, [("mains", "mains L1", line), *signal_rows(edges, *names)], 10.85, 11.05)
    wide.set_xlabel("s at 36 kW: a dip of 50 ms, then a cut of 1.7 s")
    near.set_xlabel("s: the cut. The 12 V goes first, the optos stand; at the end of the hold-up (80 ms) all is off")
    plot.save(figure, out / "outputs_power.svg")


def counter(out: Path) -> None:
    """The counter's pulses: alone, and two that had waited."""
    items = [mains(0, 60_000), ["load12v", 7_000_000, 80.0], ["load12v", 20_000_000, 10.0]]
    edges = trace(items, 80)
    figure = plot.figure(9, 3.4)
    wide, near = figure.subplots(2, 1)
    panel(wide, signal_rows(edges, "rail12", "counter"), 0, 80)
    wide.set_xlabel("s at 60 kW, NC model: an overload from 7 s to 20 s; the counts wait for the retry, 60 s after it")
    on = next(t for t, level in edges["counter"] if level and t > 60)
    panel(near, signal_rows(edges, "rail12", "counter"), on - 0.3, on + 2.7)
    near.set_xlabel("s")
    plot.save(figure, out / "outputs_counter.svg")


def rail12(out: Path) -> None:
    """An overload of 60 mA, near; and one that stays, to the latch."""
    over = 7.003
    edges = trace([mains(0, 0), ["load12v", int(over * 1e6), 60.0]], 200)
    load: Edges = [(over, 1)]
    figure = plot.figure(9, 3.6)
    near, wide = figure.subplots(2, 1)
    panel(near, [("load", "over 50 mA", load), *signal_rows(edges, "rail12")], over - 0.005, over + 0.02)
    off = next(t for t, level in edges["rail12"] if not level)
    near.annotate("", (off, -0.9), (over, -0.9), arrowprops={"arrowstyle": "<->", "color": "#888888"})
    near.text((over + off) / 2, -0.8, f"{1000 * (off - over):.1f} ms", ha="center", fontsize=8)
    near.set_xlabel("s: 60 mA from 7.003 s on")
    panel(wide, [("load", "over 50 mA", load), *signal_rows(edges, "rail12")], 0, 200)
    wide.set_xlabel("s: a retry 60 s after each failure; after the third it stays off")
    plot.save(figure, out / "outputs_rail12.svg")


DIAGRAMS = (energy, delay, stall, power, counter, rail12)


def main() -> int:
    parser = argparse.ArgumentParser(description="draw the timing diagrams of docs/outputs.md")
    parser.add_argument("--out", type=Path, default=TOP / "docs" / "img", help="folder for the SVG files")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for draw in DIAGRAMS:
        draw(arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
