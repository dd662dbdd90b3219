"""Every value that the RS-485 port gives, taken from one committed state of the meter (AM-3 to AM-5).

The attributes have the names of the table of registers (docs/modbus.md), where their units and ranges are told. All are
integers below 2^30, or bytes. `take` takes no heap.
"""

from openkh import REVISION
from openkh.drivers.ade7953_registers import PERIOD_CLOCK_MILLIHZ
from openkh.fixed import muldiv
from openkh.metrology.status import BAD_POWER_FACTOR, LOW_VOLTAGE, OVER_CURRENT, OVER_VOLTAGE, REVERSE
from openkh.remote.layout import MAP_VERSION, SOURCES

INTERVAL_S = 900  # of run time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openkh.meter import Meter
    from openkh.metrology.element import Element
    from openkh.metrology.status import Line
    from openkh.state import State

# What stands for a value that does not exist, by the type of its register (SunSpec's "not implemented").
NO_U16 = 0xFFFF
NO_I16 = -0x8000
NO_U32 = -1
NO_I32 = -0x80000000

_INT16 = 0x7FFF
_LEAST_MVA = 1000  # below 1 VA there is no power factor

_LOW_VOLTAGE = 1 << 3  # of SunSpec's Evt
_BAD_POWER_FACTOR = 1 << 4
_OVER_CURRENT = 1 << 5
_OVER_VOLTAGE = 1 << 6
_SENSOR_MISSING = 1 << 7
_REVERSE = 1 << 16
_OTHER_FAILURE = 1 << 17


def whole(value: int, unit: int) -> int:
    """`value` in whole `unit`s, rounded to the nearest, ties away from zero."""
    return (value + unit // 2) // unit if value >= 0 else -((unit // 2 - value) // unit)


class LineReading:
    """What one line measures. Until the first `take`, and while its front end is silent, each value is the one that
    stands for "does not exist"."""

    def __init__(self, ma_per_unit: int, mw_per_unit: int) -> None:
        """One unit of the SunSpec points of current is `ma_per_unit`, of those of power `mw_per_unit`."""
        self._ma_per_unit = ma_per_unit
        self._mw_per_unit = mw_per_unit
        self.mva = 0
        self.forget()

    def forget(self) -> None:
        """Set every value to "does not exist"."""
        self.known = False
        self.mv = NO_U32
        self.ma = NO_U32
        self.mw = NO_I32
        self.mvar = NO_I32
        self.pf_milli = NO_I16
        self.mhz = NO_U16
        self.conditions = NO_U16
        self.sun_a = NO_I16
        self.sun_v = NO_I16
        self.sun_w = NO_I16
        self.sun_va = NO_I16
        self.sun_var = NO_I16

    def take(self, element: "Element", line: "Line") -> None:
        """Take the newest values of a line."""
        if element.silent:
            if self.known:
                self.forget()
            return
        self.known = True
        self.mv = element.v_mv
        self.ma = element.i_ma
        self.mw = line.p_mw()
        self.mvar = line.q_mvar()
        self.mhz = PERIOD_CLOCK_MILLIHZ // (element.period_raw + 1) if element.period_raw else 0
        self.conditions = line.reported
        self.mva = muldiv(self.mv, self.ma, 1000)
        self.pf_milli = power_factor(self.mw, self.mva)
        self.sun_a = whole(self.ma, self._ma_per_unit)
        self.sun_v = whole(self.mv, 100)
        self.sun_w = whole(self.mw, self._mw_per_unit)
        self.sun_va = whole(self.mva, self._mw_per_unit)
        self.sun_var = whole(self.mvar, self._mw_per_unit)


def power_factor(mw: int, mva: int) -> int:
    """Active over apparent power in thousandths, -1000 to 1000, with the sign of the active power; NO_I16 below
    1 VA."""
    if mva < _LEAST_MVA:
        return NO_I16
    magnitude = mw if mw >= 0 else -mw
    milli = 1000 if magnitude >= mva else muldiv(magnitude, 1000, mva)
    return milli if mw >= 0 else -milli


class Reading:
    """The values as `take` has found them; `line_1` and `line_2` hold those of the lines."""

    def __init__(self, meter: "Meter") -> None:
        for name in SOURCES:
            setattr(self, name, 0)  # here, because a new attribute takes heap
        self._meter = meter
        self._cycles = -1  # how many cycles there had been when these values were taken
        model = meter.model
        self._two = model.elements == 2
        # SunSpec's scale factors: the power of ten with which full scale of all lines together fits 16 bits.
        self.sun_a_sf = -2 if model.elements * model.full_scale_ma // 10 <= _INT16 else -1
        self.sun_w_sf = 0 if model.elements * model.full_scale_w <= _INT16 else 1
        self._ma_per_unit = 10 if self.sun_a_sf == -2 else 100
        self._mw_per_unit = 1000 if self.sun_w_sf == 0 else 10_000
        self.line_1 = LineReading(self._ma_per_unit, self._mw_per_unit)
        self.line_2 = LineReading(self._ma_per_unit, self._mw_per_unit)

        self.map_version = MAP_VERSION
        self.elements = model.elements
        self.counts_per_wh = model.counts_per_wh
        self.counter_wh = model.counter_wh
        self.unit = 0  # the port sets it
        self.maker = b"OpenKh"
        self.model_code = model.code.encode()
        self.service = model.service.encode()
        self.serial = meter.factory.identity.serial.encode()
        self.date = meter.factory.identity.date.encode()
        self.revision = REVISION.encode()
        intervals = meter.intervals
        self.intervals_capacity = 0 if intervals is None else intervals.slots
        self.image = b""  # set when it has been worked out (app.py)

    def take(self) -> None:
        """Take the values of the newest cycle. They stay as they are while no cycle has run since the last call."""
        cycles = self._meter.cycle.cycles
        if cycles == self._cycles:
            return
        self._cycles = cycles
        state = self._meter.cycle.state
        self._energy(state)
        self._demand(state)
        self._health()
        self.line_1.take(self._meter.elements[0], self._meter.status.line_1)
        line_2 = self._meter.status.line_2
        if line_2 is not None:
            self.line_2.take(self._meter.elements[1], line_2)
        self._sums()
        self._events()
        self._intervals()

    def _energy(self, state: "State") -> None:
        self.delivered_wh = state.delivered_wh
        self.delivered_counts = state.delivered_counts
        self.received_wh = state.received_wh
        self.received_counts = state.received_counts
        self.rolls = state.rolls
        # In mWh a total has 40 bits, too many for one small integer: it is put together from the lowest 15 and the
        # rest.
        low = (state.delivered_wh & 0x7FFF) * 1000 + state.delivered_counts * 1000 // self.counts_per_wh
        rest = (state.delivered_wh >> 15) * 1000 + (low >> 15)
        self.delivered_mwh_0 = (rest & 1) << 15 | low & 0x7FFF
        self.delivered_mwh_16 = rest >> 1
        self.delivered_mwh_32 = rest >> 17
        low = (state.received_wh & 0x7FFF) * 1000 + state.received_counts * 1000 // self.counts_per_wh
        rest = (state.received_wh >> 15) * 1000 + (low >> 15)
        self.received_mwh_0 = (rest & 1) << 15 | low & 0x7FFF
        self.received_mwh_16 = rest >> 1
        self.received_mwh_32 = rest >> 17

    def _demand(self, state: "State") -> None:
        self.interval_mw = state.interval_mw
        self.max_mw = state.max_mw
        self.shown_mw = state.shown_mw()
        self.periods = state.periods
        self.edges_10 = state.edges_10
        self.edges_100 = state.edges_100
        self.edges_1000 = state.edges_1000
        self.counter_given = state.counter_given
        self.run_s = state.run_s

    def _health(self) -> None:
        meter = self._meter
        self.condition = meter.status.condition
        self.condition_lines = meter.status.lines
        self.failures = meter.status.failures
        self.rail12 = meter.rail12.state
        self.events = meter.log.order
        count = meter.stored.count
        self.calibration_count = count if count >= 0 else NO_U16
        count = meter.factory.identity.count
        self.configuration_count = count if count >= 0 else NO_U16

    def _sums(self) -> None:
        """Of all lines; they do not exist where one of them is not known (DX-6)."""
        one = self.line_1
        two = self.line_2
        if not one.known or (self._two and not two.known):
            self.power_mw = NO_I32
            self.sun_a = self.sun_v = self.sun_hz = self.sun_w = self.sun_va = self.sun_var = self.sun_pf = NO_I16
            return
        ma = one.ma
        mv = one.mv
        mva = one.mva
        mvar = one.mvar
        self.power_mw = one.mw
        if self._two:
            ma += two.ma
            mv = (mv + two.mv) // 2
            mva += two.mva
            mvar += two.mvar
            self.power_mw += two.mw
        self.sun_a = whole(ma, self._ma_per_unit)
        self.sun_v = whole(mv, 100)
        self.sun_hz = whole(one.mhz, 10)
        self.sun_w = whole(self.power_mw, self._mw_per_unit)
        self.sun_va = whole(mva, self._mw_per_unit)
        self.sun_var = whole(mvar, self._mw_per_unit)
        self.sun_pf = power_factor(self.power_mw, mva)

    def _events(self) -> None:
        """SunSpec's Evt from the conditions that stand."""
        reported = self._meter.status.line_1.reported
        line_2 = self._meter.status.line_2
        if line_2 is not None:
            reported |= line_2.reported
        found = 0
        if reported & 1 << LOW_VOLTAGE:
            found |= _LOW_VOLTAGE
        if reported & 1 << BAD_POWER_FACTOR:
            found |= _BAD_POWER_FACTOR
        if reported & 1 << OVER_CURRENT:
            found |= _OVER_CURRENT
        if reported & 1 << OVER_VOLTAGE:
            found |= _OVER_VOLTAGE
        if reported & 1 << REVERSE:
            found |= _REVERSE
        if self.failures & 1:
            found |= _SENSOR_MISSING
        if self.failures & ~1:
            found |= _OTHER_FAILURE
        self.sun_events = found

    def _intervals(self) -> None:
        intervals = self._meter.intervals
        if intervals is None:
            return
        ring = intervals.ring
        self.power_ups = ring.power_up
        self.intervals_oldest = ring.oldest
        self.intervals_next = ring.number
        self.intervals_end_wh = ring.wh
        self.intervals_end_tenths = ring.tenths
        self.intervals_end_received_wh = ring.received_wh
        self.intervals_end_received_tenths = ring.received_tenths
        self.intervals_start_s = ring.ended * INTERVAL_S
        self.intervals_flags = intervals.flags
