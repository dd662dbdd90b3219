"""The regions of the memory: how a slot is read and written in FRAM and in flash. What lies where is in layout.py.

To write a slot, fill what `view` returns and call `commit`; `holds` tells whether the memory has it. `group` is the
number of slots that are erased together, 0 in FRAM, where a slot is written over as it is. Nothing allocates after
construction.
"""

from openkh.storage import layout
from openkh.storage.layout import FLASH_BLOCK_BYTES, FLASH_PAGE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.drivers.flash import Flash
    from openkh.drivers.fram import Fram
    from openkh.storage.interval_pages import FlashPages, FramPages

    OlderJournal = tuple["FramRegion | FlashRegion", int, int]


class FramRegion:
    """Slots of `size` bytes in FRAM. `where` is one of the FRAM_... tuples of layout.py: first address, slots, bytes
    from one slot to the next."""

    def __init__(self, fram: "Fram", where: "tuple[int, int, int]", size: int) -> None:
        self._fram = fram
        self._first, self.slots, self._stride = where
        self.group = 0
        self.size = size
        self._buf = bytearray(2 + size)
        self._view = memoryview(self._buf)[2:]
        self._back = bytearray(size)

    def view(self, _slot: int) -> memoryview:
        """Where to put what `commit` shall write."""
        return self._view

    def commit(self, slot: int) -> bool:
        """Write what is in the view to `slot`; False where the memory did not acknowledge."""
        return self._fram.write(self._first + slot * self._stride, self._buf)

    def read(self, slot: int, buf: bytearray) -> bool:
        """Fill `buf` from a slot; False where the memory does not answer."""
        return self._fram.read(self._first + slot * self._stride, buf)

    def holds(self, slot: int) -> bool:
        """Whether `slot` reads back as what was committed last."""
        return self.read(slot, self._back) and self._back == self._view

    def erase(self, _slot: int) -> bool:
        """Nothing has to be erased in FRAM."""
        return True

    def works(self) -> bool:
        """Whether the memory takes what is written: a memory that is stuck can look like a blank one."""
        return self._fram.works()

    def blank(self, _slot: int) -> bool:
        """Whether `slot` can be written: in FRAM always."""
        return True

    def spoil(self, _slot: int) -> None:
        """Nothing has to be made unreadable in FRAM, which has no half written bits that could read otherwise one
        day."""


class FlashRegion:
    """Slots of `size` bytes, at most 256, in `blocks` of flash. A page holds as many as fit, and each is programmed by
    itself."""

    def __init__(self, flash: "Flash", blocks: "tuple[int, ...]", size: int) -> None:
        self._flash = flash
        self.blocks = blocks
        self.size = size
        self._per_page = FLASH_PAGE_BYTES // size
        self.group = self._per_page * (FLASH_BLOCK_BYTES // FLASH_PAGE_BYTES)
        self.slots = self.group * len(blocks)
        # One buffer of a whole page for each place that a slot can have in it. The bytes of the other slots are all
        # ones, which leave what is there as it is when the page is programmed.
        self._pages = tuple(bytearray(b"\xff" * FLASH_PAGE_BYTES) for _ in range(self._per_page))
        self._views = tuple(memoryview(page)[i * size : (i + 1) * size] for i, page in enumerate(self._pages))
        self._back = bytearray(size)
        self._erased = b"\xff" * size

    def view(self, slot: int) -> memoryview:
        """Where to put what `commit` shall write to this slot."""
        return self._views[slot % self._per_page]

    def commit(self, slot: int) -> bool:
        """Program what is in the view into `slot`; takes 0.4 ms, 3 ms at worst. Always True: only `holds` tells."""
        page = slot % self.group // self._per_page
        return self._flash.program(
            self.blocks[slot // self.group], page * FLASH_PAGE_BYTES, self._pages[slot % self._per_page]
        )

    def read(self, slot: int, buf: bytearray) -> bool:
        """Fill `buf` from a slot."""
        in_block = slot % self.group
        at = in_block // self._per_page * FLASH_PAGE_BYTES + in_block % self._per_page * self.size
        return self._flash.read(self.blocks[slot // self.group], at, buf)

    def holds(self, slot: int) -> bool:
        """Whether `slot` reads back as what was committed last."""
        return self.read(slot, self._back) and self._back == self._views[slot % self._per_page]

    def blank(self, slot: int) -> bool:
        """Whether `slot` reads as erased."""
        return self.read(slot, self._back) and self._back == self._erased

    def works(self) -> bool:
        """Whether the region has its blocks: the map of the blocks could be read, so the flash works."""
        return self.slots > 0

    def spoil(self, slot: int) -> None:
        """Clear every bit of a slot, so that nothing in it can ever be read as a record."""
        view = self.view(slot)
        for i in range(self.size):
            view[i] = 0
        self.commit(slot)

    def erase(self, slot: int) -> bool:
        """Erase the block that `slot` lies in; True if it reads so. Code and interrupts stop for 45 ms, 400 ms at
        worst."""
        return self._flash.erase(self.blocks[slot // self.group])


class Memory:
    """All regions of one medium.

    `journal`, `calibration` and `factory` are a region each; `logs` are those of the events, of the service's entries
    and of the seal's. Where there is room `port` is the region of the RS-485 port's settings and `intervals` the pages
    of interval data, else both are None. `older_journals` has for each older layout of the journal's record, newest
    first, the region that it lies in, its first byte and the number of its fields.
    """

    def __init__(self, journal, logs, calibration, factory, older_journals=()) -> None:  # type: ignore[no-untyped-def]
        self.journal = journal
        self.logs = logs
        self.calibration = calibration
        self.factory = factory
        self.older_journals = older_journals
        self.port: FramRegion | FlashRegion | None = None
        self.intervals: FramPages | FlashPages | None = None


def fram_memory(fram: "Fram") -> Memory:
    """The regions in FRAM."""
    memory = Memory(
        FramRegion(fram, layout.FRAM_JOURNAL, layout.RECORD_BYTES),
        (
            FramRegion(fram, layout.FRAM_EVENTS, layout.EVENT_BYTES),
            FramRegion(fram, layout.FRAM_SERVICE_EVENTS, layout.EVENT_BYTES),
            FramRegion(fram, layout.FRAM_SEAL_EVENTS, layout.EVENT_BYTES),
        ),
        FramRegion(fram, layout.FRAM_CALIBRATION, layout.VAULT_BYTES),
        FramRegion(fram, layout.FRAM_FACTORY, layout.VAULT_BYTES),
        tuple([(FramRegion(fram, place, size), form, n) for form, n, size, place in layout.OLDER_RECORDS]),
    )
    if fram.size >= layout.FRAM_32K:
        from openkh.storage.interval_pages import FramPages

        memory.port = FramRegion(fram, layout.FRAM_PORT, layout.VAULT_BYTES)
        memory.intervals = FramPages(fram, layout.FRAM_INTERVALS[0], layout.FRAM_INTERVALS[1])
    return memory


def flash_memory(flash: "Flash", blocks: "tuple[int, ...]") -> Memory:
    """The regions in flash, over the block numbers that drivers.flash.find() gave. On a board that was laid out with
    fewer blocks than layout.FLASH_BLOCKS a region that lacks some of its blocks has no slots."""
    at = 0
    regions = []
    for count, size in layout.FLASH_USES:
        own = blocks[at : at + count]
        regions.append(FlashRegion(flash, own if len(own) == count else (), size))
        at += count
    calibration, factory, events, service_events, journal = regions
    older = tuple([(FlashRegion(flash, journal.blocks, size), form, n) for form, n, size, _ in layout.OLDER_RECORDS])
    seals = blocks[layout.FLASH_BLOCKS - layout.FLASH_SEAL_BLOCKS : layout.FLASH_BLOCKS]
    logs = (events, service_events, FlashRegion(flash, seals, layout.EVENT_BYTES))
    memory = Memory(journal, logs, calibration, factory, older)
    if len(blocks) >= layout.FLASH_BLOCKS - layout.FLASH_SEAL_BLOCKS:
        from openkh.storage.interval_pages import FlashPages

        after = at + layout.FLASH_PORT_BLOCKS
        memory.port = FlashRegion(flash, blocks[at:after], layout.VAULT_BYTES)
        memory.intervals = FlashPages(flash, blocks[after : after + layout.FLASH_INTERVAL_BLOCKS])
    return memory
