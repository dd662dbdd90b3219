"""Error curves as inline SVG: error over load, with the bands of the accuracy classes."""

import math
from dataclasses import dataclass

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 18, 44
COLOURS = ("#0b5fa5", "#b3470b")
SHAPES = ("circle", "square")
STEPS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)  # percent between grid lines


@dataclass(frozen=True)
class Band:
    """Limits +-percent that step along the load: [(from percent of class, limit), ...]."""

    label: str
    steps: tuple[tuple[float, float], ...]
    fill: str

    def at(self, load: float) -> float:
        """The limit at a load."""
        return [limit for start, limit in self.steps if start <= load * 1.0001][-1]


class Plot:
    """One diagram; x logarithmic from 1 to 120 % of class."""

    def __init__(self, bands: list[Band], series: list[list[tuple[float, float]]]) -> None:
        self._bands = bands
        self._series = series
        largest = max([abs(y) for points in series for _, y in points] + [limit for b in bands for _, limit in b.steps])
        self._top = math.ceil(largest * 1.15 / 0.2) * 0.2
        self._low, self._high = 0.9, 125.0

    def svg(self, title: str) -> str:
        """The picture; `title` for those who cannot see it."""
        parts = [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}" class="plot">',
            f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}" fill="#fff"/>',
        ]
        parts += [self._band(band) for band in self._bands]
        parts += self._grid()
        for n, points in enumerate(self._series):
            parts += self._curve(n, points)
        parts.append(
            f'<rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}" '
            'fill="none" stroke="#64707c"/></svg>'
        )
        return "".join(parts)

    def _x(self, load: float) -> float:
        part = math.log(load / self._low) / math.log(self._high / self._low)
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def _y(self, percent: float) -> float:
        return round(TOP + (self._top - percent) / (2 * self._top) * (HEIGHT - TOP - BOTTOM), 1)

    def _band(self, band: Band) -> str:
        upper = []
        starts = [*(max(start, self._low) for start, _ in band.steps), self._high]
        for (_, limit), begin, end in zip(band.steps, starts, starts[1:], strict=False):
            upper += [(begin, limit), (end, limit)]
        path = [f"{self._x(x)},{self._y(y)}" for x, y in upper]
        path += [f"{self._x(x)},{self._y(-y)}" for x, y in reversed(upper)]
        return f'<polygon points="{" ".join(path)}" fill="{band.fill}"/>'

    def _grid(self) -> list[str]:
        parts = []
        step = next((s for s in STEPS if self._top <= 6 * s), STEPS[-1])
        n = int(self._top / step + 0.001)
        for k in range(-n, n + 1):
            y = self._y(k * step)
            stroke = "#64707c" if k == 0 else "#d5dbe1"
            parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{stroke}"/>')
            text = "0" if k == 0 else f"{k * step:+.1f}"
            parts.append(f'<text x="{LEFT - 7}" y="{y + 4}" text-anchor="end">{text}</text>')
        for load in (1, 2, 5, 10, 20, 50, 100):
            x = self._x(load)
            parts.append(f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#e3e8ec"/>')
            parts.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{load}</text>')
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(
            f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">current, % of class (logarithmic)</text>'
        )
        parts.append(
            f'<text x="14" y="{(TOP + HEIGHT - BOTTOM) / 2}" text-anchor="middle" '
            f'transform="rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2})">error, %</text>'
        )
        return parts

    def _curve(self, n: int, points: list[tuple[float, float]]) -> list[str]:
        colour = COLOURS[n % len(COLOURS)]
        places = [(self._x(x), self._y(y)) for x, y in points]
        line = " ".join(f"{x},{y}" for x, y in places)
        parts = [f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.8"/>']
        for x, y in places:
            if SHAPES[n % len(SHAPES)] == "circle":
                parts.append(f'<circle cx="{x}" cy="{y}" r="3.6" fill="{colour}"/>')
            else:
                parts.append(f'<rect x="{x - 3.2:.1f}" y="{y - 3.2:.1f}" width="6.4" height="6.4" fill="{colour}"/>')
        return parts


def legend(lines: list[str], bands: list[Band]) -> str:
    """What the colours mean, as HTML."""
    parts = [
        f'<span><i class="{SHAPES[n % len(SHAPES)]}" style="background:{COLOURS[n % len(COLOURS)]}"></i>{text}</span>'
        for n, text in enumerate(lines)
    ]
    parts += [f'<span><i style="background:{band.fill}"></i>{band.label}</span>' for band in bands]
    return f'<p class="legend">{"".join(parts)}</p>'
