"""The ADE7953's energy counter, kept away from its end. DS = data sheet Rev. C.

The active energy register runs free in 24 bits. Whether it wraps at its end (DS p.25) or stops there is proven by
nobody, so it never gets there: at a quarter of its range it is read once in the mode in which reading zeroes it, and
what it held goes into `base`. A reading is the register plus `base`, and goes on for ever modulo 2^24.

A restart of the RP2040 alone needs `base` from the chip: two registers whose flags are not used hold it, inverted,
so that it is 0 after a reset. OILVL is written ahead of the reading that zeroes, OVLVL after it; where they differ, the
register itself tells on which side of that reading the restart was.
"""

from openkh.drivers.ade7953_config import Config
from openkh.drivers.ade7953_registers import AENERGYA, LAST_RWDATA_8, LCYCMODE, OILVL, OVLVL, RSTREAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import SPI, Pin

TAKE_AT = 0x200000  # a quarter of the range to one side; 10 s at full scale
NEAR = 0x20000  # more than comes in between two readings
_LAST_24 = AENERGYA & 0x300 | LAST_RWDATA_8
_NOTHING = -1
_MASK = 0xFFFFFF


def signed(counts: int) -> int:
    """24 bits as a signed number."""
    return (counts ^ 0x800000) - 0x800000


class Counter(Config):
    """`base`: what was taken out so far, modulo 2^24. `taking`: it has begun and is not finished: no reading is to be
    had until `take_down` is called again and returns True."""

    def __init__(self, spi: "SPI", cs: "Pin") -> None:
        super().__init__(spi, cs)
        self.base = 0
        self.taking = False
        self._before = 0  # what the register held when it was to be zeroed,
        self._taken = _NOTHING  # and what the reading that zeroes it brought

    def setup(self) -> bool:
        """See Config. The counters start at 0."""
        self.base = 0
        self.taking = False
        self.want(OVLVL, _MASK)
        self.want(OILVL, _MASK)
        return super().setup()

    def high(self, reading: int) -> bool:
        """Whether the register behind a reading has come so far that it is to be taken down."""
        return not -TAKE_AT < signed(reading - self.base & _MASK) < TAKE_AT

    def take_down(self) -> bool:
        """Zero the register, and count on from where it was: some 25 frames. False where the chip did not answer in the
        middle of it: again in the next cycle, before anything is read."""
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
        return self._finish()

    def _kept(self) -> int:
        """What a reading that was spoilt on the bus has zeroed, DS p.57; -1 where that is not certain."""
        value = self.read(_LAST_24)
        return value if self.read(_LAST_24) == value else _NOTHING

    def _finish(self) -> bool:
        """Back to the mode in which reading does not zero; see whether it was zeroed, and note it."""
        if self.taking:
            if not (self.open() and self.put(LCYCMODE, 0)):
                return False
            now = self.read_sure(AENERGYA)
            if now < 0:
                return False
            if self._zeroed(now):
                step = signed(self._taken - self._before & _MASK)
                exact = self._taken >= 0 and -NEAR < step < NEAR
                self.base = self.base + (self._taken if exact else self._before) & _MASK
            self.taking = False
        self._put_base(OVLVL, self.base)  # what is not taken here is mended as any register
        self._put_base(OILVL, self.base)
        self.close()
        return True

    def _zeroed(self, now: int) -> bool:
        """The register is nearer to 0 than to what it held."""
        return abs(signed(now)) < abs(signed(now - self._before & _MASK))

    def _put_base(self, address: int, base: int) -> bool:
        """Want a register to hold a base, and write it."""
        base = base & _MASK ^ _MASK
        self.want(address, base)
        return self.put(address, base)

    def resume(self) -> bool:
        """Take `base` from a chip that runs; finish what a restart has interrupted. False if it does not answer."""
        behind = self.read_sure(OVLVL)
        ahead = self.read_sure(OILVL)
        if behind < 0 or ahead < 0:
            return False
        self.base = behind ^ _MASK
        self._before = (ahead ^ _MASK) - self.base & _MASK
        if not -NEAR < signed(self._before) < NEAR:  # begun, and OVLVL not written yet
            self._taken = _NOTHING
            self.taking = True
        if behind != ahead:
            self.open()
        return self._finish()
