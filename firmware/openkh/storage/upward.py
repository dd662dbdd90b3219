"""The way up from an older layout of the journal's record: `find` takes up the newest record, and the next save writes
it in this firmware's layout.

The record that was found stays as it is until one of this layout has been written and read back. After a power cut
before that, the next start goes the same way again.
"""

from openkh.storage.scan import Scan
from openkh.storage.verdict import BLANK, GOOD, OLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.storage.regions import OlderJournal


def find(scan: Scan, group: int, older: "tuple[OlderJournal, ...]", identity: int) -> int:
    """Look for records of the layouts `older`, newest layout first, and return the verdict.

    `scan` has looked through the journal's region, whose `group` this is, and found nothing of this layout. Where the
    verdict is GOOD, `scan` afterwards has the newest record and where the next may go, as if its own run had found
    them. Takes as long as another scan, and heap.
    """
    for n in range(len(older)):
        region, form, fields = older[n]
        old = Scan(region, identity, older[n + 1 :], form, fields)
        result = old.run()
        if old.doubt:
            result = old.run()
        if result == GOOD:
            scan.found.copy(old.found)
            scan.sequence = old.sequence
            scan.life = old.life
            scan.next = -1
            if group:
                # In flash the blocks are the same: that of the newest record is kept, and the one after it will be
                # erased for the next record.
                scan.newest = old.newest // region.group * group
                scan.free = -1
        if result not in (BLANK, OLDER):
            return result
    return BLANK
