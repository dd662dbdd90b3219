"""What the tests of the outputs stand on: the device's modules on simulated time, and a record of a pin's edges."""

import random
import sys
import time

from boards.virtual.board import Board
from boards.virtual.standins import machine, rp2, simtime

for _name in ("ticks_us", "ticks_add", "ticks_diff"):
    setattr(time, _name, getattr(simtime, _name))  # `from time import ...` of the firmware
sys.modules.setdefault("rp2", rp2)
_before = sys.modules.get("machine")
sys.modules["machine"] = machine

from openkh.drivers import pulse_port  # noqa: E402

if _before is None:
    del sys.modules["machine"]
else:
    sys.modules["machine"] = _before

from openkh.model import Model  # noqa: E402
from openkh.outputs import pulses  # noqa: E402
from openkh.state import State  # noqa: E402


class Pin:
    """What pulse_port needs of machine.Pin."""

    def __init__(self, net):
        self.net = net


def new_board(ticks_offset_us=0):
    """A board whose clock and PIO the firmware's modules use from now on."""
    board = Board(ticks_offset_us=ticks_offset_us)
    machine.attach(board)
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


ROLL_WH = 1_000_000_000
MODELS = {
    model.counts_per_wh: model
    for model in (Model("MSNCT-2SC", "50Hz"), Model("MDNCT-2SC", "60Hz"), Model("MDNCT-1SC", "60Hz"))
}  # the one with the highest load, of those that count with so many a Wh
READ_US = 2_000  # from the reading to the planning: what a cycle takes on the chip


class Meter:
    """The part of the cycle that drives the pulse outputs, on a load given in watts; energy is exact.

    `true_counts` is what the front ends have counted since the start, `state` what is committed.
    """

    def __init__(self, counts_per_wh=32_000, start_wh=0, ticks_offset_us=0, edges=None, at_once=False):
        self.at_once = at_once
        self.board = new_board(ticks_offset_us)
        self.clock = self.board.clock
        self.counts_per_wh = counts_per_wh
        self.watts = 0
        self._milli = 0  # counts * 3.6e9, the part that is not a whole count
        self.true_counts = 0
        self._true_us = 0
        self.start_wh = start_wh
        self.state = State()
        self.state.delivered_wh = start_wh
        edges_given = edges or (start_wh // 10, start_wh // 100, start_wh // 1000)
        self.state.edges_10, self.state.edges_100, self.state.edges_1000 = edges_given
        self.edges = {10: record(self.board, 0), 100: record(self.board, 2), 1000: record(self.board, 3)}
        self.led = record(self.board, 1)
        self.log = []  # (time of the reading, counts since the start) of each commit
        self.pause_us = lambda: 0  # time from a commit to the planning of edges
        self.power_up()

    def power_up(self):
        """Ports and planner anew from the committed state, as after a loss of power."""
        for unit in self.board.state_machines.values():
            unit.release()
        self.board.state_machines.clear()
        ports = (new_port(self.board, 0, 0, 2), new_port(self.board, 1, 2), new_port(self.board, 2, 3))
        for number in range(4):
            self.board.pins[number].configure(3, None)
        self.pulses = pulses.Pulses(*ports, MODELS[self.counts_per_wh], self.at_once)
        self.pulses.start(self.state, simtime.ticks_us())

    def energy(self):
        """Whole counts up to now."""
        passed_us = self.clock.now_us - self._true_us
        self._milli += self.watts * passed_us * self.counts_per_wh
        self._true_us = self.clock.now_us
        self.true_counts += self._milli // 3_600_000_000
        self._milli %= 3_600_000_000
        return self.true_counts

    def load(self, watts):
        """The load from now on."""
        self.energy()
        self.watts = watts

    def cycle(self):
        """Read, commit, plan."""
        counts = self.energy()
        t_us = simtime.ticks_us()
        scratch = State()
        scratch.copy(self.state)
        total = self.start_wh * self.counts_per_wh + counts
        scratch.delivered_wh = total // self.counts_per_wh % ROLL_WH
        scratch.delivered_counts = total % self.counts_per_wh
        self.clock.spend(READ_US)
        self.pulses.write_given(scratch)
        self.state = scratch
        self.log.append((self.clock.now_us - READ_US, counts))
        self.clock.spend(self.pause_us())
        self.pulses.plan(self.state, t_us, simtime.ticks_us())

    def run(self, cycles, gap_us=lambda _n: 100_000):
        """So many cycles; `gap_us(n)` is the time from one to the next."""
        for n in range(cycles):
            self.cycle()
            self.clock.spend(max(0, gap_us(n) - READ_US))

    def now(self):
        """ticks_us."""
        return simtime.ticks_us()

    def rises(self, weight):
        """Off-to-on edges seen on the pin."""
        return sum(level for _, level in self.edges[weight])

    def crossing_us(self, half, weight=10):
        """When the committed register reached half weight number `half` since the start: the next reading's time."""
        needed = (half * weight // 2 - self.start_wh % (weight // 2)) * self.counts_per_wh
        for t_us, counts in self.log:
            if counts >= needed:
                return t_us
        return None


def shortest_us(edges):
    """Shortest time between two edges."""
    return min((b[0] - a[0] for a, b in zip(edges, edges[1:])), default=None)


DELAY_US = 500_000
DRAIN = 40  # cycles that let everything on its way come out


def jittered(seed, by_us=80_000):
    """Cycle times of 100 ms, each late by up to `by_us` (a late one does not shift those after it)."""
    rng = random.Random(seed)
    late = [0]

    def gap(_n):
        before, late[0] = late[0], rng.randrange(by_us + 1)
        return max(2 * READ_US, 100_000 + late[0] - before)

    return gap


def spread(numbers):
    return max(numbers) - min(numbers)
