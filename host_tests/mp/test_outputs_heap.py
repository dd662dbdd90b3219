"""The outputs' part of the cycle on the interpreters it is made for (DR-3, DR-7)."""

import sys
import types
from pathlib import Path

import on_wasm
import pytest

from host_tests.mp.frames import LARGEST, frames

TOP = Path(__file__).resolve().parents[2]
CYCLES = 2_500
BEFORE = ("__init__", "<module>")  # run once, before the cycle

SCRIPT = """
import sys
sys.path[:0] = ["{top}", "{top}/firmware", "{top}/boards/reference"]
try:
    from host_tests.mp import outputs_heap
    print(outputs_heap.play({seed}, {cycles}))
except Exception as error:
    sys.print_exception(error, sys.stdout)
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_PO_4_outputs_take_nothing_from_the_heap_and_act_alike_on_every_engine(seed, monkeypatch):
    """pulses, counter, 12 V guard under heap_lock with 31-bit integers; CPython gives the same edges."""
    stand_in = types.ModuleType("micropython")
    stand_in.heap_lock = stand_in.heap_unlock = lambda: None
    monkeypatch.setitem(sys.modules, "micropython", stand_in)
    from host_tests.mp import outputs_heap

    monkeypatch.setattr(outputs_heap, "micropython", stand_in)
    here = "%s\n" % outputs_heap.play(seed, CYCLES)
    done = on_wasm.of_checkout(SCRIPT.format(top="/input", seed=seed, cycles=CYCLES))
    assert done == here


@pytest.mark.parametrize("name", ["outputs/pulses", "outputs/counter", "outputs/rail12", "drivers/pulse_port"])
def test_no_function_of_the_outputs_needs_its_frame_from_the_heap(name, tmp_path):
    """DR-7; constructors run before the cycle."""
    found = frames(TOP / "firmware" / "openkh" / (name + ".py"), tmp_path)
    assert len(found) > 5
    assert [frame for frame in found if frame[1] > LARGEST and frame[0] not in BEFORE] == []
