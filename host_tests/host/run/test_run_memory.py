"""./scripts/run --state: the memory on the host's disk, with an ideal meter in place of the engine."""

import json
import os

import board
import pytest
from fake_engine import MEMORY

from boards.virtual.reference import FLASH_BLOCKS
from boards.virtual.rp2040.flash import BLOCK
from host.run import command as run
from host.sim import memory


def test_the_memory_is_kept_between_runs(tmp_path, engines, capsys):
    folder = tmp_path / "deep" / "meter"
    assert run.main(["--headless", "--for", "1s", "--state", str(folder)]) == 0
    assert engines[0].config["memory"] == {}
    assert (folder / "fram.bin").read_bytes() == bytes(range(256)) * 128
    assert run.main(["--headless", "--for", "1s", "--state", str(folder)]) == 0
    assert engines[1].config["memory"] == {"fram": MEMORY}
    assert "true, this run alone: " in capsys.readouterr().out


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
