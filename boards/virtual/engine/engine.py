"""The engine: firmware and virtual board in one interpreter. A host tells it what happens and asks what came of it.

Messages are JSON texts through a transport with `send(text)` and `receive()`. The host sends
    {"op": "start", config...}, {"op": "run", "until_us": t, "stimulus": [...]}..., {"op": "finish", "unplug": false}
and gets {"ok": ...} or {"error": text} for each. Ahead of that may come any number of {"more": [items]} (recorder.py),
and at the end of {"memory": name, "base64": portion}. Between `start` and `finish` the firmware runs. The host gets its
turn in an event of simulated time, wherever the firmware is at that time. A power cut or a reset is an exception that
goes through all of it up to `_live`.

`finish` stops the firmware where it is. With `unplug`, for a memory that is kept, the answer is made at once and the
mains go: the firmware runs on until its supply is gone, as on any board that somebody unplugs, and the memory is that
of then.

The memory of an earlier run comes ahead of `start`, in portions without an answer, because MicroPython takes seconds to
read a message of some megabytes. What no portion says is 0xFF, as in an erased flash:
    {"op": "memory", "name": name, "bytes": in all, "at": where, "base64": portion}

Long because its methods are short frames of one call: on the 32-bit engine the firmware runs, and waits, inside them.
"""

import gc
import json
import sys
from binascii import a2b_base64, b2a_base64

from boards.virtual import faults, reference
from boards.virtual.engine import filesystem, image
from boards.virtual.engine.probe import Probe
from boards.virtual.engine.reader import Reader
from boards.virtual.engine.recorder import Recorder
from boards.virtual.halt import Broken, Finished, PowerCut, Reset
from boards.virtual.parts.glass import GlassReader

SWEEP_EACH = 8  # lives
BOOT_US = 20_000  # from the end of a reset to boot.py
FIRMWARE = ("boot", "main", "board", "glass")  # the device's top-level modules beside the package openkh
SERVICE_AT_START = ("openkh.service.port",)  # the other service modules are imported when a command needs them
MEMORY_PORTION = 3 * 1024  # a multiple of 3, so that the base64 of portions can be put together
ERASED = b"\xff"
MAINS_ITEMS = ("mains", "power", "wave")


def trace_of(error):
    """The traceback of an exception, as text."""
    if sys.implementation.name == "micropython":
        from io import StringIO

        text = StringIO()
        sys.print_exception(error, text)
        return text.getvalue()
    import traceback

    return "".join(traceback.format_exception(error))


def drop_firmware():
    """Forget the firmware's modules: the next start imports them anew."""
    for name in list(sys.modules):
        if name in FIRMWARE or name == "openkh" or name.startswith("openkh."):
            del sys.modules[name]


def collect_by_hand():
    """Collect garbage on an engine that must not do so by itself (heap.py). Elsewhere it would be a sweep through a
    large heap, which is a third of a start's time."""
    if not gc.isenabled():
        gc.collect()


class Engine:
    """One run, from `start` to `finish`."""

    def __init__(self, transport):
        self._transport = transport
        self._cause = "power"  # what the next start comes from
        self._heap = None
        self._gone = False
        self._figures = None  # the answer to `finish`, where the mains have gone since

    def serve(self):
        """Run until the host has asked for the end. (A small frame, see `_live`.)"""
        try:
            self._start(self._first_request())
            drop_firmware()
            collect_by_hand()
            self._reply({})
            self._live()
        except (Exception, Broken):
            self._broken()

    def _first_request(self):
        """What the run starts with."""
        memory = {}
        while True:
            request = json.loads(self._transport.receive())
            if request["op"] != "memory":
                request["memory"] = memory
                return request
            name = request["name"]
            if name not in memory:
                memory[name] = bytearray(ERASED * request["bytes"])
            portion = a2b_base64(request["base64"])
            memory[name][request["at"] : request["at"] + len(portion)] = portion

    def _broken(self):
        error = sys.exc_info()[1]
        text = error.args[0] if isinstance(error, Broken) else trace_of(error)
        self._transport.send(json.dumps({"error": text}))

    # -- the host's side ----------------------------------------------------------------------------------------

    def _reply(self, answer):
        self._transport.send(json.dumps({"ok": answer}))

    def _more(self, items):
        if self._figures is None:
            self._transport.send(json.dumps({"more": items}))

    def _ask(self):
        """Give the host its turn; returns when it wants time to go on."""
        while True:
            text = self._transport.receive()
            if not text:
                self._gone = True
                raise Finished()
            request = json.loads(text)
            op = request["op"]
            if op == "run":
                self._feed(request.get("stimulus", ()))
                self._clock.at(request["until_us"], self._pause)
                return
            if op == "feed":  # stimulus in portions, for a transport with a limit
                self._feed(request["stimulus"])
                self._reply({})
            elif op == "finish":
                if not (request.get("unplug") and self._reference.supply.on):
                    raise Finished()
                self._figures = self._final()
                self._reference.mains.unplug()
                return
            else:
                raise ValueError("no operation " + op)

    def _pause(self):
        """The event at the time up to which the host wanted to go: its turn comes."""
        try:
            if self._live_log:
                self._tell_events()
            self._reply({"t_us": self._clock.now_us, "out": self._recorder.take(), "snap": self._snap()})
            self._ask()
        except Exception as error:
            raise Broken(trace_of(error)) from None

    def _feed(self, items):
        for item in items:
            if item[0] in MAINS_ITEMS:
                self._reference.mains.add(item)
            else:
                self._clock.at(item[1], lambda item=item: self._happen(item))

    def _happen(self, item):
        try:
            self._apply(item)
        except Exception as error:
            raise Broken(trace_of(error)) from None

    def _apply(self, item):
        kind = item[0]
        if kind == "fault":
            faults.start(self._reference, item[2], item[3], item[4], item[5])
        elif kind == "load12v":
            self._reference.rail12.load(item[2])
        elif kind == "temperature":
            self._reference.climate.change(item[2] or 0, item[3])
        elif kind == "seal":
            self._reference.seal(bool(item[2]))
        elif kind == "console":
            if self._reference.supply.on:
                self._board.console.typed(item[2])
        elif kind == "serial":  # [kind, t_us, text, baud rate, parity], or from somebody who disturbs: "noise"
            self._reference.master.send(item[2], item[3], item[4])
        elif kind == "noise":
            self._reference.noise.send(item[2], item[3], item[4])
        elif kind == "reader":  # [kind, t_us, period_us, request, first register, {name: register}]
            self._reader = Reader(self._clock, self._board.cpu, item[2], item[3], item[4], item[5], self._recorder.add)
        elif kind == "readings":  # what the reader has got so far
            self._recorder.add(["readings", self._clock.now_us, self._reader.polls, self._reader.wrong])
        elif kind != "note":
            raise ValueError("no stimulus %s" % kind)

    # -- the board's side ---------------------------------------------------------------------------------------

    def _start(self, config):
        options = config.get("board", {})
        self._board = board = reference.new_board(config)
        self._clock = board.clock
        if sys.implementation.name == "micropython":
            from boards.virtual.engine import heap

            # What the firmware asks for suits a heap of 200 KB; in a large one it is half of the time of a start.
            sys.modules["gc"] = heap.Quiet()
        if not gc.isenabled():
            if not config.get("console"):  # what the prompt runs has frames of any size
                self._clock.on_wait = heap.Collector(board.cpu).look
            self._heap = heap
        if config.get("console"):
            from boards.virtual.engine.console import Console

            board.console = Console(board.clock, board.cpu, self._said, trace_of)
        board.install()
        self._options = options
        parts = self._parts()
        from openkh.model import Model

        model = Model(config["model"], config["service"])
        self._reference = reference.Reference(parts, model, options, board)
        self._probe = Probe(model)
        self._lives = []  # (start, run time it goes on from) of each start of the firmware, for the log's times
        self._live_log = config.get("live", False)
        self._events_written = None
        self._told = -1  # order of the newest event told
        self._recorder = recorder = Recorder(board.clock, self._more)
        for signal, pin in parts.OUTPUTS:
            recorder.watch(board.pins[pin], signal)
        self._glass = GlassReader(parts.GLASS, recorder.lcd)
        lcd = self._reference.lcd
        if lcd is not None:
            lcd.on_refresh = lambda: self._glass.feed(board.clock.now_us, lcd.lit())
        board.cpu.on_error = self._failed
        wires = config.get("serial") or {}
        self._reference.wire(recorder.serial, wires.get("echo", False), wires.get("other_unit", 0))
        self._memory_in(config["memory"], model, options.get("start_delivered_wh", 0))
        self._files = filesystem.of(board.flash, options.get("blank", False)) if board.flash is not None else None

    def _parts(self):
        """The board's own file, changed as this scenario chooses."""
        parts = self._board_file()
        parts.MEMORY = self._options.get("memory", parts.MEMORY)
        parts.DISPLAY = self._options.get("display", parts.DISPLAY)
        return parts

    def _board_file(self):
        """The module that the firmware imports."""
        import board

        return board

    def _memory_in(self, memory, model, start_wh):
        """Fill the memory with that of an earlier run, or with a new meter's; with `blank` it stays that of a board
        without factory data."""
        kind = self._reference.memory_kind
        chip = self._reference.memory
        if kind in memory:
            content = memory[kind]
            if len(content) != len(chip.memory):
                raise ValueError("%s: an image of %d bytes, not %d" % (kind, len(chip.memory), len(content)))
            chip.memory[:] = content
        elif not self._options.get("blank"):
            image.new_meter(kind, chip, self._board.unique_id, model, start_wh)

    # These stay on the stack while the firmware runs, and are small (no `as` either): heap.py says why.

    def _live(self):
        """Let power come and go and the firmware start and end, until the host has asked for the end."""
        try:
            self._ask()
            while self._figures is None or self._reference.supply.on:
                self._one_life()
                drop_firmware()
                self._sweep()
        except Finished:
            pass
        self._finish()

    def _sweep(self):
        """Collect garbage after some lives: what lasts of each would else be strewn all over the heap, which then has
        no room for a flash's content in one piece."""
        if len(self._lives) % SWEEP_EACH and gc.isenabled():
            return
        gc.collect()

    def _one_life(self):
        """Run the firmware until something takes the CPU away."""
        try:
            while not self._reference.supply.on:
                self._clock.next_event()
            self._boot()
        except PowerCut:
            self._stopped("power")
        except Reset:
            self._reset()

    def _boot(self):
        """What runs from the end of a reset on, for ever: the start-up files, then the prompt."""
        self._clock.sleep(BOOT_US)
        self._booting()
        if self._board.console is not None:
            self._boot_to_prompt(self._board.console)
        self._start_up_files()
        while True:
            self._clock.next_event()

    def _boot_to_prompt(self, console):
        """As the port does: main.py only where boot.py ended well and no raw REPL asked for the soft reset."""
        if console.guarded(lambda: __import__("boot")) and not console.raw:
            console.guarded(lambda: __import__("main"))
        main = sys.modules.get("main")
        console.run(getattr(main, "prompt", None) or getattr(sys.modules.get("boot"), "prompt", {}))

    def _said(self, text):
        self._recorder.add(["console", self._clock.now_us, text])

    def _start_up_files(self):
        try:
            self._import_them()
        except Exception:
            self._start_failed()

    def _import_them(self):
        try:
            __import__("boot")
            __import__("main")
        except SystemExit:
            raise Reset("soft") from None

    def _start_failed(self):
        self._failed(sys.exc_info()[1])

    def _booting(self):
        self._board.cpu.runs_firmware = True
        self._lives.append((self._clock.now_us, 0 if self._cause == "power" else self._probe.run_us))
        self._recorder.add(["boot", self._clock.now_us, self._cause])
        self._parts()
        if self._files is not None:
            self._files.mount()
        if self._heap is not None:
            self._heap.load(self._modules())

    def _modules(self):
        import openkh

        found = self._heap.modules("openkh", openkh.__file__[: openkh.__file__.rfind("/")])
        return [name for name in found if not name.startswith("openkh.service.") or name in SERVICE_AT_START]

    def _reset(self):
        self._stopped(sys.exc_info()[1].cause)

    def _finish(self):
        if self._gone:
            return
        collect_by_hand()
        self._memory_out()
        collect_by_hand()
        self._reply(self._final() if self._figures is None else self._figures)

    def _memory_out(self):
        """Send the memory's content in portions of base64, which the host puts together as they are."""
        content = self._reference.memory.memory
        portion = message = None
        for at in range(0, len(content), MEMORY_PORTION):
            if content[at : at + MEMORY_PORTION] != portion:  # most of a flash is erased
                portion = content[at : at + MEMORY_PORTION]
                text = b2a_base64(portion).decode().strip()
                message = '{"memory": "%s", "base64": "%s"}' % (self._reference.memory_kind, text)
            self._transport.send(message)

    def _stopped(self, cause):
        self._cause = cause
        if self._files is not None:
            self._files.drop()
        self._probe.retire()
        self._board.restart(cause)
        if self._board.console is not None:
            self._board.console.restart(cause)
        if cause == "power":
            self._glass.off(self._clock.now_us)

    def _failed(self, error):
        self._recorder.add(["error", self._clock.now_us, trace_of(error)])

    # -- answers ------------------------------------------------------------------------------------------------

    def _snap(self):
        figures = self._probe.figures()
        lcd = self._reference.lcd
        glass = dict(self._glass.record)
        glass["lit"] = self._glass.glass.lit(lcd.lit()) if lcd is not None else []
        return {
            "counted": [chip.counted_total() for chip in self._reference.chips],
            "gap_us": [chip.gap_us() for chip in self._reference.chips],
            "t_us": self._clock.now_us,
            "powered": self._reference.supply.on,
            "lines": self._probe.lines(),
            "register": figures["register"],
            "demand": figures["demand"],
            "status": figures["status"],
            "lcd": glass,
            "pins": self._recorder.levels,
            "counter": self._reference.coil.counts,
            "counter_given": self._probe.counter_given(),
            "rail12_ma": int(self._reference.rail12.sensed_ma()),
        }

    def _final(self):
        self._glass.finish(self._clock.now_us)
        figures = self._probe.figures()
        rises = self._recorder.rises
        kind = self._reference.memory_kind
        chip = self._reference.memory
        coil = self._reference.coil
        return {
            "out": self._recorder.take(),
            "counted": [{"counts": c.counted_total(), "gap_us": c.gap_us()} for c in self._reference.chips],
            "identity": self._probe.identity(),
            "register": figures["register"],
            "pulses": {"10": rises["opto10"], "100": rises["opto100"], "1000": rises["opto1000"]},
            "led": rises["led"],
            "counter": {
                "counts": coil.counts,
                "shortest_on_us": coil.shortest_on_us,
                "shortest_off_us": coil.shortest_off_us,
            },
            "demand": figures["demand"],
            "status": figures["status"],
            "events": [entry[1:5] for entry in self._events(kind, chip)],
            "firmware": self._probe.firmware(),
        }

    def _events(self, kind, chip):
        """The log's entries as [order, t_us, name, a, b, life]. `t_us` is made from an entry's run time and from the
        time at which that run time was 0. `life` counts the starts of this run from 0; what comes from an earlier run
        (--state) has a negative one."""
        from openkh.event_codes import DEMAND_LOST, NAMES, POWER_UP, RESTART

        entries = image.events(kind, chip)
        starts = 0
        for entry in entries:
            starts += entry[2] == POWER_UP or entry[2] == RESTART
        life = len(self._lives) - starts - 1
        zero_us = 0
        found = []
        for order, run_s, code, a, b in entries:
            if code in (POWER_UP, RESTART):
                life += 1
                went_on_us = self._lives[life][1] if life >= 0 and code == RESTART else 0
                zero_us = self._lives[life][0] - went_on_us if life >= 0 else 0
            elif code == DEMAND_LOST and life >= 0:
                zero_us = self._lives[life][0]  # run time has started anew
            found.append([order, zero_us + run_s * 1000000, NAMES.get(code, str(code)), a, b, life])
        return found

    def _tell_events(self):
        """Tell the live view what has come into the log since the last time."""
        written = self._probe.events_written()
        if written == self._events_written:
            return
        self._events_written = written
        entries = self._events(self._reference.memory_kind, self._reference.memory)
        for order, t_us, name, a, b, life in entries:
            if life >= 0 and (self._told < 0 or 0 < (order - self._told) & 0xFFFFFF < 0x800000):
                self._recorder.add(["log", t_us, name, a, b])
        if entries:
            self._told = entries[-1][0]
