"""What is done with a front end that is silent, was reset, is altered, or has counted far (DX-6, CH-1).

This is the base of `Element`, which reads and books. A chip that was reset, or that has an altered register, is set up
again within the cycle that sees it; what it has counted since the reading booked last is dropped. A checksum that is
not known is no reason to drop anything: every register is read back, and if all are as wanted the reading counts.
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


SILENT_US = 1_000_000  # a chip that has not answered for so long is silent (FAIL 01),
BACK_READINGS = 3  # until so many good readings have come in a row
WAKE_FRESH_US = 1_000_000  # a chip that does not answer is reset this often when it has no counts to lose,
WAKE_US = 300_000_000  # and this often when it has
RESTORE_TRIES = 4  # a configuration that was not to be restored so many times is FAIL 02
PULSE_TRIES = 8  # of so many tries the first begins with a reset of the chip
LONGEST_US = 1 << 29  # times end here, so that they stay small integers
NOISY_CYCLES = 600  # for so many cycles after a spoilt reading each one has to be borne out by a second
NEAR_COUNTS = 440  # at most so many counts lie between two readings in one cycle: 2 ms at full scale


class Recovery:
    """Where `high` is set the chip's register has come far: call `take_down` before the next cycle.

    `silent` is FAIL 01, if the chip is known to be `fitted`; `altered` is FAIL 02; `spoilt`, `resets` and `repairs`
    count faults."""

    def __init__(self, chip: "Ade7953", index: int, log: "Log") -> None:
        self._chip = chip
        self._log = log
        self._line = index + 1
        self.silent = False
        self.fitted = True  # False: it is not known whether the meter has this chip, and it has not answered yet
        self.altered = False
        self.high = False
        self.spoilt = 0  # readings that could not be verified
        self.resets = 0  # resets of the chip that nobody asked for
        self.repairs = 0  # registers found altered and mended

        self._lost = True  # what the chip counted since the last booked reading is not to be trusted
        self._absent = False  # it did not answer at a restart: nothing is known of it yet, and it may have counted on
        self._event = 0  # the event that says why counts are dropped; 0: none is to be logged
        self._event_b = 0  # and its second number
        self._reading = 0  # the active energy register as read last, 24 bits; -1: not verified
        self._reading_us = 0  # and when
        self._reactive_raw = 0  # the reactive energy register as read last
        self._full = False  # whether the counter was found at its end, and is to be taken down wherever it stands now
        self._noisy = 0  # cycles left in which a reading is booked only where a second one bears it out
        self._mute_us = 0  # how long the chip has not answered
        self._wake_us = 0  # how long since then, or since it was reset for it
        self._good = 0  # good readings in a row of a silent chip
        self._tries = 0  # how often in a row its configuration had to be restored

    def take_down(self) -> None:
        """Keep the chip's register from its end (ade7953_counter.py). Takes as long as a cycle, so it is not done in
        one."""
        self.high = False
        self._full = False
        self._chip.take_down(self._reactive_raw)
        self._reactive_raw = self._reactive_raw - self._chip.reactive_taken & 0xFFFFFF

    def _try_energy(self) -> bool:
        """Read the active energy register into `_reading`; False where that could not be verified."""
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
        """Whether the counter, read a second time, is near `raw`. On a noisy bus the same bit can be spoilt in a
        reading and in what the chip repeats of it, so that the reading is wrong and seems proven."""
        reading = self._chip.read_energy()
        if reading < 0:
            self.spoilt += 1
            return False
        return -NEAR_COUNTS <= (reading - raw + 0x800000 & 0xFFFFFF) - 0x800000 <= NEAR_COUNTS

    def _lose(self, event: int, b: int) -> None:
        """What was counted since the reading booked last is to be dropped. `event` and `b` are logged when the counter
        is taken anew."""
        self._lost = True
        self._event = event
        self._event_b = b

    def _answered(self) -> None:
        """A chip that had not answered has done so."""
        self._mute_us = 0
        self._wake_us = 0
        if self.silent:
            self._good += 1
            if self._good >= BACK_READINGS:
                self.silent = False
                if self.fitted:
                    self._log.add(event_codes.CHIP_BACK, self._line)

    def _unanswered(self, dt_us: int) -> None:
        """The chip gave no valid answer in this cycle, `dt_us` after the last: FAIL 01 after a second, and now and then
        a reset to wake it."""
        chip = self._chip
        self._good = 0
        self._mute_us = min(self._mute_us + dt_us, LONGEST_US)
        self._wake_us = min(self._wake_us + dt_us, LONGEST_US)
        if self._mute_us >= SILENT_US and not self.silent:
            self.silent = True
            if self.fitted:
                self._log.add(event_codes.CHIP_SILENT, self._line)
        if chip.deaf():
            chip.lock()  # this chip or its neighbour is back from a reset and not locked yet (field bug 8)
        if self._wake_us >= (WAKE_FRESH_US if self._lost else WAKE_US):
            self._wake_us = 0
            if not self._lost:
                self._lose(event_codes.CHIP_RESET, 0)
            chip.pulse_reset()

    def _restore(self) -> bool:
        """The checksum is not a known one: find out why, and set the chip up again where it has to be. True where
        `_reading` may be used: the chip was right, or is right again and `_reading` was taken anew."""
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
            if chip.altered < 0 and not self._lost:  # all registers are as wanted, so the checksum does not matter
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
        """Let FAIL 02 begin or end. `stuck`: address of a register that Scrub cannot mend, -1 if there is none."""
        if (stuck >= 0 or self._tries >= RESTORE_TRIES) != self.altered:
            self.altered = not self.altered
            if self.altered:
                self._log.add(event_codes.CHIP_ALTERED, self._line, stuck)

    def _relapse(self) -> None:
        """A register was altered and has been mended. If that happens in one cycle after another, it is no better than
        one that cannot be restored (FAIL 02). `poll` clears the count in the first cycle that finds all as wanted."""
        self._tries += 1
        if self._tries >= RESTORE_TRIES and not self.altered:
            self.altered = True
            self._log.add(event_codes.CHIP_ALTERED, self._line, self._event_b)

    def _not_restored(self) -> None:
        """The configuration could not be restored. It is tried again in the next cycle, the first time after a reset of
        the chip; FAIL 02 where that does not help."""
        if not self._lost:
            self._lose(event_codes.CHIP_REPAIRED, 0)
        if self._tries % PULSE_TRIES == 0:
            self._chip.pulse_reset()
        self._tries += 1
        if self._tries >= RESTORE_TRIES and not self.altered:
            self.altered = True
            self._log.add(event_codes.CHIP_ALTERED, self._line, max(self._chip.failed, 0))
