"""The temperature of the board and of what hangs on it, and the sensors that read it.

All parts have one temperature. What it does to them is in the parts themselves (ade7953/signals.py, mains.py), as
coefficients that count from 25 degC; a part without any does not change.
"""

from boards.virtual.rng import Rng

START_C = 25.0
STEP_US = 1_000_000  # a ramp is made in steps of at most this, each at its middle value
STREAM = 7  # which of the board's series of random numbers this part draws from

# The RP2040's own sensor, input 4 of its converter: 0.706 V at 27 degC, 1.721 mV less a kelvin (RP2040 data sheet
# 4.9.5).
CORE_INPUT = 30
_CORE_UV = 706_000.0
_CORE_UV_PER_K = 1721.0
_STEP_UV = 805.9  # a step of the converter's 12 bits
CORE_OFFSET_K = 6.0  # chips with their 3.3 V are off by up to this, either way


class Climate:
    """The temperature of the board. Of each of `parts` `temperature(celsius)` is called whenever it changes."""

    def __init__(self, board, parts, celsius=START_C, offset_k=None, slope_percent=0.0, noise_steps=1.0):
        """offset_k: the error of the RP2040's sensor; None: drawn by the board's seed. slope_percent: the error of its
        slope. noise_steps: each reading is off by up to so many steps of the converter."""
        self._board = board
        self._parts = parts
        self._ramp = 0  # number of the newest ramp; those before it are given up
        self._rng = rng = Rng(board.seed, STREAM)
        self._offset_k = CORE_OFFSET_K * (2.0 * rng.fraction() - 1.0) if offset_k is None else offset_k
        self._slope = _CORE_UV_PER_K * (1.0 + slope_percent / 100.0)
        self._noise_uv = noise_steps * _STEP_UV
        self.broken_uv = None  # fault: the RP2040's sensor gives this voltage
        self.jump_k = 0.0  # fault: the sensor reads so much too high
        board.adc_uv[CORE_INPUT] = self._core_uv
        self.celsius = START_C
        self.set(celsius)

    def set(self, celsius):
        """Set the temperature from now on."""
        if celsius == self.celsius:
            return
        self.celsius = celsius
        for part in self._parts:
            part.temperature(celsius)

    def change(self, end_us, celsius):
        """Let the temperature go evenly to `celsius`, which it has at `end_us`; at once where that is not in the
        future."""
        self._ramp += 1
        begin_us = self._board.clock.now_us
        if end_us <= begin_us:
            self.set(celsius)
        else:
            self._step(self._ramp, begin_us, end_us, self.celsius, celsius)

    def _step(self, ramp, begin_us, end_us, start, end):
        if ramp != self._ramp:
            return
        now = self._board.clock.now_us
        if now >= end_us:
            self.set(end)
            return
        to_us = min(now + STEP_US, end_us)
        middle = (now + to_us) / 2.0 - begin_us
        self.set(start + (end - start) * middle / (end_us - begin_us))
        self._board.clock.at(to_us, lambda: self._step(ramp, begin_us, end_us, start, end))

    def _core_uv(self):
        """The voltage of the RP2040's sensor in uV, with the noise of this reading."""
        if self.broken_uv is not None:
            return self.broken_uv
        read_c = self.celsius + self._offset_k + self.jump_k
        return _CORE_UV - (read_c - 27.0) * self._slope + (2.0 * self._rng.fraction() - 1.0) * self._noise_uv
