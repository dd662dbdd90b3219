"""Corrections found by calibrate: the CT's curve, its certificate, the drift at a second temperature (CA-1a, ID-4a)."""

import math

import pytest
from fake_meter import NONE, FakeMeter

from host.calibration import command as calibrate
from host.calibration import ct_curve, second_temperature
from host.calibration.bench_source import LineLoad
from host.calibration.calibrator import Calibrator
from host.calibration.ct_curve import Curve, Node, best, load_certificate
from host.calibration.line_model import Errors
from host.cli.refused import RefusedError
from host.port.service import CommandRefusedError
from openkh.model import Model

MODEL = Model("MDNCT-1SC", "60Hz")
RAW = (Errors(0.021, 0.42, -0.3), Errors(-0.034, 0.11, 0.2))
# Straight between the currents that calibrate measures at, so that what is left is the arithmetic's.
CHANGE = Curve((Node(2.0, -0.0025, 16 / 60), Node(10.0, -0.001, 7 / 60), Node(75.0, 0.0, 0.0)))
CERTIFICATE = "percent,ratio_percent,lead_minutes\n2,-0.25,28\n10,-0.1,19\n75,0,12\n"


def error_percent(meter: FakeMeter, n: int, amps: float, degrees: float) -> float:
    load = LineLoad(120.0, amps, degrees)
    return (meter._reads_w(n, load) / load.watts - 1) * 100


def worst(meter: FakeMeter, currents: tuple[float, ...] = (1.5, 2.0, 5.0, 10.0, 30.0, 75.0, 110.0)) -> float:
    return max(abs(error_percent(meter, n, a, d)) for n in (0, 1) for a in currents for d in (0.0, 60.0, -30.0))


def changed() -> FakeMeter:
    meter = FakeMeter(RAW)
    meter.change = CHANGE
    return meter


def test_CA_1a_three_currents_take_the_curve_out():
    meter = changed()
    said: list[str] = []
    Calibrator(meter, meter, said.append, curve=True).run()
    assert worst(meter) < 0.02
    plain = changed()
    Calibrator(plain, plain).run()
    assert worst(plain) > 0.3
    keys = ["gain", "phase", "middle", "phase-low", "low", "low-lag", "offset"]
    assert [point for point, _ in meter.points if not point.startswith("no-load")] == keys * 2
    text = "\n".join(said)
    assert "curve at 2 A: ratio -0.25" in text and "+-" in text


def test_CA_1a_a_certificate_takes_the_place_of_measured_points(tmp_path):
    path = tmp_path / "ct.csv"
    path.write_text(CERTIFICATE)
    meter = changed()
    results = Calibrator(meter, meter, curve=load_certificate(str(path), MODEL)).run()
    assert [point for point, _ in meter.points if not point.startswith("no-load")] == [
        "gain",
        "phase",
        "phase-low",
        "offset",
    ] * 2
    assert len(results[0].curve.nodes) == 3
    assert worst(meter) < 0.02


def test_CA_1a_what_is_smaller_than_its_uncertainty_is_not_corrected():
    """A reference of 0.5 %: of this curve only the leads at low currents are beyond doubt."""
    meter = changed()
    said: list[str] = []
    results = Calibrator(meter, meter, said.append, reference_percent=0.5, curve=True).run()
    for result in results:
        assert all(node.ratio == 0.0 for node in result.curve.nodes)
        assert all(node.lead_uncertainty * 60 > 14 for node in result.curve.nodes)
    level = FakeMeter(RAW)
    results = Calibrator(level, level, reference_percent=0.1, curve=True).run()
    assert all(not result.curve.nodes for result in results)
    assert level.corrections[0]["curve"] == []


@pytest.mark.parametrize("curve", [[], [[2.0, -0.2, 12.0], [75.0, 0.0, 0.0]]], ids=["raw", "corrected before"])
def test_the_error_as_the_meter_came_is_told_at_each_current(curve: list):
    """Not by what was found at the highest one alone."""
    meter = changed()
    for line in meter.corrections:
        line["curve"] = curve
    came = [{(a, d): error_percent(meter, n, a, d) for a in (2.0, 10.0, 75.0) for d in (0.0, 60.0)} for n in (0, 1)]
    for n, result in enumerate(Calibrator(meter, meter, curve=True).run()):
        for one in result.points[:6]:
            error = came[n][one.point.part * MODEL.rating_a, one.point.degrees]
            assert result.before_percent[one.point.key] == pytest.approx(error, abs=0.005), one.point.key


def test_a_lagging_current_has_the_references_uncertainty_there():
    meter = FakeMeter(RAW)
    results = Calibrator(meter, meter, reference_percent=0.02, reference_lag_percent=0.3, curve=True).run()
    for one in results[0].points:
        assert (one.uncertainty_percent >= 0.3) is (one.point.degrees == 60.0), one.point.key


def test_CA_1a_a_calibration_that_is_given_up_puts_the_corrections_back():
    meter = changed()
    before = {"tempco": -5000, "lead_tempco": 60, "reference": 2300, "curve": [[2.0, -0.25, 16.0], [75.0, 0.0, 0.0]]}
    meter.corrections = [dict(before), dict(before)]
    meter.refuse = "cal_offset"
    with pytest.raises(CommandRefusedError):
        Calibrator(meter, meter, curve=True).run()
    assert meter.corrections == [before, before]
    meter.refuse = ""
    Calibrator(meter, meter, curve=True).run()
    assert [c["tempco"] for c in meter.corrections] == [-5000, -5000]  # the parts are the same


def test_ID_4a_the_second_temperature_takes_the_drift_out():
    meter = changed()
    meter.tempco_ppm = -110.0
    meter.lead_tempco = 0.06
    Calibrator(meter, meter, curve=True).run()
    meter.celsius = -20.0
    assert worst(meter) > 0.4
    said: list[str] = []
    drifts = second_temperature.run(Calibrator(meter, meter), (1, 2), 55.0, said.append)
    assert meter.celsius == 55.0
    for drift in drifts:
        assert drift.corrected and drift.tempco_ppm == pytest.approx(-110.0, abs=1.0)
        assert drift.lead_minutes == pytest.approx(0.06, abs=0.003)
        assert 0 < drift.uncertainty_ppm < 2
    assert "+32.0 K from its calibration" in said[0]
    for celsius in (-20.0, 23.0, 50.0):
        meter.celsius = celsius
        assert worst(meter) < 0.04


def test_ID_4a_a_drift_that_the_bench_cannot_know_is_left_alone():
    meter = FakeMeter(RAW)
    meter.tempco_ppm = 2.0
    Calibrator(meter, meter).run()
    drifts = second_temperature.run(Calibrator(meter, meter, reference_percent=0.05), (1,), 55.0, lambda _text: None)
    assert not drifts[0].corrected and drifts[0].uncertainty_ppm > 15
    assert meter.corrections[0]["tempco"] == 0


def test_ID_4a_a_meter_without_a_thermometer_is_refused(monkeypatch):
    meter = FakeMeter(RAW)
    Calibrator(meter, meter).run()
    call = meter.call
    monkeypatch.setattr(meter, "call", lambda text: {"centi_celsius": None} if text == "lines()" else call(text))
    with pytest.raises(RefusedError, match="does not know its temperature"):
        second_temperature.run(Calibrator(meter, meter), (1,), 55.0, lambda _text: None)


def test_ID_4a_a_second_temperature_near_the_first_is_refused_before_a_reading():
    """Divided by next to nothing it was a drift of any size, or no number at all."""
    meter = FakeMeter(RAW)
    Calibrator(meter, meter).run()
    with pytest.raises(RefusedError, match=r"from its calibration; allowed: 10 or more"):
        second_temperature.run(Calibrator(meter, meter), (1,), 23.0, lambda _text: None)


def test_best_keeps_the_four_currents_that_matter():
    percents = (1.0, 5.0, 20.0, 60.0, 100.0, 120.0)
    leads = (30.0, 15.0, 5.0, 1.0, 0.0, 0.0)
    curve = Curve(tuple(Node(p, 0.0, lead / 60) for p, lead in zip(percents, leads, strict=True)))
    kept = best(curve)
    assert [node.amps for node in kept.nodes][:3] == [1.0, 5.0, 20.0] and len(kept.nodes) == 4
    assert best(CHANGE) == CHANGE


def test_against_is_the_same_curve_seen_from_another_current():
    moved = CHANGE.against(10.0)
    for amps in (1.0, 2.0, 10.0, 50.0):
        ratio, lead = CHANGE.at(amps)
        base, base_lead = CHANGE.at(10.0)
        found = moved.at(amps)
        assert found[0] == pytest.approx((1 + ratio) / (1 + base) - 1, abs=1e-6)
        assert found[1] == pytest.approx(lead - base_lead)
    assert Curve().at(5.0) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("percent,ratio_percent\n2,0\n", "no column lead_minutes"),
        ("percent,ratio_percent,lead_minutes\n", "no rows"),
        ("percent,ratio_percent,lead_minutes\n2,x,1\n", "line 2: ratio_percent 'x': allowed: -2 to 2"),
        ("percent,ratio_percent,lead_minutes\n2,nan,1\n", "line 2: ratio_percent 'nan': allowed: -2 to 2"),
        ("percent,ratio_percent,lead_minutes\n2,0,200\n", "line 2: lead_minutes '200': allowed: -180 to 180"),
        ("percent,ratio_percent,lead_minutes\n0,0,0\n", "percent 0: allowed: above 0"),
        ("percent,ratio_percent,lead_minutes\n5,0,0\n2,0,0\n", "line 3: percent must rise"),
        ("percent,ratio_percent,lead_minutes,line\n5,0,0,3\n", "line 3: allowed: 1, 2, or 0"),
        ("percent,ratio_percent,lead_minutes,line\n5,0,0,1\n", "nothing for line 2"),
        ("percent,ratio_percent,lead_minutes\n5,0,0,1\n", "more columns"),
        ("percent,ratio_percent,lead_minutes\n5,0\n", "line 2"),
        ('percent,ratio_percent,lead_minutes\n"5,0,0\n', "no CSV text"),
        (
            "percent,ratio_percent,lead_minutes\n" + "".join(f"{n},0,0\n" for n in range(1, 25)),
            "more than 20 rows",
        ),
    ],
)
def test_unusable_ct_files_are_refused_in_one_line(tmp_path, text, reason):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(RefusedError, match=reason) as refused:
        load_certificate(str(path), MODEL)
    assert "\n" not in str(refused.value)


def test_rows_of_a_line_and_of_every_line(tmp_path):
    path = tmp_path / "ct.csv"
    path.write_text("percent,ratio_percent,lead_minutes,line\n2,-0.1,5,0\n50,0,0,0\n10,-0.2,9,2\n")
    found = load_certificate(str(path), MODEL)
    assert [len(found[n].nodes) for n in (1, 2)] == [2, 1]
    assert found[1].nodes[0] == Node(2.0, -0.001, 5 / 60)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--virtual", "--second-temperature", "200"], "-40 to 85"),
        (["--virtual", "--no-curve", "--ct", "x.csv"], "allowed: one of them"),
        (["--virtual", "--undo", "--second-temperature", "50"], "allowed: one of them"),
    ],
)
def test_unusable_arguments(capsys, arguments, reason):
    assert calibrate.main(arguments) == 2
    said = capsys.readouterr().err
    assert reason in said and said.count("\n") == 1


def test_the_meter_takes_what_the_curve_says():
    """The argument of cal_curve gives back the curve, to the steps in which the meter keeps it."""
    again = ct_curve.of_meter({"curve": eval(CHANGE.argument())})
    for node, kept in zip(CHANGE.nodes, again.nodes, strict=True):
        assert (node.amps, node.ratio) == pytest.approx((kept.amps, kept.ratio), abs=1e-6)
        assert math.isclose(node.lead, kept.lead, abs_tol=1e-4)
    assert eval(Curve().argument()) == ()
    assert ct_curve.of_meter(dict(NONE)) == Curve()
