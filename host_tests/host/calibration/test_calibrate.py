"""The guided calibration: its mathematics against the simulated chip, what it refuses, and all of it over mpremote."""

import math

import pytest
from fake_meter import FakeMeter
from hypothesis import given, settings
from hypothesis import strategies as st

from host.calibration import bench_source, plausible
from host.calibration.bench_source import LineLoad, Load, PersonBench, Reading, VirtualBench
from host.calibration.calibrator import Calibrator, UnstableError, power_w
from host.calibration.line_model import (
    Errors,
    Observation,
    Registers,
    degrees_per_phcal,
    fit,
    reads_w,
    registers_for,
)
from host.cli.refused import FailedError, RefusedError
from host.port.service import CommandRefusedError, Service
from host.sim.board import Board
from openkh.model import Model

MODEL = Model("MDNCT-1SC", "60Hz")
RAW = (Errors(0.021, 0.42, -0.3), Errors(-0.034, 0.11, 0.2))


# -- mathematics -----------------------------------------------------------------------------------------------------


def test_CA_1_registers_by_perturbation_do_what_the_model_says():
    """PHCAL: positive = delay, lowers a lagging load (AN-1118 prints both signs). AWATTOS: 2^-9 power LSB (it prints
    2^5 and 2^9). Each is changed alone at the simulated chip, and the reading moves as derived."""
    with Board({"model": MODEL.code, "service": MODEL.service}) as board:
        service, bench = Service(board), VirtualBench(board, MODEL)
        load = LineLoad(120.0, 10.0, 60.0)

        def reading(registers: Registers) -> float:
            service.call(
                f"cal_set(1, wgain={registers.wgain}, phcal={registers.phcal}, wattos={registers.wattos}, "
                f"vgain={registers.vgain}, igain={registers.igain})"
            )
            return power_w(MODEL, service.window(4)["lines"][0])

        bench.apply("no-load", Load((LineLoad(120.0, 0.0),) * 2, 60.0))
        service.window(60)  # without that, no offset beyond half of the no-load level (CA-3)
        bench.apply("phase", Load((load, LineLoad(120.0, 0.0)), 60.0))
        plain = reading(Registers())
        assert plain == pytest.approx(load.watts, abs=0.03)  # a count
        for changes in ({"phcal": 40}, {"phcal": -40}, {"wattos": 300_000}, {"wattos": -300_000}):
            changed = Registers(**changes)
            expected = reads_w(MODEL, Errors(), changed, load.watts, 60.0, 60.0)
            assert abs(expected - plain) > 2.5
            assert reading(changed) - plain == pytest.approx(expected - load.watts, abs=0.06)  # two counts
        delayed = reads_w(MODEL, Errors(), Registers(phcal=40), load.watts, 60.0, 60.0)
        assert delayed < load.watts  # a lagging current delayed more draws less


def test_CA_1_a_lead_is_mended_by_a_delay():
    errors = Errors(lead=0.5)
    assert reads_w(MODEL, errors, Registers(), 600.0, 60.0, 60.0) > 600.0 * 1.014
    assert registers_for(MODEL, errors, Registers(), 60.0).phcal == round(0.5 / degrees_per_phcal(60.0))


PARTS = st.tuples(st.floats(-0.09, 0.09), st.floats(-0.9, 3.5), st.floats(-5.0, 5.0))
REGISTERS = st.builds(
    Registers,
    st.integers(3_900_000, 4_600_000),
    st.integers(-40, 160),
    st.integers(-400_000, 400_000),
    st.integers(3_900_000, 4_500_000),
    st.integers(3_900_000, 4_500_000),
)


@settings(max_examples=60, deadline=None)
@given(PARTS, REGISTERS, st.sampled_from((50.0, 60.0)))
def test_CA_1_the_fit_finds_what_is_wrong_whatever_was_set_before(parts, registers, hz):
    errors = Errors(*parts)
    points = []
    for watts, degrees in ((9000.0, 0.0), (4500.0, 60.0), (600.0, 60.0), (120.0, 0.0)):
        read_w = reads_w(MODEL, errors, registers, watts, degrees, hz)
        points.append(Observation(watts, degrees, hz, read_w, registers, 1e-3))
    found, left = fit(MODEL, points)
    assert found.gain == pytest.approx(errors.gain, abs=1e-6)
    assert found.lead == pytest.approx(errors.lead, abs=1e-4)
    assert found.offset_w == pytest.approx(errors.offset_w, abs=1e-3)
    assert abs(left).max() < 1e-6
    after = registers_for(MODEL, found, registers, hz)
    assert reads_w(MODEL, errors, after, 9000.0, 0.0, hz) == pytest.approx(9000.0, rel=2e-5)
    step = math.radians(degrees_per_phcal(hz)) / 2 * math.tan(math.radians(60))
    assert abs(reads_w(MODEL, errors, after, 4500.0, 60.0, hz) / 4500.0 - 1) < step + 3e-5  # half a step of PHCAL
    assert reads_w(MODEL, errors, after, 120.0, 0.0, hz) == pytest.approx(120.0, rel=1e-4)


def test_the_fit_refuses_points_that_do_not_tell_the_errors_apart():
    points = [Observation(w, 0.0, 60.0, w * 1.01, Registers(), 1e-3) for w in (9000.0, 4500.0, 120.0)]
    with pytest.raises(ValueError, match="do not tell"):
        fit(MODEL, points)


# -- the guided steps ------------------------------------------------------------------------------------------------


def calibrated(meter: FakeMeter, windows: int = 3) -> list[str]:
    said: list[str] = []
    Calibrator(meter, meter, said.append, windows).run()
    return said


def test_CA_1_guided_steps_leave_a_meter_right_and_say_what_was_before():
    meter = FakeMeter(RAW)
    said = "\n".join(calibrated(meter))
    for n in (0, 1):
        for watts, degrees, allowed in ((12_000.0, 0.0, 1e-4), (6000.0, 60.0, 4e-4), (120.0, 0.0, 1e-3)):
            read_w = reads_w(MODEL, RAW[n], meter.registers[n], watts, degrees, 60.0)
            assert read_w == pytest.approx(watts, rel=allowed)
    assert "before" in said and "uncertainty" in said and "wgain" in said
    steps = ["gain", "phase", "phase-low", "offset"] * 2
    assert [point for point, _ in meter.points] == ["no-load", *steps, "no-load-after"]
    for n, (_, load) in enumerate(meter.points[1:-1]):  # each line by itself, the other without current
        assert [line.amps > 0 for line in load.lines] == [n < 4, n >= 4]


def test_DR_16_voltage_and_current_gain_come_before_the_power_gain():
    meter = FakeMeter(RAW)
    calibrated(meter)
    names = [call.partition("(")[0] for call in meter.calls if call.startswith("cal_")]
    assert names[:5] == ["cal_volts", "cal_amps", "cal_gain", "cal_phase", "cal_offset"]


def test_CA_3_windows_that_differ_are_refused_and_everything_is_put_back():
    meter = FakeMeter(RAW, drift_percent=0.03)
    with pytest.raises(UnstableError, match=r"line 1, gain: the windows differ by 0\.06\d % \(allowed 0\.05 %\)"):
        calibrated(meter)
    assert meter.registers == meter.stored


@pytest.mark.parametrize(
    ("point", "line", "reading", "reason"),
    [
        ("gain", 1, Reading(120.0, 75.0, 900.0), "angle of 84.3 degrees"),  # a digit lost
        ("gain", 1, Reading(120.0, 75.0, -9000.0), "turned"),
        ("gain", 1, Reading(120.0, 75.0, 9600.0), "more than its own"),
        ("gain", 2, Reading(208.0, 75.0, 15600.0), "208 V, where 120 V"),
        ("gain", 1, Reading(120.0, 7.5, 900.0), "7.5 A, where 75 A"),
        ("gain", 1, Reading(0.0, 75.0, 0.0), "above 0"),
        ("gain", 1, Reading(math.nan, 75.0, 9000.0), "above 0"),
        ("phase", 1, Reading(120.0, 75.0, 9000.0), "angle of 0.0 degrees"),  # unity where 0.5 was to be set
        ("offset", 2, Reading(120.0, 1.2, 144.0), "more than 12 %"),
    ],
)
def test_CA_3_absurd_references_are_refused_with_the_reason(point, line, reading, reason):
    meter = FakeMeter(RAW)
    meter.forged[point, line] = reading
    with pytest.raises(RefusedError, match=reason):
        calibrated(meter)
    assert meter.registers == meter.stored


def test_CA_3_a_turned_ct_is_named():
    with pytest.raises(RefusedError, match="the CT is turned"):
        plausible.check(Reading(120.0, 75.0, 9000.0), LineLoad(120.0, 75.0), -9100.0, 1)


def test_CA_3_what_the_meter_refuses_ends_it_and_is_put_back():
    meter = FakeMeter(RAW)
    meter.refuse = "cal_offset"
    with pytest.raises(CommandRefusedError, match="not today"):
        calibrated(meter)
    assert meter.registers == meter.stored


def test_CA_3_a_correction_without_effect_is_seen():
    """The reference belongs to a load that the correction cannot reach: the reading is as far off as before."""
    meter = FakeMeter(RAW)
    meter._cal_gain = lambda old, _numbers: old  # type: ignore[method-assign]
    with pytest.raises(RefusedError, match="before the correction and still"):
        calibrated(meter)


def test_CA_3_a_calibration_that_cannot_be_put_back_is_said():
    meter = FakeMeter(RAW)
    meter.refuse = "cal_set"
    meter.forged["phase", 1] = Reading(120.0, 75.0, 9000.0)  # unity where 0.5 was to be set
    with pytest.raises(FailedError, match=r"angle of 0\.0 degrees.*could not be put back: line 1: .* not today"):
        calibrated(meter)


def test_number_of_windows_is_checked():
    with pytest.raises(RefusedError, match="2 to 8"):
        Calibrator(FakeMeter(RAW), FakeMeter(RAW), windows=1)


# -- reference readings ----------------------------------------------------------------------------------------------


def test_typed_readings_are_asked_for_until_they_are_numbers():
    answers = iter(["", "120 75", "120.0, 75.0, 9000.0", ""])
    said: list[str] = []
    bench = PersonBench(lambda _q: next(answers), said.append, lambda _s: None)
    bench.apply("gain", Load((LineLoad(120.0, 75.0), LineLoad(120.0, 0.0)), 60.0))
    assert "75 A, power factor 1.000" in said[0] and "line 2: 120 V, no current" in said[0]
    assert bench.read("gain", 1, 1) == Reading(120.0, 75.0, 9000.0)
    assert "Three numbers" in said[1]
    assert bench.read("gain", 2, 1) == Reading(120.0, 75.0, 9000.0)  # Enter: as on line 1


def test_enter_takes_no_reading_of_another_load_or_of_the_line_itself():
    """calibrate goes through the lines one after the other, and reads a window more than once under one load."""
    answers = iter(["", "120 75 9000", "", "", "120 75 9100", "", "120 75 9200"])
    bench = PersonBench(lambda _q: next(answers), lambda _said: None, lambda _s: None)
    load = Load((LineLoad(120.0, 75.0), LineLoad(120.0, 0.0)), 60.0)
    bench.apply("gain", load)
    assert bench.read("gain", 1, 1).watts == 9000.0
    bench.apply("gain", load)
    assert bench.read("gain", 2, 1).watts == 9100.0
    assert bench.read("gain", 2, 1).watts == 9200.0


def test_CA_3_a_mistyped_reading_is_asked_for_again_and_ends_nothing():
    """One slip of the fingers ended the calibration; typed twice alike it is meant so, and refused with the reason."""
    said: list[str] = []
    wanted = LineLoad(120.0, 1.0)
    answers = iter(("120 75 9000", "120 1 120"))
    bench = PersonBench(lambda _q: next(answers), said.append, lambda _s: None)
    assert plausible.checked(bench, "offset", 1, 1, wanted, 119.5) == Reading(120.0, 1.0, 120.0)
    assert "75 A, where 1 A were to be set" in said[0]
    bench = PersonBench(lambda _q: "120 75 9000", said.append, lambda _s: None)
    with pytest.raises(RefusedError, match="where 1 A were to be set"):
        plausible.checked(bench, "offset", 1, 1, wanted, 119.5)


def test_ID_4_a_reading_that_the_meter_alone_contradicts_is_asked_twice_and_then_judged():
    """verify: the load may not be set yet (the meter reads 75 A, 1 A was asked for), or the meter is as bad as that."""
    said: list[str] = []
    answers = iter(("120 1 120", "120 1.01 121", "120 1.01 121"))
    bench = PersonBench(lambda _q: next(answers), said.append, lambda _s: None)
    taken = plausible.checked(bench, "pf1-1", 1, 1, LineLoad(120.0, 1.0), 9000.0, judged=True)
    assert taken.watts == 121.0 and len(said) == 2 and "the meter reads 9000.0 W" in said[0]


def test_readings_from_a_file(tmp_path):
    path = tmp_path / "day.csv"
    path.write_text(
        "point,line,volts,amps,watts,window\ngain,1,120,75,9000,\ngain,1,120,75,9001,2\noffset,0,120,1,120,\n"
    )
    bench = PersonBench(rows=bench_source.load_csv(str(path)))
    assert [bench.read("gain", 1, n).watts for n in (1, 2)] == [9000.0, 9001.0]
    assert bench.read("offset", 2, 3).watts == 120.0
    with pytest.raises(RefusedError, match="no row for point phase, line 1"):
        bench.read("phase", 1, 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("point,line,volts\n", "no column amps, watts"),
        ("point,line,volts,amps,watts\n", "no readings"),
        ("point,line,volts,amps,watts\ngain,1,x,75,9000\n", "line 2: volts 'x': allowed: a number above 0"),
        ("point,line,volts,amps,watts\ngain,1,nan,75,9000\n", "line 2: volts 'nan': allowed: a number above 0"),
        ("point,line,volts,amps,watts\ngain,1,120,inf,9000\n", "line 2: amps 'inf': allowed"),
        ("point,line,volts,amps,watts\ngain,1,120,75,-9000\n", "line 2: watts '-9000': allowed"),
        ("point,line,volts,amps,watts\ngain,1,1e300,75,9000\n", "line 2: volts '1e300': allowed"),
        ("point,line,volts,amps,watts\ngain,3,120,75,9000\n", "line 2: line 3: allowed: 1, 2, or 0"),
        ("point,line,volts,amps,watts\n,1,120,75,9000\n", "line 2: no point"),
        ("point,line,volts,amps,watts\ngain,1,120,75\n", "line 2: columns are missing"),
        ("point,line,volts,amps,watts\ngain,1,120,75,9000,1,1\n", "line 2: more columns"),
        ("point,line,volts,amps,watts,window\ngain,1,120,75,9000,x\n", "line 2: window x: allowed: 1 to 99"),
        ('point,line,volts,amps,watts\n"gain,1,120,75,9000\n', "no CSV text"),
        ("point,line,volts,amps,watts\ngain,1," + "9" * 200_000 + ",75,9000\n", "no CSV text"),
        ("point,line,volts,amps,watts\ngain,1,1,1,1\ngain,1,1,1,1\n", "twice"),
    ],
)
def test_unusable_reference_files_are_refused(tmp_path, text, reason):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(RefusedError, match=reason):
        bench_source.load_csv(str(path))
