"""The whole window of the interval data, read by somebody else's client over a pseudo-terminal: AM-6, AM-7."""

import base64
import os
import subprocess
import sys
from pathlib import Path

from pymodbus.client import ModbusSerialClient
from remote.test_settings_and_intervals import memory_with

from host.remote import registers, values

TOP = Path(__file__).resolve().parents[2]
SPEED = 20  # times the clock on the wall: 19200 baud are 34 s for all of it
DAYS = 35


def test_AM_6_pymodbus_reads_every_register_of_35_days_and_they_add_up_to_the_register(tmp_path):
    scenario = tmp_path / "no_load.toml"
    scenario.write_text("[[step]]\nat = 0.0\nl1 = {amps = 0.0}\nl2 = {amps = 0.0}\n")
    (tmp_path / "fram.bin").write_bytes(base64.b64decode(memory_with(DAYS)["fram"]))
    command = [sys.executable, "-m", "host.run.command", "--headless", "--serial", "--for", "1h", "--speed", str(SPEED)]
    run = subprocess.Popen(
        [*command, "--state", str(tmp_path), "--scenario", str(scenario)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        port = run.stderr.readline().split()[1]
        with ModbusSerialClient(port, baudrate=19200, retries=9) as client:
            said = values.decode(read(client, 0, registers.OWN_WORDS))
            while not said["intervals_next"]:  # the memory is gone through in the first seconds
                said = values.decode(read(client, 0, registers.OWN_WORDS))
            end = registers.INTERVALS_FIRST + registers.INTERVAL_WORDS * said["intervals_capacity"]
            words = []
            while registers.INTERVALS_FIRST + len(words) < end:
                at = registers.INTERVALS_FIRST + len(words)
                words += read(client, at, min(registers.MOST_REGISTERS, end - at))
            beyond = client.read_holding_registers(end, count=1, device_id=1)
            assert beyond.isError() and beyond.exception_code == 2
    finally:
        run.kill()
        run.wait()
        run.stderr.close()
    slots = [
        values.decode(words[at:][: registers.INTERVAL_WORDS], registers.INTERVAL)
        for at in range(0, len(words), registers.INTERVAL_WORDS)
    ]
    assert len(slots) == said["intervals_capacity"]
    good = [slot for slot in slots if not slot["flags"] & 0xC000]
    assert len(good) == DAYS * 96
    tenths = sum(slot["delivered"] for slot in good)
    assert tenths == 10 * said["intervals_end_wh"] + said["intervals_end_tenths"]


def read(client, address, count):
    """Registers; the client asks again where the machine is busy."""
    answer = client.read_holding_registers(address, count=count, device_id=1)
    assert not answer.isError(), answer
    return answer.registers
