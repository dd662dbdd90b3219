"""Every look-up of a name while the meter meters, as an emulated RP2040 makes it, with any MicroPython image.

Where the function that looks names up begins is found first: what is called with a name's object in register 1 and, in
register 0, a table that has it. Then the processor goes on one cycle at a time, and each call is noted.
"""

import ast
from collections import Counter
from typing import Any, NamedTuple

from host.benchmark.rp2040_costs import CONFIG, LOAD
from host.flash import deploy
from host.flash.names import NUMBER_SHIFT
from host.rp2040.engine import Rp2040Link, filesystem

BOARD = "reference"
FIRST_OF_ALL = "boot.py"  # the first name that is not MicroPython's own
BEGIN_US = 6_000_000  # all is loaded by then
CYCLE_US = 100_000
CYCLES = 8
STEP_NS = 8
NAME_BITS, NAME = 7, 2  # the lowest bits of an object, and what they are where it is a name
FIXED_ORDER = 4  # bit of a table's first word: its entries stand one after the other
USED_SHIFT = 3  # above such bits: how many entries it has
RAM = range(0x2000_0000, 0x2004_2000)
FLASH = range(0x1000_0000, 0x1020_0000)
ENTRY_BYTES = 8
MOST_ENTRIES = 256
# A name that nothing else has, asked for again and again.
ASK = """
class _Asked: pass
_asked = _Asked()
_asked.a_name_of_its_own = 1
print(id("a_name_of_its_own"))
"""
REPEAT = b"for _ in range(2000): _asked.a_name_of_its_own\n\x04"
DONE = b"\x04\x04>"
SENT_NS = 15_000_000
WATCHED_STEPS = 200_000


class LookUp(NamedTuple):
    """A name was found at place `at` of a table of `size` places."""

    number: int
    at: int
    size: int


class Chip:
    """An emulated meter whose processor is watched."""

    def __init__(self, link: Rp2040Link) -> None:
        self._board = link.engine.board
        self._chip = self._board.chip
        self._core = self._chip.mcu.core
        self._word = self._chip.mcu.read_uint32

    def numbers(self, names: list[str]) -> dict[str, int]:
        """The numbers that MicroPython has given to names."""
        found: dict[str, int] = {}
        for begin in range(0, len(names), 100):
            some = names[begin : begin + 100]
            answer = self._chip.console.exec(f"print([id(n) >> {NUMBER_SHIFT} for n in {some!r}])")
            found.update(zip(some, ast.literal_eval(answer), strict=True))
        return found

    def _place(self, table: int, key: int) -> tuple[int, int]:
        """Where a key stands in a table, and the table's size; -1 where it is not in it."""
        if table not in RAM and table not in FLASH:
            return -1, 0
        head, size, entries = (self._word(table + offset) for offset in (0, 4, 8))
        if head & FIXED_ORDER:
            size = head >> USED_SHIFT
        if not 0 < size <= MOST_ENTRIES or (entries not in RAM and entries not in FLASH):
            return -1, size
        keys = [self._word(entries + ENTRY_BYTES * n) for n in range(size)]
        return (keys.index(key) if key in keys else -1), size

    def entry(self) -> int:
        """Where the function that looks names up begins."""
        key = int(self._chip.console.exec(ASK))
        found: Counter[int] = Counter()
        self._chip.console.send(REPEAT)  # without waiting for its end
        self._chip.run(SENT_NS)
        last = 0
        for _ in range(WATCHED_STEPS):
            self._chip.run(STEP_NS)
            pc, registers = self._core.pc, self._core.registers
            if pc not in (last, last + 2, last + 4) and registers[1] == key and self._place(registers[0], key)[0] >= 0:
                found[pc] += 1
            last = pc
        self._chip.console.wait_for(DONE)
        self._chip.console.received.clear()
        if not found:
            raise RuntimeError("names: nothing was called with a name and a table that has it; is this MicroPython?")
        return found.most_common(1)[0][0]

    def recorded(self, entry: int) -> list[LookUp]:
        """What is found in CYCLES measuring cycles and in the tasks beside them, in order."""
        notes = []
        end_us = self._board.clock.now_us + CYCLES * CYCLE_US
        last = 0
        while self._board.clock.now_us < end_us:
            if self._core.waiting:
                self._board.run_to(self._board.clock.now_us + 20)
                continue
            self._chip.run(STEP_NS)
            pc = self._core.pc
            if pc == entry != last:
                table, key = self._core.registers[0], self._core.registers[1]
                at, size = self._place(table, key)
                if at >= 0 and key & NAME_BITS == NAME:
                    notes.append(LookUp(key >> NUMBER_SHIFT, at, size))
            last = pc
        return notes


def names_of_firmware() -> list[str]:
    """Names that the modules on a device use, those in most modules first."""
    found: Counter[str] = Counter()
    for text in deploy.texts(BOARD).values():
        nodes = ast.walk(ast.parse(text))
        texts = {getattr(node, field, None) for node in nodes for field in ("id", "attr", "name", "arg")}
        found.update(name for name in texts if isinstance(name, str))
    return sorted(found, key=lambda name: (-found[name], name))


def run() -> tuple[list[LookUp], dict[str, int], int]:
    """The look-ups, the number of each name of the firmware, and the first number that is not MicroPython's own."""
    filesystem.cache_clear()  # the list of names may be another one than before
    with Rp2040Link(dict[str, Any](CONFIG)) as link:
        link.run(BEGIN_US, LOAD)
        chip = Chip(link)
        link.engine.board.chip.console.raw_repl()
        entry = chip.entry()
        link.run(link.engine.clock.now_us + 10 * CYCLE_US)
        notes = chip.recorded(entry)
        return notes, chip.numbers(names_of_firmware()), chip.numbers([FIRST_OF_ALL])[FIRST_OF_ALL]
