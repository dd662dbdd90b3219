"""A register-level ADE7953 on SPI: what a firmware can see of the chip, and how it can fail.

Written from the data sheet (Rev. C) alone. Hangs on the board as an SPI device: `cs(level)`, `exchange(tx, rx)`,
`idle_miso()`, with `reset_pin(level)`, `power(on)`, and an IRQ pin that it drives itself.
"""

from boards.virtual import ade7953_registers as registers
from boards.virtual.ade7953_signals import CYCEND, NEVER, OPTIMUM, RESET, Signals

_READ = 0x35  # LAST_OP codes, DS p.57
_WRITE = 0xCA
_POWER_UP_US = 26000  # supervisor after the supply is there; DS p.18
_START_US = 40000  # internal start after any reset; DS p.18, AN-639 p.12
_RESET_LOW_US = 10  # shortest RESET pulse; DS p.9

FAULTS = ("reset", "silent", "stuck_ones", "stuck_zeros", "bit_error", "drop_cs", "register")

# Energy registers (24-bit addresses) and registers that clear something when they have been read
_ENERGIES = {0x21E: 0, 0x220: 1, 0x222: 2}


class Ade7953(Signals):
    """One chip. Construct with a clock, a function for its IRQ pin and the imperfections of `Signals`."""

    def __init__(self, clock, irq, seed=1, version=3, released=0x00, **imperfections):
        """version: the silicon version register. released: what a byte reads as when nobody drives MISO."""
        super().__init__(clock, irq, seed, **imperfections)
        self._released = released
        self._powered = False
        self._reset_low = False
        self._start = None  # pending end of a reset or of a start-up
        self._faults = {}
        self._clean = False  # running and nothing wrong with the bus: the quick way through `exchange`
        self._position = -1  # bytes into the frame; -1 = not selected
        self._frame = 0
        self._address = 0
        self._reading = False
        self._width = 0
        self._value = 0
        self._forget_interface()
        self._readers = self._make_readers(version)
        self._after = self._make_after()

    # -- pins ---------------------------------------------------------------------------------------------------

    def power(self, on):
        """The 3.3 V supply comes or goes."""
        if on == self._powered:
            return
        self._powered = on
        self._stop()
        if on:
            self._start_in(_POWER_UP_US + _START_US)
        else:
            self._irq(None)

    def reset_pin(self, level):
        """Level of the RESET pin (active low, at least 10 us)."""
        low = not level
        if low == self._reset_low:
            return
        self._reset_low = low
        if not self._powered:
            return
        if low:
            self._reset_before = self._start
            self._start = self.clock.at(self.clock.now_us + _RESET_LOW_US, self._held_in_reset)
        elif self.running:
            self.clock.cancel(self._start)  # too short to be a reset
            self._start = None
        else:
            self._start_in(_START_US)

    def cs(self, level):
        """Level of the CS pin. Rising early ends a frame without effect."""
        if level:
            self._position = -1
        else:
            self._position = 0
            self._frame += 1

    def idle_miso(self):
        """What MISO is driven to while CS is high: an unlocked chip holds it high, a locked one lets go; DS p.51."""
        if "stuck_ones" in self._faults:
            return 1
        if "stuck_zeros" in self._faults:
            return 0
        if self.running and not self._locked and "silent" not in self._faults:
            return 1
        return None

    @property
    def locked(self):
        """The interface is locked to SPI."""
        return self._locked

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
            # A rate becomes a threshold for one draw a byte; 2^31 - 1 draws are all alike on every engine.
            rate = params.get("rate", 0.0) * (8 if kind == "bit_error" else 1)
            self._faults[kind] = int(min(1.0, rate) * 2147483647)
            self._clean = False

    def unfault(self, kind):
        """The fault is over."""
        self._faults.pop(kind, None)
        self._clean = self.running and not self._faults

    def poke(self, address, value):
        """Alter a register behind everybody's back."""
        if 0x300 <= address < 0x400:
            address -= 0x100
        if address not in self.regs:
            raise ValueError("the chip has no stored register 0x%03X" % address)
        self._set(address, value)

    # -- SPI ----------------------------------------------------------------------------------------------------

    def exchange(self, tx, rx):
        """Bytes clocked while selected: tx goes in, rx (same length, or None) is filled with what comes out.
        Returns False where the chip does not drive MISO at all."""
        if not self._clean or self._position:
            return self._exchange_slowly(tx, rx)
        size = len(tx)
        address = tx[0] << 8 | tx[1] if size > 3 else 0x400
        if size != (address >> 8) + 4:  # not exactly one whole frame
            return self._exchange_slowly(tx, rx)
        self._position = size
        if not tx[2] & 0x80:
            value = 0
            for k in range(3, size):
                value = value << 8 | tx[k]
            if rx is not None:
                for k in range(size):
                    rx[k] = 0
            self._written(address, size - 3, value)
            return True
        reader = self._readers.get(address)
        value = reader() if reader is not None else self.regs.get(address)
        if value is None:
            value = 0
        elif address & 0xFF < 0xFD:
            if size == 7 and value & 0x800000 and value < 0x1000000:
                value |= 0xFF000000
            self._last_op = _READ
            self._last_address = address
            if size > 5:
                self._last_24 = value
            elif size == 5:
                self._last_16 = value
            else:
                self._last_8 = value
            after = self._after.get(address)
            if after is not None:
                after()
        if rx is not None:
            rx[0] = rx[1] = rx[2] = 0
            rx[size - 1] = value & 0xFF
            if size > 4:
                rx[size - 2] = value >> 8 & 0xFF
                if size > 5:
                    rx[size - 3] = value >> 16 & 0xFF
                    if size > 6:
                        rx[3] = value >> 24 & 0xFF
        return True

    def _exchange_slowly(self, tx, rx):
        """Byte by byte: frames in pieces, stray bytes, faults."""
        faults = self._faults
        if self._position < 0:
            return False
        if not self.running or "silent" in faults:
            if rx is not None:
                for k in range(len(tx)):
                    rx[k] = self._released
            return False
        flips = faults.get("bit_error", 0)
        drops = faults.get("drop_cs", 0)
        for k in range(len(tx)):
            byte = tx[k]
            if flips:
                byte = self._flip(byte, flips)
            if drops and self.rng.below(2147483647) < drops:
                self._position = 0
                self._frame += 1
            byte = self._byte(byte)
            if flips:
                byte = self._flip(byte, flips)
            if "stuck_ones" in faults:
                byte = 0xFF
            elif "stuck_zeros" in faults:
                byte = 0x00
            if rx is not None:
                rx[k] = byte
            if not self.running:  # that was a software reset
                break
        return True

    def _flip(self, byte, threshold):
        if self.rng.below(2147483647) < threshold:
            byte ^= 1 << self.rng.below(8)
        return byte

    def _byte(self, byte):
        """One byte of a frame: address high, address low, direction, data; what MISO carries meanwhile."""
        n = self._position
        self._position = n + 1
        if n == 0:
            self._address = byte << 8
            return 0
        if n == 1:
            self._address |= byte
            return 0
        if n == 2:
            address = self._address
            self._reading = bool(byte & 0x80)
            self._width = (address >> 8) + 1 if address < 0x400 else 1
            self._value = 0
            if self._reading:
                reader = self._readers.get(address)
                value = reader() if reader is not None else self.regs.get(address)
                self._known = value is not None
                value = value or 0
                if self._width == 4 and value & 0x800000 and value < 0x1000000:
                    value |= 0xFF000000
                self._value = value
            return 0
        left = self._width - (n - 2)
        if left < 0:
            return 0  # one register for each CS: the rest of the bytes mean nothing
        if self._reading:
            if left == 0 and self._known and self._address & 0xFF < 0xFD:
                self._note(_READ, self._address, self._width, self._value)
                after = self._after.get(self._address)
                if after is not None:
                    after()
            return self._value >> 8 * left & 0xFF
        self._value = self._value << 8 | byte
        if left == 0:
            self._written(self._address, self._width, self._value)
        return 0

    def _note(self, operation, address, width, value):
        """LAST_OP, LAST_ADD and LAST_RWDATA of the width; DS p.57."""
        self._last_op = operation
        self._last_address = address
        if width == 1:
            self._last_8 = value
        elif width == 2:
            self._last_16 = value
        else:
            self._last_24 = value

    # -- writes -------------------------------------------------------------------------------------------------

    def _written(self, address, width, value):
        """The last data bit of a write is in."""
        if address == 0x0FE:
            if not self.regs[0x040] & 1:
                self._key_frame = self._frame if value == 0xAD else -2
                self._note(_WRITE, address, width, value)
            return
        stored = address - 0x100 if 0x300 <= address < 0x400 else address
        writable = registers.NARROW.get(stored) or registers.WIDE.get(stored)
        if writable is None:
            return  # read-only or nothing there
        if stored != 0x040 and self.regs[0x040] >> min(width - 1, 2) & 1:
            return  # WRITE_PROTECT; DS p.57
        if stored == 0x120 and self._frame != self._key_frame + 1:
            return
        if width == 4:
            value &= 0xFFFFFF
        self._note(_WRITE, address, width, value | 0xFF000000 if width == 4 and value & 0x800000 else value)
        if stored in (0x103, 0x104):  # CFxDEN takes the second of two writes in a row
            again = self._divider == (stored, value, self._frame - 1)
            self._divider = (stored, value, self._frame)
            if not again:
                return
        if stored == 0x102 and value & 0x80:
            self._soft_reset()
            return
        self._set(stored, value & writable[1])
        if stored == 0x102 and not value & 0x8000:
            self._locked = True  # until the next reset; DS p.51

    def _set(self, address, value):
        """Store a value and let everything that depends on it follow."""
        before = self.regs[address]
        registers.store(self.regs, address, value)
        now = self.clock.now_us
        if address in registers.CHECKSUM_COVERED:
            enabled_now = address == 0x22C and (value & ~before) >> 21 & 1
            self._watch_checksum(now, enabled_now)
        self._update()

    def _soft_reset(self):
        """As the RESET pin does it: SWRST, or a disturbance."""
        if self._powered and not self._reset_low:
            self._stop()
            self._start_in(_START_US)

    # -- reset and start-up -------------------------------------------------------------------------------------

    def _forget_interface(self):
        self._locked = False
        self._key_frame = -2
        self._divider = None
        self._last_op = 0
        self._last_address = 0
        self._last_8 = self._last_16 = self._last_24 = 0

    def _stop(self):
        if self._start is not None:
            self.clock.cancel(self._start)
            self._start = None
        self._halt()
        self._clean = False
        self._forget_interface()
        if self._powered:
            self._irq(1)

    def _held_in_reset(self):
        self._start = None
        self._stop()

    def _start_in(self, us):
        if self._start is not None:
            self.clock.cancel(self._start)
        self._start = None
        if not self._reset_low:
            self._start = self.clock.at(self.clock.now_us + us, self._started)

    def _started(self):
        self._start = None
        self._begin()
        self._clean = not self._faults

    # -- what each address reads and does -----------------------------------------------------------------------

    def _make_readers(self, version):
        wide = {
            0x201: self._read_accmode,
            0x210: self._read_ava,
            0x212: self._read_awatt,
            0x214: self._read_avar,
            0x216: self._read_i,
            0x218: self._read_v,
            0x21A: self._read_irms,
            0x21C: self._read_vrms,
            0x21E: self._read_aenergy,
            0x220: self._read_renergy,
            0x222: self._read_apenergy,
            0x226: self._read_v_peak,
            0x227: self._read_v_peak,
            0x228: self._read_i_peak,
            0x229: self._read_i_peak,
            0x22D: self._read_status,
            0x22E: self._read_status,
        }
        readers = {
            0x10A: self._read_pf,
            0x10C: self._read_angle,
            0x10E: self._read_period,
            0x37F: self._read_checksum,
            0x0FD: lambda: self._last_op,
            0x0FF: lambda: self._last_8,
            0x1FE: lambda: self._last_address,
            0x1FF: lambda: self._last_16,
            0x2FF: lambda: self._last_24 & 0xFFFFFF,
            0x3FF: lambda: self._last_24 | 1 << 32,  # as it was on the wire, not extended again
            0x702: lambda: version,
        }
        for address in wide:
            readers[address] = readers[address + 0x100] = wide[address]
        return readers

    def _make_after(self):
        wide = {
            0x21E: self._after_aenergy,
            0x220: self._after_renergy,
            0x222: self._after_apenergy,
            0x227: self._after_v_peak,
            0x229: self._after_i_peak,
            0x22E: self._after_status,
        }
        after = {}
        for address in wide:
            after[address] = after[address + 0x100] = wide[address]
        return after

    def _after_aenergy(self):
        if self.regs[0x004] & 0x40:
            self._zero(self.active)

    def _after_renergy(self):
        if self.regs[0x004] & 0x40:
            self._zero(self.reactive)

    def _after_apenergy(self):
        if self.regs[0x004] & 0x40:
            self._zero(self.apparent)

    def _zero(self, energy):
        """RSTREAD: the register starts anew once it has been read; DS p.25."""
        energy.zero()
        self._arm(self.clock.now_us, 0x3F)

    def _after_v_peak(self):
        self._v_peak = 0
        self._v_peak_us = self.clock.now_us

    def _after_i_peak(self):
        self._i_peak = 0
        self._i_peak_us = self.clock.now_us

    def _after_status(self):
        """RSTIRQSTATA: every flag is cleared, IRQ lets go; DS p.50."""
        cleared = self._status
        self._status = 0
        self._arm(self.clock.now_us, cleared)
