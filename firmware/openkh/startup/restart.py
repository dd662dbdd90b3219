"""Why the RP2040 restarted. MicroPython reports a machine.reset() as WDT_RESET too, so a restart that the firmware asks
for leaves its reason in the watchdog's scratch registers before it resets (DR-11)."""

import machine

from openkh.startup.scratch_registers import REASON_MASK, RUN
from openkh.startup.sealed_word import opened, sealed

NONE = 0  # nobody asked for it: the watchdog's time ran out
SEAL = 1  # the seal was opened or closed
PROVISIONED = 2  # factory data were written
COMMAND = 3  # asked for at the prompt
SERVICE = 4  # into service mode: no metering
MEMORY = 6  # the memory answers again, and says what the meter is
DISPLAY = 7  # the display's task is dead and the watchdog no longer fed; FAIL 05, as after the watchdog's time-out
OUTSIDE = 8  # the RUN pin, the RP2040's brown-out detector, machine.reset() typed by someone; never in the registers
SOFT = 5  # a soft reset at the prompt: boot.py has found its pins still set up

WATCHDOG_MS = 8000  # the RP2040's longest is 8388

_WATCHDOG_REASON = 0x40058008  # the register that tells what the last reset came from; RP2040 data sheet 4.7.6
_TIMER = 1  # its bit that says that the watchdog's time ran out
_GPIO_CTRL = 0x40014004  # GPIO0_CTRL; those of the other pins follow, 8 bytes apart; RP2040 data sheet 2.19.6.1
_UNUSED = 31  # its function field while nobody has set the pin up since the reset of the chip


def ask(reason: int) -> None:
    """Restart for `reason`; does not return. The state has to be saved before."""
    mark(reason)
    machine.reset()


def mark(reason: int) -> None:
    """Note what the next restart is for."""
    machine.mem32[RUN] = sealed(max(0, opened(machine.mem32[RUN])) & ~REASON_MASK | reason)


def note_soft_reset(output_pin: int) -> bool:
    """Whether this start comes from a soft reset, which leaves the pins as they were set up; that is noted then. For
    boot.py, before it touches `output_pin`."""
    if machine.mem32[_GPIO_CTRL + 8 * output_pin] & _UNUSED == _UNUSED:
        return False
    mark(SOFT)
    return True


def reason() -> int:
    """What the restart that led here was asked for; NONE where nobody asked for it, and at each further call."""
    asked = max(0, opened(machine.mem32[RUN])) & REASON_MASK
    mark(NONE)
    return asked


def timed_out() -> bool:
    """Whether the watchdog's time ran out. Then the RP2040 has hung, while its PIO went on unless a soft reset had
    stopped it before."""
    return machine.mem32[_WATCHDOG_REASON] & _TIMER != 0
