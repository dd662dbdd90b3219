"""The ADE7953 driver against the simulated chip: frames, bring-up, integrity; field bugs of the chip and its bus."""

import pytest

from boards.virtual.ade7953.registers import NARROW, WIDE
from host_tests.mp.front_end import Ade7953, Calibration, FrontEndError, FrontEndRig, Wire, ade7953_link, lock_all
from openkh.drivers import ade7953_registers as reg

WIDTH = {0: 4, 1: 5, 2: 6, 3: 7}  # bytes of a frame by the address's width digit


def watch(rig):
    """Every frame from now on: (address, reading, sent bytes)."""
    frames = []

    def note(tx, _rx):
        frames.append((tx[0] << 8 | tx[1], bool(tx[2] & 0x80), bytes(tx)))

    rig.spi.meddle = note
    return frames


def test_the_registers_and_what_they_are_after_a_reset_are_those_of_the_data_sheet():
    sheet = {**NARROW, **WIDE}
    addresses = reg.COVERED + reg.UNCOVERED
    assert len(set(addresses)) == len(addresses)
    after_reset = dict(zip(addresses, reg.COVERED_RESET + reg.UNCOVERED_RESET, strict=True))
    assert after_reset == {address: sheet[address][0] for address in addresses}
    assert (reg.SAGCYC, reg.DISNOLOAD, reg.EX_REF, reg.WRITE_PROTECT, reg.CONFIG) == (0x000, 0x001, 0x800, 0x040, 0x102)


def test_bring_up_leaves_every_register_as_wanted(rig):
    """Field bugs 2 and 6: what the chip holds, not what the bus was given."""
    rig.driver.bring_up()
    regs = rig.chip.regs
    wanted = {
        **dict(zip(reg.COVERED, reg.COVERED_RESET)),
        **dict(zip(reg.UNCOVERED, reg.UNCOVERED_RESET)),
        reg.LCYCMODE: 0,
        reg.CONFIG: 0x0104,
        reg.WRITE_PROTECT: 7,
        reg.OPTIMUM: 0x0030,
        reg.DISNOLOAD: 6,
        reg.AP_NOLOAD: 51_500,
        reg.SAGCYC: 1,
        reg.SAGLVL: 2_925_000,  # 75 % of 120/200 of 6,500,000
        reg.AWGAIN: 4_234_704,
        reg.AVARGAIN: 4_234_704,
        reg.AVAGAIN: 4_234_704,
        reg.IRQENA: reg.IRQ_RESET | reg.IRQ_SAG,
    }
    assert {hex(a): regs[a] for a in wanted} == {hex(a): v for a, v in wanted.items()}
    assert rig.driver.unaltered()


@pytest.mark.parametrize("since_us", [0, 4_000, 11_999, 12_000, 500_000, 600_000_000])
def test_a_fingerprint_is_not_learnt_before_12_ms_after_the_last_write(rig, since_us):
    """Not after hours either, when the time of the last write says nothing any more."""
    rig.driver.bring_up()
    rig.driver.forget()
    rig.driver.write(reg.AP_NOLOAD, 51_500)
    written_us = rig.clock.now_us
    rig.clock.sleep(since_us)
    asked_us = rig.clock.now_us
    seen_us = []
    rig.spi.meddle = lambda tx, _rx: seen_us.append(rig.clock.now_us) if tx[0] == reg.CRC >> 8 else None
    assert rig.driver.learn()
    assert seen_us[0] >= written_us + 12_000 and rig.clock.now_us - asked_us < 14_000


def test_field_bug_1_no_32_bit_address_but_the_checksum(rig):
    frames = watch(rig)
    rig.start()
    rig.drive()
    rig.chip.fault("reset")
    rig.run(20)
    assert frames
    for address, _reading, sent in frames:
        assert len(sent) == WIDTH[address >> 8 & 3]
        assert address >> 8 != 3 or address == reg.CRC


def test_field_bug_2_interface_is_locked_with_the_bit_at_zero(rig):
    assert not rig.chip.locked()
    rig.driver.lock()
    assert rig.chip.locked()
    rig.driver.bring_up()
    assert rig.chip.locked()
    assert not rig.chip.regs[reg.CONFIG] & reg.COMM_LOCK


@pytest.mark.parametrize("answer", [0x00, 0x40, 0x80, 0xFF])
def test_field_bug_3_a_constant_answer_is_no_chip(rig, answer):
    """The probe is what only a chip fresh from reset answers, not one register's default found at another's address."""

    def constant(_tx, rx):
        for n in range(len(rx)):
            rx[n] = answer

    rig.spi.meddle = constant
    with pytest.raises(FrontEndError) as caught:
        rig.driver.bring_up()
    assert caught.value.address == reg.AP_NOLOAD
    assert "0x203: expected 0xE419" in str(caught.value)
    assert not rig.driver.running()


def test_field_bug_4_rms_above_half_of_its_range_is_not_negative():
    b = FrontEndRig()
    b.start()
    b.drive(volts=199.0, amps=117.0)
    b.run(20)
    assert b.chip.regs is not None
    assert b.driver.read(reg.VRMS) > 0x7FFFFF
    assert abs(b.element.v_mv - 199_000) < 200
    assert abs(b.element.i_ma - 117_000) < 200


def test_field_bug_5_sign_is_extended(rig):
    """10 A at 120 V are 1067 counts in a cycle, in either direction."""
    rig.start()
    rig.drive(cosine=-1.0)
    rig.run(5)
    assert abs(rig.element.active + 1067) < 3
    rig.drive(cosine=0.0, sine=-1.0)
    rig.run(5)
    assert abs(rig.element.reactive + 1067) < 3


def test_field_bug_6_a_write_that_does_not_land_is_noticed(rig):
    """The bus reports success always: stray bytes ahead of a write, or one that is lost, show in the read-back."""
    exchange = rig.chip.exchange

    def stray(tx, rx):
        if tx[0] << 8 | tx[1] == reg.AWGAIN and not tx[2] & 0x80:
            tx = bytes([0, 0, 0]) + bytes(tx[:3])
        exchange(tx, rx)

    rig.chip.exchange = stray
    with pytest.raises(FrontEndError) as caught:
        rig.driver.bring_up()
    assert caught.value.address == reg.AWGAIN
    assert (caught.value.expected, caught.value.found) == (4_234_704, 0x400000)


def test_field_bug_7_wrong_clock_phase_is_refused_and_named(rig):
    rig.bus.clock_mode(0, 1)
    assert rig.driver.read(reg.CONFIG) == 0x4002
    with pytest.raises(FrontEndError, match="shifted by one bit: SPI clock phase"):
        rig.driver.bring_up()


def test_field_bug_8_two_chips_on_one_bus_are_locked_before_either_is_asked():
    b = FrontEndRig(chips=2, shared=True)
    first, second = (line.driver for line in b.lines)
    b.clock.sleep(100_000)
    assert first.read(reg.AP_NOLOAD) == 0xFFFFFF  # the other one, unlocked, holds MISO high
    lock_all((first, second))
    assert first.read(reg.AP_NOLOAD) == 0xE419
    assert second.read(reg.AP_NOLOAD) == 0xE419


def test_field_bug_8_two_chips_that_have_just_got_their_supply_are_waited_for():
    b = FrontEndRig(chips=2, shared=True)
    lock_all(tuple(line.driver for line in b.lines))
    assert [line.chip.locked() for line in b.lines] == [True, True]


@pytest.mark.parametrize("powered", [True, False])
def test_field_bug_9_no_endless_wait_for_the_reset_flag(rig, powered):
    rig.chip.power(powered)
    rig.driver.irq = Wire(1)  # never tells
    began = rig.clock.now_us
    if powered:
        rig.driver.bring_up()
    else:
        with pytest.raises(FrontEndError):
            rig.driver.bring_up()
    assert rig.clock.now_us - began < 200_000


def test_field_bug_10_reading_does_not_clear(rig):
    rig.driver.bring_up()
    rig.drive(amps=100)
    rig.clock.sleep(1_000_000)
    rig.drive(amps=0)
    first = rig.driver.read(reg.AENERGYA)
    assert first > 10_000
    assert rig.driver.read(reg.AENERGYA) == first


@pytest.mark.parametrize(("sine", "sign"), [(0.866, 1), (-0.866, -1)])
def test_field_bug_12_power_factor_and_reactive_keep_their_signs(rig, sine, sign):
    """Lagging positive, leading negative (DS p.38)."""
    rig.start()
    rig.drive(cosine=0.5, sine=sine)
    rig.run(5)
    assert ((rig.driver.read(reg.PFA) ^ 0x8000) - 0x8000) * sign > 0
    assert rig.element.reactive * sign > 0
    assert rig.element.active > 0


def test_optimum_setting_directly_after_its_key(rig):
    frames = watch(rig)
    rig.driver.bring_up()
    keys = [n for n, (address, reading, _) in enumerate(frames) if address == reg.UNLOCK and not reading]
    assert keys
    for n in keys:
        assert frames[n + 1][0] == reg.OPTIMUM
        assert not frames[n + 1][1]


def test_current_and_voltage_gain_are_written_before_the_watt_gain():
    b = FrontEndRig()
    b.element.calibrate(Calibration(vgain=0x410000, igain=0x3F0000))
    frames = watch(b)
    b.driver.bring_up()
    written = [address for address, reading, _ in frames if not reading]
    assert max(written.index(reg.AVGAIN), written.index(reg.AIGAIN)) < written.index(reg.AWGAIN)


def test_no_load_level_changes_only_while_no_load_is_off(rig):
    frames = watch(rig)
    rig.driver.bring_up()
    off = 0
    for address, reading, sent in frames:
        if not reading and address == reg.DISNOLOAD:
            off = sent[3]
        if not reading and address in (reg.AP_NOLOAD, reg.VAR_NOLOAD, reg.VA_NOLOAD):
            assert off == 7
    assert off == 6


def test_a_read_that_becomes_a_write_changes_nothing(rig):
    """WRITE_PROTECT stays 7 while the chip runs."""
    rig.driver.bring_up()
    before = dict(rig.chip.regs)
    for address in reg.COVERED + reg.UNCOVERED + (reg.CONFIG,):
        rig.driver.write(address, 0)
    assert rig.chip.regs == before
    assert rig.driver.unaltered()


def test_verification_wants_address_operation_and_data(rig):
    rig.driver.bring_up()
    for spoil in (reg.LAST_ADD, reg.LAST_OP, 0x2FF, reg.AP_NOLOAD):

        def flip(tx, rx, spoil=spoil):
            if tx[0] << 8 | tx[1] == spoil:
                rx[len(rx) - 1] ^= 1

        rig.spi.meddle = flip
        assert rig.driver.read_verified(reg.AP_NOLOAD) == -1
        rig.spi.meddle = None
        assert rig.driver.read_verified(reg.AP_NOLOAD) == 51_500


@pytest.mark.parametrize("spoilt", [0, 1, 2])
def test_DX_6_a_register_is_altered_only_where_two_readings_agree(rig, spoilt):
    """One that reads wrong once, whatever it reads, is read again."""
    rig.driver.bring_up()
    readings = [spoilt, 51_500]
    rig.driver.again = lambda _address: readings.pop(0)
    assert rig.driver._look_again(reg.AP_NOLOAD, 51_500, 0xFFFFFF) == ade7953_link.AS_WANTED
    readings[:] = [spoilt, spoilt]
    assert rig.driver._look_again(reg.AP_NOLOAD, 51_500, 0xFFFFFF) == reg.AP_NOLOAD


def test_only_a_chip_that_was_not_set_up_since_its_reset_is_reset_ahead_of_bring_up(rig):
    pulses, pulse = [], rig.driver.pulse_reset
    rig.driver.pulse_reset = lambda: pulses.append(pulse())
    rig.driver.begin()
    assert len(pulses) == 1
    rig.driver.bring_up()
    before = len(pulses)
    rig.driver.begin()
    rig.chip.fault("silent")
    rig.driver.begin()
    assert len(pulses) == before


@pytest.mark.parametrize("base", [0, 0x123456])
def test_EN_2_the_counter_is_taken_down_where_it_is_far_and_for_reactive_energy_where_it_is_not_near_0(rig, base):
    """Near 0 nobody could tell whether it was zeroed."""
    rig.driver.base = base
    far, near = 0x200000, 0x20000
    for held, reactive, wanted in (
        (far, 0, True),
        (-far, 0, True),
        (far - 1, 0, False),
        (1 - far, 0, False),
        (0, far, False),
        (near - 1, far, False),
        (1 - near, -far, False),
        (near, far, True),
        (-near, -far, True),
        (near, far - 1, False),
    ):
        assert rig.driver.high(held + base & 0xFFFFFF, reactive & 0xFFFFFF) == wanted, (held, reactive)


def test_a_running_chip_is_recognised_and_a_reset_or_altered_one_is_not(rig):
    rig.driver.bring_up()
    again = Ade7953(rig.spi, rig.driver._cs, rig.irq, Wire(1))
    again._covered = rig.driver._covered
    again._uncovered = rig.driver._uncovered
    assert again.running()
    for address in (reg.AP_NOLOAD, reg.AWGAIN, reg.BVAOS, reg.OPTIMUM, reg.SAGCYC):
        before = rig.chip.regs[address]
        rig.chip.poke(address, before ^ 2)
        assert not again.running(), hex(address)
        rig.chip.poke(address, before)
    assert again.running()
    rig.chip.fault("reset")
    rig.clock.sleep(100_000)
    assert not again.running()


def test_checksum_is_compared_and_believed_only_when_it_repeats(rig):
    driver = rig.driver
    driver.bring_up()
    assert driver.unaltered()
    assert not driver.proven_altered()
    rig.chip.poke(reg.AWGAIN, 0x400000)
    rig.clock.sleep(1000)
    assert not driver.unaltered()
    assert driver.proven_altered()
    rig.chip.poke(reg.AWGAIN, 4_234_704)
    rig.clock.sleep(1000)
    turn = []

    def differently_spoilt(tx, rx):
        if len(tx) == 7:
            turn.append(1)
            rx[6] ^= len(turn) & 0xFF

    rig.spi.meddle = differently_spoilt
    assert not driver.unaltered()
    assert not driver.proven_altered()


def test_audit_mends_each_altered_register_in_place(rig):
    driver = rig.driver
    driver.bring_up()
    for address in reg.COVERED + reg.UNCOVERED + (reg.CONFIG, reg.WRITE_PROTECT):
        before = rig.chip.regs[address]
        rig.chip.poke(address, before ^ 1)
        assert driver.audit(True)
        assert driver.altered >= 0, hex(address)
        assert driver.failed == -1
        assert rig.chip.regs[address] == before, hex(address)
        assert rig.chip.regs[reg.WRITE_PROTECT] == 7
    rig.clock.sleep(1000)
    assert driver.unaltered()


STUCK = {"gain": (reg.AWGAIN, 0x123456), "sag level": (reg.SAGLVL, 1), "configuration": (reg.CONFIG, 0x0004)}


@pytest.mark.parametrize("what", STUCK)
def test_DX_6_a_chip_whose_registers_do_not_read_back_is_not_up(rig, what):
    """A register that keeps another value, from any moment of the bring-up until it is read for the last time: refused;
    and the line's front end does not count as up."""
    address, value = STUCK[what]
    frames = watch(rig)
    rig.driver.bring_up()
    last = max(n for n, (asked, reading, _) in enumerate(frames) if asked == address and reading)
    for since in range(20, last, last // 12):
        seen = 0

        def keep(_tx, _rx, since=since):
            nonlocal seen
            seen += 1
            if seen > since:
                rig.chip.poke(address, value)

        rig.spi.meddle = keep
        with pytest.raises(FrontEndError):
            rig.driver.bring_up()
        assert not rig.driver.as_wanted()
    rig.element.start(-1)
    assert not rig.driver.running() and rig.element.spoilt
