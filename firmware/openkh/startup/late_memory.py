"""A memory that did not answer at the start (FAIL 04), so that nothing tells what the meter is. It then meters in RAM
as the default model and asks the memory again and again; when that answers, it adds what it has counted to the register
found there, and restarts as what it is (DX-6).

The front ends count alike on every model; the models differ in how many counts make a Wh (EN-6). The default model has
the most, so that no pulse is given ahead of the energy. The mechanical counter waits.

Where only the RP2040 had restarted, the scratch registers tell what the register had shown and what was given for it,
and the front ends tell what they have counted since the record. Both are kept, and added when the record is found.
"""

import machine

from openkh.metrology.energy import add, book
from openkh.model import Model
from openkh.startup import restart
from openkh.startup.scratch_registers import DELIVERED, GIVEN, RECEIVED, RUN, ScratchRegisters
from openkh.startup.stored_data import sound
from openkh.state import State
from openkh.storage import records, verdict
from openkh.storage.journal import Journal
from openkh.storage.layout import LAYOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.meter import Meter

_EACH_S = 10  # how often the memory is asked
_MOST_COUNTS = 15_000 * 440  # more cannot be counted in a restart (15 s), with both lines at full scale


class LateMemory:
    """The request that the cycle carries out as long as the memory is silent. Takes heap, and some 10 ms when the
    memory answers."""

    def __init__(self, meter: "Meter", asked: int) -> None:
        """Made between bring-up of the front ends and the first cycle. `asked`: what the restart was asked for."""
        self._meter = meter
        self._before = ScratchRegisters({at: machine.mem32[at] for at in (RUN, DELIVERED, RECEIVED, GIVEN)})
        self._hung = asked == restart.NONE and restart.timed_out()
        self._first = State()  # the chips' counters in the first cycle in which they answered
        self._asked_s = 0
        self._answered = False
        self.committed = False

    def carry_out(self) -> bool:
        """Called once a cycle, until a restart ends it."""
        meter = self._meter
        if len(meter.elements) > 1:
            # A single-element meter has no second front end, and must not miss it.
            meter.elements[1].fitted = meter.state.raw_2 >= 0
        if self._first.raw_1 < 0:
            self._first.raw_1 = meter.state.raw_1
        if self._first.raw_2 < 0:
            self._first.raw_2 = meter.state.raw_2
        if self._answered:
            self._answered = False
            self._go_on()
            meter.pulses.thaw(meter.state.at_us)  # the memory did not take it, and is tried again later
        elif meter.state.run_s - self._asked_s >= _EACH_S and not meter.supply.failing:
            self._asked_s = meter.state.run_s
            self._answered = meter.factory_vault.load() != verdict.SILENT
            if self._answered:
                meter.pulses.freeze()  # the next cycle knows exactly which edges were given
        return True

    def _go_on(self) -> None:
        """Add what was counted to the register and restart. Returns only where the memory does not take it."""
        store = self._meter.factory_vault
        result = store.load()
        found = sound(store) if result == verdict.GOOD and store.layout <= LAYOUT else None
        if result == verdict.SILENT or (found is not None and not self._save(Model(found.code, found.service))):
            return
        restart.ask(restart.MEMORY)

    def _save(self, model: Model) -> bool:
        """Add what was counted in RAM to the register of `model` in the memory. False where it could not be stored."""
        meter = self._meter
        whose = records.identity(machine.unique_id(), model.code, model.service)
        memory = meter.memory
        journal = Journal(memory.journal, whose, memory.older_journals)
        state = State()
        result = journal.load(state)
        if result != verdict.GOOD and result != verdict.BLANK:
            return result != verdict.SILENT  # where the register is lost, the start after the restart will say so
        counts_per_wh = meter.model.counts_per_wh
        ram = State()
        ram.copy(meter.state)
        counts = ram.delivered_wh * counts_per_wh + ram.delivered_counts
        ram.delivered_wh, ram.delivered_counts = divmod(counts, model.counts_per_wh)
        counts = ram.received_wh * counts_per_wh + ram.received_counts
        ram.received_wh, ram.received_counts = divmod(counts, model.counts_per_wh)
        if self._before.resume(state, journal.life, model, self._hung):
            counts = self._since(0, state.raw_1, self._first.raw_1) + self._since(1, state.raw_2, self._first.raw_2)
            counts -= self._before.shown
            if -_MOST_COUNTS <= counts <= _MOST_COUNTS:
                book(state, counts, model.counts_per_wh)
        add(state, ram, model)
        state.power_up()
        state.raw_1 = ram.raw_1
        state.raw_2 = ram.raw_2 if model.elements == 2 else -1
        journal.start_life()
        if not journal.save(state) or Journal(memory.journal, whose).load(ram) != verdict.GOOD:
            return False
        meter.registers.edges_changed = True
        meter.registers.keep(state, journal.life, 0)  # the restart goes on from here
        return True

    def _since(self, n: int, recorded: int, first: int) -> int:
        """The counts of front end `n` from the record to the first cycle; 0 where they are not known."""
        if n >= len(self._meter.elements) or not self._meter.elements[n].ran_on or recorded < 0 or first < 0:
            return 0
        return (first - recorded + 0x800000 & 0xFFFFFF) - 0x800000
