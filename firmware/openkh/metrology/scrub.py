"""Round robin over what need not be read in every cycle: the registers that the checksum leaves out, and the period.

The ADE7953's checksum does not cover the no-load levels, sag, LINECYC, the over-levels, the time-out, the reference or
the optimum setting (DS p.58). Two of them are read back in each cycle, all within a second.
"""

from openkh.drivers.ade7953_link import AS_WANTED, NO_ANSWER
from openkh.drivers.ade7953_registers import IRQSTATA, PERIOD, UNCOVERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.drivers.ade7953 import Ade7953

A_CYCLE = 2  # registers read in each cycle
PERIOD_STEP = 64  # a period further than this from the one before waits for the next to agree
STUCK_TRIES = 3  # rounds in which a register would not be mended before it is reported

PERIOD_TURN = len(UNCOVERED) + 1  # a round: UNCOVERED, OPTIMUM, then these two
FLAGS_TURN = PERIOD_TURN + 1


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

    def step(self) -> None:
        """Read the next registers of the round. Allocates nothing."""
        self.flags = 0
        self.altered = -1
        for _ in range(A_CYCLE):
            n = self._n
            self._n = n + 1
            if n == PERIOD_TURN:
                self._period(self._chip.read(PERIOD))
            elif n == FLAGS_TURN:
                self.flags = self._chip.read(IRQSTATA)
                self._n = 0
            else:
                self._compare(n)

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
