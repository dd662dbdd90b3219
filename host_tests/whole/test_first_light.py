"""The meter end to end on the virtual board: the same files on every engine."""

from fractions import Fraction

import pytest

from host.rigs.trial import ENGINES, EQUAL, load, run, steps
from openkh.model import Model


def test_EN_1_PO_1_LC_3_every_engine_reports_the_same():
    """Loads, power factors, reverse energy, a power cut, a chip reset and a hang: three engines, one report."""
    text = steps(
        load(amps=40.0),
        "at = 20.0\nl2 = {amps = 5.0, degrees = 60.0}",
        "at = 40.0\nramp = true\nl1 = {amps = 100.0}",
        "at = 50.0\nl2 = {amps = 20.0, degrees = 180.0}",
        "at = 60.0\npower = false",
        "at = 63.0\npower = true\nl2 = {amps = 5.0, degrees = 0.0}",
        'at = 80.0\nfault = {part = "chip1", kind = "reset"}',
        'at = 90.0\nfault = {part = "cpu", kind = "hang"}',
        board="start_delivered_wh = 999980",
    )
    reports = {engine: run(text, 120.0, engine).report for engine in ENGINES}
    assert reports["cpython"]["register"]["delivered_wh"] > "1000000"
    for engine in ENGINES[1:]:
        for key in EQUAL:
            assert reports[engine][key] == reports["cpython"][key], (engine, key)


@pytest.mark.parametrize("code, service, volts, hz", [
    ("MDNCT-1SC", "60Hz", 120.0, 60.0),
    ("MDTCT-2SC", "60Hz", 120.0, 60.0),
    ("MSNCT-1SP", "60Hz", 120.0, 60.0),
    ("MSNCT-1SC", "50Hz", 240.0, 50.0),
    ("MSTCT-2NC", "50Hz", 240.0, 50.0),
])  # fmt: skip
def test_ID_2_every_model_meters_its_service(code, service, volts, hz):
    """Register within 0.01 % of the stimulus (less the start), pulses and counter equal to it to one."""
    model = Model(code, service)
    amps = 0.8 * model.rating_a
    result = run(steps(load(amps=amps, volts=volts, hz=hz), model=code, service=service), 600.0)
    true_wh = volts * amps * model.elements * (600.0 - 0.4) / 3600
    register_wh = float(result.report["register"]["delivered_wh"])
    assert abs(register_wh / true_wh - 1) < 4e-4  # the moment of the start is known to 0.2 s
    for weight in (10, 100, 1000):
        pulses = result.report["pulses"][str(weight)]
        assert register_wh / weight - 1 - volts * amps * 2 * 0.5 / 3600 / weight < pulses <= register_wh / weight
    assert result.report["counter"]["counts"] == int(register_wh // model.counter_wh)
    assert result.report["led"] == result.report["pulses"]["10"]  # PO-2
    assert result.report["status"]["condition"] == "normal"


def test_EN_2_the_register_is_what_the_chips_counted():
    """Exactly, but for what a chip counts while it is being set up after the power came."""
    result = run(steps(load(amps=33.0, degrees=37.0)), 60.0)
    counted = sum(chip["counts"] for chip in result.report["counted"])
    before_start = counted - result.delivered_counts
    later = run(steps(load(amps=33.0, degrees=37.0)), 300.0)
    counted_later = sum(chip["counts"] for chip in later.report["counted"])
    # what is on its way at the end differs by less than a cycle's counts
    assert abs(counted_later - later.delivered_counts - before_start) < 33 * 120 * 2 * 32_000 // 36_000
    assert 0 <= before_start < 0.3 * 33 * 120 * 2 * 32_000 / 3600


def test_EN_2_a_timer_wrap_is_not_seen():
    """DR-5, field bug 30: ticks_us (17.9 minutes) alone, or ticks_ms (12.4 days) as well, wrap in the run."""
    lost = 'fault = {part = "lcd", kind = "silent", for_s = 1.0}'  # logged with the run time
    text = steps(load(amps=50.0, degrees=20.0), f"at = 70.0\n{lost}")
    plain = run(text, 90.0)
    both = 2**30 * 1000 - 45_000_000
    for offset, engine in ((2**30 - 30_000_000, "cpython"), (both, "cpython"), (both, "micropython"), (both, "wasm")):
        wrapped = run(text, 90.0, engine, ticks_offset_us=offset)
        for key in EQUAL:
            assert wrapped.report[key] == plain.report[key], key


@pytest.mark.parametrize("amps, seconds", [(10.0, 400.0), (110.0, 60.0)])
def test_PO_3_the_edges_of_a_constant_load_are_evenly_spaced(amps, seconds):
    """Not bunched at the polling rate (field bug 31): within 1 ms peak to peak at 10 A, with jittered cycles too."""
    text = steps(f"at = 0.0\nl1 = {{volts = 120.0, amps = {amps}, degrees = 0.0}}\nl2 = {{volts = 120.0, amps = 0.0}}")
    for jitter_us in (0, 80_000):
        times = run(text, seconds, jitter_us=jitter_us).times_us("opto10")
        spacings = [b - a for a, b in zip(times, times[1:])]
        assert len(spacings) > 8
        assert max(spacings) - min(spacings) <= max(200, spacings[0] // 20_000), spacings
        assert any(t % 100_000 for t in times)


def test_PO_1_duty_is_half_at_constant_load():
    result = run(steps(load(amps=50.0)), 60.0)
    rises, falls = result.times_us("opto10"), result.times_us("opto10", 0)
    periods = list(zip(rises, falls, rises[1:]))
    assert len(periods) > 10
    for rise, fall, following in periods:
        assert abs((fall - rise) / (following - rise) - 0.5) < 0.001


def test_ID_3_a_single_element_meter_ignores_line_2():
    alone = steps("at = 0.0\nl1 = {volts = 120.0, amps = 20.0, degrees = 30.0}", model="MSNCT-1SC")
    with_two = steps(
        "at = 0.0\nl1 = {volts = 120.0, amps = 20.0, degrees = 30.0}\nl2 = {volts = 40.0, amps = 90.0}",
        model="MSNCT-1SC",
    )
    one, two = run(alone, 90.0), run(with_two, 90.0)
    for key in EQUAL:
        assert two.report[key] == one.report[key], key
    assert len(two.report["counted"]) == 1
    assert "L2" not in str([item["symbols"] for item in two.report["lcd"] if item["screen"] != "8"])


@pytest.mark.parametrize("angle", [180.0, 120.0, 0.0])
def test_ID_2_nothing_assumes_an_angle_between_the_lines(angle):
    """Split phase, two phases of 208 V, or both lines on one phase."""
    row = (
        "at = 0.0\nl1 = {volts = 120.0, amps = 15.0, degrees = 30.0}\n"
        "l2 = {volts = 120.0, amps = 7.0, degrees = -25.0, volts_degrees = %s}" % angle
    )
    split = run(steps(row), 60.0).report
    reference = run(steps(row.replace(f"volts_degrees = {angle}", "volts_degrees = 180.0")), 60.0).report
    assert split["register"] == reference["register"]
    assert split["status"]["condition"] == "normal"


def test_EN_5_no_current_no_energy_and_the_starting_current_counts():
    none = run(steps(load(amps=0.0, volts=138.0)), 600.0)
    assert none.report["register"]["delivered_wh"] == "0.000000"
    start = run(steps("at = 0.0\nl1 = {volts = 120.0, amps = 0.05}\nl2 = {volts = 120.0, amps = 0.0}"), 600.0)
    assert Fraction(start.report["register"]["delivered_wh"]) > Fraction(6 * 599, 3600) * Fraction(95, 100)


def test_EN_3_the_roll_over_under_load():
    """Register and screen roll over; outputs and counter follow the inner total without a false edge."""
    text = steps(load(amps=100.0), load(at=58.0, amps=0.0), board="start_delivered_wh = 999999872")
    result = run(text, 60.0)
    register = float(result.report["register"]["delivered_wh"])
    assert 0 < register < 300
    assert "1 999999.9" in result.said()
    assert "1 0.00" in result.said()
    assert result.report["pulses"]["10"] == 13 + register // 10
    assert result.report["pulses"]["1000"] == 1
    assert result.report["counter"]["counts"] == 2 + register // 100
    assert "roll_over" in result.logged()


def test_LC_1_LC_3_the_glass_from_power_up_on():
    said = run(steps(load(amps=10.0)), 41.0).said()
    ids = [text.split()[0] for text in said if text.strip()]
    order = [ids[0]] + [b for a, b in zip(ids, ids[1:]) if a != b]
    assert order == ["d", "E", "o", "C", "S", "n", "r", "8", "1", "2", "3", "1", "2", "3", "1"]
    assert "d 260131" in said and "E 2 ELt" in said and "o cnt 0.1" in said and "C 100:0.1" in said
    assert "3 2.400" in said


def test_field_bug_20_the_first_reading_after_a_restart_is_not_power():
    """Between reset and first reading the chips counted on: booked as energy, but never shown as a burst of power."""
    text = steps(load(amps=50.0), 'at = 40.0\nfault = {part = "cpu", kind = "reset"}')
    result = run(text, 70.0)
    plain = run(steps(load(amps=50.0)), 70.0)
    assert abs(result.delivered_counts - plain.delivered_counts) < 50 * 240 * 32_000 // 36_000
    shown = [float(item["text"]) for item in result.report["lcd"] if item["screen"] == "3"]
    assert shown and max(shown) <= 12.001


def test_EN_2_the_cycle_between_any_two_bus_calls():
    """The board's second mode fires the timers between any two bus calls of other code."""
    text = steps(load(amps=50.0), "at = 30.0\npower = false", "at = 31.0\npower = true")
    plain, mixed = run(text, 60.0), run(text, 60.0, interleave=True)
    # two starts, in which the chips' set-up may take a little longer
    assert abs(mixed.delivered_counts - plain.delivered_counts) < 0.5 * 50 * 240 * 32_000 / 3600
    assert mixed.report["pulses"]["100"] == plain.report["pulses"]["100"]
    assert mixed.report["firmware"]["faults"]["errors"] == 0
