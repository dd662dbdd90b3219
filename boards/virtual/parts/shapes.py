"""The shapes of seven segments as a person knows them. On the main digits S and 5 look alike, and 5 is read."""

_SEGMENTS = (
    ("0", "abcdef"),
    ("1", "bc"),
    ("2", "abdeg"),
    ("3", "abcdg"),
    ("4", "bcfg"),
    ("5", "acdfg"),
    ("6", "acdefg"),
    ("7", "abc"),
    ("8", "abcdefg"),
    ("9", "abcdfg"),
    ("-", "g"),
    ("_", "d"),
    ("A", "abcefg"),
    ("b", "cdefg"),
    ("C", "adef"),
    ("c", "deg"),
    ("d", "bcdeg"),
    ("E", "adefg"),
    ("F", "aefg"),
    ("H", "bcefg"),
    ("h", "cefg"),
    ("I", "ef"),
    ("J", "bcd"),
    ("L", "def"),
    ("n", "ceg"),
    ("o", "cdeg"),
    ("P", "abefg"),
    ("r", "eg"),
    ("t", "defg"),
    ("U", "bcdef"),
    ("u", "cde"),
    (" ", ""),
)


def _shape_table():
    table = ["?"] * 128
    for character, segments in _SEGMENTS:
        bits = 0
        for s in segments:
            bits |= 1 << (ord(s) - 97)
        if table[bits] == "?":
            table[bits] = character
    return table


SHAPES = _shape_table()  # by the bits of the lit segments, a lowest; ? where nobody knows the shape
