"""Frees an I2C bus whose data line a device holds low (I2C specification UM10204, 3.1.16).

A reset of the RP2040 in the middle of a read leaves the device waiting for the next clock with its data line low.
Without clocks it would wait for ever, and no transfer could begin.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import Pin

_CLOCKS = 9


def clear(scl: "Pin", sda: "Pin") -> bool:
    """Clock until the device lets go of the data line, then make a STOP; True if the bus is free.

    Both pins are open drain and released (1), and machine.I2C has not taken them yet. Setting a pin takes some 4 us on
    the RP2040, which is slow enough for any device.
    """
    for _ in range(_CLOCKS):
        if sda():
            break
        scl(0)
        scl(1)
    scl(0)
    sda(0)
    scl(1)
    sda(1)
    return bool(sda())
