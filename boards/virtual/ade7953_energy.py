"""Energy accumulation of the ADE7953 in exact integers, advanced lazily: only when somebody looks.

The chip adds a power sample each 128/895000 s and gives one count per 163,840 power codes (DS p.25); here power codes
have nine fraction bits and time is in microseconds, so one count is
163840 * 2^9 * 128000 / 895 microsecond-codes; the common factor 5 is taken out.
"""

COUNT = 2147483648000  # 2^34 * 125: one energy count
PER_CODE = 179  # 895 / 5: what a power code (2^-9) adds in one microsecond


class Accumulator:
    """One energy of one channel: the hidden 48-bit accumulator, the 24-bit register, and a total that never wraps."""

    def __init__(self):
        self.total = 0  # counts since the board was made, signed, over resets too
        self.at_us = 0
        self.clear()
        self._step_us = 0  # 0 = constant rate
        self.rate = 0

    def clear(self):
        """A reset of the chip."""
        self.acc = 0
        self.count = 0  # counts since the register (or its window) was last zeroed
        self.window = False  # line-cycle accumulation: the register shows `held`
        self.held = 0

    def set_rate(self, now_us, rate):
        """Accumulate `rate` (in 1/COUNT counts per microsecond) from now on."""
        self.advance(now_us)
        self.rate = rate
        self._step_us = 0

    def set_table(self, now_us, step_us, rates, origin_us):
        """Accumulate a table of rates, one a step, that began at `origin_us` and repeats end to end."""
        self.advance(now_us)
        total = 0
        sums = []
        for rate in rates:
            sums.append(total)
            total += rate * step_us
        self._step_us = step_us
        self._rates = rates
        self._sums = sums
        self._loop = total
        self._loop_us = step_us * len(rates)
        self._origin_us = origin_us
        self._mark = self.along(now_us)

    def along(self, t_us):
        """What the table adds up to from its origin to `t_us`."""
        t = t_us - self._origin_us
        loops = t // self._loop_us
        t -= loops * self._loop_us
        k = t // self._step_us
        return loops * self._loop + self._sums[k] + self._rates[k] * (t - k * self._step_us)

    def advance(self, now_us):
        """Bring the register up to now. The remainder below one count is carried with its sign."""
        dt = now_us - self.at_us
        if not dt:
            return
        self.at_us = now_us
        if self._step_us:
            along = self.along(now_us)
            acc = self.acc + along - self._mark
            self._mark = along
        else:
            acc = self.acc + self.rate * dt
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

    def skip(self, now_us):
        """Time passes without measuring (reset, start-up)."""
        self.at_us = now_us
        if self._step_us:
            self._mark = self.along(now_us)

    def when(self, steps):
        """Microseconds from `at_us` until the count has moved by `steps` (signed); None if it is not going there."""
        if self._step_us:
            rate = self._loop // self._loop_us
        else:
            rate = self.rate
        need = steps * COUNT - self.acc
        if steps > 0 and rate > 0:
            return -(-need // rate)
        if steps < 0 and rate < 0:
            return -(-need // rate) if need < 0 else 0
        return None

    def latch(self, t_us):
        """End of a line-cycle window: the register becomes its total, the next window starts at 0; DS p.26."""
        self.advance(t_us)
        self.held = self.count
        self.count = 0

    def zero(self):
        """Read with reset; DS p.25. In a line-cycle window only what is shown is cleared."""
        if self.window:
            self.held = 0
        else:
            self.count = 0
