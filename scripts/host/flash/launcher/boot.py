"""First file a meter's RP2040 runs: starts the firmware in the folder that /slot names, "a" or "b".

scripts/flash fills the folder that is not in use and rewrites /slot last, by one rename; whatever is interrupted, one
whole firmware starts. A folder that cannot be started is passed over for the other one.
"""

import micropython

micropython.kbd_intr(-1)  # a sealed meter's start is not to be stopped from the console; its main.py opens the prompt

import sys  # noqa: E402

PIN_SEAL = None  # scripts/flash writes the board's number here


def give_up(error: Exception) -> None:
    """Nothing starts. A sealed meter never gets to a prompt; else the console is open for scripts/flash."""
    import machine

    if machine.Pin(PIN_SEAL, machine.Pin.IN, machine.Pin.PULL_UP)() == 0:
        machine.reset()
    micropython.kbd_intr(3)
    raise error


def _slots() -> "tuple[str, ...]":
    """The folder to start, and the one to start where that fails."""
    try:
        with open("/slot") as f:
            if f.read(1) == "b":
                return ("b", "a")
    except OSError:
        pass
    return ("a", "b")


_failed = None
for _slot in _slots():
    sys.path[:] = ("/" + _slot, ".frozen")
    try:
        import boot  # noqa: F401  the slot's; main.py uses it

        _failed = None
        break
    except Exception as error:
        _failed = _failed or error
        for name in list(sys.modules):
            if name != "__main__":
                sys.modules.pop(name)
if _failed:
    give_up(_failed)
globals().update(boot.prompt)  # after a soft reset, for a tool that does not let main.py run
