"""Mains, load and current transformers: what the stimulus says is what the simulated chips count."""

import math
from typing import Any

import pytest

from boards.virtual.parts.mains import CORES, Ct, Mains
from host_tests.mp.chip_rig import PERIOD, VRMS, Rig
from openkh.model import WGAIN_NOMINAL, Model


def bench(code: str = "MSNCT-1SC", service: str = "60Hz", **ct: Any) -> tuple[Model, Rig, Mains]:
    """One element, calibrated nominally."""
    model = Model(code, service)
    rig = Rig()
    rig.write(0x382, WGAIN_NOMINAL)
    cts = [Ct(model.rating_a, **ct)]
    return model, rig, Mains(rig.clock, [rig.chip], model.full_scale_mv / 1000, model.full_scale_ma / 1000, cts)


def steady(mains: Mains, rig: Rig, volts: float, amps: float, degrees: float = 0.0, hz: float = 60.0) -> None:
    mains.add(["mains", rig.clock.now_us, 0, [volts, amps, degrees, 0.0], None, hz])


def counted_wh(model: Model, rig: Rig, seconds: float) -> float:
    before = rig.chip.counted_total()
    rig.sleep(seconds)
    return (rig.chip.counted_total() - before) / model.counts_per_wh


@pytest.mark.parametrize("amps", [0.05, 1.0, 10.0, 100.0, 110.0])
@pytest.mark.parametrize("degrees", [0.0, 60.0, -30.0, 180.0, 240.0])
def test_EN_6_an_ideal_board_counts_within_10_ppm(amps: float, degrees: float) -> None:
    """The model's counts per Wh at the nominal gain."""
    model, rig, mains = bench()
    steady(mains, rig, 120.0, amps, degrees)
    seconds = 3600 * max(1.0, 40.0 / amps)
    true_wh = 120.0 * amps * math.cos(math.radians(degrees)) * seconds / 3600
    assert counted_wh(model, rig, seconds) == pytest.approx(true_wh, rel=10e-6)


@pytest.mark.parametrize(
    ("code", "service", "volts"),
    [("MSNCT-1SC", "50Hz", 240.0), ("MSNCT-2SC", "60Hz", 120.0), ("MSNCT-2SC", "50Hz", 240.0)],
)
def test_EN_6_of_every_model(code: str, service: str, volts: float) -> None:
    model, rig, mains = bench(code, service)
    steady(mains, rig, volts, 80.0, 0.0, model.hz)
    assert counted_wh(model, rig, 3600) == pytest.approx(volts * 80.0, rel=10e-6)


def test_no_current_no_count() -> None:
    """EN-5: 115 % of the voltage and no load."""
    model, rig, mains = bench()
    steady(mains, rig, 138.0, 0.0)
    assert counted_wh(model, rig, 3600) == 0


def test_unplugged_is_for_good() -> None:
    """Whatever the stimulus still has: a ramp, power that comes back."""
    model, rig, mains = bench()
    steady(mains, rig, 120.0, 50.0)
    heard: list[float] = []
    mains.volts(heard.append)
    mains.add(["mains", rig.clock.now_us + 2_000_000, 1, [120.0, 100.0, 0.0, 0.0], None, 60.0])
    mains.add(["power", rig.clock.now_us + 3_000_000, 1])
    rig.sleep(1)
    mains.unplug()
    assert counted_wh(model, rig, 5) == 0
    assert heard == [120.0, 0.0] and mains.lines()[0]["watts"] == 0


def test_ratio_and_phase_of_the_transformer() -> None:
    model, rig, mains = bench(ratio_percent=0.3, phase_minutes=20.0)
    steady(mains, rig, 120.0, 50.0, 60.0)
    expected = 120.0 * 50.0 * 1.003 * math.cos(math.radians(60.0 - 20.0 / 60))
    assert counted_wh(model, rig, 3600) == pytest.approx(expected, rel=10e-6)
    assert mains.lines()[0]["watts"] == pytest.approx(3000.0)


@pytest.mark.parametrize("core", sorted(CORES))
def test_errors_of_a_core_grow_at_low_current(core: str) -> None:
    ct = Ct(100, 0.2, 12.0, core)
    assert ct.errors(100.0) == pytest.approx((1.002, 0.2))
    assert ct.errors(150.0) == pytest.approx((1.002, 0.2))
    before = ct.errors(100.0)
    for amps in (40.0, 10.0, 3.0, 0.5, 0.05, 0.0):
        factor, lead = ct.errors(amps)
        assert factor <= before[0] and lead >= before[1]
        before = (factor, lead)
    ratio, minutes = CORES[core][1][1:]
    assert ct.errors(1.0) == pytest.approx((1 + (0.2 + ratio) / 100, (12 + minutes) / 60))
    with pytest.raises(ValueError, match="solid"):
        Ct(100, core="air")


def test_a_ramp_is_the_integral_of_its_line() -> None:
    model, rig, mains = bench()
    start = rig.clock.now_us
    mains.add(["mains", start, 0, [110.0, 2.0, 0.0, 0.0], None, 60.0])
    mains.add(["mains", start + 60_000_000, 1, [130.0, 80.0, 0.0, 0.0], None, 60.0])
    mean_w = 110 * 2 + (110 * 78 + 20 * 2) / 2 + 20 * 78 / 3
    assert counted_wh(model, rig, 60) == pytest.approx(mean_w / 60, rel=20e-6)
    assert counted_wh(model, rig, 60) == pytest.approx(130 * 80 / 60, rel=20e-6)


def test_a_ramp_in_pieces_is_the_same_ramp() -> None:
    whole = bench()
    cut = bench()
    for pieces, (_, rig, mains) in ((1, whole), (7, cut)):
        start = rig.clock.now_us
        for k in range(pieces + 1):
            part = k / pieces
            line = [120.0, 10.0 + 40.0 * part, 60.0 * part, 0.0]
            mains.add(["mains", start + round(part * 10_000_000), int(k > 0), line, None, 60.0])
    assert counted_wh(*whole[:2], 10) == pytest.approx(counted_wh(*cut[:2], 10), rel=20e-6)


def test_items_take_effect_at_their_time() -> None:
    model, rig, mains = bench()
    heard = []
    mains.volts(lambda volts: heard.append((rig.clock.now_us, volts)))
    start = rig.clock.now_us
    mains.add(["mains", start + 1_000_000, 0, [120.0, 30.0, 0.0, 0.0], None, 60.0])
    mains.add(["mains", start + 2_000_000, 0, [120.0, 60.0, 0.0, 0.0], None, 60.0])
    mains.add(["power", start + 3_000_000, 0])
    mains.add(["power", start + 4_000_000, 1])
    assert [counted_wh(model, rig, 1) for _ in range(5)] == pytest.approx([0, 1, 2, 0, 2], abs=1e-4)
    assert heard == [(start, 0.0), (start + 1_000_000, 120.0), (start + 3_000_000, 0.0), (start + 4_000_000, 120.0)]


def test_without_power_nothing_flows_and_nothing_is_shown() -> None:
    _, rig, mains = bench()
    steady(mains, rig, 120.0, 30.0)
    mains.add(["power", rig.clock.now_us, 0])
    assert mains.lines() == [{"volts": 0.0, "amps": 0.0, "watts": 0.0, "pf": 1.0}]
    rig.sleep(2)
    assert rig.read(VRMS) == 0


def test_ID_3_lines_of_the_live_view() -> None:
    """A single-element meter has no line 2; power factor is signed, minus = leading."""
    clock_rig = Rig()
    chips = [clock_rig.chip, clock_rig.chip]
    mains = Mains(clock_rig.clock, chips, 200.0, 117.85, [Ct(100), Ct(100)])
    mains.add(["mains", 0, 0, [120.0, 10.0, -60.0, 0.0], [118.0, 5.0, 150.0, 180.0], 60.0])
    one, two = mains.lines()
    assert (one["watts"], one["pf"]) == (pytest.approx(600.0), pytest.approx(-0.5))
    assert two["watts"] == pytest.approx(-118 * 5 * math.sqrt(0.75))
    _, _, single = bench()
    single.add(["mains", 0, 0, [120.0, 10.0, -60.0, 0.0], [118.0, 5.0, 150.0, 180.0], 60.0])
    assert len(single.lines()) == 1


def test_frequency_reaches_the_chip() -> None:
    _, rig, mains = bench()
    steady(mains, rig, 120.0, 1.0, hz=59.5)
    assert rig.read(PERIOD) == int(223_750 / 59.5) - 1


def test_a_table_goes_on_where_a_cut_has_left_it() -> None:
    """The recording runs on while the mains are off, as the true energy has it."""
    model, rig, mains = bench()
    start = rig.clock.now_us
    table = [[120.0, 10.0, 0.0, 0.0], [120.0, 10.0, 1200.0, 0.0]]
    mains.add(["wave", start, 1_000_000, table, None, 60.0])
    mains.add(["power", start + 2_000_000, 0])
    mains.add(["power", start + 5_000_000, 1])
    third = 1200 / 3600
    assert [counted_wh(model, rig, 1) for _ in range(7)] == pytest.approx([0, third, 0, 0, 0, third, 0], abs=1e-4)
    assert mains.lines()[0]["watts"] == pytest.approx(600.0)
