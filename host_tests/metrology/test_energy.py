"""Energy register: exact, netted per cycle, rolling over (EN-1 to EN-3, EN-6)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openkh.metrology.energy import ROLL_WH, add, book, wh_text
from openkh.model import Model
from openkh.state import FIELDS, State

MODELS = [
    Model("MDNCT-1SC", "60Hz"),
    Model("MDNCT-2SC", "60Hz"),
    Model("MSTCT-1SC", "50Hz"),
    Model("MSNCT-2SP", "50Hz"),
]
COUNTS_PER_WH = st.sampled_from(sorted({m.counts_per_wh for m in MODELS}))


def delivered_counts(state, counts_per_wh):
    return (state.rolls * ROLL_WH + state.delivered_wh) * counts_per_wh + state.delivered_counts


def received_counts(state, counts_per_wh):
    return state.received_wh * counts_per_wh + state.received_counts


def booked(cycles, counts_per_wh):
    state = State()
    for net in cycles:
        book(state, net, counts_per_wh)
    return state


def test_state_lists_every_field():
    state = State()
    assert tuple(state.__dict__) == FIELDS + ("at_us",)
    for number, name in enumerate(FIELDS, 1):
        setattr(state, name, number)
    other = State()
    other.copy(state)
    assert other.__dict__ == state.__dict__


def test_EN_6_counts_make_5_wh_a_whole_number():
    assert [m.counts_per_wh for m in MODELS] == [32_000, 16_000, 16_000, 8_000]


@given(st.lists(st.integers(-50_000, 50_000)), COUNTS_PER_WH)
def test_EN_1_delivered_minus_received_is_the_sum_for_any_slicing(cycles, counts_per_wh):
    state = booked(cycles, counts_per_wh)
    assert delivered_counts(state, counts_per_wh) - received_counts(state, counts_per_wh) == sum(cycles)
    assert delivered_counts(state, counts_per_wh) == sum(c for c in cycles if c > 0)
    assert 0 <= state.delivered_counts < counts_per_wh
    assert 0 <= state.received_counts < counts_per_wh


@given(st.lists(st.integers(0, 50_000), min_size=1), st.integers(1, 10), COUNTS_PER_WH, st.sampled_from([1, -1]))
def test_EN_2_a_load_of_one_sign_gives_the_same_register_for_any_slicing(cycles, group, counts_per_wh, sign):
    late = [sum(cycles[i : i + group]) for i in range(0, len(cycles), group)]
    fine = booked([sign * c for c in cycles], counts_per_wh)
    coarse = booked([sign * c for c in late], counts_per_wh)
    assert fine.__dict__ == coarse.__dict__


@given(st.lists(st.integers(-50_000, 50_000), min_size=1), COUNTS_PER_WH)
def test_EN_1_the_register_never_decreases(cycles, counts_per_wh):
    """Field bug 24's cousin: received energy is kept apart, never subtracted."""
    state = State()
    last = 0
    for net in cycles:
        book(state, net, counts_per_wh)
        now = delivered_counts(state, counts_per_wh)
        assert now >= last
        last = now


@pytest.mark.parametrize("counts_per_wh", [32_000, 16_000, 8_000])
def test_EN_3_rolls_over_at_a_million_kwh_and_keeps_the_remainder(counts_per_wh):
    state = State()
    state.delivered_wh = ROLL_WH - 1
    state.delivered_counts = counts_per_wh - 1
    book(state, 3, counts_per_wh)
    assert (state.delivered_wh, state.delivered_counts, state.rolls) == (0, 2, 1)


def test_field_bug_16_a_small_load_still_counts_on_a_large_register():
    """A float32 register stops growing near 16.7 million; ours must count single counts at 999,999 kWh."""
    state = State()
    state.delivered_wh = 999_999_000
    for _ in range(32_000):
        book(state, 1, 32_000)
    assert (state.delivered_wh, state.delivered_counts) == (999_999_001, 0)


@given(st.integers(0, ROLL_WH - 1), st.integers(0, 7_999))
def test_decimal_text_is_exact_to_its_six_places(wh, counts):
    text = wh_text(wh, counts, 8_000)
    assert Fraction(text) == wh + Fraction(counts * 1_000_000 // 8_000, 1_000_000)


WHOLE_WH = st.integers(0, ROLL_WH - 1)


@given(st.sampled_from(MODELS), WHOLE_WH, WHOLE_WH, st.data())
def test_EN_4_DX_6_what_was_counted_without_a_memory_is_added_to_all_of_the_register(model, one_wh, two_wh, data):
    """Energy in both directions, edges of each output, counts of the counter (a memory that was silent at power-up)."""
    remainder = st.integers(0, model.counts_per_wh - 1)

    def state(wh):
        made = State()
        made.delivered_wh = wh
        made.received_wh = data.draw(WHOLE_WH)
        made.delivered_counts, made.received_counts = data.draw(remainder), data.draw(remainder)
        made.edges_10, made.edges_100, made.edges_1000 = wh // 10, wh // 100, wh // 1000
        made.counter_given = wh // model.counter_wh
        return made

    one, two = state(one_wh), state(two_wh)
    per_wh = model.counts_per_wh
    delivered = delivered_counts(one, per_wh) + delivered_counts(two, per_wh)
    received = received_counts(one, per_wh) + received_counts(two, per_wh)
    add(one, two, model)
    assert delivered_counts(one, per_wh) == delivered
    assert received_counts(one, per_wh) == received % (ROLL_WH * per_wh)
    for weight, edges in ((10, one.edges_10), (100, one.edges_100), (1000, one.edges_1000)):
        assert edges == (one_wh // weight + two_wh // weight) % (ROLL_WH // weight)
    given = one_wh // model.counter_wh + two_wh // model.counter_wh
    assert one.counter_given == given % (ROLL_WH // model.counter_wh)
