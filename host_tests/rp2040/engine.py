"""The meter on the emulated RP2040, behind the same link as the other engines (scripts/host/link.py).

The deployed files, compiled as for a device, run on the chip; the board around it is `boards.virtual.reference` with
the same simulated chips and stimulus. What the firmware knows is asked over its console at the end, as a person would.
"""

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any

from boards.virtual import image
from boards.virtual.engine import MAINS_ITEMS
from boards.virtual.faults import Faults
from boards.virtual.glass import GlassReader
from boards.virtual.recorder import Recorder
from boards.virtual.reference import Reference
from host import deploy
from host.link import EngineError, Link
from host_tests.rp2040 import emulator, wires
from openkh.model import Model

WALL_S = 600.0

# Prints what boards.virtual.probe reads, on the device, as one Python literal.
PROBE = """
import openkh.app
_m = openkh.app.meter
_s = _m.state
_t = _m.status
print(repr((_s.delivered_wh, _s.delivered_counts, _s.received_wh, _s.received_counts,
    _s.interval_mw, _s.max_mw, _s.last_max_mw if _s.periods else _s.max_mw,
    _t.condition, _t.lines, _t.failures, _m.rail12.name, _m.cycle.cycles, _m.cycle.late, _m.cycle.errors,
    _m.journal.errors, [(e.spoilt, e.rejected, e.resets, e.repairs, e.gap_ms) for e in _m.elements],
    repr(_m.cycle.last_error))))
"""


@cache
def filesystem(board_dir: str) -> bytes:
    """A flashed device's filesystem; compiled once in a test run."""
    return emulator.filesystem(deploy.image(Path(board_dir).name))


class Cpu:
    """The part of boards.virtual.cpu.Cpu that devices and faults use."""

    HERE = b"\xfe\xe7"  # `b .`

    def __init__(self, board: "Board") -> None:
        self._board = board
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
        self.adc_uv: dict = {}
        self.devices: list = []
        self.flash = None
        self.unique_id = b"\xe6\x61" + bytes((seed >> shift) & 0xFF for shift in (0, 8, 16)) + b"\x4b\x68\x01"
        self.chip: emulator.Chip | None = None
        self.booted = None  # called at each start of the chip with its cause
        self._usb = usb
        self._filesystem = filesystem_image
        self._kept = b""  # flash contents of the chip that had power before
        self._off = False

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
            self.chip.run_to(self.clock.chip_ns(t_us), WALL_S)
            if self._off:
                self._off = False
                self._kept = self.chip.flash_image()
                self.clock.disconnect()
                self.chip = None
                for net in self.pins:
                    net.disconnect()

    def _power_up(self) -> None:
        chip = self.chip = emulator.Chip(self._filesystem, self._kept, self._usb, self.unique_id, self.seed)
        chip.on_reset.append(self._restarted)
        self.clock.connect(chip)
        for part in (*self.pins, *self.spi, *self.i2c, wires.Adc(self.adc_uv)):
            part.connect(chip)
        self._tell("power")

    def _restarted(self) -> None:
        for net in self.pins:
            net.settle()
        self._tell("watchdog")

    def _tell(self, cause: str) -> None:
        if self.booted:
            self.booted(cause)


class Engine:
    """One run; the operations of boards.virtual.engine.Engine."""

    def __init__(self, config: dict[str, Any], board_dir: str) -> None:
        import board as parts

        options = config.get("board", {})
        model = Model(config["model"], config["service"])
        self.board = board = Board(config.get("seed", 1), filesystem(board_dir))
        self.clock = board.clock
        self.reference = Reference(parts, model, options, board)
        self.faults = Faults(self.reference)
        self.recorder = recorder = Recorder(board.clock, self._flush)
        self._out: list = []
        for pin, signal in (
            (parts.PIN_OPTO_10, "opto10"),
            (parts.PIN_LED, "led"),
            (parts.PIN_OPTO_100, "opto100"),
            (parts.PIN_OPTO_1000, "opto1000"),
            (parts.PIN_COUNTER, "counter"),
            (parts.PIN_RAIL12_ENABLE, "rail12"),
        ):
            recorder.watch(board.pins[pin], signal)
        self.glass = GlassReader(parts.GLASS, recorder.lcd)
        lcd = self.reference.lcd
        if lcd is not None:
            lcd.on_refresh = lambda: self.glass.feed(board.clock.now_us, lcd.lit())
        self._model = model
        self._lives: list[int] = []
        board.booted = self._booted
        image.new_meter(
            self.reference.memory_kind,
            self.reference.memory,
            board.unique_id,
            model,
            options.get("start_delivered_wh", 0),
        )

    def run(self, until_us: int, stimulus: list) -> dict[str, Any]:
        for item in stimulus:
            if item[0] in MAINS_ITEMS:
                self.reference.mains.add(item)
            else:
                self.clock.at(item[1], lambda item=item: self._happen(item))
        self.board.run_to(until_us)
        nothing = {"delivered_wh": "0.000000", "received_wh": "0.000000"}
        snap = {
            "t_us": self.clock.now_us,
            "powered": self.reference.supply.on,
            "lines": [],
            "register": nothing,
            "demand": {"interval_mw": 0, "max_mw": 0, "shown_mw": 0},
            "status": {},
            "lcd": dict(self.glass.record),
            "pins": self.recorder.levels,
            "counter": self.reference.coil.counts,
        }
        return {"t_us": self.clock.now_us, "out": self._take(), "snap": snap}

    def finish(self) -> dict[str, Any]:
        # The console comes last: it takes emulated time, and more energy with it.
        self.glass.finish(self.clock.now_us)
        counted = [{"counts": chip.counted_total(), "gap_us": chip.gap_us} for chip in self.reference.chips]
        rises = dict(self.recorder.rises)
        coil = self.reference.coil
        counter = {
            "counts": coil.counts,
            "shortest_on_us": coil.shortest_on_us,
            "shortest_off_us": coil.shortest_off_us,
        }
        figures = self.figures()
        return {
            "out": self._take(),
            "counted": counted,
            "register": figures["register"],
            "pulses": {"10": rises["opto10"], "100": rises["opto100"], "1000": rises["opto1000"]},
            "led": rises["led"],
            "counter": counter,
            "demand": figures["demand"],
            "status": figures["status"],
            "events": self._events(),
            "firmware": figures["firmware"],
        }

    def figures(self) -> dict[str, Any]:
        """What the firmware says of itself, over its console."""
        from openkh.metrology.status import NAMES

        console = self.board.chip.console
        console.raw_repl()
        found = ast.literal_eval(console.exec(PROBE))
        wh, counts, received_wh, received_counts, interval, largest, shown, condition, lines, failures = found[:10]
        rail12, cycles, late, errors, journal, elements, last_error = found[10:]
        faults = {"late": late, "errors": errors, "journal": journal}
        for n, values in enumerate(elements, 1):
            for name, value in zip(("spoilt", "rejected", "resets", "repairs", "gap_ms"), values, strict=True):
                faults[f"line{n}_{name}"] = value
        per_wh = self._model.counts_per_wh
        return {
            "register": {
                "delivered_wh": f"{wh}.{counts * 1_000_000 // per_wh:06d}",
                "received_wh": f"{received_wh}.{received_counts * 1_000_000 // per_wh:06d}",
            },
            "demand": {"interval_mw": interval, "max_mw": largest, "shown_mw": shown},
            "status": {
                "condition": NAMES[condition],
                "lines": [n + 1 for n in range(self._model.elements) if lines >> n & 1],
                "failures": [n + 1 for n in range(5) if failures >> n & 1],
                "rail12v": rail12,
            },
            "firmware": {"cycles": cycles, "faults": faults, "last_error": last_error},
        }

    def _events(self) -> list:
        """The log with simulated times: each power-up begins a new run time."""
        from openkh.event_codes import NAMES, POWER_UP

        found = []
        life = -1
        for _order, run_s, code, a, b in image.events(self.reference.memory_kind, self.reference.memory):
            if code == POWER_UP:
                life += 1
            start_us = self._lives[life] if 0 <= life < len(self._lives) else 0
            found.append([start_us + run_s * 1_000_000, run_s, NAMES.get(code, str(code)), a, b])
        return found

    def _booted(self, cause: str) -> None:
        if cause == "power":
            self._lives.append(self.clock.now_us)
        self.recorder.add(["boot", self.clock.now_us, cause])

    def _happen(self, item: list) -> None:
        kind = item[0]
        if kind == "fault" and item[2] == "cpu" and item[3] == "reset":
            self.board.chip.mcu.watchdog.on_watchdog_trigger()
        elif kind == "fault" and item[2] == "cpu" and item[3] == "stall":
            self.board.chip.clock.tick(item[4]["ms"] * 1e6)
        elif kind == "fault":
            self.faults.start(item[2], item[3], item[4], item[5])
        elif kind == "load12v":
            self.reference.rail12.load(item[2])
        elif kind == "seal":
            self.reference.seal(bool(item[2]))

    def _flush(self, items: list) -> None:
        self._out += items

    def _take(self) -> list:
        items = self._out + self.recorder.take()
        self._out = []
        return items


class Rp2040Link(Link):
    """A link whose engine is in this process."""

    def __init__(self, config: dict[str, Any], board_dir: str = "boards/reference") -> None:
        self.console = []
        self._wasm = False
        self._memory = {}
        self._out = []
        self._transport = _Local(Engine(config, board_dir))

    @property
    def engine(self) -> Engine:
        return self._transport.engine


def start(_name: str, config: dict[str, Any]) -> Rp2040Link:
    """As host.link.start."""
    return Rp2040Link(config)


class _Local:
    """A transport to an engine in this process."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._answer: dict[str, Any] = {}

    def send(self, text: str) -> None:
        request = json.loads(text)
        if request["op"] == "run":
            self._answer = self.engine.run(request["until_us"], request["stimulus"])
        else:
            self._answer = self.engine.finish()

    def receive(self) -> str:
        return json.dumps({"ok": self._answer})

    def close(self) -> None:
        pass
