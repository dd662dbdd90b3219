"""What outlives a reset of the RP2040 alone: two of the watchdog's scratch registers (RP2040 data sheet 4.7).

The journal's newest record is up to 1 s (FRAM) or 60 s (flash) old. The chips' counters went on, so no energy is lost;
but what was given to the outputs since that record would be given again, and the run time would come up short. Each
cycle the low bits of both are kept here, each register whole in itself: a reset between the two does no harm. The loss
of the supply clears them (MD-4, PO-4, CO-2).

    SCRATCH1   edges_10 (8 bits), edges_100 (4), edges_1000 (2), counter_given (6), check (10)
    SCRATCH3   run time in 0.1 s (16), life (4), check (10)
"""

from openkh.metrology.energy import ROLL_WH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.model import Model
    from openkh.state import State

GIVEN = 0x40058010  # addresses for machine.mem32
RUN = 0x40058018

_VALUE_MASK = 0xFFFFF
_SALT = 0x2A5
_UNIT_US = 100_000
_MOST_UNITS = 900  # a record is never older than 60 s


def _sealed(value: int) -> int:
    """20 bits with their check: a remainder that one or two wrong bits cannot leave alike; within 30 bits."""
    return value | (value % 1021 ^ _SALT) << 20


def _units(state: "State") -> int:
    return ((state.run_s & 0xFFFF) * 10 + state.run_us // _UNIT_US) & 0xFFFF


def _on(value: int, low: int, bits: int) -> int:
    """The number nearest to `value` whose lowest `bits` are `low`: a count may have been taken back, too (CO-2)."""
    half = 1 << bits - 1
    return value + (low - value + half & 2 * half - 1) - half


class Scratch:
    """`mem32` is machine.mem32."""

    def __init__(self, mem32) -> None:  # type: ignore[no-untyped-def]
        self._mem32 = mem32
        self._given = -1  # as kept last

    def keep(self, state: "State", life: int) -> None:
        """Once a cycle, after the state is published. Allocates nothing."""
        given = (
            state.edges_10 & 255
            | (state.edges_100 & 15) << 8
            | (state.edges_1000 & 3) << 12
            | (state.counter_given & 63) << 14
        )
        if given != self._given:
            self._given = given
            self._mem32[GIVEN] = _sealed(given)
        self._mem32[RUN] = _sealed(_units(state) | life << 16)

    def resume(self, state: "State", life: int, model: "Model") -> bool:
        """After a reset with the supply on: bring the journal's `state` up to the moment of the reset.

        False if the registers do not hold, or belong to another life than the record: run time and demand cannot be
        continued, and outputs go on from the record.
        """
        given = self._value(GIVEN)
        run = self._value(RUN)
        if run < 0 or given < 0 or run >> 16 != life:
            return False
        units = run - _units(state) & 0xFFFF
        if units > _MOST_UNITS:
            return False
        state.edges_10 = _on(state.edges_10, given & 255, 8) % (ROLL_WH // 10)
        state.edges_100 = _on(state.edges_100, given >> 8 & 15, 4) % (ROLL_WH // 100)
        state.edges_1000 = _on(state.edges_1000, given >> 12 & 3, 2) % (ROLL_WH // 1000)
        state.counter_given = _on(state.counter_given, given >> 14, 6) % (ROLL_WH // model.counter_wh)
        us = state.run_us + units * _UNIT_US
        state.run_s += us // 1_000_000
        state.run_us = us % 1_000_000
        state.sub_4us += units * (_UNIT_US // 4)
        return True

    def _value(self, address: int) -> int:
        word = self._mem32[address]
        value = word & _VALUE_MASK
        return value if word == _sealed(value) else -1
