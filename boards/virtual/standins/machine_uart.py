"""UART of the stand-in for `machine` (machine.py): names, arguments and times are those of the RP2040's port."""

from boards.virtual.rp2040.uart import RXIDLE

ANY_US = 15  # measured on the emulated chip
READ_US = 53
USUAL_PINS = ((0, 1), (4, 5))  # TX and RX of UART 0 and 1 on an RPI_PICO
EMPTY_US = 1000  # `readinto` waits this long for a byte where there is none

_board = None


def attach(board):
    """Act on this board from now on."""
    global _board
    _board = board


class UART:
    """UART 0 or 1."""

    IRQ_TXIDLE = 32
    IRQ_RXIDLE = RXIDLE
    IRQ_BREAK = 512

    def __init__(self, id, **settings):
        if id not in (0, 1):
            raise ValueError("UART(%d) doesn't exist" % id)
        self._id = id
        self._uart = _board.uart(id)
        self._clock = _board.clock
        self._cpu = _board.cpu
        for name, number in zip(("tx", "rx"), USUAL_PINS[id]):
            if name not in settings and not self._uart.baud:
                _board.pins[number].hand_over(self)
        if settings:
            self.init(**settings)

    def init(
        self,
        baudrate=115200,
        bits=8,
        parity=None,
        stop=1,
        *,
        tx=None,
        rx=None,
        txbuf=256,  # noqa: ARG002  nothing is sent that does not fit it
        rxbuf=256,
        timeout=0,
        timeout_char=0,  # noqa: ARG002  never waited for
    ):
        """Settings; the buffers are empty afterwards."""
        if bits != 8 or stop != 1 or timeout:
            raise NotImplementedError("8 bits, 1 stop bit, no waiting")
        for pin, place in ((tx, 0), (rx, 1)):
            if pin is not None:
                number = pin.net.number
                if number & 3 != place or (number + 4 & 8) >> 3 != self._id:
                    raise ValueError("bad %s pin" % ("RX" if place else "TX"))
                pin.net.hand_over(self)
        self._uart.setup(baudrate, parity, rxbuf)

    def irq(self, handler=None, trigger=0, hard=False):
        """Call `handler(self)` on the events of `trigger`: from the interrupt (hard) or through the queue (soft)."""
        uart = self._uart
        cpu = self._cpu

        def interrupt():
            if hard:
                if not cpu.hard(handler, self):
                    uart.handler = None
            else:
                cpu.soft(handler, self)

        uart.handler = None if handler is None else interrupt
        uart.trigger = trigger
        return Irq(uart)

    def any(self):
        """How many bytes can be read."""
        self._clock.spend(ANY_US)
        return self._uart.waiting()

    def readinto(self, buf, nbytes=-1):
        """Fill `buf`; how many bytes there were, None for none."""
        count = min(len(buf), len(buf) if nbytes < 0 else nbytes)
        self._clock.spend(READ_US if self._uart.waiting() >= count else EMPTY_US)
        taken = self._uart.take(count)
        for i in range(len(taken)):
            buf[i] = taken[i]
        return len(taken) or None

    def write(self, buf, *part):
        """Send; with one number as many bytes of `buf`, with two from an offset on."""
        first, count = (part[0], part[1]) if len(part) == 2 else (0, part[0] if part else len(buf))
        data = bytes(buf)[first : first + count]
        self._uart.send(data)
        return len(data)

    def txdone(self):
        """Whether the last stop bit is out."""
        return self._uart.done

    def deinit(self):
        """Let go."""
        self._uart.reset()


class Irq:
    """What `irq` returns."""

    def __init__(self, uart):
        self._uart = uart

    def trigger(self, *new):
        """The events that are told, or others from now on."""
        old = self._uart.trigger
        if new:
            self._uart.trigger = new[0]
        return old

    def flags(self):
        """The event that was told last."""
        return RXIDLE
