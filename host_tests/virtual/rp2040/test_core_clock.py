"""Simulated time: order of events, what fires when, and ticks that wrap where the RP2040's do."""

import pytest

from boards.virtual.rp2040.clock import Clock
from boards.virtual.standins import simtime


def recorder(clock, log, name):
    return lambda: log.append((name, clock.now_us))


def test_events_fire_in_order_of_time_and_of_asking():
    clock, log = Clock(), []
    clock.at(30, recorder(clock, log, "c"))
    clock.at(10, recorder(clock, log, "a"))
    clock.at(30, recorder(clock, log, "d"))
    clock.at(20, recorder(clock, log, "b"))
    clock.spend(25)
    assert log == [("a", 10), ("b", 20)] and clock.now_us == 25
    clock.sleep(5)
    assert log[2:] == [("c", 30), ("d", 30)]


def test_an_event_may_add_and_cancel_others_and_spend_time():
    clock, log = Clock(), []

    def first():
        clock.cancel(second)
        clock.at(12, recorder(clock, log, "new"))
        clock.spend(5)

    clock.at(10, first)
    second = clock.at(11, recorder(clock, log, "cancelled"))
    clock.at(14, recorder(clock, log, "third"))
    clock.spend(1)
    clock.spend(20)
    assert log == [("new", 12), ("third", 14)]
    assert clock.now_us == 21


def test_cancelled_events_do_not_pile_up():
    clock = Clock()
    for _ in range(10_000):
        clock.cancel(clock.at(1_000_000, lambda: None))
    assert len(clock._heap) < 200
    assert clock.next_us > 1_000_000 or not clock._heap or clock._heap[0][0] == 1_000_000


def test_an_exception_out_of_an_event_leaves_the_clock_whole():
    """A power cut is one."""
    clock, log = Clock(), []

    def cut():
        raise KeyError

    clock.at(10, cut)
    clock.at(20, recorder(clock, log, "after"))
    with pytest.raises(KeyError):
        clock.spend(50)
    assert clock.now_us == 10 and clock.next_us == 20
    clock.spend(50)
    assert log == [("after", 20)]


def test_a_stall_makes_the_cpu_late_and_nothing_else():
    clock, log = Clock(), []
    clock.at(10, recorder(clock, log, "timer"), True)
    clock.at(20, recorder(clock, log, "pio"))
    clock.at(15, recorder(clock, log, "timer 2"), True)
    clock.stall(100)
    assert log == [("pio", 20), ("timer", 100), ("timer 2", 100)]


@pytest.fixture
def ticks():
    """A clock whose ticks_us starts 1000 us before its wrap."""
    clock = Clock()
    simtime.attach(clock, (1 << 30) - 1000)
    return clock


def test_field_bug_30_ticks_us_wraps_at_2_to_the_30(ticks):
    before = simtime.ticks_us()
    assert before == (1 << 30) - 1000
    ticks.spend(1500)
    after = simtime.ticks_us()
    assert after == 500
    assert simtime.ticks_diff(after, before) == 1500
    assert simtime.ticks_diff(before, after) == -1500
    assert simtime.ticks_add(before, 1500) == after
    assert not after > before  # comparing with < is wrong here, and a test can see it


def test_EN_2_ticks_ms_wraps_after_12_4_days():
    clock = Clock()
    simtime.attach(clock, ((1 << 30) - 2) * 1000)
    assert simtime.ticks_ms() == (1 << 30) - 2
    clock.spend(3000)
    assert simtime.ticks_ms() == 1


def test_ticks_diff_is_signed_over_half_the_range():
    assert simtime.ticks_diff(0, 1) == -1
    assert simtime.ticks_diff(1 << 29, 0) == -(1 << 29)
    assert simtime.ticks_diff((1 << 29) - 1, 0) == (1 << 29) - 1
    with pytest.raises(OverflowError):
        simtime.ticks_add(0, 1 << 29)


def test_code_that_waits_by_looking_at_the_clock_sees_it_move(ticks):
    start = simtime.ticks_us()
    while simtime.ticks_diff(simtime.ticks_us(), start) < 1000:
        pass
    assert ticks.now_us >= 1000


def test_the_rest_of_time_is_the_real_module_on_cpython():
    assert simtime.perf_counter() > 0
    with pytest.raises(AttributeError):
        simtime.no_such_thing  # noqa: B018
