"""Reading the journal after a start: which record is the newest good one, and where the next may go (ST-1, ST-2).

On flash a cut can leave bits that read as 0 at one time and as 1 at another. So what it may have left half written is
made unreadable, and a slot in which a write may just have begun is not used although it reads as blank.
"""

from openkh.state import FIELDS, State
from openkh.storage import records
from openkh.storage.layout import RECORD_FORMAT
from openkh.storage.verdict import BLANK, DAMAGED, FOREIGN, GOOD, OLDER, SILENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.storage.flash_regions import FlashRegion
    from openkh.storage.regions import FramRegion, OlderJournal

_TRIES = 3  # reads of a slot before its content is taken for damaged
# Where the first record of a new meter is cut off again and again, it leaves so many damaged ones and no good one.
_TORN_AT_BIRTH = 4


class Scan:
    """Call begin(), then step() until it returns True, then finish(). A step looks at one slot of FRAM or one block of
    flash; either is called a unit here.

    Afterwards `found` is the state in the newest record, `newest` its slot, `sequence` and `life` its own. `free` is
    the slot for the next record, -1 where none is ready, and `next` the first slot of the block after that one's, -1
    where that block is not erased. `damaged` and `foreign` count the slots of their kind.
    """

    def __init__(
        self,
        region: "FramRegion | FlashRegion",
        identity: int,
        older: "tuple[OlderJournal, ...]" = (),
        form: int = RECORD_FORMAT,
        fields: int = len(FIELDS),
    ) -> None:
        """`older` is as Memory.older_journals. `form` and `fields` are the first byte and the number of fields of the
        records to look for, where they are not of this firmware's layout."""
        self._region = region
        self._identity = identity
        self._older = older if region.group else ()  # in FRAM each layout has a place of its own
        self._form = form
        self._fields = fields
        self._buf = bytearray(region.size)
        self._erased = b"\xff" * region.size
        self._unit = max(1, region.group)
        self.found = State()
        self.busy = False
        self.newest = -1
        self.sequence = 0
        self.life = 0
        self.free = 0
        self.next = -1
        self.damaged = 0
        self.foreign = 0
        self._older_blocks = 0  # blocks that have records of an older layout
        self.doubt = False  # finish() wants another scan before it believes what it has seen
        self._unread = 0  # slots that did not answer
        self._blanks = 0
        self._at = 0  # first slot of the next unit
        self._best = -1  # first good slot of the newest unit so far

    def run(self) -> int:
        """Make the whole scan at once and return what finish() does."""
        self.begin()
        while not self.step():
            pass
        return self.finish()

    def begin(self) -> None:
        """Start from the first slot."""
        self.busy = True
        self.damaged = 0
        self.foreign = 0
        self._older_blocks = 0
        self._unread = 0
        self._blanks = 0
        self._at = 0
        self._best = -1

    def step(self) -> bool:
        """Look at the next unit; True after the last one."""
        if not self._region.slots:
            self._unread = 1
            return True
        at = self._at
        self._at = at + self._unit
        if self._older and self._is_older(at):
            self._older_blocks += 1
            return self._at >= self._region.slots
        for slot in range(at, self._at):
            found = self._look(slot)
            if found == GOOD:
                # Within a block the sequence numbers rise, so its first good record tells how new the block is.
                sequence = records.sequence_of(self._buf)
                if self._best < 0 or records.newer(sequence, self.sequence):
                    self._best = slot
                    self.sequence = sequence
                break
            if found == BLANK:
                self._blanks += 1
            if self._buf == self._erased:
                break  # nothing follows in this block, because a slot that was passed over does not read as erased
        return self._at >= self._region.slots

    def _is_older(self, at: int) -> bool:
        """Flash: whether the block that begins with slot `at` has a record of an older layout, in slots of its size."""
        buf = self._buf
        read = self._region.read(at, buf)
        if read and (buf == self._erased or records.judge(buf, self._identity, self._form) == GOOD):
            return False
        for region, form, _ in self._older:
            buf = bytearray(region.size)
            first = at // self._unit * region.group
            for slot in range(first, first + region.group):
                if region.read(slot, buf) and records.judge(buf, self._identity, form) == GOOD:
                    return True
        return False

    def finish(self) -> int:
        """Decide what the journal holds: BLANK (a new meter), GOOD, DAMAGED (there was a record, and there is no good
        one), FOREIGN, SILENT, or OLDER. After SILENT with `doubt` set another scan is wanted."""
        self.busy = False
        self.newest = -1
        self.next = -1
        self.free = 0
        if self._unread:
            return SILENT  # the newest record may be in the slot that did not answer; an older one has a lower register
        if self._best < 0:
            if self.foreign:
                return FOREIGN
            if self.damaged > (_TORN_AT_BIRTH if self._unit > 1 else 1):
                return DAMAGED
            if self._older_blocks:
                return OLDER
            if not self._region.works():
                return SILENT
            if self._unit > 1:
                self.free = self._room(0, self._unit)
            return BLANK
        if self._unit == 1 and self._blanks and self.sequence >= self._region.slots and not self.doubt:
            # FRAM that has been filled once has no blank slots: the bus may have been stuck while some were read.
            self.doubt = True
            return SILENT
        self.doubt = False
        newest = self._newest()
        if newest < 0 or self._unread:
            return SILENT
        self.newest = newest
        self.sequence = records.sequence_of(self._buf)
        self.life = self._buf[8] >> 4
        ahead = self._buf[8] & records.AHEAD
        records.unpack(self._buf, self.found, self._fields)
        if self._unit == 1:
            self.free = (newest + 1) % self._region.slots
            return GOOD
        end = newest - newest % self._unit + self._unit
        after = end % self._region.slots
        self.free = self._room(newest + 1, end)
        if ahead:
            if self.free < 0:
                self.free = self._room(after, after + self._unit)  # there a first record may have been cut off
            else:
                self.next = after
        return GOOD

    def _look(self, slot: int) -> int:
        """Read a slot into the buffer and judge it. One that does not answer is counted and taken for blank."""
        found = -1
        for _ in range(_TRIES):
            if self._region.read(slot, self._buf):
                found = records.judge(self._buf, self._identity, self._form)
                if found != DAMAGED:
                    break
        if found < 0:
            self._unread += 1
            return BLANK
        if found == DAMAGED:
            self.damaged += 1
        elif found == FOREIGN:
            self.foreign += 1
        return found

    def _newest(self) -> int:
        """The last good slot of the newest unit, read into the buffer; -1 if it cannot be read any more.

        What a cut has left half written behind it is made unreadable, or it could pass for a record at another start.
        """
        first = self._best
        slot = first - first % self._unit + self._unit - 1
        while slot > first:
            found = self._look(slot)
            if found == GOOD:
                return slot
            if found == DAMAGED:
                self._region.spoil(slot)
            slot -= 1
        return first if self._look(first) == GOOD else -1

    def _room(self, first: int, end: int) -> int:
        """Flash: the slot from `first` on, before `end`, at which a block is gone on with after a start; -1 where it is
        full.

        It is past everything that a cut may have left half done. The first blank slot is passed over and made
        unreadable, because a record may have begun in it although it reads as blank.
        """
        slot = end
        while slot > first and self._region.read(slot - 1, self._buf) and self._buf == self._erased:
            slot -= 1
        if slot < end:
            self._region.spoil(slot)
        return slot + 1 if slot + 1 < end else -1
