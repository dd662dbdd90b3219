"""Starts the meter of the slot that boot.py has chosen."""

import micropython

micropython.kbd_intr(-1)
try:
    import main  # the slot's
except Exception as error:
    give_up(error)  # noqa: F821  boot.py's: both run in one namespace
boot.rest()  # noqa: F821
globals().update(main.prompt)
