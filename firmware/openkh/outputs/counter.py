"""The electro-mechanical counter: one count per 0.1 or 1 kWh of delivered energy (CO-1, CO-2).

For a count the coil is on for 100 ms and then off for at least 100 ms. Counts are given one at a time; those that are
owed wait. The counter is stepped once a cycle, so both times end with the first cycle at or after them.

A count is entered in the state as given, and saved, before the coil is switched on: a power cut without warning can
lose it but never repeat it. Where the coil is known to have been switched off within GIVEN_US, the count was not
given: the entry is taken back, and the count is repeated.
"""

from openkh.bound import bind
from openkh.metrology.energy import ROLL_WH
from openkh.ticks import ticks_diff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.state import State

ON_US = 100_000
OFF_US = 100_000
GIVEN_US = 50_000

# Phases.
_READY = 0  # the coil has been off for long enough: a count may begin at once
_ENTERED = 1  # the coming count is entered as given and waits for the state to be saved
_ON = 2  # the coil is on
_PAUSE = 3  # the coil is off, perhaps not for long enough yet


class Counter:
    """Decides when the coil is on. A count is `weight_wh`, 100 or 1000. Times are ticks_us. Nothing here takes heap.

    In each cycle call `drop` first where the 12 V or the supply has gone, then `enter` with the state in the making,
    and when that has been committed and saved `step`, which gives the coil's level.
    """

    def __init__(self, weight_wh: int) -> None:
        self._weight_wh = weight_wh
        self._counts = ROLL_WH // weight_wh  # counts of a whole round of the register
        self._given = 0  # counts given, modulo that
        self._phase = _PAUSE
        self._since_us = 0  # when the coil was switched on or off last
        bind(self, "enter", "step", "owed")

    def start(self, given: int, now_us: int) -> None:
        """Go on from `given` counts, as State.counter_given has them; the coil is off."""
        self._given = given
        self._phase = _PAUSE
        self._since_us = now_us

    def owed(self, wh: int) -> int:
        """Counts that are owed where the register stands at `wh`; 0 where the counter is ahead of it, as it can be
        after a cut without warning."""
        owed = wh // self._weight_wh - self._given
        if owed < 0:
            owed += self._counts
        return owed if owed < self._counts // 2 else 0

    def enter(self, state: "State", now_us: int, may_start: bool) -> None:
        """Enter the coming count as given if one is owed and may start. Writes the number of counts given into `state`,
        which is in the making.

        `may_start`: the 12 V is on, the supply is not failing, and the journal allows counts (it does not in UNREAD).
        """
        phase = self._phase
        if phase == _ENTERED:
            if not may_start:
                self.drop(now_us)
        elif (
            state.delivered_wh // self._weight_wh != self._given  # else nothing is owed
            and may_start
            and phase != _ON
            and self.owed(state.delivered_wh)
        ):
            if phase == _READY or ticks_diff(now_us, self._since_us) >= OFF_US:
                self._given = (self._given + 1) % self._counts
                self._phase = _ENTERED
        elif phase == _PAUSE and ticks_diff(now_us, self._since_us) >= OFF_US:
            self._phase = _READY  # from here on `_since_us` is not compared, so it does no harm that the ticks wrap
        state.counter_given = self._given

    def step(self, now_us: int, saved: bool) -> int:
        """The level of the coil from now on, 0 or 1. `saved`: the committed state is in the journal, or no journal
        works."""
        phase = self._phase
        if phase == _ON:
            if ticks_diff(now_us, self._since_us) < ON_US:
                return 1
            self._phase = _PAUSE
            self._since_us = now_us
        elif phase == _ENTERED and saved:
            self._phase = _ON
            self._since_us = now_us
            return 1
        return 0

    def drop(self, at_us: int) -> None:
        """The coil has been off since `at_us`. The count that was being given stays given if it had GIVEN_US, else it
        is owed again."""
        phase = self._phase
        if phase != _ON and phase != _ENTERED:
            return
        if phase == _ENTERED or ticks_diff(at_us, self._since_us) < GIVEN_US:
            self._given = (self._given or self._counts) - 1
        self._phase = _PAUSE
        self._since_us = at_us
