"""The simulated ADE7953 apart from its interface: inputs, supply, RESET pin, faults, and what tests may know of it."""

from boards.virtual.ade7953 import registers
from boards.virtual.ade7953.flaws import Imperfections
from boards.virtual.ade7953.pins import Pins
from boards.virtual.ade7953.signals import Signals
from boards.virtual.rng import Rng

_POWER_UP_US = 26000  # supervisor after the supply is there; DS p.18
_RESET_LOW_US = 10  # shortest RESET pulse; DS p.9

FAULTS = ("reset", "silent", "stuck_ones", "stuck_zeros", "bit_error", "drop_cs", "register")


class Outside:
    """The base of `Ade7953`."""

    def __init__(self, clock, irq, seed, imperfections):
        self._too_fast = False  # the controller's clock is faster than the chip allows
        self.regs = registers.reset_values()
        self._flaws = Imperfections(**imperfections)
        self._signals = Signals(clock, irq, self.regs, seed, self._flaws)
        self.pins = Pins(self.regs, self._signals)
        self._rng = Rng(seed, 1)
        self._clock = clock
        self._powered = False
        self._reset_low = False
        self._start = None  # the event at the end of a reset or of a start-up
        self._hold = None  # the event at which a RESET pulse has become long enough
        self._faults = {}

    # -- analogue side ------------------------------------------------------------------------------------------

    def drive(self, v, i, p, q, hz):
        """Set sine inputs from now on. v and i are rms, p and q active and reactive power, all in parts of full scale
        (1.0 is 0.5 V peak at the pins, for power at both of them in phase); q > 0 where the current lags; hz is 0
        without voltage."""
        self._signals.feed(((v, i, p, q),), 0, hz)

    def drive_table(self, step_us, rows, hz, origin_us=None):
        """Set any waveform from now on: rows of (v, i, p, q) as for `drive`, one for each step_us, repeated end to end.
        v and i are what the rms registers show when settled, p and q the mean products of the step. origin_us: when the
        first row began, which is not after now."""
        self._signals.feed(rows, step_us, hz, origin_us)

    def temperature(self, celsius):
        """Set the temperature of the chip and its resistors, degrees C."""
        self._flaws.at(celsius)
        self._signals.update()

    def counted_total(self):
        """The signed total of channel A's active energy counts since the board was made; no reset takes anything from
        it."""
        active = self._signals.active
        if self._signals.running:
            active.advance(self._clock.now_us)
        return active.total

    def gap_us(self):
        """How many microseconds there was a voltage and the chip did not measure (reset, start-up, no supply)."""
        return self._signals.gap_us()

    def running(self):
        """Whether it has a supply, is out of reset, and measures."""
        return self._signals.running

    # -- supply and reset ---------------------------------------------------------------------------------------

    def power(self, on):
        """The 3.3 V supply comes or goes."""
        if on == self._powered:
            return
        self._powered = on
        self._stop()
        if on:
            self._start_in(_POWER_UP_US + self._flaws.silent_us)
        else:
            self._signals.events.pin(None)

    def reset_pin(self, level):
        """Set the level of the RESET pin; low for 10 us or more resets the chip."""
        low = not level
        if low == self._reset_low:
            return
        self._reset_low = low
        if not self._powered:
            return
        if low:
            self._hold = self._clock.at(self._clock.now_us + _RESET_LOW_US, self._held_in_reset)
        elif self._hold is not None:
            self._clock.cancel(self._hold)  # too short to be a reset
            self._hold = None
        else:
            self._start_in(self._flaws.silent_us)

    def _soft_reset(self):
        """Reset as the RESET pin does: by SWRST, or by a disturbance."""
        if self._powered and not self._reset_low:
            self._stop()
            self._start_in(self._flaws.silent_us)

    def _stop(self):
        for event in (self._start, self._hold):
            if event is not None:
                self._clock.cancel(event)
        self._start = self._hold = None
        self._signals.halt()
        self.regs.update(registers.reset_values())
        self._see_fit()
        self._forget_interface()
        if self._powered:
            self._signals.events.pin(1)

    def _held_in_reset(self):
        self._stop()

    def _start_in(self, us):
        if self._start is not None:
            self._clock.cancel(self._start)
        self._start = None
        if not self._reset_low:
            self._start = self._clock.at(self._clock.now_us + us, self._started)

    def _started(self):
        self._start = None
        self._signals.begin()
        self._see_fit()

    # -- faults -------------------------------------------------------------------------------------------------

    def fault(self, kind, params=None):
        """Break the chip: reset, silent, stuck_ones, stuck_zeros, bit_error {rate}, drop_cs {rate},
        register {address, value}. ValueError for others."""
        if kind not in FAULTS:
            raise ValueError("chip fault must be one of %s, not %s" % (", ".join(FAULTS), kind))
        params = params or {}
        if kind == "reset":
            self._soft_reset()
        elif kind == "register":
            self.poke(params["address"], params["value"])
        else:
            # A rate becomes a threshold for one draw a byte. There are 2^31 - 1 draws, which are the same on every
            # engine.
            rate = params.get("rate", 0.0) * (8 if kind == "bit_error" else 1)
            self._faults[kind] = int(min(1.0, rate) * 2147483647)
            self._see_fit()

    def unfault(self, kind):
        """End a fault."""
        self._faults.pop(kind, None)
        self._see_fit()

    def _see_fit(self):
        self._fit(self._signals.running and not self._faults and not self._too_fast)

    def poke(self, address, value):
        """Alter a register without a write on the bus, as a disturbance does."""
        if 0x300 <= address < 0x400:
            address -= 0x100
        stored = registers.NARROW.get(address) or registers.WIDE.get(address)
        if stored is None:
            raise ValueError("the chip has no stored register 0x%03X" % address)
        self._set(address, value & stored[1])
