"""The PCF85176, an LCD controller on I2C with 40 segment lines and 4 commons (NXP PCF85176 data sheet).

It can only be written to. Each refresh sends everything, mode, blinking off, bank, pointer and all 20 bytes of
segments, so that whatever a disturbance did to the controller is undone with the next one; at 400 kHz that takes 0.6
ms. The controller must have had its supply for 1 ms before the first refresh.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import I2C

IMAGE_BYTES = 20

# Commands. Bit 7 of each says whether another command follows (1), or the data for the display (0).
_MORE = 0x80
_MODE_SET = 0x48  # 1 0 - E B M1 M0: display enabled, 1/3 bias, 1:4 multiplex
_LOAD_POINTER = 0x00  # 0 P5..P0: from column 0
_DEVICE_SELECT = 0x60  # 1 1 0 0 A2 A1 A0: subaddress 0
_BANK_SELECT = 0x78  # 1 1 1 1 0 I O: no bank
_BLINK_SELECT = 0x70  # 1 1 1 0 A BF1 BF0: off

_HEADER = bytes((_MORE | _MODE_SET, _MORE | _BLINK_SELECT, _MORE | _BANK_SELECT, _MORE | _LOAD_POINTER, _DEVICE_SELECT))


class Pcf85176:
    """The controller on `i2c`, which runs at 400 kHz at most; `address` is 0x38 or 0x39, as its pin SA0 says."""

    def __init__(self, i2c: "I2C", address: int = 0x38) -> None:
        self._i2c = i2c
        self._address = address
        self._frame = bytearray(_HEADER + bytes(IMAGE_BYTES))

    def show(self, image: bytearray) -> bool:
        """Send `image`, IMAGE_BYTES in the order of display/glass.py. False where nobody answers; never raises."""
        frame = self._frame
        start = len(_HEADER)
        for i in range(IMAGE_BYTES):
            frame[start + i] = image[i]
        return self._sent(frame)

    def _sent(self, frame: bytearray) -> bool:
        try:  # in a function with the transfer alone, because a `try` needs room in the function's frame (DR-7)
            self._i2c.writeto(self._address, frame)
        except OSError:
            return False
        return True
