"""Drivers that others wrote, in C, against the simulated ADE7953: compiled as they are, their frames through a pipe.

OPENKH_C_DRIVER names the folder of one; none is in this repository. What of it is judged here goes into frames of bytes
in virtual/test_ade7953_others.py, which needs neither driver nor compiler. The folder tells what it was written for:

    src/mgos_ade7953.c, src/mgos_ade7953_spi.c    Mongoose OS, mgos/

Another one needs a folder here with the headers of its bus functions (pipe.h carries them out) and a judge.c.
"""

import math
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from host_tests.mp.chip_rig import Rig

HERE = Path(__file__).parent
CS_HOLD_US = 3  # an SPI transaction of an operating system raises CS some microseconds after the last clock
FULL = 9_032_007


def driver() -> Path:
    named = os.environ.get("OPENKH_C_DRIVER")
    if not named:
        pytest.skip("OPENKH_C_DRIVER names no C driver")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler (cc)")
    return Path(named)


def compiled(path: Path, tmp_path: Path) -> Path:
    if not (path / "src/mgos_ade7953.c").exists():
        pytest.fail(f"OPENKH_C_DRIVER {path}: allowed: a driver for Mongoose OS (src/mgos_ade7953.c)")
    program = tmp_path / "judged"
    sources = [path / "src/mgos_ade7953.c", path / "src/mgos_ade7953_spi.c", HERE / "mgos/judge.c", HERE / "pipe.c"]
    switches = ["-DMGOS_ADE7953_ENABLE_SPI=1", "-DMGOS_ADE7953_ENABLE_I2C=0", "-DMGOS_ADE7953_SPI_FREQ=1000000"]
    command = ["cc", "-w", "-O1", *switches, "-I", HERE / "mgos", "-I", path / "include", "-I", path / "src"]
    done = subprocess.run([*command, "-o", program, *sources], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def judged(program: Path, rig: Rig, limit: int = 20_000) -> dict[str, float]:
    """Run it on the chip; what it told."""
    told: dict[str, float] = {}
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdin and run.stdout
        for line in run.stdout:
            limit -= 1
            if not limit:
                run.kill()
                pytest.fail("the driver does not come to an end")
            word, *rest = line.split()
            if word == "frame":
                rig.chip.clock_rate(int(rest[0]))
                data = bytes.fromhex(rest[1])
                answer = bytearray(len(data))
                rig.chip.cs(0)
                rig.chip.exchange(data, answer)
                rig.clock.sleep(CS_HOLD_US + 8 * len(data))
                rig.chip.cs(1)
                run.stdin.write(answer.hex() + "\n")
                run.stdin.flush()
            elif word == "sleep":
                rig.clock.sleep(int(rest[0]))
            else:
                told[rest[0]] = float(rest[1])
    return told


@pytest.mark.parametrize("settings", [{}, {"silent_ms": 100}, {"noise": True, "last_changes": True}])
def test_a_driver_written_by_others_gets_its_answers(settings: dict, tmp_path: Path) -> None:
    rig = Rig(start=False, **settings)
    rig.chip.power(True)
    rig.clock.sleep(200_000)
    v, i, degrees = 0.6, 0.3, 30.0
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    rig.chip.drive(v, i, v * i * cosine, v * i * sine, 50.0)
    told = judged(compiled(driver(), tmp_path), rig)
    power = v * i * cosine * 4_862_401
    loose = 200 if settings.get("noise") else 2
    assert told["created"] == 1
    assert told["optimum"] == 0x0030
    assert rig.chip.locked()
    assert told["frequency"] == pytest.approx(50.0, abs=0.02)
    assert told["voltage"] == pytest.approx(v * FULL, abs=20 * loose)
    assert told["current_a"] == pytest.approx(i * FULL, abs=20 * loose)
    assert told["power_a"] == pytest.approx(power, abs=loose)
    assert told["pf"] == pytest.approx(cosine, abs=0.002)
    assert told["current_b"] <= 1800
    assert abs(told["power_b"]) <= 100
    assert told["energy_2_s"] == pytest.approx(2 * power / 23.432, rel=1e-3)
    assert told["energy_at_once"] <= 5  # it has been cleared by the reading before
    assert told["energy_1_s"] == pytest.approx(power / 23.432, rel=1e-3)
    assert told["energy_again"] == pytest.approx(told["energy_1_s"], abs=5)
