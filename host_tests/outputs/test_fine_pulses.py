"""Fine pulses of the 10 Wh output for calibration: exact, bounded in time and load, billing right after (CA-1)."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tests.outputs.rig import DRAIN, ROLL_WH, Meter, jittered, pulses, shortest_us


def test_CA_1_a_meter_that_starts_tells_of_no_fine_pulses_that_ended():
    started = Meter().pulses
    assert (started.fine_mwh, started.fine_left_ms, started.fine_ended) == (0, 0, 0)


@pytest.mark.parametrize("weight_mwh, watts", [(1000, 55_000), (1000, 200), (100, 5_000), (100, 400)])
@pytest.mark.parametrize("counts_per_wh", [32_000, 8_000])
def test_fine_mode_gives_a_finer_constant(weight_mwh, watts, counts_per_wh):
    """Issue 5: 1 Wh up to 55 kW, 0.1 Wh up to 5 kW, even edges; its pulses are not billing pulses."""
    meter = Meter(counts_per_wh)
    meter.load(watts)
    meter.run(20, jittered(3))
    billed = meter.rises(10)
    assert meter.pulses.fine_pulses(weight_mwh, 3_600, meter.now()) == pulses.FINE_STARTED
    begin = meter.energy()
    half_us = weight_mwh * 1_800_000 / watts
    meter.run(max(60, int(7 * half_us / 100_000)), jittered(4))
    edges = [t for t, _ in meter.edges[10]][billed * 2 + 2 :]
    spaces = [b - a for a, b in zip(edges, edges[1:])]
    assert len(spaces) > 2
    # One count of the front end is the finest that a crossing can be placed to.
    count_us = 3_600_000_000 / watts / counts_per_wh
    assert all(abs(space - half_us) <= count_us + 50 for space in spaces)
    assert shortest_us(meter.edges[10]) >= 30_000
    assert meter.led == meter.edges[10]
    assert meter.energy() > begin
    # In the fine pulses the full weights that pass count as given.
    assert meter.state.edges_10 == meter.state.delivered_wh // 10
    meter.pulses.fine_stop(pulses.FINE_COMMAND)
    assert meter.pulses.fine_ended == pulses.FINE_COMMAND
    meter.run(8)
    assert meter.board.pins[0].level == 0 or meter.state.delivered_wh // 5 % 2 == 0
    # Afterwards off until the next full weight, then as ever.
    before = meter.rises(10)
    whole = meter.state.edges_10
    meter.load(30_000)
    meter.run(100)
    meter.load(0)
    meter.run(DRAIN)
    assert meter.state.edges_10 == meter.state.delivered_wh // 10
    assert meter.rises(10) - before == meter.state.edges_10 - whole


def test_fine_mode_ends_by_itself_and_says_why():
    meter = Meter()
    meter.load(1_000)
    meter.run(5)
    now = meter.now()
    assert meter.pulses.fine_pulses(500, 10, now) == pulses.FINE_REFUSED
    assert meter.pulses.fine_pulses(1000, 0, now) == pulses.FINE_REFUSED
    assert meter.pulses.fine_pulses(1000, 40_000, now) == pulses.FINE_REFUSED
    assert meter.pulses.fine_pulses(1000, 10, now) == pulses.FINE_STARTED
    meter.run(95)
    assert meter.pulses.fine_mwh == 1000
    meter.run(10)
    assert (meter.pulses.fine_mwh, meter.pulses.fine_ended) == (0, pulses.FINE_TIME_OVER)
    meter.load(6_000)
    meter.run(3)
    assert meter.pulses.fine_pulses(100, 10, meter.now()) == pulses.FINE_LOAD_TOO_HIGH
    assert meter.pulses.fine_pulses(1000, 10, meter.now()) == pulses.FINE_STARTED
    meter.load(60_000)
    meter.run(3)
    assert (meter.pulses.fine_mwh, meter.pulses.fine_ended) == (0, pulses.FINE_LOAD_TOO_HIGH)
    assert shortest_us(meter.edges[10]) >= 30_000


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_fine_mode_at_any_moment_keeps_billing_right(seed):
    """Into and out of the fine pulses at random, with dips and stalls: billing edges and register agree again."""
    rng = random.Random(seed)
    meter = Meter(rng.choice((8_000, 16_000, 32_000)), start_wh=ROLL_WH - rng.randrange(1, 200))
    for _ in range(12):
        meter.load(rng.randrange(50_000))
        meter.run(rng.randrange(1, 20), jittered(seed))
        meter.pulses.fine_pulses(rng.choice((100, 1000)), rng.randrange(1, 5), meter.now())
        meter.run(rng.randrange(1, 20), jittered(seed))
        if rng.random() < 0.3:
            meter.pulses.freeze()
            meter.cycle()
            meter.clock.spend(rng.randrange(50_000))
            meter.pulses.thaw(meter.now())
        if rng.random() < 0.5:
            meter.pulses.fine_stop(pulses.FINE_SEALED)
    meter.pulses.fine_stop(pulses.FINE_COMMAND)
    meter.run(DRAIN)
    assert shortest_us(meter.edges[10]) is None or shortest_us(meter.edges[10]) >= 30_000
    # Until the next full weight the output is off; from there on nothing is missing and nothing too much.
    meter.load(0)
    meter.run(DRAIN)
    whole = meter.state.delivered_wh // 10
    assert meter.state.edges_10 == whole
    before = meter.rises(10)
    meter.load(36_000)
    meter.run(50)
    meter.load(0)
    meter.run(DRAIN)
    whole_after = meter.state.delivered_wh // 10
    assert meter.state.edges_10 == whole_after
    assert meter.rises(10) - before == (whole_after - whole) % (ROLL_WH // 10)


def test_full_weights_count_as_given_for_as_long_as_fine_pulses_run():
    """12 minutes: longer than half of the ticks' round."""
    meter = Meter()
    meter.load(20_000)
    meter.run(5)
    assert meter.pulses.fine_pulses(1000, 3_600, meter.now()) == pulses.FINE_STARTED
    for _ in range(12):
        meter.run(600)
        assert 0 <= meter.state.delivered_wh // 10 - meter.state.edges_10 <= 1
