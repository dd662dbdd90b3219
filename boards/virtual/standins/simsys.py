"""Stand-in for the module `sys` where its attributes cannot be set (MicroPython): `stdin` is the board's console."""

import sys as _real


class Sys:
    """Everything but `stdin` is the real module's."""

    def __init__(self, stdin):
        self.stdin = stdin

    def __getattr__(self, name):
        return getattr(_real, name)
