"""Going on after a start: the state from the journal and the scratch registers, then the first readings (EN-1, MD-4).

After a restart of the RP2040 alone the front ends have counted on. The state is brought up to the last cycle before the
restart, so it is ahead of the chips' counters in the journal's record by net counts that are called `shown` here: the
register has shown them already. The first readings bring them once more, and are booked less `shown`.
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

FIRST_CYCLES = 12  # the front ends have so many cycles to answer before one of them is booked without the other
BOOT_US = 500_000  # from a reset to the first cycle, about: MicroPython, the imports, the memory
CURRENT_CYCLES = 5  # and where the counts are corrected, so many to measure the currents that it depends on
_RAW_MASK = 0xFFFFFF
_ONE = 1
_ALL = 2
_CORRECTION_BITS = 5  # what the correction of the same counts may differ by before and after a restart: 1/32 of them


class Resuming:
    """Owns what the state contains already of the first readings, how long they are waited for, and whether they still
    fit together.

    `continued`: a restart of the RP2040 alone goes on where it was; `gap_us` is the run time that passed in it.
    `waiting`: cycles left in which the first readings may come; until then the state is ahead of the chips' counters in
    it, and must not be saved unless it was `settled`. `torn`: one of these readings does not reach back to the record,
    because a front end lost its counter or does not answer. `hold`: the readings are to be corrected, and the currents
    that this depends on have not been measured yet.
    """

    def __init__(self) -> None:
        self.continued = False
        self.gap_us = 0
        self.waiting = 0
        self.torn = False
        self.settled = False
        self.hold = False
        self._shown = 0
        self._corrected = False

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
        """Set `state` from the journal, and where only the RP2040 had restarted from the scratch registers, or the
        front ends' `note` (ChipNotes.read); log what kind of start this is. `asked`: what the restart was asked for
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
                # The record is of an earlier power-up, or too old: the front ends have counted something else since.
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
            status.set_failure(failures.INTERNAL_ERROR, True)  # it was the watchdog, or would have been (DX-6)

    def begin(self, one: "Element", two: "Element | None", corrected: bool) -> None:
        """The front ends have been brought up, and the first cycle comes next. `corrected`: counts are (CA-1a)."""
        self._corrected = corrected
        self.waiting = FIRST_CYCLES if self._shown or self.gap_us or corrected else 0
        self.torn = one.rebased or (two is not None and two.rebased)

    def first_readings(self, one: "Element", two: "Element | None", old: "State", new: "State", counts: int) -> int:
        """The net counts to book while `waiting`, of the `counts` that this cycle's readings give; 0 while both front
        ends have not answered, because what each of them has of `shown` is not known. Ends after FIRST_CYCLES where one
        of them answers.

        `old` is the committed state, `new` the one in the making, with the chips' counters as just read. Allocates
        nothing.
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
        self.waiting = 0
        if self.torn:
            return self._once(counts, one.fresh)
        return self._rest(counts if self.settled else counts - self._shown)

    def _wait(self, old: "State", new: "State") -> int:
        """Book nothing, what was read comes again. Where the time is over and none answers, there is nothing to book
        until one does: the state may be made to agree with the counters meanwhile."""
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
        """Of two front ends one alone answers: what to book of its `counts`. What is left goes into the counter booked
        last of the silent one, and so into what that brings when it answers."""
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
        """The counter `raw` that brings `counts` more; not known where the other front end has lost its counter."""
        return -1 if raw < 0 or self.torn else raw - counts & _RAW_MASK

    def _once(self, counts: int, first: bool) -> int:
        """What to book where a counter was lost, and its part of `shown` with it, or is not known yet: nothing is
        booked twice, and nothing is taken back. `first`: `counts` are those of front end 1, too."""
        shown = self._shown
        if self.settled and first:
            counts += shown
        if shown > 0 < counts:
            return max(counts - shown, 0)
        if shown < 0 > counts:
            return min(counts - shown, 0)
        return counts

    def _rest(self, counts: int) -> int:
        """What is left, `counts`, when `shown` has been taken from the counts since the record.

        Corrections are made anew for all of it, at the current and temperature of now: what was shown with another
        correction must not come out as a little energy in the other direction.
        """
        shown = self._shown
        if self._corrected and (shown > 0 > counts >= -(shown >> _CORRECTION_BITS)):
            return 0
        if self._corrected and (shown < 0 < counts <= -shown >> _CORRECTION_BITS):
            return 0
        return counts


def _silent(one: "Element", two: "Element | None") -> int:
    """How many front ends have no reading in this cycle: 0, _ONE of two, or _ALL."""
    first = one.fresh or one.rebased
    second = first if two is None else two.fresh or two.rebased
    if first and second:
        return 0
    return _ONE if first or second else _ALL
