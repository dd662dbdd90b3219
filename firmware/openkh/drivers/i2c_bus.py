"""An I2C bus, made free before it is used (I2C specification UM10204, 3.1.16).

A reset of the RP2040 in the middle of a read leaves the device waiting for the next clock with its data line low.
Without clocks it would wait for ever, and no transfer could begin.
"""

from machine import I2C, Pin

TIMEOUT_US = 5000
_CLOCKS = 9


def opened(wires: "tuple[int, int, int]", hertz: int) -> I2C:
    """The I2C controller of `wires` (number, SCL, SDA); a device that still holds the bus is made to let go of it
    first."""
    number, scl, sda = wires
    clear(Pin(scl, Pin.OPEN_DRAIN, value=1), Pin(sda, Pin.OPEN_DRAIN, value=1))
    return I2C(number, scl=Pin(scl), sda=Pin(sda), freq=hertz, timeout=TIMEOUT_US)


def clear(scl: Pin, sda: Pin) -> bool:
    """Clock the device, and try a STOP at each clock: a bit that is 1 would end the waiting, but the next one may be 0
    and hold the line again. True if the bus is free.

    Both pins are open drain and released (1), and machine.I2C has not taken them yet. Setting a pin takes some 4 us on
    the RP2040, which is slow enough for any device.
    """
    for _ in range(_CLOCKS):
        scl(0)
        sda(0)
        scl(1)
        sda(1)  # a STOP, where the device lets the line go
        if sda():
            return True
    return False
