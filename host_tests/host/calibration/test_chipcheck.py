"""CH-3: chipcheck tells every setting of the simulated chip that can be told, right, and says so of the others."""

import json
import random
import subprocess
from pathlib import Path

import pytest

from host.campaigns.chip_settings import SETTINGS
from host.chipcheck import command, findings, questions
from host.chipcheck.chips import SimulatedChip
from host.chipcheck.simulated import SimulatedBus
from host.cli.refused import RefusedError

TOP = Path(__file__).resolve().parents[3]
NEED_A_SIGNAL = {"counter_end", "phcal_sign", "var_sign", "ripple", "period_settle_ms"}
TOLERANCE = {"silent_ms": 0.3, "checksum_delay_ms": 0.3, "period_settle_ms": 4}


def told(settings, signal):
    report = command.examine(SimulatedChip(settings), signal)
    assert report is not None
    assert report["borne"]
    return {finding["setting"]: finding for finding in report["findings"]}


def right(setting, value, wanted):
    if setting == "checksum_seed":
        return (value == 0) == (wanted == 0)
    return abs(value - wanted) <= TOLERANCE[setting] if setting in TOLERANCE else value == wanted


@pytest.mark.parametrize("seed", range(5))
def test_CH_3_fifty_random_chips_are_told_right_without_a_signal(seed):
    """Ten for each."""
    r = random.Random(seed)
    for _ in range(10):
        settings = {key: r.choice(ways) for key, ways in SETTINGS.items()}
        found = told(settings, False)
        assert set(found) == set(SETTINGS)
        for setting, wanted in settings.items():
            if setting in NEED_A_SIGNAL:
                assert found[setting]["value"] is None
                assert found[setting]["text"] == findings.NO_SIGNAL
            else:
                assert right(setting, found[setting]["value"], wanted), (setting, wanted, found[setting])


@pytest.mark.parametrize("seed", range(3))
def test_CH_3_with_a_signal_the_rest_is_told(seed):
    r = random.Random(seed)
    settings = {key: r.choice(ways) for key, ways in SETTINGS.items()}
    found = told(settings, True)
    for setting, wanted in settings.items():
        assert right(setting, found[setting]["value"], wanted), (setting, wanted, found[setting])


@pytest.mark.parametrize(
    ("raw", "setting"),
    [
        ({"version": 0, "reserved": []}, "version"),
        ({"silent_us": 240_000, "irq_us": None, "early": False, "kept": False}, "silence"),
        ({"delay_us": 80_000, "irq_us": None}, "checksum_delay"),
        ({"late": False, "direct": False}, "key"),
        ({"first": True, "changes": True, "own_data": False}, "last"),
    ],
)
def test_CH_3_what_the_firmware_does_not_bear_is_said(raw, setting, monkeypatch, capsys):
    plain = SimulatedChip.ask
    monkeypatch.setattr(SimulatedChip, "ask", lambda self, q: raw if q == setting else plain(self, q))
    assert command.main(["--virtual"]) == 1
    out, err = capsys.readouterr()
    assert "NOT BORNE" in out
    assert "please send the report" in err


def test_CH_3_report_for_people_and_as_json(tmp_path, capsys):
    file = tmp_path / "a.json"
    chip = 'checksum_live_bits = true, counter_end = "stop", noise = true'
    assert command.main(["--virtual", "--chip", chip, "--json", str(file)]) == 0
    out, err = capsys.readouterr()
    assert "this firmware bears all of it" in out
    assert "the configuration checksum covers the live bits" in out
    assert "9 of 9: noise floor" in err
    report = json.loads(file.read_text())
    assert report["simulated"]
    values = {finding["setting"]: finding["value"] for finding in report["chips"][0]["findings"]}
    assert values["checksum_live_bits"] is True
    assert values["counter_end"] is None


def test_no_chip_at_the_wires_is_said(monkeypatch, capsys):
    monkeypatch.setattr(SimulatedBus, "read", lambda _self, _address: 0xFF)
    assert command.main(["--virtual"]) == 1
    err = capsys.readouterr().err
    assert "register 0x203 reads 0xFF after a reset, not 0xE419" in err
    assert "no ADE7953 answers" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--virtual", "--chip", "foo = 1"], "--chip: foo: unknown key; allowed: v_gain_percent"),
        (["--virtual", "--chip", 'counter_end = "no"'], 'counter_end: is "no"; allowed: "wrap" or "stop"'),
        (["--chip", "noise = true"], "--chip: allowed with --virtual only"),
        (["--virtual", "--json", "/no/such/folder/a.json"], "--json"),
        (["--port", "/dev/null-there"], "/dev/null-there"),
    ],
)
def test_unusable_arguments_end_with_one_line_and_status_2(arguments, said, capsys):
    assert command.main(arguments) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_settings_are_those_of_a_scenario():
    assert command.chip_settings('phcal_sign = -1, counter_end = "stop"') == {"phcal_sign": -1, "counter_end": "stop"}
    with pytest.raises(RefusedError):
        command.chip_settings("phcal_sign = 2")


def test_what_goes_to_the_pico_compiles_and_answers_under_micropython():
    """questions.py as MicroPython runs it, on the simulated chip."""
    script = (
        "import sys, json\n"
        f"sys.path[:0] = ['{TOP}', '{TOP}/scripts']\n"
        "from host.chipcheck import questions\n"
        "from host_tests.mp.chip_rig import Rig\n"
        "class Bus:\n"
        "    def __init__(self):\n"
        "        self.rig = Rig(checksum_live_bits=True, last_changes=True)\n"
        "        self.read = self.rig.read\n"
        "        self.write = self.rig.write\n"
        "        self.irq = lambda: self.rig.edges[-1][1]\n"
        "        self.sleep_us = self.rig.clock.sleep\n"
        "        self.ticks_us = lambda: self.rig.clock.now_us\n"
        "        self.since = lambda t: self.rig.clock.now_us - t\n"
        "    def reset(self, us):\n"
        "        self.rig.chip.reset_pin(0)\n"
        "        self.rig.clock.sleep(us)\n"
        "        self.rig.chip.reset_pin(1)\n"
        "names = ('alive', 'silence', 'version', 'checksum', 'live_bits', 'checksum_delay', 'last', 'flags', 'key')\n"
        "print(json.dumps([getattr(questions, name)(Bus()) for name in names]))\n"
    )
    run = subprocess.run([TOP / ".venv/bin/micropython", "-c", script], capture_output=True, text=True)
    assert not run.stderr
    found = json.loads(run.stdout)
    assert found[0] == {"wrong": []}
    assert found[4]["live"] is True
    assert found[6] == {"first": True, "changes": True, "own_data": True}


def test_pico_bus_has_what_the_questions_use():
    text = (TOP / "scripts/host/chipcheck/pico_bus.py").read_text()
    for name in ("read", "write", "reset", "since", "step_frequency"):
        assert f"def {name}(" in text
    assert {"irq", "sleep_us", "ticks_us"} <= set(vars(SimulatedBus))
    assert callable(questions.alive)
