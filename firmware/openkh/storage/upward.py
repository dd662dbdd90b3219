"""The way up from an older layout of the journal's record: found here, written in this layout by the next save.

What is found stays as it is until a record of this layout has been written and read back; a power cut before that
leaves the same way to be gone again.
"""

from openkh.storage.scan import Scan
from openkh.storage.verdict import BLANK, GOOD, OLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.storage.regions import OlderJournal


def find(scan: Scan, group: int, older: "tuple[OlderJournal, ...]", identity: int) -> int:
    """Look for records of older layouts, newest layout first; the verdict. Where it is GOOD, `scan` tells what its own
    run would have: the newest record, and where the next may go.

    `scan` has found nothing of this layout; `group` is its region's. Takes as long as another start, and heap.
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
                # The same blocks: the newest record's is kept, and the one after it erased for the next record.
                scan.newest = old.newest // region.group * group
                scan.free = -1
        if result not in (BLANK, OLDER):
            return result
    return BLANK
