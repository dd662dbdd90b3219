"""A UART of the RP2040 (PL011, data sheet 4.2) with MicroPython's buffers around it (ports/rp2/machine_uart.c).

Bytes come and go one by one through a `line` with begin(byte, character_us) -> token and end(token); it calls
`receive(byte)`. FIFOs of 32 bytes; the interrupt that empties or fills them does not come while the CPU stands still,
so that bytes beyond the FIFO's room are lost. The time-out comes 32 bit times after the last byte, as long as there is
one in the FIFO. Framing and parity errors are not told: the byte is stored as it was sampled.
"""

FIFO = 32
LEVEL = 24  # bytes in the receive FIFO at which the interrupt comes, where IRQ_RXIDLE is in use
IDLE_BITS = 32
RXIDLE = 64


class Uart:
    """`handler(self)` is called in the interrupt when a burst has ended, while `trigger` has RXIDLE."""

    def __init__(self, clock):
        self._clock = clock
        self.line = None
        self.baud = 0
        self.parity = None
        self.handler = None
        self.trigger = 0
        self.lost = 0  # bytes that came while there was no room
        self.reset()

    def reset(self):
        """Put it into the state after a reset of the chip."""
        self._life = getattr(self, "_life", 0) + 1
        self.handler = None
        self.trigger = 0
        self._fifo = []
        self._read = []
        self._room = 0
        self._heard_us = 0
        self._watch = None
        self._queue = []  # MicroPython's transmit buffer
        self._tx_fifo = 0  # how many bytes of it are in the FIFO already
        self._sending = False

    def setup(self, baud, parity, read_bytes):
        """Set baud rate, parity (None, 0, 1) and size of the receive buffer; what was in the buffers is gone."""
        handler, trigger = self.handler, self.trigger
        self.reset()
        self.handler, self.trigger = handler, trigger
        self.baud = baud
        self.parity = parity
        self._room = read_bytes
        if self.line is not None:
            self.line.framing(baud)
        self.bit_us = 1_000_000 / baud
        self.character_us = (10 if parity is None else 11) * self.bit_us

    # Receiving

    def receive(self, byte):
        """Take a character that has come in to its stop bit."""
        if not self.baud:
            return
        clock = self._clock
        if len(self._fifo) >= FIFO:
            self.lost += 1
        else:
            self._fifo.append(byte)
        self._heard_us = clock.now_us
        if clock.cpu_blocked:
            clock.at(clock.now_us, self._level, True)
        elif len(self._fifo) >= LEVEL:
            self._level()
        if self._watch is None:
            self._watch = clock.at(clock.now_us + int(IDLE_BITS * self.bit_us), self._idle, True)

    def _level(self):
        """Take the interrupt of a full FIFO, which leaves a byte in it, so that the time-out can come."""
        if len(self._fifo) > 1:
            self._drain(1)

    def _idle(self):
        """See whether 32 bit times have passed since the last byte."""
        self._watch = None
        if not self._fifo:
            return
        due_us = self._heard_us + int(IDLE_BITS * self.bit_us)
        if self._clock.now_us < due_us:
            self._watch = self._clock.at(due_us, self._idle, True)
            return
        self._drain(0)
        if self.handler is not None and self.trigger & RXIDLE:
            self.handler()

    def _drain(self, left):
        while len(self._fifo) > left:
            byte = self._fifo.pop(0)
            if len(self._read) < self._room:
                self._read.append(byte)
            else:
                self.lost += 1

    def waiting(self):
        """How many bytes can be read. Asking empties the FIFO, and with that takes the time-out away."""
        self._drain(0)
        return len(self._read)

    def take(self, count):
        """Take up to `count` bytes out."""
        taken = self._read[:count]
        self._read = self._read[count:]
        return taken

    # Sending

    def send(self, data):
        """Queue bytes; they go out from now on."""
        self._queue += list(data)
        self._fill()
        if not self._sending:
            self._next()

    @property
    def done(self):
        """Whether the last stop bit is out."""
        return not self._queue and not self._sending

    @property
    def last(self):
        """Whether nothing waits behind the character that is going out."""
        return not self._queue

    def _fill(self):
        self._tx_fifo = min(FIFO, len(self._queue))

    def _next(self):
        clock = self._clock
        if not self._tx_fifo:
            self._sending = False
            if self._queue:  # the FIFO ran empty while the CPU stood still: filled when it runs again
                clock.at(clock.now_us, self._resume, True)
            return
        self._sending = True
        byte = self._queue.pop(0)
        self._tx_fifo -= 1
        if not clock.cpu_blocked:
            self._fill()
        token = self.line.begin(byte, self.baud, self.parity)
        life = self._life
        clock.at(clock.now_us + int(self.character_us + 0.5), lambda: self._sent(token, life))

    def _resume(self):
        self._fill()
        if not self._sending:
            self._next()

    def _sent(self, token, life):
        self.line.end(token)
        if life == self._life:
            self._next()
