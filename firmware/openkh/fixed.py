"""Exact integer arithmetic within the RP2040's small integers (31 bits with sign: no heap, DR-3)."""


def muldiv(a: int, b: int, c: int) -> int:
    """floor(a * b / c), without an intermediate value of 2^30 or more.

    0 <= a, b < 2^30; 0 < c < 2^28; the result has to be below 2^30. This is long multiplication, one binary digit of
    `b` at a time, which divides as it goes. It takes 30 steps, too many for what is done at every reading.
    """
    whole = a // c
    part = a - whole * c
    quotient = 0
    rest = 0
    bit = 1 << 29
    while bit:
        quotient += quotient
        rest += rest
        if b & bit:
            quotient += whole
            rest += part
        # rest < 3c < 2^30
        while rest >= c:
            rest -= c
            quotient += 1
        bit >>= 1
    return quotient
