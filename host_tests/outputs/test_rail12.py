"""The guard of the 12 V against the simulated rail: off in time, on when it should be (CO-3)."""

from types import SimpleNamespace

import pytest

from boards.virtual.parts.coil import Coil
from boards.virtual.parts.rail12 import LIMITER_MA
from boards.virtual.parts.rail12 import Rail12 as Rail
from boards.virtual.rp2040.nets import OUT
from host_tests.outputs.rig import new_board, simtime
from openkh import event_codes
from openkh.outputs import rail12
from openkh.outputs.rail12 import Rail12

UV_PER_MA = 30_000
GUARD_US = rail12.GUARD_MS * 1000
MINUTE_US = 60_000_000


class Log:
    def __init__(self):
        self.events = []

    def add(self, code, a=0, b=0):
        self.events.append((event_codes.NAMES[code], a, b))


class Adc:
    def __init__(self, board):
        self.board = board

    def read_u16(self):
        raw = self.board.adc_raw(26)
        return raw << 4 | raw >> 8


class Enable:
    def __init__(self, net):
        self.net = net

    def value(self, level):
        self.net.put(level)


class Rig:
    """Rail with coil, guard on its timer, cycle each 100 ms."""

    def __init__(self, coil_ma=8.0, sensor_ma=None):
        self.board = new_board(ticks_offset_us=(1 << 30) - 70_000_000)
        self.clock = self.board.clock
        self.enable = self.board.pins[22]
        self.pin = self.board.pins[9]
        self.enable.configure(OUT, None)
        self.pin.configure(OUT, None)
        self.coil = Coil(self.clock, self.pin, coil_ma)
        self.rail = Rail(self.clock, self.enable, self.coil, self.board.cpu.stir)
        self.rail.stuck_ma(sensor_ma)
        self.board.adc_uv[26] = lambda: int(self.rail.sensed_ma() * UV_PER_MA)
        self.edges = []
        self.enable.listen(lambda level, t_us: self.edges.append((t_us, level)))
        self.log = Log()
        self.guard = Rail12(Adc(self.board), Enable(self.enable), self.log, UV_PER_MA)
        self.board.cpu.start_alarm(GUARD_US, GUARD_US, lambda _timer: self.guard.sample(), None, True)
        self.guard.start(simtime.ticks_us())

    def run(self, us, coil_period_us=0):
        """Let time pass; with a period the coil gets 100 ms that often."""
        end = self.clock.now_us + us
        while self.clock.now_us < end:
            level = 0
            if coil_period_us:
                level = 1 if self.clock.now_us % coil_period_us < 100_000 else 0
            self.guard.step(simtime.ticks_us())
            self.pin.put(level if self.guard.on else 0)
            self.clock.sleep(100_000)


@pytest.mark.parametrize("ma", [51, 60, 100, 300])
@pytest.mark.parametrize("phase_us", [0, 700, 1_999, 2_999])
def test_CO_3_off_within_10_ms_above_50_mA(ma, phase_us):
    rig = Rig()
    rig.run(1_000_000)
    rig.clock.sleep(phase_us)
    rig.rail.load(ma)
    over_us = rig.clock.now_us
    rig.clock.sleep(20_000)
    assert rig.edges[-1][1] == 0
    assert rig.edges[-1][0] - over_us <= 10_000
    rig.run(200_000)
    assert rig.log.events == [("rail12_off", min(ma, LIMITER_MA), rail12.OVERLOAD)]
    assert rig.guard.name() == "waiting"


@pytest.mark.parametrize("short", [True, False])
def test_CO_3_short_circuit_and_coil_with_45_mA(short):
    """Counter and +12VDC count together; a short takes what the limiter gives."""
    rig = Rig(coil_ma=10.0)
    rig.rail.load(45)
    rig.run(5_000_000)
    assert rig.guard.on
    if short:
        rig.rail.short(True)
    else:
        rig.pin.put(1)
    over_us = rig.clock.now_us
    rig.clock.sleep(20_000)
    assert not rig.guard.on
    assert rig.edges[-1][0] - over_us <= 10_000


def test_CO_3_39_mA_and_a_10_mA_coil_stay_on():
    rig = Rig(coil_ma=10.0)
    rig.rail.load(39)
    rig.run(15 * MINUTE_US, coil_period_us=6_000_000)
    assert rig.guard.on and rig.log.events == []
    assert rig.coil.missed == 0
    assert [level for _, level in rig.edges] == [1]


def test_CO_3_inrush_is_no_fault():
    """200 mA for 5 ms at any phase of the timer, and again and again."""
    rig = Rig()
    rig.rail.load(10)
    for phase_us in range(0, GUARD_US, 100):
        rig.clock.sleep(20_000 + phase_us)
        rig.rail.inrush(200, 5_000)
        rig.run(200_000)
    assert rig.guard.on and rig.log.events == []


def test_CO_3_pulsed_overloads_add_up():
    """100 mA for 6.5 ms of every 8 ms is an overload."""
    rig = Rig()
    rig.run(500_000)
    for _ in range(10):
        rig.rail.inrush(100, 6_500)
        rig.clock.sleep(8_000)
    assert not rig.guard.on


def test_CO_3_one_retry_after_60_s_and_three_failures_latch():
    rig = Rig()
    rig.run(1_000_000)
    rig.rail.load(80)
    rig.run(10 * MINUTE_US)
    events = [event[0] for event in rig.log.events]
    assert events == ["rail12_off", "rail12_retry", "rail12_off", "rail12_retry", "rail12_off", "rail12_latched"]
    ups = [t for t, level in rig.edges if level]
    downs = [t for t, level in rig.edges if not level]
    assert len(ups) == 3 and len(downs) == 3
    for n in range(2):
        assert 60_000_000 <= ups[n + 1] - downs[n] < 60_300_000
    assert all(down - up <= 10_000 for up, down in zip(ups[1:], downs[1:]))
    assert rig.guard.name() == "latched"
    # Service, the load taken away: on again.
    rig.rail.load(5)
    rig.guard.service_reset(simtime.ticks_us())
    rig.run(MINUTE_US)
    assert rig.guard.name() == "on" and rig.enable.level == 1


def test_CO_3_comes_back_where_the_overload_has_gone():
    rig = Rig()
    rig.run(1_000_000)
    rig.rail.load(80)
    rig.run(1_000_000)
    rig.rail.load(20)
    rig.run(MINUTE_US)
    assert rig.guard.on and rig.guard.failures == 1
    assert rig.guard.ma() == 20


def test_CO_3_sensor_stuck_at_power_up_leaves_it_off():
    rig = Rig(sensor_ma=20)
    rig.run(3 * MINUTE_US)
    assert rig.edges == []
    assert rig.log.events == [("rail12_off", 20, rail12.STUCK)]
    rig.rail.stuck_ma(None)
    rig.run(2 * MINUTE_US)
    assert rig.guard.on


def test_CO_3_sensor_stuck_at_full_scale():
    rig = Rig()
    rig.run(1_000_000)
    rig.rail.stuck_ma(1000)
    rig.run(5 * MINUTE_US)
    assert not rig.guard.on
    assert [(name, b) for name, _, b in rig.log.events] == [
        ("rail12_off", rail12.OVERLOAD),
        ("rail12_off", rail12.STUCK),
    ]


def test_CO_3_full_scale_for_a_second_is_off_even_without_the_quick_guard():
    rig = Rig()
    rig.run(1_000_000)
    rig.guard.limit = 1 << 20
    rig.rail.stuck_ma(1000)
    rig.run(1_300_000)
    assert not rig.guard.on
    assert rig.log.events[0][2] == rail12.STUCK


@pytest.mark.parametrize("coil_ma", [0.0, 1.5, 8.0])
def test_CO_3_no_counter_a_totaliser_and_a_transmitter_against_the_coil_are_normal(coil_ma):
    """10 mA that come while the coil is off, and go while it is on: the sum never moves by what the coil takes."""
    rig = Rig(coil_ma=coil_ma)
    end_us = rig.clock.now_us + 20_000_000
    while rig.clock.now_us < end_us:
        on = rig.clock.now_us % 2_000_000 < 100_000
        rig.rail.load(0 if on else 10)
        rig.guard.step(simtime.ticks_us())
        rig.pin.put(1 if on else 0)
        rig.clock.sleep(100_000)
    assert rig.guard.on and rig.guard.name() == "on" and rig.log.events == []


def test_CO_3_a_sensor_that_reads_current_with_the_12_V_off_is_proven_wrong():
    """It is found out as soon as the 12 V is off, and the 12 V comes back when it reads right again."""
    rig = Rig()
    rig.run(1_000_000)
    rig.rail.load(60)
    rig.run(200_000)
    rig.rail.load(0)
    rig.rail.stuck_ma(20)
    rig.run(2 * MINUTE_US)
    assert not rig.guard.on
    assert rig.log.events == [("rail12_off", 60, rail12.OVERLOAD), ("rail12_off", 20, rail12.STUCK)]
    rig.rail.stuck_ma(None)
    rig.run(MINUTE_US + 200_000)
    assert rig.guard.on


def test_a_failing_supply_switches_off_without_a_failure():
    rig = Rig()
    rig.run(1_000_000)
    rig.guard.suspend()
    assert rig.enable.level == 0 and rig.guard.name() == "off"
    rig.clock.sleep(50_000)
    rig.guard.resume(simtime.ticks_us())
    rig.run(1_000_000)
    assert rig.guard.on and rig.log.events == []
    # A rail that failed before stays off.
    rig.rail.load(80)
    rig.run(1_000_000)
    rig.guard.suspend()
    rig.guard.resume(simtime.ticks_us())
    assert rig.enable.level == 0


def test_the_wheels_and_the_12_V_in_one_trace():
    """The coil needs the 12 V: a count during a shutdown moves nothing."""
    rig = Rig()
    rig.run(1_000_000)
    rig.pin.put(1)
    rig.clock.sleep(30_000)
    rig.rail.short(True)
    rig.clock.sleep(100_000)
    assert rig.coil.counts == 0 and rig.coil.missed == 1 and not rig.coil.on


@pytest.mark.parametrize(("over", "below", "off"), [(2, 1, True), (2, 2, False), (1, 5, False), (5, 0, True)])
def test_CO_3_an_overload_that_comes_in_pulses_adds_up(monkeypatch, over, below, off):
    """Each sample below the limit takes one away, and never more than there were."""
    monkeypatch.setattr(rail12, "ticks_us", lambda: 0)
    levels = []
    guard = Rail12(SimpleNamespace(read_u16=lambda: 0), SimpleNamespace(value=levels.append), Log(), UV_PER_MA)
    guard.on = True
    for raw in ([guard.limit + 1] * over + [guard.limit] * below) * 10:
        guard.current_raw = raw
        if raw > guard.judged_above:
            guard.judge()
        assert 0 <= guard.over <= rail12.OVER_SAMPLES
    assert levels[-1:] == ([0] if off else []) and guard.on != off
