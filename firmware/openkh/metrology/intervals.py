"""Interval data: energy delivered and received of each 15 minutes of run time (AM-6).

An interval is what the register has grown by since the end of the one before, so all of them and the running one add
up to the register, whatever happens. It is written once the journal holds the register that it ends with, and only when
it reads back is the next one counted from there: a cut in between leaves the energy in the running interval.

A loss of power ends an interval early, where it was a minute or longer; what is shorter goes to the next one, flagged,
so that a supply that comes and goes does not use up the memory.
"""

from openkh.bound import bind
from openkh.metrology.demand import SUB_INTERVAL_S
from openkh.metrology.energy import ROLL_WH
from openkh.storage.interval_ring import FAILURE, GAP, JUMP, MOST, PARTIAL, POWER_LOST, POWER_UP, Ring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.model import Model
    from openkh.state import State
    from openkh.storage.interval_pages import FlashPages, FramPages

SUB_INTERVALS = 3
INTERVAL_S = SUB_INTERVALS * SUB_INTERVAL_S
SHORTEST_S = 60  # of an interval that a loss of power ends

_NOTHING = -1
_PAGES = 4  # looked at in a cycle after the start
_POWER_UP_MASK = 0xFFFF


class Intervals:
    """`ring`: what is stored. `flags`: quality of the running interval so far. `errors`: writes that did not hold.

    `record`: what the journal had when it was read. `continued`: this start goes on with the power-up of that record.
    """

    def __init__(
        self, pages: "FramPages | FlashPages", identity: int, model: "Model", record: "State", continued: bool
    ) -> None:
        self.ring = Ring(pages, identity)
        self.slots = self.ring.slots
        self._counts_per_tenth = model.counts_per_wh // 10
        self._record = record
        self._continued = continued
        self._ready = False
        self.flags = 0
        self.errors = 0
        self._kind = _NOTHING  # slot that is to be written next,
        self._a = 0
        self._b = 0
        self._unsaved = False  # the journal does not hold the register that it ends with yet
        self._partial_s = 0
        self._due = 0  # sub-intervals at the end of the running interval
        self._failed_s = -1
        bind(self, "step")

    def _start(self) -> None:
        """What is stored has been found: close what a loss of power has left."""
        ring = self.ring
        self._ready = True
        if ring.lost:
            self.flags |= GAP
        if not ring.found:
            ring.begin(self._record)
            self._power_up()
        elif ring.closed:
            self._power_up()  # a cut came between the two slots of a new power-up
        elif not self._continued:
            self._new_power_up(self._record, self._record.run_s)
        self._due = (ring.ended + 1) * SUB_INTERVALS

    def _new_power_up(self, state: "State", ended_s: int) -> None:
        ring = self.ring
        self._partial_s = min(max(0, ended_s - ring.ended * INTERVAL_S), MOST)
        if self._partial_s >= SHORTEST_S:
            self._take(state)
            self._kind = PARTIAL | self.flags & GAP
            self.flags = 0
        elif ring.ended:
            self.flags |= POWER_LOST
            self._power_up()
        else:
            self.flags |= POWER_LOST

    def _power_up(self) -> None:
        self._kind = POWER_UP
        self._a = self.ring.power_up + 1 & _POWER_UP_MASK
        self._b = self._partial_s
        self._partial_s = 0

    def step(self, state: "State", saved: bool, failure: bool, gap: bool) -> None:
        """Once a cycle, after the journal, while it writes. `saved`: it has saved this state now. `failure`, `gap`: in
        this cycle a failure stood, or counts were lost. Allocates nothing."""
        if failure:
            self.flags |= FAILURE
        if gap:
            self.flags |= GAP
        if not self._ready:
            if self.ring.scan(_PAGES):
                self._start()
            return
        if self._kind == _NOTHING:
            if state.sub_k < self._due:
                return
            self._end(state)
        if self._unsaved:
            if not saved:
                return
            self._unsaved = False
        if state.run_s != self._failed_s:  # a memory that takes nothing is asked once a second
            self._write(state)

    def _end(self, state: "State") -> None:
        """The running interval is over: what has to be written of it."""
        self._take(state)
        self._kind = self.flags
        self.flags = 0
        self._unsaved = True

    def _write(self, state: "State") -> None:
        if not self._append(state.sub_k // SUB_INTERVALS):
            self.errors += 1
            self._failed_s = state.run_s

    def _append(self, ended: int) -> bool:
        """Write a slot; `ended`: intervals that have ended since power-up."""
        ring = self.ring
        kind = self._kind
        if kind < PARTIAL and ended > ring.ended + 1:
            self._kind |= GAP
            return ring.append(JUMP, min(ended - 1, MOST), 0)  # some ends were passed over
        if kind != POWER_UP and kind & PARTIAL and ring.last_of_page:
            return ring.append(JUMP, ring.ended, 0)  # its length must follow in the same page
        if not ring.append(kind, self._a, self._b):
            return False
        self._written(kind)
        return True

    def _written(self, kind: int) -> None:
        if kind != POWER_UP and kind >= PARTIAL:
            self._power_up()
            return
        self._kind = _NOTHING
        self._due = (self.ring.ended + 1) * SUB_INTERVALS

    def _take(self, state: "State") -> None:
        """The energy of the running interval, in tenths of a Wh."""
        ring = self.ring
        self._a = self._tenths(state.delivered_wh, state.delivered_counts, ring.wh, ring.tenths)
        self._b = self._tenths(state.received_wh, state.received_counts, ring.received_wh, ring.received_tenths)

    def _tenths(self, wh: int, counts: int, from_wh: int, from_tenths: int) -> int:
        """From one register to the other; what does not fit a slot stays in the next interval."""
        wh = (wh - from_wh) % ROLL_WH
        if wh > ROLL_WH // 2:
            return 0  # the register was taken back by a record's loss: it will catch up
        tenths = min(wh, MOST) * 10 + counts // self._counts_per_tenth - from_tenths
        if tenths > MOST:
            self.flags |= GAP
            return MOST
        return max(0, tenths)

    def tidy(self) -> bool:
        """See Ring.tidy."""
        return self.ring.tidy()

    def encode(self, slot: int, buf: bytearray, at: int) -> None:
        """See Ring.encode."""
        self.ring.encode(slot, buf, at)
