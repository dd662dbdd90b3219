"""A small number with its check in one word, as it stands in a scratch register. The first thing that a start needs, so
it imports nothing."""

SALT = 0x2A5
_MASK = 0xFFFFF


def sealed(value: int) -> int:
    """20 bits with their check, together 30 bits. The check is a remainder that one or two wrong bits always change."""
    return value | (value % 1021 ^ SALT) << 20


def opened(word: int) -> int:
    """The value of a sealed word; -1 where the check does not hold."""
    value = word & _MASK
    return value if word == sealed(value) else -1
