"""Costs of the firmware on an emulated RP2040 at 125 MHz, where a MicroPython image is at hand (OPENKH_RP2040_UF2).

The emulation has no wait states of the flash: microseconds are a lower bound, good for comparing. They repeat exactly.
"""

import ast
import hashlib
from pathlib import Path
from typing import Any

from host.remote.bus import crc
from openkh.metrology.correction import TOTAL

CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {}, "serial": {}}
LOAD = [["mains", 0, 0, [120.0, 100.0, 0.0, 0.0], [120.0, 100.0, 0.0, 180.0], 60.0]]  # 24 kW: an edge each 0.75 s
START_S = 4
CYCLES = 200
JOURNAL_CYCLES = 100
LITTERED_CYCLES = 60
POLLED_S = 6
CORRECTED_CYCLES = 90  # in which pulses and saves come as often with corrections as without
GUARDED_US = 15_000_000  # ten edges of the 10 Wh output and one of the 100 Wh, with the guard as without
CORRECT_WALL_S = 1200.0  # of real time, on a busy computer
RESTARTED_S = 3
BAUD = 19200
MEGAHERTZ = 125
AENERGYA = 0x21E  # read as 24 bits (DS p.57)

# On the device: the measuring cycle and the display's task timed as they run, interrupts and all. There is room for 200
# seconds of them, because the prompt takes its time.
TIME_THEM = """
import gc, micropython
gc.collect()
print(gc.mem_alloc())
micropython.mem_info()
import openkh.app, array, time
from time import ticks_us, ticks_diff
from machine import Timer
_m = openkh.app.meter
class _Timed:
    def __init__(s, f, n):
        s.f = f; s.n = 0; s.us = array.array("H", bytes(2 * n)); s.call = s.run; s.heap = [0, 0]
    def run(s, a=None):
        if s.n == 0 or s.n == CYCLES:
            s.heap[s.n != 0] = gc.mem_alloc()
        t = ticks_us()
        s.f(a)
        s.us[s.n] = min(ticks_diff(ticks_us(), t), 65535)
        s.n += 1
class _Step:
    def __init__(s, n):
        s.n = 0; s.us = array.array("H", bytes(2 * n))
    def put(s, o):
        s.f = o.step; o.step = s.run
    def run(s, state, failing, ending):
        t = ticks_us()
        r = s.f(state, failing, ending)
        s.us[s.n] = min(ticks_diff(ticks_us(), t), 65535)
        s.n += 1
        return r
gc.collect()
_c = _Timed(_m.cycle.run, 2000)
_d = _Timed(_m.tasks.refresh, 800)
_a = _Timed(_m.cycle.look_after, 2000)
_j = _Step(600)  # here, because later there may be no room for it in one piece
_m.cycle.aside = lambda: micropython.schedule(_a.call, None)
_m.tasks.timers[0].init(mode=Timer.PERIODIC, period=100, callback=_c.call, hard=False)
_m.tasks.timers[1].init(mode=Timer.PERIODIC, period=250, callback=_d.call, hard=False)
"""
# Garbage of small pieces, as a long listing at the prompt leaves it; as much as there is room for.
LITTER = """
_l = [bytearray(20) for _ in range(min(54 * 1024, gc.mem_free() - 8192) // 52)]  # 3 blocks of 16 bytes, and a pointer
_l = None
print(gc.mem_alloc())
_n = _c.n
"""
# A CT's curve and the temperature's coefficients on both lines, by the service's own commands (CA-1a).
CORRECT = """
import openkh.service as _s
for _n in 1, 2:
    _s.cal_curve(_n, ((2, -0.3, 15), (10, -0.1, 7), (75, 0, 0.4)))
    _s.cal_set(_n, tempco=-11734, lead_tempco=60, reference=1500)
"""
# Later, as it takes 60 us of the cycle itself.
TIME_JOURNAL = "_j.put(_m.journal)"
READ_THEM = """
t = ticks_us(); gc.collect(); t = ticks_diff(ticks_us(), t)
print((t, _c.heap[1] - _c.heap[0], _m.cycle.cycles, _m.cycle.errors))
for _o in (_c, _a, _d, _j):
    print("[")
    for _n in range(_o.n):
        print(_o.us[_n], end=",")
    print("]")
"""


def image_id() -> str:
    """What the figures belong to: another image gives others."""
    from host.rp2040 import emulator

    return hashlib.sha256(Path(emulator.image()).read_bytes()).hexdigest()[:12]


def rows() -> list[tuple[str, Any, str]]:
    """(what, value, unit) of everything measured."""
    from host.rp2040.engine import Rp2040Link

    with Rp2040Link(CONFIG) as link:
        reads = _EnergyReads(link.engine)
        out = link.run(START_S * 1_000_000, LOAD)["out"]
        power_us = next(item[1] for item in out if item[0] == "boot")
        cold_ms = (reads.at_us[1] - power_us) / 1000  # the first of all is what counting begins from
        console = link.engine.board.chip.console
        console.raw_repl()
        started = console.exec(f"CYCLES = {CYCLES}\n{TIME_THEM}")
        began_us = link.engine.clock.now_us
        edges = link.run(began_us + (CYCLES + 10) * 100_000)["out"]
        console.raw_repl()
        littered = int(console.exec(LITTER)) - int(started.split()[0])
        link.run(link.engine.clock.now_us + (LITTERED_CYCLES + 2) * 100_000)
        console.raw_repl()
        littered_us = ast.literal_eval(console.exec(f"print(list(_c.us[_n:_n + {LITTERED_CYCLES}]))\ngc.collect()"))
        polled_us, answers_us, taken = _polled(link, console)
        corrected_us, plain_us, taken_by_corrections = _corrected(link, console)
        console.exec(TIME_JOURNAL)
        link.run(link.engine.clock.now_us + JOURNAL_CYCLES * 100_000)
        console.raw_repl()
        (gc_us, growth, cycles, errors), cycle_us, after_us, display_us, journal_us = _told(console)
        del cycle_us[CYCLES:]
        version = console.exec("import sys\nprint('%d.%d.%d' % sys.implementation[1][:3])").strip()
        guard_percent = _guard_percent(link, console)
        restart_ms = _restart_ms(link, reads)
    rises = [item[1] for item in edges if item[0] == "edge" and item[2] == "opto10" and item[3]]
    spans = [later - earlier for earlier, later in zip(rises, rises[1:], strict=False)]
    if errors:
        raise RuntimeError(f"{errors} exceptions in {cycles} cycles")
    return [
        ("MicroPython, SHA-256 of the image from", f"{version} {image_id()}", ""),
        *_span("measuring cycle, two lines", cycle_us),
        *_span(f"the same with {littered // 1024} KB more of the heap littered", littered_us),
        *_span("the same with a poll of the RS-485 port each second", polled_us),
        ("RS-485: from the end of a request of 60 registers to the answer, longest", max(answers_us), "us"),
        ("heap taken by the polls", taken, "bytes"),
        *_span("the same with corrections of both lines in force", corrected_us),
        ("corrections: mean, less that of as many cycles before", _mean(corrected_us) - _mean(plain_us), "us"),
        ("heap taken by the cycles with corrections", taken_by_corrections, "bytes"),
        *_span("after a cycle: a note, or a register taken down", after_us),
        ("guard of the 12 V and the bulk voltage, share of the processor", guard_percent, "%"),
        *_span("display task", display_us),
        *_span("journal in the cycle", journal_us),
        ("start to first booked count, cold", cold_ms, "ms"),
        ("start to first booked count, restart of the RP2040", restart_ms, "ms"),
        ("heap in use after start", int(started.split()[0]), "bytes"),
        ("largest free block after start", int(started.split("max free sz: ")[1].split()[0]) * 16, "bytes"),
        (f"heap taken by {CYCLES} cycles and what runs beside them", growth, "bytes"),
        ("a garbage collection", gc_us, "us"),
        (
            f"10 Wh edges at constant load, {len(rises)} edges: longest less shortest span",
            max(spans) - min(spans),
            "us",
        ),
    ]


def _told(console: Any) -> list[Any]:
    """What READ_THEM prints."""
    told = console.exec(READ_THEM).replace("\n", "").replace("\r", "").replace("]", "]\n").replace("[", "\n[")
    return [ast.literal_eval(line) for line in told.splitlines() if line.strip()]


def _polled(link: Any, console: Any) -> tuple[list[int], list[int], int]:
    """Times of the cycles in which the port is polled, of the answers' beginnings, and the heap that it took."""
    request = bytes((1, 3, 40_000 >> 8, 40_000 & 0xFF, 0, 60))  # the first registers of SunSpec's block
    request += crc(request)
    asking = _asking_takes(console)
    before = int(console.exec("gc.collect()\n_n = _c.n\nprint(gc.mem_alloc())"))
    began_us = link.engine.clock.now_us
    asked = [
        ["serial", began_us + n * 1_000_000 + 500_000, request.decode("latin-1"), BAUD, None] for n in range(POLLED_S)
    ]
    out = link.run(began_us + POLLED_S * 1_000_000, asked)["out"]
    starts = [item[1] for item in out if item[0] == "serial"]
    if len(starts) != POLLED_S:
        raise RuntimeError(f"{len(starts)} answers to {POLLED_S} requests")
    length_us = len(request) * 10 * 1_000_000 // BAUD
    console.raw_repl()
    after = int(console.exec("print(gc.mem_alloc())"))
    times = ast.literal_eval(console.exec(f"print(list(_c.us[_n:_n + {POLLED_S * 10 - 2}]))"))
    return times, [start - at[1] - length_us for start, at in zip(starts, asked, strict=True)], after - before - asking


def _corrected(link: Any, console: Any) -> tuple[list[int], list[int], int]:
    """Times of as many cycles with corrections in force and before that, and the heap that the former took."""
    console.raw_repl()
    console.exec("import openkh.service")
    plain_us, _ = _timed(link, console, CORRECTED_CYCLES)
    said = console.exec(CORRECT, wall_s=CORRECT_WALL_S)
    if said.count("OK") != 4:
        raise RuntimeError(f"corrections are not in force: {said}")
    corrected_us, taken = _timed(link, console, CORRECTED_CYCLES)
    console.raw_repl()
    added = ast.literal_eval(console.exec(f"print([line.terms[{TOTAL}] for line in _m.corrected.lines])"))
    if not all(added):
        raise RuntimeError(f"the corrections added {added} counts")
    console.exec("_s.undo()")
    return corrected_us, plain_us, taken


def _timed(link: Any, console: Any, cycles: int) -> tuple[list[int], int]:
    """Times of so many cycles in which nobody is at the prompt, and the heap that they took."""
    asking = _asking_takes(console)
    before = int(console.exec("gc.collect()\n_n = _c.n\nprint(gc.mem_alloc())"))
    link.run(link.engine.clock.now_us + (cycles + 2) * 100_000)
    console.raw_repl()
    taken = int(console.exec("print(gc.mem_alloc())")) - before - asking
    return ast.literal_eval(console.exec(f"print(list(_c.us[_n:_n + {cycles}]))")), taken


def _asking_takes(console: Any) -> int:
    """Heap that the prompt itself takes from one question for the heap to the next."""
    before = int(console.exec("gc.collect()\nprint(gc.mem_alloc())"))
    console.raw_repl()
    return int(console.exec("print(gc.mem_alloc())")) - before


def _restart_ms(link: Any, reads: "_EnergyReads") -> float:
    """From the watchdog's reset to the first reading that is booked."""
    reads.at_us.clear()
    restart_us = link.engine.clock.now_us
    link.engine.board.chip.mcu.watchdog.on_watchdog_trigger()
    link.run(restart_us + RESTARTED_S * 1_000_000)
    return (reads.at_us[0] - restart_us) / 1000


def _guard_percent(link: Any, console: Any) -> float:
    """The processor's busy time with the guard's timer, less that without, in percent. Ends the guard."""
    guarded = _busy_cycles(link)
    console.raw_repl()
    console.exec("_m.tasks.timers[2].deinit()")
    cycles = guarded - _busy_cycles(link)
    return round(100 * cycles / (GUARDED_US * MEGAHERTZ), 2)


def _busy_cycles(link: Any) -> int:
    """Processor cycles of the coming GUARDED_US."""
    before = link.engine.board.chip.cycles
    link.run(link.engine.clock.now_us + GUARDED_US)
    return link.engine.board.chip.cycles - before


def _span(what: str, us: list[int]) -> list[tuple[str, Any, str]]:
    return [(f"{what}, median", _median(us), "us"), (f"{what}, worst", max(us), "us")]


def _median(us: list[int]) -> int:
    return sorted(us)[len(us) // 2]


def _mean(us: list[int]) -> int:
    return sum(us) // len(us)


class _EnergyReads:
    """When the firmware reads line 1's energy register, seen on the wire."""

    def __init__(self, engine) -> None:
        self.at_us: list[int] = []
        self._engine = engine
        self._frame = bytearray()
        chip = engine.reference.chips[0]
        select, exchange = chip.cs, chip.exchange

        def cs(level: int) -> None:
            self._frame.clear()
            select(level)

        def watched(tx, rx) -> None:
            self._frame += tx
            if len(self._frame) == 3 and self._frame[2] == 0x80 and self._frame[0] << 8 | self._frame[1] == AENERGYA:
                self.at_us.append(engine.clock.now_us)
            exchange(tx, rx)

        chip.cs, chip.exchange = cs, watched
