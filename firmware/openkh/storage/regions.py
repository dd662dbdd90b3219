"""The regions of the memory, and how a slot is read and written in FRAM; in flash: flash_regions.py. What lies where is
in layout.py.

To write a slot, fill what `view` returns and call `commit`; `holds` tells whether the memory has it. `group` is the
number of slots that are erased together, 0 in FRAM, where a slot is written over as it is. Nothing allocates after
construction.
"""

from openkh.storage import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.drivers.fram import Fram
    from openkh.storage.flash_regions import FlashRegion
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
