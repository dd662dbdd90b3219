"""The board's non-volatile memory seen from outside: what a new meter's holds before its first start, and the event log
for the report. It is written and read by the firmware's own storage modules, and takes no simulated time.
"""

from boards.virtual.rp2040 import flash

DATE = "260131"  # of the virtual meters, YYMMDD
SERIAL = "000000000042"


class _BareFram:
    """What openkh.drivers.fram.Fram offers, but directly on the memory's bytes, without a bus."""

    def __init__(self, memory):
        self._memory = memory
        self.size = len(memory)

    def works(self):
        """Whether the memory takes what is written: always."""
        return True

    def write(self, at, buf):
        """Write what follows the first two bytes of `buf`, which are room for the address, as the driver does."""
        self._memory[at : at + len(buf) - 2] = buf[2:]
        return True

    def read(self, at, buf):
        """Fill `buf` from address `at` on."""
        buf[:] = self._memory[at : at + len(buf)]
        return True


def regions_of(kind, memory):
    """The firmware's regions on the memory model `memory` ("fram" or "flash")."""
    from openkh.storage import regions

    if kind == "fram":
        return regions.fram_memory(_BareFram(memory.memory))
    from openkh.drivers import flash as driver
    from openkh.storage import flash_regions

    bare = flash.Flash(memory.blocks)
    bare.memory = memory.memory
    return flash_regions.flash_memory(driver.Flash(bare), driver.find(bare))


def new_meter(kind, memory, unique_id, model, delivered_wh):
    """Write what a meter has when it leaves the factory: its identity, and a register at `delivered_wh` with counter
    and edges in step with it."""
    from openkh.identity import Identity
    from openkh.storage import layout, records
    from openkh.storage.vault import Vault

    if kind == "flash":
        memory.prepare(layout.FLASH_BLOCKS)
    parts = regions_of(kind, memory)
    vault = Vault(parts.factory, records.identity(unique_id, "", ""))
    vault.load()
    _done(vault.put(Identity(DATE, SERIAL, model.code, model.service).pack()))
    if delivered_wh:
        _done(_journal(parts, unique_id, model, delivered_wh))


def _journal(parts, unique_id, model, delivered_wh):
    from openkh.state import State
    from openkh.storage import records
    from openkh.storage.journal import Journal

    journal = Journal(parts.journal, records.identity(unique_id, model.code, model.service))
    state = State()
    journal.load(State())
    state.delivered_wh = delivered_wh
    state.edges_10 = delivered_wh // 10
    state.edges_100 = delivered_wh // 100
    state.edges_1000 = delivered_wh // 1000
    state.counter_given = delivered_wh // model.counter_wh
    return journal.save(state)


def _done(done):
    if not done:
        raise RuntimeError("the new meter's memory does not take its first data")


def events(kind, memory):
    """The log's entries, oldest first, as (order, run_s, code, a, b)."""
    from openkh.storage.events import EventLog

    parts = regions_of(kind, memory)
    log = EventLog(parts.logs)
    log.load()
    return log.entries()
