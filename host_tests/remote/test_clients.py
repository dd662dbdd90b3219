"""Masters that others wrote, unmodified, on a pseudo-terminal with the meter on MicroPython: AM-2, AM-3, AM-4, AM-7.

What they read is held against the glass, the prompt and the report of the same run.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import minimalmodbus
import pytest
import serial
import sunspec2.modbus.client as sunspec
from modbus_tk import defines, modbus_rtu
from pymodbus.client import ModbusSerialClient
from pymodbus.exceptions import ModbusIOException

from host.remote import registers, sunspec_points, values

TOP = Path(__file__).resolve().parents[2]
SCENARIO = """\
[board]
start_delivered_wh = 123456789
[[step]]
at = 0.0
l1 = {volts = 120.0, amps = 50.0, degrees = 20.0}
l2 = {volts = 121.0, amps = 5.0, degrees = 40.0, volts_degrees = 180.0}
[[step]]
at = 8.0
l1 = {amps = 0.0}
l2 = {amps = 0.0}
"""
RUN_S = 45
PATIENCE_S = 4.0  # with a machine that is busy with other tests


@pytest.fixture(scope="module")
def meter(tmp_path_factory):
    """(port, prompt, report path, process): the load is gone after 8 s, so that all who read see the same energy."""
    folder = tmp_path_factory.mktemp("meter")
    (folder / "load.toml").write_text(SCENARIO)
    report = folder / "report.json"
    command = [sys.executable, "-m", "host.run.command", "--headless", "--serial", "--prompt", "--for", f"{RUN_S}s"]
    run = subprocess.Popen(
        [*command, "--scenario", str(folder / "load.toml"), "--report", str(report)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    names = dict(run.stderr.readline().split() for _ in range(2))
    with Client(names["serial"]) as client:
        for _ in range(60):
            with suppress(ModbusIOException):  # a machine that is busy starts the meter later than a client waits
                if client.settled():
                    break
            time.sleep(0.5)
    yield names["serial"], names["prompt"], report, run
    run.kill()
    run.wait()
    run.stderr.close()


class Client:
    """pymodbus with its own defaults."""

    def __init__(self, port):
        self._client = ModbusSerialClient(port, baudrate=19200)
        assert self._client.connect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.close()

    def read(self, address, count, function=3):
        call = self._client.read_holding_registers if function == 3 else self._client.read_input_registers
        answer = call(address, count=count, device_id=1)
        assert not answer.isError(), answer
        return answer.registers

    def values(self):
        return values.decode(self.read(0, registers.OWN_WORDS))

    def settled(self):
        said = self.values()
        return said["run_s"] >= 11 and said["power_mw"] == 0 and said["image"] is not None


@pytest.fixture(scope="module")
def said(meter):
    with Client(meter[0]) as client:
        return client.values()


CHANGE = {"run_s", "events", "intervals_next", "intervals_start_s", "l1_mvar", "l2_mvar", "l1_mw", "l2_mw"}


def same(found, said):
    """All values but those that go on with time."""
    assert {name: value for name, value in found.items() if name not in CHANGE} == {
        name: value for name, value in said.items() if name not in CHANGE
    }


def test_AM_2_pymodbus_reads_every_register_with_both_functions_and_identifies(meter, said):
    with Client(meter[0]) as client:
        same(values.decode(client.read(0, registers.OWN_WORDS, 4)), said)
        assert client.read(registers.INTERVALS_FIRST, registers.MOST_REGISTERS)
        last = registers.INTERVALS_FIRST + registers.INTERVAL_WORDS * said["intervals_capacity"] - 5
        assert len(client.read(last, 5)) == 5
        answer = client._client.read_device_information(read_code=3, object_id=0, device_id=1)
        assert answer.information[0] == b"OpenKh" and answer.information[0x80] == said["serial"].encode()
        report = client._client.report_device_id(device_id=1)
        assert said["model_code"].encode() in report.identifier


def test_AM_4_minimalmodbus_reads_every_register(meter, said):
    port = minimalmodbus.Instrument(meter[0], 1)
    port.serial.timeout = PATIENCE_S
    assert port.read_long(2) == said["delivered_wh"]
    assert port.read_long(18, signed=True) == said["power_mw"]
    assert port.read_string(69, 8).rstrip("\0") == said["model_code"]
    same(values.decode(port.read_registers(0, registers.OWN_WORDS)), said)
    same(values.decode(port.read_registers(0, registers.OWN_WORDS, functioncode=4)), said)
    port.serial.close()


def test_AM_4_modbus_tk_reads_every_register(meter, said):
    master = modbus_rtu.RtuMaster(serial.Serial(meter[0], 19200))
    master.set_timeout(PATIENCE_S)
    for function in (defines.READ_HOLDING_REGISTERS, defines.READ_INPUT_REGISTERS):
        same(values.decode(list(master.execute(1, function, 0, registers.OWN_WORDS))), said)
    master.close()


@pytest.mark.skipif(not shutil.which("mbpoll"), reason="mbpoll is not installed (a Debian package)")
def test_AM_4_mbpoll_reads_every_register(meter, said):
    command = ["mbpoll", "-m", "rtu", "-a", "1", "-b", "19200", "-P", "none", "-t", "4:hex", "-0", "-r", "0"]
    done = subprocess.run(
        [*command, "-c", str(registers.OWN_WORDS), "-1", "-o", "2", meter[0]],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    words = [int(word, 16) for word in re.findall(r"^\[\d+\]:\s+0x([0-9A-F]{4})$", done.stdout, re.M)]
    same(values.decode(words), said)


def test_AM_3_pysunspec2_scans_and_every_point_is_the_meter_s(meter, said):
    device = sunspec.SunSpecModbusClientDeviceRTU(slave_id=1, name=meter[0], baudrate=19200, timeout=PATIENCE_S)
    device.scan()
    assert [key for key in device.models if isinstance(key, int)] == [1, 202]
    common, ac = device.models[1][0], device.models[202][0]
    assert (common.model_len, ac.model_len) == (sunspec_points.length(1), sunspec_points.length(202)) == (66, 105)
    assert not common.error_info and not ac.error_info
    assert (
        common.Mn.cvalue == "OpenKh" and common.Md.cvalue == said["model_code"] and common.SN.cvalue == said["serial"]
    )
    ac.read()
    # A total of 0 reads as "not implemented", and so do the two voltages between lines, which are not measured.
    not_there = {p.name for p in sunspec_points.points(202) if p.mandatory and ac.points[p.name].cvalue is None}
    assert not_there == {"PPV", "PhVphAB", "TotWhExp"}
    assert ac.TotWhImp.cvalue == said["delivered_wh"]
    assert ac.AphC.cvalue == 0 and ac.W.cvalue == 0 and ac.Hz.cvalue == pytest.approx(60.0, abs=0.01)
    assert ac.PhVphA.cvalue == pytest.approx(said["l1_mv"] / 1000, abs=0.06)
    assert ac.PhVphB.cvalue == pytest.approx(said["l2_mv"] / 1000, abs=0.06)
    device.close()


@pytest.mark.parametrize("name", ["sunspec", "pymodbus", "minimalmodbus", "modbus_tk"])
def test_AM_7_the_examples_of_the_guide_run(meter, said, name):
    example = TOP / "docs" / "examples" / f"read_{name}.py"
    done = subprocess.run([sys.executable, example, meter[0]], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    delivered = f"{said['delivered_wh']} Wh" if name == "sunspec" else f"delivered {said['delivered_wh'] // 1000}"
    assert delivered in done.stdout, done.stdout


@pytest.mark.parametrize("way", ["port", "usb"])
def test_AM_7_read_tells_the_same_over_port_and_prompt(meter, said, way):
    where = ["--port", meter[0]] if way == "port" else ["--usb", meter[1]]
    done = subprocess.run(
        [sys.executable, "-m", "host.cli.start", "remote", *where, "--json"],
        capture_output=True,
        text=True,
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    found.pop("time_utc")
    same(found, said)


def test_AM_4_what_the_port_says_is_the_report_and_the_glass(meter, said):
    """Last: it waits for the end of the run."""
    meter[3].wait(RUN_S + 30)
    report = json.loads(meter[2].read_text())
    assert f"{said['delivered_mwh'] / 1000:.3f}" == report["register"]["delivered_wh"][:-3]
    assert said["edges_10"] - 12_345_678 == report["pulses"]["10"]
    shown = next(item["text"] for item in report["lcd"][::-1] if item["screen"] == "1")
    assert shown == f"{said['delivered_wh'] // 10 / 100:.2f}"[: len(shown)]
    assert values.CONDITIONS[said["condition"]] == report["status"]["condition"]
