import micropython

micropython.kbd_intr(-1)  # before any import: a Ctrl-C during the imports would reach a prompt (CA-2)

"""Start the meter, or service mode. With the seal closed this never ends but by a reset; with it open it ends at the
prompt, for which `prompt` has the names."""

import gc  # noqa: E402
from time import sleep_ms, ticks_diff, ticks_ms  # noqa: E402

import board  # noqa: E402
import machine  # noqa: E402
from machine import Pin  # noqa: E402

from openkh.startup import restart  # noqa: E402

SEAL_MS = 1000  # in service mode the seal is looked at so often
SETTLE_MS = 20  # the RP2040's pull-up charges the seal's 100 nF in 5 to 8 (docs/hardware.md)


class Switch:
    """A switch between a pin and ground. `pin` reads low while it is closed, and at first where a capacitor is to be
    charged."""

    def __init__(self, number: int) -> None:
        self.pin = Pin(number, Pin.IN, Pin.PULL_UP)
        self._since_ms = ticks_ms()

    def is_closed(self) -> bool:
        """Whether the switch is closed. Waits for the pin to settle where it still may."""
        while self.pin() == 0:
            if ticks_diff(ticks_ms(), self._since_ms) >= SETTLE_MS:
                return True
            sleep_ms(1)
        return False


seal = Switch(board.PIN_SEAL)
timer = None  # that looks at it; kept here, or it would be collected


def _start() -> bool:
    """True where the seal was closed as the meter started."""
    global timer
    asked = restart.reason()
    strap = board.PIN_SERVICE_STRAP
    if (asked == restart.SERVICE or (strap is not None and Switch(strap).is_closed())) and not seal.is_closed():
        restart.mark(restart.COMMAND)  # whatever resets it now was meant to
        timer = machine.Timer(-1, mode=machine.Timer.PERIODIC, period=SEAL_MS, callback=_meter_when_sealed)
        print("OpenKh service mode: no metering; reset to leave")
        return False
    watchdog = machine.WDT(timeout=restart.WATCHDOG_MS)  # so early that a hang in the imports ends too
    # Modules stay for good: garbage that lies between them would leave the heap no large piece.
    gc.collect()
    from openkh import app

    return app.start(asked, watchdog, seal)


def _meter_when_sealed(_timer: object) -> None:
    """Who closes the seal wants a meter that meters, and no prompt (CA-2)."""
    if seal.is_closed():
        machine.reset()


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
    if seal.is_closed():
        machine.reset()
    raise
