"""The firmware's storage on the simulated memories, without the rest of the meter: for campaigns and tests.

Runs on CPython and MicroPython.
"""

from boards.virtual.parts.fram import Fram as FramChip
from boards.virtual.rp2040.flash import Flash as FlashChip
from openkh.drivers.flash import Flash, find
from openkh.drivers.fram import Fram
from openkh.storage import flash_regions, layout, records, regions
from openkh.storage.events import EventLog
from openkh.storage.journal import Journal
from openkh.storage.vault import Vault

BOARD = b"\xe6\x61\x01\x02\x03\x04\x05\x06"
FIRST_BLOCK = 10


class Cut(BaseException):
    """The supply is gone in the middle of what ran."""


class Wire:
    """machine.I2C's calls straight to one memory."""

    def __init__(self, chip):
        self._chip = chip

    def writeto(self, _address, buf, _stop=True):
        count = self._chip.write(buf)
        if count < 0:
            raise OSError(5)
        return count

    def readfrom_into(self, _address, buf, _stop=True):
        if not self._chip.read(buf):
            raise OSError(5)


class Rig:
    """A memory ("fram" or "flash") that stays while boot() after boot() takes it up. `blocks`: of a flash journal."""

    def __init__(self, medium, seed=1, blocks=96, count_wear=False):
        self.medium = medium
        self._journal_blocks = blocks
        if medium == "fram":
            self.chip = FramChip(8192 if layout.FRAM_JOURNAL[0] < 8192 else layout.FRAM_32K, seed, count_wear)
        else:
            self.chip = FlashChip(160, None, seed)
            self.chip.prepare(layout.FLASH_BLOCKS, FIRST_BLOCK)
        self.chip.on_cut = self._cut

    def memory(self):
        """The regions, as the firmware lays them out."""
        if self.medium == "fram":
            return regions.fram_memory(Fram(Wire(self.chip), 0x50, self.chip.size))
        blocks = find(self.chip)
        memory = flash_regions.flash_memory(Flash(self.chip), blocks)
        if self._journal_blocks < 96:
            last = blocks[-self._journal_blocks :]
            memory.journal = flash_regions.FlashRegion(Flash(self.chip), last, layout.RECORD_BYTES)
        return memory

    def journal(self, code="MDNCT-1SC", service="60Hz", board=BOARD):
        """A journal as after a start, not loaded yet."""
        return Journal(self.memory().journal, records.identity(board, code, service))

    def log(self):
        """An event log, not loaded yet."""
        memory = self.memory()
        return EventLog(memory.logs)

    def vault(self, board=BOARD):
        """The vault of the calibration, not loaded yet."""
        return Vault(self.memory().calibration, records.identity(board, "", ""))

    def power(self, on):
        """The supply."""
        self.chip.cut_in = -1
        self.chip.power(on)

    def _cut(self):
        raise Cut
