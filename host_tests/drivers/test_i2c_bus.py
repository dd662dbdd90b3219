"""The nine clocks of UM10204 3.1.16."""

import pytest

from boards.virtual.board import Board

_board = Board(1)
_board.install()
try:
    from openkh.drivers.i2c_bus import clear
finally:
    _board.uninstall()


class Bus:
    """Two open-drain lines; a device that has `bits` zeros left to send holds the data line."""

    def __init__(self, bits):
        self.bits = bits
        self.levels = {"scl": 1, "sda": 1}
        self.stops = 0
        self.clocks = 0

    def pin(self, name):
        def call(level=None):
            if level is None:
                return int(self.levels["sda"] and not self.bits) if name == "sda" else self.levels["scl"]
            before = self.levels[name]
            self.levels[name] = level
            if name == "scl" and before and not level:
                self.clocks += 1
                self.bits = max(0, self.bits - 1)
            if name == "sda" and level and not before and self.levels["scl"] and not self.bits:
                self.stops += 1
            return None

        return call


@pytest.mark.parametrize("bits", range(10))
def test_ST_1_a_device_in_the_middle_of_a_byte_lets_go(bits):
    bus = Bus(bits)
    assert clear(bus.pin("scl"), bus.pin("sda"))
    assert bus.stops == 1
    assert bus.clocks == bits + 1
    assert bus.levels == {"scl": 1, "sda": 1}


def test_a_line_that_stays_low_is_reported():
    bus = Bus(1000)
    assert not clear(bus.pin("scl"), bus.pin("sda"))
    assert bus.clocks == 10
