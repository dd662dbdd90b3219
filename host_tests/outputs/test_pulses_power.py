"""Pulse outputs through power cuts, dips and hangs: each edge once (PO-4)."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tests.outputs.rig import DRAIN, ROLL_WH, Meter, jittered, shortest_us


def cut(meter, warned=True):
    """Lose the supply: with a warning the queue stands still at the last commit."""
    if warned:
        meter.pulses.freeze()
        meter.cycle()
        meter.clock.spend(60_000)
    saved = meter.state
    for machine in meter.board.state_machines.values():
        machine.release()
    meter.clock.spend(200_000)
    meter.energy()
    # What flowed while the meter was off is not measured.
    meter.start_wh = saved.delivered_wh
    meter.true_counts = saved.delivered_counts
    meter._milli = 0
    meter.log = []
    meter.power_up()


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_PO_4_power_cycles_give_each_edge_exactly_once(seed):
    """25 power cycles at random moments: nothing too many, nothing too few, off after each power-up."""
    rng = random.Random(seed)
    meter = Meter(rng.choice((8_000, 16_000, 32_000)), ticks_offset_us=rng.randrange(1 << 30))
    for _ in range(25):
        meter.load(rng.choice((0, 500, rng.randrange(60_700), 60_700)))
        meter.run(rng.randrange(1, 25), jittered(seed))
        meter.clock.spend(rng.randrange(100_000))
        cut(meter)
        assert [meter.board.pins[n].level for n in range(4)] == [0, 0, 0, 0]
    meter.load(0)
    meter.run(DRAIN)
    for weight in (10, 100, 1000):
        assert meter.rises(weight) == meter.state.delivered_wh // weight
        assert (shortest_us(meter.edges[weight]) or 30_000) >= 30_000


def test_PO_4_a_pulse_cut_short_is_not_repeated():
    meter = Meter()
    meter.load(36_000)
    while not meter.board.pins[0].level:
        meter.run(1)
    cut(meter)
    whole = meter.state.edges_10
    assert whole == 1
    meter.load(18_000)
    meter.run(30)
    # Off until the next full weight: the off-to-on edge of 20 Wh is the next one.
    assert [level for _, level in meter.edges[10]][:3] == [1, 0, 1]
    assert meter.rises(10) == 2


def test_PO_4_owed_edges_are_given_and_a_register_behind_waits():
    meter = Meter(start_wh=1_047, edges=(101, 10, 1))
    meter.run(DRAIN)
    assert (meter.rises(10), meter.rises(100), meter.rises(1000)) == (3, 0, 0)
    assert meter.state.edges_10 == 104
    assert shortest_us(meter.edges[10]) >= 30_000
    # Edges ahead of the register after a cut without warning: the next one is that of the next weight not given.
    meter = Meter(start_wh=1_047, edges=(106, 10, 1))
    meter.load(36_000)
    meter.run(30)
    meter.load(0)
    meter.run(DRAIN)
    assert meter.state.delivered_wh == 1_077
    assert meter.rises(10) == 1
    assert meter.state.edges_10 == 107


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_PO_4_a_dip_within_the_hold_up_changes_no_count(seed):
    """Freeze and thaw: what is committed while frozen is what the pin has shown; afterwards each edge once."""
    rng = random.Random(seed)
    meter = Meter(16_000, ticks_offset_us=rng.randrange(1 << 30))
    for _ in range(20):
        meter.load(rng.randrange(60_700))
        meter.run(rng.randrange(1, 15), jittered(seed))
        meter.clock.spend(rng.randrange(100_000))
        meter.pulses.freeze()
        seen = {weight: meter.rises(weight) for weight in (10, 100, 1000)}
        levels = [meter.board.pins[n].level for n in range(4)]
        for _ in range(rng.randrange(1, 5)):
            meter.cycle()
            meter.clock.spend(rng.randrange(20_000))
            assert meter.state.edges_10 == seen[10]
            assert meter.state.edges_100 == seen[100]
            assert meter.state.edges_1000 == seen[1000]
            assert levels == [meter.board.pins[n].level for n in range(4)]
        meter.pulses.thaw(meter.now())
    meter.load(0)
    meter.run(DRAIN)
    for weight in (10, 100, 1000):
        assert meter.rises(weight) == meter.state.delivered_wh // weight
        assert (shortest_us(meter.edges[weight]) or 30_000) >= 30_000


def test_PO_4_edges_not_yet_due_keep_their_time_through_a_dip():
    times = []
    for dip in (False, True):
        meter = Meter()
        meter.load(18_000)
        for n in range(100):
            meter.run(1)
            if dip and n == 50:
                meter.pulses.freeze()
                meter.clock.spend(40_000)
                meter.pulses.thaw(meter.now())
                meter.clock.spend(60_000)
            elif n == 50:
                meter.clock.spend(100_000)
        times.append([t for t, _ in meter.edges[10]])
    assert len(times[0]) == len(times[1])
    for a, b in zip(*times):
        assert abs(a - b) <= 40


def test_a_supply_that_fails_for_long_lets_no_tick_wrap_through():
    """Frozen for 20 minutes with an edge owed: given at once after the thaw."""
    meter = Meter()
    meter.load(36_000)
    meter.run(12)
    meter.pulses.freeze()
    meter.load(0)
    meter.run(60, lambda _n: 20_000_000)
    meter.pulses.thaw(meter.now())
    meter.run(10)
    assert meter.rises(10) == 1


@pytest.mark.parametrize("seed", range(40))
def test_PO_4_what_is_queued_is_what_the_pio_gives_while_the_processor_hangs(seed):
    """At any moment, over dips and the roll-over: edges given by the time of the watchdog less those in the state."""
    rng = random.Random(seed)
    start_wh = rng.choice((0, 12_345, ROLL_WH - 40))
    meter = Meter(rng.choice((32_000, 8_000)), start_wh)
    for _ in range(rng.randrange(3, 8)):
        meter.load(rng.choice((0, 3_000, 24_000, 50_000)))
        meter.run(rng.randrange(1, 60))
        if rng.random() < 0.3:
            meter.pulses.freeze()
            meter.run(rng.randrange(1, 8))
            if rng.random() < 0.8:
                meter.pulses.thaw(meter.now())
                meter.run(1)
    queued = meter.pulses.queued
    meter.clock.sleep(3_000_000)
    for weight, bits, edges in (
        (10, queued & 7, meter.state.edges_10),
        (100, queued >> 3 & 3, meter.state.edges_100),
        (1000, queued >> 5, meter.state.edges_1000),
    ):
        before = start_wh // weight
        assert (before + meter.rises(weight) - edges) % (ROLL_WH // weight) == bits
