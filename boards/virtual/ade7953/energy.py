"""How the ADE7953 accumulates energy, in exact integers. It is worked out only when somebody looks.

The chip adds a power sample each 128/895000 s and gives one count per 163,840 power codes (DS p.25); here power codes
have nine fraction bits and time is in microseconds, so one count is
163840 * 2^9 * 128000 / 895 microsecond-codes; the common factor 5 is taken out.
"""

import math

from boards.virtual.exactmath import sincos

COUNT = 2147483648000  # 2^34 * 125: one energy count
PER_CODE = 179  # 895 / 5: what a power code (2^-9) adds in one microsecond
NEVER = 1 << 60  # a small integer on 64-bit MicroPython
TOP = 0x7FFFFF  # of the signed register


class Accumulator:
    """One energy of one channel: the hidden 48-bit accumulator, the 24-bit register, and a total that never wraps,
    which only tests and reports see."""

    def __init__(self, clock, rng, stops=False):
        """stops: the register stays at its end instead of wrapping; the total goes on."""
        self._clock = clock
        self._rng = rng
        self._stops = stops
        self.total = 0  # counts since the board was made, signed, over resets too
        self.at_us = clock.now_us
        self.rate = 0
        self._step_us = 0  # 0 = constant rate
        self.noise = 0.0  # random part after one microsecond; grows with the root of time
        self._swing = 0.0  # amplitude of the ripple at twice the line frequency, in 1/COUNT counts
        self.clear()

    def clear(self):
        """Start anew, as with a reset of the chip; the total stays."""
        self.acc = 0
        self.count = 0  # counts since the register (or its window) was last zeroed
        self.window = False  # line-cycle accumulation: the register shows `held`
        self.window_us = NEVER  # when the running window ends
        self.held = 0
        self._swung = 0

    def set_rate(self, rate):
        """Accumulate `rate` (in 1/COUNT counts per microsecond) from now on."""
        self.advance(self._clock.now_us)
        self.rate = rate
        self._step_us = 0

    def set_table(self, step_us, rates, origin_us):
        """Accumulate a table of rates, one for each step, which began at `origin_us` and repeats end to end."""
        now = self._clock.now_us
        self.advance(now)
        total = 0
        sums = []
        for rate in rates:
            sums.append(total)
            total += rate * step_us
        self._step_us = step_us
        self._table = (rates, sums, total, step_us * len(rates), origin_us)
        self.rate = total // (step_us * len(rates))
        self._mark = self._along(now)

    def set_ripple(self, swing, degrees_at, lag):
        """Add a ripple of `swing` counts at twice the line frequency from now on, `lag` degrees behind it;
        degrees_at(t_us) is the phase of the voltage."""
        self._swing = swing * COUNT
        self._degrees_at = degrees_at
        self._lag = lag
        self._swung = self._ripple(self._clock.now_us) if swing else 0

    def _ripple(self, t_us):
        return int(self._swing * sincos((2.0 * self._degrees_at(t_us) - self._lag) % 360.0)[0])

    def _along(self, t_us):
        """What the table adds up to from its origin to `t_us`."""
        rates, sums, total, loop_us, origin_us = self._table
        t = t_us - origin_us
        loops = t // loop_us
        t -= loops * loop_us
        k = t // self._step_us
        return loops * total + sums[k] + rates[k] * (t - k * self._step_us)

    def read(self):
        """The 24-bit register as it is now."""
        now = self._clock.now_us
        if now < self.window_us:
            self.advance(now)
        else:
            self.on_window(now)
            self.advance(now)
        return (self.held if self.window else self.count) & 0xFFFFFF

    def advance(self, now_us):
        """Bring the register up to now. The remainder below one count is carried with its sign."""
        dt = now_us - self.at_us
        if not dt:
            return
        self.at_us = now_us
        if self._step_us:
            along = self._along(now_us)
            acc = self.acc + along - self._mark
            self._mark = along
        else:
            acc = self.acc + self.rate * dt
        if self.noise:
            acc += int(self._rng.gauss() * self.noise * math.sqrt(dt))
        if self._swing:
            swung = self._ripple(now_us)
            acc += swung - self._swung
            self._swung = swung
        if acc >= COUNT:
            n = acc // COUNT
            acc -= n * COUNT
            self.count += n
            self.total += n
        elif acc <= -COUNT:
            n = -acc // COUNT
            acc += n * COUNT
            self.count -= n
            self.total -= n
        self.acc = acc
        if self._stops and not -TOP - 1 <= self.count <= TOP:
            self.count = TOP if self.count > 0 else -TOP - 1

    def skip(self):
        """Go on to now without counting: the chip was in reset, or starting up."""
        self.at_us = self._clock.now_us
        if self._step_us:
            self._mark = self._along(self.at_us)

    def when(self, steps):
        """Microseconds from `at_us` until the count has moved by `steps` (signed, not 0) at the mean rate; None if it
        is not going there."""
        if steps > 0 < self.rate or steps < 0 > self.rate:
            return -((self.acc - steps * COUNT) // self.rate)
        return None

    def latch(self, t_us):
        """End a line-cycle window: the register takes its total, and the next window starts at 0; DS p.26."""
        self.advance(t_us)
        self.held = self.count
        self.count = 0

    def zero(self):
        """Zero the register, because it was read with reset; DS p.25. In a line-cycle window only what is shown is
        zeroed."""
        if self.window:
            self.held = 0
        else:
            self.count = 0
