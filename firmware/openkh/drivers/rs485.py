"""The RP2040's UART with an RS-485 transceiver: a burst of bytes comes in, an answer goes out (AM-1, AM-5).

RP2040 data sheet 4.2 (PL011: 32-byte FIFOs, a time-out after 32 bit times without a byte) and MicroPython's
ports/rp2/machine_uart.c 1.27 to 1.29:
- IRQ_RXIDLE comes 32 bit times after the last byte of a burst. `any()` and `readinto()` may take that event away, so
  nothing is asked between the bytes of a burst: only once it has ended. Above 19200 baud 32 bit times are shorter than
  the pause that a frame may have in it: there the bytes are counted until no more have come.
- `readinto()` on an empty port waits up to 1 ms: no more is read than `any()` has told.
- `write()` returns while the bytes still go out. The driver is switched off when `txdone()` says that the last stop
  bit is out: a one-shot hard timer asks at the time at which it must be, and again until it is.
- Framing and parity errors are not told: the frame's checksum finds them.
A flash erase stops all of this; what then comes in beyond the FIFO's room is lost, and the frame with it.
"""

import micropython
from machine import UART, Timer

from openkh.ticks import ticks_diff, ticks_us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from machine import Pin

RECEIVE_BYTES = 256
SEND_BYTES = 256

_IDLE_BITS = 32
_SILENCE_US = 1750  # between frames above 19200 baud; below it is 3.5 characters (Modbus over serial line 2.5.1.1)
_SILENCE_HZ = 571  # the same
_SILENCE_BAUD = 19_200
_TURN_HZ = 16_000  # to look again whether the last stop bit is out, each 62 us
_QUIET_US = 62_500  # a port that is flooded is looked at again after that long
_CALM_HZ = 16  # the same
_BURSTS = 12  # bursts in that time: more than any master sends


class Rs485:
    """`serve` is called (from the soft queue, so never within a measuring cycle) when a burst has ended.

    `driver_enable`: None where the transceiver turns itself round.
    """

    def __init__(
        self, number: int, tx: "Pin", rx: "Pin", driver_enable: "Pin | None", serve: "Callable[[object], None]"
    ) -> None:
        self._pins = (tx, rx)
        self._enable = driver_enable
        self._serve = serve
        self._uart = UART(number)
        self._irq: Any = None
        self._turn_timer = Timer(-1)
        self._silence_timer = Timer(-1)
        # Bound methods made once: making one in a callback would take heap.
        self._on_idle = self._idle
        self._on_silence = self._silence
        self._on_turn = self._turn
        self._on_calm = self._calm
        self._waiting = False  # `serve` is queued, or an answer is going out
        self._more_hz = 0  # 1 / silence beyond the UART's own time-out, 0 = none
        self._pause_hz = 0  # 1 / silence that is waited for now
        self._heard = 0  # bytes at the beginning of that silence
        self._bits_us = 0  # of 1000 bits
        self._character_bits = 10
        self._send_ms = 0
        self._window_us = 0
        self._bursts = 0
        self._stale = False  # what is in the buffer is of a flood
        self.floods = 0  # times at which the port was left alone for a while

    def open(self, baud: int, parity: "int | None") -> None:
        """Listen from now on; `parity` None, 0 even, 1 odd. May take heap."""
        tx, rx = self._pins
        self._waiting = False
        self._drive(0)
        self._uart.init(
            baudrate=baud,
            bits=8,
            parity=parity,
            stop=1,
            tx=tx,
            rx=rx,
            txbuf=SEND_BYTES,
            rxbuf=RECEIVE_BYTES,
            timeout=0,
            timeout_char=0,
        )
        self._character_bits = 10 if parity is None else 11
        self._bits_us = 1_000_000_000 // baud
        self._more_hz = 0
        if baud > _SILENCE_BAUD:
            self._more_hz = 1_000_000 // (_SILENCE_US - _IDLE_BITS * self._bits_us // 1000)
        self._window_us = ticks_us()
        # What the stubs call these arguments is not what they are called.
        self._irq = self._uart.irq(handler=self._on_idle, trigger=UART.IRQ_RXIDLE, hard=True)  # type: ignore[call-arg]

    def take(self, buf: bytearray) -> int:
        """In `serve`: put the burst into `buf`; how many bytes, 0 where there were too many, or a flood's."""
        self._waiting = False
        count = self._uart.any()
        if count <= len(buf) and not self._stale:
            return self._uart.readinto(buf, count) or 0 if count else 0
        self._stale = False
        while count:
            self._uart.readinto(buf, min(count, len(buf)))
            count = self._uart.any()
        return 0

    def send(self, buf: bytearray, first: int, length: int) -> None:
        """Send `length` bytes of `buf` (SEND_BYTES at most); what comes in meanwhile is an echo."""
        self._waiting = True
        self._drive(1)
        self._uart.write(buf, first, length)  # type: ignore[call-arg]  # offset and length are not in the stubs
        self._send_ms = max(1, length * self._character_bits * self._bits_us // 1_000_000)
        self._watch()

    # Each timer is started in a function of its own, so that the call fits the stack (DR-7).

    def _watch(self) -> None:
        """Whole milliseconds: so long it takes at least."""
        self._turn_timer.init(mode=Timer.ONE_SHOT, period=self._send_ms, callback=self._on_turn, hard=True)

    def _watch_on(self) -> None:
        self._turn_timer.init(mode=Timer.ONE_SHOT, freq=_TURN_HZ, callback=self._on_turn, hard=True)

    def _pause(self) -> None:
        self._silence_timer.init(mode=Timer.ONE_SHOT, freq=self._pause_hz, callback=self._on_silence, hard=True)

    def _rest(self) -> None:
        self._silence_timer.init(mode=Timer.ONE_SHOT, freq=_CALM_HZ, callback=self._on_calm, hard=True)

    def _drive(self, level: int) -> None:
        if self._enable is not None:
            self._enable(level)

    def _turn(self, _timer: object) -> None:
        """In the interrupt: the answer is out, or nearly."""
        if self._uart.txdone():
            self._drive(0)
            self._waiting = False
        else:
            self._watch_on()

    def _idle(self, _uart: object) -> None:
        """In the interrupt: 32 bit times without a byte."""
        now_us = ticks_us()
        if ticks_diff(now_us, self._window_us) >= _QUIET_US:
            self._window_us = now_us
            self._bursts = 0
        self._bursts += 1
        if self._waiting:
            return
        if self._bursts > _BURSTS:
            self.floods += 1
            self._irq.trigger(0)
            self._rest()
        elif self._more_hz:
            self._heard = self._uart.any()
            self._pause_hz = self._more_hz
            self._pause()
        else:
            self._end()

    def _calm(self, _timer: object) -> None:
        """In the interrupt: the port is heard again, and what has come in meanwhile is thrown away."""
        self._irq.trigger(UART.IRQ_RXIDLE)
        self._stale = True
        self._end()

    def _silence(self, _timer: object) -> None:
        """In the interrupt: the pause between frames is over, unless bytes came in it: then it begins anew."""
        before = self._heard
        self._heard = self._uart.any()
        if self._heard == before:
            self._end()
        else:
            self._pause_hz = _SILENCE_HZ
            self._pause()

    def _end(self) -> None:
        """In the interrupt: a frame has ended."""
        self._waiting = True
        try:
            micropython.schedule(self._serve, None)
        except RuntimeError:
            self._waiting = False  # the queue is full: the master asks again
