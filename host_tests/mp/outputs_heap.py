"""Runs inside MicroPython: the outputs' part of the measuring cycle under heap_lock(), with 31-bit integers.

Pulses with their ports, counter and 12 V guard follow a wild load for some thousand cycles, over the tick wrap and the
register's roll-over, with dips of the supply, late cycles and the fine pulses. Every call the cycle makes is locked.
"""

import sys

import micropython

MASK = (1 << 30) - 1
HALF = 1 << 29


class Time:
    """The module `time`, standing at `now`."""

    now = MASK - 2_000_000

    @staticmethod
    def ticks_us():
        return Time.now

    @staticmethod
    def ticks_add(ticks, delta):
        return ((ticks - HALF + delta) & MASK) ^ HALF

    @staticmethod
    def ticks_diff(end, start):
        return (((end - start) & MASK) ^ HALF) - HALF


class Machine:
    """rp2.StateMachine running the pulse port's program, in integers alone."""

    made = []

    def __init__(self, _number, _program, **settings):
        assert settings["freq"] == 1_000_000
        self.word = [0] * 8
        self.first = 0
        self.count = 0
        self.running = False
        self.left = 0  # of the running segment, us
        self.seen = Time.now
        self.level = 0
        self.rises = 0
        self.digest = 0
        Machine.made.append(self)

    def go_on(self):
        passed = Time.ticks_diff(Time.now, self.seen)
        self.seen = Time.now
        if not self.running:
            return
        while True:
            if passed < self.left:
                self.left -= passed
                return
            passed -= self.left
            self.left = 0
            if not self.count:
                return
            word = self.word[self.first]
            self.first = (self.first + 1) & 7
            self.count -= 1
            self.left = (word >> 2) + 4
            level = word & 1
            if level != self.level:
                self.level = level
                self.rises += level
                # When each edge came goes into the digest.
                self.digest = (self.digest * 5 + (Time.now - passed & 0xFFFFF)) & 0xFFFFFF

    def active(self, value):
        self.go_on()
        self.running = bool(value)

    def put(self, word):
        self.go_on()
        if self.count >= 8:
            raise ValueError
        self.word[(self.first + self.count) & 7] = word
        self.count += 1
        self.go_on()

    def tx_fifo(self):
        self.go_on()
        return self.count

    def exec(self, _opcode):
        self.first = (self.first + 1) & 7
        self.count -= 1

    def restart(self):
        self.left = 0


class Pio:
    OUT_LOW = 2
    SHIFT_RIGHT = 1
    JOIN_TX = 1


class Rp2:
    PIO = Pio
    StateMachine = Machine

    @staticmethod
    def asm_pio(**_settings):
        return lambda program: program


class Adc:
    ma = 0

    def read_u16(self):
        return Adc.ma * 595


class Bulk:
    raw = 60_000

    def read_u16(self):
        return Bulk.raw


class Chip:
    """The names that the firmware's modules take from `machine`."""

    Pin = Timer = WDT = ADC = mem32 = None

    @staticmethod
    def disable_irq():
        return 1

    @staticmethod
    def enable_irq(_state):
        pass


class Pin:
    def value(self, _level):
        pass


class Log:
    def __init__(self):
        self.events = 0

    def add(self, _code, _a=0, _b=0):
        self.events += 1


def firmware():
    """The firmware's modules on the stand-ins above, apart from any others that are loaded."""
    mine = {"time": Time, "rp2": Rp2, "machine": Chip}
    kept = {}
    for name in list(sys.modules):
        if name in mine or name.startswith("openkh"):
            kept[name] = sys.modules.pop(name)
    sys.modules.update(mine)
    try:
        from openkh.drivers.pulse_port import PulsePort
        from openkh.model import Model
        from openkh.outputs import counter, pulses, rail12
        from openkh.state import State
        from openkh.supply import Supply
        from openkh.tasks import guard_of
    finally:
        for name in list(sys.modules):
            if name in mine or name.startswith("openkh"):
                del sys.modules[name]
        sys.modules.update(kept)
    return PulsePort, Model, pulses, counter, rail12, State, Supply, guard_of


def play(seed, cycles):
    """Returns the numbers that must be the same on every engine.

    Long because the loop must take no heap of its own: all that it calls is bound to a name before it.
    """
    PulsePort, Model, pulses, counter, rail12, State, Supply, guard_of = firmware()  # noqa: N806
    Time.now = MASK - 2_000_000
    Machine.made.clear()
    Adc.ma = 0
    Bulk.raw = 60_000
    model = Model("MDNCT-2SC", "60Hz")
    counts_per_wh = model.counts_per_wh
    state, scratch = State(), State()
    state.delivered_wh = 999_999_900
    state.edges_10, state.edges_100, state.edges_1000 = 99_999_990, 9_999_999, 999_999
    state.counter_given = 9_999_999
    unit = pulses.Pulses(PulsePort(0, None, 2), PulsePort(1, None), PulsePort(2, None), model)
    wheels = counter.Counter(100)
    log = Log()
    guard = rail12.Rail12(Adc(), Pin(), log)
    unit.start(state, Time.now)
    wheels.start(state.counter_given, Time.now)
    guard.start(Time.now)
    write_given, plan, freeze, thaw = unit.write_given, unit.plan, unit.freeze, unit.thaw
    fine_pulses, fine_stop = unit.fine_pulses, unit.fine_stop
    enter, coil, drop = wheels.enter, wheels.step, wheels.drop
    supply = Supply(Bulk(), 6, model.nominal_mv, log)
    called = [0]

    def at_once():
        called[0] += 1

    supply.at_once = at_once
    sample, judge = guard_of(guard, supply), guard.step
    rate, level, counts_on = 0, 0, 0
    random = seed
    for n in range(cycles):
        random = (random * 109 + 1021) & 0x3FFFF
        if n % 16 == 0:
            rate = random % 27_000 if n < cycles - 100 else 0  # counts in 100 ms
        gap = 20_000 + random % 160_000
        if random % 97 == 0:
            gap = 7_000_000
        frozen = random % 41 == 0
        Time.now = (Time.now + gap) & MASK
        scratch.copy(state)
        counts = state.delivered_counts + gap // 1000 * rate // 100
        scratch.delivered_wh = (state.delivered_wh + counts // counts_per_wh) % 1_000_000_000
        scratch.delivered_counts = counts % counts_per_wh
        read_us = Time.now
        Time.now = (Time.now + 1_500) & MASK
        now = Time.now
        was_on = level
        micropython.heap_lock()
        try:
            if frozen:
                freeze()
                drop(now)
            write_given(scratch)
            enter(scratch, now, not frozen)
            plan(scratch, read_us, now)
            sample(None)
            judge(now)
            level = coil(now, True)
            if frozen:
                thaw(now)
            if n % 61 == 7:
                fine_pulses(1000, 2, now)
            elif n % 61 == 40:
                fine_stop(3)
        finally:
            micropython.heap_unlock()
        counts_on += level and not was_on
        state, scratch = scratch, state
        Adc.ma = 20 + 8 * level + (40 if n % 1000 > 990 else 0)
        Bulk.raw = 20_000 if n % 500 > 495 else 60_000
    assert state.edges_10 == state.delivered_wh // 10, (state.edges_10, state.delivered_wh)
    assert state.edges_100 == state.delivered_wh // 100
    assert state.edges_1000 == state.delivered_wh // 1000
    assert state.counter_given == state.delivered_wh // 100
    assert Machine.made[1].rises == state.delivered_wh // 100 + 1
    assert Machine.made[2].rises == state.delivered_wh // 1000 + 1
    assert called[0] == cycles // 500
    digests = [machine.digest for machine in Machine.made]
    return [state.delivered_wh, counts_on, log.events] + digests + [machine.rises for machine in Machine.made]
