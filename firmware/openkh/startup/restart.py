"""Why the RP2040 restarted, kept in the watchdog's scratch registers (DR-11): machine.reset() also reads as
WDT_RESET, so a restart that the firmware asked for says so before it resets."""

import machine

from openkh.startup.scratch_registers import REASON_MASK, RUN, opened, sealed

NONE = 0  # nobody asked: the watchdog
SEAL = 1  # the seal was opened or closed
PROVISIONED = 2  # factory data were written
COMMAND = 3  # asked for at the prompt
SERVICE = 4  # into service mode: no metering
MEMORY = 6  # the memory answers again, and says what the meter is
DISPLAY = 7  # the display's task is dead, and the watchdog no longer fed for it: FAIL 05 as after its time-out
OUTSIDE = 8  # machine.reset() by whoever typed it, the RUN pin, the RP2040's brown-out detector; never in the registers
SOFT = 5  # a soft reset at the prompt: boot.py found its pins still set up

WATCHDOG_MS = 8000  # the RP2040's longest is 8388

_WATCHDOG_REASON = 0x40058008  # the register that tells what the last reset came from; RP2040 data sheet 4.7.6
_TIMER = 1  # in it: the watchdog's time ran out
_GPIO_CTRL = 0x40014004  # GPIO0_CTRL; those of the other pins follow, 8 bytes apart; RP2040 data sheet 2.19.6.1
_UNUSED = 31  # in it: nobody has set the pin up since the reset of the chip


def ask(reason: int) -> None:
    """Restart for `reason`; does not return. Save first."""
    mark(reason)
    machine.reset()


def mark(reason: int) -> None:
    """Note what a restart that is still to come is for."""
    machine.mem32[RUN] = sealed(max(0, opened(machine.mem32[RUN])) & ~REASON_MASK | reason)


def note_soft_reset(output_pin: int) -> bool:
    """Whether this start comes from a soft reset, which is noted then. For boot.py, before it touches `output_pin`: a
    soft reset leaves the pins as they were set up."""
    if machine.mem32[_GPIO_CTRL + 8 * output_pin] & _UNUSED == _UNUSED:
        return False
    mark(SOFT)
    return True


def reason() -> int:
    """What the restart that led here was asked for, NONE where nobody asked for it. A second call gives NONE."""
    asked = max(0, opened(machine.mem32[RUN])) & REASON_MASK
    mark(NONE)
    return asked


def timed_out() -> bool:
    """Whether the watchdog's time ran out: the RP2040 hung, while its PIO went on (or a soft reset had stopped it)."""
    return machine.mem32[_WATCHDOG_REASON] & _TIMER != 0
