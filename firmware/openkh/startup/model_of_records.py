"""Model and service of a meter whose factory data are damaged (FAIL 03): its journal's records still tell them.

A record carries a hash of board, model and service (records.identity), and there are few enough models to try them all.
The meter then goes on as the model it is, with its register; serial number and date are lost until they are written
again.
"""

from openkh.storage import records, verdict
from openkh.storage.layout import RECORD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.storage.regions import FlashRegion, FramRegion


def model_of_records(journal: "FramRegion | FlashRegion", board_id: bytes) -> "tuple[str, str] | None":
    """Model code and service of the newest record of this board, or None. Reads the journal: 0.1 s on FRAM, 1 s on
    flash."""
    codes = {}
    for elements in "SD":
        for counter in ("NC", "TC"):
            for rating in "12":
                for core in ("SC", "SP", "NC"):
                    code = "M%s%sT-%s%s" % (elements, counter, rating, core)
                    codes[records.identity(board_id, code, "60Hz")] = (code, "60Hz")
                    if elements == "S":
                        codes[records.identity(board_id, code, "50Hz")] = (code, "50Hz")
    buf = bytearray(RECORD_BYTES)
    found = None
    newest = -1
    for slot in range(journal.slots):
        if not journal.read(slot, buf):
            continue
        whose = buf[1] | buf[2] << 8 | buf[3] << 16
        if records.judge(buf, whose) == verdict.GOOD and whose in codes:
            sequence = records.sequence_of(buf)
            if newest < 0 or records.newer(sequence, newest):
                newest = sequence
                found = codes[whose]
    return found
