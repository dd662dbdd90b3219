"""The note in the front ends, for a reset that clears the scratch registers (ST-1a)."""

import random

import pytest

from openkh.drivers.ade7953_registers import LINECYC, ZXTOUT
from openkh.startup.chip_notes import ChipNotes, resume
from openkh.state import State


class Chip:
    def __init__(self):
        self.regs = {LINECYC: 0, ZXTOUT: 0xFFFF}
        self.silent = False
        self.writes = 0
        self.left = 10**9  # writes until the power of the writing RP2040 ends

    def read_sure(self, address):
        return -1 if self.silent else self.regs[address]

    def note(self, *pairs):
        for address, value in zip(pairs[::2], pairs[1::2], strict=True):
            self.left -= 1
            if self.silent or self.left < 0:
                return False
            self.writes += 1
            self.regs[address] = value
        return True


class Record:
    """What the journal says of its newest record."""

    def __init__(self, sequence, life=0):
        self.sequence = sequence
        self.life = life


def keep(notes, state, journal, saved):
    """What a cycle and what follows it do."""
    notes.keep(state, journal, saved)
    if notes.wanted:
        notes.write(state, journal)


def state_at(edges, run_s=0):
    state = State()
    state.edges_10, state.edges_100, state.edges_1000 = edges % 10**8, edges // 10 % 10**7, edges // 100 % 10**6
    state.run_s = run_s
    return state


def fields(state):
    return state.edges_10, state.edges_100, state.edges_1000, state.run_s


@pytest.mark.parametrize("seed", range(20))
def test_ST_1a_what_was_given_since_the_record_is_known_again(seed):
    rng = random.Random(seed)
    edges = rng.choice((rng.randrange(10**8), 10**8 - rng.randrange(20)))
    record, sequence = state_at(edges, rng.randrange(10**6)), rng.randrange(1 << 30)
    newest = state_at(edges + rng.randrange(10), record.run_s + rng.randrange(60))
    chips = (Chip(), Chip())
    notes = ChipNotes(chips)
    for _ in chips:
        keep(notes, newest, Record(sequence), False)
    chips[rng.randrange(2)].silent = rng.random() < 0.5
    assert resume(ChipNotes(chips).read(), record, sequence, 0)
    assert fields(record) == fields(newest)


def test_ST_1a_a_note_older_than_the_record_tells_that_the_supply_was_there_alone():
    chips = (Chip(),)
    notes = ChipNotes(chips)
    keep(notes, state_at(1_000), Record(500), False)
    chips[0].silent = True
    keep(notes, state_at(1_020), Record(501), False)
    chips[0].silent = False
    record = state_at(1_020, 77)
    assert resume(ChipNotes(chips).read(), record, 501, 0)
    assert fields(record) == fields(state_at(1_020, 77))
    assert resume(ChipNotes(chips).read(), state_at(999), 499, 0)  # a newer record that did not hold


@pytest.mark.parametrize("changed", ["edges_10", "edges_100", "edges_1000"])
def test_ST_1a_an_edge_of_each_output_gets_a_note_alone_and_together_with_others(changed):
    chips = (Chip(),)
    notes = ChipNotes(chips)
    state = state_at(1_000)
    keep(notes, state, Record(500), False)
    for names in ({changed}, {changed, "edges_10"}):
        before = chips[0].writes
        for name in names:
            setattr(state, name, getattr(state, name) + 1)
        keep(notes, state, Record(500), False)
        assert chips[0].writes == before + 2
        keep(notes, state, Record(500), False)
        assert chips[0].writes == before + 2


@pytest.mark.parametrize("behind", [0, 1])
@pytest.mark.parametrize(("older", "newer"), [((1_000, 7, 500), (1_000, 7, 501)), ((1_000, 63, 5), (1_000, 64, 5)),
                                              ((63, 9, 5), (64, 9, 5)), ((70, 9, 127), (70, 9, 128))])  # fmt: skip
def test_ST_1a_of_two_notes_the_newer_one_counts(behind, older, newer):
    """One front end did not take the last note: by record, second or edge, round the end of each number."""
    chips = (Chip(), Chip())
    keep(ChipNotes((chips[behind],)), state_at(*older[:2]), Record(older[2]), False)
    keep(ChipNotes((chips[1 - behind],)), state_at(*newer[:2]), Record(newer[2]), False)
    record = state_at(*older[:2])
    assert resume(ChipNotes(chips).read(), record, older[2], 0)
    assert fields(record) == fields(state_at(*newer[:2]))


def test_ST_1a_front_ends_that_lost_their_supply_and_half_a_note_hold_none():
    assert ChipNotes((Chip(), Chip())).read() == -1
    chip = Chip()
    notes = ChipNotes((chip,))
    keep(notes, state_at(7), Record(3), False)
    chip.left = 1
    keep(notes, state_at(8), Record(3), False)
    assert ChipNotes((chip,)).read() == -1


def test_ST_1a_nothing_is_written_while_nothing_changes():
    chip = Chip()
    notes = ChipNotes((chip,))
    for _ in range(10):
        keep(notes, state_at(7), Record(3), False)
    assert chip.writes == 2


def test_ST_1a_one_front_end_a_cycle_and_none_for_what_a_record_has():
    chips = (Chip(), Chip())
    notes = ChipNotes(chips)
    for _ in chips:  # a new meter's, in any case
        keep(notes, state_at(7, 100), Record(3), False)
    assert [chip.writes for chip in chips] == [2, 2]
    for chip in chips:
        chip.writes = 0
    keep(notes, state_at(8, 101), Record(3), False)
    assert sorted(chip.writes for chip in chips) == [0, 2]
    assert resume(ChipNotes(chips).read(), state_at(7, 100), 3, 0)
    keep(notes, state_at(8, 101), Record(3), False)
    assert [chip.writes for chip in chips] == [2, 2]
    keep(notes, state_at(8, 103), Record(3), False)  # two seconds without a record
    keep(notes, state_at(9, 103), Record(4), True)
    assert sorted(chip.writes for chip in chips) == [2, 4]
    keep(notes, state_at(9, 103), Record(4), False)
    assert [chip.writes for chip in chips] == [4, 4]


def test_ST_1a_no_note_is_so_old_that_it_could_be_taken_for_a_newer_one():
    """In a row of dips each cycle has a record: its number passes what a note holds of it in 13 s."""
    rng = random.Random(5)
    chips = (Chip(), Chip())
    notes = ChipNotes(chips)
    sequence, edges = 1_000, 100
    for cycle in range(3_000):
        saved = rng.random() < 0.97 if cycle % 600 < 500 else rng.random() < 0.1
        sequence += saved
        edges += rng.random() < 0.2
        keep(notes, state_at(edges, cycle // 10), Record(sequence), saved)
        if cycle < 60:
            continue  # until both have one
        for chip in chips:
            record = state_at(edges, cycle // 10)
            assert resume(ChipNotes((chip,)).read(), record, sequence, 0)
            assert record.edges_10 - edges in (-1, 0) or not saved
            assert fields(record)[:3] == fields(state_at(edges))[:3] or not saved


@pytest.mark.parametrize("life", range(6))
def test_ST_1a_a_record_of_an_earlier_power_up_is_not_brought_up_to_a_note(life):
    """Later ones cannot be read. The front ends' counters began anew since: chaos seed 13255 booked the difference."""
    chips = (Chip(), Chip())
    notes = ChipNotes(chips)
    for _ in chips:
        keep(notes, state_at(1_000, 5), Record(503, life), False)
    note = ChipNotes(chips).read()
    assert note >= 0
    for other in range(16):
        record = state_at(990, 9)
        if (other - life) % 4:
            assert not resume(note, record, 501, other)
            assert fields(record) == fields(state_at(990, 9))
        else:
            assert resume(note, record, 501, other)
