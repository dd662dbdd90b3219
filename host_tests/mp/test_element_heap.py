"""The front end's part of the cycle on the interpreters it is made for (DR-3, DR-7)."""

import subprocess
import sys
import types
from pathlib import Path

import on_wasm
import pytest

from host_tests.mp.frames import LARGEST, frames

TOP = Path(__file__).resolve().parents[2]
SCENARIOS = ("quiet", "chip_reset", "altered", "silent", "sag", "calibration", "noise", "full_scale")

SCRIPT = """
import sys
sys.path[:0] = ["{top}", "{top}/firmware", "{top}/boards/reference"]
try:
    from host_tests.mp import element_heap
    print(*element_heap.play(element_heap.SCENARIOS["{scenario}"]))
except Exception as error:
    sys.print_exception(error, sys.stdout)
"""


def on_unix(scenario):
    script = SCRIPT.format(top=TOP, scenario=scenario)
    run = subprocess.run([Path(sys.executable).parent / "micropython", "-c", script], capture_output=True, text=True)
    return run.stdout + run.stderr


def on_32_bits(scenario):
    return on_wasm.of_checkout(SCRIPT.format(top="/input", scenario=scenario))


def on_cpython(scenario, monkeypatch):
    stand_in = types.ModuleType("micropython")
    stand_in.heap_lock = stand_in.heap_unlock = lambda: None
    monkeypatch.setitem(sys.modules, "micropython", stand_in)
    from host_tests.mp import element_heap

    return " ".join(str(x) for x in element_heap.play(element_heap.SCENARIOS[scenario])) + "\n"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_EN_2_poll_takes_nothing_from_the_heap_and_counts_alike_on_every_engine(scenario, monkeypatch):
    """poll() and apply() under heap_lock, with 63-bit and with 31-bit integers; CPython gives the same numbers."""
    here = on_cpython(scenario, monkeypatch)
    assert on_32_bits(scenario) == here
    assert on_unix(scenario) == here


FRONT_END = (
    "metrology/element",
    "metrology/recovery",
    "metrology/scrub",
    "drivers/ade7953",
    "drivers/ade7953_config",
    "drivers/ade7953_counter",
    "drivers/ade7953_link",
)


@pytest.mark.parametrize("name", FRONT_END)
def test_no_function_of_the_front_end_needs_its_frame_from_the_heap(name, tmp_path):
    """DR-7; `start`, whose name the interpreter brings along, runs before the cycle."""
    found = frames(TOP / "firmware" / "openkh" / (name + ".py"), tmp_path)
    assert len(found) > 3
    assert [
        frame for frame in found if frame[1] > LARGEST and frame[0] not in ("<module>", "", "__init__", "start")
    ] == []
