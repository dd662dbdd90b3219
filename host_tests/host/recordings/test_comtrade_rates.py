"""What the samples of a COMTRADE recording tell: rates that differ much, and the frequency."""

from pathlib import Path

import numpy as np
import pytest
from comtrade_files import CFG, dat, samples, save
from test_comtrade import RIGHT_WH, played


@pytest.mark.parametrize("fast", [8, 16, 100, 1000])
def test_very_different_rates_in_one_file_are_played_alike(tmp_path: Path, fast: int) -> None:
    """A spline through steps of such different lengths had made 240 V of these 120, and -5e8 W."""
    steps = [1 / 960] * 192 + [1 / 960 / fast] * (96 * fast) + [1 / 960] * 192
    t = np.cumsum(steps)
    wave = np.sqrt(2) * np.sin(2 * np.pi * 60 * t)
    volts, amps = np.round(1200 * wave).astype(int), np.round(1000 * wave).astype(int)
    rows = zip(range(1, len(t) + 1), np.round(t * 1e6).astype(int), volts, amps)
    rates = f"3\n960,192\n{960 * fast},{192 + 96 * fast}\n960,{len(t)}"
    cfg = CFG.replace("0.01,0,0", "0.1,0,0").replace("0.001,0,0", "0.01,0,0").replace("1\n1920,1920", rates)
    data = "".join(",".join(map(str, row)) + "\r\n" for row in rows)
    assert played(save(tmp_path, cfg, data))[0] == pytest.approx(RIGHT_WH, rel=1e-3)


def test_a_line_without_voltage_does_not_tell_the_frequency(tmp_path: Path) -> None:
    cfg = CFG.replace("2,2A,0D", "4,4A,0D").replace(
        "\n60\n", "\n3,VB,B,,V,0.01,0,0,-32767,32767,1,1,P\n4,IB,B,,A,0.001,0,0,-32767,32767,1,1,P\n60\n", 1
    )
    volts, amps = samples()
    noise = np.random.default_rng(1).integers(-5, 6, len(volts))
    assert "60 cycles of 60 Hz" in played(save(tmp_path, cfg, dat(noise, 0 * amps, volts, amps)))[1]


def test_a_frequency_that_is_assumed_is_said(tmp_path: Path) -> None:
    volts, amps = samples(40)
    said = played(save(tmp_path, CFG.replace("1920,1920", "1920,40"), dat(volts, amps)))[1]
    assert "too short to tell its frequency: 60 Hz is assumed" in said


def test_a_label_may_have_any_byte(tmp_path: Path) -> None:
    """0x85 is a letter in some code pages, and ends a line in Unicode."""
    cfg = CFG.encode().replace(b"1,VA,A", b"1,V\x85 VA,A")
    assert played(save(tmp_path, cfg))[0] == pytest.approx(RIGHT_WH, rel=1e-4)
