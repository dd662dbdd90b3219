"""The electro-mechanical counter: a coil on the 12 V that moves wheels on, if it gets the time for it.

Counters of this kind ask for some 50 ms of current and 50 ms of pause; what is shorter moves nothing. The wheels move
when the current has flowed MIN_ON_US after a pause of MIN_OFF_US.
"""

MIN_ON_US = 50_000
MIN_OFF_US = 50_000


class Coil:
    """The coil that `pin` switches and that takes `ma`; `supply` is called when the 12 V come or go."""

    def __init__(self, clock, pin, ma=8.0):
        self.ma = ma
        self.on = False
        self.shortest_on_us = None  # the shortest current, counted or not; None: there was none yet
        self.shortest_off_us = None
        self.missed = 0  # currents that were too short, or came after too short a pause
        self._clock = clock
        self._counts = 0
        self._pin = pin
        self._supplied = False
        self._since_us = 0  # since when it is on, or off
        self._paused = True  # whether the pause before the running current was long enough
        pin.listen(self._pin_changed)

    def supply(self, on):
        """The 12 V comes or goes."""
        self._supplied = on
        self._set(bool(on and self._pin.level))

    @property
    def counts(self):
        """What the wheels show now."""
        return self._counts + (1 if self.on and self._moved() else 0)

    def _pin_changed(self, level, _t_us):
        self._set(bool(level and self._supplied))

    def _moved(self):
        return self._paused and self._clock.now_us - self._since_us >= MIN_ON_US

    def _set(self, on):
        if on == self.on:
            return
        now_us = self._clock.now_us
        lasted_us = now_us - self._since_us
        if on:
            first = self.shortest_on_us is None
            if not first and (self.shortest_off_us is None or lasted_us < self.shortest_off_us):
                self.shortest_off_us = lasted_us
            self._paused = first or lasted_us >= MIN_OFF_US
        else:
            if self.shortest_on_us is None or lasted_us < self.shortest_on_us:
                self.shortest_on_us = lasted_us
            if self._moved():
                self._counts += 1
            else:
                self.missed += 1
        self.on = on
        self._since_us = now_us
