"""What a line does with a front end that is silent, was reset, or whose configuration is not as wanted (DX-6, CH-1).

The base of `Element`, which reads and books. A chip that was reset, or a register of which was altered, is set up
again within the cycle that sees it; what it counted since the last booked reading is dropped. A checksum that is not
known drops nothing by itself: every register is read back, and where all are as wanted the reading counts.
"""

from openkh import event_codes
from openkh.drivers.ade7953_registers import CONFIG, CRC_ENABLE, IRQ_RESET, IRQSTATA, RSTIRQSTATA
from openkh.ticks import ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from openkh.drivers.ade7953 import Ade7953

    class Log(Protocol):
        """Where events go; never allocates."""

        def add(self, code: int, a: int = 0, b: int = 0) -> None: ...


SILENT_US = 1_000_000  # FAIL 01
BACK_READINGS = 3  # good readings in a row that end it
WAKE_FRESH_US = 1_000_000  # a silent chip is reset this often when it has no counts to lose,
WAKE_US = 300_000_000  # and this often when it has
RESTORE_TRIES = 4  # FAIL 02
PULSE_TRIES = 8  # restoring starts with a reset of the chip each so many tries
LONGEST_US = 1 << 29
NOISY_CYCLES = 600  # after a spoilt reading
NEAR_COUNTS = 440  # two readings in one cycle, at twice full scale


class Recovery:
    """`silent` FAIL 01, where it is `fitted`; `altered` FAIL 02; `spoilt` `resets` `repairs` fault counters."""

    def __init__(self, chip: "Ade7953", index: int, log: "Log") -> None:
        self._chip = chip
        self._log = log
        self._line = index + 1
        self.silent = False
        self.fitted = True  # False: it is not known whether the meter has this one, and it has not answered yet
        self.altered = False
        self.spoilt = 0  # readings that could not be verified
        self.resets = 0  # of the chip, not asked for
        self.repairs = 0  # registers found altered and mended

        self._lost = True  # what the chip counted since the last booked reading is not to be trusted
        self._absent = False  # it did not answer at a restart: nothing is known of it yet, and it may have counted on
        self._event = 0  # why, for the log
        self._event_b = 0
        self._reading = 0
        self._reading_us = 0
        self._noisy = 0  # cycles left in which a reading is booked only where a second one bears it out
        self._mute_us = 0
        self._wake_us = 0
        self._good = 0
        self._tries = 0

    def _try_energy(self) -> bool:
        """Take `_reading`, the active energy register; False where it could not be verified."""
        self._reading_us = ticks_us()
        self._reading = self._chip.read_energy()
        if self._reading >= 0:
            return True
        self._spoilt()
        return False

    def _spoilt(self) -> None:
        """A reading could not be verified."""
        self.spoilt += 1
        self._noisy = NOISY_CYCLES

    def _borne_out(self, raw: int) -> bool:
        """Whether the counter, read once more, has gone on from `raw` by what a millisecond can bring: the same bit may
        be spoilt in a reading and in what the chip says that it answered."""
        reading = self._chip.read_energy()
        if reading < 0:
            self.spoilt += 1
            return False
        return -NEAR_COUNTS <= (reading - raw + 0x800000 & 0xFFFFFF) - 0x800000 <= NEAR_COUNTS

    def _lose(self, event: int, b: int) -> None:
        """What was counted since the last booked reading must be dropped; logged when counting is right again."""
        self._lost = True
        self._event = event
        self._event_b = b

    def _answered(self) -> None:
        self._mute_us = 0
        self._wake_us = 0
        if self.silent:
            self._good += 1
            if self._good >= BACK_READINGS:
                self.silent = False
                if self.fitted:
                    self._log.add(event_codes.CHIP_BACK, self._line)

    def _unanswered(self, dt_us: int) -> None:
        """No valid answer in this cycle: FAIL 01 after a second; keep asking."""
        chip = self._chip
        self._good = 0
        self._mute_us = min(self._mute_us + dt_us, LONGEST_US)
        self._wake_us = min(self._wake_us + dt_us, LONGEST_US)
        if self._mute_us >= SILENT_US and not self.silent:
            self.silent = True
            if self.fitted:
                self._log.add(event_codes.CHIP_SILENT, self._line)
        if chip.deaf():
            chip.lock()  # a chip back from a reset that is not locked yet, this one or its neighbour (field bug 8)
        if self._wake_us >= (WAKE_FRESH_US if self._lost else WAKE_US):
            self._wake_us = 0
            if not self._lost:
                self._lose(event_codes.CHIP_RESET, 0)
            chip.pulse_reset()

    def _restore(self) -> bool:
        """The checksum is not a known one. True when the chip is right, or right again and `_reading` taken anew."""
        chip = self._chip
        if chip.learnt and not chip.proven_altered():
            return False
        flags = chip.read_sure(IRQSTATA)
        config = chip.read_sure(CONFIG)
        if flags < 0 or config < 0:
            return False
        if flags & IRQ_RESET or not config & CRC_ENABLE:
            if not self._lost:
                self.resets += 1
                self._lose(event_codes.CHIP_RESET, 0)
            self._absent = False
            chip.setup()
        else:
            absent = self._absent
            if absent and not chip.resume():
                return False
            complete = chip.audit(True)
            if chip.altered >= 0:
                self.repairs += 1
                if not self._lost:
                    self._lose(event_codes.CHIP_REPAIRED, chip.altered)
            if not complete:
                return False
            self._absent = False
            if chip.altered < 0 and not self._lost:  # all as wanted: another checksum alone says nothing
                chip.seen_as_wanted()
                return not absent or self._try_energy()
        if not chip.mended():
            if chip.failed >= 0:
                self._not_restored()
            elif self._event == event_codes.CHIP_REPAIRED:
                self._relapse()
            return False
        if self._event == event_codes.CHIP_REPAIRED:
            self._relapse()
        else:
            self._tries = 0
            self.altered = False
        chip.read(RSTIRQSTATA)
        return self._try_energy() or self._try_energy()

    def _judge(self, stuck: int) -> None:
        """FAIL 02 begins or ends. `stuck`: address of a register that the round robin cannot put right, else -1."""
        if (stuck >= 0 or self._tries >= RESTORE_TRIES) != self.altered:
            self.altered = not self.altered
            if self.altered:
                self._log.add(event_codes.CHIP_ALTERED, self._line, stuck)

    def _relapse(self) -> None:
        """A register was altered and is mended; altered again in each cycle, it is as good as not restorable (FAIL 02).
        `poll` forgets it with the first cycle that finds all as wanted."""
        self._tries += 1
        if self._tries >= RESTORE_TRIES and not self.altered:
            self.altered = True
            self._log.add(event_codes.CHIP_ALTERED, self._line, self._event_b)

    def _not_restored(self) -> None:
        """Try again in the next cycle, after a reset of the chip to begin with; FAIL 02 when that does not help."""
        if not self._lost:
            self._lose(event_codes.CHIP_REPAIRED, 0)
        if self._tries % PULSE_TRIES == 0:
            self._chip.pulse_reset()
        self._tries += 1
        if self._tries >= RESTORE_TRIES and not self.altered:
            self.altered = True
            self._log.add(event_codes.CHIP_ALTERED, self._line, max(self._chip.failed, 0))
