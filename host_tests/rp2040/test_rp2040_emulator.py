"""The emulated RP2040 as a test engine: what the other rp2040 tests rely on is itself tested here."""

import zlib

import pytest

from host.rp2040 import emulator, wires

pytestmark = pytest.mark.rp2040

I2C_SNIPPET = """
from machine import I2C, Pin
i = I2C(0, scl=Pin(5), sda=Pin(4), freq=400000)
i.writeto(0x50, b"\\x01\\x00forty-odd bytes: more than the FIFO's sixteen")
print(i.readfrom_mem(0x50, 0x106, 5, addrsize=16))
for address in (0x51, 0x20):
    try:
        i.writeto(address, b"12")
    except OSError as e:
        print(e.errno)
"""

JOURNAL_MAIN = """
import os
n = 0
try:
    n = int(open("/count").read())
except OSError:
    pass
while True:
    n += 1
    with open("/count.new", "w") as f:
        f.write(str(n))
    os.rename("/count.new", "/count")
"""


class Memory:
    """An I2C memory with a 16-bit address pointer; `awake` False: it does not acknowledge."""

    def __init__(self) -> None:
        self.bytes = bytearray(32768)
        self.pointer = 0
        self.awake = True

    def write(self, data) -> int:
        if not self.awake:
            return -1
        if len(data) >= 2:
            self.pointer = data[0] << 8 | data[1]
            for byte in data[2:]:
                self.bytes[self.pointer] = byte
                self.pointer += 1
        return len(data)

    def read(self, buf) -> bool:
        for k in range(len(buf)):
            buf[k] = self.bytes[self.pointer]
            self.pointer += 1
        return True

    def stop(self) -> None:
        pass


class Inverter:
    """An SPI device that answers each byte with its complement."""

    def __init__(self) -> None:
        self.levels: list[int] = []

    def cs(self, level: int) -> None:
        self.levels.append(level)

    def exchange(self, tx, rx) -> None:
        for k in range(len(tx)):
            rx[k] = tx[k] ^ 0xFF

    def idle_miso(self) -> int | None:
        return None


def test_i2c_devices_answer_and_absent_ones_do_not() -> None:
    chip = emulator.Chip(usb=True)
    memory, asleep = Memory(), Memory()
    asleep.awake = False
    bus = wires.I2cBus(0)
    bus.connect(chip)
    bus.attach(memory, 0x50)
    bus.attach(asleep, 0x51)
    chip.console.raw_repl()
    out = chip.console.exec(I2C_SNIPPET)
    assert out.split("\n")[:3] == ["b'odd b'", "5", "5"]
    assert memory.bytes[0x100:0x105] == b"forty"


def test_spi_pins_and_adc() -> None:
    chip = emulator.Chip(usb=True)
    clock = wires.Clock()
    clock.connect(chip)
    cs, led, seal = (wires.Net(clock, number) for number in (17, 3, 28))
    cs.board_pull(1)
    seal.drive(1)
    device = Inverter()
    bus = wires.SpiBus(0)
    bus.attach(device, cs)
    for part in (cs, led, seal, bus, wires.Adc({26: lambda: 1_650_000})):
        part.connect(chip)
    edges: list[tuple[int, int]] = []
    led.listen(lambda level, t_us: edges.append((level, t_us)))
    chip.console.raw_repl()
    out = chip.console.exec(
        "from machine import ADC, Pin, SPI\n"
        "import time\n"
        "s = SPI(0, baudrate=4000000, sck=Pin(18), mosi=Pin(19), miso=Pin(16)); cs = Pin(17, Pin.OUT, value=1)\n"
        "b = bytearray(3); cs(0); s.write_readinto(b'\\1\\2\\3', b); cs(1)\n"
        "led = Pin(3, Pin.OUT); led(1); up = led(); time.sleep_ms(30); led(0)\n"
        "print(b.hex(), cs(), up, led(), Pin(28, Pin.IN)(), ADC(26).read_u16() >> 8)"
    )
    assert out.strip() == "fefdfc 1 1 0 1 127"
    assert device.levels == [0, 1]
    assert [level for level, _ in edges] == [1, 0]
    assert 30_000 <= edges[1][1] - edges[0][1] < 30_200


def test_clock_goes_on_over_a_power_cut() -> None:
    clock = wires.Clock()
    fired: list[tuple[str, int]] = []
    chip = emulator.Chip()
    clock.connect(chip)
    clock.at(5_000, lambda: fired.append(("on", clock.now_us)))
    clock.at(15_000, lambda: fired.append(("off", clock.now_us)))
    clock.at(30_000, lambda: fired.append(("again", clock.now_us)))
    gone = clock.at(6_000, lambda: fired.append(("cancelled", 0)))
    clock.cancel(gone)
    chip.run_to(10_000_000)
    clock.disconnect()
    clock.pass_to(20_000)
    again = emulator.Chip(flash=chip.flash_image())
    clock.connect(again)
    again.run_to(15_000_000)
    assert fired == [("on", 5_000), ("off", 15_000), ("again", 30_000)]


def test_filesystem_round_trip_and_power_cut() -> None:
    """A counter kept by write and rename-over never goes back, wherever it stops (ST-1's sweep uses this)."""
    chip = emulator.Chip(fs=emulator.filesystem({"main.py": JOURNAL_MAIN.encode()}))
    chip.run(700_000_000)
    before = int(emulator.read_file(chip.files(), "count"))
    assert before > 2
    for cut in range(1, 9):
        chip = emulator.Chip(flash=chip.flash_image())
        chip.cut_at_operation = cut
        with pytest.raises(emulator.PowerCutError):
            chip.run(2_000_000_000)
        count = int(emulator.read_file(chip.files(), "count"))
        assert count >= before
        before = count


def test_watchdog_and_reset_cause() -> None:
    main = (
        "import machine\nwdt = machine.WDT(timeout=300)\nwhile machine.reset_cause() != 3: pass\nwhile 1: wdt.feed()\n"
    )
    chip = emulator.Chip(fs=emulator.filesystem({"main.py": main.encode()}))
    chip.run(900_000_000)
    assert len(chip.resets) == 1
    assert 300 <= chip.resets[0] / 1e6 < 330


def test_runs_are_equal() -> None:
    """Cycle counts are a measure only if they are the same each time."""

    def once() -> tuple[int, int]:
        chip = emulator.Chip(fs=emulator.filesystem({"main.py": b"for i in range(3000): pass\n"}))
        chip.run(60_000_000)
        return chip.cycles, chip.ns

    assert once() == once()


PIO_MAIN = """
import rp2, time
from machine import Pin, Timer
def segments():
    wrap_target()
    pull(block)
    out(pins, 2)
    out(x, 30)
    label("stand")
    jmp(x_dec, "stand")
    wrap()
low = rp2.PIO.OUT_LOW
program = rp2.asm_pio(out_init=(low, low), out_shiftdir=rp2.PIO.SHIFT_RIGHT, fifo_join=rp2.PIO.JOIN_TX)(segments)
sm = rp2.StateMachine(0, program, freq=1_000_000, out_base=Pin(0))
sm.active(1)
def fill(_):
    while sm.tx_fifo() < 7:
        sm.put(31000 - 4 << 2 | 3)
        sm.put(69000 - 4 << 2)
fill(0)
timer = Timer(period=100, callback=fill)
while True:
    time.sleep_ms(7)
    sum(range(300))
"""


def test_pio_keeps_time_while_the_processor_sleeps_and_works() -> None:
    """Segments through a joined FIFO of eight words: every edge to 0.1 us."""
    chip = emulator.Chip(fs=emulator.filesystem({"main.py": PIO_MAIN.encode()}))
    clock = wires.Clock()
    clock.connect(chip)
    rises: list[int] = []
    net = wires.Net(clock, 1)
    net.connect(chip)
    net.listen(lambda level, _t_us: rises.append(chip.ns) if level else None)
    chip.run(3_000_000_000)
    spans_ns = [later - earlier for earlier, later in zip(rises, rises[1:], strict=False)]
    assert len(spans_ns) >= 27
    assert all(abs(span - 100_000_000) < 100 for span in spans_ns)


SNIFFED_MAIN = """
import machine, rp2, time
data = bytes(range(256)) * 4
to = bytearray(1)
dma = rp2.DMA()
dma.config(read=data, write=to, ctrl=dma.pack_ctrl(size=0, inc_write=False, sniff_en=True))
machine.mem32[0x50000434] = dma.channel << 1 | 0xC21
machine.mem32[0x50000438] = 0xFFFFFFFF
for begin, size in ((0, 1000), (1000, 24)):
    dma.config(read=memoryview(data)[begin:], count=size, trigger=True)
    began = time.ticks_us()
    while dma.active():
        pass
    took = time.ticks_diff(time.ticks_us(), began)
    print(took >= size // 125)
print(hex(machine.mem32[0x50000438] & 0xFFFFFFFF), to[0])
machine.mem32[0x50000434] = 0
print(hex(machine.mem32[0x50000438] & 0xFFFFFFFF))
"""


def test_the_dma_makes_zlibs_crc_of_what_it_moves_and_takes_a_cycle_for_each_byte() -> None:
    """As it is read, and as the data sheet has it without reversing and inverting."""
    chip = emulator.Chip(fs=emulator.filesystem({"main.py": SNIFFED_MAIN.encode()}), usb=True)
    chip.console.wait_for(b">>>")
    crc = zlib.crc32(bytes(range(256)) * 4)
    within = int(f"{crc ^ 0xFFFFFFFF:032b}"[::-1], 2)
    assert bytes(chip.console.received).decode().split()[:5] == ["True", "True", hex(crc), "255", hex(within)]
