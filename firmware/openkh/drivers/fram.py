"""An FRAM on I2C: the MB85RC256V (32 KiB) or the FM24CL64B (8 KiB).

It takes an address of two bytes, knows no pages and needs no time to write: each byte is in the memory once it has been
acknowledged (MB85RC256V data sheet DS501-00017, Fujitsu/RAMXEED: byte write and sequential write p.8, random read
p.10).
"""

_PATTERNS = b"\xa5\x3c"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import I2C


class Fram:
    """The memory of `size` bytes at `address` of `i2c`. Every method returns whether the memory answered; none raises,
    and none allocates but for the exception that MicroPython makes where nobody answers."""

    def __init__(self, i2c: "I2C", address: int, size: int) -> None:
        self._i2c = i2c
        self._address = address
        self.size = size
        self._at = bytearray(2)
        self._probe = bytearray(4)
        self._back = bytearray(2)

    def write(self, at: int, buf: bytearray) -> bool:
        """Write the third byte of `buf` and all that follow to address `at`; its first two are room for the address."""
        buf[0] = at >> 8
        buf[1] = at & 255
        return self._sent(buf)

    def read(self, at: int, buf: "bytearray | memoryview") -> bool:
        """Fill `buf` from address `at` on."""
        self._at[0] = at >> 8
        self._at[1] = at & 255
        return self._addressed() and self._fetched(buf)

    # Each `try` is in a function with its transfer alone, because it needs room in the function's frame (DR-7).

    def _sent(self, buf: bytearray) -> bool:
        try:
            return self._i2c.writeto(self._address, buf) == len(buf)
        except OSError:
            return False

    def _addressed(self) -> bool:
        try:
            return self._i2c.writeto(self._address, self._at, False) == 2
        except OSError:
            return False

    def _fetched(self, buf: "bytearray | memoryview") -> bool:
        try:
            self._i2c.readfrom_into(self._address, buf)
        except OSError:
            return False
        return True

    def works(self) -> bool:
        """Whether the last two bytes of the memory, which nothing else uses, take what is written to them. A data line
        that is stuck low or high would otherwise pass for a blank memory."""
        probe = self._probe
        for pattern in _PATTERNS:
            probe[2] = pattern
            probe[3] = 255 - pattern
            if not self.write(self.size - 2, probe) or not self.read(self.size - 2, self._back):
                return False
            if self._back[0] != pattern or self._back[1] != 255 - pattern:
                return False
        return True
