"""Starts the firmware in the folder that /slot names, "a" or "b".

scripts/flash fills the folder that is not in use and rewrites /slot last, by one rename; whatever is interrupted, one
whole firmware starts. A folder whose files are not what was flashed, or that cannot be started, is passed over for the
other one: MicroPython itself can hang on a module with a wrong byte, and one that runs may do anything.
"""

import binascii
import sys
import time

import machine
import micropython
import rp2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PIN_SEAL = None  # scripts/flash writes the board's number here
_SETTLE_MS = 20  # the pull-up charges the seal's 100 nF in 5 to 8
_CTRL = 0x40058000  # of the watchdog, RP2040 data sheet 4.7.6
_ENABLE = 1 << 30
_SNIFF_CTRL = 0x50000434  # of the DMA, RP2040 data sheet 2.5.7
_SNIFF_DATA = 0x50000438
_ZLIBS = 1 << 11 | 1 << 10 | 1 << 5 | 1  # result inverted and its bits reversed; CRC-32 of reversed bits; enabled

boot: "Any" = None
"""The module of that name of the slot that was started."""
timer = None  # kept here, or it would be collected


def choose(watched: int) -> "dict[str, Any]":
    """Start a slot; what it has for the prompt. `watched`: the meter's own watchdog goes on through a soft reset."""
    global boot
    wrong = None
    for folder in _slots():
        sys.path[:] = (folder, ".frozen")
        try:
            _check(folder)
            import boot  # type: ignore[no-redef]

            wrong = None
            break
        except Exception as error:
            wrong = wrong or error
            for name in list(sys.modules):
                if name != "__main__":
                    sys.modules.pop(name)
    if not watched:
        machine.mem32[_CTRL] &= ~_ENABLE  # a tool that soft-resets a board in service mode has all the time it wants
    if wrong:
        _give_up(wrong)
    return boot.prompt  # type: ignore[no-any-return]


def run() -> "dict[str, Any]":
    """Start the slot's meter; what it has for the prompt. Returns where its seal is open."""
    micropython.kbd_intr(-1)  # MicroPython has let Ctrl-C through again for main.py
    try:
        import main
    except Exception as error:
        _give_up(error)
    boot.rest()
    return main.prompt  # type: ignore[no-any-return]


def _give_up(error: Exception) -> None:
    """Nothing starts. A sealed meter never gets to a prompt; else the console is open for scripts/flash."""
    global timer
    seal = machine.Pin(PIN_SEAL, machine.Pin.IN, machine.Pin.PULL_UP)
    for _ in range(_SETTLE_MS):
        if seal():
            break
        time.sleep_ms(1)
    else:
        machine.reset()
    timer = machine.Timer(-1, period=1000, callback=lambda _: seal() or machine.reset())  # who seals it wants no prompt
    micropython.kbd_intr(3)
    raise error


def _slots() -> "tuple[str, ...]":
    """The folder to start, and the one to start where that fails."""
    try:
        with open("/slot") as f:
            if f.read(1) == "b":
                return ("/b", "/a")
    except OSError:
        pass
    return ("/a", "/b")


def _check(folder: str) -> None:
    """ValueError or OSError where the files of a folder are not the ones that were flashed."""
    with open(folder + "/crc32") as f:
        flashed = f.read()
    # The RP2040's DMA makes a CRC-32 of what it moves, in a quarter of the time. What it finds wrong the processor
    # looks through itself.
    if _crc32(folder, rp2.DMA()) != flashed and _crc32(folder, None) != flashed:
        raise ValueError("damaged " + folder)


def _crc32(folder: str, dma: "rp2.DMA | None") -> str:
    """The check over a folder's files, made by a channel of the DMA or, without one, by the processor."""
    buffer = bytearray(4096)
    crc = 0
    if dma is not None:
        to = bytearray(1)
        dma.config(read=buffer, write=to, ctrl=dma.pack_ctrl(size=0, inc_write=False, sniff_en=True))
        machine.mem32[_SNIFF_CTRL] = dma.channel << 1 | _ZLIBS
        machine.mem32[_SNIFF_DATA] = 0xFFFFFFFF
    for name in ("/boot.mpy", "/bundle"):
        with open(folder + name, "rb") as f:
            while size := f.readinto(buffer):
                if dma is None:
                    crc = binascii.crc32(memoryview(buffer)[:size], crc)
                else:
                    dma.config(read=buffer, count=size, trigger=True)
                    while dma.active():
                        pass
    if dma is not None:
        dma.close()
        crc = machine.mem32[_SNIFF_DATA] & 0xFFFFFFFF  # it comes as a signed number
    return "%08x" % crc
