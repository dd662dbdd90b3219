"""./scripts/run: arguments, exit status, report and trace, with an ideal meter in place of the engine."""

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_engine import FakeEngine

from host.run import command as run
from host.run import headless
from host.sim import link, memory
from host.sim.session import Session

TOP = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures("engines")


def file(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


SCENARIO = """
model = "MDTCT-2SP"
seed = 9
[board]
chip1 = {noise = true}
[[step]]
at = 0
l1 = {amps = 10}
l2 = {degrees = 180}
[[step]]
at = 600
ramp = true
l1 = {amps = 20}
l2 = {amps = 5}
[[step]]
at = 1200
power = false
"""


def test_the_whole_way_from_a_scenario_to_report_and_trace(tmp_path, engines, capsys):
    scenario = file(tmp_path, "s.toml", SCENARIO)
    report, trace = tmp_path / "r.json", tmp_path / "t.csv"
    arguments = ["--headless", "--scenario", scenario, "--for", "30m", "--report", str(report), "--trace", str(trace)]
    assert run.main(arguments) == 0
    said = json.loads(report.read_text())
    assert ",".join(said) == (
        "engine,model,service,simulated_s,wall_s,true,counted,register,pulses,led,counter,demand,lcd,status,events,firmware,"
        "identity,revision,seed,input,difference,intervals"
    )
    assert (said["engine"], said["model"], said["service"]) == ("micropython", "MDTCT-2SP", "60Hz")
    assert said["simulated_s"] == 1800
    assert said["true"]["delivered_wh"] == pytest.approx((1500 + 1800) / 6)
    assert said["true"]["lines"][1] == pytest.approx({"delivered_wh": 0, "received_wh": (300 + 600) / 6}, abs=1e-9)
    assert float(said["register"]["delivered_wh"]) == pytest.approx(550, rel=0.05)  # the ideal meter knows no ramps
    assert list(said["lcd"][0]) == ["t_s", "screen", "text", "symbols", "bar", "blinking"]
    lines = trace.read_text().splitlines()
    assert lines[0] == "t_s,signal,value" and re.fullmatch(r"\d+\.\d{6},opto10,[01]", lines[1])
    assert engines[0].config["seed"] == 9 and engines[0].config["board"]["chip1"] == {"noise": True}
    assert engines[0].closed
    out, err = capsys.readouterr()
    assert "delivered     5" in out and "scenario " in out
    assert [until for until, _ in engines[0].calls][:2] == [60_000_000, 120_000_000]


def test_a_scenario_ends_with_its_last_step(tmp_path, engines):
    assert run.main(["--headless", "--scenario", file(tmp_path, "s.toml", SCENARIO)]) == 0
    assert engines[0].now_us == 1_200_000_000


def test_a_load_profile_ends_with_its_last_values_interval(tmp_path, engines):
    load = file(tmp_path, "l.csv", "time_s,watts\n0,1000\n90,500\n")
    assert run.main(["--headless", "--load", load]) == 0
    assert engines[0].now_us == 180_000_000


def test_the_default_is_a_day(engines, capsys):
    assert run.main(["--headless"]) == 0
    assert engines[0].now_us == 86_400_000_000
    assert "a household's day: standard load profile BDEW H25" in capsys.readouterr().out


def test_arguments_go_before_the_scenario(tmp_path, engines):
    scenario = file(tmp_path, "s.toml", SCENARIO)
    arguments = [
        "--headless",
        "--scenario",
        scenario,
        "--model",
        "MSNCT-1SC",
        "--service",
        "50Hz",
        "--engine",
        "cpython",
    ]
    assert run.main(arguments) == 0
    assert (engines[0].config["model"], engines[0].config["service"], engines[0].engine) == (
        "MSNCT-1SC",
        "50Hz",
        "cpython",
    )


def test_board_and_faults_of_a_scenario_go_with_a_load_profile(tmp_path, engines):
    scenario = file(tmp_path, "s.toml", "[board]\nmemory = 'flash'\n[[step]]\nat = 5\nload12v_ma = 9\n")
    load = file(tmp_path, "l.csv", "time_s,watts\n0,1000\n")
    assert run.main(["--headless", "--scenario", scenario, "--load", load, "--for", "10s"]) == 0
    assert engines[0].config["board"]["memory"] == "flash"
    assert ["load12v", 5_000_000, 9.0] in engines[0].calls[-1][1]


REFUSED = [
    (["--colour"], "unrecognized arguments: --colour"),
    (["--head"], "unrecognized arguments: --head"),
    (["--model"], "argument --model: expected one argument"),
    (["extra"], "unrecognized arguments: extra"),
    (["--headless", "--for", "10"], "--for 10: allowed: a time above 0 such as 90s, 15m, 24h, 30d"),
    (["--headless", "--for", "0s"], "--for 0s: allowed"),
    (["--headless", "--for", "-5s"], "argument --for: expected one argument"),
    (["--headless", "--for", "1y"], "--for 1y: allowed"),
    (["--headless", "--for", "9999999999d"], "--for 9999999999d: allowed"),
    (["--headless", "--speed", "0"], "--speed 0: allowed: max, or a number"),
    (["--headless", "--speed", "nan"], "--speed nan: allowed"),
    (["--headless", "--engine", "rp2040"], "argument --engine: invalid choice: 'rp2040'"),
    (["--headless", "--model", "MXNCT-1SC"], "model code 'MXNCT-1SC': position 2 is 'X', allowed: S (single element)"),
    (["--headless", "--model", ""], "model code '': position 1"),
    (["--headless", "--service", "55Hz"], "service '55Hz': allowed: 60Hz, 50Hz"),
    (["--headless", "--service", "50Hz"], "model MDNCT-1SC at 50Hz: a dual-element meter is for 60Hz only"),
    (["--headless", "--scenario", "none.toml"], "scenario none.toml: cannot be read: No such file or directory"),
    (["--headless", "--scenario", ""], "scenario : cannot be read: No such file or directory"),
    (["--headless", "--scenario", "."], "scenario .: cannot be read: Is a directory"),
    (["--headless", "--scenario", "a\0b"], "scenario a"),
    (["--headless", "--for", "1s", "--scenario", "/dev/zero"], "scenario /dev/zero: too long: allowed: 64 MB"),
    (["--headless", "--load", "/dev/full"], "load profile /dev/full: too long: allowed: 64 MB"),
    (["--headless", "--load", ""], "load profile : cannot be read: No such file or directory"),
    (["--headless", "--for", "1s", "--waveform", ""], "waveform : no such file"),
    (["--headless", "--load", "", "--waveform", ""], "--load and --waveform: only one of them"),
    (["--headless", "--map", ""], "--map: goes with --waveform or --load"),
    (["--headless", "--scale", "2"], "--scale: goes with --waveform or --load"),
    (["--headless", "--load", "none.csv", "--secondary"], "--secondary: goes with --waveform"),
    (["--headless", "--waveform", "none.cfg", "--from", "1h"], "--from: goes with --load"),
    (["--headless", "--load", "none.csv", "--timezone", "Nowhere"], "--timezone Nowhere: no such zone; allowed"),
    (["--headless", "--load", "none.csv", "--scale", "V=2"], "--scale V=2: allowed with --load: a factor such as 0.5"),
    (["--headless", "--waveform", "none.cfg", "--rate", "x"], "--rate x: allowed: samples a second from 100"),
    (["--headless", "--load", "none.csv"], "load profile none.csv: cannot be read: No such file or directory"),
    (["--headless", "--waveform", "none.cfg"], "waveform none.cfg: "),
    (["--headless", "--load", "a", "--waveform", "b"], "--load and --waveform: only one of them"),
    (["--headless", "--map", "V1=a"], "--map: goes with --waveform"),
    (["--headless", "--for", "1s", "--report", "none/r.json"], "--report none/r.json: cannot be written"),
    (["--headless", "--for", "1s", "--report", "."], "--report .: cannot be written"),
    (["--headless", "--for", "1s", "--report", "a\0b"], "--report a"),
    (["--headless", "--for", "1s", "--trace", "a\0b"], "--trace a"),
    (["--headless", "--for", "1s", "--state", "a\0b"], "--state a"),
    (["--headless", "--for", "1s", "--report", "s.toml/r.json"], "--report s.toml/r.json: cannot be written"),
    (["--headless", "--for", "1s", "--report", ""], "--report : cannot be written"),
    (["--headless", "--for", "1s", "--trace", "none/t.csv"], "--trace none/t.csv: cannot be written: No such file"),
    (["--headless", "--for", "1s", "--trace", "."], "--trace .: cannot be written: Is a directory"),
    (["--headless", "--for", "1s", "--state", "/dev/null/x"], "--state /dev/null/x: cannot be used as a folder"),
    ([], "the live view needs a terminal; use --headless"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=[" ".join(a).replace("\0", "0")[:40] for a, _ in REFUSED])
def test_refused_in_one_line_with_status_2(tmp_path, monkeypatch, capsys, engines, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert run.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith("openkh: " + said)
    assert engines == []


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("[[step]]\nat = 0\nl1 = {amps = 3}", "--headless needs --for DURATION: the input does not end by itself"),
        ("model = 'MDNCT-3SC'", "scenario s.toml: model code 'MDNCT-3SC': position 7 is '3', allowed: 1 (100 A)"),
        ("service = '50Hz'", "scenario s.toml: model MDNCT-1SC at 50Hz"),
        ("colour = 1", "scenario s.toml:1: colour: unknown key"),
    ],
)
def test_an_unusable_scenario(tmp_path, monkeypatch, capsys, scenario, said):
    monkeypatch.chdir(tmp_path)
    assert run.main(["--headless", "--scenario", Path(file(tmp_path, "s.toml", scenario)).name]) == 2
    assert capsys.readouterr().err.startswith("openkh: " + said)


@pytest.mark.parametrize("option", ["--report", "--trace"])
def test_nothing_is_written_over_a_file_of_the_same_run(tmp_path, monkeypatch, capsys, option):
    monkeypatch.chdir(tmp_path)
    file(tmp_path, "s.toml", SCENARIO)
    (tmp_path / "link").symlink_to("s.toml")
    assert run.main(["--headless", "--scenario", "s.toml", option, "link"]) == 2
    assert capsys.readouterr().err == f"openkh: {option} link: the same file as --scenario\n"
    assert run.main(["--headless", "--for", "1s", "--report", "out", "--trace", "./out"]) == 2
    assert capsys.readouterr().err == "openkh: --trace ./out: the same file as --report\n"
    assert run.main(["--headless", "--for", "1s", "--report", "/dev/null", "--trace", "/dev/null"]) == 0
    assert (tmp_path / "s.toml").read_text() == SCENARIO


def test_two_inputs_cannot_both_carry_the_lines(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file(tmp_path, "s.toml", "[[step]]\nat = 0\nhz = 60")
    file(tmp_path, "l.csv", "time_s,watts\n0,1000\n")
    assert run.main(["--headless", "--for", "5s", "--scenario", "s.toml", "--load", "l.csv"]) == 2
    assert "l1, l2, hz and ramp cannot stand in it beside --load" in capsys.readouterr().err


OPTIONS = """
| `--scenario FILE.toml` | `--load FILE.csv` | `--waveform FILE.cfg` | `--map` | `--model CODE` | `--service 60Hz|50Hz`
| `--speed N|max` | `--headless` | `--for DURATION` | `--report FILE` | `--trace FILE` | `--state DIR` | `--engine`
"""


def test_help_says_every_option(capsys):
    with pytest.raises(SystemExit) as end:
        run.main(["--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    for option in re.findall(r"\| `--([a-z]+)", OPTIONS):
        assert f"--{option} " in out
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("engine", ["run", "finish", "error"])
def test_a_firmware_that_fails_is_status_1_with_the_reason(engines, monkeypatch, capsys, engine):
    def start(name, config):
        fake = FakeEngine(name, config)
        if engine == "error":
            fake.fail_at_us = 30_000_000
        else:

            def died(*_):
                raise link.EngineError("Traceback\nMemoryError: no more of it")

            setattr(fake, engine, died)
        engines.append(fake)
        return fake

    monkeypatch.setattr(link, "Link", start)
    assert run.main(["--headless", "--for", "90s"]) == 1
    err = capsys.readouterr().err
    assert re.search(
        r"^openkh: the firmware failed after \d+\.0 simulated seconds: MemoryError: no more of it$", err, re.M
    )
    assert engines[0].closed


def test_an_engine_that_does_not_start_is_status_1(monkeypatch, capsys):
    def start(*_):
        raise link.EngineError("no such interpreter")

    monkeypatch.setattr(link, "Link", start)
    assert run.main(["--headless", "--for", "90s"]) == 1
    assert "no such interpreter" in capsys.readouterr().err


def test_a_file_is_old_or_new_and_never_half(tmp_path, monkeypatch):
    path = str(tmp_path / "fram.bin")
    memory.write_whole(path, b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        memory.write_whole(path, b"new")
    assert Path(path).read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["fram.bin"]


def test_a_disk_that_fails_at_the_end_is_said(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run, "write_whole", full)
    assert run.main(["--headless", "--for", "1s", "--report", str(tmp_path / "r.json")]) == 2
    path = tmp_path / "r.json"
    assert capsys.readouterr().err == f"openkh: --report {path}: cannot be written: No space left on device\n"


def test_a_summary_that_cannot_be_written_costs_no_report(tmp_path, monkeypatch, capsys):
    path = tmp_path / "r.json"
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run.main(["--headless", "--for", "1s", "--report", str(path)]) == 2
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            full.close()
    assert json.loads(path.read_text())["simulated_s"] == 1
    assert capsys.readouterr().err == "openkh: output: cannot be written: No space left on device\n"


@pytest.mark.parametrize("option", ["--report", "--trace"])
def test_a_full_device_is_said_and_stays_a_device(capsys, option):
    assert run.main(["--headless", "--for", "1s", option, "/dev/full"]) == 2
    assert capsys.readouterr().err == f"openkh: {option} /dev/full: cannot be written: No space left on device\n"
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_report_goes_into_what_is_no_regular_file(tmp_path):
    pipe, link_to, real = (tmp_path / name for name in ("pipe", "link.json", "real.json"))
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    link_to.symlink_to(real)
    for path in (pipe, link_to):
        assert run.main(["--headless", "--for", "1s", "--report", str(path)]) == 0
    assert json.loads(os.read(end, 65536))["simulated_s"] == 1
    os.close(end)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert link_to.is_symlink() and json.loads(real.read_text())["simulated_s"] == 1


def test_speed_holds_the_run_back():
    began = time.monotonic()
    assert run.main(["--headless", "--for", "10s", "--speed", "20"]) == 0
    assert 0.4 < time.monotonic() - began < 3


def test_an_interrupt_ends_the_run_with_a_whole_report(tmp_path, monkeypatch, capsys):
    report = tmp_path / "r.json"
    advance = Session.advance

    def interrupted(self, *args):
        if self.now_us >= 120_000_000:
            os.kill(os.getpid(), signal.SIGINT)
        return advance(self, *args)

    monkeypatch.setattr(Session, "advance", interrupted)
    assert run.main(["--headless", "--report", str(report)]) == 130
    assert json.loads(report.read_text())["simulated_s"] == 180
    assert "stopped before the end" in capsys.readouterr().err


def test_clock():
    assert headless.clock(86_399.9) == "23:59:59" and headless.clock(90_061) == "1 d 01:01:01"


def test_the_command_works_from_any_folder(tmp_path):
    """Also from that of another checkout, whose modules have the same names."""
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "__init__.py").write_text("raise ImportError('the other one')")
    command = str(TOP / "scripts" / "run")
    help_text = subprocess.run([command, "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert help_text.returncode == 0 and "--waveform FILE" in help_text.stdout and help_text.stderr == ""
    wrong = subprocess.run(
        [command, "--headless", "--scenario", "x.toml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert wrong.returncode == 2
    assert wrong.stderr == "openkh: scenario x.toml: cannot be read: No such file or directory\n"


def test_a_headless_run_needs_no_terminal_library():
    code = "import sys, host.run.command; sys.exit('textual' in sys.modules)"
    paths = ":".join(str(TOP / p) for p in ("scripts", "", "firmware", "boards/reference"))
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths}).returncode == 0


def test_explain_tells_how_the_input_was_read_and_runs_nothing(tmp_path, engines, capsys):
    load = file(tmp_path, "l.csv", "time_s,kW\n0,1\n60,2\n120,0\n")
    untouched = [
        "--report",
        str(tmp_path / "r.json"),
        "--trace",
        str(tmp_path / "t.csv"),
        "--state",
        str(tmp_path / "s"),
    ]
    assert run.main(["--load", load, "--explain", *untouched]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"load profile {load}",
        "  table, separated by commas",
        "  3 values, 0 s to 120 s: 0.05 kWh delivered, 0 received",
        "  taken: kW (kW)",
        "  lasts 120 s",
    ]
    assert engines == [] and [p.name for p in tmp_path.iterdir()] == ["l.csv"]
    assert run.main(["--explain"]) == 0
    assert capsys.readouterr().out.startswith("a household's day: standard load profile BDEW H25")
