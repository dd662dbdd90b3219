"""Blocks of the RP2040's own flash, written raw through rp2.Flash (DR-12).

The blocks belong to files of one block each, so that the filesystem leaves them alone. A map says which blocks they
are; it lies in a block of its own, itself such a file, which is found by the mark that it begins with (_MAGIC) and is
never written again, so that no loss of power can leave it half written.

W25Q16JV data sheet (Winbond): programming only clears bits, a page of 256 bytes in 0.4 ms (3 ms at worst), and a page
may be programmed in parts; erasing sets all bits of a sector of 4 KiB in 45 ms (400 ms at worst), 100,000 times.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rp2 import Flash as RawFlash

BLOCK = 4096
FOLDER = "/blocks"
_ERASED = b"\xff" * 256
_MAGIC = b"OpenKh blocks 1\n"
_MOST = 500  # block numbers that a map has room for
_MAP_BYTES = len(_MAGIC) + 2 * _MOST + 4


class Flash:
    """Reads, programs and erases blocks of `device`, an rp2.Flash.

    rp2.Flash reports no failure of reading or programming, so that both always return True here: what matters has to be
    read back and compared. Nothing allocates after construction.
    """

    def __init__(self, device: "RawFlash") -> None:
        self._device = device
        self._page = bytearray(256)

    def read(self, block: int, at: int, buf: "bytearray | memoryview") -> bool:
        """Fill `buf` from byte `at` of a block on."""
        self._device.readblocks(block, buf, at)
        return True

    def program(self, block: int, at: int, page: bytearray) -> bool:
        """Clear those bits of a page that are 0 in the 256 bytes of `page`; `at` is the page's first byte in the
        block."""
        self._device.writeblocks(block, page, at)
        return True

    def erase(self, block: int) -> bool:
        """Set every bit of a block to 1; True if it reads so afterwards."""
        self._device.ioctl(6, block)
        at = 0
        while at < BLOCK:
            self._device.readblocks(block, self._page, at)
            if self._page != _ERASED:
                return False
            at += 256
        return True


def find(device: "RawFlash") -> "tuple[int, ...]":
    """The numbers of the raw blocks, in the order of the map; () where there is no whole map. Takes 20 ms."""
    whole = bytearray(_MAP_BYTES)
    for block in _starting_with(device, _MAGIC):
        device.readblocks(block, whole, 0)
        blocks = _parse(whole, device.ioctl(4, 0) or 0)
        if blocks:
            return blocks
    return ()


def _starting_with(device: "RawFlash", mark: bytes) -> "list[int]":
    """Numbers of the blocks that begin with `mark`."""
    head = bytearray(len(mark))
    found = []
    for block in range(device.ioctl(4, 0) or 0):
        device.readblocks(block, head, 0)
        if head == mark:
            found.append(block)
    return found


def _parse(whole: bytearray, limit: int) -> "tuple[int, ...]":
    """The block numbers of a map that was read into `whole`; () where it is not sound.

    Behind the mark stand block numbers of two bytes each, low byte first, 0xFFFF for their end, and two bytes with the
    sum of all bytes before that end. Every number has to be below `limit`, the blocks that the device has.
    """
    blocks: list[int] = []
    at = len(_MAGIC)
    while len(blocks) < _MOST:
        number = whole[at] | whole[at + 1] << 8
        if number == 0xFFFF:
            total = 0
            for i in range(at):
                total += whole[i]
            good = whole[at + 2] | whole[at + 3] << 8 == total & 0xFFFF
            return tuple(blocks) if good else ()
        if number >= limit:
            return ()
        blocks.append(number)
        at += 2
    return ()


def create(device: "RawFlash", count: int, opener, mkdir, urandom) -> "tuple[int, ...]":  # type: ignore[no-untyped-def]
    """Make `count` files of one block each and their map, and return the numbers of their blocks. Takes some 10 s.

    This is done once, when a board is provisioned, and not while it meters, because writing flash stops everything.
    Where there is a map already, it and its files are left as they are; what an interrupted call has left is made anew.
    `opener`, `mkdir` and `urandom` are open, os.mkdir and os.urandom. Raises OSError where a file does not lie in
    exactly one block. Takes little heap at a time: the heap of a running meter may not have 4 KiB in one piece.
    """
    try:
        with opener(FOLDER + "/map", "rb"):
            return find(device)
    except OSError:
        pass
    page = bytearray(256)
    for block in _starting_with(device, _MAGIC):
        # A map whose file is gone, because the filesystem was made anew: its blocks may belong to any file now.
        device.writeblocks(block, page, 0)
    try:
        mkdir(FOLDER)
    except OSError:
        pass
    mark = urandom(14)  # tells these files from what older ones have left in free blocks
    for i in range(count):
        page[:16] = mark + bytes((i & 255, i >> 8))
        _write("%s/%03d" % (FOLDER, i), page, opener)
        page[:16] = bytes(16)
    entry = _MAGIC
    for block in _places(device, mark, count):
        entry += bytes((block & 255, block >> 8))
        device.ioctl(6, block)
    total = sum(entry) & 0xFFFF
    _write(FOLDER + "/map", entry + bytes((255, 255, total & 255, total >> 8)), opener)
    return find(device)


def _write(path: str, start, opener) -> None:  # type: ignore[no-untyped-def]
    """Write a file of exactly one block that begins with `start`; the rest are zeros."""
    filler = bytes(256)
    left = BLOCK - len(start)
    with opener(path, "wb") as file:
        file.write(start)
        while left > 0:
            file.write(filler[: min(left, 256)])
            left -= 256


def _places(device: "RawFlash", mark: bytes, count: int) -> "list[int]":
    """The blocks that the files with this mark lie in, by the numbers of the files. Raises OSError unless each of them
    lies in one block of its own."""
    head = bytearray(16)
    found = [-1] * count
    for block in range(device.ioctl(4, 0) or 0):
        device.readblocks(block, head, 0)
        if head[:14] == mark:
            i = head[14] | head[15] << 8
            if found[i] >= 0:
                raise OSError("file %d lies in two blocks" % i)
            found[i] = block
    if min(found) < 0:
        raise OSError("file %d lies in no block of its own" % found.index(-1))
    return found
