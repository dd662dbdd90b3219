"""The verification report as a test certificate: bench file, uncertainty, as found and as left."""

import dataclasses
import json
import math
from types import SimpleNamespace

import pytest

from host.calibration import bench_file
from host.calibration.bench_file import BenchFile
from host.cli.refused import RefusedError
from host.verification import command, report
from host.verification.points import LAG, PF1, limit_of
from host.verification.report import Certificate
from host.verification.uncertainty import expanded_percent
from host.verification.verifier import Row, Verdict
from openkh.model import Model

MODEL = Model("MDNCT-1SC", "60Hz")
BENCH = """
[reference]
name = "Reference meter"
serial = "R-17"
certificate = "no. 2026-041"
uncertainty_percent = 0.02
uncertainty_pf_half_percent = 0.04
[source]
stability_percent = 0.01
[place]
name = "Test room"
temperature_c = 23
[meter]
ct1_serial = "A1"
ct2_serial = "A2"
seals = "0017, 0018"
"""


def loaded(tmp_path, text):
    path = tmp_path / "bench.toml"
    path.write_text(text)
    return bench_file.load(str(path))


def test_CA_1_the_uncertainty_is_the_root_of_the_sum_of_squares(tmp_path):
    """Worked by hand at 10 A, 120 V, PF 1, 10 s: 106,667 counts."""
    bench = loaded(tmp_path, BENCH)
    counts = 1200 * 10 / 3600 * 32_000
    parts = [0.01, 0.01 / math.sqrt(3), 0.003 / math.sqrt(3), 100 / counts / math.sqrt(6)]
    assert expanded_percent(MODEL, bench, 0.1, PF1) == pytest.approx(2 * math.sqrt(sum(p * p for p in parts)))
    assert expanded_percent(MODEL, bench, 0.1, LAG) > expanded_percent(MODEL, bench, 0.1, PF1)
    assert expanded_percent(MODEL, BenchFile(), 0.01, PF1) > expanded_percent(MODEL, BenchFile(), 1.0, PF1)


@pytest.mark.parametrize(
    "text, told",
    [
        ("[reference]\nserial = 17\n", 'reference.serial: allowed: a text in quotes, such as "17"'),
        ("[reference]\nuncertainty_percent = 2\n", "reference.uncertainty_percent: allowed: a number from 0 to 1"),
        ("[reference]\nuncertainty_percent = true\n", "allowed: a number"),
        ("[place]\ntemperature_c = 100\n", "place.temperature_c: allowed: a number from -40 to 85"),
        ("[plaice]\n", "plaice: allowed: the tables reference, source, place, meter"),
        ("[meter]\nct3_serial = '1'\n", "meter.ct3_serial: allowed in [meter]: ct1_serial, ct2_serial, seals"),
        ("reference = 1\n", "reference: allowed: the tables"),
        ("[reference\n", "not valid TOML"),
    ],
)
def test_an_unusable_bench_file_is_refused_by_name(tmp_path, text, told):
    with pytest.raises(RefusedError) as refused:
        loaded(tmp_path, text)
    assert told in str(refused.value)


def verdict():
    line = {"line": 1} | dict.fromkeys(
        ("gain_percent", "phase_degrees", "offset_w", "volts_percent", "amps_percent"), 0.0
    )
    line |= dict.fromkeys(("wgain", "phcal", "wattos", "vgain", "igain"), 0)
    calibration = {"calibrated": True, "date": "260131", "calibration_count": 1, "saved": True, "lines": [line]}
    identity = {"serial": "000000000001", "model": "MDNCT-1SC", "service": "60Hz", "date": "260131", "memory": "fram"}
    status = {"seal": "open", "delivered_wh": "1.0", "configuration_count": 1}
    image = {"files": 1, "revision": "0.10", "image": "00"}
    rows = [
        Row("pf1-10", "load", "10 % of class, PF 1.0", 1, 0.012, 0.5, passed=True),
        Row("lag-10", "load", "10 % of class, PF 0.5 lagging", 1, -0.03, 0.6, passed=True),
    ]
    return Verdict(MODEL, "a bench", identity, status, image, calibration, True, rows=rows, complete=True)


def test_the_certificate_says_who_measured_with_what_and_what_was_found(tmp_path):
    found = {("pf1-10", 1): 0.731}
    certificate = Certificate(loaded(tmp_path, BENCH), "2026-01-31 10:00 UTC", "2026-01-31 11:30 UTC", found)
    page = report.page(verdict(), "260131", certificate)
    for text in (
        "R-17",
        "no. 2026-041",
        "0.02 % (k = 2), stated",
        "A1 · A2",
        "0017, 0018",
        "23 °C",
        "11:30",
        "+0.731 %",
    ):
        assert text in page, text
    assert f"{expanded_percent(MODEL, certificate.bench, 0.1, PF1):.3f} %" in page


def earlier(folder, serial="000000000001", value=0.5):
    """What verify --json has written of a meter."""
    path = folder / "found.json"
    identity = {"serial": serial, "model": "MDNCT-1SC", "service": "60Hz"}
    rows = [{"key": "pf1-10", "line": 1, "value": value, "group": "load"}]
    path.write_text(json.dumps({"identity": identity, "rows": rows}))
    return str(path)


def test_errors_as_found_are_of_the_same_meter_and_numbers(tmp_path):
    whose, found = command._as_found(earlier(tmp_path))
    assert found == {("pf1-10", 1): 0.5}
    command._check_whose("f", whose, verdict().identity)
    whose, _ = command._as_found(earlier(tmp_path, serial="999999999999"))
    with pytest.raises(RefusedError, match="f: serial 999999999999: this meter has 000000000001"):
        command._check_whose("f", whose, verdict().identity)
    with pytest.raises(RefusedError, match="no load points"):
        command._as_found(earlier(tmp_path, value=float("nan")))


def test_a_limit_is_shown_as_it_is_judged():
    finer = dataclasses.replace(verdict(), fine=True)
    finer.rows[0] = dataclasses.replace(finer.rows[0], limit=0.25)
    loads = dict(report._matrix(finer)["loads"])
    assert [limit for _, limit in loads["10"]] == ["0.25", "0.6", ""]
    assert report._bands(PF1, True)[1].label == "class 0.2 (the limit here)"
    for degrees in (PF1, LAG):
        for judged, fine in ((0, False), (1, True)):
            steps = report._bands(degrees, fine)[judged].steps
            for part in (0.01, 0.02, 0.05, 0.1, 1.0):
                shown = [limit for load, limit in steps if load <= part * 100]
                limit = limit_of(part, degrees)
                assert shown[-1:] == ([] if limit is None else [limit / 2 if fine else limit])


def test_the_references_uncertainty_at_a_lagging_current_is_told(tmp_path):
    page = report.page(verdict(), "260131", Certificate(loaded(tmp_path, BENCH)))
    assert "0.02 % (k = 2), stated; 0.04 % where power factor is not 1" in page


def test_what_nobody_has_said_is_not_on_the_certificate():
    page = report.page(verdict(), "260131")
    assert "0.02 % (k = 2), assumed" in page
    assert "CTs, serial numbers" not in page and "<dt>temperature</dt>" not in page


def test_a_ct_with_a_curve_has_a_row_for_each_current_so_that_the_page_stays_as_wide_as_its_paper():
    line = dict.fromkeys(("gain_percent", "phase_degrees", "offset_w", "volts_percent", "amps_percent"), 0.0)
    line.update(dict.fromkeys(("wgain", "phcal", "wattos", "vgain", "igain"), 4234704))
    lines = [
        {**line, "line": 1, "curve": [(2.0, -0.154, 4.07), (10.0, -0.058, 1.46), (75.0, 0.0, -0.15)]},
        {**line, "line": 2, "curve": []},
    ]
    cal = {"calibrated": True, "date": "261128", "calibration_count": 1, "saved": True, "lines": lines}
    rows = report._calibration(SimpleNamespace(calibration=cal))["rows"]
    assert rows[-3:] == [
        ["CT, corrected", "2 A -0.154 % +4.07'", "no"],
        ["", "10 A -0.058 % +1.46'", ""],
        ["", "75 A +0.000 % -0.15'", ""],
    ]
    assert max(len(cell) for row in rows for cell in row) <= 24
