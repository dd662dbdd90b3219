"""TMP117 driver against the simulated sensor, and a meter whose board names one (ID-4a)."""

import re
import subprocess
from types import SimpleNamespace

import pytest

from boards.virtual.board import Board as Rp2040
from boards.virtual.parts.climate import Climate
from boards.virtual.parts.tmp117 import Tmp117 as Sensor
from boards.virtual.standins import machine_buses
from host.cli.refused import FailedError
from host.flash import board_files, deploy
from host.port.service import Service
from host.sim.board import Board
from host.sim.link import REFERENCE, TOP
from openkh.drivers.tmp117 import Tmp117
from openkh.metrology.thermometer import NONE

ADDRESS = 0x49


class Rig:
    """A sensor on a bus, its driver, and the air around it."""

    def __init__(self, identity=0x0117):
        self.board = Rp2040(seed=3)
        self.climate = Climate(self.board, [])
        self.sensor = Sensor(self.board.clock, self.climate, 3, identity)
        self.board.i2c[1].attach(self.sensor, ADDRESS)
        machine_buses.attach(self.board)
        self.i2c = machine_buses.I2C(1, freq=400_000)
        self.driver = Tmp117(self.i2c, ADDRESS)
        self.sensor.power(True)

    def after(self, seconds):
        self.board.clock.sleep(round(seconds * 1e6))
        return self.driver.read()


def test_each_register_is_read_as_two_bytes():
    lengths = []
    i2c = SimpleNamespace(writeto=lambda *_: 1, readfrom_into=lambda _, buf: lengths.append(len(buf)))
    Tmp117(i2c, ADDRESS).read()
    assert set(lengths) == {2}


def test_nothing_is_read_before_the_first_result():
    rig = Rig()
    assert rig.driver.read() == NONE
    assert rig.after(0.1) == NONE
    assert rig.after(0.03) == pytest.approx(2500, abs=11)


@pytest.mark.parametrize("celsius", [-40.0, -0.5, 0.0, 23.0, 85.0])
def test_ID_4a_it_reads_to_a_tenth_of_a_kelvin_either_side_of_zero(celsius):
    rig = Rig()
    rig.climate.set(celsius)
    assert rig.after(1.2) == pytest.approx(celsius * 100, abs=11)


def test_ID_4a_every_result_but_the_one_before_the_first_is_a_temperature():
    rig = Rig()
    rig.after(0.2)
    for raw, centi in ((0, 0), (1, 0), (0xFFFF, -1), (128, 100), (0xFF80, -100), (0x7FFF, 25_599), (0x8000, NONE)):
        rig.driver._register = lambda _pointer, raw=raw: raw
        assert rig.driver.read() == centi, hex(raw)


def test_another_part_or_one_that_does_not_convert_is_no_sensor():
    assert Rig(identity=0x0075).after(2.0) == NONE
    rig = Rig()
    rig.i2c.writeto(ADDRESS, b"\x01\x06\x20")  # shut down
    assert rig.after(2.0) == NONE


def test_a_sensor_that_falls_silent_reads_none_and_comes_back():
    rig = Rig()
    assert rig.after(1.0) != NONE
    rig.climate.broken_uv = 0
    assert rig.after(1.0) == NONE
    rig.climate.broken_uv = None
    assert rig.after(1.0) == pytest.approx(2500, abs=11)


def test_it_reads_the_same_under_micropython():
    script = (
        f"import sys\nsys.path[:0] = ['{TOP}', '{TOP}/firmware']\n"
        "from boards.virtual.board import Board\n"
        "from boards.virtual.parts.climate import Climate\n"
        "from boards.virtual.parts.tmp117 import Tmp117 as Sensor\n"
        "from boards.virtual.standins import machine_buses\n"
        "from openkh.drivers.tmp117 import Tmp117\n"
        "board = Board(3)\n"
        "climate = Climate(board, [], -13.5)\n"
        "sensor = Sensor(board.clock, climate, 3)\n"
        f"board.i2c[1].attach(sensor, {ADDRESS})\n"
        "machine_buses.attach(board)\n"
        f"driver = Tmp117(machine_buses.I2C(1), {ADDRESS})\n"
        "sensor.power(True)\n"
        "first = driver.read()\n"
        "board.clock.sleep(1_200_000)\n"
        "print(first, driver.read())\n"
    )
    run = subprocess.run([TOP / ".venv/bin/micropython", "-c", script], capture_output=True, text=True)
    rig = Rig()
    rig.climate.set(-13.5)
    assert run.stdout.split() == [str(NONE), str(rig.after(1.2))], run.stderr


# On a board

NAMED = (REFERENCE / "board.py").read_text() + 'TEMPERATURE = ("tmp117", (1, 7, 6), 0x48)\n'


def test_ID_4a_a_board_that_names_one_is_warmed_by_it_and_notices_its_failure(tmp_path):
    (tmp_path / "board.py").write_text(NAMED)
    config = {"model": "MSNCT-1SC", "service": "60Hz", "board": {"temperature": -13.5, "sensor": {"offset_k": 6.0}}}
    with Board(config, "cpython", board_dir=tmp_path) as board:
        board.mains((120.0, 10.0, 0.0))
        board.wait(10.0)
        service = Service(board)
        assert service.call("lines()")["centi_celsius"] == pytest.approx(-1350, abs=11)
        board.stimulus([["fault", None, "temperature", "broken", {}, 0]])
        board.wait(15.0)
        assert service.call("lines()")["centi_celsius"] is None
        assert "temperature_lost" in [entry["event"] for entry in service.call("events(5)")["events"]]
        status = service.call("status()")
        assert status["errors"] == 0


@pytest.fixture
def board(tmp_path, monkeypatch):
    """Write a board's file; returns what a device with it gets."""
    monkeypatch.setattr(board_files, "BOARDS", tmp_path)
    monkeypatch.setattr(deploy, "BOARDS", tmp_path)
    for name in ("reference", "warm"):
        (tmp_path / name).mkdir()
    (tmp_path / "reference" / "board.py").write_text((REFERENCE / "board.py").read_text())

    def write(text):
        (tmp_path / "warm" / "board.py").write_text(NAMED + text)
        return board_files.text("warm", {})

    return write


def test_its_driver_goes_only_onto_boards_that_name_it(board):
    assert "TEMPERATURE = ('tmp117', (1, 7, 6), 72)" in board("")
    assert "openkh/drivers/tmp117.py" in deploy.sources("warm")
    assert "openkh/drivers/tmp117.py" not in deploy.sources("reference")


@pytest.mark.parametrize(
    ("sensor", "said"),
    [
        ("'tmp117'", 'TEMPERATURE is \'tmp117\': allowed: "rp2040", "none" or ("tmp117",'),
        ("('tmp117', (1, 7, 6), 0x50)", "TEMPERATURE is ('tmp117', (1, 7, 6), 80): allowed: "),
        ("('tmp117', (2, 7, 6), 0x48)", "TEMPERATURE is ('tmp117', (2, 7, 6), 72): allowed: "),
        (
            "('tmp117', (0, 5, 4), 0x48)",
            "the TMP117 is on I2C0 as (0, 5, 4) at 1000000 Hz: allowed there: the same pins",
        ),
        (
            "('tmp117', (1, 3, 2), 0x48)",
            "the TMP117 is on I2C1 as (1, 7, 6) at 400000 Hz: allowed there: the same pins",
        ),
    ],
)
def test_a_sensor_that_cannot_be_is_refused(board, sensor, said):
    with pytest.raises(FailedError, match=re.escape(said)):
        board(f"TEMPERATURE = {sensor}\n")
