"""Blocks of the RP2040's own flash, written raw through rp2.Flash (house rule 12).

The blocks belong to files of one block each, so that the filesystem leaves them alone. A map block, itself such a file,
says which blocks they are; it is found by its magic and never written again, because an erased block has no magic.

W25Q16JV data sheet (Winbond): program only clears bits, 256-byte page, 0.4 ms (3 ms); 4 KiB sector erase 45 ms (400 ms);
100,000 erases. A page may be programmed in parts.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rp2 import Flash as RawFlash

BLOCK = 4096
_ERASED = b"\xff" * 256


class Flash:
    """Read, program and erase of blocks. `device` is an rp2.Flash. Never raises and allocates nothing."""

    def __init__(self, device: "RawFlash") -> None:
        self._device = device
        self._page = bytearray(256)
        self.errors = 0

    def read(self, block: int, at: int, buf: "bytearray | memoryview") -> bool:
        """Fill `buf` from offset `at` of a block."""
        try:
            self._device.readblocks(block, buf, at)
        except OSError:
            self.errors += 1
            return False
        return True

    def program(self, block: int, at: int, page: bytearray) -> bool:
        """Clear the bits that are 0 in the 256 bytes of `page`; `at` is the page's offset in the block."""
        try:
            self._device.writeblocks(block, page, at)
        except OSError:
            self.errors += 1
            return False
        return True

    def erase(self, block: int) -> bool:
        """Set every bit of a block; True if it reads so."""
        try:
            self._device.ioctl(6, block)
        except OSError:
            self.errors += 1
            return False
        for at in range(0, BLOCK, 256):
            if not self.read(block, at, self._page) or self._page != _ERASED:
                self.errors += 1
                return False
        return True
