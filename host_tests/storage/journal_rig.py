"""A journal that has run for a while, for the tests of it on both media."""

import pytest

from openkh.metrology.energy import ROLL_WH
from openkh.state import FIELDS, State
from openkh.storage import layout

MEDIA = ["fram", "flash"]
both = pytest.mark.parametrize("medium", MEDIA)


def fields(state):
    return [getattr(state, name) for name in FIELDS]


def advance(state, wh=1, seconds=0.1):
    """A cycle's worth of change."""
    state.delivered_wh = (state.delivered_wh + wh) % ROLL_WH
    state.delivered_counts = (state.delivered_counts + 7) % 32_000
    us = state.run_us + round(seconds * 1e6)
    state.run_s += us // 1_000_000
    state.run_us = us % 1_000_000


def started(rig, state=None):
    journal = rig.journal()
    journal.load(state or State())
    return journal


def filled(rig, saves=200):
    """A meter that has run for a while; its state."""
    state = State()
    journal = started(rig, state)
    for _ in range(saves):
        advance(state, 100, 60)
        assert journal.step(state, False)
        journal.tidy()
        assert not journal.step(state, False)  # reads back on FRAM
    return journal, state


def slots_of(rig):
    """(start, length) of every journal slot in the chip's memory, by slot number."""
    region = rig.memory().journal
    if rig.medium == "fram":
        return [(region._first + slot * region._stride, layout.RECORD_BYTES) for slot in range(region.slots)]
    where = []
    for slot in range(region.slots):
        page, place = divmod(slot % region.group, region._per_page)
        at = region.blocks[slot // region.group] * 4096 + page * 256 + place * layout.RECORD_BYTES
        where.append((at, layout.RECORD_BYTES))
    return where


def damage(rig, slot):
    at, size = slots_of(rig)[slot]
    rig.chip.memory[at + size // 2] ^= 0x11
