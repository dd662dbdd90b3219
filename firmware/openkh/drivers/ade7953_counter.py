"""The ADE7953's energy counter, which is kept away from its end. DS is the data sheet Rev. C.

The active energy register counts on by itself in 24 bits. The data sheet says that it wraps at its end (DS p.25);
nobody has proven that it does not stop there instead. So it never gets there: at a quarter of its range it is read once
in the mode in which reading zeroes it, and what it held goes into `base`. A reading is the register plus `base`, modulo
2^24. The register of reactive energy, which corrects a transformer's lead, is zeroed with it where it holds much.

After a restart of the RP2040 alone `base` has to come from the chip. Two registers whose flags are not used hold it,
with all bits inverted, so that a reset of the chip leaves 0 in them. OILVL is written ahead of the reading that zeroes,
OVLVL after it. Where they differ, the energy register itself tells whether the restart came before or after that
reading.
"""

from openkh.drivers.ade7953_config import Config
from openkh.drivers.ade7953_link import TRIES
from openkh.drivers.ade7953_registers import AENERGYA, LAST_RWDATA_8, LCYCMODE, NOTES, OILVL, OVLVL, RENERGYA, RSTREAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import SPI, Pin

TAKE_AT = 0x200000  # a quarter of the range to either side of 0: 10 s at full scale
NEAR = 0x20000  # more than is counted between two readings
_LAST_24 = AENERGYA & 0x300 | LAST_RWDATA_8
_NOTHING = -1  # no reading
_MASK = 0xFFFFFF


def signed_counts(counts: int) -> int:
    """24 bits as a signed number."""
    return (counts ^ 0x800000) - 0x800000


class Counter(Config):
    """The counter of one chip. `base` is what was taken out of the register so far, modulo 2^24; `reactive_taken` what
    the newest `take_down` took out of the register of reactive energy.

    While `taking` is set the register is being zeroed: there is no reading until `take_down` was called again and has
    returned True.
    """

    def __init__(self, spi: "SPI", cs: "Pin") -> None:
        super().__init__(spi, cs)
        self.base = 0
        self.taking = False
        self.reactive_taken = 0
        self._before = 0  # what the register held when it was to be zeroed,
        self._taken = _NOTHING  # and what the reading that zeroes it brought

    def setup(self) -> bool:
        """Configure the chip as Config.setup does; the counter starts at 0."""
        self.base = 0
        self.taking = False
        self.want(OVLVL, _MASK)
        self.want(OILVL, _MASK)
        return super().setup()

    def high(self, reading: int, reactive: int) -> bool:
        """Whether the register has come so far, by this reading, that `take_down` should be called; or that of reactive
        energy, which holds `reactive`, and the active one is far enough from 0 to tell whether it was zeroed."""
        held = signed_counts(reading - self.base & _MASK)
        if not -TAKE_AT < held < TAKE_AT:
            return True
        return not (-TAKE_AT < signed_counts(reactive) < TAKE_AT or -NEAR < held < NEAR)

    def take_down(self, reactive: int = 0) -> bool:
        """Zero the register and take what it held into `base`; takes some 25 frames. That of reactive energy too, where
        what it holds (`reactive`) is much. False where the chip did not answer in the middle of it: call it
        again in the next cycle, before anything is read."""
        self.reactive_taken = 0
        if not self.taking:
            before = self.read_verified(AENERGYA)
            if before < 0:
                return True
            self._before = before
            self._taken = _NOTHING
            self.taking = self.open() and self._put_base(OILVL, self.base + before)
            if self.taking and self.put(LCYCMODE, RSTREAD):
                self._taken = self.read_verified(AENERGYA)
                if self._taken < 0:
                    self._taken = self._kept()
                if not -TAKE_AT < signed_counts(reactive) < TAKE_AT:
                    self.reactive_taken = self.read(RENERGYA)
        return self._finish()

    def _kept(self) -> int:
        """What a reading has zeroed that was then spoilt on the bus, as the chip has noted it (DS p.57); -1 where of
        TRIES readings no two in a row tell the same."""
        before = _NOTHING
        for _ in range(TRIES):
            value = self.read(_LAST_24)
            if value == before:
                return value
            before = value
        return _NOTHING

    def _finish(self) -> bool:
        """Go back to the mode in which reading does not zero, see whether the register was zeroed, and note `base`."""
        if self.taking:
            if not (self.open() and self.put(LCYCMODE, 0)):
                return False
            now = self.read_sure(AENERGYA)
            if now < 0:
                return False
            if self._zeroed(now):
                step = signed_counts(self._taken - self._before & _MASK)
                exact = self._taken >= 0 and -NEAR < step < NEAR
                self.base = self.base + (self._taken if exact else self._before) & _MASK
            self.taking = False
        self._put_base(OVLVL, self.base)  # a write that is not taken here is mended later, like any register's
        self._put_base(OILVL, self.base)
        self.close()
        return True

    def _zeroed(self, now: int) -> bool:
        """Whether the register, which reads `now`, is nearer to 0 than to what it held."""
        return abs(signed_counts(now)) < abs(signed_counts(now - self._before & _MASK))

    def _put_base(self, address: int, base: int) -> bool:
        """Want the register at `address` to hold `base`, inverted, and write it."""
        base = base & _MASK ^ _MASK
        self.want(address, base)
        return self.put(address, base)

    def _take_notes(self) -> bool:
        for address in NOTES:
            value = self.read_sure(address)
            if value < 0:
                return False
            self.want(address, value)
        return True

    def resume(self) -> bool:
        """Go on with a chip that runs: take from it what stands in it alone; finish what a restart has interrupted.
        False if it does not answer."""
        if not self._take_notes():
            return False
        self.watch_reserved()
        behind = self.read_sure(OVLVL)
        ahead = self.read_sure(OILVL)
        if behind < 0 or ahead < 0:
            return False
        self.base = behind ^ _MASK
        self._before = (ahead ^ _MASK) - self.base & _MASK
        if not -NEAR < signed_counts(self._before) < NEAR:  # a take-down had begun, and OVLVL was not written yet
            self._taken = _NOTHING
            self.taking = True
        if behind != ahead:
            self.open()
        return self._finish()
