"""The electro-mechanical counter: one count per 0.1 or 1 kWh of delivered energy (CO-1, CO-2).

A count is 100 ms on and at least 100 ms off, one at a time; what is owed waits. Stepped once a cycle, so both times end
with the first cycle at or after them.

A count is entered as given, and saved, before the coil is switched on: a cut without warning can lose it but never
double it. Where the coil is known to have been dropped before GIVEN_US the entry is taken back, and it is repeated.
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

_READY = 0
_ENTERED = 1  # the coming count stands as given and waits to be saved
_ON = 2
_PAUSE = 3


class Counter:
    """Decides the coil's level; `weight_wh` 100 or 1000. Ticks are ticks_us. Nothing here allocates.

    In the cycle: `drop` first where the 12 V or the supply has gone, then `enter` into the state in the making; after
    the commit and its saving `step`, which says the coil's level.
    """

    def __init__(self, weight_wh: int) -> None:
        self._weight_wh = weight_wh
        self._counts = ROLL_WH // weight_wh
        self._given = 0  # modulo _counts
        self._phase = _PAUSE
        self._since_us = 0
        bind(self, "enter step owed")

    def start(self, given: int, now_us: int) -> None:
        """Take up what was given before; the coil is off."""
        self._given = given
        self._phase = _PAUSE
        self._since_us = now_us

    def owed(self, wh: int) -> int:
        """Counts owed for a register of `wh`; 0 where the counter is ahead (after a cut without warning)."""
        owed = wh // self._weight_wh - self._given
        if owed < 0:
            owed += self._counts
        return owed if owed < self._counts // 2 else 0

    def enter(self, state: "State", now_us: int, may_start: bool) -> None:
        """Enter the coming count as given where one is owed and may start, and write the counts given into `state`,
        which is in the making.

        `may_start`: the 12 V is on and the supply is not failing.
        """
        phase = self._phase
        if phase == _ENTERED:
            if not may_start:
                self.drop(now_us)
        elif may_start and phase != _ON and self.owed(state.delivered_wh):
            if phase == _READY or ticks_diff(now_us, self._since_us) >= OFF_US:
                self._given = (self._given + 1) % self._counts
                self._phase = _ENTERED
        elif phase == _PAUSE and ticks_diff(now_us, self._since_us) >= OFF_US:
            self._phase = _READY  # no time is compared from here on, so that the ticks may wrap
        state.counter_given = self._given

    def step(self, now_us: int, saved: bool) -> int:
        """Level of the coil from now on (0, 1). `saved`: the committed state is in the journal, or none works."""
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
        """The coil has been off since `at_us`: a running count stays given if it had long enough, else it is owed."""
        phase = self._phase
        if phase != _ON and phase != _ENTERED:
            return
        if phase == _ENTERED or ticks_diff(at_us, self._since_us) < GIVEN_US:
            self._given = (self._given or self._counts) - 1
        self._phase = _PAUSE
        self._since_us = at_us
