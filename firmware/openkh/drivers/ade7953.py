"""The ADE7953 metering front end: its readings and its start. DS is the data sheet Rev. C.

Its frames are in ade7953_link, its configuration and the proof of it in ade7953_config, the range of its energy counter
in ade7953_counter. What to do about what is found here is decided in `openkh.metrology.element`.

Everything but `bring_up` takes nothing from the heap and is short enough for the measuring cycle. What is read in every
cycle has its frames inline and its requests prepared, because a call for each frame would double the time. On a bus
that two chips share call `lock_all` before the first `bring_up`: a chip whose interface is not locked drives MISO high
while others are spoken to (DS p.51).
"""

from time import sleep_us

from openkh.bound import bind
from openkh.drivers.ade7953_counter import Counter
from openkh.drivers.ade7953_link import TRIES, request
from openkh.drivers.ade7953_registers import (
    AENERGYA,
    AP_NOLOAD,
    AP_NOLOAD_RESET,
    CF1DEN,
    CF1DEN_RESET,
    CONFIG,
    CONFIG_RESET,
    CRC,
    IRMSA,
    IRQ_RESET,
    IRQSTATA,
    LAST_ADD,
    LAST_OP,
    LAST_RWDATA_8,
    OP_READ,
    RENERGYA,
    RSTIRQSTATA,
    VRMS,
)
from openkh.ticks import ticks_diff, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import SPI, Pin

READY_US = 110_000  # a chip that does not tell by IRQ that its reset has ended is ready after 100 ms (DS p.18)
POWER_UP_US = 26_000  # so much later where the supply has just come (DS p.18)
RESET_LOW_US = 20  # a reset takes 10 us at least (DS p.9)

_ENERGY = request(AENERGYA)
_ADDRESS = request(LAST_ADD)
_OPERATION = request(LAST_OP)
_ANSWERED = request(AENERGYA & 0x300 | LAST_RWDATA_8)
_REACTIVE = request(RENERGYA)
_VOLTS = request(VRMS)
_AMPS = request(IRMSA)
_WAS_ENERGY = _ENERGY[:2]
_WAS_READ = bytes((OP_READ,))


class FrontEndError(Exception):
    """A chip could not be brought up: the register's address, what was expected there, and what was found."""

    def __init__(self, address: int, expected: int, found: int) -> None:
        text = "ADE7953 register 0x%03X: expected 0x%X, found 0x%X" % (address, expected, found)
        if found == expected >> 1:
            text += " (shifted by one bit: SPI clock phase)"
        super().__init__(text)
        self.address = address
        self.expected = expected
        self.found = found


def lock_all(chips: "tuple[Ade7953, ...]") -> None:
    """Lock every chip of a shared bus without a look at its answers, before any of them is asked anything. Waits until
    all of them have started."""
    sleep_us(POWER_UP_US + READY_US)
    for chip in chips:
        chip.lock()


class Ade7953(Counter):
    """One chip.

    `spi` is in mode 3; `cs` and `reset` are outputs that are high at rest; `irq` is an input, low while an enabled flag
    is set or after a reset has ended. Say by `want` what the configuration shall be. `volts` and `amps` are VRMS and
    IRMSA as `read_rms` found them; `learnt` tells whether a fingerprint of the configuration is known.
    """

    def __init__(self, spi: "SPI", cs: "Pin", irq: "Pin", reset: "Pin") -> None:
        super().__init__(spi, cs)
        self.irq = irq
        self._reset = reset
        self.volts = 0
        self.amps = 0
        self._energy_rx = bytearray(6)
        self._energy = memoryview(self._energy_rx)[3:]  # its data, to be compared with what the chip says it answered
        self._begun = False  # the chip was reset, at `_begun_us`, and `bring_up` is still to follow
        self._begun_us = 0
        bind(self, "read", "read_energy", "read_reactive", "read_rms", "unaltered", "three_hold", "high")

    # Readings

    def read_energy(self) -> int:
        """AENERGYA plus what was taken out of it, 24 bits, proven as `read_verified` does it; -1 where it is not
        proven. Zeros need more proof (`again`), because frames that go astray read zeros too."""
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
            raw = rx[3] << 16 | rx[4] << 8 | rx[5]
            return raw + self.base & 0xFFFFFF if raw or self.again(AENERGYA) == 0 else -1
        return -1

    def read_reactive(self) -> int:
        """RENERGYA, 24 bits, not verified."""
        cs = self._cs
        rx = self._rx_24
        cs(0)
        self._transfer(_REACTIVE, rx)
        cs(1)
        return rx[3] << 16 | rx[4] << 8 | rx[5]

    def read_rms(self) -> None:
        """Set `volts` and `amps`, from one frame each, not verified."""
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

    # Start

    def pulse_reset(self) -> None:
        """Reset the chip; it answers again after some 70 ms, with IRQ_RESET set."""
        self._cs(1)
        self._reset(0)
        sleep_us(RESET_LOW_US)
        self._reset(1)

    def running(self) -> bool:
        """Whether the chip runs, was not reset since it was set up, and has every register as wanted. If so it goes on
        from its counter, and its fingerprint is learnt."""
        flags = self.read_sure(IRQSTATA)
        if flags < 0 or flags & IRQ_RESET or not self.resume():
            return False
        self.close()  # the restart may have come while the write protection was lifted
        return self.as_wanted() and self.learn()

    def begin(self) -> None:
        """Reset a chip that was not set up since its last reset, ahead of `bring_up`, so that two chips start in the
        time that one takes."""
        flags = self.read_sure(IRQSTATA)
        if flags >= 0 and flags & IRQ_RESET:
            self._reset_now()

    def _reset_now(self) -> None:
        self.pulse_reset()
        self._begun = True
        self._begun_us = ticks_us()

    def bring_up(self) -> None:
        """Reset, probe and configure the chip, and learn its fingerprint (DS p.18). Blocks for 0.2 s at most; the
        counters start at 0.

        Raises FrontEndError, which names the register that was not as expected.
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
        self.watch_reserved()
        mended = self.mended()
        if self.failed >= 0:
            raise FrontEndError(self.failed, self.expected, self.found)
        if not (mended or self.as_wanted()) or not self.learn():
            raise FrontEndError(LAST_ADD, CRC, self.read(LAST_ADD))
        self.read(RSTIRQSTATA)

    def _expect(self, address: int, value: int) -> None:
        """Raise FrontEndError where a register does not read `value` within TRIES."""
        for _ in range(TRIES):
            found = self.read(address)
            if found == value:
                return
        raise FrontEndError(address, value, found)
