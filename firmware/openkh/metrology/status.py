"""Status: what is wrong with each line, and which of it the glass shows (DX-1 to DX-7).

This is pure logic in the measuring cycle: integers in, integers out, no heap. To save time each cycle judges one of the
two lines, in turn; what the other brings is added up for the next cycle. Power is the mean of the last second, from
energy counts, so that no single odd cycle decides anything; the counts of a line are kept by pairs of cycles, in a
ring. Voltage and current are the chip's own rms. A condition is reported when it has stood for 2 s, and no longer
reported when it has been gone for 2 s (DX-5).
"""

from openkh import event_codes
from openkh.bound import bind
from openkh.drivers.ade7953_registers import PERIOD_CLOCK_MILLIHZ
from openkh.failures import CONFIGURATION_ALTERED, FRONT_END_SILENT
from openkh.fixed import muldiv
from openkh.metrology.episodes import Episodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.metrology.element import Element
    from openkh.metrology.episodes import Log
    from openkh.model import Model


# Conditions; the higher number is the more important one (DX-1).
UNJUDGED = 0  # nothing has been judged yet: bar and symbols are off
NORMAL = 1
LOW_CURRENT = 2  # a warning, not an error
OVER_CURRENT = 3
OVER_VOLTAGE = 4
LOW_VOLTAGE = 5
BAD_POWER_FACTOR = 6
REVERSE = 7
FAILURE = 8
FIRST_ERROR = OVER_CURRENT  # what is below is no error

NAMES = (
    "unjudged",
    "normal",
    "low_current",
    "over_current",
    "over_voltage",
    "low_voltage",
    "bad_power_factor",
    "reverse_energy",
    "failure",
)

PERSIST_US = 2_000_000  # a condition is reported when it has stood for so long (DX-5)
MEAN_US = 1_000_000  # power is the mean over this time
BAND_W = 15  # power below -15 W is reverse, below 15 W low current, on every model (DX-4)

# Both times above are made up of whole cycles, whose timer jitters. They may come out this much shorter, so that jitter
# does not prolong them by a whole pair of cycles.
_SLACK_US = 50_000
_RING = 8  # room for so many pairs of cycles, a power of two; a second has five
_WINDOW_MOST_US = 60_000_000  # a longer time between two cycles counts as this long, so that 15 W * us is below 2^30

# The power factor is bad where P > 0 and |Q| > tan(80 deg) * P (DX-7); tan(80 deg) = 5.671282.
_TAN_WHOLE = 5
_TAN_MILLI = 671
_TAN_MICRO = 282

_FIRST = LOW_CURRENT  # a line itself can have the conditions from here to _LAST
_LAST = REVERSE
# FAIL 01 and 02 as bits of Status.failures.
_SILENT = 1 << (FRONT_END_SILENT - 1)
_ALTERED = 1 << (CONFIGURATION_ALTERED - 1)
# Events of the beginning and the end of each error, in the order of the numbers above from FIRST_ERROR on.
_BEGUN = (
    event_codes.OVER_CURRENT,
    event_codes.OVER_VOLTAGE,
    event_codes.LOW_VOLTAGE,
    event_codes.BAD_POWER_FACTOR,
    event_codes.REVERSE_ENERGY,
)
_ENDED = (
    event_codes.OVER_CURRENT_ENDED,
    event_codes.OVER_VOLTAGE_ENDED,
    event_codes.LOW_VOLTAGE_ENDED,
    event_codes.BAD_POWER_FACTOR_ENDED,
    event_codes.REVERSE_ENERGY_ENDED,
)
_FAILURES = 5
_LINE_BITS = _LAST + 1
_LOOK_US = 1_000_000  # as long as nothing changes, what is to be shown and logged is looked at only so often, for time


class Line:
    """One line: its readings of the last second, and the conditions that it has. `number` is 1 or 2."""

    def __init__(self, number: int, model: "Model", log: "Log") -> None:
        self.number = number
        self._model = model
        self._log = log
        self._us_to_counts = 3_600_000_000 // model.counts_per_wh  # W * us / this are counts; whole on every model
        self._active = [0] * _RING
        self._reactive = [0] * _RING
        self._dt_us = [0] * _RING
        self._stood_us = [-1] * (_LAST + 1)  # how long each condition has differed from the report; -1: it does not
        # The period register at 5 % below and at 5 % above the service's frequency (DX-4).
        self._slowest = PERIOD_CLOCK_MILLIHZ // (950 * model.hz) - 1
        self._fastest = PERIOD_CLOCK_MILLIHZ // (1050 * model.hz) - 1
        self._frequency_us = -1  # how long the frequency has differed from what was logged last; -1: it does not
        self._frequency_off = False  # whether it was off when that was logged last
        self.episodes = Episodes(log, _BEGUN, _ENDED, number, 0)
        self.forget()
        bind(self, "step", "_follow", "_take", "judge", "_beyond_80_degrees")

    def forget(self) -> None:
        """Begin anew with nothing known of this line: at the start, and when its front end is silent (DX-6)."""
        self.head = 0  # where the next pair of cycles goes in the ring
        self.held = 0  # how many pairs are in it: those of the last second
        self.active_counts = 0  # the sum of their counts, which may be negative
        self.reactive_counts = 0
        self.window_us = 0  # and of their times
        self._waiting_us = 0  # time since the reading that was judged last,
        self._waiting_active = 0  # and the counts of that time
        self._waiting_reactive = 0
        self.now = 0  # mask of the conditions that the last judgement has found, 1 << LOW_CURRENT and so on
        self.reported = 0  # mask of those that are reported
        self._begun = False  # whether there was a verified reading, so that it is known when the next one was counted
        self.measured_us = -1  # the time that was judged, up to 2 s; before that nothing is said of the line (DX-5)
        self._pending = False  # whether a condition differs from the report, so that its time has to be counted
        for i in range(len(self._stood_us)):
            self._stood_us[i] = -1

    def step(self, dt_us: int, element: "Element", turn: bool) -> None:
        """One measuring cycle, `dt_us` after the last: take the element's readings in, and judge them if it is this
        line's `turn`. The first reading, and one that comes a second late, are judged out of turn.
        """
        if element.silent:
            if self._begun:
                self.forget()
            return
        waiting_us = self._waiting_us + dt_us
        self._waiting_us = waiting_us
        if not element.fresh:
            return  # the energy of this cycle comes with the next verified reading, and so does its time
        if not self._begun:
            self._begun = True
            self._waiting_us = 0
            return  # it brings counts from before the start as well, which tell nothing of the power now
        self._waiting_active += element.active
        self._waiting_reactive += element.reactive
        if turn or waiting_us >= MEAN_US or self.measured_us < 0:
            self._follow(element, waiting_us if waiting_us < _WINDOW_MOST_US else _WINDOW_MOST_US)

    def _follow(self, element: "Element", dt_us: int) -> None:
        """Judge the last second, of which `dt_us` are new, and let the reported conditions follow."""
        self._take(dt_us)
        v_mv = element.v_mv
        now = self.judge(v_mv, element.i_ma)
        self.now = now
        if now != self.reported or self._pending:
            self._persist(now ^ self.reported, dt_us)
        off = not self._slowest >= element.period_raw >= self._fastest and v_mv * 5 >= self._model.nominal_mv
        if off != self._frequency_off or self._frequency_us >= 0:
            self._frequency(off, dt_us, element.period_raw)
        if self.measured_us < PERSIST_US:
            self.measured_us = self.measured_us + dt_us if self.measured_us >= 0 else 0

    def _take(self, dt_us: int) -> None:
        """Add the counts of the last `dt_us` to the sliding second, and take off those that are older now."""
        spans = self._dt_us
        window_us = self.window_us + dt_us
        held = self.held
        head = self.head
        while held:
            i = (head - held) & (_RING - 1)
            if held < _RING and window_us - spans[i] < MEAN_US - _SLACK_US:
                break
            self.active_counts -= self._active[i]
            self.reactive_counts -= self._reactive[i]
            window_us -= spans[i]
            held -= 1
        spans[head] = dt_us
        self._active[head] = self._waiting_active
        self._reactive[head] = self._waiting_reactive
        self.active_counts += self._waiting_active
        self.reactive_counts += self._waiting_reactive
        self._waiting_us = 0
        self._waiting_active = 0
        self._waiting_reactive = 0
        self.window_us = window_us
        self.held = held + 1
        self.head = (head + 1) & (_RING - 1)

    def judge(self, v_mv: int, i_ma: int) -> int:
        """The conditions of this moment as a mask, from the rms values and from the sums of the last second.

        This is exact: P < -15 W is |counts| > 15 W * us / (3.6e9 / counts per Wh), compared in whole counts. The angle
        is judged only above the starting current and at 20 % or more of nominal voltage (DX-7).
        """
        model = self._model
        found = 0
        if v_mv < model.lu_mv:
            found |= 1 << LOW_VOLTAGE
        elif v_mv > model.hu_mv:
            found |= 1 << OVER_VOLTAGE
        if i_ma > model.hc_ma:
            found |= 1 << OVER_CURRENT
        p = self.active_counts
        band = BAND_W * self.window_us
        if p < 0 and -p > band // self._us_to_counts:
            found |= 1 << REVERSE
        elif p < -(-band // self._us_to_counts):
            found |= 1 << LOW_CURRENT
        if p > 0 and i_ma > model.start_ma and v_mv * 5 >= model.nominal_mv and self._beyond_80_degrees():
            found |= 1 << BAD_POWER_FACTOR
        return found

    def _beyond_80_degrees(self) -> bool:
        """Whether |Q| > tan(80 deg) * P, for P > 0. The tangent is taken in parts, so that all stays below 2^30."""
        p = self.active_counts
        q = self.reactive_counts
        rest = (q if q >= 0 else -q) - _TAN_WHOLE * p
        if rest <= 0 or rest >= p:
            return rest > 0
        if p >= 1 << 20:  # only after a cycle that is many seconds late
            p >>= 4
            rest >>= 4
        return rest * 1000 > p * _TAN_MILLI + p * _TAN_MICRO // 1000

    def _persist(self, differs: int, dt_us: int) -> None:
        """Change the report where a condition has differed from it for 2 s (DX-5). `differs`: those that do now."""
        self._pending = differs != 0
        for c in range(_FIRST, _LAST + 1):
            if not differs & (1 << c):
                self._stood_us[c] = -1
            elif self._stood_us[c] < 0:
                self._stood_us[c] = 0
            else:
                self._stood_us[c] += dt_us
                if self._stood_us[c] >= PERSIST_US - _SLACK_US:
                    self._stood_us[c] = -1
                    self.reported ^= 1 << c

    def _frequency(self, off: bool, dt_us: int, period_raw: int) -> None:
        """Log, once each time, a line frequency that has been off by more than 5 % for 2 s; this is no error (DX-4)."""
        if off == self._frequency_off:
            self._frequency_us = -1
            return
        self._frequency_us = self._frequency_us + dt_us if self._frequency_us >= 0 else 0
        if self._frequency_us >= PERSIST_US:
            self._frequency_us = -1
            self._frequency_off = off
            if off:
                self._log.add(event_codes.FREQUENCY, self.number, PERIOD_CLOCK_MILLIHZ // (period_raw + 1))

    def p_mw(self) -> int:
        """Active power in mW, the mean of the last second, to the nearest; negative where energy flows back."""
        return self._milli(self.active_counts)

    def q_mvar(self) -> int:
        """Reactive power in mvar, likewise; positive where the current lags."""
        return self._milli(self.reactive_counts)

    def _milli(self, counts: int) -> int:
        if self.window_us == 0:
            return 0
        # Twice the power is worked out, so that its last binary digit tells how to round.
        twice = muldiv(counts if counts >= 0 else -counts, 2000 * self._us_to_counts, self.window_us)
        p = (twice + 1) >> 1
        return p if counts >= 0 else -p


class Status:
    """What the glass says of the meter's health: the one condition that is shown, and the lines that have it.

    It has no properties: in a class that has one MicroPython looks in the class before each store to an attribute,
    which would cost time in every cycle.

    `condition`  UNJUDGED .. FAILURE
    `lines`      mask of the lines that have it: 1 line 1, 2 line 2; 0 for UNJUDGED, NORMAL and FAILURE
    `failures`   mask of the failures that stand: bit n - 1 is FAIL 0n (DX-6)
    """

    def __init__(self, model: "Model", log: "Log") -> None:
        self.line_1 = Line(1, model, log)
        self.line_2 = Line(2, model, log) if model.elements == 2 else None  # DX-3
        self.condition = UNJUDGED
        self.lines = 0
        self.failures = 0
        self._turn = False  # whether it was line 2's turn last
        self._stood = 0  # failures and both lines' reports at the last step, side by side in one integer
        self._passed_us = 0  # since it was last looked at what is to be shown and logged
        begun, ended = (event_codes.FAILURE,) * _FAILURES, (event_codes.FAILURE_ENDED,) * _FAILURES
        self._failed = Episodes(log, begun, ended, 1, 1)
        bind(self, "step", "_changed")

    def set_failure(self, number: int, stands: bool) -> None:
        """Set or clear FAIL 03, 04 or 05, which others find; shown at once. FAIL 01 and 02 follow the front ends."""
        failures = self._with(number, stands)
        if failures != self.failures:
            self.failures = failures
            self._choose()

    def _with(self, number: int, stands: bool) -> int:
        bit = 1 << (number - 1)
        return self.failures | bit if stands else self.failures & ~bit

    def step(self, dt_us: int, e1: "Element", e2: "Element | None") -> None:
        """One measuring cycle, `dt_us` after the last (below 2^30). `e2` is None on a single-element meter."""
        turn = not self._turn
        self._turn = turn
        self.line_1.step(dt_us, e1, not turn)
        if self.line_2 is not None and e2 is not None:
            self.line_2.step(dt_us, e2, turn)
        passed_us = self._passed_us + dt_us
        if self._changed(e1, e2) or passed_us >= _LOOK_US or self.condition == UNJUDGED:
            self._choose()
            self._tell(passed_us)
            passed_us = 0
        self._passed_us = passed_us

    def _changed(self, e1: "Element", e2: "Element | None") -> bool:
        """Bring FAIL 01 and 02 up to date. Returns whether any failure or report differs from what it was."""
        failures = self.failures & ~(_SILENT | _ALTERED)
        if e1.silent or (e2 is not None and e2.silent and e2.fitted):
            failures |= _SILENT
        if e1.altered or (e2 is not None and e2.altered):
            failures |= _ALTERED
        self.failures = failures
        failures = failures << _LINE_BITS | self.line_1.reported
        if self.line_2 is not None:
            failures = failures << _LINE_BITS | self.line_2.reported
        if failures == self._stood:
            return False
        self._stood = failures
        return True

    def _tell(self, passed_us: int) -> None:
        """Log what has begun and what has ended in the `passed_us` since the last call."""
        self._failed.step(self.failures, passed_us)
        line = self.line_1
        line.episodes.step(line.reported >> FIRST_ERROR, passed_us)
        if self.line_2 is not None:
            line = self.line_2
            line.episodes.step(line.reported >> FIRST_ERROR, passed_us)

    def _choose(self) -> None:
        """Choose the condition that is shown: the most important one that any line reports (DX-1)."""
        if self.failures:
            self.lines = 0
            self.condition = FAILURE
            return
        one = self.line_1
        two = self.line_2
        reported = one.reported
        judged_us = one.measured_us
        if two is not None:
            reported |= two.reported
            if two.measured_us < judged_us:
                judged_us = two.measured_us
        if not reported:
            self.lines = 0
            self.condition = NORMAL if judged_us >= PERSIST_US else UNJUDGED
            return
        condition = _LAST
        while not reported & (1 << condition):
            condition -= 1
        lines = one.reported >> condition & 1
        if two is not None and two.reported >> condition & 1:
            lines |= 2
        self.lines = lines
        self.condition = condition

    def error(self) -> bool:
        """Whether an installation error or a failure stands, so that screen 4 is among those shown (LC-3)."""
        return self.condition >= FIRST_ERROR

    def failure(self) -> int:
        """The lowest failure that stands, 1 to 5; 0 where there is none (DX-1)."""
        if not self.failures:
            return 0
        n = 1
        while not self.failures & (1 << (n - 1)):
            n += 1
        return n

    def measured(self) -> bool:
        """Whether the sum of the lines is known: not while a front end is silent (DX-6)."""
        return not self.failures & _SILENT

    def p_mw(self) -> int:
        """Active power of both lines in mW, the mean of the last second (LC-5)."""
        p = self.line_1.p_mw()
        if self.line_2 is not None:
            p += self.line_2.p_mw()
        return p

    def power_w(self) -> int:
        """The same to the nearest watt, ties away from zero (LC-5)."""
        p = self.p_mw()
        return (p + 500) // 1000 if p >= 0 else -((500 - p) // 1000)
