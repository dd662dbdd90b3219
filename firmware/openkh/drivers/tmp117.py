"""Driver of the temperature sensor TMP117 on I2C (TI SNOSD82D): within 0.1 K from -20 to 50 degC, steps of 1/128 K.

From its power-up on the sensor converts by itself; each second it has the mean of eight conversions. Before the first
result it reads -256 degC.
"""

from openkh.metrology.thermometer import NONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import I2C

HZ = 400_000  # the fastest clock that it takes

_RESULT, _CONFIGURATION, _IDENTITY = b"\x00", b"\x01", b"\x0f"
_TMP117 = 0x117  # the lower 12 bits of the identity; the others are the revision
_STOPPED = 0x0400  # this bit of the configuration: shut down, or one conversion at a time
_NO_RESULT = 0x8000  # in place of a result, before the first
_NO_ANSWER = -1


class Tmp117:
    """The sensor at `address`, which is 0x48 to 0x4B by its pin ADD0."""

    def __init__(self, i2c: "I2C", address: int) -> None:
        self._i2c = i2c
        self._address = address
        self._word = bytearray(2)
        self._known = False  # whether it was found to be a TMP117: other sensors at this address have other steps

    def read(self) -> int:
        """The temperature in 0.01 degC. NONE where no TMP117 answers, where it does not convert, and before its first
        result. Takes no heap, except for the exception where nobody answers."""
        if not self._known:
            self._known = (
                self._register(_IDENTITY) & 0xFFF == _TMP117 and self._register(_CONFIGURATION) & _STOPPED == 0
            )
        raw = self._register(_RESULT) if self._known else _NO_ANSWER
        if raw < 0 or raw == _NO_RESULT:
            return NONE
        return (raw - (raw >> 15 << 16)) * 25 >> 5

    def _register(self, pointer: bytes) -> int:
        """Read a register, 16 bits; _NO_ANSWER where nobody answers."""
        try:
            self._i2c.writeto(self._address, pointer, False)
            self._i2c.readfrom_into(self._address, self._word)
        except OSError:
            return _NO_ANSWER
        return self._word[0] << 8 | self._word[1]
