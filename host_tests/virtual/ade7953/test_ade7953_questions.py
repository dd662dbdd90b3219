"""CH-2: each open question of the data sheet is a setting of the simulated ADE7953, and each way shows at its pins."""

import math

import pytest

from host_tests.mp.chip_rig import (
    AENERGY,
    ANGLE,
    AVA,
    AVAR,
    AWATT,
    IRMS,
    IRQENA,
    IRQSTATA,
    PERIOD,
    PF,
    RENERGY,
    RSTIRQSTATA,
    VRMS,
    Rig,
    load,
)

ACCMODE, CRC, CONFIG, DISNOLOAD = 0x301, 0x37F, 0x102, 0x001
LAST_ADD, LAST_OP, LAST_24 = 0x1FE, 0x0FD, 0x2FF
FULL = 9_032_007


def checked(**settings) -> Rig:
    """A chip whose checksum runs, with its interrupt enabled."""
    rig = Rig(**settings)
    load(rig)
    rig.write(CONFIG, 0x0104)
    rig.write(IRQENA, 0x300000)
    rig.sleep(0.05)
    rig.read(RSTIRQSTATA)
    return rig


# -- (a) (d) (h): the checksum --------------------------------------------------------------------------------------


@pytest.mark.parametrize("live", [False, True])
def test_CH_2_a_checksum_covers_the_signs_of_ACCMODE_or_not(live: bool) -> None:
    rig = checked(checksum_live_bits=live)
    before = rig.read(CRC)
    rig.edges.clear()
    load(rig, degrees=180.0)
    rig.sleep(0.05)
    assert (rig.read(CRC) != before) == live
    assert (rig.read(IRQSTATA) >> 21 & 1) == live
    assert bool(rig.edges) == live
    load(rig)
    rig.sleep(0.05)
    assert rig.read(CRC) == before


def test_CH_2_d_version_and_hidden_bytes() -> None:
    assert Rig(version=254).read(0x702) == 254
    seen = {checked(checksum_seed=seed).read(CRC) for seed in (0, 1, 2)}
    assert len(seen) == 3
    for wrong in (0, 255):
        with pytest.raises(ValueError, match="version"):
            Rig(version=wrong)


@pytest.mark.parametrize(("delay_ms", "early_us"), [(0, 142), (3, 2999), (10, 9999)])
def test_CH_2_h_checksum_and_interrupt_follow_after_a_sample_or_later(delay_ms: int, early_us: int) -> None:
    rig = checked(checksum_delay_ms=delay_ms)
    before = rig.read(CRC)
    rig.edges.clear()
    rig.chip.poke(0x282, 0x123456)
    rig.clock.sleep(early_us)
    if delay_ms:
        assert rig.read(CRC) == before
    assert not rig.edges
    rig.clock.sleep(1)
    assert rig.read(CRC) != before
    assert rig.edges == [(rig.clock.now_us, 0)]
    rig.chip.poke(0x282, 0x400000)
    rig.clock.sleep(10_000)
    assert rig.read(CRC) == before


# -- (b): the counter's end -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
def test_CH_2_b_register_wraps_or_stops_at_its_end(sign: int) -> None:
    wraps, stops = Rig(), Rig(counter_end="stop")
    for rig in (wraps, stops):
        rig.chip.drive(1.0, 1.0, sign * 1.0, 0.0, 60.0)
        rig.sleep(60)
    assert wraps.chip.counted_total() == stops.chip.counted_total()
    assert wraps.signed(AENERGY) * sign < 0
    assert stops.read(0x21E) == (0x7FFFFF if sign > 0 else 0x800000)
    assert stops.read(IRQSTATA) >> 3 & 1
    stops.chip.drive(1.0, 1.0, sign * -1.0, 0.0, 60.0)
    stops.sleep(1)
    assert abs(stops.signed(AENERGY)) == pytest.approx(0x7FFFFF - 207_512, abs=2)  # and comes off it again


# -- (c) (f): signs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
def test_CH_2_c_a_larger_phase_register_delays_or_advances(sign: int) -> None:
    rig = Rig(phcal_sign=sign)
    load(rig, degrees=60.0)
    rig.write(0x108, 100)
    angle = math.radians(60.0 + sign * 100 / 895_000 * 60 * 360)
    assert rig.read(AWATT) == pytest.approx(0.12 * math.cos(angle) * 4_862_401, abs=2)


@pytest.mark.parametrize("sign", [1, -1])
def test_CH_2_f_signs_of_reactive_energy_and_angle(sign: int) -> None:
    rig = Rig(var_sign=sign)
    load(rig, degrees=60.0)
    assert rig.signed(AVAR) * sign > 0
    assert rig.counts_in(1, RENERGY) * sign > 0
    assert rig.counts_in(1) > 0
    for address in (ANGLE, PF):
        assert ((rig.read(address) ^ 0x8000) - 0x8000) * sign > 0


# -- (e) (i) (j): LAST_*, flags, key --------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [False, True])
def test_CH_2_e_reading_LAST_changes_it_or_not(changes: bool) -> None:
    rig = Rig(last_changes=changes)
    rig.write(0x004, 0x12)
    value = rig.read(0x203)
    assert rig.read(LAST_ADD) == 0x203
    assert rig.read(LAST_OP) == 0x35
    assert rig.read(LAST_ADD) == (0x0FD if changes else 0x203)
    assert rig.read(LAST_24) == value  # each width keeps its own
    assert rig.read(0x0FF) == (0x35 if changes else 0x12)


@pytest.mark.parametrize("returns", [False, True])
def test_CH_2_i_flags_whose_cause_lasts_return_or_not(returns: bool) -> None:
    rig = Rig(flags_return=returns)
    load(rig)
    rig.write(0x300, 3_000_000)
    rig.write(0x000, 1)
    rig.write(IRQENA, 0x180040)
    load(rig, 0.3, 0.0)
    rig.sleep(0.1)
    wanted = 1 << 19 | 1 << 6
    assert rig.read(RSTIRQSTATA) & wanted == wanted
    rig.clock.sleep(143)
    assert rig.read(IRQSTATA) & wanted == (wanted if returns else 0)
    load(rig)
    rig.sleep(0.1)
    rig.read(RSTIRQSTATA)
    rig.sleep(0.1)
    assert rig.read(IRQSTATA) & wanted == 0
    assert rig.edges[-1][1] == 1


def test_CH_2_j_key_opens_the_next_frame_or_any_later_one() -> None:
    for strict in (True, False):
        rig = Rig(tuned=False, key_strict=strict)
        rig.write(0x120, 0x0030)
        assert rig.read(0x120) == 0
        rig.write(0x0FE, 0xAD)
        rig.read(0x102)
        rig.write(0x120, 0x0030)
        assert rig.read(0x120) == (0 if strict else 0x0030)
        rig.write(0x120, 0)
        assert rig.read(0x120) == (0 if strict else 0x0030)  # one write for each key


# -- (g): silence after a reset -------------------------------------------------------------------------------------


@pytest.mark.parametrize("silent_ms", [0, 7.5, 40, 100])
def test_CH_2_g_a_chip_is_silent_after_a_reset_and_loses_what_is_written(silent_ms: float) -> None:
    rig = Rig(silent_ms=silent_ms, start=False)
    rig.chip.power(True)
    rig.clock.sleep(26_000 + int(silent_ms * 1000))
    rig.tune()
    rig.write(0x000, 5)
    rig.chip.fault("reset")
    if silent_ms:
        rig.clock.sleep(int(silent_ms * 1000) - 1)
        rig.write(0x000, 7)
        assert rig.read(0x303) == 0
        assert not rig.read(IRQSTATA)
    rig.clock.sleep(1)
    assert rig.read(0x303) == 0xE419
    assert rig.read(0x000) == 0
    assert rig.read(IRQSTATA) >> 20 & 1


# -- (k) (l): noise, ripple, period ---------------------------------------------------------------------------------


def test_CH_2_k_an_idle_channel_reads_as_logs_of_silicon_show_it() -> None:
    """IRMS 1773 on both channels, AVA 658, AWATT within +-100, ACCMODE 0x2D....: the apparent no-load bits clear."""
    rig = Rig(noise=True)
    load(rig, 658 * (1 << 24) / 1773 / FULL, 0.0)
    rig.sleep(2)
    assert rig.read(IRMS) == pytest.approx(1773, abs=5)
    assert rig.read(0x31B) == pytest.approx(1773, abs=5)
    assert rig.read(AVA) == pytest.approx(658, abs=7)
    seen = {rig.signed(address) for address in (AWATT, AVAR, 0x313, 0x315) for _ in range(200)}
    assert max(abs(code) for code in seen) <= 100
    assert min(seen) < -50
    assert max(seen) > 50
    assert rig.read(ACCMODE) >> 16 == 0x2D
    assert rig.counts_in(600) == 0


def test_CH_2_k_ripple_at_twice_the_line_frequency() -> None:
    """DS p.23-24: in power and rms, not in their means; energy carries its integral."""
    plain, rig = Rig(), Rig(ripple=True)
    for each in (plain, rig):
        load(each, 0.6, 0.5, 60.0)
        each.sleep(1)
    watts, volts = [], []
    for _ in range(200):
        rig.clock.sleep(1_000_000 // 120 // 10 + 1)
        watts.append(rig.signed(AWATT))
        volts.append(rig.read(VRMS) & 0xFFFFFF)
    mean = sum(watts) / len(watts)
    assert mean == pytest.approx(plain.signed(AWATT), rel=3e-3)
    swing = 0.3 * 4_862_401 / math.sqrt(1 + (120 / 8.9) ** 2)
    assert max(watts) - mean == pytest.approx(swing, rel=0.05)
    assert max(volts) / (0.6 * FULL) - 1 == pytest.approx(1 / math.hypot(1, 2 * math.pi * 120 * 0.04) / 2, rel=0.05)
    assert rig.counts_in(10) == pytest.approx(plain.counts_in(10), abs=3)
    load(rig, 0.6, 0.0)
    rig.sleep(1)
    assert rig.read(0x31E) == rig.chip.counted_total() & 0xFFFFFF


@pytest.mark.parametrize("settle_ms", [0, 40])
def test_CH_2_l_period_follows_in_its_time(settle_ms: int) -> None:
    """DS p.36: 30 to 40 ms."""
    rig = Rig(period_settle_ms=settle_ms)
    load(rig)
    load(rig, hz=50.0)
    assert rig.read(PERIOD) == (3728 if settle_ms else 4474)
    rig.sleep(0.02)
    assert settle_ms == 0 or 3728 < rig.read(PERIOD) < 4474
    rig.sleep(0.02)
    assert rig.read(PERIOD) == 4474
