"""What the circuit diagrams are drawn from: the parts of a board's netlist, found by what they connect."""

from types import ModuleType

import schemdraw
from schemdraw import elements as elm

from host.flash.board_files import load

Point = tuple[float, float]


class Circuit:
    """The parts of a dual-element board at 60 Hz. A part that the data do not have cannot be drawn."""

    def __init__(self, name: str = "reference") -> None:
        self.board: ModuleType = load(name)
        self.kinds = load(name, "bill").KINDS
        self.parts = load(name, "circuit").circuit()

    def between(self, first: str, second: str, letter: str, kind: str = "") -> str:
        """Reference and value of the part with two pins between two nets: "R3 191k 1%"; of several alike all
        references. `kind` where parts of several kinds lie there."""
        found = [
            (reference, its)
            for reference, its, pins in self.parts
            if reference.rstrip("0123456789") == letter and set(pins.values()) == {first, second} and kind in ("", its)
        ]
        if len({its for _, its in found}) != 1:
            raise LookupError(f"{len(found)} {letter} {kind} between {first} and {second}, not one kind of it")
        return f"{', '.join(reference for reference, _ in found)}\n{self.value(found[0][1])}"

    def counted(self, kind: str, first: str, second: str) -> str:
        """How many parts of a kind lie between two nets, and their value: "11 x 100n"."""
        number = sum(its == kind and set(pins.values()) == {first, second} for _, its, pins in self.parts)
        if not number:
            raise LookupError(f"no {kind} between {first} and {second}")
        return f"{number} x {self.value(kind)}"

    def named(self, kind: str, **pins: str) -> str:
        """Reference and maker's part of the part of a kind with these pins on these nets."""
        return f"{self.reference(kind, **pins)} {self.value(kind)}"

    def reference(self, kind: str, **pins: str) -> str:
        """Reference of that part."""
        for reference, its_kind, nets in self.parts:
            if its_kind == kind and all(nets.get(pin) == net for pin, net in pins.items()):
                return str(reference)
        raise LookupError(f"no {kind} with {pins}")

    def pins(self, kind: str, name: str) -> int:
        """How many pins of a kind of part are called `name` and a number."""
        pins = next(pins for _, its_kind, pins in self.parts if its_kind == kind)
        return sum(pin.rstrip("0123456789") == name and pin != name and pins[pin] == pin for pin in pins)

    def value(self, kind: str) -> str:
        """What stands beside a part: "191k 1%" of resistors and capacitors, else the maker's part, else what it is."""
        if kind.partition(" ")[0] in ("R", "C"):
            return kind.partition(" ")[2]
        what, maker = self.kinds[kind][:2]
        if maker.startswith(("any", "made")):
            return str(what.partition(",")[0])
        return str(maker.partition(",")[0].split(" ")[-1])


def new(unit: float = 2.2) -> schemdraw.Drawing:
    """An empty drawing, made anew to the byte from the same parts."""
    schemdraw.use("svg")
    return schemdraw.Drawing(show=False, fontsize=11, unit=unit, margin=0.3)


def wire(d: schemdraw.Drawing, *points: Point) -> Point:
    """A line through points; returns its end."""
    for start, end in zip(points, points[1:]):
        d += elm.Line().at(start).to(end)
    return points[-1]


def dot(d: schemdraw.Drawing, at: Point) -> None:
    """A joint."""
    d += elm.Dot().at(at)


def port(d: schemdraw.Drawing, at: Point, name: str, side: str = "left") -> None:
    """Where a net leaves the drawing, with its name."""
    d += elm.Dot(open=True).at(at).label(name, loc=side)


def ground(d: schemdraw.Drawing, at: Point, name: str = "") -> None:
    """The board's ground, AGND."""
    symbol = elm.GroundSignal().at(at).theta(0)
    d += symbol.label(name, loc="bottom") if name else symbol


def supply(d: schemdraw.Drawing, at: Point, name: str) -> None:
    """A supply net's mark, above a point."""
    d += elm.Vdd().at(at).theta(0).label(name)


def text(d: schemdraw.Drawing, at: Point, words: str, align: str = "left") -> None:
    """A remark."""
    d += elm.Label().at(at).theta(0).label(words, halign=align, valign="center", ofst=0)


def part(d: schemdraw.Drawing, element: elm.Element2Term, start: Point, end: Point, label: str, loc: str = "") -> None:
    """A part with two pins from one point to another, its label above it, or to its right where it stands."""
    stands = start[0] == end[0]
    if stands:
        d += element.at(start).to(end).label(label, loc=loc or ("bottom" if end[1] < start[1] else "top"))
    else:
        d += element.at(start).to(end).label(label, loc=loc or "top")


def chip(
    d: schemdraw.Drawing, at: Point, left: tuple[str, ...], right: tuple[str, ...], name: str, width: float = 4.5
) -> dict[str, Point]:
    """A chip as a box, its pins from the top down on either side; returns where each pin's wire begins."""
    rows = max(len(left), len(right))
    height = 1.2 * rows
    x, y = at
    d += elm.Rect(corner1=(0, 0), corner2=(width, -height)).at((x, y)).theta(0)
    text(d, (x + width / 2, y + 0.35), name, "center")
    ends = {}
    for names, edge, way in ((left, x, -1), (right, x + width, 1)):
        for row, pin in enumerate(names):
            level = y - 0.6 - 1.2 * row
            if pin:
                wire(d, (edge, level), (edge + 0.5 * way, level))
                text(d, (edge - (0.15 if way < 0 else 0.35) * way, level), pin, "left" if way < 0 else "right")
                ends[pin] = (edge + 0.5 * way, level)
    return ends
