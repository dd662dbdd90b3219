"""Garbage collection on the 32-bit WebAssembly build, at moments that it survives.

A collection there does not see references that only WebAssembly's own locals hold, such as frames that were too large
for the stack: one in the middle of a deep call frees what is in use. So automatic collection is off, the firmware's own
`gc.collect` does nothing, and it is done here: while the firmware waits.
"""

import gc
import os

LOOKS = 40
COLLECT_EACH = 8  # modules
LEAST_FREE_BYTES = 3_000_000  # of 24 MB; more than is made between the looks

collect = gc.collect
mem_free = gc.mem_free
mem_alloc = gc.mem_alloc


def modules(package, folder):
    """Names of all modules of `package`."""
    found = []
    for entry in os.ilistdir(folder):
        name = entry[0]
        if entry[1] == 0x4000:
            found += modules(package + "." + name, folder + "/" + name)
        elif name != "__init__.py" and name != "__init__.mpy":
            found.append(package + "." + name[: name.rfind(".")])
    return found


def load(names):
    """Import modules one by one and collect in between: compiling all of them at once takes the heap."""
    while names:
        __import__(names.pop())
        if len(names) % COLLECT_EACH == 0:
            collect()


class Quiet:
    """Stand-in for the module `gc`, which leaves collecting to the Collector, or to the interpreter."""

    def collect(self):
        """Do nothing."""
        return 0

    def mem_free(self):
        """How many bytes of the heap are free."""
        return mem_free()

    def mem_alloc(self):
        """How many bytes of the heap are in use."""
        return mem_alloc()

    enable = disable = collect


class Collector:
    """Collects garbage. `look` is called whenever the firmware waits; it measures the heap only now and then, because
    that takes long."""

    def __init__(self, cpu):
        self._cpu = cpu
        self._looks = 0

    def look(self):
        """Collect if little is left, unless it is a callback that waits, or the start-up ahead of the timers."""
        self._looks += 1
        if self._looks < LOOKS or self._cpu.in_callback or not self._cpu.alarms:
            return
        self._looks = 0
        if mem_free() < LEAST_FREE_BYTES:
            collect()
