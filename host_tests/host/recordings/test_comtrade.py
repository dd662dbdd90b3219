"""COMTRADE recordings as recorders write them: what runs, what is refused and in which words, what is said of it."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest
from comtrade_files import CFG, WATTS, dat, samples, save

from host.campaigns.inputs import recordings as random_ones
from host.cli.refused import RefusedError
from host.stimulus.recordings import capture, player
from host.stimulus.recordings import comtrade as reader
from host.stimulus.recordings.lines import Options
from openkh.model import Model

DUAL = Model("MDNCT-1SC", "60Hz")
AS_IT_IS = Options()
SECONDS_US = 20_000_000


def played(path, options=AS_IT_IS, model=DUAL):
    """(true energy in Wh of 20 s, what is said)."""
    source = player.source(str(path), options, model)
    return source.wave.net_energy_ws(model.elements, 0, SECONDS_US)[0] / 3600, "\n".join(source.told.lines)


def refusal(path, options=AS_IT_IS, model=DUAL):
    with pytest.raises(RefusedError) as caught:
        player.source(str(path), options, model)
    assert str(caught.value).startswith(f"waveform {path}: ")
    return str(caught.value)


def of_binary(kind, columns):
    count = len(columns[0])
    form = {"<i2": "h", "<i4": "i", "<f4": "f"}[kind]
    return b"".join(
        struct.pack(f"<II{len(columns)}{form}", n + 1, 0xFFFFFFFF, *(c[n].item() for c in columns))
        for n in range(count)
    )


RIGHT_WH = WATTS * 20 / 3600
THAT_RUN = {
    "plain": (CFG, None),
    "labels in latin-1": (CFG.replace("BENCH", "Subestação").replace("VA", "Tensão A").encode("latin-1"), None),
    "labels in cp1251": (CFG.replace("BENCH", "Подстанция").encode("cp1251"), None),
    "units in words": (CFG.replace(",V,0.01", ",volt,0.01").replace(",A,0.001", ",ampere,0.001"), None),
    "units with a prefix": (CFG.replace(",V,0.01", ",mV ,10.0").replace(",A,0.001", ",kA,0.000001"), None),
    "a month of 44": (CFG.replace("01/02/2024", "09/44/2025"), None),
    "an American date": (CFG.replace("01/02/2024", "12/26/2018"), None),
    "a time without fraction": (CFG.replace(":05.000000", ":05"), None),
    "no dates": (CFG.replace("01/02/2024,03:04:05.000000\n", ""), None),
    "no time multiplier": (CFG.removesuffix("1\n"), None),
    "2013 without time codes": (CFG.replace("1999", "2013"), None),
    "2013 without the last line": (CFG.replace("1999", "2013") + "-5h30,-5h30\n", None),
    "blank lines at the end": (CFG + "\n\n", dat(*samples()) + "\r\n"),
    "a byte order mark": ("\ufeff" + CFG, None),
    "Ctrl-Z at the end": (CFG + "\x1a", dat(*samples()) + "\x1a"),
    "no line frequency": (CFG.replace("\n60\n", "\n\n"), None),
    "a line frequency of 0": (CFG.replace("\n60\n", "\n0\n"), None),
    "exponents": (CFG.replace("0.01", "1E-2"), None),
    "names with signs": (CFG.replace("VA", "Bus 1 = A ").replace("IA", "Line  -Ia"), None),
    "a status channel without a state": (
        CFG.replace("2,2A,0D", "3,2A,1D").replace("\n60\n", "\n1,Trip,,,\n60\n"),
        dat(*samples(), np.zeros(1920, int)),
    ),
    "blank stamps": (CFG, "".join(f"{n},   ,{v},{i}\n" for n, (v, i) in enumerate(zip(*samples()), 1))),
    "stamps of 0 beside a rate": (CFG, "".join(f"{n},0,{v},{i}\n" for n, (v, i) in enumerate(zip(*samples()), 1))),
    "nanoseconds": (
        CFG.replace("1999", "2013").replace("000000", "000000000").replace("\n1\n1920,", "\n0\n0,"),
        dat(*samples(), rate=1.92),
    ),
    "an offset and a negative multiplier": (
        CFG.replace("0.01,0", "0.01,-0.5").replace("0.001,0", "-0.001,0.07"),
        dat(samples()[0] + 50, 70 - samples()[1]),
    ),
    "half a cycle over": (CFG.replace("1920,1920", "1920,975"), dat(*samples(975))),
    "more rows than the .cfg tells of": (CFG.replace("1920,1920", "1920,960"), None),
    "two rates": (
        CFG.replace("1\n1920,1920", "2\n1920,960\n3840,2880"),
        dat(*(np.concatenate((a[:960], b[1919:3839])) for a, b in zip(samples(1920), samples(5760, 3840.0)))),
    ),
    "BINARY": (CFG.replace("ASCII", "BINARY"), of_binary("<i2", samples())),
    "binary in small letters, rest of a row": (CFG.replace("ASCII", "binary"), of_binary("<i2", samples()) + b"\x1a"),
    "BINARY32": (CFG.replace("ASCII", "BINARY32"), of_binary("<i4", samples())),
    "FLOAT32": (CFG.replace("ASCII", "FLOAT32"), of_binary("<f4", [c.astype("<f4") for c in samples()])),
    "1991, -1 within the channel's range": (
        CFG.replace(",1999", "").replace("ASCII", "BINARY").replace(",1,1,P", ""),
        of_binary("<i2", [np.where(np.arange(1920) == 0, -1, c) for c in samples()]),
    ),
}


@pytest.mark.parametrize("name", THAT_RUN)
def test_what_recorders_write_runs_with_its_right_energy(tmp_path: Path, name: str) -> None:
    cfg, data = THAT_RUN[name]
    energy_wh, _ = played(save(tmp_path, cfg, data))
    assert energy_wh == pytest.approx(RIGHT_WH, rel=1e-4)


def test_a_side_file_is_not_looked_at(tmp_path: Path) -> None:
    path = save(tmp_path)
    (tmp_path / "a.hdr").write_bytes(b"Esta\xe7\xe3o")
    (tmp_path / "a.inf").symlink_to("/dev/zero")
    assert played(path)[0] == pytest.approx(RIGHT_WH, rel=1e-4)


@pytest.mark.parametrize("names", [("a.CFG", "a.dat"), ("a.cfg", "a.DAT"), ("A.Cfg", "a.dat")])
def test_found_by_either_file_or_the_folder_in_any_case(tmp_path: Path, names: tuple[str, str]) -> None:
    save(tmp_path)
    for now, then in zip(("a.cfg", "a.dat"), names):
        (tmp_path / now).rename(tmp_path / then)
    for path in (*(tmp_path / name for name in names), tmp_path):
        assert played(path)[0] == pytest.approx(RIGHT_WH, rel=1e-4)


def test_a_folder_of_several_recordings_names_them(tmp_path: Path) -> None:
    save(tmp_path)
    save(tmp_path, name="b")
    assert "a folder with 2 recordings; allowed: one .cfg or .cff (found: a.cfg, b.cfg)" in refusal(tmp_path)


@pytest.mark.parametrize("kind", ["BINARY", "ASCII"])
def test_one_file_for_all(tmp_path: Path, kind: str) -> None:
    content = of_binary("<i2", samples()) if kind == "BINARY" else dat(*samples()).encode()
    cfg = CFG.replace("1999", "2013").replace("ASCII", kind).encode()
    size = b": %d" % len(content) if kind == "BINARY" else b""
    whole = b"--- file type: CFG ---\n" + cfg + b"--- file type: HDR ---\nx\n--- file type: DAT " + kind.encode() + size
    (tmp_path / "a.cff").write_bytes(whole + b" ---\n" + content)
    assert played(tmp_path / "a.cff")[0] == pytest.approx(RIGHT_WH, rel=1e-4)
    (tmp_path / "a.cff").write_bytes(b"--- file type: CFG ---\n" + cfg)
    assert 'no section "--- file type: DAT ---"' in refusal(tmp_path / "a.cff")


def lost(column: int, mark: object) -> str:
    rows = [row.split(",") for row in dat(*samples()).splitlines()]
    rows[700][column] = str(mark)
    return "\n".join(map(",".join, rows))


def marked(kind: str, mark: float, dtype: str) -> bytes:
    columns = [c.astype(dtype) for c in samples()]
    columns[0][700] = mark
    return of_binary(kind, columns)


REFUSED = {
    "an empty field": (CFG, lost(2, ""), "channel 1 VA (V): 1 sample is missing"),
    "99999": (CFG, lost(3, 99999), "channel 2 IA (A): 1 sample is missing"),
    "0x8000": (CFG.replace("ASCII", "BINARY"), marked("<i2", -32768, "<i2"), "channel 1 VA (V): 1 sample is missing"),
    "0x80000000": (CFG.replace("ASCII", "BINARY32"), marked("<i4", -(2**31), "<i4"), "1 sample is missing"),
    "the mark of FLOAT32": (
        CFG.replace("ASCII", "FLOAT32"),
        marked("<f4", float(np.finfo("<f4").min), "<f4"),
        "1 sample is missing",
    ),
    "0xFFFF of 1991 outside the range": (
        CFG.replace(",1999", "").replace("ASCII", "BINARY").replace("-32767,", "0,"),
        marked("<i2", -1, "<i2"),
        "1 sample is missing",
    ),
    "a lost row": (CFG, dat(*samples()).replace("700,", "", 1).replace("\r\n701,", "\r\n702,"), "the data file"),
    "line 2": (CFG.replace("2,2A", "2A,2A"), None, 'line 2 of the .cfg: "2A,2A,0D"; allowed: counts of channels'),
    "a multiplier in letters": (
        CFG.replace("0.01", "x"),
        None,
        'line 3 of the .cfg: channel 1 VA: the multiplier a is "x"',
    ),
    "an end before the type": (CFG[: CFG.index("ASCII")], None, "the .cfg ends after line 9: the data file's type"),
    "an unknown type": (
        CFG.replace("ASCII", "FLOAT64"),
        None,
        'line 10 of the .cfg: the data file\'s type is "FLOAT64"',
    ),
    "no .cfg": ("", None, "the .cfg ends after line 0"),
    "letters in the data": (CFG, lost(2, "x"), 'line 701 of the data file: "x"; allowed: a number'),
    "a short row": (CFG, "1,0,5\n2,5,5,5\n", "line 1 of the data file: 3 values; allowed: 4 or more"),
    "a cut file": (CFG, dat(*samples(1454)), "the data file holds 1454 samples of the 1920"),
    "a cut binary file": (
        CFG.replace("ASCII", "BINARY"),
        of_binary("<i2", samples(1454)),
        "holds 1454 samples of the 1920",
    ),
    "an empty data file": (CFG, "", "the data file holds 0 samples"),
    "rms by the unit": (
        CFG.replace(",V,", ",Vrms,").replace(",A,0", ",Arms,0"),
        None,
        "channel 1 VA (Vrms) holds rms values, by its unit, and these are no waveform; if its samples are "
        "instantaneous ones all the same, name it: --map V1=NUMBER,I1=NUMBER",
    ),
    "rms by the values": (CFG, dat(np.abs(samples()[0]) + 1, samples()[1]), "channel 1 VA (V) never changes its sign"),
    "one sample a cycle": (CFG.replace("1920,1920", "60,1920"), None, "1 samples a cycle; allowed: 4 or more"),
    "a ratio without numbers": (
        CFG.replace("1,1,P", "0,0,S"),
        None,
        "channel 1 VA (V): secondary values without a ratio; take them with --secondary",
    ),
    "no voltage": (
        CFG.replace(",V,", ",A,"),
        None,
        "no voltage channel by unit or name; name them with --map V1=NUMBER,I1=NUMBER; channels: 1 VA (A), 2 IA (A)",
    ),
    "no channels": (CFG.replace("2,2A,0D", "0,0A,0D"), None, "line 4 of the .cfg: "),
    "stamps that stand still": (CFG.replace("\n1\n1920,", "\n0\n0,"), dat(*samples(), rate=1e15), "lasts 0 s"),
    "a gap in the stamps": (
        CFG.replace("\n1\n1920,1920", "\n0\n0,960"),
        "".join(dat(*samples()).splitlines(keepends=True)[:480] + dat(*samples()).splitlines(keepends=True)[960:]),
        "sample numbers jump from 480 to 961: 480 samples are missing",
    ),
    "an hour": (CFG.replace("1920,1920", "0.5,1920"), None, "lasts longer than 600 s at 0.5 samples a second"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_metered_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    cfg, data, said = REFUSED[name]
    assert said in refusal(save(tmp_path, cfg, data))


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(save(tmp_path))
    data = path.with_suffix(".dat")
    data.unlink()
    assert "a.dat: no such file" in refusal(path)
    data.symlink_to("/dev/zero")
    assert "a.dat: not a file" in refusal(path)
    data.unlink()
    monkeypatch.setattr(reader, "MOST_BYTES", 10**6)
    data.write_bytes(bytes(10**6 + 1))
    assert "a.dat: 1 MB; allowed: 1 MB" in refusal(path)
    assert "no such file" in refusal(tmp_path / "none.cfg")
    assert "no such file" in refusal(tmp_path / "none")


def test_labels_of_the_lines_are_said(tmp_path: Path) -> None:
    """What was taken for each line, its unit, ratio and rms, the rate, the cycles and the frequency."""
    cfg = CFG.replace("2,2A", "4,4A").replace("2,IA", "2,SPARE,A,,V,0.01,0,0,-32767,32767,1,1,P\n3,IA")
    cfg = cfg.replace("\n60\n", "\n4,IB,B,,A,0.00001,0,0,-32767,32767,100,1,S\n60\n")
    volts, amps = samples()
    path = save(tmp_path, cfg, dat(volts, 0 * volts, amps, amps))
    energy_wh, said = played(path)
    assert energy_wh == pytest.approx(RIGHT_WH, rel=1e-4)
    assert "line 1: channel 1 VA (V): 120 V; channel 3 IA (A): 10 A; 1200" in said
    assert "line 2: channel 2 SPARE (V): 0 V; channel 4 IB (A), ratio 100:1: 10 A; 0 W" in said
    assert "60 cycles of 60 Hz at 1920 samples a second" in said
    assert "V2: channel 2 SPARE (V) is 0 throughout" in said
    facts = player.source(path, Options(), DUAL).told.facts
    assert facts["lines"][1]["i"]["ratio"] == "100:1" and facts["cycles"] == 60 and facts["rate_hz"] == 1920
    _, said = played(save(tmp_path))
    assert "line 2: nothing is recorded of it" in said


def test_a_frequency_that_is_not_the_services_is_said(tmp_path: Path) -> None:
    cfg = CFG.replace("\n60\n", "\n50\n").replace("1920,1920", "2000,2000")
    energy_wh, said = played(save(tmp_path, cfg, dat(*samples(2000, 2000.0, 50.0), rate=2000.0)))
    assert energy_wh == pytest.approx(RIGHT_WH, rel=1e-4)
    assert "50 Hz, and the service is 60 Hz" in said


# -- channels, scale, secondary values ------------------------------------------------------------------------------


def test_channels_by_number_and_by_name(tmp_path: Path) -> None:
    cfg = CFG.replace("2,2A", "3,3A").replace("2,IA", "2,VA,B,,V,0.01,0,0,-32767,32767,1,1,P\n3,IA")
    volts, amps = samples()
    path = save(tmp_path, cfg, dat(0 * volts, volts, amps))
    assert played(path)[0] == 0
    assert played(path, Options("V1=2,I1=IA"))[0] == pytest.approx(RIGHT_WH, rel=1e-4)
    for mapping, said in (
        ("V1=VA,I1=IA", "--map: 2 channels are named 'VA'; take one by its number: 1, 2"),
        ("V1=2", "--map: I1 is missing; allowed: whole pairs"),
        ("V1=2,I1=3,V2=1", "--map: I2 is missing"),
        ("V2=2,I2=3", "--map: V1 is missing"),
        ("", "--map: V1 is missing"),
        ("V1=2,V1=1,I1=3", "--map: V1 is there twice"),
        ("V3=1", "--map: 'V3=1'; allowed: V1=NAME_OR_NUMBER"),
        ("V1=9,I1=3", "--map: no channel '9'; channels: 1 VA (V), 2 VA (V), 3 IA (A)"),
        ("V1=3,I1=3", "--map: channel 3 IA (A) is not a voltage channel"),
    ):
        assert said in refusal(path, Options(mapping))


def test_rms_units_of_instantaneous_values_run_where_they_are_named(tmp_path: Path) -> None:
    path = save(tmp_path, CFG.replace(",V,", ",Vrms,").replace(",A,0", ",Arms,0"))
    assert played(path, Options("V1=1,I1=2"))[0] == pytest.approx(RIGHT_WH, rel=1e-4)


@pytest.mark.parametrize(("model", "hz"), [("MDNCT-1SC", 60), ("MDNCT-2SC", 60), ("MSNCT-1SC", 50)])
def test_beyond_full_scale_is_refused_with_what_to_type(tmp_path: Path, model: str, hz: int) -> None:
    """200 V and 117.85 A; 400 V at 50 Hz, 235.7 A with 200 A CTs: what is more is not metered in silence."""
    meter = Model(model, f"{hz}Hz")
    cfg = CFG.replace(",V,0.01", ",kV,0.0006875").replace("0.001", "0.06").replace("1,1,P", "13800,120,P", 1)
    path = save(tmp_path, cfg.replace("1,1,P", "600,5,P"))
    said = refusal(path, model=meter)
    full = meter.full_scale_mv / 1000
    assert re.search(rf"channel 1 VA \(kV\): 8250 V rms is \d+\.\d times the meter's full scale of {full:g} V; ", said)
    assert "--secondary takes what leaves the instrument transformers" in said
    scale = said[said.index("--scale ") + 8 : said.index(" makes it fit")]
    energy_wh, _ = played(path, Options(scale=scale), meter)
    assert energy_wh > 0
    energy_wh, said = played(path, Options(secondary=True), meter)
    assert energy_wh == pytest.approx(8250 * 120 / 13800 * 600 * 5 / 600 * 20 / 3600, rel=1e-4)
    assert "ratio 13800:120: 71.739 V" in said


def test_a_scale_that_is_given_is_meant(tmp_path: Path) -> None:
    path = save(tmp_path, CFG.replace("0.001", "0.02"))
    assert "channel 2 IA (A): 200 A rms is 1.7 times" in refusal(path)
    assert played(path, Options(scale="I=0.05"))[0] == pytest.approx(RIGHT_WH, rel=1e-4)
    _, said = played(path, Options(scale="I=1"))
    assert "I1: peaks of 282.8 A are beyond full scale (166.7 A) and cut off, as the front end does" in said
    for scale in ("", "V", "V=0", "W=1", "V=1,V=2", "I=nan", "V=1e999"):
        assert "--scale: " in refusal(path, Options(scale=scale))


# -- between samples ------------------------------------------------------------------------------------------------


def test_a_skew_turns_the_phase_and_not_the_amplitude(tmp_path: Path) -> None:
    """A current sampled 260 us later at 24 samples a cycle; straight lines would lose 0.8 % of it."""
    cfg = CFG.replace("0.001,0,0", "0.001,0,260").replace("1920,1920", "1440,1440")
    t = np.arange(1440) / 1440
    volts = np.round(12000 * np.sqrt(2) * np.sin(2 * np.pi * 60 * t)).astype(int)
    amps = np.round(10000 * np.sqrt(2) * np.sin(2 * np.pi * 60 * (t + 260e-6) - np.pi / 3)).astype(int)
    assert played(save(tmp_path, cfg, dat(volts, amps)))[0] == pytest.approx(RIGHT_WH / 2, rel=1e-4)


def test_a_part_with_too_few_samples_is_left_out_and_said(tmp_path: Path) -> None:
    fast, slow = samples(1920), samples(1980, 60.0)
    columns = [np.concatenate((a, b, a)) for a, b in zip(fast, slow)]
    cfg = CFG.replace("1\n1920,1920", "3\n1920,1920\n60,3900\n1920,5820")
    energy_wh, said = played(save(tmp_path, cfg, dat(*columns)))
    assert energy_wh == pytest.approx(RIGHT_WH, rel=1e-4)
    assert "part 2 (60 samples a second): too few samples a cycle; taken: samples 1 to 1920 alone" in said
    cfg = CFG.replace("1\n1920,1920", "2\n60,960\n120,1920")
    assert "60, 120 samples a second: fewer than 8 a cycle in each part" in refusal(save(tmp_path, cfg))


@pytest.mark.parametrize("seed", range(1, 41))
def test_random_recordings_have_their_mean_power(tmp_path: Path, seed: int) -> None:
    """Revision, type, rates, missing marks, skew, units, ratio, line ends at random, against the power of the sines in
    closed form; `./scripts/bench --recordings N` takes more."""
    trial = random_ones.make(seed, str(tmp_path))
    assert random_ones.judge(trial) == "", trial.properties


@pytest.mark.parametrize("seed", range(1, 21))
def test_the_package_comtrade_reads_the_same_samples(tmp_path: Path, seed: int) -> None:
    """Two readers that know nothing of each other, wherever the package takes the file."""
    import comtrade  # brings pandas, which no other test needs

    trial = random_ones.make(seed, str(tmp_path))
    theirs = comtrade.Comtrade(ignore_warnings=True, use_numpy_arrays=True, use_double_precision=True)
    files = {p.suffix.lower(): p for p in tmp_path.iterdir()}
    try:
        theirs.load(str(files[".cfg"]), str(files[".dat"]), encoding="latin-1")
    except (ValueError, TypeError, LookupError, comtrade.ComtradeError):
        pytest.skip("the package does not take this file")
    if trial.refused:
        pytest.skip(f"refused: {trial.refused}")
    ours = reader.read(trial.path, None)
    for channel, values in zip(ours.channels, theirs.analog):
        mine = channel.samples()
        known = ~np.isnan(values)  # in 1991 the package takes -1 as missing
        np.testing.assert_allclose(mine[known], np.asarray(values)[known], rtol=1e-12, atol=1e-12)


def test_units() -> None:
    assert [capture.unit_of(u).factor for u in ("V", "kV", "mA", "µV", "MV", " volts ")] == [1, 1e3, 1e-3, 1e-6, 1e6, 1]
    assert capture.unit_of("kVrms") == ("V", 1e3, True) or capture.unit_of("kVrms").rms
    assert capture.unit_of("Hz").quantity == "" and capture.unit_of("A").quantity == "I"
