"""The RP2040's own temperature sensor: input 4 of its converter (RP2040 data sheet 4.9.5).

0.706 V at 27 degC, -1.721 mV a kelvin; a step of 12 bits is 0.47 K. From chip to chip it is off by some kelvin, and as
much again by the 3.3 V that it is compared with. Both are constant, or nearly: the correction uses differences between
readings of one board's sensor only.
"""

from machine import ADC, disable_irq, enable_irq

_CHANNEL = 4
_READINGS = 4  # averaged: it flickers


class CoreTemperature:
    """`read` gives 0.01 degC. The 12 V guard converts its own inputs in an interrupt, each 2 ms: between choosing an
    input and having its value nothing may come in between, so each single conversion (10 us) is made with interrupts
    off, and the guard comes before or after it."""

    def __init__(self) -> None:
        self._read = ADC(_CHANNEL).read_u16

    def read(self) -> int:
        """0.01 degC. Allocates nothing."""
        total = 0
        for _ in range(_READINGS):
            state = disable_irq()
            raw = self._read()
            enable_irq(state)
            total += raw

        uv = total * 3223 >> 8  # 4 * 65,535 is 3.3 V
        return 2_700 - (uv - 706_000) * 10 // 172  # 17.21 uV to 0.01 K
