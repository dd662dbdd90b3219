"""DR-7: what runs beside or in the measuring cycle has frames that fit the stack, by its compiled code.

A frame of more than frames.LARGEST slots is taken from the heap at each call. Neither the growth of the heap nor
heap_lock shows it, and with garbage about it takes the cycle beyond its bound.
"""

import types
from pathlib import Path

import pytest
from mp import frames

from host_tests import on_wasm

TOP = Path(__file__).resolve().parents[2]
FIRMWARE = TOP / "firmware" / "openkh"

# Every module is looked at but these: at the start or for the prompt a frame from the heap does no harm;
NOT_REACHED = ("app.py", "startup/beside.py", "service/")
# and of the others what runs there alone.
ELSEWHERE = {
    "calibration.py": (
        "check_curve",
        "pack",
        "_pack_corrected",
        "unpack",
        "_plain_lines",
        "_corrected_lines",
        "<listcomp>",
    ),
    "bound.py": ("at_once",),
    "display/glass.py": ("<listcomp>", "_place"),
    "display/glyphs.py": ("_font",),
    "drivers/flash.py": ("find", "_starting_with", "_parse", "create", "_write", "_places"),
    "drivers/i2c_bus.py": ("opened",),
    "drivers/rs485.py": ("open",),
    "metrology/correction.py": ("_coefficients", "prepare"),
    "metrology/element.py": ("start",),
    "remote/settings.py": ("load",),
    "startup/chip_notes.py": ("read", "_later"),
    "startup/front_ends.py": ("bring_up", "_start"),
    "startup/late_memory.py": ("_save",),  # once, when a memory answers that was silent at the start
    "startup/model_of_records.py": ("model_of_records",),
    "startup/resuming.py": ("take_up",),
    "startup/scratch_registers.py": ("resume",),
    "startup/stored_data.py": ("read",),
    "storage/check.py": ("_table",),
    "storage/events.py": ("find", "_find_in_blocks", "entries"),
    "storage/records.py": ("_offsets", "<genexpr>", "identity", "unpack"),
    "storage/flash_regions.py": ("<genexpr>", "<listcomp>", "flash_memory"),
    "storage/regions.py": ("<listcomp>",),
    "storage/scan.py": ("_is_older",),
    "storage/upward.py": ("find",),
    "storage/vault.py": ("load", "_write"),
    "tasks.py": ("guard_of", "start_metering", "start_display", "start_thermometer"),
}


# A function that has variables of the one around it gets them and its arguments from the heap where there are more.
MOST_PASSED = 5


def wide_closures(source: str) -> list[str]:
    """Functions that take heap at each call for the variables of the function around them."""
    found: list[str] = []
    inside = [compile(source, "source", "exec")]
    while inside:
        code = inside.pop()
        inside += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
        around = set(code.co_freevars) - {"__class__"}  # MicroPython's super() needs none
        if around and len(around) + code.co_argcount > MOST_PASSED:
            found.append(code.co_name)
    return found


# On the stack while the firmware waits, where the 32-bit engine collects garbage (boards/virtual/engine/heap.py): a
# collection there frees a frame from the heap although its function still runs.
WAITING = {
    "boards/virtual/engine/entry.py": ("serve", "serve_wasm"),
    "boards/virtual/engine/engine.py": ("serve", "_live", "_one_life", "_boot", "_start_up_files", "_import_them"),
    "boards/virtual/rp2040/clock.py": ("sleep", "next_event"),
    "boards/virtual/standins/simtime.py": ("sleep", "sleep_ms", "sleep_us"),
    "boards/virtual/engine/heap.py": ("look",),
    "firmware/main.py": ("<module>",),
}


def large(path: Path, tmp_path: Path) -> dict[str, int]:
    """Functions of a file with a frame from the heap, modules and constructors aside."""
    found = frames.frames(path, tmp_path)
    return {name: slots for name, slots in found if slots > frames.LARGEST and name not in ("<module>", "__init__")}


def reached() -> list[str]:
    """Modules whose functions the cycle, the guard of the 12 V, the display's task and the RS-485 port may reach."""
    modules = [str(path.relative_to(FIRMWARE)) for path in sorted(FIRMWARE.rglob("*.py"))]
    return [name for name in modules if not name.startswith(NOT_REACHED)]


def test_DR_7_AM_5_no_function_of_the_cycle_or_the_port_has_a_frame_from_the_heap(tmp_path):
    modules = reached()
    assert {"cycle.py", "seal.py", "remote/slave.py", *ELSEWHERE} <= set(modules)
    for module in modules:
        found = large(FIRMWARE / module, tmp_path)
        assert set(found) <= set(ELSEWHERE.get(module, ())), f"{module}: {found}"


def test_DR_7_CO_3_no_function_takes_heap_for_the_variables_around_it():
    """The guard had seven such variables: its first call on a device, where an interrupt has the heap locked, was its
    last."""
    for module in reached():
        assert wide_closures((FIRMWARE / module).read_text()) == [], module


@pytest.mark.parametrize(("passed", "heap"), [(4, False), (5, True)])
def test_DR_7_a_function_with_too_many_variables_around_it_takes_heap(passed, heap):
    """As MicroPython does it, with one argument: what the rule above says."""
    names = [f"v{n}" for n in range(passed)]
    source = (
        f"def make({', '.join(names)}):\n    def call(x):\n        return x + {' + '.join(names)}\n    return call\n"
    )
    assert wide_closures(source) == ["call"] * heap
    play = source + (
        f"import micropython\ncall = make({', '.join(map(str, range(passed)))})\nmicropython.heap_lock()\n"
        "try:\n    call(1)\n    said = 'stack'\nexcept MemoryError:\n    said = 'heap'\n"
        "micropython.heap_unlock()\nprint(said)\n"
    )
    assert on_wasm.of_checkout(play) == ("heap\n" if heap else "stack\n")


def test_DR_7_a_frame_that_is_too_large_is_seen(tmp_path):
    source = tmp_path / "wide.py"
    source.write_text("def step(a, b, c, d):\n    e = f = g = h = i = 1\n    return [a, b, c, d, e, f, g, h, i]\n")
    assert list(large(source, tmp_path)) == ["step"]


def test_DR_7_what_waits_on_the_32_bit_engine_has_no_frame_that_a_collection_frees(tmp_path):
    """Random scenario 200 ended in a trap of the interpreter: the start-up files ran within a frame from the heap."""
    for path, names in WAITING.items():
        found = dict(frames.frames(TOP / path, tmp_path))
        for name in names:
            assert found[name] <= frames.LARGEST, f"{path}: {name}: {found[name]}"
