"""An rms register of a front end as volts or amps: spoilt readings left out, scaled in integers."""

from openkh.bound import bind
from openkh.model import RMS_FULL_SCALE


def middle(a: int, b: int, c: int) -> int:
    """Median: one spoilt reading of an rms value shows nowhere."""
    if a > b:
        if b > c:
            return b
        return c if a > c else a
    if a > c:
        return a
    return c if b > c else b


class Rms:
    """An rms register: its newest three codes, and their middle one in mV or mA."""

    def __init__(self, full_scale: int) -> None:
        self._second = self._third = 0
        # Full scale over the code of full scale, times 2^(12 + shift), rounded: a ratio of 17 to 18 bits.
        shift = 0
        while (full_scale << (13 + shift)) // RMS_FULL_SCALE < 1 << 18:
            shift += 1
        self._shift = shift
        self._ratio = ((full_scale << (13 + shift)) // RMS_FULL_SCALE + 1) >> 1
        bind(self, "take")

    def take(self, code: int) -> int:
        """The middle one, with the newest code (24 bits); every step below 2^30; exact to 4 ppm and 1 unit."""
        third = self._third
        self._third = self._second
        self._second = code
        code = middle(code, self._third, third)
        return ((code >> 12) * self._ratio + ((code & 0xFFF) * self._ratio >> 12)) >> self._shift
