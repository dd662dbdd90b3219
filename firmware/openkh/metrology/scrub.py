"""Round robin over what need not be read in every cycle: the registers that the checksum leaves out, and the period.

The ADE7953's checksum does not cover the no-load levels, sag, LINECYC, the over-levels, the time-out, the reference or
the optimum setting (DS p.58). Three of them are read back every other cycle, all within a second.
"""

from openkh.bound import bind
from openkh.drivers.ade7953_link import AS_WANTED, NO_ANSWER
from openkh.drivers.ade7953_registers import IRQSTATA, PERIOD, UNCOVERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.drivers.ade7953 import Ade7953

PERIOD_STEP = 64  # a period further than this from the one before waits for the next to agree
STUCK_TRIES = 3  # rounds in which a register would not be mended before it is reported
_END = len(UNCOVERED)


class Scrub:
    """Reads back one chip's registers in turn.

    `period`  PERIOD, 1/223.75 kHz less one; 0 before it is known
    `flags`   IRQSTATA as it was read in this step, unverified; 0 where it was not its turn
    `altered` address of a register that was found altered and mended in this step, -1 if none
    `stuck`   address of a register that cannot be mended (FAIL 02), -1 if none
    """

    def __init__(self, chip: "Ade7953") -> None:
        self._chip = chip
        self._n = 0
        self._seen = 0
        self._tries = 0
        self._suspect = -1
        self.period = 0
        self.flags = 0
        self.altered = -1
        self.stuck = -1
        bind(self, "step")

    def step(self) -> bool:
        """Read the next registers of the round. True where there is something to look at. Allocates nothing."""
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
        step = value - self._seen
        if -PERIOD_STEP <= step <= PERIOD_STEP:
            self.period = value
        self._seen = value

    def _compare(self, n: int) -> None:
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
