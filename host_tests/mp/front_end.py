"""A front end on a rig: simulated chips on an SPI bus, the firmware's driver and elements, and a small cycle.

Runs on CPython and MicroPython alike.
"""

import sys

from boards.virtual.ade7953.chip import Ade7953 as Chip
from boards.virtual.rp2040.buses import SpiBus
from boards.virtual.rp2040.clock import Clock
from boards.virtual.standins import simtime


class _Time:
    """The module `time` as the firmware sees it."""

    ticks_us = simtime.ticks_us
    ticks_diff = simtime.ticks_diff
    ticks_add = simtime.ticks_add
    sleep_us = simtime.sleep_us


def _aside():
    """Take the firmware and `time` out of sys.modules."""
    names = [name for name in sys.modules if name == "time" or name.split(".")[0] == "openkh"]
    return {name: sys.modules.pop(name) for name in names}


# A copy of the firmware of our own, on simulated time, whatever other tests have imported before or will import.
_others = _aside()
sys.modules["time"] = _Time
from openkh.drivers import ade7953, ade7953_config, ade7953_link  # noqa: E402, F401
from openkh.drivers.ade7953 import Ade7953, FrontEndError, lock_all  # noqa: E402, F401
from openkh.metrology import element as element_module  # noqa: E402, F401
from openkh.metrology import recovery  # noqa: E402, F401
from openkh.metrology.element import Element  # noqa: E402
from openkh.model import WGAIN_NOMINAL, Model  # noqa: E402

_aside()
sys.modules.update(_others)


class Wire:
    """A pin as the firmware calls it, and as the simulated bus listens to it."""

    def __init__(self, level=1):
        self.level = level
        self._listeners = []

    def __call__(self, level=None):
        if level is not None and level != self.level:
            self.level = level
            for fn in self._listeners:
                fn(level, 0)
        return self.level

    def quiet(self):
        pass

    def listen(self, fn):
        self._listeners.append(fn)

    def drive(self, level):
        self.level = 1 if level is None else level


class Spi:
    """machine.SPI at 4 MHz, as far as the driver needs it. Counts frames; `meddle(tx, rx)` may spoil them."""

    def __init__(self, clock, bus):
        self._clock = clock
        self._bus = bus
        self.frames = 0
        self.meddle = None

    def write_readinto(self, tx, rx):
        self.frames += 1
        self._clock.spend(2 * len(tx) + 2)
        self._bus.exchange(tx, rx)
        if self.meddle is not None:
            self.meddle(tx, rx)


class Log:
    def __init__(self):
        self.events = []

    def add(self, code, a=0, b=0):
        self.events.append((code, a, b))

    def codes(self):
        return [event[0] for event in self.events]


class Calibration:
    def __init__(self, wgain=WGAIN_NOMINAL, phcal=0, wattos=0, vgain=0x400000, igain=0x400000):
        self.wgain = wgain
        self.phcal = phcal
        self.wattos = wattos
        self.vgain = vgain
        self.igain = igain


class Line:
    """One element with its chip, polled as the measuring cycle does it."""

    def __init__(self, chip, driver, element, spi, bus, irq):
        self.chip = chip
        self.spi = spi
        self.bus = bus
        self.irq = irq
        self.driver = driver
        self.element = element
        self.raw = -1
        self.total = 0  # counts booked
        self.first = 0  # the chip's own count when metering began

    def error(self):
        """Booked less counted."""
        return self.total - (self.chip.counted_total() - self.first)


class FrontEndRig:
    """`chips` chips, each on a bus of its own or all on one (`shared`); time starts shortly before the tick wrap."""

    def __init__(
        self,
        chips=1,
        shared=False,
        code="MDNCT-1SC",
        service="60Hz",
        seed=1,
        ticks_us=(1 << 30) - 2000000,
        **settings,
    ):
        """settings: of every chip (boards/virtual/ade7953/flaws.py)."""
        self.clock = Clock()
        simtime.attach(self.clock, ticks_us)
        self.model = Model(code, service)
        self.log = Log()
        self.lines = []
        self.shared = shared
        self._began_us = 0
        bus = None
        for n in range(chips):
            if bus is None or not shared:
                bus = SpiBus()
                spi = Spi(self.clock, bus)
            irq = Wire()
            chip = Chip(self.clock, irq.drive, seed + n, **settings)
            cs = Wire()
            bus.attach(chip, cs)
            reset = Wire()
            chip.reset_pin(1)
            reset.listen(lambda level, _t_us, chip=chip: chip.reset_pin(level))
            driver = Ade7953(spi, cs, irq, reset)
            chip.power(True)
            self.lines.append(Line(chip, driver, Element(driver, self.model, n, self.log), spi, bus, irq))
        self.line = self.lines[0]
        self.chip = self.line.chip
        self.driver = self.line.driver
        self.element = self.line.element
        self.spi = self.line.spi
        self.bus = self.line.bus
        self.irq = self.line.irq

    def drive(self, volts=120.0, amps=10.0, cosine=1.0, sine=0.0, hz=60, line=0):
        """Mains on a line, in primary quantities."""
        v = 1000.0 * volts / self.model.full_scale_mv
        i = 1000.0 * amps / self.model.full_scale_ma
        self.lines[line].chip.drive(v, i, v * i * cosine, v * i * sine, hz)

    def start(self, calibration=None):
        """Power-up. Counted and booked are compared from the first reading on."""
        for line in self.lines:
            line.element.calibrate(calibration or Calibration())
        if self.shared:
            lock_all([line.driver for line in self.lines])
        for line in self.lines:
            line.element.start(line.raw)
        self._began_us = self.clock.now_us
        self.settle()

    def settle(self):
        """Take the load away, and compare counted and booked from here on."""
        for n in range(len(self.lines)):
            self.drive(amps=0, line=n)
        self.run(3)
        for line in self.lines:
            line.total = 0
            line.first = line.chip.counted_total()

    def cycle(self, line):
        """One measuring cycle of one line: poll, book, and what is left for after it."""
        line.element.poll(line.raw, simtime.ticks_us())
        line.total += line.element.active
        line.raw = line.element.raw
        if line.element.high:
            line.element.take_down()

    def run(self, cycles, period_us=100000):
        """Cycles of all lines, each begun a period after the one before."""
        for _ in range(cycles):
            self._began_us = max(self._began_us + period_us, self.clock.now_us)
            self.clock.sleep(self._began_us - self.clock.now_us)
            for line in self.lines:
                self.cycle(line)

    def poll(self):
        """A cycle of line 1 that is interrupted before it stores anything."""
        self._began_us += 100000
        self.clock.sleep(self._began_us - self.clock.now_us)
        self.element.poll(self.line.raw, simtime.ticks_us())

    def error(self, line=0):
        """Counts booked more than counted, after a cycle without load."""
        self.drive(amps=0, line=line)
        self.run(3)
        return self.lines[line].error()
