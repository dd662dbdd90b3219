"""Guard of the 12 V that feeds counter coil and +12VDC: 50 mA in sum, or off (CO-3).

What hangs on these terminals can catch fire, so the guard is quick (a hard timer each PERIOD_MS) and does not depend on
the measuring cycle. A load may take up to 200 mA for 5 ms when it starts: that covers three samples, so the fourth
sample above the limit switches off, 8 ms after the overload began at most. While flash is erased no interrupt runs: a
hardware limiter stands before it all.

What has happened is judged in `step`, once a cycle: a retry 60 s after each failure, off for good after the third. A
sensor that reads current with the 12 V off, or full scale for a second, is proven wrong and protects nothing: off.
Such a sensor is not retried while it reads current with the 12 V off. Whether the current moves with the coil proves
nothing: there may be no counter, one that takes 1 mA, or a transmitter that pulses against it.
"""

from openkh import event_codes
from openkh.bound import bind
from openkh.ticks import ticks_diff, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import ADC, Pin

    from openkh.storage.events import EventLog

PERIOD_MS = 2
LIMIT_MA = 50
OVER_SAMPLES = 4
RETRY_US = 60_000_000
FAILURES = 3

STUCK_OFF_MA = 5  # read with the 12 V off
STUCK_FULL_US = 1_000_000
SETTLE_US = 20_000  # what is left on the rail after switching off

# States.
OFF = 0  # not started, or the meter's supply is failing
ON = 1
WAITING = 2  # failed; retry to come
LATCHED = 3  # failed FAILURES times: until power-up or service
NAMES = ("off", "on", "waiting", "latched")

# Why it was switched off (b of RAIL12_OFF).
OVERLOAD = 1
STUCK = 2

_FULL_SCALE = 65_535
_FULL = _FULL_SCALE - 16  # the converter has 12 bits: one of its steps below the end counts as full scale
_FULL_SCALE_MV = 3_300


class Rail12:
    """`adc` reads the current as `uv_per_ma`, `enable` switches the 12 V on (1). Ticks are ticks_us.

    `on` is the 12 V's state at this instant, `off_us` when it was switched off last, `state` one of the above,
    `failures` those since power-up. `raw` is the current as sampled last, above `limit` it is too high; `over` counts
    samples above it, less those below. No properties: they would slow down the guard, which runs each PERIOD_MS.
    """

    def __init__(self, adc: "ADC", enable: "Pin", log: "EventLog", uv_per_ma: int = 30_000) -> None:
        self.read = adc.read_u16  # for the guard, in its interrupt
        self._enable = enable
        self._log = log
        self._uv_per_ma = uv_per_ma
        self.limit = LIMIT_MA * uv_per_ma // 1000 * _FULL_SCALE // _FULL_SCALE_MV + 16  # one step of 12 bits
        self.raw = 0
        self.over = 0
        self._tripped = False  # set by `judge`, followed up by `step`
        self._trip_raw = 0  # the reading that did it
        self.on = False
        self.off_us = 0
        self.state = OFF
        self.failures = 0
        self._since_us = 0  # when `state` was entered
        self._stuck = False  # the sensor was found stuck, and that is logged
        self._full_us = 0  # since when full scale may have been read
        bind(self, "step")

    def ma(self) -> int:
        """Current as last sampled, mA; full scale is reported as it reads."""
        return self._ma_of(self.raw)

    def _ma_of(self, raw: int) -> int:
        return (raw * _FULL_SCALE_MV // _FULL_SCALE * 1000 + self._uv_per_ma // 2) // self._uv_per_ma

    def sample(self) -> None:
        """Look at the current once, as the guard does every PERIOD_MS."""
        self.raw = self.read()
        if self.raw > self.limit or self.over:
            self.judge()

    def judge(self) -> None:
        """`raw` was read: switch off where it has been too high for too long. Needed where it is above `limit`, or
        `over` is not 0. For a hard interrupt: allocates nothing."""
        if self.raw <= self.limit:
            # Counted down, not cleared: pulsed overloads add up.
            if self.over:
                self.over -= 1
        elif self.on:
            self.over += 1
            if self.over >= OVER_SAMPLES:
                self._enable.value(0)
                self.on = False
                self._trip_raw = self.raw
                self._tripped = True
                self.off_us = ticks_us()

    def name(self) -> str:
        """The state as text."""
        return NAMES[self.state]

    def start(self, now_us: int) -> None:
        """Switch on at power-up, unless the sensor reads current already."""
        self.sample()
        if self.ma() > STUCK_OFF_MA:
            self._fail(now_us, STUCK, self.ma())
        else:
            self._switch_on(now_us)

    def suspend(self) -> None:
        """The meter's supply is failing: off, which is no failure."""
        if self.on:
            self._switch_off(OFF)

    def resume(self, now_us: int) -> None:
        """The supply is back."""
        if self.state == OFF:
            self._switch_on(now_us)

    def service_reset(self, now_us: int) -> None:
        """Forget the failures and switch on again."""
        self.failures = 0
        if self.state == WAITING or self.state == LATCHED:
            self._switch_on(now_us)

    def step(self, now_us: int) -> None:
        """Judge once a cycle."""
        if self._tripped:
            self._tripped = False
            self._fail(now_us, OVERLOAD, self._ma_of(self._trip_raw))
        elif self.on:
            if self.raw < _FULL:
                self._full_us = now_us
            if ticks_diff(now_us, self._full_us) >= STUCK_FULL_US:
                self._fail(now_us, STUCK, self.ma())
        elif self.state == WAITING:
            self._wait(now_us)

    def _wait(self, now_us: int) -> None:
        """Failed before: is it time to try again, and can the sensor be believed?"""
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
