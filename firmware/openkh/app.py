"""Composition root: builds the parts for the board's pins and buses, takes up what is stored, and sets the meter going.

The order matters. The log is loaded first, so that whatever the start finds can be logged. Next it is found out what
the meter is, because this decides which records are its own. The front ends are brought up last before the first cycle.
What works beside the cycle is built after it (startup/beside.py).
"""

import gc
from time import sleep_ms

import board
import machine
import micropython
from machine import ADC, SPI, WDT, Pin

from openkh import bound
from openkh.calibration import Calibration
from openkh.cycle import Cycle
from openkh.drivers import i2c_bus
from openkh.drivers.ade7953 import Ade7953
from openkh.drivers.ade7953_link import SPI_MODE
from openkh.drivers.pulse_port import PulsePort
from openkh.meter import Meter
from openkh.metrology.corrected_lines import CorrectedLines
from openkh.metrology.correction import Correction
from openkh.metrology.demand import Demand
from openkh.metrology.element import Element
from openkh.metrology.status import Status
from openkh.model import Model
from openkh.outputs.counter import Counter
from openkh.outputs.pulses import Pulses
from openkh.outputs.rail12 import Rail12
from openkh.seal import Seal
from openkh.startup import front_ends, stored_data
from openkh.startup.chip_notes import ChipNotes
from openkh.startup.resuming import Resuming
from openkh.startup.scratch_registers import ScratchRegisters
from openkh.state import State
from openkh.storage import records, regions, vault
from openkh.storage.events import EventLog
from openkh.storage.journal import Journal
from openkh.supply import Supply
from openkh.tasks import Tasks
from openkh.ticks import ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.remote.settings import Settings
    from openkh.seal import Switch

meter: "Meter | None" = None
"""The running meter, for the prompt."""


def start(asked: int, watchdog: WDT, seal: "Switch") -> bool:
    """Start the meter. `asked`: what the restart that led here was asked for (startup/restart.py); `watchdog`: runs
    already; `seal`: its switch. Returns True where the seal is closed."""
    global meter
    gc.collect()  # of what the imports have left, so that the parts find room between the modules
    micropython.alloc_emergency_exception_buf(100)
    bound.later()
    parts = Meter()
    parts.watchdog = watchdog
    parts.seal = Seal(seal)
    parts.seal.look()
    state = State()
    chips = _front_ends()
    note = ChipNotes(chips).read()
    front_ends.begin(chips)
    _take_up(parts, state, asked, note)
    chips = chips[: parts.model.elements]
    parts.notes = ChipNotes(chips)
    _elements(parts, chips)
    _outputs(parts)
    parts.cycle = Cycle(parts, state)
    parts.tasks = Tasks(parts.cycle, parts.rail12, parts.supply)
    meter = parts
    _go(parts, chips, asked)
    return parts.seal.closed


def _take_up(meter: Meter, state: State, asked: int, note: int) -> None:
    """Read what the memory holds: the log, what the meter is, its register and run time (into `state`), its
    calibration. `note`: ChipNotes.read."""
    memory = _memory()
    meter.memory = memory
    meter.log = EventLog(memory.logs)
    meter.log.load()

    of_board = records.identity(machine.unique_id(), "", "")
    meter.factory_vault = vault.Vault(memory.factory, of_board)
    meter.factory = stored_data.FactoryData()
    meter.factory.read(meter.factory_vault, memory, meter.log)
    model = Model(meter.factory.identity.code, meter.factory.identity.service)
    meter.model = model
    meter.status = Status(model, meter.log)

    meter.registers = ScratchRegisters(machine.mem32)
    whose = records.identity(machine.unique_id(), model.code, model.service)
    meter.journal = Journal(memory.journal, whose, memory.older_journals)
    meter.resuming = Resuming()
    if meter.factory.newer:
        meter.journal.leave_unread()
        meter.log.leave_off()
    elif meter.factory.provisioned:
        meter.resuming.take_up(state, meter.journal, meter.registers, model, meter.log, meter.status, asked, note)
    elif meter.factory.unread:
        meter.journal.leave_unread()
    else:
        meter.journal.leave_off()
    meter.seal.note(meter.log)

    meter.calibration_vault = vault.Vault(memory.calibration, of_board)
    meter.stored = stored_data.StoredCalibration()
    if not meter.factory.unread and not meter.factory.newer:
        meter.stored.read(meter.calibration_vault, model.hz, meter.log)
    meter.calibration = (Calibration(), Calibration())
    for n in range(2):
        meter.calibration[n].take(meter.stored.lines[n])
    stored_data.report_damage(meter.factory, meter.stored, meter.status, meter.log)


def _front_ends() -> "tuple[Ade7953, ...]":
    """Drivers of all front ends that the board has room for, one for each line. No chip is accessed yet."""
    buses: dict[int, SPI] = {}  # by controller, because two front ends may share one
    chips = []
    for number, sck, mosi, miso, cs, irq, reset in board.FRONT_ENDS:
        if number not in buses:
            buses[number] = SPI(
                number,
                baudrate=board.SPI_HZ,
                polarity=SPI_MODE >> 1,
                phase=SPI_MODE & 1,
                sck=Pin(sck),
                mosi=Pin(mosi),
                miso=Pin(miso),
            )
        chips.append(
            Ade7953(
                buses[number],
                Pin(cs, Pin.OUT, value=1),
                Pin(irq, Pin.IN, Pin.PULL_UP),
                Pin(reset, Pin.OUT, value=1),
            )
        )
    return tuple(chips)


def _elements(meter: Meter, chips: "tuple[Ade7953, ...]") -> None:
    """What measures with each front end, with its calibration and its corrections."""
    meter.elements = tuple([Element(chips[n], meter.model, n, meter.log) for n in range(len(chips))])
    corrections = []
    for n in range(len(chips)):
        meter.elements[n].calibrate(meter.calibration[n])
        corrections.append(Correction(meter.model, meter.calibration[n]))
    meter.corrected = CorrectedLines(meter.elements, tuple(corrections))


def _outputs(meter: Meter) -> None:
    """Build demand, supply, pulse outputs, counter and 12 V."""
    model = meter.model
    meter.demand = Demand(model, meter.log)
    meter.supply = Supply(ADC(board.ADC_BULK), board.BULK_DIVIDER, model.nominal_mv, meter.log)
    meter.pulses = Pulses(
        PulsePort(0, Pin(board.PIN_OPTO_10), 2),
        PulsePort(1, Pin(board.PIN_OPTO_100)),
        PulsePort(2, Pin(board.PIN_OPTO_1000)),
        model,
        meter.journal.erases,
    )
    meter.counter = Counter(model.counter_wh)
    meter.coil = Pin(board.PIN_COUNTER, Pin.OUT, value=0)
    meter.rail12 = Rail12(
        ADC(board.ADC_RAIL12), Pin(board.PIN_RAIL12_ENABLE, Pin.OUT, value=0), meter.log, board.RAIL12_UV_PER_MA
    )


def _go(meter: Meter, chips: "tuple[Ade7953, ...]", asked: int) -> None:
    """Bring the chips up and start the timers, by which metering goes on from here; then build what works beside
    it."""
    if front_ends.bring_up(meter, chips):
        from openkh.service.requests import Apply

        meter.cycle.request = Apply(meter, meter.stored.lines, True)
    if meter.factory.unread:
        from openkh.startup.late_memory import LateMemory

        meter.cycle.request = LateMemory(meter, asked)
    now_us = ticks_us()
    meter.cycle.start(now_us)
    meter.rail12.start(now_us)
    # The first cycle runs before anything can interrupt it: a cycle within another one would book counts twice.
    meter.cycle.run()
    port = _port_settings(meter)
    irqs = [Pin(front_end[5], Pin.IN, Pin.PULL_UP) for front_end in board.FRONT_ENDS[: len(chips)]]
    meter.tasks.start_metering(tuple(irqs))
    gc.collect()
    from openkh.startup import beside

    beside.start(meter, port)


def _memory() -> regions.Memory:
    """The regions of the board's memory. Flash in which no blocks are found is looked through again for a second."""
    if board.MEMORY == "flash":
        import rp2

        from openkh.drivers import flash
        from openkh.storage.flash_regions import flash_memory

        device = rp2.Flash()
        blocks = flash.find(device)
        for _ in range(stored_data.TRIES):
            if blocks:
                break
            sleep_ms(stored_data.TRY_MS)
            blocks = flash.find(device)
        return flash_memory(flash.Flash(device), blocks)
    from openkh.drivers.fram import Fram

    bus = i2c_bus.opened(board.I2C_MEMORY, board.I2C_MEMORY_HZ)
    return regions.fram_memory(Fram(bus, board.FRAM_ADDRESS, board.FRAM_BYTES))


def _port_settings(meter: Meter) -> "tuple[Settings, vault.Vault | None] | None":
    """The settings of the RS-485 port and the vault with them; None where the board has no port (AM-1). Called after
    the first cycle, and before the timers ask for others: it reads the memory, and a cycle would do that in between."""
    if board.RS485 is None:
        return None
    from openkh.remote import settings

    region = meter.memory.port
    store = None if region is None else vault.Vault(region, records.identity(machine.unique_id(), "", ""))
    return settings.load(store, meter.log), store
