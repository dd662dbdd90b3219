"""Power cuts and wear, at a size for every day; the large runs are in docs/reliability.md."""

import pytest

from host.campaigns import power_cuts, wear
from host.rigs.memory_rig import Rig
from openkh.state import State


@pytest.mark.parametrize(("medium", "cuts"), [("fram", 1200), ("flash", 600)])
def test_ST_1_no_cut_loses_more_than_its_bound(medium, cuts):
    """EN-4, ST-2: each state loaded had been saved, none is above what was measured; the campaign raises otherwise."""
    result = power_cuts.run(medium, cuts, seed=7)
    assert result["cuts"] == cuts
    assert result["cuts_in_write"] > cuts // 3
    assert result["cuts_with_warning"] > cuts // 6
    assert result["lost_wh_worst_with_warning"] == 0
    assert result["roll_overs"] == 1, "the register passed 1,000,000 kWh on the way (EN-3)"
    if medium == "fram":
        assert 5 < result["lost_wh_worst"] < 47_140 / 3600
    else:
        assert result["cuts_in_erase"] > 100
        assert result["cuts_at_boot"] > 50
        assert 90 < result["lost_wh_worst"] < 100


@pytest.mark.parametrize("medium", ["fram", "flash"])
def test_ST_1_with_a_warning_the_whole_firmware_loses_nothing(medium):
    """Field bug 26: not a day, nor 15 minutes, nor 100 Wh."""
    """At the hold-up that is asked for, the RP2040 busy when the supply fails; and at a quarter of it."""
    for holdup_ms, busy_ms in ((80.0, power_cuts.BUSY_MS), (20.0, 0)):
        assert abs(power_cuts.whole_firmware(medium, holdup_ms, 6, busy_ms=busy_ms)) < 1e-5


def test_ST_1_without_any_warning_the_whole_firmware_keeps_the_bound():
    lost_wh = power_cuts.whole_firmware("fram", power_cuts.NO_WARNING_MS, 6)
    assert 0 < lost_wh < 6 * 2 * 12_000 / 3600


@pytest.mark.parametrize("load", list(wear.LOADS))
@pytest.mark.parametrize("medium", ["fram", "flash"])
def test_ST_3_the_memory_outlives_20_years(medium, load):
    figures = wear.replay(medium, load, 0.5)
    assert figures["worst_in_20_years"] < 0.8 * figures["endurance"]


def test_ST_3_the_ring_wears_evenly():
    """Round all blocks several times, with a start in between now and then."""
    rig = Rig("flash")
    before = list(rig.chip.erases)
    state = State()
    saves = 0
    while saves < 4 * 48 * 96:
        journal = rig.journal()
        journal.load(state)
        for _ in range(1000):
            state.delivered_wh += 100
            assert journal.save(state)
            journal.tidy()
            saves += 1
    used = [now - then for now, then in zip(rig.chip.erases, before, strict=True)]
    blocks = [used[block] for block in rig.memory().journal.blocks]
    assert max(blocks) - min(blocks) <= 2
    assert sum(used) == sum(blocks)
