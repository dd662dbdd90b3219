"""A register-level ADE7953 on SPI: what a firmware can see of the chip, and how it can fail.

Written from the data sheet (DS, Rev. C) alone. On the board it is an SPI device, with `cs(level, t_us)`,
`exchange(tx, rx)`, `clock_rate(hz)` and `idle_miso()`; it has `reset_pin(level)` and `power(on)` as well, and drives
its IRQ pin itself. The other modules of this folder are its parts: flaws (tolerances, and the data sheet's open
questions), outside (supply, reset, faults), frames (whole frames that read), registers (map, checksum), signals (from
inputs to rates), results (what result registers read), levels (rms, peaks, line timing), energy (counters), events
(interrupts), pins (the other outputs) and idle (channel B).
"""

from boards.virtual.ade7953 import frames, registers
from boards.virtual.ade7953.events import CRC, ENERGIES
from boards.virtual.ade7953.frames import FULL, READ, WRITE
from boards.virtual.ade7953.outside import Outside

_LOCK_US = 2  # CS has to stay low for 1.2 us after the frame that locks the interface; DS p.6
_FASTEST_HZ = 5_000_000  # DS p.6


class Ade7953(Outside):
    """One chip; `imperfections` are the arguments of `Imperfections` (flaws.py).

    It has no property: where a class has one, MicroPython looks for another at each store to any attribute.
    """

    def __init__(self, clock, irq, seed=1, released=0x00, **imperfections):
        """irq(level) is called with each change of the IRQ pin: 0, 1, or None (released) without supply.
        released: what a byte reads as when nobody drives MISO."""
        super().__init__(clock, irq, seed, imperfections)
        self._released = released
        self._slow = (0, False, 0, 0, False)  # of a frame that comes in pieces: address, reading, width, value, known
        readings = {}
        self.cs, self.exchange, self._fit, self._note, self._forget_notes, last = frames.make(self, readings)
        self._forget_interface()
        self._noted = 0x100 if self._flaws.last_changes else 0xFD  # low bytes from here on are not noted: LAST_*
        self._readers = self._make_readers(self._flaws.version)
        self._readers.update(last)
        self._after = self._make_after()
        for address in list(self.regs) + list(self._readers):
            noted = address & 0xFF < self._noted
            reader = self._readers.get(address)
            readings[address] = frames.reading(address, reader, self._after.get(address), noted)

    # -- SPI ----------------------------------------------------------------------------------------------------

    def released(self):
        """CS has risen: the interface is locked until the next reset, if CS was low long enough; DS p.6, 51."""
        if self._locking_us >= 0:
            self._locked = self._clock.now_us - self._locking_us >= _LOCK_US or self._locked
            self._locking_us = -1

    def idle_miso(self):
        """What MISO is driven to while CS is high: an unlocked chip holds it high, a locked one lets go; DS p.51."""
        if "stuck_ones" in self._faults:
            return 1
        if "stuck_zeros" in self._faults:
            return 0
        if self._signals.running and not self._locked and "silent" not in self._faults:
            return 1
        return None

    def locked(self):
        """Whether the interface is locked to SPI."""
        return self._locked

    def clock_rate(self, hz):
        """Set the controller's clock. A frame that is clocked faster than 5 MHz is not understood; DS p.6."""
        self._too_fast = hz > _FASTEST_HZ
        self._see_fit()

    def take(self, tx, rx, position, frame):
        """Take bytes one by one, with the frame at this position (frames.py): writes, frames that come in pieces, stray
        bytes, and faults. Returns whether MISO is driven, the position and the frame's number."""
        faults = self._faults
        self._position = position
        self._frame = frame
        if not self._signals.running or self._too_fast or "silent" in faults:
            if rx is not None:
                for k in range(len(tx)):
                    rx[k] = self._released
            return False, position, frame
        flips = faults.get("bit_error", 0)
        drops = faults.get("drop_cs", 0)
        for k in range(len(tx)):
            byte = tx[k]
            if flips:
                byte = self._flip(byte, flips)
            if drops and self._rng.below(2147483647) < drops:
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
            if not self._signals.running:  # that was a software reset
                break
        return True, self._position, self._frame

    def _flip(self, byte, threshold):
        if self._rng.below(2147483647) < threshold:
            byte ^= 1 << self._rng.below(8)
        return byte

    def _byte(self, byte):
        """Take one byte of a frame (address high, address low, direction, data), and return what MISO carries
        meanwhile."""
        n = self._position
        self._position = n + 1
        if n < 3:
            self._header(n, byte)
            return 0
        address, reading, width, value, known = self._slow
        left = width - (n - 2)
        if left < 0:
            return 0  # one register for each CS: the rest of the bytes mean nothing
        if reading:
            if left == 0 and known and address & 0xFF < self._noted:
                self._note(READ, address, width, value)
                if address in self._after:
                    self._after[address]()
            return value >> 8 * left & 0xFF
        value = value << 8 | byte
        self._slow = (address, reading, width, value, known)
        if left == 0:
            self._written(address, width, value)
        return 0

    def _header(self, n, byte):
        if n == 0:
            self._slow = (byte << 8, False, 0, 0, False)
            return
        address = self._slow[0]
        if n == 1:
            self._slow = (address | byte, False, 0, 0, False)
            return
        width = (address >> 8) + 1 if address < 0x400 else 1
        value = None
        if byte & 0x80:
            reader = self._readers.get(address)
            value = reader() if reader is not None else self.regs.get(address)
        known = value is not None
        if known and width == 4 and value & 0x800000 and value < 0x1000000:
            value |= 0xFF000000
        self._slow = (address, bool(byte & 0x80), width, value or 0, known)

    # -- writes -------------------------------------------------------------------------------------------------

    def _written(self, address, width, value):
        """Carry out a write, whose last data bit is in."""
        if address == 0x0FE:
            if not self.regs[0x040] & 1:
                self._key_frame = self._frame if value == 0xAD else -2
                self._note(WRITE, address, width, value)
            return
        stored = address - 0x100 if 0x300 <= address < 0x400 else address
        writable = registers.NARROW.get(stored) or registers.WIDE.get(stored)
        if writable is None:
            return  # read-only or nothing there
        if stored != 0x040 and self.regs[0x040] >> min(width - 1, 2) & 1:
            return  # WRITE_PROTECT; DS p.57
        if stored == 0x120:
            if self._frame != self._key_frame + 1 and (self._flaws.key_strict or self._key_frame < 0):
                return
            self._key_frame = -2
        if width == 4:
            value &= 0xFFFFFF
        self._note(WRITE, address, width, value | 0xFF000000 if width == 4 and value & 0x800000 else value)
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
            self._locking_us = self._clock.now_us

    def _set(self, address, value):
        """Store a value, and let everything that depends on it follow."""
        before = self.regs[address]
        registers.store(self.regs, address, value)
        if not self._signals.running:
            return
        if address in registers.CHECKSUM_COVERED:
            self._signals.events.watch_checksum(address == 0x22C and value & ~before & 1 << CRC)
        # Firmware writes notes and lifts the protection for them all day. With noise everything is worked out anew at
        # each write all the same, because that draws from the chip's randomness: a seed stays what it was.
        if self._flaws.noise or not (address in registers.APART or address in registers.TIMING):
            self._signals.update()
        elif address in registers.TIMING:
            self._signals.events.retime(address)

    def _forget_interface(self):
        self._locked = False
        self._locking_us = -1
        self._key_frame = -2
        self._divider = None
        self._forget_notes()

    # -- what each address reads and does -----------------------------------------------------------------------

    def _make_readers(self, version):
        signals = self._signals
        events = signals.events
        idle = signals.idle_b
        wide = {
            0x201: signals.read_accmode,
            0x210: signals.read_va,
            0x212: signals.read_watt,
            0x214: signals.read_var,
            0x216: signals.read_i,
            0x218: signals.read_v,
            0x21A: signals.i_rms.read,
            0x21C: signals.v_rms.read,
            0x21E: signals.active.read,
            0x220: signals.reactive.read,
            0x222: signals.apparent.read,
            0x226: signals.v_peak.read,
            0x227: signals.v_peak.read,
            0x228: signals.i_peak.read,
            0x229: signals.i_peak.read,
            0x22D: events.read,
            0x22E: events.read,
            0x211: idle.va,
            0x213: idle.power,
            0x215: idle.power,
            0x217: idle.power,
            0x21B: idle.i_rms,
            0x230: idle.read,
            0x231: idle.read,
        }
        readers = {
            0x10A: signals.read_pf,
            0x10B: idle.pf,
            0x10C: signals.read_angle,
            0x10E: signals.read_period,
            0x37F: lambda: events.read_checksum() | FULL,
            0x702: lambda: version,
        }
        for address in wide:
            readers[address] = readers[address + 0x100] = wide[address]
        return readers

    def _make_after(self):
        """Functions for what happens once a register has been read to its last bit."""
        signals = self._signals
        wide = {
            0x21E: lambda: self._zero(signals.active),
            0x220: lambda: self._zero(signals.reactive),
            0x222: lambda: self._zero(signals.apparent),
            0x227: signals.v_peak.zero,
            0x229: signals.i_peak.zero,
            0x22E: signals.events.zero,
            0x231: signals.idle_b.zero,
        }
        after = {}
        for address in wide:
            after[address] = after[address + 0x100] = wide[address]
        return after

    def _zero(self, energy):
        """With RSTREAD set, start an energy register anew once it has been read; DS p.25."""
        if self.regs[0x004] & 0x40:
            energy.zero()
            self._signals.events.arm(ENERGIES)
