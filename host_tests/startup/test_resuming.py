"""First readings after a restart of the RP2040 alone: whichever front end answers when, each count is booked once."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openkh.state import State

sys.modules["machine"] = ModuleType("machine")  # for the import alone: nothing here asks it
try:
    from openkh.startup.resuming import FIRST_CYCLES, Resuming
finally:
    del sys.modules["machine"]

MASK = 0xFFFFFF


class FrontEnd:
    """Counts `rate` a cycle from cycle `from_n` on, as an Element shows it; before it does not answer."""

    def __init__(self, raw, before, rate, from_n):
        self.now = raw + before & MASK
        self.rate = rate
        self.from_n = from_n
        self.rebased = False
        self.fresh = False
        self.raw = raw

    def poll(self, n, last_raw):
        self.now = self.now + self.rate & MASK
        self.fresh = n >= self.from_n and last_raw >= 0
        self.rebased = n >= self.from_n and last_raw < 0
        self.raw = self.now if n >= self.from_n else last_raw
        return ((self.now - last_raw + 0x800000 & MASK) - 0x800000) if self.fresh else 0


def resumed(shown, raws):
    """A restart in which the register had gone on by `shown` since the record that has `raws`."""
    resuming = Resuming()
    resuming._shown = shown
    resuming.gap_us = 500_000
    state = State()
    state.raw_1, state.raw_2 = raws
    return resuming, state


def play(resuming, state, ends, cycles):
    """Cycles as cycle.py runs them; what each has booked, and the state after each."""
    one, two = (*ends, None)[:2]
    resuming.begin(one, two, False)
    booked = []
    for n in range(cycles):
        new = State()
        new.copy(state)
        counts = one.poll(n, state.raw_1)
        new.raw_1 = one.raw
        if two is not None:
            counts += two.poll(n, state.raw_2)
            new.raw_2 = two.raw
        if resuming.waiting:
            counts = resuming.first_readings(one, two, state, new, counts)
        booked.append(counts)
        state = new
    return booked, state


line = st.tuples(st.integers(0, MASK), st.integers(0, 40_000), st.integers(0, 20_000), st.integers(0, 30))


@given(lines=st.lists(line, min_size=1, max_size=2), way=st.sampled_from((1, -1)))
@settings(max_examples=100, deadline=None)
def test_EN_2_each_count_is_booked_once_whichever_front_end_answers_when(lines, way):
    """`before`: counts of each line from the record to the last cycle, shown already; `rate`: a cycle's since then."""
    shown = sum(way * before for _, before, _, _ in lines)
    ends = [FrontEnd(raw, way * before, way * rate, from_n) for raw, before, rate, from_n in lines]
    raws = [raw for raw, _, _, _ in lines] + [-1] * (2 - len(lines))
    resuming, state = resumed(shown, raws)
    booked, state = play(resuming, state, ends, 45)
    assert sum(booked) == 45 * sum(end.rate for end in ends)
    assert all(way * counts >= 0 for counts in booked) or not any(end.from_n < FIRST_CYCLES for end in ends)
    assert not resuming.waiting and state.raw_1 == ends[0].now


def test_EN_2_a_state_that_waits_for_all_front_ends_agrees_with_their_counters():
    """Nothing answers: what a record made meanwhile goes on from, after another restart, is what was shown."""
    resuming, state = resumed(5_000, (100, 200))
    ends = (FrontEnd(100, 3_000, 10, 99), FrontEnd(200, 2_000, 10, 99))
    booked, state = play(resuming, state, ends, 30)
    assert booked == [0] * 30 and resuming.waiting == 1 and resuming.settled
    assert (state.raw_1 + state.raw_2, state.raw_2) == (100 + 200 + 5_000, 200)


def test_EN_2_a_counter_that_stood_at_0_is_known():
    resuming, state = resumed(5_000, (0, -1))
    booked, state = play(resuming, state, (FrontEnd(0, 5_000, 10, 99),), 30)
    assert booked == [0] * 30 and resuming.settled and state.raw_1 == 5_000


def test_EN_2_a_counter_that_is_not_known_stays_unknown():
    resuming, state = resumed(5_000, (-1, -1))
    booked, state = play(resuming, state, (FrontEnd(100, 3_000, 10, 99),), 30)
    assert state.raw_1 == -1 and booked == [0] * 30
    resuming, state = resumed(5_000, (100, -1))
    booked, state = play(resuming, state, (FrontEnd(100, 9_000, 10, 0), FrontEnd(0, 0, 10, 99)), 30)
    assert state.raw_2 == -1 and sum(booked) == 4_000 + 30 * 10


def test_EN_1_CA_1a_currents_are_waited_for_over_five_cycles():
    resuming, state = resumed(0, (1, -1))
    one = SimpleNamespace(fresh=True, rebased=False)
    resuming.begin(one, None, True)
    resuming.hold = True
    booked = [resuming.first_readings(one, None, state, State(), 7) for _ in range(6)]
    assert booked == [0] * 5 + [7] and not resuming.waiting


@pytest.mark.parametrize(("way", "first"), [(1, True), (1, False), (-1, True), (-1, False)])
def test_EN_1_a_front_end_that_lost_its_counter_undoes_nothing(way, first):
    """Its part of what was shown is gone with it: the other one's counts beyond all that was shown are booked."""
    lost, other = SimpleNamespace(fresh=False, rebased=True), SimpleNamespace(fresh=True, rebased=False)
    ends = (lost, other) if first else (other, lost)
    for counts, expected in ((900, 0), (1_000, 0), (1_300, 300), (-50, -50)):
        resuming, state = resumed(1_000 * way, (1, 2))
        resuming.begin(*ends, False)
        assert resuming.first_readings(*ends, state, State(), counts * way) == expected * way
        assert resuming.torn and not resuming.waiting


def test_EN_1_CA_1a_another_correction_of_the_same_counts_makes_no_energy_the_other_way():
    for counts, expected in ((990, 0), (969, 0), (968, -32), (1_010, 10)):
        for way in (1, -1):
            resuming, state = resumed(1_000 * way, (1, -1))
            one = SimpleNamespace(fresh=True, rebased=False)
            resuming.begin(one, None, True)
            assert resuming.first_readings(one, None, state, State(), counts * way) == expected * way
