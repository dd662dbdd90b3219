"""The prompt's answers of a running meter in this process: what is read, corrections, the port, what is refused."""

from math import cos, radians

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
