"""PCF85176, LCD controller on I2C, 40 segment lines by 4 commons (NXP PCF85176 data sheet).

Write only. Each refresh sends everything: mode, blinking off, bank, pointer and all 20 bytes, so that whatever a
disturbance did to the controller is undone with the next one. 25 bytes take 0.6 ms at 400 kHz. The controller
must have had its supply for 1 ms before the first one.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import I2C

IMAGE_BYTES = 20

# Commands; bit 7 set: another command follows, clear: the last one, display data follow.
_MORE = 0x80
_MODE_SET = 0x48  # 1 0 - E B M1 M0: display enabled, 1/3 bias, 1:4 multiplex
_LOAD_POINTER = 0x00  # 0 P5..P0: from column 0
_DEVICE_SELECT = 0x60  # 1 1 0 0 A2 A1 A0: subaddress 0
_BANK_SELECT = 0x78  # 1 1 1 1 0 I O: no bank
_BLINK_SELECT = 0x70  # 1 1 1 0 A BF1 BF0: off

_HEADER = bytes((_MORE | _MODE_SET, _MORE | _BLINK_SELECT, _MORE | _BANK_SELECT, _MORE | _LOAD_POINTER, _DEVICE_SELECT))


class Pcf85176:
    """`i2c` at 400 kHz at most; `address` 0x38 or 0x39 (pin SA0)."""

    def __init__(self, i2c: "I2C", address: int = 0x38) -> None:
        self._i2c = i2c
        self._address = address
        self._frame = bytearray(_HEADER + bytes(IMAGE_BYTES))

    def show(self, image: bytearray) -> bool:
        """Send the image, 20 bytes in the controller's own order. False where it does not answer; never raises."""
        frame = self._frame
        start = len(_HEADER)
        for i in range(IMAGE_BYTES):
            frame[start + i] = image[i]
        return self._sent(frame)

    def _sent(self, frame: bytearray) -> bool:
        try:  # with the transfer alone: the frame of this function fits the stack (DR-7)
            self._i2c.writeto(self._address, frame)
        except OSError:
            return False
        return True
