"""Volts and amps from the rms registers of a front end: a spoilt reading is left out, all scaling is in integers."""

from openkh.bound import bind
from openkh.model import RMS_FULL_SCALE


def middle(a: int, b: int, c: int) -> int:
    """The median of three values."""
    if a > b:
        if b > c:
            return b
        return c if a > c else a
    if a > c:
        return a
    return c if b > c else b


class Rms:
    """One rms register. `full_scale`: mV or mA at the code RMS_FULL_SCALE (model.py).

    Of the newest three codes the middle one counts, so that a single spoilt reading is never seen.
    """

    def __init__(self, full_scale: int) -> None:
        self._second = self._third = 0
        # The ratio is full scale over the code of full scale, times 2^(12 + shift), rounded; it has 17 to 18 bits.
        shift = 0
        while (full_scale << (13 + shift)) // RMS_FULL_SCALE < 1 << 18:
            shift += 1
        self._shift = shift
        self._ratio = ((full_scale << (13 + shift)) // RMS_FULL_SCALE + 1) >> 1
        bind(self, "take")

    def take(self, code: int) -> int:
        """Take the newest code (24 bits) in, and return the middle one of the newest three in mV or mA. Exact to 4 ppm
        and 1 unit; every intermediate result is below 2^30."""
        third = self._third
        self._third = self._second
        self._second = code
        code = middle(code, self._third, third)
        return ((code >> 12) * self._ratio + ((code & 0xFFF) * self._ratio >> 12)) >> self._shift
