"""Free an I2C bus that a device holds (I2C specification UM10204, 3.1.16).

A reset of the RP2040 in the middle of a read leaves the device waiting for clocks with its data line low, for ever.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import Pin

_CLOCKS = 9


def clear(scl: "Pin", sda: "Pin") -> bool:
    """Clock until the data line is released, then STOP; True if the bus is free.

    Both pins open drain and released (1); before machine.I2C takes them. A pin's write takes some 4 us on the RP2040,
    which is slow enough for any device.
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
