"""Starts the meter of the slot that boot.py has chosen."""

import micropython

micropython.kbd_intr(-1)
try:
    import main  # the slot's: sys.path begins with it

    globals().update(main.prompt)
except Exception:
    micropython.kbd_intr(3)
    raise
