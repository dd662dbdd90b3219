"""The regions of a memory in flash, as regions.py says. A board with FRAM does not load this."""

from openkh.storage import layout
from openkh.storage.layout import FLASH_BLOCK_BYTES, FLASH_PAGE_BYTES
from openkh.storage.regions import Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.drivers.flash import Flash


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
