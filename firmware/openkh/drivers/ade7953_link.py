"""The ADE7953's SPI frames: reading, writing, and proof of what was read. DS is the data sheet Rev. C.

A frame is the address (2 bytes), 0x80 to read or 0x00 to write, and the data from the most significant byte on, in SPI
mode 3 at 5 MHz at most (DS p.6, 52). The bus itself reports no errors, so whatever matters is read back, or the chip is
asked what it answered.
"""

from time import sleep_us

from openkh.drivers.ade7953_registers import (
    ACCMODE,
    ACCMODE_WRITABLE,
    AP_NOLOAD,
    CF1DEN,
    CF2DEN,
    CONFIG,
    LAST_ADD,
    LAST_OP,
    LAST_RWDATA_8,
    OP_READ,
    OPTIMUM,
    UNLOCK,
    UNLOCK_KEY,
)
from openkh.ticks import ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import SPI, Pin

SPI_MODE = 3  # clock idles high, sampled on the rising edge, DS p.52
LOCK_HOLD_US = 2  # CS has to stay low for 1.2 us after the frame that locks the interface, DS p.6

AS_WANTED = -1  # what `holds` returns beside a register's address
NO_ANSWER = -2
TRIES = 8  # how often a write, or a read of a register that does not change, is tried


_DATA_24 = 0x200 | LAST_RWDATA_8


def request(address: int) -> bytes:
    """The frame that reads the register at `address`; made once for registers that are read in every cycle."""
    return bytes((address >> 8, address & 0xFF, 0x80)) + bytes((address >> 8 & 3) + 1)


class Link:
    """Exchanges frames with one chip. `spi` is in mode 3, `cs` is an output that is high between frames. Nothing
    allocates after construction.

    `failed` is the address of the last register that did not take its value, -1 where there was none; `expected` is
    what was written to it and `found` what it read. `written_us`: when the last write was sent (ticks_us).
    """

    def __init__(self, spi: "SPI", cs: "Pin") -> None:
        self._transfer = spi.write_readinto
        self._cs = cs
        self._tx = (bytearray(4), bytearray(5), bytearray(6), bytearray(7))  # by width
        self._rx = (bytearray(4), bytearray(5), bytearray(6), bytearray(7))
        self.failed = -1
        self.expected = 0
        self.found = 0
        self.written_us = 0

    def read(self, address: int) -> int:
        """Read an 8-, 16- or 24-bit register, unsigned; not verified."""
        width = address >> 8 & 3
        tx = self._tx[width]
        rx = self._rx[width]
        tx[0] = address >> 8
        tx[1] = address & 0xFF
        tx[2] = 0x80
        cs = self._cs
        cs(0)
        self._transfer(tx, rx)
        cs(1)
        if width == 2:
            return rx[3] << 16 | rx[4] << 8 | rx[5]
        if width == 1:
            return rx[3] << 8 | rx[4]
        return rx[3]

    def write(self, address: int, value: int) -> None:
        """Write an 8-, 16- or 24-bit register; not verified."""
        width = address >> 8 & 3
        tx = self._tx[width]
        tx[0] = address >> 8
        tx[1] = address & 0xFF
        tx[2] = 0
        if width == 2:
            tx[3] = value >> 16
            tx[4] = value >> 8 & 0xFF
            tx[5] = value & 0xFF
        elif width == 1:
            tx[3] = value >> 8
            tx[4] = value & 0xFF
        else:
            tx[3] = value
        self._cs(0)
        self._transfer(tx, self._rx[width])
        if address == CONFIG:
            sleep_us(LOCK_HOLD_US)
        self._cs(1)
        self.written_us = ticks_us()

    def read_verified(self, address: int) -> int:
        """Read a register, then ask the chip which address, operation and data it has noted of that (DS p.57). Returns
        -1 where these do not prove the value.

        A frame that was shifted, cut short, spoilt, sent elsewhere or answered by nobody differs in one of them. The
        chip notes data for each width by itself. So for a 24-bit register it does not matter whether asking for the
        address (16 bits) and the operation (8 bits) is noted as an access too; registers of these two widths are read
        twice instead.
        """
        value = self.read(address)
        if address & 0x300 != 0x200:
            return value if self.again(address) == value else -1
        if self.read(LAST_ADD) != address:
            return -1
        if self.read(LAST_OP) != OP_READ:
            return -1
        return value if self.read(address & 0x300 | LAST_RWDATA_8) == value else -1

    def again(self, address: int) -> int:
        """Read once more, and prove that the register at `address` has answered; -1 if that is not proven.

        A frame that goes astray reads zeros and leaves LAST_ADD as it was. So another register is read first, or else
        the address of an earlier frame would prove this one.
        """
        self.read(AP_NOLOAD if address == CONFIG else CONFIG)
        value = self.read(address)
        if self.read(LAST_ADD) != address or (address & 0x300 == 0x200 and self.read(_DATA_24) != value):
            return -1
        return value

    def read_sure(self, address: int) -> int:
        """What `read_verified` returns, tried up to TRIES times; -1 if none of them proved a value."""
        for _ in range(TRIES):
            value = self.read_verified(address)
            if value >= 0:
                return value
        return -1

    def deaf(self) -> bool:
        """Whether nobody drives the bus, or an unlocked chip holds it high: LAST_ADD, never all ones, then reads so."""
        return self.read(LAST_ADD) == 0xFFFF

    def put(self, address: int, value: int) -> bool:
        """Write a register and read it back, up to TRIES times. False if it does not take the value. Zeros need more
        proof, because frames that go astray read zeros too."""
        for _ in range(TRIES):
            if address == OPTIMUM:
                self.write(UNLOCK, UNLOCK_KEY)  # opens OPTIMUM for the very next access, DS p.18
            self.write(address, value)
            if CF1DEN <= address <= CF2DEN:
                self.write(address, value)  # these take effect when they are written for the second time, DS p.33
            found = self.read(address)
            if address == ACCMODE:
                found &= ACCMODE_WRITABLE
            if found == value and (value or self.read(LAST_ADD) == address):
                return True
        self.failed = address
        self.expected = value
        self.found = found
        return False

    def holds(self, address: int, value: int) -> int:
        """Whether a register holds `value`: AS_WANTED, NO_ANSWER, or its address where it is proven altered.

        It is altered where it read as the same other value twice in a row, and it is proven that this register has
        answered. Where `value` is 0 that proof is asked for too, because a frame that goes astray reads zeros.
        """
        mask = ACCMODE_WRITABLE if address == ACCMODE else 0xFFFFFF
        if self.read(address) & mask == value and (value or self.read(LAST_ADD) == address):
            return AS_WANTED
        return self._look_again(address, value, mask)

    def _look_again(self, address: int, value: int, mask: int) -> int:
        """`holds` for a register that did not read as wanted at once."""
        before = -1
        tries = TRIES
        while tries:
            tries -= 1
            found = self.again(address)
            if found >= 0 and found & mask == value:
                return AS_WANTED
            if found >= 0 and found == before:
                return address
            before = found
        return NO_ANSWER
