"""What the tests of the outputs stand on: the device's modules on simulated time, and a record of a pin's edges."""

import sys
import time

from boards.virtual import rp2, simtime
from boards.virtual.board import Board

for _name in ("ticks_us", "ticks_add", "ticks_diff"):
    setattr(time, _name, getattr(simtime, _name))  # `from time import ...` of the firmware
sys.modules.setdefault("rp2", rp2)

from openkh.drivers import pulse_port  # noqa: E402
from openkh.outputs import pulses  # noqa: E402
from openkh.state import State  # noqa: E402


class Pin:
    """What pulse_port needs of machine.Pin."""

    def __init__(self, net):
        self.net = net


def new_board(ticks_offset_us=0):
    """A board whose clock and PIO the firmware's modules use from now on."""
    board = Board(ticks_offset_us=ticks_offset_us)
    rp2.attach(board)
    simtime.attach(board.clock, ticks_offset_us)
    return board


def record(board, number):
    """A list that grows by (t_us, level) at each edge of a pin."""
    edges = []
    board.pins[number].listen(lambda level, t_us: edges.append((t_us, level)))
    return edges


def new_port(board, machine, pin, pins=1):
    """A pulse port on the board's pins."""
    return pulse_port.PulsePort(machine, Pin(board.pins[pin]), pins)


__all__ = ["Board", "Pin", "State", "new_board", "new_port", "pulse_port", "pulses", "record", "simtime"]
