"""The prompt's answers of a running meter in this process: what is read, corrections, the port, what is refused."""

from math import cos, radians
from types import SimpleNamespace

import engine_here
import pytest

from openkh import calibration


@pytest.fixture
def prompt(prompt_here):
    with prompt_here(amps=10.0) as running:
        yield running


def told(prompt, call):
    """The answer as a person reads it."""
    return prompt.execute(call).strip()


def test_a_meter_in_order_says_so_and_nothing_else(prompt):
    status = prompt.json("s.status()")
    assert (status["failures"], status["errors"], status["late"]) == ([], 0, 0)
    faults = prompt.json("s.faults()")
    assert (faults["last_error"], faults["display_errors"]) == ("", 0)
    text = told(prompt, "status()")
    assert "NOT CALIBRATED" in text and "NOTHING IS STORED" not in text
    assert [one["event"] for one in prompt.json("s.events(9)")["events"]] == ["power_up", "seal_opened"]
    assert prompt.boots() == ["power"]  # and nothing restarts it
    lines = told(prompt, "lines()")
    assert "60.002 Hz" in lines and "NO ANSWER" not in lines


def test_the_frequency_is_within_half_a_step_of_the_period_register(prompt):
    for line in prompt.json("s.lines()")["lines"]:
        assert abs(line["mhz"] - 60_000) <= 60_000 / 3_729 / 2


def test_a_front_end_that_does_not_answer_is_told(prompt):
    engine_here.meter().elements[1].silent = True
    one, two = told(prompt, "lines()").splitlines()
    assert "NO ANSWER" not in one and two.endswith("NO ANSWER") and "-- Hz" in two


def test_DX_8_the_newest_entries_of_the_log(prompt):
    prompt.json("s.cal_set(1, wgain=4200000)")
    found = prompt.json("s.events(2)")["events"]
    assert [one["event"] for one in found] == ["calibration_old", "calibration"]
    for n in ("0", "-1", "'all'", "1.0"):
        assert "allowed 1 and more" in prompt.json(f"s.events({n})")["error"]
        assert told(prompt, f"events({n})").startswith("ERROR ")


def test_CA_1_registers_are_told_with_what_they_mean(prompt):
    before = prompt.json("s.cal()")["lines"][1]
    assert prompt.json(f"s.cal_set(1, vgain={0x400000 * 101 // 100}, phcal=-7)")["ok"]
    line, other = prompt.json("s.cal()")["lines"]
    assert line["volts_percent"] == pytest.approx(1.0, abs=1e-4) and line["amps_percent"] == 0
    assert (line["phcal"], line["phcal_sign"], line["var_sign"]) == (-7, 1, 1)
    assert other == before


def test_CA_1_phase_and_its_ways(prompt):
    """A lead of half a degree at 60 degrees lagging, on a front end that counts reactive energy the other way."""
    prompt.load(10.0, degrees=0.0)
    prompt.go(3.0)
    assert prompt.json("s.cal_gain(1, 0.0)")["ok"]
    prompt.load(10.0, degrees=-60.0)
    prompt.go(3.0)
    error = 100 * (cos(radians(59.5)) / cos(radians(60)) - 1)
    assert "lagging=1" in prompt.json(f"s.cal_phase(1, {error})")["error"]
    answer = prompt.json(f"s.cal_phase(1, {error}, lagging=1)")
    assert answer["ok"] and not answer["learnt"]
    line = prompt.json("s.cal()")["lines"][0]
    assert (line["phcal"], line["phcal_sign"], line["var_sign"]) == (round(0.5 * 895_000 / 360 / 60), 1, -1)


def test_CA_3_save_numbers_the_calibration_and_ends_FAIL_03(prompt):
    engine_here.meter().status.set_failure(3, True)
    assert prompt.json("s.cal_gain(1, 0.0)")["ok"]
    assert told(prompt, "save('260201')").startswith("OK calibration no. 1 of 260201 stored")
    status = prompt.json("s.status()")
    assert (status["failures"], status["calibration_count"]) == ([], 1)
    ended = [one["a"] for one in prompt.json("s.events(9)")["events"] if one["event"] == "calibration_saved"]
    assert ended == [1]


def test_CA_1a_points_of_a_curve(prompt):
    assert prompt.json("s.cal_curve(1, ((5, 0.1, 2), [20, -0.1, 1.5]))")["ok"]
    assert prompt.json("s.cal()")["lines"][0]["curve"] == [[5, 0.1, 2], [20, -0.1, 1.5]]
    for points in ("((5, 0.1),)", "((5, 0.1, 2, 1),)", "(5,)", "((5, 0.1, 'x'),)", "5"):
        assert "allowed" in prompt.json(f"s.cal_curve(1, {points})")["error"]
    assert "minutes" in told(prompt, "cal()")


def test_CA_1a_a_temperature_coefficient_wants_10_K(prompt):
    engine_here.meter().thermometer = SimpleNamespace(centi=2_650)  # the sensor's flickers
    assert prompt.json("s.cal_set(1, reference=2800)")["ok"]
    error = prompt.json("s.cal_temperature(1, 0.0)")["error"]
    assert error == "26.5 degC, calibrated at 28.0: allowed 10 K or more apart"
    assert prompt.json("s.cal_set(1, reference=650)")["ok"]
    assert prompt.json("s.cal_temperature(1, 0.3)")["ok"]
    assert prompt.json("s.cal()")["lines"][0]["tempco"] == 15_000


def test_AM_1_the_ports_values_at_the_prompt(prompt):
    found = prompt.json("s.readings()")
    assert not [name for name in found if name.startswith("sun_") or name.endswith("_sf")]
    assert {"power_mw", "l1_mv", "delivered_mwh", "run_s", "serial"} <= set(found)
    assert abs(found["power_mw"] - 2_400_000) < 2_000


def test_AM_1_a_cycle_that_comes_between_has_the_values_taken_anew(prompt):
    meter = engine_here.meter()
    reading = engine_here.module("remote.reading").Reading
    taken = []

    class Between(reading):
        def take(self):
            super().take()
            taken.append(self)
            if len(taken) == 1:
                meter.cycle.cycles += 1

    assert prompt.json("s.readings()")
    remote = engine_here.module("service.remote")
    remote.Reading = Between
    assert prompt.json("s.readings()")["power_mw"] == pytest.approx(2_400_000, abs=2_000)
    assert len(taken) == 2 and taken[0] is not taken[1]


def test_AM_6_slots_of_interval_data_are_numbered_up_to_the_last_one(prompt):
    found = prompt.json("s.intervals(5)")
    text = told(prompt, "intervals(5)").splitlines()[0]
    assert text.startswith(f"OK slots {found['first']} to {found['before'] - 1};")
    assert len(found["intervals"]) <= found["before"] - found["first"]


def test_AM_1_settings_of_the_port_are_stored_and_logged(prompt):
    assert prompt.json("s.rs485()")["parity"] == "none"
    assert prompt.json("s.rs485(parity='even', unit=12)")["unit"] == 12
    old, new = prompt.json("s.events(2)")["events"]
    assert (old["event"], old["b"], new["event"], new["b"]) == ("port_old", 10, "port", 121)
    assert prompt.json("s.rs485(parity='odd')")["parity"] == "odd"
    assert prompt.json("s.events(1)")["events"][0]["b"] == 122


def test_LC_6_a_board_with_an_HT1621_shows_the_register(prompt_here):
    with prompt_here(board={"display": "ht1621"}) as prompt:
        assert prompt.json("s.status()")["failures"] == []
        assert prompt.snap["lcd"]["lit"]


def test_CA_1_the_register_of_the_phase_has_its_ways_in_both_directions():
    for ways in (0, calibration.PHCAL_REVERSED, calibration.VAR_REVERSED, 0xC00):
        for steps in (-300, -1, 0, 1, 300):
            register = calibration.phase_register(steps, ways)
            assert calibration.phase_steps(register) == steps and calibration.ways_of(register) == ways
    assert calibration.phase_register(-5) == 0x205 and calibration.phase_register(5, 0x400) == 0x605
