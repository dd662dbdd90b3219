"""How the meter goes on after a start: first the state, from journal and scratch registers, then the first readings of
the front ends (EN-1, MD-4).

In a restart of the RP2040 alone the front ends go on counting. The state is brought up to the last cycle before the
restart, while the chips' counters in it are those of the journal's record, which is older. The counts in between, both
lines' in sum, are called `shown` here, because the register has shown them already. The first readings bring them once
more, and are booked less `shown`.
"""

import machine

from openkh import event_codes, failures
from openkh.startup import chip_notes, restart
from openkh.storage import verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.metrology.element import Element
    from openkh.metrology.status import Status
    from openkh.model import Model
    from openkh.startup.scratch_registers import ScratchRegisters
    from openkh.state import State
    from openkh.storage.events import EventLog
    from openkh.storage.journal import Journal

FIRST_CYCLES = 12  # both front ends have so many cycles to answer; then one of them is booked without the other
BOOT_US = 500_000  # about the time from a reset to the first cycle: MicroPython starts, modules and memory are read
CURRENT_CYCLES = 5  # where counts are corrected, so many cycles are given to measure the currents that this depends on
_RAW_MASK = 0xFFFFFF
_ONE = 1  # one of two front ends is silent
_ALL = 2  # all are
_CORRECTION_BITS = 5  # the correction of the same counts may differ by 1/32 of them before and after a restart


class Resuming:
    """Knows what the state contains already of the first readings, how long they are waited for, and whether they still
    fit together.

    `continued`  only the RP2040 has restarted, and the meter goes on where it was
    `gap_us`     the run time that passed in this restart
    `waiting`    cycles left in which the first readings may come; until then the state is ahead of the chips' counters
                 in it, and must not be saved
    `settled`    the state may be saved all the same: its counters were made to agree with it
    `torn`       one of the readings does not reach back to the record: its front end lost its counter or is silent
    `hold`       the readings are to be corrected, and the currents that this depends on have not been measured yet
    """

    def __init__(self) -> None:
        self.continued = False
        self.gap_us = 0
        self.waiting = 0
        self.torn = False
        self.settled = False
        self.hold = False
        self._shown = 0  # net counts, see above
        self._corrected = False  # whether counts are corrected

    def take_up(
        self,
        state: "State",
        journal: "Journal",
        registers: "ScratchRegisters",
        model: "Model",
        log: "EventLog",
        status: "Status",
        asked: int,
        note: int,
    ) -> None:
        """Set `state` from the journal and, where only the RP2040 has restarted, from the scratch registers or from the
        front ends' `note` (ChipNotes.read). Log what kind of start this is. `asked`: what the restart was asked for
        (restart.py)."""
        result = journal.load(state)
        if journal.foreign:
            log.add(event_codes.RECORD_FOREIGN, journal.foreign)
        if result in (verdict.DAMAGED, verdict.FOREIGN, verdict.SILENT):
            log.add(event_codes.STATE_LOST, journal.damaged, journal.foreign)
        elif journal.damaged:
            log.add(event_codes.RECORD_DAMAGED, journal.damaged)
        hung = asked == restart.NONE and restart.timed_out()
        if asked == restart.NONE and not hung:
            asked = restart.OUTSIDE
        self.continued = result == verdict.GOOD and registers.resume(state, journal.life, model, hung)
        if self.continued:
            self._shown = registers.shown
            self.gap_us = BOOT_US
            if hung and registers.fed:
                self.gap_us += 1000 * restart.WATCHDOG_MS
        elif result == verdict.GOOD and not registers.kept():
            self.continued = chip_notes.resume(note, state, journal.sequence, journal.life)
            self.gap_us = BOOT_US + chip_notes.MEAN_AGE_US if self.continued else 0
        if self.continued:
            log.run_s = state.run_s
        else:
            if registers.kept() or note >= 0:
                # The record is of an earlier power-up, or too old: its counters are not those to count on from.
                state.raw_1 = state.raw_2 = -1
            state.power_up()
            journal.start_life()
            if machine.reset_cause() == machine.PWRON_RESET:
                log.add(event_codes.POWER_UP, 0, journal.sequence)
                return
        log.add(event_codes.RESTART, asked)
        if not self.continued:
            log.add(event_codes.DEMAND_LOST)
        if hung or asked == restart.DISPLAY:
            status.set_failure(failures.INTERNAL_ERROR, True)  # the watchdog has ended a hang, or would have (DX-6)

    def begin(self, one: "Element", two: "Element | None", corrected: bool) -> None:
        """Called when the front ends have been brought up, before the first cycle. `corrected`: counts are corrected
        (CA-1a)."""
        self._corrected = corrected
        self.waiting = FIRST_CYCLES if self._shown or self.gap_us or corrected else 0
        self.torn = one.rebased or (two is not None and two.rebased)

    def first_readings(self, one: "Element", two: "Element | None", old: "State", new: "State", counts: int) -> int:
        """Called in each cycle while `waiting`: the net counts to book of `counts`, the sum that this cycle's readings
        give. As long as not both front ends have answered nothing is booked, because it is not known how much of
        `shown` is due to each. After FIRST_CYCLES it is enough if one of them answers.

        `old` is the committed state, `new` the one in the making, with the chips' counters as just read. Takes no heap.
        """
        self.waiting -= 1
        self.torn = self.torn or one.rebased or (two is not None and two.rebased)
        if self.hold and self.waiting >= FIRST_CYCLES - CURRENT_CYCLES:
            return self._wait(old, new)
        if not _silent(one, two):
            return self._with_all(one, counts)
        if not self.waiting and _silent(one, two) == _ONE:
            return self._without_one(one, new, counts)
        return self._wait(old, new)

    def _with_all(self, one: "Element", counts: int) -> int:
        """All front ends have answered: what to book of `counts`."""
        self.waiting = 0
        if self.torn:
            return self._once(counts, one.fresh)
        return self._rest(counts if self.settled else counts - self._shown)

    def _wait(self, old: "State", new: "State") -> int:
        """Book nothing; what was read now comes again. Where the time is over and none has answered, there is nothing
        to book until one does. For this time the counters in the state are made to agree with it, so that it can be
        saved."""
        new.raw_1 = old.raw_1
        new.raw_2 = old.raw_2
        if not self.waiting:
            self.waiting = 1
            if not self.settled:
                self.settled = True
                if new.raw_1 >= 0:
                    new.raw_1 = new.raw_1 + self._shown & _RAW_MASK
        return 0

    def _without_one(self, one: "Element", new: "State", counts: int) -> int:
        """Only one of two front ends has answered: what to book of its `counts`. What is left is put into the stored
        counter of the silent one, so that this one brings it when it answers."""
        booked = self._once(counts, one.fresh)
        counts -= booked
        if not self.settled:
            counts -= self._shown
        if one.fresh or one.rebased:
            new.raw_2 = self._ahead(new.raw_2, counts)
        else:
            new.raw_1 = self._ahead(new.raw_1, counts)
        self.torn = True
        return booked

    def _ahead(self, raw: int, counts: int) -> int:
        """The counter `raw`, moved so that it will bring `counts` more; -1 where a front end has lost its counter."""
        return -1 if raw < 0 or self.torn else raw - counts & _RAW_MASK

    def _once(self, counts: int, first: bool) -> int:
        """What to book of `counts` where a counter, and with it its part of `shown`, was lost or is not known yet:
        nothing is booked twice, and nothing is taken back. `first`: front end 1 is among those that gave `counts`."""
        shown = self._shown
        if self.settled and first:
            counts += shown
        if shown > 0 < counts:
            return max(counts - shown, 0)
        if shown < 0 > counts:
            return min(counts - shown, 0)
        return counts

    def _rest(self, counts: int) -> int:
        """What to book of `counts`, which are what is left when `shown` has been taken from the counts since the
        record.

        All counts since the record are corrected anew, by the current and the temperature of now. What was shown with
        another correction must not come out as a little energy in the other direction.
        """
        shown = self._shown
        if self._corrected and (shown > 0 > counts >= -(shown >> _CORRECTION_BITS)):
            return 0
        if self._corrected and (shown < 0 < counts <= -shown >> _CORRECTION_BITS):
            return 0
        return counts


def _silent(one: "Element", two: "Element | None") -> int:
    """How many front ends have no reading in this cycle: 0, _ONE or _ALL."""
    first = one.fresh or one.rebased
    second = first if two is None else two.fresh or two.rebased
    if first and second:
        return 0
    return _ONE if first or second else _ALL
