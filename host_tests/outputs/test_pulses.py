"""Pulse outputs: right in number for ever, right in time at constant load (PO-1 to PO-4, EN-3, field bugs 31, 32)."""

import random
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tests.outputs.rig import DELAY_US, DRAIN, READ_US, ROLL_WH, Meter, jittered, pulses, shortest_us, spread
from openkh.outputs.pulses import Pulses
from openkh.state import State
from openkh.ticks import ticks_add

# Model: counts per Wh, and the loads from 1 A to 110 % of one and of two lines at nominal voltage, W.
LOADS = [
    (32_000, 120),
    (32_000, 1_200),
    (32_000, 13_200),
    (32_000, 26_400),
    (16_000, 240),
    (16_000, 4_700),
    (16_000, 52_800),
    (8_000, 240),
    (8_000, 7_777),
    (8_000, 52_800),
]


@pytest.mark.parametrize("counts_per_wh, watts", LOADS)
def test_PO_3_edges_are_even_at_constant_load(counts_per_wh, watts):
    """PO-1, PO-3, field bugs 30, 31: the spacing within 0.2 ms or 0.005 % peak to peak, duty 50 % +-0.1 %; the ticks
    wrap in the run."""
    meter = Meter(counts_per_wh, ticks_offset_us=(1 << 30) - 3_000_000)
    meter.load(watts)
    spacing_us = 5 * 3_600_000_000 / watts
    gap = jittered(counts_per_wh + watts)
    while len(meter.edges[10]) < 12:
        if spacing_us > 5_000_000 and meter.energy() % (5 * counts_per_wh) < 4.8 * counts_per_wh:
            meter.run(2, gap)  # far from an edge
        meter.run(1, gap)
    times = [t for t, _ in meter.edges[10]]
    spaces = [b - a for a, b in zip(times, times[1:])]
    assert spread(spaces) <= max(200, 0.00005 * spacing_us)
    assert abs(sum(spaces) / len(spaces) - spacing_us) <= max(100, 0.00003 * spacing_us)
    on = times[2] - times[1] if meter.edges[10][1][1] else times[1] - times[0]
    assert abs(on / (2 * spacing_us) - 0.5) < 0.001
    # PO-2: the load LED repeats it.
    assert meter.led == meter.edges[10]


@pytest.mark.parametrize("counts_per_wh, watts", LOADS)
def test_PO_3_reference_integrator_on_a_bench(counts_per_wh, watts):
    """An ideal standard that integrates between 10 pulses finds an error below 0.005 %."""
    meter = Meter(counts_per_wh)
    meter.load(watts)
    gap = jittered(7)
    while meter.rises(10) < 12:
        meter.run(1, gap)
    rises = [t for t, level in meter.edges[10] if level]
    standard_wh = watts * (rises[10] - rises[0]) / 3.6e9
    assert abs(100 / standard_wh - 1) < 0.00005


def test_PO_3_edges_stand_500_ms_after_the_crossing_and_never_before_the_register():
    meter = Meter()
    meter.load(18_000)  # 5 Wh each second
    meter.run(300, jittered(1))
    for n, (t_us, level) in enumerate(meter.edges[10]):
        # The first edge is the full weight of 10 Wh: half weight 2.
        assert level == 1 - n % 2
        assert abs(t_us - ((n + 2) * 1_000_000 + DELAY_US)) <= 40
        assert meter.crossing_us(n + 2) + READ_US <= t_us


def test_field_bug_30_edges_stand_across_the_tick_wrap():
    """The ticks wrap at any point between queueing an edge and giving it."""
    for before_us in range(1_000_000, 3_000_000, 40_000):
        meter = Meter(ticks_offset_us=(1 << 30) - before_us)
        meter.load(36_000)
        meter.run(40)
        times = [t_us for t_us, _ in meter.edges[10]]
        assert len(times) >= 5
        for n, t_us in enumerate(times):
            assert abs(t_us - ((n + 2) * 500_000 + DELAY_US)) <= 40


def test_PO_1_on_from_each_full_weight_to_half_a_weight_later():
    meter = Meter()
    meter.load(36_000)
    meter.run(2_050)
    for weight in (10, 100, 1000):
        wh_at = [(t - DELAY_US) * 36_000 / 3.6e9 for t, _ in meter.edges[weight]]
        levels = [level for _, level in meter.edges[weight]]
        assert levels == [1 - n % 2 for n in range(len(levels))]
        for n, wh in enumerate(wh_at):
            assert abs(wh - weight * (1 + n / 2)) < 0.01
    assert [meter.rises(w) for w in (10, 100, 1000)] == [199 + 5, 20, 2]


LOAD_STEPS = st.lists(
    st.tuples(st.integers(0, 60_700), st.integers(1, 60), st.integers(0, 1)),
    min_size=1,
    max_size=12,
)


@given(LOAD_STEPS, st.sampled_from([32_000, 16_000, 8_000]), st.integers(0, 2**32), st.integers(0, 10**9 - 1))
@settings(max_examples=60, deadline=None)
def test_PO_1_edges_times_weight_and_remainder_are_the_energy(steps, counts_per_wh, seed, start_wh):
    """EN-3, PO-1, field bug 32: any load in any slicing, across the roll-over or not; never under 30 ms."""
    start_wh = ROLL_WH - 1 - start_wh % 300 if seed % 3 == 0 else start_wh
    meter = Meter(counts_per_wh, start_wh, ticks_offset_us=seed % (1 << 30))
    rng = random.Random(seed)
    for watts, cycles, stall in steps:
        meter.load(watts)
        meter.run(cycles, jittered(seed))
        if stall:
            meter.clock.spend(rng.randrange(8_000_000))
    meter.load(0)
    meter.run(DRAIN)
    tens = (start_wh * counts_per_wh + meter.energy()) // (10 * counts_per_wh) - start_wh // 10
    for _ in range(25):  # what a stall has piled up drains at its own pace
        if meter.rises(10) < tens:
            meter.run(DRAIN)
    for weight in (10, 100, 1000):
        whole = (start_wh * counts_per_wh + meter.energy()) // (weight * counts_per_wh)
        assert start_wh // weight + meter.rises(weight) == whole
        edges = getattr(meter.state, "edges_%d" % weight)
        assert edges == whole % (ROLL_WH // weight)
        assert (shortest_us(meter.edges[weight]) or 30_000) >= 30_000
        # The moments of the edges are the register's or later.
        for n, (t_us, level) in enumerate(meter.edges[weight]):
            if level:
                wh = (start_wh // weight + 1 + n // 2) * weight
                needed = (wh - start_wh) * counts_per_wh
                assert next(t for t, counts in meter.log if counts >= needed) <= t_us


def test_PO_3_a_late_cycle_delays_nothing_that_was_queued():
    """400 ms without a cycle (a flash erase): every edge stands where it would have stood."""
    meters = []
    for stall_us in (0, 300_000):
        meter = Meter()
        meter.load(30_000)
        meter.run(100, lambda n, s=stall_us: 100_000 + (s if n % 10 == 5 else 0))
        meters.append(meter)
    calm = [t for t, _ in meters[0].edges[10]]
    late = [t for t, _ in meters[1].edges[10]]
    for a, b in zip(calm, late):
        assert abs(a - b) <= 40


def test_field_bug_31_no_burst_after_a_stall():
    """8 s without a cycle at the highest rate: no pulse is lost, none follows within 30 ms, and evenness returns."""
    meter = Meter(8_000)
    meter.load(60_700)
    meter.run(50)
    before = meter.rises(10)
    meter.clock.spend(8_000_000)
    meter.run(40)
    assert meter.rises(10) > before + 13
    assert shortest_us(meter.edges[10]) >= 30_000
    assert len({(t - DELAY_US) % 100_000 for t, _ in meter.edges[10]}) > 10  # not at the polling rate
    tail = [t for t, _ in meter.edges[10]][-6:]
    spaces = [b - a for a, b in zip(tail, tail[1:])]
    assert spread(spaces) < 200
    meter.load(0)
    meter.run(DRAIN)
    assert meter.rises(10) == meter.energy() // 80_000


def test_EN_3_the_roll_over_is_no_edge_and_loses_none():
    start = ROLL_WH - 40
    meter = Meter(start_wh=start)
    meter.load(36_000)
    meter.run(150)
    meter.load(0)
    meter.run(DRAIN)
    wh = meter.energy() // 32_000
    assert wh > 140
    assert meter.rises(10) == (start + wh) // 10 - start // 10
    assert meter.rises(100) == (start + wh) // 100 - start // 100
    assert meter.rises(1000) == 1
    assert meter.state.edges_10 == (start + wh) // 10 % (ROLL_WH // 10) < 20
    assert shortest_us(meter.edges[10]) > 400_000


def test_EN_3_a_stall_over_the_roll_over_loses_none():
    start = ROLL_WH - 60
    meter = Meter(start_wh=start)
    meter.load(36_000)
    meter.run(10)
    meter.clock.spend(15_000_000)
    meter.run(1)
    meter.load(0)
    meter.run(3 * DRAIN)
    end = start + meter.energy() // 32_000
    assert end > ROLL_WH + 80
    assert meter.rises(10) == end // 10 - start // 10
    assert meter.rises(100) == end // 100 - start // 100
    assert meter.rises(1000) == 1


@pytest.mark.parametrize("counts_per_wh, most_w", [(32_000, 30_360), (16_000, 60_720), (8_000, 60_720)])
def test_PO_3_a_backlog_drains_at_twice_the_highest_rate_at_most(counts_per_wh, most_w):
    """Whatever piles it up: half an hour in which the supply seems to fail, at two thirds of the highest load."""
    meter = Meter(counts_per_wh)
    meter.load(most_w * 2 // 3)
    meter.run(30)
    meter.pulses.freeze()
    meter.run(1_800, lambda _n: 1_000_000)
    meter.pulses.thaw(meter.now())
    thawed_us = meter.clock.now_us
    backlog = meter.energy() // counts_per_wh // 10 - meter.rises(10)
    meter.run(int(backlog * 36_000 / most_w * 10))
    meter.load(0)
    meter.run(DRAIN)
    half_us = 5 * 3_600_000_000 // (2 * most_w)
    for weight in (10, 100, 1000):
        assert meter.rises(weight) == meter.energy() // counts_per_wh // weight
        edges = [edge for edge in meter.edges[weight] if edge[0] > thawed_us]
        assert shortest_us(edges) >= half_us * weight // 10 - 10
    assert backlog > 900 * most_w // 30_360 // 2


def test_PO_3_a_dip_moves_no_edge_that_is_due_after_it():
    """A new chain of segments knows when the last edge was: the pace of a backlog delays nothing that is on time."""
    meters = []
    for dip in (False, True):
        meter = Meter()
        meters.append(meter)
        meter.load(30_000)
        meter.run(95)
        if dip:
            meter.pulses.freeze()
        meter.run(1)
        if dip:
            meter.pulses.thaw(meter.now())
        meter.run(1_300)
    for weight in (10, 100, 1000):
        plain, dipped = (meter.edges[weight] for meter in meters)
        late_us = [b[0] - a[0] for a, b in zip(plain, dipped, strict=True)]
        assert max(late_us) <= 130_000 and sum(us > 50 for us in late_us) <= 1


def test_PO_1_received_energy_gives_no_edge():
    """The register only rises; cycles without delivered energy ask for nothing."""
    meter = Meter()
    meter.run(50)
    meter.state.received_wh = 500
    meter.run(50)
    assert meter.edges[10] == []


def test_a_reading_that_failed_is_spread_over_both_cycles():
    """The former t_us given again: the next edge stands where it belongs, not lumped into the last cycle."""
    meter = Meter()
    meter.load(18_000)
    last_us = 0
    for n in range(120):
        if n % 7 == 3:
            # No good reading: the register stands, and so does the time it was read.
            meter.pulses.plan(meter.state, last_us, meter.now())
            meter.clock.spend(100_000)
        else:
            last_us = meter.now()
            meter.run(1)
    for n, (t_us, _) in enumerate(meter.edges[10]):
        assert abs(t_us - ((n + 2) * 1_000_000 + DELAY_US)) <= 40


@given(st.integers(1, (1 << 20) - 1), st.integers(0, (1 << 20) - 1), st.integers(0, (1 << 18) - 1))
@settings(max_examples=300, deadline=None)
def test_short_way_of_the_interpolation_is_exact(step, counts, us):
    reading = pulses.Reading(32_000)
    reading.step_counts = step
    reading.step_us = us
    assert reading.back_us(counts) == (us if counts >= step else us * counts // step)


@pytest.mark.parametrize("moving", [(True, False, False), (False, True, False), (False, False, True)])
@pytest.mark.parametrize("early_us", [0, 1_000_000])
def test_PO_1_each_output_s_edges_are_brought_up_to_date_where_one_may_have_been_given(moving, early_us):
    first_us = ticks_add(pulses.ticks_us(), early_us)
    outputs = [
        SimpleNamespace(moving=moves, first_us=first_us, edges_given=lambda wh, n=n: wh + n)
        for n, moves in enumerate(moving)
    ]
    three = SimpleNamespace(out_10=outputs[0], out_100=outputs[1], out_1000=outputs[2])
    state = SimpleNamespace(delivered_wh=50, edges_10=1, edges_100=2, edges_1000=3)
    Pulses.write_given(three, state)
    assert (state.edges_10, state.edges_100, state.edges_1000) == tuple(
        50 + n if moves and not early_us else n + 1 for n, moves in enumerate(moving)
    )
    assert three.edges_changed == (not early_us)


@pytest.mark.parametrize("seed", range(30))
def test_PO_4_each_commit_has_the_edges_that_were_given_until_then(seed):
    """Whenever that is: edges come at any moment of a cycle, which takes any time and may fail before its commit."""
    rng = random.Random(seed)
    meter = Meter(rng.choice((8_000, 32_000)), rng.randrange(10_000), at_once=seed % 3 == 0)
    meter.pause_us = lambda: rng.randrange(60_000)
    before = meter.state.edges_10, meter.state.edges_100, meter.state.edges_1000
    write_given = meter.pulses.write_given

    def compared(state):
        write_given(state)
        if not rng.randrange(10):
            write_given(State())  # as in a cycle that is given up afterwards
            meter.clock.spend(rng.randrange(50_000))
            write_given(state)
        given = state.edges_10, state.edges_100, state.edges_1000
        assert given == tuple(old + meter.rises(weight) for old, weight in zip(before, (10, 100, 1000), strict=True))

    meter.pulses.write_given = compared
    for _ in range(15):
        meter.load(rng.choice((0, 500, 24_000, 60_000, 150_000, rng.randrange(100_000))))
        meter.run(rng.randrange(1, 30), jittered(rng.random(), rng.choice((1_000, 80_000))))
        if not rng.randrange(3):
            meter.pulses.freeze()
            meter.run(rng.randrange(1, 30))
            meter.pulses.thaw(meter.now())
    meter.load(0)
    meter.run(1_000)
    assert meter.state.edges_10 == meter.state.delivered_wh // 10


def test_PO_3_an_output_at_rest_is_not_looked_at_and_its_next_edge_is_on_time():
    """Also when the ticks have gone round meanwhile, and so much further that times from before would look new."""
    meter = Meter()
    meter.load(36_000)
    meter.run(200)
    meter.load(0)
    meter.run(DRAIN)
    outputs = meter.pulses.out_10, meter.pulses.out_100, meter.pulses.out_1000
    words = [output._port.words for output in outputs]
    looks = []
    for output in outputs:
        output.follow = lambda *args, follow=output.follow: (looks.append(args), follow(*args))
    idle_cycles = 12 * 600  # 12 minutes: half of the ticks' round is 9
    meter.run(idle_cycles)
    assert [output._port.words for output in outputs] == words
    assert len(looks) <= 3 * 13
    meter.load(36_000)  # 5 Wh each half second
    began_us = meter.clock.now_us
    first_us = began_us + 500_000 - meter.energy() % 160_000 * 500_000 // 160_000 + DELAY_US
    meter.run(30)
    times = [t_us for t_us, _ in meter.edges[10] if t_us > began_us]
    assert len(times) == 5
    assert all(abs(t_us - first_us - n * 500_000) <= 40 for n, t_us in enumerate(times))


@pytest.mark.parametrize("at_once", [False, True])
def test_PO_4_an_edge_is_queued_in_the_cycle_after_the_one_that_places_it_or_at_once(at_once):
    """At once where the cycle may erase flash afterwards, which takes up to 400 ms (DR-12)."""
    meter = Meter(at_once=at_once)
    meter.run(2)
    meter.load(36_000)
    output = meter.pulses.out_10
    while not output._placed:
        meter.run(1)
    assert output._fed == at_once
    meter.run(1)
    assert output._fed == 1
