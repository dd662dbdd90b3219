"""Composition root: the only place that builds hardware objects and wires the parts together."""

from time import sleep_ms

import board
import machine
import micropython
from machine import ADC, I2C, SPI, WDT, Pin, Timer

from openkh import REVISION
from openkh.calibration import Calibration
from openkh.calibration import check as check_calibration
from openkh.cycle import PERIOD_MS, Cycle
from openkh.drivers import i2c_clear
from openkh.drivers.ade7953 import Ade7953, lock_all
from openkh.drivers.ade7953_link import SPI_MODE
from openkh.drivers.pulse_port import PulsePort
from openkh.metrology.demand import Demand
from openkh.metrology.element import Element
from openkh.metrology.status import Status
from openkh.model import Model
from openkh.outputs.counter import Counter
from openkh.outputs.pulses import Pulses
from openkh.outputs.rail12 import Rail12
from openkh.service.seal import Seal
from openkh.start import TRIES, TRY_MS, Stored, Who, report_damage, take_up
from openkh.state import State
from openkh.storage import records, regions, vault
from openkh.storage.events import EventLog
from openkh.storage.journal import Journal
from openkh.storage.scratch import Scratch
from openkh.supply import Supply
from openkh.ticks import ticks_diff, ticks_us

GUARD_MS = 2  # 12 V current and bulk voltage (CO-3)
I2C_TIMEOUT_US = 5000

meter: "Meter | None" = None
"""The running meter, for the prompt."""


class Meter:
    """All parts of the meter, wired; `start` sets it going. A supply that had been off starts run time anew (MD-4)."""

    def __init__(self, seal: Seal, asked: int, watchdog: WDT) -> None:
        """`asked`: what the restart that led here was asked for. `watchdog`: runs."""
        self.watchdog = watchdog
        self.seal = seal
        self.memory = _memory()
        self.log = EventLog(self.memory.events, self.memory.service_events)
        self.log.load()

        self.factory = vault.Vault(self.memory.factory, records.identity(machine.unique_id(), "", ""))
        who = Who(self.factory, self.memory.journal)
        self.identity = who.identity
        self.provisioned = who.provisioned
        self.factory_damaged = who.damaged
        self.unread = who.unread
        self.model = Model(self.identity.code, self.identity.service)
        self.status = Status(self.model, self.log)

        state = State()
        self.scratch = Scratch(machine.mem32)
        self.journal = Journal(
            self.memory.journal, records.identity(machine.unique_id(), self.model.code, self.model.service)
        )
        self._continued = False
        if self.provisioned:
            self._continued = take_up(self.journal, self.scratch, state, self.model, self.log, self.status, asked)
        else:
            self.journal.off = True
            self.journal.unread = self.unread
        seal.note(self.log)

        self.calibration_vault = vault.Vault(self.memory.calibration, records.identity(machine.unique_id(), "", ""))
        stored = Stored(self.calibration_vault, (Calibration(), Calibration()), who, self.model.hz)
        self.stored = stored.lines
        self.calibration = (Calibration(), Calibration())  # in force
        for n in range(2):
            self.calibration[n].take(self.stored[n])
        self.calibrated = stored.found
        self.calibration_count = stored.count
        self.calibration_date = stored.date
        report_damage(who, stored, self.status, self.log)
        self._buses: dict[int, SPI] = {}  # by controller: two front ends may share one
        self._chips: list[Ade7953] = []
        self.elements = tuple(self._element(n) for n in range(self.model.elements))

        self.supply = Supply(ADC(board.ADC_BULK), board.BULK_DIVIDER, self.log)
        self.pulses = Pulses(
            PulsePort(0, Pin(board.PIN_OPTO_10), 2),
            PulsePort(1, Pin(board.PIN_OPTO_100)),
            PulsePort(2, Pin(board.PIN_OPTO_1000)),
            self.model.counts_per_wh,
        )
        self.rail12 = Rail12(
            ADC(board.ADC_RAIL12), Pin(board.PIN_RAIL12_ENABLE, Pin.OUT, value=0), self.log, board.RAIL12_UV_PER_MA
        )
        self.cycle = Cycle(
            self.model,
            state,
            self.elements,
            Demand(self.model),
            self.status,
            self.supply,
            self.pulses,
            Counter(self.model.counter_wh),
            Pin(board.PIN_COUNTER, Pin.OUT, value=0),
            self.rail12,
            self.journal,
            self.scratch,
            self.log,
            self.watchdog,
            seal,
        )
        # Bound methods made once: making one in a callback would take heap.
        self._run = self.cycle.run
        self._timers = (Timer(-1), Timer(-1), Timer(-1))
        self._shown_us = 0
        self.display_errors = 0

    @property
    def state(self) -> State:
        """The state as committed last."""
        return self.cycle.state

    # Start

    def start(self) -> None:
        """Bring the chips up and start the timers; metering goes on from there by itself."""
        if len(self._buses) < self.model.elements:
            lock_all(tuple(self._chips))
        else:
            for chip in self._chips:
                chip.begin()
        tried = False
        for n in range(self.model.elements):
            tried = self._start_element(n, self.state.raw_2 if n else self.state.raw_1) or tried
        if tried:
            from openkh.service.requests import Apply

            self.cycle.request = Apply(self, self.stored, True)
        if self.unread:
            from openkh.reread import Reread

            self.cycle.request = Reread(self)
        now_us = ticks_us()
        self.cycle.start(now_us, self.scratch.shown)
        self.rail12.start(now_us)
        # Before anything can interrupt: two cycles, one inside the other, would book twice.
        self._run()
        cycle, display, guard = self._timers
        guard.init(mode=Timer.PERIODIC, period=GUARD_MS, callback=self._guard, hard=True)
        cycle.init(mode=Timer.PERIODIC, period=PERIOD_MS, callback=self._run, hard=False)
        for front_end in board.FRONT_ENDS[: self.model.elements]:
            Pin(front_end[5], Pin.IN, Pin.PULL_UP).irq(self._run, Pin.IRQ_FALLING)
        # Loaded last: metering need not wait 0.2 s for the display's modules.
        from openkh.display.display import Display
        from openkh.display.glass import Glass
        from openkh.display.screens import STEP_MS, Screens

        screens = Screens(self.model, self.identity.date, self.identity.serial, REVISION, not self._continued)
        self.display = Display(_controller(), screens, Glass(board.GLASS), self.status, self.log)
        self._shown_us = ticks_us()
        self._refresh()
        display.init(mode=Timer.PERIODIC, period=STEP_MS, callback=self._refresh, hard=False)

    def _guard(self, _timer: object = None) -> None:
        """2 ms, in the interrupt: 12 V current and bulk voltage; a failing supply has the cycle run at once."""
        self.rail12.sample()
        supply = self.supply
        raw = supply.read()
        supply.raw = raw
        if (raw < supply.low or supply.bulk_low) and supply.sample():
            try:
                micropython.schedule(self._run, None)
            except RuntimeError:
                pass  # the queue is full: the cycle is in it

    def _refresh(self, _timer: object = None) -> None:
        """The display's task; whatever happens in it, metering goes on (LC-6)."""
        now_us = ticks_us()
        self.cycle.display_us = now_us
        dt_us = ticks_diff(now_us, self._shown_us)
        self._shown_us = now_us
        try:
            self.display.refresh(dt_us, self.cycle.state)
        except Exception as error:
            self.display_errors += 1
            self.cycle.last_error = error

    def _start_element(self, n: int, raw: int) -> bool:
        """Bring a chip up. True if it runs on with a calibration that was tried and not stored: it is taken over with
        it, so that its counts are kept (EN-2)."""
        element = self.elements[n]
        found = Calibration()
        if raw >= 0 and element.found(found) and not found.equals(self.calibration[n]):
            try:
                check_calibration(found, self.model.hz)
            except ValueError:
                pass  # it has been reset, or is not ready
            else:
                self.calibration[n].take(found)
                element.calibrate(found)
                element.start(raw)
                return True
        element.start(raw)
        return False

    # Parts

    def _element(self, n: int) -> Element:
        number, sck, mosi, miso, cs, irq, reset = board.FRONT_ENDS[n]
        if number not in self._buses:
            self._buses[number] = SPI(
                number,
                baudrate=board.SPI_HZ,
                polarity=SPI_MODE >> 1,
                phase=SPI_MODE & 1,
                sck=Pin(sck),
                mosi=Pin(mosi),
                miso=Pin(miso),
            )
        chip = Ade7953(
            self._buses[number],
            Pin(cs, Pin.OUT, value=1),
            Pin(irq, Pin.IN, Pin.PULL_UP),
            Pin(reset, Pin.OUT, value=1),
        )
        self._chips.append(chip)
        element = Element(chip, self.model, n, self.log)
        element.calibrate(self.calibration[n])
        return element


def _memory() -> regions.Memory:
    if board.MEMORY == "flash":
        import rp2

        from openkh.drivers import flash

        device = rp2.Flash()
        blocks = flash.find(device)
        for _ in range(TRIES):
            if blocks:
                break
            sleep_ms(TRY_MS)
            blocks = flash.find(device)
        return regions.flash_memory(flash.Flash(device), blocks)
    from openkh.drivers.fram import Fram

    return regions.fram_memory(Fram(_i2c(board.I2C_MEMORY, board.I2C_MEMORY_HZ), board.FRAM_ADDRESS, board.FRAM_BYTES))


def _controller():  # type: ignore[no-untyped-def]
    """The display controller that the board names; None where it has none (LC-6)."""
    if board.DISPLAY == "pcf85176":
        from openkh.drivers.pcf85176 import Pcf85176

        return Pcf85176(_i2c(board.I2C_DISPLAY, board.I2C_DISPLAY_HZ), board.PCF85176_ADDRESS)
    if board.DISPLAY == "ht1621":
        from openkh.drivers.ht1621 import Ht1621

        cs, wr, data = board.HT1621_PINS
        return Ht1621(Pin(cs, Pin.OUT, value=1), Pin(wr, Pin.OUT, value=1), Pin(data, Pin.OUT, value=1))
    return None


def _i2c(wires: "tuple[int, int, int]", hertz: int) -> I2C:
    number, scl, sda = wires
    i2c_clear.clear(Pin(scl, Pin.OPEN_DRAIN, value=1), Pin(sda, Pin.OPEN_DRAIN, value=1))
    return I2C(number, scl=Pin(scl), sda=Pin(sda), freq=hertz, timeout=I2C_TIMEOUT_US)


def start(asked: int, watchdog: WDT) -> bool:
    """Start the meter. `asked`: what the restart that led here was asked for. True where the seal is closed."""
    global meter
    micropython.alloc_emergency_exception_buf(100)
    meter = Meter(Seal(Pin(board.PIN_SEAL, Pin.IN, Pin.PULL_UP)), asked, watchdog)
    meter.start()
    return meter.seal.closed
