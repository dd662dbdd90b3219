"""A rig for status and display without the rest of the meter: readings go in at the cycle's pace, the virtual
controller and glass stand at the other end, and a person reads them."""

import board

from boards.virtual.parts.glass import GlassReader
from boards.virtual.parts.ht1621 import Ht1621 as VirtualHt1621
from boards.virtual.parts.pcf85176 import Pcf85176 as VirtualPcf85176
from openkh import REVISION
from openkh.display.display import Display
from openkh.display.glass import Glass
from openkh.display.screens import Screens
from openkh.drivers.ht1621 import Ht1621
from openkh.drivers.pcf85176 import Pcf85176
from openkh.metrology.status import Status
from openkh.model import Model
from openkh.state import State

CYCLE_US = 100_000
REFRESH_US = 250_000


class Log:
    def __init__(self):
        self.entries = []

    def add(self, code, a=0, b=0):
        self.entries.append((code, a, b))


class Element:
    """One line's readings, from volts, amps and watts; energy counts carry their remainder from cycle to cycle."""

    def __init__(self, model):
        self.model = model
        self.active = self.reactive = 0
        self.fresh = True
        self.v_mv = model.nominal_mv
        self.i_ma = 0
        self.period_raw = 223_750 // model.hz - 1
        self.silent = self.altered = False
        self.fitted = True
        self.p_mw = self.q_mvar = 0
        self._rest = [0, 0]

    def set(self, volts=None, amps=None, watts=None, var=0.0):
        if volts is not None:
            self.v_mv = round(volts * 1000)
        if amps is not None:
            self.i_ma = round(amps * 1000)
        if watts is not None:
            self.p_mw = round(watts * 1000)
            self.q_mvar = round(var * 1000)

    def cycle(self, dt_us):
        self.active = self._counts(0, self.p_mw, dt_us)
        self.reactive = self._counts(1, self.q_mvar, dt_us)

    def _counts(self, which, milliwatts, dt_us):
        unit = 3600 * 1000 * 1_000_000  # mW * us in a Wh
        counts, self._rest[which] = divmod(self._rest[which] + milliwatts * dt_us * self.model.counts_per_wh, unit)
        return counts


class I2c:
    def __init__(self, device):
        self.device = device

    def writeto(self, address, data):
        if address != self.device.address or self.device.write(data) < 0:
            raise OSError(5)
        self.device.stop()


class GlassRig:
    def __init__(self, model="MDNCT-1SC", service="60Hz", startup=False, lcd="pcf85176"):
        self.model = Model(model, service)
        self.log = Log()
        self.state = State()
        self.status = Status(self.model, self.log)
        self.one = Element(self.model)
        self.two = Element(self.model) if self.model.elements == 2 else None
        self.screens = Screens(self.model, "261121", "000012345678", REVISION, startup)
        self.t_us = 0
        self.records = []  # (seconds, record)
        self.images = []  # (seconds, names of the dots lit)
        self.reader = GlassReader(board.GLASS, lambda t_us, record: self.records.append((t_us / 1e6, record)))
        if lcd == "pcf85176":
            self.controller = VirtualPcf85176()
            driver = Pcf85176(I2c(self.controller))
        else:
            self.controller = VirtualHt1621()
            driver = Ht1621(self.controller.set_cs, self.controller.set_wr, self.controller.set_data)
        self.controller.power(True)
        self.controller.on_refresh = self._refreshed
        self.display = Display(driver, self.screens, Glass(board.GLASS), self.status, self.log)
        self._next_cycle_us = CYCLE_US
        self._next_refresh_us = 0
        self._last_refresh_us = 0

    def _refreshed(self):
        image = self.controller.lit()
        self.images.append((self.t_us / 1e6, frozenset(self.reader.glass.lit(image))))
        self.reader.feed(self.t_us, image)

    def run(self, seconds):
        end_us = self.t_us + round(seconds * 1e6)
        while min(self._next_cycle_us, self._next_refresh_us) < end_us:
            self.t_us = min(self._next_cycle_us, self._next_refresh_us)
            if self.t_us == self._next_cycle_us:
                self._next_cycle_us += CYCLE_US
                self.one.cycle(CYCLE_US)
                if self.two is not None:
                    self.two.cycle(CYCLE_US)
                self.status.step(CYCLE_US, self.one, self.two)
            if self.t_us == self._next_refresh_us:
                self._next_refresh_us += REFRESH_US
                self.display.refresh(self.t_us - self._last_refresh_us, self.state)
                self._last_refresh_us = self.t_us
        self.t_us = end_us
        return self

    def line(self, number):
        return self.one if number == 1 else self.two

    def normal(self, amps=10.0):
        """Everything in order on every line."""
        for element in (self.one, self.two):
            if element is not None:
                volts = self.model.nominal_mv / 1000
                element.set(volts, amps, volts * amps)
        return self

    def said(self):
        """What the glass says now, told at once."""
        self.reader.finish(self.t_us)
        return self.reader.record

    def looks(self, seconds):
        """Sets of lit dots at each refresh of the next `seconds`."""
        start = len(self.images)
        self.run(seconds)
        return [lit for _, lit in self.images[start:]]
