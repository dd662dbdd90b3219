"""The record and its check: what is damaged is never taken for good (ST-2)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openkh.state import FIELDS, State
from openkh.storage import layout, records, verdict
from openkh.storage.check import check

BOARD = bytes(range(8))
WHOSE = records.identity(BOARD, "MDNCT-1SC", "60Hz")

LARGEST = {
    "delivered_counts": 31_999,
    "rolls": 255,
    "received_counts": 31_999,
    "raw_1": 0xFFFFFF,
    "raw_2": 0xFFFFFF,
    "edges_100": 9_999_999,
    "edges_1000": 999_999,
    "counter_given": 9_999_999,
    "run_us": 999_999,
    "sub_k": 0xFFFFFF,
    "periods": 65_535,
}
STATES = st.fixed_dictionaries(
    {name: st.integers(-1 if name.startswith("raw") else 0, LARGEST.get(name, 999_999_999)) for name in FIELDS}
)


def state_of(values):
    state = State()
    for name in values:
        setattr(state, name, values[name])
    return state


def packed(state=None, sequence=7, marks=0):
    buf = bytearray(layout.RECORD_BYTES)
    records.pack(buf, state or State(), WHOSE, sequence, marks)
    return buf


@given(values=STATES, sequence=st.integers(0, records.SEQUENCE_MASK), life=st.integers(0, 15))
@settings(max_examples=300, deadline=None)
def test_ST_1_a_record_gives_back_every_field(values, sequence, life):
    buf = packed(state_of(values), sequence, life << 4 | records.AHEAD)
    assert records.judge(buf, WHOSE) == verdict.GOOD
    assert records.sequence_of(buf) == sequence
    assert buf[8] >> 4 == life
    assert buf[8] & records.AHEAD
    state = State()
    records.unpack(buf, state)
    assert {name: getattr(state, name) for name in FIELDS} == values


@pytest.mark.parametrize("even", [True, False])
def test_ST_1_the_largest_number_of_a_field_leaves_those_beside_it(even):
    values = {name: LARGEST.get(name, 999_999_999) * (n % 2 == even) for n, name in enumerate(FIELDS)}
    state = State()
    records.unpack(packed(state_of(values)), state)
    assert {name: getattr(state, name) for name in FIELDS} == values


def test_ST_2_the_check_is_that_of_the_polynomial_bit_by_bit():
    polynomial = int(f"{0x2030B9C7:030b}"[::-1], 2)
    for text in (b"", b"\0", b"123456789", bytes(range(256))):
        crc = 0x3FFFFFFF
        for byte in text:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ polynomial * (crc & 1)
        assert check(bytearray(text), len(text)) == crc


def test_field_bug_18_an_unknown_raw_count_is_not_taken_for_a_reading():
    """A reading of all ones is one; -1, "not known" after a chip's reset, is another thing."""
    for raw in (-1, 0, 0xFFFFFF):
        state = State()
        state.raw_1 = raw
        buf = packed(state)
        back = State()
        back.raw_2 = 5
        records.unpack(buf, back)
        assert back.raw_1 == raw
        assert back.raw_2 == -1


@given(values=STATES, bits=st.lists(st.integers(0, 8 * layout.RECORD_BYTES - 1), min_size=1, max_size=5, unique=True))
@settings(max_examples=300, deadline=None)
def test_ST_2_up_to_five_wrong_bits_are_damage(values, bits):
    buf = packed(state_of(values))
    for bit in bits:
        buf[bit >> 3] ^= 1 << (bit & 7)
    assert records.judge(buf, WHOSE) == verdict.DAMAGED


@given(old=STATES, new=STATES, cut=st.integers(1, layout.RECORD_BYTES - 1))
@settings(max_examples=300, deadline=None)
def test_ST_2_a_torn_record_is_damage(old, new, cut):
    """The beginning of a new record over the end of an old one."""
    first = packed(state_of(old), 1)
    second = packed(state_of(new), 17)
    torn = second[:cut] + first[cut:]
    if torn not in (first, second):
        assert records.judge(torn, WHOSE) == verdict.DAMAGED


def test_ST_2_the_check_finds_all_errors_of_up_to_five_bits():
    """By exhaustion: no two, and no two pairs, of single-bit errors leave the same remainder; odd ones never cancel."""
    for size in (layout.EVENT_BYTES - 4, layout.RECORD_BYTES - 4, layout.VAULT_BYTES - 4):
        plain = check(bytes(size), size)
        remainders = [1 << bit for bit in range(30)]
        for bit in range(8 * size):
            buf = bytearray(size)
            buf[bit >> 3] = 1 << (bit & 7)
            remainders.append(check(buf, size) ^ plain)
        assert all(value.bit_count() & 1 for value in remainders)
        values = np.array(remainders)
        first, second = np.triu_indices(len(values), 1)
        pairs = values[first] ^ values[second]
        assert pairs.all()
        assert len(np.unique(pairs)) == len(pairs)


def test_ST_2_blank_memory_is_no_damage():
    for value in (0, 255):
        assert records.judge(bytearray([value]) * layout.RECORD_BYTES, WHOSE) == verdict.BLANK
    assert records.judge(bytearray([1]) + bytearray(layout.RECORD_BYTES - 1), WHOSE) == verdict.DAMAGED


@pytest.mark.parametrize(
    ("board", "code", "service"),
    [
        (bytes(8), "MDNCT-1SC", "60Hz"),
        (BOARD, "MDTCT-1SC", "60Hz"),
        (BOARD, "MSNCT-1SC", "50Hz"),
    ],
)
def test_ST_2_a_record_of_another_board_model_or_service_is_foreign(board, code, service):
    assert records.judge(packed(), records.identity(board, code, service)) == verdict.FOREIGN


def test_ST_2_a_record_of_another_layout_is_foreign():
    buf = packed()
    buf[0] = layout.RECORD_FORMAT + 1
    at = layout.RECORD_BYTES - 4
    buf[at:] = check(buf, at).to_bytes(4, "little")
    assert records.judge(buf, WHOSE) == verdict.FOREIGN


def test_sequence_numbers_go_on_round_their_end():
    assert records.newer(5, 4)
    assert not records.newer(4, 4)
    assert not records.newer(4, 5)
    assert records.newer(3, records.SEQUENCE_MASK - 3)
    assert not records.newer(records.SEQUENCE_MASK - 3, 3)


def test_the_sizes_in_the_registry_are_the_records():
    whole = sum(count for count, _ in layout.FLASH_USES) + layout.FLASH_PORT_BLOCKS + layout.FLASH_INTERVAL_BLOCKS
    whole += layout.FLASH_SEAL_BLOCKS
    assert whole == layout.FLASH_BLOCKS


def test_the_regions_in_fram_do_not_overlap_and_fit_the_smaller_part():
    """A journal of a later layout may lie in the larger part's free place, which ends where the interval data begin."""
    uses = [
        (layout.FRAM_JOURNAL, layout.RECORD_BYTES),
        (layout.FRAM_CALIBRATION, layout.VAULT_BYTES),
        (layout.FRAM_EVENTS, layout.EVENT_BYTES),
        (layout.FRAM_SERVICE_EVENTS, layout.EVENT_BYTES),
        (layout.FRAM_SEAL_EVENTS, layout.EVENT_BYTES),
        (layout.FRAM_FACTORY, layout.VAULT_BYTES),
    ]
    uses += [(place, size) for _, _, size, place in layout.OLDER_RECORDS]
    end = 0
    for (first, slots, stride), size in sorted(uses):
        assert first >= end
        assert stride >= size
        end = first + slots * stride
        assert end <= (layout.FRAM_INTERVALS[0] if size == layout.RECORD_BYTES and first >= 8192 else 8192)
