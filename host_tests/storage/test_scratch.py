"""What a reset of the RP2040 alone must not lose: edges and counts given, and the run time (MD-4, PO-4, CO-2)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openkh.model import Model
from openkh.state import State
from openkh.storage.scratch import GIVEN, RUN, Scratch

MODEL = Model("MDNCT-1SC", "60Hz")


class Mem32(dict):
    """The registers; the supply's return clears them."""

    def __missing__(self, address):
        return 0


def state_with(**values):
    state = State()
    for name, value in values.items():
        setattr(state, name, value)
    return state


@given(
    wh=st.integers(0, 999_999_999),
    more_wh=st.integers(0, 110),
    run_ms=st.integers(0, 10**9),
    since_ms=st.integers(0, 60_000),
    life=st.integers(0, 15),
)
@settings(max_examples=300, deadline=None)
def test_PO_4_outputs_and_run_time_go_on_exactly(wh, more_wh, run_ms, since_ms, life):
    """Record at one moment, reset up to 60 s and 0.1 kWh later; over the roll-over too."""

    def at(wh, ms, sub_ms):
        inner = wh % 1_000_000_000
        return state_with(
            edges_10=inner // 10,
            edges_100=inner // 100,
            edges_1000=inner // 1000,
            counter_given=inner // 100,
            run_s=ms // 1000,
            run_us=ms % 1000 * 1000,
            sub_4us=250 * sub_ms,
        )

    mem = Mem32()
    Scratch(mem).keep(at(wh + more_wh, run_ms + since_ms, since_ms), life)
    assert all(0 <= word < 1 << 30 for word in mem.values())
    state = at(wh, run_ms, 0)
    assert Scratch(mem).resume(state, life, MODEL)
    expected = at(wh + more_wh, run_ms + since_ms, since_ms)
    for name in ("edges_10", "edges_100", "edges_1000", "counter_given"):
        assert getattr(state, name) == getattr(expected, name)
    late_us = (expected.run_s - state.run_s) * 1_000_000 + expected.run_us - state.run_us
    assert -100_000 <= late_us <= 100_000
    assert abs(expected.sub_4us - state.sub_4us) <= 25_000


def test_CO_2_a_count_taken_back_stays_taken_back():
    mem = Mem32()
    Scratch(mem).keep(state_with(counter_given=640), 3)
    state = state_with(counter_given=641)
    assert Scratch(mem).resume(state, 3, MODEL)
    assert state.counter_given == 640


def test_CO_2_the_counter_of_1_kwh_rolls_over_at_its_own_end():
    mem = Mem32()
    Scratch(mem).keep(state_with(counter_given=0), 3)
    state = state_with(counter_given=999_999)
    assert Scratch(mem).resume(state, 3, Model("MDTCT-1SC", "60Hz"))
    assert state.counter_given == 0


def test_MD_4_another_life_is_not_continued():
    mem = Mem32()
    Scratch(mem).keep(State(), 3)
    assert not Scratch(mem).resume(State(), 4, MODEL)


def test_MD_4_nothing_is_continued_after_a_loss_of_supply():
    state = state_with(run_s=5, edges_10=3)
    assert not Scratch(Mem32()).resume(state, 0, MODEL)
    assert state.edges_10 == 3


def test_MD_4_a_record_too_old_is_not_continued():
    mem = Mem32()
    Scratch(mem).keep(state_with(run_s=1000), 3)
    assert not Scratch(mem).resume(state_with(run_s=900), 3, MODEL)


@pytest.mark.parametrize("address", [GIVEN, RUN])
@pytest.mark.parametrize("bit", range(32))
def test_MD_4_a_disturbed_register_is_not_believed(address, bit):
    mem = Mem32()
    Scratch(mem).keep(state_with(edges_10=1234, run_s=77), 3)
    mem[address] ^= 1 << bit
    assert not Scratch(mem).resume(state_with(edges_10=1230, run_s=76), 3, MODEL)
