"""The RP2040's own temperature sensor, at input 4 of its analogue-to-digital converter (RP2040 data sheet 4.9.5).

The sensor gives 0.706 V at 27 degC and 1.721 mV less for each kelvin more; one step of the converter's 12 bits is 0.47
K. It is off by some kelvin from chip to chip, and by as much again because of the 3.3 V that it is compared with. Both
errors hardly change on one board, and the correction of energy uses nothing but differences between readings of one
board.
"""

from machine import ADC, disable_irq, enable_irq

_CHANNEL = 4
_READINGS = 4  # averaged, because single ones flicker


class CoreTemperature:
    """The sensor. It shares the converter with the 12 V guard, which reads its own inputs in an interrupt every 3 ms.

    Nothing may choose another input between the choice of one and the conversion. So each conversion here, 10 us long,
    is made with interrupts off, and the guard comes before or after it.
    """

    def __init__(self) -> None:
        self._read = ADC(_CHANNEL).read_u16

    def read(self) -> int:
        """The temperature in 0.01 degC. Allocates nothing."""
        total = 0
        for _ in range(_READINGS):
            state = disable_irq()
            raw = self._read()
            enable_irq(state)
            total += raw

        uv = total * 3223 >> 8  # the sum of four readings is 4 * 65,535 at 3.3 V
        return 2_700 - (uv - 706_000) * 10 // 172  # 17.21 uV are 0.01 K
