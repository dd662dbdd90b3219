"""An interrupted calibration or verification is taken up where it was left: the real commands, a person at their
standard input, the meter on a virtual board; ended by kill, Ctrl-C or a closed terminal, and started again."""

import json
import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from host.calibration import kept
from host.cli.refused import RefusedError
from host.port.prompt import SerialPrompt
from host.port.service import Service
from host.sim.virtual_board import VirtualBoard

TOP = Path(__file__).resolve().parents[3]
PATHS = ("scripts", ".", "firmware", "boards/reference")
START = (
    "import sys; from pathlib import Path; from host.calibration import bench_source; bench_source.SETTLE_S = 0.05; "
    "import host.{0}.command as command; command.TOP = Path(sys.argv.pop(1)); sys.exit(command.main())"
)
LOAD = re.compile(r"line 1: ([\d.]+) V, (?:([\d.]+) A, power factor ([\d.]+)( leading)?|no current)")
FLAWS = {"ct1": {"ratio_percent": 0.4, "phase_minutes": 22.0}, "chip1": {"v_gain_percent": -1.8}}


def heard():
    """Ctrl-C ends the command also where these tests were started in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def end(process, by):
    """Send a signal until it is heard: one that comes between Python's last look and its read of the standard input
    waits for the next."""
    while process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(2.0)
        except subprocess.TimeoutExpired:
            continue


class Person:
    """Sets loads and types what the reference reads, until `leave_after` readings."""

    def __init__(self, board, folder):
        self.board = board
        self.folder = folder
        self.readings = []  # every point read, in order
        self.loads = []
        self._load = (0.0, 0.0, 0.0)

    def run(self, package, *arguments, leave_after=None, by=signal.SIGKILL, mistype=None):
        """(exit status, what it said); `mistype`: {n: text} typed instead of reading n."""
        command = [sys.executable, "-u", "-c", START.format(package), str(self.folder), "--port", self.board.port]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(TOP / path) for path in PATHS)}
        process = subprocess.Popen(
            [*command, *arguments], cwd=TOP, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, bufsize=0, preexec_fn=heard,
        )  # fmt: skip
        said = ""
        mistype = dict(mistype or {})
        begun = len(self.readings)
        while chunk := process.stdout.read(4096):
            said += chunk.decode()
            line = said.rpartition("\n")[2]
            answer = self._answer(said, line)
            if answer is None:
                continue
            if line.startswith("Reference"):
                if leave_after is not None and len(self.readings) - begun == leave_after:
                    if by is None:
                        process.stdin.close()
                    else:
                        end(process, by)
                    leave_after = -1
                    continue
                answer = mistype.pop(len(self.readings) - begun, answer)
                self.readings.append(self.loads[-1])
            said += "\n"
            process.stdin.write(answer.encode() + b"\n")
        return process.wait(), said

    def _answer(self, said, line):
        if not line.endswith(("before): ", "amps watts: ", "[Y/n] ", "[y/N] ")):
            return None
        if line.startswith("Press Enter"):
            self.loads.append(re.findall(r"\[([^\]]+)\] Set", said)[-1])
            volts, amps, factor, leading = LOAD.findall(said)[-1]
            degrees = math.degrees(math.acos(float(factor or 1))) * (-1 if leading else 1)
            self._load = (float(volts), float(amps or 0), degrees)
            hz = float(re.findall(r"; ([\d.]+) Hz\.", said)[-1])
            self.board.mains(self._load, hz=hz)
            self.board.wait(4.0)  # of the meter's time: on a busy machine it falls behind the clock
            return ""
        if line.startswith("Reference"):
            volts, amps, degrees = self._load
            return f"{volts} {amps} {volts * amps * math.cos(math.radians(degrees)):.9f}"
        return "y"


@pytest.fixture
def person(tmp_path):
    with VirtualBoard({"model": "MSNCT-1SC", "service": "50Hz", "board": FLAWS}, speed=100.0) as board:
        board.mains((240.0, 0.0, 0.0), hz=50.0)
        board.wait(1.5)
        yield Person(board, tmp_path)


def registers(board):
    with SerialPrompt(board.port) as port:
        cal = Service(port).call("cal()")
        assert cal["saved"]
        return cal["lines"][0], cal["calibration_count"]


def test_CA_1_an_interrupted_calibration_is_taken_up_and_no_reading_is_asked_for_twice(person):
    """Killed (a power cut of the computer), Ctrl-C, standard input closed; the result is that of a whole run."""
    options = ["--windows", "2", "--no-curve", "--date", "260131"]
    status, said = person.run("calibration", *options, "--resume")
    assert status == 1 and "--resume: no readings are kept in " in said
    assert person.run("calibration", *options, leave_after=4)[0] == -signal.SIGKILL
    status, said = person.run("calibration", *options, leave_after=3, by=signal.SIGINT)
    assert status == 130 and "4 readings since " in said and "7 readings are kept in " in said
    status, said = person.run("calibration", *options, "--resume", leave_after=4, by=None)
    assert status == 1 and "nobody answers" in said
    status, said = person.run("calibration", *options, "--resume", mistype={1: "240 1 24"})
    assert status == 0 and "Stored, dated 260131; calibration number 1." in said
    assert "is an angle of 84.3 degrees, where 0 were to be set. Once more, please" in said
    read = [point for point in person.readings if point]
    assert len(read) == 13 + 1  # rms, 2 windows and 1 after for three points, 2 for the other, final; the one mistyped
    assert not list((person.folder / "build").glob("*.kept"))
    after, count = registers(person.board)
    assert count == 1
    status, said = person.run("calibration", *options)
    again, _ = registers(person.board)
    assert status == 0
    for name, most in (("wgain", 60), ("phcal", 0), ("wattos", 4_000), ("vgain", 60), ("igain", 60)):
        assert abs(after[name] - again[name]) <= most, name


def test_ID_4_an_interrupted_verification_is_taken_up_and_a_reading_can_be_given_once_more(person):
    report = person.folder / "meter.html"
    options = ["--no-load", "10s", "--report", str(report)]
    status, said = person.run("verification", *options, leave_after=6)
    assert status == -signal.SIGKILL and not report.exists()
    kept_lines = (person.folder / "meter.kept").read_text().splitlines()
    assert [json.loads(line)[0][0] for line in kept_lines[1:]] == person.readings
    with (person.folder / "meter.kept").open("a") as file:
        file.write('[["pf1-20", 1], [[1, 1')  # torn by the cut
    done = len(person.loads)
    status, said = person.run("verification", *options)
    assert "6 readings since " in said and "REPORTED" not in said
    assert len(person.readings) == len(set(person.readings)) + 4  # the five windows of the repeatability
    assert person.loads[done] == person.readings[6]
    assert status == 1 and "FAIL" in said  # it was never calibrated
    assert "Taken up after an interruption: 6 readings of the run begun " in report.read_text()
    assert not (person.folder / "meter.kept").exists()


def test_readings_that_are_of_something_else_are_not_taken_up(tmp_path):
    path = str(tmp_path / "some.kept")
    one = kept.Kept(path, {"meter": 1})
    assert one.reading(("gain", 1), lambda: (1.5, "x")) == [1.5, "x"]
    one.reading(("gain", 2), lambda: 2)
    one.forget("gain", 1)
    again = kept.taken_up(path, {"meter": 1}, None, lambda _question: "")
    assert (len(again), again.reading(("gain", 2), lambda: 3), again.old) == (1, 2, 1)
    assert len(kept.taken_up(path, {"meter": 1}, None, lambda _question: "n")) == 0
    assert len(kept.taken_up(path, {"meter": 2}, None, lambda _question: "y")) == 0
    with pytest.raises(RefusedError, match="of another calibration of this meter"):
        kept.taken_up(path, {"meter": 2}, True)

    def ended(_question):
        raise EOFError

    with pytest.raises(RefusedError, match="allowed: --resume, or --no-resume"):
        kept.taken_up(path, {"meter": 1}, None, ended)


def test_a_load_is_set_only_for_what_is_read_now(tmp_path):
    path = str(tmp_path / "some.kept")
    done = []
    kept.Kept(path, 1).reading(("a",), lambda: 1)
    again = kept.taken_up(path, 1, True)
    again.set_up("load", lambda: done.append("a"))
    assert again.reading(("a",), lambda: 0) == 1 and not done
    again.set_up("load", lambda: done.append("b"))
    again.set_up("temperature", lambda: done.append("warm"))
    assert again.reading(("b",), lambda: 2) == 2 and done == ["warm", "b"]
