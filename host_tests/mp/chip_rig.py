"""A simulated ADE7953 on a bench of its own, accessed frame by frame. Runs on CPython and MicroPython alike."""

import math

from boards.virtual.ade7953.chip import Ade7953
from boards.virtual.rp2040.clock import Clock

AENERGY, RENERGY, APENERGY = 0x31E, 0x320, 0x322
VRMS, IRMS, AWATT, AVAR, AVA = 0x31C, 0x31A, 0x312, 0x314, 0x310
PF, ANGLE, PERIOD = 0x10A, 0x10C, 0x10E
IRQENA, IRQSTATA, RSTIRQSTATA = 0x32C, 0x32D, 0x32E


class Rig:
    """One chip, powered and started unless told otherwise; `edges` holds (t_us, level) of its IRQ pin."""

    def __init__(self, start=True, tuned=True, **imperfections):
        self.clock = Clock()
        self.edges = []
        self.chip = Ade7953(self.clock, self._irq, **imperfections)
        if start:
            self.chip.power(True)
            self.clock.sleep(66000)
            self.read(RSTIRQSTATA)
            if tuned:
                self.tune()

    def _irq(self, level):
        self.edges.append((self.clock.now_us, level))

    def tune(self):
        """Lock the interface, the optimum setting, energy registers that are not cleared by a look."""
        self.write(0x102, 0x0004)
        self.write(0x0FE, 0xAD)
        self.write(0x120, 0x0030)
        self.write(0x004, 0x00)

    def frame(self, data):
        """One CS assertion; what came back."""
        answer = bytearray(len(data))
        self.chip.cs(0)
        self.chip.exchange(data, answer)
        if data[:2] == b"\x01\x02":
            self.clock.sleep(2)  # CONFIG may lock: CS stays low for a while; DS p.6
        self.chip.cs(1)
        return answer

    def read(self, address):
        """A register, unsigned as it is on the wire."""
        width = (address >> 8) + 1 if address < 0x400 else 1
        answer = self.frame(bytes([address >> 8, address & 0xFF, 0x80]) + bytes(width))
        value = 0
        for byte in answer[3:]:
            value = value << 8 | byte
        return value

    def signed(self, address):
        """A 32-bit register, signed."""
        value = self.read(address)
        return value - (1 << 32) if value >> 31 else value

    def write(self, address, value):
        """Write a register."""
        width = (address >> 8) + 1 if address < 0x400 else 1
        data = bytearray([address >> 8, address & 0xFF, 0x00])
        for k in range(width - 1, -1, -1):
            data.append(value >> 8 * k & 0xFF)
        self.frame(data)

    def sleep(self, seconds):
        """Simulated time."""
        self.clock.sleep(round(seconds * 1000000))

    def counts_in(self, seconds, address=AENERGY):
        """Energy counts of a span of time, from the free-running register (less than half its range)."""
        before = self.read(address)
        self.sleep(seconds)
        counts = (self.read(address) - before) & 0xFFFFFF
        return counts - (1 << 24) if counts >> 23 else counts


def load(rig, v=0.6, i=0.2, degrees=0.0, hz=60.0):
    """Sines at the inputs of the chip, parts of full scale; degrees > 0: the current lags."""
    angle = math.radians(degrees)
    rig.chip.drive(v, i, v * i * math.cos(angle), v * i * math.sin(angle), hz)
