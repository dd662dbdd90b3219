"""A pulse output on a PIO state machine: levels that change at exact times (PO-1, PO-3, DR-14).

The state machine takes one word per segment of time, a level and how long it stands, and the segments join without a
gap: edges do not drift and do not depend on what the processor does meanwhile. When the words run out the level
stands, and the time base is lost: `start` begins a new chain.
RP2040 data sheet: instructions 3.4, FIFO join 3.5.7.
"""

import rp2

from openkh.ticks import ticks_add, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import Pin

DEPTH = 8  # words of the joined FIFO
MIN_US = 4  # of a segment: what the instructions around the waiting loop take
MAX_US = (1 << 28) - 1  # a word stays a small integer on the RP2040
WORDS_MASK = 0xFFFFF  # words are counted modulo 2^20

_HERTZ = 1_000_000
_START_US = 2  # from `put` to the pins where the machine waits: pull, out
_DROP_WORD = 0x8080  # pull(noblock), as the SDK empties a FIFO


def _segments() -> None:
    wrap_target()  # type: ignore[name-defined]
    pull(block)  # type: ignore[name-defined]
    out(pins, 2)  # type: ignore[name-defined]  # the level, twice; one pin takes the lower
    out(x, 30)  # type: ignore[name-defined]
    label("stand")  # type: ignore[name-defined]
    jmp(x_dec, "stand")  # type: ignore[name-defined]  # x + 1 cycles: a segment is x + MIN_US
    wrap()  # type: ignore[name-defined]


class PulsePort:
    """One or two consecutive pins that carry the same level.

    `machine` is the number of the PIO state machine, `pin` the (first) pin, `pins` 1 or 2. The pins start low.
    `end_us` is the tick (ticks_us) at which the chain of segments put so far ends. Nothing here allocates or waits
    after construction.
    """

    def __init__(self, machine: int, pin: "Pin", pins: int = 1) -> None:
        low = rp2.PIO.OUT_LOW
        program = rp2.asm_pio(
            out_init=low if pins == 1 else (low, low),  # type: ignore[arg-type]
            out_shiftdir=rp2.PIO.SHIFT_RIGHT,
            fifo_join=rp2.PIO.JOIN_TX,
        )(_segments)
        self._machine = rp2.StateMachine(machine, program, freq=_HERTZ, out_base=pin)
        self.words = 0  # put so far, modulo WORDS_MASK + 1
        self.end_us = 0
        self._machine.active(1)

    def room(self) -> int:
        """Words that can be put without waiting, 0 to DEPTH."""
        return DEPTH - self._machine.tx_fifo()

    def pulled(self) -> int:
        """Words that the state machine has taken, modulo WORDS_MASK + 1; the last one taken is what stands now."""
        return (self.words - self._machine.tx_fifo()) & WORDS_MASK

    def put(self, us: int, level: int) -> None:
        """Add a segment to the running chain: `level` for `us` (MIN_US to MAX_US). Ask `room` first."""
        self._machine.put((us - MIN_US) << 2 | 3 * level)
        self.words = (self.words + 1) & WORDS_MASK
        self.end_us = ticks_add(self.end_us, us)

    def start(self, us: int, level: int) -> None:
        """Begin a new chain now with a first segment; only where the old one has run out or was dropped."""
        self._machine.put((us - MIN_US) << 2 | 3 * level)
        self.end_us = ticks_add(ticks_us(), us + _START_US)
        self.words = (self.words + 1) & WORDS_MASK

    def stop(self) -> None:
        """Hold the level that stands now; the words stay."""
        self._machine.active(0)

    def drop(self) -> None:
        """After `stop`: forget the words that wait and be ready for `start`; the level stands."""
        machine = self._machine
        while machine.tx_fifo():
            machine.exec(_DROP_WORD)
            self.words = (self.words - 1) & WORDS_MASK
        machine.restart()
        machine.active(1)
