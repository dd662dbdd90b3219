"""./scripts/calibrate as a command: refusals, Ctrl-C, over mpremote, undo, readings that are typed (CA-1, CA-3)."""

import json
import math
import re

import pytest

from host.calibration import bench_source, testbed
from host.calibration import command as calibrate
from host.calibration.bench_source import LineLoad, Load, PersonBench
from host.calibration.calibrator import Calibrator
from host.calibration.line_model import (
    degrees_per_phcal,
)
from host.cli.refused import RefusedError
from host.cli.status import DONE, FAILED, INTERRUPTED, UNUSABLE
from host.port import prompt
from host.port.prompt import PortError, SerialPrompt
from host.port.service import Service
from host.sim.virtual_board import VirtualBoard

# -- command and prompt ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "--port PORT"),
        (["--virtual", "--port", "/dev/null"], "--port PORT"),
        (["--virtual", "--reference", "x.csv"], "--reference"),
        (["--virtual", "--date", "261332"], "YYMMDD"),
        (["--virtual", "--reference-uncertainty", "7"], "0 to 1"),
        (["--port", "/dev/no-such-port"], "no-such-port': there is no such port; there are: "),
        (["--port", "/dev/null"], "no serial port, or another program is connected"),
        (["--port", "/tmp"], "that is no serial port"),
        (["--port", ""], "there is no such port"),
        (["--port", "a\0b"], "there is no such port"),
        (["--port", "/dev/null", "--reference", "/dev/zero"], "reference file /dev/zero: too long"),
        (["--port", "/dev/null", "--reference", "/no/day.csv"], "reference file /no/day.csv: cannot be read"),
        (["--port", "/dev/null", "--reference", "/tmp"], "reference file /tmp: cannot be read: Is a directory"),
        (["--port", "/dev/null", "--reference", "a\0b"], "cannot be read"),
        (["--port", "/dev/null", "--reference", ""], "cannot be read"),
        (["--virtual", "--windows", "1"], "--windows 1: allowed: 2 to 8"),
        (["--virtual", "--windows", "9"], "--windows 9: allowed: 2 to 8"),
        (["--virtual", "--reference-uncertainty", "nan"], "0 to 1"),
        (["--virtual", "--speed", "nan"], "0.01 to 10000"),
        (["--virtual", "--json", "/no/such/folder/x.json"], "--json /no/such/folder/x.json: cannot be written"),
        (["--virtual", "--json", "/tmp"], "--json /tmp: cannot be written"),
        (["--virtual", "--json", "a\0b"], "cannot be written"),
        (["--virtual", "--state", "/dev/null"], "--state /dev/null"),
        (["--bogus"], "--help"),
    ],
)
def test_unusable_arguments_end_with_one_line_and_status_2(capsys, arguments, reason):
    assert calibrate.main(arguments) == UNUSABLE
    said = capsys.readouterr().err
    assert reason in said and said.count("\n") == 1


@pytest.mark.parametrize("content", ["garbage", "[]", '{"model": "MSNCT-1SC"}', '{"model": 1, "board": {}, "seed": 1}'])
def test_a_damaged_virtual_board_is_refused(tmp_path, capsys, content):
    (tmp_path / "board.json").write_text(content)
    assert calibrate.main(["--virtual", "--state", str(tmp_path)]) == UNUSABLE
    said = capsys.readouterr().err
    assert "board.json: damaged: allowed: --new" in said and said.count("\n") == 1


def test_the_memory_of_another_board_is_not_thrown_away_unasked(tmp_path, capsys):
    (tmp_path / "fram.bin").write_bytes(b"somebody's register")
    assert calibrate.main(["--virtual", "--state", str(tmp_path)]) == UNUSABLE
    assert "board.json is missing" in capsys.readouterr().err
    assert (tmp_path / "fram.bin").read_bytes() == b"somebody's register"


def test_a_port_without_a_meter_behind_it(capsys):
    """MicroPython without OpenKh; and, on a meter with one element, a line that it does not have."""
    with VirtualBoard({"model": "MSNCT-1SC", "service": "60Hz"}, speed=50.0) as board:
        board.mains((120.0, 0.0, 0.0))
        board.wait(3)
        assert calibrate.main(["--port", board.port, "--line", "2"]) == UNUSABLE
        assert "--line 2: MSNCT-1SC has one element: allowed: 1" in capsys.readouterr().err
        with SerialPrompt(board.port) as port:
            # What follows on this board finds no firmware, as on one that has MicroPython alone.
            port.execute("import sys\nfor n in list(sys.modules):\n if 'openkh' in n: del sys.modules[n]\n", 0)
            port.execute("sys.path[:] = []", 0)
        assert calibrate.main(["--port", board.port]) == FAILED
        assert "MicroPython without OpenKh: ./scripts/flash first" in capsys.readouterr().err


def test_CA_2_a_sealed_meter_is_no_prompt(capsys, monkeypatch):
    monkeypatch.setattr(prompt, "HANDSHAKE_S", 0.3)
    monkeypatch.setattr(prompt, "SILENT_S", 0.2)
    with VirtualBoard({"model": "MSNCT-1SC", "service": "60Hz", "board": {"seal": "closed"}}, speed=20.0) as board:
        board.mains((120.0, 0.0, 0.0))
        board.wait(2)
        assert calibrate.main(["--port", board.port]) == FAILED
        said = capsys.readouterr()
        assert "the seal must be open" in said.err and said.out == ""


def test_nobody_at_the_prompts_is_said():
    def ended(_question: str) -> str:
        raise EOFError

    bench = PersonBench(ended, lambda _text: None, lambda _s: None)
    with pytest.raises(RefusedError, match="standard input has ended"):
        bench.apply("gain", Load((LineLoad(120.0, 75.0),), 60.0))


@pytest.mark.parametrize("when", ["gain      window 2", "offset    final", "Bench time"])
def test_CA_3_ctrl_c_at_any_time_leaves_the_stored_calibration_in_force(tmp_path, capsys, monkeypatch, when):
    """In the middle of a line, at its end, and when the question whether to store it is asked; nothing on the board is
    lost, and it can be calibrated afterwards."""
    state = ["--virtual", "--state", str(tmp_path / "bench"), "--windows", "2", "--date", "260131"]
    say = calibrate._say

    def interrupted(text: str) -> None:
        say(text)
        if when in text:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(calibrate, "_say", interrupted)
        assert calibrate.main([*state, "--new", "--seed", "3", "--model", "MSNCT-1SC"]) == INTERRUPTED
    said = capsys.readouterr()
    assert said.err == "openkh: given up; the calibration is as it was\n" and "Stored" not in said.out
    with testbed.opened(calibrate.parser().parse_args(state)) as bed:
        cal = bed.service.call("cal()")
        assert cal["saved"] and not cal["calibrated"] and cal["lines"][0]["wgain"] == 4_234_704
        assert float(bed.service.call("status()")["delivered_wh"]) > 0  # what was metered until then is kept


def test_an_answer_that_is_no_meters_is_refused():
    class Nobody:
        def execute(self, _code: str, _seconds: float) -> str:
            return "hello\r\n"

    with pytest.raises(PortError, match="no answer of a meter: hello"):
        Service(Nobody()).call("status()")


def test_CA_1_a_raw_virtual_board_over_mpremote_and_undo(tmp_path, capsys):
    """The command whole: the virtual board's own prompt on a pseudo-terminal, mpremote's transport, two times at most
    the ten minutes of bench time; a second calibration, and undo to the first."""
    state = ["--virtual", "--state", str(tmp_path / "bench"), "--windows", "2", "--date", "260131"]
    assert calibrate.main([*state, "--new", "--seed", "3", "--model", "MSNCT-1SC"]) == DONE
    said = capsys.readouterr().out
    assert "Calibrated so far: no" in said and "calibration number 1" in said
    seconds = float(said.split("Bench time: ")[1].split(" s")[0])
    assert seconds <= 600
    assert calibrate.main(state) == DONE
    again = capsys.readouterr().out
    assert "Calibrated so far: yes, 260131" in again and "calibration number 2" in again
    assert calibrate.main([*state, "--undo"]) == DONE
    assert "Stored, dated 260131" in capsys.readouterr().out


def test_CA_1_CA_3_a_negative_phase_is_calibrated_undone_and_restored(tmp_path, capsys):
    """A current transformer that lags needs an advance. The same negative number after a calibration by the command, a
    power cut, another calibration that is given up, and one that is stored and undone."""
    board = {"ct1": {"phase_minutes": -24.0}, "chip1": {"v_gain_percent": 1.0}}
    config = {"model": "MSNCT-1SC", "service": "60Hz", "seed": 1, "board": board}
    (tmp_path / "board.json").write_text(json.dumps(config))
    state = ["--virtual", "--state", str(tmp_path), "--windows", "2", "--date", "260131"]
    steps = -round(24 / 60 / degrees_per_phcal(60.0))
    assert calibrate.main(state) == DONE
    assert f"phcal                 0 -> {steps}\n" in capsys.readouterr().out
    with testbed.opened(calibrate.parser().parse_args(state)) as bed:

        def phcal() -> tuple[int, bool]:
            cal = bed.service.call("cal()")
            return cal["lines"][0]["phcal"], cal["saved"]

        assert phcal() == (steps, True)  # opened anew: the board was without power
        with pytest.raises(KeyboardInterrupt), Calibrator(bed.service, bed.bench).kept_only_if_stored():
            bed.service.call("cal_set(1, phcal=9)")
            raise KeyboardInterrupt
        assert phcal()[0] == steps
        bed.service.call("cal_set(1, phcal=9)")
        bed.service.call('save("260201")')
        assert phcal() == (9, True)
    assert calibrate.main([*state, "--undo"]) == DONE
    assert re.search(rf"phcal +9 -> {steps}\n", capsys.readouterr().out)
    with testbed.opened(calibrate.parser().parse_args(state)) as bed:
        assert phcal() == (steps, True)


def test_CA_1_a_person_at_the_bench_with_readings_from_a_file(tmp_path, capsys, monkeypatch):
    """As with a real meter: --port, a person who sets the loads, the reference's file. Then the same with a file that
    lacks a point: refused, and the stored calibration is in force."""
    monkeypatch.setattr(bench_source, "SETTLE_S", 0.05)
    path = tmp_path / "day.csv"
    rows = (
        *("gain,0,240,75,18000", "phase,0,240,75,9000", "middle,0,240,10,2400", "phase-low,0,240,10,1200"),
        *("low,0,240,2,480", "low-lag,0,240,2,240", "offset,0,240,1,240"),
    )
    flaws = {"ct1": {"ratio_percent": 0.4, "phase_minutes": 22.0}, "chip1": {"v_gain_percent": -1.8}}
    config = {"model": "MSNCT-1SC", "service": "50Hz", "board": flaws}
    loads = {row.split(",")[0]: [float(x) for x in row.split(",")[2:]] for row in rows}
    loads["no-load"] = loads["no-load-after"] = [240.0, 0.0, 0.0]
    with VirtualBoard(config, speed=100.0) as board:
        point = ""

        def say(text: str = "", **_: object) -> None:
            nonlocal point
            if text.startswith("\n["):
                point = text.split("]")[0].strip("\n[")
            print(text)

        def ask(question: str) -> str:
            if question.startswith("Press Enter"):
                volts, amps, watts = loads[point]
                degrees = math.degrees(math.acos(watts / volts / amps)) if amps else 0.0
                board.mains((volts, amps, degrees), hz=50.0)
            return "y"

        person = PersonBench.__init__
        monkeypatch.setattr(PersonBench, "__init__", lambda self, rows: person(self, ask, say, rows=rows))
        monkeypatch.setattr("builtins.input", ask)
        board.mains((240.0, 0.0, 0.0), hz=50.0)
        board.wait(1.5)
        arguments = ["--port", board.port, "--reference", str(path), "--windows", "2", "--date", "260131"]
        path.write_text("point,line,volts,amps,watts\n" + "\n".join(rows) + "\n")
        assert calibrate.main(arguments) == DONE
        said = capsys.readouterr().out
        assert "Set line 1: 240 V, 75 A, power factor 0.500 lagging; 50 Hz." in said
        assert "phase lead +22." in said or "phase lead +21." in said
        path.write_text("point,line,volts,amps,watts\n" + rows[0] + "\n")
        assert calibrate.main(arguments) == FAILED
        assert "no row for point phase" in capsys.readouterr().err
        with SerialPrompt(board.port) as port:
            assert Service(port).call("cal()")["saved"]


def test_dates():
    assert testbed.date_of("260131") == "260131"
    assert len(testbed.date_of(None)) == 6
