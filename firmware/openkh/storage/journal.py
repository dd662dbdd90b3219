"""The journal of the energy register: one row of records, the newest good one is the truth (ST-1 to ST-3, EN-4).

The same code serves two kinds of memory. In FRAM a record is written every 0.9 s and read back a cycle later. In flash
a record is written after 0.1 kWh of energy in either direction, or after 60 s, and read back at once; `tidy` erases the
next block directly after a save, so that no save has to wait for an erase. In both a record is also due when a count is
about to be given to the mechanical counter (CO-2), and while the supply is failing in each cycle that changed anything.

What cannot be read is never written over. Where the memory has no good record although one was written (it is damaged,
or of another board or model, or the memory does not answer), the register counts in RAM (FAIL 04), and the journal
looks at the memory every 10 s. When it finds the record after all, the cycle adds it to what it has counted (`adopt`).
"""

from openkh.bound import bind
from openkh.metrology.energy import ROLL_WH, add
from openkh.state import State
from openkh.storage import records
from openkh.storage.records import pack
from openkh.storage.scan import Scan
from openkh.storage.verdict import BLANK, GOOD, OLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.model import Model
    from openkh.storage.flash_regions import FlashRegion
    from openkh.storage.regions import FramRegion, OlderJournal

_FAILED_AFTER = 5  # after so many saves in a row that did not succeed the register's storage has failed (FAIL 04)
_RETRY_S = 10  # from one look at an unusable memory to the next
_FRAM_MS = 850  # with the cycle's 100 ms on top less than 1 s is ever unsaved, also while a record is being written
_EDGES = 2  # a record is also due when since the last one over so many 10 Wh pulses more were given than energy came in
_FLASH_WH = 97  # whole Wh of both directions; with their remainders and a cycle's load on top less than 100 Wh
_FLASH_S = 59
_FLASH_RAW_COUNTS = 3_200_000  # far below half of the chips' 24 bits, where a difference would become ambiguous
# A supply that fails again and again, or a line that stays low, must not wear out the flash with ten records a second.
# Such records come out of a reserve, which lasts for an hour of them and gets one back every 3 s (over 20 years that is
# 50,000 erases of each block). The last _LAST_RESERVE of them are written only while the bulk voltage is low: where the
# line had been low for long, this is what tells that the end has come.
_RESERVE = 36_000
_RESERVE_S = 3
_LAST_RESERVE = 200
_LASTING = 10  # a supply that has been failing for so many cycles was not cut: the line is low, and the meter runs on
_RAW_MASK = 0xFFFFFF

# Modes. A journal begins BLOCKED, because nothing is known of the memory.
#
#   leave_off     BLOCKED -> OFF          a board without factory data
#   leave_unread  BLOCKED -> UNREAD       it is not known what the meter is, or the memory is a newer firmware's
#   load          BLOCKED -> WRITING      where a good record was found, or the memory is blank
#   step          BLOCKED -> WRITING      the memory answers after all, and is blank
#                 BLOCKED -> RECOVERED    the memory answers after all, and has a good record
#   adopt         RECOVERED -> WRITING    the cycle has added that record to what it has counted
OFF = 0  # nothing is stored, which is no failure
UNREAD = 1  # nothing is stored, which is a failure; no count may be given to the mechanical counter
BLOCKED = 2  # nothing may be written, because what is in the memory must not be lost; a failure
RECOVERED = 3  # the same, until the cycle has adopted the record
WRITING = 4  # records are written as they fall due


class Journal:
    """The records of the meter `identity` (records.identity) in a region."""

    def __init__(
        self,
        region: "FramRegion | FlashRegion",
        identity: int,
        older: "tuple[OlderJournal, ...]" = (),
    ) -> None:
        """`older`: the regions in which earlier layouts had their journal, as Memory.older_journals."""
        self._region = region
        self.identity = identity
        self._scan = Scan(region, identity, older)
        self._older = older
        self._group = region.group  # how many slots are erased together, a block of flash; 0 in FRAM
        self.erases = region.group > 0  # whether something is to be erased now and then, which stops everything
        self.found = self._scan.found  # the newest record in the memory when it was read
        self.mode = BLOCKED
        self.sequence = 0  # of the newest record
        self.life = 0  # which power-up this is, modulo 16
        self.saves = 0  # records written
        self.errors = 0  # saves that did not succeed
        self.damaged = 0  # damaged records that load() has found,
        self.foreign = 0  # and those of another board, model or service, or of another layout
        self._slot = 0  # where the next record goes; -1: no erased slot is known
        self._next = -1  # flash: first slot of the block that is erased ahead; -1: none is
        self._good = -1  # slot of the newest record known to be good: never written over, never erased
        self._unverified = -1  # FRAM: slot of the record that was written last and is still to be read back; -1: none
        self.misses = 0  # saves in a row that did not succeed
        self._reserve = _RESERVE  # records that may still be written because the supply fails
        self._reserve_s = 0  # run time at which the reserve got one back
        self._failing = 0  # cycles in a row in which the supply failed
        self._may_erase = True  # whether there is time for an erase: no cut is expected
        self._tried_s = -1  # run time of the last save, or of the last look at an unusable memory
        self._last = State()  # what was saved last; what has changed since decides whether a record is due
        self._saved = False  # whether `_last` is in the memory
        bind(self, "step", "due", "failed")

    def failed(self) -> bool:
        """Whether the register's storage has failed (FAIL 04); over as soon as records can be written again (DX-6)."""
        mode = self.mode
        return self.misses >= _FAILED_AFTER if mode == WRITING else mode != OFF

    # At the start

    def load(self, state: State) -> int:
        """Set `state` from the newest good record. Returns the verdict (verdict.py); BLANK is a new meter.

        Takes 60 ms with FRAM, 0.2 s with flash. `state` gets the record's run time and demand, too; State.power_up()
        starts them anew.
        """
        scan = self._scan
        result = scan.run()
        if scan.doubt:
            result = scan.run()
        self.damaged = scan.damaged
        self.foreign = scan.foreign
        result = self._or_older(result)
        if result in (BLANK, GOOD):
            self._go_on(result)
        else:
            self.mode = BLOCKED
        if result == GOOD:
            state.copy(self.found)
        return result

    def leave_off(self) -> None:
        """Instead of load(): a board without factory data stores nothing."""
        self.mode = OFF

    def leave_unread(self) -> None:
        """Instead of load(), where it is not known what the meter is, or the memory is a newer firmware's. Nothing is
        stored, which is FAIL 04."""
        self.mode = UNREAD

    def start_life(self) -> None:
        """Call after load() where the supply had been off: records belong to a new power-up from now on (MD-4)."""
        self.life = (self.life + 1) & 15

    def _or_older(self, result: int) -> int:
        """The verdict on the journal: `result`, that of the scan in today's layout, or where this has found nothing the
        verdict of a scan in the older layouts."""
        if not self._older or result not in (BLANK, OLDER):
            return result
        from openkh.storage import upward

        return upward.find(self._scan, self._group, self._older, self.identity)

    def _go_on(self, result: int) -> None:
        """Go on writing where the scan has found the journal's end; `result`, its verdict, is BLANK or GOOD."""
        scan = self._scan
        self.mode = WRITING
        self._saved = False
        self.misses = 0
        self._unverified = -1
        self._good = scan.newest
        self._slot = scan.free
        self._next = scan.next
        if result == GOOD:
            self.sequence = scan.sequence
            self.life = scan.life
        if self._slot < 0:
            self._erase()

    # In the measuring cycle: nothing below takes heap, except when a memory that had failed answers again

    def step(self, state: State, failing: bool, ending: bool = False) -> bool:
        """One cycle's work: read back what was written last, and save what is due. True if a record was written now.

        `failing`: the supply fails. `ending`: its bulk voltage is low as well, so the end is some 10 ms away.
        """
        mode = self.mode
        if mode != WRITING:
            if mode == BLOCKED:
                self._look_again(state)
            return False
        if self._unverified >= 0 and not failing:
            self._verify()
        if failing:
            self._failing = min(self._failing + 1, _LASTING)
            self._may_erase = self._failing == _LASTING and not ending
        elif self._failing:
            self._failing = 0
            self._may_erase = True
        if self._reserve < _RESERVE and state.run_s - self._reserve_s >= _RESERVE_S:
            self._reserve_s = state.run_s
            self._reserve += 1
        if not self.due(state, failing, ending):
            return False
        self._tried_s = state.run_s
        return self.save(state, failing)

    def due(self, state: State, failing: bool, ending: bool = False) -> bool:
        """Whether a record of `state` is to be written now; `failing` and `ending` as in `step`."""
        last = self._last
        if not self._saved:
            # A memory that does not take records is tried only once a second.
            return self.misses < _FAILED_AFTER or state.run_s != self._tried_s
        if state.counter_given != last.counter_given:
            return True
        if failing and (not self._group or self._reserve > (0 if ending else _LAST_RESERVE)):
            return (
                state.delivered_counts != last.delivered_counts
                or state.received_counts != last.received_counts
                or state.delivered_wh != last.delivered_wh
                or state.received_wh != last.received_wh
                or state.edges_10 != last.edges_10
            )
        if state.edges_10 - last.edges_10 > _EDGES and self._drains(state, last):
            return True
        since_s = state.run_s - last.run_s
        if self._group or since_s < 0 or since_s > 1:
            return not self._group or self._flash_due(state, last, since_s)
        return 1000 * since_s + (state.run_us - last.run_us) // 1000 >= _FRAM_MS

    def _drains(self, state: State, last: State) -> bool:
        """Whether the 10 Wh output gives a backlog, which it would give again after a cut without warning (PO-4)."""
        edges = state.edges_10 - last.edges_10
        return 10 * edges > state.delivered_wh - last.delivered_wh + 10 * _EDGES

    def _flash_due(self, state: State, last: State, since_s: int) -> bool:
        if since_s < 0 or since_s >= _FLASH_S or state.sub_k != last.sub_k:
            return True
        # Both directions are added up. Their difference would stand still, or go below zero, where import and export
        # alternate (field bug 24).
        delivered_wh = (state.delivered_wh - last.delivered_wh) % ROLL_WH
        if delivered_wh + (state.received_wh - last.received_wh) % ROLL_WH >= _FLASH_WH:
            return True
        # Where energy comes in on one line and leaves on the other the register stands still, while the chips' counters
        # go on.
        return self._far(state.raw_1 - last.raw_1) or self._far(state.raw_2 - last.raw_2)

    def _far(self, counts: int) -> bool:
        """Whether a chip's counter has gone far in either direction; `counts` is the difference to the last record."""
        counts &= _RAW_MASK
        return _FLASH_RAW_COUNTS <= counts <= _RAW_MASK - _FLASH_RAW_COUNTS

    def save(self, state: State, failing: bool = False) -> bool:
        """Write a record of `state` now. False if the memory did not take it; the older records are still there."""
        if self._slot < 0 and self.mode == WRITING and (not failing or self._failing == _LASTING):
            self._erase()  # the supply has been failing for so long that all erased slots are used up
        slot = self._slot
        if self.mode != WRITING or slot < 0:
            self._miss()
            return False
        self._pack(slot, state, failing)
        if not self._commit(slot):
            self._miss()
            return False
        self.sequence = (self.sequence + 1) & records.SEQUENCE_MASK
        self.saves += 1
        self._last.copy(state)
        self._saved = True
        if self._group:
            self._good = slot
            self.misses = 0
        else:
            self._unverified = slot
        return True

    def _pack(self, slot: int, state: State, failing: bool) -> None:
        marks = self._marks(slot, failing)
        pack(self._region.view(slot), state, self.identity, self.sequence + 1 & records.SEQUENCE_MASK, marks)

    def _marks(self, slot: int, failing: bool) -> int:
        """The record's byte of marks: which power-up it is of, whether the supply fails, whether a block is erased."""
        marks = self.life << 4
        if failing:
            marks |= records.FAILING
            if self._reserve:
                self._reserve -= 1
        if self._next >= 0 and self._next == self._block_after(slot):
            marks |= records.AHEAD
        return marks

    def _commit(self, slot: int) -> bool:
        """Write the record that is packed and go on to the next slot. True if it was taken; flash is read back here."""
        region = self._region
        done = region.commit(slot) and (not self._group or region.holds(slot))
        if done or not self._group or not region.blank(slot):
            self._advance(slot)  # the slot is used up, unless it is flash that took nothing at all
        return done

    def tidy(self) -> bool:
        """Flash: erase the block ahead if it is not erased yet. True if it was erased now, which stops code and
        interrupts for 45 ms, at worst for 400 ms.

        Call directly after a save, when the pulse edges of the coming half second are queued. Does nothing while the
        supply fails, unless the line has been low for long.
        """
        if not self._group or self._next >= 0 or self.mode != WRITING or not self._may_erase:
            return False
        self._erase()
        return True

    def _verify(self) -> None:
        """FRAM: read back the record that was written last. Else it is written again (field bug 25)."""
        slot = self._unverified
        self._unverified = -1
        if self._region.holds(slot):
            self._good = slot
            self.misses = 0
        else:
            self._saved = False
            self._miss()

    def _miss(self) -> None:
        """A save did not succeed."""
        self._saved = False
        self.errors += 1
        if self.misses < _FAILED_AFTER:
            self.misses += 1

    def _advance(self, slot: int) -> None:
        """Choose the slot for the next record, after this one was used; in FRAM never that of the good record."""
        slot += 1
        if self._group:
            if slot % self._group == 0:
                slot = self._next
                self._next = -1
        else:
            slot %= self._region.slots
            if slot == self._good:
                slot = (slot + 1) % self._region.slots
        self._slot = slot

    def _block_after(self, slot: int) -> int:
        """First slot of the block after the one that `slot` is in; after the last block comes the first."""
        return (slot - slot % self._group + self._group) % self._region.slots

    def _erase(self) -> None:
        """Erase the first of the next three blocks that can be erased, but never that of the newest good record."""
        region = self._region
        at = self._slot if self._slot >= 0 else self._good
        for _ in range(3):
            at = self._block_after(at)
            if self._good >= 0 and at == self._good - self._good % self._group:
                continue
            if region.erase(at):
                if self._slot < 0:
                    self._slot = at
                else:
                    self._next = at
                return
        self.errors += 1

    # Recovery

    def _look_again(self, state: State) -> None:
        """See whether an unusable memory can be used again: scan a slot of FRAM, or a block of flash, in each cycle."""
        scan = self._scan
        if not scan.busy:
            if state.run_s % _RETRY_S == 0 and state.run_s != self._tried_s:
                self._tried_s = state.run_s
                scan.begin()
        elif scan.step():
            result = self._or_older(scan.finish())
            if result in (BLANK, GOOD):
                self._go_on(result)
            if result == GOOD:
                self.mode = RECOVERED

    def adopt(self, state: State, model: "Model") -> None:
        """Add the record that was found late to what `state` has counted in RAM since the start (DX-6), and write
        records from now on.

        Energy, pulse edges and the counter's counts are added up; the chips' counters, run time and demand stay those
        of `state`.
        """
        add(state, self.found, model)
        self.mode = WRITING
        self._saved = False
