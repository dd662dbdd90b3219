"""Exact integer arithmetic within the RP2040's small integers (31 bits with sign: no heap, DR-3)."""


def muldiv(a: int, b: int, c: int) -> int:
    """floor(a * b / c), without an intermediate value of 2^30 or more.

    0 <= a, b < 2^30; 0 < c < 2^28; the result must be below 2^30. Long multiplication, one binary digit of `b`
    at a time, with the division carried along; some 30 steps, so not for work that is done at every reading.
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
