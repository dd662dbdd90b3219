"""DR-7: what runs beside or in the measuring cycle has frames that fit the stack, by its compiled code.

A frame of more than frames.LARGEST slots is taken from the heap at each call. Neither the growth of the heap nor
heap_lock shows it, and with garbage about it takes the cycle beyond its bound.
"""

from pathlib import Path

from mp import frames

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "openkh"

# Modules whose functions the cycle, the 2 ms guard and the display's task reach, and of these what they do not: it runs
# at the start, or for the prompt, where a frame from the heap does no harm.
REACHED = {
    "cycle.py": (),
    "fixed.py": (),
    "failures.py": (),
    "state.py": (),
    "supply.py": (),
    "ticks.py": (),
    "tasks.py": ("start_metering", "start_display", "start_thermometer"),
    "metrology/demand.py": (),
    "metrology/element.py": ("start",),
    "metrology/energy.py": (),
    "metrology/scrub.py": (),
    "metrology/status.py": (),
    "outputs/counter.py": (),
    "outputs/pulses.py": (),
    "outputs/rail12.py": (),
    "display/display.py": (),
    "display/glass.py": ("<listcomp>", "_place"),
    "display/screens.py": (),
    "drivers/ade7953.py": (),
    "drivers/ade7953_link.py": (),
    "drivers/fram.py": (),
    "drivers/ht1621.py": (),
    "drivers/pcf85176.py": (),
    "drivers/pulse_port.py": (),
    "service/seal.py": (),
    "startup/scratch_registers.py": ("resume",),
    "storage/check.py": ("_table",),
    "storage/events.py": ("find", "_find_in_blocks", "entries"),
    "storage/journal.py": (),
    "storage/records.py": ("_offsets", "<genexpr>", "identity", "unpack"),
}


def large(path: Path, tmp_path: Path) -> dict[str, int]:
    """Functions of a file with a frame from the heap, modules and constructors aside."""
    found = frames.frames(path, tmp_path)
    return {name: slots for name, slots in found if slots > frames.LARGEST and name not in ("<module>", "__init__")}


def test_DR_7_no_function_of_the_cycle_has_a_frame_from_the_heap(tmp_path):
    for module, elsewhere in REACHED.items():
        found = large(FIRMWARE / module, tmp_path)
        assert set(found) <= set(elsewhere), f"{module}: {found}"


def test_DR_7_a_frame_that_is_too_large_is_seen(tmp_path):
    source = tmp_path / "wide.py"
    source.write_text("def step(a, b, c, d):\n    e = f = g = h = i = 1\n    return [a, b, c, d, e, f, g, h, i]\n")
    assert list(large(source, tmp_path)) == ["step"]
