"""Demand of the whole meter over gaps: what comes late is put where it was counted (MD-3a)."""

import pytest

from host.rigs.trial import run, steps

LOAD = "at = 0.0\nl1 = {amps = 10.0}\nl2 = {amps = 0.0}"


@pytest.mark.parametrize("at, length", [(1216.0, 285.0), (1150.0, 40.0), (1499.0, 3.0)])
def test_MD_3a_a_silent_front_end_at_constant_load_leaves_the_maximum(at, length):
    silent = f'at = {at}\nfault = {{part = "chip1", kind = "silent", for_s = {length}}}'
    result = run(steps(LOAD, silent), 2_500.0)
    assert abs(result.report["demand"]["max_w"] / 1200 - 1) < 0.001
    assert abs(result.report["demand"]["interval_w"] / 1200 - 1) < 0.001
    counted = sum(chip["counts"] for chip in result.report["counted"])
    assert 0 <= counted - result.delivered_counts < 10_000  # of the start


@pytest.mark.parametrize("memory", ["fram", "flash"])
def test_ST_1_what_comes_at_once_after_a_silence_is_saved_in_the_same_cycle(memory):
    """A cut without any warning 0.3 s after a front end was back lost the energy of all its silence."""
    rows = [
        'at = 20.0\nfault = {part = "chip1", kind = "silent", for_s = 20.0}',
        "at = 40.4\npower = false",
        "at = 45.0\npower = true\nl1 = {amps = 0.0}",
    ]
    board = f'memory = "{memory}"\nholdup_ms = 0.001'
    result = run(steps("at = 0.0\nl1 = {amps = 100.0}\nl2 = {amps = 0.0}", *rows, board=board), 60.0)
    counted = sum(chip["counts"] for chip in result.report["counted"])
    assert counted - result.delivered_counts < 12_000 * 32_000 / 3600 * 1.5  # 1.5 s; it was 20 s
