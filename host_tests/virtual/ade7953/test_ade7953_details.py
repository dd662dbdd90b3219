"""Where the simulated ADE7953 had differed from the data sheet or from logs of silicon: angle, no-load states of
channel B, zero crossings, PGA_V, the lock, the clock, peaks of a waveform, output pins.
"""

import math

import pytest

from host_tests.mp.chip_rig import (
    ANGLE,
    IRQENA,
    RSTIRQSTATA,
    VRMS,
    Rig,
    load,
)

ACCMODE, CONFIG, DISNOLOAD = 0x301, 0x102, 0x001
FULL = 9_032_007


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
    assert not rig.chip.locked()
    rig.chip.cs(0)
    rig.chip.exchange(frame, bytearray(5))
    rig.clock.sleep(2)
    rig.chip.cs(1)
    assert rig.chip.locked()


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
