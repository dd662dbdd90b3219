"""A vault keeps a small block of data that must last: calibration, factory data, settings of the port (ID-5, CA, DX-6).

Each version of the data is written to two places and read back. Between the two copies the log gets its entry, which is
what makes the change (CA-3a): where a start finds the first copy alone of the newest version, the log decides whether
it counts (`settle`). The version before stays, so that a change can be undone.

A record fills its slot: format (1 byte), board (3), version (2), length of the data (1), layout (1), data, check (4).
The region is used as two halves with a copy in each: version v lies at slot v modulo the slots of a half. In flash a
half is one block.
"""

from struct import pack_into, unpack_from

from openkh.storage.check import blank, check
from openkh.storage.layout import LAYOUT
from openkh.storage.verdict import BLANK, DAMAGED, FOREIGN, GOOD, SILENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from openkh.storage.events import EventLog
    from openkh.storage.flash_regions import FlashRegion
    from openkh.storage.regions import FramRegion

_FORMAT = 0x5A
_DATA_AT = 8
_AROUND = 12  # bytes of a record that are not data
_VERSION_MASK = 0xFFFF
_NEWER = 0x7FFF
_TRIES = 3


class Vault:
    """A vault in `region`. `board` is records.identity(board id, "", "").

    `data` is the newest version and `previous` the one before it, as bytes, None where there is none; `most_bytes` is
    how long they may be. `layout` is the highest LAYOUT (layout.py) that a good copy was written with. Writing goes in
    steps of a few ms, one in a cycle: begin(data), then step() until it returns False; then `written` tells whether it
    succeeded.
    """

    def __init__(self, region: "FramRegion | FlashRegion", board: int) -> None:
        self._region = region
        self._board = board
        self._buf = bytearray(region.size)
        self._check_at = region.size - 4
        self.most_bytes = region.size - _AROUND
        self.layout = 0
        self._half = region.slots // 2
        self.data: bytes | None = None
        self.previous: bytes | None = None
        self.version = 0
        self.damaged = 0
        self.foreign = 0
        self.written = False
        self.unconfirmed = False
        self._begun = False  # something has been written since the start
        self._writing = False  # the first job is written and not yet read back
        self._jobs: list[tuple[int, int, bytes]] = []  # copies that are still to be written: version, half, data

    def load(self) -> int:
        """Read everything, set `data` and `previous`, and return BLANK, GOOD, DAMAGED, FOREIGN or SILENT.

        `unconfirmed` is set where there is only the first copy of the newest version: a cut before its entry in the log
        leaves it so, and one just after it. A newest version of which the other copy is damaged gets that anew.
        """
        self.data = None
        self.previous = None
        self.unconfirmed = False
        damaged_at = -1
        self.damaged = 0
        self.foreign = 0
        if not self._region.slots:
            return BLANK  # flash that has not been laid out yet
        versions: dict[int, bytes] = {}
        second = False
        copies: dict[int, int] = {}  # bit 0: in the first half, bit 1: in the second
        for slot in range(self._region.slots):
            found = self._look(slot)
            if found == SILENT:
                return SILENT
            if found == DAMAGED:
                self.damaged += 1
                damaged_at = slot
                second = second or slot >= self._half
            elif found == FOREIGN:
                self.foreign += 1
            elif found == GOOD:
                self.layout = max(self.layout, self._buf[7])
                version, length = unpack_from("<HB", self._buf, 4)
                versions[version] = bytes(self._buf[_DATA_AT : _DATA_AT + length])
                copies[version] = copies.get(version, 0) | 1 << slot // self._half
        if not versions:
            if self.foreign:
                return FOREIGN
            # Damage in the first half alone: the very first write was cut off, and nothing has been in use yet.
            if second:
                return DAMAGED
            return BLANK if self._region.works() else SILENT
        newest = self._newest(versions)
        self.version = newest
        self.data = versions.pop(newest)
        if versions:
            self.previous = versions[self._newest(versions)]
        if self.layout > LAYOUT:
            return GOOD
        if copies[newest] == 1 and damaged_at != self._half + newest % self._half:
            self.unconfirmed = True
        elif copies[newest] != 3:
            self._second(2 - copies[newest])
        return GOOD

    def _second(self, half: int) -> None:
        """Write the copy of the newest version that is missing in `half`. Not in the cycle."""
        self._jobs = [(self.version, half, self.data or b"")]
        self._writing = False
        while self.step():
            pass

    def settle(self, log: "EventLog", code: int, count_of: "Callable[[bytes], int]") -> int:
        """Where `load` has left a version `unconfirmed`, let the log decide, and return what `load` does now.

        The version counts if the log has its entry: `code` with the number that `count_of` finds in the data. Then it
        gets its second copy; otherwise it is made unreadable. Call it only while `unconfirmed` is set, and not in the
        cycle.
        """
        while self.unconfirmed:
            if log.holds(code, count_of(self.data or b"")):
                self.unconfirmed = False
                self._second(1)
                return GOOD
            self.discard()
            result = self.load()  # in flash an earlier try at the same version may lie one place before it
        return result

    def discard(self) -> None:
        """Make the first copy of a version unreadable, because the log has no entry of it. Call `load` next."""
        version = self._jobs[0][0] if self._jobs else self.version
        slot = version % self._half
        view = self._region.view(slot)
        for n in range(len(view)):
            view[n] = 0
        self._region.commit(slot)
        self._jobs = []
        self.unconfirmed = False

    @property
    def before_last(self) -> bool:
        """Whether the first copy is written and read back, and the second one not begun: the moment for the log."""
        return len(self._jobs) == 1 and not self._writing and self._jobs[0][1] == 1

    def accept(self, data: bytes) -> None:
        """Take up a version that the log has, although its second copy did not hold. It gets that at the next start."""
        self.previous = self.data
        self.version = (self.version + 1) & _VERSION_MASK
        self.data = data

    def begin(self, data: bytes) -> None:
        """Start to write a new version. Raises ValueError for more than `most_bytes`."""
        if len(data) > self.most_bytes:
            raise ValueError("%d bytes, at most %d" % (len(data), self.most_bytes))
        version = (self.version + 1) & _VERSION_MASK
        self._jobs = []
        if self._region.group and not self._begun and version % self._half:
            # A write may have been cut off here and have left weak bits, although the place reads as blank: the first
            # place after a start is passed over.
            version = (version + 1) & _VERSION_MASK
        self._begun = True
        if self._region.group and version % self._half == 0 and self.data is not None:
            # The block of each half will be erased in turn: the version in force is written into it anew, ahead of the
            # new one, so that it can still be gone back to.
            self._jobs = [(version, 0, self.data), (version, 1, self.data)]
            version = (version + 1) & _VERSION_MASK
        self._jobs += [(version, 0, data), (version, 1, data)]
        self._writing = False
        self.written = False

    def step(self) -> bool:
        """Write the next copy, or read it back; True while there is more to do. `written` tells success at the end."""
        if not self._jobs:
            return False
        version, half, data = self._jobs[0]
        slot = half * self._half + version % self._half
        self._writing = not self._writing
        if self._writing:
            self._write(version, slot, data)
            return True
        if not self._region.holds(slot):
            # In flash a place that was spoilt by a cut takes nothing any more: go on with the place of the next
            # version.
            ahead = (version - self.version) & _VERSION_MASK
            self._jobs = self._later() if self._region.group and 0 < ahead < self._half else []
            return bool(self._jobs)
        self._jobs.pop(0)
        if not self._jobs:
            if version != self.version:
                self.previous = self.data
            self.version = version
            self.data = data
            self.written = True
        return bool(self._jobs)

    def put(self, data: bytes) -> bool:
        """Write a version at once, with begin() and all its steps. Not in the cycle. True if it succeeded."""
        self.begin(data)
        while self.step():
            pass
        return self.written

    def _newest(self, versions: "dict[int, bytes]") -> int:
        """The newest of these version numbers, which are counted modulo 2^16."""
        newest = -1
        for version in versions:
            if newest < 0 or 0 < (version - newest) & _VERSION_MASK <= _NEWER:
                newest = version
        return newest

    def _later(self) -> "list[tuple[int, int, bytes]]":
        """The jobs for the same data under the next version number."""
        version, _, data = self._jobs[-1]
        version = (version + 1) & _VERSION_MASK
        return [(version, 0, data), (version, 1, data)]

    def _look(self, slot: int) -> int:
        """Read a slot into the buffer and judge it; what looks damaged is read again."""
        buf = self._buf
        for _ in range(_TRIES):
            if not self._region.read(slot, buf):
                return SILENT
            if blank(buf):
                return BLANK
            if unpack_from("<I", buf, self._check_at)[0] == check(buf, self._check_at) and buf[6] <= self.most_bytes:
                whose = buf[1] | buf[2] << 8 | buf[3] << 16
                return GOOD if buf[0] == _FORMAT and whose == self._board else FOREIGN
        return DAMAGED

    def _write(self, version: int, slot: int, data: bytes) -> None:
        """Write a record; in flash the block is erased where this is its first one."""
        region = self._region
        if region.group and version % self._half == 0:
            region.erase(slot)
        view = region.view(slot)
        pack_into("<i", view, 1, self._board)
        view[0] = _FORMAT
        pack_into("<HBB", view, 4, version, len(data), LAYOUT)
        view[_DATA_AT : self._check_at] = data + bytes(self.most_bytes - len(data))
        pack_into("<i", view, self._check_at, check(view, self._check_at))
        region.commit(slot)
