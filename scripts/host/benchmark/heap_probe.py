"""Runs inside 32-bit MicroPython: prints the heap that the firmware takes, from before boot.py to the running meter.

Objects are as large as on the RP2040; code is compiled from source, which takes a little more than from .mpy files.
"""

import gc
import sys

sys.path[:] = ["/input", "/input/firmware", "/input/reference"]
from boards.virtual.engine.engine import Engine  # noqa: E402


class NoHost:
    """The engine is only built, never asked."""

    def send(self, text):
        """Nobody listens."""


CONFIG = {"model": "MDNCT-1SC", "service": "60Hz", "seed": 1, "board": {"seal": "open"}}
engine = Engine(NoHost())
engine._start(CONFIG)
engine._reference.mains.add(["mains", 0, 0, [120.0, 10.0, 0.0, 0.0], [120.0, 10.0, 0.0, 180.0], 60.0])
while not engine._reference.supply.on:
    engine._clock.next_event()
gc.collect()
before = gc.mem_alloc()
import boot  # noqa: E402, F401
import main  # noqa: E402, F401

gc.collect()
print(gc.mem_alloc() - before)
