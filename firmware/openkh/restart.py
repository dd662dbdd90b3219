"""Why the RP2040 restarted, kept in the watchdog's scratch register 0 (house rule 11): machine.reset() also reads as
WDT_RESET, so a restart that the firmware asked for says so before it resets."""

import machine

SCRATCH = 0x4005800C  # WATCHDOG_SCRATCH0, RP2040 data sheet 4.7.6
_MARK = 0x0B4C0000  # 28 bits, the reason in the low byte

NONE = 0  # nobody asked: the watchdog, or a soft reset
SEAL = 1  # the seal was opened or closed
PROVISIONED = 2  # factory data were written
COMMAND = 3  # asked for at the prompt
SERVICE = 4  # into service mode: no metering


def ask(reason: int) -> None:
    """Restart for `reason`; does not return. Save first."""
    machine.mem32[SCRATCH] = _MARK | reason
    machine.reset()


def reason() -> int:
    """What the restart that led here was asked for; NONE where it was not. Forgets it."""
    word = machine.mem32[SCRATCH]
    machine.mem32[SCRATCH] = 0
    return word & 0xFF if word & 0x0FFFFF00 == _MARK and word >> 28 == 0 else NONE
