"""A firmware small enough to see through, for tests of the virtual board: takes the place of openkh/app.py.

Every 100 ms it reads the energy register of line 1, books the difference, blinks the LED for each 5 Wh, and saves the
state to FRAM each second; every 250 ms it writes the glass. It is no meter: nothing is verified.
"""

import board
import machine
from machine import I2C, SPI, WDT, Pin, Timer

from openkh.state import State

meter = None


class Nothing:
    """Attributes that the engine's probe wants and that say nothing here."""

    errors = late = 0
    condition = lines = failures = 0
    line_1 = line_2 = None
    serial = date = ""

    @staticmethod
    def name():
        return "off"


class Dummy(Nothing):
    def __init__(self):
        self.watchdog = WDT(timeout=1000)
        number, sck, mosi, miso, cs, _irq, reset = board.FRONT_ENDS[0]
        Pin(reset, Pin.OUT, value=1)
        self.cs = Pin(cs, Pin.OUT, value=1)
        self.spi = SPI(number, baudrate=4_000_000, polarity=1, phase=1, sck=Pin(sck), mosi=Pin(mosi), miso=Pin(miso))
        self.tx = bytearray(6)
        self.rx = bytearray(6)
        self.led = Pin(board.PIN_LED, Pin.OUT, value=0)
        self.memory = I2C(0, scl=Pin(5), sda=Pin(4), timeout=5000)
        self.lcd = I2C(1, scl=Pin(7), sda=Pin(6), timeout=5000)
        self.state = State()
        self.cycle = self.status = self.rail12 = self.journal = self.factory = self.identity = self
        self.elements = ()
        self.cycles = 0
        self.saves = 0
        self.raw = 0

    def read(self, address):
        self.tx[0] = address >> 8
        self.tx[1] = address & 255
        self.tx[2] = 0x80
        self.cs(0)
        self.spi.write_readinto(self.tx, self.rx)
        self.cs(1)
        return self.rx[3] << 16 | self.rx[4] << 8 | self.rx[5]

    def write16(self, address, value):
        self.cs(0)
        self.spi.write(bytes([address >> 8, address & 255, 0, value >> 8, value & 255]))
        self.cs(1)

    def write8(self, address, value):
        self.cs(0)
        self.spi.write(bytes([address >> 8, address & 255, 0, value]))
        self.cs(1)

    def start(self):
        machine.lightsleep(100)
        self.write16(0x102, 4)
        self.write8(0xFE, 0xAD)
        self.write16(0x120, 0x30)
        self.write8(0x04, 0)
        self.raw = self.read(0x21E)
        self.timers = (
            Timer(period=100, callback=self.run),
            Timer(period=250, callback=self.show),
            Timer(period=2, callback=self.guard, hard=True),
        )

    def run(self, _timer):
        self.cycles += 1
        raw = self.read(0x21E)
        counts = (raw - self.raw) & 0xFFFFFF
        self.raw = raw
        if counts & 0x800000:
            counts = 0
        state = self.state
        total = state.delivered_counts + counts
        state.delivered_wh += total // 32000
        state.delivered_counts = total % 32000
        self.led(state.delivered_wh // 5 & 1)
        self.watchdog.feed()
        if self.cycles % 10 == 0:
            record = self.cycles.to_bytes(4, "big") * 8
            self.memory.writeto(board.FRAM_ADDRESS, b"\x40\x00" + record)
            self.saves += 1

    def show(self, _timer):
        digits = bytes([self.cycles // 5 & 255] * 20)
        try:
            self.lcd.writeto(board.PCF85176_ADDRESS, b"\xc8\x80\x60" + digits)
        except OSError:
            pass

    def guard(self, _timer):
        self.bulk = machine.ADC(board.ADC_BULK).read_u16()


def start(_asked, _watchdog, _seal):
    global meter
    meter = Dummy()
    meter.start()
    print("dummy started", end="")
    return False
