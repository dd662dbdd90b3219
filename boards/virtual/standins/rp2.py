"""Stand-in for the module `rp2`: state machines (rp2040/pio.py), the flash of the filesystem (rp2040/flash.py)."""

from boards.virtual.rp2040 import nets, pio, pio_asm
from boards.virtual.rp2040.pio_asm import asm_pio  # noqa: F401

PIOASMError = pio_asm.PIOASMError

_board = None


def attach(board):
    """Act on this board from now on."""
    global _board
    _board = board


class PIO:
    """Constants of the PIO blocks."""

    IN_LOW = pio_asm.IN_LOW
    IN_HIGH = pio_asm.IN_HIGH
    OUT_LOW = pio_asm.OUT_LOW
    OUT_HIGH = pio_asm.OUT_HIGH
    SHIFT_LEFT = pio_asm.SHIFT_LEFT
    SHIFT_RIGHT = pio_asm.SHIFT_RIGHT
    JOIN_NONE = pio_asm.JOIN_NONE
    JOIN_TX = pio_asm.JOIN_TX
    JOIN_RX = pio_asm.JOIN_RX


def StateMachine(id, program, freq=-1, *, out_base=None, set_base=None, sideset_base=None):  # noqa: N802
    """State machine 0 .. 7 with its program; the pins it drives become the PIO's."""
    if not 0 <= id < 8:
        raise ValueError("invalid state machine")
    if id in _board.state_machines:
        _board.state_machines.pop(id).release()
    numbers = [None if pin is None else pin.net.number for pin in (out_base, set_base, sideset_base)]
    machine = pio.StateMachine(_board.clock, _board.pins, program, freq, numbers[0], numbers[1], numbers[2])
    _board.state_machines[id] = machine
    for base, inits in zip(numbers, (program.out_init, program.set_init, program.sideset_init)):
        if base is not None:
            for n in range(len(inits)):
                _board.pins[base + n].configure(nets.ALT, None)
    return machine


def Flash():  # noqa: N802
    """The flash as a block device: exactly the filesystem's region on a stock image."""
    if _board.flash is None:
        raise OSError(19)
    return _board.flash
