"""The journal on both media: what was saved is there, what is damaged is not used, what failed is said (ST, DX-6)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.rigs.memory_rig import Cut, Rig
from openkh.metrology.energy import ROLL_WH
from openkh.model import Model
from openkh.state import FIELDS, State
from openkh.storage import layout, records
from openkh.storage.journal import RECOVERED
from openkh.storage.verdict import BLANK, DAMAGED, FOREIGN, GOOD, SILENT

MEDIA = ["fram", "flash"]
both = pytest.mark.parametrize("medium", MEDIA)


def fields(state):
    return [getattr(state, name) for name in FIELDS]


def advance(state, wh=1, seconds=0.1):
    """A cycle's worth of change."""
    state.delivered_wh = (state.delivered_wh + wh) % ROLL_WH
    state.delivered_counts = (state.delivered_counts + 7) % 32_000
    us = state.run_us + round(seconds * 1e6)
    state.run_s += us // 1_000_000
    state.run_us = us % 1_000_000


def started(rig, state=None):
    journal = rig.journal()
    journal.load(state or State())
    return journal


def filled(rig, saves=200):
    """A meter that has run for a while; its state."""
    state = State()
    journal = started(rig, state)
    for _ in range(saves):
        advance(state, 100, 60)
        assert journal.step(state, False)
        journal.tidy()
        assert not journal.step(state, False)  # reads back on FRAM
    return journal, state


# What is there after a start


@both
def test_ST_2_blank_memory_is_a_new_meter(medium):
    journal = Rig(medium).journal()
    state = State()
    assert journal.load(state) == BLANK
    assert not journal.failed
    assert journal.save(state)


@both
@pytest.mark.parametrize("saves", [1, 2, 15, 16, 17, 47, 48, 49, 300])
def test_EN_4_the_newest_record_is_taken_up(medium, saves):
    rig = Rig(medium)
    _, state = filled(rig, saves)
    again = State()
    journal = rig.journal()
    assert journal.load(again) == GOOD
    assert fields(again) == fields(state)
    assert journal.damaged == 0


@both
def test_EN_4_over_hundreds_of_starts(medium):
    rig = Rig(medium, blocks=3)
    state = State()
    for _ in range(300):
        journal = rig.journal()
        loaded = State()
        assert journal.load(loaded) in (BLANK, GOOD)
        assert fields(loaded) == fields(state)
        journal.start_life()
        state = loaded
        advance(state)
        assert journal.step(state, False)
        journal.tidy()


@both
def test_EN_4_sequence_numbers_wrap(medium):
    rig = Rig(medium)
    state = State()
    journal = started(rig, state)
    journal.sequence = records.SEQUENCE_MASK - 5
    for _ in range(40):
        advance(state, 100, 60)
        assert journal.step(state, False)
        journal.tidy()
        again = State()
        journal = rig.journal()
        assert journal.load(again) == GOOD
        assert fields(again) == fields(state)


def slots_of(rig):
    """(start, length) of every journal slot in the chip's memory, by slot number."""
    region = rig.memory().journal
    if rig.medium == "fram":
        return [(region._first + slot * region._stride, layout.RECORD_BYTES) for slot in range(region.slots)]
    where = []
    for slot in range(region.slots):
        in_block = slot % region.group
        at = region.blocks[slot // region.group] * 4096 + in_block // 3 * 256 + in_block % 3 * layout.RECORD_BYTES
        where.append((at, layout.RECORD_BYTES))
    return where


def damage(rig, slot):
    at, size = slots_of(rig)[slot]
    rig.chip.memory[at + size // 2] ^= 0x11


@both
def test_field_bug_23_older_records_are_used_where_the_newest_is_damaged(medium):
    """Field bug 23: a torn header started the register at zero although older good records existed."""
    rig = Rig(medium)
    journal, state = filled(rig, 100)
    older = state.delivered_wh - 100
    damage(rig, journal._good)
    again = State()
    journal = rig.journal()
    assert journal.load(again) == GOOD
    assert again.delivered_wh == older
    assert journal.damaged == 1


@both
def test_field_bug_23_a_record_cut_off_anywhere_leaves_the_one_before(medium):
    """At every byte of the write (FRAM), at 50 points of the program (flash)."""
    for point in range(layout.RECORD_BYTES + 2 if medium == "fram" else 50):
        rig = Rig(medium, seed=point)
        journal, state = filled(rig, 30)
        before = fields(state)
        advance(state, 100, 60)
        if medium == "fram":
            rig.chip.cut_in = point
        else:
            rig.chip.cut_in = 0
            rig.chip.cut_fraction = point / 50
        with pytest.raises(Cut):
            journal.save(state)
        rig.power(True)
        again = State()
        assert rig.journal().load(again) == GOOD
        assert fields(again) in (before, fields(state))


def test_ST_1_an_erase_cut_off_anywhere_loses_nothing():
    """Field bug 27 on raw flash: what holds the newest record is not removed to make room for the next."""
    for point in range(40):
        rig = Rig("flash", seed=point, blocks=3)
        journal, state = filled(rig, 47 + 48 * 4)
        while True:
            advance(state, 100, 60)
            rig.chip.cut_in = 1
            rig.chip.cut_fraction = point / 40
            journal.step(state, False)
            try:
                journal.tidy()
            except Cut:
                break
        rig.power(True)
        again = State()
        journal = rig.journal()
        assert journal.load(again) == GOOD
        assert fields(again) == fields(state)
        advance(again, 100, 60)
        assert journal.step(again, False)
        journal.tidy()
        last = State()
        assert rig.journal().load(last) == GOOD
        assert fields(last) == fields(again)


@both
def test_ST_2_all_damaged_is_reported_and_nothing_is_written_over(medium):
    """Field bug 21: no repair may overwrite what could still be good energy with zero."""
    rig = Rig(medium, blocks=3)
    filled(rig, 20)
    for slot in range(rig.memory().journal.slots):
        damage(rig, slot)
    before = bytes(rig.chip.memory)
    state = State()
    journal = rig.journal()
    assert journal.load(state) == DAMAGED
    assert journal.failed
    assert state.delivered_wh == 0
    for _ in range(500):
        advance(state)
        assert not journal.step(state, False)
        journal.tidy()
    assert bytes(rig.chip.memory) == before
    assert journal.failed


@both
@pytest.mark.parametrize(
    "other", [{"board": bytes(8)}, {"code": "MDTCT-1SC"}, {"code": "MDNCT-2SC"}, {"service": "50Hz"}]
)
def test_ST_2_a_foreign_journal_is_refused_and_kept(medium, other):
    rig = Rig(medium, blocks=3)
    _, theirs = filled(rig, 20)
    before = bytes(rig.chip.memory)
    state = State()
    journal = rig.journal(**other)
    assert journal.load(state) == FOREIGN
    assert journal.foreign > 0
    assert journal.failed
    assert state.delivered_wh == 0
    for _ in range(500):
        advance(state)
        assert not journal.step(state, False)
    assert bytes(rig.chip.memory) == before
    assert rig.journal().load(state) == GOOD
    assert fields(state) == fields(theirs)


@both
def test_ST_2_a_first_record_cut_off_again_and_again_is_still_a_new_meter(medium):
    rig = Rig(medium)
    state = State()
    for point in range(4):
        journal = rig.journal()
        assert journal.load(State()) == BLANK
        rig.chip.cut_in = 40 + point if medium == "fram" else 0
        rig.chip.cut_fraction = 0.7
        advance(state)
        with pytest.raises(Cut):
            journal.step(state, False)
        rig.power(True)
    journal = rig.journal()
    assert journal.load(State()) == BLANK
    assert journal.step(state, False)


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
    assert journal.failed
    setattr(rig.chip, kind, False)
    again = State()
    assert rig.journal().load(again) == GOOD
    assert fields(again) == saved
    for _ in range(30):
        advance(state)
        if journal.step(state, False):
            journal.tidy()
    assert not journal.failed
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
    assert journal.failed
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
    assert not journal.failed


def test_DX_6_a_flash_without_raw_blocks_is_no_memory():
    rig = Rig("flash")
    rig.chip.silent = True  # not even the map of the blocks is there
    journal = rig.journal()
    assert journal.load(State()) == SILENT
    assert journal.failed
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
    assert not journal.failed
    assert not any(rig.chip.memory)


# When a record is due


def run(rig, seconds, wh_per_cycle=0, failing=False, received=0):
    """Cycles of 100 ms; how many records were written."""
    state = State()
    journal = started(rig, state)
    journal.save(state)
    before = journal.saves
    for cycle in range(round(seconds * 10)):
        advance(state, 0)
        state.delivered_counts = 0
        if cycle % 2 or not received:
            state.delivered_wh += wh_per_cycle
        else:
            state.received_wh += received
        if journal.step(state, failing):
            journal.tidy()
    return journal.saves - before


def test_field_bug_26_at_most_a_second_is_unsaved_on_fram():
    """Field bug 26: up to a day, 15 minutes or 100 Wh lost in a power cut."""
    assert run(Rig("fram"), 90) == 100


def test_field_bug_26_at_most_a_minute_or_100_wh_on_flash():
    assert run(Rig("flash"), 590) == 10
    assert run(Rig("flash"), 97, wh_per_cycle=1) == 10


def test_field_bug_24_energy_in_both_directions_adds_up():
    """A threshold on the net of import and export never fires, or fires all the time."""
    assert run(Rig("flash"), 97, wh_per_cycle=2, received=2) == 19
    assert run(Rig("flash"), 59, wh_per_cycle=0, received=2) == 6


def test_opposite_lines_cannot_outrun_the_chips_counters():
    """Net energy stands still, but each chip's 24 bits move: a record before half of them is gone."""
    state = State()
    state.raw_1 = 100
    state.raw_2 = 0xFFFFF0
    journal = started(Rig("flash"), state)
    state.raw_1, state.raw_2 = 100, 0xFFFFF0
    journal.save(state)
    state.raw_1 = (100 + 3_300_000) & 0xFFFFFF
    assert journal.due(state, False)
    state.raw_1 = (100 - 3_300_000) & 0xFFFFFF
    assert journal.due(state, False)
    state.raw_1 = 100 + 3_000_000
    assert not journal.due(state, False)
    state.raw_2 = 3_300_000
    assert journal.due(state, False)


@both
def test_CO_2_a_count_is_on_record_before_the_coil_moves(medium):
    state = State()
    journal = started(Rig(medium), state)
    journal.save(state)
    state.counter_given += 1
    assert journal.due(state, False)


def test_MD_4_flash_saves_when_a_sub_interval_ends():
    state = State()
    journal = started(Rig("flash"), state)
    journal.save(state)
    state.sub_k += 1
    assert journal.due(state, False)


@both
def test_ST_1_while_the_supply_fails_each_change_is_committed(medium):
    assert run(Rig(medium), 2, wh_per_cycle=1, failing=True) == 20


@both
def test_ST_3_a_failing_supply_without_load_writes_nothing(medium):
    assert run(Rig(medium), 0.8, failing=True) == 0


def test_ST_1_ST_3_a_line_that_stays_low_for_hours():
    """Each cycle is saved for an hour, later one in 3 s, so that the flash lasts; what comes when the bulk voltage
    falls is saved in any case; and erased slots never run out."""
    rig = Rig("flash")
    state = State()
    journal = started(rig, state)
    saves = []
    for hour in range(3):
        saves.append(-journal.saves)
        for _ in range(36_000):
            advance(state)
            if journal.step(state, True):
                journal.tidy()
            assert not journal.failed
        saves[hour] += journal.saves
    assert saves[0] == 36_000
    assert saves[2] <= 1200 + 60
    for _ in range(50):
        advance(state)
        assert journal.step(state, True, True)
    back = State()
    started(rig, back)
    assert fields(back) == fields(state)


def test_ST_1_erased_slots_that_were_used_up_with_the_bulk_voltage_low_are_made_again():
    """While a cut may come at any moment nothing is erased; when nothing is left, it is, and the journal goes on."""
    rig = Rig("flash")
    state = State()
    journal = started(rig, state)
    failed = 0
    for _ in range(500):
        advance(state)
        if journal.step(state, True, True):
            journal.tidy()
        failed += journal.failed
    assert not failed
    advance(state)
    assert not journal.step(state, False)
    assert journal.save(state) and journal.tidy()


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
    assert journal.failed
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
