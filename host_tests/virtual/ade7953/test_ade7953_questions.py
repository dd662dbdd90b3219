"""CH-2: each open question of the data sheet is a setting of the simulated ADE7953, and each way shows at its pins.

And where it had differed from the data sheet or from logs of silicon: idle noise, ripple, angle, no-load states of
channel B, zero crossings, PGA_V, the lock, the clock.
"""

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
)

ACCMODE, CRC, CONFIG, DISNOLOAD = 0x301, 0x37F, 0x102, 0x001
LAST_ADD, LAST_OP, LAST_24 = 0x1FE, 0x0FD, 0x2FF
FULL = 9_032_007


def load(rig: Rig, v: float = 0.6, i: float = 0.2, degrees: float = 0.0, hz: float = 60.0) -> None:
    angle = math.radians(degrees)
    rig.chip.drive(v, i, v * i * math.cos(angle), v * i * math.sin(angle), hz)


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


# -- closer to the data sheet ---------------------------------------------------------------------------------------


def test_angle_and_waveform_do_not_follow_power_gain_and_offset() -> None:
    """DS p.24 Fig. 45, p.39."""
    rig = Rig()
    load(rig, degrees=30.0)
    before = rig.read(ANGLE)
    rig.write(0x382, 0x600000)
    rig.write(0x38A, 0x7FFFFF)
    assert rig.read(ANGLE) == before


def test_no_load_detection_switched_off_shows_in_channel_B_too() -> None:
    """DS p.62, 65."""
    rig = Rig()
    assert rig.read(ACCMODE) == 0x3F0000
    rig.write(DISNOLOAD, 7)
    assert rig.read(ACCMODE) == 0
    rig.write(DISNOLOAD, 4)
    assert rig.read(ACCMODE) == 0x2D0000


def test_channel_B_tells_no_load_and_missing_crossings() -> None:
    """DS p.40, 44, 67."""
    rig = Rig()
    load(rig)
    rig.sleep(4)
    assert rig.read(0x330) & 0x8C0 == 0x0C0
    rig.sleep(1)
    assert rig.read(0x331) & 0x8C0 == 0x8C0
    assert rig.read(0x330) == 0
    rig.sleep(4.8)
    assert rig.read(0x330) == 0x800


def test_a_zero_crossing_is_seen_2_ms_late() -> None:
    """DS p.43: 39.6 degrees at 50 Hz."""
    rig = Rig()
    load(rig, hz=50.0)
    rig.read(RSTIRQSTATA)
    rig.write(IRQENA, 0x108000)
    rig.edges.clear()
    start = rig.clock.now_us
    rig.clock.sleep(10_000)
    assert rig.edges[0][1] == 0
    samples = rig.chip._signals.line
    assert samples.degrees_at(rig.edges[0][0]) % 180.0 == pytest.approx(39.6, abs=0.1)
    assert rig.edges[0][0] > start


def test_voltage_gain_ends_at_16() -> None:
    """DS p.22."""
    rig = Rig()
    rig.write(0x007, 5)
    load(rig, 0.05)
    rig.sleep(2)
    assert rig.read(VRMS) == round(0.8 * FULL)


def test_lock_wants_CS_low_for_its_time() -> None:
    """DS p.6: 1.2 us after the last edge of the clock."""
    rig = Rig(tuned=False)
    frame = bytes([0x01, 0x02, 0x00, 0x00, 0x04])
    rig.chip.cs(0)
    rig.chip.exchange(frame, bytearray(5))
    rig.chip.cs(1)
    assert not rig.chip.locked
    rig.chip.cs(0)
    rig.chip.exchange(frame, bytearray(5))
    rig.clock.sleep(2)
    rig.chip.cs(1)
    assert rig.chip.locked


def test_a_clock_above_5_MHz_is_not_understood() -> None:
    """DS p.6."""
    rig = Rig()
    rig.chip.clock_rate(5_000_000)
    assert rig.read(0x303) == 0xE419
    rig.chip.clock_rate(5_100_000)
    assert rig.read(0x303) != 0xE419
    rig.write(0x000, 3)
    rig.chip.clock_rate(4_000_000)
    assert rig.read(0x000) == 0


# -- peaks of the waveform itself -----------------------------------------------------------------------------------


def play(rig: Rig, wave: list[float]) -> None:
    """A voltage of so many samples a millisecond apart, as parts of the full-scale peak; repeated end to end."""
    rms = math.sqrt(sum(v * v for v in wave) / len(wave) * 2)
    rig.chip.drive_table(1000, [(rms, 0.0, 0.0, 0.0, abs(v), 0.0) for v in wave], 50.0)


def sags_in(rig: Rig, seconds: float) -> int:
    rig.read(RSTIRQSTATA)
    seen = 0
    for _ in range(round(seconds * 1000)):
        rig.clock.sleep(1000)
        seen += rig.read(RSTIRQSTATA) >> 19 & 1
    return seen


def test_sag_and_peak_are_those_of_the_waveform() -> None:
    """DS p.45-46: a square wave of the same rms has a lower peak; a sag in part of a recording is seen."""
    rig = Rig()
    rig.write(0x300, int(0.75 * 0.6 * 6_500_000))
    rig.write(0x000, 1)
    sine = [0.6 * math.sin(2 * math.pi * (k + 0.5) / 20) for k in range(20)]
    play(rig, sine * 5)
    assert sags_in(rig, 0.5) == 0
    assert rig.read(0x326) == pytest.approx(0.6 * 6_500_000, rel=0.02)
    square = [0.6 / math.sqrt(2) * (1 if v > 0 else -1) for v in sine]
    play(rig, square)
    assert sags_in(rig, 0.5) == 1  # once for each sag, and this one lasts
    rig.read(0x327)
    rig.sleep(0.05)
    assert rig.read(0x326) == pytest.approx(0.6 / math.sqrt(2) * 6_500_000, rel=0.02)
    play(rig, sine * 10 + [v * 0.3 for v in sine] * 2 + sine * 10)
    assert sags_in(rig, 0.44 * 5) == 5


# -- output pins ----------------------------------------------------------------------------------------------------


def test_CF_gives_a_pulse_for_so_many_counts() -> None:
    """DS p.33: CFxDEN is written twice; off after a reset."""
    rig = Rig()
    load(rig, 1.0, 1.0)
    rig.sleep(1)
    assert rig.chip.pins.pulses(1) == 0
    rig.write(0x103, 1000)
    rig.write(0x103, 1000)
    rig.write(0x107, 0x0200)  # CF1: active power of channel A
    before = rig.chip.pins.pulses(1)
    rig.sleep(10)
    assert rig.chip.pins.pulses(1) - before == pytest.approx(2075, abs=1)
    assert rig.chip.pins.pulses(2) == 0


def test_REVP_and_ZX_follow_the_power_and_the_voltage() -> None:
    """DS p.43, 47; ALT_OUTPUT puts others in their place, p.64."""
    rig = Rig()
    load(rig, hz=50.0)
    assert rig.chip.pins.level("REVP") == 1
    load(rig, degrees=180.0, hz=50.0)
    assert rig.chip.pins.level("REVP") == 0
    levels = []
    for _ in range(400):
        rig.clock.sleep(1000)
        levels.append(rig.chip.pins.level("ZX"))
    assert sum(a != b for a, b in zip(levels, levels[1:])) == pytest.approx(40, abs=1)
    rig.write(0x110, 0x005 << 8)  # REVP carries the active no-load of channel A
    assert rig.chip.pins.level("REVP") == 0
    load(rig, 0.6, 0.0)
    assert rig.chip.pins.level("REVP") == 1
