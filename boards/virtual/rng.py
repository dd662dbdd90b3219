"""One small random generator for the whole board: the same numbers on CPython and every MicroPython."""


class Rng:
    """A 31-bit Park-Miller generator. Everything random in a run comes from the scenario's seed."""

    def __init__(self, seed, stream=0):
        self._x = (int(seed) * 48271 + int(stream) * 16807 + 12345) % 2147483646 + 1
        for _ in range(4):
            self.below(2)

    def below(self, n):
        """An integer 0 .. n - 1."""
        self._x = self._x * 48271 % 2147483647
        return self._x * n // 2147483647

    def fraction(self):
        """A float, 0 < x < 1."""
        self._x = self._x * 48271 % 2147483647
        return self._x / 2147483647.0
