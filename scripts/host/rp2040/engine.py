"""The meter on the emulated RP2040, behind the same link as the other engines (scripts/host/sim/link.py).

The deployed files, compiled as for a device, run on the chip; the board around it is `boards.virtual.reference` with
the same simulated chips and stimulus. What the firmware knows is asked over its console at the end, as a person would.
"""

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from boards.virtual.engine import engine as virtual_engine
from boards.virtual.engine import probe as virtual_probe
from boards.virtual.rp2040.flash import Flash
from host.flash import board_files, deploy
from host.rigs.littlefs_on_chip import Files
from host.rp2040 import emulator, wires
from host.rp2040.serial_port import SerialPort
from host.sim.link import EngineError, Link
from openkh.metrology.status import NAMES
from openkh.model import Model

WALL_S = 600.0

# Prints what boards.virtual.engine.probe reads, on the device, as one Python literal.
PROBE = """
import openkh.app
_m = openkh.app.meter
_s = _m.state
_t = _m.status
print(repr((_s.delivered_wh, _s.delivered_counts, _s.received_wh, _s.received_counts,
    _s.interval_mw, _s.max_mw, _s.shown_mw(),
    _t.condition, _t.lines, _t.failures, _m.rail12.name(), _m.cycle.cycles, _m.cycle.late, _m.cycle.errors,
    _m.journal.errors, [(e.spoilt, e.rejected, e.resets, e.repairs, e.gap_ms) for e in _m.elements],
    repr(_m.cycle.last_error))))
"""


@cache
def filesystem(board_dir: str, chosen: tuple[tuple[str, str], ...] = ()) -> bytes:
    """A flashed device's filesystem; compiled once in a test run. `chosen`: as for board_files.text."""
    return emulator.filesystem(deploy.image(Path(board_dir).name, chosen=dict(chosen)))


class Cpu:
    """The part of boards.virtual.rp2040.cpu.Cpu that devices and faults use."""

    HERE = b"\xfe\xe7"  # `b .`

    def __init__(self, board: "Board") -> None:
        self._board = board
        self.runs_firmware = True  # MicroPython itself is emulated as well: its start can be broken, too
        self.restless = False

    def stir(self) -> None:
        """Nothing is skipped here, so nothing needs waking."""

    def hang(self) -> None:
        """Code and interrupts stop; PIO, timers and the watchdog go on."""
        core = self._board.chip.mcu.core
        core.pm = True
        core.waiting = False
        self._board.chip.mcu.sram[-len(self.HERE) :] = self.HERE
        core.pc = 0x20000000 + len(self._board.chip.mcu.sram) - len(self.HERE)

    def throw(self, error: Exception) -> None:
        raise EngineError(f"the emulated RP2040 cannot raise {error!r} in the firmware")


class Board:
    """What boards.virtual.board.Board is to the composition of the board, around an emulated chip."""

    def __init__(self, seed: int, filesystem_image: bytes, usb: bool = True) -> None:
        self.seed = seed
        self.clock = wires.Clock()
        self.cpu = Cpu(self)
        self.pins = [wires.Net(self.clock, number) for number in range(30)]
        self.spi = (wires.SpiBus(0), wires.SpiBus(1))
        self.i2c = (wires.I2cBus(0), wires.I2cBus(1))
        self._uarts = (SerialPort(self.clock, 0), SerialPort(self.clock, 1))
        self.turns_itself = True  # for this chip all is sent at once: its driver enable would cut off every answer
        self.adc_uv: dict = {}
        self.devices: list = []
        self.flash = None
        self.flash_model = None  # what the chip's flash held when it was looked at last, where the register is in it
        self.console = None
        self.unique_id = b"\xe6\x61" + bytes((seed >> shift) & 0xFF for shift in (0, 8, 16)) + b"\x4b\x68\x01"
        self.chip: emulator.Chip | None = None
        self.booted = None  # called at each start of the chip with its cause
        self._usb = usb
        self.filesystem = filesystem_image
        self._kept = b""  # flash contents of the chip that had power before
        self._off = False
        self.cut_next = 0  # the next chip loses its supply in so many erases or programs of its flash; 0: not at all

    def uart(self, number: int) -> SerialPort:
        """UART `number`."""
        return self._uarts[number]

    def install(self) -> None:
        """Nothing: the firmware runs on the chip."""

    def power(self, on: bool) -> None:
        """The 3.3 V comes or goes (the board's supply calls this)."""
        if not on:
            for bus in self.i2c:
                bus.cut()
        for device in self.devices:
            device.power(on)
        if on:
            self._power_up()
        else:
            self._off = True
            self.chip.stop()

    def run_to(self, t_us: int) -> None:
        """Let simulated time go on to `t_us`."""
        while self.clock.now_us < t_us:
            if self.chip is None:
                self.clock.pass_to(t_us)
                continue
            cut = False
            try:
                self.chip.run_to(self.clock.chip_ns(t_us), WALL_S)
            except emulator.PowerCutError:  # in the middle of a flash operation; the supply comes back at once
                cut = True
                self.power(False)
            if self._off:
                self._gone()
            if cut:
                self.power(True)

    def lose_power(self) -> None:
        """The 3.3 V goes, and comes back at once."""
        self.power(False)
        self._gone()
        self.power(True)

    def _gone(self) -> None:
        self._off = False
        self.keep_flash()
        self.clock.disconnect()
        self.chip = None
        for net in self.pins:
            net.disconnect()

    def keep_flash(self) -> None:
        """Take what the chip's flash holds; into the model of it, too, where the meter's memory is in it."""
        self._kept = self.chip.flash_image()
        if self.flash_model is not None:
            self.flash_model.memory[:] = self._kept[emulator.FS_START :]

    def _power_up(self) -> None:
        files = self.filesystem if self.flash_model is None else bytes(self.flash_model.memory)
        chip = self.chip = emulator.Chip(files, self._kept, self._usb, self.unique_id, self.seed)
        chip.cut_at_operation, self.cut_next = self.cut_next, 0
        chip.on_reset.append(self._restarted)
        self.clock.connect(chip)
        for part in (*self.pins, *self.spi, *self.i2c, *self._uarts, wires.Adc(self.adc_uv)):
            part.connect(chip)
        self._tell("power")

    def _restarted(self) -> None:
        for net in self.pins:
            net.settle()
        self._tell("watchdog")

    def _tell(self, cause: str) -> None:
        if self.booted:
            self.booted(cause)


class Probe:
    """boards.virtual.engine.probe.Probe from outside: asks the firmware over its console, when `ask` is called."""

    def __init__(self, model: Model, board: Board) -> None:
        self._model = model
        self._board = board
        self._figures = virtual_probe.Probe(model).figures()
        self._firmware: dict[str, Any] = {"cycles": 0, "faults": {}}
        self._from = (0, 0)  # start of the firmware, and the run time it went on from

    @property
    def run_us(self) -> int:
        """Run time, as far as it can be known from outside."""
        return self._board.clock.now_us - self._from[0] + self._from[1]

    def started(self, start: tuple[int, int]) -> None:
        self._from = start

    def retire(self) -> None:
        """Nothing can be asked any more."""

    def figures(self) -> dict[str, Any]:
        return self._figures

    def firmware(self) -> dict[str, Any]:
        return self._firmware

    def identity(self) -> dict[str, str]:
        return virtual_probe.Probe(self._model).identity()

    def lines(self) -> list:
        return []

    def counter_given(self) -> None:
        """Not asked for."""

    def ask(self) -> None:
        """Read the meter now; takes some 50 ms of emulated time."""
        console = self._board.chip.console
        console.raw_repl()
        found = ast.literal_eval(console.exec(PROBE))
        wh, counts, received_wh, received_counts, interval, largest, shown, condition, lines, failures = found[:10]
        rail12, cycles, late, errors, journal, elements, last_error = found[10:]
        faults = {"late": late, "errors": errors, "journal": journal}
        for n, values in enumerate(elements, 1):
            for name, value in zip(("spoilt", "rejected", "resets", "repairs", "gap_ms"), values, strict=True):
                faults[f"line{n}_{name}"] = value
        per_wh = self._model.counts_per_wh
        self._figures = {
            "register": {
                "delivered_wh": virtual_probe.wh_text(wh, counts, per_wh),
                "received_wh": virtual_probe.wh_text(received_wh, received_counts, per_wh),
            },
            "demand": {"interval_mw": interval, "max_mw": largest, "shown_mw": shown},
            "status": {
                "condition": NAMES[condition],
                "lines": [n + 1 for n in range(self._model.elements) if lines >> n & 1],
                "failures": [n + 1 for n in range(5) if failures >> n & 1],
                "rail12v": rail12,
            },
        }
        self._firmware = {"cycles": cycles, "faults": faults, "last_error": last_error}


class Engine(virtual_engine.Engine):
    """One run on the emulated chip: only who has the time, and how the firmware starts, differ."""

    def __init__(self, config: dict[str, Any], board_dir: str) -> None:
        super().__init__(self)
        self._answers: list[dict[str, Any]] = []
        self._board_name = Path(board_dir).name
        options = config.get("board", {})
        chosen = tuple((name.upper(), options[name]) for name in ("memory", "display") if name in options)
        self.board = Board(config.get("seed", 1), filesystem(board_dir, chosen))
        with patch.object(virtual_engine.reference, "new_board", lambda _config: self.board):
            self._start(config)
        self.clock = self.board.clock
        self.reference = self._reference
        self._probe = Probe(Model(config["model"], config["service"]), self.board)
        self.board.booted = self._chip_booted

    def ask(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Carry out a request of the link; the messages it is answered with."""
        if request["op"] == "run":
            self._feed(request["stimulus"])
            self.board.run_to(request["until_us"])
            self._reply({"t_us": self.clock.now_us, "out": self._recorder.take(), "snap": self._snap()})
        else:
            self._finish()
        answers, self._answers = self._answers, []
        return answers

    def send(self, text: str) -> None:
        """As the transport that the base class sends through."""
        self._answers.append(json.loads(text))

    def _board_file(self):
        """One of its own: other engines in this process may be of another board, or have chosen another memory."""
        return board_files.load(self._board_name)

    def _memory_in(self, memory, model, start_wh) -> None:
        flash, self.board.flash = self.board.flash, None  # nothing simulates it here: the chip has it
        self.board.flash_model = flash
        if flash is not None:
            # The raw blocks are files of the device's own filesystem; laying them out takes no simulated time.
            bare = Flash(flash.blocks)
            bare.memory = flash.memory
            flash.memory[:] = self.board.filesystem
            flash.prepare = lambda count: Files(bare).create(bare, count)
        super()._memory_in(memory, model, start_wh)

    def _finish(self) -> None:
        if self.board.chip is not None:
            self._probe.ask()
            self.board.keep_flash()
        super()._finish()

    def _chip_booted(self, cause: str) -> None:
        if cause == "power" and self._lives:
            self._glass.off(self.clock.now_us)
        self._cause = cause
        self._booting()
        self._probe.started(self._lives[-1])

    def _apply(self, item: list) -> None:
        if item[0] == "fault" and item[2] == "cpu" and item[3] == "reset":
            self.board.chip.mcu.watchdog.on_watchdog_trigger()
        elif item[0] == "fault" and item[2] == "cpu" and item[3] == "stall":
            self.board.chip.clock.tick(item[4]["ms"] * 1e6)
        else:
            super()._apply(item)


class Rp2040Link(Link):
    """A link whose engine is in this process."""

    def __init__(self, config: dict[str, Any], board_dir: str = "boards/reference") -> None:
        self.console = []
        self._wasm = False
        self._out = []
        self._memory = {}
        self._transport = _Local(Engine({**config, "memory": {}}, board_dir))

    @property
    def engine(self) -> Engine:
        return self._transport.engine


class _Local:
    """A transport to an engine in this process."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._answers: list[dict[str, Any]] = []

    def send(self, text: str) -> None:
        self._answers += self.engine.ask(json.loads(text))

    def receive(self) -> str:
        return json.dumps(self._answers.pop(0))

    def close(self) -> None:
        pass
