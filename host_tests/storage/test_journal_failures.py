"""The journal where writes fail, the memory is away or damaged, in any order (ST-1, ST-2, DX-6)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.rigs.memory_rig import Cut, Rig
from host_tests.storage.journal_rig import MEDIA, advance, both, fields, filled, slots_of, started
from openkh.metrology.energy import ROLL_WH
from openkh.model import Model
from openkh.state import State
from openkh.storage import layout
from openkh.storage.journal import RECOVERED
from openkh.storage.verdict import GOOD, SILENT

# Failures while it runs


def test_field_bug_25_a_failed_write_is_not_marked_as_done():
    """Neither one that is not acknowledged nor one that does not read back."""
    rig = Rig("fram")
    journal, state = filled(rig, 20)
    advance(state, 100, 1)
    rig.chip.silent = True
    assert not journal.step(state, False)
    assert journal.due(state, False)
    rig.chip.silent = False
    assert journal.step(state, False)
    again = State()
    rig.journal().load(again)
    assert fields(again) == fields(state)

    advance(state, 100, 1)
    at, _ = slots_of(rig)[journal._slot]
    assert journal.step(state, False)
    rig.chip.memory[at + 30] ^= 1  # it was not written right
    journal.step(state, False)  # reads back, finds it, writes again
    journal.step(state, False)
    again = State()
    rig.journal().load(again)
    assert fields(again) == fields(state)
    assert journal.errors == 2


def test_field_bug_25_flash_that_does_not_take_a_record():
    rig = Rig("flash")
    journal, state = filled(rig, 20)
    advance(state, 100, 1)
    rig.chip.stuck = True
    assert not journal.step(state, False)
    assert journal.due(state, False)
    rig.chip.stuck = False
    assert journal.step(state, False)
    again = State()
    rig.journal().load(again)
    assert fields(again) == fields(state)


@both
@pytest.mark.parametrize("kind", ["silent", "stuck"])
def test_DX_6_failure_04_comes_and_goes_by_itself_and_costs_no_record(medium, kind):
    rig = Rig(medium, blocks=4)
    journal, state = filled(rig, 60)
    saved = fields(state)
    setattr(rig.chip, kind, True)
    for _ in range(600):  # a minute
        advance(state)
        journal.step(state, False)
    assert journal.failed()
    setattr(rig.chip, kind, False)
    again = State()
    assert rig.journal().load(again) == GOOD
    assert fields(again) == saved
    for _ in range(30):
        advance(state)
        if journal.step(state, False):
            journal.tidy()
    assert not journal.failed()
    assert rig.journal().load(again) == GOOD
    assert state.delivered_wh - again.delivered_wh <= 100


def test_DX_6_a_memory_silent_at_the_start_is_taken_up_later_and_nothing_is_lost():
    """Energy counted in RAM meanwhile is added to the record, over the roll-over too; edges and counts likewise."""
    model = Model("MDNCT-1SC", "60Hz")
    rig = Rig("fram")
    journal, state = filled(rig, 30)
    state.delivered_wh = 999_999_950
    state.delivered_counts = 31_000
    state.received_wh = 700
    state.received_counts = 30_000
    state.edges_10 = 99_999_995
    state.counter_given = 9_999_999
    journal.save(state)

    rig.chip.silent = True
    ram = State()
    journal = rig.journal()
    assert journal.load(ram) == SILENT
    assert journal.failed()
    for cycle in range(400):
        advance(ram)
        ram.received_counts = (ram.received_counts + 10) % 32_000
        ram.edges_10 = ram.delivered_wh // 10
        ram.counter_given = ram.delivered_wh // 100
        if cycle == 250:
            rig.chip.silent = False
        if journal.mode == RECOVERED:
            journal.adopt(ram, model)
            break
        journal.step(ram, False)
    else:
        pytest.fail("not taken up again")
    counts = 7 * (cycle + 1) + 31_000
    assert ram.rolls == 1
    assert ram.delivered_wh == (999_999_950 + cycle + 1 + counts // 32_000) % ROLL_WH
    assert ram.delivered_counts == counts % 32_000
    assert ram.edges_10 == (99_999_995 + (cycle + 1) // 10) % 100_000_000
    assert ram.counter_given == (9_999_999 + (cycle + 1) // 100) % 10_000_000
    assert ram.received_wh == 700 + (30_000 + 10 * (cycle + 1)) // 32_000
    assert journal.step(ram, False)
    assert not journal.failed()


def test_DX_6_a_flash_without_raw_blocks_is_no_memory():
    rig = Rig("flash")
    rig.chip.silent = True  # not even the map of the blocks is there
    journal = rig.journal()
    assert journal.load(State()) == SILENT
    assert journal.failed()
    assert not journal.step(State(), False)


@both
def test_ST_2_noise_on_the_wire_when_reading_does_no_damage(medium):
    rig = Rig(medium, blocks=4)
    _, state = filled(rig, 60)
    rig.chip.bit_error_rate = 1e-4
    again = State()
    assert rig.journal().load(again) == GOOD
    assert fields(again) == fields(state)


def test_an_unprovisioned_board_stores_nothing_which_is_no_failure():
    rig = Rig("fram")
    journal = rig.journal()
    journal.leave_off()
    state = State()
    for _ in range(300):
        advance(state)
        assert not journal.step(state, False)
    assert not journal.failed()
    assert not any(rig.chip.memory)


# Any order of things


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_ST_1_any_order_of_saves_cuts_and_faults(data):
    """Never a state that was not handed over, never newer than the newest, and the newest where nothing failed."""
    medium = data.draw(st.sampled_from(MEDIA))
    rig = Rig(medium, seed=data.draw(st.integers(1, 1000)), blocks=3)
    state = State()
    journal = started(rig)
    handed = {0: fields(state)}
    newest = 0  # delivered_wh of the newest record known to be complete
    for _ in range(data.draw(st.integers(1, 60))):
        what = data.draw(st.sampled_from(["save"] * 6 + ["cut", "cut at boot", "restart"]))
        if what == "save":
            advance(state)
            handed[state.delivered_wh] = fields(state)
            assert journal.save(state)
            journal.tidy()
            newest = state.delivered_wh
            continue
        try:
            if what == "cut":
                rig.chip.cut_in = data.draw(st.integers(0, 200 if medium == "fram" else 1))
                rig.chip.cut_fraction = data.draw(st.floats(0, 1))
                while True:
                    advance(state)
                    handed[state.delivered_wh] = fields(state)
                    journal.save(state)
                    newest = state.delivered_wh
                    journal.tidy()
            if what == "cut at boot":
                rig.chip.cut_in = 0
                rig.journal().load(State())
        except Cut:
            pass
        rig.power(True)
        journal = rig.journal()
        state = State()
        journal.load(state)
        assert fields(state) == handed[state.delivered_wh]
        assert state.delivered_wh >= newest
        newest = state.delivered_wh


def test_regions_do_not_disturb_each_other_in_a_flash_page():
    rig = Rig("flash")
    region = rig.memory().journal
    for slot in range(region.group):
        view = region.view(slot)
        for i in range(len(view)):
            view[i] = (slot * 7 + i) & 255
        assert region.commit(slot)
    buf = bytearray(layout.RECORD_BYTES)
    for slot in range(region.group):
        assert region.read(slot, buf)
        assert buf == bytes((slot * 7 + i) & 255 for i in range(layout.RECORD_BYTES))
    assert layout.RECORD_BYTES * 3 <= 256


def test_DX_6_a_stuck_line_does_not_look_like_a_new_meter():
    """Reads of zeros over the whole of the memory, or over a part of it while the scan is under way."""
    rig = Rig("fram")
    _, state = filled(rig, 100)
    before = bytes(rig.chip.memory)
    rig.chip.stuck = True
    journal = rig.journal()
    assert journal.load(State()) == SILENT
    assert journal.failed()
    ram = State()
    for cycle in range(600):
        advance(ram, 0)
        journal.step(ram, False)
        if cycle == 205:
            assert bytes(rig.chip.memory[: len(before) - 2]) == before[:-2]
            rig.chip.stuck = False  # in the middle of a look
        if journal.mode == RECOVERED:
            break
    assert fields(journal.found) == fields(state)


@both
def test_a_slot_that_turned_blank_does_not_stop_the_meter(medium):
    rig = Rig(medium)
    journal, state = filled(rig, 100)
    at, size = slots_of(rig)[journal._good - 3]
    rig.chip.memory[at : at + size] = bytes(size)
    again = State()
    assert rig.journal().load(again) == GOOD
    assert fields(again) == fields(state)


def test_ST_1_a_first_record_of_a_fresh_block_that_was_cut_off_is_left_out():
    rig = Rig("flash")
    journal = started(rig)
    state = State()
    while journal._slot != 48:
        advance(state, 100, 60)
        assert journal.save(state)
        if journal._slot < 48:
            journal.tidy()
    rig.chip.cut_in = 0
    with pytest.raises(Cut):
        journal.save(state)
    rig.power(True)
    journal = started(rig)
    assert journal._slot > 48
    assert journal.save(state)
