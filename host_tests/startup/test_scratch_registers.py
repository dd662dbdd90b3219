"""What a reset of the RP2040 alone must not lose: register, edges and counts, run time (EN-1, MD-4, PO-4, CO-2)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openkh.model import Model
from openkh.startup.scratch_registers import DELIVERED, GIVEN, RECEIVED, RUN, ScratchRegisters
from openkh.state import State

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


def at(wh, counts=0, received_wh=0, received_counts=0, ms=0, sub_ms=0):
    """The state of a meter that has given every edge and count."""
    inner = wh % 1_000_000_000
    return state_with(
        delivered_wh=inner,
        delivered_counts=counts,
        rolls=wh // 1_000_000_000,
        received_wh=received_wh % 1_000_000_000,
        received_counts=received_counts,
        edges_10=inner // 10,
        edges_100=inner // 100,
        edges_1000=inner // 1000,
        counter_given=inner // 100,
        run_s=ms // 1000,
        run_us=ms % 1000 * 1000,
        sub_4us=250 * sub_ms,
    )


def counts_of(state, way):
    """Counts of one direction, the roll-over taken out."""
    total = (getattr(state, way + "_wh") + 1_000_000_000 * state.rolls) * MODEL.counts_per_wh
    return total + getattr(state, way + "_counts")


# What lies between a record on flash and a reset: at most 0.1 kWh in sum, in at most 60 s and the load of a cycle.
@given(
    wh=st.integers(0, 999_999_999),
    counts=st.tuples(*[st.integers(0, 31_999)] * 4),
    received_wh=st.integers(0, 999_999_800),
    more_wh=st.integers(0, 50),
    more_received_wh=st.integers(0, 50),
    run_ms=st.integers(0, 10**9),
    since_ms=st.integers(20_000, 60_000),
    life=st.integers(0, 15),
)
@settings(max_examples=300, deadline=None)
def test_EN_1_PO_4_register_outputs_and_run_time_go_on_exactly(
    wh, counts, received_wh, more_wh, more_received_wh, run_ms, since_ms, life
):
    """Record at one moment, reset up to 60 s and 0.1 kWh in both directions later; over the roll-over too."""
    mem = Mem32()
    expected = at(
        wh + more_wh + 1, counts[1], received_wh + more_received_wh + 1, counts[3], run_ms + since_ms, since_ms
    )
    scratch = ScratchRegisters(mem)
    scratch.keep(expected, life, 0)
    assert all(0 <= word < 1 << 30 for word in mem.values())
    state = at(wh, counts[0], received_wh, counts[2], run_ms)
    before = counts_of(state, "delivered"), state.received_wh * 32_000 + state.received_counts
    scratch = ScratchRegisters(mem)
    assert scratch.resume(state, life, MODEL, False)
    for name in ("edges_10", "edges_100", "edges_1000", "counter_given"):
        assert getattr(state, name) == getattr(expected, name)
    for name in ("delivered_wh", "delivered_counts", "rolls", "received_wh", "received_counts"):
        assert getattr(state, name) == getattr(expected, name)
    delivered = counts_of(state, "delivered") - before[0]
    assert scratch.shown == delivered - (state.received_wh * 32_000 + state.received_counts - before[1])
    assert state.sub_counts == delivered
    late_us = (expected.run_s - state.run_s) * 1_000_000 + expected.run_us - state.run_us
    assert -100_000 <= late_us <= 100_000
    assert abs(expected.sub_4us - state.sub_4us) <= 25_000


def test_EN_1_energy_that_no_load_can_make_is_not_believed():
    mem = Mem32()
    ScratchRegisters(mem).keep(at(210, ms=3000), 3, 0)
    state = at(100, ms=1000)
    assert not ScratchRegisters(mem).resume(state, 3, MODEL, False)
    assert state.delivered_wh == 100


def test_PO_4_edges_that_were_queued_count_as_given_after_a_hang_only():
    mem = Mem32()
    ScratchRegisters(mem).keep(at(1000), 3, 2 | 1 << 3 | 1 << 5)
    for hung, edges in ((False, (100, 10, 1)), (True, (102, 11, 2))):
        state = at(1000)
        assert ScratchRegisters(mem).resume(state, 3, MODEL, hung)
        assert (state.edges_10, state.edges_100, state.edges_1000) == edges


@pytest.mark.parametrize("edges", ["edges_10", "edges_100", "edges_1000"])
def test_PO_4_edges_are_kept_where_they_are_told_to_have_changed(edges):
    mem = Mem32()
    scratch = ScratchRegisters(mem)
    state = at(1000)
    scratch.keep(state, 3, 0)
    assert not scratch.edges_changed
    setattr(state, edges, getattr(state, edges) + 1)
    scratch.edges_changed = True
    scratch.keep(state, 3, 0)
    later = at(1000)
    assert ScratchRegisters(mem).resume(later, 3, MODEL, False)
    assert getattr(later, edges) == getattr(state, edges)


def test_CO_2_a_count_taken_back_stays_taken_back():
    mem = Mem32()
    ScratchRegisters(mem).keep(state_with(counter_given=640), 3, 0)
    state = state_with(counter_given=641)
    assert ScratchRegisters(mem).resume(state, 3, MODEL, False)
    assert state.counter_given == 640


def test_CO_2_the_counter_of_1_kwh_rolls_over_at_its_own_end():
    mem = Mem32()
    ScratchRegisters(mem).keep(state_with(counter_given=0), 3, 0)
    state = state_with(counter_given=999_999)
    assert ScratchRegisters(mem).resume(state, 3, Model("MDTCT-1SC", "60Hz"), False)
    assert state.counter_given == 0


def test_MD_4_another_life_is_not_continued():
    mem = Mem32()
    ScratchRegisters(mem).keep(State(), 3, 0)
    assert not ScratchRegisters(mem).resume(State(), 4, MODEL, False)


def test_MD_4_nothing_is_continued_after_a_loss_of_supply():
    state = state_with(run_s=5, edges_10=3)
    assert not ScratchRegisters(Mem32()).resume(state, 0, MODEL, False)
    assert state.edges_10 == 3


def test_MD_4_a_record_too_old_is_not_continued():
    mem = Mem32()
    ScratchRegisters(mem).keep(state_with(run_s=1000), 3, 0)
    assert not ScratchRegisters(mem).resume(state_with(run_s=900), 3, MODEL, False)


@pytest.mark.parametrize("address", [GIVEN, RUN, DELIVERED, RECEIVED])
@pytest.mark.parametrize("bit", range(32))
def test_MD_4_a_disturbed_register_is_not_believed(address, bit):
    mem = Mem32()
    ScratchRegisters(mem).keep(state_with(edges_10=1234, run_s=77, delivered_wh=12_340, received_wh=3), 3, 0)
    mem[address] ^= 1 << bit
    state = state_with(edges_10=1230, run_s=76, delivered_wh=12_339, received_wh=3)
    assert not ScratchRegisters(mem).resume(state, 3, MODEL, False)
