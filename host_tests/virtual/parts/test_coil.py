"""The mechanical counter's model: what is too short moves no wheel (CO-2)."""

import pytest

from boards.virtual.parts.coil import Coil
from boards.virtual.rp2040.clock import Clock
from boards.virtual.rp2040.nets import OUT, Net


@pytest.fixture
def rig():
    clock = Clock()
    pin = Net(clock, 9, None)
    pin.configure(OUT, None)
    coil = Coil(clock, pin)
    coil.supply(True)
    return clock, pin, coil


def pulse(clock, pin, on_us, off_us):
    pin.put(1)
    clock.spend(on_us)
    pin.put(0)
    clock.spend(off_us)


@pytest.mark.parametrize(
    "on_us, off_us, counts",
    [(50_000, 50_000, 5), (49_999, 50_000, 0), (60_000, 49_999, 1)],
)
def test_CO_2_current_and_pause_of_50_ms_move_the_wheels(rig, on_us, off_us, counts):
    clock, pin, coil = rig
    for _ in range(5):
        pulse(clock, pin, on_us, off_us)
    assert (coil.counts, coil.missed) == (counts, 5 - counts)
    assert (coil.shortest_on_us, coil.shortest_off_us) == (on_us, off_us)


def test_the_wheels_move_while_the_current_flows(rig):
    clock, pin, coil = rig
    pin.put(1)
    clock.spend(49_999)
    assert coil.counts == 0
    clock.spend(1)
    assert coil.counts == 1
    pin.put(0)
    assert coil.counts == 1


def test_without_12_V_nothing_moves(rig):
    clock, pin, coil = rig
    coil.supply(False)
    pulse(clock, pin, 100_000, 100_000)
    assert coil.counts == 0 and coil.missed == 0
    pin.put(1)
    coil.supply(True)
    clock.spend(20_000)
    coil.supply(False)
    assert coil.counts == 0 and coil.missed == 1 and coil.shortest_on_us == 20_000
