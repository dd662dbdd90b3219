"""Sine, cosine and exponential decay, made of IEEE additions and multiplications alone.

The sin, cos and exp of the C libraries behind CPython, MicroPython's unix port and WebAssembly differ in the last bit.
These do not, so that a scenario gives the same integers on every engine.
"""

_RADIANS = 0.017453292519943295


def sincos(degrees):
    """(sine, cosine) of an angle in degrees, good to 1e-13."""
    turns = int(degrees / 90.0 + (0.5 if degrees >= 0 else -0.5))
    x = (degrees - turns * 90.0) * _RADIANS
    y = x * x
    s = x * (1.0 - y * (1 - y * (1 - y * (1 - y * (1 - y * (1 - y / 156.0) / 110.0) / 72.0) / 42.0) / 20.0) / 6.0)
    c = (
        1.0
        - y
        * (1 - y * (1 - y * (1 - y * (1 - y * (1 - y * (1 - y / 182.0) / 132.0) / 90.0) / 56.0) / 30.0) / 12.0)
        / 2.0
    )
    turns &= 3
    if turns == 0:
        return s, c
    if turns == 1:
        return c, -s
    if turns == 2:
        return -s, -c
    return -c, s


def decay(x):
    """exp(-x) for x >= 0, good to 1e-9."""
    if x > 40.0:
        return 0.0
    y = x / 1024.0
    e = 1.0 - y * (1.0 - y * (1.0 - y * (1.0 - y / 4.0) / 3.0) / 2.0)
    for _ in range(10):
        e *= e
    return e
