"""The HT1621B, an LCD controller on three wires with 32 segment lines and 4 commons (Holtek HT1621 data sheet).

It takes a bit from DATA at each rising edge of WR while CS is low; every frame begins with a mode of 3 bits. At 3.3 V
WR may run at 150 kHz (low and high for 3.34 us each); MicroPython on the RP2040 takes longer than that for each change
of a pin, so that nothing has to wait. The controller cannot answer: nothing shows whether it is there.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import Pin

IMAGE_BYTES = 16  # 32 segment lines

_COMMAND = 0b100  # mode: commands follow, each of 8 bits and one more that does not matter
_WRITE = 0b101  # mode: 6 bits of an address and data for the display's memory follow
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
    """The controller at the output pins `cs`, `wr` and `data`. CS and WR are high while nothing is sent."""

    def __init__(self, cs: "Pin", wr: "Pin", data: "Pin") -> None:
        self._cs = cs
        self._wr = wr
        self._data = data
        cs(1)
        wr(1)

    def show(self, image: bytearray) -> bool:
        """Send the set-up and `image`, whose first 16 bytes are used: segment lines 0 to 31. Always True.

        The set-up goes out each time, so that a disturbed controller is right again with the next image. The image is
        in the order in which the controller's memory takes its bits: of each address D0 first, which is common 0.
        """
        self._cs(0)
        self._bits(_COMMAND, 3)
        for i in range(len(_COMMANDS)):
            self._bits(_COMMANDS[i] << 1, 9)
        self._cs(1)
        self._cs(0)
        self._bits(_WRITE << 6, 9)  # the mode and address 0
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
