"""The measuring cycle: counts go in, outputs come out, and the state changes by one assignment.

Every 100 ms, and at once when the supply fails, it reads and checks the front ends, books the energy, follows demand,
publishes the new state, and then drives the outputs, which derive from it. Everything that it needs is given to it. It
takes nothing from the heap, never prints or sleeps, and a cycle that is interrupted changes nothing (DR-7 to DR-10).
"""

from openkh import event_codes, failures
from openkh.bound import bind
from openkh.metrology.energy import book
from openkh.outputs.pulses import FINE_SEALED
from openkh.startup import restart
from openkh.state import State
from openkh.storage.journal import RECOVERED, UNREAD, WRITING
from openkh.ticks import ticks_diff, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from machine import WDT, Pin

    from openkh.metrology.corrected_lines import CorrectedLines
    from openkh.metrology.demand import Demand
    from openkh.metrology.element import Element
    from openkh.metrology.intervals import Intervals
    from openkh.metrology.status import Status
    from openkh.model import Model
    from openkh.outputs.counter import Counter
    from openkh.outputs.pulses import Pulses
    from openkh.outputs.rail12 import Rail12
    from openkh.seal import Seal
    from openkh.startup.chip_notes import ChipNotes
    from openkh.startup.resuming import Resuming
    from openkh.startup.scratch_registers import ScratchRegisters
    from openkh.storage.events import EventLog
    from openkh.storage.journal import Journal
    from openkh.supply import Supply

    class Request(Protocol):
        """Something that the prompt wants done between two measurements. Never raises."""

        committed: bool  # whether a restart has to wait for its end

        def carry_out(self) -> bool:
            """Do the next part of it. True where it is to be called again in the next cycle."""


PERIOD_MS = 100
LATE_US = 150_000  # a cycle that begins a longer time than this after the one before is counted as late (EN-1),
LOG_LATE_US = 1_000_000  # and beyond this it is logged as well
GAP_US = 1_000_000  # a front end's counts of a longer time are shared out over the demand's sub-intervals (MD-3a)
DEADLINE_US = 2_000_000  # the watchdog is fed only while the display's task has run within this time
DEAD_US = 6_000_000  # after this the cycle restarts in order, before the watchdog does it in the middle of a pulse

LEAVE_CYCLES = 30  # a restart waits at most so many cycles for the log and the coil


def _nobody() -> None:
    """Before the timers run nobody is asked."""


class Parts:
    """What the cycle works with; `openkh.app` builds and wires it."""

    model: "Model"
    elements: "tuple[Element, ...]"
    corrected: "CorrectedLines"
    demand: "Demand"
    status: "Status"
    supply: "Supply"
    pulses: "Pulses"
    counter: "Counter"
    coil: "Pin"
    rail12: "Rail12"
    journal: "Journal"
    intervals: "Intervals | None" = None  # built once the cycle runs
    registers: "ScratchRegisters"
    notes: "ChipNotes"
    resuming: "Resuming"
    log: "EventLog"
    watchdog: "WDT"
    seal: "Seal"


class Cycle:
    """Owns the state. `state` is the newest one that was finished, and so always whole."""

    def __init__(self, parts: Parts, state: State) -> None:
        """`state`: from where to go on, as the start has found it."""
        self._model = parts.model
        self._counts_per_wh = parts.model.counts_per_wh
        self.state = state
        self._even = state  # one of these two is the committed state, the next is made in the other
        self._odd = State()
        self._one = parts.elements[0]
        self._two = parts.elements[1] if len(parts.elements) > 1 else None
        self._one.beside = self._two
        self._corrected = parts.corrected
        self._uncommitted = False  # whether counts have been corrected that are not in `state` yet
        self._demand = parts.demand
        self._status = parts.status
        self._supply = parts.supply
        self._pulses = parts.pulses
        self._counter = parts.counter
        self._coil = parts.coil
        self._coil_level = 0  # as set last, 0 or 1
        self._rail12 = parts.rail12
        self._journal = parts.journal
        self._intervals: Intervals | None = None
        self._failure_before = False  # what the cycles before `record` had to tell the recorder of interval data
        self._gap_before = False
        self._registers = parts.registers
        self._notes = parts.notes
        self._resuming = parts.resuming
        self._log = parts.log
        self._watchdog = parts.watchdog
        self._seal = parts.seal
        self.aside: Callable[[], None] = _nobody  # asks for `look_after`, see there
        self.request: Request | None = None  # posted by the prompt, carried out here (DR-10)
        self.leave = restart.NONE  # why the RP2040 shall restart (startup/restart.py)
        self.leave_cycles = LEAVE_CYCLES  # for how many more cycles it may wait then
        self.display_us = 0  # when the display's task ran last
        self.cycles = 0
        self.late = 0  # cycles that were late
        self.errors = 0  # exceptions that were caught (FAIL 05)
        self.last_error: BaseException | None = None
        self._read_us = 0  # when the energy in the state was read
        self._rebased = False  # whether this cycle's state is to be saved at once, see `_poll` and `_share`
        self._unstored = False  # whether the journal takes no records
        self._noted_s = 0  # run time when it was seen last whether there is something to note
        self._gap_us = 0  # run time that passed in a restart, to be counted together with its energy (MD-3a)
        bind(self, "_measure", "_poll", "_share")
        bind(self, "_act", "_plan", "_save", "_see_storage", "_drive_counter", "_follow")

    def start(self, now_us: int) -> None:
        """Begin at `now_us` (ticks_us). The first cycle books what the chips have counted before (Resuming)."""
        self._resuming.begin(self._one, self._two, self._corrected.in_force)
        self.state.at_us = now_us
        self._read_us = now_us
        self.display_us = now_us
        self._pulses.start(self.state, now_us)
        self._counter.start(self.state.counter_given, now_us)

    def record(self, intervals: "Intervals") -> None:
        """Have interval data recorded from now on. Called while cycles run, once; what `intervals` would have been told
        in those before, it is told now."""
        self._intervals = intervals
        intervals.missed(self._failure_before, self._gap_before)

    def run(self, _source: object = None) -> None:
        """One measuring cycle; called back by the timer, by the chips' interrupt pins and by the supply's guard."""
        # With `except ... as` this function's frame would come from the heap (DR-7).
        with self:
            self._measure()
            self._act()

    def look_after(self, _source: object = None) -> None:
        """What a front end needs before the next cycle, and what takes as long as one: a register that has come far is
        taken down, or a note is written. Called back after the cycle that has called `aside` for it, so that a cycle
        which the supply's guard asks for comes first, or has to wait for this alone. One thing a call."""
        with self:
            self._tend()

    def _tend(self) -> None:
        two = self._two
        if self._one.high:
            self._one.take_down()
        elif two is not None and two.high:
            two.take_down()
        elif self._notes.wanted:
            self._notes.write(self.state, self._journal)
        if self._notes.wanted or (two is not None and two.high):
            self.aside()

    __enter__ = int  # nothing is to be done: a type is called in a third of a function's time

    def __exit__(self, kind: "type[BaseException] | None", error: BaseException | None, _trace: object) -> bool:
        """Catches what is raised in a cycle: FAIL 05 is shown and logged, and the next cycle measures on."""
        if kind is None or not issubclass(kind, Exception):
            return False
        if self._uncommitted:
            self._uncommitted = False
            self._corrected.undo()
        self.errors += 1
        self.last_error = error
        self._status.set_failure(failures.INTERNAL_ERROR, True)
        self._log.add(event_codes.INTERNAL_ERROR, self.errors)
        return True

    def _measure(self) -> None:
        """Read and check the front ends, compute the new state in the spare one, and publish it."""
        old = self.state
        new = self._odd if old is self._even else self._even
        new.copy(old)
        now_us = ticks_us()
        dt_us = ticks_diff(now_us, old.at_us)
        new.at_us = now_us
        book(new, self._poll(new, now_us), self._counts_per_wh)
        if self._one.span_us > GAP_US or (self._two is not None and self._two.span_us > GAP_US):
            self._share(new, dt_us)
        self._demand.step(new, dt_us + self._gap_us)
        self._gap_us = 0

        if self._supply.step(dt_us, self._one):
            self._switch(now_us)
        self._pulses.write_given(new)
        self._counter.enter(new, now_us, self._rail12.on and not self._supply.failing and self._journal.mode != UNREAD)
        if self._journal.mode == RECOVERED:
            self._journal.adopt(new, self._model)
            self._pulses.start(new, now_us)
            self._counter.start(new.counter_given, now_us)
        self.state = new  # the commit
        self._uncommitted = False
        if self._pulses.edges_changed:
            self._registers.edges_changed = True
        if new.rolls != old.rolls:
            self._log.add(event_codes.ROLL_OVER, new.rolls)
        self.cycles += 1
        if dt_us > LATE_US:
            self._late(dt_us)
        self._status.step(dt_us, self._one, self._two)

    def _late(self, dt_us: int) -> None:
        """Count a cycle that was late, and log it where it was very late."""
        self.late += 1
        if dt_us > LOG_LATE_US:
            self._log.add(event_codes.CYCLE_LATE, dt_us // 1000)

    # What runs in a cycle is cut into functions whose frames are small enough for the stack (DR-7). Where a test alone
    # is to be made in nearly every cycle, it stands with the caller, because a call costs 12 us.

    def _poll(self, state: State, now_us: int) -> int:
        """Read both front ends. Returns the sum of their counts, corrected where corrections are in force (CA-1a)."""
        one = self._one
        two = self._two
        one.poll(state.raw_1, now_us)
        if two is not None:
            two.poll(state.raw_2, now_us)
        corrected = self._corrected
        if corrected.in_force:
            corrected.correct(self.cycles)
            self._uncommitted = True
        counts = one.active
        state.raw_1 = one.raw
        self._rebased = one.rebased
        if two is not None:
            counts += two.active
            state.raw_2 = two.raw
            if two.rebased:
                self._rebased = True
            if two.fresh:
                self._read_us = two.at_us
        if one.fresh:
            self._read_us = one.at_us
        if self._resuming.waiting:
            counts = self._first_readings(state, counts)
        return counts

    def _first_readings(self, new: State, counts: int) -> int:
        """After a restart: what is to be booked of the `counts` of these readings."""
        self._resuming.hold = self._corrected.in_force and self._corrected.current_unknown()
        counts = self._resuming.first_readings(self._one, self._two, self.state, new, counts)
        if self._resuming.waiting and self._uncommitted:  # nothing was booked, and these counts come again
            self._uncommitted = False
            self._corrected.undo()
        if self._resuming.torn:
            self._rebased = True
        if not self._resuming.waiting:
            self._gap_us = self._resuming.gap_us
        return counts

    def _share(self, state: State, dt_us: int) -> None:
        """A front end that was silent brings the counts of all that time at once: let demand share them out (MD-3a)."""
        one = self._one
        if one.span_us > GAP_US:
            self._rebased = True  # save it in this cycle: a cut without warning must not cost all that came at once
            self._demand.share(state, one.active, one.span_us, dt_us)
        two = self._two
        if two is not None and two.span_us > GAP_US:
            self._rebased = True
            self._demand.share(state, two.active, two.span_us, dt_us)

    def _switch(self, now_us: int) -> None:
        """The supply has begun to fail, or is back. When it fails coil and 12 V are switched off first, and the pulse
        outputs keep their levels (ST-1, PO-4, CO-2)."""
        if self._supply.failing:
            self._coil(0)
            self._coil_level = 0
            self._counter.drop(ticks_us())  # up to this moment the coil was on
            self._rail12.suspend()
            self._pulses.freeze()
        else:
            self._rail12.resume(now_us)
            self._pulses.thaw(now_us)

    def _act(self) -> None:
        """Drive the outputs from the committed state, save it, and feed the watchdog."""
        state = self.state
        failing = self._supply.failing
        alive = self._plan(state, ticks_us())
        saved = self._save(state, failing)
        if saved or self._pulses.edges_changed or state.run_s != self._noted_s or self._notes.due:
            self._noted_s = state.run_s
            self._notes.keep(state, self._journal, saved)
        if self._journal.misses or self._journal.mode != WRITING or self._supply.blind or self._status.failures:
            self._see_storage()
        if not failing:
            self._drive_counter(saved or self._unstored)
        if self._journal.mode == WRITING and not failing:
            # The journal writes: it is known that the memory is this meter's.
            if self._intervals is not None:
                self._intervals.step(state, saved, self._status.failures != 0, self._rebased)
            else:
                self._failure_before = self._failure_before or self._status.failures != 0
                self._gap_before = self._gap_before or self._rebased
        if saved and self._journal.erases and not failing:
            self._tidy()
        self._follow(state)
        if alive:
            self._watchdog.feed()
        if self._notes.wanted or self._one.high or (self._two is not None and self._two.high):
            self.aside()

    def _plan(self, state: State, now_us: int) -> bool:
        """Queue the coming pulse edges, and keep in the scratch registers what outlives a reset. Returns whether the
        display's task is alive, so that the watchdog may be fed."""
        self._pulses.plan(state, self._read_us, now_us)
        late_us = ticks_diff(now_us, self.display_us)
        alive = late_us < DEADLINE_US
        if late_us > DEAD_US and not self.leave:
            self.leave = restart.DISPLAY
        # Where the display's task is dead the cycle runs until the watchdog's reset. So there is no time, as in a hang,
        # in which the PIO goes on alone and gives what is queued.
        self._registers.keep(state, self._journal.life, self._pulses.queued if alive else 0, alive)
        return alive

    def _see_storage(self) -> None:
        """Bring FAIL 04 up to date: the register cannot be stored, or no warning of a power cut can be had."""
        self._unstored = self._journal.failed()
        self._status.set_failure(failures.REGISTER_NOT_STORED, self._unstored or self._supply.blind)

    def _save(self, state: State, failing: bool) -> bool:
        """Save the state where that is due. Returns whether it was saved now."""
        if self._resuming.waiting and not self._resuming.settled:
            return False  # the state is ahead of the chips' counters in it
        if self._journal.step(state, failing, self._supply.ending):
            return True
        # Where a chip's counter was taken anew, the one in the journal is worthless: a restart must not count from it.
        return self._rebased and self._journal.save(state, failing)

    def _follow(self, state: State) -> None:
        """Write the log, look at the seal, and do what is asked for: a restart, or a request of the prompt."""
        if self._pulses.fine_ended:
            self._log.add(event_codes.FINE_PULSES_OFF, self._pulses.fine_ended)
            self._pulses.fine_ended = 0
        log = self._log
        if log.run_s != state.run_s or log.pending or log.wanted is not None:  # else there is nothing to do
            log.run_s = state.run_s
            log.step()
        if self._seal.step() and not self.leave:
            self.leave = restart.SEAL
        if self.leave and not (self.request is not None and self.request.committed):
            self._leave(state)
        elif self.request is not None and not self.request.carry_out():
            self.request = None

    def _tidy(self) -> None:
        """Flash: erase a block of the journal, the log or the interval data, if one of them needs it soon."""
        if not self._journal.tidy() and not self._log.tidy() and self._intervals is not None:
            self._intervals.tidy()

    def _leave(self, state: State) -> None:
        """Restart as soon as the log is written and no count is being given; the chips count on meanwhile (EN-2,
        CA-2)."""
        if self._seal.moved:
            self._pulses.fine_stop(FINE_SEALED)
        self.leave_cycles -= 1
        if (self._log.pending or self._coil_level or self._pulses.fine_ended) and self.leave_cycles > 0:
            return
        if not self._pulses.frozen:
            self._pulses.freeze()  # the next cycle knows exactly which edges were given
            # If that never comes, because of a hang, nothing of what was queued has been given.
            self._registers.keep(state, self._journal.life, 0, self.leave != restart.DISPLAY)
            return
        self._journal.save(state)
        restart.ask(self.leave)

    def _drive_counter(self, saved: bool) -> None:
        """Follow up what the guard of the 12 V has seen, then drive the coil (CO-2, CO-3). `saved`: see
        Counter.step."""
        rail12 = self._rail12
        now_us = ticks_us()
        rail12.step(now_us)
        if not rail12.on and self._coil_level:
            self._counter.drop(rail12.off_us)
        self._coil_level = self._counter.step(now_us, saved)
        self._coil(self._coil_level)
