"""Levels and angles of the simulated ADE7953: rms, gains, phase, power factor, peaks, sag, zero crossings."""

import math

import pytest

from host_tests.mp.chip_rig import (
    ANGLE,
    AVA,
    AVAR,
    AWATT,
    IRMS,
    IRQENA,
    IRQSTATA,
    PERIOD,
    PF,
    RSTIRQSTATA,
    VRMS,
    Rig,
)

SAGCYC, SAGLVL, OVLVL, OILVL, ZXTOUT = 0x000, 0x300, 0x324, 0x325, 0x100
VPEAK, RSTVPEAK, IPEAK, RSTIPEAK = 0x326, 0x327, 0x328, 0x329
CONFIG, PHCAL = 0x102, 0x108
FULL = 9_032_007


@pytest.fixture
def rig() -> Rig:
    return Rig()


def load(rig: Rig, v: float, i: float, degrees: float = 0.0, hz: float = 60.0) -> None:
    angle = math.radians(degrees)
    rig.chip.drive(v, i, v * i * math.cos(angle), v * i * math.sin(angle), hz)


# -- rms ----------------------------------------------------------------------------------------------------------


def test_rms_settles_within_200_ms(rig: Rig) -> None:
    """DS p.23; not at once, so that rms cannot bound an energy reading."""
    load(rig, 0.5, 0.5)
    assert rig.read(VRMS) == 0
    rig.sleep(0.04)
    assert rig.read(VRMS) / FULL == pytest.approx(0.5 * math.sqrt(1 - math.exp(-1)), rel=1e-4)
    rig.sleep(0.16)
    assert rig.read(VRMS) / FULL == pytest.approx(0.5, rel=0.005)
    assert rig.read(AVA) / 4_862_401 == pytest.approx(0.25, rel=0.01)
    rig.sleep(1)
    assert rig.read(VRMS) == rig.read(IRMS) == round(0.5 * FULL)
    load(rig, 0.25, 0.5)
    rig.sleep(0.2)
    assert rig.read(VRMS) / FULL == pytest.approx(0.25, rel=0.03)


def test_rms_gain_and_offset(rig: Rig) -> None:
    """AVGAIN, AIGAIN scale (DS p.21); an offset step is 4096 squares (DS p.35)."""
    load(rig, 0.5, 0.1)
    rig.sleep(2)
    rig.write(0x381, 0x480000)
    rig.write(0x380, 0x380000)
    assert rig.read(VRMS) == round(0.5 * FULL * 1.125)
    assert rig.read(IRMS) == round(0.1 * FULL * 0.875)
    assert rig.read(AWATT) == pytest.approx(0.05 * 1.125 * 0.875 * 4_862_401, abs=1)
    rig.write(0x386, 1000)
    assert rig.read(IRMS) == round(math.sqrt((0.1 * FULL * 0.875) ** 2 + 4_096_000))
    rig.write(0x386, -0x7FFFFF & 0xFFFFFF)
    assert rig.read(IRMS) == pytest.approx(math.sqrt((0.1 * FULL * 0.875) ** 2 - 0x7FFFFF * 4096), abs=1)
    load(rig, 0.5, 0.0)
    rig.sleep(2)
    assert rig.read(IRMS) == 0


def test_noise_floor() -> None:
    """SNR of DS p.5: some 2860 codes on the voltage; logs of silicon show 1773 on current A."""
    noisy = Rig(noise=True)
    noisy.sleep(1)
    assert noisy.read(VRMS) == pytest.approx(2860, rel=0.01)
    assert noisy.read(IRMS) == pytest.approx(1773, rel=0.01)
    load(noisy, 0.6, 0.1)
    noisy.sleep(2)
    seen = {noisy.read(VRMS) for _ in range(20)}
    assert len(seen) > 10
    assert max(abs(v - 0.6 * FULL) for v in seen) < 2000


def test_imperfect_channels() -> None:
    rig = Rig(v_gain_percent=2.0, i_gain_percent=-1.0, phase_minutes=6.0)
    load(rig, 0.5, 0.5, 60.0)
    rig.sleep(2)
    assert rig.read(VRMS) == round(0.51 * FULL)
    assert rig.read(IRMS) == round(0.495 * FULL)
    expected = 0.51 * 0.495 * math.cos(math.radians(59.9)) * 4_862_401
    assert rig.read(AWATT) == pytest.approx(expected, abs=1)


def test_temperature_moves_power_twice_as_much() -> None:
    """DS p.22: x % of reference drift is 2x % of power."""
    rig = Rig(tempco_ppm=50.0)
    load(rig, 0.5, 0.5)
    before = rig.counts_in(50)
    rig.chip.temperature(45.0)
    rig.sleep(2)
    assert rig.counts_in(50) / before - 1 == pytest.approx(2 * 50e-6 * 20, rel=1e-2)
    assert rig.read(VRMS) / (0.5 * FULL) - 1 == pytest.approx(50e-6 * 20, rel=1e-2)


def test_accuracy_holds_only_with_the_optimum_setting() -> None:
    """Field bug 22 shows in the energy: after a reset 0x120 is gone (DS p.18)."""
    plain = Rig(tuned=False)
    load(plain, 0.5, 0.5)
    tuned = Rig()
    load(tuned, 0.5, 0.5)
    plain.write(0x004, 0)
    assert plain.counts_in(10) / tuned.counts_in(10) == pytest.approx(0.998, rel=1e-5)


def test_crystal_tolerance() -> None:
    rig, slow = Rig(), Rig(clkin_ppm=-10_000)
    for each in (rig, slow):
        load(each, 1.0, 1.0)
    assert slow.counts_in(10) / rig.counts_in(10) == pytest.approx(0.99, rel=1e-5)
    assert slow.read(PERIOD) == 223_750 * 99 // 6000 - 1


def test_overload_saturates(rig: Rig) -> None:
    load(rig, 1.0, 2.0)
    rig.sleep(2)
    assert rig.read(IRMS) & 0xFFFFFF == pytest.approx(FULL * 0x7FFFFF / 6_500_000, abs=2)
    assert rig.read(IPEAK) == 0x7FFFFF


def test_pga_and_high_pass(rig: Rig) -> None:
    load(rig, 0.05, 0.02)
    rig.write(0x007, 3)
    rig.write(0x008, 5)
    rig.sleep(2)
    assert rig.read(VRMS) == round(0.4 * FULL)
    assert rig.read(IRMS) == round(0.44 * FULL)
    rig.write(CONFIG, 0)
    rig.sleep(2)
    assert rig.read(VRMS) > round(0.4 * FULL)


# -- phase --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hz", [50.0, 60.0])
@pytest.mark.parametrize("steps", [100, -100, 383, -383])
def test_phcal_is_sign_and_magnitude_and_delays(rig: Rig, hz: float, steps: int) -> None:
    """DS p.34: a step is 1/895 kHz, bit 9 clear delays the current."""
    load(rig, 0.8, 0.8, 60.0, hz)
    rig.write(PHCAL, abs(steps) | (0x200 if steps < 0 else 0))
    angle = math.radians(60.0 + steps / 895_000 * hz * 360)
    assert rig.read(AWATT) == pytest.approx(0.64 * math.cos(angle) * 4_862_401, abs=2)
    assert rig.read(AVAR) == pytest.approx(0.64 * math.sin(angle) * 4_862_401, abs=2)


def test_phcal_makes_up_for_a_transformer() -> None:
    lead_minutes = 17 * 60.0 * 360 / 895_000 * 60
    rig, ideal = Rig(phase_minutes=lead_minutes), Rig()
    for each in (rig, ideal):
        load(each, 0.6, 0.5, 60.0)
    assert rig.read(AWATT) > ideal.read(AWATT) * 1.01
    rig.write(PHCAL, 17)
    assert rig.read(AWATT) == pytest.approx(ideal.read(AWATT), abs=1)


@pytest.mark.parametrize(("degrees", "sign"), [(0.0, 1), (60.0, 1), (-60.0, -1), (85.0, 1), (150.0, 1), (-150.0, -1)])
def test_field_bug_12_power_factor_and_angle_have_a_sign(rig: Rig, degrees: float, sign: int) -> None:
    """DS p.38-39: negative power factor is capacitive."""
    load(rig, 0.6, 0.5, degrees)
    pf = rig.read(PF)
    pf -= 0x10000 if pf >> 15 else 0
    assert pf == pytest.approx(sign * abs(math.cos(math.radians(degrees))) * 0x8000, abs=2)
    angle = rig.read(ANGLE)
    angle -= 0x10000 if angle >> 15 else 0
    assert angle * 360 * 60 / 223_750 == pytest.approx(degrees, abs=0.06)


def test_power_factor_without_load(rig: Rig) -> None:
    """DS p.38: 1 where there is no apparent power, 0 where there is no active power."""
    load(rig, 0.6, 0.0)
    assert rig.read(PF) == 0x7FFF
    load(rig, 0.6, 0.5, 90.0)
    assert rig.read(PF) == 0


def test_waveform_samples(rig: Rig) -> None:
    load(rig, 0.5, 0.25, 90.0, 50.0)
    seen = []
    for _ in range(200):
        rig.clock.sleep(100)
        seen.append((rig.signed(0x318), rig.signed(0x316)))
    assert max(v for v, _ in seen) == pytest.approx(3_250_000, rel=1e-3)
    assert max(i for _, i in seen) == pytest.approx(1_625_000, rel=1e-3)
    for (v, _), (_, i) in zip(seen, seen[50:]):
        assert i == pytest.approx(v / 2, abs=2)  # a quarter cycle later


# -- peaks, sag, crossings ----------------------------------------------------------------------------------------


def test_peaks_grow_until_they_are_cleared(rig: Rig) -> None:
    load(rig, 0.8, 0.4)
    rig.sleep(0.1)
    load(rig, 0.6, 0.3)
    rig.sleep(0.1)
    assert (rig.read(VPEAK), rig.read(RSTVPEAK)) == (5_200_000, 5_200_000)
    assert rig.read(VPEAK) == 0
    rig.sleep(0.02)
    assert rig.read(VPEAK) == 3_900_000
    assert rig.read(RSTIPEAK) == 2_600_000
    rig.sleep(0.02)
    assert rig.read(IPEAK) == 1_950_000


def test_sag_after_its_half_cycles(rig: Rig) -> None:
    """DS p.45; the IRQ moves at its time, once for each sag."""
    load(rig, 0.6, 0.1)
    rig.sleep(1)
    rig.write(SAGLVL, int(0.45 * 6_500_000))
    rig.write(SAGCYC, 3)
    rig.write(IRQENA, 0x180000)
    rig.read(RSTIRQSTATA)
    rig.edges.clear()
    load(rig, 0.44, 0.1)
    start = rig.clock.now_us
    rig.sleep(0.02)
    load(rig, 0.6, 0.1)  # too short
    rig.sleep(0.1)
    assert rig.edges == []
    load(rig, 0.0, 0.0)
    start = rig.clock.now_us
    rig.sleep(1)
    assert rig.edges == [(start + 3 * 8333, 0)]
    assert rig.read(RSTIRQSTATA) >> 19 & 1
    rig.sleep(1)
    assert len(rig.edges) == 2
    load(rig, 0.6, 0.1)
    rig.sleep(0.1)
    load(rig, 0.0, 0.0)
    rig.sleep(0.1)
    assert rig.read(IRQSTATA) >> 19 & 1


def test_sag_needs_level_and_cycles(rig: Rig) -> None:
    for level, cycles in ((0, 1), (1_000_000, 0)):
        rig.write(SAGLVL, level)
        rig.write(SAGCYC, cycles)
        rig.sleep(1)
        assert not rig.read(IRQSTATA) >> 19 & 1


def test_zero_crossing_time_out(rig: Rig) -> None:
    """DS p.44: ZXTOUT in steps of 1/14 kHz after the last crossing."""
    load(rig, 0.6, 0.1)
    rig.write(ZXTOUT, 1400)
    rig.write(IRQENA, 0x104000)
    rig.sleep(1)
    rig.read(RSTIRQSTATA)
    rig.edges.clear()
    rig.sleep(1)
    assert rig.edges == []
    load(rig, 0.0007, 0.0)  # below 1/1250 of full scale there are no crossings
    start = rig.clock.now_us
    rig.sleep(0.2)
    assert start + 100_100 - 8334 <= rig.edges[0][0] <= start + 100_100
    assert rig.read(RSTIRQSTATA) >> 14 & 1


@pytest.mark.parametrize(("edge", "per_second"), [(0, 120), (1, 60), (2, 60), (3, 120)])
def test_zero_crossing_interrupts(rig: Rig, edge: int, per_second: int) -> None:
    load(rig, 0.6, 0.1)
    rig.write(CONFIG, 0x0004 | edge << 12)
    rig.read(RSTIRQSTATA)
    rig.write(IRQENA, 0x108000)
    seen = 0
    for _ in range(1000):
        rig.clock.sleep(1000)
        seen += rig.read(RSTIRQSTATA) >> 15 & 1
    assert seen == pytest.approx(per_second, abs=1)


def test_over_levels_and_new_samples(rig: Rig) -> None:
    load(rig, 0.6, 0.3)
    rig.write(OVLVL, int(0.61 * 6_500_000))
    rig.write(OILVL, int(0.31 * 6_500_000))
    rig.sleep(0.1)
    rig.read(RSTIRQSTATA)
    rig.sleep(0.1)
    assert rig.read(IRQSTATA) & 0x12000 == 0
    assert rig.read(RSTIRQSTATA) >> 17 & 1
    load(rig, 0.62, 0.32)
    rig.sleep(0.01)
    assert rig.read(RSTIRQSTATA) & 0x12000 == 0x12000
    rig.sleep(0.01)
    assert rig.read(RSTIRQSTATA) & 0x12000 == 0x12000  # it goes on


@pytest.mark.parametrize(("hz", "period"), [(45.0, 4971), (50.0, 4474), (59.93, 3732), (60.0, 3728), (65.0, 3441)])
def test_period(rig: Rig, hz: float, period: int) -> None:
    load(rig, 0.6, 0.1, hz=hz)
    assert rig.read(PERIOD) == period
    load(rig, 0.0, 0.0, hz=0.0)
    assert rig.read(PERIOD) == period
