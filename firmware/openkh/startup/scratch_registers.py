"""What outlives a reset of the RP2040 alone: the watchdog's scratch registers 0 to 3 (RP2040 data sheet 4.7).

The journal's newest record is up to 1 s old in FRAM, up to 60 s and 0.1 kWh in flash. The chips' counters go on through
a reset, so no energy is lost. But from the record alone import and export since then would be set off against each
other, pulses and counts given since would be given again, and the run time would come up short. Therefore each cycle
keeps the low bits of all this here. The loss of the supply clears the registers (EN-1, MD-4, PO-4, CO-2).

    RUN         reason of a restart (3 bits, restart.py), run time in 0.1 s (11), life (4), 1 = kept (1), 1 = the
                watchdog was fed (1); check (10)
    DELIVERED   energy delivered, whole Wh (7) and counts (15); check (8)
    RECEIVED    energy received, the same way
    GIVEN       edges_10 (6), edges_100 (3), edges_1000 (2), counter_given (3), queued edges of the three outputs
                (3, 2, 1); check (10)

Each register has its own check, and they are written in an order in which a reset between two of them does no harm.
"""

from openkh.bound import bind
from openkh.metrology.energy import ROLL_WH, book
from openkh.startup.sealed_word import SALT, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.model import Model
    from openkh.state import State

RUN = 0x4005800C  # addresses for machine.mem32
DELIVERED = 0x40058010
RECEIVED = 0x40058014
GIVEN = 0x40058018

REASON_MASK = 7
_KEPT = 1 << 18
_FED = 1 << 19
_UNIT_US = 100_000  # of the run time kept
_UNITS_MASK = 0x7FF
_MOST_UNITS = 900  # a record is never older than 60 s, so that more cannot be right

_ENERGY_SALT = 0xA5
_ENERGY_MASK = 0x3FFFFF
_WH_MASK = 127  # more than a record can be behind; divides the roll-over
_MOST_COUNTS = 44_000  # more cannot come in 0.1 s: both lines at full scale, and 5 % on top
_MARGIN_UNITS = 20  # time by which the energy may be ahead of the run time


def _sealed_energy(value: int) -> int:
    """22 bits with their check, together 30 bits."""
    return value | (value % 251 ^ _ENERGY_SALT) << 22


def _units(state: "State") -> int:
    """The run time as kept: its low bits, in units of 0.1 s."""
    return ((state.run_s & 0xFFFF) * 10 + state.run_us // _UNIT_US) & _UNITS_MASK


def on_from(value: int, low: int, bits: int, back: int, weight_wh: int) -> int:
    """The first number from `value` - `back` on whose lowest `bits` bits are `low`, modulo 1e9 Wh / `weight_wh`."""
    value -= back
    return (value + (low - value & (1 << bits) - 1)) % (ROLL_WH // weight_wh)


class ScratchRegisters:
    """Each cycle writes the registers by `keep`, a start reads them by `resume`. `mem32` is machine.mem32."""

    def __init__(self, mem32) -> None:  # type: ignore[no-untyped-def]
        self._mem32 = mem32
        self._queued = -1  # these as kept last, so that only what has changed is written
        self._counter_given = -1
        self.edges_changed = True
        """Whether numbers of edges are others than those kept last. Set by who changes them, cleared by `keep`."""
        self._delivered = -1
        self._received = -1
        self.fed = True
        """Whether the last cycle before the restart fed the watchdog, so that a hang began after it. Set by
        `resume`."""
        self.shown = 0
        """The net counts that `resume` has added. The chips' first readings contain them once more."""
        bind(self, "keep")

    def keep(self, state: "State", life: int, queued: int, fed: bool = True) -> None:
        """Called once a cycle when the state is published and its edges are queued, before it is saved.

        `queued` is Pulses.queued; `fed`: the watchdog is fed in this cycle. The checks are worked out in place here,
        because a call costs 12 us.
        """
        mem32 = self._mem32
        if self.edges_changed or queued != self._queued or state.counter_given != self._counter_given:
            self._queued = queued
            self._counter_given = state.counter_given
            word = (
                state.edges_10 & 63
                | (state.edges_100 & 7) << 6
                | (state.edges_1000 & 3) << 9
                | (state.counter_given & 7) << 11
                | queued << 14
            )
            mem32[GIVEN] = word | (word % 1021 ^ SALT) << 20
            self.edges_changed = False
        word = (state.delivered_wh & _WH_MASK) << 15 | state.delivered_counts
        if word != self._delivered:
            self._delivered = word
            mem32[DELIVERED] = word | (word % 251 ^ _ENERGY_SALT) << 22
        word = (state.received_wh & _WH_MASK) << 15 | state.received_counts
        if word != self._received:
            self._received = word
            mem32[RECEIVED] = word | (word % 251 ^ _ENERGY_SALT) << 22
        word = ((state.run_s & 0xFFFF) * 10 + state.run_us // _UNIT_US) & _UNITS_MASK
        word = mem32[RUN] & REASON_MASK | word << 3 | life << 14 | _KEPT
        if fed:
            word |= _FED
        mem32[RUN] = word | (word % 1021 ^ SALT) << 20

    def resume(self, state: "State", life: int, model: "Model", hung: bool) -> bool:
        """After a reset with the supply on, bring the journal's `state` up to the last cycle before the reset. Sets
        `shown`.

        `hung`: the watchdog's time ran out, so the edges that were queued have been given. False if a check does not
        hold, or the registers are of another power-up than the record; then the meter goes on from the record.
        """
        given = opened(self._mem32[GIVEN])
        run = opened(self._mem32[RUN])
        if given < 0 or run < 0 or (run & ~_FED) >> 14 != life | _KEPT >> 14:
            return False
        self.fed = run & _FED != 0
        units = (run >> 3) - _units(state) & _UNITS_MASK
        most_counts = (units + _MARGIN_UNITS) * _MOST_COUNTS
        delivered = self._since(DELIVERED, state.delivered_wh, state.delivered_counts, model.counts_per_wh)
        received = self._since(RECEIVED, state.received_wh, state.received_counts, model.counts_per_wh)
        if units > _MOST_UNITS or not 0 <= delivered <= most_counts or not 0 <= received <= most_counts:
            return False
        book(state, delivered, model.counts_per_wh)
        book(state, -received, model.counts_per_wh)
        self.shown = delivered - received
        state.edges_10 = on_from(state.edges_10, given & 63, 6, 2, 10)
        state.edges_100 = on_from(state.edges_100, given >> 6 & 7, 3, 1, 100)
        state.edges_1000 = on_from(state.edges_1000, given >> 9 & 3, 2, 1, 1000)
        if hung:
            state.edges_10 = (state.edges_10 + (given >> 14 & 7)) % (ROLL_WH // 10)
            state.edges_100 = (state.edges_100 + (given >> 17 & 3)) % (ROLL_WH // 100)
            state.edges_1000 = (state.edges_1000 + (given >> 19)) % (ROLL_WH // 1000)
        # The counter may be behind the record, because a count can be taken back (CO-2).
        state.counter_given = on_from(state.counter_given, given >> 11 & 7, 3, 4, model.counter_wh)
        us = state.run_us + units * _UNIT_US
        state.run_s += us // 1_000_000
        state.run_us = us % 1_000_000
        state.sub_4us += units * (_UNIT_US // 4)
        return True

    def kept(self) -> bool:
        """Whether a cycle has run since the supply came back."""
        run = opened(self._mem32[RUN])
        return run >= 0 and run & _KEPT != 0

    def _since(self, address: int, wh: int, counts: int, counts_per_wh: int) -> int:
        """The counts by which a register is ahead of a record's `wh` and `counts`; -1 where its check does not hold."""
        word = self._mem32[address]
        value = word & _ENERGY_MASK
        if word != _sealed_energy(value):
            return -1
        return ((value >> 15) - wh & _WH_MASK) * counts_per_wh + (value & 0x7FFF) - counts
