"""Thresholds of the status, just below, at and just above each (DX-4, DX-5, DX-7)."""

import math

import pytest

from host_tests.display.glass_rig import Log
from openkh.metrology import status as dx
from openkh.metrology.status import Line
from openkh.model import Model

MODELS = [("MDNCT-1SC", "60Hz"), ("MDNCT-2SC", "60Hz"), ("MSNCT-1SC", "50Hz"), ("MSNCT-2SC", "50Hz")]
IDS = ["100A-120V", "200A-120V", "100A-240V", "200A-240V"]


def bits(*conditions):
    return sum(1 << c for c in conditions)


def line(model, watts=1000.0, var=0.0, window_us=1_000_000):
    """A line whose last second held exactly these (as counts, truncated towards zero)."""
    one = Line(1, model, Log())
    one.window_us = window_us
    one.active_counts = int(watts * model.counts_per_wh * window_us / 3.6e9)
    one.reactive_counts = int(var * model.counts_per_wh * window_us / 3.6e9)
    return one


@pytest.mark.parametrize("model", [Model(*m) for m in MODELS], ids=IDS)
class TestThresholds:
    """DX table and DX-4: just below, at, and just above each threshold."""

    def test_DX_low_voltage_below_102_or_204_V(self, model):
        limit = 102_000 * model.nominal_mv // 120_000
        one = line(model)
        assert one.judge(limit - 1, 10_000) == bits(dx.LOW_VOLTAGE)
        assert one.judge(limit, 10_000) == 0

    def test_DX_over_voltage_above_138_or_276_V(self, model):
        limit = 138_000 * model.nominal_mv // 120_000
        one = line(model)
        assert one.judge(limit + 1, 10_000) == bits(dx.OVER_VOLTAGE)
        assert one.judge(limit, 10_000) == 0

    def test_DX_over_current_above_110_or_220_A(self, model):
        limit = 1_100 * model.rating_a
        one = line(model)
        assert one.judge(model.nominal_mv, limit + 1) == bits(dx.OVER_CURRENT)
        assert one.judge(model.nominal_mv, limit) == 0

    @pytest.mark.parametrize("window_us", [1_000_000, 987_654, 100_000, 5_000_000])
    def test_DX_reverse_below_minus_15_W_and_low_current_below_15_W(self, model, window_us):
        """Exact: the counts of the window against 15 W in rational arithmetic, on either side of the threshold."""
        exact = 15 * model.counts_per_wh * window_us / 3.6e9
        for counts in range(int(exact) - 2, int(exact) + 4):
            for signed in (counts, -counts):
                one = line(model, window_us=window_us)
                one.active_counts = signed
                watts_times = signed * 3_600_000_000  # against 15 W * counts per Wh * us
                fifteen = 15 * model.counts_per_wh * window_us
                expected = 0
                if watts_times < -fifteen:
                    expected = bits(dx.REVERSE)
                elif watts_times < fifteen:
                    expected = bits(dx.LOW_CURRENT)
                assert one.judge(model.nominal_mv, 0) == expected, signed

    def test_DX_4_15_W_does_not_scale(self, model):
        """DX-4. Exactly 15 W (a window of 48 s holds whole counts of it) is not low, exactly -15 W is not reverse."""
        one = line(model, window_us=48_000_000)
        one.active_counts = 15 * 48 * model.counts_per_wh // 3600
        assert one.active_counts * 3600 == 15 * 48 * model.counts_per_wh
        assert one.judge(model.nominal_mv, 125) == 0
        one.active_counts = -one.active_counts
        assert one.judge(model.nominal_mv, 125) == bits(dx.LOW_CURRENT)
        one.active_counts -= 1
        assert one.judge(model.nominal_mv, 125) == bits(dx.REVERSE)

    @pytest.mark.parametrize("sign", [1, -1], ids=["lag", "lead"])
    @pytest.mark.parametrize("degrees, bad", [(79.5, False), (80.5, True), (89.5, True), (90.5, False)])
    def test_DX_7_bad_power_factor_between_80_and_90_degrees(self, model, degrees, bad, sign):
        va = model.nominal_mv / 1000 * 50
        angle = math.radians(degrees)
        one = line(model, va * math.cos(angle), sign * va * math.sin(angle))
        found = one.judge(model.nominal_mv, 50_000)
        assert bool(found & bits(dx.BAD_POWER_FACTOR)) == bad

    def test_DX_7_the_angle_is_judged_only_above_the_starting_current(self, model):
        one = line(model, 20.0, 200.0)
        assert one.judge(model.nominal_mv, model.start_ma) == 0
        assert one.judge(model.nominal_mv, model.start_ma + 1) == bits(dx.BAD_POWER_FACTOR)

    def test_DX_7_the_angle_is_not_judged_below_20_percent_of_nominal_voltage(self, model):
        one = line(model, 20.0, 200.0)
        fifth = model.nominal_mv // 5
        assert one.judge(fifth - 1, 10_000) == bits(dx.LOW_VOLTAGE)
        assert one.judge(fifth, 10_000) == bits(dx.LOW_VOLTAGE, dx.BAD_POWER_FACTOR)


def test_DX_7_80_degrees_is_decided_to_a_millionth():
    """tan(80 deg) against whole counts, also where a late cycle makes them large; compared with exact rationals."""
    tan = 5.671281819617709
    one = line(Model("MDNCT-1SC", "60Hz"))
    for p in (1, 7, 1000, 207_512, 1 << 20, (1 << 23) - 1):
        q = math.floor(p * tan)
        margin = 1 if p < 1 << 20 else 100
        one.active_counts = p
        one.reactive_counts = q + margin
        assert one.judge(120_000, 10_000) & bits(dx.BAD_POWER_FACTOR)
        one.reactive_counts = -(q + margin)
        assert one.judge(120_000, 10_000) & bits(dx.BAD_POWER_FACTOR)
        one.reactive_counts = q - margin + 1
        assert not one.judge(120_000, 10_000) & bits(dx.BAD_POWER_FACTOR)


def test_DX_no_power_at_all_is_no_bad_power_factor():
    """90 degrees exactly: P = 0 is low current, not bad power factor."""
    one = line(Model("MDNCT-1SC", "60Hz"), 0.0, 600.0)
    assert one.judge(120_000, 5_000) == bits(dx.LOW_CURRENT)


def test_LC_5_a_single_count_is_its_power_to_the_nearest_milliwatt():
    """One count in a second is 112.5 mW on the 100 A, 120 V model; exact ties go away from zero."""
    one = line(Model("MDNCT-1SC", "60Hz"), 0.0)
    for counts, mw in ((1, 113), (-1, -113), (2, 225), (0, 0)):
        one.active_counts = counts
        assert one.p_mw() == mw
