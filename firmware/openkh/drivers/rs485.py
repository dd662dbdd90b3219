"""The RP2040's UART with an RS-485 transceiver: a burst of bytes comes in, an answer goes out (AM-1, AM-5).

What the code below has to heed, by the RP2040's data sheet 4.2 (a PL011 with FIFOs of 32 bytes, and a time-out after 32
bit times without a byte) and by MicroPython's ports/rp2/machine_uart.c, 1.27 to 1.29:
- IRQ_RXIDLE comes 32 bit times after the last byte of a burst. `any()` and `readinto()` may take that event away, so
  the UART is asked nothing between the bytes of a burst, only once it has ended. Above 19200 baud 32 bit times are
  shorter than the pause that a frame may have in it: there the bytes are counted until a whole silence has brought no
  more.
- `readinto()` on an empty port waits up to 1 ms, so no more is read than `any()` has told.
- `write()` returns while the bytes still go out. The transceiver's driver is switched off when `txdone()` says that the
  last stop bit is out: a one-shot hard timer asks when the bytes must be nearly out, and then again until they are.
- Without pins the constructor switches the UART's usual ones over to it (GPIO4 and 5 for UART 1), whatever they are in
  use for, and other pins that it gets later do not give them back.
- Framing and parity errors are not told; the checksum of the frame finds them.
While flash is erased none of this runs: what then comes in beyond the FIFO's room is lost, and its frame with it.
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

_IDLE_BITS = 32  # bit times without a byte after which the UART says that a burst has ended
_SILENCE_US = 1750  # between frames above _SILENCE_BAUD; else it is 3.5 characters (Modbus over serial line 2.5.1.1)
_SILENCE_HZ = 571  # the same, as machine.Timer takes it
_SILENCE_BAUD = 19_200
_TURN_HZ = 16_000  # how often to look again whether the last stop bit is out: each 62 us
_QUIET_US = 62_500  # for so long a port that is flooded is left alone
_CALM_HZ = 16  # the same, as machine.Timer takes it
_BURSTS = 12  # more bursts than any master sends in that time: the port is flooded


class Rs485:
    """UART `number` on the pins `tx` and `rx`; `driver_enable` is None where the transceiver turns itself round.

    `serve` is called when a burst has ended. It comes from MicroPython's soft queue, so never within a measuring cycle;
    it calls `take` for the burst, and `send` where there is an answer.
    """

    def __init__(
        self, number: int, tx: "Pin", rx: "Pin", driver_enable: "Pin | None", serve: "Callable[[object], None]"
    ) -> None:
        self._pins = (tx, rx)
        self._enable = driver_enable
        self._serve = serve
        self._uart = UART(number, tx=tx, rx=rx)
        self._irq: Any = None
        self._turn_timer = Timer(-1)
        self._silence_timer = Timer(-1)
        # Bound methods made once: making one in a callback would take heap.
        self._on_idle = self._idle
        self._on_silence = self._silence
        self._on_turn = self._turn
        self._on_calm = self._calm
        self._waiting = False  # `serve` is queued or at work, or an answer is going out: what ends now is not served
        self._more_hz = 0  # 1 / the silence to wait for beyond the UART's own time-out; 0: none
        self._pause_hz = 0  # 1 / the silence that is waited for now
        self._heard = 0  # bytes that had come in at the beginning of that silence
        self._bits_us = 0  # what 1000 bits take
        self._character_bits = 10
        self._send_ms = 0  # what the answer that is going out takes at least
        self._window_us = 0  # tick at which the bursts began to be counted
        self._bursts = 0  # bursts since then
        self._stale = False  # what is in the buffer came in a flood
        self.floods = 0  # how many times the port was left alone for a while

    def open(self, baud: int, parity: "int | None") -> None:
        """Listen from now on at `baud`, with `parity` None, 0 for even or 1 for odd. May take heap."""
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
        """For `serve`: move the burst into `buf` and return how many bytes it has. Returns 0 where there were more than
        `buf` holds, or where they came in a flood: then all of them are thrown away."""
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
        """Send `length` bytes of `buf`, SEND_BYTES at most, from `first` on. What comes in until the last stop bit is
        out is an echo of it, and not served."""
        self._waiting = True
        self._drive(1)
        self._uart.write(buf, first, length)  # type: ignore[call-arg]  # offset and length are not in the stubs
        self._send_ms = max(1, length * self._character_bits * self._bits_us // 1_000_000)
        self._watch()

    # Each timer is started in a function of its own, so that the call fits the stack (DR-7).

    def _watch(self) -> None:
        """Look whether the answer is out after the whole milliseconds that it takes at least."""
        self._turn_timer.init(mode=Timer.ONE_SHOT, period=self._send_ms, callback=self._on_turn, hard=True)

    def _watch_on(self) -> None:
        """Look again a moment later."""
        self._turn_timer.init(mode=Timer.ONE_SHOT, freq=_TURN_HZ, callback=self._on_turn, hard=True)

    def _pause(self) -> None:
        """Wait for the silence that ends a frame."""
        self._silence_timer.init(mode=Timer.ONE_SHOT, freq=self._pause_hz, callback=self._on_silence, hard=True)

    def _rest(self) -> None:
        """Leave the port alone for a while."""
        self._silence_timer.init(mode=Timer.ONE_SHOT, freq=_CALM_HZ, callback=self._on_calm, hard=True)

    def _drive(self, level: int) -> None:
        """Switch the transceiver's driver on (1) or off (0)."""
        if self._enable is not None:
            self._enable(level)

    def _turn(self, _timer: object) -> None:
        """In the interrupt of the timer: the answer is out, or nearly."""
        if self._uart.txdone():
            self._drive(0)
            self._waiting = False
        else:
            self._watch_on()

    def _idle(self, _uart: object) -> None:
        """In the interrupt of the UART: 32 bit times have passed without a byte."""
        now_us = ticks_us()
        if ticks_diff(now_us, self._window_us) >= _QUIET_US:
            self._window_us = now_us
            self._bursts = 0
        if self._waiting:
            return
        self._bursts += 1
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
        """In the interrupt of the timer: listen again; `take` throws away what has come in meanwhile."""
        self._irq.trigger(UART.IRQ_RXIDLE)
        self._stale = True
        self._end()

    def _silence(self, _timer: object) -> None:
        """In the interrupt of the timer: the silence between frames is over. Where bytes came in it, it begins anew."""
        before = self._heard
        self._heard = self._uart.any()
        if self._heard == before:
            self._end()
        else:
            self._pause_hz = _SILENCE_HZ
            self._pause()

    def _end(self) -> None:
        """In an interrupt: a frame has ended, so queue `serve`."""
        self._waiting = True
        try:
            micropython.schedule(self._serve, None)
        except RuntimeError:
            self._waiting = False  # the queue is full: the frame gets no answer, and its master asks again
