"""What drivers written by others do with an ADE7953 and ours does not, in frames of bytes.

Seen by running published C drivers against the simulated chip (c_drivers/).
"""

import pytest

from host_tests.mp.chip_rig import Rig


@pytest.fixture
def raw() -> Rig:
    """A chip that has just started, untouched."""
    return Rig(tuned=False)


def hexes(rig: Rig, frame: str) -> str:
    return rig.frame(bytes.fromhex(frame)).hex()


def test_a_software_reset_is_polled_in_32_bits_until_its_flag_comes(raw: Rig) -> None:
    """SWRST, 10 ms, then IRQSTATA by its 32-bit address each 10 ms: silence, then the flag; everything is forgotten."""
    hexes(raw, "03820000512345")
    hexes(raw, "0102000080")  # CONFIG = 0x0080: SWRST, and all its other bits cleared
    answers = []
    for _ in range(6):
        raw.clock.sleep(10_000)
        answers.append(hexes(raw, "032d8000000000")[6:])
    assert answers[:3] == ["00000000"] * 3
    assert int(answers[-1], 16) >> 20 & 1
    assert hexes(raw, "03828000000000")[6:] == "00400000"
    assert hexes(raw, "0102800000")[6:] == "8004"


def test_lock_and_key_follow_the_reset_in_frames_of_their_own(raw: Rig) -> None:
    hexes(raw, "0102000004")
    assert raw.chip.locked()
    hexes(raw, "00fe00ad")
    hexes(raw, "0120000030")
    assert hexes(raw, "0120800000")[6:] == "0030"


@pytest.mark.parametrize(
    "between",
    ["01fe800000", "00fd8000"],  # LAST_ADD, LAST_OP: a check of the key's frame
)
def test_a_look_at_what_the_key_did_closes_it_where_the_chip_is_strict(between: str) -> None:
    for strict in (True, False):
        rig = Rig(tuned=False, key_strict=strict)
        hexes(rig, "00fe00ad")
        hexes(rig, between)
        hexes(rig, "0120000030")
        assert hexes(rig, "0120800000")[6:] == ("0000" if strict else "0030")


def test_key_and_setting_under_one_CS_are_one_frame(raw: Rig) -> None:
    """One register for each CS: the rest of the bytes means nothing."""
    hexes(raw, "00fe00ad0120000030")
    assert hexes(raw, "0120800000")[6:] == "0000"


def test_read_with_reset_is_switched_on_and_off_between_two_readings(raw: Rig) -> None:
    """LCYCMODE is read, changed and written back ahead of an energy reading that shall clear, or not."""
    raw.chip.drive(1.0, 1.0, 1.0, 0.0, 60.0)
    assert hexes(raw, "00048000")[6:] == "40"
    raw.sleep(1)
    first = int(hexes(raw, "031e8000000000")[6:], 16)
    assert first > 200_000
    assert int(hexes(raw, "031e8000000000")[6:], 16) < 10
    hexes(raw, "00040000")
    raw.sleep(1)
    second = int(hexes(raw, "031e8000000000")[6:], 16)
    assert int(hexes(raw, "031e8000000000")[6:], 16) == second > 200_000


def test_a_24_bit_value_in_32_bits_and_a_negative_one(raw: Rig) -> None:
    """Writes to 0x3xx carry four bytes, results are sign-extended: a reverse power is 0xFF......"""
    raw.chip.drive(0.5, 0.5, -0.25, 0.0, 60.0)
    assert hexes(raw, "03128000000000")[6:8] == "ff"
    hexes(raw, "03890000ffff00")
    assert hexes(raw, "02898000000000")[6:12] == "ffff00"


def test_an_eight_bit_read_of_four_bytes_brings_one(raw: Rig) -> None:
    """A driver that always clocks a word gets its byte first, and nothing after it."""
    assert hexes(raw, "000480000000")[6:] == "400000"


def test_the_version_is_read_before_anything_is_set_up(raw: Rig) -> None:
    assert hexes(raw, "07028000")[6:] == "03"
