"""The memory of the interval data as pages of 256 bytes, in FRAM and in flash (AM-6).

A page is a header of HEADER_BYTES and SLOTS slots of SLOT_BYTES. Pages are used in order and then from the first one
again; `group` of them are erased together. To write, fill `header` or `slot` and call `write_header` or `write_slot`.
Nothing here raises, and nothing takes heap after the start.
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
    """`count` pages of FRAM from address `first` on. Every method returns whether the memory acknowledged."""

    group = 1

    def __init__(self, fram: "Fram", first: int, count: int) -> None:
        self._fram = fram
        self._first = first
        self.count = count
        self._ones = bytearray(b"\xff" * (2 + PAGE_BYTES))
        self._header = bytearray(2 + HEADER_BYTES)
        self._slot = bytearray(2 + SLOT_BYTES)
        self.header = memoryview(self._header)[2:]  # what `write_header` writes
        self.slot = memoryview(self._slot)[2:]  # what `write_slot` writes

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
        """Set every bit of a page to 1, its header first; takes 2.5 ms."""
        return self._fram.write(self._first + page * PAGE_BYTES, self._ones)


class FlashPages:
    """The pages of `blocks` of flash, 16 to a block. Only `erase` can tell a failure: read back what was written."""

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
        """Write `header` into an erased page; takes 0.4 ms, 3 ms at worst."""
        return self._program(page, 0, self.header)

    def write_slot(self, page: int, at: int) -> bool:
        """Write `slot` to offset `at` of a page."""
        return self._program(page, at, self.slot)

    def erase(self, page: int) -> bool:
        """Erase the block of a page; True if it reads so. Code and interrupts stop for 45 ms, 400 ms at worst."""
        return self._flash.erase(self._blocks[page // _PER_BLOCK])

    def _program(self, page: int, at: int, part: bytearray) -> bool:
        """Program `part` at offset `at` of a page. The rest of the buffer is ones, which leave what is there as it
        is."""
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
