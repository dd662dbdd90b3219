"""COMTRADE recordings and synthetic waveforms through the front end's signal path, up to the counts of the chip."""

import struct
from pathlib import Path

import numpy as np
import pytest

from boards.virtual.mains import Ct, Mains
from host.cli.refused import RefusedError
from host.stimulus import waveform
from host.stimulus.waveform import Recording, harmonics
from host_tests.mp.chip_rig import AENERGY, IRMS, PF, VRMS, Rig
from openkh.model import WGAIN_NOMINAL, Model

FULL_V, FULL_A = 200.0, 117.85
Channel = tuple[str, str, np.ndarray, str, float, float]  # name, unit, values, P or S, primary, secondary


def save(folder: Path, channels: list[Channel], rate: float, form: str = "ASCII", hz: float = 60.0) -> str:
    """A COMTRADE recording (IEEE C37.111-1999) with 16-bit samples."""
    count = len(channels[0][2])
    cfg = ["Station,Device,1999", f"{len(channels)},{len(channels)}A,0D"]
    raw = []
    for n, (name, unit, values, kind, primary, secondary) in enumerate(channels, 1):
        scale = max(1e-9, float(np.max(np.abs(values)))) / 32000
        raw.append(np.round(values / scale).astype(int))
        cfg.append(f"{n},{name},A,,{unit},{scale:.12g},0,0,-32767,32767,{primary},{secondary},{kind}")
    cfg += [
        f"{hz:g}",
        "1",
        f"{rate:.9g},{count}",
        "01/01/2026,00:00:00.000000",
        "01/01/2026,00:00:00.000000",
        form,
        "1",
    ]
    (folder / "rec.cfg").write_text("\r\n".join(cfg) + "\r\n")
    times = np.round(np.arange(count) / rate * 1e6).astype(int)
    if form == "ASCII":
        rows = [",".join(str(x) for x in (n + 1, times[n], *(r[n] for r in raw))) for n in range(count)]
        (folder / "rec.dat").write_text("\r\n".join(rows) + "\r\n")
    else:
        (folder / "rec.dat").write_bytes(
            b"".join(struct.pack(f"<II{len(raw)}h", n + 1, times[n], *(int(r[n]) for r in raw)) for n in range(count))
        )
    return str(folder / "rec.cfg")


def two_lines(rate: float = 5000.0) -> list[Channel]:
    t = np.arange(1000) / rate
    wave = 2 * np.pi * 60 * t
    root = np.sqrt(2)
    return [
        ("UA", "V", 120 * root * np.sin(wave), "P", 1, 1),
        ("UB", "KV", -0.118 * root * np.sin(wave), "P", 1, 1),
        ("IA", "A", 0.01 * root * np.sin(wave - np.pi / 3), "S", 100, 0.1),
        ("IB", "Amps", -5 * root * np.sin(wave), "P", 100, 0.1),
        ("temperature", "C", t, "P", 1, 1),
    ]


# -- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [".cfg", ".DAT", ".hdr"])
def test_files_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    path = save(tmp_path, two_lines(), 5000.0)
    endless = Path(path).with_suffix(end)
    endless.unlink(missing_ok=True)
    endless.symlink_to("/dev/zero")
    with pytest.raises(ValueError, match=f"{endless.name}: not a file"):
        waveform.read(path)
    endless.unlink()
    monkeypatch.setattr(waveform, "MOST_BYTES", 10**6)
    endless.write_bytes(bytes(10**6 + 1))
    with pytest.raises(ValueError, match=f"{endless.name}: too long: allowed: 1 MB"):
        waveform.read(path)


@pytest.mark.parametrize("form", ["ASCII", "BINARY"])
def test_a_recording_of_two_lines(tmp_path: Path, form: str) -> None:
    """First voltage and first current are line 1; secondary values are scaled by their ratio."""
    recording = waveform.read(save(tmp_path, two_lines(), 5000.0, form))
    assert recording.hz == pytest.approx(60.0, abs=1e-3)
    assert recording.seconds == pytest.approx(0.2, rel=1e-6)
    assert recording.true_w() == pytest.approx([600.0, 590.0], rel=1e-4)


def test_named_channels(tmp_path: Path) -> None:
    path = save(tmp_path, two_lines(), 5000.0)
    swapped = waveform.read(path, "V1=UB, I1=IB, V2=UA, I2=IA")
    assert swapped.true_w() == pytest.approx([590.0, 600.0], rel=1e-4)


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        ("V1=UC", "no channel 'UC'; channels: UA (V), UB (KV), IA (A)"),
        ("V1=IA", "not a voltage channel"),
        ("V3=UA", "V1=NAME"),
        ("V1=UA,V1=UB", "twice"),
    ],
)
def test_wrong_names_are_refused(tmp_path: Path, mapping: str, text: str) -> None:
    path = save(tmp_path, two_lines(), 5000.0)
    with pytest.raises(ValueError, match="--map") as refused:
        waveform.read(path, mapping)
    assert text in str(refused.value)


def test_a_recording_without_voltage_is_refused_with_its_channels(tmp_path: Path) -> None:
    path = save(tmp_path, [c for c in two_lines() if "V" not in c[1]], 5000.0)
    with pytest.raises(RefusedError) as refused:
        waveform.source(path, None, Model("MDNCT-1SC", "60Hz"))
    assert str(refused.value) == (f"waveform {path}: no voltage channel; channels: IA (A), IB (Amps), temperature (C)")
    path = save(tmp_path, two_lines()[:2], 5000.0)
    with pytest.raises(ValueError, match=r"no current channel; channels: UA \(V\), UB \(KV\)"):
        waveform.read(path)


@pytest.mark.parametrize(
    ("cfg", "dat", "text"),
    [
        (None, None, "no such file"),
        ("whole", None, "no such file"),
        ("junk\n", "1,2,3\n", "not a COMTRADE recording"),
        ("", "", "not a COMTRADE recording"),
        ("whole", "1,0,5,5,5,5,5\r\n2,200,6,6,6,6,6\r\n", "complete"),
        ("whole", "1,0,5,x,5,5,5\r\n", "not a COMTRADE recording"),
    ],
)
def test_unusable_files_are_refused_in_one_line(tmp_path: Path, cfg: str, dat: str, text: str) -> None:
    path = Path(save(tmp_path, two_lines(), 5000.0))
    for file, content in ((path, cfg), (path.with_suffix(".dat"), dat)):
        if content is None:
            file.unlink()
        elif content != "whole":
            file.write_text(content)
    with pytest.raises(RefusedError) as refused:
        waveform.source(str(path), None, Model("MDNCT-1SC", "60Hz"))
    assert text in str(refused.value)
    assert "\n" not in str(refused.value)


# -- signal path --------------------------------------------------------------------------------------------------


def means(recording: Recording) -> np.ndarray:
    """Mean volts, amps, watts, var of the table."""
    return waveform.table(recording, 0, FULL_V, FULL_A)[1].mean(axis=0)


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
        waveform.phase_cut(120, 10, 90),
        waveform.half_wave(120, 10),
    ],
    ids=["harmonics", "dimmer", "half wave"],
)
def test_distorted_power_is_measured(recording: Recording) -> None:
    """What lies inside the bandwidth is all of the power where the voltage is nearly a sine."""
    assert means(recording)[2] == pytest.approx(recording.true_w()[0], rel=1e-5)


def test_rms_register_has_the_ripple_of_twice_the_line_frequency() -> None:
    _, rows = waveform.table(harmonics(120.0, 10.0), 0, FULL_V, FULL_A)
    assert 0.5 < np.std(rows[:, 0]) < 3.0


@pytest.mark.parametrize("seconds", [1 / 60, 0.2, 0.33333, 1.0, 7.7, 65.0])
def test_a_table_lasts_as_long_as_its_recording(seconds: float) -> None:
    rows, step_us = waveform._steps(seconds)
    assert rows <= waveform.ROWS
    assert rows * step_us == pytest.approx(seconds * 1e6, rel=1e-4)


def test_true_power_is_the_mean_of_each_cycle() -> None:
    recording = harmonics(120.0, 10.0, cycles=3)
    volts, amps = recording.lines[0]
    third = len(amps) // 3
    recording.lines[0] = (volts, amps * np.repeat([1.0, -2.0, 0.5], third))
    step_us, cycle_w = waveform.cycle_means(recording, 0)
    assert step_us == 16667
    assert cycle_w == pytest.approx([1200.0, -2400.0, 600.0], rel=1e-9)


@pytest.mark.parametrize("hz", [45.0, 49.5, 60.0, 61.2])
def test_frequency_is_taken_from_the_voltage(hz: float) -> None:
    rate = 4800.0
    volts = 170 * np.sin(2 * np.pi * hz * np.arange(2400) / rate + 0.3)
    assert waveform.frequency(volts, rate, 60.0) == pytest.approx(hz, abs=0.02)
    assert waveform.frequency(np.zeros(2400), rate, 50.0) == 50.0
    assert waveform.frequency(np.zeros(2400), rate, 0.0) == 60.0


# -- up to the chip -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [0.0, 60.0])
def test_the_chip_counts_a_recording_as_the_model_says(degrees: float) -> None:
    """EN-6 on a distorted load: counts over minutes against the recording's true power."""
    model = Model("MSNCT-1SC", "60Hz")
    recording = harmonics(120, 10, degrees, v_parts={3: (0.05, 40)}, i_parts={3: (0.3, 100), 5: (0.1, 0)})
    played = waveform.wave(recording, model)
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
    path = save(tmp_path, two_lines(), 5000.0)
    source = waveform.source(path, None, Model("MSNCT-1SC", "60Hz"))
    assert source.wave is not None
    assert source.wave.tables[1] is None
    source = waveform.source(path, None, Model("MDNCT-1SC", "60Hz"))
    assert source.wave is not None
    assert source.wave.tables[1] is not None
