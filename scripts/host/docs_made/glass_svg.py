"""The glass as a picture: SVG and PNG with the true shapes of its dots, both from one geometry.

`POLYGONS` maps each dot's name to the polygons it is etched as, in millimetre-like units of the glass
(`WIDTH` x `HEIGHT`). `svg(lit)` and `image(lit)` draw them, lit dots dark, the others as the ghost that a segment LCD
shows at an angle.
"""

import math
from collections.abc import Collection, Iterable
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw

Point = tuple[float, float]
Polygon = list[Point]

LIT = "#10180f"
GHOST = "#a1b199"
GLASS = "#a9baa1"
BEZEL = "#23282a"

# A digit, and where the digits stand.
_DIGIT_W = 54.0
_DIGIT_H = 100.0
_STROKE = 12.5
_GAP = 2.2  # between segments
_CORNER = 5.0  # chamfer of the outer corners
_SLANT = math.tan(math.radians(6.0))
_PITCH = 79.0
_LEFT = 26.0
_TOP = 24.0
_MAIN_LEFT = _LEFT + 112.0
_POINT_R = 6.4
_COLON_AFTER = 6

WIDTH = _MAIN_LEFT + 8 * _PITCH + 8.0
HEIGHT = 196.0
_ROW = 152.0  # top of the row of bar and symbols
_ROW_H = 26.0
_RIM = 14.0  # of the bezel, all around


def _segment_shapes() -> dict[str, Polygon]:
    """The seven segments of an upright digit, mitred at the corners, top left at (0, 0)."""
    w, h, t, s, c = _DIGIT_W, _DIGIT_H, _STROKE, _GAP, _CORNER
    m = h / 2
    near, far = (c - s) / 2, (c + s) / 2
    a = [(c, 0.0), (w - c, 0.0), (w - far, near), (w - t - s, t), (t + s, t), (far, near)]
    b = [(w - near, far), (w, c), (w, m - s / 2), (w - t / 2, m - s / 2), (w - t, m - t / 2 - s / 2), (w - t, t + s)]
    left, right = t / 2 + s * 0.7, w - t / 2 - s * 0.7
    g = [
        (left, m),
        (left + t / 2, m - t / 2),
        (right - t / 2, m - t / 2),
        (right, m),
        (right - t / 2, m + t / 2),
        (left + t / 2, m + t / 2),
    ]

    def mirror(points: Polygon) -> Polygon:
        return [(w - x, y) for x, y in points]

    def flip(points: Polygon) -> Polygon:
        return [(x, h - y) for x, y in points]

    return {"a": a, "b": b, "c": flip(b), "d": flip(a), "e": flip(mirror(b)), "f": mirror(b), "g": g}


def _disc(x: float, y: float, r: float) -> Polygon:
    return [(x + r * math.cos(k * math.pi / 12), y + r * math.sin(k * math.pi / 12)) for k in range(24)]


def _place(points: Polygon, left: float, top: float) -> Polygon:
    """Slant a shape of the digit row and put it into its place."""
    return [(left + x + (_DIGIT_H - y) * _SLANT, top + y) for x, y in points]


# Letters of the symbols as strokes on a grid 4 wide (M, W: 6) and 6 high.
_STROKES: dict[str, tuple[float, list[Polygon]]] = {
    "L": (3.2, [[(0, 0), (0, 6), (3.2, 6)]]),
    "1": (2.0, [[(0.3, 1.4), (1.6, 0), (1.6, 6)]]),
    "2": (3.6, [[(0, 1.5), (0.35, 0.5), (1.2, 0), (2.4, 0), (3.25, 0.5), (3.6, 1.6), (3.1, 2.8), (0, 6), (3.6, 6)]]),
    "M": (4.6, [[(0, 6), (0, 0), (2.3, 3.6), (4.6, 0), (4.6, 6)]]),
    "A": (4.2, [[(0, 6), (2.1, 0), (4.2, 6)], [(0.75, 4.0), (3.45, 4.0)]]),
    "X": (3.9, [[(0, 0), (3.9, 6)], [(3.9, 0), (0, 6)]]),
    "S": (
        3.7,
        [
            [
                *((3.6, 1.2), (3.1, 0.4), (2.2, 0), (1.4, 0), (0.5, 0.45), (0.1, 1.4), (0.5, 2.4), (1.4, 2.85)),
                *((2.4, 3.15), (3.3, 3.65), (3.7, 4.6), (3.2, 5.55), (2.3, 6), (1.3, 6), (0.5, 5.6), (0, 4.7)),
            ]
        ],
    ),
    "U": (3.8, [[(0, 0), (0, 4.2), (0.3, 5.2), (1.1, 5.85), (1.9, 6), (2.7, 5.85), (3.5, 5.2), (3.8, 4.2), (3.8, 0)]]),
    "k": (3.1, [[(0, 0), (0, 6)], [(2.9, 2.1), (0, 4.3)], [(1.2, 3.4), (3.1, 6)]]),
    "W": (5.8, [[(0, 0), (1.45, 6), (2.9, 1.2), (4.35, 6), (5.8, 0)]]),
    "h": (3.0, [[(0, 0), (0, 6)], [(0, 3.4), (0.6, 2.5), (1.5, 2.1), (2.4, 2.4), (3.0, 3.3), (3.0, 6)]]),
    "H": (3.8, [[(0, 0), (0, 6)], [(3.8, 0), (3.8, 6)], [(0, 3), (3.8, 3)]]),
    "z": (2.8, [[(0, 2.2), (2.8, 2.2), (0, 6), (2.8, 6)]]),
}
_PEN = 4.6
_SPACE = 1.9  # between letters, in grid units


def _line(start: Point, end: Point, pen: float) -> Polygon:
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0)
    dx, dy = (y0 - y1) / length * pen / 2, (x1 - x0) / length * pen / 2
    return [(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)]


def _word(text: str, left: float, top: float, height: float) -> tuple[list[Polygon], float]:
    """Polygons of a word, and where it ends."""
    unit = (height - _PEN) / 6
    polygons: list[Polygon] = []
    x = left + _PEN / 2
    for letter in text:
        width, strokes = _STROKES[letter]
        for stroke in strokes:
            points = [(x + px * unit, top + _PEN / 2 + py * unit) for px, py in stroke]
            polygons += [_line(a, b, _PEN) for a, b in zip(points, points[1:])]
            polygons += [_disc(px, py, _PEN / 2) for px, py in points]
        x += (width + _SPACE) * unit
    return polygons, x - _SPACE * unit + _PEN / 2


def _geometry() -> dict[str, list[Polygon]]:
    shapes = _segment_shapes()
    dots: dict[str, list[Polygon]] = {}
    lefts = [_LEFT] + [_MAIN_LEFT + k * _PITCH for k in range(8)]
    for digit, left in enumerate(lefts):
        for name, points in shapes.items():
            dots[f"{digit}{name}"] = [_place(points, left, _TOP)]
    middle = (_PITCH + _DIGIT_W) / 2  # of the space behind a digit
    for digit in range(1, 8):
        dots[f"P{digit}"] = [_place(_disc(middle, _DIGIT_H - _POINT_R, _POINT_R), lefts[digit], _TOP)]
    dots["COL"] = [_place(_disc(middle, y, _POINT_R), lefts[_COLON_AFTER], _TOP) for y in (30.0, 62.0)]

    # The bar at the lower left: four pieces between two arrow heads.
    centre = _ROW + _ROW_H / 2
    head, piece, thick, joint = 24.0, 26.0, 12.5, 1.3
    x = _LEFT - 6.0
    dots["LEFT"] = [[(x, centre), (x + head, centre - _ROW_H / 2), (x + head, centre + _ROW_H / 2)]]
    x += head + joint
    for k in range(1, 5):
        dots[f"BAR{k}"] = [
            [
                (x, centre - thick / 2),
                (x + piece, centre - thick / 2),
                (x + piece, centre + thick / 2),
                (x, centre + thick / 2),
            ]
        ]
        x += piece + joint
    dots["RIGHT"] = [[(x, centre - _ROW_H / 2), (x + head, centre), (x, centre + _ROW_H / 2)]]

    x += head + 34.0
    for name, space in (
        ("L1", 22.0),
        ("L2", 62.0),
        ("MAX", 24.0),
        ("SUM", 64.0),
        ("k", 5.0),
        ("W", 5.0),
        ("h", 30.0),
        ("Hz", 0.0),
    ):
        dots[name], x = _word(name, x, _ROW, _ROW_H)
        x += space
    return dots


POLYGONS = _geometry()
"""The polygons of each dot, by the names of the board's glass map."""


def path(polygons: Iterable[Polygon]) -> str:
    """The `d` attribute of an SVG path with these shapes."""
    return "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z" for points in polygons)


def svg(lit: Collection[str], scale: float = 0.8) -> str:
    """The glass with these dots lit, as an SVG document; each dot is a path with its name as id."""
    width, height = WIDTH + 2 * _RIM, HEIGHT + 2 * _RIM
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * scale:.0f}" height="{height * scale:.0f}" '
        f'viewBox="{-_RIM:g} {-_RIM:g} {width:g} {height:g}">',
        f'<rect x="{-_RIM:g}" y="{-_RIM:g}" width="{width:g}" height="{height:g}" fill="{BEZEL}"/>',
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" rx="7" fill="{GLASS}"/>',
    ]
    for name, polygons in POLYGONS.items():
        fill = LIT if name in lit else GHOST
        lines.append(f'<path id="{name}" fill="{fill}" d="{path(polygons)}"/>')
    return "\n".join([*lines, "</svg>", ""])


def image(lit: Collection[str], width: int = 640) -> Image.Image:
    """The same picture as pixels, `width` of them across; drawn four times as large and averaged."""
    fine = 4
    scale = width * fine / (WIDTH + 2 * _RIM)
    picture = Image.new("RGB", (width * fine, round((HEIGHT + 2 * _RIM) * scale)), BEZEL)
    draw = ImageDraw.Draw(picture)

    def at(points: Polygon) -> Polygon:
        return [((x + _RIM) * scale, (y + _RIM) * scale) for x, y in points]

    draw.rounded_rectangle((*at([(0, 0)])[0], *at([(WIDTH, HEIGHT)])[0]), 7 * scale, GLASS)
    for name, polygons in POLYGONS.items():
        for points in polygons:
            draw.polygon(at(points), LIT if name in lit else GHOST)
    return picture.reduce(fine)


def _palette() -> Image.Image:
    """Every colour of a picture: the pure ones, and the steps between them that smooth edges take."""
    pairs = ((GLASS, LIT), (GLASS, GHOST), (GLASS, BEZEL), (GHOST, LIT))
    colours: list[int] = []
    for start, end in (tuple(ImageColor.getrgb(name) for name in pair) for pair in pairs):
        for step in range(8):
            colours += [round(a + (b - a) * step / 7) for a, b in zip(start, end)]
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours)
    return palette


def save(frames: list[Collection[str]], path: Path, frame_ms: int = 250, width: int = 640) -> None:
    """Write a PNG of these looks: one picture, or a moving one (APNG; a viewer that cannot move it shows the first)."""
    palette = _palette()
    pictures = [image(lit, width).quantize(palette=palette, dither=Image.Dither.NONE) for lit in frames]
    more = {"save_all": True, "append_images": pictures[1:], "duration": frame_ms, "loop": 0} if len(frames) > 1 else {}
    pictures[0].save(path, optimize=True, **more)


def lit_in(picture: Image.Image) -> frozenset[str]:
    """The dots that a picture made by `image` shows lit, seen at the middle of each dot's first shape."""
    scale = picture.width / (WIDTH + 2 * _RIM)
    found = set()
    for name, polygons in POLYGONS.items():
        points = polygons[0]
        x = sum(p[0] for p in points) / len(points)
        y = sum(p[1] for p in points) / len(points)
        pixel = picture.getpixel((int((x + _RIM) * scale), int((y + _RIM) * scale)))
        assert isinstance(pixel, tuple)
        if sum(pixel[:3]) < 3 * 90:
            found.add(name)
    return frozenset(found)
