"""Interval data: the energy delivered and received in each 15 minutes of run time (AM-6).

An interval's energy is what the register has grown by since the end of the interval before. Therefore all intervals and
the running one add up to the register, whatever happens. An interval is written when the journal holds the register
that it ends with, and only when it has been read back is the next one counted from there: after a cut in between, its
energy is part of the running interval.

A loss of power ends the running interval early if it was a minute or longer. A shorter one is joined to the next, which
is flagged, so that a supply that comes and goes does not use up the memory.
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
SHORTEST_S = 60  # shorter ones are not ended by a loss of power

_NOTHING = -1  # no slot is to be written
_PAGES = 4  # so many pages are looked at in each cycle after the start
_POWER_UP_MASK = 0xFFFF


class Intervals:
    """Follows the running interval and writes those that have ended.

    `ring`: what is stored. `flags`: the quality of the running interval so far (interval_ring.py). `errors`: how many
    writes did not succeed. `pages`: the memory; `identity`: records.identity; `record`: what the journal held at the
    start; `continued`: this start goes on with the power-up of that record.
    """

    def __init__(
        self, pages: "FramPages | FlashPages", identity: int, model: "Model", record: "State", continued: bool
    ) -> None:
        self.ring = Ring(pages, identity)
        self.slots = self.ring.slots
        self._counts_per_tenth = model.counts_per_wh // 10
        self._record = record
        self._continued = continued
        self._ready = False  # whether the end of what is stored has been found
        self.flags = 0
        self.errors = 0
        self._kind = _NOTHING  # the slot that is to be written next (interval_ring.py),
        self._a = 0  # and its two numbers
        self._b = 0
        self._unsaved = False  # the journal does not hold yet the register that this interval ends with
        self._partial_s = 0  # length of the interval that a loss of power has ended
        self._due = 0  # how many sub-intervals will have ended at the end of the running interval
        self._failed_s = -1  # run time at which a write did not succeed
        bind(self, "step")

    def _start(self) -> None:
        """The end of what is stored has been found: close the interval that a loss of power has left open."""
        ring = self.ring
        self._ready = True
        if ring.lost:
            self.flags |= GAP
        if not ring.found:
            ring.begin(self._record)
            self._power_up()
        elif ring.closed:
            self._power_up()  # the cut came between the two slots that begin a power-up
        elif not self._continued:
            self._new_power_up(self._record, self._record.run_s)
        self._due = (ring.ended + 1) * SUB_INTERVALS

    def _new_power_up(self, state: "State", ended_s: int) -> None:
        """The supply was lost at run time `ended_s`, with the register of `state`: end the interval, or flag it."""
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
        """Have the slot written that begins a power-up."""
        self._kind = POWER_UP
        self._a = self.ring.power_up + 1 & _POWER_UP_MASK
        self._b = self._partial_s
        self._partial_s = 0

    def missed(self, failure: bool, gap: bool) -> None:
        """What `step` was not told in the cycles before the first call of it, because nobody called it."""
        if failure:
            self.flags |= FAILURE
        if gap:
            self.flags |= GAP

    def step(self, state: "State", saved: bool, failure: bool, gap: bool) -> None:
        """Called once a cycle, after the journal's step, while the journal writes. `saved`: it has saved this `state`
        now. `failure`: in this cycle a failure stood; `gap`: counts were lost, or came late. Takes no heap."""
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
        if state.run_s != self._failed_s:  # a memory that takes nothing is tried only once a second
            self._write(state)

    def _end(self, state: "State") -> None:
        """The running interval is over: take down what is to be written of it."""
        self._take(state)
        self._kind = self.flags
        self.flags = 0
        self._unsaved = True

    def _write(self, state: "State") -> None:
        """Write the next slot, and count it where that does not succeed."""
        if not self._append(state.sub_k // SUB_INTERVALS):
            self.errors += 1
            self._failed_s = state.run_s

    def _append(self, ended: int) -> bool:
        """Write one slot; False where that does not succeed. `ended`: intervals that have ended since power-up."""
        ring = self.ring
        kind = self._kind
        if kind < PARTIAL and ended > ring.ended + 1:
            self._kind |= GAP
            return ring.append(JUMP, min(ended - 1, MOST), 0)  # intervals were passed over
        if kind != POWER_UP and kind & PARTIAL and ring.last_of_page:
            return ring.append(JUMP, ring.ended, 0)  # the slot with its length has to be in the same page
        if not ring.append(kind, self._a, self._b):
            return False
        self._written(kind)
        return True

    def _written(self, kind: int) -> None:
        """A slot was written: the next one, or wait for the end of the interval."""
        if kind != POWER_UP and kind >= PARTIAL:
            self._power_up()
            return
        self._kind = _NOTHING
        self._due = (self.ring.ended + 1) * SUB_INTERVALS

    def _take(self, state: "State") -> None:
        """Take down the energy of the running interval, up to `state`, in tenths of a Wh."""
        ring = self.ring
        self._a = self._tenths(state.delivered_wh, state.delivered_counts, ring.wh, ring.tenths)
        self._b = self._tenths(state.received_wh, state.received_counts, ring.received_wh, ring.received_tenths)

    def _tenths(self, wh: int, counts: int, from_wh: int, from_tenths: int) -> int:
        """The energy from one register to the other, in tenths of a Wh. What does not fit a slot is left to the next
        interval."""
        wh = (wh - from_wh) % ROLL_WH
        if wh > ROLL_WH // 2:
            return 0  # a record was lost, and the register is behind the intervals until it has caught up
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
