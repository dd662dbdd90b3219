"""Calibration and factory data: two places, the newest good one wins, the one before stays (ID-5, CA-3, DX-6)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.rigs.memory_rig import Cut, Rig
from openkh.storage.check import check
from openkh.storage.verdict import BLANK, DAMAGED, FOREIGN, GOOD, SILENT

MEDIA = ["fram", "flash"]
both = pytest.mark.parametrize("medium", MEDIA)


def loaded(rig, result=GOOD):
    vault = rig.vault()
    assert vault.load() == result
    return vault


def places(rig):
    """First byte of every slot in the chip's memory."""
    region = rig.memory().calibration
    if rig.medium == "fram":
        return [region._first + slot * region._stride for slot in range(region.slots)]
    return [region.blocks[slot // 32] * 4096 + slot % 32 // 2 * 256 + slot % 2 * 108 for slot in range(region.slots)]


def damage(rig, version=None):
    """Spoil each copy of a version, or of all."""
    for at in places(rig):
        record = rig.chip.memory[at : at + 108]
        if record[0] == 0x5A and version in (None, record[4] | record[5] << 8):
            rig.chip.memory[at + 20] ^= 8


@both
def test_ID_5_data_and_the_version_before(medium):
    rig = Rig(medium)
    assert loaded(rig, BLANK).data is None
    for n in range(100):
        vault = loaded(rig, GOOD if n else BLANK)
        assert vault.put(b"version %d" % n)
        again = loaded(rig)
        assert again.data == b"version %d" % n
        assert again.previous == (b"version %d" % (n - 1) if n else None)
        assert again.damaged == 0


@both
def test_DX_6_a_length_for_which_a_record_has_no_room_is_damage_whatever_its_check(medium):
    rig = Rig(medium)
    loaded(rig, BLANK).put(b"good")
    at = next(at for at in places(rig) if rig.chip.memory[at] == 0x5A)
    size = rig.memory().calibration.size
    record = rig.chip.memory[at : at + size]
    record[6] = size - 11  # one more than there is room for
    record[size - 4 :] = (check(record, size - 4) & 0xFFFFFFFF).to_bytes(4, "little")
    rig.chip.memory[at : at + size] = record
    vault = loaded(rig)
    assert (vault.data, vault.damaged) == (b"good", 1)


@both
def test_DX_6_one_damaged_copy_does_no_harm_and_is_reported(medium):
    rig = Rig(medium)
    loaded(rig, BLANK).put(b"good")
    at = next(at for at in places(rig) if rig.chip.memory[at] == 0x5A)
    rig.chip.memory[at + 20] ^= 8
    vault = loaded(rig)
    assert vault.data == b"good"
    assert vault.damaged == 1


@both
def test_DX_6_no_good_copy_is_damage_not_blank(medium):
    rig = Rig(medium)
    loaded(rig, BLANK).put(b"good")
    damage(rig)
    assert loaded(rig, DAMAGED).data is None


@both
def test_ST_2_data_of_another_board_are_refused(medium):
    rig = Rig(medium)
    loaded(rig, BLANK).put(b"theirs")
    vault = rig.vault(board=bytes(8))
    assert vault.load() == FOREIGN
    assert vault.data is None


@both
def test_a_memory_that_does_not_answer(medium):
    rig = Rig(medium)
    rig.chip.silent = True
    loaded(rig, SILENT if medium == "fram" else BLANK)  # flash without its map: not laid out yet


@both
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_CA_3_a_cut_leaves_the_old_or_the_new_and_the_next_one_can_be_written(medium, data):
    rig = Rig(medium, seed=data.draw(st.integers(1, 999)))
    vault = loaded(rig, BLANK)
    held = None
    for n in range(data.draw(st.integers(1, 30))):
        new = b"version %d" % n
        if data.draw(st.booleans()):
            rig.chip.cut_in = data.draw(st.integers(0, 320 if medium == "fram" else 3))
            rig.chip.cut_fraction = data.draw(st.floats(0, 1))
        try:
            assert vault.put(new)
            held = new
            rig.chip.cut_in = -1
        except Cut:
            rig.power(True)
            vault = rig.vault()
            assert vault.load() == (GOOD if vault.data is not None else BLANK)
            assert vault.data in (held, new)
            held = vault.data


def test_field_bug_27_a_cut_while_a_block_is_begun_anew_leaves_the_old_or_the_new():
    """Flash: the old data must not be removed before the new ones are there, at any operation of the change."""
    for cut_in in range(7):
        for fraction in (0.0, 0.3, 0.9):
            rig = Rig("flash", seed=cut_in + 1)
            vault = loaded(rig, BLANK)
            half = vault._half
            while (vault.version + 1) % half:
                assert vault.put(b"version %d" % vault.version)
            held = vault.data
            rig.chip.cut_in = cut_in
            rig.chip.cut_fraction = fraction
            try:
                vault.put(b"new")
                held = b"new"
            except Cut:
                rig.power(True)
            rig.chip.cut_in = -1
            assert loaded(rig).data in (held, b"new")


@both
def test_undo_puts_the_one_before_back(medium):
    rig = Rig(medium)
    vault = loaded(rig, BLANK)
    vault.put(b"one")
    vault.put(b"two")
    assert vault.put(vault.previous)
    again = loaded(rig)
    assert (again.data, again.previous) == (b"one", b"two")


@both
def test_a_write_that_does_not_hold_is_no_success(medium):
    rig = Rig(medium)
    vault = loaded(rig, BLANK)
    vault.put(b"one")
    rig.chip.stuck = True
    assert not vault.put(b"two")
    rig.chip.stuck = False
    assert loaded(rig).data == b"one"


def test_too_much_is_refused():
    with pytest.raises(ValueError, match="at most 96"):
        loaded(Rig("fram"), BLANK).begin(bytes(97))


def test_ID_5_after_a_start_the_first_place_in_flash_is_passed_over():
    """A write may have been cut off there, and have left weak bits in what reads as blank."""
    rig = Rig("flash")
    vault = loaded(rig, BLANK)
    vault.put(b"0")
    assert vault.put(b"1") and vault.version == loaded(rig).version
    first = vault.version
    again = loaded(rig)
    assert again.put(b"2") and again.version == first + 2
    assert again.put(b"3") and again.version == first + 3


@pytest.mark.parametrize("copy", range(1, 4))
def test_ID_5_a_place_that_takes_nothing_at_the_head_of_a_block_does_not_cost_the_new_version(copy):
    """The version in force is written ahead of the new one there; the new one is what goes on to the next place."""
    rig = Rig("flash")
    vault = loaded(rig, BLANK)
    while (vault.version + 1) % vault._half:
        vault.put(b"old %d" % (vault.version + 1))
    old = vault.data
    vault.begin(b"new")
    version, half, _ = vault._jobs[copy]
    spoilt = half * vault._half + version % vault._half
    holds = vault._region.holds
    vault._region.holds = lambda slot: slot != spoilt and holds(slot)
    while vault.step():
        pass
    assert vault.written and vault.data == b"new"
    assert loaded(rig).data == b"new" != old


@both
def test_ID_5_the_newest_version_is_found_while_the_numbers_begin_anew(medium):
    rig = Rig(medium)
    vault = loaded(rig, BLANK)
    vault.version = 65_532
    for n in range(8):
        assert vault.put(b"version %d" % n)
        vault = loaded(rig)
        assert vault.data == b"version %d" % n
        assert vault.previous == (b"version %d" % (n - 1) if n else None)
    assert vault.version < 100  # so it has gone over the highest number
