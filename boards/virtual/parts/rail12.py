"""The 12 V behind its switch: feeds +12VDC and the counter's coil, and its current is measured.

A hardware limiter stands before it; a starting load takes more for a moment; a short takes what the limiter gives.
"""

LIMITER_MA = 87  # boards/reference/circuit.py: 0.65 V over 7.5 ohm
SENSE_FULL_MA = 110  # the amplifier saturates


class Rail12:
    """`enable` is the switch's pin, `coil` the counter's; `stir` is called when the current changes."""

    def __init__(self, clock, enable, coil, stir):
        self.on = False
        self._clock = clock
        self._coil = coil
        self._stir = stir
        self._load_ma = 0
        self._short = False
        self._inrush_ma = 0
        self._inrush_end_us = 0
        self._stuck_ma = None
        enable.listen(self._switch)

    def load(self, ma):
        """What hangs on +12VDC takes `ma` from now on."""
        self._load_ma = ma
        self._stir()

    def inrush(self, ma, us):
        """It takes `ma` for `us`, then its load again."""
        self._inrush_ma = ma
        self._inrush_end_us = self._clock.now_us + us
        self._clock.at(self._inrush_end_us, self._stir)
        self._stir()

    def short(self, on):
        """+12VDC is shorted."""
        self._short = on
        self._stir()

    def stuck_ma(self, ma):
        """Fault: the sensor reads `ma` whatever flows (None: it is whole again)."""
        self._stuck_ma = ma
        self._stir()

    def current_ma(self):
        """What flows now."""
        if not self.on:
            return 0
        if self._short:
            return LIMITER_MA
        load_ma = self._load_ma
        if self._clock.now_us < self._inrush_end_us:
            load_ma = self._inrush_ma
        return min(LIMITER_MA, load_ma + (self._coil.ma if self._coil.on else 0))

    def sensed_ma(self):
        """What the sense amplifier says."""
        ma = self.current_ma() if self._stuck_ma is None else self._stuck_ma
        return min(ma, SENSE_FULL_MA)

    def _switch(self, level, _t_us):
        self.on = bool(level)
        self._coil.supply(self.on)
