"""An isolated open-collector output as its receiver sees it: conducting follows the pin with the opto's delays.

Figures of a common 4-pin opto at 10 mA with a 1 kohm pull-up: on in some 5 us, off in some 60 us (saturated).
"""

ON_US = 5
OFF_US = 60


class Opto:
    """`listen` gets `fn(conducts, t_us)`; `t_us` is when the collector follows, a little after the call."""

    def __init__(self, pin, on_us=ON_US, off_us=OFF_US):
        self.conducts = False
        self._on_us = on_us
        self._off_us = off_us
        self._listeners = []
        pin.listen(self._changed)

    def listen(self, fn):
        """Call `fn` at each change."""
        self._listeners.append(fn)

    def _changed(self, level, t_us):
        self.conducts = bool(level)
        t_us += self._on_us if level else self._off_us
        for fn in self._listeners:
            fn(self.conducts, t_us)
