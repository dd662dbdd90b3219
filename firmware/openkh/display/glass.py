"""The glass: `Frame` is what one refresh shows, in characters and symbols; `Glass` makes the controller's image of it.

The board's map says which segment line and common drive each dot (boards/reference/glass.py). The image is 20 bytes for
40 segment lines by 4 commons, in the order in which the PCF85176 takes them in 1:4 multiplex: byte k holds segment
line 2k in bits 7 to 4 and 2k + 1 in bits 3 to 0, common 0 in the highest bit of each half. The driver of a controller
that wants another order converts it.
"""

from openkh.display.glyphs import FONT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DIGITS = 9  # the screen ID and eight main digits
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
    """What one refresh shows, in characters and symbols. The screens write it anew for each refresh."""

    def __init__(self) -> None:
        self.characters = bytearray(DIGITS)  # character codes; 0 is the screen ID, 1 to 8 the main digits
        self.points = 0  # bit k: the decimal point behind main digit k, 1 to 7
        self.colon = False  # the one colon of the glass, behind main digit 6
        self.symbols = 0  # L1 ... HZ
        self.bar = 0  # BAR_1 ... RIGHT
        self.all = False  # every dot but those of the screen ID is lit, whatever the rest says (screen 8)

    def clear(self) -> None:
        """Set everything so that nothing is lit."""
        for i in range(DIGITS):
            self.characters[i] = _BLANK
        self.points = 0
        self.colon = False
        self.symbols = 0
        self.bar = 0
        self.all = False

    def text(self, text: bytes) -> None:
        """Write `text` right-aligned into the main digits. A `.` or `:` lights the point or the colon behind the digit
        before it and takes no digit of its own; of other characters there are at most eight."""
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
        """Write `value` / 10^decimals right-aligned, without leading zeros but for the one before the point (LC-5).

        The sign stands directly before the first digit; zero has none. The magnitude may have eight digits, seven with
        a sign.
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
    """Draws frames by the board's segment map.

    `dots`: of each dot by its name (boards/reference/glass.py) the segment line, 0 to 39, and the common, 0 to 3.
    Raises ValueError, which names the dot, where one is missing or out of this range.
    """

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
        """Two tables with an entry for each of `names`: which byte of the image it is in, and the bit, as a mask."""
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
        """Return the image of `frame`: IMAGE_BYTES, the same buffer at each call. Allocates nothing."""
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
        """Light every dot but those of the screen ID, or none at all."""
        image = self.image
        full = self._all
        for i in range(IMAGE_BYTES):
            image[i] = full[i] if lit else 0

    def _digit(self, position: int, code: int) -> None:
        """Light the segments of the character `code` at digit `position`, beside what is lit already."""
        segments = FONT[code] if code < 128 else 0
        i = position * 7
        while segments:
            if segments & 1:
                self.image[self._digit_byte[i]] |= self._digit_bit[i]
            segments >>= 1
            i += 1

    def _bits(self, bits: int, index: bytes, bit: bytes) -> None:
        """Light the dots whose bits are set in `bits`; `index` and `bit` are their tables as `_place` makes them."""
        i = 0
        while bits:
            if bits & 1:
                self.image[index[i]] |= bit[i]
            bits >>= 1
            i += 1
