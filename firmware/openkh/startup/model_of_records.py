"""Finds model and service of a meter whose factory data are damaged (FAIL 03) from the records of its journal.

Each record has a hash of board, model and service (records.identity), and there are few enough models to try them all.
The meter then goes on as the model that it is, with its register. Serial number and date are lost until they are
written again.
"""

from openkh.storage import records, verdict
from openkh.storage.layout import RECORD_FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.storage.regions import Memory


def model_of_records(memory: "Memory", board_id: bytes) -> "tuple[str, str] | None":
    """Model code and service of the newest record of the board `board_id`; None where it has none. Reads the whole
    journal, which takes 0.1 s with FRAM and 1 s with flash."""
    codes = {}
    for elements in "SD":
        for counter in ("NC", "TC"):
            for rating in "12":
                for core in ("SC", "SP", "NC"):
                    code = "M%s%sT-%s%s" % (elements, counter, rating, core)
                    codes[records.identity(board_id, code, "60Hz")] = (code, "60Hz")
                    if elements == "S":
                        codes[records.identity(board_id, code, "50Hz")] = (code, "50Hz")
    found = None
    newest = -1
    for region, form, _ in ((memory.journal, RECORD_FORMAT, 0),) + memory.older_journals:
        buf = bytearray(region.size)
        for slot in range(region.slots):
            if not region.read(slot, buf):
                continue
            whose = buf[1] | buf[2] << 8 | buf[3] << 16
            if records.judge(buf, whose, form) == verdict.GOOD and whose in codes:
                sequence = records.sequence_of(buf)
                if newest < 0 or records.newer(sequence, newest):
                    newest = sequence
                    found = codes[whose]
    return found
