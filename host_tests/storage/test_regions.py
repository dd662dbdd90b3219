"""What lies where in a memory, and what it has room for: flash that an earlier firmware laid out has fewer blocks (ST,
AM-1, AM-6)."""

import pytest

from host.rigs.memory_rig import Rig
from openkh.drivers.flash import Flash
from openkh.state import State
from openkh.storage import flash_regions, layout, verdict
from openkh.storage.journal import Journal

WITHOUT_SEALS = layout.FLASH_BLOCKS - layout.FLASH_SEAL_BLOCKS


@pytest.mark.parametrize(
    ("blocks", "port", "seals"),
    [(layout.FLASH_BLOCKS, True, True), (WITHOUT_SEALS, True, False), (WITHOUT_SEALS - 1, False, False)],
)
def test_AM_6_flash_has_interval_data_and_settings_of_the_port_where_the_map_has_blocks_for_them(blocks, port, seals):
    memory = flash_regions.flash_memory(None, tuple(range(10, 10 + blocks)))
    assert (memory.port is not None, memory.intervals is not None) == (port, port)
    assert (memory.logs[2].slots > 0) == seals
    if port:
        of_intervals = range(10 + WITHOUT_SEALS - layout.FLASH_INTERVAL_BLOCKS, 10 + WITHOUT_SEALS)
        assert memory.intervals._blocks == tuple(of_intervals)
        assert memory.port.blocks == (of_intervals[0] - 2, of_intervals[0] - 1)


def test_ST_2_the_regions_of_a_fram_do_not_overlap_and_end_with_it():
    names = ("CALIBRATION", "EVENTS", "SERVICE_EVENTS", "SEAL_EVENTS", "FACTORY", "JOURNAL", "PORT")
    places = [getattr(layout, "FRAM_" + name) for name in names]
    first, pages = layout.FRAM_INTERVALS
    parts = sorted([*((at, at + slots * size) for at, slots, size in places), (first, first + 256 * pages)])
    assert all(one[1] <= two[0] for one, two in zip(parts, parts[1:], strict=False))
    assert parts[0][0] >= 0 and parts[-1][1] <= layout.FRAM_32K


def test_ST_1_what_is_no_record_of_an_older_layout_is_not_taken_for_one():
    """A block that begins with something unreadable, as a first record leaves it that was cut off."""
    rig = Rig("flash")
    today = rig.journal()
    older = flash_regions.FlashRegion(Flash(rig.chip), today._region.blocks, layout.RECORD_BYTES - 1)
    rig.chip.memory[today._region.blocks[0] * 4096 + 5] = 0
    journal = Journal(today._region, today.identity, ((older, layout.RECORD_FORMAT - 1, 20),))
    assert journal.load(State()) == verdict.BLANK
    assert (journal._scan._older_blocks, journal.damaged) == (0, 1)
