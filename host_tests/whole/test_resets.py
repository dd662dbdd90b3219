"""A reset of the RP2040 alone, by whatever cause: no pulse and no count too many; what was asked for is no failure."""

import random

import pytest

from host.rigs.trial import run, steps

CALM = "at = {at}\nl1 = {{amps = 0.0}}\nl2 = {{amps = 0.0}}"


def reset(at, kind):
    return f'at = {at}\nfault = {{part = "cpu", kind = "{kind}"}}'


@pytest.mark.parametrize("model", ["MDNCT-1SC", "MSTCT-2SC"])
@pytest.mark.parametrize("memory", ["fram", "flash"])
def test_ST_1a_the_run_pin_gives_no_pulse_and_no_count_twice(memory, model):
    """Where the scratch registers are cleared the front ends tell what was given since the record."""
    rng = random.Random(memory + model)
    at = 8.0
    rows = ["at = 0.0\nl1 = {amps = 95.0}\nl2 = {amps = 95.0}\nload12v_ma = 10.0"]
    for _ in range(8):
        at += rng.uniform(6.0, 40.0)
        rows.append(reset(round(at, 3), "run_reset"))
    rows.append(CALM.format(at=at + 20))
    result = run(steps(*rows, model=model, board=f'memory = "{memory}"'), at + 40)
    wh = float(result.report["register"]["delivered_wh"])
    begun = result.times_us("opto10")
    boots = [event["t_s"] for event in result.report["events"] if event["event"] == "restart"]
    assert len(boots) == 8 and result.logged().count("demand_lost") == 0
    cut_short = sum(any(0 <= boot - t / 1e6 <= 0.16 for t in begun) for boot in boots)  # begun since the last cycle
    assert 0 <= result.report["pulses"]["10"] - wh // 10 <= cut_short
    assert result.report["counter"]["counts"] <= wh // (100 if model[2] == "N" else 1000)
    counted = sum(chip["counts"] for chip in result.report["counted"])
    assert 0 <= counted - result.delivered_counts < 20_000  # of the first start
    assert result.report["status"]["failures"] == []


def test_DX_6a_a_restart_that_was_asked_for_is_no_failure():
    """machine.reset() (mpremote reset), the RUN pin: restart 8 in the log; the watchdog's own time-out: FAIL 05."""
    load = "at = 0.0\nl1 = {amps = 20.0}\nl2 = {amps = 20.0}"
    for kind, failures in (("reset", []), ("run_reset", []), ("hang", [5])):
        result = run(steps(load, reset(20.0, kind)), 40.0)
        assert result.report["status"]["failures"] == failures, kind
        restarts = [event["a"] for event in result.report["events"] if event["event"] == "restart"]
        assert restarts == [0 if failures else 8]


@pytest.mark.parametrize("kind", ["hang", "reset", "run_reset"])
def test_MD_3a_a_restart_at_constant_load_leaves_the_maximum(kind):
    """The run time goes on with the energy: 8.6 s of a hang were energy and no time, 2.9 % of a sub-interval."""
    load = "at = 0.0\nl1 = {amps = 10.0}\nl2 = {amps = 10.0}"
    result = run(steps(load, reset(1_000.0, kind)), 1_900.0)
    assert abs(result.report["demand"]["max_w"] / 2400 - 1) < 0.001
    assert abs(result.report["demand"]["interval_w"] / 2400 - 1) < 0.001
