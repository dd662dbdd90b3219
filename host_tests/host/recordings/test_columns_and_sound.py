"""Appliance waveforms as text columns and as sound."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from host.cli.refused import RefusedError
from host.stimulus.recordings import columns, player
from host.stimulus.recordings.lines import Options
from openkh.model import Model

SINGLE = Model("MSNCT-1SC", "60Hz")
RATE = 30_000


def amps_and_volts(seconds: float = 0.5, rate: float = RATE) -> np.ndarray:
    """120 V, 10 A lagging by 60 degrees: 600 W."""
    angle = 2 * np.pi * 60 * np.arange(round(seconds * rate)) / rate
    return np.sqrt(2) * np.column_stack((10 * np.sin(angle - np.pi / 3), 120 * np.sin(angle)))


def watts(path: Path, options: Options) -> float:
    wave = player.source(str(path), options, SINGLE).wave
    assert wave is not None
    return wave.line_energy_ws(0, 0, 1_000_000)[0]


def refusal(path: Path, options: Options) -> str:
    with pytest.raises(RefusedError) as caught:
        player.source(str(path), options, SINGLE)
    return str(caught.value)


PAIR = Options("V1=2,I1=1", rate_hz=RATE)


@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_pairs_of_current_and_voltage_without_a_header(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "12.csv"
    np.savetxt(path, amps_and_volts(), fmt="%.5f", delimiter=separator)
    assert watts(path, PAIR) == pytest.approx(600, rel=1e-4)
    assert "give their rate with --rate HZ" in refusal(path, Options("V1=2,I1=1"))
    assert "name them with --map V1=NUMBER,I1=NUMBER; channels: 1 column 1 (no unit)" in refusal(
        path, Options(rate_hz=RATE)
    )


def test_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "comma.txt"
    np.savetxt(path, amps_and_volts(), fmt="%.5f", delimiter=";")
    path.write_text(path.read_text().replace(".", ","))
    assert watts(path, PAIR) == pytest.approx(600, rel=1e-4)


@pytest.mark.parametrize("head", [b"\xef\xbb\xbf", "Meßwert °C\nU,I\n".encode("latin-1")])
def test_a_mark_of_order_and_another_code_page(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "code.csv"
    np.savetxt(path, amps_and_volts(), fmt="%.5f", delimiter=",")
    path.write_bytes(head + path.read_bytes())
    assert watts(path, PAIR) == pytest.approx(600, rel=1e-4)


def test_lines_may_end_in_a_separator(tmp_path: Path) -> None:
    path = tmp_path / "ends.csv"
    table = np.column_stack((np.arange(RATE // 2) / RATE, amps_and_volts()))
    np.savetxt(path, table, fmt="%.6f", delimiter=",", newline=",\n", header="time,I (A),U (V)", comments="")
    assert watts(path, Options()) == pytest.approx(600, rel=1e-3)


@pytest.mark.parametrize("rate", [800, 7680, 8000, 12_800])
def test_a_lost_sample_is_refused(tmp_path: Path, rate: int) -> None:
    table = np.column_stack((np.arange(rate) / rate, amps_and_volts(1.0, rate)[:, ::-1]))
    path = tmp_path / "lost.csv"
    np.savetxt(path, np.delete(table, 203, axis=0), fmt="%.6f", delimiter=",", header="time,V,I", comments="")
    assert "samples are missing" in refusal(path, Options("V1=2,I1=3"))


def test_an_oscilloscopes_columns_with_their_time_and_names(tmp_path: Path) -> None:
    path = tmp_path / "scope.csv"
    times = np.arange(5000) / 10_000 - 0.25
    table = np.column_stack((times, amps_and_volts(rate=10_000) / (10, 200)))
    np.savetxt(path, table, fmt="%.7g", delimiter=",", header="Model,X100\nTime (s),CH1 (A),CH2 (V)", comments="")
    assert watts(path, Options(scale="V=200,I=10")) == pytest.approx(600, rel=1e-4)
    said = player.source(str(path), Options(scale="V=200,I=10"), SINGLE).told
    assert said is not None and "line 1: channel 3 CH2 (V): 120 V; channel 2 CH1 (A): 10 A" in "\n".join(said.lines)


@pytest.mark.parametrize(("form", "subtype"), [("wav", "PCM_16"), ("flac", "PCM_24"), ("wav", "FLOAT")])
def test_sound_with_calibration_factors(tmp_path: Path, form: str, subtype: str) -> None:
    path = tmp_path / f"kettle.{form}"
    soundfile.write(path, amps_and_volts() / (40, 400), RATE, subtype=subtype)
    assert watts(path, Options("V1=2,I1=1", "V=400,I=40")) == pytest.approx(600, rel=1e-3)


def test_unusable_files_are_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    for text, said in (
        ("", "no recording that is known"),
        ("a,b\nc,d\n1", "no row of two or more numbers in its first 3 lines"),
        ("1,2\n3,x\n", "not columns of numbers"),
        ("1,2\n3\n", "not columns of numbers"),
        ("1,2\n" * 20, "column 2 (no unit) never changes its sign"),
        ("1,nan\n" * 20, "channel 2 column 2 (no unit): 20 samples are missing"),
    ):
        path.write_text(text)
        assert said in refusal(path, PAIR)
    path.write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    assert "not a sound file" in refusal(path, PAIR)
    monkeypatch.setattr(columns, "MOST_BYTES", 10)
    path.write_text("1,2\n" * 20)
    assert "0 MB; allowed: 0 MB" in refusal(path, PAIR)
