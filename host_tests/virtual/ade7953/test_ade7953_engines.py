"""The simulated ADE7953 measures alike on every engine, and as the reference sheet's golden vectors say."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import on_wasm

from host_tests.mp import chip_vectors

TOP = Path(__file__).resolve().parents[3]
PROGRAM = """import gc, sys
sys.path.insert(0, {!r})
from host_tests.mp.chip_vectors import main
{}
"""
# The 32-bit build's collector does not see what running functions hold: it runs between two steps only.
PROGRAM_32 = "gc.disable()\nmain(gc.collect)"

GOLDEN = {
    "rate": 207_512,
    "vrms": 9_032_007,
    "irms": 9_032_007,
    "watt": 4_862_401,
    "va": 4_862_401,
    "var": 0,
    "pf": 0x7FFF,
    "period_50": 4474,
    "period_60": 3728,
    "low_rate": 20_475,
    "low_vrms": 5_626_037,
    "low_irms": 1_430_670,
    "low_watt": 479_760,
    "half_watt": 239_880,
    "half_var": 415_484,
    "half_pf": 0x4000,
    "half_angle": 622,  # 60 degrees at 60 Hz: 2.7778 ms of 223.75 kHz
}


def _here() -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        chip_vectors.main()
    return out.getvalue()


def test_golden_vectors() -> None:
    """Section 14 of the reference sheet (DS p.21-24, 36)."""
    measured = chip_vectors.golden()
    assert abs(measured.pop("half_pf") - GOLDEN["half_pf"]) <= 1
    assert measured == {name: value for name, value in GOLDEN.items() if name != "half_pf"}


def test_micropython_measures_alike() -> None:
    """The same stimulus gives equal integers on CPython and on MicroPython's unix port."""
    engine = Path(sys.executable).with_name("micropython")
    run = subprocess.run(
        [engine, "-c", PROGRAM.format(str(TOP), "main()")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout == _here()


def test_32_bit_micropython_measures_alike() -> None:
    """And on 32-bit MicroPython, where most of these integers are long ones."""
    result = on_wasm.of_checkout(PROGRAM.format("/input", PROGRAM_32))
    assert result == _here()
