"""Recordings through the front end's signal path, up to the counts of the chip."""

from pathlib import Path

import numpy as np
import pytest
from comtrade_files import CFG, dat, samples, save

from boards.virtual.parts.mains import Ct, Mains
from host.stimulus.recordings import player, signal_path, synthetic
from host.stimulus.recordings.lines import Options
from host.stimulus.recordings.recording import Recording, frequency
from host.stimulus.recordings.synthetic import harmonics
from host_tests.mp.chip_rig import AENERGY, IRMS, PF, VRMS, Rig
from openkh.model import WGAIN_NOMINAL, Model

FULL_V, FULL_A = 200.0, 117.85


# -- signal path --------------------------------------------------------------------------------------------------


def means(recording: Recording) -> np.ndarray:
    """Mean volts, amps, watts, var of the table."""
    return signal_path.table(recording, 0, FULL_V, FULL_A)[1].mean(axis=0)[:4]


@pytest.mark.parametrize("degrees", [0.0, 60.0, -60.0, 150.0])
def test_sines_pass_unchanged(degrees: float) -> None:
    """Active and reactive power of the fundamental; reactive is positive where the current lags."""
    volts, amps, watts, var = means(harmonics(120.0, 10.0, degrees))
    assert (volts, amps) == pytest.approx((120.0, 10.0), rel=1e-3)
    assert watts == pytest.approx(1200 * np.cos(np.radians(degrees)), abs=1e-5)
    assert var == pytest.approx(1200 * np.sin(np.radians(degrees)), abs=1e-5)


def test_band_is_1_23_khz() -> None:
    """DS p.4: -3 dB in each channel is half the power; far above nothing is left, far below nothing is lost."""
    for order, part in ((7, 1.0), (20, 0.55), (41, 0.0)):
        base = means(harmonics(120.0, 10.0))[2]
        extra = means(harmonics(120.0, 10.0, v_parts={order: (0.2, 0)}, i_parts={order: (0.2, 0)}))[2] - base
        assert extra == pytest.approx(1200 * 0.04 * part, abs=0.9 if part else 0.5)


def test_direct_current_is_taken_out() -> None:
    recording = harmonics(120.0, 10.0)
    volts, amps = recording.lines[0]
    recording.lines[0] = (volts + 5.0, amps + 2.0)
    assert recording.true_w()[0] == pytest.approx(1210.0)
    assert means(recording)[2] == pytest.approx(1200.0)


def test_peaks_are_clipped_at_full_scale() -> None:
    """+-500 mV at the pins: the flat top of 200 A rms on a 117.85 A channel."""
    watts = means(harmonics(120.0, 200.0))[2]
    angle = np.arcsin(FULL_A / 200.0)
    fundamental = 200.0 * 2 / np.pi * (angle + np.sin(angle) * np.cos(angle))
    assert watts == pytest.approx(120.0 * fundamental, rel=1e-3)


@pytest.mark.parametrize(
    "recording",
    [
        harmonics(120, 10, 30, v_parts={3: (0.1, 180), 5: (0.04, 0)}, i_parts={3: (0.4, 180), 5: (0.1, 20)}),
        synthetic.phase_cut(120, 10, 90),
        synthetic.half_wave(120, 10),
    ],
    ids=["harmonics", "dimmer", "half wave"],
)
def test_distorted_power_is_measured(recording: Recording) -> None:
    """What lies inside the bandwidth is all of the power where the voltage is nearly a sine."""
    assert means(recording)[2] == pytest.approx(recording.true_w()[0], rel=1e-5)


def test_rms_register_has_the_ripple_of_twice_the_line_frequency() -> None:
    _, rows = signal_path.table(harmonics(120.0, 10.0), 0, FULL_V, FULL_A)
    assert 0.5 < np.std(rows[:, 0]) < 3.0


@pytest.mark.parametrize("seconds", [1 / 60, 0.2, 0.33333, 1.0, 7.7, 65.0])
def test_a_table_lasts_as_long_as_its_recording(seconds: float) -> None:
    rows, step_us = signal_path._steps(seconds)
    assert rows <= signal_path.ROWS
    assert rows * step_us == pytest.approx(seconds * 1e6, rel=1e-4)


def test_true_power_is_the_mean_of_each_cycle() -> None:
    recording = harmonics(120.0, 10.0, cycles=3)
    volts, amps = recording.lines[0]
    third = len(amps) // 3
    recording.lines[0] = (volts, amps * np.repeat([1.0, -2.0, 0.5], third))
    step_us, cycle_w = signal_path.cycle_means(recording, 0)
    assert step_us == 16667
    assert cycle_w == pytest.approx([1200.0, -2400.0, 600.0], rel=1e-9)


@pytest.mark.parametrize("hz", [45.0, 49.5, 60.0, 61.2])
def test_frequency_is_taken_from_the_voltage(hz: float) -> None:
    rate = 4800.0
    volts = 170 * np.sin(2 * np.pi * hz * np.arange(2400) / rate + 0.3)
    assert frequency(volts, rate) == pytest.approx(hz, abs=0.02)
    assert frequency(np.zeros(2400), rate) is None


@pytest.mark.parametrize("noise_v", [0.0, 0.01, 0.3])
def test_an_interruption_does_not_alter_the_frequency(noise_v: float) -> None:
    """It has lost crossings, or those of noise."""
    rate = 7680.0
    volts = 170 * np.sin(2 * np.pi * 60 * np.arange(3840) / rate)
    volts[1280:2560] = noise_v * np.random.default_rng(1).uniform(-1, 1, 1280)
    assert frequency(volts, rate) == pytest.approx(60.0, abs=0.05)


# -- up to the chip -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [0.0, 60.0])
def test_the_chip_counts_a_recording_as_the_model_says(degrees: float) -> None:
    """EN-6 on a distorted load: counts over minutes against the recording's true power."""
    model = Model("MSNCT-1SC", "60Hz")
    recording = harmonics(120, 10, degrees, v_parts={3: (0.05, 40)}, i_parts={3: (0.3, 100), 5: (0.1, 0)})
    played = signal_path.wave(recording, model)
    rig = Rig()
    rig.write(0x382, WGAIN_NOMINAL)
    mains = Mains(rig.clock, [rig.chip], FULL_V, FULL_A, [Ct(100)])
    mains.add(played.item(rig.clock.now_us, (False, False)))
    before = rig.chip.counted_total()
    rig.sleep(360)
    wh = (rig.chip.counted_total() - before) / model.counts_per_wh
    assert wh == pytest.approx(recording.true_w()[0] / 10, rel=20e-6)
    true_ws, received_ws = played.line_energy_ws(0, 0, 360_000_000)
    assert (wh, received_ws) == (pytest.approx(true_ws / 3600, rel=20e-6), 0.0)
    assert rig.read(VRMS) & 0xFFFFFF == pytest.approx(9_032_007 * 120.15 / FULL_V, rel=0.03)
    assert rig.read(IRMS) == pytest.approx(9_032_007 * 10.49 / FULL_A, rel=0.05)
    assert rig.read(PF) / 32768 == pytest.approx(np.cos(np.radians(degrees)), rel=0.07)
    ripple = set()
    last = rig.read(AENERGY)
    for _ in range(50):
        rig.clock.sleep(1000)
        now = rig.read(AENERGY)
        ripple.add(now - last)
        last = now
    assert max(ripple) - min(ripple) > 5  # 2f ripple reaches the register


def test_ID_3_a_single_element_meter_gets_one_table(tmp_path: Path) -> None:
    volts, amps = samples()
    cfg = CFG.replace("2,2A", "4,4A").replace(
        "\n60\n", "\n3,VB,B,,V,0.01,0,0,,,1,1,P\n4,IB,B,,A,0.001,0,0,,,1,1,P\n60\n"
    )
    path = save(tmp_path, cfg, dat(volts, amps, -volts, -amps))
    for code, second in (("MSNCT-1SC", False), ("MDNCT-1SC", True)):
        source = player.source(path, Options(), Model(code, "60Hz"))
        assert source.wave is not None
        assert (source.wave.tables[1] is not None) == second
