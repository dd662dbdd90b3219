"""HT1621B, LCD controller on three wires, 32 segment lines by 4 commons (Holtek HT1621 data sheet).

DATA is sampled at the rising edge of WR while CS is low; every frame begins with a 3-bit mode. At 3.3 V the clock is
150 kHz at most (3.34 us low and high): one pin access from MicroPython takes longer than that on the RP2040.
It cannot answer: whether it is there is not known. Nothing is read back.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import Pin

IMAGE_BYTES = 16  # 32 segment lines

# Mode 100 and the commands sent behind it without a new mode: 8 bits and one that does not matter, so 3 + 9 n bits.
_COMMAND = 0b100
_WRITE = 0b101
_COMMANDS = bytes(
    (
        0x01,  # SYS EN: oscillator on
        0x18,  # RC 256K: from its own oscillator
        0x29,  # BIAS 1/3, 4 commons
        0x04,  # TIMER DIS
        0x05,  # WDT DIS
        0x08,  # TONE OFF
        0x80,  # IRQ DIS
        0x03,  # LCD ON
    )
)


class Ht1621:
    """`cs`, `wr`, `data`: output pins; CS and WR idle high."""

    def __init__(self, cs: "Pin", wr: "Pin", data: "Pin") -> None:
        self._cs = cs
        self._wr = wr
        self._data = data
        cs(1)
        wr(1)

    def show(self, image: bytearray) -> bool:
        """Send set-up and image each time. Only its first 16 bytes: segment lines 0 to 31. Always True.

        The image's order (common 0 first in the high bit) is the order in which the memory takes its bits: D0 of
        each address first, D0 = common 0.
        """
        self._cs(0)
        self._bits(_COMMAND, 3)
        for i in range(len(_COMMANDS)):
            self._bits(_COMMANDS[i] << 1, 9)
        self._cs(1)
        self._cs(0)
        self._bits(_WRITE << 6, 9)  # and address 0
        for i in range(IMAGE_BYTES):
            self._bits(image[i], 8)
        self._cs(1)
        return True

    def _bits(self, value: int, count: int) -> None:
        """Clock out the lowest `count` bits of `value`, highest first."""
        wr = self._wr
        data = self._data
        bit = 1 << (count - 1)
        while bit:
            wr(0)
            data(1 if value & bit else 0)
            wr(1)
            bit >>= 1
