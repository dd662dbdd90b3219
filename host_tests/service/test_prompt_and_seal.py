"""The prompt, the seal and calibration while metering (CA-1 to CA-4)."""

import ast

import pytest

from host.calibration import raw_boards
from host.calibration.bench_source import LineLoad, Load, VirtualBench
from host.calibration.calibrator import Calibrator
from host.campaigns import port_abuse
from host.port.service import Service
from host.rigs.prompt_rig import started
from host.sim.board import Board
from host.sim.link import TOP
from openkh.model import Model

ANSWERS = ("status()", "lines()", "events(5)", "faults()", "identity()", "provisioned()", "image()", "cal()")


def test_CA_1_every_report_answers_while_metering():
    with started(degrees=30.0) as prompt:
        for call in ANSWERS:
            assert prompt.json("s." + call), call
            assert "Traceback" not in prompt.execute("s." + call)
        assert prompt.json("s.status()")["seal"] == "open"
        assert prompt.json("s.lines()")["lines"][0]["p_mw"] == pytest.approx(120 * 10 * 866, rel=1e-3)
        prompt.assert_nothing_lost()


@pytest.mark.parametrize("interleave", [False, True])
def test_CA_1_energy_is_exact_through_a_calibration(interleave):
    """The register is the chips' own count before, during and after; also with the cycle between any two bus calls."""
    with started(amps=50.0, interleave=interleave) as prompt:
        for item in ("wgain=4300000", "phcal=20", "wattos=300", "vgain=4200000", "igain=4180000"):
            assert prompt.json(f"s.cal_set(1, {item})")["ok"]
        assert prompt.json("s.save('260201')")["ok"]
        assert prompt.json("s.cal()")["lines"][0]["wgain"] == 4300000
        prompt.assert_nothing_lost()
        assert prompt.errors() == []
        names = [event["event"] for event in prompt.json("s.events(40)")["events"]]
        assert names.count("calibration") >= 5
        assert names.count("calibration_old") >= 5


MODES = ({}, {"interleave": True}, {"interleave": True, "jitter_us": 60_000}, {"board": {"memory": "flash"}})


class ExactBench(VirtualBench):
    """Takes the load off before each new one and looks whether the register is what the chips have counted."""

    compared = 0

    def apply(self, point, load):
        self.compare()
        super().apply(point, load)

    def compare(self):
        super().apply("rest", Load((LineLoad(120.0, 0.0),) * 2, 60.0))
        snap = self.board.look()
        whole, part = snap["delivered"].split(".")
        assert int(whole) * 32_000 + -(-int(part) * 32_000 // 1_000_000) == sum(snap["counted"])
        self.compared += 1


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_CA_1_EN_2_energy_is_exact_through_a_whole_guided_calibration(mode):
    """Every step of ./scripts/calibrate on a raw board: what was counted with the old gain and what with the new one is
    in the register, to the count, at every load point and at the end."""
    board = {**raw_boards.board(3), **mode.get("board", {})}
    config = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 3, **mode, "board": board}
    with Board(config) as meter:
        bench = ExactBench(meter, Model("MDNCT-1SC", "60Hz"))
        bench.compare()
        service = Service(meter)
        Calibrator(service, bench, windows=2).run()
        assert service.call('save("260201")')["ok"]
        assert service.call("cal_set(1, wgain=4200000)")["ok"]
        assert service.call("undo()")["ok"]
        bench.compare()
        assert bench.compared == 12
        assert service.call("status()")["errors"] == 0


def test_CA_2_no_interrupt_before_the_first_import():
    """kbd_intr(-1) is the first statement of every file that a start runs, behind the import of its own module, and
    of the launcher's function that its main.py calls at once."""
    launcher = "scripts/host/flash/launcher/"
    for name in ("firmware/boot", "firmware/main", f"{launcher}boot"):
        assert statements(parsed(name).body)[:2] == ["import micropython", "micropython.kbd_intr(-1)"], name
    assert statements(parsed(f"{launcher}main").body) == ["globals().update(launch.run())"]
    functions = [node for node in parsed(f"{launcher}launch").body if isinstance(node, ast.FunctionDef)]
    run = next(node for node in functions if node.name == "run")
    assert statements(run.body)[0] == "micropython.kbd_intr(-1)"


def parsed(name):
    return ast.parse((TOP / (name + ".py")).read_text())


def statements(body):
    """Their texts, without docstrings."""
    return [text for text in map(ast.unparse, body) if text[:1] not in "'\""]


@pytest.mark.parametrize(
    "call",
    [
        "cal_gain(1, 50)",
        "cal_gain(3, 1)",
        "cal_gain(1, (0.1, 0.3))",
        "cal_phase(1, 1.0)",  # before the gain step
        "cal_set(1, wgain=1)",
        "cal_set(1, phcal=400)",
        "cal_set(2, wattos=9999999)",
        "save('2602')",
        "provision('MDNCT-1SC', '60Hz', '000000000043', '260131')",
        "fine_pulses(5, 10)",
        "window(0)",
    ],
)
def test_CA_3_CA_4_what_cannot_be_is_refused_with_the_reason_and_changes_nothing(call):
    with started() as prompt:
        before = prompt.json("s.cal()")
        identity = prompt.json("s.identity()")
        assert prompt.json("s." + call)["error"]
        assert prompt.execute("s." + call).startswith("ERROR ")
        assert prompt.json("s.cal()") == before
        assert prompt.json("s.identity()") == identity


@pytest.mark.parametrize(
    ("amps", "degrees", "call", "reason"),
    [
        (50.0, 60.0, "cal_phase(1, 1.0)", "line 1: gain comes before phase: allowed next is cal_gain"),
        (1.0, 0.0, "cal_offset(2, 1.0)", "line 2: gain comes before offset"),
        (10.0, 180.0, "cal_gain(1, 1.0)", "CT turned round, or on the other line?"),
        (0.0, 0.0, "cal_gain(1, 1.0)", "measures 0.000 W: allowed power above 0"),
        (10.0, 60.0, "cal_gain(1, 1.0)", "unity power factor"),
        (1.0, 0.0, "cal_gain(1, 1.0)", "1.000 A: allowed 5.0 A or more"),
        (10.0, 0.0, "cal_gain(1, 11.1)", "is the reference right?"),
        (10.0, 0.0, "cal_gain(1, float('nan'))", "allowed a number in percent"),
        (10.0, 0.0, "cal_gain(1, -10.9)", "wgain 4752"),  # within what a reference may say, beyond the limit of 10 %
        (10.0, 0.0, "cal_gain(1, ())", "no error given"),
    ],
)
def test_CA_3_wrong_order_signs_and_absurd_references_are_refused_with_the_reason(amps, degrees, call, reason):
    with started(amps=amps, degrees=degrees) as prompt:
        before = prompt.json("s.cal()")
        assert reason in prompt.json("s." + call)["error"]
        assert prompt.json("s.cal()") == before


@pytest.mark.parametrize(
    ("degrees", "amps", "call", "reason"),
    [
        (-60.0, 50.0, "cal_phase(1, 1.0)", "phase angle -60.0 deg: allowed 40 to 75 (current lagging)"),
        (60.0, 50.0, "cal_phase(1, 1.0, 10)", "allowed 4"),
        (60.0, 50.0, "cal_phase(1, -8.0)", "degrees"),  # would be an advance of 2.7 degrees
        (0.0, 50.0, "cal_offset(1, 1.0)", "phase comes before offset"),
    ],
)
def test_CA_3_a_phase_of_the_wrong_sign_or_size_is_refused_after_the_gain_step(degrees, amps, call, reason):
    with started(amps=50.0) as prompt:
        assert prompt.json("s.cal_gain(1, 0.1)")["ok"]
        prompt.load(amps, degrees)
        prompt.go(3.0)
        before = prompt.json("s.cal()")
        assert reason in prompt.json("s." + call)["error"]
        assert prompt.json("s.cal()") == before


def test_CA_3_undo_and_a_restart_bring_back_what_is_stored():
    with started() as prompt:
        assert prompt.json("s.cal_set(1, wgain=4300000)")["ok"]
        assert prompt.json("s.save('260201')")["ok"]
        assert prompt.json("s.cal_set(1, wgain=4150000)")["ok"]
        assert prompt.json("s.undo()")["ok"]
        assert prompt.json("s.cal()")["lines"][0]["wgain"] == 4300000
        prompt.stimulus([["power", None, 0]])
        prompt.go(2.0)
        prompt.stimulus([["power", None, 1]])
        prompt.restarted()
        prompt.go(3.0)
        assert prompt.json("s.cal()")["lines"][0]["wgain"] == 4300000
        assert prompt.json("s.status()")["calibrated"]


@pytest.mark.parametrize("cut_ms", range(0, 300, 20))
def test_CA_3_a_power_cut_in_the_middle_of_save_leaves_the_old_or_the_new_calibration(cut_ms):
    with started() as prompt:
        assert prompt.json("s.cal_set(1, wgain=4300000)")["ok"]
        assert prompt.json("s.save('260201')")["ok"]
        assert prompt.json("s.cal_set(1, wgain=4150000)")["ok"]
        prompt.type("s.save('260202')\x04")
        prompt.go(cut_ms / 1000)
        prompt.stimulus([["power", None, 0]])
        prompt.go(2.0)
        prompt.stimulus([["power", None, 1]])
        prompt.restarted()
        prompt.go(3.0)
        assert prompt.json("s.cal()")["lines"][0]["wgain"] in (4300000, 4150000)
        assert prompt.json("s.status()")["failures"] == []


@pytest.mark.parametrize("interleave", [False, True])
@pytest.mark.parametrize("memory", ["fram", "flash"])
def test_CA_1_EN_2_ctrl_c_at_random_moments_loses_no_count(memory, interleave):
    """In the middle of answers, windows, calibrations and save(): see ./scripts/bench --ctrl-c for 1,000 and more."""
    assert port_abuse.ctrl_c(60, memory, interleave) > 15


def test_CA_1_EN_2_ctrl_c_at_any_line_of_a_command_loses_no_count():
    assert port_abuse.ctrl_c_at_lines(6) > 20


@pytest.mark.parametrize("power", [False, True])
def test_CA_2_a_start_logs_no_change_of_calibration(power):
    """After a restart, and after a loss of power, when the chips hold their own defaults."""
    with started() as prompt:
        if power:
            for off_s in (0.3, 0.7, 2.0):
                prompt.stimulus([["power", None, 0]])
                prompt.go(off_s)
                prompt.stimulus([["power", None, 1]])
                prompt.go(4.0)
        else:
            prompt.execute("s.restart()")
            prompt.go(4.0)
        prompt.restarted()
        names = [event["event"] for event in prompt.json("s.events(40)")["events"]]
        assert "calibration" not in names
        assert names.count("power_up") == (4 if power else 1)


def test_EN_2_a_soft_reset_loses_no_count_and_takes_back_what_was_not_saved():
    """As `mpremote exec` does it: no metering until the watchdog restarts the meter, which is no FAIL 05."""
    with started() as prompt:
        assert prompt.json("s.cal_set(1, wgain=4300000)")["ok"]
        prompt.type("\x04")
        prompt.go(12.0)
        prompt.restarted()
        assert prompt.boots() == ["power", "soft", "watchdog"]
        assert prompt.json("s.cal()")["lines"][0]["wgain"] == 4234704
        assert prompt.json("s.status()")["failures"] == []
        prompt.assert_nothing_lost()


def test_AM_1_a_soft_reset_in_the_middle_of_an_answer_lets_go_of_the_pair():
    with started(serial={}) as prompt:
        drives = "from machine import Pin; print(Pin(29)())"
        prompt.execute("from machine import Pin; Pin(29, Pin.OUT, value=1)")
        assert prompt.execute(drives) == "1\n"
        prompt.type("\x04")
        prompt.restarted()
        prompt.go(1.0)
        assert prompt.execute(drives) == "0\n"


@pytest.mark.parametrize("memory", ["fram", "flash"])
def test_CA_2_with_the_seal_closed_nothing_on_the_port_reaches_a_prompt(memory):
    """Random bytes, control characters and mpremote's handshake, from the reset on, through two power cuts and across
    opening: no answer, and afterwards the same meter as one that was left alone; see --sealed-port of bench."""
    assert port_abuse.sealed(7, memory) > 5000


def no_prompt_any_more(prompt):
    """After a restart whatever is typed gets no answer."""
    prompt.restarted()
    prompt.go(4.0)
    before = len(prompt.said)
    prompt.type("\r\x03\r\x01s.status()\x04")
    prompt.go(1.0)
    assert prompt.said[before:].strip() == ""


def test_CA_2_opening_the_seal_restarts_into_the_prompt_and_drains_what_was_typed():
    with started(board={"seal": "closed"}) as prompt:
        prompt.type("s.update_mode()\r\n" * 3)
        prompt.seal(False)
        prompt.go(4.0)
        assert prompt.boots()[0] == "power" and len(prompt.boots()) == 2
        assert prompt.json("s.status()")["seal"] == "open"
        assert "seal_opened" in [event["event"] for event in prompt.json("s.events(20)")["events"]]
        assert prompt.json("s.status()")["failures"] == []
        prompt.assert_nothing_lost()


def test_CA_2_closing_the_seal_in_service_mode_ends_it():
    """An update that was given up leaves a meter without metering, until somebody seals it at the latest."""
    with started() as prompt:
        prompt.type("s.update_mode()\r\n")
        prompt.go(4.0)
        assert prompt.execute("s.status()").startswith("ERROR no metering")
        prompt.seal(True)
        no_prompt_any_more(prompt)
        prompt.seal(False)
        prompt.go(4.0)
        assert prompt.json("s.status()")["failures"] == []
        prompt.assert_nothing_lost()


def test_CA_2_closing_the_seal_commits_restarts_and_ends_the_prompt():
    with started() as prompt:
        assert prompt.json("s.fine_pulses(1, 600)")["ok"]
        prompt.seal(True)
        no_prompt_any_more(prompt)
        prompt.assert_nothing_lost()
        prompt.seal(False)
        prompt.go(4.0)
        names = [event["event"] for event in prompt.json("s.events(30)")["events"]]
        assert "seal_closed" in names and "fine_pulses_off" in names
