"""./scripts/run with the real firmware behind it."""

import json
import os
import pty
import select
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from host.run import command as run
from host_tests.host.recordings.comtrade_files import dat

TOP = Path(__file__).resolve().parents[2]


def report(tmp_path, *arguments, status=0):
    path = tmp_path / "report.json"
    assert run.main(["--headless", "--report", str(path), *map(str, arguments)]) == status
    return json.loads(path.read_text())


def recording_of_two_lines(tmp_path):
    """120 V and 10 A at 60 degrees (as a secondary value), 118 V and 5 A opposite to it; a channel that is neither."""
    wave = 2 * np.pi * 60 * np.arange(1000) / 5000.0
    channels = (
        ("UA", "V", 0.01, 12_000 * np.sin(wave), "1,1,P"),
        ("UB", "KV", 0.00001, -11_800 * np.sin(wave), "1,1,P"),
        ("IA", "A", 0.000001, 10_000 * np.sin(wave - np.pi / 3), "100,0.1,S"),
        ("IB", "Amps", 0.001, -5_000 * np.sin(wave), "100,0.1,P"),
        ("temperature", "C", 0.001, 1000 * wave / wave[-1], "1,1,P"),
    )
    rows = [
        f"{n},{name},A,,{unit},{scale},0,0,-32767,32767,{ratio}"
        for n, (name, unit, scale, _, ratio) in enumerate(channels, 1)
    ]
    stamp = "01/01/2026,00:00:00.000000"
    head = ["Station,Device,1999", "5,5A,0D", *rows, "60", "1", "5000,1000", stamp, stamp, "ASCII", "1"]
    file(tmp_path, "rec.cfg", "\r\n".join(head) + "\r\n")
    values = [np.round(np.sqrt(2) * values).astype(int) for _, _, _, values, _ in channels]
    file(tmp_path, "rec.dat", dat(*values, rate=5000.0))
    return tmp_path / "rec.cfg"


def file(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_ST_1_the_register_goes_on_where_the_last_run_ended(tmp_path):
    load = file(tmp_path, "l.csv", "time_s,watts\n0,7200\n")
    arguments = ("--load", load, "--for", "100s", "--state", tmp_path / "board")
    one, two = report(tmp_path, *arguments), report(tmp_path, *arguments)
    first, second = (float(r["register"]["delivered_wh"]) for r in (one, two))
    assert first == pytest.approx(200, rel=0.01)
    assert second - first == pytest.approx(first, abs=2.1)  # a cut without warning costs a second at most (ST-1)
    assert two["true"]["delivered_wh"] == pytest.approx(200)
    assert [r["counter"]["counts"] for r in (one, two)] == [1, 2]


def test_energy_in_both_directions_from_a_load_profile(tmp_path):
    load = file(tmp_path, "l.csv", "time_s,watts,power_factor\n0,0,1\n20,3600,0.5\n60,0,1\n61,-7200,-0.9\n81,0,1\n")
    said = report(tmp_path, "--load", load, "--for", "90s")
    assert said["true"]["delivered_wh"] == pytest.approx(40) and said["true"]["received_wh"] == pytest.approx(40)
    assert float(said["register"]["delivered_wh"]) == pytest.approx(40, rel=1e-4)
    assert float(said["register"]["received_wh"]) == pytest.approx(40, rel=1e-4)


def test_a_recording_is_metered(tmp_path):
    recording = recording_of_two_lines(tmp_path)
    said = report(tmp_path, "--waveform", recording, "--for", "200s")
    assert said["true"]["delivered_wh"] == pytest.approx((120 * 10 * 0.5 + 118 * 5) * 200 / 3600, rel=1e-3)
    assert float(said["register"]["delivered_wh"]) == pytest.approx(
        said["true"]["delivered_wh"] * 199.8 / 200, rel=1e-3
    )


def test_ID_3_a_single_element_meter_takes_line_1_of_a_recording(tmp_path):
    recording = recording_of_two_lines(tmp_path)
    said = report(tmp_path, "--waveform", recording, "--for", "60s", "--model", "MSNCT-1SC")
    assert len(said["true"]["lines"]) == len(said["counted"]) == 1
    assert said["true"]["delivered_wh"] == pytest.approx(600 * 60 / 3600, rel=1e-3)


def test_a_failure_on_the_glass_is_no_failed_run(tmp_path):
    scenario = file(tmp_path, "s.toml", '[[step]]\nat = 20\nfault = {part = "cpu", kind = "exception"}\n')
    said = report(tmp_path, "--scenario", scenario, "--for", "40s")
    assert said["status"]["condition"] == "failure" and said["status"]["failures"] == [5]
    assert any(look["text"] == "FAIL 05" for look in said["lcd"])


def test_the_trace_and_the_report_agree(tmp_path):
    load = file(tmp_path, "l.csv", "time_s,watts\n0,20000\n")
    said = report(tmp_path, "--load", load, "--for", "60s", "--trace", tmp_path / "t.csv")
    rows = [line.split(",") for line in (tmp_path / "t.csv").read_text().splitlines()[1:]]
    for weight, given in said["pulses"].items():
        assert given == sum(row[1:] == [f"opto{weight}", "1"] for row in rows)
    assert said["pulses"]["10"] > 30
    assert [float(row[0]) for row in rows] == sorted(float(row[0]) for row in rows)


def live(tmp_path, end):
    """The live view on a terminal of its own; `end(pid, terminal)` ends it. Returns what it drew, and its status."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="100", LINES="30")
        command = str(TOP / "scripts" / "run")
        os.execv(command, [command, "--speed", "20", "--state", str(tmp_path / "board")])
    drawn = b""
    until = time.monotonic() + 20
    while time.monotonic() < until and b"delivered" not in drawn:
        if select.select([terminal], [], [], 0.2)[0]:
            drawn += os.read(terminal, 65536)
    end(pid, terminal)
    while time.monotonic() < until:
        try:
            if select.select([terminal], [], [], 0.1)[0]:
                drawn += os.read(terminal, 65536)
        except (OSError, ValueError):  # closed
            pass
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return drawn.decode(errors="replace"), os.waitstatus_to_exitcode(status)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("the view did not end")


def quit_by_key(_, terminal):
    os.write(terminal, b"q")


def terminate(pid, _):
    os.kill(pid, signal.SIGTERM)


def close_terminal(_, terminal):
    os.close(terminal)


@pytest.mark.parametrize(("end", "status"), [(quit_by_key, 0), (terminate, 0), (close_terminal, 129)])
def test_however_the_live_view_ends_the_memory_is_kept(tmp_path, end, status):
    drawn, exited = live(tmp_path, end)
    assert exited == status
    assert "register, Wh" in drawn and "by hand" not in drawn
    assert (tmp_path / "board" / "fram.bin").stat().st_size == 32768
