import micropython

micropython.kbd_intr(-1)  # before any import: a Ctrl-C during the imports would reach a prompt (CA-2)

"""First code after a reset: every output to its safe state (outputs off, coil and 12 V off) before anything else."""

import board  # noqa: E402
from machine import Pin  # noqa: E402

from openkh.startup import restart  # noqa: E402

restart.note_soft_reset(board.PIN_COUNTER)
for _signal, number in board.OUTPUTS:
    Pin(number, Pin.OUT, value=0)
