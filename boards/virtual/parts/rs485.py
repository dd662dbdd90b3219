"""A pair of RS-485 wires, with transceivers that drive it and hear it, collisions, noise, and units that are no meter.

Where two drive at once, what both of them send is spoilt. A receiver with another baud rate samples what it finds.
While nobody drives, the bias of the pair holds it at idle.
"""

from boards.virtual.rng import Rng


class Pair:
    """The wires; each party on them is a Driver."""

    def __init__(self, clock, seed=1):
        self._clock = clock
        self._rng = Rng(seed, 485)
        self.drivers = []
        self.flying = []  # characters that have begun and not ended

    def begin(self, driver, byte, baud, parity):
        """Begin a character; returns what `end` has to be called with."""
        character = [driver, byte, baud, parity, self._clock.now_us, False]
        for other in self.drivers:
            if other is not driver and other.on:
                character[5] = True
        for other in self.flying:
            if other[0] is not driver:
                other[5] = True
                character[5] = True
        self.flying.append(character)
        return character

    def spoil(self, driver):
        """Spoil what others are sending, because `driver` switches on."""
        for character in self.flying:
            if character[0] is not driver:
                character[5] = True

    def cut(self, driver):
        """End what `driver` is sending, because it switches off in the middle: the rest of the character is idle."""
        for character in self.flying:
            if character[0] is driver:
                character[5] = True

    def end(self, character):
        """End a character: everybody hears it."""
        self.flying.remove(character)
        driver, byte, baud, parity, start_us, spoilt = character
        if spoilt:
            byte = (byte ^ (1 + self._rng.below(255))) & 255
        for other in self.drivers:
            if other.hear is not None and (other is not driver or other.echo):
                heard = byte if other.baud == baud else sampled(byte, baud, parity, other.baud)
                other.hear(heard, start_us)


def sampled(byte, baud, parity, at_baud):
    """What a receiver at another baud rate makes of a character."""
    levels = [0] + [byte >> i & 1 for i in range(8)]
    if parity is not None:
        levels.append((sum(levels) + parity) & 1)
    found = 0
    for i in range(8):
        at = int((i + 1.5) * baud / at_baud)
        if at >= len(levels) or levels[at]:
            found |= 1 << i
    return found


class Driver:
    """A party on the pair. `hear(byte, start_us)` is called for what it hears; None: it only talks. With `echo` it
    hears itself."""

    def __init__(self, pair, hear=None, baud=19200, echo=False):
        self.pair = pair
        self.hear = hear
        self.baud = baud
        self.echo = echo
        self.on = False
        pair.drivers.append(self)

    def enable(self, on):
        """Switch the driver on or off."""
        if on == self.on:
            return
        self.on = on
        if on:
            self.pair.spoil(self)
        else:
            self.pair.cut(self)

    def begin(self, byte, baud, parity):
        """Begin to send a character."""
        return self.pair.begin(self, byte, baud, parity)

    def end(self, character):
        """End the character."""
        self.pair.end(character)


class Transceiver:
    """What stands between a UART and the pair. The level of a pin switches its driver; without one it turns itself
    round."""

    def __init__(self, uart, pair, enable_net, echo=False):
        self._uart = uart
        self._net = enable_net
        self._driver = Driver(pair, self._hear, echo=echo)
        self.turns = []  # (t_us, level) of the newest times at which the driver was switched
        uart.line = self
        if enable_net is not None:
            enable_net.listen(self._switch)

    def _switch(self, level, t_us):
        self.turns = self.turns[-9:] + [(t_us, level)]
        self._driver.enable(bool(level))

    def framing(self, baud):
        """The UART listens at this baud rate from now on."""
        self._driver.baud = baud

    def _hear(self, byte, _start_us):
        self._uart.receive(byte)

    def begin(self, byte, baud, parity):
        """Begin a character that the UART sends; nothing gets out while the driver is off."""
        if self._net is None:
            self._driver.enable(True)
        return self._driver.begin(byte, baud, parity) if self._driver.on else None

    def end(self, character):
        """End the character."""
        if character is not None:
            self._driver.end(character)
        if self._net is None and self._uart.last:
            self._driver.enable(False)


class Master:
    """The master at the other end of the pair: it sends what it is given, and tells what it hears, a run without a
    pause at a time."""

    def __init__(self, clock, pair, tell):
        """`tell(text, first_us, last_us)` is called for each run, with the start of its first character and the end of
        its last one; None: the master is deaf."""
        self._clock = clock
        self._tell = tell
        self._driver = Driver(pair, None if tell is None else self._hear)
        self._queue = []
        self._heard = ""
        self._first_us = 0
        self._last_us = 0
        self._flush = None

    def send(self, text, baud, parity):
        """Send the characters of `text`, each a byte, one after the other, after what still waits."""
        idle = not self._queue
        self._queue += [(ord(char), baud, parity) for char in text]
        self._driver.baud = baud
        if idle:
            self._driver.enable(True)
            self._next()

    def _next(self):
        byte, baud, parity = self._queue[0]
        character = self._driver.begin(byte, baud, parity)
        bits = 10 if parity is None else 11
        self._clock.at(self._clock.now_us + int(bits * 1e6 / baud + 0.5), lambda: self._sent(character))

    def _sent(self, character):
        self._driver.end(character)
        self._queue.pop(0)
        if self._queue:
            self._next()
        else:
            self._driver.enable(False)

    def _hear(self, byte, start_us):
        if not self._heard:
            self._first_us = start_us
        self._heard += chr(byte)
        self._last_us = self._clock.now_us
        if self._flush is None:
            self._flush = self._clock.at(self._last_us + self._pause_us(), self._look)

    def _pause_us(self):
        return int(20e6 / self._driver.baud)

    def _look(self):
        self._flush = None
        due_us = self._last_us + self._pause_us()
        if self._clock.now_us < due_us:
            self._flush = self._clock.at(due_us, self._look)
        else:
            self.flush()

    def flush(self):
        """Tell what was heard so far, without waiting for the pause."""
        if self._heard:
            heard, self._heard = self._heard, ""
            self._tell(heard, self._first_us, self._last_us)


class OtherUnit:
    """A second slave on the pair. 5 ms after a request to read some of its registers it answers with as many, each of
    which holds its unit."""

    def __init__(self, clock, pair, unit, baud=19200):
        self._clock = clock
        self._unit = unit
        self._driver = Driver(pair, self._hear, baud)
        self._queue = b""
        self._heard = b""
        self._last_us = 0

    def _hear(self, byte, start_us):
        if start_us - self._last_us > 35e6 / self._driver.baud:
            self._heard = b""
        self._last_us = self._clock.now_us
        self._heard += bytes([byte])
        if len(self._heard) == 8 and self._heard[0] == self._unit and self._heard[1] in (3, 4):
            count = self._heard[5]
            answer = bytes([self._unit, self._heard[1], 2 * count]) + bytes([0, self._unit]) * count
            crc = _crc(answer)
            self._queue = answer + bytes([crc & 255, crc >> 8])
            self._clock.at(self._clock.now_us + 5000, self._next)

    def _next(self):
        self._driver.enable(True)
        character = self._driver.begin(self._queue[0], self._driver.baud, None)
        self._queue = self._queue[1:]
        self._clock.at(self._clock.now_us + int(10e6 / self._driver.baud + 0.5), lambda: self._sent(character))

    def _sent(self, character):
        self._driver.end(character)
        if self._queue:
            self._next()
        else:
            self._driver.enable(False)


def _crc(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
