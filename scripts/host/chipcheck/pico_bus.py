"""The bus of questions.py on a Pico: one ADE7953 on a hardware SPI. MicroPython; it is sent to the board as text."""

from time import sleep_ms, sleep_us, ticks_diff, ticks_us

from machine import SPI, Pin


class Bus:
    """`wires`: SPI controller, SCK, MOSI, MISO, CS, IRQ, RESET, as in a board's FRONT_ENDS."""

    def __init__(self, wires):
        number, sck, mosi, miso, cs, irq, reset = wires
        self._cs = Pin(cs, Pin.OUT, value=1)
        self._reset = Pin(reset, Pin.OUT, value=1)
        self.irq = Pin(irq, Pin.IN, Pin.PULL_UP)
        self._spi = SPI(
            number, baudrate=1_000_000, polarity=1, phase=1, sck=Pin(sck), mosi=Pin(mosi), miso=Pin(miso, Pin.IN)
        )
        self.ticks_us = ticks_us

    def sleep_us(self, us):
        """Wait; the longer part of it so that the USB port is served meanwhile."""
        sleep_ms(us // 1000)
        sleep_us(us % 1000)

    def since(self, start):
        """Microseconds since a reading of ticks_us."""
        return ticks_diff(ticks_us(), start)

    def reset(self, low_us):
        """A pulse on the RESET pin."""
        self._cs(1)
        self._reset(0)
        sleep_us(low_us)
        self._reset(1)

    def read(self, address):
        """A register, unsigned."""
        width = (address >> 8) + 1 if address < 0x400 else 1
        frame = bytes((address >> 8, address & 0xFF, 0x80)) + bytes(width)
        answer = bytearray(len(frame))
        self._cs(0)
        self._spi.write_readinto(frame, answer)
        self._cs(1)
        value = 0
        for byte in answer[3:]:
            value = value << 8 | byte
        return value

    def write(self, address, value):
        """Write a register."""
        frame = bytearray((address >> 8, address & 0xFF, 0))
        for k in range(((address >> 8) + 1 if address < 0x400 else 1) - 1, -1, -1):
            frame.append(value >> 8 * k & 0xFF)
        self._cs(0)
        self._spi.write(frame)
        sleep_us(2)
        self._cs(1)

    def step_frequency(self):
        """Nothing to be done from here: the person at the source does it."""
