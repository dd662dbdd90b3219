"""What a person reads on the glass, from the dots that are lit.

`Glass.read` is one look; `GlassReader` watches over time, tells blinking and the moving arrow from steady dots, and
records each change of what the glass says (docs/run.md, report: `lcd`).
"""

from boards.virtual.parts.shapes import SHAPES

IMAGE_BYTES = 20
MAIN = 8  # main digits; digit 0 is the screen ID
COLON_AFTER = 6

SYMBOLS = ("L1", "L2", "MAX", "SUM", "k", "W", "h", "Hz")
BAR = ("BAR1", "BAR2", "BAR3", "BAR4", "LEFT", "RIGHT")

# What the bar shows in one look: dark, lit, or an arrow to one side (heads on both sides: every dot on, just lit).
_DARK = 0
_LIT = 1
_ARROW_LEFT = 2
_ARROW_RIGHT = 3


def _bar_look(bits):
    left = bits & 16
    right = bits & 32
    if left and not right:
        return _ARROW_LEFT
    if right and not left:
        return _ARROW_RIGHT
    if bits & 15 == 15:
        return _LIT
    if bits == 0:
        return _DARK
    return _ARROW_RIGHT  # part of the bar: the arrow that grows to the right


class Glass:
    """A glass by its map, dot name -> (segment line, common). Images are 20 bytes: byte k holds segment line 2k in bits
    7 to 4 and 2k + 1 in bits 3 to 0, common 0 in the highest."""

    def __init__(self, dots):
        self.places = {}
        for name in dots:
            segment, common = dots[name]
            self.places[name] = (segment >> 1, 0x80 >> ((segment & 1) * 4 + common))
        self._digits = [[self.places[str(d) + s] for s in "abcdefg"] for d in range(MAIN + 1)]
        # The bytes that a digit lies in beside that of its first segment, and what their values have shown.
        self._bytes = [sorted({i for i, _ in places} - {places[0][0]}) for places in self._digits]
        self._known = [{} for _ in self._digits]
        self._points = [self.places.get("P%d" % d) for d in range(MAIN + 1)]
        self._colon = self.places["COL"]
        self._symbols = [self.places[s] for s in SYMBOLS]
        self._bar = [self.places[b] for b in BAR]
        text = set(self.places) - set(SYMBOLS) - set(BAR)
        self._text_mask = self.mask(text)
        self._text_seen = -1
        self._text = ("", "")

    def mask(self, names):
        """The bits of these dots, where an image is taken as one big-endian integer."""
        image = bytearray(IMAGE_BYTES)
        for name in names:
            i, bit = self.places[name]
            image[i] |= bit
        return int.from_bytes(image, "big")

    def lit(self, image):
        """The names of the dots that are lit, sorted."""
        return sorted([name for name in self.places if image[self.places[name][0]] & self.places[name][1]])

    def symbols(self, image):
        """The symbols that are lit, as bits in the order of SYMBOLS."""
        return _bits(image, self._symbols)

    def bar(self, image):
        """The parts of the bar that are lit, as bits in the order of BAR."""
        return _bits(image, self._bar)

    def text(self, image, value):
        """(screen ID, main text); `value` is the image as one integer, which is decoded anew only when it has
        changed."""
        seen = value & self._text_mask
        if seen != self._text_seen:
            self._text_seen = seen
            main = []  # joined once: each text that is made MicroPython looks for among all names there are
            for d in range(1, MAIN + 1):
                main.append(self._digit(d, image))
                if self._points[d] is not None and image[self._points[d][0]] & self._points[d][1]:
                    main.append(".")
                if d == COLON_AFTER and image[self._colon[0]] & self._colon[1]:
                    main.append(":")
            letter = self._digit(0, image)
            # There is no screen 5: at the place of the ID this shape is the S of the serial number.
            self._text = (("S" if letter == "5" else letter).strip(), "".join(main).strip())
        return self._text

    def _digit(self, d, image):
        """What digit `d` shows. Few of its bytes' values come, so what they mean is worked out once."""
        known = self._known[d]
        places = self._digits[d]
        key = image[places[0][0]]
        for i in self._bytes[d]:
            key = key << 8 | image[i]
        if key not in known:
            known[key] = SHAPES[_bits(image, places)]
        return known[key]

    def read(self, image):
        """One look: {"screen", "text", "symbols", "bar", "lit"}; `bar` off, solid, left or right; `screen` as it
        stands, F too."""
        screen, text = self.text(image, int.from_bytes(image, "big"))
        symbols = self.symbols(image)
        return {
            "screen": screen,
            "text": text,
            "symbols": [SYMBOLS[i] for i in range(len(SYMBOLS)) if symbols >> i & 1],
            "bar": ("off", "solid", "left", "right")[_bar_look(self.bar(image))],
            "lit": self.lit(image),
        }


def _bits(image, places):
    bits = 0
    bit = 1
    for i, b in places:
        if image[i] & b:
            bits |= bit
        bit <<= 1
    return bits


_SHORT_US = 1_100_000  # dots that turn after no longer than this are blinking
_HOLD_US = 1_650_000  # a change waits so long before it is told
_HALF_US = 500_000  # half a blink
_CUT_US = 450_000  # a half of a blink that is shorter was cut off, because the blinking ended with it

_BLINKS = ("L1", "L2", "id", "bar")
_OTHER = 0xFC  # symbols other than L1 and L2


class _Look:
    """What is lit from `t_us` on: ID, text, symbols; of the lamps L1, L2 and F whether they are lit, of the bar how."""

    def __init__(self, t_us, screen, text, symbols, bar):
        self.t_us = t_us
        self.screen = screen
        self.text = text
        self.symbols = symbols
        self.bar = bar
        # -1: neither lit nor dark in the sense of blinking
        self.lamps = (symbols & 1, symbols >> 1 & 1, int(screen == "F"), bar if bar <= _LIT else -1)

    def same(self, other):
        return (
            self.lamps == other.lamps
            and self.text == other.text
            and self.screen == other.screen
            and self.symbols == other.symbols
            and self.bar == other.bar
        )


def _note(since, before, look):
    """Note in `since` when each lamp turns that does so from one look to the next."""
    for e in range(4):
        if look.lamps[e] != before.lamps[e]:
            since[e] = look.t_us


class GlassReader:
    """Watches the glass: call `feed` at each refresh. `emit(t_us, record)` is called for each change of what it says.

    A record is {"screen", "text", "symbols", "bar", "blinking"}; the symbols include those that blink. Whether a dot
    blinks is only seen in what follows, so a change is told 1.65 s after it came, with the time at which it came. `off`
    and `finish` tell at once what is still held back.
    """

    def __init__(self, dots, emit):
        self.glass = Glass(dots)
        self._emit = emit
        self._symbol_mask = self.glass.mask(SYMBOLS)
        self._bar_mask = self.glass.mask(BAR)
        self._symbol_cache = {}
        self._bar_cache = {}
        self._said = None
        self.record = {"screen": "", "text": "", "symbols": [], "bar": "off", "blinking": []}
        self._clear()

    def _clear(self):
        self._value = -1
        self._newest = None
        self._waiting = []
        self._told = _Look(-_SHORT_US, "", "", 0, _DARK)
        self._screen = ""
        self._since = [-_SHORT_US] * 4
        self._blink = [False] * 4
        self._blinked = self._blink  # as it was before the look that is being judged
        self._end = [-1] * 4  # when a blinking that does not go on ended

    def feed(self, t_us, image):
        """Take in the image that shows from `t_us` on."""
        value = int.from_bytes(image, "big")
        if value != self._value:
            self._value = value
            self._look(t_us, image, value)
        waiting = self._waiting
        while waiting and t_us - waiting[0].t_us >= _HOLD_US:
            self._tell(waiting.pop(0), t_us)

    def off(self, t_us):
        """Take in that the supply is gone and the glass blank."""
        self.finish(t_us)
        self._clear()
        self._say(t_us, "", "", 0, "off", [])

    def finish(self, t_us):
        """Tell what is held back, judged by what has been seen."""
        while self._waiting:
            self._tell(self._waiting.pop(0), t_us)

    def _look(self, t_us, image, value):
        screen, text = self.glass.text(image, value)
        key = value & self._symbol_mask
        if key not in self._symbol_cache:
            self._symbol_cache[key] = self.glass.symbols(image)
        symbols = self._symbol_cache[key]
        key = value & self._bar_mask
        if key not in self._bar_cache:
            self._bar_cache[key] = _bar_look(self.glass.bar(image))
        look = _Look(t_us, screen, text, symbols, self._bar_cache[key])
        if self._newest is None or not look.same(self._newest):
            self._newest = look
            self._waiting.append(look)

    def _tell(self, look, now_us):
        """Judge what blinks in this look, and tell it."""
        t_us = look.t_us
        before = self._told
        turned = [look.lamps[e] != before.lamps[e] for e in range(4)]
        self._blinked = list(self._blink)
        for e in range(4):
            if turned[e]:
                self._judge(e, look, now_us)
            elif look.lamps[e] == 1 and not self._blink[e]:
                self._blink[e] = self._starts(e, look)
        _note(self._since, before, look)
        for e in range(4):
            if self._blink[e] and 0 <= self._end[e] <= t_us:
                self._blink[e] = False
                self._end[e] = -1
        self._told = look
        if look.screen != "F":
            self._screen = look.screen
        elif look.text != before.text or look.symbols & _OTHER != before.symbols & _OTHER:
            for later in self._waiting:  # where it is another screen, its ID comes after the F
                if later.screen != "F":
                    if later.text == look.text and later.symbols & _OTHER == look.symbols & _OTHER:
                        self._screen = later.screen
                    break
        symbols = look.symbols
        for e in (0, 1):
            if self._blink[e]:
                symbols |= 1 << e
        bar = "blink" if self._blink[3] else ("off", "solid", "left", "right")[look.bar]
        self._say(t_us, self._screen, look.text, symbols, bar, [_BLINKS[e] for e in range(4) if self._blink[e]])

    def _judge(self, e, look, now_us):
        """Whether lamp `e`, which turns with this look, blinks from here on."""
        t_us = look.t_us
        lamp = look.lamps[e]
        self._end[e] = -1
        if lamp < 0 or (self._told.lamps[e] < 0 and lamp == 0):
            self._blink[e] = False
            return
        turns_us = -1
        for later in self._waiting:
            if later.lamps[e] != lamp:
                if later.lamps[e] >= 0:
                    turns_us = later.t_us
                break
        if turns_us >= 0 and turns_us - t_us <= _SHORT_US:
            self._blink[e] = True
        elif self._blink[e] and now_us - t_us > _HALF_US:
            self._stop(e, look)

    def _starts(self, e, look):
        """Whether lamp `e`, which was lit and stays so for now, blinks from this look on, which changes something
        else."""
        breaks = self._breaks(e, self._told, look, self._since)
        if not breaks and look.text == self._told.text and look.symbols & _OTHER == self._told.symbols & _OTHER:
            return False
        within_us = 2 * _HALF_US if breaks else _HALF_US
        since = list(self._since)
        _note(since, self._told, look)
        dark_us = -1
        before = look
        for later in self._waiting:
            if dark_us >= 0:
                if later.lamps[e] != 0:
                    return later.lamps[e] == 1 and later.t_us - dark_us <= _SHORT_US
            elif later.lamps[e] != 1:
                if later.lamps[e] != 0 or later.t_us - look.t_us > within_us:
                    return False
                dark_us = later.t_us
            elif self._breaks(e, before, later, since):
                return False  # it begins there
            _note(since, before, later)
            before = later
        return False

    def _breaks(self, e, before, look, since):
        """Whether the arrow comes or goes with `look`, or a lamp other than `e` turns that stood steady or whose half
        of a blink is cut off."""
        if look.bar != before.bar and (look.bar > _LIT or before.bar > _LIT):
            return True
        for other in range(4):
            if other == e or look.lamps[other] == before.lamps[other]:
                continue
            stood_us = look.t_us - since[other]
            if stood_us < _CUT_US if self._blinked[other] else stood_us > _SHORT_US:
                return True
        return False

    def _stop(self, e, look):
        """Note when blinking ended within the lamp's last half: where the glass changed otherwise, or where the lamp
        should have turned and did not."""
        t_us = look.t_us
        if t_us - self._since[e] < _CUT_US:
            self._end[e] = t_us
            return
        since = list(self._since)
        end_us = -1
        at = 0
        before = self._told
        while True:
            if self._breaks(e, before, look, since):
                end_us = look.t_us
                break
            _note(since, before, look)
            before = look
            if at == len(self._waiting) or self._waiting[at].t_us > t_us + _HALF_US:
                break
            look = self._waiting[at]
            at += 1
        for other in range(4):  # what else blinked has stopped
            if end_us < 0 and t_us <= self._end[other] <= t_us + _HALF_US:
                end_us = self._end[other]
        if end_us < 0:
            end_us = t_us + _HALF_US
            self._waiting.insert(at, _Look(end_us, before.screen, before.text, before.symbols, before.bar))
        self._end[e] = end_us

    def _say(self, t_us, screen, text, symbols, bar, blinking):
        said = (screen, text, symbols, bar, blinking)
        if said == self._said:
            return
        self._said = said
        self.record = {
            "screen": screen,
            "text": text,
            "symbols": [SYMBOLS[i] for i in range(len(SYMBOLS)) if symbols >> i & 1],
            "bar": bar,
            "blinking": blinking,
        }
        self._emit(t_us, self.record)
