"""A UART of the emulated chip on its wires, as boards.virtual.rp2040.uart.Uart is to the virtual board.

rp2040py has no receive time-out: it is raised here, 32 bit times after a byte (RP2040 data sheet 4.2.8). Nor has it a
transmit FIFO: what the firmware writes is out at once for the chip, and goes over the wires at its pace from here on.
"""

from collections.abc import Callable
from typing import Any

from host.rp2040.emulator import Chip
from host.rp2040.wires import Clock

IDLE_BITS = 32
RECEIVE_TIMEOUT = 1 << 6  # RTRIS
CHARACTER_BITS = 10  # 8N1


class SerialPort:
    """UART `number`; `line` is the transceiver on it."""

    def __init__(self, clock: Clock, number: int) -> None:
        self.line: Any = None
        self._clock = clock
        self._number = number
        self._uart: Any = None
        self._queue: list[int] = []
        self._watch: Any = None

    def connect(self, chip: Chip) -> None:
        """The chip has power."""
        self._uart = chip.mcu.uart[self._number]
        self._uart.on_byte = self._send
        self._uart.on_baud_rate_change = lambda _baud: self.line and self.line.framing(self._baud)
        self._queue.clear()

    @property
    def _baud(self) -> int:
        return self._uart.baud_rate if self._uart.baud_divider else 19200

    def _bits_us(self, bits: int) -> int:
        return round(bits * 1e6 / self._baud)

    def receive(self, byte: int) -> None:
        """A character has come in."""
        if self._uart is None or not self._uart.enabled:
            return
        self._uart.feed_byte(byte)
        if self._watch is not None:
            self._clock.cancel(self._watch)
        self._watch = self._after(IDLE_BITS, self._idle)

    def _idle(self) -> None:
        self._watch = None
        self._uart._interrupt_status |= RECEIVE_TIMEOUT
        self._uart.check_interrupts()

    def _after(self, bits: int, fn: Callable[[], None]) -> Any:
        return self._clock.at(self._clock.now_us + self._bits_us(bits), fn)

    @property
    def last(self) -> bool:
        """Whether nothing waits behind the character that goes out."""
        return not self._queue

    def _send(self, byte: int) -> None:
        self._queue.append(byte)
        if len(self._queue) == 1:
            self._next()

    def _next(self) -> None:
        token = self.line.begin(self._queue[0], self._baud, None)

        def sent() -> None:
            self._queue.pop(0)
            self.line.end(token)
            if self._queue:
                self._next()

        self._after(CHARACTER_BITS, sent)
