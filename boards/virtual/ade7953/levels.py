"""What the ADE7953 measures of levels: rms registers with their settling and noise, peak registers, and line timing."""

import math

from boards.virtual.ade7953.registers import signed24
from boards.virtual.exactmath import decay, sincos

RMS_FULL_SCALE = 9032007.0  # DS p.23
NEVER = 1 << 60  # a small integer on 64-bit MicroPython
ZX_DELAY_US = 2200  # zero crossings are seen behind LPF1, and so much later than they come; DS p.43
RIPPLE_LAG = 88.0  # degrees by which a ripple lags behind the filter


class Rms:
    """An rms register: a mean square behind a single-pole filter (DS p.23 says 200 ms to settle), gain and offset."""

    def __init__(self, clock, rng, tau_us, noise):
        """noise: the register's noise floor, a part of full scale; 0 = none."""
        self._clock = clock
        self._rng = rng
        self._tau_us = tau_us
        self.noise = noise
        self._target = 0.0
        self.clear()

    def clear(self):
        self._from = self._target = 0.0
        self._at_us = 0
        self._settled_us = 0
        self._rows = None
        self._gain = 1.0
        self._offset = 0
        self._code = 0
        self._depth = 0.0

    def set_ripple(self, depth, degrees, lag):
        """Let the mean square ripple by the part `depth` at twice the line frequency, `lag` degrees behind it;
        degrees() is the phase of the voltage."""
        self._depth = depth
        self._degrees = degrees
        self._lag = lag + RIPPLE_LAG
        if depth:
            self._code = -1

    def to(self, squares, step_us, origin_us, gain, offset):
        """Set the mean squares (parts of full scale) from now on: one, or a table of settled ones. `gain` is that of
        the data path, `offset` the offset register's 24 bits, one of which is 4096 squares; DS p.35."""
        now = self._clock.now_us
        full = RMS_FULL_SCALE * RMS_FULL_SCALE
        target = max(squares) * full
        if target != self._target:
            self._from = self._square(now)
            self._target = target
            self._at_us = now
            self._settled_us = now + 25 * self._tau_us
        self._gain = gain
        self._offset = signed24(offset) * 4096.0
        self._rows = squares if step_us else None
        self._step_us = step_us
        self._origin_us = origin_us
        # Settled and without noise the register stands still: worked out once.
        self._code = -1 if self.noise or step_us or self._depth else self._root(target)

    def read(self):
        """What the register reads now, 0 .. 0xFFFFFF."""
        now = self._clock.now_us
        if now >= self._settled_us and self._code >= 0:
            return self._code
        if self._rows is not None:
            k = (now - self._origin_us) // self._step_us % len(self._rows)
            return self._root(self._rows[k] * RMS_FULL_SCALE * RMS_FULL_SCALE)
        return self._root(self._square(now))

    def settled(self):
        """Whether it is no longer on its way from an earlier level."""
        return self._clock.now_us >= self._settled_us

    def settled_part(self):
        """Which part of the final value it shows; 1: it is settled."""
        return math.sqrt(self._square(self._clock.now_us) / self._target) if self._target else 1.0

    def _square(self, now_us):
        if now_us >= self._settled_us:
            return self._target
        return self._target + (self._from - self._target) * decay((now_us - self._at_us) / self._tau_us)

    def _root(self, square):
        square = square * self._gain * self._gain
        if self._depth:
            square *= 1.0 - self._depth * sincos((2.0 * self._degrees() - self._lag) % 360.0)[1]
        if self.noise:
            floor = self.noise * RMS_FULL_SCALE
            square += floor * floor + math.sqrt(square) * floor * 0.1 * self._rng.gauss()
        square += self._offset
        if square <= 0.0:
            return 0
        return min(0xFFFFFF, int(math.sqrt(square) + 0.5))


class Peak:
    """A peak register: the largest |sample| since it was last cleared; DS p.46."""

    def __init__(self, clock):
        self._clock = clock
        self.half_us = 10000
        self.clear()

    def clear(self):
        """A reset of the chip."""
        self.level = 0  # what the input's peaks are at present
        self._codes = None
        self.zero()

    def to(self, level):
        """Let the input's peaks be `level` from now on."""
        self.read()
        self.level = min(0x7FFFFF, level)
        self._from_us = self._clock.now_us

    def play(self, codes, step_us, origin_us):
        """Take the largest |sample| of each step of a table that repeats end to end; None: a sine of `level`."""
        self._codes = codes
        self._step_us = step_us
        self._origin_us = origin_us

    def sags(self, level, for_us, after_us):
        """When, after `after_us`, the samples will have been below `level` for `for_us`; each sag is told once. NEVER
        where there is none, None where there is no table."""
        codes = self._codes
        if codes is None:
            return None
        rows = len(codes)
        need = max(1, -(-for_us // self._step_us))
        now = (after_us - self._origin_us) // self._step_us
        run = 0
        for n in range(max(0, now - need), now + 2 * rows + need):
            if codes[n % rows] >= level:
                run = 0
                continue
            run += 1
            if run == need and self._origin_us + (n + 1) * self._step_us > after_us:
                return self._origin_us + (n + 1) * self._step_us
        return NEVER

    def read(self):
        """What the register reads. A peak counts once its half cycle is over."""
        if self._clock.now_us - self._from_us >= self.half_us and self.level > self._held:
            self._held = self.level
        return self._held

    def zero(self):
        """Start anew, because the register was read with reset."""
        self._held = 0
        self._from_us = self._clock.now_us


class Line:
    """Zero crossings of the voltage and of the current, and what the chip times by them; DS p.36, 43."""

    def __init__(self, clock, clkin_ppm, settle_us):
        """settle_us: how long the period register takes to go over to another frequency."""
        self._clock = clock
        self._ppm = 1000000 + clkin_ppm
        self._settle_us = settle_us
        self.clear()

    def clear(self):
        """A reset of the chip."""
        now = self._clock.now_us
        self.on = False  # whether the voltage is large enough for crossings
        self.current_on = False
        self.lost_us = now  # last crossing of each, while there are none
        self.current_lost_us = now
        self.millihertz = 0
        self.half_us = 10000
        self._base = 0
        self._base_us = now
        self._period = self._period_from = 0
        self._period_us = now

    def to(self, on, current_on, millihertz):
        """Set what the inputs are from now on. The count of crossings goes on through a change of frequency."""
        now = self._clock.now_us
        if on != self.on or (on and millihertz != self.millihertz):
            n = self.count(now)
            if self.on:
                self.lost_us = self.crossing_us(n)
            self._base_us = self.lost_us if self.on else now
            self._base = n
            self.on = on
            self.millihertz = millihertz
        if on:
            self.half_us = 500000000 // millihertz
            period = min(0xFFFF, 223750 * self._ppm // (1000 * millihertz) - 1)
            if period != self._period:
                self._period_from = self.period() if self._period else period
                self._period = period
                self._period_us = now
        if self.current_on and not current_on:
            self.current_lost_us = now
        self.current_on = current_on

    def period(self):
        """What PERIOD reads; after a change of frequency it takes its time to follow; DS p.36."""
        since = self._clock.now_us - self._period_us
        if since >= self._settle_us:
            return self._period
        return self._period_from + (self._period - self._period_from) * since // self._settle_us

    def count(self, t_us):
        """The number of crossings up to a time, which never goes back. Those with even numbers go positive."""
        if not self.on:
            return self._base
        return self._base + (t_us - self._base_us) * self.millihertz // 500000000

    def crossing_us(self, n):
        """When crossing number n comes."""
        if not self.on:
            return NEVER
        return self._base_us - (self._base - n) * 500000000 // self.millihertz

    def seen(self, t_us):
        """The number of crossings that the chip has seen up to a time."""
        return self.count(t_us - ZX_DELAY_US)

    def seen_us(self, n):
        """When the chip sees crossing number n."""
        return self.crossing_us(n) + ZX_DELAY_US

    def degrees(self):
        """The phase of the voltage now, in degrees."""
        return self.degrees_at(self._clock.now_us)

    def degrees_at(self, t_us):
        """The phase of the voltage at a time, in degrees."""
        return (t_us - self._base_us) * self.millihertz % 1000000000 * 360e-9 + (self._base & 1) * 180.0
