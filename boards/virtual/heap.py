"""Garbage collection on the 32-bit WebAssembly build, at moments that it survives.

A collection there does not see references that only WebAssembly's own locals hold, such as frames that were too large
for the stack: one in the middle of a deep call frees what is in use. So automatic collection is off, the firmware's own
`gc.collect` does nothing, and it is done here: while the firmware waits.
"""

import gc

LOOKS = 40
LEAST_FREE_BYTES = 300_000

collect = gc.collect
mem_free = gc.mem_free
mem_alloc = gc.mem_alloc


class Quiet:
    """Stand-in for the module `gc`."""

    def collect(self):
        """Not now."""
        return 0

    def mem_free(self):
        """Bytes free."""
        return mem_free()

    def mem_alloc(self):
        """Bytes in use."""
        return mem_alloc()

    def threshold(self, _amount=-1):
        """Without effect."""
        return -1

    enable = disable = collect


class Collector:
    """`look` is called whenever the firmware waits; it measures the heap now and then, because that takes long."""

    def __init__(self, cpu):
        self._cpu = cpu
        self._looks = 0

    def look(self):
        """Collect if little is left, and nobody waits inside a callback."""
        self._looks += 1
        if self._looks < LOOKS or self._cpu.in_callback:
            return
        self._looks = 0
        if mem_free() < LEAST_FREE_BYTES:
            collect()
