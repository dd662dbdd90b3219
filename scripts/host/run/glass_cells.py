"""The meter's glass in character cells: every dot of the segment map drawn with half blocks, lit or as its ghost.

Two sizes: the large one is 92 cells wide, the small one 75. A pixel is half a cell high and one wide, about square.
"""

from rich.segment import Segment
from rich.style import Style

LIT = "#10180f"
GHOST = "#9aab93"
GLASS = "#a9baa1"

# A digit as it is etched: each letter is the segment that the pixel belongs to.
_LARGE_DIGIT = (
    ".aaaaa.",
    "..aaa..",
    "ff...bb",
    "ff...bb",
    "ff...bb",
    "ff...bb",
    "f.ggg.b",
    "e.ggg.c",
    "ee...cc",
    "ee...cc",
    "ee...cc",
    "ee...cc",
    "..ddd..",
    ".ddddd.",
)
_SMALL_DIGIT = (
    ".aaaa.",
    "..aa..",
    "ff..bb",
    "ff..bb",
    "ff..bb",
    "f.gg.b",
    "e.gg.c",
    "ee..cc",
    "ee..cc",
    "ee..cc",
    "..dd..",
    ".dddd.",
)
_HEAD = ("....#", "..###", "#####", "#####", "..###", "....#")  # an arrow head that points left
_DIGITS = 9
_COLON_AFTER = 6  # main digits; the ID is digit 0
_BARS = ("BAR1", "BAR2", "BAR3", "BAR4")
_SYMBOLS = (("L1", 3), ("L2", 5), ("MAX", 4), ("SUM", 6), ("k", 1), ("W", 1), ("h", 3), ("Hz", 0))  # and the gap after


class GlassCells:
    """The glass in one of its two sizes: `width` and `height` in cells, `lines(lit)` its picture."""

    def __init__(self, large: bool) -> None:
        digit = _LARGE_DIGIT if large else _SMALL_DIGIT
        pitch = 10 if large else 8
        self.width = 92 if large else 75
        self._pixels: dict[tuple[int, int], str] = {}
        self._texts: dict[tuple[int, int], tuple[str, str]] = {}  # first cell: (text, dot)
        height = len(digit)
        for number in range(_DIGITS):
            left = 1 + number * pitch + (2 if number else 0)
            if number > _COLON_AFTER and not large:
                left += 1  # room for the colon
            for y, row in enumerate(digit):
                for x, segment in enumerate(row):
                    if segment != ".":
                        self._pixels[left + x, y] = f"{number}{segment}"
            after = left + len(digit[0])
            if 0 < number < _DIGITS - 1:
                self._block(f"P{number}", after, height - 2, 2, 2)
            if number == _COLON_AFTER:
                self._block("COL", after + 1, 4, 1, 2)
                self._block("COL", after + 1, 8, 1, 2)
        self._foot(height + (2 if large else 0))
        self.height = (max(y for _, y in self._pixels) + 2) // 2

    def lines(self, lit: set[str]) -> list[list[Segment]]:
        """The picture with these dots lit, a list of segments for each row of cells."""
        return [self._line(row, lit) for row in range(self.height)]

    def _block(self, dot: str, left: int, top: int, width: int, height: int) -> None:
        for x in range(left, left + width):
            for y in range(top, top + height):
                self._pixels[x, y] = dot

    def _foot(self, top: int) -> None:
        """The bar with its arrow heads at the lower left, the symbols to the right of it."""
        for y, row in enumerate(_HEAD):
            for x, pixel in enumerate(row):
                if pixel == "#":
                    self._pixels[x, top + y] = "LEFT"
                    self._pixels[30 - x, top + y] = "RIGHT"
        for number, dot in enumerate(_BARS):
            self._block(dot, 6 + number * 5, top + 2, 4, 2)
        x = self.width - 2 - sum(len(symbol) + gap for symbol, gap in _SYMBOLS)
        for symbol, gap in _SYMBOLS:
            self._texts[x, top // 2 + 1] = (symbol, symbol)
            x += len(symbol) + gap

    def _line(self, row: int, lit: set[str]) -> list[Segment]:
        segments: list[Segment] = []
        x = 0
        while x < self.width:
            if (x, row) in self._texts:
                text, dot = self._texts[x, row]
                style = Style(color=LIT if dot in lit else GHOST, bgcolor=GLASS, bold=True)
                segments.append(Segment(text, style))
                x += len(text)
                continue
            upper, lower = self._colour(x, 2 * row, lit), self._colour(x, 2 * row + 1, lit)
            if upper == lower:
                segments.append(Segment(" ", Style(bgcolor=upper)))
            else:
                segments.append(Segment("▀", Style(color=upper, bgcolor=lower)))
            x += 1
        return list(Segment.simplify(segments))

    def _colour(self, x: int, y: int, lit: set[str]) -> str:
        dot = self._pixels.get((x, y))
        if dot is None:
            return GLASS
        return LIT if dot in lit else GHOST
