"""The journal's record: one State in 85 bytes, three to a flash page (ST-1, ST-2).

    at  bytes
     0      1  format: what this is and its version
     1      3  identity: hash of board, model and service
     4      4  sequence number, 30 bits, after whose highest value 0 comes again
     8      1  marks in bits 0 to 3, and in bits 4 to 7 the life, which is the number of the power-up modulo 16
     9     72  the fields of State, little-endian, in the order of FIELDS
    81      4  check of all bytes before it

The check comes last, so that a record counts only when all of it was written.
"""

from struct import pack_into, unpack_from

from openkh.state import FIELDS
from openkh.storage.check import START, blank, check
from openkh.storage.layout import RECORD_BYTES, RECORD_FORMAT
from openkh.storage.verdict import BLANK, DAMAGED, FOREIGN, GOOD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.state import State


# Marks of a record.
NO_RAW_1 = 1  # the counter of line 1's front end (raw_1 of State) is not known
NO_RAW_2 = 2  # that of line 2's is not known
FAILING = 4  # the record was written while the supply was failing
AHEAD = 8  # flash: when the record was written, the block after its own was erased already

SEQUENCE_MASK = 0x3FFFFFFF
_NEWER = 0x1FFFFFFF
_FIELDS_AT = 9
_CHECK_AT = RECORD_BYTES - 4

# Bytes of each field where they are not four.
_WIDTHS = {
    "delivered_counts": 2,
    "rolls": 1,
    "received_counts": 2,
    "raw_1": 3,
    "raw_2": 3,
    "edges_100": 3,
    "edges_1000": 3,
    "counter_given": 3,
    "run_us": 3,
    "sub_k": 3,
    "periods": 2,
}


def _offsets() -> bytes:
    at = _FIELDS_AT
    offsets = []
    for name in FIELDS:
        offsets.append(at)
        at += _WIDTHS.get(name, 4)
    if at != _CHECK_AT:
        raise ValueError("record layout does not match State")
    return bytes(offsets)


_OFFSETS = _offsets()
_MASKS = tuple((1 << 8 * _WIDTHS.get(name, 4)) - 1 if name in _WIDTHS else SEQUENCE_MASK for name in FIELDS)


def identity(board_id: bytes, code: str, service: str) -> int:
    """Whose record it is, as a hash of 24 bits of the board's unique id, the model code and the service (ST-2)."""
    crc = START
    for part in (board_id, code.encode(), service.encode()):
        crc = check(bytearray(part), len(part), crc)
        crc = check(bytearray(1), 1, crc)  # a zero after each part, so that "ab", "c" and "a", "bc" differ
    return crc & 0xFFFFFF


def newer(sequence: int, than: int) -> bool:
    """Whether a sequence number comes after `than`, counting on from the highest one to 0."""
    return sequence != than and (sequence - than) & SEQUENCE_MASK <= _NEWER


def pack(buf: "bytearray | memoryview", state: "State", whose: int, sequence: int, marks: int) -> None:
    """Write the record of `state` into `buf`, RECORD_BYTES long. `whose` is what `identity` gives; `marks` has FAILING
    and AHEAD where they apply, and the life in bits 4 to 7.

    Allocates nothing.
    """
    if state.raw_1 < 0:
        marks |= NO_RAW_1
    if state.raw_2 < 0:
        marks |= NO_RAW_2
    pack_into("<i", buf, 1, whose)
    pack_into("<i", buf, 4, sequence)
    buf[0] = RECORD_FORMAT
    buf[8] = marks
    _pack_fields(buf, state)
    crc = check(buf, _CHECK_AT)
    pack_into("<i", buf, _CHECK_AT, crc)


def _pack_fields(buf: "bytearray | memoryview", state: "State") -> None:
    # Where a field is narrower than the four bytes that are written for it, it is the last one of its call, and the
    # next call writes over the surplus. Few values a call, so that this function's frame needs no heap (DR-7).
    pack_into("<iHBi", buf, 9, state.delivered_wh, state.delivered_counts, state.rolls & 255, state.received_wh)
    pack_into("<Hi", buf, 20, state.received_counts, state.raw_1)
    pack_into("<i", buf, 25, state.raw_2)
    pack_into("<ii", buf, 28, state.edges_10, state.edges_100)
    pack_into("<i", buf, 35, state.edges_1000)
    pack_into("<i", buf, 38, state.counter_given)
    pack_into("<ii", buf, 41, state.run_s, state.run_us)
    pack_into("<i", buf, 48, state.sub_k)
    pack_into("<iiii", buf, 51, state.sub_counts, state.sub_4us, state.sub_1_mw, state.sub_2_mw)
    pack_into("<iiiH", buf, 67, state.interval_mw, state.max_mw, state.last_max_mw, state.periods & 0xFFFF)


def judge(buf: "bytearray | memoryview", whose: int, form: int = RECORD_FORMAT) -> int:
    """What `buf`, a whole slot, holds: BLANK, GOOD (a record of the layout `form` that is `whose`), DAMAGED, or FOREIGN
    (an undamaged one of another layout, board, model or service)."""
    if blank(buf):
        return BLANK
    # The stored check is compared byte by byte, because four bytes of 0xFF would make no small integer (DR-3).
    at = len(buf) - 4
    crc = check(buf, at)
    for i in range(at, at + 4):
        if buf[i] != crc & 255:
            return DAMAGED
        crc >>= 8
    if buf[0] != form or buf[1] != whose & 255 or buf[2] != whose >> 8 & 255 or buf[3] != whose >> 16:
        return FOREIGN
    return GOOD


def sequence_of(buf: "bytearray | memoryview") -> int:
    """The sequence number of a GOOD record."""
    return unpack_from("<i", buf, 4)[0] & SEQUENCE_MASK


def unpack(buf: "bytearray | memoryview", state: "State", fields: int = len(FIELDS)) -> None:
    """Set `state` from a GOOD record that has the first `fields` of FIELDS; the other fields stay as they are."""
    for i in range(fields):
        # Four bytes are read for every field; of a narrow one the mask leaves its own.
        setattr(state, FIELDS[i], unpack_from("<i", buf, _OFFSETS[i])[0] & _MASKS[i])
    if buf[8] & NO_RAW_1:
        state.raw_1 = -1
    if buf[8] & NO_RAW_2:
        state.raw_2 = -1
