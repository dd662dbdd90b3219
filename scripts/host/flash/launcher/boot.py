import micropython

micropython.kbd_intr(-1)  # a sealed meter's start is not to be stopped from the console; its main.py opens the prompt

"""First file a meter's RP2040 runs: starts the firmware in the folder that /slot names, "a" or "b".

scripts/flash fills the folder that is not in use and rewrites /slot last, by one rename; whatever is interrupted, one
whole firmware starts. A folder whose files are not what was flashed, or that cannot be started, is passed over for the
other one: MicroPython itself can hang on a module with a wrong byte, and one that runs may do anything.
"""

import machine  # noqa: E402

_CTRL = 0x40058000  # of the watchdog, RP2040 data sheet 4.7.6
_ENABLE = 1 << 30
_watched = machine.mem32[_CTRL] & _ENABLE  # the meter's own watchdog goes on through a soft reset
machine.WDT(timeout=8000)  # a hang in what follows ends; main.py starts it anew before its long imports

import binascii  # noqa: E402
import sys  # noqa: E402

PIN_SEAL = None  # scripts/flash writes the board's number here


def give_up(error: Exception) -> None:
    """Nothing starts. A sealed meter never gets to a prompt; else the console is open for scripts/flash."""
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


def _check(folder: str) -> None:
    """ValueError or OSError where the files of a folder are not the ones that were flashed."""
    buffer = memoryview(bytearray(1024))
    crc = 0
    for name in ("boot.mpy", "bundle"):
        with open(folder + "/" + name, "rb") as f:
            while size := f.readinto(buffer):
                crc = binascii.crc32(buffer[:size], crc)
    with open(folder + "/crc32") as f:
        if f.read() != "%08x" % crc:
            raise ValueError("damaged " + folder)


_failed = None
for _slot in _slots():
    sys.path[:] = ("/" + _slot, ".frozen")
    try:
        _check("/" + _slot)
        import boot  # the slot's; main.py uses it

        _failed = None
        break
    except Exception as error:
        _failed = _failed or error
        for name in list(sys.modules):
            if name != "__main__":
                sys.modules.pop(name)
if not _watched:
    machine.mem32[_CTRL] &= ~_ENABLE  # a tool that soft-resets a board in service mode has all the time it wants
if _failed:
    give_up(_failed)
globals().update(boot.prompt)  # after a soft reset, for a tool that does not let main.py run
