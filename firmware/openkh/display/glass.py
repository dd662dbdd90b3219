"""The glass: what one refresh shows (Frame), and the way from there to the controller's image by the board's map.

The image is 20 bytes for 40 segment lines by 4 commons in the order of the PCF85176 in 1:4 multiplex: byte k holds
segment lines 2k (bits 7..4) and 2k + 1 (bits 3..0), in each half common 0 first. Another controller's driver converts.
"""

from openkh.display.glyphs import FONT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DIGITS = 9  # the screen ID and eight main digits
COLON_AFTER = 6  # main digit that the colon follows
IMAGE_BYTES = 20

# Symbols as bits of Frame.symbols.
L1 = 1
L2 = 2
MAX = 4
SUM = 8
K = 16
W = 32
H = 64
HZ = 128

# The bar as bits of Frame.bar.
BAR_1 = 1
BAR_2 = 2
BAR_3 = 4
BAR_4 = 8
BAR = 15
LEFT = 16
RIGHT = 32

_SYMBOLS = ("L1", "L2", "MAX", "SUM", "k", "W", "h", "Hz")
_BAR = ("BAR1", "BAR2", "BAR3", "BAR4", "LEFT", "RIGHT")

_BLANK = 32


class Frame:
    """What one refresh shows, in terms of characters and symbols; written anew by the screens each time."""

    def __init__(self) -> None:
        self.characters = bytearray(DIGITS)  # character codes; 0 is the screen ID, 1 to 8 the main digits
        self.points = 0  # bit k: decimal point behind main digit k
        self.colon = False
        self.symbols = 0
        self.bar = 0
        self.all = False  # every dot of the main field, symbols and bar on (screen 8)

    def clear(self) -> None:
        """Nothing lit."""
        for i in range(DIGITS):
            self.characters[i] = _BLANK
        self.points = 0
        self.colon = False
        self.symbols = 0
        self.bar = 0
        self.all = False

    def text(self, text: bytes) -> None:
        """Write `text` right-aligned; a `.` or `:` goes to the digit before it. At most eight other characters."""
        position = DIGITS - 1
        i = len(text) - 1
        while i >= 0:
            code = text[i]
            if code == 46:  # .
                self.points |= 1 << position
            elif code == 58:  # :
                self.colon = True
            else:
                self.characters[position] = code
                position -= 1
            i -= 1

    def number(self, value: int, decimals: int) -> None:
        """Write `value` / 10^decimals right-aligned: no leading zeros but the one before the point, sign first (LC-5).

        The magnitude takes at most eight digits, seven with a sign. Zero has no sign.
        """
        negative = value < 0
        if negative:
            value = -value
        position = DIGITS - 1
        last = position - decimals
        while position > 0 and (value > 0 or position >= last):
            self.characters[position] = 48 + value % 10
            value //= 10
            position -= 1
        if decimals:
            self.points |= 1 << last
        if negative and position > 0:
            self.characters[position] = 45


class Glass:
    """The board's segment map, made ready for drawing. A map that lacks a dot is refused with ValueError."""

    def __init__(self, dots: "Mapping[str, tuple[int, int]]") -> None:
        names = [chr(48 + digit) + chr(97 + segment) for digit in range(DIGITS) for segment in range(7)]
        self._digit_byte, self._digit_bit = self._place(dots, names)
        self._point_byte, self._point_bit = self._place(dots, ["P%d" % k for k in range(1, DIGITS - 1)] + ["COL"])
        self._symbol_byte, self._symbol_bit = self._place(dots, list(_SYMBOLS + _BAR))
        self.image = bytearray(IMAGE_BYTES)
        self._all = bytearray(IMAGE_BYTES)
        for name in dots:
            if name[0] != "0":
                place = self._place(dots, [name])
                self._all[place[0][0]] |= place[1][0]

    def _place(self, dots: "Mapping[str, tuple[int, int]]", names: "list[str]") -> "tuple[bytes, bytes]":
        """Byte index and bit of each named dot in the image."""
        index = bytearray()
        bit = bytearray()
        for name in names:
            if name not in dots:
                raise ValueError("glass map: dot %s is missing" % name)
            segment, common = dots[name]
            if not (0 <= segment < 2 * IMAGE_BYTES and 0 <= common < 4):
                raise ValueError("glass map: dot %s: segment 0 to 39, common 0 to 3" % name)
            index.append(segment >> 1)
            bit.append(0x80 >> ((segment & 1) * 4 + common))
        return bytes(index), bytes(bit)

    def draw(self, frame: Frame) -> bytearray:
        """Turn the frame into the image (kept, 20 bytes, order above)."""
        self._fill(frame.all)
        if frame.all:
            self._digit(0, frame.characters[0])
            return self.image
        for position in range(DIGITS):
            self._digit(position, frame.characters[position])
        bits = frame.points >> 1
        if frame.colon:
            bits |= 1 << (DIGITS - 2)
        self._bits(bits, self._point_byte, self._point_bit)
        self._bits(frame.symbols | frame.bar << 8, self._symbol_byte, self._symbol_bit)
        return self.image

    def _fill(self, lit: bool) -> None:
        """All dots on or off."""
        image = self.image
        full = self._all
        for i in range(IMAGE_BYTES):
            image[i] = full[i] if lit else 0

    def _digit(self, position: int, code: int) -> None:
        segments = FONT[code] if code < 128 else 0
        i = position * 7
        while segments:
            if segments & 1:
                self.image[self._digit_byte[i]] |= self._digit_bit[i]
            segments >>= 1
            i += 1

    def _bits(self, bits: int, index: bytes, bit: bytes) -> None:
        i = 0
        while bits:
            if bits & 1:
                self.image[index[i]] |= bit[i]
            bits >>= 1
            i += 1
