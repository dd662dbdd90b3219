"""The bread-board build: a Raspberry Pi Pico and two ADE7953 breakouts, fed from signal generators.

The pins are the reference board's, except where a Pico has no such pin: it has GP0 to GP22 and GP26 to GP28. The wires
of the SPI may be 15 cm long.
"""

from boards.reference.board import *  # noqa: F403  what is not set here is as it is there

NAME = "breadboard"

# "flash" (one-block files in the Pico's own flash), or "fram" with an FRAM breakout, which loses less in a power cut.
MEMORY = "flash"
I2C_MEMORY_HZ = 400_000  # slower than on the reference board, because of the wires

DISPLAY = "none"

# `./scripts/flash --rs485 port` gives the build a port. It takes pins of FRAM and display, so the register has to be in
# flash, and there is no display.
RS485_PINS = (1, 4, 5, 6)
RS485: "tuple[int, int, int, int | None] | None" = None

PIN_SERVICE_STRAP = 8  # this is DATA of an HT1621: a build with one has no strap
