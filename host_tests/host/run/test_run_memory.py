"""./scripts/run --state: the memory on the host's disk, with an ideal meter in place of the engine where it says so."""

import json
import os

import board
import pytest
from fake_engine import MEMORY

from boards.virtual.reference import FLASH_BLOCKS
from boards.virtual.rp2040.flash import BLOCK
from host.run import command as run
from host.sim import memory
from host.sim.board import Board
from host.sim.virtual_board import VirtualBoard

LOADED = "[[step]]\nat = 0\nl1 = {amps = 100}\nl2 = {amps = 100}\n"


def test_the_memory_is_kept_between_runs(tmp_path, engines, capsys):
    folder = tmp_path / "deep" / "meter"
    assert run.main(["--headless", "--for", "1s", "--state", str(folder)]) == 0
    assert engines[0].config["memory"] == {}
    assert (folder / "fram.bin").read_bytes() == bytes(range(256)) * 128
    assert run.main(["--headless", "--for", "1s", "--state", str(folder)]) == 0
    assert engines[1].config["memory"] == {"fram": MEMORY}
    assert "true, this run alone: " in capsys.readouterr().out
    assert run.main(["--headless", "--for", "1s"]) == 0
    assert [engine.unplugged for engine in engines] == [True, True, False], "nothing is done for a memory of one run"


def test_a_memory_of_another_meter_is_refused_in_one_line_that_says_whose_it_is(tmp_path, engines, capsys):
    """Nothing starts, and the memory stays what it was."""
    options = ["--headless", "--for", "1s", "--state", str(tmp_path)]
    assert run.main(options) == 0
    capsys.readouterr()
    for service in ("60Hz", "50Hz"):
        assert run.main([*options, "--model", "MSNCT-1SC", "--service", service]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err == (
            f"openkh: --state {tmp_path}: the memory of MDNCT-1SC 60Hz, not of MSNCT-1SC {service}: allowed: "
            "--model MDNCT-1SC --service 60Hz, or another folder\n"
        )
    assert len(engines) == 1
    assert run.main(options) == 0
    assert engines[1].config["memory"] == {"fram": MEMORY}


def test_a_memory_in_use_is_refused(tmp_path, engines, capsys):
    held = memory.MemoryDir(str(tmp_path))
    assert run.main(["--headless", "--for", "1s", "--state", str(tmp_path)]) == 2
    assert "in use by another run" in capsys.readouterr().err
    assert not engines
    held.close()
    assert run.main(["--headless", "--for", "1s", "--state", str(tmp_path)]) == 0


@pytest.mark.usefixtures("engines")
def test_a_memory_that_cannot_be_kept_is_said_after_report_and_summary(tmp_path, monkeypatch, capsys):
    folder, report = tmp_path / "board", tmp_path / "r.json"
    options = ["--headless", "--for", "1s", "--state", str(folder), "--report", str(report)]

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(memory, "write_whole", full)
    assert run.main(options) == 2
    out, err = capsys.readouterr()
    assert err == f"openkh: --state {folder}: fram.bin: cannot be written: No space left on device\n"
    assert "  simulated     00:00:01" in out and json.loads(report.read_text())["simulated_s"] == 1


@pytest.mark.usefixtures("engines")
def test_memory_and_report_that_cannot_be_written_are_both_said(tmp_path, monkeypatch, capsys):
    """And nothing half is left behind."""

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    report = tmp_path / "r.json"
    assert run.main(["--headless", "--for", "1s", "--state", str(tmp_path), "--report", str(report)]) == 2
    out, err = capsys.readouterr()
    assert "  simulated     00:00:01" in out
    assert err == (
        f"openkh: --state {tmp_path}: fram.bin: cannot be written: No space left on device\n"
        f"openkh: --report {report}: cannot be written: No space left on device\n"
    )
    assert os.listdir(tmp_path) == ["lock"]


@pytest.mark.parametrize(("kind", "bytes_"), [("fram", board.FRAM_BYTES), ("flash", FLASH_BLOCKS * BLOCK)])
def test_a_memory_that_is_not_whole_is_refused_in_one_line(tmp_path, engines, capsys, kind, bytes_):
    (tmp_path / f"{kind}.bin").write_bytes(b"")
    assert run.main(["--headless", "--for", "1s", "--state", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"openkh: --state {tmp_path}: {kind}.bin has 0 bytes; allowed {bytes_}\n"
    assert not engines
    (tmp_path / f"{kind}.bin").write_bytes(bytes(bytes_))
    assert run.main(["--headless", "--for", "1s", "--state", str(tmp_path)]) == 0


def reported(tmp_path, scenario, *options):
    """The report of a run, without what differs each time."""
    (tmp_path / "s.toml").write_text(scenario)
    path = tmp_path / "r.json"
    assert run.main(["--headless", "--scenario", str(tmp_path / "s.toml"), "--report", str(path), *options]) == 0
    return {**json.loads(path.read_text()), "wall_s": None}


@pytest.mark.parametrize("medium", ["fram", "flash"])
def test_EN_4_PO_4_CO_2_a_run_ends_like_a_meter_that_is_unplugged_and_the_next_goes_on_from_there(tmp_path, medium):
    """On flash up to a minute was lost, with FRAM a second, and the pulses for it were given again; the report stays
    that of the moment before."""
    board = f'[board]\nmemory = "{medium}"\n'
    state = ["--state", str(tmp_path / "st")]
    first = reported(tmp_path, board + LOADED, "--for", "73s", *state)
    assert first == reported(tmp_path, board + LOADED, "--for", "73s")
    second = reported(tmp_path, board + LOADED.replace("100", "0"), "--for", "65s", *state)
    before_wh, after_wh = (float(report["register"]["delivered_wh"]) for report in (first, second))
    assert before_wh <= after_wh < before_wh + 24_000 / 3600 * 0.12
    given = [{**report["pulses"], "counter": report["counter"]["counts"]} for report in (first, second)]
    assert {key: given[0][key] + given[1][key] for key in given[0]} == {
        "10": after_wh // 10,
        "100": after_wh // 100,
        "1000": 0,
        "counter": after_wh // 100,
    }


def test_interval_data_have_what_a_run_has_registered_also_when_it_goes_on(tmp_path):
    """The first step of a run is a minute."""
    for seconds in (10, 70):
        options = ["--for", f"{seconds}s", "--state", str(tmp_path / "st")]
        found = reported(tmp_path, LOADED, *options)
        measured_wh = sum(chip["counts"] for chip in found["counted"]) / 32_000
        (interval,) = found["intervals"]
        assert measured_wh - 1 < float(interval["delivered_wh"]) <= measured_wh


def test_a_board_that_follows_the_clock_on_the_wall_is_unplugged_too():
    config = {"model": "MDNCT-1SC", "service": "60Hz", "board": {"memory": "flash"}}
    with VirtualBoard(config, speed=50.0) as board:
        board.mains((120.0, 100.0, 0.0), (120.0, 100.0, 0.0))
        board.wait(5)
        final = board.finish()
    with Board({**config, "memory": final["memory"]}) as again:
        again.mains((120.0, 0.0, 0.0), (120.0, 0.0, 0.0))
        found = float(again.wait(3)["delivered"])
    assert found >= float(final["register"]["delivered_wh"]) > 20


@pytest.mark.parametrize("off_s", [4.0, 5.97])
def test_a_run_that_ends_in_a_power_cut_keeps_what_the_meter_had(tmp_path, off_s):
    """Without supply, and within the hold-up."""
    state = ["--state", str(tmp_path / "st")]
    first = reported(tmp_path, f"{LOADED}[[step]]\nat = {off_s}\npower = false\n", "--for", "6s", *state)
    second = reported(tmp_path, LOADED.replace("100", "0"), "--for", "3s", *state)
    assert float(second["register"]["delivered_wh"]) >= float(first["register"]["delivered_wh"]) > 20
