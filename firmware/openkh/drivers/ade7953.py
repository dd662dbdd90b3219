"""ADE7953 metering front end: configuration and its integrity. DS = data sheet Rev. C.

Nothing is believed unseen: writes are read back, and the checksum over the configuration is compared with the one that
was learnt when every register had been read back. It cannot be computed (the data sheet hides some of its input),
hence a fingerprint.

Everything but `bring_up` is free of heap use and short enough for the measuring cycle. What is read in every cycle has
its frames inline and its requests prepared: a call a frame would double their time. No policy: see
`openkh.metrology.element`. On a shared bus call `lock_all` before the first `bring_up`: a chip whose interface is not
locked drives MISO high while others are spoken to (DS p.51).
"""

from time import sleep_us

from openkh.drivers.ade7953_link import AS_WANTED, NO_ANSWER, TRIES, Link, request
from openkh.drivers.ade7953_registers import (
    AENERGYA,
    AP_NOLOAD,
    AP_NOLOAD_RESET,
    CF1DEN,
    CF1DEN_RESET,
    CONFIG,
    CONFIG_LOCK,
    CONFIG_RESET,
    CONFIG_RUN,
    COVERED,
    COVERED_RESET,
    CRC,
    DISNOLOAD,
    IRMSA,
    IRQ_RESET,
    IRQSTATA,
    LAST_ADD,
    LAST_OP,
    LAST_RWDATA_8,
    LCYCMODE,
    OP_READ,
    OPTIMUM,
    OPTIMUM_SETTING,
    PROTECT_ALL,
    RENERGYA,
    RSTIRQSTATA,
    SAGLVL,
    UNCOVERED,
    UNCOVERED_RESET,
    VRMS,
    WRITE_PROTECT,
)
from openkh.ticks import ticks_diff, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import SPI, Pin

READY_US = 100_000  # a chip that does not pull IRQ low after a reset is ready after this long, DS p.18
RESET_LOW_US = 20  # 10 us at least, DS p.9
CHECKSUM_US = 300  # two periods of its computation, DS p.58


_ENERGY = request(AENERGYA)
_ADDRESS = request(LAST_ADD)
_OPERATION = request(LAST_OP)
_ANSWERED = request(AENERGYA & 0x300 | LAST_RWDATA_8)
_CHECKSUM = request(CRC)
_REACTIVE = request(RENERGYA)
_VOLTS = request(VRMS)
_AMPS = request(IRMSA)
_UNCOVERED = tuple(request(address) for address in UNCOVERED)
_WAS_ENERGY = _ENERGY[:2]
_WAS_READ = bytes((OP_READ,))
_NOT_COMPUTED = b"\xff\xff\xff\xff"  # DS p.58


class FrontEndError(Exception):
    """A chip could not be brought up: which register, what was expected there and what was found."""

    def __init__(self, address: int, expected: int, found: int) -> None:
        text = "ADE7953 register 0x%03X: expected 0x%X, found 0x%X" % (address, expected, found)
        if found == expected >> 1:
            text += " (shifted by one bit: SPI clock phase)"
        super().__init__(text)
        self.address = address
        self.expected = expected
        self.found = found


def lock_all(chips: "tuple[Ade7953, ...]") -> None:
    """Lock every chip of a shared bus blind, before any of them is asked anything. Waits until all have started."""
    sleep_us(READY_US)
    for chip in chips:
        chip.lock()


class Ade7953(Link):
    """One chip.

    `spi` in mode 3, `cs` and `reset` outputs (idle high), `irq` an input (low = an enabled flag is set, or a reset has
    ended). `want` tells what the configuration shall be.
    `volts` `amps`: VRMS, IRMSA as `read_rms` found them; `learnt`: a fingerprint is known.
    """

    def __init__(self, spi: "SPI", cs: "Pin", irq: "Pin", reset: "Pin") -> None:
        super().__init__(spi, cs)
        self.irq = irq
        self._reset = reset
        self.volts = 0
        self.amps = 0
        # Data of the frames that prove a reading, to be compared as they are.
        self._energy_rx = bytearray(6)
        self._energy = memoryview(self._energy_rx)[3:]
        self._data = tuple(memoryview(rx)[3:] for rx in self._rx)
        # The same under names of their own: an index costs 3 us, and there are a dozen in a cycle.
        self._rx_8, self._rx_16, self._rx_24, self._rx_32 = self._rx
        self._data_8, self._data_16, self._data_24, self._data_32 = self._data
        self._fingerprint = bytearray(4)
        self._begun = False  # it was reset, and `bring_up` follows
        self._begun_us = 0
        self.learnt = False
        self._covered = list(COVERED_RESET)
        self._uncovered = list(UNCOVERED_RESET)
        self._uncovered_data = tuple(bytearray(len(frame) - 3) for frame in _UNCOVERED)  # the same as it is on the wire
        self.altered = -1
        for n in range(len(UNCOVERED)):
            self._put_data(n)
        self.want(LCYCMODE, 0)  # energy registers run free and are not cleared by reading
        self.want(OPTIMUM, OPTIMUM_SETTING)

    # Readings

    def read_energy(self) -> int:
        """AENERGYA, proven as `read_verified` does it; -1 if not."""
        cs = self._cs
        transfer = self._transfer
        rx = self._energy_rx
        cs(0)
        transfer(_ENERGY, rx)
        cs(1)
        cs(0)
        transfer(_ADDRESS, self._rx_16)
        cs(1)
        cs(0)
        transfer(_OPERATION, self._rx_8)
        cs(1)
        cs(0)
        transfer(_ANSWERED, self._rx_24)
        cs(1)
        if self._data_16 == _WAS_ENERGY and self._data_8 == _WAS_READ and self._data_24 == self._energy:
            return rx[3] << 16 | rx[4] << 8 | rx[5]
        return -1

    def read_reactive(self) -> int:
        """RENERGYA, not verified."""
        cs = self._cs
        rx = self._rx_24
        cs(0)
        self._transfer(_REACTIVE, rx)
        cs(1)
        return rx[3] << 16 | rx[4] << 8 | rx[5]

    def read_rms(self) -> None:
        """Set `volts` and `amps`; a frame each, not verified."""
        cs = self._cs
        transfer = self._transfer
        rx = self._rx_24
        cs(0)
        transfer(_VOLTS, rx)
        cs(1)
        self.volts = rx[3] << 16 | rx[4] << 8 | rx[5]
        cs(0)
        transfer(_AMPS, rx)
        cs(1)
        self.amps = rx[3] << 16 | rx[4] << 8 | rx[5]

    # Configuration

    def want(self, address: int, value: int) -> None:
        """What `address` shall hold from the next `setup` or `audit` on; signed values in any form."""
        width = address >> 8 & 3
        value &= 0xFFFFFF if width == 2 else 0xFFFF if width == 1 else 0xFF
        for n in range(len(COVERED)):
            if COVERED[n] == address:
                self._covered[n] = value
        for n in range(len(UNCOVERED)):
            if UNCOVERED[n] == address:
                self._uncovered[n] = value
                self._put_data(n)

    def _put_data(self, n: int) -> None:
        data = self._uncovered_data[n]
        value = self._uncovered[n]
        for at in range(len(data) - 1, -1, -1):
            data[at] = value & 0xFF
            value >>= 8

    def holds_uncovered(self, n: int) -> int:
        """`holds` for entry `n` of UNCOVERED."""
        return self.holds(UNCOVERED[n], self._uncovered[n])

    def three_hold(self, n: int) -> bool:
        """Whether entries `n` to `n` + 2 of UNCOVERED, which are of one width, read as wanted; not verified."""
        cs = self._cs
        width = len(self._uncovered_data[n]) - 1
        rx = self._rx[width]
        data = self._data[width]
        cs(0)
        self._transfer(_UNCOVERED[n], rx)
        cs(1)
        if data != self._uncovered_data[n]:
            return False
        cs(0)
        self._transfer(_UNCOVERED[n + 1], rx)
        cs(1)
        if data != self._uncovered_data[n + 1]:
            return False
        cs(0)
        self._transfer(_UNCOVERED[n + 2], rx)
        cs(1)
        return data == self._uncovered_data[n + 2]

    def lock(self) -> None:
        """Lock the interface to SPI. Without effect on a chip that runs: it is locked, and protected from writing."""
        self.write(CONFIG, CONFIG_LOCK)

    def pulse_reset(self) -> None:
        """Reset the chip; it answers again after some 70 ms, with IRQ_RESET set."""
        self._cs(1)
        self._reset(0)
        sleep_us(RESET_LOW_US)
        self._reset(1)

    def open(self) -> bool:
        """Lift the write protection."""
        return self.put(WRITE_PROTECT, 0)

    def close(self) -> bool:
        """Protect every register, so that a spoilt read cannot become a write."""
        return self.put(WRITE_PROTECT, PROTECT_ALL)

    def setup(self) -> bool:
        """Configure a chip that comes out of a reset (some 60 frames). True if every write was read back.

        What is wanted as the reset leaves it is not written; the fingerprint, or an `audit`, tells whether it is so.
        """
        self.failed = -1
        self.lock()
        if not self.open() or not self._put_uncovered():
            return False
        for n in range(len(COVERED)):
            if self._covered[n] != COVERED_RESET[n] and not self.put(COVERED[n], self._covered[n]):
                return False
        return self.put(CONFIG, CONFIG_RUN) and self.close()

    def _put_uncovered(self) -> bool:
        """Write all that the checksum leaves out, in the order it asks for; the protection is open."""
        if not (self.put(DISNOLOAD, 7) and self.put(SAGLVL, 0)):
            return False
        for n in range(len(UNCOVERED)):  # noqa: SIM110  all() takes a generator from the heap
            if not self.put(UNCOVERED[n], self._uncovered[n]):
                return False
        return True

    def mend_uncovered(self) -> bool:
        """Bring back the registers that the checksum leaves out, on a chip that runs."""
        self.failed = -1
        done = self.open() and self._put_uncovered()
        return self.close() and done

    def audit(self, mend: bool) -> bool:
        """Read back every register (some 45 frames), and where `mend`, write those that are altered.

        True if each of them answered. `altered` is one that was found altered, -1 if none; `failed` one that could not
        be mended.
        """
        self.failed = -1
        self.altered = -1
        complete = self._check(CONFIG, CONFIG_RUN, mend) and self._audit_uncovered(mend)
        complete = self._audit_covered(mend) and complete
        state = self.holds(WRITE_PROTECT, PROTECT_ALL)
        if state != AS_WANTED and mend:
            self.close()
        if state == WRITE_PROTECT and self.altered < 0:
            self.altered = WRITE_PROTECT
        return complete and state != NO_ANSWER

    def as_wanted(self) -> bool:
        """Every register was read back and holds what is wanted."""
        return self.audit(False) and self.altered < 0

    def _check(self, address: int, value: int, mend: bool) -> bool:
        state = self.holds(address, value)
        if state >= 0:
            self.altered = address
            if mend and self.open():
                self.put(address, value)
        return state != NO_ANSWER

    def _audit_covered(self, mend: bool) -> bool:
        complete = True
        for n in range(len(COVERED)):
            if not self._check(COVERED[n], self._covered[n], mend):
                complete = False
        return complete

    def _audit_uncovered(self, mend: bool) -> bool:
        state = AS_WANTED
        for n in range(len(UNCOVERED)):
            if state == AS_WANTED:
                state = self.holds_uncovered(n)
        if state >= 0:
            self.altered = state
            if mend and self.open():
                self._put_uncovered()
        return state != NO_ANSWER

    # Fingerprint

    def unaltered(self) -> bool:
        """The checksum is the one learnt. False also where it was spoilt on the bus, or is not known yet."""
        cs = self._cs
        cs(0)
        self._transfer(_CHECKSUM, self._rx_32)
        cs(1)
        return self._data_32 == self._fingerprint and self.learnt

    def proven_altered(self) -> bool:
        """The checksum is not the one learnt: twice in a row the same other one, in answer to being asked for it."""
        rx = self._rx_32
        high = -1
        low = -1
        for _ in range(TRIES):
            if self.unaltered():
                return False
            if rx[3] << 8 | rx[4] == high and rx[5] << 8 | rx[6] == low and self.read(LAST_ADD) == CRC:
                return True
            high = rx[3] << 8 | rx[4]
            low = rx[5] << 8 | rx[6]
        return False

    def restored(self) -> bool:
        """After writing: the checksum, computed anew, is the one learnt."""
        sleep_us(CHECKSUM_US)
        for _ in range(TRIES):  # noqa: SIM110  any() takes a generator from the heap
            if self.unaltered():
                return True
        return False

    def learn(self) -> bool:
        """Take the checksum as the fingerprint; call when every register is known to hold what is wanted."""
        sleep_us(CHECKSUM_US)
        for _ in range(TRIES):
            self.learnt = True
            rx = self.read_32(CRC)
            for n in range(4):
                self._fingerprint[n] = rx[3 + n]
            if self.read(LAST_ADD) == CRC and self._fingerprint != _NOT_COMPUTED and self.unaltered():
                return True
            self.learnt = False
        return False

    def forget(self) -> None:
        """The fingerprint holds no longer: another configuration is wanted."""
        self.learnt = False

    # Start

    def running(self) -> bool:
        """The chip runs, not reset since it was set up, every register as wanted; learns the fingerprint."""
        flags = self.read_sure(IRQSTATA)
        return flags >= 0 and not flags & IRQ_RESET and self.as_wanted() and self.learn()

    def begin(self) -> None:
        """Reset a chip that was not set up since its last reset, ahead of `bring_up`: two start in the time of one."""
        flags = self.read_sure(IRQSTATA)
        if flags >= 0 and flags & IRQ_RESET:
            self._reset_now()

    def _reset_now(self) -> None:
        self.pulse_reset()
        self._begun = True
        self._begun_us = ticks_us()

    def bring_up(self) -> None:
        """Reset, probe, configure, learn the fingerprint (DS p.18). Blocks for 0.2 s at most; the counters start at 0.

        Raises FrontEndError naming the register that was not as expected.
        """
        if not self._begun:
            self._reset_now()
        self._begun = False
        while self.irq() and ticks_diff(ticks_us(), self._begun_us) < READY_US:
            sleep_us(1000)
        self._expect(AP_NOLOAD, AP_NOLOAD_RESET)
        self._expect(CONFIG, CONFIG_RESET)
        self._expect(CF1DEN, CF1DEN_RESET)
        if not self.setup():
            raise FrontEndError(self.failed, self.expected, self.found)
        self.audit(True)
        if self.failed >= 0:
            raise FrontEndError(self.failed, self.expected, self.found)
        if not self.as_wanted() or not self.learn():
            raise FrontEndError(LAST_ADD, CRC, self.read(LAST_ADD))
        self.read(RSTIRQSTATA)

    def _expect(self, address: int, value: int) -> None:
        for _ in range(TRIES):
            found = self.read(address)
            if found == value:
                return
        raise FrontEndError(address, value, found)
