"""A front end that was reset, altered, calibrated or left alone by the RP2040, and its sag (EN-2, DX-6).

`error` is counts booked less the simulated chip's own total; 0 unless the chip was reset or altered.
"""

import random

import pytest

from host_tests.metrology.element_rig import RATE_100A, running
from host_tests.mp.front_end import Ade7953, Calibration, Element, element_module, recovery
from openkh import event_codes
from openkh.drivers import ade7953_registers as reg

# Chip resets and altered registers


def test_field_bug_18_22_a_reset_of_the_chip_at_any_moment_costs_less_than_300_ms():
    """Not taken for a wrap (up to 2^24 counts); the chip gets its gains again, and the other chip is untouched."""
    for at_ms in range(1, 100, 9):
        b = running(amps=100, chips=2)
        for line in b.lines:
            line.first = line.chip.counted_total() - line.total
        b.clock.sleep(at_ms * 1000)
        b.chip.fault("reset")
        b.run(9)
        assert b.chip.regs[reg.AWGAIN] == 4_234_704
        assert b.log.codes() == [event_codes.CHIP_RESET]
        assert b.element.resets == 1
        assert b.log.events[0][2] == b.element.gap_ms < 300
        lost = -b.line.error()
        dead = b.chip.gap_us() // 1000 * RATE_100A // 100
        assert lost > 0
        assert lost + dead < 3 * RATE_100A
        total = b.line.total
        b.run(10)
        assert abs(b.line.total - total - 10 * RATE_100A) < 10
        assert b.lines[1].element.gap_ms == 0


def test_resets_at_random_under_load_in_both_directions():
    b = running(amps=100)
    rng = random.Random(3)
    for n in range(40):
        b.drive(amps=100, cosine=rng.choice((1, -1)))
        b.run(rng.randrange(1, 20), rng.randrange(90_000, 110_000))
        b.chip.fault("reset")
        b.run(6)
        assert not b.element.silent
        assert b.element.resets == n + 1
        assert b.element.gap_ms <= 300 * (n + 1)


def test_a_chip_that_loses_its_supply_comes_back():
    b = running()
    b.chip.power(False)
    b.run(15)
    assert b.element.silent
    b.chip.power(True)
    b.run(6)
    assert not b.element.silent
    assert b.log.codes() == [event_codes.CHIP_SILENT, event_codes.CHIP_RESET, event_codes.CHIP_BACK]
    assert b.chip.regs[reg.AWGAIN] == 4_234_704
    b.settle()
    b.run(10)
    assert b.error() == 0


COVERED = reg.COVERED + (reg.CONFIG, reg.WRITE_PROTECT)


@pytest.mark.parametrize("address", COVERED, ids=hex)
def test_each_register_of_the_checksum_altered_in_turn(address):
    """Counts since the last match are dropped, the register is mended in the cycle that sees it, the gap logged."""
    b = running(amps=100)
    before = b.chip.regs[address]
    total = b.line.total
    b.clock.sleep(50_000)
    b.chip.poke(address, before ^ 0x01)
    b.run(1)
    assert b.chip.regs[address] == before
    assert b.chip.regs[reg.WRITE_PROTECT] == 7
    assert b.line.total == total
    assert b.log.events == [(event_codes.CHIP_REPAIRED, 1, address)]
    assert b.element.repairs == 1
    assert b.element.gap_ms <= 105
    b.run(10)
    assert abs(b.line.total - total - 10 * RATE_100A) < 300  # 3 ms
    assert b.element.fresh


@pytest.mark.parametrize("address", reg.UNCOVERED, ids=hex)
def test_each_register_outside_the_checksum_is_mended_within_a_second(address):
    b = running(amps=100)
    before = b.chip.regs[address]
    b.chip.poke(address, before ^ 0x01)
    b.run(10)
    assert b.chip.regs[address] == before
    assert b.chip.regs[reg.WRITE_PROTECT] == 7
    assert b.log.events == [(event_codes.CHIP_REPAIRED, 1, address)]
    assert b.error() == 0


@pytest.mark.parametrize("address", [0x285, 0x287, 0x293])
def test_an_altered_reserved_register_takes_a_reset_of_the_chip(address):
    b = running(amps=100)
    b.chip.poke(address, 0x55)
    b.run(5)
    assert b.chip.regs[address] == 0
    assert b.element.fresh
    assert b.element.gap_ms <= 300
    assert not b.element.altered


@pytest.mark.parametrize("address", [reg.AWGAIN, reg.SAGCYC])
def test_DX_6_a_register_that_cannot_be_restored_is_FAIL_02_until_it_can(address):
    b = running()
    plain = b.chip._set

    def sticky(to, value):
        plain(to, 0x333333 & (0xFFFFFF if to > 0x200 else 0xFF) if to == address else value)

    b.chip._set = sticky
    b.chip.poke(address, 0)
    b.run(30)
    assert b.element.altered
    assert not b.element.silent
    assert b.log.codes().count(event_codes.CHIP_ALTERED) == 1
    b.chip._set = plain
    b.run(20)
    assert not b.element.altered
    assert b.element.fresh
    b.settle()
    b.run(5)
    assert b.error() == 0


def test_DX_6_resets_again_and_again_are_no_FAIL_02_a_register_altered_again_and_again_is():
    b = running()
    for _ in range(3 * recovery.RESTORE_TRIES):
        b.chip.fault("reset")
        b.run(4)
        assert not b.element.altered
    for n in range(recovery.RESTORE_TRIES):
        assert not b.element.altered, n
        b.chip.poke(reg.AWGAIN, 0)
        b.run(1)
    assert b.element.altered and b.log.codes().count(event_codes.CHIP_ALTERED) == 1
    b.run(20)
    assert not b.element.altered


@pytest.mark.parametrize("address", [reg.AWGAIN, reg.SAGCYC])  # SAGCYC is at address 0
def test_DX_6_a_register_that_does_not_take_its_value_after_a_reset_is_FAIL_02(address):
    b = running()
    plain = b.chip._set
    b.chip._set = lambda to, value: plain(to, value ^ 1 if to == address else value)
    pulses, pulse = [], b.driver.pulse_reset
    b.driver.pulse_reset = lambda: pulses.append(pulse())
    b.chip.fault("reset")
    b.run(30)
    assert b.element.altered and b.log.codes().count(event_codes.CHIP_ALTERED) == 1
    assert pulses  # it was reset to be set up anew
    b.chip._set = plain
    b.run(20)
    assert not b.element.altered and b.element.fresh


def test_DX_6_FAIL_02_waits_for_the_fourth_try_to_restore():
    """One that succeeds before is no failure of the meter."""
    b = running()
    plain = b.chip._set
    b.chip._set = lambda to, value: plain(to, 0x333333 if to == reg.AWGAIN else value)
    b.chip.poke(reg.AWGAIN, 0)
    b.run(recovery.RESTORE_TRIES - 2)
    assert not b.element.altered
    b.chip._set = plain
    b.run(2)
    assert event_codes.CHIP_ALTERED not in b.log.codes() and b.chip.regs[reg.AWGAIN] == 4_234_704


@pytest.mark.parametrize("address", [reg.IRQSTATA, reg.CONFIG])
def test_EN_2_a_chip_of_which_flags_or_configuration_cannot_be_read_is_not_taken_for_reset(address):
    b = running()
    read_sure = b.driver.read_sure
    b.driver.read_sure = lambda asked: -1 if asked == address else read_sure(asked)
    b.chip.poke(reg.AWGAIN, 0)
    b.run(3)
    assert b.element.resets == 0 and b.log.codes() == []
    b.driver.read_sure = read_sure
    b.run(3)
    assert b.log.codes() == [event_codes.CHIP_REPAIRED] and b.element.fresh


def test_field_bug_8_a_neighbour_that_loses_its_lock_silences_nobody_for_long():
    b = running(chips=2, shared=True)
    b.lines[1].chip.fault("reset")
    b.run(5)
    assert [line.element.fresh for line in b.lines] == [True, True]
    assert b.line.element.gap_ms == 0
    for line in b.lines:
        line.chip.fault("reset")  # both unlocked: each holds MISO against the other
    b.run(6)
    assert [line.element.fresh for line in b.lines] == [True, True]
    assert [line.chip.locked() for line in b.lines] == [True, True]


# Restart of the RP2040, interrupted cycles, calibration


def restart(rig, raw, fed=False):
    """The RP2040 alone restarts: new objects, the chip goes on."""
    line = rig.line
    line.driver = rig.driver = Ade7953(rig.spi, line.driver._cs, rig.irq, line.driver._reset)
    line.element = rig.element = Element(rig.driver, rig.model, 0, rig.log)
    line.element.calibrate(Calibration())
    line.element.start(raw, fed)
    line.raw = raw


@pytest.mark.parametrize("seconds", [0.5, 8, 30])
def test_EN_2_a_restart_of_the_RP2040_alone_loses_no_count(seconds):
    b = running(amps=100)
    b.clock.sleep(int(seconds * 1_000_000))
    restart(b, b.line.raw)
    b.run(20)
    assert b.element.gap_ms == 0
    assert b.log.events == []
    assert b.error() == 0


@pytest.mark.parametrize("seconds", [0.3, 5, 60])
@pytest.mark.parametrize("taken_down", [False, True])
def test_EN_2_a_front_end_that_is_silent_as_the_RP2040_restarts_goes_on(seconds, taken_down):
    """It is not reset: what it holds of its counter's base, of notes and of flags stays, and all that it has counted is
    booked."""
    b = running(amps=100, cycles=260 if taken_down else 15)
    b.driver.note(reg.LINECYC, 0x1234, reg.ZXTOUT, 0x5678)
    assert (b.driver.base > 0) == taken_down
    b.chip.fault("silent")
    restart(b, b.line.raw, True)
    b.run(int(seconds * 10))
    assert b.element.silent == (seconds >= 1)
    b.chip.unfault("silent")
    b.run(40)
    assert b.element.gap_ms == b.element.repairs == b.element.resets == 0
    assert b.driver.read(reg.LINECYC) == 0x1234 and b.driver.read(reg.ZXTOUT) == 0x5678
    assert not b.element.silent and b.driver.learnt
    assert b.error() == 0


def test_EN_2_readings_beyond_full_scale_that_do_not_agree_are_no_jump_of_the_counter():
    b = running()
    for raw in (0x100000, 0x600000, 0x200000, 0x700000, 0x300000):
        b.element._reject(raw, 0x400000)
    assert b.element.rejected == 5 and not b.element.rebased and b.log.events == []
    for raw in (0x300100, 0x300200):
        b.element._reject(raw, 0x400000)
    assert b.element.rebased and b.log.codes() == [event_codes.READING_REJECTED]


def test_CA_1_what_the_chip_holds_is_found_unless_it_was_reset():
    b = running()
    held = Calibration(wgain=4_300_000, phcal=0x205, wattos=-700, vgain=0x410000, igain=0x3F0000)
    assert b.element.apply(held)
    found = Calibration()
    assert b.element.found(found) and vars(found) == vars(held)
    b.chip.fault("reset")
    b.clock.sleep(200_000)
    assert not b.element.found(Calibration())
    b.chip.fault("silent")
    assert not b.element.found(Calibration())


@pytest.mark.parametrize("way", [1, -1])
def test_EN_2_a_counter_that_went_over_its_end_in_a_restart_is_believed_up_to_a_bound(way):
    """The overflow flag is clear, because it was cleared between the record and the restart."""
    b = running()
    element, end, most = b.element, 0x800000, element_module.RESUMED_MOST

    def booked(before, after, resumed):
        b.driver.base = 0
        b.driver.read_sure = lambda _address: 0
        element._resumed = resumed
        element._reading = end + way * after & 0xFFFFFF
        last = end - way * before & 0xFFFFFF
        counts = (element._reading - last + 0x800000 & 0xFFFFFF) - 0x800000
        return element._long_counts(last, counts, 60_000)

    assert booked(100, 200, True) == way * 300
    assert booked(100, most - 100, True) == way * most
    assert abs(booked(100, most, True)) == 0x1000000 - most - 100
    assert abs(booked(100, 200, False)) == 0x1000000 - 300


@pytest.mark.parametrize("harm", ["reset", "register"])
def test_EN_2_a_front_end_harmed_while_silent_in_a_restart_is_set_up_anew_and_told(harm):
    b = running(amps=100)
    b.chip.fault("silent")
    restart(b, b.line.raw, True)
    b.run(5)
    b.chip.unfault("silent")
    b.chip.fault(harm, {"address": reg.AWGAIN, "value": 5_000_000})
    before = b.line.total
    b.run(10)
    assert b.line.total - before < 11 * RATE_100A
    assert b.log.codes() == [event_codes.CHIP_RESET if harm == "reset" else event_codes.CHIP_REPAIRED]


@pytest.mark.parametrize("raw", [0x7FFFF0, 3_000, 0xFFF000])
def test_after_a_power_cut_the_counter_starts_anew(raw):
    """The old raw value is worthless then: field bug 18, and field bug 20."""
    b = running(amps=100)
    b.chip.power(False)
    b.clock.sleep(1_000_000)
    b.chip.power(True)
    b.clock.sleep(70_000)
    total = b.line.total
    restart(b, raw)
    b.cycle(b.line)
    assert abs(b.line.total - total) < 200
    b.run(10)
    assert 0 < b.line.total - total < 12 * RATE_100A


def test_an_interrupted_cycle_changes_nothing():
    """What a cycle did not store comes again (field bug 10), also across a reset of the chip."""
    b = running(amps=100)
    for spoilt in range(6):
        b.poll()
        assert b.element.fresh
        if spoilt == 2:
            b.run(2)
    b.run(2)
    assert b.error() == 0
    b.drive(amps=100)
    b.run(3)
    b.chip.fault("reset")
    gap = b.element.gap_ms
    while b.element.gap_ms == gap:
        b.poll()
    assert b.element.rebased
    total = b.line.total
    b.run(10)
    assert abs(b.line.total - total - 10 * RATE_100A) < 300  # 3 ms


def test_CA_1_calibration_changes_while_the_chip_counts():
    b = running(amps=100)
    cal = Calibration(wgain=4_300_000, phcal=0x205, wattos=-700, vgain=0x410000, igain=0x3F0000)
    for _ in range(5):
        assert b.element.apply(cal)
        assert b.chip.regs[reg.AWGAIN] == 4_300_000
        assert b.chip.regs[reg.AVGAIN] == 0x410000
        assert b.chip.regs[reg.PHCALA] == 0x205
        assert b.chip.regs[reg.AWATTOS] == 0x1000000 - 700
        assert b.chip.regs[reg.WRITE_PROTECT] == 7
        b.run(5)
        assert b.element.fresh
        assert b.element.apply(Calibration())
        b.run(5)
    assert b.log.events == []
    assert b.error() == 0
    b.chip.fault("reset")
    b.run(5)
    assert b.chip.regs[reg.AWGAIN] == 4_234_704


# Sag


@pytest.mark.parametrize("volts", [0, 60, 85])
def test_sag_of_line_1_is_told_at_once_and_ends_with_it(volts):
    b = running()
    assert not b.element.sag
    b.drive(volts=volts, amps=0)
    b.clock.sleep(30_000)
    assert not b.driver.irq()  # its pin calls the cycle
    b.cycle(b.line)
    assert b.element.sag
    b.run(20)
    assert b.element.sag
    b.drive()
    b.run(20)
    assert not b.element.sag
    assert b.driver.irq()


def test_no_sag_at_the_lowest_supply():
    b = running()
    b.drive(volts=108 * 0.9)
    b.run(30)
    assert not b.element.sag
    assert b.driver.irq()
