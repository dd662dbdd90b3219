"""Wiring drawings of the installation guide, one for each service, and the picture of a label: from one description.

    python -m host.docs_made.panels          writes docs/img/panel_*.svg and docs/img/label.svg

The drawings carry only what is printed on parts and terminals, so that the guide uses the same ones in every language.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import schemdraw
from schemdraw import elements as elm
from schemdraw.segments import SegmentPoly

from host.sim.link import TOP
from openkh.model import Model

IMG = TOP / "docs" / "img"
BLACK, RED, WHITE = "#1c1f22", "#c22318", "#8d979c"  # of the leads; white ones are drawn grey
PITCH = 0.62  # between terminals
TERMINALS_LINE_2 = ("L2", "CT2 X1", "CT2 X2")
TERMINALS = (
    *("L1", "N", "L2", "CT1 X1", "CT1 X2", "CT2 X1", "CT2 X2"),
    *("10", "100", "1000", "COM", "COUNTER 1", "COUNTER 2", "+12VDC"),
)
LEADS = {"L1": BLACK, "N": WHITE, "L2": RED, "CT1 X1": BLACK, "CT1 X2": WHITE, "CT2 X1": RED, "CT2 X2": WHITE}
TAP_Y = {"L1": -2.0, "N": -2.4, "L2": -2.8}
CT_Y = {1: -4.2, 2: -5.5}
BOTTOM = -7.4
METER_X = 4.6


@dataclass(frozen=True)
class Service:
    """A service as it is wired: its lines, what is printed at the source, and the model of meter."""

    lines: tuple[str, ...]
    source: str
    model: str
    one_phase: bool = False  # both lines are taken from the same phase


SERVICES = {
    "1ph2w_120": Service(("L1",), "120 V 60 Hz", "MSNCT-1SC"),
    "1ph3w_240": Service(("L1", "L2"), "120/240 V 60 Hz", "MDNCT-1SC"),
    "2ph3w_208": Service(("L1", "L2"), "120/208 V 60 Hz", "MDNCT-1SC"),
    "one_phase": Service(("L1", "L2"), "120 V 60 Hz", "MDNCT-1SC", one_phase=True),
    "1ph2w_240": Service(("L1",), "240 V 50 Hz", "MSNCT-1SC"),
}


def conductor_x(service: Service) -> dict[str, float]:
    """Where each conductor stands in the drawing."""
    return {"L1": 0.0, "N": 1.3} if len(service.lines) == 1 else {"L1": 0.0, "N": 1.3, "L2": 2.6}


def wire(drawing: schemdraw.Drawing, points: list[tuple[float, float]], colour: str, width: float = 1.6) -> None:
    """A wire through these points, with a gap where it crosses what has been drawn before."""
    for start, end in zip(points, points[1:]):
        drawing += elm.Line().at(start).to(end).color("white").linewidth(width + 5).zorder(1)
        drawing += elm.Line().at(start).to(end).color(colour).linewidth(width).zorder(2)


def terminal_x(name: str) -> float:
    """The middle of a terminal of the meter."""
    return METER_X + TERMINALS.index(name) * PITCH


class Box(elm.Element):
    """A filled rectangle before the wires, which schemdraw's own always lies behind."""

    def __init__(self, corner: tuple[float, float], other: tuple[float, float], fill: str) -> None:
        super().__init__()
        (left, top), (right, bottom) = corner, other
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        self.segments.append(SegmentPoly(corners, fill=fill, color=BLACK, lw=1.2, zorder=3))


def box(drawing: schemdraw.Drawing, corner: tuple[float, float], other: tuple[float, float], fill: str) -> None:
    """A filled rectangle."""
    drawing += Box(corner, other, fill).at((0, 0)).theta(0)


def words(drawing: schemdraw.Drawing, at: tuple[float, float], text: str, size: float = 10, **how: object) -> None:
    """A text with its middle at a place (schemdraw sets it a little to the right)."""
    label = elm.Label().at((at[0] - 0.08, at[1])).theta(0)
    drawing += label.label(text, loc="center", fontsize=size, ofst=(0, 0), **how).zorder(5)


def panel(name: str) -> schemdraw.Drawing:
    """The drawing of one service, from source to load."""
    service = SERVICES[name]
    x = conductor_x(service)
    drawing = schemdraw.Drawing(show=False, fontsize=10)
    words(drawing, (1.3 if len(service.lines) == 2 else 0.65, 1.5), service.source, 11)
    for line in x:
        colour = LEADS[line]
        wire(drawing, [(x[line], 0.85), (x[line], BOTTOM)], colour, 3.2)
        words(drawing, (x[line], 1.05), line)
    if service.one_phase:
        wire(drawing, [(x["L1"], 0.85), (x["L1"], 0.7), (x["L2"], 0.7), (x["L2"], 0.85)], BLACK, 3.2)
    for line in service.lines:
        box(drawing, (x[line] - 0.22, 0.45), (x[line] + 0.22, -0.45), "#eef0ee")
        words(drawing, (x[line], 0.0), "╱", 12)
    meter(drawing, service)
    for n, line in enumerate(service.lines, 1):
        voltage_tap(drawing, x[line], line)
        transformer(drawing, x[line], n)
        box(drawing, (x[line] - 0.45, BOTTOM), (x[line] + 0.45, BOTTOM - 0.6), "#ffe9c2")
        words(drawing, (x[line], BOTTOM - 0.3), f"{n}")
        inner = x[line] + (0.45 if n == 1 else -0.45)
        wire(drawing, [(inner, BOTTOM - 0.3), (x["N"], BOTTOM - 0.3)], WHITE, 2.2)
    wire(drawing, [(x["N"], BOTTOM), (x["N"], BOTTOM - 0.3)], WHITE, 3.2)
    voltage_tap(drawing, x["N"], "N")
    return drawing


def meter(drawing: schemdraw.Drawing, service: Service) -> None:
    """The meter with its terminals, left to right."""
    right = terminal_x(TERMINALS[-1]) + 0.45
    box(drawing, (METER_X - 0.45, 1.4), (right, -1.25), "#e6ebee")
    words(drawing, (METER_X + 1.1, 1.1), f"OpenKh {service.model}", 10)
    for name in TERMINALS:
        if len(service.lines) == 1 and name in TERMINALS_LINE_2:
            continue
        drawing += elm.Dot(open=True, radius=0.13).at((terminal_x(name), -1.05)).theta(0).zorder(4)
        words(drawing, (terminal_x(name), -0.25), name, 8, rotate=90)


def voltage_tap(drawing: schemdraw.Drawing, x: float, line: str) -> None:
    """A voltage lead from its conductor, with the in-line fuse of a line."""
    y = TAP_Y[line]
    to = terminal_x(line)
    wire(drawing, [(x, y), (to, y), (to, -1.18)], LEADS[line])
    drawing += elm.Dot(radius=0.07).at((x, y)).color(LEADS[line]).zorder(4)
    if line != "N":
        box(drawing, (3.3, y - 0.12), (3.9, y + 0.12), "white")
        drawing += elm.Line().at((3.3, y)).to((3.9, y)).color(LEADS[line]).linewidth(1).zorder(4)


def transformer(drawing: schemdraw.Drawing, x: float, n: int) -> None:
    """A CT on its conductor: LINE to the source, X1 and X2 to the meter."""
    y = CT_Y[n]
    for lead, at in (("X1", y + 0.15), ("X2", y - 0.2)):
        name = f"CT{n} {lead}"
        wire(drawing, [(x + 0.3, at), (terminal_x(name), at), (terminal_x(name), -1.18)], LEADS[name])
        words(drawing, (x + 0.62, at + 0.14), lead, 7)
    box(drawing, (x - 0.33, y + 0.35), (x + 0.33, y - 0.4), "#f6e7b4")
    words(drawing, (x, y), f"CT{n}", 9)
    words(drawing, (x - 0.75, y + 0.3), "LINE ▲", 8)


CODE_PARTS = ((1, 1), (2, 2), (3, 4), (5, 5), (7, 7), (8, 9))  # first and last position of each part (ID-1)


def label() -> schemdraw.Drawing:
    """The label of a meter, with the position of each part of its model code."""
    code = "MDNCT-1SC"
    model = Model(code, "60Hz")
    drawing = schemdraw.Drawing(show=False, fontsize=10)
    box(drawing, (0, 0), (9.2, 4.6), "#fbfbf6")
    step, left, y = 0.62, 1.75, 3.7
    for at, letter in enumerate(code):
        words(drawing, (left + at * step, y), letter, 22)
    for start, end in CODE_PARTS:
        first, last = left + (start - 1.35) * step, left + (end - 0.65) * step
        drawing += elm.Line().at((first, y - 0.42)).to((last, y - 0.42)).linewidth(1.4).zorder(4)
        words(drawing, ((first + last) / 2, y - 0.72), str(start), 9)
    rows = (
        f"120/240 V  120/208 V  {model.hz} Hz  3W",
        f"CT {model.rating_a}:0.1 A   CL {model.rating_a}   Kh 10 / 100 / 1000",
        f"COUNTER {model.counter_wh / 1000:g} kWh   12 V 10 mA",
        "S/N 000000 000001   2026-01-31",
    )
    for number, row in enumerate(rows):
        words(drawing, (4.6, 2.35 - 0.58 * number), row, 11)
    return drawing


def write(folder: Path) -> list[Path]:
    """Draw everything into `folder`; returns the files."""
    made = []
    schemdraw.use("svg")
    for name in SERVICES:
        made.append(folder / f"panel_{name}.svg")
        panel(name).save(str(made[-1]))
    made.append(folder / "label.svg")
    label().save(str(made[-1]))
    return made


if __name__ == "__main__":
    for path in write(IMG):
        print(path.relative_to(TOP), file=sys.stderr)
