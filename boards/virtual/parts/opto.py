"""An isolated open-collector output as its receiver sees it: it conducts as its pin says, after the opto-coupler's
delays.

The delays are those of a common 4-pin opto-coupler at 10 mA with a pull-up of 1 kohm: it conducts after some 5 us, and
stops, out of saturation, after some 60 us.
"""

ON_US = 5
OFF_US = 60


class Opto:
    """An output. `fn` of `listen` is called as fn(conducts, t_us); `t_us`, a little after the call, is when the
    collector follows."""

    def __init__(self, pin, on_us=ON_US, off_us=OFF_US):
        self.conducts = False
        self._on_us = on_us
        self._off_us = off_us
        self._listeners = []
        pin.listen(self._changed)

    def listen(self, fn):
        """Call `fn(conducts, t_us)` at each change from now on."""
        self._listeners.append(fn)

    def _changed(self, level, t_us):
        self.conducts = bool(level)
        t_us += self._on_us if level else self._off_us
        for fn in self._listeners:
            fn(self.conducts, t_us)
