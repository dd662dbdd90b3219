"""Every command of the prompt through the mpremote command itself, unmodified, as a person types it (CA-1 to CA-4).

The virtual board runs on MicroPython's unix port; its prompt is on a pseudo-terminal.
"""

import contextlib
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from host.sim.virtual_board import VirtualBoard

MPREMOTE = Path(sys.executable).with_name("mpremote")
METER = {"model": "MDNCT-1SC", "service": "60Hz"}
SPEED = 50.0
ON_BOTH = ((120.0, 10.0, 30.0), (120.0, 10.0, 30.0))
UNITY = ((120.0, 50.0, 0.0), (120.0, 50.0, 0.0))
LAGGING = ((120.0, 50.0, 60.0), (120.0, 50.0, 60.0))
SMALL = ((120.0, 1.0, 0.0), (120.0, 1.0, 0.0))
NO_LOAD = ((120.0, 0.0, 0.0), (120.0, 0.0, 0.0))
ENDED = "-- ended --"  # printed between the answers of one mpremote


@contextlib.contextmanager
def metering(**config):
    """A board that has started without load (what its chips count until they are set up is nobody's), then has one."""
    with VirtualBoard({**METER, **config}, "micropython", SPEED) as board:
        board.mains(*NO_LOAD)
        board.wait(3)
        board.mains(*ON_BOTH)
        board.wait(3)
        yield board


@pytest.fixture(scope="module")
def shared():
    """One board for the calls that leave it as it is, or that no other call minds."""
    with metering() as board:
        yield board


def mpremote(board, *words, limit_s=30):
    """The command as typed: `mpremote connect PORT words...`; what it printed."""
    done = subprocess.run(
        [MPREMOTE, "connect", board.port, *words], capture_output=True, text=True, timeout=limit_s, check=False
    )
    assert done.returncode == 0, done
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout.replace("\r\n", "\n")


def json_call(call):
    return call[:-1] + ("json=True)" if call.endswith("()") else ", json=True)")


def answers(board, *calls):
    """What each call printed, one after another in one mpremote: most of a call's time is mpremote's own start."""
    words = ["resume"]
    for call in calls:
        words += ["exec", call, "exec", f"print({ENDED!r})"]
    said = mpremote(board, *words, limit_s=30 + 2 * len(calls)).split(ENDED + "\n")
    assert len(said) == len(calls) + 1 and said.pop() == ""
    return said


def both_answers(board, *calls):
    """For each call what a person gets, and what a program gets."""
    said = iter(answers(board, *(text for call in calls for text in (call, json_call(call)))))
    found = []
    for human in said:
        lines = next(said).splitlines()
        assert len(lines) == 1
        found.append((human, json.loads(lines[0])))
    return found


def assert_nothing_lost(board):
    """The register is what the chips have counted, to the count (EN-2)."""
    board.mains(*NO_LOAD)
    snap = board.wait(2)
    whole, part = snap["delivered"].split(".")
    assert int(whole) * 32_000 + -(-int(part) * 32_000 // 1_000_000) == sum(snap["counted"])
    assert [item for item in board.out if item[0] == "error"] == []


@dataclass(frozen=True)
class Call:
    """A command; what a person reads matches `says`, a program gets `keys` at least."""

    text: str
    says: str
    keys: str = ""
    load: tuple = ON_BOTH
    first: tuple[str, ...] = field(default=())  # commands before it


NUMBER = r"-?\d+(\.\d+)?"
CALLS = (
    Call(
        "status()",
        rf"OK MDNCT-1SC 60Hz serial 000000000042, software \d\.\d\d, seal open\n{NUMBER} Wh delivered, .*\ncondition: ",
        "revision model service serial date provisioned calibrated saved calibration_date calibration_count "
        "configuration_count condition condition_lines failures delivered_wh received_wh delivered_counts "
        "counts_per_wh counter max_w run_s seal fine_mwh rail12 memory cycles late errors",
    ),
    Call("lines()", r"OK L1 +120\.\d+ V +10\.\d+ A +1039\.\d+ W +(599|600)\.\d+ var  PF  0\.866 +\S+ deg", "lines"),
    Call("events(2)", r"OK 2 events; run time in s, event, two values\n( +\d+ \w+ +-?\d+ -?\d+\n){2}$", "events"),
    Call(
        "faults()",
        r"OK calibration_damaged 0, cycles \d+, .*\nL1 gap_ms \d+, .*\nL2 ",
        "cycles late errors last_error log_lost lines",
    ),
    Call(
        "identity()",
        r"OK identity model MDNCT-1SC, service 60Hz, serial 0{10}42, date 260131, software \d\.\d\d, memory fram",
        "model service serial date revision memory",
    ),
    Call("provisioned()", "True", "provisioned"),
    Call("image()", r"OK software \d\.\d\d, image [0-9a-f]{64} \(\d+ files\)", "revision image files"),
    Call("cal()", r"OK .*\nL1 gain [-+]", "model counts_per_wh unity degrees_per_phcal calibrated saved lines"),
    Call("window(2)", rf"OK 2\.\d+ s, {NUMBER} cycles of 60\.\d+ Hz\nL1 \d+ counts in \d+ us: ", "us cycles hz lines"),
    Call("cal_gain(1, 0.5)", r"OK L1 wgain \d+ -> \d+", "ok line item", UNITY),
    Call("cal_gain(2, (0.11, 0.12, 0.13))", r"OK L2 wgain \d+ -> \d+", "ok line item", UNITY),
    Call(
        "cal_phase(1, 1.0)", r"OK L1 phcal \d+ -> \d+", "ok line item", LAGGING, ("cal_set(1, phcal=5)", "unity")
    ),
    Call("cal_offset(1, 0.2, 120)", r"OK L1 wattos -?\d+ -> -?\d+", "ok line item", SMALL, ("unity", "lagging")),
    Call("cal_volts(1, 1.0)", r"OK L1 wgain \d+ -> \d+, vgain \d+ -> \d+", "ok line item"),
    Call("cal_amps(2, -1.0)", r"OK L2 wgain \d+ -> \d+, igain \d+ -> \d+", "ok line item"),
    Call("cal_set(2, wattos=77)", r"OK L2 (wattos -?\d+ -> 77|stays as it is)", "ok line item"),
    Call("fine_pulses(1, 60)", r"OK 10 Wh output gives 1 Wh a pulse for 60 s", "ok"),
    Call("fine_pulses(0)", r"OK fine pulses ended", "ok"),
    Call("rail12_reset()", r"OK 12 V on", "ok"),
    Call("help()", r"status\(\) +identity(.*\n)+.*Close the seal when done\.", "text"),
)  # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.text)
def test_CA_1_each_command_answers_people_and_programs(shared, call):
    shared.mains(*call.load)
    for word in call.first:
        if word in ("unity", "lagging"):  # the steps before, each at its own load
            shared.mains(*(UNITY if word == "unity" else LAGGING))
            shared.wait(3)
            mpremote(shared, "resume", "exec", "cal_gain(1, 0.0)" if word == "unity" else "cal_phase(1, 0.0)")
        else:
            mpremote(shared, "resume", "exec", word)
    shared.mains(*call.load)
    shared.wait(3)
    [(human, program)] = both_answers(shared, call.text)
    assert re.match(call.says, human), human
    assert set(call.keys.split()) <= set(program)
    assert program.get("ok", True) is True
    assert "Restart" not in human


REFUSED = {
    "cal_gain(1, 50)": r"error 50\.000 %: allowed \+-11",
    "cal_gain(3, 1)": "line 3: allowed 1 or 2",
    "cal_gain(1, (0.1, 0.3))": r"the windows differ by 0\.200 %: allowed 0\.05",
    "cal_gain(1, 'x')": "error 'x': allowed a number in percent",
    "cal_gain(1, 1.0)": r"phase angle 30\.\d deg: allowed 0 to 15",
    "cal_phase(1, 1.0)": r"phase angle 30\.\d deg: allowed 40 to 75|gain comes before phase",
    "cal_offset(2, 1.0)": r"(gain|phase) comes before offset|1039\.\d W: allowed",
    "cal_volts(1, 20)": r"allowed \+-11",
    "cal_amps(0, 1)": "line 0: allowed 1 or 2",
    "cal_set(1, wgain=1)": r"wgain 1: allowed 38\d+ to 46\d+ \(\+-10 %\)",
    "cal_set(1, phcal=200)": r"phase 200 steps: allowed -\d+ to \d+ \(-1 to \+4 degrees\)",
    "cal_set(2, wattos=8000000)": r"offset 8000000: allowed \+-6398449 \(0\.5 % of class\)",
    "cal_set(1)": "nothing given: allowed wgain=, phcal=",
    "save('2602')": "date '2602': allowed: YYMMDD in quotes",
    "save('261301')": "date '261301': allowed: YYMMDD in quotes",
    "fine_pulses(5, 10)": r"weight 5: allowed 1 or 0\.1 Wh, 0 ends it",
    "fine_pulses(1, 0)": "0 seconds: allowed 1 to ",
    "window(0)": "0 seconds: allowed 1 to 300",
    "window(301)": "301 seconds: allowed 1 to 300",
    "events(0)": "0 events: allowed 1 and more",
    "provision('MDNCT-1SC', '60Hz', '000000000043', '260131')": "factory data are there already: allowed on blank",
    "provision('MXNCT-1SC', '60Hz', '000000000043', '260131')": "position 2",
    "provision('MDNCT-1SC', '60Hz', '43', '260131')": "serial number '43': allowed: 12 digits",
}


@pytest.fixture(scope="module")
def refusals(shared):
    """What people and programs get for each of them."""
    shared.mains(*ON_BOTH)
    shared.wait(3)
    return dict(zip(REFUSED, both_answers(shared, *REFUSED), strict=True))


@pytest.mark.parametrize("call", REFUSED)
def test_CA_3_CA_4_what_is_refused_says_why_and_what_is_allowed(refusals, call):
    human, program = refusals[call]
    assert human.startswith("ERROR ") and human.count("\n") == 1
    assert re.search(REFUSED[call], human), human
    assert list(program) == ["error"] and re.search(REFUSED[call], program["error"])


def test_EN_2_all_of_these_calls_lost_nothing(shared):
    """Runs after them, on the same board (on a board of its own where the tests are spread over processes)."""
    assert [item[2] for item in shared.out if item[0] == "boot"] == ["power"]
    assert_nothing_lost(shared)


def test_CA_1_save_restart_and_undo():
    with metering() as board:
        mpremote(board, "resume", "exec", "cal_set(1, wgain=4300000)")
        [(human, refused)] = both_answers(board, "save('260201')")
        assert re.match("OK calibration no. 1 of 260201 stored; close the seal", human)
        assert "no calibration step was taken since the last save()" in refused["error"]
        _, saved = answers(board, "cal_set(1, wgain=4200000)", "save('260202', json=True)")
        assert json.loads(saved)["calibration_count"] == 2
        assert mpremote(board, "resume", "exec", "restart()") == "OK the meter restarts\n"
        board.wait(4)
        calls = ("events(1)", "cal()", "undo()", "cal()", "undo(json=True)", "cal()")
        events, stored, first, undone, second, again = answers(board, *calls)
        assert "wgain" not in events
        assert "calibrated 260202, no. 2" in stored
        assert "OK as no. 1 of 260201; save() makes it last" in first
        assert "(4300000)" in undone
        assert json.loads(second)["ok"]
        assert "(4200000)" in again
        assert_nothing_lost(board)


def test_CA_4_provision_and_provision_again():
    with metering(board={"blank": True}) as board:
        assert "serial none" in mpremote(board, "resume", "exec", "identity()")
        assert mpremote(board, "resume", "exec", "provisioned()") == "False\n"
        call = "provision('MSTCT-2SC', '60Hz', '123456789012', '260203', json=True)"
        assert json.loads(mpremote(board, "resume", "exec", call))["ok"]
        board.wait(4)
        assert "model MSTCT-2SC, service 60Hz, serial 123456789012, date 260203" in mpremote(
            board, "resume", "exec", "identity()"
        )
        assert "there already" in mpremote(board, "resume", "exec", call)


def test_CA_1_update_mode_and_back():
    with metering() as board:
        assert "restarts without metering" in mpremote(board, "resume", "exec", "update_mode()")
        board.wait(4)
        without = mpremote(board, "resume", "exec", "import openkh.service as s; s.status()")
        assert re.match(r"ERROR .*restart\(\)", without)
        assert "OK the meter restarts" in mpremote(board, "resume", "exec", "import openkh.service as s; s.restart()")
        board.wait(4)
        assert "OK MDNCT-1SC" in mpremote(board, "resume", "exec", "status()")


def test_plain_exec_answers_that_there_is_no_metering():
    """mpremote makes a soft reset first, and main.py is not run: the commands are there and say so, as documented.

    At the pace of a real board: nobody feeds the watchdog after a soft reset, and its 8 s must outlast the three calls.
    """
    with metering() as board:
        board.speed = 1.0
        for _ in range(2):
            assert mpremote(board, "exec", "status()").startswith("ERROR no metering")
        assert "no metering" in mpremote(board, "exec", "s.cal(json=True)")


def test_EN_2_plain_exec_makes_a_soft_reset_after_which_the_watchdog_restarts_the_meter():
    """Without `resume`, as it is typed most often; metering goes on from what the chips counted meanwhile."""
    with metering() as board:
        assert mpremote(board, "exec", "print('here')") == "here\n"
        assert "soft" in [item[2] for item in board.out if item[0] == "boot"]
        board.wait(12)
        assert board.out and [item[2] for item in board.out if item[0] == "boot"][-1] == "watchdog"
        assert "FAIL" not in mpremote(board, "resume", "exec", "status()")
        assert "restart" in mpremote(board, "resume", "exec", "events(2)")
        assert_nothing_lost(board)


class Terminal:
    """`mpremote connect PORT` in a terminal, and somebody at its keys."""

    def __init__(self, port):
        self.said = ""
        self._fd, slave = pty.openpty()
        self.process = subprocess.Popen([MPREMOTE, "connect", port], stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)

    def look(self, limit_s):
        """Take in what appears within a time."""
        if select.select([self._fd], [], [], limit_s)[0]:
            self.said += os.read(self._fd, 4096).decode()

    def until(self, text, limit_s=20.0):
        """What appears until `text` does, and with it."""
        end = time.monotonic() + limit_s
        while text not in self.said:
            assert time.monotonic() < end, self.said
            self.look(0.1)
        at = self.said.index(text) + len(text)
        said, self.said = self.said[:at], self.said[at:]
        return said

    def type(self, text):
        os.write(self._fd, text.encode())

    def close(self):
        self.type("\x1d")
        self.process.wait(20)
        os.close(self._fd)


def test_CA_1_the_terminal_of_plain_mpremote():
    """A terminal only: no Ctrl-C, no reset; commands, a mistake, a Ctrl-C in the middle of a window, paste mode."""
    with metering() as board:
        terminal = Terminal(board.port)
        terminal.until("exit this shell")
        while ">>> " not in terminal.said:  # keys typed before mpremote has set up its own terminal are lost
            terminal.type("\r")
            terminal.look(0.2)
        terminal.type("status()\r")
        assert "seal open" in terminal.until("12 V on")
        terminal.type("s.lines()\r")
        terminal.until("OK L1")
        terminal.type("window(200)\r")
        terminal.until("window(200)")
        board.wait(1)
        terminal.type("\x03")
        terminal.until("KeyboardInterrupt")
        terminal.type("stats()\r")
        terminal.until("NameError")
        terminal.type("\x05identity()\rprovisioned()\r\x04")
        assert "OK identity" in terminal.until("True")
        terminal.type("cal_gain(1, 50)\r")
        terminal.until("ERROR error 50.000 %")
        terminal.close()
        assert [item[2] for item in board.out if item[0] == "boot"] == ["power"]
        assert_nothing_lost(board)


@pytest.mark.parametrize(("call", "status"), [("provisioned()", 0), ("save('2602')", 1), ("cal_gain(3, 1.0)", 1)])
def test_a_script_sees_what_was_refused_as_the_guide_says(shared, call, status):
    """The line of docs/service.md, with a port and another call in it."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "service.md").read_text()
    line = next(line for line in page.splitlines() if "| awk " in line)
    typed = re.sub(r'"save\([^"]*"', lambda _: f'"{call}"', line).replace(
        ".venv/bin/mpremote", f"{MPREMOTE} connect {shared.port}"
    )
    done = subprocess.run(typed, shell=True, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout.startswith("ERROR")) == (status, bool(status)), done
