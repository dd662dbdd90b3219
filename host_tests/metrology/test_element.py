"""One line's front end in the cycle: what is booked is what the chip counted (EN-1, EN-2, EN-5, EN-6, DX-6).

`error` is counts booked less the simulated chip's own total; 0 unless the chip was reset or altered.
"""

import random

import pytest

from host_tests.metrology.element_rig import RATE_100A, running
from host_tests.mp.front_end import FrontEndRig
from host_tests.mp.front_end import element_module as module
from host_tests.mp.polls import campaign
from openkh import event_codes
from openkh.drivers import ade7953_registers as reg
from openkh.metrology.rms import middle

# Counting


@pytest.mark.parametrize(
    ("code", "service", "volts", "amps"),
    [("MDNCT-1SC", "60Hz", 120, 100), ("MDNCT-2SC", "60Hz", 120, 200), ("MSNCT-1SC", "50Hz", 240, 100)],
)
def test_EN_6_counts_per_watt_hour_of_every_model(code, service, volts, amps):
    b = FrontEndRig(code=code, service=service)
    b.start()
    b.drive(volts, amps)
    b.run(600)
    true = volts * amps * b.model.counts_per_wh * 60 // 3600
    assert abs(b.line.total - true) <= true // 10_000
    assert abs(b.element.v_mv - volts * 1000) <= volts
    assert abs(b.element.i_ma - amps * 1000) <= amps
    assert b.error() == 0


def test_EN_2_intervals_of_any_length_up_to_30_s_book_every_count():
    """At full scale, both directions with their signs extended (field bug 5), across the register's end and the tick
    wrap (field bugs 18, 30); not power times a fixed second (field bug 14), no window that can be missed, nor one that
    a second reading finds empty (field bugs 10, 11)."""
    b = FrontEndRig()
    b.start()
    rng = random.Random(1)
    for n in range(3000):
        if n % 3 == 0:
            b.drive(rng.uniform(108, 199), rng.uniform(0, 117), rng.uniform(-1, 1))
        b.run(1, rng.choice((1, 900, 100_000, 100_000, 250_000, 2_000_000, 30_000_000)))
        assert b.element.fresh
    assert b.error() == 0
    assert b.element.rejected == 0


def test_EN_2_polls_with_jitter_and_drop_outs_book_every_count():
    """Field bug 14: counts are booked as they are, however long the cycle took."""
    error, booked, rejected, dropped = campaign(20_000)
    assert (error, rejected) == (0, 0)
    assert booked > 1_000_000_000
    assert dropped > 500


def test_field_bug_15_sign_comes_with_the_counts():
    """Half an interval of import, half of export: the net is booked, not a magnitude with the sign of the moment."""
    b = running(amps=100)
    b.settle()
    before = b.line.total
    b.drive(amps=100)
    b.clock.sleep(70_000)
    b.drive(amps=100, cosine=-1.0)
    b.run(1)
    assert 0 < b.line.total - before < RATE_100A
    assert b.error() == 0


def test_EN_5_starts_at_50_mA_and_does_not_creep():
    b = FrontEndRig()
    b.start()
    b.drive(amps=0.05)
    b.run(600)
    assert abs(b.line.total - 3200) <= 320  # 6 W for a minute
    b.drive(volts=138, amps=0)
    b.run(5)
    before = b.line.total
    b.run(600)
    assert b.line.total == before


def test_scaling_is_exact_to_4_ppm_and_stays_below_2_30():
    for full_scale in (200_000, 400_000, 117_850, 235_700):
        rms = module.Rms(full_scale)
        assert (0xFFF * rms._ratio) + (0xFFF * rms._ratio >> 12) < 1 << 30
        for code in (0, 1, 4095, 4096, 0x7FFFFF, 0x800000, 9_032_007, 0xFFFFFF):
            rms.take(code)
            true = code * full_scale // 9_032_007
            assert abs(rms.take(code) - true) <= 1 + true * 4 // 1_000_000


def test_one_spoilt_rms_reading_shows_nowhere():
    for a, b, c in ((1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1), (2, 2, 9), (0, 2, 2)):
        assert middle(a, b, c) == 2


def test_period_reactive_and_rms_follow_the_line():
    b = running(amps=10, cycles=20)
    assert b.element.period_raw == 3728  # 60 Hz, DS p.36
    b.drive(amps=10, cosine=0.5, sine=0.866)
    b.run(5)
    assert abs(b.element.reactive * 500 - b.element.active * 866) < b.element.active * 5


def test_poll_takes_nine_frames():
    b = running()
    before = b.spi.frames
    b.run(70)
    assert b.spi.frames - before <= 9 * 70 + 4  # and sometimes the overflow flag


# Readings that are not to be believed


def spoil(rig, address, change):
    """From now on the answer for `address` goes through `change(rx)`."""

    def meddle(tx, rx):
        if tx[0] << 8 | tx[1] == address:
            change(rx)

    rig.spi.meddle = meddle


def all_ones(rx):
    for n in range(len(rx)):
        rx[n] = 0xFF


def test_field_bug_17_all_ones_book_nothing_and_lose_nothing():
    b = running()
    before = b.line.total
    for address in (reg.AENERGYA, None):
        spoil(b, address, all_ones)
        if address is None:
            b.spi.meddle = lambda _tx, rx: all_ones(rx)
        b.run(5)
        assert b.line.total == before
        assert not b.element.fresh
    b.spi.meddle = None
    b.run(1)
    assert b.line.total > before
    assert b.error() == 0


@pytest.mark.parametrize("kind", ["stuck_ones", "stuck_zeros", "drop_cs", "silent"])
@pytest.mark.parametrize("amps", [5, 100])
def test_DX_6_a_dead_bus_is_FAIL_01_after_a_second_and_comes_back_by_itself(kind, amps):
    b = running(amps)
    before = b.line.total
    b.chip.fault(kind, {"rate": 1.0})
    b.run(9)
    assert not b.element.silent
    b.run(1)
    assert b.element.silent
    b.run(300)
    assert b.line.total == before
    b.chip.unfault(kind)
    b.run(4)
    assert not b.element.silent
    assert b.log.codes() == [event_codes.CHIP_SILENT, event_codes.CHIP_BACK]
    assert b.error() == 0


def test_field_bug_30_a_silent_chip_is_told_across_the_tick_wrap():
    """The second without an answer has the wrap of the ticks in it."""
    b = running(cycles=5)
    b.clock.sleep((1 << 30) - 550_000 - module.ticks_us())
    b.run(1)
    b.chip.fault("silent")
    b.run(9)
    assert not b.element.silent
    b.run(1)
    assert b.element.silent
    assert module.ticks_us() < 1_000_000


def test_shifted_frames_book_nothing():
    """Field bug 7, in operation."""
    b = running()
    before = b.line.total
    b.bus.clock_mode(0, 1)
    b.run(20)
    assert b.line.total == before
    b.bus.clock_mode(1, 1)
    b.run(4)
    assert b.error() == 0


@pytest.mark.parametrize("seconds", [45, 58, 120])
def test_a_long_silence_is_booked_where_it_is_unambiguous(seconds):
    """Up to 38 s at full scale, 60 s within the ratings, any time while the register did not go over its end."""
    b = running(amps=10 if seconds > 60 else 110)
    b.chip.fault("silent")
    b.run(seconds, 1_000_000)
    b.chip.unfault("silent")
    b.run(10)
    assert b.error() == 0


def test_a_silence_that_cannot_be_resolved_is_dropped_and_logged():
    b = running(amps=110)
    b.chip.fault("silent")
    before = b.line.total
    b.run(100, 1_000_000)
    b.chip.unfault("silent")
    b.run(1)
    assert b.line.total == before
    assert (event_codes.READING_REJECTED, 1) in [e[:2] for e in b.log.events]
    assert abs(b.element.gap_ms - 100_100) < 200
    b.settle()
    b.drive(amps=20)
    b.run(10)
    assert b.error() == 0


def test_field_bug_18_19_a_jump_of_the_counter_is_neither_wrap_nor_energy():
    """Verified, but beyond full scale: never booked; where the counter stays there, counting goes on from it."""
    b = running(amps=50)
    before = b.line.total
    real = b.driver.read_energy

    def jumped():
        value = real()
        return (value + 5_000_000) & 0xFFFFFF if value >= 0 else value

    b.driver.read_energy = jumped
    b.run(2)
    assert b.line.total == before
    assert b.element.rejected == 2
    b.run(2)
    assert b.line.total - before < RATE_100A
    b.run(10)
    assert b.line.total - before < RATE_100A * 6
    assert [e[:2] for e in b.log.events] == [(event_codes.READING_REJECTED, 1)]


def test_field_bug_21_no_reading_is_replaced_by_zero():
    b = running(amps=50)
    raw = b.line.raw
    b.chip.fault("stuck_zeros")
    b.run(3)
    assert b.line.raw == raw
    b.chip.unfault("stuck_zeros")
    b.run(3)
    assert b.error() == 0


@pytest.mark.parametrize("rate", [1e-6, 1e-5, 1e-4, 1e-3])
def test_EN_2_bit_errors_change_no_count(rate):
    b = running(amps=90, seed=7)
    b.chip.fault("bit_error", {"rate": rate})
    b.run(1000)
    b.chip.unfault("bit_error")
    b.run(3)
    assert b.error() == 0
    assert b.element.resets == 0
    assert (b.element.spoilt > 0) == (rate > 2e-6)


@pytest.mark.parametrize("seed", [0, 15, 26, 27])
def test_EN_2_zeros_of_frames_that_go_astray_prove_nothing(seed):
    """At one bit in a hundred: zeros and the address of an earlier frame were taken for a reading, for a reset chip or
    for an altered register, and counts were dropped for it."""
    b = running(amps=50, seed=seed)
    b.chip.fault("bit_error", {"rate": 1e-2})
    b.run(600)
    b.chip.unfault("bit_error")
    b.run(3)
    assert abs(b.error()) < 20  # 0.4 ms of counts, where the counter was taken down meanwhile
    assert (b.element.resets, b.element.repairs) == (0, 0)


def test_EN_2_the_same_bit_spoilt_in_both_answers_is_not_booked():
    """On a bus that spoils frames a reading and what the chip says it answered can be spoilt alike (chaos 1533)."""
    b = running(amps=50)
    energy = []

    def meddle(tx, rx):
        address = tx[0] << 8 | tx[1]
        if address == reg.AENERGYA:
            energy.append(b.clock.now_us)
            if len(energy) == 20:
                rx[3] ^= 0x40  # one that is seen
            spoil = len(energy) == 30
        else:
            spoil = address == reg.AENERGYA & 0x300 | reg.LAST_RWDATA_8 and len(energy) == 30
        if spoil:
            rx[4] ^= 0x40  # 16,384 counts, within what full scale can bring

    b.spi.meddle = meddle
    while len(energy) < 60:
        b.run(1)
        assert abs(b.line.error()) < RATE_100A  # what is under way
        assert b.element.active >= 0
    assert b.error() == 0


def test_bit_errors_of_one_in_a_hundred_are_bounded_shown_and_over_when_they_stop():
    b = running(amps=50, seed=2)
    b.chip.fault("bit_error", {"rate": 1e-2})
    shown = 0
    for _ in range(1000):
        b.run(1)
        shown += b.element.silent
        assert abs(b.element.active) < 220 * 20_000
    assert shown
    b.chip.unfault("bit_error")
    b.run(30)
    assert not b.element.silent
    assert not b.element.altered
    assert -b.element.gap_ms * 60 - 20 <= b.error() <= 0
    b.settle()
    b.drive(amps=50)
    b.run(100)
    assert b.error() == 0


def test_EN_2_a_configuration_that_reads_0_is_put_right():
    b = running(amps=100)
    wanted = b.chip.regs[reg.CONFIG]
    b.chip.poke(reg.CONFIG, 0)
    b.run(5)
    assert b.chip.regs[reg.CONFIG] == wanted and b.element.fresh
