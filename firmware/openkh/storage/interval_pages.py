"""The memory of the interval data as pages of 256 bytes, on FRAM and on flash (AM-6).

A page is a header of HEADER_BYTES and SLOTS slots of SLOT_BYTES. Pages are used in order and round again; `group` of
them are erased together, a while before they are needed. Nothing here raises, and nothing takes heap after the start.
"""

from openkh.drivers.flash import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.drivers.flash import Flash
    from openkh.drivers.fram import Fram

PAGE_BYTES = 256
HEADER_BYTES = 28
SLOT_BYTES = 6
SLOTS = (PAGE_BYTES - HEADER_BYTES) // SLOT_BYTES

_PER_BLOCK = BLOCK // PAGE_BYTES


class FramPages:
    """`count` pages from address `first` on."""

    group = 1

    def __init__(self, fram: "Fram", first: int, count: int) -> None:
        self._fram = fram
        self._first = first
        self.count = count
        self._ones = bytearray(b"\xff" * (2 + PAGE_BYTES))
        self._header = bytearray(2 + HEADER_BYTES)
        self._slot = bytearray(2 + SLOT_BYTES)
        self.header = memoryview(self._header)[2:]  # what the write functions write
        self.slot = memoryview(self._slot)[2:]

    def read(self, page: int, buf: bytearray) -> bool:
        """Fill `buf` from the beginning of a page."""
        return self._fram.read(self._first + page * PAGE_BYTES, buf)

    def write_header(self, page: int) -> bool:
        """Write `header` into an erased page."""
        return self._fram.write(self._first + page * PAGE_BYTES, self._header)

    def write_slot(self, page: int, at: int) -> bool:
        """Write `slot` to offset `at` of a page."""
        return self._fram.write(self._first + page * PAGE_BYTES + at, self._slot)

    def erase(self, page: int) -> bool:
        """Every bit of a page to 1, the header first; 2.5 ms."""
        return self._fram.write(self._first + page * PAGE_BYTES, self._ones)


class FlashPages:
    """The pages of `blocks` of flash, 16 each."""

    group = _PER_BLOCK

    def __init__(self, flash: "Flash", blocks: "tuple[int, ...]") -> None:
        self._flash = flash
        self._blocks = blocks
        self.count = len(blocks) * _PER_BLOCK
        self._page = bytearray(b"\xff" * PAGE_BYTES)
        self.header = bytearray(HEADER_BYTES)
        self.slot = bytearray(SLOT_BYTES)

    def read(self, page: int, buf: bytearray) -> bool:
        """Fill `buf` from the beginning of a page."""
        return self._flash.read(self._blocks[page // _PER_BLOCK], page % _PER_BLOCK * PAGE_BYTES, buf)

    def write_header(self, page: int) -> bool:
        """Write `header` into an erased page; 0.4 ms, 3 ms at worst."""
        return self._program(page, 0, self.header)

    def write_slot(self, page: int, at: int) -> bool:
        """Write `slot` to offset `at` of a page."""
        return self._program(page, at, self.slot)

    def erase(self, page: int) -> bool:
        """Erase the block of a page: stops code and interrupts for 45 ms, 400 ms at worst."""
        return self._flash.erase(self._blocks[page // _PER_BLOCK])

    def _program(self, page: int, at: int, part: bytearray) -> bool:
        """The rest of the page buffer is ones, which leave what is there as it is."""
        i = 0
        while i < len(part):
            self._page[at + i] = part[i]
            i += 1
        done = self._flash.program(self._blocks[page // _PER_BLOCK], page % _PER_BLOCK * PAGE_BYTES, self._page)
        i = 0
        while i < len(part):
            self._page[at + i] = 0xFF
            i += 1
        return done
