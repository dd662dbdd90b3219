"""The 12 V behind its switch, which feed +12VDC and the counter's coil and whose current is measured.

A limiter in hardware stands ahead of it. A load that starts takes more for a moment; a short takes what the limiter
gives.
"""

LIMITER_MA = 87  # boards/reference/circuit.py: 0.65 V over 7.5 ohm
SENSE_FULL_MA = 110  # at which the amplifier saturates


class Rail12:
    """The rail: `enable` is the pin of its switch, `coil` the counter's coil. `stir` is called when its current
    changes."""

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
        """Let the load on +12VDC take `ma` from now on."""
        self._load_ma = ma
        self._stir()

    def inrush(self, ma, us):
        """Let the load take `ma` for `us`, and then what it took before."""
        self._inrush_ma = ma
        self._inrush_end_us = self._clock.now_us + us
        self._clock.at(self._inrush_end_us, self._stir)
        self._stir()

    def short(self, on):
        """Short +12VDC, or end the short."""
        self._short = on
        self._stir()

    def stuck_ma(self, ma):
        """Fault: the sensor reads `ma` whatever flows; None: it is whole again."""
        self._stuck_ma = ma
        self._stir()

    def current_ma(self):
        """The current that flows now."""
        if not self.on:
            return 0
        if self._short:
            return LIMITER_MA
        load_ma = self._load_ma
        if self._clock.now_us < self._inrush_end_us:
            load_ma = self._inrush_ma
        return min(LIMITER_MA, load_ma + (self._coil.ma if self._coil.on else 0))

    def sensed_ma(self):
        """The current that the sense amplifier shows."""
        ma = self.current_ma() if self._stuck_ma is None else self._stuck_ma
        return min(ma, SENSE_FULL_MA)

    def _switch(self, level, _t_us):
        self.on = bool(level)
        self._coil.supply(self.on)
