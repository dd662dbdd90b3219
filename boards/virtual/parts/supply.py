"""The meter's own supply, from the mains of line 1 by way of the 12 V of a bulk capacitor to 3.3 V.

Without mains the load takes constant power from the capacitor, so that the square of its voltage falls evenly. The 3.3
V are gone below DROP_OUT_V, `holdup_ms` after the mains went. The capacitor charges again when the mains return.
"""

from math import sqrt

BULK_V = 12.0
DROP_OUT_V = 4.5
MAINS_OK_V = 60.0  # rms on line 1; below it the supply does not draw anything any more
START_US = 50_000  # from the return of the mains to 3.3 V
CHARGE_V_PER_US = 0.001


class Supply:
    """The supply. `changed(on)` is called when the 3.3 V come or go, `restless(flag)` when the bulk voltage begins to
    move or stands again."""

    def __init__(self, clock, holdup_ms, changed, restless):
        self.on = False  # 3.3 V is there
        self.mains = False
        self._clock = clock
        self._holdup_us = max(1, int(holdup_ms * 1000))
        self._changed = changed
        self._restless = restless
        self._event = None
        self._calm = None
        self._from_us = 0
        self._from_v = 0.0

    def volts(self, l1_v):
        """Set the voltage of line 1, rms."""
        mains = l1_v >= MAINS_OK_V
        if mains == self.mains:
            return
        now_us = self._clock.now_us
        self._from_v = self.bulk_v()
        self._from_us = now_us
        self.mains = mains
        if self._event is not None:
            self._clock.cancel(self._event)
            self._event = None
        if self._calm is not None:
            self._clock.cancel(self._calm)
            self._calm = None
        self._restless(True)
        if mains:
            if not self.on:
                self._event = self._clock.at(now_us + START_US, self._rise)
            charged_us = now_us + int((BULK_V - self._from_v) / CHARGE_V_PER_US) + 1
            self._calm = self._clock.at(charged_us, self._charged)
        elif self.on:
            left = (self._from_v**2 - DROP_OUT_V**2) / (BULK_V**2 - DROP_OUT_V**2)
            self._event = self._clock.at(now_us + max(0, int(left * self._holdup_us)), self._fall)

    def bulk_v(self):
        """The voltage of the bulk capacitor now."""
        passed_us = self._clock.now_us - self._from_us
        if self.mains:
            return min(BULK_V, self._from_v + passed_us * CHARGE_V_PER_US)
        fall = (BULK_V**2 - DROP_OUT_V**2) * passed_us / self._holdup_us
        return sqrt(max(0.0, self._from_v**2 - fall))

    def _rise(self):
        self._event = None
        self.on = True
        self._changed(True)

    def _charged(self):
        self._calm = None
        self._restless(False)

    def _fall(self):
        self._event = None
        self.on = False
        self._changed(False)
