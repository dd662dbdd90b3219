"""CH-1: whichever way an open question turns out, nothing is dropped, and an altered register is found.

`error` is counts booked less the simulated chip's own total.
"""

import random

import pytest

from host_tests.mp.front_end import Calibration, Element, FrontEndRig
from openkh import event_codes
from openkh.drivers import ade7953_registers as reg

RATE_100A = 120 * 100 * 32_000 // 3600 // 10  # counts in one cycle at 100 A, 120 V, 32,000 counts per Wh

WAYS = {
    "likeliest": {},
    "live bits": {"checksum_live_bits": True},
    "stop": {"counter_end": "stop"},
    "phcal": {"phcal_sign": -1},
    "version": {"version": 254, "checksum_seed": 7},
    "last": {"last_changes": True},
    "var": {"var_sign": -1},
    "silent 0": {"silent_ms": 0},
    "silent 100": {"silent_ms": 100},
    "late checksum": {"checksum_delay_ms": 10},
    "late live": {"checksum_delay_ms": 10, "checksum_live_bits": True, "flags_return": True},
    "flags return": {"flags_return": True},
    "loose key": {"key_strict": False},
    "noise": {"noise": True},
    "ripple": {"ripple": True, "noise": True, "period_settle_ms": 0},
}


class ResetError(Exception):
    """The RP2040 is reset here."""


each_way = pytest.mark.parametrize("way", WAYS, ids=[way.replace(" ", "-") for way in WAYS])


def running(way="likeliest", amps=50.0, cycles=15, **options):
    b = FrontEndRig(**options, **WAYS[way])
    b.start()
    for n in range(len(b.lines)):
        b.drive(amps=amps, line=n)
    b.run(cycles)
    return b


def restart(rig):
    """The RP2040 alone restarts: new objects, the chip goes on."""
    line = rig.line
    line.driver = rig.driver = rig.driver.__class__(rig.spi, rig.driver._cs, rig.driver.irq, rig.driver._reset)
    line.element = rig.element = Element(rig.driver, rig.model, 0, rig.log)
    line.element.calibrate(Calibration())
    line.element.start(line.raw)


@each_way
def test_CH_1_reversal_and_no_load_cost_nothing_and_alarm_nobody(way):
    b = running(way, chips=2)
    rng = random.Random(4)
    for _ in range(40):
        b.drive(amps=rng.choice((0.0, 3.0, 90.0)), cosine=rng.choice((1.0, -1.0, 0.1)), sine=rng.choice((0.9, -0.9)))
        b.run(rng.choice((1, 2, 7)), 100_000)
        assert b.element.fresh
    assert b.log.events == []
    assert (b.element.resets, b.element.repairs, b.element.gap_ms) == (0, 0, 0)
    assert b.error() == 0


@each_way
def test_CH_1_a_reset_of_the_chip_costs_less_than_400_ms(way):
    for at_ms in (1, 37, 99):
        b = running(way, amps=100)
        b.clock.sleep(at_ms * 1000)
        b.chip.fault("reset")
        b.run(9)
        assert b.chip.regs[reg.AWGAIN] == 4_234_704
        assert b.log.codes() == [event_codes.CHIP_RESET]
        assert b.element.gap_ms < 400
        b.settle()
        b.drive(amps=100)
        b.run(20)
        assert b.error() == 0


COVERED = (*reg.COVERED, reg.CONFIG, reg.WRITE_PROTECT)


@each_way
def test_CH_1_each_altered_register_is_found_in_the_cycle_and_its_counts_dropped(way):
    b = running(way, amps=100)
    for address in COVERED:
        before = b.chip.regs[address]
        total = b.line.total
        repairs = b.element.repairs
        b.log.events.clear()
        b.clock.sleep(50_000)
        b.chip.poke(address, before ^ 0x01)
        b.clock.sleep(15_000)
        b.run(1)
        assert b.chip.regs[address] == before, hex(address)
        assert b.chip.regs[reg.WRITE_PROTECT] == 7
        assert b.line.total == total
        assert b.log.events == [(event_codes.CHIP_REPAIRED, 1, address)]
        assert b.element.repairs == repairs + 1
        b.run(3)
        assert b.element.fresh
        assert not b.element.altered


@each_way
def test_CH_1_an_alteration_that_comes_again_is_found_again(way):
    """The checksum of an altered state is never taken for that of a good one, however late it follows."""
    b = running(way, amps=100)
    for gap_us in (500, 3_000, 9_000, 60_000):
        for _ in range(3):
            b.chip.poke(reg.AWGAIN, 0x401234)
            for _ in range(6):
                b.clock.sleep(gap_us)
                b.cycle(b.line)
            b.run(2)
            assert b.chip.regs[reg.AWGAIN] == 4_234_704
            assert b.element.fresh
    assert b.element.repairs == 12


@each_way
def test_CH_1_uncovered_registers_are_mended_within_a_second(way):
    b = running(way, amps=100)
    for address in reg.UNCOVERED:
        before = b.chip.regs[address]
        b.chip.poke(address, before ^ 0x01)
        b.run(10)
        assert b.chip.regs[address] == before, hex(address)
    # Where the no-load states are in the checksum, an altered no-load level is found in its cycle, and that dropped.
    assert b.error() == 0 or "live" in way
    assert -b.element.gap_ms * RATE_100A / 100 <= b.error() + 200


@each_way
@pytest.mark.parametrize("amps", [30, 110])
def test_CH_1_a_restart_of_the_RP2040_at_any_moment_loses_no_count(way, amps):
    b = running(way, amps=amps)
    for seconds in (0.02, 0.5, 4.0):
        b.clock.sleep(int(seconds * 1_000_000))
        restart(b)
        b.run(20)
    assert b.element.gap_ms == 0
    assert b.log.events == []
    assert b.error() == 0


@each_way
def test_CH_1_calibration_changes_while_the_chip_counts(way):
    b = running(way, amps=100)
    for wgain in (4_300_000, 4_234_704, 4_200_000):
        assert b.element.apply(Calibration(wgain=wgain))
        b.drive(amps=100, cosine=-1.0)
        b.run(1)
        b.drive(amps=100)
        b.run(5)
        assert b.element.fresh
    assert b.log.events == []
    assert b.error() == 0


# -- (b): the counter's end -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["wrap", "stop"])
@pytest.mark.parametrize("cosine", [1.0, -1.0])
def test_CH_1_a_counter_is_never_left_to_reach_its_end(end, cosine):
    b = FrontEndRig(counter_end=end)
    b.start()
    b.drive(volts=199, amps=117, cosine=cosine)
    highest = 0
    for _ in range(90):  # 90 s at full scale: twice over the whole range
        b.run(10)
        register = b.chip._signals.active.count
        highest = max(highest, abs(register))
    assert highest < 0x400000
    assert b.error() == 0
    assert b.log.events == []


def test_EN_2_what_a_spoilt_reading_has_zeroed_is_taken_from_the_chip_s_own_note_of_it():
    """The note is read until two readings agree: the reading before the zeroing one is some counts older."""
    b = FrontEndRig()
    b.start()
    b.drive(volts=199, amps=117)
    b.run(20)
    spoilt = []

    def meddle(tx, rx):
        noted = tx[0] << 8 | tx[1] == reg.AENERGYA & 0x300 | reg.LAST_RWDATA_8
        if noted and b.chip.regs[reg.LCYCMODE] and len(spoilt) < 4:
            spoilt.append(rx[5])
            rx[5] ^= len(spoilt)

    b.spi.meddle = meddle
    assert b.driver.take_down() and len(spoilt) == 4
    b.run(5)
    assert b.driver.base and b.error() == 0


@pytest.mark.parametrize("end", ["wrap", "stop"])
@pytest.mark.parametrize("rate", [1e-4, 1e-3, 3e-3])
def test_CH_1_bit_errors_while_the_counter_is_taken_down_change_no_count(end, rate):
    b = FrontEndRig(counter_end=end, seed=5)
    b.start()
    b.drive(volts=199, amps=117)
    b.chip.fault("bit_error", {"rate": rate})
    b.run(1500)
    b.chip.unfault("bit_error")
    b.run(30)
    assert b.error() == 0 or (rate > 1e-3 and b.element.gap_ms)


@pytest.mark.parametrize("end", ["wrap", "stop"])
def test_CH_1_no_count_is_lost_wherever_the_RP2040_is_reset_while_the_counter_is_taken_down(end):
    """After each frame of it; in the gap between reading and noting it, what came in between at most."""
    frame = 0
    rewound = 0
    while True:
        b = FrontEndRig(counter_end=end)
        b.start()
        b.drive(volts=199, amps=117)
        b.run(95)
        frames = []

        def meddle(tx, _rx, left=[frame], frames=frames):  # noqa: B006
            address = tx[0] << 8 | tx[1]
            if frames or (address == reg.OILVL and not tx[2] & 0x80):
                frames.append(address)
                left[0] -= 1
                if left[0] < 0:
                    raise ResetError

        b.spi.meddle = meddle
        try:
            b.run(20)
        except ResetError:
            b.spi.meddle = None
        else:
            break
        rewound += 1
        b.driver._cs(1)
        restart(b)
        b.run(20)
        assert abs(b.error()) <= 220, frame
        assert b.element.gap_ms == 0
        frame += 1
    assert rewound > 12


def test_CH_1_a_counter_that_stopped_in_a_long_silence_books_what_it_holds_and_says_so():
    b = FrontEndRig(counter_end="stop")
    b.start()
    b.drive(volts=132, amps=110)
    b.run(10)
    total = b.line.total
    b.chip.fault("silent")
    b.run(100, 1_000_000)
    b.chip.unfault("silent")
    b.run(10)
    assert 0x7FFFFF - 0x300000 < b.line.total - total < 0x7FFFFF + 20 * RATE_100A
    assert event_codes.COUNTER_FULL in b.log.codes()
    b.settle()
    b.drive(amps=100)
    b.run(50)
    assert b.error() == 0


# -- (i): flags that return -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("returns", [False, True])
def test_CH_1_a_sag_that_lasts_calls_the_cycle_once_not_for_ever(returns):
    b = FrontEndRig(flags_return=returns)
    b.start()
    b.drive()
    b.run(15)
    edges = []
    b.chip._signals.events._irq = lambda level: (edges.append(level), b.irq.drive(level))
    b.drive(volts=60, amps=20)
    b.run(50)
    assert b.element.sag
    assert edges.count(0) <= 2
    b.drive()
    b.run(20)
    assert not b.element.sag
    assert b.driver.irq()
    assert b.error() == 0


# -- (c) (f): signs -------------------------------------------------------------------------------------------------


def test_CH_1_the_sign_of_reactive_counts_is_the_calibrations():
    b = running("var")
    b.drive(amps=10, cosine=0.5, sine=0.866)
    b.run(5)
    assert b.element.reactive < 0
    cal = Calibration(phcal=0x800)
    b.element.apply(cal)
    b.run(5)
    assert b.element.reactive > 0
    assert b.chip.regs[reg.PHCALA] == 0
