"""The prompt's answers about one running meter in this process, which all these tests share: none needs another."""

import sys
from types import SimpleNamespace

import engine_here
import pytest

from host.rigs import prompt_rig
from host.sim import link


@pytest.fixture(scope="module")
def prompt():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(link, "_Process", engine_here.Here)
        with prompt_rig.started(amps=10.0) as running:
            yield running


def told(prompt, call):
    """The answer as a person reads it."""
    return prompt.execute(call).strip()


def test_the_frequency_is_within_half_a_step_of_the_period_register(prompt):
    for line in prompt.json("s.lines()")["lines"]:
        assert abs(line["mhz"] - 60_000) <= 60_000 / 3_729 / 2


def test_garbage_is_collected_before_the_module_of_a_command_is_loaded(prompt, monkeypatch):
    """Its holes were too small for a module on a blank board with flash (test_rp2040_flash.py)."""
    module = "openkh.service.reports"
    monkeypatch.delitem(sys.modules, module, raising=False)
    loaded = []
    collector = SimpleNamespace(collect=lambda: loaded.append(module in sys.modules))
    monkeypatch.setattr(sys.modules["openkh.service.commands"], "gc", collector)
    assert prompt.json("s.status()")["run_s"] > 0
    assert loaded == [False]


def test_CA_1_registers_are_told_with_what_they_mean(prompt):
    before = prompt.json("s.cal()")["lines"][1]
    assert prompt.json(f"s.cal_set(1, vgain={0x400000 * 101 // 100}, phcal=-7)")["ok"]
    line, other = prompt.json("s.cal()")["lines"]
    assert prompt.json(f"s.cal_set(1, vgain={0x400000}, phcal=0)")["ok"]
    assert line["volts_percent"] == pytest.approx(1.0, abs=1e-4) and line["amps_percent"] == 0
    assert (line["phcal"], line["phcal_sign"], line["var_sign"]) == (-7, 1, 1)
    assert other == before


def test_CA_1a_points_of_a_curve(prompt):
    assert prompt.json("s.cal_curve(1, ((5, 0.1, 2), [20, -0.1, 1.5]))")["ok"]
    assert prompt.json("s.cal()")["lines"][0]["curve"] == [[5, 0.1, 2], [20, -0.1, 1.5]]
    for points in ("((5, 0.1),)", "((5, 0.1, 2, 1),)", "(5,)", "((5, 0.1, 'x'),)", "5"):
        assert "allowed" in prompt.json(f"s.cal_curve(1, {points})")["error"]
    assert "minutes" in told(prompt, "cal()")


def test_CA_1a_a_temperature_coefficient_wants_10_K(prompt, monkeypatch):
    monkeypatch.setattr(engine_here.meter(), "thermometer", SimpleNamespace(centi=2_650))  # the sensor's flickers
    assert prompt.json("s.cal_set(1, reference=2800)")["ok"]
    error = prompt.json("s.cal_temperature(1, 0.0)")["error"]
    assert error == "26.5 degC, calibrated at 28.0: allowed 10 K or more apart"
    assert prompt.json("s.cal_set(1, reference=650, tempco=0)")["ok"]
    assert prompt.json("s.cal_temperature(1, 0.3)")["ok"]
    assert prompt.json("s.cal()")["lines"][0]["tempco"] == 15_000
    assert prompt.json("s.cal_set(1, tempco=0)")["ok"]


def test_AM_1_the_ports_values_at_the_prompt(prompt):
    found = prompt.json("s.readings()")
    assert not [name for name in found if name.startswith("sun_") or name.endswith("_sf")]
    assert {"power_mw", "l1_mv", "delivered_mwh", "run_s", "serial"} <= set(found)
    assert abs(found["power_mw"] - 2_400_000) < 2_000


def test_AM_1_a_cycle_that_comes_between_has_the_values_taken_anew(prompt, monkeypatch):
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
    monkeypatch.setattr(engine_here.module("service.remote"), "Reading", Between)
    assert prompt.json("s.readings()")["power_mw"] == pytest.approx(2_400_000, abs=2_000)
    assert len(taken) == 2 and taken[0] is not taken[1]


def test_AM_6_slots_of_interval_data_are_numbered_up_to_the_last_one(prompt):
    found = prompt.json("s.intervals(5)")
    text = told(prompt, "intervals(5)").splitlines()[0]
    assert text.startswith(f"OK slots {found['first']} to {found['before'] - 1};")
    assert len(found["intervals"]) <= found["before"] - found["first"]


def test_AM_1_settings_of_the_port_are_stored_and_logged(prompt):
    assert prompt.json("s.rs485(parity='none', unit=1)")["parity"] == "none"
    assert prompt.json("s.rs485(parity='even', unit=12)")["unit"] == 12
    old, new = prompt.json("s.events(2)")["events"]
    assert (old["event"], old["b"], new["event"], new["b"]) == ("port_old", 10, "port", 121)
    assert prompt.json("s.rs485(parity='odd')")["parity"] == "odd"
    assert prompt.json("s.events(1)")["events"][0]["b"] == 122


@pytest.mark.usefixtures("prompt")
def test_AM_1_the_ports_values_are_taken_in_whichever_cycle_they_are_asked_for(monkeypatch):
    meter = engine_here.meter()
    for cycles in (0, 1, 2):
        monkeypatch.setattr(meter.cycle, "cycles", cycles)
        reading = engine_here.module("remote.reading").Reading(meter)
        reading.take()
        assert reading.run_s == meter.cycle.state.run_s > 0
