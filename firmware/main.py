import micropython

micropython.kbd_intr(-1)  # before any import: a Ctrl-C during the imports would reach a prompt (CA-2)

"""Start the meter, or service mode. With the seal closed this never ends but by a reset; with it open it ends at the
prompt, for which `prompt` has the names."""

import gc  # noqa: E402
from time import sleep_ms  # noqa: E402

import board  # noqa: E402
import machine  # noqa: E402
from machine import Pin  # noqa: E402

from openkh.startup import restart  # noqa: E402


def _low(number: "int | None") -> bool:
    return number is not None and Pin(number, Pin.IN, Pin.PULL_UP)() == 0


def _start() -> bool:
    """True where the seal was closed as the meter started."""
    asked = restart.reason()
    if not _low(board.PIN_SEAL) and (asked == restart.SERVICE or _low(board.PIN_SERVICE_STRAP)):
        restart.mark(restart.COMMAND)  # whatever resets it now was meant to
        print("OpenKh service mode: no metering; reset to leave")
        return False
    watchdog = machine.WDT(timeout=restart.WATCHDOG_MS)  # so early that a hang in the imports ends too
    # Modules stay for good: garbage that lies between them would leave the heap no large piece.
    gc.collect()
    from openkh import app

    return app.start(asked, watchdog)


prompt = {}
try:
    if _start():
        while True:
            sleep_ms(1000)
    from openkh import service
    from openkh.service import port

    port.drain()
    prompt = service.names()
except Exception:
    if _low(board.PIN_SEAL):
        machine.reset()
    raise
