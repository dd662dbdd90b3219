"""A pulse output on a PIO state machine, whose level changes at exact times (PO-1, PO-3, DR-14).

The state machine takes one word for each segment of time: a level and how long it stands. Segments join without a gap,
so that edges neither drift nor depend on what the processor does meanwhile. When the words run out, the last level goes
on standing, but the machine has lost its time base, and `start` has to begin a new chain. RP2040 data sheet:
instructions 3.4, FIFO join 3.5.7.
"""

import rp2
from machine import disable_irq, enable_irq

from openkh.bound import bind
from openkh.ticks import ticks_add, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import Pin

DEPTH = 8  # words that the FIFO holds
MIN_US = 4  # the shortest segment: what the instructions around the waiting loop take
MAX_US = (1 << 28) - 1  # the longest one: its word is still a small integer on the RP2040 (DR-3)
WORDS_MASK = 0xFFFFF  # words are counted modulo 2^20

_HERTZ = 1_000_000
_START_US = 2  # from `put` to the change of the pins, where the machine waits for a word: its pull and its out
_DROP_WORD = 0x8080  # the instruction pull(noblock), with which the SDK empties a FIFO too


def _segments() -> None:
    wrap_target()  # type: ignore[name-defined]
    pull(block)  # type: ignore[name-defined]
    out(pins, 2)  # type: ignore[name-defined]  # the level, for each of two pins; a single pin takes the lower bit
    out(x, 30)  # type: ignore[name-defined]
    label("stand")  # type: ignore[name-defined]
    jmp(x_dec, "stand")  # type: ignore[name-defined]  # takes x + 1 cycles of 1 us, so a segment is x + MIN_US long
    wrap()  # type: ignore[name-defined]


class PulsePort:
    """One pin, or two consecutive ones that carry the same level; they start low.

    `machine` is the number of the PIO state machine, `pin` the first pin, `pins` 1 or 2. `end_us` is the tick
    (ticks_us) at which the chain of segments put so far ends. Nothing here allocates or waits after construction.
    """

    def __init__(self, machine: int, pin: "Pin", pins: int = 1) -> None:
        low = rp2.PIO.OUT_LOW
        program = rp2.asm_pio(
            out_init=low if pins == 1 else (low, low),  # type: ignore[arg-type]
            out_shiftdir=rp2.PIO.SHIFT_RIGHT,
            fifo_join=rp2.PIO.JOIN_TX,
        )(_segments)
        self._machine = rp2.StateMachine(machine, program, freq=_HERTZ, out_base=pin)
        self.words = 0  # words put so far, modulo WORDS_MASK + 1
        self.end_us = 0
        self._machine.active(1)
        bind(self, "room", "pulled", "put")

    def room(self) -> int:
        """Words that can be put without waiting, 0 to DEPTH."""
        return DEPTH - self._machine.tx_fifo()

    def pulled(self) -> int:
        """Words that the state machine has taken, modulo WORDS_MASK + 1; the level of the last one stands now."""
        return (self.words - self._machine.tx_fifo()) & WORDS_MASK

    def put(self, us: int, level: int) -> None:
        """Add a segment to the running chain: `level` for `us` (MIN_US to MAX_US). Ask `room` first."""
        self._machine.put((us - MIN_US) << 2 | 3 * level)
        self.words = (self.words + 1) & WORDS_MASK
        self.end_us = ticks_add(self.end_us, us)

    def start(self, us: int, level: int) -> None:
        """Begin a new chain now, with `level` for `us`; only where the old chain has run out or was dropped."""
        word = (us - MIN_US) << 2 | 3 * level
        state = disable_irq()  # an interrupt between word and clock would move each edge of the chain by its length
        self._machine.put(word)
        now_us = ticks_us()
        enable_irq(state)
        self.end_us = ticks_add(now_us, us + _START_US)
        self.words = (self.words + 1) & WORDS_MASK

    def stop(self) -> None:
        """Stop the machine: the level that stands now stays, and so do the words in the FIFO."""
        self._machine.active(0)

    def drop(self) -> None:
        """After `stop`: forget the words in the FIFO and be ready for `start`. The level stays."""
        machine = self._machine
        while machine.tx_fifo():
            machine.exec(_DROP_WORD)
            self.words = (self.words - 1) & WORDS_MASK
        machine.restart()
        machine.active(1)
