"""The ADE7953's configuration: what each register shall hold, and proof that it does. DS is the data sheet Rev. C.

Writes are read back. The chip makes a checksum over its configuration, which nobody else can compute, because the data
sheet hides some of its input. So checksums are learnt as fingerprints: those that were seen while every register was as
wanted. One that is not known only means that something may have changed: it may cover bits that change by themselves
(ACCMODE's signs, DS p.59), or come late. Then `audit` reads every register back.
"""

from time import sleep_us

from openkh.drivers.ade7953_link import AS_WANTED, NO_ANSWER, TRIES, Link, request
from openkh.drivers.ade7953_registers import (
    CONFIG,
    CONFIG_LOCK,
    CONFIG_RUN,
    COVERED,
    COVERED_RESET,
    CRC,
    DISNOLOAD,
    LAST_ADD,
    LCYCMODE,
    OPTIMUM,
    OPTIMUM_SETTING,
    PROTECT_16,
    PROTECT_ALL,
    RESERVED,
    SAGLVL,
    UNCOVERED,
    UNCOVERED_RESET,
    WRITE_PROTECT,
)
from openkh.ticks import ticks_diff, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import SPI, Pin

SETTLED_US = 12_000  # a checksum that stands so long after the last write is that of what the registers hold
PROOFS = 8  # so many checksums in a row have to be as known before a register is written beside the meter's work
KNOWN = 16  # so many fingerprints are remembered: the signs and no-load states of a line need a dozen

_CHECKSUM = request(CRC)
_OPEN_16 = PROTECT_ALL & ~PROTECT_16
_UNCOVERED = tuple(request(address) for address in UNCOVERED)
_NOT_COMPUTED = b"\xff\xff\xff\xff"  # what CRC reads as long as the chip has not computed it, DS p.58


class Config(Link):
    """The configuration of one chip. Say by `want` what it shall be; `learnt` tells whether a fingerprint is known.

    `altered` is the address of a register that `audit` has found altered, -1 where there was none.
    """

    def __init__(self, spi: "SPI", cs: "Pin") -> None:
        super().__init__(spi, cs)
        # The data in each width's answers, to be compared as they are on the wire.
        self._data = tuple(memoryview(rx)[3:] for rx in self._rx)
        # The same under names of their own: an index costs 3 us, and there are a dozen in a cycle.
        self._rx_8, self._rx_16, self._rx_24, self._rx_32 = self._rx
        self._data_8, self._data_16, self._data_24, self._data_32 = self._data
        self._known = tuple(bytearray(4) for _ in range(KNOWN))
        self._count = 0  # fingerprints in use
        self._next = 0  # where the next one goes
        self._fingerprint = self._known[0]  # the one that was seen last
        # A checksum that is not a fingerprint yet, when it was first seen, and whether there is one.
        self._unknown = bytearray(4)
        self._unknown_us = 0
        self._seen = False
        self.learnt = False
        self._reserved = [False] * len(RESERVED)  # whether each of them reads as the data sheet says, and is watched
        self._covered = list(COVERED_RESET)
        self._uncovered = list(UNCOVERED_RESET)
        self._uncovered_data = tuple(bytearray(len(frame) - 3) for frame in _UNCOVERED)  # the same as it is on the wire
        self.altered = -1
        for n in range(len(UNCOVERED)):
            self._put_data(n)
        self.want(LCYCMODE, 0)  # energy registers run free and are not cleared by reading
        self.want(OPTIMUM, OPTIMUM_SETTING)

    def want(self, address: int, value: int) -> None:
        """Say what the register at `address` shall hold from the next `setup` or `audit` on. A negative value is taken
        in two's complement. ValueError where the address is none of COVERED and UNCOVERED."""
        width = address >> 8 & 3
        value &= 0xFFFFFF if width == 2 else 0xFFFF if width == 1 else 0xFF
        if address in COVERED:
            self._covered[COVERED.index(address)] = value
        else:
            n = UNCOVERED.index(address)
            self._uncovered[n] = value
            self._put_data(n)

    def note(self, address: int, value: int, other_address: int, other: int) -> bool:
        """Write two 16-bit registers of UNCOVERED on a chip that runs, and want them so from now on.

        False if the chip did not take them: then what was wanted before is still wanted. The checksum covers the write
        protection, which is lifted meanwhile: where the checksum comes late, the next cycle reads every register back.
        """
        if not self._carries():
            return False
        self._seen = False
        done = self.put(WRITE_PROTECT, _OPEN_16) and self.put(address, value) and self.put(other_address, other)
        self.close()
        if done:
            self.want(address, value)
            self.want(other_address, other)
        return done

    def _carries(self) -> bool:
        """Whether frames come through undamaged: on a bus that spoils them a write might go to another register. The
        checksum's frame is the longest one whose answer is known."""
        for _ in range(PROOFS):  # noqa: SIM110  all() takes a generator from the heap
            if not self.unaltered():
                return False
        return True

    def _put_data(self, n: int) -> None:
        """Bring what entry `n` of UNCOVERED is compared with up to date."""
        data = self._uncovered_data[n]
        value = self._uncovered[n]
        for at in range(len(data) - 1, -1, -1):
            data[at] = value & 0xFF
            value >>= 8

    def holds_uncovered(self, n: int) -> int:
        """What `holds` says of entry `n` of UNCOVERED."""
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
        """Lock the interface to SPI. A chip that runs is locked and write-protected, so that this changes nothing on
        it."""
        self.write(CONFIG, CONFIG_LOCK)

    def open(self) -> bool:
        """Lift the write protection."""
        self._seen = False
        return self.put(WRITE_PROTECT, 0)

    def close(self) -> bool:
        """Protect every register from writing, so that a read that is spoilt on the bus cannot become a write."""
        return self.put(WRITE_PROTECT, PROTECT_ALL)

    def setup(self) -> bool:
        """Configure a chip that comes out of a reset, in some 60 frames. True if every write was read back.

        A register that is wanted as the reset leaves it is not written; an `audit` tells whether it is so.
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
        """Write all registers of UNCOVERED, in their order; the write protection has been lifted."""
        if not (self.put(DISNOLOAD, 7) and self.put(SAGLVL, 0)):
            return False
        for n in range(len(UNCOVERED)):  # noqa: SIM110  all() takes a generator from the heap
            if not self.put(UNCOVERED[n], self._uncovered[n]):
                return False
        return True

    def mend_uncovered(self) -> bool:
        """Write the registers that the checksum leaves out anew, on a chip that runs."""
        self.failed = -1
        done = self.open() and self._put_uncovered()
        return self.close() and done

    def audit(self, mend: bool) -> bool:
        """Read back every register, in some 50 frames; with `mend` also write those that are altered.

        True if each of them answered. `altered` is then one that was found altered, `failed` one that could not be
        mended; -1 each where there is none.
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
        """Read back every register; True if all hold what is wanted."""
        return self.audit(False) and self.altered < 0

    def mended(self) -> bool:
        """Read back every register and mend those that are altered; True if all hold what is wanted now."""
        return self.audit(True) and self.failed < 0 and (self.altered < 0 or self.as_wanted())

    def watch_reserved(self) -> None:
        """From now on watch those reserved registers that read 0, as the data sheet says they do (DS p.61)."""
        for n in range(len(RESERVED)):
            self._reserved[n] = self.holds(RESERVED[n], 0) == AS_WANTED

    def _check(self, address: int, value: int, mend: bool) -> bool:
        """`audit` for one register."""
        state = self.holds(address, value)
        if state >= 0:
            self.altered = address
            if mend and self.open():
                self.put(address, value)
        return state != NO_ANSWER

    def _audit_covered(self, mend: bool) -> bool:
        """`audit` for COVERED and RESERVED."""
        complete = True
        for n in range(len(COVERED)):
            if not self._check(COVERED[n], self._covered[n], mend):
                complete = False
        for n in range(len(RESERVED)):
            if self._reserved[n] and not self._check(RESERVED[n], 0, mend):
                complete = False
        return complete

    def _audit_uncovered(self, mend: bool) -> bool:
        """`audit` for UNCOVERED, all of which are written where one is altered."""
        state = AS_WANTED
        for n in range(len(UNCOVERED)):
            if state == AS_WANTED:
                state = self.holds_uncovered(n)
        if state >= 0:
            self.altered = state
            if mend and self.open():
                self._put_uncovered()
        return state != NO_ANSWER

    # Fingerprints

    def unaltered(self) -> bool:
        """Whether the checksum is a known fingerprint. False also where it was spoilt on the bus."""
        cs = self._cs
        cs(0)
        self._transfer(_CHECKSUM, self._rx_32)
        cs(1)
        if self._data_32 == self._fingerprint:
            return self.learnt
        return self.learnt and self._another()

    def _another(self) -> bool:
        """Whether the checksum just read is another one of the known fingerprints."""
        for n in range(self._count):
            if self._data_32 == self._known[n]:
                self._fingerprint = self._known[n]
                return True
        return False

    def proven_altered(self) -> bool:
        """Whether the checksum is proven to be no known one: twice in a row it read as the same other one, and it is
        proven that the chip was asked for it."""
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
            self.read(CONFIG)  # or LAST_ADD would also prove a next frame that goes astray and reads zeros
        return False

    def seen_as_wanted(self) -> None:
        """To be called when every register was just found as wanted. The checksum becomes a fingerprint where it was
        the same at an earlier call, SETTLED_US ago at least, so that it cannot belong to what the registers held
        before."""
        if not self.proven_altered():
            return
        now_us = ticks_us()
        if not self._seen or self._data_32 != self._unknown:
            self._seen = True
            self._unknown_us = now_us
            self._copy(self._unknown)
        elif ticks_diff(now_us, self._unknown_us) >= SETTLED_US:
            self._remember()

    def learn(self) -> bool:
        """Take the checksum as a fingerprint; True if that was possible. Call it when every register is known to hold
        what is wanted. Waits until SETTLED_US after the last write."""
        rest_us = SETTLED_US - ticks_diff(ticks_us(), self.written_us)
        sleep_us(min(max(rest_us, 0), SETTLED_US))  # the difference means nothing after minutes
        for _ in range(TRIES):
            if self.unaltered():
                return True
            if self.proven_altered():
                self._remember()
        return False

    def _remember(self) -> None:
        """Make the checksum just read a fingerprint, in place of the oldest one where there is no room."""
        if self._data_32 == _NOT_COMPUTED:
            return
        self._fingerprint = self._known[self._next]
        self._copy(self._fingerprint)
        self._next = (self._next + 1) % KNOWN
        self._count = max(self._count, self._next)
        self._seen = False
        self.learnt = True

    def _copy(self, to: bytearray) -> None:
        """Copy the checksum just read."""
        for n in range(4):
            to[n] = self._data_32[n]

    def forget(self) -> None:
        """Drop the fingerprints, because another configuration is wanted from now on."""
        self._count = 0
        self._next = 0
        self._seen = False
        self.learnt = False
