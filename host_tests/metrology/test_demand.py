"""Maximum demand against a brute-force reference in exact fractions (MD-1 to MD-4)."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openkh import event_codes
from openkh.fixed import muldiv
from openkh.metrology.demand import Demand
from openkh.metrology.energy import book
from openkh.model import Model
from openkh.state import State


class Log:
    def __init__(self):
        self.events = []

    def add(self, code, a=0, b=0):  # noqa: ARG002
        self.events.append((code, a))


MODEL = Model("MDNCT-1SC", "60Hz")


class Reference:
    """The definition, word by word, with the whole history kept: cycles of (length in us, delivered counts)."""

    def __init__(self, counts_per_wh):
        self.counts_per_wh = counts_per_wh
        self.t_us = 0
        self.next_us = 300_000_000
        self.counts = 0
        self.length_us = 0
        self.averages_w = []
        self.newest_w = Fraction(0)
        self.largest_w = {}  # by the period of 24 h in which they ended

    def cycle(self, dt_us, counts):
        self.t_us += dt_us
        self.counts += counts
        self.length_us += dt_us
        if self.t_us >= self.next_us:
            self.averages_w.append(Fraction(self.counts * 3_600_000_000, self.counts_per_wh * self.length_us))
            self.counts = self.length_us = 0
            self.next_us = (self.t_us // 300_000_000 + 1) * 300_000_000
            if len(self.averages_w) >= 3:
                self.newest_w = sum(self.averages_w[-3:]) / 3
                period = (self.t_us // 300_000_000 - 1) // 288
                self.largest_w[period] = max(self.largest_w.get(period, self.newest_w), self.newest_w)

    def shown_w(self):
        """Largest so far in the first 24 h, then the largest of the period just finished; 24 h 00 belongs to it."""
        periods = self.t_us // 86_400_000_000
        return self.largest_w.get(max(0, periods - 1), Fraction(0))


def run(cycles, model=MODEL, compare=True):
    state, demand, reference = State(), Demand(model, Log()), Reference(model.counts_per_wh)
    for dt_us, counts in cycles:
        book(state, counts, model.counts_per_wh)
        ended = state.sub_k
        demand.step(state, dt_us)
        reference.cycle(dt_us, counts)
        if compare and state.sub_k != ended:
            newest = reference.newest_w * 1000
            # averages are kept in whole mW (and lengths in 4 us): below the exact value by at most 2 mW + 2e-8
            assert -2 - newest * Fraction(2, 10**8) <= state.interval_mw - newest <= newest * Fraction(2, 10**8)
            shown = reference.shown_w() * 1000
            assert -2 - shown * Fraction(2, 10**8) <= state.shown_mw() - shown <= shown * Fraction(2, 10**8)
    return state, demand, reference


@given(st.integers(0, 2**30 - 1), st.integers(0, 2**30 - 1), st.integers(1, 2**28 - 1))
def test_muldiv_is_exact(a, b, c):
    if a * b // c < 2**30:
        assert muldiv(a, b, c) == a * b // c


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1_000, 30_000_000), st.integers(0, 400_000)), min_size=50, max_size=300))
def test_MD_1_equals_the_reference_for_any_cycles(cycles):
    run(cycles)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 600), min_size=600, max_size=900), st.integers(-40, 40))
def test_MD_2_equals_the_reference_over_days(powers, skew_ms):
    """Field bug 28: three days and more in cycles of about 5 min, so that every sub-interval and period edge is met."""
    run([((300_000 + skew_ms) * 1000, p * 100_000) for p in powers])


def test_MD_3_field_bug_28_the_window_is_exactly_three_sub_intervals():
    """A constant load shows its full value at 15:00.0, not 6.7 % less because a window began one minute off."""
    cycles = [(100_000, 3_200)] * 9_000  # 12 kW... 3,200 counts = 0.1 Wh in 100 ms = 3.6 kW
    state, demand, _ = run(cycles)
    assert state.run_s == 900
    assert state.interval_mw == 3_600_000
    assert state.shown_mw() == 3_600_000


def test_MD_3_before_the_third_sub_interval_ends_the_demand_is_zero():
    state, demand, _ = run([(100_000, 3_200)] * 8_999)
    assert state.shown_mw() == 0


@pytest.mark.parametrize("sub, shown_at", [(288, 288), (289, 576)])
def test_MD_3_field_bug_29_a_demand_belongs_to_the_period_in_which_it_ends(sub, shown_at):
    """A 15-minute peak whose window ends with sub-interval `sub`: at 24 h 00 it is still of the first period."""
    state, demand = State(), Demand(MODEL, Log())
    shown = []
    for k in range(1, 289 * 2 + 2):
        book(state, 3_000_000 if sub - 2 <= k <= sub else 3_000, MODEL.counts_per_wh)
        demand.step(state, 300_000_000)
        shown.append(state.shown_mw())
    peak_mw = 3_000_000 * 12 * 1000 // 32_000
    peak_at = [k for k, mw in enumerate(shown, 1) if mw // 1000 == peak_mw // 1000]
    assert peak_at == list(range(shown_at, min(shown_at + 288, len(shown) + 1)))


def test_MD_3_field_bug_13_a_sub_interval_is_divided_by_its_real_length():
    """Its end is the first cycle at or after the boundary: up to 30 s late, the power is still the same."""
    cycles = [(100_000, 3_200)] * 2_999 + [(30_000_000, 960_000)]  # 329.9 s at 3.6 kW
    state, _, _ = run(cycles * 3)
    assert state.sub_1_mw == state.sub_2_mw == state.interval_mw == 3_600_000


def test_MD_2_after_24_h_it_changes_only_once_in_24_h():
    state, demand = State(), Demand(MODEL, Log())
    seen = []
    for k in range(1, 4 * 288 + 1):
        book(state, 1000 * k, MODEL.counts_per_wh)
        demand.step(state, 300_000_000)
        if k >= 288:
            seen.append(state.shown_mw())
    changes = [i for i in range(1, len(seen)) if seen[i] != seen[i - 1]]
    assert changes == [288, 576, 864]


@pytest.mark.parametrize("code", ["MDNCT-1SC", "MDNCT-2SC", "MSNCT-2SC"])
def test_MD_1_highest_power_stays_within_small_integers(code):
    model = Model(code, "50Hz" if code == "MSNCT-2SC" else "60Hz")
    cycles = [(100_000, 41_500)] * 9_100  # both chips at full scale
    state, _, _ = run(cycles, model)
    for name, value in state.__dict__.items():
        assert value < 2**30, name


def test_MD_4_power_up_starts_time_and_demand_anew_and_keeps_energy():
    state, _, _ = run([(100_000, 3_200)] * 9_100)
    wh = state.delivered_wh
    state.power_up()
    assert state.delivered_wh == wh > 0
    assert (state.run_s, state.sub_k, state.interval_mw, state.max_mw, state.last_max_mw, state.periods) == (0,) * 6


def with_a_gap(begin_s, length_s, watts=1_200, other_w=0, end_s=3_600, log=None):
    """One line at a constant `watts` whose front end is silent for a time, another one at `other_w`; cycles of 1 s."""
    state, demand = State(), Demand(MODEL, log or Log())
    per_s, other = watts * 32_000 // 3_600, other_w * 32_000 // 3_600
    for second in range(1, end_s + 1):
        counts, span_s = per_s, 1
        if begin_s < second <= begin_s + length_s:
            counts = 0
        elif second == begin_s + length_s + 1:
            counts, span_s = per_s * (length_s + 1), length_s + 1
        book(state, counts + other, MODEL.counts_per_wh)
        if span_s > 1:
            demand.share(state, counts, span_s * 1_000_000, 1_000_000)
        demand.step(state, 1_000_000)
    return state


@given(st.integers(901, 2_600), st.integers(1, 300), st.integers(0, 20_000))
@settings(deadline=None, max_examples=25)
def test_MD_3a_at_constant_load_a_gap_of_up_to_five_minutes_leaves_the_maximum(begin_s, length_s, other_w):
    state = with_a_gap(begin_s, length_s, other_w=other_w)
    plain = with_a_gap(begin_s, 0, other_w=other_w)
    assert abs(state.max_mw / plain.max_mw - 1) < 0.001
    assert abs(state.interval_mw / plain.interval_mw - 1) < 0.001
    assert (state.delivered_wh, state.delivered_counts) == (plain.delivered_wh, plain.delivered_counts)


def test_MD_3a_a_sub_interval_that_is_put_in_afterwards_counts_in_full():
    """3.6 kW for five minutes, found after a gap of six that begins with the meter's time: to the mW."""
    state, demand = State(), Demand(MODEL, Log())
    for _ in range(2):
        demand.step(state, 300_000_000)
    book(state, 6 * 60 * 32_000, MODEL.counts_per_wh)  # 1 Wh a second
    demand.share(state, 6 * 60 * 32_000, 360_000_000, 60_000_000)
    assert state.sub_counts == 60 * 32_000
    assert (state.sub_1_mw, state.sub_2_mw) == (3_600_000, 0)


def test_MD_3a_a_longer_gap_is_placed_as_far_as_windows_reach_and_the_rest_is_logged():
    log = Log()
    state = with_a_gap(1_000, 1_100, log=log)
    assert log.events == [
        (event_codes.DEMAND_LEFT_OUT, 1_200 * 500 // 3_600)
    ]  # of 1,000 to 1,500 s: two finished sub-intervals reach no further
    assert abs(state.max_mw / 1_200_000 - 1) < 0.001
    assert state.interval_mw <= 1_200_000
    state = with_a_gap(1_000, 1_100, end_s=2_101)  # as soon as it is placed: two of the interval's three in full
    assert abs(state.interval_mw - 800_000) < 2_000


def test_MD_3a_a_demand_that_ended_with_the_period_is_corrected_there():
    """The gap goes over 24 h 00: what ended there belongs to the period before (MD-3)."""
    state, demand = State(), Demand(MODEL, Log())
    for k in range(1, 289):
        counts = 3_200_000 if k < 288 else 1_600_000  # the second half of the last one is still to come
        book(state, counts, MODEL.counts_per_wh)
        demand.step(state, 300_000_000)
    assert state.periods == 1 and state.last_max_mw == 1_200_000
    for extra in (4_800_000, 1_000):  # twice the load before
        book(state, extra, MODEL.counts_per_wh)
        demand.share(state, extra, 150_100_000, 100_000)
        demand.step(state, 100_000)
        state.sub_counts = 0
    assert state.max_mw == 0
    assert abs(state.last_max_mw - (1_200_000 * 2 + 600_000 + 1_800_000) / 3) < 2_000
