"""Plots of reports and documents, in one look.

    figure = plot.figure(7.6, 3.0)
    axes = figure.subplots()
    ...
    plot.inline(figure, "error over load")   # an <svg> element for a page
    plot.save(figure, path)                  # a file: SVG or PNG by its name

The same figures make the same picture, byte for byte: pictures in the repository change only where what they show does.
"""

from __future__ import annotations

import functools
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:  # its import takes longer than most commands run: it comes with the first figure
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = ("#0b5fa5", "#b3470b")  # line 1, line 2
MARKERS = ("o", "s")  # for who cannot tell the colours
INK, FRAME, GRID = "#3b4752", "#64707c", "#d5dbe1"
GOOD, BAD = "#1c7c3c", "#b3261e"
BANDS = ("#e4efe0", "#c4dfba")  # an outer and an inner limit

_LOOK = {
    "font.size": 9,
    "svg.hashsalt": "openkh",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FRAME,
    "axes.titlesize": 9.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "legend.frameon": False,
}
_NOTHING = dict.fromkeys(("Date", "Creator", "Format", "Type"))  # no metadata: it would differ from day to day


@functools.cache
def _matplotlib() -> Any:
    """The package, set to this look."""
    import matplotlib

    matplotlib.rcParams.update(_LOOK)
    return matplotlib


def figure(width: float, height: float) -> Figure:
    """An empty figure, inches; what is drawn keeps clear of its edges by itself."""
    _matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def inline(drawn: Figure, label: str) -> Markup:
    """The figure as an <svg> element of the page's width, its words as text; `label` for who cannot see it."""
    buffer = io.StringIO()
    with _matplotlib().rc_context({"svg.fonttype": "none"}):
        drawn.savefig(buffer, format="svg", metadata=_NOTHING)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace("xlink:href=", "href=")
    head, body = re.fullmatch(r"<svg ([^>]*)>(.*)", text, re.S).groups()  # type: ignore[union-attr]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    box = re.search(r'viewBox="[^"]*"', head)[0]  # type: ignore[index]
    return Markup(f'<svg {box} role="img" aria-label="{escape(label)}" class="plot">{body}')


def save(drawn: Figure, path: Path) -> None:
    """Write the figure to a file, SVG or PNG by its name."""
    metadata: dict[str, Any] = _NOTHING if path.suffix == ".svg" else {"Software": None}
    drawn.savefig(path, metadata=metadata, dpi=144)


def over_load(axes: Axes) -> None:
    """An axis of load, per cent of class current, 0.9 to 125, logarithmic."""
    axes.set(xscale="log", xlim=(0.9, 125.0), xlabel="current, % of class")
    axes.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
    axes.minorticks_off()


def zero(axes: Axes) -> None:
    """The line on which there is no error."""
    axes.axhline(0, color=FRAME, linewidth=0.8)
