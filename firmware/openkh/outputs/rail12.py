"""Guard of the 12 V that feeds the counter's coil and the +12VDC terminal: above 50 mA together it is switched off
(CO-3).

A lasting overload of these terminals can start a fire. The guard is therefore quick (a hard timer every GUARD_MS) and
does not depend on the measuring cycle. A load may take up to 200 mA for 5 ms when it starts, which two samples can
fall into; so the third sample above the limit switches off, at most 9 ms after the overload began. While flash is
being erased no interrupt runs; for this time the hardware has a limiter of its own.

`step` judges once a cycle what has happened: 60 s after a failure the 12 V is tried again, after the third it stays
off. A sensor that reads a current while the 12 V is off, or full scale for a second, is wrong and protects nothing, so
the 12 V is switched off; and it is not tried again as long as the sensor reads a current with the 12 V off. Whether the
current follows the coil proves nothing: there may be no counter, or one that takes 1 mA, or a transmitter whose own
pulses cover it.
"""

from openkh import bound, event_codes
from openkh.ticks import ticks_diff, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import ADC, Pin

    from openkh.storage.events import EventLog

GUARD_MS = 3
LIMIT_MA = 50
OVER_SAMPLES = 3
RETRY_US = 60_000_000
FAILURES = 3

STUCK_OFF_MA = 5  # a sensor that reads more than this while the 12 V is off is wrong,
STUCK_FULL_US = 1_000_000  # and so is one that reads full scale for so long
SETTLE_US = 20_000  # for so long after switching off current may still flow

# States.
OFF = 0  # not started, or the meter's supply is failing
ON = 1
WAITING = 2  # off after a failure, until it is tried again
LATCHED = 3  # off after FAILURES failures, until the next power-up or rail12_reset() at the prompt
NAMES = ("off", "on", "waiting", "latched")

# Why it was switched off: b of the event RAIL12_OFF.
OVERLOAD = 1
STUCK = 2

_FULL_SCALE = 65_535
_FULL = _FULL_SCALE - 16  # from here on it is full scale: the converter's 12 bits have steps of 16
_FULL_SCALE_MV = 3_300


class Rail12:
    """`adc` reads the current, as `uv_per_ma` microvolts for each mA; `enable` at 1 switches the 12 V on. Times are
    ticks_us.

    `on` tells whether the 12 V is on at this instant, `off_us` when it was switched off last, `state` is one of the
    states above, `failures` counts the failures since power-up. `current_raw` is the current as sampled last
    (0 .. 65,535); above `limit` it is too high. `over` counts the samples above it, less those below, and does not go
    below 0. A sample above `judged_above` has to be judged: where `over` is not 0 each of them. The class has no
    properties, because they would slow down the guard, which runs every GUARD_MS.
    """

    def __init__(self, adc: "ADC", enable: "Pin", log: "EventLog", uv_per_ma: int = 30_000) -> None:
        self.read = adc.read_u16  # the guard calls this in its interrupt
        self._enable = enable
        self._log = log
        self._uv_per_ma = uv_per_ma
        self.limit = LIMIT_MA * uv_per_ma // 1000 * _FULL_SCALE // _FULL_SCALE_MV + 16  # and a step of the 12 bits
        self.current_raw = 0
        self.over = 0
        self.judged_above = self.limit
        self._tripped = False  # whether `judge` has switched off, and `step` has not followed it up yet
        self._trip_raw = 0  # the sample at which `judge` did
        self.on = False
        self.off_us = 0
        self.state = OFF
        self.failures = 0
        self._since_us = 0  # when `state` was entered
        self._stuck = False  # whether the sensor was found wrong, which is logged then
        self._full_us = 0  # when less than full scale was read last
        bound.at_once(self, "step")

    def ma(self) -> int:
        """The current as sampled last, in mA; at full scale that is what the converter can read at most."""
        return self._ma_of(self.current_raw)

    def _ma_of(self, raw: int) -> int:
        return (raw * _FULL_SCALE_MV // _FULL_SCALE * 1000 + self._uv_per_ma // 2) // self._uv_per_ma

    def sample(self) -> None:
        """Sample the current once and judge it, as the guard does every GUARD_MS."""
        self.current_raw = self.read()
        if self.current_raw > self.judged_above:
            self.judge()

    def judge(self) -> None:
        """Switch off if `current_raw`, which was just read, has been too high for too long. The guard has to call this
        only where it is above `judged_above`. Runs in a hard interrupt and takes no heap."""
        if self.current_raw <= self.limit:
            # Counted down and not cleared, so that an overload that comes in pulses adds up.
            if self.over:
                self.over -= 1
            if not self.over:
                self.judged_above = self.limit
        elif self.on:
            self.over += 1
            self.judged_above = -1
            if self.over >= OVER_SAMPLES:
                self._enable.value(0)
                self.on = False
                self._trip_raw = self.current_raw
                self._tripped = True
                self.off_us = ticks_us()

    def name(self) -> str:
        """The state in a word, for the prompt."""
        return NAMES[self.state]

    def start(self, now_us: int) -> None:
        """Switch on at power-up. If the sensor reads a current before that, it is wrong, and the 12 V stays off."""
        self.sample()
        if self.ma() > STUCK_OFF_MA:
            self._fail(now_us, STUCK, self.ma())
        else:
            self._switch_on(now_us)

    def suspend(self) -> None:
        """Switch off because the meter's supply is failing; this does not count as a failure of the 12 V."""
        if self.on:
            self._switch_off(OFF)

    def resume(self, now_us: int) -> None:
        """Switch on again, because the supply is back; not after a failure of the 12 V."""
        if self.state == OFF:
            self._switch_on(now_us)

    def service_reset(self, now_us: int) -> None:
        """Forget the failures, and switch on again where one had switched off."""
        self.failures = 0
        if self.state == WAITING or self.state == LATCHED:
            self._switch_on(now_us)

    def step(self, now_us: int) -> None:
        """Follow up, once a cycle, what the guard has seen; try again when it is time."""
        if self._tripped:
            self._tripped = False
            self._fail(now_us, OVERLOAD, self._ma_of(self._trip_raw))
        elif self.on:
            if self.current_raw < _FULL:
                self._full_us = now_us
            elif ticks_diff(now_us, self._full_us) >= STUCK_FULL_US:
                self._fail(now_us, STUCK, self.ma())
        elif self.state == WAITING:
            self._wait(now_us)

    def _wait(self, now_us: int) -> None:
        """After a failure: switch on again when RETRY_US have passed without a current read by the sensor."""
        passed_us = ticks_diff(now_us, self._since_us)
        if self.ma() > STUCK_OFF_MA:
            if passed_us > SETTLE_US:
                if not self._stuck:
                    self._stuck = True
                    self._log.add(event_codes.RAIL12_OFF, self.ma(), STUCK)
                self._since_us = now_us
        elif passed_us >= RETRY_US:
            self._log.add(event_codes.RAIL12_RETRY, self.failures)
            self._switch_on(now_us)

    def _fail(self, now_us: int, reason: int, ma: int) -> None:
        """Switch off for `reason`, at a reading of `ma`, and log it; the third time for good."""
        self.failures += 1
        self._stuck = reason == STUCK
        self._log.add(event_codes.RAIL12_OFF, ma, reason)
        self._switch_off(WAITING)
        self._since_us = now_us
        if self.failures >= FAILURES:
            self.state = LATCHED
            self._log.add(event_codes.RAIL12_LATCHED)

    def _switch_on(self, now_us: int) -> None:
        self.over = 0
        self.judged_above = self.limit
        self._stuck = False
        self._full_us = now_us
        self.state = ON
        self._since_us = now_us
        self._enable.value(1)
        self.on = True

    def _switch_off(self, state: int) -> None:
        self._enable.value(0)
        if self.on:
            self.on = False
            self.off_us = ticks_us()
        self.state = state
