"""Field bugs that only the whole firmware can have: buses, watchdog, prompt, restarts, on the virtual board."""

import json
import shutil
from pathlib import Path

import pytest

from host.rigs.trial import load, run, steps
from host.sim.board import Board
from host.sim.link import TOP, Link

CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 5, "board": {}}
MAINS = ["mains", 0, 0, [120.0, 50.0, 0.0, 0.0], [120.0, 50.0, 0.0, 180.0], 60.0]
SECOND_US = 1_000_000


def altered(folder: Path, line: str) -> Path:
    """A copy of the firmware in which `line` runs once, 20 s after each start, in a callback."""
    firmware = folder / "firmware"
    shutil.copytree(TOP / "firmware", firmware, ignore=shutil.ignore_patterns("__pycache__"))
    main = firmware / "main.py"
    main.write_text(
        f"def _harm(_timer):\n    from openkh import app\n    {line}\n\n\n"
        "from machine import Timer\n\n_harmful = Timer(-1)\n"
        "_harmful.init(mode=Timer.ONE_SHOT, period=20_000, callback=_harm)\n" + main.read_text()
    )
    return firmware


def test_field_bug_7_the_buses_run_in_the_chips_clock_phase():
    result = run(steps(load(amps=50.0)), 20.0)
    assert result.report["status"]["condition"] == "normal"
    assert result.report["firmware"]["faults"]["line1_spoilt"] == 0
    assert result.delivered_counts > 19 * 12_000 * 32_000 / 3600


def test_field_bug_12_the_prompts_power_factor_has_the_sign_of_the_power():
    """Positive for energy delivered, negative for energy received, lagging and leading told apart by the angle."""
    with Board(CONFIG) as board:
        for degrees, pf_milli in ((60.0, 500), (-60.0, 500), (120.0, -500), (-120.0, -500)):
            board.stimulus([["mains", None, 0, [120.0, 20.0, degrees, 0.0], [120.0, 20.0, degrees, 180.0], 60.0]])
            board.wait(4.0)
            for line in json.loads(board.execute("lines(json=True)", 5.0))["lines"]:
                assert abs(line["pf_milli"] - pf_milli) <= 3
                assert abs(line["angle_mdeg"] - 1000 * degrees) < 1000


@pytest.mark.parametrize("kind", ["hang", "reset"])
def test_field_bug_20_power_never_shows_what_was_counted_before_a_restart(kind):
    """8 s of counts come with the first reading after a hang: energy of that time, and no power of this moment."""
    with Link("cpython", CONFIG) as meter:
        meter.run(30 * SECOND_US, [MAINS])
        meter.run(30 * SECOND_US + 1, [["fault", 30 * SECOND_US, "cpu", kind, {}, 0]])
        highest_w = 0.0
        for at_us in range(30 * SECOND_US + 50_000, 42 * SECOND_US, 50_000):
            lines = meter.run(at_us)["snap"]["lines"]
            highest_w = max([highest_w, *(line["p_w"] for line in lines)])
        register_wh = float(meter.finish()["register"]["delivered_wh"])
    assert 5_900 < highest_w < 6_100
    assert abs(register_wh - 42 * 12_000 / 3600) < 2


DEAD_DISPLAY = "app.meter.tasks.timers[1].deinit()"


@pytest.mark.parametrize(
    ("line", "cause", "after_s"),
    [
        ("app.meter.tasks.timers[0].deinit()", "watchdog", 7.9),
        ("app.meter.cycle._demand = None", "watchdog", 7.9),
        (DEAD_DISPLAY, "reset", 5.9),
        (DEAD_DISPLAY + "; app.meter.cycle._leave = print", "watchdog", 9.7),
    ],
    ids=["cycle stopped", "cycle raises", "display stopped", "display stopped and no way to leave"],
)
def test_field_bug_33_the_watchdog_is_not_fed_where_a_part_of_the_work_is_dead(line, cause, after_s, tmp_path):
    """The other timers run on, and must not keep the watchdog quiet."""
    with Link("cpython", CONFIG, firmware_dir=altered(tmp_path, line)) as meter:
        out = meter.run(32 * SECOND_US, [MAINS])["out"]
    boots = [(t_us, cause) for kind, t_us, cause in (item for item in out if item[0] == "boot")]
    assert [cause for _, cause in boots] == ["power", cause]
    assert after_s < boots[1][0] / SECOND_US - 20.0 < after_s + 1.0


def test_PO_4_a_restart_for_a_dead_display_costs_no_pulse(tmp_path):
    """The restart is made in order: no pulse begins between the last cycle and the reset (108 A), and none that waited
    in the PIO counts as given, other than after a hang."""
    firmware = altered(tmp_path, DEAD_DISPLAY)
    for amps in (91.5, 97.0, 107.0, 108.0, 100.8):
        mains = [
            ["mains", t_us, 0, [120.0, i, 0.0, 0.0], [120.0, i, 0.0, 180.0], 60.0]
            for t_us, i in ((0, amps), (33 * SECOND_US, 0.0))
        ]
        with Link("micropython", CONFIG, firmware_dir=firmware) as meter:
            meter.run(45 * SECOND_US, mains)
            final = meter.finish()
        assert final["pulses"]["10"] == float(final["register"]["delivered_wh"]) // 10, amps
        assert final["status"]["failures"] == [5]


def test_field_bug_34_no_cycle_is_late_for_a_display_that_does_not_answer():
    silent = run(steps(load(amps=50.0), 'at = 20.0\nfault = {part = "lcd", kind = "silent", for_s = 10.0}'), 40.0)
    plain = run(steps(load(amps=50.0)), 40.0)
    assert silent.report["firmware"] == plain.report["firmware"]


def test_field_bug_34_nothing_is_printed_while_metering():
    """A console that nobody reads blocks whoever prints: the firmware tells by its log and the glass only."""
    faults = [
        ["fault", 20 * SECOND_US, "cpu", "exception", {}, 0],
        ["fault", 22 * SECOND_US, "chip1", "silent", {}, 3 * SECOND_US],
        ["fault", 27 * SECOND_US, "fram", "silent", {}, 3 * SECOND_US],
        ["fault", 31 * SECOND_US, "lcd", "silent", {}, 3 * SECOND_US],
        ["fault", 35 * SECOND_US, "chip2", "reset", {}, 0],
        ["fault", 37 * SECOND_US, "cpu", "reset", {}, 0],
        ["power", 39 * SECOND_US, 0],
        ["power", 41 * SECOND_US, 1],
    ]
    with Link("cpython", CONFIG) as meter:
        meter.run(60 * SECOND_US, [MAINS, *faults])
        meter.finish()
        assert [text for text in meter.console if text.strip()] == []
