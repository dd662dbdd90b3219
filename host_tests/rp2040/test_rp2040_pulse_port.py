"""The pulse port on MicroPython's own rp2 module: its assembler, its FIFO, and what a freeze needs of it."""

from pathlib import Path

import pytest

from host.rp2040 import emulator, wires

pytestmark = pytest.mark.rp2040

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
FILES = ("openkh/__init__.py", "openkh/bound.py", "openkh/ticks.py", "openkh/drivers/pulse_port.py")

MAIN = """
import micropython, rp2, time
from machine import Pin
from openkh.drivers import pulse_port

def run():
    port = pulse_port.PulsePort(0, Pin(0), 2)
    micropython.heap_lock()
    port.start(5000, 1)
    for n in range(6):
        port.put(5000, n & 1)
    room = port.room()
    time.sleep_ms(13)
    port.stop()
    first = port.pulled()
    time.sleep_ms(20)
    port.drop()
    second = port.pulled()
    port.start(3000, 1)
    port.put(3000, 0)
    time.sleep_ms(20)
    micropython.heap_unlock()
    return [room, first, second, port.words, port.pulled(), port.room()]

said = run()
words = rp2.asm_pio(out_shiftdir=rp2.PIO.SHIFT_RIGHT, fifo_join=rp2.PIO.JOIN_TX)(pulse_port._segments)[0]
with open("/said", "w") as f:
    f.write(repr([list(words)] + said))
"""


def test_PO_4_stop_drop_and_start_on_the_real_port() -> None:
    """Opcodes as ours; edges 5 ms apart; frozen at 13 ms; then the new chain and nothing of the old one."""
    files = {name: (FIRMWARE / name).read_bytes() for name in FILES}
    files["main.py"] = MAIN.encode()
    chip = emulator.Chip(fs=emulator.filesystem(files))
    clock = wires.Clock()
    clock.connect(chip)
    edges: dict[int, list[tuple[int, int]]] = {0: [], 1: []}
    for pin, seen in edges.items():
        net = wires.Net(clock, pin)
        net.connect(chip)
        net.listen(lambda level, _t_us, seen=seen: seen.append((chip.ns, level)))
    chip.run(1_500_000_000)
    said = emulator.read_file(chip.files(), "/said")
    text = said.decode() if isinstance(said, bytes) else said
    assert text == repr([[0x80A0, 0x6002, 0x603E, 0x0043], 2, 3, 3, 5, 5, 8])
    levels = [level for _, level in edges[0]]
    times = [ns for ns, _ in edges[0]]
    # 1 (5 ms), 0 (5 ms), 1 (frozen, then the new chain's own 1), 0.
    assert levels == [1, 0, 1, 0]
    for n in range(2):
        assert abs(times[n + 1] - times[n] - 5_000_000) <= 1_000
    assert times[3] - times[2] > 20_000_000
    assert [level for _, level in edges[1]] == levels
