"""The electro-mechanical counter with its coil and wheels (CO-1, CO-2)."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boards.virtual.parts.coil import Coil
from boards.virtual.parts.rail12 import Rail12 as Rail
from boards.virtual.rp2040.clock import Clock
from boards.virtual.rp2040.nets import OUT, Net
from host_tests.outputs.rig import ROLL_WH, State, simtime
from openkh.outputs.counter import Counter


class Rig:
    """Counter, coil pin, 12 V and wheels; `watts` flow, the journal saves where asked to."""

    def __init__(self, weight_wh=100, start_wh=0, save=True):
        self.clock = Clock()
        simtime.attach(self.clock, (1 << 30) - 5_000_000)
        self.pin = Net(self.clock, 9, None)
        self.enable = Net(self.clock, 22, None)
        self.pin.configure(OUT, None)
        self.enable.configure(OUT, None)
        self.coil = Coil(self.clock, self.pin)
        self.rail = Rail(self.clock, self.enable, self.coil, lambda: None)
        self.enable.put(1)
        self.state = State()
        self.state.delivered_wh = start_wh
        self.state.counter_given = start_wh // weight_wh
        self.saved = State()
        self.saved.copy(self.state)
        self.save = save
        self.watts = 0
        self.weight_wh = weight_wh
        self.wh = float(start_wh)
        self.us = 0
        self.power_up()

    def power_up(self):
        self.counter = Counter(self.weight_wh)
        self.counter.start(self.state.counter_given, simtime.ticks_us())

    def cycle(self, gap_us=100_000, may_start=True):
        self.wh += self.watts * (self.clock.now_us - self.us) / 3.6e9
        self.us = self.clock.now_us
        scratch = State()
        scratch.copy(self.state)
        scratch.delivered_wh = int(self.wh) % ROLL_WH
        self.counter.enter(scratch, simtime.ticks_us(), may_start)
        changed = scratch.counter_given != self.state.counter_given
        self.state = scratch
        saved = self.save or not changed
        if self.save and changed:
            self.saved.copy(scratch)
        self.pin.put(self.counter.step(simtime.ticks_us(), saved))
        self.clock.spend(gap_us)

    def fail(self):
        """Supply failing, with a warning: the coil goes first."""
        self.pin.put(0)
        self.counter.drop(simtime.ticks_us())
        scratch = State()
        scratch.copy(self.state)
        self.counter.enter(scratch, simtime.ticks_us(), False)
        self.state = scratch
        self.saved.copy(scratch)

    def cut(self):
        """No warning: only what was saved is left, and the register may have lost something."""
        self.pin.put(0)
        self.state.copy(self.saved)
        self.wh = float(self.saved.delivered_wh)
        self.clock.spend(500_000)
        self.us = self.clock.now_us


@pytest.mark.parametrize("weight_wh", [100, 1000])
def test_CO_1_one_count_per_weight(weight_wh):
    rig = Rig(weight_wh, start_wh=weight_wh * 7)
    rig.watts = 400_000
    for _ in range(400):
        rig.cycle()
    rig.watts = 0
    for _ in range(10):
        rig.cycle()
    assert rig.coil.counts == int(rig.wh) // weight_wh - 7
    assert rig.state.counter_given == int(rig.wh) // weight_wh
    assert rig.coil.missed == 0
    assert rig.coil.shortest_on_us == 100_000


def test_CO_2_pulse_and_pause_last_100_ms_at_least_and_counts_wait():
    """40 counts owed at once, cycles at any distance: none is lost, none too short for the wheels."""
    rng = random.Random(5)
    rig = Rig(start_wh=0)
    rig.wh = 4_000.0
    while rig.state.counter_given < 40 or rig.coil.on:
        rig.cycle(rng.randrange(10_000, 180_000))
    assert rig.coil.counts == 40
    assert rig.coil.missed == 0
    assert rig.coil.shortest_on_us >= 100_000
    assert rig.coil.shortest_off_us >= 100_000


def test_field_bug_30_a_count_ends_across_the_tick_wrap():
    """The ticks wrap at each point of a count and of its pause."""
    for before_us in range(0, 400_000, 20_000):
        rig = Rig(start_wh=0)
        simtime.attach(rig.clock, (1 << 30) - before_us)
        rig.counter.start(0, simtime.ticks_us())
        rig.wh = 300.0
        for _ in range(12):
            rig.cycle()
        assert rig.coil.counts == 3
        assert rig.coil.shortest_on_us == 100_000
        assert not rig.coil.on


@pytest.mark.parametrize("weight_wh", [100, 1000])
def test_CO_2_a_counter_that_is_ahead_of_the_register_is_owed_nothing(weight_wh):
    """As after a cut without warning; at the roll-over, too, on either side of it."""
    counter, most = Counter(weight_wh), ROLL_WH // weight_wh
    for shown, wh, owed in (
        (8, 7 * weight_wh, 0),
        (8, 8 * weight_wh, 0),
        (8, 9 * weight_wh, 1),
        (0, ROLL_WH - 1, 0),
        (1, ROLL_WH - weight_wh, 0),
        (most - 1, 0, 1),
        (most - 2, 3 * weight_wh, 5),
    ):
        counter.start(shown, 0)
        assert counter.owed(wh) == owed, (shown, wh)


def test_EN_3_the_roll_over_costs_no_count():
    rig = Rig(start_wh=ROLL_WH - 150)
    rig.wh = float(ROLL_WH + 250)
    for _ in range(30):
        rig.cycle()
    assert rig.coil.counts == 4
    assert rig.state.counter_given == 2


def test_CO_2_nothing_starts_while_the_12_V_is_off_and_nothing_is_lost():
    rig = Rig()
    rig.wh = 320.0
    for _ in range(50):
        rig.cycle(may_start=False)
    assert rig.coil.counts == 0 and rig.coil.shortest_on_us is None
    for _ in range(20):
        rig.cycle()
    assert rig.coil.counts == 3


@pytest.mark.parametrize("on_us, counts", [(10_000, 0), (49_000, 0), (50_000, 1), (90_000, 1)])
def test_CO_2_a_count_cut_short_is_given_from_50_ms_on(on_us, counts):
    """The rule and the wheels agree; what was too short is repeated."""
    rig = Rig()
    rig.wh = 100.0
    while not rig.pin.level:
        rig.cycle(2_000)
    rig.clock.spend(on_us - 2_000)
    rig.fail()
    assert rig.coil.counts == counts
    assert rig.state.counter_given == counts
    rig.power_up()
    for _ in range(20):
        rig.cycle()
    assert rig.coil.counts == 1


def test_CO_2_the_12_V_lost_in_the_middle_of_a_count_repeats_it():
    rig = Rig()
    rig.wh = 100.0
    while not rig.pin.level:
        rig.cycle(2_000)
    rig.clock.spend(20_000)
    rig.enable.put(0)
    off_us = simtime.ticks_us()
    rig.clock.spend(60_000)  # the cycle learns of it later
    rig.counter.drop(off_us)
    rig.cycle(may_start=False)
    assert rig.coil.counts == 0 and rig.state.counter_given == 0
    rig.enable.put(1)
    for _ in range(10):
        rig.cycle()
    assert rig.coil.counts == 1


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_CO_2_power_cycles_with_warning_lose_and_double_none(seed):
    rng = random.Random(seed)
    rig = Rig(rng.choice((100, 1000)), start_wh=ROLL_WH - 3_000)
    for _ in range(20):
        rig.watts = rng.randrange(2_000_000)
        for _ in range(rng.randrange(12)):
            rig.cycle(rng.randrange(5_000, 180_000))
        rig.fail()
        rig.clock.spend(rng.randrange(1, 300_000))
        rig.us = rig.clock.now_us
        rig.power_up()
    rig.watts = 0
    for _ in range(4 * 30_000_000 // rig.weight_wh // 1000 + 400):
        rig.cycle()
        if rig.counter.owed(int(rig.wh) % ROLL_WH) == 0 and not rig.coil.on:
            break
    assert rig.coil.counts == int(rig.wh) // rig.weight_wh - (ROLL_WH - 3_000) // rig.weight_wh


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_CO_2_cuts_without_warning_never_give_one_too_many(seed):
    rng = random.Random(seed)
    rig = Rig(start_wh=500)
    for cuts in range(1, 16):
        rig.watts = rng.randrange(2_000_000)
        for _ in range(rng.randrange(12)):
            rig.cycle(rng.randrange(5_000, 180_000))
        rig.clock.spend(rng.randrange(100_000))
        rig.cut()
        rig.power_up()
        counted = rig.state.counter_given - 5
        assert counted - cuts <= rig.coil.counts <= counted


def test_CO_2_the_coil_waits_for_the_journal():
    rig = Rig(save=False)
    rig.wh = 250.0
    rig.cycle()  # the pause after the start
    rig.cycle()
    for _ in range(10):
        scratch = State()
        scratch.copy(rig.state)
        rig.counter.enter(scratch, simtime.ticks_us(), True)
        assert scratch.counter_given == 1
        assert rig.counter.step(simtime.ticks_us(), False) == 0
        rig.clock.spend(100_000)
    assert rig.counter.step(simtime.ticks_us(), True) == 1


def test_CO_2_a_cycle_that_is_given_up_changes_nothing():
    """`given` may run and its scratch be thrown away: the count is there once all the same."""
    rig = Rig()
    rig.wh = 100.0
    rig.state.delivered_wh = 100
    rig.clock.spend(200_000)
    for _ in range(5):
        lost = State()
        lost.copy(rig.state)
        rig.counter.enter(lost, simtime.ticks_us(), True)
    for _ in range(10):
        rig.cycle()
    assert rig.coil.counts == 1 and rig.state.counter_given == 1
