"""Reads in turn what need not be read in every cycle: the registers that the checksum leaves out, and the period.

The ADE7953's checksum does not cover the registers of the no-load levels, of sag, LINECYC, over-levels and time-out,
nor the reference and the optimum setting (DS p.58). Every other cycle three of them are read back, so that it is each
register's turn about once a second.
"""

from openkh.bound import bind
from openkh.drivers.ade7953_link import AS_WANTED, NO_ANSWER
from openkh.drivers.ade7953_registers import IRQSTATA, PERIOD, UNCOVERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.drivers.ade7953 import Ade7953

PERIOD_STEP = 64  # a period that differs by more from the reading before is not taken until the next one agrees with it
STUCK_TRIES = 3  # a register is reported when it could not be mended so many times
_END = len(UNCOVERED)


class Scrub:
    """Reads back one chip's registers in turn.

    `period`  the chip's PERIOD, the line's period in units of 1/223.75 kHz, less one; 0 before it is known
    `flags`   IRQSTATA as this step has read it, not verified; 0 where it was not read
    `altered` address of a register that this step has found altered and has mended, -1 if there is none
    `stuck`   address of a register that cannot be mended (FAIL 02), -1 if there is none
    """

    def __init__(self, chip: "Ade7953") -> None:
        self._chip = chip
        self._n = 0  # which of UNCOVERED comes next
        self._seen = 0  # the period as read last
        self._tries = 0  # how often the register `_suspect` could not be mended
        self._suspect = -1  # which of UNCOVERED could not be mended; -1: none
        self.period = 0
        self.flags = 0
        self.altered = -1
        self.stuck = -1
        bind(self, "step")

    def step(self) -> bool:
        """Read the next registers in turn. True where the caller has to look at the attributes. Takes no heap."""
        chip = self._chip
        n = self._n
        self.flags = 0
        self.altered = -1
        if n == _END:
            self._n = 0
            self._period(chip.read(PERIOD))
            self.flags = chip.read(IRQSTATA)
            return True
        self._n = n + 3
        if self._suspect < 0 and chip.three_hold(n):
            return False
        for k in range(n, n + 3):
            self._compare(k)
        return True

    def _period(self, value: int) -> None:
        """Take a reading of PERIOD in."""
        step = value - self._seen
        if -PERIOD_STEP <= step <= PERIOD_STEP:
            self.period = value
        self._seen = value

    def _compare(self, n: int) -> None:
        """Read register `n` of UNCOVERED alone, and mend it where it is not as wanted."""
        chip = self._chip
        state = chip.holds_uncovered(n)
        if state == AS_WANTED:
            if n == self._suspect:
                self._suspect = -1
                self._tries = 0
                self.stuck = -1
        elif state != NO_ANSWER:
            if chip.mend_uncovered():
                self.altered = state
            else:
                self._suspect = n
                self._tries += 1
                if self._tries >= STUCK_TRIES:
                    self.stuck = state
