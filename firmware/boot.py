import micropython

micropython.kbd_intr(-1)  # before any import: a Ctrl-C during the imports would reach a prompt (CA-2)

"""First code after a reset: every output to its safe state (outputs off, coil and 12 V off) before anything else.

`prompt`: after a soft reset the commands, which say that there is no metering: `mpremote exec` makes one, and does not
run main.py.
"""

import board  # noqa: E402
from machine import Pin  # noqa: E402

from openkh.startup import restart  # noqa: E402

soft = restart.note_soft_reset(board.PIN_COUNTER)
for _signal, number in board.OUTPUTS:
    Pin(number, Pin.OUT, value=0)
if board.RS485 is not None and board.RS485[3] is not None:
    Pin(board.RS485[3], Pin.OUT, value=0)  # after a soft reset it may still drive the pair

prompt = {}
if soft:
    try:
        from openkh import service

        prompt = service.names()
    except Exception:
        pass  # main.py, or the watchdog, goes on
    globals().update(prompt)
