"""The meter's supply: fed from line 1, 12 V bulk, 3.3 V (ID-6), and what a short dip does not do."""

import pytest

from boards.virtual.parts.supply import START_US, Supply
from boards.virtual.rp2040.clock import Clock


class Bench:
    def __init__(self, holdup_ms=80.0):
        self.clock = Clock()
        self.log = []
        self.restless = []
        self.supply = Supply(
            self.clock, holdup_ms, lambda on: self.log.append((self.clock.now_us, on)), self.restless.append
        )

    def on(self):
        self.supply.volts(120.0)
        self.clock.spend(1_000_000)
        self.log.clear()
        return self.clock.now_us


def test_start_up():
    bench = Bench()
    bench.supply.volts(120.0)
    bench.clock.spend(1_000_000)
    assert bench.log == [(START_US, True)]
    assert bench.supply.bulk_v() == 12.0 and bench.restless == [True, False]


@pytest.mark.parametrize("holdup_ms", [20.0, 80.0, 200.0])
def test_ST_1_hold_up_is_what_the_board_says_and_the_bulk_warns_before(holdup_ms):
    bench = Bench(holdup_ms)
    start_us = bench.on()
    bench.supply.volts(0.0)
    bench.clock.spend(int(holdup_ms * 1000 * 0.3))
    assert 9.5 < bench.supply.bulk_v() < 10.5  # 10 V, the firmware's sign, after about a third
    bench.clock.spend(1_000_000)
    assert bench.log == [(start_us + int(holdup_ms * 1000), False)]


def test_ID_6_the_supply_needs_60_volts_on_line_1():
    bench = Bench()
    bench.on()
    bench.supply.volts(61.0)
    bench.clock.spend(1_000_000)
    assert bench.log == []
    bench.supply.volts(59.0)
    bench.clock.spend(1_000_000)
    assert [on for _, on in bench.log] == [False]


def test_a_dip_within_the_hold_up_goes_by():
    bench = Bench()
    bench.on()
    for _ in range(3):
        bench.supply.volts(0.0)
        bench.clock.spend(70_000)
        bench.supply.volts(120.0)
        bench.clock.spend(500_000)
    assert bench.log == [] and bench.supply.bulk_v() == 12.0


def test_a_second_dip_before_the_bulk_is_full_ends_sooner():
    bench = Bench()
    bench.on()
    bench.supply.volts(0.0)
    bench.clock.spend(70_000)
    bench.supply.volts(120.0)
    bench.clock.spend(1_000)
    bench.supply.volts(0.0)
    start_us = bench.clock.now_us
    bench.clock.spend(1_000_000)
    assert [on for _, on in bench.log] == [False]
    assert bench.log[0][0] - start_us < 40_000


def test_mains_that_go_again_during_start_up_start_nothing():
    bench = Bench()
    bench.supply.volts(120.0)
    bench.clock.spend(START_US // 2)
    bench.supply.volts(0.0)
    bench.clock.spend(1_000_000)
    assert bench.log == []
