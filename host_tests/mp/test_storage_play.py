"""Storage in the cycle: nothing from the heap on 32-bit MicroPython, the same bytes on all (DR-3, DR-7)."""

import subprocess
import sys
import types
from pathlib import Path

import on_wasm
import pytest

TOP = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
sys.path[:0] = ["{top}", "{top}/firmware"]
try:
    from host_tests.mp import storage_play
    print(storage_play.play("{medium}"))
except Exception as error:
    sys.print_exception(error, sys.stdout)
"""


def on_32_bits(medium):
    return on_wasm.of_checkout(SCRIPT.format(top="/input", medium=medium))


def on_unix(medium):
    script = SCRIPT.format(top=TOP, medium=medium)
    run = subprocess.run([Path(sys.executable).parent / "micropython", "-c", script], capture_output=True, text=True)
    return run.stdout + run.stderr


@pytest.mark.parametrize("medium", ["fram", "flash"])
def test_ST_1_storage_takes_no_heap_and_leaves_the_same_bytes_everywhere(medium, monkeypatch):
    stand_in = types.ModuleType("micropython")
    stand_in.heap_lock = stand_in.heap_unlock = lambda: None
    monkeypatch.setitem(sys.modules, "micropython", stand_in)
    from host_tests.mp import storage_play

    expected = storage_play.play(medium) + "\n"
    assert expected.startswith(medium + " ")
    assert on_32_bits(medium) == expected
    assert on_unix(medium) == expected
