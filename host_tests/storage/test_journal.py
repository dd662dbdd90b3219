"""The journal on both media: what was saved is there after a start, and a record is written when due (ST, EN-4)."""

import pytest

from host.rigs.memory_rig import Cut, Rig
from host_tests.storage.journal_rig import advance, both, damage, fields, filled, started
from openkh.state import State
from openkh.storage import layout, records
from openkh.storage.journal import Journal
from openkh.storage.verdict import BLANK, DAMAGED, FOREIGN, GOOD

# What is there after a start


@both
def test_ST_2_blank_memory_is_a_new_meter(medium):
    journal = Rig(medium).journal()
    state = State()
    assert journal.load(state) == BLANK
    assert not journal.failed()
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
    assert journal.failed()
    assert state.delivered_wh == 0
    for _ in range(500):
        advance(state)
        assert not journal.step(state, False)
        journal.tidy()
    assert bytes(rig.chip.memory) == before
    assert journal.failed()


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
    assert journal.failed()
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
            assert not journal.failed()
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
        failed += journal.failed()
    assert not failed
    advance(state)
    assert not journal.step(state, False)
    assert journal.save(state) and journal.tidy()


def test_PO_4_a_backlog_is_more_pulses_than_the_energy_that_came_in():
    last, now = State(), State()
    last.edges_10, last.delivered_wh = 1_000, 50_000
    for edges, wh, drains in ((5, 50, False), (7, 50, False), (8, 50, True), (30, 50, True), (0, 0, False)):
        now.edges_10, now.delivered_wh = 1_000 + edges, 50_000 + wh
        assert Journal._drains(None, now, last) == drains, (edges, wh)


def test_ST_3_after_a_start_the_block_of_flash_in_use_is_gone_on_with():
    rig = Rig("flash")
    journal, _ = filled(rig, saves=5)
    again = rig.journal()
    assert again.load(State()) == GOOD
    assert again._slot == journal._slot + 1  # the first place after a start is passed over


def test_EN_4_on_fram_a_record_is_due_before_a_second_is_over_and_where_run_time_has_gone_back():
    journal, state = filled(Rig("fram"), 3)
    last_s, last_us = state.run_s, state.run_us
    for ms, due in ((0, False), (849, False), (850, True), (1_900, True), (60_000, True), (-1_000, True)):
        us = last_us + 1000 * ms
        state.run_s, state.run_us = last_s + us // 1_000_000, us % 1_000_000
        assert journal.due(state, False) == due
