"""A bus that a device holds, because a reset came while it was sending (UM10204 3.1.16)."""

import pytest

from boards.virtual.board import Board

_board = Board(1)
_board.install()
try:
    from openkh.drivers.i2c_bus import clear
finally:
    _board.uninstall()

ACKNOWLEDGE = 8  # the slot after a byte's bits: the device lets the line go, and sends on where it is low then


class Device:
    """A device that is sending: bit `at` of the first byte is on the wire, whose clock line is high."""

    def __init__(self, sent, at):
        self.bits = [byte >> 7 - bit & 1 if bit < ACKNOWLEDGE else 1 for byte in sent for bit in range(9)]
        self.at = at
        self.sending = True
        self.released = {"scl": 1, "sda": 1}  # by the RP2040
        self.stops = 0
        self.clocks = 0

    @property
    def _sda(self):
        held = self.sending and not self.bits[self.at % len(self.bits)]
        return int(self.released["sda"] and not held)

    def pin(self, name):
        def call(level=None):
            if level is None:
                return self._sda if name == "sda" else self.released["scl"]
            before = self._sda
            was, self.released[name] = self.released[name], level
            if name == "scl" and was and not level:
                self.clocks += 1
                self.at += 1
            elif name == "scl" and level and not was and self.at % 9 == ACKNOWLEDGE and self._sda:
                self.sending = False  # nobody wants the next byte
            elif name == "sda" and self.released["scl"] and self._sda and not before:
                self.stops += 1
                self.sending = False
            return None

        return call


@pytest.mark.parametrize("second", [0x00, 0x55, 0xFF])
def test_ST_1_a_device_in_the_middle_of_a_byte_lets_go(second):
    """Whichever bits it has still to send: after a 1 the next may be a 0, which holds the line again."""
    for first in range(256):
        for at in range(9):
            device = Device((first, second), at)
            assert clear(device.pin("scl"), device.pin("sda"))
            assert device.stops == 1 and not device.sending
            assert device.clocks <= 9
            assert device.released == {"scl": 1, "sda": 1}


def test_a_line_that_stays_low_is_reported():
    device = Device((0,), 0)
    device.bits = [0]
    assert not clear(device.pin("scl"), device.pin("sda"))
    assert device.clocks == 9
