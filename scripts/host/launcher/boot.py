"""First file a meter's RP2040 runs: picks the firmware that /slot names, "a" or "b", and makes its outputs safe.

scripts/flash fills the slot that is not in use and rewrites /slot last, by one rename; whatever is interrupted, one
whole firmware starts.
"""

import micropython

micropython.kbd_intr(-1)  # a sealed meter's start is not to be stopped from the console; its main.py opens the prompt

import os  # noqa: E402
import sys  # noqa: E402


def _slot() -> str:
    try:
        with open("/slot") as f:
            name = f.read(1)
        if name in ("a", "b"):
            return name
    except OSError:
        pass
    return "a" if "a" in os.listdir("/") else "b"


sys.path.insert(0, "/" + _slot())
try:
    import boot  # noqa: F401  the slot's
except Exception:
    micropython.kbd_intr(3)  # nothing starts: leave the console open for scripts/flash
    raise
