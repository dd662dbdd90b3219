"""Whole measuring cycles, displays and answers of the RS-485 port take nothing from the heap (DR-7)."""

import shutil
from pathlib import Path

import pytest

from host.sim import wasm

TOP = Path(__file__).resolve().parents[2]

# Collections only here, with small frames below: see boards/virtual/engine/heap.py.
SCRIPT = """
import gc, sys
gc.disable()
try:
    sys.path.insert(0, "/input/mp")
    import cycle_heap
    sys.path[:] = ["/input", "/input/firmware", "/input/reference"]
    from boards.virtual.engine import heap
    from boards.virtual import reference
    gc.collect()
    cycle_heap.prepare()
    gc.collect()
    heap.load(heap.modules("openkh", "/input/firmware/openkh"))
    cycle_heap.start()
    before = cycle_heap.meter.cycle.cycles
    for n in range(20):
        gc.collect()
        cycle_heap.play(10)
    print("cycles", cycle_heap.meter.cycle.cycles - before, cycle_heap.meter.state is not None)
except BaseException:
    sys.print_exception(sys.exc_info()[1], sys.stdout)
"""


def run(folder, change=None):
    """What the script prints on 32-bit MicroPython; `change` edits a file of the firmware's copy."""
    for source, name in (
        ("boards/virtual", "boards/virtual"),
        ("firmware", "firmware"),
        ("boards/reference", "reference"),
        ("host_tests/mp", "mp"),
    ):
        shutil.copytree(TOP / source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    if change is not None:
        path, old, new = change
        text = (folder / path).read_text()
        assert old in text
        (folder / path).write_text(text.replace(old, new))
    return wasm.run(SCRIPT, folder)


def test_EN_2_DR_7_whole_cycles_allocate_nothing(tmp_path):
    assert run(tmp_path) == "cycles 200 True\n"


@pytest.mark.parametrize(
    "change",
    [
        ("firmware/openkh/cycle.py", "        self.cycles += 1\n", "        self.cycles += 1\n        [self.cycles]\n"),
        (
            "firmware/openkh/cycle.py",
            "        self.cycles += 1\n",
            "        self.cycles += 1\n        1 << 31 - self.state.rolls\n",
        ),
    ],
    ids=["a list", "an integer beyond 30 bits"],
)
def test_an_allocation_in_the_cycle_is_found(tmp_path, change):
    assert "MemoryError" in run(tmp_path, change)
