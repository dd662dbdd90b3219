"""Runs inside MicroPython, started by output_days.py with DAYS SEED ROOTS...: the firmware's register, pulses and
counter on the virtual board's PIO and coil, under a random load with export; the front ends are left out for speed.

Every few minutes the load rests for two seconds, and what the pins have given must be exactly what the register says.
"""

import sys

DAYS, SEED = int(sys.argv[1]), int(sys.argv[2])
sys.path[:0] = sys.argv[3:]
from boards.virtual.board import Board  # noqa: E402
from boards.virtual.coil import Coil  # noqa: E402
from boards.virtual.rng import Rng  # noqa: E402

board = Board(ticks_offset_us=(1 << 30) - 20_000_000)
board.install()
import board as parts  # noqa: E402
from machine import Pin  # noqa: E402

from openkh.drivers.pulse_port import PulsePort  # noqa: E402
from openkh.metrology.energy import book  # noqa: E402
from openkh.model import Model  # noqa: E402
from openkh.outputs.counter import Counter  # noqa: E402
from openkh.outputs.pulses import Pulses  # noqa: E402
from openkh.state import State  # noqa: E402
from openkh.ticks import ticks_us  # noqa: E402

CYCLE_US = 100_000
FULL_W = 26_400
model = Model("MDNCT-1SC", "60Hz")
rng = Rng(SEED, 0)


class Pulse:
    """Off-to-on edges of a pin, and the shortest time between two changes."""

    def __init__(self, pin):
        self.rises = 0
        self.shortest_us = 1 << 40
        self._last_us = 0
        board.pins[pin].listen(self.change)

    def change(self, level, t_us):
        self.rises += level
        if self._last_us:
            self.shortest_us = min(self.shortest_us, t_us - self._last_us)
        self._last_us = t_us


pulses = Pulses(
    PulsePort(0, Pin(parts.PIN_OPTO_10), 2),
    PulsePort(1, Pin(parts.PIN_OPTO_100)),
    PulsePort(2, Pin(parts.PIN_OPTO_1000)),
    model.counts_per_wh,
)
watched = [Pulse(pin) for pin in (parts.PIN_OPTO_10, parts.PIN_LED, parts.PIN_OPTO_100, parts.PIN_OPTO_1000)]
weights = (10, 10, 100, 1000)
coil_pin = Pin(parts.PIN_COUNTER, Pin.OUT, value=0)
coil = Coil(board.clock, board.pins[parts.PIN_COUNTER], 8.0)
coil.supply(True)
counter = Counter(model.counter_wh)
now, spare = State(), State()
pulses.start(now, ticks_us())
counter.start(0, ticks_us())


def run(cycles, watts):
    """So many cycles at a load; the part of a count that is left over waits."""
    global now, spare
    per_cycle = watts * model.counts_per_wh
    rest = 0
    for _ in range(cycles):
        board.clock.spend(CYCLE_US)
        t_us = ticks_us()
        spare.copy(now)
        rest += per_cycle
        counts = rest // 36_000
        rest -= counts * 36_000
        book(spare, counts, model.counts_per_wh)
        pulses.given(spare)
        counter.given(spare, t_us, True)
        now, spare = spare, now
        pulses.plan(now, t_us, t_us)
        coil_pin(counter.step(t_us, True))


checks = 0
left = DAYS * 864_000
while left > 0:
    kind = rng.below(4)
    watts = (rng.below(3_000), rng.below(FULL_W), -rng.below(6_000), 0)[kind]
    cycles = min(left, 200 + rng.below(6_000))
    run(cycles, watts)
    run(20, 0)
    left -= cycles + 20
    checks += 1
    for pulse, weight in zip(watched, weights):
        if pulse.rises != now.delivered_wh // weight:
            raise ValueError("check %d: %d edges of %d Wh at %d Wh" % (checks, pulse.rises, weight, now.delivered_wh))
    if coil.counts != now.delivered_wh // model.counter_wh:
        raise ValueError("check %d: %d counts at %d Wh" % (checks, coil.counts, now.delivered_wh))
print(checks, now.delivered_wh, now.received_wh, coil.counts, min([pulse.shortest_us for pulse in watched]))
