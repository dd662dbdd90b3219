"""The simulated ADE7953's pins: SPI frames, interface lock, MISO, reset, start-up, faults (DS p.6, 18, 51-52)."""

import pytest

from host_tests.mp.chip_rig import AENERGY, IRQSTATA, RSTIRQSTATA, Rig

CONFIG, AP_NOLOAD, LAST_ADD = 0x102, 0x303, 0x1FE


@pytest.fixture
def raw() -> Rig:
    return Rig(tuned=False)


@pytest.fixture
def rig() -> Rig:
    return Rig()


# -- frames -------------------------------------------------------------------------------------------------------


def test_a_frame_may_come_in_any_pieces(rig: Rig) -> None:
    """One CS assertion is one frame, however the controller cuts it."""
    whole = bytes([0x03, 0x03, 0x80, 0, 0, 0, 0])
    for cuts in ((3,), (1, 2), (1, 2, 3, 4, 5, 6), (6,), (4,)):
        rig.chip.cs(0)
        got = bytearray()
        bounds = (0, *cuts, 7)
        for start, end in zip(bounds, bounds[1:]):
            answer = bytearray(end - start)
            rig.chip.exchange(whole[start:end], answer)
            got += answer
        rig.chip.cs(1)
        assert got[3:] == b"\x00\x00\xe4\x19"
        assert rig.read(LAST_ADD) == 0x303


def test_a_buffer_may_be_its_own_answer(rig: Rig) -> None:
    buffer = bytearray([0x03, 0x03, 0x80, 0, 0, 0, 0])
    rig.chip.cs(0)
    rig.chip.exchange(buffer, buffer)
    rig.chip.cs(1)
    assert buffer[3:] == b"\x00\x00\xe4\x19"
    buffer = bytearray([0x00, 0x00, 0x00, 0x09])
    rig.chip.cs(0)
    rig.chip.exchange(buffer, buffer)
    rig.chip.cs(1)
    assert rig.read(0x000) == 9


def test_bytes_after_a_whole_frame_mean_nothing(rig: Rig) -> None:
    """Nor are they the rest of an older frame, here a write that has come to its end."""
    rig.write(0x382, 0x456789)
    rig.chip.cs(0)
    rig.chip.exchange(bytes([0x00, 0x00, 0x80, 0x00]), bytearray(4))
    after = bytearray(b"???")
    rig.chip.exchange(bytes([0x11, 0x22, 0x33]), after)
    rig.chip.cs(1)
    assert after == bytes(3)
    assert rig.read(LAST_ADD) == 0x000
    assert rig.read(0x282) == 0x456789


def test_an_early_end_changes_nothing(rig: Rig) -> None:
    """DS p.52: CS raised early aborts the transfer."""
    for length in range(1, 6):
        rig.frame(bytes([0x02, 0x82, 0x00, 0x12, 0x34, 0x56])[:length])
        assert rig.read(0x282) == 0x400000
    rig.write(0x004, 0x40)
    rig.chip.drive(1.0, 1.0, 1.0, 0.0, 60.0)
    rig.sleep(1)
    rig.frame(bytes([0x03, 0x1E, 0x80, 0, 0, 0]))  # one byte short: nothing is cleared
    assert rig.read(AENERGY) == 207_512


def test_field_bug_6_stray_bytes_ahead_of_the_payload_go_elsewhere(rig: Rig) -> None:
    """Three zero bytes ahead of a write make it a write to SAGCYC, and the rest of the frame means nothing."""
    rig.frame(bytes([0, 0, 0, 0x01, 0x02, 0x00, 0x00, 0x04]))
    assert rig.read(0x000) == 0x01
    rig.frame(bytes([0x00, 0x01, 0x00, 0x05, 0x06, 0x07]))  # and behind it
    assert rig.read(0x001) == 0x05


def test_an_unselected_chip_hears_nothing(rig: Rig) -> None:
    rig.chip.exchange(bytes([0x00, 0x00, 0x00, 0x09]), None)
    assert rig.read(0x000) == 0


def test_only_bit_7_of_the_third_byte_counts(rig: Rig) -> None:
    rig.frame(bytes([0x00, 0x00, 0x7F, 0x09]))
    assert rig.read(0x000) == 0x09
    assert rig.frame(bytes([0x00, 0x00, 0xFF, 0x00]))[3] == 0x09


# -- lock ---------------------------------------------------------------------------------------------------------


def test_field_bug_2_and_8_an_unlocked_chip_holds_miso_high(raw: Rig) -> None:
    """COMM_LOCK is inverted (DS p.63): 1 leaves the interface open, and MISO is driven while CS is high."""
    assert raw.chip.idle_miso() == 1
    raw.write(CONFIG, 0x8004)
    assert raw.chip.idle_miso() == 1
    raw.write(CONFIG, 0x0004)
    assert raw.chip.idle_miso() is None
    raw.write(CONFIG, 0x8004)  # once locked, only a reset opens it again
    assert raw.chip.locked()
    raw.chip.reset_pin(0)
    raw.sleep(0.001)
    raw.chip.reset_pin(1)
    raw.sleep(0.1)
    assert raw.chip.idle_miso() == 1


# -- start-up and reset -------------------------------------------------------------------------------------------


def test_power_up_takes_26_and_40_ms() -> None:
    """DS p.18: then the Reset flag is up and IRQ low, and no enable is needed for that."""
    rig = Rig(start=False)
    rig.chip.power(True)
    rig.sleep(0.0659)
    assert not rig.chip.running()
    assert rig.read(AP_NOLOAD) == 0
    rig.sleep(0.0001)
    assert rig.edges == [(0, 1), (66_000, 0)]
    rig.write(0x32C, 0)
    assert rig.read(IRQSTATA) >> 20 & 1
    assert rig.edges[-1][1] == 0
    assert rig.read(RSTIRQSTATA) >> 20 & 1
    assert rig.edges[-1] == (rig.clock.now_us, 1)
    rig.chip.power(False)
    assert rig.edges[-1][1] is None
    assert not rig.chip.running()


def test_reset_pin_needs_10_us(rig: Rig) -> None:
    rig.chip.reset_pin(0)
    rig.clock.sleep(9)
    rig.chip.reset_pin(1)
    rig.sleep(0.1)
    assert rig.read(0x120) == 0x0030
    rig.chip.reset_pin(0)
    rig.clock.sleep(10)
    assert not rig.chip.running()
    rig.sleep(1)
    assert not rig.chip.running()
    rig.chip.reset_pin(1)
    rig.sleep(0.04)
    assert (rig.read(0x120), rig.read(CONFIG)) == (0, 0x8004)
    assert rig.read(IRQSTATA) >> 20 & 1


def test_a_chip_held_in_reset_does_not_start() -> None:
    rig = Rig(start=False)
    rig.chip.reset_pin(0)
    rig.chip.power(True)
    rig.sleep(1)
    assert not rig.chip.running()
    rig.chip.reset_pin(1)
    rig.sleep(0.04)
    assert rig.chip.running()


def test_a_reset_during_the_start_begins_it_anew() -> None:
    rig = Rig(start=False)
    rig.chip.power(True)
    rig.sleep(0.05)
    rig.chip.reset_pin(0)
    rig.sleep(0.1)
    assert not rig.chip.running()
    rig.chip.reset_pin(1)
    rig.sleep(0.0399)
    assert not rig.chip.running()
    rig.sleep(0.0002)
    assert rig.chip.running()
    rig.chip.reset_pin(0)
    rig.chip.power(False)
    rig.sleep(1)
    assert rig.edges[-1][1] is None


@pytest.mark.parametrize("how", ["register", "fault"])
def test_a_reset_loses_settings_counts_and_lock(rig: Rig, how: str) -> None:
    rig.chip.drive(1.0, 1.0, 1.0, 0.0, 60.0)
    rig.sleep(1)
    before = rig.chip.counted_total()
    gap = rig.chip.gap_us()
    if how == "register":
        rig.write(CONFIG, 0x0084)  # SWRST
    else:
        rig.chip.fault("reset")
    assert not rig.chip.running()
    rig.sleep(0.04)
    assert rig.read(0x120) == 0
    assert not rig.chip.locked()
    assert rig.read(AENERGY) == 0
    assert rig.chip.counted_total() == before == 207_512
    assert rig.chip.gap_us() - gap == 40_000


def test_no_gap_where_there_is_no_voltage(rig: Rig) -> None:
    gap = rig.chip.gap_us()
    rig.chip.fault("reset")
    rig.sleep(0.02)
    rig.chip.drive(0.6, 0.0, 0.0, 0.0, 60.0)
    rig.sleep(0.1)
    assert rig.chip.gap_us() - gap == 20_000


# -- faults -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "byte"), [("silent", 0x00), ("stuck_ones", 0xFF), ("stuck_zeros", 0x00)])
def test_stuck_lines(rig: Rig, kind: str, byte: int) -> None:
    rig.chip.fault(kind)
    assert set(rig.frame(bytes([0x03, 0x03, 0x80, 0, 0, 0, 0]))) == {byte}
    rig.write(0x000, 0x21)
    rig.chip.unfault(kind)
    assert rig.read(AP_NOLOAD) == 0xE419
    assert rig.read(0x000) == (0 if kind == "silent" else 0x21)  # with a stuck MISO the chip still hears


def test_silent_reads_as_the_line_is_pulled() -> None:
    rig = Rig(released=0xFF)
    rig.chip.fault("silent")
    assert rig.read(AP_NOLOAD) == 0xFFFFFFFF


def test_bit_errors_come_at_their_rate_and_by_the_seed() -> None:
    def spoilt(seed: int) -> list[bool]:
        rig = Rig(seed=seed)
        rig.write(0x040, 7)  # or a spoilt read becomes a write, and stays
        rig.chip.fault("bit_error", {"rate": 1e-3})
        return [rig.read(AP_NOLOAD) != 0xE419 for _ in range(3000)]

    once = spoilt(1)
    assert once == spoilt(1) != spoilt(2)
    # an error in the answer's 4 bytes, or in the 17 bits of the command that matter
    assert 0.6 < sum(once) / len(once) / (49 * 1e-3) < 1.4


def test_bit_errors_can_change_registers() -> None:
    rig = Rig(seed=5)
    before = dict(rig.chip.regs)
    rig.chip.fault("bit_error", {"rate": 0.02})
    for _ in range(3000):
        rig.read(0x182)
    assert rig.chip.regs != before


def test_dropped_chip_select_breaks_frames(rig: Rig) -> None:
    rig.chip.fault("drop_cs", {"rate": 0.05})
    results = [rig.read(AP_NOLOAD) == 0xE419 for _ in range(200)]
    assert 20 < results.count(False) < 150
    rig.chip.unfault("drop_cs")
    assert rig.read(AP_NOLOAD) == 0xE419


def test_a_register_changes_behind_the_firmware(rig: Rig) -> None:
    rig.read(0x31C)
    rig.write(0x040, 7)
    rig.chip.fault("register", {"address": 0x382, "value": 0x123456})
    assert rig.read(LAST_ADD) == 0x040
    assert rig.read(0x282) == 0x123456


def test_an_unknown_fault_is_refused(rig: Rig) -> None:
    with pytest.raises(ValueError, match="melted"):
        rig.chip.fault("melted")
