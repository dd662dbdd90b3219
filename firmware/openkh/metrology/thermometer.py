"""The board's temperature as the energy may rely on it: smoothed, and only while the sensor can be believed (ID-4a).

A board warms and cools over seconds and minutes. A reading that differs from the mean by more than 5 K at once, or is
not plausible at all, is therefore no temperature and is left out. After ten of these in a row the sensor has failed: no
temperature is known, the energy is not corrected for it, and that is logged. The sensor is believed again when it has
read for a minute what it read before it failed, or after a restart.

This is pure logic: one reading a second in 0.01 degC, no heap.
"""

from openkh import event_codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Log(Protocol):
        """Where events go; never allocates."""

        def add(self, code: int, a: int = 0, b: int = 0) -> None: ...


NONE = -32_768  # in place of a reading, where the sensor gives none
LOWEST = -4_500  # a reading beyond these is not plausible, in 0.01 degC
HIGHEST = 12_500
JUMP = 500  # a reading that differs by more from the mean does not fit, in 0.01 K
FAILED_READINGS = 10  # after so many in a row that do not fit the sensor has failed,
BACK_READINGS = 60  # and after so many that do it is believed again
_SMOOTH_BITS = 4  # the mean is over some 16 s, because a sensor of 12 bits flickers by half a kelvin


class Thermometer:
    """`centi` is the temperature in 0.01 degC, None while it is not known; `failed`: the sensor is not believed; `odd`:
    how many readings have been left out since the start."""

    def __init__(self, log: "Log") -> None:
        self._log = log
        self._mean = 0  # times 2^_SMOOTH_BITS; before anything is known, the newest plausible reading
        self._begun = False  # whether there was a plausible reading
        self._known = False  # whether two in a row have ever agreed
        self._wrong = 0  # readings in a row that do not fit
        self._fitting = 0  # readings in a row that fit again, after a failure
        self.centi: int | None = None
        self.failed = False
        self.odd = 0

    def take(self, centi: int) -> None:
        """Take a reading, once a second, in 0.01 degC; NONE where the sensor did not answer."""
        plausible = LOWEST <= centi <= HIGHEST
        if plausible and self._begun and -JUMP <= centi - (self._mean >> _SMOOTH_BITS) <= JUMP:
            self._fits(centi)
            return
        if plausible and not self._known:
            self._mean = centi << _SMOOTH_BITS
            if not self._begun:
                self._begun = True
                return
        self._differs(centi)

    def _fits(self, centi: int) -> None:
        if self.failed:
            self._fitting += 1
            if self._fitting < BACK_READINGS:
                return
            self.failed = False
            self._log.add(event_codes.TEMPERATURE_BACK, centi)
        self._known = True
        self._wrong = 0
        self._mean += centi - (self._mean >> _SMOOTH_BITS)
        self.centi = self._mean >> _SMOOTH_BITS

    def _differs(self, centi: int) -> None:
        self.odd += 1
        self._fitting = 0
        self._wrong += 1
        if self._wrong == FAILED_READINGS and not self.failed:
            self.failed = True
            self.centi = None
            self._log.add(event_codes.TEMPERATURE_LOST, centi, self._mean >> _SMOOTH_BITS)
