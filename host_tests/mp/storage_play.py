"""Runs inside each interpreter: a while of storage under heap_lock, largest numbers included; then what it left.

The memories here are the plainest ones, which allocate nothing themselves.
"""

import micropython

from openkh.drivers.flash import Flash
from openkh.drivers.fram import Fram
from openkh.startup.scratch_registers import DELIVERED, GIVEN, RECEIVED, RUN, ScratchRegisters
from openkh.state import FIELDS, State
from openkh.storage import flash_regions, layout, records, regions
from openkh.storage.check import check
from openkh.storage.events import EventLog
from openkh.storage.journal import Journal
from openkh.storage.verdict import BLANK, GOOD

BLOCKS = 11


class Wire:
    """machine.I2C with 8 KiB on it."""

    def __init__(self):
        self.memory = bytearray(8192)
        self._at = 0
        self.wrong = OSError(5)
        self.away = False

    def writeto(self, _address, buf, _stop=True):
        if self.away:
            raise self.wrong
        self._at = (buf[0] << 8 | buf[1]) & 8191
        for i in range(2, len(buf)):
            self.memory[self._at] = buf[i]
            self._at = (self._at + 1) & 8191
        return len(buf)

    def readfrom_into(self, _address, buf, _stop=True):
        for i in range(len(buf)):
            buf[i] = self.memory[self._at]
            self._at = (self._at + 1) & 8191


class Raw:
    """rp2.Flash."""

    def __init__(self):
        self.memory = bytearray(b"\xff" * (BLOCKS * 4096))

    def readblocks(self, block, buf, offset=0):
        at = block * 4096 + offset
        for i in range(len(buf)):
            buf[i] = self.memory[at + i]

    def writeblocks(self, block, buf, offset):
        at = block * 4096 + offset
        for i in range(len(buf)):
            self.memory[at + i] &= buf[i]

    def ioctl(self, _op, block):
        for i in range(block * 4096, block * 4096 + 4096):
            self.memory[i] = 255


class Registers:
    """machine.mem32 for the scratch registers."""

    def __init__(self):
        self.words = {}
        for address in (RUN, DELIVERED, RECEIVED, GIVEN):
            self.words[address] = 0

    def __setitem__(self, address, value):
        self.words[address] = value

    def __getitem__(self, address):
        return self.words[address]


def largest(state):
    """Every field at its end, so that a step beyond 30 bits shows."""
    for name in FIELDS:
        setattr(state, name, 999_000_000)
    state.delivered_wh = 999_999_000
    state.received_wh = 999_999_000
    state.delivered_counts = state.received_counts = 31_000
    state.rolls = 200
    state.raw_1 = 0xFFFF00
    state.raw_2 = 0
    state.edges_10 = 99_999_000
    state.edges_100 = 9_999_000
    state.edges_1000 = 999_000
    state.counter_given = 9_999_000
    state.run_s = 1_000_000_000
    state.run_us = 0
    state.sub_k = 3_000_000
    state.periods = 60_000


def live(journal, log, scratch, state, wire, seconds):
    """Cycles with load, failing supply, events, a memory that goes away; nothing here may allocate."""
    for cycle in range(10 * seconds):
        state.run_us += 100_000
        if state.run_us == 1_000_000:
            state.run_us = 0
            state.run_s += 1
        state.delivered_wh = (state.delivered_wh + 2) % 1_000_000_000
        state.received_wh = (state.received_wh + 1) % 1_000_000_000
        state.raw_1 = (state.raw_1 + 64_000) & 0xFFFFFF
        state.edges_10 = (state.edges_10 + 1) % 100_000_000
        if cycle % 40 == 0:
            state.counter_given += 1
        if wire is not None:
            wire.away = 100 <= cycle < 200
        failing = cycle % 60 > 55
        if journal.step(state, failing) and not failing:
            journal.tidy()
        scratch.keep(state, journal.life, cycle & 63)
        log.run_s = state.run_s
        if cycle % 7 == 0:
            log.add(1 + cycle % 47, cycle, 0x3FFFFFFF - cycle)
        log.step()
        log.tidy()


def play(medium):
    """What is left after two starts, as text that must be alike everywhere."""
    wire = None
    if medium == "fram":
        wire = Wire()
        memory = regions.fram_memory(Fram(wire, 0x50, 8192))
        left = wire.memory
    else:
        raw = Raw()
        flash = Flash(raw)
        memory = regions.Memory(
            flash_regions.FlashRegion(flash, (0, 2, 4), layout.RECORD_BYTES),
            (
                flash_regions.FlashRegion(flash, (5, 6), layout.EVENT_BYTES),
                flash_regions.FlashRegion(flash, (7, 8), layout.EVENT_BYTES),
                flash_regions.FlashRegion(flash, (9, 10), layout.EVENT_BYTES),
            ),
            None,
            None,
        )
        left = raw.memory
    whose = records.identity(b"\xe6\x61\x01\x02\x03\x04\x05\x06", "MDNCT-1SC", "60Hz")
    registers = Registers()
    state = State()
    for start in range(2):
        journal = Journal(memory.journal, whose)
        found = journal.load(state)
        if found != (GOOD if start else BLANK):
            return "load gave %d" % found
        journal.start_life()
        if not start:
            largest(state)
        log = EventLog(memory.logs)
        log.load()
        scratch = ScratchRegisters(registers)
        micropython.heap_lock()
        try:
            live(journal, log, scratch, state, wire, 30)
        finally:
            micropython.heap_unlock()
        text = "%s %d saves %d errors " % (medium, journal.saves, journal.errors)
    return "%s%d %d %08x %s" % (
        text,
        log.held_back,
        len(log.entries()),
        check(left, len(left)),
        [getattr(state, name) for name in FIELDS],
    )
