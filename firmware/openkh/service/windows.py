"""A measuring window over whole line cycles: the counts of each line, and the exact time in which they were counted.

`counts` are what the register gets. They are the sum of `chip_counts`, as the front end gave them, and
`correction_counts`, what corrections in software have added (CA-1a; 0 where there are none).

The cycle collects them. Readings that were not verified are left out; their counts come with the next one. Power
pulsates at twice the line frequency, so the window ends with the reading that is nearest to a whole number of half line
cycles.
"""

from openkh.drivers.ade7953_registers import PERIOD_CLOCK_MILLIHZ
from openkh.metrology.correction import EXTRA
from openkh.service.refused import RefusedError
from openkh.service.reports import angle_of
from openkh.service.requests import Request, post
from openkh.ticks import ticks_diff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openkh.meter import Meter
    from openkh.metrology.correction import Correction
    from openkh.metrology.element import Element

    Answer = dict[str, Any]

LONGEST_S = 300
_EXTRA = 10  # so many readings are taken after the time is over, and the best end is chosen among them
_SLACK_MS = 15_000  # a window may take so much longer than its time
_PERIOD_CLOCK_HZ = PERIOD_CLOCK_MILLIHZ // 1000


class Sums:
    """The sums of one line since its first verified reading."""

    def __init__(self, element: "Element", correction: "Correction") -> None:
        self._element = element
        self._correction = correction
        self._begun = False
        self._start_us = element.at_us
        self._volts_mv = 0
        self._amps_ma = 0
        self._readings = 0
        self.counts = 0
        self.correction_counts = 0
        self.reactive_counts = 0
        self.us = 0  # the time in which the counts were counted
        self.spoilt = False  # whether the counter was taken anew, so that counts are missing

    def add(self) -> bool:
        """Add one cycle's values. False where this cycle has no verified reading."""
        element = self._element
        if element.rebased:
            self.spoilt = True
        if not element.fresh:
            return False
        if not self._begun:
            self._begun = True
            self._start_us = element.at_us
            return True
        self.counts += element.active
        self.correction_counts += self._correction.terms[EXTRA]
        self.reactive_counts += element.reactive
        self._volts_mv += element.v_mv
        self._amps_ma += element.i_ma
        self._readings += 1
        self.us = ticks_diff(element.at_us, self._start_us)
        return True

    def answer(self, line: int, counts_per_wh: int) -> "Answer":
        """The means of the window; `line` is 1 or 2. Powers in mW and mvar, the angle in 0.001 degrees."""
        per = 3_600_000_000 / counts_per_wh / self.us * 1000  # mW per count
        return {
            "line": line,
            "counts": self.counts,
            "chip_counts": self.counts - self.correction_counts,
            "correction_counts": self.correction_counts,
            "reactive_counts": self.reactive_counts,
            "us": self.us,
            "p_mw": self.counts * per,
            "q_mvar": self.reactive_counts * per,
            "angle_mdeg": 1000 * angle_of(self.counts, self.reactive_counts),
            "v_mv": self._volts_mv / self._readings,
            "i_ma": self._amps_ma / self._readings,
        }


class Window(Request):
    """Collects for `seconds`; afterwards `found` has each line's answer, `cycles` the number of line cycles."""

    def __init__(self, meter: "Meter", seconds: float) -> None:
        super().__init__(meter)
        self._left_us = int(seconds * 1_000_000)
        self._extra = _EXTRA
        self._best = 2.0
        self.sums = tuple([Sums(meter.elements[n], meter.corrected.lines[n]) for n in range(len(meter.elements))])
        self.hz = 0.0
        self.cycles = 0.0
        self.found: list[Answer] = []

    def step(self) -> bool:
        if self.given_up:
            return False
        complete = True
        for one in self.sums:
            complete = one.add() and complete
            if one.spoilt:
                self.failed = "a front end was reset during the window"
                return False
        first = self.sums[0]
        if not complete or first.us < self._left_us:
            return True
        self._look(first)
        self._extra -= 1
        return self._extra > 0

    def _look(self, first: Sums) -> None:
        """Take this end of the window if it is nearer to whole half cycles than those before."""
        period = self.meter.elements[0].period_raw + 1
        self.hz = _PERIOD_CLOCK_HZ / period
        half = 2 * first.us // 1000 * _PERIOD_CLOCK_HZ // 1000 / period  # half cycles: power repeats with them
        off = abs(half - round(half))
        if off < self._best:
            self._best = off
            self.cycles = half / 2
            self.found = [
                one.answer(n + 1, self.meter.model.counts_per_wh) for n, one in enumerate(self.sums) if one.us
            ]


def measure(meter: "Meter", seconds: float) -> "Answer":
    """Measure for `seconds`, 1 to LONGEST_S. Returns the window's time, line cycles, frequency and each line's means.
    RefusedError for another time, and where a front end does not answer."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 1 <= seconds <= LONGEST_S:
        raise RefusedError("%r seconds: allowed 1 to %d, with or without decimals" % (seconds, LONGEST_S))
    request = Window(meter, seconds)
    post(request, int(seconds * 1000) + _SLACK_MS)
    return {
        "us": request.found[0]["us"],
        "cycles": request.cycles,
        "hz": request.hz,
        "lines": request.found,
    }
