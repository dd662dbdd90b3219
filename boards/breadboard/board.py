"""The bread-board build: a Raspberry Pi Pico and two ADE7953 breakouts, fed from signal generators.

The pins are the reference board's, but for those that a Pico does not bring out: it has GP0 to GP22 and GP26 to GP28.
Wires of the SPI are 15 cm long at most.
"""

from boards.reference.board import *  # noqa: F403  what is not set here is as it is there

NAME = "breadboard"

# "flash" (one-block files in the Pico's own flash), or "fram" with an FRAM breakout, which loses less in a power cut.
MEMORY = "flash"
I2C_MEMORY_HZ = 400_000  # wires on a bread-board

DISPLAY = "none"

# `./scripts/flash --rs485 port`: on the pins of FRAM and display, so with the register in flash and no display.
RS485_PINS = (1, 4, 5, 6)
RS485: "tuple[int, int, int, int | None] | None" = None

PIN_SERVICE_STRAP = 8  # not with an HT1621, whose DATA it is
