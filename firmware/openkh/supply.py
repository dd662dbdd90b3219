"""The meter's own supply: sees it fail early enough to save, and sees it come back (ST-1, ID-6).

Two witnesses, either alone is enough: the sag detection of the front end on line 1 (the meter is fed from it) and the
bulk voltage of the 12 V supply below 10 V.
"""

from openkh import event_codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import ADC

    from openkh.storage.events import EventLog

LOW_MV = 10_000
GOOD_MV = 10_500  # hysteresis
_FULL_SCALE_MV = 3_300  # of the ADC
_FULL_SCALE = 65_535


class Supply:
    """Watches bulk voltage and sag; `failing` is True from the first sign until both are good again.

    `adc` reads the bulk voltage through a divider of `divider`.
    """

    def __init__(self, adc: "ADC", divider: int, log: "EventLog") -> None:
        self.read = adc.read_u16  # for the guard, in its interrupt alone: another reading in between would spoil it
        self._log = log
        self.low = LOW_MV * _FULL_SCALE // (_FULL_SCALE_MV * divider)
        self._good = GOOD_MV * _FULL_SCALE // (_FULL_SCALE_MV * divider)
        self._mv_full = _FULL_SCALE_MV * divider
        self.raw = _FULL_SCALE  # as read last, by the guard
        self.bulk_low = False
        self.failing = False

    def sample(self) -> bool:
        """`raw` was read (2 ms hard timer: no heap); True at the moment it becomes low. Needed where `raw` is below
        `low`, or `bulk_low` is set."""
        if self.bulk_low:
            if self.raw > self._good:
                self.bulk_low = False
        elif self.raw < self.low:
            self.bulk_low = True
            return True
        return False

    def bulk_mv(self) -> int:
        """Bulk voltage as last sampled, mV."""
        return self.raw * (self._mv_full // 100) // _FULL_SCALE * 100

    def step(self, sag: bool) -> bool:
        """Judge once a cycle, before outputs are driven; True where `failing` has changed."""
        failing = sag or self.bulk_low
        if failing == self.failing:
            return False
        self.failing = failing
        if failing:
            self._log.add(event_codes.POWER_FAIL, self.bulk_mv(), (1 if sag else 0) + (2 if self.bulk_low else 0))
        else:
            self._log.add(event_codes.POWER_BACK)
        return True
