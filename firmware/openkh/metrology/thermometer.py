"""The board's temperature as the energy may rely on it: smoothed, and only while the sensor can be believed (ID-4a).

A board has seconds and minutes of heat in it: what differs from the mean by more than 5 K at once is no temperature. A
reading like that is left out; ten in a row, or none that is plausible, and the sensor has failed: no temperature is
known, the energy is not corrected for it, and that is logged. It is believed again when it has read for a minute what
it read before it failed, or after a restart.

Pure: one reading a second, in 0.01 degC; takes nothing from the heap.
"""

from openkh import event_codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Log(Protocol):
        """Where events go; never allocates."""

        def add(self, code: int, a: int = 0, b: int = 0) -> None: ...


NONE = -32_768  # a sensor's reading that is none
LOWEST = -4_500  # beyond these the sensor is broken, or the board soon
HIGHEST = 12_500
JUMP = 500
FAILED_READINGS = 10
BACK_READINGS = 60
_SMOOTH_BITS = 4  # mean of the last 16 s or so: a sensor of 12 bits flickers by half a kelvin


class Thermometer:
    """`centi` is the temperature in 0.01 degC, None while it is not known; `failed`: the sensor is not believed;
    `odd` readings were left out since the start."""

    def __init__(self, log: "Log") -> None:
        self._log = log
        self._mean = 0  # times 2^_SMOOTH_BITS; before anything is known, the newest plausible reading
        self._begun = False  # there is one
        self._known = False  # two in a row have agreed, once
        self._wrong = 0  # readings in a row that do not fit
        self._fitting = 0  # readings in a row that fit again, after a failure
        self.centi: int | None = None
        self.failed = False
        self.odd = 0

    def take(self, centi: int) -> None:
        """A reading, once a second; NONE where the sensor did not answer."""
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
