"""The seven-segment font: which segments each character lights, as bits from a (bit 0) to g (bit 6).

```
 aaa
f   b
 ggg
e   c
 ddd
```
`I` stands on the left (segments e and f), so that nobody reads a `1`. `S` cannot be told from `5`.
"""

_LETTERS = {
    "0": "abcdef",
    "1": "bc",
    "2": "abged",
    "3": "abgcd",
    "4": "fgbc",
    "5": "afgcd",
    "6": "afgedc",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
    "-": "g",
    "A": "abcefg",
    "C": "adef",
    "E": "adefg",
    "F": "aefg",
    "H": "bcefg",
    "I": "ef",
    "L": "def",
    "P": "abefg",
    "S": "afgcd",
    "U": "bcdef",
    "c": "deg",
    "d": "bcdeg",
    "n": "ceg",
    "o": "cdeg",
    "r": "eg",
    "t": "defg",
}


def _font() -> bytes:
    font = bytearray(128)
    for character in _LETTERS:
        for segment in _LETTERS[character]:
            font[ord(character)] |= 1 << (ord(segment) - 97)
    return bytes(font)


FONT = _font()
"""Segments by character code, 0 to 127; 0, which is blank, for a character that the font does not have."""
